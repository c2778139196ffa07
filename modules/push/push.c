#include "modules/push/push_state.h"

#include "core/fields.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct json_field push_wish_fields[] = {
    TEXT(push_wish, endpoint, 8, PUSH_ENDPOINT_MAX, true, "where the push service takes messages"),
    TEXT(push_wish, p256dh, PUSH_KEY_CHARS, PUSH_KEY_CHARS, true, "base64url"),
    TEXT(push_wish, auth, PUSH_AUTH_CHARS, PUSH_AUTH_CHARS, true, "base64url"),
    BOOL(push_wish, texts, "notices may show what was written"),
};
TABLE(push_wish, "A browser's push subscription.");

static const struct json_field push_state_fields[] = {
    TEXT(push_state, key, PUSH_KEY_CHARS, PUSH_KEY_CHARS, true,
         "the server's public key, base64url: applicationServerKey"),
    BOOL(push_state, on, "this device is told by push"),
    BOOL(push_state, texts, "and notices show what was written"),
};
TABLE(push_state, "Push to this device.");

/* ---- our key ---- */

static const struct vault_place key_place = {
    .table = "push_key", .column = "secret", .row = "vapid"};

/* "SECRET POINT" in hex. */
static enum status pair_parse(const char *text, struct push_pair *ret_pair)
{
    size_t secret = 2 * PUSH_PRIVATE_BYTES;
    return strlen(text) == secret + 1 + 2 * PUSH_PUBLIC_BYTES &&
                   crypto_unhex(text, PUSH_PRIVATE_BYTES, ret_pair->secret) &&
                   crypto_unhex(text + secret + 1, PUSH_PUBLIC_BYTES, ret_pair->point)
               ? STATUS_OK
               : STATUS_CORRUPT;
}

static enum status pair_store(struct db_session *session, const struct push_pair *pair)
{
    char text[2 * (PUSH_PRIVATE_BYTES + PUSH_PUBLIC_BYTES) + 2];
    crypto_hex(pair->secret, sizeof pair->secret, text);
    text[2 * PUSH_PRIVATE_BYTES] = ' ';
    crypto_hex(pair->point, sizeof pair->point, text + 2 * PUSH_PRIVATE_BYTES + 1);
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO push_key (id, secret) VALUES ($1, $2)");
    db_bind_text(insert, 1, key_place.row);
    enum status status = vault_bind(db_session_vault(session), &key_place, insert, 2, text);
    crypto_wipe(text, sizeof text);
    return status == STATUS_OK ? db_run(insert) : status;
}

struct keying {
    struct arena *arena;
    struct push_pair *pair;
};

static enum status key_run(struct db_session *session, void *arg)
{
    const struct keying *keying = arg;
    const char *text = NULL;
    struct db_statement *select = db_prepare(session, "SELECT secret FROM push_key WHERE id = $1");
    db_bind_text(select, 1, key_place.row);
    enum status status = db_step(select);
    if (status == STATUS_NOT_FOUND) {
        status = push_pair_new(keying->pair);
        return status == STATUS_OK ? pair_store(session, keying->pair) : status;
    }
    if (status == STATUS_OK)
        status =
            vault_column(db_session_vault(session), &key_place, select, 0, keying->arena, &text);
    return status == STATUS_OK ? pair_parse(text, keying->pair) : status;
}

enum status push_begin(struct push *push, struct jobs *jobs)
{
    struct keying keying = {.pair = &push->own};
    enum status status = arena_new(65536, &keying.arena);
    if (status == STATUS_OK)
        status = db_write(push->db, key_run, &keying);
    arena_free(keying.arena);
    return status == STATUS_OK ? push_jobs_add(push, jobs) : status;
}

/* ---- subscriptions ---- */

bool push_browser_parse(const char *p256dh, const char *auth, struct push_browser *ret_browser)
{
    return push_unbase64url(p256dh, ret_browser->point, sizeof ret_browser->point) &&
           push_unbase64url(auth, ret_browser->auth, sizeof ret_browser->auth) &&
           ret_browser->point[0] == 4;
}

bool push_unbase64url(const char *text, uint8_t *ret_bytes, size_t size)
{
    char padded[PUSH_KEY_CHARS + 4];
    size_t length = strlen(text), got = 0;
    if (length > PUSH_KEY_CHARS)
        return false;
    for (size_t i = 0; i < length; i++)
        padded[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    while (length % 4 != 0)
        padded[length++] = '=';
    return crypto_unbase64(padded, length, ret_bytes, size, &got) && got == size;
}

struct setting {
    const struct push_wish *wish;
    const char *account, *login;
    int64_t now_ms;
    struct push_state state;
};

static enum status drop_run(struct db_session *session, void *arg)
{
    const struct setting *setting = arg;
    struct db_statement *drop = db_prepare(session, "DELETE FROM push_device WHERE login = $1");
    db_bind_text(drop, 1, setting->login);
    return db_run(drop);
}

static enum status set_run(struct db_session *session, void *arg)
{
    const struct setting *setting = arg;
    char id[CRYPTO_ID_CHARS + 1], keys[PUSH_KEY_CHARS + PUSH_AUTH_CHARS + 2];
    enum status status = drop_run(session, arg);
    if (status != STATUS_OK)
        return status;
    crypto_id(id);
    snprintf(keys, sizeof keys, "%s %s", setting->wish->p256dh, setting->wish->auth);
    const struct vault_place place = push_place(id, "endpoint"),
                             keys_place = push_place(id, "keys");
    struct vault *vault = db_session_vault(session);
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO push_device (id, account, login, endpoint, keys, texts,"
                            " created) VALUES ($1, $2, $3, $4, $5, $6, $7)");
    db_bind_text(insert, 1, id);
    db_bind_text(insert, 2, setting->account);
    db_bind_text(insert, 3, setting->login);
    status = vault_bind(vault, &place, insert, 4, setting->wish->endpoint);
    if (status == STATUS_OK)
        status = vault_bind(vault, &keys_place, insert, 5, keys);
    db_bind_int(insert, 6, setting->wish->texts);
    db_bind_int(insert, 7, setting->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

static enum status get_run(struct db_session *session, void *arg)
{
    struct setting *setting = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT texts FROM push_device WHERE login = $1");
    db_bind_text(select, 1, setting->login);
    enum status status = db_step(select);
    setting->state.on = status == STATUS_OK;
    setting->state.texts = status == STATUS_OK && db_column_int(select, 0) != 0;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status push_get(const struct push *push, const char *login, struct arena *arena,
                     struct push_state *ret_state)
{
    char key[PUSH_KEY_CHARS + 1];
    struct setting setting = {.login = login};
    enum status status = db_read(push->db, get_run, &setting);
    if (status != STATUS_OK)
        return status;
    crypto_base64url(push->own.point, sizeof push->own.point, key);
    setting.state.key = arena_strdup(arena, key);
    *ret_state = setting.state;
    return setting.state.key != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status push_set(const struct push *push, const char *account, const char *login,
                     const struct push_wish *wish, int64_t now_ms)
{
    struct push_browser browser;
    struct setting setting = {.wish = wish, .account = account, .login = login, .now_ms = now_ms};
    bool reachable = strncmp(wish->endpoint, "https://", 8) == 0 ||
                     (push->plain && strncmp(wish->endpoint, "http://", 7) == 0);
    if (!reachable || strcspn(wish->endpoint, " \t\r\n\"\\@") != strlen(wish->endpoint) ||
        !push_browser_parse(wish->p256dh, wish->auth, &browser))
        return STATUS_INVALID;
    return db_write(push->db, set_run, &setting);
}

enum status push_drop(const struct push *push, const char *login)
{
    struct setting setting = {.login = login};
    return db_write(push->db, drop_run, &setting);
}

/* ---- what is over ---- */

enum { PRUNE_MAX = 500 /* looked at in one go, so that nobody waits for it */ };

struct pruning {
    int64_t now_ms;
    char after[CRYPTO_ID_CHARS + 1]; /* the last that was looked at */
    size_t looked, count;
    char ids[PRUNE_MAX][CRYPTO_ID_CHARS + 1]; /* of the dead among them */
};

/* The next of all. A sign-in that is over does not come back. */
static enum status dead_run(struct db_session *session, void *arg)
{
    struct pruning *pruning = arg;
    char after[sizeof pruning->after]; /* bound while rows come */
    memcpy(after, pruning->after, sizeof after);
    struct db_statement *select = db_prepare(
        session, "SELECT d.id, l.id IS NULL FROM push_device d JOIN account a ON a.id = d.account"
                 " LEFT JOIN login l ON l.id = d.login AND l.epoch = a.epoch AND l.expires > $1"
                 " WHERE d.id > $2 ORDER BY d.id LIMIT $3");
    db_bind_int(select, 1, pruning->now_ms);
    db_bind_text(select, 2, after);
    db_bind_int(select, 3, PRUNE_MAX);
    enum status status;
    pruning->looked = pruning->count = 0;
    while ((status = db_step(select)) == STATUS_OK) {
        snprintf(pruning->after, sizeof pruning->after, "%s", db_column_text(select, 0));
        pruning->looked++;
        if (db_column_int(select, 1) != 0)
            memcpy(pruning->ids[pruning->count++], pruning->after, sizeof pruning->after);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status prune_run(struct db_session *session, void *arg)
{
    const struct pruning *pruning = arg;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < pruning->count; i++) {
        struct db_statement *drop = db_prepare(session, "DELETE FROM push_device WHERE id = $1");
        db_bind_text(drop, 1, pruning->ids[i]);
        status = db_run(drop);
    }
    return status;
}

enum status push_prune(struct db *db, int64_t now_ms)
{
    struct pruning *pruning = malloc(sizeof *pruning);
    enum status status;
    if (pruning == NULL)
        return STATUS_NO_MEMORY;
    pruning->now_ms = now_ms;
    pruning->after[0] = '\0';
    do {
        status = db_read(db, dead_run, pruning);
        if (status == STATUS_OK && pruning->count > 0)
            status = db_write(db, prune_run, pruning);
    } while (status == STATUS_OK && pruning->looked == PRUNE_MAX);
    free(pruning);
    return status;
}
