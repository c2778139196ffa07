#include "tests/support/telephone.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "media/ice/ice.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CATCH_UP_MAX = 3,
    DATAGRAM_MAX = 2000,
    TURN_MS = 2,
    EVENT_PACKETS = 5,
    EVENT_ENDS = 3,
    HEARING_OVER_REST_DB = 20
};

static struct telephone *telephones[TELEPHONES_MAX];
static size_t telephone_count;
static struct media_leg_config legs;

static const uint8_t types[] = {
    [MEDIA_LEG_PCMU] = 0, [MEDIA_LEG_PCMA] = 8, [MEDIA_LEG_G722] = 9, [MEDIA_LEG_OPUS] = 107};

/* ---- its leg's events ---- */

static struct telephone *telephone_of(uint64_t id)
{
    for (size_t i = 0; i < telephone_count; i++) {
        if (telephones[i]->id == id)
            return telephones[i];
    }
    return NULL;
}

#define WITH_TELEPHONE(statement)                                                                  \
    do {                                                                                           \
        (void)context;                                                                             \
        lock_take(&stage.lock);                                                                    \
        struct telephone *telephone = telephone_of(leg);                                           \
        if (telephone != NULL) {                                                                   \
            statement;                                                                             \
        }                                                                                          \
        lock_give(&stage.lock);                                                                    \
    } while (0)

static void on_opened(void *context, uint64_t leg, uint16_t port, uint16_t rtcp_port)
{
    WITH_TELEPHONE(telephone->opened = true; telephone->leg_port = port;
                   telephone->leg_rtcp_port = rtcp_port);
}

static void on_digit(void *context, uint64_t leg, char digit, uint32_t duration_ms,
                     enum media_leg_digit_way way)
{
    (void)duration_ms;
    (void)way;
    WITH_TELEPHONE(if (telephone->digit_count < TELEPHONE_DIGITS_MAX)
                       telephone->digits[telephone->digit_count++] = digit);
}

static void on_talking(void *context, uint64_t leg, bool talking)
{
    WITH_TELEPHONE(telephone->talking = talking);
}

static void on_lost(void *context, uint64_t leg, bool lost)
{
    WITH_TELEPHONE(telephone->lost = lost);
}

static void on_played(void *context, uint64_t leg)
{
    WITH_TELEPHONE(telephone->played++);
}

static void on_statistics(void *context, uint64_t leg,
                          const struct media_leg_statistics *statistics)
{
    WITH_TELEPHONE(telephone->statistics = *statistics; telephone->statistics_count++);
}

static void on_closed(void *context, uint64_t leg, enum media_leg_end end)
{
    WITH_TELEPHONE(telephone->closed = true; telephone->end = end);
}

void telephones_stage(uint16_t port_first, uint16_t port_last)
{
    static const struct media_leg_events events = {on_opened, on_digit,      on_talking, on_lost,
                                                   on_played, on_statistics, on_closed};
    legs = (struct media_leg_config){
        .port_first = port_first, .port_last = port_last, .events = &events};
    stage_legs = &legs;
}

void telephones_stage_open(bool unlimited, bool ungated)
{
    legs.unlimited = unlimited;
    legs.ungated = ungated;
}

void telephones_end(void)
{
    for (size_t i = 0; i < telephone_count; i++) {
        struct telephone *telephone = telephones[i];
        close(telephone->fd);
        close(telephone->rtcp_fd);
        voice_encoder_free(telephone->encoder);
        voice_decoder_free(telephone->decoder);
        protector_free(telephone->protector);
        unprotector_free(telephone->unprotector);
        free(telephone);
    }
    telephone_count = 0;
    stage_legs = NULL;
}

int telephones_set_up(void **state)
{
    telephones_stage(0, 0);
    return stage_open(state);
}

int telephones_tear_down(void **state)
{
    stage_close(state);
    telephones_end();
    return 0;
}

/* ---- calls ---- */

static int socket_any(uint16_t port, uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static enum voice_codec codec_of(enum media_leg_codec codec)
{
    return (enum voice_codec)codec; /* the same four in the same order */
}

static void keys_make(struct telephone *telephone)
{
    static const enum protector_profile profiles[] = {
        PROTECTOR_AES_CM_SHA1_80, PROTECTOR_AES_CM_SHA1_32, PROTECTOR_AES_GCM_128};
    const struct media_leg_security *security = &telephone->security;
    struct protector_keys send = {.profile = profiles[security->suite]}, receive = send;
    size_t key = protector_key_length(send.profile), salt = protector_salt_length(send.profile);
    memcpy(send.key, security->receive_key, key);
    memcpy(send.salt, security->receive_key + key, salt);
    memcpy(receive.key, security->send_key, key);
    memcpy(receive.salt, security->send_key + key, salt);
    assert_int_equal(protector_new(&send, &telephone->protector), STATUS_OK);
    assert_int_equal(unprotector_new(&receive, &telephone->unprotector), STATUS_OK);
}

struct telephone *telephone_new(enum media_leg_codec codec,
                                const struct media_leg_security *security)
{
    struct telephone *telephone = calloc(1, sizeof *telephone);
    assert_non_null(telephone);
    telephone->ssrc = crypto_random_u32();
    telephone->level = 8000;
    rng_seed(&telephone->rng, 1);
    uint16_t rtcp_port = 0;
    telephone->rtcp_fd = -1;
    while (telephone->rtcp_fd < 0) {
        telephone->fd = socket_any(0, &telephone->port);
        if (telephone->port < UINT16_MAX)
            telephone->rtcp_fd = socket_any((uint16_t)(telephone->port + 1), &rtcp_port);
        if (telephone->rtcp_fd < 0)
            close(telephone->fd);
    }
    telephone_recode(telephone, codec);
    if (security != NULL)
        telephone->security = *security;
    if (telephone->security.kind == MEDIA_LEG_SDES)
        keys_make(telephone);
    lock_take(&stage.lock);
    telephone->id = ++stage.next_id;
    assert_true(telephone_count < TELEPHONES_MAX);
    telephones[telephone_count++] = telephone;
    lock_give(&stage.lock);
    return telephone;
}

void telephone_spec(const struct telephone *telephone, struct media_leg_spec *ret_spec)
{
    struct sockaddr_in remote = {.sin_family = AF_INET, .sin_port = htons(telephone->port)};
    remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    uint8_t type = types[telephone->codec];
    *ret_spec = (struct media_leg_spec){
        .id = telephone->id,
        .negotiated = true,
        .security = telephone->security,
        .stream = {.formats = {{telephone->codec, type, type}},
                   .format_count = 1,
                   .events = {{TELEPHONE_PAYLOAD_EVENT, TELEPHONE_PAYLOAD_EVENT,
                               voice_clock(codec_of(telephone->codec))}},
                   .event_count = 1,
                   .comfort_type = TELEPHONE_PAYLOAD_COMFORT,
                   .ptime_ms = 20,
                   .sending = true,
                   .hearing = true,
                   .symmetric = true},
    };
    memcpy(&ret_spec->stream.remote, &remote, sizeof remote);
}

void telephone_open(struct telephone *telephone, const struct media_leg_spec *spec)
{
    assert_int_equal(media_leg_open(stage.media, spec), STATUS_OK);
    WAIT_FOR(telephone->opened || telephone->closed);
}

struct telephone *telephone_call(enum media_leg_codec codec,
                                 const struct media_leg_security *security)
{
    struct telephone *telephone = telephone_new(codec, security);
    struct media_leg_spec spec;
    telephone_spec(telephone, &spec);
    telephone_open(telephone, &spec);
    assert_true(telephone->opened);
    return telephone;
}

/* ---- sending ---- */

void telephone_send(struct telephone *telephone, int fd, uint8_t type, bool marker,
                    const uint8_t *payload, size_t length)
{
    uint8_t bytes[DATAGRAM_MAX];
    size_t header;
    const struct rtp_writing writing = {.marker = marker,
                                        .payload_type = type,
                                        .sequence = telephone->sequence++,
                                        .timestamp = telephone->timestamp,
                                        .ssrc = telephone->ssrc};
    assert_int_equal(rtp_write(&writing, bytes, sizeof bytes, &header), STATUS_OK);
    memcpy(bytes + header, payload, length);
    size_t whole = header + length;
    if (telephone->protector != NULL)
        assert_int_equal(protector_rtp(telephone->protector, 0, bytes, header, bytes + header,
                                       length, bytes, &whole),
                         STATUS_OK);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(telephone->leg_port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)!sendto(fd, bytes, whole, 0, (struct sockaddr *)&to, sizeof to);
}

static void tone_make(struct telephone *telephone, int16_t *samples, size_t count, uint32_t rate)
{
    for (size_t i = 0; i < count; i++) {
        double at = 2 * M_PI * telephone->phase++ / rate;
        double sample = telephone->tone > 0 ? sin(at * telephone->tone) : 0;
        if (telephone->second_tone > 0)
            sample += sin(at * telephone->second_tone);
        samples[i] = (int16_t)lrint(telephone->level * sample);
    }
}

static void frame_send(struct telephone *telephone)
{
    uint32_t rate = voice_rate(codec_of(telephone->codec));
    int16_t samples[VOICE_FRAME_MAX];
    uint8_t payload[VOICE_ENCODED_MAX];
    size_t length;
    tone_make(telephone, samples, voice_frame(rate), rate);
    assert_int_equal(voice_encode(telephone->encoder, samples, voice_frame(rate), payload, &length),
                     STATUS_OK);
    if (telephone->drop_every != 0 && telephone->sequence % telephone->drop_every == 0)
        telephone->sequence++;
    else
        telephone_send(telephone, telephone->fd, types[telephone->codec], false, payload, length);
    telephone->timestamp += voice_clock(codec_of(telephone->codec)) / 50;
}

void telephone_press(struct telephone *telephone, char key, uint32_t loss_percent)
{
    static const char keys[] = "0123456789*#ABCD";
    const uint32_t step = voice_clock(codec_of(telephone->codec)) / 50;
    uint16_t duration = 0;
    for (int i = 0; i < EVENT_PACKETS + EVENT_ENDS; i++) {
        uint8_t payload[4] = {(uint8_t)(strchr(keys, key) - keys), 10};
        if (i < EVENT_PACKETS)
            duration = (uint16_t)(duration + step);
        else
            payload[1] |= 0x80;
        store_be16(payload + 2, duration);
        if (rng_below(&telephone->rng, 100) < loss_percent)
            telephone->sequence++;
        else
            telephone_send(telephone, telephone->fd, TELEPHONE_PAYLOAD_EVENT, false, payload,
                           sizeof payload);
    }
    telephone->timestamp += duration;
    if (telephone->next_ns != 0)
        telephone->next_ns += EVENT_PACKETS * 20 * CLOCK_NS_PER_MS;
}

/* ---- hearing ---- */

static void heard_take(struct telephone *telephone, uint8_t *bytes, size_t length)
{
    struct rtp_header header;
    int16_t samples[VOICE_DECODED_MAX];
    size_t count;
    uint64_t index;
    if (telephone->unprotector != NULL &&
        unprotector_rtp(telephone->unprotector, bytes, length, &length, &index) != STATUS_OK) {
        telephone->bad++;
        return;
    }
    if (rtp_parse(bytes, length, &header) != STATUS_OK) {
        telephone->bad++;
        return;
    }
    if (header.payload_type == TELEPHONE_PAYLOAD_COMFORT && header.payload_length == 1) {
        telephone->comforts++;
        telephone->comfort_level = bytes[header.payload_offset];
    }
    if (header.payload_type != types[telephone->codec])
        return;
    telephone->packets_heard++;
    if (voice_decode(telephone->decoder, bytes + header.payload_offset, header.payload_length,
                     samples, &count) == STATUS_OK)
        hearing_add(&telephone->heard, samples, count);
}

void telephone_recode(struct telephone *telephone, enum media_leg_codec codec)
{
    uint32_t rate = voice_rate(codec_of(codec));
    telephone->codec = codec;
    telephone->heard = (struct hearing){.rate = rate};
    telephone->encoder = voice_encoder_free(telephone->encoder);
    telephone->decoder = voice_decoder_free(telephone->decoder);
    assert_int_equal(voice_encoder_new(codec_of(codec), rate, &telephone->encoder), STATUS_OK);
    assert_int_equal(voice_decoder_new(codec_of(codec), rate, &telephone->decoder), STATUS_OK);
}

void telephone_turn(struct telephone *telephone)
{
    uint8_t bytes[DATAGRAM_MAX];
    uint64_t now_ns = clock_mono_ns();
    const uint64_t frame_ns =
        20 * CLOCK_NS_PER_MS - 20 * (uint64_t)telephone->clock_ppm * CLOCK_NS_PER_MS / 1000000;
    if (telephone->next_ns == 0)
        telephone->next_ns = now_ns;
    for (int i = 0; i < CATCH_UP_MAX && telephone->leg_port != 0 && telephone->tone >= 0 &&
                    now_ns >= telephone->next_ns;
         i++) {
        frame_send(telephone);
        telephone->next_ns += frame_ns;
    }
    ssize_t got;
    while ((got = recv(telephone->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        heard_take(telephone, bytes, (size_t)got);
    while (recv(telephone->rtcp_fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
        /* reports */
    }
}

void telephones_turn(void)
{
    crowd_turn(stage.peers, TURN_MS);
    for (size_t i = 0; i < telephone_count; i++)
        telephone_turn(telephones[i]);
}

/* ---- listening ---- */

/* Mean square of the tone in the samples, and of everything. */
static double tone_power(const int16_t *samples, size_t count, uint32_t rate, double tone,
                         double *ret_all)
{
    double real = 0, imaginary = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        double at = 2 * M_PI * tone * (double)i / rate;
        /* Hann: what is beside the tone does not leak into it. */
        double window = 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)count);
        real += samples[i] * cos(at) * window;
        imaginary += samples[i] * sin(at) * window;
        all += (double)samples[i] * samples[i];
    }
    double amplitude = 4 * sqrt(real * real + imaginary * imaginary) / (double)count;
    *ret_all = all / (double)count;
    return amplitude * amplitude / 2;
}

/* The last second, or what there is of it. */
static const int16_t *last_second(const struct hearing *hearing, size_t *ret_count)
{
    *ret_count = hearing->count < hearing->rate ? hearing->count : hearing->rate;
    return hearing->samples + hearing->count - *ret_count;
}

void hearing_add(struct hearing *hearing, const int16_t *samples, size_t count)
{
    if (hearing->count + count > TELEPHONE_HEARD_MAX) {
        size_t kept = TELEPHONE_HEARD_MAX / 2;
        memmove(hearing->samples, hearing->samples + hearing->count - kept,
                kept * sizeof samples[0]);
        hearing->count = kept;
    }
    memcpy(hearing->samples + hearing->count, samples, count * sizeof samples[0]);
    hearing->count += count;
    hearing->all += count;
}

bool hearing_tone(struct hearing *hearing, double tone)
{
    size_t count;
    const int16_t *samples = last_second(hearing, &count);
    if (count < hearing->rate || hearing->all - hearing->checked < hearing->rate / 4)
        return false;
    hearing->checked = hearing->all;
    double all, power = tone_power(samples, count, hearing->rate, tone, &all);
    return power > 1 && 10 * log10(power / fmax(all - power, 1e-3)) > HEARING_OVER_REST_DB;
}

double hearing_level(const struct hearing *hearing, double tone)
{
    size_t count;
    const int16_t *samples = last_second(hearing, &count);
    double all, power = count == 0 ? 0 : tone_power(samples, count, hearing->rate, tone, &all);
    return 10 * log10(fmax(power, 1e-6) / (32768.0 * 32768 / 2));
}
