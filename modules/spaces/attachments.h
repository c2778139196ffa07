/*
 * modules/spaces/attachments.h - files that a message carries; private to modules/spaces/. For
 * bodies of db_write and db_read.
 *
 * A message names files of its space; they stay files, with names, versions and a bin of their own.
 * What is needed to draw one before its content is there is kept with the message: the size of a
 * picture, the length and shape of a recording. The author's browser measured it.
 */
#ifndef MODULES_SPACES_ATTACHMENTS_H
#define MODULES_SPACES_ATTACHMENTS_H

#include "modules/spaces/messages.h"

/* Whether these may be one message's at all, whatever the files are. */
bool attachments_valid(const struct json_list *list /* struct messages_attach */);
/* Errors: STATUS_INVALID (no such file in the space, in the bin, a folder, or a recording that is
 * no sound). */
MUST_USE enum status attachments_store(struct db_session *session, const char *space,
                                       int64_t message, const struct json_list *list);
MUST_USE enum status attachments_load(struct db_session *session, const char *space,
                                      int64_t message, struct arena *arena,
                                      struct json_list *ret_list);
/* The message is deleted: its recordings go into the bin, other files stay. */
MUST_USE enum status attachments_wipe(struct db_session *session, const char *space,
                                      int64_t message, int64_t now_ms);

#endif
