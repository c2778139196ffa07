/*
 * modules/spaces/file_texts.h - the texts inside files come into the search index, by a job after
 * each new content: found a moment later, not with the upload.
 * Threads: file_texts_want in a body of db_write; the job on the job pool.
 */
#ifndef MODULES_SPACES_FILE_TEXTS_H
#define MODULES_SPACES_FILE_TEXTS_H

#include "modules/jobs/jobs.h"
#include "storage/objects/objects.h"

/* Borrowed while jobs run. */
struct file_texts {
    struct db *db;
    struct objects *objects;
    const char *program; /* parley-text */
};

/* Errors: as jobs_add. */
MUST_USE enum status file_texts_want(struct db_session *session, const char *space,
                                     const char *file, int64_t now_ms);
/* Errors: as jobs_kind_add. */
MUST_USE enum status file_texts_add(struct jobs *jobs, struct file_texts *texts);

#endif
