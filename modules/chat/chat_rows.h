/*
 * modules/chat/chat_rows.h - messages as rows; private to modules/chat/. For bodies of
 * db_write and db_read.
 */
#ifndef MODULES_CHAT_CHAT_ROWS_H
#define MODULES_CHAT_CHAT_ROWS_H

#include "modules/chat/chat.h"

enum { CHAT_ID_DIGITS_MAX = 19 };

/* The number a client names by its decimal text, 1 and up. False: it is none. */
bool chat_id_parse(const char *text, int64_t *ret_id);

/* The message with its reactions. Errors: STATUS_NOT_FOUND, STATUS_NO_MEMORY, as db_step. */
MUST_USE enum status chat_message_load(struct db_session *session, const char *meeting, int64_t id,
                                       struct arena *arena, struct chat_message *ret_message);

#endif
