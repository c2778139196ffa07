/*
 * modules/phone/menu.h - the voice menu of one caller: which prompt follows which key.
 *
 * A state machine without clock, storage or sound: what happens comes in by calls, what is to be
 * done comes out as actions, in order. A PIN is asked for, the answer comes by menu_checked.
 * Thread: the caller's of the call; nothing is shared.
 */
#ifndef MODULES_PHONE_MENU_H
#define MODULES_PHONE_MENU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MENU_PIN_MAX = 16,       /* digits */
    MENU_ATTEMPTS_MAX = 3,   /* wrong PINs that end the call */
    MENU_NUMBER_MAX = 15,    /* digits of ours that whom we called is told */
    MENU_ACTIONS_MAX = 20,   /* of one event: such a number has the most */
    MENU_SILENCE_MS = 20000, /* without a key in the menu: asked again, then hung up */
    MENU_INVITE_MS = 8000,   /* without a key by whom we called: asked again */
    MENU_ANSWERS_MAX = 10,   /* of a poll: 0 is the tenth */
    MENU_GAIN_STEP_DB = 3,
};

/* Each has a recording, named so: docs/design/phone.md. X(NAME, "file") */
#define MENU_PROMPT_LIST(X)                                                                        \
    X(WELCOME, "welcome")                                                                          \
    X(PIN, "pin")                                                                                  \
    X(WRONG, "wrong")                                                                              \
    X(LOCKED, "locked")                                                                            \
    X(WAITING, "waiting")                                                                          \
    X(FIRST, "first")                                                                              \
    X(JOINED, "joined")                                                                            \
    X(MUTED, "muted")                                                                              \
    X(UNMUTED, "unmuted")                                                                          \
    X(HOST_MUTED, "host_muted")                                                                    \
    X(ASKED, "asked")                                                                              \
    X(HAND_UP, "hand_up")                                                                          \
    X(HAND_DOWN, "hand_down")                                                                      \
    X(COUNT, "count")                                                                              \
    X(HELP, "help")                                                                                \
    X(INVITED, "invited")                                                                          \
    X(PRESS_1, "press_1")                                                                          \
    X(CALLED_FROM, "called_from")                                                                  \
    X(POLL_OPEN, "poll_open")                                                                      \
    X(POLL, "poll")                                                                                \
    X(POLL_NONE, "poll_none")                                                                      \
    X(VOTED, "voted")                                                                              \
    X(REMOVED, "removed")                                                                          \
    X(GOODBYE, "goodbye")                                                                          \
    X(0, "0")                                                                                      \
    X(1, "1")                                                                                      \
    X(2, "2")                                                                                      \
    X(3, "3")                                                                                      \
    X(4, "4")                                                                                      \
    X(5, "5")                                                                                      \
    X(6, "6")                                                                                      \
    X(7, "7")                                                                                      \
    X(8, "8")                                                                                      \
    X(9, "9")

enum menu_prompt {
#define MENU_PROMPT_ENUM(name, file) MENU_PROMPT_##name,
    MENU_PROMPT_LIST(MENU_PROMPT_ENUM)
#undef MENU_PROMPT_ENUM
        MENU_PROMPTS
};

enum menu_do {
    MENU_PLAY,    /* prompt */
    MENU_STOP,    /* what is playing and waiting */
    MENU_CHECK,   /* menu->pin: then menu_checked */
    MENU_MUTE,    /* on */
    MENU_HAND,    /* on */
    MENU_COUNT,   /* how many are here: then menu_counted */
    MENU_GAIN,    /* db */
    MENU_JOIN,    /* who was called presses 1: then menu_checked */
    MENU_POLL,    /* is one open? then menu_poll */
    MENU_VOTE,    /* number: the answer, from 1; then menu_voted */
    MENU_HANG_UP, /* when what is queued has been heard */
};

struct menu_action {
    enum menu_do what;
    enum menu_prompt prompt;
    bool on;
    int8_t db;
    uint8_t number;
};

struct menu_actions {
    struct menu_action items[MENU_ACTIONS_MAX];
    size_t count;
};

enum menu_answer {
    MENU_FOUND_IN,      /* in the meeting now */
    MENU_FOUND_WAITING, /* in its lobby */
    MENU_WRONG,         /* no meeting of that PIN, ended ones too */
    MENU_LOCKED,
    MENU_FAILED, /* could not be asked, or full */
};

struct menu {
    enum {
        MENU_AT_PIN,
        MENU_AT_INVITE, /* we called: 1 joins */
        MENU_AT_CHECK,
        MENU_AT_LOBBY,
        MENU_AT_MEETING,
        MENU_AT_END
    } at;
    char pin[MENU_PIN_MAX + 1];
    size_t pin_length;
    uint8_t attempts;
    bool silent; /* was asked again once */
    bool star;   /* the key before was * */
    bool muted, hand;
    bool polling;    /* MENU_POLL is asked */
    char early;      /* a digit typed meanwhile; 0: none */
    uint8_t answers; /* of the poll whose answer is awaited; 0: none */
    int8_t gain_db;
};

/* The call is answered. */
void menu_begin(struct menu *menu, struct menu_actions *ret_actions);
/* Whom we called has answered. `number`: ours, "+49301234567", told once; "": it is not. */
void menu_invite(struct menu *menu, const char *number, struct menu_actions *ret_actions);
void menu_key(struct menu *menu, char key, struct menu_actions *ret_actions);
/* Nothing was pressed for MENU_SILENCE_MS. */
void menu_silence(struct menu *menu, struct menu_actions *ret_actions);
/* `others`: how many were in the meeting before. */
void menu_checked(struct menu *menu, enum menu_answer answer, uint32_t others,
                  struct menu_actions *ret_actions);
void menu_admitted(struct menu *menu, uint32_t others, struct menu_actions *ret_actions);
/* A host did it. */
void menu_host_muted(struct menu *menu, struct menu_actions *ret_actions);
void menu_asked_unmute(struct menu *menu, struct menu_actions *ret_actions);
/* Removed, or the meeting has ended. */
void menu_removed(struct menu *menu, struct menu_actions *ret_actions);
/* A poll was opened. */
void menu_poll_opened(struct menu *menu, struct menu_actions *ret_actions);
/* The answer to MENU_POLL; 0: none is open. */
void menu_poll(struct menu *menu, uint8_t answers, struct menu_actions *ret_actions);
void menu_voted(struct menu *menu, bool counted, struct menu_actions *ret_actions);
void menu_counted(struct menu *menu, uint32_t people, struct menu_actions *ret_actions);

#endif
