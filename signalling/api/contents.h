/*
 * signalling/api/contents.h - the content of a file as an answer.
 * Thread: request pool.
 */
#ifndef SIGNALLING_API_CONTENTS_H
#define SIGNALLING_API_CONTENTS_H

#include "modules/spaces/files.h"
#include "signalling/api/route.h"

/* Answers with it, or the range that was asked for, in a sandbox. Takes `object`, also on an error.
 * file->version: of the content. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status contents_send(struct api_call *call, const struct files_file *file,
                                   struct object *object);

#endif
