/*
 * modules/search/query.h - what somebody typed into the search box, and where a text has it.
 *
 * Words that stand apart must all be there, in any order. What is in quotes, or hangs together
 * (上海天气, a.b@c), is a phrase: word after word. word* also finds longer words. Case, diacritics
 * and width make no difference (words.h).
 * Any thread.
 */
#ifndef MODULES_SEARCH_QUERY_H
#define MODULES_SEARCH_QUERY_H

#include "modules/search/words.h"

enum {
    QUERY_BYTES_MAX = 512,
    QUERY_PHRASES_MAX = 16,
    QUERY_WORDS_MAX = 48, /* in all phrases together */
    QUERY_HEAD_MIN = 2,   /* letters before a *; with fewer the * is not looked at */
};

struct query_phrase {
    const struct words_word *words;
    size_t count;
    bool open; /* the last word may go on */
};

struct query {
    struct query_phrase phrases[QUERY_PHRASES_MAX];
    size_t count; /* 0: nothing to look for */
};

/* Errors: STATUS_INVALID (too long, or too many words), STATUS_NO_MEMORY. */
MUST_USE enum status query_parse(const char *text, struct arena *arena, struct query *ret_query);

/* A run of words of the text that a phrase found. */
struct query_mark {
    size_t from, to; /* words, `to` not one of them */
};

struct query_marks {
    struct query_mark *items; /* rising `from` */
    size_t count;
};

enum { QUERY_MARKS_MAX = 64 /* of one text */ };

/* Errors: STATUS_NOT_FOUND (a phrase is missing), STATUS_NO_MEMORY. */
MUST_USE enum status query_match(const struct query *query, const struct words *words,
                                 struct arena *arena, struct query_marks *ret_marks);

#endif
