/*
 * media/dtls/dtls.h - the DTLS handshake that keys SRTP (RFC 6347, RFC 9147, RFC 5764).
 *
 * A connection is a state machine without a socket: datagrams go in by a call, come
 * out by a callback. For browsers we are always the server (a=setup:passive), so our
 * order of SRTP profiles decides: GCM-128, GCM-256, AES-CM with SHA1-80; a telephone may
 * ask us to be the client (RFC 5763 5). DTLS 1.2, and 1.3 where
 * OpenSSL has it. No renegotiation, tickets, compression or session cache; no data
 * channel, so application data is read and dropped.
 *
 * What the caller guarantees: dtls_conn_receive is called only with datagrams from an
 * address that passed an authenticated ICE check (of a phone leg: the one address that its
 * latch lets in), and what the callback gives is sent only to such an address. That is what keeps a
 * spoofed ClientHello from being answered at all, so no cookie exchange (and its round trip) is
 * made.
 *
 * Time: OpenSSL measures its own retransmission timer, so it is no argument here; a
 * caller asks dtls_conn_wait_ms after each call and calls dtls_conn_tick when it is over.
 *
 * Thread: an identity is made once and then shared by all; a connection belongs to one
 * media worker.
 */
#ifndef MEDIA_DTLS_DTLS_H
#define MEDIA_DTLS_DTLS_H

#include "core/status.h"
#include "media/media.h"
#include "media/srtp/srtp.h"

#include <stddef.h>
#include <stdint.h>

enum {
    DTLS_MTU = 1200,          /* bytes of a datagram we send */
    DTLS_DATAGRAM_MAX = 2048, /* bytes of one we take */
    DTLS_TIMER_FIRST_MS = 50, /* RFC 6347 4.2.4.1 says 1 s; that costs a lossy join a second */
    DTLS_TIMER_MAX_MS = 5000,
    DTLS_FINGERPRINT_CHARS = 8 + 32 * 3, /* "sha-256 AB:...:CD" with its NUL */
};

/* The process's certificate: ECDSA P-256, self-signed, fresh at each start. */
struct dtls_identity;

/* Errors: STATUS_NO_MEMORY, STATUS_INTERNAL (OpenSSL refused). */
MUST_USE enum status dtls_identity_new(struct dtls_identity **ret_identity);
/* After the last connection. Accepts NULL, returns NULL. */
struct dtls_identity *dtls_identity_free(struct dtls_identity *identity);
/* "sha-256 AB:CD:..." as in a=fingerprint (RFC 8122 5); borrowed. */
const char *dtls_identity_fingerprint(const struct dtls_identity *identity);

enum dtls_state {
    DTLS_HANDSHAKE, /* waiting for the client or in the handshake */
    DTLS_CONNECTED, /* fingerprint matched, keys are there */
    DTLS_CLOSED,    /* the peer sent close_notify, or dtls_conn_close was called */
    DTLS_FAILED,    /* alert, wrong fingerprint, no common profile or version, or silence */
};

struct dtls_conn;

enum dtls_role { DTLS_SERVER, DTLS_CLIENT };

/* One datagram for the peer, <= DTLS_MTU bytes, borrowed. Must not free the connection. */
typedef void dtls_send_fn(void *context, const uint8_t *bytes, size_t length);

/* `fingerprint`: of the peer's certificate, copied; sha-256, sha-384 or sha-512. A client's first
 * datagram goes out with the first dtls_conn_tick. Errors:
 * STATUS_INVALID (fingerprint's algorithm or length), STATUS_NO_MEMORY. */
MUST_USE enum status dtls_conn_new(struct dtls_identity *identity,
                                   const struct media_fingerprint *fingerprint, enum dtls_role role,
                                   dtls_send_fn *send, void *context, struct dtls_conn **ret_conn);
/* Sends nothing (see dtls_conn_close). Accepts NULL, returns NULL. */
struct dtls_conn *dtls_conn_free(struct dtls_conn *conn);

/* A datagram whose first byte says DTLS. Anything malformed is dropped as RFC 6347 4.1.2.7 says.
 * Returns the state after it. */
enum dtls_state dtls_conn_receive(struct dtls_conn *conn, const uint8_t *bytes, size_t length);
/* Retransmits when it is time; a client that has sent nothing yet begins. Returns the state after
 * it. */
enum dtls_state dtls_conn_tick(struct dtls_conn *conn);
/* Milliseconds until dtls_conn_tick has something to do; -1: nothing to wait for. */
int32_t dtls_conn_wait_ms(const struct dtls_conn *conn);
enum dtls_state dtls_conn_state(const struct dtls_conn *conn);
/* Why it failed, for a log line: "fingerprint mismatch"; "" when it did not. Borrowed. */
const char *dtls_conn_error(const struct dtls_conn *conn);

/* Keys for what we send and what we receive; the four parts of RFC 5764 4.2. Errors: STATUS_AGAIN
 * (not connected), STATUS_CLOSED (settled), STATUS_INTERNAL. Wipe them after use. */
MUST_USE enum status dtls_conn_keys(struct dtls_conn *conn, struct protector_keys *ret_send,
                                    struct protector_keys *ret_receive);

/*
 * To be called after dtls_conn_keys, when the first authentic SRTP or SRTCP packet came:
 * it shows that the peer has finished its handshake, so nothing will have to be repeated.
 * Frees OpenSSL's state, 58 KiB of the 59; alerts are still read and close_notify still
 * sent. Without the call all works, at that price. Does nothing when not connected, as a
 * client, or with DTLS 1.3.
 */
void dtls_conn_settle(struct dtls_conn *conn);

/* Sends close_notify when connected; the state is DTLS_CLOSED afterwards (or stays DTLS_FAILED). */
void dtls_conn_close(struct dtls_conn *conn);

#endif
