/*
 * The server's edge with accounts, spaces and their feed, REST and gateway on a port of its own;
 * and clients of it. For the tests of this folder.
 */
#ifndef TESTS_UNIT_SIGNALLING_GATEWAY_SPACES_STAGE_H
#define TESTS_UNIT_SIGNALLING_GATEWAY_SPACES_STAGE_H

#include "modules/spaces/feed.h"
#include "signalling/api/api.h"
#include "signalling/gateway/commands.h"
#include "signalling/gateway/space_feed.h"
#include "tests/support/rest_client.h"
#include "tests/support/ws_client.h"
#include "tests/unit/signalling/http/fixture.h"

enum { WAIT_MS = 30000, TEXT_MAX = 1024, REQUESTS = 100000 /* a minute: nobody has to wait */ };

struct spaces_stage {
    struct fixture f;
    struct api api;
    struct signed_in_list signed_in;
    struct commands commands;
    struct gateway *gateway;
    struct space_feed *feed;
    struct arena *arena;
    struct rest_client *rest;
};

/* To be started when people and spaces are there. */
static inline void spaces_stage_open(struct spaces_stage *stage)
{
    struct http_config config;
    fixture_config(&stage->f, &config);
    config.https = false;
    config.requests_per_minute = REQUESTS;
    fixture_new(&stage->f, &config);
    stage->api.db = scratch_db(stage->f.folder, 2);
    assert_int_equal(arena_new(1 << 24, &stage->arena), STATUS_OK);
    assert_int_equal(signed_in_list_init(&stage->signed_in), STATUS_OK);
    assert_int_equal(presence_new(&stage->signed_in.presence), STATUS_OK);
    stage->api.presence = stage->signed_in.presence;
    stage->api.signed_in = &stage->signed_in;
    const struct auth_config auth = {
        .db = stage->api.db, .ended = signed_in_ended, .context = &stage->signed_in};
    assert_int_equal(auth_new(&auth, &stage->api.auth), STATUS_OK);
    stage->commands = (struct commands){
        .db = stage->api.db, .auth = stage->api.auth, .signed_in = &stage->signed_in};
    const struct gateway_config gateway = {
        .crew = stage->f.crew, .ops = &commands_gateway_ops, .context = &stage->commands};
    assert_int_equal(gateway_new(&gateway, &stage->gateway), STATUS_OK);
    assert_int_equal(space_feed_new(stage->api.db, &stage->signed_in, NULL, &stage->feed),
                     STATUS_OK);
    assert_int_equal(api_routes(stage->f.http, &stage->api), STATUS_OK);
    http_websocket(stage->f.http, "/gateway", &gateway_ws_ops, stage->gateway);
}

static inline void spaces_stage_start(struct spaces_stage *stage)
{
    fixture_start(&stage->f);
    assert_int_equal(rest_client_open(stage->f.port, WAIT_MS, &stage->rest), STATUS_OK);
}

static inline void spaces_stage_close(struct spaces_stage *stage)
{
    rest_client_close(stage->rest);
    stage->f.http = http_free(stage->f.http);
    space_feed_free(stage->feed);
    gateway_free(stage->gateway);
    stage->f.crew = crew_free(stage->f.crew);
    signed_in_list_fini(&stage->signed_in);
    presence_free(stage->api.presence);
    auth_free(stage->api.auth);
    scratch_no_scans(stage->api.db);
    db_close(stage->api.db);
    arena_free(stage->arena);
    fixture_free(&stage->f);
}

/* Somebody with an account, NAME@b.c; their id. */
static inline const char *person_add(struct spaces_stage *stage, const char *name,
                                     struct auth_signed_in *ret_signed_in)
{
    const char *email = arena_printf(stage->arena, "%s@b.c", name);
    const struct auth_user_new user = {
        .email = email, .name = name, .password = "a quiet lake at dawn"};
    const struct auth_login login = {
        .email = email, .password = "a quiet lake at dawn", .address = "127.0.0.1", .local = true};
    struct auth_user added;
    struct auth_fault fault;
    uint32_t wait_s;
    int64_t now_ms = clock_wall_ms();
    assert_int_equal(auth_user_add(stage->api.auth, &user, now_ms, stage->arena, &added, &fault),
                     STATUS_OK);
    assert_int_equal(
        auth_sign_in(stage->api.auth, &login, now_ms, stage->arena, ret_signed_in, &wait_s),
        STATUS_OK);
    return added.id;
}

/* ---- frames ---- */

static inline struct json *parse(const char *text)
{
    struct json *json = NULL;
    struct json_error error;
    assert_int_equal(json_parse(text, strlen(text), &json, &error), STATUS_OK);
    return json;
}

/* The next frame; NULL: the socket is closed, or nothing came. */
static inline struct json *frame(struct ws_client *client)
{
    const char *text = NULL;
    size_t length = 0;
    return ws_client_read(client, &text, &length) == STATUS_OK ? parse(text) : NULL;
}

static inline bool is(const struct json *frame, const char *field, const char *value)
{
    const char *text = json_get_text(frame, field);
    return text != NULL && strcmp(text, value) == 0;
}

/* Skips to the next dispatch of the type. */
static inline struct json *dispatched(struct ws_client *client, const char *type)
{
    for (;;) {
        struct json *next = frame(client);
        assert_non_null(next);
        if (is(next, "t", type))
            return next;
        json_free(next);
    }
}

/* A session for spaces has been asked for; `shown`: a token or a ticket. */
static inline struct ws_client *identify(const struct spaces_stage *stage, const char *shown)
{
    struct ws_client *client;
    char text[TEXT_MAX];
    assert_int_equal(ws_client_open(stage->f.port, "/gateway", WAIT_MS, &client), STATUS_OK);
    snprintf(text, sizeof text, "{\"op\":\"identify\",\"d\":{\"spaces\":true,\"account\":\"%s\"}}",
             shown);
    assert_int_equal(ws_client_send(client, text), STATUS_OK);
    return client;
}

#endif
