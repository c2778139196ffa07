#include "core/turnstile.h"

#include <pthread.h>
#include <stdlib.h>

struct turnstile {
    pthread_mutex_t mutex;
    pthread_cond_t room;
    uint32_t inside_max, waiting_max;
    uint32_t inside, waiting;
};

enum status turnstile_new(uint32_t inside, uint32_t waiting, struct turnstile **ret_turnstile)
{
    struct turnstile *turnstile = calloc(1, sizeof *turnstile);
    if (turnstile == NULL)
        return STATUS_NO_MEMORY;
    turnstile->inside_max = inside;
    turnstile->waiting_max = waiting;
    if (pthread_mutex_init(&turnstile->mutex, NULL) != 0) {
        free(turnstile);
        return STATUS_NO_MEMORY;
    }
    if (pthread_cond_init(&turnstile->room, NULL) != 0) {
        pthread_mutex_destroy(&turnstile->mutex);
        free(turnstile);
        return STATUS_NO_MEMORY;
    }
    *ret_turnstile = turnstile;
    return STATUS_OK;
}

struct turnstile *turnstile_free(struct turnstile *turnstile)
{
    if (turnstile == NULL)
        return NULL;
    pthread_cond_destroy(&turnstile->room);
    pthread_mutex_destroy(&turnstile->mutex);
    free(turnstile);
    return NULL;
}

enum status turnstile_enter(struct turnstile *turnstile)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&turnstile->mutex);
    if (turnstile->inside == turnstile->inside_max && turnstile->waiting == turnstile->waiting_max)
        status = STATUS_LIMIT;
    turnstile->waiting++;
    while (status == STATUS_OK && turnstile->inside == turnstile->inside_max)
        pthread_cond_wait(&turnstile->room, &turnstile->mutex);
    turnstile->waiting--;
    if (status == STATUS_OK)
        turnstile->inside++;
    pthread_mutex_unlock(&turnstile->mutex);
    return status;
}

void turnstile_leave(struct turnstile *turnstile)
{
    pthread_mutex_lock(&turnstile->mutex);
    turnstile->inside--;
    pthread_cond_signal(&turnstile->room);
    pthread_mutex_unlock(&turnstile->mutex);
}
