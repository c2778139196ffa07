/*
 * signalling/control/control_keys.c - `parley key ...`.
 */
#include "core/fields.h"
#include "signalling/control/control.h"
#include "storage/vault/vault.h"

/* It takes nothing. */
static const struct json_table key_rotate_table = {.name = "key_rotate", .size = 1};

static const struct json_field vault_rotation_fields[] = {
    INT(vault_rotation, master, 1, INT64_MAX, true, "version of the new master key"),
    INT(vault_rotation, rewrapped, 0, INT64_MAX, true, "keys it wraps now"),
    INT(vault_rotation, left, 0, INT64_MAX, true,
        "keys of spaces that are destroyed here and came back with an older copy of the database"),
};

static TABLE(vault_rotation, NULL);

static enum status run_rotate(struct control_call *call)
{
    struct db *db = call->context->db;
    struct vault_rotation *rotation = arena_alloc(call->arena, sizeof *rotation);
    if (rotation == NULL)
        return STATUS_NO_MEMORY;
    call->result = rotation;
    return vault_rotate(db_vault(db), db, rotation);
}

static const struct control_command commands[] = {
    {"key rotate", &key_rotate_table, &vault_rotation_table, run_rotate,
     "Wraps all keys with a new master key; what they sealed is not written again."},
};

const struct control_table control_keys = {.commands = commands,
                                           .count = sizeof commands / sizeof commands[0]};
