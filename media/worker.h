/*
 * media/worker.h - one media thread: its socket, its transports, and how it talks with
 * the other workers (docs/design/sfu.md).
 *
 * Private to media/. Everything here belongs to the worker's thread but for what the
 * comments name. Handlers of letters run on the worker they are addressed to.
 */
#ifndef MEDIA_WORKER_H
#define MEDIA_WORKER_H

#include "core/loop.h"
#include "core/map.h"
#include "core/pool.h"
#include "core/queue.h"
#include "media/dtls/dtls.h"
#include "media/media.h"
#include "media/packet.h"
#include "media/sfu/addresses.h"
#include "media/sfu/counters.h"
#include "media/sfu/meter.h"
#include "media/sfu/observe.h"
#include "media/sfu/sender.h"
#include "media/sfu/window.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    WORKER_RING_ENTRIES = 4096,   /* packets on the way between two workers */
    WORKER_RINGS_ENTRIES = 16384, /* packets on the way to one, where there are many */
    WORKER_PACKETS_MAX = 1 << 18, /* of each size; 370 MB of video: 300 publishers' histories */
    WORKER_REWRITERS_MAX = 1 << 17,
    WORKER_REWRITERS_SLAB = 16,
    WORKER_FECS_SLAB = 16,
    WORKER_TRANSPORTS_MAX = 20000,
    WORKER_CONNECTIONS_MAX = 4096, /* ICE-TCP */
    WORKER_TICK_MS = 100,
    WORKER_SOCKET_BUFFER = 4 << 20, /* bytes asked for in each direction */
};

struct feed;
struct inlet;
struct phone;
struct room;
struct slot;
struct tap;
struct track;
struct transport;
struct worker;

/* What all workers share; constant after start. */
struct media {
    uint8_t worker_count, voices;
    uint16_t port; /* UDP */
    struct worker *workers[MEDIA_WORKERS_MAX];
    struct dtls_identity *identity;
    struct media_events events;
    void *events_context;
    struct media_local local;
    struct observations observations;
    uint32_t opened; /* the conductor's: transports opened and not closed */
    atomic_uint next_connection;
};

/* A transport by one of its local ufrags; holds a reference. */
struct known {
    struct known *next; /* the same transport's */
    struct transport *transport;
    char ufrag[MEDIA_TEXT_MAX];
};

/* Through the rings: what may be lost. Holds a reference to packet. */
enum message_kind {
    MESSAGE_MEDIA,      /* publisher's worker -> subscribers' */
    MESSAGE_VOICE_UP,   /* publisher's worker -> home of the room */
    MESSAGE_VOICE_DOWN, /* home -> listeners' workers */
    MESSAGE_REPORT,     /* publisher's worker -> subscribers': a sender report */
    MESSAGE_STRAY,      /* a datagram of a transport owned by the receiver */
};

struct message {
    uint8_t kind; /* enum message_kind */
    uint8_t track, layer;
    int8_t lane;        /* VOICE_DOWN; REPORT of a microphone that has one, else -1 */
    uint32_t timestamp; /* REPORT */
    uint64_t id;        /* REPORT: transport */
    uint64_t room;      /* VOICE_*, REPORT with lane */
    uint64_t ntp;       /* REPORT: on our clock */
    struct packet *packet;
};

/* By mailbox: what must arrive. */
struct letter;
typedef void letter_fn(struct worker *worker, const struct letter *letter);

struct letter {
    struct worker *to;
    letter_fn *fn;
    uint64_t transport, room;
    uint8_t track, slot, layer, from;
    int8_t lane;
    bool on;
    union {
        struct media_want want;
        struct {
            struct media_layer_info infos[MEDIA_RIDS_MAX];
            uint8_t count;
            uint8_t spatial; /* enum feed_spatial */
        } layers;
        struct ice_address address;
        void *object; /* the handler takes it over */
        struct {
            int fd;
            size_t length;
            uint8_t *bytes; /* malloc'ed */
        } stream;
    };
};

struct worker {
    uint8_t number;
    char name[16]; /* of loop and thread */
    struct media *media;
    struct loop *loop;
    pthread_t thread;
    bool running;
    int fd;
    int family; /* of the socket */
    struct loop_watch *watch;
    int bell; /* eventfd: another worker has put something into a ring */
    struct loop_watch *bell_watch;
    atomic_bool asleep;
    struct ring *inbox[MEDIA_WORKERS_MAX]; /* [i]: worker i produces, we consume */
    uint64_t to_ring;                      /* workers to be woken at the end of the turn */
    struct packets *packets;
    struct pool *rewriters, *maps, *pacing, *fecs;
    struct transport *paced; /* those with packets waiting or a probe under way */
    struct inlet *inlet;
    struct sender *sender;
    struct addresses addresses;
    struct map *ufrags;     /* map_key_of(ufrag) -> struct known, of all transports */
    struct map *known;      /* id -> the first of its struct known */
    struct map *transports; /* id -> those owned here */
    struct map *feeds;      /* feed_key -> what subscribers here take of a source */
    struct feed *arrived;   /* feeds that got packets in this turn */
    struct map *rooms; /* id -> members here, and their voices; also those whose home this is */
    struct map *connections;   /* number -> ICE-TCP */
    struct connection *unsent; /* ICE-TCP with something gathered in this turn */
    uint32_t last_connection;
    struct window window;
    struct loop_timer tick;
    uint64_t seconds_ms; /* last once-a-second round */
    struct tap *tap;     /* NULL but while somebody is traced */
    struct counters counters;
    struct meter meter;
    struct phone *phone; /* legs */
    bool closing;
};

/* Makes it all but starts no thread; the socket is the caller's gift. */
MUST_USE enum status worker_new(struct media *media, uint8_t number, int fd, int family,
                                const struct media_config *config, struct worker **ret_worker);
MUST_USE enum status worker_start(struct worker *worker);
/* The closing thread, one step after another over all workers: the transports end; what the
 * workers still had to tell each other is read; the threads end. */
void worker_end(struct worker *worker);
void worker_settle(struct worker *worker);
void worker_stop(struct worker *worker);
/* When all have been stopped: gives back what it holds of all workers' packets. */
void worker_drop(struct worker *worker);
/* After worker_drop of all. Accepts NULL, returns NULL. */
struct worker *worker_free(struct worker *worker);

/* Any thread. The letter is copied. Errors: STATUS_LIMIT, STATUS_NO_MEMORY, STATUS_CLOSED. */
MUST_USE enum status worker_post(struct worker *worker, letter_fn *fn, const struct letter *letter);
/* From this worker to another, or to itself; the handler runs later in either case, so that no
 * object changes under its caller. A failure is counted. */
void worker_tell(struct worker *worker, uint8_t to, letter_fn *fn, const struct letter *letter);
/* Into the ring to worker `to` (not itself). Takes over the reference in message->packet: when the
 * ring is full it is dropped and counted. */
void worker_send(struct worker *worker, uint8_t to, const struct message *message);

uint64_t worker_now_ns(const struct worker *worker);
uint64_t worker_now_ms(const struct worker *worker);
/* Home of a room. */
uint8_t worker_home(const struct worker *worker, uint64_t room);
/* Those that this thread may put back by itself. */
const struct packets *worker_packets(const struct worker *worker);
/* A packet of these bytes (at most PACKET_BYTES_MAX), come now by this path; its facts are not
 * initialised. NULL: there are no more packets, which is counted. */
struct packet *worker_packet(struct worker *worker, const struct ice_path *from,
                             const uint8_t *bytes, size_t length);

/* Letters of the conductor: object (struct opening), transport. */
struct opening {
    struct transport *transport; /* a reference */
    struct media_ice ice;
};
void worker_on_open(struct worker *worker, const struct letter *letter);
void worker_on_close(struct worker *worker, const struct letter *letter);
/* object: malloc'ed struct media_ice. */
void worker_on_restart(struct worker *worker, const struct letter *letter);

#endif
