#include "modules/search/query.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* What stands between `from` and `to` becomes a phrase, if there is a word in it. */
static enum status phrase_add(struct query *query, const char *from, const char *to,
                              struct arena *arena, size_t *words_left)
{
    struct words words;
    struct query_phrase phrase = {.open = to > from && to[-1] == '*'};
    const char *text = arena_strndup(arena, from, (size_t)(to - from));
    if (text == NULL)
        return STATUS_NO_MEMORY;
    enum status status = words_split(text, QUERY_WORDS_MAX + 1, arena, &words);
    if (status != STATUS_OK || words.count == 0)
        return status;
    if (words.count > *words_left || query->count == QUERY_PHRASES_MAX)
        return STATUS_INVALID;
    *words_left -= words.count;
    phrase.words = words.items;
    phrase.count = words.count;
    const struct words_word *last = &words.items[words.count - 1];
    phrase.open = phrase.open && !last->alone && words_head(last->folded, QUERY_HEAD_MIN) > 0;
    query->phrases[query->count++] = phrase;
    return STATUS_OK;
}

enum status query_parse(const char *text, struct arena *arena, struct query *ret_query)
{
    struct query query = {.count = 0};
    size_t words_left = QUERY_WORDS_MAX;
    enum status status = strlen(text) <= QUERY_BYTES_MAX ? STATUS_OK : STATUS_INVALID;
    while (status == STATUS_OK && *text != '\0') {
        if (is_space(*text)) {
            text++;
            continue;
        }
        bool quoted = *text == '"';
        text += quoted;
        const char *end = text;
        while (*end != '\0' && *end != '"' && (quoted || !is_space(*end)))
            end++;
        status = phrase_add(&query, text, end, arena, &words_left);
        text = end + (quoted && *end == '"');
    }
    if (status == STATUS_OK)
        *ret_query = query;
    return status;
}

/* ---- comparing ---- */

static bool phrase_at(const struct query_phrase *phrase, const struct words *words, size_t at)
{
    if (phrase->count > words->count - at)
        return false;
    for (size_t i = 0; i < phrase->count; i++) {
        const char *wanted = phrase->words[i].folded, *there = words->items[at + i].folded;
        bool head = phrase->open && i + 1 == phrase->count;
        if (head ? strncmp(there, wanted, strlen(wanted)) != 0 : strcmp(there, wanted) != 0)
            return false;
    }
    return true;
}

static int mark_order(const void *left, const void *right)
{
    const struct query_mark *a = left, *b = right;
    return (a->from > b->from) - (a->from < b->from);
}

enum status query_match(const struct query *query, const struct words *words, struct arena *arena,
                        struct query_marks *ret_marks)
{
    struct query_marks marks = {
        .items = arena_alloc(arena, (QUERY_MARKS_MAX + QUERY_PHRASES_MAX) * sizeof *marks.items)};
    if (marks.items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t p = 0; p < query->count; p++) {
        const struct query_phrase *phrase = &query->phrases[p];
        bool found = false;
        for (size_t at = 0; at < words->count && (!found || marks.count < QUERY_MARKS_MAX); at++) {
            if (!phrase_at(phrase, words, at))
                continue;
            marks.items[marks.count++] = (struct query_mark){at, at + phrase->count};
            found = true;
            at += phrase->count - 1;
        }
        if (!found)
            return STATUS_NOT_FOUND;
    }
    if (marks.count > 0)
        qsort(marks.items, marks.count, sizeof *marks.items, mark_order);
    *ret_marks = marks;
    return STATUS_OK;
}
