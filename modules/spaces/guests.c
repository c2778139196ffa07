#include "modules/spaces/guests.h"

#include "core/text.h"
#include "modules/auth/auth.h"
#include "modules/spaces/guest_rows.h"
#include "modules/spaces/links_state.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

static const char token_prefix[] = "plg_";

struct visiting {
    struct spaces_who who;
    const char *name, *id;
    struct link_found link;
    uint8_t link_hash[CRYPTO_SHA256_BYTES], token_hash[CRYPTO_SHA256_BYTES];
    char new_id[CRYPTO_ID_CHARS + 1];
    int64_t now_ms;
    struct arena *arena;
    struct spaces_guest guest;
    struct json_list list;
};

/* ---- coming ---- */

/* Those whose time is up, or whose link is gone, make room. */
static enum status room_make(struct db_session *session, const struct visiting *visiting)
{
    struct db_statement *drop = db_prepare(
        session, "DELETE FROM space_guest WHERE space = $1 AND (expires <= $2"
                 " OR NOT EXISTS (SELECT 1 FROM space_link l WHERE l.id = space_guest.link))");
    db_bind_text(drop, 1, visiting->link.space);
    db_bind_int(drop, 2, visiting->now_ms);
    enum status status = db_run(drop);
    if (status != STATUS_OK)
        return status;
    struct db_statement *count =
        db_prepare(session, "SELECT count(*) FROM space_guest WHERE space = $1");
    db_bind_text(count, 1, visiting->link.space);
    status = db_step(count);
    return status == STATUS_OK && db_column_int(count, 0) >= SPACES_GUESTS_MAX ? STATUS_LIMIT
                                                                               : status;
}

static enum status guest_insert(struct db_session *session, const struct visiting *visiting)
{
    const struct vault_place place = {.space = visiting->link.space,
                                      .table = "space_guest",
                                      .column = "name",
                                      .row = visiting->new_id};
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_guest (id, space, link, token_hash, name, expires,"
                            " created, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)");
    db_bind_text(insert, 1, visiting->new_id);
    db_bind_text(insert, 2, visiting->link.space);
    db_bind_text(insert, 3, visiting->link.id);
    db_bind_blob(insert, 4, visiting->token_hash, sizeof visiting->token_hash);
    enum status status = vault_bind(db_session_vault(session), &place, insert, 5, visiting->name);
    db_bind_int(insert, 6, visiting->link.expires);
    db_bind_int(insert, 7, visiting->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

static enum status enter_run(struct db_session *session, void *arg)
{
    struct visiting *visiting = arg;
    enum status status =
        link_find(session, visiting->link_hash, visiting->now_ms, visiting->arena, &visiting->link);
    if (status == STATUS_OK && !visiting->link.guests)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = room_make(session, visiting);
    if (status == STATUS_OK)
        status = guest_insert(session, visiting);
    if (status == STATUS_OK)
        status = link_use(session, visiting->link.id);
    return status == STATUS_OK ? spaces_event(session, visiting->link.space, "guest.added",
                                              visiting->new_id, visiting->now_ms)
                               : status;
}

enum status guests_enter(struct db *db, const char *link_token, const char *name, int64_t now_ms,
                         struct arena *arena, struct spaces_guest *ret_guest)
{
    struct visiting visiting = {.name = name, .now_ms = now_ms, .arena = arena};
    char secret[CRYPTO_TOKEN_CHARS + 1];
    if (!text_valid(name, 1, AUTH_NAME_MAX, TEXT_LINE) || text_blank(name))
        return STATUS_INVALID;
    crypto_sha256(link_token, strlen(link_token), visiting.link_hash);
    crypto_token(secret);
    crypto_id(visiting.new_id);
    const char *token = arena_printf(arena, "%s%s", token_prefix, secret);
    if (token == NULL)
        return STATUS_NO_MEMORY;
    crypto_sha256(token, strlen(token), visiting.token_hash);
    enum status status = db_write(db, enter_run, &visiting);
    if (status != STATUS_OK)
        return status;
    *ret_guest = (struct spaces_guest){.id = arena_strdup(arena, visiting.new_id),
                                       .space = visiting.link.space,
                                       .name = name,
                                       .token = token,
                                       .expires = visiting.link.expires,
                                       .created = now_ms};
    return ret_guest->id != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- being there ---- */

/* Those who are in, of the space or by what they show. */
#define GUEST_SELECT                                                                               \
    "SELECT g.id, g.space, g.name, g.expires, g.created, g.seen, g.link, l.maker, l.created"       \
    " FROM space_guest g JOIN space_link l ON l.id = g.link"                                       \
    " JOIN space s ON s.id = g.space AND s.links <> 'none' WHERE g.expires > $2 AND "

static enum status row_read(struct db_session *session, struct db_statement *row,
                            struct arena *arena, struct spaces_guest *ret_guest)
{
    struct spaces_guest guest = {.id = arena_strdup(arena, db_column_text(row, 0)),
                                 .space = arena_strdup(arena, db_column_text(row, 1)),
                                 .expires = db_column_int(row, 3),
                                 .created = db_column_int(row, 4),
                                 .seen = db_column_int(row, 5),
                                 .link = arena_strdup(arena, db_column_text(row, 6)),
                                 .link_maker = arena_strdup(arena, db_column_text(row, 7)),
                                 .link_created = db_column_int(row, 8)};
    if (guest.id == NULL || guest.space == NULL || guest.link == NULL || guest.link_maker == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place place = {
        .space = guest.space, .table = "space_guest", .column = "name", .row = guest.id};
    enum status status =
        vault_column(db_session_vault(session), &place, row, 2, arena, &guest.name);
    if (status == STATUS_OK)
        *ret_guest = guest;
    return status;
}

static enum status check_run(struct db_session *session, void *arg)
{
    struct visiting *visiting = arg;
    struct db_statement *select = visiting->id != NULL
                                      ? db_prepare(session, GUEST_SELECT "g.id = $1")
                                      : db_prepare(session, GUEST_SELECT "g.token_hash = $1");
    if (visiting->id != NULL)
        db_bind_text(select, 1, visiting->id);
    else
        db_bind_blob(select, 1, visiting->token_hash, sizeof visiting->token_hash);
    db_bind_int(select, 2, visiting->now_ms);
    enum status status = db_step(select);
    return status == STATUS_OK ? row_read(session, select, visiting->arena, &visiting->guest)
                               : status;
}

static enum status seen_run(struct db_session *session, void *arg)
{
    const struct visiting *visiting = arg;
    struct db_statement *update =
        db_prepare(session, "UPDATE space_guest SET seen = $2 WHERE id = $1 AND seen < $2");
    db_bind_text(update, 1, visiting->guest.id);
    db_bind_int(update, 2, visiting->now_ms);
    return db_run(update);
}

static enum status check(struct db *db, struct visiting *visiting, struct spaces_guest *ret_guest)
{
    enum status status = db_read(db, check_run, visiting);
    if (status == STATUS_OK && visiting->now_ms - visiting->guest.seen >= SPACES_GUEST_SEEN_MS)
        status = db_write(db, seen_run, visiting);
    if (status == STATUS_OK)
        *ret_guest = visiting->guest;
    return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
}

enum status guests_check(struct db *db, const char *token, int64_t now_ms, struct arena *arena,
                         struct spaces_guest *ret_guest)
{
    struct visiting visiting = {.now_ms = now_ms, .arena = arena};
    if (strlen(token) != SPACES_TOKEN_CHARS ||
        strncmp(token, token_prefix, sizeof token_prefix - 1) != 0)
        return STATUS_DENIED;
    crypto_sha256(token, strlen(token), visiting.token_hash);
    return check(db, &visiting, ret_guest);
}

enum status guests_check_id(struct db *db, const char *id, int64_t now_ms, struct arena *arena,
                            struct spaces_guest *ret_guest)
{
    struct visiting visiting = {.id = id, .now_ms = now_ms, .arena = arena};
    return check(db, &visiting, ret_guest);
}

static enum status list_run(struct db_session *session, void *arg)
{
    struct visiting *visiting = arg;
    enum status status = spaces_seat(session, &visiting->who, SPACES_READ, NULL);
    if (status != STATUS_OK)
        return status;
    status = spaces_seat(session, &visiting->who, SPACES_MANAGE, NULL);
    bool manages = status == STATUS_OK;
    struct spaces_guest *items = arena_alloc(visiting->arena, SPACES_GUESTS_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, GUEST_SELECT "g.space = $1 ORDER BY g.id LIMIT $3");
    db_bind_text(select, 1, visiting->who.space);
    db_bind_int(select, 2, visiting->now_ms);
    db_bind_int(select, 3, SPACES_GUESTS_MAX);
    visiting->list = (struct json_list){.items = items};
    while ((status = db_step(select)) == STATUS_OK) {
        struct spaces_guest *guest = &items[visiting->list.count++];
        status = row_read(session, select, visiting->arena, guest);
        if (status != STATUS_OK)
            return status;
        if (!manages)
            *guest = (struct spaces_guest){.id = guest->id,
                                           .space = guest->space,
                                           .name = guest->name,
                                           .expires = guest->expires,
                                           .created = guest->created};
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status guests_list(struct db *db, const struct spaces_who *who, int64_t now_ms,
                        struct arena *arena, struct spaces_guests *ret_guests)
{
    struct visiting visiting = {.who = *who, .now_ms = now_ms, .arena = arena};
    enum status status = db_read(db, list_run, &visiting);
    if (status == STATUS_OK)
        ret_guests->items = visiting.list;
    return status;
}

/* ---- going ---- */

static enum status remove_run(struct db_session *session, void *arg)
{
    const struct visiting *visiting = arg;
    bool leaves = strcmp(visiting->id, visiting->who.account) == 0;
    enum status status =
        spaces_seat(session, &visiting->who, leaves ? SPACES_READ : SPACES_MANAGE, NULL);
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM space_guest WHERE id = $1 AND space = $2 RETURNING id");
    db_bind_text(drop, 1, visiting->id);
    db_bind_text(drop, 2, visiting->who.space);
    if (status == STATUS_OK)
        status = db_step(drop);
    return status == STATUS_OK ? spaces_event(session, visiting->who.space, "guest.removed",
                                              visiting->id, visiting->now_ms)
                               : status;
}

enum status guests_remove(struct db *db, const struct spaces_who *who, const char *id,
                          int64_t now_ms)
{
    struct visiting visiting = {.who = *who, .id = id, .now_ms = now_ms};
    return spaces_id_valid(id) ? db_write(db, remove_run, &visiting) : STATUS_NOT_FOUND;
}
