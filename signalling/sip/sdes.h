/*
 * signalling/sip/sdes.h - a=crypto lines (RFC 4568 9.1). Any thread.
 */
#ifndef SIGNALLING_SIP_SDES_H
#define SIGNALLING_SIP_SDES_H

#include "core/status.h"
#include "media/leg.h"

#include <stddef.h>

enum { SDES_LINE_MAX = 128 /* bytes of one that we write */ };

/*
 * "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31". Errors: STATUS_INVALID, STATUS_UNSUPPORTED (another
 * suite, an MKI, several keys, session parameters that switch protection off).
 */
MUST_USE enum status sdes_read(const char *value, int *ret_tag, enum media_leg_suite *ret_suite,
                               uint8_t ret_key[MEDIA_LEG_KEY_MAX]);
void sdes_write(int tag, enum media_leg_suite suite, const uint8_t key[MEDIA_LEG_KEY_MAX],
                char ret_value[SDES_LINE_MAX]);

#endif
