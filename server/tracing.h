/*
 * server/tracing.h - the operator's packet trace of one participant: the keys trace.* of the
 * configuration, applied at the start and on every SIGHUP. Thread: main; only the end of a file is
 * told by its writer.
 */
#ifndef SERVER_TRACING_H
#define SERVER_TRACING_H

#include "modules/meetings/meetings.h"
#include "server/settings.h"

struct tracing {
    struct meetings *meetings;
    const char *data; /* files lie in its folder `traces`; outlives this */
    struct trace *trace;
};

/* Ends the trace there is and begins the one the settings ask for, in a new file. What fails is
 * logged. */
void tracing_apply(struct tracing *tracing, const struct settings *settings);
/* Before the meetings and media go. */
void tracing_end(struct tracing *tracing);

#endif
