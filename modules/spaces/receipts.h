/*
 * modules/spaces/receipts.h - who has read up to where, from the read marks (messages_read).
 * Threads, results and errors as in spaces.h.
 */
#ifndef MODULES_SPACES_RECEIPTS_H
#define MODULES_SPACES_RECEIPTS_H

#include "modules/spaces/messages.h"

enum { RECEIPTS_MEMBERS_MAX = 200 /* of a space with more members nobody asks who has read */ };

struct receipts_receipt {
    const char *account, *read_to; /* id of the newest message they have read; "0": none */
};

struct receipts_list {
    struct json_list items; /* struct receipts_receipt; empty above RECEIPTS_MEMBERS_MAX */
};

extern const struct json_table receipts_receipt_table, receipts_list_table;

/* SPACES_READ. */
MUST_USE enum status receipts_list(struct db *db, const struct spaces_who *who, struct arena *arena,
                                   struct receipts_list *ret_list);

#endif
