/* Batches over a loopback socket: what joins a message, what comes out at the other end. */
#include "core/bytes.h"
#include "media/sfu/sender.h"
#include "media/srtp/srtp.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
    struct sender *sender;
    int from, to;
    struct ice_address address;
};

static int socket_bound(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    const struct timeval wait = {.tv_sec = 5};
    const int bytes = 1 << 21;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &length), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    return fd;
}

static void pair_open(struct pair *pair)
{
    struct sockaddr_in from, to;
    pair->from = socket_bound(&from);
    pair->to = socket_bound(&to);
    assert_int_equal(ice_address_from((struct sockaddr *)&to, &pair->address), STATUS_OK);
    assert_int_equal(sender_new(&pair->sender), STATUS_OK);
    sender_socket(pair->sender, pair->from, AF_INET);
}

static void pair_close(struct pair *pair)
{
    sender_free(pair->sender);
    close(pair->from);
    close(pair->to);
}

static void put(struct pair *pair, struct sender_group *group, uint8_t mark, size_t length)
{
    memset(sender_room(pair->sender), mark, length);
    sender_commit(pair->sender, &pair->address, group, length);
}

static void nobody_taps(void *context, const struct ice_address *to, const uint8_t *bytes,
                        size_t length)
{
    (void)context, (void)to, (void)bytes, (void)length;
}

static void expect(const struct pair *pair, uint8_t mark, size_t length)
{
    uint8_t bytes[2048];
    ssize_t got = recv(pair->to, bytes, sizeof bytes, 0);
    assert_int_equal(got, (ssize_t)length);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(bytes[i], mark);
}

/* Tags come with the flush, also with that of a full batch; not where somebody looks on. */
static void test_tags_come_with_the_flush(void **state)
{
    (void)state;
    enum { COUNT = SENDER_PACKETS_MAX + 20, BODY = 100 };
    struct pair pair;
    struct protector_keys keys = {.profile = PROTECTOR_AES_CM_SHA1_80};
    struct protector *protector;
    uint8_t expected[256], got[256];
    size_t length = 0;
    pair_open(&pair);
    assert_int_equal(protector_new(&keys, &protector), STATUS_OK);
    assert_null(sender_macs(pair.sender));
    sender_macs_open(pair.sender);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t *out = sender_room(pair.sender), packet[12 + BODY] = {0x80, 96};
        store_be16(packet + 2, (uint16_t)i);
        assert_int_equal(protector_rtp_later(protector, sender_macs(pair.sender), 0, packet, 12,
                                             packet + 12, BODY, out, &length),
                         STATUS_OK);
        sender_commit(pair.sender, &pair.address, NULL, length);
    }
    sender_flush(pair.sender);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t packet[12 + BODY] = {0x80, 96};
        store_be16(packet + 2, (uint16_t)i);
        assert_int_equal(
            protector_rtp(protector, 0, packet, 12, packet + 12, BODY, expected, &length),
            STATUS_OK);
        assert_int_equal(recv(pair.to, got, sizeof got, 0), (ssize_t)length);
        assert_memory_equal(got, expected, length);
    }
    sender_tap(pair.sender, nobody_taps, NULL);
    assert_null(sender_macs(pair.sender));
    protector_free(protector);
    pair_close(&pair);
}

static void test_equal_sizes_share_a_message(void **state)
{
    (void)state;
    struct pair pair;
    struct sender_group group = {0};
    pair_open(&pair);
    for (uint8_t i = 0; i < 5; i++)
        put(&pair, &group, i, 1000);
    assert_int_equal(sender_padding(pair.sender, &group, 1000), 0);
    assert_int_equal(sender_padding(pair.sender, &group, 997), 3);
    assert_int_equal(sender_padding(pair.sender, &group, 900), 0);
    assert_int_equal(sender_padding(pair.sender, &group, 1001), 0);
    put(&pair, &group, 5, 300); /* a smaller one ends it */
    assert_int_equal(sender_padding(pair.sender, &group, 299), 0);
    put(&pair, &group, 6, 300);
    put(&pair, &group, 7, 1200);
    assert_int_equal(sender_waiting(pair.sender), 8);
    sender_flush(pair.sender);
    assert_int_equal(sender_waiting(pair.sender), 0);
    for (uint8_t i = 0; i < 5; i++)
        expect(&pair, i, 1000);
    expect(&pair, 5, 300);
    expect(&pair, 6, 300);
    expect(&pair, 7, 1200);
    const struct sender_counts *counts = sender_counts(pair.sender);
    assert_int_equal(counts->packets, 8);
    assert_int_equal(counts->bytes, 5 * 1000 + 300 + 300 + 1200);
    assert_int_equal(counts->segmented, 6);
    assert_int_equal(counts->calls, 1);
    assert_int_equal(counts->dropped, 0);
    pair_close(&pair);
}

static void test_a_full_batch_leaves_by_itself(void **state)
{
    (void)state;
    struct pair pair;
    struct sender_group group = {0};
    pair_open(&pair);
    for (size_t i = 0; i < SENDER_PACKETS_MAX + 1; i++)
        put(&pair, &group, (uint8_t)i, 100);
    assert_int_equal(sender_waiting(pair.sender), 1);
    sender_flush(pair.sender);
    for (size_t i = 0; i < SENDER_PACKETS_MAX + 1; i++)
        expect(&pair, (uint8_t)i, 100);
    /* No message of more segments than the kernel takes. */
    assert_int_equal(sender_counts(pair.sender)->dropped, 0);
    pair_close(&pair);
}

static void test_what_cannot_leave_is_counted(void **state)
{
    (void)state;
    struct pair pair;
    static const uint8_t long_one[SENDER_PACKET_BYTES + 1];
    pair_open(&pair);
    sender_copy(pair.sender, &pair.address, long_one, sizeof long_one);
    assert_int_equal(sender_counts(pair.sender)->dropped, 1);
    /* An IPv6 address by an IPv4 socket; the others of the batch leave all the same. */
    const struct ice_address six = {.ip = {0x20, 0x01, 0x0d, 0xb8}, .port = 9};
    sender_copy(pair.sender, &six, long_one, 10);
    put(&pair, NULL, 3, 50);
    sender_flush(pair.sender);
    expect(&pair, 3, 50);
    assert_int_equal(sender_counts(pair.sender)->dropped, 2);
    assert_int_equal(sender_counts(pair.sender)->packets, 1);
    pair_close(&pair);
}

static void test_without_gso_nothing_is_lost(void **state)
{
    (void)state;
    struct pair pair;
    struct sender_group group = {0};
    const int on = 1;
    pair_open(&pair);
    /* The kernel refuses segments (EIO) on a socket that sends no checksums. */
    assert_int_equal(setsockopt(pair.from, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
    for (int round = 0; round < 2; round++) {
        for (uint8_t i = 0; i < 4; i++)
            put(&pair, &group, i, 500);
        sender_flush(pair.sender);
        for (uint8_t i = 0; i < 4; i++)
            expect(&pair, i, 500);
    }
    assert_int_equal(sender_counts(pair.sender)->packets, 8);
    assert_int_equal(sender_counts(pair.sender)->segmented, 0);
    assert_int_equal(sender_counts(pair.sender)->dropped, 0);
    pair_close(&pair);
}

static void loopback_mtu(int mtu)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    request.ifr_mtu = mtu;
    assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
    close(fd);
}

/* In a network of its own, whose only path takes 1,000 bytes. */
static void narrow_path(void)
{
    struct pair pair;
    struct sender_group group = {0};
    /* Who may needs no users of its own for it; in a chroot nobody gets any. */
    if (unshare(CLONE_NEWNET) != 0)
        assert_int_equal(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
    loopback_mtu(1000);
    pair_open(&pair);
    put(&pair, NULL, 1, 1200);
    for (uint8_t i = 2; i < 5; i++)
        put(&pair, &group, i, 1200);
    put(&pair, NULL, 5, 900);
    sender_flush(pair.sender);
    for (uint8_t i = 1; i < 5; i++)
        expect(&pair, i, 1200);
    expect(&pair, 5, 900);
    /* It is this path's: others still get segments. */
    group = (struct sender_group){0};
    for (uint8_t i = 0; i < 3; i++)
        put(&pair, &group, i, 400);
    sender_flush(pair.sender);
    for (uint8_t i = 0; i < 3; i++)
        expect(&pair, i, 400);
    assert_int_equal(sender_counts(pair.sender)->segmented, 3);
    assert_int_equal(sender_counts(pair.sender)->packets, 8);
    assert_int_equal(sender_counts(pair.sender)->dropped, 0);
    pair_close(&pair);
}

static void test_a_narrow_path_gets_fragments(void **state)
{
    (void)state;
    pid_t child = fork(); /* only it leaves the network of the others */
    assert_true(child >= 0);
    if (child == 0) {
        narrow_path();
        _exit(0);
    }
    int code = -1;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_sizes_share_a_message),
        cmocka_unit_test(test_tags_come_with_the_flush),
        cmocka_unit_test(test_a_full_batch_leaves_by_itself),
        cmocka_unit_test(test_what_cannot_leave_is_counted),
        cmocka_unit_test(test_without_gso_nothing_is_lost),
        cmocka_unit_test(test_a_narrow_path_gets_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
