#include "modules/spaces/previews.h"

#include "core/fields.h"
#include "modules/previews/page.h"
#include "modules/previews/urls.h"
#include "modules/spaces/message_rows.h"
#include "modules/spaces/message_seat.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <assert.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

static_assert((int)MESSAGES_PREVIEWS_MAX == (int)URLS_MAX, "a card a link");
static_assert((int)MESSAGES_PREVIEW_URL_MAX == (int)URLS_BYTES_MAX, "any link");
static_assert((int)MESSAGES_PREVIEW_TITLE_MAX == (int)PAGE_TITLE_MAX &&
                  (int)MESSAGES_PREVIEW_ABOUT_MAX == (int)PAGE_ABOUT_MAX &&
                  (int)MESSAGES_PREVIEW_SITE_MAX == (int)PAGE_SITE_MAX,
              "whatever a page says");

const char previews_kind[] = "message.preview";

/* The links of a text, and what the rows of their cards are called. */
struct links {
    struct urls_url urls[URLS_MAX];
    char ids[URLS_MAX][MESSAGES_PREVIEW_ID_CHARS + 1];
    size_t count;
};

static enum status links_read(struct vault *vault, const char *space, const char *text,
                              struct links *ret_links)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    enum status status = STATUS_OK;
    *ret_links = (struct links){.count = 0};
    ret_links->count = urls_find(text, ret_links->urls);
    for (size_t i = 0; status == STATUS_OK && i < ret_links->count; i++) {
        const struct urls_url *url = &ret_links->urls[i];
        status = vault_hash(vault, space, "space_preview", url->text, url->length, hash);
        if (status == STATUS_OK)
            crypto_hex(hash, MESSAGES_PREVIEW_ID_CHARS / 2, ret_links->ids[i]);
    }
    return status;
}

/* ---- rows ---- */

/* What is sealed of a card: all but its id. */
static const struct json_field card_fields[] = {
    TEXT(messages_preview, url, 1, MESSAGES_PREVIEW_URL_MAX, true, NULL),
    TEXT(messages_preview, title, 1, MESSAGES_PREVIEW_TITLE_MAX, true, NULL),
    TEXT(messages_preview, about, 0, MESSAGES_PREVIEW_ABOUT_MAX, true, NULL),
    TEXT(messages_preview, site, 0, MESSAGES_PREVIEW_SITE_MAX, true, NULL),
};

static const struct json_table card_table = {.name = "card",
                                             .size = sizeof(struct messages_preview),
                                             .fields = card_fields,
                                             .field_count =
                                                 sizeof card_fields / sizeof card_fields[0]};

/* Of which the place borrows ret_row. */
static struct vault_place card_place(const char *space, int64_t message, const char *id,
                                     char ret_row[VAULT_ROW_MAX])
{
    snprintf(ret_row, VAULT_ROW_MAX, "%" PRId64 "/%s", message, id);
    return (struct vault_place){
        .space = space, .table = "space_preview", .column = "card", .row = ret_row};
}

static enum status card_decode(const char *text, struct arena *arena,
                               struct messages_preview *ret_preview)
{
    struct json *json = NULL;
    struct json_error error;
    const char *id = ret_preview->id;
    enum status status = json_parse(text, strlen(text), &json, &error);
    if (status == STATUS_OK)
        status = json_decode(&card_table, json, arena, ret_preview, &error);
    json_free(json);
    ret_preview->id = id;
    return status == STATUS_INVALID ? STATUS_CORRUPT : status;
}

static enum status row_read(struct db_session *session, struct db_statement *row, const char *space,
                            int64_t message, struct arena *arena,
                            struct messages_preview *ret_preview)
{
    char key[VAULT_ROW_MAX];
    const char *card = NULL;
    ret_preview->id = arena_strdup(arena, db_column_text(row, 0));
    if (ret_preview->id == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place place = card_place(space, message, ret_preview->id, key);
    enum status status = vault_column(db_session_vault(session), &place, row, 1, arena, &card);
    return status == STATUS_OK ? card_decode(card, arena, ret_preview) : status;
}

enum status previews_load(struct db_session *session, const char *space, int64_t message,
                          struct arena *arena, struct json_list *ret_list)
{
    struct messages_preview *items = NULL;
    size_t count = 0;
    struct db_statement *select =
        db_prepare(session, "SELECT id, card FROM space_preview WHERE message = $1"
                            " AND card IS NOT NULL ORDER BY place LIMIT $2");
    db_bind_int(select, 1, message);
    db_bind_int(select, 2, MESSAGES_PREVIEWS_MAX);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        if (items == NULL)
            items = arena_alloc(arena, MESSAGES_PREVIEWS_MAX * sizeof *items);
        if (items == NULL)
            return STATUS_NO_MEMORY;
        status = row_read(session, select, space, message, arena, &items[count++]);
        if (status != STATUS_OK)
            return status;
    }
    *ret_list = (struct json_list){.items = items, .count = count};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- what the text wants ---- */

static enum status rows_keep(struct db_session *session, int64_t message, const struct links *links)
{
    struct db_statement *drop = db_prepare(session, "DELETE FROM space_preview WHERE message = $1"
                                                    " AND id <> $2 AND id <> $3 AND id <> $4");
    db_bind_int(drop, 1, message);
    for (int i = 0; i < URLS_MAX; i++)
        db_bind_text(drop, 2 + i, links->ids[i]); /* "": no row's */
    enum status status = db_run(drop);
    for (size_t i = 0; status == STATUS_OK && i < links->count; i++) {
        struct db_statement *move = db_prepare(
            session, "UPDATE space_preview SET place = $3 WHERE message = $1 AND id = $2");
        db_bind_int(move, 1, message);
        db_bind_text(move, 2, links->ids[i]);
        db_bind_int(move, 3, (int64_t)i);
        status = db_run(move);
    }
    return status;
}

enum status previews_want(struct db_session *session, const char *space, int64_t message,
                          const char *text, int64_t now_ms)
{
    char key[MESSAGES_ID_MAX + 2];
    struct links links;
    enum status status = links_read(db_session_vault(session), space, text, &links);
    if (status == STATUS_OK)
        status = rows_keep(session, message, &links);
    if (status != STATUS_OK || links.count == 0)
        return status;
    snprintf(key, sizeof key, "%" PRId64, message);
    const struct jobs_new job = {.kind = previews_kind, .space = space, .key = key};
    status = jobs_add(session, &job, now_ms);
    /* A message is worth more than its cards. */
    return status == STATUS_LIMIT ? STATUS_OK : status;
}

/* ---- taking one away ---- */

struct removing {
    struct spaces_who who;
    int64_t id;
    const char *preview;
    int64_t now_ms;
    struct arena *arena;
    struct messages_message message;
};

static enum status removing_may(struct db_session *session, struct removing *removing)
{
    struct message_seat seat;
    enum status status =
        message_seat_take(session, &removing->who, SPACES_COMMENT, removing->arena, &seat);
    if (status == STATUS_OK)
        status = message_load(session, removing->who.space, removing->id, removing->arena,
                              &removing->message);
    if (status == STATUS_OK && !message_seat_sees(&seat, removing->message.meeting))
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK || strcmp(removing->message.author, removing->who.account) == 0)
        return status;
    return seat.meeting == NULL ? spaces_seat(session, &removing->who, SPACES_MANAGE, NULL)
                                : STATUS_DENIED;
}

static enum status remove_run(struct db_session *session, void *arg)
{
    struct removing *removing = arg;
    enum status status = removing_may(session, removing);
    if (status != STATUS_OK)
        return status;
    struct db_statement *wipe =
        db_prepare(session, "UPDATE space_preview SET card = NULL WHERE message = $1 AND id = $2"
                            " AND card IS NOT NULL RETURNING place");
    db_bind_int(wipe, 1, removing->id);
    db_bind_text(wipe, 2, removing->preview);
    status = db_step(wipe);
    return status == STATUS_OK
               ? message_updated(session, removing->who.space, removing->id, removing->now_ms,
                                 removing->arena, &removing->message)
               : status;
}

enum status previews_remove(struct db *db, const struct spaces_who *who, const char *id,
                            const char *preview, int64_t now_ms, struct arena *arena,
                            struct messages_message *ret_message)
{
    struct removing removing = {.who = *who, .preview = preview, .now_ms = now_ms, .arena = arena};
    if (!message_id_parse(id, &removing.id))
        return STATUS_NOT_FOUND;
    enum status status = db_write(db, remove_run, &removing);
    if (status == STATUS_OK)
        *ret_message = removing.message;
    return status;
}

/* ---- asking one page ---- */

struct asking {
    sem_t answered;
    bool found;
    struct page page;
};

static void on_answer(void *context, const struct http_fetch_answer *answer)
{
    struct asking *asking = context;
    struct arena *arena = NULL;
    if (answer->status == STATUS_OK && answer->code == 200 &&
        arena_new(PAGE_GROWTH * answer->body_length + 4096, &arena) == STATUS_OK)
        asking->found = page_read(answer->content_type, (const char *)answer->body,
                                  answer->body_length, arena, &asking->page) == STATUS_OK &&
                        asking->page.title[0] != '\0';
    arena_free(arena);
    sem_post(&asking->answered);
}

/* *ret_found false: nothing to show, now or later. */
static enum status ask(struct http_fetch *fetch, const char *url, struct page *ret_page,
                       bool *ret_found)
{
    static const char *const headers[] = {"User-Agent: Parley (link preview)", "Accept: text/html"};
    const struct http_fetch_request request = {.url = url,
                                               .headers = headers,
                                               .header_count = sizeof headers / sizeof headers[0],
                                               .size_max = PREVIEWS_PAGE_MAX,
                                               .cut = true,
                                               .time_ms_max = PREVIEWS_TIME_MS,
                                               .redirects_max = PREVIEWS_REDIRECTS};
    struct asking asking = {.found = false};
    if (sem_init(&asking.answered, 0, 0) != 0)
        return STATUS_NO_MEMORY;
    enum status status = http_fetch_start(fetch, &request, on_answer, &asking);
    if (status == STATUS_OK) {
        while (sem_wait(&asking.answered) != 0)
            continue; /* a signal */
    }
    sem_destroy(&asking.answered);
    *ret_page = asking.page;
    *ret_found = asking.found;
    return status == STATUS_INVALID || status == STATUS_DENIED ? STATUS_OK : status;
}

/* ---- the job ---- */

struct fetching {
    const char *space;
    int64_t id;
    struct arena *arena;
    struct messages_message message;
    struct links links; /* of the message as it was when it began */
    bool known[URLS_MAX];
    struct messages_preview cards[URLS_MAX]; /* url NULL: none */
    int64_t now_ms;
    bool changed;
};

/* Which links have a row; the message may be gone, or have none any more. */
static enum status look_run(struct db_session *session, void *arg)
{
    struct fetching *fetching = arg;
    enum status status =
        message_load(session, fetching->space, fetching->id, fetching->arena, &fetching->message);
    if (status == STATUS_OK)
        status = links_read(db_session_vault(session), fetching->space, fetching->message.text,
                            &fetching->links);
    for (size_t i = 0; status == STATUS_OK && i < fetching->links.count; i++) {
        struct db_statement *select =
            db_prepare(session, "SELECT place FROM space_preview WHERE message = $1 AND id = $2");
        db_bind_int(select, 1, fetching->id);
        db_bind_text(select, 2, fetching->links.ids[i]);
        status = db_step(select);
        fetching->known[i] = status == STATUS_OK;
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    return status;
}

static enum status card_store(struct db_session *session, struct fetching *fetching, size_t place,
                              const char *id, const struct messages_preview *card)
{
    char row[VAULT_ROW_MAX];
    const struct vault_place where = card_place(fetching->space, fetching->id, id, row);
    const char *text = json_encode(&card_table, card, fetching->arena);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_preview (message, id, place, card)"
                            " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING place");
    db_bind_int(insert, 1, fetching->id);
    db_bind_text(insert, 2, id);
    db_bind_int(insert, 3, (int64_t)place);
    enum status status = vault_bind(db_session_vault(session), &where, insert, 4, text);
    if (status == STATUS_OK)
        status = db_step(insert);
    fetching->changed = fetching->changed || status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The text may be another meanwhile: only what it still links to is kept. */
static enum status store_run(struct db_session *session, void *arg)
{
    struct fetching *fetching = arg;
    struct links now;
    fetching->changed = false;
    enum status status =
        message_load(session, fetching->space, fetching->id, fetching->arena, &fetching->message);
    if (status == STATUS_OK)
        status =
            links_read(db_session_vault(session), fetching->space, fetching->message.text, &now);
    for (size_t i = 0; status == STATUS_OK && i < now.count; i++)
        for (size_t k = 0; status == STATUS_OK && k < fetching->links.count; k++)
            if (fetching->cards[k].url != NULL && strcmp(now.ids[i], fetching->links.ids[k]) == 0)
                status = card_store(session, fetching, i, now.ids[i], &fetching->cards[k]);
    return status == STATUS_OK && fetching->changed
               ? message_updated(session, fetching->space, fetching->id, fetching->now_ms,
                                 fetching->arena, &fetching->message)
               : status;
}

static enum status card_fetch(struct http_fetch *fetch, struct fetching *fetching, size_t at,
                              bool *ret_found)
{
    struct arena *arena = fetching->arena;
    const struct urls_url *link = &fetching->links.urls[at];
    struct page page;
    const char *url = arena_strndup(arena, link->text, link->length);
    if (url == NULL)
        return STATUS_NO_MEMORY;
    enum status status = ask(fetch, url, &page, ret_found);
    if (status != STATUS_OK || !*ret_found)
        return status;
    fetching->cards[at] = (struct messages_preview){.url = url,
                                                    .title = arena_strdup(arena, page.title),
                                                    .about = arena_strdup(arena, page.about),
                                                    .site = arena_strdup(arena, page.site)};
    const struct messages_preview *card = &fetching->cards[at];
    return card->title != NULL && card->about != NULL && card->site != NULL ? STATUS_OK
                                                                            : STATUS_NO_MEMORY;
}

enum status previews_fetch(struct db *db, struct http_fetch *fetch, const struct jobs_job *job,
                           int64_t now_ms, struct arena *arena,
                           struct messages_message *ret_message, bool *ret_changed)
{
    struct fetching fetching = {.space = job->space, .arena = arena, .now_ms = now_ms};
    bool any = false;
    *ret_changed = false;
    if (!message_id_parse(job->key, &fetching.id))
        return STATUS_INVALID;
    enum status status = db_read(db, look_run, &fetching);
    for (size_t i = 0; status == STATUS_OK && i < fetching.links.count; i++) {
        bool found = false;
        if (atomic_load(job->ending))
            status = STATUS_AGAIN;
        else if (!fetching.known[i])
            status = card_fetch(fetch, &fetching, i, &found);
        any = any || found;
    }
    if (status == STATUS_OK && any)
        status = db_write(db, store_run, &fetching);
    if (status == STATUS_NOT_FOUND) /* the message has gone with its space */
        return STATUS_OK;
    *ret_changed = status == STATUS_OK && fetching.changed;
    if (*ret_changed)
        *ret_message = fetching.message;
    return status;
}
