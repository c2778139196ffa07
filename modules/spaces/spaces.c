#include "modules/spaces/spaces.h"

#include "core/text.h"
#include "modules/auth/auth.h"
#include "modules/search/index.h"
#include "modules/spaces/guest_rows.h"
#include "modules/spaces/message_rows.h"
#include "modules/spaces/spaces_state.h"
#include "storage/cache.h"
#include "storage/event.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

bool spaces_id_valid(const char *id)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = id != NULL ? strnlen(id, SPACES_ID_MAX + 1) : 0;
    return length >= 1 && length <= SPACES_ID_MAX && strspn(id, allowed) == length;
}

static bool name_valid(const char *name)
{
    return text_valid(name, 1, SPACES_NAME_MAX, TEXT_LINE) && !text_blank(name);
}

enum status spaces_event(struct db_session *session, const char *space, const char *type,
                         const char *id, int64_t now_ms)
{
    return event_write_id(session, space, type, id, now_ms);
}

enum status spaces_tell(struct db_session *session, const char *account, const char *type,
                        const char *space, int64_t now_ms)
{
    char scope[9 + SPACES_ID_MAX];
    if (snprintf(scope, sizeof scope, "account:%s", account) >= (int)sizeof scope)
        return STATUS_INVALID;
    return event_write_id(session, scope, type, space, now_ms);
}

/* ---- who may ---- */

static enum status seat_read(struct db_session *session, const struct spaces_who *who,
                             struct spaces_seat *ret_seat)
{
    struct spaces_seat seat = {.kind = SPACES_SPACE};
    if (who->account == NULL || !spaces_id_valid(who->space))
        return STATUS_NOT_FOUND;
    struct db_statement *select = db_prepare(
        session, "SELECT m.role, s.kind, s.archived FROM space_member m"
                 " JOIN space s ON s.id = m.space WHERE m.space = $1 AND m.account = $2");
    db_bind_text(select, 1, who->space);
    db_bind_text(select, 2, who->account);
    enum status status = db_step(select);
    if (status == STATUS_OK) {
        if (!spaces_role_of(db_column_text(select, 0), &seat.role) ||
            !spaces_kind_of(db_column_text(select, 1), &seat.kind))
            return STATUS_CORRUPT;
        seat.archived = db_column_int(select, 2) != 0;
    } else if (status == STATUS_NOT_FOUND) {
        status = guest_seat(session, who, &seat);
    }
    if (status != STATUS_OK)
        return status;
    *ret_seat = seat;
    return STATUS_OK;
}

enum status spaces_seat(struct db_session *session, const struct spaces_who *who,
                        enum spaces_right right, struct spaces_seat *ret_seat)
{
    struct spaces_seat seat;
    enum status status = seat_read(session, who, &seat);
    if (status != STATUS_OK)
        return status;
    if (!spaces_may(seat.role, seat.kind, seat.archived, right))
        return STATUS_DENIED;
    if (ret_seat != NULL)
        *ret_seat = seat;
    return STATUS_OK;
}

struct asking {
    const struct spaces_who *who;
    struct spaces_seat seat;
};

static enum status check_run(struct db_session *session, void *arg)
{
    struct asking *asking = arg;
    return seat_read(session, asking->who, &asking->seat);
}

enum status spaces_check(struct db *db, const struct spaces_who *who, enum spaces_right right)
{
    struct asking asking = {.who = who};
    char key[CACHE_KEY_MAX + 1];
    size_t length = 0;
    if (who->account == NULL || !spaces_id_valid(who->space))
        return STATUS_NOT_FOUND;
    snprintf(key, sizeof key, "seat:%s/%s", who->space, who->account);
    enum status status = STATUS_OK;
    if (!cache_get(db_cache(db), key, &asking.seat, sizeof asking.seat, &length)) {
        uint64_t mark = cache_mark(db_cache(db));
        status = db_read(db, check_run, &asking);
        if (status == STATUS_OK)
            cache_put(db_cache(db), mark, who->space, key, &asking.seat, sizeof asking.seat);
    }
    if (status != STATUS_OK)
        return status;
    return spaces_may(asking.seat.role, asking.seat.kind, asking.seat.archived, right)
               ? STATUS_OK
               : STATUS_DENIED;
}

/* ---- rows ---- */

#define SPACE_COLUMNS                                                                              \
    "s.id, s.kind, s.name, s.links, s.archived, s.members, s.version, s.created, s.pair, m.role,"  \
    " m.favourite, m.muted, m.folder, m.read_to FROM space_member m JOIN space s ON s.id = "       \
    "m.space"

/* Guests have nothing of their own: no folder, no read mark, so nothing is unread. */
#define GUEST_COLUMNS                                                                              \
    "s.id, s.kind, s.name, s.links, s.archived, s.members, s.version, s.created, NULL, 'viewer',"  \
    " 0, 0, NULL, 9223372036854775807 FROM space_guest g JOIN space s ON s.id = g.space"

/* "a:b", of which one is `account` -> the other. */
static const char *pair_other(const char *pair, const char *account, struct arena *arena)
{
    const char *colon = strchr(pair, ':');
    if (colon == NULL)
        return NULL;
    size_t length = (size_t)(colon - pair);
    bool first = strlen(account) == length && memcmp(pair, account, length) == 0;
    return first ? arena_strdup(arena, colon + 1) : arena_strndup(arena, pair, length);
}

static enum status name_read(struct db_session *session, struct db_statement *row,
                             struct arena *arena, struct spaces_space *space)
{
    const struct vault_place place = {
        .space = space->id, .table = "space", .column = "name", .row = space->id};
    enum status status =
        vault_column(db_session_vault(session), &place, row, 2, arena, &space->name);
    struct auth_user other;
    if (status == STATUS_OK && space->with != NULL) {
        status = auth_user_in(session, space->with, arena, &other);
        if (status == STATUS_OK)
            space->name = other.name;
    }
    if (status == STATUS_OK && space->name == NULL)
        space->name = "";
    return status;
}

/* What came since the read mark. */
static enum status unread_count(struct db_session *session, const char *account, int64_t read_to,
                                struct spaces_space *space)
{
    struct db_statement *unread = db_prepare(
        session, "SELECT count(*) FROM (SELECT id FROM space_message WHERE space = $1 AND id > $2"
                 " AND author <> $3 AND deleted IS NULL LIMIT $4)");
    db_bind_text(unread, 1, space->id);
    db_bind_int(unread, 2, read_to);
    db_bind_text(unread, 3, account);
    db_bind_int(unread, 4, MESSAGES_UNREAD_MAX);
    enum status status = db_step(unread);
    if (status != STATUS_OK)
        return status;
    space->unread = db_column_int(unread, 0);
    struct db_statement *mentions =
        db_prepare(session, "SELECT count(*) FROM (SELECT DISTINCT message FROM space_mention WHERE"
                            " account IN ($3, 'all') AND space = $1 AND message > $2 LIMIT $4)");
    db_bind_text(mentions, 1, space->id);
    db_bind_int(mentions, 2, read_to);
    db_bind_text(mentions, 3, account);
    db_bind_int(mentions, 4, MESSAGES_UNREAD_MAX);
    status = db_step(mentions);
    if (status == STATUS_OK)
        space->mentions = db_column_int(mentions, 0);
    return status;
}

static enum status row_read(struct db_session *session, struct db_statement *row,
                            const char *account, struct arena *arena,
                            struct spaces_space *ret_space)
{
    const char *pair = db_column_text(row, 8);
    struct spaces_space space = {
        .id = arena_strdup(arena, db_column_text(row, 0)),
        .kind = arena_strdup(arena, db_column_text(row, 1)),
        .links = arena_strdup(arena, db_column_text(row, 3)),
        .archived = db_column_int(row, 4) != 0,
        .members = db_column_int(row, 5),
        .version = db_column_int(row, 6),
        .created = db_column_int(row, 7),
        .role = arena_strdup(arena, db_column_text(row, 9)),
        .favourite = db_column_int(row, 10) != 0,
        .muted = db_column_int(row, 11) != 0,
    };
    if (pair != NULL)
        space.with = pair_other(pair, account, arena);
    if (space.id == NULL || space.kind == NULL || space.links == NULL || space.role == NULL ||
        (pair != NULL && space.with == NULL))
        return STATUS_NO_MEMORY;
    char key[2 * SPACES_ID_MAX + 2];
    snprintf(key, sizeof key, "%s/%s", space.id, account);
    const struct vault_place folder = {
        .space = space.id, .table = "space_member", .column = "folder", .row = key};
    enum status status =
        vault_column(db_session_vault(session), &folder, row, 12, arena, &space.folder);
    if (status == STATUS_OK)
        status = name_read(session, row, arena, &space);
    if (status == STATUS_OK)
        status = unread_count(session, account, db_column_int(row, 13), &space);
    if (status == STATUS_OK)
        *ret_space = space;
    return status;
}

enum status spaces_load(struct db_session *session, const struct spaces_who *who,
                        struct arena *arena, struct spaces_space *ret_space)
{
    struct db_statement *select =
        db_prepare(session, "SELECT " SPACE_COLUMNS " WHERE m.space = $1 AND m.account = $2");
    db_bind_text(select, 1, who->space);
    db_bind_text(select, 2, who->account);
    enum status status = db_step(select);
    if (status == STATUS_NOT_FOUND) {
        select = db_prepare(session, "SELECT " GUEST_COLUMNS " WHERE g.space = $1 AND g.id = $2");
        db_bind_text(select, 1, who->space);
        db_bind_text(select, 2, who->account);
        status = db_step(select);
    }
    return status == STATUS_OK ? row_read(session, select, who->account, arena, ret_space) : status;
}

/* ---- making ---- */

struct creation {
    const struct spaces_new *wish;
    enum spaces_kind kind;
    const char *pair;
    char id[CRYPTO_ID_CHARS + 1];
    int64_t now_ms;
    struct arena *arena;
    struct spaces_space space;
};

static enum status space_insert(struct db_session *session, const struct creation *creation)
{
    const struct vault_place place = {
        .space = creation->id, .table = "space", .column = "name", .row = creation->id};
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space (id, kind, name, links, pair, created)"
                            " VALUES ($1, $2, $3, $4, $5, $6)");
    db_bind_text(insert, 1, creation->id);
    db_bind_text(insert, 2, spaces_kind_name(creation->kind));
    enum status status =
        vault_bind(db_session_vault(session), &place, insert, 3, creation->wish->name);
    db_bind_text(insert, 4, creation->kind == SPACES_SPACE ? "editor" : "none");
    db_bind_text(insert, 5, creation->pair);
    db_bind_int(insert, 6, creation->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

/* The two of a direct space have one already. */
static enum status pair_find(struct db_session *session, struct creation *creation)
{
    struct db_statement *select = db_prepare(session, "SELECT id FROM space WHERE pair = $1");
    db_bind_text(select, 1, creation->pair);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    struct spaces_who who = {arena_strdup(creation->arena, db_column_text(select, 0)),
                             creation->wish->account};
    return who.space != NULL ? spaces_load(session, &who, creation->arena, &creation->space)
                             : STATUS_NO_MEMORY;
}

static enum status create_run(struct db_session *session, void *arg)
{
    struct creation *creation = arg;
    const struct spaces_who maker = {creation->id, creation->wish->account},
                            other = {creation->id, creation->wish->with};
    enum status status = creation->pair != NULL ? pair_find(session, creation) : STATUS_NOT_FOUND;
    if (status != STATUS_NOT_FOUND)
        return status;
    status = space_insert(session, creation);
    if (status == STATUS_OK)
        status =
            spaces_event(session, creation->id, "space.created", creation->id, creation->now_ms);
    if (status == STATUS_OK)
        status = spaces_enter(session, &maker, SPACES_OWNER, creation->now_ms);
    if (status == STATUS_OK && creation->pair != NULL)
        status = spaces_enter(session, &other, SPACES_OWNER, creation->now_ms);
    return status == STATUS_OK ? spaces_load(session, &maker, creation->arena, &creation->space)
                               : status;
}

static enum status wish_check(const struct spaces_new *wish, struct creation *creation)
{
    if (wish->kind != NULL && !spaces_kind_of(wish->kind, &creation->kind))
        return STATUS_INVALID;
    if (creation->kind == SPACES_DIRECT) {
        if (wish->name != NULL || !spaces_id_valid(wish->with) ||
            strcmp(wish->with, wish->account) == 0)
            return STATUS_INVALID;
        bool before = strcmp(wish->with, wish->account) < 0;
        creation->pair = arena_printf(creation->arena, "%s:%s", before ? wish->with : wish->account,
                                      before ? wish->account : wish->with);
        return creation->pair != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    bool named = wish->name != NULL ? name_valid(wish->name) : creation->kind == SPACES_GROUP;
    return named && wish->with == NULL ? STATUS_OK : STATUS_INVALID;
}

enum status spaces_create(struct db *db, const struct spaces_new *wish, int64_t now_ms,
                          struct arena *arena, struct spaces_space *ret_space)
{
    struct creation creation = {.wish = wish, .now_ms = now_ms, .arena = arena};
    enum status status = wish_check(wish, &creation);
    if (status != STATUS_OK)
        return status;
    crypto_id(creation.id);
    status = vault_space_new(db_vault(db), db, creation.id);
    if (status == STATUS_OK)
        status = db_write(db, create_run, &creation);
    if (status == STATUS_OK)
        *ret_space = creation.space;
    return status;
}

/* ---- reading ---- */

struct reading {
    struct spaces_who who;
    struct arena *arena;
    struct spaces_space space;
    struct json_list list;
};

static enum status get_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    enum status status = spaces_seat(session, &reading->who, SPACES_READ, NULL);
    return status == STATUS_OK
               ? spaces_load(session, &reading->who, reading->arena, &reading->space)
               : status;
}

enum status spaces_get(struct db *db, const struct spaces_who *who, struct arena *arena,
                       struct spaces_space *ret_space)
{
    struct reading reading = {.who = *who, .arena = arena};
    enum status status = db_read(db, get_run, &reading);
    if (status == STATUS_OK)
        *ret_space = reading.space;
    return status;
}

static enum status list_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct spaces_space *items = arena_alloc(reading->arena, SPACES_MINE_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select = db_prepare(
        session, "SELECT " SPACE_COLUMNS " WHERE m.account = $1 ORDER BY m.space LIMIT $2");
    db_bind_text(select, 1, reading->who.account);
    db_bind_int(select, 2, SPACES_MINE_MAX);
    reading->list = (struct json_list){.items = items};
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        status = row_read(session, select, reading->who.account, reading->arena,
                          &items[reading->list.count++]);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status spaces_list(struct db *db, const char *account, int64_t now_ms, struct arena *arena,
                        struct spaces_list *ret_list)
{
    struct reading reading = {.who = {.account = account}, .arena = arena};
    enum status status = spaces_claim(db, account, now_ms, arena);
    if (status == STATUS_OK)
        status = db_read(db, list_run, &reading);
    if (status == STATUS_OK)
        ret_list->items = reading.list;
    return status;
}

/* ---- changing ---- */

struct changing {
    struct spaces_who who;
    const struct spaces_change *change;
    const struct spaces_mine *mine;
    int64_t version, now_ms;
    struct arena *arena;
    struct spaces_space space;
};

static void bind_maybe(struct db_statement *statement, int index, enum json_maybe value)
{
    if (value == JSON_ABSENT)
        db_bind_null(statement, index);
    else
        db_bind_int(statement, index, value == JSON_YES);
}

static enum status version_check(struct db_session *session, const struct changing *changing)
{
    struct db_statement *select = db_prepare(session, "SELECT version FROM space WHERE id = $1");
    db_bind_text(select, 1, changing->who.space);
    enum status status = db_step(select);
    if (status == STATUS_OK && changing->version != 0 &&
        changing->version != db_column_int(select, 0))
        status = STATUS_OUT_OF_WINDOW;
    return status;
}

static enum status change_store(struct db_session *session, const struct changing *changing)
{
    const struct spaces_change *change = changing->change;
    const struct vault_place place = {.space = changing->who.space,
                                      .table = "space",
                                      .column = "name",
                                      .row = changing->who.space};
    struct db_statement *update =
        db_prepare(session, "UPDATE space SET name = coalesce($2, name),"
                            " links = coalesce($3, links), archived = coalesce($4, archived),"
                            " version = version + 1 WHERE id = $1");
    db_bind_text(update, 1, changing->who.space);
    enum status status = vault_bind(db_session_vault(session), &place, update, 2, change->name);
    db_bind_text(update, 3, change->links);
    bind_maybe(update, 4, change->archived);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status change_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    const struct spaces_change *change = changing->change;
    enum status status = spaces_seat(session, &changing->who, SPACES_READ, NULL);
    if (status == STATUS_OK && change->archived != JSON_ABSENT)
        status = spaces_seat(session, &changing->who, SPACES_ARCHIVE, NULL);
    if (status == STATUS_OK && (change->name != NULL || change->links != NULL))
        status = spaces_seat(session, &changing->who, SPACES_MANAGE, NULL);
    if (status == STATUS_OK)
        status = version_check(session, changing);
    if (status == STATUS_OK)
        status = change_store(session, changing);
    if (status == STATUS_OK)
        status = spaces_event(session, changing->who.space, "space.updated", changing->who.space,
                              changing->now_ms);
    return status == STATUS_OK
               ? spaces_load(session, &changing->who, changing->arena, &changing->space)
               : status;
}

enum status spaces_change(struct db *db, const struct spaces_who *who,
                          const struct spaces_change *change, int64_t now_ms, struct arena *arena,
                          struct spaces_space *ret_space)
{
    struct changing changing = {.who = *who,
                                .change = change,
                                .version = change->version,
                                .now_ms = now_ms,
                                .arena = arena};
    enum spaces_role most;
    if ((change->name != NULL && !name_valid(change->name)) ||
        (change->links != NULL && strcmp(change->links, "none") != 0 &&
         (!spaces_role_of(change->links, &most) || most == SPACES_OWNER)) ||
        (change->name == NULL && change->links == NULL && change->archived == JSON_ABSENT))
        return STATUS_INVALID;
    enum status status = db_write(db, change_run, &changing);
    if (status == STATUS_OK)
        *ret_space = changing.space;
    return status;
}

static enum status mine_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    const struct spaces_who *who = &changing->who;
    const struct spaces_mine *mine = changing->mine;
    char key[2 * SPACES_ID_MAX + 2];
    snprintf(key, sizeof key, "%s/%s", who->space, who->account);
    const struct vault_place place = {
        .space = who->space, .table = "space_member", .column = "folder", .row = key};
    enum status status = spaces_seat(session, who, SPACES_READ, NULL);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update = db_prepare(
        session, "UPDATE space_member SET folder = CASE WHEN $3 = 0 THEN folder ELSE $4 END,"
                 " favourite = coalesce($5, favourite), muted = coalesce($6, muted)"
                 " WHERE space = $1 AND account = $2");
    db_bind_text(update, 1, who->space);
    db_bind_text(update, 2, who->account);
    db_bind_int(update, 3, mine->folder != NULL);
    status = vault_bind(db_session_vault(session), &place, update, 4,
                        mine->folder != NULL && mine->folder[0] != '\0' ? mine->folder : NULL);
    bind_maybe(update, 5, mine->favourite);
    bind_maybe(update, 6, mine->muted);
    if (status == STATUS_OK)
        status = db_run(update);
    if (status == STATUS_OK)
        status = spaces_tell(session, who->account, "space.mine", who->space, changing->now_ms);
    return status == STATUS_OK ? spaces_load(session, who, changing->arena, &changing->space)
                               : status;
}

enum status spaces_set_mine(struct db *db, const struct spaces_who *who,
                            const struct spaces_mine *mine, int64_t now_ms, struct arena *arena,
                            struct spaces_space *ret_space)
{
    struct changing changing = {.who = *who, .mine = mine, .now_ms = now_ms, .arena = arena};
    if (mine->folder != NULL && !text_valid(mine->folder, 0, SPACES_FOLDER_MAX, TEXT_LINE))
        return STATUS_INVALID;
    enum status status = db_write(db, mine_run, &changing);
    if (status == STATUS_OK)
        *ret_space = changing.space;
    return status;
}

/* ---- deleting ---- */

static enum status members_tell(struct db_session *session, const struct changing *changing)
{
    struct db_statement *select =
        db_prepare(session, "SELECT account FROM space_member WHERE space = $1");
    db_bind_text(select, 1, changing->who.space);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        status = spaces_tell(session, db_column_text(select, 0), "space.deleted",
                             changing->who.space, changing->now_ms);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status rows_delete(struct db_session *session, const char *space)
{
    struct db_statement *deletes[] = {
        db_prepare(session, "DELETE FROM space_invite WHERE space = $1"),
        db_prepare(session, "DELETE FROM space_guest WHERE space = $1"),
        db_prepare(session, "DELETE FROM space_link WHERE space = $1"),
        db_prepare(session, "DELETE FROM space_draft WHERE space = $1"),
        db_prepare(session, "DELETE FROM space_scheduled WHERE space = $1"),
        db_prepare(session, "DELETE FROM space_member WHERE space = $1"),
        db_prepare(session, "DELETE FROM space WHERE id = $1"),
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof deletes / sizeof deletes[0]; i++) {
        db_bind_text(deletes[i], 1, space);
        status = db_run(deletes[i]);
    }
    return status;
}

static enum status delete_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    const char *space = changing->who.space;
    enum status status = spaces_seat(session, &changing->who, SPACES_DELETE, NULL);
    if (status == STATUS_OK)
        status = version_check(session, changing);
    if (status == STATUS_OK)
        status = members_tell(session, changing);
    if (status == STATUS_OK)
        status = rows_delete(session, space);
    if (status == STATUS_OK)
        status = spaces_event(session, space, "space.deleted", space, changing->now_ms);
    return status == STATUS_OK ? vault_space_doom(session, space) : status;
}

enum status spaces_delete(struct db *db, const struct spaces_who *who, int64_t version,
                          int64_t now_ms)
{
    struct changing changing = {.who = *who, .version = version, .now_ms = now_ms};
    enum status status = db_write(db, delete_run, &changing);
    if (status == STATUS_OK)
        status = vault_reap(db_vault(db), db);
    if (status == STATUS_OK)
        status = messages_purge(db, who->space);
    return status == STATUS_OK ? index_purge(db, who->space) : status;
}

/* ---- for operators ---- */

static enum status overview_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct spaces_overview *items = arena_alloc(reading->arena, SPACES_LIST_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, "SELECT id, kind, archived, members, created FROM space"
                            " WHERE id > $1 ORDER BY id LIMIT $2");
    db_bind_text(select, 1, reading->who.space);
    db_bind_int(select, 2, SPACES_LIST_MAX);
    reading->list = (struct json_list){.items = items};
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        struct spaces_overview *item = &items[reading->list.count++];
        *item = (struct spaces_overview){
            .id = arena_strdup(reading->arena, db_column_text(select, 0)),
            .kind = arena_strdup(reading->arena, db_column_text(select, 1)),
            .archived = db_column_int(select, 2) != 0,
            .members = db_column_int(select, 3),
            .created = db_column_int(select, 4)};
        if (item->id == NULL || item->kind == NULL)
            return STATUS_NO_MEMORY;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status spaces_overview(struct db *db, const char *after, struct arena *arena,
                            struct spaces_overviews *ret_list)
{
    struct reading reading = {.who = {.space = after != NULL ? after : ""}, .arena = arena};
    enum status status = db_read(db, overview_run, &reading);
    if (status == STATUS_OK)
        ret_list->items = reading.list;
    return status;
}
