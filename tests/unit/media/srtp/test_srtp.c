/*
 * SRTP against published vectors and against libsrtp2, byte for byte, both ways.
 */
#include "core/bytes.h"
#include "media/srtp/layout.h"
#include "media/srtp/mac_batch.h"
#include "media/srtp/srtp.h"
#include "media/srtp/transform.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/vector.h"

#include <setjmp.h>
#include <srtp2/srtp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PACKET_MAX = 1500, ROOM = PACKET_MAX + SRTP_MAX_TRAILER_LEN };

static const enum protector_profile profiles[] = {
    PROTECTOR_AES_GCM_128,
    PROTECTOR_AES_GCM_256,
    PROTECTOR_AES_CM_SHA1_80,
    PROTECTOR_AES_CM_SHA1_32,
};

enum { PROFILES = 4 };

/* ---- a small generator of its own, so that the sequence never changes ---- */

static uint64_t dice_state;

static uint32_t dice(uint32_t bound)
{
    dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice_state >> 33) % bound;
}

static void dice_bytes(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)dice(256);
}

static struct protector_keys random_keys(enum protector_profile profile)
{
    struct protector_keys keys = {.profile = profile};
    dice_bytes(keys.key, protector_key_length(profile));
    dice_bytes(keys.salt, protector_salt_length(profile));
    return keys;
}

/* ---- the reference ---- */

static srtp_t reference_new(const struct protector_keys *keys, srtp_ssrc_type_t direction)
{
    uint8_t key[SRTP_MAX_KEY_LEN] = {0};
    memcpy(key, keys->key, protector_key_length(keys->profile));
    memcpy(key + protector_key_length(keys->profile), keys->salt,
           protector_salt_length(keys->profile));
    srtp_policy_t policy = {.key = key, .window_size = UNPROTECTOR_WINDOW};
    policy.ssrc.type = direction;
    switch (keys->profile) {
    case PROTECTOR_AES_GCM_128:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
        break;
    case PROTECTOR_AES_GCM_256:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
        break;
    case PROTECTOR_AES_CM_SHA1_80:
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
        break;
    case PROTECTOR_AES_CM_SHA1_32:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
        break;
    }
    srtp_t session = NULL;
    assert_int_equal(srtp_create(&session, &policy), srtp_err_status_ok);
    return session;
}

/* A random packet: CSRCs, extension, payload of 0.. bytes. Returns its length. */
static size_t random_packet(uint16_t seq, uint32_t ssrc, uint8_t *packet, size_t *ret_header)
{
    uint32_t csrcs = dice(3) == 0 ? dice(16) : 0;
    bool extension = dice(2) == 0;
    packet[0] = (uint8_t)(0x80 | (extension ? 0x10 : 0) | csrcs);
    packet[1] = (uint8_t)dice(128);
    store_be16(packet + 2, seq);
    store_be32(packet + 4, dice(UINT32_MAX));
    store_be32(packet + 8, ssrc);
    size_t header = 12 + 4 * csrcs;
    dice_bytes(packet + 12, 4 * csrcs);
    if (extension) {
        uint16_t words = (uint16_t)dice(8);
        store_be16(packet + header, 0xbede);
        store_be16(packet + header + 2, words);
        dice_bytes(packet + header + 4, 4u * words);
        header += 4 + 4u * words;
    }
    size_t payload = dice(10) == 0 ? 0 : dice(1200);
    dice_bytes(packet + header, payload);
    *ret_header = header;
    return header + payload;
}

/* ---- published vectors ---- */

static void test_key_derivation_rfc3711(void **state)
{
    (void)state;
    static const char file[] = "rfc3711/key_derivation.txt";
    struct protector_keys keys = {.profile = PROTECTOR_AES_CM_SHA1_80};
    uint8_t expected[128], derived[128];
    assert_int_equal(vector_load(file, "master_key", keys.key, sizeof keys.key), 16);
    assert_int_equal(vector_load(file, "master_salt", keys.salt, sizeof keys.salt), 14);
    static const struct {
        const char *name;
        enum transform_label label;
    } cases[] = {
        {"cipher_key", TRANSFORM_RTP_KEY},
        {"cipher_salt", TRANSFORM_RTP_SALT},
        {"auth_key", TRANSFORM_RTP_AUTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = vector_load(file, cases[i].name, expected, sizeof expected);
        assert_int_equal(transform_derive(&keys, cases[i].label, derived, length), STATUS_OK);
        assert_memory_equal(derived, expected, length);
    }
}

static void test_gcm_rfc7714(void **state)
{
    (void)state;
    static const char file[] = "rfc7714/gcm.txt";
    for (int wide = 0; wide < 2; wide++) {
        struct transform_keys keys = {.profile =
                                          wide ? PROTECTOR_AES_GCM_256 : PROTECTOR_AES_GCM_128};
        uint8_t packet[128], expected[128];
        vector_load(file, wide ? "key_256" : "key_128", keys.key, sizeof keys.key);
        vector_load(file, "salt", keys.salt, sizeof keys.salt);
        size_t length = vector_load(file, "packet", packet, sizeof packet);
        size_t expected_length =
            vector_load(file, wide ? "protected_256" : "protected_128", expected, sizeof expected);
        assert_int_equal(expected_length, length + GCM_TAG);
        struct transform seal, open;
        assert_int_equal(transform_init_session(&keys, true, &seal), STATUS_OK);
        assert_int_equal(transform_init_session(&keys, false, &open), STATUS_OK);
        assert_int_equal(layout_rtp_seal(&seal, NULL, 0, 12, packet + 12, length - 12, packet),
                         STATUS_OK);
        assert_memory_equal(packet, expected, expected_length);
        assert_int_equal(layout_rtp_open(&open, 0, 12, packet, expected_length), STATUS_OK);
        vector_load(file, "packet", expected, sizeof expected);
        assert_memory_equal(packet, expected, length);
        transform_clear(&seal);
        transform_clear(&open);
    }
}

static void test_gcm_rtcp_rfc7714(void **state)
{
    (void)state;
    static const char file[] = "rfc7714/gcm.txt";
    struct transform_keys keys = {.profile = PROTECTOR_AES_GCM_128};
    struct transform seal, open;
    uint8_t packet[128], expected[128];
    uint32_t index = 0;
    vector_load(file, "key_128", keys.key, sizeof keys.key);
    vector_load(file, "salt", keys.salt, sizeof keys.salt);
    size_t length = vector_load(file, "rtcp", packet, sizeof packet);
    size_t expected_length = vector_load(file, "rtcp_protected_128", expected, sizeof expected);
    assert_int_equal(expected_length, length + PROTECTOR_RTCP_TAIL_MAX);
    assert_int_equal(transform_init_session(&keys, true, &seal), STATUS_OK);
    assert_int_equal(transform_init_session(&keys, false, &open), STATUS_OK);
    assert_int_equal(layout_rtcp_seal(&seal, 0x5d4, packet, length), STATUS_OK);
    assert_memory_equal(packet, expected, expected_length);
    assert_int_equal(layout_rtcp_index(&open, packet, expected_length, &index), STATUS_OK);
    assert_int_equal(index, 0x5d4);
    assert_int_equal(layout_rtcp_open(&open, index, packet, expected_length), STATUS_OK);
    vector_load(file, "rtcp", expected, sizeof expected);
    assert_memory_equal(packet, expected, length);
    transform_clear(&seal);
    transform_clear(&open);
}

/* ---- against libsrtp2 ---- */

static void test_protect_equals_reference(void **state)
{
    (void)state;
    for (int p = 0; p < PROFILES; p++) {
        dice_state = 1000 + (uint64_t)p;
        struct protector_keys keys = random_keys(profiles[p]);
        srtp_t reference = reference_new(&keys, ssrc_any_outbound);
        struct protector *protector = NULL;
        assert_int_equal(protector_new(&keys, &protector), STATUS_OK);
        /* Two SSRCs, each over three wraps of its sequence number in uneven steps. */
        uint32_t index[2] = {65000, 3};
        for (int i = 0; i < 800; i++) {
            uint32_t who = dice(2);
            uint8_t packet[ROOM], expected[ROOM], out[ROOM];
            size_t header = 0, ours = 0;
            size_t length = random_packet((uint16_t)index[who], 77 + who, packet, &header);
            memcpy(expected, packet, length);
            int reference_length = (int)length;
            assert_int_equal(srtp_protect(reference, expected, &reference_length),
                             srtp_err_status_ok);
            /* Apart first, then in place. */
            assert_int_equal(protector_rtp(protector, index[who] >> 16, packet, header,
                                           packet + header, length - header, out, &ours),
                             STATUS_OK);
            assert_int_equal(ours, reference_length);
            assert_memory_equal(out, expected, ours);
            assert_int_equal(protector_rtp(protector, index[who] >> 16, packet, header,
                                           packet + header, length - header, packet, &ours),
                             STATUS_OK);
            assert_memory_equal(packet, expected, ours);
            index[who] += 1 + dice(1000);
        }
        protector_free(protector);
        srtp_dealloc(reference);
    }
}

static void test_unprotect_opens_reference(void **state)
{
    (void)state;
    for (int p = 0; p < PROFILES; p++) {
        dice_state = 2000 + (uint64_t)p;
        struct protector_keys keys = random_keys(profiles[p]);
        srtp_t reference = reference_new(&keys, ssrc_any_outbound);
        struct unprotector *unprotector = NULL;
        assert_int_equal(unprotector_new(&keys, &unprotector), STATUS_OK);
        uint32_t index = 65400;
        for (int i = 0; i < 800; i++) {
            uint8_t packet[ROOM], clear[ROOM];
            size_t header = 0, ours = 0;
            uint64_t seen = 0;
            size_t length = random_packet((uint16_t)index, 5, packet, &header);
            memcpy(clear, packet, length);
            int reference_length = (int)length;
            assert_int_equal(srtp_protect(reference, packet, &reference_length),
                             srtp_err_status_ok);
            assert_int_equal(
                unprotector_rtp(unprotector, packet, (size_t)reference_length, &ours, &seen),
                STATUS_OK);
            assert_int_equal(ours, length);
            assert_int_equal(seen, index);
            assert_memory_equal(packet, clear, length);
            index += 1 + dice(300);
        }
        unprotector_free(unprotector);
        srtp_dealloc(reference);
    }
}

static void test_rtcp_both_ways(void **state)
{
    (void)state;
    for (int p = 0; p < PROFILES; p++) {
        dice_state = 3000 + (uint64_t)p;
        struct protector_keys keys = random_keys(profiles[p]);
        srtp_t out = reference_new(&keys, ssrc_any_outbound);
        srtp_t in = reference_new(&keys, ssrc_any_inbound);
        struct protector *protector = NULL;
        struct unprotector *unprotector = NULL;
        assert_int_equal(protector_new(&keys, &protector), STATUS_OK);
        assert_int_equal(unprotector_new(&keys, &unprotector), STATUS_OK);
        for (int i = 0; i < 200; i++) {
            /* libsrtp2 counts each SSRC by itself, we count once: equal bytes while there is one.
             */
            uint32_t ssrc = i < 100 ? 7 : 8 + dice(3);
            uint8_t clear[ROOM], ours[ROOM], theirs[ROOM];
            size_t length = 8 + 4u * dice(100), ours_length = 0, opened = 0;
            dice_bytes(clear, length);
            clear[0] = 0x80;
            clear[1] = 200;
            store_be32(clear + 4, ssrc);
            memcpy(ours, clear, length);
            memcpy(theirs, clear, length);
            int theirs_length = (int)length;
            assert_int_equal(protector_rtcp(protector, ours, length, sizeof ours, &ours_length),
                             STATUS_OK);
            assert_int_equal(srtp_protect_rtcp(out, theirs, &theirs_length), srtp_err_status_ok);
            assert_int_equal(ours_length, theirs_length);
            if (ssrc == 7)
                assert_memory_equal(ours, theirs, ours_length);
            uint8_t again[ROOM];
            memcpy(again, ours, ours_length);
            int again_length = (int)ours_length;
            assert_int_equal(srtp_unprotect_rtcp(in, again, &again_length), srtp_err_status_ok);
            assert_int_equal(again_length, length);
            assert_memory_equal(again, clear, length);
            memcpy(again, ours, ours_length);
            assert_int_equal(unprotector_rtcp(unprotector, ours, ours_length, &opened), STATUS_OK);
            assert_int_equal(opened, length);
            assert_memory_equal(ours, clear, length);
            assert_int_equal(unprotector_rtcp(unprotector, again, ours_length, &opened),
                             STATUS_DUPLICATE);
        }
        protector_free(protector);
        unprotector_free(unprotector);
        srtp_dealloc(out);
        srtp_dealloc(in);
    }
}

/* ---- replay, order, limits ---- */

struct pair {
    struct protector *protector;
    struct unprotector *unprotector;
};

static struct pair pair_new(enum protector_profile profile)
{
    struct pair pair;
    dice_state = 4000;
    struct protector_keys keys = random_keys(profile);
    assert_int_equal(protector_new(&keys, &pair.protector), STATUS_OK);
    assert_int_equal(unprotector_new(&keys, &pair.unprotector), STATUS_OK);
    return pair;
}

static void pair_free(struct pair *pair)
{
    protector_free(pair->protector);
    unprotector_free(pair->unprotector);
}

/* Sends index of ssrc through; what the receiver says. */
static enum status pass(struct pair *pair, uint32_t ssrc, uint64_t index)
{
    uint8_t packet[64] = {0x80, 96};
    size_t length = 0;
    uint64_t seen = 0;
    store_be16(packet + 2, (uint16_t)index);
    store_be32(packet + 8, ssrc);
    assert_int_equal(protector_rtp(pair->protector, (uint32_t)(index >> 16), packet, 12,
                                   packet + 12, 20, packet, &length),
                     STATUS_OK);
    enum status status = unprotector_rtp(pair->unprotector, packet, length, &length, &seen);
    if (status == STATUS_OK)
        assert_int_equal(seen, index);
    return status;
}

static void test_replay_window(void **state)
{
    (void)state;
    for (int p = 0; p < PROFILES; p++) {
        struct pair pair = pair_new(profiles[p]);
        uint64_t base = 65530;
        assert_int_equal(pass(&pair, 1, base), STATUS_OK);
        assert_int_equal(pass(&pair, 1, base), STATUS_DUPLICATE);
        assert_int_equal(pass(&pair, 1, base + 10), STATUS_OK); /* over the wrap */
        assert_int_equal(pass(&pair, 1, base + 3), STATUS_OK);  /* back before it */
        assert_int_equal(pass(&pair, 1, base + 3), STATUS_DUPLICATE);
        assert_int_equal(pass(&pair, 1, base + 10 + UNPROTECTOR_WINDOW), STATUS_OK);
        assert_int_equal(pass(&pair, 1, base + 10), STATUS_LATE);
        assert_int_equal(pass(&pair, 1, base + 11), STATUS_OK); /* the oldest in the window */
        assert_int_equal(pass(&pair, 1, base + 11), STATUS_DUPLICATE);
        assert_int_equal(pass(&pair, 1, base + 30000), STATUS_OK); /* the whole window anew */
        assert_int_equal(pass(&pair, 1, base + 30000 - UNPROTECTOR_WINDOW + 1), STATUS_OK);
        assert_int_equal(pass(&pair, 1, base + 29999), STATUS_OK);
        pair_free(&pair);
    }
}

static void test_window_against_model(void **state)
{
    (void)state;
    struct pair pair = pair_new(PROTECTOR_AES_GCM_128);
    enum { SPAN = 200000 };
    uint8_t *seen = calloc(1, SPAN + 5000);
    assert_non_null(seen);
    uint64_t highest = 2000;
    assert_int_equal(pass(&pair, 9, highest), STATUS_OK);
    seen[highest] = 1;
    while (highest < SPAN) {
        /* Mostly small steps and a little disorder, so that bits of the last round are met again.
         */
        bool far = dice(50) == 0;
        uint64_t index = highest + dice(far ? 3000 : 8);
        uint64_t back = dice(dice(20) == 0 ? 2000 : 6);
        index = index > back ? index - back : 0;
        enum status expected = STATUS_OK;
        if (index + UNPROTECTOR_WINDOW <= highest)
            expected = STATUS_LATE;
        else if (seen[index])
            expected = STATUS_DUPLICATE;
        assert_int_equal(pass(&pair, 9, index), expected);
        seen[index] = 1;
        if (index > highest)
            highest = index;
    }
    free(seen);
    pair_free(&pair);
}

static void test_damage_is_found(void **state)
{
    (void)state;
    for (int p = 0; p < PROFILES; p++) {
        struct pair pair = pair_new(profiles[p]);
        uint8_t packet[64] = {0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, damaged[64];
        size_t length = 0, opened = 0;
        uint64_t index = 0;
        assert_int_equal(
            protector_rtp(pair.protector, 0, packet, 12, packet + 12, 20, packet, &length),
            STATUS_OK);
        for (size_t at = 1; at < length; at++) {
            memcpy(damaged, packet, length);
            damaged[at] ^= 0x10;
            assert_int_equal(unprotector_rtp(pair.unprotector, damaged, length, &opened, &index),
                             STATUS_CORRUPT);
        }
        for (size_t cut = 0; cut < length; cut++) {
            memcpy(damaged, packet, length);
            assert_int_not_equal(unprotector_rtp(pair.unprotector, damaged, cut, &opened, &index),
                                 STATUS_OK);
        }
        /* None of that left a trace. */
        assert_int_equal(unprotector_rtp(pair.unprotector, packet, length, &opened, &index),
                         STATUS_OK);
        assert_int_equal(opened, 32);
        pair_free(&pair);
    }
}

static void test_ssrcs_are_bounded(void **state)
{
    (void)state;
    struct pair pair = pair_new(PROTECTOR_AES_GCM_128);
    for (uint32_t ssrc = 0; ssrc < UNPROTECTOR_SSRCS_MAX; ssrc++)
        assert_int_equal(pass(&pair, ssrc, 100), STATUS_OK);
    assert_int_equal(pass(&pair, 0, 101), STATUS_OK);
    assert_int_equal(pass(&pair, 5000, 1), STATUS_OK);       /* pushes out ssrc 1 */
    assert_int_equal(pass(&pair, 0, 101), STATUS_DUPLICATE); /* still known */
    assert_int_equal(pass(&pair, 2, 100), STATUS_DUPLICATE);
    assert_int_equal(pass(&pair, 1, 100), STATUS_OK); /* forgotten */

    pair_free(&pair);
}

/* Protects a compound of ssrc; returns its length. */
static size_t compound(struct pair *pair, uint32_t ssrc, uint8_t packet[64])
{
    size_t length = 0;
    memset(packet, 0, 64);
    packet[0] = 0x80;
    packet[1] = 200;
    store_be32(packet + 4, ssrc);
    assert_int_equal(protector_rtcp(pair->protector, packet, 28, 64, &length), STATUS_OK);
    return length;
}

static enum status pass_compound(struct pair *pair, const uint8_t *packet, size_t length)
{
    uint8_t copy[64];
    memcpy(copy, packet, length);
    return unprotector_rtcp(pair->unprotector, copy, length, &length);
}

static void test_rtcp_replay_and_damage(void **state)
{
    (void)state;
    for (int p = 0; p < PROFILES; p++) {
        struct pair pair = pair_new(profiles[p]);
        uint8_t packets[100][64];
        size_t length = 0;
        for (int i = 0; i < 100; i++)
            length = compound(&pair, 3, packets[i]);
        for (size_t at = 1; at < length; at++) {
            packets[50][at] ^= 0x40;
            assert_int_not_equal(pass_compound(&pair, packets[50], length), STATUS_OK);
            packets[50][at] ^= 0x40;
        }
        for (size_t cut = 0; cut < length; cut++)
            assert_int_not_equal(pass_compound(&pair, packets[50], cut), STATUS_OK);
        assert_int_equal(pass_compound(&pair, packets[50], length), STATUS_OK);
        assert_int_equal(pass_compound(&pair, packets[50], length), STATUS_DUPLICATE);
        assert_int_equal(pass_compound(&pair, packets[40], length), STATUS_OK);
        assert_int_equal(pass_compound(&pair, packets[99], length), STATUS_OK);
        assert_int_equal(pass_compound(&pair, packets[40], length), STATUS_DUPLICATE);
        assert_int_equal(pass_compound(&pair, packets[36], length), STATUS_OK);
        assert_int_equal(pass_compound(&pair, packets[35], length), STATUS_LATE);
        /* E = 0 is refused before anything else is looked at. */
        size_t word = length - (protector_salt_length(profiles[p]) == 14 ? 14 : 4);
        packets[98][word] &= 0x7f;
        assert_int_equal(pass_compound(&pair, packets[98], length), STATUS_UNSUPPORTED);
        uint8_t small[40] = {0x80, 200};
        assert_int_equal(protector_rtcp(pair.protector, small, 28, sizeof small, &length),
                         STATUS_TRUNCATED);
        assert_int_equal(protector_rtcp(pair.protector, small, 7, sizeof small, &length),
                         STATUS_INVALID);
        pair_free(&pair);
    }
}

static void test_rtcp_ssrcs_are_bounded(void **state)
{
    (void)state;
    struct pair pair = pair_new(PROTECTOR_AES_GCM_128);
    uint8_t first[64], second[64], packet[64];
    size_t length = compound(&pair, 0, first);
    assert_int_equal(pass_compound(&pair, first, length), STATUS_OK);
    for (uint32_t ssrc = 1; ssrc < UNPROTECTOR_SSRCS_MAX; ssrc++)
        assert_int_equal(pass_compound(&pair, packet, compound(&pair, ssrc, packet)), STATUS_OK);
    assert_int_equal(pass_compound(&pair, first, length), STATUS_DUPLICATE);
    assert_int_equal(pass_compound(&pair, second, compound(&pair, 99, second)), STATUS_OK);
    assert_int_equal(pass_compound(&pair, second, length), STATUS_DUPLICATE);
    assert_int_equal(pass_compound(&pair, first, length), STATUS_OK); /* forgotten: the oldest */
    pair_free(&pair);
}

static void test_bad_profile(void **state)
{
    (void)state;
    struct protector_keys keys = {.profile = (enum protector_profile)3};
    struct protector *protector = NULL;
    struct unprotector *unprotector = NULL;
    assert_int_equal(protector_new(&keys, &protector), STATUS_INVALID);
    assert_int_equal(unprotector_new(&keys, &unprotector), STATUS_INVALID);
    assert_null(protector);
    assert_null(unprotector);
    assert_null(protector_free(NULL));
    assert_null(unprotector_free(NULL));
}

/* Packets of two senders, each once with its tag at once and once with the batch's. */
static void batch_equals(enum protector_profile profile, struct mac_batch *batch, size_t count)
{
    static uint8_t whole[MAC_BATCH_MAX + 9][ROOM], later[MAC_BATCH_MAX + 9][ROOM];
    size_t lengths[MAC_BATCH_MAX + 9];
    struct pair pairs[2] = {pair_new(profile), pair_new(profile)};
    assert_true(count <= MAC_BATCH_MAX + 9);
    for (size_t i = 0; i < count; i++) {
        struct protector *protector = pairs[dice(2)].protector;
        size_t length, payload = dice(PACKET_MAX - 12);
        uint8_t packet[PACKET_MAX] = {0x80, 96};
        store_be16(packet + 2, (uint16_t)i);
        dice_bytes(packet + 4, payload + 8);
        assert_int_equal(
            protector_rtp(protector, 7, packet, 12, packet + 12, payload, whole[i], &lengths[i]),
            STATUS_OK);
        assert_int_equal(protector_rtp_later(protector, batch, 7, packet, 12, packet + 12, payload,
                                             later[i], &length),
                         STATUS_OK);
        assert_int_equal(length, lengths[i]);
    }
    /* Who is keyed anew or leaves before the flush does not matter. */
    pair_free(&pairs[0]);
    pair_free(&pairs[1]);
    if (batch != NULL)
        mac_batch_finish(batch);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(whole[i], later[i], lengths[i]);
}

static void test_tags_of_a_batch(void **state)
{
    (void)state;
    struct mac_batch *batch = NULL;
    enum status status = mac_batch_new(&batch);
    assert_true(status == STATUS_OK || status == STATUS_UNSUPPORTED);
    static const size_t counts[] = {1, 2, 15, 16, 17, 100, MAC_BATCH_MAX, MAC_BATCH_MAX + 9, 3};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (int p = 0; p < PROFILES; p++)
            batch_equals(profiles[p], batch, counts[i]);
    }
    batch_equals(PROTECTOR_AES_CM_SHA1_80, NULL, 3);
    mac_batch_free(batch);
}

static enum status first_packet(void *context)
{
    struct protector *protector = NULL;
    struct unprotector *unprotector = NULL;
    uint8_t packet[64] = {0x80, 96, 0, 1};
    size_t length = 0;
    uint64_t index;
    enum status status = protector_new(context, &protector);
    if (status == STATUS_OK)
        status = unprotector_new(context, &unprotector);
    if (status == STATUS_OK)
        status = protector_rtp(protector, 0, packet, 12, packet + 12, 20, packet, &length);
    if (status == STATUS_OK)
        status = unprotector_rtp(unprotector, packet, length, &length, &index);
    protector_free(protector);
    unprotector_free(unprotector);
    return status;
}

static void test_starved(void **state)
{
    (void)state;
    /* Each direction: itself, and of RTP and RTCP the MAC or the GCM; what it keeps of streams. */
    struct protector_keys keys = {.profile = PROTECTOR_AES_CM_SHA1_80};
    assert_int_equal(alloc_fail_each(first_packet, &keys), 7);
    keys.profile = PROTECTOR_AES_GCM_128;
    assert_int_equal(alloc_fail_each(first_packet, &keys), 7);
}

int main(void)
{
    if (srtp_init() != srtp_err_status_ok)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_derivation_rfc3711),
        cmocka_unit_test(test_gcm_rfc7714),
        cmocka_unit_test(test_gcm_rtcp_rfc7714),
        cmocka_unit_test(test_protect_equals_reference),
        cmocka_unit_test(test_unprotect_opens_reference),
        cmocka_unit_test(test_rtcp_both_ways),
        cmocka_unit_test(test_replay_window),
        cmocka_unit_test(test_window_against_model),
        cmocka_unit_test(test_damage_is_found),
        cmocka_unit_test(test_ssrcs_are_bounded),
        cmocka_unit_test(test_rtcp_replay_and_damage),
        cmocka_unit_test(test_rtcp_ssrcs_are_bounded),
        cmocka_unit_test(test_bad_profile),
        cmocka_unit_test(test_tags_of_a_batch),
        cmocka_unit_test(test_starved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
