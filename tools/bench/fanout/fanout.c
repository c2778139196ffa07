/*
 * tools/bench/fanout/fanout.c - holds websockets (WSS) for spaces at a server, and measures.
 *
 *   fanout --port HTTPS --http HTTP --pid SERVER --tokens FILE --space ID --sockets N
 *          --rate N --seconds N --idle N
 *
 * First SOCKETS, which follow events: a message is posted RATE times a second, and the time from
 * before its POST to its arrival at the last of them is measured. Then IDLE more are opened and
 * held, with heartbeats, and the server's memory by socket is read. FILE: a session's token a line;
 * sockets take them in turn. Prints one JSON object.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    TOKENS_MAX = 64,
    TOKEN_MAX = 128,
    MESSAGES_MAX = 100000,
    FRAME_MAX = 65536,
    BEAT_MS = 10000,
    EVENTS_MAX = 256,
    PATIENCE_S = 30,
};

struct peer {
    int fd;
    SSL *ssl;
    uint8_t *partial; /* of a frame; NULL: none */
    size_t length;
    bool following;
    uint64_t beaten_ns; /* when its heartbeat was sent last */
};

static struct {
    int port, http, pid, sockets, rate, seconds, idle;
    const char *space;
    char tokens[TOKENS_MAX][TOKEN_MAX];
    int token_count;
    struct peer *peers;
    int open, following, closed, epoll;
    SSL_CTX *tls;
    uint64_t posted_ns[MESSAGES_MAX], last_ns[MESSAGES_MAX];
    int arrivals[MESSAGES_MAX];
    int posted, failed;
    bool posting_done;
} b;

static uint64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "fanout: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

/* ---- websockets ---- */

static void send_text(struct peer *peer, const char *text)
{
    uint8_t frame[1024];
    size_t length = strlen(text), at = 0;
    frame[at++] = 0x81;
    if (length < 126) {
        frame[at++] = (uint8_t)(0x80 | length);
    } else {
        frame[at++] = 0x80 | 126;
        frame[at++] = (uint8_t)(length >> 8);
        frame[at++] = (uint8_t)length;
    }
    memset(frame + at, 0, 4); /* the mask */
    at += 4;
    memcpy(frame + at, text, length);
    int sent = SSL_write(peer->ssl, frame, (int)(at + length));
    if (sent <= 0 && SSL_get_error(peer->ssl, sent) != SSL_ERROR_WANT_WRITE)
        b.closed++;
}

static void peer_drop(struct peer *peer)
{
    SSL_free(peer->ssl);
    close(peer->fd);
}

/* False: the server has no descriptor for it (it needs three). */
static bool peer_open(struct peer *peer, int number)
{
    char text[1024], answer[2048];
    size_t got = 0;
    peer->fd = dial(b.port);
    peer->ssl = SSL_new(b.tls);
    SSL_set_fd(peer->ssl, peer->fd);
    /* Without a descriptor to accept it with, the server lets it wait. */
    const struct timeval patience = {.tv_sec = 1};
    setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (SSL_connect(peer->ssl) != 1) {
        if (errno != EAGAIN)
            die("TLS");
        peer_drop(peer);
        return false;
    }
    int length = snprintf(text, sizeof text,
                          "GET /gateway HTTP/1.1\r\nHost: localhost:%d\r\nConnection: Upgrade\r\n"
                          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          b.port);
    if (SSL_write(peer->ssl, text, length) != length)
        die("upgrade");
    while (got < 4 || memcmp(answer + got - 4, "\r\n\r\n", 4) != 0) {
        if (got == sizeof answer || SSL_read(peer->ssl, answer + got, 1) != 1)
            die("upgrade");
        got++;
    }
    if (strncmp(answer, "HTTP/1.1 503", 12) == 0) {
        peer_drop(peer);
        return false;
    }
    if (strncmp(answer, "HTTP/1.1 101", 12) != 0)
        die("upgrade");
    snprintf(text, sizeof text, "{\"op\":\"identify\",\"d\":{\"spaces\":true,\"account\":\"%s\"}}",
             b.tokens[number % b.token_count]);
    send_text(peer, text);
    send_text(peer, "{\"op\":\"command\",\"s\":1,\"t\":\"space.events\",\"d\":{\"after\":-1}}");
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    epoll_ctl(b.epoll, EPOLL_CTL_ADD, peer->fd, &event);
    peer->beaten_ns = now_ns();
    b.open++;
    return true;
}

static void frame_take(struct peer *peer, const char *text, size_t length, uint64_t at_ns)
{
    static const char mark[] = "\"text\":\"fanout ";
    const char *found = memmem(text, length, mark, sizeof mark - 1);
    if (memmem(text, length, "\"reply\"", 7) != NULL && !peer->following &&
        memmem(text, length, "\"ok\":true", 9) != NULL) {
        peer->following = true;
        b.following++;
    }
    if (found == NULL || memmem(text, length, "message.added", 13) == NULL)
        return;
    int number = atoi(found + sizeof mark - 1);
    if (number >= 0 && number < MESSAGES_MAX) {
        b.arrivals[number]++;
        b.last_ns[number] = at_ns;
    }
}

/* Whole frames of what has come; keeps the rest. */
static void bytes_take(struct peer *peer, const uint8_t *bytes, size_t length)
{
    static uint8_t joined[2 * FRAME_MAX];
    uint64_t at_ns = now_ns();
    if (peer->length > 0) {
        memcpy(joined, peer->partial, peer->length);
        memcpy(joined + peer->length, bytes, length);
        bytes = joined;
        length += peer->length;
        free(peer->partial);
        peer->partial = NULL;
        peer->length = 0;
    }
    while (length >= 2) {
        size_t head = 2, body = bytes[1] & 0x7f;
        if (body == 126 && length >= 4) {
            body = (size_t)bytes[2] << 8 | bytes[3];
            head = 4;
        } else if (body >= 126) {
            break;
        }
        if (length < head + body)
            break;
        if ((bytes[0] & 0x0f) == 8)
            b.closed++;
        frame_take(peer, (const char *)bytes + head, body, at_ns);
        bytes += head + body;
        length -= head + body;
    }
    if (length > 0 && length < FRAME_MAX) {
        peer->partial = malloc(length);
        memcpy(peer->partial, bytes, length);
        peer->length = length;
    }
}

static void peer_read(struct peer *peer)
{
    static uint8_t bytes[16384];
    int got;
    while ((got = SSL_read(peer->ssl, bytes, sizeof bytes)) > 0)
        bytes_take(peer, bytes, (size_t)got);
    if (SSL_get_error(peer->ssl, got) != SSL_ERROR_WANT_READ) {
        epoll_ctl(b.epoll, EPOLL_CTL_DEL, peer->fd, NULL);
        b.closed++;
    }
}

/* Reads and beats until `until_ns`, or until *count reaches `wanted`. */
static void run(uint64_t until_ns, const int *count, int wanted)
{
    static int next;
    struct epoll_event events[EVENTS_MAX];
    while (now_ns() < until_ns && (count == NULL || *count < wanted)) {
        int ready = epoll_wait(b.epoll, events, EVENTS_MAX, 5);
        for (int i = 0; i < ready; i++)
            peer_read(events[i].data.ptr);
        /* Round and round: whose heartbeat is oldest is next, and who came is last. */
        for (uint64_t at_ns = now_ns();
             b.open > 0 && at_ns - b.peers[next].beaten_ns >= BEAT_MS * 1000000ULL;
             next = next + 1 < b.open ? next + 1 : 0) {
            send_text(&b.peers[next], "{\"op\":\"heartbeat\",\"s\":0}");
            b.peers[next].beaten_ns = at_ns;
        }
    }
}

/* ---- posting ---- */

static void *post_main(void *arg)
{
    (void)arg;
    int fd = dial(b.http), total = b.rate * b.seconds;
    uint64_t start_ns = now_ns();
    for (int i = 0; i < total && i < MESSAGES_MAX; i++) {
        char text[1024], body[64], answer[8192];
        uint64_t due_ns = start_ns + (uint64_t)i * 1000000000u / (uint64_t)b.rate, at_ns = now_ns();
        if (due_ns > at_ns)
            nanosleep(&(struct timespec){.tv_sec = (time_t)((due_ns - at_ns) / 1000000000u),
                                         .tv_nsec = (long)((due_ns - at_ns) % 1000000000u)},
                      NULL);
        int length = snprintf(body, sizeof body, "{\"text\":\"fanout %d\"}", i);
        length = snprintf(text, sizeof text,
                          "POST /api/v1/spaces/%s/messages HTTP/1.1\r\nHost: localhost:%d\r\n"
                          "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
                          "Content-Length: %d\r\n\r\n%s",
                          b.space, b.http, b.tokens[0], length, body);
        b.posted_ns[i] = now_ns();
        if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length)
            die("post");
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        if (got < 12 || strncmp(answer, "HTTP/1.1 201", 12) != 0)
            b.failed++;
        b.posted = i + 1;
    }
    close(fd);
    b.posting_done = true;
    return NULL;
}

/* ---- figures ---- */

static long resident_kib(void)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", b.pid);
    FILE *file = fopen(path, "re");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        die(path);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, c = *(const double *)right;
    return a < c ? -1 : a > c;
}

static void fan_out(void)
{
    pthread_t poster;
    static double ms[MESSAGES_MAX];
    int whole = 0, lost = 0;
    pthread_create(&poster, NULL, post_main, NULL);
    run(now_ns() + (uint64_t)(b.seconds + 1) * 1000000000u, NULL, 0);
    pthread_join(poster, NULL);
    for (int i = 0; i < PATIENCE_S * 10 && b.arrivals[b.posted - 1] < b.sockets; i++)
        run(now_ns() + 100000000u, NULL, 0);
    for (int i = 0; i < b.posted; i++) {
        lost += b.sockets - b.arrivals[i];
        if (b.arrivals[i] == b.sockets)
            ms[whole++] = (double)(b.last_ns[i] - b.posted_ns[i]) / 1e6;
    }
    qsort(ms, (size_t)whole, sizeof ms[0], compare);
    printf("\"sockets\":%d,\"messages\":%d,\"failed\":%d,\"not_delivered\":%d,"
           "\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f",
           b.sockets, b.posted, b.failed, lost, whole > 0 ? ms[whole / 2] : -1,
           whole > 0 ? ms[whole * 99 / 100] : -1, whole > 0 ? ms[whole - 1] : -1);
}

/* Opens peers up to `count`, or as many as there is room for, a hundred at a time, and waits until
 * all of them follow. */
static void hold(int count)
{
    for (bool room = true; room && b.open < count;) {
        for (int i = 0; i < 100 && room && b.open < count; i++)
            room = peer_open(&b.peers[b.open], b.open);
        run(now_ns() + (uint64_t)PATIENCE_S * 1000000000u, &b.following, b.open);
    }
}

static void tokens_read(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        die(path);
    while (b.token_count < TOKENS_MAX && fgets(b.tokens[b.token_count], TOKEN_MAX, file) != NULL) {
        b.tokens[b.token_count][strcspn(b.tokens[b.token_count], "\n")] = '\0';
        b.token_count++;
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        int *value;
    } numbers[] = {{"--port", &b.port},       {"--http", &b.http}, {"--pid", &b.pid},
                   {"--sockets", &b.sockets}, {"--rate", &b.rate}, {"--seconds", &b.seconds},
                   {"--idle", &b.idle}};
    for (int i = 1; i + 1 < argc; i += 2) {
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            if (strcmp(argv[i], numbers[k].name) == 0)
                *numbers[k].value = atoi(argv[i + 1]);
        }
        if (strcmp(argv[i], "--space") == 0)
            b.space = argv[i + 1];
        if (strcmp(argv[i], "--tokens") == 0)
            tokens_read(argv[i + 1]);
    }
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int most = (int)limit.rlim_max - 64;
    if (b.token_count == 0 || b.space == NULL || b.rate < 1 || b.sockets < 1)
        die("what is missing?");
    if (b.sockets + b.idle > most)
        b.idle = most - b.sockets;
    b.peers = calloc((size_t)(b.sockets + b.idle), sizeof *b.peers);
    b.epoll = epoll_create1(EPOLL_CLOEXEC);
    b.tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(b.tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    signal(SIGPIPE, SIG_IGN); /* a socket the server closed */
    hold(b.sockets);
    if (b.open < b.sockets)
        die("no room for the sockets");
    printf("{");
    fan_out();
    fflush(stdout);
    if (b.idle > 0) {
        long before = resident_kib();
        hold(b.sockets + b.idle);
        run(now_ns() + 20000000000ULL, NULL, 0);
        int idle = b.open - b.sockets;
        printf(",\"idle\":%d,\"following\":%d,\"rss_mib\":%.1f,\"kib_per_socket\":%.1f", idle,
               b.following - b.sockets, (double)resident_kib() / 1024,
               (double)(resident_kib() - before) / idle);
    }
    printf(",\"closed\":%d}\n", b.closed);
    return b.closed > 0 || b.failed > 0;
}
