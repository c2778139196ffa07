#include "modules/chat/chat_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool chat_id_parse(const char *text, int64_t *ret_id)
{
    size_t length = strnlen(text, CHAT_ID_DIGITS_MAX + 1);
    if (length == 0 || length > CHAT_ID_DIGITS_MAX || text[0] == '0' ||
        strspn(text, "0123456789") != length)
        return false;
    unsigned long long id = strtoull(text, NULL, 10);
    if (id > INT64_MAX)
        return false;
    *ret_id = (int64_t)id;
    return true;
}

/* ---- reactions ---- */

/* A message's reactions while they are gathered: rows come in the order people reacted. */
struct gathering {
    struct chat_reaction *reactions; /* CHAT_REACTIONS_MAX */
    size_t count;
    const char **by; /* CHAT_REACTORS_MAX: who, in the order of rows */
    uint8_t *emoji;  /* of each: index into reactions */
    size_t by_count;
};

/* Index of the emoji among the reactions, a new one if needed; CHAT_REACTIONS_MAX: no room. */
static size_t emoji_index(struct gathering *gathering, const char *emoji, struct arena *arena)
{
    size_t i = 0;
    while (i < gathering->count && strcmp(gathering->reactions[i].emoji, emoji) != 0)
        i++;
    if (i == gathering->count && i < CHAT_REACTIONS_MAX) {
        gathering->reactions[i].emoji = arena_strdup(arena, emoji);
        if (!gathering->reactions[i].emoji)
            return CHAT_REACTIONS_MAX;
        gathering->count++;
    }
    return i;
}

/* Sorts who reacted into the lists of their emoji. */
static enum status lists_make(struct gathering *gathering, struct arena *arena)
{
    for (size_t i = 0; i < gathering->by_count; i++)
        gathering->reactions[gathering->emoji[i]].by.count++;
    for (size_t k = 0; k < gathering->count; k++) {
        struct json_list *by = &gathering->reactions[k].by;
        const char **who = arena_alloc(arena, by->count * sizeof who[0]);
        if (!who)
            return STATUS_NO_MEMORY;
        by->count = 0;
        for (size_t i = 0; i < gathering->by_count; i++)
            if (gathering->emoji[i] == k)
                who[by->count++] = gathering->by[i];
        by->items = who;
    }
    return STATUS_OK;
}

static enum status reactions_load(struct db_session *session, int64_t message, struct arena *arena,
                                  struct json_list *ret_reactions)
{
    struct gathering gathering = {0};
    const char *by[CHAT_REACTORS_MAX];
    uint8_t emoji[CHAT_REACTORS_MAX];
    struct chat_reaction reactions[CHAT_REACTIONS_MAX] = {0};
    gathering.by = by;
    gathering.emoji = emoji;
    gathering.reactions = reactions;
    struct db_statement *select =
        db_prepare(session, "SELECT emoji, participant FROM message_reaction"
                            " WHERE message = $1 ORDER BY seq LIMIT $2");
    db_bind_int(select, 1, message);
    db_bind_int(select, 2, CHAT_REACTORS_MAX);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        size_t index = emoji_index(&gathering, db_column_text(select, 0), arena);
        const char *who = arena_strdup(arena, db_column_text(select, 1));
        if (index == CHAT_REACTIONS_MAX || !who)
            return STATUS_NO_MEMORY;
        emoji[gathering.by_count] = (uint8_t)index;
        by[gathering.by_count++] = who;
    }
    if (status != STATUS_NOT_FOUND)
        return status;
    *ret_reactions = (struct json_list){0};
    if (gathering.count == 0)
        return STATUS_OK;
    status = lists_make(&gathering, arena);
    struct chat_reaction *items = arena_alloc(arena, gathering.count * sizeof items[0]);
    if (status != STATUS_OK || !items)
        return STATUS_NO_MEMORY;
    memcpy(items, reactions, gathering.count * sizeof items[0]);
    *ret_reactions = (struct json_list){.items = items, .count = gathering.count};
    return STATUS_OK;
}

/* ---- messages ---- */

#define MESSAGE_COLUMNS                                                                            \
    "id, author, author_name_sealed, text_sealed, reply_to, created, edited, deleted"

struct vault_place chat_text_place(int64_t message)
{
    return (struct vault_place){.table = "message", .column = "text_sealed", .id = message};
}

struct vault_place chat_author_place(int64_t message)
{
    return (struct vault_place){.table = "message", .column = "author_name_sealed", .id = message};
}

static enum status texts_unseal(struct vault *vault, struct db_statement *row, struct arena *arena,
                                struct chat_message *message)
{
    int64_t id = db_column_int(row, 0);
    struct vault_place author = chat_author_place(id), text = chat_text_place(id);
    enum status status = vault_column(vault, &author, row, 2, arena, &message->author_name);
    message->text = "";
    if (status == STATUS_OK && message->deleted == 0)
        status = vault_column(vault, &text, row, 3, arena, &message->text);
    return status;
}

static enum status message_copy(struct vault *vault, struct db_statement *row, struct arena *arena,
                                struct chat_message *ret_message)
{
    int64_t reply_to = db_column_int(row, 4);
    struct chat_message message = {
        .id = arena_printf(arena, "%" PRId64, db_column_int(row, 0)),
        .author = arena_strdup(arena, db_column_text(row, 1)),
        .created = db_column_int(row, 5),
        .edited = db_column_int(row, 6),
        .deleted = db_column_int(row, 7),
    };
    if (reply_to != 0)
        message.reply_to = arena_printf(arena, "%" PRId64, reply_to);
    if (!message.id || !message.author || (reply_to != 0 && !message.reply_to))
        return STATUS_NO_MEMORY;
    enum status status = texts_unseal(vault, row, arena, &message);
    if (status == STATUS_OK)
        *ret_message = message;
    return status;
}

enum status chat_message_load(struct db_session *session, const char *meeting, int64_t id,
                              struct arena *arena, struct chat_message *ret_message)
{
    struct chat_message message;
    struct db_statement *select = db_prepare(
        session, "SELECT " MESSAGE_COLUMNS " FROM message WHERE id = $1 AND meeting = $2");
    db_bind_int(select, 1, id);
    db_bind_text(select, 2, meeting);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status = message_copy(db_session_vault(session), select, arena, &message);
    if (status == STATUS_OK)
        status = reactions_load(session, id, arena, &message.reactions);
    if (status == STATUS_OK)
        *ret_message = message;
    return status;
}

/* ---- pages ---- */

struct paging {
    const char *meeting;
    int64_t before; /* INT64_MAX: the newest */
    size_t limit;
    struct arena *arena;
    struct chat_page page;
};

static size_t weight(const struct chat_message *message)
{
    const struct chat_reaction *reactions = message->reactions.items;
    size_t bytes = strlen(message->text);
    for (size_t i = 0; i < message->reactions.count; i++)
        bytes += CHAT_EMOJI_MAX + reactions[i].by.count * 24; /* an id, quotes, a comma */
    return bytes;
}

/* Newest first, into messages[limit - 1] and downwards, so that the page ends up oldest first. */
static enum status page_run(struct db_session *session, void *arg)
{
    struct paging *paging = arg;
    struct chat_message *messages = arena_alloc(paging->arena, paging->limit * sizeof messages[0]);
    if (!messages)
        return STATUS_NO_MEMORY;
    size_t first = paging->limit, bytes = 0;
    bool more = false;
    struct db_statement *select =
        db_prepare(session, "SELECT " MESSAGE_COLUMNS " FROM message"
                            " WHERE meeting = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    db_bind_text(select, 1, paging->meeting);
    db_bind_int(select, 2, paging->before);
    db_bind_int(select, 3, (int64_t)paging->limit + 1);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        struct chat_message message;
        more = first == 0;
        if (more)
            break;
        status = message_copy(db_session_vault(session), select, paging->arena, &message);
        if (status == STATUS_OK)
            status = reactions_load(session, db_column_int(select, 0), paging->arena,
                                    &message.reactions);
        if (status != STATUS_OK)
            return status;
        bytes += weight(&message);
        more = first < paging->limit && bytes > CHAT_PAGE_BYTES_MAX;
        if (more)
            break;
        messages[--first] = message;
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    paging->page = (struct chat_page){
        .messages = {.items = messages + first, .count = paging->limit - first},
        .more = more,
    };
    return STATUS_OK;
}

static enum status page_read(struct db *db, const char *meeting, int64_t before, int64_t limit,
                             struct arena *arena, struct chat_page *ret_page)
{
    if (limit < 1)
        limit = 1;
    if (limit > CHAT_HISTORY_MAX)
        limit = CHAT_HISTORY_MAX;
    struct paging paging = {
        .meeting = meeting, .before = before, .limit = (size_t)limit, .arena = arena};
    enum status status = db_read(db, page_run, &paging);
    if (status == STATUS_OK)
        *ret_page = paging.page;
    return status;
}

enum status chat_history(struct db *db, const char *meeting, const char *before, int64_t limit,
                         struct arena *arena, struct chat_page *ret_page)
{
    int64_t id = INT64_MAX;
    if (before && before[0] && !chat_id_parse(before, &id))
        return STATUS_INVALID;
    return page_read(db, meeting, id, limit, arena, ret_page);
}

enum status chat_recent(struct db *db, const char *meeting, struct arena *arena,
                        struct chat_page *ret_page)
{
    return page_read(db, meeting, INT64_MAX, CHAT_RECENT, arena, ret_page);
}
