/*
 * modules/search/terms.h - a document as the index keeps it: keyed hashes and positions.
 *
 * A hash is 64 bits of an HMAC-SHA256 under a key that the vault makes for the space, so that equal
 * words of two spaces have different ones and nobody who has only the database can make any. What
 * is hashed says also what kind of document and of term it is: a word, the first letters of words,
 * or a tag (who wrote it, what it has).
 * Any thread.
 */
#ifndef MODULES_SEARCH_TERMS_H
#define MODULES_SEARCH_TERMS_H

#include "modules/search/postings.h"
#include "modules/search/words.h"
#include "storage/vault/vault.h"

enum terms_class {
    TERMS_MESSAGE = 'm',   /* of a space; document: its id */
    TERMS_FILE_NAME = 'n', /* document: search_file.number */
    TERMS_FILE_TEXT = 't', /* likewise */
};

enum {
    TERMS_WORDS_MAX = 100000, /* of one document; what comes later is not found */
    TERMS_TAGS_MAX = 4,
    TERMS_TAG_MAX = 96, /* bytes */
};

/* Lengths of beginnings that are kept; longer ones are looked up by the longest of these and
 * compared with the text. */
extern const size_t terms_heads[3];

struct term {
    int64_t token;
    struct posting posting; /* its document is not set */
};

struct terms {
    struct term *items; /* in the arena, rising tokens, each once */
    size_t count;
};

struct terms_key {
    uint8_t bytes[CRYPTO_SHA256_BYTES];
    enum terms_class class;
};

/* Errors: as vault_hash. */
MUST_USE enum status terms_key_make(struct vault *vault, const char *space, enum terms_class class,
                                    struct terms_key *ret_key);
int64_t terms_word(const struct terms_key *key, const char *folded);
/* `length` bytes of a folded word: words_head of one of terms_heads. */
int64_t terms_head(const struct terms_key *key, const char *folded, size_t length);
int64_t terms_tag(const struct terms_key *key, const char *tag);

/* Of a text and its tags. Errors: STATUS_NO_MEMORY, as vault_hash. */
MUST_USE enum status terms_make(const struct terms_key *key, const char *text,
                                const char *const *tags, size_t tag_count, struct arena *arena,
                                struct terms *ret_terms);

/* As bytes of a row, and back (borrowing the bytes). Errors: STATUS_NO_MEMORY; STATUS_CORRUPT. */
MUST_USE enum status terms_encode(const struct terms *terms, struct arena *arena,
                                  const uint8_t **ret_bytes, size_t *ret_length);
MUST_USE enum status terms_decode(const uint8_t *bytes, size_t length, struct arena *arena,
                                  struct terms *ret_terms);
/* Whether encoded terms hold all of the tokens; what is malformed holds none. */
bool terms_hold(const uint8_t *bytes, size_t length, const int64_t *tokens, size_t count);

#endif
