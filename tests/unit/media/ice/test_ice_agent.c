/*
 * The ICE-lite agent: published STUN messages, what it answers to right and wrong
 * checks, and where it lets media go over time.
 */
#include "core/bytes.h"
#include "core/clock.h"
#include "media/ice/ice.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/stun_client.h"
#include "tests/support/vector.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char rfc_file[] = "rfc5769/stun.txt";
static const char rfc_password[] = "VOkJxbRl1RmTxUk/WvJxBt";

static const char user[] = "evtj:h6vY";
static const char pwd[] = "VOkJxbRl1RmTxUk/WvJxBt";
static const struct media_ice credentials = {.local_ufrag = "evtj",
                                             .local_pwd = "VOkJxbRl1RmTxUk/WvJxBt"};
static const struct media_ice renewed = {.local_ufrag = "next",
                                         .local_pwd = "anotherPasswordOf22Chr"};

/* What one datagram did. */
struct result {
    enum status status;
    struct ice_outcome outcome;
    uint8_t reply[ICE_REPLY_MAX];
};

static struct ice_path path_of(const char *address, uint16_t port, uint32_t stream)
{
    struct ice_path path = {.stream = stream};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool v6 = strchr(address, ':') != NULL;
    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, address,
                               v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr),
                     1);
    struct sockaddr_storage storage = {0};
    memcpy(&storage, v6 ? (void *)&in6 : (void *)&in, v6 ? sizeof in6 : sizeof in);
    assert_int_equal(ice_address_from((struct sockaddr *)&storage, &path.address), STATUS_OK);
    return path;
}

static struct ice_agent *agent_new(void)
{
    struct ice_agent *agent = NULL;
    assert_int_equal(ice_agent_new(&credentials, &agent), STATUS_OK);
    return agent;
}

static struct result give(struct ice_agent *agent, const struct stun_text *text,
                          const struct ice_path *path, uint64_t now_ms)
{
    struct result result;
    memset(&result, 0, sizeof result);
    result.status = ice_agent_receive(agent, text->bytes, text->length, path,
                                      now_ms * CLOCK_NS_PER_MS, result.reply, &result.outcome);
    return result;
}

static struct result check_from(struct ice_agent *agent, const struct ice_path *path, bool nominate,
                                uint64_t now_ms)
{
    struct stun_text text;
    stun_text_check(&text, user, pwd, nominate);
    return give(agent, &text, path, now_ms);
}

static bool selected_is(const struct ice_agent *agent, const struct ice_path *path, uint64_t now_ms)
{
    const struct ice_path *selected = ice_agent_selected(agent, now_ms * CLOCK_NS_PER_MS);
    return path == NULL ? selected == NULL : selected != NULL && ice_path_equal(selected, path);
}

/* ---- published messages ---- */

static void test_rfc5769_request(void **state)
{
    (void)state;
    struct stun_text text;
    const char *ufrag = NULL;
    size_t length = 0;
    text.length = vector_load(rfc_file, "request", text.bytes, sizeof text.bytes);
    assert_int_equal(ice_peek_ufrag(text.bytes, text.length, &ufrag, &length), STATUS_OK);
    assert_int_equal(length, 4);
    assert_memory_equal(ufrag, "evtj", 4);
    /* It is the check of a controlled agent: a lite one must refuse the role. */
    struct ice_agent *agent = agent_new();
    struct ice_path path = path_of("192.0.2.1", 32853, 0);
    struct result result = give(agent, &text, &path, 0);
    assert_int_equal(result.status, STATUS_OK);
    assert_int_equal(stun_reply_error(result.reply, result.outcome.reply_length), 487);
    assert_true(stun_reply_signed(result.reply, result.outcome.reply_length, rfc_password));
    assert_true(stun_reply_fingerprinted(result.reply, result.outcome.reply_length));
    assert_false(result.outcome.passed);
    assert_true(selected_is(agent, NULL, 0));
    ice_agent_free(agent);
}

static void test_rfc5769_mapped_address(void **state)
{
    (void)state;
    static const struct {
        const char *entry, *address;
    } cases[] = {
        {"response_v4", "192.0.2.1"},
        {"response_v4", "::ffff:192.0.2.1"}, /* the dual-stack socket's form */
        {"response_v6", "2001:db8:1234:5678:11:2233:4455:6677"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t published[256];
        size_t published_length =
            vector_load(rfc_file, cases[i].entry, published, sizeof published);
        struct stun_text text;
        stun_text_begin(&text, published + 8);
        stun_text_add(&text, 0x0006, user, strlen(user));
        stun_text_integrity(&text, pwd);
        stun_text_fingerprint(&text);
        struct ice_agent *agent = agent_new();
        struct ice_path path = path_of(cases[i].address, 32853, 0);
        struct result result = give(agent, &text, &path, 0);
        size_t expected_size = 0, size = 0, length = result.outcome.reply_length;
        const uint8_t *expected =
            stun_reply_find(published, published_length, 0x0020, &expected_size);
        const uint8_t *mapped = stun_reply_find(result.reply, length, 0x0020, &size);
        assert_true(result.outcome.passed);
        assert_non_null(mapped);
        assert_int_equal(size, expected_size);
        assert_memory_equal(mapped, expected, size);
        assert_memory_equal(result.reply + 4, published + 4, 16); /* cookie and transaction */
        assert_int_equal(load_be16(result.reply), 0x0101);
        assert_true(stun_reply_signed(result.reply, length, pwd));
        assert_true(stun_reply_fingerprinted(result.reply, length));
        ice_agent_free(agent);
    }
}

/* ---- answers ---- */

static void test_browser_attributes_are_tolerated(void **state)
{
    (void)state;
    static const uint8_t four[4] = {0, 1, 0, 10}, tie[8] = "tiebreak";
    static const uint16_t optional[] = {0xc057, 0xc05b, 0xc060, 0xc070, 0x8022, 0xc001, 0xffff};
    struct stun_text text;
    static const uint8_t transaction[12] = "browsercheck";
    stun_text_begin(&text, transaction);
    stun_text_add(&text, 0x0006, user, strlen(user));
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++)
        stun_text_add(&text, optional[i], four, sizeof four);
    stun_text_add(&text, 0x802a, tie, sizeof tie);
    stun_text_add(&text, 0x0025, NULL, 0);
    stun_text_add(&text, 0x0024, four, sizeof four);
    stun_text_integrity(&text, pwd);
    stun_text_fingerprint(&text);
    struct ice_agent *agent = agent_new();
    struct ice_path path = path_of("192.0.2.1", 1000, 0);
    struct result result = give(agent, &text, &path, 0);
    assert_true(result.outcome.passed);
    assert_true(result.outcome.moved);
    assert_int_equal(load_be16(result.reply), 0x0101);
    assert_true(result.outcome.reply_length <= text.length);
    ice_agent_free(agent);
}

static void test_unknown_attributes_are_named(void **state)
{
    (void)state;
    struct stun_text text;
    static const uint8_t transaction[12] = "unknownattrs", value[4] = {0};
    /* Many of them: the reply must hold all and stay inside its buffer. */
    for (size_t count = 1; count <= 200; count += 199) {
        stun_text_begin(&text, transaction);
        stun_text_add(&text, 0x0006, user, strlen(user));
        for (size_t i = 0; i < count; i++)
            stun_text_add(&text, (uint16_t)(0x7000 + i), value, sizeof value);
        stun_text_integrity(&text, pwd);
        stun_text_fingerprint(&text);
        struct ice_agent *agent = agent_new();
        struct ice_path path = path_of("192.0.2.1", 1000, 0);
        struct result result = give(agent, &text, &path, 0);
        size_t size = 0, length = result.outcome.reply_length;
        assert_int_equal(result.status, STATUS_OK);
        assert_int_equal(stun_reply_error(result.reply, length), 420);
        const uint8_t *list = stun_reply_find(result.reply, length, 0x000a, &size);
        assert_non_null(list);
        assert_int_equal(size, 2 * count);
        assert_int_equal(load_be16(list), 0x7000);
        assert_true(stun_reply_signed(result.reply, length, pwd));
        assert_false(result.outcome.passed);
        ice_agent_free(agent);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const uint8_t transaction[12] = "refusedcheck", filler[64] = {0};
    struct ice_agent *agent = agent_new();
    struct ice_path path = path_of("192.0.2.1", 1000, 0);
    struct stun_text text;

    stun_text_check(&text, user, "wrongPasswordOfTheSame", true);
    struct result result = give(agent, &text, &path, 0);
    assert_int_equal(stun_reply_error(result.reply, result.outcome.reply_length), 401);
    assert_false(stun_reply_signed(result.reply, result.outcome.reply_length, pwd));

    stun_text_check(&text, "evtX:h6vY", pwd, true);
    result = give(agent, &text, &path, 0);
    assert_int_equal(stun_reply_error(result.reply, result.outcome.reply_length), 401);

    stun_text_begin(&text, transaction); /* no MESSAGE-INTEGRITY */
    stun_text_add(&text, 0x0006, user, strlen(user));
    stun_text_add(&text, 0x8022, filler, sizeof filler);
    stun_text_fingerprint(&text);
    result = give(agent, &text, &path, 0);
    assert_int_equal(stun_reply_error(result.reply, result.outcome.reply_length), 400);

    stun_text_begin(&text, transaction); /* no USERNAME */
    stun_text_add(&text, 0x8022, filler, sizeof filler);
    stun_text_integrity(&text, pwd);
    stun_text_fingerprint(&text);
    result = give(agent, &text, &path, 0);
    assert_int_equal(stun_reply_error(result.reply, result.outcome.reply_length), 400);

    stun_text_begin(&text, transaction); /* no FINGERPRINT */
    stun_text_add(&text, 0x0006, user, strlen(user));
    stun_text_integrity(&text, pwd);
    result = give(agent, &text, &path, 0);
    assert_int_equal(stun_reply_error(result.reply, result.outcome.reply_length), 400);

    stun_text_begin(&text,
                    transaction); /* a tiny one: the reply would be longer, so there is none */
    stun_text_fingerprint(&text);
    result = give(agent, &text, &path, 0);
    assert_int_equal(result.status, STATUS_OK);
    assert_int_equal(result.outcome.reply_length, 0);

    assert_true(selected_is(agent, NULL, 0));
    ice_agent_free(agent);
}

static void test_no_stun_no_answer(void **state)
{
    (void)state;
    struct ice_agent *agent = agent_new();
    struct ice_path path = path_of("192.0.2.1", 1000, 0);
    struct stun_text good, text;
    const char *ufrag = NULL;
    size_t ufrag_length = 0;
    stun_text_check(&good, user, pwd, true);

    for (size_t cut = 0; cut < good.length; cut++) {
        text = good;
        text.length = cut;
        assert_int_equal(give(agent, &text, &path, 0).status, STATUS_INVALID);
        assert_int_not_equal(ice_peek_ufrag(text.bytes, cut, &ufrag, &ufrag_length), STATUS_OK);
    }
    text = good;
    text.bytes[good.length - 1] ^= 1; /* fingerprint */
    assert_int_equal(give(agent, &text, &path, 0).status, STATUS_INVALID);
    text = good;
    text.bytes[4] ^= 1; /* cookie */
    assert_int_equal(give(agent, &text, &path, 0).status, STATUS_INVALID);
    static const uint16_t types[] = {0x0011, 0x0101, 0x0111, 0x0003};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        text = good;
        store_be16(text.bytes, types[i]); /* indication, response, error, another method */
        assert_int_equal(give(agent, &text, &path, 0).status, STATUS_INVALID);
    }
    /* MESSAGE-INTEGRITY that says it is empty, as the last attribute. */
    static const uint8_t transaction[12] = "shortintegri";
    stun_text_begin(&text, transaction);
    stun_text_add(&text, 0x0006, user, strlen(user));
    stun_text_add(&text, 0x0008, NULL, 0);
    stun_text_fingerprint(&text);
    assert_int_equal(give(agent, &text, &path, 0).status, STATUS_INVALID);
    assert_true(give(agent, &good, &path, 0).outcome.passed);
    ice_agent_free(agent);
}

/* USE-CANDIDATE behind MESSAGE-INTEGRITY is anybody's. */
static void test_what_follows_integrity_is_ignored(void **state)
{
    (void)state;
    static const uint8_t transaction[12] = "behindintegr", sha256[32] = {0}, tie[8] = {0};
    struct ice_agent *agent = agent_new();
    struct ice_path first = path_of("192.0.2.1", 1000, 0), second = path_of("192.0.2.2", 1000, 0);
    assert_true(check_from(agent, &first, true, 0).outcome.passed);
    struct stun_text text;
    stun_text_begin(&text, transaction);
    stun_text_add(&text, 0x0006, user, strlen(user));
    stun_text_integrity(&text, pwd);
    stun_text_add(&text, 0x001c, sha256, sizeof sha256); /* MESSAGE-INTEGRITY-SHA256 may be there */
    stun_text_add(&text, 0x0025, NULL, 0);
    stun_text_add(&text, 0x8029, tie, sizeof tie);
    stun_text_add(&text, 0x0006, "x", 1);
    stun_text_fingerprint(&text);
    struct result result = give(agent, &text, &second, 100);
    assert_true(result.outcome.passed);
    assert_false(result.outcome.moved);
    assert_true(selected_is(agent, &first, 100));
    ice_agent_free(agent);
}

/* ---- where media goes ---- */

static void test_nomination_decides(void **state)
{
    (void)state;
    struct ice_agent *agent = agent_new();
    struct ice_path a = path_of("192.0.2.1", 1, 0), b = path_of("192.0.2.2", 2, 0);
    struct ice_path tcp = path_of("192.0.2.1", 1, 7);
    struct result result = check_from(agent, &a, false, 0);
    assert_true(result.outcome.moved);
    assert_true(
        check_from(agent, &b, false, 10).outcome.moved); /* nobody nominated yet: the last */
    assert_true(check_from(agent, &a, true, 20).outcome.moved);
    assert_false(check_from(agent, &b, false, 30).outcome.moved);
    assert_false(check_from(agent, &a, false, 40).outcome.moved);
    assert_false(check_from(agent, &b, false, 50).outcome.moved); /* a stays nominated */
    assert_true(check_from(agent, &tcp, true, 60).outcome.moved);
    assert_true(selected_is(agent, &tcp, 60));
    /* The nominated path falls silent: the first other check takes over. */
    assert_false(check_from(agent, &b, false, 60 + ICE_SILENT_MS - 1).outcome.moved);
    assert_true(check_from(agent, &b, false, 60 + ICE_SILENT_MS).outcome.moved);
    assert_true(selected_is(agent, &b, 60 + ICE_SILENT_MS));
    ice_agent_free(agent);
}

static void test_consent_ends_and_returns(void **state)
{
    (void)state;
    struct ice_agent *agent = agent_new();
    struct ice_path path = path_of("2001:db8::1", 1, 0);
    uint64_t ms = CLOCK_NS_PER_MS;
    assert_false(ice_agent_tick(agent, 100000 * ms)); /* never connected is not lost */
    assert_true(check_from(agent, &path, true, 100000).outcome.passed);
    assert_false(ice_agent_tick(agent, 129999 * ms));
    assert_true(selected_is(agent, &path, 129999));
    assert_true(ice_agent_path_open(agent, &path, 129999 * ms));
    assert_true(selected_is(agent, NULL, 130000));
    assert_false(ice_agent_path_open(agent, &path, 130000 * ms));
    assert_true(ice_agent_tick(agent, 130000 * ms));
    assert_false(ice_agent_tick(agent, 131000 * ms)); /* said once */
    struct result result = check_from(agent, &path, false, 140000);
    assert_true(result.outcome.restored);
    assert_true(selected_is(agent, &path, 140000));
    result = check_from(agent, &path, false, 141000);
    assert_false(result.outcome.restored);
    ice_agent_heard(agent, &path, 165000 * ms); /* goes on */
    assert_true(selected_is(agent, &path, 190000));
    ice_agent_heard(agent, &path, 200000 * ms); /* too late: only a check brings it back */
    assert_true(selected_is(agent, NULL, 200000));
    ice_agent_free(agent);
}

static void test_paths_are_bounded(void **state)
{
    (void)state;
    struct ice_agent *agent = agent_new();
    struct ice_path chosen = path_of("192.0.2.1", 1, 0);
    assert_true(check_from(agent, &chosen, true, 0).outcome.passed);
    for (uint16_t port = 10; port < 100; port++) {
        struct ice_path path = path_of("192.0.2.1", port, 0);
        assert_true(check_from(agent, &path, false, port).outcome.passed);
        assert_true(ice_agent_path_open(agent, &path, port * (uint64_t)CLOCK_NS_PER_MS));
    }
    assert_true(selected_is(agent, &chosen, 100));
    size_t open = 0;
    for (uint16_t port = 10; port < 100; port++) {
        struct ice_path path = path_of("192.0.2.1", port, 0);
        open += ice_agent_path_open(agent, &path, 100 * (uint64_t)CLOCK_NS_PER_MS);
    }
    assert_int_equal(open, ICE_PATHS_MAX - 1); /* the newest, and the chosen one */
    ice_agent_free(agent);
}

static void test_closed_stream_is_left(void **state)
{
    (void)state;
    struct ice_agent *agent = agent_new();
    struct ice_path udp = path_of("192.0.2.1", 1, 0), tcp = path_of("192.0.2.1", 2, 5);
    assert_true(check_from(agent, &udp, false, 0).outcome.passed);
    assert_true(check_from(agent, &tcp, true, 10).outcome.moved);
    assert_false(ice_agent_stream_closed(agent, 6, 20 * CLOCK_NS_PER_MS));
    assert_false(ice_agent_stream_closed(agent, 0, 20 * CLOCK_NS_PER_MS));
    assert_true(ice_agent_stream_closed(agent, 5, 20 * CLOCK_NS_PER_MS));
    assert_true(selected_is(agent, &udp, 20));
    assert_true(check_from(agent, &tcp, true, 30).outcome.moved);
    assert_true(ice_agent_stream_closed(agent, 5, 40000 * (uint64_t)CLOCK_NS_PER_MS));
    assert_true(selected_is(agent, NULL, 40000)); /* the other one's consent is over */
    ice_agent_free(agent);
}

static void test_restart(void **state)
{
    (void)state;
    struct ice_agent *agent = agent_new();
    struct ice_path a = path_of("192.0.2.1", 1, 0), b = path_of("192.0.2.2", 2, 0);
    struct stun_text text;
    assert_true(check_from(agent, &a, true, 0).outcome.passed);
    assert_int_equal(ice_agent_restart(agent, &renewed), STATUS_OK);
    assert_true(check_from(agent, &a, true, 1000).outcome.passed); /* the old still holds */
    stun_text_check(&text, "next:h6vY", pwd, true);                /* new name, old password */
    assert_false(give(agent, &text, &b, 1500).outcome.passed);
    stun_text_check(&text, "next:zzzz", renewed.local_pwd, false);
    struct result result = give(agent, &text, &b, 2000);
    assert_true(result.outcome.passed);
    assert_true(result.outcome.restarted);
    assert_true(result.outcome.moved);
    assert_true(stun_reply_signed(result.reply, result.outcome.reply_length, renewed.local_pwd));
    assert_true(selected_is(agent, &b, 2000));
    assert_false(check_from(agent, &a, true, 3000).outcome.passed); /* the old is over */
    result = give(agent, &text, &b, 4000);
    assert_false(result.outcome.restarted);
    ice_agent_free(agent);
}

static void test_bad_credentials(void **state)
{
    (void)state;
    struct ice_agent *agent = NULL;
    struct media_ice bad = {.local_ufrag = "", .local_pwd = "x"};
    assert_int_equal(ice_agent_new(&bad, &agent), STATUS_INVALID);
    memset(bad.local_ufrag, 'a', sizeof bad.local_ufrag); /* no NUL */
    assert_int_equal(ice_agent_new(&bad, &agent), STATUS_INVALID);
    assert_null(ice_agent_free(NULL));
    alloc_fail_at(1);
    assert_int_equal(ice_agent_new(&credentials, &agent), STATUS_NO_MEMORY);
    assert_null(agent);
}

/* ---- the small looks ---- */

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[2];
        enum ice_kind kind;
    } cases[] = {
        {{0, 1}, ICE_KIND_STUN},     {{3, 0}, ICE_KIND_STUN},      {{4, 0}, ICE_KIND_OTHER},
        {{19, 0}, ICE_KIND_OTHER},   {{20, 0}, ICE_KIND_DTLS},     {{63, 0}, ICE_KIND_DTLS},
        {{64, 0}, ICE_KIND_OTHER},   {{127, 200}, ICE_KIND_OTHER}, {{128, 96}, ICE_KIND_RTP},
        {{128, 200}, ICE_KIND_RTCP}, {{191, 192}, ICE_KIND_RTCP},  {{128, 223}, ICE_KIND_RTCP},
        {{128, 224}, ICE_KIND_RTP},  {{192, 200}, ICE_KIND_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ice_kind_of(cases[i].bytes, 2), cases[i].kind);
    assert_int_equal(ice_kind_of(NULL, 0), ICE_KIND_OTHER);
    assert_int_equal(ice_kind_of((const uint8_t[]){0x80}, 1), ICE_KIND_OTHER);
}

static void test_addresses(void **state)
{
    (void)state;
    struct ice_path v4 = path_of("192.0.2.1", 5, 0), mapped = path_of("::ffff:192.0.2.1", 5, 0);
    struct ice_path v6 = path_of("2001:db8::1", 5, 0), other = path_of("192.0.2.1", 6, 0);
    assert_true(ice_address_equal(&v4.address, &mapped.address));
    assert_true(ice_address_hash(&v4.address) == ice_address_hash(&mapped.address));
    assert_false(ice_address_equal(&v4.address, &other.address));
    assert_false(ice_address_equal(&v4.address, &v6.address));
    assert_true(ice_address_is_v4(&mapped.address));
    assert_false(ice_address_is_v4(&v6.address));
    struct sockaddr_storage storage;
    socklen_t length = 0;
    assert_int_equal(ice_address_to(&v6.address, AF_INET, &storage, &length), STATUS_UNSUPPORTED);
    assert_int_equal(ice_address_to(&v4.address, AF_INET, &storage, &length), STATUS_OK);
    assert_int_equal(length, sizeof(struct sockaddr_in));
    assert_int_equal(ice_address_to(&v4.address, AF_INET6, &storage, &length), STATUS_OK);
    assert_int_equal(length, sizeof(struct sockaddr_in6));
    struct ice_address back;
    assert_int_equal(ice_address_from((struct sockaddr *)&storage, &back), STATUS_OK);
    assert_true(ice_address_equal(&back, &v4.address));
    storage.ss_family = AF_UNIX;
    assert_int_equal(ice_address_from((struct sockaddr *)&storage, &back), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc5769_request),
        cmocka_unit_test(test_rfc5769_mapped_address),
        cmocka_unit_test(test_browser_attributes_are_tolerated),
        cmocka_unit_test(test_unknown_attributes_are_named),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_stun_no_answer),
        cmocka_unit_test(test_what_follows_integrity_is_ignored),
        cmocka_unit_test(test_nomination_decides),
        cmocka_unit_test(test_consent_ends_and_returns),
        cmocka_unit_test(test_paths_are_bounded),
        cmocka_unit_test(test_closed_stream_is_left),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_bad_credentials),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
