/*
 * core/handoff.h - a bounded queue of pointers for threads that may wait: what the
 * database's writer takes its work from, and where its readers' connections lie
 * between two uses. Any thread on either end. What the pointers point to stays theirs.
 */
#ifndef CORE_HANDOFF_H
#define CORE_HANDOFF_H

#include "core/status.h"

#include <stdint.h>

enum { HANDOFF_FOREVER = -1 };

struct handoff;

/* `entries_max`: most that may wait, at least 1. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status handoff_new(uint32_t entries_max, struct handoff **ret_handoff);
/* Nobody may use it any more. Accepts NULL, returns NULL. */
struct handoff *handoff_free(struct handoff *handoff);
/* Never waits. Errors: STATUS_LIMIT (full), STATUS_CLOSED. */
MUST_USE enum status handoff_put(struct handoff *handoff, void *entry);
/*
 * The oldest; waits for one up to wait_ms (0: not at all; HANDOFF_FOREVER).
 * Errors: STATUS_TIMEOUT, STATUS_CLOSED (closed, and empty by now).
 */
MUST_USE enum status handoff_take(struct handoff *handoff, int64_t wait_ms, void **ret_entry);
/* Nothing goes in any more; what waits can still be taken. */
void handoff_close(struct handoff *handoff);
uint32_t handoff_length(struct handoff *handoff);

#endif
