/*
 * modules/spaces/spaces_state.h - what the files of this folder share. For bodies of db_write and
 * db_read.
 */
#ifndef MODULES_SPACES_SPACES_STATE_H
#define MODULES_SPACES_SPACES_STATE_H

#include "modules/spaces/spaces.h"

/* Whether `id` may be one: 1..SPACES_ID_MAX of [A-Za-z0-9_-]. */
bool spaces_id_valid(const char *id);
/* As its member sees it. */
MUST_USE enum status spaces_load(struct db_session *session, const struct spaces_who *who,
                                 struct arena *arena, struct spaces_space *ret_space);
/* Of the space: the event of a change. */
MUST_USE enum status spaces_event(struct db_session *session, const char *space, const char *type,
                                  const char *id, int64_t now_ms);
/* Of the account, about its own list of spaces. */
MUST_USE enum status spaces_tell(struct db_session *session, const char *account, const char *type,
                                 const char *space, int64_t now_ms);
/* Makes the account a member, with events. Errors: STATUS_EXISTS, STATUS_NOT_FOUND (no such
 * account, or disabled), STATUS_LIMIT (then nothing is written). */
MUST_USE enum status spaces_enter(struct db_session *session, const struct spaces_who *who,
                                  enum spaces_role role, int64_t now_ms);
/* What waits for the account's address becomes memberships. */
MUST_USE enum status spaces_claim(struct db *db, const char *account, int64_t now_ms,
                                  struct arena *arena);

#endif
