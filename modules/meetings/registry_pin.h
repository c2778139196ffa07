/*
 * modules/meetings/registry_pin.h - the PIN of a meeting, by which telephones find it. Threads and
 * further errors as registry.h.
 */
#ifndef MODULES_MEETINGS_REGISTRY_PIN_H
#define MODULES_MEETINGS_REGISTRY_PIN_H

#include "modules/meetings/registry.h"

enum {
    REGISTRY_PIN_DIGITS = 10,      /* of one that is made */
    REGISTRY_PIN_OWN_MIN = 6,      /* of one that a host chooses */
    REGISTRY_PIN_OWN_MAX = 16,     /* what the voice menu takes */
    REGISTRY_PIN_DISTINCT_MIN = 4, /* different digits in one that is chosen */
};

/* The meeting's PIN, made when it has none yet; no two meetings have the same. Errors:
 * STATUS_NOT_FOUND (no such meeting), STATUS_LIMIT (no free one was found). */
MUST_USE enum status registry_pin(struct db *db, const char *meeting, struct arena *arena,
                                  const char **ret_pin);
/* Whether a host may choose it: no run, no pattern that repeats, not few digits only, no date of
 * this century or the last. */
bool registry_pin_fit(const char *pin);
/* A chosen PIN instead of the present one; "": one is made anew. Event "meeting.updated". Errors:
 * STATUS_INVALID (not fit), STATUS_EXISTS (another meeting's: tell the asker the same as for
 * INVALID), STATUS_NOT_FOUND (no such meeting, or it has ended). */
MUST_USE enum status registry_pin_set(struct db *db, const char *meeting, const char *pin,
                                      int64_t now_ms);
/* Errors: STATUS_NOT_FOUND, also for a meeting that has ended. */
MUST_USE enum status registry_find_by_pin(struct db *db, const char *pin, struct arena *arena,
                                          struct registry_meeting *ret_meeting);

#endif
