/*
 * parley-phone behind its bridge, with a real socket on the other side: calls, strangers, hostile
 * bytes, and the process being killed. The guards it has: phone/test_guards.c.
 */
#include "signalling/sip/bridge.h"
#include "tests/support/file.h"
#include "tests/support/port.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    SEEN_MAX = 4096,
    TEXT_MAX = 4096,
    WAIT_MS = 10000,
    SILENCE_MS = 300,
    TORTURE_MESSAGES = 49,
    TORTURE_CHANGED = 40, /* of each message, bytes changed at random */
    SLOW_RATE = 10,       /* packets a second */
    SLOW_SENT = 100,
    LONG_DATAGRAM = 16384, /* bytes: the gate's limit */
};

struct seen {
    enum wire_type type;
    uint16_t code;
    uint64_t call;
    char sdp[512], number[80], name[80], reason[128];
};

struct stage {
    struct bridge *bridge;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct seen seen[SEEN_MAX];
    size_t seen_count, read;
    int downs;
    int port, client;
    char listen[64], allow[64];
    struct wire_message messages[6];
};

static void copy(char *into, size_t size, const char *text)
{
    snprintf(into, size, "%s", text != NULL ? text : "");
}

static void on_message(void *context, const struct wire_message *message)
{
    struct stage *stage = context;
    pthread_mutex_lock(&stage->lock);
    if (stage->seen_count < SEEN_MAX) {
        struct seen *seen = &stage->seen[stage->seen_count++];
        *seen = (struct seen){.type = message->type, .code = message->code, .call = message->call};
        copy(seen->sdp, sizeof seen->sdp, message->fields[WIRE_SDP]);
        copy(seen->number, sizeof seen->number, message->fields[WIRE_NUMBER]);
        copy(seen->name, sizeof seen->name, message->fields[WIRE_NAME]);
        copy(seen->reason, sizeof seen->reason, message->fields[WIRE_REASON]);
    }
    pthread_cond_broadcast(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
}

static void on_down(void *context)
{
    struct stage *stage = context;
    pthread_mutex_lock(&stage->lock);
    stage->downs++;
    pthread_cond_broadcast(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
}

/* The next message of that type; others before it are passed over. */
static struct seen expect(struct stage *stage, enum wire_type type)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_MS / 1000;
    struct seen found = {0};
    pthread_mutex_lock(&stage->lock);
    while (found.type != type) {
        if (stage->read < stage->seen_count)
            found = stage->seen[stage->read++];
        else if (pthread_cond_timedwait(&stage->changed, &stage->lock, &until) != 0)
            break;
    }
    pthread_mutex_unlock(&stage->lock);
    assert_int_equal(found.type, type);
    return found;
}

static int set_up_with(void **state, uint16_t rate)
{
    struct stage *stage = calloc(1, sizeof *stage);
    pthread_mutex_init(&stage->lock, NULL);
    pthread_cond_init(&stage->changed, NULL);
    int client_port;
    stage->port = port_free();
    assert_int_not_equal(stage->port, 0);
    stage->client = port_socket("127.0.0.1", &client_port);
    assert_return_code(stage->client, 0);
    snprintf(stage->listen, sizeof stage->listen, "127.0.0.1:%d", stage->port);
    stage->messages[0] = (struct wire_message){.type = WIRE_LISTEN, .code = WIRE_UDP};
    stage->messages[0].fields[WIRE_ADDRESS] = stage->listen;
    stage->messages[1] = (struct wire_message){.type = WIRE_TRUNK, .code = WIRE_TRUSTED | 30};
    stage->messages[1].fields[WIRE_NAME] = "main";
    stage->messages[1].fields[WIRE_DOMAIN] = "127.0.0.1";
    stage->messages[2] = (struct wire_message){.type = WIRE_ALLOW};
    stage->messages[2].fields[WIRE_NAME] = "main";
    stage->messages[2].fields[WIRE_ADDRESS] = "127.0.0.1/32";
    stage->messages[3] = (struct wire_message){.type = WIRE_ALLOW};
    stage->messages[3].fields[WIRE_ADDRESS] = "127.0.0.3/32";
    stage->messages[4] = (struct wire_message){.type = WIRE_LISTEN, .code = WIRE_TCP};
    stage->messages[4].fields[WIRE_ADDRESS] = stage->listen;
    stage->messages[5] = (struct wire_message){.type = WIRE_START, .code = rate};
    struct bridge_config config = {.program = PARLEY_PHONE,
                                   .messages = stage->messages,
                                   .message_count = 6,
                                   .events = {on_message, on_down},
                                   .context = stage};
    assert_int_equal(bridge_new(&config, &stage->bridge), STATUS_OK);
    expect(stage, WIRE_READY);
    *state = stage;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, 0);
}

static int set_up_slow(void **state)
{
    return set_up_with(state, SLOW_RATE);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    bridge_free(stage->bridge);
    close(stage->client);
    free(stage);
    return 0;
}

/* ---- a telephone of few words ---- */

static void phone_send(const struct stage *stage, int fd, const char *text)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)stage->port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to),
                     (ssize_t)strlen(text));
}

static int port_of(int fd)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    getsockname(fd, (struct sockaddr *)&at, &size);
    return ntohs(at.sin_port);
}

static const char offer[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                            "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

static void request_make(const struct stage *stage, int fd, const char *method, const char *id,
                         const char *headers, const char *body, char text[TEXT_MAX])
{
    snprintf(text, TEXT_MAX,
             "%s sip:100@127.0.0.1:%d SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s%s;rport\r\n"
             "From: \"Ann\" <sip:+4930123@127.0.0.1>;tag=f%s\r\nTo: <sip:100@127.0.0.1>\r\n"
             "Call-ID: %s\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n%s"
             "Content-Length: %zu\r\n\r\n%s",
             method, stage->port, port_of(fd), id,
             strcmp(method, "CANCEL") == 0 ? "INVITE" : method, id, id, method, headers,
             strlen(body), body);
}

static void invite(const struct stage *stage, int fd, const char *id, const char *contact)
{
    char text[TEXT_MAX], headers[512];
    snprintf(headers, sizeof headers, "%sContent-Type: application/sdp\r\n", contact);
    request_make(stage, fd, "INVITE", id, headers, offer, text);
    phone_send(stage, fd, text);
}

/* Waits for an answer that begins with `line`; those before it are passed over. */
static void answer_expect(int fd, const char *line, char ret_text[TEXT_MAX])
{
    for (;;) {
        struct timeval patience = {.tv_sec = WAIT_MS / 1000};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ssize_t got = recv(fd, ret_text, TEXT_MAX - 1, 0);
        assert_true(got > 0);
        ret_text[got] = '\0';
        if (strncmp(ret_text, line, strlen(line)) == 0)
            return;
        assert_memory_equal(ret_text, "SIP/2.0 ", 8);
    }
}

static bool silent(int fd)
{
    char text[TEXT_MAX];
    struct timeval patience = {.tv_usec = SILENCE_MS * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return recv(fd, text, sizeof text, 0) < 0;
}

#define CONTACT "Contact: <sip:ann@127.0.0.1:4001>\r\n"

static void test_a_call_is_told_answered_and_ended(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    invite(stage, stage->client, "one",
           CONTACT "P-Asserted-Identity: \"Ann, B\" <tel:+49301234>\r\n");
    struct seen told = expect(stage, WIRE_INVITE);
    assert_string_equal(told.sdp, offer);
    assert_string_equal(told.number, "+49301234");
    assert_string_equal(told.name, "Ann, B");
    assert_int_equal(told.code, 0);
    struct wire_message answer = {.type = WIRE_ANSWER, .call = told.call};
    answer.fields[WIRE_SDP] = offer;
    bridge_send(stage->bridge, &answer);
    answer_expect(stage->client, "SIP/2.0 200", text);
    assert_non_null(strstr(text, offer));
    assert_non_null(strstr(text, "\r\nContact: <sip:127.0.0.1:"));
    struct wire_message refuse = {.type = WIRE_HANGUP, .call = told.call};
    bridge_send(stage->bridge, &refuse);
}

/* A source that is let in, but of no trunk: it is not believed who it says that calls. */
static void test_only_a_trunk_asserts_who_calls(void **state)
{
    struct stage *stage = *state;
    int port, other = port_socket("127.0.0.3", &port);
    invite(stage, other, "asserted",
           CONTACT "P-Asserted-Identity: \"Boss\" <tel:+49301234>\r\nPrivacy: id\r\n");
    struct seen told = expect(stage, WIRE_INVITE);
    assert_string_equal(told.number, "+4930123");
    assert_string_equal(told.name, "Ann");
    assert_int_equal(told.code, 1);
    close(other);
}

static void test_a_refused_call_has_the_code(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    invite(stage, stage->client, "two", CONTACT "Privacy: id\r\n");
    struct seen told = expect(stage, WIRE_INVITE);
    assert_int_equal(told.code, 1);
    bridge_send(stage->bridge,
                &(struct wire_message){.type = WIRE_REFUSE, .call = told.call, .code = 488});
    answer_expect(stage->client, "SIP/2.0 488", text);
    assert_int_equal(expect(stage, WIRE_ENDED).call, told.call);
}

static void test_cancel_ends_what_rings(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    invite(stage, stage->client, "three", CONTACT);
    struct seen told = expect(stage, WIRE_INVITE);
    request_make(stage, stage->client, "CANCEL", "three", "", "", text);
    phone_send(stage, stage->client, text);
    assert_int_equal(expect(stage, WIRE_ENDED).call, told.call);
}

/* 127.0.0.2 is not in the list: it hears nothing at all, and calls go on. */
static void test_strangers_hear_nothing(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    int port, stranger = port_socket("127.0.0.2", &port);
    static const char *const scans[] = {"OPTIONS", "REGISTER"};
    invite(stage, stranger, "stranger", CONTACT);
    for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++) {
        request_make(stage, stranger, scans[i], scans[i], CONTACT, "", text);
        phone_send(stage, stranger, text);
    }
    assert_true(silent(stranger));
    close(stranger);
    request_make(stage, stage->client, "OPTIONS", "scan", CONTACT, "", text);
    phone_send(stage, stage->client, text);
    answer_expect(stage->client, "SIP/2.0 200", text);
}

/* Who is let in hears that we are no registrar. */
static void test_registering_here_is_refused(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    request_make(stage, stage->client, "REGISTER", "register", CONTACT, "", text);
    phone_send(stage, stage->client, text);
    answer_expect(stage->client, "SIP/2.0 405", text);
}

/* Connects from `address`, asks OPTIONS, and tells whether it was answered. */
static bool answered_by_tcp(const struct stage *stage, const char *address)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    char text[TEXT_MAX], made[TEXT_MAX];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_usec = SILENCE_MS * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); /* of connect too */
    inet_pton(AF_INET, address, &from.sin_addr);
    assert_return_code(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)stage->port);
    request_make(stage, fd, "OPTIONS", address, CONTACT, "", text);
    memcpy(strstr(text, "/UDP"), "/TCP", 4);
    bool answered = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
                    send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text) &&
                    recv(fd, made, sizeof made, 0) > 0;
    close(fd);
    return answered;
}

/* Whether the kernel drops its SYN or accept puts it out: a stranger's connection says nothing. */
static void test_a_strangers_connection_is_closed(void **state)
{
    assert_false(answered_by_tcp(*state, "127.0.0.2"));
    assert_true(answered_by_tcp(*state, "127.0.0.1"));
}

/* PHONE_DATAGRAM_MAX bytes are read, one more is not. */
static void test_a_long_datagram_is_dropped(void **state)
{
    struct stage *stage = *state;
    static const size_t sizes[] = {LONG_DATAGRAM + 1, LONG_DATAGRAM};
    char *text = malloc(LONG_DATAGRAM + 2), head[TEXT_MAX];
    assert_non_null(text);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        request_make(stage, stage->client, "OPTIONS", i == 0 ? "longer" : "long",
                     CONTACT "Subject: ", "", head);
        char *rest = strstr(head, "Content-Length");
        assert_non_null(rest);
        size_t before = (size_t)(rest - head), after = strlen(rest) + 2;
        size_t fill = sizes[i] - before - after;
        memcpy(text, head, before);
        memset(text + before, 'a', fill);
        memcpy(text + before + fill, "\r\n", 2);
        memcpy(text + before + fill + 2, rest, strlen(rest) + 1);
        phone_send(stage, stage->client, text);
        if (i == 0)
            assert_true(silent(stage->client));
        else
            answer_expect(stage->client, "SIP/2.0 200", head);
    }
    free(text);
}

static void test_killed_it_is_back(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    assert_return_code(kill(bridge_process(stage->bridge), SIGKILL), 0);
    expect(stage, WIRE_READY);
    assert_int_equal(stage->downs, 1);
    invite(stage, stage->client, "again", CONTACT);
    struct seen told = expect(stage, WIRE_INVITE);
    bridge_send(stage->bridge,
                &(struct wire_message){.type = WIRE_REFUSE, .call = told.call, .code = 404});
    answer_expect(stage->client, "SIP/2.0 404", text);
}

/* ---- what the process says when the server is gone ---- */

static void test_calls_hear_bye_when_it_ends(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], contact[96], ack[256];
    snprintf(contact, sizeof contact, "Contact: <sip:ann@127.0.0.1:%d>\r\n",
             port_of(stage->client));
    invite(stage, stage->client, "last", contact);
    struct wire_message answer = {.type = WIRE_ANSWER, .call = expect(stage, WIRE_INVITE).call};
    answer.fields[WIRE_SDP] = offer;
    bridge_send(stage->bridge, &answer);
    answer_expect(stage->client, "SIP/2.0 200", text);
    const char *tag = strstr(text, "\r\nTo: ");
    assert_non_null(tag);
    snprintf(ack, sizeof ack, "%.*s\r\n", (int)strcspn(tag + 2, "\r"), tag + 2);
    char made[TEXT_MAX];
    request_make(stage, stage->client, "ACK", "last", "", "", made);
    char *to = strstr(made, "To: <sip:100@127.0.0.1>\r\n");
    assert_non_null(to);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(to - made), made, ack,
             to + strlen("To: <sip:100@127.0.0.1>\r\n"));
    phone_send(stage, stage->client, text);
    expect(stage, WIRE_ACK);
    stage->bridge = bridge_free(stage->bridge);
    answer_expect(stage->client, "BYE sip:ann@127.0.0.1", text);
}

/* ---- hostile bytes ---- */

struct torture {
    struct stage *stage;
    uint32_t seed;
};

static uint32_t torture_next(struct torture *torture)
{
    torture->seed = torture->seed * 1664525 + 1013904223;
    return torture->seed >> 8;
}

static void torture_one(void *context, const char *name, const char *bytes, size_t length)
{
    (void)name;
    struct torture *torture = context;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)torture->stage->port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    char *changed = malloc(length);
    assert_non_null(changed);
    for (int round = 0; round <= TORTURE_CHANGED; round++) {
        memcpy(changed, bytes, length);
        for (int i = 0; i < round; i++)
            changed[torture_next(torture) % length] = (char)torture_next(torture);
        (void)sendto(torture->stage->client, changed, length, 0, (struct sockaddr *)&to, sizeof to);
    }
    free(changed);
}

/* RFC 4475's messages as they are and changed: the same process still takes calls. */
static void test_torture_messages_do_no_harm(void **state)
{
    struct stage *stage = *state;
    struct torture torture = {.stage = stage, .seed = 4475};
    int process = bridge_process(stage->bridge), port;
    assert_int_equal(file_each("rfc4475", ".dat", torture_one, &torture), TORTURE_MESSAGES);
    int client = port_socket("127.0.0.1", &port);
    bool told = false;
    /* A telephone says it again when it was not heard in the flood (RFC 3261 17.1.1.2). */
    for (int i = 0; i < WAIT_MS / SILENCE_MS && !told; i++) {
        invite(stage, client, "after", CONTACT "P-Asserted-Identity: <tel:+4475>\r\n");
        told = !silent(client);
    }
    assert_true(told);
    assert_int_equal(bridge_process(stage->bridge), process);
    assert_int_equal(stage->downs, 0);
    close(client);
}

/* A source that is let in and over its rate is heard no more than that. */
static void test_a_loud_source_is_slowed(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], id[16];
    int answers = 0;
    for (int i = 0; i < SLOW_SENT; i++) {
        snprintf(id, sizeof id, "loud%d", i);
        request_make(stage, stage->client, "OPTIONS", id, CONTACT, "", text);
        phone_send(stage, stage->client, text);
    }
    struct timeval patience = {.tv_usec = SILENCE_MS * 1000};
    setsockopt(stage->client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (recv(stage->client, text, sizeof text, 0) > 0)
        answers++;
    assert_in_range(answers, 1, SLOW_SENT / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_call_is_told_answered_and_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_a_trunk_asserts_who_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_call_has_the_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel_ends_what_rings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strangers_hear_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_registering_here_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_strangers_connection_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_long_datagram_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_it_is_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_calls_hear_bye_when_it_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_torture_messages_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_loud_source_is_slowed, set_up_slow, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
