/*
 * signalling/gateway/space_jobs.h - what a space has left for later (modules/jobs): done, and told
 * to whoever is there. Thread: the job pool.
 */
#ifndef SIGNALLING_GATEWAY_SPACE_JOBS_H
#define SIGNALLING_GATEWAY_SPACE_JOBS_H

#include "modules/jobs/jobs.h"
#include "signalling/gateway/commands.h"

/* `commands` must outlive the jobs, and be filled before they start. Errors: as jobs_kind_add. */
MUST_USE enum status space_jobs_add(struct jobs *jobs, struct commands *commands);

#endif
