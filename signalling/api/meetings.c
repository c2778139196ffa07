/*
 * signalling/api/meetings.c - meetings over REST.
 */
#include "core/clock.h"
#include "core/fields.h"
#include "modules/meetings/statistics.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

/* ---- POST /meetings ---- */

struct meeting_wish {
    const char *id, *title;
    bool lobby;
};

static const struct json_field meeting_wish_fields[] = {
    TEXT(meeting_wish, id, 1, REGISTRY_ID_MAX, false,
         "chosen name for the link; absent: 96 random bits"),
    TEXT(meeting_wish, title, 0, REGISTRY_TITLE_MAX, false, NULL),
    BOOL(meeting_wish, lobby, "hosts let people in"),
};

static TABLE(meeting_wish, NULL);

struct meeting_created {
    const char *id, *link, *token;
};

static const struct json_field meeting_created_fields[] = {
    TEXT(meeting_created, id, 1, REGISTRY_ID_MAX, true, NULL),
    TEXT(meeting_created, link, 1, REGISTRY_ID_MAX + 3, true, "path of its page"),
    TEXT(meeting_created, token, 1, CRYPTO_TOKEN_CHARS, true,
         "the host token, here for the only time"),
};

static TABLE(meeting_created, NULL);

static enum status create_meeting(struct api_call *call)
{
    const struct meeting_wish *wish = call->body;
    struct registry_meeting_new meeting = {
        .id = wish->id, .title = wish->title, .lobby = wish->lobby};
    struct registry_meeting_created created;
    if (!adhoc_allows(call->api->adhoc, call->request->loopback, call->caller != NULL))
        return STATUS_DENIED;
    enum status status = registry_create(call->api->db, &meeting, clock_wall_ms(), &created);
    if (status != STATUS_OK)
        return status;
    struct meeting_created *result = arena_alloc(call->arena, sizeof *result);
    if (result == NULL)
        return STATUS_NO_MEMORY;
    *result = (struct meeting_created){.id = arena_strdup(call->arena, created.id),
                                       .link = arena_printf(call->arena, "/m/%s", created.id),
                                       .token = arena_strdup(call->arena, created.token)};
    call->result = result;
    return result->id && result->link && result->token ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- of a space ---- */

struct space_meeting_wish {
    const char *title;
    bool open;
};

static const struct json_field space_meeting_wish_fields[] = {
    TEXT(space_meeting_wish, title, 0, REGISTRY_TITLE_MAX, false, NULL),
    BOOL(space_meeting_wish, open, "guests who have the link need not wait in the lobby"),
};

static TABLE(space_meeting_wish, NULL);

static enum status start_meeting(struct api_call *call)
{
    const struct space_meeting_wish *wish = call->body;
    const struct registry_meeting_new meeting = {.title = wish->title,
                                                 .lobby = !wish->open,
                                                 .space = call->space,
                                                 .account = call->caller->user.id};
    struct registry_meeting_created created;
    enum status status = registry_create(call->api->db, &meeting, clock_wall_ms(), &created);
    struct meeting_created *result = api_result(call, sizeof *result);
    if (status == STATUS_OK && result == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    *result = (struct meeting_created){.id = arena_strdup(call->arena, created.id),
                                       .link = arena_printf(call->arena, "/m/%s", created.id),
                                       .token = arena_strdup(call->arena, created.token)};
    return result->id && result->link && result->token ? STATUS_OK : STATUS_NO_MEMORY;
}

struct meeting_open {
    const char *id, *link, *title;
    int64_t participants, created;
};

static const struct json_field meeting_open_fields[] = {
    TEXT(meeting_open, id, 1, REGISTRY_ID_MAX, true, NULL),
    TEXT(meeting_open, link, 1, REGISTRY_ID_MAX + 3, true, "path of its page"),
    TEXT(meeting_open, title, 0, REGISTRY_TITLE_MAX, true, NULL),
    INT(meeting_open, participants, 0, REGISTRY_PARTICIPANTS_MAX, true, "in it now"),
    INT(meeting_open, created, 0, INT64_MAX, true, "ms since 1970"),
};

static TABLE(meeting_open, NULL);

struct meetings_open {
    struct json_list items; /* struct meeting_open */
};

static const struct json_field meetings_open_fields[] = {
    LIST(meetings_open, items, &meeting_open_table, REGISTRY_OPEN_MAX, true, "newest first"),
};

static TABLE(meetings_open, NULL);

static enum status list_meetings(struct api_call *call)
{
    struct json_list found = {0};
    struct meetings_open *result = api_result(call, sizeof *result);
    enum status status =
        registry_of_space(call->api->db, call->space, call->caller->user.id, call->arena, &found);
    if (status != STATUS_OK)
        return status;
    const struct registry_meeting *from = found.items;
    struct meeting_open *items = arena_alloc(call->arena, (found.count + 1) * sizeof *items);
    if (result == NULL || items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < found.count; i++) {
        items[i] =
            (struct meeting_open){.id = from[i].id,
                                  .link = arena_printf(call->arena, "/m/%s", from[i].id),
                                  .title = from[i].title,
                                  .participants = meetings_count(call->api->meetings, from[i].id),
                                  .created = from[i].created};
        if (items[i].link == NULL)
            return STATUS_NO_MEMORY;
    }
    result->items = (struct json_list){.items = items, .count = found.count};
    return STATUS_OK;
}

/* ---- GET /meetings/{id} ---- */

struct meeting_shown {
    const char *id, *title;
    bool locked, lobby;
    int64_t participants;
};

static const struct json_field meeting_shown_fields[] = {
    TEXT(meeting_shown, id, 1, REGISTRY_ID_MAX, true, NULL),
    TEXT(meeting_shown, title, 0, REGISTRY_TITLE_MAX, true, NULL),
    BOOL(meeting_shown, locked, NULL),
    BOOL(meeting_shown, lobby, NULL),
    INT(meeting_shown, participants, 0, REGISTRY_PARTICIPANTS_MAX, true, "in it now"),
};

static TABLE(meeting_shown, NULL);

static enum status show_meeting(struct api_call *call)
{
    struct registry_meeting meeting;
    enum status status =
        registry_find(call->api->db, call->request->params[0], call->arena, &meeting);
    if (status == STATUS_OK && meeting.ended != 0)
        return STATUS_CLOSED;
    if (status != STATUS_OK)
        return status == STATUS_INVALID ? STATUS_NOT_FOUND : status;
    struct meeting_shown *result = arena_alloc(call->arena, sizeof *result);
    if (result == NULL)
        return STATUS_NO_MEMORY;
    *result =
        (struct meeting_shown){.id = meeting.id,
                               .title = meeting.title,
                               .locked = meeting.locked,
                               .lobby = meeting.lobby,
                               .participants = meetings_count(call->api->meetings, meeting.id)};
    call->result = result;
    return STATUS_OK;
}

/* ---- GET /meetings/{id}/stats ---- */

struct statistics_query {
    const char *after;
};

static const struct json_field statistics_query_fields[] = {
    TEXT(statistics_query, after, 0, REGISTRY_ID_MAX, false, "go on after this participant"),
};

static TABLE(statistics_query, NULL);

static enum status show_statistics(struct api_call *call)
{
    const struct statistics_query *query = call->query;
    struct msg_statistics *statistics = arena_alloc(call->arena, sizeof *statistics);
    if (statistics == NULL)
        return STATUS_NO_MEMORY;
    call->result = statistics;
    return meetings_statistics(call->api->meetings, call->request->params[0], query->after,
                               call->arena, statistics);
}

static const struct api_route routes[] = {
    {.method = "POST",
     .pattern = "/api/v1/meetings",
     .run = create_meeting,
     .body = &meeting_wish_table,
     .result = &meeting_created_table,
     .status = 201,
     .doc = "Opens a meeting. 403 unless `meetings.adhoc` allows it; 409 when the id is taken."},
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/meetings",
     .who = API_MEMBER,
     .right = SPACES_MEET,
     .run = start_meeting,
     .body = &space_meeting_wish_table,
     .result = &meeting_created_table,
     .status = 201,
     .doc = "Starts a meeting of the space. Its owners join as hosts, editors as co-hosts."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/meetings",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = list_meetings,
     .result = &meetings_open_table,
     .doc = "Those that have not ended."},
    {.method = "GET",
     .pattern = "/api/v1/meetings/{id}",
     .run = show_meeting,
     .result = &meeting_shown_table,
     .doc = "What whoever has its link may know of a meeting. 410 when it has ended."},
    {.method = "GET",
     .pattern = "/api/v1/meetings/{id}/stats",
     .who = API_HOST,
     .run = show_statistics,
     .query = &statistics_query_table,
     .result = &msg_statistics_table,
     .doc = "How everybody's media flow, some participants at a time."},
};

const struct api_table api_meetings = API_TABLE(routes);
