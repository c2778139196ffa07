#include "media/phone/latch.h"

#include "core/bytes.h"

static bool same_ip(const struct ice_address *left, const struct ice_address *right)
{
    return memcmp(left->ip, right->ip, sizeof left->ip) == 0;
}

void latch_signal(struct latch *latch, const struct ice_address *signalled, bool symmetric)
{
    bool same = ice_address_equal(&latch->signalled, signalled) && latch->symmetric == symmetric;
    if (same && latch->target.port != 0)
        return;
    *latch = (struct latch){.signalled = *signalled, .target = *signalled, .symmetric = symmetric};
}

static void latch_on(struct latch *latch, const struct latch_packet *packet, uint64_t now_ms)
{
    latch->target = packet->from;
    latch->ssrc = packet->ssrc;
    latch->heard_ms = now_ms;
    latch->latched = true;
    latch->run = 0;
}

/* Nobody has been heard yet, and this is not the signalled address. */
static bool candidate_take(struct latch *latch, const struct latch_packet *packet, uint64_t now_ms)
{
    bool same = latch->run > 0 && ice_address_equal(&latch->candidate, &packet->from) &&
                latch->candidate_ssrc == packet->ssrc;
    if (latch->run > 0 && !same && now_ms - latch->candidate_ms < LATCH_RUN_MS)
        return false; /* one at a time: the first that came */
    int16_t step = seq_diff(packet->sequence, latch->candidate_sequence);
    if (same && step > 0 && step <= LATCH_RUN_STEP && now_ms - latch->candidate_ms < LATCH_RUN_MS)
        latch->run++;
    else
        latch->run = 1;
    latch->candidate = packet->from;
    latch->candidate_ssrc = packet->ssrc;
    latch->candidate_sequence = packet->sequence;
    latch->candidate_ms = now_ms;
    bool near = same_ip(&packet->from, &latch->signalled);
    if (latch->run < (near ? LATCH_RUN_NEAR : LATCH_RUN))
        return false;
    latch_on(latch, packet, now_ms);
    return true;
}

bool latch_take(struct latch *latch, const struct latch_packet *packet, uint64_t now_ms)
{
    if (!latch->symmetric)
        return ice_address_equal(&packet->from, &latch->signalled);
    if (packet->authentic) {
        latch_on(latch, packet, now_ms);
        return true;
    }
    if (!latch->latched) {
        if (!ice_address_equal(&packet->from, &latch->signalled))
            return candidate_take(latch, packet, now_ms);
        latch_on(latch, packet, now_ms);
        return true;
    }
    if (ice_address_equal(&packet->from, &latch->target)) {
        latch->ssrc = packet->ssrc;
        latch->heard_ms = now_ms;
        return true;
    }
    if (now_ms - latch->heard_ms < LATCH_SILENT_MS || packet->ssrc != latch->ssrc ||
        !same_ip(&packet->from, &latch->target))
        return false;
    latch_on(latch, packet, now_ms);
    return true;
}

bool latch_near(const struct latch *latch, const struct ice_address *from)
{
    if (same_ip(from, &latch->target))
        return true;
    return latch->symmetric && !latch->latched;
}
