#include "media/phone/digits.h"

#include "core/bytes.h"

enum {
    DIGIT_EVENTS = 16,      /* events 0 to 15 are keys */
    SEGMENT_LEAST = 0xff00, /* ticks: senders split a little before the field is full */
    MS_PER_S = 1000,
    CLOCK_LEAST = 1000,
};

enum status telephone_event_read(const uint8_t *payload, size_t length,
                                 struct telephone_event *ret_event)
{
    if (length < DIGITS_PAYLOAD)
        return STATUS_TRUNCATED;
    ret_event->event = payload[0];
    ret_event->end = (payload[1] & 0x80) != 0;
    ret_event->duration = load_be16(payload + 2);
    return STATUS_OK;
}

static bool digits_tell(struct digits *digits, struct digit *ret_digit)
{
    static const char keys[] = "0123456789*#ABCD";
    if (digits->told)
        return false;
    digits->told = true;
    uint64_t ticks = (uint64_t)digits->base + digits->duration;
    ret_digit->key = digits->event < DIGIT_EVENTS ? keys[digits->event] : '!';
    ret_digit->duration_ms = (uint32_t)(ticks * MS_PER_S / digits->clock);
    return true;
}

/* The event goes on in a new segment. */
static bool continues(const struct digits *digits, const struct telephone_event *event,
                      uint32_t timestamp)
{
    uint32_t passed = timestamp - digits->timestamp;
    return digits->active && digits->event == event->event && passed >= SEGMENT_LEAST &&
           passed <= UINT16_MAX + 1U;
}

static void digits_begin(struct digits *digits, const struct telephone_event *event,
                         uint32_t timestamp, uint32_t clock, uint64_t now_ms)
{
    *digits = (struct digits){
        .known = true,
        .active = true,
        .event = event->event,
        .timestamp = timestamp,
        .clock = clock < CLOCK_LEAST ? CLOCK_LEAST : clock,
        .began_ms = now_ms,
    };
}

size_t digits_packet(struct digits *digits, const struct telephone_event *event, uint32_t timestamp,
                     uint32_t clock, uint64_t now_ms, struct digit ret_digits[DIGITS_AT_ONCE])
{
    size_t count = 0;
    if (event->event > DIGITS_FLASH)
        return 0;
    if (digits->known && timestamp != digits->timestamp) {
        int32_t passed = (int32_t)(timestamp - digits->timestamp);
        if (passed < 0 && now_ms - digits->heard_ms < DIGITS_LONG_MS)
            return 0; /* reordered: of a key that is over */
        if (continues(digits, event, timestamp)) {
            digits->base += timestamp - digits->timestamp;
            digits->timestamp = timestamp;
            digits->duration = 0;
        } else {
            if (digits->active)
                count += digits_tell(digits, &ret_digits[count]);
            digits->known = false;
        }
    }
    if (!digits->known)
        digits_begin(digits, event, timestamp, clock, now_ms);
    digits->heard_ms = now_ms;
    if (!digits->active)
        return count; /* the end's repetitions */
    if (event->duration > digits->duration)
        digits->duration = event->duration;
    if (event->end) {
        digits->active = false;
        count += digits_tell(digits, &ret_digits[count]);
    }
    return count;
}

bool digits_tick(struct digits *digits, uint64_t now_ms, struct digit *ret_digit)
{
    if (!digits->active)
        return false;
    if (now_ms - digits->heard_ms >= DIGITS_SILENT_MS)
        digits->active = false;
    else if (now_ms - digits->began_ms < DIGITS_LONG_MS)
        return false;
    return digits_tell(digits, ret_digit);
}
