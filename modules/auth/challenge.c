#include "modules/auth/challenge.h"

#include "core/lock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct used {
    uint8_t hash[CRYPTO_SHA256_BYTES];
    int64_t until; /* it is over by itself then: free */
};

struct challenges {
    struct lock lock;
    uint8_t key[CRYPTO_SHA256_BYTES];
    struct used used[CHALLENGE_USED_MAX];
    size_t count; /* of used that were ever taken */
};

enum status challenges_new(struct challenges **ret_challenges)
{
    struct challenges *challenges = calloc(1, sizeof *challenges);
    if (challenges == NULL)
        return STATUS_NO_MEMORY;
    enum status status = lock_init(&challenges->lock);
    if (status != STATUS_OK) {
        free(challenges);
        return status;
    }
    crypto_random(challenges->key, sizeof challenges->key);
    *ret_challenges = challenges;
    return STATUS_OK;
}

struct challenges *challenges_free(struct challenges *challenges)
{
    if (challenges == NULL)
        return NULL;
    lock_fini(&challenges->lock);
    crypto_wipe(challenges->key, sizeof challenges->key);
    free(challenges);
    return NULL;
}

/* `said` and its MAC. */
static void text_seal(const struct challenges *challenges, const char *said,
                      char ret_text[CHALLENGE_MAX + 1])
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    char proof[CRYPTO_BASE64URL_SIZE(CRYPTO_SHA256_BYTES)];
    crypto_hmac_sha256(challenges->key, sizeof challenges->key, said, strlen(said), mac);
    crypto_base64url(mac, sizeof mac, proof);
    snprintf(ret_text, CHALLENGE_MAX + 1, "%.100s.%s", said, proof);
}

void challenge_make(struct challenges *challenges, enum challenge_use use, const char *subject,
                    int64_t number, int64_t now_ms, char ret_text[CHALLENGE_MAX + 1])
{
    char nonce[CRYPTO_ID_CHARS + 1], said[CHALLENGE_MAX + 1];
    crypto_id(nonce);
    snprintf(said, sizeof said, "%d.%.*s.%" PRId64 ".%" PRId64 ".%s", (int)use, CRYPTO_ID_CHARS,
             subject, number, now_ms + CHALLENGE_MS, nonce);
    text_seal(challenges, said, ret_text);
}

static struct used *used_find(struct challenges *challenges, const char *text, int64_t now_ms,
                              struct used **ret_free)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    crypto_sha256(text, strlen(text), hash);
    *ret_free =
        challenges->count < CHALLENGE_USED_MAX ? &challenges->used[challenges->count] : NULL;
    for (size_t i = 0; i < challenges->count; i++) {
        struct used *used = &challenges->used[i];
        if (used->until <= now_ms)
            *ret_free = used;
        else if (memcmp(used->hash, hash, sizeof hash) == 0)
            return used;
    }
    return NULL;
}

enum status challenge_check(struct challenges *challenges, enum challenge_use use, const char *text,
                            int64_t now_ms, char ret_subject[CRYPTO_ID_CHARS + 1],
                            int64_t *ret_number)
{
    char said[CHALLENGE_MAX + 1], again[CHALLENGE_MAX + 1], subject[CRYPTO_ID_CHARS + 1];
    int kind = 0;
    long long number = 0, until = 0;
    const char *last = strrchr(text, '.');
    if (last == NULL || strlen(text) > CHALLENGE_MAX)
        return STATUS_LATE;
    snprintf(said, sizeof said, "%.*s", (int)(last - text), text);
    text_seal(challenges, said, again);
    if (strlen(again) != strlen(text) || !crypto_equal(again, text, strlen(text)) ||
        sscanf(said, "%1d.%16[A-Za-z0-9_-].%18lld.%18lld.", &kind, subject, &number, &until) != 4 ||
        kind != (int)use || until <= now_ms)
        return STATUS_LATE;
    struct used *free_one;
    lock_take(&challenges->lock);
    const struct used *used = used_find(challenges, text, now_ms, &free_one);
    lock_give(&challenges->lock);
    if (used != NULL)
        return STATUS_LATE;
    memcpy(ret_subject, subject, sizeof subject);
    *ret_number = number;
    return STATUS_OK;
}

enum status challenge_spend(struct challenges *challenges, const char *text, int64_t now_ms)
{
    struct used *free_one = NULL;
    lock_take(&challenges->lock);
    enum status status =
        used_find(challenges, text, now_ms, &free_one) != NULL ? STATUS_LATE : STATUS_OK;
    if (status == STATUS_OK && free_one == NULL)
        status = STATUS_LIMIT;
    if (status == STATUS_OK) {
        crypto_sha256(text, strlen(text), free_one->hash);
        free_one->until = now_ms + CHALLENGE_MS;
        if (free_one == &challenges->used[challenges->count])
            challenges->count++;
    }
    lock_give(&challenges->lock);
    return status;
}
