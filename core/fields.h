/*
 * core/fields.h - field makers for the tables of json.h: a line per field. Included by the files
 * that define tables, and by nobody else.
 */
#ifndef CORE_FIELDS_H
#define CORE_FIELDS_H

#include "core/json.h"

#define TEXT(type, member, low, high, must, text)                                                  \
    {                                                                                              \
        .name = #member, .kind = JSON_FIELD_TEXT, .offset = offsetof(struct type, member),         \
        .min = (low), .max = (high), .required = (must), .doc = (text)                             \
    }
#define CHOICE(type, member, list, must, text)                                                     \
    {                                                                                              \
        .name = #member, .kind = JSON_FIELD_TEXT, .offset = offsetof(struct type, member),         \
        .min = 0, .max = 32, .required = (must), .values = (list), .doc = (text)                   \
    }
#define BOOL(type, member, text)                                                                   \
    {                                                                                              \
        .name = #member, .kind = JSON_FIELD_BOOL, .offset = offsetof(struct type, member),         \
        .doc = (text)                                                                              \
    }
#define MAYBE(type, member, text)                                                                  \
    {                                                                                              \
        .name = #member, .kind = JSON_FIELD_MAYBE, .offset = offsetof(struct type, member),        \
        .doc = (text)                                                                              \
    }
#define INT(type, member, low, high, must, text)                                                   \
    {                                                                                              \
        .name = #member, .kind = JSON_FIELD_INT, .offset = offsetof(struct type, member),          \
        .min = (low), .max = (high), .required = (must), .doc = (text)                             \
    }
#define OBJECT(type, member, table, must, text)                                                    \
    {                                                                                              \
        .name = #member, .kind = JSON_FIELD_OBJECT, .offset = offsetof(struct type, member),       \
        .required = (must), .items = (table), .doc = (text)                                        \
    }
#define LIST(type, member, table, most, must, text)                                                \
    {                                                                                              \
        .name = #member, .kind = JSON_FIELD_LIST, .offset = offsetof(struct type, member),         \
        .min = 0, .max = (most), .required = (must), .items = (table), .doc = (text)               \
    }
#define TEXTS(type, member, most, longest, text)                                                   \
    {                                                                                              \
        .name = #member, .kind = JSON_FIELD_TEXTS, .offset = offsetof(struct type, member),        \
        .min = 0, .max = (most), .item_max = (longest), .required = true, .doc = (text)            \
    }
#define TABLE(type, text)                                                                          \
    const struct json_table type##_table = {.name = #type,                                         \
                                            .doc = (text),                                         \
                                            .size = sizeof(struct type),                           \
                                            .fields = type##_fields,                               \
                                            .field_count =                                         \
                                                sizeof type##_fields / sizeof type##_fields[0]}

#endif
