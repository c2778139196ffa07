#include "signalling/gateway/space_jobs.h"

#include "core/clock.h"
#include "modules/spaces/previews.h"
#include "modules/spaces/scheduled.h"
#include "signalling/gateway/space_chat.h"

/* A message whose time has come. */
static enum status send_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    const struct commands *commands = context;
    struct messages_message message;
    bool written = false;
    enum status status =
        scheduled_send(commands->db, job->key, clock_wall_ms(), arena, &message, &written);
    if (status != STATUS_OK || !written)
        return status;
    space_chat_tell(commands->meetings, "chat.message", &message, arena);
    return STATUS_OK;
}

/* Cards of a message's links. */
static enum status preview_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    const struct commands *commands = context;
    struct messages_message message;
    bool changed = false;
    if (commands->previews == NULL)
        return STATUS_OK;
    enum status status = previews_fetch(commands->db, commands->previews, job, clock_wall_ms(),
                                        arena, &message, &changed);
    if (status == STATUS_OK && changed)
        space_chat_tell(commands->meetings, "chat.update", &message, arena);
    return status;
}

enum status space_jobs_add(struct jobs *jobs, struct commands *commands)
{
    const struct jobs_kind kinds[] = {
        {.name = scheduled_kind, .run = send_run, .context = commands, .at_once = 2},
        {.name = previews_kind, .run = preview_run, .context = commands, .at_once = 2},
    };
    enum status status = jobs_kind_add(jobs, &kinds[0]);
    return status == STATUS_OK ? jobs_kind_add(jobs, &kinds[1]) : status;
}
