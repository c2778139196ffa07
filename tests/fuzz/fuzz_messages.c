/*
 * What a client says: the first line names a command or is "identify", the rest is JSON that
 * its table decodes. What was understood can be written, and what was written is JSON again.
 */
#include "modules/meetings/messages.h"
#include "signalling/gateway/commands.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum { ARENA_MAX = 8 << 20 };

static bool is(const char *type, const uint8_t *name, size_t length)
{
    return strlen(type) == length && memcmp(type, name, length) == 0;
}

static const struct json_table *table_of(const uint8_t *name, size_t length)
{
    size_t count;
    const struct command_info *commands = commands_list(&count);
    for (size_t i = 0; i < count; i++) {
        if (is(commands[i].type, name, length))
            return commands[i].args;
    }
    return is("identify", name, length) ? &msg_identify_table : NULL;
}

static void check_written(const struct json_table *table, const void *structure,
                          struct arena *arena)
{
    struct json_error error;
    struct json *json;
    const char *text = json_encode(table, structure, arena);
    if (text == NULL)
        return; /* the arena is full */
    if (json_parse(text, strlen(text), &json, &error) != STATUS_OK)
        abort();
    json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    const uint8_t *end = length > 0 ? memchr(data, '\n', length) : NULL;
    const struct json_table *table = end != NULL ? table_of(data, (size_t)(end - data)) : NULL;
    if (table == NULL)
        return 0;
    size_t rest = length - (size_t)(end + 1 - data);
    struct json_error error = {""};
    struct json *json;
    if (json_parse((const char *)end + 1, rest, &json, &error) != STATUS_OK)
        return 0;
    struct arena *arena;
    if (arena_new(ARENA_MAX, &arena) != STATUS_OK)
        abort();
    void *structure = arena_alloc(arena, table->size);
    if (structure == NULL)
        abort();
    if (json_decode(table, json, arena, structure, &error) == STATUS_OK)
        check_written(table, structure, arena);
    else if (memchr(error.text, '\0', sizeof error.text) == NULL)
        abort();
    json_free(json);
    arena_free(arena);
    return 0;
}
