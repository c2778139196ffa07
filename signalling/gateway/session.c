#include "signalling/gateway/session.h"

#include "core/log.h"
#include "signalling/gateway/gateway.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME_ON_STACK = 4096
}; /* bytes: a dispatch that fits needs no malloc before it is queued */

/* ---- payloads ---- */

struct gateway_payload *gateway_payload_new(const char *type, const char *json_d)
{
    const char *d = json_d != NULL ? json_d : "{}";
    size_t length = strlen(type) + strlen(d) + sizeof "\"t\":\"\",\"d\":" - 1;
    struct gateway_payload *payload = malloc(sizeof *payload + length + 1);
    if (payload == NULL)
        return NULL;
    atomic_init(&payload->references, 1);
    payload->length = length;
    snprintf(payload->text, length + 1, "\"t\":\"%s\",\"d\":%s", type, d);
    return payload;
}

struct gateway_payload *gateway_payload_ref(struct gateway_payload *payload)
{
    atomic_fetch_add(&payload->references, 1);
    return payload;
}

void gateway_payload_unref(struct gateway_payload *payload)
{
    if (payload != NULL && atomic_fetch_sub(&payload->references, 1) == 1)
        free(payload);
}

/* ---- plain facts ---- */

const char *gateway_session_id(const struct gateway_session *session)
{
    return session->id;
}

const char *gateway_session_secret(const struct gateway_session *session)
{
    return session->secret;
}

const char *gateway_session_address(const struct gateway_session *session)
{
    return session->address;
}

bool gateway_session_loopback(const struct gateway_session *session)
{
    return session->loopback;
}

void gateway_session_set_context(struct gateway_session *session, void *context)
{
    atomic_store(&session->context, context);
}

void *gateway_session_context(const struct gateway_session *session)
{
    return atomic_load(&session->context);
}

struct gateway_session *gateway_session_ref(struct gateway_session *session)
{
    atomic_fetch_add(&session->references, 1);
    return session;
}

void gateway_session_unref(struct gateway_session *session)
{
    if (atomic_fetch_sub(&session->references, 1) != 1)
        return;
    backlog_clear(&session->backlog);
    lock_fini(&session->lock);
    free(session);
}

/* ---- turns: presence and gone, on the strand ---- */

static void session_gone(struct gateway_session *session)
{
    struct gateway *gateway = session->gateway;
    lock_take(&session->lock);
    struct strand *strand = session->strand;
    session->strand = NULL;
    backlog_clear(&session->backlog);
    lock_give(&session->lock);
    if (session->introduced)
        gateway->ops->gone(gateway->context, session);
    strand_free(strand);
    lock_take(&gateway->lock);
    map_remove(gateway->sessions, map_key_of(session->id));
    atomic_fetch_sub(&gateway->session_count, 1);
    metric_set(gateway->sessions_metric, atomic_load(&gateway->session_count));
    lock_give(&gateway->lock);
    gateway_session_unref(session); /* the table's */
}

static void session_turn(void *arg)
{
    struct gateway_session *session = arg;
    lock_take(&session->lock);
    session->turn_waiting = false;
    bool ended = session->ended && session->strand != NULL;
    bool online = session->socket != NULL;
    bool tell = !session->ended && online != session->told_online;
    if (tell)
        session->told_online = online;
    lock_give(&session->lock);
    const struct gateway *gateway = session->gateway;
    if (tell)
        gateway->ops->presence(gateway->context, session, online);
    if (ended)
        session_gone(session);
    gateway_session_unref(session);
}

/* Under session->lock. What finds no room now is found by a later sweep. */
static void session_turn_soon(struct gateway_session *session)
{
    bool due = session->ended || (session->socket != NULL) != session->told_online;
    if (!due || session->turn_waiting || session->strand == NULL)
        return;
    session->turn_waiting = true;
    gateway_session_ref(session);
    if (strand_submit(session->strand, session_turn, session) != STATUS_OK) {
        session->turn_waiting = false;
        gateway_session_unref(session); /* never the last: the caller has one */
    }
}

/* ---- sending; all under session->lock ---- */

/* What cannot be queued leaves a gap: the socket ends, and a resume fills it. */
static void socket_say(struct gateway_socket *socket, const char *text, size_t length)
{
    if (http_ws_send(socket->ws, text, length) != STATUS_OK)
        http_ws_close(socket->ws, GATEWAY_CLOSE_INTERNAL);
}

static void session_send(struct gateway_session *session, uint64_t number,
                         const struct gateway_payload *payload)
{
    char small[FRAME_ON_STACK], *text = small;
    size_t size = payload->length + 64;
    if (size > sizeof small)
        text = malloc(size);
    if (text == NULL) {
        http_ws_close(session->socket->ws, GATEWAY_CLOSE_INTERNAL);
        return;
    }
    int length =
        snprintf(text, size, "{\"op\":\"dispatch\",\"s\":%" PRIu64 ",%s}", number, payload->text);
    socket_say(session->socket, text, (size_t)length);
    if (text != small)
        free(text);
}

/* Under session->lock; once. reason NULL: nothing is said. */
static void session_end_locked(struct gateway_session *session, const char *reason,
                               const char *code)
{
    if (session->ended)
        return;
    session->ended = true;
    struct gateway_socket *socket = session->socket;
    session->socket = NULL;
    if (socket != NULL) {
        char text[256];
        int length =
            snprintf(text, sizeof text, "{\"op\":\"invalid\",\"d\":{\"reason\":\"%s\"%s%s%s}}",
                     reason != NULL ? reason : "", code != NULL ? ",\"code\":\"" : "",
                     code != NULL ? code : "", code != NULL ? "\"" : "");
        if (reason != NULL && length > 0 && (size_t)length < sizeof text)
            socket_say(socket, text, (size_t)length);
        http_ws_close(socket->ws, GATEWAY_CLOSE_NORMAL);
    }
    backlog_clear(&session->backlog);
    session_turn_soon(session);
}

void gateway_end(struct gateway_session *session, const char *reason, const char *code)
{
    lock_take(&session->lock);
    session_end_locked(session, reason, code);
    lock_give(&session->lock);
}

void gateway_end_in(struct gateway_session *session, int64_t left_ms, const char *code)
{
    lock_take(&session->lock);
    session->end_ms = session->gateway->now_ms() + (left_ms > 0 ? (uint64_t)left_ms : 0);
    session->end_code = code;
    lock_give(&session->lock);
}

/*
 * Keeps a dispatch for a resume. An online client has been sent what is old: the oldest
 * goes, and only a resume from before it fails. An offline one could never have it all.
 */
static enum status session_keep(struct gateway_session *session, struct gateway_payload *payload)
{
    struct backlog *backlog = &session->backlog;
    enum status status = backlog_add(backlog, session->sent, payload);
    while (status == STATUS_LIMIT && session->socket != NULL && backlog->count > 0) {
        backlog_forget(backlog, backlog->first);
        status = backlog_add(backlog, session->sent, payload);
    }
    /* Larger than a whole backlog, and sent: a resume from before it fails. */
    return session->socket != NULL && status == STATUS_LIMIT ? STATUS_OK : status;
}

void gateway_dispatch_payload(struct gateway_session *session, struct gateway_payload *payload)
{
    lock_take(&session->lock);
    if (!session->ended) {
        session->sent++;
        if (session_keep(session, payload) != STATUS_OK) {
            log_event(LOG_GATEWAY, LOG_INFO, "session_overflow", "session=%s", session->id);
            metric_add(session->gateway->overflows, 1);
            session_end_locked(session, "overflow", NULL);
        } else if (session->socket != NULL) {
            session_send(session, session->sent, payload);
        }
    }
    lock_give(&session->lock);
}

void gateway_dispatch(struct gateway_session *session, const char *type, const char *json_d)
{
    struct gateway_payload *payload = gateway_payload_new(type, json_d);
    if (payload == NULL) { /* a dispatch may not be missing unseen */
        gateway_end(session, "overflow", NULL);
        return;
    }
    gateway_dispatch_payload(session, payload);
    gateway_payload_unref(payload);
}

void gateway_reply_ok(struct gateway_session *session, uint64_t s, const char *result_json)
{
    char *text = NULL;
    int length =
        asprintf(&text, "{\"command\":%" PRIu64 ",\"ok\":true%s%s}", s,
                 result_json != NULL ? ",\"result\":" : "", result_json != NULL ? result_json : "");
    if (length < 0) {
        gateway_end(session, "overflow", NULL);
        return;
    }
    gateway_dispatch(session, "reply", text);
    free(text);
}

void gateway_reply_error(struct gateway_session *session, uint64_t s, const char *code,
                         const char *text, const char *field)
{
    struct arena *arena = NULL;
    const char *quoted = NULL, *json = NULL;
    if (arena_new(GATEWAY_ARENA_MAX, &arena) == STATUS_OK)
        quoted = json_quote(text, arena);
    if (quoted != NULL)
        json = arena_printf(arena,
                            "{\"command\":%" PRIu64
                            ",\"ok\":false,\"error\":{\"code\":\"%s\",\"text\":%s%s%s%s}}",
                            s, code, quoted, field != NULL ? ",\"field\":\"" : "",
                            field != NULL ? field : "", field != NULL ? "\"" : "");
    metric_add(session->gateway->refused, 1);
    if (json != NULL)
        gateway_dispatch(session, "reply", json);
    else
        gateway_end(session, "overflow", NULL);
    arena_free(arena);
}

/* ---- commands ---- */

struct command {
    struct gateway_session *session;
    struct frame frame;
    bool identify;
};

static void command_run(void *arg)
{
    struct command *command = arg;
    struct gateway_session *session = command->session;
    const struct gateway *gateway = session->gateway;
    struct arena *arena = NULL;
    lock_take(&session->lock);
    bool ended = session->ended;
    session->commands_waiting--;
    lock_give(&session->lock);
    if (ended) {
        /* Nobody waits for the answer. */
    } else if (command->identify) {
        session->introduced = true;
        gateway->ops->identify(gateway->context, session, command->frame.d);
    } else if (arena_new(GATEWAY_ARENA_MAX, &arena) == STATUS_OK) {
        gateway->ops->command(gateway->context, session, (uint64_t)command->frame.s,
                              command->frame.t, command->frame.d, arena);
    } else {
        gateway_reply_error(session, (uint64_t)command->frame.s, "busy", "out of memory", NULL);
    }
    arena_free(arena);
    frame_clear(&command->frame);
    gateway_session_unref(session);
    free(command);
}

/*
 * Takes s and finds a place on the strand in one: a socket that was taken over may still
 * hand in a command while the new one hands in the next. Errors: STATUS_DUPLICATE,
 * STATUS_CLOSED, STATUS_LIMIT, STATUS_NO_MEMORY.
 */
static enum status command_submit(struct gateway_session *session, struct frame *frame,
                                  bool identify)
{
    struct command *command = malloc(sizeof *command);
    if (command == NULL)
        return STATUS_NO_MEMORY;
    *command = (struct command){
        .session = gateway_session_ref(session), .frame = *frame, .identify = identify};
    uint64_t s = (uint64_t)frame->s;
    enum status status = STATUS_LIMIT;
    lock_take(&session->lock);
    if (session->strand == NULL || session->ended)
        status = STATUS_CLOSED;
    else if (!identify && s <= session->taken)
        status = STATUS_DUPLICATE;
    else if (session->commands_waiting < GATEWAY_COMMANDS_WAITING_MAX)
        status = strand_submit(session->strand, command_run, command);
    if (status == STATUS_OK)
        session->commands_waiting++;
    /* One that found no place is taken too: it is answered, and comes again as another. */
    if (!identify && s > session->taken)
        session->taken = s;
    lock_give(&session->lock);
    if (status == STATUS_OK) {
        *frame = (struct frame){0};
        return STATUS_OK;
    }
    gateway_session_unref(session);
    free(command);
    return status;
}

enum status session_identify(struct gateway_session *session, struct frame *frame)
{
    return command_submit(session, frame, true);
}

void session_command(struct gateway_session *session, struct frame *frame)
{
    uint64_t s = (uint64_t)frame->s;
    switch (command_submit(session, frame, false)) {
    case STATUS_OK:
        metric_add(session->gateway->commands, 1);
        break;
    case STATUS_DUPLICATE:
    case STATUS_CLOSED:
        break;
    default:
        gateway_reply_error(session, s, "busy", "too many commands wait", NULL);
    }
}

/* ---- life ---- */

/* Under gateway->lock and session->lock. Returns false when the socket is gone. */
static bool session_attach(struct gateway_session *session, struct gateway_socket *socket)
{
    if (socket->closed)
        return false;
    struct gateway_socket *old = session->socket;
    if (old != NULL) {
        http_ws_close(old->ws, GATEWAY_CLOSE_TAKEN);
        gateway_session_unref(old->session);
        old->session = NULL;
    }
    socket->session = gateway_session_ref(session);
    socket->identified = true;
    session->socket = socket;
    return true;
}

enum status session_new(struct gateway_socket *socket, struct gateway_session **ret_session)
{
    struct gateway *gateway = socket->gateway;
    struct gateway_session *session = calloc(1, sizeof *session);
    if (session == NULL || lock_init(&session->lock) != STATUS_OK) {
        free(session);
        return STATUS_NO_MEMORY;
    }
    atomic_init(&session->references, 1); /* the caller's */
    session->gateway = gateway;
    session->told_online = true;
    session->loopback = socket->loopback;
    memcpy(session->address, socket->address, sizeof session->address);
    crypto_id(session->id);
    crypto_token(session->secret);
    enum status status = strand_new(gateway->crew, GATEWAY_COMMANDS_WAITING_MAX + GATEWAY_TURNS_MAX,
                                    &session->strand);
    if (status != STATUS_OK) {
        gateway_session_unref(session);
        return status;
    }
    lock_take(&gateway->lock);
    status = STATUS_LIMIT;
    if (map_count(gateway->sessions) < GATEWAY_SESSIONS_MAX)
        status = map_put(gateway->sessions, map_key_of(session->id), session);
    if (status == STATUS_OK && !session_attach(session, socket)) {
        map_remove(gateway->sessions, map_key_of(session->id));
        status = STATUS_CLOSED;
    }
    if (status == STATUS_OK) {
        gateway_session_ref(session); /* the table's */
        atomic_fetch_add(&gateway->session_count, 1);
        metric_set(gateway->sessions_metric, atomic_load(&gateway->session_count));
    }
    lock_give(&gateway->lock);
    if (status != STATUS_OK) {
        strand_free(session->strand);
        gateway_session_unref(session);
        return status;
    }
    *ret_session = session;
    return STATUS_OK;
}

/* Under both locks: `resumed`, then what was missed. */
static void session_replay(struct gateway_session *session, uint64_t seen)
{
    char text[64];
    int length =
        snprintf(text, sizeof text, "{\"op\":\"resumed\",\"s\":%" PRIu64 "}", session->taken);
    socket_say(session->socket, text, (size_t)length);
    for (uint64_t number = seen + 1; number <= session->sent; number++)
        session_send(session, number, backlog_get(&session->backlog, number));
}

enum status session_resume(struct gateway_session *session, struct gateway_socket *socket,
                           uint64_t seen)
{
    struct gateway *gateway = session->gateway;
    enum status status = STATUS_OK;
    lock_take(&gateway->lock);
    lock_take(&session->lock);
    if (session->ended || seen > session->sent)
        status = STATUS_NOT_FOUND;
    else if (seen < session->sent && backlog_get(&session->backlog, seen + 1) == NULL)
        status = STATUS_OUT_OF_WINDOW;
    else if (!session_attach(session, socket))
        status = STATUS_CLOSED;
    if (status == STATUS_OK) {
        backlog_forget(&session->backlog, seen);
        session_replay(session, seen);
        session_turn_soon(session);
    } else if (status == STATUS_OUT_OF_WINDOW) {
        session_end_locked(session, "overflow", NULL);
    }
    lock_give(&session->lock);
    lock_give(&gateway->lock);
    return status;
}

void session_lose(struct gateway_session *session, const struct gateway_socket *socket)
{
    lock_take(&session->lock);
    if (session->socket == socket) {
        session->socket = NULL;
        session->lost_ms = session->gateway->now_ms();
        session_turn_soon(session);
    }
    lock_give(&session->lock);
}

uint64_t session_heard(struct gateway_session *session, uint64_t seen)
{
    lock_take(&session->lock);
    backlog_forget(&session->backlog, seen < session->sent ? seen : session->sent);
    uint64_t taken = session->taken;
    lock_give(&session->lock);
    return taken;
}

void session_sweep(struct gateway_session *session, uint64_t now_ms)
{
    lock_take(&session->lock);
    if (!session->ended && session->socket == NULL &&
        gateway_passed(session->lost_ms, now_ms, GATEWAY_RESUME_MS))
        session_end_locked(session, NULL, NULL);
    if (session->end_ms != 0 && now_ms >= session->end_ms)
        session_end_locked(session, "ended", session->end_code);
    session_turn_soon(session);
    lock_give(&session->lock);
}
