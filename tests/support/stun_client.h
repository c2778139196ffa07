/*
 * tests/support/stun_client.h - writes STUN messages attribute by attribute, right or
 * wrong as the test wants, and reads replies. Its HMAC and CRC are not libnice's.
 */
#ifndef TESTS_SUPPORT_STUN_CLIENT_H
#define TESTS_SUPPORT_STUN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STUN_CLIENT_MAX = 2048 };

struct stun_text {
    uint8_t bytes[STUN_CLIENT_MAX];
    size_t length;
};

/* A binding request with this transaction id and no attributes. */
void stun_text_begin(struct stun_text *text, const uint8_t transaction[12]);
void stun_text_add(struct stun_text *text, uint16_t type, const void *value, size_t length);
void stun_text_integrity(struct stun_text *text, const char *password);
void stun_text_fingerprint(struct stun_text *text);

/* A whole check of a controlling agent: USERNAME, ICE-CONTROLLING, PRIORITY, USE-CANDIDATE when
 * `nominate`, MESSAGE-INTEGRITY, FINGERPRINT. */
void stun_text_check(struct stun_text *text, const char *username, const char *password,
                     bool nominate);

/* The value of an attribute; NULL when absent. */
const uint8_t *stun_reply_find(const uint8_t *reply, size_t length, uint16_t type,
                               size_t *ret_length);
/* Whether MESSAGE-INTEGRITY is there and right, and FINGERPRINT. */
bool stun_reply_signed(const uint8_t *reply, size_t length, const char *password);
bool stun_reply_fingerprinted(const uint8_t *reply, size_t length);
/* ERROR-CODE as a number; 0: none. */
int stun_reply_error(const uint8_t *reply, size_t length);

#endif
