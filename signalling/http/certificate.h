/*
 * signalling/http/certificate.h - the TLS side of the HTTPS port: OpenSSL contexts from
 * the operator's files, or from a self-signed pair that is made when there is none.
 * Any thread.
 */
#ifndef SIGNALLING_HTTP_CERTIFICATE_H
#define SIGNALLING_HTTP_CERTIFICATE_H

#include "core/status.h"

#include <openssl/types.h>
#include <stddef.h>

enum {
    CERTIFICATE_DAYS = 397,      /* the longest that browsers take */
    CERTIFICATE_RENEW_DAYS = 30, /* a self-signed one with less left is made anew */
    CERTIFICATE_PATH_MAX = 4096,
};

/*
 * A context that speaks TLS 1.2 and 1.3 and, by ALPN (RFC 7301), http/1.1 only. certificate
 * and key NULL: the self-signed pair (ECDSA P-256; localhost and this host's names and
 * addresses) in `directory`, made when absent or near its end, key mode 0600.
 * Errors: STATUS_INVALID (file unreadable, not PEM, key does not fit: ret_error names it),
 * STATUS_IO (directory), STATUS_NO_MEMORY. The caller frees with SSL_CTX_free.
 */
MUST_USE enum status certificate_context(const char *certificate, const char *key,
                                         const char *directory, SSL_CTX **ret_context,
                                         char *ret_error, size_t error_size);

#endif
