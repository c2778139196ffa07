/*
 * signalling/control/control_spaces.c - `parley space ...`.
 */
#include "core/fields.h"
#include "modules/spaces/spaces.h"
#include "signalling/control/control.h"

struct space_list {
    const char *after;
};

static const struct json_field space_list_fields[] = {
    TEXT(space_list, after, 0, SPACES_ID_MAX, false, "go on after this id"),
};

static TABLE(space_list, NULL);

static enum status run_list(struct control_call *call)
{
    const struct space_list *args = call->args;
    struct spaces_overviews *list = arena_alloc(call->arena, sizeof *list);
    if (list == NULL)
        return STATUS_NO_MEMORY;
    call->result = list;
    return spaces_overview(call->context->db, args->after, call->arena, list);
}

static const struct control_command commands[] = {
    {"space list", &space_list_table, &spaces_overviews_table, run_list,
     "Spaces without their names, 200 at a time, by id."},
};

const struct control_table control_spaces = {.commands = commands,
                                             .count = sizeof commands / sizeof commands[0]};
