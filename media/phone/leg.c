/* media/phone/leg.c - a leg's life, and the letters that change it; see leg.h. */
#include "media/phone/leg.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "media/phone/quality.h"
#include "media/sfu/transport.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { CNAME_BYTES = 8, PERMILLE = 1000, MOUTH_TO_EAR_MS = 60 };

const struct media_leg_events *leg_events(const struct leg *leg)
{
    return leg->phone->config.events;
}

/* ---- beats ---- */

static void beat_leave(struct leg *leg)
{
    struct leg **at = &leg->phone->beats[leg->beat].legs;
    while (*at != NULL && *at != leg)
        at = &(*at)->beat_next;
    if (*at != NULL)
        *at = leg->beat_next;
}

static void beat_enter(struct leg *leg, uint8_t beat)
{
    leg->beat = beat;
    leg->beat_next = leg->phone->beats[beat].legs;
    leg->phone->beats[beat].legs = leg;
    phone_wake(leg->phone, beat);
}

/* ---- the stream ---- */

static enum voice_codec codec_of(enum media_leg_codec codec)
{
    static const enum voice_codec codecs[] = {
        [MEDIA_LEG_PCMU] = VOICE_PCMU,
        [MEDIA_LEG_PCMA] = VOICE_PCMA,
        [MEDIA_LEG_G722] = VOICE_G722,
        [MEDIA_LEG_OPUS] = VOICE_OPUS,
    };
    return codecs[codec];
}

enum voice_codec leg_codec(const struct media_leg_format *format)
{
    return codec_of(format->codec);
}

static struct ice_address address_of(const struct sockaddr_storage *address)
{
    static const struct ice_address nowhere;
    struct ice_address found;
    if (ice_address_from((const struct sockaddr *)address, &found) != STATUS_OK)
        return nowhere;
    return found;
}

/* Encoder and place in the mix follow the codec that is sent. */
static enum status out_follow(struct leg *leg)
{
    enum voice_codec codec = leg_codec(&leg->stream.formats[0]);
    struct voice_encoder **encoder = &leg->out.encoders[codec];
    if (*encoder == NULL && voice_encoder_new(codec, voice_rate(codec), encoder) != STATUS_OK)
        return STATUS_NO_MEMORY;
    if (leg->room != NULL && leg->room_rate != voice_rate(codec)) {
        struct phone_room *room = phone_room_enter(leg->phone, leg->room->id, voice_rate(codec));
        if (room == NULL)
            return STATUS_NO_MEMORY;
        phone_room_leave(leg->phone, leg->room, leg->room_rate);
        leg->room_rate = voice_rate(codec);
    }
    if (leg->out.codec != codec) {
        /* What has been played of a prompt is counted at 8 kHz; what waits is dropped. */
        leg->out.count = 0;
        leg->out.codec = codec;
        voice_encoder_reset(*encoder);
    }
    return STATUS_OK;
}

static enum status tones_follow(struct leg *leg)
{
    if (leg->stream.event_count > 0) {
        leg->voice.tones = tones_free(leg->voice.tones);
    } else if (leg->voice.tones == NULL) {
        leg->voice.tones = tones_new();
        if (leg->voice.tones == NULL)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static enum status stream_use(struct leg *leg, const struct media_leg_stream *stream)
{
    bool heard = leg->negotiated && leg->stream.hearing;
    leg->stream = *stream;
    enum status status = out_follow(leg);
    if (status == STATUS_OK)
        status = tones_follow(leg);
    const struct ice_address signalled = address_of(&stream->remote);
    latch_signal(&leg->latch, &signalled, stream->symmetric);
    leg->rtcp_signalled = address_of(&stream->remote_rtcp);
    if (heard != stream->hearing)
        leg->in.heard_ms = worker_now_ms(leg->worker);
    phone_wake(leg->phone, leg->beat);
    return status;
}

/* ---- rooms ---- */

static void room_leave(struct leg *leg)
{
    if (leg->room == NULL)
        return;
    leg_publish_end(leg);
    phone_room_leave(leg->phone, leg->room, leg->room_rate);
    leg->room = NULL;
    leg->room_id = 0;
}

static void room_enter(struct leg *leg, uint64_t id)
{
    uint32_t rate = voice_rate(leg->out.codec);
    struct phone_room *room = phone_room_enter(leg->phone, id, rate);
    if (room == NULL) {
        leg_fail(leg, MEDIA_LEG_NO_MEMORY);
        return;
    }
    leg->room = room;
    leg->room_id = id;
    leg->room_rate = rate;
    beat_leave(leg);
    beat_enter(leg, room->beat);
    if (leg_publish_begin(leg, id) != STATUS_OK)
        leg_fail(leg, MEDIA_LEG_NO_MEMORY);
}

/* ---- beginning ---- */

static enum status sockets_use(struct leg *leg)
{
    struct leg_sockets sockets;
    enum status status =
        leg_sockets_open(leg->phone->config.port_first, leg->phone->config.port_last, &sockets);
    if (status != STATUS_OK)
        return status;
    leg->fd = sockets.rtp;
    leg->rtcp_fd = sockets.rtcp;
    leg->family = sockets.family;
    leg->port = sockets.port;
    status =
        loop_fd_add(leg->worker->loop, leg->fd, EPOLLIN, "leg", leg_readable, leg, &leg->watch);
    if (status == STATUS_OK)
        status = loop_fd_add(leg->worker->loop, leg->rtcp_fd, EPOLLIN, "leg rtcp",
                             leg_rtcp_readable, leg, &leg->rtcp_watch);
    return status;
}

static enum media_leg_end end_of(enum status status)
{
    if (status == STATUS_LIMIT || status == STATUS_IO)
        return MEDIA_LEG_NO_PORT;
    return MEDIA_LEG_NO_MEMORY;
}

static struct leg *leg_new(struct phone *phone, const struct media_leg_spec *spec)
{
    struct leg *leg = calloc(1, sizeof *leg);
    if (leg == NULL)
        return NULL;
    leg->id = spec->id;
    leg->phone = phone;
    leg->worker = phone->worker;
    leg->fd = leg->rtcp_fd = -1;
    leg->negotiated = spec->negotiated;
    leg->security = spec->security;
    leg->out.gain_db = spec->gain_db;
    leg->voice.level.unlimited = phone->config.unlimited;
    leg->out.ssrc = crypto_random_u32();
    leg->out.timestamp_base = crypto_random_u32();
    leg->out.sequence = (uint16_t)(crypto_random_u32() >> 17); /* room before it wraps */
    leg->voice.sequence = (uint16_t)(crypto_random_u32() >> 17);
    leg->in.heard_ms = worker_now_ms(phone->worker);
    /* Legs that begin together do not report together (RFC 3550 6.2). */
    leg->told_ms = leg->rtcp.reported_ms =
        leg->in.heard_ms - crypto_random_u32() % MEDIA_LEG_STATISTICS_MS;
    uint8_t name[CNAME_BYTES];
    crypto_random(name, sizeof name);
    crypto_hex(name, sizeof name, leg->rtcp.cname);
    jitter_init(&leg->in.jitter, voice_clock(VOICE_PCMU));
    return leg;
}

static void closed_tell(const struct phone *phone, uint64_t id, enum media_leg_end end)
{
    if (phone->config.events->closed != NULL)
        phone->config.events->closed(phone->config.context, id, end);
}

void leg_on_open(struct worker *worker, const struct letter *letter)
{
    struct media_leg_spec *spec = letter->object;
    struct phone *phone = worker->phone;
    enum status status = STATUS_NO_MEMORY;
    struct leg *leg = NULL;
    if (!worker->closing && map_count(phone->legs) < MEDIA_LEGS_MAX)
        leg = leg_new(phone, spec);
    if (leg != NULL && map_put(phone->legs, leg->id, leg) == STATUS_OK) {
        beat_enter(leg, (uint8_t)(leg->id % PHONE_BEATS));
        status = sockets_use(leg);
        if (status == STATUS_OK && leg->negotiated)
            status = stream_use(leg, &spec->stream);
        if (status == STATUS_OK && leg->negotiated)
            status = leg_keys_begin(leg);
        if (status != STATUS_OK)
            leg_close(leg, end_of(status));
        else if (leg_events(leg)->opened != NULL)
            leg_events(leg)->opened(phone->config.context, leg->id, leg->port,
                                    (uint16_t)(leg->port + (spec->stream.rtcp_mux ? 0 : 1)));
        phone_second_start(phone);
    } else {
        free(leg);
        closed_tell(phone, spec->id, worker->closing ? MEDIA_LEG_ENDED : MEDIA_LEG_NO_MEMORY);
    }
    explicit_bzero(&spec->security, sizeof spec->security);
    free(spec);
}

/* ---- statistics ---- */

static void statistics_fill(const struct leg *leg, uint64_t now_ms,
                            struct media_leg_statistics *ret_statistics)
{
    const struct leg_in *in = &leg->in;
    uint64_t whole_ms = leg->voice.played_ms + leg->voice.concealed_ms;
    *ret_statistics = (struct media_leg_statistics){
        .packets_received = in->received,
        .packets_sent = leg->out.packets,
        .packets_lost = in->lost_before + in->jitter.lost,
        .packets_late = in->late_before + in->jitter.late,
        .packets_stranger = in->strangers,
        .concealed_ms = leg->voice.concealed_ms,
        .played_ms = whole_ms,
        .buffer_ms = jitter_delay_ms(&in->jitter, now_ms),
        .round_trip_ms = leg->rtcp.round_trip_ms,
        .remote_loss = leg->rtcp.remote_loss,
    };
    if (in->known)
        ret_statistics->jitter_ms =
            (uint32_t)((uint64_t)recv_stats_jitter(&in->stats) * 1000 / in->stats.clock_rate);
    const struct quality quality = {
        .codec = in->codec,
        .concealed_permille =
            whole_ms == 0 ? 0 : (uint32_t)(leg->voice.concealed_ms * PERMILLE / whole_ms),
        .delay_ms = MOUTH_TO_EAR_MS + ret_statistics->buffer_ms + leg->rtcp.round_trip_ms / 2,
    };
    if (whole_ms > 0)
        ret_statistics->mos_100 = quality_mos_100(&quality);
}

static void statistics_tell(struct leg *leg, uint64_t now_ms)
{
    struct media_leg_statistics statistics;
    leg->told_ms = now_ms;
    if (leg_events(leg)->statistics == NULL)
        return;
    statistics_fill(leg, now_ms, &statistics);
    leg_events(leg)->statistics(leg->phone->config.context, leg->id, &statistics);
}

static void lost_watch(struct leg *leg, uint64_t now_ms)
{
    bool lost = leg->negotiated && leg->stream.hearing && leg->latch.signalled.port != 0 &&
                now_ms - leg->in.heard_ms >= MEDIA_LEG_LOST_MS;
    if (lost == leg->in.lost)
        return;
    leg->in.lost = lost;
    if (leg_events(leg)->lost != NULL)
        leg_events(leg)->lost(leg->phone->config.context, leg->id, lost);
}

void leg_second(struct leg *leg, uint64_t now_ms)
{
    lost_watch(leg, now_ms);
    if (now_ms - leg->told_ms >= MEDIA_LEG_STATISTICS_MS)
        statistics_tell(leg, now_ms);
    if (!leg->negotiated)
        return;
    leg_keepalive(leg, now_ms);
    if (now_ms - leg->rtcp.reported_ms >= LEG_REPORT_MS)
        leg_rtcp_send(leg, worker_now_ns(leg->worker), false);
}

/* ---- end ---- */

void leg_fail(struct leg *leg, enum media_leg_end end)
{
    const struct letter letter = {.transport = leg->id, .layer = (uint8_t)end};
    if (leg->ended)
        return;
    leg->ended = true;
    worker_tell(leg->worker, leg->worker->number, leg_on_close, &letter);
}

static void leg_free(struct leg *leg)
{
    for (size_t codec = 0; codec < LEG_CODECS; codec++) {
        voice_decoder_free(leg->voice.decoders[codec]);
        voice_encoder_free(leg->out.encoders[codec]);
    }
    voice_encoder_free(leg->voice.encoders[0]);
    voice_encoder_free(leg->voice.encoders[1]);
    tones_free(leg->voice.tones);
    if (leg->fd >= 0)
        close(leg->fd);
    if (leg->rtcp_fd >= 0)
        close(leg->rtcp_fd);
    explicit_bzero(&leg->security, sizeof leg->security);
    free(leg);
}

void leg_close(struct leg *leg, enum media_leg_end end)
{
    struct phone *phone = leg->phone;
    uint64_t id = leg->id;
    leg->ended = true;
    statistics_tell(leg, worker_now_ms(leg->worker));
    if (leg->negotiated && leg->in.known)
        leg_rtcp_send(leg, worker_now_ns(leg->worker), true);
    room_leave(leg);
    leg_keys_end(leg);
    beat_leave(leg);
    map_remove(phone->legs, id);
    loop_fd_remove(leg->watch);
    loop_fd_remove(leg->rtcp_watch);
    leg_prompts_drop(leg);
    jitter_clear(&leg->in.jitter, worker_packets(leg->worker));
    leg_free(leg);
    closed_tell(phone, id, end);
}

/* ---- letters ---- */

static struct leg *leg_of(const struct worker *worker, const struct letter *letter)
{
    return map_get(worker->phone->legs, letter->transport);
}

static bool security_equal(const struct media_leg_security *left,
                           const struct media_leg_security *right)
{
    const struct media_fingerprint *a = &left->fingerprint, *b = &right->fingerprint;
    if (left->kind != right->kind)
        return false;
    switch (left->kind) {
    case MEDIA_LEG_PLAIN:
        return true;
    case MEDIA_LEG_SDES:
        return left->suite == right->suite &&
               memcmp(left->send_key, right->send_key, sizeof left->send_key) == 0 &&
               memcmp(left->receive_key, right->receive_key, sizeof left->receive_key) == 0;
    case MEDIA_LEG_DTLS:
        return left->active == right->active && a->length == b->length &&
               strcasecmp(a->algorithm, b->algorithm) == 0 &&
               memcmp(a->digest, b->digest, a->length) == 0;
    }
    return false;
}

void leg_on_update(struct worker *worker, const struct letter *letter)
{
    struct leg_update *update = letter->object;
    struct leg *leg = leg_of(worker, letter);
    enum status status = STATUS_OK;
    if (leg != NULL) {
        leg->negotiated = true;
        status = stream_use(leg, &update->stream);
        if (status == STATUS_OK && update->rekey &&
            !security_equal(&leg->security, &update->security)) {
            leg->security = update->security;
            status = leg_keys_begin(leg);
        }
        if (status != STATUS_OK)
            leg_fail(leg, end_of(status));
    }
    explicit_bzero(&update->security, sizeof update->security);
    free(update);
}

void leg_on_room(struct worker *worker, const struct letter *letter)
{
    struct leg *leg = leg_of(worker, letter);
    if (leg == NULL || leg->room_id == letter->room)
        return;
    room_leave(leg);
    if (letter->room != 0)
        room_enter(leg, letter->room);
}

void leg_on_mute(struct worker *worker, const struct letter *letter)
{
    struct leg *leg = leg_of(worker, letter);
    if (leg != NULL)
        leg->muted = letter->on;
}

void leg_on_gain(struct worker *worker, const struct letter *letter)
{
    struct leg *leg = leg_of(worker, letter);
    if (leg != NULL)
        leg->out.gain_db = letter->lane;
}

void leg_on_play(struct worker *worker, const struct letter *letter)
{
    struct leg_prompt *prompt = letter->object;
    struct leg *leg = leg_of(worker, letter);
    if (leg != NULL && leg->out.prompt_count < MEDIA_LEG_PROMPTS_MAX) {
        leg->out.prompts[leg->out.prompt_count++] = *prompt;
        phone_wake(leg->phone, leg->beat);
    } else {
        media_prompt_unref(prompt->prompt);
    }
    free(prompt);
}

void leg_on_stop(struct worker *worker, const struct letter *letter)
{
    struct leg *leg = leg_of(worker, letter);
    if (leg == NULL || leg->out.prompt_count == 0)
        return;
    leg_prompts_drop(leg);
    if (leg_events(leg)->played != NULL)
        leg_events(leg)->played(leg->phone->config.context, leg->id);
}

void leg_on_close(struct worker *worker, const struct letter *letter)
{
    struct leg *leg = leg_of(worker, letter);
    if (leg != NULL)
        leg_close(leg, (enum media_leg_end)letter->layer);
}
