/*
 * Records of calls (modules/phone/records.h): made on the calls' thread, written by jobs of the
 * request pool. A leg tells its last quality right before it is closed, after its call has ended;
 * so what ended waits in dialin->closing for that.
 */
#include "core/clock.h"
#include "core/log.h"
#include "signalling/sip/calls.h"

#include <stdlib.h>
#include <string.h>

struct writing {
    struct dialin *dialin;
    struct ledger_entry entry;
};

/* The record's texts point into the entry: after it was copied, anew. */
static void entry_bind(struct ledger_entry *entry)
{
    entry->record.id = entry->id;
    entry->record.meeting = entry->meeting[0] != '\0' ? entry->meeting : NULL;
    entry->record.caller = entry->caller[0] != '\0' ? entry->caller : NULL;
    entry->record.number = entry->number;
    entry->record.prefix = entry->prefix;
}

static void entry_write(struct dialin *dialin, struct ledger_entry *entry)
{
    entry_bind(entry);
    enum status status = records_write(dialin->db, &entry->record);
    if (status != STATUS_OK)
        log_event(LOG_PHONE, LOG_WARN, "record_lost", "status=%s", status_name(status));
}

static void writing_run(void *arg)
{
    struct writing *writing = arg;
    entry_write(writing->dialin, &writing->entry);
    free(writing);
}

static void entry_submit(struct dialin *dialin, const struct ledger_entry *entry)
{
    struct writing *writing = malloc(sizeof *writing);
    enum status status = writing != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        *writing = (struct writing){.dialin = dialin, .entry = *entry};
        status = crew_submit(dialin->crew, writing_run, writing);
    }
    if (status != STATUS_OK) {
        free(writing);
        log_event(LOG_PHONE, LOG_WARN, "record_lost", "status=%s", status_name(status));
    }
}

void ledger_begin(struct call *call)
{
    entry_submit(call->dialin, &call->ledger);
}

void ledger_statistics(struct dialin *dialin, uint64_t leg, uint16_t mos_100)
{
    struct call *call = dialin_call(dialin, leg);
    struct ledger_entry *entry = call != NULL ? &call->ledger : map_get(dialin->closing, leg);
    if (entry != NULL && mos_100 != 0)
        entry->record.mos = mos_100;
}

static void entry_end(struct call *call)
{
    struct record *record = &call->ledger.record;
    record->ended = clock_wall_ms();
    if (record->reason == NULL)
        record->reason = record->answered != 0 ? "hung_up" : "refused";
    if (call->meeting[0] != '\0')
        memcpy(call->ledger.meeting, call->meeting, sizeof call->ledger.meeting);
}

void ledger_end(struct call *call)
{
    struct dialin *dialin = call->dialin;
    entry_end(call);
    struct ledger_entry *entry = call->closed ? NULL : malloc(sizeof *entry);
    if (entry != NULL) {
        *entry = call->ledger;
        if (map_put(dialin->closing, call->leg, entry) == STATUS_OK)
            return;
        free(entry);
    }
    entry_submit(dialin, &call->ledger);
}

void ledger_closed(struct dialin *dialin, uint64_t leg)
{
    struct ledger_entry *entry = map_get(dialin->closing, leg);
    if (entry == NULL)
        return;
    map_remove(dialin->closing, leg);
    entry_submit(dialin, entry);
    free(entry);
}

void ledger_flush(struct dialin *dialin)
{
    size_t cursor = 0;
    struct ledger_entry *entry;
    struct call *call;
    while ((entry = map_next(dialin->closing, &cursor)) != NULL) {
        entry_write(dialin, entry);
        free(entry);
    }
    map_free(dialin->closing);
    dialin->closing = NULL;
    cursor = 0;
    while ((call = map_next(dialin->calls, &cursor)) != NULL) {
        call_why(call, "shutdown", 0);
        entry_end(call);
        entry_write(dialin, &call->ledger);
    }
}
