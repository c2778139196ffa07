#include "modules/meetings/registry.h"

#include "core/text.h"
#include "modules/spaces/messages.h"
#include "storage/event.h"
#include "storage/vault/vault.h"

#include <string.h>

bool registry_id_valid(const char *id)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (!id)
        return false;
    size_t length = strnlen(id, REGISTRY_ID_MAX + 1);
    return length >= 1 && length <= REGISTRY_ID_MAX && strspn(id, allowed) == length;
}

static bool title_valid(const char *title)
{
    return text_valid(title, 0, REGISTRY_TITLE_MAX, TEXT_LINE);
}

static struct vault_place title_place(const char *id)
{
    return (struct vault_place){.table = "meeting", .column = "title_sealed", .row = id};
}

/* ---- creating ---- */

struct creation {
    const struct registry_meeting_new *meeting;
    const char *id, *title;
    uint8_t host_hash[CRYPTO_SHA256_BYTES];
    int64_t now_ms;
};

/* Who may start one in the space does; its members hear of it. */
static enum status space_tell(struct db_session *session, const struct creation *creation)
{
    const struct spaces_who who = {creation->meeting->space, creation->meeting->account};
    enum status status = spaces_seat(session, &who, SPACES_MEET, NULL);
    if (status == STATUS_OK)
        status =
            messages_meeting_begin(session, &who, creation->id, creation->title, creation->now_ms);
    return status == STATUS_OK ? event_write_id(session, who.space, "meeting.started", creation->id,
                                                creation->now_ms)
                               : status;
}

static enum status create_run(struct db_session *session, void *arg)
{
    const struct creation *creation = arg;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO meeting (id, title_sealed, host_hash, lobby, created,"
                            " space) VALUES ($1, $2, $3, $4, $5, $6)");
    db_bind_text(insert, 1, creation->id);
    struct vault_place place = title_place(creation->id);
    enum status status = vault_bind(db_session_vault(session), &place, insert, 2, creation->title);
    db_bind_blob(insert, 3, creation->host_hash, sizeof creation->host_hash);
    db_bind_int(insert, 4, creation->meeting->lobby);
    db_bind_int(insert, 5, creation->now_ms);
    db_bind_text(insert, 6, creation->meeting->space);
    if (status == STATUS_OK)
        status = db_run(insert);
    if (status == STATUS_OK && creation->meeting->space)
        status = space_tell(session, creation);
    if (status != STATUS_OK)
        return status;
    return event_write_id(session, creation->id, "meeting.created", creation->id, creation->now_ms);
}

enum status registry_create(struct db *db, const struct registry_meeting_new *meeting,
                            int64_t now_ms, struct registry_meeting_created *ret_created)
{
    struct registry_meeting_created created = {0};
    const char *title = meeting->title ? meeting->title : "";
    if ((meeting->id && !registry_id_valid(meeting->id)) || !title_valid(title))
        return STATUS_INVALID;
    if (meeting->id)
        memcpy(created.id, meeting->id, strlen(meeting->id));
    else
        crypto_id(created.id);
    crypto_token(created.token);
    struct creation creation = {
        .meeting = meeting, .id = created.id, .title = title, .now_ms = now_ms};
    crypto_sha256(created.token, strlen(created.token), creation.host_hash);
    enum status status = db_write(db, create_run, &creation);
    if (status == STATUS_OK)
        *ret_created = created;
    return status;
}

/* ---- finding ---- */

#define MEETING_COLUMNS "id, title_sealed, locked, lobby, created, ended, space"

static enum status meeting_copy(struct vault *vault, struct db_statement *row, struct arena *arena,
                                struct registry_meeting *ret_meeting)
{
    const char *space = db_column_text(row, 6);
    struct registry_meeting meeting = {
        .id = arena_strdup(arena, db_column_text(row, 0)),
        .space = space ? arena_strdup(arena, space) : NULL,
        .locked = db_column_int(row, 2) != 0,
        .lobby = db_column_int(row, 3) != 0,
        .created = db_column_int(row, 4),
        .ended = db_column_int(row, 5),
    };
    if (!meeting.id || (space && !meeting.space))
        return STATUS_NO_MEMORY;
    struct vault_place place = title_place(meeting.id);
    enum status status = vault_column(vault, &place, row, 1, arena, &meeting.title);
    if (status == STATUS_OK)
        *ret_meeting = meeting;
    return status;
}

struct finding {
    const char *id;
    struct arena *arena;
    struct registry_meeting meeting;
};

static enum status find_run(struct db_session *session, void *arg)
{
    struct finding *finding = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT " MEETING_COLUMNS " FROM meeting WHERE id = $1");
    db_bind_text(select, 1, finding->id);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    return meeting_copy(db_session_vault(session), select, finding->arena, &finding->meeting);
}

enum status registry_find(struct db *db, const char *id, struct arena *arena,
                          struct registry_meeting *ret_meeting)
{
    struct finding finding = {.id = id, .arena = arena};
    if (!registry_id_valid(id))
        return STATUS_NOT_FOUND;
    enum status status = db_read(db, find_run, &finding);
    if (status == STATUS_OK)
        *ret_meeting = finding.meeting;
    return status;
}

struct listing {
    struct spaces_who who;
    struct arena *arena;
    struct json_list list;
};

static enum status of_space_run(struct db_session *session, void *arg)
{
    struct listing *listing = arg;
    enum status status = spaces_seat(session, &listing->who, SPACES_READ, NULL);
    if (status != STATUS_OK)
        return status;
    struct registry_meeting *items =
        arena_alloc(listing->arena, REGISTRY_OPEN_MAX * sizeof items[0]);
    if (!items)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, "SELECT " MEETING_COLUMNS " FROM meeting WHERE space = $1"
                            " AND ended IS NULL ORDER BY created DESC LIMIT $2");
    db_bind_text(select, 1, listing->who.space);
    db_bind_int(select, 2, REGISTRY_OPEN_MAX);
    listing->list = (struct json_list){.items = items};
    while ((status = db_step(select)) == STATUS_OK) {
        status = meeting_copy(db_session_vault(session), select, listing->arena,
                              &items[listing->list.count++]);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status registry_of_space(struct db *db, const char *space, const char *account,
                              struct arena *arena, struct json_list *ret_meetings)
{
    struct listing listing = {.who = {space, account}, .arena = arena};
    enum status status = db_read(db, of_space_run, &listing);
    if (status == STATUS_OK)
        *ret_meetings = listing.list;
    return status;
}

struct host_check {
    const char *id;
    uint8_t hash[CRYPTO_SHA256_BYTES];
};

static enum status host_check_run(struct db_session *session, void *arg)
{
    const struct host_check *check = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT host_hash FROM meeting WHERE id = $1");
    db_bind_text(select, 1, check->id);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    size_t length;
    const void *hash = db_column_blob(select, 0, &length);
    bool same = length == sizeof check->hash && crypto_equal(hash, check->hash, length);
    return same ? STATUS_OK : STATUS_DENIED;
}

enum status registry_host_check(struct db *db, const char *id, const char *token)
{
    struct host_check check = {.id = id};
    if (!registry_id_valid(id))
        return STATUS_NOT_FOUND;
    if (!token)
        return STATUS_DENIED;
    crypto_sha256(token, strlen(token), check.hash);
    return db_read(db, host_check_run, &check);
}

/* ---- changing ---- */

struct update {
    const char *id;
    const struct registry_settings *settings;
    int64_t now_ms;
    struct arena *arena;
    struct registry_meeting meeting;
};

static void bind_maybe(struct db_statement *statement, int index, enum json_maybe value)
{
    if (value == JSON_ABSENT)
        db_bind_null(statement, index);
    else
        db_bind_int(statement, index, value == JSON_YES);
}

static enum status update_run(struct db_session *session, void *arg)
{
    struct update *update = arg;
    struct db_statement *statement =
        db_prepare(session, "UPDATE meeting SET title_sealed = coalesce($2, title_sealed),"
                            " locked = coalesce($3, locked), lobby = coalesce($4, lobby)"
                            " WHERE id = $1 AND ended IS NULL RETURNING " MEETING_COLUMNS);
    db_bind_text(statement, 1, update->id);
    struct vault_place place = title_place(update->id);
    enum status status =
        vault_bind(db_session_vault(session), &place, statement, 2, update->settings->title);
    bind_maybe(statement, 3, update->settings->locked);
    bind_maybe(statement, 4, update->settings->lobby);
    if (status == STATUS_OK)
        status = db_step(statement);
    if (status == STATUS_OK)
        status =
            meeting_copy(db_session_vault(session), statement, update->arena, &update->meeting);
    if (status != STATUS_OK)
        return status;
    return event_write_id(session, update->id, "meeting.updated", update->id, update->now_ms);
}

enum status registry_update(struct db *db, const char *id, const struct registry_settings *settings,
                            int64_t now_ms, struct arena *arena,
                            struct registry_meeting *ret_meeting)
{
    struct update update = {.id = id, .settings = settings, .now_ms = now_ms, .arena = arena};
    if (!registry_id_valid(id))
        return STATUS_NOT_FOUND;
    if (settings->title && !title_valid(settings->title))
        return STATUS_INVALID;
    enum status status = db_write(db, update_run, &update);
    if (status == STATUS_OK)
        *ret_meeting = update.meeting;
    return status;
}

struct ending {
    const char *id;
    int64_t now_ms;
};

static enum status end_run(struct db_session *session, void *arg)
{
    const struct ending *ending = arg;
    struct db_statement *update = db_prepare(
        session, "UPDATE meeting SET ended = $2 WHERE id = $1 AND ended IS NULL RETURNING space");
    db_bind_text(update, 1, ending->id);
    db_bind_int(update, 2, ending->now_ms);
    enum status status = db_step(update);
    if (status == STATUS_OK && db_column_text(update, 0))
        status = event_write_id(session, db_column_text(update, 0), "meeting.ended", ending->id,
                                ending->now_ms);
    if (status != STATUS_OK)
        return status;
    return event_write_id(session, ending->id, "meeting.ended", ending->id, ending->now_ms);
}

enum status registry_end(struct db *db, const char *id, int64_t now_ms)
{
    struct ending ending = {.id = id, .now_ms = now_ms};
    return registry_id_valid(id) ? db_write(db, end_run, &ending) : STATUS_NOT_FOUND;
}
