/* What is driven by tables: JSON messages, configuration, metrics; and the map. */
#include "core/config.h"
#include "core/json.h"
#include "core/map.h"
#include "core/metrics.h"
#include "core/rng.h"
#include "core/text.h"
#include "tests/support/alloc_fail.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct point {
    int64_t x;
    const char *label;
};

struct shape {
    const char *kind;
    bool filled;
    uint8_t visible;
    struct point centre;
    struct json_list points, tags;
};

static const struct json_field point_fields[] = {
    {.name = "x",
     .kind = JSON_FIELD_INT,
     .offset = offsetof(struct point, x),
     .min = -5,
     .max = 5,
     .required = true},
    {.name = "label",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct point, label),
     .min = 1,
     .max = 8},
};
static const struct json_table point_table = {
    .name = "point", .size = sizeof(struct point), .fields = point_fields, .field_count = 2};
static const struct json_field shape_fields[] = {
    {.name = "kind",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct shape, kind),
     .max = 10,
     .values = "disc|ring",
     .required = true},
    {.name = "filled", .kind = JSON_FIELD_BOOL, .offset = offsetof(struct shape, filled)},
    {.name = "visible", .kind = JSON_FIELD_MAYBE, .offset = offsetof(struct shape, visible)},
    {.name = "centre",
     .kind = JSON_FIELD_OBJECT,
     .offset = offsetof(struct shape, centre),
     .items = &point_table},
    {.name = "points",
     .kind = JSON_FIELD_LIST,
     .offset = offsetof(struct shape, points),
     .max = 2,
     .items = &point_table},
    {.name = "tags",
     .kind = JSON_FIELD_TEXTS,
     .offset = offsetof(struct shape, tags),
     .max = 2,
     .item_max = 4},
};
static const struct json_table shape_table = {
    .name = "shape", .size = sizeof(struct shape), .fields = shape_fields, .field_count = 6};

static enum status decode(const char *text, struct arena *arena, struct shape *shape,
                          struct json_error *error)
{
    struct json *json = NULL;
    enum status status = json_parse(text, strlen(text), &json, error);
    if (status == STATUS_OK)
        status = json_decode(&shape_table, json, arena, shape, error);
    json_free(json);
    return status;
}

static void json_round_trip(void **state)
{
    (void)state;
    static const char text[] = "{\"kind\":\"ring\",\"filled\":true,\"visible\":false,"
                               "\"centre\":{\"x\":-5,\"label\":\"a\\\"\\\\\\u000a\"},"
                               "\"points\":[{\"x\":1},{\"x\":2}],\"tags\":[\"\",\"t\"]}";
    struct arena *arena;
    struct shape shape;
    struct json_error error;
    assert_int_equal(arena_new(65536, &arena), STATUS_OK);
    assert_int_equal(decode(text, arena, &shape, &error), STATUS_OK);
    assert_string_equal(shape.kind, "ring");
    assert_int_equal(shape.visible, JSON_NO);
    assert_string_equal(shape.centre.label, "a\"\\\n");
    assert_int_equal(shape.points.count, 2);
    assert_int_equal(((struct point *)shape.points.items)[1].x, 2);
    assert_string_equal(json_encode(&shape_table, &shape, arena), text);
    arena_free(arena);
}

static void json_errors_name_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"{}", "d.kind: missing"},
        {"{\"kind\":\"disk\"}", "d.kind: not one of disc|ring"},
        {"{\"kind\":\"disc\",\"x\":1}", "d.x: unknown field"},
        {"{\"kind\":\"disc\",\"points\":[{\"x\":1},{\"x\":6}]}", "d.points[1].x: not from -5 to 5"},
        {"{\"kind\":\"disc\",\"points\":[{},{},{}]}", "d.points: 3 entries, not 0 to 2"},
        {"{\"kind\":\"disc\",\"tags\":[\"12345\"]}", "d.tags[0]: longer than 4 bytes"},
        {"{\"kind\":\"disc\",\"centre\":{\"x\":1,\"label\":\"a\\u0001\"}}",
         "d.centre.label: holds control characters"},
        {"{\"kind\":\"disc\",\"filled\":1}", "d.filled: not true or false"},
        {"[]", "not a JSON object"},
    };
    struct arena *arena;
    struct shape shape;
    struct json_error error;
    assert_int_equal(arena_new(65536, &arena), STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(decode(rows[i].text, arena, &shape, &error), STATUS_INVALID);
        assert_string_equal(error.text, rows[i].error);
    }
    assert_int_equal(decode("{\"kind\":\"disc\",\"kind\":\"disc\"}", arena, &shape, &error),
                     STATUS_INVALID);
    char deep[64] = "{\"a\":";
    memset(deep + 5, '[', JSON_DEPTH_MAX);
    assert_int_equal(decode(deep, arena, &shape, &error), STATUS_INVALID);
    assert_string_equal(error.text, "nested deeper than 16");
    arena_free(arena);
}

/* A field's name comes from outside and may be cut anywhere: what goes back is UTF-8 still. */
static void json_errors_stay_utf8(void **state)
{
    (void)state;
    struct arena *arena;
    struct shape shape;
    struct json_error error;
    assert_int_equal(arena_new(65536, &arena), STATUS_OK);
    for (size_t shift = 0; shift < 3; shift++) {
        char text[512] = "{\"";
        size_t length = 2 + shift;
        memset(text + 2, 'x', shift);
        for (; length < 400; length += 3)
            memcpy(text + length, "\xe4\xb8\x8a", 3);
        memcpy(text + length, "\":1}", 5);
        assert_int_equal(decode(text, arena, &shape, &error), STATUS_INVALID);
        assert_true(text_valid(error.text, 1, sizeof error.text, TEXT_LINE));
    }
    assert_int_equal(decode("{\"a\":\"\xff\xfe\"}", arena, &shape, &error), STATUS_INVALID);
    assert_true(text_valid(error.text, 1, sizeof error.text, TEXT_LINE));
    arena_free(arena);
}

static void json_table_becomes_markdown(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    json_table_print(&shape_table, stream);
    fclose(stream);
    assert_non_null(strstr(text, "| `kind` | disc \\| ring |"));
    assert_non_null(strstr(text, "| `points[].x` | integer, -5 to 5 |"));
    assert_non_null(
        strstr(text, "| `tags` (optional) | list, at most 2, of texts up to 4 bytes |"));
    free(text);
}

static enum status decode_and_encode(void *context)
{
    static const char text[] =
        "{\"kind\":\"ring\",\"points\":[{\"x\":1,\"label\":\"a\"},{\"x\":2}],"
        "\"tags\":[\"s\",\"t\"]}";
    const struct json *json = context;
    struct json *own = NULL;
    struct arena *arena = NULL;
    struct shape shape;
    struct json_error error;
    enum status status = arena_new(65536, &arena);
    if (status == STATUS_OK && !json)
        status = json_parse(text, strlen(text), &own, &error);
    if (status == STATUS_OK)
        status = json_decode(&shape_table, json ? json : own, arena, &shape, &error);
    if (status == STATUS_OK && (!json_encode(&shape_table, &shape, arena) ||
                                !arena_alloc(arena, 10000) || !json_quote("quoted", arena)))
        status = STATUS_NO_MEMORY;
    json_free(own);
    arena_free(arena);
    return status;
}

static void json_without_memory(void **state)
{
    (void)state;
    static const char text[] = "{\"kind\":\"ring\",\"points\":[{\"x\":1}],\"tags\":[\"s\"]}";
    struct json *json;
    struct json_error error;
    assert_int_equal(json_parse(text, strlen(text), &json, &error), STATUS_OK);
    assert_true(alloc_fail_each(decode_and_encode, json) >= 2);
    json_free(json);
    /* jansson's own allocations too: it cannot say why it failed, but it leaks nothing. */
    json_set_alloc_funcs(malloc, free);
    uint32_t failures = 0;
    for (uint32_t k = 1;; k++) {
        alloc_fail_at(k);
        enum status status = decode_and_encode(NULL);
        bool failed = alloc_fail_fired();
        alloc_fail_at(0);
        if (!failed) {
            assert_int_equal(status, STATUS_OK);
            break;
        }
        failures++;
    }
    assert_true(failures > 20);
}

/* ---- configuration ---- */

struct settings {
    int64_t port, mode;
    bool on;
    const char *name;
    struct config_list hosts, numbers;
    struct config_items lines;
};

struct line {
    const char *host, *key_file;
    int64_t port;
};

static const struct config_group lines = {"line.", offsetof(struct settings, lines),
                                          sizeof(struct line), 2};

static const struct config_key keys[] = {
    {"port", CONFIG_INT, offsetof(struct settings, port), "80", 0, 65535, NULL, "A port.", NULL},
    {"mode", CONFIG_CHOICE, offsetof(struct settings, mode), "slow", 0, 0, "slow|fast", "A mode.",
     NULL},
    {"on", CONFIG_BOOL, offsetof(struct settings, on), "no", 0, 0, NULL, "A switch.", NULL},
    {"name", CONFIG_TEXT, offsetof(struct settings, name), "", 0, 0, NULL, "A name.", NULL},
    {"hosts", CONFIG_LIST, offsetof(struct settings, hosts), "a, b", 0, 0, NULL, "Hosts.", NULL},
    {"numbers", CONFIG_PHRASES, offsetof(struct settings, numbers), "", 0, 0, NULL, "Numbers.",
     NULL},
    {"line.NAME.host", CONFIG_TEXT, offsetof(struct line, host), "", 0, 0, NULL, "A host.", &lines},
    {"line.NAME.port", CONFIG_INT, offsetof(struct line, port), "7", 1, 9, NULL, "A port.", &lines},
    {"line.NAME.key_file", CONFIG_TEXT, offsetof(struct line, key_file), "", 0, 0, NULL, "A file.",
     &lines},
};
static const struct config_table table = {keys, sizeof keys / sizeof keys[0],
                                          sizeof(struct settings)};

static void config_reads_a_file_and_names_what_is_wrong(void **state)
{
    (void)state;
    char path[] = "/tmp/parley-config-XXXXXX", error[CONFIG_ERROR_MAX], expected[CONFIG_ERROR_MAX];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "# a comment\n\nport = 8080\nmode=fast\n on = yes \nhosts = x,y z\n"
                               "colour = red\n";
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct config *config;
    assert_int_equal(config_new(&table, &config), STATUS_OK);
    const struct settings *settings = config_settings(config);
    assert_int_equal(settings->port, 80);
    assert_int_equal(settings->hosts.count, 2);
    assert_int_equal(config_read_file(config, path, error), STATUS_NOT_FOUND);
    snprintf(expected, sizeof expected, "%s:7: colour: no such key", path);
    assert_string_equal(error, expected);
    assert_int_equal(settings->port, 8080);
    assert_int_equal(settings->mode, 1);
    assert_true(settings->on);
    assert_int_equal(settings->hosts.count, 3);
    assert_string_equal(settings->hosts.items[2], "z");
    assert_int_equal(config_set(config, "numbers = +49 30 1 , +1 2", "--set", error), STATUS_OK);
    assert_int_equal(settings->numbers.count, 2);
    assert_string_equal(settings->numbers.items[0], "+49 30 1");
    assert_string_equal(settings->numbers.items[1], "+1 2");
    assert_int_equal(config_set(config, "port=70000", "--set", error), STATUS_INVALID);
    assert_string_equal(error, "--set: port: \"70000\" is not a number from 0 to 65535");
    assert_int_equal(config_set(config, "mode=mid", "--set", error), STATUS_INVALID);
    assert_int_equal(config_set(config, "name = a=b", "--set", error), STATUS_OK);
    assert_string_equal(settings->name, "a=b");
    unlink(path);
    assert_int_equal(config_read_file(config, path, error), STATUS_NOT_FOUND);
    strcpy(error, "port: 8080 is taken");
    config_blame(config, error);
    snprintf(expected, sizeof expected, "%s:3: port: 8080 is taken", path);
    assert_string_equal(error, expected);
    strcpy(error, "name: too short");
    config_blame(config, error);
    assert_string_equal(error, "--set: name: too short");
    strcpy(error, "ports are no key");
    config_blame(config, error);
    assert_string_equal(error, "ports are no key");
    config_free(config);
}

static void config_has_items_of_a_name(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX];
    struct config *config;
    assert_int_equal(config_new(&table, &config), STATUS_OK);
    const struct config_items *items = &((const struct settings *)config_settings(config))->lines;
    assert_int_equal(items->count, 0);
    assert_int_equal(config_set(config, "line.first.host = a", "--set", error), STATUS_OK);
    setenv("PARLEY_LINE_OTHER_PORT", "9", 1);
    setenv("PARLEY_LINE_OTHER_KEY_FILE", "k", 1);
    setenv("PARLEY_LINE_FIRST_PORT", "8", 1);
    assert_int_equal(config_read_environment(config, "PARLEY_", error), STATUS_OK);
    const struct line *line = items->items;
    assert_int_equal(items->count, 2);
    size_t other = strcmp(items->names[0], "other") == 0 ? 0 : 1;
    assert_string_equal(items->names[1 - other], "first");
    assert_string_equal(line[1 - other].host, "a");
    assert_int_equal(line[1 - other].port, 8);
    assert_string_equal(line[other].host, "");
    assert_string_equal(line[other].key_file, "k");
    assert_int_equal(line[other].port, 9);
    assert_int_equal(config_set(config, "line.first.port = 10", "--set", error), STATUS_INVALID);
    assert_string_equal(error, "--set: line.first.port: \"10\" is not a number from 1 to 9");
    assert_int_equal(config_set(config, "line.third.port = 2", "--set", error), STATUS_LIMIT);
    assert_string_equal(error, "--set: line.NAME.port: more than 2 names");
    static const char *const unknown[] = {
        "line.first.hosts=", "line..host=", "line.host=", "line.a b.host=", "line.first="};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_int_equal(config_set(config, unknown[i], "--set", error), STATUS_NOT_FOUND);
    strcpy(error, "line.first.host: does not answer");
    config_blame(config, error);
    assert_string_equal(error, "--set: line.first.host: does not answer");
    unsetenv("PARLEY_LINE_OTHER_PORT");
    unsetenv("PARLEY_LINE_OTHER_KEY_FILE");
    unsetenv("PARLEY_LINE_FIRST_PORT");
    config_free(config);
}

static enum status configure(void *context)
{
    (void)context;
    struct config *config = NULL;
    char error[CONFIG_ERROR_MAX] = "";
    enum status status = config_new(&table, &config);
    if (status == STATUS_OK)
        status = config_set(config, "name = a name", "--set", error);
    if (status == STATUS_OK)
        status = config_set(config, "hosts = x, y, z", "--set", error);
    if (status == STATUS_OK)
        status = config_set(config, "line.one.host = x", "--set", error);
    for (int i = 0; i < 10 && status == STATUS_OK; i++)
        status = config_set(config, "hosts = a, b, c", "--set", error);
    assert_true(config == NULL || status == STATUS_OK || strstr(error, "out of memory") != NULL);
    config_free(config);
    return status;
}

static void config_without_memory(void **state)
{
    (void)state;
    assert_true(alloc_fail_each(configure, NULL) > 10);
}

static void config_reads_the_environment(void **state)
{
    (void)state;
    struct config *config;
    char error[CONFIG_ERROR_MAX];
    assert_int_equal(config_new(&table, &config), STATUS_OK);
    setenv("TABLES_PORT", "81", 1);
    assert_int_equal(config_read_environment(config, "TABLES_", error), STATUS_OK);
    assert_int_equal(((const struct settings *)config_settings(config))->port, 81);
    setenv("TABLES_PORT", "x", 1);
    assert_int_equal(config_read_environment(config, "TABLES_", error), STATUS_INVALID);
    assert_string_equal(error, "TABLES_PORT: port: \"x\" is not a number from 0 to 65535");
    unsetenv("TABLES_PORT");
    config_free(config);
}

/* The sample names every key with its default; help and manual name the range. */
static void config_prints_itself(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    config_print_sample(&table, stream);
    config_print_help(&table, stream);
    config_print_manual(&table, stream);
    fclose(stream);
    assert_non_null(strstr(text, "#port = 80\n"));
    assert_non_null(strstr(text, "#hosts = a, b\n"));
    assert_non_null(strstr(text, "0 to 65535"));
    free(text);
}

/* ---- metrics ---- */

static double reading(void *context)
{
    return *(double *)context;
}

static void metrics_print_as_prometheus_reads(void **state)
{
    (void)state;
    static const double bounds[] = {0.1, 1};
    double value = 2.5;
    struct metrics *metrics;
    assert_int_equal(metrics_new(&metrics), STATUS_OK);
    struct metric *zero = metrics_counter(metrics, "p_total", "worker=\"0\"", "Packets.");
    metrics_gauge_read(metrics, "g", "", "A gauge.", reading, &value);
    struct metric *one = metrics_counter(metrics, "p_total", "worker=\"1\"", "Packets.");
    struct metric *seconds = metrics_histogram(metrics, "s", "", "Seconds.", bounds, 2);
    metric_add(zero, 3);
    metric_add(one, 4);
    metric_observe(seconds, 0.05);
    metric_observe(seconds, 5);
    metric_add(NULL, 1);
    char *text = metrics_print(metrics);
    assert_string_equal(text, "# HELP p_total Packets.\n# TYPE p_total counter\n"
                              "p_total{worker=\"0\"} 3\np_total{worker=\"1\"} 4\n"
                              "# HELP g A gauge.\n# TYPE g gauge\ng 2.5\n"
                              "# HELP s Seconds.\n# TYPE s histogram\ns_bucket{le=\"0.1\"} 1\n"
                              "s_bucket{le=\"1\"} 1\ns_bucket{le=\"+Inf\"} 2\ns_sum 5.05\n"
                              "s_count 2\n");
    free(text);
    metrics_free(metrics);
}

static void metrics_take_any_number(void **state)
{
    (void)state;
    static const double bounds[] = {0};
    struct metrics *metrics;
    assert_int_equal(metrics_new(&metrics), STATUS_OK);
    struct metric *metric = metrics_histogram(metrics, "s", "a=\"b\"", "Sum.", bounds, 1);
    metric_observe(metric, -2.5);
    metric_observe(metric, NAN);
    metric_observe(metric, 1e30);
    metric_observe(metric, -1e30);
    char *text = metrics_print(metrics);
    assert_string_equal(text, "# HELP s Sum.\n# TYPE s histogram\ns_bucket{a=\"b\",le=\"0\"} 2\n"
                              "s_bucket{a=\"b\",le=\"+Inf\"} 3\ns_sum{a=\"b\"} 0\n"
                              "s_count{a=\"b\"} 3\n");
    free(text);
    metrics_free(metrics);
}

static enum status register_metrics(void *context)
{
    (void)context;
    struct metrics *metrics;
    enum status status = metrics_new(&metrics);
    if (status != STATUS_OK)
        return status;
    struct metric *metric = metrics_counter(metrics, "c", "", "Counts.");
    metric_add(metric, 1);
    status = metric ? STATUS_OK : STATUS_NO_MEMORY;
    metrics_free(metrics);
    return status;
}

static void metrics_without_memory(void **state)
{
    (void)state;
    assert_int_equal(alloc_fail_each(register_metrics, NULL), 2);
}

/* ---- the map, against an array ---- */

static void map_agrees_with_an_array(void **state)
{
    (void)state;
    enum { KEYS = 500, STEPS = 200000 };
    static char values[KEYS];
    bool there[KEYS] = {false};
    size_t count = 0;
    struct rng rng;
    struct map *map;
    rng_seed(&rng, 1);
    assert_int_equal(map_new(&map), STATUS_OK);
    for (int i = 0; i < STEPS; i++) {
        uint32_t key = rng_below(&rng, KEYS);
        if (rng_below(&rng, 2) == 0) {
            assert_int_equal(map_put(map, key, &values[key]), STATUS_OK);
            count += !there[key];
            there[key] = true;
        } else {
            assert_ptr_equal(map_remove(map, key), there[key] ? &values[key] : NULL);
            count -= there[key];
            there[key] = false;
        }
        uint32_t other = rng_below(&rng, KEYS);
        assert_ptr_equal(map_get(map, other), there[other] ? &values[other] : NULL);
        assert_int_equal(map_count(map), count);
    }
    size_t cursor = 0, walked = 0;
    while (map_next(map, &cursor) != NULL)
        walked++;
    assert_int_equal(walked, count);
    map_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_round_trip),
        cmocka_unit_test(json_errors_name_the_field),
        cmocka_unit_test(json_errors_stay_utf8),
        cmocka_unit_test(json_table_becomes_markdown),
        cmocka_unit_test(json_without_memory),
        cmocka_unit_test(config_without_memory),
        cmocka_unit_test(config_reads_the_environment),
        cmocka_unit_test(config_prints_itself),
        cmocka_unit_test(metrics_take_any_number),
        cmocka_unit_test(metrics_without_memory),
        cmocka_unit_test(config_reads_a_file_and_names_what_is_wrong),
        cmocka_unit_test(config_has_items_of_a_name),
        cmocka_unit_test(metrics_print_as_prometheus_reads),
        cmocka_unit_test(map_agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
