/*
 * storage/durable.h - small files and folders that outlive a power cut; private to storage/.
 * Any thread; all of it blocks.
 */
#ifndef STORAGE_DURABLE_H
#define STORAGE_DURABLE_H

#include "core/status.h"

#include <stddef.h>

/* Makes what was made, renamed or removed in a folder last. Errors: STATUS_IO. */
MUST_USE enum status durable_folder_sync(const char *folder);
/* Makes parent/name for its owner alone, unless it is there. Errors: STATUS_IO. */
MUST_USE enum status durable_folder_make(const char *parent, const char *folder);
/* The file appears whole, for its owner alone, or not at all: a temporary name (path with ".new"),
 * fsync, rename, fsync of the folder. Errors: STATUS_IO, STATUS_INVALID (path too long). */
MUST_USE enum status durable_write(const char *folder, const char *path, const void *data,
                                   size_t length);

#endif
