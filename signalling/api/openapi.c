/*
 * signalling/api/openapi.c - the routes printed: OpenAPI 3.1 (its schemas are JSON Schema
 * 2020-12) for machines, a section of docs/protocol.md for people.
 */
#include "signalling/api/api.h"
#include "signalling/api/route.h"

#include <inttypes.h>
#include <string.h>

struct printing {
    FILE *stream;
    struct arena *arena;
    bool failed;
};

static void put(struct printing *printing, const char *text)
{
    fputs(text, printing->stream);
}

static void put_quoted(struct printing *printing, const char *text)
{
    const char *quoted = json_quote(text, printing->arena);
    printing->failed = printing->failed || quoted == NULL;
    put(printing, quoted != NULL ? quoted : "\"\"");
}

/* ---- schemas ---- */

static void put_schema(struct printing *printing, const struct json_table *table);

static void put_text(struct printing *printing, int64_t min, int64_t max, const char *values)
{
    /* Lengths of ours count bytes, JSON Schema's count characters: no text within ours has more. */
    put(printing, "\"type\":\"string\"");
    if (values == NULL) {
        fprintf(printing->stream, "%s,\"maxLength\":%" PRId64, min > 0 ? ",\"minLength\":1" : "",
                max);
        return;
    }
    put(printing, ",\"enum\":[\"");
    for (; *values != '\0'; values++) {
        if (*values == '|')
            put(printing, "\",\"");
        else
            fputc(*values, printing->stream);
    }
    put(printing, "\"]");
}

static void put_field(struct printing *printing, const struct json_field *field)
{
    put(printing, "{");
    switch (field->kind) {
    case JSON_FIELD_TEXT:
        put_text(printing, field->min, field->max, field->values);
        break;
    case JSON_FIELD_BOOL:
    case JSON_FIELD_MAYBE:
        put(printing, "\"type\":\"boolean\"");
        break;
    case JSON_FIELD_INT:
        put(printing, "\"type\":\"integer\"");
        if (field->max > field->min)
            fprintf(printing->stream, ",\"minimum\":%" PRId64 ",\"maximum\":%" PRId64, field->min,
                    field->max);
        break;
    case JSON_FIELD_OBJECT:
        put(printing, "\"allOf\":[");
        put_schema(printing, field->items);
        put(printing, "]");
        break;
    case JSON_FIELD_LIST:
    case JSON_FIELD_TEXTS:
        put(printing, "\"type\":\"array\",\"items\":");
        if (field->kind == JSON_FIELD_LIST) {
            put_schema(printing, field->items);
        } else {
            put(printing, "{");
            put_text(printing, 0, field->item_max, field->values);
            put(printing, "}");
        }
        if (field->max > 0)
            fprintf(printing->stream, ",\"maxItems\":%" PRId64, field->max);
        break;
    }
    if (field->doc != NULL) {
        put(printing, ",\"description\":");
        put_quoted(printing, field->doc);
    }
    put(printing, "}");
}

static void put_schema(struct printing *printing, const struct json_table *table)
{
    put(printing, "{\"type\":\"object\",\"title\":");
    put_quoted(printing, table->name);
    put(printing, ",\"properties\":{");
    for (size_t i = 0; i < table->field_count; i++) {
        fprintf(printing->stream, "%s\"%s\":", i > 0 ? "," : "", table->fields[i].name);
        put_field(printing, &table->fields[i]);
    }
    put(printing, "}");
    bool first = true;
    for (size_t i = 0; i < table->field_count; i++) {
        if (!table->fields[i].required)
            continue;
        fprintf(printing->stream, "%s\"%s\"", first ? ",\"required\":[" : ",",
                table->fields[i].name);
        first = false;
    }
    put(printing, first ? "}" : "]}");
}

/* ---- routes ---- */

static void put_parameters(struct printing *printing, const struct api_route *route)
{
    bool first = true;
    put(printing, ",\"parameters\":[");
    for (const char *at = strchr(route->pattern, '{'); at != NULL; at = strchr(at + 1, '{')) {
        fprintf(printing->stream,
                "%s{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,"
                "\"schema\":{\"type\":\"string\"}}",
                first ? "" : ",", (int)strcspn(at + 1, "}"), at + 1);
        first = false;
    }
    for (size_t i = 0; route->query != NULL && i < route->query->field_count; i++) {
        const struct json_field *field = &route->query->fields[i];
        fprintf(printing->stream,
                "%s{\"name\":\"%s\",\"in\":\"query\",\"required\":%s,\"schema\":", first ? "" : ",",
                field->name, field->required ? "true" : "false");
        put_field(printing, field);
        put(printing, "}");
        first = false;
    }
    put(printing, "]");
}

/* "text/plain; version=0.0.4" -> "text/plain" */
static int type_length(const char *type)
{
    return (int)strcspn(type, ";");
}

static void put_operation(struct printing *printing, const struct api_route *route)
{
    for (const char *at = route->method; *at != '\0'; at++)
        fputc(*at | 0x20, printing->stream); /* letters only */
    put(printing, "\":{\"description\":");
    put_quoted(printing, route->doc);
    fprintf(printing->stream, ",\"x-who\":\"%s\",\"security\":[%s]", api_who_name(route->who),
            route->who == API_ANYONE ? "" : "{\"bearer\":[]}");
    if (route->who == API_MEMBER)
        fprintf(printing->stream, ",\"x-right\":\"%s\"", spaces_right_name(route->right));
    if (route->guests)
        put(printing, ",\"x-guests\":true");
    put_parameters(printing, route);
    if (route->body != NULL) {
        put(printing, ",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":");
        put_schema(printing, route->body);
        put(printing, "}}}");
    }
    fprintf(printing->stream, ",\"responses\":{\"%d\":{\"description\":\"It is done.\"",
            route->status != 0 ? route->status : 200);
    if (route->result != NULL) {
        put(printing, ",\"content\":{\"application/json\":{\"schema\":");
        put_schema(printing, route->result);
        put(printing, "}}");
    } else if (route->type != NULL) {
        fprintf(printing->stream, ",\"content\":{\"%.*s\":{}}", type_length(route->type),
                route->type);
    }
    put(printing, "},\"default\":{\"$ref\":\"#/components/responses/problem\"}}}");
}

static bool pattern_before(size_t index)
{
    const char *pattern = api_route_at(index)->pattern;
    for (size_t i = 0; i < index; i++) {
        if (strcmp(api_route_at(i)->pattern, pattern) == 0)
            return true;
    }
    return false;
}

static void put_path(struct printing *printing, size_t index)
{
    const char *pattern = api_route_at(index)->pattern;
    const struct api_route *route;
    fprintf(printing->stream, "%s\"%s\":{\"", index > 0 ? "," : "", pattern);
    bool first = true;
    for (size_t i = index; (route = api_route_at(i)) != NULL; i++) {
        if (strcmp(route->pattern, pattern) != 0)
            continue;
        put(printing, first ? "" : ",\"");
        put_operation(printing, route);
        first = false;
    }
    put(printing, "}");
}

static const char components[] =
    "},\"components\":{"
    "\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}},"
    "\"responses\":{\"problem\":{\"description\":\"RFC 9457: `code` says what is wrong.\","
    "\"content\":{\"application/problem+json\":{\"schema\":{\"type\":\"object\","
    "\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},\"code\":{\"type\":\"string\"},"
    "\"detail\":{\"type\":\"string\"},\"request_id\":{\"type\":\"string\"}}}}}}}}}\n";

enum status api_print_openapi(FILE *stream, struct arena *arena)
{
    struct printing printing = {.stream = stream, .arena = arena};
    put(&printing, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Parley\",\"version\":\"" //
        PARLEY_VERSION "\"},\"paths\":{");
    for (size_t i = 0; api_route_at(i) != NULL; i++) {
        if (!pattern_before(i))
            put_path(&printing, i);
    }
    put(&printing, components);
    return printing.failed || ferror(stream) ? STATUS_NO_MEMORY : STATUS_OK;
}

void api_print_protocol(FILE *stream)
{
    const struct api_route *route;
    for (size_t i = 0; (route = api_route_at(i)) != NULL; i++) {
        fprintf(stream, "### `%s %s`\n\n%s", route->method, route->pattern, route->doc);
        if (route->who == API_MEMBER)
            fprintf(stream, " For: member who may `%s`.", spaces_right_name(route->right));
        else if (route->who != API_ANYONE)
            fprintf(stream, " For: %s.", api_who_name(route->who));
        if (route->guests)
            fputs(" Guests too.", stream);
        fputs("\n\n", stream);
        const struct {
            const char *title;
            const struct json_table *table;
        } parts[] = {{"Query", route->query}, {"Body", route->body}, {"Result", route->result}};
        for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++) {
            if (parts[part].table == NULL)
                continue;
            fprintf(stream, "%s:\n", parts[part].title);
            json_table_print(parts[part].table, stream);
            fputc('\n', stream);
        }
    }
}
