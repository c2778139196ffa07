/*
 * Which addresses become candidates, in which order.
 */
#include "media/ice/candidates.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MACHINE_MAX = 40 };

/* An invented machine. */
struct machine {
    struct ifaddrs entries[MACHINE_MAX];
    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } addresses[MACHINE_MAX];
    size_t count;
};

static void machine_add(struct machine *machine, const char *address, unsigned flags)
{
    size_t at = machine->count++;
    struct ifaddrs *entry = &machine->entries[at];
    if (strchr(address, ':') != NULL) {
        machine->addresses[at].v6.sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, address, &machine->addresses[at].v6.sin6_addr), 1);
    } else {
        machine->addresses[at].v4.sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, address, &machine->addresses[at].v4.sin_addr), 1);
    }
    entry->ifa_addr = (struct sockaddr *)&machine->addresses[at];
    entry->ifa_flags = flags;
    if (at > 0)
        machine->entries[at - 1].ifa_next = entry;
}

static void check(const struct media_local *local, size_t at, const char *address, bool tcp,
                  uint16_t port)
{
    assert_true(at < local->candidate_count);
    assert_string_equal(local->candidates[at].address, address);
    assert_int_equal(local->candidates[at].tcp, tcp);
    assert_int_equal(local->candidates[at].port, port);
}

static void check_order(const struct media_local *local)
{
    for (size_t i = 0; i < local->candidate_count; i++) {
        assert_int_equal(local->candidates[i].priority >> 24, 126);
        assert_int_equal(local->candidates[i].priority & 0xff, 255);
        for (size_t j = i + 1; j < local->candidate_count; j++) {
            assert_true(local->candidates[i].priority > local->candidates[j].priority);
            assert_string_not_equal(local->candidates[i].foundation,
                                    local->candidates[j].foundation);
        }
    }
}

static void test_own_addresses(void **state)
{
    (void)state;
    struct machine machine = {0};
    machine_add(&machine, "127.0.0.1", IFF_UP | IFF_LOOPBACK);
    machine.entries[0].ifa_addr = NULL; /* a packet interface has none */
    machine_add(&machine, "127.0.0.1", IFF_UP | IFF_LOOPBACK);
    machine_add(&machine, "192.0.2.1", IFF_UP);
    machine_add(&machine, "192.0.2.1", IFF_UP); /* twice */
    machine_add(&machine, "198.51.100.1", 0);   /* down */
    machine_add(&machine, "fe80::1", IFF_UP);
    machine_add(&machine, "2001:db8::1", IFF_UP);
    machine_add(&machine, "::1", IFF_UP | IFF_LOOPBACK);
    struct media_config config = {.tcp_port = 8443};
    struct media_local local = {.fingerprint = "kept"};
    assert_int_equal(candidates_from(&config, 10000, machine.entries, &local), STATUS_OK);
    assert_int_equal(local.candidate_count, 4);
    check(&local, 0, "2001:db8::1", false, 10000);
    check(&local, 1, "192.0.2.1", false, 10000);
    check(&local, 2, "2001:db8::1", true, 8443);
    check(&local, 3, "192.0.2.1", true, 8443);
    check_order(&local);
    assert_string_equal(local.fingerprint, "kept");

    config = (struct media_config){.loopback = true};
    assert_int_equal(candidates_from(&config, 10000, machine.entries, &local), STATUS_OK);
    assert_int_equal(local.candidate_count, 4);
    check(&local, 0, "2001:db8::1", false, 10000);
    check(&local, 1, "::1", false, 10000);
    check(&local, 2, "192.0.2.1", false, 10000);
    check(&local, 3, "127.0.0.1", false, 10000);
    check_order(&local);
}

static void test_only_loopback(void **state)
{
    (void)state;
    struct machine machine = {0};
    machine_add(&machine, "127.0.0.1", IFF_UP | IFF_LOOPBACK);
    machine_add(&machine, "fe80::1", IFF_UP);
    struct media_config config = {0};
    struct media_local local;
    assert_int_equal(candidates_from(&config, 1, machine.entries, &local), STATUS_OK);
    assert_int_equal(local.candidate_count, 1);
    check(&local, 0, "127.0.0.1", false, 1);
    assert_int_equal(candidates_from(&config, 1, NULL, &local), STATUS_NOT_FOUND);
}

static void test_many_addresses_leave_room_for_tcp(void **state)
{
    (void)state;
    struct machine machine = {0};
    for (int i = 1; i <= 30; i++) {
        char address[INET6_ADDRSTRLEN];
        snprintf(address, sizeof address, "192.0.2.%d", i);
        machine_add(&machine, address, IFF_UP);
    }
    struct media_config config = {.tcp_port = 8443};
    struct media_local local;
    assert_int_equal(candidates_from(&config, 1, machine.entries, &local), STATUS_OK);
    assert_int_equal(local.candidate_count, MEDIA_CANDIDATES_MAX);
    check(&local, MEDIA_CANDIDATES_MAX / 2, "192.0.2.1", true, 8443);
    check_order(&local);
}

static void test_advertised(void **state)
{
    (void)state;
    struct machine machine = {0};
    machine_add(&machine, "10.0.0.1", IFF_UP);
    const char *addresses[] = {"203.0.113.7", "203.0.113.8:20000", "2001:db8::7",
                               "[2001:db8::8]:20001", "[2001:db8::9]"};
    struct media_config config = {.addresses = addresses, .address_count = 5};
    struct media_local local;
    assert_int_equal(candidates_from(&config, 10000, machine.entries, &local), STATUS_OK);
    assert_int_equal(local.candidate_count, 5);
    check(&local, 0, "2001:db8::7", false, 10000);
    check(&local, 1, "2001:db8::8", false, 20001);
    check(&local, 2, "2001:db8::9", false, 10000);
    check(&local, 3, "203.0.113.7", false, 10000);
    check(&local, 4, "203.0.113.8", false, 20000);
    check_order(&local);

    static const char *const bad[] = {
        "",
        "example.org",
        "203.0.113",
        "203.0.113.7:",
        "203.0.113.7:0",
        "203.0.113.7:65536",
        "203.0.113.7:1x",
        "[2001:db8::1",
        "[2001:db8::1]x",
        "2001:db8::g",
        "203.0.113.7:-1",
        "[203.0.113.7]:1:2",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        config = (struct media_config){.addresses = &bad[i], .address_count = 1};
        assert_int_equal(candidates_from(&config, 10000, machine.entries, &local), STATUS_INVALID);
    }
}

static void test_this_machine(void **state)
{
    (void)state;
    struct media_config config = {.loopback = true};
    struct media_local local;
    enum status status = candidates_gather(&config, 10000, &local);
    assert_true(status == STATUS_OK || status == STATUS_NOT_FOUND);
    if (status == STATUS_OK)
        check_order(&local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_addresses),
        cmocka_unit_test(test_only_loopback),
        cmocka_unit_test(test_many_addresses_leave_room_for_tcp),
        cmocka_unit_test(test_advertised),
        cmocka_unit_test(test_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
