/*
 * tests/unit/signalling/sip/phone/stage.h - parley-phone without its bridge: the server's end of
 * its socket and a telephone's are ours.
 */
#ifndef TESTS_PHONE_STAGE_H
#define TESTS_PHONE_STAGE_H

#include "core/clock.h"
#include "signalling/sip/wire.h"
#include "tests/support/port.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PHONE_UNUSED __attribute__((unused))

enum {
    CHILD_SOCKET = 3,
    TEXT_MAX = 16384,
    WAIT_MS = 10000,
    SILENCE_MS = 300,
    END_MS = 4000, /* it gives the other side 1.5 s */
    UNREAD_SIZE = 8000 /* bytes of each message the server does not read */,
    UNREAD_COUNT = 100,
};

struct seen {
    enum wire_type awaited, type;
    uint64_t call;
    uint16_t code;
    char sdp[512], reason[128];
};

struct stage {
    pid_t pid;
    struct wire_end end;
    struct seen seen; /* the message awaited, when it came */
    int port, client;
    unsigned branch;
};

/* ---- the server's side ---- */

static PHONE_UNUSED void message_keep(void *context, const struct wire_message *message)
{
    struct seen *seen = context;
    const char *sdp = message->fields[WIRE_SDP], *reason = message->fields[WIRE_REASON];
    if (message->type != seen->awaited)
        return;
    seen->type = message->type;
    seen->call = message->call;
    seen->code = message->code;
    snprintf(seen->sdp, sizeof seen->sdp, "%s", sdp != NULL ? sdp : "");
    snprintf(seen->reason, sizeof seen->reason, "%s", reason != NULL ? reason : "");
}

/* What comes before it, and with it, is passed over. */
static PHONE_UNUSED struct seen expect(struct stage *stage, enum wire_type type)
{
    uint64_t end = clock_mono_ns() + WAIT_MS * (uint64_t)CLOCK_NS_PER_MS;
    stage->seen = (struct seen){.awaited = type};
    while (stage->seen.type != type && clock_mono_ns() < end) {
        struct pollfd wait = {.fd = stage->end.fd, .events = POLLIN};
        if (poll(&wait, 1, WAIT_MS) > 0 &&
            wire_end_read(&stage->end, message_keep, &stage->seen) != STATUS_OK)
            break; /* it said that and ended */
    }
    struct seen seen = stage->seen;
    assert_int_equal(seen.type, type);
    return seen;
}

static PHONE_UNUSED void say(struct stage *stage, const struct wire_message *message)
{
    assert_int_equal(wire_end_send(&stage->end, message), STATUS_OK);
}

static PHONE_UNUSED void process_start(struct stage *stage)
{
    int pair[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *const arguments[] = {"parley-phone", NULL}, *const environment[] = {NULL};
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP); /* as the bridge starts it */
    posix_spawn_file_actions_adddup2(&actions, pair[1], CHILD_SOCKET);
    posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_SOCKET + 1);
    assert_int_equal(
        posix_spawn(&stage->pid, PARLEY_PHONE, &actions, &attributes, arguments, environment), 0);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(pair[1]);
    stage->end.fd = pair[0];
}

/* Whether it ended by itself in time, and well. */
static PHONE_UNUSED bool process_ends(struct stage *stage)
{
    int how = 0;
    for (int waited = 0; waited < END_MS; waited += 10) {
        if (waitpid(stage->pid, &how, WNOHANG) == stage->pid) {
            stage->pid = 0;
            return WIFEXITED(how) && WEXITSTATUS(how) == 0;
        }
        usleep(10000);
    }
    return false;
}

static PHONE_UNUSED void listen_say(struct stage *stage, const char *host, uint16_t transport)
{
    char address[64];
    struct wire_message message = {.type = WIRE_LISTEN, .code = transport};
    snprintf(address, sizeof address, "%s:%d", host, stage->port);
    message.fields[WIRE_ADDRESS] = address;
    say(stage, &message);
}

static PHONE_UNUSED void start_say(struct stage *stage)
{
    struct wire_message allow = {.type = WIRE_ALLOW}, trunk = {.type = WIRE_TRUNK, .code = 30};
    allow.fields[WIRE_ADDRESS] = "127.0.0.1/32";
    say(stage, &allow);
    trunk.fields[WIRE_NAME] = "main";
    trunk.fields[WIRE_DOMAIN] = "127.0.0.1";
    trunk.fields[WIRE_USER] = "parley";
    trunk.fields[WIRE_PASSWORD] = "secret";
    trunk.fields[WIRE_EXPIRES] = "300";
    say(stage, &trunk);
    say(stage, &(struct wire_message){.type = WIRE_START});
}

static PHONE_UNUSED int set_up_silent(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    int client_port;
    assert_non_null(stage);
    stage->port = port_free();
    assert_int_not_equal(stage->port, 0);
    stage->client = port_socket("127.0.0.1", &client_port);
    assert_return_code(stage->client, 0);
    process_start(stage);
    *state = stage;
    return 0;
}

static PHONE_UNUSED int set_up(void **state)
{
    set_up_silent(state);
    struct stage *stage = *state;
    listen_say(stage, "0.0.0.0", WIRE_UDP);
    listen_say(stage, "0.0.0.0", WIRE_TCP);
    start_say(stage);
    expect(stage, WIRE_READY);
    return 0;
}

static PHONE_UNUSED int tear_down(void **state)
{
    struct stage *stage = *state;
    if (stage->pid > 0) {
        kill(stage->pid, SIGKILL);
        waitpid(stage->pid, NULL, 0);
    }
    if (stage->end.fd >= 0)
        close(stage->end.fd);
    wire_end_clear(&stage->end);
    close(stage->client);
    free(stage);
    return 0;
}

/* ---- a telephone ---- */

static const char offer[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                            "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

static PHONE_UNUSED struct sockaddr_in place_of(const struct stage *stage)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)stage->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

static PHONE_UNUSED int port_of(int fd)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    getsockname(fd, (struct sockaddr *)&at, &size);
    return ntohs(at.sin_port);
}

/* `to`: of a dialog, or NULL. */
static PHONE_UNUSED void request_send(struct stage *stage, const char *method, const char *id,
                                      const char *to, unsigned cseq, const char *headers,
                                      const char *body)
{
    char text[TEXT_MAX];
    struct sockaddr_in at = place_of(stage);
    int length = snprintf(
        text, sizeof text,
        "%s sip:100@127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/UDP "
        "127.0.0.1:%d;branch=z9hG4bK%u;rport\r\n"
        "From: <sip:+4930123@127.0.0.1>;tag=f%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
        "Max-Forwards: 70\r\n%s%sContent-Length: %zu\r\n\r\n%s",
        method, stage->port, port_of(stage->client), ++stage->branch, id,
        to != NULL ? to : "<sip:100@127.0.0.1>", id, cseq, method, headers,
        body[0] != '\0' ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    assert_in_range(length, 1, sizeof text - 1);
    assert_int_equal(
        sendto(stage->client, text, (size_t)length, 0, (struct sockaddr *)&at, sizeof at), length);
}

/* Waits for a message that begins with `line`; others are passed over. */
static PHONE_UNUSED bool hears(int fd, const char *line, int patience_ms, char ret_text[TEXT_MAX])
{
    uint64_t end = clock_mono_ns() + (uint64_t)patience_ms * CLOCK_NS_PER_MS;
    for (uint64_t now; (now = clock_mono_ns()) < end;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, (int)((end - now) / CLOCK_NS_PER_MS) + 1) <= 0)
            return false;
        ssize_t got = recv(fd, ret_text, TEXT_MAX - 1, 0);
        if (got <= 0)
            return false;
        ret_text[got] = '\0';
        if (strncmp(ret_text, line, strlen(line)) == 0)
            return true;
    }
    return false;
}

static PHONE_UNUSED void header_of(const char *text, const char *name, char *ret_value, size_t size)
{
    char search[32];
    snprintf(search, sizeof search, "\r\n%s: ", name);
    const char *at = strstr(text, search);
    assert_non_null(at);
    at += strlen(search);
    snprintf(ret_value, size, "%.*s", (int)strcspn(at, "\r"), at);
}

/* An INVITE, told and answered: its number; `ret_answer`: the 200. */
static PHONE_UNUSED uint64_t call_make(struct stage *stage, const char *id, const char *headers,
                                       char ret_answer[TEXT_MAX])
{
    request_send(stage, "INVITE", id, NULL, 1, headers, offer);
    struct wire_message answer = {.type = WIRE_ANSWER, .call = expect(stage, WIRE_INVITE).call};
    answer.fields[WIRE_SDP] = offer;
    say(stage, &answer);
    assert_true(hears(stage->client, "SIP/2.0 200", WAIT_MS, ret_answer));
    return answer.call;
}

static PHONE_UNUSED void contact_make(const struct stage *stage, char ret_header[128])
{
    snprintf(ret_header, 128, "Contact: <sip:ann@127.0.0.1:%d>\r\n", port_of(stage->client));
}

/* It is the same process, and takes a call. */
static PHONE_UNUSED void alive(struct stage *stage)
{
    char text[TEXT_MAX], contact[128];
    contact_make(stage, contact);
    request_send(stage, "INVITE", "alive", NULL, 1, contact, offer);
    uint64_t call = expect(stage, WIRE_INVITE).call;
    say(stage, &(struct wire_message){.type = WIRE_REFUSE, .call = call, .code = 404});
    assert_true(hears(stage->client, "SIP/2.0 404", WAIT_MS, text));
    assert_int_equal(waitpid(stage->pid, NULL, WNOHANG), 0);
}

/* ---- a provider ---- */

/* The trunk's addresses from now on: these sockets'. */
static PHONE_UNUSED void targets_say(struct stage *stage, const int *fds, size_t count)
{
    char targets[128] = "";
    struct wire_message message = {.type = WIRE_TARGETS};
    for (size_t i = 0, used = 0; i < count; i++)
        used += (size_t)snprintf(targets + used, sizeof targets - used, "udp:127.0.0.1:%d ",
                                 port_of(fds[i]));
    message.fields[WIRE_NAME] = "main";
    message.fields[WIRE_ADDRESS] = targets;
    say(stage, &message);
}

/* `headers` and what they end with: a body after an empty line, or the empty line. */
static PHONE_UNUSED void reply(struct stage *stage, int fd, const char *request, const char *status,
                               const char *headers)
{
    char text[TEXT_MAX], via[256], from[256], to[256], id[256], cseq[64];
    struct sockaddr_in at = place_of(stage);
    header_of(request, "Via", via, sizeof via);
    header_of(request, "From", from, sizeof from);
    header_of(request, "To", to, sizeof to);
    header_of(request, "Call-ID", id, sizeof id);
    header_of(request, "CSeq", cseq, sizeof cseq);
    int length = snprintf(text, sizeof text,
                          "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: "
                          "%s\r\n%s",
                          status, via, from, to, strstr(to, ";tag=") == NULL ? ";tag=r" : "", id,
                          cseq, headers);
    assert_in_range(length, 1, sizeof text - 1);
    assert_int_equal(sendto(fd, text, (size_t)length, 0, (struct sockaddr *)&at, sizeof at),
                     length);
}

/* Its trunk registers with us, and we take it; the provider's socket. */
static PHONE_UNUSED int registered(struct stage *stage)
{
    char text[TEXT_MAX], headers[128];
    int port, fd = port_socket("127.0.0.1", &port);
    targets_say(stage, &fd, 1);
    assert_true(hears(fd, "REGISTER ", WAIT_MS, text));
    snprintf(headers, sizeof headers,
             "Contact: <sip:parley@127.0.0.1:%d;transport=udp>;expires=300\r\n\r\n", stage->port);
    reply(stage, fd, text, "200 OK", headers);
    assert_int_equal(expect(stage, WIRE_TRUNK_STATE).code, 1);
    return fd;
}

#endif
