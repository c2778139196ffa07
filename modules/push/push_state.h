/*
 * modules/push/push_state.h - what the files of this folder share.
 */
#ifndef MODULES_PUSH_PUSH_STATE_H
#define MODULES_PUSH_PUSH_STATE_H

#include "modules/push/push.h"
#include "storage/vault/vault.h"

/* Adds the kinds of jobs. */
MUST_USE enum status push_jobs_add(struct push *push, struct jobs *jobs);
/* False: they are none. */
bool push_browser_parse(const char *p256dh, const char *auth, struct push_browser *ret_browser);
/* Of exactly `size` bytes. */
bool push_unbase64url(const char *text, uint8_t *ret_bytes, size_t size);

static inline struct vault_place push_place(const char *id, const char *column)
{
    return (struct vault_place){.table = "push_device", .column = column, .row = id};
}

#endif
