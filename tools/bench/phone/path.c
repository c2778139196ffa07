/*
 * tools/bench/phone/path.c - what the way from a telephone to a WebRTC participant and back costs:
 * telephones on loopback RTP, in rooms with one participant each, of one media worker.
 *
 * phone_path delay ROUNDS    clicks, both ways: from the packet that carries one being sent to its
 *                            sample's place in the receiver's decoded stream, without the time the
 *                            packet took to fill. A round is a new call at another phase
 * phone_path rough SECONDS   5 % loss and 40 ms jitter from the telephone, then 10 s of calm
 * phone_path digits COUNT    keys in their own time, 10 % of all packets lost
 *
 * Prints one line of JSON each.
 */
#include "core/bytes.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/rng.h"
#include "media/codec/voice.h"
#include "media/leg.h"
#include "media/rtp/rtp.h"
#include "tests/support/net_path.h"
#include "tests/support/peer.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PCMU = 0,
    EVENT = 101,
    OPUS = 111,
    LEVEL = 1, /* extension id of RFC 6464 */
    VOICES = 3,
    CARRIER = 1500,
    CLICK = 26000,
    CLICK_SAMPLES_KHZ = 3, /* ms a click lasts */
    HEARD = 7000,          /* samples of a click are louder, of the carrier softer */
    WARM_FRAMES = 100,     /* a voice has its lane, the gain has settled */
    CLICK_FRAMES = 40,     /* from click to click */
    CLICKS = 5,            /* of a round, each way */
    KEY_FRAMES = 5,
    KEY_ENDS = 3,
    KEY_PAUSE = 3, /* frames of voice between two keys */
    CALM_S = 10,
    FRAMES_A_S = 50,
    FRAME_NS = 20 * CLOCK_NS_PER_MS,
    DATAGRAM = 1500,
    DELAYS_MAX = 4096,
    PATIENCE_S = 20,
    SEED = 5,
};

/* One side of the measured way: when a click left, and what the other side makes of it. */
struct way {
    uint64_t clicked_ns; /* 0: none is under way */
    double delays_ms[DELAYS_MAX];
    size_t count, missed;
};

struct telephone {
    uint64_t id;
    int fd;
    struct voice_encoder *encoder;
    struct voice_decoder *decoder;
    struct net_path *path; /* to the leg */
    uint16_t sequence;
    uint32_t timestamp, ssrc, frames, phase;
    uint64_t next_ns;
};

struct browser {
    struct peer *peer;
    struct media_ice ice;
    uint64_t id;
    struct voice_encoder *encoder;
    struct voice_decoder *decoder;
    uint16_t sequence;
    uint32_t timestamp, frames, phase;
    uint64_t next_ns;
};

static struct media *media;
static struct crowd *crowd;
static struct telephone telephone;
static struct browser browser;
static struct way there, back; /* to the browser, to the telephone */
static uint64_t next_id;
static atomic_int leg_port, worker = -1;
static atomic_bool ended;
static atomic_uint_fast64_t concealed_ms, played_ms, lost, buffer_ms, mos_100;
static atomic_size_t digit_count;
static char *digits;
static size_t digits_max;

static void die(const char *what)
{
    fprintf(stderr, "phone_path: %s\n", what);
    exit(1);
}

static void need(enum status status, const char *what)
{
    if (status != STATUS_OK)
        die(what);
}

/* ---- events ---- */

static void on_opened(void *context, uint64_t leg, uint16_t port, uint16_t rtcp_port)
{
    (void)context;
    (void)leg;
    (void)rtcp_port;
    atomic_store(&leg_port, port);
}

static void on_digit(void *context, uint64_t leg, char digit, uint32_t duration_ms,
                     enum media_leg_digit_way way)
{
    (void)context;
    (void)leg;
    (void)duration_ms;
    (void)way;
    size_t at = atomic_load(&digit_count);
    if (at < digits_max)
        digits[at] = digit;
    atomic_store(&digit_count, at + 1);
}

static void on_statistics(void *context, uint64_t leg,
                          const struct media_leg_statistics *statistics)
{
    (void)context;
    (void)leg;
    atomic_store(&concealed_ms, statistics->concealed_ms);
    atomic_store(&played_ms, statistics->played_ms);
    atomic_store(&lost, statistics->packets_lost);
    atomic_store(&buffer_ms, statistics->buffer_ms);
    atomic_store(&mos_100, statistics->mos_100);
}

static void on_closed(void *context, uint64_t leg, enum media_leg_end end)
{
    (void)context;
    (void)leg;
    if (end != MEDIA_LEG_ENDED)
        die("a leg was not opened");
    atomic_store(&ended, true);
}

static void on_transport(void *context, uint64_t id, uint8_t number,
                         enum media_transport_state state, bool over_tcp)
{
    (void)context;
    (void)over_tcp;
    if (id == browser.id && state == MEDIA_TRANSPORT_CONNECTED)
        atomic_store(&worker, number);
}

/* ---- sound ---- */

/* 20 ms of a soft tone; a click at its beginning. */
static void sound_make(uint32_t *phase, uint32_t rate, bool click, int16_t *ret_samples)
{
    for (size_t i = 0; i < voice_frame(rate); i++) {
        double at = 2 * M_PI * (double)(*phase)++ / rate;
        bool loud = click && i < rate / 1000 * CLICK_SAMPLES_KHZ;
        ret_samples[i] = (int16_t)lrint(loud ? CLICK * sin(at * 1200) : CARRIER * sin(at * 300));
    }
}

static void click_heard(struct way *way, const int16_t *samples, size_t count, uint32_t rate,
                        uint64_t now_ns)
{
    for (size_t i = 0; way->clicked_ns != 0 && i < count; i++) {
        if (samples[i] < HEARD && samples[i] > -HEARD)
            continue;
        double ms =
            (double)(now_ns - way->clicked_ns) / CLOCK_NS_PER_MS + 1000.0 * (double)i / rate;
        if (way->count < DELAYS_MAX)
            way->delays_ms[way->count++] = ms;
        way->clicked_ns = 0;
    }
}

static bool click_due(struct way *way, uint32_t frames, bool clicking)
{
    if (!clicking || frames < WARM_FRAMES || frames % CLICK_FRAMES != 0)
        return false;
    way->missed += way->clicked_ns != 0;
    return true;
}

/* ---- the telephone ---- */

static void telephone_begin(uint64_t room)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    telephone = (struct telephone){.id = ++next_id, .ssrc = crypto_random_u32()};
    telephone.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (telephone.fd < 0 || bind(telephone.fd, (struct sockaddr *)&own, sizeof own) != 0 ||
        getsockname(telephone.fd, (struct sockaddr *)&own, &length) != 0)
        die("no socket");
    need(voice_encoder_new(VOICE_PCMU, VOICE_RATE_NARROW, &telephone.encoder), "no encoder");
    need(voice_decoder_new(VOICE_PCMU, VOICE_RATE_NARROW, &telephone.decoder), "no decoder");
    need(net_path_new(SEED, &telephone.path), "no path");
    struct media_leg_spec spec = {
        .id = telephone.id,
        .negotiated = true,
        .stream = {.formats = {{MEDIA_LEG_PCMU, PCMU, PCMU}},
                   .format_count = 1,
                   .events = {{EVENT, EVENT, VOICE_RATE_NARROW}},
                   .event_count = 1,
                   .comfort_type = MEDIA_LEG_PT_NONE,
                   .ptime_ms = VOICE_FRAME_MS,
                   .sending = true,
                   .hearing = true,
                   .symmetric = true,
                   .rtcp_mux = true},
    };
    memcpy(&spec.stream.remote, &own, sizeof own);
    atomic_store(&leg_port, 0);
    atomic_store(&ended, false);
    need(media_leg_open(media, &spec), "no leg");
    media_leg_join(media, telephone.id, room);
    for (int i = 0; atomic_load(&leg_port) == 0 && i < PATIENCE_S * 1000; i++)
        usleep(1000);
}

static void telephone_end(void)
{
    media_leg_close(media, telephone.id);
    for (int i = 0; !atomic_load(&ended) && i < PATIENCE_S * 1000; i++)
        usleep(1000);
    close(telephone.fd);
    voice_encoder_free(telephone.encoder);
    voice_decoder_free(telephone.decoder);
    net_path_free(telephone.path);
}

static void telephone_send(uint8_t type, const uint8_t *payload, size_t length, uint64_t now_ns)
{
    uint8_t bytes[DATAGRAM];
    size_t header;
    const struct rtp_writing writing = {.payload_type = type,
                                        .sequence = telephone.sequence++,
                                        .timestamp = telephone.timestamp,
                                        .ssrc = telephone.ssrc};
    need(rtp_write(&writing, bytes, sizeof bytes, &header), "no packet");
    memcpy(bytes + header, payload, length);
    (void)!net_path_offer(telephone.path, bytes, header + length, NULL, now_ns / CLOCK_NS_PER_US);
}

static void telephone_arrivals(uint64_t now_ns)
{
    const struct net_packet *packet;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atomic_load(&leg_port))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while ((packet = net_path_take(telephone.path, now_ns / CLOCK_NS_PER_US)) != NULL)
        (void)!sendto(telephone.fd, packet->bytes, packet->length, MSG_DONTWAIT,
                      (struct sockaddr *)&to, sizeof to);
}

static void telephone_voice(bool clicking, uint64_t now_ns)
{
    int16_t samples[VOICE_FRAME_MAX];
    uint8_t payload[VOICE_ENCODED_MAX];
    size_t length;
    bool click = click_due(&there, telephone.frames, clicking);
    sound_make(&telephone.phase, VOICE_RATE_NARROW, click, samples);
    need(voice_encode(telephone.encoder, samples, voice_frame(VOICE_RATE_NARROW), payload, &length),
         "not encoded");
    if (click)
        there.clicked_ns = now_ns;
    telephone_send(PCMU, payload, length, now_ns);
    telephone.timestamp += VOICE_RATE_NARROW / FRAMES_A_S;
}

static void telephone_hear(uint64_t now_ns)
{
    uint8_t bytes[DATAGRAM];
    ssize_t got;
    while ((got = recv(telephone.fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        struct rtp_header header;
        int16_t samples[VOICE_DECODED_MAX];
        size_t count;
        if (rtp_parse(bytes, (size_t)got, &header) == STATUS_OK && header.payload_type == PCMU &&
            voice_decode(telephone.decoder, bytes + header.payload_offset, header.payload_length,
                         samples, &count) == STATUS_OK)
            click_heard(&back, samples, count, VOICE_RATE_NARROW, now_ns);
    }
}

/* ---- the participant ---- */

static void on_rtp(void *context, struct peer *peer, const uint8_t *packet, size_t length)
{
    struct rtp_header header;
    int16_t samples[VOICE_DECODED_MAX];
    size_t count;
    (void)context;
    (void)peer;
    if (rtp_parse(packet, length, &header) == STATUS_OK && header.payload_type == OPUS &&
        voice_decode(browser.decoder, packet + header.payload_offset, header.payload_length,
                     samples, &count) == STATUS_OK)
        click_heard(&there, samples, count, VOICE_RATE_WIDE, clock_mono_ns());
}

static void browser_begin(uint64_t room)
{
    static const struct peer_events events = {.rtp = on_rtp};
    static struct media_transport_spec spec;
    const struct media_payload opus = {.codec = MEDIA_CODEC_OPUS, .type = OPUS};
    uint8_t secret[12];
    browser = (struct browser){.id = ++next_id};
    crypto_random(secret, sizeof secret);
    crypto_hex(secret, 4, browser.ice.local_ufrag);
    crypto_hex(secret, sizeof secret, browser.ice.local_pwd);
    need(voice_encoder_new(VOICE_OPUS, VOICE_RATE_WIDE, &browser.encoder), "no encoder");
    need(voice_decoder_new(VOICE_OPUS, VOICE_RATE_WIDE, &browser.decoder), "no decoder");
    spec = (struct media_transport_spec){.id = browser.id, .room = room, .ice = browser.ice};
    spec.fingerprint = *crowd_fingerprint(crowd);
    spec.track_count = 1;
    spec.slot_count = VOICES;
    spec.tracks[0] = (struct media_track_spec){.mid = "0",
                                               .kind = MEDIA_AUDIO,
                                               .source = MEDIA_SOURCE_MICROPHONE,
                                               .payloads = {opus},
                                               .payload_count = 1,
                                               .extensions = {.audio_level = LEVEL},
                                               .ssrc = 1};
    for (uint32_t i = 0; i < VOICES; i++) {
        spec.slots[i] = (struct media_slot_spec){.kind = MEDIA_AUDIO,
                                                 .payloads = {opus},
                                                 .payload_count = 1,
                                                 .extensions = {.audio_level = LEVEL},
                                                 .ssrc = 2 + i};
        snprintf(spec.slots[i].mid, sizeof spec.slots[i].mid, "%u", i + 1);
    }
    atomic_store(&worker, -1);
    need(media_transport_open(media, &spec), "no transport");
    struct peer_config config = {
        .server = {.sin_family = AF_INET,
                   .sin_port = htons(media_local(media)->candidates[0].port)},
        .server_ufrag = browser.ice.local_ufrag,
        .server_pwd = browser.ice.local_pwd,
        .events = &events,
    };
    config.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    need(peer_new(crowd, &config, &browser.peer), "no peer");
    for (int i = 0;
         i < PATIENCE_S * 1000 && (atomic_load(&worker) < 0 || !peer_connected(browser.peer)); i++)
        crowd_turn(crowd, 1);
    if (!peer_connected(browser.peer))
        die("not connected");
    for (uint8_t i = 0; i < VOICES; i++) { /* one of them may be its own */
        const struct media_want want = {.mode = MEDIA_WANT_VOICE, .voice = i};
        media_slot_set(media, browser.id, (uint8_t)atomic_load(&worker), i, &want);
    }
}

static void browser_end(void)
{
    media_transport_close(media, browser.id);
    peer_free(browser.peer);
    voice_encoder_free(browser.encoder);
    voice_decoder_free(browser.decoder);
}

static void browser_voice(bool clicking, uint64_t now_ns)
{
    int16_t samples[VOICE_FRAME_MAX];
    uint8_t packet[DATAGRAM], value[1];
    size_t header, length;
    bool click = click_due(&back, browser.frames, clicking);
    sound_make(&browser.phase, VOICE_RATE_WIDE, click, samples);
    const struct rtp_writing writing = {
        .payload_type = OPUS,
        .sequence = browser.sequence++,
        .timestamp = browser.timestamp,
        .ssrc = 1,
        .elements = {rtp_audio_level_element(LEVEL, 20, true, value)},
        .element_count = 1,
    };
    browser.timestamp += 960;
    need(rtp_write(&writing, packet, sizeof packet, &header), "no packet");
    need(voice_encode(browser.encoder, samples, VOICE_FRAME_MAX, packet + header, &length),
         "not encoded");
    if (click)
        back.clicked_ns = now_ns;
    peer_send_rtp(browser.peer, packet, header + length);
}

/* ---- runs ---- */

static bool due(uint64_t *next_ns, uint64_t now_ns)
{
    if (*next_ns == 0)
        *next_ns = now_ns + crypto_random_u32() % FRAME_NS; /* any phase of the beats */
    if (now_ns < *next_ns)
        return false;
    *next_ns += FRAME_NS;
    return true;
}

/* What is to be done now; the frames that both send are voice, or with keys that of telephone_keys.
 */
static void turn(bool clicking, void (*speak)(uint64_t now_ns))
{
    crowd_turn(crowd, 1);
    uint64_t now_ns = clock_mono_ns();
    if (due(&telephone.next_ns, now_ns)) {
        if (speak != NULL)
            speak(now_ns);
        else
            telephone_voice(clicking, now_ns);
        telephone.frames++;
    }
    telephone_arrivals(clock_mono_ns());
    if (browser.peer != NULL && due(&browser.next_ns, now_ns)) {
        browser_voice(clicking, clock_mono_ns());
        browser.frames++;
    }
    telephone_hear(clock_mono_ns());
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double share_of(struct way *way, double share)
{
    if (way->count == 0)
        return -1;
    qsort(way->delays_ms, way->count, sizeof way->delays_ms[0], by_size);
    return way->delays_ms[(size_t)((double)(way->count - 1) * share)];
}

static void run_delay(unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++) {
        browser_begin(100 + round);
        telephone_begin(100 + round);
        browser.frames = CLICK_FRAMES / 2;
        while (telephone.frames < WARM_FRAMES + CLICKS * CLICK_FRAMES)
            turn(true, NULL);
        there.clicked_ns = back.clicked_ns = 0;
        telephone_end();
        browser_end();
    }
    printf("{\"mode\":\"delay\",\"clicks\":%zu,\"clicks_back\":%zu,\"missed\":%zu,"
           "\"to_browser_ms\":%.1f,\"to_browser_p95_ms\":%.1f,\"to_phone_ms\":%.1f,"
           "\"to_phone_p95_ms\":%.1f,\"packetisation_ms\":%d}\n",
           there.count, back.count, there.missed + back.missed, share_of(&there, 0.5),
           share_of(&there, 0.95), share_of(&back, 0.5), share_of(&back, 0.95), VOICE_FRAME_MS);
}

static void run_frames(uint32_t frames)
{
    for (uint32_t until = telephone.frames + frames; telephone.frames < until;)
        turn(false, NULL);
}

static void run_rough(unsigned seconds)
{
    const struct net_path_settings rough = {.loss_ppm = 50000, .jitter_us = 40000, .reorder = true};
    const struct net_path_settings calm = {0};
    telephone_begin(100);
    run_frames(FRAMES_A_S); /* the call has begun */
    struct net_path_counters before = *net_path_counters(telephone.path);
    net_path_set(telephone.path, &rough, clock_mono_ns() / CLOCK_NS_PER_US);
    run_frames(seconds * FRAMES_A_S);
    struct net_path_counters after = *net_path_counters(telephone.path);
    net_path_set(telephone.path, &calm, clock_mono_ns() / CLOCK_NS_PER_US);
    uint64_t concealed = atomic_load(&concealed_ms), played = atomic_load(&played_ms);
    uint64_t rough_buffer = atomic_load(&buffer_ms);
    run_frames(CALM_S * FRAMES_A_S);
    telephone_end(); /* its last word is of now */
    printf("{\"mode\":\"rough\",\"lost_percent\":%.2f,\"concealed_percent\":%.2f,"
           "\"buffer_ms\":%llu,\"buffer_after_ms\":%llu,\"mos\":%.2f}\n",
           100.0 * (double)(after.lost - before.lost) / (double)(after.offered - before.offered),
           100.0 * (double)concealed / (double)(played == 0 ? 1 : played),
           (unsigned long long)rough_buffer, (unsigned long long)atomic_load(&buffer_ms),
           (double)atomic_load(&mos_100) / 100);
}

static char *pressed;
static size_t pressed_count, pressed_max;
static unsigned key_frame;

/* Frames of a key, its ends, then a little voice. */
static void telephone_keys(uint64_t now_ns)
{
    static const char keys[] = "0123456789*#";
    static struct rng rng;
    static uint8_t key;
    static bool seeded;
    if (!seeded)
        rng_seed(&rng, SEED);
    seeded = true;
    if (key_frame == 0 && pressed_count < pressed_max) {
        key = (uint8_t)(rng_next(&rng) % 12);
        pressed[pressed_count++] = keys[key];
    } else if (key_frame == 0) {
        telephone_voice(false, now_ns);
        return;
    }
    if (key_frame < KEY_FRAMES) {
        uint8_t payload[4] = {key, 10};
        unsigned packets = key_frame == KEY_FRAMES - 1 ? 1 + KEY_ENDS : 1;
        store_be16(payload + 2, (uint16_t)((key_frame + 1) * 160));
        for (unsigned i = 0; i < packets; i++) {
            if (i > 0)
                payload[1] |= 0x80;
            telephone_send(EVENT, payload, sizeof payload, now_ns);
        }
        if (key_frame == KEY_FRAMES - 1)
            telephone.timestamp += KEY_FRAMES * 160;
    } else {
        telephone_voice(false, now_ns);
    }
    key_frame = (key_frame + 1) % (KEY_FRAMES + KEY_PAUSE);
}

static void run_digits(size_t count)
{
    const struct net_path_settings lossy = {.loss_ppm = 100000};
    pressed_max = count;
    digits_max = count * 2;
    pressed = calloc(pressed_max + 1, 1);
    digits = calloc(digits_max + 1, 1);
    if (pressed == NULL || digits == NULL)
        die("no memory");
    telephone_begin(100);
    run_frames(FRAMES_A_S);
    net_path_set(telephone.path, &lossy, clock_mono_ns() / CLOCK_NS_PER_US);
    while (pressed_count < count || key_frame != 0)
        turn(false, telephone_keys);
    run_frames(FRAMES_A_S);
    const struct net_path_counters counted = *net_path_counters(telephone.path);
    telephone_end();
    size_t got = atomic_load(&digit_count);
    bool same = got == count && memcmp(pressed, digits, count) == 0;
    printf("{\"mode\":\"digits\",\"pressed\":%zu,\"received\":%zu,\"same\":%s,"
           "\"lost_percent\":%.1f}\n",
           count, got, same ? "true" : "false",
           100.0 * (double)counted.lost / (double)counted.offered);
    free(pressed);
    free(digits);
}

int main(int argc, char **argv)
{
    static const struct media_leg_events leg_events = {
        .opened = on_opened, .digit = on_digit, .statistics = on_statistics, .closed = on_closed};
    static const struct media_leg_config leg_config = {.events = &leg_events};
    static const struct media_events events = {.transport = on_transport};
    const struct media_config config = {
        .workers = 1, .voices = VOICES, .loopback = true, .events = &events, .legs = &leg_config};
    unsigned amount = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (amount == 0)
        die("usage: phone_path delay|rough|digits AMOUNT");
    need(media_new(&config, &media), "no media");
    need(crowd_new(&crowd), "no crowd");
    if (strcmp(argv[1], "delay") == 0)
        run_delay(amount);
    else if (strcmp(argv[1], "rough") == 0)
        run_rough(amount);
    else if (strcmp(argv[1], "digits") == 0)
        run_digits(amount);
    else
        die("knows delay, rough and digits");
    crowd_free(crowd);
    media_free(media);
    return 0;
}
