/*
 * modules/spaces/shares.h - links that show chosen contents of a space to whoever has them, without
 * an account and for reading only. (links.h has the other kind, which lets people in.)
 *
 * A share's token is 256 random bits, stored as SHA-256. At each use it is asked anew whether its
 * maker may still make one (SPACES_LINK, and the space's link policy is not "none"): a demoted
 * editor's shares are dead, and live again with the role. It shows the files and folders that were
 * chosen and what is in those folders, or all files, and the messages if they were chosen; its name
 * is its maker's, sealed, and stands on the page. Nothing else of the space is told.
 *
 * A password is kept like an account's. Who has given it gets a pass: a text that is good for
 * SHARES_PASS_MS and for this share with this password only.
 *
 * Whatever is wrong with a token - none such, over, revoked, dead, of a deleted space - is
 * STATUS_NOT_FOUND. Threads, results and errors as in spaces.h.
 */
#ifndef MODULES_SPACES_SHARES_H
#define MODULES_SPACES_SHARES_H

#include "modules/spaces/files.h"

enum {
    SHARES_FILES_MAX = 100, /* chosen for one share */
    SHARES_MAX = 200,       /* of one space, those that are over not counted */
    SHARES_PASSWORD_MIN = 6,
    SHARES_PASS_MAX = 96, /* bytes */
    SHARES_PAGE_MAX = 100,
};

#define SHARES_LIFE_MS INT64_C(604800000)       /* 7 days, when nobody says otherwise */
#define SHARES_LIFE_MAX_MS INT64_C(31536000000) /* 365 days */
#define SHARES_PASS_MS INT64_C(43200000)        /* 12 hours */

/* As those who may make them see it. */
struct shares_share {
    const char *id, *name, *maker;
    const char *token; /* of a new one only; NULL */
    bool everything, messages, locked;
    struct json_list files; /* const char *: ids that were chosen */
    int64_t views, expires, created;
};

struct shares_list {
    struct json_list items; /* struct shares_share that are not over, by id */
};

struct shares_new {
    const char *name; /* NULL: none */
    bool everything, messages;
    struct json_list files; /* const char *; not with `everything` */
    const char *password;   /* NULL: none */
    int64_t life_ms;        /* 0: SHARES_LIFE_MS */
};

/* What visitors see. */
struct shares_view {
    const char *name;
    bool everything, messages;
    int64_t expires;
};

struct shares_file {
    const char *id, *name, *kind, *type;
    int64_t size, changed;
};

struct shares_files {
    struct json_list items; /* struct shares_file */
    const char *next_cursor;
};

struct shares_message {
    const char *id, *author, *text, *thread; /* author: a name */
    int64_t created, edited, deleted;
};

struct shares_messages {
    struct json_list items; /* struct shares_message, newest first */
    const char *next_cursor;
};

struct shares_pass {
    const char *pass;
    int64_t expires;
};

extern const struct json_table shares_share_table, shares_list_table, shares_view_table,
    shares_file_table, shares_files_table, shares_message_table, shares_messages_table,
    shares_pass_table;

struct auth;

/* ---- making ---- */

/* SPACES_LINK. Event "share.added". Errors: STATUS_INVALID (nothing or too much chosen, a name, a
 * password, a life), STATUS_NOT_FOUND also for a file, STATUS_LIMIT (SHARES_MAX, or passwords being
 * hashed), STATUS_DENIED also when the policy is "none". */
MUST_USE enum status shares_add(struct db *db, struct auth *auth, const struct spaces_who *who,
                                const struct shares_new *wish, int64_t now_ms, struct arena *arena,
                                struct shares_share *ret_share);
/* SPACES_LINK. */
MUST_USE enum status shares_all(struct db *db, const struct spaces_who *who, int64_t now_ms,
                                struct arena *arena, struct shares_list *ret_list);
/* SPACES_LINK for one's own, else SPACES_MANAGE. Event "share.removed". */
MUST_USE enum status shares_remove(struct db *db, const struct spaces_who *who, const char *id,
                                   int64_t now_ms);

/* ---- visiting: every call also STATUS_DENIED (a password is asked for, and there is no pass) ----
 */

struct shares_visit {
    const char *token;
    const char *pass; /* NULL */
    int64_t now_ms;
};

/* Counts a view. */
MUST_USE enum status shares_look(struct db *db, const struct shares_visit *visit,
                                 struct arena *arena, struct shares_view *ret_view);
/* `folder` NULL: what was chosen. */
MUST_USE enum status shares_files(struct db *db, const struct shares_visit *visit,
                                  const char *folder, const char *cursor, struct arena *arena,
                                  struct shares_files *ret_files);
/* STATUS_NOT_FOUND also for a file that was not chosen. ret_object is to be closed. */
MUST_USE enum status shares_open(struct db *db, struct objects *objects,
                                 const struct shares_visit *visit, const char *file,
                                 struct arena *arena, struct files_file *ret_file,
                                 struct object **ret_object);
/* STATUS_NOT_FOUND also when they were not chosen. */
MUST_USE enum status shares_messages(struct db *db, const struct shares_visit *visit,
                                     const char *cursor, struct arena *arena,
                                     struct shares_messages *ret_messages);

struct shares_key {
    const char *token, *password;
    const char *peer; /* address, or NULL: none that counts */
};

/* Errors: STATUS_DENIED (another password), STATUS_LIMIT (*ret_wait_s as auth_sign_in). */
MUST_USE enum status shares_unlock(struct db *db, struct auth *auth, const struct shares_key *key,
                                   int64_t now_ms, struct arena *arena,
                                   struct shares_pass *ret_pass, uint32_t *ret_wait_s);
/* Rows of a deleted space. */
MUST_USE enum status shares_purge(struct db_session *session, const char *space);

#endif
