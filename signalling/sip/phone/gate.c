/*
 * The gate stands in two places. The list of sources and the size of a datagram are a classic BPF
 * program on the stack's own sockets: a stranger's packet, or SYN, is dropped by the kernel in
 * softirq and takes no place in the receive buffer, so that a flood of them costs calls nothing.
 * The rate of a source that is let in is counted where the stack reads (recvmsg below). Newer
 * kernels (6.18) want privileges for a program on a TCP socket, so the stack's accept is ours too:
 * whom the kernel did not keep away is put out before a byte is read.
 */
#include "signalling/sip/phone/phone.h"

#include "core/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    GATE_SLOTS = 256, /* sources whose rate is known; two that share a slot share a rate */
    GATE_DESCRIPTORS_MAX = 1024,
    GATE_UDP_HEAD = 8, /* bytes before the payload where a UDP filter begins to count */
    IP4_SOURCE = 12,   /* offsets in the IP header */
    IP6_SOURCE = 8,
    GATE_PROGRAM_MAX = 8 + PHONE_SOURCES_MAX * 14,
};

static struct {
    struct {
        struct network network;
        int owner;
    } sources[PHONE_SOURCES_MAX];
    size_t source_count;
    uint32_t rate;
    struct {
        uint64_t refilled_ms;
        uint32_t tokens;
    } slots[GATE_SLOTS];
} gate = {.rate = PHONE_RATE_DEFAULT};

enum status gate_allow(const struct network *network, int owner)
{
    if (gate.source_count == PHONE_SOURCES_MAX)
        return STATUS_LIMIT;
    gate.sources[gate.source_count].network = *network;
    gate.sources[gate.source_count++].owner = owner;
    return STATUS_OK;
}

void gate_forget(int owner, size_t keep)
{
    size_t left = 0;
    for (size_t i = 0, seen = 0; i < gate.source_count; i++) {
        if (gate.sources[i].owner == owner && seen++ >= keep)
            continue;
        gate.sources[left++] = gate.sources[i];
    }
    gate.source_count = left;
}

static const uint8_t *address_of(const struct sockaddr *source)
{
    return source->sa_family == AF_INET
               ? (const uint8_t *)&((const struct sockaddr_in *)(const void *)source)->sin_addr
               : (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)source)->sin6_addr;
}

bool gate_owns(int owner, const struct sockaddr *source)
{
    for (size_t i = 0; i < gate.source_count; i++) {
        if (gate.sources[i].owner == owner &&
            network_has(&gate.sources[i].network, source->sa_family, address_of(source)))
            return true;
    }
    return false;
}

static bool gate_allowed(const struct sockaddr *source)
{
    for (size_t i = 0; i < gate.source_count; i++) {
        if (network_has(&gate.sources[i].network, source->sa_family, address_of(source)))
            return true;
    }
    return false;
}

int gate_owner(const struct sockaddr *source)
{
    for (int owner = 0; owner < PHONE_TRUNKS_MAX; owner++) {
        if (gate_owns(owner, source))
            return owner;
    }
    return GATE_NO_OWNER;
}

/* ---- the kernel's part ---- */

struct program {
    struct sock_filter code[GATE_PROGRAM_MAX];
    unsigned short length;
};

static void emit(struct program *program, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    program->code[program->length++] =
        (struct sock_filter){.code = code, .k = k, .jt = yes, .jf = no};
}

static uint32_t mask_of(unsigned bits)
{
    return bits == 0 ? 0 : UINT32_MAX << (32 - bits);
}

/* Accepts when the IP version is the network's and its first bits are the source's. */
static void emit_network(struct program *program, const struct network *network)
{
    bool six = network->family == AF_INET6;
    unsigned words = six ? (network->bits + 31U) / 32 : 1;
    uint32_t net_off = (uint32_t)SKF_NET_OFF;
    emit(program, BPF_LD | BPF_B | BPF_ABS, net_off, 0, 0);
    emit(program, BPF_ALU | BPF_AND | BPF_K, 0xf0, 0, 0);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, six ? 0x60 : 0x40, 0, (uint8_t)(words * 3 + 1));
    for (unsigned word = 0; word < words; word++) {
        unsigned bits = network->bits - word * 32U;
        uint32_t mask = mask_of(bits > 32 ? 32 : bits), value;
        memcpy(&value, network->address + word * 4U, sizeof value);
        emit(program, BPF_LD | BPF_W | BPF_ABS,
             net_off + (uint32_t)(six ? IP6_SOURCE : IP4_SOURCE) + word * 4U, 0, 0);
        emit(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, ntohl(value) & mask, 0,
             (uint8_t)((words - word - 1) * 3 + 1));
    }
    emit(program, BPF_RET | BPF_K, UINT32_MAX, 0, 0);
}

static void program_make(int type, struct program *program)
{
    program->length = 0;
    if (type == SOCK_DGRAM) {
        emit(program, BPF_LD | BPF_W | BPF_LEN, 0, 0, 0);
        emit(program, BPF_JMP | BPF_JGT | BPF_K, PHONE_DATAGRAM_MAX + GATE_UDP_HEAD, 0, 1);
        emit(program, BPF_RET | BPF_K, 0, 0, 0);
    }
    for (size_t i = 0; i < gate.source_count; i++)
        emit_network(program, &gate.sources[i].network);
    emit(program, BPF_RET | BPF_K, 0, 0, 0);
}

static bool socket_is(int fd, int type, uint16_t port)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    int kind = 0;
    socklen_t kind_size = sizeof kind;
    return getsockname(fd, (struct sockaddr *)&bound, &size) == 0 &&
           (bound.ss_family == AF_INET || bound.ss_family == AF_INET6) &&
           ((struct sockaddr_in *)&bound)->sin_port == htons(port) &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &kind_size) == 0 && kind == type;
}

enum status gate_close(int type, uint16_t port)
{
    struct program program;
    program_make(type, &program);
    struct sock_fprog filter = {.len = program.length, .filter = program.code};
    enum status status = STATUS_NOT_FOUND;
    for (int fd = PHONE_SOCKET + 1; fd < GATE_DESCRIPTORS_MAX; fd++) {
        if (!socket_is(fd, type, port))
            continue;
        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
            if (type == SOCK_DGRAM)
                return STATUS_IO;
            /* An old list would keep new sources away. It fails where there is none. */
            (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){0}, sizeof(int));
        }
        status = STATUS_OK;
    }
    return status;
}

/* ---- the rate ---- */

void gate_rate(uint16_t packets_per_second)
{
    gate.rate = packets_per_second > 0 ? packets_per_second : PHONE_RATE_DEFAULT;
}

static size_t slot_of(const struct sockaddr *source)
{
    uint8_t bytes[16] = {0};
    memcpy(bytes, address_of(source), source->sa_family == AF_INET ? 4 : sizeof bytes);
    uint32_t hash = 2166136261U; /* FNV-1a: who is in the list has no reason to collide */
    for (size_t i = 0; i < sizeof bytes; i++)
        hash = (hash ^ bytes[i]) * 16777619U;
    return hash % GATE_SLOTS;
}

bool gate_pass(const struct sockaddr *source, uint64_t now_ms)
{
    size_t slot = slot_of(source);
    uint64_t since_ms = now_ms - gate.slots[slot].refilled_ms;
    uint64_t more = since_ms * gate.rate / 1000;
    if (since_ms >= 1000) {
        gate.slots[slot].tokens = gate.rate;
        gate.slots[slot].refilled_ms = now_ms;
    } else if (more > 0) {
        uint64_t tokens = gate.slots[slot].tokens + more;
        gate.slots[slot].tokens = tokens < gate.rate ? (uint32_t)tokens : gate.rate;
        gate.slots[slot].refilled_ms = now_ms;
    }
    if (gate.slots[slot].tokens == 0)
        return false;
    gate.slots[slot].tokens--;
    return true;
}

/* What the stack reads datagrams with. One too many is read and gone: nothing to read, it hears. */
PHONE_EXPORTED ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t got = syscall(SYS_recvmsg, fd, message, flags);
    const struct sockaddr *source = message->msg_name;
    if (got < 0 || source == NULL || message->msg_namelen == 0 ||
        (source->sa_family != AF_INET && source->sa_family != AF_INET6))
        return got;
    if (gate_pass(source, clock_mono_ns() / 1000000))
        return got;
    errno = EAGAIN;
    return -1;
}

/* What the stack takes connections with. A stranger's is reset. */
PHONE_EXPORTED int accept(int fd, struct sockaddr *restrict source, socklen_t *restrict size)
{
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    int taken = (int)syscall(SYS_accept4, fd, &from, &length, 0);
    if (taken < 0)
        return taken;
    const struct sockaddr *address = (const struct sockaddr *)&from;
    if ((from.ss_family != AF_INET && from.ss_family != AF_INET6) || !gate_allowed(address) ||
        !gate_pass(address, clock_mono_ns() / 1000000)) {
        struct linger reset = {.l_onoff = 1};
        (void)setsockopt(taken, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(taken);
        errno = EAGAIN;
        return -1;
    }
    if (source != NULL && size != NULL) {
        memcpy(source, &from, *size < length ? *size : length);
        *size = length;
    }
    return taken;
}
