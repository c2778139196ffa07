/*
 * media/phone/digits.h - keys pressed, from telephone-event packets (RFC 4733), once each.
 *
 * A key is one event: all its packets have one timestamp. It is told at the first packet
 * with the E bit (2.5.1.4: it comes three times), or, where those were lost, when the next
 * key begins or DIGITS_SILENT_MS have passed without one. The marker is not looked at: some
 * trunks never set it. An event longer than its 16 bit duration goes on in segments
 * (2.5.1.3), which are the same key.
 *
 * Pure: time is an argument. Thread: one media worker.
 */
#ifndef MEDIA_PHONE_DIGITS_H
#define MEDIA_PHONE_DIGITS_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DIGITS_PAYLOAD = 4,     /* bytes: RFC 4733 2.3; more of them are looked past */
    DIGITS_FLASH = 16,      /* RFC 4734 would say more; it is a key of phones */
    DIGITS_SILENT_MS = 200, /* packets of a key come every 20 to 50 ms */
    DIGITS_LONG_MS = 2000,  /* held down for that long it counts */
};

struct telephone_event {
    uint8_t event;
    bool end;
    uint16_t duration; /* ticks */
};

/* Errors: STATUS_TRUNCATED. */
MUST_USE enum status telephone_event_read(const uint8_t *payload, size_t length,
                                          struct telephone_event *ret_event);

/* Zero-filled is fresh. */
struct digits {
    bool known;  /* timestamp means something */
    bool active; /* its end has not come */
    bool told;
    uint8_t event;
    uint16_t duration;  /* of this segment */
    uint32_t base;      /* ticks of the segments before */
    uint32_t timestamp; /* of the newest event, first segment or later */
    uint32_t clock;
    uint64_t began_ms, heard_ms;
};

struct digit {
    char key; /* '0'..'9', '*', '#', 'A'..'D', '!' */
    uint32_t duration_ms;
};

enum { DIGITS_AT_ONCE = 2 }; /* a packet may end two keys: the one before, and its own */

/* How many keys this packet completes; they are in ret_digits. clock: Hz of its payload type. */
size_t digits_packet(struct digits *digits, const struct telephone_event *event, uint32_t timestamp,
                     uint32_t clock, uint64_t now_ms, struct digit ret_digits[DIGITS_AT_ONCE]);
/* Every 100 ms or so while digits_waiting: true when a key is complete by silence or length. */
bool digits_tick(struct digits *digits, uint64_t now_ms, struct digit *ret_digit);
static inline bool digits_waiting(const struct digits *digits)
{
    return digits->active;
}

#endif
