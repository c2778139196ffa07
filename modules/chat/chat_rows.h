/*
 * modules/chat/chat_rows.h - messages as rows; private to modules/chat/. For bodies of
 * db_write and db_read.
 */
#ifndef MODULES_CHAT_CHAT_ROWS_H
#define MODULES_CHAT_CHAT_ROWS_H

#include "modules/chat/chat.h"
#include "storage/vault/vault.h"

enum { CHAT_ID_DIGITS_MAX = 19 };

/* The number a client names by its decimal text, 1 and up. False: it is none. */
bool chat_id_parse(const char *text, int64_t *ret_id);

/* Where a message's text and its author's name then are sealed. */
struct vault_place chat_text_place(int64_t message);
struct vault_place chat_author_place(int64_t message);

/* The message with its reactions. Errors: STATUS_NOT_FOUND, STATUS_NO_MEMORY, as db_step. */
MUST_USE enum status chat_message_load(struct db_session *session, const char *meeting, int64_t id,
                                       struct arena *arena, struct chat_message *ret_message);

#endif
