/*
 * modules/spaces/message_seat.h - who may do what with messages; private to modules/spaces/. For
 * bodies of db_write and db_read.
 *
 * Members may what their role says. A guest is a participant of a meeting of the space who is no
 * member: what they are shown and write is that meeting's thread, while the meeting lasts. A guest
 * of the space itself (guests.h) may what a viewer may; both write under the name they gave.
 */
#ifndef MODULES_SPACES_MESSAGE_SEAT_H
#define MODULES_SPACES_MESSAGE_SEAT_H

#include "modules/spaces/spaces.h"

struct message_seat {
    const char *meeting; /* a meeting's guest: nothing but its thread; NULL: the whole space */
    const char *name;    /* a guest's, as it is now; NULL: a member */
};

/* who->account: an account, or of a guest the participant. A guest may SPACES_READ and
 * SPACES_COMMENT. Errors: as spaces_seat, STATUS_NO_MEMORY. */
MUST_USE enum status message_seat_take(struct db_session *session, const struct spaces_who *who,
                                       enum spaces_right right, struct arena *arena,
                                       struct message_seat *ret_seat);
/* Whether this seat sees messages of that meeting's thread; `meeting` NULL: of no meeting. */
bool message_seat_sees(const struct message_seat *seat, const char *meeting);

#endif
