#include "modules/spaces/links.h"

#include "modules/spaces/links_state.h"
#include "modules/spaces/spaces_state.h"

#include <stdio.h>
#include <string.h>

static const char token_prefix[] = "plk_";

/* One that is used up stays while somebody is there by it: removing it puts them out. */
#define LINK_HAS_GUESTS "EXISTS (SELECT 1 FROM space_guest g WHERE g.link = space_link.id)"

struct linking {
    struct spaces_who who;
    const struct spaces_link_new *wish;
    const char *id; /* which, to remove it */
    enum spaces_role role;
    char new_id[CRYPTO_ID_CHARS + 1], token[SPACES_TOKEN_CHARS + 1];
    uint8_t token_hash[CRYPTO_SHA256_BYTES];
    int64_t expires, now_ms;
    struct arena *arena;
    struct json_list list;
    struct spaces_space space;
};

/* Whether the space's policy lets links give this role. */
static enum status policy_check(struct db_session *session, const char *space,
                                enum spaces_role role)
{
    enum spaces_role most;
    struct db_statement *select = db_prepare(session, "SELECT links FROM space WHERE id = $1");
    db_bind_text(select, 1, space);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    return spaces_role_of(db_column_text(select, 0), &most) && role <= most ? STATUS_OK
                                                                            : STATUS_DENIED;
}

/* Whether somebody may make a link with this role. */
static enum status maker_check(struct db_session *session, const struct spaces_who *who,
                               enum spaces_role role)
{
    struct spaces_seat seat;
    enum status status = spaces_seat(session, who, SPACES_INVITE, &seat);
    if (status == STATUS_OK && role > seat.role)
        status = STATUS_DENIED;
    return status == STATUS_OK ? policy_check(session, who->space, role) : status;
}

/* ---- making ---- */

/* Those that are over make room. */
static enum status room_make(struct db_session *session, const struct linking *linking)
{
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM space_link WHERE space = $1 AND (expires <= $2"
                            " OR (uses = 0 AND NOT " LINK_HAS_GUESTS "))");
    db_bind_text(drop, 1, linking->who.space);
    db_bind_int(drop, 2, linking->now_ms);
    enum status status = db_run(drop);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select =
        db_prepare(session, "SELECT count(*) FROM space_link WHERE space = $1");
    db_bind_text(select, 1, linking->who.space);
    status = db_step(select);
    return status == STATUS_OK && db_column_int(select, 0) >= SPACES_LINKS_MAX ? STATUS_LIMIT
                                                                               : status;
}

static enum status add_run(struct db_session *session, void *arg)
{
    struct linking *linking = arg;
    enum status status = maker_check(session, &linking->who, linking->role);
    if (status == STATUS_OK)
        status = room_make(session, linking);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO space_link (id, space, token_hash, role, maker, uses, expires,"
                 " created, guests) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    db_bind_text(insert, 1, linking->new_id);
    db_bind_text(insert, 2, linking->who.space);
    db_bind_blob(insert, 3, linking->token_hash, sizeof linking->token_hash);
    db_bind_text(insert, 4, spaces_role_name(linking->role));
    db_bind_text(insert, 5, linking->who.account);
    if (linking->wish->uses > 0)
        db_bind_int(insert, 6, linking->wish->uses);
    db_bind_int(insert, 7, linking->expires);
    db_bind_int(insert, 8, linking->now_ms);
    db_bind_int(insert, 9, linking->wish->guests);
    status = db_run(insert);
    return status == STATUS_OK ? spaces_event(session, linking->who.space, "link.added",
                                              linking->new_id, linking->now_ms)
                               : status;
}

static void token_make(struct linking *linking)
{
    char secret[CRYPTO_TOKEN_CHARS + 1];
    crypto_token(secret);
    snprintf(linking->token, sizeof linking->token, "%s%s", token_prefix, secret);
    crypto_sha256(linking->token, strlen(linking->token), linking->token_hash);
    crypto_id(linking->new_id);
}

enum status spaces_link_add(struct db *db, const struct spaces_who *who,
                            const struct spaces_link_new *wish, int64_t now_ms, struct arena *arena,
                            struct spaces_link *ret_link)
{
    struct linking linking = {.who = *who, .wish = wish, .now_ms = now_ms};
    int64_t life = wish->life_ms != 0 ? wish->life_ms : SPACES_LINK_LIFE_MS;
    if ((wish->role != NULL && !spaces_role_of(wish->role, &linking.role)) || wish->uses < 0 ||
        wish->uses > SPACES_USES_MAX || life < 0 || life > SPACES_LINK_LIFE_MAX_MS ||
        (wish->guests && linking.role != SPACES_VIEWER))
        return STATUS_INVALID;
    linking.expires = now_ms + life;
    token_make(&linking);
    enum status status = db_write(db, add_run, &linking);
    if (status != STATUS_OK)
        return status;
    *ret_link = (struct spaces_link){.id = arena_strdup(arena, linking.new_id),
                                     .role = spaces_role_name(linking.role),
                                     .maker = who->account,
                                     .token = arena_strdup(arena, linking.token),
                                     .uses = wish->uses > 0 ? wish->uses : -1,
                                     .guests = wish->guests,
                                     .expires = linking.expires,
                                     .created = now_ms};
    return ret_link->id != NULL && ret_link->token != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- listing, removing ---- */

static enum status list_run(struct db_session *session, void *arg)
{
    struct linking *linking = arg;
    enum status status = spaces_seat(session, &linking->who, SPACES_INVITE, NULL);
    if (status != STATUS_OK)
        return status;
    struct spaces_link *items = arena_alloc(linking->arena, SPACES_LINKS_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select = db_prepare(
        session, "SELECT id, role, maker, coalesce(uses, -1), expires, created, guests"
                 " FROM space_link WHERE space = $1 AND expires > $2"
                 " AND (coalesce(uses, 1) > 0 OR " LINK_HAS_GUESTS ") ORDER BY id LIMIT $3");
    db_bind_text(select, 1, linking->who.space);
    db_bind_int(select, 2, linking->now_ms);
    db_bind_int(select, 3, SPACES_LINKS_MAX);
    linking->list = (struct json_list){.items = items};
    while ((status = db_step(select)) == STATUS_OK) {
        struct spaces_link *link = &items[linking->list.count++];
        *link =
            (struct spaces_link){.id = arena_strdup(linking->arena, db_column_text(select, 0)),
                                 .role = arena_strdup(linking->arena, db_column_text(select, 1)),
                                 .maker = arena_strdup(linking->arena, db_column_text(select, 2)),
                                 .uses = db_column_int(select, 3),
                                 .expires = db_column_int(select, 4),
                                 .created = db_column_int(select, 5),
                                 .guests = db_column_int(select, 6) != 0};
        if (link->id == NULL || link->role == NULL || link->maker == NULL)
            return STATUS_NO_MEMORY;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status spaces_link_list(struct db *db, const struct spaces_who *who, int64_t now_ms,
                             struct arena *arena, struct spaces_links *ret_links)
{
    struct linking linking = {.who = *who, .now_ms = now_ms, .arena = arena};
    enum status status = db_read(db, list_run, &linking);
    if (status == STATUS_OK)
        ret_links->items = linking.list;
    return status;
}

static enum status remove_run(struct db_session *session, void *arg)
{
    const struct linking *linking = arg;
    enum status status = spaces_seat(session, &linking->who, SPACES_INVITE, NULL);
    if (status != STATUS_OK)
        return status;
    struct db_statement *drop = db_prepare(
        session, "DELETE FROM space_link WHERE id = $1 AND space = $2 RETURNING maker = $3");
    db_bind_text(drop, 1, linking->id);
    db_bind_text(drop, 2, linking->who.space);
    db_bind_text(drop, 3, linking->who.account);
    status = db_step(drop);
    if (status == STATUS_OK && db_column_int(drop, 0) == 0)
        status = spaces_seat(session, &linking->who, SPACES_MANAGE, NULL);
    struct db_statement *guests = db_prepare(session, "DELETE FROM space_guest WHERE link = $1");
    db_bind_text(guests, 1, linking->id);
    if (status == STATUS_OK)
        status = db_run(guests);
    return status == STATUS_OK ? spaces_event(session, linking->who.space, "link.removed",
                                              linking->id, linking->now_ms)
                               : status;
}

enum status spaces_link_remove(struct db *db, const struct spaces_who *who, const char *id,
                               int64_t now_ms)
{
    struct linking linking = {.who = *who, .id = id, .now_ms = now_ms};
    return spaces_id_valid(id) ? db_write(db, remove_run, &linking) : STATUS_NOT_FOUND;
}

/* ---- taking ---- */

enum status link_find(struct db_session *session, const uint8_t token_hash[CRYPTO_SHA256_BYTES],
                      int64_t now_ms, struct arena *arena, struct link_found *ret_link)
{
    struct spaces_who maker;
    struct db_statement *select =
        db_prepare(session, "SELECT id, space, role, maker, guests, expires FROM space_link"
                            " WHERE token_hash = $1 AND expires > $2 AND coalesce(uses, 1) > 0");
    db_bind_blob(select, 1, token_hash, CRYPTO_SHA256_BYTES);
    db_bind_int(select, 2, now_ms);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    struct link_found link = {.id = arena_strdup(arena, db_column_text(select, 0)),
                              .space = arena_strdup(arena, db_column_text(select, 1)),
                              .guests = db_column_int(select, 4) != 0,
                              .expires = db_column_int(select, 5)};
    maker.space = link.space;
    maker.account = arena_strdup(arena, db_column_text(select, 3));
    if (link.id == NULL || maker.space == NULL || maker.account == NULL)
        return STATUS_NO_MEMORY;
    if (!spaces_role_of(db_column_text(select, 2), &link.role))
        return STATUS_CORRUPT;
    status = maker_check(session, &maker, link.role);
    if (status == STATUS_OK)
        *ret_link = link;
    return status == STATUS_DENIED ? STATUS_NOT_FOUND : status;
}

enum status link_use(struct db_session *session, const char *id)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space_link SET uses = uses - 1 WHERE id = $1");
    db_bind_text(update, 1, id);
    return db_run(update);
}

static enum status take_run(struct db_session *session, void *arg)
{
    struct linking *linking = arg;
    struct link_found link;
    enum status status =
        link_find(session, linking->token_hash, linking->now_ms, linking->arena, &link);
    if (status != STATUS_OK)
        return status;
    linking->who.space = link.space;
    status = spaces_seat(session, &linking->who, SPACES_READ, NULL);
    if (status == STATUS_NOT_FOUND) {
        status = spaces_enter(session, &linking->who, link.role, linking->now_ms);
        if (status == STATUS_OK)
            status = link_use(session, link.id);
    }
    return status == STATUS_OK
               ? spaces_load(session, &linking->who, linking->arena, &linking->space)
               : status;
}

enum status spaces_link_take(struct db *db, const char *account, const char *token, int64_t now_ms,
                             struct arena *arena, struct spaces_space *ret_space)
{
    struct linking linking = {.who = {.account = account}, .now_ms = now_ms, .arena = arena};
    crypto_sha256(token, strlen(token), linking.token_hash);
    enum status status = db_write(db, take_run, &linking);
    if (status == STATUS_OK)
        *ret_space = linking.space;
    return status;
}

/* ---- what is over ---- */

static enum status prune_run(struct db_session *session, void *arg)
{
    const int64_t *before_ms = arg;
    struct db_statement *drops[] = {
        db_prepare(session, "DELETE FROM space_guest WHERE expires < $1"),
        db_prepare(session, "DELETE FROM space_link WHERE expires < $1"),
        db_prepare(session, "DELETE FROM space_share_file WHERE share IN"
                            " (SELECT id FROM space_share WHERE expires < $1)"),
        db_prepare(session, "DELETE FROM space_share WHERE expires < $1"),
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof drops / sizeof drops[0]; i++) {
        db_bind_int(drops[i], 1, *before_ms);
        status = db_run(drops[i]);
    }
    return status;
}

enum status links_prune(struct db *db, int64_t before_ms)
{
    return db_write(db, prune_run, &before_ms);
}
