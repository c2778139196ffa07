/*
 * Files of a space over a real database and real contents.
 */
#include "modules/spaces/files.h"
#include "modules/spaces/incoming.h"

#include "storage/vault/vault.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_MAX = 64 << 20 };
static const int64_t NOW = 1764000000000;

struct stage {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct objects *objects;
    struct arena *arena;
    struct spaces_who ada, eve, out; /* owner, viewer, not in it */
    struct files_file file;          /* of the last call */
};

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    scratch_make(stage->path);
    stage->db = scratch_db(stage->path, 1);
    assert_int_equal(objects_open(stage->db, stage->path, &stage->objects), STATUS_OK);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    const char *ada = people_add(stage->db, stage->arena, "ada");
    const struct spaces_new wish = {.account = ada, .name = "Lake"};
    struct spaces_space space;
    struct spaces_member member;
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &space), STATUS_OK);
    stage->ada = (struct spaces_who){space.id, ada};
    stage->eve = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "eve")};
    stage->out = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "out")};
    const struct spaces_invitee eve = {.account = stage->eve.account, .role = "viewer"};
    assert_int_equal(spaces_invite(stage->db, &stage->ada, &eve, NOW, stage->arena, &member),
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
    scratch_remove(stage->path);
    free(stage);
    return 0;
}

static enum status add(struct stage *stage, const struct spaces_who *who, struct files_new wish)
{
    return files_add(stage->db, stage->objects, who, &wish, NOW, stage->arena, &stage->file);
}

/* A file of this text; its id. */
static const char *text_add(struct stage *stage, const char *name, const char *text)
{
    const struct files_new wish = {
        .name = name, .type = "text/plain", .content = text, .length = strlen(text)};
    assert_int_equal(add(stage, &stage->ada, wish), STATUS_OK);
    return stage->file.id;
}

static enum status change(struct stage *stage, const struct spaces_who *who, const char *id,
                          struct files_change wish)
{
    return files_change(stage->db, who, id, &wish, NOW + 1, stage->arena, &stage->file);
}

static enum status away(struct stage *stage, const struct spaces_who *who, const char *id)
{
    return files_delete(stage->db, stage->objects, who, id, NOW + 2);
}

static size_t listed(struct stage *stage, const char *folder, bool deleted)
{
    const struct files_query query = {.folder = folder, .deleted = deleted};
    struct files_list list;
    assert_int_equal(files_list(stage->db, &stage->ada, &query, stage->arena, &list), STATUS_OK);
    return list.items.count;
}

static enum status content(struct stage *stage, const struct spaces_who *who, const char *id,
                           int64_t version, char ret_text[64])
{
    struct object *object = NULL;
    size_t got = 0;
    enum status status = files_open(stage->db, stage->objects, who, id, version, stage->arena,
                                    &stage->file, &object);
    if (status != STATUS_OK)
        return status;
    assert_int_equal(object_read(object, 0, ret_text, 63, &got), STATUS_OK);
    ret_text[got] = '\0';
    object_close(object);
    return STATUS_OK;
}

static int64_t used(struct stage *stage)
{
    struct objects_usage usage;
    assert_int_equal(objects_usage(stage->objects, 's', stage->ada.space, &usage), STATUS_OK);
    return usage.bytes;
}

static void test_contents_and_versions(void **state)
{
    struct stage *stage = *state;
    struct files_versions versions;
    char text[64];
    const char *id = text_add(stage, "\u4e0a\u6d77.txt", "one");
    assert_string_equal(stage->file.name, "\u4e0a\u6d77.txt");
    assert_int_equal(stage->file.version, 1);
    assert_int_equal(content(stage, &stage->eve, id, 0, text), STATUS_OK);
    assert_string_equal(text, "one");
    assert_int_equal(content(stage, &stage->out, id, 0, text), STATUS_NOT_FOUND);
    const struct files_new next = {.file = id, .content = "second", .length = 6};
    assert_int_equal(add(stage, &stage->eve, next), STATUS_DENIED);
    assert_int_equal(add(stage, &stage->ada, next), STATUS_OK);
    assert_int_equal(stage->file.version, 2);
    assert_int_equal(stage->file.size, 6);
    assert_string_equal(stage->file.type, "text/plain");
    assert_int_equal(content(stage, &stage->ada, id, 1, text), STATUS_OK);
    assert_string_equal(text, "one");
    assert_int_equal(content(stage, &stage->eve, id, 0, text), STATUS_OK);
    assert_string_equal(text, "second");
    assert_int_equal(content(stage, &stage->eve, id, 1, text), STATUS_DENIED);
    assert_int_equal(content(stage, &stage->ada, id, 3, text), STATUS_NOT_FOUND);
    assert_int_equal(files_versions(stage->db, &stage->ada, id, stage->arena, &versions),
                     STATUS_OK);
    assert_int_equal(versions.items.count, 2);
    assert_int_equal(used(stage), 9);
}

static void test_refused(void **state)
{
    struct stage *stage = *state;
    static const char *const names[] = {"", " ", ".", "..", "a/b", "a\nb"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(add(stage, &stage->ada, (struct files_new){.name = names[i]}),
                         STATUS_INVALID);
    static const char *const types[] = {"text", "/x", "text/", "text/html; charset=x", "a/b c"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(add(stage, &stage->ada, (struct files_new){.name = "a", .type = types[i]}),
                         STATUS_INVALID);
    const struct files_new lost = {.name = "a", .folder = "nowhere", .content = "x", .length = 1};
    assert_int_equal(add(stage, &stage->ada, lost), STATUS_NOT_FOUND);
    assert_int_equal(add(stage, &stage->eve, (struct files_new){.name = "a"}), STATUS_DENIED);
    assert_int_equal(add(stage, &stage->out, (struct files_new){.name = "a"}), STATUS_NOT_FOUND);
    assert_int_equal(used(stage), 0); /* and what was uploaded for them is gone */
}

static void test_folders(void **state)
{
    struct stage *stage = *state;
    const char *id = text_add(stage, "a", "x");
    assert_int_equal(add(stage, &stage->ada, (struct files_new){.name = "f", .is_folder = true}),
                     STATUS_OK);
    const char *outer = stage->file.id;
    const struct files_new wish = {.name = "g", .folder = outer, .is_folder = true};
    assert_int_equal(add(stage, &stage->ada, wish), STATUS_OK);
    const char *inner = stage->file.id;
    assert_int_equal(change(stage, &stage->ada, id, (struct files_change){.folder = inner}),
                     STATUS_OK);
    assert_int_equal(listed(stage, NULL, false), 1);
    assert_int_equal(listed(stage, inner, false), 1);
    assert_int_equal(change(stage, &stage->ada, outer, (struct files_change){.folder = inner}),
                     STATUS_INVALID);
    assert_int_equal(change(stage, &stage->ada, outer, (struct files_change){.folder = id}),
                     STATUS_NOT_FOUND); /* no folder */
    assert_int_equal(change(stage, &stage->eve, id, (struct files_change){.name = "b"}),
                     STATUS_DENIED);
    assert_int_equal(
        change(stage, &stage->ada, id, (struct files_change){.name = "b", .folder = ""}),
        STATUS_OK);
    assert_string_equal(stage->file.name, "b");
    assert_null(stage->file.folder);
    /* A folder with something in it goes for good only after that. */
    assert_int_equal(away(stage, &stage->ada, outer), STATUS_OK);
    assert_int_equal(away(stage, &stage->ada, outer), STATUS_EXISTS);
}

static void test_deleted_comes_back(void **state)
{
    struct stage *stage = *state;
    char text[64];
    const char *id = text_add(stage, "a", "one");
    assert_int_equal(away(stage, &stage->eve, id), STATUS_DENIED);
    assert_int_equal(away(stage, &stage->ada, id), STATUS_OK);
    assert_int_equal(content(stage, &stage->ada, id, 0, text), STATUS_NOT_FOUND);
    assert_int_equal(listed(stage, NULL, false), 0);
    assert_int_equal(listed(stage, NULL, true), 1);
    assert_int_equal(change(stage, &stage->ada, id, (struct files_change){.deleted = JSON_NO}),
                     STATUS_OK);
    assert_int_equal(content(stage, &stage->ada, id, 0, text), STATUS_OK);
    assert_string_equal(text, "one");
    assert_int_equal(away(stage, &stage->ada, id), STATUS_OK);
    assert_int_equal(away(stage, &stage->ada, id), STATUS_OK); /* for good */
    assert_int_equal(away(stage, &stage->ada, id), STATUS_NOT_FOUND);
    assert_int_equal(used(stage), 0);
}

static void test_deleted_space_leaves_nothing(void **state)
{
    struct stage *stage = *state;
    text_add(stage, "a", "one");
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, NOW), STATUS_OK);
    assert_int_equal(files_purge(stage->db, stage->objects, stage->ada.space), STATUS_OK);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM object WHERE id > ''"), 0);
    assert_int_equal(used(stage), 0);
}

/* The data as a backup has it: without keys/. */
static void backup(const char *path, const char *into)
{
    char command[3 * SCRATCH_PATH_MAX];
    snprintf(command, sizeof command, "cp -r %s/parley.db* %s/objects %s/", path, path, into);
    assert_int_equal(system(command), 0);
}

/* Neither what lies on the disk nor an older copy of all of it gives a deleted space's files. */
static void test_shredded_also_in_an_older_copy(void **state)
{
    struct stage *stage = *state;
    char older[SCRATCH_PATH_MAX], text[64];
    struct object *object = NULL;
    scratch_make(older);
    const char *id = text_add(stage, "a", "one");
    const struct spaces_new wish = {.account = stage->ada.account, .name = "Hill"};
    struct spaces_space hill;
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &hill), STATUS_OK);
    const struct spaces_who there = {hill.id, stage->ada.account};
    assert_int_equal(
        add(stage, &there, (struct files_new){.name = "b", .content = "two", .length = 3}),
        STATUS_OK);
    const char *kept = stage->file.id;
    assert_int_equal(content(stage, &stage->ada, id, 0, text), STATUS_OK);
    backup(stage->path, older);
    assert_int_equal(spaces_delete(stage->db, &stage->ada, 0, NOW), STATUS_OK);
    assert_int_equal(vault_reap(db_vault(stage->db), stage->db), STATUS_OK);
    /* The objects are still there: only their key is not. */
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM object WHERE id > ''"), 2);
    assert_int_equal(content(stage, &stage->ada, id, 0, text), STATUS_NOT_FOUND);
    objects_close(stage->objects);
    db_close(stage->db);
    /* All of the older copy comes back; the keys are those of today. */
    backup(older, stage->path);
    stage->db = scratch_db(stage->path, 1);
    assert_int_equal(objects_open(stage->db, stage->path, &stage->objects), STATUS_OK);
    assert_int_equal(scratch_count(stage->db, "SELECT count(*) FROM space_file WHERE id > ''"), 2);
    assert_int_equal(content(stage, &stage->ada, id, 0, text), STATUS_CLOSED);
    assert_int_equal(files_open(stage->db, stage->objects, &stage->ada, id, 0, stage->arena,
                                &stage->file, &object),
                     STATUS_CLOSED);
    assert_int_equal(content(stage, &there, kept, 0, text), STATUS_OK);
    assert_string_equal(text, "two");
    scratch_remove(older);
}

/* ---- piece by piece ---- */

static const char sixteen[] = "0123456789abcdef";

static enum status begin(struct stage *stage, const struct spaces_who *who, struct files_new wish,
                         struct incoming **ret_incoming)
{
    return incoming_begin(stage->db, stage->objects, who, &wish, NOW, ret_incoming);
}

static void role_set(struct stage *stage, const char *account, const char *role)
{
    struct spaces_member member;
    assert_int_equal(
        spaces_set_role(stage->db, &stage->ada, account, role, false, NOW, stage->arena, &member),
        STATUS_OK);
}

static void test_a_content_is_whole_or_not_there(void **state)
{
    struct stage *stage = *state;
    struct incoming *incoming = NULL;
    const struct files_new wish = {.name = "g", .length = 16};
    int64_t before = used(stage);
    size_t there = listed(stage, NULL, false);
    assert_int_equal(begin(stage, &stage->eve, wish, &incoming), STATUS_DENIED);
    assert_int_equal(begin(stage, &stage->out, wish, &incoming), STATUS_NOT_FOUND);
    assert_int_equal(begin(stage, &stage->ada, wish, &incoming), STATUS_OK);
    assert_int_equal(used(stage), before + 16);
    assert_int_equal(incoming_append(incoming, sixteen, 10), STATUS_OK);
    assert_int_equal(incoming_finish(incoming, NOW, stage->arena, &stage->file), STATUS_AGAIN);
    incoming_free(incoming); /* the client went */
    assert_int_equal(used(stage), before);
    assert_int_equal(listed(stage, NULL, false), there);
    uint8_t digest[CRYPTO_SHA256_BYTES] = {1};
    struct files_new wrong = wish;
    wrong.digest = digest;
    assert_int_equal(begin(stage, &stage->ada, wrong, &incoming), STATUS_OK);
    assert_int_equal(incoming_append(incoming, sixteen, 16), STATUS_OK);
    assert_int_equal(incoming_finish(incoming, NOW, stage->arena, &stage->file), STATUS_CORRUPT);
    incoming_free(incoming);
    assert_int_equal(used(stage), before);
    assert_int_equal(listed(stage, NULL, false), there);
    /* Whoever may not write any more when it is whole. */
    role_set(stage, stage->eve.account, "editor");
    assert_int_equal(begin(stage, &stage->eve, wish, &incoming), STATUS_OK);
    assert_int_equal(incoming_append(incoming, sixteen, 16), STATUS_OK);
    role_set(stage, stage->eve.account, "viewer");
    assert_int_equal(incoming_finish(incoming, NOW, stage->arena, &stage->file), STATUS_DENIED);
    incoming_free(incoming);
    assert_int_equal(used(stage), before);
}

static enum status upload_begin(struct stage *stage, const struct spaces_who *who,
                                struct uploads_upload *ret_upload)
{
    const struct files_new wish = {.name = "\u4e0a\u6d77", .type = "text/plain", .length = 16};
    return uploads_new(stage->db, stage->objects, who, &wish, NOW, stage->arena, ret_upload);
}

static enum status upload_get(struct stage *stage, const char *id,
                              struct uploads_upload *ret_upload)
{
    return uploads_get(stage->db, stage->ada.account, id, stage->arena, ret_upload);
}

static enum status go_on(struct stage *stage, const char *account, const char *id,
                         struct incoming **ret_incoming)
{
    return uploads_open(stage->db, stage->objects, account, id, ret_incoming);
}

static void test_uploads_are_gone_on_with(void **state)
{
    struct stage *stage = *state;
    struct incoming *incoming = NULL, *second = NULL;
    struct uploads_upload upload;
    char text[64];
    assert_int_equal(upload_begin(stage, &stage->eve, &upload), STATUS_DENIED);
    assert_int_equal(upload_begin(stage, &stage->ada, &upload), STATUS_OK);
    const char *id = upload.id;
    assert_true(upload.offset == 0 && upload.length == 16 && upload.file == NULL);
    assert_int_equal(go_on(stage, stage->eve.account, id, &incoming), STATUS_NOT_FOUND);
    assert_int_equal(go_on(stage, stage->ada.account, id, &incoming), STATUS_OK);
    assert_int_equal(go_on(stage, stage->ada.account, id, &second), STATUS_AGAIN);
    assert_int_equal(incoming_append(incoming, sixteen, 5), STATUS_OK);
    assert_int_equal(incoming_sync(incoming), STATUS_OK);
    assert_int_equal(incoming_append(incoming, "wrong", 5), STATUS_OK);
    incoming_free(incoming); /* back to what was synced */
    assert_int_equal(upload_get(stage, id, &upload), STATUS_OK);
    assert_int_equal(upload.offset, 5);
    assert_int_equal(go_on(stage, stage->ada.account, id, &incoming), STATUS_OK);
    assert_int_equal(incoming_offset(incoming), 5);
    assert_int_equal(incoming_append(incoming, sixteen + 5, 11), STATUS_OK);
    assert_int_equal(incoming_finish(incoming, NOW, stage->arena, &stage->file), STATUS_OK);
    incoming_free(incoming);
    assert_string_equal(stage->file.name, "\u4e0a\u6d77");
    assert_int_equal(content(stage, &stage->ada, stage->file.id, 0, text), STATUS_OK);
    assert_string_equal(text, sixteen);
    /* Whoever lost the last answer asks, and hears what it has become. */
    assert_int_equal(upload_get(stage, id, &upload), STATUS_OK);
    assert_string_equal(upload.file, stage->file.id);
    assert_int_equal(upload.offset, 16);
    assert_int_equal(go_on(stage, stage->ada.account, id, &incoming), STATUS_EXISTS);
    assert_int_equal(uploads_sweep(stage->db, stage->objects, NOW), STATUS_OK);
    assert_int_equal(upload_get(stage, id, &upload), STATUS_OK);
    assert_int_equal(uploads_sweep(stage->db, stage->objects, NOW + UPLOADS_LIFE_MS + 1),
                     STATUS_OK);
    assert_int_equal(upload_get(stage, id, &upload), STATUS_NOT_FOUND);
}

static void test_uploads_end(void **state)
{
    struct stage *stage = *state;
    struct uploads_upload upload;
    int64_t before = used(stage);
    assert_int_equal(upload_begin(stage, &stage->ada, &upload), STATUS_OK);
    assert_int_equal(uploads_cancel(stage->db, stage->objects, stage->eve.account, upload.id),
                     STATUS_NOT_FOUND);
    assert_int_equal(uploads_cancel(stage->db, stage->objects, stage->ada.account, upload.id),
                     STATUS_OK);
    assert_int_equal(uploads_cancel(stage->db, stage->objects, stage->ada.account, upload.id),
                     STATUS_NOT_FOUND);
    assert_int_equal(used(stage), before);
    objects_quotas(stage->objects, 15, OBJECTS_SPACE_MAX);
    assert_int_equal(upload_begin(stage, &stage->ada, &upload), STATUS_LIMIT);
}

static void test_an_earlier_version_comes_back(void **state)
{
    struct stage *stage = *state;
    struct files_versions versions;
    char text[64];
    const char *id = text_add(stage, "v", "one");
    assert_int_equal(
        add(stage, &stage->ada, (struct files_new){.file = id, .content = "second", .length = 6}),
        STATUS_OK);
    assert_int_equal(change(stage, &stage->ada, id, (struct files_change){.version = 7}),
                     STATUS_NOT_FOUND);
    assert_int_equal(change(stage, &stage->eve, id, (struct files_change){.version = 1}),
                     STATUS_DENIED);
    assert_int_equal(change(stage, &stage->ada, id, (struct files_change){.version = 1}),
                     STATUS_OK);
    assert_true(stage->file.version == 3 && stage->file.size == 3);
    assert_int_equal(content(stage, &stage->eve, id, 0, text), STATUS_OK);
    assert_string_equal(text, "one");
    assert_int_equal(content(stage, &stage->ada, id, 2, text), STATUS_OK);
    assert_string_equal(text, "second");
    assert_int_equal(files_versions(stage->db, &stage->ada, id, stage->arena, &versions),
                     STATUS_OK);
    assert_int_equal(versions.items.count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_contents_and_versions),
        TEST(test_refused),
        TEST(test_folders),
        TEST(test_deleted_comes_back),
        TEST(test_deleted_space_leaves_nothing),
        TEST(test_shredded_also_in_an_older_copy),
        TEST(test_a_content_is_whole_or_not_there),
        TEST(test_uploads_are_gone_on_with),
        TEST(test_uploads_end),
        TEST(test_an_earlier_version_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
