/*
 * modules/search/search_messages.c - messages among the hits.
 */
#include "modules/search/search_state.h"

#include <inttypes.h>
#include <string.h>

static bool in_time(const struct search_wish *wish, int64_t created)
{
    return created >= wish->after && (wish->before == 0 || created < wish->before);
}

static enum status text_read(struct searching *searching, const struct search_scope *scope,
                             int64_t doc, struct db_statement *row, const char **ret_text)
{
    const struct vault_place place = {
        .space = scope->space, .table = "space_message", .column = "text", .id = doc};
    /* Before search_text, which gives the memory back first: the text has to stay. */
    enum status status = vault_column(db_session_vault(searching->session), &place, row, 0,
                                      searching->arena, ret_text);
    return status == STATUS_OK && *ret_text == NULL ? STATUS_NOT_FOUND : status;
}

static enum status message_compare(struct searching *searching, const struct search_scope *scope,
                                   int64_t doc, struct search_found *found)
{
    const char *text;
    struct search_hit *hit = &found->hit;
    struct db_statement *select = db_prepare(
        searching->session, "SELECT text, author, thread, created, guest FROM space_message"
                            " WHERE id = $1 AND space = $2 AND deleted IS NULL");
    db_bind_int(select, 1, doc);
    db_bind_text(select, 2, scope->space);
    enum status status = db_step(select);
    if (status == STATUS_OK && !in_time(searching->wish, db_column_int(select, 3)))
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = text_read(searching, scope, doc, select, &text);
    if (status == STATUS_OK)
        status = search_text(searching, text, &hit->snippet, &found->score);
    if (status != STATUS_OK)
        return status;
    int64_t thread = db_column_int(select, 2);
    const struct vault_place guest = {
        .space = scope->space, .table = "space_message", .column = "guest", .id = doc};
    status = vault_column(db_session_vault(searching->session), &guest, select, 4, searching->arena,
                          &hit->author_name);
    if (status != STATUS_OK)
        return status;
    hit->kind = "message";
    hit->id = arena_printf(searching->arena, "%" PRId64, doc);
    hit->space = scope->space;
    hit->author = arena_strdup(searching->arena, db_column_text(select, 1));
    hit->thread = thread != 0 ? arena_printf(searching->arena, "%" PRId64, thread) : NULL;
    hit->created = db_column_int(select, 3);
    return hit->id != NULL && hit->author != NULL && (thread == 0 || hit->thread != NULL)
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

/* ---- times: ids rise with time, so that a time is found among them by halving ---- */

enum { TIME_SLACK_MS = 60000 /* messages of one group commit may be out of order */ };

static enum status time_at(struct searching *searching, int64_t id, int64_t *ret_id,
                           int64_t *ret_created)
{
    struct db_statement *select =
        db_prepare(searching->session,
                   "SELECT id, created FROM space_message WHERE id <= $1 ORDER BY id DESC LIMIT 1");
    db_bind_int(select, 1, id);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    *ret_id = db_column_int(select, 0);
    *ret_created = db_column_int(select, 1);
    return STATUS_OK;
}

/* The id that all messages created before `time` are below of. */
static enum status time_find(struct searching *searching, int64_t time, int64_t *ret_id)
{
    int64_t low = 0, high = 0, id, created;
    enum status status = time_at(searching, INT64_MAX, &high, &created);
    while (status == STATUS_OK && low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        status = time_at(searching, middle, &id, &created);
        if (status == STATUS_NOT_FOUND || (status == STATUS_OK && created < time)) {
            low = middle;
            status = STATUS_OK;
        } else if (status == STATUS_OK) {
            high = id - 1 > low ? id - 1 : low;
        }
    }
    *ret_id = low + 1;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- all of them ---- */

enum status search_messages(struct searching *searching)
{
    const struct search_wish *wish = searching->wish;
    const char *tags[2];
    size_t count = 0;
    enum status status = STATUS_OK;
    if (wish->from != NULL)
        tags[count++] = arena_printf(searching->arena, "from:%s", wish->from);
    if (wish->has != NULL)
        tags[count++] = arena_printf(searching->arena, "has:%s", wish->has);
    for (size_t i = 0; i < count; i++)
        if (tags[i] == NULL)
            return STATUS_NO_MEMORY;
    if (wish->before != 0) {
        int64_t id;
        status = time_find(searching, wish->before + TIME_SLACK_MS, &id);
        if (status == STATUS_OK && id < searching->below)
            searching->below = id;
    }
    if (wish->after != 0 && status == STATUS_OK)
        status = time_find(searching, wish->after - TIME_SLACK_MS, &searching->oldest);
    return status == STATUS_OK
               ? search_newest(searching, TERMS_MESSAGE, tags, count, message_compare)
               : status;
}
