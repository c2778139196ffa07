/*
 * modules/search/finder.h - documents of one space that may answer a query, newest first.
 *
 * Each term's postings are a list that is read backwards, a block at a time; the lists leap to the
 * newest document that all of them have, the rarest first. Phrases are checked by positions. What
 * it gives has still to be compared with the text: heads are looked up by fewer letters than were
 * typed, and two words may share a hash.
 * For bodies of db_read; errors as db_step, vault_hash, STATUS_NO_MEMORY, STATUS_CORRUPT.
 */
#ifndef MODULES_SEARCH_FINDER_H
#define MODULES_SEARCH_FINDER_H

#include "modules/search/query.h"
#include "modules/search/terms.h"

enum {
    FINDER_LOADS_MAX = 8000, /* blocks one search may read: tens of milliseconds */
};

struct finder_wish {
    struct db_session *session;
    const char *space;
    int64_t scope; /* its number */
    enum terms_class class;
    const struct query *query;
    const char *const *tags; /* documents must have all of them */
    size_t tag_count;
    int64_t below;   /* only documents before this one */
    uint32_t *loads; /* blocks read so far, by all finders of this search */
};

struct finder;

/* Errors also: STATUS_LIMIT (FINDER_LOADS_MAX before it began). */
MUST_USE enum status finder_new(const struct finder_wish *wish, struct finder **ret_finder);
/* Accepts NULL, returns NULL. */
struct finder *finder_free(struct finder *finder);
/* The next older one. STATUS_NOT_FOUND: there is none. STATUS_LIMIT: FINDER_LOADS_MAX; *ret_doc:
 * what is below it has not been looked at. */
MUST_USE enum status finder_next(struct finder *finder, int64_t *ret_doc);

#endif
