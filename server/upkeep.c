#include "server/upkeep.h"

#include "core/clock.h"
#include "core/log.h"

#include <inttypes.h>
#include <malloc.h>

bool upkeep_run(struct upkeep *upkeep)
{
    uint64_t transports = meetings_transports(upkeep->meetings);
    if (transports == upkeep->trimmed_at || !meetings_empty(upkeep->meetings))
        return false;
    uint64_t start_ns = clock_mono_ns();
    enum status status = db_shrink(upkeep->db);
    (void)status; /* its pages stay, then */
    malloc_trim(0);
    upkeep->trimmed_at = transports;
    log_event(LOG_SERVER, LOG_INFO, "heap_trimmed", "us=%" PRIu64,
              (clock_mono_ns() - start_ns) / CLOCK_NS_PER_US);
    return true;
}
