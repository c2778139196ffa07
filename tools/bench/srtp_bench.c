/*
 * tools/bench/srtp_bench.c - nanoseconds to protect one RTP packet, by itself and in a batch as a
 * worker sends them, and to unprotect it, ours beside libsrtp2, for each profile.
 *
 *   srtp_bench [PAYLOAD_BYTES]     default 1200
 */
#include "core/bytes.h"
#include "media/srtp/mac_batch.h"
#include "media/srtp/srtp.h"

#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 5, PACKETS = 20000, BATCH = 100, HEADER = 20, PAYLOAD_MAX = 1400, ROOM = 2048 };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void fill(uint8_t *packet, uint32_t index)
{
    static const uint8_t header[HEADER] = {0x90, 96, 0, 0, 0, 0, 0, 0,    0,    0,
                                           0,    7,  0, 0, 0, 0, 0, 0xbe, 0xde, 0};
    memcpy(packet, header, HEADER);
    packet[12] = 0xbe;
    packet[13] = 0xde;
    packet[15] = 1;
    store_be16(packet + 2, (uint16_t)index);
}

static srtp_t reference_new(const struct protector_keys *keys)
{
    static uint8_t key[SRTP_MAX_KEY_LEN];
    memcpy(key, keys->key, protector_key_length(keys->profile));
    memcpy(key + protector_key_length(keys->profile), keys->salt,
           protector_salt_length(keys->profile));
    srtp_policy_t policy = {.key = key, .ssrc = {.type = ssrc_any_outbound}};
    if (keys->profile == PROTECTOR_AES_GCM_128)
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    else if (keys->profile == PROTECTOR_AES_GCM_256)
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
    else
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
    policy.rtcp = policy.rtp;
    srtp_t session = NULL;
    if (srtp_create(&session, &policy) != srtp_err_status_ok)
        exit(1);
    return session;
}

/* ns for PACKETS of them, BATCH of them to one after another subscriber. */
static double batched(struct protector *protector, struct mac_batch *batch, size_t payload)
{
    static uint8_t in[ROOM], out[BATCH][ROOM];
    size_t length;
    double start = now_ns();
    for (uint32_t i = 0; i < PACKETS; i++) {
        fill(in, i);
        if (protector_rtp_later(protector, batch, 0, in, HEADER, in + HEADER, payload,
                                out[i % BATCH], &length) != STATUS_OK)
            exit(1);
        if (i % BATCH == BATCH - 1 && batch != NULL)
            mac_batch_finish(batch);
    }
    return now_ns() - start;
}

/* Best of ROUNDS, so that a busy machine disturbs little. */
static void measure(const char *name, const struct protector_keys *keys, size_t payload)
{
    static uint8_t in[ROOM], out[ROOM];
    struct protector *protector = NULL;
    struct unprotector *unprotector = NULL;
    if (protector_new(keys, &protector) != STATUS_OK ||
        unprotector_new(keys, &unprotector) != STATUS_OK)
        exit(1);
    srtp_t reference = reference_new(keys);
    struct mac_batch *batch = NULL;
    if (mac_batch_new(&batch) != STATUS_OK)
        batch = NULL;
    double ours = 1e18, many = 1e18, both = 1e18, theirs = 1e18;
    uint32_t index = 0, reference_index = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        size_t length = 0;
        for (int i = 0; i < PACKETS; i++, index++) {
            fill(in, index);
            if (protector_rtp(protector, index >> 16, in, HEADER, in + HEADER, payload, out,
                              &length) != STATUS_OK)
                exit(1);
        }
        double mid = now_ns();
        for (int i = 0; i < PACKETS; i++, index++) {
            uint64_t seen = 0;
            size_t opened = 0;
            fill(in, index);
            if (protector_rtp(protector, index >> 16, in, HEADER, in + HEADER, payload, out,
                              &length) != STATUS_OK ||
                unprotector_rtp(unprotector, out, length, &opened, &seen) != STATUS_OK)
                exit(1);
        }
        double late = now_ns();
        for (int i = 0; i < PACKETS; i++, reference_index++) {
            int octets = (int)(HEADER + payload);
            fill(in, reference_index);
            memcpy(out, in, (size_t)octets);
            if (srtp_protect(reference, out, &octets) != srtp_err_status_ok)
                exit(1);
        }
        double end = now_ns();
        double together = batched(protector, batch, payload);
        ours = mid - start < ours ? mid - start : ours;
        many = together < many ? together : many;
        both = late - mid < both ? late - mid : both;
        theirs = end - late < theirs ? end - late : theirs;
    }
    printf("%-22s %8.0f %10.0f %10.0f %10.0f\n", name, ours / PACKETS, many / PACKETS,
           (both - ours) / PACKETS, theirs / PACKETS);
    mac_batch_free(batch);
    protector_free(protector);
    unprotector_free(unprotector);
    srtp_dealloc(reference);
}

int main(int argc, char **argv)
{
    long payload = argc > 1 ? strtol(argv[1], NULL, 10) : 1200;
    if (payload < 0 || payload > PAYLOAD_MAX || srtp_init() != srtp_err_status_ok) {
        fprintf(stderr, "usage: srtp_bench [PAYLOAD_BYTES <= %d]\n", PAYLOAD_MAX);
        return 2;
    }
    static const struct {
        const char *name;
        enum protector_profile profile;
    } cases[] = {
        {"AEAD_AES_128_GCM", PROTECTOR_AES_GCM_128},
        {"AEAD_AES_256_GCM", PROTECTOR_AES_GCM_256},
        {"AES128_CM_SHA1_80", PROTECTOR_AES_CM_SHA1_80},
    };
    printf("ns per packet of %ld B   protect   in batch  unprotect   libsrtp2 protect\n", payload);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct protector_keys keys = {.profile = cases[i].profile, .key = {1, 2, 3}, .salt = {4}};
        measure(cases[i].name, &keys, (size_t)payload);
    }
    srtp_shutdown();
    return 0;
}
