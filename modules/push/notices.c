/*
 * modules/push/notices.c - the jobs: whom a message concerns who has not read it, and one notice to
 * one browser.
 */
#include "modules/push/push_state.h"

#include "core/clock.h"
#include "core/fields.h"
#include "core/text.h"
#include "modules/auth/auth.h"
#include "modules/spaces/messages.h"

#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES_MAX = 2000, SEND_AT_ONCE = 2, NOTICE_ARENA_BYTES = 16384 };

static const char message_kind[] = "push.message", send_kind[] = "push.send";

/* As web/worker/notify.ts reads it. */
struct notice {
    const char *kind, *language, *url, *space, *author, *text;
};

static const struct json_field notice_fields[] = {
    TEXT(notice, kind, 1, 16, true, ""),
    TEXT(notice, language, 0, AUTH_LANGUAGE_MAX, true, ""),
    TEXT(notice, url, 1, 200, true, ""),
    TEXT(notice, space, 0, SPACES_NAME_MAX, true, ""),
    TEXT(notice, author, 0, AUTH_NAME_MAX, true, ""),
    TEXT(notice, text, 0, PUSH_TEXT_MAX, false, ""),
};
static TABLE(notice, NULL);

enum status push_message(struct db_session *session, const char *space, int64_t message,
                         int64_t now_ms)
{
    char key[32];
    /* Where nobody is told by push nothing is left to do. */
    struct db_statement *any =
        db_prepare(session, "SELECT 1 FROM push_device WHERE account > '' LIMIT 1");
    enum status status = db_step(any);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    snprintf(key, sizeof key, "%" PRId64, message);
    const struct jobs_new job = {
        .kind = message_kind, .space = space, .key = key, .due_ms = now_ms + PUSH_WAIT_MS};
    status = jobs_add(session, &job, now_ms);
    /* A message is worth more than the notice of it. */
    return status == STATUS_LIMIT ? STATUS_OK : status;
}

/* ---- whom ---- */

struct device {
    const char *id, *account, *language;
    bool texts, quiet; /* its owner is not to be disturbed */
};

struct looking {
    const char *space;
    int64_t message, now_ms;
    struct arena *arena;
    struct device *devices;
    size_t count;
};

/* Browsers of members who do not mute the space and have not read the message. */
static enum status devices_run(struct db_session *session, void *arg)
{
    struct looking *looking = arg;
    struct db_statement *select = db_prepare(
        session, "SELECT d.id, d.account, a.language, d.texts, a.quiet_until FROM space_member m"
                 " JOIN push_device d ON d.account = m.account JOIN account a ON a.id = d.account"
                 " JOIN login l ON l.id = d.login AND l.epoch = a.epoch"
                 " WHERE m.space = $1 AND m.muted = 0 AND m.read_to < $2 AND a.disabled = 0"
                 " AND l.expires > $3 LIMIT $4");
    db_bind_text(select, 1, looking->space);
    db_bind_int(select, 2, looking->message);
    db_bind_int(select, 3, looking->now_ms);
    db_bind_int(select, 4, DEVICES_MAX);
    enum status status;
    looking->count = 0;
    looking->devices = arena_alloc(looking->arena, DEVICES_MAX * sizeof *looking->devices);
    if (looking->devices == NULL)
        return STATUS_NO_MEMORY;
    while ((status = db_step(select)) == STATUS_OK) {
        struct device *device = &looking->devices[looking->count++];
        *device =
            (struct device){.id = arena_strdup(looking->arena, db_column_text(select, 0)),
                            .account = arena_strdup(looking->arena, db_column_text(select, 1)),
                            .language = arena_strdup(looking->arena, db_column_text(select, 2)),
                            .texts = db_column_int(select, 3) != 0,
                            .quiet = auth_quiet(db_column_int(select, 4), looking->now_ms)};
        if (device->id == NULL || device->account == NULL || device->language == NULL)
            return STATUS_NO_MEMORY;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static bool mentions(const struct messages_message *message, const char *account)
{
    const char *const *names = message->mentions.items;
    for (size_t i = 0; i < message->mentions.count; i++) {
        if (strcmp(names[i], account) == 0 || strcmp(names[i], "all") == 0)
            return true;
    }
    return false;
}

/* Why the account is told; NULL: it is not. */
static const char *reason(struct db *db, const struct spaces_who *who,
                          const struct spaces_space *space, const struct messages_message *message,
                          struct arena *arena)
{
    struct messages_message answered;
    if (strcmp(message->author, who->account) == 0 || message->deleted != 0)
        return NULL;
    if (mentions(message, who->account))
        return "mention";
    if (message->reply_to != NULL &&
        messages_get(db, who, message->reply_to, arena, &answered) == STATUS_OK &&
        strcmp(answered.author, who->account) == 0)
        return "reply";
    return strcmp(space->kind, "space") != 0 ? "direct" : NULL;
}

struct leaving {
    const struct jobs_new *jobs;
    size_t count;
    int64_t now_ms;
};

static enum status leave_run(struct db_session *session, void *arg)
{
    const struct leaving *leaving = arg;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < leaving->count; i++)
        status = jobs_add(session, &leaving->jobs[i], leaving->now_ms);
    return status;
}

/* Its text cut where a character ends. */
static const char *text_cut(const char *text, struct arena *arena)
{
    char *cut = arena_strndup(arena, text, strnlen(text, PUSH_TEXT_MAX));
    if (cut != NULL)
        text_mend(cut);
    return cut;
}

/* The job of a notice to one device, or nothing: kind NULL. */
static enum status notice_make(struct push *push, const struct looking *looking,
                               const struct device *device, const char *id,
                               struct jobs_new *ret_job)
{
    const struct spaces_who who = {looking->space, device->account};
    struct arena *arena = looking->arena;
    struct spaces_space space;
    struct messages_message message;
    enum status status = messages_get(push->db, &who, id, arena, &message);
    if (status == STATUS_OK)
        status = spaces_get(push->db, &who, arena, &space);
    if (status == STATUS_NOT_FOUND || status == STATUS_DENIED)
        return STATUS_OK; /* not theirs to see, or gone */
    const char *why = status == STATUS_OK ? reason(push->db, &who, &space, &message, arena) : NULL;
    if (why == NULL)
        return status;
    const struct notice notice = {.kind = why,
                                  .language = device->language,
                                  .url =
                                      arena_printf(arena, "/s/%s?message=%s", space.id, message.id),
                                  .space = space.name,
                                  .author = message.author_name,
                                  .text = device->texts ? text_cut(message.text, arena) : NULL};
    const char *json = json_encode(&notice_table, &notice, arena);
    ret_job->payload = json != NULL ? arena_printf(arena, "%s %s", device->id, json) : NULL;
    ret_job->key = arena_printf(arena, "%s %s", device->id, message.id);
    if (ret_job->payload == NULL || ret_job->key == NULL)
        return STATUS_NO_MEMORY;
    ret_job->kind = send_kind;
    ret_job->space = looking->space;
    return STATUS_OK;
}

static enum status message_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    struct push *push = context;
    struct looking looking = {.space = job->space,
                              .message = strtoll(job->key, NULL, 10),
                              .now_ms = clock_wall_ms(),
                              .arena = arena};
    struct leaving leaving = {.now_ms = looking.now_ms};
    enum status status = db_read(push->db, devices_run, &looking);
    struct jobs_new *jobs = arena_alloc(arena, (looking.count + 1) * sizeof *jobs);
    if (status == STATUS_OK && jobs == NULL)
        status = STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < looking.count; i++) {
        struct jobs_new *next = &jobs[leaving.count];
        *next = (struct jobs_new){.due_ms = looking.now_ms};
        if (looking.devices[i].quiet)
            continue;
        status = notice_make(push, &looking, &looking.devices[i], job->key, next);
        leaving.count += next->kind != NULL;
    }
    leaving.jobs = jobs;
    return status == STATUS_OK && leaving.count > 0 ? db_write(push->db, leave_run, &leaving)
                                                    : status;
}

/* ---- one that only says that it came ---- */

struct trying {
    const char *login;
    int64_t now_ms;
    struct arena *arena;
};

static enum status try_run(struct db_session *session, void *arg)
{
    const struct trying *trying = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT d.id, a.language FROM push_device d JOIN account a"
                            " ON a.id = d.account WHERE d.login = $1");
    db_bind_text(select, 1, trying->login);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    const char *id = arena_strdup(trying->arena, db_column_text(select, 0));
    const struct notice notice = {.kind = "test",
                                  .language =
                                      arena_strdup(trying->arena, db_column_text(select, 1)),
                                  .url = "/account",
                                  .space = "",
                                  .author = ""};
    if (id == NULL || notice.language == NULL)
        return STATUS_NO_MEMORY;
    const char *json = json_encode(&notice_table, &notice, trying->arena);
    const struct jobs_new job = {
        .kind = send_kind,
        .key = arena_printf(trying->arena, "%s test", id),
        .payload = json != NULL ? arena_printf(trying->arena, "%s %s", id, json) : NULL,
        .due_ms = trying->now_ms};
    return job.key != NULL && job.payload != NULL ? jobs_add(session, &job, trying->now_ms)
                                                  : STATUS_NO_MEMORY;
}

enum status push_try(const struct push *push, const char *login, int64_t now_ms)
{
    struct trying trying = {.login = login, .now_ms = now_ms};
    enum status status = arena_new(NOTICE_ARENA_BYTES, &trying.arena);
    if (status == STATUS_OK)
        status = db_write(push->db, try_run, &trying);
    arena_free(trying.arena);
    return status;
}

/* ---- one notice ---- */

struct sending {
    const char *id; /* of the device */
    struct arena *arena;
    const char *endpoint, *keys;
    sem_t answered;
    enum status status;
    int code;
};

static enum status device_run(struct db_session *session, void *arg)
{
    struct sending *sending = arg;
    const struct vault_place endpoint = push_place(sending->id, "endpoint"),
                             keys = push_place(sending->id, "keys");
    struct db_statement *select =
        db_prepare(session, "SELECT endpoint, keys FROM push_device WHERE id = $1");
    db_bind_text(select, 1, sending->id);
    enum status status = db_step(select);
    struct vault *vault = db_session_vault(session);
    if (status == STATUS_OK)
        status = vault_column(vault, &endpoint, select, 0, sending->arena, &sending->endpoint);
    return status == STATUS_OK
               ? vault_column(vault, &keys, select, 1, sending->arena, &sending->keys)
               : status;
}

static enum status device_gone_run(struct db_session *session, void *arg)
{
    const struct sending *sending = arg;
    struct db_statement *drop = db_prepare(session, "DELETE FROM push_device WHERE id = $1");
    db_bind_text(drop, 1, sending->id);
    return db_run(drop);
}

static void on_answer(void *context, const struct http_fetch_answer *answer)
{
    struct sending *sending = context;
    sending->status = answer->status;
    sending->code = answer->code;
    sem_post(&sending->answered);
}

static enum status post(struct push *push, struct sending *sending, const uint8_t *sealed,
                        size_t length)
{
    char proof[PUSH_VAPID_MAX], origin[PUSH_ENDPOINT_MAX + 1];
    const char *headers[] = {"Content-Encoding: aes128gcm",
                             "Content-Type: application/octet-stream", "TTL: 86400",
                             "Urgency: high", proof};
    const char *host = strstr(sending->endpoint, "://");
    if (host == NULL)
        return STATUS_INVALID;
    host += 3;
    snprintf(origin, sizeof origin, "%.*s",
             (int)((size_t)(host - sending->endpoint) + strcspn(host, "/?#")), sending->endpoint);
    enum status status = push_vapid(&push->own, origin, push->contact,
                                    clock_wall_ms() / 1000 + PUSH_LIFE_S / 2, proof);
    const struct http_fetch_request request = {.url = sending->endpoint,
                                               .headers = headers,
                                               .header_count = sizeof headers / sizeof headers[0],
                                               .body = sealed,
                                               .body_length = length,
                                               .size_max = 4096,
                                               .cut = true,
                                               .time_ms_max = PUSH_TIME_MS};
    if (status != STATUS_OK || sem_init(&sending->answered, 0, 0) != 0)
        return status == STATUS_OK ? STATUS_NO_MEMORY : status;
    status = http_fetch_start(push->fetch, &request, on_answer, sending);
    if (status == STATUS_OK) {
        while (sem_wait(&sending->answered) != 0)
            continue; /* a signal */
        status = sending->status;
    }
    sem_destroy(&sending->answered);
    return status;
}

/* 404, 410: the browser does not want it any more (RFC 8030 7.3). 429 and 5xx: later. */
static enum status judge(struct push *push, struct sending *sending)
{
    int code = sending->code;
    if (code == 404 || code == 410)
        return db_write(push->db, device_gone_run, sending);
    if (code >= 200 && code < 300)
        return STATUS_OK;
    return code == 429 || code >= 500 ? STATUS_AGAIN : STATUS_INVALID;
}

static enum status send_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    struct push *push = context;
    const char *space = strchr(job->payload, ' ');
    uint8_t sealed[PUSH_SEALED_MAX], salt[PUSH_SALT_BYTES];
    char p256dh[PUSH_KEY_CHARS + 1];
    size_t length = 0;
    struct push_browser browser;
    struct push_pair fresh;
    if (space == NULL)
        return STATUS_INVALID;
    struct sending sending = {
        .id = arena_strndup(arena, job->payload, (size_t)(space - job->payload)), .arena = arena};
    if (sending.id == NULL)
        return STATUS_NO_MEMORY;
    enum status status = db_read(push->db, device_run, &sending);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    snprintf(p256dh, sizeof p256dh, "%s", sending.keys);
    if (strlen(sending.keys) <= PUSH_KEY_CHARS ||
        !push_browser_parse(p256dh, sending.keys + PUSH_KEY_CHARS + 1, &browser))
        return STATUS_INVALID;
    crypto_random(salt, sizeof salt);
    status = push_pair_new(&fresh);
    if (status == STATUS_OK)
        status = push_seal(&browser, &fresh, salt, space + 1, strlen(space + 1), sealed, &length);
    crypto_wipe(&fresh, sizeof fresh);
    if (status == STATUS_OK)
        status = post(push, &sending, sealed, length);
    /* An address that must not be reached stays so. */
    if (status == STATUS_DENIED)
        return STATUS_INVALID;
    return status == STATUS_OK ? judge(push, &sending) : status;
}

enum status push_jobs_add(struct push *push, struct jobs *jobs)
{
    const struct jobs_kind kinds[] = {
        {.name = message_kind, .run = message_run, .context = push},
        {.name = send_kind, .run = send_run, .context = push, .at_once = SEND_AT_ONCE},
    };
    enum status status = jobs_kind_add(jobs, &kinds[0]);
    return status == STATUS_OK ? jobs_kind_add(jobs, &kinds[1]) : status;
}
