#include "modules/search/terms.h"

#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

const size_t terms_heads[3] = {2, 3, 5};

enum { HEADS = sizeof terms_heads / sizeof terms_heads[0], TOKEN_BYTES = 8 };

/* ---- hashes ---- */

enum status terms_key_make(struct vault *vault, const char *space, enum terms_class class,
                           struct terms_key *ret_key)
{
    ret_key->class = class;
    return vault_hash(vault, space, "search", "", 0, ret_key->bytes);
}

static int64_t token_make(const struct terms_key *key, char kind, const char *text, size_t length)
{
    char bytes[TERMS_TAG_MAX + 2] = {(char)key->class, kind};
    uint8_t mac[CRYPTO_SHA256_BYTES];
    if (length > TERMS_TAG_MAX)
        length = TERMS_TAG_MAX;
    memcpy(bytes + 2, text, length);
    crypto_hmac_sha256(key->bytes, sizeof key->bytes, bytes, length + 2, mac);
    return (int64_t)load_be64(mac);
}

int64_t terms_word(const struct terms_key *key, const char *folded)
{
    return token_make(key, 'w', folded, strlen(folded));
}

int64_t terms_head(const struct terms_key *key, const char *folded, size_t length)
{
    return token_make(key, 'h', folded, length);
}

int64_t terms_tag(const struct terms_key *key, const char *tag)
{
    return token_make(key, 't', tag, strlen(tag));
}

/* ---- making ---- */

struct place {
    const char *folded;
    uint32_t position;
};

static int place_order(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int order = strcmp(a->folded, b->folded);
    return order != 0 ? order : (a->position > b->position) - (a->position < b->position);
}

static int term_order(const void *left, const void *right)
{
    const struct term *a = left, *b = right;
    return (a->token > b->token) - (a->token < b->token);
}

static void heads_add(const struct terms_key *key, const char *folded, struct terms *terms)
{
    for (size_t i = 0; i < HEADS; i++) {
        size_t length = words_head(folded, terms_heads[i]);
        if (length > 0)
            terms->items[terms->count++].token = terms_head(key, folded, length);
    }
}

/* Places come sorted by word, so that each word is hashed once. */
static enum status words_add(const struct terms_key *key, const struct words *words,
                             struct place *places, uint32_t *positions, struct arena *arena,
                             struct terms *terms)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < words->count;) {
        size_t count = 0;
        const char *folded = places[i].folded;
        for (; i < words->count && strcmp(places[i].folded, folded) == 0; i++)
            positions[count++] = places[i].position;
        struct term *term = &terms->items[terms->count++];
        term->token = terms_word(key, folded);
        status = posting_make(0, positions, count, arena, &term->posting);
        if (!words->items[places[i - 1].position].alone)
            heads_add(key, folded, terms);
    }
    return status;
}

static void sort_once(struct terms *terms)
{
    size_t kept = 0;
    if (terms->count > 0)
        qsort(terms->items, terms->count, sizeof *terms->items, term_order);
    for (size_t i = 0; i < terms->count; i++)
        if (kept == 0 || terms->items[kept - 1].token != terms->items[i].token)
            terms->items[kept++] = terms->items[i];
    terms->count = kept;
}

enum status terms_make(const struct terms_key *key, const char *text, const char *const *tags,
                       size_t tag_count, struct arena *arena, struct terms *ret_terms)
{
    struct words words;
    enum status status = words_split(text, TERMS_WORDS_MAX, arena, &words);
    if (status != STATUS_OK)
        return status;
    struct place *places = arena_alloc(arena, (words.count + 1) * sizeof *places);
    uint32_t *positions = arena_alloc(arena, (words.count + 1) * sizeof *positions);
    struct terms terms = {.items = arena_alloc(arena, (words.count * (HEADS + 1) + tag_count + 1) *
                                                          sizeof *terms.items)};
    if (places == NULL || positions == NULL || terms.items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < words.count; i++)
        places[i] = (struct place){words.items[i].folded, (uint32_t)i};
    if (words.count > 0)
        qsort(places, words.count, sizeof *places, place_order);
    status = words_add(key, &words, places, positions, arena, &terms);
    for (size_t i = 0; i < tag_count; i++)
        terms.items[terms.count++].token = terms_tag(key, tags[i]);
    sort_once(&terms);
    if (status == STATUS_OK)
        *ret_terms = terms;
    return status;
}

/* ---- as bytes: 8 bytes token, then the posting ---- */

enum status terms_encode(const struct terms *terms, struct arena *arena, const uint8_t **ret_bytes,
                         size_t *ret_length)
{
    size_t room = 1, used = 0;
    for (size_t i = 0; i < terms->count; i++)
        room += TOKEN_BYTES + 10 + terms->items[i].posting.encoded_length;
    uint8_t *bytes = arena_alloc(arena, room);
    if (bytes == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < terms->count; i++) {
        const struct posting *posting = &terms->items[i].posting;
        store_be64(bytes + used, (uint64_t)terms->items[i].token);
        used += TOKEN_BYTES;
        used += postings_varint_put(bytes + used, posting->count);
        if (posting->encoded_length > 0)
            memcpy(bytes + used, posting->encoded, posting->encoded_length);
        used += posting->encoded_length;
    }
    *ret_bytes = bytes;
    *ret_length = used;
    return STATUS_OK;
}

/* The next term at *at. */
static enum status term_read(const uint8_t **at, const uint8_t *end, struct term *ret_term)
{
    if (end - *at < TOKEN_BYTES)
        return STATUS_CORRUPT;
    ret_term->token = (int64_t)load_be64(*at);
    *at += TOKEN_BYTES;
    return posting_read(at, end, &ret_term->posting);
}

enum status terms_decode(const uint8_t *bytes, size_t length, struct arena *arena,
                         struct terms *ret_terms)
{
    /* A term has nine bytes at least. */
    struct terms terms = {.items = arena_alloc(arena, (length / 9 + 1) * sizeof *terms.items)};
    const uint8_t *at = bytes, *end = bytes + length;
    enum status status = terms.items != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    while (status == STATUS_OK && at < end)
        status = term_read(&at, end, &terms.items[terms.count++]);
    if (status == STATUS_OK)
        *ret_terms = terms;
    return status;
}

bool terms_hold(const uint8_t *bytes, size_t length, const int64_t *tokens, size_t count)
{
    const uint8_t *at = bytes, *end = bytes + length;
    size_t found = 0;
    struct term term;
    while (found < count && at < end && term_read(&at, end, &term) == STATUS_OK)
        for (size_t i = 0; i < count; i++)
            found += tokens[i] == term.token;
    return found >= count;
}
