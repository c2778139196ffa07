/* The parts of a leg that need no socket: digits, latch, jitter buffer, quality. Time is an
 * argument, chance is seeded. */
#include "core/bytes.h"
#include "media/codec/telephony.h"
#include "media/codec/voice.h"
#include "media/phone/digits.h"
#include "media/phone/jitter.h"
#include "media/phone/latch.h"
#include "media/phone/quality.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAME_MS = 20, FRAME = 160 /* samples and ticks of 20 ms at 8 kHz */ };

static uint64_t dice_state;

static uint32_t dice(uint32_t bound)
{
    dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice_state >> 33) % bound;
}

/* ---- digits ---- */

enum { KEY_PACKETS = 5, KEY_ENDS = 3, KEYS = 1000, KEY_GAP_MS = 100 };

struct keypad {
    struct digits digits;
    uint64_t now_ms;
    uint32_t timestamp;
    char heard[KEYS * 2];
    size_t count;
};

static void keypad_hear(struct keypad *keypad, const struct telephone_event *event)
{
    struct digit digits[DIGITS_AT_ONCE];
    size_t count =
        digits_packet(&keypad->digits, event, keypad->timestamp, 8000, keypad->now_ms, digits);
    for (size_t i = 0; i < count; i++)
        keypad->heard[keypad->count++] = digits[i].key;
}

static void keypad_wait(struct keypad *keypad, uint64_t wait_ms)
{
    struct digit digit;
    for (uint64_t ms = 0; ms < wait_ms; ms += FRAME_MS) {
        keypad->now_ms += FRAME_MS;
        if (digits_tick(&keypad->digits, keypad->now_ms, &digit))
            keypad->heard[keypad->count++] = digit.key;
    }
}

static void keypad_press(struct keypad *keypad, uint8_t key, uint32_t loss_percent)
{
    for (int i = 1; i <= KEY_PACKETS + KEY_ENDS; i++) {
        const struct telephone_event event = {
            .event = key,
            .end = i > KEY_PACKETS,
            .duration = (uint16_t)((i < KEY_PACKETS ? i : KEY_PACKETS) * FRAME),
        };
        if (dice(100) >= loss_percent)
            keypad_hear(keypad, &event);
        keypad_wait(keypad, i < KEY_PACKETS ? FRAME_MS : 0);
    }
    keypad_wait(keypad, KEY_GAP_MS);
    keypad->timestamp += (KEY_PACKETS * FRAME_MS + KEY_GAP_MS) * 8;
}

static void test_thousand_digits(void **state)
{
    (void)state;
    static const char keys[] = "0123456789*#ABCD";
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct keypad keypad = {.now_ms = 1000, .timestamp = UINT32_MAX - 50000};
        char pressed[KEYS];
        dice_state = seed;
        for (size_t i = 0; i < KEYS; i++) {
            uint8_t key = (uint8_t)dice(16);
            pressed[i] = keys[key];
            keypad_press(&keypad, key, 10);
        }
        keypad_wait(&keypad, 1000);
        assert_int_equal(keypad.count, KEYS);
        assert_memory_equal(keypad.heard, pressed, KEYS);
    }
}

/* Not before its E bit, and not again by the end's repetitions; a marker is not looked for. */
static void test_digit_at_its_end(void **state)
{
    (void)state;
    struct keypad keypad = {.now_ms = 1000, .timestamp = 8000};
    const struct telephone_event five = {.event = 5, .duration = 320},
                                 end = {.event = 5, .end = true, .duration = 480};
    for (size_t pressed = 1; pressed <= 2; pressed++) {
        keypad_hear(&keypad, &five);
        assert_int_equal(keypad.count, pressed - 1);
        for (int i = 0; i < KEY_ENDS; i++) {
            keypad_hear(&keypad, &end);
            assert_int_equal(keypad.count, pressed);
        }
        keypad.timestamp += 1600;
    }
}

/* The same key twice, with every end lost, and reordered packets of one that is over. */
static void test_digits_without_end(void **state)
{
    (void)state;
    struct keypad keypad = {.now_ms = 1000, .timestamp = 8000};
    const struct telephone_event five = {.event = 5, .duration = 320};
    keypad_hear(&keypad, &five);
    keypad.timestamp += 1600;
    keypad_hear(&keypad, &five); /* the next one ends the one before */
    assert_int_equal(keypad.count, 1);
    keypad.timestamp -= 1600;
    keypad_hear(&keypad, &five); /* late */
    keypad.timestamp += 1600;
    keypad_wait(&keypad, 400); /* and silence ends that */
    assert_int_equal(keypad.count, 2);
    keypad_hear(&keypad, &five); /* again late */
    keypad_wait(&keypad, 400);
    assert_int_equal(keypad.count, 2);
}

/* Held down for 20 s: segments of one event (RFC 4733 2.5.1.3). */
static void test_long_digit(void **state)
{
    (void)state;
    struct keypad keypad = {.now_ms = 1000, .timestamp = 8000};
    uint32_t all = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t segment = all / 65520 * 65520;
        keypad.timestamp = 8000 + segment;
        const struct telephone_event event = {
            .event = 9, .end = i == 999, .duration = (uint16_t)(all - segment + FRAME)};
        keypad_hear(&keypad, &event);
        keypad_wait(&keypad, FRAME_MS);
        all += FRAME;
    }
    assert_int_equal(keypad.count, 1);
}

static void test_event_read(void **state)
{
    (void)state;
    struct telephone_event event;
    const uint8_t payload[] = {11, 0x8a, 0x03, 0x20};
    assert_int_equal(telephone_event_read(payload, 3, &event), STATUS_TRUNCATED);
    assert_int_equal(telephone_event_read(payload, 4, &event), STATUS_OK);
    assert_int_equal(event.event, 11);
    assert_true(event.end);
    assert_int_equal(event.duration, 800);
}

static void tone_add(int16_t *samples, size_t count, size_t from, double tone, double level)
{
    for (size_t i = 0; i < count; i++)
        samples[i] =
            (int16_t)(samples[i] + level * sin(2 * M_PI * tone * (double)(from + i) / 8000));
}

static void test_tones(void **state)
{
    (void)state;
    struct tones *tones = tones_new();
    bool heard = false;
    assert_non_null(tones);
    for (size_t frame = 0; frame < 10; frame++) {
        int16_t samples[FRAME] = {0};
        if (frame < 5) {
            tone_add(samples, FRAME, frame * FRAME, 770, 5000);
            tone_add(samples, FRAME, frame * FRAME, 1336, 5000);
        }
        heard = tones_listen(tones, samples, FRAME) || heard;
    }
    assert_true(heard);
    assert_int_equal(tones_digit(tones), '5');
    assert_int_equal(tones_digit(tones), '\0');
    tones_free(tones);
}

/* Digits told of 100 ms of 5, `hole` samples of silence and 100 ms of this key's upper tone. */
static size_t digits_told(size_t begin, size_t hole, double upper)
{
    enum { TONE = FRAME * 5, ALL = TONE * 4 };
    static int16_t samples[ALL];
    struct tones *tones = tones_new();
    size_t told = 0, again = begin + TONE + hole;
    assert_non_null(tones);
    memset(samples, 0, sizeof samples);
    tone_add(samples + begin, TONE, 0, 770, 5000);
    tone_add(samples + begin, TONE, 0, 1336, 5000);
    tone_add(samples + again, TONE, 77, 770, 5000);
    tone_add(samples + again, TONE, 77, upper, 5000);
    for (size_t at = 0; at < ALL; at += FRAME) {
        (void)tones_listen(tones, samples + at, FRAME);
        told += tones_digit(tones) != '\0';
    }
    tones_free(tones);
    return told;
}

/* Q.24: a key goes on over a hole of up to 40 ms, wherever it falls; a pause parts two. */
static void test_tone_with_a_hole(void **state)
{
    (void)state;
    for (size_t begin = 0; begin < FRAME * 2; begin += 7) {
        for (size_t hole_ms = 0; hole_ms <= 40; hole_ms += 4)
            assert_int_equal(digits_told(begin, hole_ms * 8, 1336), 1);
        for (size_t pause_ms = 60; pause_ms <= 100; pause_ms += 5)
            assert_int_equal(digits_told(begin, pause_ms * 8, 1336), 2);
        assert_int_equal(digits_told(begin, 30 * 8, 1477), 2); /* 5, then 6 */
    }
}

/* ---- latch ---- */

static struct ice_address address_of(uint8_t host, uint16_t port)
{
    return (struct ice_address){.ip = {[10] = 0xff, 0xff, 10, 0, 0, host}, .port = port};
}

static bool latch_hears(struct latch *latch, struct ice_address from, uint32_t ssrc,
                        uint16_t sequence, uint64_t now_ms)
{
    const struct latch_packet packet = {.from = from, .ssrc = ssrc, .sequence = sequence};
    return latch_take(latch, &packet, now_ms);
}

static void test_latch_signalled(void **state)
{
    (void)state;
    struct latch latch = {0};
    const struct ice_address phone = address_of(1, 4000), thief = address_of(9, 6000);
    latch_signal(&latch, &phone, true);
    assert_true(latch_hears(&latch, phone, 7, 1, 0));
    for (uint16_t i = 0; i < 1000; i++)
        assert_false(latch_hears(&latch, thief, 7, (uint16_t)(2 + i), 20U * i));
    assert_true(ice_address_equal(&latch.target, &phone));
    /* Not after a long silence either, nor from the same host with another SSRC. */
    assert_false(latch_hears(&latch, thief, 7, 1100, 60000));
    assert_false(latch_hears(&latch, address_of(1, 4444), 8, 1101, 60000));
    /* A NAT that forgot: the phone's own address, stream and silence. */
    assert_true(latch_hears(&latch, address_of(1, 4444), 7, 1102, 60020));
    assert_int_equal(latch.target.port, 4444);
    assert_false(latch_hears(&latch, phone, 7, 1103, 60040));
}

static void test_latch_behind_nat(void **state)
{
    (void)state;
    struct latch latch = {0};
    const struct ice_address said = address_of(1, 4000), outside = address_of(2, 5000);
    latch_signal(&latch, &said, true);
    assert_false(latch_hears(&latch, outside, 7, 65534, 0));
    assert_false(latch_hears(&latch, outside, 7, 65535, 20));
    assert_false(latch_hears(&latch, address_of(9, 6000), 3, 5, 25)); /* one candidate at a time */
    assert_false(latch_hears(&latch, outside, 7, 0, 40));
    assert_true(latch_hears(&latch, outside, 7, 1, 60));
    assert_false(latch_hears(&latch, said, 7, 2, 80)); /* decided */
    assert_true(latch_near(&latch, &outside));
    assert_false(latch_near(&latch, &said));
    /* Signalled anew: all begins again; the same again changes nothing. */
    latch_signal(&latch, &said, true);
    assert_true(ice_address_equal(&latch.target, &outside));
    const struct ice_address moved = address_of(3, 7000);
    latch_signal(&latch, &moved, true);
    assert_true(latch_hears(&latch, moved, 1, 1, 100));
}

static void test_latch_jumps_and_proofs(void **state)
{
    (void)state;
    struct latch latch = {0};
    const struct ice_address said = address_of(1, 4000), other = address_of(2, 5000);
    latch_signal(&latch, &said, true);
    /* Packets that do not follow each other are no run. */
    for (uint16_t i = 0; i < 50; i++)
        assert_false(latch_hears(&latch, other, 7, (uint16_t)(i * 100), i * 20U));
    const struct latch_packet proven = {.from = other, .ssrc = 7, .sequence = 1, .authentic = true};
    assert_true(latch_take(&latch, &proven, 2000));
    assert_true(ice_address_equal(&latch.target, &other));
    struct latch strict = {0};
    latch_signal(&strict, &said, false);
    assert_false(latch_hears(&strict, other, 7, 1, 0));
    assert_true(latch_hears(&strict, said, 7, 1, 0));
}

/* ---- jitter buffer ---- */

enum { FLIGHT_MAX = 64, CALL_PACKETS = 3000 };

/* A minute's stream of 20 ms packets over a path, and what the buffer made of it. */
struct flight {
    struct jitter jitter;
    struct packets *packets;
    double rate;        /* of the sender's clock to ours */
    uint32_t jitter_ms; /* delay is uniform up to it */
    uint32_t loss;      /* permille */
    uint64_t arrivals[CALL_PACKETS];
    uint64_t played, concealed, merged;
    uint32_t delay_most, delay_last; /* ms, over the last second of the run */
};

static void flight_begin(struct flight *flight, double rate)
{
    memset(flight, 0, sizeof *flight);
    flight->rate = rate;
    assert_int_equal(packets_new(256, &flight->packets), STATUS_OK);
    jitter_init(&flight->jitter, 8000);
}

static void flight_end(struct flight *flight)
{
    jitter_clear(&flight->jitter, flight->packets);
    assert_int_equal(packets_used(flight->packets), 0);
    packets_free(flight->packets);
}

static void flight_put(struct flight *flight, size_t number, uint64_t now_ms)
{
    struct packet *packet = packet_new(flight->packets, 172);
    assert_non_null(packet);
    (void)!jitter_put(&flight->jitter, packet, (uint16_t)(number + 65000),
                      (uint32_t)(number * FRAME + 4294000000U), now_ms, flight->packets);
    packet_unref(packet, flight->packets);
}

/* One beat: 20 ms are needed. */
static void flight_take(struct flight *flight, uint64_t now_ms)
{
    for (int i = 0; i < 4; i++) {
        struct packet *packet;
        enum jitter_verdict verdict =
            jitter_take(&flight->jitter, false, now_ms, flight->packets, &packet);
        if (verdict == JITTER_PLAY || verdict == JITTER_MERGE) {
            packet_unref(packet, flight->packets);
            jitter_played(&flight->jitter, FRAME);
            flight->played++;
            flight->merged += verdict == JITTER_MERGE;
            if (verdict == JITTER_MERGE)
                continue;
        } else if (verdict == JITTER_LOST || verdict == JITTER_HOLD) {
            flight->concealed++;
        }
        return;
    }
}

/* Packets from..to-1 of the stream, then nothing is waited for. */
static void flight_run(struct flight *flight, size_t from, size_t to)
{
    uint64_t begin_ms = 100000 + (uint64_t)((double)from * FRAME_MS * flight->rate);
    uint64_t end_ms = 100000 + (uint64_t)((double)to * FRAME_MS * flight->rate);
    for (size_t i = from; i < to; i++) {
        flight->arrivals[i] =
            100000 + (uint64_t)((double)i * FRAME_MS * flight->rate) + dice(flight->jitter_ms + 1);
        if (dice(1000) < flight->loss)
            flight->arrivals[i] = 0;
    }
    flight->played = flight->concealed = flight->merged = flight->delay_most = 0;
    for (uint64_t now_ms = begin_ms; now_ms < end_ms; now_ms++) {
        for (size_t i = from; i < to; i++) {
            if (flight->arrivals[i] == now_ms)
                flight_put(flight, i, now_ms);
        }
        if (now_ms % FRAME_MS == 7)
            flight_take(flight, now_ms);
        flight->delay_last = jitter_delay_ms(&flight->jitter, now_ms);
        if (flight->delay_last > flight->delay_most)
            flight->delay_most = flight->delay_last;
    }
}

static void test_jitter_calm(void **state)
{
    (void)state;
    struct flight flight;
    dice_state = 1;
    flight_begin(&flight, 1);
    flight_run(&flight, 0, 500);
    assert_true(flight.concealed == 0);
    assert_true(flight.delay_last <= 45);
    flight_end(&flight);
}

/* 5 % loss and 40 ms of jitter: what is concealed is what was lost and hardly more; afterwards the
 * delay comes back below 60 ms within 10 s. */
static void test_jitter_rough(void **state)
{
    (void)state;
    struct flight flight;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        dice_state = seed;
        flight_begin(&flight, 1);
        flight.jitter_ms = 40;
        flight.loss = 50;
        flight_run(&flight, 0, 1000);
        uint64_t whole = flight.played + flight.concealed;
        assert_true(flight.concealed * 1000 < whole * 65);
        assert_true(flight.delay_most <= 140);
        flight.jitter_ms = 0;
        flight.loss = 0;
        flight_run(&flight, 1000, 1500);
        assert_true(flight.delay_last < 60);
        assert_true(flight.concealed <= 2);
        flight_end(&flight);
    }
}

/* Grows to what the path needs and no further than its cap. */
static void test_jitter_spikes(void **state)
{
    (void)state;
    struct flight flight;
    dice_state = 3;
    flight_begin(&flight, 1);
    flight.jitter_ms = 100;
    flight_run(&flight, 0, 1000);
    assert_true(flight.concealed * 1000 < (flight.played + flight.concealed) * 30);
    assert_true(flight.delay_most >= 90);
    assert_true(flight.delay_most <= JITTER_MAX_MS + 3 * FRAME_MS);
    flight_end(&flight);
}

/* Clocks 500 ppm apart, either way, for a minute: nothing runs dry or over. */
static void test_jitter_drift(void **state)
{
    (void)state;
    for (int way = -1; way <= 1; way += 2) {
        struct flight flight;
        dice_state = 9;
        flight_begin(&flight, 1 + way * 500e-6);
        flight_run(&flight, 0, CALL_PACKETS);
        assert_true(flight.concealed <= 4); /* 30 ms too few in a minute */
        assert_true(flight.merged <= 4);
        assert_true(flight.delay_most < 70);
        assert_int_equal(flight.jitter.late, 0);
        flight_end(&flight);
    }
}

/* A pause is no loss: timestamps go on, numbers follow. */
static void test_jitter_pause(void **state)
{
    (void)state;
    struct flight flight;
    dice_state = 2;
    flight_begin(&flight, 1);
    flight_run(&flight, 0, 100);
    uint64_t now_ms = 100000 + 100 * FRAME_MS;
    for (int i = 0; i < 100; i++, now_ms += FRAME_MS)
        flight_take(&flight, now_ms);
    uint64_t lost = flight.jitter.lost, concealed = flight.concealed;
    for (int i = 0; i < 50; i++, now_ms += FRAME_MS) {
        struct packet *packet = packet_new(flight.packets, 172);
        assert_int_equal(jitter_put(&flight.jitter, packet, (uint16_t)(65100 + i),
                                    (uint32_t)(200 + i) * FRAME + 4294000000U, now_ms,
                                    flight.packets),
                         STATUS_OK);
        packet_unref(packet, flight.packets);
        flight_take(&flight, now_ms + 7);
    }
    assert_int_equal(flight.jitter.lost, lost);
    assert_int_equal(flight.concealed, concealed);
    assert_true(flight.played >= 145);
    flight_end(&flight);
}

/* One that comes first to be played, but is farther behind the newest than is held: it is late. It
 * was held once, behind what comes next, where nobody ever finds it: the worker looked for ever. */
static void test_jitter_far_behind(void **state)
{
    (void)state;
    struct flight flight;
    uint64_t now_ms = 100000;
    flight_begin(&flight, 1);
    flight_put(&flight, 100, now_ms);
    flight_put(&flight, 100 + JITTER_SLOTS / 2 + 8, now_ms);
    assert_int_equal(jitter_put(&flight.jitter, NULL, (uint16_t)(100 - JITTER_SLOTS / 2 + 65000),
                                4294000000U, now_ms, flight.packets),
                     STATUS_LATE);
    assert_int_equal(flight.jitter.held, 2);
    for (int frame = 0; frame < 200; frame++, now_ms += FRAME_MS)
        flight_take(&flight, now_ms);
    assert_int_equal(flight.jitter.held, 0);
    flight_end(&flight);
}

/* A phone that sends no voice while keys are pressed, one key after another: nothing is missing,
 * though one packet of each key is lost. */
static void test_jitter_keys(void **state)
{
    (void)state;
    enum { KEYS_PRESSED = 10, EVENT_FRAMES = 8, VOICE_FRAMES = 5 };
    struct flight flight;
    dice_state = 2;
    flight_begin(&flight, 1);
    flight_run(&flight, 0, 100);
    assert_int_equal(flight.concealed, 0);
    size_t frame = 100;
    uint64_t now_ms = 100000 + frame * FRAME_MS;
    for (int key = 0; key < KEYS_PRESSED; key++) {
        for (size_t i = 0; i < EVENT_FRAMES; i++, frame++, now_ms += FRAME_MS) {
            uint32_t began = (uint32_t)((frame - i) * FRAME + 4294000000U);
            if (i != 3)
                (void)!jitter_put(&flight.jitter, NULL, (uint16_t)(frame + 65000), began, now_ms,
                                  flight.packets);
            flight_take(&flight, now_ms + 7);
        }
        for (size_t i = 0; i < VOICE_FRAMES; i++, frame++, now_ms += FRAME_MS) {
            flight_put(&flight, frame, now_ms);
            flight_take(&flight, now_ms + 7);
        }
    }
    assert_int_equal(flight.concealed, 0);
    assert_true(flight.played >= 95 + KEYS_PRESSED * (VOICE_FRAMES - 1));
    flight_end(&flight);
}

/* A key is the first that comes, then a voice that ends: nothing of the key is waited for. */
static void test_jitter_key_first(void **state)
{
    (void)state;
    struct flight flight;
    uint64_t now_ms = 100000;
    flight_begin(&flight, 1);
    for (size_t i = 0; i < 8; i++, now_ms += FRAME_MS) {
        (void)!jitter_put(&flight.jitter, NULL, (uint16_t)(i + 65000), 4294000000U, now_ms,
                          flight.packets);
        flight_take(&flight, now_ms + 7);
    }
    for (size_t i = 8; i < 20; i++, now_ms += FRAME_MS) {
        flight_put(&flight, i, now_ms);
        flight_take(&flight, now_ms + 7);
    }
    for (int i = 0; i < 100; i++, now_ms += FRAME_MS)
        flight_take(&flight, now_ms + 7);
    assert_int_equal(flight.jitter.held, 0);
    assert_false(flight.jitter.playing);
    assert_int_equal(flight.jitter.lost, 0);
    assert_int_equal(flight.played, 12);
    assert_true(flight.concealed <= JITTER_MISSES_MAX);
    flight_end(&flight);
}

/* The buffer hands out what follows a lost packet when it is there, and nothing else. */
static void test_jitter_after(void **state)
{
    (void)state;
    struct flight flight;
    struct packet *packet;
    uint64_t now_ms = 100000;
    flight_begin(&flight, 1);
    for (size_t i = 0; i < 10; i++) {
        if (i != 4 && i != 7 && i != 8)
            flight_put(&flight, i, now_ms);
    }
    for (now_ms += 200; flight.jitter.next < 65000 + 10;) {
        int64_t number = flight.jitter.next - 65000;
        enum jitter_verdict verdict =
            jitter_take(&flight.jitter, false, now_ms, flight.packets, &packet);
        if (verdict == JITTER_LOST) {
            assert_true(number == 4 || number == 7 || number == 8);
            const struct packet *after = jitter_after(&flight.jitter);
            assert_true((after != NULL) == (number != 7));
        } else {
            assert_true(verdict == JITTER_PLAY || verdict == JITTER_MERGE);
            packet_unref(packet, flight.packets);
            jitter_played(&flight.jitter, FRAME);
        }
    }
    flight_end(&flight);
}

static void test_quality(void **state)
{
    (void)state;
    struct quality quality = {.codec = VOICE_PCMU, .delay_ms = 100};
    uint16_t clean = quality_mos_100(&quality);
    assert_in_range(clean, 425, 445);
    quality.concealed_permille = 50;
    uint16_t lossy = quality_mos_100(&quality);
    assert_in_range(lossy, 340, clean - 20);
    quality.concealed_permille = 500;
    quality.delay_ms = 800;
    assert_in_range(quality_mos_100(&quality), 100, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thousand_digits),    cmocka_unit_test(test_digit_at_its_end),
        cmocka_unit_test(test_digits_without_end), cmocka_unit_test(test_long_digit),
        cmocka_unit_test(test_event_read),         cmocka_unit_test(test_tones),
        cmocka_unit_test(test_tone_with_a_hole),   cmocka_unit_test(test_latch_signalled),
        cmocka_unit_test(test_latch_behind_nat),   cmocka_unit_test(test_latch_jumps_and_proofs),
        cmocka_unit_test(test_jitter_calm),        cmocka_unit_test(test_jitter_rough),
        cmocka_unit_test(test_jitter_spikes),      cmocka_unit_test(test_jitter_drift),
        cmocka_unit_test(test_jitter_pause),       cmocka_unit_test(test_jitter_far_behind),
        cmocka_unit_test(test_jitter_keys),        cmocka_unit_test(test_jitter_key_first),
        cmocka_unit_test(test_jitter_after),       cmocka_unit_test(test_quality),
    };
    return cmocka_run_group_tests_name("phone parts", tests, NULL, NULL);
}
