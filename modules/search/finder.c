#include "modules/search/finder.h"

#include <stdlib.h>
#include <string.h>

enum {
    LISTS_MAX = QUERY_WORDS_MAX + TERMS_TAGS_MAX,
    ARENA_BYTES = 16 << 20,
    BLOCK_ARENA_BYTES = 1 << 20,
};

struct list {
    int64_t token;
    struct arena *arena; /* of the block */
    struct posting *items;
    size_t count, at;
    int64_t first, top; /* the block tells of all documents first..top */
    bool positions;
};

struct finder {
    struct finder_wish wish;
    struct arena *arena;
    struct list lists[LISTS_MAX];
    size_t list_count;
    size_t order[LISTS_MAX]; /* the rarest first */
    uint8_t phrase_list[QUERY_PHRASES_MAX][QUERY_WORDS_MAX];
    uint32_t *here, *there; /* positions of two words */
    int64_t *fresh;         /* falling */
    size_t fresh_count, fresh_at;
    int64_t below;      /* next of the blocks: before this one */
    int64_t block_next; /* 0: not known yet */
    bool blocks_done;
};

/* ---- lists ---- */

static enum status list_load(struct finder *finder, struct list *list, int64_t doc)
{
    if (++*finder->wish.loads > FINDER_LOADS_MAX)
        return STATUS_LIMIT;
    struct db_statement *select =
        db_prepare(finder->wish.session, "SELECT first, postings FROM search_block"
                                         " WHERE scope = $1 AND token = $2 AND first <= $3"
                                         " ORDER BY first DESC LIMIT 1");
    db_bind_int(select, 1, finder->wish.scope);
    db_bind_int(select, 2, list->token);
    db_bind_int(select, 3, doc);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    size_t length;
    const void *bytes = db_column_blob(select, 1, &length);
    arena_reset(list->arena);
    list->first = db_column_int(select, 0);
    list->top = doc;
    status = postings_decode(list->first, bytes, length, list->arena, &list->items, &list->count);
    return status == STATUS_OK && list->count == 0 ? STATUS_CORRUPT : status;
}

/* Its newest document up to `doc`. Errors: STATUS_NOT_FOUND, STATUS_LIMIT. */
static enum status list_seek(struct finder *finder, struct list *list, int64_t doc,
                             int64_t *ret_doc)
{
    if (list->count == 0 || doc < list->first || doc > list->top) {
        enum status status = list_load(finder, list, doc);
        if (status != STATUS_OK)
            return status;
    }
    size_t low = 0, high = list->count; /* items[low].doc <= doc */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].doc <= doc)
            low = middle;
        else
            high = middle;
    }
    list->at = low;
    *ret_doc = list->items[low].doc;
    return STATUS_OK;
}

/* ---- phrases ---- */

/* Keeps of here[] what has the word behind it by `distance`. */
static enum status positions_follow(struct finder *finder, const struct list *list, size_t distance,
                                    size_t *count)
{
    const struct posting *posting = &list->items[list->at];
    size_t kept = 0, other = 0;
    enum status status = posting_positions(posting, finder->there);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < *count; i++) {
        uint64_t wanted = (uint64_t)finder->here[i] + distance;
        while (other < posting->count && finder->there[other] < wanted)
            other++;
        if (other < posting->count && finder->there[other] == wanted)
            finder->here[kept++] = finder->here[i];
    }
    *count = kept;
    return STATUS_OK;
}

/* Errors: STATUS_NOT_FOUND. All lists stand at the document. */
static enum status phrase_check(struct finder *finder, size_t index)
{
    const struct query_phrase *phrase = &finder->wish.query->phrases[index];
    const struct list *first = &finder->lists[finder->phrase_list[index][0]];
    if (phrase->count - phrase->open < 2)
        return STATUS_OK;
    size_t count = first->items[first->at].count;
    enum status status = posting_positions(&first->items[first->at], finder->here);
    for (size_t i = 1; status == STATUS_OK && count > 0 && i < phrase->count - phrase->open; i++)
        status = positions_follow(finder, &finder->lists[finder->phrase_list[index][i]], i, &count);
    return status == STATUS_OK && count == 0 ? STATUS_NOT_FOUND : status;
}

static enum status phrases_check(struct finder *finder)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < finder->wish.query->count; i++)
        status = phrase_check(finder, i);
    return status;
}

/* ---- blocks ---- */

/* The newest document up to `doc` that all lists have. */
static enum status lists_meet(struct finder *finder, int64_t doc, int64_t *ret_doc)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < finder->list_count;) {
        int64_t found = doc;
        status = list_seek(finder, &finder->lists[finder->order[i]], doc, &found);
        if (status == STATUS_OK && found == doc) {
            i++;
            continue;
        }
        /* The others must have the older one too, the rarest first: it leaps the farthest. */
        i = i == 0 && status == STATUS_OK;
        doc = status == STATUS_OK ? found : doc;
    }
    *ret_doc = doc;
    return status;
}

/* Fills block_next. */
static enum status block_advance(struct finder *finder)
{
    enum status status = STATUS_NOT_FOUND;
    while (!finder->blocks_done && finder->block_next == 0 && status == STATUS_NOT_FOUND) {
        int64_t doc;
        status = lists_meet(finder, finder->below - 1, &doc);
        finder->below = doc;
        if (status == STATUS_NOT_FOUND)
            finder->blocks_done = true;
        if (status == STATUS_OK)
            status = phrases_check(finder);
        if (status == STATUS_OK)
            finder->block_next = doc;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status finder_next(struct finder *finder, int64_t *ret_doc)
{
    enum status status = block_advance(finder);
    if (status == STATUS_LIMIT) {
        *ret_doc = finder->below + 1;
        /* What is fresh and not older has been looked at all the same. */
        if (finder->fresh_at < finder->fresh_count &&
            finder->fresh[finder->fresh_at] > finder->below) {
            *ret_doc = finder->fresh[finder->fresh_at++];
            return STATUS_OK;
        }
        return STATUS_LIMIT;
    }
    if (status != STATUS_OK)
        return status;
    int64_t fresh = finder->fresh_at < finder->fresh_count ? finder->fresh[finder->fresh_at] : 0;
    if (fresh == 0 && finder->block_next == 0)
        return STATUS_NOT_FOUND;
    if (fresh > finder->block_next) {
        finder->fresh_at++;
        *ret_doc = fresh;
        return STATUS_OK;
    }
    *ret_doc = finder->block_next;
    finder->block_next = 0;
    return STATUS_OK;
}

/* ---- beginning ---- */

static size_t list_of(struct finder *finder, int64_t token)
{
    for (size_t i = 0; i < finder->list_count; i++)
        if (finder->lists[i].token == token)
            return i;
    finder->lists[finder->list_count].token = token;
    return finder->list_count++;
}

/* The longest beginning that is kept. */
static int64_t head_token(const struct terms_key *key, const char *folded)
{
    size_t length = 0;
    for (size_t i = 0; i < sizeof terms_heads / sizeof terms_heads[0]; i++) {
        size_t longer = words_head(folded, terms_heads[i]);
        length = longer > length ? longer : length;
    }
    return terms_head(key, folded, length);
}

static enum status lists_make(struct finder *finder)
{
    struct terms_key key;
    const struct query *query = finder->wish.query;
    enum status status = terms_key_make(db_session_vault(finder->wish.session), finder->wish.space,
                                        finder->wish.class, &key);
    if (status != STATUS_OK)
        return status;
    for (size_t p = 0; p < query->count; p++) {
        const struct query_phrase *phrase = &query->phrases[p];
        for (size_t i = 0; i < phrase->count; i++) {
            const char *folded = phrase->words[i].folded;
            bool head = phrase->open && i + 1 == phrase->count;
            int64_t token = head ? head_token(&key, folded) : terms_word(&key, folded);
            finder->phrase_list[p][i] = (uint8_t)list_of(finder, token);
        }
    }
    for (size_t i = 0; i < finder->wish.tag_count; i++)
        list_of(finder, terms_tag(&key, finder->wish.tags[i]));
    for (size_t i = 0; status == STATUS_OK && i < finder->list_count; i++)
        status = arena_new(BLOCK_ARENA_BYTES, &finder->lists[i].arena);
    return status;
}

/* Documents among the fresh that have all terms. */
static enum status fresh_find(struct finder *finder)
{
    int64_t tokens[LISTS_MAX];
    size_t room = 0;
    for (size_t i = 0; i < finder->list_count; i++)
        tokens[i] = finder->lists[i].token;
    struct db_statement *select =
        db_prepare(finder->wish.session, "SELECT doc, terms FROM search_fresh WHERE scope = $1"
                                         " AND class = $2 AND doc < $3 ORDER BY doc DESC");
    db_bind_int(select, 1, finder->wish.scope);
    db_bind_int(select, 2, finder->wish.class);
    db_bind_int(select, 3, finder->wish.below);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        size_t length;
        const void *bytes = db_column_blob(select, 1, &length);
        if (!terms_hold(bytes, length, tokens, finder->list_count))
            continue;
        if (finder->fresh_count == room) {
            room = room == 0 ? 64 : 2 * room;
            int64_t *fresh = arena_alloc(finder->arena, room * sizeof *fresh);
            if (fresh == NULL)
                return STATUS_NO_MEMORY;
            if (finder->fresh_count > 0)
                memcpy(fresh, finder->fresh, finder->fresh_count * sizeof *fresh);
            finder->fresh = fresh;
        }
        finder->fresh[finder->fresh_count++] = db_column_int(select, 0);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* How often the term comes, by its newest block. */
static double density(const struct list *list)
{
    return (double)list->count / (double)(list->items[list->count - 1].doc - list->first + 1) *
           (list->count > 1 ? 1.0 : 1e-9);
}

static enum status lists_sort(struct finder *finder)
{
    enum status status = STATUS_OK;
    int64_t doc;
    for (size_t i = 0; status == STATUS_OK && i < finder->list_count; i++) {
        status = list_seek(finder, &finder->lists[i], finder->below - 1, &doc);
        size_t at = i;
        for (; status == STATUS_OK && at > 0 &&
               density(&finder->lists[i]) < density(&finder->lists[finder->order[at - 1]]);
             at--)
            finder->order[at] = finder->order[at - 1];
        finder->order[at] = i;
    }
    if (status == STATUS_NOT_FOUND)
        finder->blocks_done = true;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status finder_new(const struct finder_wish *wish, struct finder **ret_finder)
{
    struct arena *arena = NULL;
    enum status status = arena_new(ARENA_BYTES, &arena);
    struct finder *finder = status == STATUS_OK ? arena_alloc(arena, sizeof *finder) : NULL;
    if (finder == NULL) {
        arena_free(arena);
        return STATUS_NO_MEMORY;
    }
    finder->wish = *wish;
    finder->arena = arena;
    finder->below = wish->below;
    finder->here = arena_alloc(arena, POSTINGS_POSITIONS_MAX * sizeof *finder->here);
    finder->there = arena_alloc(arena, POSTINGS_POSITIONS_MAX * sizeof *finder->there);
    status = finder->here != NULL && finder->there != NULL ? lists_make(finder) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = fresh_find(finder);
    if (status == STATUS_OK)
        status = lists_sort(finder);
    if (status != STATUS_OK) {
        finder_free(finder);
        return status;
    }
    *ret_finder = finder;
    return STATUS_OK;
}

struct finder *finder_free(struct finder *finder)
{
    if (finder == NULL)
        return NULL;
    for (size_t i = 0; i < finder->list_count; i++)
        arena_free(finder->lists[i].arena);
    arena_free(finder->arena);
    return NULL;
}
