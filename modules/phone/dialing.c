#include "modules/phone/dialing.h"

#include "modules/phone/national.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const codes[] = {
#define DIALING_CODE(name, code, text) [DIALING_##name] = (code),
    DIALING_LIST(DIALING_CODE)
#undef DIALING_CODE
};

static const char *const texts[] = {
#define DIALING_WORDS(name, code, text) [DIALING_##name] = (text),
    DIALING_LIST(DIALING_WORDS)
#undef DIALING_WORDS
};

const char *dialing_code(enum dialing_answer answer)
{
    return codes[answer];
}

const char *dialing_text(enum dialing_answer answer)
{
    return texts[answer];
}

bool dialing_on(const struct dialing_config *config)
{
    return config->allow.count > 0;
}

/* ---- numbers ---- */

/* Digits and a leading +, what people put between them left out. */
static bool digits_take(const char *typed, char *ret_digits, size_t size)
{
    size_t used = 0;
    typed += strspn(typed, " ");
    typed += strncasecmp(typed, "tel:", 4) == 0 ? 4 : 0;
    for (; *typed != '\0'; typed++) {
        bool digit = *typed >= '0' && *typed <= '9';
        if (!digit && !(*typed == '+' && used == 0)) {
            if (strchr(" ()-./", *typed) == NULL)
                return false;
            continue;
        }
        if (used + 1 == size)
            return false;
        ret_digits[used++] = *typed;
    }
    ret_digits[used] = '\0';
    return used > 0;
}

enum dialing_answer dialing_number(const char *country, const char *typed,
                                   char ret_number[DIALING_TEXT_MAX])
{
    char digits[DIALING_DIGITS_MAX + 8], number[DIALING_TEXT_MAX + 1];
    bool carrier;
    const char *abroad = national_abroad(country, &carrier);
    if (!digits_take(typed, digits, sizeof digits))
        return DIALING_FORMAT;
    if (digits[0] == '+') {
        snprintf(number, sizeof number, "%s", digits);
    } else if (country[0] == '\0') {
        return DIALING_COUNTRY;
    } else if (strncmp(digits, abroad, strlen(abroad)) == 0) {
        if (carrier)
            return DIALING_COUNTRY;
        snprintf(number, sizeof number, "+%s", digits + strlen(abroad));
    } else {
        snprintf(number, sizeof number, "+%.3s%s", country, national_number(country, digits));
    }
    size_t length = strlen(number) - 1;
    if (length < DIALING_DIGITS_MIN || length > DIALING_DIGITS_MAX || number[1] == '0')
        return DIALING_FORMAT;
    memcpy(ret_number, number, DIALING_TEXT_MAX);
    return DIALING_OK;
}

/* ---- SIP addresses ---- */

/* "sip:ann@example.org", "ann@example.org": no parameters, no port, no password. */
static bool address_take(const char *typed, char ret_address[DIALING_TEXT_MAX])
{
    static const char host_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    static const char user_letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    char host[61];
    const char *user = strncasecmp(typed, "sip:", 4) == 0 ? typed + 4 : typed;
    const char *at = strchr(user, '@');
    size_t length = at != NULL ? (size_t)(at - user) : 0, used = 0;
    if (length == 0 || length > 64 || strspn(user, user_letters) != length)
        return false;
    for (const char *from = at + 1; *from != '\0'; from++) {
        char letter = *from >= 'A' && *from <= 'Z' ? (char)(*from + 32) : *from;
        if (used + 1 == sizeof host || strchr(host_letters, letter) == NULL)
            return false;
        host[used++] = letter;
    }
    host[used] = '\0';
    if (used == 0 || host[0] == '.' || host[0] == '-')
        return false;
    snprintf(ret_address, DIALING_TEXT_MAX, "sip:%.*s@%s", (int)length, user, host);
    return true;
}

/* Whether the user part is a telephone number: then the gateway at that address may dial it. */
static bool user_is_number(const char *address, char ret_typed[DIALING_TEXT_MAX])
{
    const char *user = address + 4;
    size_t length = strcspn(user, "@");
    snprintf(ret_typed, DIALING_TEXT_MAX, "%.*s", (int)length, user);
    return strspn(ret_typed, "+0123456789.-") == length && length >= DIALING_DIGITS_MIN;
}

/* ---- rules ---- */

/* Digits of the prefix that fits; -1: it does not. */
static int fits(const char *rule, const char *number)
{
    size_t length = strlen(rule);
    return strncmp(rule, number, length) == 0 ? (int)length : -1;
}

static int longest(const struct config_list *list, const char *number)
{
    int most = -1;
    for (size_t i = 0; i < list->count; i++) {
        int length = list->items[i][0] == '+' ? fits(list->items[i], number) : -1;
        most = length > most ? length : most;
    }
    return most;
}

static int longest_shipped(const char *number)
{
    int most = -1;
    for (size_t i = 0; dialing_denied[i] != NULL; i++) {
        int length = fits(dialing_denied[i], number);
        most = length > most ? length : most;
    }
    return most;
}

static bool number_allowed(const struct dialing_config *config, const char *number)
{
    int allow = longest(&config->allow, number);
    return allow > 0 && longest(&config->deny, number) < allow && longest_shipped(number) <= allow;
}

static bool named(const struct config_list *list, const char *host)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strncasecmp(list->items[i], "sip:", 4) == 0 &&
            strcasecmp(list->items[i] + 4, host) == 0)
            return true;
    }
    return false;
}

static bool address_allowed(const struct dialing_config *config, const char *address)
{
    char typed[DIALING_TEXT_MAX], number[DIALING_TEXT_MAX];
    const char *host = strchr(address, '@') + 1;
    if (!named(&config->allow, host) || named(&config->deny, host))
        return false;
    return !user_is_number(address, typed) ||
           (dialing_number(config->country, typed, number) == DIALING_OK &&
            number_allowed(config, number));
}

/* "0.02" in millionths. */
static bool amount_read(const char *text, int64_t *ret_amount)
{
    int64_t amount = 0, unit = DIALING_MICRO;
    bool point = false;
    if (*text < '0' || *text > '9')
        return false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9' || amount > INT64_MAX / 1000 / DIALING_MICRO ||
            (point && unit == 1))
            return false;
        amount = point ? amount + (*text - '0') * (unit /= 10)
                       : amount * 10 + (int64_t)(*text - '0') * DIALING_MICRO;
    }
    *ret_amount = amount;
    return true;
}

/* The amount of the longest prefix before '=' that fits; false: none. */
static bool amount_of(const struct config_list *list, const char *number,
                      char ret_prefix[DIALING_PREFIX_MAX + 2], int64_t *ret_amount)
{
    int most = -1;
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');
        int length = equals != NULL ? (int)(equals - list->items[i]) : 0;
        if (length <= most || length > DIALING_PREFIX_MAX + 1 || list->items[i][0] != '+' ||
            strncmp(list->items[i], number, (size_t)length) != 0 ||
            !amount_read(equals + 1, ret_amount))
            continue;
        most = length;
        snprintf(ret_prefix, DIALING_PREFIX_MAX + 2, "%.*s", length, list->items[i]);
    }
    return most > 0;
}

static void budget_find(const struct dialing_config *config, struct dialing_target *target)
{
    target->budget = target->budget_all = -1;
    for (size_t i = 0; i < config->budget.count; i++) {
        if (strncmp(config->budget.items[i], "*=", 2) == 0)
            (void)!amount_read(config->budget.items[i] + 2, &target->budget_all);
    }
    if (!amount_of(&config->budget, target->number, target->prefix, &target->budget)) {
        target->budget = -1;
        target->prefix[0] = '\0';
    }
}

enum dialing_answer dialing_check(const struct dialing_config *config, const char *typed,
                                  struct dialing_target *ret_target)
{
    struct dialing_target *target = ret_target;
    char prefix[DIALING_PREFIX_MAX + 2];
    *target = (struct dialing_target){.sip = strchr(typed, '@') != NULL};
    enum dialing_answer answer = DIALING_FORMAT;
    if (!target->sip)
        answer = dialing_number(config->country, typed, target->number);
    else if (address_take(typed, target->number))
        answer = DIALING_OK;
    if (!dialing_on(config))
        return DIALING_OFF;
    if (answer != DIALING_OK)
        return answer;
    if (target->sip ? !address_allowed(config, target->number)
                    : !number_allowed(config, target->number))
        return DIALING_PREFIX;
    budget_find(config, target);
    bool rated = amount_of(&config->rates, target->number, prefix, &target->rate);
    /* What a call costs must be known where costs are limited. */
    if (!rated && !target->sip && (target->budget >= 0 || target->budget_all >= 0))
        return DIALING_RATE;
    return DIALING_OK;
}

static bool prefix_valid(const char *text, size_t length)
{
    return length >= 2 && length <= DIALING_PREFIX_MAX + 1 && text[0] == '+' &&
           strspn(text + 1, "0123456789") >= length - 1;
}

static bool rule_valid(const char *text)
{
    return prefix_valid(text, strlen(text)) || (strncasecmp(text, "sip:", 4) == 0 && text[4] != 0);
}

static bool priced_valid(const char *text, bool total)
{
    int64_t amount;
    const char *equals = strchr(text, '=');
    return equals != NULL && amount_read(equals + 1, &amount) &&
           (prefix_valid(text, (size_t)(equals - text)) || (total && strncmp(text, "*=", 2) == 0));
}

bool dialing_config_valid(const struct dialing_config *config, const char **ret_bad)
{
    const struct config_list *lists[] = {&config->allow, &config->deny, &config->rates,
                                         &config->budget};
    for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
        for (size_t i = 0; i < lists[list]->count; i++) {
            *ret_bad = lists[list]->items[i];
            if (i >= DIALING_RULES_MAX ||
                !(list < 2 ? rule_valid(*ret_bad) : priced_valid(*ret_bad, list == 3)))
                return false;
        }
    }
    *ret_bad = config->country;
    return strspn(config->country, "0123456789") == strlen(config->country) &&
           strlen(config->country) <= 3;
}
