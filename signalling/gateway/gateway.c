/*
 * signalling/gateway/gateway.c - sockets and the table of sessions: what a websocket says
 * is read in order on the socket's strand and goes to its session.
 */
#include "signalling/gateway/gateway.h"

#include "core/clock.h"
#include "core/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A frame that waits to be read. */
struct inbound {
    struct gateway_socket *socket;
    size_t length;
    char text[];
};

/* ---- sockets ---- */

static void socket_unref(struct gateway_socket *socket)
{
    if (atomic_fetch_sub(&socket->references, 1) != 1)
        return;
    struct gateway *gateway = socket->gateway;
    http_ws_unref(socket->ws);
    free(socket);
    lock_take(&gateway->lock);
    gateway->socket_count--;
    lock_give(&gateway->lock);
}

void gateway_socket_send(struct gateway_socket *socket, const char *text)
{
    lock_take(&socket->gateway->lock);
    if (!socket->closed && http_ws_send(socket->ws, text, strlen(text)) != STATUS_OK)
        http_ws_close(socket->ws, GATEWAY_CLOSE_INTERNAL);
    lock_give(&socket->gateway->lock);
}

static void socket_close(struct gateway_socket *socket, uint16_t code)
{
    lock_take(&socket->gateway->lock);
    if (!socket->closed)
        http_ws_close(socket->ws, code);
    lock_give(&socket->gateway->lock);
}

/* Its session with a reference, or NULL. */
static struct gateway_session *socket_session(struct gateway_socket *socket)
{
    lock_take(&socket->gateway->lock);
    struct gateway_session *session = socket->session;
    if (session != NULL)
        gateway_session_ref(session);
    lock_give(&socket->gateway->lock);
    return session;
}

static void socket_invalid(struct gateway_socket *socket, const char *reason, const char *code)
{
    char text[128];
    snprintf(text, sizeof text, "{\"op\":\"invalid\",\"d\":{\"reason\":\"%s\"%s%s%s}}", reason,
             code != NULL ? ",\"code\":\"" : "", code != NULL ? code : "",
             code != NULL ? "\"" : "");
    gateway_socket_send(socket, text);
}

/* An error of a frame: a reply in the session, or one without number where there is none. */
static void socket_refuse(struct gateway_socket *socket, uint64_t s, const char *code,
                          const char *text, const char *field)
{
    struct gateway_session *session = socket_session(socket);
    if (session != NULL) {
        gateway_reply_error(session, s, code, text, field);
        gateway_session_unref(session);
        return;
    }
    char frame[256];
    snprintf(frame, sizeof frame,
             "{\"op\":\"dispatch\",\"s\":0,\"t\":\"reply\",\"d\":{\"command\":%" PRIu64
             ",\"ok\":false,\"error\":{\"code\":\"%s\",\"text\":\"%s\"}}}",
             s, code, code);
    metric_add(socket->gateway->refused, 1);
    gateway_socket_send(socket, frame);
}

/* GATEWAY_COMMANDS_PER_SECOND over time, GATEWAY_BURST at once. */
static bool socket_in_time(struct gateway_socket *socket, uint64_t now_ms)
{
    const uint64_t full = (uint64_t)GATEWAY_BURST * 1000;
    uint64_t passed = now_ms - socket->tokens_ms;
    uint64_t tokens =
        socket->tokens + (passed < full ? passed : full) * GATEWAY_COMMANDS_PER_SECOND;
    socket->tokens_ms = now_ms;
    socket->tokens = (uint32_t)(tokens < full ? tokens : full);
    if (socket->tokens < 1000)
        return false;
    socket->tokens -= 1000;
    return true;
}

/* ---- frames, on the socket's strand ---- */

static void take_identify(struct gateway_socket *socket, struct frame *frame)
{
    struct gateway *gateway = socket->gateway;
    struct gateway_session *session = socket_session(socket);
    if (session != NULL) {
        gateway_reply_error(session, 0, "already_identified", "this socket has a session", "op");
        gateway_session_unref(session);
        return;
    }
    lock_take(&gateway->lock);
    bool draining = gateway->draining;
    uint32_t after_ms = gateway->after_ms;
    lock_give(&gateway->lock);
    if (draining) {
        char text[64];
        snprintf(text, sizeof text, "{\"op\":\"reconnect\",\"d\":{\"after_ms\":%" PRIu32 "}}",
                 after_ms);
        gateway_socket_send(socket, text);
        return;
    }
    enum status status = session_new(socket, &session);
    if (status != STATUS_OK) {
        if (status != STATUS_CLOSED)
            socket_invalid(socket, "refused", "full");
        return;
    }
    if (session_identify(session, frame) != STATUS_OK)
        gateway_end(session, "refused", "busy");
    gateway_session_unref(session);
}

/* The session of that id and secret, with a reference; NULL when there is none. */
static struct gateway_session *session_find(struct gateway *gateway, const char *id,
                                            const char *secret)
{
    lock_take(&gateway->lock);
    struct gateway_session *session = map_get(gateway->sessions, map_key_of(id));
    if (session != NULL && strcmp(session->id, id) == 0 && strlen(secret) == CRYPTO_TOKEN_CHARS &&
        crypto_equal(secret, session->secret, CRYPTO_TOKEN_CHARS))
        gateway_session_ref(session);
    else
        session = NULL;
    lock_give(&gateway->lock);
    return session;
}

static void take_resume(struct gateway_socket *socket, const struct frame *frame)
{
    struct gateway_session *session = socket_session(socket);
    if (session != NULL) {
        gateway_reply_error(session, 0, "already_identified", "this socket has a session", "op");
        gateway_session_unref(session);
        return;
    }
    const char *id = frame->d != NULL ? json_get_text(frame->d, "session") : NULL;
    const char *secret = frame->d != NULL ? json_get_text(frame->d, "secret") : NULL;
    int64_t seen = -1;
    if (id == NULL || secret == NULL || !json_get_int(frame->d, "s", &seen) || seen < 0) {
        socket_refuse(socket, 0, "bad_resume", "d: session, secret and s are needed", "d");
        return;
    }
    enum status status = STATUS_NOT_FOUND;
    session = session_find(socket->gateway, id, secret);
    if (session != NULL) {
        status = session_resume(session, socket, (uint64_t)seen);
        gateway_session_unref(session);
    }
    if (status == STATUS_OK)
        metric_add(socket->gateway->resumes, 1);
    else if (status != STATUS_CLOSED)
        socket_invalid(socket, status == STATUS_OUT_OF_WINDOW ? "overflow" : "unknown_session",
                       NULL);
}

static void take_heartbeat(struct gateway_socket *socket, const struct frame *frame)
{
    uint64_t taken = 0;
    struct gateway_session *session = socket_session(socket);
    if (session != NULL) {
        taken = session_heard(session, (uint64_t)frame->s);
        gateway_session_unref(session);
    }
    char text[64];
    snprintf(text, sizeof text, "{\"op\":\"heartbeat\",\"s\":%" PRIu64 "}", taken);
    gateway_socket_send(socket, text);
}

static void take_command(struct gateway_socket *socket, struct frame *frame)
{
    struct gateway_session *session = socket_session(socket);
    if (session == NULL) {
        socket_refuse(socket, (uint64_t)frame->s, "not_identified", "identify first", NULL);
        return;
    }
    session_command(session, frame);
    gateway_session_unref(session);
}

static void take_frame(struct gateway_socket *socket, const char *text, size_t length)
{
    struct frame frame;
    struct frame_error error;
    bool in_time = socket_in_time(socket, socket->gateway->now_ms());
    enum status status = frame_parse(text, length, &frame, &error);
    if (status == STATUS_NO_MEMORY) {
        socket_close(socket, GATEWAY_CLOSE_LATER);
        return;
    }
    if (status != STATUS_OK) {
        socket_refuse(socket, (uint64_t)error.s, error.code, error.text, error.field);
        return;
    }
    if (!in_time) {
        if (frame.op != FRAME_HEARTBEAT)
            socket_refuse(socket, (uint64_t)frame.s, "too_fast", "too many frames a second", NULL);
        frame_clear(&frame);
        return;
    }
    switch (frame.op) {
    case FRAME_IDENTIFY:
        take_identify(socket, &frame);
        break;
    case FRAME_RESUME:
        take_resume(socket, &frame);
        break;
    case FRAME_HEARTBEAT:
        take_heartbeat(socket, &frame);
        break;
    case FRAME_COMMAND:
        take_command(socket, &frame);
        break;
    }
    frame_clear(&frame);
}

static void inbound_run(void *arg)
{
    struct inbound *inbound = arg;
    struct gateway_socket *socket = inbound->socket;
    take_frame(socket, inbound->text, inbound->length);
    atomic_fetch_sub(&socket->bytes_waiting, inbound->length);
    free(inbound);
    socket_unref(socket);
}

/* ---- the websocket's calls, on the edge thread ---- */

static void socket_hello(const struct gateway_socket *socket)
{
    char text[128];
    int length = snprintf(text, sizeof text,
                          "{\"op\":\"hello\",\"d\":{\"heartbeat_ms\":%d,\"resume_ms\":%d,"
                          "\"version\":\"%s\"}}",
                          GATEWAY_HEARTBEAT_MS, GATEWAY_RESUME_MS, PARLEY_VERSION);
    if (http_ws_send(socket->ws, text, (size_t)length) != STATUS_OK)
        http_ws_close(socket->ws, GATEWAY_CLOSE_INTERNAL);
}

static void *socket_open(void *context, struct http_ws *ws, const char *address, bool loopback)
{
    struct gateway *gateway = context;
    struct gateway_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL)
        return NULL;
    if (strand_new(gateway->crew, GATEWAY_FRAMES_WAITING_MAX, &socket->strand) != STATUS_OK) {
        free(socket);
        return NULL;
    }
    uint64_t now_ms = gateway->now_ms();
    atomic_init(&socket->references, 1);
    atomic_init(&socket->heard_ms, now_ms);
    socket->gateway = gateway;
    socket->ws = http_ws_ref(ws);
    socket->opened_ms = now_ms;
    socket->tokens = GATEWAY_BURST * 1000;
    socket->tokens_ms = now_ms;
    socket->loopback = loopback;
    snprintf(socket->address, sizeof socket->address, "%s", address);
    lock_take(&gateway->lock);
    socket->next = gateway->sockets;
    if (socket->next != NULL)
        socket->next->prev = socket;
    gateway->sockets = socket;
    gateway->socket_count++;
    lock_give(&gateway->lock);
    socket_hello(socket);
    return socket;
}

static void socket_message(void *session, const char *text, size_t length)
{
    struct gateway_socket *socket = session;
    struct inbound *inbound = NULL;
    atomic_store(&socket->heard_ms, socket->gateway->now_ms());
    bool room =
        atomic_fetch_add(&socket->bytes_waiting, length) + length <= GATEWAY_BYTES_WAITING_MAX;
    if (room)
        inbound = malloc(sizeof *inbound + length);
    if (inbound != NULL) {
        inbound->socket = socket;
        inbound->length = length;
        memcpy(inbound->text, text, length);
        atomic_fetch_add(&socket->references, 1);
        if (strand_submit(socket->strand, inbound_run, inbound) == STATUS_OK)
            return;
        atomic_fetch_sub(&socket->references, 1);
        free(inbound);
    }
    /* A frame was lost: the socket ends, and a resume says from where to send again. */
    atomic_fetch_sub(&socket->bytes_waiting, length);
    http_ws_close(socket->ws, GATEWAY_CLOSE_LATER);
}

static void socket_oversized(void *session)
{
    struct gateway_socket *socket = session;
    atomic_store(&socket->heard_ms, socket->gateway->now_ms());
    socket_refuse(socket, 0, "too_large", "a frame is at most 256 KiB", NULL);
}

static void socket_closed(void *arg)
{
    struct gateway_socket *socket = arg;
    struct gateway *gateway = socket->gateway;
    lock_take(&gateway->lock);
    socket->closed = true;
    struct gateway_session *session = socket->session;
    socket->session = NULL;
    if (socket->prev != NULL)
        socket->prev->next = socket->next;
    else
        gateway->sockets = socket->next;
    if (socket->next != NULL)
        socket->next->prev = socket->prev;
    lock_give(&gateway->lock);
    if (session != NULL) {
        session_lose(session, socket);
        gateway_session_unref(session);
    }
    socket->strand = strand_free(socket->strand);
    socket_unref(socket);
}

const struct http_ws_ops gateway_ws_ops = {
    .open = socket_open,
    .message = socket_message,
    .oversized = socket_oversized,
    .closed = socket_closed,
};

/* ---- the gateway ---- */

void gateway_sweep(struct gateway *gateway)
{
    lock_take(&gateway->lock);
    uint64_t now_ms = gateway->now_ms();
    for (struct gateway_socket *socket = gateway->sockets; socket != NULL; socket = socket->next) {
        bool silent = gateway_passed(atomic_load(&socket->heard_ms), now_ms, GATEWAY_SILENCE_MS);
        bool nobody =
            !socket->identified && gateway_passed(socket->opened_ms, now_ms, GATEWAY_IDENTIFY_MS);
        if (silent || nobody)
            http_ws_close(socket->ws, GATEWAY_CLOSE_POLICY);
    }
    size_t cursor = 0;
    for (struct gateway_session *session; (session = map_next(gateway->sessions, &cursor)) != NULL;)
        session_sweep(session, now_ms);
    lock_give(&gateway->lock);
}

static void sweep_due(void *context)
{
    struct gateway *gateway = context;
    gateway_sweep(gateway);
    loop_timer_start(gateway->clock, &gateway->sweep, GATEWAY_SWEEP_MS);
}

static void *clock_main(void *arg)
{
    struct gateway *gateway = arg;
    loop_timer_start(gateway->clock, &gateway->sweep, GATEWAY_SWEEP_MS);
    loop_run(gateway->clock);
    return NULL;
}

static uint64_t mono_ms(void)
{
    return clock_mono_ns() / CLOCK_NS_PER_MS;
}

static void metrics_register(struct gateway *gateway, struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    gateway->sessions_metric = metrics_gauge(metrics, "parley_gateway_sessions", "",
                                             "Gateway sessions, online or waiting for a resume.");
    gateway->commands =
        metrics_counter(metrics, "parley_gateway_commands_total", "", "Commands taken.");
    gateway->refused = metrics_counter(metrics, "parley_gateway_refusals_total", "",
                                       "Frames and commands answered by an error.");
    gateway->resumes =
        metrics_counter(metrics, "parley_gateway_resumes_total", "", "Sessions resumed.");
    gateway->overflows = metrics_counter(metrics, "parley_gateway_overflows_total", "",
                                         "Sessions ended because their backlog was full.");
}

enum status gateway_new(const struct gateway_config *config, struct gateway **ret_gateway)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    if (gateway == NULL)
        return STATUS_NO_MEMORY;
    enum status status = lock_init(&gateway->lock);
    if (status != STATUS_OK) {
        free(gateway);
        return status;
    }
    gateway->crew = config->crew;
    gateway->ops = config->ops;
    gateway->context = config->context;
    gateway->now_ms = mono_ms;
    gateway->sweep =
        (struct loop_timer){.name = "gateway_sweep", .fn = sweep_due, .context = gateway};
    status = map_new(&gateway->sessions);
    if (status == STATUS_OK)
        status = loop_new("gateway", &gateway->clock);
    if (status == STATUS_OK) {
        metrics_register(gateway, config->metrics);
        if (pthread_create(&gateway->thread, NULL, clock_main, gateway) == 0)
            gateway->running = true;
        else
            status = STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        gateway_free(gateway);
        return status;
    }
    *ret_gateway = gateway;
    return STATUS_OK;
}

/* Ends all sessions and waits until their last call has run. */
static void gateway_empty(struct gateway *gateway)
{
    struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
    for (;;) {
        lock_take(&gateway->lock);
        size_t cursor = 0;
        for (struct gateway_session *session;
             (session = map_next(gateway->sessions, &cursor)) != NULL;) {
            gateway_end(session, NULL, NULL);
            session_sweep(session, gateway->now_ms());
        }
        bool empty = map_count(gateway->sessions) == 0 && gateway->socket_count == 0;
        lock_give(&gateway->lock);
        if (empty)
            return;
        nanosleep(&pause, NULL);
    }
}

struct gateway *gateway_free(struct gateway *gateway)
{
    if (gateway == NULL)
        return NULL;
    if (gateway->running) {
        loop_stop(gateway->clock);
        pthread_join(gateway->thread, NULL);
        gateway_empty(gateway);
    }
    loop_free(gateway->clock);
    map_free(gateway->sessions);
    lock_fini(&gateway->lock);
    free(gateway);
    return NULL;
}

void gateway_drain(struct gateway *gateway, uint32_t after_ms)
{
    char text[64];
    int length = snprintf(text, sizeof text,
                          "{\"op\":\"reconnect\",\"d\":{\"after_ms\":%" PRIu32 "}}", after_ms);
    lock_take(&gateway->lock);
    gateway->draining = true;
    gateway->after_ms = after_ms;
    for (struct gateway_socket *socket = gateway->sockets; socket != NULL; socket = socket->next)
        if (http_ws_send(socket->ws, text, (size_t)length) != STATUS_OK)
            http_ws_close(socket->ws, GATEWAY_CLOSE_LATER);
    lock_give(&gateway->lock);
}

uint32_t gateway_session_count(const struct gateway *gateway)
{
    return atomic_load(&gateway->session_count);
}
