#include "modules/meetings/registry.h"

#include "core/text.h"
#include "storage/event.h"
#include "storage/vault/vault.h"

#include <string.h>

/* ---- names of roles and kinds, as rows and messages spell them ---- */

static const char *const role_names[] = {
    [REGISTRY_PARTICIPANT] = "participant",
    [REGISTRY_COHOST] = "cohost",
    [REGISTRY_HOST] = "host",
};

static const char *const kind_names[] = {
    [REGISTRY_BROWSER] = "browser",
    [REGISTRY_WHIP] = "whip",
    [REGISTRY_PHONE] = "phone",
};

const char *registry_role_name(enum registry_role role)
{
    return role_names[role];
}

const char *registry_kind_name(enum registry_kind kind)
{
    return kind_names[kind];
}

bool registry_role_of(const char *name, enum registry_role *ret_role)
{
    for (size_t i = 0; name && i < sizeof role_names / sizeof role_names[0]; i++) {
        if (strcmp(name, role_names[i]) == 0) {
            *ret_role = (enum registry_role)i;
            return true;
        }
    }
    return false;
}

static bool kind_of(const char *name, enum registry_kind *ret_kind)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            *ret_kind = (enum registry_kind)i;
            return true;
        }
    }
    return false;
}

bool registry_name_valid(const char *name)
{
    return text_valid(name, 1, REGISTRY_NAME_MAX, TEXT_LINE) && !text_blank(name);
}

static struct vault_place name_place(const char *id)
{
    return (struct vault_place){.table = "participant", .column = "name_sealed", .row = id};
}

/* ---- letting in ---- */

struct entry {
    const struct registry_participant_spec *spec;
    int64_t now_ms;
    uint8_t token_hash[CRYPTO_SHA256_BYTES], host_hash[CRYPTO_SHA256_BYTES];
    struct registry_participant_created created;
};

/* Whether the meeting takes one more, and as what they come. */
static enum status entry_check(struct db_session *session, struct entry *entry)
{
    struct registry_participant_created *created = &entry->created;
    struct db_statement *select =
        db_prepare(session, "SELECT host_hash, ended, participants FROM meeting WHERE id = $1");
    db_bind_text(select, 1, entry->spec->meeting);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    size_t length;
    const void *hash = db_column_blob(select, 0, &length);
    bool is_host = length == sizeof entry->host_hash && entry->spec->host_token &&
                   crypto_equal(hash, entry->host_hash, length);
    if (entry->spec->host_token && !is_host)
        return STATUS_DENIED;
    if (db_column_int(select, 1) != 0)
        return STATUS_CLOSED;
    if (db_column_int(select, 2) >= REGISTRY_PARTICIPANTS_MAX)
        return STATUS_LIMIT;
    created->role = is_host ? REGISTRY_HOST : entry->spec->role;
    created->admitted = is_host || entry->spec->admitted;
    return STATUS_OK;
}

static enum status entry_insert(struct db_session *session, const struct entry *entry)
{
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO participant"
                            " (id, meeting, token_hash, name_sealed, role, kind, admitted, created)"
                            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    db_bind_text(insert, 1, entry->created.id);
    db_bind_text(insert, 2, entry->spec->meeting);
    db_bind_blob(insert, 3, entry->token_hash, sizeof entry->token_hash);
    struct vault_place place = name_place(entry->created.id);
    enum status status =
        vault_bind(db_session_vault(session), &place, insert, 4, entry->spec->name);
    db_bind_text(insert, 5, registry_role_name(entry->created.role));
    db_bind_text(insert, 6, registry_kind_name(entry->spec->kind));
    db_bind_int(insert, 7, entry->created.admitted);
    db_bind_int(insert, 8, entry->now_ms);
    if (status == STATUS_OK)
        status = db_run(insert);
    if (status != STATUS_OK)
        return status;
    struct db_statement *count =
        db_prepare(session, "UPDATE meeting SET participants = participants + 1 WHERE id = $1");
    db_bind_text(count, 1, entry->spec->meeting);
    return db_run(count);
}

static enum status entry_run(struct db_session *session, void *arg)
{
    struct entry *entry = arg;
    enum status status = entry_check(session, entry);
    if (status == STATUS_OK)
        status = entry_insert(session, entry);
    if (status != STATUS_OK)
        return status;
    return event_write_id(session, entry->spec->meeting, "participant.joined", entry->created.id,
                          entry->now_ms);
}

enum status registry_participant_new(struct db *db, const struct registry_participant_spec *spec,
                                     int64_t now_ms,
                                     struct registry_participant_created *ret_created)
{
    struct entry entry = {.spec = spec, .now_ms = now_ms};
    if (!registry_id_valid(spec->meeting))
        return STATUS_NOT_FOUND;
    if (!registry_name_valid(spec->name))
        return STATUS_INVALID;
    crypto_id(entry.created.id);
    crypto_token(entry.created.token);
    crypto_sha256(entry.created.token, strlen(entry.created.token), entry.token_hash);
    if (spec->host_token)
        crypto_sha256(spec->host_token, strlen(spec->host_token), entry.host_hash);
    enum status status = db_write(db, entry_run, &entry);
    if (status == STATUS_OK)
        *ret_created = entry.created;
    return status;
}

/* ---- finding ---- */

struct look_up {
    const char *meeting;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    struct arena *arena;
    struct registry_participant participant;
};

static enum status look_up_run(struct db_session *session, void *arg)
{
    struct look_up *look_up = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT id, name_sealed, role, kind, admitted, removed, created"
                            " FROM participant WHERE token_hash = $1 AND meeting = $2");
    db_bind_blob(select, 1, look_up->hash, sizeof look_up->hash);
    db_bind_text(select, 2, look_up->meeting);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    struct registry_participant participant = {
        .id = arena_strdup(look_up->arena, db_column_text(select, 0)),
        .admitted = db_column_int(select, 4) != 0,
        .removed = db_column_int(select, 5) != 0,
        .created = db_column_int(select, 6),
    };
    if (!participant.id)
        return STATUS_NO_MEMORY;
    struct vault_place place = name_place(participant.id);
    status = vault_column(db_session_vault(session), &place, select, 1, look_up->arena,
                          &participant.name);
    if (status != STATUS_OK)
        return status;
    if (!registry_role_of(db_column_text(select, 2), &participant.role) ||
        !kind_of(db_column_text(select, 3), &participant.kind))
        return STATUS_CORRUPT;
    look_up->participant = participant;
    return STATUS_OK;
}

enum status registry_participant_by_token(struct db *db, const char *meeting, const char *token,
                                          struct arena *arena,
                                          struct registry_participant *ret_participant)
{
    struct look_up look_up = {.meeting = meeting, .arena = arena};
    if (!registry_id_valid(meeting) || !token)
        return STATUS_NOT_FOUND;
    crypto_sha256(token, strlen(token), look_up.hash);
    enum status status = db_read(db, look_up_run, &look_up);
    if (status == STATUS_OK)
        *ret_participant = look_up.participant;
    return status;
}

enum status registry_member(struct db_session *session, const char *meeting,
                            const char *participant, enum registry_role *ret_role)
{
    struct db_statement *select =
        db_prepare(session, "SELECT meeting.ended, participant.role, participant.admitted,"
                            " participant.removed FROM meeting LEFT JOIN participant"
                            " ON participant.id = $2 AND participant.meeting = meeting.id"
                            " WHERE meeting.id = $1");
    db_bind_text(select, 1, meeting);
    db_bind_text(select, 2, participant);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    if (db_column_int(select, 0) != 0)
        return STATUS_NOT_FOUND;
    const char *role = db_column_text(select, 1);
    if (!role || db_column_int(select, 2) == 0 || db_column_int(select, 3) != 0)
        return STATUS_DENIED;
    return registry_role_of(role, ret_role) ? STATUS_OK : STATUS_CORRUPT;
}

/* ---- changing ---- */

/* One column of one participant. `sql` changes the row $1 of meeting $2 if it is not so already,
 * and returns it; the new value, if it is not in the text, is $3. */
struct change {
    const char *sql, *event;
    const char *meeting, *participant;
    const char *text; /* $3, or NULL */
    int64_t number;   /* $3, unless 0 */
    bool removed_too; /* a removed one need not be changed, but is no error */
    int64_t now_ms;
};

static const char admit_sql[] =
    "UPDATE participant SET admitted = 1"
    " WHERE id = $1 AND meeting = $2 AND removed IS NULL AND admitted = 0 RETURNING id";
static const char role_sql[] =
    "UPDATE participant SET role = $3"
    " WHERE id = $1 AND meeting = $2 AND removed IS NULL AND role <> $3 RETURNING id";
static const char remove_sql[] = "UPDATE participant SET removed = $3"
                                 " WHERE id = $1 AND meeting = $2 AND removed IS NULL RETURNING id";

/* Why nothing changed: it is so already (STATUS_OK), or nobody is there. */
static enum status unchanged_check(struct db_session *session, const struct change *change)
{
    struct db_statement *select =
        db_prepare(session, "SELECT removed FROM participant WHERE id = $1 AND meeting = $2");
    db_bind_text(select, 1, change->participant);
    db_bind_text(select, 2, change->meeting);
    enum status status = db_step(select);
    if (status == STATUS_OK && db_column_int(select, 0) != 0 && !change->removed_too)
        status = STATUS_NOT_FOUND;
    return status;
}

static enum status change_run(struct db_session *session, void *arg)
{
    const struct change *change = arg;
    struct db_statement *update = db_prepare(session, change->sql);
    db_bind_text(update, 1, change->participant);
    db_bind_text(update, 2, change->meeting);
    if (change->text)
        db_bind_text(update, 3, change->text);
    else if (change->number != 0)
        db_bind_int(update, 3, change->number);
    enum status status = db_step(update);
    if (status == STATUS_NOT_FOUND)
        return unchanged_check(session, change);
    if (status != STATUS_OK)
        return status;
    return event_write_id(session, change->meeting, change->event, change->participant,
                          change->now_ms);
}

struct renaming {
    struct change change; /* `text`: the name */
    struct arena *arena;
};

static enum status rename_write(struct db_session *session, const struct change *change)
{
    struct vault_place place = name_place(change->participant);
    struct db_statement *update =
        db_prepare(session, "UPDATE participant SET name_sealed = $2 WHERE id = $1");
    db_bind_text(update, 1, change->participant);
    enum status status = vault_bind(db_session_vault(session), &place, update, 2, change->text);
    if (status == STATUS_OK)
        status = db_run(update);
    if (status != STATUS_OK)
        return status;
    return event_write_id(session, change->meeting, change->event, change->participant,
                          change->now_ms);
}

static enum status rename_run(struct db_session *session, void *arg)
{
    const struct renaming *renaming = arg;
    const struct change *change = &renaming->change;
    const char *before = NULL;
    struct vault_place place = name_place(change->participant);
    struct db_statement *select =
        db_prepare(session, "SELECT name_sealed FROM participant"
                            " WHERE id = $1 AND meeting = $2 AND removed IS NULL");
    db_bind_text(select, 1, change->participant);
    db_bind_text(select, 2, change->meeting);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status =
            vault_column(db_session_vault(session), &place, select, 0, renaming->arena, &before);
    if (status != STATUS_OK || strcmp(before, change->text) == 0)
        return status;
    return rename_write(session, change);
}

enum status registry_participant_rename(struct db *db, const char *meeting, const char *participant,
                                        const char *name, int64_t now_ms)
{
    struct renaming renaming = {.change = {.event = "participant.updated",
                                           .meeting = meeting,
                                           .participant = participant,
                                           .text = name,
                                           .now_ms = now_ms}};
    if (!registry_name_valid(name))
        return STATUS_INVALID;
    enum status status = arena_new(4 * (REGISTRY_NAME_MAX + VAULT_OVERHEAD), &renaming.arena);
    if (status == STATUS_OK)
        status = db_write(db, rename_run, &renaming);
    arena_free(renaming.arena);
    return status;
}

enum status registry_participant_admit(struct db *db, const char *meeting, const char *participant,
                                       int64_t now_ms)
{
    struct change change = {.sql = admit_sql,
                            .event = "participant.updated",
                            .meeting = meeting,
                            .participant = participant,
                            .now_ms = now_ms};
    return db_write(db, change_run, &change);
}

static struct change role_change(const char *meeting, const char *participant,
                                 enum registry_role role, int64_t now_ms)
{
    return (struct change){.sql = role_sql,
                           .event = "participant.updated",
                           .meeting = meeting,
                           .participant = participant,
                           .text = registry_role_name(role),
                           .now_ms = now_ms};
}

enum status registry_participant_role(struct db *db, const char *meeting, const char *participant,
                                      enum registry_role role, int64_t now_ms)
{
    struct change change = role_change(meeting, participant, role, now_ms);
    return db_write(db, change_run, &change);
}

enum status registry_participant_remove(struct db *db, const char *meeting, const char *participant,
                                        int64_t now_ms)
{
    struct change change = {.sql = remove_sql,
                            .event = "participant.removed",
                            .meeting = meeting,
                            .participant = participant,
                            .number = now_ms,
                            .removed_too = true,
                            .now_ms = now_ms};
    return db_write(db, change_run, &change);
}

struct hand_over {
    const char *meeting, *from, *to;
    int64_t now_ms;
};

static enum status hand_over_run(struct db_session *session, void *arg)
{
    const struct hand_over *over = arg;
    enum registry_role role;
    enum status status = registry_member(session, over->meeting, over->from, &role);
    if (status == STATUS_OK && role != REGISTRY_HOST)
        status = STATUS_DENIED;
    if (status != STATUS_OK || strcmp(over->from, over->to) == 0)
        return status;
    status = registry_member(session, over->meeting, over->to, &role);
    if (status != STATUS_OK)
        return status == STATUS_DENIED ? STATUS_NOT_FOUND : status;
    struct change up = role_change(over->meeting, over->to, REGISTRY_HOST, over->now_ms);
    struct change down = role_change(over->meeting, over->from, REGISTRY_COHOST, over->now_ms);
    status = change_run(session, &up);
    return status == STATUS_OK ? change_run(session, &down) : status;
}

enum status registry_hand_over(struct db *db, const char *meeting, const char *from, const char *to,
                               int64_t now_ms)
{
    struct hand_over over = {.meeting = meeting, .from = from, .to = to, .now_ms = now_ms};
    return db_write(db, hand_over_run, &over);
}
