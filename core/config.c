#include "core/config.h"

#include "core/arena.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    CONFIG_LIST_MAX = 64,
    CONFIG_NAME_MAX = 128, /* of a variable */
    CONFIG_ARENA_MAX = CONFIG_FILE_MAX * 2,
};

struct config {
    const struct config_table *table;
    struct arena *arena;
    unsigned char *settings;
    const char **origins; /* a key each: where it was set; NULL: nowhere */
};

static void error_set(char error[CONFIG_ERROR_MAX], const char *format, ...) PRINTF_LIKE(2, 3);

static void error_set(char error[CONFIG_ERROR_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, CONFIG_ERROR_MAX, format, args);
    va_end(args);
}

/* ---- values ---- */

/* Index of text in "a|b|c", or -1. */
static int choice_index(const char *values, const char *text)
{
    size_t length = strlen(text);
    int index = 0;
    for (const char *at = values; at != NULL; index++) {
        size_t here = strcspn(at, "|");
        if (here == length && strncmp(at, text, length) == 0)
            return index;
        at = at[here] == '|' ? at + here + 1 : NULL;
    }
    return -1;
}

static enum status set_int(const struct config_key *key, const char *text, void *into,
                           char error[CONFIG_ERROR_MAX])
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < key->min || value > key->max) {
        error_set(error, "%s: \"%.80s\" is not a number from %lld to %lld", key->name, text,
                  (long long)key->min, (long long)key->max);
        return STATUS_INVALID;
    }
    *(int64_t *)into = value;
    return STATUS_OK;
}

static enum status set_bool(const struct config_key *key, const char *text, void *into,
                            char error[CONFIG_ERROR_MAX])
{
    if (choice_index("true|yes|on", text) >= 0) {
        *(bool *)into = true;
    } else if (choice_index("false|no|off", text) >= 0) {
        *(bool *)into = false;
    } else {
        error_set(error, "%s: \"%.80s\" is not true or false", key->name, text);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status set_choice(const struct config_key *key, const char *text, void *into,
                              char error[CONFIG_ERROR_MAX])
{
    int index = choice_index(key->values, text);
    if (index < 0) {
        error_set(error, "%s: \"%.80s\" is not one of %s", key->name, text, key->values);
        return STATUS_INVALID;
    }
    *(int64_t *)into = index;
    return STATUS_OK;
}

static enum status without_memory(const struct config_key *key, char error[CONFIG_ERROR_MAX])
{
    error_set(error, "%s: %s", key->name, status_text(STATUS_NO_MEMORY));
    return STATUS_NO_MEMORY;
}

static enum status set_list(struct config *config, const struct config_key *key, const char *text,
                            void *into, char error[CONFIG_ERROR_MAX])
{
    struct config_list list = {.items =
                                   arena_alloc(config->arena, CONFIG_LIST_MAX * sizeof(char *))};
    if (list.items == NULL)
        return without_memory(key, error);
    while (*text != '\0') {
        text += strspn(text, " \t,");
        size_t length = strcspn(text, " \t,");
        if (length == 0)
            break;
        if (list.count == CONFIG_LIST_MAX) {
            error_set(error, "%s: more than %d entries", key->name, CONFIG_LIST_MAX);
            return STATUS_INVALID;
        }
        list.items[list.count] = arena_strndup(config->arena, text, length);
        if (list.items[list.count++] == NULL)
            return without_memory(key, error);
        text += length;
    }
    *(struct config_list *)into = list;
    return STATUS_OK;
}

static enum status value_set(struct config *config, const struct config_key *key, const char *text,
                             char error[CONFIG_ERROR_MAX])
{
    void *into = config->settings + key->offset;
    switch (key->kind) {
    case CONFIG_INT:
        return set_int(key, text, into, error);
    case CONFIG_BOOL:
        return set_bool(key, text, into, error);
    case CONFIG_CHOICE:
        return set_choice(key, text, into, error);
    case CONFIG_LIST:
        return set_list(config, key, text, into, error);
    case CONFIG_TEXT:
        break;
    }
    const char *copy = arena_strdup(config->arena, text);
    if (copy == NULL)
        return without_memory(key, error);
    *(const char **)into = copy;
    return STATUS_OK;
}

/* ---- making ---- */

enum status config_new(const struct config_table *table, struct config **ret_config)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return STATUS_NO_MEMORY;
    config->table = table;
    config->settings = calloc(1, table->size);
    config->origins = calloc(table->key_count, sizeof *config->origins);
    enum status status = config->settings != NULL && config->origins != NULL
                             ? arena_new(CONFIG_ARENA_MAX, &config->arena)
                             : STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < table->key_count; i++)
        status = value_set(config, &table->keys[i], table->keys[i].fallback, error);
    if (status != STATUS_OK) {
        config_free(config);
        return status;
    }
    *ret_config = config;
    return STATUS_OK;
}

struct config *config_free(struct config *config)
{
    if (config == NULL)
        return NULL;
    arena_free(config->arena);
    free(config->origins);
    free(config->settings);
    free(config);
    return NULL;
}

const void *config_settings(const struct config *config)
{
    return config->settings;
}

/* ---- reading ---- */

/* Cuts blanks off both ends, in place. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    return text;
}

static const struct config_key *key_find(const struct config_table *table, const char *name)
{
    for (size_t i = 0; i < table->key_count; i++) {
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    }
    return NULL;
}

static enum status value_set_from(struct config *config, const struct config_key *key,
                                  const char *text, const char *origin,
                                  char error[CONFIG_ERROR_MAX])
{
    enum status status = value_set(config, key, text, error);
    if (status != STATUS_OK)
        return status;
    const char *copy = arena_strdup(config->arena, origin);
    config->origins[key - config->table->keys] = copy;
    return copy != NULL ? STATUS_OK : without_memory(key, error);
}

/* "key = value" (changed in place). */
static enum status assign(struct config *config, char *assignment, const char *origin,
                          char error[CONFIG_ERROR_MAX])
{
    char *equals = strchr(assignment, '=');
    if (equals == NULL) {
        error_set(error, "\"%.80s\" is not key = value", assignment);
        return STATUS_INVALID;
    }
    *equals = '\0';
    const char *name = trimmed(assignment);
    const struct config_key *key = key_find(config->table, name);
    if (key == NULL) {
        error_set(error, "%.80s: no such key", name);
        return STATUS_NOT_FOUND;
    }
    return value_set_from(config, key, trimmed(equals + 1), origin, error);
}

/* Puts "origin: " before the error. */
static void error_blame(char error[CONFIG_ERROR_MAX], const char *origin)
{
    char text[CONFIG_ERROR_MAX];
    snprintf(text, sizeof text, "%s", error);
    error_set(error, "%.200s: %.300s", origin, text);
}

void config_blame(const struct config *config, char error[CONFIG_ERROR_MAX])
{
    for (size_t i = 0; i < config->table->key_count; i++) {
        size_t length = strlen(config->table->keys[i].name);
        if (config->origins[i] != NULL &&
            strncmp(error, config->table->keys[i].name, length) == 0 && error[length] == ':') {
            error_blame(error, config->origins[i]);
            return;
        }
    }
}

enum status config_set(struct config *config, const char *assignment, const char *origin,
                       char ret_error[CONFIG_ERROR_MAX])
{
    char *copy = strdup(assignment);
    if (copy == NULL) {
        error_set(ret_error, "%s: %s", origin, status_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    enum status status = assign(config, copy, origin, ret_error);
    if (status != STATUS_OK)
        error_blame(ret_error, origin);
    free(copy);
    return status;
}

static enum status lines_read(struct config *config, FILE *file, const char *path,
                              char error[CONFIG_ERROR_MAX])
{
    char *line = NULL;
    size_t size = 0, total = 0;
    enum status status = STATUS_OK;
    ssize_t length;
    for (unsigned number = 1; status == STATUS_OK && (length = getline(&line, &size, file)) >= 0;
         number++) {
        char *text = trimmed(line);
        total += (size_t)length;
        char origin[256];
        snprintf(origin, sizeof origin, "%.200s:%u", path, number);
        if (total > CONFIG_FILE_MAX) {
            error_set(error, "%s: the file is too large", origin);
            status = STATUS_LIMIT;
        } else if (text[0] != '\0' && text[0] != '#') {
            status = config_set(config, text, origin, error);
        }
    }
    free(line);
    return status;
}

enum status config_read_file(struct config *config, const char *path,
                             char ret_error[CONFIG_ERROR_MAX])
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        error_set(ret_error, "%s: %s", path, strerror(errno));
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    }
    enum status status = lines_read(config, file, path, ret_error);
    if (status == STATUS_OK && ferror(file)) {
        error_set(ret_error, "%s: cannot be read", path);
        status = STATUS_IO;
    }
    fclose(file);
    return status;
}

enum status config_read_environment(struct config *config, const char *prefix,
                                    char ret_error[CONFIG_ERROR_MAX])
{
    for (size_t i = 0; i < config->table->key_count; i++) {
        const struct config_key *key = &config->table->keys[i];
        char name[CONFIG_NAME_MAX];
        snprintf(name, sizeof name, "%s%s", prefix, key->name);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
        const char *value = getenv(name);
        enum status status =
            value != NULL ? value_set_from(config, key, value, name, ret_error) : STATUS_OK;
        if (status != STATUS_OK) {
            error_blame(ret_error, name);
            return status;
        }
    }
    return STATUS_OK;
}

/* ---- printing ---- */

static void range_print(const struct config_key *key, FILE *stream)
{
    if (key->kind == CONFIG_INT)
        fprintf(stream, "%lld to %lld", (long long)key->min, (long long)key->max);
    else if (key->kind == CONFIG_BOOL)
        fputs("true or false", stream);
    else if (key->kind == CONFIG_CHOICE)
        fputs(key->values, stream);
    else if (key->kind == CONFIG_LIST)
        fputs("a list, separated by commas", stream);
    else
        fputs("a text", stream);
}

void config_print_help(const struct config_table *table, void *stream)
{
    for (size_t i = 0; i < table->key_count; i++) {
        const struct config_key *key = &table->keys[i];
        fprintf(stream, "  %-24s %s\n%27s(", key->name, key->doc, "");
        range_print(key, stream);
        fprintf(stream, "; default: %s)\n", key->fallback[0] != '\0' ? key->fallback : "none");
    }
}

void config_print_sample(const struct config_table *table, void *stream)
{
    for (size_t i = 0; i < table->key_count; i++) {
        const struct config_key *key = &table->keys[i];
        fprintf(stream, "# %s\n# (", key->doc);
        range_print(key, stream);
        fprintf(stream, ")\n#%s = %s\n\n", key->name, key->fallback);
    }
}

void config_print_manual(const struct config_table *table, void *stream)
{
    for (size_t i = 0; i < table->key_count; i++) {
        const struct config_key *key = &table->keys[i];
        fprintf(stream, ".TP\n.B %s\n%s\nValues: ", key->name, key->doc);
        range_print(key, stream);
        fprintf(stream, "; default: %s.\n", key->fallback[0] != '\0' ? key->fallback : "none");
    }
}
