/* Tests of media/sfu/redundancy.h (RFC 2198) and media/sfu/loss.h. */
#include "core/bytes.h"
#include "media/sfu/loss.h"
#include "media/sfu/redundancy.h"
#include "media/sfu/rewriter.h"
#include "tests/unit/media/rtp/wire.h"

enum { OPUS = 111, TICKS = 960, SPEECH_BYTES = 80 };

static struct packets *packets;
static struct history history;

static int setup(void **state)
{
    (void)state;
    assert_ok(packets_new(1024, &packets));
    assert_ok(history_init(&history, HISTORY_AUDIO_PACKETS));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    history_fini(&history, packets);
    packets_free(packets);
    return 0;
}

/* A packet whose payload says its index. */
static struct packet *speech(int64_t index, uint32_t timestamp, size_t length)
{
    struct packet *packet = packet_new(packets, PACKET_BYTES_MAX);
    assert_non_null(packet);
    packet_facts_clear(packet);
    packet->arrived_ns = 1;
    packet->source = 5;
    packet->index = index;
    packet->timestamp = timestamp;
    packet->payload_offset = 12;
    packet->payload_length = (uint16_t)length;
    memset(packet->data + 12, (int)index, length);
    return packet;
}

static void keep(int64_t index, uint32_t timestamp, size_t length)
{
    struct packet *packet = speech(index, timestamp, length);
    history_put(&history, packet, packets);
    packet_unref(packet, packets);
}

/* `packet` becomes RED with these blocks. */
static void wrap(struct packet *packet, const struct red_view *view)
{
    size_t length;
    assert_ok(red_build(view, packet->data + 12, PACKET_BYTES_MAX - 12, &length));
    packet->payload_offset = 12;
    packet->payload_length = (uint16_t)length;
}

/* ---- receiving ---- */

static void test_window(void **state)
{
    (void)state;
    struct redundancy_window window = {0};
    assert_true(redundancy_arrived(&window, 1000));
    assert_false(redundancy_arrived(&window, 1000));
    assert_false(redundancy_arrived(&window, 999)); /* before the first: not missed */
    assert_true(redundancy_arrived(&window, 1003));
    assert_true(redundancy_arrived(&window, 1001));
    assert_false(redundancy_arrived(&window, 1001));
    assert_true(redundancy_arrived(&window, 1065));
    assert_true(redundancy_arrived(&window, 1002));
    assert_false(redundancy_arrived(&window, 1001)); /* too long ago to know */
    assert_true(redundancy_arrived(&window, 5000));
    assert_true(redundancy_arrived(&window, 4937));
    assert_false(redundancy_arrived(&window, 4936));
}

static void test_lost_packets_are_made_from_copies(void **state)
{
    (void)state;
    struct redundancy_window window = {0};
    assert_true(redundancy_arrived(&window, 20));
    struct packet *packet = speech(23, 23 * TICKS, 1);
    struct red_view view = {.count = 4};
    view.blocks[0] = (struct red_block){OPUS, 3 * TICKS, (const uint8_t *)"first", 5};
    view.blocks[1] = (struct red_block){OPUS, 2 * TICKS, (const uint8_t *)"second", 6};
    view.blocks[2] = (struct red_block){OPUS, TICKS, (const uint8_t *)"third", 5};
    view.blocks[3] = (struct red_block){OPUS, 0, (const uint8_t *)"primary", 7};
    wrap(packet, &view);
    struct redundancy_copies copies;
    assert_true(redundancy_arrived(&window, 23));
    assert_ok(redundancy_unwrap(packet, OPUS, &window, &copies));
    assert_int_equal(packet->payload_length, 7);
    assert_memory_equal(packet->data + packet->payload_offset, "primary", 7);
    assert_int_equal(copies.count, 2); /* 20 has come */
    assert_int_equal(copies.copies[0].index, 21);
    assert_int_equal(copies.copies[0].timestamp, 21 * TICKS);
    assert_int_equal(copies.copies[1].index, 22);
    struct packet *lost = redundancy_packet(packet, &copies, 0, packets);
    assert_int_equal(lost->index, 21);
    assert_int_equal(lost->timestamp, 21 * TICKS);
    assert_int_equal(lost->payload_length, 6);
    assert_memory_equal(lost->data + lost->payload_offset, "second", 6);
    assert_int_equal(lost->source, 5);
    assert_true(lost->start && lost->key);
    packet_unref(lost, packets);
    /* When they come after all, they have been here. */
    assert_false(redundancy_arrived(&window, 22));
    /* A block of something else is no copy; a primary of something else is no speech. */
    packet->index = 26;
    view.count = 3;
    view.blocks[0] = (struct red_block){110, 2 * TICKS, (const uint8_t *)"tones", 5};
    view.blocks[1] = (struct red_block){OPUS, TICKS, (const uint8_t *)"", 0};
    view.blocks[2] = (struct red_block){OPUS, 0, (const uint8_t *)"primary", 7};
    wrap(packet, &view);
    assert_true(redundancy_arrived(&window, 26));
    assert_ok(redundancy_unwrap(packet, OPUS, &window, &copies));
    assert_int_equal(copies.count, 0);
    view.blocks[2].payload_type = 110;
    wrap(packet, &view);
    assert_int_equal(redundancy_unwrap(packet, OPUS, &window, &copies), STATUS_INVALID);
    packet->payload_length = 5;
    assert_int_equal(redundancy_unwrap(packet, OPUS, &window, &copies), STATUS_TRUNCATED);
    packet_unref(packet, packets);
}

/* ---- sending ---- */

static size_t depth_of(const struct packet *packet, int64_t begin, uint8_t depth,
                       struct red_view *view)
{
    return redundancy_view(&history, packet, begin, depth, OPUS, view) ? view->count - 1 : 0;
}

static void test_copies_are_chosen(void **state)
{
    (void)state;
    struct red_view view;
    for (int64_t i = 0; i < 10; i++) {
        if (i != 7) /* lost on its way here */
            keep(i, (uint32_t)i * TICKS, SPEECH_BYTES);
    }
    struct packet *packet = speech(10, 10 * TICKS, SPEECH_BYTES);
    assert_int_equal(depth_of(packet, 0, 0, &view), 0);
    assert_int_equal(depth_of(packet, 0, 1, &view), 1);
    assert_int_equal(depth_of(packet, 0, 4, &view), 3); /* 6, 8, 9 */
    assert_int_equal(view.blocks[0].timestamp_back, 4 * TICKS);
    assert_int_equal(view.blocks[0].data[0], 6);
    assert_int_equal(view.blocks[1].timestamp_back, 2 * TICKS);
    assert_int_equal(view.blocks[2].timestamp_back, TICKS);
    assert_int_equal(view.blocks[3].timestamp_back, 0);
    assert_int_equal(view.blocks[3].data[0], 10);
    /* Nothing from before the slot began with this voice. */
    assert_int_equal(depth_of(packet, 9, 4, &view), 1);
    assert_int_equal(depth_of(packet, 10, 4, &view), 0);
    packet->source = 6;
    assert_int_equal(depth_of(packet, 0, 4, &view), 0);
    packet_unref(packet, packets);
}

static void test_limits_of_the_fields(void **state)
{
    (void)state;
    struct red_view view;
    uint8_t payload[PACKET_BYTES_MAX];
    size_t length;
    keep(0, 0, SPEECH_BYTES);
    keep(1, TICKS, SPEECH_BYTES);
    /* After a pause: 14 bits of distance are 341 ms. */
    struct packet *packet = speech(2, RED_TIMESTAMP_BACK_MAX + 1, SPEECH_BYTES);
    assert_int_equal(depth_of(packet, 0, 4, &view), 1);
    assert_ok(red_build(&view, payload, sizeof payload, &length));
    packet->timestamp = TICKS + RED_TIMESTAMP_BACK_MAX + 1;
    assert_int_equal(depth_of(packet, 0, 4, &view), 0);
    packet_unref(packet, packets);
    /* 10 bits of length, and what fits into a datagram. */
    keep(3, 3 * TICKS, RED_BLOCK_BYTES_MAX + 1);
    packet = speech(4, 4 * TICKS, 20);
    assert_int_equal(depth_of(packet, 0, 4, &view), 0);
    packet_unref(packet, packets);
    keep(4, 4 * TICKS, 500);
    keep(5, 5 * TICKS, 400);
    packet = speech(6, 6 * TICKS, 300);
    assert_int_equal(depth_of(packet, 4, 4, &view), 1);
    assert_ok(red_build(&view, payload, REDUNDANCY_BYTES_MAX, &length));
    packet_unref(packet, packets);
}

static void test_timestamps_wrap(void **state)
{
    (void)state;
    struct red_view view;
    keep(0, UINT32_MAX - 100, SPEECH_BYTES);
    struct packet *packet = speech(1, UINT32_MAX - 100 + TICKS, SPEECH_BYTES);
    assert_int_equal(depth_of(packet, 0, 1, &view), 1);
    assert_int_equal(view.blocks[0].timestamp_back, TICKS);
    packet_unref(packet, packets);
}

/* ---- how much ---- */

static void test_depth_follows_the_loss(void **state)
{
    (void)state;
    struct loss_meter meter = {0};
    uint64_t now = 1000;
    for (int i = 0; i < 100; i++)
        loss_counted(&meter, 10, 0, now += 100);
    assert_int_equal(meter.red_depth, 0);
    /* Believed within a second... */
    for (int i = 0; i < 10; i++)
        loss_counted(&meter, 9, 1, now += 100);
    assert_in_range(meter.permille, 80, 100);
    assert_in_range(meter.red_depth, 2, 3);
    for (int i = 0; i < 10; i++)
        loss_counted(&meter, 7, 3, now += 100);
    assert_int_equal(meter.red_depth, 4);
    /* ...a report does not matter beside what is counted... */
    loss_reported(&meter, 0, now);
    assert_int_equal(meter.red_depth, 4);
    /* ...and forgotten in many. */
    uint64_t begin = now;
    while (meter.red_depth > 0)
        loss_counted(&meter, 10, 0, now += 100);
    assert_in_range(now - begin, 4000, 30000);
    loss_reported(&meter, 128, now + LOSS_COUNTED_MS);
    assert_int_equal(meter.red_depth, 4);
}

static void test_parity_is_for_long_round_trips(void **state)
{
    (void)state;
    struct loss_meter meter = {0};
    uint64_t now = 1000;
    for (int i = 0; i < 100; i++)
        loss_counted(&meter, 9, 1, now += 100);
    loss_round_trip(&meter, 60);
    assert_int_equal(meter.fec_every, 0); /* a repair comes in time */
    for (int i = 0; i < 60; i++)
        loss_round_trip(&meter, 250);
    assert_in_range(meter.fec_every, 3, 4);
    assert_int_equal(loss_fec_rest(&meter, 1000), 1000 * meter.fec_every / (meter.fec_every + 1));
    for (int i = 0; i < 300; i++)
        loss_counted(&meter, 50, 1, now += 100);
    assert_int_equal(meter.fec_every, LOSS_FEC_EVERY_MAX);
    for (int i = 0; i < 300; i++)
        loss_counted(&meter, 50, 0, now += 100);
    assert_int_equal(meter.fec_every, 0);
    assert_int_equal(loss_fec_rest(&meter, 1000), 1000);
}

static void test_copies_keep_to_the_link(void **state)
{
    (void)state;
    struct loss_meter meter = {0};
    uint64_t now = 1000;
    for (int i = 0; i < 100; i++)
        loss_counted(&meter, 7, 3, now += 100);
    assert_int_equal(meter.red_depth, 4);
    loss_room(&meter, 150000);
    assert_int_equal(meter.red_depth, 1);
    loss_room(&meter, 50000);
    assert_int_equal(meter.red_depth, 1);
    loss_room(&meter, 250000);
    assert_int_equal(meter.red_depth, 3);
    loss_room(&meter, UINT32_MAX);
    assert_int_equal(meter.red_depth, 4);
}

/* Publisher -> here -> subscriber, both ways losing; what of 20 ms pieces of speech is never there.
 */
static double concealed(uint32_t percent, uint8_t copies_up, uint64_t seed)
{
    enum { PACKETS = 20000 };
    static bool heard[PACKETS];
    memset(heard, 0, sizeof heard);
    struct redundancy_window window = {0};
    struct loss_meter meter = {0};
    uint32_t received = 0, lost = 0;
    for (int64_t i = 0; i < PACKETS; i++) {
        struct packet *packet = speech(i, (uint32_t)i * TICKS, SPEECH_BYTES);
        struct red_view view = {.count = copies_up + 1u};
        for (size_t k = 0; k <= copies_up; k++)
            view.blocks[k] = (struct red_block){OPUS, (uint16_t)((copies_up - k) * TICKS),
                                                (const uint8_t *)"speech", 6};
        wrap(packet, &view);
        struct redundancy_copies copies = {0};
        bool came = dice(&seed) % 100 >= percent || i == 0;
        if (came) {
            assert_true(redundancy_arrived(&window, i));
            assert_ok(redundancy_unwrap(packet, OPUS, &window, &copies));
        }
        for (size_t k = 0; came && k <= copies.count; k++) {
            struct packet *leaving = k == copies.count
                                         ? packet_ref(packet)
                                         : redundancy_packet(packet, &copies, k, packets);
            history_put(&history, leaving, packets);
            bool red = redundancy_view(&history, leaving, 0, meter.red_depth, OPUS, &view);
            bool arrives = dice(&seed) % 100 >= percent;
            received += arrives;
            lost += !arrives;
            if (arrives)
                heard[leaving->index] = true;
            for (size_t b = 0; arrives && red && b < view.count; b++)
                heard[leaving->index - view.blocks[b].timestamp_back / TICKS] = true;
            packet_unref(leaving, packets);
        }
        packet_unref(packet, packets);
        if (i % 5 == 4) {
            loss_counted(&meter, received, lost, (uint64_t)i * 20);
            received = lost = 0;
        }
    }
    size_t missing = 0;
    for (size_t i = 0; i < PACKETS; i++)
        missing += !heard[i];
    history_clear(&history, packets);
    return (double)missing / PACKETS;
}

static void test_speech_survives_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        /* Only the way to the subscriber loses something: Opus without RED up. */
        assert_true(concealed(0, 0, seed) == 0);
        /* Both ways, one copy on the way up as Chromium sends it: what remains is the way up. */
        assert_true(concealed(5, 1, seed) < 0.006);
        assert_true(concealed(10, 1, seed) < 0.016);
        assert_true(concealed(30, 2, seed) < 0.045);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_window, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_packets_are_made_from_copies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copies_are_chosen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits_of_the_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timestamps_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth_follows_the_loss, setup, teardown),
        cmocka_unit_test(test_parity_is_for_long_round_trips),
        cmocka_unit_test(test_copies_keep_to_the_link),
        cmocka_unit_test_setup_teardown(test_speech_survives_loss, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
