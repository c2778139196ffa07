/*
 * signalling/control/control_calls.c - `parley calls ...`.
 */
#include "core/clock.h"
#include "core/fields.h"
#include "modules/phone/records.h"
#include "signalling/control/control.h"

struct calls_export {
    int64_t from, until;
};

static const struct json_field calls_export_fields[] = {
    INT(calls_export, from, 0, INT64_MAX, false, "ms since 1970: calls begun since"),
    INT(calls_export, until, 0, INT64_MAX, false, "calls begun before; absent: now"),
};

static TABLE(calls_export, NULL);

struct calls_exported {
    const char *csv;
};

static const struct json_field calls_exported_fields[] = {
    TEXT(calls_exported, csv, 0, CONTROL_LINE_MAX, true, NULL),
};

static TABLE(calls_exported, NULL);

static enum status run_export(struct control_call *call)
{
    const struct calls_export *args = call->args;
    struct calls_exported *exported = arena_alloc(call->arena, sizeof *exported);
    struct json_list records;
    if (exported == NULL)
        return STATUS_NO_MEMORY;
    call->result = exported;
    enum status status =
        records_list(call->context->db, args->from,
                     args->until != 0 ? args->until : clock_wall_ms() + 1, call->arena, &records);
    return status == STATUS_OK ? records_csv(&records, call->arena, &exported->csv) : status;
}

static const struct control_command commands[] = {
    {"calls export", &calls_export_table, &calls_exported_table, run_export,
     "Prints records of telephone calls as CSV, oldest first, 2,500 at most."},
};

const struct control_table control_calls = {.commands = commands,
                                            .count = sizeof commands / sizeof commands[0]};
