/*
 * modules/auth/throttle.h - how long somebody who failed must wait: each failure past the free
 * ones doubles it. Counted by text ("who@example.org", "192.0.2.1"); a fixed table, in which a
 * flood of new texts pushes out those that matter least. Any thread; time is an argument.
 */
#ifndef MODULES_AUTH_THROTTLE_H
#define MODULES_AUTH_THROTTLE_H

#include "core/status.h"

#include <stdint.h>

enum {
    THROTTLE_SETS = 4096, /* of THROTTLE_WAYS each: 16,384 texts, 400 KiB */
    THROTTLE_WAYS = 4,
    THROTTLE_FIRST_MS = 1000,
    THROTTLE_MAX_MS = 900000,     /* 15 minutes */
    THROTTLE_FORGET_MS = 3600000, /* an hour without a failure */
};

struct throttle;

MUST_USE enum status throttle_new(struct throttle **ret_throttle);
/* Accepts NULL, returns NULL. */
struct throttle *throttle_free(struct throttle *throttle);
/* ms until who may try again; 0: now. */
int64_t throttle_wait(struct throttle *throttle, const char *who, int64_t now_ms);
/* One more failure; the first `free` of them cost nothing. */
void throttle_count(struct throttle *throttle, const char *who, uint32_t free_count,
                    int64_t now_ms);
/* Who succeeded begins anew. */
void throttle_forget(struct throttle *throttle, const char *who);

#endif
