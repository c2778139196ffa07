/*
 * modules/search/index.h - the index of a space: which documents hold which terms.
 *
 *   search_scope    a space's number, and how many bytes lie in search_fresh
 *   search_fresh    the newest documents, a row each with all their terms
 *   search_block    (space, token, first document): a run of postings of one term
 *
 * A document is written into search_fresh in the transaction that writes the message: one row, not
 * one for each of its words. When INDEX_FRESH_BYTES lie there, that transaction folds them all into
 * blocks, where each block is written once for many documents. A search looks into both, so what is
 * committed is found at once. A document is in one of the two.
 *
 * For bodies of db_write; errors as db_run, vault_hash, STATUS_NO_MEMORY, STATUS_CORRUPT.
 */
#ifndef MODULES_SEARCH_INDEX_H
#define MODULES_SEARCH_INDEX_H

#include "modules/search/terms.h"

enum {
    INDEX_FRESH_BYTES = 262144,   /* of a space, then they are folded: about 700 messages */
    INDEX_ARENA_BYTES = 64 << 20, /* memory one change may take */
};

/* Puts the document, which is not in the index. */
MUST_USE enum status index_put(struct db_session *session, const char *space,
                               enum terms_class class, int64_t doc, const struct terms *terms);
/* Takes the document with these terms out; it is no error when it is not there. */
MUST_USE enum status index_drop(struct db_session *session, const char *space,
                                enum terms_class class, int64_t doc, const struct terms *terms);
/* Removes what a deleted space has left, in transactions of its own. */
MUST_USE enum status index_purge(struct db *db, const char *space);

#endif
