#include "tests/soak/writers/writers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    AGAIN_MS = 20,      /* between two tries to connect, or after a refusal */
    REPEAT_ONE_OF = 16, /* acknowledged messages that are sent once more */
};

_Noreturn void soak_die(struct soak *soak, const char *what, const char *who)
{
    fprintf(stderr, "soak: %s%s%s\n", what, who ? ": " : "", who ? who : "");
    if (soak->server.pid > 0)
        kill(soak->server.pid, SIGKILL);
    exit(EXIT_FAILURE);
}

void soak_sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* ---- writing ---- */

/* Whether one try to connect lets the writer in, by the server's present life. */
static bool try_come_in(struct writer *writer)
{
    struct soak *soak = writer->soak;
    int life = atomic_load(&soak->life);
    arena_reset(writer->arena);
    if (writer->kind->come_in(writer) != STATUS_OK)
        return false;
    /* When it was killed meanwhile, nobody knows which life this was: once more. */
    if (atomic_load(&soak->life) == life) {
        atomic_store(&soak->ready[writer->index], life);
        return true;
    }
    writer->kind->leave(writer);
    return false;
}

/* Tries until it is let in, or the soak is over. */
static bool come_in(struct writer *writer)
{
    while (!atomic_load(&writer->soak->over)) {
        if (try_come_in(writer))
            return true;
        soak_sleep_ms(AGAIN_MS);
    }
    return false;
}

static enum status repeat(struct writer *writer)
{
    int number = (int)rng_below(&writer->rng, (uint32_t)writer->next);
    int64_t id = 0;
    enum status status = writer->kind->write(writer, number, &id);
    if (status != STATUS_OK || id == 0)
        return status;
    if (id != writer->ids[number])
        soak_die(writer->soak, "sent again, it is another message", writer->name);
    atomic_fetch_add(&writer->soak->repeats, 1);
    return STATUS_OK;
}

/* Says message number `next`; its id is taken down when acknowledged. */
static enum status say(struct writer *writer)
{
    int64_t id = 0;
    arena_reset(writer->arena);
    if (writer->next > 0 && rng_below(&writer->rng, REPEAT_ONE_OF) == 0)
        return repeat(writer);
    enum status status = writer->kind->write(writer, writer->next, &id);
    if (status != STATUS_OK)
        return status;
    if (id == 0) {
        atomic_fetch_add(&writer->soak->refusals, 1);
        soak_sleep_ms(AGAIN_MS);
        return STATUS_OK;
    }
    writer->ids[writer->next++] = id;
    atomic_fetch_add(&writer->soak->acks, 1);
    return writer->next < WRITER_MESSAGES_MAX ? STATUS_OK : STATUS_LIMIT;
}

static void *writer_main(void *arg)
{
    struct writer *writer = arg;
    while (come_in(writer)) {
        while (!atomic_load(&writer->soak->over) && say(writer) == STATUS_OK)
            continue;
        writer->kind->leave(writer);
    }
    return NULL;
}

void writers_start(struct soak *soak)
{
    for (int i = 0; i < soak->writer_count; i++) {
        struct writer *writer = &soak->writers[i];
        *writer = (struct writer){.soak = soak, .index = i};
        writer->kind = i % 2 == 0 ? &writer_rest : &writer_gateway;
        snprintf(writer->name, sizeof writer->name, "writer-%d", i);
        rng_seed(&writer->rng, (uint64_t)i);
        writer->ids = calloc(WRITER_MESSAGES_MAX, sizeof writer->ids[0]);
        if (!writer->ids || arena_new(WRITER_ARENA_BYTES, &writer->arena) != STATUS_OK ||
            pthread_create(&writer->thread, NULL, writer_main, writer) != 0)
            soak_die(soak, "no memory", NULL);
    }
}

void writers_join(struct soak *soak)
{
    atomic_store(&soak->over, true);
    for (int i = 0; i < soak->writer_count; i++)
        pthread_join(soak->writers[i].thread, NULL);
}

void writers_free(struct soak *soak)
{
    for (int i = 0; i < soak->writer_count; i++) {
        arena_free(soak->writers[i].arena);
        free(soak->writers[i].ids);
    }
}

/* ---- reading back ---- */

void soak_seen(struct soak *soak, const char *text, const char *id)
{
    int index = -1, number = -1;
    if (sscanf(text, "writer-%d %d", &index, &number) != 2 || index < 0 ||
        index >= soak->writer_count || number < 0 || number >= WRITER_MESSAGES_MAX)
        soak_die(soak, "a message of nobody", text);
    struct writer *writer = &soak->writers[index];
    if (writer->below != WRITER_MESSAGES_MAX && number != writer->below - 1)
        soak_die(soak, "a message is there twice, is missing, or out of order", text);
    writer->below = number;
    if (writer->ids[number] != 0 && writer->ids[number] != strtoll(id, NULL, 10))
        soak_die(soak, "a message has another id than was acknowledged", text);
    writer->seen += writer->ids[number] != 0;
}

void writers_check(struct soak *soak)
{
    const struct writer_kind *done = NULL;
    long seen = 0;
    atomic_store(&soak->over, false);
    for (int i = 0; i < soak->writer_count; i++) {
        soak->writers[i].below = WRITER_MESSAGES_MAX;
        soak->writers[i].seen = 0;
    }
    /* The first two writers are one of each kind. */
    for (int i = 0; i < 2 && i < soak->writer_count; i++) {
        struct writer *reader = &soak->writers[i];
        if (reader->kind == done || !come_in(reader))
            soak_die(soak, "nobody can read", NULL);
        reader->kind->read_all(reader);
        reader->kind->leave(reader);
        done = reader->kind;
    }
    for (int i = 0; i < soak->writer_count; i++) {
        const struct writer *writer = &soak->writers[i];
        if (writer->below != 0 && writer->next > 0)
            soak_die(soak, "the first messages are missing", writer->name);
        if (writer->seen != writer->next)
            soak_die(soak, "an acknowledged message is missing", writer->name);
        seen += writer->seen;
    }
    if (seen != atomic_load(&soak->acks))
        soak_die(soak, "an acknowledged message is missing", NULL);
}
