/*
 * A busy server dies: writers over REST and the gateway (tests/soak/writers) write as fast as they
 * get answers, the server is killed with -9 at random moments and started again, everybody comes
 * back. In the end each acknowledged message is there, once, and the database is whole.
 *
 *   soak_kills PARLEY [KILLS] [WRITES] [SEED]   WRITES: acknowledged between two kills, about
 *
 * The last line: "KILLS kills, WRITES acknowledged writes, ...".
 */
#include "core/clock.h"
#include "tests/soak/writers/writers.h"
#include "tests/support/scratch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    KILLS = 10,
    KILLS_MAX = 10000,
    WRITES = 150,
    WRITES_MAX = 100000,
    WRITERS = 8,
    READY_MS_MAX = 2000, /* from the start of the process to its "ready" */
    BACK_MS_MAX = 10000, /* everybody is back after a kill */
    STOP_MS_MAX = 5000,  /* SIGTERM to exit */
};

/* What was measured. */
static struct {
    uint64_t ready_ms, back_ms; /* worst */
} worst;

static uint64_t now_ms(void)
{
    return clock_mono_ns() / CLOCK_NS_PER_MS;
}

static void server_up(struct soak *soak)
{
    uint64_t start = now_ms();
    atomic_fetch_add(&soak->life, 1);
    if (server_process_start(&soak->server) != STATUS_OK)
        soak_die(soak, "the server does not start", NULL);
    uint64_t took = now_ms() - start;
    worst.ready_ms = took > worst.ready_ms ? took : worst.ready_ms;
}

/* How long until everybody was let in by the server's present life. */
static void everybody_ready(struct soak *soak)
{
    uint64_t start = now_ms();
    for (int i = 0; i < soak->writer_count; i++) {
        while (atomic_load(&soak->ready[i]) != atomic_load(&soak->life)) {
            if (now_ms() - start > BACK_MS_MAX)
                soak_die(soak, "not back in time", soak->writers[i].name);
            soak_sleep_ms(1);
        }
    }
}

static void busy_for(struct soak *soak, long acks)
{
    uint64_t seen_at = now_ms();
    long start = atomic_load(&soak->acks), seen = start;
    while (seen < start + acks) {
        long now = atomic_load(&soak->acks);
        if (now != seen)
            seen_at = now_ms();
        else if (now_ms() - seen_at > WRITER_READ_MS)
            soak_die(soak, "no message is acknowledged any more", NULL);
        seen = now;
        soak_sleep_ms(1);
    }
}

static void lives(struct soak *soak, int kills, int writes, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < kills; i++) {
        busy_for(soak, 1 + (long)rng_below(&rng, 2 * (uint32_t)writes));
        server_process_stop(&soak->server, SIGKILL);
        uint64_t dead = now_ms();
        server_up(soak);
        everybody_ready(soak);
        uint64_t back = now_ms() - dead;
        worst.back_ms = back > worst.back_ms ? back : worst.back_ms;
    }
    busy_for(soak, writes);
}

static void server_down(struct soak *soak)
{
    uint64_t start = now_ms();
    int how = server_process_stop(&soak->server, SIGTERM);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        soak_die(soak, "SIGTERM does not end it with 0", NULL);
    if (now_ms() - start > STOP_MS_MAX)
        soak_die(soak, "SIGTERM takes too long", NULL);
}

static void database_check(const char *folder)
{
    char data[SCRATCH_PATH_MAX];
    snprintf(data, sizeof data, "%s", scratch_file(folder, "data"));
    struct db *db = scratch_db(data, 1);
    scratch_intact(db);
    db_close(db);
}

static int number_of(int argc, char **argv, int index, int fallback, int max)
{
    long value = argc > index ? strtol(argv[index], NULL, 10) : fallback;
    return value < 1 ? 1 : value > max ? max : (int)value;
}

static void figure_print(struct soak *soak, int kills)
{
    const char *strict = getenv("PARLEY_STRICT");
    printf("%d kills, %ld acknowledged writes, 0 lost, 0 doubled, database intact; ready after at "
           "most %llu ms, everybody back after %llu ms; %ld sent again, %ld refused as too fast\n",
           kills, atomic_load(&soak->acks), (unsigned long long)worst.ready_ms,
           (unsigned long long)worst.back_ms, atomic_load(&soak->repeats),
           atomic_load(&soak->refusals));
    if (strict != NULL && strcmp(strict, "1") == 0 && worst.ready_ms > READY_MS_MAX)
        soak_die(soak, "not ready within two seconds", NULL);
}

int main(int argc, char **argv)
{
    static struct soak soak;
    char folder[SCRATCH_PATH_MAX];
    if (argc < 2) {
        fputs("usage: soak_kills PARLEY [KILLS] [WRITES] [SEED]\n", stderr);
        return 2;
    }
    int kills = number_of(argc, argv, 2, KILLS, KILLS_MAX);
    scratch_make(folder);
    soak.server = (struct server_process){.program = argv[1], .folder = folder};
    soak.writer_count = WRITERS;
    server_up(&soak);
    soak.port = soak.server.port;
    rest_prepare(&soak);
    writers_start(&soak);
    everybody_ready(&soak);
    lives(&soak, kills, number_of(argc, argv, 3, WRITES, WRITES_MAX),
          argc > 4 ? strtoull(argv[4], NULL, 10) : 9);
    writers_join(&soak);
    server_down(&soak);
    database_check(folder);
    server_up(&soak);
    writers_check(&soak);
    server_down(&soak);
    figure_print(&soak, kills);
    writers_free(&soak);
    scratch_remove(folder);
    return EXIT_SUCCESS;
}
