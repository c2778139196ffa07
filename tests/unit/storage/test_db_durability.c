/*
 * kill -9: a child writes from many threads and reports each acknowledged write through
 * a pipe; the parent kills it at random points, again and again on the same database.
 * Whatever was acknowledged is there, once, in the end. PARLEY_KILLS=1000 is the long form: so
 * many kills, a million acknowledgements.
 */
#include "core/clock.h"
#include "core/rng.h"
#include "storage/event.h"
#include "tests/support/scratch.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    ROUNDS = 25,
    WRITERS = 8,
    ROUND_WRITES = 100000,      /* more than a round ever reaches */
    KILL_AFTER_MAX = 200,       /* acknowledgements */
    LONG_KILL_AFTER_MAX = 2200, /* of the long form */
    KILL_LATER_US = 3000,
};

static int rounds = ROUNDS;
static uint32_t kill_after_max = KILL_AFTER_MAX;

/* ---- the child ---- */

struct child {
    struct db *db;
    int report;
    int64_t first;
    atomic_int next;
};

static enum status number_write(struct db_session *session, void *arg)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)*(const int64_t *)arg);
    return event_write_id(session, "durability", "test", id, 1);
}

static void *child_writer(void *arg)
{
    struct child *child = arg;
    for (;;) {
        int64_t number = child->first + atomic_fetch_add(&child->next, 1);
        if (db_write(child->db, number_write, &number) != STATUS_OK)
            _exit(2);
        /* Shorter than PIPE_BUF: whole or not at all. */
        if (write(child->report, &number, sizeof number) != sizeof number)
            _exit(3);
    }
    return NULL;
}

static void child_main(const char *path, int report, int64_t first)
{
    struct child child = {.report = report, .first = first};
    struct db_config config = {.directory = path, .readers = 1};
    pthread_t threads[WRITERS];
    if (db_open(&config, &child.db) != STATUS_OK)
        _exit(1);
    for (int i = 0; i < WRITERS; i++)
        if (pthread_create(&threads[i], NULL, child_writer, &child) != 0)
            _exit(4);
    pthread_join(threads[0], NULL);
    _exit(5);
}

/* ---- the parent ---- */

#define NUMBERS ((int64_t)rounds * ROUND_WRITES)

/* Which numbers were acknowledged: a bit a number. */
struct log {
    uint8_t *bits;
    int64_t count;
};

static void log_mark(struct log *log, int64_t number)
{
    assert_in_range(number, 0, NUMBERS - 1);
    log->bits[number / 8] |= (uint8_t)(1 << number % 8);
    log->count++;
}

static bool read_number(int fd, int64_t *ret_number)
{
    ssize_t got;
    do {
        got = read(fd, ret_number, sizeof *ret_number);
    } while (got < 0 && errno == EINTR);
    assert_true(got == 0 || got == sizeof *ret_number);
    return got != 0;
}

static void round_run(const char *path, int64_t first, struct rng *rng, struct log *log)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        child_main(path, ends[1], first);
    }
    close(ends[1]);
    int64_t number;
    uint32_t kill_after = 1 + rng_below(rng, kill_after_max);
    while (kill_after-- > 0 && read_number(ends[0], &number))
        log_mark(log, number);
    /* Somewhere within a commit, not always right after one. */
    uint64_t until = clock_mono_ns() + (uint64_t)rng_below(rng, KILL_LATER_US) * CLOCK_NS_PER_US;
    while (clock_mono_ns() < until)
        continue;
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (read_number(ends[0], &number))
        log_mark(log, number);
    close(ends[0]);
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(WTERMSIG(how), SIGKILL);
}

static enum status log_compare(struct db_session *session, void *arg)
{
    const struct log *log = arg;
    uint8_t *seen = calloc((size_t)NUMBERS, 1);
    assert_non_null(seen);
    struct db_statement *select =
        db_prepare(session, "SELECT payload FROM event WHERE scope = 'durability'");
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        const char *payload = db_column_text(select, 0);
        assert_int_equal(strncmp(payload, "{\"id\":\"", 7), 0);
        int64_t number = strtoll(payload + 7, NULL, 10);
        assert_in_range(number, 0, NUMBERS - 1);
        assert_int_equal(seen[number], 0);
        seen[number] = 1;
    }
    assert_int_equal(status, STATUS_NOT_FOUND);
    for (int64_t number = 0; number < NUMBERS; number++)
        if (log->bits[number / 8] & 1 << number % 8)
            assert_int_equal(seen[number], 1);
    free(seen);
    return STATUS_OK;
}

static void test_acknowledged_writes_survive(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX];
    struct rng rng;
    assert_in_range(rounds, 1, 100000);
    struct log log = {.bits = calloc((size_t)NUMBERS / 8 + 1, 1)};
    assert_non_null(log.bits);
    rng_seed(&rng, 20261123);
    scratch_make(path);
    for (int round = 0; round < rounds; round++)
        round_run(path, (int64_t)round * ROUND_WRITES, &rng, &log);
    struct db *db = scratch_db(path, 1);
    scratch_intact(db);
    assert_int_equal(db_read(db, log_compare, &log), STATUS_OK);
    print_message("%lld acknowledged writes survived %d kills\n", (long long)log.count, rounds);
    assert_true(log.count >= rounds);
    db_close(db);
    scratch_remove(path);
    free(log.bits);
}

int main(void)
{
    const char *kills = getenv("PARLEY_KILLS");
    if (kills) {
        rounds = (int)strtol(kills, NULL, 10);
        kill_after_max = LONG_KILL_AFTER_MAX;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_acknowledged_writes_survive)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
