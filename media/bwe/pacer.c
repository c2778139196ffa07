#include "media/bwe/pacer.h"

void pacer_set(struct pacer *pacer, uint32_t estimate_bps, uint32_t percent, uint32_t waiting_bytes)
{
    enum { PERCENT = 100, NS_BITS_PER_SECOND_BYTE = 8, US_PER_SECOND = 1000000 };
    const uint64_t ns_bits = (uint64_t)NS_BITS_PER_SECOND_BYTE * 1000000000;
    if (estimate_bps == UINT32_MAX) {
        pacer->ns_per_byte = 0;
        return;
    }
    uint64_t bps = (uint64_t)estimate_bps * percent / PERCENT;
    if (bps < PACER_BPS_MIN)
        bps = PACER_BPS_MIN;
    uint64_t due_bps = (uint64_t)waiting_bytes * 8 * US_PER_SECOND / PACER_WAIT_US_MAX;
    if (bps < due_bps)
        bps = due_bps;
    uint64_t per_byte = ns_bits / bps;
    pacer->ns_per_byte = per_byte > 0 ? (uint32_t)per_byte : 1;
}
