#include "modules/spaces/feed.h"

#include "core/fields.h"
#include "modules/spaces/message_rows.h"
#include "storage/event.h"

#include <stdio.h>
#include <string.h>

enum { FEED_WINDOW = 5000 /* sequence numbers looked through together */ };

static const struct json_field feed_event_fields[] = {
    INT(feed_event, seq, 1, INT64_MAX, true, NULL),
    TEXT(feed_event, type, 1, 32, true, "message.added, member.removed, ..."),
    TEXT(feed_event, space, 1, SPACES_ID_MAX, false, "absent: it is about oneself"),
    TEXT(feed_event, id, 0, 64, true, "of what changed"),
    LIST(feed_event, messages, &messages_message_table, 1, false,
         "of message.*: the message as it is now"),
    INT(feed_event, created, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(feed_event, "Something happened in one's spaces.");

static const struct json_field feed_page_fields[] = {
    LIST(feed_page, items, &feed_event_table, FEED_PAGE_MAX, true, "in order"),
    INT(feed_page, last, 0, INT64_MAX, true, "what to ask after next"),
    BOOL(feed_page, more, "there are some already"),
};

TABLE(feed_page, NULL);

struct feeding {
    const char *account;
    char scope[16 + SPACES_ID_MAX]; /* of the account */
    int64_t after;
    struct arena *arena;
    struct feed_page page;
};

/* {"id":"..."} -> what is quoted; ids need no escapes. */
static const char *payload_id(const char *payload, struct arena *arena)
{
    static const char start[] = "{\"id\":\"";
    if (strncmp(payload, start, sizeof start - 1) != 0)
        return "";
    payload += sizeof start - 1;
    return arena_strndup(arena, payload, strcspn(payload, "\""));
}

static enum status message_attach(struct db_session *session, struct arena *arena,
                                  struct feed_event *event)
{
    int64_t id;
    if (strncmp(event->type, "message.", 8) != 0 || !message_id_parse(event->id, &id))
        return STATUS_OK;
    struct messages_message *message = arena_alloc(arena, sizeof *message);
    if (message == NULL)
        return STATUS_NO_MEMORY;
    enum status status = message_load(session, event->space, id, arena, message);
    if (status == STATUS_OK)
        event->messages = (struct json_list){.items = message, .count = 1};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* A row of seq, scope, type, payload, created. `own`: it is of an account, not of a space. */
static enum status event_read(struct db_statement *row, bool own, struct arena *arena,
                              struct feed_event *event)
{
    *event = (struct feed_event){
        .seq = db_column_int(row, 0),
        .type = arena_strdup(arena, db_column_text(row, 2)),
        .id = payload_id(db_column_text(row, 3), arena),
        .created = db_column_int(row, 4),
    };
    event->space = own ? NULL : arena_strdup(arena, db_column_text(row, 1));
    return event->type == NULL || event->id == NULL || (!own && event->space == NULL)
               ? STATUS_NO_MEMORY
               : STATUS_OK;
}

/* One window: a look into the index for each space. */
static enum status window_read(struct db_session *session, struct feeding *feeding, int64_t from,
                               int64_t to)
{
    struct feed_page *page = &feeding->page;
    struct feed_event *items = page->items.items;
    struct db_statement *select = db_prepare(
        session,
        "SELECT e.seq, e.scope, e.type, e.payload, e.created FROM space_member m"
        " JOIN event e ON e.scope = m.space AND e.seq > $2 AND e.seq <= $3 WHERE m.account = $1"
        " UNION ALL SELECT e.seq, e.scope, e.type, e.payload, e.created FROM space_guest g"
        " JOIN event e ON e.scope = g.space AND e.seq > $2 AND e.seq <= $3 WHERE g.id = $1"
        " UNION ALL SELECT seq, scope, type, payload, created FROM event"
        " WHERE scope = $4 AND seq > $2 AND seq <= $3 ORDER BY 1 LIMIT $5");
    db_bind_text(select, 1, feeding->account);
    db_bind_int(select, 2, from);
    db_bind_int(select, 3, to);
    db_bind_text(select, 4, feeding->scope);
    db_bind_int(select, 5, FEED_PAGE_MAX + 1 - (int64_t)page->items.count);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        if (page->items.count == FEED_PAGE_MAX) {
            page->more = true;
            return STATUS_OK;
        }
        bool own = strcmp(db_column_text(select, 1), feeding->scope) == 0;
        status = event_read(select, own, feeding->arena, &items[page->items.count]);
        if (status == STATUS_OK && !own)
            status = message_attach(session, feeding->arena, &items[page->items.count]);
        if (status != STATUS_OK)
            return status;
        page->last = items[page->items.count++].seq;
    }
    if (status == STATUS_NOT_FOUND)
        page->last = to;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status feed_run(struct db_session *session, void *arg)
{
    struct feeding *feeding = arg;
    struct feed_page *page = &feeding->page;
    int64_t newest = 0;
    enum status status = event_newest(session, &newest);
    *page = (struct feed_page){.last = newest};
    if (status != STATUS_OK || feeding->after < 0)
        return status;
    status = event_window(session, feeding->after);
    page->items.items = arena_alloc(feeding->arena, FEED_PAGE_MAX * sizeof(struct feed_event));
    if (status == STATUS_OK && page->items.items == NULL)
        status = STATUS_NO_MEMORY;
    page->last = feeding->after;
    while (status == STATUS_OK && !page->more && page->last < newest) {
        int64_t to = newest - page->last > FEED_WINDOW ? page->last + FEED_WINDOW : newest;
        status = window_read(session, feeding, page->last, to);
    }
    return status;
}

enum status feed_list(struct db *db, const char *account, int64_t after, struct arena *arena,
                      struct feed_page *ret_page)
{
    struct feeding feeding = {.account = account, .after = after, .arena = arena};
    snprintf(feeding.scope, sizeof feeding.scope, "account:%s", account);
    enum status status = db_read(db, feed_run, &feeding);
    if (status == STATUS_OK)
        *ret_page = feeding.page;
    return status;
}

/* ---- at once ---- */

static const char account_scope[] = "account:";

struct telling {
    int64_t after, now_ms;
    struct arena *arena;
    struct feed_news news;
};

/* Who is in a space, as long as the telling takes. */
struct audience {
    const char *space;
    const char **accounts;
    size_t count;
};

static enum status audience_read(struct db_session *session, const char *space, int64_t now_ms,
                                 struct arena *arena, struct audience *ret_audience)
{
    struct audience found = {.space = space};
    size_t room = 0;
    struct db_statement *select =
        db_prepare(session, "SELECT account FROM space_member WHERE space = $1"
                            " UNION SELECT g.id FROM space_guest g"
                            " JOIN space_link l ON l.id = g.link"
                            " JOIN space s ON s.id = g.space AND s.links <> 'none'"
                            " WHERE g.space = $1 AND g.expires > $2");
    db_bind_text(select, 1, space);
    db_bind_int(select, 2, now_ms);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        if (found.count == room) {
            const char **wider = arena_alloc(arena, (room = 2 * room + 16) * sizeof *wider);
            if (wider == NULL)
                return STATUS_NO_MEMORY;
            if (found.count > 0)
                memcpy(wider, found.accounts, found.count * sizeof *wider);
            found.accounts = wider;
        }
        found.accounts[found.count] = arena_strdup(arena, db_column_text(select, 0));
        if (found.accounts[found.count++] == NULL)
            return STATUS_NO_MEMORY;
    }
    if (status == STATUS_NOT_FOUND)
        *ret_audience = found;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Those of a space are read once: `known` are the spaces of this page so far. */
static enum status audience_find(struct db_session *session, struct telling *telling,
                                 struct audience *known, size_t *known_count,
                                 struct feed_told *told)
{
    const char *space = told->event.space;
    for (size_t i = 0; i < *known_count; i++) {
        if (strcmp(known[i].space, space) == 0) {
            told->accounts = known[i].accounts;
            told->count = known[i].count;
            return STATUS_OK;
        }
    }
    struct audience *next = &known[*known_count];
    enum status status = audience_read(session, space, telling->now_ms, telling->arena, next);
    if (status != STATUS_OK)
        return status;
    told->accounts = next->accounts;
    told->count = next->count;
    (*known_count)++;
    return STATUS_OK;
}

static enum status told_read(struct db_statement *row, struct telling *telling,
                             struct feed_told *told)
{
    const char *scope = db_column_text(row, 1);
    size_t prefix = sizeof account_scope - 1;
    bool own = strncmp(scope, account_scope, prefix) == 0;
    if (own) {
        const char **account = arena_alloc(telling->arena, sizeof *account);
        if (account == NULL || (*account = arena_strdup(telling->arena, scope + prefix)) == NULL)
            return STATUS_NO_MEMORY;
        told->accounts = account;
        told->count = 1;
    }
    return event_read(row, own, telling->arena, &told->event);
}

static enum status news_run(struct db_session *session, void *arg)
{
    struct telling *telling = arg;
    struct feed_news *news = &telling->news;
    size_t known_count = 0;
    struct audience *known = arena_alloc(telling->arena, FEED_PAGE_MAX * sizeof *known);
    *news = (struct feed_news){
        .items = arena_alloc(telling->arena, FEED_PAGE_MAX * sizeof *news->items)};
    if (news->items == NULL || known == NULL)
        return STATUS_NO_MEMORY;
    enum status status = event_newest(session, &news->last);
    struct db_statement *select =
        db_prepare(session, "SELECT seq, scope, type, payload, created FROM event WHERE seq > $1"
                            " ORDER BY seq LIMIT $2");
    db_bind_int(select, 1, telling->after);
    db_bind_int(select, 2, FEED_PAGE_MAX + 1);
    while (status == STATUS_OK && (status = db_step(select)) == STATUS_OK) {
        if (news->count == FEED_PAGE_MAX) {
            news->more = true;
            news->last = news->items[news->count - 1].event.seq;
            break;
        }
        news->items[news->count] = (struct feed_told){.count = 0};
        status = told_read(select, telling, &news->items[news->count++]);
    }
    status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    for (size_t i = 0; status == STATUS_OK && i < news->count; i++) {
        struct feed_told *told = &news->items[i];
        if (told->event.space == NULL)
            continue;
        status = audience_find(session, telling, known, &known_count, told);
        if (status == STATUS_OK && told->count > 0)
            status = message_attach(session, telling->arena, &told->event);
    }
    return status;
}

enum status feed_news(struct db *db, int64_t after, int64_t now_ms, struct arena *arena,
                      struct feed_news *ret_news)
{
    struct telling telling = {.after = after, .now_ms = now_ms, .arena = arena};
    enum status status = db_read(db, news_run, &telling);
    if (status == STATUS_OK)
        *ret_news = telling.news;
    return status;
}
