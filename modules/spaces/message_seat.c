#include "modules/spaces/message_seat.h"

#include "modules/spaces/guest_rows.h"
#include "storage/vault/vault.h"

#include <string.h>

/* Who waits in the lobby or was removed is no guest, nor is anybody of a meeting that has ended. */
static enum status meeting_guest_seat(struct db_session *session, const struct spaces_who *who,
                                      enum spaces_right right, struct arena *arena,
                                      struct message_seat *ret_seat)
{
    struct message_seat seat = {.meeting = NULL};
    struct db_statement *select =
        db_prepare(session, "SELECT p.meeting, p.name_sealed, s.archived FROM participant p"
                            " JOIN meeting m ON m.id = p.meeting JOIN space s ON s.id = m.space"
                            " WHERE p.id = $1 AND s.id = $2 AND m.ended IS NULL"
                            " AND p.admitted = 1 AND p.removed IS NULL");
    db_bind_text(select, 1, who->account);
    db_bind_text(select, 2, who->space);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    bool archived = db_column_int(select, 2) != 0;
    if (right != SPACES_READ && (right != SPACES_COMMENT || archived))
        return STATUS_DENIED;
    const struct vault_place place = {
        .table = "participant", .column = "name_sealed", .row = who->account};
    seat.meeting = arena_strdup(arena, db_column_text(select, 0));
    status = vault_column(db_session_vault(session), &place, select, 1, arena, &seat.name);
    if (status == STATUS_OK && seat.meeting == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *ret_seat = seat;
    return status;
}

enum status message_seat_take(struct db_session *session, const struct spaces_who *who,
                              enum spaces_right right, struct arena *arena,
                              struct message_seat *ret_seat)
{
    struct spaces_seat taken;
    struct message_seat seat = {.meeting = NULL};
    enum status status = spaces_seat(session, who, right, &taken);
    if (status == STATUS_NOT_FOUND && who->account != NULL)
        return meeting_guest_seat(session, who, right, arena, ret_seat);
    if (status == STATUS_OK && taken.guest)
        status = guest_name(session, who, arena, &seat.name);
    if (status == STATUS_OK)
        *ret_seat = seat;
    return status;
}

bool message_seat_sees(const struct message_seat *seat, const char *meeting)
{
    return seat->meeting == NULL || (meeting != NULL && strcmp(seat->meeting, meeting) == 0);
}
