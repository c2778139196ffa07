#include "modules/search/index.h"

#include <stdlib.h>
#include <string.h>

/* ---- spaces ---- */

/* Adds to what is fresh; makes the space's number when it has none. */
static enum status scope_add(struct db_session *session, const char *space, int64_t bytes,
                             int64_t *ret_number, int64_t *ret_fresh)
{
    struct db_statement *upsert = db_prepare(
        session, "INSERT INTO search_scope (space, fresh) VALUES ($1, $2) ON CONFLICT (space)"
                 " DO UPDATE SET fresh = search_scope.fresh + $2 RETURNING number, fresh");
    db_bind_text(upsert, 1, space);
    db_bind_int(upsert, 2, bytes);
    enum status status = db_step(upsert);
    if (status != STATUS_OK)
        return status;
    *ret_number = db_column_int(upsert, 0);
    *ret_fresh = db_column_int(upsert, 1);
    return STATUS_OK;
}

static enum status scope_find(struct db_session *session, const char *space, int64_t *ret_number)
{
    struct db_statement *select =
        db_prepare(session, "SELECT number FROM search_scope WHERE space = $1");
    db_bind_text(select, 1, space);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_number = db_column_int(select, 0);
    return status;
}

/* ---- blocks ---- */

struct block {
    int64_t scope, token;
    int64_t first; /* of the row it was read from */
    bool stored;   /* there is one */
    struct posting *items;
    size_t count;
};

static enum status block_copy(struct db_statement *row, struct arena *arena, struct block *block)
{
    size_t length;
    const void *bytes = db_column_blob(row, 1, &length);
    block->first = db_column_int(row, 0);
    block->stored = true;
    return postings_decode(block->first, bytes, length, arena, &block->items, &block->count);
}

/* The block in which the document would be; an empty one when the term has none. */
static enum status block_find(struct db_session *session, int64_t doc, struct arena *arena,
                              struct block *block)
{
    struct db_statement *select =
        db_prepare(session, "SELECT first, postings FROM search_block WHERE scope = $1"
                            " AND token = $2 AND first <= $3 ORDER BY first DESC LIMIT 1");
    db_bind_int(select, 1, block->scope);
    db_bind_int(select, 2, block->token);
    db_bind_int(select, 3, doc);
    enum status status = db_step(select);
    if (status == STATUS_NOT_FOUND) {
        select = db_prepare(session, "SELECT first, postings FROM search_block WHERE scope = $1"
                                     " AND token = $2 ORDER BY first LIMIT 1");
        db_bind_int(select, 1, block->scope);
        db_bind_int(select, 2, block->token);
        status = db_step(select);
    }
    if (status == STATUS_OK)
        return block_copy(select, arena, block);
    *block = (struct block){.scope = block->scope, .token = block->token};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Where the next block begins; INT64_MAX: there is none. */
static enum status bound_find(struct db_session *session, const struct block *block,
                              int64_t *ret_bound)
{
    *ret_bound = INT64_MAX;
    if (!block->stored)
        return STATUS_OK;
    struct db_statement *select =
        db_prepare(session, "SELECT first FROM search_block WHERE scope = $1 AND token = $2"
                            " AND first > $3 ORDER BY first LIMIT 1");
    db_bind_int(select, 1, block->scope);
    db_bind_int(select, 2, block->token);
    db_bind_int(select, 3, block->first);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_bound = db_column_int(select, 0);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status block_delete(struct db_session *session, const struct block *block)
{
    struct db_statement *drop = db_prepare(
        session, "DELETE FROM search_block WHERE scope = $1 AND token = $2 AND first = $3");
    db_bind_int(drop, 1, block->scope);
    db_bind_int(drop, 2, block->token);
    db_bind_int(drop, 3, block->first);
    return db_run(drop);
}

/* Whether there is a row is known here: an upsert would ask once more, for thousands of blocks. */
static enum status row_store(struct db_session *session, const struct block *block, int64_t first,
                             const uint8_t *bytes, size_t length)
{
    struct db_statement *statement =
        block->stored && first == block->first
            ? db_prepare(session, "UPDATE search_block SET postings = $4 WHERE scope = $1"
                                  " AND token = $2 AND first = $3")
            : db_prepare(session, "INSERT INTO search_block (scope, token, first, postings)"
                                  " VALUES ($1, $2, $3, $4)");
    db_bind_int(statement, 1, block->scope);
    db_bind_int(statement, 2, block->token);
    db_bind_int(statement, 3, first);
    db_bind_blob(statement, 4, bytes, length);
    return db_run(statement);
}

/* Writes the postings in place of the block's row, as several rows when they do not fit. */
static enum status block_store(struct db_session *session, const struct block *block,
                               struct arena *arena)
{
    enum status status = STATUS_OK;
    if (block->stored && (block->count == 0 || block->items[0].doc != block->first))
        status = block_delete(session, block);
    for (size_t at = 0; status == STATUS_OK && at < block->count;) {
        const uint8_t *bytes;
        size_t length, taken;
        status =
            postings_encode(block->items + at, block->count - at, arena, &bytes, &length, &taken);
        if (status != STATUS_OK)
            return status;
        status = row_store(session, block, block->items[at].doc, bytes, length);
        at += taken;
    }
    return status;
}

/* Merges rising postings into a block's; one of the same document takes the old one's place. */
static enum status block_merge(struct block *block, const struct posting *items, size_t count,
                               struct arena *arena)
{
    struct posting *merged = arena_alloc(arena, (block->count + count) * sizeof *merged);
    size_t old = 0, new = 0, used = 0;
    if (merged == NULL)
        return STATUS_NO_MEMORY;
    while (old < block->count || new < count) {
        if (new == count || (old < block->count && block->items[old].doc < items[new].doc)) {
            merged[used++] = block->items[old++];
            continue;
        }
        if (old < block->count && block->items[old].doc == items[new].doc)
            old++;
        merged[used++] = items[new ++];
    }
    block->items = merged;
    block->count = used;
    return STATUS_OK;
}

/* Rising postings of one term. */
static enum status token_add(struct db_session *session, int64_t scope, int64_t token,
                             const struct posting *items, size_t count, struct arena *arena)
{
    enum status status = STATUS_OK;
    for (size_t at = 0; status == STATUS_OK && at < count;) {
        struct block block = {.scope = scope, .token = token};
        int64_t bound = INT64_MAX;
        size_t run = 1;
        status = block_find(session, items[at].doc, arena, &block);
        if (status == STATUS_OK)
            status = bound_find(session, &block, &bound);
        while (at + run < count && items[at + run].doc < bound)
            run++;
        if (status == STATUS_OK)
            status = block_merge(&block, items + at, run, arena);
        if (status == STATUS_OK)
            status = block_store(session, &block, arena);
        at += run;
    }
    return status;
}

static enum status token_drop(struct db_session *session, int64_t scope, int64_t token, int64_t doc,
                              struct arena *arena)
{
    struct block block = {.scope = scope, .token = token};
    enum status status = block_find(session, doc, arena, &block);
    size_t kept = 0;
    for (size_t i = 0; status == STATUS_OK && i < block.count; i++)
        if (block.items[i].doc != doc)
            block.items[kept++] = block.items[i];
    if (status != STATUS_OK || kept == block.count)
        return status;
    block.count = kept;
    return block_store(session, &block, arena);
}

/* ---- folding ---- */

struct fold {
    struct fold_entry {
        int64_t token;
        struct posting posting;
    } * entries;
    size_t count, room;
};

static int entry_order(const void *left, const void *right)
{
    const struct fold_entry *a = left, *b = right;
    if (a->token != b->token)
        return a->token < b->token ? -1 : 1;
    return (a->posting.doc > b->posting.doc) - (a->posting.doc < b->posting.doc);
}

static enum status fold_row(struct db_statement *row, struct arena *arena, struct fold *fold)
{
    size_t length;
    struct terms terms;
    const void *bytes = db_column_blob(row, 1, &length);
    uint8_t *copy = arena_alloc(arena, length + 1);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    if (length > 0)
        memcpy(copy, bytes, length);
    enum status status = terms_decode(copy, length, arena, &terms);
    if (status != STATUS_OK)
        return status;
    if (fold->count + terms.count > fold->room) {
        size_t room = 2 * (fold->count + terms.count);
        struct fold_entry *entries = arena_alloc(arena, room * sizeof *entries);
        if (entries == NULL)
            return STATUS_NO_MEMORY;
        if (fold->count > 0)
            memcpy(entries, fold->entries, fold->count * sizeof *entries);
        fold->entries = entries;
        fold->room = room;
    }
    for (size_t i = 0; i < terms.count; i++) {
        struct fold_entry *entry = &fold->entries[fold->count++];
        *entry = (struct fold_entry){terms.items[i].token, terms.items[i].posting};
        entry->posting.doc = db_column_int(row, 0);
    }
    return STATUS_OK;
}

/* The memory of one term's blocks is given back before the next. */
static enum status fold_write(struct db_session *session, int64_t scope, const struct fold *fold,
                              struct arena *arena)
{
    struct arena *blocks = NULL;
    struct posting *run = arena_alloc(arena, (fold->count + 1) * sizeof *run);
    enum status status = run != NULL ? arena_new(INDEX_ARENA_BYTES, &blocks) : STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < fold->count;) {
        int64_t token = fold->entries[i].token;
        size_t count = 0;
        for (; i < fold->count && fold->entries[i].token == token; i++)
            run[count++] = fold->entries[i].posting;
        arena_reset(blocks);
        status = token_add(session, scope, token, run, count, blocks);
    }
    arena_free(blocks);
    return status;
}

static enum status fold_clear(struct db_session *session, int64_t scope)
{
    struct db_statement *drop = db_prepare(session, "DELETE FROM search_fresh WHERE scope = $1");
    db_bind_int(drop, 1, scope);
    enum status status = db_run(drop);
    struct db_statement *update =
        db_prepare(session, "UPDATE search_scope SET fresh = 0 WHERE number = $1");
    db_bind_int(update, 1, scope);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status fold_all(struct db_session *session, int64_t scope, struct arena *arena)
{
    struct fold fold = {0};
    struct db_statement *select =
        db_prepare(session, "SELECT doc, terms FROM search_fresh WHERE scope = $1");
    db_bind_int(select, 1, scope);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        status = fold_row(select, arena, &fold);
        if (status != STATUS_OK)
            return status;
    }
    if (status != STATUS_NOT_FOUND)
        return status;
    if (fold.count > 0)
        qsort(fold.entries, fold.count, sizeof *fold.entries, entry_order);
    status = fold_write(session, scope, &fold, arena);
    return status == STATUS_OK ? fold_clear(session, scope) : status;
}

/* ---- documents ---- */

static enum status fresh_insert(struct db_session *session, int64_t scope, enum terms_class class,
                                int64_t doc, const uint8_t *bytes, size_t length)
{
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO search_fresh (scope, class, doc, terms)"
                            " VALUES ($1, $2, $3, $4)");
    db_bind_int(insert, 1, scope);
    db_bind_int(insert, 2, class);
    db_bind_int(insert, 3, doc);
    db_bind_blob(insert, 4, bytes, length);
    return db_run(insert);
}

enum status index_put(struct db_session *session, const char *space, enum terms_class class,
                      int64_t doc, const struct terms *terms)
{
    struct arena *arena = NULL;
    const uint8_t *bytes = NULL;
    size_t length = 0;
    int64_t scope = 0, fresh = 0;
    enum status status = arena_new(INDEX_ARENA_BYTES, &arena);
    if (status == STATUS_OK)
        status = terms_encode(terms, arena, &bytes, &length);
    if (status == STATUS_OK)
        status = scope_add(session, space, (int64_t)length, &scope, &fresh);
    if (status == STATUS_OK)
        status = fresh_insert(session, scope, class, doc, bytes, length);
    if (status == STATUS_OK && fresh >= INDEX_FRESH_BYTES)
        status = fold_all(session, scope, arena);
    arena_free(arena);
    return status;
}

/* STATUS_NOT_FOUND: it is not among the fresh. */
static enum status fresh_drop(struct db_session *session, const char *space, int64_t scope,
                              enum terms_class class, int64_t doc)
{
    int64_t number, fresh;
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM search_fresh WHERE scope = $1 AND class = $2"
                            " AND doc = $3 RETURNING length(terms)");
    db_bind_int(drop, 1, scope);
    db_bind_int(drop, 2, class);
    db_bind_int(drop, 3, doc);
    enum status status = db_step(drop);
    return status == STATUS_OK ? scope_add(session, space, -db_column_int(drop, 0), &number, &fresh)
                               : status;
}

enum status index_drop(struct db_session *session, const char *space, enum terms_class class,
                       int64_t doc, const struct terms *terms)
{
    struct arena *arena = NULL;
    int64_t scope;
    enum status status = scope_find(session, space, &scope);
    if (status == STATUS_OK)
        status = fresh_drop(session, space, scope, class, doc);
    else
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    if (status != STATUS_NOT_FOUND)
        return status;
    status = arena_new(INDEX_ARENA_BYTES, &arena);
    for (size_t i = 0; status == STATUS_OK && i < terms->count; i++) {
        arena_reset(arena);
        status = token_drop(session, scope, terms->items[i].token, doc, arena);
    }
    arena_free(arena);
    return status;
}

/* ---- what a deleted space has left ---- */

enum { PURGE_MAX = 1000 /* blocks looked at in one transaction */ };

struct purging {
    const char *space;
    bool more;
};

static enum status blocks_drop(struct db_session *session, int64_t scope, bool *ret_more)
{
    struct db_statement *select =
        db_prepare(session, "SELECT max(token), count(*) FROM (SELECT token FROM search_block"
                            " WHERE scope = $1 ORDER BY token LIMIT $2)");
    db_bind_int(select, 1, scope);
    db_bind_int(select, 2, PURGE_MAX);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    int64_t last = db_column_int(select, 0);
    *ret_more = db_column_int(select, 1) > 0;
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM search_block WHERE scope = $1 AND token <= $2");
    db_bind_int(drop, 1, scope);
    db_bind_int(drop, 2, last);
    return *ret_more ? db_run(drop) : STATUS_OK;
}

static enum status purge_run(struct db_session *session, void *arg)
{
    struct purging *purging = arg;
    int64_t scope;
    purging->more = false;
    enum status status = scope_find(session, purging->space, &scope);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    status = fold_clear(session, scope);
    if (status == STATUS_OK)
        status = blocks_drop(session, scope, &purging->more);
    struct db_statement *drop = db_prepare(session, "DELETE FROM search_scope WHERE space = $1");
    db_bind_text(drop, 1, purging->space);
    return status == STATUS_OK && !purging->more ? db_run(drop) : status;
}

enum status index_purge(struct db *db, const char *space)
{
    struct purging purging = {.space = space};
    enum status status;
    do
        status = db_write(db, purge_run, &purging);
    while (status == STATUS_OK && purging.more);
    return status;
}
