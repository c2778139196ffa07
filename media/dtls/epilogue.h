/*
 * media/dtls/epilogue.h - what is left of a DTLS 1.2 connection once its handshake is
 * over and SRTP is keyed: alerts. Read and written here from the record keys alone, so
 * that OpenSSL's 58 KiB per connection need not be kept for a whole meeting.
 *
 * Only AEAD suites (RFC 5288, RFC 7905). Private to media/dtls. Thread: the owner's.
 */
#ifndef MEDIA_DTLS_EPILOGUE_H
#define MEDIA_DTLS_EPILOGUE_H

#include "core/status.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EPILOGUE_KEY_MAX = 32,
    EPILOGUE_IV_MAX = 12,
    EPILOGUE_RECORD_MAX = 64,  /* bytes: an alert with header, explicit nonce and tag has 39 */
    EPILOGUE_CLOSE_NOTIFY = 0, /* RFC 5246 7.2 */
    EPILOGUE_FATAL = 2,
};

struct epilogue {
    int cipher; /* NID */
    uint8_t client_key[EPILOGUE_KEY_MAX], server_key[EPILOGUE_KEY_MAX];
    uint8_t client_iv[EPILOGUE_IV_MAX], server_iv[EPILOGUE_IV_MAX];
};

struct epilogue_alert {
    uint8_t level, description;
};

/* Derives the record keys of a finished handshake in which we were the server. Errors:
 * STATUS_UNSUPPORTED (not DTLS 1.2 with an AEAD suite), STATUS_INTERNAL. */
MUST_USE enum status epilogue_take(SSL *ssl, struct epilogue *ret_epilogue);

/* The first authentic alert in a datagram from the client that ends the connection: fatal, or
 * close_notify. False: there is none; anything else is dropped (RFC 6347 4.1.2.7). */
bool epilogue_read(const struct epilogue *epilogue, const uint8_t *bytes, size_t length,
                   struct epilogue_alert *ret_alert);

/* A close_notify for the client; once per connection. Errors: STATUS_INTERNAL. */
MUST_USE enum status epilogue_close(const struct epilogue *epilogue,
                                    uint8_t ret_record[EPILOGUE_RECORD_MAX], size_t *ret_length);

#endif
