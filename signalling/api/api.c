#include "signalling/api/api.h"

#include "core/clock.h"
#include "modules/meetings/statistics.h"
#include "signalling/http/problem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { API_BODY_MAX = 4096 };

/* ---- meetings ---- */

struct meeting_wish {
    const char *id, *title;
    bool lobby;
};

static const struct json_field meeting_wish_fields[] = {
    {.name = "id",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct meeting_wish, id),
     .min = 1,
     .max = REGISTRY_ID_MAX,
     .doc = "chosen name for the link; absent: 96 random bits"},
    {.name = "title",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct meeting_wish, title),
     .max = REGISTRY_TITLE_MAX},
    {.name = "lobby", .kind = JSON_FIELD_BOOL, .offset = offsetof(struct meeting_wish, lobby)},
};

static const struct json_table meeting_wish_table = {.name = "meeting",
                                                     .size = sizeof(struct meeting_wish),
                                                     .fields = meeting_wish_fields,
                                                     .field_count = 3};

static void create_meeting(void *context, const struct http_request *request,
                           struct http_reply *reply)
{
    struct api *api = context;
    struct json *json = NULL;
    struct json_error error = {""};
    struct meeting_wish wish = {0};
    struct registry_meeting_created created;
    enum status status = adhoc_allows(api->adhoc, request->loopback) ? STATUS_OK : STATUS_DENIED;
    if (status == STATUS_OK && request->body_length > 0)
        status = json_parse(request->body, request->body_length, &json, &error);
    if (status == STATUS_OK)
        status = json_decode(&meeting_wish_table, json, request->arena, &wish, &error);
    if (status == STATUS_OK) {
        struct registry_meeting_new meeting = {wish.id, wish.title, wish.lobby};
        status = registry_create(api->db, &meeting, clock_wall_ms(), &created);
    }
    json_free(json);
    if (status != STATUS_OK) {
        http_problem_status(request, reply, status,
                            error.text[0] != '\0' ? arena_strdup(request->arena, error.text)
                                                  : NULL);
        return;
    }
    http_reply_json(reply, 201,
                    arena_printf(request->arena,
                                 "{\"id\":\"%s\",\"link\":\"/m/%s\",\"token\":\"%s\"}", created.id,
                                 created.id, created.token));
}

static void show_meeting(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    struct api *api = context;
    struct registry_meeting meeting;
    enum status status = registry_find(api->db, request->params[0], request->arena, &meeting);
    if (status == STATUS_OK && meeting.ended != 0)
        status = STATUS_CLOSED;
    if (status != STATUS_OK) {
        http_problem_status(request, reply, status == STATUS_INVALID ? STATUS_NOT_FOUND : status,
                            NULL);
        return;
    }
    http_reply_json(reply, 200,
                    arena_printf(request->arena,
                                 "{\"id\":\"%s\",\"title\":%s,\"locked\":%s,\"lobby\":%s,"
                                 "\"participants\":%u}",
                                 meeting.id, json_quote(meeting.title, request->arena),
                                 meeting.locked ? "true" : "false",
                                 meeting.lobby ? "true" : "false",
                                 meetings_count(api->meetings, meeting.id)));
}

/* Hosts and co-hosts by their participant's token, or whoever holds the host token. */
static enum status host_check(struct api *api, const struct http_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *meeting = request->params[0];
    if (strncasecmp(request->authorization, scheme, sizeof scheme - 1) != 0)
        return STATUS_DENIED;
    const char *token = request->authorization + sizeof scheme - 1;
    enum status status = registry_host_check(api->db, meeting, token);
    if (status != STATUS_DENIED)
        return status;
    struct registry_participant participant;
    status = registry_participant_by_token(api->db, meeting, token, request->arena, &participant);
    if (status == STATUS_OK &&
        (participant.removed || !participant.admitted || participant.role == REGISTRY_PARTICIPANT))
        status = STATUS_DENIED;
    return status;
}

/* To others it does not exist: who is no host learns nothing, not even of the meeting. */
static void show_statistics(void *context, const struct http_request *request,
                            struct http_reply *reply)
{
    struct api *api = context;
    struct msg_statistics statistics;
    const char *json = NULL;
    enum status status = host_check(api, request);
    if (status == STATUS_DENIED || status == STATUS_INVALID)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = meetings_statistics(api->meetings, request->params[0],
                                     http_query(request, "after"), request->arena, &statistics);
    if (status == STATUS_OK) {
        json = json_encode(&msg_statistics_table, &statistics, request->arena);
        status = json != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        http_reply_json(reply, 200, json);
    else
        http_problem_status(request, reply, status, NULL);
}

static void show_info(void *context, const struct http_request *request, struct http_reply *reply)
{
    const struct api *api = context;
    bool may_create = adhoc_allows(api->adhoc, request->loopback);
    http_reply_json(reply, 200,
                    arena_printf(request->arena,
                                 "{\"version\":\"%s\",\"meetings\":{\"adhoc\":%s},\"voices\":%u,"
                                 "\"tiles\":%d}",
                                 PARLEY_VERSION, may_create ? "true" : "false", api->voices,
                                 MEETING_TILES_MAX));
}

/* ---- the operator's ---- */

static void text_reply(struct http_reply *reply, int status, const char *text)
{
    reply->status = status;
    reply->content_type = "text/plain; charset=utf-8";
    reply->body = text;
    reply->body_length = strlen(text);
}

static void show_health(void *context, const struct http_request *request, struct http_reply *reply)
{
    (void)context, (void)request;
    text_reply(reply, 200, "ok\n");
}

static enum status probe_read(struct db_session *session, void *arg)
{
    (void)arg;
    struct db_statement *statement = db_prepare(session, "SELECT 1");
    return db_step(statement);
}

static void show_ready(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct api *api = context;
    (void)request;
    if (!atomic_load(&api->ready))
        text_reply(reply, 503, "going down\n");
    else if (db_read(api->db, probe_read, NULL) != STATUS_OK)
        text_reply(reply, 503, "the database does not answer\n");
    else
        text_reply(reply, 200, "ready\n");
}

static void show_metrics(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    const struct api *api = context;
    char *text = metrics_print(api->metrics);
    char *copy = text != NULL ? arena_strdup(request->arena, text) : NULL;
    free(text);
    if (copy == NULL) {
        http_problem_status(request, reply, STATUS_NO_MEMORY, NULL);
        return;
    }
    text_reply(reply, 200, copy);
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}

enum status api_routes(struct http *http, struct api *api)
{
    const struct http_route routes[] = {
        {"POST", "/api/v1/meetings", create_meeting, api, API_BODY_MAX},
        {"GET", "/api/v1/meetings/{id}", show_meeting, api, 0},
        {"GET", "/api/v1/meetings/{id}/stats", show_statistics, api, 0},
        {"GET", "/api/v1/info", show_info, api, 0},
        {"GET", "/healthz", show_health, api, 0},
        {"GET", "/readyz", show_ready, api, 0},
        {"GET", "/metrics", show_metrics, api, 0},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof routes / sizeof routes[0]; i++)
        status = http_route_add(http, &routes[i]);
    return status;
}
