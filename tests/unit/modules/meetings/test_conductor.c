/*
 * The conductor with media that only takes notes: who is told what, which slots carry
 * whom, what hosts may do.
 */
#include "core/arena.h"
#include "media/stats.h"
#include "modules/meetings/meetings.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* ---- media that takes notes (linked instead of media/media.c) ---- */

static struct {
    pthread_mutex_t lock;
    struct media_want wants[64][MEDIA_SLOTS_MAX]; /* by transport id, slot */
    bool gates[64][MEDIA_TRACKS_MAX];             /* closed */
    int opened, closed;
} notes = {.lock = PTHREAD_MUTEX_INITIALIZER};

enum status media_transport_open(struct media *media, const struct media_transport_spec *spec)
{
    (void)media;
    assert_true(spec->id < 64);
    assert_true(spec->room != 0);
    pthread_mutex_lock(&notes.lock);
    notes.opened++;
    pthread_mutex_unlock(&notes.lock);
    return STATUS_OK;
}

enum status media_transport_restart(struct media *media, uint64_t transport,
                                    const struct media_ice *ice)
{
    (void)media, (void)transport, (void)ice;
    return STATUS_OK;
}

void media_transport_close(struct media *media, uint64_t transport)
{
    (void)media, (void)transport;
    pthread_mutex_lock(&notes.lock);
    notes.closed++;
    pthread_mutex_unlock(&notes.lock);
}

void media_slot_set(struct media *media, uint64_t transport, uint8_t worker, uint8_t slot,
                    const struct media_want *want)
{
    (void)media, (void)worker;
    pthread_mutex_lock(&notes.lock);
    notes.wants[transport][slot] = *want;
    pthread_mutex_unlock(&notes.lock);
}

uint8_t media_worker_count(const struct media *media)
{
    (void)media;
    return 1;
}

/* Nobody asks this media for anything but calls. */
enum status media_trace(struct media *media, uint64_t transport, struct trace *trace)
{
    (void)media, (void)transport, (void)trace;
    return STATUS_CLOSED;
}

void media_track_gate(struct media *media, struct media_source source, bool open)
{
    (void)media;
    pthread_mutex_lock(&notes.lock);
    notes.gates[source.transport][source.track] = !open;
    pthread_mutex_unlock(&notes.lock);
}

static struct media_want noted(uint64_t transport, size_t slot)
{
    pthread_mutex_lock(&notes.lock);
    struct media_want want = notes.wants[transport][slot];
    pthread_mutex_unlock(&notes.lock);
    return want;
}

/* ---- ports that keep what they were sent ---- */

struct port {
    pthread_mutex_t lock;
    char text[1 << 18]; /* "type json\n" each */
    size_t used;
    bool ended;
};

struct shared {
    char *line;
};

static void port_put(struct port *port, const char *line)
{
    pthread_mutex_lock(&port->lock);
    size_t length = strlen(line);
    assert_true(port->used + length + 2 < sizeof port->text);
    memcpy(port->text + port->used, line, length);
    port->used += length;
    port->text[port->used++] = '\n';
    port->text[port->used] = '\0';
    pthread_mutex_unlock(&port->lock);
}

static void *port_share(const char *type, const char *json)
{
    struct shared *shared = malloc(sizeof *shared);
    assert_true(asprintf(&shared->line, "%s %s", type, json) > 0);
    return shared;
}

static void port_send_shared(void *port, void *shared)
{
    port_put(port, ((struct shared *)shared)->line);
}

static void port_unshare(void *shared)
{
    free(((struct shared *)shared)->line);
    free(shared);
}

static void port_send(void *port, const char *type, const char *json)
{
    struct shared *shared = port_share(type, json);
    port_send_shared(port, shared);
    port_unshare(shared);
}

static void port_end(void *port, const char *reason, const char *code)
{
    (void)reason, (void)code;
    ((struct port *)port)->ended = true;
}

static const struct meeting_port_ops port_ops = {.send = port_send,
                                                 .share = port_share,
                                                 .send_shared = port_send_shared,
                                                 .unshare = port_unshare,
                                                 .end = port_end};

/* Waits until the port was sent a line that holds the text. */
static bool port_has(struct port *port, const char *text)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&port->lock);
        bool has = strstr(port->text, text) != NULL;
        pthread_mutex_unlock(&port->lock);
        if (has)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    print_message("not in:\n%s\n", port->text);
    return false;
}

static void port_forget(struct port *port)
{
    pthread_mutex_lock(&port->lock);
    port->used = 0;
    port->text[0] = '\0';
    pthread_mutex_unlock(&port->lock);
}

/* ---- people ---- */

struct world {
    struct metrics *metrics;
    struct meetings *meetings;
    struct registry_meeting meeting;
};

struct person {
    struct world *world;
    const char *id;
    struct port port;
    struct meeting_member *member;
    struct media_transport_spec spec;
    struct msg_slot_line lines[MEDIA_SLOTS_MAX];
};

enum { VOICES = 3 };

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct meetings_config config = {.voices = VOICES, .ports = &port_ops};
    assert_int_equal(metrics_new(&world->metrics), STATUS_OK);
    config.metrics = world->metrics;
    assert_int_equal(meetings_new(&config, &world->meetings), STATUS_OK);
    assert_int_equal(meetings_start(world->meetings, NULL), STATUS_OK);
    world->meeting = (struct registry_meeting){.id = "m1", .title = "Weekly"};
    memset(notes.wants, 0, sizeof notes.wants);
    memset(notes.gates, 0, sizeof notes.gates);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    meetings_stop(world->meetings);
    meetings_free(world->meetings);
    metrics_free(world->metrics);
    free(world);
    return 0;
}

static struct person *join_as(struct world *world, const char *id, enum registry_role role,
                              bool admitted)
{
    struct person *person = calloc(1, sizeof *person);
    person->world = world;
    person->id = id;
    pthread_mutex_init(&person->port.lock, NULL);
    struct meeting_join join = {.meeting = &world->meeting,
                                .participant = id,
                                .token = "token",
                                .name = id,
                                .role = role,
                                .admitted = admitted,
                                .audio = true,
                                .video = true,
                                .port = &person->port,
                                .session = "session",
                                .secret = "secret"};
    assert_int_equal(meetings_join(world->meetings, &join, &person->member), STATUS_OK);
    return person;
}

static void leave(struct person *person)
{
    meetings_leave(person->world->meetings, person->member);
    pthread_mutex_destroy(&person->port.lock);
    free(person);
}

/* Microphone, camera of three layers, screen with sound; voices, screen's sound, 9 tiles, a screen.
 */
static void connect_media(struct person *person)
{
    struct media_transport_spec *spec = &person->spec;
    struct meetings *meetings = person->world->meetings;
    spec->id = meetings_transport_id(meetings);
    spec->track_count = 4;
    for (size_t i = 0; i < 4; i++) {
        spec->tracks[i].source = (enum media_source_kind)i;
        snprintf(spec->tracks[i].mid, MEDIA_TEXT_MAX, "%zu", i);
    }
    spec->tracks[MEDIA_SOURCE_CAMERA].rid_count = 3;
    for (size_t i = 0; i < 3; i++)
        snprintf(spec->tracks[MEDIA_SOURCE_CAMERA].rids[i], MEDIA_TEXT_MAX, "%c", "qhf"[i]);
    for (size_t i = 0; i < VOICES + 1 + MEETING_TILES_MAX + 1; i++) {
        struct media_slot_spec *slot = &spec->slots[spec->slot_count++];
        slot->kind = i <= VOICES ? MEDIA_AUDIO : MEDIA_VIDEO;
        snprintf(slot->mid, MEDIA_TEXT_MAX, "s%zu", i);
    }
    assert_int_equal(meetings_offer(meetings, person->member, spec, false, person->lines),
                     STATUS_OK);
    meetings_media_events.transport(meetings, spec->id, 0, MEDIA_TRANSPORT_CONNECTED, false);
    assert_true(port_has(&person->port, "media.state {\"state\":\"connected\""));
}

enum { FIRST_TILE = VOICES + 1, SCREEN_SLOT = VOICES + 1 + MEETING_TILES_MAX };

static void watch(struct person *person, size_t count, const struct msg_tile *tiles)
{
    struct msg_tile copy[MEETING_TILES_MAX + 1];
    memcpy(copy, tiles, count * sizeof *tiles);
    struct msg_view view = {{.items = copy, .count = count}};
    meetings_watch(person->world->meetings, person->member, &view);
}

static bool carries(struct person *viewer, size_t slot, const struct person *shown,
                    enum media_source_kind source)
{
    for (int i = 0; i < 1000; i++) {
        struct media_want want = noted(viewer->spec.id, slot);
        if (shown == NULL
                ? want.mode == MEDIA_WANT_NOTHING
                : want.mode == MEDIA_WANT_SOURCE && want.source.transport == shown->spec.id &&
                      want.source.track == (uint8_t)source)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return false;
}

/* ---- tests ---- */

static void joining_and_leaving_is_told(void **state)
{
    struct world *world = *state;
    struct person *ann = join_as(world, "ann", REGISTRY_HOST, true);
    assert_true(port_has(&ann->port, "ready {\"session\":\"session\",\"secret\":\"secret\","
                                     "\"self\":\"ann\",\"token\":\"token\",\"role\":\"host\""));
    struct person *ben = join_as(world, "ben", REGISTRY_PARTICIPANT, true);
    assert_true(port_has(&ann->port, "{\"id\":\"ben\",\"name\":\"ben\""));
    assert_int_equal(meetings_count(world->meetings, "m1"), 2);
    assert_false(meetings_empty(world->meetings));
    struct person *again = join_as(world, "ben", REGISTRY_PARTICIPANT, true);
    assert_true(port_has(&ben->port, "removed {\"reason\":\"elsewhere\"}"));
    assert_true(ben->port.ended);
    leave(ben);
    assert_int_equal(meetings_count(world->meetings, "m1"), 2);
    leave(again);
    assert_true(port_has(&ann->port, "\"left\":[{\"id\":\"ben\"}]"));
    leave(ann);
    assert_int_equal(meetings_count(world->meetings, "m1"), 0);
    assert_true(meetings_empty(world->meetings));
}

static void slots_keep_their_place(void **state)
{
    struct world *world = *state;
    struct person *ann = join_as(world, "ann", REGISTRY_HOST, true);
    struct person *ben = join_as(world, "ben", REGISTRY_PARTICIPANT, true);
    struct person *cat = join_as(world, "cat", REGISTRY_PARTICIPANT, true);
    connect_media(ann);
    connect_media(ben);
    connect_media(cat);
    assert_string_equal(ann->lines[0].kind, "voice");
    assert_string_equal(ann->lines[VOICES].kind, "screen_audio");
    assert_string_equal(ann->lines[FIRST_TILE].kind, "tile");
    assert_string_equal(ann->lines[SCREEN_SLOT].kind, "screen");
    const struct msg_tile both[] = {{{"ben", "camera"}, 180, 1}, {{"cat", "camera"}, 360, 2}};
    watch(ann, 2, both);
    assert_true(carries(ann, FIRST_TILE, ben, MEDIA_SOURCE_CAMERA));
    assert_true(carries(ann, FIRST_TILE + 1, cat, MEDIA_SOURCE_CAMERA));
    assert_int_equal(noted(ann->spec.id, 0).mode, MEDIA_WANT_VOICE);
    assert_int_equal(noted(ann->spec.id, 2).voice, 2);
    const struct msg_tile swapped[] = {{{"cat", "camera"}, 720, 2}, {{"ben", "camera"}, 180, 1}};
    watch(ann, 2, swapped);
    for (int i = 0; i < 1000 && noted(ann->spec.id, FIRST_TILE + 1).height != 720; i++)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    assert_int_equal(noted(ann->spec.id, FIRST_TILE + 1).height, 720);
    assert_true(carries(ann, FIRST_TILE, ben, MEDIA_SOURCE_CAMERA));
    assert_true(port_has(&cat->port, "layers {\"camera\":true,\"screen\":false,"
                                     "\"camera_height\":720"));
    struct msg_self_update off = {.camera = JSON_NO};
    assert_int_equal(meetings_self_update(world->meetings, ben->member, &off), STATUS_OK);
    assert_true(carries(ann, FIRST_TILE, NULL, MEDIA_SOURCE_CAMERA));
    assert_true(notes.gates[ben->spec.id][MEDIA_SOURCE_CAMERA]);
    leave(cat);
    assert_true(port_has(&ann->port, "{\"mid\":\"s5\",\"source\":{}}"));
    leave(ben);
    leave(ann);
}

static void one_presents_and_hosts_take_over(void **state)
{
    struct world *world = *state;
    struct person *ann = join_as(world, "ann", REGISTRY_HOST, true);
    struct person *ben = join_as(world, "ben", REGISTRY_PARTICIPANT, true);
    struct person *cat = join_as(world, "cat", REGISTRY_PARTICIPANT, true);
    connect_media(ann);
    connect_media(ben);
    const struct msg_tile camera[] = {{{"ben", "camera"}, 180, 1}};
    watch(ann, 1, camera);
    assert_int_equal(meetings_present(world->meetings, ben->member, true, true), STATUS_OK);
    assert_true(port_has(&ann->port, "presenter {\"id\":\"ben\"}"));
    assert_true(carries(ann, SCREEN_SLOT, ben, MEDIA_SOURCE_SCREEN)); /* before she asks */
    watch(ann, 1, camera);
    assert_true(carries(ann, SCREEN_SLOT, NULL, MEDIA_SOURCE_SCREEN)); /* nor against her will */
    const struct msg_tile screen[] = {{{"ben", "screen"}, 0, 9}};
    watch(ann, 1, screen);
    assert_true(carries(ann, SCREEN_SLOT, ben, MEDIA_SOURCE_SCREEN));
    assert_true(carries(ann, VOICES, ben, MEDIA_SOURCE_SCREEN_AUDIO));
    assert_int_equal(meetings_present(world->meetings, cat->member, true, false), STATUS_DENIED);
    assert_int_equal(meetings_present(world->meetings, ann->member, true, false), STATUS_OK);
    assert_true(port_has(&ben->port, "stopped {\"by\":\"ann\",\"what\":\"screen\"}"));
    assert_true(carries(ann, SCREEN_SLOT, NULL, MEDIA_SOURCE_SCREEN));
    assert_int_equal(meetings_present(world->meetings, ann->member, false, false), STATUS_OK);
    assert_true(port_has(&cat->port, "presenter {}"));
    leave(cat);
    leave(ben);
    leave(ann);
}

static void the_lobby_waits_for_hosts(void **state)
{
    struct world *world = *state;
    struct person *ann = join_as(world, "ann", REGISTRY_HOST, true);
    struct person *ben = join_as(world, "ben", REGISTRY_PARTICIPANT, false);
    struct person *cat = join_as(world, "cat", REGISTRY_PARTICIPANT, false);
    assert_true(port_has(&ben->port, "waiting {"));
    assert_true(port_has(&ann->port, "\"id\":\"cat\""));
    assert_int_equal(meetings_count(world->meetings, "m1"), 1);
    struct meeting_deed admit = {.act = MEETING_ACT_ADMIT, .target = "ben"};
    assert_int_equal(meetings_do(world->meetings, ben->member, &admit), STATUS_DENIED);
    assert_int_equal(meetings_may(world->meetings, ann->member, &admit), STATUS_OK);
    assert_int_equal(meetings_do(world->meetings, ann->member, &admit), STATUS_OK);
    assert_true(port_has(&ben->port, "ready {"));
    assert_int_equal(meetings_do(world->meetings, ann->member, &admit), STATUS_NOT_FOUND);
    struct meeting_deed refuse = {.act = MEETING_ACT_REFUSE, .all = true};
    assert_int_equal(meetings_do(world->meetings, ann->member, &refuse), STATUS_OK);
    assert_true(port_has(&cat->port, "removed {\"reason\":\"refused\"}"));
    assert_true(cat->port.ended);
    struct meeting_view view;
    meetings_look(world->meetings, cat->member, &view);
    assert_true(view.removed);
    leave(cat);
    leave(ben);
    leave(ann);
}

static void rights_by_role(void **state)
{
    struct world *world = *state;
    struct person *host = join_as(world, "host", REGISTRY_HOST, true);
    struct person *cohost = join_as(world, "cohost", REGISTRY_COHOST, true);
    struct person *plain = join_as(world, "plain", REGISTRY_PARTICIPANT, true);
    struct {
        enum meeting_act act;
        const char *target;
        enum status host, cohost, plain;
    } rows[] = {
        {MEETING_ACT_MUTE, "plain", STATUS_OK, STATUS_OK, STATUS_DENIED},
        {MEETING_ACT_MUTE, "host", STATUS_OK, STATUS_DENIED, STATUS_DENIED},
        {MEETING_ACT_REMOVE, "host", STATUS_INVALID, STATUS_DENIED, STATUS_DENIED},
        {MEETING_ACT_REMOVE, "nobody", STATUS_NOT_FOUND, STATUS_NOT_FOUND, STATUS_DENIED},
        {MEETING_ACT_ROLE, "plain", STATUS_OK, STATUS_DENIED, STATUS_DENIED},
        {MEETING_ACT_STOP_CAMERA, "plain", STATUS_OK, STATUS_OK, STATUS_DENIED},
        {MEETING_ACT_SET, NULL, STATUS_OK, STATUS_OK, STATUS_DENIED},
        {MEETING_ACT_END, NULL, STATUS_OK, STATUS_DENIED, STATUS_DENIED},
        {MEETING_ACT_ADMIT, "plain", STATUS_NOT_FOUND, STATUS_NOT_FOUND, STATUS_DENIED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct meeting_deed deed = {.act = rows[i].act, .target = rows[i].target};
        assert_int_equal(meetings_may(world->meetings, host->member, &deed), rows[i].host);
        assert_int_equal(meetings_may(world->meetings, cohost->member, &deed), rows[i].cohost);
        assert_int_equal(meetings_may(world->meetings, plain->member, &deed), rows[i].plain);
    }
    connect_media(plain);
    struct meeting_deed mute = {.act = MEETING_ACT_MUTE, .all = true};
    assert_int_equal(meetings_do(world->meetings, cohost->member, &mute), STATUS_OK);
    assert_true(port_has(&plain->port, "muted {\"by\":\"cohost\"}"));
    assert_true(notes.gates[plain->spec.id][MEDIA_SOURCE_MICROPHONE]);
    port_forget(&plain->port);
    struct msg_self_update speak = {.muted = JSON_NO};
    assert_int_equal(meetings_self_update(world->meetings, plain->member, &speak), STATUS_OK);
    assert_false(notes.gates[plain->spec.id][MEDIA_SOURCE_MICROPHONE]);
    struct meeting_deed hand_over = {
        .act = MEETING_ACT_ROLE, .target = "plain", .role = REGISTRY_HOST};
    assert_int_equal(meetings_do(world->meetings, host->member, &hand_over), STATUS_OK);
    struct meeting_deed end = {.act = MEETING_ACT_END};
    assert_int_equal(meetings_do(world->meetings, host->member, &end), STATUS_DENIED);
    assert_int_equal(meetings_do(world->meetings, plain->member, &end), STATUS_OK);
    assert_true(port_has(&cohost->port, "removed {\"reason\":\"ended\"}"));
    assert_false(plain->port.ended);
    assert_int_equal(meetings_count(world->meetings, "m1"), 0);
    leave(host);
    leave(cohost);
    leave(plain);
}

static void speakers_reach_everyone(void **state)
{
    struct world *world = *state;
    struct person *ann = join_as(world, "ann", REGISTRY_HOST, true);
    struct person *ben = join_as(world, "ben", REGISTRY_PARTICIPANT, true);
    connect_media(ann);
    uint64_t transports[] = {ann->spec.id, 63};
    uint8_t levels[] = {20, 30};
    meetings_media_events.speakers(world->meetings, 1, transports, levels, 2);
    assert_true(port_has(&ben->port, "speakers {\"speakers\":[{\"id\":\"ann\",\"level\":20}]}"));
    leave(ben);
    leave(ann);
}

/* WHIP publishers take lines in order of joining; a free line goes to the next who comes. */
static void viewers_see_publishers_in_order(void **state)
{
    struct world *world = *state;
    char resources[3][CRYPTO_TOKEN_CHARS + 1], viewer[CRYPTO_TOKEN_CHARS + 1];
    static const char *const names[] = {"p0", "p1", "p2"};
    struct media_transport_spec specs[3] = {0}, play = {.slot_count = 2};
    play.slots[0].kind = play.slots[1].kind = MEDIA_VIDEO;
    struct person *cast = calloc(4, sizeof *cast);
    struct meeting_whip whep = {.meeting = &world->meeting, .name = "all", .spec = &play};
    assert_int_equal(meetings_whep_join(world->meetings, &whep, viewer), STATUS_NOT_FOUND);
    for (int i = 0; i < 3; i++) {
        specs[i].id = meetings_transport_id(world->meetings);
        specs[i].track_count = 1;
        specs[i].tracks[0].source = MEDIA_SOURCE_CAMERA;
        cast[i].spec.id = specs[i].id;
        struct meeting_whip whip = {.meeting = &world->meeting,
                                    .name = names[i],
                                    .participant = names[i],
                                    .spec = &specs[i]};
        assert_int_equal(meetings_whip_join(world->meetings, &whip, resources[i]), STATUS_OK);
        assert_int_equal(meetings_whip_join(world->meetings, &whip, viewer), STATUS_EXISTS);
        meetings_media_events.transport(world->meetings, specs[i].id, 0, MEDIA_TRANSPORT_CONNECTED,
                                        false);
    }
    play.id = cast[3].spec.id = meetings_transport_id(world->meetings);
    assert_int_equal(meetings_whep_join(world->meetings, &whep, viewer), STATUS_OK);
    meetings_media_events.transport(world->meetings, play.id, 0, MEDIA_TRANSPORT_CONNECTED, false);
    assert_true(carries(&cast[3], 0, &cast[0], 0));
    assert_true(carries(&cast[3], 1, &cast[1], 0));
    assert_int_equal(meetings_resource_leave(world->meetings, resources[0]), STATUS_OK);
    assert_int_equal(meetings_resource_leave(world->meetings, resources[0]), STATUS_NOT_FOUND);
    assert_true(carries(&cast[3], 0, &cast[2], 0));
    assert_true(carries(&cast[3], 1, &cast[1], 0));
    meetings_media_events.transport(world->meetings, specs[1].id, 0, MEDIA_TRANSPORT_FAILED, false);
    assert_true(carries(&cast[3], 1, NULL, 0));
    struct media_transport_spec *found = calloc(1, sizeof *found);
    assert_int_equal(meetings_resource(world->meetings, viewer, found), STATUS_OK);
    assert_int_equal(found->id, play.id);
    assert_int_equal(meetings_resource_leave(world->meetings, viewer), STATUS_OK);
    free(found);
    free(cast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(joining_and_leaving_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slots_keep_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_presents_and_hosts_take_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_lobby_waits_for_hosts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rights_by_role, set_up, tear_down),
        cmocka_unit_test_setup_teardown(speakers_reach_everyone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(viewers_see_publishers_in_order, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
