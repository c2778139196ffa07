/* What is said of transports while they run, against what their peers sent and got. */
#include "media/sfu/slot_stats.h"
#include "media/stats.h"
#include "tests/support/media_stage.h"

#include <stdlib.h>

static void test_switches_keep_the_last(void **state)
{
    (void)state;
    struct slot_stats stats = {0};
    for (uint8_t i = 0; i < MEDIA_SWITCHES_MAX + 3; i++) {
        const struct media_switch change = {.ms = i, .reason = MEDIA_SWITCH_SIZE, .to = 1};
        slot_stats_switch(&stats, &change);
    }
    assert_int_equal(stats.switch_count, MEDIA_SWITCHES_MAX);
    assert_int_equal(stats.switches[stats.switch_next].ms, 3); /* the oldest kept */
}

static void test_report_counts_what_is_new(void **state)
{
    (void)state;
    struct slot_stats stats = {0};
    struct rtcp_block block = {.cumulative_lost = 7, .fraction_lost = 64, .jitter = 90};
    assert_int_equal(slot_stats_report(&stats, &block), 7);
    assert_int_equal(slot_stats_report(&stats, &block), 0);
    block.cumulative_lost = 5; /* found again, or counted twice */
    assert_int_equal(slot_stats_report(&stats, &block), 0);
    block.cumulative_lost = 6;
    assert_int_equal(slot_stats_report(&stats, &block), 1);
    assert_int_equal(stats.fraction_lost, 64);
}

static void test_bitrate(void **state)
{
    (void)state;
    struct slot_stats stats = {.measured_ms = 5000};
    slot_stats_measure(&stats, 1000, 5500);
    assert_int_equal(stats.bitrate, 0); /* too early */
    slot_stats_measure(&stats, 125000, 6000);
    assert_int_equal(stats.bitrate, 1000000);
    slot_stats_measure(&stats, 125000, 7000);
    assert_int_equal(stats.bitrate, 0);
}

/* What this member's owner says of it. */
static const struct media_transport_stats *look(const struct member *member,
                                                struct media_transport_stats *row)
{
    *row = (struct media_transport_stats){.id = member->id};
    assert_int_equal(media_stats(stage.media, member->worker, row, 1), STATUS_OK);
    return row;
}

static void test_both_ends_of_a_stream(void **state)
{
    (void)state;
    struct media_transport_stats *row = malloc(sizeof *row);
    struct member *publisher = member_join(0);
    struct member *viewer = member_join_elsewhere(0, publisher->worker);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > 20);

    /* The last ones may lie in the socket still. */
    for (int i = 0;
         i < WAIT_MS && look(publisher, row)->streams[0].packets < publisher->sequences[1]; i++)
        crowd_turn(stage.peers, 1);
    assert_true(row->found);
    assert_int_equal(row->stream_count, 1);
    assert_int_equal(row->streams[0].track, CAMERA);
    assert_int_equal(row->streams[0].codec, MEDIA_CODEC_VP8);
    assert_int_equal(row->streams[0].lost, 0);
    assert_int_equal(row->streams[0].packets, publisher->sequences[1]);
    assert_int_equal(row->slot_count, 0);

    assert_true(look(viewer, row)->found);
    assert_int_equal(row->stream_count, 0);
    assert_int_equal(row->slot_count, 1);
    const struct media_slot_stats *slot = &row->slots[0];
    assert_int_equal(slot->slot, SLOT_TILE);
    assert_int_equal(slot->state, MEDIA_SLOT_LIVE);
    assert_int_equal(slot->source.transport, publisher->id);
    assert_int_equal(slot->layer, 0);
    WAIT_FOR(received_on(viewer, ssrc) >= slot->packets);
    assert_int_equal(slot->switch_count, 1);
    assert_int_equal(slot->switches[0].reason, MEDIA_SWITCH_SOURCE);
    assert_int_equal(slot->switches[0].from, -1);
    assert_int_equal(slot->switches[0].to, 0);
    free(row);
}

static void test_strangers_are_not_found(void **state)
{
    (void)state;
    struct media_transport_stats *row = malloc(sizeof *row);
    const struct member *member = member_join(0);
    *row = (struct media_transport_stats){.id = member->id, .found = true, .slot_count = 3};
    assert_int_equal(media_stats(stage.media, (uint8_t)(1 - member->worker), row, 1), STATUS_OK);
    assert_false(row->found);
    assert_int_equal(row->slot_count, 0);
    assert_int_equal(media_stats(stage.media, 2, row, 1), STATUS_INVALID);
    assert_int_equal(media_stats(stage.media, 0, row, MEDIA_STATS_BATCH_MAX + 1), STATUS_INVALID);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_switches_keep_the_last),
        cmocka_unit_test(test_report_counts_what_is_new),
        cmocka_unit_test(test_bitrate),
        cmocka_unit_test_setup_teardown(test_both_ends_of_a_stream, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_strangers_are_not_found, stage_open, stage_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
