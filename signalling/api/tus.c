#include "signalling/api/tus.h"

#include <string.h>

static bool digest_read(const char *text, size_t length, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    size_t got;
    return crypto_unbase64(text, length, ret_digest, CRYPTO_SHA256_BYTES, &got) &&
           got == CRYPTO_SHA256_BYTES;
}

/* Whether the key of `length` is `name`. */
static bool key_is(const char *key, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(key, name, length) == 0;
}

static enum status value_keep(struct arena *arena, const char *bytes, size_t length,
                              const char **ret_text)
{
    if (*ret_text != NULL || memchr(bytes, '\0', length) != NULL)
        return STATUS_INVALID;
    *ret_text = arena_strndup(arena, bytes, length);
    return *ret_text != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status pair_take(struct arena *arena, const char *key, size_t key_length,
                             const char *value, size_t length, struct tus_metadata *metadata)
{
    char bytes[TUS_VALUE_MAX];
    size_t got = 0;
    const struct {
        const char *name, **text;
    } texts[] = {{"filename", &metadata->filename},
                 {"filetype", &metadata->filetype},
                 {"folder", &metadata->folder},
                 {"file", &metadata->file}};
    if (!crypto_unbase64(value, length, bytes, sizeof bytes, &got))
        return STATUS_INVALID;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (key_is(key, key_length, texts[i].name))
            return value_keep(arena, bytes, got, texts[i].text);
    }
    if (!key_is(key, key_length, "sha256"))
        return STATUS_OK;
    if (metadata->has_digest || !digest_read(bytes, got, metadata->digest))
        return STATUS_INVALID;
    metadata->has_digest = true;
    return STATUS_OK;
}

enum status tus_metadata_read(const char *value, struct arena *arena,
                              struct tus_metadata *ret_metadata)
{
    struct tus_metadata metadata = {0};
    while (*value != '\0') {
        value += strspn(value, " ");
        size_t pair = strcspn(value, ","), key = strcspn(value, " ,");
        size_t gap = strspn(value + key, " ");
        size_t length = key + gap < pair ? pair - key - gap : 0;
        if (key == 0)
            return STATUS_INVALID;
        enum status status = pair_take(arena, value, key, value + key + gap, length, &metadata);
        if (status != STATUS_OK)
            return status;
        value += pair;
        if (*value == ',' && *++value == '\0')
            return STATUS_INVALID;
    }
    *ret_metadata = metadata;
    return STATUS_OK;
}

enum status tus_checksum_read(const char *value, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    if (strncmp(value, "sha256 ", 7) != 0)
        return STATUS_UNSUPPORTED;
    if (!digest_read(value + 7, strlen(value + 7), digest))
        return STATUS_INVALID;
    memcpy(ret_digest, digest, sizeof digest);
    return STATUS_OK;
}

enum status tus_content_digest_read(const char *value, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    static const char ours[] = "sha-256=:";
    uint8_t digest[CRYPTO_SHA256_BYTES];
    const char *at = strstr(value, ours);
    if (at == NULL || (at != value && at[-1] != ' ' && at[-1] != ','))
        return STATUS_UNSUPPORTED;
    at += sizeof ours - 1;
    size_t length = strcspn(at, ":");
    if (at[length] != ':' || !digest_read(at, length, digest))
        return STATUS_INVALID;
    memcpy(ret_digest, digest, sizeof digest);
    return STATUS_OK;
}

bool tus_number_read(const char *value, int64_t *ret_number)
{
    int64_t number = 0;
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || digits > 15 || value[digits] != '\0')
        return false;
    for (; *value != '\0'; value++)
        number = number * 10 + (*value - '0');
    *ret_number = number;
    return true;
}
