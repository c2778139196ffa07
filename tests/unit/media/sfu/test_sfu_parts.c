/* The small parts: packets, history, layer choice, key frame requests, addresses, formats. */
#include "core/clock.h"
#include "core/rng.h"
#include "media/sfu/addresses.h"
#include "media/sfu/history.h"
#include "media/sfu/keyframe.h"
#include "media/sfu/layers.h"
#include "media/sfu/payload.h"
#include "media/sfu/repairs.h"
#include "media/sfu/transport.h"
#include "media/sfu/window.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* ---- packets ---- */

static struct packets *packets_open(void)
{
    struct packets *packets;
    assert_int_equal(packets_new(4096, &packets), STATUS_OK);
    return packets;
}

static void test_packets_take_what_they_need(void **state)
{
    (void)state;
    static const size_t bytes[] = {0,
                                   PACKET_BYTES_SMALL,
                                   PACKET_BYTES_SMALL + 1,
                                   PACKET_BYTES_MEDIUM,
                                   PACKET_BYTES_MEDIUM + 1,
                                   PACKET_BYTES_MAX};
    enum { COUNT = sizeof bytes / sizeof bytes[0] };
    struct packets *packets = packets_open();
    struct packet *held[COUNT];
    size_t begin_bytes = packets_bytes(packets);
    assert_true(begin_bytes < PACKET_SIZES * PACKET_SLAB * (PACKET_BYTES_MAX + 192UL));
    for (int i = 0; i < COUNT; i++) {
        held[i] = packet_new(packets, bytes[i]);
        assert_non_null(held[i]);
        memset(held[i]->data, i, bytes[i]); /* AddressSanitizer looks on */
    }
    assert_int_equal(held[0]->size, held[1]->size);
    assert_int_not_equal(held[1]->size, held[2]->size);
    assert_int_equal(held[2]->size, held[3]->size);
    assert_int_not_equal(held[3]->size, held[4]->size);
    assert_null(packet_new(packets, PACKET_BYTES_MAX + 1));
    assert_int_equal(packets_used(packets), COUNT);
    for (int i = 0; i < COUNT; i++)
        packet_unref(held[i], i % 2 == 0 ? packets : NULL); /* by another thread, too */
    assert_int_equal(packets_used(packets), 0);
    struct packet *many[PACKET_SLAB + 1];
    for (int i = 0; i <= PACKET_SLAB; i++) {
        many[i] = packet_new(packets, 1);
        assert_non_null(many[i]);
    }
    assert_int_equal(packets_slabs(packets), PACKET_SIZES + 1);
    assert_int_equal(packets_bytes(packets) - begin_bytes,
                     PACKET_SLAB * ((sizeof(struct packet) + PACKET_BYTES_SMALL + 63) / 64 * 64));
    for (int i = 0; i <= PACKET_SLAB; i++)
        packet_unref(many[i], packets);
    packets_free(packets);
}

/* ---- history ---- */

static void keep(struct history *history, struct packets *packets, int64_t index, uint64_t now_ms)
{
    struct packet *packet = packet_new(packets, 1200);
    assert_non_null(packet);
    packet_facts_clear(packet);
    packet->index = index;
    packet->arrived_ns = now_ms * CLOCK_NS_PER_MS;
    history_put(history, packet, packets);
    packet_unref(packet, packets);
}

static void test_history_keeps_what_is_young(void **state)
{
    (void)state;
    struct packets *packets = packets_open();
    struct history history = {0};
    assert_int_equal(history_init(&history, 48), STATUS_INVALID);
    assert_int_equal(history_init(&history, 64), STATUS_OK);
    assert_null(history_get(&history, 0));
    const int64_t begin = -10; /* indexes may begin below zero: a late one before the first */
    for (int64_t i = begin; i < 200; i++) {
        if (i % 10 != 3)
            keep(&history, packets, i, 5000 + (uint64_t)(i - begin));
        assert_true(packets_used(packets) <= 64);
    }
    assert_non_null(history_get(&history, 199));
    assert_int_equal(history_get(&history, 150)->index, 150);
    assert_null(history_get(&history, 193)); /* a gap */
    assert_null(history_get(&history, 100)); /* too many since */
    assert_null(history_get(&history, 200));
    keep(&history, packets, 193, 5300); /* which is filled late */
    assert_int_equal(history_get(&history, 193)->index, 193);
    keep(&history, packets, 20, 5300); /* and what is too old finds no place */
    assert_null(history_get(&history, 20));
    history_expire(&history, (5200 + HISTORY_MS) * (uint64_t)CLOCK_NS_PER_MS, packets);
    assert_null(history_get(&history, 189));
    history_expire(&history, (6000 + HISTORY_MS) * (uint64_t)CLOCK_NS_PER_MS, packets);
    assert_int_equal(packets_used(packets), 0);
    keep(&history, packets, 1000000, 9000); /* a jump */
    assert_int_equal(history_get(&history, 1000000)->index, 1000000);
    history.keep_ms = history_keep_ms(10);
    keep(&history, packets, 1000001, 9000 + HISTORY_NEAR_MS + 50);
    assert_null(history_get(&history, 1000000));
    assert_non_null(history_get(&history, 1000001));
    assert_int_equal(history_keep_ms(0), HISTORY_MS);   /* nobody knows how far */
    assert_int_equal(history_keep_ms(500), HISTORY_MS); /* very far */
    history_fini(&history, packets);
    assert_int_equal(packets_used(packets), 0);
    packets_free(packets);
}

/* ---- layers ---- */

static void test_layer_for_a_height(void **state)
{
    (void)state;
    struct media_layer_info layers[3] = {
        {.height = 180, .active = true}, {.active = true}, {.height = 720, .active = true}};
    assert_int_equal(layers_height(layers, 3, 1), 360);
    assert_int_equal(layers_choose(layers, 3, 100, 3), 0);
    assert_int_equal(layers_choose(layers, 3, 180, 3), 0);
    assert_int_equal(layers_choose(layers, 3, 181, 3), 1);
    assert_int_equal(layers_choose(layers, 3, 400, 3), 2);
    assert_int_equal(layers_choose(layers, 3, 2000, 3), 2);
    assert_int_equal(layers_choose(layers, 3, 0, 3), 2);
    assert_int_equal(layers_choose(layers, 3, 0, 2), 1); /* the link is narrow */
    layers[1].active = false;
    assert_int_equal(layers_choose(layers, 3, 300, 3), 2);
    assert_int_equal(layers_choose(layers, 3, 300, 2), 0);
    layers[0].active = false;
    assert_int_equal(layers_choose(layers, 3, 300, 1), 2); /* the lowest there is */
    layers[2].active = false;
    assert_int_equal(layers_choose(layers, 3, 0, 3), LAYERS_NONE);
    const struct media_layer_info unknown[3] = {
        {.active = true}, {.active = true}, {.active = true}};
    assert_int_equal(layers_choose(unknown, 3, 360, 3), 1);
}

/* ---- key frames ---- */

static void test_keyframe_requests_are_spaced(void **state)
{
    (void)state;
    struct keyframe keyframe = {0};
    assert_false(keyframe_due(&keyframe, 1000));
    keyframe_want(&keyframe);
    assert_true(keyframe_due(&keyframe, 1000));
    for (uint64_t now_ms = 1000; now_ms < 1000 + KEYFRAME_SPACING_MS; now_ms += 7) {
        keyframe_want(&keyframe);
        assert_false(keyframe_due(&keyframe, now_ms));
    }
    assert_true(keyframe_due(&keyframe, 1000 + KEYFRAME_SPACING_MS));
    keyframe_came(&keyframe);
    assert_false(keyframe_due(&keyframe, 9000));
    keyframe_want(&keyframe);
    int asked = 0;
    for (uint64_t now_ms = 10000; now_ms < 60000; now_ms += 10)
        asked += keyframe_due(&keyframe, now_ms);
    assert_int_equal(asked, KEYFRAME_TRIES_MAX);
}

/* ---- addresses ---- */

static struct ice_address address_of(uint32_t number)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)(number >> 4)),
                                  .sin_addr.s_addr = htonl(0x0a000000 + (number & 0xff))};
    struct ice_address made;
    assert_int_equal(ice_address_from((const struct sockaddr *)&address, &made), STATUS_OK);
    return made;
}

static void test_addresses(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct addresses addresses = {0};
    struct transport *someone = (struct transport *)(uintptr_t)64;
    struct transport *other = (struct transport *)(uintptr_t)128;
    struct ice_address address = address_of(1);
    assert_null(addresses_find(&addresses, &address));
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct address_entry entry = {
            .address = address_of(i * 16),
            .transport = i % 3 == 0 ? NULL : someone,
            .worker = (uint8_t)(i % 7),
            .seen_ms = i < COUNT / 2 ? 0 : ADDRESSES_FOREIGN_MS,
        };
        assert_int_equal(addresses_put(&addresses, &entry), STATUS_OK);
    }
    assert_int_equal(addresses.count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        address = address_of(i * 16);
        const struct address_entry *entry = addresses_find(&addresses, &address);
        assert_non_null(entry);
        assert_int_equal(entry->worker, i % 7);
        addresses_remove(&addresses, &address, other); /* another's: stays */
    }
    assert_int_equal(addresses.count, COUNT);
    addresses_expire(&addresses, ADDRESSES_FOREIGN_MS + 1);
    assert_int_equal(addresses.count, COUNT - COUNT / 2 / 3);
    for (uint32_t i = 0; i < COUNT; i++) {
        address = address_of(i * 16);
        addresses_remove(&addresses, &address, i % 3 == 0 ? NULL : someone);
        assert_null(addresses_find(&addresses, &address));
    }
    assert_int_equal(addresses.count, 0);
    addresses_fini(&addresses);
}

/* ---- repairs ---- */

static void test_repairs_once_a_round_trip_and_within_a_share(void **state)
{
    (void)state;
    struct repairs repairs = {0};
    uint64_t now = 100000;
    /* A burst of 60 asked for twice: each goes once in a round trip. */
    for (int round = 0; round < 2; round++) {
        for (uint16_t i = 0; i < 60; i++)
            assert_int_equal(repairs_ask(&repairs, 3, (uint16_t)(65500 + i), 500, 80, 0, now + i),
                             round == 0 ? REPAIRS_SEND : REPAIRS_REPEATED);
        now += round == 0 ? 20 : 60;
    }
    assert_int_equal(repairs_ask(&repairs, 3, 65500, 500, 80, 0, now), REPAIRS_SEND);
    assert_int_equal(repairs_ask(&repairs, 4, 65500, 500, 80, 0, now), REPAIRS_SEND);
    assert_true(repairs_known(&repairs, 4, 65500, now + REPAIRS_KNOWN_MS - 1));
    assert_false(repairs_known(&repairs, 4, 65500, now + REPAIRS_KNOWN_MS));
    assert_false(repairs_known(&repairs, 4, 65501, now));
    /* A second copy takes of the same room, and leaves enough for the first ones of others. */
    repairs.room = 500 * (2 + REPAIRS_SPARE);
    assert_true(repairs_spare(&repairs, 500));
    assert_true(repairs_spare(&repairs, 500));
    assert_false(repairs_spare(&repairs, 500));
    assert_int_equal(repairs.room, 500 * REPAIRS_SPARE);
    /* Asked for without end on a link that is sent 1 Mbit/s: a third of it, and the floor. */
    repairs = (struct repairs){0};
    uint64_t sent = 0, repaired = 0;
    uint16_t sequence = 0;
    for (uint64_t ms = 0; ms < 20000; ms++) {
        sent += 125;
        for (int i = 0; i < 5; i++) {
            if (repairs_ask(&repairs, 0, sequence++, 1000, 50, sent, now + ms) != REPAIRS_SEND)
                continue;
            repaired += 1000;
            sent += 1000;
        }
    }
    uint64_t most = sent / REPAIRS_SHARE + 20000 * REPAIRS_FLOOR_BYTES_PER_MS + REPAIRS_ROOM_MAX;
    assert_true(repaired <= most);
    assert_true(repaired > 20000 * REPAIRS_FLOOR_BYTES_PER_MS);
}

/* ---- formats ---- */

static void test_a_format_finds_its_payload_type(void **state)
{
    (void)state;
    const struct payload payloads[] = {
        {.format = {.codec = MEDIA_CODEC_VP9, .vp9_profile = 2}, .type = 100},
        {.format = {.codec = MEDIA_CODEC_VP9}, .type = 98},
        {.format = {.codec = MEDIA_CODEC_H264,
                    .h264_profile_level_id = 0x64001f,
                    .h264_packetization_mode = 1},
         .type = 112},
        {.format = {.codec = MEDIA_CODEC_H264,
                    .h264_profile_level_id = 0x42e01f,
                    .h264_packetization_mode = 1},
         .type = 106},
        {.format = {.codec = MEDIA_CODEC_OPUS}, .type = 111},
    };
    struct packet_format format = {.codec = MEDIA_CODEC_VP9};
    assert_int_equal(payload_for(payloads, 5, &format)->type, 98);
    format = (struct packet_format){
        .codec = MEDIA_CODEC_H264, .h264_packetization_mode = 1, .h264_profile_level_id = 0x42e01f};
    assert_int_equal(payload_for(payloads, 5, &format)->type, 106);
    format.h264_profile_level_id = 0x42e034; /* another level: the first that can */
    assert_int_equal(payload_for(payloads, 5, &format)->type, 112);
    format.h264_profile_level_id = 0x4d001f; /* main: nobody */
    assert_null(payload_for(payloads, 5, &format));
    format = (struct packet_format){.codec = MEDIA_CODEC_OPUS};
    assert_int_equal(payload_for(payloads, 5, &format)->type, 111);
    format = (struct packet_format){.codec = MEDIA_CODEC_AV1};
    assert_null(payload_for(payloads, 5, &format));
}

/* A flush after `us`; returns the rest after it. */
static uint32_t flush_after(struct window *window, uint64_t us, size_t packets, size_t messages)
{
    window_flushed(window, packets, messages, window->flushed_ns + us * CLOCK_NS_PER_US);
    return window->rest_us;
}

static void test_a_worker_rests_where_it_pays(void **state)
{
    (void)state;
    struct window window = {.flushed_ns = 1000 * CLOCK_NS_PER_MS};
    /* Alone: never. */
    for (int i = 0; i < 10; i++)
        assert_int_equal(flush_after(&window, WINDOW_ALONE_US, 100, 100), 0);
    /* In a crowd: a little, and not longer while there is little load. */
    assert_int_equal(flush_after(&window, 500, 3, 3), WINDOW_IDLE_US);
    for (int i = 0; i < 20; i++)
        assert_int_equal(flush_after(&window, 500, 10, 2), WINDOW_IDLE_US);
    /* Under load as long as it lets packets share messages. */
    window_load(&window, 100000, 50); /* 2,000 a second to each */
    assert_int_equal(window.goal_us, WINDOW_SEGMENTS * 500);
    window_load(&window, 100000, 100);
    for (int i = 0; i < 20; i++)
        flush_after(&window, 1000, 10, 2);
    assert_int_equal(window.rest_us, WINDOW_MAX_US);
    assert_true(flush_after(&window, WINDOW_MAX_US, 100, 100) < WINDOW_MAX_US);
    for (int i = 0; i < 40; i++)
        flush_after(&window, 1000, WINDOW_FEW, WINDOW_FEW);
    assert_true(window.rest_us > WINDOW_IDLE_US);
    for (int i = 0; i < 40; i++)
        flush_after(&window, 1000, 100, 100);
    assert_int_equal(window.rest_us, WINDOW_IDLE_US);
    /* One that shares in four is enough to begin. */
    for (int i = 0; i < 40; i++) {
        flush_after(&window, 1000, 20, 10);
        for (int k = 0; k < 3; k++)
            flush_after(&window, 1000, 10, 10);
    }
    assert_true(window.rest_us > WINDOW_MAX_US / 2);
    /* Where a second packet to the same place is far: not at all. */
    window_load(&window, 100000, 300);
    assert_int_equal(flush_after(&window, 1000, 10, 2), WINDOW_IDLE_US);
    window_load(&window, 100000, 100);
    /* And no longer when the load is gone. */
    for (int i = 0; i < 20; i++)
        flush_after(&window, 1000, 10, 2);
    window_load(&window, 100, 1);
    assert_int_equal(flush_after(&window, 1000, 10, 2), WINDOW_IDLE_US);
    assert_int_equal(flush_after(&window, 2 * WINDOW_ALONE_US, 10, 2), 0);
}

static void test_a_busy_worker_rests_less(void **state)
{
    (void)state;
    struct window window = {0};
    assert_int_equal(window_nap_us(&window, 0), 0);
    window.rest_us = WINDOW_MAX_US;
    assert_int_equal(window_nap_us(&window, 100), WINDOW_MAX_US);
    assert_int_equal(window_nap_us(&window, 1200), WINDOW_BUDGET_US - 2400);
    assert_int_equal(window_nap_us(&window, WINDOW_BUDGET_US / 2), 0);
    assert_int_equal(window_nap_us(&window, UINT32_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets_take_what_they_need),
        cmocka_unit_test(test_history_keeps_what_is_young),
        cmocka_unit_test(test_layer_for_a_height),
        cmocka_unit_test(test_keyframe_requests_are_spaced),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_repairs_once_a_round_trip_and_within_a_share),
        cmocka_unit_test(test_a_format_finds_its_payload_type),
        cmocka_unit_test(test_a_worker_rests_where_it_pays),
        cmocka_unit_test(test_a_busy_worker_rests_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
