/*
 * The parser and writer of session descriptions: typed attributes, what is forgiven, what
 * is refused, limits, and every prefix of every captured offer.
 */
#include "signalling/sdp/sdp.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_MAX = 8 << 20 };

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    return arena_new(ARENA_MAX, &arena) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena = arena_free(arena);
    return 0;
}

static struct desc parsed(const char *text)
{
    struct desc desc;
    struct desc_error error;
    enum status status = desc_parse(text, strlen(text), arena, &desc, &error);
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error.text);
    return desc;
}

/* One m-line with the given attribute lines. */
static struct desc_media media_with(const char *lines)
{
    char text[4096];
    snprintf(text, sizeof text,
             "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
             "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n%s",
             lines);
    struct desc desc = parsed(text);
    assert_int_equal(desc.media_count, 1);
    return desc.media[0];
}

static void refused(const char *text, enum status expected, const char *says)
{
    struct desc desc;
    struct desc_error error;
    assert_int_equal(desc_parse(text, strlen(text), arena, &desc, &error), expected);
    if (strstr(error.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, says);
}

static void test_session(void **state)
{
    (void)state;
    struct desc desc = parsed("v=0\r\no=alice 2890844526 2890842807 IN IP6 2001:db8::1\r\n"
                              "s=Call\r\ni=A session\r\nc=IN IP4 192.0.2.7\r\nb=AS:300\r\n"
                              "t=0 0\r\nr=7d 1h 0 25h\r\na=ice-lite\r\na=group:BUNDLE a v\r\n"
                              "a=group:LS a\r\na=recvonly\r\na=tool:x\r\na=mid:ignored\r\n"
                              "m=audio 49170/2 RTP/AVP 0 8\r\n"
                              "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n"
                              "m=text 5 TCP *\r\na=sendonly\r\n");
    assert_string_equal(desc.origin.username, "alice");
    assert_string_equal(desc.origin.version, "2890842807");
    assert_true(desc.origin.ip6);
    assert_string_equal(desc.name, "Call");
    assert_string_equal(desc.section.title, "A session");
    assert_string_equal(desc.section.connection.address, "192.0.2.7");
    assert_int_equal(desc.section.bandwidths[0].value, 300);
    assert_true(desc.ice_lite);
    assert_int_equal(desc.group_count, 2);
    assert_string_equal(desc.groups[0].mids[1], "v");
    assert_int_equal(desc.media_count, 2);
    assert_int_equal(desc.media[0].port, 49170);
    assert_int_equal(desc.media[0].port_count, 2);
    assert_int_equal(desc.media[0].line, 15);
    assert_int_equal(desc_direction_of(&desc, &desc.media[0]), DESC_RECVONLY);
    assert_int_equal(desc_direction_of(&desc, &desc.media[1]), DESC_SENDONLY);
    /* Kept as text: SDES keys are the phones' business. */
    assert_string_equal(desc.media[0].section.attributes[0].name, "crypto");
    assert_string_equal(desc.media[0].section.attributes[0].value,
                        "1 AES_CM_128_HMAC_SHA1_80 inline:abc");
    /* mid means nothing at session level. */
    assert_string_equal(desc.section.attributes[1].name, "mid");
}

static void test_formats(void **state)
{
    (void)state;
    struct desc_media media = media_with(
        "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 minptime=10; useInbandFEC=1 ;x=\r\n"
        "a=rtpmap:97 VP8/90000\r\na=rtcp-fb:97 nack pli\r\na=rtcp-fb:* ccm fir\r\n"
        "a=fmtp:webrtc-datachannel max-message-size=1\r\na=ptime:20\r\na=maxptime:2.5\r\n");
    assert_string_equal(desc_rtpmap_of(&media, 96)->encoding, "opus");
    assert_int_equal(desc_rtpmap_of(&media, 96)->channels, 2);
    assert_int_equal(desc_rtpmap_of(&media, 97)->rate, 90000);
    assert_null(desc_rtpmap_of(&media, 98));
    assert_string_equal(media.rtcp_fbs[0].value, "nack pli");
    assert_int_equal(media.rtcp_fbs[1].type, DESC_RTCP_FB_ALL);
    assert_int_equal(media.section.attribute_count, 1);
    assert_int_equal(media.ptime, 20);
    assert_int_equal(media.maxptime, 0);
    char value[8];
    assert_true(desc_parameter(desc_fmtp_of(&media, 96), "useinbandfec", value, sizeof value));
    assert_string_equal(value, "1");
    assert_true(desc_parameter(desc_fmtp_of(&media, 96), "x", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(desc_parameter("long=123456789", "long", value, sizeof value));
    assert_false(desc_parameter(NULL, "x", value, sizeof value));
    assert_int_equal(desc_parameter_number("apt=96", "apt", 0), 96);
    assert_int_equal(desc_parameter_number("apt=9x", "apt", 7), 7);
}

static void test_simulcast(void **state)
{
    (void)state;
    struct desc_media media =
        media_with("a=rid:q send\r\na=rid:h send pt=96,97;max-width=640\r\na=rid:r recv\r\n"
                   "a=simulcast:send q;~h,f recv r;s\r\n");
    assert_int_equal(media.rid_count, 3);
    assert_true(media.rids[0].send);
    assert_null(media.rids[0].parameters);
    assert_string_equal(media.rids[1].parameters, "pt=96,97;max-width=640");
    assert_false(media.rids[2].send);
    assert_int_equal(media.simulcast.send_count, 2);
    assert_int_equal(media.simulcast.recv_count, 2);
    const struct desc_stream *second = &media.simulcast.send[1];
    assert_int_equal(second->alternative_count, 2);
    assert_string_equal(second->alternatives[0].rid, "h");
    assert_true(second->alternatives[0].paused);
    assert_false(second->alternatives[1].paused);
    assert_string_equal(media.simulcast.recv[1].alternatives[0].rid, "s");
}

static void test_transport(void **state)
{
    (void)state;
    struct desc_media media = media_with(
        "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=ice-options:trickle ice2\r\n"
        "a=fingerprint:SHA-1 00:fF\r\na=setup:actpass\r\na=mid:0\r\na=rtcp-mux\r\n"
        "a=candidate:1 1 UDP 2122252543 fd00::2 34471 typ host generation 0\r\n"
        "a=candidate:1 2 udp 1 8c5b9a7e.local 9 typ srflx raddr 0.0.0.0 rport 0\r\n"
        "a=candidate:2 1 tcp 2 192.0.2.1 9 typ host tcptype active\r\n"
        "a=candidate:from the future\r\n"
        "a=extmap:4/recvonly urn:x a=b c\r\na=extmap:15 urn:y\r\n"
        "a=ssrc:1 cname:a b\r\na=ssrc:4294967295 fmtp\r\na=ssrc-group:FID 1 2\r\n"
        "a=msid:s t\r\na=msid:-\r\n");
    const struct desc_section *section = &media.section;
    assert_string_equal(section->ice_ufrag, "abcd");
    assert_string_equal(section->ice_options, "trickle ice2");
    assert_string_equal(section->fingerprints[0].algorithm, "sha-1");
    assert_int_equal(section->fingerprints[0].digest[1], 0xff);
    assert_int_equal(section->setup, DESC_SETUP_ACTPASS);
    assert_int_equal(media.candidate_count, 3);
    assert_string_equal(media.candidates[1].address, "8c5b9a7e.local");
    assert_string_equal(media.candidates[2].tcptype, "active");
    assert_int_equal(section->extmaps[0].direction, DESC_RECVONLY);
    assert_string_equal(section->extmaps[0].parameters, "a=b c");
    assert_false(section->extmaps[1].directed);
    assert_string_equal(media.ssrcs[0].value, "a b");
    assert_null(media.ssrcs[1].value);
    assert_int_equal(media.ssrcs[1].ssrc, UINT32_MAX);
    assert_int_equal(media.ssrc_groups[0].ssrcs[1], 2);
    assert_string_equal(media.msids[0].track, "t");
    assert_null(media.msids[1].track);
}

static void test_forgiven(void **state)
{
    (void)state;
    struct desc desc = parsed("v=0\no=- 1 1 IN IP4 0.0.0.0\r\r\n\nX=?\na=\xe4\xb8\xad:\xff\n"
                              "m=audio 0 RTP/AVP 0\na=rtcp-mux");
    assert_true(desc.media[0].rtcp_mux);
    assert_int_equal(desc.section.attribute_count, 1);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"s=-\r\n", "v=0"},
        {"v=1\r\n", "v=0"},
        {"v=0\r\nnonsense\r\n", "line 2: not of the form"},
        {"v=0\r\no=- 1\r\n", "line 2: malformed o="},
        {"v=0\r\na=ice-ufrag:a\x01\r\n", "control character"},
        {"v=0\r\nb=AS\r\n", "malformed b="},
        {"v=0\r\nc=IN IPX 1\r\n", "malformed c="},
        {"v=0\r\nm=audio 9\r\n", "malformed m="},
        {"v=0\r\nm=audio 65536 RTP/AVP 0\r\n", "malformed m="},
        {"v=0\r\nm=audio 9/0 RTP/AVP 0\r\n", "malformed m="},
        {"v=0\r\nm=audio 9 RTP/AVP\r\n", "without a format"},
        {"v=0\r\na=:x\r\n", "without a name"},
        {"v=0\r\na=fingerprint:sha-256 0G\r\n", "a=fingerprint"},
        {"v=0\r\na=fingerprint:sha-256 00:\r\n", "a=fingerprint"},
        {"v=0\r\na=setup:maybe\r\n", "a=setup"},
        {"v=0\r\na=extmap:x urn:y\r\n", "a=extmap"},
        {"v=0\r\na=extmap:1/left urn:y\r\n", "a=extmap"},
        {"v=0\r\na=group:\r\n", "a=group"},
    };
    static const char *const attributes[] = {
        "mid",
        "mid:a b",
        "rtpmap:96",
        "rtpmap:128 VP8/90000",
        "rtpmap:96 VP8",
        "rtpmap:96 /1",
        "rtpmap:96 a/1/999",
        "rtcp-fb:x nack",
        "rtcp-fb:* ",
        "ssrc:x y",
        "ssrc:1",
        "ssrc-group:FID",
        "ssrc-group:FID x",
        "rid:q",
        "rid:q both",
        "rid:q! send",
        "simulcast:send",
        "simulcast:q",
        "simulcast:send q;",
        "simulcast:send q send h",
        "msid:",
        "simulcast:send q\r\na=simulcast:send h",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refused(rows[i].text, STATUS_INVALID, rows[i].says);
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        char text[256], name[32] = "a=";
        snprintf(text, sizeof text, "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=%s\r\n",
                 attributes[i]);
        strncat(name, attributes[i], strcspn(attributes[i], ":"));
        refused(text, STATUS_INVALID, name);
    }
    struct desc desc;
    struct desc_error error;
    assert_int_equal(desc_parse("v=0\r\na=x\0y\r\n", 12, arena, &desc, &error), STATUS_INVALID);
    assert_int_equal(desc_parse("", 0, arena, &desc, &error), STATUS_INVALID);
}

/* Repeats a piece after a head; the caller frees. */
static char *repeated(const char *head, const char *piece, size_t times)
{
    size_t size = strlen(head) + strlen(piece) * times + 1;
    char *text = malloc(size);
    assert_non_null(text);
    char *at = text + sprintf(text, "%s", head);
    for (size_t i = 0; i < times; i++)
        at += sprintf(at, "%s", piece);
    return text;
}

static void test_limits(void **state)
{
    (void)state;
    static const char media[] = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    static const struct {
        const char *head, *piece;
        size_t allowed;
    } rows[] = {
        {"v=0\r\n", "m=audio 9 RTP/AVP 0\r\n", DESC_MEDIA_MAX},
        {"v=0\r\nm=audio 9 RTP/AVP", " 0", DESC_FORMATS_MAX},
        {"v=0\n", "x=\n", DESC_LINES_MAX - 1},
        {media, "a=x\r\n", DESC_ATTRIBUTES_MAX},
        {media, "a=ssrc:1 a\r\n", DESC_ATTRIBUTES_MAX},
        {media, "a=candidate:1 1 udp 1 a 1 typ host\r\n", DESC_ATTRIBUTES_MAX},
        {media, "a=rtcp-fb:1 x\r\n", DESC_ATTRIBUTES_MAX},
        {media, "a=rtpmap:1 x/1\r\n", DESC_FORMATS_MAX},
        {media, "a=rid:q send\r\n", DESC_RIDS_MAX},
        {"v=0\r\na=group:BUNDLE", " a", DESC_MEDIA_MAX},
        {"v=0\r\n", "a=group:BUNDLE\r\n", DESC_GROUPS_MAX},
        {"v=0\r\nm=video 9 RTP/AVP 96\r\na=ssrc-group:SIM", " 1", DESC_SSRC_GROUP_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = repeated(rows[i].head, rows[i].piece, rows[i].allowed);
        parsed(text);
        free(text);
        text = repeated(rows[i].head, rows[i].piece, rows[i].allowed + 1);
        refused(text, STATUS_LIMIT, "line ");
        free(text);
        arena_reset(arena);
    }
    char *long_text = repeated("v=0\r\ns=", "x", DESC_TEXT_MAX);
    refused(long_text, STATUS_LIMIT, "bytes");
    free(long_text);
}

/* What is written parses to what writes the same: the writer drops and invents nothing. */
static void round_trip(void *context, const char *name, const char *bytes, size_t length)
{
    (void)context;
    struct desc first, second;
    struct desc_error error;
    const char *once, *twice;
    if (desc_parse(bytes, length, arena, &first, &error) != STATUS_OK)
        fail_msg("%s: %s", name, error.text);
    assert_int_equal(desc_print(&first, arena, &once), STATUS_OK);
    if (desc_parse(once, strlen(once), arena, &second, &error) != STATUS_OK)
        fail_msg("%s, written: %s", name, error.text);
    assert_int_equal(desc_print(&second, arena, &twice), STATUS_OK);
    assert_string_equal(once, twice);
    /* The same lines in another order. */
    size_t lines_before = 0, lines_after = 0;
    for (const char *at = bytes; (at = strchr(at, '\n')) != NULL; at++)
        lines_before++;
    for (const char *at = once; (at = strchr(at, '\n')) != NULL; at++)
        lines_after++;
    if (lines_before != lines_after)
        fail_msg("%s: %zu lines became %zu", name, lines_before, lines_after);
    arena_reset(arena);
}

static void test_round_trip(void **state)
{
    (void)state;
    assert_int_equal(file_each("sdp", ".sdp", round_trip, NULL), 30);
}

static void prefixes(void *context, const char *name, const char *bytes, size_t length)
{
    (void)context, (void)name;
    /* Of the longest, prefixes that end in its first lines and in its last. */
    enum { WHOLE = 4000, TAIL = 100 };
    for (size_t cut = 0; cut <= length; cut++) {
        if (cut == WHOLE && length > WHOLE + TAIL)
            cut = length - TAIL;
        char *exact = malloc(cut > 0 ? cut : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, cut);
        struct desc desc;
        struct desc_error error;
        enum status status = desc_parse(exact, cut, arena, &desc, &error);
        assert_true(status == STATUS_OK || (status == STATUS_INVALID && error.text[0] != '\0'));
        free(exact);
        arena_reset(arena);
    }
}

static void test_prefixes(void **state)
{
    (void)state;
    assert_int_equal(file_each("sdp", ".sdp", prefixes, NULL), 30);
}

static enum status parse_and_print(void *context)
{
    struct arena *own;
    struct desc desc;
    struct desc_error error;
    const char *text;
    enum status status = arena_new(ARENA_MAX, &own);
    if (status != STATUS_OK)
        return status;
    status = desc_parse(context, strlen(context), own, &desc, &error);
    if (status == STATUS_OK)
        status = desc_print(&desc, own, &text);
    arena_free(own);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t length;
    char *text = file_load("sdp/chromium156-simulcast3-allcodecs.sdp", &length);
    assert_true(alloc_fail_each(parse_and_print, text) > 2);
    /* Every size of an arena that is too small. */
    size_t limit = 0;
    enum status status = STATUS_NO_MEMORY;
    for (; status == STATUS_NO_MEMORY; limit += 64) {
        struct arena *small;
        struct desc desc;
        struct desc_error error;
        assert_int_equal(arena_new(limit, &small), STATUS_OK);
        status = desc_parse(text, length, small, &desc, &error);
        arena_free(small);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(limit < 6 * length);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_formats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_simulcast, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_transport, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgiven, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prefixes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
