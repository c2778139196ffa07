/*
 * signalling/control/control_users.c - `parley user ...`.
 */
#include "core/clock.h"
#include "core/fields.h"
#include "signalling/control/control.h"

struct user_add {
    const char *email, *name, *password, *legacy_hash, *legacy_salt, *language;
    bool admin;
};

static const struct json_field user_add_fields[] = {
    TEXT(user_add, email, 3, AUTH_EMAIL_MAX, true, "address to sign in with"),
    TEXT(user_add, name, 1, AUTH_NAME_MAX, true, "how others see them"),
    BOOL(user_add, admin, "may manage accounts"),
    TEXT(user_add, password, 1, PASSWORD_MAX, false, "first line of standard input"),
    TEXT(user_add, legacy_hash, 64, 64, false,
         "instead of a password: SHA-256 of the salt and it, hexadecimal"),
    TEXT(user_add, legacy_salt, 0, PASSWORD_SALT_MAX, false, "what stood before the password"),
    TEXT(user_add, language, 0, AUTH_LANGUAGE_MAX, false, "en or zh-CN"),
};

static TABLE(user_add, NULL);

struct user_shown {
    const char *id, *email, *name, *role;
    bool disabled;
};

static const struct json_field user_shown_fields[] = {
    TEXT(user_shown, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(user_shown, email, 1, AUTH_EMAIL_MAX, true, NULL),
    TEXT(user_shown, name, 1, AUTH_NAME_MAX, true, NULL),
    CHOICE(user_shown, role, "admin|member", true, NULL),
    BOOL(user_shown, disabled, NULL),
};

static TABLE(user_shown, NULL);

struct user_list {
    const char *after;
};

static const struct json_field user_list_fields[] = {
    TEXT(user_list, after, 0, CRYPTO_ID_CHARS, false, "go on after this id"),
};

static TABLE(user_list, NULL);

struct users_shown {
    struct json_list items; /* struct user_shown */
};

static const struct json_field users_shown_fields[] = {
    LIST(users_shown, items, &user_shown_table, AUTH_LIST_MAX, true, NULL),
};

static TABLE(users_shown, NULL);

static void show(const struct auth_user *user, struct user_shown *ret_shown)
{
    *ret_shown = (struct user_shown){.id = user->id,
                                     .email = user->email,
                                     .name = user->name,
                                     .role = user->admin ? "admin" : "member",
                                     .disabled = user->disabled};
}

static enum status run_add(struct control_call *call)
{
    const struct user_add *args = call->args;
    const struct auth_user_new wish = {.email = args->email,
                                       .name = args->name,
                                       .password = args->password,
                                       .legacy_hash = args->legacy_hash,
                                       .legacy_salt = args->legacy_salt,
                                       .language = args->language,
                                       .admin = args->admin};
    struct auth_user user;
    struct auth_fault fault = {NULL};
    struct user_shown *shown = arena_alloc(call->arena, sizeof *shown);
    if (shown == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        auth_user_add(call->context->auth, &wish, clock_wall_ms(), call->arena, &user, &fault);
    if (status == STATUS_INVALID && fault.code != NULL)
        call->error = arena_printf(call->arena, "refused: %s", fault.code);
    if (status == STATUS_EXISTS)
        call->error = "this address has an account";
    if (status != STATUS_OK)
        return status;
    show(&user, shown);
    call->result = shown;
    return STATUS_OK;
}

static enum status run_list(struct control_call *call)
{
    const struct user_list *args = call->args;
    struct auth_users users;
    struct users_shown *shown = arena_alloc(call->arena, sizeof *shown);
    enum status status = shown != NULL
                             ? auth_users(call->context->auth, args->after, call->arena, &users)
                             : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    const struct auth_user *from = users.items.items;
    struct user_shown *items = arena_alloc(call->arena, (users.items.count + 1) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < users.items.count; i++)
        show(&from[i], &items[i]);
    *shown = (struct users_shown){.items = {.items = items, .count = users.items.count}};
    call->result = shown;
    return STATUS_OK;
}

static const struct control_command commands[] = {
    {"user add", &user_add_table, &user_shown_table, run_add, "Makes an account."},
    {"user list", &user_list_table, &users_shown_table, run_list,
     "Accounts, 200 at a time, by id."},
};

const struct control_table control_users = {.commands = commands,
                                            .count = sizeof commands / sizeof commands[0]};
