/*
 * WHIP and WHEP: the handlers with a real registry and conductor, and media that only takes
 * notes; and the fragments of PATCH.
 */
#include "signalling/sdp/sdp.h"
#include "signalling/whip/sdpfrag.h"
#include "signalling/whip/whip.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_MAX = 8 << 20 };

/* ---- media that takes notes (linked instead of media/media.c) ---- */

static struct {
    int opened, restarted, closed;
} notes; /* written on the conductor, read when it has answered */

static const struct media_local local = {
    .fingerprint = "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
                   "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
    .candidates =
        {{.address = "192.0.2.1", .port = 10000, .priority = 9, .foundation = "1"},
         {.tcp = true, .address = "192.0.2.1", .port = 8443, .priority = 8, .foundation = "2"}},
    .candidate_count = 2,
};

const struct media_local *media_local(const struct media *media)
{
    (void)media;
    return &local;
}

enum status media_transport_open(struct media *media, const struct media_transport_spec *spec)
{
    (void)media, (void)spec;
    notes.opened++;
    return STATUS_OK;
}

enum status media_transport_restart(struct media *media, uint64_t transport,
                                    const struct media_ice *ice)
{
    (void)media, (void)transport, (void)ice;
    notes.restarted++;
    return STATUS_OK;
}

void media_transport_close(struct media *media, uint64_t transport)
{
    (void)media, (void)transport;
    notes.closed++;
}

void media_slot_set(struct media *media, uint64_t transport, uint8_t worker, uint8_t slot,
                    const struct media_want *want)
{
    (void)media, (void)transport, (void)worker, (void)slot, (void)want;
}

uint8_t media_worker_count(const struct media *media)
{
    (void)media;
    return 1;
}

enum status media_trace(struct media *media, uint64_t transport, struct trace *trace)
{
    (void)media, (void)transport, (void)trace;
    return STATUS_CLOSED;
}

void media_track_gate(struct media *media, struct media_source source, bool open)
{
    (void)media, (void)source, (void)open;
}

/* ---- ports: publishers and viewers have none, but texts for everyone are made ---- */

static void *share_nothing(const char *type, const char *json)
{
    (void)type, (void)json;
    return NULL;
}

static void unshare_nothing(void *shared)
{
    assert_null(shared);
}

static const struct meeting_port_ops no_ports = {.share = share_nothing,
                                                 .unshare = unshare_nothing};

/* ---- a server without sockets ---- */

static struct {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct crew *crew;
    struct metrics *metrics;
    struct meetings *meetings;
    struct http *http;
    struct whip whip;
    struct arena *arena;
} world;

static int set_up(void **state)
{
    (void)state;
    char error[256];
    memset(&notes, 0, sizeof notes);
    scratch_make(world.folder);
    world.db = scratch_db(world.folder, 1);
    assert_int_equal(metrics_new(&world.metrics), STATUS_OK);
    assert_int_equal(crew_new("test", 1, 16, &world.crew), STATUS_OK);
    const struct meetings_config meetings = {
        .voices = 3, .ports = &no_ports, .metrics = world.metrics};
    assert_int_equal(meetings_new(&meetings, &world.meetings), STATUS_OK);
    assert_int_equal(meetings_start(world.meetings, NULL), STATUS_OK);
    const struct http_config config = {
        .crew = world.crew, .directory = world.folder, .metrics = world.metrics};
    if (http_new(&config, &world.http, error) != STATUS_OK)
        fail_msg("%s", error);
    world.whip = (struct whip){.db = world.db, .meetings = world.meetings, .adhoc = ADHOC_ANYONE};
    assert_int_equal(whip_routes(world.http, &world.whip), STATUS_OK);
    assert_int_equal(arena_new(ARENA_MAX, &world.arena), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_free(world.http);
    meetings_stop(world.meetings);
    meetings_free(world.meetings);
    crew_free(world.crew);
    metrics_free(world.metrics);
    db_close(world.db);
    scratch_remove(world.folder);
    arena_free(world.arena);
    return 0;
}

/* One request, and what came of it. */
struct call {
    const char *method, *path, *query, *type, *body, *if_match, *authorization;
    struct http_reply reply;
};

static const char *pattern_of(const char *path)
{
    bool whip = strncmp(path, "/whip/", 6) == 0;
    if (strncmp(path + 6, "r/", 2) == 0)
        return whip ? "/whip/r/{resource}" : "/whep/r/{resource}";
    return whip ? "/whip/{meeting}" : "/whep/{meeting}";
}

static int called(struct call *call)
{
    size_t count;
    const struct http_route *routes = http_routes(world.http, &count);
    const char *segment = strrchr(call->path, '/') + 1;
    struct http_request request = {
        .method = call->method,
        .path = call->path,
        .query = call->query != NULL ? call->query : "",
        .params = {segment},
        .body = call->body != NULL ? call->body : "",
        .body_length = call->body != NULL ? strlen(call->body) : 0,
        .content_type = call->type != NULL ? call->type : "",
        .authorization = call->authorization != NULL ? call->authorization : "",
        .if_match = call->if_match != NULL ? call->if_match : "",
        .host = "localhost",
        .id = "test",
        .address = "192.0.2.99",
        .arena = world.arena,
    };
    memset(&call->reply, 0, sizeof call->reply);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(routes[i].method, call->method) == 0 &&
            strcmp(routes[i].pattern, pattern_of(call->path)) == 0) {
            routes[i].handler(routes[i].context, &request, &call->reply);
            return call->reply.status;
        }
    }
    fail_msg("no route for %s %s", call->method, call->path);
    return 0;
}

static const char *header(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->reply.header_count; i++)
        if (strcmp(call->reply.headers[i].name, name) == 0)
            return call->reply.headers[i].value;
    return NULL;
}

#define CREDENTIALS(ufrag) "a=ice-ufrag:" ufrag "\r\na=ice-pwd:0123456789012345678901\r\n"
#define SESSION "v=0\r\no=- 4 9 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
#define TRANSPORT                                                                                  \
    CREDENTIALS("abcd")                                                                            \
    "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"                       \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\na=rtcp-mux\r\n"
#define AUDIO(direction)                                                                           \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=" direction      \
    "\r\n" TRANSPORT
#define VIDEO(direction)                                                                           \
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\na=" direction           \
    "\r\n" TRANSPORT

static const char publish_offer[] = SESSION AUDIO("sendonly") VIDEO("sendonly");
static const char play_offer[] = SESSION AUDIO("recvonly") VIDEO("recvonly");

static struct call posted(const char *path, const char *query, const char *offer)
{
    struct call call = {
        .method = "POST", .path = path, .query = query, .type = "application/sdp", .body = offer};
    (void)called(&call);
    return call;
}

static void new_meeting(const char *id, bool lobby, struct registry_meeting_created *ret_created)
{
    const struct registry_meeting_new meeting = {.id = id, .lobby = lobby};
    assert_int_equal(registry_create(world.db, &meeting, 1, ret_created), STATUS_OK);
}

/* ---- POST ---- */

static void test_publish_and_play(void **state)
{
    (void)state;
    struct call whip = posted("/whip/here", "as=Ada", publish_offer);
    assert_int_equal(whip.reply.status, 201);
    assert_string_equal(whip.reply.content_type, "application/sdp");
    assert_non_null(strstr(whip.reply.body, "a=recvonly\r\n"));
    assert_int_equal(whip.reply.body_length, strlen(whip.reply.body));
    assert_int_equal(strncmp(header(&whip, "Location"), "/whip/r/", 8), 0);
    assert_string_equal(header(&whip, "Accept-Patch"), "application/trickle-ice-sdpfrag");
    assert_null(header(&whip, "Link"));
    const char *etag = header(&whip, "ETag");
    assert_true(etag[0] == '"' && etag[strlen(etag) - 1] == '"');
    assert_int_equal(meetings_count(world.meetings, "here"), 1);
    assert_int_equal(notes.opened, 1);

    struct call whep = posted("/whep/here", "from=Ada", play_offer);
    assert_int_equal(whep.reply.status, 201);
    assert_non_null(strstr(whep.reply.body, "a=msid:play-0 audio-0\r\n"));
    assert_non_null(strstr(whep.reply.body, "a=msid:play-0 video-1\r\n"));
    assert_int_equal(strncmp(header(&whep, "Location"), "/whep/r/", 8), 0);
    assert_int_equal(meetings_count(world.meetings, "here"), 1);
    whep = posted("/whep/here", "from=all", play_offer);
    assert_int_equal(whep.reply.status, 201);

    struct call gone = {.method = "DELETE", .path = header(&whip, "Location")};
    assert_int_equal(called(&gone), 200);
    assert_int_equal(called(&gone), 404);
    assert_int_equal(meetings_count(world.meetings, "here"), 0);
    assert_int_equal(notes.closed, 1);
}

static void test_post_refused(void **state)
{
    (void)state;
    struct call call = {.method = "POST", .path = "/whip/here", .type = "text/plain", .body = "v"};
    assert_int_equal(called(&call), 415);
    call.type = "application/sdp";
    assert_int_equal(called(&call), 400);
    assert_non_null(strstr(call.reply.body, "line 1"));
    call.body = SESSION AUDIO("sendonly") VIDEO("recvonly");
    assert_int_equal(called(&call), 422);
    assert_non_null(strstr(call.reply.body, "m-line 2"));
    call.body =
        SESSION AUDIO("sendonly") "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=rtpmap:111 "
                                  "opus/48000/2\r\n" TRANSPORT;
    assert_int_equal(called(&call), 422);
    call.body = publish_offer;
    call.query = "as=%20";
    assert_int_equal(called(&call), 400);
    call.query = "as=";
    assert_int_equal(called(&call), 400);
    /* None of these made the meeting. */
    struct registry_meeting meeting;
    assert_int_equal(registry_find(world.db, "here", world.arena, &meeting), STATUS_NOT_FOUND);
    assert_int_equal(notes.opened, 0);
    /* Nor does a viewer. */
    assert_int_equal(posted("/whep/here", "from=all", play_offer).reply.status, 404);
    assert_int_equal(posted("/whip/no.such", NULL, publish_offer).reply.status, 404);
    world.whip.adhoc = ADHOC_OFF;
    assert_int_equal(posted("/whip/here", "as=Ada", publish_offer).reply.status, 404);
}

static void test_post_conflicts(void **state)
{
    (void)state;
    assert_int_equal(posted("/whip/here", "as=Ada", publish_offer).reply.status, 201);
    assert_int_equal(posted("/whip/here", "as=Ada", publish_offer).reply.status, 409);
    assert_int_equal(posted("/whip/here", "as=Bob", publish_offer).reply.status, 201);
    struct call early = posted("/whep/here", "from=Eve", play_offer);
    assert_int_equal(early.reply.status, 409);
    assert_true(atoi(header(&early, "Retry-After")) > 0);
    assert_int_equal(registry_end(world.db, "here", 5), STATUS_OK);
    assert_int_equal(posted("/whip/here", "as=Cy", publish_offer).reply.status, 410);
}

static void test_bearer(void **state)
{
    (void)state;
    struct registry_meeting_created created;
    char bearer[128];
    new_meeting("closed", true, &created);
    struct call call = posted("/whip/closed", "as=Ada", publish_offer);
    assert_int_equal(call.reply.status, 401);
    assert_string_equal(header(&call, "WWW-Authenticate"), "Bearer");
    call.authorization = "Bearer wrong";
    assert_int_equal(called(&call), 401);
    snprintf(bearer, sizeof bearer, "Basic %s", created.token);
    call.authorization = bearer;
    assert_int_equal(called(&call), 401);
    snprintf(bearer, sizeof bearer, "bearer %s", created.token);
    assert_int_equal(called(&call), 201);
    /* A wrong token is refused even where none is needed. */
    new_meeting("open", false, &created);
    call.path = "/whip/open";
    assert_int_equal(called(&call), 401);
    call.authorization = NULL;
    assert_int_equal(called(&call), 201);
}

/* ---- PATCH ---- */

static void test_trickle(void **state)
{
    (void)state;
    struct call whip = posted("/whip/here", "as=Ada", publish_offer);
    struct call patch = {.method = "PATCH",
                         .path = header(&whip, "Location"),
                         .type = "application/trickle-ice-sdpfrag",
                         .body = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" CREDENTIALS(
                             "abcd") "a=candidate:1 1 udp 1 192.0.2.7 5 typ host\r\n"};
    assert_int_equal(called(&patch), 428);
    patch.if_match = "\"other\"";
    assert_int_equal(called(&patch), 412);
    patch.if_match = arena_printf(world.arena, "W/%s", header(&whip, "ETag"));
    assert_int_equal(called(&patch), 412);
    patch.if_match = header(&whip, "ETag");
    assert_int_equal(called(&patch), 204);
    assert_null(header(&patch, "ETag"));
    patch.if_match = arena_printf(world.arena, "\"x\", %s", header(&whip, "ETag"));
    assert_int_equal(called(&patch), 204);
    patch.type = "application/sdp";
    assert_int_equal(called(&patch), 415);
    patch.type = "application/trickle-ice-sdpfrag";
    patch.body = "garbage\r\n";
    assert_int_equal(called(&patch), 400);
    patch.path = "/whip/r/nobody";
    assert_int_equal(called(&patch), 404);
    assert_int_equal(notes.restarted, 0);
}

static void test_restart(void **state)
{
    (void)state;
    struct call whip = posted("/whip/here", "as=Ada", publish_offer);
    struct call patch = {.method = "PATCH",
                         .path = header(&whip, "Location"),
                         .type = "application/trickle-ice-sdpfrag",
                         .if_match = "*",
                         .body = CREDENTIALS("new1")};
    assert_int_equal(called(&patch), 200);
    assert_int_equal(notes.restarted, 1);
    assert_string_equal(patch.reply.content_type, "application/trickle-ice-sdpfrag");
    const char *tag = header(&patch, "ETag");
    assert_string_not_equal(tag, header(&whip, "ETag"));
    /* The tag is our ufrag; a client reads the fragment as it reads an answer. */
    const char *text = arena_printf(world.arena, "v=0\r\n%s", (const char *)patch.reply.body);
    struct desc desc;
    struct desc_error error;
    assert_int_equal(desc_parse(text, strlen(text), world.arena, &desc, &error), STATUS_OK);
    assert_true(desc.ice_lite);
    assert_int_equal(desc.groups[0].mid_count, 2);
    assert_string_equal(desc.media[0].mid, "0");
    assert_memory_equal(desc.media[0].section.ice_ufrag, tag + 1, strlen(tag) - 2);
    assert_int_equal(desc.media[0].candidate_count, 2);
    assert_string_equal(desc.media[0].candidates[1].tcptype, "passive");
    assert_true(desc.media[0].section.end_of_candidates);
    /* The old session's tag is outdated; the new credentials are now the current ones. */
    patch.if_match = header(&whip, "ETag");
    assert_int_equal(called(&patch), 412);
    patch.if_match = tag;
    assert_int_equal(called(&patch), 204);
    /* Half a pair, and characters that are none. */
    patch.if_match = "\"*\"";
    patch.body = "a=ice-ufrag:new2\r\n";
    assert_int_equal(called(&patch), 400);
    patch.body = CREDENTIALS("n w");
    assert_int_equal(called(&patch), 400);
    assert_int_equal(notes.restarted, 1);
}

/* ---- the rest ---- */

static void test_get_and_options(void **state)
{
    (void)state;
    struct call whip = posted("/whip/here", "as=Ada", publish_offer);
    struct call get = {.method = "GET", .path = header(&whip, "Location")};
    assert_int_equal(called(&get), 204);
    get.path = "/whip/r/nobody";
    assert_int_equal(called(&get), 404);
    get.path = "/whip/here";
    assert_int_equal(called(&get), 204);
    get.path = "/whep/here";
    assert_int_equal(called(&get), 200);
    assert_string_equal(get.reply.content_type, "application/sdp");
    assert_null(get.reply.body);
    struct call options = {.method = "OPTIONS", .path = "/whep/here"};
    assert_int_equal(called(&options), 200);
    assert_string_equal(header(&options, "Accept-Post"), "application/sdp");
}

static void test_fragment(void **state)
{
    (void)state;
    struct sdpfrag frag;
    static const char twice[] = "a=ice-ufrag:abcd\na=ice-ufrag:abcd\r\n\r\na=ice-pwd:p";
    assert_int_equal(sdpfrag_read(twice, strlen(twice), &frag), STATUS_OK);
    assert_string_equal(frag.ufrag, "abcd");
    assert_string_equal(frag.pwd, "p");
    assert_int_equal(sdpfrag_read("", 0, &frag), STATUS_OK);
    assert_string_equal(frag.ufrag, "");
    static const char *const bad[] = {"a=ice-ufrag:a\na=ice-ufrag:b\n", "a=ice-pwd:\n", "x\n",
                                      "hello"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sdpfrag_read(bad[i], strlen(bad[i]), &frag), STATUS_INVALID);
    assert_int_equal(sdpfrag_read("a=\0", 3, &frag), STATUS_INVALID);
    assert_int_equal(sdpfrag_read("a=ice-ufrag:abcd\r\x02", 18, &frag), STATUS_INVALID);
    char *long_text = malloc(SDPFRAG_MAX + 1);
    assert_non_null(long_text);
    memset(long_text, '\n', SDPFRAG_MAX + 1);
    assert_int_equal(sdpfrag_read(long_text, SDPFRAG_MAX, &frag), STATUS_OK);
    assert_int_equal(sdpfrag_read(long_text, SDPFRAG_MAX + 1, &frag), STATUS_INVALID);
    memset(long_text, 'a', SDPFRAG_MAX);
    memcpy(long_text, "a=ice-ufrag:", 12);
    assert_int_equal(sdpfrag_read(long_text, 12 + MEDIA_UFRAG_MAX, &frag), STATUS_OK);
    assert_int_equal(sdpfrag_read(long_text, 13 + MEDIA_UFRAG_MAX, &frag), STATUS_INVALID);
    free(long_text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_publish_and_play), TEST(test_post_refused),
        TEST(test_post_conflicts),   TEST(test_bearer),
        TEST(test_trickle),          TEST(test_restart),
        TEST(test_get_and_options),  cmocka_unit_test(test_fragment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
