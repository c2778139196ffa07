/*
 * A client that was away for 48 hours in which 100,000 things happened: it hears each once, over
 * REST and by the gateway, and goes on with what comes by itself. After the retention it is told
 * to load all anew.
 */
#include "modules/jobs/jobs.h"
#include "modules/retention/retention.h"
#include "storage/event.h"
#include "storage/objects/objects.h"
#include "tests/support/clock_shift.h"
#include "tests/unit/signalling/gateway/spaces_stage.h"

enum {
    EVENTS = 100000,
    STEPS = 400, /* of 7.2 minutes and 250 events each */
};
static const uint64_t AWAY_MS = 48 * 3600000ULL, DAY_MS = 24 * 3600000ULL;

struct stage {
    struct spaces_stage s;
    struct arena *pages;
    struct auth_signed_in ada;
    const char *space;
};

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct spaces_space space;
    assert_non_null(stage);
    spaces_stage_open(&stage->s);
    assert_int_equal(arena_new(1 << 24, &stage->pages), STATUS_OK);
    const struct spaces_new wish = {.account = person_add(&stage->s, "ada", &stage->ada),
                                    .name = "Lake"};
    assert_int_equal(spaces_create(stage->s.api.db, &wish, clock_wall_ms(), stage->s.arena, &space),
                     STATUS_OK);
    stage->space = space.id;
    spaces_stage_start(&stage->s);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    spaces_stage_close(&stage->s);
    arena_free(stage->pages);
    free(stage);
    return 0;
}

/* ---- what happens ---- */

struct happening {
    const char *space;
    int first, count;
    int64_t last_seq;
};

static enum status happen_run(struct db_session *session, void *arg)
{
    struct happening *happening = arg;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < happening->count; i++) {
        char payload[32];
        snprintf(payload, sizeof payload, "{\"id\":\"e%d\"}", happening->first + i);
        status = event_write(session, happening->space, "test", payload, clock_wall_ms(),
                             &happening->last_seq);
    }
    return status;
}

static int64_t happen(struct stage *stage, int first, int count)
{
    struct happening happening = {.space = stage->space, .first = first, .count = count};
    assert_int_equal(db_write(stage->s.api.db, happen_run, &happening), STATUS_OK);
    return happening.last_seq;
}

/* ---- what is heard ---- */

struct hearing {
    int next; /* the id that must come */
    int64_t last;
    bool more;
};

/* A page: each event once, in order. */
static void hear(struct stage *stage, struct hearing *hearing, const struct json *json)
{
    struct feed_page page;
    struct json_error error;
    assert_non_null(json);
    assert_int_equal(json_decode(&feed_page_table, json, stage->pages, &page, &error), STATUS_OK);
    const struct feed_event *events = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        char wanted[16];
        snprintf(wanted, sizeof wanted, "e%d", hearing->next++);
        assert_string_equal(events[i].id, wanted);
        assert_true(events[i].seq > hearing->last);
        hearing->last = events[i].seq;
    }
    assert_true(page.last >= hearing->last);
    hearing->last = page.last;
    hearing->more = page.more;
    arena_reset(stage->pages);
}

static int rest(struct stage *stage, int64_t after, struct json **ret_page)
{
    char path[64];
    const char *body = NULL;
    int code = 0;
    snprintf(path, sizeof path, "/api/v1/events?after=%lld", (long long)after);
    const struct rest_call call = {.method = "GET", .path = path, .token = stage->ada.token};
    assert_int_equal(rest_client_call(stage->s.rest, &call, &code, &body), STATUS_OK);
    if (ret_page != NULL)
        *ret_page = parse(body);
    return code;
}

static struct ws_client *gateway_open(const struct stage *stage)
{
    struct ws_client *client = identify(&stage->s, stage->ada.token);
    json_free(dispatched(client, "spaces.ready"));
    return client;
}

static bool too_fast(const struct json *reply)
{
    const struct json *error = json_get_object(json_get_object(reply, "d"), "error");
    const char *code = error != NULL ? json_get_text(error, "code") : NULL;
    return code != NULL && strcmp(code, "too_fast") == 0;
}

/* The reply to space.events, once the gateway takes it. *s: the last command's number. */
static struct json *gateway_ask(struct ws_client *client, int *s, int64_t after)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    char text[TEXT_MAX];
    for (;;) {
        snprintf(text, sizeof text,
                 "{\"op\":\"command\",\"s\":%d,\"t\":\"space.events\",\"d\":{\"after\":%lld}}",
                 ++*s, (long long)after);
        assert_int_equal(ws_client_send(client, text), STATUS_OK);
        struct json *reply = dispatched(client, "reply");
        if (!too_fast(reply))
            return reply;
        json_free(reply);
        nanosleep(&pause, NULL);
    }
}

static void test_two_days_are_told(void **state)
{
    struct stage *stage = *state;
    struct json *page;
    int64_t start = 0, newest = 0;
    assert_int_equal(rest(stage, -1, &page), 200);
    assert_true(json_get_int(page, "last", &start));
    json_free(page);
    for (int step = 0; step < STEPS; step++) {
        newest = happen(stage, step * (EVENTS / STEPS), EVENTS / STEPS);
        clock_leap_ms(AWAY_MS / STEPS);
    }

    struct hearing hearing = {.last = start, .more = true};
    for (int pages = 0; hearing.more && pages < EVENTS; pages++) {
        assert_int_equal(rest(stage, hearing.last, &page), 200);
        hear(stage, &hearing, page);
        json_free(page);
    }
    assert_int_equal(hearing.next, EVENTS);
    assert_int_equal(hearing.last, newest);

    /* By the gateway, while more happens: in the last page or by itself, never both. */
    struct ws_client *client = gateway_open(stage);
    hearing = (struct hearing){.last = start, .more = true};
    int made = EVENTS, asked = 0;
    while (hearing.more) {
        happen(stage, made++, 1);
        struct json *reply = gateway_ask(client, &asked, hearing.last);
        hear(stage, &hearing, json_get_object(json_get_object(reply, "d"), "result"));
        json_free(reply);
    }
    for (int i = 0; i < 20; i++)
        happen(stage, made++, 1);
    while (hearing.next < made) {
        struct json *told = dispatched(client, "space.events");
        hear(stage, &hearing, json_get_object(told, "d"));
        json_free(told);
    }
    assert_int_equal(hearing.next, made);
    ws_client_close(client);
}

/* ---- what is not kept ---- */

static void test_older_ones_are_pruned(void **state)
{
    struct stage *stage = *state;
    struct retention retention = {
        .db = stage->s.api.db, .auth = stage->s.api.auth, .days = 14, .calls_days = 365};
    struct jobs *jobs;
    struct json *page;
    int64_t start = 0, kept = 0;
    assert_int_equal(objects_open(stage->s.api.db, stage->s.f.folder, &retention.objects),
                     STATUS_OK);
    assert_int_equal(rest(stage, -1, &page), 200);
    assert_true(json_get_int(page, "last", &start));
    json_free(page);
    happen(stage, 0, 3000);
    clock_leap_ms(13 * DAY_MS);
    kept = happen(stage, 3000, 1);
    clock_leap_ms(2 * DAY_MS);
    assert_int_equal(jobs_new(stage->s.api.db, NULL, &jobs), STATUS_OK);
    assert_int_equal(retention_begin(&retention, jobs), STATUS_OK);
    assert_int_equal(jobs_start(jobs), STATUS_OK);
    int code = 0;
    for (int tries = 0; tries < 600 && (code = rest(stage, start, NULL)) == 200; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 50 * CLOCK_NS_PER_MS}, NULL);
    assert_int_equal(code, 410);
    assert_int_equal(rest(stage, kept - 1, &page), 200);
    struct hearing hearing = {.next = 3000, .last = kept - 1};
    hear(stage, &hearing, page);
    json_free(page);
    assert_int_equal(hearing.next, 3001);

    struct ws_client *client = gateway_open(stage);
    int asked = 0;
    struct json *reply = gateway_ask(client, &asked, start);
    assert_string_equal(
        json_get_text(json_get_object(json_get_object(reply, "d"), "error"), "code"), "limited");
    json_free(reply);
    ws_client_close(client);

    /* It comes again by itself. */
    clock_leap_ms(14 * DAY_MS);
    jobs_wake(jobs);
    for (int tries = 0; tries < 600 && (code = rest(stage, kept - 1, NULL)) == 200; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 50 * CLOCK_NS_PER_MS}, NULL);
    assert_int_equal(code, 410);
    jobs_free(jobs);
    objects_close(retention.objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two_days_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_older_ones_are_pruned, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
