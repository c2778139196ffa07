#include "modules/phone/records.h"

#include "storage/event.h"
#include "storage/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char scope[] = "phone"; /* of the events */

static struct vault_place number_place(const char *id)
{
    return (struct vault_place){.table = "phone_call", .column = "number_sealed", .row = id};
}

/* Every minute that was begun is paid. */
static int64_t cost_of(int64_t rate, int64_t length_ms)
{
    return rate * ((length_ms + RECORDS_MINUTE_MS - 1) / RECORDS_MINUTE_MS);
}

/* ---- writing ---- */

static void bind_time(struct db_statement *statement, int index, int64_t ms)
{
    if (ms != 0)
        db_bind_int(statement, index, ms);
    else
        db_bind_null(statement, index);
}

static enum status record_put(struct db_session *session, const struct record *record)
{
    struct db_statement *upsert = db_prepare(
        session,
        "INSERT INTO phone_call (id, direction, meeting, caller, number_sealed, prefix, rate, cost,"
        " started, answered, ended, codec, mos, code, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        " ON CONFLICT (id) DO UPDATE SET meeting = $3, cost = $8, answered = $10, ended = $11,"
        " codec = $12, mos = $13, code = $14, reason = $15 WHERE phone_call.ended IS NULL");
    struct vault_place place = number_place(record->id);
    db_bind_text(upsert, 1, record->id);
    db_bind_text(upsert, 2, record->direction == RECORD_OUT ? "out" : "in");
    db_bind_text(upsert, 3, record->meeting);
    db_bind_text(upsert, 4, record->caller);
    enum status status = vault_bind(db_session_vault(session), &place, upsert, 5, record->number);
    db_bind_text(upsert, 6, record->prefix != NULL ? record->prefix : "");
    db_bind_int(upsert, 7, record->rate);
    db_bind_int(upsert, 8, record->cost);
    db_bind_int(upsert, 9, record->started);
    bind_time(upsert, 10, record->answered);
    bind_time(upsert, 11, record->ended);
    db_bind_text(upsert, 12, record->codec);
    db_bind_int(upsert, 13, record->mos);
    db_bind_int(upsert, 14, record->code);
    db_bind_text(upsert, 15, record->reason);
    if (status == STATUS_OK)
        status = db_run(upsert);
    if (status != STATUS_OK)
        return status;
    return event_write_id(session, scope, record->ended != 0 ? "call.ended" : "call.started",
                          record->id, record->ended != 0 ? record->ended : record->started);
}

static enum status write_run(struct db_session *session, void *arg)
{
    return record_put(session, arg);
}

enum status records_write(struct db *db, const struct record *record)
{
    struct record copy = *record;
    if (copy.direction == RECORD_OUT && copy.ended != 0)
        copy.cost = copy.answered != 0 ? cost_of(copy.rate, copy.ended - copy.answered) : 0;
    return db_write(db, write_run, &copy);
}

/* ---- limits ---- */

struct beginning {
    struct record record;
    const struct dialing_target *target;
    const struct records_limits *limits;
    enum dialing_answer answer, result; /* a body may run twice: it must not change its question */
    int64_t length_ms;
};

static enum status number_of(struct db_statement *select, int64_t *ret_number)
{
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_number = db_column_int(select, 0);
    return status;
}

static enum status spent_since(struct db_session *session, const char *prefix, int64_t since,
                               int64_t *ret_spent)
{
    struct db_statement *select =
        db_prepare(session, "SELECT coalesce(sum(cost), 0) FROM phone_call WHERE direction = 'out' "
                            "AND started > $1 AND ($2 = '' OR prefix = $2)");
    db_bind_int(select, 1, since);
    db_bind_text(select, 2, prefix);
    return number_of(select, ret_spent);
}

/* How long the budget lets it last, in whole minutes. */
static enum status length_limit(struct db_session *session, struct beginning *beginning,
                                const char *prefix, int64_t budget)
{
    int64_t spent = 0, rate = beginning->target->rate;
    enum status status =
        budget < 0 || rate == 0
            ? STATUS_NOT_FOUND
            : spent_since(session, prefix, beginning->record.started - RECORDS_DAY_MS, &spent);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    int64_t left_ms = spent < budget ? (budget - spent) / rate * RECORDS_MINUTE_MS : 0;
    if (left_ms < beginning->length_ms)
        beginning->length_ms = left_ms;
    if (left_ms == 0)
        beginning->answer = DIALING_COST;
    return STATUS_OK;
}

static enum status limits_check(struct db_session *session, struct beginning *beginning)
{
    int64_t running = 0, recent = 0;
    const struct record *record = &beginning->record;
    struct db_statement *at_once = db_prepare(
        session,
        "SELECT count(*) FROM phone_call WHERE direction = 'out' AND ended IS NULL AND id <> $1");
    db_bind_text(at_once, 1, record->id);
    enum status status = number_of(at_once, &running);
    struct db_statement *hour =
        db_prepare(session, "SELECT count(*) FROM phone_call WHERE direction = 'out' AND caller = "
                            "$1 AND started > $2 AND coalesce(reason, '') <> 'denied'");
    db_bind_text(hour, 1, record->caller);
    db_bind_int(hour, 2, record->started - RECORDS_HOUR_MS);
    if (status == STATUS_OK)
        status = number_of(hour, &recent);
    if (status != STATUS_OK)
        return status;
    if (running >= beginning->limits->calls)
        beginning->answer = DIALING_BUSY;
    else if (recent >= beginning->limits->hour)
        beginning->answer = DIALING_HOUR;
    status = length_limit(session, beginning, "", beginning->target->budget_all);
    if (status == STATUS_OK && beginning->target->prefix[0] != '\0')
        status =
            length_limit(session, beginning, beginning->target->prefix, beginning->target->budget);
    return status;
}

static enum status begin_run(struct db_session *session, void *arg)
{
    struct beginning *given = arg, beginning = *given;
    enum status status = STATUS_OK;
    beginning.length_ms = beginning.limits->minutes * RECORDS_MINUTE_MS;
    if (beginning.answer == DIALING_OK)
        status = limits_check(session, &beginning);
    struct record *record = &beginning.record;
    record->prefix = beginning.target->prefix;
    record->rate = beginning.target->rate;
    if (beginning.answer == DIALING_OK) {
        record->cost = cost_of(record->rate, beginning.length_ms);
    } else {
        record->ended = record->started;
        record->reason = "denied";
    }
    if (status == STATUS_OK)
        status = record_put(session, record);
    given->length_ms = beginning.length_ms;
    given->result = beginning.answer;
    return status;
}

enum status records_begin_out(struct db *db, const struct record *record,
                              const struct dialing_target *target,
                              const struct records_limits *limits, enum dialing_answer *ret_answer,
                              int64_t *ret_length_ms)
{
    struct beginning beginning = {
        .record = *record, .target = target, .limits = limits, .answer = *ret_answer};
    enum status status = db_write(db, begin_run, &beginning);
    if (status != STATUS_OK)
        return status;
    *ret_answer = beginning.result;
    *ret_length_ms = beginning.length_ms;
    return STATUS_OK;
}

/* ---- upkeep ---- */

static enum status lost_run(struct db_session *session, void *arg)
{
    const int64_t *now_ms = arg;
    /* What it cost is not known: what it may have cost stays counted. */
    struct db_statement *update = db_prepare(
        session, "UPDATE phone_call SET ended = $1, reason = 'lost' WHERE ended IS NULL");
    db_bind_int(update, 1, *now_ms);
    return db_run(update);
}

enum status records_close_lost(struct db *db, int64_t now_ms)
{
    return db_write(db, lost_run, &now_ms);
}

struct pruning {
    int64_t before_ms, removed;
};

static enum status prune_run(struct db_session *session, void *arg)
{
    struct pruning *pruning = arg;
    struct db_statement *remove = db_prepare(
        session, "DELETE FROM phone_call WHERE id IN (SELECT id FROM phone_call WHERE started < $1 "
                 "AND ended IS NOT NULL ORDER BY started LIMIT $2) RETURNING id");
    db_bind_int(remove, 1, pruning->before_ms);
    db_bind_int(remove, 2, RECORDS_PRUNE_MAX);
    enum status status;
    int64_t removed = 0;
    while ((status = db_step(remove)) == STATUS_OK)
        removed++;
    pruning->removed = removed;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status records_prune(struct db *db, int64_t before_ms, int64_t *ret_removed)
{
    int64_t removed = 0;
    struct pruning pruning = {.before_ms = before_ms};
    enum status status;
    do {
        status = db_write(db, prune_run, &pruning);
        removed += status == STATUS_OK ? pruning.removed : 0;
    } while (status == STATUS_OK && pruning.removed == RECORDS_PRUNE_MAX);
    if (status == STATUS_OK)
        *ret_removed = removed;
    return status;
}

/* ---- reading ---- */

struct listing {
    int64_t from, until;
    struct arena *arena;
    struct record *items;
    size_t count;
};

static enum status text_copy(struct arena *arena, const char *text, const char **ret_text)
{
    *ret_text = text != NULL ? arena_strdup(arena, text) : NULL;
    return text == NULL || *ret_text != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status record_copy(struct db_session *session, struct db_statement *row,
                               struct arena *arena, struct record *record)
{
    *record = (struct record){.direction = strcmp(db_column_text(row, 1), "out") == 0 ? RECORD_OUT
                                                                                      : RECORD_IN,
                              .rate = db_column_int(row, 6),
                              .cost = db_column_int(row, 7),
                              .started = db_column_int(row, 8),
                              .answered = db_column_int(row, 9),
                              .ended = db_column_int(row, 10),
                              .mos = db_column_int(row, 12),
                              .code = db_column_int(row, 13)};
    const char **texts[] = {&record->id,     &record->meeting, &record->caller,
                            &record->prefix, &record->codec,   &record->reason};
    static const int columns[] = {0, 2, 3, 5, 11, 14};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof columns / sizeof columns[0]; i++)
        status = text_copy(arena, db_column_text(row, columns[i]), texts[i]);
    if (status != STATUS_OK)
        return status;
    struct vault_place place = number_place(record->id);
    return vault_column(db_session_vault(session), &place, row, 4, arena, &record->number);
}

static enum status list_run(struct db_session *session, void *arg)
{
    struct listing *listing = arg;
    struct db_statement *select = db_prepare(
        session, "SELECT id, direction, meeting, caller, number_sealed, prefix, rate, cost, "
                 "started, answered, ended, codec, mos, code, reason FROM phone_call WHERE started "
                 ">= $1 AND started < $2 ORDER BY started, id LIMIT $3");
    db_bind_int(select, 1, listing->from);
    db_bind_int(select, 2, listing->until);
    db_bind_int(select, 3, RECORDS_PAGE_MAX);
    enum status status;
    listing->count = 0;
    while ((status = db_step(select)) == STATUS_OK) {
        status = record_copy(session, select, listing->arena, &listing->items[listing->count++]);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status records_list(struct db *db, int64_t from, int64_t until, struct arena *arena,
                         struct json_list *ret_records)
{
    struct listing listing = {.from = from, .until = until, .arena = arena};
    listing.items = arena_alloc(arena, RECORDS_PAGE_MAX * sizeof *listing.items);
    if (listing.items == NULL)
        return STATUS_NO_MEMORY;
    enum status status = db_read(db, list_run, &listing);
    if (status == STATUS_OK)
        *ret_records = (struct json_list){.items = listing.items, .count = listing.count};
    return status;
}

/* ---- CSV ---- */

const char *records_field(const char *text, struct arena *arena)
{
    size_t length = strlen(text), used = 0;
    char *field = arena_alloc(arena, 2 * length + 4);
    if (field == NULL)
        return NULL;
    field[used++] = '"';
    /* What begins so, a spreadsheet computes. */
    if (length > 0 && strchr("=+-@\t\r\n|", text[0]) != NULL)
        field[used++] = '\'';
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            field[used++] = '"';
        field[used++] = text[i];
    }
    field[used++] = '"';
    field[used] = '\0';
    return field;
}

static const char *time_field(int64_t ms, struct arena *arena)
{
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000);
    char text[32] = "";
    if (ms != 0 && gmtime_r(&seconds, &parts) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return arena_strdup(arena, text);
}

static const char *line_make(const struct record *record, struct arena *arena)
{
    int64_t seconds = record->answered != 0 && record->ended > record->answered
                          ? (record->ended - record->answered) / 1000
                          : 0;
    const char *texts[] = {record->meeting, record->caller, record->number, record->prefix,
                           record->codec,   record->reason, record->id};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        texts[i] = records_field(texts[i] != NULL ? texts[i] : "", arena);
        if (texts[i] == NULL)
            return NULL;
    }
    const char *started = time_field(record->started, arena),
               *answered = time_field(record->answered, arena),
               *ended = time_field(record->ended, arena);
    if (started == NULL || answered == NULL || ended == NULL)
        return NULL;
    return arena_printf(arena,
                        "%s,%s,%s,%s,%s,%s,%s,%s,%" PRId64 ",%s,%s,%" PRId64 ".%06" PRId64
                        ",%" PRId64 ".%02" PRId64 ",%" PRId64 ",%s\r\n",
                        texts[6], record->direction == RECORD_OUT ? "out" : "in", texts[0],
                        texts[1], texts[2], started, answered, ended, seconds, texts[4], texts[3],
                        record->cost / DIALING_MICRO, record->cost % DIALING_MICRO,
                        record->mos / 100, record->mos % 100, record->code, texts[5]);
}

enum status records_csv(const struct json_list *records, struct arena *arena, const char **ret_csv)
{
    static const char head[] = "id,direction,meeting,caller,number,started,answered,ended,seconds,"
                               "codec,prefix,cost,mos,code,reason\r\n";
    const struct record *items = records->items;
    const char **lines = arena_alloc(arena, (records->count + 1) * sizeof *lines);
    size_t length = sizeof head;
    for (size_t i = 0; lines != NULL && i < records->count; i++) {
        lines[i] = line_make(&items[i], arena);
        if (lines[i] == NULL)
            return STATUS_NO_MEMORY;
        length += strlen(lines[i]);
    }
    char *csv = lines != NULL ? arena_alloc(arena, length) : NULL;
    if (csv == NULL)
        return STATUS_NO_MEMORY;
    char *at = csv + snprintf(csv, length, "%s", head);
    for (size_t i = 0; i < records->count; i++)
        at += snprintf(at, length - (size_t)(at - csv), "%s", lines[i]);
    *ret_csv = csv;
    return STATUS_OK;
}
