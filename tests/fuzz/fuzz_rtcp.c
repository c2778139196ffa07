/*
 * tests/fuzz/fuzz_rtcp.c - a compound of RTCP from anybody; or, when the first byte is
 * not of version 2, the arrivals of a stream that drive the recorders (transport
 * feedback, NACK list, receiver statistics) and must come out of them as they went in.
 * Whatever a receiver claims about what it was sent, the estimate stays within its bounds.
 */
#include "core/bytes.h"
#include "media/bwe/bwe.h"
#include "media/rtp/nack.h"
#include "media/rtp/recv_stats.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/twcc.h"

#include <string.h>

#undef NDEBUG
#include <assert.h>

enum { REPORTS_MAX = 65535, COMPOUND_MAX = 65536, SSRCS_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static struct twcc_report reports[REPORTS_MAX];

static void check_report(const struct rtcp_packet *packet, uint8_t *written)
{
    struct rtcp_block blocks[RTCP_BLOCKS_MAX];
    for (size_t i = 0; i < packet->item_count; i++)
        blocks[i] = rtcp_block_at(packet, i);
    struct rtcp_writer writer = rtcp_writer_of(written, COMPOUND_MAX);
    if (packet->kind == RTCP_SR)
        assert(rtcp_write_sr(&writer, packet->sender_ssrc, &packet->sender, blocks,
                             packet->item_count) == STATUS_OK);
    else
        assert(rtcp_write_rr(&writer, packet->sender_ssrc, blocks, packet->item_count) ==
               STATUS_OK);
    /* Profile-specific extensions may follow the blocks. */
    assert(writer.length <= packet->length);
    assert(memcmp(written + 4, packet->bytes + 4, writer.length - 4) == 0);
}

static void check_remb(const struct rtcp_packet *packet, uint8_t *written)
{
    uint32_t ssrcs[SSRCS_MAX];
    for (size_t i = 0; i < packet->item_count; i++)
        ssrcs[i] = rtcp_ssrc_at(packet, i);
    struct rtcp_writer writer = rtcp_writer_of(written, COMPOUND_MAX);
    assert(rtcp_write_remb(&writer, 1, packet->bitrate, ssrcs, packet->item_count) == STATUS_OK);
    struct rtcp_walk walk;
    struct rtcp_packet again;
    assert(rtcp_walk_new(written, writer.length, &walk) == STATUS_OK);
    assert(rtcp_walk_next(&walk, &again) && again.kind == RTCP_REMB);
    assert(again.bitrate == packet->bitrate && again.item_count == packet->item_count);
}

/* A receiver that lies: its feedback comes to an estimator that has sent something. */
static void check_estimate(const struct twcc_feedback *feedback, size_t count)
{
    struct bwe bwe;
    uint64_t now_us = 1000000;
    assert(bwe_open(&bwe, true, now_us) == STATUS_OK);
    for (int round = 0; round < 3; round++) {
        bwe.sequence = feedback->base_sequence;
        for (size_t i = 0; i < count && i < SENT_PACKETS_MAX; i++, now_us += 1000) {
            bwe.sequence++;
            bwe_sent(&bwe, 100 + i % 1400, 0, now_us);
            if (i % 64 == 0)
                (void)probe_due(&bwe.probe, now_us);
        }
        bwe_tick(&bwe, 5000000, now_us);
        bwe_feedback(&bwe, reports, count, now_us);
        /* Feedback of nothing received is none. */
        assert(bwe.source == BWE_NOTHING ||
               (bwe_estimate(&bwe) >= BWE_BPS_MIN && bwe_estimate(&bwe) <= BWE_BPS_MAX));
    }
    bwe_close(&bwe);
}

static void check_packet(const struct rtcp_packet *packet)
{
    static uint8_t written[COMPOUND_MAX];
    static uint16_t sequences[COMPOUND_MAX];
    struct twcc_feedback feedback;
    struct rtcp_dlrr dlrr;
    uint64_t ntp;
    size_t count;
    switch (packet->kind) {
    case RTCP_SR:
    case RTCP_RR:
        check_report(packet, written);
        break;
    case RTCP_NACK:
        count = rtcp_nack_list(packet, sequences, COMPOUND_MAX);
        assert(count >= packet->item_count || count == COMPOUND_MAX);
        break;
    case RTCP_FIR:
        for (size_t i = 0; i < packet->item_count; i++)
            (void)(rtcp_ssrc_at(packet, i) + rtcp_fir_sequence_at(packet, i));
        break;
    case RTCP_BYE:
        for (size_t i = 0; i < packet->item_count; i++)
            (void)rtcp_ssrc_at(packet, i);
        break;
    case RTCP_REMB:
        check_remb(packet, written);
        break;
    case RTCP_TWCC:
        if (twcc_parse(packet->bytes, packet->length, &feedback, reports, REPORTS_MAX, &count) ==
            STATUS_OK) {
            assert(count == feedback.status_count);
            check_estimate(&feedback, count);
        }
        (void)!twcc_parse(packet->bytes, packet->length, &feedback, reports, 100, &count);
        break;
    case RTCP_XR:
        (void)rtcp_xr_reference_time(packet, &ntp);
        (void)rtcp_xr_dlrr_find(packet, 2, &dlrr);
        break;
    default:
        break;
    }
}

/* All feedback there is: contiguous, readable, ending in a received packet. */
static void drain_feedback(struct twcc_recorder *recorder, size_t size)
{
    uint8_t packet[1500];
    size_t length, count;
    while (twcc_pending(recorder)) {
        uint16_t begin = (uint16_t)recorder->begin;
        struct twcc_feedback feedback;
        assert(twcc_build(recorder, 1, 2, packet, size, &length) == STATUS_OK);
        assert(length <= size && length % 4 == 0);
        assert(twcc_parse(packet, length, &feedback, reports, REPORTS_MAX, &count) == STATUS_OK);
        assert(feedback.base_sequence == begin);
        assert((uint16_t)(begin + count) == (uint16_t)recorder->begin);
        assert(reports[count - 1].received);
    }
}

/* Mostly onwards, with loss and reordering; seldom a long gap; hardly ever elsewhere. */
static int step_of(uint8_t byte)
{
    if (byte < 220)
        return (byte & 7) - 2;
    return byte < 250 ? (byte - 219) * 70 : (byte - 249) * 9001;
}

/* Each event: how far the sequence number and the clock move, and what to do then. */
static void check_stream(const uint8_t *data, size_t length)
{
    static struct twcc_recorder recorder;
    static struct nack_list list;
    static uint16_t due[NACK_ENTRIES_MAX];
    struct recv_stats stats;
    struct rtcp_block block;
    twcc_recorder_init(&recorder);
    nack_init(&list, 5);
    recv_stats_init(&stats, 90000);
    struct reader reader = reader_of(data, length);
    uint16_t sequence = 0;
    uint64_t now_us = 0;
    while (reader_left(&reader) >= 4) {
        uint8_t step = reader_u8(&reader);
        sequence = (uint16_t)(sequence + step_of(step));
        now_us += reader_be16(&reader) * 64U;
        uint8_t action = reader_u8(&reader);
        (void)!twcc_record(&recorder, sequence, now_us);
        enum recv_verdict verdict =
            recv_stats_packet(&stats, sequence, (uint32_t)(now_us / 11), action, now_us);
        if (verdict == RECV_RESTARTED)
            nack_init(&list, 5);
        if (verdict != RECV_REJECTED)
            (void)nack_received(&list, sequence, (sequence & 1) != 0, now_us / 1000);
        assert(list.count <= NACK_ENTRIES_MAX);
        if (action & 1)
            drain_feedback(&recorder, TWCC_FEEDBACK_MIN + action);
        if (action & 2)
            assert(nack_due(&list, now_us / 1000, due, action) <= action);
        if (action & 4)
            (void)recv_stats_block(&stats, 1, now_us, &block);
        if (action & 8)
            nack_key_frame(&list, sequence);
        (void)nack_next_ms(&list);
        (void)nack_key_frame_wanted(&list);
    }
    drain_feedback(&recorder, 1200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length > 0 && data[0] >> 6 != 2) {
        check_stream(data + 1, length - 1);
        return 0;
    }
    struct rtcp_walk walk;
    struct rtcp_packet packet;
    if (length == 0 || rtcp_walk_new(data, length, &walk) != STATUS_OK)
        return 0;
    while (rtcp_walk_next(&walk, &packet))
        check_packet(&packet);
    return 0;
}
