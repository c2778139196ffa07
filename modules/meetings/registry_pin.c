/*
 * PINs by which telephones find a meeting. A PIN is sealed; it is looked up by its keyed hash, so
 * that how long a look-up takes says nothing about PINs near to it.
 */
#include "modules/meetings/registry_pin.h"

#include "storage/event.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

enum { PIN_TRIES_MAX = 8, PIN_FIRST = 1000000000 };

struct pin_job {
    const char *meeting, *pin;
    int64_t now_ms;
    char made[REGISTRY_PIN_DIGITS + 1];
    struct arena *arena;
    const char *found;
    uint8_t hash[CRYPTO_SHA256_BYTES];
};

static struct vault_place pin_place(const char *meeting)
{
    return (struct vault_place){.table = "meeting", .column = "pin_sealed", .row = meeting};
}

static enum status hash_of(struct db_session *session, const char *pin,
                           uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    return vault_hash(db_session_vault(session), NULL, "pin", pin, strlen(pin), ret_hash);
}

static enum status pin_read_run(struct db_session *session, void *arg)
{
    struct pin_job *job = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT pin_sealed FROM meeting WHERE id = $1");
    db_bind_text(select, 1, job->meeting);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    struct vault_place place = pin_place(job->meeting);
    return vault_column(db_session_vault(session), &place, select, 0, job->arena, &job->found);
}

/* Another may have been faster: then theirs stays. */
static enum status pin_write_run(struct db_session *session, void *arg)
{
    struct pin_job *job = arg;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    enum status status = hash_of(session, job->made, hash);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update = db_prepare(
        session, "UPDATE meeting SET pin_sealed = $2, pin_hash = $3 WHERE id = $1 AND pin_hash IS "
                 "NULL");
    struct vault_place place = pin_place(job->meeting);
    db_bind_text(update, 1, job->meeting);
    status = vault_bind(db_session_vault(session), &place, update, 2, job->made);
    db_bind_blob(update, 3, hash, sizeof hash);
    return status == STATUS_OK ? db_run(update) : status;
}

enum status registry_pin(struct db *db, const char *meeting, struct arena *arena,
                         const char **ret_pin)
{
    struct pin_job job = {.meeting = meeting, .arena = arena};
    enum status status = db_read(db, pin_read_run, &job);
    for (int tries = 0; status == STATUS_OK && job.found == NULL && tries < PIN_TRIES_MAX;
         tries++) {
        /* Ten digits, the first not 0: people read them out, and some write them as a number. */
        uint64_t number = PIN_FIRST + crypto_random_u64() % (9 * (uint64_t)PIN_FIRST);
        snprintf(job.made, sizeof job.made, "%llu", (unsigned long long)number);
        status = db_write(db, pin_write_run, &job);
        if (status == STATUS_OK)
            status = db_read(db, pin_read_run, &job);
        else if (status == STATUS_EXISTS) /* another meeting's */
            status = STATUS_OK;
    }
    if (status == STATUS_OK && job.found == NULL)
        return STATUS_LIMIT;
    if (status == STATUS_OK)
        *ret_pin = job.found;
    return status;
}

/* ---- chosen ones ---- */

/* 1234567, 9876543, 1357913: each digit as far from the one before. */
static bool is_run(const char *pin)
{
    int step = (pin[1] - pin[0] + 10) % 10;
    for (size_t i = 1; pin[i] != '\0'; i++) {
        if ((pin[i] - pin[i - 1] + 10) % 10 != step)
            return false;
    }
    return true;
}

/* 123123, 454545: half or less of it, again and again. */
static bool repeats(const char *pin, size_t length)
{
    for (size_t period = 1; period <= length / 2; period++) {
        if (strncmp(pin, pin + period, length - period) == 0)
            return true;
    }
    return false;
}

static bool is_mirror(const char *pin, size_t length)
{
    for (size_t i = 0; i < length / 2; i++) {
        if (pin[i] != pin[length - 1 - i])
            return false;
    }
    return true;
}

static bool is_date(const char *pin, size_t length)
{
    bool year_first = length == 8 && (strncmp(pin, "19", 2) == 0 || strncmp(pin, "20", 2) == 0);
    bool year_last =
        length == 8 && (strncmp(pin + 4, "19", 2) == 0 || strncmp(pin + 4, "20", 2) == 0);
    return year_first || year_last;
}

bool registry_pin_fit(const char *pin)
{
    size_t length = strlen(pin), distinct = 0;
    if (length < REGISTRY_PIN_OWN_MIN || length > REGISTRY_PIN_OWN_MAX ||
        strspn(pin, "0123456789") != length)
        return false;
    for (char digit = '0'; digit <= '9'; digit++)
        distinct += strchr(pin, digit) != NULL;
    return distinct >= REGISTRY_PIN_DISTINCT_MIN && !is_run(pin) && !repeats(pin, length) &&
           !is_mirror(pin, length) && !is_date(pin, length);
}

static enum status pin_set_run(struct db_session *session, void *arg)
{
    struct pin_job *job = arg;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    bool clear = job->pin[0] == '\0';
    enum status status = hash_of(session, job->pin, hash);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE meeting SET pin_sealed = $2, pin_hash = $3 WHERE id = $1 AND "
                            "ended IS NULL RETURNING id");
    struct vault_place place = pin_place(job->meeting);
    db_bind_text(update, 1, job->meeting);
    status = vault_bind(db_session_vault(session), &place, update, 2, clear ? NULL : job->pin);
    if (clear)
        db_bind_null(update, 3);
    else
        db_bind_blob(update, 3, hash, sizeof hash);
    if (status == STATUS_OK)
        status = db_step(update);
    return status == STATUS_OK
               ? event_write_id(session, job->meeting, "meeting.updated", job->meeting, job->now_ms)
               : status;
}

enum status registry_pin_set(struct db *db, const char *meeting, const char *pin, int64_t now_ms)
{
    struct pin_job job = {.meeting = meeting, .pin = pin, .now_ms = now_ms};
    if (pin[0] != '\0' && !registry_pin_fit(pin))
        return STATUS_INVALID;
    return db_write(db, pin_set_run, &job);
}

/* ---- finding ---- */

static enum status pin_find_run(struct db_session *session, void *arg)
{
    struct pin_job *job = arg;
    enum status status = hash_of(session, job->pin, job->hash);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM meeting WHERE pin_hash = $1 AND ended IS NULL");
    db_bind_blob(select, 1, job->hash, sizeof job->hash);
    status = db_step(select);
    if (status != STATUS_OK)
        return status;
    job->found = arena_strdup(job->arena, db_column_text(select, 0));
    return job->found != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status registry_find_by_pin(struct db *db, const char *pin, struct arena *arena,
                                 struct registry_meeting *ret_meeting)
{
    struct pin_job job = {.pin = pin, .arena = arena};
    enum status status = db_read(db, pin_find_run, &job);
    return status == STATUS_OK ? registry_find(db, job.found, arena, ret_meeting) : status;
}
