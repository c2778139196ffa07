/*
 * modules/search/reader.h - the text of a file, read by a process of its own (extract/main.c) that
 * has nothing but the file: no network, no other file, little memory and time. What a hostile file
 * does there costs its text and nothing else.
 * Thread: any that may block; up to READER_WAIT_MS.
 */
#ifndef MODULES_SEARCH_READER_H
#define MODULES_SEARCH_READER_H

#include "core/arena.h"
#include "storage/objects/objects.h"

#include <stdatomic.h>

enum {
    READER_FILE_MAX = 32 << 20, /* bytes: larger ones are found by name alone */
    READER_TEXT_MAX = 131072,   /* bytes of a text: some 60 pages; what comes later is not found */
    READER_WAIT_MS = 60000,     /* then the process is killed */
};

/* What parley-text calls a file of this media type and name; NULL: it cannot be read. */
const char *reader_kind(const char *type, const char *name);
/*
 * Into the arena: valid UTF-8 without zeros. `kind` is reader_kind's; gives up when *ending.
 * Errors: STATUS_INVALID (too large, or there is no text to be had of it), STATUS_AGAIN (ending),
 * STATUS_IO (the process cannot be started), STATUS_NO_MEMORY, as object_read.
 */
MUST_USE enum status reader_text(const char *program, const char *kind, struct object *object,
                                 const atomic_bool *ending, struct arena *arena,
                                 const char **ret_text);

#endif
