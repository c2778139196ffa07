#include "media.h"

#define MARK_AT 16 /* offset in the payload; what lies before is the codec's own */
#define MARK_LEN 20
#define POOL 65536
static const uint8_t magic[8] = {0x53, 0x46, 0x55, 0x6c, 0x6f, 0x61, 0x64, 0x31};
static uint8_t pool[POOL + MEDIA_MAX];

static const uint8_t *fill_of(uint64_t counter)
{
    return pool + (counter * 61 & (POOL - 1));
}

void media_init(void)
{
    uint64_t x = 88172645463325252ull;
    for (size_t i = 0; i < sizeof pool; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        pool[i] = (uint8_t)(x >> 32);
    }
}

void source_init(struct source *s, enum codec codec, int pub, int pt, uint32_t ssrc, int size,
                 int per_frame, uint32_t ts_step, uint64_t gop_ns)
{
    memset(s, 0, sizeof *s);
    s->codec = codec;
    s->pub = pub;
    s->pt = pt;
    s->ssrc = ssrc;
    s->size = size;
    s->per_frame = per_frame;
    s->ts_step = ts_step;
    s->gop_ns = gop_ns;
    rnd_bytes(&s->seq, sizeof s->seq);
    s->seq &= 0x7fff;
    rnd_bytes(&s->ts, sizeof s->ts);
    s->want_key = true;
}

/* The first MARK_AT payload bytes, as the codec has them. */
static void lead(struct source *s, uint8_t *p, bool first)
{
    memset(p, 0, MARK_AT);
    switch (s->codec) {
    case CODEC_VP8:
        p[0] = (uint8_t)(0x80 | (first ? 0x10 : 0)); /* X, S */
        p[1] = 0x80;                                 /* I */
        put16(p + 2, 0x8000 | (s->picture & 0x7fff));
        if (first) { /* frame tag, then a key frame's start code and size */
            p[4] = (uint8_t)((s->key ? 0 : 1) | 0x10);
            p[5] = 0x20;
            if (s->key) {
                p[7] = 0x9d, p[8] = 0x01, p[9] = 0x2a;
                p[10] = 0x80, p[11] = 0x02, p[12] = 0x68, p[13] = 0x01; /* 640x360 */
            }
        } else
            p[4] = 0x55;
        break;
    case CODEC_H264:
        if (first &&
            s->key) { /* STAP-A of SPS, PPS and an IDR slice: what servers take for a key frame */
            static const uint8_t sets[13] = {0x78, 0, 4,    0x67, 0x42, 0xe0, 0x1f,
                                             0,    4, 0x68, 0xce, 0x3c, 0x80};
            memcpy(p, sets, sizeof sets);
            put16(p + 13, (uint16_t)(s->size - 12 - 15));
            p[15] = 0x65;
            break;
        }
        p[0] = 0x7c; /* FU-A of an IDR (5) or another (1) slice */
        p[1] = (uint8_t)((first ? 0x80 : 0) | (s->in_frame + 1 == s->per_frame ? 0x40 : 0) |
                         (s->key ? 5 : 1));
        break;
    case CODEC_OPUS:
        p[0] = 0x78;
        break;
    }
}

size_t source_packet(struct source *s, uint8_t *o, uint64_t now)
{
    bool first = s->in_frame == 0;
    if (first) {
        s->key = s->want_key || now >= s->next_key;
        if (s->key) {
            s->want_key = false;
            s->next_key = now + s->gop_ns;
        }
    }
    o[0] = 0x80;
    o[1] = (uint8_t)(s->pt | (s->in_frame + 1 == s->per_frame ? 0x80 : 0));
    put16(o + 2, s->seq++);
    put32(o + 4, s->ts);
    put32(o + 8, s->ssrc);
    uint8_t *p = o + 12;
    lead(s, p, first);
    memcpy(p + MARK_AT, magic, 8);
    put32(p + MARK_AT + 8, (uint32_t)s->pub);
    put64(p + MARK_AT + 12, s->counter);
    size_t at = MARK_AT + MARK_LEN, n = (size_t)s->size - 12;
    memcpy(p + at, fill_of(s->counter), n - at);
    s->counter++;
    if (++s->in_frame == s->per_frame) {
        s->in_frame = 0;
        s->ts += s->ts_step;
        s->picture++;
    }
    return (size_t)s->size;
}

void source_sent(struct source *s, uint64_t counter, uint64_t at)
{
    s->sent_at[counter % SENT_RING] = at;
    s->sent_no[counter % SENT_RING] = counter;
}

bool media_mark(const uint8_t *d, size_t n, int *pub, uint64_t *counter, bool *damaged)
{
    size_t h = 12 + 4u * (d[0] & 15);
    *damaged = false;
    if ((d[0] & 0x10) && n >= h + 4)
        h += 4 + 4u * get16(d + h + 2);
    if (n < h + MARK_AT + MARK_LEN || memcmp(d + h + MARK_AT, magic, 8))
        return false;
    *pub = (int)get32(d + h + MARK_AT + 8);
    *counter = get64(d + h + MARK_AT + 12);
    size_t at = h + MARK_AT + MARK_LEN;
    *damaged = n - at > MEDIA_MAX || memcmp(d + at, fill_of(*counter), n - at) != 0;
    return true;
}
