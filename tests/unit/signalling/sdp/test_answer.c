/*
 * answer_make over the offers of real clients: each answer is held against its offer, in
 * the three roles; and hand-made offers for what no client here sends.
 */
#include "signalling/sdp/answer.h"
#include "signalling/sdp/sdp.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

enum { ARENA_MAX = 8 << 20, OFFER_MAX = 8192 };

#define DIGEST                                                                                     \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"                                             \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

static const struct media_local local = {
    .fingerprint = "sha-256 " DIGEST,
    .candidates =
        {{.address = "192.0.2.1", .port = 10000, .priority = 2130706431, .foundation = "1"},
         {.address = "2001:db8::1", .port = 10000, .priority = 2130706175, .foundation = "2"},
         {.tcp = true,
          .address = "192.0.2.1",
          .port = 8443,
          .priority = 1694498815,
          .foundation = "3"}},
    .candidate_count = 3,
};

static struct arena *arena;
static struct media_transport_spec spec;
static struct answer_error error;
static enum answer_change change;
static const char *answer;

static int set_up(void **state)
{
    (void)state;
    memset(&spec, 0x55, sizeof spec);
    return arena_new(ARENA_MAX, &arena) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena = arena_free(arena);
    return 0;
}

static enum status make(const char *offer, enum answer_role role,
                        const struct media_transport_spec *previous)
{
    struct answer_config config = {
        .role = role, .local = &local, .transport_id = 77, .room = 5, .previous = previous};
    return answer_make(offer, strlen(offer), &config, arena, &spec, &change, &answer, &error);
}

static void made(const char *offer, enum answer_role role,
                 const struct media_transport_spec *previous)
{
    enum status status = make(offer, role, previous);
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error.text);
}

static struct desc parsed(const char *text)
{
    struct desc desc;
    struct desc_error why;
    if (desc_parse(text, strlen(text), arena, &desc, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return desc;
}

static void says(const char *text)
{
    if (strstr(answer, text) == NULL)
        fail_msg("no \"%s\" in\n%s", text, answer);
}

static void says_not(const char *text)
{
    if (strstr(answer, text) != NULL)
        fail_msg("\"%s\" in\n%s", text, answer);
}

/* ---- each captured offer ---- */

static bool listed(const char *const *formats, size_t count, const char *format)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(formats[i], format) == 0)
            return true;
    return false;
}

static void check_formats(const struct desc_media *offered, const struct desc_media *answered)
{
    for (size_t i = 0; i < answered->format_count; i++) {
        assert_true(listed(offered->formats, offered->format_count, answered->formats[i]));
        int type = desc_payload_type(answered->formats[i]);
        const struct desc_rtpmap *theirs = desc_rtpmap_of(offered, (uint8_t)type);
        const struct desc_rtpmap *ours = desc_rtpmap_of(answered, (uint8_t)type);
        assert_int_equal(strcasecmp(theirs->encoding, ours->encoding), 0);
        assert_int_equal(theirs->rate, ours->rate);
        assert_null(strstr("flexfec-03 telephone-event CN", ours->encoding));
        /* Parity only where we send. */
        bool parity = strcmp(ours->encoding, "ulpfec") == 0 ||
                      (strcmp(ours->encoding, "red") == 0 && ours->rate == 90000);
        assert_true(!parity || answered->section.direction != DESC_RECVONLY);
        if (strcmp(ours->encoding, "rtx") == 0)
            assert_string_equal(desc_fmtp_of(offered, (uint8_t)type),
                                desc_fmtp_of(answered, (uint8_t)type));
    }
    for (size_t i = 0; i < answered->rtcp_fb_count; i++) {
        const struct desc_rtcp_fb *ours = &answered->rtcp_fbs[i];
        bool found = false;
        for (size_t k = 0; k < offered->rtcp_fb_count; k++)
            found |= offered->rtcp_fbs[k].type == ours->type &&
                     strcmp(offered->rtcp_fbs[k].value, ours->value) == 0;
        assert_true(found);
    }
}

static void check_extensions(const struct desc_media *offered, const struct desc_media *answered)
{
    for (size_t i = 0; i < answered->section.extmap_count; i++) {
        const struct desc_extmap *ours = &answered->section.extmaps[i];
        const struct desc_extmap *theirs = NULL;
        for (size_t k = 0; k < offered->section.extmap_count; k++)
            if (strcmp(offered->section.extmaps[k].uri, ours->uri) == 0)
                theirs = &offered->section.extmaps[k];
        assert_non_null(theirs);
        assert_int_equal(theirs->id, ours->id);
        assert_int_equal(desc_direction_mirror(theirs->direction), ours->direction);
    }
    assert_int_equal(offered->section.extmap_allow_mixed, answered->section.extmap_allow_mixed);
}

static void check_track(const struct desc_media *offered, const struct desc_media *answered,
                        const struct media_track_spec *track)
{
    assert_string_equal(track->mid, offered->mid);
    assert_int_equal(track->rid_count, offered->simulcast.send_count);
    assert_int_equal(answered->simulcast.recv_count, track->rid_count);
    assert_int_equal(answered->rid_count, track->rid_count);
    for (size_t i = 0; i < track->rid_count; i++) {
        assert_string_equal(track->rids[i], offered->simulcast.send[i].alternatives[0].rid);
        assert_string_equal(answered->simulcast.recv[i].alternatives[0].rid, track->rids[i]);
        assert_false(answered->rids[i].send);
        assert_true(track->extensions.rid != 0 && track->extensions.mid != 0);
    }
    if (track->rid_count > 0)
        assert_int_equal(track->ssrc, 0);
    else if (offered->ssrc_count > 0)
        assert_int_equal(track->ssrc, offered->ssrcs[0].ssrc);
    assert_int_equal(answered->ssrc_count, 0);
    assert_int_equal(answered->msid_count, 0);
}

static void check_slot(const struct desc_media *answered, const struct media_slot_spec *slot)
{
    size_t ssrcs = slot->rtx_ssrc != 0 ? 2 : 1;
    assert_string_equal(slot->mid, answered->mid);
    assert_int_not_equal(slot->ssrc, 0);
    assert_int_equal(answered->msid_count, 1);
    assert_non_null(answered->msids[0].track);
    assert_int_equal(answered->ssrc_count, ssrcs);
    assert_int_equal(answered->ssrcs[0].ssrc, slot->ssrc);
    assert_string_equal(answered->ssrcs[0].name, "cname");
    assert_int_equal(answered->ssrc_group_count, ssrcs - 1);
    bool rtx = false;
    for (size_t i = 0; i < slot->payload_count; i++)
        rtx |= slot->payloads[i].rtx_type != 0;
    assert_int_equal(rtx, ssrcs == 2);
    if (rtx) {
        assert_string_equal(answered->ssrc_groups[0].semantics, "FID");
        assert_int_equal(answered->ssrc_groups[0].ssrcs[0], slot->ssrc);
        assert_int_equal(answered->ssrc_groups[0].ssrcs[1], slot->rtx_ssrc);
    }
}

static void check_line(const struct desc *offer, const struct desc_media *offered,
                       const struct desc_media *answered, size_t *tracks, size_t *slots)
{
    assert_int_not_equal(answered->port, 0);
    assert_true(answered->rtcp_mux);
    assert_int_equal(answered->rtcp_rsize, offered->rtcp_rsize);
    assert_int_equal(answered->section.setup, DESC_SETUP_PASSIVE);
    assert_int_equal(answered->section.fingerprint_count, 1);
    assert_string_equal(answered->section.ice_ufrag, spec.ice.local_ufrag);
    assert_string_equal(answered->section.ice_pwd, spec.ice.local_pwd);
    check_formats(offered, answered);
    check_extensions(offered, answered);
    enum desc_direction wanted = desc_direction_mirror(desc_direction_of(offer, offered));
    assert_int_equal(answered->section.direction & wanted, answered->section.direction);
    if (answered->section.direction == DESC_RECVONLY)
        check_track(offered, answered, &spec.tracks[(*tracks)++]);
    else if (answered->section.direction == DESC_SENDONLY)
        check_slot(answered, &spec.slots[(*slots)++]);
    else
        fail_msg("direction %d", answered->section.direction);
}

static void check_transport(const struct desc *offer, const struct desc *answered)
{
    size_t with_candidates = 0, grouped = 0;
    assert_true(answered->ice_lite);
    assert_int_equal(answered->section.extmap_allow_mixed, offer->section.extmap_allow_mixed);
    for (size_t i = 0; i < answered->media_count; i++) {
        const struct desc_media *media = &answered->media[i];
        grouped += media->port != 0;
        if (media->candidate_count == 0)
            continue;
        with_candidates++;
        assert_string_equal(media->mid, answered->groups[0].mids[0]);
        assert_true(media->section.end_of_candidates);
        assert_int_equal(media->candidate_count, 3);
        assert_string_equal(media->candidates[0].transport, "udp");
        assert_null(media->candidates[0].tcptype);
        assert_string_equal(media->candidates[2].transport, "tcp");
        assert_string_equal(media->candidates[2].tcptype, "passive");
    }
    assert_int_equal(with_candidates, 1);
    assert_int_equal(answered->group_count, 1);
    assert_int_equal(answered->groups[0].mid_count, grouped);
}

/* One id means one thing on all lines of the bundle, whatever the offer says (aiortc's does not).
 */
static void check_extension_ids(const struct desc *answered)
{
    const char *uris[256] = {NULL};
    for (size_t i = 0; i < answered->media_count; i++) {
        const struct desc_section *section = &answered->media[i].section;
        for (size_t k = 0; k < section->extmap_count; k++) {
            const char **uri = &uris[section->extmaps[k].id & 0xff];
            if (*uri != NULL)
                assert_string_equal(*uri, section->extmaps[k].uri);
            *uri = section->extmaps[k].uri;
        }
    }
}

static void check_answer(const struct desc *offer)
{
    struct desc answered = parsed(answer);
    size_t tracks = 0, slots = 0;
    assert_int_equal(answered.media_count, offer->media_count);
    check_transport(offer, &answered);
    check_extension_ids(&answered);
    for (size_t i = 0; i < answered.media_count; i++) {
        const struct desc_media *theirs = &offer->media[i], *ours = &answered.media[i];
        assert_string_equal(theirs->kind, ours->kind);
        assert_string_equal(theirs->protocol, ours->protocol);
        assert_string_equal(theirs->mid, ours->mid);
        bool grouped = listed(answered.groups[0].mids, answered.groups[0].mid_count, ours->mid);
        assert_int_equal(grouped, ours->port != 0);
        if (grouped)
            check_line(offer, theirs, ours, &tracks, &slots);
    }
    assert_int_equal(tracks, spec.track_count);
    assert_int_equal(slots, spec.slot_count);
    assert_int_equal(spec.id, 77);
    assert_int_equal(spec.room, 5);
    assert_int_equal(change, ANSWER_NEW);
}

/* Every line end is CRLF and nothing else is unprintable. */
static void check_text(void)
{
    for (const char *at = answer; *at != '\0'; at++) {
        if (*at == '\r')
            assert_int_equal(*++at, '\n');
        else
            assert_true((unsigned char)*at >= ' ');
    }
}

static void captured(void *context, const char *name, const char *bytes, size_t length)
{
    size_t *answered = context;
    struct desc offer = parsed(bytes);
    (void)length;
    for (enum answer_role role = ANSWER_CALL; role <= ANSWER_PLAY; role++) {
        enum status status = make(bytes, role, NULL);
        if (status == STATUS_OK) {
            answered[role]++;
            check_answer(&offer);
            check_text();
            continue;
        }
        /* Refused only for a line of the wrong direction or for want of one, and saying so. */
        if (status != STATUS_UNSUPPORTED ||
            (strstr(error.text, "no usable line") == NULL && strstr(error.text, "must") == NULL))
            fail_msg("%s: %s: %s", name, status_name(status), error.text);
        if (role == ANSWER_CALL)
            assert_non_null(strstr(error.text, "data channels are not taken"));
    }
    arena_reset(arena);
}

static void test_captured(void **state)
{
    (void)state;
    size_t answered[3] = {0};
    assert_int_equal(file_each("sdp", ".sdp", captured, answered), 30);
    /* All but the two with a data channel alone; of these, four only receive, seventeen only send.
     */
    assert_int_equal(answered[ANSWER_CALL], 28);
    assert_int_equal(answered[ANSWER_PUBLISH], 24);
    assert_int_equal(answered[ANSWER_PLAY], 11);
}

/* ---- chosen captured offers, in detail ---- */

static char *capture(const char *name)
{
    char path[128];
    size_t length;
    snprintf(path, sizeof path, "sdp/%s.sdp", name);
    return file_load(path, &length);
}

static void test_simulcast_camera(void **state)
{
    (void)state;
    char *offer = capture("chromium156-simulcast3-allcodecs");
    made(offer, ANSWER_CALL, NULL);
    free(offer);
    const struct media_track_spec *track = &spec.tracks[0];
    assert_int_equal(spec.track_count, 1);
    assert_int_equal(track->source, MEDIA_SOURCE_CAMERA);
    assert_int_equal(track->payload_count, 10);
    assert_int_equal(track->payloads[0].codec, MEDIA_CODEC_VP8);
    assert_int_equal(track->payloads[0].type, 96);
    assert_int_equal(track->payloads[0].rtx_type, 97);
    assert_true(track->payloads[0].nack && track->payloads[0].pli && track->payloads[0].fir);
    assert_true(track->payloads[0].transport_cc && !track->payloads[0].remb);
    /* H264: mode 1 before mode 0, constrained baseline first. */
    assert_int_equal(track->payloads[1].type, 108);
    assert_int_equal(track->payloads[1].h264_profile_level_id, 0x42e01f);
    assert_int_equal(track->payloads[1].h264_packetization_mode, 1);
    assert_int_equal(track->payloads[2].type, 102);
    assert_int_equal(track->payloads[3].type, 116);
    assert_int_equal(track->payloads[4].type, 114);
    assert_int_equal(track->payloads[4].h264_packetization_mode, 0);
    assert_int_equal(track->payloads[7].codec, MEDIA_CODEC_AV1);
    assert_int_equal(track->payloads[9].vp9_profile, 2);
    assert_int_equal(track->extensions.mid, 9);
    assert_int_equal(track->extensions.rid, 10);
    assert_int_equal(track->extensions.repaired_rid, 11);
    assert_int_equal(track->extensions.transport_cc, 4);
    assert_int_equal(track->extensions.dependency_descriptor, 13);
    assert_int_equal(track->extensions.audio_level, 0);
    assert_string_equal(spec.ice.remote_ufrag, "3G8W");
    assert_string_equal(spec.fingerprint.algorithm, "sha-256");
    assert_int_equal(spec.fingerprint.digest[0], 0x17);
    says("a=simulcast:recv q;h;f\r\n");
    says("a=rid:q recv\r\n");
    says("a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n");
    says("a=fmtp:45 level-idx=5;profile=0;tier=0\r\n");
    says("m=video 10000 UDP/TLS/RTP/SAVPF 96 97 108 109 102 103 116 117 114 115 104 107 39 40 45 "
         "46 98 99 100 101\r\n");
    says("a=candidate:3 1 tcp 1694498815 192.0.2.1 8443 typ host tcptype passive\r\n");
    says("c=IN IP4 192.0.2.1\r\n");
    says_not("goog-remb");
    says_not("toffset");
}

static void test_firefox_camera(void **state)
{
    (void)state;
    char *offer = capture("firefox153-simulcast3");
    made(offer, ANSWER_CALL, NULL);
    free(offer);
    const struct media_track_spec *track = &spec.tracks[0];
    assert_int_equal(track->rid_count, 3);
    assert_int_equal(track->payloads[0].type, 120);
    assert_int_equal(track->payloads[0].rtx_type, 124);
    assert_int_equal(track->extensions.mid, 3);
    assert_int_equal(track->extensions.rid, 9);
    /* Received only, on a line that only sends. */
    assert_int_equal(track->extensions.playout_delay, 0);
    says("a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n");
    says("a=extmap-allow-mixed\r\n");
    says_not("max-fs");
}

static void test_opus(void **state)
{
    (void)state;
    char *offer = capture("chromium156-opus-stereo-red-first");
    made(offer, ANSWER_CALL, NULL);
    assert_int_equal(spec.tracks[0].payloads[0].codec, MEDIA_CODEC_RED);
    assert_int_equal(spec.tracks[0].payloads[1].codec, MEDIA_CODEC_OPUS);
    assert_int_equal(spec.tracks[0].ssrc, 4186564145);
    assert_int_equal(spec.tracks[0].extensions.audio_level, 1);
    says("a=fmtp:63 111/111\r\n");
    says("a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n");
    struct answer_source source = {"0", MEDIA_SOURCE_SCREEN_AUDIO};
    struct answer_config config = {
        .local = &local, .sources = &source, .source_count = 1, .transport_id = 1};
    assert_int_equal(
        answer_make(offer, strlen(offer), &config, arena, &spec, &change, &answer, &error),
        STATUS_OK);
    assert_int_equal(spec.tracks[0].source, MEDIA_SOURCE_SCREEN_AUDIO);
    says("useinbandfec=1;stereo=1\r\n");
    source.source = MEDIA_SOURCE_CAMERA;
    assert_int_equal(
        answer_make(offer, strlen(offer), &config, arena, &spec, &change, &answer, &error),
        STATUS_INVALID);
    free(offer);
    offer = capture("chromium156-audio-only");
    /* A microphone sends with redundancy, other sound without. */
    made(offer, ANSWER_CALL, NULL);
    assert_int_equal(spec.tracks[0].payloads[0].codec, MEDIA_CODEC_RED);
    assert_int_equal(spec.tracks[0].payloads[1].codec, MEDIA_CODEC_OPUS);
    assert_int_equal(spec.tracks[0].payload_count, 2);
    source.source = MEDIA_SOURCE_SCREEN_AUDIO;
    assert_int_equal(
        answer_make(offer, strlen(offer), &config, arena, &spec, &change, &answer, &error),
        STATUS_OK);
    assert_int_equal(spec.tracks[0].payloads[0].codec, MEDIA_CODEC_OPUS);
    assert_int_equal(spec.tracks[0].payloads[1].codec, MEDIA_CODEC_RED);
    free(offer);
}

static void test_many_slots(void **state)
{
    (void)state;
    char *offer = capture("chromium156-recvonly-many-3a-49v");
    made(offer, ANSWER_CALL, NULL);
    free(offer);
    assert_int_equal(spec.slot_count, 52);
    for (size_t i = 0; i < spec.slot_count; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(spec.slots[i].ssrc, spec.slots[k].ssrc);
            assert_int_not_equal(spec.slots[i].ssrc, spec.slots[k].rtx_ssrc);
            assert_true(spec.slots[i].rtx_ssrc == 0 ||
                        spec.slots[i].rtx_ssrc != spec.slots[k].rtx_ssrc);
        }
    }
    assert_int_equal(spec.slots[3].payload_count, 12);
    assert_int_equal(spec.slots[3].payloads[10].codec, MEDIA_CODEC_RED);
    assert_int_equal(spec.slots[3].payloads[10].type, 118);
    assert_int_equal(spec.slots[3].payloads[11].codec, MEDIA_CODEC_ULPFEC);
    assert_int_equal(spec.slots[3].payloads[11].type, 120);
    says("a=rtpmap:118 red/90000\r\n");
    says("a=rtpmap:120 ulpfec/90000\r\n");
    assert_int_equal(spec.slots[3].extensions.rid, 0);
    says("a=msid:slot-51 video-51\r\n");
}

static void test_player(void **state)
{
    (void)state;
    char *offer = capture("firefox153-recvonly-many-3a-49v");
    made(offer, ANSWER_PLAY, NULL);
    free(offer);
    assert_int_equal(spec.slot_count, 52);
    says("a=msid:play-1 audio-1\r\n");
    says("a=msid:play-1 video-4\r\n");
    says("a=msid:play-48 video-51\r\n");
}

/* ---- hand-made offers ---- */

#define SESSION "v=0\r\no=- 4 9 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define TRANSPORT                                                                                  \
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"                                     \
    "a=fingerprint:sha-256 " DIGEST "\r\na=setup:actpass\r\na=rtcp-mux\r\n"
#define OPUS(mid, rest)                                                                            \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:" mid "\r\na=rtpmap:111 opus/48000/2\r\n" rest
#define VP8(mid, rest)                                                                             \
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:" mid                                              \
    "\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" rest

static void refused(const char *offer, enum status expected, const char *text)
{
    struct media_transport_spec before = spec;
    enum status status = make(offer, ANSWER_CALL, NULL);
    if (status != expected || strstr(error.text, text) == NULL)
        fail_msg("%s: \"%s\" instead of \"%s\"", status_name(status), error.text, text);
    assert_memory_equal(&before, &spec, sizeof spec);
}

static void test_refused(void **state)
{
    (void)state;
    refused("nonsense", STATUS_INVALID, "line 1");
    refused(SESSION, STATUS_UNSUPPORTED, "no m-line");
    refused(SESSION OPUS("0", TRANSPORT) VP8("1", TRANSPORT), STATUS_UNSUPPORTED, "BUNDLE");
    refused(SESSION "a=group:BUNDLE 0\r\n" OPUS("1", TRANSPORT), STATUS_UNSUPPORTED,
            "not in the BUNDLE group");
    refused(SESSION OPUS("0", "a=rtcp-mux\r\na=fingerprint:sha-256 " DIGEST "\r\n"), STATUS_INVALID,
            "ice-ufrag");
    refused(SESSION OPUS("0", "a=rtcp-mux\r\na=ice-ufrag:abc\r\na=ice-pwd:short\r\n"),
            STATUS_INVALID, "malformed a=ice-ufrag");
    refused(SESSION OPUS("0", "a=rtcp-mux\r\na=ice-ufrag:abcd\r\n"
                              "a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-1 00:11\r\n"),
            STATUS_UNSUPPORTED, "fingerprint");
    refused(SESSION OPUS("0", TRANSPORT "a=setup:passive\r\n"), STATUS_UNSUPPORTED, "a=setup");
    refused(SESSION "a=ice-lite\r\n" OPUS("0", TRANSPORT), STATUS_UNSUPPORTED, "ice-lite");
    refused(SESSION OPUS("0", "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
                              "a=fingerprint:sha-256 " DIGEST "\r\n"),
            STATUS_UNSUPPORTED, "m-line 1 (mid 0): no a=rtcp-mux");
    refused(SESSION "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" TRANSPORT, STATUS_UNSUPPORTED,
            "mid 0): no common codec");
    refused(SESSION "m=audio 9 RTP/AVP 0\r\n" TRANSPORT, STATUS_UNSUPPORTED, "RTP over DTLS");
    refused(SESSION "m=image 9 UDP/TLS/RTP/SAVPF 0\r\n", STATUS_UNSUPPORTED, "neither audio");
    refused(SESSION "m=video 0 UDP/TLS/RTP/SAVPF 0\r\n", STATUS_UNSUPPORTED, "port is 0");
    refused(SESSION "a=group:BUNDLE 0\r\n" OPUS("0", TRANSPORT) OPUS("0", TRANSPORT),
            STATUS_INVALID, "there twice");
    refused(SESSION OPUS("0123456789012345678901234567890123", TRANSPORT), STATUS_LIMIT, "a=mid");
}

static void test_too_many(void **state)
{
    (void)state;
    static char offer[65536];
    for (int slots = 0; slots < 2; slots++) {
        int allowed = slots ? MEDIA_SLOTS_MAX : MEDIA_TRACKS_MAX;
        for (int count = allowed; count <= allowed + 1; count++) {
            char *at = offer + sprintf(offer, "%sa=group:BUNDLE", SESSION);
            for (int i = 0; i < count; i++)
                at += sprintf(at, " %d", i);
            at += sprintf(at, "\r\n");
            for (int i = 0; i < count; i++)
                at += sprintf(at,
                              "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:%d\r\n"
                              "a=rtpmap:111 opus/48000/2\r\na=%sonly\r\n" TRANSPORT,
                              i, slots ? "recv" : "send");
            assert_int_equal(make(offer, ANSWER_CALL, NULL),
                             count == allowed ? STATUS_OK : STATUS_LIMIT);
        }
    }
}

static void test_single_line_without_mid(void **state)
{
    (void)state;
    made(SESSION
         "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=rtpmap:111 opus/48000/2\na=inactive\n" TRANSPORT
         "m=video 0 UDP/TLS/RTP/SAVPF 96",
         ANSWER_CALL, NULL);
    assert_int_equal(spec.track_count + spec.slot_count, 0);
    says("a=inactive\r\n");
    says("m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n");
    says_not("a=group");
    says("o=- 77 9 IN IP4 127.0.0.1\r\n");
}

/* The tagged line is rejected: the first that is left carries the transport. */
static void test_data_channel_first(void **state)
{
    (void)state;
    made(SESSION "a=group:BUNDLE d 0 1\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                 "a=mid:d\r\n" TRANSPORT
                 "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=bundle-only\r\na=mid:0\r\na=rtcp-mux\r\n"
                 "a=rtpmap:111 opus/48000/2\r\na=sendonly\r\n" VP8("1", "a=rtcp-mux\r\n"),
         ANSWER_CALL, NULL);
    struct desc answered = parsed(answer);
    says("a=group:BUNDLE 0 1\r\n");
    says("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:d\r\n");
    assert_int_equal(answered.media[1].candidate_count, 3);
    assert_int_equal(answered.media[2].candidate_count, 0);
    assert_string_equal(spec.ice.remote_ufrag, "abcd");
    /* sendrecv of a call is a track; the caller may receive on lines of their own. */
    assert_int_equal(spec.track_count, 2);
    assert_int_equal(answered.media[2].section.direction, DESC_RECVONLY);
}

/* WHIP and WHEP take all or nothing; a call takes what it can. */
static void test_whole_or_nothing(void **state)
{
    (void)state;
    static const char offer[] = SESSION "a=group:BUNDLE 0 1 2\r\n" OPUS(
        "0", TRANSPORT) "m=video 9 UDP/TLS/RTP/SAVPF 99\r\na=mid:1\r\na=rtpmap:99 "
                        "H265/90000\r\n" TRANSPORT
                        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n" TRANSPORT;
    made(offer, ANSWER_CALL, NULL);
    says("a=group:BUNDLE 0\r\n");
    assert_int_equal(make(offer, ANSWER_PUBLISH, NULL), STATUS_UNSUPPORTED);
    assert_string_equal(error.text, "m-line 2 (video, mid 1): no common codec");
    assert_int_equal(make(offer, ANSWER_PLAY, NULL), STATUS_UNSUPPORTED);
    static const char disabled[] = SESSION "a=group:BUNDLE 0 1\r\n" OPUS(
        "0", TRANSPORT) "m=video 0 UDP/TLS/RTP/SAVPF 99\r\na=mid:1\r\n";
    made(disabled, ANSWER_PUBLISH, NULL);
}

#define LAYERS                                                                                     \
    "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"                                           \
    "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"

static void test_layers(void **state)
{
    (void)state;
    /* Restrictions are kept, less the types we do not take; alternatives; one stream too many. */
    made(SESSION VP8("0", TRANSPORT LAYERS
                     "a=rid:a send pt=96,100;max-width=640\r\na=rid:b send pt=100\r\n"
                     "a=rid:c send max-fps=15\r\na=rid:d send\r\na=rid:e send\r\n"
                     "a=simulcast:send ~a;b,c;d;e\r\n"),
         ANSWER_CALL, NULL);
    assert_int_equal(spec.tracks[0].rid_count, 3);
    says("a=rid:a recv pt=96;max-width=640\r\na=rid:c recv max-fps=15\r\na=rid:d recv\r\n"
         "a=simulcast:recv ~a;c;d\r\n");
    /* Layers that nothing tells apart are not taken. */
    made(SESSION VP8("0", TRANSPORT "a=rid:a send\r\na=rid:b send\r\na=simulcast:send a;b\r\n"
                                    "a=ssrc-group:FID 5 6\r\na=ssrc:5 cname:x\r\n"),
         ANSWER_CALL, NULL);
    assert_int_equal(spec.tracks[0].rid_count, 0);
    assert_int_equal(spec.tracks[0].ssrc, 5);
    assert_int_equal(spec.tracks[0].rtx_ssrc, 6);
    says_not("a=simulcast");
    says_not("a=rid");
}

static void test_feedback(void **state)
{
    (void)state;
    /* transport-cc without its extension says nothing: REMB stays. */
    made(SESSION VP8("0", TRANSPORT "a=rtcp-fb:* transport-cc\r\na=rtcp-fb:96 goog-remb\r\n"),
         ANSWER_CALL, NULL);
    assert_true(spec.tracks[0].payloads[0].remb);
    assert_false(spec.tracks[0].payloads[0].transport_cc);
    /* Ids of two-byte headers, 0, and one id twice. */
    made(SESSION VP8("0", TRANSPORT "a=extmap:16 urn:3gpp:video-orientation\r\n"
                                    "a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                                    "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
                                    "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"),
         ANSWER_CALL, NULL);
    assert_int_equal(spec.tracks[0].extensions.video_orientation, 0);
    assert_int_equal(spec.tracks[0].extensions.mid, 0);
    assert_int_equal(spec.tracks[0].extensions.rid, 3);
}

static void test_foreign_formats(void **state)
{
    (void)state;
    made(SESSION
         "m=video 9 UDP/TLS/RTP/SAVPF 1 2 3 4 5 6 7 8\r\na=mid:0\r\n" TRANSPORT
         "a=rtpmap:1 H264/90000\r\na=fmtp:1 packetization-mode=2\r\na=rtpmap:2 H264/90000\r\n"
         "a=fmtp:2 profile-level-id=f4001f;packetization-mode=1\r\na=rtpmap:3 VP9/90000\r\n"
         "a=fmtp:3 profile-id=1\r\na=rtpmap:4 AV1/90000\r\na=fmtp:4 profile=1\r\n"
         "a=rtpmap:5 VP8/8000\r\na=rtpmap:6 H264/90000\r\na=rtpmap:7 red/90000\r\n"
         "a=rtpmap:8 H264/90000\r\na=fmtp:8 profile-level-id=4d801\r\n",
         ANSWER_CALL, NULL);
    assert_int_equal(spec.tracks[0].payload_count, 1);
    assert_int_equal(spec.tracks[0].payloads[0].type, 6);
    assert_int_equal(spec.tracks[0].payloads[0].h264_profile_level_id, 0x42000a);
    says("a=fmtp:6 packetization-mode=0;profile-level-id=42000a\r\n");
    static const char *const reds[] = {"",
                                       "a=fmtp:63 0/0\r\n",
                                       "a=fmtp:63 111\r\n",
                                       "a=fmtp:63 111/\r\n",
                                       "a=fmtp:63 111/x\r\n",
                                       "a=fmtp:63 111/1111\r\n",
                                       "a=fmtp:63 111 /111\r\n"};
    for (size_t i = 0; i < sizeof reds / sizeof reds[0]; i++) {
        char offer[2048];
        snprintf(offer, sizeof offer,
                 "%sm=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=rtpmap:111 opus/48000/2\r\n"
                 "a=rtpmap:63 red/48000/2\r\n%s%s",
                 SESSION, reds[i], TRANSPORT);
        made(offer, ANSWER_CALL, NULL);
        assert_int_equal(spec.tracks[0].payload_count, 1);
    }
}

/* ---- the same connection again ---- */

static void test_previous(void **state)
{
    (void)state;
    static const char offer[] =
        SESSION "a=group:BUNDLE 0 1\r\n" OPUS("0", TRANSPORT "a=sendonly\r\n")
            VP8("1", TRANSPORT "a=recvonly\r\n");
    made(offer, ANSWER_CALL, NULL);
    assert_int_equal(change, ANSWER_NEW);
    struct media_transport_spec first = spec;
    made(offer, ANSWER_CALL, &first);
    assert_int_equal(change, ANSWER_SAME);
    assert_memory_equal(&first, &spec, media_transport_spec_size(&first));

    /* More lines, another id in the config: known slots keep their SSRCs, and the id stays. */
    static const char more[] =
        SESSION "a=group:BUNDLE 0 1 2\r\n" OPUS("0", TRANSPORT "a=sendonly\r\n")
            VP8("1", TRANSPORT "a=recvonly\r\n") VP8("2", TRANSPORT "a=recvonly\r\n");
    first.id = 12;
    made(more, ANSWER_CALL, &first);
    assert_int_equal(change, ANSWER_SAME);
    assert_int_equal(spec.id, 12);
    assert_int_equal(spec.slot_count, 2);
    assert_int_equal(spec.slots[0].ssrc, first.slots[0].ssrc);
    assert_int_equal(spec.slots[0].rtx_ssrc, first.slots[0].rtx_ssrc);
    assert_int_not_equal(spec.slots[1].ssrc, first.slots[0].ssrc);

    /* Put to rest, both keep their places. */
    static const char resting[] =
        SESSION "a=group:BUNDLE 0 1\r\n" OPUS("0", TRANSPORT "a=inactive\r\n")
            VP8("1", TRANSPORT "a=inactive\r\n");
    made(resting, ANSWER_CALL, &first);
    assert_int_equal(spec.track_count, 1);
    assert_int_equal(spec.slot_count, 1);
    says_not("a=recvonly");
    says_not("a=sendonly");
}

static char *replaced(const char *text, const char *from, const char *to)
{
    static char result[OFFER_MAX];
    size_t used = 0;
    for (const char *at; (at = strstr(text, from)) != NULL; text = at + strlen(from))
        used += (size_t)snprintf(result + used, sizeof result - used, "%.*s%s", (int)(at - text),
                                 text, to);
    snprintf(result + used, sizeof result - used, "%s", text);
    return result;
}

static void test_restart(void **state)
{
    (void)state;
    static const char offer[] = SESSION VP8("1", TRANSPORT "a=recvonly\r\n");
    made(offer, ANSWER_CALL, NULL);
    struct media_transport_spec first = spec;
    made(replaced(offer, "ufrag:abcd", "ufrag:efgh"), ANSWER_CALL, &first);
    assert_int_equal(change, ANSWER_RESTART);
    assert_string_not_equal(spec.ice.local_ufrag, first.ice.local_ufrag);
    assert_string_not_equal(spec.ice.local_pwd, first.ice.local_pwd);
    assert_string_equal(spec.ice.remote_ufrag, "efgh");
    assert_int_equal(spec.slots[0].ssrc, first.slots[0].ssrc);
    /* Another certificate is another connection. */
    made(replaced(offer, "sha-256 00:", "sha-256 01:"), ANSWER_CALL, &first);
    assert_int_equal(change, ANSWER_NEW);
    assert_int_not_equal(spec.slots[0].ssrc, first.slots[0].ssrc);

    struct media_ice ice;
    assert_int_equal(answer_restart("efgh", "0123456789012345678901", &ice), STATUS_OK);
    assert_string_equal(ice.remote_ufrag, "efgh");
    assert_true(strlen(ice.local_ufrag) >= 4 && strlen(ice.local_pwd) >= 22);
    assert_int_equal(answer_restart("efg", "0123456789012345678901", &ice), STATUS_INVALID);
    assert_int_equal(answer_restart("efgh", "a b3456789012345678901", &ice), STATUS_INVALID);
}

/* ---- damage ---- */

static void truncated(void *context, const char *name, const char *bytes, size_t length)
{
    enum { WHOLE = 2500, STEP = 977 };
    struct answer_config config = {.local = &local, .transport_id = 1, .previous = context};
    (void)name;
    for (size_t cut = 0; cut <= length; cut += cut < WHOLE ? 1 : STEP) {
        char *exact = malloc(cut > 0 ? cut : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, cut);
        config.role = (enum answer_role)(cut % 3);
        enum status status =
            answer_make(exact, cut, &config, arena, &spec, &change, &answer, &error);
        assert_true(status == STATUS_OK || error.text[0] != '\0');
        free(exact);
        arena_reset(arena);
    }
}

static void test_truncated(void **state)
{
    (void)state;
    char *offer = capture("chromium156-audio-video");
    made(offer, ANSWER_CALL, NULL);
    struct media_transport_spec first = spec;
    free(offer);
    file_each("sdp", ".sdp", truncated, &first);
}

static enum status make_alone(void *context)
{
    struct answer_config config = {.local = &local, .transport_id = 1};
    struct arena *own;
    enum status status = arena_new(ARENA_MAX, &own);
    if (status != STATUS_OK)
        return status;
    status = answer_make(context, strlen(context), &config, own, &spec, &change, &answer, &error);
    arena_free(own);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    char *offer = capture("firefox153-audio-video");
    assert_true(alloc_fail_each(make_alone, offer) > 2);
    struct answer_config config = {.local = &local, .transport_id = 1};
    enum status status = STATUS_NO_MEMORY;
    for (size_t limit = 0; status == STATUS_NO_MEMORY; limit += 128) {
        struct arena *small;
        assert_int_equal(arena_new(limit, &small), STATUS_OK);
        status = answer_make(offer, strlen(offer), &config, small, &spec, &change, &answer, &error);
        arena_free(small);
    }
    assert_int_equal(status, STATUS_OK);
    free(offer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_captured),
        TEST(test_simulcast_camera),
        TEST(test_firefox_camera),
        TEST(test_opus),
        TEST(test_many_slots),
        TEST(test_player),
        TEST(test_refused),
        TEST(test_too_many),
        TEST(test_single_line_without_mid),
        TEST(test_data_channel_first),
        TEST(test_whole_or_nothing),
        TEST(test_layers),
        TEST(test_feedback),
        TEST(test_foreign_formats),
        TEST(test_previous),
        TEST(test_restart),
        TEST(test_truncated),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
