#include "modules/spaces/drafts.h"

#include "core/text.h"
#include "modules/spaces/message_rows.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = CRYPTO_ID_CHARS + MESSAGES_ID_MAX + 2 };

/* Where the text is sealed to: whose, and of which thread. */
static void key_make(const char *account, int64_t thread, char ret_key[KEY_MAX + 1])
{
    snprintf(ret_key, KEY_MAX + 1, "%s/%" PRId64, account, thread);
}

/* ---- setting ---- */

struct setting {
    struct spaces_who who;
    int64_t thread; /* 0: the space's own */
    const char *text;
    int64_t now_ms;
};

static enum status draft_drop(struct db_session *session, const struct setting *setting)
{
    struct db_statement *drop = db_prepare(session, "DELETE FROM space_draft WHERE account = $1"
                                                    " AND space = $2 AND thread = $3");
    db_bind_text(drop, 1, setting->who.account);
    db_bind_text(drop, 2, setting->who.space);
    db_bind_int(drop, 3, setting->thread);
    return db_run(drop);
}

static enum status draft_put(struct db_session *session, const struct setting *setting)
{
    char key[KEY_MAX + 1];
    key_make(setting->who.account, setting->thread, key);
    const struct vault_place place = {
        .space = setting->who.space, .table = "space_draft", .column = "text", .row = key};
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_draft (account, space, thread, text, changed)"
                            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (space, account, thread)"
                            " DO UPDATE SET text = excluded.text, changed = excluded.changed");
    db_bind_text(insert, 1, setting->who.account);
    db_bind_text(insert, 2, setting->who.space);
    db_bind_int(insert, 3, setting->thread);
    enum status status = vault_bind(db_session_vault(session), &place, insert, 4, setting->text);
    db_bind_int(insert, 5, setting->now_ms);
    if (status == STATUS_OK)
        status = db_run(insert);
    struct db_statement *trim = db_prepare(
        session, "DELETE FROM space_draft WHERE account = $1 AND space = $2"
                 " AND thread IN (SELECT thread FROM space_draft WHERE account = $1"
                 " AND space = $2 ORDER BY changed DESC, thread LIMIT 1000000 OFFSET $3)");
    db_bind_text(trim, 1, setting->who.account);
    db_bind_text(trim, 2, setting->who.space);
    db_bind_int(trim, 3, DRAFTS_MAX);
    return status == STATUS_OK ? db_run(trim) : status;
}

static enum status thread_check(struct db_session *session, const struct setting *setting)
{
    if (setting->thread == 0)
        return STATUS_OK;
    struct db_statement *select = db_prepare(
        session, "SELECT id FROM space_message WHERE id = $1 AND space = $2 AND thread IS NULL");
    db_bind_int(select, 1, setting->thread);
    db_bind_text(select, 2, setting->who.space);
    enum status status = db_step(select);
    return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
}

static enum status set_run(struct db_session *session, void *arg)
{
    const struct setting *setting = arg;
    enum status status = spaces_seat(session, &setting->who, SPACES_COMMENT, NULL);
    if (status == STATUS_OK)
        status = thread_check(session, setting);
    if (status == STATUS_OK)
        status =
            setting->text[0] != '\0' ? draft_put(session, setting) : draft_drop(session, setting);
    return status == STATUS_OK ? spaces_tell(session, setting->who.account, "draft.updated",
                                             setting->who.space, setting->now_ms)
                               : status;
}

enum status drafts_set(struct db *db, const struct spaces_who *who, const char *thread,
                       const char *text, int64_t now_ms)
{
    struct setting setting = {.who = *who, .text = text, .now_ms = now_ms};
    if (!text_valid(text, 0, MESSAGES_TEXT_MAX, TEXT_PARAGRAPHS) ||
        (thread != NULL && !message_id_parse(thread, &setting.thread)))
        return STATUS_INVALID;
    return db_write(db, set_run, &setting);
}

/* ---- reading ---- */

struct reading {
    struct spaces_who who;
    struct arena *arena;
    struct json_list list;
};

static enum status list_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    char key[KEY_MAX + 1];
    enum status status = spaces_seat(session, &reading->who, SPACES_READ, NULL);
    if (status != STATUS_OK)
        return status;
    struct drafts_draft *items = arena_alloc(reading->arena, DRAFTS_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    reading->list = (struct json_list){.items = items};
    struct db_statement *select =
        db_prepare(session, "SELECT thread, text, changed FROM space_draft WHERE account = $1"
                            " AND space = $2 ORDER BY changed DESC, thread LIMIT $3");
    db_bind_text(select, 1, reading->who.account);
    db_bind_text(select, 2, reading->who.space);
    db_bind_int(select, 3, DRAFTS_MAX);
    while ((status = db_step(select)) == STATUS_OK) {
        struct drafts_draft *draft = &items[reading->list.count++];
        int64_t thread = db_column_int(select, 0);
        key_make(reading->who.account, thread, key);
        const struct vault_place place = {
            .space = reading->who.space, .table = "space_draft", .column = "text", .row = key};
        *draft = (struct drafts_draft){.changed = db_column_int(select, 2)};
        if (thread != 0)
            draft->thread = arena_printf(reading->arena, "%" PRId64, thread);
        if (thread != 0 && draft->thread == NULL)
            return STATUS_NO_MEMORY;
        status = vault_column(db_session_vault(session), &place, select, 1, reading->arena,
                              &draft->text);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status drafts_list(struct db *db, const struct spaces_who *who, struct arena *arena,
                        struct drafts_list *ret_list)
{
    struct reading reading = {.who = *who, .arena = arena};
    enum status status = db_read(db, list_run, &reading);
    if (status == STATUS_OK)
        ret_list->items = reading.list;
    return status;
}
