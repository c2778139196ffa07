/*
 * core/arena.h - memory of one request: taken piece by piece, given back at once.
 * Thread: one at a time owns it.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include "core/status.h"

#include <stddef.h>

struct arena;

/* `limit`: most bytes it will ever hand out. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status arena_new(size_t limit, struct arena **ret_arena);
/* Accepts NULL, returns NULL. */
struct arena *arena_free(struct arena *arena);
/* Gives everything back, keeps the first block. */
void arena_reset(struct arena *arena);
/* Zeroed, aligned for any type; NULL at the limit or without memory. */
void *arena_alloc(struct arena *arena, size_t size);
/* Copies with a terminating NUL; NULL as arena_alloc. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
