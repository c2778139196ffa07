#include "modules/jobs/job_rows.h"

#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

static struct vault_place place_of(const char *space, const char *id)
{
    return (struct vault_place){.space = space, .table = "job", .column = "payload", .row = id};
}

/* ---- adding ---- */

static bool fits(const struct jobs_new *job)
{
    return job->kind != NULL && strlen(job->kind) <= JOBS_KIND_NAME_MAX &&
           (job->key == NULL || strlen(job->key) <= JOBS_KEY_MAX) &&
           (job->payload == NULL || strlen(job->payload) <= JOBS_PAYLOAD_MAX);
}

static enum status count_add(struct db_session *session, const char *kind)
{
    struct db_statement *upsert =
        db_prepare(session, "INSERT INTO job_kind (kind, jobs) VALUES ($1, 1)"
                            " ON CONFLICT (kind) DO UPDATE SET jobs = job_kind.jobs + 1"
                            " RETURNING jobs");
    db_bind_text(upsert, 1, kind);
    enum status status = db_step(upsert);
    if (status != STATUS_OK)
        return status;
    return db_column_int(upsert, 0) > JOBS_WAITING_MAX ? STATUS_LIMIT : STATUS_OK;
}

static enum status count_drop(struct db_session *session, const char *kind)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE job_kind SET jobs = jobs - 1 WHERE kind = $1");
    db_bind_text(update, 1, kind);
    return db_run(update);
}

static enum status insert(struct db_session *session, const struct jobs_new *job, int64_t now_ms)
{
    char id[CRYPTO_ID_CHARS + 1];
    crypto_id(id);
    enum status status = count_add(session, job->kind);
    if (status != STATUS_OK)
        return status;
    const struct vault_place place = place_of(job->space, id);
    struct db_statement *statement =
        db_prepare(session, "INSERT INTO job (id, kind, space, key, payload, due, created)"
                            " VALUES ($1, $2, $3, $4, $5, $6, $7)");
    db_bind_text(statement, 1, id);
    db_bind_text(statement, 2, job->kind);
    db_bind_text(statement, 3, job->space);
    db_bind_text(statement, 4, job->key);
    status = vault_bind(db_session_vault(session), &place, statement, 5,
                        job->payload != NULL ? job->payload : "");
    db_bind_int(statement, 6, job->due_ms);
    db_bind_int(statement, 7, now_ms);
    return status == STATUS_OK ? db_run(statement) : status;
}

static enum status renew(struct db_session *session, const char *id, const struct jobs_new *job)
{
    const struct vault_place place = place_of(job->space, id);
    struct db_statement *update =
        db_prepare(session, "UPDATE job SET space = $2, payload = $3, due = $4, attempts = 0,"
                            " version = version + 1 WHERE id = $1");
    db_bind_text(update, 1, id);
    db_bind_text(update, 2, job->space);
    enum status status = vault_bind(db_session_vault(session), &place, update, 3,
                                    job->payload != NULL ? job->payload : "");
    db_bind_int(update, 4, job->due_ms);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status find(struct db_session *session, const char *kind, const char *key,
                        char ret_id[CRYPTO_ID_CHARS + 1])
{
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM job WHERE kind = $1 AND key = $2");
    db_bind_text(select, 1, kind);
    db_bind_text(select, 2, key);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        snprintf(ret_id, CRYPTO_ID_CHARS + 1, "%s", db_column_text(select, 0));
    return status;
}

enum status jobs_add(struct db_session *session, const struct jobs_new *job, int64_t now_ms)
{
    char id[CRYPTO_ID_CHARS + 1];
    enum status status = STATUS_NOT_FOUND;
    if (!fits(job))
        return STATUS_INVALID;
    if (job->key != NULL)
        status = find(session, job->kind, job->key, id);
    if (status == STATUS_OK)
        status = renew(session, id, job);
    else if (status == STATUS_NOT_FOUND)
        status = insert(session, job, now_ms);
    if (status == STATUS_OK)
        db_signal(session, DB_JOBS);
    return status;
}

enum status jobs_cancel(struct db_session *session, const char *kind, const char *key)
{
    struct db_statement *drop = db_prepare(
        session, "DELETE FROM job WHERE kind = $1 AND key = $2 AND lease = 0 RETURNING id");
    db_bind_text(drop, 1, kind);
    db_bind_text(drop, 2, key);
    enum status status = db_step(drop);
    return status == STATUS_OK ? count_drop(session, kind) : status;
}

/* ---- running ---- */

enum status job_next(struct db_session *session, const char *kind, int64_t now_ms,
                     int64_t *ret_due_ms)
{
    struct db_statement *select =
        db_prepare(session, "SELECT due FROM job WHERE kind = $1 AND leased_to <= $2"
                            " ORDER BY due LIMIT 1");
    db_bind_text(select, 1, kind);
    db_bind_int(select, 2, now_ms);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_due_ms = db_column_int(select, 0);
    else if (status == STATUS_NOT_FOUND)
        *ret_due_ms = INT64_MAX;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status job_count(struct db_session *session, const char *kind, int64_t *ret_count)
{
    struct db_statement *select = db_prepare(session, "SELECT jobs FROM job_kind WHERE kind = $1");
    db_bind_text(select, 1, kind);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_count = db_column_int(select, 0);
    else if (status == STATUS_NOT_FOUND)
        *ret_count = 0;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status lease_write(struct db_session *session, const struct job_lease *lease,
                               int64_t until_ms)
{
    struct db_statement *update = db_prepare(
        session, "UPDATE job SET lease = $2, leased_to = $3, attempts = $4 WHERE id = $1");
    db_bind_text(update, 1, lease->id);
    db_bind_int(update, 2, lease->lease);
    db_bind_int(update, 3, until_ms);
    db_bind_int(update, 4, lease->attempt);
    return db_run(update);
}

enum status job_lease(struct db_session *session, const char *kind, int64_t now_ms,
                      int64_t until_ms, uint32_t most, struct job_lease *ret_leases,
                      uint32_t *ret_count)
{
    uint32_t count = 0;
    enum status status = STATUS_OK;
    struct db_statement *select =
        db_prepare(session, "SELECT id, version, attempts FROM job"
                            " WHERE kind = $1 AND due <= $2 AND leased_to <= $2"
                            " ORDER BY due LIMIT $3");
    db_bind_text(select, 1, kind);
    db_bind_int(select, 2, now_ms);
    db_bind_int(select, 3, most);
    while (count < most && (status = db_step(select)) == STATUS_OK) {
        struct job_lease *lease = &ret_leases[count++];
        *lease = (struct job_lease){.lease = (int64_t)(crypto_random_u64() >> 2) + 1,
                                    .version = db_column_int(select, 1),
                                    .attempt = (uint32_t)db_column_int(select, 2) + 1};
        snprintf(lease->id, sizeof lease->id, "%s", db_column_text(select, 0));
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        status = lease_write(session, &ret_leases[i], until_ms);
    if (status == STATUS_OK)
        *ret_count = count;
    return status;
}

static enum status text_copy(struct db_statement *row, int column, struct arena *arena,
                             const char **ret_text)
{
    const char *text = db_column_text(row, column);
    *ret_text = text != NULL ? arena_strdup(arena, text) : NULL;
    return text != NULL && *ret_text == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status job_load(struct db_session *session, const struct job_lease *lease, const char *kind,
                     struct arena *arena, struct jobs_job *ret_job)
{
    struct jobs_job job = {.id = lease->id, .kind = kind, .attempt = lease->attempt};
    struct db_statement *select = db_prepare(
        session, "SELECT space, key, payload, created FROM job WHERE id = $1 AND lease = $2");
    db_bind_text(select, 1, lease->id);
    db_bind_int(select, 2, lease->lease);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status = text_copy(select, 0, arena, &job.space);
    if (status == STATUS_OK)
        status = text_copy(select, 1, arena, &job.key);
    if (status != STATUS_OK)
        return status;
    const struct vault_place place = place_of(job.space, job.id);
    job.created = db_column_int(select, 3);
    status = vault_column(db_session_vault(session), &place, select, 2, arena, &job.payload);
    if (status == STATUS_OK)
        *ret_job = job;
    return status;
}

/* It was made anew while it ran: its time stands already. */
static enum status release(struct db_session *session, const struct job_lease *lease)
{
    struct db_statement *update = db_prepare(session, "UPDATE job SET lease = 0, leased_to = 0"
                                                      " WHERE id = $1 AND lease = $2 RETURNING id");
    db_bind_text(update, 1, lease->id);
    db_bind_int(update, 2, lease->lease);
    return db_step(update);
}

enum status job_end(struct db_session *session, const struct job_lease *lease, const char *kind)
{
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM job WHERE id = $1 AND lease = $2 AND version = $3"
                            " RETURNING id");
    db_bind_text(drop, 1, lease->id);
    db_bind_int(drop, 2, lease->lease);
    db_bind_int(drop, 3, lease->version);
    enum status status = db_step(drop);
    if (status == STATUS_NOT_FOUND)
        return release(session, lease);
    return status == STATUS_OK ? count_drop(session, kind) : status;
}

enum status job_put_back(struct db_session *session, const struct job_lease *lease, int64_t due_ms,
                         uint32_t attempts)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE job SET lease = 0, leased_to = 0, due = $4, attempts = $5"
                            " WHERE id = $1 AND lease = $2 AND version = $3 RETURNING id");
    db_bind_text(update, 1, lease->id);
    db_bind_int(update, 2, lease->lease);
    db_bind_int(update, 3, lease->version);
    db_bind_int(update, 4, due_ms);
    db_bind_int(update, 5, attempts);
    enum status status = db_step(update);
    return status == STATUS_NOT_FOUND ? release(session, lease) : status;
}

enum status job_leases_end(struct db_session *session)
{
    return db_run(db_prepare(session, "UPDATE job SET lease = 0, leased_to = 0 WHERE lease > 0"));
}
