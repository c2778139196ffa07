/*
 * tests/fuzz/fuzz_dtls.c - datagrams into a new DTLS connection and into a settled one.
 *
 * First byte: bits 0-1 the suite; bit 2: a fresh connection with OpenSSL behind it gets
 * the bytes; bit 3: a right close_notify is put behind them, which must be found when
 * they are whole records.
 */
#include "core/bytes.h"
#include "media/dtls/dtls.h"
#include "media/dtls/epilogue.h"

#include <stdlib.h>

enum { RECORD_HEADER = 13 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void drop(void *context, const uint8_t *bytes, size_t length)
{
    (void)context;
    if (bytes == NULL || length == 0 || length > DTLS_MTU)
        abort();
}

static void into_fresh(const uint8_t *data, size_t length)
{
    static struct dtls_identity *identity;
    struct media_fingerprint fingerprint = {.algorithm = "sha-256", .length = 32};
    struct dtls_conn *conn = NULL;
    if (identity == NULL && dtls_identity_new(&identity) != STATUS_OK)
        abort();
    if (dtls_conn_new(identity, &fingerprint, DTLS_SERVER, drop, NULL, &conn) != STATUS_OK)
        abort();
    if (dtls_conn_receive(conn, data, length) == DTLS_CONNECTED)
        abort();
    dtls_conn_free(conn);
}

static bool whole_records(const uint8_t *bytes, size_t length)
{
    struct reader reader = reader_of(bytes, length);
    while (reader_left(&reader) > 0) {
        const uint8_t *header = reader_take(&reader, RECORD_HEADER);
        if (header == NULL || reader_take(&reader, load_be16(header + 11)) == NULL)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const int suites[] = {NID_aes_128_gcm, NID_aes_256_gcm, NID_chacha20_poly1305};
    if (length == 0 || length > DTLS_DATAGRAM_MAX)
        return 0;
    uint8_t mode = *data++;
    length--;
    if (mode & 4) {
        into_fresh(data, length);
        return 0;
    }
    /* The same keys both ways: what we send can be read. */
    struct epilogue epilogue = {.cipher = suites[(mode & 3) % 3]};
    struct epilogue_alert alert = {0};
    uint8_t record[EPILOGUE_RECORD_MAX];
    size_t record_length = 0;
    if ((mode & 8) && epilogue_close(&epilogue, record, &record_length) != STATUS_OK)
        abort();
    uint8_t *exact = malloc(length + record_length + 1);
    if (exact == NULL)
        abort();
    if (length > 0)
        memcpy(exact, data, length);
    memcpy(exact + length, record, record_length);
    bool found = epilogue_read(&epilogue, exact, length + record_length, &alert);
    if ((mode & 8) && whole_records(data, length) && !found)
        abort();
    free(exact);
    return 0;
}
