/*
 * tests/unit/signalling/http/fixture.h - a running edge on free ports with a folder, some
 * routes and an echoing websocket, and a client that sends raw bytes, by TLS or not.
 */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "core/bytes.h"
#include "core/clock.h"
#include "signalling/http/edge.h"
#include "signalling/http/http.h"
#include "tests/support/scratch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FIXTURE_UNUSED __attribute__((unused))
#define SCRIPT_TEXT "console.log('parley');\n"
#define PAGE_TEXT "<!doctype html><title>Parley</title>\n"

enum { PATIENCE_MS = 10000, REPLY_MAX = 1 << 21 };

struct fixture {
    char folder[SCRATCH_PATH_MAX], web[SCRATCH_PATH_MAX + 8];
    struct crew *crew;
    struct http *http;
    uint16_t port, tls_port;
    atomic_int opened, closed, oversized, messages;
    atomic_int held; /* handlers of /hold that began */
    atomic_int ice_fd;
    atomic_bool hold; /* the handler of /hold waits for this to be false */
    _Atomic(struct http_ws *) last;
};

static FIXTURE_UNUSED void write_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static FIXTURE_UNUSED void web_file(const struct fixture *f, const char *name, const char *text)
{
    char path[SCRATCH_PATH_MAX + 80];
    snprintf(path, sizeof path, "%s/%s", f->web, name);
    write_file(path, text, strlen(text));
}

/* ---- what the edge is given ---- */

static void answer_echo(void *context, const struct http_request *request, struct http_reply *reply)
{
    (void)context;
    reply->content_type = "text/plain";
    reply->body = request->body;
    reply->body_length = request->body_length;
}

static void answer_facts(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    (void)context;
    const char *name = http_query(request, "name");
    http_reply_json(reply, 200,
                    arena_printf(request->arena,
                                 "{\"method\":\"%s\",\"path\":\"%s\",\"param\":\"%s\","
                                 "\"name\":\"%s\",\"host\":\"%s\",\"type\":\"%s\",\"auth\":\"%s\","
                                 "\"address\":\"%s\",\"loopback\":%d,\"secure\":%d}",
                                 request->method, request->path, request->params[0],
                                 name != NULL ? name : "-", request->host, request->content_type,
                                 request->authorization, request->address, request->loopback,
                                 request->secure));
}

static void answer_problem_of_handler(void *context, const struct http_request *request,
                                      struct http_reply *reply)
{
    (void)context;
    http_problem(request, reply, 409, "taken", "said \"no\"");
    http_reply_header(reply, "X-Good", "yes");
    http_reply_header(reply, "X-Bad", "a\r\nSet-Cookie: b");
}

static void answer_large(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    (void)context;
    size_t length = 4 << 20;
    char *body = arena_alloc(request->arena, length);
    assert_non_null(body);
    memset(body, 'x', length);
    reply->body = body;
    reply->body_length = length;
}

static void answer_hold(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct fixture *f = context;
    (void)request;
    struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
    atomic_fetch_add(&f->held, 1);
    while (atomic_load(&f->hold))
        nanosleep(&pause, NULL);
    http_reply_json(reply, 200, "{}");
}

struct echo {
    struct fixture *f;
    struct http_ws *ws;
};

static void *echo_open(void *context, struct http_ws *ws, const char *address, bool loopback)
{
    struct fixture *f = context;
    assert_string_equal(address, "127.0.0.1");
    assert_true(loopback);
    struct echo *echo = malloc(sizeof *echo);
    assert_non_null(echo);
    *echo = (struct echo){.f = f, .ws = http_ws_ref(ws)};
    atomic_store(&f->last, ws);
    atomic_fetch_add(&f->opened, 1);
    return echo;
}

static void echo_message(void *session, const char *text, size_t length)
{
    const struct echo *echo = session;
    atomic_fetch_add(&echo->f->messages, 1);
    if (length == 5 && memcmp(text, "leave", 5) == 0)
        http_ws_close(echo->ws, 4000);
    else
        (void)!http_ws_send(echo->ws, text, length);
}

static void echo_oversized(void *session)
{
    const struct echo *echo = session;
    atomic_fetch_add(&echo->f->oversized, 1);
    (void)!http_ws_send(echo->ws, "too large", 9);
}

static void echo_closed(void *session)
{
    struct echo *echo = session;
    struct fixture *f = echo->f;
    http_ws_unref(echo->ws);
    free(echo);
    atomic_fetch_add(&f->closed, 1);
}

static const struct http_ws_ops echo_ops = {
    .open = echo_open,
    .message = echo_message,
    .oversized = echo_oversized,
    .closed = echo_closed,
};

static void take_ice(void *context, int fd, const uint8_t *bytes, size_t length)
{
    struct fixture *f = context;
    (void)bytes;
    assert_int_equal(length, 0);
    atomic_store(&f->ice_fd, fd);
}

/* ---- its life ---- */

static FIXTURE_UNUSED void fixture_config(struct fixture *f, struct http_config *config)
{
    memset(f, 0, sizeof *f);
    atomic_init(&f->ice_fd, -1);
    scratch_make(f->folder);
    snprintf(f->web, sizeof f->web, "%s/web", f->folder);
    assert_int_equal(mkdir(f->web, 0700), 0);
    char assets[SCRATCH_PATH_MAX + 32];
    snprintf(assets, sizeof assets, "%s/assets", f->web);
    assert_int_equal(mkdir(assets, 0700), 0);
    web_file(f, "index.html", PAGE_TEXT);
    web_file(f, "assets/main-1a2b3c.js", SCRIPT_TEXT);
    web_file(f, "assets/main-1a2b3c.js.br", "BROTLI");
    web_file(f, "assets/main-1a2b3c.js.gz", "GZIP");
    web_file(f, ".secret", "no");
    assert_int_equal(crew_new("test", 2, 4096, &f->crew), STATUS_OK);
    *config = (struct http_config){
        .https = true,
        .directory = f->folder,
        .web = f->web,
        .crew = f->crew,
        .ice_tcp = take_ice,
        .ice_tcp_context = f,
    };
}

static FIXTURE_UNUSED void fixture_new(struct fixture *f, const struct http_config *config)
{
    char error[256];
    const struct http_route routes[] = {
        {"POST", "/echo", answer_echo, NULL, 65536},
        {"POST", "/upload", answer_echo, NULL, HTTP_BODY_MAX},
        {"GET", "/facts/{x}", answer_facts, NULL, 0},
        {"PATCH", "/facts/{x}", answer_facts, NULL, 1024},
        {"GET", "/problem", answer_problem_of_handler, NULL, 0},
        {"GET", "/large", answer_large, NULL, 0},
        {"GET", "/hold", answer_hold, f, 0},
    };
    if (http_new(config, &f->http, error) != STATUS_OK)
        fail_msg("http_new: %s", error);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        assert_int_equal(http_route_add(f->http, &routes[i]), STATUS_OK);
    http_websocket(f->http, "/gateway", &echo_ops, f);
    f->http->limits.linger_ms = 200;
    f->port = http_port(f->http);
    f->tls_port = https_port(f->http);
}

static FIXTURE_UNUSED void fixture_start(struct fixture *f)
{
    assert_int_equal(http_start(f->http), STATUS_OK);
}

static FIXTURE_UNUSED void fixture_free(struct fixture *f)
{
    f->http = http_free(f->http);
    f->crew = crew_free(f->crew);
    scratch_remove(f->folder);
    assert_int_equal(atomic_load(&f->opened), atomic_load(&f->closed));
}

/* Everything at its default. */
static FIXTURE_UNUSED void fixture_plain(struct fixture *f)
{
    struct http_config config;
    fixture_config(f, &config);
    fixture_new(f, &config);
    fixture_start(f);
}

/* ---- the client ---- */

struct wire {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

static FIXTURE_UNUSED struct wire wire_open(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct wire wire = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(wire.fd >= 0);
    assert_int_equal(connect(wire.fd, (struct sockaddr *)&address, sizeof address), 0);
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    setsockopt(wire.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return wire;
}

static FIXTURE_UNUSED struct wire wire_open_tls(uint16_t port)
{
    struct wire wire = wire_open(port);
    static const unsigned char alpn[] = "\x02h2\x08http/1.1";
    wire.context = SSL_CTX_new(TLS_client_method());
    assert_non_null(wire.context);
    wire.ssl = SSL_new(wire.context);
    assert_non_null(wire.ssl);
    SSL_set_alpn_protos(wire.ssl, alpn, sizeof alpn - 1);
    SSL_set_fd(wire.ssl, wire.fd);
    assert_int_equal(SSL_connect(wire.ssl), 1);
    return wire;
}

static FIXTURE_UNUSED void wire_close(struct wire *wire)
{
    SSL_free(wire->ssl);
    SSL_CTX_free(wire->context);
    if (wire->fd >= 0)
        close(wire->fd);
    *wire = (struct wire){.fd = -1};
}

/* The other side may have closed already: what could not be sent is its affair. */
static FIXTURE_UNUSED void wire_send(struct wire *wire, const void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t put = wire->ssl != NULL
                          ? SSL_write(wire->ssl, (const char *)bytes + at, (int)(length - at))
                          : send(wire->fd, (const char *)bytes + at, length - at, MSG_NOSIGNAL);
        if (put <= 0)
            return;
        at += (size_t)put;
    }
}

static FIXTURE_UNUSED void wire_text(struct wire *wire, const char *text)
{
    wire_send(wire, text, strlen(text));
}

/* 0 at the end; -1 when nothing came in PATIENCE_MS or it broke. */
static FIXTURE_UNUSED ssize_t wire_read(struct wire *wire, void *bytes, size_t size)
{
    if (wire->ssl != NULL) {
        int got = SSL_read(wire->ssl, bytes, (int)size);
        if (got > 0)
            return got;
        return SSL_get_error(wire->ssl, got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    }
    return recv(wire->fd, bytes, size, 0);
}

static FIXTURE_UNUSED void wire_exactly(struct wire *wire, void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t got = wire_read(wire, (char *)bytes + at, length - at);
        assert_true(got > 0);
        at += (size_t)got;
    }
}

struct reply {
    int status;
    char head[8192];
    char *body; /* NUL-terminated */
    size_t body_length;
};

static FIXTURE_UNUSED const char *reply_field(const struct reply *reply, const char *name)
{
    static char value[1024];
    char wanted[80];
    snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *at = strcasestr(reply->head, wanted);
    if (at == NULL)
        return NULL;
    at += strlen(wanted);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

/* Reads one response; `bodiless`: it answers HEAD. */
static FIXTURE_UNUSED void wire_reply(struct wire *wire, bool bodiless, struct reply *reply)
{
    size_t length = 0;
    memset(reply, 0, sizeof *reply);
    while (length < 4 || memcmp(reply->head + length - 4, "\r\n\r\n", 4) != 0) {
        assert_true(length < sizeof reply->head - 1);
        wire_exactly(wire, reply->head + length++, 1);
    }
    assert_int_equal(sscanf(reply->head, "HTTP/1.1 %d ", &reply->status), 1);
    const char *said = reply_field(reply, "Content-Length");
    if (!bodiless && said != NULL)
        reply->body_length = strtoul(said, NULL, 10);
    assert_true(reply->body_length < 16u << 20);
    reply->body = calloc(1, reply->body_length + 1);
    assert_non_null(reply->body);
    wire_exactly(wire, reply->body, reply->body_length);
}

static FIXTURE_UNUSED void reply_free(struct reply *reply)
{
    free(reply->body);
    reply->body = NULL;
}

/* True when the server ends the connection. */
static FIXTURE_UNUSED bool wire_ended(struct wire *wire)
{
    char thrown[4096];
    ssize_t got;
    while ((got = wire_read(wire, thrown, sizeof thrown)) > 0)
        ;
    return got == 0 || errno == ECONNRESET;
}

/* Sends one request on a connection of its own and reads the answer. */
static FIXTURE_UNUSED void ask(uint16_t port, const char *request, struct reply *reply)
{
    struct wire wire = wire_open(port);
    wire_text(&wire, request);
    wire_reply(&wire, strncmp(request, "HEAD", 4) == 0, reply);
    wire_close(&wire);
}

#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        struct timespec pause_ = {.tv_nsec = CLOCK_NS_PER_MS};                                     \
        uint64_t until_ = clock_mono_ns() + (uint64_t)PATIENCE_MS * CLOCK_NS_PER_MS;               \
        while (!(condition)) {                                                                     \
            assert_true(clock_mono_ns() < until_);                                                 \
            nanosleep(&pause_, NULL);                                                              \
        }                                                                                          \
    } while (0)

#endif
