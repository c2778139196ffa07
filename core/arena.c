/*
 * An arena is a chain of blocks, newest first. The first block lies behind the
 * struct itself, so that a small request costs one malloc. A block that is full is
 * left behind; a request larger than a block gets one of its own size.
 */
#include "core/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGN = 16,
    FIRST_SIZE = 4096,       /* bytes: most requests need no second block */
    BLOCK_SIZE_MAX = 262144, /* bytes: blocks double up to this */
};

struct block {
    struct block *older;
    size_t size, used; /* bytes of data[] */
    _Alignas(ALIGN) unsigned char data[];
};

struct arena {
    size_t limit, taken; /* bytes handed out, padding counted */
    struct block *newest;
    struct block first;
};

enum status arena_new(size_t limit, struct arena **ret_arena)
{
    struct arena *arena = malloc(sizeof *arena + FIRST_SIZE);
    if (!arena)
        return STATUS_NO_MEMORY;
    arena->limit = limit;
    arena->first.older = NULL;
    arena->first.size = FIRST_SIZE;
    arena->newest = &arena->first;
    arena_reset(arena);
    *ret_arena = arena;
    return STATUS_OK;
}

struct arena *arena_free(struct arena *arena)
{
    if (arena)
        arena_reset(arena);
    free(arena);
    return NULL;
}

void arena_reset(struct arena *arena)
{
    while (arena->newest != &arena->first) {
        struct block *block = arena->newest;
        arena->newest = block->older;
        free(block);
    }
    arena->first.used = 0;
    arena->taken = 0;
}

static struct block *block_add(struct arena *arena, size_t least)
{
    size_t size = arena->newest->size * 2;
    if (size > BLOCK_SIZE_MAX)
        size = BLOCK_SIZE_MAX;
    if (size < least)
        size = least;
    struct block *block = malloc(sizeof *block + size);
    if (!block)
        return NULL;
    block->older = arena->newest;
    block->size = size;
    block->used = 0;
    arena->newest = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > arena->limit || size > SIZE_MAX / 2)
        return NULL;
    size_t whole = (size + (size == 0) + ALIGN - 1) / ALIGN * ALIGN;
    if (whole > arena->limit - arena->taken)
        return NULL;
    struct block *block = arena->newest;
    if (whole > block->size - block->used) {
        block = block_add(arena, whole);
        if (!block)
            return NULL;
    }
    void *memory = block->data + block->used;
    block->used += whole;
    arena->taken += whole;
    return memset(memory, 0, whole);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(arena, length + 1) : NULL;
    if (copy && length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length >= 0 ? arena_alloc(arena, (size_t)length + 1) : NULL;
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}
