/*
 * modules/search/words.h - a text as the words that search compares.
 *
 * A word is a run of letters, digits and the marks on them, folded: NFKD, without combining
 * diacritics (U+0300..U+036F), case-folded, NFKC. Of scripts that put no spaces between words
 * (Chinese, Japanese, Korean, Thai and their like) each character is a word, so that a phrase of
 * them finds any part of a text. GLib's Unicode tables (g_utf8_*, g_unichar_*) say what is what;
 * words.c alone touches them.
 * Any thread.
 */
#ifndef MODULES_SEARCH_WORDS_H
#define MODULES_SEARCH_WORDS_H

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_WORD_MAX = 64 /* bytes of a folded word that count */ };

struct words_word {
    const char *folded;
    uint32_t from, to; /* bytes of the text it was made of */
    bool alone;        /* of a script without spaces */
};

struct words {
    struct words_word *items; /* in the arena; a word's position is its index */
    size_t count;
};

/* The first words_max words of well-formed UTF-8. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status words_split(const char *text, size_t words_max, struct arena *arena,
                                 struct words *ret_words);
/* Bytes of the first `letters` characters of a folded word; 0: it has fewer. */
size_t words_head(const char *folded, size_t letters);

#endif
