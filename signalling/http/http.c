/*
 * signalling/http/http.c - the edge thread's life: made, fed with routes, started,
 * drained, ended (docs/design/edge.md).
 */
#include "signalling/http/http.h"

#include "core/log.h"
#include "signalling/http/certificate.h"
#include "signalling/http/conn.h"
#include "signalling/http/gate.h"
#include "signalling/http/websocket.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WS_GOING_AWAY = 1001 }; /* RFC 6455 7.4.1 */

static const struct edge_limits limits_default = {
    .first_ms = 10000,
    .head_ms = 10000,
    .idle_ms = 60000,
    .transfer_ms = 30000,
    .transfer_bytes = 8192,
    .stall_ms = 30000,
    .linger_ms = 2000,
    .farewell_ms = 1000,
    .connections_max = EDGE_CONNECTIONS_MAX,
    .exchanges_max = EDGE_EXCHANGES_MAX,
    .transfers_max = EDGE_TRANSFERS_MAX,
};

/* Replaces a text of the caller by our own copy; false without memory. */
static bool keep_text(const char **text)
{
    if (*text == NULL)
        return true;
    *text = strdup(*text);
    return *text != NULL;
}

static void drop_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static enum status config_keep(struct http *http, const struct http_config *config)
{
    struct http_config *own = &http->config;
    *own = *config;
    own->origins = NULL;
    own->origin_count = 0;
    own->web = NULL; /* read once, by http_new */
    bool kept = keep_text(&own->certificate);
    kept = keep_text(&own->key) && kept;
    kept = keep_text(&own->directory) && kept;
    const char **origins = calloc(config->origin_count + 1, sizeof *origins);
    own->origins = origins;
    for (size_t i = 0; i < config->origin_count && origins != NULL; i++) {
        origins[i] = strdup(config->origins[i]);
        kept = origins[i] != NULL && kept;
        own->origin_count++;
    }
    return kept && origins != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void config_drop(struct http_config *config)
{
    drop_text(config->certificate);
    drop_text(config->key);
    drop_text(config->directory);
    for (size_t i = 0; i < config->origin_count; i++)
        drop_text(config->origins[i]);
    free((void *)(uintptr_t)config->origins);
}

static void metrics_register(struct http *http)
{
    struct metrics *metrics = http->config.metrics;
    if (metrics == NULL)
        return;
    http->requests = metrics_counter(metrics, "parley_http_requests_total", "",
                                     "Requests whose head was whole.");
    http->refusals = metrics_counter(metrics, "parley_http_refusals_total", "",
                                     "Connections and requests refused by the edge itself.");
    http->connections =
        metrics_gauge(metrics, "parley_http_connections", "", "Connections open now.");
    http->sockets = metrics_gauge(metrics, "parley_http_websockets", "", "Websockets open now.");
}

static enum status assets_begin(struct http *http, const char *folder, char ret_error[256])
{
    enum status status = assets_load(folder, &http->assets);
    if (status != STATUS_OK)
        snprintf(ret_error, 256, "http.web: %.200s: %s", folder, status_text(status));
    return status;
}

enum status http_new(const struct http_config *config, struct http **ret_http, char ret_error[256])
{
    snprintf(ret_error, 256, "%s", status_text(STATUS_NO_MEMORY));
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return STATUS_NO_MEMORY;
    http->limits = limits_default;
    enum status status = config_keep(http, config);
    if (status == STATUS_OK)
        status = mailbox_new(EDGE_LETTERS_MAX, &http->mailbox);
    const struct visitors_config visitors = {.connections_per_address =
                                                 config->connections_per_address,
                                             .requests_per_minute = config->requests_per_minute};
    if (status == STATUS_OK)
        status = visitors_new(&visitors, &http->visitors);
    if (status == STATUS_OK)
        status = assets_begin(http, config->web, ret_error);
    if (status == STATUS_OK && config->https)
        status = certificate_context(http->config.certificate, http->config.key,
                                     http->config.directory, &http->tls, ret_error, 256);
    if (status == STATUS_OK)
        status = gate_open(http, ret_error, 256);
    if (status == STATUS_OK) {
        http->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOSIGMASK | EVFLAG_NOENV);
        status = http->loop != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        http_free(http);
        return status;
    }
    metrics_register(http);
    ret_error[0] = '\0';
    *ret_http = http;
    return STATUS_OK;
}

enum status http_route_add(struct http *http, const struct http_route *route)
{
    if (http->route_count == EDGE_ROUTES_MAX)
        return STATUS_LIMIT;
    if (route->pattern[0] != '/' || route->handler == NULL ||
        (route->body_max > HTTP_BODY_MAX && route->body_max != HTTP_STREAMED))
        return STATUS_INVALID;
    http->routes[http->route_count++] = *route;
    return STATUS_OK;
}

const struct http_route *http_routes(const struct http *http, size_t *ret_count)
{
    *ret_count = http->route_count;
    return http->routes;
}

void http_websocket(struct http *http, const char *path, const struct http_ws_ops *ops,
                    void *context)
{
    http->ws_path = path;
    http->ws_ops = ops;
    http->ws_context = context;
}

static void mail_ready(struct ev_loop *loop, struct ev_io *io, int events)
{
    (void)loop;
    (void)events;
    struct http *http = io->data;
    mailbox_drain(http->mailbox);
}

/* Websockets had their time to end in order. */
static void farewell_over(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

/* Looks every turn whether all are gone, while the server ends. */
static void farewell_check(struct ev_loop *loop, struct ev_prepare *prepare, int events)
{
    (void)events;
    const struct http *http = prepare->data;
    if (http->stopping && http->conn_count == 0)
        ev_break(loop, EVBREAK_ALL);
}

static void *edge_main(void *arg)
{
    struct http *http = arg;
    sigset_t all;
    sigfillset(&all); /* signals are main's; a write to a closed socket is an error, not a signal */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    struct ev_prepare check;
    ev_prepare_init(&check, farewell_check);
    check.data = http;
    ev_prepare_start(http->loop, &check);
    ev_run(http->loop, 0);
    ev_prepare_stop(http->loop, &check);
    return NULL;
}

enum status http_start(struct http *http)
{
    enum status status = websockets_new(http, &http->websockets);
    if (status != STATUS_OK)
        return status;
    ev_io_init(&http->mail, mail_ready, mailbox_fd(http->mailbox), EV_READ);
    http->mail.data = http;
    ev_io_start(http->loop, &http->mail);
    ev_init(&http->farewell, farewell_over);
    gate_start(http);
    if (pthread_create(&http->thread, NULL, edge_main, http) != 0)
        return STATUS_NO_MEMORY;
    http->started = true;
    return STATUS_OK;
}

struct reload {
    struct http *http;
    SSL_CTX *tls;
};

static void reload_take(void *arg)
{
    struct reload *reload = arg;
    /* Connections hold the old one as long as they need it. */
    SSL_CTX_free(reload->http->tls);
    reload->http->tls = reload->tls;
    free(reload);
}

enum status http_reload(struct http *http)
{
    char error[256] = "";
    if (!http->config.https)
        return STATUS_OK;
    struct reload *reload = calloc(1, sizeof *reload);
    if (reload == NULL)
        return STATUS_NO_MEMORY;
    reload->http = http;
    enum status status =
        certificate_context(http->config.certificate, http->config.key, http->config.directory,
                            &reload->tls, error, sizeof error);
    if (status == STATUS_OK && http->started) {
        status = mailbox_post(http->mailbox, reload_take, reload);
        if (status != STATUS_OK)
            SSL_CTX_free(reload->tls);
    } else if (status == STATUS_OK) {
        reload_take(reload);
        return STATUS_OK;
    } else {
        char quoted[300];
        log_event(LOG_HTTP, LOG_ERROR, "certificate_refused", "reason=%s",
                  log_quote(quoted, sizeof quoted, error));
        status = STATUS_INVALID;
    }
    if (status != STATUS_OK)
        free(reload);
    return status;
}

static void drain_take(void *arg)
{
    struct http *http = arg;
    http->draining = true;
    gate_close(http);
}

void http_drain(struct http *http)
{
    if (http->started && mailbox_post(http->mailbox, drain_take, http) != STATUS_OK)
        log_event(LOG_HTTP, LOG_WARN, "drain_failed", "%s", "");
}

/* Ends plain connections at once; websockets hear 1001 and have a moment to go. */
static void stop_take(void *arg)
{
    struct http *http = arg;
    drain_take(http);
    http->stopping = true;
    for (struct conn *conn = http->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->pump != NULL)
            http_ws_close(conn->pump->ws, WS_GOING_AWAY);
        else if (conn->state != CONN_LINGER && conn->link.fd >= 0)
            conn_close(conn);
    }
    ev_timer_set(&http->farewell, http->limits.farewell_ms / 1000.0, 0.);
    ev_timer_start(http->loop, &http->farewell);
}

/* Requests whose handler still runs come home before memory goes. */
static void await_handlers(struct http *http)
{
    struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
    while (http->exchange_count > 0) {
        mailbox_drain(http->mailbox);
        if (http->exchange_count > 0)
            nanosleep(&pause, NULL);
    }
}

static void edge_end(struct http *http)
{
    struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
    while (mailbox_post(http->mailbox, stop_take, http) == STATUS_NO_MEMORY)
        nanosleep(&pause, NULL);
    pthread_join(http->thread, NULL);
    /* From here on this thread is the edge thread. */
    for (struct conn *conn = http->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->link.fd >= 0)
            conn_close(conn);
    }
    await_handlers(http);
}

struct http *http_free(struct http *http)
{
    if (http == NULL)
        return NULL;
    if (http->started)
        edge_end(http);
    gate_close(http);
    websockets_free(http->websockets);
    if (http->mailbox != NULL)
        mailbox_drain(http->mailbox);
    mailbox_free(http->mailbox);
    if (http->loop != NULL)
        ev_loop_destroy(http->loop);
    SSL_CTX_free(http->tls);
    assets_free(http->assets);
    visitors_free(http->visitors);
    config_drop(&http->config);
    free(http);
    return NULL;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

uint16_t https_port(const struct http *http)
{
    return http->secure_port;
}
