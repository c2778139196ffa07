/*
 * modules/chat/chat.h - the rules of a meeting's chat, kept in the database.
 *
 * One message is one transaction: the message row and its event row (storage/event.h,
 * scope: the meeting's id; types chat.message and chat.update; payload {"id"}, never the
 * text, so that what is deleted is gone). STATUS_OK means it is on the disk.
 *
 * Threads: request pool; every call blocks on the database. `now_ms` is clock_wall_ms().
 * Results live in the arena. Besides those named, every call may return STATUS_NO_MEMORY
 * and what db_write and db_read return (STATUS_IO, STATUS_CORRUPT, STATUS_LIMIT, STATUS_AGAIN,
 * STATUS_CLOSED).
 */
#ifndef MODULES_CHAT_CHAT_H
#define MODULES_CHAT_CHAT_H

#include "core/arena.h"
#include "core/json.h"
#include "storage/db.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CHAT_TEXT_MAX = 8000,         /* bytes of UTF-8 */
    CHAT_NONCE_MAX = 64,          /* bytes */
    CHAT_EMOJI_MAX = 32,          /* bytes of UTF-8: the longest joined sequence has 28 */
    CHAT_REACTIONS_MAX = 20,      /* different emoji on a message */
    CHAT_REACTORS_MAX = 512,      /* reactions on a message, all emoji together */
    CHAT_EDITS_MAX = 100,         /* earlier texts kept of a message; then it stays as it is */
    CHAT_MESSAGES_MAX = 1000000,  /* in one meeting */
    CHAT_HISTORY_MAX = 100,       /* messages in a page */
    CHAT_PAGE_BYTES_MAX = 262144, /* of texts and reactors in a page; but at least one message */
    CHAT_RECENT = 50,             /* what a joiner gets */
};

struct chat_reaction {
    const char *emoji;
    struct json_list by; /* const char *: participant ids, in the order they reacted */
};

struct chat_message {
    const char *id; /* decimal; a later message has a larger number */
    const char *author, *author_name;
    const char *text;                 /* "" when deleted */
    const char *reply_to;             /* id, or NULL */
    int64_t created, edited, deleted; /* ms since 1970; 0: never */
    struct json_list reactions;       /* struct chat_reaction, the emoji that came first first */
};

/* A run of messages, oldest first. */
struct chat_page {
    struct json_list messages; /* struct chat_message */
    bool more;                 /* there are older ones */
};

extern const struct json_table chat_reaction_table, chat_message_table, chat_page_table;

struct chat_post {
    const char *meeting;
    const char *author;      /* participant id */
    const char *author_name; /* as it is now; kept with the message */
    const char *text;        /* 1..CHAT_TEXT_MAX bytes */
    const char *reply_to;    /* id of a message of this meeting, or NULL */
    const char *nonce;       /* 1..CHAT_NONCE_MAX bytes, the author's own name for this message */
};

/*
 * The same nonce of the same author is the same message: it comes back as it is now, and
 * *ret_changed is false (nothing to publish). Event "chat.message".
 * Errors: STATUS_INVALID (text, nonce or reply_to), STATUS_DENIED (author is not of this meeting,
 * waits in its lobby or was removed), STATUS_NOT_FOUND (no such meeting, or it has ended),
 * STATUS_LIMIT (CHAT_MESSAGES_MAX).
 */
MUST_USE enum status chat_send(struct db *db, const struct chat_post *post, int64_t now_ms,
                               struct arena *arena, struct chat_message *ret_message,
                               bool *ret_changed);

/* Who does something to which message. */
struct chat_target {
    const char *meeting;
    const char *id;          /* of the message, as the client sent it */
    const char *participant; /* who wants it */
};

/*
 * Each writes an event "chat.update" when it changes something; otherwise *ret_changed is false.
 * Errors: STATUS_NOT_FOUND (no such message in this meeting, or deleted; the meeting has ended),
 * STATUS_DENIED (participant as in chat_send, or not entitled), STATUS_INVALID (text, emoji),
 * STATUS_LIMIT.
 */

/* The author only. The earlier text is kept in the history until the message is deleted. */
MUST_USE enum status chat_edit(struct db *db, const struct chat_target *target, const char *text,
                               int64_t now_ms, struct arena *arena,
                               struct chat_message *ret_message, bool *ret_changed);
/* The author, a host or a co-host. Text, earlier texts and reactions are wiped, a tombstone stays.
 * Deleting again is STATUS_OK and no change. */
MUST_USE enum status chat_delete(struct db *db, const struct chat_target *target, int64_t now_ms,
                                 struct arena *arena, struct chat_message *ret_message,
                                 bool *ret_changed);
/* `on` false takes the reaction back. */
MUST_USE enum status chat_react(struct db *db, const struct chat_target *target, const char *emoji,
                                bool on, int64_t now_ms, struct arena *arena,
                                struct chat_message *ret_message, bool *ret_changed);

/* The newest `limit` (1..CHAT_HISTORY_MAX; others are clamped) messages before the id `before`
 * (NULL: the newest). Errors: STATUS_INVALID (before is no id). An unknown meeting has an empty
 * page. */
MUST_USE enum status chat_history(struct db *db, const char *meeting, const char *before,
                                  int64_t limit, struct arena *arena, struct chat_page *ret_page);
/* The newest CHAT_RECENT. */
MUST_USE enum status chat_recent(struct db *db, const char *meeting, struct arena *arena,
                                 struct chat_page *ret_page);

#endif
