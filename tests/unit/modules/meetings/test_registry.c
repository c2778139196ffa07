#include "modules/meetings/registry.h"
#include "modules/meetings/registry_pin.h"

#include "storage/event.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 1 << 20 };
static const int64_t NOW = 1764000000000;

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
    struct registry_meeting_created meeting; /* its host token */
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    scratch_make(fixture->path);
    fixture->db = scratch_db(fixture->path, 1);
    assert_int_equal(arena_new(ARENA_BYTES, &fixture->arena), STATUS_OK);
    struct registry_meeting_new meeting = {.id = "standup", .title = "Daily"};
    assert_int_equal(registry_create(fixture->db, &meeting, NOW, &fixture->meeting), STATUS_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    db_close(fixture->db);
    scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    db_close(fixture->db);
    fixture->db = scratch_db(fixture->path, 1);
}

static struct registry_participant_created join(struct fixture *fixture, const char *name,
                                                enum registry_role role)
{
    struct registry_participant_spec spec = {
        .meeting = "standup", .name = name, .role = role, .admitted = true};
    struct registry_participant_created created;
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &created), STATUS_OK);
    return created;
}

static struct registry_participant by_token(struct fixture *fixture, const char *token)
{
    struct registry_participant participant = {0};
    assert_int_equal(
        registry_participant_by_token(fixture->db, "standup", token, fixture->arena, &participant),
        STATUS_OK);
    return participant;
}

/* The types of the meeting's events, in order, with spaces between. */
static const char *events(struct fixture *fixture)
{
    struct event_list list;
    char *text = arena_strdup(fixture->arena, "");
    assert_int_equal(event_list(fixture->db, "standup", 0, fixture->arena, &list), STATUS_OK);
    for (size_t i = 0; i < list.count; i++)
        text = arena_printf(fixture->arena, "%s%s%s", text, i ? " " : "", list.items[i].type);
    assert_non_null(text);
    return text;
}

/* ---- meetings ---- */

static void test_create_and_find(void **state)
{
    struct fixture *fixture = *state;
    struct registry_meeting_new wish = {.title = "\u4e0a\u6d77", .lobby = true};
    struct registry_meeting_created created;
    struct registry_meeting meeting;
    assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_OK);
    assert_int_equal(strlen(created.id), CRYPTO_ID_CHARS);
    assert_int_equal(strlen(created.token), CRYPTO_TOKEN_CHARS);
    reopen(fixture);
    assert_int_equal(registry_find(fixture->db, created.id, fixture->arena, &meeting), STATUS_OK);
    assert_string_equal(meeting.id, created.id);
    assert_string_equal(meeting.title, "\u4e0a\u6d77");
    assert_true(meeting.lobby);
    assert_false(meeting.locked);
    assert_int_equal(meeting.created, NOW);
    assert_int_equal(meeting.ended, 0);
    assert_int_equal(registry_find(fixture->db, "nowhere", fixture->arena, &meeting),
                     STATUS_NOT_FOUND);
    assert_int_equal(registry_find(fixture->db, "../../etc", fixture->arena, &meeting),
                     STATUS_NOT_FOUND);
}

static void test_ids_and_titles(void **state)
{
    struct fixture *fixture = *state;
    struct registry_meeting_created created;
    char id[REGISTRY_ID_MAX + 2], title[REGISTRY_TITLE_MAX + 2];
    memset(id, 'x', sizeof id);
    memset(title, 't', sizeof title);
    id[REGISTRY_ID_MAX + 1] = title[REGISTRY_TITLE_MAX + 1] = '\0';
    struct registry_meeting_new wish = {.id = id};
    assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_INVALID);
    id[REGISTRY_ID_MAX] = '\0';
    assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_OK);
    assert_string_equal(created.id, id);
    assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_EXISTS);
    static const char *const bad[] = {"", "a b", "a/b", "a.b", "\u4e0a", "a\n", "a%"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wish = (struct registry_meeting_new){.id = bad[i]};
        assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_INVALID);
    }
    wish = (struct registry_meeting_new){.title = title};
    assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_INVALID);
    title[REGISTRY_TITLE_MAX] = '\0';
    assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_OK);
    wish.title = "two\nlines";
    assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_INVALID);
}

static void test_update(void **state)
{
    struct fixture *fixture = *state;
    struct registry_settings settings = {.locked = JSON_YES};
    struct registry_meeting meeting;
    assert_int_equal(
        registry_update(fixture->db, "standup", &settings, NOW, fixture->arena, &meeting),
        STATUS_OK);
    assert_true(meeting.locked);
    assert_false(meeting.lobby);
    assert_string_equal(meeting.title, "Daily");
    settings = (struct registry_settings){.locked = JSON_NO, .lobby = JSON_YES, .title = "Weekly"};
    assert_int_equal(
        registry_update(fixture->db, "standup", &settings, NOW, fixture->arena, &meeting),
        STATUS_OK);
    assert_int_equal(registry_find(fixture->db, "standup", fixture->arena, &meeting), STATUS_OK);
    assert_false(meeting.locked);
    assert_true(meeting.lobby);
    assert_string_equal(meeting.title, "Weekly");
    settings.title = "\x1b[31m";
    assert_int_equal(
        registry_update(fixture->db, "standup", &settings, NOW, fixture->arena, &meeting),
        STATUS_INVALID);
    settings.title = NULL;
    assert_int_equal(
        registry_update(fixture->db, "nowhere", &settings, NOW, fixture->arena, &meeting),
        STATUS_NOT_FOUND);
    assert_string_equal(events(fixture), "meeting.created meeting.updated meeting.updated");
}

static void test_end(void **state)
{
    struct fixture *fixture = *state;
    struct registry_meeting meeting;
    struct registry_settings settings = {.locked = JSON_YES};
    struct registry_participant_spec spec = {.meeting = "standup", .name = "Ada"};
    struct registry_participant_created created;
    assert_int_equal(registry_end(fixture->db, "standup", NOW + 5), STATUS_OK);
    assert_int_equal(registry_end(fixture->db, "standup", NOW + 6), STATUS_NOT_FOUND);
    assert_int_equal(registry_end(fixture->db, "nowhere", NOW), STATUS_NOT_FOUND);
    assert_int_equal(registry_find(fixture->db, "standup", fixture->arena, &meeting), STATUS_OK);
    assert_int_equal(meeting.ended, NOW + 5);
    assert_int_equal(
        registry_update(fixture->db, "standup", &settings, NOW, fixture->arena, &meeting),
        STATUS_NOT_FOUND);
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &created), STATUS_CLOSED);
    assert_string_equal(events(fixture), "meeting.created meeting.ended");
}

static void test_host_token(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_spec spec = {.meeting = "standup", .name = "Ada"};
    struct registry_participant_created created;
    assert_int_equal(registry_host_check(fixture->db, "standup", fixture->meeting.token),
                     STATUS_OK);
    assert_int_equal(registry_host_check(fixture->db, "standup", "guess"), STATUS_DENIED);
    assert_int_equal(registry_host_check(fixture->db, "standup", NULL), STATUS_DENIED);
    assert_int_equal(registry_host_check(fixture->db, "nowhere", fixture->meeting.token),
                     STATUS_NOT_FOUND);
    spec.host_token = "guess";
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &created), STATUS_DENIED);
    spec.host_token = fixture->meeting.token;
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &created), STATUS_OK);
    assert_int_equal(created.role, REGISTRY_HOST);
    assert_true(created.admitted);
    assert_int_equal(by_token(fixture, created.token).role, REGISTRY_HOST);
}

/* ---- participants ---- */

static void test_join_and_return(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_spec spec = {
        .meeting = "standup", .name = "Bob", .role = REGISTRY_COHOST, .kind = REGISTRY_WHIP};
    struct registry_participant_created created;
    struct registry_participant nobody;
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &created), STATUS_OK);
    reopen(fixture);
    struct registry_participant bob = by_token(fixture, created.token);
    assert_string_equal(bob.id, created.id);
    assert_string_equal(bob.name, "Bob");
    assert_int_equal(bob.role, REGISTRY_COHOST);
    assert_int_equal(bob.kind, REGISTRY_WHIP);
    assert_false(bob.admitted);
    assert_false(bob.removed);
    assert_int_equal(bob.created, NOW);
    /* Another meeting's token opens nothing here; nor does the id. */
    struct registry_meeting_new other = {.id = "other"};
    struct registry_meeting_created other_created;
    assert_int_equal(registry_create(fixture->db, &other, NOW, &other_created), STATUS_OK);
    assert_int_equal(
        registry_participant_by_token(fixture->db, "other", created.token, fixture->arena, &nobody),
        STATUS_NOT_FOUND);
    assert_int_equal(
        registry_participant_by_token(fixture->db, "standup", created.id, fixture->arena, &nobody),
        STATUS_NOT_FOUND);
    assert_int_equal(
        registry_participant_by_token(fixture->db, "standup", NULL, fixture->arena, &nobody),
        STATUS_NOT_FOUND);
    spec.meeting = "nowhere";
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &created), STATUS_NOT_FOUND);
}

static void test_names(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_created ada = join(fixture, "Ada", REGISTRY_PARTICIPANT);
    static const char *const bad[] = {"",
                                      " ",
                                      "\u3000\u200b",
                                      "a\nb",
                                      "\xff",
                                      "\u202e"
                                      "adA"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct registry_participant_spec spec = {.meeting = "standup", .name = bad[i]};
        struct registry_participant_created created;
        assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &created),
                         STATUS_INVALID);
        assert_int_equal(registry_participant_rename(fixture->db, "standup", ada.id, bad[i], NOW),
                         STATUS_INVALID);
    }
    assert_int_equal(
        registry_participant_rename(fixture->db, "standup", ada.id, "\u5c0f\u660e", NOW),
        STATUS_OK);
    assert_string_equal(by_token(fixture, ada.token).name, "\u5c0f\u660e");
    assert_int_equal(registry_participant_rename(fixture->db, "standup", "nobody", "Eve", NOW),
                     STATUS_NOT_FOUND);
    assert_int_equal(registry_participant_rename(fixture->db, "other", ada.id, "Eve", NOW),
                     STATUS_NOT_FOUND);
}

static void test_changes_that_change_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_created ada = join(fixture, "Ada", REGISTRY_PARTICIPANT);
    const char *before = events(fixture);
    assert_int_equal(registry_participant_rename(fixture->db, "standup", ada.id, "Ada", NOW),
                     STATUS_OK);
    assert_int_equal(registry_participant_admit(fixture->db, "standup", ada.id, NOW), STATUS_OK);
    assert_int_equal(
        registry_participant_role(fixture->db, "standup", ada.id, REGISTRY_PARTICIPANT, NOW),
        STATUS_OK);
    assert_string_equal(events(fixture), before);
}

static void test_admission_and_roles(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_spec spec = {.meeting = "standup", .name = "Bob"};
    struct registry_participant_created bob;
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &bob), STATUS_OK);
    assert_int_equal(registry_participant_admit(fixture->db, "standup", bob.id, NOW), STATUS_OK);
    assert_int_equal(
        registry_participant_role(fixture->db, "standup", bob.id, REGISTRY_COHOST, NOW), STATUS_OK);
    assert_true(by_token(fixture, bob.token).admitted);
    assert_int_equal(by_token(fixture, bob.token).role, REGISTRY_COHOST);
    assert_string_equal(events(fixture), "meeting.created participant.joined participant.updated"
                                         " participant.updated");
}

static void test_removed_token_is_dead(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_created bob = join(fixture, "Bob", REGISTRY_COHOST);
    assert_int_equal(registry_participant_remove(fixture->db, "standup", bob.id, NOW), STATUS_OK);
    assert_true(by_token(fixture, bob.token).removed);
    assert_int_equal(registry_participant_remove(fixture->db, "standup", bob.id, NOW), STATUS_OK);
    assert_int_equal(registry_participant_remove(fixture->db, "standup", "nobody", NOW),
                     STATUS_NOT_FOUND);
    assert_int_equal(registry_participant_rename(fixture->db, "standup", bob.id, "Eve", NOW),
                     STATUS_NOT_FOUND);
    assert_int_equal(registry_participant_admit(fixture->db, "standup", bob.id, NOW),
                     STATUS_NOT_FOUND);
    assert_int_equal(registry_participant_role(fixture->db, "standup", bob.id, REGISTRY_HOST, NOW),
                     STATUS_NOT_FOUND);
    assert_string_equal(events(fixture), "meeting.created participant.joined participant.removed");
}

static void test_hand_over(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_created ada = join(fixture, "Ada", REGISTRY_HOST);
    struct registry_participant_created bob = join(fixture, "Bob", REGISTRY_PARTICIPANT);
    assert_int_equal(registry_hand_over(fixture->db, "standup", bob.id, ada.id, NOW),
                     STATUS_DENIED);
    assert_int_equal(registry_hand_over(fixture->db, "standup", ada.id, "nobody", NOW),
                     STATUS_NOT_FOUND);
    assert_int_equal(by_token(fixture, ada.token).role, REGISTRY_HOST);
    assert_int_equal(registry_hand_over(fixture->db, "standup", ada.id, ada.id, NOW), STATUS_OK);
    assert_int_equal(by_token(fixture, ada.token).role, REGISTRY_HOST);
    assert_int_equal(registry_hand_over(fixture->db, "standup", ada.id, bob.id, NOW), STATUS_OK);
    assert_int_equal(by_token(fixture, ada.token).role, REGISTRY_COHOST);
    assert_int_equal(by_token(fixture, bob.token).role, REGISTRY_HOST);
}

struct membership {
    const char *meeting, *participant;
    enum registry_role role;
};

static enum status member_run(struct db_session *session, void *arg)
{
    struct membership *member = arg;
    return registry_member(session, member->meeting, member->participant, &member->role);
}

static void test_member(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_spec spec = {.meeting = "standup", .name = "Eve"};
    struct registry_participant_created waiting, bob = join(fixture, "Bob", REGISTRY_COHOST);
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &waiting), STATUS_OK);
    struct membership member = {.meeting = "standup", .participant = bob.id};
    assert_int_equal(db_read(fixture->db, member_run, &member), STATUS_OK);
    assert_int_equal(member.role, REGISTRY_COHOST);
    member.participant = waiting.id;
    assert_int_equal(db_read(fixture->db, member_run, &member), STATUS_DENIED);
    member.participant = "nobody";
    assert_int_equal(db_read(fixture->db, member_run, &member), STATUS_DENIED);
    member = (struct membership){.meeting = "nowhere", .participant = bob.id};
    assert_int_equal(db_read(fixture->db, member_run, &member), STATUS_NOT_FOUND);
    member.meeting = "standup";
    assert_int_equal(registry_participant_remove(fixture->db, "standup", bob.id, NOW), STATUS_OK);
    assert_int_equal(db_read(fixture->db, member_run, &member), STATUS_DENIED);
    assert_int_equal(registry_end(fixture->db, "standup", NOW), STATUS_OK);
    assert_int_equal(db_read(fixture->db, member_run, &member), STATUS_NOT_FOUND);
}

static void test_role_names(void **state)
{
    (void)state;
    enum registry_role role = REGISTRY_COHOST;
    assert_false(registry_role_of("owner", &role));
    assert_false(registry_role_of(NULL, &role));
    assert_int_equal(role, REGISTRY_COHOST);
    assert_true(registry_role_of("host", &role));
    assert_int_equal(role, REGISTRY_HOST);
    assert_string_equal(registry_role_name(REGISTRY_PARTICIPANT), "participant");
    assert_string_equal(registry_kind_name(REGISTRY_PHONE), "phone");
}

/* Nobody who reads the files gets in: no token stands in them. */
static void test_no_token_on_disk(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_created bob = join(fixture, "Bob", REGISTRY_PARTICIPANT);
    static const char *const names[] = {"parley.db", "parley.db-wal"};
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(scratch_file(fixture->path, names[i]), "re");
        assert_non_null(file);
        char *bytes = calloc(1, ARENA_BYTES);
        assert_non_null(bytes);
        size_t length = fread(bytes, 1, ARENA_BYTES, file);
        fclose(file);
        assert_null(memmem(bytes, length, bob.token, strlen(bob.token)));
        assert_null(memmem(bytes, length, fixture->meeting.token, CRYPTO_TOKEN_CHARS));
        if (i == 1)
            assert_non_null(memmem(bytes, length, bob.id, strlen(bob.id)));
        free(bytes);
    }
}

static void test_small_arenas(void **state)
{
    struct fixture *fixture = *state;
    struct registry_participant_created bob = join(fixture, "Bob", REGISTRY_PARTICIPANT);
    enum status found = STATUS_NO_MEMORY, known = STATUS_NO_MEMORY;
    for (size_t limit = 1; found != STATUS_OK || known != STATUS_OK; limit++) {
        struct arena *arena = NULL;
        struct registry_meeting meeting;
        struct registry_participant participant;
        assert_int_equal(arena_new(limit, &arena), STATUS_OK);
        found = registry_find(fixture->db, "standup", arena, &meeting);
        arena_reset(arena);
        known =
            registry_participant_by_token(fixture->db, "standup", bob.token, arena, &participant);
        assert_true(found == STATUS_OK || found == STATUS_NO_MEMORY);
        assert_true(known == STATUS_OK || known == STATUS_NO_MEMORY);
        arena_free(arena);
    }
}

static void test_plans(void **state)
{
    struct fixture *fixture = *state;
    struct registry_meeting meeting;
    struct registry_settings settings = {.lobby = JSON_YES};
    struct registry_participant_created ada = join(fixture, "Ada", REGISTRY_HOST);
    struct registry_participant_created bob = join(fixture, "Bob", REGISTRY_PARTICIPANT);
    assert_int_equal(registry_host_check(fixture->db, "standup", "x"), STATUS_DENIED);
    assert_int_equal(registry_find(fixture->db, "standup", fixture->arena, &meeting), STATUS_OK);
    assert_int_equal(
        registry_update(fixture->db, "standup", &settings, NOW, fixture->arena, &meeting),
        STATUS_OK);
    assert_int_equal(registry_participant_rename(fixture->db, "standup", bob.id, "Rob", NOW),
                     STATUS_OK);
    assert_int_equal(registry_participant_admit(fixture->db, "standup", bob.id, NOW), STATUS_OK);
    assert_int_equal(registry_hand_over(fixture->db, "standup", ada.id, bob.id, NOW), STATUS_OK);
    assert_true(by_token(fixture, bob.token).admitted);
    assert_int_equal(registry_participant_remove(fixture->db, "standup", bob.id, NOW), STATUS_OK);
    assert_int_equal(registry_end(fixture->db, "standup", NOW), STATUS_OK);
    scratch_no_scans(fixture->db);
}

/* One PIN for ever, by which the meeting is found until it ends; not in the database as it is. */
static void test_pin_chosen(void **state)
{
    struct fixture *fixture = *state;
    static const char *const weak[] = {
        "12345",  "123456",   "987654",   "111111",   "121212", "123123", "112211",
        "135791", "19841224", "24121984", "00112200", "12345a", "",       "48151623421234567",
        "123321"};
    struct registry_meeting_created other;
    const struct registry_meeting_new wish = {.id = "other"};
    struct registry_meeting found;
    const char *pin;
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        assert_false(registry_pin_fit(weak[i]));
        if (weak[i][0] != '\0')
            assert_int_equal(registry_pin_set(fixture->db, "standup", weak[i], NOW),
                             STATUS_INVALID);
    }
    assert_int_equal(registry_create(fixture->db, &wish, NOW, &other), STATUS_OK);
    assert_int_equal(registry_pin_set(fixture->db, "standup", "481516", NOW), STATUS_OK);
    assert_int_equal(registry_pin(fixture->db, "standup", fixture->arena, &pin), STATUS_OK);
    assert_string_equal(pin, "481516");
    assert_int_equal(registry_find_by_pin(fixture->db, "481516", fixture->arena, &found),
                     STATUS_OK);
    assert_string_equal(found.id, "standup");
    assert_int_equal(registry_pin_set(fixture->db, "other", "481516", NOW), STATUS_EXISTS);
    assert_int_equal(registry_pin_set(fixture->db, "nowhere", "481517", NOW), STATUS_NOT_FOUND);
    /* Back to one that is made; the chosen one is free. */
    assert_int_equal(registry_pin_set(fixture->db, "standup", "", NOW), STATUS_OK);
    assert_int_equal(registry_pin(fixture->db, "standup", fixture->arena, &pin), STATUS_OK);
    assert_int_equal(strlen(pin), REGISTRY_PIN_DIGITS);
    assert_int_equal(registry_find_by_pin(fixture->db, "481516", fixture->arena, &found),
                     STATUS_NOT_FOUND);
    assert_int_equal(registry_pin_set(fixture->db, "other", "481516", NOW), STATUS_OK);
}

static void test_pin(void **state)
{
    struct fixture *fixture = *state;
    struct registry_meeting found;
    const char *pin, *again;
    assert_int_equal(registry_pin(fixture->db, "standup", fixture->arena, &pin), STATUS_OK);
    assert_int_equal(strlen(pin), REGISTRY_PIN_DIGITS);
    assert_int_equal(strspn(pin, "0123456789"), REGISTRY_PIN_DIGITS);
    reopen(fixture);
    assert_int_equal(registry_pin(fixture->db, "standup", fixture->arena, &again), STATUS_OK);
    assert_string_equal(pin, again);
    assert_int_equal(registry_find_by_pin(fixture->db, pin, fixture->arena, &found), STATUS_OK);
    assert_string_equal(found.id, "standup");
    assert_int_equal(registry_find_by_pin(fixture->db, "123", fixture->arena, &found),
                     STATUS_NOT_FOUND);
    assert_int_equal(registry_pin(fixture->db, "nowhere", fixture->arena, &pin), STATUS_NOT_FOUND);
    assert_int_equal(registry_end(fixture->db, "standup", NOW), STATUS_OK);
    assert_int_equal(registry_find_by_pin(fixture->db, again, fixture->arena, &found),
                     STATUS_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_find),
        TEST(test_ids_and_titles),
        TEST(test_update),
        TEST(test_end),
        TEST(test_host_token),
        TEST(test_join_and_return),
        TEST(test_names),
        TEST(test_changes_that_change_nothing),
        TEST(test_admission_and_roles),
        TEST(test_removed_token_is_dead),
        TEST(test_hand_over),
        TEST(test_member),
        TEST(test_role_names),
        TEST(test_no_token_on_disk),
        TEST(test_small_arenas),
        TEST(test_plans),
        TEST(test_pin),
        TEST(test_pin_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
