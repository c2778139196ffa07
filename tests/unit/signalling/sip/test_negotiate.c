/*
 * Offers of telephones become what a leg takes, and an answer.
 */
#include "signalling/sip/negotiate.h"
#include "signalling/sip/sdes.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* RFC 4568 6.1 */

static struct arena *arena;
static struct negotiated made;
static const struct negotiate_local local = {.address = "198.51.100.7",
                                             .port = 4000,
                                             .rtcp_port = 4001,
                                             .session = 7,
                                             .version = 1,
                                             .fingerprint = "sha-256 AB:CD"};

static int set_up(void **state)
{
    (void)state;
    return arena_new(1 << 20, &arena) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena = arena_free(arena);
    return 0;
}

static void read_ok(const char *text)
{
    assert_int_equal(negotiate_read(text, arena, &made), STATUS_OK);
}

static const char *answer(void)
{
    const char *text;
    assert_int_equal(negotiate_answer(&made, &local, arena, &text), STATUS_OK);
    return text;
}

static void test_plain(void **state)
{
    (void)state;
    read_ok(HEAD "m=audio 5000 RTP/AVP 8 0 18 101\r\na=rtpmap:101 telephone-event/8000\r\n"
                 "a=ptime:30\r\n");
    assert_int_equal(made.stream.format_count, 2);
    assert_int_equal(made.stream.formats[0].codec, MEDIA_LEG_PCMA);
    assert_int_equal(made.stream.formats[1].codec, MEDIA_LEG_PCMU);
    assert_int_equal(made.stream.events[0].send, 101);
    assert_int_equal(made.stream.ptime_ms, 30);
    assert_true(made.stream.sending && made.stream.hearing);
    const struct sockaddr_in *remote = (const struct sockaddr_in *)&made.stream.remote;
    assert_int_equal(ntohs(remote->sin_port), 5000);
    assert_int_equal(ntohl(remote->sin_addr.s_addr), 0xc0000201);
    assert_string_equal(answer(),
                        "v=0\r\no=- 7 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n"
                        "t=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\n"
                        "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
                        "a=fmtp:101 0-16\r\na=ptime:30\r\na=sendrecv\r\n");
}

static void test_other_codecs(void **state)
{
    (void)state;
    read_ok(HEAD "m=audio 5000 RTP/AVP 96 9 13 97\r\na=rtpmap:96 opus/48000/2\r\n"
                 "a=rtpmap:97 telephone-event/48000\r\n");
    assert_int_equal(made.stream.formats[0].codec, MEDIA_LEG_OPUS);
    assert_int_equal(made.stream.formats[1].codec, MEDIA_LEG_G722);
    assert_int_equal(made.stream.comfort_type, 13);
    assert_int_equal(made.stream.events[0].clock, 48000);
    assert_non_null(strstr(answer(), "a=rtpmap:96 opus/48000/2\r\n"));
}

/* Each way of putting on hold, and what we do then. */
static void test_hold(void **state)
{
    (void)state;
    static const struct {
        const char *how;
        bool sending, hearing;
        const char *answered;
    } cases[] = {
        {"a=sendonly\r\n", false, true, "a=recvonly\r\n"},
        {"a=recvonly\r\n", true, false, "a=sendonly\r\n"},
        {"a=inactive\r\n", false, false, "a=inactive\r\n"},
        {"a=sendrecv\r\n", true, true, "a=sendrecv\r\n"},
        {"c=IN IP4 0.0.0.0\r\n", false, true, "a=recvonly\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, HEAD "m=audio 5000 RTP/AVP 0\r\n%s", cases[i].how);
        read_ok(text);
        assert_int_equal(made.stream.sending, cases[i].sending);
        assert_int_equal(made.stream.hearing, cases[i].hearing);
        assert_non_null(strstr(answer(), cases[i].answered));
    }
}

static void test_sdes(void **state)
{
    (void)state;
    read_ok(HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:" KEY "\r\n"
                 "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4\r\n"
                 "a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:" KEY "|2^31\r\n");
    assert_int_equal(made.security.kind, MEDIA_LEG_SDES);
    assert_int_equal(made.security.suite, MEDIA_LEG_AES_CM_128_HMAC_SHA1_32);
    assert_memory_equal(made.security.receive_key, "YS___semctl () {\t220;}\n}\nunles", 30);
    const char *line = strstr(answer(), "a=crypto:");
    int tag;
    enum media_leg_suite suite;
    uint8_t key[MEDIA_LEG_KEY_MAX];
    char value[SDES_LINE_MAX] = {0};
    memcpy(value, line + 9, strcspn(line + 9, "\r"));
    assert_int_equal(sdes_read(value, &tag, &suite, key), STATUS_OK);
    assert_int_equal(tag, 3);
    assert_memory_equal(key, made.security.send_key, 30);
    assert_memory_not_equal(key, made.security.receive_key, 30);
}

static void test_sdes_refused(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",
        "1",
        "1 AES_CM_128_HMAC_SHA1_80",
        "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "A",
        "1 AES_CM_128_HMAC_SHA1_80 inline:WVN",
        "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4",
        "-1 AES_CM_128_HMAC_SHA1_80 inline:" KEY,
    };
    int tag;
    enum media_leg_suite suite;
    uint8_t key[MEDIA_LEG_KEY_MAX];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_int_not_equal(sdes_read(values[i], &tag, &suite, key), STATUS_OK);
}

static void test_dtls(void **state)
{
    (void)state;
#define PRINT                                                                                      \
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"                       \
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
    read_ok(HEAD "m=audio 5000 UDP/TLS/RTP/SAVP 0\r\n" PRINT "a=setup:actpass\r\na=rtcp-mux\r\n");
    assert_int_equal(made.security.kind, MEDIA_LEG_DTLS);
    assert_true(made.security.active && made.stream.rtcp_mux);
    assert_int_equal(made.security.fingerprint.digest[31], 0x1f);
    assert_non_null(strstr(answer(), "a=rtcp-mux\r\na=fingerprint:sha-256 AB:CD\r\n"
                                     "a=setup:active\r\n"));
    read_ok(HEAD "m=audio 5000 UDP/TLS/RTP/SAVP 0\r\n" PRINT "a=setup:active\r\n");
    assert_non_null(strstr(answer(), "a=setup:passive\r\n"));
}

/* No two answers have the same key: not to the same offer read again (a fork, a re-INVITE), nor in
 * another call; and no two offers of ours. */
static void test_keys_are_nobody_elses(void **state)
{
    (void)state;
    enum { CALLS = 8 };
    uint8_t keys[CALLS * 2][MEDIA_LEG_KEY_MAX];
    for (size_t i = 0; i < CALLS; i++) {
        struct media_leg_security ours;
        read_ok(HEAD "m=audio 5000 RTP/SAVP 0\r\n"
                     "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n");
        memcpy(keys[i * 2], made.security.send_key, MEDIA_LEG_KEY_MAX);
        negotiate_keys(MEDIA_LEG_SDES, &ours);
        memcpy(keys[i * 2 + 1], ours.send_key, MEDIA_LEG_KEY_MAX);
    }
    for (size_t i = 0; i < CALLS * 2; i++) {
        assert_memory_not_equal(keys[i], made.security.receive_key, MEDIA_LEG_KEY_MAX);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(keys[i], keys[j], MEDIA_LEG_KEY_MAX / 2);
    }
}

/* Secured lines go before plain ones; each line not taken is refused in its place. */
static void test_several_lines(void **state)
{
    (void)state;
    read_ok(HEAD "m=audio 5000 RTP/AVP 0\r\nm=video 5002 RTP/AVP 31\r\n"
                 "m=audio 5004 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
                 "\r\n");
    assert_int_equal(made.line, 2);
    const char *text = answer();
    assert_non_null(
        strstr(text, "m=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/SAVP 0"));
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD,
        HEAD "m=audio 0 RTP/AVP 0\r\n",
        HEAD "m=audio 5000 RTP/AVP 18\r\n",
        HEAD "m=audio 5000 RTP/SAVP 0\r\n",
        HEAD "m=audio 5000 UDP/TLS/RTP/SAVP 0\r\n",
        HEAD "m=audio 5000 TCP/MSRP *\r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 phone.example.org\r\nt=0 0\r\n"
        "m=audio 5000 RTP/AVP 0\r\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(negotiate_read(texts[i], arena, &made), STATUS_UNSUPPORTED);
    assert_int_equal(negotiate_read("hello", arena, &made), STATUS_INVALID);
}

/* An answer to our own offer is read by the same rules. */
static void test_late_offer(void **state)
{
    (void)state;
    const char *text;
    struct media_leg_security plain;
    negotiate_keys(MEDIA_LEG_PLAIN, &plain);
    assert_int_equal(negotiate_offer(&local, &plain, arena, &text), STATUS_OK);
    read_ok(text);
    assert_int_equal(made.stream.format_count, 4);
    assert_int_equal(made.stream.event_count, 1);
    /* We fall silent, and say how that sounds. */
    assert_non_null(strstr(text, "a=rtpmap:13 CN/8000\r\n"));
    assert_int_equal(made.stream.comfort_type, 13);
}

/* Of a call out: what is sealed in the offer is sealed in the answer, with the keys of both. */
static void test_sealed_offer(void **state)
{
    (void)state;
    const char *text;
    struct media_leg_security ours, theirs;
    struct negotiated theirs_read;
    negotiate_keys(MEDIA_LEG_SDES, &ours);
    assert_int_equal(negotiate_offer(&local, &ours, arena, &text), STATUS_OK);
    assert_non_null(strstr(text, " RTP/SAVP "));
    read_ok(text); /* as the callee does */
    theirs_read = made;
    theirs = theirs_read.security;
    assert_memory_equal(theirs.receive_key, ours.send_key, sizeof ours.send_key);
    text = answer();
    read_ok(text);
    assert_int_equal(negotiate_answered(&ours, &made), STATUS_OK);
    assert_memory_equal(made.security.receive_key, theirs.send_key, sizeof theirs.send_key);
    assert_memory_equal(made.security.send_key, ours.send_key, sizeof ours.send_key);
    assert_string_equal(negotiate_codec(&made.stream), "opus");
    /* An answer that is plain is none. */
    read_ok(HEAD "m=audio 5000 RTP/AVP 0\r\n");
    assert_int_equal(negotiate_answered(&ours, &made), STATUS_UNSUPPORTED);
    negotiate_keys(MEDIA_LEG_DTLS, &ours);
    assert_int_equal(negotiate_offer(&local, &ours, arena, &text), STATUS_OK);
    assert_non_null(strstr(text, " UDP/TLS/RTP/SAVP "));
    assert_non_null(strstr(text, "a=setup:actpass\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_codecs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sdes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys_are_nobody_elses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sdes_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dtls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_offer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sealed_offer, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
