/*
 * tests/support/telephone.h - telephones as far as RTP goes: a raw UDP socket that sends a
 * tone in any of the codecs and keeps what it hears; and the legs of a media that they are
 * calls of. Belongs to media_stage.h: telephones_stage before stage_open gives its media
 * the events.
 *
 * Thread: the test's; the legs' events are kept under stage.lock.
 */
#ifndef TESTS_SUPPORT_TELEPHONE_H
#define TESTS_SUPPORT_TELEPHONE_H

#include "core/rng.h"
#include "media/codec/voice.h"
#include "media/leg.h"
#include "media/srtp/srtp.h"
#include "tests/support/media_stage.h"

enum {
    TELEPHONES_MAX = 8,
    TELEPHONE_HEARD_MAX = 16000 * 4, /* samples kept, the last ones */
    TELEPHONE_WAIT_MS = 40000,       /* what is heard without a gap depends on the machine's load */
    TELEPHONE_DIGITS_MAX = 2048,
    TELEPHONE_PAYLOAD_EVENT = 101,
    TELEPHONE_PAYLOAD_COMFORT = 13,
};

/* The last of what somebody hears. */
struct hearing {
    uint32_t rate;
    size_t count;   /* in samples */
    size_t all;     /* since the beginning */
    size_t checked; /* of all, when hearing_tone looked last */
    int16_t samples[TELEPHONE_HEARD_MAX];
};

void hearing_add(struct hearing *hearing, const int16_t *samples, size_t count);
/* The last second holds this tone and, 20 dB below, everything else; looks four times a second. */
bool hearing_tone(struct hearing *hearing, double tone);
/* Level of a tone in the last second against a full-scale sine, dB. */
double hearing_level(const struct hearing *hearing, double tone);

struct telephone {
    uint64_t id;
    enum media_leg_codec codec;
    struct media_leg_security security;
    int fd, rtcp_fd;
    uint16_t port; /* its own */
    struct voice_encoder *encoder;
    struct voice_decoder *decoder;
    struct protector *protector;
    struct unprotector *unprotector;
    double tone, level; /* Hz and amplitude it sends; 0: silence, -1: nothing */
    double second_tone; /* at the same time; 0: none */
    uint32_t phase;     /* samples sent */
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    uint64_t next_ns;
    uint32_t drop_every; /* one of so many packets is not sent; 0: all are */
    uint32_t clock_ppm;  /* its clock runs fast by so much */
    struct hearing heard;
    size_t packets_heard, bad;
    size_t comforts;       /* comfort noise packets heard */
    uint8_t comfort_level; /* of the last one, -dBov */
    struct rng rng;        /* whose dice say what telephone_press loses */

    /* Of its leg, under stage.lock. */
    bool opened, closed, lost, talking;
    size_t played;
    uint16_t leg_port, leg_rtcp_port;
    enum media_leg_end end;
    char digits[TELEPHONE_DIGITS_MAX + 1];
    size_t digit_count;
    size_t statistics_count;
    struct media_leg_statistics statistics;
};

/* Before stage_open: its media tells of legs. */
void telephones_stage(uint16_t port_first, uint16_t port_last);
/* Likewise, after telephones_stage: its legs without limiter or gate. */
void telephones_stage_open(bool unlimited, bool ungated);
/* After stage_close. */
void telephones_end(void);
/* A test of telephones in the media that is the stage: its set-up and its end for cmocka. */
int telephones_set_up(void **state);
int telephones_tear_down(void **state);

/* A telephone that has called: its leg is open, in no room. suite with security SDES only. */
struct telephone *telephone_call(enum media_leg_codec codec,
                                 const struct media_leg_security *security);
/* What its leg was opened with. */
void telephone_spec(const struct telephone *telephone, struct media_leg_spec *ret_spec);
/* One without a call yet: socket and codec. */
struct telephone *telephone_new(enum media_leg_codec codec,
                                const struct media_leg_security *security);
void telephone_open(struct telephone *telephone, const struct media_leg_spec *spec);

/* Sends what is due (20 ms of tone each 20 ms) and takes what has come. */
void telephone_turn(struct telephone *telephone);
/* All of them, and the stage's peers. */
void telephones_turn(void);
/* One packet of this payload now, from `fd` (its own, or a stranger's socket). */
void telephone_send(struct telephone *telephone, int fd, uint8_t type, bool marker,
                    const uint8_t *payload, size_t length);
/* A key by telephone-event: packets every 20 ms of media, then three with the E bit, all sent at
 * once, without marker; each is dropped with a chance of loss_percent. It sends no voice for as
 * long as the key lasts. */
void telephone_press(struct telephone *telephone, char key, uint32_t loss_percent);
/* Another codec from now on, both ways; what it has heard is forgotten. */
void telephone_recode(struct telephone *telephone, enum media_leg_codec codec);

#define TELEPHONES_UNTIL(condition)                                                                \
    do {                                                                                           \
        uint64_t until_ns = clock_mono_ns() + (uint64_t)TELEPHONE_WAIT_MS * CLOCK_NS_PER_MS;       \
        bool met = false;                                                                          \
        while (!met && clock_mono_ns() < until_ns) {                                               \
            telephones_turn();                                                                     \
            lock_take(&stage.lock);                                                                \
            met = (condition);                                                                     \
            lock_give(&stage.lock);                                                                \
        }                                                                                          \
        if (!met)                                                                                  \
            fail_msg("never: %s", #condition);                                                     \
    } while (0)

#endif
