/*
 * modules/phone/national.h - what people put before a number at home: the prefix of calls within
 * their country, and the one of calls abroad.
 *
 * Constant tables; any thread. `country`: a country code, "49".
 */
#ifndef MODULES_PHONE_NATIONAL_H
#define MODULES_PHONE_NATIONAL_H

#include <stdbool.h>

/*
 * Where the number begins in `digits`, which was written for a call within the country. Only of a
 * country that is known to have a prefix one is left out; all others keep every digit.
 */
const char *national_number(const char *country, const char *digits);
/*
 * What calls abroad begin with, "00". *ret_carrier: a carrier is chosen with it, in some way or
 * other, so that the number behind it cannot be told.
 */
const char *national_abroad(const char *country, bool *ret_carrier);

#endif
