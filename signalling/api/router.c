/*
 * signalling/api/router.c - from a row of route.h to an answer: may they, is it well formed,
 * run it, encode what came of it.
 */
#include "modules/meetings/registry.h"
#include "modules/spaces/files.h"
#include "modules/spaces/spaces.h"
#include "signalling/api/api.h"
#include "signalling/api/callers.h"
#include "signalling/api/route.h"
#include "signalling/http/problem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct api_table *const tables[] = {
    &api_accounts,  &api_confirmations, &api_factors,  &api_profile, &api_meetings, &api_spaces,
    &api_messages,  &api_files,         &api_contents, &api_uploads, &api_quotas,   &api_shares,
    &api_scheduled, &api_search,        &api_phones,   &api_guests,  &api_push,     &api_operator};

const struct api_route *api_route_at(size_t index)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (index < tables[i]->count)
            return &tables[i]->routes[index];
        index -= tables[i]->count;
    }
    return NULL;
}

const char *api_who_name(enum api_who who)
{
    static const char *const names[] = {[API_ANYONE] = "anyone",
                                        [API_USER] = "user",
                                        [API_ADMIN] = "admin",
                                        [API_HOST] = "host",
                                        [API_MEMBER] = "member"};
    return names[who];
}

void *api_result(struct api_call *call, size_t size)
{
    void *result = arena_alloc(call->arena, size);
    call->result = result;
    return result;
}

enum status api_problem(struct api_call *call, int http, const char *code, const char *detail)
{
    http_problem(call->request, call->reply, http, code, detail);
    return STATUS_DENIED;
}

void api_sunk(const struct http_request *request, struct http_reply *reply, int http,
              const struct json_table *table, const void *value)
{
    const char *json = json_encode(table, value, request->arena);
    if (json != NULL)
        http_reply_json(reply, http, json);
    else
        http_problem_status(request, reply, STATUS_NO_MEMORY, NULL);
}

enum status api_wait(struct api_call *call, uint32_t wait_s)
{
    http_reply_header(call->reply, "Retry-After",
                      arena_printf(call->arena, "%u", wait_s > 0 ? wait_s : 1));
    if (wait_s == 0)
        return api_problem(call, 429, "busy", "too many passwords are being checked");
    return api_problem(call, 429, "too_many_tries", "too many failed tries: wait");
}

void api_etag(struct api_call *call, int64_t version)
{
    http_reply_header(call->reply, "ETag", arena_printf(call->arena, "\"%" PRId64 "\"", version));
}

int64_t api_version_wanted(const struct api_call *call)
{
    long long version = -1;
    char end = 0;
    const char *wanted = call->request->if_match;
    if (wanted[0] == '\0' || strcmp(wanted, "*") == 0)
        return 0;
    return sscanf(wanted, "\"%18lld%c", &version, &end) == 2 && end == '"' && version > 0 ? version
                                                                                          : -1;
}

enum status api_changed(struct api_call *call)
{
    return api_problem(call, 412, "changed", "it has changed since: read it again");
}

/* ---- who ---- */

/* Hosts and co-hosts by their participant's token, or whoever holds the host token. */
static enum status host_check(const struct api *api, const struct http_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *meeting = request->params[0];
    if (strncasecmp(request->authorization, scheme, sizeof scheme - 1) != 0)
        return STATUS_NOT_FOUND;
    const char *token = request->authorization + sizeof scheme - 1;
    enum status status = registry_host_check(api->db, meeting, token);
    if (status != STATUS_DENIED)
        return status == STATUS_INVALID ? STATUS_NOT_FOUND : status;
    struct registry_participant participant;
    status = registry_participant_by_token(api->db, meeting, token, request->arena, &participant);
    if (status == STATUS_OK &&
        (participant.removed || !participant.admitted || participant.role == REGISTRY_PARTICIPANT))
        status = STATUS_NOT_FOUND;
    return status;
}

/* A guest is nobody but where the route says that guests may. */
static enum status guest_check(struct api_call *call, const struct api_route *route,
                               struct auth_caller *ret_caller)
{
    struct spaces_guest guest;
    enum status status = caller_guest(call->api->db, call->request, &guest, &call->csrf);
    if (status != STATUS_OK)
        return status;
    if (!route->guests)
        return api_problem(call, 403, "guest", "guests may not: it needs an account");
    *ret_caller = (struct auth_caller){
        .user = {.id = guest.id, .name = guest.name, .email = "", .language = ""},
        .session = guest.id,
        .cookie = call->csrf != NULL};
    return STATUS_OK;
}

/* Sets call->caller when somebody is signed in; answers when that is asked for and not so. */
static enum status caller_check(struct api_call *call, const struct api_route *route)
{
    enum api_who who = route->who;
    struct auth_caller *caller = arena_alloc(call->arena, sizeof *caller);
    if (caller == NULL)
        return STATUS_NO_MEMORY;
    enum status status = caller_find(call->api->auth, call->request, caller, &call->csrf);
    if (status == STATUS_DENIED && who != API_ANYONE)
        status = guest_check(call, route, caller);
    if (call->reply->status != 0)
        return status;
    if (status == STATUS_OK)
        call->caller = caller;
    if (who == API_ANYONE && (status == STATUS_DENIED || status == STATUS_CORRUPT))
        return STATUS_OK;
    if (status == STATUS_CORRUPT)
        return api_problem(call, 403, "csrf", "X-CSRF-Token is missing or wrong");
    if (status == STATUS_DENIED) {
        http_reply_header(call->reply, "WWW-Authenticate", "Bearer");
        return api_problem(call, 401, "unauthorized", "sign in first");
    }
    return status == STATUS_OK && who == API_ADMIN && !caller->user.admin ? STATUS_DENIED : status;
}

static enum status who_check(struct api_call *call, const struct api_route *route)
{
    if (route->who == API_HOST)
        return host_check(call->api, call->request);
    enum status status = caller_check(call, route);
    if (status != STATUS_OK || route->who != API_MEMBER)
        return status;
    static const char files[] = "/api/v1/files/";
    const char *id = call->request->params[0];
    call->space = id;
    if (strncmp(route->pattern, files, sizeof files - 1) == 0)
        status = files_space(call->api->db, id, call->arena, &call->space);
    if (status != STATUS_OK)
        return status;
    const struct spaces_who who = {call->space, call->caller->user.id};
    return spaces_check(call->api->db, &who, route->right);
}

/* ---- what ---- */

static bool whole_number(const char *text)
{
    text += *text == '-';
    return *text != '\0' && strlen(text) <= 18 && strspn(text, "0123456789") == strlen(text) &&
           (text[0] != '0' || text[1] == '\0');
}

/* The query as JSON, so that one table and one decoder judge both; NULL without memory. A number
 * that is none stays a text, which the decoder refuses by name. */
static const char *query_json(struct api_call *call, const struct json_table *table)
{
    const char *text = "{";
    for (size_t i = 0; i < table->field_count && text != NULL; i++) {
        const struct json_field *field = &table->fields[i];
        const char *value = http_query(call->request, field->name);
        if (value == NULL)
            continue;
        bool bare = (field->kind == JSON_FIELD_INT && whole_number(value)) ||
                    (field->kind == JSON_FIELD_BOOL &&
                     (strcmp(value, "true") == 0 || strcmp(value, "false") == 0));
        const char *literal = bare ? value : json_quote(value, call->arena);
        if (literal == NULL)
            return NULL;
        text = arena_printf(call->arena, "%s%s\"%s\":%s", text, text[1] != '\0' ? "," : "",
                            field->name, literal);
    }
    return text != NULL ? arena_printf(call->arena, "%s}", text) : NULL;
}

static enum status decode(struct api_call *call, const struct json_table *table, const char *text,
                          size_t length, const void **ret_value)
{
    struct json *json = NULL;
    struct json_error error = {""};
    void *value = arena_alloc(call->arena, table->size);
    enum status status = value != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK && length > 0)
        status = json_parse(text, length, &json, &error);
    if (status == STATUS_OK)
        status = json_decode(table, json, call->arena, value, &error);
    json_free(json);
    if (error.text[0] != '\0')
        call->error = arena_strdup(call->arena, error.text);
    if (status == STATUS_OK)
        *ret_value = value;
    return status;
}

static enum status decode_all(struct api_call *call, const struct api_route *route)
{
    enum status status = STATUS_OK;
    if (route->query != NULL) {
        const char *text = query_json(call, route->query);
        status = text != NULL ? decode(call, route->query, text, strlen(text), &call->query)
                              : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK && route->body != NULL)
        status =
            decode(call, route->body, call->request->body, call->request->body_length, &call->body);
    return status;
}

static void answer(struct api_call *call, const struct api_route *route)
{
    if (call->reply->sink.context != NULL)
        return;
    if (route->result == NULL) {
        if (call->reply->status == 0)
            call->reply->status = route->status;
        return;
    }
    const char *json = json_encode(route->result, call->result, call->arena);
    if (json != NULL)
        http_reply_json(call->reply, route->status != 0 ? route->status : 200, json);
    else
        http_problem_status(call->request, call->reply, STATUS_NO_MEMORY, NULL);
}

/* An http_handler; the context is the route bound to its api. */
static void route_run(void *context, const struct http_request *request, struct http_reply *reply)
{
    const struct api_bound *bound = context;
    const struct api_route *route = bound->route;
    struct api_call call = {
        .api = bound->api, .request = request, .reply = reply, .arena = request->arena};
    enum status status = who_check(&call, route);
    if (status == STATUS_OK)
        status = decode_all(&call, route);
    if (status == STATUS_OK)
        status = route->run(&call);
    if (status == STATUS_OK)
        answer(&call, route);
    else if (reply->status == 0)
        http_problem_status(request, reply, status, call.error);
}

enum status api_routes(struct http *http, struct api *api)
{
    enum status status = STATUS_OK;
    const struct api_route *route;
    for (size_t i = 0; status == STATUS_OK && (route = api_route_at(i)) != NULL; i++) {
        if (i == API_ROUTES_MAX)
            return STATUS_LIMIT;
        api->bound[i] = (struct api_bound){.api = api, .route = route};
        size_t body_max = route->body_max;
        if (body_max == 0 && route->body != NULL)
            body_max = API_BODY_MAX;
        if (route->streams)
            body_max = HTTP_STREAMED;
        const struct http_route row = {route->method, route->pattern, route_run, &api->bound[i],
                                       body_max};
        status = http_route_add(http, &row);
    }
    return status;
}
