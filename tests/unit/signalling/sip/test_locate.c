/* Where a trunk is, from a name server's records that a table gives (RFC 3263). */
#include "signalling/sip/locate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct zone {
    struct {
        const char *name;
        struct dns_record record;
    } records[8];
    bool silent; /* the server does not answer */
    unsigned questions;
};

static enum status ask(void *context, const char *name, enum dns_kind kind,
                       struct dns_answer *ret_answer)
{
    struct zone *zone = context;
    zone->questions++;
    if (zone->silent)
        return STATUS_IO;
    ret_answer->count = 0;
    for (size_t i = 0; i < 8 && zone->records[i].name != NULL; i++) {
        if (strcmp(zone->records[i].name, name) == 0 && zone->records[i].record.kind == kind)
            ret_answer->records[ret_answer->count++] = zone->records[i].record;
    }
    return ret_answer->count > 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

static struct locate_wish wish_of(const char *host, enum trunk_transport transport)
{
    return (struct locate_wish){.host = host, .transport = transport, .can = {true, true, true}};
}

static void numbers_and_ports_ask_nobody_or_addresses_only(void **state)
{
    (void)state;
    struct zone zone = {
        .records = {{"a.test", {.kind = DNS_A, .ttl_s = 60, .address = "192.0.2.1"}}}};
    struct location found;
    struct locate_wish wish = wish_of("192.0.2.9", TRUNK_TLS);
    assert_int_equal(locate(&wish, ask, &zone, &found), STATUS_OK);
    assert_int_equal(zone.questions, 0);
    assert_string_equal(found.targets[0].address, "192.0.2.9");
    assert_int_equal(found.targets[0].port, 5061);
    assert_int_equal(found.targets[0].transport, WIRE_TLS);
    wish = wish_of("a.test:5070", TRUNK_AUTO);
    assert_int_equal(locate(&wish, ask, &zone, &found), STATUS_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.targets[0].port, 5070);
    assert_int_equal(found.ttl_s, 60);
    wish = wish_of("[2001:db8::1]:5080", TRUNK_TCP);
    assert_int_equal(locate(&wish, ask, &zone, &found), STATUS_OK);
    assert_string_equal(found.targets[0].address, "2001:db8::1");
    static const char *const bad[] = {"", "a:b", "a:0", "a:70000", "a b", "[::1", "a/b", ":5060"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wish = wish_of(bad[i], TRUNK_AUTO);
        assert_int_equal(locate(&wish, ask, &zone, &found), STATUS_INVALID);
    }
}

static void naptr_chooses_the_transport_and_srv_the_order(void **state)
{
    (void)state;
    struct zone zone = {
        .records = {
            {"p.test",
             {.kind = DNS_NAPTR,
              .ttl_s = 900,
              .priority = 20,
              .flags = "s",
              .service = "SIP+D2U",
              .name = "_sip._udp.p.test"}},
            {"p.test",
             {.kind = DNS_NAPTR,
              .ttl_s = 900,
              .priority = 10,
              .flags = "s",
              .service = "SIPS+D2T",
              .name = "_sips._tcp.p.test"}},
            {"_sips._tcp.p.test",
             {.kind = DNS_SRV, .ttl_s = 300, .priority = 2, .port = 5062, .name = "b.test"}},
            {"_sips._tcp.p.test",
             {.kind = DNS_SRV, .ttl_s = 300, .priority = 1, .port = 5063, .name = "a.test"}},
            {"_sip._udp.p.test",
             {.kind = DNS_SRV, .ttl_s = 300, .priority = 1, .port = 5064, .name = "a.test"}},
            {"a.test", {.kind = DNS_A, .ttl_s = 1, .address = "192.0.2.1"}},
            {"b.test", {.kind = DNS_AAAA, .ttl_s = 70, .address = "2001:db8::2"}},
        }};
    struct location found;
    struct locate_wish wish = wish_of("p.test", TRUNK_AUTO);
    assert_int_equal(locate(&wish, ask, &zone, &found), STATUS_OK);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.targets[0].transport, WIRE_TLS);
    assert_int_equal(found.targets[0].port, 5063);
    assert_string_equal(found.targets[1].address, "2001:db8::2");
    assert_int_equal(found.targets[2].transport, WIRE_UDP);
    assert_int_equal(found.ttl_s, LOCATE_TTL_MIN_S);
    wish.can[WIRE_TLS] = false; /* what we cannot speak is passed over */
    assert_int_equal(locate(&wish, ask, &zone, &found), STATUS_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.targets[0].port, 5064);
}

static void weights_share_the_first_place(void **state)
{
    (void)state;
    struct zone zone = {
        .records = {
            {"_sip._udp.p.test",
             {.kind = DNS_SRV, .ttl_s = 300, .weight = 90, .port = 5060, .name = "a.test"}},
            {"_sip._udp.p.test",
             {.kind = DNS_SRV, .ttl_s = 300, .weight = 10, .port = 5060, .name = "b.test"}},
            {"a.test", {.kind = DNS_A, .ttl_s = 300, .address = "192.0.2.1"}},
            {"b.test", {.kind = DNS_A, .ttl_s = 300, .address = "192.0.2.2"}},
        }};
    int first = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct location found;
        struct locate_wish wish = wish_of("p.test", TRUNK_UDP);
        wish.seed = seed;
        assert_int_equal(locate(&wish, ask, &zone, &found), STATUS_OK);
        assert_int_equal(found.count, 2);
        first += strcmp(found.targets[0].address, "192.0.2.1") == 0;
    }
    assert_in_range(first, 850, 950);
}

static void not_there_and_not_answered_are_told_apart(void **state)
{
    (void)state;
    struct zone none = {0}, silent = {.silent = true};
    struct location found;
    struct locate_wish wish = wish_of("p.test", TRUNK_AUTO);
    assert_int_equal(locate(&wish, ask, &none, &found), STATUS_NOT_FOUND);
    assert_int_equal(locate(&wish, ask, &silent, &found), STATUS_IO);
    assert_int_equal(silent.questions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_ports_ask_nobody_or_addresses_only),
        cmocka_unit_test(naptr_chooses_the_transport_and_srv_the_order),
        cmocka_unit_test(weights_share_the_first_place),
        cmocka_unit_test(not_there_and_not_answered_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
