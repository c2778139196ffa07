#include "modules/auth/auth.h"

#include "core/text.h"
#include "modules/auth/auth_state.h"
#include "storage/event.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status auth_new(const struct auth_config *config, struct auth **ret_auth)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (auth == NULL)
        return STATUS_NO_MEMORY;
    auth->config = *config;
    auth->vault = db_vault(config->db);
    crypto_random(auth->ticket_key, sizeof auth->ticket_key);
    enum status status = turnstile_new(AUTH_HASHING_MAX, AUTH_HASHING_WAIT_MAX, &auth->hashing);
    if (status == STATUS_OK)
        status = throttle_new(&auth->throttle);
    if (status == STATUS_OK)
        status = challenges_new(&auth->challenges);
    if (status != STATUS_OK) {
        auth_free(auth);
        return status;
    }
    *ret_auth = auth;
    return STATUS_OK;
}

struct auth *auth_free(struct auth *auth)
{
    if (auth == NULL)
        return NULL;
    turnstile_free(auth->hashing);
    throttle_free(auth->throttle);
    challenges_free(auth->challenges);
    free(auth);
    return NULL;
}

/* ---- addresses ---- */

/* One @ with something before it and a name of letters, digits, "-." after it; what a mail server
 * takes besides is between it and its operator. */
static bool email_valid(const char *email)
{
    const char *at = strrchr(email, '@');
    size_t length = strlen(email);
    if (at == NULL || at == email || at - email > 64 || length > AUTH_EMAIL_MAX ||
        strchr(email, '@') != at || !text_valid(email, 3, AUTH_EMAIL_MAX, TEXT_LINE) ||
        strpbrk(email, " \t<>()[],;:\\\"") != NULL)
        return false;
    const char *domain = at + 1;
    size_t domain_length = strlen(domain);
    if (domain_length == 0 || domain[0] == '.' || domain[0] == '-' ||
        domain[domain_length - 1] == '.' || strstr(domain, "..") != NULL)
        return false;
    for (const char *c = domain; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.' && (unsigned char)*c < 0x80)
            return false;
    }
    return true;
}

const char *auth_email_normal(const char *email, struct arena *arena)
{
    size_t length;
    email += strspn(email, " \t");
    for (length = strlen(email); length > 0 && strchr(" \t", email[length - 1]) != NULL; length--)
        ;
    char *normal = arena_strndup(arena, email, length);
    for (char *c = normal; c != NULL && *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return normal != NULL && email_valid(normal) ? normal : NULL;
}

enum status auth_email_hash(struct vault *vault, const char *normal,
                            uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    return vault_hash(vault, NULL, "email", normal, strlen(normal), ret_hash);
}

/* ---- hashing, as much as there is room for ---- */

enum status auth_hash(struct auth *auth, const char *password, char ret_kept[PASSWORD_KEPT_MAX])
{
    enum status status = turnstile_enter(auth->hashing);
    if (status != STATUS_OK)
        return status;
    status = password_keep(auth->vault, auth->config.fips, password, ret_kept);
    turnstile_leave(auth->hashing);
    return status;
}

enum status auth_hash_check(struct auth *auth, const char *password, const char *kept)
{
    enum status status = turnstile_enter(auth->hashing);
    if (status != STATUS_OK)
        return status;
    status = password_check(auth->vault, auth->config.fips, password, kept);
    turnstile_leave(auth->hashing);
    return status;
}

/* ---- rows ---- */

enum status auth_user_read(struct db_session *session, struct db_statement *row,
                           struct arena *arena, struct auth_user *ret_user)
{
    struct vault *vault = db_session_vault(session);
    struct auth_user user = {.id = arena_strdup(arena, db_column_text(row, 0)),
                             .language = arena_strdup(arena, db_column_text(row, 3)),
                             .admin = db_column_int(row, 4) != 0,
                             .disabled = db_column_int(row, 5) != 0,
                             .version = db_column_int(row, 6),
                             .created = db_column_int(row, 7),
                             .quiet_until = db_column_int(row, 9),
                             .picture = db_column_int(row, 10)};
    if (user.id == NULL || user.language == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place email = {.table = "account", .column = "email", .row = user.id};
    const struct vault_place name = {.table = "account", .column = "name", .row = user.id};
    const struct vault_place zone = {.table = "account", .column = "zone_sealed", .row = user.id};
    enum status status = vault_column(vault, &email, row, 1, arena, &user.email);
    if (status == STATUS_OK)
        status = vault_column(vault, &name, row, 2, arena, &user.name);
    if (status == STATUS_OK)
        status = vault_column(vault, &zone, row, 8, arena, &user.zone);
    if (user.zone == NULL)
        user.zone = "";
    if (status == STATUS_OK)
        *ret_user = user;
    return status;
}

enum status auth_event(struct db_session *session, const char *user, const char *type,
                       const char *id, int64_t now_ms)
{
    char scope[AUTH_SCOPE_SIZE];
    if (snprintf(scope, sizeof scope, "account:%s", user) >= (int)sizeof scope)
        return STATUS_INVALID;
    return event_write_id(session, scope, type, id, now_ms);
}

void auth_tell_ended(const struct auth *auth, const char *user, const char *session,
                     const char *keep)
{
    if (auth->config.ended != NULL)
        auth->config.ended(auth->config.context, user, session, keep);
}
