#include "core/handoff.h"

#include "core/deadline.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct handoff {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    uint32_t entries_max, first, count;
    bool closed;
    void *entries[];
};

enum status handoff_new(uint32_t entries_max, struct handoff **ret_handoff)
{
    if (entries_max == 0)
        return STATUS_INVALID;
    struct handoff *handoff = calloc(1, sizeof *handoff + entries_max * sizeof handoff->entries[0]);
    if (!handoff)
        return STATUS_NO_MEMORY;
    handoff->entries_max = entries_max;
    pthread_mutex_init(&handoff->mutex, NULL);
    deadline_cond_init(&handoff->filled);
    *ret_handoff = handoff;
    return STATUS_OK;
}

struct handoff *handoff_free(struct handoff *handoff)
{
    if (handoff) {
        pthread_cond_destroy(&handoff->filled);
        pthread_mutex_destroy(&handoff->mutex);
        free(handoff);
    }
    return NULL;
}

enum status handoff_put(struct handoff *handoff, void *entry)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&handoff->mutex);
    if (handoff->closed) {
        status = STATUS_CLOSED;
    } else if (handoff->count == handoff->entries_max) {
        status = STATUS_LIMIT;
    } else {
        handoff->entries[(handoff->first + handoff->count) % handoff->entries_max] = entry;
        handoff->count++;
        pthread_cond_signal(&handoff->filled);
    }
    pthread_mutex_unlock(&handoff->mutex);
    return status;
}

/* With the mutex held: until there is an entry, it is closed, or the time is over. */
static void wait_filled(struct handoff *handoff, int64_t wait_ms)
{
    struct timespec deadline = {0};
    if (wait_ms > 0)
        deadline = deadline_in(wait_ms);
    while (handoff->count == 0 && !handoff->closed && wait_ms != 0) {
        if (wait_ms < 0)
            pthread_cond_wait(&handoff->filled, &handoff->mutex);
        else if (pthread_cond_timedwait(&handoff->filled, &handoff->mutex, &deadline) == ETIMEDOUT)
            return;
    }
}

enum status handoff_take(struct handoff *handoff, int64_t wait_ms, void **ret_entry)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&handoff->mutex);
    wait_filled(handoff, wait_ms);
    if (handoff->count > 0) {
        *ret_entry = handoff->entries[handoff->first];
        handoff->first = (handoff->first + 1) % handoff->entries_max;
        handoff->count--;
    } else {
        status = handoff->closed ? STATUS_CLOSED : STATUS_TIMEOUT;
    }
    pthread_mutex_unlock(&handoff->mutex);
    return status;
}

void handoff_close(struct handoff *handoff)
{
    pthread_mutex_lock(&handoff->mutex);
    handoff->closed = true;
    pthread_cond_broadcast(&handoff->filled);
    pthread_mutex_unlock(&handoff->mutex);
}

uint32_t handoff_length(struct handoff *handoff)
{
    pthread_mutex_lock(&handoff->mutex);
    uint32_t length = handoff->count;
    pthread_mutex_unlock(&handoff->mutex);
    return length;
}
