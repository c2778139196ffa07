#include "media/rtp/ulpfec.h"

#include "core/bytes.h"
#include "media/rtp/rtp.h"

#include <string.h>

enum {
    LONG_MASK_BIT = 0x40, /* L, RFC 5109 7.3 */
    VERSION_BITS = 0xc0,
    MASK_BYTES = 6,
    RECOVERY_TIMESTAMP = 2,
    RECOVERY_LENGTH = 6,
};

void ulpfec_clear(struct ulpfec *fec)
{
    /* Bytes beyond the longest packet have never been touched. */
    memset(fec->bytes, 0, fec->length);
    memset(fec->recovery, 0, sizeof fec->recovery);
    fec->mask = 0;
    fec->length = 0;
}

static void bytes_xor(uint8_t *into, const uint8_t *from, size_t length)
{
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= length; at += sizeof(uint64_t)) {
        uint64_t left, right;
        memcpy(&left, into + at, sizeof left);
        memcpy(&right, from + at, sizeof right);
        left ^= right;
        memcpy(into + at, &left, sizeof left);
    }
    for (; at < length; at++)
        into[at] ^= from[at];
}

enum status ulpfec_protect(struct ulpfec *fec, const struct ulpfec_media *media)
{
    size_t head = media->header_length - RTP_HEADER_BYTES, length = head + media->body_length;
    uint16_t sequence = load_be16(media->header + 2);
    if (fec->mask == 0)
        fec->base = sequence;
    uint16_t ahead = (uint16_t)(sequence - fec->base);
    if (ahead >= ULPFEC_SPAN || length > ULPFEC_BYTES_MAX)
        return STATUS_LIMIT;
    uint64_t bit = UINT64_C(1) << (ULPFEC_SPAN - 1 - ahead);
    if ((fec->mask & bit) != 0)
        return STATUS_DUPLICATE;
    fec->mask |= bit;
    if (length > fec->length)
        fec->length = (uint16_t)length;
    uint8_t recovery[sizeof fec->recovery];
    memcpy(recovery, media->header, RECOVERY_TIMESTAMP);
    memcpy(recovery + RECOVERY_TIMESTAMP, media->header + 4, sizeof(uint32_t));
    store_be16(recovery + RECOVERY_LENGTH, (uint16_t)length);
    bytes_xor(fec->recovery, recovery, sizeof recovery);
    bytes_xor(fec->bytes, media->header + RTP_HEADER_BYTES, head);
    bytes_xor(fec->bytes + head, media->body, media->body_length);
    return STATUS_OK;
}

enum status ulpfec_write(const struct ulpfec *fec, uint8_t *ret_payload, size_t size,
                         size_t *ret_length)
{
    if (fec->mask == 0)
        return STATUS_INVALID;
    if (size < ULPFEC_HEADER_BYTES + (size_t)fec->length)
        return STATUS_TRUNCATED;
    uint8_t *at = ret_payload;
    at[0] = (uint8_t)((fec->recovery[0] & ~VERSION_BITS) | LONG_MASK_BIT);
    at[1] = fec->recovery[1];
    store_be16(at + 2, fec->base);
    memcpy(at + 4, fec->recovery + RECOVERY_TIMESTAMP, 6); /* timestamp and length */
    store_be16(at + 10, fec->length);
    for (unsigned i = 0; i < MASK_BYTES; i++)
        at[12 + i] = (uint8_t)(fec->mask >> (8 * (MASK_BYTES - 1 - i)));
    memcpy(at + ULPFEC_HEADER_BYTES, fec->bytes, fec->length);
    *ret_length = ULPFEC_HEADER_BYTES + (size_t)fec->length;
    return STATUS_OK;
}
