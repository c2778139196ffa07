/* media/srtp/protector.c - the sending direction of SRTP; see srtp.h. */
#include "core/bytes.h"
#include "media/srtp/layout.h"
#include "media/srtp/srtp.h"

#include <stdlib.h>

enum { RTCP_INDEX_MAX = INT32_MAX }; /* 31 bits */

struct protector {
    struct transform rtp, rtcp;
    uint32_t rtcp_index; /* of the last compound; shared by all SSRCs, rising for each */
};

enum status protector_new(const struct protector_keys *keys, struct protector **ret_protector)
{
    struct protector *protector = calloc(1, sizeof *protector);
    if (protector == NULL)
        return STATUS_NO_MEMORY;
    enum status status = transform_init(keys, false, true, &protector->rtp);
    if (status == STATUS_OK)
        status = transform_init(keys, true, true, &protector->rtcp);
    if (status != STATUS_OK) {
        protector_free(protector);
        return status;
    }
    *ret_protector = protector;
    return STATUS_OK;
}

struct protector *protector_free(struct protector *protector)
{
    if (protector != NULL) {
        transform_clear(&protector->rtp);
        transform_clear(&protector->rtcp);
        free(protector);
    }
    return NULL;
}

void protector_prefetch(const struct protector *protector)
{
    if (protector != NULL && protector->rtp.gcm != NULL)
        gcm_prefetch(protector->rtp.gcm);
}

bool protector_batches(const struct protector *protector)
{
    return !transform_is_gcm(&protector->rtp);
}

size_t protector_rtp_tail(const struct protector *protector)
{
    return protector->rtp.tail;
}

enum status protector_rtp(struct protector *protector, uint32_t roc, const uint8_t *header,
                          size_t header_length, const uint8_t *payload, size_t payload_length,
                          uint8_t *out, size_t *ret_length)
{
    return protector_rtp_later(protector, NULL, roc, header, header_length, payload, payload_length,
                               out, ret_length);
}

enum status protector_rtp_later(struct protector *protector, struct mac_batch *batch, uint32_t roc,
                                const uint8_t *header, size_t header_length, const uint8_t *payload,
                                size_t payload_length, uint8_t *out, size_t *ret_length)
{
    if (header_length < LAYOUT_RTP_HEADER_MIN)
        return STATUS_INVALID;
    if (out != header)
        memcpy(out, header, header_length);
    enum status status =
        layout_rtp_seal(&protector->rtp, batch, roc, header_length, payload, payload_length, out);
    if (status == STATUS_OK)
        *ret_length = header_length + payload_length + protector->rtp.tail;
    return status;
}

enum status protector_rtcp(struct protector *protector, uint8_t *packet, size_t length,
                           size_t capacity, size_t *ret_length)
{
    if (length < LAYOUT_RTCP_HEADER)
        return STATUS_INVALID;
    if (capacity < length || capacity - length < PROTECTOR_RTCP_TAIL_MAX)
        return STATUS_TRUNCATED;
    if (protector->rtcp_index == RTCP_INDEX_MAX)
        return STATUS_LIMIT;
    enum status status =
        layout_rtcp_seal(&protector->rtcp, ++protector->rtcp_index, packet, length);
    if (status == STATUS_OK)
        *ret_length = length + protector->rtcp.tail + LAYOUT_RTCP_INDEX;
    return status;
}
