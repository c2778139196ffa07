/*
 * modules/meetings/registry.h - the persistent side of meetings: which there are, who was
 * let in, with what token and role. Who is connected now is the conductor's knowledge.
 *
 * Every change writes its event row (storage/event.h, scope: the meeting's id, payload:
 * {"id"} of what changed) in the same transaction. Tokens are stored as SHA-256 only and
 * looked up by it, so that how long a look-up takes says nothing about them.
 *
 * Threads: request pool; every call blocks on the database. `now_ms` is clock_wall_ms().
 * Results are copied into the arena. Besides those named, every call may return
 * STATUS_NO_MEMORY and what db_write and db_read return (STATUS_IO, STATUS_CORRUPT,
 * STATUS_LIMIT: the writer's queue is full, STATUS_AGAIN, STATUS_CLOSED: the database is).
 */
#ifndef MODULES_MEETINGS_REGISTRY_H
#define MODULES_MEETINGS_REGISTRY_H

#include "core/arena.h"
#include "core/crypto.h"
#include "core/json.h"
#include "storage/db.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    REGISTRY_ID_MAX = 64,     /* characters of a meeting's id, [A-Za-z0-9_-] */
    REGISTRY_TITLE_MAX = 200, /* bytes of UTF-8; may be empty */
    REGISTRY_NAME_MAX = 128,  /* bytes of UTF-8 of a person's name, at least one that is no space */
    REGISTRY_OPEN_MAX = 50,   /* open meetings of a space that are listed */
    REGISTRY_PARTICIPANTS_MAX = 100000, /* ever let into one meeting: bounds a flood of joins */
};

enum registry_role { REGISTRY_PARTICIPANT, REGISTRY_COHOST, REGISTRY_HOST };
enum registry_kind { REGISTRY_BROWSER, REGISTRY_WHIP, REGISTRY_PHONE };

/* "participant", "cohost", "host"; "browser", "whip", "phone": as in docs/design/gateway.md. */
const char *registry_role_name(enum registry_role role);
const char *registry_kind_name(enum registry_kind kind);
/* False (and *ret_role untouched) for any other text. */
bool registry_role_of(const char *name, enum registry_role *ret_role);

/* Whether `id` is 1..REGISTRY_ID_MAX of [A-Za-z0-9_-]. */
bool registry_id_valid(const char *id);
/* Whether `name` is 1..REGISTRY_NAME_MAX bytes of UTF-8 without control characters, not all spaces.
 */
bool registry_name_valid(const char *name);

/* ---- meetings ---- */

struct registry_meeting_new {
    const char *id;    /* chosen by the creator; NULL: 96 random bits */
    const char *title; /* NULL: none */
    bool lobby;
    const char *space, *account; /* of a space's: which, and who starts it; NULL, NULL */
};

struct registry_meeting_created {
    char id[REGISTRY_ID_MAX + 1];
    char token[CRYPTO_TOKEN_CHARS + 1]; /* the host token, here for the only time */
};

struct registry_meeting {
    const char *id, *title; /* title "" when none */
    const char *space;      /* it is of; NULL: of none */
    bool locked, lobby;
    int64_t created; /* ms since 1970 */
    int64_t ended;   /* the same; 0: it is not */
};

/* Of a space's: event "meeting.started" of the space too. Errors: STATUS_INVALID (id or title),
 * STATUS_EXISTS (the chosen id is taken, also by an ended one), those of spaces_seat with
 * SPACES_MEET. */
MUST_USE enum status registry_create(struct db *db, const struct registry_meeting_new *meeting,
                                     int64_t now_ms, struct registry_meeting_created *ret_created);
/* Errors: STATUS_NOT_FOUND. An ended meeting is found, with `ended` set. */
MUST_USE enum status registry_find(struct db *db, const char *id, struct arena *arena,
                                   struct registry_meeting *ret_meeting);
/* The meetings of a space that have not ended, newest first, REGISTRY_OPEN_MAX at most: struct
 * registry_meeting. Errors: those of spaces_seat with SPACES_READ. */
MUST_USE enum status registry_of_space(struct db *db, const char *space, const char *account,
                                       struct arena *arena, struct json_list *ret_meetings);
/* Errors: STATUS_OK it is this meeting's host token; STATUS_DENIED, STATUS_NOT_FOUND (no such
 * meeting). */
MUST_USE enum status registry_host_check(struct db *db, const char *id, const char *token);

struct registry_settings {
    enum json_maybe locked, lobby; /* JSON_ABSENT: as it is */
    const char *title;             /* NULL: as it is */
};

/* Event "meeting.updated". Errors: STATUS_INVALID, STATUS_NOT_FOUND (none such, or ended). */
MUST_USE enum status registry_update(struct db *db, const char *id,
                                     const struct registry_settings *settings, int64_t now_ms,
                                     struct arena *arena, struct registry_meeting *ret_meeting);
/* Event "meeting.ended", of a space's also of the space. No participant can be made afterwards.
 * Errors: STATUS_NOT_FOUND (none such, or ended). */
MUST_USE enum status registry_end(struct db *db, const char *id, int64_t now_ms);

/* ---- participants ---- */

struct registry_participant_spec {
    const char *meeting;
    const char *name;
    enum registry_role role;
    enum registry_kind kind;
    bool admitted;          /* false: waits in the lobby until registry_participant_admit */
    const char *host_token; /* NULL, or the meeting's host token: the role becomes host, admitted */
};

struct registry_participant_created {
    char id[CRYPTO_ID_CHARS + 1];
    char token[CRYPTO_TOKEN_CHARS + 1]; /* here for the only time */
    enum registry_role role;
    bool admitted;
};

struct registry_participant {
    const char *id, *name;
    enum registry_role role;
    enum registry_kind kind;
    bool admitted;
    bool removed; /* refuse: the token is dead */
    int64_t created;
};

/* Event "participant.joined". Errors: STATUS_INVALID (name), STATUS_NOT_FOUND (no such meeting),
 * STATUS_CLOSED (the meeting has ended), STATUS_DENIED (host_token is not its host token),
 * STATUS_LIMIT (REGISTRY_PARTICIPANTS_MAX). */
MUST_USE enum status registry_participant_new(struct db *db,
                                              const struct registry_participant_spec *spec,
                                              int64_t now_ms,
                                              struct registry_participant_created *ret_created);
/* Whom the meeting gave this token, removed or not. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status registry_participant_by_token(struct db *db, const char *meeting,
                                                   const char *token, struct arena *arena,
                                                   struct registry_participant *ret_participant);
/*
 * Changes of one participant; each with an event "participant.updated" (removal:
 * "participant.removed"). A change to what already is writes nothing and is STATUS_OK.
 * Errors: STATUS_NOT_FOUND (none such in this meeting, or removed), STATUS_INVALID (name).
 */
MUST_USE enum status registry_participant_rename(struct db *db, const char *meeting,
                                                 const char *participant, const char *name,
                                                 int64_t now_ms);
MUST_USE enum status registry_participant_admit(struct db *db, const char *meeting,
                                                const char *participant, int64_t now_ms);
MUST_USE enum status registry_participant_role(struct db *db, const char *meeting,
                                               const char *participant, enum registry_role role,
                                               int64_t now_ms);
/* Its token dies at once: from now on registry_participant_by_token says removed. Removing again
 * is STATUS_OK. */
MUST_USE enum status registry_participant_remove(struct db *db, const char *meeting,
                                                 const char *participant, int64_t now_ms);
/* In one transaction `to` becomes host and `from`, who must be one, co-host.
 * Errors also: STATUS_DENIED (`from` is no host); STATUS_NOT_FOUND also when `to` waits in the
 * lobby. */
MUST_USE enum status registry_hand_over(struct db *db, const char *meeting, const char *from,
                                        const char *to, int64_t now_ms);

/* ---- for the bodies of other modules ---- */

/* Inside db_write or db_read: whether the participant may act in the meeting now, and as what.
 * Errors: STATUS_NOT_FOUND (no such meeting, or it has ended), STATUS_DENIED (not of this meeting,
 * waits in its lobby, or was removed). */
MUST_USE enum status registry_member(struct db_session *session, const char *meeting,
                                     const char *participant, enum registry_role *ret_role);

#endif
