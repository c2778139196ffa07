/*
 * modules/retention/retention.h - what would else grow for ever goes: events older than
 * events.days, and sessions, confirmations, links and shares that have been over for as long;
 * uploads that nobody went on with for a week; browsers that are told by push and whose sign-in is
 * over; records of telephone calls older than phone.records_days. A job that makes itself anew, so
 * that it goes on where a stopped server has left off. Thread: the job pool.
 */
#ifndef MODULES_RETENTION_RETENTION_H
#define MODULES_RETENTION_RETENTION_H

#include "modules/auth/auth.h"
#include "modules/jobs/jobs.h"
#include "storage/objects/objects.h"

enum { RETENTION_EVERY_MS = 3600000 };

/* All borrowed. */
struct retention {
    struct db *db;
    struct auth *auth;
    struct objects *objects;
    int64_t days, calls_days; /* 1 and up */
};

/* Adds the kind, and its job, due now. Before jobs_start; `retention` outlives the jobs. */
MUST_USE enum status retention_begin(struct retention *retention, struct jobs *jobs);

#endif
