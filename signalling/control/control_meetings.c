/*
 * signalling/control/control_meetings.c - `parley meeting ...`.
 */
#include "core/clock.h"
#include "core/fields.h"
#include "modules/meetings/registry_pin.h"
#include "signalling/control/control.h"

struct meeting_create {
    const char *id, *name;
    bool lobby;
};

static const struct json_field meeting_create_fields[] = {
    TEXT(meeting_create, id, 1, REGISTRY_ID_MAX, false,
         "chosen name for the link; absent: 96 random bits"),
    TEXT(meeting_create, name, 0, REGISTRY_TITLE_MAX, false, "what the meeting is called"),
    BOOL(meeting_create, lobby, "hosts let people in"),
};

static TABLE(meeting_create, NULL);

struct meeting_made {
    const char *id, *link, *token, *pin;
};

static const struct json_field meeting_made_fields[] = {
    TEXT(meeting_made, id, 1, REGISTRY_ID_MAX, true, NULL),
    TEXT(meeting_made, link, 1, REGISTRY_ID_MAX + 3, true, "path of its page"),
    TEXT(meeting_made, token, 1, CRYPTO_TOKEN_CHARS, true, "the host token"),
    TEXT(meeting_made, pin, 1, REGISTRY_PIN_DIGITS, true, "what telephones find it by"),
};

static TABLE(meeting_made, NULL);

static enum status run_create(struct control_call *call)
{
    const struct meeting_create *args = call->args;
    const struct registry_meeting_new wish = {
        .id = args->id, .title = args->name, .lobby = args->lobby};
    struct registry_meeting_created created;
    enum status status = registry_create(call->context->db, &wish, clock_wall_ms(), &created);
    if (status != STATUS_OK)
        return status;
    struct meeting_made *made = arena_alloc(call->arena, sizeof *made);
    if (made == NULL)
        return STATUS_NO_MEMORY;
    *made = (struct meeting_made){.id = arena_strdup(call->arena, created.id),
                                  .link = arena_printf(call->arena, "/m/%s", created.id),
                                  .token = arena_strdup(call->arena, created.token)};
    call->result = made;
    status = made->id != NULL ? registry_pin(call->context->db, made->id, call->arena, &made->pin)
                              : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    return made->id && made->link && made->token ? STATUS_OK : STATUS_NO_MEMORY;
}

static const struct control_command commands[] = {
    {"meeting create", &meeting_create_table, &meeting_made_table, run_create,
     "Opens a meeting, whatever meetings.adhoc allows to others."},
};

const struct control_table control_meetings = {.commands = commands,
                                               .count = sizeof commands / sizeof commands[0]};
