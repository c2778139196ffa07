#include "core/outbound/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool is_public(const char *text)
{
    uint8_t bytes[16];
    sa_family_t family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(family, text, bytes), 1);
    return reach_is_public(family, bytes);
}

static void all_refused(const char *const *texts)
{
    for (; *texts != NULL; texts++)
        if (is_public(*texts))
            fail_msg("%s is taken for public", *texts);
}

#define REFUSED(name, ...)                                                                         \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        static const char *const texts[] = {__VA_ARGS__, NULL};                                    \
        (void)state;                                                                               \
        all_refused(texts);                                                                        \
    }

REFUSED(unspecified, "0.0.0.0", "0.255.255.255", "::")
REFUSED(private, "10.0.0.1", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1",
        "192.168.255.255")
REFUSED(shared, "100.64.0.0", "100.127.255.255")
REFUSED(loopback, "127.0.0.1", "127.255.255.254", "::1")
REFUSED(link_local, "169.254.0.1", "169.254.169.254", "fe80::1", "febf::1")
REFUSED(unique_local, "fc00::1", "fd00:ec2::254", "fdff:ffff::1")
REFUSED(site_local, "fec0::1")
REFUSED(multicast, "224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1")
REFUSED(broadcast_and_reserved, "255.255.255.255", "240.0.0.1", "254.1.2.3")
REFUSED(mapped, "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:10.0.0.1")
REFUSED(compatible, "::127.0.0.1", "::8.8.8.8")
REFUSED(nat64, "64:ff9b::a00:1", "64:ff9b::808:808", "64:ff9b:1::1")
REFUSED(six_to_four, "2002:7f00:1::", "2002:808:808::1", "192.88.99.1")
REFUSED(teredo, "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1ff::1")
REFUSED(documentation, "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1",
        "3fff:fff::1")
REFUSED(protocols, "192.0.0.170", "192.31.196.1", "192.52.193.1", "192.175.48.1", "198.18.0.1",
        "198.19.255.255", "100::1", "5f00::1", "2620:4f:8000::1", "4000::1")

static void test_public(void **state)
{
    static const char *const texts[] = {
        "1.1.1.1",      "8.8.8.8",    "9.255.255.255",  "11.0.0.0",    "100.63.255.255",
        "100.128.0.0",  "126.1.2.3",  "128.0.0.1",      "169.253.1.1", "169.255.0.0",
        "172.15.1.1",   "172.32.0.0", "192.0.1.1",      "192.167.1.1", "192.169.0.1",
        "198.17.0.1",   "198.20.0.1", "223.255.255.1",  "2001:200::1", "2606:4700:4700::1111",
        "2a00:1450::1", "2003::1",    "2620:4f:8001::1"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!is_public(texts[i]))
            fail_msg("%s is not taken for public", texts[i]);
}

static bool permitted(const struct reach *reach, const char *text, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return reach_permits(reach, (struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return reach_permits(reach, (struct sockaddr *)&in6);
}

static void test_ports(void **state)
{
    struct reach reach = {.port_count = 0};
    (void)state;
    assert_true(permitted(&reach, "8.8.8.8", 80));
    assert_true(permitted(&reach, "2a00::1", 443));
    assert_false(permitted(&reach, "8.8.8.8", 22));
    assert_false(permitted(&reach, "8.8.8.8", 8080));
    reach.ports[reach.port_count++] = 8080;
    assert_true(permitted(&reach, "8.8.8.8", 8080));
    assert_false(permitted(&reach, "8.8.8.8", 80));
}

static void test_allowed(void **state)
{
    struct reach reach = {.allowed_count = 2};
    const struct sockaddr other = {.sa_family = AF_UNIX};
    (void)state;
    assert_int_equal(network_read("10.1.0.0/16", &reach.allowed[0]), STATUS_OK);
    assert_int_equal(network_read("fd00:1::/33", &reach.allowed[1]), STATUS_OK);
    assert_true(permitted(&reach, "10.1.2.3", 80));
    assert_false(permitted(&reach, "10.2.0.1", 80));
    assert_true(permitted(&reach, "fd00:1::7fff:1", 80));
    assert_false(permitted(&reach, "fd00:1:8000::1", 80));
    assert_false(permitted(&reach, "10.1.2.3", 81));
    assert_false(reach_permits(&reach, &other));
}

static void test_networks(void **state)
{
    struct network network;
    (void)state;
    assert_int_equal(network_read("10.0.0.0/33", &network), STATUS_INVALID);
    assert_int_equal(network_read("10.0.0.0/", &network), STATUS_INVALID);
    assert_int_equal(network_read("10.0.0/8", &network), STATUS_INVALID);
    assert_int_equal(network_read("::/129", &network), STATUS_INVALID);
    assert_int_equal(network_read("example.org", &network), STATUS_INVALID);
    assert_int_equal(network_read("::1", &network), STATUS_OK);
    assert_int_equal(network.bits, 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unspecified),
        cmocka_unit_test(test_private),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_link_local),
        cmocka_unit_test(test_unique_local),
        cmocka_unit_test(test_site_local),
        cmocka_unit_test(test_multicast),
        cmocka_unit_test(test_broadcast_and_reserved),
        cmocka_unit_test(test_mapped),
        cmocka_unit_test(test_compatible),
        cmocka_unit_test(test_nat64),
        cmocka_unit_test(test_six_to_four),
        cmocka_unit_test(test_teredo),
        cmocka_unit_test(test_documentation),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
