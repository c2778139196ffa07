#include "core/json.h"

#include "core/text.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* struct json is never defined: it is jansson's json_t under another name. */

static const json_t *native(const struct json *json)
{
    return (const json_t *)(const void *)json;
}

static void error_set(struct json_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

static void error_set(struct json_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    text_mend(error->text);
}

/* ---- reading ---- */

/* Deep nesting is refused before the parser recurses into it. */
static bool too_deep(const char *text, size_t length)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '{' || text[i] == '['))
            depth++;
        else if (!quoted && (text[i] == '}' || text[i] == ']'))
            depth--;
        if (depth > JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

enum status json_parse(const char *text, size_t length, struct json **ret_json,
                       struct json_error *ret_error)
{
    json_error_t error;
    if (too_deep(text, length)) {
        error_set(ret_error, "nested deeper than %d", JSON_DEPTH_MAX);
        return STATUS_INVALID;
    }
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        error_set(ret_error, "not JSON: line %d column %d: %s", error.line, error.column,
                  error.text);
        return STATUS_INVALID;
    }
    if (!json_is_object(json)) {
        json_decref(json);
        error_set(ret_error, "not a JSON object");
        return STATUS_INVALID;
    }
    *ret_json = (struct json *)(void *)json;
    return STATUS_OK;
}

struct json *json_free(struct json *json)
{
    json_decref((json_t *)(void *)json);
    return NULL;
}

const struct json *json_get_object(const struct json *json, const char *name)
{
    const json_t *value = json_object_get(native(json), name);
    return json_is_object(value) ? (const struct json *)(const void *)value : NULL;
}

const char *json_get_text(const struct json *json, const char *name)
{
    const json_t *value = json_object_get(native(json), name);
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return NULL;
    return json_string_value(value);
}

bool json_get_int(const struct json *json, const char *name, int64_t *ret_value)
{
    const json_t *value = json_object_get(native(json), name);
    if (!json_is_integer(value))
        return false;
    *ret_value = json_integer_value(value);
    return true;
}

size_t json_get_texts(const struct json *json, const char *name, const char **ret_texts, size_t max)
{
    const json_t *array = json_object_get(native(json), name);
    size_t count = json_array_size(array);
    for (size_t i = 0; i < count; i++) {
        if (!json_is_string(json_array_get(array, i)))
            return 0;
    }
    for (size_t i = 0; i < count && i < max; i++)
        ret_texts[i] = json_string_value(json_array_get(array, i));
    return count;
}

bool json_get_true(const struct json *json, const char *name)
{
    return json_is_true(json_object_get(native(json), name));
}

/* ---- decoding by table ---- */

/* Where in the document, for errors. */
struct place {
    const struct place *above;
    const char *name;
    size_t index; /* of a list's entry, when name is NULL */
};

static void place_print(const struct place *place, char *text, size_t size)
{
    if (place->above != NULL)
        place_print(place->above, text, size);
    size_t used = strlen(text);
    if (place->name != NULL)
        snprintf(text + used, size - used, "%s%s", used > 0 ? "." : "", place->name);
    else
        snprintf(text + used, size - used, "[%zu]", place->index);
}

struct decoding {
    struct arena *arena;
    struct json_error *error;
};

static enum status refuse(const struct decoding *decoding, const struct place *place,
                          const char *format, ...) PRINTF_LIKE(3, 4);

static enum status refuse(const struct decoding *decoding, const struct place *place,
                          const char *format, ...)
{
    char *text = decoding->error->text;
    size_t size = sizeof decoding->error->text;
    text[0] = '\0';
    place_print(place, text, size);
    size_t used = strlen(text);
    used += (size_t)snprintf(text + used, size - used, ": ");
    if (used < size) {
        va_list args;
        va_start(args, format);
        vsnprintf(text + used, size - used, format, args);
        va_end(args);
    }
    text_mend(text); /* a field's name may have been cut inside a character */
    return STATUS_INVALID;
}

static bool text_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 127)
            return false;
    }
    return true;
}

/* "a|b|c" holds text. */
static bool listed(const char *values, const char *text)
{
    size_t length = strlen(text);
    for (const char *at = values; at != NULL;
         at = strchr(at, '|'), at = at != NULL ? at + 1 : NULL) {
        if (strncmp(at, text, length) == 0 && (at[length] == '|' || at[length] == '\0'))
            return true;
    }
    return false;
}

static enum status decode_text(const struct decoding *decoding, const json_t *value, int64_t min,
                               int64_t max, const char *values, const struct place *place,
                               const char **ret_text)
{
    if (!json_is_string(value))
        return refuse(decoding, place, "not a text");
    const char *text = json_string_value(value);
    int64_t length = (int64_t)json_string_length(value);
    if (length < min)
        return refuse(decoding, place, "shorter than %lld bytes", (long long)min);
    if (length > max)
        return refuse(decoding, place, "longer than %lld bytes", (long long)max);
    if (!text_clean(text, (size_t)length))
        return refuse(decoding, place, "holds control characters");
    if (values != NULL && !listed(values, text))
        return refuse(decoding, place, "not one of %s", values);
    *ret_text = arena_strndup(decoding->arena, text, (size_t)length);
    return *ret_text != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status decode_object(const struct decoding *decoding, const struct json_table *table,
                                 const json_t *json, const struct place *place, void *structure);

static enum status decode_list(const struct decoding *decoding, const struct json_field *field,
                               const json_t *value, const struct place *place,
                               struct json_list *ret_list)
{
    if (!json_is_array(value))
        return refuse(decoding, place, "not a list");
    size_t count = json_array_size(value);
    if ((int64_t)count < field->min || (int64_t)count > field->max)
        return refuse(decoding, place, "%zu entries, not %lld to %lld", count,
                      (long long)field->min, (long long)field->max);
    bool texts = field->kind == JSON_FIELD_TEXTS;
    size_t size = texts ? sizeof(char *) : field->items->size;
    unsigned char *items = arena_alloc(decoding->arena, size * count + 1);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct place here = {.above = place, .index = i};
        const json_t *item = json_array_get(value, i);
        void *into = items + size * i;
        enum status status =
            texts ? decode_text(decoding, item, 0, field->item_max, field->values, &here, into)
                  : decode_object(decoding, field->items, item, &here, into);
        if (status != STATUS_OK)
            return status;
    }
    *ret_list = (struct json_list){.items = items, .count = count};
    return STATUS_OK;
}

static enum status decode_field(const struct decoding *decoding, const struct json_field *field,
                                const json_t *value, const struct place *place, void *into)
{
    switch (field->kind) {
    case JSON_FIELD_TEXT:
        return decode_text(decoding, value, field->min, field->max, field->values, place, into);
    case JSON_FIELD_BOOL:
    case JSON_FIELD_MAYBE:
        if (!json_is_boolean(value))
            return refuse(decoding, place, "not true or false");
        if (field->kind == JSON_FIELD_BOOL)
            *(bool *)into = json_is_true(value);
        else
            *(uint8_t *)into = json_is_true(value) ? JSON_YES : JSON_NO;
        return STATUS_OK;
    case JSON_FIELD_INT:
        if (!json_is_integer(value))
            return refuse(decoding, place, "not a whole number");
        if (json_integer_value(value) < field->min || json_integer_value(value) > field->max)
            return refuse(decoding, place, "not from %lld to %lld", (long long)field->min,
                          (long long)field->max);
        *(int64_t *)into = json_integer_value(value);
        return STATUS_OK;
    case JSON_FIELD_OBJECT:
        return decode_object(decoding, field->items, value, place, into);
    case JSON_FIELD_LIST:
    case JSON_FIELD_TEXTS:
        return decode_list(decoding, field, value, place, into);
    }
    return STATUS_INTERNAL;
}

static const struct json_field *field_find(const struct json_table *table, const char *name)
{
    for (size_t i = 0; i < table->field_count; i++) {
        if (strcmp(table->fields[i].name, name) == 0)
            return &table->fields[i];
    }
    return NULL;
}

static enum status decode_object(const struct decoding *decoding, const struct json_table *table,
                                 const json_t *json, const struct place *place, void *structure)
{
    if (!json_is_object(json))
        return refuse(decoding, place, "not an object");
    for (void *at = json_object_iter((json_t *)(uintptr_t)json); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)json, at)) {
        struct place here = {.above = place, .name = json_object_iter_key(at)};
        if (field_find(table, here.name) == NULL)
            return refuse(decoding, &here, "unknown field");
    }
    for (size_t i = 0; i < table->field_count; i++) {
        const struct json_field *field = &table->fields[i];
        struct place here = {.above = place, .name = field->name};
        const json_t *value = json_object_get(json, field->name);
        enum status status = STATUS_OK;
        if (value != NULL && !json_is_null(value))
            status = decode_field(decoding, field, value, &here,
                                  (unsigned char *)structure + field->offset);
        else if (field->required)
            status = refuse(decoding, &here, "missing");
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status json_decode(const struct json_table *table, const struct json *json,
                        struct arena *arena, void *ret_struct, struct json_error *ret_error)
{
    struct decoding decoding = {.arena = arena, .error = ret_error};
    struct place root = {.name = "d"};
    memset(ret_struct, 0, table->size);
    if (json != NULL)
        return decode_object(&decoding, table, native(json), &root, ret_struct);
    json_t *empty = json_object();
    if (empty == NULL)
        return STATUS_NO_MEMORY;
    enum status status = decode_object(&decoding, table, empty, &root, ret_struct);
    json_decref(empty);
    return status;
}

/* ---- encoding ---- */

/* Counts when bytes is NULL, writes on the second walk: one allocation of the exact size. */
struct output {
    char *bytes;
    size_t length;
};

static void put(struct output *output, const char *text, size_t length)
{
    if (output->bytes != NULL)
        memcpy(output->bytes + output->length, text, length);
    output->length += length;
}

static void put_quoted(struct output *output, const char *text)
{
    put(output, "\"", 1);
    size_t plain = 0;
    for (; text[plain] != '\0'; plain++) {
        unsigned char c = (unsigned char)text[plain];
        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        char escape[8];
        int length = c < ' ' ? snprintf(escape, sizeof escape, "\\u%04x", c)
                             : snprintf(escape, sizeof escape, "\\%c", c);
        put(output, text, plain);
        put(output, escape, (size_t)length);
        text += plain + 1;
        plain = (size_t)-1;
    }
    put(output, text, plain);
    put(output, "\"", 1);
}

static void put_object(struct output *output, const struct json_table *table,
                       const void *structure);

static void put_list(struct output *output, const struct json_field *field,
                     const struct json_list *list)
{
    put(output, "[", 1);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            put(output, ",", 1);
        if (field->kind == JSON_FIELD_TEXTS)
            put_quoted(output, ((const char *const *)list->items)[i]);
        else
            put_object(output, field->items,
                       (const unsigned char *)list->items + field->items->size * i);
    }
    put(output, "]", 1);
}

static bool left_out(const struct json_field *field, const void *from)
{
    switch (field->kind) {
    case JSON_FIELD_TEXT:
        return *(const char *const *)from == NULL;
    case JSON_FIELD_MAYBE:
        return *(const uint8_t *)from == JSON_ABSENT;
    case JSON_FIELD_LIST:
    case JSON_FIELD_TEXTS:
        return !field->required && ((const struct json_list *)from)->count == 0;
    default:
        return false;
    }
}

static void put_value(struct output *output, const struct json_field *field, const void *from)
{
    char number[24];
    bool truth;
    switch (field->kind) {
    case JSON_FIELD_TEXT:
        put_quoted(output, *(const char *const *)from);
        return;
    case JSON_FIELD_BOOL:
    case JSON_FIELD_MAYBE:
        truth = field->kind == JSON_FIELD_BOOL ? *(const bool *)from
                                               : *(const uint8_t *)from == JSON_YES;
        put(output, truth ? "true" : "false", truth ? 4 : 5);
        return;
    case JSON_FIELD_INT:
        put(output, number,
            (size_t)snprintf(number, sizeof number, "%lld", (long long)*(const int64_t *)from));
        return;
    case JSON_FIELD_OBJECT:
        put_object(output, field->items, from);
        return;
    case JSON_FIELD_LIST:
    case JSON_FIELD_TEXTS:
        put_list(output, field, from);
        return;
    }
}

static void put_object(struct output *output, const struct json_table *table, const void *structure)
{
    bool first = true;
    put(output, "{", 1);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct json_field *field = &table->fields[i];
        const void *from = (const unsigned char *)structure + field->offset;
        if (left_out(field, from))
            continue;
        if (!first)
            put(output, ",", 1);
        first = false;
        put_quoted(output, field->name);
        put(output, ":", 1);
        put_value(output, field, from);
    }
    put(output, "}", 1);
}

char *json_encode(const struct json_table *table, const void *structure, struct arena *arena)
{
    struct output output = {0};
    put_object(&output, table, structure);
    output.bytes = arena_alloc(arena, output.length + 1);
    if (output.bytes == NULL)
        return NULL;
    output.length = 0;
    put_object(&output, table, structure);
    return output.bytes;
}

char *json_quote(const char *text, struct arena *arena)
{
    struct output output = {0};
    put_quoted(&output, text);
    output.bytes = arena_alloc(arena, output.length + 1);
    if (output.bytes == NULL)
        return NULL;
    output.length = 0;
    put_quoted(&output, text);
    return output.bytes;
}

/* ---- documentation ---- */

static void type_print(const struct json_field *field, FILE *stream)
{
    switch (field->kind) {
    case JSON_FIELD_TEXT:
        if (field->values != NULL) {
            for (const char *at = field->values; *at != '\0'; at++)
                fprintf(stream, *at == '|' ? " \\| " : "%c", *at);
        } else {
            fprintf(stream, "text, %lld to %lld bytes", (long long)field->min,
                    (long long)field->max);
        }
        return;
    case JSON_FIELD_BOOL:
    case JSON_FIELD_MAYBE:
        fputs("boolean", stream);
        return;
    case JSON_FIELD_INT:
        if (field->max == INT64_MAX)
            fprintf(stream, "integer from %lld", (long long)field->min);
        else
            fprintf(stream, "integer, %lld to %lld", (long long)field->min, (long long)field->max);
        return;
    case JSON_FIELD_OBJECT:
        fputs("object:", stream);
        break;
    case JSON_FIELD_LIST:
        fprintf(stream, "list, at most %lld, of:", (long long)field->max);
        break;
    case JSON_FIELD_TEXTS:
        fprintf(stream, "list, at most %lld, of texts up to %lld bytes", (long long)field->max,
                (long long)field->item_max);
        return;
    }
}

static void fields_print(const struct json_table *table, const char *prefix, FILE *stream)
{
    for (size_t i = 0; i < table->field_count; i++) {
        const struct json_field *field = &table->fields[i];
        fprintf(stream, "| `%s%s`%s | ", prefix, field->name, field->required ? "" : " (optional)");
        type_print(field, stream);
        fprintf(stream, " | %s |\n", field->doc != NULL ? field->doc : "");
        if (field->kind == JSON_FIELD_OBJECT || field->kind == JSON_FIELD_LIST) {
            char longer[128];
            snprintf(longer, sizeof longer, "%s%s%s.", prefix, field->name,
                     field->kind == JSON_FIELD_LIST ? "[]" : "");
            fields_print(field->items, longer, stream);
        }
    }
}

void json_table_print(const struct json_table *table, void *stream)
{
    if (table->doc != NULL && table->doc[0] != '\0')
        fprintf(stream, "%s\n", table->doc);
    if (table->field_count == 0)
        return;
    fputs("\n| field | type | meaning |\n|---|---|---|\n", stream);
    fields_print(table, "", stream);
}
