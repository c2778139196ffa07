/*
 * Who is there, by a clock of the test's own.
 */
#include "modules/auth/presence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TAKE_MAX = 8 };

struct stage {
    struct presence *presence;
    struct presence_change changes[TAKE_MAX];
    int64_t wait_ms;
    int woken;
};

static void woken(void *context)
{
    struct stage *stage = context;
    stage->woken++;
}

static int setup(void **state)
{
    static struct stage stage;
    stage = (struct stage){.woken = 0};
    assert_int_equal(presence_new(&stage.presence), STATUS_OK);
    presence_listen(stage.presence, woken, &stage);
    *state = &stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    presence_free(stage->presence);
    return 0;
}

static size_t take(struct stage *stage, int64_t now_ms)
{
    return presence_take(stage->presence, now_ms, TAKE_MAX, stage->changes, &stage->wait_ms);
}

/* Exactly this one changed, to that. */
static void took(struct stage *stage, int64_t now_ms, const char *account,
                 enum presence_state presence_state)
{
    assert_int_equal(take(stage, now_ms), 1);
    assert_string_equal(stage->changes[0].account, account);
    assert_string_equal(presence_name(stage->changes[0].state), presence_name(presence_state));
    assert_int_equal(presence_of(stage->presence, account), presence_state);
}

static void test_sessions(void **state)
{
    struct stage *stage = *state;
    struct presence_session desk, phone;
    assert_int_equal(presence_of(stage->presence, "ada"), PRESENCE_OFFLINE);
    presence_open(stage->presence, &desk, "ada", false, 0);
    assert_true(stage->woken > 0);
    took(stage, 0, "ada", PRESENCE_ONLINE);
    presence_open(stage->presence, &phone, "ada", false, 1);
    presence_close(stage->presence, &desk);
    assert_int_equal(take(stage, 2), 0);
    presence_close(stage->presence, &phone);
    presence_close(stage->presence, &phone);
    assert_int_equal(presence_of(stage->presence, "ada"), PRESENCE_OFFLINE);
    took(stage, 3, "ada", PRESENCE_OFFLINE);
    assert_int_equal(stage->wait_ms, -1);
}

static void test_idle_for_ten_minutes(void **state)
{
    struct stage *stage = *state;
    struct presence_session desk, phone;
    presence_open(stage->presence, &desk, "ada", false, 0);
    presence_open(stage->presence, &phone, "ada", false, 60000);
    took(stage, 60000, "ada", PRESENCE_ONLINE);
    assert_int_equal(stage->wait_ms, 600000 - 60000);
    presence_active(stage->presence, &desk, 120000);
    assert_int_equal(take(stage, 600000), 0);
    assert_int_equal(stage->wait_ms, 60000);
    /* The phone is idle, the desk not yet. */
    assert_int_equal(take(stage, 719999), 0);
    assert_int_equal(stage->wait_ms, 1);
    took(stage, 720000, "ada", PRESENCE_AWAY);
    assert_int_equal(stage->wait_ms, -1);
    stage->woken = 0;
    presence_active(stage->presence, &phone, 800000);
    assert_true(stage->woken > 0);
    took(stage, 800000, "ada", PRESENCE_ONLINE);
    assert_int_equal(stage->wait_ms, 600000);
    presence_close(stage->presence, &phone);
    took(stage, 800001, "ada", PRESENCE_AWAY);
    presence_close(stage->presence, &desk);
}

static void test_the_page_says_it(void **state)
{
    struct stage *stage = *state;
    struct presence_session desk, phone;
    presence_open(stage->presence, &desk, "ada", false, 0);
    presence_idle(stage->presence, &desk);
    presence_idle(stage->presence, &desk);
    took(stage, 1, "ada", PRESENCE_AWAY);
    presence_open(stage->presence, &phone, "ada", false, 2);
    took(stage, 2, "ada", PRESENCE_ONLINE);
    presence_idle(stage->presence, &phone);
    presence_active(stage->presence, &desk, 3);
    assert_int_equal(take(stage, 3), 0);
    presence_close(stage->presence, &desk);
    presence_close(stage->presence, &phone);
}

static void test_a_lost_session_waits(void **state)
{
    struct stage *stage = *state;
    struct presence_session desk, phone;
    presence_open(stage->presence, &desk, "ada", false, 0);
    took(stage, 0, "ada", PRESENCE_ONLINE);
    presence_connected(stage->presence, &desk, false);
    assert_int_equal(take(stage, 1), 0);
    /* Another that is connected counts alone. */
    presence_open(stage->presence, &phone, "ada", false, 2);
    presence_idle(stage->presence, &phone);
    took(stage, 3, "ada", PRESENCE_AWAY);
    presence_connected(stage->presence, &desk, true);
    took(stage, 4, "ada", PRESENCE_ONLINE);
    presence_connected(stage->presence, &desk, false);
    presence_connected(stage->presence, &phone, false);
    took(stage, 5, "ada", PRESENCE_AWAY);
    presence_close(stage->presence, &phone);
    presence_close(stage->presence, &desk);
    took(stage, 6, "ada", PRESENCE_OFFLINE);
}

static void test_in_a_meeting_nobody_idles(void **state)
{
    struct stage *stage = *state;
    struct presence_session meeting, desk;
    presence_open(stage->presence, &meeting, "ada", true, 0);
    took(stage, 0, "ada", PRESENCE_ONLINE);
    assert_int_equal(stage->wait_ms, -1);
    presence_idle(stage->presence, &meeting);
    presence_active(stage->presence, &meeting, 1);
    /* Opened while online: nothing changes, but somebody has to look when it idles. */
    stage->woken = 0;
    presence_open(stage->presence, &desk, "ada", false, 1);
    assert_true(stage->woken > 0);
    assert_int_equal(take(stage, 700000), 0);
    presence_close(stage->presence, &meeting);
    took(stage, 700000, "ada", PRESENCE_AWAY);
    presence_close(stage->presence, &desk);
}

static void test_told_once(void **state)
{
    struct stage *stage = *state;
    struct presence_session ada, ben;
    presence_open(stage->presence, &ada, "ada", false, 0);
    presence_close(stage->presence, &ada);
    presence_open(stage->presence, &ben, "ben", false, 0);
    presence_touched(stage->presence, "ben");
    took(stage, 1, "ben", PRESENCE_ONLINE); /* ada came and went between */
    presence_touched(stage->presence, "ben");
    took(stage, 2, "ben", PRESENCE_ONLINE);
    presence_touched(stage->presence, "cy");
    took(stage, 3, "cy", PRESENCE_OFFLINE);
    assert_int_equal(take(stage, 4), 0);
    presence_close(stage->presence, &ben);
}

static void test_many_come_in_turns(void **state)
{
    enum { MANY = 3 * TAKE_MAX + 1 };
    struct stage *stage = *state;
    static struct presence_session sessions[MANY];
    char account[CRYPTO_ID_CHARS + 1];
    for (int i = 0; i < MANY; i++) {
        snprintf(account, sizeof account, "p%d", i);
        presence_open(stage->presence, &sessions[i], account, false, i);
    }
    size_t count = 0;
    for (int turn = 0; turn < 4; turn++) {
        stage->woken = 0;
        count += take(stage, MANY);
        assert_int_equal(stage->woken, turn < 3);
    }
    assert_int_equal(count, MANY);
    /* They idle one after another, as they came. */
    assert_int_equal(take(stage, PRESENCE_IDLE_MS + 2), 3);
    assert_string_equal(stage->changes[2].account, "p2");
    assert_int_equal(stage->wait_ms, 1);
    for (int i = 0; i < MANY; i++)
        presence_close(stage->presence, &sessions[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idle_for_ten_minutes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_page_says_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_session_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_a_meeting_nobody_idles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_come_in_turns, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
