#include "signalling/http/visitors.h"

#include "core/crypto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
    VISITORS_BUCKETS = 4096, /* of the hash table; power of two */
    VISITORS_KEY_BYTES = 8,  /* IPv4 with a mark, or an IPv6 /64 */
    VISITORS_TOKEN =
        60000, /* of a bucket per request: per-minute rates stay whole numbers per ms */
    VISITORS_FORGET_MS = 60000, /* after that an idle address has all its tokens again */
};

struct visitor {
    struct visitor *next;
    uint8_t key[VISITORS_KEY_BYTES];
    uint32_t connections;
    bool unlimited_connections, unlimited_requests;
    uint64_t tokens; /* VISITORS_TOKEN each */
    uint64_t seen_ms;
};

struct visitors {
    uint32_t connections_max, requests_max;
    bool loopback_connections, loopback_requests; /* loopback has limits too */
    uint64_t seed; /* so that nobody can choose addresses of one bucket */
    uint32_t count;
    struct visitor *buckets[VISITORS_BUCKETS];
};

enum status visitors_new(const struct visitors_config *config, struct visitors **ret_visitors)
{
    struct visitors *visitors = calloc(1, sizeof *visitors);
    if (visitors == NULL)
        return STATUS_NO_MEMORY;
    visitors->connections_max = config->connections_per_address > 0
                                    ? config->connections_per_address
                                    : VISITORS_CONNECTIONS_DEFAULT;
    visitors->requests_max =
        config->requests_per_minute > 0 ? config->requests_per_minute : VISITORS_REQUESTS_DEFAULT;
    visitors->loopback_connections = config->connections_per_address > 0;
    visitors->loopback_requests = config->requests_per_minute > 0;
    visitors->seed = crypto_random_u64();
    *ret_visitors = visitors;
    return STATUS_OK;
}

struct visitors *visitors_free(struct visitors *visitors)
{
    if (visitors == NULL)
        return NULL;
    for (size_t i = 0; i < VISITORS_BUCKETS; i++) {
        while (visitors->buckets[i] != NULL) {
            struct visitor *visitor = visitors->buckets[i];
            visitors->buckets[i] = visitor->next;
            free(visitor);
        }
    }
    free(visitors);
    return NULL;
}

static void key_of(const struct sockaddr *address, uint8_t ret_key[VISITORS_KEY_BYTES])
{
    memset(ret_key, 0, VISITORS_KEY_BYTES);
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        ret_key[0] = 0xff; /* multicast as a /64 prefix: no source address begins so */
        ret_key[1] = 0xff;
        memcpy(ret_key + 2, &v4.sin_addr, 4);
        return;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        ret_key[0] = ret_key[1] = 0xff;
        memcpy(ret_key + 2, v6.sin6_addr.s6_addr + 12, 4);
    } else {
        memcpy(ret_key, v6.sin6_addr.s6_addr, VISITORS_KEY_BYTES);
    }
}

static size_t bucket_of(const struct visitors *visitors, const uint8_t key[VISITORS_KEY_BYTES])
{
    uint64_t value;
    memcpy(&value, key, sizeof value);
    value = (value ^ visitors->seed) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(value >> 32) & (VISITORS_BUCKETS - 1);
}

static void forget_idle(struct visitors *visitors, uint64_t now_ms)
{
    for (size_t i = 0; i < VISITORS_BUCKETS; i++) {
        for (struct visitor **link = &visitors->buckets[i]; *link != NULL;) {
            struct visitor *visitor = *link;
            if (visitor->connections > 0 || now_ms - visitor->seen_ms < VISITORS_FORGET_MS) {
                link = &visitor->next;
                continue;
            }
            *link = visitor->next;
            free(visitor);
            visitors->count--;
        }
    }
}

static struct visitor *visitor_find(struct visitors *visitors,
                                    const uint8_t key[VISITORS_KEY_BYTES])
{
    for (struct visitor *visitor = visitors->buckets[bucket_of(visitors, key)]; visitor != NULL;
         visitor = visitor->next)
        if (memcmp(visitor->key, key, VISITORS_KEY_BYTES) == 0)
            return visitor;
    return NULL;
}

static enum status visitor_add(struct visitors *visitors, const uint8_t key[VISITORS_KEY_BYTES],
                               bool loopback, uint64_t now_ms, struct visitor **ret_visitor)
{
    /* Full at every power of two is often enough to keep the walk cheap per new address. */
    if (visitors->count >= 1024 && (visitors->count & (visitors->count - 1)) == 0)
        forget_idle(visitors, now_ms);
    if (visitors->count >= VISITORS_MAX)
        return STATUS_LIMIT;
    struct visitor *visitor = calloc(1, sizeof *visitor);
    if (visitor == NULL)
        return STATUS_NO_MEMORY;
    memcpy(visitor->key, key, VISITORS_KEY_BYTES);
    visitor->unlimited_connections = loopback && !visitors->loopback_connections;
    visitor->unlimited_requests = loopback && !visitors->loopback_requests;
    visitor->tokens = (uint64_t)visitors->requests_max * VISITORS_TOKEN;
    visitor->seen_ms = now_ms;
    size_t bucket = bucket_of(visitors, key);
    visitor->next = visitors->buckets[bucket];
    visitors->buckets[bucket] = visitor;
    visitors->count++;
    *ret_visitor = visitor;
    return STATUS_OK;
}

enum status visitors_enter(struct visitors *visitors, const struct sockaddr *address, bool loopback,
                           uint64_t now_ms, struct visitor **ret_visitor)
{
    uint8_t key[VISITORS_KEY_BYTES];
    key_of(address, key);
    struct visitor *visitor = visitor_find(visitors, key);
    enum status status = STATUS_OK;
    if (visitor == NULL)
        status = visitor_add(visitors, key, loopback, now_ms, &visitor);
    if (status != STATUS_OK)
        return status;
    if (visitor->connections >= visitors->connections_max && !visitor->unlimited_connections)
        return STATUS_LIMIT;
    visitor->connections++;
    *ret_visitor = visitor;
    return STATUS_OK;
}

void visitors_leave(struct visitor *visitor)
{
    visitor->connections--;
}

uint32_t visitors_request(struct visitors *visitors, struct visitor *visitor, uint64_t now_ms)
{
    uint64_t full = (uint64_t)visitors->requests_max * VISITORS_TOKEN;
    uint64_t passed = now_ms - visitor->seen_ms;
    if (passed >= VISITORS_FORGET_MS)
        visitor->tokens = full;
    else
        visitor->tokens += passed * visitors->requests_max;
    if (visitor->tokens > full)
        visitor->tokens = full;
    visitor->seen_ms = now_ms;
    if (visitor->unlimited_requests)
        return 0;
    if (visitor->tokens >= VISITORS_TOKEN) {
        visitor->tokens -= VISITORS_TOKEN;
        return 0;
    }
    uint64_t wait_ms = (VISITORS_TOKEN - visitor->tokens) / visitors->requests_max;
    return (uint32_t)(wait_ms / 1000) + 1;
}

bool visitors_allowance(const struct visitors *visitors, const struct visitor *visitor,
                        struct visitors_allowance *ret_allowance)
{
    if (visitor->unlimited_requests)
        return false;
    uint64_t full = (uint64_t)visitors->requests_max * VISITORS_TOKEN;
    uint64_t fills_ms = (full - visitor->tokens) / visitors->requests_max;
    *ret_allowance =
        (struct visitors_allowance){.quota = visitors->requests_max,
                                    .left = (uint32_t)(visitor->tokens / VISITORS_TOKEN),
                                    .reset_s = (uint32_t)((fills_ms + 999) / 1000)};
    return true;
}
