#include "signalling/http/request.h"

#include "core/crypto.h"
#include "core/log.h"
#include "signalling/http/conn.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* "Application/SDP; charset=x" -> "application/sdp", in the arena. */
static const char *media_type(struct arena *arena, const char *value)
{
    size_t length = strcspn(value, "; \t");
    char *type = arena_strndup(arena, value, length);
    if (type == NULL)
        return "";
    for (char *at = type; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return type;
}

static void view_fill(struct request *request, const struct request_scene *scene)
{
    struct http_request *view = &request->view;
    const struct head *head = &request->head;
    const char *type = head_get(head, "content-type");
    *view = (struct http_request){
        .method = strcmp(head->method, "HEAD") == 0 ? "GET" : head->method,
        .path = head->path,
        .query = head->query,
        .body = "",
        .content_length = head->content_length,
        .content_type = type != NULL ? media_type(request->arena, type) : "",
        .authorization = or_empty(head_get(head, "authorization")),
        .if_match = or_empty(head_get(head, "if-match")),
        .host = head->host,
        .id = scene->id,
        .loopback = scene->loopback,
        .secure = scene->secure,
        .head = head,
        .arena = request->arena,
    };
    snprintf(view->address, sizeof view->address, "%s", scene->address);
}

enum status request_new(struct http *http, const char *head, size_t length,
                        const struct request_scene *scene, struct request **ret_request,
                        struct refusal *ret_refusal)
{
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return STATUS_NO_MEMORY;
    request->http = http;
    enum status status = arena_new(REQUEST_ARENA_MAX, &request->arena);
    if (status != STATUS_OK)
        goto out;
    char *copy = arena_alloc(request->arena, length + 1);
    status = STATUS_NO_MEMORY;
    if (copy == NULL)
        goto out;
    memcpy(copy, head, length);
    status = head_parse(copy, length, &request->head, ret_refusal);
    if (status != STATUS_OK)
        goto out;
    view_fill(request, scene);
    *ret_request = request;
    return STATUS_OK;
out:
    request_free(request);
    return status;
}

struct request *request_free(struct request *request)
{
    if (request == NULL)
        return NULL;
    buffer_clear(&request->body);
    arena_free(request->arena);
    free(request);
    return NULL;
}

/* True for names that no DNS answer can point elsewhere: a page of a foreign name that was
 * bound to 127.0.0.1 afterwards is not "the host itself" (DNS rebinding). */
static bool host_is_loopback(const char *host)
{
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    static const char *const names[] = {"localhost", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && strncmp(host, names[i], length) == 0)
            return true;
    if (length > 10 && strncmp(host + length - 10, ".localhost", 10) == 0)
        return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length;
}

/* "https://a" and "https://a:443" are one origin; `port` is the scheme's own ":443". */
static bool authority_same(const char *left, const char *right, const char *port)
{
    size_t left_length = strlen(left), right_length = strlen(right), port_length = strlen(port);
    if (left_length > port_length && strcmp(left + left_length - port_length, port) == 0)
        left_length -= port_length;
    if (right_length > port_length && strcmp(right + right_length - port_length, port) == 0)
        right_length -= port_length;
    return left_length == right_length && strncasecmp(left, right, left_length) == 0;
}

bool request_origin_ok(const struct request *request, const char **ret_foreign)
{
    const struct http_request *view = &request->view;
    const char *origin = head_get(&request->head, "origin");
    *ret_foreign = NULL;
    if (origin == NULL)
        return true;
    const char *scheme = view->secure ? "https://" : "http://";
    size_t length = strlen(scheme);
    if (strncasecmp(origin, scheme, length) == 0 &&
        authority_same(origin + length, view->host, view->secure ? ":443" : ":80") &&
        (view->secure || host_is_loopback(view->host)))
        return true;
    const struct http_config *config = &request->http->config;
    for (size_t i = 0; i < config->origin_count; i++) {
        if (strcasecmp(origin, config->origins[i]) == 0) {
            *ret_foreign = config->origins[i];
            return true;
        }
    }
    /* Reading is free to all: without our permission the page cannot see the answer. */
    return strcmp(view->method, "GET") == 0 && !request->head.upgrade_websocket;
}

/* Matches "/whip/{meeting}" against a path; the captured segments become params. */
static bool pattern_match(const char *pattern, const char *path, struct http_request *view)
{
    size_t params = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (length == 0 || params == HTTP_PARAMS_MAX)
            return false;
        view->params[params] = arena_strndup(view->arena, path, length);
        if (view->params[params++] == NULL)
            return false;
        path += length;
        pattern += strcspn(pattern, "}");
        pattern += *pattern == '}';
    }
    return *path == '\0';
}

enum status request_route(struct request *request, char ret_allow[REQUEST_ALLOW_MAX])
{
    struct http_request *view = &request->view;
    const struct http *http = request->http;
    size_t used = 0;
    ret_allow[0] = '\0';
    for (size_t i = 0; i < http->route_count; i++) {
        const struct http_route *route = &http->routes[i];
        memset(view->params, 0, sizeof view->params);
        if (!pattern_match(route->pattern, view->path, view))
            continue;
        if (strcmp(route->method, view->method) == 0) {
            request->route = route;
            return STATUS_OK;
        }
        int added = snprintf(ret_allow + used, REQUEST_ALLOW_MAX - used, "%s%s",
                             used > 0 ? ", " : "", route->method);
        if (added > 0 && (size_t)added < REQUEST_ALLOW_MAX - used)
            used += (size_t)added;
    }
    ret_allow[used] = '\0';
    return used > 0 ? STATUS_UNSUPPORTED : STATUS_NOT_FOUND;
}

/* Request pool. */
static void request_run(void *arg)
{
    struct request *request = arg;
    struct mailbox *mailbox = request->http->mailbox;
    request->route->handler(request->route->context, &request->view, &request->reply);
    /* There is room for a letter of each exchange; memory may come back in a moment. */
    while (mailbox_post(mailbox, conn_replied, request) != STATUS_OK) {
        struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
        nanosleep(&pause, NULL);
    }
}

enum status request_submit(struct request *request)
{
    struct http *http = request->http;
    if (http->exchange_count >= http->limits.exchanges_max)
        return STATUS_LIMIT;
    enum status status = buffer_append(&request->body, "", 1);
    if (status != STATUS_OK)
        return status;
    request->view.body = buffer_front(&request->body);
    request->view.body_length = buffer_length(&request->body) - 1;
    status = crew_submit(http->config.crew, request_run, request);
    if (status == STATUS_OK)
        http->exchange_count++;
    return status;
}
