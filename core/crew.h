/*
 * core/crew.h - a pool of threads for straight-line work, and strands on it.
 *
 * A strand runs its jobs one after another, in order, on whatever thread is free:
 * what a websocket session's commands need. Any thread may submit.
 *
 * One thread is always there; the others come when there is more to do than threads, and go
 * when they have had nothing for CREW_LINGER_MS. Who was idle last is woken first, so that little
 * work stays with few threads, whose stacks are in the caches.
 */
#ifndef CORE_CREW_H
#define CORE_CREW_H

#include "core/status.h"

#include <stdint.h>

enum { CREW_LINGER_MS = 10000 };

struct crew;
struct strand;
typedef void crew_fn(void *arg);

/* At most `threads` of them. */
MUST_USE enum status crew_new(const char *name, uint32_t threads, uint32_t jobs_max,
                              struct crew **ret_crew);
/* Finishes what was accepted, then joins the threads. Accepts NULL, returns NULL. */
struct crew *crew_free(struct crew *crew);
/* Errors: STATUS_LIMIT (jobs_max waiting), STATUS_CLOSED, STATUS_NO_MEMORY; arg stays the caller's.
 */
MUST_USE enum status crew_submit(struct crew *crew, crew_fn *fn, void *arg);
/* For tests: another time than CREW_LINGER_MS, from the next idling on; threads there are now. */
void crew_linger(struct crew *crew, uint32_t ms);
uint32_t crew_threads(struct crew *crew);
uint32_t crew_waiting(const struct crew *crew);
/* Jobs that wait in strands, all of them together. */
uint32_t crew_strands_waiting(const struct crew *crew);
/* Which thread of the crew runs this: 0..threads-1; UINT32_MAX outside. */
uint32_t crew_thread_index(void);

/* `jobs_max`: most that may wait in this strand; all of them together count as one with the crew. A
 * strand may outlive its crew: then it refuses. */
MUST_USE enum status strand_new(struct crew *crew, uint32_t jobs_max, struct strand **ret_strand);
/* Jobs already accepted still run; the memory goes after the last. Accepts NULL, returns NULL. */
struct strand *strand_free(struct strand *strand);
/* Errors as crew_submit. */
MUST_USE enum status strand_submit(struct strand *strand, crew_fn *fn, void *arg);

#endif
