/*
 * signalling/control/control_invitations.c - `parley invitation ...`: who is waited for, and links
 * to hand over where no mail is configured.
 */
#include "core/clock.h"
#include "core/fields.h"
#include "modules/auth/confirmations.h"
#include "signalling/control/control.h"

struct invitation_add {
    const char *email, *language;
};

static const struct json_field invitation_add_fields[] = {
    TEXT(invitation_add, email, 3, AUTH_EMAIL_MAX, true, "address that gets an account"),
    TEXT(invitation_add, language, 0, AUTH_LANGUAGE_MAX, false, "of the letter: en or zh-CN"),
};

static TABLE(invitation_add, NULL);

struct invitation_id {
    const char *id;
};

static const struct json_field invitation_id_fields[] = {
    TEXT(invitation_id, id, 1, CRYPTO_ID_CHARS, true, "as `parley invitation list` shows it"),
};

static TABLE(invitation_id, NULL);

struct invitation_link {
    const char *link;
};

static const struct json_field invitation_link_fields[] = {
    TEXT(invitation_link, link, 1, CONFIRMATION_TOKEN_CHARS + 16, true,
         "path below the server's address"),
};

static TABLE(invitation_link, NULL);

struct invitation_shown {
    const char *id, *kind, *email;
    int64_t expires;
};

static const struct json_field invitation_shown_fields[] = {
    TEXT(invitation_shown, id, 1, CRYPTO_ID_CHARS, true, NULL),
    CHOICE(invitation_shown, kind, "invite|signup|email|password", true, NULL),
    TEXT(invitation_shown, email, 1, AUTH_EMAIL_MAX, true, NULL),
    INT(invitation_shown, expires, 0, INT64_MAX, true, "ms since 1970"),
};

static TABLE(invitation_shown, NULL);

struct invitation_list {
    const char *after;
};

static const struct json_field invitation_list_fields[] = {
    TEXT(invitation_list, after, 0, CRYPTO_ID_CHARS, false, "go on after this id"),
};

static TABLE(invitation_list, NULL);

struct invitations_shown {
    struct json_list items; /* struct invitation_shown */
};

static const struct json_field invitations_shown_fields[] = {
    LIST(invitations_shown, items, &invitation_shown_table, CONFIRMATIONS_LIST_MAX, true, NULL),
};

static TABLE(invitations_shown, NULL);

static enum status link_show(struct control_call *call, const char *id)
{
    char token[CONFIRMATION_TOKEN_CHARS + 1];
    struct invitation_link *shown = arena_alloc(call->arena, sizeof *shown);
    enum status status = confirmation_link(call->context->auth, id, clock_wall_ms(), token);
    if (status == STATUS_NOT_FOUND)
        call->error = "nobody is waited for under this id";
    if (status != STATUS_OK)
        return status;
    if (shown != NULL)
        shown->link = arena_printf(call->arena, "/confirm#%s", token);
    call->result = shown;
    return shown != NULL && shown->link != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status run_add(struct control_call *call)
{
    const struct invitation_add *args = call->args;
    struct confirmation made;
    enum status status = confirmation_invite(call->context->auth, args->email,
                                             args->language != NULL ? args->language : "",
                                             clock_wall_ms(), call->arena, &made);
    if (status == STATUS_EXISTS)
        call->error = "this address has an account";
    return status == STATUS_OK ? link_show(call, made.id) : status;
}

static enum status run_link(struct control_call *call)
{
    const struct invitation_id *args = call->args;
    return link_show(call, args->id);
}

static enum status run_list(struct control_call *call)
{
    const struct invitation_list *args = call->args;
    struct confirmations found;
    struct invitations_shown *shown = arena_alloc(call->arena, sizeof *shown);
    enum status status =
        confirmations_list(call->context->auth, args->after, clock_wall_ms(), call->arena, &found);
    if (status != STATUS_OK)
        return status;
    const struct confirmation *from = found.items.items;
    struct invitation_shown *items =
        arena_alloc(call->arena, (found.items.count + 1) * sizeof *items);
    if (shown == NULL || items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < found.items.count; i++)
        items[i] = (struct invitation_shown){.id = from[i].id,
                                             .kind = from[i].kind,
                                             .email = from[i].email,
                                             .expires = from[i].expires};
    shown->items = (struct json_list){.items = items, .count = found.items.count};
    call->result = shown;
    return STATUS_OK;
}

static const struct control_command commands[] = {
    {"invitation add", &invitation_add_table, &invitation_link_table, run_add,
     "Invites an address; prints the link to hand over, no letter is sent."},
    {"invitation list", &invitation_list_table, &invitations_shown_table, run_list,
     "Who is waited for: invitations, sign-ups, new addresses, forgotten passwords."},
    {"invitation link", &invitation_id_table, &invitation_link_table, run_link,
     "Another link to hand over; the earlier one is dead."},
};

const struct control_table control_invitations = {.commands = commands,
                                                  .count = sizeof commands / sizeof commands[0]};
