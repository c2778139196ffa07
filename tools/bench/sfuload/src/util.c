#include "util.h"
#include <openssl/rand.h>
#include <stdarg.h>

void say(const char *fmt, ...)
{
    static uint64_t start;
    if (!start)
        start = mono_ns();
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "[%7.3f] ", (double)(mono_ns() - start) / 1e9);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("sfuload: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

void rnd_bytes(void *p, size_t n)
{
    if (RAND_bytes(p, (int)n) != 1)
        die("no random bytes");
}

void rnd_text(char *out, size_t n)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab";
    rnd_bytes(out, n);
    for (size_t i = 0; i < n; i++)
        out[i] = set[(uint8_t)out[i] & 63];
    out[n] = 0;
}

static unsigned slot_of(uint64_t v)
{
    if (v < (1u << HIST_SUB))
        return (unsigned)v;
    unsigned e = 63 - (unsigned)__builtin_clzll(v);
    return ((e - HIST_SUB + 1) << HIST_SUB) +
           (unsigned)((v >> (e - HIST_SUB)) & ((1u << HIST_SUB) - 1));
}

static uint64_t value_of(unsigned s)
{
    if (s < (1u << HIST_SUB))
        return s;
    unsigned e = (s >> HIST_SUB) + HIST_SUB - 1;
    uint64_t low = (1ull << e) + ((uint64_t)(s & ((1u << HIST_SUB) - 1)) << (e - HIST_SUB));
    return low + ((1ull << (e - HIST_SUB)) >> 1);
}

void hist_reset(struct hist *h)
{
    memset(h, 0, sizeof *h);
    h->min = UINT64_MAX;
}

void hist_add(struct hist *h, uint64_t v)
{
    h->n++;
    h->sum += v;
    if (v > h->max)
        h->max = v;
    if (v < h->min)
        h->min = v;
    h->bucket[slot_of(v)]++;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
    uint64_t want = (uint64_t)(q * (double)h->n), seen = 0;
    if (!h->n)
        return 0;
    for (unsigned i = 0; i < HIST_LEN; i++) {
        seen += h->bucket[i];
        if (seen > want)
            return value_of(i) < h->max ? value_of(i) : h->max;
    }
    return h->max;
}
