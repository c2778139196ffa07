/* sfufloor: what this machine asks for one 1200-byte datagram and for its encryption: the floor
 * under any SFU's cost per forwarded packet. A sender on one CPU, a receiver that drains on
 * another; the sender's own CPU time is what counts (on loopback it includes the receive path up to
 * the socket's queue). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <sched.h>
#include <srtp2/srtp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_URING
#include <liburing.h>
#endif

#define SIZE 1200
#define MAXD 512
static int dests = 100, count = 200000, send_cpu = 0, recv_cpu = 1;
static int rx[MAXD], conn[MAXD];
static struct sockaddr_in addr[MAXD];
static volatile int stop_rx, gro_on;
static volatile uint64_t got, got_bytes;
static uint8_t payload[65536];

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pin(int cpu)
{
    cpu_set_t s;
    CPU_ZERO(&s);
    CPU_SET(cpu, &s);
    sched_setaffinity(0, sizeof s, &s);
}

static void *receiver(void *arg)
{
    (void)arg;
    pin(recv_cpu);
    int ep = epoll_create1(0);
    static uint8_t buf[64][2048], big[65536];
    static struct iovec v[64];
    static struct mmsghdr m[64];
    for (int i = 0; i < 64; i++) {
        v[i] = (struct iovec){buf[i], sizeof buf[i]};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
    }
    for (int i = 0; i < dests; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = rx[i]};
        epoll_ctl(ep, EPOLL_CTL_ADD, rx[i], &e);
    }
    while (!stop_rx) {
        struct epoll_event ev[MAXD];
        int n = epoll_wait(ep, ev, MAXD, 0);
        for (int i = 0; i < n; i++) {
            if (gro_on) {
                ssize_t k;
                while ((k = recv(ev[i].data.fd, big, sizeof big, MSG_DONTWAIT)) > 0) {
                    got += (uint64_t)(k + SIZE - 1) / SIZE;
                    got_bytes += (uint64_t)k;
                }
                continue;
            }
            int k = recvmmsg(ev[i].data.fd, m, 64, MSG_DONTWAIT, NULL);
            if (k > 0)
                got += (uint64_t)k;
        }
        if (!n) {
            struct timespec t = {0, 500000};
            nanosleep(&t, NULL);
        }
    }
    close(ep);
    return NULL;
}

static void report(const char *what, double us, uint64_t sent)
{
    struct timespec t = {0, 20000000};
    nanosleep(&t, NULL);
    printf("  %-58s %7.3f us   delivered %.1f %%\n", what, us,
           sent ? 100.0 * (double)got / (double)sent : 0);
}

/* Do not run ahead of the receiver by more than this. */
static void wait_rx(uint64_t sent)
{
    for (int i = 0; sent > got + 8000 && i < 2000; i++)
        usleep(100);
}

static void one_by_one(const char *what, int connected)
{
    got = 0;
    double us = 0;
    for (int k = 0; k < count;) {
        double t = cpu_s();
        for (int i = 0; i < 2000; i++, k++) {
            if (connected)
                send(conn[k % dests], payload, SIZE, 0);
            else
                sendto(conn[MAXD - 1], payload, SIZE, 0, (struct sockaddr *)&addr[k % dests],
                       sizeof addr[0]);
        }
        us += (cpu_s() - t) * 1e6;
        wait_rx((uint64_t)k);
    }
    report(what, us / count, (uint64_t)count);
}

static void batched(const char *what, int batch)
{
    static struct mmsghdr m[1024];
    struct iovec v = {payload, SIZE};
    memset(m, 0, sizeof m);
    got = 0;
    double us = 0;
    int k = 0;
    while (k < count) {
        double t = cpu_s();
        for (int r = 0; r < 2000; r += batch) {
            for (int i = 0; i < batch; i++) {
                m[i].msg_hdr.msg_name = &addr[(k + i) % dests];
                m[i].msg_hdr.msg_namelen = sizeof addr[0];
                m[i].msg_hdr.msg_iov = &v;
                m[i].msg_hdr.msg_iovlen = 1;
            }
            int n = sendmmsg(conn[MAXD - 1], m, (unsigned)batch, 0);
            if (n <= 0)
                break;
            k += n;
        }
        us += (cpu_s() - t) * 1e6;
        wait_rx((uint64_t)k);
    }
    report(what, us / k, (uint64_t)k);
}

static void gso(const char *what, int segs, int batch)
{
    struct mmsghdr m[64];
    char ctl[64][CMSG_SPACE(sizeof(uint16_t))];
    struct iovec v = {payload, (size_t)(SIZE * segs)};
    memset(m, 0, sizeof m);
    got = 0;
    double us = 0;
    int k = 0, d = 0;
    while (k < count) {
        double t = cpu_s();
        for (int r = 0; r < 2000; r += segs * batch) {
            for (int i = 0; i < batch; i++) {
                struct msghdr *h = &m[i].msg_hdr;
                *h = (struct msghdr){.msg_name = &addr[d++ % dests],
                                     .msg_namelen = sizeof addr[0],
                                     .msg_iov = &v,
                                     .msg_iovlen = 1,
                                     .msg_control = ctl[i],
                                     .msg_controllen = sizeof ctl[i]};
                struct cmsghdr *c = CMSG_FIRSTHDR(h);
                c->cmsg_level = SOL_UDP;
                c->cmsg_type = UDP_SEGMENT;
                c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
                uint16_t s = SIZE;
                memcpy(CMSG_DATA(c), &s, 2);
            }
            int n = sendmmsg(conn[MAXD - 1], m, (unsigned)batch, 0);
            if (n <= 0) {
                printf("  GSO: %s\n", strerror(errno));
                return;
            }
            k += n * segs;
        }
        us += (cpu_s() - t) * 1e6;
        wait_rx((uint64_t)k);
    }
    report(what, us / k, (uint64_t)k);
}

#ifdef HAVE_URING
static void uring(const char *what, int batch, int fixed)
{
    struct io_uring r;
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    int e = io_uring_queue_init_params(1024, &r, &p);
    if (e) {
        p = (struct io_uring_params){0};
        e = io_uring_queue_init_params(1024, &r, &p);
    }
    if (e) {
        printf("  io_uring: %s\n", strerror(-e));
        return;
    }
    if (fixed && io_uring_register_files(&r, &conn[MAXD - 1], 1))
        fixed = 0;
    static struct msghdr h[1024];
    struct iovec v = {payload, SIZE};
    got = 0;
    double us = 0;
    int k = 0, failed = 0;
    while (k < count) {
        double t = cpu_s();
        for (int q = 0; q < 2000; q += batch) {
            for (int i = 0; i < batch; i++) {
                struct io_uring_sqe *s = io_uring_get_sqe(&r);
                h[i] = (struct msghdr){.msg_name = &addr[(k + i) % dests],
                                       .msg_namelen = sizeof addr[0],
                                       .msg_iov = &v,
                                       .msg_iovlen = 1};
                io_uring_prep_sendmsg(s, fixed ? 0 : conn[MAXD - 1], &h[i], 0);
                if (fixed)
                    s->flags |= IOSQE_FIXED_FILE;
            }
            io_uring_submit_and_wait(&r, (unsigned)batch);
            struct io_uring_cqe *c;
            unsigned head, n = 0;
            io_uring_for_each_cqe(&r, head, c)
            {
                failed += c->res != SIZE;
                n++;
            }
            io_uring_cq_advance(&r, n);
            k += batch;
        }
        us += (cpu_s() - t) * 1e6;
        wait_rx((uint64_t)k);
    }
    report(what, us / k, (uint64_t)k);
    if (failed)
        printf("  io_uring: %d sends failed\n", failed);
    io_uring_queue_exit(&r);
}
#endif

static void srtp(const char *what, srtp_profile_t kind, int unprotect)
{
    uint8_t key[64], p[SIZE + 64];
    srtp_policy_t pol = {0};
    srtp_t s, r;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 7);
    srtp_crypto_policy_set_from_profile_for_rtp(&pol.rtp, kind);
    srtp_crypto_policy_set_from_profile_for_rtcp(&pol.rtcp, kind);
    pol.ssrc.type = ssrc_any_outbound;
    pol.key = key;
    pol.window_size = 1024;
    if (srtp_create(&s, &pol)) {
        printf("  %s: not in this libsrtp2\n", what);
        return;
    }
    pol.ssrc.type = ssrc_any_inbound;
    srtp_create(&r, &pol);
    memcpy(p, payload, SIZE);
    memset(p, 0, 12);
    p[0] = 0x80;
    p[11] = 9;
    static uint8_t many[500][SIZE + 64];
    double us = 0;
    int bad = 0, k = 0;
    while (k < count) {
        double t = cpu_s();
        int n = 0;
        for (int i = 0; i < 500; i++, k++) {
            n = SIZE;
            p[2] = (uint8_t)(k >> 8);
            p[3] = (uint8_t)k;
            memcpy(many[i], p, SIZE);
            bad += srtp_protect(s, many[i], &n) != 0;
        }
        if (unprotect) {
            int len = n;
            t = cpu_s();
            for (int i = 0; i < 500; i++) {
                n = len;
                bad += srtp_unprotect(r, many[i], &n) != 0;
            }
        }
        us += (cpu_s() - t) * 1e6;
    }
    printf("  %-58s %7.3f us%s\n", what, us / k, bad ? "   FAILED" : "");
    srtp_dealloc(s);
    srtp_dealloc(r);
}

static void evp_gcm(const char *what, const char *name, int rekey)
{
    uint8_t key[32] = {1, 2, 3}, iv[12] = {0}, out[SIZE + 64], tag[16];
    EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    int n, bad = 0;
    EVP_EncryptInit_ex2(x, c, key, iv, NULL);
    double t = cpu_s();
    for (int k = 0; k < count; k++) {
        memcpy(iv + 4, &k, 4);
        memcpy(out, payload, 12);
        if (rekey)
            EVP_EncryptInit_ex2(x, c, key, iv, NULL);
        else
            EVP_EncryptInit_ex2(x, NULL, NULL, iv, NULL);
        bad += !EVP_EncryptUpdate(x, NULL, &n, payload, 12);
        bad += !EVP_EncryptUpdate(x, out + 12, &n, payload + 12, SIZE - 12);
        bad += !EVP_EncryptFinal_ex(x, out + SIZE, &n);
        bad += !EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, 16, tag);
    }
    printf("  %-58s %7.3f us%s\n", what, (cpu_s() - t) * 1e6 / count, bad ? "   FAILED" : "");
    EVP_CIPHER_CTX_free(x);
    EVP_CIPHER_free(c);
}

static void evp_ctr_hmac(const char *what)
{
    uint8_t key[20] = {1, 2, 3}, iv[16] = {0}, out[SIZE + 64], tag[20];
    EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *h = EVP_MAC_CTX_new(mac);
    OSSL_PARAM par[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA1", 0),
                        OSSL_PARAM_construct_end()};
    int n, bad = 0;
    size_t len;
    EVP_EncryptInit_ex2(x, c, key, iv, NULL);
    bad += !EVP_MAC_init(h, key, sizeof key, par);
    double t = cpu_s();
    for (int k = 0; k < count; k++) {
        memcpy(iv, &k, 4);
        memcpy(out, payload, 12);
        EVP_EncryptInit_ex2(x, NULL, NULL, iv, NULL);
        bad += !EVP_EncryptUpdate(x, out + 12, &n, payload + 12, SIZE - 12);
        bad += !EVP_MAC_init(h, NULL, 0, NULL);
        bad += !EVP_MAC_update(h, out, SIZE);
        bad += !EVP_MAC_update(h, (const uint8_t *)"\0\0\0", 4);
        bad += !EVP_MAC_final(h, tag, &len, sizeof tag);
    }
    printf("  %-58s %7.3f us%s\n", what, (cpu_s() - t) * 1e6 / count, bad ? "   FAILED" : "");
    EVP_MAC_CTX_free(h);
    EVP_MAC_free(mac);
    EVP_CIPHER_CTX_free(x);
    EVP_CIPHER_free(c);
}

static int udp(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), big = 4 << 20;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a)) {
        perror("socket");
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big);
    return fd;
}

int main(int argc, char **argv)
{
    for (int o; (o = getopt(argc, argv, "d:n:s:r:")) != -1;) {
        if (o == 'd')
            dests = atoi(optarg);
        else if (o == 'n')
            count = atoi(optarg);
        else if (o == 's')
            send_cpu = atoi(optarg);
        else if (o == 'r')
            recv_cpu = atoi(optarg);
    }
    if (dests < 1 || dests >= MAXD || count < 2000 || count > 5000000) {
        fprintf(stderr, "sfufloor [-d destinations < 512] [-n packets, 2000 to 5000000] [-s send "
                        "CPU] [-r receive CPU]\n");
        return 1;
    }
    srtp_init();
    pin(send_cpu);
    for (unsigned i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 31 + (i >> 8));
    for (int i = 0; i < dests; i++) {
        socklen_t n = sizeof addr[0];
        rx[i] = udp();
        getsockname(rx[i], (struct sockaddr *)&addr[i], &n);
        conn[i] = udp();
        connect(conn[i], (struct sockaddr *)&addr[i], n);
    }
    conn[MAXD - 1] = udp();
    printf("%d packets of %d B to %d destinations on loopback, CPU time of the sender for each "
           "packet:\n",
           count, SIZE, dests);
    pthread_t t;
    pthread_create(&t, NULL, receiver, NULL);
    one_by_one("(warm-up) sendto", 0);
    one_by_one("sendto, one socket", 0);
    one_by_one("send, a connected socket each", 1);
    batched("sendmmsg, 8", 8);
    batched("sendmmsg, 64", 64);
    batched("sendmmsg, 256", 256);
    gso("UDP GSO, 4 segments a send", 4, 1);
    gso("UDP GSO, 16 segments a send", 16, 1);
    gso("UDP GSO, 16 segments, sendmmsg of 4", 16, 4);
    int on = 1;
    for (int i = 0; i < dests; i++)
        setsockopt(rx[i], SOL_UDP, UDP_GRO, &on, sizeof on);
    gro_on = 1;
    gso("UDP GSO, 16 segments, receivers with UDP_GRO (no split)", 16, 1);
    on = 0;
    for (int i = 0; i < dests; i++)
        setsockopt(rx[i], SOL_UDP, UDP_GRO, &on, sizeof on);
    gro_on = 0;
#ifdef HAVE_URING
    uring("io_uring sendmsg, 64 a submit", 64, 0);
    uring("io_uring sendmsg, 64 a submit, fixed file", 64, 1);
    uring("io_uring sendmsg, 256 a submit, fixed file", 256, 1);
#else
    printf("  io_uring: built without liburing\n");
#endif
    stop_rx = 1;
    pthread_join(t, NULL);
    printf("Encryption of a %d B packet (%s):\n", SIZE, srtp_get_version_string());
    srtp("srtp_protect AEAD_AES_128_GCM", srtp_profile_aead_aes_128_gcm, 0);
    srtp("srtp_protect AES_CM_128_HMAC_SHA1_80", srtp_profile_aes128_cm_sha1_80, 0);
    srtp("srtp_unprotect AEAD_AES_128_GCM", srtp_profile_aead_aes_128_gcm, 1);
    srtp("srtp_unprotect AES_CM_128_HMAC_SHA1_80", srtp_profile_aes128_cm_sha1_80, 1);
    evp_gcm("OpenSSL EVP AES-128-GCM, context kept", "AES-128-GCM", 0);
    evp_gcm("OpenSSL EVP AES-128-GCM, key set each time", "AES-128-GCM", 1);
    evp_gcm("OpenSSL EVP AES-256-GCM, context kept", "AES-256-GCM", 0);
    evp_ctr_hmac("OpenSSL EVP AES-128-CTR + HMAC-SHA1, contexts kept");
    double c = cpu_s();
    for (int k = 0; k < count; k++) {
        uint8_t copy[SIZE];
        memcpy(copy, payload + (k & 4095), SIZE);
        __asm__ volatile("" ::"r"(copy) : "memory");
    }
    printf("  %-58s %7.3f us\n", "memcpy of the packet", (cpu_s() - c) * 1e6 / count);
    return 0;
}
