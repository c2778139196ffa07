/*
 * core/call.h - a question to another thread's loop, answered before it returns.
 *
 * For straight-line handlers that need something of a loop's thread which never
 * blocks (the conductor). Never from one loop's thread to another's.
 */
#ifndef CORE_CALL_H
#define CORE_CALL_H

#include "core/loop.h"

/* Runs fn(arg) on the loop's thread and waits. Errors as loop_post; then fn did not run. */
MUST_USE enum status loop_call(struct loop *loop, mailbox_fn *fn, void *arg);

#endif
