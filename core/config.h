/*
 * core/config.h - settings from one table: it parses, prints --help, the manual
 * page and the commented sample file. File format: "key = value" lines, # comments.
 *
 * Order of strength: --set over environment over file over default.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind {
    CONFIG_TEXT,    /* const char * */
    CONFIG_INT,     /* int64_t, min..max */
    CONFIG_BOOL,    /* true|false|yes|no|on|off */
    CONFIG_CHOICE,  /* int64_t: index into values "a|b|c" */
    CONFIG_LIST,    /* struct config_list of texts separated by commas or blanks */
    CONFIG_PHRASES, /* the same, by commas alone: blanks belong to an entry */
};

struct config_list {
    const char **items;
    size_t count;
};

/* What keys with a NAME in them set: an item each name, in the order they were first met. */
struct config_items {
    const char **names;
    void *items; /* config_group.size bytes each */
    size_t count;
};

struct config_group {
    const char *prefix; /* "phone.trunk." */
    size_t offset;      /* of a struct config_items, in the settings struct */
    size_t size;        /* of an item */
    size_t max;         /* items */
};

struct config_key {
    const char *name; /* "http.port", "phone.trunk.NAME.host" */
    enum config_kind kind;
    size_t offset;        /* into the program's settings struct; of a group: into its item */
    const char *fallback; /* default, as it would stand in the file */
    int64_t min, max;
    const char *values;               /* CONFIG_CHOICE */
    const char *doc;                  /* one or more sentences */
    const struct config_group *group; /* NULL: none */
};

struct config_table {
    const struct config_key *keys;
    size_t key_count;
    size_t size; /* of the settings struct */
};

enum {
    CONFIG_ERROR_MAX = 512,
    CONFIG_ITEM_NAME_MAX = 32, /* bytes: letters, digits, - and _ */
    CONFIG_FILE_MAX = 1 << 20, /* bytes */
};

struct config; /* owns every text the settings point to */

/* All keys at their defaults. */
MUST_USE enum status config_new(const struct config_table *table, struct config **ret_config);
struct config *config_free(struct config *config); /* accepts NULL, returns NULL */
/* The settings struct (table->size bytes), valid as long as config. */
const void *config_settings(const struct config *config);

/* Errors: STATUS_INVALID, STATUS_IO, STATUS_NOT_FOUND; error is one line naming file, line and key.
 */
MUST_USE enum status config_read_file(struct config *config, const char *path,
                                      char ret_error[CONFIG_ERROR_MAX]);
/* "key=value"; `origin` names it in errors ("--set"). */
MUST_USE enum status config_set(struct config *config, const char *assignment, const char *origin,
                                char ret_error[CONFIG_ERROR_MAX]);

/* Every key from its variable: prefix "PARLEY_" and key "http.port" make PARLEY_HTTP_PORT. A NAME
 * is in lower case then: PARLEY_PHONE_TRUNK_ACME_HOST is phone.trunk.acme.host. */
MUST_USE enum status config_read_environment(struct config *config, const char *prefix,
                                             char ret_error[CONFIG_ERROR_MAX]);

/* Puts where KEY was set ("FILE:LINE", "--set", "PARLEY_HTTP_PORT") before an error that begins
 * with "KEY:", found when a value was used; for a key at its default nothing changes. */
void config_blame(const struct config *config, char error[CONFIG_ERROR_MAX]);

/* To a FILE *: option list for --help; a commented sample file; roff for parley(1). */
void config_print_help(const struct config_table *table, void *stream);
void config_print_sample(const struct config_table *table, void *stream);
void config_print_manual(const struct config_table *table, void *stream);

#endif
