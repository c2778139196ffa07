/*
 * The prefixes as national numbering plans have them (ITU-T E.164, "List of dialling procedures"),
 * compared with libphonenumber's of November 2026. Which countries have none is not listed: there
 * a 0 in front is a digit of the number, as in Italy, or nobody writes one.
 */
#include "modules/phone/national.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Calls within the country begin with 0. */
static const uint16_t zero[] = {
    20,  27,  31,  32,  33,  40,  41,  43,  44,  46,  49,  51,  53,  54,  55,  57,  58,  60,
    61,  62,  63,  64,  66,  81,  82,  84,  86,  90,  91,  92,  93,  94,  95,  98,  211, 212,
    213, 218, 231, 232, 233, 234, 243, 249, 250, 251, 252, 254, 255, 256, 260, 261, 262, 263,
    264, 265, 291, 353, 355, 358, 359, 370, 373, 374, 377, 380, 381, 382, 383, 385, 386, 387,
    389, 421, 423, 508, 590, 591, 593, 594, 595, 596, 598, 686, 850, 855, 856, 880, 886, 961,
    962, 963, 964, 966, 967, 970, 971, 972, 976, 977, 994, 995, 996,
};

/* With something else; the first that fits. */
static const struct {
    uint16_t country;
    const char *prefix;
} others[] = {
    {1, "1"}, {692, "1"}, {36, "06"}, {7, "8"}, {993, "8"}, {375, "80"}, {375, "8"},
};

/* Calls abroad, where it is not 00. */
static const struct {
    uint16_t country;
    const char *prefix;
} abroad[] = {
    {1, "011"},   {692, "011"}, {7, "810"},   {375, "810"}, {992, "810"},
    {993, "810"}, {53, "119"},  {61, "0011"}, {81, "010"},  {234, "009"},
    {254, "000"}, {255, "000"}, {256, "000"}, {592, "001"}, {976, "001"},
};

/* Abroad by a carrier that the caller chooses, all of them behind 00 or 0. */
static const uint16_t carriers[] = {55, 56, 57, 62, 65, 66, 82, 852, 855, 886};

static bool among(const uint16_t *list, size_t count, uint16_t country)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == country)
            return true;
    }
    return false;
}

static uint16_t code_of(const char *country)
{
    return (uint16_t)strtoul(country, NULL, 10);
}

const char *national_number(const char *country, const char *digits)
{
    uint16_t code = code_of(country);
    if (among(zero, sizeof zero / sizeof zero[0], code))
        return digits[0] == '0' ? digits + 1 : digits;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        size_t length = strlen(others[i].prefix);
        if (others[i].country == code && strncmp(digits, others[i].prefix, length) == 0)
            return digits + length;
    }
    return digits;
}

const char *national_abroad(const char *country, bool *ret_carrier)
{
    uint16_t code = code_of(country);
    *ret_carrier = among(carriers, sizeof carriers / sizeof carriers[0], code);
    for (size_t i = 0; i < sizeof abroad / sizeof abroad[0]; i++) {
        if (abroad[i].country == code)
            return abroad[i].prefix;
    }
    return "00";
}
