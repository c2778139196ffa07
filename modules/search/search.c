#include "modules/search/search.h"

#include "modules/auth/auth.h"
#include "modules/search/search_state.h"
#include "modules/spaces/spaces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPARE_BYTES = 32 << 20 };

/* ---- where one may look ---- */

static enum status scopes_load(struct searching *searching)
{
    const struct search_wish *wish = searching->wish;
    enum status status = STATUS_OK;
    if (wish->space != NULL) {
        const struct spaces_who who = {wish->space, wish->account};
        status = spaces_seat(searching->session, &who, SPACES_READ, NULL);
    }
    searching->scopes = arena_alloc(searching->arena, SPACES_MINE_MAX * sizeof *searching->scopes);
    if (status != STATUS_OK || searching->scopes == NULL)
        return status != STATUS_OK ? status : STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(searching->session, "SELECT m.space, s.number FROM space_member m"
                                       " JOIN search_scope s ON s.space = m.space"
                                       " WHERE m.account = $1 LIMIT $2");
    db_bind_text(select, 1, wish->account);
    db_bind_int(select, 2, SPACES_MINE_MAX);
    while ((status = db_step(select)) == STATUS_OK) {
        const char *space = db_column_text(select, 0);
        if (wish->space != NULL && strcmp(space, wish->space) != 0)
            continue;
        struct search_scope *scope = &searching->scopes[searching->scope_count++];
        scope->space = arena_strdup(searching->arena, space);
        scope->number = db_column_int(select, 1);
        if (scope->space == NULL)
            return STATUS_NO_MEMORY;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- the newest of all spaces ---- */

static void best_add(struct searching *searching, const struct search_found *found)
{
    size_t at = searching->best_count;
    if (at == searching->want)
        at--; /* the oldest goes */
    else
        searching->best_count++;
    for (; at > 0 && searching->best[at - 1].doc < found->doc; at--)
        searching->best[at] = searching->best[at - 1];
    searching->best[at] = *found;
}

static bool too_old(const struct searching *searching, int64_t doc)
{
    return doc < searching->oldest || doc < searching->floor ||
           (searching->best_count == searching->want &&
            doc < searching->best[searching->want - 1].doc);
}

static void floor_raise(struct searching *searching, int64_t doc)
{
    if (doc > searching->floor)
        searching->floor = doc;
}

static enum status scope_search(struct searching *searching, const struct search_scope *scope,
                                struct finder *finder, search_compare *compare)
{
    enum status status;
    int64_t doc = 0;
    while ((status = finder_next(finder, &doc)) == STATUS_OK && !too_old(searching, doc)) {
        struct search_found found = {.doc = doc};
        if (++searching->compared > SEARCH_COMPARED_MAX) {
            floor_raise(searching, doc + 1);
            return STATUS_OK;
        }
        status = compare(searching, scope, doc, &found);
        if (status == STATUS_OK)
            best_add(searching, &found);
        else if (status != STATUS_NOT_FOUND)
            return status;
    }
    if (status == STATUS_LIMIT)
        floor_raise(searching, doc);
    return status == STATUS_NOT_FOUND || status == STATUS_LIMIT ? STATUS_OK : status;
}

enum status search_newest(struct searching *searching, enum terms_class class,
                          const char *const *tags, size_t tag_count, search_compare *compare)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < searching->scope_count; i++) {
        struct finder *finder = NULL;
        const struct finder_wish wish = {.session = searching->session,
                                         .space = searching->scopes[i].space,
                                         .scope = searching->scopes[i].number,
                                         .class = class,
                                         .query = &searching->query,
                                         .tags = tags,
                                         .tag_count = tag_count,
                                         .below = searching->below,
                                         .loads = &searching->loads};
        status = finder_new(&wish, &finder);
        if (status == STATUS_LIMIT) {
            floor_raise(searching, searching->below);
            return STATUS_OK;
        }
        if (status == STATUS_OK)
            status = scope_search(searching, &searching->scopes[i], finder, compare);
        finder_free(finder);
    }
    return status;
}

/* ---- pages ---- */

static int score_order(const void *left, const void *right)
{
    const struct search_found *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return (a->doc < b->doc) - (a->doc > b->doc);
}

static bool is_ranked(const struct search_wish *wish)
{
    return wish->order != NULL && strcmp(wish->order, "relevance") == 0;
}

static size_t page_size(const struct search_wish *wish)
{
    int64_t limit = wish->limit > 0 ? wish->limit : 20;
    return (size_t)(limit < SEARCH_PAGE_MAX ? limit : SEARCH_PAGE_MAX);
}

/* "BELOW.SKIP": documents before BELOW, and of those in order of relevance the first SKIP not. */
static enum status cursor_read(const char *cursor, int64_t *ret_below, size_t *ret_skip)
{
    long long below = 0;
    unsigned skip = 0;
    char end;
    if (cursor == NULL || cursor[0] == '\0')
        return STATUS_OK;
    if (sscanf(cursor, "%18lld.%4u%c", &below, &skip, &end) != 2 || below < 1)
        return STATUS_INVALID;
    *ret_below = below;
    *ret_skip = skip;
    return STATUS_OK;
}

static enum status author_fill(struct searching *searching, struct search_hit *hit)
{
    struct auth_user author;
    /* A guest has no account, but a name with each message. */
    if (hit->author == NULL || hit->author_name != NULL)
        return STATUS_OK;
    enum status status = auth_user_in(searching->session, hit->author, searching->arena, &author);
    if (status == STATUS_OK)
        hit->author_name = author.name;
    return status;
}

/* best[from..to) go into the page. */
static enum status page_add(struct searching *searching, size_t from, size_t to)
{
    struct search_hit *items = searching->page.items;
    enum status status = STATUS_OK;
    for (size_t i = from; status == STATUS_OK && i < to && i < searching->best_count; i++) {
        struct search_hit *hit = &items[searching->page.count++];
        *hit = searching->best[i].hit;
        status = author_fill(searching, hit);
    }
    return status;
}

typedef enum status search_of(struct searching *searching);

/* A few of a kind, beside others. */
static enum status few_add(struct searching *searching, search_of *search)
{
    searching->want = SEARCH_FEW;
    searching->best_count = 0;
    searching->floor = 0;
    enum status status = search(searching);
    return status == STATUS_OK ? page_add(searching, 0, SEARCH_FEW) : status;
}

static enum status newest_add(struct searching *searching, search_of *search)
{
    size_t size = page_size(searching->wish);
    searching->want = size + 1;
    searching->best_count = 0;
    searching->floor = 0;
    enum status status = search(searching);
    /* What is older than the floor may have newer ones before it that were not reached. */
    while (searching->best_count > 0 &&
           searching->best[searching->best_count - 1].doc < searching->floor)
        searching->best_count--;
    int64_t next = searching->floor;
    if (searching->best_count > size)
        next = searching->best[size - 1].doc;
    if (next > 0)
        searching->next_cursor = arena_printf(searching->arena, "%" PRId64 ".0", next);
    return status == STATUS_OK ? page_add(searching, 0, size) : status;
}

static enum status ranked_add(struct searching *searching, search_of *search, size_t skip)
{
    size_t size = page_size(searching->wish);
    searching->want = SEARCH_RANKED_MAX;
    searching->best_count = 0;
    searching->floor = 0;
    enum status status = search(searching);
    int64_t top = searching->best_count > 0 ? searching->best[0].doc + 1 : 1;
    if (searching->best_count > 0)
        qsort(searching->best, searching->best_count, sizeof *searching->best, score_order);
    if (searching->best_count > skip + size)
        searching->next_cursor =
            arena_printf(searching->arena, "%" PRId64 ".%zu", top, skip + size);
    return status == STATUS_OK ? page_add(searching, skip, skip + size) : status;
}

static enum status run(struct db_session *session, void *arg)
{
    struct searching *searching = arg;
    const struct search_wish *wish = searching->wish;
    size_t skip = 0;
    searching->session = session;
    searching->scope_count = searching->page.count = 0;
    searching->below = INT64_MAX;
    enum status status = cursor_read(wish->cursor, &searching->below, &skip);
    bool first = searching->below == INT64_MAX;
    if (status == STATUS_OK)
        status = scopes_load(searching);
    search_of *search = search_messages;
    if (wish->kind != NULL && strcmp(wish->kind, "person") == 0)
        search = search_people;
    else if (wish->kind != NULL && strcmp(wish->kind, "file") == 0)
        search = search_files;
    if (status == STATUS_OK && wish->kind == NULL && first && wish->has == NULL)
        status = few_add(searching, search_people);
    if (status == STATUS_OK && wish->kind == NULL && first && wish->has == NULL)
        status = few_add(searching, search_files);
    if (status != STATUS_OK)
        return status;
    return is_ranked(wish) ? ranked_add(searching, search, skip) : newest_add(searching, search);
}

enum status search_run(struct db *db, const struct search_wish *wish, struct arena *arena,
                       struct search_page *ret_page)
{
    struct searching searching = {.wish = wish, .arena = arena};
    enum status status = query_parse(wish->text, arena, &searching.query);
    if (status == STATUS_OK && searching.query.count == 0 && wish->from == NULL &&
        wish->has == NULL)
        status = STATUS_INVALID;
    searching.best = arena_alloc(arena, (SEARCH_RANKED_MAX + 1) * sizeof *searching.best);
    searching.page.items =
        arena_alloc(arena, (SEARCH_PAGE_MAX + 2 * SEARCH_FEW) * sizeof(struct search_hit));
    if (status == STATUS_OK && (searching.best == NULL || searching.page.items == NULL))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = arena_new(COMPARE_BYTES, &searching.compare);
    if (status == STATUS_OK)
        status = db_read(db, run, &searching);
    arena_free(searching.compare);
    if (status != STATUS_OK)
        return status;
    *ret_page = (struct search_page){searching.page, searching.next_cursor};
    return STATUS_OK;
}
