#include "signalling/sip/resolver.h"

#include "core/crew.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    RESOLVER_WAIT_S = 2,
    RESOLVER_TRIES = 2,
    RESOLVER_HOSTS_TTL_S = 60, /* of a name that only /etc/hosts knows */
    RESOLVER_BYTES = 4096,
    RESOLVER_JOBS_MAX = 64,
};

struct resolver {
    struct __res_state state; /* the crew's one thread's */
    resolver_fn *fn;
    void *context;
    struct crew *crew;
    atomic_bool ending;
};

struct resolver_job {
    struct resolver *resolver;
    size_t number;
    struct locate_wish wish;
};

/* What /etc/hosts and its like say of a name the DNS does not know. */
static enum status hosts_ask(const char *name, enum dns_kind kind, struct dns_answer *ret_answer)
{
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_family = kind == DNS_A ? AF_INET : AF_INET6,
                             .ai_socktype = SOCK_DGRAM};
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return STATUS_NOT_FOUND;
    struct dns_answer answer = {.count = 0};
    for (struct addrinfo *at = found; at != NULL && answer.count < DNS_RECORDS_MAX;
         at = at->ai_next) {
        struct dns_record *record = &answer.records[answer.count];
        *record = (struct dns_record){.kind = kind, .ttl_s = RESOLVER_HOSTS_TTL_S};
        if (getnameinfo(at->ai_addr, at->ai_addrlen, record->address, sizeof record->address, NULL,
                        0, NI_NUMERICHOST) == 0)
            answer.count++;
    }
    freeaddrinfo(found);
    if (answer.count == 0)
        return STATUS_NOT_FOUND;
    *ret_answer = answer;
    return STATUS_OK;
}

static enum status dns_ask(void *context, const char *name, enum dns_kind kind,
                           struct dns_answer *ret_answer)
{
    struct resolver *resolver = context;
    uint8_t bytes[RESOLVER_BYTES];
    if (atomic_load(&resolver->ending))
        return STATUS_CLOSED;
    int length = res_nquery(&resolver->state, name, ns_c_in, (int)kind, bytes, sizeof bytes);
    enum status status = STATUS_NOT_FOUND;
    if (length >= 0 && (size_t)length <= sizeof bytes)
        status = dns_read(bytes, (size_t)length, kind, ret_answer);
    else if (resolver->state.res_h_errno == TRY_AGAIN)
        status = STATUS_IO;
    if (status != STATUS_OK && (kind == DNS_A || kind == DNS_AAAA)) {
        enum status hosts = hosts_ask(name, kind, ret_answer);
        status = hosts == STATUS_OK ? STATUS_OK : status;
    }
    return status;
}

static void job_run(void *arg)
{
    struct resolver_job *job = arg;
    struct resolver *resolver = job->resolver;
    struct location location;
    enum status status = locate(&job->wish, dns_ask, resolver, &location);
    if (!atomic_load(&resolver->ending))
        resolver->fn(resolver->context, job->number, status, &location);
    free(job);
}

static enum status server_take(struct resolver *resolver, const char *text)
{
    char host[DNS_NAME_MAX];
    uint16_t port;
    struct sockaddr_in *server = &resolver->state.nsaddr_list[0];
    struct sockaddr_in wanted = {.sin_family = AF_INET};
    if (text[0] == '\0')
        return STATUS_OK;
    if (!locate_host(text, host, &port) || inet_pton(AF_INET, host, &wanted.sin_addr) != 1)
        return STATUS_INVALID;
    wanted.sin_port = htons(port != 0 ? port : NAMESERVER_PORT);
    *server = wanted;
    resolver->state.nscount = 1;
    return STATUS_OK;
}

enum status resolver_new(const char *server, resolver_fn *fn, void *context,
                         struct resolver **ret_resolver)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL)
        return STATUS_NO_MEMORY;
    resolver->fn = fn;
    resolver->context = context;
    enum status status = res_ninit(&resolver->state) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        resolver->state.retrans = RESOLVER_WAIT_S;
        resolver->state.retry = RESOLVER_TRIES;
        status = server_take(resolver, server);
    }
    if (status == STATUS_OK)
        status = crew_new("resolver", 1, RESOLVER_JOBS_MAX, &resolver->crew);
    if (status == STATUS_OK)
        *ret_resolver = resolver;
    else
        resolver_free(resolver);
    return status;
}

enum status resolver_ask(struct resolver *resolver, size_t number, const struct locate_wish *wish)
{
    struct resolver_job *job = malloc(sizeof *job);
    if (job == NULL)
        return STATUS_NO_MEMORY;
    *job = (struct resolver_job){.resolver = resolver, .number = number, .wish = *wish};
    enum status status = crew_submit(resolver->crew, job_run, job);
    if (status != STATUS_OK)
        free(job);
    return status;
}

struct resolver *resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return NULL;
    atomic_store(&resolver->ending, true);
    crew_free(resolver->crew);
    res_nclose(&resolver->state);
    free(resolver);
    return NULL;
}
