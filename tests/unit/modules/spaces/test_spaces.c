/*
 * Spaces over a real database: each rule, by a clock of the test's own.
 */
#include "modules/spaces/spaces.h"

#include "modules/spaces/links.h"
#include "storage/event.h"
#include "storage/vault/vault.h"
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

enum { ARENA_MAX = 64 << 20 };
static const int64_t NOW = 1764000000000;

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
    const char *ada, *bob, *eve, *space; /* ada owns space */
};

static const char *person(struct stage *stage, const char *name)
{
    return people_add(stage->db, stage->arena, name);
}

static struct spaces_space make(struct stage *stage, const struct spaces_new *wish)
{
    struct spaces_space space;
    assert_int_equal(spaces_create(stage->db, wish, NOW, stage->arena, &space), STATUS_OK);
    return space;
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 1);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    stage->ada = person(stage, "ada");
    stage->bob = person(stage, "bob");
    stage->eve = person(stage, "eve");
    stage->space = make(stage, &(struct spaces_new){.account = stage->ada, .name = "Lake"}).id;
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

static struct spaces_who as(struct stage *stage, const char *account)
{
    return (struct spaces_who){stage->space, account};
}

static enum status get(struct stage *stage, const char *account, struct spaces_space *ret_space)
{
    struct spaces_who who = as(stage, account);
    return spaces_get(stage->db, &who, stage->arena, ret_space);
}

static enum status invite(struct stage *stage, const char *inviter, const char *account,
                          const char *role)
{
    struct spaces_who who = as(stage, inviter);
    struct spaces_member member;
    const struct spaces_invitee invitee = {.account = account, .role = role};
    return spaces_invite(stage->db, &who, &invitee, NOW, stage->arena, &member);
}

static enum status set_role(struct stage *stage, const char *by, const char *account,
                            const char *role, bool transfer)
{
    struct spaces_who who = as(stage, by);
    struct spaces_member member;
    return spaces_set_role(stage->db, &who, account, role, transfer, NOW, stage->arena, &member);
}

static enum status put_out(struct stage *stage, const char *by, const char *account)
{
    struct spaces_who who = as(stage, by);
    return spaces_remove(stage->db, &who, account, NOW);
}

static enum status change(struct stage *stage, const char *by, struct spaces_change wish)
{
    struct spaces_who who = as(stage, by);
    struct spaces_space space;
    return spaces_change(stage->db, &who, &wish, NOW, stage->arena, &space);
}

static size_t mine(struct stage *stage, const char *account)
{
    struct spaces_list list;
    assert_int_equal(spaces_list(stage->db, account, NOW, stage->arena, &list), STATUS_OK);
    return list.items.count;
}

static const char *role_of(struct stage *stage, const char *account)
{
    struct spaces_space space;
    assert_int_equal(get(stage, account, &space), STATUS_OK);
    return space.role;
}

/* The type and payload of the newest event of a scope. */
static const char *last_event(struct stage *stage, const char *scope)
{
    struct event_list list;
    assert_int_equal(event_list(stage->db, scope, 0, stage->arena, &list), STATUS_OK);
    assert_true(list.count > 0);
    const struct event *last = &list.items[list.count - 1];
    return arena_printf(stage->arena, "%s %s", last->type, last->payload);
}

/* ---- the matrix ---- */

static void test_matrix(void **state)
{
    (void)state;
    static const struct {
        enum spaces_right right;
        const char *lowest; /* role in a space */
        bool archived, group, direct;
    } expected[] = {
        {SPACES_READ, "viewer", true, true, true},    {SPACES_COMMENT, "viewer", false, true, true},
        {SPACES_HISTORY, "editor", true, true, true}, {SPACES_WRITE, "editor", false, true, true},
        {SPACES_MEET, "editor", false, true, true},   {SPACES_INVITE, "editor", false, true, false},
        {SPACES_LINK, "editor", false, true, false},  {SPACES_MANAGE, "owner", false, true, false},
        {SPACES_ARCHIVE, "owner", true, true, false}, {SPACES_DELETE, "owner", true, true, false},
    };
    assert_int_equal(sizeof expected / sizeof expected[0], SPACES_RIGHTS);
    for (size_t i = 0; i < SPACES_RIGHTS; i++) {
        enum spaces_right right = expected[i].right;
        enum spaces_role lowest;
        assert_int_equal(right, i);
        assert_true(spaces_role_of(expected[i].lowest, &lowest));
        for (enum spaces_role role = SPACES_VIEWER; role < SPACES_ROLES; role++) {
            bool may = role >= lowest;
            assert_int_equal(spaces_may(role, SPACES_SPACE, false, right), may);
            assert_int_equal(spaces_may(role, SPACES_SPACE, true, right),
                             may && expected[i].archived);
            assert_int_equal(spaces_may(role, SPACES_GROUP, false, right),
                             may && expected[i].group);
            assert_int_equal(spaces_may(role, SPACES_DIRECT, false, right),
                             may && expected[i].direct);
        }
        assert_false(spaces_may(SPACES_ROLES, SPACES_SPACE, false, right));
    }
}

/* ---- spaces ---- */

static void test_private_until_shared(void **state)
{
    struct stage *stage = *state;
    struct spaces_space space;
    struct spaces_members members;
    struct spaces_member member;
    struct spaces_who eve = as(stage, stage->eve);
    assert_int_equal(get(stage, stage->eve, &space), STATUS_NOT_FOUND);
    assert_int_equal(mine(stage, stage->eve), 0);
    assert_int_equal(change(stage, stage->eve, (struct spaces_change){.name = "Mine"}),
                     STATUS_NOT_FOUND);
    assert_int_equal(spaces_delete(stage->db, &eve, 0, NOW), STATUS_NOT_FOUND);
    assert_int_equal(invite(stage, stage->eve, stage->eve, "owner"), STATUS_NOT_FOUND);
    assert_int_equal(spaces_members(stage->db, &eve, NULL, stage->arena, &members),
                     STATUS_NOT_FOUND);
    assert_int_equal(spaces_member(stage->db, &eve, stage->ada, stage->arena, &member),
                     STATUS_NOT_FOUND);
    assert_int_equal(put_out(stage, stage->eve, stage->eve), STATUS_NOT_FOUND);
    eve.space = "no-such-space";
    assert_int_equal(spaces_get(stage->db, &eve, stage->arena, &space), STATUS_NOT_FOUND);
    assert_int_equal(get(stage, stage->ada, &space), STATUS_OK);
    assert_string_equal(space.name, "Lake");
    assert_string_equal(space.role, "owner");
    assert_string_equal(space.kind, "space");
    assert_int_equal(space.members, 1);
}

static void test_kinds(void **state)
{
    struct stage *stage = *state;
    struct spaces_space space, again;
    struct spaces_new wish = {.account = stage->ada, .kind = "direct", .with = stage->bob};
    space = make(stage, &wish);
    assert_string_equal(space.name, "bob");
    assert_string_equal(space.with, stage->bob);
    wish = (struct spaces_new){.account = stage->bob, .kind = "direct", .with = stage->ada};
    again = make(stage, &wish);
    assert_string_equal(again.id, space.id);
    assert_string_equal(again.name, "ada");
    stage->space = space.id;
    assert_int_equal(invite(stage, stage->ada, stage->eve, "viewer"), STATUS_DENIED);
    assert_int_equal(put_out(stage, stage->ada, stage->ada), STATUS_DENIED);
    assert_int_equal(put_out(stage, stage->ada, stage->bob), STATUS_DENIED);
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){.name = "x"}), STATUS_DENIED);
    static const struct spaces_new bad[] = {
        {.kind = "space"},
        {.name = ""},
        {.name = " "},
        {.name = "a\nb"},
        {.kind = "x"},
        {.kind = "direct"},
        {.name = "x", .with = "y"},
        {.kind = "direct", .name = "x", .with = "y"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wish = bad[i];
        wish.account = stage->ada;
        assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &space),
                         STATUS_INVALID);
    }
    wish = (struct spaces_new){.account = stage->ada, .kind = "direct", .with = "nobody"};
    assert_int_equal(spaces_create(stage->db, &wish, NOW, stage->arena, &space), STATUS_NOT_FOUND);
    wish = (struct spaces_new){.account = stage->ada, .kind = "group"};
    space = make(stage, &wish);
    assert_string_equal(space.name, "");
}

static void test_changes(void **state)
{
    struct stage *stage = *state;
    struct spaces_space space;
    assert_int_equal(invite(stage, stage->ada, stage->bob, "editor"), STATUS_OK);
    assert_int_equal(change(stage, stage->bob, (struct spaces_change){.name = "B"}), STATUS_DENIED);
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){.name = "\u4e0a\u6d77"}),
                     STATUS_OK);
    assert_int_equal(
        change(stage, stage->ada, (struct spaces_change){.name = "late", .version = 1}),
        STATUS_OUT_OF_WINDOW);
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){.links = "owner"}),
                     STATUS_INVALID);
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){0}), STATUS_INVALID);
    assert_int_equal(get(stage, stage->bob, &space), STATUS_OK);
    assert_string_equal(space.name, "\u4e0a\u6d77");
    assert_int_equal(space.version, 2);
    assert_non_null(strstr(last_event(stage, stage->space), "space.updated"));
    /* In the archive nothing is written, and it comes out again. */
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){.archived = JSON_YES}),
                     STATUS_OK);
    assert_int_equal(invite(stage, stage->ada, stage->eve, "viewer"), STATUS_DENIED);
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){.name = "x"}), STATUS_DENIED);
    assert_int_equal(get(stage, stage->bob, &space), STATUS_OK);
    assert_true(space.archived);
    assert_int_equal(change(stage, stage->bob, (struct spaces_change){.archived = JSON_NO}),
                     STATUS_DENIED);
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){.archived = JSON_NO}),
                     STATUS_OK);
    assert_int_equal(invite(stage, stage->ada, stage->eve, "viewer"), STATUS_OK);
}

static void test_what_is_ones_own(void **state)
{
    struct stage *stage = *state;
    struct spaces_space space;
    struct spaces_who who = as(stage, stage->ada);
    struct spaces_mine wish = {.folder = "Work", .favourite = JSON_YES};
    assert_int_equal(invite(stage, stage->ada, stage->bob, "viewer"), STATUS_OK);
    assert_int_equal(spaces_set_mine(stage->db, &who, &wish, NOW, stage->arena, &space), STATUS_OK);
    assert_string_equal(space.folder, "Work");
    assert_true(space.favourite && !space.muted);
    wish = (struct spaces_mine){.muted = JSON_YES};
    assert_int_equal(spaces_set_mine(stage->db, &who, &wish, NOW, stage->arena, &space), STATUS_OK);
    assert_string_equal(space.folder, "Work");
    assert_true(space.favourite && space.muted);
    assert_int_equal(get(stage, stage->bob, &space), STATUS_OK);
    assert_null(space.folder);
    assert_false(space.favourite || space.muted);
    wish = (struct spaces_mine){.folder = ""};
    assert_int_equal(spaces_set_mine(stage->db, &who, &wish, NOW, stage->arena, &space), STATUS_OK);
    assert_null(space.folder);
}

static void test_deleted_is_gone(void **state)
{
    struct stage *stage = *state;
    struct spaces_space space;
    struct spaces_who bob = as(stage, stage->bob), ada = as(stage, stage->ada);
    uint8_t sealed[VAULT_OVERHEAD + 1];
    const struct vault_place place = {.space = stage->space, .table = "t", .column = "c", .id = 1};
    assert_int_equal(invite(stage, stage->ada, stage->bob, "editor"), STATUS_OK);
    assert_int_equal(spaces_delete(stage->db, &bob, 0, NOW), STATUS_DENIED);
    assert_int_equal(spaces_delete(stage->db, &ada, 99, NOW), STATUS_OUT_OF_WINDOW);
    assert_int_equal(vault_seal(db_vault(stage->db), &place, "x", 1, sealed), STATUS_OK);
    assert_int_equal(spaces_delete(stage->db, &ada, 0, NOW), STATUS_OK);
    assert_int_equal(get(stage, stage->ada, &space), STATUS_NOT_FOUND);
    assert_int_equal(mine(stage, stage->bob), 0);
    assert_int_equal(vault_seal(db_vault(stage->db), &place, "x", 1, sealed), STATUS_CLOSED);
    const char *scope = arena_printf(stage->arena, "account:%s", stage->bob);
    assert_non_null(strstr(last_event(stage, scope), "space.deleted"));
}

/* ---- members ---- */

static void test_inviting(void **state)
{
    struct stage *stage = *state;
    struct spaces_who ada = as(stage, stage->ada);
    struct spaces_member member;
    assert_int_equal(invite(stage, stage->ada, stage->bob, "boss"), STATUS_INVALID);
    assert_int_equal(invite(stage, stage->ada, "nobody", "viewer"), STATUS_NOT_FOUND);
    assert_int_equal(invite(stage, stage->ada, stage->bob, "editor"), STATUS_OK);
    assert_int_equal(invite(stage, stage->ada, stage->bob, "viewer"), STATUS_EXISTS);
    /* Nobody gives more than they have. */
    assert_int_equal(invite(stage, stage->bob, stage->eve, "owner"), STATUS_DENIED);
    const struct spaces_invitee by_mail = {.email = " EVE@example.org", .role = "viewer"};
    struct spaces_who bob = as(stage, stage->bob);
    assert_int_equal(spaces_invite(stage->db, &bob, &by_mail, NOW, stage->arena, &member),
                     STATUS_OK);
    assert_string_equal(member.id, stage->eve);
    assert_string_equal(member.name, "eve");
    assert_int_equal(invite(stage, stage->eve, stage->eve, "viewer"), STATUS_DENIED);
    assert_int_equal(mine(stage, stage->eve), 1);
    struct spaces_members members;
    assert_int_equal(spaces_members(stage->db, &ada, NULL, stage->arena, &members), STATUS_OK);
    assert_int_equal(members.items.count, 3);
    assert_null(members.next_cursor);
    const char *first = ((const struct spaces_member *)members.items.items)[0].id;
    assert_int_equal(spaces_members(stage->db, &ada, first, stage->arena, &members), STATUS_OK);
    assert_int_equal(members.items.count, 2);
}

static void test_invited_address_becomes_a_member(void **state)
{
    struct stage *stage = *state;
    struct spaces_who ada = as(stage, stage->ada);
    struct spaces_member member;
    struct spaces_invitee invitee = {.email = "zoe@example.org", .role = "viewer"};
    assert_int_equal(spaces_invite(stage->db, &ada, &invitee, NOW, stage->arena, &member),
                     STATUS_OK);
    assert_string_equal(member.id, "");
    invitee.role = "editor"; /* the last one counts */
    assert_int_equal(spaces_invite(stage->db, &ada, &invitee, NOW, stage->arena, &member),
                     STATUS_OK);
    invitee.email = "no address";
    assert_int_equal(spaces_invite(stage->db, &ada, &invitee, NOW, stage->arena, &member),
                     STATUS_INVALID);
    const char *zoe = person(stage, "zoe");
    assert_int_equal(mine(stage, zoe), 1);
    assert_string_equal(role_of(stage, zoe), "editor");
    assert_int_equal(put_out(stage, stage->ada, zoe), STATUS_OK);
    assert_int_equal(mine(stage, zoe), 0); /* an invitation is good once */
}

static void test_never_without_an_owner(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(invite(stage, stage->ada, stage->bob, "editor"), STATUS_OK);
    assert_int_equal(put_out(stage, stage->ada, stage->ada), STATUS_DENIED);
    assert_int_equal(set_role(stage, stage->ada, stage->ada, "editor", false), STATUS_DENIED);
    assert_int_equal(set_role(stage, stage->bob, stage->bob, "owner", false), STATUS_DENIED);
    assert_int_equal(set_role(stage, stage->ada, stage->bob, "editor", true), STATUS_INVALID);
    assert_int_equal(set_role(stage, stage->ada, stage->eve, "owner", true), STATUS_NOT_FOUND);
    assert_string_equal(role_of(stage, stage->ada), "owner");
    assert_int_equal(set_role(stage, stage->ada, stage->bob, "owner", true), STATUS_OK);
    assert_string_equal(role_of(stage, stage->ada), "editor");
    assert_string_equal(role_of(stage, stage->bob), "owner");
    assert_int_equal(put_out(stage, stage->ada, stage->bob), STATUS_DENIED);
    assert_int_equal(put_out(stage, stage->ada, stage->ada), STATUS_OK);
    struct spaces_space space;
    assert_int_equal(get(stage, stage->ada, &space), STATUS_NOT_FOUND);
    assert_int_equal(get(stage, stage->bob, &space), STATUS_OK);
    assert_int_equal(space.members, 1);
    assert_non_null(strstr(last_event(stage, stage->space), "member.removed"));
}

/* ---- links ---- */

static struct spaces_link link_make(struct stage *stage, const char *by,
                                    struct spaces_link_new wish)
{
    struct spaces_who who = as(stage, by);
    struct spaces_link link;
    assert_int_equal(spaces_link_add(stage->db, &who, &wish, NOW, stage->arena, &link), STATUS_OK);
    return link;
}

static enum status take(struct stage *stage, const char *account, const char *token, int64_t now)
{
    struct spaces_space space;
    return spaces_link_take(stage->db, account, token, now, stage->arena, &space);
}

static void test_links(void **state)
{
    struct stage *stage = *state;
    struct spaces_who ada = as(stage, stage->ada), bob = as(stage, stage->bob);
    struct spaces_links links;
    struct spaces_link link;
    link = link_make(stage, stage->ada, (struct spaces_link_new){.role = "editor", .uses = 1});
    assert_int_equal(take(stage, stage->bob, "plk_x", NOW), STATUS_NOT_FOUND);
    assert_int_equal(take(stage, stage->bob, link.token, link.expires), STATUS_NOT_FOUND);
    assert_int_equal(take(stage, stage->ada, link.token, NOW), STATUS_OK); /* uses nothing up */
    assert_int_equal(take(stage, stage->bob, link.token, NOW), STATUS_OK);
    assert_string_equal(role_of(stage, stage->bob), "editor");
    assert_int_equal(take(stage, stage->eve, link.token, NOW), STATUS_NOT_FOUND);
    struct spaces_link_new wish = {.role = "owner"};
    assert_int_equal(spaces_link_add(stage->db, &ada, &wish, NOW, stage->arena, &link),
                     STATUS_DENIED); /* more than the policy */
    wish.role = "viewer";
    wish.life_ms = SPACES_LINK_LIFE_MAX_MS + 1;
    assert_int_equal(spaces_link_add(stage->db, &ada, &wish, NOW, stage->arena, &link),
                     STATUS_INVALID);
    assert_int_equal(spaces_link_list(stage->db, &bob, NOW, stage->arena, &links), STATUS_OK);
    assert_int_equal(links.items.count, 0);
    /* It is as good as its maker and the policy are when it is taken. */
    link = link_make(stage, stage->bob, (struct spaces_link_new){.role = "editor"});
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){.links = "viewer"}),
                     STATUS_OK);
    assert_int_equal(take(stage, stage->eve, link.token, NOW), STATUS_NOT_FOUND);
    assert_int_equal(change(stage, stage->ada, (struct spaces_change){.links = "editor"}),
                     STATUS_OK);
    assert_int_equal(set_role(stage, stage->ada, stage->bob, "viewer", false), STATUS_OK);
    assert_int_equal(take(stage, stage->eve, link.token, NOW), STATUS_NOT_FOUND);
    assert_int_equal(spaces_link_list(stage->db, &bob, NOW, stage->arena, &links), STATUS_DENIED);
    assert_int_equal(set_role(stage, stage->ada, stage->bob, "editor", false), STATUS_OK);
    struct spaces_link other = link_make(stage, stage->ada, (struct spaces_link_new){0});
    assert_int_equal(spaces_link_remove(stage->db, &bob, other.id, NOW), STATUS_DENIED);
    assert_int_equal(spaces_link_remove(stage->db, &bob, link.id, NOW), STATUS_OK);
    assert_int_equal(take(stage, stage->eve, link.token, NOW), STATUS_NOT_FOUND);
    assert_int_equal(spaces_link_list(stage->db, &ada, NOW, stage->arena, &links), STATUS_OK);
    assert_int_equal(links.items.count, 1);
    assert_int_equal(take(stage, stage->eve, other.token, NOW), STATUS_OK);
    assert_string_equal(role_of(stage, stage->eve), "viewer");
}

static void test_names_are_sealed(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(
        scratch_count(stage->db,
                      "SELECT count(*) FROM space WHERE id > '' AND instr(name, 'Lake') > 0"),
        0);
    assert_int_equal(
        scratch_count(stage->db, "SELECT count(*) FROM space WHERE id > '' AND length(name) > 40"),
        1);
}

static void test_overview(void **state)
{
    struct stage *stage = *state;
    struct spaces_overviews list;
    assert_int_equal(spaces_overview(stage->db, NULL, stage->arena, &list), STATUS_OK);
    assert_int_equal(list.items.count, 1);
    assert_int_equal(spaces_overview(stage->db, stage->space, stage->arena, &list), STATUS_OK);
    assert_int_equal(list.items.count, 0);
}

/* ---- memory ---- */

static enum status get_without_memory(void *context)
{
    struct stage *stage = context;
    struct spaces_who who = as(stage, stage->ada);
    struct spaces_space space;
    struct arena *arena = NULL;
    enum status status = arena_new(1 << 20, &arena);
    if (status == STATUS_OK)
        status = spaces_get(stage->db, &who, arena, &space);
    arena_free(arena);
    return status;
}

static void test_without_memory(void **state)
{
    assert_true(alloc_fail_each(get_without_memory, *state) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix),
        cmocka_unit_test_setup_teardown(test_private_until_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_ones_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deleted_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inviting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_invited_address_becomes_a_member, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_without_an_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_are_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overview, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
