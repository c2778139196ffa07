/* media/phone/leg_out.c - what a telephone hears: the room's mix, prompts over it, packets. */
#include "core/clock.h"
#include "media/codec/samples.h"
#include "media/phone/leg.h"
#include "media/rtp/rtp.h"

#include <string.h>
#include <sys/socket.h>

enum {
    BEHIND_PROMPT_DB = -12, /* the room, while a prompt is in front of it */
    COMFORT_LEVEL = 75,     /* -dBov of the noise asked for (RFC 3389 3.1): a quiet room */
    OPUS_PTIME_ODD = 30,    /* no Opus frame is as long */
    MS_PER_S = 1000,
};

/* ---- prompts ---- */

static void prompt_next(struct leg *leg)
{
    struct leg_out *out = &leg->out;
    media_prompt_unref(out->prompts[0].prompt);
    out->prompt_count--;
    memmove(out->prompts, out->prompts + 1, out->prompt_count * sizeof out->prompts[0]);
    out->prompt_at = 0;
    if (out->prompt_count == 0 && leg_events(leg)->played != NULL)
        leg_events(leg)->played(leg->phone->config.context, leg->id);
}

void leg_prompts_drop(struct leg *leg)
{
    while (leg->out.prompt_count > 0)
        media_prompt_unref(leg->out.prompts[--leg->out.prompt_count].prompt);
    leg->out.prompt_at = 0;
}

/* Adds 20 ms of the queue's first; true when something of it sounded. */
static bool prompt_add(struct leg *leg, int16_t *samples, size_t count, uint32_t rate)
{
    struct leg_out *out = &leg->out;
    struct leg_prompt *first = &out->prompts[0];
    if (out->prompt_count == 0)
        return false;
    if (first->gap_ms > 0) {
        first->gap_ms =
            (uint16_t)(first->gap_ms > VOICE_FRAME_MS ? first->gap_ms - VOICE_FRAME_MS : 0);
        return true;
    }
    size_t whole, at = out->prompt_at * (rate / VOICE_RATE_NARROW);
    const int16_t *recording = media_prompt_samples(first->prompt, rate, &whole);
    for (size_t i = 0; i < count && at + i < whole; i++)
        samples[i] = samples_cut(samples[i] + recording[at + i]);
    out->prompt_at += voice_frame(VOICE_RATE_NARROW);
    if (at + count >= whole)
        prompt_next(leg);
    return true;
}

/* ---- packets ---- */

void leg_send(struct leg *leg, int fd, const struct ice_address *to, const uint8_t *bytes,
              size_t length)
{
    struct sockaddr_storage address;
    socklen_t address_length;
    struct counters *counters = &leg->worker->counters;
    if (to->port == 0 ||
        ice_address_to(to, (sa_family_t)leg->family, &address, &address_length) != STATUS_OK)
        return;
    if (sendto(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
               address_length) < 0) {
        counters->dropped_kernel++;
        return;
    }
    counters->sent++;
    counters->sent_bytes += length;
}

struct outgoing {
    uint8_t type;
    bool marker;
    const uint8_t *payload;
    size_t length;
};

static void packet_send(struct leg *leg, const struct outgoing *outgoing, uint64_t media_ms)
{
    struct leg_out *out = &leg->out;
    uint8_t bytes[LEG_PACKET_BYTES];
    size_t length;
    const struct rtp_writing writing = {
        .marker = outgoing->marker,
        .payload_type = outgoing->type,
        .sequence = out->sequence,
        .timestamp =
            out->timestamp_base + (uint32_t)(media_ms * voice_clock(out->codec) / MS_PER_S),
        .ssrc = out->ssrc,
    };
    if (rtp_write(&writing, bytes, sizeof bytes, &length) != STATUS_OK ||
        outgoing->length > sizeof bytes - length - PROTECTOR_RTP_TAIL_MAX)
        return;
    size_t header = length;
    memcpy(bytes + header, outgoing->payload, outgoing->length);
    length += outgoing->length;
    if (leg->keys.protector != NULL &&
        protector_rtp(leg->keys.protector, out->roc, bytes, header, bytes + header,
                      outgoing->length, bytes, &length) != STATUS_OK)
        return;
    if (++out->sequence == 0)
        out->roc++;
    out->packets++;
    out->bytes += outgoing->length;
    out->last_timestamp = writing.timestamp;
    out->sent_ms = worker_now_ms(leg->worker);
    leg_send(leg, leg->fd, &leg->latch.target, bytes, length);
}

static size_t packet_samples(const struct leg *leg, uint32_t rate)
{
    uint8_t ptime_ms = leg->stream.ptime_ms;
    if (leg->out.codec == VOICE_OPUS && ptime_ms == OPUS_PTIME_ODD)
        ptime_ms = VOICE_FRAME_MS;
    return rate / MS_PER_S * ptime_ms;
}

static void waiting_send(struct leg *leg, uint32_t rate)
{
    struct leg_out *out = &leg->out;
    size_t wanted = packet_samples(leg, rate), at = 0;
    for (; out->count - at >= wanted; at += wanted) {
        uint8_t payload[VOICE_ENCODED_MAX];
        size_t length;
        if (voice_encode(out->encoders[out->codec], out->samples + at, wanted, payload, &length) ==
            STATUS_OK) {
            const struct outgoing outgoing = {.type = leg->stream.formats[0].send,
                                              .marker = !out->sounding,
                                              .payload = payload,
                                              .length = length};
            packet_send(leg, &outgoing, out->count_ms);
            out->sounding = true;
        }
        out->count_ms += wanted * MS_PER_S / rate;
    }
    out->count -= at;
    memmove(out->samples, out->samples + at, out->count * sizeof out->samples[0]);
}

static bool out_ready(const struct leg *leg)
{
    static const struct ice_address nowhere = {.ip = {[10] = 0xff, [11] = 0xff}};
    const struct ice_address *to = &leg->latch.target;
    return leg->negotiated && !leg->ended && leg->stream.sending && to->port != 0 &&
           memcmp(to->ip, nowhere.ip, sizeof to->ip) != 0 && leg_keys_ready(leg);
}

static void comfort_send(struct leg *leg, uint64_t media_ms)
{
    const uint8_t level = COMFORT_LEVEL;
    const struct outgoing outgoing = {
        .type = leg->stream.comfort_type, .payload = &level, .length = 1};
    if (leg->stream.comfort_type != MEDIA_LEG_PT_NONE &&
        voice_clock(leg->out.codec) == voice_clock(VOICE_PCMU))
        packet_send(leg, &outgoing, media_ms);
}

bool leg_out_beat(struct leg *leg, uint64_t due_ms)
{
    struct leg_out *out = &leg->out;
    uint32_t rate = voice_rate(out->codec);
    size_t frame = voice_frame(rate);
    if (!out_ready(leg)) {
        out->count = 0;
        out->sounding = false;
        return false;
    }
    int16_t *samples = out->samples + out->count;
    int32_t room[VOICE_FRAME_MAX];
    bool sounding = leg->room != NULL && mix_hear(leg->room->mix, rate, leg->id, room);
    if (sounding)
        gain_apply_sum(&out->gain,
                       (float)(out->gain_db + (out->prompt_count > 0 ? BEHIND_PROMPT_DB : 0)),
                       !leg->phone->config.unlimited, room, samples, frame);
    else
        memset(samples, 0, frame * sizeof *samples);
    sounding = prompt_add(leg, samples, frame, rate) || sounding;
    voice_level_sent(&leg->voice.level, sounding ? level_of(samples, frame) : LEVEL_SILENCE);
    if (sounding) {
        out->tail_ms = LEG_TAIL_MS;
    } else if (out->tail_ms == 0) {
        if (out->sounding)
            comfort_send(leg, due_ms);
        out->sounding = false;
        out->count = 0;
        return false;
    } else {
        out->tail_ms = (uint16_t)(out->tail_ms - VOICE_FRAME_MS);
    }
    if (out->count == 0)
        out->count_ms = due_ms;
    out->count += frame;
    waiting_send(leg, rate);
    return true;
}

void leg_keepalive(struct leg *leg, uint64_t now_ms)
{
    struct leg_out *out = &leg->out;
    if (!out_ready(leg) || out->sounding || now_ms - out->sent_ms < LEG_KEEPALIVE_MS)
        return;
    /* A frame of silence: the beat sends it and stops again. */
    out->tail_ms = VOICE_FRAME_MS;
    phone_wake(leg->phone, leg->beat);
}
