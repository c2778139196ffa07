#include "signalling/sip/sdes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SDES_BASE64_MAX = 40, SDES_TAG_MAX = 999999999 };

static const struct {
    const char *name;
    size_t length; /* bytes of key and salt */
} suites[] = {
    [MEDIA_LEG_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 30},
    [MEDIA_LEG_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 30},
    [MEDIA_LEG_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 28},
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;
    return at != NULL ? (int)(at - alphabet) : -1;
}

/* Exactly `length` bytes; padding may be left out, as some telephones do. */
static bool base64_read(const char *text, size_t chars, size_t length, uint8_t *ret_bytes)
{
    uint32_t bits = 0;
    size_t have = 0, used = 0;
    while (chars > 0 && text[chars - 1] == '=')
        chars--;
    if (chars != (length * 8 + 5) / 6)
        return false;
    for (size_t i = 0; i < chars; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8 && used < length) {
            have -= 8;
            ret_bytes[used++] = (uint8_t)(bits >> have);
        }
    }
    return used == length;
}

static void base64_write(const uint8_t *bytes, size_t length, char *ret_text)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= i + 1 < length ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= i + 2 < length ? bytes[i + 2] : 0;
        ret_text[used++] = alphabet[bits >> 18 & 63];
        ret_text[used++] = alphabet[bits >> 12 & 63];
        ret_text[used++] = i + 1 < length ? alphabet[bits >> 6 & 63] : '=';
        ret_text[used++] = i + 2 < length ? alphabet[bits & 63] : '=';
    }
    ret_text[used] = '\0';
}

/* Lifetimes are allowed (ours lasts longer than any call), an MKI ("|1:4") is not. */
static bool key_ends_well(const char *rest)
{
    if (*rest == '|' && strncmp(rest, "|2^", 3) == 0)
        rest += 3 + strspn(rest + 3, "0123456789");
    else if (*rest == '|')
        rest += 1 + strspn(rest + 1, "0123456789");
    return *rest == '\0' || *rest == ' ';
}

static bool weakened(const char *rest)
{
    return strstr(rest, "UNENCRYPTED_SRTP") != NULL ||
           strstr(rest, "UNAUTHENTICATED_SRTP") != NULL ||
           strstr(rest, "UNENCRYPTED_SRTCP") != NULL;
}

enum status sdes_read(const char *value, int *ret_tag, enum media_leg_suite *ret_suite,
                      uint8_t ret_key[MEDIA_LEG_KEY_MAX])
{
    char *at;
    long tag = strtol(value, &at, 10);
    if (at == value || *at != ' ' || tag < 0 || tag > SDES_TAG_MAX)
        return STATUS_INVALID;
    at += strspn(at, " ");
    size_t name = strcspn(at, " "), found = 0;
    while (found < sizeof suites / sizeof suites[0] &&
           (strlen(suites[found].name) != name || strncmp(suites[found].name, at, name) != 0))
        found++;
    if (found == sizeof suites / sizeof suites[0])
        return STATUS_UNSUPPORTED;
    at += name;
    at += strspn(at, " ");
    if (strncmp(at, "inline:", 7) != 0)
        return STATUS_INVALID;
    at += 7;
    size_t chars = strcspn(at, "|; ");
    if (!key_ends_well(at + chars) || weakened(at + chars))
        return STATUS_UNSUPPORTED;
    uint8_t key[MEDIA_LEG_KEY_MAX] = {0};
    if (!base64_read(at, chars, suites[found].length, key))
        return STATUS_INVALID;
    *ret_tag = (int)tag;
    *ret_suite = (enum media_leg_suite)found;
    memcpy(ret_key, key, sizeof key);
    return STATUS_OK;
}

void sdes_write(int tag, enum media_leg_suite suite, const uint8_t key[MEDIA_LEG_KEY_MAX],
                char ret_value[SDES_LINE_MAX])
{
    char text[SDES_BASE64_MAX + 1];
    base64_write(key, suites[suite].length, text);
    snprintf(ret_value, SDES_LINE_MAX, "%d %s inline:%s", tag, suites[suite].name, text);
}
