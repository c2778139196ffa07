/*
 * modules/spaces/indexing.h - what is written is put into the search index, in the transaction that
 * writes it. For bodies of db_write; errors as index_put.
 */
#ifndef MODULES_SPACES_INDEXING_H
#define MODULES_SPACES_INDEXING_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

struct db_session;

/* A message as search knows it. */
struct indexing_message {
    const char *space;
    int64_t id;
    const char *author;
    bool mentions, files; /* it has some */
};

/* The message's text was `before` and is `after`; NULL: there was none, there is none any more. */
MUST_USE enum status indexing_message(struct db_session *session,
                                      const struct indexing_message *message, const char *before,
                                      const char *after);
/* Likewise the name of a file or folder. */
MUST_USE enum status indexing_file(struct db_session *session, const char *space, const char *file,
                                   const char *before, const char *after);
/* The text inside a file, NULL: none; what was there before goes. Kept sealed, for snippets. */
MUST_USE enum status indexing_file_text(struct db_session *session, const char *space,
                                        const char *file, const char *text);
/* A file whose space is deleted: its terms go with index_purge. */
MUST_USE enum status indexing_file_forget(struct db_session *session, const char *file);

#endif
