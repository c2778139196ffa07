/*
 * tests/soak/writers/writers.h - people who write to a running server as fast as they get
 * answers, over REST into a space and over the gateway into a meeting, and who outlive its
 * deaths: what had no answer is sent again under the same name (nonce, Idempotency-Key), and now
 * and then what had one too. In the end each message must be there once, acknowledged ones under
 * the id that was acknowledged, each writer's in order.
 *
 * Threads: a writer is its own thread; soak belongs to the main one but for the atomics.
 * Whatever is wrong ends the program.
 */
#ifndef TESTS_SOAK_WRITERS_H
#define TESTS_SOAK_WRITERS_H

#include "core/arena.h"
#include "core/rng.h"
#include "tests/support/server_process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    WRITERS_MAX = 64,
    WRITER_MESSAGES_MAX = 1000000, /* of one writer; never reached */
    WRITER_READ_MS = 10000,        /* patience with an answer */
    WRITER_ARENA_BYTES = 16 << 20,
};

struct soak;
struct writer;

/* A way to write. */
struct writer_kind {
    const char *name;
    /* One try to connect; on success writer->link is set. Errors: the connection's. */
    enum status (*come_in)(struct writer *writer);
    /* Writes the text "NAME NUMBER". *ret_id 0: refused for now. Errors: the connection's. */
    enum status (*write)(struct writer *writer, int number, int64_t *ret_id);
    void (*leave)(struct writer *writer);
    /* Tells soak_seen of every message there is, from the newest back. */
    void (*read_all)(struct writer *reader);
};

extern const struct writer_kind writer_gateway, writer_rest;

struct writer {
    struct soak *soak;
    const struct writer_kind *kind;
    void *link; /* its kind's connection */
    pthread_t thread;
    struct rng rng;
    struct arena *arena; /* until the next write or page */
    int index;
    char name[32], token[64];
    uint64_t s;   /* of the gateway: sequence of the last command of this session */
    int next;     /* first message without an answer */
    int64_t *ids; /* of each message; 0: not acknowledged */
    int below;    /* while reading back: number of the last one seen */
    long seen;    /* while reading back: acknowledged ones */
};

struct soak {
    struct server_process server;
    uint16_t port; /* of all its lives */
    char token[64], space[64];
    struct writer writers[WRITERS_MAX];
    int writer_count;
    atomic_int life;               /* how often the server was started */
    atomic_int ready[WRITERS_MAX]; /* in which life this writer was let in last */
    atomic_long acks, refusals, repeats;
    atomic_bool over;
};

_Noreturn void soak_die(struct soak *soak, const char *what, const char *who);
void soak_sleep_ms(int ms);
/* The server has a message with this text under this id. */
void soak_seen(struct soak *soak, const char *text, const char *id);
/* Makes the account and the space that REST writes to; once, in the first life. */
void rest_prepare(struct soak *soak);

void writers_start(struct soak *soak);
void writers_join(struct soak *soak);
/* Reads everything back, as the kind of each writer does. */
void writers_check(struct soak *soak);
void writers_free(struct soak *soak);

#endif
