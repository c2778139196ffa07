/*
 * What people write and are called is in no file of the data directory: not in the database, its
 * log, an upload that is under way, or an object; nor is it after an older schema was migrated.
 */
#include "core/crypto.h"
#include "modules/auth/auth.h"
#include "modules/chat/chat.h"
#include "modules/meetings/polls.h"
#include "modules/meetings/registry.h"
#include "modules/spaces/drafts.h"
#include "modules/spaces/files.h"
#include "modules/spaces/guests.h"
#include "modules/spaces/incoming.h"
#include "modules/spaces/indexing.h"
#include "modules/spaces/links.h"
#include "modules/spaces/messages.h"
#include "modules/spaces/scheduled.h"
#include "modules/spaces/shares.h"
#include "storage/connection.h"
#include "storage/objects/objects.h"
#include "storage/vault/vault.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <ctype.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CANARY = 16, FILE_MAX = 16 << 20, ARENA_BYTES = 4 << 20 };
static const int64_t NOW = 1764000000000;

/* ---- looking ---- */

struct hunt {
    const char *canary;
    int files, found;
};

static struct hunt hunt; /* nftw has no argument for it */

/* As it is, as UTF-16, and as base64 of it would be seen. */
static bool bytes_have(const char *bytes, size_t length, const char *canary)
{
    char wide[2 * CANARY] = "", base64[3][CRYPTO_BASE64URL_SIZE(CANARY + 2)];
    for (size_t i = 0; i < CANARY; i++)
        wide[2 * i] = canary[i];
    bool found = memmem(bytes, length, canary, CANARY) || memmem(bytes, length, wide, sizeof wide);
    for (size_t shift = 0; shift < 3; shift++) {
        char shifted[CANARY + 2] = "";
        memcpy(shifted + shift, canary, CANARY);
        crypto_base64url(shifted, CANARY + shift, base64[shift]);
        found = found || memmem(bytes, length, base64[shift] + 4, CANARY) != NULL;
    }
    return found;
}

static int file_look(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)walk;
    if (kind != FTW_F)
        return 0;
    FILE *file = fopen(path, "re");
    char *bytes = malloc(FILE_MAX);
    assert_non_null(file);
    assert_non_null(bytes);
    size_t length = fread(bytes, 1, FILE_MAX, file);
    assert_in_range(length, 0, FILE_MAX - 1);
    fclose(file);
    hunt.files++;
    if (bytes_have(bytes, length, hunt.canary)) {
        hunt.found++;
        print_message("%s is in %s\n", hunt.canary, path);
    }
    free(bytes);
    return 0;
}

static int canary_count(const char *path, const char *canary)
{
    hunt = (struct hunt){.canary = canary};
    assert_int_equal(nftw(path, file_look, 8, FTW_PHYS), 0);
    assert_true(hunt.files > 2);
    return hunt.found;
}

/* ---- planting ---- */

struct planting {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct objects *objects;
    struct arena *arena;
    char canaries[64][CANARY + 1];
    size_t count;
};

/* A new one, not guessable from the outside of the test. */
static const char *canary(struct planting *planting)
{
    char *text = planting->canaries[planting->count++];
    char id[CRYPTO_ID_CHARS + 1];
    assert_true(planting->count <= sizeof planting->canaries / sizeof planting->canaries[0]);
    crypto_id(id);
    for (size_t i = 0; i < CANARY; i++) /* no - or _ : it passes where words do */
        text[i] = id[i] == '-' || id[i] == '_' ? 'x' : id[i];
    text[CANARY] = '\0';
    return text;
}

static void planting_open(struct planting *planting)
{
    planting->db = scratch_db(planting->path, 2);
    assert_int_equal(objects_open(planting->db, planting->path, &planting->objects), STATUS_OK);
    assert_int_equal(arena_new(ARENA_BYTES, &planting->arena), STATUS_OK);
}

static void planting_close(struct planting *planting)
{
    planting->arena = arena_free(planting->arena);
    planting->objects = objects_close(planting->objects);
    planting->db = db_close(planting->db);
}

static void look(struct planting *planting)
{
    for (size_t i = 0; i < planting->count; i++)
        assert_int_equal(canary_count(planting->path, planting->canaries[i]), 0);
}

static void meeting_plant(struct planting *planting, char participant[CRYPTO_ID_CHARS + 1])
{
    struct db *db = planting->db;
    struct registry_meeting meeting;
    struct registry_meeting_created made;
    struct registry_participant_created person;
    struct registry_meeting_new spec = {.id = "standup", .title = canary(planting)};
    assert_int_equal(registry_create(db, &spec, NOW, &made), STATUS_OK);
    struct registry_settings settings = {.title = canary(planting)};
    assert_int_equal(registry_update(db, "standup", &settings, NOW, planting->arena, &meeting),
                     STATUS_OK);
    assert_string_equal(meeting.title, settings.title);
    struct registry_participant_spec who = {
        .meeting = "standup", .name = canary(planting), .host_token = made.token};
    assert_int_equal(registry_participant_new(db, &who, NOW, &person), STATUS_OK);
    assert_int_equal(registry_participant_rename(db, "standup", person.id, canary(planting), NOW),
                     STATUS_OK);
    memcpy(participant, person.id, sizeof person.id);
}

static void chat_plant(struct planting *planting, const char *author)
{
    struct chat_message message;
    bool changed;
    for (int i = 0; i < 4; i++) {
        char nonce[24];
        snprintf(nonce, sizeof nonce, "n%d", i);
        struct chat_post post = {.meeting = "standup",
                                 .author = author,
                                 .author_name = canary(planting),
                                 .nonce = nonce,
                                 .text = canary(planting)};
        assert_int_equal(chat_send(planting->db, &post, NOW, planting->arena, &message, &changed),
                         STATUS_OK);
        assert_string_equal(message.text, post.text);
        struct chat_target target = {.meeting = "standup", .participant = author, .id = message.id};
        if (i % 2 == 0)
            assert_int_equal(chat_edit(planting->db, &target, canary(planting), NOW,
                                       planting->arena, &message, &changed),
                             STATUS_OK);
        if (i == 3)
            assert_int_equal(
                chat_delete(planting->db, &target, NOW, planting->arena, &message, &changed),
                STATUS_OK);
    }
}

static enum status adopt_run(struct db_session *session, void *arg)
{
    return object_adopt(session, arg, NOW);
}

/* One object, and one upload that waits with a full chunk and a tail. */
static void objects_plant(struct planting *planting)
{
    static char content[100000];
    const char *texts[] = {canary(planting), canary(planting)};
    for (size_t i = 0; i < 2; i++) {
        char id[CRYPTO_ID_CHARS + 1];
        struct upload *upload = NULL;
        struct upload_spec spec = {.owner = "ada", .length = (int64_t)(sizeof content + i)};
        memset(content, ' ', sizeof content);
        memcpy(content + 1000, texts[i], CANARY);
        memcpy(content + 90000, texts[i], CANARY);
        assert_int_equal(upload_new(planting->objects, &spec, NOW, id), STATUS_OK);
        assert_int_equal(upload_open(planting->objects, id, "ada", &upload), STATUS_OK);
        assert_int_equal(upload_append(upload, 0, content, sizeof content), STATUS_OK);
        assert_int_equal(upload_sync(upload), STATUS_OK);
        if (i == 0) {
            assert_int_equal(upload_finish(upload), STATUS_OK);
            assert_int_equal(db_write(planting->db, adopt_run, upload), STATUS_OK);
        }
        upload_close(upload);
    }
}

/* What is called and said in a space. */
struct inside {
    const char *space, *file, *text;
};

static enum status inside_run(struct db_session *session, void *arg)
{
    const struct inside *inside = arg;
    return indexing_file_text(session, inside->space, inside->file, inside->text);
}

static void space_plant(struct planting *planting)
{
    struct db *db = planting->db;
    struct arena *arena = planting->arena;
    struct spaces_space space;
    struct spaces_member member;
    struct messages_message message;
    struct files_file file;
    bool changed;
    const struct spaces_new wish = {.account = people_add(db, arena, canary(planting)),
                                    .name = canary(planting)};
    assert_int_equal(spaces_create(db, &wish, NOW, arena, &space), STATUS_OK);
    const struct spaces_who who = {space.id, wish.account};
    const struct spaces_mine mine = {.folder = canary(planting)};
    assert_int_equal(spaces_set_mine(db, &who, &mine, NOW, arena, &space), STATUS_OK);
    assert_string_equal(space.folder, mine.folder);
    char *name = planting->canaries[planting->count]; /* addresses are kept in small letters */
    const struct spaces_invitee invitee = {.email = arena_printf(arena, "%s@b.c", canary(planting)),
                                           .role = "viewer"};
    for (char *c = name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    assert_int_equal(spaces_invite(db, &who, &invitee, NOW, arena, &member), STATUS_OK);
    const struct messages_post post = {.text = canary(planting)};
    assert_int_equal(messages_add(db, &who, &post, NOW, arena, &message, &changed), STATUS_OK);
    const struct messages_change edit = {.text = canary(planting)};
    assert_int_equal(messages_change(db, &who, message.id, &edit, NOW, arena, &message), STATUS_OK);
    assert_string_equal(message.text, edit.text);
    const struct files_new content = {
        .name = canary(planting), .content = canary(planting), .length = CANARY};
    assert_int_equal(files_add(db, planting->objects, &who, &content, NOW, arena, &file),
                     STATUS_OK);
    struct inside inside = {space.id, file.id, canary(planting)};
    assert_int_equal(db_write(db, inside_run, &inside), STATUS_OK);
}

/* Who comes without an account, what is shown to strangers, and what is not said yet. */
static void beside_plant(struct planting *planting)
{
    struct db *db = planting->db;
    struct arena *arena = planting->arena;
    struct spaces_space space;
    struct spaces_link link;
    struct spaces_guest guest;
    struct messages_message message, said;
    struct shares_share share;
    struct scheduled_message later;
    bool changed;
    const struct spaces_new wish = {.account = people_add(db, arena, "Beside"),
                                    .name = canary(planting)};
    assert_int_equal(spaces_create(db, &wish, NOW, arena, &space), STATUS_OK);
    const struct spaces_who who = {space.id, wish.account};
    const struct spaces_link_new way = {.role = "viewer", .guests = true};
    assert_int_equal(spaces_link_add(db, &who, &way, NOW, arena, &link), STATUS_OK);
    assert_int_equal(guests_enter(db, link.token, canary(planting), NOW, arena, &guest), STATUS_OK);
    /* Their name is kept with what they write, too. */
    const struct spaces_who visitor = {space.id, guest.id};
    const struct messages_post post = {.text = canary(planting)};
    assert_int_equal(messages_add(db, &visitor, &post, NOW, arena, &said, &changed), STATUS_OK);
    assert_true(said.guest);
    assert_string_equal(said.author_name, guest.name);
    const struct shares_new shown = {
        .name = canary(planting), .messages = true, .password = canary(planting)};
    struct auth *auth;
    const struct auth_config config = {.db = db};
    assert_int_equal(auth_new(&config, &auth), STATUS_OK);
    assert_int_equal(shares_add(db, auth, &who, &shown, NOW, arena, &share), STATUS_OK);
    auth_free(auth);
    assert_int_equal(drafts_set(db, &who, NULL, canary(planting), NOW), STATUS_OK);
    assert_int_equal(drafts_set(db, &who, said.id, canary(planting), NOW), STATUS_OK);
    struct scheduled_wish then = {.text = canary(planting), .send_at = NOW + 60000};
    assert_int_equal(scheduled_add(db, &who, &then, NOW, arena, &later), STATUS_OK);
    const char *id = later.id;
    then.text = canary(planting);
    assert_int_equal(scheduled_change(db, &who, id, &then, NOW, arena, &later), STATUS_OK);
    assert_int_equal(scheduled_send(db, id, NOW + 60000, arena, &message, &changed), STATUS_OK);
    assert_true(changed);
    then.text = canary(planting);
    assert_int_equal(scheduled_add(db, &who, &then, NOW, arena, &later), STATUS_OK);
}

/* Names and contents of files, whatever happens to them. */
static void files_plant(struct planting *planting)
{
    struct db *db = planting->db;
    struct arena *arena = planting->arena;
    struct spaces_space space;
    struct files_file file, folder;
    struct uploads_upload upload;
    const struct spaces_new wish = {.account = people_add(db, arena, "Files"), .name = "Files"};
    assert_int_equal(spaces_create(db, &wish, NOW, arena, &space), STATUS_OK);
    const struct spaces_who who = {space.id, wish.account};
    const struct files_new box = {.name = canary(planting), .is_folder = true};
    assert_int_equal(files_add(db, planting->objects, &who, &box, NOW, arena, &folder), STATUS_OK);
    const struct files_new first = {.name = canary(planting),
                                    .folder = folder.id,
                                    .type = "text/plain",
                                    .content = canary(planting),
                                    .length = CANARY};
    assert_int_equal(files_add(db, planting->objects, &who, &first, NOW, arena, &file), STATUS_OK);
    const struct files_new next = {
        .name = first.name, .file = file.id, .content = canary(planting), .length = CANARY};
    assert_int_equal(files_add(db, planting->objects, &who, &next, NOW, arena, &file), STATUS_OK);
    assert_int_equal(file.version, 2);
    const struct files_change renamed = {.name = canary(planting)};
    assert_int_equal(files_change(db, &who, file.id, &renamed, NOW, arena, &file), STATUS_OK);
    assert_string_equal(file.name, renamed.name);
    assert_int_equal(files_delete(db, planting->objects, &who, file.id, NOW), STATUS_OK);
    /* On its way: the name, and the bytes that have come. */
    const struct files_new coming = {.name = canary(planting), .length = 2 * CANARY};
    struct incoming *incoming;
    assert_int_equal(uploads_new(db, planting->objects, &who, &coming, NOW, arena, &upload),
                     STATUS_OK);
    assert_int_equal(uploads_open(db, planting->objects, who.account, upload.id, &incoming),
                     STATUS_OK);
    assert_int_equal(incoming_append(incoming, canary(planting), CANARY), STATUS_OK);
    assert_int_equal(incoming_sync(incoming), STATUS_OK);
    incoming_free(incoming);
}

static void poll_plant(struct planting *planting)
{
    struct poll poll;
    const char *options[] = {canary(planting), canary(planting)};
    const struct poll_new wish = {.meeting = "standup",
                                  .question = canary(planting),
                                  .options = {.items = options, .count = 2}};
    assert_int_equal(polls_open(planting->db, &wish, NOW, planting->arena, &poll), STATUS_OK);
    assert_string_equal(poll.question, wish.question);
}

/* What one is, and signs in with. */
static void account_plant(struct planting *planting)
{
    struct auth *auth;
    struct auth_user user;
    struct auth_fault fault = {NULL};
    struct auth_signed_in in;
    uint32_t wait;
    const struct auth_config config = {.db = planting->db};
    char *local = planting->canaries[planting->count];
    const char *email = arena_printf(planting->arena, "%s@b.c", canary(planting));
    for (char *c = local; *c != '\0'; c++) /* as it is kept */
        *c = (char)tolower((unsigned char)*c);
    assert_int_equal(auth_new(&config, &auth), STATUS_OK);
    const struct auth_user_new wish = {
        .email = email, .name = canary(planting), .password = canary(planting)};
    assert_int_equal(auth_user_add(auth, &wish, NOW, planting->arena, &user, &fault), STATUS_OK);
    const struct auth_change change = {.zone = canary(planting)};
    assert_int_equal(auth_user_change(auth, user.id, &change, NOW, planting->arena, &user, &fault),
                     STATUS_OK);
    assert_string_equal(user.zone, change.zone);
    const struct auth_login login = {.email = email,
                                     .password = wish.password,
                                     .device = canary(planting),
                                     .address = canary(planting)};
    assert_int_equal(auth_sign_in(auth, &login, NOW, planting->arena, &in, &wait), STATUS_OK);
    auth_free(auth);
}

static void test_planted_is_not_found(void **state)
{
    (void)state;
    struct planting planting = {0};
    char participant[CRYPTO_ID_CHARS + 1];
    scratch_make(planting.path);
    planting_open(&planting);
    meeting_plant(&planting, participant);
    chat_plant(&planting, participant);
    objects_plant(&planting);
    space_plant(&planting);
    beside_plant(&planting);
    files_plant(&planting);
    poll_plant(&planting);
    account_plant(&planting);
    assert_true(planting.count >= 50);
    look(&planting); /* with the log beside the database */
    /* The look sees what is there: ids are not sealed. */
    assert_true(canary_count(planting.path, participant) > 0);
    planting_close(&planting);
    look(&planting);
    scratch_remove(planting.path);
}

/* ---- what was there before there were keys ---- */

static void test_migrated_is_not_found(void **state)
{
    (void)state;
    static const char *const texts[] = {"title-title-titl", "name-name-name-n", "said-said-said-s",
                                        "text-text-text-t", "helo-helo-helo-h"};
    char path[SCRATCH_PATH_MAX], schema[512], *sql = calloc(1, FILE_MAX);
    struct db_session *session = NULL;
    scratch_make(path);
    snprintf(schema, sizeof schema, "%s/schema/004.sql", TEST_VECTORS);
    FILE *file = fopen(schema, "re");
    assert_non_null(file);
    assert_non_null(sql);
    assert_in_range(fread(sql, 1, FILE_MAX - 1, file), 1, FILE_MAX - 2);
    fclose(file);
    assert_int_equal(connection_open(scratch_file(path, "parley.db"), CONNECTION_WRITER, &session),
                     STATUS_OK);
    assert_int_equal(connection_exec(session, sql), STATUS_OK);
    assert_int_equal(connection_exec(session, "UPDATE meeting SET title = 'title-title-titl';"
                                              "UPDATE participant SET name = 'name-name-name-n';"
                                              "UPDATE message SET author_name = 'said-said-said-s',"
                                              " text = 'text-text-text-t';"
                                              "UPDATE message_edit SET text = 'helo-helo-helo-h'"),
                     STATUS_OK);
    connection_close(session);
    free(sql);
    struct db *db = scratch_db(path, 1);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(canary_count(path, texts[i]), 0);
    db_close(db);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(canary_count(path, texts[i]), 0);
    scratch_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_is_not_found),
        cmocka_unit_test(test_migrated_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
