/*
 * Search over a real database: what is found, by whom, and what the index keeps.
 */
#include "modules/search/search.h"

#include "modules/search/index.h"
#include "modules/spaces/files.h"
#include "modules/spaces/messages.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_MAX = 256 << 20 };
static const int64_t NOW = 1764000000000;

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct objects *objects;
    struct arena *arena;
    struct spaces_who ada, bob, out; /* owner, viewer, not in it */
    const char *other;               /* another space, of bob alone */
    int64_t now;
};

static const char *space_make(struct stage *stage, const char *account, const char *name)
{
    const struct spaces_new wish = {.account = account, .name = name};
    struct spaces_space space;
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &space), STATUS_OK);
    return space.id;
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 1);
    stage->now = NOW;
    assert_int_equal(objects_open(stage->db, stage->folder, &stage->objects), STATUS_OK);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    const char *ada = people_add(stage->db, stage->arena, "Ada Lovelace");
    const char *bob = people_add(stage->db, stage->arena, "Bob");
    const char *space = space_make(stage, ada, "Lake");
    stage->ada = (struct spaces_who){space, ada};
    stage->bob = (struct spaces_who){space, bob};
    stage->out = (struct spaces_who){space, people_add(stage->db, stage->arena, "Out")};
    stage->other = space_make(stage, bob, "Hill");
    const struct spaces_invitee invitee = {.account = bob, .role = "viewer"};
    struct spaces_member member;
    assert_int_equal(spaces_invite(stage->db, &stage->ada, &invitee, NOW, stage->arena, &member),
                     STATUS_OK);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    scratch_no_scans(stage->db);
    scratch_intact(stage->db);
    arena_free(stage->arena);
    objects_close(stage->objects);
    db_close(stage->db);
    scratch_remove(stage->folder);
    free(stage);
    return 0;
}

static const char *say(struct stage *stage, const struct spaces_who *who, const char *text)
{
    const struct messages_post post = {.text = text};
    struct messages_message message;
    bool changed;
    assert_int_equal(
        messages_add(stage->db, who, &post, stage->now++, stage->arena, &message, &changed),
        STATUS_OK);
    return message.id;
}

static struct search_page find_with(struct stage *stage, struct search_wish wish)
{
    struct search_page page = {{0}, NULL};
    if (wish.account == NULL)
        wish.account = stage->ada.account;
    assert_int_equal(search_run(stage->db, &wish, stage->arena, &page), STATUS_OK);
    return page;
}

static struct search_page find(struct stage *stage, const char *text)
{
    return find_with(stage, (struct search_wish){.text = text, .kind = "message"});
}

static const struct search_hit *hit(const struct search_page *page, size_t index)
{
    assert_in_range(index, 0, page->items.count - 1);
    return (const struct search_hit *)page->items.items + index;
}

/* "a [b] c": the hit in brackets. */
static const char *snippet(struct stage *stage, const struct search_hit *found)
{
    const struct search_part *parts = found->snippet.items;
    const char *text = "";
    for (size_t i = 0; i < found->snippet.count; i++)
        text = arena_printf(stage->arena, parts[i].hit ? "%s[%s]" : "%s%s", text, parts[i].text);
    return text;
}

static void expect(struct stage *stage, const char *text, const char *expected)
{
    struct search_page page = find(stage, text);
    if (expected == NULL && page.items.count > 0)
        fail_msg("%s found %s", text, snippet(stage, hit(&page, 0)));
    if (expected != NULL && page.items.count == 0)
        fail_msg("%s found nothing", text);
    if (expected != NULL)
        assert_string_equal(snippet(stage, hit(&page, 0)), expected);
}

/* As many messages as it takes for all that is fresh to become blocks. */
static void fold(struct stage *stage)
{
    static const char filler[] = "padding padding padding";
    while (scratch_count(stage->db, "SELECT count(*) FROM search_fresh WHERE scope > 0") > 0) {
        /* A long text of many different words. */
        char text[MESSAGES_TEXT_MAX + 1];
        size_t used = 0;
        for (int i = 0; used + 16 < sizeof text; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "q%dx%d ", i,
                                     (int)(stage->now % 9973));
        say(stage, &stage->ada, text);
    }
    say(stage, &stage->ada, filler);
}

/* ---- what is found ---- */

static const struct {
    const char *text, *query, *snippet; /* NULL: nothing */
} cases[] = {
    {"The quick brown fox", "brown", "The quick [brown] fox"},
    {"The quick brown fox", "BROWN the", "[The] quick [brown] fox"},
    {"The quick brown fox", "\"quick brown\"", "The [quick brown] fox"},
    {"The quick brown fox", "\"brown quick\"", NULL},
    {"The quick brown fox", "brown bear", NULL},
    {"The quick brown fox", "bro*", "The quick [brown] fox"},
    {"The quick brown fox", "brownie*", NULL},
    {"The quick brown fox", "bro", NULL},
    {"Conferencing tools", "conferen*", "[Conferencing] tools"},
    {"Conferencing tools", "conferez*", NULL},
    {"The quick brown fox", "\"quick br*\"", "The [quick brown] fox"},
    {"我家在上海东边", "上海", "我家在[上海]东边"},
    {"我家在上海东边", "上海 东边", "我家在[上海][东边]"},
    {"我家在上海东边", "海上", NULL},
    {"我家在上海东边", "边", "我家在上海东[边]"},
    {"东京塔", "京东", NULL},
    {"京东买的", "京东", "[京东]买的"},
    {"用iPhone手机打电话", "iphone手机", "用[iPhone手机]打电话"},
    {"Crème brûlée", "creme BRULEE", "[Crème] [brûlée]"},
    {"creme", "Crème", "[creme]"},
    {"ＦＵＬＬ width", "full", "[ＦＵＬＬ] width"},
    {"Straße", "STRASSE", "[Straße]"},
    {"ask ada@example.org", "ada@example.org", "ask [ada@example.org]"},
    {"ask ada@example.org", "example.ada", NULL},
    {"カタカナ", "ｶﾀｶﾅ", "[カタカナ]"},
    {"привет МИР", "мир", "привет [МИР]"},
    {"a a b", "\"a b\"", "a [a b]"},
};

static void test_found_when_fresh(void **state)
{
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *id = say(stage, &stage->ada, cases[i].text);
        expect(stage, cases[i].query, cases[i].snippet);
        assert_int_equal(messages_delete(stage->db, &stage->ada, id, NOW), STATUS_OK);
        expect(stage, cases[i].query, NULL);
    }
}

/* Its hit, among those of the other cases; NULL: it is none. */
static const struct search_hit *hit_of(const struct search_page *page, const char *id)
{
    for (size_t i = 0; i < page->items.count; i++)
        if (strcmp(hit(page, i)->id, id) == 0)
            return hit(page, i);
    return NULL;
}

static void test_found_in_blocks(void **state)
{
    enum { CASES = sizeof cases / sizeof cases[0] };
    struct stage *stage = *state;
    const char *ids[CASES];
    for (size_t i = 0; i < CASES; i++)
        ids[i] = say(stage, &stage->ada, cases[i].text);
    fold(stage);
    assert_true(scratch_count(stage->db, "SELECT count(*) FROM search_block WHERE scope > 0") > 0);
    for (size_t i = 0; i < CASES; i++) {
        struct search_page page = find(stage, cases[i].query);
        const struct search_hit *found = hit_of(&page, ids[i]);
        if ((found != NULL) != (cases[i].snippet != NULL))
            fail_msg("%s in %s", cases[i].query, cases[i].text);
        if (found != NULL)
            assert_string_equal(snippet(stage, found), cases[i].snippet);
        assert_int_equal(messages_delete(stage->db, &stage->ada, ids[i], NOW), STATUS_OK);
        page = find(stage, cases[i].query);
        assert_null(hit_of(&page, ids[i]));
    }
}

/* ---- order, pages ---- */

static void test_pages_have_all_once(void **state)
{
    struct stage *stage = *state;
    enum { COUNT = 3000 };
    for (int i = 0; i < COUNT; i++)
        say(stage, &stage->ada,
            arena_printf(stage->arena, i % 3 == 0 ? "lake %d" : "hill %d lakes", i));
    assert_true(scratch_count(stage->db, "SELECT count(*) FROM search_block WHERE scope > 0") > 0);
    assert_true(scratch_count(stage->db, "SELECT count(*) FROM search_fresh WHERE scope > 0") > 0);
    int expected = COUNT - 3, pages = 0;
    struct search_wish wish = {.text = "lake", .kind = "message", .limit = 50};
    do {
        struct search_page page = find_with(stage, wish);
        for (size_t i = 0; i < page.items.count; i++, expected -= 3)
            assert_string_equal(snippet(stage, hit(&page, i)),
                                arena_printf(stage->arena, "[lake] %d", expected));
        wish.cursor = page.next_cursor;
        pages++;
    } while (wish.cursor != NULL);
    assert_int_equal(expected, -3);
    assert_int_equal(pages, COUNT / 3 / 50);
}

static void test_two_common_words_that_meet_once(void **state)
{
    struct stage *stage = *state;
    say(stage, &stage->ada, "red blue");
    for (int i = 0; i < 2000; i++)
        say(stage, &stage->ada, i % 2 == 0 ? "red" : "blue");
    struct search_page page = find(stage, "red blue");
    assert_int_equal(page.items.count, 1);
    assert_null(page.next_cursor);
}

static void test_relevance(void **state)
{
    struct stage *stage = *state;
    say(stage, &stage->ada, "lake lake lake");
    say(stage, &stage->ada, "many other words stand here and then there is a lake among them");
    struct search_page page = find_with(
        stage,
        (struct search_wish){.text = "lake", .kind = "message", .order = "relevance", .limit = 1});
    assert_string_equal(snippet(stage, hit(&page, 0)), "[lake] [lake] [lake]");
    assert_non_null(page.next_cursor);
    page = find_with(stage, (struct search_wish){.text = "lake",
                                                 .kind = "message",
                                                 .order = "relevance",
                                                 .limit = 1,
                                                 .cursor = page.next_cursor});
    assert_int_equal(page.items.count, 1);
    assert_null(page.next_cursor);
    page = find(stage, "lake");
    assert_string_equal(snippet(stage, hit(&page, 1)), "[lake] [lake] [lake]");
}

/* ---- changes ---- */

static void edits_run(struct stage *stage, bool folded)
{
    const char *id = say(stage, &stage->ada, "the old words");
    if (folded)
        fold(stage);
    const struct messages_change change = {.text = "some new ones"};
    struct messages_message message;
    assert_int_equal(
        messages_change(stage->db, &stage->ada, id, &change, NOW, stage->arena, &message),
        STATUS_OK);
    expect(stage, "old", NULL);
    expect(stage, "new", "some [new] ones");
    if (folded)
        fold(stage);
    expect(stage, "new", "some [new] ones");
}

static void test_edits(void **state)
{
    edits_run(*state, false);
    edits_run(*state, true);
}

static void test_deleted_leaves_nothing(void **state)
{
    struct stage *stage = *state;
    const char *ids[40];
    for (int i = 0; i < 40; i++)
        ids[i] = say(stage, &stage->ada, arena_printf(stage->arena, "word%d 上海 common", i));
    fold(stage);
    const char *filler = say(stage, &stage->ada, "x");
    (void)filler;
    for (int i = 0; i < 40; i++)
        assert_int_equal(messages_delete(stage->db, &stage->ada, ids[i], NOW), STATUS_OK);
    struct terms_key key;
    assert_int_equal(terms_key_make(db_vault(stage->db), stage->ada.space, TERMS_MESSAGE, &key),
                     STATUS_OK);
    /* word0's and 海's own rows are gone. */
    assert_int_equal(
        scratch_count(stage->db, arena_printf(stage->arena,
                                              "SELECT count(*) FROM search_block"
                                              " WHERE scope = 1 AND token IN (%lld, %lld)",
                                              (long long)terms_word(&key, "word0"),
                                              (long long)terms_word(&key, "海"))),
        0);
}

static void test_space_deleted(void **state)
{
    struct stage *stage = *state;
    say(stage, &stage->ada, "lake");
    fold(stage);
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, NOW), STATUS_OK);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM search_block WHERE scope > 0"),
                     0);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM search_fresh WHERE scope > 0"),
                     0);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM search_scope WHERE number > 0"),
                     0);
    expect(stage, "lake", NULL);
}

/* ---- who finds what ---- */

static void test_only_what_one_may_see(void **state)
{
    struct stage *stage = *state;
    const struct spaces_who alone = {stage->other, stage->bob.account};
    say(stage, &stage->ada, "secret of the lake");
    say(stage, &alone, "secret of the hill");
    assert_int_equal(find(stage, "secret").items.count, 1);
    struct search_wish wish = {.account = stage->bob.account, .text = "secret", .kind = "message"};
    struct search_page page = find_with(stage, wish);
    assert_int_equal(page.items.count, 2);
    assert_string_equal(hit(&page, 0)->space, stage->other);
    assert_string_equal(hit(&page, 1)->author_name, "Ada Lovelace");
    wish.space = stage->other;
    assert_int_equal(find_with(stage, wish).items.count, 1);
    wish = (struct search_wish){.account = stage->out.account, .text = "secret"};
    assert_int_equal(find_with(stage, wish).items.count, 0);
    wish.space = stage->other;
    assert_int_equal(search_run(stage->db, &wish, stage->arena, &page), STATUS_NOT_FOUND);
    /* Put out: from then on nothing. */
    assert_int_equal(spaces_remove(stage->db, &stage->ada, stage->bob.account, NOW), STATUS_OK);
    wish = (struct search_wish){.account = stage->bob.account, .text = "secret", .kind = "message"};
    assert_int_equal(find_with(stage, wish).items.count, 1);
}

static void test_equal_words_of_two_spaces_differ(void **state)
{
    struct stage *stage = *state;
    struct terms_key one, two;
    assert_int_equal(terms_key_make(db_vault(stage->db), stage->ada.space, TERMS_MESSAGE, &one),
                     STATUS_OK);
    assert_int_equal(terms_key_make(db_vault(stage->db), stage->other, TERMS_MESSAGE, &two),
                     STATUS_OK);
    assert_true(terms_word(&one, "lake") != terms_word(&two, "lake"));
    assert_true(terms_word(&one, "la") != terms_head(&one, "la", 2));
}

/* ---- filters ---- */

static void test_filters(void **state)
{
    struct stage *stage = *state;
    const char *mentions[] = {stage->bob.account};
    const struct messages_post post = {.text = "look here",
                                       .mentions = {.items = mentions, .count = 1}};
    struct messages_message message;
    bool changed;
    say(stage, &stage->ada, "look at https://example.org");
    say(stage, &stage->bob, "look there");
    assert_int_equal(
        messages_add(stage->db, &stage->ada, &post, stage->now++, stage->arena, &message, &changed),
        STATUS_OK);
    struct search_wish wish = {.text = "look", .kind = "message"};
    assert_int_equal(find_with(stage, wish).items.count, 3);
    wish.from = stage->bob.account;
    assert_int_equal(find_with(stage, wish).items.count, 1);
    wish.text = "";
    assert_int_equal(find_with(stage, wish).items.count, 1);
    wish = (struct search_wish){.text = "look", .kind = "message", .has = "link"};
    assert_int_equal(find_with(stage, wish).items.count, 1);
    wish.has = "mention";
    struct search_page page = find_with(stage, wish);
    assert_int_equal(page.items.count, 1);
    assert_string_equal(snippet(stage, hit(&page, 0)), "[look] here");
    wish = (struct search_wish){.text = "look", .kind = "message", .after = NOW + 1};
    assert_int_equal(find_with(stage, wish).items.count, 2);
    wish.before = NOW + 2;
    assert_int_equal(find_with(stage, wish).items.count, 1);
}

/* The times of messages are found by halving the ids: at both ends, and with gaps. */
static void test_times(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 50; i++) {
        stage->now = NOW + (int64_t)i * 3600000;
        say(stage, &stage->ada, "hour");
    }
    for (int i = 0; i <= 50; i++) {
        struct search_wish wish = {
            .text = "hour", .kind = "message", .limit = 50, .after = NOW + (int64_t)i * 3600000};
        assert_int_equal(find_with(stage, wish).items.count, 50 - i);
        wish.before = wish.after;
        wish.after = 0;
        assert_int_equal(find_with(stage, wish).items.count, i);
    }
}

/* ---- files, people ---- */

static const char *file_add(struct stage *stage, const char *name)
{
    const struct files_new wish = {.name = name, .content = "x", .length = 1};
    struct files_file file;
    assert_int_equal(
        files_add(stage->db, stage->objects, &stage->ada, &wish, NOW, stage->arena, &file),
        STATUS_OK);
    return file.id;
}

static size_t files_found(struct stage *stage, const char *text)
{
    return find_with(stage, (struct search_wish){.text = text, .kind = "file"}).items.count;
}

static void test_files(void **state)
{
    struct stage *stage = *state;
    const char *id = file_add(stage, "Budget_2026 年度报告.pdf");
    struct search_page page =
        find_with(stage, (struct search_wish){.text = "budget 报告", .kind = "file"});
    assert_string_equal(snippet(stage, hit(&page, 0)), "[Budget]_2026 年度[报告].pdf");
    assert_string_equal(hit(&page, 0)->id, id);
    const struct files_change rename = {.name = "Plan.pdf"};
    struct files_file file;
    assert_int_equal(files_change(stage->db, &stage->ada, id, &rename, NOW, stage->arena, &file),
                     STATUS_OK);
    assert_int_equal(files_found(stage, "budget"), 0);
    assert_int_equal(files_found(stage, "plan"), 1);
    assert_int_equal(files_delete(stage->db, stage->objects, &stage->ada, id, NOW), STATUS_OK);
    assert_int_equal(files_found(stage, "plan"), 0);
    const struct files_change back = {.deleted = JSON_NO};
    assert_int_equal(files_change(stage->db, &stage->ada, id, &back, NOW, stage->arena, &file),
                     STATUS_OK);
    assert_int_equal(files_found(stage, "plan"), 1);
    assert_int_equal(files_delete(stage->db, stage->objects, &stage->ada, id, NOW), STATUS_OK);
    assert_int_equal(files_delete(stage->db, stage->objects, &stage->ada, id, NOW), STATUS_OK);
    assert_int_equal(files_found(stage, "plan"), 0);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM search_file WHERE number > 0"),
                     0);
}

static void test_people(void **state)
{
    struct stage *stage = *state;
    struct search_wish wish = {.account = stage->bob.account, .text = "love*", .kind = "person"};
    struct search_page page = find_with(stage, wish);
    assert_int_equal(page.items.count, 1);
    assert_string_equal(snippet(stage, hit(&page, 0)), "Ada [Lovelace]");
    wish.account = stage->out.account;
    assert_int_equal(find_with(stage, wish).items.count, 0);
    /* All kinds together: people, files, messages. */
    file_add(stage, "ada.txt");
    say(stage, &stage->bob, "ask Ada");
    page = find_with(stage, (struct search_wish){.account = stage->bob.account, .text = "ada"});
    assert_int_equal(page.items.count, 3);
    assert_string_equal(hit(&page, 0)->kind, "person");
    assert_string_equal(hit(&page, 1)->kind, "file");
    assert_string_equal(hit(&page, 2)->kind, "message");
}

/* ---- bad input ---- */

static void test_bad_input(void **state)
{
    struct stage *stage = *state;
    char many[QUERY_BYTES_MAX + 2];
    struct search_page page;
    const char *texts[] = {"", "   ", "\"\"", "!?", "*", many};
    memset(many, 'x', sizeof many);
    many[sizeof many - 1] = '\0';
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct search_wish wish = {.account = stage->ada.account, .text = texts[i]};
        assert_int_equal(search_run(stage->db, &wish, stage->arena, &page), STATUS_INVALID);
    }
    const char *cursors[] = {"x", "1", "-1.0", "1.0x", "0.0"};
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; i++) {
        const struct search_wish wish = {
            .account = stage->ada.account, .text = "x", .cursor = cursors[i]};
        assert_int_equal(search_run(stage->db, &wish, stage->arena, &page), STATUS_INVALID);
    }
    say(stage, &stage->ada, "an \"open quote");
    expect(stage, "\"open quote", "an \"[open quote]");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_found_when_fresh),
        TEST(test_found_in_blocks),
        TEST(test_pages_have_all_once),
        TEST(test_two_common_words_that_meet_once),
        TEST(test_relevance),
        TEST(test_edits),
        TEST(test_deleted_leaves_nothing),
        TEST(test_space_deleted),
        TEST(test_only_what_one_may_see),
        TEST(test_equal_words_of_two_spaces_differ),
        TEST(test_filters),
        TEST(test_times),
        TEST(test_files),
        TEST(test_people),
        TEST(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
