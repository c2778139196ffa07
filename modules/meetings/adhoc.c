#include "modules/meetings/adhoc.h"

#include <string.h>

bool adhoc_allows(enum adhoc adhoc, bool loopback, bool member)
{
    return adhoc == ADHOC_ANYONE || (adhoc == ADHOC_AUTO && loopback) ||
           (member && adhoc != ADHOC_OFF);
}

enum status adhoc_open(struct db *db, const char *id, bool may_create, int64_t now_ms,
                       struct arena *arena, struct adhoc_opened *ret_opened)
{
    struct adhoc_opened opened = {.token = ""};
    enum status status = registry_find(db, id, arena, &opened.meeting);
    if (status == STATUS_NOT_FOUND && may_create) {
        struct registry_meeting_new wish = {.id = id};
        struct registry_meeting_created created;
        status = registry_create(db, &wish, now_ms, &created);
        if (status == STATUS_OK)
            memcpy(opened.token, created.token, sizeof opened.token);
        if (status == STATUS_OK || status == STATUS_EXISTS) /* EXISTS: another was faster */
            status = registry_find(db, id, arena, &opened.meeting);
    }
    if (status == STATUS_OK && opened.meeting.ended != 0)
        status = STATUS_CLOSED;
    if (status == STATUS_OK)
        *ret_opened = opened;
    return status;
}
