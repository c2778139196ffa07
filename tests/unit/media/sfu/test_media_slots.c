/* What reaches whom, through media_new() over loopback sockets: real ICE, DTLS and SRTP. */
#include "core/bytes.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/vp8.h"
#include "media/sfu/history.h"
#include "tests/support/clock_shift.h"
#include "tests/support/media_stage.h"

#include <string.h>

static void test_one_publisher_one_subscriber(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *near = member_join(0);
    struct member *far = member_join_elsewhere(0, publisher->worker);
    tile_want(near, 0, publisher, 0);
    tile_want(far, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0,
               near->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE &&
                   far->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    uint32_t near_ssrc = member_base(near) + 100 + SLOT_TILE;
    uint32_t far_ssrc = member_base(far) + 100 + SLOT_TILE;
    SEND_UNTIL(publisher, false, 0,
               received_on(near, near_ssrc) > 40 && received_on(far, far_ssrc) > 40);
    assert_continuous(near, near_ssrc);
    assert_continuous(far, far_ssrc);
    for (size_t i = 0; i < far->received_count; i++)
        assert_int_equal(far->received[i].header.csrc_count, 1);
    SEND_UNTIL(publisher, false, 0, publisher->feedbacks > 2);
}

static void test_voices(void **state)
{
    (void)state;
    struct member *alice = member_join(7);
    struct member *bob = member_join(7);
    struct member *carol = member_join_elsewhere(7, alice->worker);
    voices_want(alice);
    voices_want(bob);
    voices_want(carol);
    uint64_t end_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
    bool told = false;
    while ((received_on(carol, member_base(carol) + 100) < 20 ||
            received_on(bob, member_base(bob) + 100) < 20 || !told) &&
           clock_mono_ns() < end_ns) {
        send_audio(alice, 20);
        send_audio(bob, 127);
        for (int turn = 0; turn < 3; turn++)
            crowd_turn(stage.peers, 2);
        lock_take(&stage.lock);
        told = stage.speaker_count == 1;
        lock_give(&stage.lock);
    }
    assert_true(received_on(carol, member_base(carol) + 100) >= 20);
    assert_true(received_on(bob, member_base(bob) + 100) >= 20);
    assert_continuous(carol, member_base(carol) + 100);
    /* Nobody hears herself, and the silent one is not forwarded. */
    assert_int_equal(alice->received_count, 0);
    assert_int_equal(received_on(carol, member_base(carol) + 101), 0);
    lock_take(&stage.lock);
    assert_int_equal(stage.speaker_count, 1);
    assert_int_equal(stage.speakers[0], alice->id);
    lock_give(&stage.lock);
    WAIT_FOR(stage.speaker_count == 0); /* she has stopped */
}

/* The peer says how much it loses on this stream. */
static void report_loss(const struct member *member, uint32_t ssrc, uint8_t fraction)
{
    uint8_t bytes[64];
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
    const struct rtcp_block block = {.ssrc = ssrc, .fraction_lost = fraction};
    assert_int_equal(rtcp_write_rr(&writer, 1, &block, 1), STATUS_OK);
    peer_send_rtcp(member->peer, bytes, writer.length);
}

static void test_redundant_audio(void **state)
{
    (void)state;
    struct member *alice = member_join(8);
    struct member *bob = member_join_elsewhere(8, alice->worker);
    uint32_t ssrc = member_base(bob) + 100;
    voices_want(bob);
    uint64_t end_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
    for (unsigned i = 0; received_on(bob, ssrc) < 40 && clock_mono_ns() < end_ns; i++) {
        send_red(alice, 2, i % 5 == 3 || i % 5 == 4); /* two of five are lost on the way here */
        crowd_turn(stage.peers, 2);
    }
    /* Bob hears them all, as plain Opus while he loses nothing himself. */
    assert_true(received_on(bob, ssrc) >= 40);
    assert_continuous(bob, ssrc);
    for (size_t i = 1; i < bob->received_count; i++) {
        const struct received *now = &bob->received[i], *before = now - 1;
        assert_int_equal(now->header.payload_type, OPUS);
        assert_int_equal(now->header.timestamp - before->header.timestamp, 960);
        assert_int_equal((uint8_t)(now->head[0] - before->head[0]), 1);
        assert_int_equal(now->header.payload_length, 60);
    }
    size_t before = bob->received_count;
    report_loss(bob, ssrc, 64);
    send_red(alice, 2, false); /* the last two may have been lost ones */
    while (received_on(bob, ssrc) < before + 40 && clock_mono_ns() < end_ns) {
        send_red(alice, 0, false);
        crowd_turn(stage.peers, 2);
    }
    const struct received *last = &bob->received[bob->received_count - 1];
    assert_int_equal(last->header.payload_type, RED);
    /* A quarter lost was believed by half: three copies. */
    assert_int_equal(last->header.payload_length, 3 * 4 + 1 + 4 * 60);
    assert_int_equal(last->head[0], 0x80 | OPUS);
    assert_int_equal(load_be24(last->head + 1), 3 * 960 << 10 | 60);
    assert_int_equal(last->head[12], OPUS);
    assert_continuous(bob, ssrc);
    /* Another voice in the same lane begins without the first one's words. */
    struct member *carol = member_join(8);
    clock_leap_ms(3000);
    WAIT_FOR(stage.speaker_count == 0); /* alice has lost her lane */
    before = bob->received_count;
    end_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
    while (received_on(bob, ssrc) < before + 10 && clock_mono_ns() < end_ns) {
        send_red(carol, 0, false);
        crowd_turn(stage.peers, 2);
    }
    bool begun = false;
    uint32_t base = 0;
    for (size_t i = before; i < bob->received_count; i++) {
        const struct received *received = &bob->received[i];
        if (received->header.csrcs[0] != bob->received[before - 1].header.csrcs[0] && !begun) {
            begun = true;
            base = received->header.timestamp;
            assert_int_equal(received->header.payload_type, OPUS);
        }
        if (begun && received->header.payload_type == RED)
            assert_true((int32_t)(received->header.timestamp -
                                  (load_be24(received->head + 1) >> 10) - base) >= 0);
    }
    assert_true(begun);
    assert_continuous(bob, ssrc);
}

/* The peer says how much it loses, and how long ago it was sent what it reports of. */
static void report_far(const struct member *member, uint32_t ssrc, uint8_t fraction,
                       uint32_t rtt_ms)
{
    uint8_t bytes[64];
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
    const struct rtcp_block block = {.ssrc = ssrc,
                                     .fraction_lost = fraction,
                                     .last_sr = rtcp_ntp_middle(clock_ntp()) -
                                                (uint32_t)((uint64_t)rtt_ms * 65536 / 1000)};
    assert_int_equal(rtcp_write_rr(&writer, 1, &block, 1), STATUS_OK);
    peer_send_rtcp(member->peer, bytes, writer.length);
}

/* As a receiver keeps it: RED's header taken off, what the sender wrote last cleared. */
static size_t unwrapped(const struct received *received, uint8_t *out)
{
    const struct rtp_header *header = &received->header;
    struct rtp_element element;
    memcpy(out, received->bytes, header->payload_offset);
    rtp_payload_type_set(out, received->head[0]);
    assert_true(rtp_element_find(out, header, EXT_TWCC, &element));
    memset(out + (element.value - out), 0, element.length);
    size_t rest = header->payload_length - 1;
    memcpy(out + header->payload_offset, received->bytes + header->payload_offset + 1, rest);
    return header->payload_offset + rest;
}

static const struct received *numbered(const struct member *member, uint32_t ssrc,
                                       uint16_t sequence)
{
    for (size_t i = 0; i < member->received_count; i++) {
        const struct received *received = &member->received[i];
        if (received->header.ssrc == ssrc && received->header.sequence == sequence)
            return received;
    }
    return NULL;
}

/* Each of the packets that this parity names can be made from it and the others. */
static size_t assert_recovers(const struct member *member, const struct received *parity)
{
    const uint8_t *fec = parity->bytes + parity->header.payload_offset + 1;
    uint16_t base = load_be16(fec + 2);
    size_t named = 0;
    for (uint16_t lost = 0; lost < 48; lost++) {
        uint8_t body[RECEIVED_BYTES] = {0}, one[RECEIVED_BYTES], original[RECEIVED_BYTES];
        size_t original_length = 0;
        if ((fec[12 + lost / 8] >> (7 - lost % 8) & 1) == 0)
            continue;
        named++;
        uint16_t length = load_be16(fec + 8);
        uint8_t second = fec[1];
        memcpy(body, fec + 18, load_be16(fec + 10));
        for (uint16_t ahead = 0; ahead < 48; ahead++) {
            if ((fec[12 + ahead / 8] >> (7 - ahead % 8) & 1) == 0)
                continue;
            const struct received *media =
                numbered(member, parity->header.ssrc, (uint16_t)(base + ahead));
            assert_non_null(media);
            assert_int_equal(media->header.payload_type, VIDEO_RED);
            assert_int_equal(media->head[0], VP8);
            if (ahead == lost) {
                original_length = unwrapped(media, original);
                continue;
            }
            size_t size = unwrapped(media, one);
            length ^= (uint16_t)(size - 12);
            second ^= one[1];
            for (size_t at = 12; at < size; at++)
                body[at - 12] ^= one[at];
        }
        assert_int_equal(length + 12, original_length);
        assert_int_equal(second, original[1]);
        assert_memory_equal(body, original + 12, length);
    }
    return named;
}

/* RTX packets that only say that there was nothing under this number. */
static size_t empty_answers(const struct member *member, uint32_t rtx_ssrc, uint16_t sequence)
{
    size_t count = 0;
    for (size_t i = 0; i < member->received_count; i++) {
        const struct received *received = &member->received[i];
        count += received->header.ssrc == rtx_ssrc && received->header.payload_type == VP8_RTX &&
                 received->header.payload_length == 2 && load_be16(received->head) == sequence;
    }
    return count;
}

static void test_parity_where_repairs_come_late(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    uint32_t rtx_ssrc = member_base(viewer) + 200 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > 10);
    for (size_t i = 0; i < viewer->received_count; i++)
        assert_int_equal(viewer->received[i].header.payload_type, VP8);
    /* A tenth is lost, and an answer takes 300 ms. */
    report_far(viewer, ssrc, 51, 300);
    size_t before = viewer->received_count;
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 60);
    assert_continuous(viewer, ssrc);
    size_t parities = 0, named = 0;
    const struct received *last = NULL;
    for (size_t i = before; i < viewer->received_count; i++) {
        const struct received *received = &viewer->received[i];
        if (received->header.payload_type != VIDEO_RED || received->head[0] != ULPFEC)
            continue;
        last = received;
        parities++;
        named += assert_recovers(viewer, received);
    }
    assert_true(parities > 5);
    assert_true(named >= 2 * parities);
    /* It is not kept: who asks for it is told that there was nothing to wait for. */
    uint8_t bytes[64];
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
    assert_int_equal(rtcp_write_rr(&writer, 1, NULL, 0), STATUS_OK);
    assert_int_equal(rtcp_write_nack(&writer, 1, ssrc, &last->header.sequence, 1), STATUS_OK);
    peer_send_rtcp(viewer->peer, bytes, writer.length);
    WAIT_FOR(empty_answers(viewer, rtx_ssrc, last->header.sequence) == 1);
    /* Near again: plain media, once what waits for the pacer has left. */
    for (int i = 0; i < 40; i++)
        report_far(viewer, ssrc, 0, 10);
    SEND_UNTIL(publisher, false, 0,
               viewer->received[viewer->received_count - 1].header.payload_type == VP8);
    assert_continuous(viewer, ssrc);
}

static void test_layers_and_switches(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 180);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    SEND_UNTIL(publisher, true, 2, stage.layer_count == 3);
    assert_int_equal(viewer->slot_layers[SLOT_TILE], 0);
    tile_want(viewer, 0, publisher, 720);
    size_t plis = publisher->plis;
    /* Without a key frame of the new layer the old one goes on, and the publisher is asked. */
    SEND_UNTIL(publisher, false, 2, publisher->plis > plis);
    size_t before = received_on(viewer, ssrc);
    const struct frame unfit = {.layer = 2, .packets = 2};
    for (int i = 0; i < 20; i++) {
        send_frame(publisher, &unfit);
        crowd_turn(stage.peers, 2);
    }
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
    assert_int_equal(viewer->slot_layers[SLOT_TILE], 0);
    SEND_UNTIL(publisher, true, 2, viewer->slot_layers[SLOT_TILE] == 2);
    SEND_UNTIL(publisher, false, 2, received_on(viewer, ssrc) > before + 30);
    assert_continuous(viewer, ssrc);
    /* Another source in the same slot. */
    struct member *other = member_join(0);
    tile_want(viewer, 0, other, 0);
    before = received_on(viewer, ssrc);
    SEND_UNTIL(publisher, false, 2, received_on(viewer, ssrc) > before + 4);
    SEND_UNTIL(other, true, 0,
               viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE &&
                   viewer->slot_layers[SLOT_TILE] == 0);
    before = received_on(viewer, ssrc);
    SEND_UNTIL(other, false, 0, received_on(viewer, ssrc) > before + 10);
    assert_continuous(viewer, ssrc);
    uint16_t picture = 0;
    uint32_t timestamp = 0;
    for (size_t i = 0; i < viewer->received_count; i++) {
        const struct received *received = &viewer->received[i];
        struct vp8_descriptor descriptor;
        if (received->header.ssrc != ssrc)
            continue;
        assert_int_equal(vp8_parse(received->head, sizeof received->head, &descriptor), STATUS_OK);
        if (timestamp != 0 && descriptor.partition_start) {
            assert_int_equal(vp8_picture_id_diff(descriptor.picture_id, picture, true), 1);
            assert_true((int32_t)(received->header.timestamp - timestamp) > 0);
        }
        picture = descriptor.picture_id;
        timestamp = received->header.timestamp;
    }
}

static void test_loss_is_repaired(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join_elsewhere(0, publisher->worker);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    uint32_t rtx_ssrc = member_base(viewer) + 200 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > 10);
    /* What the publisher's network loses is asked for from the publisher... */
    const struct frame holed = {.layer = 0, .packets = 3, .lose = 2};
    uint16_t lost = (uint16_t)(publisher->sequences[1] + 1);
    send_frame(publisher, &holed);
    SEND_UNTIL(publisher, false, 0, publisher->nacks > 0);
    assert_int_equal(publisher->nacked, lost);
    /* ...and what the subscriber lost comes by RTX from here. */
    uint16_t wanted = viewer->received[viewer->received_count - 1].header.sequence;
    uint8_t bytes[64];
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
    assert_int_equal(rtcp_write_rr(&writer, 1, NULL, 0), STATUS_OK);
    assert_int_equal(rtcp_write_nack(&writer, 1, ssrc, &wanted, 1), STATUS_OK);
    peer_send_rtcp(viewer->peer, bytes, writer.length);
    WAIT_FOR(received_on(viewer, rtx_ssrc) == 1);
    const struct received *repair = &viewer->received[viewer->received_count - 1];
    assert_int_equal(repair->header.payload_type, VP8_RTX);
    assert_int_equal(load_be16(repair->head), wanted);
    /* A picture that cannot be decoded leads to one request for a key frame. */
    size_t plis = publisher->plis;
    writer = rtcp_writer_of(bytes, sizeof bytes);
    assert_int_equal(rtcp_write_rr(&writer, 1, NULL, 0), STATUS_OK);
    assert_int_equal(rtcp_write_pli(&writer, 1, ssrc), STATUS_OK);
    peer_send_rtcp(viewer->peer, bytes, writer.length);
    WAIT_FOR(publisher->plis > plis);
}

/* The newest packet received begins a frame that needs others. */
static bool ends_in_delta(const struct member *viewer)
{
    struct vp8_descriptor descriptor;
    const struct received *newest = &viewer->received[viewer->received_count - 1];
    return vp8_parse(newest->head, sizeof newest->head, &descriptor) == STATUS_OK &&
           descriptor.partition_start && !descriptor.key_frame;
}

/* What nobody has any more is missing until the next key frame. */
static void test_what_is_gone_begins_anew(void **state)
{
    (void)state;
    struct member *publisher = member_join(0), *viewer = member_join(0);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    /* The requests that led here are answered, held-back ones too. */
    clock_leap_ms(HISTORY_MS);
    SEND_UNTIL(publisher, true, 0, received_on(viewer, ssrc) > 20);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > 30 && ends_in_delta(viewer));
    uint16_t wanted = viewer->received[viewer->received_count - 1].header.sequence;
    size_t had = received_on(viewer, ssrc);
    clock_leap_ms(HISTORY_MS + 1000);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > had + 10);
    size_t plis = publisher->plis;
    uint8_t bytes[64];
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
    assert_int_equal(rtcp_write_rr(&writer, 1, NULL, 0), STATUS_OK);
    assert_int_equal(rtcp_write_nack(&writer, 1, ssrc, &wanted, 1), STATUS_OK);
    peer_send_rtcp(viewer->peer, bytes, writer.length);
    SEND_UNTIL(publisher, false, 0, publisher->plis > plis);
}

static void test_gate_and_close(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    const struct media_source camera = {
        .transport = publisher->id, .track = CAMERA, .worker = publisher->worker};
    media_track_gate(stage.media, camera, false);
    size_t before = SIZE_MAX;
    for (int i = 0; i < 200 && before != received_on(viewer, ssrc); i++) {
        before = received_on(viewer, ssrc);
        for (int turn = 0; turn < 10; turn++)
            crowd_turn(stage.peers, 2);
    }
    const struct frame frame = {.layer = 0, .packets = 2};
    for (int i = 0; i < 20; i++) {
        send_frame(publisher, &frame);
        crowd_turn(stage.peers, 2);
    }
    assert_int_equal(received_on(viewer, ssrc), before);
    media_track_gate(stage.media, camera, true);
    SEND_UNTIL(publisher, true, 0, received_on(viewer, ssrc) > before + 4);
    media_transport_close(stage.media, publisher->id);
    WAIT_FOR(viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_EMPTY);
    /* The peer that goes by itself is reported. */
    peer_free(viewer->peer);
    WAIT_FOR(viewer->failed);
}

/* Many talk, three workers: everybody hears the same three, on lanes that stay. */
static void test_a_room_on_three_workers(void **state)
{
    (void)state;
    enum { PEOPLE = 8, TALKING = 4, ROUNDS = 60 };
    struct member *people[PEOPLE];
    uint32_t workers = 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        people[i] = member_join(11);
        workers |= 1U << people[i]->worker;
        voices_want(people[i]);
    }
    assert_true(workers != 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < PEOPLE; i++)
            send_audio(people[i], i < TALKING ? 25 : 127);
        for (int turn = 0; turn < 4; turn++)
            crowd_turn(stage.peers, 2);
    }
    WAIT_FOR(stage.speaker_count == 3);
    for (size_t i = 0; i < PEOPLE; i++) {
        size_t lanes = 0;
        bool heard[PEOPLE] = {false};
        for (size_t at = 0; at < people[i]->received_count; at++) {
            /* send_audio fills the payload with the speaker's id. */
            uint64_t who = people[i]->received[at].head[0];
            for (size_t j = 0; j < PEOPLE; j++)
                heard[j] = heard[j] || people[j]->id == who;
        }
        assert_false(heard[i]);
        for (size_t j = TALKING; j < PEOPLE; j++)
            assert_false(heard[j]);
        for (uint32_t lane = 0; lane < SLOT_VOICES; lane++) {
            if (received_on(people[i], member_base(people[i]) + 100 + lane) == 0)
                continue;
            lanes++;
            assert_continuous(people[i], member_base(people[i]) + 100 + lane);
        }
        bool speaks = false;
        for (size_t j = 0; j < stage.speaker_count; j++)
            speaks = speaks || stage.speakers[j] == people[i]->id;
        assert_int_equal(lanes, speaks ? 2 : 3);
    }
}

static bool hears(const struct member *listener, const struct member *speaker)
{
    for (size_t at = 0; at < listener->received_count; at++) {
        if (listener->received[at].head[0] == (uint8_t)speaker->id)
            return true;
    }
    return false;
}

static bool all_hear(struct member *const *people, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (i != j && !hears(people[i], people[j]))
                return false;
        }
    }
    return true;
}

/* As many talk as there are lanes, and one after another is replaced by somebody new. */
static void test_voices_after_departures(void **state)
{
    (void)state;
    enum { PEOPLE = SLOT_VOICES, DEPARTURES = MEMBERS_MAX - PEOPLE };
    struct member *people[PEOPLE];
    for (size_t i = 0; i < PEOPLE; i++) {
        people[i] = member_join(12);
        voices_want(people[i]);
    }
    for (size_t departures = 0; departures <= DEPARTURES; departures++) {
        for (size_t i = 0; i < PEOPLE; i++)
            people[i]->received_count = 0;
        uint64_t end_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
        while (!all_hear(people, PEOPLE)) {
            if (clock_mono_ns() > end_ns)
                fail_msg("not all hear each other after %zu departures", departures);
            for (size_t i = 0; i < PEOPLE; i++)
                send_audio(people[i], (uint8_t)(20 + 2 * i));
            for (int turn = 0; turn < 3; turn++)
                crowd_turn(stage.peers, 2);
        }
        if (departures == DEPARTURES)
            break;
        struct member *leaver = people[departures % PEOPLE];
        /* By the conductor, or by its own farewell. */
        if (departures % 2 == 0) {
            media_transport_close(stage.media, leaver->id);
        } else {
            peer_free(leaver->peer);
            WAIT_FOR(leaver->failed);
        }
        people[departures % PEOPLE] = member_join(12);
        voices_want(people[departures % PEOPLE]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_publisher_one_subscriber, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_voices, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_redundant_audio, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_parity_where_repairs_come_late, stage_open,
                                        stage_close),
        cmocka_unit_test_setup_teardown(test_layers_and_switches, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_loss_is_repaired, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_what_is_gone_begins_anew, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_gate_and_close, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_voices_after_departures, stage_open_three,
                                        stage_close),
        cmocka_unit_test_setup_teardown(test_a_room_on_three_workers, stage_open_three,
                                        stage_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
