/* How transports come, move, lose consent and go, through media_new() over loopback sockets. */
#include "core/call.h"
#include "media/ice/ice.h"
#include "media/sfu/transport.h"
#include "media/worker.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/clock_shift.h"
#include "tests/support/media_stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_address_change(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    /* Each new port may land on either worker's socket. */
    for (int i = 0; i < 6; i++) {
        uint32_t answered = peer_checks_answered(viewer->peer);
        assert_int_equal(peer_move(viewer->peer), STATUS_OK);
        WAIT_FOR(peer_checks_answered(viewer->peer) > answered);
        size_t before = received_on(viewer, ssrc);
        SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
        answered = peer_checks_answered(publisher->peer);
        assert_int_equal(peer_move(publisher->peer), STATUS_OK);
        WAIT_FOR(peer_checks_answered(publisher->peer) > answered);
        before = received_on(viewer, ssrc);
        SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
    }
}

static void test_restart(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    struct media_ice ice = {0};
    member_ice(&ice);
    assert_int_equal(media_transport_restart(stage.media, viewer->id, &ice), STATUS_OK);
    size_t before = received_on(viewer, ssrc);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
    viewer->connected = false;
    uint32_t answered = peer_checks_answered(viewer->peer);
    peer_restart(viewer->peer, ice.local_ufrag, ice.local_pwd);
    WAIT_FOR(peer_checks_answered(viewer->peer) > answered && viewer->connected);
    before = received_on(viewer, ssrc);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
}

/* A listener that hands accepted connections over, as the edge does. */
static uint16_t listener_open(int *ret_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_fd = fd;
    return ntohs(address.sin_port);
}

static void test_tcp(void **state)
{
    (void)state;
    int listener;
    uint16_t port = listener_open(&listener);
    struct member *publisher = member_join(0);
    struct member *viewers[4];
    for (size_t i = 0; i < 4; i++) {
        viewers[i] = member_open(0);
        member_connect(viewers[i], true, port, NULL);
        int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        assert_true(accepted >= 0);
        /* Some bytes have been read already when it is handed over. */
        crowd_turn(stage.peers, 1);
        uint8_t begun[7];
        ssize_t got = recv(accepted, begun, sizeof begun, MSG_WAITALL);
        media_tcp_adopt(stage.media, accepted, begun, got > 0 ? (size_t)got : 0);
        WAIT_FOR(viewers[i]->connected && peer_connected(viewers[i]->peer));
        assert_true(viewers[i]->tcp);
        tile_want(viewers[i], 0, publisher, 0);
    }
    for (size_t i = 0; i < 4; i++) {
        uint32_t ssrc = member_base(viewers[i]) + 100 + SLOT_TILE;
        SEND_UNTIL(publisher, true, 0, viewers[i]->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
        SEND_UNTIL(publisher, false, 0, received_on(viewers[i], ssrc) > 10);
        assert_continuous(viewers[i], ssrc);
    }
    close(listener);
}

static void test_other_profiles(void **state)
{
    (void)state;
    static const char *const profiles[] = {"SRTP_AES128_CM_SHA1_80", "SRTP_AEAD_AES_256_GCM"};
    struct member *publisher = member_join(0);
    for (size_t i = 0; i < 2; i++) {
        struct member *viewer = member_open(0);
        member_connect(viewer, false, stage_port(), profiles[i]);
        WAIT_FOR(viewer->connected && peer_connected(viewer->peer));
        tile_want(viewer, 0, publisher, 0);
        SEND_UNTIL(publisher, true, 0,
                   received_on(viewer, member_base(viewer) + 100 + SLOT_TILE) > 10);
    }
}

/* What a worker knows of a member, looked at on its thread. */
struct settled_look {
    const struct worker *worker;
    uint64_t id;
    bool settled;
};

static void settled_look(void *arg)
{
    struct settled_look *look = arg;
    const struct transport *transport = map_get(look->worker->transports, look->id);
    look->settled = transport != NULL && transport->settled;
}

static bool settled(const struct member *member)
{
    struct settled_look look = {stage.media->workers[member->worker], member->id, false};
    assert_int_equal(loop_call(look.worker->loop, settled_look, &look), STATUS_OK);
    return look.settled;
}

static void test_handshake_of_who_says_nothing(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    crowd_turn(stage.peers, 2);
    assert_false(settled(publisher));
    clock_leap_ms(TRANSPORT_SETTLE_MS);
    WAIT_FOR(settled(publisher) && settled(viewer));
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
}

static void test_consent_runs_out_and_comes_back(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = member_base(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    crowd_turn(stage.peers, 2);
    peer_set_checking(viewer->peer, false);
    clock_leap_ms(ICE_CONSENT_MS + 1000);
    uint32_t answered = peer_checks_answered(publisher->peer);
    WAIT_FOR(viewer->lost && peer_checks_answered(publisher->peer) > answered);
    for (int i = 0; i < 100; i++) /* what was under way arrives */
        crowd_turn(stage.peers, 1);
    size_t before = received_on(viewer, ssrc);
    const struct frame frame = {.layer = 0, .packets = 2, .key = true};
    for (int i = 0; i < 50; i++) {
        send_frame(publisher, &frame);
        crowd_turn(stage.peers, 2);
    }
    assert_int_equal(received_on(viewer, ssrc), before);
    peer_set_checking(viewer->peer, true);
    WAIT_FOR(!viewer->lost);
    SEND_UNTIL(publisher, true, 0, received_on(viewer, ssrc) > before + 4);
}

static void test_wrong_password_adopts_nobody(void **state)
{
    (void)state;
    struct member *member = member_open(0);
    char right[MEDIA_TEXT_MAX];
    memcpy(right, member->ice.local_pwd, sizeof right);
    member->ice.local_pwd[0] ^= 1;
    member_connect(member, false, stage_port(), NULL);
    for (int i = 0; i < 60; i++)
        crowd_turn(stage.peers, 3);
    assert_int_equal(peer_checks_answered(member->peer), 0);
    peer_restart(member->peer, member->ice.local_ufrag, right);
    WAIT_FOR(member->connected);
}

static void test_port_taken(void **state)
{
    (void)state;
    struct media *second;
    const struct media_config config = {
        .port = stage_port(), .workers = 1, .voices = 3, .loopback = true};
    assert_int_equal(media_new(&config, &second), STATUS_EXISTS);
}

static enum status media_opened(void *context)
{
    const struct media_config config = {.workers = 2, .voices = 3, .loopback = true};
    struct media *media;
    (void)context;
    enum status status = media_new(&config, &media);
    if (status == STATUS_OK)
        media_free(media);
    return status;
}

static enum status transport_opened(void *context)
{
    enum status status = media_transport_open(stage.media, context);
    if (status != STATUS_OK || alloc_fail_fired())
        return status;
    alloc_fail_at(0); /* what closing takes is not the question */
    media_transport_close(stage.media, ((struct media_transport_spec *)context)->id);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_true(alloc_fail_each(media_opened, NULL) > 20);
    struct member *member = member_open(0);
    struct media_transport_spec *spec = malloc(sizeof *spec);
    assert_non_null(spec);
    member_spec(member, 3, spec);
    spec->id = 1000;
    assert_true(alloc_fail_each(transport_opened, spec) > 4);
    free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_address_change, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_restart, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_tcp, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_other_profiles, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_handshake_of_who_says_nothing, stage_open,
                                        stage_close),
        cmocka_unit_test_setup_teardown(test_consent_runs_out_and_comes_back, stage_open,
                                        stage_close),
        cmocka_unit_test_setup_teardown(test_wrong_password_adopts_nobody, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_port_taken, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_without_memory, stage_open, stage_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
