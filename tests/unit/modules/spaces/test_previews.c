/*
 * Cards of what messages link to, through a stand-in of the web on loopback: what is asked and
 * kept, and what is not. The guard lets requests through to that stand-in alone, because this test
 * makes it so; the server's has no such list.
 */
#include "modules/spaces/previews.h"

#include "core/clock.h"
#include "modules/spaces/feed.h"
#include "tests/support/origin.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ARENA_MAX = 32 << 20, TRIES_MAX = 600, FILE_MAX = 16 << 20 };

struct stage {
    char folder[SCRATCH_PATH_MAX], site[64];
    struct db *db;
    struct arena *arena;
    struct origin *origin, *inside;
    struct http_fetch *fetch;
    struct jobs *jobs;
    struct spaces_who ada, bob;
    atomic_int asked, told;
};

static char *serve(void *context, const struct origin_request *request, size_t *ret_length)
{
    struct stage *stage = context;
    const char *head = request->head;
    char location[128];
    atomic_fetch_add(&stage->asked, 1);
    if (strncmp(head, "GET /away ", 10) == 0)
        return origin_answer(302, "text/html", "Location: /page\r\n", "", ret_length);
    if (strncmp(head, "GET /inside ", 12) == 0) {
        snprintf(location, sizeof location, "Location: http://127.0.0.2:%u/page\r\n",
                 origin_port(stage->inside));
        return origin_answer(302, "text/html", location, "", ret_length);
    }
    if (strncmp(head, "GET /picture ", 13) == 0)
        return origin_answer(200, "image/png", "", "<title>No page</title>", ret_length);
    if (strncmp(head, "GET /missing ", 13) == 0)
        return origin_answer(404, "text/html", "", "<title>Not found</title>", ret_length);
    if (strncmp(head, "GET /untitled ", 14) == 0)
        return origin_answer(200, "text/html", "", "<p>words</p>", ret_length);
    if (strncmp(head, "GET /other ", 11) == 0)
        return origin_answer(200, "text/html", "", "<title>Other</title>", ret_length);
    return origin_answer(200, "text/html; charset=utf-8", "",
                         "<title>Plain</title><meta property=og:title content='A page'>"
                         "<meta name=description content='What it is about'>"
                         "<meta property=og:site_name content=Example>",
                         ret_length);
}

/* As signalling/gateway/space_jobs.c, which tells the meeting. */
static enum status preview_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    struct stage *stage = context;
    struct messages_message message;
    bool changed = false;
    enum status status =
        previews_fetch(stage->db, stage->fetch, job, clock_wall_ms(), arena, &message, &changed);
    if (status == STATUS_OK && changed)
        atomic_fetch_add(&stage->told, 1);
    return status;
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct spaces_space space;
    struct spaces_member member;
    assert_non_null(stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 2);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    stage->origin = origin_start("127.0.0.1", serve, stage);
    stage->inside = origin_start("127.0.0.2", serve, stage);
    snprintf(stage->site, sizeof stage->site, "http://127.0.0.1:%u", origin_port(stage->origin));
    struct http_fetch_config config = {.reach = {.port_count = 2, .allowed_count = 1}};
    config.reach.ports[0] = origin_port(stage->origin);
    config.reach.ports[1] = origin_port(stage->inside);
    assert_int_equal(network_read("127.0.0.1/32", &config.reach.allowed[0]), STATUS_OK);
    assert_int_equal(http_fetch_new(&config, &stage->fetch), STATUS_OK);
    assert_int_equal(jobs_new(stage->db, NULL, &stage->jobs), STATUS_OK);
    const struct jobs_kind kind = {.name = previews_kind, .run = preview_run, .context = stage};
    assert_int_equal(jobs_kind_add(stage->jobs, &kind), STATUS_OK);
    assert_int_equal(jobs_start(stage->jobs), STATUS_OK);
    const char *ada = people_add(stage->db, stage->arena, "ada");
    const struct spaces_new wish = {.account = ada, .name = "Lake"};
    assert_int_equal(spaces_create(stage->db, &wish, clock_wall_ms(), stage->arena, &space),
                     STATUS_OK);
    stage->ada = (struct spaces_who){space.id, ada};
    stage->bob = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "bob")};
    const struct spaces_invitee invitee = {.account = stage->bob.account, .role = "viewer"};
    assert_int_equal(
        spaces_invite(stage->db, &stage->ada, &invitee, clock_wall_ms(), stage->arena, &member),
        STATUS_OK);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    stage->jobs = jobs_free(stage->jobs);
    http_fetch_free(stage->fetch);
    assert_int_equal(origin_connections(stage->inside), 0);
    origin_stop(stage->origin);
    origin_stop(stage->inside);
    arena_free(stage->arena);
    db_close(stage->db);
    scratch_remove(stage->folder);
    free(stage);
    return 0;
}

/* Until all jobs are done: how many pages were asked for. */
static int settle(struct stage *stage)
{
    int64_t waiting = 1;
    for (int i = 0; i < TRIES_MAX && waiting > 0; i++) {
        waiting = scratch_count(stage->db, "SELECT coalesce(sum(jobs), 0) FROM job_kind");
        if (waiting > 0)
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    assert_int_equal(waiting, 0);
    return atomic_exchange(&stage->asked, 0);
}

/* A message of a text in which % stands for the site. */
static const char *say(struct stage *stage, const struct spaces_who *who, const char *text)
{
    struct messages_message message;
    bool changed = false;
    char written[4096];
    size_t used = 0;
    for (; *text != '\0' && used < sizeof written - sizeof stage->site; text++)
        used += (size_t)snprintf(written + used, sizeof written - used,
                                 *text == '%' ? "%s" : "%.1s", *text == '%' ? stage->site : text);
    const struct messages_post post = {.text = written};
    assert_int_equal(
        messages_add(stage->db, who, &post, clock_wall_ms(), stage->arena, &message, &changed),
        STATUS_OK);
    assert_int_equal(message.previews.count, 0); /* the message does not wait for them */
    return message.id;
}

static struct messages_message get(struct stage *stage, const struct spaces_who *who,
                                   const char *id)
{
    struct messages_message message;
    assert_int_equal(messages_get(stage->db, who, id, stage->arena, &message), STATUS_OK);
    return message;
}

static void check_cards(struct stage *stage, const char *id, const char *expected)
{
    const struct messages_message message = get(stage, &stage->bob, id);
    const struct messages_preview *cards = message.previews.items;
    char titles[1024] = "";
    size_t used = 0;
    for (size_t i = 0; i < message.previews.count; i++)
        used += (size_t)snprintf(titles + used, sizeof titles - used, "[%s]", cards[i].title);
    assert_string_equal(titles, expected);
}

static int64_t newest_event(struct stage *stage)
{
    struct feed_page page;
    assert_int_equal(feed_list(stage->db, stage->bob.account, -1, stage->arena, &page), STATUS_OK);
    return page.last;
}

/* Whether any file of the data directory's top has these bytes. */
static bool on_disk(struct stage *stage, const char *words)
{
    char path[SCRATCH_PATH_MAX + 300];
    bool found = false;
    DIR *folder = opendir(stage->folder);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", stage->folder, entry->d_name);
        FILE *file = entry->d_type == DT_REG ? fopen(path, "re") : NULL;
        if (file == NULL)
            continue;
        char *bytes = malloc(FILE_MAX);
        assert_non_null(bytes);
        size_t length = fread(bytes, 1, FILE_MAX, file);
        found = found || memmem(bytes, length, words, strlen(words)) != NULL;
        free(bytes);
        fclose(file);
    }
    closedir(folder);
    return found;
}

static void test_card(void **state)
{
    struct stage *stage = *state;
    struct feed_page page;
    char url[128];
    const char *id = say(stage, &stage->ada, "look: %/page.");
    int64_t before = newest_event(stage);
    assert_int_equal(settle(stage), 1);
    assert_int_equal(atomic_load(&stage->told), 1);
    const struct messages_message message = get(stage, &stage->bob, id);
    assert_int_equal(message.previews.count, 1);
    assert_int_equal(message.edited, 0);
    const struct messages_preview *card = message.previews.items;
    snprintf(url, sizeof url, "%s/page", stage->site);
    assert_string_equal(card->url, url);
    assert_string_equal(card->title, "A page");
    assert_string_equal(card->about, "What it is about");
    assert_string_equal(card->site, "Example");
    assert_true(on_disk(stage, stage->ada.space)); /* which is not sealed */
    assert_false(on_disk(stage, "What it is about"));
    assert_false(on_disk(stage, url));
    /* Whoever has the space open is told, with the card; it may have come before `before`. */
    assert_int_equal(feed_list(stage->db, stage->bob.account, before - 1, stage->arena, &page),
                     STATUS_OK);
    const struct feed_event *last = page.items.items;
    last += page.items.count - 1;
    assert_string_equal(last->type, "message.updated");
    assert_string_equal(last->id, id);
    const struct messages_message *told = last->messages.items;
    assert_int_equal(told->previews.count, 1);
}

static void test_which(void **state)
{
    struct stage *stage = *state;
    const char *id = say(stage, &stage->ada, "%/page %/other %/away %/fourth");
    assert_int_equal(settle(stage), 4); /* three, and where one redirects to */
    check_cards(stage, id, "[A page][Other][A page]");
    id = say(stage, &stage->ada, "`%/page` and no link");
    assert_int_equal(settle(stage), 0);
    check_cards(stage, id, "");
    id = say(stage, &stage->ada, "%/picture %/missing %/untitled");
    assert_int_equal(settle(stage), 3);
    check_cards(stage, id, "");
}

/* Nothing inside is connected to, whatever a message or a page says; teardown counts. */
static void test_guard(void **state)
{
    struct stage *stage = *state;
    char text[256];
    const unsigned port = origin_port(stage->inside);
    const char *id = say(stage, &stage->ada, "%/inside");
    assert_int_equal(settle(stage), 1);
    check_cards(stage, id, "");
    snprintf(text, sizeof text,
             "http://127.0.0.2:%u/ http://[::1]:%u/ http://[::ffff:127.0.0.2]:%u/", port, port,
             port);
    id = say(stage, &stage->ada, text);
    assert_int_equal(settle(stage), 0);
    snprintf(text, sizeof text,
             "http://10.0.0.1:%u/ http://169.254.169.254:%u/ http://[fd00::1]:%u/", port, port,
             port);
    id = say(stage, &stage->ada, text);
    assert_int_equal(settle(stage), 0);
    check_cards(stage, id, "");
    snprintf(text, sizeof text, "http://me:secret@127.0.0.1:%u/page http://127.0.0.1:1/page",
             origin_port(stage->origin));
    id = say(stage, &stage->ada, text);
    assert_int_equal(settle(stage), 0);
    check_cards(stage, id, "");
}

static void change(struct stage *stage, const char *id, const char *path, const char *more)
{
    char text[256];
    struct messages_message message;
    snprintf(text, sizeof text, "%s%s%s", path[0] != '\0' ? stage->site : "", path, more);
    const struct messages_change wish = {.text = text};
    assert_int_equal(
        messages_change(stage->db, &stage->ada, id, &wish, clock_wall_ms(), stage->arena, &message),
        STATUS_OK);
}

static void test_edit(void **state)
{
    struct stage *stage = *state;
    const char *id = say(stage, &stage->ada, "%/page");
    assert_int_equal(settle(stage), 1);
    change(stage, id, "/page", " with words"); /* known: it is not asked again */
    assert_int_equal(settle(stage), 0);
    check_cards(stage, id, "[A page]");
    change(stage, id, "/other", " instead");
    check_cards(stage, id, "");
    assert_int_equal(settle(stage), 1);
    check_cards(stage, id, "[Other]");
    change(stage, id, "", "no link any more");
    check_cards(stage, id, "");
    assert_int_equal(settle(stage), 0);
    check_cards(stage, id, "");
}

static enum status take(struct stage *stage, const struct spaces_who *who, const char *id,
                        const char *preview)
{
    struct messages_message message;
    return previews_remove(stage->db, who, id, preview, clock_wall_ms(), stage->arena, &message);
}

static void test_remove(void **state)
{
    struct stage *stage = *state;
    const char *id = say(stage, &stage->ada, "%/page %/other"),
               *his = say(stage, &stage->bob, "%/other");
    settle(stage);
    const struct messages_message message = get(stage, &stage->ada, id);
    const struct messages_preview *cards = message.previews.items;
    assert_int_equal(message.previews.count, 2);
    assert_int_equal(take(stage, &stage->bob, id, cards[0].id), STATUS_DENIED);
    assert_int_equal(take(stage, &stage->ada, id, "0"), STATUS_NOT_FOUND);
    assert_int_equal(take(stage, &stage->ada, "x", cards[0].id), STATUS_NOT_FOUND);
    assert_int_equal(take(stage, &stage->ada, id, cards[0].id), STATUS_OK);
    check_cards(stage, id, "[Other]");
    assert_int_equal(take(stage, &stage->ada, id, cards[0].id), STATUS_NOT_FOUND);
    /* It does not come back with the next text. */
    change(stage, id, "/page", " still");
    assert_int_equal(settle(stage), 0);
    check_cards(stage, id, "");
    /* An owner takes others' away. */
    const struct messages_message other = get(stage, &stage->bob, his);
    cards = other.previews.items;
    assert_int_equal(take(stage, &stage->ada, his, cards[0].id), STATUS_OK);
    check_cards(stage, his, "");
}

static enum status rows_run(struct db_session *session, void *arg)
{
    int64_t *count = arg;
    struct db_statement *select = db_prepare(session, "SELECT count(*) FROM space_preview");
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *count = db_column_int(select, 0);
    return status;
}

static void test_delete(void **state)
{
    struct stage *stage = *state;
    int64_t rows = -1;
    const char *id = say(stage, &stage->ada, "%/page");
    assert_int_equal(settle(stage), 1);
    assert_int_equal(messages_delete(stage->db, &stage->ada, id, clock_wall_ms()), STATUS_OK);
    check_cards(stage, id, "");
    assert_int_equal(db_read(stage->db, rows_run, &rows), STATUS_OK);
    assert_int_equal(rows, 0);
    say(stage, &stage->ada, "%/page");
    settle(stage);
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, clock_wall_ms()), STATUS_OK);
    assert_int_equal(db_read(stage->db, rows_run, &rows), STATUS_OK);
    assert_int_equal(rows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_card, setup, teardown),
        cmocka_unit_test_setup_teardown(test_which, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
