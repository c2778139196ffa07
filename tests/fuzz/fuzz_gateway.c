/*
 * Gateway frames: each line of the input is a frame on a websocket that only takes notes.
 * "D" is a dispatch to the session, "R" and a number resumes it on a new socket having seen
 * that many, "X" breaks the socket, "O" an oversized message.
 */
#include "core/clock.h"
#include "signalling/gateway/gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* ---- a websocket that takes everything and checks that dispatches count on ---- */

struct http_ws {
    atomic_uint references;
    atomic_bool closed;
    struct lock lock;
    unsigned long long newest; /* dispatch */
};

struct http_ws *http_ws_ref(struct http_ws *ws)
{
    atomic_fetch_add(&ws->references, 1);
    return ws;
}

void http_ws_unref(struct http_ws *ws)
{
    if (atomic_fetch_sub(&ws->references, 1) != 1)
        return;
    lock_fini(&ws->lock);
    free(ws);
}

enum status http_ws_send(struct http_ws *ws, const char *text, size_t length)
{
    unsigned long long s = 0;
    if (atomic_load(&ws->closed))
        return STATUS_CLOSED;
    lock_take(&ws->lock);
    if (memchr(text, '\0', length) != NULL)
        abort();
    if (sscanf(text, "{\"op\":\"dispatch\",\"s\":%llu", &s) == 1 && s > 0) {
        if (ws->newest != 0 && s != ws->newest + 1)
            abort();
        ws->newest = s;
    }
    lock_give(&ws->lock);
    return STATUS_OK;
}

void http_ws_close(struct http_ws *ws, uint16_t code)
{
    (void)code;
    atomic_store(&ws->closed, true);
}

/* ---- the upper layer ---- */

static struct gateway *gateway;
static struct crew *crew;
static struct lock session_lock;
static struct gateway_session *session; /* the newest; under session_lock */
static atomic_uint_least64_t fake_now_ms = 1000;

static uint64_t now_ms(void)
{
    return atomic_load(&fake_now_ms);
}

static struct gateway_session *session_swap(struct gateway_session *young)
{
    lock_take(&session_lock);
    struct gateway_session *old = session;
    session = young;
    lock_give(&session_lock);
    return old;
}

static void up_identify(void *context, struct gateway_session *young, const struct json *d)
{
    (void)context;
    (void)d;
    struct gateway_session *old = session_swap(gateway_session_ref(young));
    if (old != NULL)
        gateway_session_unref(old);
    gateway_dispatch(young, "ready", NULL);
}

static void up_command(void *context, struct gateway_session *from, uint64_t s, const char *t,
                       const struct json *d, struct arena *arena)
{
    (void)context;
    const char *quoted = json_quote(t, arena);
    if (strcmp(t, "end") == 0)
        gateway_end(from, "ended", NULL);
    else if (d != NULL || quoted == NULL)
        gateway_reply_error(from, s, "denied", t, NULL);
    else
        gateway_reply_ok(from, s, quoted);
}

static void up_presence(void *context, struct gateway_session *from, bool online)
{
    (void)context;
    (void)from;
    (void)online;
}

static void up_gone(void *context, struct gateway_session *from)
{
    (void)context;
    (void)from;
}

static const struct gateway_ops ops = {
    .identify = up_identify,
    .command = up_command,
    .presence = up_presence,
    .gone = up_gone,
};

static void begin(void)
{
    const struct gateway_config config = {.ops = &ops};
    struct gateway_config with_crew = config;
    if (gateway != NULL)
        return;
    if (lock_init(&session_lock) != STATUS_OK || crew_new("fuzz", 1, 65536, &crew) != STATUS_OK)
        abort();
    with_crew.crew = crew;
    if (gateway_new(&with_crew, &gateway) != STATUS_OK)
        abort();
    lock_take(&gateway->lock);
    gateway->now_ms = now_ms;
    lock_give(&gateway->lock);
}

static void *socket_begin(struct http_ws **ret_ws)
{
    struct http_ws *ws = calloc(1, sizeof *ws);
    if (ws == NULL || lock_init(&ws->lock) != STATUS_OK)
        abort();
    atomic_init(&ws->references, 1);
    void *socket = gateway_ws_ops.open(gateway, ws, "192.0.2.1", false);
    if (socket == NULL)
        abort();
    *ret_ws = ws;
    return socket;
}

static void resume(void *socket, unsigned long seen)
{
    char text[256];
    struct gateway_session *known = session_swap(NULL);
    if (known == NULL)
        return;
    snprintf(text, sizeof text,
             "{\"op\":\"resume\",\"d\":{\"session\":\"%s\",\"secret\":\"%s\",\"s\":%lu}}",
             gateway_session_id(known), gateway_session_secret(known), seen);
    gateway_ws_ops.message(socket, text, strlen(text));
    struct gateway_session *younger = session_swap(known);
    if (younger != NULL)
        gateway_session_unref(younger);
}

static void dispatch(void)
{
    struct gateway_session *known = session_swap(NULL);
    if (known == NULL)
        return;
    gateway_dispatch(known, "event", "{}");
    struct gateway_session *younger = session_swap(known);
    if (younger != NULL)
        gateway_session_unref(younger);
}

static void await(bool empty)
{
    struct timespec pause = {.tv_nsec = 20000};
    for (bool done = false; !done;) {
        lock_take(&gateway->lock);
        done = gateway->socket_count == 0 && (!empty || map_count(gateway->sessions) == 0);
        lock_give(&gateway->lock);
        if (!done)
            nanosleep(&pause, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    begin();
    struct http_ws *ws = NULL;
    void *socket = socket_begin(&ws);
    for (size_t at = 0; at < length;) {
        const uint8_t *end = memchr(data + at, '\n', length - at);
        size_t line = (end != NULL ? (size_t)(end - data) : length) - at;
        char first = line > 0 ? (char)data[at] : '\0';
        if (first == 'D') {
            dispatch();
        } else if (first == 'O') {
            gateway_ws_ops.oversized(socket);
        } else if (first == 'X' || first == 'R') {
            gateway_ws_ops.closed(socket);
            http_ws_unref(ws);
            socket = socket_begin(&ws);
            if (first == 'R')
                resume(socket, line > 1 ? (unsigned long)(data[at + 1] - '0') : 0);
        } else {
            gateway_ws_ops.message(socket, (const char *)data + at, line);
        }
        at += line + 1;
    }
    gateway_ws_ops.closed(socket);
    http_ws_unref(ws);
    await(false);
    /* Whatever is left expires. */
    atomic_fetch_add(&fake_now_ms, GATEWAY_RESUME_MS);
    gateway_sweep(gateway);
    await(true);
    struct gateway_session *known = session_swap(NULL);
    if (known != NULL)
        gateway_session_unref(known);
    return 0;
}
