/*
 * signalling/api/operator.c - what the server says of itself.
 */
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/callers.h"
#include "signalling/api/route.h"

#include <stdlib.h>
#include <string.h>

/* ---- GET /api/v1/info ---- */

struct info_meetings {
    bool adhoc;
};

struct info {
    const char *version, *setup;
    bool signed_in, sign_up;
    struct info_meetings meetings;
    int64_t voices, tiles;
};

static const struct json_field info_meetings_fields[] = {
    BOOL(info_meetings, adhoc, "may who asks open a meeting?"),
};

static TABLE(info_meetings, NULL);

static const struct json_field info_fields[] = {
    TEXT(info, version, 1, 32, true, NULL),
    CHOICE(info, setup, "done|here|link", true,
           "the first account: there is one; may be made from here; by the link on the console"),
    BOOL(info, signed_in, "who asks is"),
    BOOL(info, sign_up, "whoever has an address of an open domain may make an account"),
    OBJECT(info, meetings, &info_meetings_table, true, NULL),
    INT(info, voices, 1, 5, true, "speakers heard at once"),
    INT(info, tiles, 1, MEETING_TILES_MAX, true, "cameras seen at once"),
};

static TABLE(info, NULL);

static enum status show_info(struct api_call *call)
{
    struct info *info = arena_alloc(call->arena, sizeof *info);
    if (info == NULL)
        return STATUS_NO_MEMORY;
    bool has_users = true;
    enum status status = auth_has_users(call->api->auth, &has_users);
    if (status != STATUS_OK)
        return status;
    const char *open = caller_is_here(call->request) ? "here" : "link";
    *info = (struct info){
        .version = PARLEY_VERSION,
        .setup = has_users ? "done" : open,
        .signed_in = call->caller != NULL,
        .sign_up = call->api->sign_up,
        .meetings = {.adhoc = adhoc_allows(call->api->adhoc, call->request->loopback,
                                           call->caller != NULL)},
        .voices = call->api->voices,
        .tiles = MEETING_TILES_MAX,
    };
    call->result = info;
    return STATUS_OK;
}

/* ---- texts ---- */

static const char plain[] = "text/plain; charset=utf-8";
static const char exposition[] = "text/plain; version=0.0.4; charset=utf-8";

static void text_reply(struct api_call *call, int status, const char *type, const char *text)
{
    call->reply->status = status;
    call->reply->content_type = type;
    call->reply->body = text;
    call->reply->body_length = strlen(text);
}

/* Takes a text of malloc's. */
static enum status text_hand_over(struct api_call *call, const char *type, char *text)
{
    const char *copy = text != NULL ? arena_strdup(call->arena, text) : NULL;
    free(text);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    text_reply(call, 200, type, copy);
    return STATUS_OK;
}

static enum status show_health(struct api_call *call)
{
    text_reply(call, 200, plain, "ok\n");
    return STATUS_OK;
}

static enum status probe_read(struct db_session *session, void *arg)
{
    (void)arg;
    struct db_statement *statement = db_prepare(session, "SELECT 1");
    return db_step(statement);
}

static enum status show_ready(struct api_call *call)
{
    if (!atomic_load(&call->api->ready))
        text_reply(call, 503, plain, "going down\n");
    else if (db_read(call->api->db, probe_read, NULL) != STATUS_OK)
        text_reply(call, 503, plain, "the database does not answer\n");
    else
        text_reply(call, 200, plain, "ready\n");
    return STATUS_OK;
}

static enum status show_metrics(struct api_call *call)
{
    return text_hand_over(call, exposition, metrics_print(call->api->metrics));
}

static enum status show_openapi(struct api_call *call)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL)
        return STATUS_NO_MEMORY;
    enum status status = api_print_openapi(stream, call->arena);
    if (fclose(stream) != 0)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        return text_hand_over(call, "application/json", text);
    free(text);
    return status;
}

static const struct api_route routes[] = {
    {.method = "GET",
     .pattern = "/api/v1/info",
     .run = show_info,
     .result = &info_table,
     .doc = "What this server is and lets who asks do."},
    {.method = "GET",
     .pattern = "/api/openapi.json",
     .run = show_openapi,
     .type = "application/json",
     .doc = "These routes as OpenAPI 3.1."},
    {.method = "GET",
     .pattern = "/healthz",
     .run = show_health,
     .type = plain,
     .doc = "200 as long as the process answers."},
    {.method = "GET",
     .pattern = "/readyz",
     .run = show_ready,
     .type = plain,
     .doc = "200 when it takes work; 503 while it ends, or without its database."},
    {.method = "GET",
     .pattern = "/metrics",
     .run = show_metrics,
     .type = exposition,
     .doc = "Figures for Prometheus."},
};

const struct api_table api_operator = API_TABLE(routes);
