/*
 * What the table "Guards" of docs/design/phone.md says parley-phone does where sofia-sip would not,
 * of the process and of calls that come.
 */
#include "tests/unit/signalling/sip/phone/stage.h"

enum { GIVE_UP_MS = 15000 /* it gives up after 10 s, the stack would after 32 */ };

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

/* The stack would read past the end of a branch that is shorter than the cookie. And who has no tag
 * cannot be told from another. */
static void test_a_branch_without_the_cookie_is_refused(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    struct sockaddr_in at = place_of(stage);
    static const struct {
        const char *branch, *tag;
    } wrong[] = {{"", ";tag=a"},
                 {";branch=x", ";tag=a"},
                 {";branch=z9hG4b", ";tag=a"},
                 {";branch=z9hG4bKtag", ""}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int length = snprintf(text, sizeof text,
                              "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d%s\r\n"
                              "From: <sip:a@127.0.0.1>%s\r\nTo: <sip:b@127.0.0.1>\r\n"
                              "Call-ID: c%zu\r\nCSeq: 1 OPTIONS\r\n\r\n",
                              port_of(stage->client), wrong[i].branch, wrong[i].tag, i);
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

/* An UPDATE with an offer is the server's to answer, and one at a time (RFC 3311 5.2). */
static void test_an_update_with_an_offer_is_answered_with_sdp(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], contact[128], to[256], own[128], wanted[128];
    snprintf(wanted, sizeof wanted, "<sip:127.0.0.1:%d;transport=udp>", stage->port);
    contact_make(stage, contact);
    uint64_t call = call_make(stage, "update", contact, text);
    header_of(text, "To", to, sizeof to);
    request_send(stage, "ACK", "update", to, 1, "", "");
    expect(stage, WIRE_ACK);
    request_send(stage, "UPDATE", "update", to, 2, contact, offer);
    assert_non_null(strstr(expect(stage, WIRE_REINVITE).sdp, "m=audio 4000"));
    request_send(stage, "UPDATE", "update", to, 3, contact, offer);
    assert_true(hears(stage->client, "SIP/2.0 491", WAIT_MS, text));
    struct wire_message answer = {.type = WIRE_ANSWER, .call = call};
    answer.fields[WIRE_SDP] = offer;
    say(stage, &answer);
    assert_true(hears(stage->client, "SIP/2.0 200", WAIT_MS, text));
    header_of(text, "CSeq", own, sizeof own);
    assert_string_equal(own, "2 UPDATE");
    header_of(text, "Contact", own, sizeof own);
    assert_string_equal(own, wanted);
    assert_non_null(strstr(text, "m=audio 4000"));
}

/* The server is gone while an UPDATE waits beside an INVITE that has no ACK: the stack would free
 * the INVITE twice. */
static void test_what_waits_is_answered_before_the_end(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], contact[128], to[256], cseq[32];
    contact_make(stage, contact);
    call_make(stage, "waits", contact, text);
    header_of(text, "To", to, sizeof to);
    request_send(stage, "UPDATE", "waits", to, 2, contact, offer);
    expect(stage, WIRE_REINVITE);
    close(stage->end.fd);
    stage->end.fd = -1;
    assert_true(hears(stage->client, "SIP/2.0 503", WAIT_MS, text));
    header_of(text, "CSeq", cseq, sizeof cseq);
    assert_string_equal(cseq, "2 UPDATE");
    assert_true(process_ends(stage));
}

/* After 10 s without an ACK, not 32: the caller hears BYE. */
static void test_it_gives_up_early(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], contact[128];
    contact_make(stage, contact);
    call_make(stage, "mute", contact, text);
    assert_true(hears(stage->client, "BYE ", GIVE_UP_MS, text));
}

/* What it may do is told by the kernel. */
static void test_it_is_in_its_sandbox(void **state)
{
    struct stage *stage = *state;
    char path[64], text[TEXT_MAX];
    snprintf(path, sizeof path, "/proc/%d/status", (int)stage->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_return_code(fd, 0);
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(got > 0);
    text[got] = '\0';
    assert_non_null(strstr(text, "\nSeccomp:\t2\n")); /* a filter */
    assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
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
        cmocka_unit_test_setup_teardown(test_an_update_with_an_offer_is_answered_with_sdp, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_waits_is_answered_before_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_it_gives_up_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_is_in_its_sandbox, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
