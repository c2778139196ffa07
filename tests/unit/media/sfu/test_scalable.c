/* Streams of several layers: which frames a subscriber gets, and what becomes of their numbers. */
#include "media/sfu/needs.h"
#include "media/sfu/slot.h"
#include "media/sfu/slot_choose.h"
#include "media/sfu/slot_write.h"
#include "media/sfu/track_layers.h"
#include "tests/support/vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 3, FRAME_TICKS = 3000 };

/* ---- needs ---- */

static void structure_load(const char *name, struct dd_structure *structure)
{
    uint8_t bytes[256];
    struct dd_frame frame;
    size_t length = vector_load("av1-rtp/dependency_descriptor.txt", name, bytes, sizeof bytes);
    assert_int_equal(dd_parse(bytes, length, NULL, structure, &frame), STATUS_OK);
}

/* The frame of a template: the first of these ids that begins something or goes on. */
static uint16_t template_needs(const struct dd_structure *structure, uint8_t spatial,
                               uint8_t temporal, bool key)
{
    for (uint8_t i = 0; i < structure->template_count; i++) {
        const struct dd_template *template = &structure->templates[i];
        bool begins = template->fdiff_count == (spatial == 0 ? 0 : 1) &&
                      (spatial == 0 || template->fdiffs[0] == 1);
        if (template->spatial_id != spatial || template->temporal_id != temporal || begins != key)
            continue;
        struct codec_info info = {.has_dd = true, .spatial_id = spatial, .temporal_id = temporal};
        memcpy(info.dd.indications, template->indications, sizeof info.dd.indications);
        return needs_of(MEDIA_CODEC_AV1, &info, structure);
    }
    fail_msg("no template of layer %u level %u", spatial, temporal);
    return 0;
}

static void test_needs_by_decode_targets(void **state)
{
    (void)state;
    struct dd_structure full, keyed, levels;
    structure_load("l3t3", &full);
    structure_load("l3t3_key_shift", &keyed);
    structure_load("l1t3", &levels);
    for (uint8_t spatial = 0; spatial < LAYERS; spatial++) {
        for (uint8_t level = 0; level < MEDIA_TEMPORAL_MAX; level++) {
            /* A key picture is for everybody. */
            assert_true(needs_has(template_needs(&full, 0, 0, true), spatial, level));
            assert_true(needs_has(template_needs(&keyed, 0, 0, true), spatial, level));
            /* Later the lowest layer is for all where layers build on each other... */
            assert_true(needs_has(template_needs(&full, 0, 0, false), spatial, level));
            /* ...and for its own viewers where only key pictures do. */
            assert_int_equal(needs_has(template_needs(&keyed, 0, 0, false), spatial, level),
                             spatial == 0);
            /* Higher levels are for who takes them. */
            assert_int_equal(needs_has(template_needs(&full, 0, 1, false), spatial, level),
                             level >= 1);
            assert_int_equal(needs_has(template_needs(&levels, 0, 2, false), spatial, level),
                             level >= 2);
        }
    }
}

static void test_needs_by_the_payload(void **state)
{
    (void)state;
    struct codec_info info = {.spatial_id = 1, .temporal_id = 1};
    uint16_t needs = needs_of(MEDIA_CODEC_VP9, &info, NULL);
    assert_false(needs_has(needs, 0, 3));
    assert_false(needs_has(needs, 1, 0));
    assert_true(needs_has(needs, 1, 1));
    assert_true(needs_has(needs, 2, 3));
    info.vp9.not_reference_up = true;
    needs = needs_of(MEDIA_CODEC_VP9, &info, NULL);
    assert_true(needs_has(needs, 1, 1));
    assert_false(needs_has(needs, 2, 3));
    struct codec_info vp8 = {.temporal_id = 1};
    needs = needs_of(MEDIA_CODEC_VP8, &vp8, NULL);
    assert_false(needs_has(needs, 0, 0));
    assert_true(needs_has(needs, 0, 1));
    assert_true(needs_has(needs, 0, UINT8_MAX));
    /* Where every layer is forwarded, the highest one's view holds. */
    assert_int_equal(needs_flat(0x0f00, 3), 0xffff);
    assert_int_equal(needs_flat(0x00ff, 3), 0);
}

/* ---- a slot ---- */

struct world {
    struct slot slot;
    struct feed feed;
    struct rewriter rewriter;
    bool keyed; /* only key pictures go across layers */
    struct packet packet;
    int64_t index;
    uint32_t timestamp;
    int32_t picture;
    int64_t out;   /* last number given */
    int32_t shift; /* of picture ids */
};

static void world_begin(struct world *world, bool keyed)
{
    memset(world, 0, sizeof *world);
    world->keyed = keyed;
    world->index = 70000;
    world->picture = 100;
    world->slot.active.feed = &world->feed;
    world->slot.kind = MEDIA_VIDEO;
    world->slot.rewriter = &world->rewriter;
    world->slot.spatial_target = LAYERS - 1;
    world->feed.spatial = keyed ? FEED_SPATIAL_KEY : FEED_SPATIAL;
    allocation_init(&world->slot.allocation);
    rewriter_init(&world->rewriter, 12345, NULL);
    world->out = -1;
}

/* One picture of three layer frames of a packet each. Returns which layers were forwarded, a bit
 * each; checks that numbers go on and that the last one forwarded has the marker. */
static unsigned picture_send(struct world *world, bool key, uint8_t level)
{
    unsigned forwarded = 0;
    bool marked = false;
    world->timestamp += FRAME_TICKS;
    world->picture++;
    for (uint8_t layer = 0; layer < LAYERS; layer++) {
        struct packet *packet = &world->packet;
        packet_facts_clear(packet);
        packet->source = 7;
        packet->index = world->index++;
        packet->timestamp = world->timestamp;
        packet->format.codec = MEDIA_CODEC_VP9;
        packet->picture_id = world->picture;
        packet->long_picture_id = true;
        packet->start = packet->end = true;
        packet->marker = layer == LAYERS - 1;
        packet->key = key && layer == 0;
        packet->spatial_id = layer;
        packet->spatial_count = LAYERS;
        packet->temporal_id = level;
        packet->switching_up = true;
        packet->payload_length = 100;
        struct codec_info info = {.spatial_id = layer, .temporal_id = level};
        info.vp9.not_reference_up = world->keyed && !key;
        packet->needs = needs_of(MEDIA_CODEC_VP9, &info, NULL);
        if (rewriter_segment_now(&world->rewriter) == NULL) {
            slot_level_begin(&world->slot, packet);
            rewriter_switch(&world->rewriter, packet, world->slot.spatial, 90000, FRAME_TICKS);
        }
        struct rewritten rewritten;
        if (!slot_level_fits(&world->slot, packet)) {
            assert_int_equal(rewriter_omit(&world->rewriter, packet, &rewritten), STATUS_OK);
            continue;
        }
        assert_int_equal(rewriter_forward(&world->rewriter, packet, &rewritten), STATUS_OK);
        if (world->out >= 0) {
            assert_int_equal(rewritten.index, world->out + 1);
            /* VP9 names frames by distance: their numbers do not close up. */
            assert_int_equal((rewritten.picture_id - world->picture) & 0x7fff, world->shift);
        }
        world->shift = (rewritten.picture_id - world->picture) & 0x7fff;
        world->out = rewritten.index;
        assert_false(marked);
        const struct leaving leaving = {
            .packet = packet, .rewritten = &rewritten, .spatial = world->slot.spatial};
        marked = leaving_marker(&leaving);
        forwarded |= 1U << layer;
    }
    assert_true(marked || forwarded == 0);
    return forwarded;
}

static void test_layers_with_key_pictures(void **state)
{
    (void)state;
    static struct world world;
    world_begin(&world, true);
    assert_int_equal(picture_send(&world, true, 0), 7);
    assert_int_equal(picture_send(&world, false, 1), 4);
    assert_int_equal(picture_send(&world, false, 0), 4);
    /* Down: thinned at once, the layer itself goes at the next key picture. */
    world.slot.spatial_target = 0;
    world.slot.allocation.layer = 0;
    assert_true(slot_awaits_key(&world.slot));
    assert_int_equal(picture_send(&world, false, 1), 0);
    assert_int_equal(picture_send(&world, false, 0), 4);
    assert_int_equal(picture_send(&world, true, 0), 1);
    assert_int_equal(picture_send(&world, false, 1), 1);
    assert_int_equal(rewriter_segment_now(&world.rewriter)->spatial, 0);
    /* Up: at a key picture too. */
    world.slot.spatial_target = 1;
    world.slot.allocation.layer = 1;
    assert_int_equal(picture_send(&world, false, 0), 1);
    assert_int_equal(picture_send(&world, true, 0), 3);
    assert_int_equal(picture_send(&world, false, 0), 2);
    assert_int_equal(rewriter_segment_now(&world.rewriter)->spatial, 1);
}

static void test_layers_that_build_on_each_other(void **state)
{
    (void)state;
    static struct world world;
    world_begin(&world, false);
    assert_int_equal(picture_send(&world, true, 0), 7);
    assert_int_equal(picture_send(&world, false, 1), 7);
    /* Down at the next picture... */
    world.slot.spatial_target = 1;
    assert_int_equal(picture_send(&world, false, 0), 3);
    /* ...up at a key picture. */
    world.slot.spatial_target = 2;
    assert_int_equal(picture_send(&world, false, 0), 3);
    assert_int_equal(picture_send(&world, true, 0), 7);
}

static void test_levels(void **state)
{
    (void)state;
    static struct world world;
    world_begin(&world, true);
    assert_int_equal(picture_send(&world, true, 0), 7);
    world.slot.allocation.temporal = 0;
    assert_int_equal(picture_send(&world, false, 1), 0);
    assert_int_equal(picture_send(&world, false, 0), 4);
    world.slot.allocation.layer = LAYERS - 1;
    world.slot.allocation.temporal = ALLOCATION_TEMPORAL_ALL;
    assert_int_equal(picture_send(&world, false, 1), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_needs_by_decode_targets),
        cmocka_unit_test(test_needs_by_the_payload),
        cmocka_unit_test(test_layers_with_key_pictures),
        cmocka_unit_test(test_layers_that_build_on_each_other),
        cmocka_unit_test(test_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
