/*
 * storage/objects/stream.h - chunks of an object, sealed by their place in it; private to storage/.
 *
 *   nonce = prefix, 7 bytes | number of the chunk, 32 bits | 1 for the last, else 0
 *
 * The prefix changes where an upload goes on after the process died: a chunk that was written but
 * not acknowledged may come again with other content, and must not meet its nonce again. So a key
 * has runs of chunks, each with a prefix of its own.
 */
#ifndef STORAGE_OBJECTS_STREAM_H
#define STORAGE_OBJECTS_STREAM_H

#include "storage/objects/objects.h"

#include <stdbool.h>

enum {
    STREAM_CHUNK = OBJECTS_CHUNK + CRYPTO_TAG_BYTES, /* bytes of a full one in the file */
    STREAM_PREFIX = 7,
    STREAM_RUNS_MAX = 32, /* restarts in the middle of one upload, and 1 */
    STREAM_SECRET_MAX = CRYPTO_KEY_BYTES + 1 + CRYPTO_SHA256_BYTES + 1 + 8 + 1 +
                        STREAM_RUNS_MAX * (4 + STREAM_PREFIX),
};

struct stream_run {
    uint32_t first; /* chunk */
    uint8_t prefix[STREAM_PREFIX];
};

/* All that is secret about an object or an upload; sealed in its row. */
struct stream_secret {
    uint8_t key[CRYPTO_KEY_BYTES];
    bool digest_known;
    uint8_t digest[CRYPTO_SHA256_BYTES]; /* of an upload: the one it must have */
    bool complete;
    int64_t size;
    uint8_t run_count;
    struct stream_run runs[STREAM_RUNS_MAX]; /* rising `first` */
};

/* A new key, one run. */
void stream_secret_make(struct stream_secret *ret_secret);
/* From chunk `first` on there is a new prefix. Errors: STATUS_LIMIT. */
MUST_USE enum status stream_run_add(struct stream_secret *secret, uint32_t first);
/* Returns the length, at most STREAM_SECRET_MAX. */
size_t stream_secret_write(const struct stream_secret *secret, uint8_t *ret_bytes);
/* Errors: STATUS_CORRUPT. */
MUST_USE enum status stream_secret_read(const uint8_t *bytes, size_t length,
                                        struct stream_secret *ret_secret);

/* Chunks of a content: at least one. */
int64_t stream_chunks(int64_t size);
/* Writes length + CRYPTO_TAG_BYTES. */
void stream_seal(const struct stream_secret *secret, uint32_t chunk, bool last, const void *plain,
                 size_t length, uint8_t *ret_sealed);
/* Errors: STATUS_CORRUPT; then ret_plain is zeros. */
MUST_USE enum status stream_open(const struct stream_secret *secret, uint32_t chunk, bool last,
                                 const uint8_t *sealed, size_t sealed_length, void *ret_plain);

#endif
