/*
 * core/turnstile.h - lets a few do something expensive at once, keeps a few waiting and turns the
 * rest away, so that nobody can buy all memory or threads with it. Any thread.
 */
#ifndef CORE_TURNSTILE_H
#define CORE_TURNSTILE_H

#include "core/status.h"

#include <stdint.h>

struct turnstile;

/* `inside` at once, `waiting` more wait. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status turnstile_new(uint32_t inside, uint32_t waiting,
                                   struct turnstile **ret_turnstile);
/* Nobody is inside or waits. Accepts NULL, returns NULL. */
struct turnstile *turnstile_free(struct turnstile *turnstile);
/* Blocks until there is room. Errors: STATUS_LIMIT (`waiting` wait already). */
MUST_USE enum status turnstile_enter(struct turnstile *turnstile);
void turnstile_leave(struct turnstile *turnstile);

#endif
