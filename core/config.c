#include "core/config.h"

#include "core/arena.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    CONFIG_LIST_MAX = 64,
    CONFIG_NAME_MAX = 128, /* of a variable */
    CONFIG_ARENA_MAX = CONFIG_FILE_MAX * 2,
};

/* Where a key was set. */
struct origin {
    struct origin *next;
    const char *name, *from;
};

struct config {
    const struct config_table *table;
    struct arena *arena;
    unsigned char *settings;
    struct origin *origins; /* the last one first */
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
    const char *ends = key->kind == CONFIG_PHRASES ? "," : " \t,";
    struct config_list list = {.items =
                                   arena_alloc(config->arena, CONFIG_LIST_MAX * sizeof(char *))};
    if (list.items == NULL)
        return without_memory(key, error);
    while (*text != '\0') {
        text += strspn(text, " \t,");
        size_t whole = strcspn(text, ends), length = whole;
        while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
            length--;
        if (length == 0)
            break;
        if (list.count == CONFIG_LIST_MAX) {
            error_set(error, "%s: more than %d entries", key->name, CONFIG_LIST_MAX);
            return STATUS_INVALID;
        }
        list.items[list.count] = arena_strndup(config->arena, text, length);
        if (list.items[list.count++] == NULL)
            return without_memory(key, error);
        text += whole;
    }
    *(struct config_list *)into = list;
    return STATUS_OK;
}

static enum status value_set(struct config *config, const struct config_key *key, const char *text,
                             void *into, char error[CONFIG_ERROR_MAX])
{
    switch (key->kind) {
    case CONFIG_INT:
        return set_int(key, text, into, error);
    case CONFIG_BOOL:
        return set_bool(key, text, into, error);
    case CONFIG_CHOICE:
        return set_choice(key, text, into, error);
    case CONFIG_LIST:
    case CONFIG_PHRASES:
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

/* ---- keys with a name in them ---- */

static bool item_name_valid(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
            return false;
    }
    return length > 0 && length <= CONFIG_ITEM_NAME_MAX;
}

/* What follows NAME in "phone.trunk.NAME.host": ".host". */
static const char *key_ending(const struct config_key *key)
{
    return key->name + strlen(key->group->prefix) + strlen("NAME");
}

/* Length of the item's name in `text` when that is such a key, else 0. */
static size_t item_name_length(const struct config_key *key, const char *text)
{
    size_t prefix = strlen(key->group->prefix), whole = strlen(text);
    size_t ending = strlen(key_ending(key));
    if (whole <= prefix + ending || strncmp(text, key->group->prefix, prefix) != 0 ||
        strcmp(text + whole - ending, key_ending(key)) != 0)
        return 0;
    size_t length = whole - prefix - ending;
    return item_name_valid(text + prefix, length) ? length : 0;
}

static enum status item_add(struct config *config, const struct config_key *key, const char *name,
                            size_t length, char error[CONFIG_ERROR_MAX])
{
    const struct config_group *group = key->group;
    struct config_items *items = (struct config_items *)(config->settings + group->offset);
    if (items->items == NULL) {
        items->items = arena_alloc(config->arena, group->max * group->size);
        items->names = arena_alloc(config->arena, group->max * sizeof *items->names);
        if (items->items == NULL || items->names == NULL)
            return without_memory(key, error);
    }
    if (items->count == group->max) {
        error_set(error, "%s: more than %zu names", key->name, group->max);
        return STATUS_LIMIT;
    }
    unsigned char *item = (unsigned char *)items->items + items->count * group->size;
    memset(item, 0, group->size);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < config->table->key_count; i++) {
        const struct config_key *one = &config->table->keys[i];
        if (one->group == group)
            status = value_set(config, one, one->fallback, item + one->offset, error);
    }
    items->names[items->count] = arena_strndup(config->arena, name, length);
    if (status == STATUS_OK && items->names[items->count] == NULL)
        status = without_memory(key, error);
    if (status == STATUS_OK)
        items->count++;
    return status;
}

/* Where the value of the key with this name goes; an item that is new is made. */
static enum status value_place(struct config *config, const struct config_key *key,
                               const char *name, void **ret_into, char error[CONFIG_ERROR_MAX])
{
    const struct config_group *group = key->group;
    if (group == NULL) {
        *ret_into = config->settings + key->offset;
        return STATUS_OK;
    }
    struct config_items *items = (struct config_items *)(config->settings + group->offset);
    const char *item = name + strlen(group->prefix);
    size_t length = item_name_length(key, name), i = 0;
    while (i < items->count &&
           (strncmp(items->names[i], item, length) != 0 || items->names[i][length] != '\0'))
        i++;
    enum status status = i == items->count ? item_add(config, key, item, length, error) : STATUS_OK;
    if (status == STATUS_OK)
        *ret_into = (unsigned char *)items->items + i * group->size + key->offset;
    return status;
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
    enum status status =
        config->settings != NULL ? arena_new(CONFIG_ARENA_MAX, &config->arena) : STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < table->key_count; i++) {
        const struct config_key *key = &table->keys[i];
        if (key->group == NULL)
            status = value_set(config, key, key->fallback, config->settings + key->offset, error);
    }
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
        const struct config_key *key = &table->keys[i];
        if (key->group != NULL ? item_name_length(key, name) > 0 : strcmp(key->name, name) == 0)
            return key;
    }
    return NULL;
}

static enum status value_set_from(struct config *config, const struct config_key *key,
                                  const char *name, const char *text, const char *from,
                                  char error[CONFIG_ERROR_MAX])
{
    struct config_key named = *key; /* errors name the key as it was written */
    struct origin *origin = arena_alloc(config->arena, sizeof *origin);
    void *into = NULL;
    named.name = arena_strdup(config->arena, name);
    if (origin == NULL || named.name == NULL)
        return without_memory(key, error);
    enum status status = value_place(config, key, name, &into, error);
    if (status == STATUS_OK)
        status = value_set(config, &named, text, into, error);
    if (status != STATUS_OK)
        return status;
    *origin = (struct origin){
        .next = config->origins, .name = named.name, .from = arena_strdup(config->arena, from)};
    if (origin->from == NULL)
        return without_memory(key, error);
    config->origins = origin;
    return STATUS_OK;
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
    return value_set_from(config, key, name, trimmed(equals + 1), origin, error);
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
    for (const struct origin *origin = config->origins; origin != NULL; origin = origin->next) {
        size_t length = strlen(origin->name);
        if (strncmp(error, origin->name, length) == 0 && error[length] == ':') {
            error_blame(error, origin->from);
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

static void variable_name(char ret_name[CONFIG_NAME_MAX], const char *prefix, const char *key)
{
    snprintf(ret_name, CONFIG_NAME_MAX, "%s%s", prefix, key);
    for (char *c = ret_name; *c != '\0'; c++)
        *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

/* The key of a group that a variable's ending names; the longest, of several. */
static const struct config_key *variable_key(const struct config *config, const char *variable,
                                             size_t length, const char *prefix,
                                             char ret_name[CONFIG_NAME_MAX])
{
    const struct config_key *found = NULL;
    size_t found_ending = 0;
    for (size_t i = 0; i < config->table->key_count; i++) {
        const struct config_key *key = &config->table->keys[i];
        if (key->group == NULL)
            continue;
        char start[CONFIG_NAME_MAX], ending[CONFIG_NAME_MAX];
        variable_name(start, prefix, key->group->prefix);
        variable_name(ending, "", key_ending(key));
        size_t head = strlen(start), tail = strlen(ending);
        if (length <= head + tail || strncmp(variable, start, head) != 0 || tail <= found_ending ||
            strncmp(variable + length - tail, ending, tail) != 0 ||
            length - head - tail > CONFIG_ITEM_NAME_MAX)
            continue;
        found = key;
        found_ending = tail;
        char item[CONFIG_ITEM_NAME_MAX + 1] = "";
        for (size_t at = 0; at < length - head - tail; at++)
            item[at] = (char)tolower((unsigned char)variable[head + at]);
        snprintf(ret_name, CONFIG_NAME_MAX, "%.50s%s%.40s", key->group->prefix, item,
                 key_ending(key));
    }
    return found != NULL && item_name_length(found, ret_name) > 0 ? found : NULL;
}

static enum status groups_read_environment(struct config *config, const char *prefix,
                                           char error[CONFIG_ERROR_MAX])
{
    for (char **variable = environ; *variable != NULL; variable++) {
        size_t length = strcspn(*variable, "=");
        char name[CONFIG_NAME_MAX], origin[CONFIG_NAME_MAX];
        const struct config_key *key = (*variable)[length] == '='
                                           ? variable_key(config, *variable, length, prefix, name)
                                           : NULL;
        if (key == NULL)
            continue;
        snprintf(origin, sizeof origin, "%.*s", (int)length, *variable);
        enum status status =
            value_set_from(config, key, name, *variable + length + 1, origin, error);
        if (status != STATUS_OK) {
            error_blame(error, origin);
            return status;
        }
    }
    return STATUS_OK;
}

enum status config_read_environment(struct config *config, const char *prefix,
                                    char ret_error[CONFIG_ERROR_MAX])
{
    for (size_t i = 0; i < config->table->key_count; i++) {
        const struct config_key *key = &config->table->keys[i];
        char name[CONFIG_NAME_MAX];
        variable_name(name, prefix, key->name);
        const char *value = key->group == NULL ? getenv(name) : NULL;
        enum status status = value != NULL
                                 ? value_set_from(config, key, key->name, value, name, ret_error)
                                 : STATUS_OK;
        if (status != STATUS_OK) {
            error_blame(ret_error, name);
            return status;
        }
    }
    return groups_read_environment(config, prefix, ret_error);
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
    else if (key->kind == CONFIG_LIST || key->kind == CONFIG_PHRASES)
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
