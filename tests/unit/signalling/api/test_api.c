/*
 * The router: every row is whole, requests are checked by their row's tables, problems name what
 * is wrong.
 */
#include "signalling/api/api.h"
#include "signalling/api/route.h"
#include "tests/unit/signalling/http/fixture.h"

struct stage {
    struct fixture f;
    struct api api;
};

static void stage_begin(struct stage *stage, uint32_t requests_per_minute)
{
    struct http_config config;
    memset(stage, 0, sizeof *stage);
    fixture_config(&stage->f, &config);
    config.https = false;
    config.requests_per_minute = requests_per_minute;
    fixture_new(&stage->f, &config);
    stage->api.db = scratch_db(stage->f.folder, 2);
    stage->api.adhoc = ADHOC_ANYONE;
    assert_int_equal(api_routes(stage->f.http, &stage->api), STATUS_OK);
    fixture_start(&stage->f);
}

static void stage_end(struct stage *stage)
{
    stage->f.http = http_free(stage->f.http);
    db_close(stage->api.db);
    fixture_free(&stage->f);
}

static void say(const struct stage *stage, const char *line, const char *more, const char *body,
                struct reply *reply)
{
    char text[4096];
    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n%s",
             line, more, strlen(body), body);
    ask(stage->f.port, text, reply);
}

static void expect(const struct stage *stage, const char *line, const char *body, int status,
                   const char *part)
{
    struct reply reply;
    say(stage, line, "", body, &reply);
    if (reply.status != status || strstr(reply.body, part) == NULL)
        fail_msg("%s %s: %d %s, not %d with %s", line, body, reply.status, reply.body, status,
                 part);
    reply_free(&reply);
}

/* A route that is not told of is one that nobody can check. */
static void test_rows_are_whole(void **state)
{
    (void)state;
    const struct api_route *route;
    size_t count = 0;
    for (; (route = api_route_at(count)) != NULL; count++) {
        assert_non_null(route->run);
        assert_non_null(route->doc);
        if (route->result == NULL && route->type == NULL)
            assert_int_equal(route->status, 204);
        for (size_t i = 0; i < count; i++) {
            const struct api_route *other = api_route_at(i);
            assert_false(strcmp(other->method, route->method) == 0 &&
                         strcmp(other->pattern, route->pattern) == 0);
        }
    }
    assert_in_range(count, 8, API_ROUTES_MAX);
}

static void test_requests_are_checked(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage, 0);
    expect(&stage, "POST /api/v1/meetings", "{\"id\":\"one\"}", 201, "\"link\":\"/m/one\"");
    expect(&stage, "POST /api/v1/meetings", "{\"id\":\"one\"}", 409, "\"code\":\"exists\"");
    expect(&stage, "POST /api/v1/meetings", "", 201, "\"token\":");
    expect(&stage, "POST /api/v1/meetings", "{\"titel\":\"\"}", 400, "d.titel: unknown field");
    expect(&stage, "POST /api/v1/meetings", "{\"lobby\":1}", 400, "d.lobby: not true or false");
    expect(&stage, "POST /api/v1/meetings", "[", 400, "\"code\":\"invalid\"");
    expect(&stage, "GET /api/v1/meetings/nobody", "", 404, "\"code\":\"not_found\"");
    expect(&stage, "GET /api/v1/info", "", 200, "{\"adhoc\":true}");
    /* A host's: to everybody else there is no such meeting. */
    expect(&stage, "GET /api/v1/meetings/one/stats", "", 404, "\"code\":\"not_found\"");
    stage.api.adhoc = ADHOC_OFF;
    expect(&stage, "POST /api/v1/meetings", "{}", 403, "\"code\":\"denied\"");
    stage_end(&stage);
}

static void test_openapi_tells_all(void **state)
{
    (void)state;
    struct stage stage;
    struct reply reply;
    const struct api_route *route;
    stage_begin(&stage, 0);
    say(&stage, "GET /api/openapi.json", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_field(&reply, "Content-Type"), "application/json");
    for (size_t i = 0; (route = api_route_at(i)) != NULL; i++) {
        char path[128];
        snprintf(path, sizeof path, "\"%s\":{", route->pattern);
        const char *at = strstr(reply.body, path);
        assert_non_null(at);
        assert_null(strstr(at + 1, path)); /* a path is there once, with all its methods */
    }
    reply_free(&reply);
    stage_end(&stage);
}

static void test_limits_are_told(void **state)
{
    (void)state;
    struct stage stage;
    struct reply reply;
    stage_begin(&stage, 2);
    say(&stage, "GET /api/v1/info", "", "", &reply);
    assert_string_equal(reply_field(&reply, "RateLimit-Policy"), "\"address\";q=2;w=60");
    assert_string_equal(reply_field(&reply, "RateLimit"), "\"address\";r=1;t=30");
    reply_free(&reply);
    say(&stage, "GET /api/v1/info", "", "", &reply);
    assert_string_equal(reply_field(&reply, "RateLimit"), "\"address\";r=0;t=60");
    reply_free(&reply);
    say(&stage, "GET /api/v1/info", "", "", &reply);
    assert_int_equal(reply.status, 429);
    assert_non_null(reply_field(&reply, "Retry-After"));
    reply_free(&reply);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_requests_are_checked),
        cmocka_unit_test(test_openapi_tells_all),
        cmocka_unit_test(test_limits_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
