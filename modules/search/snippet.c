/*
 * modules/search/snippet.c - the piece of a text around what was found in it.
 */
#include "modules/search/search_state.h"

#include <math.h>
#include <string.h>

static bool inside_character(const char *text, size_t at)
{
    return ((unsigned char)text[at] & 0xc0) == 0x80;
}

/* Where to begin so that the first hit has some words before it: at a word if one is near. */
static size_t begin_find(const char *text, size_t hit)
{
    enum { BEFORE = 48, WORD = 16 };
    size_t at = hit > BEFORE ? hit - BEFORE : 0;
    while (at > 0 && inside_character(text, at))
        at++;
    for (size_t i = at; at > 0 && i < at + WORD && i < hit; i++)
        if (text[i] == ' ' || text[i] == '\n')
            return i + 1;
    return at;
}

static size_t end_find(const char *text, size_t begin)
{
    size_t length = strlen(text), end = begin + SEARCH_SNIPPET_MAX;
    if (end >= length)
        return length;
    while (inside_character(text, end))
        end--;
    return end;
}

struct cutting {
    const char *text;
    struct arena *arena;
    struct search_part *parts;
    size_t count;
    bool failed;
};

static void part_add(struct cutting *cutting, size_t from, size_t to, bool hit)
{
    if (from >= to || cutting->count == SEARCH_PARTS_MAX)
        return;
    struct search_part *part = &cutting->parts[cutting->count++];
    part->text = arena_strndup(cutting->arena, cutting->text + from, to - from);
    part->hit = hit;
    cutting->failed = cutting->failed || part->text == NULL;
}

static enum status snippet_cut(const char *text, const struct words *words,
                               const struct query_marks *marks, struct arena *arena,
                               struct json_list *ret_snippet)
{
    struct cutting cutting = {.text = text, .arena = arena};
    cutting.parts = arena_alloc(arena, SEARCH_PARTS_MAX * sizeof *cutting.parts);
    if (cutting.parts == NULL)
        return STATUS_NO_MEMORY;
    size_t at = marks->count > 0 ? begin_find(text, words->items[marks->items[0].from].from) : 0;
    size_t end = end_find(text, at);
    if (at > 0) {
        cutting.parts[cutting.count++].text = "…";
    }
    for (size_t i = 0; i < marks->count && cutting.count + 3 < SEARCH_PARTS_MAX; i++) {
        size_t from = words->items[marks->items[i].from].from;
        size_t to = words->items[marks->items[i].to - 1].to;
        if (to <= at || from >= end)
            continue;
        from = from > at ? from : at;
        to = to < end ? to : end;
        part_add(&cutting, at, from, false);
        part_add(&cutting, from, to, true);
        at = to;
    }
    part_add(&cutting, at, end, false);
    if (text[end] != '\0' && cutting.count < SEARCH_PARTS_MAX)
        cutting.parts[cutting.count++].text = "…";
    *ret_snippet = (struct json_list){.items = cutting.parts, .count = cutting.count};
    return cutting.failed ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status search_text(struct searching *searching, const char *text,
                        struct json_list *ret_snippet, double *ret_score)
{
    struct words words;
    struct query_marks marks;
    arena_reset(searching->compare);
    enum status status = words_split(text, TERMS_WORDS_MAX, searching->compare, &words);
    if (status == STATUS_OK)
        status = query_match(&searching->query, &words, searching->compare, &marks);
    if (status == STATUS_OK)
        status = snippet_cut(text, &words, &marks, searching->arena, ret_snippet);
    /* Often in a short text is better than once in a long one. */
    if (status == STATUS_OK)
        *ret_score = log2(1.0 + (double)marks.count) / sqrt(4.0 + (double)words.count);
    return status;
}
