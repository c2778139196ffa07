/*
 * modules/search/postings.h - in which documents a word stands, and where: as bytes of a row.
 *
 *   posting   varint document - the one before | varint count | count × varint position - before
 *
 * The first document of a block stands in its row's key, so its difference is 0. Bytes come from
 * our own database; what is malformed is STATUS_CORRUPT.
 * Any thread.
 */
#ifndef MODULES_SEARCH_POSTINGS_H
#define MODULES_SEARCH_POSTINGS_H

#include "core/arena.h"

#include <stddef.h>
#include <stdint.h>

enum {
    POSTINGS_BLOCK_MAX = 900, /* bytes: what SQLite keeps in a page of 4 KiB without overflow; a
                                 single posting may be longer */
    POSTINGS_POSITIONS_MAX = 4096, /* of a word in one document; later ones are not kept */
};

struct posting {
    int64_t doc;
    uint32_t count;          /* positions; 0: kept without */
    const uint8_t *encoded;  /* the positions, borrowed */
    uint32_t encoded_length; /* bytes */
};

/* Writes at most 10 bytes; how many. */
size_t postings_varint_put(uint8_t *to, uint64_t value);
/* Reads one, *at moved behind it. Errors: STATUS_CORRUPT. */
MUST_USE enum status postings_varint_get(const uint8_t **at, const uint8_t *end,
                                         uint64_t *ret_value);

/* Encodes rising positions into the arena. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status posting_make(int64_t doc, const uint32_t *positions, size_t count,
                                  struct arena *arena, struct posting *ret_posting);
/* ret_positions takes posting->count. Errors: STATUS_CORRUPT. */
MUST_USE enum status posting_positions(const struct posting *posting, uint32_t *ret_positions);
/* Reads count and positions at *at. Errors: STATUS_CORRUPT. */
MUST_USE enum status posting_read(const uint8_t **at, const uint8_t *end,
                                  struct posting *ret_posting);

/* A block, copied into the arena: rising documents. Errors: STATUS_CORRUPT, STATUS_NO_MEMORY. */
MUST_USE enum status postings_decode(int64_t first, const void *bytes, size_t length,
                                     struct arena *arena, struct posting **ret_items,
                                     size_t *ret_count);
/* Bytes of as many of the postings as fit into one block, at least one; how many. Errors:
 * STATUS_NO_MEMORY. */
MUST_USE enum status postings_encode(const struct posting *items, size_t count, struct arena *arena,
                                     const uint8_t **ret_bytes, size_t *ret_length,
                                     size_t *ret_taken);

#endif
