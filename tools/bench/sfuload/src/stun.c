#include "stun.h"
#include "util.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define COOKIE 0x2112a442u

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++)
                c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
            table[i] = c;
        }
    uint32_t c = ~0u;
    while (n--)
        c = table[(c ^ *p++) & 255] ^ c >> 8;
    return ~c;
}

static uint8_t *attr(uint8_t *p, int type, const void *v, size_t n)
{
    put16(p, (uint16_t)type);
    put16(p + 2, (uint16_t)n);
    if (n)
        memcpy(p + 4, v, n);
    size_t pad = (4 - n % 4) % 4;
    memset(p + 4 + n, 0, pad);
    return p + 4 + n + pad;
}

static uint8_t *start(uint8_t *out, int type, const uint8_t tx[12])
{
    put16(out, (uint16_t)type);
    put32(out + 4, COOKIE);
    memcpy(out + 8, tx, 12);
    return out + 20;
}

static void mac(const uint8_t *p, size_t n, const char *key, uint8_t out[20])
{
    unsigned len = 20;
    HMAC(EVP_sha1(), key, (int)strlen(key), p, n, out, &len);
}

static size_t finish(uint8_t *out, uint8_t *p, const char *key)
{
    uint8_t h[20], f[4];
    put16(out + 2, (uint16_t)(p - out - 20 + 24));
    mac(out, (size_t)(p - out), key, h);
    p = attr(p, 0x0008, h, 20);
    put16(out + 2, (uint16_t)(p - out - 20 + 8));
    put32(f, crc32_of(out, (size_t)(p - out)) ^ 0x5354554eu);
    p = attr(p, 0x8028, f, 4);
    return (size_t)(p - out);
}

size_t stun_request(uint8_t *out, const uint8_t tx[12], const char *remote_ufrag,
                    const char *local_ufrag, const char *remote_pwd, bool controlling,
                    uint64_t tiebreaker, bool nominate)
{
    char user[600];
    uint8_t v[8], *p = start(out, STUN_REQUEST, tx);
    int n = snprintf(user, sizeof user, "%s:%s", remote_ufrag, local_ufrag);
    p = attr(p, 0x0006, user, (size_t)n);
    put32(v, 1862270975u); /* a peer-reflexive host priority */
    p = attr(p, 0x0024, v, 4);
    put64(v, tiebreaker);
    p = attr(p, controlling ? 0x802a : 0x8029, v, 8);
    if (controlling && nominate)
        p = attr(p, 0x0025, NULL, 0);
    return finish(out, p, remote_pwd);
}

size_t stun_response(uint8_t *out, const uint8_t tx[12], const struct sockaddr_in *a,
                     const char *local_pwd)
{
    uint8_t v[8], *p = start(out, STUN_SUCCESS, tx);
    v[0] = 0;
    v[1] = 1;
    put16(v + 2, (uint16_t)(ntohs(a->sin_port) ^ (COOKIE >> 16)));
    put32(v + 4, ntohl(a->sin_addr.s_addr) ^ COOKIE);
    p = attr(p, 0x0020, v, 8);
    return finish(out, p, local_pwd);
}

bool stun_parse(const uint8_t *p, size_t n, const char *key, struct stun_msg *m)
{
    memset(m, 0, sizeof *m);
    if (!stun_looks_like(p, n) || get16(p + 2) + 20u > n)
        return false;
    m->type = get16(p);
    memcpy(m->tx, p + 8, 12);
    size_t end = 20u + get16(p + 2);
    for (size_t at = 20; at + 4 <= end;) {
        int type = get16(p + at);
        size_t len = get16(p + at + 2);
        const uint8_t *v = p + at + 4;
        if (at + 4 + len > end)
            return false;
        if (type == 0x0025)
            m->use_candidate = true;
        else if (type == 0x802a)
            m->controlling = true;
        else if (type == 0x8029)
            m->controlled = true;
        else if (type == 0x0009 && len >= 4)
            m->error = (v[2] & 7) * 100 + v[3];
        else if (type == 0x0008 && len == 20 && key && at <= 1200) {
            uint8_t copy[1300], h[20];
            memcpy(copy, p, at);
            put16(copy + 2, (uint16_t)(at - 20 + 24));
            mac(copy, at, key, h);
            m->integrity_ok = !memcmp(h, v, 20);
        }
        at += 4 + (len + 3) / 4 * 4;
    }
    return true;
}
