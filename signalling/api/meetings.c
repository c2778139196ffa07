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
    struct registry_meeting_new meeting = {wish->id, wish->title, wish->lobby};
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
