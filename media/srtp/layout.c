/* media/srtp/layout.c - see layout.h. */
#include "media/srtp/layout.h"

#include "core/bytes.h"

enum { RTCP_AAD = LAYOUT_RTCP_HEADER + LAYOUT_RTCP_INDEX };

static const uint32_t rtcp_encrypted = UINT32_C(1) << 31; /* E */

enum status layout_rtp_header(const uint8_t *packet, size_t length, size_t *ret_header)
{
    if (length < LAYOUT_RTP_HEADER_MIN)
        return STATUS_TRUNCATED;
    if (packet[0] >> 6 != 2)
        return STATUS_INVALID;
    size_t header = LAYOUT_RTP_HEADER_MIN + 4u * (packet[0] & 0x0f);
    if (packet[0] & 0x10) {
        if (length < header + 4)
            return STATUS_TRUNCATED;
        header += 4 + 4u * load_be16(packet + header + 2);
    }
    if (length < header)
        return STATUS_TRUNCATED;
    *ret_header = header;
    return STATUS_OK;
}

static void rtp_iv(const struct transform *transform, uint32_t roc, const uint8_t *header,
                   uint8_t iv[TRANSFORM_IV])
{
    transform_iv(transform, load_be32(header + 8), (uint64_t)roc << 16 | load_be16(header + 2), iv);
}

enum status layout_rtp_seal(struct transform *transform, struct mac_batch *batch, uint32_t roc,
                            size_t header_length, const uint8_t *payload, size_t payload_length,
                            uint8_t *out)
{
    uint8_t iv[TRANSFORM_IV];
    uint8_t *body = out + header_length, *tag = body + payload_length;
    rtp_iv(transform, roc, out, iv);
    if (transform_is_gcm(transform)) {
        return gcm_seal(transform->gcm, iv, out, header_length, payload, payload_length, body, tag)
                   ? STATUS_OK
                   : STATUS_INTERNAL;
    }
    if (!transform_ctr(transform, iv, payload, payload_length, body))
        return STATUS_INTERNAL;
    /* The MAC covers packet || ROC: the ROC stands for a moment where the tag will. */
    store_be32(tag, roc);
    transform_mac_later(transform, batch, out, header_length + payload_length + 4, tag);
    return STATUS_OK;
}

enum status layout_rtp_open(struct transform *transform, uint32_t roc, size_t header_length,
                            uint8_t *packet, size_t length)
{
    uint8_t iv[TRANSFORM_IV], mac[TRANSFORM_SHA1_TAG], sent[TRANSFORM_SHA1_TAG];
    uint8_t *body = packet + header_length, *tag = packet + length - transform->tail;
    size_t body_length = (size_t)(tag - body);
    rtp_iv(transform, roc, packet, iv);
    if (transform_is_gcm(transform))
        return gcm_open(transform->gcm, iv, packet, header_length, body, body_length, tag);
    memcpy(sent, tag, transform->tail);
    store_be32(tag, roc);
    transform_mac(transform, packet, header_length + body_length + 4, mac);
    if (!transform_equal(mac, sent, transform->tail))
        return STATUS_CORRUPT;
    return transform_ctr(transform, iv, body, body_length, body) ? STATUS_OK : STATUS_INTERNAL;
}

/* What GCM authenticates without encrypting: the header and the word with E and index that ends the
 * packet (RFC 7714 9.2). */
static void rtcp_aad(const uint8_t *packet, const uint8_t *word, uint8_t ret_aad[RTCP_AAD])
{
    memcpy(ret_aad, packet, LAYOUT_RTCP_HEADER);
    memcpy(ret_aad + LAYOUT_RTCP_HEADER, word, LAYOUT_RTCP_INDEX);
}

enum status layout_rtcp_seal(struct transform *transform, uint32_t index, uint8_t *packet,
                             size_t length)
{
    uint8_t iv[TRANSFORM_IV];
    uint8_t *body = packet + LAYOUT_RTCP_HEADER, *end = packet + length;
    size_t body_length = length - LAYOUT_RTCP_HEADER;
    transform_iv(transform, load_be32(packet + 4), index, iv);
    if (transform_is_gcm(transform)) {
        uint8_t aad[RTCP_AAD], *word = end + GCM_TAG;
        store_be32(word, rtcp_encrypted | index);
        rtcp_aad(packet, word, aad);
        return gcm_seal(transform->gcm, iv, aad, sizeof aad, body, body_length, body, end)
                   ? STATUS_OK
                   : STATUS_INTERNAL;
    }
    store_be32(end, rtcp_encrypted | index);
    if (!transform_ctr(transform, iv, body, body_length, body))
        return STATUS_INTERNAL;
    transform_mac(transform, packet, length + LAYOUT_RTCP_INDEX, end + LAYOUT_RTCP_INDEX);
    return STATUS_OK;
}

enum status layout_rtcp_index(const struct transform *transform, const uint8_t *packet,
                              size_t length, uint32_t *ret_index)
{
    if (length < (size_t)LAYOUT_RTCP_HEADER + LAYOUT_RTCP_INDEX + transform->tail)
        return STATUS_TRUNCATED;
    if (packet[0] >> 6 != 2)
        return STATUS_INVALID;
    const uint8_t *word = packet + length - LAYOUT_RTCP_INDEX;
    if (!transform_is_gcm(transform))
        word -= transform->tail;
    uint32_t value = load_be32(word);
    if ((value & rtcp_encrypted) == 0)
        return STATUS_UNSUPPORTED;
    *ret_index = value & ~rtcp_encrypted;
    return STATUS_OK;
}

enum status layout_rtcp_open(struct transform *transform, uint32_t index, uint8_t *packet,
                             size_t length)
{
    uint8_t iv[TRANSFORM_IV], mac[TRANSFORM_SHA1_TAG];
    uint8_t *body = packet + LAYOUT_RTCP_HEADER;
    uint8_t *end = packet + length - transform->tail - LAYOUT_RTCP_INDEX;
    size_t body_length = (size_t)(end - body);
    transform_iv(transform, load_be32(packet + 4), index, iv);
    if (transform_is_gcm(transform)) {
        uint8_t aad[RTCP_AAD];
        rtcp_aad(packet, end + GCM_TAG, aad);
        return gcm_open(transform->gcm, iv, aad, sizeof aad, body, body_length, end);
    }
    transform_mac(transform, packet, length - transform->tail, mac);
    if (!transform_equal(mac, end + LAYOUT_RTCP_INDEX, transform->tail))
        return STATUS_CORRUPT;
    return transform_ctr(transform, iv, body, body_length, body) ? STATUS_OK : STATUS_INTERNAL;
}
