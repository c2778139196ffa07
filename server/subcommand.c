#include "server/subcommand.h"

#include "server/options.h"
#include "server/server.h"
#include "server/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUBCOMMAND_ARGUMENTS_MAX = 64, SUBCOMMAND_STDIN_MAX = 4096 };

struct run {
    const struct control_command *command;
    struct arena *arena;
    struct options options; /* those that serve has too */
    char *passed[SUBCOMMAND_ARGUMENTS_MAX];
    const char *json; /* of the fields, so far */
    bool as_json;     /* print the result so */
    char error[CONFIG_ERROR_MAX];
};

const struct control_command *subcommand_find(const char *first, const char *second)
{
    const struct control_command *command;
    size_t length = strlen(first);
    for (size_t i = 0; (command = control_command_at(i)) != NULL; i++) {
        if (strncmp(command->name, first, length) == 0 && command->name[length] == ' ' &&
            strcmp(command->name + length + 1, second) == 0)
            return command;
    }
    return NULL;
}

static bool is_password(const struct json_field *field)
{
    return strncmp(field->name, "password", 8) == 0;
}

static void option_print(const struct json_field *field, FILE *stream)
{
    fprintf(stream, " %s--", field->required ? "" : "[");
    for (const char *at = field->name; *at != '\0'; at++)
        fputc(*at == '_' ? '-' : *at, stream);
    fprintf(stream, "%s%s",
            is_password(field) ? "-stdin" : (field->kind == JSON_FIELD_BOOL ? "" : " ..."),
            field->required ? "" : "]");
}

void subcommands_print(FILE *stream)
{
    const struct control_command *command;
    for (size_t i = 0; (command = control_command_at(i)) != NULL; i++) {
        fprintf(stream, "  %s", command->name);
        for (size_t field = 0; field < command->args->field_count; field++)
            option_print(&command->args->fields[field], stream);
        fprintf(stream, "\n                           %s\n", command->doc);
    }
}

/* ---- what was asked ---- */

/* "legacy-hash" is the field legacy_hash, "password-stdin" password. */
static const struct json_field *field_find(const struct json_table *table, const char *option)
{
    for (size_t i = 0; i < table->field_count; i++) {
        const struct json_field *field = &table->fields[i];
        const char *left = field->name, *right = option;
        for (; *left != '\0' && (*left == *right || (*left == '_' && *right == '-')); left++)
            right++;
        if (*left == '\0' && strcmp(right, is_password(field) ? "-stdin" : "") == 0)
            return field;
    }
    return NULL;
}

/* The first line of standard input. */
static const char *secret_read(struct arena *arena)
{
    char *text = arena_alloc(arena, SUBCOMMAND_STDIN_MAX);
    if (text == NULL || fgets(text, SUBCOMMAND_STDIN_MAX, stdin) == NULL)
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static enum status field_take(struct run *run, const struct json_field *field, const char *value)
{
    const char *literal = value;
    if (field->kind == JSON_FIELD_TEXT)
        literal = value != NULL ? json_quote(value, run->arena) : NULL;
    else if (field->kind == JSON_FIELD_BOOL)
        literal = "true";
    if (literal == NULL) {
        snprintf(run->error, sizeof run->error, "--%s: its value is missing", field->name);
        return STATUS_INVALID;
    }
    run->json = arena_printf(run->arena, "%s%s\"%s\":%s", run->json,
                             run->json[1] != '\0' ? "," : "", field->name, literal);
    return run->json != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Sorts the arguments into those of serve and fields. */
static enum status arguments_take(struct run *run, int argc, char **argv)
{
    enum status status = STATUS_OK;
    run->passed[run->options.argc++] = argv[0];
    for (int i = 3; i < argc && status == STATUS_OK; i++) {
        const char *option = strncmp(argv[i], "--", 2) == 0 ? argv[i] + 2 : "";
        const struct json_field *field = field_find(run->command->args, option);
        if (field == NULL && strcmp(option, "json") == 0) {
            run->as_json = true;
        } else if (field == NULL) {
            if (run->options.argc + 2 > SUBCOMMAND_ARGUMENTS_MAX)
                return STATUS_LIMIT;
            run->passed[run->options.argc++] = argv[i];
            if (strchr(option, '=') == NULL && i + 1 < argc)
                run->passed[run->options.argc++] = argv[++i];
        } else if (is_password(field)) {
            status = field_take(run, field, secret_read(run->arena));
        } else if (field->kind == JSON_FIELD_BOOL) {
            status = field_take(run, field, "");
        } else {
            status = field_take(run, field, i + 1 < argc ? argv[++i] : NULL);
        }
    }
    run->options.argv = run->passed;
    return status == STATUS_OK ? options_read(&run->options, run->error) : status;
}

/* ---- what came of it ---- */

static void value_print(const struct json_field *field, const void *structure)
{
    const void *from = (const unsigned char *)structure + field->offset;
    if (field->kind == JSON_FIELD_TEXT)
        fputs(*(const char *const *)from != NULL ? *(const char *const *)from : "-", stdout);
    else if (field->kind == JSON_FIELD_INT)
        printf("%lld", (long long)*(const int64_t *)from);
    else if (field->kind == JSON_FIELD_BOOL)
        fputs(*(const bool *)from ? "yes" : "no", stdout);
}

/* A line an item, tabs between; a heading first. */
static void list_print(const struct json_field *field, const struct json_list *list)
{
    const struct json_table *table = field->items;
    for (size_t i = 0; i < table->field_count; i++)
        printf("%s%s", i > 0 ? "\t" : "", table->fields[i].name);
    putchar('\n');
    for (size_t item = 0; item < list->count; item++) {
        const void *at = (const unsigned char *)list->items + table->size * item;
        for (size_t i = 0; i < table->field_count; i++) {
            fputs(i > 0 ? "\t" : "", stdout);
            value_print(&table->fields[i], at);
        }
        putchar('\n');
    }
}

/* A text and nothing else is printed as it is, for a file. */
static void result_print(const struct json_table *table, const void *result)
{
    if (table->field_count == 1 && table->fields[0].kind == JSON_FIELD_TEXT) {
        value_print(&table->fields[0], result);
        return;
    }
    for (size_t i = 0; i < table->field_count; i++) {
        const struct json_field *field = &table->fields[i];
        if (field->kind == JSON_FIELD_LIST) {
            list_print(field, (const void *)((const unsigned char *)result + field->offset));
            continue;
        }
        printf("%s: ", field->name);
        value_print(field, result);
        putchar('\n');
    }
}

static enum status reply_take(struct run *run, const char *reply)
{
    struct json *json = NULL;
    struct json_error error = {""};
    const struct json_table *table = run->command->result;
    void *result = arena_alloc(run->arena, table->size);
    enum status status =
        result != NULL ? json_parse(reply, strlen(reply), &json, &error) : STATUS_NO_MEMORY;
    const char *refused = status == STATUS_OK ? json_get_text(json, "error") : NULL;
    if (refused != NULL) {
        snprintf(run->error, sizeof run->error, "%s", refused);
        status = STATUS_DENIED;
    }
    if (status == STATUS_OK)
        status = json_decode(table, json_get_object(json, "result"), run->arena, result, &error);
    json_free(json);
    if (status == STATUS_OK && run->as_json) {
        const char *text = json_encode(table, result, run->arena);
        return text != NULL && puts(text) >= 0 ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        result_print(table, result);
    return status;
}

/* By the server that has the database, or without one. */
static enum status ask(struct run *run, const char **ret_reply)
{
    const char *request = arena_printf(run->arena, "{\"command\":\"%s\",\"args\":%s}}",
                                       run->command->name, run->json);
    if (request == NULL)
        return STATUS_NO_MEMORY;
    enum status status = control_ask(run->options.data, request, run->arena, ret_reply);
    if (status != STATUS_NOT_FOUND)
        return status;
    return server_control(config_settings(run->options.config), run->options.data, request,
                          run->arena, ret_reply, run->error);
}

int subcommand_run(int argc, char **argv)
{
    struct run run = {
        .command = subcommand_find(argv[1], argv[2]), .options = {.data = "data"}, .json = "{"};
    const char *reply = NULL;
    enum status status = arena_new(CONTROL_ARENA_MAX, &run.arena);
    if (status == STATUS_OK)
        status = config_new(&settings_table, &run.options.config);
    if (status == STATUS_OK)
        status = arguments_take(&run, argc, argv);
    if (status == STATUS_OK)
        status = ask(&run, &reply);
    if (status == STATUS_OK)
        status = reply_take(&run, reply);
    int code = EXIT_SUCCESS;
    if (status != STATUS_OK)
        code = complain(run.error[0] != '\0' ? run.error : status_text(status));
    config_free(run.options.config);
    arena_free(run.arena);
    return code;
}
