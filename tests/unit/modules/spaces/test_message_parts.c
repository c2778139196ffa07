/*
 * What messages carry and what stands beside them: files, recordings, drafts, receipts.
 */
#include "modules/spaces/drafts.h"
#include "modules/spaces/files.h"
#include "modules/spaces/receipts.h"
#include "modules/spaces/scheduled.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_MAX = 16 << 20 };
static const int64_t NOW = 1764000000000;

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct objects *objects;
    struct arena *arena;
    struct spaces_who ada, bob, eve; /* owner, editor, viewer */
    struct messages_message message; /* of the last call */
};

static struct spaces_who enter(struct stage *stage, const char *name, const char *role)
{
    const struct spaces_who who = {stage->ada.space, people_add(stage->db, stage->arena, name)};
    const struct spaces_invitee invitee = {.account = who.account, .role = role};
    struct spaces_member member;
    assert_int_equal(spaces_invite(stage->db, &stage->ada, &invitee, NOW, stage->arena, &member),
                     STATUS_OK);
    return who;
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 1);
    assert_int_equal(objects_open(stage->db, stage->folder, &stage->objects), STATUS_OK);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    const char *ada = people_add(stage->db, stage->arena, "ada");
    const struct spaces_new wish = {.account = ada, .name = "Lake"};
    struct spaces_space space;
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &space), STATUS_OK);
    stage->ada = (struct spaces_who){space.id, ada};
    stage->bob = enter(stage, "bob", "editor");
    stage->eve = enter(stage, "eve", "viewer");
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    scratch_no_scans(stage->db);
    scratch_intact(stage->db);
    objects_close(stage->objects);
    arena_free(stage->arena);
    db_close(stage->db);
    scratch_remove(stage->folder);
    free(stage);
    return 0;
}

static const char *upload(struct stage *stage, const char *name, const char *type)
{
    const struct files_new wish = {.name = name, .type = type, .content = "x", .length = 1};
    struct files_file file;
    assert_int_equal(
        files_add(stage->db, stage->objects, &stage->ada, &wish, NOW, stage->arena, &file),
        STATUS_OK);
    return file.id;
}

static enum status post(struct stage *stage, const struct spaces_who *who, const char *text,
                        struct messages_attach *items, size_t count)
{
    const struct messages_post wish = {.text = text,
                                       .attachments = {.items = items, .count = count}};
    bool changed;
    return messages_add(stage->db, who, &wish, NOW, stage->arena, &stage->message, &changed);
}

static const struct messages_attachment *attached(const struct stage *stage, size_t index)
{
    assert_in_range(index, 0, stage->message.attachments.count - 1);
    return (const struct messages_attachment *)stage->message.attachments.items + index;
}

static void reload(struct stage *stage)
{
    assert_int_equal(
        messages_get(stage->db, &stage->eve, stage->message.id, stage->arena, &stage->message),
        STATUS_OK);
}

static void test_files(void **state)
{
    struct stage *stage = *state;
    const char *picture = upload(stage, "lake.png", "image/png");
    struct messages_attach items[] = {{.file = picture, .width = 640, .height = 480},
                                      {.file = upload(stage, "plan.txt", "text/plain")}};
    assert_int_equal(post(stage, &stage->eve, "look", items, 2), STATUS_DENIED); /* a viewer */
    assert_int_equal(post(stage, &stage->bob, "", NULL, 0), STATUS_INVALID);
    assert_int_equal(post(stage, &stage->bob, "", items, 2), STATUS_OK);
    assert_int_equal(stage->message.attachments.count, 2);
    assert_string_equal(attached(stage, 0)->name, "lake.png");
    assert_int_equal(attached(stage, 0)->height, 480);
    assert_string_equal(attached(stage, 1)->type, "text/plain");
    assert_string_equal(attached(stage, 1)->kind, "file");
    /* Renamed and deleted it shows as it is. */
    const struct files_change change = {.name = "sea.png"};
    struct files_file file;
    assert_int_equal(
        files_change(stage->db, &stage->ada, picture, &change, NOW, stage->arena, &file),
        STATUS_OK);
    reload(stage);
    assert_string_equal(attached(stage, 0)->name, "sea.png");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(files_delete(stage->db, stage->objects, &stage->ada, picture, NOW),
                         STATUS_OK);
        reload(stage);
        assert_true(attached(stage, 0)->gone);
        assert_string_equal(attached(stage, 0)->name, i == 0 ? "sea.png" : "");
    }
    /* What is no file of the space, or twice the same. */
    assert_int_equal(post(stage, &stage->bob, "", items, 1), STATUS_INVALID);
    struct messages_attach none = {.file = "nothing"}, twice[] = {items[1], items[1]};
    assert_int_equal(post(stage, &stage->bob, "x", &none, 1), STATUS_INVALID);
    assert_int_equal(post(stage, &stage->bob, "x", twice, 2), STATUS_INVALID);
    /* The message goes, the file stays. */
    assert_int_equal(post(stage, &stage->bob, "", &items[1], 1), STATUS_OK);
    assert_int_equal(messages_delete(stage->db, &stage->bob, stage->message.id, NOW), STATUS_OK);
    reload(stage);
    assert_int_equal(stage->message.attachments.count, 0);
    assert_int_equal(
        scratch_count(stage->db,
                      "SELECT count(*) FROM space_file WHERE deleted > 0 AND space > ''"),
        0);
}

static void test_recordings(void **state)
{
    struct stage *stage = *state;
    struct messages_attach voice = {.file = upload(stage, "v.webm", "audio/webm"),
                                    .kind = "voice",
                                    .wave = "0af3",
                                    .duration = 4000};
    assert_int_equal(post(stage, &stage->bob, "", &voice, 1), STATUS_OK);
    assert_string_equal(attached(stage, 0)->wave, "0af3");
    assert_int_equal(attached(stage, 0)->duration, 4000);
    struct messages_attach other = voice;
    other.duration = MESSAGES_VOICE_MS_MAX + 1;
    assert_int_equal(post(stage, &stage->bob, "", &other, 1), STATUS_INVALID);
    other.duration = 0;
    assert_int_equal(post(stage, &stage->bob, "", &other, 1), STATUS_INVALID);
    other = voice;
    other.wave = "0g";
    assert_int_equal(post(stage, &stage->bob, "", &other, 1), STATUS_INVALID);
    other = voice;
    other.file = upload(stage, "v.txt", "text/plain");
    assert_int_equal(post(stage, &stage->bob, "", &other, 1), STATUS_INVALID);
    /* It goes with its message. */
    assert_int_equal(messages_delete(stage->db, &stage->bob, stage->message.id, NOW), STATUS_OK);
    assert_int_equal(
        scratch_count(stage->db,
                      "SELECT count(*) FROM space_file WHERE deleted > 0 AND space > ''"),
        1);
}

static struct drafts_list drafts_of(struct stage *stage, const struct spaces_who *who)
{
    struct drafts_list list;
    assert_int_equal(drafts_list(stage->db, who, stage->arena, &list), STATUS_OK);
    return list;
}

static void test_drafts(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(post(stage, &stage->ada, "root", NULL, 0), STATUS_OK);
    const char *root = stage->message.id;
    assert_int_equal(drafts_set(stage->db, &stage->eve, NULL, "to all \u4e0a", NOW), STATUS_OK);
    assert_int_equal(drafts_set(stage->db, &stage->eve, root, "to it", NOW + 1), STATUS_OK);
    assert_int_equal(drafts_set(stage->db, &stage->eve, NULL, "to all", NOW + 2), STATUS_OK);
    assert_int_equal(drafts_set(stage->db, &stage->eve, "99", "x", NOW), STATUS_INVALID);
    struct drafts_list list = drafts_of(stage, &stage->eve);
    const struct drafts_draft *items = list.items.items;
    assert_int_equal(list.items.count, 2);
    assert_string_equal(items[0].text, "to all");
    assert_null(items[0].thread);
    assert_string_equal(items[1].thread, root);
    assert_int_equal(drafts_of(stage, &stage->ada).items.count, 0); /* nobody else's */
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM space_draft"
                                              " WHERE account > '' AND space > ''"
                                              " AND instr(text, 'to it') > 0"),
                     0);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM event WHERE seq > 0"
                                              " AND type = 'draft.updated'"),
                     3);
    assert_int_equal(drafts_set(stage->db, &stage->eve, root, "", NOW), STATUS_OK);
    assert_int_equal(drafts_of(stage, &stage->eve).items.count, 1);
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, NOW), STATUS_OK);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM space_draft WHERE space > ''"),
                     0);
}

static void test_receipts(void **state)
{
    struct stage *stage = *state;
    struct receipts_list list;
    assert_int_equal(post(stage, &stage->ada, "one", NULL, 0), STATUS_OK);
    assert_int_equal(messages_read(stage->db, &stage->eve, stage->message.id, NOW), STATUS_OK);
    assert_int_equal(receipts_list(stage->db, &stage->ada, stage->arena, &list), STATUS_OK);
    assert_int_equal(list.items.count, 3);
    const struct receipts_receipt *items = list.items.items;
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(items[i].read_to, strcmp(items[i].account, stage->eve.account) == 0
                                                  ? stage->message.id
                                                  : "0");
    const struct spaces_who out = {stage->ada.space, people_add(stage->db, stage->arena, "out")};
    assert_int_equal(receipts_list(stage->db, &out, stage->arena, &list), STATUS_NOT_FOUND);
}

/* ---- later ---- */

static struct scheduled_message later(struct stage *stage, const struct spaces_who *who,
                                      struct scheduled_wish wish)
{
    struct scheduled_message message;
    assert_int_equal(scheduled_add(stage->db, who, &wish, NOW, stage->arena, &message), STATUS_OK);
    return message;
}

/* Whether it was written then. */
static bool due(struct stage *stage, const char *id, int64_t now_ms)
{
    bool written = false;
    assert_int_equal(scheduled_send(stage->db, id, now_ms, stage->arena, &stage->message, &written),
                     STATUS_OK);
    return written;
}

static size_t waiting(struct stage *stage, const struct spaces_who *who,
                      struct scheduled_message *ret_first)
{
    struct scheduled_list list;
    assert_int_equal(scheduled_list(stage->db, who, stage->arena, &list), STATUS_OK);
    if (list.items.count > 0)
        *ret_first = *(struct scheduled_message *)list.items.items;
    return list.items.count;
}

static int64_t messages_count(struct stage *stage)
{
    return scratch_count(stage->db, "SELECT count(*) FROM space_message WHERE space > ''");
}

static void test_later(void **state)
{
    struct stage *stage = *state;
    struct scheduled_message first;
    const char *names[] = {stage->bob.account, stage->eve.account};
    const struct scheduled_wish wish = {
        .text = "at noon \u4e0a", .send_at = NOW + 1000, .mentions = {.items = names, .count = 2}};
    struct scheduled_message message = later(stage, &stage->ada, wish);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM job WHERE kind = "
                                              "'message.send' AND due = 1764000001000"),
                     1);
    assert_int_equal(waiting(stage, &stage->ada, &first), 1);
    assert_string_equal(first.text, wish.text);
    assert_int_equal(waiting(stage, &stage->bob, &first), 0);
    assert_false(due(stage, message.id, NOW + 999)); /* before its time: it was put off */
    assert_int_equal(messages_count(stage), 0);
    assert_int_equal(spaces_remove(stage->db, &stage->ada, stage->eve.account, NOW), STATUS_OK);
    assert_true(due(stage, message.id, NOW + 5000)); /* the server was down */
    assert_string_equal(stage->message.text, wish.text);
    assert_int_equal(stage->message.mentions.count, 1); /* eve has left */
    assert_int_equal(stage->message.created, NOW + 5000);
    assert_false(due(stage, message.id, NOW + 5000)); /* the job runs twice */
    assert_int_equal(messages_count(stage), 1);
    assert_int_equal(waiting(stage, &stage->ada, &first), 0);
    struct scheduled_wish bad = {.text = "x", .send_at = NOW};
    assert_int_equal(scheduled_add(stage->db, &stage->ada, &bad, NOW, stage->arena, &message),
                     STATUS_INVALID);
    bad.send_at = NOW + SCHEDULED_AHEAD_MAX_MS + 1;
    assert_int_equal(scheduled_add(stage->db, &stage->ada, &bad, NOW, stage->arena, &message),
                     STATUS_INVALID);
}

static void test_later_is_changed_and_cancelled(void **state)
{
    struct stage *stage = *state;
    struct scheduled_message message =
        later(stage, &stage->bob, (struct scheduled_wish){.text = "one", .send_at = NOW + 1000});
    const struct scheduled_wish wish = {.text = "two", .send_at = NOW + 9000};
    struct scheduled_message changed;
    assert_int_equal(
        scheduled_change(stage->db, &stage->ada, message.id, &wish, NOW, stage->arena, &changed),
        STATUS_NOT_FOUND); /* an owner too */
    assert_int_equal(
        scheduled_change(stage->db, &stage->bob, message.id, &wish, NOW, stage->arena, &changed),
        STATUS_OK);
    assert_string_equal(changed.text, "two");
    assert_false(due(stage, message.id, NOW + 1000));
    assert_int_equal(scheduled_cancel(stage->db, &stage->ada, message.id, NOW), STATUS_NOT_FOUND);
    assert_int_equal(scheduled_cancel(stage->db, &stage->bob, message.id, NOW), STATUS_OK);
    assert_false(due(stage, message.id, NOW + 9000));
    assert_int_equal(messages_count(stage), 0);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM job WHERE kind > ''"), 0);
}

static void test_later_with_the_rights_of_then(void **state)
{
    struct stage *stage = *state;
    struct scheduled_message message =
        later(stage, &stage->ada, (struct scheduled_wish){.text = "x", .send_at = NOW + 1000});
    const struct spaces_change archive = {.archived = JSON_YES}, back = {.archived = JSON_NO};
    struct spaces_space space;
    assert_int_equal(spaces_change(stage->db, &stage->ada, &archive, NOW, stage->arena, &space),
                     STATUS_OK);
    assert_false(due(stage, message.id, NOW + 1000));
    assert_int_equal(waiting(stage, &stage->ada, &message), 1);
    assert_int_equal(message.failed, NOW + 1000);
    assert_int_equal(spaces_change(stage->db, &stage->ada, &back, NOW, stage->arena, &space),
                     STATUS_OK);
    const struct scheduled_wish again = {.send_at = NOW + 3000};
    assert_int_equal(scheduled_change(stage->db, &stage->ada, message.id, &again, NOW + 2000,
                                      stage->arena, &message),
                     STATUS_OK);
    assert_true(due(stage, message.id, NOW + 3000));
    message = later(stage, &stage->ada, (struct scheduled_wish){.text = "y", .send_at = NOW + 9});
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, NOW), STATUS_OK);
    assert_false(due(stage, message.id, NOW + 9));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_files),
        TEST(test_recordings),
        TEST(test_drafts),
        TEST(test_receipts),
        TEST(test_later),
        TEST(test_later_is_changed_and_cancelled),
        TEST(test_later_with_the_rights_of_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
