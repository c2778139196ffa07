#include "storage/objects/stream.h"

#include "core/bytes.h"

#include <string.h>

void stream_secret_make(struct stream_secret *ret_secret)
{
    *ret_secret = (struct stream_secret){.run_count = 1};
    crypto_random(ret_secret->key, sizeof ret_secret->key);
    crypto_random(ret_secret->runs[0].prefix, STREAM_PREFIX);
}

enum status stream_run_add(struct stream_secret *secret, uint32_t first)
{
    struct stream_run *run = &secret->runs[secret->run_count - 1];
    /* A run in which nothing was acknowledged is not kept. */
    if (run->first != first) {
        if (secret->run_count == STREAM_RUNS_MAX)
            return STATUS_LIMIT;
        run = &secret->runs[secret->run_count++];
    }
    run->first = first;
    crypto_random(run->prefix, STREAM_PREFIX);
    return STATUS_OK;
}

size_t stream_secret_write(const struct stream_secret *secret, uint8_t *ret_bytes)
{
    uint8_t *at = ret_bytes;
    memcpy(at, secret->key, CRYPTO_KEY_BYTES);
    at += CRYPTO_KEY_BYTES;
    *at++ = secret->digest_known;
    memcpy(at, secret->digest, CRYPTO_SHA256_BYTES);
    at += CRYPTO_SHA256_BYTES;
    *at++ = secret->complete;
    store_be64(at, (uint64_t)secret->size);
    at += 8;
    *at++ = secret->run_count;
    for (uint8_t i = 0; i < secret->run_count; i++) {
        store_be32(at, secret->runs[i].first);
        memcpy(at + 4, secret->runs[i].prefix, STREAM_PREFIX);
        at += 4 + STREAM_PREFIX;
    }
    return (size_t)(at - ret_bytes);
}

enum status stream_secret_read(const uint8_t *bytes, size_t length,
                               struct stream_secret *ret_secret)
{
    struct stream_secret secret = {0};
    struct reader reader = reader_of(bytes, length);
    const uint8_t *key = reader_take(&reader, CRYPTO_KEY_BYTES);
    secret.digest_known = reader_u8(&reader) != 0;
    const uint8_t *digest = reader_take(&reader, CRYPTO_SHA256_BYTES);
    secret.complete = reader_u8(&reader) != 0;
    const uint8_t *size = reader_take(&reader, 8);
    secret.run_count = reader_u8(&reader);
    if (!key || !digest || !size || secret.run_count < 1 || secret.run_count > STREAM_RUNS_MAX)
        return STATUS_CORRUPT;
    memcpy(secret.key, key, sizeof secret.key);
    memcpy(secret.digest, digest, sizeof secret.digest);
    secret.size = (int64_t)load_be64(size);
    for (uint8_t i = 0; i < secret.run_count; i++) {
        secret.runs[i].first = reader_be32(&reader);
        const uint8_t *prefix = reader_take(&reader, STREAM_PREFIX);
        if (prefix)
            memcpy(secret.runs[i].prefix, prefix, STREAM_PREFIX);
    }
    if (reader.failed || reader_left(&reader) != 0 || secret.size < 0 ||
        secret.size > OBJECTS_SIZE_MAX)
        return STATUS_CORRUPT;
    *ret_secret = secret;
    crypto_wipe(&secret, sizeof secret);
    return STATUS_OK;
}

int64_t stream_chunks(int64_t size)
{
    return size == 0 ? 1 : (size + OBJECTS_CHUNK - 1) / OBJECTS_CHUNK;
}

static void nonce_make(const struct stream_secret *secret, uint32_t chunk, bool last,
                       uint8_t ret_nonce[CRYPTO_NONCE_BYTES])
{
    uint8_t run = (uint8_t)(secret->run_count - 1);
    while (run > 0 && secret->runs[run].first > chunk)
        run--;
    memcpy(ret_nonce, secret->runs[run].prefix, STREAM_PREFIX);
    store_be32(ret_nonce + STREAM_PREFIX, chunk);
    ret_nonce[CRYPTO_NONCE_BYTES - 1] = last;
}

void stream_seal(const struct stream_secret *secret, uint32_t chunk, bool last, const void *plain,
                 size_t length, uint8_t *ret_sealed)
{
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    nonce_make(secret, chunk, last, nonce);
    crypto_aead_seal(secret->key, nonce, NULL, 0, plain, length, ret_sealed);
}

enum status stream_open(const struct stream_secret *secret, uint32_t chunk, bool last,
                        const uint8_t *sealed, size_t sealed_length, void *ret_plain)
{
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    nonce_make(secret, chunk, last, nonce);
    return crypto_aead_open(secret->key, nonce, NULL, 0, sealed, sealed_length, ret_plain);
}
