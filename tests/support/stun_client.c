/* tests/support/stun_client.c - see stun_client.h. RFC 8489. */
#include "tests/support/stun_client.h"

#include "core/bytes.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { HEADER = 20, INTEGRITY = 0x0008, FINGERPRINT = 0x8028 };

static uint32_t crc_of(const uint8_t *bytes, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc ^ UINT32_C(0x5354554e); /* RFC 8489 14.7 */
}

/* HMAC-SHA1 over what stands before an attribute at `at`, the header's length counting to its end.
 */
static void mac_of(const uint8_t *message, size_t at, const char *password, uint8_t ret_mac[20])
{
    uint8_t copy[STUN_CLIENT_MAX];
    unsigned int written = 0;
    memcpy(copy, message, at);
    store_be16(copy + 2, (uint16_t)(at + 24 - HEADER));
    HMAC(EVP_sha1(), password, (int)strlen(password), copy, at, ret_mac, &written);
}

void stun_text_begin(struct stun_text *text, const uint8_t transaction[12])
{
    memset(text, 0, sizeof *text);
    store_be16(text->bytes, 0x0001);
    store_be32(text->bytes + 4, 0x2112a442);
    memcpy(text->bytes + 8, transaction, 12);
    text->length = HEADER;
}

void stun_text_add(struct stun_text *text, uint16_t type, const void *value, size_t length)
{
    uint8_t *at = text->bytes + text->length;
    store_be16(at, type);
    store_be16(at + 2, (uint16_t)length);
    if (length > 0)
        memcpy(at + 4, value, length);
    text->length += 4 + ((length + 3) & ~(size_t)3);
    store_be16(text->bytes + 2, (uint16_t)(text->length - HEADER));
}

void stun_text_integrity(struct stun_text *text, const char *password)
{
    uint8_t mac[20];
    mac_of(text->bytes, text->length, password, mac);
    stun_text_add(text, INTEGRITY, mac, sizeof mac);
}

void stun_text_fingerprint(struct stun_text *text)
{
    uint8_t value[4] = {0};
    size_t before = text->length;
    stun_text_add(text, FINGERPRINT, value, sizeof value);
    store_be32(text->bytes + before + 4, crc_of(text->bytes, before));
}

void stun_text_check(struct stun_text *text, const char *username, const char *password,
                     bool nominate)
{
    static const uint8_t transaction[12] = "transaction", tie[8] = "tiebreak";
    static const uint8_t priority[4] = {0x6e, 0, 1, 0xff};
    stun_text_begin(text, transaction);
    stun_text_add(text, 0x0006, username, strlen(username));
    stun_text_add(text, 0x802a, tie, sizeof tie);
    stun_text_add(text, 0x0024, priority, sizeof priority);
    if (nominate)
        stun_text_add(text, 0x0025, NULL, 0);
    stun_text_integrity(text, password);
    stun_text_fingerprint(text);
}

const uint8_t *stun_reply_find(const uint8_t *reply, size_t length, uint16_t type,
                               size_t *ret_length)
{
    struct reader reader = reader_of(reply + HEADER, length < HEADER ? 0 : length - HEADER);
    while (reader_left(&reader) >= 4) {
        uint16_t found = reader_be16(&reader);
        size_t size = reader_be16(&reader);
        const uint8_t *value = reader_take(&reader, (size + 3) & ~(size_t)3);
        if (value != NULL && found == type) {
            *ret_length = size;
            return value;
        }
    }
    return NULL;
}

bool stun_reply_signed(const uint8_t *reply, size_t length, const char *password)
{
    size_t size = 0;
    uint8_t mac[20];
    const uint8_t *value = stun_reply_find(reply, length, INTEGRITY, &size);
    if (value == NULL || size != sizeof mac)
        return false;
    mac_of(reply, (size_t)(value - 4 - reply), password, mac);
    return memcmp(mac, value, sizeof mac) == 0;
}

bool stun_reply_fingerprinted(const uint8_t *reply, size_t length)
{
    size_t size = 0;
    const uint8_t *value = stun_reply_find(reply, length, FINGERPRINT, &size);
    return value != NULL && size == 4 && value + 4 == reply + length &&
           load_be32(value) == crc_of(reply, length - 8);
}

int stun_reply_error(const uint8_t *reply, size_t length)
{
    size_t size = 0;
    const uint8_t *value = stun_reply_find(reply, length, 0x0009, &size);
    return value != NULL && size >= 4 ? value[2] * 100 + value[3] : 0;
}
