/*
 * tests/unit/signalling/gateway/test_gateway.c - gateway sessions against websockets that
 * only take notes, and a clock of our own: resume is exact under random breaks.
 */
#include "core/clock.h"
#include "core/rng.h"
#include "signalling/gateway/gateway.h"
#include "tests/support/alloc_fail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000, NOTES_MAX = 8192 };

#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        struct timespec pause_ = {.tv_nsec = CLOCK_NS_PER_MS / 10};                                \
        uint64_t until_ = clock_mono_ns() + (uint64_t)PATIENCE_MS * CLOCK_NS_PER_MS;               \
        while (!(condition)) {                                                                     \
            assert_true(clock_mono_ns() < until_);                                                 \
            nanosleep(&pause_, NULL);                                                              \
        }                                                                                          \
    } while (0)

/* ---- the websocket that takes notes ---- */

struct http_ws {
    atomic_uint references;
    struct lock lock;
    char *notes[NOTES_MAX];
    size_t count;
    uint16_t closed;
    bool refuses; /* as a full queue does */
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
    for (size_t i = 0; i < ws->count; i++)
        free(ws->notes[i]);
    lock_fini(&ws->lock);
    free(ws);
}

enum status http_ws_send(struct http_ws *ws, const char *text, size_t length)
{
    enum status status = STATUS_OK;
    lock_take(&ws->lock);
    if (ws->closed != 0)
        status = STATUS_CLOSED;
    else if (ws->refuses || ws->count == NOTES_MAX)
        status = STATUS_LIMIT;
    else
        ws->notes[ws->count++] = strndup(text, length);
    lock_give(&ws->lock);
    return status;
}

void http_ws_close(struct http_ws *ws, uint16_t code)
{
    lock_take(&ws->lock);
    if (ws->closed == 0)
        ws->closed = code;
    lock_give(&ws->lock);
}

/* ---- the upper layer ---- */

struct upper {
    struct gateway *gateway;
    struct crew *crew;
    atomic_int identified, gone, online, offline;
    atomic_bool hold;
    atomic_uint_least64_t commands; /* executed */
    uint64_t last;                  /* newest executed; the strand's */
    atomic_bool disorder;
    _Atomic(struct gateway_session *) session;
};

static atomic_uint_least64_t fake_now_ms = 1000000;

static uint64_t now_ms(void)
{
    return atomic_load(&fake_now_ms);
}

static void up_identify(void *context, struct gateway_session *session, const struct json *d)
{
    struct upper *upper = context;
    (void)d;
    char json[256];
    snprintf(json, sizeof json, "{\"session\":\"%s\",\"secret\":\"%s\"}",
             gateway_session_id(session), gateway_session_secret(session));
    gateway_session_set_context(session, upper);
    atomic_store(&upper->session, gateway_session_ref(session));
    gateway_dispatch(session, "ready", json);
    atomic_fetch_add(&upper->identified, 1);
}

static void up_command(void *context, struct gateway_session *session, uint64_t s, const char *t,
                       const struct json *d, struct arena *arena)
{
    struct upper *upper = context;
    struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS / 10};
    (void)d;
    assert_non_null(arena_alloc(arena, 100));
    while (atomic_load(&upper->hold))
        nanosleep(&pause, NULL);
    if (s <= upper->last)
        atomic_store(&upper->disorder, true);
    upper->last = s;
    atomic_fetch_add(&upper->commands, 1);
    if (strcmp(t, "fail") == 0)
        gateway_reply_error(session, s, "denied", "say \"please\"", "d.x");
    else if (strcmp(t, "end") == 0)
        gateway_end(session, "ended", "by_host");
    else
        gateway_reply_ok(session, s, strcmp(t, "bare") == 0 ? NULL : "{\"x\":1}");
}

static void up_presence(void *context, struct gateway_session *session, bool online)
{
    struct upper *upper = context;
    assert_ptr_equal(gateway_session_context(session), upper);
    atomic_fetch_add(online ? &upper->online : &upper->offline, 1);
}

static void up_gone(void *context, struct gateway_session *session)
{
    struct upper *upper = context;
    assert_ptr_equal(gateway_session_context(session), upper);
    atomic_fetch_add(&upper->gone, 1);
}

static const struct gateway_ops ops = {
    .identify = up_identify,
    .command = up_command,
    .presence = up_presence,
    .gone = up_gone,
};

static void upper_start(struct upper *upper)
{
    memset(upper, 0, sizeof *upper);
    assert_int_equal(crew_new("test", 3, 65536, &upper->crew), STATUS_OK);
    const struct gateway_config config = {.crew = upper->crew, .ops = &ops, .context = upper};
    assert_int_equal(gateway_new(&config, &upper->gateway), STATUS_OK);
    /* Before any socket is there; the clock thread takes this lock before it looks. */
    lock_take(&upper->gateway->lock);
    upper->gateway->now_ms = now_ms;
    lock_give(&upper->gateway->lock);
}

static void upper_stop(struct upper *upper)
{
    upper->gateway = gateway_free(upper->gateway);
    upper->crew = crew_free(upper->crew);
    struct gateway_session *session = atomic_load(&upper->session);
    if (session != NULL)
        gateway_session_unref(session);
    assert_int_equal(atomic_load(&upper->identified), atomic_load(&upper->gone));
    assert_false(atomic_load(&upper->disorder));
}

/* ---- the client ---- */

struct client {
    struct http_ws *ws;
    void *socket; /* NULL: closed */
};

static struct client client_open(struct upper *upper)
{
    struct client client = {.ws = calloc(1, sizeof *client.ws)};
    assert_non_null(client.ws);
    atomic_init(&client.ws->references, 1);
    assert_int_equal(lock_init(&client.ws->lock), STATUS_OK);
    client.socket = gateway_ws_ops.open(upper->gateway, client.ws, "192.0.2.1", false);
    assert_non_null(client.socket);
    return client;
}

static void client_break(struct client *client)
{
    if (client->socket != NULL)
        gateway_ws_ops.closed(client->socket);
    client->socket = NULL;
}

static void client_drop(struct client *client)
{
    client_break(client);
    http_ws_unref(client->ws);
    client->ws = NULL;
}

static void client_say(struct client *client, const char *text)
{
    gateway_ws_ops.message(client->socket, text, strlen(text));
}

/* Note number `index`, waited for; lives as long as the websocket. */
static const char *client_note(struct client *client, size_t index)
{
    const char *note = NULL;
    WAIT_UNTIL(({
        lock_take(&client->ws->lock);
        note = index < client->ws->count ? client->ws->notes[index] : NULL;
        lock_give(&client->ws->lock);
        note != NULL;
    }));
    return note;
}

static size_t client_notes(struct client *client)
{
    lock_take(&client->ws->lock);
    size_t count = client->ws->count;
    lock_give(&client->ws->lock);
    return count;
}

static uint16_t client_closed(struct client *client)
{
    lock_take(&client->ws->lock);
    uint16_t code = client->ws->closed;
    lock_give(&client->ws->lock);
    return code;
}

static void expect_has(const char *note, const char *text)
{
    if (strstr(note, text) == NULL)
        fail_msg("no %s in %s", text, note);
}

/* The text behind "NAME":" up to the next quote. */
static void pick(const char *note, const char *name, char *ret_text, size_t size)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", name);
    const char *at = strstr(note, wanted);
    assert_non_null(at);
    at += strlen(wanted);
    snprintf(ret_text, size, "%.*s", (int)strcspn(at, "\""), at);
}

struct ticket {
    char session[32], secret[64];
};

/* hello, identify, ready: the first two notes. */
static struct client client_identified(struct upper *upper, struct ticket *ret_ticket)
{
    struct client client = client_open(upper);
    client_say(&client, "{\"op\":\"identify\",\"d\":{}}");
    const char *ready = client_note(&client, 1);
    pick(ready, "session", ret_ticket->session, sizeof ret_ticket->session);
    pick(ready, "secret", ret_ticket->secret, sizeof ret_ticket->secret);
    return client;
}

static void client_resume(struct client *client, const struct ticket *ticket, uint64_t seen)
{
    char text[256];
    snprintf(text, sizeof text,
             "{\"op\":\"resume\",\"d\":{\"session\":\"%s\",\"secret\":\"%s\",\"s\":%" PRIu64 "}}",
             ticket->session, ticket->secret, seen);
    client_say(client, text);
}

static void client_command(struct client *client, uint64_t s, const char *t)
{
    char text[128];
    snprintf(text, sizeof text, "{\"op\":\"command\",\"s\":%" PRIu64 ",\"t\":\"%s\"}", s, t);
    client_say(client, text);
}

/* ---- tests ---- */

static void a_session_begins(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    assert_string_equal(client_note(&client, 0),
                        "{\"op\":\"hello\",\"d\":{\"heartbeat_ms\":10000,\"resume_ms\":120000,"
                        "\"version\":\"" PARLEY_VERSION "\"}}");
    expect_has(client_note(&client, 1), "{\"op\":\"dispatch\",\"s\":1,\"t\":\"ready\",\"d\":{");
    client_command(&client, 1, "x");
    assert_string_equal(client_note(&client, 2),
                        "{\"op\":\"dispatch\",\"s\":2,\"t\":\"reply\",\"d\":{\"command\":1,"
                        "\"ok\":true,\"result\":{\"x\":1}}}");
    client_command(&client, 2, "bare");
    assert_string_equal(client_note(&client, 3),
                        "{\"op\":\"dispatch\",\"s\":3,\"t\":\"reply\",\"d\":{\"command\":2,"
                        "\"ok\":true}}");
    client_command(&client, 3, "fail");
    assert_string_equal(client_note(&client, 4),
                        "{\"op\":\"dispatch\",\"s\":4,\"t\":\"reply\",\"d\":{\"command\":3,"
                        "\"ok\":false,\"error\":{\"code\":\"denied\",\"text\":\"say "
                        "\\\"please\\\"\",\"field\":\"d.x\"}}}");
    client_say(&client, "{\"op\":\"heartbeat\",\"s\":4}");
    assert_string_equal(client_note(&client, 5), "{\"op\":\"heartbeat\",\"s\":3}");
    assert_int_equal(gateway_session_count(upper.gateway), 1);
    client_drop(&client);
    upper_stop(&upper);
}

static void bad_frames_are_named_and_the_session_lives(void **state)
{
    (void)state;
    static const struct {
        const char *frame, *command, *code;
    } cases[] = {
        {"", "0", "bad_json"},
        {"nonsense", "0", "bad_json"},
        {"[]", "0", "bad_json"},
        {"{\"op\":\"command\",\"op\":\"command\"}", "0", "bad_json"},
        {"{}", "0", "bad_frame"},
        {"{\"op\":1}", "0", "bad_frame"},
        {"{\"op\":\"sing\"}", "0", "unknown_op"},
        {"{\"op\":\"sing\",\"s\":7}", "7", "unknown_op"},
        {"{\"op\":\"command\",\"t\":\"x\"}", "0", "bad_sequence"},
        {"{\"op\":\"command\",\"s\":0,\"t\":\"x\"}", "0", "bad_sequence"},
        {"{\"op\":\"command\",\"s\":-1,\"t\":\"x\"}", "0", "bad_sequence"},
        {"{\"op\":\"command\",\"s\":1.5,\"t\":\"x\"}", "0", "bad_sequence"},
        {"{\"op\":\"command\",\"s\":9007199254740993,\"t\":\"x\"}", "0", "bad_sequence"},
        {"{\"op\":\"command\",\"s\":1}", "1", "bad_frame"},
        {"{\"op\":\"command\",\"s\":1,\"t\":3}", "1", "bad_frame"},
        {"{\"op\":\"identify\"}", "0", "already_identified"},
        {"{\"op\":\"resume\",\"d\":{}}", "0", "already_identified"},
    };
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[32], code[64];
        client_say(&client, cases[i].frame);
        const char *note = client_note(&client, 2 + i);
        snprintf(command, sizeof command, "\"command\":%s,\"ok\":false", cases[i].command);
        snprintf(code, sizeof code, "\"code\":\"%s\"", cases[i].code);
        expect_has(note, command);
        expect_has(note, code);
    }
    size_t next = 2 + sizeof cases / sizeof *cases;
    gateway_ws_ops.oversized(client.socket);
    expect_has(client_note(&client, next), "\"code\":\"too_large\"");
    client_command(&client, 1, "x");
    expect_has(client_note(&client, next + 1), "\"command\":1,\"ok\":true");
    assert_int_equal(client_closed(&client), 0);
    client_drop(&client);
    upper_stop(&upper);
}

static void before_identify_errors_have_no_number(void **state)
{
    (void)state;
    struct upper upper;
    upper_start(&upper);
    struct client client = client_open(&upper);
    client_command(&client, 5, "x");
    expect_has(client_note(&client, 1),
               "{\"op\":\"dispatch\",\"s\":0,\"t\":\"reply\",\"d\":{\"command\":5,\"ok\":false,"
               "\"error\":{\"code\":\"not_identified\"");
    client_say(&client, "{\"op\":\"resume\",\"d\":{\"session\":\"x\"}}");
    expect_has(client_note(&client, 2), "bad_resume");
    client_say(&client, "{\"op\":\"resume\",\"d\":{\"session\":\"x\",\"secret\":\"y\",\"s\":0}}");
    assert_string_equal(client_note(&client, 3),
                        "{\"op\":\"invalid\",\"d\":{\"reason\":\"unknown_session\"}}");
    client_say(&client, "{\"op\":\"identify\"}"); /* the socket is still good for that */
    expect_has(client_note(&client, 4), "\"t\":\"ready\"");
    client_drop(&client);
    upper_stop(&upper);
}

static void commands_run_once(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    client_command(&client, 1, "x");
    client_command(&client, 1, "x");
    client_command(&client, 2, "x");
    client_command(&client, 1, "x");
    client_command(&client, 4, "x"); /* 3 was thrown away as too large, say */
    client_command(&client, 3, "x");
    client_command(&client, 5, "x");
    expect_has(client_note(&client, 2), "\"command\":1,");
    expect_has(client_note(&client, 3), "\"command\":2,");
    expect_has(client_note(&client, 4), "\"command\":4,");
    expect_has(client_note(&client, 5), "\"command\":5,");
    assert_int_equal(atomic_load(&upper.commands), 4);
    client_drop(&client);
    upper_stop(&upper);
}

static void resume_replays_what_was_missed(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    struct gateway_session *session = atomic_load(&upper.session);
    client_command(&client, 1, "x");
    client_note(&client, 2);
    gateway_dispatch(session, "seen", NULL);
    client_drop(&client);
    WAIT_UNTIL(atomic_load(&upper.offline) == 1);
    gateway_dispatch(session, "missed", "{\"n\":1}");
    gateway_dispatch(session, "missed", "{\"n\":2}");
    client = client_open(&upper);
    client_resume(&client, &ticket, 2);
    assert_string_equal(client_note(&client, 1), "{\"op\":\"resumed\",\"s\":1}");
    assert_string_equal(client_note(&client, 2),
                        "{\"op\":\"dispatch\",\"s\":3,\"t\":\"seen\",\"d\":{}}");
    assert_string_equal(client_note(&client, 3),
                        "{\"op\":\"dispatch\",\"s\":4,\"t\":\"missed\",\"d\":{\"n\":1}}");
    assert_string_equal(client_note(&client, 4),
                        "{\"op\":\"dispatch\",\"s\":5,\"t\":\"missed\",\"d\":{\"n\":2}}");
    WAIT_UNTIL(atomic_load(&upper.online) == 1);
    gateway_dispatch(session, "after", NULL);
    expect_has(client_note(&client, 5), "\"s\":6,\"t\":\"after\"");
    assert_int_equal(client_notes(&client), 6);
    client_drop(&client);
    upper_stop(&upper);
}

static void resume_refuses_what_it_cannot_do(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket, wrong;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    client_break(&client);
    client_drop(&client);
    client = client_open(&upper);
    wrong = ticket;
    wrong.secret[0] = wrong.secret[0] == 'a' ? 'b' : 'a';
    client_resume(&client, &wrong, 0);
    expect_has(client_note(&client, 1), "unknown_session");
    wrong = ticket;
    wrong.secret[5] = '\0';
    client_resume(&client, &wrong, 0);
    expect_has(client_note(&client, 2), "unknown_session");
    client_resume(&client, &ticket, 99); /* never sent */
    expect_has(client_note(&client, 3), "unknown_session");
    client_resume(&client, &ticket, 1);
    expect_has(client_note(&client, 4), "resumed");
    client_say(&client, "{\"op\":\"heartbeat\",\"s\":1}");
    client_note(&client, 5);
    client_drop(&client);
    client = client_open(&upper); /* what was acknowledged is gone */
    client_resume(&client, &ticket, 0);
    assert_string_equal(client_note(&client, 1),
                        "{\"op\":\"invalid\",\"d\":{\"reason\":\"overflow\"}}");
    WAIT_UNTIL(atomic_load(&upper.gone) == 1);
    client_drop(&client);
    upper_stop(&upper);
}

static void a_second_socket_takes_over(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client old = client_identified(&upper, &ticket);
    struct gateway_session *session = atomic_load(&upper.session);
    struct client young = client_open(&upper);
    client_resume(&young, &ticket, 1);
    assert_string_equal(client_note(&young, 1), "{\"op\":\"resumed\",\"s\":0}");
    assert_int_equal(client_closed(&old), GATEWAY_CLOSE_TAKEN);
    client_command(&old, 1, "x");      /* too late on the old one */
    session_lose(session, old.socket); /* its end may be seen late */
    gateway_dispatch(session, "news", NULL);
    expect_has(client_note(&young, 2), "\"s\":2,\"t\":\"news\"");
    client_drop(&old); /* its end is not the session's */
    gateway_dispatch(session, "more", NULL);
    expect_has(client_note(&young, 3), "\"s\":3,\"t\":\"more\"");
    client_command(&young, 1, "x");
    expect_has(client_note(&young, 4), "\"command\":1,\"ok\":true");
    assert_int_equal(atomic_load(&upper.commands), 1);
    assert_int_equal(atomic_load(&upper.offline), 0);
    client_drop(&young);
    upper_stop(&upper);
}

static void a_lost_session_expires(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    client_drop(&client);
    atomic_fetch_add(&fake_now_ms, GATEWAY_RESUME_MS - 1);
    gateway_sweep(upper.gateway);
    assert_int_equal(gateway_session_count(upper.gateway), 1);
    atomic_fetch_add(&fake_now_ms, 1);
    gateway_sweep(upper.gateway);
    WAIT_UNTIL(gateway_session_count(upper.gateway) == 0);
    assert_int_equal(atomic_load(&upper.gone), 1);
    client = client_open(&upper);
    client_resume(&client, &ticket, 1);
    expect_has(client_note(&client, 1), "unknown_session");
    client_drop(&client);
    upper_stop(&upper);
}

static void silence_closes_the_socket(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    struct client nobody = client_open(&upper);
    atomic_fetch_add(&fake_now_ms, GATEWAY_IDENTIFY_MS);
    gateway_sweep(upper.gateway);
    assert_int_equal(client_closed(&nobody), GATEWAY_CLOSE_POLICY);
    assert_int_equal(client_closed(&client), 0);
    client_say(&client, "{\"op\":\"heartbeat\",\"s\":0}");
    atomic_fetch_add(&fake_now_ms, GATEWAY_SILENCE_MS - 1);
    gateway_sweep(upper.gateway);
    assert_int_equal(client_closed(&client), 0);
    atomic_fetch_add(&fake_now_ms, 1);
    gateway_sweep(upper.gateway);
    assert_int_equal(client_closed(&client), GATEWAY_CLOSE_POLICY);
    client_drop(&client);
    client_drop(&nobody);
    upper_stop(&upper);
}

/* A sweep reads the time, and then what other threads say has happened since: of thousands of
 * sockets, each that was heard meanwhile was closed as silent once. */
static void what_comes_during_a_sweep_is_not_long_ago(void **state)
{
    enum { SWEEP_MS = 5 };
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    struct client nobody = client_open(&upper);
    atomic_fetch_sub(&fake_now_ms, SWEEP_MS);
    gateway_sweep(upper.gateway);
    atomic_fetch_add(&fake_now_ms, SWEEP_MS);
    assert_int_equal(client_closed(&client), 0);
    assert_int_equal(client_closed(&nobody), 0);
    client_drop(&client);
    WAIT_UNTIL(atomic_load(&upper.offline) == 1);
    atomic_fetch_sub(&fake_now_ms, SWEEP_MS);
    gateway_sweep(upper.gateway);
    atomic_fetch_add(&fake_now_ms, SWEEP_MS);
    assert_int_equal(gateway_session_count(upper.gateway), 1);
    client_drop(&nobody);
    upper_stop(&upper);
}

static void an_offline_backlog_has_an_end(void **state)
{
    bool bytes = *state != NULL;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    struct gateway_session *session = atomic_load(&upper.session);
    client_drop(&client);
    size_t length = bytes ? 64 << 10 : 2, fits = bytes ? 15 : GATEWAY_BACKLOG_FRAMES_MAX - 1;
    char *d = malloc(length + 1);
    assert_non_null(d);
    memset(d, '1', length);
    d[length] = '\0';
    for (size_t i = 0; i < fits; i++)
        gateway_dispatch(session, "e", d);
    WAIT_UNTIL(atomic_load(&upper.offline) == 1);
    assert_int_equal(atomic_load(&upper.gone), 0);
    client = client_open(&upper);
    client_resume(&client, &ticket, 0);
    expect_has(client_note(&client, 1), "resumed");
    client_note(&client, 2 + fits); /* the ready and all of them */
    client_say(&client, "{\"op\":\"heartbeat\",\"s\":1}");
    client_note(&client, 3 + fits);
    client_drop(&client);
    for (size_t i = 0; i < 2; i++)
        gateway_dispatch(session, "e", d);
    WAIT_UNTIL(atomic_load(&upper.gone) == 1);
    gateway_dispatch(session, "e", d); /* to nobody */
    client = client_open(&upper);
    client_resume(&client, &ticket, 1);
    expect_has(client_note(&client, 1), "unknown_session");
    client_drop(&client);
    free(d);
    upper_stop(&upper);
}

/* A client that reads well is not ended for what it has not acknowledged yet. */
static void an_online_session_outlives_its_backlog(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    struct gateway_session *session = atomic_load(&upper.session);
    for (size_t i = 0; i < GATEWAY_BACKLOG_FRAMES_MAX + 10; i++)
        gateway_dispatch(session, "e", NULL);
    client_note(&client, GATEWAY_BACKLOG_FRAMES_MAX + 11);
    assert_int_equal(client_closed(&client), 0);
    client_drop(&client);
    client = client_open(&upper);
    client_resume(&client, &ticket, 11); /* 12 is the oldest kept */
    expect_has(client_note(&client, 1), "resumed");
    expect_has(client_note(&client, 2), "\"s\":12,");
    client_drop(&client);
    client = client_open(&upper);
    client_resume(&client, &ticket, 10);
    expect_has(client_note(&client, 1), "overflow");
    client_drop(&client);
    upper_stop(&upper);
}

static void a_full_websocket_is_resumed_from(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    struct gateway_session *session = atomic_load(&upper.session);
    lock_take(&client.ws->lock);
    client.ws->refuses = true;
    lock_give(&client.ws->lock);
    gateway_dispatch(session, "lost", NULL);
    assert_int_equal(client_closed(&client), GATEWAY_CLOSE_INTERNAL);
    client_drop(&client);
    client = client_open(&upper);
    client_resume(&client, &ticket, 1);
    expect_has(client_note(&client, 2), "\"s\":2,\"t\":\"lost\"");
    client_drop(&client);
    upper_stop(&upper);
}

static void floods_are_refused_by_name(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    atomic_store(&upper.hold, true);
    /* One runs, 64 wait, the others are answered at once. */
    for (uint64_t s = 1; s <= 70; s++)
        client_command(&client, s, "x");
    WAIT_UNTIL(client_notes(&client) >= 2 + 5);
    expect_has(client_note(&client, 2), "\"ok\":false,\"error\":{\"code\":\"busy\"");
    atomic_store(&upper.hold, false);
    client_note(&client, 71); /* one reply each */
    /* The burst is 200; identify was one of them. */
    uint64_t s = 71;
    for (; s <= 199; s++) {
        client_command(&client, s, "x");
        expect_has(client_note(&client, (size_t)s + 1), "\"ok\":true");
    }
    client_command(&client, s, "x");
    expect_has(client_note(&client, (size_t)s + 1), "\"command\":200,\"ok\":false");
    expect_has(client_note(&client, (size_t)s + 1), "too_fast");
    atomic_fetch_add(&fake_now_ms, 20); /* one in 20 ms may */
    client_command(&client, s, "x");
    expect_has(client_note(&client, (size_t)s + 2), "\"command\":200,\"ok\":true");
    client_command(&client, s + 1, "x");
    expect_has(client_note(&client, (size_t)s + 3), "too_fast");
    client_drop(&client);
    upper_stop(&upper);
}

static void unread_frames_have_an_end(void **state)
{
    (void)state;
    struct upper upper;
    upper_start(&upper);
    struct client client = client_open(&upper);
    /* The crew is busy: nobody reads the socket's frames. */
    static char large[HTTP_WS_FRAME_MAX];
    memset(large, ' ', sizeof large);
    lock_take(&upper.gateway->lock); /* readers wait here */
    for (int i = 0; i < GATEWAY_BYTES_WAITING_MAX / HTTP_WS_FRAME_MAX; i++)
        gateway_ws_ops.message(client.socket, large, sizeof large);
    assert_int_equal(client_closed(&client), 0);
    gateway_ws_ops.message(client.socket, large, sizeof large);
    lock_give(&upper.gateway->lock);
    /* A reader may have been quick: then one more fits. */
    if (client_closed(&client) != 0)
        assert_int_equal(client_closed(&client), GATEWAY_CLOSE_LATER);
    client_drop(&client);
    upper_stop(&upper);
}

static void the_end_is_said(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket);
    client_command(&client, 1, "end");
    client_command(&client, 2, "x");
    assert_string_equal(client_note(&client, 2),
                        "{\"op\":\"invalid\",\"d\":{\"reason\":\"ended\",\"code\":\"by_host\"}}");
    WAIT_UNTIL(atomic_load(&upper.gone) == 1);
    assert_int_equal(client_closed(&client), GATEWAY_CLOSE_NORMAL);
    gateway_end(atomic_load(&upper.session), "ended", NULL); /* once is enough */
    assert_int_equal(client_notes(&client), 3);
    client_drop(&client);
    upper_stop(&upper);
}

static void draining_sends_everybody_away(void **state)
{
    (void)state;
    struct upper upper;
    struct ticket ticket;
    upper_start(&upper);
    struct client client = client_identified(&upper, &ticket), late = client_open(&upper);
    gateway_drain(upper.gateway, 1500);
    assert_string_equal(client_note(&client, 2),
                        "{\"op\":\"reconnect\",\"d\":{\"after_ms\":1500}}");
    client_say(&late, "{\"op\":\"identify\"}");
    assert_string_equal(client_note(&late, 2), "{\"op\":\"reconnect\",\"d\":{\"after_ms\":1500}}");
    assert_int_equal(gateway_session_count(upper.gateway), 1);
    client_drop(&client);
    client_drop(&late);
    upper_stop(&upper);
}

/* ---- the k-th allocation fails ---- */

static enum status begin_and_end(void *context)
{
    struct gateway *gateway = NULL;
    enum status status = gateway_new(context, &gateway);
    gateway_free(gateway);
    return status;
}

static void without_memory_nothing_begins(void **state)
{
    (void)state;
    const struct gateway_config config = {.ops = &ops};
    assert_true(alloc_fail_each(begin_and_end, (void *)(uintptr_t)&config) > 3);
}

/* ---- resume is exact, whatever breaks when ---- */

enum { EVENTS = 3000, COMMANDS = 400 };

struct source {
    struct gateway_session *session;
    pthread_t thread;
    atomic_bool paused;
};

static void *source_main(void *arg)
{
    struct source *source = arg;
    struct timespec pause = {.tv_nsec = 50000};
    struct gateway_payload *payload = gateway_payload_new("shared", "{}");
    assert_non_null(payload);
    for (int i = 0; i < EVENTS; i++) {
        if (i % 3 == 0)
            gateway_dispatch_payload(source->session, payload);
        else
            gateway_dispatch(source->session, "own", "{}");
        if (i % 16 == 0)
            nanosleep(&pause, NULL);
    }
    gateway_payload_unref(payload);
    return NULL;
}

/* What a client makes of the frames it was handed. */
struct reader {
    uint64_t seen;    /* newest dispatch */
    uint64_t replies; /* newest command answered */
    uint64_t taken;   /* of the newest `resumed` */
    bool resumed;
};

static void reader_take(struct reader *reader, const char *note)
{
    uint64_t s = 0;
    if (sscanf(note, "{\"op\":\"dispatch\",\"s\":%" SCNu64, &s) == 1) {
        assert_int_equal(s, reader->seen + 1); /* in order, none missing, none twice */
        reader->seen = s;
        const char *reply = strstr(note, "\"t\":\"reply\",\"d\":{\"command\":");
        if (reply != NULL) {
            uint64_t command = strtoull(reply + 27, NULL, 10);
            assert_int_equal(command, reader->replies + 1);
            reader->replies = command;
        }
    } else if (sscanf(note, "{\"op\":\"resumed\",\"s\":%" SCNu64, &s) == 1) {
        reader->taken = s;
        reader->resumed = true;
    } else {
        assert_null(strstr(note, "invalid"));
    }
}

static void breaks_lose_and_double_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct upper upper;
        struct ticket ticket;
        struct rng rng;
        struct reader reader = {0};
        uint64_t said = 0; /* newest command */
        size_t breaks = 0;
        rng_seed(&rng, seed);
        upper_start(&upper);
        struct client client = client_identified(&upper, &ticket);
        reader_take(&reader, client_note(&client, 1));
        struct source source = {.session = atomic_load(&upper.session)};
        assert_int_equal(pthread_create(&source.thread, NULL, source_main, &source), 0);
        size_t read = 2;
        while (reader.seen < 1 + EVENTS + COMMANDS) {
            /* Reads some of what has come, and says some commands. */
            size_t there = client_notes(&client), up_to = read + rng_below(&rng, 40);
            for (; read < there && read < up_to; read++)
                reader_take(&reader, client_note(&client, read));
            for (uint32_t i = rng_below(&rng, 4); i > 0 && said < COMMANDS; i--) {
                if (said - reader.replies >= 32)
                    break;
                client_command(&client, ++said, "x");
                atomic_fetch_add(&fake_now_ms, 20); /* keeps the rate allowed */
            }
            if (rng_below(&rng, 8) == 0) {
                char beat[64];
                snprintf(beat, sizeof beat, "{\"op\":\"heartbeat\",\"s\":%" PRIu64 "}",
                         reader.seen);
                client_say(&client, beat);
                atomic_fetch_add(&fake_now_ms, 20);
            }
            if (rng_below(&rng, 12) != 0 && client_closed(&client) == 0)
                continue;
            /* What it has not read by now it never will: it comes back and asks for it. */
            struct client old = client;
            bool overlap = rng_below(&rng, 3) == 0;
            if (!overlap)
                client_drop(&old);
            client = client_open(&upper);
            client_resume(&client, &ticket, reader.seen);
            reader.resumed = false;
            read = 1;
            for (; !reader.resumed; read++)
                reader_take(&reader, client_note(&client, read));
            if (overlap)
                client_drop(&old);
            assert_true(reader.taken <= said);
            for (uint64_t s = reader.taken + 1; s <= said; s++) {
                client_command(&client, s, "x");
                atomic_fetch_add(&fake_now_ms, 20);
            }
            breaks++;
        }
        assert_int_equal(said, COMMANDS);
        assert_int_equal(reader.replies, COMMANDS);
        assert_int_equal(atomic_load(&upper.commands), COMMANDS);
        assert_true(breaks > 5);
        pthread_join(source.thread, NULL);
        client_drop(&client);
        upper_stop(&upper);
    }
}

int main(void)
{
    static int bytes = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_begins),
        cmocka_unit_test(bad_frames_are_named_and_the_session_lives),
        cmocka_unit_test(before_identify_errors_have_no_number),
        cmocka_unit_test(commands_run_once),
        cmocka_unit_test(resume_replays_what_was_missed),
        cmocka_unit_test(resume_refuses_what_it_cannot_do),
        cmocka_unit_test(a_second_socket_takes_over),
        cmocka_unit_test(a_lost_session_expires),
        cmocka_unit_test(silence_closes_the_socket),
        cmocka_unit_test(what_comes_during_a_sweep_is_not_long_ago),
        cmocka_unit_test(an_offline_backlog_has_an_end),
        {"an_offline_backlog_has_an_end by bytes", an_offline_backlog_has_an_end, NULL, NULL,
         &bytes},
        cmocka_unit_test(an_online_session_outlives_its_backlog),
        cmocka_unit_test(a_full_websocket_is_resumed_from),
        cmocka_unit_test(floods_are_refused_by_name),
        cmocka_unit_test(unread_frames_have_an_end),
        cmocka_unit_test(the_end_is_said),
        cmocka_unit_test(draining_sends_everybody_away),
        cmocka_unit_test(without_memory_nothing_begins),
        cmocka_unit_test(breaks_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
