/*
 * modules/auth/confirmation_jobs.c - the letters: who gets one is decided here, and its token made,
 * where nobody waits for the answer.
 */
#include "core/clock.h"
#include "core/fields.h"
#include "modules/auth/confirmation_rows.h"

#include <string.h>

/* ---- kind "mail" ---- */

struct letter {
    const char *confirmation; /* NULL: nothing to confirm, it goes to `email` */
    const char *email, *language, *who, *space;
};

static const struct json_field letter_fields[] = {
    TEXT(letter, confirmation, 1, CRYPTO_ID_CHARS, false, NULL),
    TEXT(letter, email, 1, AUTH_EMAIL_MAX, false, NULL),
    TEXT(letter, language, 0, AUTH_LANGUAGE_MAX, true, NULL),
    TEXT(letter, who, 0, AUTH_NAME_MAX, true, NULL),
    TEXT(letter, space, 0, 512, true, NULL),
};

static TABLE(letter, NULL);

enum status confirmation_mail_add(struct db_session *session, const char *id,
                                  const struct confirmation_new *wish, int64_t now_ms,
                                  struct arena *arena)
{
    bool confirms = id[0] != '\0';
    const struct letter letter = {.confirmation = confirms ? id : NULL,
                                  .email = confirms ? NULL : wish->email,
                                  .language = wish->language,
                                  .who = wish->who,
                                  .space = wish->space};
    const struct jobs_new job = {.kind = "mail",
                                 .key = confirms ? id : NULL,
                                 .payload = json_encode(&letter_table, &letter, arena),
                                 .due_ms = now_ms};
    return job.payload != NULL ? jobs_add(session, &job, now_ms) : STATUS_NO_MEMORY;
}

/* Of a payload that this program wrote. */
static enum status payload_read(const struct json_table *table, const char *payload,
                                struct arena *arena, void *ret_value)
{
    struct json *json = NULL;
    struct json_error error;
    enum status status = json_parse(payload, strlen(payload), &json, &error);
    if (status == STATUS_OK)
        status = json_decode(table, json, arena, ret_value, &error);
    json_free(json);
    return status;
}

struct preparing {
    const char *id;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    int64_t now_ms;
    struct arena *arena;
    struct confirmation_row row;
};

static enum status prepare_run(struct db_session *session, void *arg)
{
    struct preparing *preparing = arg;
    enum status status =
        confirmation_token_set(session, preparing->id, preparing->hash, preparing->now_ms);
    return status == STATUS_OK ? confirmation_by_id(session, preparing->id, preparing->now_ms,
                                                    preparing->arena, &preparing->row)
                               : status;
}

static enum mail_kind kind_of(const char *kind)
{
    if (strcmp(kind, "invite") == 0)
        return MAIL_INVITE;
    if (strcmp(kind, "email") == 0)
        return MAIL_EMAIL;
    return strcmp(kind, "password") == 0 ? MAIL_PASSWORD : MAIL_SIGN_UP;
}

/* A letter that comes late has a link that works: each attempt makes its own. */
static enum status link_make(const struct confirmation_post *post, const char *id,
                             struct arena *arena, struct mail_letter *letter)
{
    struct preparing preparing = {.id = id, .now_ms = clock_wall_ms(), .arena = arena};
    char token[CONFIRMATION_TOKEN_CHARS + 1];
    confirmation_token_make(token, preparing.hash);
    enum status status = db_write(post->auth->config.db, prepare_run, &preparing);
    if (status != STATUS_OK)
        return status;
    letter->kind = kind_of(preparing.row.shown.kind);
    letter->to = preparing.row.shown.email;
    letter->path = arena_printf(arena, "/confirm#%s", token);
    return letter->path != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status confirmation_mail_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    const struct confirmation_post *post = context;
    struct letter wish;
    /* An admin hands the link over. */
    if (!mail_ready(post->mail))
        return STATUS_OK;
    enum status status = payload_read(&letter_table, job->payload, arena, &wish);
    if (status != STATUS_OK)
        return status;
    struct mail_letter letter = {.kind = MAIL_KNOWN,
                                 .to = wish.email,
                                 .language = wish.language,
                                 .who = wish.who,
                                 .space = wish.space,
                                 .path = "/sign-in"};
    if (wish.confirmation != NULL)
        status = link_make(post, wish.confirmation, arena, &letter);
    /* It was used, dropped or is over: no letter. */
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status == STATUS_OK ? mail_send(post->mail, &letter, job->ending, arena) : status;
}

/* ---- kind "ask" ---- */

struct ask {
    const char *kind, *email, *language;
};

static const struct json_field ask_fields[] = {
    CHOICE(ask, kind, "signup|password", true, NULL),
    TEXT(ask, email, 1, AUTH_EMAIL_MAX, true, NULL),
    TEXT(ask, language, 0, AUTH_LANGUAGE_MAX, true, NULL),
};

static TABLE(ask, NULL);

struct deciding {
    struct ask ask;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    int64_t now_ms;
    struct arena *arena;
};

static enum status decide_run(struct db_session *session, void *arg)
{
    const struct deciding *deciding = arg;
    struct confirmation_new wish = {.kind = deciding->ask.kind,
                                    .email = deciding->ask.email,
                                    .account = "",
                                    .language = deciding->ask.language,
                                    .who = "",
                                    .space = ""};
    struct confirmation made;
    const char *account = "";
    enum status status = auth_account_of(session, deciding->hash, deciding->arena, &account);
    bool known = status == STATUS_OK, password = strcmp(wish.kind, "password") == 0;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (password && !known)
        return STATUS_OK;
    if (!password && known)
        return confirmation_mail_add(session, "", &wish, deciding->now_ms, deciding->arena);
    wish.account = account;
    return confirmation_add(session, &wish, deciding->now_ms, deciding->arena, &made);
}

enum status confirmation_ask_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    const struct confirmation_post *post = context;
    struct deciding deciding = {.now_ms = clock_wall_ms(), .arena = arena};
    enum status status = payload_read(&ask_table, job->payload, arena, &deciding.ask);
    if (status == STATUS_OK)
        status = auth_email_hash(post->auth->vault, deciding.ask.email, deciding.hash);
    return status == STATUS_OK ? db_write(post->auth->config.db, decide_run, &deciding) : status;
}
