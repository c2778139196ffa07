/*
 * parley-phone without its bridge: what the table "Guards" of docs/design/phone.md says it does
 * where sofia-sip would not, one test a line. The server's end of its socket and a telephone's are
 * ours.
 */
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

static void message_keep(void *context, const struct wire_message *message)
{
    struct seen *seen = context;
    const char *sdp = message->fields[WIRE_SDP], *reason = message->fields[WIRE_REASON];
    if (message->type != seen->awaited)
        return;
    seen->type = message->type;
    seen->call = message->call;
    snprintf(seen->sdp, sizeof seen->sdp, "%s", sdp != NULL ? sdp : "");
    snprintf(seen->reason, sizeof seen->reason, "%s", reason != NULL ? reason : "");
}

/* What comes before it, and with it, is passed over. */
static struct seen expect(struct stage *stage, enum wire_type type)
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

static void say(struct stage *stage, const struct wire_message *message)
{
    assert_int_equal(wire_end_send(&stage->end, message), STATUS_OK);
}

static void process_start(struct stage *stage)
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
static bool process_ends(struct stage *stage)
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

static void listen_say(struct stage *stage, const char *host, uint16_t transport)
{
    char address[64];
    struct wire_message message = {.type = WIRE_LISTEN, .code = transport};
    snprintf(address, sizeof address, "%s:%d", host, stage->port);
    message.fields[WIRE_ADDRESS] = address;
    say(stage, &message);
}

static void start_say(struct stage *stage)
{
    struct wire_message allow = {.type = WIRE_ALLOW}, trunk = {.type = WIRE_TRUNK, .code = 30};
    allow.fields[WIRE_ADDRESS] = "127.0.0.1/32";
    say(stage, &allow);
    trunk.fields[WIRE_NAME] = "main";
    trunk.fields[WIRE_DOMAIN] = "127.0.0.1";
    trunk.fields[WIRE_USER] = "parley";
    trunk.fields[WIRE_EXPIRES] = "300";
    say(stage, &trunk);
    say(stage, &(struct wire_message){.type = WIRE_START});
}

static int set_up_silent(void **state)
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

static int set_up(void **state)
{
    set_up_silent(state);
    struct stage *stage = *state;
    listen_say(stage, "0.0.0.0", WIRE_UDP);
    listen_say(stage, "0.0.0.0", WIRE_TCP);
    start_say(stage);
    expect(stage, WIRE_READY);
    return 0;
}

static int tear_down(void **state)
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

static struct sockaddr_in place_of(const struct stage *stage)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)stage->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

static int port_of(int fd)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    getsockname(fd, (struct sockaddr *)&at, &size);
    return ntohs(at.sin_port);
}

/* `to`: of a dialog, or NULL. */
static void request_send(struct stage *stage, const char *method, const char *id, const char *to,
                         unsigned cseq, const char *headers, const char *body)
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

/* Waits for a message that begins with `line`; false: none of those before the silence did. */
static bool hears(int fd, const char *line, int patience_ms, char ret_text[TEXT_MAX])
{
    struct timeval patience = {.tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (int i = 0; i < 100; i++) {
        ssize_t got = recv(fd, ret_text, TEXT_MAX - 1, 0);
        if (got <= 0)
            return false;
        ret_text[got] = '\0';
        if (strncmp(ret_text, line, strlen(line)) == 0)
            return true;
    }
    return false;
}

static void header_of(const char *text, const char *name, char *ret_value, size_t size)
{
    char search[32];
    snprintf(search, sizeof search, "\r\n%s: ", name);
    const char *at = strstr(text, search);
    assert_non_null(at);
    at += strlen(search);
    snprintf(ret_value, size, "%.*s", (int)strcspn(at, "\r"), at);
}

/* An INVITE, told and answered: its number; `ret_answer`: the 200. */
static uint64_t call_make(struct stage *stage, const char *id, const char *headers,
                          char ret_answer[TEXT_MAX])
{
    request_send(stage, "INVITE", id, NULL, 1, headers, offer);
    struct wire_message answer = {.type = WIRE_ANSWER, .call = expect(stage, WIRE_INVITE).call};
    answer.fields[WIRE_SDP] = offer;
    say(stage, &answer);
    assert_true(hears(stage->client, "SIP/2.0 200", WAIT_MS, ret_answer));
    return answer.call;
}

static void contact_make(const struct stage *stage, char ret_header[128])
{
    snprintf(ret_header, 128, "Contact: <sip:ann@127.0.0.1:%d>\r\n", port_of(stage->client));
}

/* It is the same process, and takes a call. */
static void alive(struct stage *stage)
{
    char text[TEXT_MAX], contact[128];
    contact_make(stage, contact);
    request_send(stage, "INVITE", "alive", NULL, 1, contact, offer);
    uint64_t call = expect(stage, WIRE_INVITE).call;
    say(stage, &(struct wire_message){.type = WIRE_REFUSE, .call = call, .code = 404});
    assert_true(hears(stage->client, "SIP/2.0 404", WAIT_MS, text));
    assert_int_equal(waitpid(stage->pid, NULL, WNOHANG), 0);
}

/* Its trunk registers with us, and we take it; the registrar's socket. */
static int registered(struct stage *stage)
{
    char text[TEXT_MAX], answer[TEXT_MAX], target[48], via[256], from[256], to[256], id[256],
        cseq[64];
    int port, fd = port_socket("127.0.0.1", &port);
    struct wire_message targets = {.type = WIRE_TARGETS};
    snprintf(target, sizeof target, "udp:127.0.0.1:%d", port);
    targets.fields[WIRE_NAME] = "main";
    targets.fields[WIRE_ADDRESS] = target;
    say(stage, &targets);
    assert_true(hears(fd, "REGISTER ", WAIT_MS, text));
    header_of(text, "Via", via, sizeof via);
    header_of(text, "From", from, sizeof from);
    header_of(text, "To", to, sizeof to);
    header_of(text, "Call-ID", id, sizeof id);
    header_of(text, "CSeq", cseq, sizeof cseq);
    int length = snprintf(answer, sizeof answer,
                          "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=r\r\nCall-ID: "
                          "%s\r\nCSeq: %s\r\nContact: <sip:parley@127.0.0.1:%d;transport=udp>;"
                          "expires=300\r\nContent-Length: 0\r\n\r\n",
                          via, from, to, id, cseq, stage->port);
    struct sockaddr_in at = place_of(stage);
    assert_int_equal(sendto(fd, answer, (size_t)length, 0, (struct sockaddr *)&at, sizeof at),
                     length);
    expect(stage, WIRE_TRUNK_STATE);
    return fd;
}

/* ---- the guards ---- */

/* Where a request cannot be sent to is no Contact, no Record-Route, at first and later. */
static void test_an_address_nothing_can_be_sent_to_is_refused(void **state)
{
    struct stage *stage = *state;
    static const char *const headers[] = {
        "",
        "Contact: <tel:+123>\r\n",
        "Contact: <sip:>\r\n",
        "Contact: *\r\n",
        "Contact: <http://127.0.0.1/>\r\n",
        "Contact: <sip:ann@127.0.0.1>, <sip:ann@127.0.0.2>\r\n",
        "Contact: <sip:ann@127.0.0.1:99999>\r\n",
        "Contact: <sip:ann@127.0.0.1:0>\r\n",
        "Contact: <sip:ann@a..b>\r\n",
        "Contact: <sip:ann@[]>\r\n",
        "Contact: <sip:ann@127.0.0.1;transport=foo>\r\n",
        "Contact: <sip:ann@127.0.0.1;maddr=>\r\n",
        "Contact: <sip:ann@127.0.0.1>\r\nRecord-Route: <tel:+1>\r\n",
        "Contact: <sip:ann@127.0.0.1>\r\nRecord-Route: <sip:127.0.0.1;lr>, <sip:;lr>\r\n",
    };
    char text[TEXT_MAX], id[32], contact[128], to[256];
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        snprintf(id, sizeof id, "outside%zu", i);
        request_send(stage, "INVITE", id, NULL, 1, headers[i], offer);
        assert_true(hears(stage->client, "SIP/2.0 400", WAIT_MS, text));
    }
    contact_make(stage, contact);
    call_make(stage, "inside", contact, text);
    header_of(text, "To", to, sizeof to);
    request_send(stage, "ACK", "inside", to, 1, "", "");
    expect(stage, WIRE_ACK);
    for (unsigned i = 1; i < sizeof headers / sizeof headers[0]; i++) {
        const char *method = i % 2 == 0 ? "INVITE" : "UPDATE";
        request_send(stage, method, "inside", to, 1 + i, headers[i], "");
        assert_true(hears(stage->client, "SIP/2.0 400", WAIT_MS, text));
    }
    alive(stage);
}

/* The stack would read past the end of a branch that is shorter than the cookie. */
static void test_a_branch_without_the_cookie_is_refused(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    struct sockaddr_in at = place_of(stage);
    static const char *const branches[] = {"", ";branch=x", ";branch=z9hG4b"};
    for (size_t i = 0; i < sizeof branches / sizeof branches[0]; i++) {
        int length = snprintf(text, sizeof text,
                              "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d%s\r\n"
                              "From: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:b@127.0.0.1>\r\n"
                              "Call-ID: c%zu\r\nCSeq: 1 OPTIONS\r\n\r\n",
                              port_of(stage->client), branches[i], i);
        assert_int_equal(
            sendto(stage->client, text, (size_t)length, 0, (struct sockaddr *)&at, sizeof at),
            length);
        assert_true(hears(stage->client, "SIP/2.0 400", WAIT_MS, text));
    }
    alive(stage);
}

/* sofia-sip's own SDP parser runs for ever on letters that are not ASCII. */
static void test_sdp_of_any_bytes_is_only_handed_on(void **state)
{
    struct stage *stage = *state;
    char contact[128];
    contact_make(stage, contact);
    request_send(stage, "INVITE", "bytes", NULL, 1, contact,
                 "v=0\r\no=\xc3\xa4 1 1 IN IP4 x\r\ns=\xff\r\nm=audio\xe4 1\r\n");
    assert_non_null(strstr(expect(stage, WIRE_INVITE).sdp, "s=\xff"));
    alive(stage);
}

/* A name would be asked for on the one thread; where the stack listens is the first it resolves. */
static void test_names_are_not_resolved(void **state)
{
    struct stage *stage = *state;
    listen_say(stage, "localhost", WIRE_UDP);
    start_say(stage);
    assert_non_null(strstr(expect(stage, WIRE_FAILED).reason, "localhost"));
}

/* The server is gone: who talks hears BYE, who rings 480, and the registrar that it leaves. Nobody
 * answers, so it ends at its deadline. */
static void test_it_says_goodbye_and_ends_in_time(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], contact[128], to[256];
    contact_make(stage, contact);
    call_make(stage, "last", contact, text);
    header_of(text, "To", to, sizeof to);
    request_send(stage, "ACK", "last", to, 1, "", "");
    expect(stage, WIRE_ACK);
    int registrar = registered(stage);
    request_send(stage, "UPDATE", "last", to, 2, contact, offer);
    expect(stage, WIRE_REINVITE);
    request_send(stage, "INVITE", "ringing", NULL, 1, contact, offer);
    expect(stage, WIRE_INVITE);
    close(stage->end.fd);
    stage->end.fd = -1;
    assert_true(hears(registrar, "REGISTER ", WAIT_MS, text));
    assert_non_null(strstr(text, "\r\nExpires: 0\r\n"));
    close(registrar);
    bool bye = false, refused = false;
    for (int i = 0; i < 10 && !(bye && refused); i++) {
        assert_true(hears(stage->client, "", WAIT_MS, text));
        bye |= strncmp(text, "BYE sip:ann@127.0.0.1", 21) == 0;
        refused |= strncmp(text, "SIP/2.0 480", 11) == 0;
    }
    assert_true(bye && refused);
    assert_true(process_ends(stage));
}

/* The stack's own Contact would be any of the machine's addresses. */
static void test_contact_is_where_the_caller_reaches_us(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], contact[128], own[128], wanted[128];
    snprintf(wanted, sizeof wanted, "<sip:127.0.0.1:%d;transport=udp>", stage->port);
    contact_make(stage, contact);
    request_send(stage, "INVITE", "contact", NULL, 1, contact, offer);
    uint64_t call = expect(stage, WIRE_INVITE).call;
    assert_true(hears(stage->client, "SIP/2.0 180", WAIT_MS, text));
    header_of(text, "Contact", own, sizeof own);
    assert_string_equal(own, wanted);
    struct wire_message answer = {.type = WIRE_ANSWER, .call = call};
    answer.fields[WIRE_SDP] = offer;
    say(stage, &answer);
    assert_true(hears(stage->client, "SIP/2.0 200", WAIT_MS, text));
    header_of(text, "Contact", own, sizeof own);
    assert_string_equal(own, wanted);
}

/* A server that reads nothing does not stop it: what is told to it waits. */
static void test_it_does_not_wait_for_the_server(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], contact[128], id[32], *body = malloc(UNREAD_SIZE);
    assert_non_null(body);
    memset(body, 'a', UNREAD_SIZE - 1);
    body[UNREAD_SIZE - 1] = '\0';
    contact_make(stage, contact);
    for (int i = 0; i < UNREAD_COUNT; i++) {
        snprintf(id, sizeof id, "unread%d", i);
        request_send(stage, "INVITE", id, NULL, 1, contact, body);
        assert_true(hears(stage->client, "SIP/2.0 180", WAIT_MS, text));
    }
    free(body);
    assert_int_equal(waitpid(stage->pid, NULL, WNOHANG), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_address_nothing_can_be_sent_to_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_branch_without_the_cookie_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_sdp_of_any_bytes_is_only_handed_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_are_not_resolved, set_up_silent, tear_down),
        cmocka_unit_test_setup_teardown(test_it_says_goodbye_and_ends_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_contact_is_where_the_caller_reaches_us, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_it_does_not_wait_for_the_server, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
