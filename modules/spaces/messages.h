/*
 * modules/spaces/messages.h - the messages of a space.
 *
 * One message is one transaction: its row, sealed with the space's key, and its event
 * ("message.added", "message.updated"; payload {"id"}, never the text, so that what is deleted is
 * gone). STATUS_OK means it is on the disk. Threads, results and errors as in spaces.h.
 *
 * A meeting of the space is a thread: its first message says that it was started, and what is
 * written in the meeting answers that. Guests of a meeting (who->account: a participant's id) read
 * and write its thread, while it lasts, and see nothing else: STATUS_NOT_FOUND.
 */
#ifndef MODULES_SPACES_MESSAGES_H
#define MODULES_SPACES_MESSAGES_H

#include "modules/spaces/spaces.h"

enum {
    MESSAGES_TEXT_MAX = 8000,       /* bytes of UTF-8 */
    MESSAGES_NONCE_MAX = 64,        /* bytes */
    MESSAGES_EMOJI_MAX = 32,        /* bytes of UTF-8: the longest joined sequence has 28 */
    MESSAGES_EMOJIS_MAX = 20,       /* different ones on a message */
    MESSAGES_REACTIONS_MAX = 512,   /* on a message, all emoji together */
    MESSAGES_MENTIONS_MAX = 50,     /* people a message names */
    MESSAGES_EDITS_MAX = 100,       /* earlier texts kept of a message; then it stays as it is */
    MESSAGES_SPACE_MAX = 10000000,  /* in one space */
    MESSAGES_PAGE_MAX = 100,        /* in a page */
    MESSAGES_PAGE_BYTES = 262144,   /* of texts and cards in a page; but at least one message */
    MESSAGES_PINNED_MAX = 100,      /* of one space */
    MESSAGES_UNREAD_MAX = 100,      /* counted no further */
    MESSAGES_ID_MAX = 19,           /* digits */
    MESSAGES_ATTACHMENTS_MAX = 10,  /* files one message carries */
    MESSAGES_SIDE_MAX = 65535,      /* pixels of a picture's side */
    MESSAGES_VOICE_MS_MAX = 301000, /* of a recording: five minutes, and the recorder's last bit */
    MESSAGES_WAVE_MAX = 96,         /* levels that draw a recording */
    MESSAGES_PREVIEWS_MAX = 3,      /* cards of what a message links to */
    MESSAGES_PREVIEW_ID_CHARS = 32,
    MESSAGES_PREVIEW_URL_MAX = 1024, /* bytes */
    MESSAGES_PREVIEW_TITLE_MAX = 300,
    MESSAGES_PREVIEW_ABOUT_MAX = 600,
    MESSAGES_PREVIEW_SITE_MAX = 100,
};

/* A file a message carries. */
struct messages_attachment {
    const char *file, *kind; /* kind: "file", or "voice": recorded here */
    const char *name, *type; /* as they are now; "" when the file is gone for good */
    const char *wave;        /* of a recording: its levels, a digit 0-f each; NULL */
    int64_t size, version;   /* of its newest content; 0 when gone */
    int64_t width, height;   /* pixels of a picture or film; 0: unknown */
    int64_t duration;        /* ms of sound or film; 0: unknown */
    bool gone;               /* the file is in the bin, or not there any more */
};

/* The same as its author gives it. */
struct messages_attach {
    const char *file, *kind, *wave; /* kind NULL: "file" */
    int64_t width, height, duration;
};

/* What a page that it links to says of itself (previews.h). */
struct messages_preview {
    const char *id;
    const char *url; /* as the message has it */
    const char *title;
    const char *about, *site; /* "": it says none */
};

struct messages_reaction {
    const char *emoji;
    struct json_list by; /* const char *: accounts */
};

struct messages_message {
    const char *id; /* decimal; a later message has a larger number */
    const char *space;
    const char *author, *author_name;         /* an account, or a guest's participant id */
    bool guest;                               /* the author is no account */
    const char *text;                         /* "" when deleted */
    const char *thread;                       /* id of the message its thread hangs on, or NULL */
    const char *reply_to;                     /* id of the one it answers, or NULL */
    const char *meeting;                      /* whose thread it begins or is in, or NULL */
    int64_t replies;                          /* in the thread that hangs on it */
    struct json_list mentions;                /* const char *: accounts, or "all" */
    struct json_list reactions;               /* struct messages_reaction */
    struct json_list attachments;             /* struct messages_attachment */
    struct json_list previews;                /* struct messages_preview */
    int64_t created, edited, deleted, pinned; /* ms since 1970; 0: never */
};

struct messages_page {
    struct json_list items;  /* struct messages_message, newest first */
    const char *next_cursor; /* NULL: these were the last */
};

struct messages_edit {
    const char *text;
    int64_t replaced; /* ms since 1970 */
};

struct messages_edits {
    struct json_list items; /* struct messages_edit, oldest first */
};

extern const struct json_table messages_attachment_table, messages_attach_table,
    messages_preview_table;
extern const struct json_table messages_reaction_table, messages_message_table, messages_page_table,
    messages_edit_table, messages_edits_table;

struct messages_post {
    const char *text;
    const char *thread;   /* id of a message of this space that is in none, or NULL */
    const char *reply_to; /* id of a message of that thread; without one it makes it; NULL */
    const char *meeting;  /* into the thread of this meeting instead; a guest's must be; NULL */
    struct json_list mentions;    /* const char *: accounts, or "all" */
    struct json_list attachments; /* struct messages_attach: files of the space; SPACES_WRITE */
    const char *nonce;            /* the author's own name for this message; NULL: none */
};

/* SPACES_COMMENT. The same nonce of the same author in the same space is the same message: it comes
 * back as it is now, and *ret_changed is false. Guests mention nobody. Errors: STATUS_INVALID
 * (text, thread, reply_to, meeting, nonce, a mention of who is no member), STATUS_LIMIT. */
MUST_USE enum status messages_add(struct db *db, const struct spaces_who *who,
                                  const struct messages_post *post, int64_t now_ms,
                                  struct arena *arena, struct messages_message *ret_message,
                                  bool *ret_changed);
/* SPACES_READ. */
MUST_USE enum status messages_get(struct db *db, const struct spaces_who *who, const char *id,
                                  struct arena *arena, struct messages_message *ret_message);

struct messages_query {
    const char *cursor;  /* next_cursor of the page before; NULL: the newest */
    const char *thread;  /* only those in the one that hangs on it; NULL */
    const char *meeting; /* only those of its thread; a guest's must be; NULL */
    bool pinned;         /* only those */
    int64_t limit;       /* 0: 50; clamped to MESSAGES_PAGE_MAX */
};

/* SPACES_READ. Errors: STATUS_INVALID (cursor or thread is no id). */
MUST_USE enum status messages_list(struct db *db, const struct spaces_who *who,
                                   const struct messages_query *query, struct arena *arena,
                                   struct messages_page *ret_page);

struct messages_change {
    const char *text;       /* NULL: as it is; one's own only */
    enum json_maybe pinned; /* SPACES_WRITE */
};

/* SPACES_COMMENT. Errors: STATUS_INVALID, STATUS_LIMIT, STATUS_DENIED also for others' texts. */
MUST_USE enum status messages_change(struct db *db, const struct spaces_who *who, const char *id,
                                     const struct messages_change *change, int64_t now_ms,
                                     struct arena *arena, struct messages_message *ret_message);
/* SPACES_COMMENT for one's own, else SPACES_MANAGE. Text, earlier texts, mentions and reactions are
 * wiped, a tombstone stays. Again: no change. */
MUST_USE enum status messages_delete(struct db *db, const struct spaces_who *who, const char *id,
                                     int64_t now_ms);
/* SPACES_COMMENT. `on` false takes it back. */
MUST_USE enum status messages_react(struct db *db, const struct spaces_who *who, const char *id,
                                    const char *emoji, bool on, int64_t now_ms, struct arena *arena,
                                    struct messages_message *ret_message);
/* SPACES_HISTORY. */
MUST_USE enum status messages_edits(struct db *db, const struct spaces_who *who, const char *id,
                                    struct arena *arena, struct messages_edits *ret_edits);
/* SPACES_READ. What is up to `id` has been read; it never goes back. Event "space.mine". */
MUST_USE enum status messages_read(struct db *db, const struct spaces_who *who, const char *id,
                                   int64_t now_ms);

/* ---- for the bodies of other modules ---- */

/* In the db_write body that starts a meeting of the space: the message its thread hangs on, by who
 * starts it. `title` may be "". Errors: STATUS_LIMIT, those of a write. */
MUST_USE enum status messages_meeting_begin(struct db_session *session,
                                            const struct spaces_who *who, const char *meeting,
                                            const char *title, int64_t now_ms);

#endif
