/* What clients say of their uploads: Upload-Metadata, Upload-Checksum, Content-Digest, numbers. */
#include "signalling/api/tus.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 16384 /* bytes: a head has no more */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void text_check(const char *text)
{
    if (text != NULL && strlen(text) > TUS_VALUE_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char value[VALUE_MAX + 1];
    uint8_t digest[CRYPTO_SHA256_BYTES];
    int64_t number;
    struct arena *arena;
    struct tus_metadata metadata;
    if (length > VALUE_MAX || memchr(data, 0, length) != NULL ||
        arena_new(1 << 20, &arena) != STATUS_OK)
        return 0;
    memcpy(value, data, length);
    value[length] = '\0';
    if (tus_metadata_read(value, arena, &metadata) == STATUS_OK) {
        text_check(metadata.filename);
        text_check(metadata.filetype);
        text_check(metadata.folder);
        text_check(metadata.file);
    }
    (void)!tus_checksum_read(value, digest);
    (void)!tus_content_digest_read(value, digest);
    if (tus_number_read(value, &number) && number < 0)
        abort();
    arena_free(arena);
    return 0;
}
