/*
 * impair: a bad network on loopback. `impair SEED SERVER_PORT FRONTS` prints {"fronts":[PORT,...]};
 * then each line on its standard input is answered by one line of JSON:
 *
 *   WAY rate BITS_PER_S          of the bottleneck; 0: none          WAY: up, down or both
 *   WAY queue BYTES MS           its limits; 0: none
 *   WAY delay MS                 each way, so half of a round trip when set for both
 *   WAY jitter MS [reorder]
 *   WAY loss PERCENT
 *   WAY burst ENTER LEAVE LOSS   Gilbert-Elliott, in percent a packet
 *   WAY duplicate PERCENT
 *   WAY clear                    a perfect way again
 *   WAY outage MS                nothing passes for that long
 *   to PORT                      where new flows go
 *   front NUMBER on|off
 *   rebind                       other addresses towards the server
 *   stats
 *
 * Ends with its standard input.
 */
#include "tests/support/impair/proxy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 256, WORDS_MAX = 6 };

struct words {
    char *at[WORDS_MAX];
    unsigned count;
};

static struct words split(char *line)
{
    struct words words = {.count = 0};
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t\r\n", &rest); word && words.count < WORDS_MAX;
         word = strtok_r(NULL, " \t\r\n", &rest))
        words.at[words.count++] = word;
    return words;
}

/* A number of 0..max, times scale, rounded. */
static bool number(const struct words *words, unsigned at, double max, double scale,
                   uint64_t *ret_value)
{
    char *end;
    if (at >= words->count)
        return false;
    double value = strtod(words->at[at], &end);
    if (*end != '\0' || end == words->at[at] || !(value >= 0 && value <= max))
        return false;
    *ret_value = (uint64_t)llround(value * scale);
    return true;
}

static bool small(const struct words *words, unsigned at, double max, double scale,
                  uint32_t *ret_value)
{
    uint64_t value;
    if (!number(words, at, max, scale, &value) || value > UINT32_MAX)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

static bool percent(const struct words *words, unsigned at, uint32_t *ret_ppm)
{
    return small(words, at, 100, NET_PATH_PPM / 100.0, ret_ppm);
}

enum { MINUTE_MS = 60000 };

static bool milliseconds(const struct words *words, unsigned at, uint32_t *ret_us)
{
    return small(words, at, MINUTE_MS, 1000, ret_us);
}

static bool settings_change(struct net_path_settings *settings, const struct words *words)
{
    const char *what = words->at[1];
    if (strcmp(what, "rate") == 0)
        return number(words, 2, 1e10, 1, &settings->rate_bps);
    if (strcmp(what, "queue") == 0)
        return small(words, 2, 1e9, 1, &settings->queue_bytes) &&
               small(words, 3, MINUTE_MS, 1, &settings->queue_ms);
    if (strcmp(what, "delay") == 0)
        return milliseconds(words, 2, &settings->delay_us);
    if (strcmp(what, "jitter") == 0) {
        settings->reorder = words->count > 3 && strcmp(words->at[3], "reorder") == 0;
        return milliseconds(words, 2, &settings->jitter_us);
    }
    if (strcmp(what, "loss") == 0)
        return percent(words, 2, &settings->loss_ppm);
    if (strcmp(what, "burst") == 0)
        return percent(words, 2, &settings->burst_enter_ppm) &&
               percent(words, 3, &settings->burst_leave_ppm) &&
               percent(words, 4, &settings->burst_loss_ppm);
    if (strcmp(what, "duplicate") == 0)
        return percent(words, 2, &settings->duplicate_ppm);
    if (strcmp(what, "clear") == 0) {
        *settings = (struct net_path_settings){0};
        return true;
    }
    return false;
}

static bool path_command(struct net_path *path, const struct words *words)
{
    struct net_path_settings settings = *net_path_settings(path);
    uint64_t now_us = proxy_now_us();
    uint32_t outage_us;
    if (strcmp(words->at[1], "outage") == 0) {
        if (!milliseconds(words, 2, &outage_us))
            return false;
        net_path_outage(path, now_us + outage_us);
        return true;
    }
    if (!settings_change(&settings, words))
        return false;
    net_path_set(path, &settings, now_us);
    return true;
}

static bool way_command(struct proxy *proxy, const struct words *words)
{
    bool both = strcmp(words->at[0], "both") == 0;
    bool up = both || strcmp(words->at[0], "up") == 0;
    bool down = both || strcmp(words->at[0], "down") == 0;
    if (words->count < 2 || !(up || down))
        return false;
    return (!up || path_command(proxy_path(proxy, PROXY_UP), words)) &&
           (!down || path_command(proxy_path(proxy, PROXY_DOWN), words));
}

static void print_path(const char *name, const struct net_path *path)
{
    const struct net_path_counters *c = net_path_counters(path);
    printf("\"%s\":{\"offered\":%llu,\"offered_bytes\":%llu,\"delivered\":%llu,"
           "\"delivered_bytes\":%llu,\"lost\":%llu,\"lost_queue\":%llu,\"lost_outage\":%llu,"
           "\"duplicated\":%llu,\"reordered\":%llu,\"queue_ms_max\":%.1f,\"queued_bytes\":%u},",
           name, (unsigned long long)c->offered, (unsigned long long)c->offered_bytes,
           (unsigned long long)c->delivered, (unsigned long long)c->delivered_bytes,
           (unsigned long long)c->lost, (unsigned long long)c->lost_queue,
           (unsigned long long)c->lost_outage, (unsigned long long)c->duplicated,
           (unsigned long long)c->reordered, (double)c->queue_us_max / 1000,
           net_path_queued_bytes(path));
}

static void print_stats(struct proxy *proxy)
{
    printf("{");
    print_path("up", proxy_path(proxy, PROXY_UP));
    print_path("down", proxy_path(proxy, PROXY_DOWN));
    printf("\"flows\":%u,\"refused\":%llu}\n", proxy_flows(proxy),
           (unsigned long long)proxy_refused(proxy));
}

static bool proxy_command(struct proxy *proxy, const struct words *words)
{
    uint32_t value;
    if (strcmp(words->at[0], "to") == 0 && small(words, 1, UINT16_MAX, 1, &value)) {
        proxy_server(proxy, (uint16_t)value);
        return true;
    }
    if (strcmp(words->at[0], "front") == 0 && words->count == 3 &&
        small(words, 1, PROXY_FRONTS_MAX, 1, &value))
        return proxy_front_open(proxy, value, strcmp(words->at[2], "on") == 0) == STATUS_OK;
    if (strcmp(words->at[0], "rebind") == 0)
        return proxy_rebind(proxy) == STATUS_OK;
    return way_command(proxy, words);
}

static void answer(struct proxy *proxy, char *line)
{
    struct words words = split(line);
    if (words.count == 1 && strcmp(words.at[0], "stats") == 0)
        print_stats(proxy);
    else if (words.count > 0 && proxy_command(proxy, &words))
        printf("{\"ok\":true}\n");
    else
        printf("{\"error\":\"what is this?\"}\n");
}

/* Reads what there is and answers the whole lines; false: the input has ended. */
static bool input(struct proxy *proxy, char *line, size_t *length)
{
    ssize_t got = read(STDIN_FILENO, line + *length, LINE_MAX_BYTES - 1 - *length);
    if (got <= 0)
        return got < 0 && errno == EINTR;
    *length += (size_t)got;
    line[*length] = '\0';
    char *end;
    while ((end = strchr(line, '\n'))) {
        *end = '\0';
        answer(proxy, line);
        *length -= (size_t)(end + 1 - line);
        memmove(line, end + 1, *length + 1);
    }
    return *length < LINE_MAX_BYTES - 1;
}

int main(int argc, char **argv)
{
    struct words words = {.count = 0};
    for (int i = 1; i < argc && words.count < WORDS_MAX; i++)
        words.at[words.count++] = argv[i];
    uint64_t seed;
    uint32_t port, fronts;
    struct proxy *proxy = NULL;
    if (!number(&words, 0, 1e15, 1, &seed) || !small(&words, 1, UINT16_MAX, 1, &port) ||
        !small(&words, 2, PROXY_FRONTS_MAX, 1, &fronts)) {
        fprintf(stderr, "usage: impair SEED SERVER_PORT FRONTS\n");
        return 2;
    }
    enum status status = proxy_new(seed, (uint16_t)port, fronts, &proxy);
    if (status) {
        fprintf(stderr, "impair: %s\n", status_text(status));
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < fronts; i++)
        printf("%s%u", i == 0 ? "{\"fronts\":[" : ",", proxy_front_port(proxy, i));
    printf("]}\n");
    char line[LINE_MAX_BYTES];
    size_t length = 0;
    while (!proxy_turn(proxy, STDIN_FILENO) || input(proxy, line, &length))
        ;
    proxy_free(proxy);
    return 0;
}
