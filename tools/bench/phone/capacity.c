/*
 * tools/bench/phone/capacity.c - what a phone leg costs: telephones on loopback call one media
 * worker, and the worker's CPU time is read from /proc.
 *
 * phone_capacity LEGS TALKING_PERCENT|idle ROOM_SIZE SECONDS plain|sdes80|gcm pcmu|pcma|g722|opus
 *                [heard]
 *
 * idle: they send nothing at all. heard: one of each room's legs is G.722, and one more, whose
 * voice and ears are on another worker: every voice with a lane is converted, encoded and sent, and
 * that one decoded, as with a browser in the room.
 *
 * Prints one line of JSON. legs_at_70 is by CPU per leg: what one core carries at 70 %.
 */
#include "core/clock.h"
#include "core/crypto.h"
#include "media/codec/voice.h"
#include "media/leg.h"
#include "media/rtp/rtp.h"
#include "media/srtp/srtp.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LEGS_MAX = 1500,
    SPEECH_FRAMES = 100, /* 2 s that repeat */
    READS = 8,
    DATAGRAM = 1500,
    WARM_S = 3,
    WORKERS = 2, /* the second has only what is not measured: odd ids */
    ROOM_FIRST = 1000000,
    DESCRIPTORS = 8192,
};

struct telephone {
    uint64_t id, room;
    int fd;
    enum media_leg_codec codec;
    atomic_int leg_port;
    bool talking;
    uint16_t sequence;
    uint32_t timestamp, ssrc, at;
    struct protector *protector;
    struct media_leg_security security;
};

struct speech {
    size_t lengths[SPEECH_FRAMES];
    uint8_t frames[SPEECH_FRAMES][VOICE_ENCODED_MAX];
};

static const uint8_t types[] = {0, 8, 9, 107};
static struct telephone telephones[LEGS_MAX];
static bool sending;
static struct speech speeches[MEDIA_LEG_OPUS + 1], silences[MEDIA_LEG_OPUS + 1];
static atomic_uint_fast64_t concealed_ms, played_ms;

static void die(const char *what)
{
    fprintf(stderr, "phone_capacity: %s\n", what);
    exit(1);
}

/* ---- what they say ---- */

static void speech_make(struct speech *made, enum media_leg_codec codec, double amplitude)
{
    struct voice_encoder *encoder;
    uint32_t rate = voice_rate((enum voice_codec)codec);
    if (voice_encoder_new((enum voice_codec)codec, rate, &encoder) != STATUS_OK)
        die("no encoder");
    for (size_t frame = 0; frame < SPEECH_FRAMES; frame++) {
        int16_t samples[VOICE_FRAME_MAX];
        for (size_t i = 0; i < voice_frame(rate); i++) {
            double at = (double)(frame * voice_frame(rate) + i) / rate;
            double loud = 0.6 + 0.4 * sin(2 * M_PI * 4 * at); /* syllables */
            samples[i] = (int16_t)(amplitude * loud *
                                   (sin(2 * M_PI * 180 * at) + 0.5 * sin(2 * M_PI * 720 * at) +
                                    0.3 * sin(2 * M_PI * 1530 * at)));
        }
        if (voice_encode(encoder, samples, voice_frame(rate), made->frames[frame],
                         &made->lengths[frame]) != STATUS_OK)
            die("no speech");
    }
    voice_encoder_free(encoder);
}

/* ---- calls ---- */

static void on_opened(void *context, uint64_t leg, uint16_t port, uint16_t rtcp_port)
{
    (void)context;
    (void)rtcp_port;
    for (size_t i = 0; i < LEGS_MAX; i++) {
        if (telephones[i].id == leg)
            atomic_store(&telephones[i].leg_port, port);
    }
}

static void on_closed(void *context, uint64_t leg, enum media_leg_end end)
{
    (void)context;
    (void)leg;
    if (end != MEDIA_LEG_ENDED)
        die("a leg was not opened");
}

static void on_statistics(void *context, uint64_t leg,
                          const struct media_leg_statistics *statistics)
{
    (void)context;
    (void)leg;
    atomic_fetch_add(&concealed_ms, statistics->concealed_ms);
    atomic_fetch_add(&played_ms, statistics->played_ms);
}

static void keys_make(struct telephone *telephone, enum media_leg_suite suite)
{
    struct media_leg_security *security = &telephone->security;
    *security = (struct media_leg_security){.kind = MEDIA_LEG_SDES, .suite = suite};
    crypto_random(security->send_key, sizeof security->send_key);
    crypto_random(security->receive_key, sizeof security->receive_key);
    struct protector_keys keys = {.profile = suite == MEDIA_LEG_AEAD_AES_128_GCM
                                                 ? PROTECTOR_AES_GCM_128
                                                 : PROTECTOR_AES_CM_SHA1_80};
    size_t key = protector_key_length(keys.profile);
    memcpy(keys.key, security->receive_key, key);
    memcpy(keys.salt, security->receive_key + key, protector_salt_length(keys.profile));
    if (protector_new(&keys, &telephone->protector) != STATUS_OK)
        die("no keys");
}

static void call(struct media *media, struct telephone *telephone)
{
    enum media_leg_codec codec = telephone->codec;
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    telephone->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (telephone->fd < 0 || bind(telephone->fd, (struct sockaddr *)&own, sizeof own) != 0 ||
        getsockname(telephone->fd, (struct sockaddr *)&own, &length) != 0)
        die("no socket");
    struct media_leg_spec spec = {
        .id = telephone->id,
        .negotiated = true,
        .security = telephone->security,
        .stream = {.formats = {{codec, types[codec], types[codec]}},
                   .format_count = 1,
                   .events = {{101, 101, 8000}},
                   .event_count = 1,
                   .comfort_type = MEDIA_LEG_PT_NONE,
                   .ptime_ms = 20,
                   .sending = true,
                   .hearing = true,
                   .symmetric = true,
                   .rtcp_mux = true},
    };
    memcpy(&spec.stream.remote, &own, sizeof own);
    telephone->ssrc = crypto_random_u32();
    telephone->at = crypto_random_u32() % SPEECH_FRAMES;
    if (media_leg_open(media, &spec) != STATUS_OK)
        die("no leg");
    media_leg_join(media, spec.id, telephone->room);
}

static void frame_send(struct telephone *telephone)
{
    uint8_t bytes[DATAGRAM];
    size_t header, length;
    const struct speech *said = &(telephone->talking ? speeches : silences)[telephone->codec];
    size_t frame = telephone->at++ % SPEECH_FRAMES;
    const struct rtp_writing writing = {.payload_type = types[telephone->codec],
                                        .sequence = telephone->sequence++,
                                        .timestamp = telephone->timestamp,
                                        .ssrc = telephone->ssrc};
    telephone->timestamp += voice_clock((enum voice_codec)telephone->codec) / 50;
    if (rtp_write(&writing, bytes, sizeof bytes, &header) != STATUS_OK)
        die("no packet");
    memcpy(bytes + header, said->frames[frame], said->lengths[frame]);
    length = header + said->lengths[frame];
    if (telephone->protector != NULL &&
        protector_rtp(telephone->protector, 0, bytes, header, bytes + header, said->lengths[frame],
                      bytes, &length) != STATUS_OK)
        die("not protected");
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atomic_load(&telephone->leg_port))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)!sendto(telephone->fd, bytes, length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
}

/* Everybody sends once in 20 ms, evenly spread; what came is read now and then. */
static uint64_t run(size_t legs, unsigned seconds)
{
    static uint8_t rest[READS][DATAGRAM];
    uint64_t begin_ns = clock_mono_ns(), heard = 0;
    uint64_t all = (uint64_t)legs * 50 * seconds;
    for (uint64_t sent = 0; sent < all;) {
        uint64_t due = (clock_mono_ns() - begin_ns) * legs / (20 * CLOCK_NS_PER_MS);
        for (; sent < due && sent < all; sent++) {
            struct telephone *telephone = &telephones[sent % legs];
            if (sending)
                frame_send(telephone);
            for (int i = 0; i < READS && telephone->sequence % 4 == 0; i++) {
                if (recv(telephone->fd, rest[i], DATAGRAM, MSG_DONTWAIT) <= 0)
                    break;
                heard++;
            }
        }
        usleep(500);
    }
    return heard;
}

/* ---- CPU time ---- */

/* Nanoseconds the worker's thread has run, by /proc/self/task: the first number of schedstat. */
static uint64_t worker_cpu_ns(void)
{
    uint64_t found = 0;
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *task;
    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        char path[300], name[32] = "";
        unsigned long long ns = 0;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fgets(name, sizeof name, file) == NULL)
            name[0] = '\0';
        fclose(file);
        if (strncmp(name, "media-0", 7) != 0)
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", task->d_name);
        file = fopen(path, "r");
        if (file != NULL && fscanf(file, "%llu", &ns) == 1)
            found = ns;
        if (file != NULL)
            fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
    return found;
}

static int named(const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return i;
    }
    die("usage: phone_capacity LEGS TALKING_PERCENT|idle ROOM_SIZE SECONDS plain|sdes80|gcm "
        "pcmu|pcma|g722|opus [heard]");
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const securities[] = {"plain", "sdes80", "gcm"};
    static const char *const codecs[] = {"pcmu", "pcma", "g722", "opus"};
    static const struct media_leg_events events = {
        .opened = on_opened, .closed = on_closed, .statistics = on_statistics};
    static const struct media_leg_config leg_config = {.events = &events};
    const struct media_config config = {
        .workers = WORKERS, .voices = 3, .loopback = true, .legs = &leg_config};
    const struct rlimit descriptors = {DESCRIPTORS, DESCRIPTORS};
    struct media *media;
    bool heard_too = argc == 8 && strcmp(argv[7], "heard") == 0;
    if (argc != 7 && !heard_too)
        named("", securities, 0);
    size_t legs = strtoul(argv[1], NULL, 10), talking = strtoul(argv[2], NULL, 10);
    size_t room_size = strtoul(argv[3], NULL, 10);
    unsigned seconds = (unsigned)strtoul(argv[4], NULL, 10);
    int security = named(argv[5], securities, 3);
    enum media_leg_codec codec = (enum media_leg_codec)named(argv[6], codecs, 4);
    if (legs == 0 || room_size == 0 || legs + legs / room_size + 1 > LEGS_MAX || seconds == 0)
        named("", securities, 0);
    size_t others = heard_too ? (legs + room_size - 1) / room_size : 0, all = legs + others;
    (void)setrlimit(RLIMIT_NOFILE, &descriptors);
    sending = strcmp(argv[2], "idle") != 0;
    for (enum media_leg_codec one = MEDIA_LEG_PCMU; one <= MEDIA_LEG_OPUS; one++) {
        speech_make(&speeches[one], one, 6000);
        speech_make(&silences[one], one, 0);
    }
    if (media_new(&config, &media) != STATUS_OK)
        die("no media");
    for (size_t i = 0; i < all; i++) {
        bool measured = i < legs;
        telephones[i].id = WORKERS * (i + 1) + (measured ? 0 : 1);
        telephones[i].room = ROOM_FIRST + WORKERS * (measured ? i / room_size : i - legs);
        telephones[i].codec =
            heard_too && (!measured || i % room_size == 0) ? MEDIA_LEG_G722 : codec;
        telephones[i].talking = i % 100 * 37 % 100 < talking; /* spread over the rooms */
        if (security > 0)
            keys_make(&telephones[i], security == 2 ? MEDIA_LEG_AEAD_AES_128_GCM
                                                    : MEDIA_LEG_AES_CM_128_HMAC_SHA1_80);
        call(media, &telephones[i]);
    }
    for (size_t i = 0; i < all; i++) {
        while (atomic_load(&telephones[i].leg_port) == 0)
            usleep(1000);
    }
    run(all, WARM_S);
    uint64_t cpu_ns = worker_cpu_ns(), wall_ns = clock_mono_ns();
    uint64_t heard = run(all, seconds);
    cpu_ns = worker_cpu_ns() - cpu_ns;
    wall_ns = clock_mono_ns() - wall_ns;
    media_free(media);
    double core = (double)cpu_ns / (double)wall_ns;
    printf("{\"legs\":%zu,\"talking_percent\":%zu,\"room\":%zu,\"security\":\"%s\",\"codec\":\"%"
           "s\",\"heard\":%s,"
           "\"cpu_percent\":%.1f,\"us_per_leg_frame\":%.2f,\"legs_at_70\":%.0f,"
           "\"heard_per_leg_s\":%.1f,\"concealed_permille\":%.1f}\n",
           legs, talking, room_size, argv[5], argv[6], heard_too ? "true" : "false", core * 100,
           core * 20000 / (double)legs, 0.7 * (double)legs / core,
           (double)heard / (double)all / seconds,
           1000.0 * (double)concealed_ms / ((double)played_ms + (double)concealed_ms + 1));
    return 0;
}
