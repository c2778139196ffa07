/*
 * tests/fuzz/fuzz_stun.c - a datagram into the look for its ufrag and into an agent.
 *
 * First byte: bit 0: what follows is attributes only, which get a header before and a
 * right MESSAGE-INTEGRITY and FINGERPRINT behind, so that the fuzzer passes the HMAC;
 * bit 1: the FINGERPRINT is left out; bit 2: IPv6; bit 3: a restart is pending. Each
 * input meets the same agent twice, 20 s apart.
 */
#include "core/clock.h"
#include "media/ice/ice.h"
#include "tests/support/stun_client.h"

#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTES_MAX = STUN_CLIENT_MAX - 64 };

static const struct media_ice credentials = {.local_ufrag = "evtj",
                                             .local_pwd = "VOkJxbRl1RmTxUk/WvJxBt"};
static const struct media_ice renewed = {.local_ufrag = "next",
                                         .local_pwd = "VOkJxbRl1RmTxUk/WvJxBt"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void sign(struct stun_text *text, const uint8_t *attributes, size_t length, bool bare)
{
    static const uint8_t transaction[12] = "fuzzfuzzfuzz";
    stun_text_begin(text, transaction);
    if (length > ATTRIBUTES_MAX)
        length = ATTRIBUTES_MAX;
    length &= ~(size_t)3;
    if (length > 0)
        memcpy(text->bytes + text->length, attributes, length);
    text->length += length;
    stun_text_integrity(text, credentials.local_pwd);
    if (!bare)
        stun_text_fingerprint(text);
}

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void give(struct ice_agent *agent, const uint8_t *bytes, size_t length,
                 const struct ice_path *path, uint64_t now_ns)
{
    uint8_t reply[ICE_REPLY_MAX];
    struct ice_outcome outcome = {0};
    if (ice_agent_receive(agent, bytes, length, path, now_ns, reply, &outcome) != STATUS_OK) {
        check(!outcome.passed && outcome.reply_length == 0);
        return;
    }
    check(outcome.reply_length <= ICE_REPLY_MAX);
    check(!outcome.passed || outcome.reply_length > 0);
    check(!outcome.passed || ice_agent_path_open(agent, path, now_ns));
    check(!outcome.moved || outcome.passed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length == 0)
        return 0;
    uint8_t mode = data[0];
    struct stun_text text;
    const uint8_t *bytes = data + 1;
    length--;
    if (mode & 1) {
        sign(&text, bytes, length, mode & 2);
        bytes = text.bytes;
        length = text.length;
    }
    const char *ufrag = NULL;
    size_t ufrag_length = 0;
    if (ice_peek_ufrag(bytes, length, &ufrag, &ufrag_length) == STATUS_OK)
        check(ufrag_length > 0 && ufrag_length <= MEDIA_UFRAG_MAX &&
              (const uint8_t *)ufrag + ufrag_length < bytes + length);
    (void)ice_kind_of(bytes, length);

    struct ice_agent *agent = NULL;
    struct ice_path path = {.address = {.ip = {[10] = 0xff, 0xff, 192, 0, 2, 1}, .port = 5}};
    if (mode & 4)
        path.address.ip[0] = 0x20;
    check(ice_agent_new(&credentials, &agent) == STATUS_OK);
    if (mode & 8)
        check(ice_agent_restart(agent, &renewed) == STATUS_OK);
    give(agent, bytes, length, &path, 0);
    path.address.port = 6;
    give(agent, bytes, length, &path, UINT64_C(20000) * CLOCK_NS_PER_MS);
    ice_agent_tick(agent, UINT64_C(60000) * CLOCK_NS_PER_MS);
    ice_agent_free(agent);
    return 0;
}
