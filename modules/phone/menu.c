#include "modules/phone/menu.h"

#include <stdio.h>
#include <string.h>

enum { GAIN_MOST_DB = 18 };

static void act(struct menu_actions *actions, struct menu_action action)
{
    if (actions->count < MENU_ACTIONS_MAX)
        actions->items[actions->count++] = action;
}

static void play(struct menu_actions *actions, enum menu_prompt prompt)
{
    act(actions, (struct menu_action){.what = MENU_PLAY, .prompt = prompt});
}

static void stop(struct menu_actions *actions)
{
    act(actions, (struct menu_action){.what = MENU_STOP});
}

static void end_with(struct menu *menu, enum menu_prompt prompt, struct menu_actions *actions)
{
    menu->at = MENU_AT_END;
    stop(actions);
    play(actions, prompt);
    if (prompt != MENU_PROMPT_GOODBYE)
        play(actions, MENU_PROMPT_GOODBYE);
    act(actions, (struct menu_action){.what = MENU_HANG_UP});
}

static void pin_ask(struct menu *menu, struct menu_actions *actions)
{
    menu->at = MENU_AT_PIN;
    menu->pin_length = 0;
    menu->pin[0] = '\0';
    play(actions, MENU_PROMPT_PIN);
}

void menu_begin(struct menu *menu, struct menu_actions *ret_actions)
{
    *menu = (struct menu){.at = MENU_AT_PIN};
    *ret_actions = (struct menu_actions){0};
    play(ret_actions, MENU_PROMPT_WELCOME);
    pin_ask(menu, ret_actions);
}

static void spell(const char *digits, struct menu_actions *actions)
{
    for (const char *digit = digits; *digit != '\0'; digit++)
        play(actions, (enum menu_prompt)(MENU_PROMPT_0 + (*digit - '0')));
}

static void invite_say(struct menu_actions *actions)
{
    play(actions, MENU_PROMPT_INVITED);
    play(actions, MENU_PROMPT_PRESS_1);
}

void menu_invite(struct menu *menu, const char *number, struct menu_actions *ret_actions)
{
    char digits[MENU_NUMBER_MAX + 1];
    *menu = (struct menu){.at = MENU_AT_INVITE};
    *ret_actions = (struct menu_actions){0};
    invite_say(ret_actions);
    snprintf(digits, sizeof digits, "%.*s", (int)strspn(number + (*number == '+'), "0123456789"),
             number + (*number == '+'));
    if (digits[0] == '\0')
        return;
    play(ret_actions, MENU_PROMPT_CALLED_FROM);
    spell(digits, ret_actions);
}

/* ---- keys ---- */

static void invite_key(struct menu *menu, char key, struct menu_actions *actions)
{
    if (key != '1')
        return;
    menu->at = MENU_AT_CHECK;
    stop(actions);
    act(actions, (struct menu_action){.what = MENU_JOIN});
}

static void pin_key(struct menu *menu, char key, struct menu_actions *actions)
{
    if (menu->pin_length == 0)
        stop(actions); /* who knows the number does not hear it out */
    if (key == '*') {
        menu->pin_length = 0; /* begins again */
        menu->pin[0] = '\0';
    } else if (key == '#') {
        menu->at = MENU_AT_CHECK;
        act(actions, (struct menu_action){.what = MENU_CHECK});
    } else if (key >= '0' && key <= '9' && menu->pin_length < MENU_PIN_MAX) {
        menu->pin[menu->pin_length++] = key;
        menu->pin[menu->pin_length] = '\0';
    }
}

static void mute_key(struct menu *menu, struct menu_actions *actions)
{
    menu->muted = !menu->muted;
    act(actions, (struct menu_action){.what = MENU_MUTE, .on = menu->muted});
    play(actions, menu->muted ? MENU_PROMPT_MUTED : MENU_PROMPT_UNMUTED);
}

static void hand_key(struct menu *menu, struct menu_actions *actions)
{
    menu->hand = !menu->hand;
    act(actions, (struct menu_action){.what = MENU_HAND, .on = menu->hand});
    play(actions, menu->hand ? MENU_PROMPT_HAND_UP : MENU_PROMPT_HAND_DOWN);
}

static void gain_key(struct menu *menu, int step_db, struct menu_actions *actions)
{
    int gain_db = menu->gain_db + step_db;
    if (gain_db > GAIN_MOST_DB || gain_db < -GAIN_MOST_DB)
        return;
    menu->gain_db = (int8_t)gain_db;
    act(actions, (struct menu_action){.what = MENU_GAIN, .db = menu->gain_db});
}

/* The digit after *8; any other key is none of the poll's. */
static bool vote_key(struct menu *menu, char key, struct menu_actions *actions)
{
    uint8_t number = key == '0' ? MENU_ANSWERS_MAX : (uint8_t)(key - '0');
    uint8_t answers = menu->answers;
    if (key < '0' || key > '9')
        return false;
    if (menu->polling) { /* typed in one go: it waits for how many answers there are */
        menu->early = key;
        return true;
    }
    if (answers == 0)
        return false;
    stop(actions);
    if (number > answers) {
        play(actions, MENU_PROMPT_POLL);
        return true;
    }
    menu->answers = 0;
    act(actions, (struct menu_action){.what = MENU_VOTE, .number = number});
    return true;
}

static void meeting_key(struct menu *menu, char key, struct menu_actions *actions)
{
    bool star = menu->star;
    menu->star = key == '*';
    if (!star) {
        if (!vote_key(menu, key, actions))
            menu->answers = 0;
        return;
    }
    switch (key) {
    case '6':
        mute_key(menu, actions);
        break;
    case '9':
        hand_key(menu, actions);
        break;
    case '1':
        act(actions, (struct menu_action){.what = MENU_COUNT});
        break;
    case '5':
        gain_key(menu, MENU_GAIN_STEP_DB, actions);
        break;
    case '4':
        gain_key(menu, -MENU_GAIN_STEP_DB, actions);
        break;
    case '8':
        menu->polling = true;
        menu->early = '\0';
        act(actions, (struct menu_action){.what = MENU_POLL});
        break;
    case '0':
        stop(actions);
        play(actions, MENU_PROMPT_HELP);
        break;
    case '#':
        end_with(menu, MENU_PROMPT_GOODBYE, actions);
        break;
    default:
        break;
    }
}

void menu_key(struct menu *menu, char key, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    menu->silent = false;
    if (menu->at == MENU_AT_PIN) {
        pin_key(menu, key, ret_actions);
    } else if (menu->at == MENU_AT_INVITE) {
        invite_key(menu, key, ret_actions);
    } else if (menu->at == MENU_AT_MEETING) {
        meeting_key(menu, key, ret_actions);
    } else if (menu->at == MENU_AT_LOBBY) { /* leaving is all one can do there */
        bool leaves = menu->star && key == '#';
        menu->star = key == '*';
        if (leaves)
            end_with(menu, MENU_PROMPT_GOODBYE, ret_actions);
    }
}

void menu_silence(struct menu *menu, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    if (menu->at == MENU_AT_INVITE)
        invite_say(ret_actions);
    if (menu->at != MENU_AT_PIN)
        return;
    if (menu->silent)
        end_with(menu, MENU_PROMPT_GOODBYE, ret_actions);
    else
        pin_ask(menu, ret_actions);
    menu->silent = true;
}

/* ---- what became of it ---- */

static void enter(struct menu *menu, uint32_t others, struct menu_actions *actions)
{
    menu->at = MENU_AT_MEETING;
    menu->star = false;
    stop(actions);
    play(actions, others == 0 ? MENU_PROMPT_FIRST : MENU_PROMPT_JOINED);
}

void menu_checked(struct menu *menu, enum menu_answer answer, uint32_t others,
                  struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    if (menu->at != MENU_AT_CHECK)
        return;
    switch (answer) {
    case MENU_FOUND_IN:
        enter(menu, others, ret_actions);
        break;
    case MENU_FOUND_WAITING:
        menu->at = MENU_AT_LOBBY;
        play(ret_actions, MENU_PROMPT_WAITING);
        break;
    case MENU_LOCKED:
        end_with(menu, MENU_PROMPT_LOCKED, ret_actions);
        break;
    case MENU_FAILED:
        end_with(menu, MENU_PROMPT_GOODBYE, ret_actions);
        break;
    case MENU_WRONG:
        if (++menu->attempts >= MENU_ATTEMPTS_MAX) {
            end_with(menu, MENU_PROMPT_WRONG, ret_actions);
        } else {
            play(ret_actions, MENU_PROMPT_WRONG);
            pin_ask(menu, ret_actions);
        }
        break;
    }
}

void menu_admitted(struct menu *menu, uint32_t others, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    if (menu->at == MENU_AT_LOBBY)
        enter(menu, others, ret_actions);
}

void menu_host_muted(struct menu *menu, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    if (menu->at != MENU_AT_MEETING || menu->muted)
        return;
    menu->muted = true;
    act(ret_actions, (struct menu_action){.what = MENU_MUTE, .on = true});
    play(ret_actions, MENU_PROMPT_HOST_MUTED);
}

void menu_asked_unmute(struct menu *menu, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    if (menu->at == MENU_AT_MEETING && menu->muted)
        play(ret_actions, MENU_PROMPT_ASKED);
}

void menu_removed(struct menu *menu, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    if (menu->at != MENU_AT_END)
        end_with(menu, MENU_PROMPT_REMOVED, ret_actions);
}

void menu_poll_opened(struct menu *menu, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    if (menu->at == MENU_AT_MEETING)
        play(ret_actions, MENU_PROMPT_POLL_OPEN);
}

void menu_poll(struct menu *menu, uint8_t answers, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    char early = menu->early;
    menu->polling = false;
    menu->early = '\0';
    if (menu->at != MENU_AT_MEETING)
        return;
    menu->answers = answers;
    if (early != '\0' && vote_key(menu, early, ret_actions))
        return;
    stop(ret_actions);
    play(ret_actions, answers > 0 ? MENU_PROMPT_POLL : MENU_PROMPT_POLL_NONE);
}

void menu_voted(struct menu *menu, bool counted, struct menu_actions *ret_actions)
{
    *ret_actions = (struct menu_actions){0};
    if (menu->at == MENU_AT_MEETING)
        play(ret_actions, counted ? MENU_PROMPT_VOTED : MENU_PROMPT_POLL_NONE);
}

void menu_counted(struct menu *menu, uint32_t people, struct menu_actions *ret_actions)
{
    char digits[16];
    *ret_actions = (struct menu_actions){0};
    if (menu->at != MENU_AT_MEETING)
        return;
    play(ret_actions, MENU_PROMPT_COUNT);
    snprintf(digits, sizeof digits, "%u", people);
    spell(digits, ret_actions);
}
