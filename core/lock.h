/*
 * core/lock.h - a mutex for the few objects that several threads change (gateway
 * sessions, their table). Held for a few instructions, never across a call that can
 * block. Locks live only in core/: others use these.
 */
#ifndef CORE_LOCK_H
#define CORE_LOCK_H

#include "core/status.h"

#include <pthread.h>

struct lock {
    pthread_mutex_t mutex;
};

/* Errors: STATUS_NO_MEMORY. */
MUST_USE enum status lock_init(struct lock *lock);
/* Nobody holds it or waits. */
void lock_fini(struct lock *lock);
void lock_take(struct lock *lock);
void lock_give(struct lock *lock);

#endif
