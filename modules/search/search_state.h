/*
 * modules/search/search_state.h - what the files of a search share. For bodies of db_read.
 */
#ifndef MODULES_SEARCH_SEARCH_STATE_H
#define MODULES_SEARCH_SEARCH_STATE_H

#include "modules/search/finder.h"
#include "modules/search/search.h"

/* A space of the seeker's. */
struct search_scope {
    const char *space;
    int64_t number;
};

/* A hit that may come into the page. */
struct search_found {
    int64_t doc;
    double score; /* of relevance */
    struct search_hit hit;
};

struct searching {
    const struct search_wish *wish;
    struct db_session *session;
    struct arena *arena;   /* of the page */
    struct arena *compare; /* of one text, given back after it */
    struct query query;
    struct search_scope *scopes;
    size_t scope_count;
    int64_t below;             /* documents before this one */
    int64_t oldest;            /* and not before this one */
    size_t want;               /* hits to find: one more than the page has */
    struct search_found *best; /* newest first */
    size_t best_count;
    int64_t floor; /* below it not everything was looked at; 0: it was */
    uint32_t loads, compared;
    struct json_list page; /* struct search_hit */
    const char *next_cursor;
};

/* What a document is, when it may be shown and its text is one that was looked for: fills `found`
 * but the author's name. Errors: STATUS_NOT_FOUND (no hit). */
typedef enum status search_compare(struct searching *searching, const struct search_scope *scope,
                                   int64_t doc, struct search_found *found);

/* The newest `want` hits of all scopes below `below`: into best. */
MUST_USE enum status search_newest(struct searching *searching, enum terms_class class,
                                   const char *const *tags, size_t tag_count,
                                   search_compare *compare);
/* Whether the text has what was asked: then its snippet and score. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status search_text(struct searching *searching, const char *text,
                                 struct json_list *ret_snippet, double *ret_score);

/* Each fills best with what it finds. */
MUST_USE enum status search_messages(struct searching *searching);
MUST_USE enum status search_files(struct searching *searching);
MUST_USE enum status search_people(struct searching *searching);

#endif
