/*
 * storage/migration_chat.h - the body that follows the SQL of a migration: what was written in
 * meetings of spaces moves into the space, each meeting a thread of it.
 */
#ifndef STORAGE_MIGRATION_CHAT_H
#define STORAGE_MIGRATION_CHAT_H

#include "storage/db.h"

/* A db_body. Texts are sealed anew, with the space's key. Authors stay as they were in the meeting:
 * participants, under the name they had. The thread begins in the name of an owner: who started
 * the meeting was not kept. */
MUST_USE enum status migration_chat(struct db_session *session, void *none);

#endif
