/*
 * What the table "Guards" of docs/design/phone.md says parley-phone does where sofia-sip would not,
 * of trunks and of calls of ours.
 */
#include "tests/unit/signalling/sip/phone/stage.h"

enum { NEXT_MS = 5000 /* an address has 2 s for a word */ };

/* A call of ours; its INVITE as the provider hears it. */
static void dial(struct stage *stage, int provider, char ret_invite[TEXT_MAX])
{
    struct wire_message message = {.type = WIRE_DIAL, .call = WIRE_CALL_OUT | 1};
    message.fields[WIRE_NAME] = "main";
    message.fields[WIRE_CALLED] = "+4930555";
    message.fields[WIRE_SDP] = offer;
    say(stage, &message);
    assert_true(hears(provider, "INVITE ", WAIT_MS, ret_invite));
}

/* An answer to an INVITE: `line`: more headers; `name`: of its session. */
static void sdp_reply(struct stage *stage, int provider, const char *invite, const char *status,
                      const char *line, const char *name)
{
    char headers[TEXT_MAX];
    snprintf(headers, sizeof headers,
             "%sContent-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=%s\r\n"
             "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
             line, name);
    reply(stage, provider, invite, status, headers);
}

/* The stack's own Contact would be any of the machine's addresses, or what was registered. */
static void test_contact_is_where_the_trunk_reaches_us(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX], own[128], wanted[128];
    int port, provider = port_socket("127.0.0.1", &port);
    snprintf(wanted, sizeof wanted, "<sip:parley@127.0.0.1:%d;transport=udp>", stage->port);
    targets_say(stage, &provider, 1);
    assert_true(hears(provider, "REGISTER ", WAIT_MS, text));
    header_of(text, "Contact", own, sizeof own);
    assert_string_equal(own, wanted);
    dial(stage, provider, text); /* before it is registered */
    header_of(text, "Contact", own, sizeof own);
    assert_string_equal(own, wanted);
    close(provider);
}

/* Where ACK and BYE cannot be sent to is no answer. */
static void test_an_answer_nothing_can_be_sent_to_is_dropped(void **state)
{
    struct stage *stage = *state;
    static const char *const wrong[] = {
        "Contact: <tel:+4930555>\r\n",
        "Contact: <sip:ann@[]>\r\n",
        "Contact: <sip:ann@127.0.0.1>\r\nRecord-Route: <tel:+1>\r\n",
    };
    char text[TEXT_MAX], invite[TEXT_MAX], contact[128];
    int provider = registered(stage);
    dial(stage, provider, invite);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sdp_reply(stage, provider, invite, "183 Session Progress", wrong[i], "wrong");
        sdp_reply(stage, provider, invite, "200 OK", wrong[i], "wrong");
    }
    snprintf(contact, sizeof contact, "Contact: <sip:ann@127.0.0.1:%d>\r\n", port_of(provider));
    sdp_reply(stage, provider, invite, "183 Session Progress", contact, "right");
    assert_non_null(strstr(expect(stage, WIRE_PROGRESS).sdp, "s=right"));
    sdp_reply(stage, provider, invite, "200 OK", contact, "right");
    assert_non_null(strstr(expect(stage, WIRE_ANSWERED).sdp, "s=right"));
    assert_true(hears(provider, "ACK sip:ann@127.0.0.1:", WAIT_MS, text));
    close(provider);
}

/* Basic would be the password in clear. */
static void test_a_challenge_by_basic_is_not_answered(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    int port, provider = port_socket("127.0.0.1", &port);
    targets_say(stage, &provider, 1);
    assert_true(hears(provider, "REGISTER ", WAIT_MS, text));
    reply(stage, provider, text, "401 Unauthorized",
          "WWW-Authenticate: Basic realm=\"trunk\"\r\n\r\n");
    assert_int_equal(expect(stage, WIRE_TRUNK_STATE).code, 0);
    assert_true(hears(provider, "REGISTER ", WAIT_MS, text)); /* later, and from the beginning */
    assert_null(strstr(text, "\r\nAuthorization:"));
    reply(stage, provider, text, "401 Unauthorized",
          "WWW-Authenticate: Basic realm=\"trunk\"\r\n"
          "WWW-Authenticate: Digest realm=\"trunk\", nonce=\"n\", algorithm=SHA-256\r\n\r\n");
    assert_true(hears(provider, "REGISTER ", WAIT_MS, text));
    assert_non_null(strstr(text, "\r\nAuthorization: Digest "));
    assert_non_null(strstr(text, "algorithm=SHA-256"));
    assert_null(strstr(text, "Basic"));
    close(provider);
}

/* Rules were checked for one number, and who says "later" is not waited for. */
static void test_a_call_is_sent_nowhere_else(void **state)
{
    struct stage *stage = *state;
    static const struct {
        const char *status;
        int code;
    } ends[] = {{"302 Moved Temporarily", 302}, {"305 Use Proxy", 305}, {"503 Unavailable", 503}};
    char text[TEXT_MAX], headers[128];
    int port, elsewhere = port_socket("127.0.0.1", &port), provider = registered(stage);
    snprintf(headers, sizeof headers, "Contact: <sip:127.0.0.1:%d>\r\nRetry-After: 1\r\n\r\n",
             port);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        dial(stage, provider, text);
        reply(stage, provider, text, ends[i].status, headers);
        assert_int_equal(expect(stage, WIRE_ENDED).code, ends[i].code);
        assert_true(hears(provider, "ACK ", WAIT_MS, text));
    }
    assert_true(recv(elsewhere, text, sizeof text, MSG_DONTWAIT) < 0);
    close(elsewhere);
    close(provider);
}

/* The stack would wait 10 s, and by itself 32. */
static void test_a_silent_address_is_left_for_the_next(void **state)
{
    struct stage *stage = *state;
    char text[TEXT_MAX];
    int port, fds[] = {port_socket("127.0.0.1", &port), port_socket("127.0.0.1", &port)};
    targets_say(stage, fds, 2);
    dial(stage, fds[0], text);
    assert_true(hears(fds[1], "INVITE ", NEXT_MS, text));
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_contact_is_where_the_trunk_reaches_us, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_an_answer_nothing_can_be_sent_to_is_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_challenge_by_basic_is_not_answered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_call_is_sent_nowhere_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_silent_address_is_left_for_the_next, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
