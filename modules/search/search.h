/*
 * modules/search/search.h - search over messages, files and people (docs/design/search.md).
 *
 * Whoever asks finds what they may read at that moment: which spaces they are in is asked in the
 * transaction that searches. Every hit was compared with the text itself, sealed as it is kept; the
 * index (index.h) only says where to look.
 * Threads: request pool; blocks on the database. Results live in the arena.
 */
#ifndef MODULES_SEARCH_SEARCH_H
#define MODULES_SEARCH_SEARCH_H

#include "core/json.h"
#include "modules/search/query.h"
#include "storage/db.h"

enum {
    SEARCH_PAGE_MAX = 50,       /* hits in a page */
    SEARCH_FEW = 5,             /* people and files beside messages */
    SEARCH_RANKED_MAX = 200,    /* newest hits that are put in order of relevance */
    SEARCH_PEOPLE_MAX = 5000,   /* people of one's spaces looked at */
    SEARCH_COMPARED_MAX = 3000, /* texts one search opens: tens of milliseconds */
    SEARCH_SNIPPET_MAX = 160,   /* bytes around the first hit */
    SEARCH_PARTS_MAX = 41,      /* of a snippet */
    SEARCH_CURSOR_MAX = 48,     /* bytes */
};

struct search_part {
    const char *text;
    bool hit;
};

struct search_hit {
    const char *kind;         /* "message", "file", "person" */
    const char *id;           /* of the message, file or account */
    const char *space;        /* of a person: one that both are in */
    const char *thread;       /* of a message that answers one: that one's id; NULL */
    const char *author;       /* account; NULL of a person */
    const char *author_name;  /* likewise */
    const char *type;         /* of a file; NULL */
    struct json_list snippet; /* struct search_part: of its text or name */
    int64_t created;          /* ms since 1970; of a person 0 */
};

struct search_page {
    struct json_list items;  /* struct search_hit: people, files, messages */
    const char *next_cursor; /* NULL: these were all */
};

extern const struct json_table search_part_table, search_hit_table, search_page_table;
extern const char search_kinds[], search_orders[], search_has[]; /* "a|b" */

struct search_wish {
    const char *account;   /* who asks */
    const char *text;      /* query.h; may be empty when `from` or `has` is there */
    const char *kind;      /* "message", "file", "person"; NULL: all, beside messages SEARCH_FEW */
    const char *space;     /* NULL: all one is in */
    const char *from;      /* account of the author; NULL */
    const char *has;       /* "file", "link", "mention"; of messages; NULL */
    int64_t after, before; /* ms since 1970: after <= created < before; 0: any */
    const char *order;     /* "newest" (or NULL), "relevance" */
    const char *cursor;    /* next_cursor of the page before; NULL */
    int64_t limit;         /* 0: 20; clamped to SEARCH_PAGE_MAX */
};

/* Errors: STATUS_INVALID (text, cursor), STATUS_NOT_FOUND (the space is none of theirs),
 * STATUS_NO_MEMORY, as db_read and the vault. */
MUST_USE enum status search_run(struct db *db, const struct search_wish *wish, struct arena *arena,
                                struct search_page *ret_page);

#endif
