/* media/dtls/datagram_bio.c - see datagram_bio.h. */
#include "media/dtls/datagram_bio.h"

#include <pthread.h>
#include <string.h>

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method; /* the process's, never freed: connections come and go on all threads */

/* One datagram a call; what does not fit is lost, as with a socket. */
static int bio_read(BIO *bio, char *ret_bytes, int size)
{
    struct datagram_bio *state = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (state->bytes == NULL) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t length = state->length < (size_t)size ? state->length : (size_t)size;
    memcpy(ret_bytes, state->bytes, length);
    state->bytes = NULL;
    return (int)length;
}

static int bio_write(BIO *bio, const char *bytes, int length)
{
    struct datagram_bio *state = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    state->send(state->context, (const uint8_t *)bytes, (size_t)length);
    return length;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return DTLS_MTU;
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void method_make(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");
    if (method == NULL)
        return;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    BIO_meth_set_create(method, bio_create);
}

BIO *datagram_bio_new(struct datagram_bio *state)
{
    pthread_once(&method_once, method_make);
    BIO *bio = method == NULL ? NULL : BIO_new(method);
    if (bio != NULL)
        BIO_set_data(bio, state);
    return bio;
}
