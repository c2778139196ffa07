/* media/phone/leg_voice.c - a telephone's voice on its way into the room, and into it as an Opus
 * microphone. */
#include "core/clock.h"
#include "core/crypto.h"
#include "media/codec/samples.h"
#include "media/phone/leg.h"
#include "media/sfu/room.h"
#include "media/sfu/track.h"
#include "media/sfu/transport.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PUBLISH_TYPE = 111,
    PUBLISH_LEVEL = 1, /* extension id of RFC 6464 */
    PUBLISH_CLOCK_KHZ = 48,
    PUBLISH_REPORT_MS = 1000,
    PUBLISH_HEADER_MAX = 64,
    MS_PER_S = 1000,
    VOICE_TAKES_MAX = 16, /* verdicts looked at in one beat */
    TONE_TAIL = 1,        /* frames muted after a tone, besides those delayed */
};

/* ---- the room's microphone ---- */

enum status leg_publish_begin(struct leg *leg, uint64_t room)
{
    struct media_transport_spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL)
        return STATUS_NO_MEMORY;
    spec->id = leg->id;
    spec->room = room;
    spec->track_count = 1;
    spec->tracks[0] = (struct media_track_spec){
        .mid = "0",
        .kind = MEDIA_AUDIO,
        .source = MEDIA_SOURCE_MICROPHONE,
        .payloads = {{.codec = MEDIA_CODEC_OPUS, .type = PUBLISH_TYPE}},
        .payload_count = 1,
        .extensions = {.audio_level = PUBLISH_LEVEL},
        .ssrc = crypto_random_u32() | 1,
    };
    struct transport *publisher;
    enum status status = transport_new_local(spec, &publisher);
    free(spec);
    if (status != STATUS_OK)
        return status;
    status = transport_adopt_local(publisher, leg->worker);
    if (status != STATUS_OK) {
        transport_unref(publisher);
        return status;
    }
    leg->publisher = publisher;
    leg->voice.encoding = false;
    return STATUS_OK;
}

void leg_publish_end(struct leg *leg)
{
    if (leg->publisher == NULL)
        return;
    transport_end(leg->publisher);
    transport_unref(leg->publisher);
    leg->publisher = NULL;
}

/* Nobody is in the room but legs of this worker. */
static bool among_ourselves(const struct leg *leg)
{
    const struct worker *worker = leg->worker;
    const struct room *room = leg->publisher->room;
    return room != NULL && worker_home(worker, room->id) == worker->number &&
           room->workers == UINT64_C(1) << worker->number &&
           room->members == mix_listeners(leg->room->mix);
}

/* A voice with a lane is heard: by legs of this worker as it is, by all others in Opus. */
static bool encoding_needed(struct leg *leg, const int16_t *samples, uint32_t rate)
{
    const struct track *track = &leg->publisher->tracks[0];
    if (track->lane == TRACK_LANE_NONE)
        return track->wanted[0] != 0;
    mix_own(leg->room->mix, (uint8_t)track->lane, leg->id, rate, samples);
    return track->wanted[0] != 0 || !among_ourselves(leg);
}

/* Is somebody listening, or would somebody if the room chose this voice? Without a lane a packet
 * only says how loud the voice is: one that decodes to silence is enough for that. */
static size_t payload_write(struct leg *leg, const int16_t *samples, uint32_t rate, uint8_t *out)
{
    static const uint8_t silent_narrow = 1 << 3, silent_wide = 9 << 3; /* RFC 6716 3.1: 20 ms */
    struct leg_voice *voice = &leg->voice;
    bool wide = rate == VOICE_RATE_WIDE;
    size_t length;
    if (!encoding_needed(leg, samples, rate)) {
        voice->encoding = false;
        out[0] = wide ? silent_wide : silent_narrow;
        return 1;
    }
    struct voice_encoder **encoder = &voice->encoders[wide];
    if (*encoder == NULL && voice_encoder_new(VOICE_OPUS, rate, encoder) != STATUS_OK)
        return 0;
    if (!voice->encoding)
        voice_encoder_reset(*encoder);
    voice->encoding = true;
    return voice_encode(*encoder, samples, voice_frame(rate), out, &length) == STATUS_OK ? length
                                                                                         : 0;
}

static void publish_packet(struct leg *leg, const uint8_t *bytes, size_t length)
{
    struct worker *worker = leg->worker;
    struct rtp_header header;
    struct packet *packet = worker_packet(worker, &(const struct ice_path){0}, bytes, length);
    if (packet == NULL)
        return;
    packet_facts_clear(packet);
    if (rtp_parse(packet->data, packet->length, &header) == STATUS_OK)
        track_receive(&leg->publisher->tracks[0], 0, packet, &header);
    packet_unref(packet, worker->packets);
}

static void publish(struct leg *leg, const int16_t *samples, uint32_t rate, const struct loud *loud,
                    uint64_t due_ms)
{
    uint8_t value[1], bytes[PUBLISH_HEADER_MAX + VOICE_ENCODED_MAX];
    size_t length, payload;
    struct track *track = &leg->publisher->tracks[0];
    const struct rtp_writing writing = {
        .payload_type = PUBLISH_TYPE,
        .sequence = leg->voice.sequence,
        .timestamp = (uint32_t)(due_ms * PUBLISH_CLOCK_KHZ),
        .ssrc = track->ssrc,
        .elements = {rtp_audio_level_element(PUBLISH_LEVEL, loud->level, loud->voice, value)},
        .element_count = 1,
    };
    if (rtp_write(&writing, bytes, PUBLISH_HEADER_MAX, &length) == STATUS_OK &&
        (payload = payload_write(leg, samples, rate, bytes + length)) > 0) {
        leg->voice.sequence++;
        publish_packet(leg, bytes, length + payload);
    }
    if (due_ms - leg->voice.reported_ms >= PUBLISH_REPORT_MS) {
        leg->voice.reported_ms = due_ms;
        track_report(track, 0, clock_ntp(), writing.timestamp);
    }
}

/* ---- digits as tones ---- */

/* Looks for tones and hands out the frame of LEG_TONE_FRAMES ago, silent where a tone began in
 * between or has just ended: none of it gets into the room. */
static void tones_frame(struct leg *leg, int16_t *samples, size_t count, uint32_t rate)
{
    struct leg_voice *voice = &leg->voice;
    int16_t narrow[VOICE_FRAME_MAX], now[VOICE_FRAME_MAX];
    size_t step = rate / VOICE_RATE_NARROW, narrow_count = count / step;
    for (size_t i = 0; i < narrow_count; i++)
        narrow[i] = (int16_t)(step == 1 ? samples[i] : (samples[i * 2] + samples[i * 2 + 1]) / 2);
    bool tone = tones_listen(voice->tones, narrow, narrow_count);
    char key = tones_digit(voice->tones);
    if (key != '\0' && leg_events(leg)->digit != NULL)
        leg_events(leg)->digit(leg->phone->config.context, leg->id, key, 0, MEDIA_LEG_DIGIT_TONE);
    if (tone || key != '\0') {
        memset(voice->delayed, 0, sizeof voice->delayed);
        voice->muting = LEG_TONE_FRAMES + TONE_TAIL;
    }
    memcpy(now, samples, count * sizeof *samples);
    if (voice->muting > 0) {
        voice->muting--;
        memset(now, 0, count * sizeof *now);
    }
    memcpy(samples, voice->delayed[0], count * sizeof *samples);
    memmove(voice->delayed[0], voice->delayed[1], (LEG_TONE_FRAMES - 1) * sizeof voice->delayed[0]);
    memcpy(voice->delayed[LEG_TONE_FRAMES - 1], now, count * sizeof *now);
}

/* ---- a beat ---- */

static void talking_set(struct leg *leg, bool talking, uint64_t now_ms)
{
    struct leg_voice *voice = &leg->voice;
    if (voice->talking == talking || now_ms - voice->talking_ms < LEG_TALKING_MS)
        return;
    voice->talking = talking;
    voice->talking_ms = now_ms;
    if (leg_events(leg)->talking != NULL)
        leg_events(leg)->talking(leg->phone->config.context, leg->id, talking);
}

static struct voice_decoder *decoder_of(struct leg *leg)
{
    enum voice_codec codec = leg->in.codec;
    struct voice_decoder **decoder = &leg->voice.decoders[codec];
    if (*decoder == NULL && voice_decoder_new(codec, voice_rate(codec), decoder) != STATUS_OK)
        return NULL;
    return *decoder;
}

/* In place of a packet: lost, and then there may be a copy of it in the one behind it, or late. */
static void voice_make_up(struct leg *leg, struct voice_decoder *decoder, bool lost)
{
    struct leg_voice *voice = &leg->voice;
    uint32_t rate = voice_rate(leg->in.codec);
    int16_t samples[VOICE_DECODED_MAX];
    size_t count = voice_lost(leg->in.codec, rate, lost ? leg->in.jitter.packet_ticks : 0);
    const struct packet *after = lost ? jitter_after(&leg->in.jitter) : NULL;
    if (voice_recover(decoder, after != NULL ? after->data + after->payload_offset : NULL,
                      after != NULL ? after->payload_length : 0, samples, count))
        voice->played_ms += count * MS_PER_S / rate;
    else
        voice->pending_ms += count * MS_PER_S / rate;
    samples_append(voice->samples, LEG_WAITING, &voice->count, samples, count, false);
}

/* Returns the packet's samples. */
static size_t voice_append(struct leg *leg, struct voice_decoder *decoder,
                           const struct packet *packet, bool faded)
{
    struct leg_voice *voice = &leg->voice;
    uint32_t rate = voice_rate(leg->in.codec);
    int16_t decoded[VOICE_DECODED_MAX];
    size_t count = voice_frame(rate);
    if (voice_decode(decoder, packet->data + packet->payload_offset, packet->payload_length,
                     decoded, &count) != STATUS_OK) {
        voice_conceal(decoder, decoded, count);
        voice->pending_ms += count * MS_PER_S / rate;
    } else {
        /* What was concealed at the end of a voice was not missing. */
        if (!leg->in.jitter.resumed)
            voice->concealed_ms += voice->pending_ms;
        voice->pending_ms = 0;
        voice->played_ms += count * MS_PER_S / rate;
    }
    samples_append(voice->samples, LEG_WAITING, &voice->count, decoded, count, faded);
    return count;
}

/* A tone is being taken out, so that nobody would hear what is made up for a packet; but the
 * detector would hear the tone's end in it, and a second key behind it. */
static bool tone_goes_on(const struct leg_voice *voice)
{
    return voice->tones != NULL && voice->muting > 0;
}

/* Until there are 20 ms. False: silence. */
static bool voice_fill(struct leg *leg, struct voice_decoder *decoder, uint64_t now_ms)
{
    struct leg_voice *voice = &leg->voice;
    struct jitter *jitter = &leg->in.jitter;
    const struct packets *home = worker_packets(leg->worker);
    uint32_t rate = voice_rate(leg->in.codec), clock = voice_clock(leg->in.codec);
    bool faded = false;
    for (int i = 0; i < VOICE_TAKES_MAX && (faded || voice->count < voice_frame(rate)); i++) {
        struct packet *packet;
        enum jitter_verdict verdict = jitter_take(jitter, voice->quiet, now_ms, home, &packet);
        if (verdict == JITTER_PAUSE || verdict == JITTER_EMPTY) {
            voice->pending_ms = 0;
            return false;
        }
        if (verdict == JITTER_LOST || verdict == JITTER_HOLD) {
            if (tone_goes_on(voice))
                return false;
            voice_make_up(leg, decoder, verdict == JITTER_LOST);
            continue;
        }
        size_t count = voice_append(leg, decoder, packet, faded);
        jitter_played(jitter, (uint32_t)(count * clock / rate));
        packet_unref(packet, home);
        faded = verdict == JITTER_MERGE;
    }
    return voice->count >= voice_frame(rate);
}

static void frame_go(struct leg *leg, uint64_t now_ms, uint64_t due_ms)
{
    struct leg_voice *voice = &leg->voice;
    uint32_t rate = voice_rate(leg->in.codec);
    size_t frame = voice_frame(rate);
    int16_t samples[VOICE_FRAME_MAX];
    memcpy(samples, voice->samples, frame * sizeof samples[0]);
    voice->count -= frame;
    memmove(voice->samples, voice->samples + frame, voice->count * sizeof samples[0]);
    if (voice->tones != NULL)
        tones_frame(leg, samples, frame, rate);
    struct loud loud = voice_level_frame(&voice->level, samples, frame);
    voice->quiet = !loud.voice;
    talking_set(leg, loud.voice, now_ms);
    if ((loud.voice || leg->phone->config.ungated) && leg->publisher != NULL && !leg->muted)
        publish(leg, samples, rate, &loud, due_ms);
    else
        voice->encoding = false;
}

/*
 * The line's noise goes on behind the words for as long as it would be heard of a telephone that
 * sends it: until the voice's hangover is over. Afterwards the leg is silent, and costs nothing.
 */
static bool comfort_fill(struct leg *leg)
{
    struct leg_voice *voice = &leg->voice;
    size_t frame = voice_frame(voice_rate(leg->in.codec));
    float loudest = LEG_COMFORT_LOUDEST + fmaxf(voice->level.gain, 0);
    if (!leg->in.comfort || voice->level.hangover == 0)
        return false;
    if (voice->count < frame)
        noise_make(&voice->noise, fmaxf(leg->in.comfort_level, loudest),
                   voice->samples + voice->count, frame - voice->count);
    voice->count = voice->count < frame ? frame : voice->count;
    return true;
}

bool leg_voice_beat(struct leg *leg, uint64_t now_ms, uint64_t due_ms)
{
    struct jitter *jitter = &leg->in.jitter;
    if (digits_waiting(&leg->in.digits))
        leg_digits(leg, now_ms);
    struct voice_decoder *decoder = jitter->playing || jitter->held > 0 ? decoder_of(leg) : NULL;
    if (!leg->stream.hearing || (decoder == NULL && !comfort_fill(leg))) {
        leg->voice.quiet = true;
        talking_set(leg, false, now_ms);
        return digits_waiting(&leg->in.digits) || leg->voice.talking;
    }
    if (decoder == NULL || voice_fill(leg, decoder, now_ms) || comfort_fill(leg)) {
        frame_go(leg, now_ms, due_ms);
    } else {
        leg->voice.quiet = true;
        talking_set(leg, false, now_ms);
    }
    return true;
}
