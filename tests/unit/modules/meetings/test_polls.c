/*
 * Polls in the database: one open at a time, one choice a voter that may change, anonymity.
 */
#include "modules/meetings/polls.h"

#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW = 1764000000000;
static const char *answers[] = {"Tea", "Coffee", "Water"};

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
    struct registry_participant_created ann, bob, waiting;
};

static struct registry_participant_created person(struct fixture *fixture, const char *name,
                                                  bool admitted)
{
    struct registry_participant_created created;
    const struct registry_participant_spec spec = {
        .meeting = "standup", .name = name, .admitted = admitted};
    assert_int_equal(registry_participant_new(fixture->db, &spec, NOW, &created), STATUS_OK);
    return created;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct registry_meeting_created created;
    const struct registry_meeting_new meeting = {.id = "standup"};
    assert_non_null(fixture);
    scratch_make(fixture->path);
    fixture->db = scratch_db(fixture->path, 1);
    assert_int_equal(arena_new(8 << 20, &fixture->arena), STATUS_OK);
    assert_int_equal(registry_create(fixture->db, &meeting, NOW, &created), STATUS_OK);
    fixture->ann = person(fixture, "Ann", true);
    fixture->bob = person(fixture, "Bob", true);
    fixture->waiting = person(fixture, "Eve", false);
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

static enum status make(struct fixture *fixture, bool anonymous, struct poll *ret_poll)
{
    const struct poll_new poll = {.meeting = "standup",
                                  .question = "What do you drink?",
                                  .options = {.items = answers, .count = 3},
                                  .anonymous = anonymous};
    return polls_open(fixture->db, &poll, NOW, fixture->arena, ret_poll);
}

static enum status vote(struct fixture *fixture, const char *who, int64_t choice,
                        struct poll *ret_poll)
{
    const struct poll_vote ballot = {.meeting = "standup", .participant = who, .choice = choice};
    return polls_vote(fixture->db, &ballot, NOW, fixture->arena, ret_poll);
}

static int64_t votes(const struct poll *poll, size_t option)
{
    const struct poll_option *options = poll->options.items;
    return options[option].votes;
}

static void test_one_choice(void **state)
{
    struct fixture *fixture = *state;
    struct poll poll, other;
    assert_int_equal(vote(fixture, fixture->ann.id, 1, &poll), STATUS_NOT_FOUND);
    assert_int_equal(make(fixture, false, &poll), STATUS_OK);
    assert_int_equal(make(fixture, false, &other), STATUS_EXISTS);
    assert_int_equal(vote(fixture, fixture->ann.id, 1, &poll), STATUS_OK);
    assert_int_equal(vote(fixture, fixture->bob.id, 1, &poll), STATUS_OK);
    assert_int_equal(votes(&poll, 0), 2);
    assert_int_equal(vote(fixture, fixture->bob.id, 3, &poll), STATUS_OK); /* another choice */
    assert_int_equal(votes(&poll, 0), 1);
    assert_int_equal(votes(&poll, 2), 1);
    assert_int_equal(poll.revision, 4);
    assert_int_equal(vote(fixture, fixture->bob.id, 4, &poll), STATUS_INVALID);
    assert_int_equal(vote(fixture, fixture->bob.id, 0, &poll), STATUS_INVALID);
    assert_int_equal(vote(fixture, fixture->waiting.id, 1, &poll), STATUS_DENIED);
    assert_int_equal(vote(fixture, "nobody", 1, &poll), STATUS_DENIED);
    assert_int_equal(polls_close(fixture->db, "other", poll.id, NOW, fixture->arena, &other),
                     STATUS_NOT_FOUND);
    assert_int_equal(polls_close(fixture->db, "standup", poll.id, NOW, fixture->arena, &poll),
                     STATUS_OK);
    assert_false(poll.open);
    assert_int_equal(vote(fixture, fixture->ann.id, 2, &other), STATUS_NOT_FOUND);
    assert_int_equal(polls_open_one(fixture->db, "standup", fixture->arena, &other),
                     STATUS_NOT_FOUND);
    scratch_no_scans(fixture->db);
}

static const struct poll *listed(struct fixture *fixture, const char *who, bool voters)
{
    struct json_list polls;
    assert_int_equal(polls_list(fixture->db, "standup", who, voters, fixture->arena, &polls),
                     STATUS_OK);
    assert_int_equal(polls.count, 1);
    return polls.items;
}

static void test_who_voted(void **state)
{
    struct fixture *fixture = *state;
    struct poll poll;
    assert_int_equal(make(fixture, false, &poll), STATUS_OK);
    assert_int_equal(vote(fixture, fixture->ann.id, 2, &poll), STATUS_OK);
    const struct poll *seen = listed(fixture, fixture->ann.id, true);
    const struct poll_voter *voters = seen->voters.items;
    assert_int_equal(seen->mine, 2);
    assert_int_equal(seen->voters.count, 1);
    assert_string_equal(voters[0].participant, fixture->ann.id);
    assert_int_equal(voters[0].choice, 2);
    seen = listed(fixture, fixture->bob.id, false);
    assert_int_equal(seen->mine, 0);
    assert_int_equal(seen->voters.count, 0);
}

static void test_anonymous(void **state)
{
    struct fixture *fixture = *state;
    struct poll poll;
    assert_int_equal(make(fixture, true, &poll), STATUS_OK);
    assert_int_equal(vote(fixture, fixture->ann.id, 2, &poll), STATUS_OK);
    assert_int_equal(vote(fixture, fixture->ann.id, 1, &poll), STATUS_OK);
    assert_int_equal(votes(&poll, 0), 1);
    assert_int_equal(votes(&poll, 1), 0);
    const struct poll *seen = listed(fixture, fixture->ann.id, true);
    assert_int_equal(seen->mine, 1); /* one's own may be known to oneself */
    assert_int_equal(seen->voters.count, 0);
    assert_int_equal(scratch_count(fixture->db, "SELECT count(*) FROM poll_vote, participant "
                                                "WHERE poll_vote.voter = participant.id"),
                     0);
}

static void test_words(void **state)
{
    struct fixture *fixture = *state;
    struct poll poll;
    struct poll_new wish = {
        .meeting = "standup", .question = "Why?", .options = {.items = answers, .count = 1}};
    assert_int_equal(polls_open(fixture->db, &wish, NOW, fixture->arena, &poll), STATUS_INVALID);
    wish.options.count = 2;
    wish.question = "  ";
    assert_int_equal(polls_open(fixture->db, &wish, NOW, fixture->arena, &poll), STATUS_INVALID);
    wish.question = "Why?";
    wish.meeting = "nowhere";
    assert_int_equal(polls_open(fixture->db, &wish, NOW, fixture->arena, &poll), STATUS_NOT_FOUND);
    wish.meeting = "standup";
    assert_int_equal(polls_open(fixture->db, &wish, NOW, fixture->arena, &poll), STATUS_OK);
    /* Nothing of it can be read in the database. */
    assert_int_equal(
        scratch_count(fixture->db, "SELECT count(*) FROM poll WHERE instr(text_sealed, 'Coffee')"),
        0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_choice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_voted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_anonymous, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
