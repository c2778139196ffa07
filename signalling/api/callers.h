/*
 * signalling/api/callers.h - who sends a request: a bearer token, or the cookie of a page,
 * which is an account's session or a guest's.
 * Thread: request pool.
 */
#ifndef SIGNALLING_API_CALLERS_H
#define SIGNALLING_API_CALLERS_H

#include "modules/auth/auth.h"
#include "modules/spaces/guests.h"
#include "signalling/http/http.h"

/*
 * Whose session the request names. *ret_csrf: what a page must send with writes, NULL for a
 * bearer. Errors: STATUS_DENIED (nobody's), STATUS_CORRUPT (a cookie's write without its
 * X-CSRF-Token), and auth_check's.
 */
MUST_USE enum status caller_find(struct auth *auth, const struct http_request *request,
                                 struct auth_caller *ret_caller, const char **ret_csrf);
/* The same of a guest's session (modules/spaces/guests.h). */
MUST_USE enum status caller_guest(struct db *db, const struct http_request *request,
                                  struct spaces_guest *ret_guest, const char **ret_csrf);
/* Returns the CSRF token; NULL without memory. */
const char *caller_cookie_set(struct http_reply *reply, const char *token, struct arena *arena);
void caller_cookie_clear(struct http_reply *reply);
/* It comes from a browser on this machine, and not through a proxy that says so. */
bool caller_is_here(const struct http_request *request);

#endif
