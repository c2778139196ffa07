#include "core/lock.h"

#include <stdlib.h>

enum status lock_init(struct lock *lock)
{
    if (pthread_mutex_init(&lock->mutex, NULL) != 0)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

void lock_fini(struct lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

void lock_take(struct lock *lock)
{
    /* Fails only for a mutex that is no mutex: the program is broken then. */
    if (pthread_mutex_lock(&lock->mutex) != 0)
        abort();
}

void lock_give(struct lock *lock)
{
    if (pthread_mutex_unlock(&lock->mutex) != 0)
        abort();
}
