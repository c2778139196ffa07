/* One participant of a Parley meeting, joined through the gateway like a browser: a websocket, one
 * offer with a voice, a camera and all receiving lines, one connection. Nothing here waits: the
 * caller's epoll says when there is something to read, person_timer looks at the time. */
#ifndef PERSON_H
#define PERSON_H
#include "peer.h"
#include <sys/epoll.h>

enum {
    PERSON_VOICE_PT = 111,
    PERSON_VIDEO_PT = 96,
    PERSON_LEVEL_EXT = 1, /* id of the audio level extension in our offers */
    PERSON_VOICES = 3,    /* receiving lines offered */
    PERSON_TILES = 9,
    PERSON_FRAME_MAX = 1 << 20, /* bytes of a gateway frame: `ready` of a meeting of 2,000 */
};

enum person_state {
    PERSON_NEW,
    PERSON_GREETING,    /* the websocket's handshake */
    PERSON_IDENTIFYING, /* `ready` is awaited */
    PERSON_OFFERING,    /* the answer is awaited */
    PERSON_CONNECTING,  /* ICE and DTLS */
    PERSON_IN,
    PERSON_LEAVING, /* the server closes the websocket */
    PERSON_GONE,    /* it has */
    PERSON_FAILED,  /* why says it */
};

enum person_leave {
    PERSON_BY_COMMAND,
    PERSON_BY_CLOSING, /* as a page that is closed: the websocket ends, the connection too */
    PERSON_IN_SILENCE, /* nothing is said or sent any more */
};

struct person;

struct person_spec {
    int ep, port;
    const char *meeting;
    bool films;                                                    /* says its camera is on */
    void (*on_media)(struct person *person, uint8_t *data, int n); /* SRTP, SRTCP; NULL: dropped */
};

struct person {
    struct peer peer;
    struct person_spec spec;
    enum person_state state;
    int gateway;                        /* TCP socket of the websocket; -1: closed */
    uint64_t commands;                  /* sequence number of the last */
    uint64_t began, took, heartbeat_at; /* ns; took: until the connection was up */
    char id[64], why[192];
    uint32_t voice_ssrc, video_ssrc;
    uint8_t tail[4]; /* the last the gateway said: a close frame, if it closed by one */
    uint8_t *in;     /* of the gateway, not yet a whole frame */
    size_t have, room;
};

/* The person is zeros, or was closed. */
void person_begin(struct person *p, const struct person_spec *spec, int index);
/* Whose socket it is; event->data is person_begin's. */
struct person *person_of(const struct epoll_event *event);
/* An event of one of its two sockets. */
void person_event(const struct epoll_event *event, uint64_t now);
/* Checks, retransmissions, heartbeats; a join that takes 20 s has failed. Every 5 ms or so. */
void person_timer(struct person *p, uint64_t now);
/* d: the command's data as JSON. */
void person_command(struct person *p, const char *type, const char *d);
void person_leave(struct person *p, enum person_leave how);
/* Frees all, says nothing more than DTLS's goodbye (not to a connection left in silence). */
void person_close(struct person *p);
#endif
