#include "modules/spaces/receipts.h"

#include <inttypes.h>

struct reading {
    struct spaces_who who;
    struct arena *arena;
    struct json_list list;
};

static enum status list_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    enum status status = spaces_seat(session, &reading->who, SPACES_READ, NULL);
    if (status != STATUS_OK)
        return status;
    struct receipts_receipt *items =
        arena_alloc(reading->arena, RECEIPTS_MEMBERS_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    reading->list = (struct json_list){.items = items};
    struct db_statement *select =
        db_prepare(session, "SELECT m.account, m.read_to FROM space_member m JOIN space s"
                            " ON s.id = m.space WHERE m.space = $1 AND s.members <= $2"
                            " ORDER BY m.account LIMIT $2");
    db_bind_text(select, 1, reading->who.space);
    db_bind_int(select, 2, RECEIPTS_MEMBERS_MAX);
    while ((status = db_step(select)) == STATUS_OK) {
        struct receipts_receipt *receipt = &items[reading->list.count++];
        receipt->account = arena_strdup(reading->arena, db_column_text(select, 0));
        receipt->read_to = arena_printf(reading->arena, "%" PRId64, db_column_int(select, 1));
        if (receipt->account == NULL || receipt->read_to == NULL)
            return STATUS_NO_MEMORY;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status receipts_list(struct db *db, const struct spaces_who *who, struct arena *arena,
                          struct receipts_list *ret_list)
{
    struct reading reading = {.who = *who, .arena = arena};
    enum status status = db_read(db, list_run, &reading);
    if (status == STATUS_OK)
        ret_list->items = reading.list;
    return status;
}
