/*
 * signalling/http/problem.h - what a status of ours is in HTTP.
 */
#ifndef SIGNALLING_HTTP_PROBLEM_H
#define SIGNALLING_HTTP_PROBLEM_H

#include "signalling/http/http.h"

/* Answers with the problem for `status`; detail NULL or "" is the status's own text. */
void http_problem_status(const struct http_request *request, struct http_reply *reply,
                         enum status status, const char *detail);

#endif
