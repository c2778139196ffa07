/*
 * core/json.h - JSON at the edge becomes typed structs from one table per message;
 * the same table writes it and prints docs/protocol.md. jansson is touched here only.
 *
 * Memory of decoded values is the arena's. Any thread, one at a time per object.
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/arena.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind {
    JSON_FIELD_TEXT,   /* const char *; min..max UTF-8 bytes; no control characters but \n \t */
    JSON_FIELD_BOOL,   /* bool */
    JSON_FIELD_MAYBE,  /* enum json_maybe: a boolean whose absence means something */
    JSON_FIELD_INT,    /* int64_t; min..max */
    JSON_FIELD_OBJECT, /* an embedded struct of `items` */
    JSON_FIELD_LIST,   /* struct json_list of `items` structs; min..max entries */
    JSON_FIELD_TEXTS,  /* struct json_list of const char *; min..max entries, each <= item_max bytes
                        */
};

enum json_maybe { JSON_ABSENT, JSON_NO, JSON_YES };

struct json_list {
    void *items; /* count structs, or count `const char *` */
    size_t count;
};

struct json_table;

struct json_field {
    const char *name;
    enum json_kind kind;
    size_t offset;
    int64_t min, max;
    int64_t item_max;
    bool required;
    const struct json_table *items;
    const char *values; /* text only: "a|b|c" lists the allowed values; NULL: any */
    const char *doc;    /* one line for docs/protocol.md */
};

struct json_table {
    const char *name;
    const char *doc;
    size_t size; /* of the struct */
    const struct json_field *fields;
    size_t field_count;
};

enum {
    JSON_ERROR_MAX = 160,
    JSON_DEPTH_MAX = 16,
};

/* Says which field and why, for the one who sent it: "d.text: longer than 8000 bytes". */
struct json_error {
    char text[JSON_ERROR_MAX];
};

/* A parsed document; opaque (jansson's json_t). */
struct json;

/* Errors: STATUS_INVALID (not JSON, duplicate keys, too deep, invalid UTF-8, not an object). */
MUST_USE enum status json_parse(const char *text, size_t length, struct json **ret_json,
                                struct json_error *ret_error);
struct json *json_free(struct json *json); /* accepts NULL, returns NULL */

/* Borrowed from the parent; NULL when absent or of another type. */
const struct json *json_get_object(const struct json *json, const char *name);
const char *json_get_text(const struct json *json, const char *name);
/* False (and *ret untouched) when absent or not an integer. */
bool json_get_int(const struct json *json, const char *name, int64_t *ret_value);
/* The first `max` texts of an array of nothing but texts; returns how many it has, 0 when it is
 * absent or another thing. */
size_t json_get_texts(const struct json *json, const char *name, const char **ret_texts,
                      size_t max);
/* It is there and true. */
bool json_get_true(const struct json *json, const char *name);

/*
 * Fills ret_struct (table->size bytes, zeroed first). Absent optional fields stay
 * zero; unknown fields are refused by name. json NULL counts as {}.
 * Errors: STATUS_INVALID (ret_error says which field), STATUS_NO_MEMORY.
 */
MUST_USE enum status json_decode(const struct json_table *table, const struct json *json,
                                 struct arena *arena, void *ret_struct,
                                 struct json_error *ret_error);
/* Compact text in the arena; NULL texts and empty optional lists are left out. NULL without memory.
 */
char *json_encode(const struct json_table *table, const void *structure, struct arena *arena);
/* Appends a Markdown section with the table's fields to `stream`. */
void json_table_print(const struct json_table *table, void *stream /* FILE * */);

/* JSON string literal of the text, quotes included, in the arena. */
char *json_quote(const char *text, struct arena *arena);

#endif
