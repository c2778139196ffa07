#include "media/rtp/rtcp_wire.h"

#include "core/bytes.h"

#include <string.h>

struct rtcp_writer rtcp_writer_of(uint8_t *buffer, size_t size)
{
    return (struct rtcp_writer){.bytes = buffer, .size = size};
}

/* Room for a packet of `length` bytes (a multiple of 4) with its header; NULL: none. */
static uint8_t *packet_begin(struct rtcp_writer *writer, uint8_t type, uint8_t count, size_t length)
{
    if (writer->size - writer->length < length)
        return NULL;
    uint8_t *at = writer->bytes + writer->length;
    at[0] = (uint8_t)(RTCP_VERSION << 6 | count);
    at[1] = type;
    store_be16(at + 2, (uint16_t)(length / 4 - 1));
    writer->length += length;
    return at;
}

static uint8_t *feedback_begin(struct rtcp_writer *writer, uint8_t type, uint8_t format,
                               uint32_t sender_ssrc, uint32_t media_ssrc, size_t length)
{
    uint8_t *at = packet_begin(writer, type, format, length);
    if (at == NULL)
        return NULL;
    store_be32(at + 4, sender_ssrc);
    store_be32(at + 8, media_ssrc);
    return at + RTCP_FEEDBACK_BYTES;
}

/* 24 bits signed; a larger loss stays at the limit (RFC 3550 6.4.1). */
static uint32_t lost_clamped(int32_t lost)
{
    if (lost > 0x7FFFFF)
        lost = 0x7FFFFF;
    if (lost < -0x800000)
        lost = -0x800000;
    return (uint32_t)lost & 0xFFFFFF;
}

static void blocks_write(uint8_t *at, const struct rtcp_block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++, at += RTCP_BLOCK_BYTES) {
        store_be32(at, blocks[i].ssrc);
        at[4] = blocks[i].fraction_lost;
        store_be24(at + 5, lost_clamped(blocks[i].cumulative_lost));
        store_be32(at + 8, blocks[i].highest_sequence);
        store_be32(at + 12, blocks[i].jitter);
        store_be32(at + 16, blocks[i].last_sr);
        store_be32(at + 20, blocks[i].delay_since_sr);
    }
}

enum status rtcp_write_sr(struct rtcp_writer *writer, uint32_t ssrc,
                          const struct rtcp_sender *sender, const struct rtcp_block *blocks,
                          size_t block_count)
{
    if (block_count > RTCP_BLOCKS_MAX)
        return STATUS_INVALID;
    uint8_t *at = packet_begin(writer, RTCP_TYPE_SR, (uint8_t)block_count,
                               RTCP_SR_BYTES + block_count * RTCP_BLOCK_BYTES);
    if (at == NULL)
        return STATUS_TRUNCATED;
    store_be32(at + 4, ssrc);
    store_be64(at + 8, sender->ntp);
    store_be32(at + 16, sender->rtp_timestamp);
    store_be32(at + 20, sender->packets);
    store_be32(at + 24, sender->bytes);
    blocks_write(at + RTCP_SR_BYTES, blocks, block_count);
    return STATUS_OK;
}

enum status rtcp_write_rr(struct rtcp_writer *writer, uint32_t ssrc,
                          const struct rtcp_block *blocks, size_t block_count)
{
    if (block_count > RTCP_BLOCKS_MAX)
        return STATUS_INVALID;
    uint8_t *at = packet_begin(writer, RTCP_TYPE_RR, (uint8_t)block_count,
                               RTCP_RR_BYTES + block_count * RTCP_BLOCK_BYTES);
    if (at == NULL)
        return STATUS_TRUNCATED;
    store_be32(at + 4, ssrc);
    blocks_write(at + RTCP_RR_BYTES, blocks, block_count);
    return STATUS_OK;
}

enum status rtcp_write_sdes(struct rtcp_writer *writer, uint32_t ssrc, const char *cname)
{
    size_t text = strlen(cname);
    if (text == 0 || text > RTCP_CNAME_MAX)
        return STATUS_INVALID;
    /* The chunk ends in at least one zero and on a word (RFC 3550 6.5). */
    size_t used = RTCP_RR_BYTES + 2 + text;
    size_t length = (used + 4) & ~(size_t)3;
    uint8_t *at = packet_begin(writer, RTCP_TYPE_SDES, 1, length);
    if (at == NULL)
        return STATUS_TRUNCATED;
    store_be32(at + 4, ssrc);
    at[8] = RTCP_SDES_CNAME;
    at[9] = (uint8_t)text;
    memcpy(at + 10, cname, text);
    memset(at + used, 0, length - used);
    return STATUS_OK;
}

enum status rtcp_write_bye(struct rtcp_writer *writer, const uint32_t *ssrcs, size_t count)
{
    if (count == 0 || count > RTCP_BLOCKS_MAX)
        return STATUS_INVALID;
    uint8_t *at =
        packet_begin(writer, RTCP_TYPE_BYE, (uint8_t)count, RTCP_HEADER_BYTES + count * 4);
    if (at == NULL)
        return STATUS_TRUNCATED;
    for (size_t i = 0; i < count; i++)
        store_be32(at + RTCP_HEADER_BYTES + i * 4, ssrcs[i]);
    return STATUS_OK;
}

/* One NACK entry from the front of a list; returns how many numbers it covers. */
static size_t nack_entry(const uint16_t *sequences, size_t count, uint16_t *ret_mask)
{
    uint16_t mask = 0;
    size_t used = 1;
    for (; used < count; used++) {
        uint16_t ahead = (uint16_t)(sequences[used] - sequences[0]);
        if (ahead >= RTCP_NACK_SPAN)
            break;
        if (ahead > 0) /* 0: given twice */
            mask |= (uint16_t)(1 << (ahead - 1));
    }
    *ret_mask = mask;
    return used;
}

enum status rtcp_write_nack(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc,
                            const uint16_t *sequences, size_t count)
{
    if (count == 0 || count > UINT16_MAX)
        return STATUS_INVALID;
    uint16_t mask;
    size_t entries = 0;
    for (size_t i = 0; i < count; i += nack_entry(sequences + i, count - i, &mask))
        entries++;
    uint8_t *at = feedback_begin(writer, RTCP_TYPE_RTPFB, RTCP_FMT_NACK, sender_ssrc, media_ssrc,
                                 RTCP_FEEDBACK_BYTES + entries * 4);
    if (at == NULL)
        return STATUS_TRUNCATED;
    for (size_t i = 0; i < count; at += 4) {
        store_be16(at, sequences[i]);
        i += nack_entry(sequences + i, count - i, &mask);
        store_be16(at + 2, mask);
    }
    return STATUS_OK;
}

enum status rtcp_write_pli(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc)
{
    uint8_t *at = feedback_begin(writer, RTCP_TYPE_PSFB, RTCP_FMT_PLI, sender_ssrc, media_ssrc,
                                 RTCP_FEEDBACK_BYTES);
    return at != NULL ? STATUS_OK : STATUS_TRUNCATED;
}

enum status rtcp_write_fir(struct rtcp_writer *writer, uint32_t sender_ssrc, uint32_t media_ssrc,
                           uint8_t sequence)
{
    /* The header's media SSRC is 0: the entries say whom it is for (RFC 5104 4.3.1.2). */
    uint8_t *at = feedback_begin(writer, RTCP_TYPE_PSFB, RTCP_FMT_FIR, sender_ssrc, 0,
                                 RTCP_FEEDBACK_BYTES + RTCP_FIR_BYTES);
    if (at == NULL)
        return STATUS_TRUNCATED;
    store_be32(at, media_ssrc);
    store_be32(at + 4, (uint32_t)sequence << 24);
    return STATUS_OK;
}

enum status rtcp_write_remb(struct rtcp_writer *writer, uint32_t sender_ssrc, uint64_t bitrate,
                            const uint32_t *ssrcs, size_t count)
{
    if (count > RTCP_SSRCS_MAX)
        return STATUS_INVALID;
    uint8_t *at = feedback_begin(writer, RTCP_TYPE_PSFB, RTCP_FMT_AFB, sender_ssrc, 0,
                                 RTCP_REMB_BYTES + count * 4);
    if (at == NULL)
        return STATUS_TRUNCATED;
    uint32_t exponent = 0;
    while (bitrate >> exponent > RTCP_REMB_MANTISSA_MAX)
        exponent++;
    store_be32(at, RTCP_REMB_NAME);
    at[4] = (uint8_t)count;
    store_be24(at + 5, exponent << 18 | (uint32_t)(bitrate >> exponent));
    for (size_t i = 0; i < count; i++)
        store_be32(at + 8 + i * 4, ssrcs[i]);
    return STATUS_OK;
}

/* An XR with one block of `body` bytes, returned to be filled. */
static uint8_t *xr_begin(struct rtcp_writer *writer, uint32_t ssrc, uint8_t type, size_t body)
{
    uint8_t *at = packet_begin(writer, RTCP_TYPE_XR, 0, RTCP_RR_BYTES + 4 + body);
    if (at == NULL)
        return NULL;
    store_be32(at + 4, ssrc);
    at[8] = type;
    at[9] = 0;
    store_be16(at + 10, (uint16_t)(body / 4));
    return at + RTCP_RR_BYTES + 4;
}

enum status rtcp_write_xr_reference_time(struct rtcp_writer *writer, uint32_t ssrc, uint64_t ntp)
{
    uint8_t *at = xr_begin(writer, ssrc, RTCP_XR_REFERENCE_TIME, 8);
    if (at == NULL)
        return STATUS_TRUNCATED;
    store_be64(at, ntp);
    return STATUS_OK;
}

enum status rtcp_write_xr_dlrr(struct rtcp_writer *writer, uint32_t ssrc,
                               const struct rtcp_dlrr *blocks, size_t count)
{
    if (count == 0 || count > RTCP_SSRCS_MAX)
        return STATUS_INVALID;
    uint8_t *at = xr_begin(writer, ssrc, RTCP_XR_DLRR, count * RTCP_DLRR_BYTES);
    if (at == NULL)
        return STATUS_TRUNCATED;
    for (size_t i = 0; i < count; i++, at += RTCP_DLRR_BYTES) {
        store_be32(at, blocks[i].ssrc);
        store_be32(at + 4, blocks[i].last_rr);
        store_be32(at + 8, blocks[i].delay_since_rr);
    }
    return STATUS_OK;
}
