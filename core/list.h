/*
 * core/list.h - arrays that grow in an arena. Sizes are powers of two, so a count says by
 * itself when it is time to grow.
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* `items` with room for one more than `count`; NULL without memory. */
void *list_grown(struct arena *arena, void *items, size_t count, size_t size);

/*
 * Appends a zeroed item and yields its address, or NULL without memory (then nothing
 * changed but perhaps the array's place).
 */
#define LIST_ADD(arena, items, count)                                                              \
    (list_keep((void **)&(items), list_grown((arena), (items), (count), sizeof *(items)))          \
         ? &(items)[(count)++]                                                                     \
         : NULL)

static inline int list_keep(void **items, void *grown)
{
    if (grown == NULL)
        return 0;
    *items = grown;
    return 1;
}

#endif
