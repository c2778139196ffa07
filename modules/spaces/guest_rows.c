#include "modules/spaces/guest_rows.h"

#include "storage/vault/vault.h"

enum status guest_seat(struct db_session *session, const struct spaces_who *who,
                       struct spaces_seat *ret_seat)
{
    struct spaces_seat seat = {.role = SPACES_VIEWER, .guest = true};
    struct db_statement *select = db_prepare(
        session, "SELECT s.kind, s.archived FROM space_guest g JOIN space_link l ON l.id = g.link"
                 " JOIN space s ON s.id = g.space AND s.links <> 'none'"
                 " WHERE g.id = $1 AND g.space = $2");
    db_bind_text(select, 1, who->account);
    db_bind_text(select, 2, who->space);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    if (!spaces_kind_of(db_column_text(select, 0), &seat.kind))
        return STATUS_CORRUPT;
    seat.archived = db_column_int(select, 1) != 0;
    *ret_seat = seat;
    return STATUS_OK;
}

enum status guest_name(struct db_session *session, const struct spaces_who *who,
                       struct arena *arena, const char **ret_name)
{
    const struct vault_place place = {
        .space = who->space, .table = "space_guest", .column = "name", .row = who->account};
    struct db_statement *select =
        db_prepare(session, "SELECT name FROM space_guest WHERE id = $1 AND space = $2");
    db_bind_text(select, 1, who->account);
    db_bind_text(select, 2, who->space);
    enum status status = db_step(select);
    return status == STATUS_OK
               ? vault_column(db_session_vault(session), &place, select, 0, arena, ret_name)
               : status;
}
