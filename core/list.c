#include "core/list.h"

#include <string.h>

enum { LIST_FIRST = 4 };

void *list_grown(struct arena *arena, void *items, size_t count, size_t size)
{
    bool full = count == 0 || (count >= LIST_FIRST && (count & (count - 1)) == 0);
    if (!full)
        return items;
    void *grown = arena_alloc(arena, (count == 0 ? LIST_FIRST : count * 2) * size);
    if (grown != NULL && count > 0)
        memcpy(grown, items, count * size);
    return grown;
}
