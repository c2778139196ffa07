/*
 * signalling/api/search.c - search over REST.
 */
#include "modules/search/search.h"

#include "core/fields.h"
#include "modules/spaces/spaces.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

struct search_query {
    const char *q, *kind, *space, *from, *has, *order, *cursor;
    int64_t after, before, limit;
};

static const struct json_field search_query_fields[] = {
    TEXT(search_query, q, 0, QUERY_BYTES_MAX, false,
         "words that must all be there; \"in quotes\" or without spaces between them: one after "
         "the other; word*: also longer ones. May be missing with `from` or `has`"),
    CHOICE(search_query, kind, search_kinds, false,
           "absent: messages, and on the first page a few people and files before them"),
    TEXT(search_query, space, 1, SPACES_ID_MAX, false, "absent: all one is in"),
    TEXT(search_query, from, 1, CRYPTO_ID_CHARS, false, "account of the author"),
    CHOICE(search_query, has, search_has, false, "only messages with one"),
    INT(search_query, after, 0, INT64_MAX, false, "ms since 1970; from then on"),
    INT(search_query, before, 0, INT64_MAX, false, "ms since 1970; up to then"),
    CHOICE(search_query, order, search_orders, false,
           "absent: newest. relevance: of the 200 newest hits"),
    TEXT(search_query, cursor, 0, SEARCH_CURSOR_MAX, false, "next_cursor of the page before"),
    INT(search_query, limit, 1, SEARCH_PAGE_MAX, false, "absent: 20"),
};

static TABLE(search_query, NULL);

static enum status find(struct api_call *call)
{
    const struct search_query *query = call->query;
    const struct search_wish wish = {.account = call->caller->user.id,
                                     .text = query->q != NULL ? query->q : "",
                                     .kind = query->kind,
                                     .space = query->space,
                                     .from = query->from,
                                     .has = query->has,
                                     .after = query->after,
                                     .before = query->before,
                                     .order = query->order,
                                     .cursor = query->cursor,
                                     .limit = query->limit};
    struct search_page *page = api_result(call, sizeof *page);
    if (page == NULL)
        return STATUS_NO_MEMORY;
    enum status status = search_run(call->api->db, &wish, call->arena, page);
    if (status == STATUS_INVALID)
        call->error = "q has no word to look for or too many, or the cursor is none";
    return status;
}

static const struct api_route routes[] = {
    {.method = "GET",
     .pattern = "/api/v1/search",
     .who = API_USER,
     .run = find,
     .query = &search_query_table,
     .result = &search_page_table,
     .doc = "Looks through the messages, files and people of one's spaces."},
};

const struct api_table api_search = API_TABLE(routes);
