/*
 * media/phone/quality.h - what a call sounds like, estimated (E-model, ITU-T G.107, with the
 * loss and delay terms of Cole and Rosenbluth's reduction).
 *
 * Pure, any thread.
 */
#ifndef MEDIA_PHONE_QUALITY_H
#define MEDIA_PHONE_QUALITY_H

#include "media/codec/voice.h"

#include <stdint.h>

struct quality {
    enum voice_codec codec;
    uint32_t concealed_permille; /* of the time */
    uint32_t delay_ms;           /* mouth to ear, one way */
};

/* Mean opinion score in hundredths, 100 to 450. */
uint16_t quality_mos_100(const struct quality *quality);

#endif
