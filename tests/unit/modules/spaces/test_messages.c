/*
 * Messages of a space over a real database, and what those who were away are told.
 */
#include "modules/spaces/messages.h"

#include "modules/meetings/registry.h"
#include "modules/spaces/feed.h"
#include "storage/connection.h"
#include "storage/event.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { ARENA_MAX = 64 << 20 };
static const int64_t NOW = 1764000000000;

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
    struct spaces_who ada, bob, eve, out; /* owner, editor, viewer, not in it */
    struct messages_message message;      /* of the last call */
    bool changed;
};

static void enter(struct stage *stage, const struct spaces_who *who, const char *role)
{
    const struct spaces_invitee invitee = {.account = who->account, .role = role};
    struct spaces_member member;
    assert_int_equal(spaces_invite(stage->db, &stage->ada, &invitee, NOW, stage->arena, &member),
                     STATUS_OK);
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 1);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    const char *ada = people_add(stage->db, stage->arena, "ada");
    const struct spaces_new wish = {.account = ada, .name = "Lake"};
    struct spaces_space space;
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &space), STATUS_OK);
    stage->ada = (struct spaces_who){space.id, ada};
    stage->bob = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "bob")};
    stage->eve = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "eve")};
    stage->out = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "out")};
    enter(stage, &stage->bob, "editor");
    enter(stage, &stage->eve, "viewer");
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    scratch_no_scans(stage->db);
    scratch_intact(stage->db);
    arena_free(stage->arena);
    db_close(stage->db);
    scratch_remove(stage->folder);
    free(stage);
    return 0;
}

static enum status post(struct stage *stage, const struct spaces_who *who,
                        struct messages_post wish)
{
    return messages_add(stage->db, who, &wish, NOW, stage->arena, &stage->message, &stage->changed);
}

/* Its id. */
static const char *say(struct stage *stage, const struct spaces_who *who, const char *text)
{
    assert_int_equal(post(stage, who, (struct messages_post){.text = text}), STATUS_OK);
    return stage->message.id;
}

static enum status change(struct stage *stage, const struct spaces_who *who, const char *id,
                          struct messages_change wish)
{
    return messages_change(stage->db, who, id, &wish, NOW + 1, stage->arena, &stage->message);
}

static enum status react(struct stage *stage, const struct spaces_who *who, const char *id,
                         const char *emoji, bool on)
{
    return messages_react(stage->db, who, id, emoji, on, NOW, stage->arena, &stage->message);
}

static struct messages_page list(struct stage *stage, struct messages_query query)
{
    struct messages_page page;
    assert_int_equal(messages_list(stage->db, &stage->eve, &query, stage->arena, &page), STATUS_OK);
    return page;
}

static const struct messages_message *at(const struct messages_page *page, size_t index)
{
    assert_in_range(index, 0, page->items.count - 1);
    return (const struct messages_message *)page->items.items + index;
}

static struct spaces_space seen_by(struct stage *stage, const struct spaces_who *who)
{
    struct spaces_space space;
    assert_int_equal(spaces_get(stage->db, who, stage->arena, &space), STATUS_OK);
    return space;
}

static void test_pages(void **state)
{
    struct stage *stage = *state;
    const char *first = say(stage, &stage->ada, "**\u4e0a\u6d77**\n");
    say(stage, &stage->eve, "two"); /* viewers write comments */
    say(stage, &stage->bob, "three");
    struct messages_page page = list(stage, (struct messages_query){.limit = 2});
    assert_int_equal(page.items.count, 2);
    assert_string_equal(at(&page, 0)->text, "three");
    assert_string_equal(at(&page, 0)->author_name, "bob");
    page = list(stage, (struct messages_query){.limit = 2, .cursor = page.next_cursor});
    assert_int_equal(page.items.count, 1);
    assert_null(page.next_cursor);
    assert_string_equal(at(&page, 0)->id, first);
    assert_string_equal(at(&page, 0)->text, "**\u4e0a\u6d77**\n");
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM space_message WHERE id > 0 AND"
                                              " instr(text, 'three') > 0"),
                     0);
    const struct messages_query bad = {.cursor = "x"};
    assert_int_equal(messages_list(stage->db, &stage->eve, &bad, stage->arena, &page),
                     STATUS_INVALID);
    const struct messages_query all = {0};
    assert_int_equal(messages_list(stage->db, &stage->out, &all, stage->arena, &page),
                     STATUS_NOT_FOUND);
    assert_int_equal(post(stage, &stage->out, (struct messages_post){.text = "x"}),
                     STATUS_NOT_FOUND);
    assert_int_equal(post(stage, &stage->ada, (struct messages_post){.text = ""}), STATUS_INVALID);
}

static void test_sent_twice_is_written_once(void **state)
{
    struct stage *stage = *state;
    struct messages_post wish = {.text = "once", .nonce = "n"};
    assert_int_equal(post(stage, &stage->ada, wish), STATUS_OK);
    assert_true(stage->changed);
    const char *id = stage->message.id;
    wish.text = "again";
    assert_int_equal(post(stage, &stage->ada, wish), STATUS_OK);
    assert_false(stage->changed);
    assert_string_equal(stage->message.id, id);
    assert_string_equal(stage->message.text, "once");
    assert_int_equal(post(stage, &stage->bob, wish), STATUS_OK);
    assert_true(stage->changed);
    /* What was acknowledged stays so in the archive, where nothing is written. */
    const struct spaces_change archive = {.archived = JSON_YES};
    struct spaces_space space;
    assert_int_equal(spaces_change(stage->db, &stage->ada, &archive, NOW, stage->arena, &space),
                     STATUS_OK);
    assert_int_equal(post(stage, &stage->ada, wish), STATUS_OK);
    wish.nonce = "m";
    assert_int_equal(post(stage, &stage->ada, wish), STATUS_DENIED);
}

static void test_threads(void **state)
{
    struct stage *stage = *state;
    const char *root = say(stage, &stage->ada, "root");
    const char *reply;
    assert_int_equal(post(stage, &stage->bob, (struct messages_post){.text = "a", .thread = root}),
                     STATUS_OK);
    reply = stage->message.id;
    assert_string_equal(stage->message.thread, root);
    assert_int_equal(post(stage, &stage->bob, (struct messages_post){.text = "b", .thread = reply}),
                     STATUS_INVALID); /* a thread has no threads */
    assert_int_equal(post(stage, &stage->bob, (struct messages_post){.text = "b", .thread = "99"}),
                     STATUS_INVALID);
    struct messages_page page = list(stage, (struct messages_query){.thread = root});
    assert_int_equal(page.items.count, 1);
    assert_string_equal(at(&page, 0)->id, reply);
    page = list(stage, (struct messages_query){0});
    assert_int_equal(at(&page, 1)->replies, 1);
}

static void test_edits_and_deletes(void **state)
{
    struct stage *stage = *state;
    struct messages_edits edits;
    const char *id = say(stage, &stage->ada, "one");
    assert_int_equal(change(stage, &stage->bob, id, (struct messages_change){.text = "b"}),
                     STATUS_DENIED);
    assert_int_equal(change(stage, &stage->ada, id, (struct messages_change){.text = "two"}),
                     STATUS_OK);
    assert_string_equal(stage->message.text, "two");
    assert_int_equal(stage->message.edited, NOW + 1);
    assert_int_equal(change(stage, &stage->ada, id, (struct messages_change){0}), STATUS_INVALID);
    assert_int_equal(messages_edits(stage->db, &stage->eve, id, stage->arena, &edits),
                     STATUS_DENIED);
    assert_int_equal(messages_edits(stage->db, &stage->bob, id, stage->arena, &edits), STATUS_OK);
    assert_int_equal(edits.items.count, 1);
    assert_string_equal(((const struct messages_edit *)edits.items.items)[0].text, "one");
    assert_int_equal(messages_delete(stage->db, &stage->bob, id, NOW), STATUS_DENIED);
    const char *other = say(stage, &stage->eve, "mine");
    assert_int_equal(messages_delete(stage->db, &stage->ada, other, NOW), STATUS_OK);
    assert_int_equal(messages_delete(stage->db, &stage->ada, id, NOW), STATUS_OK);
    assert_int_equal(messages_delete(stage->db, &stage->ada, id, NOW), STATUS_OK);
    assert_int_equal(change(stage, &stage->ada, id, (struct messages_change){.text = "x"}),
                     STATUS_NOT_FOUND);
    assert_int_equal(messages_get(stage->db, &stage->eve, id, stage->arena, &stage->message),
                     STATUS_OK);
    assert_string_equal(stage->message.text, "");
    assert_int_equal(stage->message.deleted, NOW);
    assert_int_equal(
        scratch_count(stage->db, "SELECT count(*) FROM space_message_edit WHERE message > 0"), 0);
}

static void test_reactions_and_pins(void **state)
{
    struct stage *stage = *state;
    const char *id = say(stage, &stage->ada, "one");
    assert_int_equal(react(stage, &stage->eve, id, "\U0001F44D", true), STATUS_OK);
    assert_int_equal(react(stage, &stage->bob, id, "\U0001F44D", true), STATUS_OK);
    assert_int_equal(react(stage, &stage->bob, id, "\U0001F44D", true), STATUS_OK);
    assert_int_equal(stage->message.reactions.count, 1);
    const struct messages_reaction *reaction = stage->message.reactions.items;
    assert_int_equal(reaction->by.count, 2);
    assert_int_equal(react(stage, &stage->bob, id, "\U0001F44D", false), STATUS_OK);
    reaction = stage->message.reactions.items;
    assert_int_equal(reaction->by.count, 1);
    assert_int_equal(react(stage, &stage->bob, id, "word", true), STATUS_INVALID);
    assert_int_equal(react(stage, &stage->out, id, "\U0001F44D", true), STATUS_NOT_FOUND);
    assert_int_equal(change(stage, &stage->eve, id, (struct messages_change){.pinned = JSON_YES}),
                     STATUS_DENIED);
    assert_int_equal(change(stage, &stage->bob, id, (struct messages_change){.pinned = JSON_YES}),
                     STATUS_OK);
    say(stage, &stage->ada, "two");
    struct messages_page page = list(stage, (struct messages_query){.pinned = true});
    assert_int_equal(page.items.count, 1);
    assert_string_equal(at(&page, 0)->id, id);
    assert_int_equal(change(stage, &stage->bob, id, (struct messages_change){.pinned = JSON_NO}),
                     STATUS_OK);
    assert_int_equal(stage->message.pinned, 0);
}

static void test_unread(void **state)
{
    struct stage *stage = *state;
    const char *names[] = {stage->bob.account};
    struct messages_post wish = {.text = "@bob", .mentions = {.items = names, .count = 1}};
    say(stage, &stage->ada, "one");
    assert_int_equal(post(stage, &stage->ada, wish), STATUS_OK);
    const char *second = stage->message.id;
    assert_int_equal(stage->message.mentions.count, 1);
    assert_int_equal(seen_by(stage, &stage->ada).unread, 0); /* one's own */
    assert_int_equal(seen_by(stage, &stage->bob).unread, 2);
    assert_int_equal(seen_by(stage, &stage->bob).mentions, 1);
    assert_int_equal(seen_by(stage, &stage->eve).mentions, 0);
    names[0] = "all";
    assert_int_equal(post(stage, &stage->ada, wish), STATUS_OK);
    assert_int_equal(seen_by(stage, &stage->eve).mentions, 1);
    assert_int_equal(messages_read(stage->db, &stage->bob, second, NOW), STATUS_OK);
    assert_int_equal(seen_by(stage, &stage->bob).unread, 1);
    assert_int_equal(seen_by(stage, &stage->bob).mentions, 1);
    assert_int_equal(messages_read(stage->db, &stage->bob, "1", NOW), STATUS_OK);
    assert_int_equal(seen_by(stage, &stage->bob).unread, 1); /* it never goes back */
    assert_int_equal(messages_read(stage->db, &stage->bob, "999", NOW), STATUS_NOT_FOUND);
    names[0] = stage->out.account;
    assert_int_equal(post(stage, &stage->ada, wish), STATUS_INVALID);
}

static void test_who_was_away(void **state)
{
    struct stage *stage = *state;
    struct feed_page page;
    assert_int_equal(feed_list(stage->db, stage->eve.account, -1, stage->arena, &page), STATUS_OK);
    int64_t before = page.last;
    const char *id = say(stage, &stage->ada, "secret");
    assert_int_equal(feed_list(stage->db, stage->eve.account, before, stage->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.items.count, 1);
    const struct feed_event *event = page.items.items;
    assert_string_equal(event->type, "message.added");
    assert_string_equal(event->space, stage->ada.space);
    assert_string_equal(event->id, id);
    assert_int_equal(event->messages.count, 1);
    assert_string_equal(((const struct messages_message *)event->messages.items)->text, "secret");
    assert_int_equal(feed_list(stage->db, stage->eve.account, page.last, stage->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.items.count, 0);
    assert_int_equal(feed_list(stage->db, stage->out.account, before, stage->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.items.count, 0);
    /* Put out: one is told that, and nothing more. */
    assert_int_equal(spaces_remove(stage->db, &stage->ada, stage->eve.account, NOW), STATUS_OK);
    say(stage, &stage->ada, "among us");
    assert_int_equal(feed_list(stage->db, stage->eve.account, before, stage->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.items.count, 1);
    event = page.items.items;
    assert_string_equal(event->type, "space.left");
    assert_null(event->space);
    assert_int_equal(feed_list(stage->db, stage->eve.account, 1 << 30, stage->arena, &page),
                     STATUS_OUT_OF_WINDOW);
    int64_t removed;
    assert_int_equal(event_prune(stage->db, NOW + 1, &removed), STATUS_OK);
    assert_int_equal(feed_list(stage->db, stage->ada.account, before, stage->arena, &page),
                     STATUS_OUT_OF_WINDOW);
}

static void test_all_of_many(void **state)
{
    struct stage *stage = *state;
    struct feed_page page;
    size_t count = 0;
    assert_int_equal(feed_list(stage->db, stage->bob.account, -1, stage->arena, &page), STATUS_OK);
    int64_t after = page.last;
    for (int i = 0; i < FEED_PAGE_MAX + 5; i++)
        say(stage, &stage->ada, "x");
    do {
        assert_int_equal(feed_list(stage->db, stage->bob.account, after, stage->arena, &page),
                         STATUS_OK);
        count += page.items.count;
        assert_true(page.last > after);
        after = page.last;
    } while (page.more);
    assert_int_equal(count, FEED_PAGE_MAX + 5);
    assert_int_equal(seen_by(stage, &stage->bob).unread, MESSAGES_UNREAD_MAX);
}

static void test_deleted_space_leaves_nothing(void **state)
{
    struct stage *stage = *state;
    const char *id = say(stage, &stage->ada, "x");
    assert_int_equal(react(stage, &stage->eve, id, "\U0001F44D", true), STATUS_OK);
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, NOW), STATUS_OK);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM space_message WHERE id > 0"),
                     0);
    assert_int_equal(
        scratch_count(stage->db, "SELECT count(*) FROM space_reaction WHERE message > 0"), 0);
}

static enum status list_without_memory(void *context)
{
    struct stage *stage = context;
    struct messages_page page;
    const struct messages_query query = {0};
    struct arena *arena = NULL;
    enum status status = arena_new(1 << 20, &arena);
    if (status == STATUS_OK)
        status = messages_list(stage->db, &stage->ada, &query, arena, &page);
    arena_free(arena);
    return status;
}

static void test_without_memory(void **state)
{
    struct stage *stage = *state;
    const char *id = say(stage, &stage->ada, "x");
    assert_int_equal(react(stage, &stage->eve, id, "\U0001F44D", true), STATUS_OK);
    assert_true(alloc_fail_each(list_without_memory, stage) > 0);
}

/* ---- meetings of the space ---- */

/* A participant let into the meeting; their id, and them as who asks. */
static struct spaces_who join(struct stage *stage, const char *meeting, const char *name)
{
    const struct registry_participant_spec spec = {
        .meeting = meeting, .name = name, .kind = REGISTRY_BROWSER, .admitted = true};
    struct registry_participant_created created;
    assert_int_equal(registry_participant_new(stage->db, &spec, NOW, &created), STATUS_OK);
    return (struct spaces_who){stage->ada.space, arena_strdup(stage->arena, created.id)};
}

static struct registry_meeting_created meet(struct stage *stage, const char *title)
{
    const struct registry_meeting_new meeting = {
        .title = title, .space = stage->bob.space, .account = stage->bob.account};
    struct registry_meeting_created created;
    assert_int_equal(registry_create(stage->db, &meeting, NOW, &created), STATUS_OK);
    return created;
}

static void test_a_meeting_is_a_thread(void **state)
{
    struct stage *stage = *state;
    struct registry_meeting_created meeting = meet(stage, "Tides");
    struct messages_page page = list(stage, (struct messages_query){0});
    assert_string_equal(at(&page, 0)->meeting, meeting.id);
    assert_string_equal(at(&page, 0)->text, "Tides");
    assert_string_equal(at(&page, 0)->author, stage->bob.account);
    const char *root = at(&page, 0)->id;
    assert_int_equal(
        post(stage, &stage->eve, (struct messages_post){.text = "one", .meeting = meeting.id}),
        STATUS_OK);
    const char *one = stage->message.id;
    assert_string_equal(stage->message.thread, root);
    assert_string_equal(stage->message.meeting, meeting.id);
    /* Answered in the space, it is said in the meeting too, and exactly that one is answered. */
    assert_int_equal(
        post(stage, &stage->ada, (struct messages_post){.text = "two", .reply_to = one}),
        STATUS_OK);
    assert_string_equal(stage->message.meeting, meeting.id);
    assert_string_equal(stage->message.reply_to, one);
    page = list(stage, (struct messages_query){.meeting = meeting.id});
    assert_int_equal(page.items.count, 2);
    assert_int_equal(post(stage, &stage->ada, (struct messages_post){.text = "x", .meeting = "no"}),
                     STATUS_INVALID);
    const char *other = say(stage, &stage->ada, "elsewhere");
    assert_int_equal(
        post(stage, &stage->ada,
             (struct messages_post){.text = "x", .meeting = meeting.id, .reply_to = other}),
        STATUS_INVALID);
    meet(stage, "");
    page = list(stage, (struct messages_query){0});
    assert_string_equal(at(&page, 0)->text, "");
}

static void test_guests_have_the_thread_only(void **state)
{
    struct stage *stage = *state;
    struct registry_meeting_created meeting = meet(stage, "Tides"), second = meet(stage, "");
    struct spaces_who guest = join(stage, meeting.id, "Gus"),
                      other = join(stage, second.id, "Olga");
    const struct messages_query all = {0}, own = {.meeting = meeting.id};
    struct messages_page page;
    struct messages_message message;
    const char *outside = say(stage, &stage->ada, "for members");
    assert_int_equal(post(stage, &guest, (struct messages_post){.text = "x"}), STATUS_NOT_FOUND);
    assert_int_equal(post(stage, &guest, (struct messages_post){.text = "x", .meeting = second.id}),
                     STATUS_NOT_FOUND);
    assert_int_equal(
        post(stage, &guest, (struct messages_post){.text = "hello", .meeting = meeting.id}),
        STATUS_OK);
    const char *hello = stage->message.id;
    assert_true(stage->message.guest);
    assert_string_equal(stage->message.author_name, "Gus");
    assert_int_equal(messages_list(stage->db, &guest, &all, stage->arena, &page), STATUS_NOT_FOUND);
    assert_int_equal(messages_list(stage->db, &other, &own, stage->arena, &page), STATUS_NOT_FOUND);
    assert_int_equal(messages_list(stage->db, &guest, &own, stage->arena, &page), STATUS_OK);
    assert_int_equal(page.items.count, 1);
    assert_int_equal(messages_get(stage->db, &guest, outside, stage->arena, &message),
                     STATUS_NOT_FOUND);
    assert_int_equal(messages_get(stage->db, &other, hello, stage->arena, &message),
                     STATUS_NOT_FOUND);
    assert_int_equal(react(stage, &guest, outside, "\u2764", true), STATUS_NOT_FOUND);
    assert_int_equal(react(stage, &guest, hello, "\u2764", true), STATUS_OK);
    assert_int_equal(change(stage, &guest, hello, (struct messages_change){.text = "hi"}),
                     STATUS_OK);
    assert_int_equal(change(stage, &guest, hello, (struct messages_change){.pinned = JSON_YES}),
                     STATUS_DENIED);
    const char *names[] = {stage->ada.account};
    const struct messages_post naming = {
        .text = "x", .meeting = meeting.id, .mentions = {.items = names, .count = 1}};
    assert_int_equal(post(stage, &guest, naming), STATUS_INVALID);
    /* A member reads it under the guest's name, and counts it as unread. */
    assert_int_equal(messages_get(stage->db, &stage->eve, hello, stage->arena, &message),
                     STATUS_OK);
    assert_string_equal(message.author_name, "Gus");
    assert_int_equal(messages_delete(stage->db, &stage->bob, hello, NOW), STATUS_DENIED);
    assert_int_equal(messages_delete(stage->db, &stage->ada, hello, NOW), STATUS_OK);
    /* Who was sent out, and everybody when it is over, sees nothing any more. */
    assert_int_equal(registry_participant_remove(stage->db, second.id, other.account, NOW),
                     STATUS_OK);
    const struct messages_query others = {.meeting = second.id};
    assert_int_equal(messages_list(stage->db, &other, &others, stage->arena, &page),
                     STATUS_NOT_FOUND);
    assert_int_equal(registry_end(stage->db, meeting.id, NOW), STATUS_OK);
    assert_int_equal(messages_list(stage->db, &guest, &own, stage->arena, &page), STATUS_NOT_FOUND);
    assert_int_equal(
        post(stage, &stage->eve, (struct messages_post){.text = "after", .meeting = meeting.id}),
        STATUS_OK);
}

/* ---- what an earlier version wrote ---- */

static void copy(const char *folder, const char *name)
{
    char from[512], bytes[1 << 15];
    snprintf(from, sizeof from, "%s/schema/space-meeting/%s", TEST_VECTORS, name);
    FILE *file = fopen(from, "re");
    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    file = fopen(scratch_file(folder, name), "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
    assert_int_equal(chmod(scratch_file(folder, name), 0600), 0);
}

static char *script_read(const char *folder)
{
    char *text = calloc(1, 1 << 15);
    assert_non_null(text);
    copy(folder, "011.sql");
    FILE *file = fopen(scratch_file(folder, "011.sql"), "re");
    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 15) - 1, file) > 0);
    fclose(file);
    return text;
}

/* The chat of a space's meeting was the meeting's own once: nothing of it is lost. */
static void test_moved_from_the_meeting(void **state)
{
    char folder[SCRATCH_PATH_MAX];
    struct stage *stage = *state;
    struct db_session *session = NULL;
    const struct spaces_who ada = {"Bxecvi-ulsM0VhaW", "Y5G-TXuY3XD0fN6a"};
    const struct messages_query all = {0}, own = {.meeting = "pMfRuUkbdHiPtqsp"};
    struct messages_page page;
    struct messages_edits edits;
    struct spaces_space space;
    scratch_make(folder);
    char *sql = script_read(folder);
    assert_int_equal(mkdir(scratch_file(folder, "keys"), 0700), 0);
    copy(folder, "keys/root.key");
    copy(folder, "keys/keyring");
    assert_int_equal(
        connection_open(scratch_file(folder, "parley.db"), CONNECTION_WRITER, &session), STATUS_OK);
    assert_int_equal(connection_exec(session, sql), STATUS_OK);
    connection_close(session);
    free(sql);
    struct db *db = scratch_db(folder, 1);
    assert_int_equal(messages_list(db, &ada, &all, stage->arena, &page), STATUS_OK);
    assert_int_equal(page.items.count, 5);
    assert_string_equal(at(&page, 4)->text, "before");
    assert_string_equal(at(&page, 3)->meeting, own.meeting);
    assert_string_equal(at(&page, 3)->author, ada.account);
    assert_int_equal(messages_list(db, &ada, &own, stage->arena, &page), STATUS_OK);
    assert_int_equal(page.items.count, 3);
    const struct messages_message *first = at(&page, 2), *answer = at(&page, 1);
    assert_string_equal(first->text, "high water");
    assert_string_equal(first->author_name, "Gus");
    assert_int_equal(first->reactions.count, 1);
    assert_true(first->edited > 0);
    assert_string_equal(answer->text, "at noon");
    assert_string_equal(answer->reply_to, first->id);
    assert_true(at(&page, 0)->deleted > 0);
    assert_string_equal(at(&page, 0)->text, "");
    assert_int_equal(messages_edits(db, &ada, first->id, stage->arena, &edits), STATUS_OK);
    assert_string_equal(((const struct messages_edit *)edits.items.items)->text, "high wter");
    assert_int_equal(scratch_count(db, "SELECT count(*) FROM message"), 0);
    assert_int_equal(scratch_count(db, "SELECT messages FROM space"), 5);
    assert_int_equal(spaces_get(db, &ada, stage->arena, &space), STATUS_OK);
    scratch_intact(db);
    db_close(db);
    scratch_remove(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pages),
        TEST(test_sent_twice_is_written_once),
        TEST(test_threads),
        TEST(test_a_meeting_is_a_thread),
        TEST(test_guests_have_the_thread_only),
        TEST(test_moved_from_the_meeting),
        TEST(test_edits_and_deletes),
        TEST(test_reactions_and_pins),
        TEST(test_unread),
        TEST(test_who_was_away),
        TEST(test_all_of_many),
        TEST(test_deleted_space_leaves_nothing),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
