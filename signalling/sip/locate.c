#include "signalling/sip/locate.h"

#include "core/rng.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIP_PORT = 5060, SIPS_PORT = 5061 };

struct search {
    const struct locate_wish *wish;
    locate_ask_fn *ask;
    void *context;
    struct rng rng;
    unsigned questions;
    bool unanswered; /* somebody did not answer: nobody is asked any more */
    struct location location;
};

static const char *const services[] = {"SIP+D2U", "SIP+D2T", "SIPS+D2T"};
static const char *const prefixes[] = {"_sip._udp.", "_sip._tcp.", "_sips._tcp."};

bool locate_host(const char *text, char ret_host[DNS_NAME_MAX], uint16_t *ret_port)
{
    bool bracket = text[0] == '[';
    const char *end = bracket ? strchr(text, ']') : text + strcspn(text, ":");
    if (end == NULL)
        return false;
    size_t length = (size_t)(end - text) - bracket;
    const char *port = end + bracket;
    char *rest = NULL;
    unsigned long number = *port == ':' ? strtoul(port + 1, &rest, 10) : 0;
    if (length == 0 || length >= DNS_NAME_MAX || (*port != ':' && *port != '\0') ||
        (*port == ':' && (number == 0 || number > UINT16_MAX || *rest != '\0')))
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i + bracket];
        if ((c < '0' || c > '9') && ((c | 32) < 'a' || (c | 32) > 'z') &&
            strchr(bracket ? ":." : "-._", c) == NULL)
            return false;
    }
    snprintf(ret_host, DNS_NAME_MAX, "%.*s", (int)length, text + bracket);
    *ret_port = (uint16_t)number;
    return true;
}

static bool numeric(const char *host)
{
    uint8_t address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool wanted(const struct search *search, enum wire_transport transport)
{
    return search->wish->can[transport] &&
           (search->wish->transport == TRUNK_AUTO ||
            search->wish->transport == (enum trunk_transport)(transport + 1));
}

static uint16_t port_default(enum wire_transport transport)
{
    return transport == WIRE_TLS ? SIPS_PORT : SIP_PORT;
}

static void ttl_take(struct search *search, uint32_t ttl_s)
{
    if (ttl_s < search->location.ttl_s)
        search->location.ttl_s = ttl_s < LOCATE_TTL_MIN_S ? LOCATE_TTL_MIN_S : ttl_s;
}

static bool question(struct search *search, const char *name, enum dns_kind kind,
                     struct dns_answer *ret_answer)
{
    if (search->unanswered || search->questions++ >= LOCATE_QUESTIONS_MAX)
        return false;
    enum status status = search->ask(search->context, name, kind, ret_answer);
    search->unanswered |= status != STATUS_OK && status != STATUS_NOT_FOUND;
    for (size_t i = 0; status == STATUS_OK && i < ret_answer->count; i++)
        ttl_take(search, ret_answer->records[i].ttl_s);
    return status == STATUS_OK;
}

static void target_add(struct search *search, const char *address, uint16_t port,
                       enum wire_transport transport)
{
    struct location *location = &search->location;
    if (location->count == LOCATE_TARGETS_MAX)
        return;
    struct locate_target *target = &location->targets[location->count++];
    *target = (struct locate_target){.transport = transport, .port = port};
    snprintf(target->address, sizeof target->address, "%s", address);
}

/* IPv4 first: most trunks' firewalls know that address of ours. */
static void addresses_add(struct search *search, const char *name, uint16_t port,
                          enum wire_transport transport)
{
    struct dns_answer answer;
    if (numeric(name)) {
        target_add(search, name, port, transport);
        return;
    }
    for (int six = 0; six < 2; six++) {
        if (!question(search, name, six ? DNS_AAAA : DNS_A, &answer))
            continue;
        for (size_t i = 0; i < answer.count; i++)
            target_add(search, answer.records[i].address, port, transport);
    }
}

/* The next of the records from `first` on: lowest priority, then drawn by weight (RFC 2782). */
static void srv_choose(struct search *search, struct dns_answer *answer, size_t first)
{
    uint32_t total = 0;
    uint16_t lowest = UINT16_MAX;
    size_t chosen = first;
    for (size_t i = first; i < answer->count; i++)
        lowest = answer->records[i].priority < lowest ? answer->records[i].priority : lowest;
    for (size_t i = first; i < answer->count; i++) {
        const struct dns_record *record = &answer->records[i];
        if (record->priority != lowest)
            continue;
        /* One of weight 0 has a small chance too. */
        uint32_t weight = record->weight * 8U + 1;
        total += weight;
        if (rng_below(&search->rng, total) < weight)
            chosen = i;
    }
    struct dns_record swap = answer->records[first];
    answer->records[first] = answer->records[chosen];
    answer->records[chosen] = swap;
}

static bool srv_add(struct search *search, const char *name, enum wire_transport transport)
{
    struct dns_answer answer;
    size_t before = search->location.count;
    if (!question(search, name, DNS_SRV, &answer))
        return false;
    for (size_t i = 0; i < answer.count; i++) {
        srv_choose(search, &answer, i);
        if (strcmp(answer.records[i].name, ".") != 0 && answer.records[i].port != 0)
            addresses_add(search, answer.records[i].name, answer.records[i].port, transport);
    }
    return search->location.count > before;
}

static int naptr_order(const void *left, const void *right)
{
    const struct dns_record *one = left, *other = right;
    if (one->priority != other->priority)
        return one->priority < other->priority ? -1 : 1;
    return one->weight < other->weight ? -1 : one->weight > other->weight;
}

static bool naptr_add(struct search *search, const char *host)
{
    struct dns_answer answer;
    bool any = false;
    if (!question(search, host, DNS_NAPTR, &answer))
        return false;
    qsort(answer.records, answer.count, sizeof answer.records[0], naptr_order);
    for (size_t i = 0; i < answer.count; i++) {
        const struct dns_record *record = &answer.records[i];
        for (size_t t = 0; t < WIRE_TRANSPORTS; t++) {
            if (strcasecmp(record->flags, "s") == 0 &&
                strcasecmp(record->service, services[t]) == 0 &&
                wanted(search, (enum wire_transport)t))
                any |= srv_add(search, record->name, (enum wire_transport)t);
        }
    }
    return any;
}

/* Without NAPTR every transport's SRV records are asked. */
static bool srv_any(struct search *search, const char *host)
{
    static const enum wire_transport order[] = {WIRE_UDP, WIRE_TCP, WIRE_TLS};
    char name[DNS_NAME_MAX + 16];
    bool any = false;
    for (size_t i = 0; i < WIRE_TRANSPORTS && !any; i++) {
        snprintf(name, sizeof name, "%s%s", prefixes[order[i]], host);
        if (wanted(search, order[i]))
            any = srv_add(search, name, order[i]);
    }
    return any;
}

static enum wire_transport transport_default(const struct search *search)
{
    for (size_t i = 0; i < WIRE_TRANSPORTS; i++) {
        if (wanted(search, (enum wire_transport)i))
            return (enum wire_transport)i;
    }
    return WIRE_UDP;
}

enum status locate(const struct locate_wish *wish, locate_ask_fn *ask, void *context,
                   struct location *ret_location)
{
    struct search search = {
        .wish = wish, .ask = ask, .context = context, .location = {.ttl_s = LOCATE_TTL_MAX_S}};
    char host[DNS_NAME_MAX];
    uint16_t port;
    rng_seed(&search.rng, wish->seed);
    if (!locate_host(wish->host, host, &port))
        return STATUS_INVALID;
    enum wire_transport transport = transport_default(&search);
    bool named = port == 0 && !numeric(host);
    if (!named || (!naptr_add(&search, host) && !srv_any(&search, host)))
        addresses_add(&search, host, port != 0 ? port : port_default(transport), transport);
    if (search.location.count == 0)
        return search.unanswered ? STATUS_IO : STATUS_NOT_FOUND;
    *ret_location = search.location;
    return STATUS_OK;
}
