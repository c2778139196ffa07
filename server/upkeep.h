/*
 * server/upkeep.h - what the main thread does between signals: when everybody has gone, the
 * database's cache and malloc's free pages go back to the kernel. The highest tide of joins leaves
 * them all over the heap, pinned by a few that live on: 250 MB after 12,000 joins, of which 14 are
 * used, most of these few pages of the database that joins had asked for. What malloc would keep
 * for each thread is switched off (server/main.c).
 *
 * Only when no meeting is live: it holds malloc's locks for 15 to 50 ms, for which a worker that
 * answers a connectivity check would wait, and with it the media.
 * Thread: main's.
 */
#ifndef SERVER_UPKEEP_H
#define SERVER_UPKEEP_H

#include "modules/meetings/meetings.h"
#include "storage/db.h"

enum { UPKEEP_SECONDS = 10 }; /* between two calls */

struct upkeep {
    struct meetings *meetings; /* borrowed */
    struct db *db;             /* borrowed */
    uint64_t trimmed_at;       /* transports there had been when it was last done */
};

/* Whether it was done now: nobody is there any more, and somebody has been since the last time. */
bool upkeep_run(struct upkeep *upkeep);

#endif
