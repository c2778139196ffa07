/*
 * Records of calls: limits that survive a restart, budgets that two calls cannot spend twice, CSV
 * that no spreadsheet computes. The clock is an argument.
 */
#include "modules/phone/records.h"

#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW = 1764000000000;

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
    struct records_limits limits;
    struct dialing_target target;
    int calls;
    char id[CRYPTO_ID_CHARS + 1];
    int64_t length_ms;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    scratch_make(fixture->path);
    fixture->db = scratch_db(fixture->path, 1);
    assert_int_equal(arena_new(8 << 20, &fixture->arena), STATUS_OK);
    fixture->limits = (struct records_limits){.calls = 100, .hour = 100, .minutes = 60};
    fixture->target = (struct dialing_target){.budget = -1, .budget_all = -1};
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    db_close(fixture->db);
    scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

static struct record record_of(struct fixture *fixture, const char *caller, int64_t now_ms)
{
    return (struct record){.id = fixture->id,
                           .direction = RECORD_OUT,
                           .meeting = "standup",
                           .caller = caller,
                           .number = "+49301234567",
                           .started = now_ms};
}

static const char *begin(struct fixture *fixture, const char *caller, int64_t now_ms)
{
    enum dialing_answer answer = DIALING_OK;
    snprintf(fixture->id, sizeof fixture->id, "call%d", ++fixture->calls);
    struct record record = record_of(fixture, caller, now_ms);
    assert_int_equal(records_begin_out(fixture->db, &record, &fixture->target, &fixture->limits,
                                       &answer, &fixture->length_ms),
                     STATUS_OK);
    return dialing_code(answer);
}

/* The call begun last has lasted so long. */
static void end(struct fixture *fixture, int64_t started, int64_t length_ms)
{
    struct record record = record_of(fixture, "ann", started);
    record.rate = fixture->target.rate;
    record.answered = started;
    record.ended = started + length_ms;
    record.reason = "hung_up";
    assert_int_equal(records_write(fixture->db, &record), STATUS_OK);
}

static void test_calls_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->limits.calls = 2;
    assert_string_equal(begin(fixture, "ann", NOW), "ok");
    assert_string_equal(begin(fixture, "bob", NOW), "ok");
    assert_string_equal(begin(fixture, "eve", NOW), "dial_lines");
    fixture->calls = 1; /* the second ends */
    snprintf(fixture->id, sizeof fixture->id, "call2");
    end(fixture, NOW, 1000);
    fixture->calls = 3;
    assert_string_equal(begin(fixture, "eve", NOW + 2000), "ok");
    /* What ran when the server went down runs no more. */
    assert_string_equal(begin(fixture, "eve", NOW + 2000), "dial_lines");
    assert_int_equal(records_close_lost(fixture->db, NOW + 3000), STATUS_OK);
    assert_string_equal(begin(fixture, "eve", NOW + 4000), "ok");
    assert_int_equal(
        scratch_count(fixture->db, "SELECT count(*) FROM phone_call WHERE reason = 'denied'"), 2);
}

static void test_calls_of_an_hour(void **state)
{
    struct fixture *fixture = *state;
    fixture->limits.hour = 2;
    assert_string_equal(begin(fixture, "ann", NOW), "ok");
    assert_string_equal(begin(fixture, "ann", NOW + 1000), "ok");
    assert_string_equal(begin(fixture, "ann", NOW + 2000), "dial_hour");
    assert_string_equal(begin(fixture, "bob", NOW + 2000), "ok");
    db_close(fixture->db); /* a restart forgets nothing */
    fixture->db = scratch_db(fixture->path, 1);
    assert_string_equal(begin(fixture, "ann", NOW + 3000), "dial_hour");
    assert_string_equal(begin(fixture, "ann", NOW + RECORDS_HOUR_MS), "ok");
    assert_string_equal(begin(fixture, "ann", NOW + RECORDS_HOUR_MS), "dial_hour");
}

static void test_budget(void **state)
{
    struct fixture *fixture = *state;
    fixture->target = (struct dialing_target){.number = "+49301234567",
                                              .prefix = "+49",
                                              .rate = 100000, /* 0.10 a minute */
                                              .budget = 2 * DIALING_MICRO,
                                              .budget_all = -1};
    fixture->limits.minutes = 15;
    assert_string_equal(begin(fixture, "ann", NOW), "ok");
    assert_int_equal(fixture->length_ms, 15 * RECORDS_MINUTE_MS);
    /* 1.50 of 2.00 may be spent by that one: five minutes are left. */
    assert_string_equal(begin(fixture, "bob", NOW), "ok");
    assert_int_equal(fixture->length_ms, 5 * RECORDS_MINUTE_MS);
    assert_string_equal(begin(fixture, "eve", NOW), "dial_cost");
    /* The second lasted 61 s: two minutes are paid, three are free again. */
    snprintf(fixture->id, sizeof fixture->id, "call2");
    end(fixture, NOW, 61000);
    assert_int_equal(scratch_count(fixture->db, "SELECT cost FROM phone_call WHERE id = 'call2'"),
                     200000);
    assert_string_equal(begin(fixture, "eve", NOW + 100000), "ok");
    assert_int_equal(fixture->length_ms, 3 * RECORDS_MINUTE_MS);
    /* A day later it is whole again. */
    assert_string_equal(begin(fixture, "eve", NOW + RECORDS_DAY_MS + 100000), "ok");
    assert_int_equal(fixture->length_ms, 15 * RECORDS_MINUTE_MS);
    /* Another prefix has its own; the total is everybody's. */
    snprintf(fixture->target.prefix, sizeof fixture->target.prefix, "+33");
    assert_string_equal(begin(fixture, "eve", NOW + 100000), "ok");
    fixture->target.budget_all = DIALING_MICRO;
    assert_string_equal(begin(fixture, "eve", NOW + 100000), "dial_cost");
}

static void test_upsert(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(begin(fixture, "ann", NOW), "ok");
    end(fixture, NOW, 5000);
    /* A first write that comes after the last one changes nothing. */
    struct record late = record_of(fixture, "ann", NOW);
    assert_int_equal(records_write(fixture->db, &late), STATUS_OK);
    assert_int_equal(scratch_count(fixture->db, "SELECT count(*) FROM phone_call"), 1);
    assert_int_equal(scratch_count(fixture->db, "SELECT ended FROM phone_call"), NOW + 5000);
}

static void test_csv(void **state)
{
    struct fixture *fixture = *state;
    struct json_list records;
    const char *csv = NULL;
    static const struct record call = {.id = "-1+1",
                                       .direction = RECORD_IN,
                                       .meeting = "=cmd|' /C calc'!A0",
                                       .number = "+4930\"12,34",
                                       .started = 1764000000000,
                                       .answered = 1764000001000,
                                       .ended = 1764000063000,
                                       .codec = "PCMU",
                                       .mos = 431,
                                       .code = 200,
                                       .reason = "hung_up"};
    assert_int_equal(records_write(fixture->db, &call), STATUS_OK);
    assert_int_equal(records_list(fixture->db, 0, NOW + 1, fixture->arena, &records), STATUS_OK);
    assert_int_equal(records.count, 1);
    assert_int_equal(records_csv(&records, fixture->arena, &csv), STATUS_OK);
    assert_string_equal(
        csv, "id,direction,meeting,caller,number,started,answered,ended,seconds,codec,prefix,cost,"
             "mos,code,reason\r\n"
             "\"'-1+1\",in,\"'=cmd|' /C calc'!A0\",\"\",\"'+4930\"\"12,34\",2025-11-24T16:00:00Z,"
             "2025-11-24T16:00:01Z,2025-11-24T16:01:03Z,62,\"PCMU\",\"\",0.000000,4.31,200,"
             "\"hung_up\"\r\n");
    assert_int_equal(records_list(fixture->db, NOW + 1, NOW + 2, fixture->arena, &records),
                     STATUS_OK);
    assert_int_equal(records.count, 0);
}

static void test_numbers_sealed(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(begin(fixture, "ann", NOW), "ok");
    assert_int_equal(
        scratch_count(fixture->db,
                      "SELECT count(*) FROM phone_call WHERE instr(number_sealed, '9301234567')"),
        0);
}

static void test_prune(void **state)
{
    struct fixture *fixture = *state;
    int64_t removed = 0;
    assert_string_equal(begin(fixture, "ann", NOW), "ok");
    end(fixture, NOW, 1000);
    assert_string_equal(begin(fixture, "ann", NOW + 1000), "ok"); /* runs still */
    assert_int_equal(records_prune(fixture->db, NOW + 2000, &removed), STATUS_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(
        scratch_count(fixture->db, "SELECT count(*) FROM phone_call WHERE id = 'call2'"), 1);
    scratch_no_scans(fixture->db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_calls_of_an_hour, setup, teardown),
        cmocka_unit_test_setup_teardown(test_budget, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upsert, setup, teardown),
        cmocka_unit_test_setup_teardown(test_csv, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prune, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
