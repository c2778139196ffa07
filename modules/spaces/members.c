/*
 * modules/spaces/members.c - who is in a space: let in, promoted, put out.
 */
#include "core/text.h"
#include "modules/auth/confirmations.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

/* ---- entering ---- */

/* One more or one less in the space; SPACES_MEMBERS_MAX and the kind's own limit hold. */
static enum status count_change(struct db_session *session, const char *space, int change)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space SET members = members + $2 WHERE id = $1 AND ($2 < 0 OR"
                            " members < CASE kind WHEN 'direct' THEN 2 WHEN 'group' THEN $3"
                            " ELSE $4 END) RETURNING members");
    db_bind_text(update, 1, space);
    db_bind_int(update, 2, change);
    db_bind_int(update, 3, SPACES_GROUP_MAX);
    db_bind_int(update, 4, SPACES_MEMBERS_MAX);
    enum status status = db_step(update);
    return status == STATUS_NOT_FOUND ? STATUS_LIMIT : status;
}

static enum status mine_check(struct db_session *session, const char *account)
{
    struct db_statement *select =
        db_prepare(session, "SELECT count(*) FROM space_member WHERE account = $1");
    db_bind_text(select, 1, account);
    enum status status = db_step(select);
    return status == STATUS_OK && db_column_int(select, 0) >= SPACES_MINE_MAX ? STATUS_LIMIT
                                                                              : status;
}

static enum status member_insert(struct db_session *session, const struct spaces_who *who,
                                 enum spaces_role role, int64_t now_ms)
{
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO space_member (space, account, role, joined) VALUES ($1, $2, $3, $4)");
    db_bind_text(insert, 1, who->space);
    db_bind_text(insert, 2, who->account);
    db_bind_text(insert, 3, spaces_role_name(role));
    db_bind_int(insert, 4, now_ms);
    return db_run(insert);
}

static enum status account_check(struct db_session *session, const char *account)
{
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM account WHERE id = $1 AND disabled = 0");
    db_bind_text(select, 1, account);
    return db_step(select);
}

enum status spaces_enter(struct db_session *session, const struct spaces_who *who,
                         enum spaces_role role, int64_t now_ms)
{
    enum status status = account_check(session, who->account);
    if (status == STATUS_OK)
        status = mine_check(session, who->account);
    if (status == STATUS_OK)
        status = count_change(session, who->space, 1);
    if (status == STATUS_OK)
        status = member_insert(session, who, role, now_ms);
    if (status == STATUS_OK)
        status = spaces_event(session, who->space, "member.added", who->account, now_ms);
    return status == STATUS_OK
               ? spaces_tell(session, who->account, "space.entered", who->space, now_ms)
               : status;
}

/* ---- reading ---- */

struct reading {
    struct spaces_who who;
    const char *account; /* which member, or after which */
    struct arena *arena;
    struct spaces_member member;
    struct spaces_members members;
};

static enum status row_read(struct db_session *session, struct db_statement *row,
                            struct arena *arena, struct spaces_member *ret_member)
{
    struct auth_user user;
    struct spaces_member member = {.id = arena_strdup(arena, db_column_text(row, 0)),
                                   .role = arena_strdup(arena, db_column_text(row, 1)),
                                   .joined = db_column_int(row, 2)};
    if (member.id == NULL || member.role == NULL)
        return STATUS_NO_MEMORY;
    enum status status = auth_user_in(session, member.id, arena, &user);
    if (status != STATUS_OK)
        return status;
    member.name = user.name;
    member.email = user.email;
    member.quiet_until = user.quiet_until;
    member.picture = user.picture;
    *ret_member = member;
    return STATUS_OK;
}

static enum status member_load(struct db_session *session, const char *space, const char *account,
                               struct arena *arena, struct spaces_member *ret_member)
{
    struct db_statement *select = db_prepare(session, "SELECT account, role, joined"
                                                      " FROM space_member WHERE space = $1"
                                                      " AND account = $2");
    db_bind_text(select, 1, space);
    db_bind_text(select, 2, account);
    enum status status = db_step(select);
    return status == STATUS_OK ? row_read(session, select, arena, ret_member) : status;
}

static enum status get_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct spaces_seat seat;
    enum status status = spaces_seat(session, &reading->who, SPACES_READ, &seat);
    if (status == STATUS_OK)
        status = member_load(session, reading->who.space, reading->account, reading->arena,
                             &reading->member);
    if (status == STATUS_OK && seat.guest)
        reading->member.email = "";
    return status;
}

enum status spaces_member(struct db *db, const struct spaces_who *who, const char *account,
                          struct arena *arena, struct spaces_member *ret_member)
{
    struct reading reading = {.who = *who, .account = account, .arena = arena};
    enum status status = db_read(db, get_run, &reading);
    if (status == STATUS_OK)
        *ret_member = reading.member;
    return status;
}

static enum status list_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct spaces_seat seat;
    enum status status = spaces_seat(session, &reading->who, SPACES_READ, &seat);
    if (status != STATUS_OK)
        return status;
    struct spaces_members *members = &reading->members;
    struct spaces_member *items = arena_alloc(reading->arena, SPACES_LIST_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, "SELECT account, role, joined FROM space_member WHERE space = $1"
                            " AND account > $2 ORDER BY account LIMIT $3");
    db_bind_text(select, 1, reading->who.space);
    db_bind_text(select, 2, reading->account);
    db_bind_int(select, 3, SPACES_LIST_MAX + 1);
    *members = (struct spaces_members){.items.items = items};
    while ((status = db_step(select)) == STATUS_OK) {
        if (members->items.count == SPACES_LIST_MAX) {
            members->next_cursor = items[SPACES_LIST_MAX - 1].id;
            return STATUS_OK;
        }
        status = row_read(session, select, reading->arena, &items[members->items.count]);
        if (status != STATUS_OK)
            return status;
        if (seat.guest)
            items[members->items.count].email = "";
        members->items.count++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status spaces_members(struct db *db, const struct spaces_who *who, const char *cursor,
                           struct arena *arena, struct spaces_members *ret_members)
{
    struct reading reading = {.who = *who, .account = cursor != NULL ? cursor : "", .arena = arena};
    enum status status = db_read(db, list_run, &reading);
    if (status == STATUS_OK)
        *ret_members = reading.members;
    return status;
}

/* ---- inviting ---- */

struct inviting {
    struct spaces_who who;
    const struct spaces_invitee *invitee;
    const char *email; /* normal; NULL: by account */
    uint8_t email_hash[CRYPTO_SHA256_BYTES];
    enum spaces_role role;
    char id[CRYPTO_ID_CHARS + 1]; /* of the invitation */
    int64_t now_ms;
    struct arena *arena;
    struct spaces_member member;
};

static enum status invites_check(struct db_session *session, const char *space)
{
    struct db_statement *select =
        db_prepare(session, "SELECT count(*) FROM space_invite WHERE space = $1");
    db_bind_text(select, 1, space);
    enum status status = db_step(select);
    return status == STATUS_OK && db_column_int(select, 0) >= SPACES_INVITES_MAX ? STATUS_LIMIT
                                                                                 : status;
}

/* The letter that brings the person here, in the language of who invites. */
static enum status invite_send(struct db_session *session, const struct inviting *inviting)
{
    struct auth_user inviter;
    struct spaces_space space;
    struct confirmation made;
    enum status status = auth_user_in(session, inviting->who.account, inviting->arena, &inviter);
    if (status == STATUS_OK)
        status = spaces_load(session, &inviting->who, inviting->arena, &space);
    if (status != STATUS_OK)
        return status;
    const struct confirmation_new wish = {.kind = "invite",
                                          .email = inviting->email,
                                          .account = "",
                                          .language = inviter.language,
                                          .who = inviter.name,
                                          .space = space.name};
    return confirmation_add(session, &wish, inviting->now_ms, inviting->arena, &made);
}

/* Waits for an account of this address; asked again, with another role perhaps, the last counts. */
static enum status invite_keep(struct db_session *session, struct inviting *inviting)
{
    const char *space = inviting->who.space;
    enum status status = invites_check(session, space);
    if (status != STATUS_OK)
        return status;
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM space_invite WHERE email_hash = $2 AND space = $1");
    db_bind_text(drop, 1, space);
    db_bind_blob(drop, 2, inviting->email_hash, sizeof inviting->email_hash);
    status = db_run(drop);
    const struct vault_place place = {
        .space = space, .table = "space_invite", .column = "email", .row = inviting->id};
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO space_invite (id, space, email, email_hash, role, inviter, created)"
                 " VALUES ($1, $2, $3, $4, $5, $6, $7)");
    db_bind_text(insert, 1, inviting->id);
    db_bind_text(insert, 2, space);
    if (status == STATUS_OK)
        status = vault_bind(db_session_vault(session), &place, insert, 3, inviting->email);
    db_bind_blob(insert, 4, inviting->email_hash, sizeof inviting->email_hash);
    db_bind_text(insert, 5, spaces_role_name(inviting->role));
    db_bind_text(insert, 6, inviting->who.account);
    db_bind_int(insert, 7, inviting->now_ms);
    if (status == STATUS_OK)
        status = db_run(insert);
    inviting->member = (struct spaces_member){.id = "",
                                              .name = "",
                                              .email = inviting->email,
                                              .role = spaces_role_name(inviting->role),
                                              .joined = 0};
    if (status == STATUS_OK)
        status = spaces_event(session, space, "invite.added", inviting->id, inviting->now_ms);
    return status == STATUS_OK ? invite_send(session, inviting) : status;
}

static enum status invite_run(struct db_session *session, void *arg)
{
    struct inviting *inviting = arg;
    struct spaces_seat seat;
    struct spaces_who guest = {inviting->who.space, inviting->invitee->account};
    enum status status = spaces_seat(session, &inviting->who, SPACES_INVITE, &seat);
    if (status == STATUS_OK && inviting->role > seat.role)
        status = STATUS_DENIED;
    if (status != STATUS_OK)
        return status;
    if (inviting->email != NULL) {
        status = auth_account_of(session, inviting->email_hash, inviting->arena, &guest.account);
        if (status == STATUS_NOT_FOUND)
            return invite_keep(session, inviting);
    }
    if (status == STATUS_OK)
        status = spaces_enter(session, &guest, inviting->role, inviting->now_ms);
    return status == STATUS_OK ? member_load(session, guest.space, guest.account, inviting->arena,
                                             &inviting->member)
                               : status;
}

enum status spaces_invite(struct db *db, const struct spaces_who *who,
                          const struct spaces_invitee *invitee, int64_t now_ms, struct arena *arena,
                          struct spaces_member *ret_member)
{
    struct inviting inviting = {.who = *who, .invitee = invitee, .now_ms = now_ms, .arena = arena};
    if ((invitee->account == NULL) == (invitee->email == NULL) ||
        !spaces_role_of(invitee->role, &inviting.role))
        return STATUS_INVALID;
    enum status status = STATUS_OK;
    if (invitee->email != NULL)
        status = auth_email_key(db_vault(db), invitee->email, arena, &inviting.email,
                                inviting.email_hash);
    crypto_id(inviting.id);
    if (status == STATUS_OK)
        status = db_write(db, invite_run, &inviting);
    if (status == STATUS_OK)
        *ret_member = inviting.member;
    return status;
}

/* ---- an address that was waited for has an account ---- */

enum { CLAIM_MAX = 100 /* at once; the rest at the next look */ };

struct claiming {
    const char *account;
    int64_t now_ms;
    struct arena *arena;
    size_t count;
    const char *ids[CLAIM_MAX], *spaces[CLAIM_MAX];
    enum spaces_role roles[CLAIM_MAX];
};

static enum status claims_find(struct db_session *session, void *arg)
{
    struct claiming *claiming = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT i.id, i.space, i.role FROM account a"
                            " JOIN space_invite i ON i.email_hash = a.email_hash"
                            " WHERE a.id = $1 LIMIT $2");
    db_bind_text(select, 1, claiming->account);
    db_bind_int(select, 2, CLAIM_MAX);
    enum status status;
    claiming->count = 0;
    while ((status = db_step(select)) == STATUS_OK) {
        size_t i = claiming->count++;
        claiming->ids[i] = arena_strdup(claiming->arena, db_column_text(select, 0));
        claiming->spaces[i] = arena_strdup(claiming->arena, db_column_text(select, 1));
        if (claiming->ids[i] == NULL || claiming->spaces[i] == NULL)
            return STATUS_NO_MEMORY;
        if (!spaces_role_of(db_column_text(select, 2), &claiming->roles[i]))
            return STATUS_CORRUPT;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* What cannot be had (in it already, a limit) goes with the invitation. */
static enum status claim_take(struct db_session *session, const struct claiming *claiming, size_t i)
{
    const struct spaces_who who = {claiming->spaces[i], claiming->account};
    struct db_statement *drop = db_prepare(session, "DELETE FROM space_invite WHERE id = $1");
    db_bind_text(drop, 1, claiming->ids[i]);
    enum status status = db_run(drop);
    if (status != STATUS_OK)
        return status;
    status = spaces_seat(session, &who, SPACES_READ, NULL);
    if (status == STATUS_NOT_FOUND)
        status = spaces_enter(session, &who, claiming->roles[i], claiming->now_ms);
    return status == STATUS_LIMIT ? STATUS_OK : status;
}

static enum status claim_run(struct db_session *session, void *arg)
{
    struct claiming *claiming = arg;
    enum status status = claims_find(session, claiming);
    for (size_t i = 0; status == STATUS_OK && i < claiming->count; i++)
        status = claim_take(session, claiming, i);
    return status;
}

enum status spaces_claim(struct db *db, const char *account, int64_t now_ms, struct arena *arena)
{
    struct claiming claiming = {.account = account, .now_ms = now_ms, .arena = arena};
    enum status status = db_read(db, claims_find, &claiming);
    if (status == STATUS_OK && claiming.count > 0)
        status = db_write(db, claim_run, &claiming);
    return status;
}

/* ---- roles, and going ---- */

struct changing {
    struct spaces_who who;
    const char *account;
    enum spaces_role role;
    bool transfer;
    int64_t now_ms;
    struct arena *arena;
    struct spaces_member member;
};

/* After a change: whether the space still has an owner. */
static enum status owner_check(struct db_session *session, const char *space)
{
    struct db_statement *select = db_prepare(
        session, "SELECT account FROM space_member WHERE space = $1 AND role = 'owner' LIMIT 1");
    db_bind_text(select, 1, space);
    enum status status = db_step(select);
    return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
}

static enum status role_set(struct db_session *session, const struct changing *changing,
                            const char *account, enum spaces_role role)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space_member SET role = $3 WHERE space = $1 AND account = $2"
                            " RETURNING account");
    db_bind_text(update, 1, changing->who.space);
    db_bind_text(update, 2, account);
    db_bind_text(update, 3, spaces_role_name(role));
    enum status status = db_step(update);
    if (status == STATUS_OK)
        status =
            spaces_event(session, changing->who.space, "member.updated", account, changing->now_ms);
    return status;
}

static enum status role_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    enum status status = spaces_seat(session, &changing->who, SPACES_MANAGE, NULL);
    if (status == STATUS_OK)
        status = role_set(session, changing, changing->account, changing->role);
    if (status == STATUS_OK && changing->transfer)
        status = role_set(session, changing, changing->who.account, SPACES_EDITOR);
    if (status == STATUS_OK)
        status = owner_check(session, changing->who.space);
    return status == STATUS_OK ? member_load(session, changing->who.space, changing->account,
                                             changing->arena, &changing->member)
                               : status;
}

enum status spaces_set_role(struct db *db, const struct spaces_who *who, const char *account,
                            const char *role, bool transfer, int64_t now_ms, struct arena *arena,
                            struct spaces_member *ret_member)
{
    struct changing changing = {
        .who = *who, .account = account, .transfer = transfer, .now_ms = now_ms, .arena = arena};
    if (!spaces_role_of(role, &changing.role) ||
        (transfer && (changing.role != SPACES_OWNER || strcmp(account, who->account) == 0)))
        return STATUS_INVALID;
    enum status status = db_write(db, role_run, &changing);
    if (status == STATUS_OK)
        *ret_member = changing.member;
    return status;
}

static enum status remove_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    const char *space = changing->who.space;
    bool leaves = strcmp(changing->account, changing->who.account) == 0;
    struct spaces_seat seat;
    enum status status =
        spaces_seat(session, &changing->who, leaves ? SPACES_READ : SPACES_MANAGE, &seat);
    if (status == STATUS_OK && seat.kind == SPACES_DIRECT)
        status = STATUS_DENIED;
    if (status != STATUS_OK)
        return status;
    struct db_statement *drop = db_prepare(session, "DELETE FROM space_member WHERE space = $1"
                                                    " AND account = $2 RETURNING account");
    db_bind_text(drop, 1, space);
    db_bind_text(drop, 2, changing->account);
    status = db_step(drop);
    if (status == STATUS_OK)
        status = owner_check(session, space);
    if (status == STATUS_OK)
        status = count_change(session, space, -1);
    if (status == STATUS_OK)
        status =
            spaces_event(session, space, "member.removed", changing->account, changing->now_ms);
    return status == STATUS_OK
               ? spaces_tell(session, changing->account, "space.left", space, changing->now_ms)
               : status;
}

enum status spaces_remove(struct db *db, const struct spaces_who *who, const char *account,
                          int64_t now_ms)
{
    struct changing changing = {.who = *who, .account = account, .now_ms = now_ms};
    return db_write(db, remove_run, &changing);
}
