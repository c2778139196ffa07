/*
 * modules/spaces/spaces.h - spaces and who is in them (docs/design/spaces.md).
 *
 * A space is private until shared: to whoever is not in it every call answers STATUS_NOT_FOUND, as
 * for a space that never was. What a member may do is rights.h's table, asked inside the
 * transaction that does it. A space is never without an owner.
 *
 * Names, folders and addresses of the invited are sealed with the space's key, which is destroyed
 * with the space. Every change writes its event row in the same transaction, scope: the space's id;
 * what touches one person's list of spaces also one of scope "account:ID".
 *
 * Threads: request pool and control; every call blocks on the database. `now_ms` is
 * clock_wall_ms(). Results live in the arena. Besides those named, every call may return
 * STATUS_NOT_FOUND (no such space, or not a member), STATUS_DENIED (a member without the right),
 * STATUS_NO_MEMORY and what db_write, db_read and the vault return.
 */
#ifndef MODULES_SPACES_SPACES_H
#define MODULES_SPACES_SPACES_H

#include "core/arena.h"
#include "core/crypto.h"
#include "core/json.h"
#include "modules/spaces/rights.h"
#include "storage/db.h"

#include <stdint.h>

enum {
    SPACES_ID_MAX = 64,                          /* as VAULT_SCOPE_MAX; [A-Za-z0-9_-] */
    SPACES_NAME_MAX = 128,                       /* bytes of UTF-8 */
    SPACES_FOLDER_MAX = 64,                      /* bytes of UTF-8 */
    SPACES_MINE_MAX = 1000,                      /* spaces one account is in */
    SPACES_MEMBERS_MAX = 5000,                   /* of one space */
    SPACES_GROUP_MAX = 50,                       /* of a group */
    SPACES_LINKS_MAX = 200,                      /* of one space, those that are over not counted */
    SPACES_INVITES_MAX = 500,                    /* addresses a space waits for */
    SPACES_LIST_MAX = 200,                       /* members of one list */
    SPACES_TOKEN_CHARS = 4 + CRYPTO_TOKEN_CHARS, /* "plk_" and 256 bits */
};

/* Who asks: an account's id, or a guest's. */
struct spaces_who {
    const char *space, *account;
};

/* A space as one member sees it. */
struct spaces_space {
    const char *id, *kind;
    const char *name;   /* of a direct one: the other's; "" when none */
    const char *with;   /* account of the other one of a direct space; NULL */
    const char *role;   /* one's own */
    const char *links;  /* the most a link may give: "none", "viewer", "editor" */
    const char *folder; /* one's own for it; NULL: none */
    bool archived, favourite, muted;
    int64_t members, version, created;
    int64_t unread, mentions; /* messages of others since one's read mark; of 100 and more: 100 */
};

struct spaces_list {
    struct json_list items; /* struct spaces_space, by id */
};

struct spaces_member {
    const char *id, *name, *email, *role; /* id: of the account */
    const char *state;                    /* presence_name; NULL: nobody looked */
    int64_t quiet_until, picture;         /* as struct auth_user has them */
    int64_t joined;
};

struct spaces_members {
    struct json_list items;  /* struct spaces_member, by id */
    const char *next_cursor; /* NULL: these were the last */
};

extern const struct json_table spaces_space_table, spaces_list_table, spaces_member_table,
    spaces_members_table;

/* ---- spaces ---- */

struct spaces_new {
    const char *account; /* who makes it, and owns it */
    const char *kind;    /* NULL: "space" */
    const char *name;    /* of a space: must be; of a group: may be; NULL */
    const char *with;    /* of a direct one: the other's account */
};

/* A direct space of the same two is made once: it comes back. Event "space.created". Errors:
 * STATUS_INVALID, STATUS_NOT_FOUND (`with`), STATUS_LIMIT (SPACES_MINE_MAX). */
MUST_USE enum status spaces_create(struct db *db, const struct spaces_new *wish, int64_t now_ms,
                                   struct arena *arena, struct spaces_space *ret_space);
/* All the account is in. Invitations to its address become memberships first. */
MUST_USE enum status spaces_list(struct db *db, const char *account, int64_t now_ms,
                                 struct arena *arena, struct spaces_list *ret_list);
MUST_USE enum status spaces_get(struct db *db, const struct spaces_who *who, struct arena *arena,
                                struct spaces_space *ret_space);

struct spaces_change {
    const char *name;         /* NULL: as it is; SPACES_MANAGE */
    const char *links;        /* likewise */
    enum json_maybe archived; /* JSON_ABSENT: as it is; SPACES_ARCHIVE */
    int64_t version;          /* it must be at; 0: any */
};

/* Event "space.updated". Errors: STATUS_INVALID, STATUS_OUT_OF_WINDOW (it has another version). */
MUST_USE enum status spaces_change(struct db *db, const struct spaces_who *who,
                                   const struct spaces_change *change, int64_t now_ms,
                                   struct arena *arena, struct spaces_space *ret_space);
/* Its key is destroyed, so that no copy of its contents can be read any more. Event
 * "space.deleted". `version` 0: any. Errors: STATUS_OUT_OF_WINDOW. */
MUST_USE enum status spaces_delete(struct db *db, const struct spaces_who *who, int64_t version,
                                   int64_t now_ms);

/* What is one's own. NULL, JSON_ABSENT: as it is; folder "": none. Event "space.mine", of the
 * account. Errors: STATUS_INVALID. */
struct spaces_mine {
    const char *folder;
    enum json_maybe favourite, muted;
};

MUST_USE enum status spaces_set_mine(struct db *db, const struct spaces_who *who,
                                     const struct spaces_mine *mine, int64_t now_ms,
                                     struct arena *arena, struct spaces_space *ret_space);

/* ---- members ---- */

/* Those after the account `cursor` (NULL: from the first). */
MUST_USE enum status spaces_members(struct db *db, const struct spaces_who *who, const char *cursor,
                                    struct arena *arena, struct spaces_members *ret_members);
MUST_USE enum status spaces_member(struct db *db, const struct spaces_who *who, const char *account,
                                   struct arena *arena, struct spaces_member *ret_member);

struct spaces_invitee {
    const char *account; /* or */
    const char *email;
    const char *role; /* at most the inviter's own */
};

/*
 * SPACES_INVITE. Who has an account is a member at once: event "member.added"; an address without
 * one is remembered, and its account a member when it comes: event "invite.added", ret_member->id
 * is "". Errors: STATUS_INVALID, STATUS_EXISTS (is in it already), STATUS_LIMIT,
 * STATUS_NOT_FOUND also for `account`.
 */
MUST_USE enum status spaces_invite(struct db *db, const struct spaces_who *who,
                                   const struct spaces_invitee *invitee, int64_t now_ms,
                                   struct arena *arena, struct spaces_member *ret_member);
/* SPACES_MANAGE. `transfer`: the new owner's place is taken from the caller, who becomes an editor,
 * in the same transaction. Event "member.updated". Errors: STATUS_INVALID (role, or transfer to
 * what is no owner), STATUS_DENIED also when no owner would be left. */
MUST_USE enum status spaces_set_role(struct db *db, const struct spaces_who *who,
                                     const char *account, const char *role, bool transfer,
                                     int64_t now_ms, struct arena *arena,
                                     struct spaces_member *ret_member);
/* SPACES_MANAGE, or one leaves. Event "member.removed". Errors: STATUS_DENIED also when no owner
 * would be left. */
MUST_USE enum status spaces_remove(struct db *db, const struct spaces_who *who, const char *account,
                                   int64_t now_ms);

/* ---- for the bodies of other modules ---- */

struct spaces_seat {
    enum spaces_role role;
    enum spaces_kind kind;
    bool archived;
    bool guest; /* by a link and a name (guests.h): a viewer without an account */
};

/* Inside db_write or db_read: whether the account may, now. Errors: STATUS_NOT_FOUND,
 * STATUS_DENIED.
 */
MUST_USE enum status spaces_seat(struct db_session *session, const struct spaces_who *who,
                                 enum spaces_right right, struct spaces_seat *ret_seat);

/* The same by itself, for whoever asks before it does anything. */
MUST_USE enum status spaces_check(struct db *db, const struct spaces_who *who,
                                  enum spaces_right right);

/* ---- for operators ---- */

struct spaces_overview {
    const char *id, *kind;
    bool archived;
    int64_t members, created;
};

struct spaces_overviews {
    struct json_list items; /* struct spaces_overview, by id */
};

extern const struct json_table spaces_overview_table, spaces_overviews_table;

/* Those after the id `after` (NULL: from the first), SPACES_LIST_MAX at most. No names: whoever
 * runs the server is not in the space. */
MUST_USE enum status spaces_overview(struct db *db, const char *after, struct arena *arena,
                                     struct spaces_overviews *ret_list);

#endif
