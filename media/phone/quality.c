#include "media/phone/quality.h"

/* G.107 defaults give R = 93.2 without impairments. */
static const double r_best = 93.2;

/* Ie and Bpl of G.113 appendix I; Opus by measurement of others close to G.722.2. */
static const struct {
    double impairment, robustness;
} codecs[] = {
    [VOICE_PCMU] = {0, 25.1},
    [VOICE_PCMA] = {0, 25.1},
    [VOICE_G722] = {0, 20},
    [VOICE_OPUS] = {0, 20},
};

uint16_t quality_mos_100(const struct quality *quality)
{
    double loss = quality->concealed_permille / 10.0;
    double delay = quality->delay_ms;
    double by_delay = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0);
    double impairment = codecs[quality->codec].impairment;
    impairment += (95 - impairment) * loss / (loss + codecs[quality->codec].robustness);
    double r = r_best - by_delay - impairment;
    if (r <= 0)
        return 100;
    double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
    return mos < 1 ? 100 : (uint16_t)(mos * 100 + 0.5);
}
