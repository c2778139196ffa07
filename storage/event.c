#include "storage/event.h"

#include <stdio.h>
#include <string.h>

/* What is written and read in a space changes nobody's rights; all else may. */
static bool changes_rights(const char *type)
{
    static const char *const contents[] = {"message.", "file.", "draft.", "scheduled."};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        if (strncmp(type, contents[i], strlen(contents[i])) == 0)
            return false;
    }
    return true;
}

enum status event_write(struct db_session *session, const char *scope, const char *type,
                        const char *payload, int64_t now_ms, int64_t *ret_seq)
{
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO event (scope, type, payload, created)"
                            " VALUES ($1, $2, $3, $4) RETURNING seq");
    db_bind_text(insert, 1, scope);
    db_bind_text(insert, 2, type);
    db_bind_text(insert, 3, payload);
    db_bind_int(insert, 4, now_ms);
    if (changes_rights(type))
        db_changed(session, scope);
    db_signal(session, DB_EVENTS);
    enum status status = db_step(insert);
    if (status == STATUS_OK && ret_seq)
        *ret_seq = db_column_int(insert, 0);
    return status;
}

enum status event_write_id(struct db_session *session, const char *scope, const char *type,
                           const char *id, int64_t now_ms)
{
    char payload[80];
    if (snprintf(payload, sizeof payload, "{\"id\":\"%s\"}", id) >= (int)sizeof payload)
        return STATUS_INVALID;
    return event_write(session, scope, type, payload, now_ms, NULL);
}

/* ---- reading ---- */

static enum status pruned_read(struct db_session *session, int64_t *ret_seq)
{
    struct db_statement *select = db_prepare(session, "SELECT seq FROM event_pruned WHERE one = 1");
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_seq = db_column_int(select, 0);
    return status;
}

enum status event_newest(struct db_session *session, int64_t *ret_seq)
{
    int64_t pruned = 0;
    enum status status = pruned_read(session, &pruned);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select = db_prepare(session, "SELECT max(seq) FROM event");
    status = db_step(select);
    if (status == STATUS_OK) {
        int64_t newest = db_column_int(select, 0); /* of NULL: 0 */
        *ret_seq = newest > pruned ? newest : pruned;
    }
    return status;
}

struct listing {
    const char *scope;
    int64_t after;
    struct arena *arena;
    struct event_list list;
};

/* What a client claims to have seen must lie in what is still known. */
enum status event_window(struct db_session *session, int64_t after)
{
    int64_t pruned = 0, last = 0;
    enum status status = pruned_read(session, &pruned);
    if (status == STATUS_OK)
        status = event_newest(session, &last);
    if (status == STATUS_OK && (after < pruned || after > last))
        status = STATUS_OUT_OF_WINDOW;
    return status;
}

static enum status event_copy(struct db_statement *row, struct arena *arena,
                              struct event *ret_event)
{
    struct event event = {
        .seq = db_column_int(row, 0),
        .type = arena_strdup(arena, db_column_text(row, 1)),
        .payload = arena_strdup(arena, db_column_text(row, 2)),
        .created = db_column_int(row, 3),
    };
    if (!event.type || !event.payload)
        return STATUS_NO_MEMORY;
    *ret_event = event;
    return STATUS_OK;
}

static enum status list_read(struct db_session *session, void *arg)
{
    struct listing *listing = arg;
    struct event_list *list = &listing->list;
    *list = (struct event_list){0};
    enum status status = event_window(session, listing->after);
    if (status != STATUS_OK)
        return status;
    list->items = arena_alloc(listing->arena, EVENT_LIST_MAX * sizeof list->items[0]);
    if (!list->items)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, "SELECT seq, type, payload, created FROM event"
                            " WHERE scope = $1 AND seq > $2 ORDER BY seq LIMIT $3");
    db_bind_text(select, 1, listing->scope);
    db_bind_int(select, 2, listing->after);
    db_bind_int(select, 3, EVENT_LIST_MAX + 1);
    while ((status = db_step(select)) == STATUS_OK) {
        if (list->count == EVENT_LIST_MAX) {
            list->more = true;
            return STATUS_OK;
        }
        status = event_copy(select, listing->arena, &list->items[list->count]);
        if (status != STATUS_OK)
            return status;
        list->count++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status event_list(struct db *db, const char *scope, int64_t after, struct arena *arena,
                       struct event_list *ret_list)
{
    struct listing listing = {.scope = scope, .after = after, .arena = arena};
    enum status status = db_read(db, list_read, &listing);
    if (status == STATUS_OK)
        *ret_list = listing.list;
    return status;
}

static enum status last_run(struct db_session *session, void *arg)
{
    return event_newest(session, arg);
}

enum status event_last(struct db *db, int64_t *ret_seq)
{
    return db_read(db, last_run, ret_seq);
}

/* ---- pruning ---- */

struct pruning {
    int64_t before_ms;
    int64_t removed; /* by this transaction */
};

/* The last seq of the oldest run of events made before before_ms; walks EVENT_PRUNE_MAX at most. */
static enum status prune_end_find(struct db_session *session, struct pruning *pruning,
                                  int64_t *ret_end)
{
    int64_t end = 0;
    enum status status = pruned_read(session, &end);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select =
        db_prepare(session, "SELECT seq, created FROM event WHERE seq > $1 ORDER BY seq LIMIT $2");
    db_bind_int(select, 1, end);
    db_bind_int(select, 2, EVENT_PRUNE_MAX);
    pruning->removed = 0;
    while ((status = db_step(select)) == STATUS_OK &&
           db_column_int(select, 1) < pruning->before_ms) {
        end = db_column_int(select, 0);
        pruning->removed++;
    }
    *ret_end = end;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status prune_run(struct db_session *session, void *arg)
{
    struct pruning *pruning = arg;
    int64_t end = 0;
    enum status status = prune_end_find(session, pruning, &end);
    if (status != STATUS_OK || pruning->removed == 0)
        return status;
    struct db_statement *remove = db_prepare(session, "DELETE FROM event WHERE seq <= $1");
    db_bind_int(remove, 1, end);
    status = db_run(remove);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE event_pruned SET seq = $1 WHERE one = 1");
    db_bind_int(update, 1, end);
    return db_run(update);
}

enum status event_prune(struct db *db, int64_t before_ms, int64_t *ret_removed)
{
    struct pruning pruning = {.before_ms = before_ms};
    int64_t removed = 0;
    enum status status;
    do {
        status = db_write(db, prune_run, &pruning);
        if (status == STATUS_OK)
            removed += pruning.removed;
    } while (status == STATUS_OK && pruning.removed == EVENT_PRUNE_MAX);
    if (status == STATUS_OK)
        *ret_removed = removed;
    return status;
}
