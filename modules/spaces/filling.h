/*
 * modules/spaces/filling.h - what is older than search comes into its index: a job, a few messages
 * or files in each transaction, that goes on where a stop or crash has left it.
 * Thread: filling_begin before jobs_start; the job on the job pool.
 */
#ifndef MODULES_SPACES_FILLING_H
#define MODULES_SPACES_FILLING_H

#include "modules/jobs/jobs.h"

/* Adds the kind, and the job when not all is there yet. Errors: as jobs_kind_add, db_write. */
MUST_USE enum status filling_begin(struct jobs *jobs, struct db *db);

#endif
