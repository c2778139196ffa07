/* The numbers of a slot: by hand first, then 2,000 random histories that a seed replays. */
#include "core/bytes.h"
#include "core/clock.h"
#include "core/rng.h"
#include "media/sfu/rewriter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLOCK = 90000, FRAME = 3000, FRAME_MS = 33 };

/* One layer of one source, and where it stands. */
struct layer {
    uint64_t source;
    uint8_t number;
    int64_t index;
    uint32_t timestamp;
    int32_t picture_id;
    uint8_t tl0picidx;
    uint16_t frame_number;
    bool long_picture_id;
};

static void packet_of(const struct layer *layer, uint64_t now_ns, struct packet *packet)
{
    packet_facts_clear(packet);
    packet->format.codec = MEDIA_CODEC_VP8;
    packet->source = layer->source;
    packet->layer = layer->number;
    packet->index = layer->index;
    packet->timestamp = layer->timestamp;
    packet->picture_id = layer->picture_id;
    packet->long_picture_id = layer->long_picture_id;
    packet->tl0picidx = layer->tl0picidx;
    packet->frame_number = layer->frame_number;
    packet->arrived_ns = now_ns;
    packet->payload_length = 100;
}

static void layer_next_frame(struct layer *layer, uint8_t temporal_id)
{
    layer->timestamp += FRAME;
    layer->picture_id = (layer->picture_id + 1) & (layer->long_picture_id ? 0x7fff : 0x7f);
    layer->frame_number++;
    if (temporal_id == 0)
        layer->tl0picidx++;
}

static struct layer layer_at(uint64_t source, uint8_t number, struct rng *rng)
{
    return (struct layer){
        .source = source,
        .number = number,
        .index = (int64_t)(rng_next(rng) & 0x1ffff),
        .timestamp = (uint32_t)rng_next(rng),
        .picture_id = (int32_t)rng_below(rng, 0x8000),
        .tl0picidx = (uint8_t)rng_next(rng),
        .frame_number = (uint16_t)rng_next(rng),
        .long_picture_id = true,
    };
}

static void test_a_stream_keeps_its_steps(void **state)
{
    (void)state;
    static struct packet packet;
    static struct rewriter_map map;
    struct rewriter rewriter;
    struct rng rng;
    rng_seed(&rng, 1);
    struct layer layer = layer_at(5, 0, &rng);
    /* Everything is about to wrap. */
    layer.timestamp = UINT32_MAX - 2 * FRAME;
    layer.picture_id = 0x7ffe;
    layer.tl0picidx = 254;
    layer.frame_number = 0xfffe;
    rewriter_init(&rewriter, UINT64_MAX, &map);
    struct rewritten before = {0}, now;
    for (int i = 0; i < 10; i++) {
        packet_of(&layer, (uint64_t)(i + 1) * FRAME_MS * CLOCK_NS_PER_MS, &packet);
        if (i == 0)
            rewriter_switch(&rewriter, &packet, 0, CLOCK, FRAME);
        assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_OK);
        if (i == 0) {
            assert_true(now.index < 0x8000); /* a receiver can guess the rollover counter */
        } else {
            assert_int_equal(now.index, before.index + 1);
            assert_int_equal((uint32_t)(now.timestamp - before.timestamp), FRAME);
            assert_int_equal(now.picture_id, (before.picture_id + 1) & 0x7fff);
            assert_int_equal(now.tl0picidx, (uint8_t)(before.tl0picidx + 1));
            assert_int_equal(now.frame_number, (uint16_t)(before.frame_number + 1));
        }
        before = now;
        layer.index++;
        layer_next_frame(&layer, 0);
    }
}

static void test_a_switch_goes_on(void **state)
{
    (void)state;
    static struct packet packet;
    struct rewriter rewriter;
    struct rng rng;
    rng_seed(&rng, 2);
    struct layer first = layer_at(5, 0, &rng), second = layer_at(6, 2, &rng);
    second.long_picture_id = false;
    second.picture_id = 100;
    rewriter_init(&rewriter, rng_next(&rng), NULL);
    struct rewritten before, now;
    packet_of(&first, CLOCK_NS_PER_MS, &packet);
    rewriter_switch(&rewriter, &packet, 0, CLOCK, FRAME);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &before), STATUS_OK);
    /* 100 ms later another source: 9,000 ticks. */
    packet_of(&second, 101 * CLOCK_NS_PER_MS, &packet);
    rewriter_switch(&rewriter, &packet, 0, CLOCK, FRAME);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_OK);
    assert_int_equal(now.index, before.index + 1);
    assert_int_equal((uint32_t)(now.timestamp - before.timestamp), 9000);
    assert_int_equal(now.picture_id, (before.picture_id + 1) & 0x7f);
    assert_int_equal(now.tl0picidx, (uint8_t)(before.tl0picidx + 1));
    /* At once: one frame. */
    before = now;
    packet_of(&first, 101 * CLOCK_NS_PER_MS, &packet);
    rewriter_switch(&rewriter, &packet, 0, CLOCK, FRAME);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_OK);
    assert_int_equal((uint32_t)(now.timestamp - before.timestamp), FRAME);
    /* A packet from before the switch has no number any more. */
    first.index--;
    packet_of(&first, 102 * CLOCK_NS_PER_MS, &packet);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_LATE);
    /* After a day of nothing the clock has gone on by a day. */
    before = (struct rewritten){.timestamp = rewriter.timestamp};
    packet_of(&second, (101 + UINT64_C(86400000)) * CLOCK_NS_PER_MS, &packet);
    rewriter_switch(&rewriter, &packet, 0, CLOCK, FRAME);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_OK);
    assert_int_equal((uint32_t)(now.timestamp - before.timestamp),
                     (uint32_t)(UINT64_C(86400) * CLOCK));
}

static void test_gaps_of_the_network_stay(void **state)
{
    (void)state;
    static struct packet packet;
    static struct rewriter_map map;
    struct rewriter rewriter;
    struct rng rng;
    rng_seed(&rng, 3);
    struct layer layer = layer_at(5, 0, &rng);
    rewriter_init(&rewriter, 7, &map);
    struct rewritten first, late, next, filled;
    packet_of(&layer, 1, &packet);
    rewriter_switch(&rewriter, &packet, 0, CLOCK, FRAME);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &first), STATUS_OK);
    layer.index += 3; /* two are missing */
    packet_of(&layer, 2, &packet);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &next), STATUS_OK);
    assert_int_equal(next.index, first.index + 3);
    struct rewriter_found found;
    assert_int_equal(rewriter_find(&rewriter, (uint16_t)(first.index + 1), &found),
                     STATUS_NOT_FOUND);
    layer.index -= 2; /* one comes late and has its place */
    packet_of(&layer, 3, &packet);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &late), STATUS_OK);
    assert_int_equal(late.index, first.index + 1);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &late), STATUS_DUPLICATE);
    assert_int_equal(rewriter_find(&rewriter, (uint16_t)(first.index + 1), &found), STATUS_OK);
    assert_int_equal(found.source_index, layer.index);
    layer.index++; /* the other one is left out, too late for its number not to exist */
    packet_of(&layer, 4, &packet);
    assert_int_equal(rewriter_omit(&rewriter, &packet, &filled), STATUS_EXISTS);
    assert_int_equal(filled.index, first.index + 2);
    assert_int_equal(rewriter_find(&rewriter, (uint16_t)filled.index, &found), STATUS_EXISTS);
    assert_int_equal(rewriter_omit(&rewriter, &packet, &filled), STATUS_DUPLICATE);
}

static void test_left_out_leaves_no_gap(void **state)
{
    (void)state;
    static struct packet packet;
    struct rewriter rewriter;
    struct rng rng;
    rng_seed(&rng, 4);
    struct layer layer = layer_at(5, 0, &rng);
    rewriter_init(&rewriter, 9, NULL);
    struct rewritten before = {0}, now;
    for (int i = 0; i < 100; i++) {
        uint8_t temporal_id = i % 2 == 0 ? 0 : 1;
        for (int part = 0; part < 3; part++) {
            packet_of(&layer, (uint64_t)i + 1, &packet);
            if (i == 0 && part == 0)
                rewriter_switch(&rewriter, &packet, 0, CLOCK, FRAME);
            layer.index++;
            if (temporal_id > 0) {
                assert_int_equal(rewriter_omit(&rewriter, &packet, &now), STATUS_OK);
                continue;
            }
            assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_OK);
            if (before.index != 0) {
                assert_int_equal(now.index, before.index + 1);
                assert_int_equal(now.picture_id, (before.picture_id + (part == 0)) & 0x7fff);
            }
            before = now;
        }
        layer_next_frame(&layer, temporal_id);
    }
}

static void test_packets_of_our_own_between(void **state)
{
    (void)state;
    static struct packet packet;
    static struct rewriter_map map;
    struct rewriter rewriter;
    struct rng rng;
    rng_seed(&rng, 5);
    struct layer layer = layer_at(5, 0, &rng);
    rewriter_init(&rewriter, 9, &map);
    struct rewritten first, now;
    struct rewriter_found found;
    packet_of(&layer, 1, &packet);
    rewriter_switch(&rewriter, &packet, 0, CLOCK, FRAME);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &first), STATUS_OK);
    assert_int_equal(rewriter_insert(&rewriter), first.index + 1);
    assert_int_equal(rewriter_insert(&rewriter), first.index + 2);
    assert_int_equal(rewriter_find(&rewriter, (uint16_t)(first.index + 2), &found), STATUS_EXISTS);
    assert_int_equal(found.index, first.index + 2);
    layer.index += 2; /* one is missing */
    packet_of(&layer, 2, &packet);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_OK);
    assert_int_equal(now.index, first.index + 4);
    assert_int_equal(now.picture_id, first.picture_id);
    assert_int_equal(rewriter_insert(&rewriter), first.index + 5);
    layer.index--; /* it comes late and has its place */
    packet_of(&layer, 3, &packet);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_OK);
    assert_int_equal(now.index, first.index + 3);
    layer.index += 2;
    packet_of(&layer, 4, &packet);
    assert_int_equal(rewriter_omit(&rewriter, &packet, &now), STATUS_OK);
    layer.index++;
    packet_of(&layer, 5, &packet);
    assert_int_equal(rewriter_forward(&rewriter, &packet, &now), STATUS_OK);
    assert_int_equal(now.index, first.index + 6);
    assert_int_equal(rewriter_find(&rewriter, (uint16_t)now.index, &found), STATUS_OK);
    assert_int_equal(found.source_index, layer.index);
}

/* ---- random histories ---- */

enum {
    HISTORIES = 2000,
    STEPS = 400,
    LAYERS = 3,
    DELAYED_MAX = 8,
    TAKEN_MAX = 1 << 17,
    OWN = 1, /* source of what is put in */
};

struct given {
    int64_t source_index;
    uint64_t source;
    uint8_t layer;
    struct rewritten rewritten;
};

struct world {
    struct rng rng;
    struct rewriter rewriter;
    struct rewriter_map map;
    struct layer layers[LAYERS];
    int carried;
    struct packet packet;
    struct packet delayed[DELAYED_MAX];
    bool delayed_omitted[DELAYED_MAX];
    int delayed_count;
    uint64_t now_ns;
    struct given given[STEPS * 8];
    size_t given_count;
    int64_t first, highest;
};

static void give(struct world *world, const struct packet *packet,
                 const struct rewritten *rewritten)
{
    for (size_t i = 0; i < world->given_count; i++) {
        if (world->given[i].rewritten.index == rewritten->index)
            fail_msg("number %lld given twice", (long long)rewritten->index);
    }
    world->given[world->given_count++] = (struct given){.source_index = packet->index,
                                                        .source = packet->source,
                                                        .layer = packet->layer,
                                                        .rewritten = *rewritten};
    if (rewritten->index > world->highest)
        world->highest = rewritten->index;
}

static void arrive(struct world *world, const struct packet *packet, bool omitted)
{
    struct rewritten rewritten;
    const struct rewriter_segment *segment = rewriter_segment_now(&world->rewriter);
    if (packet->source != segment->source || packet->layer != segment->layer)
        return; /* the slot carries something else by now */
    enum status status = omitted ? rewriter_omit(&world->rewriter, packet, &rewritten)
                                 : rewriter_forward(&world->rewriter, packet, &rewritten);
    if ((!omitted && status == STATUS_OK) || (omitted && status == STATUS_EXISTS))
        give(world, packet, &rewritten);
    if (omitted || status != STATUS_OK)
        return;
    struct rewriter_found found;
    assert_int_equal(rewriter_find(&world->rewriter, (uint16_t)rewritten.index, &found), STATUS_OK);
    assert_int_equal(found.source_index, packet->index);
    assert_int_equal(found.index, rewritten.index);
    struct rewritten again = rewriter_again(&found, packet);
    assert_int_equal(again.index, rewritten.index);
    assert_int_equal(again.timestamp, rewritten.timestamp);
    assert_int_equal(again.picture_id, rewritten.picture_id);
    assert_int_equal(again.tl0picidx, rewritten.tl0picidx);
    assert_int_equal(again.frame_number, rewritten.frame_number);
}

static void delayed_arrive(struct world *world)
{
    for (int i = 0; i < world->delayed_count; i++) {
        world->delayed[i].arrived_ns = world->now_ns;
        arrive(world, &world->delayed[i], world->delayed_omitted[i]);
    }
    world->delayed_count = 0;
}

static void step(struct world *world)
{
    struct layer *layer = &world->layers[world->carried];
    /* VP8 with three temporal levels: 0 2 1 2 */
    static const uint8_t pattern[] = {0, 2, 1, 2};
    uint8_t temporal_id = pattern[layer->timestamp / FRAME % 4];
    bool omitted = temporal_id > 0 && rng_below(&world->rng, 4) != 0;
    uint32_t parts = 1 + rng_below(&world->rng, 4);
    for (uint32_t part = 0; part < parts; part++) {
        world->now_ns += CLOCK_NS_PER_MS;
        packet_of(layer, world->now_ns, &world->packet);
        layer->index++;
        if (world->delayed_count < DELAYED_MAX && rng_below(&world->rng, 20) == 0) {
            world->delayed[world->delayed_count] = world->packet;
            world->delayed_omitted[world->delayed_count++] = omitted;
        } else {
            arrive(world, &world->packet, omitted);
        }
    }
    layer_next_frame(layer, temporal_id);
    if (rng_below(&world->rng, 8) == 0) {
        const struct rewritten own = {.index = rewriter_insert(&world->rewriter)};
        const struct packet none = {.source = OWN};
        give(world, &none, &own);
    }
    if (rng_below(&world->rng, 5) == 0)
        delayed_arrive(world);
}

static void switch_to(struct world *world, int carried)
{
    world->carried = carried;
    struct layer *layer = &world->layers[carried];
    layer->timestamp -= layer->timestamp % (4 * FRAME); /* a key frame is of level 0 */
    world->now_ns += CLOCK_NS_PER_MS;
    packet_of(layer, world->now_ns, &world->packet);
    layer->index++;
    rewriter_switch(&world->rewriter, &world->packet, 0, CLOCK, FRAME);
    arrive(world, &world->packet, false);
    layer_next_frame(layer, 0);
}

/* Within a segment the order is the source's, and what was not left out is complete. */
static void judge(const struct world *world, size_t begin)
{
    for (size_t i = begin; i < world->given_count; i++) {
        for (size_t j = begin; j < i; j++) {
            const struct given *a = &world->given[j], *b = &world->given[i];
            if (a->source == OWN || b->source == OWN)
                continue;
            assert_true((a->source_index < b->source_index) ==
                        (a->rewritten.index < b->rewritten.index));
        }
    }
}

static void run_history(struct world *world, uint64_t seed)
{
    *world = (struct world){0};
    rng_seed(&world->rng, seed);
    rewriter_init(&world->rewriter, rng_next(&world->rng), &world->map);
    for (uint8_t i = 0; i < LAYERS; i++)
        world->layers[i] = layer_at(i == 2 ? 9 : 5, i, &world->rng);
    world->highest = world->rewriter.next - 1;
    int64_t first = world->rewriter.next;
    switch_to(world, 0);
    size_t begin = 0;
    uint32_t steps = 20 + rng_below(&world->rng, STEPS / 4);
    for (uint32_t i = 0; i < steps; i++) {
        if (rng_below(&world->rng, 30) == 0) {
            delayed_arrive(world);
            judge(world, begin);
            begin = world->given_count;
            switch_to(world, (int)rng_below(&world->rng, LAYERS));
        }
        step(world);
    }
    delayed_arrive(world);
    judge(world, begin);
    /* Every number up to the highest went to exactly one packet: nothing that came was lost, and
     * nothing that was left out is missing. Only what is reserved behind the highest may be open.
     */
    assert_int_equal(world->given_count, world->highest - first + 1);
}

static void test_random_histories(void **state)
{
    (void)state;
    static struct world history;
    struct world *world = &history;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        /* cmocka leaves the test on failure: say first which seed it is. */
        char name[32];
        snprintf(name, sizeof name, "%llu", (unsigned long long)seed);
        setenv("REWRITER_SEED", name, 1);
        run_history(world, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_keeps_its_steps),
        cmocka_unit_test(test_a_switch_goes_on),
        cmocka_unit_test(test_gaps_of_the_network_stay),
        cmocka_unit_test(test_left_out_leaves_no_gap),
        cmocka_unit_test(test_packets_of_our_own_between),
        cmocka_unit_test(test_random_histories),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed != 0 && getenv("REWRITER_SEED") != NULL)
        fprintf(stderr, "seed %s\n", getenv("REWRITER_SEED"));
    return failed;
}
