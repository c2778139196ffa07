/*
 * Links that show contents: exactly what was chosen, as long as their maker may.
 */
#include "modules/spaces/shares.h"

#include "modules/auth/auth.h"
#include "modules/spaces/messages.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_MAX = 64 << 20 };
static const int64_t NOW = 1764000000000;

struct stage {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct objects *objects;
    struct auth *auth;
    struct arena *arena;
    struct spaces_who ada, eve;             /* owner, editor */
    const char *top, *folder, *in, *beside; /* files: chosen, chosen, in the folder, not chosen */
    struct shares_share share;              /* the last one made */
};

static const char *file_add(struct stage *stage, const char *name, const char *folder,
                            bool is_folder)
{
    struct files_file file;
    const struct files_new wish = {.name = name,
                                   .folder = folder,
                                   .is_folder = is_folder,
                                   .content = name,
                                   .length = is_folder ? 0 : strlen(name)};
    assert_int_equal(
        files_add(stage->db, stage->objects, &stage->ada, &wish, NOW, stage->arena, &file),
        STATUS_OK);
    return file.id;
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct spaces_space space;
    struct spaces_member member;
    assert_non_null(stage);
    scratch_make(stage->path);
    stage->db = scratch_db(stage->path, 1);
    assert_int_equal(objects_open(stage->db, stage->path, &stage->objects), STATUS_OK);
    const struct auth_config config = {.db = stage->db};
    assert_int_equal(auth_new(&config, &stage->auth), STATUS_OK);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    const char *ada = people_add(stage->db, stage->arena, "ada");
    const struct spaces_new wish = {.account = ada, .name = "Lake"};
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &space), STATUS_OK);
    stage->ada = (struct spaces_who){space.id, ada};
    stage->eve = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "eve")};
    const struct spaces_invitee eve = {.account = stage->eve.account, .role = "editor"};
    assert_int_equal(spaces_invite(stage->db, &stage->ada, &eve, NOW, stage->arena, &member),
                     STATUS_OK);
    stage->top = file_add(stage, "top", NULL, false);
    stage->beside = file_add(stage, "beside", NULL, false);
    stage->folder = file_add(stage, "folder", NULL, true);
    stage->in = file_add(stage, "in", stage->folder, false);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    scratch_no_scans(stage->db);
    arena_free(stage->arena);
    auth_free(stage->auth);
    objects_close(stage->objects);
    db_close(stage->db);
    scratch_remove(stage->path);
    free(stage);
    return 0;
}

static enum status make(struct stage *stage, const struct spaces_who *who, struct shares_new wish)
{
    return shares_add(stage->db, stage->auth, who, &wish, NOW, stage->arena, &stage->share);
}

static struct shares_visit visit_at(const struct stage *stage, int64_t now_ms, const char *pass)
{
    return (struct shares_visit){.token = stage->share.token, .pass = pass, .now_ms = now_ms};
}

static enum status look(struct stage *stage, int64_t now_ms, const char *pass)
{
    const struct shares_visit visit = visit_at(stage, now_ms, pass);
    struct shares_view view;
    return shares_look(stage->db, &visit, stage->arena, &view);
}

static enum status content(struct stage *stage, const char *file, const char *pass)
{
    const struct shares_visit visit = visit_at(stage, NOW, pass);
    struct files_file found;
    struct object *object = NULL;
    enum status status =
        shares_open(stage->db, stage->objects, &visit, file, stage->arena, &found, &object);
    object_close(object);
    return status;
}

static enum status listed(struct stage *stage, const char *folder, size_t *ret_count)
{
    const struct shares_visit visit = visit_at(stage, NOW, NULL);
    struct shares_files files = {0};
    enum status status = shares_files(stage->db, &visit, folder, NULL, stage->arena, &files);
    *ret_count = files.items.count;
    return status;
}

static void role_set(struct stage *stage, const char *role)
{
    struct spaces_member member;
    assert_int_equal(spaces_set_role(stage->db, &stage->ada, stage->eve.account, role, false, NOW,
                                     stage->arena, &member),
                     STATUS_OK);
}

static void test_exactly_what_was_chosen(void **state)
{
    struct stage *stage = *state;
    size_t count;
    const char *chosen[] = {stage->top, stage->folder};
    assert_int_equal(make(stage, &stage->eve, (struct shares_new){.files = {chosen, 2}}),
                     STATUS_OK);
    assert_int_equal(look(stage, NOW, NULL), STATUS_OK);
    assert_int_equal(listed(stage, NULL, &count), STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(listed(stage, stage->folder, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(content(stage, stage->top, NULL), STATUS_OK);
    assert_int_equal(content(stage, stage->in, NULL), STATUS_OK);
    assert_int_equal(content(stage, stage->beside, NULL), STATUS_NOT_FOUND);
    assert_int_equal(content(stage, "nowhere", NULL), STATUS_NOT_FOUND);
    /* A file of another space. */
    const struct spaces_new wish = {.account = stage->ada.account, .name = "Hill"};
    struct spaces_space other;
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &other), STATUS_OK);
    const struct spaces_who there = {other.id, stage->ada.account};
    const struct files_new file = {.name = "x", .content = "x", .length = 1};
    struct files_file foreign;
    assert_int_equal(
        files_add(stage->db, stage->objects, &there, &file, NOW, stage->arena, &foreign),
        STATUS_OK);
    assert_int_equal(content(stage, foreign.id, NULL), STATUS_NOT_FOUND);
    const char *elsewhere[] = {foreign.id};
    struct shares_share kept = stage->share;
    assert_int_equal(make(stage, &stage->ada, (struct shares_new){.files = {elsewhere, 1}}),
                     STATUS_NOT_FOUND);
    stage->share = kept;
    /* Messages were not. */
    const struct shares_visit visit = visit_at(stage, NOW, NULL);
    struct shares_messages messages;
    assert_int_equal(shares_messages(stage->db, &visit, NULL, stage->arena, &messages),
                     STATUS_NOT_FOUND);
    /* What is thrown away, or in a folder that is, is shown no more. */
    assert_int_equal(files_delete(stage->db, stage->objects, &stage->ada, stage->folder, NOW),
                     STATUS_OK);
    assert_int_equal(content(stage, stage->in, NULL), STATUS_NOT_FOUND);
    assert_int_equal(listed(stage, NULL, &count), STATUS_OK);
    assert_int_equal(count, 1);
}

static void test_everything_and_messages(void **state)
{
    struct stage *stage = *state;
    size_t count;
    const struct messages_post post = {.text = "hello"};
    struct messages_message message;
    bool changed;
    assert_int_equal(
        messages_add(stage->db, &stage->eve, &post, NOW, stage->arena, &message, &changed),
        STATUS_OK);
    assert_int_equal(
        make(stage, &stage->ada, (struct shares_new){.everything = true, .messages = true}),
        STATUS_OK);
    assert_int_equal(listed(stage, NULL, &count), STATUS_OK);
    assert_int_equal(count, 3);
    assert_int_equal(content(stage, stage->beside, NULL), STATUS_OK);
    assert_int_equal(content(stage, stage->in, NULL), STATUS_OK);
    const struct shares_visit visit = visit_at(stage, NOW, NULL);
    struct shares_messages messages;
    assert_int_equal(shares_messages(stage->db, &visit, NULL, stage->arena, &messages), STATUS_OK);
    assert_int_equal(messages.items.count, 1);
    const struct shares_message *shown = messages.items.items;
    assert_string_equal(shown->text, "hello");
    assert_int_equal(make(stage, &stage->ada, (struct shares_new){.messages = true}), STATUS_OK);
    assert_int_equal(content(stage, stage->top, NULL), STATUS_NOT_FOUND);
    assert_int_equal(make(stage, &stage->ada, (struct shares_new){.name = "x"}), STATUS_INVALID);
}

static void test_over_revoked_wrong(void **state)
{
    struct stage *stage = *state;
    struct shares_list list;
    assert_int_equal(
        make(stage, &stage->eve, (struct shares_new){.everything = true, .life_ms = 1000}),
        STATUS_OK);
    assert_int_equal(look(stage, NOW + 999, NULL), STATUS_OK);
    assert_int_equal(look(stage, NOW + 1000, NULL), STATUS_NOT_FOUND);
    assert_int_equal(look(stage, NOW, NULL), STATUS_OK);
    assert_int_equal(shares_all(stage->db, &stage->ada, NOW, stage->arena, &list), STATUS_OK);
    assert_int_equal(list.items.count, 1);
    const struct shares_share *listed_share = list.items.items;
    assert_int_equal(listed_share->views, 2);
    assert_null(listed_share->token);
    assert_int_equal(shares_remove(stage->db, &stage->eve, stage->share.id, NOW), STATUS_OK);
    assert_int_equal(look(stage, NOW, NULL), STATUS_NOT_FOUND);
    stage->share.token = "plv_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_int_equal(look(stage, NOW, NULL), STATUS_NOT_FOUND);
    stage->share.token = "";
    assert_int_equal(look(stage, NOW, NULL), STATUS_NOT_FOUND);
    /* Another's is revoked by an owner, not by an editor. */
    assert_int_equal(make(stage, &stage->ada, (struct shares_new){.everything = true}), STATUS_OK);
    assert_int_equal(shares_remove(stage->db, &stage->eve, stage->share.id, NOW), STATUS_DENIED);
    assert_int_equal(look(stage, NOW, NULL), STATUS_OK);
}

static void test_its_maker_must_still_be_allowed(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(make(stage, &stage->eve, (struct shares_new){.everything = true}), STATUS_OK);
    role_set(stage, "viewer");
    assert_int_equal(look(stage, NOW, NULL), STATUS_NOT_FOUND);
    assert_int_equal(content(stage, stage->top, NULL), STATUS_NOT_FOUND);
    struct shares_share kept = stage->share;
    assert_int_equal(make(stage, &stage->eve, (struct shares_new){.everything = true}),
                     STATUS_DENIED);
    stage->share = kept;
    role_set(stage, "editor");
    assert_int_equal(look(stage, NOW, NULL), STATUS_OK);
    /* The link policy of the space. */
    const struct spaces_change none = {.links = "none"}, viewer = {.links = "viewer"};
    struct spaces_space space;
    assert_int_equal(spaces_change(stage->db, &stage->ada, &none, NOW, stage->arena, &space),
                     STATUS_OK);
    assert_int_equal(look(stage, NOW, NULL), STATUS_NOT_FOUND);
    assert_int_equal(make(stage, &stage->ada, (struct shares_new){.everything = true}),
                     STATUS_DENIED);
    assert_int_equal(spaces_change(stage->db, &stage->ada, &viewer, NOW, stage->arena, &space),
                     STATUS_OK);
    assert_int_equal(look(stage, NOW, NULL), STATUS_OK);
    /* Who left. */
    assert_int_equal(spaces_remove(stage->db, &stage->eve, stage->eve.account, NOW), STATUS_OK);
    assert_int_equal(look(stage, NOW, NULL), STATUS_NOT_FOUND);
}

static enum status unlock(struct stage *stage, const char *password, int64_t now_ms,
                          struct shares_pass *ret_pass, uint32_t *ret_wait_s)
{
    const struct shares_key key = {
        .token = stage->share.token, .password = password, .peer = "192.0.2.1"};
    *ret_wait_s = 0;
    return shares_unlock(stage->db, stage->auth, &key, now_ms, stage->arena, ret_pass, ret_wait_s);
}

static void test_passwords(void **state)
{
    struct stage *stage = *state;
    struct shares_pass pass = {NULL, 0};
    uint32_t wait_s;
    assert_int_equal(
        make(stage, &stage->ada, (struct shares_new){.everything = true, .password = "short"}),
        STATUS_INVALID);
    assert_int_equal(
        make(stage, &stage->ada, (struct shares_new){.everything = true, .password = "a lake"}),
        STATUS_OK);
    assert_true(stage->share.locked);
    assert_int_equal(look(stage, NOW, NULL), STATUS_DENIED);
    assert_int_equal(look(stage, NOW, "1.2"), STATUS_DENIED);
    assert_int_equal(content(stage, stage->top, NULL), STATUS_DENIED);
    assert_int_equal(unlock(stage, "a hill", NOW, &pass, &wait_s), STATUS_DENIED);
    assert_int_equal(unlock(stage, "a lake", NOW, &pass, &wait_s), STATUS_OK);
    assert_int_equal(look(stage, NOW, pass.pass), STATUS_OK);
    assert_int_equal(content(stage, stage->top, pass.pass), STATUS_OK);
    assert_int_equal(look(stage, NOW + SHARES_PASS_MS, pass.pass), STATUS_DENIED);
    /* Longer than it is good for: the number is part of what is hashed. */
    char *longer = arena_strdup(stage->arena, pass.pass);
    longer[0]++;
    assert_int_equal(look(stage, NOW, longer), STATUS_DENIED);
    /* It opens no other one. */
    struct shares_share first = stage->share;
    assert_int_equal(
        make(stage, &stage->ada, (struct shares_new){.everything = true, .password = "a lake"}),
        STATUS_OK);
    assert_int_equal(look(stage, NOW, pass.pass), STATUS_DENIED);
    stage->share = first;
    /* Who tries on and on waits longer and longer, also with the right one. */
    enum status status = STATUS_DENIED;
    for (int i = 0; i < 20 && status == STATUS_DENIED; i++)
        status = unlock(stage, "a hill", NOW, &pass, &wait_s);
    assert_int_equal(status, STATUS_LIMIT);
    assert_true(wait_s > 0);
    assert_int_equal(unlock(stage, "a lake", NOW, &pass, &wait_s), STATUS_LIMIT);
    assert_int_equal(unlock(stage, "a lake", NOW + 3600000, &pass, &wait_s), STATUS_OK);
}

static void test_of_a_deleted_space(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(make(stage, &stage->ada, (struct shares_new){.everything = true}), STATUS_OK);
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, NOW), STATUS_OK);
    assert_int_equal(look(stage, NOW, NULL), STATUS_NOT_FOUND);
    assert_int_equal(files_purge(stage->db, stage->objects, stage->ada.space), STATUS_OK);
    assert_int_equal(look(stage, NOW, NULL), STATUS_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_exactly_what_was_chosen),
        TEST(test_everything_and_messages),
        TEST(test_over_revoked_wrong),
        TEST(test_its_maker_must_still_be_allowed),
        TEST(test_passwords),
        TEST(test_of_a_deleted_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
