/* media/ice/stun_wire.c - see stun_wire.h. Also the two looks at bytes that ice.h offers. */
#include "media/ice/stun_wire.h"

#include "core/bytes.h"
#include "media/ice/ice.h"

enum {
    INTEGRITY_BYTES = 20,
    FINGERPRINT_BYTES = 4,
    TIE_BREAKER_BYTES = 8,
};

/* Takes note of one attribute. False: its length is wrong or it was there already. */
static bool note(struct wire_message *message, uint16_t type, const uint8_t *value, size_t length)
{
    switch (type) {
    case WIRE_USERNAME:
        if (message->username != NULL || length >= WIRE_USERNAME_MAX + 1)
            return false;
        message->username = value;
        message->username_length = length;
        return true;
    case WIRE_MESSAGE_INTEGRITY:
        message->integrity = true;
        return length == INTEGRITY_BYTES;
    case WIRE_ICE_CONTROLLED:
        message->controlled = true;
        return length == TIE_BREAKER_BYTES;
    default:
        return true;
    }
}

enum status wire_read(const uint8_t *bytes, size_t length, struct wire_message *ret_message)
{
    if (length < WIRE_HEADER)
        return STATUS_TRUNCATED;
    if (bytes[0] > 0x3f || load_be32(bytes + 4) != WIRE_COOKIE ||
        load_be16(bytes + 2) != length - WIRE_HEADER || length % 4 != 0)
        return STATUS_INVALID;
    struct wire_message message = {.type = load_be16(bytes)};
    struct reader reader = reader_of(bytes + WIRE_HEADER, length - WIRE_HEADER);
    while (reader_left(&reader) > 0) {
        uint16_t type = reader_be16(&reader);
        size_t value_length = reader_be16(&reader);
        const uint8_t *value = reader_take(&reader, (value_length + 3) & ~(size_t)3);
        if (value == NULL)
            return STATUS_INVALID;
        if (type == WIRE_FINGERPRINT) {
            if (value_length != FINGERPRINT_BYTES || reader_left(&reader) > 0)
                return STATUS_INVALID;
            message.fingerprint = true;
        } else if (!message.integrity && !note(&message, type, value, value_length)) {
            return STATUS_INVALID;
        }
    }
    *ret_message = message;
    return STATUS_OK;
}

enum ice_kind ice_kind_of(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return ICE_KIND_OTHER;
    if (bytes[0] <= 3)
        return ICE_KIND_STUN;
    if (bytes[0] >= 20 && bytes[0] <= 63)
        return ICE_KIND_DTLS;
    if (bytes[0] < 128 || bytes[0] > 191 || length < 2)
        return ICE_KIND_OTHER;
    return bytes[1] >= 192 && bytes[1] <= 223 ? ICE_KIND_RTCP : ICE_KIND_RTP;
}

enum status ice_peek_ufrag(const uint8_t *bytes, size_t length, const char **ret_ufrag,
                           size_t *ret_length)
{
    struct wire_message message;
    enum status status = wire_read(bytes, length, &message);
    if (status != STATUS_OK)
        return status;
    if (message.type != WIRE_BINDING_REQUEST || message.username == NULL)
        return STATUS_INVALID;
    const uint8_t *colon = memchr(message.username, ':', message.username_length);
    if (colon == NULL)
        return STATUS_INVALID;
    size_t ufrag_length = (size_t)(colon - message.username);
    if (ufrag_length == 0 || ufrag_length > MEDIA_UFRAG_MAX)
        return STATUS_INVALID;
    *ret_ufrag = (const char *)message.username;
    *ret_length = ufrag_length;
    return STATUS_OK;
}
