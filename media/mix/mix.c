#include "media/mix/mix.h"
#include "media/codec/resample.h"
#include "media/codec/samples.h"
#include "media/phone/jitter.h"

#include <stdlib.h>
#include <string.h>

enum {
    MIX_NARROW,
    MIX_WIDE,
    MIX_RATES,
    LANE_CLOCK = 48000, /* RFC 7587 4.1 */
    LANE_FRAME = LANE_CLOCK / 1000 * VOICE_FRAME_MS,
    LANE_WAITING = VOICE_DECODED_MAX + VOICE_FRAME_MAX, /* samples: a frame short and one packet */
    LANE_TAKES_MAX = 16,                                /* verdicts looked at in one turn */
    LANE_QUIET = 300, /* samples below: nobody speaks in that frame */
};

static const uint32_t rates[MIX_RATES] = {VOICE_RATE_NARROW, VOICE_RATE_WIDE};

/* What has been decoded of a lane at one rate; the first frame of it is this turn's. */
struct voice_fifo {
    struct voice_decoder *decoder;
    size_t count;
    int16_t samples[LANE_WAITING];
};

struct lane {
    uint64_t source; /* 0: none yet */
    uint8_t epoch;
    bool present, quiet, taken; /* taken: the frame of the last turn is to be removed */
    bool own, fresh;            /* a leg's of this worker, without packets; its frame is there */
    struct jitter jitter;
    struct resample resample; /* of its own rate to the other */
    struct voice_fifo fifos[MIX_RATES];
};

struct mix {
    const struct packets *home;
    uint8_t voices;
    uint8_t present; /* lanes, this turn */
    uint32_t listeners[MIX_RATES];
    int32_t sums[MIX_RATES][VOICE_FRAME_MAX];
    struct lane lanes[];
};

static size_t rate_index(uint32_t rate)
{
    return rate == VOICE_RATE_WIDE ? MIX_WIDE : MIX_NARROW;
}

enum status mix_new(uint8_t voices, const struct packets *home, struct mix **ret_mix)
{
    struct mix *mix = calloc(1, sizeof *mix + voices * sizeof mix->lanes[0]);
    if (mix == NULL)
        return STATUS_NO_MEMORY;
    mix->voices = voices;
    mix->home = home;
    for (uint8_t i = 0; i < voices; i++)
        jitter_init(&mix->lanes[i].jitter, LANE_CLOCK);
    *ret_mix = mix;
    return STATUS_OK;
}

struct mix *mix_free(struct mix *mix)
{
    for (uint8_t i = 0; mix != NULL && i < mix->voices; i++) {
        jitter_clear(&mix->lanes[i].jitter, mix->home);
        for (size_t rate = 0; rate < MIX_RATES; rate++)
            voice_decoder_free(mix->lanes[i].fifos[rate].decoder);
    }
    free(mix);
    return NULL;
}

enum status mix_listen(struct mix *mix, uint32_t rate)
{
    size_t at = rate_index(rate);
    for (uint8_t i = 0; i < mix->voices; i++) {
        struct voice_fifo *fifo = &mix->lanes[i].fifos[at];
        if (fifo->decoder == NULL &&
            voice_decoder_new(VOICE_OPUS, rates[at], &fifo->decoder) != STATUS_OK)
            return STATUS_NO_MEMORY;
    }
    mix->listeners[at]++;
    return STATUS_OK;
}

void mix_unlisten(struct mix *mix, uint32_t rate)
{
    mix->listeners[rate_index(rate)]--;
}

uint32_t mix_listeners(const struct mix *mix)
{
    return mix->listeners[MIX_NARROW] + mix->listeners[MIX_WIDE];
}

/* ---- in ---- */

static void lane_reset(struct mix *mix, struct lane *lane)
{
    jitter_clear(&lane->jitter, mix->home);
    for (size_t rate = 0; rate < MIX_RATES; rate++) {
        lane->fifos[rate].count = 0;
        if (lane->fifos[rate].decoder != NULL)
            voice_decoder_reset(lane->fifos[rate].decoder);
    }
    lane->resample = (struct resample){.past = {0}};
    lane->present = lane->taken = lane->own = lane->fresh = false;
}

void mix_voice(struct mix *mix, uint8_t lane_number, struct packet *packet, uint64_t now_ms)
{
    if (lane_number >= mix->voices || packet->format.codec != MEDIA_CODEC_OPUS)
        return;
    struct lane *lane = &mix->lanes[lane_number];
    if (lane->source != packet->source || lane->epoch != packet->epoch) {
        lane_reset(mix, lane);
        lane->source = packet->source;
        lane->epoch = packet->epoch;
    }
    if (lane->own)
        return;
    (void)!jitter_put(&lane->jitter, packet, (uint16_t)packet->index, packet->timestamp, now_ms,
                      mix->home);
}

void mix_own(struct mix *mix, uint8_t lane_number, uint64_t source, uint32_t rate,
             const int16_t *samples)
{
    size_t at = rate_index(rate), other = at == MIX_WIDE ? MIX_NARROW : MIX_WIDE;
    if (lane_number >= mix->voices)
        return;
    struct lane *lane = &mix->lanes[lane_number];
    if (lane->source != source || !lane->own) {
        lane_reset(mix, lane);
        lane->source = source;
        lane->own = true;
    }
    int16_t *converted = lane->fifos[other].samples;
    memcpy(lane->fifos[at].samples, samples, voice_frame(rate) * sizeof *samples);
    if (mix->listeners[other] > 0 && at == MIX_NARROW)
        resample_double(&lane->resample, samples, voice_frame(VOICE_RATE_NARROW), converted);
    else if (mix->listeners[other] > 0)
        resample_halve(&lane->resample, samples, voice_frame(VOICE_RATE_NARROW), converted);
    lane->fresh = true;
}

/* ---- a turn ---- */

/* Takes the frame of the last turn out; keeps the rates that nobody hears in step. */
static void lane_shift(const struct mix *mix, struct lane *lane)
{
    for (size_t rate = 0; rate < MIX_RATES; rate++) {
        struct voice_fifo *fifo = &lane->fifos[rate];
        size_t frame = voice_frame(rates[rate]);
        if (mix->listeners[rate] == 0 || fifo->count < frame)
            fifo->count = 0;
        else
            fifo->count -= frame;
        memmove(fifo->samples, fifo->samples + frame, fifo->count * sizeof fifo->samples[0]);
    }
    lane->taken = false;
}

/* In place of a packet: lost, and then there may be a copy of it in the one behind it, or late. */
static void lane_make_up(const struct mix *mix, struct lane *lane, bool lost)
{
    const struct packet *after = lost ? jitter_after(&lane->jitter) : NULL;
    const uint8_t *bytes = after != NULL ? after->data + after->payload_offset : NULL;
    size_t length = after != NULL ? after->payload_length : 0;
    for (size_t rate = 0; rate < MIX_RATES; rate++) {
        struct voice_fifo *fifo = &lane->fifos[rate];
        int16_t samples[VOICE_DECODED_MAX];
        if (mix->listeners[rate] == 0)
            continue;
        size_t count = voice_lost(VOICE_OPUS, rates[rate], lost ? lane->jitter.packet_ticks : 0);
        (void)voice_recover(fifo->decoder, bytes, length, samples, count);
        samples_append(fifo->samples, LANE_WAITING, &fifo->count, samples, count, false);
    }
}

/* One packet into every rate that is heard. Returns samples at 16 kHz. */
static size_t lane_append(const struct mix *mix, struct lane *lane, const struct packet *packet,
                          bool faded)
{
    size_t wide = VOICE_FRAME_MAX;
    for (size_t rate = 0; rate < MIX_RATES; rate++) {
        struct voice_fifo *fifo = &lane->fifos[rate];
        int16_t decoded[VOICE_DECODED_MAX];
        size_t count = voice_frame(rates[rate]);
        if (mix->listeners[rate] == 0)
            continue;
        if (voice_decode(fifo->decoder, packet->data + packet->payload_offset,
                         packet->payload_length, decoded, &count) != STATUS_OK)
            voice_conceal(fifo->decoder, decoded, count);
        wide = count * (VOICE_RATE_WIDE / rates[rate]);
        samples_append(fifo->samples, LANE_WAITING, &fifo->count, decoded, count, faded);
    }
    return wide;
}

static bool lane_full(const struct mix *mix, const struct lane *lane)
{
    for (size_t rate = 0; rate < MIX_RATES; rate++) {
        if (mix->listeners[rate] > 0 && lane->fifos[rate].count < voice_frame(rates[rate]))
            return false;
    }
    return true;
}

/* Until there is a frame. False: silence. */
static bool lane_fill(const struct mix *mix, struct lane *lane, uint64_t now_ms)
{
    bool faded = false;
    for (int take = 0; take < LANE_TAKES_MAX && (faded || !lane_full(mix, lane)); take++) {
        struct packet *packet;
        enum jitter_verdict verdict =
            jitter_take(&lane->jitter, lane->quiet, now_ms, mix->home, &packet);
        switch (verdict) {
        case JITTER_PLAY:
        case JITTER_MERGE:
            jitter_played(&lane->jitter, (uint32_t)(lane_append(mix, lane, packet, faded) *
                                                    LANE_CLOCK / VOICE_RATE_WIDE));
            packet_unref(packet, mix->home);
            faded = verdict == JITTER_MERGE;
            break;
        case JITTER_LOST:
        case JITTER_HOLD:
            lane_make_up(mix, lane, verdict == JITTER_LOST);
            faded = false;
            break;
        case JITTER_PAUSE:
        case JITTER_EMPTY:
            return false;
        }
    }
    return lane_full(mix, lane);
}

static void lane_add(struct mix *mix, struct lane *lane)
{
    int32_t loudest = 0;
    for (size_t rate = 0; rate < MIX_RATES; rate++) {
        size_t frame = voice_frame(rates[rate]);
        if (mix->listeners[rate] == 0)
            continue;
        for (size_t i = 0; i < frame; i++) {
            int32_t sample = lane->fifos[rate].samples[i];
            mix->sums[rate][i] += sample;
            if (sample > loudest)
                loudest = sample;
        }
    }
    lane->quiet = loudest < LANE_QUIET;
    lane->present = lane->taken = true;
    mix->present++;
}

static bool lane_idle(const struct lane *lane)
{
    return !lane->jitter.playing && lane->jitter.held == 0;
}

static bool own_turn(struct mix *mix, struct lane *lane)
{
    if (!lane->fresh)
        return false;
    lane_add(mix, lane);
    lane->taken = lane->fresh = false;
    return true;
}

bool mix_turn(struct mix *mix, uint64_t now_ms)
{
    bool going_on = false;
    if (mix->present > 0)
        memset(mix->sums, 0, sizeof mix->sums);
    mix->present = 0;
    for (uint8_t i = 0; i < mix->voices; i++) {
        struct lane *lane = &mix->lanes[i];
        if (lane->taken)
            lane_shift(mix, lane);
        lane->present = false;
        if (lane->own) {
            going_on = own_turn(mix, lane) || going_on;
            continue;
        }
        if (lane_idle(lane))
            continue;
        going_on = true;
        if (lane_fill(mix, lane, now_ms))
            lane_add(mix, lane);
    }
    return going_on;
}

bool mix_hear(const struct mix *mix, uint32_t rate, uint64_t self, int32_t *ret_sum)
{
    const struct lane *own = NULL;
    for (uint8_t i = 0; i < mix->voices; i++) {
        if (mix->lanes[i].present && mix->lanes[i].source == self)
            own = &mix->lanes[i];
    }
    if (mix->present <= (own != NULL ? 1 : 0))
        return false;
    size_t at = rate_index(rate), frame = voice_frame(rate);
    for (size_t i = 0; i < frame; i++)
        ret_sum[i] = mix->sums[at][i] - (own != NULL ? own->fifos[at].samples[i] : 0);
    return true;
}
