#include "tests/support/impair/proxy.h"

#include "core/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    TURN_EVENTS_MAX = 64,
    TURN_DATAGRAMS_MAX = 64, /* of one socket, before the others have their turn */
    SOCKET_BYTES = 4 << 20,  /* the kernel's queues shall never be the ones that drop */
};

struct flow {
    struct sockaddr_in client;
    unsigned front;
    int fd; /* connected to the server */
};

struct front {
    int fd;
    uint16_t port;
    bool open;
};

struct proxy {
    struct net_path *paths[PROXY_WAYS];
    int epoll, timer;
    uint16_t server_port;
    struct front fronts[PROXY_FRONTS_MAX];
    unsigned front_count;
    struct flow flows[PROXY_FLOWS_MAX];
    unsigned flow_count;
    uint64_t refused;
};

/* What an event is about: the timer, the extra descriptor, a front, or a flow. */
enum { EVENT_TIMER = 1, EVENT_EXTRA = 2, EVENT_FRONT = 16, EVENT_FLOW = 32 };

uint64_t proxy_now_us(void)
{
    return clock_mono_ns() / CLOCK_NS_PER_US;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A bound socket, or connected when `peer` is not 0; negative: none. */
static int socket_open(uint16_t peer)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = loopback(peer);
    int size = SOCKET_BYTES;
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    int failed = peer ? connect(fd, (struct sockaddr *)&address, sizeof address)
                      : bind(fd, (struct sockaddr *)&address, sizeof address);
    if (failed) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool watch(struct proxy *proxy, int fd, uint64_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = what};
    return epoll_ctl(proxy->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static enum status front_new(struct proxy *proxy)
{
    struct front *front = &proxy->fronts[proxy->front_count];
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    front->fd = socket_open(0);
    if (front->fd < 0)
        return STATUS_IO;
    proxy->front_count++;
    if (getsockname(front->fd, (struct sockaddr *)&address, &size) != 0 ||
        !watch(proxy, front->fd, EVENT_FRONT + proxy->front_count - 1))
        return STATUS_IO;
    front->port = ntohs(address.sin_port);
    front->open = true;
    return STATUS_OK;
}

enum status proxy_new(uint64_t seed, uint16_t server_port, unsigned fronts,
                      struct proxy **ret_proxy)
{
    if (fronts == 0 || fronts > PROXY_FRONTS_MAX)
        return STATUS_INVALID;
    struct proxy *proxy = calloc(1, sizeof *proxy);
    if (!proxy)
        return STATUS_NO_MEMORY;
    proxy->server_port = server_port;
    proxy->epoll = epoll_create1(EPOLL_CLOEXEC);
    proxy->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    enum status status = STATUS_OK;
    if (proxy->epoll < 0 || proxy->timer < 0 || !watch(proxy, proxy->timer, EVENT_TIMER))
        status = STATUS_IO;
    for (unsigned way = 0; !status && way < PROXY_WAYS; way++)
        status = net_path_new(seed * PROXY_WAYS + way, &proxy->paths[way]);
    for (unsigned i = 0; !status && i < fronts; i++)
        status = front_new(proxy);
    if (status) {
        proxy_free(proxy);
        return status;
    }
    *ret_proxy = proxy;
    return STATUS_OK;
}

struct proxy *proxy_free(struct proxy *proxy)
{
    if (!proxy)
        return NULL;
    for (unsigned i = 0; i < proxy->flow_count; i++)
        close(proxy->flows[i].fd);
    for (unsigned i = 0; i < proxy->front_count; i++)
        close(proxy->fronts[i].fd);
    for (unsigned way = 0; way < PROXY_WAYS; way++)
        net_path_free(proxy->paths[way]);
    if (proxy->timer >= 0)
        close(proxy->timer);
    if (proxy->epoll >= 0)
        close(proxy->epoll);
    free(proxy);
    return NULL;
}

uint16_t proxy_front_port(const struct proxy *proxy, unsigned front)
{
    return front < proxy->front_count ? proxy->fronts[front].port : 0;
}

enum status proxy_front_open(struct proxy *proxy, unsigned front, bool open)
{
    if (front >= proxy->front_count)
        return STATUS_NOT_FOUND;
    proxy->fronts[front].open = open;
    return STATUS_OK;
}

void proxy_server(struct proxy *proxy, uint16_t port)
{
    proxy->server_port = port;
}

struct net_path *proxy_path(struct proxy *proxy, enum proxy_way way)
{
    return proxy->paths[way];
}

unsigned proxy_flows(const struct proxy *proxy)
{
    return proxy->flow_count;
}

uint64_t proxy_refused(const struct proxy *proxy)
{
    return proxy->refused;
}

/* The number is kept, so that what is under way still finds it. */
enum status proxy_rebind(struct proxy *proxy)
{
    for (unsigned i = 0; i < proxy->flow_count; i++) {
        struct flow *flow = &proxy->flows[i];
        struct sockaddr_in server;
        socklen_t size = sizeof server;
        if (getpeername(flow->fd, (struct sockaddr *)&server, &size) != 0)
            return STATUS_IO;
        int fd = socket_open(ntohs(server.sin_port));
        if (fd < 0)
            return STATUS_IO;
        close(flow->fd);
        flow->fd = fd;
        if (!watch(proxy, fd, EVENT_FLOW + i))
            return STATUS_IO;
    }
    return STATUS_OK;
}

static struct flow *flow_of(struct proxy *proxy, unsigned front, const struct sockaddr_in *client)
{
    for (unsigned i = 0; i < proxy->flow_count; i++) {
        struct flow *flow = &proxy->flows[i];
        if (flow->front == front && flow->client.sin_port == client->sin_port &&
            flow->client.sin_addr.s_addr == client->sin_addr.s_addr)
            return flow;
    }
    if (proxy->flow_count == PROXY_FLOWS_MAX || proxy->server_port == 0)
        return NULL;
    struct flow *flow = &proxy->flows[proxy->flow_count];
    *flow = (struct flow){.client = *client, .front = front, .fd = socket_open(proxy->server_port)};
    if (flow->fd < 0)
        return NULL;
    if (!watch(proxy, flow->fd, EVENT_FLOW + proxy->flow_count)) {
        close(flow->fd);
        return NULL;
    }
    proxy->flow_count++;
    return flow;
}

/* What the path drops it counts itself. */
static void offer(struct proxy *proxy, enum proxy_way way, const uint8_t *bytes, size_t length,
                  struct flow *flow)
{
    if (net_path_offer(proxy->paths[way], bytes, length, flow, proxy_now_us()) == STATUS_INVALID)
        proxy->refused++;
}

static void front_read(struct proxy *proxy, unsigned number)
{
    struct front *front = &proxy->fronts[number];
    for (unsigned i = 0; i < TURN_DATAGRAMS_MAX; i++) {
        uint8_t bytes[NET_PATH_DATAGRAM_MAX + 1];
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        ssize_t got =
            recvfrom(front->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&client, &size);
        if (got < 0)
            return;
        struct flow *flow = front->open ? flow_of(proxy, number, &client) : NULL;
        if (flow)
            offer(proxy, PROXY_UP, bytes, (size_t)got, flow);
        else
            proxy->refused++;
    }
}

static void flow_read(struct proxy *proxy, struct flow *flow)
{
    for (unsigned i = 0; i < TURN_DATAGRAMS_MAX; i++) {
        uint8_t bytes[NET_PATH_DATAGRAM_MAX + 1];
        ssize_t got = recv(flow->fd, bytes, sizeof bytes, 0);
        if (got < 0) /* also ECONNREFUSED: the server is not there */
            return;
        if (proxy->fronts[flow->front].open)
            offer(proxy, PROXY_DOWN, bytes, (size_t)got, flow);
        else
            proxy->refused++;
    }
}

static void deliver(struct proxy *proxy)
{
    const struct net_packet *packet;
    uint64_t now_us = proxy_now_us();
    while ((packet = net_path_take(proxy->paths[PROXY_UP], now_us))) {
        const struct flow *flow = packet->tag;
        (void)send(flow->fd, packet->bytes, packet->length, 0);
    }
    while ((packet = net_path_take(proxy->paths[PROXY_DOWN], now_us))) {
        const struct flow *flow = packet->tag;
        const struct front *front = &proxy->fronts[flow->front];
        (void)sendto(front->fd, packet->bytes, packet->length, 0,
                     (const struct sockaddr *)&flow->client, sizeof flow->client);
    }
}

static void timer_set(struct proxy *proxy)
{
    uint64_t up = net_path_due_us(proxy->paths[PROXY_UP]);
    uint64_t down = net_path_due_us(proxy->paths[PROXY_DOWN]);
    uint64_t due = up < down ? up : down;
    struct itimerspec when = {0}; /* zero: off */
    if (due != UINT64_MAX) {
        when.it_value.tv_sec = (time_t)(due / 1000000);
        when.it_value.tv_nsec = (long)(due % 1000000) * CLOCK_NS_PER_US;
    }
    (void)timerfd_settime(proxy->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

bool proxy_turn(struct proxy *proxy, int extra_fd)
{
    struct epoll_event events[TURN_EVENTS_MAX];
    bool extra = false;
    if (!watch(proxy, extra_fd, EVENT_EXTRA) && errno != EEXIST)
        return true; /* a plain file can always be read */
    timer_set(proxy);
    int count = epoll_wait(proxy->epoll, events, TURN_EVENTS_MAX, -1);
    for (int i = 0; i < count; i++) {
        uint64_t what = events[i].data.u64;
        uint64_t expired;
        if (what == EVENT_EXTRA)
            extra = true;
        else if (what == EVENT_TIMER)
            (void)!read(proxy->timer, &expired, sizeof expired);
        else if (what >= EVENT_FLOW)
            flow_read(proxy, &proxy->flows[what - EVENT_FLOW]);
        else
            front_read(proxy, (unsigned)(what - EVENT_FRONT));
    }
    deliver(proxy);
    return extra;
}
