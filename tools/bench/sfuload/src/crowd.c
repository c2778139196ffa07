/*
 * crowd: many participants of one meeting in one process, each with one connection that
 * sends and receives, joined through the gateway like a browser. Prints what arrived, what
 * was lost in sequence, and the server's memory a participant. Loopback only; bounded.
 */
#include "media.h"
#include "person.h"
#include "proc.h"
#include "util.h"
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEOPLE_MAX = 2000 };

static struct {
    int port, people, video, pid, talkers, kbps;
    double seconds;
    const char *meeting, *json;
} o = {.people = 300, .video = 30, .talkers = 4, .kbps = 500, .seconds = 20};

/* What one stream brought. */
struct slot {
    uint32_t ssrc;
    bool used;
    uint16_t highest;
    uint64_t packets, lost;
};

struct guest {
    struct person person; /* first: the one is cast to the other */
    struct source video;
    uint16_t voice_seq;
    uint32_t voice_ts;
    uint64_t next_voice, next_video;
    struct slot slots[64];
    uint64_t received, errors;
};

static struct guest *guests;
static int joined, ep;
static uint64_t join_max_ns, join_total_ns, key_requests;

/* Everybody watches nine of those who film, not themselves. */
static void watch(struct person *p)
{
    char d[4096] = "{\"tiles\":[";
    for (int i = 0, n = 0; i < o.video && n < PERSON_TILES; i++) {
        const struct person *other = &guests[(p->peer.index + i) % o.video].person;
        if (other == p)
            continue;
        snprintf(d + strlen(d), sizeof d - strlen(d),
                 "%s{\"source\":{\"id\":\"%s\",\"kind\":\"camera\"},\"height\":180,\"priority\":1}",
                 n++ > 0 ? "," : "", other->id);
    }
    strcat(d, "]}");
    person_command(p, "media.view", d);
}

/* ---- media ---- */

static void protect_and_send(struct guest *p, uint8_t *packet, int n)
{
    if (srtp_protect(p->person.peer.out_ctx, packet, &n) == srtp_err_status_ok)
        (void)!send(p->person.peer.fd, packet, (size_t)n, 0);
}

/* A few talk at a time and take turns; the rest is as loud as a quiet room. */
static uint8_t level_of(const struct guest *p, uint64_t now)
{
    int speaking = (int)(now / (2 * NS_S)) * o.talkers % joined;
    int place = (p->person.peer.index - speaking + joined) % joined;
    return place < o.talkers ? (uint8_t)(25 + place * 3) : 100;
}

static void send_voice(struct guest *p, uint64_t now)
{
    uint8_t b[256] = {0x90, PERSON_VOICE_PT};
    put16(b + 2, p->voice_seq++);
    put32(b + 4, p->voice_ts);
    put32(b + 8, p->person.voice_ssrc);
    put16(b + 12, 0xBEDE);
    put16(b + 14, 1);
    b[16] = PERSON_LEVEL_EXT << 4;
    b[17] = level_of(p, now);
    b[20] = 0x78;
    p->voice_ts += 960;
    protect_and_send(p, b, 20 + 80);
}

static void send_frame(struct guest *p, uint64_t now)
{
    uint8_t b[MEDIA_MAX + 64];
    do
        protect_and_send(p, b, (int)source_packet(&p->video, b, now));
    while (p->video.in_frame != 0);
}

static void send_due(uint64_t now)
{
    for (int i = 0; i < joined; i++) {
        struct guest *p = &guests[i];
        if (p->person.state != PERSON_IN)
            continue;
        if (now >= p->next_voice) {
            send_voice(p, now);
            p->next_voice += 20 * NS_MS;
        }
        if (p->person.spec.films && now >= p->next_video) {
            send_frame(p, now);
            p->next_video += NS_S / 15;
        }
    }
}

static struct slot *slot_of(struct guest *p, uint32_t ssrc)
{
    for (size_t i = 0; i < sizeof p->slots / sizeof p->slots[0]; i++) {
        if (!p->slots[i].used)
            p->slots[i] = (struct slot){.ssrc = ssrc, .used = true};
        if (p->slots[i].ssrc == ssrc)
            return &p->slots[i];
    }
    return NULL;
}

static void on_rtp(struct guest *p, const uint8_t *d)
{
    struct slot *slot = slot_of(p, get32(d + 8));
    uint16_t seq = get16(d + 2);
    if (slot == NULL) {
        p->errors++;
        return;
    }
    int16_t step = (int16_t)(seq - slot->highest);
    if (slot->packets == 0 || step > 0) {
        slot->lost += slot->packets > 0 ? (uint64_t)(step - 1) : 0;
        slot->highest = seq;
    } else if (slot->lost > 0) {
        slot->lost--;
    }
    slot->packets++;
    p->received++;
}

static void on_rtcp(struct guest *p, uint8_t *d, int n)
{
    if (!p->person.peer.srtp_ready || srtp_unprotect_rtcp(p->person.peer.in_ctx, d, &n))
        return;
    for (int at = 0; at + 8 <= n; at += (get16(d + at + 2) + 1) * 4) {
        if (d[at + 1] == 206 && ((d[at] & 31) == 1 || (d[at] & 31) == 4)) {
            p->video.want_key = true;
            key_requests++;
        }
    }
}

static void on_media(struct person *person, uint8_t *d, int n)
{
    struct guest *p = (struct guest *)person;
    if (d[1] >= 192 && d[1] <= 223)
        on_rtcp(p, d, n);
    else
        on_rtp(p, d);
}

static void turn(uint64_t until)
{
    struct epoll_event events[256];
    uint64_t now = mono_ns();
    int ms = until > now ? (int)((until - now) / NS_MS) : 0;
    int n = epoll_wait(ep, events, 256, ms > 1 ? 1 : ms);
    now = mono_ns();
    for (int i = 0; i < n; i++)
        person_event(&events[i], now);
    send_due(now);
    static uint64_t timers;
    if (now < timers)
        return;
    timers = now + 5 * NS_MS;
    for (int i = 0; i < o.people && guests[i].person.state != PERSON_NEW; i++) {
        person_timer(&guests[i].person, now);
        if (guests[i].person.state == PERSON_FAILED)
            die("participant %d: %s", i, guests[i].person.why);
    }
}

static void run_for(double seconds)
{
    uint64_t until = mono_ns() + (uint64_t)(seconds * 1e9);
    while (mono_ns() < until)
        turn(until);
}

static void join(struct guest *p, int index)
{
    struct person_spec spec = {.ep = ep,
                               .port = o.port,
                               .meeting = o.meeting,
                               .films = index < o.video,
                               .on_media = on_media};
    person_begin(&p->person, &spec, index);
    while (p->person.state != PERSON_IN)
        turn(mono_ns() + NS_MS);
    uint64_t now = mono_ns();
    join_total_ns += p->person.took;
    join_max_ns = p->person.took > join_max_ns ? p->person.took : join_max_ns;
    source_init(&p->video, CODEC_VP8, index, PERSON_VIDEO_PT, p->person.video_ssrc, 1200,
                o.kbps * 1000 / 8 / 1200 / 15 + 1, 6000, 10 * NS_S);
    p->next_voice = now + (uint64_t)(index % 20) * NS_MS;
    p->next_video = now + (uint64_t)(index % 66) * NS_MS;
}

/* ---- the run ---- */

struct tally {
    uint64_t packets, lost, streams, errors, least;
};

static struct tally tally_all(void)
{
    struct tally t = {.least = UINT64_MAX};
    for (int i = 0; i < joined; i++) {
        uint64_t live = 0;
        for (size_t k = 0; k < sizeof guests[i].slots / sizeof guests[i].slots[0]; k++) {
            live += guests[i].slots[k].packets > 0;
            t.lost += guests[i].slots[k].lost;
        }
        t.packets += guests[i].received;
        t.errors += guests[i].errors;
        t.streams += live;
        t.least = live < t.least ? live : t.least;
    }
    return t;
}

static void report_json(const struct tally *t, double rss_kib, double us, double seconds)
{
    FILE *f = fopen(o.json, "w");
    if (f == NULL)
        die("%s: %m", o.json);
    fprintf(f,
            "{\"people\":%d,\"video\":%d,\"seconds\":%.3f,\"join_mean_ms\":%.2f,"
            "\"join_max_ms\":%.2f,\"received\":%llu,\"streams\":%llu,\"streams_least\":%llu,"
            "\"lost\":%llu,\"unknown\":%llu,\"rss_kib_per_participant\":%.1f,"
            "\"us_per_packet\":%.3f}\n",
            joined, o.video, seconds, (double)join_total_ns / joined / 1e6,
            (double)join_max_ns / 1e6, (unsigned long long)t->packets,
            (unsigned long long)t->streams, (unsigned long long)t->least,
            (unsigned long long)t->lost, (unsigned long long)t->errors, rss_kib, us);
    fclose(f);
}

static void report(const struct proc_sample *before, const struct proc_sample *p0,
                   const struct proc_sample *p1, double seconds)
{
    struct tally t = tally_all();
    double rss_kib = (double)(p1->rss_kb - before->rss_kb) / joined;
    double us = (double)(p1->user_us + p1->sys_us - p0->user_us - p0->sys_us) /
                (double)(t.packets > 0 ? t.packets : 1);
    printf("%d participants, %d with video, %d talk at a time, %.1f s\n", joined, o.video,
           o.talkers, seconds);
    printf("join: mean %.1f ms, longest %.1f ms\n", (double)join_total_ns / joined / 1e6,
           (double)join_max_ns / 1e6);
    printf("received %llu packets (%.0f/s) in %llu streams (least %llu a participant), lost in "
           "sequence %llu, unknown %llu, key frames asked %llu\n",
           (unsigned long long)t.packets, (double)t.packets / seconds,
           (unsigned long long)t.streams, (unsigned long long)t.least, (unsigned long long)t.lost,
           (unsigned long long)t.errors, (unsigned long long)key_requests);
    if (o.pid > 0)
        printf("server: %.1f KiB a participant (RSS %ld to %ld KiB), %.2f CPU us a packet sent "
               "to us\n",
               rss_kib, (long)before->rss_kb, (long)p1->rss_kb, us);
    if (o.json != NULL)
        report_json(&t, rss_kib, us, seconds);
}

static void options(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *v = argv[i + 1];
        if (!strcmp(argv[i], "--port"))
            o.port = atoi(v);
        else if (!strcmp(argv[i], "--meeting"))
            o.meeting = v;
        else if (!strcmp(argv[i], "--people"))
            o.people = atoi(v);
        else if (!strcmp(argv[i], "--video"))
            o.video = atoi(v);
        else if (!strcmp(argv[i], "--talkers"))
            o.talkers = atoi(v);
        else if (!strcmp(argv[i], "--kbps"))
            o.kbps = atoi(v);
        else if (!strcmp(argv[i], "--seconds"))
            o.seconds = atof(v);
        else if (!strcmp(argv[i], "--json"))
            o.json = v;
        else if (!strcmp(argv[i], "--pid"))
            o.pid = atoi(v);
        else
            die("unknown option %s", argv[i]);
    }
    if (!o.port || !o.meeting || o.people < 2 || o.people > PEOPLE_MAX || o.video < 1 ||
        o.video > o.people || o.seconds > 120)
        die("crowd --port HTTP_PORT --meeting ID [--people N] [--video N] [--talkers N] [--kbps N] "
            "[--seconds S (at most 120)] [--pid SERVER] [--json FILE]");
}

int main(int argc, char **argv)
{
    options(argc, argv);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){20000, 20000});
    media_init();
    peer_global_init("gcm128");
    ep = epoll_create1(EPOLL_CLOEXEC);
    guests = calloc((size_t)o.people, sizeof *guests);
    struct proc_sample before = {0}, p0 = {0}, p1 = {0};
    if (o.pid > 0 && !proc_read(o.pid, &before))
        die("no process %d", o.pid);
    for (int i = 0; i < o.people; i++) {
        join(&guests[i], i);
        joined = i + 1;
    }
    for (int i = 0; i < joined; i++)
        watch(&guests[i].person);
    run_for(5); /* until every slot is live */
    for (int i = 0; i < joined; i++) {
        guests[i].received = guests[i].errors = 0;
        for (size_t k = 0; k < 64; k++)
            guests[i].slots[k].packets = guests[i].slots[k].lost = 0;
    }
    if (o.pid > 0)
        proc_read(o.pid, &p0);
    uint64_t start = mono_ns();
    run_for(o.seconds);
    double seconds = (double)(mono_ns() - start) / 1e9;
    if (o.pid > 0 && !proc_read(o.pid, &p1))
        die("the server has gone");
    report(&before, &p0, &p1, seconds);
    for (int i = 0; i < joined; i++)
        person_leave(&guests[i].person, PERSON_BY_COMMAND);
    run_for(0.5);
    return 0;
}
