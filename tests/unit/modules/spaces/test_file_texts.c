/*
 * Texts inside files, over real jobs and the real process that reads them: found, changed, gone;
 * hostile files cost their text and nothing else.
 */
#include "modules/spaces/file_texts.h"

#include "modules/search/reader.h"
#include "modules/search/search.h"
#include "modules/spaces/files.h"
#include "modules/spaces/filling.h"
#include "modules/spaces/messages.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ARENA_MAX = 64 << 20, PATIENCE_S = 120 };
static const int64_t NOW = 1764000000000;

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct objects *objects;
    struct jobs *jobs;
    struct file_texts texts;
    struct arena *arena;
    struct spaces_who ada, out;
};

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 2);
    assert_int_equal(objects_open(stage->db, stage->folder, &stage->objects), STATUS_OK);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    const char *ada = people_add(stage->db, stage->arena, "Ada");
    const struct spaces_new wish = {.account = ada, .name = "Lake"};
    struct spaces_space space;
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &space), STATUS_OK);
    stage->ada = (struct spaces_who){space.id, ada};
    stage->out = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "Out")};
    stage->texts = (struct file_texts){stage->db, stage->objects, PARLEY_TEXT};
    assert_int_equal(jobs_new(stage->db, NULL, &stage->jobs), STATUS_OK);
    assert_int_equal(file_texts_add(stage->jobs, &stage->texts), STATUS_OK);
    assert_int_equal(jobs_start(stage->jobs), STATUS_OK);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    jobs_free(stage->jobs);
    scratch_intact(stage->db);
    arena_free(stage->arena);
    objects_close(stage->objects);
    db_close(stage->db);
    scratch_remove(stage->folder);
    free(stage);
    return 0;
}

/* Until no job is left. */
static void settle(struct stage *stage)
{
    time_t until = time(NULL) + PATIENCE_S;
    while (scratch_count(stage->db, "SELECT count(*) FROM job WHERE kind > ''") > 0) {
        assert_true(time(NULL) < until);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static const char *add(struct stage *stage, const char *file, const char *name, const char *type,
                       const void *content, size_t length)
{
    const struct files_new wish = {
        .name = name, .type = type, .file = file, .content = content, .length = length};
    struct files_file made;
    assert_int_equal(
        files_add(stage->db, stage->objects, &stage->ada, &wish, NOW, stage->arena, &made),
        STATUS_OK);
    settle(stage);
    return made.id;
}

static struct search_page find_as(struct stage *stage, const char *account, const char *text)
{
    const struct search_wish wish = {.account = account, .text = text, .kind = "file"};
    struct search_page page = {{0}, NULL};
    assert_int_equal(search_run(stage->db, &wish, stage->arena, &page), STATUS_OK);
    return page;
}

static size_t found(struct stage *stage, const char *text)
{
    return find_as(stage, stage->ada.account, text).items.count;
}

static int64_t texts_kept(struct stage *stage)
{
    return scratch_count(stage->db, "SELECT count(*) FROM search_text WHERE file > ''");
}

/* One page that says "Heron lands". */
static const char pdf[] = "%PDF-1.4\n"
                          "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                          "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
                          "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R"
                          "/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
                          "4 0 obj<</Length 45>>stream\n"
                          "BT /F1 24 Tf 20 200 Td (Heron lands) Tj ET   \n"
                          "endstream endobj\n"
                          "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
                          "trailer<</Root 1 0 R/Size 6>>\n";

static const struct {
    const char *name, *type, *content, *query;
    bool found;
} cases[] = {
    {"a.txt", "text/plain", "the heron at the lake", "heron", true},
    {"a.md", NULL, "# 年度报告\n*heron*", "报告", true},
    {"a.html", "text/html", "<p title='a>b'>Grey&nbsp;heron &#x4e0a;&#28023;", "上海", true},
    {"b.html", "text/html", "<script>heron()</script><!-- heron -->water", "heron", false},
    {"b.html", "text/html", "<style>heron</style>water", "water", true},
    {"a.pdf", "application/pdf", pdf, "\"heron lands\"", true},
    {"a.bin", "image/png", "heron", "heron", false},
    {"latin.txt", "text/plain", "caf\xe9 heron", "heron", true},
};

static void test_found(void **state)
{
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *id = add(stage, NULL, cases[i].name, cases[i].type, cases[i].content,
                             strlen(cases[i].content));
        if (found(stage, cases[i].query) != cases[i].found)
            fail_msg("%s: %s", cases[i].name, cases[i].query);
        assert_int_equal(find_as(stage, stage->out.account, cases[i].query).items.count, 0);
        assert_int_equal(files_delete(stage->db, stage->objects, &stage->ada, id, NOW), STATUS_OK);
        assert_int_equal(found(stage, cases[i].query), 0);
        assert_int_equal(files_delete(stage->db, stage->objects, &stage->ada, id, NOW), STATUS_OK);
        assert_int_equal(texts_kept(stage), 0);
    }
}

static void test_new_content(void **state)
{
    struct stage *stage = *state;
    const char *id = add(stage, NULL, "a.txt", "text/plain", "old words", 9);
    struct search_page page = find_as(stage, stage->ada.account, "words");
    const struct search_hit *hit = page.items.items;
    const struct search_part *parts = hit->snippet.items;
    assert_string_equal(hit->id, id);
    assert_string_equal(parts[0].text, "old ");
    assert_true(parts[1].hit);
    add(stage, id, "a.txt", "text/plain", "new ones", 8);
    assert_int_equal(found(stage, "old"), 0);
    assert_int_equal(found(stage, "new"), 1);
    const struct files_change back = {.version = 1};
    struct files_file file;
    assert_int_equal(files_change(stage->db, &stage->ada, id, &back, NOW, stage->arena, &file),
                     STATUS_OK);
    settle(stage);
    assert_int_equal(found(stage, "old"), 1);
    assert_int_equal(found(stage, "new"), 0);
    /* A name that has it too is one hit. */
    add(stage, NULL, "old.txt", "text/plain", "old", 3);
    assert_int_equal(found(stage, "old"), 2);
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, NOW), STATUS_OK);
    assert_int_equal(files_purge(stage->db, stage->objects, stage->ada.space), STATUS_OK);
    assert_int_equal(texts_kept(stage), 0);
}

/* As a database is right after the step that made the index. */
static enum status forget_run(struct db_session *session, void *arg)
{
    static const char *const steps[] = {
        "DELETE FROM search_fresh WHERE scope > 0",
        "DELETE FROM search_scope WHERE number > 0",
        "DELETE FROM search_file WHERE number > 0",
        "DELETE FROM search_text WHERE file > ''",
        "DELETE FROM search_fill WHERE number > 0",
        "INSERT INTO search_fill (number, message, until, file)"
        " SELECT 1, 0, coalesce(max(id), 0), '' FROM space_message"};
    enum status status = STATUS_OK;
    (void)arg;
    for (size_t i = 0; status == STATUS_OK && i < sizeof steps / sizeof steps[0]; i++)
        status = db_run(db_prepare(session, steps[i]));
    return status;
}

static size_t said(struct stage *stage, const char *text)
{
    const struct search_wish wish = {
        .account = stage->ada.account, .text = text, .kind = "message", .limit = 50};
    struct search_page page = {{0}, NULL};
    assert_int_equal(search_run(stage->db, &wish, stage->arena, &page), STATUS_OK);
    return page.items.count;
}

static void say(struct stage *stage, const char *text)
{
    const struct messages_post post = {.text = text};
    struct messages_message message;
    bool changed;
    assert_int_equal(
        messages_add(stage->db, &stage->ada, &post, NOW, stage->arena, &message, &changed),
        STATUS_OK);
}

static void test_older_than_the_index(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 120; i++)
        say(stage, arena_printf(stage->arena, i % 3 == 0 ? "heron %d" : "egret %d", i));
    add(stage, NULL, "stork.txt", "text/plain", "ibis", 4);
    assert_int_equal(db_write(stage->db, forget_run, NULL), STATUS_OK);
    assert_int_equal(said(stage, "heron"), 0);
    say(stage, "heron in the meantime");
    jobs_free(stage->jobs);
    assert_int_equal(jobs_new(stage->db, NULL, &stage->jobs), STATUS_OK);
    assert_int_equal(file_texts_add(stage->jobs, &stage->texts), STATUS_OK);
    assert_int_equal(filling_begin(stage->jobs, stage->db), STATUS_OK);
    assert_int_equal(jobs_start(stage->jobs), STATUS_OK);
    settle(stage);
    assert_int_equal(said(stage, "heron"), 41);
    assert_int_equal(found(stage, "stork"), 1);
    assert_int_equal(found(stage, "ibis"), 1);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM search_fill WHERE number > 0"),
                     0);
}

/* A PDF of random bytes, one of endless pages, a page that is one open tag. */
static void test_hostile(void **state)
{
    struct stage *stage = *state;
    enum { LONG = 3 << 20 };
    char *bytes = malloc(LONG);
    assert_non_null(bytes);
    for (size_t i = 0; i < LONG; i++)
        bytes[i] = (char)(i * 2654435761U >> 13);
    memcpy(bytes, "%PDF-1.7\n", 9);
    add(stage, NULL, "noise.pdf", "application/pdf", bytes, LONG);
    static const char loop[] = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                               "2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 9999999>>endobj\n"
                               "trailer<</Root 1 0 R>>\n";
    add(stage, NULL, "loop.pdf", "application/pdf", loop, sizeof loop - 1);
    memset(bytes, '<', LONG);
    memcpy(bytes, "heron <a '", 10);
    add(stage, NULL, "open.html", "text/html", bytes, LONG);
    assert_int_equal(found(stage, "heron"), 1);
    /* More than it may write: the beginning counts. */
    for (size_t i = 0; i + 8 <= LONG; i += 8)
        memcpy(bytes + i, i == 0 ? "egret   " : "padding ", 8);
    add(stage, NULL, "long.txt", "text/plain", bytes, LONG);
    assert_int_equal(found(stage, "egret"), 1);
    free(bytes);
    add(stage, NULL, "after.txt", "text/plain", "ibis", 4);
    assert_int_equal(found(stage, "ibis"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_found), TEST(test_new_content),
                                       TEST(test_older_than_the_index), TEST(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
