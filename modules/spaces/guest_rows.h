/*
 * modules/spaces/guest_rows.h - guests of a space in the database; private to modules/spaces/. For
 * bodies of db_write and db_read.
 */
#ifndef MODULES_SPACES_GUEST_ROWS_H
#define MODULES_SPACES_GUEST_ROWS_H

#include "modules/spaces/guests.h"

/* Whether the guest is in the space: kind and archived are set. Whether their time is up is asked
 * with each request (guests_check). Errors: STATUS_NOT_FOUND. */
MUST_USE enum status guest_seat(struct db_session *session, const struct spaces_who *who,
                                struct spaces_seat *ret_seat);
/* Their name. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status guest_name(struct db_session *session, const struct spaces_who *who,
                                struct arena *arena, const char **ret_name);

#endif
