/*
 * modules/spaces/message_rows.h - messages as rows; private to modules/spaces/. For bodies of
 * db_write and db_read.
 */
#ifndef MODULES_SPACES_MESSAGE_ROWS_H
#define MODULES_SPACES_MESSAGE_ROWS_H

#include "modules/spaces/messages.h"

/* The number a client names by its decimal text, 1 and up. False: it is none. */
bool message_id_parse(const char *text, int64_t *ret_id);
/* With mentions and reactions. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status message_load(struct db_session *session, const char *space, int64_t id,
                                  struct arena *arena, struct messages_message *ret_message);
/* messages_add's body. */
MUST_USE enum status message_write(struct db_session *session, const struct spaces_who *who,
                                   const struct messages_post *post, int64_t now_ms,
                                   struct arena *arena, struct messages_message *ret_message,
                                   bool *ret_changed);
/* The message a meeting's thread hangs on. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status message_meeting_thread(struct db_session *session, const char *space,
                                            const char *meeting, int64_t *ret_id);
/* Seals the text into the row; NULL: none. */
MUST_USE enum status message_text_store(struct db_session *session, const char *space, int64_t id,
                                        const char *text);
/* Keeps an earlier text. Errors: STATUS_LIMIT (MESSAGES_EDITS_MAX). */
MUST_USE enum status message_edit_keep(struct db_session *session, const char *space, int64_t id,
                                       const char *text, int64_t now_ms);
/* Removes what a deleted space has left: rows whose key is destroyed. */
MUST_USE enum status messages_purge(struct db *db, const char *space);
/* Whether a message may say this. */
bool message_text_valid(const char *text);
/* Writes the space's event of a message. */
MUST_USE enum status message_event(struct db_session *session, const char *space, const char *type,
                                   int64_t message, int64_t now_ms);
/* Tells that it is not as it was, and yields it as it is now. */
MUST_USE enum status message_updated(struct db_session *session, const char *space, int64_t id,
                                     int64_t now_ms, struct arena *arena,
                                     struct messages_message *ret_message);

#endif
