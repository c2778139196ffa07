#include "modules/auth/confirmations.h"

#include "core/text.h"
#include "modules/auth/confirmation_rows.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    FREE_ASKS = 3,          /* letters that somebody may ask for before they wait: of an address, */
    FREE_ASKS_ADDRESS = 20, /* of a peer */
};

static bool language_valid(const char *language)
{
    return language[0] == '\0' || text_valid(language, 1, AUTH_LANGUAGE_MAX, TEXT_LINE);
}

/* ---- asking ---- */

enum status confirmation_add(struct db_session *session, const struct confirmation_new *wish,
                             int64_t now_ms, struct arena *arena,
                             struct confirmation *ret_confirmation)
{
    struct confirmation made;
    enum status status = confirmation_put(session, wish, now_ms, arena, &made);
    if (status == STATUS_OK)
        status = confirmation_mail_add(session, made.id, wish, now_ms, arena);
    if (status == STATUS_OK)
        *ret_confirmation = made;
    return status;
}

struct asking {
    struct confirmation_new wish;
    const char *payload; /* of the job */
    uint8_t hash[CRYPTO_SHA256_BYTES];
    int64_t now_ms;
    struct arena *arena;
    struct confirmation made;
    struct confirmation_row row;
};

static enum status invite_run(struct db_session *session, void *arg)
{
    struct asking *asking = arg;
    const char *account;
    enum status status = auth_account_of(session, asking->hash, asking->arena, &account);
    if (status != STATUS_NOT_FOUND)
        return status == STATUS_OK ? STATUS_EXISTS : status;
    return confirmation_add(session, &asking->wish, asking->now_ms, asking->arena, &asking->made);
}

enum status confirmation_invite(struct auth *auth, const char *email, const char *language,
                                int64_t now_ms, struct arena *arena,
                                struct confirmation *ret_confirmation)
{
    struct asking asking = {
        .wish = {.kind = "invite", .account = "", .language = language, .who = "", .space = ""},
        .now_ms = now_ms,
        .arena = arena};
    if (!language_valid(language))
        return STATUS_INVALID;
    enum status status = auth_email_key(auth->vault, email, arena, &asking.wish.email, asking.hash);
    if (status == STATUS_OK)
        status = db_write(auth->config.db, invite_run, &asking);
    if (status == STATUS_OK)
        *ret_confirmation = asking.made;
    return status;
}

static bool domain_open(const struct auth *auth, const char *email)
{
    const char *domain = strchr(email, '@') + 1;
    for (size_t i = 0; i < auth->config.domain_count; i++) {
        if (strcasecmp(auth->config.domains[i], domain) == 0)
            return true;
    }
    return false;
}

/* Whoever asks often waits; whether the address is anybody's plays no part. */
static uint32_t asks_wait_s(struct auth *auth, const struct confirmation_wish *wish,
                            const char *email, int64_t now_ms)
{
    char who[8 + AUTH_EMAIL_MAX], peer[80];
    snprintf(who, sizeof who, "ask %s", email);
    snprintf(peer, sizeof peer, "ask from %.60s", wish->address);
    int64_t wait = throttle_wait(auth->throttle, who, now_ms);
    int64_t longer = wish->local ? 0 : throttle_wait(auth->throttle, peer, now_ms);
    wait = longer > wait ? longer : wait;
    if (wait > 0)
        return (uint32_t)((wait + 999) / 1000);
    throttle_count(auth->throttle, who, FREE_ASKS, now_ms);
    if (!wish->local)
        throttle_count(auth->throttle, peer, FREE_ASKS_ADDRESS, now_ms);
    return 0;
}

static enum status ask_run(struct db_session *session, void *arg)
{
    const struct asking *asking = arg;
    char key[JOBS_KEY_MAX], hash[2 * CRYPTO_SHA256_BYTES + 1];
    crypto_hex(asking->hash, sizeof asking->hash, hash);
    snprintf(key, sizeof key, "%s:%s", asking->wish.kind, hash);
    const struct jobs_new job = {
        .kind = "ask", .key = key, .payload = asking->payload, .due_ms = asking->now_ms};
    return jobs_add(session, &job, asking->now_ms);
}

enum status confirmation_ask(struct auth *auth, const struct confirmation_wish *wish,
                             int64_t now_ms, struct arena *arena, uint32_t *ret_wait_s)
{
    struct asking asking = {.wish = {.kind = wish->kind}, .now_ms = now_ms, .arena = arena};
    const char *email;
    *ret_wait_s = 0;
    if (!language_valid(wish->language))
        return STATUS_INVALID;
    enum status status = auth_email_key(auth->vault, wish->email, arena, &email, asking.hash);
    if (status != STATUS_OK)
        return status;
    if (strcmp(wish->kind, "signup") == 0 && !domain_open(auth, email))
        return STATUS_DENIED;
    *ret_wait_s = asks_wait_s(auth, wish, email, now_ms);
    if (*ret_wait_s > 0)
        return STATUS_LIMIT;
    const char *quoted = json_quote(email, arena), *language = json_quote(wish->language, arena);
    if (quoted == NULL || language == NULL)
        return STATUS_NO_MEMORY;
    asking.payload = arena_printf(arena, "{\"kind\":\"%s\",\"email\":%s,\"language\":%s}",
                                  wish->kind, quoted, language);
    return asking.payload != NULL ? db_write(auth->config.db, ask_run, &asking) : STATUS_NO_MEMORY;
}

static enum status email_run(struct db_session *session, void *arg)
{
    struct asking *asking = arg;
    return confirmation_add(session, &asking->wish, asking->now_ms, asking->arena, &asking->made);
}

enum status confirmation_email(struct auth *auth, const struct auth_caller *caller,
                               const char *password, const char *email, int64_t now_ms,
                               struct arena *arena, uint32_t *ret_wait_s)
{
    struct asking asking = {.wish = {.kind = "email",
                                     .account = caller->user.id,
                                     .language = caller->user.language,
                                     .who = "",
                                     .space = ""},
                            .now_ms = now_ms,
                            .arena = arena};
    *ret_wait_s = 0;
    enum status status = auth_email_key(auth->vault, email, arena, &asking.wish.email, asking.hash);
    if (status == STATUS_OK)
        status = auth_password_prove(auth, caller, password, now_ms, ret_wait_s);
    return status == STATUS_OK ? db_write(auth->config.db, email_run, &asking) : status;
}

/* ---- opening the link ---- */

static enum status look_run(struct db_session *session, void *arg)
{
    struct asking *asking = arg;
    return confirmation_by_token(session, asking->hash, asking->now_ms, asking->arena,
                                 &asking->row);
}

static enum status row_find(struct auth *auth, const char *token, int64_t now_ms,
                            struct arena *arena, struct confirmation_row *ret_row)
{
    struct asking asking = {.now_ms = now_ms, .arena = arena};
    if (!confirmation_token_hash(token, asking.hash))
        return STATUS_NOT_FOUND;
    enum status status = db_read(auth->config.db, look_run, &asking);
    if (status == STATUS_OK)
        *ret_row = asking.row;
    return status;
}

enum status confirmation_look(struct auth *auth, const char *token, int64_t now_ms,
                              struct arena *arena, struct confirmation *ret_confirmation)
{
    struct confirmation_row row;
    enum status status = row_find(auth, token, now_ms, arena, &row);
    if (status == STATUS_OK)
        *ret_confirmation = row.shown;
    return status;
}

enum status confirmation_account(struct auth *auth, const char *token,
                                 const struct auth_user_new *user, int64_t now_ms,
                                 struct arena *arena, struct auth_user *ret_user,
                                 struct auth_fault *ret_fault)
{
    struct confirmation_row row;
    struct auth_user_new wish = *user;
    /* Asked before the hashing too, or anybody could make the server hash. */
    enum status status = row_find(auth, token, now_ms, arena, &row);
    if (status == STATUS_OK && strcmp(row.shown.kind, "invite") != 0 &&
        strcmp(row.shown.kind, "signup") != 0)
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    wish.email = row.shown.email;
    wish.confirmation = row.shown.id;
    return auth_user_add(auth, &wish, now_ms, arena, ret_user, ret_fault);
}

struct renewing {
    const struct confirmation_row *row;
    char kept[PASSWORD_KEPT_MAX];
    int64_t now_ms;
};

static enum status password_run(struct db_session *session, void *arg)
{
    const struct renewing *renewing = arg;
    const char *account = renewing->row->account;
    enum status status = confirmation_remove(session, renewing->row->shown.id, renewing->now_ms);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET password = $2, epoch = epoch + 1,"
                            " version = version + 1 WHERE id = $1 AND disabled = 0 RETURNING id");
    db_bind_text(update, 1, account);
    db_bind_text(update, 2, renewing->kept);
    status = db_step(update);
    return status == STATUS_OK
               ? auth_event(session, account, "account.updated", account, renewing->now_ms)
               : status;
}

enum status confirmation_password(struct auth *auth, const char *token, const char *password,
                                  int64_t now_ms, struct arena *arena, struct auth_fault *ret_fault)
{
    struct confirmation_row row;
    struct auth_user user;
    enum status status = row_find(auth, token, now_ms, arena, &row);
    struct renewing renewing = {.row = &row, .now_ms = now_ms};
    if (status == STATUS_OK && strcmp(row.shown.kind, "password") != 0)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = auth_user_get(auth, row.account, arena, &user);
    if (status != STATUS_OK)
        return status;
    const char *fault = password_fault(password, user.email, user.name);
    if (fault != NULL) {
        ret_fault->code = auth_fault_code(fault);
        return STATUS_INVALID;
    }
    status = auth_hash(auth, password, renewing.kept);
    if (status == STATUS_OK)
        status = db_write(auth->config.db, password_run, &renewing);
    if (status == STATUS_OK)
        auth_tell_ended(auth, row.account, NULL, NULL);
    return status;
}

static enum status address_run(struct db_session *session, void *arg)
{
    const struct renewing *renewing = arg;
    const struct confirmation_row *row = renewing->row;
    const struct vault_place place = {.table = "account", .column = "email", .row = row->account};
    enum status status = confirmation_remove(session, row->shown.id, renewing->now_ms);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET email = $2, email_hash = $3, version = version + 1"
                            " WHERE id = $1 AND disabled = 0 RETURNING id");
    db_bind_text(update, 1, row->account);
    status = vault_bind(db_session_vault(session), &place, update, 2, row->shown.email);
    db_bind_blob(update, 3, row->email_hash, sizeof row->email_hash);
    if (status == STATUS_OK)
        status = db_step(update);
    if (status == STATUS_OK)
        status = confirmation_arrived(session, row->email_hash);
    return status == STATUS_OK ? auth_event(session, row->account, "account.updated", row->account,
                                            renewing->now_ms)
                               : status;
}

enum status confirmation_address(struct auth *auth, const char *token, int64_t now_ms,
                                 struct arena *arena)
{
    struct confirmation_row row;
    enum status status = row_find(auth, token, now_ms, arena, &row);
    struct renewing renewing = {.row = &row, .now_ms = now_ms};
    if (status == STATUS_OK && strcmp(row.shown.kind, "email") != 0)
        status = STATUS_NOT_FOUND;
    return status == STATUS_OK ? db_write(auth->config.db, address_run, &renewing) : status;
}

/* ---- for admins ---- */

struct managing {
    const char *id;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    int64_t now_ms;
    struct arena *arena;
    struct confirmations list;
};

static enum status list_run(struct db_session *session, void *arg)
{
    struct managing *managing = arg;
    return confirmation_rows(session, managing->id, managing->now_ms, managing->arena,
                             &managing->list);
}

enum status confirmations_list(struct auth *auth, const char *after, int64_t now_ms,
                               struct arena *arena, struct confirmations *ret_list)
{
    struct managing managing = {.id = after != NULL ? after : "", .now_ms = now_ms, .arena = arena};
    enum status status = db_read(auth->config.db, list_run, &managing);
    if (status == STATUS_OK)
        *ret_list = managing.list;
    return status;
}

static enum status link_run(struct db_session *session, void *arg)
{
    const struct managing *managing = arg;
    /* A letter that has not gone yet would make this link useless. */
    enum status status = jobs_cancel(session, "mail", managing->id);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    return confirmation_token_set(session, managing->id, managing->hash, managing->now_ms);
}

enum status confirmation_link(struct auth *auth, const char *id, int64_t now_ms,
                              char ret_token[CONFIRMATION_TOKEN_CHARS + 1])
{
    struct managing managing = {.id = id, .now_ms = now_ms};
    char token[CONFIRMATION_TOKEN_CHARS + 1];
    confirmation_token_make(token, managing.hash);
    enum status status = db_write(auth->config.db, link_run, &managing);
    if (status == STATUS_OK)
        memcpy(ret_token, token, sizeof token);
    return status;
}

static enum status drop_run(struct db_session *session, void *arg)
{
    const struct managing *managing = arg;
    return confirmation_remove(session, managing->id, managing->now_ms);
}

enum status confirmation_drop(struct auth *auth, const char *id, int64_t now_ms)
{
    struct managing managing = {.id = id, .now_ms = now_ms};
    return db_write(auth->config.db, drop_run, &managing);
}
