/*
 * core/deadline.h - to wait on a condition for so long and no longer, by the clock that never
 * jumps.
 *
 * Any thread.
 */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition for pthread_cond_timedwait with deadline_in. */
void deadline_cond_init(pthread_cond_t *condition);
/* So many milliseconds from now. */
struct timespec deadline_in(int64_t ms);

#endif
