/* media/phone/leg_keys.c - how a leg's media is protected: not, by SDES, or by DTLS-SRTP. */
#include "core/clock.h"
#include "media/phone/leg.h"

#include <string.h>

static void keys_drop(struct leg *leg)
{
    leg->keys.protector = protector_free(leg->keys.protector);
    leg->keys.unprotector = unprotector_free(leg->keys.unprotector);
}

static void sdes_keys(enum media_leg_suite suite, const uint8_t *bytes,
                      struct protector_keys *ret_keys)
{
    static const enum protector_profile profiles[] = {
        [MEDIA_LEG_AES_CM_128_HMAC_SHA1_80] = PROTECTOR_AES_CM_SHA1_80,
        [MEDIA_LEG_AES_CM_128_HMAC_SHA1_32] = PROTECTOR_AES_CM_SHA1_32,
        [MEDIA_LEG_AEAD_AES_128_GCM] = PROTECTOR_AES_GCM_128,
    };
    *ret_keys = (struct protector_keys){.profile = profiles[suite]};
    size_t key = protector_key_length(ret_keys->profile);
    memcpy(ret_keys->key, bytes, key);
    memcpy(ret_keys->salt, bytes + key, protector_salt_length(ret_keys->profile));
}

static enum status keys_use(struct leg *leg, struct protector_keys *send,
                            struct protector_keys *receive)
{
    keys_drop(leg);
    enum status status = protector_new(send, &leg->keys.protector);
    if (status == STATUS_OK)
        status = unprotector_new(receive, &leg->keys.unprotector);
    if (status != STATUS_OK)
        keys_drop(leg);
    explicit_bzero(send, sizeof *send);
    explicit_bzero(receive, sizeof *receive);
    return status;
}

/* ---- DTLS ---- */

static void handshake_send(void *context, const uint8_t *bytes, size_t length)
{
    struct leg *leg = context;
    const struct ice_address *peer = &leg->keys.dtls_peer;
    leg_send(leg, leg->fd, peer->port != 0 ? peer : &leg->latch.target, bytes, length);
}

static void handshake_judge(struct leg *leg, enum dtls_state state)
{
    struct protector_keys send, receive;
    if (state == DTLS_FAILED || (state == DTLS_HANDSHAKE &&
                                 worker_now_ms(leg->worker) - leg->keys.began_ms > LEG_DTLS_MS)) {
        leg_fail(leg, MEDIA_LEG_DTLS_FAILED);
        return;
    }
    if (state == DTLS_CONNECTED && leg->keys.protector == NULL &&
        (dtls_conn_keys(leg->keys.dtls, &send, &receive) != STATUS_OK ||
         keys_use(leg, &send, &receive) != STATUS_OK)) {
        leg_fail(leg, MEDIA_LEG_DTLS_FAILED);
        return;
    }
    int32_t wait_ms = dtls_conn_wait_ms(leg->keys.dtls);
    if (wait_ms < 0 && state == DTLS_HANDSHAKE)
        wait_ms = LEG_DTLS_MS;
    if (wait_ms >= 0)
        loop_timer_start(leg->worker->loop, &leg->keys.timer, (uint64_t)wait_ms + 1);
}

static void on_handshake_timer(void *context)
{
    struct leg *leg = context;
    handshake_judge(leg, dtls_conn_tick(leg->keys.dtls));
}

void leg_keys_dtls(struct leg *leg, const uint8_t *bytes, size_t length,
                   const struct ice_address *from)
{
    struct leg_keys *keys = &leg->keys;
    if (keys->dtls == NULL || !latch_near(&leg->latch, from))
        return;
    if (dtls_conn_state(keys->dtls) == DTLS_HANDSHAKE) {
        /* Who shakes hands first goes on to; the signalled address comes before anybody. */
        if (keys->dtls_peer.port != 0 && !ice_address_equal(&keys->dtls_peer, from) &&
            !ice_address_equal(&leg->latch.signalled, from))
            return;
        keys->dtls_peer = *from;
    } else if (!ice_address_equal(&keys->dtls_peer, from)) {
        return;
    }
    handshake_judge(leg, dtls_conn_receive(keys->dtls, bytes, length));
}

static enum status dtls_begin(struct leg *leg)
{
    struct leg_keys *keys = &leg->keys;
    enum status status = dtls_conn_new(leg->worker->media->identity, &leg->security.fingerprint,
                                       leg->security.active ? DTLS_CLIENT : DTLS_SERVER,
                                       handshake_send, leg, &keys->dtls);
    if (status != STATUS_OK)
        return status;
    keys->began_ms = worker_now_ms(leg->worker);
    keys->dtls_peer = (struct ice_address){0};
    keys->timer = (struct loop_timer){.name = "leg dtls", .fn = on_handshake_timer, .context = leg};
    /* The timer's first call sends the ClientHello when that is ours to send. */
    loop_timer_start(leg->worker->loop, &keys->timer, leg->security.active ? 0 : LEG_DTLS_MS);
    return STATUS_OK;
}

/* ---- beginning and end ---- */

enum status leg_keys_begin(struct leg *leg)
{
    struct protector_keys send, receive;
    leg_keys_end(leg);
    switch (leg->security.kind) {
    case MEDIA_LEG_PLAIN:
        return STATUS_OK;
    case MEDIA_LEG_SDES:
        sdes_keys(leg->security.suite, leg->security.send_key, &send);
        sdes_keys(leg->security.suite, leg->security.receive_key, &receive);
        return keys_use(leg, &send, &receive);
    case MEDIA_LEG_DTLS:
        return dtls_begin(leg);
    }
    return STATUS_INVALID;
}

void leg_keys_end(struct leg *leg)
{
    loop_timer_stop(leg->worker->loop, &leg->keys.timer);
    if (leg->keys.dtls != NULL)
        dtls_conn_close(leg->keys.dtls);
    leg->keys.dtls = dtls_conn_free(leg->keys.dtls);
    keys_drop(leg);
}

bool leg_keys_ready(const struct leg *leg)
{
    return leg->security.kind == MEDIA_LEG_PLAIN || leg->keys.protector != NULL;
}
