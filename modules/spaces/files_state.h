/*
 * modules/spaces/files_state.h - what the files of this folder share about files of spaces. The
 * latter two are for bodies of db_write and db_read.
 */
#ifndef MODULES_SPACES_FILES_STATE_H
#define MODULES_SPACES_FILES_STATE_H

#include "modules/spaces/files.h"

bool files_name_valid(const char *name);
/* type/subtype of RFC 9110 tokens, no parameters. */
bool files_type_valid(const char *type);
/* Errors: STATUS_NOT_FOUND (none such in this space). */
MUST_USE enum status files_load(struct db_session *session, const char *space, const char *id,
                                struct arena *arena, struct files_file *ret_file);
/* Whether something may come into `folder` ("": the top). Errors: STATUS_NOT_FOUND, STATUS_LIMIT
 * (it is full, or too deep), STATUS_INVALID (it is in `moved`, or is it). */
MUST_USE enum status files_folder_check(struct db_session *session, const char *space,
                                        const char *folder, const char *moved, struct arena *arena);

#endif
