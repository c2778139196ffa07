/*
 * joins: how fast participants come in, and whether they leave anything behind. They join Parley's
 * gateway like browsers and connect, and send no media. Without --churn: --people of them in
 * --seconds, spread over --meetings. With it: that many joins and leaves, a meeting for each 1,000,
 * in each way a participant can go; then the server's memory once it has forgotten them all.
 * Loopback only; bounded.
 */
#include "http.h"
#include "person.h"
#include "proc.h"
#include <sys/resource.h>
#include <unistd.h>

enum {
    PEOPLE_MAX = 4000, /* at a time */
    FORGET_S = 240,    /* a session lost in silence is kept 25 s and 120 s more */
    SILENT_EVERY = 20, /* one leave of so many is not said... */
    CLOSING_EVERY = 4, /* ...one is the end of the websocket; the others are said */
    UPKEEP_S = 12,     /* the server's comes every 10 s */
    FAILURES_SHOWN = 10,
};

static struct {
    int port, pid, people, meetings, at_once, churn, each, held;
    double seconds;
    const char *json;
} o = {.people = 2000, .meetings = 20, .at_once = 16, .each = 1000, .held = 100, .seconds = 20};

static struct person *people;
static int places, ep; /* of people */
static struct hist took;
static int begun, failed, in, joining;

static void count_failure(struct person *p)
{
    if (++failed <= FAILURES_SHOWN)
        say("participant %d of %s: %s", p->peer.index, p->spec.meeting, p->why);
    person_close(p);
}

/* What a participant's state became, counted once. */
static void settle(struct person *p, enum person_state before)
{
    if (p->state == before)
        return;
    joining -= before < PERSON_IN && p->state >= PERSON_IN;
    in += (p->state == PERSON_IN) - (before == PERSON_IN);
    if (p->state == PERSON_IN)
        hist_add(&took, p->took);
    else if (p->state == PERSON_FAILED)
        count_failure(p);
    else if (p->state == PERSON_GONE)
        person_close(p);
}

static void turn(void)
{
    struct epoll_event events[256];
    static uint64_t timers;
    int n = epoll_wait(ep, events, 256, 1);
    uint64_t now = mono_ns();
    for (int i = 0; i < n; i++) {
        struct person *p = person_of(&events[i]);
        enum person_state before = p->state;
        person_event(&events[i], now);
        settle(p, before);
    }
    if (now < timers)
        return;
    timers = now + 5 * NS_MS;
    for (int i = 0; i < places; i++) {
        enum person_state before = people[i].state;
        person_timer(&people[i], now);
        settle(&people[i], before);
    }
}

static void begin(struct person *p, char *meeting)
{
    struct person_spec spec = {.ep = ep, .port = o.port, .meeting = meeting};
    person_begin(p, &spec, begun++);
    joining++;
    settle(p, PERSON_GREETING);
}

static void leave(struct person *p, enum person_leave how)
{
    enum person_state before = p->state;
    person_leave(p, how);
    settle(p, before);
}

/* ---- the server ---- */

static double metric(const char *name)
{
    char url[64];
    struct http_reply reply;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/metrics", o.port);
    if (http_call("GET", url, NULL, NULL, NULL, 10000, &reply) || reply.status != 200)
        die("the server shows no /metrics");
    size_t n = strlen(name);
    double value = -1;
    for (const char *l = reply.body; l != NULL && value < 0; l = strchr(l, '\n')) {
        l += *l == '\n';
        if (!strncmp(l, name, n) && l[n] == ' ')
            value = atof(l + n);
    }
    free(reply.body);
    if (value < 0)
        die("the server knows no %s", name);
    return value;
}

static struct proc_sample server(void)
{
    struct proc_sample sample;
    if (!proc_read(o.pid, &sample))
        die("no process %d", o.pid);
    return sample;
}

/* Until the server knows of nobody: lost sessions are kept for a resume. Then it gives memory
 * back, at its next upkeep. */
static void forget(void)
{
    uint64_t until = mono_ns() + FORGET_S * NS_S, next = 0;
    while (mono_ns() < until) {
        turn();
        if (mono_ns() < next)
            continue;
        next = mono_ns() + NS_S;
        if (metric("parley_gateway_sessions") == 0 && metric("parley_participants") == 0 &&
            metric("parley_meetings") == 0) {
            for (until = mono_ns() + UPKEEP_S * NS_S; mono_ns() < until;)
                turn();
            return;
        }
    }
    die("the server still knows somebody after %d s", FORGET_S);
}

/* ---- many at once ---- */

static bool crowd_in(void)
{
    char(*names)[32] = calloc((size_t)o.meetings, sizeof *names);
    struct proc_sample before = server(), after;
    uint64_t start = mono_ns(), cpu;
    double seconds;
    for (int i = 0; i < o.meetings; i++)
        snprintf(names[i], sizeof names[i], "joins-%d-%d", getpid(), i);
    while (in + failed < o.people) {
        while (begun < o.people && joining < o.at_once)
            begin(&people[begun], names[begun % o.meetings]);
        turn();
    }
    seconds = (double)(mono_ns() - start) / 1e9;
    int joined = in;
    for (uint64_t until = mono_ns() + 3 * NS_S; mono_ns() < until;) /* do they stay? */
        turn();
    after = server();
    cpu = after.user_us + after.sys_us - before.user_us - before.sys_us;
    double rss = (double)(after.rss_kb - before.rss_kb) / (in > 0 ? in : 1);
    for (int i = 0; i < places; i++)
        if (people[i].state == PERSON_IN)
            leave(&people[i], PERSON_BY_COMMAND);
    forget();
    printf("%d participants in %d meetings joined in %.2f s, %d failed: %.0f joins/s, %d at once\n",
           joined, o.meetings, seconds, failed, joined / seconds, o.at_once);
    printf("join ms: median %.1f  p99 %.1f  longest %.1f;  server %.2f CPU ms a join, %.1f KiB a "
           "participant\n",
           (double)hist_quantile(&took, .5) / 1e6, (double)hist_quantile(&took, .99) / 1e6,
           (double)took.max / 1e6, (double)cpu / 1e3 / (joined > 0 ? joined : 1), rss);
    FILE *f = o.json != NULL ? fopen(o.json, "w") : NULL;
    if (f != NULL) {
        fprintf(f,
                "{\"people\":%d,\"meetings\":%d,\"seconds\":%.3f,\"failed\":%d,"
                "\"joins_per_second\":%.1f,\"join_p50_ms\":%.2f,\"join_p99_ms\":%.2f,"
                "\"join_max_ms\":%.2f,\"rss_kib_per_participant\":%.1f}\n",
                joined, o.meetings, seconds, failed, joined / seconds,
                (double)hist_quantile(&took, .5) / 1e6, (double)hist_quantile(&took, .99) / 1e6,
                (double)took.max / 1e6, rss);
        fclose(f);
    }
    free(names);
    return failed == 0 && seconds <= o.seconds;
}

/* ---- coming and going ---- */

/* The one who has been in longest of those after *at, in the order of places. */
static struct person *next_in(int *at)
{
    for (int i = 0; i < places; i++) {
        *at = (*at + 1) % places;
        if (people[*at].state == PERSON_IN)
            return &people[*at];
    }
    return NULL;
}

static struct person *next_free(int *at)
{
    for (int i = 0; i < places; i++) {
        *at = (*at + 1) % places;
        if (people[*at].state == PERSON_NEW)
            return &people[*at];
    }
    return NULL;
}

static bool churn(void)
{
    struct person *p;
    int meeting = -1, come = 0, go = 0, gone = 0;
    char(*names)[32] = calloc((size_t)(o.churn / o.each + 1), sizeof *names);
    struct proc_sample before = server(), after;
    uint64_t start = mono_ns();
    double seconds;
    while (begun < o.churn || joining > 0 || in > 0) {
        while (begun < o.churn && joining < o.at_once && (p = next_free(&come)) != NULL) {
            if (begun / o.each != meeting) {
                meeting = begun / o.each;
                snprintf(names[meeting], sizeof names[0], "churn-%d-%d", getpid(), meeting);
            }
            begin(p, names[meeting]);
        }
        turn();
        while (in > (begun < o.churn ? o.held : 0) && (p = next_in(&go)) != NULL) {
            gone++;
            leave(p, gone % SILENT_EVERY == 0    ? PERSON_IN_SILENCE
                     : gone % CLOSING_EVERY == 0 ? PERSON_BY_CLOSING
                                                 : PERSON_BY_COMMAND);
        }
    }
    seconds = (double)(mono_ns() - start) / 1e9;
    after = server();
    say("%d joins and leaves in %.1f s, %d failed; RSS %lu KiB with lost sessions kept", begun,
        seconds, failed, after.rss_kb);
    forget();
    after = server();
    double grown = 100.0 * ((double)after.rss_kb / (double)before.rss_kb - 1);
    printf("%d joins and leaves (%.0f/s, %d failed): RSS %lu KiB before, %lu KiB when all were "
           "forgotten: %+.2f %%\n",
           begun, begun / seconds, failed, before.rss_kb, after.rss_kb, grown);
    FILE *f = o.json != NULL ? fopen(o.json, "a") : NULL;
    if (f != NULL) {
        fprintf(f,
                "{\"churn\":%d,\"seconds\":%.1f,\"failed\":%d,\"rss_before_kib\":%lu,"
                "\"rss_after_kib\":%lu,\"grown_percent\":%.2f}\n",
                begun, seconds, failed, before.rss_kb, after.rss_kb, grown);
        fclose(f);
    }
    free(names);
    return failed == 0;
}

static void options(int argc, char **argv)
{
    const struct {
        const char *name;
        int *value;
    } numbers[] = {{"--port", &o.port},         {"--pid", &o.pid},         {"--people", &o.people},
                   {"--meetings", &o.meetings}, {"--at-once", &o.at_once}, {"--churn", &o.churn},
                   {"--each", &o.each},         {"--held", &o.held}};
    for (int i = 1; i + 1 < argc; i += 2) {
        bool known = false;
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            if (!strcmp(argv[i], numbers[k].name))
                *numbers[k].value = atoi(argv[i + 1]), known = true;
        }
        if (!strcmp(argv[i], "--seconds"))
            o.seconds = atof(argv[i + 1]), known = true;
        else if (!strcmp(argv[i], "--json"))
            o.json = argv[i + 1], known = true;
        if (!known)
            die("unknown option %s", argv[i]);
    }
    if (!o.port || !o.pid || o.people < 1 || o.people > PEOPLE_MAX || o.meetings < 1 ||
        o.at_once < 1 || o.at_once > 500 || o.each < 1 || o.held < 0 || o.held > 1000)
        die("joins --port HTTP_PORT --pid SERVER [--people N] [--seconds S] [--meetings N]\n"
            "      [--at-once N] [--json FILE]   or   --churn JOINS [--each N (of a meeting)]\n"
            "      [--held N (in at a time)] [--at-once N] [--json FILE]");
}

int main(int argc, char **argv)
{
    options(argc, argv);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){20000, 20000});
    peer_global_init("gcm128");
    ep = epoll_create1(EPOLL_CLOEXEC);
    places = o.churn > 0 ? PEOPLE_MAX : o.people;
    people = calloc((size_t)places, sizeof *people);
    hist_reset(&took);
    bool good = o.churn > 0 ? churn() : crowd_in();
    srtp_shutdown();
    return good ? 0 : 2;
}
