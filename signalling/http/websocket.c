#include "signalling/http/websocket.h"

#include "core/log.h"
#include "core/metrics.h"
#include "signalling/http/buffer.h"
#include "signalling/http/conn.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WS_HEADER_DATA_MAX = 2048,  /* bytes of our own upgrade request */
    WS_UNSUPPORTED_DATA = 1003, /* RFC 6455 7.4.1 */
    WS_KEPT_BUFFER = 8192,      /* bytes of a message buffer kept for the next message */
};

/* What waits to be written: a text message, or a close. */
struct ws_note {
    struct ws_note *next;
    uint16_t close_code; /* 0: a message */
    size_t length;
    unsigned char bytes[]; /* LWS_PRE, then the text */
};

struct http_ws {
    atomic_uint references;
    struct http *http;
    /* Any thread. */
    _Atomic(struct ws_note *) posted; /* newest first; the edge thread takes them all */
    atomic_bool scheduled;            /* a letter is on its way to the edge thread */
    atomic_bool over;                 /* nothing is sent any more */
    atomic_bool overflowed;
    atomic_size_t queued; /* bytes waiting */
    /* Edge thread. */
    struct conn *conn; /* NULL when it is gone */
    struct lws *wsi;   /* NULL before it is open and after its end */
    struct ws_note *first, *last;
    void *session;
    struct buffer message; /* of which only the first fragments came */
    bool discarding;       /* the message is too large: its rest is thrown away */
    bool loopback;
    char address[HTTP_ADDRESS_MAX];
};

struct websockets {
    struct http *http;
    struct lws_context *context;
    struct lws_vhost *vhost;
    uint32_t open;
};

/* ---- any thread ---- */

struct http_ws *http_ws_ref(struct http_ws *ws)
{
    atomic_fetch_add(&ws->references, 1);
    return ws;
}

static void notes_free(struct ws_note *note)
{
    while (note != NULL) {
        struct ws_note *next = note->next;
        free(note);
        note = next;
    }
}

void http_ws_unref(struct http_ws *ws)
{
    if (atomic_fetch_sub(&ws->references, 1) != 1)
        return;
    notes_free(atomic_load(&ws->posted));
    notes_free(ws->first);
    buffer_clear(&ws->message);
    free(ws);
}

static void ws_wake(void *arg);

/* Errors: as mailbox_post. */
static enum status ws_schedule(struct http_ws *ws)
{
    if (atomic_exchange(&ws->scheduled, true))
        return STATUS_OK;
    enum status status = mailbox_post(ws->http->mailbox, ws_wake, http_ws_ref(ws));
    if (status != STATUS_OK) {
        atomic_store(&ws->scheduled, false);
        http_ws_unref(ws);
    }
    return status;
}

static void ws_post(struct http_ws *ws, struct ws_note *note)
{
    note->next = atomic_load(&ws->posted);
    while (!atomic_compare_exchange_weak(&ws->posted, &note->next, note))
        ;
}

enum status http_ws_send(struct http_ws *ws, const char *text, size_t length)
{
    if (atomic_load(&ws->over))
        return STATUS_CLOSED;
    if (atomic_fetch_add(&ws->queued, length) + length > HTTP_WS_QUEUE_MAX) {
        /* What is left out here leaves a gap: nothing may follow. */
        atomic_store(&ws->over, true);
        atomic_store(&ws->overflowed, true);
        (void)!ws_schedule(ws);
        return STATUS_LIMIT;
    }
    struct ws_note *note = malloc(sizeof *note + LWS_PRE + length);
    if (note == NULL) {
        atomic_fetch_sub(&ws->queued, length);
        return STATUS_NO_MEMORY;
    }
    note->close_code = 0;
    note->length = length;
    memcpy(note->bytes + LWS_PRE, text, length);
    ws_post(ws, note);
    return ws_schedule(ws);
}

void http_ws_close(struct http_ws *ws, uint16_t code)
{
    struct ws_note *note = NULL;
    if (!atomic_exchange(&ws->over, true))
        note = malloc(sizeof *note);
    if (note == NULL)
        return;
    note->close_code = code;
    note->length = 0;
    ws_post(ws, note);
    (void)!ws_schedule(ws);
}

/* ---- edge thread ---- */

/* Moves what was posted to the end of the queue, oldest first. */
static void ws_collect(struct http_ws *ws)
{
    struct ws_note *posted = atomic_exchange(&ws->posted, NULL), *reversed = NULL;
    struct ws_note *newest = posted;
    while (posted != NULL) {
        struct ws_note *next = posted->next;
        posted->next = reversed;
        reversed = posted;
        posted = next;
    }
    if (reversed == NULL)
        return;
    if (ws->last != NULL)
        ws->last->next = reversed;
    else
        ws->first = reversed;
    ws->last = newest;
}

/* Letter: something was posted. */
static void ws_wake(void *arg)
{
    struct http_ws *ws = arg;
    atomic_store(&ws->scheduled, false);
    ws_collect(ws);
    if (atomic_load(&ws->overflowed) && ws->conn != NULL) {
        log_event(LOG_HTTP, LOG_WARN, "websocket_too_slow", "peer=%s", ws->address);
        conn_abort(ws->conn);
    } else if (ws->wsi != NULL && ws->first != NULL) {
        lws_callback_on_writable(ws->wsi);
    }
    http_ws_unref(ws);
}

static int ws_opened(struct websockets *websockets, struct http_ws *ws, struct lws *wsi)
{
    const struct http *http = websockets->http;
    ws->session = http->ws_ops->open(http->ws_context, ws, ws->address, ws->loopback);
    if (ws->session == NULL)
        return -1;
    ws->wsi = wsi;
    websockets->open++;
    metric_set(http->sockets, websockets->open);
    if (ws->first != NULL)
        lws_callback_on_writable(wsi);
    return 0;
}

static void ws_closed(struct websockets *websockets, struct http_ws *ws)
{
    atomic_store(&ws->over, true);
    ws->wsi = NULL;
    if (ws->session == NULL)
        return;
    void *session = ws->session;
    ws->session = NULL;
    websockets->open--;
    metric_set(websockets->http->sockets, websockets->open);
    websockets->http->ws_ops->closed(session);
}

/* One message a call: libwebsockets takes no second write before the next readiness. */
static int ws_write(struct http_ws *ws, struct lws *wsi)
{
    struct ws_note *note = ws->first;
    if (note == NULL)
        return 0;
    ws->first = note->next;
    if (ws->first == NULL)
        ws->last = NULL;
    int result = -1;
    if (note->close_code != 0) {
        lws_close_reason(wsi, (enum lws_close_status)note->close_code, NULL, 0);
    } else {
        atomic_fetch_sub(&ws->queued, note->length);
        result = lws_write(wsi, note->bytes + LWS_PRE, note->length, LWS_WRITE_TEXT);
    }
    free(note);
    if (result < 0)
        return -1;
    if (ws->first != NULL)
        lws_callback_on_writable(wsi);
    return 0;
}

static int ws_received(struct http_ws *ws, struct lws *wsi, const void *bytes, size_t length)
{
    const struct http_ws_ops *ops = ws->http->ws_ops;
    if (lws_frame_is_binary(wsi)) {
        lws_close_reason(wsi, (enum lws_close_status)WS_UNSUPPORTED_DATA, NULL, 0);
        return -1;
    }
    bool final = lws_is_final_fragment(wsi) != 0;
    if (lws_is_first_fragment(wsi)) {
        ws->discarding = false;
        buffer_take(&ws->message, buffer_length(&ws->message));
    }
    if (!ws->discarding && (buffer_length(&ws->message) + length > HTTP_WS_FRAME_MAX ||
                            buffer_append(&ws->message, bytes, length) != STATUS_OK)) {
        ws->discarding = true;
        buffer_clear(&ws->message);
    }
    if (!final)
        return 0;
    if (ws->discarding) {
        ws->discarding = false;
        ops->oversized(ws->session);
        return 0;
    }
    const char *text = buffer_front(&ws->message);
    ops->message(ws->session, text != NULL ? text : "", buffer_length(&ws->message));
    if (ws->message.capacity > WS_KEPT_BUFFER)
        buffer_clear(&ws->message);
    else
        buffer_take(&ws->message, buffer_length(&ws->message));
    return 0;
}

/* LWS_CALLBACK_HTTP_CONFIRM_UPGRADE is never handled: libwebsockets uses freed memory after it. */
static int ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t length)
{
    (void)user;
    struct http_ws *ws = NULL;
    struct lws_vhost *vhost = wsi != NULL ? lws_get_vhost(wsi) : NULL;
    struct websockets *websockets = vhost != NULL ? lws_get_vhost_user(vhost) : NULL;
    if (websockets != NULL)
        ws = lws_get_opaque_user_data(wsi);
    if (ws == NULL)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        return ws_opened(websockets, ws, wsi);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return ws_write(ws, wsi);
    case LWS_CALLBACK_RECEIVE:
        return ws_received(ws, wsi, in, length);
    case LWS_CALLBACK_HTTP:
        return -1; /* our own request is always an upgrade */
    case LWS_CALLBACK_CLOSED:
        ws_closed(websockets, ws);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        ws_closed(websockets, ws);
        lws_set_opaque_user_data(wsi, NULL);
        http_ws_unref(ws);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols ws_protocols[] = {
    {.name = "parley", .callback = ws_callback, .rx_buffer_size = CONN_PIECE},
    {.name = NULL},
};

/* Clients can cause warnings as they like: those are for whoever looks closer. */
static void ws_log(int level, const char *line)
{
    char quoted[256];
    log_event(LOG_HTTP, level == LLL_ERR ? LOG_WARN : LOG_DEBUG, "libwebsockets", "line=%s",
              log_quote(quoted, sizeof quoted, line));
}

enum status websockets_new(struct http *http, struct websockets **ret_websockets)
{
    struct websockets *websockets = calloc(1, sizeof *websockets);
    if (websockets == NULL)
        return STATUS_NO_MEMORY;
    void *loops[] = {http->loop};
    lws_set_log_level(LLL_ERR | LLL_WARN, ws_log);
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = ws_protocols,
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .foreign_loops = loops,
        .gid = -1,
        .uid = -1,
        .user = websockets,
        .max_http_header_data = WS_HEADER_DATA_MAX,
        .vhost_name = "parley",
    };
    websockets->http = http;
    websockets->context = lws_create_context(&info);
    if (websockets->context == NULL) {
        free(websockets);
        return STATUS_UNSUPPORTED;
    }
    websockets->vhost = lws_get_vhost_by_name(websockets->context, "parley");
    *ret_websockets = websockets;
    return STATUS_OK;
}

struct websockets *websockets_free(struct websockets *websockets)
{
    if (websockets == NULL)
        return NULL;
    lws_context_destroy(websockets->context);
    free(websockets);
    return NULL;
}

uint32_t websockets_count(const struct websockets *websockets)
{
    return websockets->open;
}

enum status websocket_adopt(struct websockets *websockets, struct conn *conn, const char *address,
                            bool loopback, struct http_ws **ret_ws, int *ret_fd)
{
    int pair[2];
    struct http_ws *ws = calloc(1, sizeof *ws);
    if (ws == NULL)
        return STATUS_NO_MEMORY;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        free(ws);
        return STATUS_IO;
    }
    atomic_init(&ws->references, 2); /* the connection's and libwebsockets' */
    ws->http = websockets->http;
    ws->conn = conn;
    ws->loopback = loopback;
    memcpy(ws->address, address, strlen(address) + 1);
    lws_adopt_desc_t info = {
        .vh = websockets->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
        .fd.sockfd = pair[1],
        .opaque = ws,
    };
    /* On failure it closes pair[1] and gives its reference back, if it came so far. */
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&info);
    if (wsi == NULL) {
        close(pair[0]);
        ws->conn = NULL;
        http_ws_unref(ws);
        return STATUS_IO;
    }
    *ret_ws = ws;
    *ret_fd = pair[0];
    return STATUS_OK;
}

void websocket_part(struct http_ws *ws)
{
    ws->conn = NULL;
    atomic_store(&ws->over, true);
    http_ws_unref(ws);
}
