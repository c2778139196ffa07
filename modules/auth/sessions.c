/*
 * modules/auth/sessions.c - signing in and what comes of it: sessions, on devices, until they end.
 */
#include "core/text.h"
#include "modules/auth/auth_state.h"
#include "modules/auth/caller_cache.h"
#include "modules/auth/confirmation_rows.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    FREE_ACCOUNT = 5,  /* failures before somebody waits: of an account, */
    FREE_ADDRESS = 20, /* an address, behind which a company may sit, */
    FREE_BLOCK = 50,   /* and the /64 it is in */
};

static const char token_prefix[] = "pls_";

/* ---- who must wait ---- */

/* "2001:db8::/64" of an IPv6 address; false for others. */
static bool block_of(const char *peer, char ret_block[INET6_ADDRSTRLEN + 4])
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, peer, &address) != 1)
        return false;
    memset(address.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &address, text, sizeof text);
    snprintf(ret_block, INET6_ADDRSTRLEN + 4, "%s/64", text);
    return true;
}

uint32_t auth_wait_s(struct auth *auth, const char *email, const char *peer, int64_t now_ms)
{
    char block[INET6_ADDRSTRLEN + 4];
    int64_t longest = email != NULL ? throttle_wait(auth->throttle, email, now_ms) : 0;
    int64_t wait = peer != NULL ? throttle_wait(auth->throttle, peer, now_ms) : 0;
    longest = wait > longest ? wait : longest;
    wait = peer != NULL && block_of(peer, block) ? throttle_wait(auth->throttle, block, now_ms) : 0;
    longest = wait > longest ? wait : longest;
    return (uint32_t)((longest + 999) / 1000);
}

void auth_failed(struct auth *auth, const char *email, const char *peer, int64_t now_ms)
{
    char block[INET6_ADDRSTRLEN + 4];
    if (email != NULL)
        throttle_count(auth->throttle, email, FREE_ACCOUNT, now_ms);
    if (peer != NULL)
        throttle_count(auth->throttle, peer, FREE_ADDRESS, now_ms);
    if (peer != NULL && block_of(peer, block))
        throttle_count(auth->throttle, block, FREE_BLOCK, now_ms);
}

/* ---- signing in ---- */

struct signing {
    const struct auth_login *login;
    uint8_t email_hash[CRYPTO_SHA256_BYTES];
    char kept[PASSWORD_KEPT_MAX], renewed[PASSWORD_KEPT_MAX];
    char id[CRYPTO_ID_CHARS + 1], device[AUTH_DEVICE_MAX + 1];
    uint8_t token_hash[CRYPTO_SHA256_BYTES];
    int64_t epoch, now_ms;
    bool second;    /* factor is wanted */
    db_body *prove; /* NULL: all is proven */
    void *proof;
    struct arena *arena;
    struct auth_user user;
};

static enum status account_find(struct db_session *session, void *arg)
{
    struct signing *signing = arg;
    struct db_statement *select = db_prepare(
        session, "SELECT " AUTH_USER_COLUMNS ", a.password, a.epoch, a.totp_on > 0 OR EXISTS"
                 " (SELECT 1 FROM passkey p WHERE p.account = a.id) FROM account a"
                 " WHERE a.email_hash = $1");
    db_bind_blob(select, 1, signing->email_hash, sizeof signing->email_hash);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status = auth_user_read(session, select, signing->arena, &signing->user);
    if (status != STATUS_OK)
        return status;
    snprintf(signing->kept, sizeof signing->kept, "%s",
             db_column_text(select, AUTH_USER_COLUMN_COUNT));
    signing->epoch = db_column_int(select, AUTH_USER_COLUMN_COUNT + 1);
    signing->second = db_column_int(select, AUTH_USER_COLUMN_COUNT + 2) != 0;
    return STATUS_OK;
}

/* The oldest goes when an account has too many. */
static enum status room_make(struct db_session *session, const char *user, int64_t now_ms)
{
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM login WHERE account = $1 AND (expires <= $2 OR id IN"
                            " (SELECT id FROM login WHERE account = $1"
                            " ORDER BY seen DESC LIMIT 1000 OFFSET $3))");
    db_bind_text(drop, 1, user);
    db_bind_int(drop, 2, now_ms);
    db_bind_int(drop, 3, AUTH_SESSIONS_MAX - 1);
    return db_run(drop);
}

static enum status session_insert(struct db_session *session, const struct signing *signing)
{
    struct vault *vault = db_session_vault(session);
    const struct vault_place device = {.table = "login", .column = "device", .row = signing->id};
    const struct vault_place address = {.table = "login", .column = "address", .row = signing->id};
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO login (id, token_hash, account, epoch, cookie, device, address,"
                 " created, seen, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)");
    db_bind_text(insert, 1, signing->id);
    db_bind_blob(insert, 2, signing->token_hash, sizeof signing->token_hash);
    db_bind_text(insert, 3, signing->user.id);
    db_bind_int(insert, 4, signing->epoch);
    db_bind_int(insert, 5, signing->login->cookie);
    enum status status = vault_bind(vault, &device, insert, 6, signing->device);
    if (status == STATUS_OK)
        status = vault_bind(vault, &address, insert, 7, signing->login->address);
    db_bind_int(insert, 8, signing->now_ms);
    db_bind_int(insert, 9, signing->now_ms + AUTH_IDLE_MS);
    return status == STATUS_OK ? db_run(insert) : status;
}

/* The hash in today's way, unless the password was changed meanwhile. */
static enum status kept_replace(struct db_session *session, const struct signing *signing)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET password = $2 WHERE id = $1 AND password = $3");
    db_bind_text(update, 1, signing->user.id);
    db_bind_text(update, 2, signing->renewed);
    db_bind_text(update, 3, signing->kept);
    return db_run(update);
}

/* What was checked must still be so. */
static enum status sign_run(struct db_session *session, void *arg)
{
    struct signing *signing = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM account WHERE id = $1 AND epoch = $2 AND disabled = 0");
    db_bind_text(select, 1, signing->user.id);
    db_bind_int(select, 2, signing->epoch);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
    if (signing->renewed[0] != '\0')
        status = kept_replace(session, signing);
    if (status == STATUS_OK && signing->prove != NULL)
        status = signing->prove(session, signing->proof);
    if (status == STATUS_OK)
        status = room_make(session, signing->user.id, signing->now_ms);
    if (status == STATUS_OK)
        status = session_insert(session, signing);
    return status == STATUS_OK ? auth_event(session, signing->user.id, "session.begun", signing->id,
                                            signing->now_ms)
                               : status;
}

/* Whoever it is, one hash is computed. */
static enum status identity_check(struct auth *auth, struct signing *signing)
{
    enum status status = db_read(auth->config.db, account_find, signing);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    bool known = status == STATUS_OK;
    status = auth_hash_check(auth, signing->login->password, known ? signing->kept : NULL);
    if (status == STATUS_OK && signing->user.disabled)
        status = STATUS_DENIED;
    /* Without room now, it is done at a later login. */
    if (status == STATUS_OK && password_outdated(auth->config.fips, signing->kept) &&
        auth_hash(auth, signing->login->password, signing->renewed) != STATUS_OK)
        signing->renewed[0] = '\0';
    return status;
}

static void device_take(struct signing *signing)
{
    snprintf(signing->device, sizeof signing->device, "%s",
             signing->login->device != NULL ? signing->login->device : "");
    text_mend(signing->device);
}

static void token_make(char ret_token[AUTH_TOKEN_CHARS + 1])
{
    char secret[CRYPTO_TOKEN_CHARS + 1];
    crypto_token(secret);
    snprintf(ret_token, AUTH_TOKEN_CHARS + 1, "%s%s", token_prefix, secret);
}

static enum status session_begin(struct auth *auth, struct signing *signing,
                                 struct auth_signed_in *ret_signed_in)
{
    struct auth_signed_in signed_in = {.challenge = NULL};
    device_take(signing);
    crypto_id(signing->id);
    token_make(signed_in.token);
    crypto_sha256(signed_in.token, strlen(signed_in.token), signing->token_hash);
    enum status status = db_write(auth->config.db, sign_run, signing);
    if (status != STATUS_OK)
        return status;
    signed_in.caller = (struct auth_caller){.user = signing->user,
                                            .session = arena_strdup(signing->arena, signing->id),
                                            .cookie = signing->login->cookie};
    if (signed_in.caller.session == NULL)
        return STATUS_NO_MEMORY;
    *ret_signed_in = signed_in;
    return STATUS_OK;
}

static enum status renew_run(struct db_session *session, void *arg)
{
    return kept_replace(session, arg);
}

/* The password was right, which is not enough. */
static enum status second_ask(struct auth *auth, struct signing *signing,
                              struct auth_signed_in *ret_signed_in)
{
    char text[CHALLENGE_MAX + 1];
    if (signing->renewed[0] != '\0')
        (void)!db_write(auth->config.db, renew_run, signing); /* or at a later login */
    challenge_make(auth->challenges, CHALLENGE_SECOND, signing->user.id, signing->epoch,
                   signing->now_ms, text);
    const char *challenge = arena_strdup(signing->arena, text);
    if (challenge == NULL)
        return STATUS_NO_MEMORY;
    *ret_signed_in = (struct auth_signed_in){.caller.user = signing->user, .challenge = challenge};
    return STATUS_AGAIN;
}

enum status auth_sign_in(struct auth *auth, const struct auth_login *login, int64_t now_ms,
                         struct arena *arena, struct auth_signed_in *ret_signed_in,
                         uint32_t *ret_wait_s)
{
    struct signing signing = {.login = login, .now_ms = now_ms, .arena = arena};
    const char *email = auth_email_normal(login->email, arena);
    const char *who = email != NULL ? email : login->email,
               *peer = login->local ? NULL : login->address;
    *ret_wait_s = auth_wait_s(auth, who, peer, now_ms);
    if (*ret_wait_s > 0)
        return STATUS_LIMIT;
    enum status status = auth_email_hash(auth->vault, who, signing.email_hash);
    if (status == STATUS_OK)
        status = identity_check(auth, &signing);
    if (status == STATUS_DENIED)
        auth_failed(auth, who, peer, now_ms);
    if (status != STATUS_OK)
        return status;
    if (signing.second)
        return second_ask(auth, &signing, ret_signed_in);
    status = session_begin(auth, &signing, ret_signed_in);
    if (status == STATUS_OK)
        throttle_forget(auth->throttle, who);
    return status;
}

static enum status opening_find(struct db_session *session, void *arg)
{
    struct signing *signing = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT " AUTH_USER_COLUMNS ", a.epoch FROM account a WHERE a.id = $1");
    db_bind_text(select, 1, signing->user.id);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status = auth_user_read(session, select, signing->arena, &signing->user);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
    if (signing->epoch < 0)
        signing->epoch = db_column_int(select, AUTH_USER_COLUMN_COUNT);
    return STATUS_OK;
}

enum status auth_open(struct auth *auth, const struct auth_opening *opening, int64_t now_ms,
                      struct arena *arena, struct auth_signed_in *ret_signed_in)
{
    struct signing signing = {.login = opening->login,
                              .user.id = opening->account,
                              .epoch = opening->epoch,
                              .prove = opening->prove,
                              .proof = opening->proof,
                              .now_ms = now_ms,
                              .arena = arena};
    enum status status = db_read(auth->config.db, opening_find, &signing);
    if (status == STATUS_OK)
        status = session_begin(auth, &signing, ret_signed_in);
    if (status == STATUS_OK)
        throttle_forget(auth->throttle, signing.user.email);
    return status;
}

void auth_csrf(const char *token, char ret_csrf[CRYPTO_TOKEN_CHARS + 1])
{
    static const char label[] = "csrf";
    uint8_t mac[CRYPTO_SHA256_BYTES];
    crypto_hmac_sha256(token, strlen(token), label, sizeof label - 1, mac);
    crypto_base64url(mac, sizeof mac, ret_csrf);
}

/* ---- checking ---- */

struct checking {
    uint8_t token_hash[CRYPTO_SHA256_BYTES];
    const char *session; /* or by its id */
    int64_t now_ms, seen, created, expires;
    struct arena *arena;
    struct auth_caller caller;
    char account[CRYPTO_ID_CHARS + 1]; /* session_run's */
};

static enum status caller_read(struct db_session *session, struct db_statement *select,
                               struct checking *checking)
{
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status = auth_user_read(session, select, checking->arena, &checking->caller.user);
    if (status != STATUS_OK)
        return status;
    int column = AUTH_USER_COLUMN_COUNT;
    checking->caller.session = arena_strdup(checking->arena, db_column_text(select, column));
    checking->caller.cookie = db_column_int(select, column + 1) != 0;
    checking->seen = db_column_int(select, column + 2);
    checking->created = db_column_int(select, column + 3);
    checking->expires = db_column_int(select, column + 4);
    return checking->caller.session != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status check_run(struct db_session *session, void *arg)
{
    struct checking *checking = arg;
    struct db_statement *select = db_prepare(
        session, "SELECT " AUTH_USER_COLUMNS ", l.id, l.cookie, l.seen, l.created,"
                 " l.expires FROM login l JOIN account a ON a.id = l.account AND a.epoch = l.epoch"
                 " WHERE l.token_hash = $1 AND l.expires > $2 AND a.disabled = 0");
    db_bind_blob(select, 1, checking->token_hash, sizeof checking->token_hash);
    db_bind_int(select, 2, checking->now_ms);
    return caller_read(session, select, checking);
}

static enum status caller_run(struct db_session *session, void *arg)
{
    struct checking *checking = arg;
    struct db_statement *select = db_prepare(
        session, "SELECT " AUTH_USER_COLUMNS ", l.id, l.cookie, l.seen, l.created,"
                 " l.expires FROM login l JOIN account a ON a.id = l.account AND a.epoch = l.epoch"
                 " WHERE l.id = $1 AND l.expires > $2 AND a.disabled = 0");
    db_bind_text(select, 1, checking->session);
    db_bind_int(select, 2, checking->now_ms);
    return caller_read(session, select, checking);
}

static enum status touch_run(struct db_session *session, void *arg)
{
    const struct checking *checking = arg;
    int64_t idle = checking->now_ms + AUTH_IDLE_MS, life = checking->created + AUTH_LIFE_MS;
    struct db_statement *update =
        db_prepare(session, "UPDATE login SET seen = $2, expires = $3 WHERE id = $1");
    db_bind_text(update, 1, checking->caller.session);
    db_bind_int(update, 2, checking->now_ms);
    db_bind_int(update, 3, idle < life ? idle : life);
    return db_run(update);
}

enum status auth_check(struct auth *auth, const char *token, int64_t now_ms, struct arena *arena,
                       struct auth_caller *ret_caller)
{
    struct checking checking = {.now_ms = now_ms, .arena = arena};
    struct cache *cache = db_cache(auth->config.db);
    struct caller_cached cached;
    char key[sizeof "token:" + 2 * CRYPTO_SHA256_BYTES] = "token:";
    if (strlen(token) != AUTH_TOKEN_CHARS ||
        strncmp(token, token_prefix, sizeof token_prefix - 1) != 0)
        return STATUS_DENIED;
    crypto_sha256(token, strlen(token), checking.token_hash);
    crypto_hex(checking.token_hash, sizeof checking.token_hash, key + strlen(key));
    if (caller_cache_get(cache, key, now_ms, arena, &cached)) {
        *ret_caller = cached.caller;
        return STATUS_OK;
    }
    uint64_t mark = cache_mark(cache);
    enum status status = db_read(auth->config.db, check_run, &checking);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
    /* That it was used is worth a write now and then, and never a failure. */
    if (now_ms - checking.seen >= AUTH_TOUCH_MS &&
        db_write(auth->config.db, touch_run, &checking) == STATUS_OK)
        checking.seen = now_ms;
    cached = (struct caller_cached){
        .caller = checking.caller, .seen = checking.seen, .expires = checking.expires};
    caller_cache_put(cache, mark, key, &cached);
    *ret_caller = checking.caller;
    return STATUS_OK;
}

static enum status session_run(struct db_session *session, void *arg)
{
    struct checking *checking = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT l.account, l.expires FROM login l"
                            " JOIN account a ON a.id = l.account AND a.epoch = l.epoch"
                            " WHERE l.id = $1 AND l.expires > $2 AND a.disabled = 0");
    db_bind_text(select, 1, checking->session);
    db_bind_int(select, 2, checking->now_ms);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    snprintf(checking->account, sizeof checking->account, "%s", db_column_text(select, 0));
    checking->expires = db_column_int(select, 1);
    return STATUS_OK;
}

enum status auth_session_check(struct auth *auth, const char *session, int64_t now_ms)
{
    struct checking checking = {.session = session, .now_ms = now_ms};
    struct cache *cache = db_cache(auth->config.db);
    char key[CACHE_KEY_MAX + 1], scope[AUTH_SCOPE_SIZE];
    size_t length = 0;
    snprintf(key, sizeof key, "login:%s", session);
    if (cache_get(cache, key, &checking.expires, sizeof checking.expires, &length) &&
        checking.expires > now_ms)
        return STATUS_OK;
    uint64_t mark = cache_mark(cache);
    enum status status = db_read(auth->config.db, session_run, &checking);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
    snprintf(scope, sizeof scope, "account:%s", checking.account);
    cache_put(cache, mark, scope, key, &checking.expires, sizeof checking.expires);
    return STATUS_OK;
}

/* ---- tickets: "SESSION.EXPIRES.MAC" ---- */

static void ticket_make(const struct auth *auth, const char *session, int64_t expires,
                        char ret_ticket[AUTH_TICKET_MAX + 1])
{
    char text[AUTH_TICKET_MAX + 1], proof[CRYPTO_BASE64URL_SIZE(CRYPTO_SHA256_BYTES)];
    uint8_t mac[CRYPTO_SHA256_BYTES];
    snprintf(text, sizeof text, "%.*s.%" PRId64, CRYPTO_ID_CHARS, session, expires);
    crypto_hmac_sha256(auth->ticket_key, sizeof auth->ticket_key, text, strlen(text), mac);
    crypto_base64url(mac, sizeof mac, proof);
    snprintf(ret_ticket, AUTH_TICKET_MAX + 1, "%.64s.%s", text, proof);
}

void auth_ticket(const struct auth *auth, const char *session, int64_t now_ms,
                 char ret_ticket[AUTH_TICKET_MAX + 1])
{
    ticket_make(auth, session, now_ms + AUTH_TICKET_MS, ret_ticket);
}

enum status auth_ticket_session(const struct auth *auth, const char *ticket, int64_t now_ms,
                                char ret_session[CRYPTO_ID_CHARS + 1])
{
    char session[CRYPTO_ID_CHARS + 1], again[AUTH_TICKET_MAX + 1];
    long long expires = 0;
    if (sscanf(ticket, "%16[A-Za-z0-9_-].%18lld.", session, &expires) != 2)
        return STATUS_DENIED;
    ticket_make(auth, session, expires, again);
    if (strlen(again) != strlen(ticket) || !crypto_equal(again, ticket, strlen(again)) ||
        expires <= now_ms)
        return STATUS_DENIED;
    memcpy(ret_session, session, sizeof session);
    return STATUS_OK;
}

enum status auth_ticket_check(struct auth *auth, const char *ticket, int64_t now_ms,
                              struct arena *arena, struct auth_caller *ret_caller)
{
    char session[CRYPTO_ID_CHARS + 1];
    if (strncmp(ticket, token_prefix, sizeof token_prefix - 1) == 0)
        return auth_check(auth, ticket, now_ms, arena, ret_caller);
    enum status status = auth_ticket_session(auth, ticket, now_ms, session);
    if (status != STATUS_OK)
        return status;
    struct checking checking = {.session = session, .now_ms = now_ms, .arena = arena};
    status = db_read(auth->config.db, caller_run, &checking);
    if (status == STATUS_OK)
        *ret_caller = checking.caller;
    return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
}

/* ---- devices ---- */

struct listing {
    const char *user, *session;
    int64_t now_ms;
    struct arena *arena;
    struct json_list list;
};

static enum status device_read(struct db_session *session, struct db_statement *row,
                               struct arena *arena, struct auth_device *ret_device)
{
    struct vault *vault = db_session_vault(session);
    struct auth_device device = {.id = arena_strdup(arena, db_column_text(row, 0)),
                                 .cookie = db_column_int(row, 3) != 0,
                                 .created = db_column_int(row, 4),
                                 .seen = db_column_int(row, 5),
                                 .expires = db_column_int(row, 6)};
    if (device.id == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place name = {.table = "login", .column = "device", .row = device.id};
    const struct vault_place address = {.table = "login", .column = "address", .row = device.id};
    enum status status = vault_column(vault, &name, row, 1, arena, &device.device);
    if (status == STATUS_OK)
        status = vault_column(vault, &address, row, 2, arena, &device.address);
    if (status == STATUS_OK)
        *ret_device = device;
    return status;
}

static enum status devices_run(struct db_session *session, void *arg)
{
    struct listing *listing = arg;
    struct auth_device *items = arena_alloc(listing->arena, AUTH_SESSIONS_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select = db_prepare(
        session, "SELECT l.id, l.device, l.address, l.cookie, l.created, l.seen, l.expires"
                 " FROM login l JOIN account a ON a.id = l.account AND a.epoch = l.epoch"
                 " WHERE l.account = $1 AND l.expires > $2 ORDER BY l.created DESC LIMIT $3");
    db_bind_text(select, 1, listing->user);
    db_bind_int(select, 2, listing->now_ms);
    db_bind_int(select, 3, AUTH_SESSIONS_MAX);
    enum status status;
    listing->list = (struct json_list){.items = items};
    while ((status = db_step(select)) == STATUS_OK) {
        status = device_read(session, select, listing->arena, &items[listing->list.count++]);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status auth_devices(struct auth *auth, const char *user, int64_t now_ms, struct arena *arena,
                         struct json_list *ret_list)
{
    struct listing listing = {.user = user, .now_ms = now_ms, .arena = arena};
    enum status status = db_read(auth->config.db, devices_run, &listing);
    if (status == STATUS_OK)
        *ret_list = listing.list;
    return status;
}

static enum status revoke_run(struct db_session *session, void *arg)
{
    const struct listing *listing = arg;
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM login WHERE id = $1 AND account = $2 RETURNING id");
    db_bind_text(drop, 1, listing->session);
    db_bind_text(drop, 2, listing->user);
    enum status status = db_step(drop);
    return status == STATUS_OK ? auth_event(session, listing->user, "session.ended",
                                            listing->session, listing->now_ms)
                               : status;
}

enum status auth_revoke(struct auth *auth, const char *user, const char *session, int64_t now_ms)
{
    struct listing listing = {.user = user, .session = session, .now_ms = now_ms};
    enum status status = db_write(auth->config.db, revoke_run, &listing);
    if (status == STATUS_OK)
        auth_tell_ended(auth, user, session, NULL);
    return status;
}

/* ---- what is over ---- */

enum { PRUNE_MAX = 1000 /* rows of a transaction, so that the writer is not held */ };

struct pruning {
    int64_t before_ms, removed;
};

static enum status logins_prune_run(struct db_session *session, void *arg)
{
    struct pruning *pruning = arg;
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM login WHERE id IN (SELECT id FROM login"
                            " WHERE expires < $1 ORDER BY expires LIMIT $2) RETURNING id");
    db_bind_int(drop, 1, pruning->before_ms);
    db_bind_int(drop, 2, PRUNE_MAX);
    enum status status;
    pruning->removed = 0;
    while ((status = db_step(drop)) == STATUS_OK)
        pruning->removed++;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status confirmations_prune_run(struct db_session *session, void *arg)
{
    const struct pruning *pruning = arg;
    return confirmations_over_drop(session, pruning->before_ms);
}

enum status auth_prune(struct auth *auth, int64_t before_ms)
{
    struct pruning pruning = {.before_ms = before_ms};
    enum status status;
    do
        status = db_write(auth->config.db, logins_prune_run, &pruning);
    while (status == STATUS_OK && pruning.removed == PRUNE_MAX);
    return status == STATUS_OK ? db_write(auth->config.db, confirmations_prune_run, &pruning)
                               : status;
}
