/*
 * Who is there, and guests of a space, over the gateway: told to those who see them, and to nobody
 * else; a guest who is put out hears nothing more and can do nothing more within a second.
 */
#include "modules/spaces/company.h"
#include "modules/spaces/guests.h"
#include "modules/spaces/links.h"
#include "modules/spaces/messages.h"
#include "tests/support/clock_shift.h"
#include "tests/unit/signalling/gateway/spaces_stage.h"

enum { SOON_MS = 1000 };

enum { ADA, BEN, CY, DEE, PEOPLE };

struct stage {
    struct spaces_stage s;
    const char *ids[PEOPLE];
    struct auth_signed_in
        people[PEOPLE]; /* Ada and Ben share a space, Cy is in his own, Dee in none */
    const char *space;
    struct spaces_link link;
};

static const char *id_of(const struct stage *stage, int index)
{
    return stage->ids[index];
}

static void space_begin(struct stage *stage)
{
    const struct spaces_new wish = {.account = id_of(stage, ADA), .name = "Lake"};
    const struct spaces_new cys = {.account = id_of(stage, CY), .name = "Hut"};
    const struct spaces_link_new link = {.role = "viewer", .guests = true};
    struct spaces_space space;
    struct spaces_member member;
    int64_t now_ms = clock_wall_ms();
    assert_int_equal(spaces_create(stage->s.api.db, &wish, now_ms, stage->s.arena, &space),
                     STATUS_OK);
    stage->space = space.id;
    assert_int_equal(spaces_create(stage->s.api.db, &cys, now_ms, stage->s.arena, &space),
                     STATUS_OK);
    const struct spaces_who ada = {stage->space, id_of(stage, ADA)};
    const struct spaces_invitee ben = {.email = "Ben@b.c", .role = "viewer"};
    assert_int_equal(spaces_invite(stage->s.api.db, &ada, &ben, now_ms, stage->s.arena, &member),
                     STATUS_OK);
    assert_int_equal(
        spaces_link_add(stage->s.api.db, &ada, &link, now_ms, stage->s.arena, &stage->link),
        STATUS_OK);
}

static int setup(void **state)
{
    static const char *const names[PEOPLE] = {"Ada", "Ben", "Cy", "Dee"};
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    spaces_stage_open(&stage->s);
    for (int i = 0; i < PEOPLE; i++)
        stage->ids[i] = person_add(&stage->s, names[i], &stage->people[i]);
    space_begin(stage);
    spaces_stage_start(&stage->s);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    spaces_stage_close(&stage->s);
    free(stage);
    return 0;
}

/* ---- sessions ---- */

struct person {
    struct ws_client *client;
    int s;
};

static void come(const struct stage *stage, struct person *person, const char *shown)
{
    *person = (struct person){.client = identify(&stage->s, shown)};
}

/* Sends a command; its reply's `d`. */
static struct json *command(struct person *person, const char *type, const char *d)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "{\"op\":\"command\",\"s\":%d,\"t\":\"%s\",\"d\":%s}", ++person->s,
             type, d);
    assert_int_equal(ws_client_send(person->client, text), STATUS_OK);
    return dispatched(person->client, "reply");
}

static void command_ok(struct person *person, const char *type, const char *d)
{
    struct json *reply = command(person, type, d);
    assert_true(json_get_true(json_get_object(reply, "d"), "ok"));
    json_free(reply);
}

static void come_and_follow(const struct stage *stage, struct person *person, const char *shown)
{
    come(stage, person, shown);
    json_free(dispatched(person->client, "spaces.ready"));
    command_ok(person, "space.events", "{\"after\":-1}");
}

static struct company_people people_of(const struct stage *stage, const struct json *json)
{
    struct company_people people;
    struct json_error error;
    assert_int_equal(json_decode(&company_people_table, json, stage->s.arena, &people, &error),
                     STATUS_OK);
    return people;
}

/* The one event that a "space.events" that came by itself tells. */
static struct feed_event event_of(const struct stage *stage, const struct json *dispatch)
{
    struct feed_page page;
    struct json_error error;
    assert_int_equal(json_decode(&feed_page_table, json_get_object(dispatch, "d"), stage->s.arena,
                                 &page, &error),
                     STATUS_OK);
    assert_int_equal(page.items.count, 1);
    return *(struct feed_event *)page.items.items;
}

/* Waits until told that this person is in that state. */
static void told(const struct stage *stage, struct person *person, const char *account,
                 const char *presence_state)
{
    for (;;) {
        struct json *next = dispatched(person->client, "space.people");
        const struct company_people people = people_of(stage, json_get_object(next, "d"));
        const struct company_person *one = people.people.items;
        bool found = false;
        for (size_t i = 0; i < people.people.count; i++)
            found = found ||
                    (strcmp(one[i].id, account) == 0 && strcmp(one[i].state, presence_state) == 0);
        json_free(next);
        if (found)
            return;
    }
}

/* ---- presence ---- */

/* What was said of one on another device, to whoever is in no space too. */
static void test_one_hears_of_oneself(void **state)
{
    struct stage *stage = *state;
    struct person dee;
    come_and_follow(stage, &dee, stage->people[DEE].token);
    command_ok(&dee, "space.people", "{}");
    presence_touched(stage->s.api.presence, id_of(stage, DEE));
    told(stage, &dee, id_of(stage, DEE), "online");
    ws_client_close(dee.client);
}

static void test_people_are_told(void **state)
{
    struct stage *stage = *state;
    struct person ada, ben, cy;
    come_and_follow(stage, &ada, stage->people[ADA].token);
    command_ok(&ada, "space.people", "{}");
    come_and_follow(stage, &cy, stage->people[CY].token);
    command_ok(&cy, "space.people", "{}");
    come_and_follow(stage, &ben, stage->people[BEN].token);
    told(stage, &ada, id_of(stage, BEN), "online");
    /* Who is there already is in the answer; Cy shares no space with them. */
    struct json *reply = command(&ben, "space.people", "{}");
    assert_int_equal(
        people_of(stage, json_get_object(json_get_object(reply, "d"), "result")).people.count, 2);
    json_free(reply);

    command_ok(&ben, "space.here", "{\"idle\":true}");
    told(stage, &ada, id_of(stage, BEN), "away");
    command_ok(&ben, "space.here", "{\"idle\":false}");
    told(stage, &ada, id_of(stage, BEN), "online");
    /* Cy has heard of nobody but himself. */
    command_ok(&cy, "space.here", "{\"idle\":true}");
    for (bool heard = false; !heard;) {
        struct json *next = dispatched(cy.client, "space.people");
        const struct company_people of = people_of(stage, json_get_object(next, "d"));
        const struct company_person *one = of.people.items;
        for (size_t i = 0; i < of.people.count; i++)
            assert_string_equal(one[i].id, id_of(stage, CY));
        heard = strcmp(one[0].state, "away") == 0;
        json_free(next);
    }
    /* His socket goes: he is as he was until his session is over. */
    ws_client_close(ben.client);
    command_ok(&ada, "space.people", "{}");
    assert_int_equal(presence_of(stage->s.api.presence, id_of(stage, BEN)), PRESENCE_ONLINE);
    ws_client_close(ada.client);
    ws_client_close(cy.client);
    clock_leap_ms(GATEWAY_RESUME_MS + 1000);
    for (int tries = 0; tries < 600; tries++) {
        if (presence_of(stage->s.api.presence, id_of(stage, BEN)) == PRESENCE_OFFLINE)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10 * CLOCK_NS_PER_MS}, NULL);
    }
    assert_int_equal(presence_of(stage->s.api.presence, id_of(stage, BEN)), PRESENCE_OFFLINE);
}

/* ---- guests ---- */

static struct spaces_guest enter(const struct stage *stage, const char *name)
{
    struct spaces_guest guest;
    assert_int_equal(guests_enter(stage->s.api.db, stage->link.token, name, clock_wall_ms(),
                                  stage->s.arena, &guest),
                     STATUS_OK);
    return guest;
}

static int rest(struct stage *stage, const char *method, const char *path, const char *token)
{
    const char *body = NULL;
    int code = 0;
    const struct rest_call call = {.method = method, .path = path, .token = token};
    assert_int_equal(rest_client_call(stage->s.rest, &call, &code, &body), STATUS_OK);
    return code;
}

static void write_in(struct stage *stage, const char *space, int who, const char *text)
{
    const struct spaces_who writer = {space, id_of(stage, who)};
    const struct messages_post post = {.text = text};
    struct messages_message message;
    bool changed;
    assert_int_equal(messages_add(stage->s.api.db, &writer, &post, clock_wall_ms(), stage->s.arena,
                                  &message, &changed),
                     STATUS_OK);
}

/* The next event is a message of this space. */
static void hears_message(const struct stage *stage, struct person *person, const char *space)
{
    for (bool heard = false; !heard;) {
        struct json *next = dispatched(person->client, "space.events");
        const struct feed_event event = event_of(stage, next);
        assert_string_equal(event.space, space);
        heard = strcmp(event.type, "message.added") == 0;
        json_free(next);
    }
}

/* Ended within a second, with nothing told of what was written after. */
static void is_out(const struct stage *stage, struct person *person, uint64_t since_ms)
{
    bool ended = false;
    for (struct json *next; (next = frame(person->client)) != NULL;) {
        ended = ended || is(next, "op", "invalid");
        if (is(next, "t", "space.events"))
            assert_string_not_equal(event_of(stage, next).type, "message.added");
        json_free(next);
    }
    assert_true(ended);
    assert_true(clock_mono_ns() / CLOCK_NS_PER_MS - since_ms <= SOON_MS);
    ws_client_close(person->client);
}

static void test_guests_hear_of_their_space(void **state)
{
    struct stage *stage = *state;
    struct person ada, guest;
    struct spaces_space other;
    const struct spaces_new wish = {.account = id_of(stage, ADA), .name = "Elsewhere"};
    struct spaces_guest gail = enter(stage, "Gail");
    assert_int_equal(spaces_create(stage->s.api.db, &wish, clock_wall_ms(), stage->s.arena, &other),
                     STATUS_OK);
    come_and_follow(stage, &guest, gail.token);
    write_in(stage, other.id, ADA, "not for guests");
    write_in(stage, stage->space, ADA, "for all here");
    hears_message(stage, &guest, stage->space);
    /* Members are seen, guests are not counted among them. */
    command_ok(&guest, "space.people", "{}");
    come_and_follow(stage, &ada, stage->people[ADA].token);
    told(stage, &guest, id_of(stage, ADA), "online");
    assert_string_equal(presence_name(presence_of(stage->s.api.presence, gail.id)), "offline");

    /* What a page has is a ticket. */
    char ticket[AUTH_TICKET_MAX + 1];
    struct person again;
    auth_ticket(stage->s.api.auth, gail.id, clock_wall_ms(), ticket);
    come_and_follow(stage, &again, ticket);
    write_in(stage, stage->space, ADA, "twice");
    hears_message(stage, &again, stage->space);
    ws_client_close(again.client);

    char path[TEXT_MAX];
    snprintf(path, sizeof path, "/api/v1/spaces/%s/guests/%s", stage->space, gail.id);
    uint64_t since_ms = clock_mono_ns() / CLOCK_NS_PER_MS;
    assert_int_equal(rest(stage, "DELETE", path, stage->people[BEN].token), 403);
    assert_int_equal(rest(stage, "DELETE", path, stage->people[ADA].token), 204);
    write_in(stage, stage->space, ADA, "among ourselves");
    hears_message(stage, &guest, stage->space); /* the second that was written while she was in */
    is_out(stage, &guest, since_ms);
    snprintf(path, sizeof path, "/api/v1/spaces/%s", stage->space);
    assert_int_equal(rest(stage, "GET", path, gail.token), 401);
    /* Neither her token nor a ticket of before opens anything. */
    come(stage, &again, ticket);
    is_out(stage, &again, clock_mono_ns() / CLOCK_NS_PER_MS);
    come(stage, &again, gail.token);
    is_out(stage, &again, clock_mono_ns() / CLOCK_NS_PER_MS);
    ws_client_close(ada.client);
}

static void test_guests_go_with_their_link(void **state)
{
    struct stage *stage = *state;
    struct person guest;
    struct spaces_guest gail = enter(stage, "Gail");
    const struct spaces_who ada = {stage->space, id_of(stage, ADA)};
    come_and_follow(stage, &guest, gail.token);
    uint64_t since_ms = clock_mono_ns() / CLOCK_NS_PER_MS;
    assert_int_equal(spaces_link_remove(stage->s.api.db, &ada, stage->link.id, clock_wall_ms()),
                     STATUS_OK);
    write_in(stage, stage->space, ADA, "among ourselves");
    is_out(stage, &guest, since_ms);
}

/* By the clock, with nobody touching anything. */
static void test_guests_go_when_their_time_is_up(void **state)
{
    struct stage *stage = *state;
    struct person guest;
    const struct spaces_who ada = {stage->space, id_of(stage, ADA)};
    /* Less than a socket may be silent. */
    const struct spaces_link_new soon = {.guests = true, .life_ms = GATEWAY_SILENCE_MS - 5000};
    assert_int_equal(spaces_link_add(stage->s.api.db, &ada, &soon, clock_wall_ms(), stage->s.arena,
                                     &stage->link),
                     STATUS_OK);
    struct spaces_guest gail = enter(stage, "Gail");
    come_and_follow(stage, &guest, gail.token);
    clock_leap_ms((uint64_t)(gail.expires - clock_wall_ms()));
    uint64_t since_ms = clock_mono_ns() / CLOCK_NS_PER_MS;
    is_out(stage, &guest, since_ms);
}

static void test_guests_and_members_see_who_types(void **state)
{
    struct stage *stage = *state;
    struct person ada, cy, guest;
    struct spaces_guest gail = enter(stage, "Gail");
    char typing[TEXT_MAX];
    snprintf(typing, sizeof typing, "{\"space\":\"%s\"}", stage->space);
    come(stage, &ada, stage->people[ADA].token);
    come(stage, &guest, gail.token);
    come(stage, &cy, stage->people[CY].token);
    json_free(dispatched(ada.client, "spaces.ready"));
    json_free(dispatched(guest.client, "spaces.ready"));
    json_free(dispatched(cy.client, "spaces.ready"));
    command_ok(&guest, "space.typing", typing);
    struct json *typed = dispatched(ada.client, "space.typing");
    assert_string_equal(json_get_text(json_get_object(typed, "d"), "account"), gail.id);
    assert_string_equal(json_get_text(json_get_object(typed, "d"), "name"), "Gail");
    json_free(typed);
    command_ok(&ada, "space.typing", typing);
    typed = dispatched(guest.client, "space.typing");
    assert_string_equal(json_get_text(json_get_object(typed, "d"), "account"), id_of(stage, ADA));
    assert_null(json_get_text(json_get_object(typed, "d"), "name"));
    json_free(typed);
    /* Of a space one is not in nothing is told, nor taken. */
    struct json *reply = command(&cy, "space.typing", typing);
    assert_false(json_get_true(json_get_object(reply, "d"), "ok"));
    json_free(reply);
    ws_client_close(ada.client);
    ws_client_close(cy.client);
    ws_client_close(guest.client);
}

static void test_owners_see_guests(void **state)
{
    struct stage *stage = *state;
    struct spaces_guest gail = enter(stage, "Gail"), found;
    struct spaces_guests guests;
    const struct spaces_who ada = {stage->space, id_of(stage, ADA)};
    const struct spaces_who ben = {stage->space, id_of(stage, BEN)};
    int64_t later_ms = clock_wall_ms() + 2 * SPACES_GUEST_SEEN_MS;
    assert_int_equal(guests_check(stage->s.api.db, gail.token, later_ms, stage->s.arena, &found),
                     STATUS_OK);
    assert_int_equal(guests_list(stage->s.api.db, &ada, later_ms, stage->s.arena, &guests),
                     STATUS_OK);
    assert_int_equal(guests.items.count, 1);
    const struct spaces_guest *shown = guests.items.items;
    assert_string_equal(shown->name, "Gail");
    assert_string_equal(shown->link, stage->link.id);
    assert_string_equal(shown->link_maker, id_of(stage, ADA));
    assert_int_equal(shown->link_created, stage->link.created);
    assert_int_equal(shown->created, gail.created);
    assert_int_equal(shown->seen, later_ms);
    /* Others see that she is there, not more. */
    assert_int_equal(guests_list(stage->s.api.db, &ben, later_ms, stage->s.arena, &guests),
                     STATUS_OK);
    shown = guests.items.items;
    assert_string_equal(shown->name, "Gail");
    assert_null(shown->link);
    assert_null(shown->link_maker);
    assert_int_equal(shown->seen, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_hears_of_oneself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_people_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guests_hear_of_their_space, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guests_go_with_their_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guests_go_when_their_time_is_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guests_and_members_see_who_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_owners_see_guests, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
