/*
 * modules/meetings/registry_pin.h - the PIN of a meeting, by which telephones find it. Threads and
 * further errors as registry.h.
 */
#ifndef MODULES_MEETINGS_REGISTRY_PIN_H
#define MODULES_MEETINGS_REGISTRY_PIN_H

#include "modules/meetings/registry.h"

enum { REGISTRY_PIN_DIGITS = 10 };

/* The meeting's PIN, made when it has none yet; no two meetings have the same. Errors:
 * STATUS_NOT_FOUND (no such meeting), STATUS_LIMIT (no free one was found). */
MUST_USE enum status registry_pin(struct db *db, const char *meeting, struct arena *arena,
                                  const char **ret_pin);
/* Errors: STATUS_NOT_FOUND, also for a meeting that has ended. */
MUST_USE enum status registry_find_by_pin(struct db *db, const char *pin, struct arena *arena,
                                          struct registry_meeting *ret_meeting);

#endif
