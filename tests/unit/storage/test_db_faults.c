/*
 * Disks that are full, that fail, and that lose their power: whatever was acknowledged is there,
 * once, and the database is sound. A seed a disk.
 */
#include "core/rng.h"
#include "storage/event.h"
#include "tests/support/scratch.h"
#include "tests/support/vfs_fault.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    POWER_SEEDS = 1000,
    FAULT_SEEDS = 60, /* of each kind */
    WRITERS = 2,
    WRITES = 8, /* a writer tries */
    NUMBERS = WRITERS * WRITES,
};

static char path[SCRATCH_PATH_MAX];

struct load {
    struct db *db;
    int writer;
    bool acknowledged[WRITES];
    int failed;
};

static enum status number_write(struct db_session *session, void *arg)
{
    /* Longer than a sector, so that a torn one shows. */
    char payload[1500];
    memset(payload, ' ', sizeof payload);
    int length = snprintf(payload, sizeof payload, "%d", *(const int *)arg);
    payload[length] = ' ';
    payload[sizeof payload - 1] = '\0';
    return event_write(session, "faults", "test", payload, 1, NULL);
}

static void *load_main(void *arg)
{
    struct load *load = arg;
    for (int i = 0; i < WRITES; i++) {
        int number = load->writer * WRITES + i;
        load->acknowledged[i] = db_write(load->db, number_write, &number) == STATUS_OK;
        load->failed += !load->acknowledged[i];
    }
    return NULL;
}

static enum status numbers_read(struct db_session *session, void *arg)
{
    int *seen = arg;
    enum status status;
    struct db_statement *select =
        db_prepare(session, "SELECT payload FROM event WHERE scope = 'faults'");
    while ((status = db_step(select)) == STATUS_OK) {
        long number = strtol(db_column_text(select, 0), NULL, 10);
        assert_in_range(number, 0, NUMBERS - 1);
        assert_int_equal(strlen(db_column_text(select, 0)), 1499);
        seen[number]++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void numbers_check(struct db *db, const struct load *loads, uint64_t seed)
{
    int seen[NUMBERS] = {0};
    scratch_intact(db);
    assert_int_equal(db_read(db, numbers_read, seen), STATUS_OK);
    for (int i = 0; i < NUMBERS; i++) {
        bool acknowledged = loads[i / WRITES].acknowledged[i % WRITES];
        if (seen[i] > 1 || (acknowledged && seen[i] != 1))
            fail_msg("seed %llu: write %d, acknowledged %d, is there %d times",
                     (unsigned long long)seed, i, acknowledged, seen[i]);
    }
}

/* Returns how many writes failed. */
static int load_run(struct db *db, struct load loads[WRITERS])
{
    pthread_t threads[WRITERS];
    int failed = 0;
    for (int i = 0; i < WRITERS; i++) {
        loads[i] = (struct load){.db = db, .writer = i};
        assert_int_equal(pthread_create(&threads[i], NULL, load_main, &loads[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        failed += loads[i].failed;
    }
    return failed;
}

static void seed_run(uint64_t seed, enum vfs_fault fault, int *fired)
{
    struct load loads[WRITERS];
    struct rng rng;
    rng_seed(&rng, seed);
    vfs_fault_restore();
    struct db *db = scratch_db(path, 1);
    vfs_fault_plan(fault, rng_below(&rng, fault == VFS_FAULT_SYNC ? 10 : 60),
                   1 + rng_below(&rng, 12));
    int failed = load_run(db, loads);
    *fired += vfs_fault_fired();
    if (failed > 0)
        assert_true(vfs_fault_fired());
    if (fault != VFS_FAULT_POWER) {
        vfs_fault_plan(VFS_FAULT_NONE, 0, 0);
        numbers_check(db, loads, seed); /* it goes on when the disk does */
        int number = 0;
        bool again = !loads[0].acknowledged[0];
        if (again && db_write(db, number_write, &number) == STATUS_OK)
            loads[0].acknowledged[0] = true;
    }
    if (fault != VFS_FAULT_POWER && rng_below(&rng, 2) == 0)
        vfs_fault_plan(VFS_FAULT_POWER, 0, 0); /* and then loses its power, not closed */
    db_close(db);
    vfs_fault_power_cut(seed);
    db = scratch_db(path, 1);
    numbers_check(db, loads, seed);
    db_close(db);
}

static void seeds_run(uint64_t first, int count, enum vfs_fault fault)
{
    int fired = 0;
    for (int i = 0; i < count; i++)
        seed_run(first + (uint64_t)i, fault, &fired);
    print_message("%d of %d disks failed in time\n", fired, count);
    assert_true(fired > count / 4);
}

static void test_power_cuts(void **state)
{
    (void)state;
    seeds_run(1, POWER_SEEDS, VFS_FAULT_POWER);
}

static void test_full_disks(void **state)
{
    (void)state;
    seeds_run(100000, FAULT_SEEDS, VFS_FAULT_FULL);
}

static void test_failing_writes(void **state)
{
    (void)state;
    seeds_run(200000, FAULT_SEEDS, VFS_FAULT_WRITE);
}

static void test_failing_syncs(void **state)
{
    (void)state;
    seeds_run(300000, FAULT_SEEDS, VFS_FAULT_SYNC);
}

static int setup(void **state)
{
    (void)state;
    scratch_make(path);
    vfs_fault_begin();
    db_close(scratch_db(path, 1));
    vfs_fault_keep();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vfs_fault_end();
    scratch_remove(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_cuts),
        cmocka_unit_test(test_full_disks),
        cmocka_unit_test(test_failing_writes),
        cmocka_unit_test(test_failing_syncs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
