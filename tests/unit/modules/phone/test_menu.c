/*
 * The voice menu: what a caller presses and what follows, written as texts - a letter an action.
 */
#include "modules/phone/menu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct menu menu;
static struct menu_actions actions;
static char heard[512];

/* "stop welcome pin", "check", "mute+", "hang_up": all since the last look. */
static void note(void)
{
    static const char *const files[] = {
#define FILE_NAME(name, file) file,
        MENU_PROMPT_LIST(FILE_NAME)};
    for (size_t i = 0; i < actions.count; i++) {
        const struct menu_action *item = &actions.items[i];
        char word[32];
        const char *sign = item->on ? "+" : "-";
        switch (item->what) {
        case MENU_PLAY:
            snprintf(word, sizeof word, "%s", files[item->prompt]);
            break;
        case MENU_STOP:
            snprintf(word, sizeof word, "stop");
            break;
        case MENU_CHECK:
            snprintf(word, sizeof word, "check:%s", menu.pin);
            break;
        case MENU_MUTE:
            snprintf(word, sizeof word, "mute%s", sign);
            break;
        case MENU_HAND:
            snprintf(word, sizeof word, "hand%s", sign);
            break;
        case MENU_COUNT:
            snprintf(word, sizeof word, "people?");
            break;
        case MENU_GAIN:
            snprintf(word, sizeof word, "gain:%d", item->db);
            break;
        case MENU_JOIN:
            snprintf(word, sizeof word, "join");
            break;
        case MENU_POLL:
            snprintf(word, sizeof word, "poll?");
            break;
        case MENU_VOTE:
            snprintf(word, sizeof word, "vote:%u", item->number);
            break;
        case MENU_HANG_UP:
            snprintf(word, sizeof word, "hang_up");
            break;
        }
        size_t used = strlen(heard);
        snprintf(heard + used, sizeof heard - used, "%s%s", used > 0 ? " " : "", word);
    }
}

static void keys(const char *text)
{
    for (; *text != '\0'; text++) {
        menu_key(&menu, *text, &actions);
        note();
    }
}

static void checked(enum menu_answer answer, uint32_t others)
{
    menu_checked(&menu, answer, others, &actions);
    note();
}

#define HEARD(text)                                                                                \
    do {                                                                                           \
        assert_string_equal(heard, text);                                                          \
        heard[0] = '\0';                                                                           \
    } while (0)

static int begin(void **state)
{
    (void)state;
    heard[0] = '\0';
    menu_begin(&menu, &actions);
    note();
    HEARD("welcome pin");
    return 0;
}

static void test_pin_lets_in(void **state)
{
    (void)state;
    keys("123456789#");
    HEARD("stop check:123456789");
    checked(MENU_FOUND_IN, 0);
    HEARD("stop first");
    (void)begin(state);
    keys("99*12#");
    HEARD("stop stop check:12");
    checked(MENU_FOUND_IN, 3);
    HEARD("stop joined");
}

static void test_three_wrong_pins_end_the_call(void **state)
{
    (void)state;
    keys("1#");
    checked(MENU_WRONG, 0);
    keys("2#");
    checked(MENU_WRONG, 0);
    HEARD("stop check:1 wrong pin stop check:2 wrong pin");
    keys("3#");
    checked(MENU_WRONG, 0);
    HEARD("stop check:3 stop wrong goodbye hang_up");
    keys("4#");
    HEARD("");
}

static void test_a_pin_too_long_is_cut_not_written_past(void **state)
{
    (void)state;
    keys("1234567890123456789012345#");
    HEARD("stop check:1234567890123456");
}

static void test_locked_and_lobby(void **state)
{
    keys("1#");
    checked(MENU_LOCKED, 0);
    HEARD("stop check:1 stop locked goodbye hang_up");
    (void)begin(state);
    keys("1#");
    checked(MENU_FOUND_WAITING, 2);
    keys("*6*9");
    HEARD("stop check:1 waiting");
    menu_admitted(&menu, 2, &actions);
    note();
    HEARD("stop joined");
    (void)begin(state);
    keys("1#");
    checked(MENU_FOUND_WAITING, 2);
    keys("*#");
    HEARD("stop check:1 waiting stop goodbye hang_up");
}

static void test_in_the_meeting(void **state)
{
    (void)state;
    keys("1#");
    checked(MENU_FOUND_IN, 1);
    heard[0] = '\0';
    keys("6**66*6");
    HEARD("mute+ muted mute- unmuted");
    keys("*9*9");
    HEARD("hand+ hand_up hand- hand_down");
    keys("*5*5*4*0*1");
    HEARD("gain:3 gain:6 gain:3 stop help people?");
    menu_counted(&menu, 120, &actions);
    note();
    HEARD("count 1 2 0");
    menu_host_muted(&menu, &actions);
    note();
    menu_asked_unmute(&menu, &actions);
    note();
    keys("*6");
    HEARD("mute+ host_muted asked mute- unmuted");
    keys("*#");
    HEARD("stop goodbye hang_up");
}

static void test_silence_asks_once_more(void **state)
{
    (void)state;
    menu_silence(&menu, &actions);
    note();
    menu_silence(&menu, &actions);
    note();
    HEARD("pin stop goodbye hang_up");
}

static void test_removed(void **state)
{
    (void)state;
    keys("1#");
    checked(MENU_FOUND_IN, 1);
    heard[0] = '\0';
    menu_removed(&menu, &actions);
    note();
    HEARD("stop removed goodbye hang_up");
}

static void test_whom_we_call_presses_1(void **state)
{
    (void)state;
    menu_invite(&menu, "", &actions);
    note();
    menu_silence(&menu, &actions);
    note();
    HEARD("invited press_1 invited press_1");
    keys("2*#0");
    HEARD("");
    keys("1");
    HEARD("stop join");
    keys("1");
    HEARD("");
    checked(MENU_FOUND_IN, 2);
    HEARD("stop joined");
    menu_invite(&menu, "", &actions);
    note();
    keys("1");
    checked(MENU_FAILED, 0); /* the meeting has ended meanwhile */
    HEARD("invited press_1 stop join stop goodbye hang_up");
}

/* Once, after how to join: who knows us presses before it is over. */
static void test_whom_we_call_hears_our_number(void **state)
{
    (void)state;
    menu_invite(&menu, "+4930125", &actions);
    note();
    menu_silence(&menu, &actions);
    note();
    HEARD("invited press_1 called_from 4 9 3 0 1 2 5 invited press_1");
    menu_invite(&menu, "+123456789012345", &actions);
    assert_int_equal(actions.count, 3 + MENU_NUMBER_MAX);
    menu_invite(&menu, "anonymous", &actions);
    assert_int_equal(actions.count, 2);
}

static void polled(uint8_t answers)
{
    menu_poll(&menu, answers, &actions);
    note();
}

static void test_votes(void **state)
{
    (void)state;
    keys("1#");
    checked(MENU_FOUND_IN, 1);
    heard[0] = '\0';
    keys("*8");
    polled(0);
    keys("1");
    HEARD("poll? stop poll_none");
    menu_poll_opened(&menu, &actions);
    note();
    keys("*8");
    polled(3);
    keys("9"); /* there is no ninth */
    keys("2");
    menu_voted(&menu, true, &actions);
    note();
    keys("2");
    HEARD("poll_open poll? stop poll stop poll stop vote:2 voted");
    keys("*8");
    polled(10);
    keys("0");
    HEARD("poll? stop poll stop vote:10");
    keys("*8");
    polled(3);
    keys("*61"); /* muting is no vote, and ends it */
    HEARD("poll? stop poll mute+ muted");
}

/* *83 before it is known how many answers there are. */
static void test_a_vote_typed_in_one_go(void **state)
{
    (void)state;
    keys("1#");
    checked(MENU_FOUND_IN, 1);
    heard[0] = '\0';
    keys("*83");
    polled(3);
    HEARD("poll? stop vote:3");
    keys("*89");
    polled(3); /* there is no ninth: another one may follow */
    keys("1");
    HEARD("poll? stop poll stop vote:1");
    keys("*82");
    polled(0);
    HEARD("poll? stop poll_none");
    keys("*8");
    polled(3); /* the 2 before it is forgotten */
    HEARD("poll? stop poll");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pin_lets_in, begin),
        cmocka_unit_test_setup(test_three_wrong_pins_end_the_call, begin),
        cmocka_unit_test_setup(test_a_pin_too_long_is_cut_not_written_past, begin),
        cmocka_unit_test_setup(test_locked_and_lobby, begin),
        cmocka_unit_test_setup(test_in_the_meeting, begin),
        cmocka_unit_test_setup(test_silence_asks_once_more, begin),
        cmocka_unit_test_setup(test_removed, begin),
        cmocka_unit_test_setup(test_whom_we_call_presses_1, begin),
        cmocka_unit_test_setup(test_whom_we_call_hears_our_number, begin),
        cmocka_unit_test_setup(test_votes, begin),
        cmocka_unit_test_setup(test_a_vote_typed_in_one_go, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
