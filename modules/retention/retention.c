#include "modules/retention/retention.h"

#include "core/clock.h"
#include "core/log.h"
#include "modules/phone/records.h"
#include "modules/push/push.h"
#include "modules/spaces/incoming.h"
#include "modules/spaces/links.h"
#include "storage/event.h"

#include <inttypes.h>

static const char kind_name[] = "retention";

#define DAY_MS INT64_C(86400000)

static enum status add_run(struct db_session *session, void *arg)
{
    const int64_t *due_ms = arg;
    const struct jobs_new job = {.kind = kind_name, .key = kind_name, .due_ms = *due_ms};
    return jobs_add(session, &job, clock_wall_ms());
}

/* One that fails leaves those before it done; all of them are tried again the next time. */
static enum status prune(const struct retention *retention, int64_t now_ms)
{
    int64_t before_ms = now_ms - retention->days * DAY_MS, events = 0, calls = 0;
    enum status status = event_prune(retention->db, before_ms, &events);
    if (status == STATUS_OK)
        status = auth_prune(retention->auth, before_ms);
    if (status == STATUS_OK)
        status = push_prune(retention->db, now_ms);
    if (status == STATUS_OK)
        status = links_prune(retention->db, before_ms);
    if (status == STATUS_OK)
        status = uploads_sweep(retention->db, retention->objects, now_ms);
    if (status == STATUS_OK)
        status = records_prune(retention->db, now_ms - retention->calls_days * DAY_MS, &calls);
    if (events > 0)
        log_event(LOG_JOBS, LOG_INFO, "events_pruned", "events=%" PRId64, events);
    return status;
}

/* The next is there before this one ends: while it runs, to be added is to run once more. */
static enum status prune_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    (void)job;
    (void)arena;
    const struct retention *retention = context;
    int64_t now_ms = clock_wall_ms(), due_ms = now_ms + RETENTION_EVERY_MS;
    enum status status = prune(retention, now_ms);
    if (status != STATUS_OK)
        log_event(LOG_JOBS, LOG_ERROR, "retention_failed", "status=%s", status_name(status));
    return db_write(retention->db, add_run, &due_ms);
}

enum status retention_begin(struct retention *retention, struct jobs *jobs)
{
    const struct jobs_kind kind = {.name = kind_name, .run = prune_run, .context = retention};
    int64_t now_ms = clock_wall_ms();
    enum status status = jobs_kind_add(jobs, &kind);
    return status == STATUS_OK ? db_write(retention->db, add_run, &now_ms) : status;
}
