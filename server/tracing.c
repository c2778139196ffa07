#include "server/tracing.h"

#include "core/clock.h"
#include "core/log.h"
#include "media/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { TRACE_PATH_MAX = 4096, TRACE_QUOTED_MAX = 512 };

static void on_ended(void *context, const struct trace_result *result)
{
    char path[TRACE_QUOTED_MAX];
    (void)context;
    log_event(LOG_SERVER, result->failed ? LOG_ERROR : LOG_INFO, "trace_ended",
              "file=%s bytes=%" PRIu64 " packets=%" PRIu64 " dropped=%" PRIu64 " failed=%d",
              log_quote(path, sizeof path, result->path), result->bytes, result->written,
              result->dropped, result->failed);
}

/* DATA/traces/PARTICIPANT-20261123T190000.123Z.pcapng */
static enum status path_make(const struct tracing *tracing, const char *participant,
                             char ret_path[TRACE_PATH_MAX])
{
    char folder[TRACE_PATH_MAX - 128], stamp[32];
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    if (snprintf(folder, sizeof folder, "%s/traces", tracing->data) >= (int)sizeof folder)
        return STATUS_INVALID;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return STATUS_IO;
    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &utc);
    snprintf(ret_path, TRACE_PATH_MAX, "%s/%s-%s.%03dZ.pcapng", folder, participant, stamp,
             (int)(now_ms % 1000));
    return STATUS_OK;
}

static enum status trace_begin(struct tracing *tracing, const struct settings *settings,
                               char ret_path[TRACE_PATH_MAX])
{
    char comment[128];
    /* It becomes part of a file's name. */
    if (!registry_id_valid(settings->trace_participant))
        return STATUS_INVALID;
    enum status status = path_make(tracing, settings->trace_participant, ret_path);
    if (status != STATUS_OK)
        return status;
    snprintf(comment, sizeof comment, "participant %s", settings->trace_participant);
    const struct trace_config config = {
        .path = ret_path,
        .comment = comment,
        .decrypted = settings->trace_decrypted,
        .bytes_max = (uint64_t)settings->trace_megabytes << 20,
        .seconds_max = (uint32_t)settings->trace_seconds,
        .ended = on_ended,
    };
    return trace_new(&config, &tracing->trace);
}

void tracing_apply(struct tracing *tracing, const struct settings *settings)
{
    char path[TRACE_PATH_MAX], quoted[TRACE_QUOTED_MAX];
    tracing_end(tracing);
    if (settings->trace_participant[0] == '\0')
        return;
    enum status status = trace_begin(tracing, settings, path);
    if (status != STATUS_OK) {
        log_event(LOG_SERVER, LOG_ERROR, "trace_failed", "key=trace.participant status=%s",
                  status_name(status));
        return;
    }
    status = meetings_trace(tracing->meetings, settings->trace_participant, tracing->trace);
    log_event(LOG_SERVER, LOG_INFO, "trace_begun", "file=%s participant=%s decrypted=%d here=%d",
              log_quote(quoted, sizeof quoted, path), settings->trace_participant,
              settings->trace_decrypted, status == STATUS_OK);
}

void tracing_end(struct tracing *tracing)
{
    if (tracing->trace == NULL)
        return;
    /* Fails when the conductor has ended: then nobody makes taps of it either. */
    (void)!meetings_trace(tracing->meetings, "", NULL);
    tracing->trace = trace_free(tracing->trace);
}
