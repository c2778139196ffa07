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
    const struct auth_config auth = {.db = stage->api.db};
    assert_int_equal(auth_new(&auth, &stage->api.auth), STATUS_OK);
    assert_int_equal(presence_new(&stage->api.presence), STATUS_OK);
    stage->api.adhoc = ADHOC_ANYONE;
    assert_int_equal(api_routes(stage->f.http, &stage->api), STATUS_OK);
    fixture_start(&stage->f);
}

static void stage_end(struct stage *stage)
{
    stage->f.http = http_free(stage->f.http);
    auth_free(stage->api.auth);
    presence_free(stage->api.presence);
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

/* ---- accounts ---- */

static const char good[] = "a quiet lake at dawn";

/* The value of a text member, in a static buffer. */
static const char *member(const struct reply *reply, const char *name)
{
    static char value[128];
    char wanted[40];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", name);
    const char *at = strstr(reply->body, wanted);
    if (at == NULL)
        fail_msg("no %s in %s", name, reply->body);
    at += strlen(wanted);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\""), at);
    return value;
}

static int status_of(const struct stage *stage, const char *line, const char *more,
                     const char *body)
{
    struct reply reply;
    say(stage, line, more, body, &reply);
    int status = reply.status;
    reply_free(&reply);
    return status;
}

static void sign_in(const struct stage *stage, const char *email, bool cookie, struct reply *reply)
{
    char body[256];
    snprintf(body, sizeof body, "{\"email\":\"%s\",\"password\":\"%s\",\"cookie\":%s}", email, good,
             cookie ? "true" : "false");
    say(stage, "POST /api/v1/session", "", body, reply);
    assert_int_equal(reply->status, 201);
}

static void setup(const struct stage *stage)
{
    expect(stage, "GET /api/v1/info", "", 200, "\"setup\":\"here\"");
    const char *body = "{\"email\":\"ada@b.c\",\"name\":\"Ada\",\"password\":\"a quiet lake at "
                       "dawn\"}";
    /* Through a proxy it is not here. */
    assert_int_equal(status_of(stage, "POST /api/v1/setup", "X-Forwarded-For: 1.2.3.4\r\n", body),
                     403);
    expect(stage, "POST /api/v1/setup", body, 201, "\"role\":\"admin\"");
    expect(stage, "POST /api/v1/setup", body, 403, "denied");
    expect(stage, "GET /api/v1/info", "", 200, "\"setup\":\"done\"");
}

static void test_bearers(void **state)
{
    (void)state;
    struct stage stage;
    struct reply reply;
    char admin[128], user[128], line[128];
    stage_begin(&stage, 0);
    setup(&stage);
    expect(&stage, "GET /api/v1/me", "", 401, "unauthorized");
    expect(&stage, "POST /api/v1/session", "{\"email\":\"ada@b.c\",\"password\":\"no\"}", 401,
           "credentials");
    sign_in(&stage, "ada@b.c", false, &reply);
    snprintf(admin, sizeof admin, "Authorization: Bearer %s\r\n", member(&reply, "token"));
    reply_free(&reply);
    say(&stage, "POST /api/v1/users", admin,
        "{\"email\":\"eve@b.c\",\"name\":\"Eve\",\"password\":\"a quiet lake at dawn\"}", &reply);
    assert_int_equal(reply.status, 201);
    snprintf(line, sizeof line, "PATCH /api/v1/users/%s", member(&reply, "id"));
    reply_free(&reply);
    sign_in(&stage, "eve@b.c", false, &reply);
    snprintf(user, sizeof user, "Authorization: Bearer %s\r\n", member(&reply, "token"));
    reply_free(&reply);
    assert_int_equal(status_of(&stage, "GET /api/v1/users", user, ""), 403);
    assert_int_equal(status_of(&stage, "GET /api/v1/users", admin, ""), 200);
    say(&stage, "PATCH /api/v1/me", user, "{\"name\":\"Eva\"}", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_field(&reply, "ETag"), "\"2\"");
    reply_free(&reply);
    char stale[256];
    snprintf(stale, sizeof stale, "%sIf-Match: \"1\"\r\n", user);
    assert_int_equal(status_of(&stage, "PATCH /api/v1/me", stale, "{\"name\":\"E\"}"), 412);
    /* Disabled: at once. */
    assert_int_equal(status_of(&stage, line, admin, "{\"disabled\":true}"), 200);
    assert_int_equal(status_of(&stage, "GET /api/v1/me", user, ""), 401);
    assert_int_equal(status_of(&stage, "DELETE /api/v1/session", admin, ""), 204);
    assert_int_equal(status_of(&stage, "GET /api/v1/me", admin, ""), 401);
    stage_end(&stage);
}

static void test_cookies(void **state)
{
    (void)state;
    struct stage stage;
    struct reply reply;
    char cookie[256], proven[512];
    stage_begin(&stage, 0);
    setup(&stage);
    sign_in(&stage, "ada@b.c", true, &reply);
    assert_null(strstr(reply.body, "pls_"));
    const char *set = reply_field(&reply, "Set-Cookie");
    assert_non_null(strstr(set, "; Secure; HttpOnly; SameSite=Strict"));
    assert_memory_equal(set, "__Host-parley=pls_", 18);
    snprintf(cookie, sizeof cookie, "Cookie: a=b; %.*s\r\n", (int)strcspn(set, ";"), set);
    snprintf(proven, sizeof proven, "%sX-CSRF-Token: %s\r\n", cookie, member(&reply, "csrf"));
    reply_free(&reply);
    assert_int_equal(status_of(&stage, "GET /api/v1/me", cookie, ""), 200);
    /* Reading is free; a write needs what no other page can know. */
    assert_int_equal(status_of(&stage, "PATCH /api/v1/me", cookie, "{\"name\":\"A\"}"), 403);
    assert_int_equal(status_of(&stage, "PATCH /api/v1/me", proven, "{\"name\":\"A\"}"), 200);
    say(&stage, "POST /api/v1/session/ticket", proven, "", &reply);
    assert_int_equal(reply.status, 200);
    struct arena *arena;
    struct auth_caller caller;
    char ticket[AUTH_TICKET_MAX + 1];
    snprintf(ticket, sizeof ticket, "%s", member(&reply, "ticket"));
    reply_free(&reply);
    assert_int_equal(arena_new(65536, &arena), STATUS_OK);
    assert_int_equal(auth_ticket_check(stage.api.auth, ticket, clock_wall_ms(), arena, &caller),
                     STATUS_OK);
    assert_string_equal(caller.user.name, "A");
    assert_int_equal(
        auth_ticket_check(stage.api.auth, ticket, clock_wall_ms() + AUTH_TICKET_MS, arena, &caller),
        STATUS_DENIED);
    ticket[strlen(ticket) - 2] ^= 1;
    assert_int_equal(auth_ticket_check(stage.api.auth, ticket, clock_wall_ms(), arena, &caller),
                     STATUS_DENIED);
    arena_free(arena);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole),    cmocka_unit_test(test_requests_are_checked),
        cmocka_unit_test(test_openapi_tells_all), cmocka_unit_test(test_limits_are_told),
        cmocka_unit_test(test_bearers),           cmocka_unit_test(test_cookies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
