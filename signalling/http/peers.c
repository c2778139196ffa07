#include "signalling/http/peers.h"

#include "core/crypto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
    PEERS_BUCKETS = 4096, /* of the hash table; power of two */
    PEERS_KEY_BYTES = 8,  /* IPv4 with a mark, or an IPv6 /64 */
    PEERS_TOKEN = 60000,  /* of a bucket per request: per-minute rates stay whole numbers per ms */
    PEERS_FORGET_MS = 60000, /* after that an idle address has all its tokens again */
};

struct peer {
    struct peer *next;
    uint8_t key[PEERS_KEY_BYTES];
    uint32_t connections;
    bool unlimited_connections, unlimited_requests;
    uint64_t tokens; /* PEERS_TOKEN each */
    uint64_t seen_ms;
};

struct peers {
    uint32_t connections_max, requests_max;
    bool loopback_connections, loopback_requests; /* loopback has limits too */
    uint64_t seed; /* so that nobody can choose addresses of one bucket */
    uint32_t count;
    struct peer *buckets[PEERS_BUCKETS];
};

enum status peers_new(const struct peers_config *config, struct peers **ret_peers)
{
    struct peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL)
        return STATUS_NO_MEMORY;
    peers->connections_max = config->connections_per_address > 0 ? config->connections_per_address
                                                                 : PEERS_CONNECTIONS_DEFAULT;
    peers->requests_max =
        config->requests_per_minute > 0 ? config->requests_per_minute : PEERS_REQUESTS_DEFAULT;
    peers->loopback_connections = config->connections_per_address > 0;
    peers->loopback_requests = config->requests_per_minute > 0;
    peers->seed = crypto_random_u64();
    *ret_peers = peers;
    return STATUS_OK;
}

struct peers *peers_free(struct peers *peers)
{
    if (peers == NULL)
        return NULL;
    for (size_t i = 0; i < PEERS_BUCKETS; i++) {
        while (peers->buckets[i] != NULL) {
            struct peer *peer = peers->buckets[i];
            peers->buckets[i] = peer->next;
            free(peer);
        }
    }
    free(peers);
    return NULL;
}

static void key_of(const struct sockaddr *address, uint8_t ret_key[PEERS_KEY_BYTES])
{
    memset(ret_key, 0, PEERS_KEY_BYTES);
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
        memcpy(ret_key, v6.sin6_addr.s6_addr, PEERS_KEY_BYTES);
    }
}

static size_t bucket_of(const struct peers *peers, const uint8_t key[PEERS_KEY_BYTES])
{
    uint64_t value;
    memcpy(&value, key, sizeof value);
    value = (value ^ peers->seed) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(value >> 32) & (PEERS_BUCKETS - 1);
}

static void forget_idle(struct peers *peers, uint64_t now_ms)
{
    for (size_t i = 0; i < PEERS_BUCKETS; i++) {
        for (struct peer **link = &peers->buckets[i]; *link != NULL;) {
            struct peer *peer = *link;
            if (peer->connections > 0 || now_ms - peer->seen_ms < PEERS_FORGET_MS) {
                link = &peer->next;
                continue;
            }
            *link = peer->next;
            free(peer);
            peers->count--;
        }
    }
}

static struct peer *peer_find(struct peers *peers, const uint8_t key[PEERS_KEY_BYTES])
{
    for (struct peer *peer = peers->buckets[bucket_of(peers, key)]; peer != NULL; peer = peer->next)
        if (memcmp(peer->key, key, PEERS_KEY_BYTES) == 0)
            return peer;
    return NULL;
}

static enum status peer_add(struct peers *peers, const uint8_t key[PEERS_KEY_BYTES], bool loopback,
                            uint64_t now_ms, struct peer **ret_peer)
{
    /* Full at every power of two is often enough to keep the walk cheap per new address. */
    if (peers->count >= 1024 && (peers->count & (peers->count - 1)) == 0)
        forget_idle(peers, now_ms);
    if (peers->count >= PEERS_MAX)
        return STATUS_LIMIT;
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return STATUS_NO_MEMORY;
    memcpy(peer->key, key, PEERS_KEY_BYTES);
    peer->unlimited_connections = loopback && !peers->loopback_connections;
    peer->unlimited_requests = loopback && !peers->loopback_requests;
    peer->tokens = (uint64_t)peers->requests_max * PEERS_TOKEN;
    peer->seen_ms = now_ms;
    size_t bucket = bucket_of(peers, key);
    peer->next = peers->buckets[bucket];
    peers->buckets[bucket] = peer;
    peers->count++;
    *ret_peer = peer;
    return STATUS_OK;
}

enum status peers_enter(struct peers *peers, const struct sockaddr *address, bool loopback,
                        uint64_t now_ms, struct peer **ret_peer)
{
    uint8_t key[PEERS_KEY_BYTES];
    key_of(address, key);
    struct peer *peer = peer_find(peers, key);
    enum status status = STATUS_OK;
    if (peer == NULL)
        status = peer_add(peers, key, loopback, now_ms, &peer);
    if (status != STATUS_OK)
        return status;
    if (peer->connections >= peers->connections_max && !peer->unlimited_connections)
        return STATUS_LIMIT;
    peer->connections++;
    *ret_peer = peer;
    return STATUS_OK;
}

void peers_leave(struct peer *peer)
{
    peer->connections--;
}

uint32_t peers_request(struct peers *peers, struct peer *peer, uint64_t now_ms)
{
    uint64_t full = (uint64_t)peers->requests_max * PEERS_TOKEN;
    uint64_t passed = now_ms - peer->seen_ms;
    if (passed >= PEERS_FORGET_MS)
        peer->tokens = full;
    else
        peer->tokens += passed * peers->requests_max;
    if (peer->tokens > full)
        peer->tokens = full;
    peer->seen_ms = now_ms;
    if (peer->unlimited_requests)
        return 0;
    if (peer->tokens >= PEERS_TOKEN) {
        peer->tokens -= PEERS_TOKEN;
        return 0;
    }
    uint64_t wait_ms = (PEERS_TOKEN - peer->tokens) / peers->requests_max;
    return (uint32_t)(wait_ms / 1000) + 1;
}
