/*
 * parley-phone under hostile bytes: the messages of RFC 4475 and valid ones, changed at random, and
 * calls whose requests come in any order, some changed too. The server's side answers as at random.
 * It registers with a provider, this program, whose answers are changed as well.
 *
 *   soak_sip PARLEY [MESSAGES] [SEED]
 *
 * After every few messages comes an OPTIONS that must be answered: a crash, an end and a stall are
 * seen at once. CPU is what the process computed between two answers; the wait has the machine's
 * other work in it and is held to STALL_MS_MAX with PARLEY_STRICT=1 only.
 * The last line: "MESSAGES messages, CALLS calls, ...".
 */
#include "core/clock.h"
#include "core/rng.h"
#include "signalling/sip/bridge.h"
#include "tests/support/file.h"
#include "tests/support/port.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MESSAGES = 6000,
    MESSAGES_MAX = 100000000,
    BATCH = 8,    /* messages between two OPTIONS */
    BATCH_MS = 6, /* at least: with what it answers, as much as the gate lets one source send */
    SEEDS_MAX = 128,
    TEXT_MAX = 32768,
    DIALOGS = 8,
    STALL_MS_MAX = 100,
    ANSWER_MS = 500, /* then the OPTIONS is sent again, with the same transaction */
    ANSWERS_MAX = 20,
    READY_MS_MAX = 10000,
};

struct seed_text {
    char *bytes;
    size_t length;
};

/* A call as its caller sees it. */
struct dialog {
    unsigned number, cseq;
    char to[256]; /* with the other side's tag, once known */
};

static struct {
    struct rng rng;
    struct bridge *bridge;
    int fd, probe_fd, port, own;
    struct seed_text seeds[SEEDS_MAX];
    size_t seed_count;
    struct dialog dialogs[DIALOGS];
    unsigned next_dialog;
    uint64_t messages, probes, worst_ns, worst_cpu_ns, over, late;
    atomic_ulong calls;
    atomic_int ready, downs;
} soak;

static void die(const char *what)
{
    fprintf(stderr, "soak_sip: %s after %" PRIu64 " messages\n", what, soak.messages);
    exit(EXIT_FAILURE);
}

static uint32_t below(uint32_t bound)
{
    return rng_below(&soak.rng, bound);
}

/* ---- the server's side ---- */

static const char answer_sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                                 "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/* On the bridge's thread; it decides by the call's number, so that a run replays. */
static void on_message(void *context, const struct wire_message *message)
{
    (void)context;
    struct wire_message reply = {.type = WIRE_ANSWER, .call = message->call};
    uint64_t choice = message->call * 2654435761U >> 8;
    reply.fields[WIRE_SDP] = answer_sdp;
    if (message->type == WIRE_READY)
        atomic_fetch_add(&soak.ready, 1);
    if (message->type == WIRE_INVITE || message->type == WIRE_REINVITE) {
        atomic_fetch_add(&soak.calls, message->type == WIRE_INVITE);
        if (choice % 8 == 0)
            reply = (struct wire_message){
                .type = WIRE_REFUSE, .call = message->call, .code = (uint16_t)(400 + choice % 300)};
        bridge_send(soak.bridge, &reply);
    }
    if ((message->type == WIRE_ACK && choice % 4 == 0) || message->type == WIRE_DIGIT) {
        reply = (struct wire_message){.type = WIRE_HANGUP, .call = message->call};
        bridge_send(soak.bridge, &reply);
    }
}

static void on_down(void *context)
{
    (void)context;
    atomic_fetch_add(&soak.downs, 1);
}

static void phone_start(const char *parley)
{
    static char program[512], listen_at[32], target[48];
    static struct wire_message messages[3];
    char copy[400];
    int port;
    snprintf(copy, sizeof copy, "%s", parley);
    snprintf(program, sizeof program, "%s/parley-phone", dirname(copy));
    port = port_free();
    if (port == 0)
        die("no port");
    soak.port = port;
    soak.fd = port_socket("127.0.0.1", &soak.own);
    soak.probe_fd = port_socket("127.0.0.1", &port);
    if (soak.fd < 0 || soak.probe_fd < 0)
        die("no socket");
    snprintf(listen_at, sizeof listen_at, "127.0.0.1:%d", soak.port);
    snprintf(target, sizeof target, "udp:127.0.0.1:%d", soak.own);
    messages[0] = (struct wire_message){.type = WIRE_LISTEN, .code = WIRE_UDP};
    messages[0].fields[WIRE_ADDRESS] = listen_at;
    messages[1] = (struct wire_message){.type = WIRE_TRUNK, .code = WIRE_TRUSTED | 1};
    messages[1].fields[WIRE_NAME] = "main";
    messages[1].fields[WIRE_DOMAIN] = "127.0.0.1";
    messages[1].fields[WIRE_USER] = "parley";
    messages[1].fields[WIRE_PASSWORD] = "secret";
    messages[1].fields[WIRE_EXPIRES] = "300";
    messages[2] = (struct wire_message){.type = WIRE_START};
    struct bridge_config config = {.program = program,
                                   .messages = messages,
                                   .message_count = 3,
                                   .events = {on_message, on_down}};
    if (bridge_new(&config, &soak.bridge) != STATUS_OK)
        die("no bridge");
    for (int waited = 0; atomic_load(&soak.ready) == 0; waited += 10) {
        if (waited > READY_MS_MAX)
            die("parley-phone is not ready");
        usleep(10000);
    }
    struct wire_message targets = {.type = WIRE_TARGETS};
    targets.fields[WIRE_NAME] = "main";
    targets.fields[WIRE_ADDRESS] = target;
    bridge_send(soak.bridge, &targets);
}

/* ---- bytes ---- */

static void change_once(char *text, size_t *length, size_t size)
{
    static const char *const pieces[] = {
        "\r\n",
        "\r\n\r\n",
        ": ",
        ";",
        "\"",
        "<",
        ">",
        ",",
        "%00",
        "\xff",
        "\xc3\xa9",
        "[",
        "]",
        "@",
        "=",
        "sip:",
        "4294967296",
        "-1",
        "99999",
        "Content-Length: 4000000000\r\n",
        "Contact: *\r\n",
        "Via: SIP/2.0/UDP x\r\n",
        "Route: <sip:127.0.0.1;lr>\r\n",
        "Record-Route: <sip:127.0.0.1;lr>\r\n",
        "Session-Expires: 90;refresher=uac\r\n",
        "Require: 100rel\r\n",
        "RAck: 1 1 INVITE\r\n",
        "P-Asserted-Identity: <tel:+1>\r\n",
        "Replaces: a;to-tag=b;from-tag=c\r\n",
        "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\", algorithm=SHA-256\r\n",
    };
    size_t at = *length > 0 ? below((uint32_t)*length) : 0, count;
    const char *piece = pieces[below(sizeof pieces / sizeof pieces[0])];
    switch (below(5)) {
    case 0:
        if (*length > 0)
            text[at] = (char)below(256);
        break;
    case 1: /* a piece out of it */
        count = 1 + below(32);
        count = count > *length - at ? *length - at : count;
        memmove(text + at, text + at + count, *length - at - count);
        *length -= count;
        break;
    case 2: /* a piece into it */
        count = strlen(piece);
        if (*length + count <= size) {
            memmove(text + at + count, text + at, *length - at);
            memcpy(text + at, piece, count);
            *length += count;
        }
        break;
    case 3: /* a part of it twice */
        count = 1 + below(200);
        count = count > *length - at ? *length - at : count;
        if (*length + count <= size) {
            memmove(text + at + count, text + at, *length - at);
            *length += count;
        }
        break;
    default: /* its end is another's */
        if (soak.seed_count > 0) {
            const struct seed_text *other = &soak.seeds[below((uint32_t)soak.seed_count)];
            size_t from = other->length > 0 ? below((uint32_t)other->length) : 0;
            count = other->length - from;
            count = at + count > size ? size - at : count;
            memcpy(text + at, other->bytes + from, count);
            *length = at + count;
        }
    }
}

static void send_bytes(int fd, const char *text, size_t length)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)soak.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)sendto(fd, text, length, 0, (struct sockaddr *)&to, sizeof to);
}

/* As it is once in `whole`, else changed. */
static void send_changed(const char *text, size_t length, uint32_t whole)
{
    char changed[TEXT_MAX];
    length = length > sizeof changed ? sizeof changed : length;
    memcpy(changed, text, length);
    for (uint32_t i = below(whole) == 0 ? 0 : 1 + below(8); i > 0; i--)
        change_once(changed, &length, sizeof changed);
    send_bytes(soak.fd, changed, length);
    soak.messages++;
}

static void seed_add(void *context, const char *name, const char *bytes, size_t length)
{
    (void)context, (void)name;
    if (soak.seed_count == SEEDS_MAX)
        return;
    char *copy = malloc(length + 1);
    if (copy == NULL)
        die("no memory");
    memcpy(copy, bytes, length);
    soak.seeds[soak.seed_count++] = (struct seed_text){copy, length};
}

/* ---- calls ---- */

static size_t request_write(char *text, const struct dialog *dialog, const char *method,
                            unsigned cseq, const char *headers, const char *body)
{
    return (size_t)snprintf(
        text, TEXT_MAX,
        "%s sip:100@127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/UDP "
        "127.0.0.1:%d;branch=z9hG4bK%u-%u%s;rport\r\n"
        "From: \"Ann\" <sip:+4930123@127.0.0.1>;tag=f%u\r\nTo: %s\r\nCall-ID: s%u\r\n"
        "CSeq: %u %s\r\nMax-Forwards: 70\r\nContact: <sip:ann@127.0.0.1:%d>\r\n%s"
        "Content-Length: %zu\r\n\r\n%s",
        method, soak.port, soak.own, dialog->number, cseq,
        strcmp(method, "ACK") == 0      ? "a"
        : strcmp(method, "CANCEL") == 0 ? "INVITE"
                                        : method,
        dialog->number, dialog->to[0] != '\0' ? dialog->to : "<sip:100@127.0.0.1>", dialog->number,
        cseq, method, soak.own, headers, strlen(body), body);
}

static void dialog_step(void)
{
    static const struct {
        const char *method, *headers;
        bool sdp, same; /* same: CSeq of the request before */
    } steps[] = {
        {"INVITE", "Content-Type: application/sdp\r\n", true, false},
        {"INVITE", "Supported: timer, 100rel\r\nSession-Expires: 90\r\n", false, false},
        {"INVITE", "Require: 100rel\r\nContent-Type: application/sdp\r\n", true, false},
        {"ACK", "", false, true},
        {"ACK", "Content-Type: application/sdp\r\n", true, true},
        {"CANCEL", "", false, true},
        {"BYE", "", false, false},
        {"PRACK", "RAck: 1 1 INVITE\r\n", false, false},
        {"UPDATE", "Content-Type: application/sdp\r\n", true, false},
        {"UPDATE", "Session-Expires: 90;refresher=uas\r\n", false, false},
        {"INFO", "Content-Type: application/dtmf-relay\r\n", false, false},
        {"REFER", "Refer-To: <sip:x@127.0.0.1>\r\n", false, false},
        {"OPTIONS", "", false, false},
        {"NOTIFY", "Event: refer\r\nSubscription-State: active\r\n", false, false},
        {"SUBSCRIBE", "Event: dialog\r\n", false, false},
        {"REGISTER", "", false, false},
        {"MESSAGE", "Content-Type: text/plain\r\n", false, false},
    };
    char text[TEXT_MAX];
    struct dialog *dialog = &soak.dialogs[below(DIALOGS)];
    if (dialog->number == 0 || below(5) == 0)
        *dialog = (struct dialog){.number = ++soak.next_dialog};
    size_t i = dialog->cseq == 0 ? below(3) : below(sizeof steps / sizeof steps[0]);
    if (!steps[i].same || below(8) == 0)
        dialog->cseq++;
    size_t length = request_write(text, dialog, steps[i].method, dialog->cseq, steps[i].headers,
                                  steps[i].sdp                           ? answer_sdp
                                  : strcmp(steps[i].method, "INFO") == 0 ? "Signal=5\r\n"
                                                                         : "");
    send_changed(text, length, 2);
}

/* ---- what it says to us ---- */

/* A line of a message, with its end; copied into an answer as it is. */
static void header_copy(const char *text, const char *name, char *into, size_t size)
{
    char search[32];
    snprintf(search, sizeof search, "\r\n%s: ", name);
    const char *at = strstr(text, search);
    into[0] = '\0';
    if (at != NULL)
        snprintf(into, size, "%.*s\r\n", (int)strcspn(at + 2, "\r"), at + 2);
}

static void request_answer(const char *request)
{
    static const char *const starts[] = {
        "200 OK\r\nExpires: 300",
        "200 OK\r\nExpires: 60\r\nMin-Expires: 9",
        "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"p\", nonce=\"n1\", qop=\"auth\", "
        "algorithm=SHA-256\r\nWWW-Authenticate: Digest realm=\"p\", nonce=\"n1\", opaque=\"o\"",
        "407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm=\"q\", "
        "nonce=\"n2\", stale=true, qop=\"auth,auth-int\", algorithm=MD5",
        "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"p\"",
        "423 Brief\r\nMin-Expires: 900",
        "302 Moved\r\nContact: <sip:x@127.0.0.1>",
        "500 No",
        "491 Later",
        "100 Trying"};
    char text[TEXT_MAX], via[512], from[512], to[512], id[256], cseq[128];
    header_copy(request, "Via", via, sizeof via);
    header_copy(request, "From", from, sizeof from);
    header_copy(request, "To", to, sizeof to);
    header_copy(request, "Call-ID", id, sizeof id);
    header_copy(request, "CSeq", cseq, sizeof cseq);
    int length = snprintf(text, sizeof text,
                          "SIP/2.0 %s\r\n%s%s%s%s%sContact: <sip:parley@127.0.0.1:%d>\r\n"
                          "Content-Length: 0\r\n\r\n",
                          starts[below(sizeof starts / sizeof starts[0])], via, from, to, id, cseq,
                          soak.port);
    send_changed(text, (size_t)length, 2);
}

static void dialog_learn(const char *text)
{
    const char *id = strstr(text, "\r\nCall-ID: s"), *to = strstr(text, "\r\nTo: ");
    unsigned number = id != NULL ? (unsigned)strtoul(id + 12, NULL, 10) : 0;
    for (size_t i = 0; number != 0 && to != NULL && i < DIALOGS; i++) {
        if (soak.dialogs[i].number == number)
            snprintf(soak.dialogs[i].to, sizeof soak.dialogs[i].to, "%.*s",
                     (int)strcspn(to + 6, "\r"), to + 6);
    }
}

static void listen_once(void)
{
    char text[TEXT_MAX];
    ssize_t got;
    for (int i = 0; i < 4 * BATCH; i++) {
        got = recv(soak.fd, text, sizeof text - 1, MSG_DONTWAIT);
        if (got <= 0)
            return;
        text[got] = '\0';
        if (strncmp(text, "SIP/2.0 ", 8) == 0)
            dialog_learn(text);
        else
            request_answer(text);
    }
}

/* ---- is it alive ---- */

/* What the process has computed so far; 0: it is not known. */
static uint64_t cpu_ns(void)
{
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", bridge_process(soak.bridge));
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%llu", &ns) != 1)
            ns = 0;
        fclose(file);
    }
    return ns;
}

static void probe(void)
{
    static unsigned number;
    char text[TEXT_MAX], id[32];
    struct dialog outside = {.number = 1000000000U + ++number};
    uint64_t took = 0;
    struct timeval patience = {.tv_usec = ANSWER_MS * 1000};
    setsockopt(soak.probe_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    size_t length = request_write(text, &outside, "OPTIONS", 1, "", "");
    snprintf(id, sizeof id, "\r\nCall-ID: s%u\r\n", outside.number);
    for (int tries = 0;; tries++) {
        uint64_t cpu = cpu_ns(), start = clock_mono_ns();
        send_bytes(soak.probe_fd, text, length);
        char answer[TEXT_MAX];
        ssize_t got;
        while ((got = recv(soak.probe_fd, answer, sizeof answer - 1, 0)) > 0) {
            answer[got] = '\0';
            if (strstr(answer, id) != NULL)
                break;
        }
        took = clock_mono_ns() - start;
        cpu = cpu_ns() - cpu;
        soak.worst_cpu_ns = cpu > soak.worst_cpu_ns ? cpu : soak.worst_cpu_ns;
        soak.worst_ns = took > soak.worst_ns ? took : soak.worst_ns;
        if (got > 0)
            break;
        soak.late++;
        if (atomic_load(&soak.downs) > 0 || tries == ANSWERS_MAX)
            die(tries == ANSWERS_MAX ? "it does not answer" : "it ended");
    }
    soak.probes++;
    soak.over += took > STALL_MS_MAX * CLOCK_NS_PER_MS;
}

static long resident_kib(void)
{
    char path[64], line[128];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", bridge_process(soak.bridge));
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        (void)sscanf(line, "VmRSS: %ld", &kib);
    if (file != NULL)
        fclose(file);
    return kib;
}

int main(int argc, char **argv)
{
    uint64_t messages = argc > 2 ? strtoull(argv[2], NULL, 10) : MESSAGES;
    if (argc < 2 || messages == 0 || messages > MESSAGES_MAX) {
        fputs("soak_sip PARLEY [MESSAGES] [SEED]\n", stderr);
        return EXIT_FAILURE;
    }
    rng_seed(&soak.rng, argc > 3 ? strtoull(argv[3], NULL, 10) : 4475);
    phone_start(argv[1]);
    size_t vectors = file_each("rfc4475", ".dat", seed_add, NULL);
    for (size_t i = 0; i < soak.seed_count; i++) { /* as they are, first */
        send_bytes(soak.fd, soak.seeds[i].bytes, soak.seeds[i].length);
        probe();
    }
    long before = resident_kib();
    uint64_t start = clock_mono_ns();
    while (soak.messages < messages) {
        uint64_t next = clock_mono_ns() + BATCH_MS * (uint64_t)CLOCK_NS_PER_MS;
        for (int i = 0; i < BATCH; i++) {
            const struct seed_text *seed = &soak.seeds[below((uint32_t)soak.seed_count)];
            if (below(2) == 0)
                send_changed(seed->bytes, seed->length, 1000);
            else
                dialog_step();
            listen_once();
        }
        probe();
        uint64_t now = clock_mono_ns();
        if (now < next)
            usleep((useconds_t)((next - now) / 1000));
    }
    int downs = atomic_load(&soak.downs);
    long after = resident_kib();
    bridge_free(soak.bridge);
    double cpu_ms = (double)soak.worst_cpu_ns / CLOCK_NS_PER_MS;
    printf("%zu of RFC 4475, %" PRIu64 " messages, %lu calls, %" PRIu64
           " probes in %.0f s: %d ends, "
           "worst wait %.1f ms, %" PRIu64 " over %d ms, %" PRIu64
           " asked again, worst CPU %.1f ms, %ld to %ld KiB\n",
           vectors, soak.messages, (unsigned long)atomic_load(&soak.calls), soak.probes,
           (double)(clock_mono_ns() - start) / 1e9, downs, (double)soak.worst_ns / CLOCK_NS_PER_MS,
           soak.over, STALL_MS_MAX, soak.late, cpu_ms, before, after);
    const char *strict = getenv("PARLEY_STRICT");
    bool stalled =
        cpu_ms > STALL_MS_MAX || (strict != NULL && strcmp(strict, "1") == 0 && soak.over > 0);
    for (size_t i = 0; i < soak.seed_count; i++)
        free(soak.seeds[i].bytes);
    return downs > 0 || stalled ? EXIT_FAILURE : EXIT_SUCCESS;
}
