/*
 * modules/phone/dialing.h - whom one may call: what was typed becomes a number in E.164 or a SIP
 * address, and prefixes decide. Nothing is allowed that the operator did not allow.
 *
 * The longest prefix that fits decides, of phone.out.allow, phone.out.deny and the list that is
 * shipped (denied.c: premium, satellite, other shared-cost ranges). Between equal ones the
 * operator's deny goes before the operator's allow, which goes before the shipped list.
 *
 * No state but the constant rules; any thread.
 */
#ifndef MODULES_PHONE_DIALING_H
#define MODULES_PHONE_DIALING_H

#include "core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DIALING_DIGITS_MIN = 7,   /* no shorter number is a subscriber's; emergency numbers are not */
    DIALING_DIGITS_MAX = 15,  /* ITU-T E.164 6.2.1 */
    DIALING_TEXT_MAX = 128,   /* bytes of what is typed, and of a target */
    DIALING_PREFIX_MAX = 8,   /* digits of a prefix */
    DIALING_RULES_MAX = 1000, /* of one list */
    DIALING_MICRO = 1000000,  /* costs are in millionths of the operator's unit of money */
};

/* As configured; the lists are borrowed. */
struct dialing_config {
    const char *country;       /* "49": of numbers written without +; "": those are refused */
    struct config_list allow;  /* "+49", "sip:example.org" */
    struct config_list deny;   /* the same */
    struct config_list rates;  /* "+49=0.02": a minute */
    struct config_list budget; /* "+49=5", "*=20": a day */
};

/* Why not; `code` is what clients translate. X(NAME, "code", "text") */
#define DIALING_LIST(X)                                                                            \
    X(OK, "ok", "")                                                                                \
    X(OFF, "dial_off", "calling out is not allowed on this server")                                \
    X(FORMAT, "dial_format", "this is no telephone number and no SIP address")                     \
    X(COUNTRY, "dial_country", "write the number with + and its country code")                     \
    X(PREFIX, "dial_prefix", "numbers that begin so may not be called")                            \
    X(RATE, "dial_rate", "there is no rate for this number")                                       \
    X(BUSY, "dial_lines", "all lines are in use")                                                  \
    X(HOUR, "dial_hour", "you have made too many calls in the last hour")                          \
    X(COST, "dial_cost", "today's budget for calls is used up")                                    \
    X(RIGHT, "dial_right", "only hosts may call")

enum dialing_answer {
#define DIALING_ENUM(name, code, text) DIALING_##name,
    DIALING_LIST(DIALING_ENUM)
#undef DIALING_ENUM
};

const char *dialing_code(enum dialing_answer answer);
const char *dialing_text(enum dialing_answer answer);

struct dialing_target {
    bool sip;
    char number[DIALING_TEXT_MAX];       /* "+4930123456", or "sip:ann@example.org" */
    int64_t rate;                        /* millionths a minute */
    char prefix[DIALING_PREFIX_MAX + 2]; /* of the budget that counts; "" none but the total */
    int64_t budget, budget_all;          /* millionths a day; -1: no limit */
};

/* Whether the operator lets anybody be called. */
bool dialing_on(const struct dialing_config *config);
/* What was typed, in E.164; with the country's own prefixes. Errors: DIALING_FORMAT,
 * DIALING_COUNTRY. */
enum dialing_answer dialing_number(const char *country, const char *typed,
                                   char ret_number[DIALING_TEXT_MAX]);
/* `ret_target` has what is known of it also when it is refused: for the record. */
enum dialing_answer dialing_check(const struct dialing_config *config, const char *typed,
                                  struct dialing_target *ret_target);
/* Whether every entry can be read; *ret_bad: the one that cannot. For the server's start. */
bool dialing_config_valid(const struct dialing_config *config, const char **ret_bad);

/* Ranges nobody calls by mistake and fraud lives from; ends with NULL. */
extern const char *const dialing_denied[];

#endif
