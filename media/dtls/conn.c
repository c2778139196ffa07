/*
 * media/dtls/conn.c - one DTLS connection as a state machine; see dtls.h.
 *
 * OpenSSL keeps 58 KiB of buffers per connection for messages it may have to repeat;
 * a connection that has settled does without (epilogue.h).
 */
#include "media/dtls/datagram_bio.h"
#include "media/dtls/epilogue.h"
#include "media/dtls/identity.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

enum {
    SCRATCH = 512,  /* bytes: application data is read in such pieces and dropped */
    READS_MAX = 64, /* per datagram: each record of one takes 13 bytes at least */
    MATERIAL_MAX = 2 * (PROTECTOR_KEY_MAX + PROTECTOR_SALT_MAX),
    US_PER_MS = 1000,
};

struct dtls_conn {
    SSL *ssl;                  /* NULL: settled */
    struct epilogue *epilogue; /* NULL: not settled */
    struct datagram_bio datagrams;
    enum dtls_state state;
    enum dtls_role role;
    bool mismatch; /* the certificate was not the announced one */
    const char *error;
    const EVP_MD *digest;
    uint8_t fingerprint[EVP_MAX_MD_SIZE];
    size_t fingerprint_length;
};

/* ---- certificate ---- */

static const EVP_MD *digest_named(const char *algorithm)
{
    if (strcasecmp(algorithm, "sha-256") == 0)
        return EVP_sha256();
    if (strcasecmp(algorithm, "sha-384") == 0)
        return EVP_sha384();
    if (strcasecmp(algorithm, "sha-512") == 0)
        return EVP_sha512();
    return NULL;
}

int dtls_conn_verify(X509_STORE_CTX *store, void *unused)
{
    (void)unused;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct dtls_conn *conn = SSL_get_app_data(ssl);
    const X509 *certificate = X509_STORE_CTX_get0_cert(store);
    if (certificate != NULL && X509_digest(certificate, conn->digest, digest, &length) == 1 &&
        length == conn->fingerprint_length && memcmp(digest, conn->fingerprint, length) == 0)
        return 1;
    conn->mismatch = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

/* ---- life ---- */

/* First 50 ms, then doubling; called with the last duration, 0 at first. Microseconds. */
static unsigned int timer_next(SSL *ssl, unsigned int last_us)
{
    (void)ssl;
    if (last_us == 0)
        return DTLS_TIMER_FIRST_MS * US_PER_MS;
    return last_us < DTLS_TIMER_MAX_MS * US_PER_MS / 2 ? last_us * 2
                                                       : DTLS_TIMER_MAX_MS * US_PER_MS;
}

static bool conn_set_up(struct dtls_conn *conn, SSL_CTX *context)
{
    conn->ssl = SSL_new(context);
    BIO *bio = conn->ssl == NULL ? NULL : datagram_bio_new(&conn->datagrams);
    if (bio == NULL)
        return false;
    SSL_set_bio(conn->ssl, bio, bio); /* owned by ssl, once */
    SSL_set_app_data(conn->ssl, conn);
    if (conn->role == DTLS_CLIENT)
        SSL_set_connect_state(conn->ssl);
    else
        SSL_set_accept_state(conn->ssl);
    DTLS_set_timer_cb(conn->ssl, timer_next);
    return SSL_set_mtu(conn->ssl, DTLS_MTU) != 0;
}

enum status dtls_conn_new(struct dtls_identity *identity,
                          const struct media_fingerprint *fingerprint, enum dtls_role role,
                          dtls_send_fn *send, void *context, struct dtls_conn **ret_conn)
{
    const EVP_MD *digest = digest_named(fingerprint->algorithm);
    if (digest == NULL || fingerprint->length != (size_t)EVP_MD_get_size(digest))
        return STATUS_INVALID;
    struct dtls_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return STATUS_NO_MEMORY;
    conn->datagrams = (struct datagram_bio){.send = send, .context = context};
    conn->error = "";
    conn->role = role;
    conn->digest = digest;
    conn->fingerprint_length = fingerprint->length;
    memcpy(conn->fingerprint, fingerprint->digest, fingerprint->length);
    bool good = conn_set_up(conn, dtls_identity_context(identity));
    ERR_clear_error();
    if (!good) {
        dtls_conn_free(conn);
        return STATUS_NO_MEMORY;
    }
    *ret_conn = conn;
    return STATUS_OK;
}

static void epilogue_free(struct dtls_conn *conn)
{
    if (conn->epilogue != NULL)
        OPENSSL_cleanse(conn->epilogue, sizeof *conn->epilogue);
    free(conn->epilogue);
}

struct dtls_conn *dtls_conn_free(struct dtls_conn *conn)
{
    if (conn != NULL) {
        SSL_free(conn->ssl);
        epilogue_free(conn);
        free(conn);
    }
    return NULL;
}

/* ---- the machine ---- */

static void conn_fail(struct dtls_conn *conn, const char *error)
{
    conn->state = DTLS_FAILED;
    conn->error = error;
}

/* A call into OpenSSL did not succeed: it waits for more, or that was the end. */
static void conn_judge(struct dtls_conn *conn, int result)
{
    int code = SSL_get_error(conn->ssl, result);
    if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
        return;
    if (code == SSL_ERROR_ZERO_RETURN) {
        SSL_shutdown(conn->ssl); /* close_notify is answered with one (RFC 5246 7.2.1) */
        conn->state = DTLS_CLOSED;
        return;
    }
    const char *reason = conn->mismatch ? "fingerprint mismatch" : NULL;
    if (reason == NULL)
        reason = ERR_reason_error_string(ERR_peek_error());
    conn_fail(conn, reason != NULL ? reason : "handshake failed");
}

static void conn_shake(struct dtls_conn *conn)
{
    int result = SSL_do_handshake(conn->ssl);
    if (result != 1) {
        conn_judge(conn, result);
    } else if (SSL_get_selected_srtp_profile(conn->ssl) == NULL) {
        SSL_shutdown(conn->ssl);
        conn_fail(conn, "no common SRTP profile");
    } else {
        conn->state = DTLS_CONNECTED;
    }
}

/* Nothing comes here but alerts and repeated handshake messages; data is dropped. */
static void conn_drain(struct dtls_conn *conn)
{
    uint8_t scratch[SCRATCH];
    for (int i = 0; i < READS_MAX; i++) {
        int result = SSL_read(conn->ssl, scratch, sizeof scratch);
        if (result <= 0) {
            conn_judge(conn, result);
            return;
        }
    }
}

static void epilogue_say_goodbye(struct dtls_conn *conn)
{
    uint8_t record[EPILOGUE_RECORD_MAX];
    size_t length = 0;
    if (epilogue_close(conn->epilogue, record, &length) == STATUS_OK)
        conn->datagrams.send(conn->datagrams.context, record, length);
    conn->state = DTLS_CLOSED;
}

static void epilogue_receive(struct dtls_conn *conn, const uint8_t *bytes, size_t length)
{
    struct epilogue_alert alert;
    if (!epilogue_read(conn->epilogue, bytes, length, &alert))
        return;
    if (alert.description == EPILOGUE_CLOSE_NOTIFY)
        epilogue_say_goodbye(conn);
    else
        conn_fail(conn, SSL_alert_desc_string_long(alert.description));
}

enum dtls_state dtls_conn_receive(struct dtls_conn *conn, const uint8_t *bytes, size_t length)
{
    /* An empty datagram would be the end of the stream to OpenSSL. */
    if (conn->state > DTLS_CONNECTED || length == 0 || length > DTLS_DATAGRAM_MAX)
        return conn->state;
    ERR_clear_error();
    conn->datagrams.bytes = bytes;
    conn->datagrams.length = length;
    if (conn->state == DTLS_HANDSHAKE)
        conn_shake(conn);
    if (conn->epilogue != NULL)
        epilogue_receive(conn, bytes, length);
    else if (conn->state == DTLS_CONNECTED)
        conn_drain(conn);
    conn->datagrams.bytes = NULL;
    ERR_clear_error();
    return conn->state;
}

enum dtls_state dtls_conn_tick(struct dtls_conn *conn)
{
    if (conn->state > DTLS_CONNECTED || conn->ssl == NULL)
        return conn->state;
    ERR_clear_error();
    if (conn->role == DTLS_CLIENT && SSL_in_before(conn->ssl))
        conn_shake(conn);
    else if (DTLSv1_handle_timeout(conn->ssl) < 0)
        conn_fail(conn, "no answer from the peer");
    ERR_clear_error();
    return conn->state;
}

int32_t dtls_conn_wait_ms(const struct dtls_conn *conn)
{
    struct timeval wait = {0};
    if (conn->state > DTLS_CONNECTED || conn->ssl == NULL ||
        DTLSv1_get_timeout(conn->ssl, &wait) != 1)
        return -1;
    return (int32_t)(wait.tv_sec * 1000 + (wait.tv_usec + US_PER_MS - 1) / US_PER_MS);
}

enum dtls_state dtls_conn_state(const struct dtls_conn *conn)
{
    return conn->state;
}

const char *dtls_conn_error(const struct dtls_conn *conn)
{
    return conn->error;
}

enum status dtls_conn_keys(struct dtls_conn *conn, struct protector_keys *ret_send,
                           struct protector_keys *ret_receive)
{
    if (conn->state != DTLS_CONNECTED)
        return STATUS_AGAIN;
    if (conn->ssl == NULL)
        return STATUS_CLOSED;
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t material[MATERIAL_MAX], *part = material;
    SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(conn->ssl);
    enum protector_profile profile = (enum protector_profile)chosen->id;
    size_t key = protector_key_length(profile), salt = protector_salt_length(profile);
    if (key == 0 || SSL_export_keying_material(conn->ssl, material, 2 * (key + salt), label,
                                               sizeof label - 1, NULL, 0, 0) != 1)
        return STATUS_INTERNAL;
    /* RFC 5764 4.2: client key, server key, client salt, server salt. */
    struct protector_keys client = {.profile = profile}, server = {.profile = profile};
    memcpy(client.key, part, key);
    memcpy(server.key, part += key, key);
    memcpy(client.salt, part += key, salt);
    memcpy(server.salt, part + salt, salt);
    *ret_send = conn->role == DTLS_CLIENT ? client : server;
    *ret_receive = conn->role == DTLS_CLIENT ? server : client;
    OPENSSL_cleanse(material, sizeof material);
    OPENSSL_cleanse(&client, sizeof client);
    OPENSSL_cleanse(&server, sizeof server);
    return STATUS_OK;
}

void dtls_conn_settle(struct dtls_conn *conn)
{
    if (conn->state != DTLS_CONNECTED || conn->ssl == NULL || conn->role == DTLS_CLIENT)
        return;
    struct epilogue *epilogue = calloc(1, sizeof *epilogue);
    if (epilogue != NULL && epilogue_take(conn->ssl, epilogue) == STATUS_OK) {
        conn->epilogue = epilogue;
        SSL_free(conn->ssl);
        conn->ssl = NULL;
    } else {
        free(epilogue); /* it goes on with OpenSSL */
    }
    ERR_clear_error();
}

void dtls_conn_close(struct dtls_conn *conn)
{
    if (conn->state == DTLS_FAILED)
        return;
    ERR_clear_error();
    if (conn->state == DTLS_CONNECTED && conn->epilogue != NULL)
        epilogue_say_goodbye(conn);
    else if (conn->state == DTLS_CONNECTED)
        SSL_shutdown(conn->ssl);
    ERR_clear_error();
    conn->state = DTLS_CLOSED;
}
