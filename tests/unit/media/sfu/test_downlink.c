/*
 * A subscriber that gives transport-wide feedback, through a whole media: what its link bears is
 * found out, a burst is spread over time, speech does not wait behind it.
 */
#include "core/bytes.h"
#include "media/stats.h"
#include "tests/support/media_stage.h"

#include <stdlib.h>

enum {
    ROOM = 1,
    FEEDBACK_TURNS = 20, /* of about 2 ms */
    BURST_PACKETS = 80,  /* 0.4 s of the slowest pace the pacer has, far above its bucket */
    ESTIMATE_ENOUGH = 600000,
    PACKET_NS = 5000000, /* between two packets of the picture, each of 0.7 kB */
};

struct call {
    struct member *publisher, *viewer;
    struct media_transport_stats *row;
    uint32_t picture, voices; /* the viewer's SSRCs; SLOT_VOICES from `voices` on */
    unsigned turns;
    unsigned twice;   /* repetitions that came once more */
    uint64_t sent_ns; /* up to when the picture was sent; 0: not begun */
    bool padded;      /* the viewer's RTX stream was used */
};

static uint32_t estimate_of(const struct call *call)
{
    *call->row = (struct media_transport_stats){.id = call->viewer->id};
    assert_int_equal(media_stats(stage.media, call->viewer->worker, call->row, 1), STATUS_OK);
    return call->row->estimate;
}

static void call_turn(struct call *call)
{
    crowd_turn(stage.peers, 2);
    if (call->turns++ % FEEDBACK_TURNS == 0)
        member_feed_back(call->viewer);
}

static void send_one(struct call *call, bool key, uint8_t packets)
{
    const struct frame frame = {.key = key, .packets = packets};
    send_frame(call->publisher, &frame);
}

static void call_begin(struct call *call)
{
    *call = (struct call){.publisher = member_join(ROOM), .row = malloc(sizeof *call->row)};
    assert_non_null(call->row);
    call->viewer = member_join_elsewhere(ROOM, call->publisher->worker);
    call->picture = member_base(call->viewer) + 100 + SLOT_TILE;
    call->voices = member_base(call->viewer) + 100;
    assert_true(estimate_of(call) < ESTIMATE_ENOUGH);
    member_feed_back(call->viewer);
    voices_want(call->viewer);
    tile_want(call->viewer, 0, call->publisher, 180);
    SEND_UNTIL(call->publisher, true, 0, received_on(call->viewer, call->picture) > 0);
}

static bool call_shows(const struct call *call)
{
    lock_take(&stage.lock);
    bool live = call->viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE;
    lock_give(&stage.lock);
    return live;
}

/* The next pieces of a picture of about 1.2 Mbit/s, however late the machine lets us send them. */
static void picture_go_on(struct call *call, bool key)
{
    uint64_t due = 0;
    if (call->sent_ns == 0)
        call->sent_ns = clock_mono_ns();
    for (; due < 2; due = (clock_mono_ns() - call->sent_ns) / PACKET_NS)
        call_turn(call);
    send_one(call, key, due < BURST_PACKETS ? (uint8_t)due : BURST_PACKETS);
    call->sent_ns += due * PACKET_NS;
}

/* The picture, and speech, until the link is known to bear half of that. */
static void call_climb(struct call *call)
{
    uint64_t until_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
    bool climbed = false;
    for (unsigned i = 0; !climbed && clock_mono_ns() < until_ns; i++) {
        picture_go_on(call, i % 10 == 0);
        send_audio(call->publisher, 20);
        call->padded |= received_on(call->viewer, call->picture + 100) > 0;
        if (call->viewer->received_count > RECEIVED_MAX / 2)
            call->viewer->received_count = 0;
        climbed = estimate_of(call) >= ESTIMATE_ENOUGH && call_shows(call);
    }
    assert_true(climbed);
}

static void test_the_estimate_climbs(void **state)
{
    (void)state;
    struct call call;
    call_begin(&call);
    call_climb(&call);
    /* It was asked for: what media does not fill is padding on the RTX stream. */
    assert_true(call.padded);
    free(call.row);
}

/* The newest packet with one of these SSRCs; NULL: none. */
static const struct received *newest_on(const struct call *call, uint32_t ssrc, uint32_t count)
{
    const struct member *viewer = call->viewer;
    for (size_t i = viewer->received_count; i > 0; i--) {
        if (viewer->received[i - 1].header.ssrc - ssrc < count)
            return &viewer->received[i - 1];
    }
    return NULL;
}

/* Packets of the newest picture, those from `from` on. */
static size_t picture_packets(const struct call *call, const struct received *from)
{
    const struct member *viewer = call->viewer;
    const struct received *newest = newest_on(call, call->picture, 1);
    size_t count = 0;
    for (; newest != NULL && from < viewer->received + viewer->received_count; from++)
        count += from->header.ssrc == call->picture &&
                 from->header.timestamp == newest->header.timestamp;
    return count;
}

/* Of a key frame sent in one go and speech right after it, how many packets of the picture came
 * later than the speech. */
static size_t overtaken(struct call *call)
{
    struct member *viewer = call->viewer;
    viewer->received_count = 0;
    send_one(call, true, BURST_PACKETS);
    send_audio(call->publisher, 20);
    uint64_t until_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
    while ((picture_packets(call, viewer->received) < BURST_PACKETS ||
            newest_on(call, call->voices, SLOT_VOICES) == NULL) &&
           clock_mono_ns() < until_ns) {
        call_turn(call);
        if (!call_shows(call))
            return 0; /* paused: the machine was so busy that the link seemed narrow */
    }
    assert_int_equal(picture_packets(call, viewer->received), BURST_PACKETS);
    assert_continuous(viewer, call->picture);
    assert_non_null(newest_on(call, call->voices, SLOT_VOICES));
    return picture_packets(call, newest_on(call, call->voices, SLOT_VOICES));
}

static void test_a_burst_waits_and_speech_does_not(void **state)
{
    (void)state;
    struct call call;
    size_t after = 0;
    call_begin(&call);
    /* Where this machine had no time for us between the two, the burst may be over. */
    for (int i = 0; i < 10 && after == 0; i++) {
        call_climb(&call);
        after = overtaken(&call);
    }
    assert_true(after > 0);
    free(call.row);
}

/* What comes on the RTX stream, until all that is lost has come. */
static bool repaired(struct call *call, bool *again)
{
    struct member *viewer = call->viewer;
    for (size_t i = 0; i < viewer->received_count; i++) {
        const struct received *one = &viewer->received[i];
        if (one->header.ssrc != call->picture + 100 || one->header.payload_length <= 2)
            continue;
        call->twice += again[load_be16(one->head)];
        again[load_be16(one->head)] = true;
    }
    viewer->received_count = 0;
    for (size_t i = 0; i < viewer->missing_count; i++) {
        if (!again[viewer->missing[i]])
            return false;
    }
    return true;
}

/* The subscriber's questions are lost, all of them, and every tenth packet, repetitions too: what
 * its feedback misses is sent again until it is there, and twice at once, since so much is lost. */
static void test_what_feedback_misses_is_repeated(void **state)
{
    (void)state;
    enum { EVERY = 10, BELIEVED = 20, MISSED = 40 };
    struct call call;
    bool *again = calloc(UINT16_MAX + 1, sizeof *again);
    assert_non_null(again);
    call_begin(&call);
    call_climb(&call);
    call.viewer->missing_ssrc = call.picture;
    rng_seed(&call.viewer->lose, 3);
    call.viewer->lose_every = EVERY;
    /* The first ones are not enough to be believed. */
    for (size_t part = 0; part < 2; part++) {
        size_t wanted = part == 0 ? BELIEVED : MISSED;
        call.viewer->missing_count = 0;
        uint64_t until_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
        for (unsigned i = 0; call.viewer->missing_count < wanted; i++) {
            assert_true(clock_mono_ns() < until_ns);
            picture_go_on(&call, i % 10 == 0);
            (void)repaired(&call, again);
        }
    }
    call.viewer->lose_every = 0;
    uint64_t until_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
    while (!repaired(&call, again)) {
        assert_true(clock_mono_ns() < until_ns);
        picture_go_on(&call, false); /* feedback tells of what came, and of gaps before it */
    }
    assert_int_equal(call.viewer->nacks, 0);
    assert_true(call.twice > MISSED / 2);
    free(again);
    free(call.row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_estimate_climbs, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_what_feedback_misses_is_repeated, stage_open,
                                        stage_close),
        cmocka_unit_test_setup_teardown(test_a_burst_waits_and_speech_does_not, stage_open,
                                        stage_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
