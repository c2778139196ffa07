#include "modules/search/words.h"

#include <glib.h>
#include <string.h>

/* Letters that stand for themselves. */
static bool is_alone(gunichar point)
{
    if (point < 0x0e00) /* the first of them: Thai */
        return false;
    switch (g_unichar_get_script(point)) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_HANGUL:
    case G_UNICODE_SCRIPT_BOPOMOFO:
    case G_UNICODE_SCRIPT_YI:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
        return true;
    default:
        return false;
    }
}

/* ---- folding ---- */

static bool fold_ascii(const char *text, size_t length, char ret_folded[WORDS_WORD_MAX + 1])
{
    size_t kept = length < WORDS_WORD_MAX ? length : WORDS_WORD_MAX;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    for (size_t i = 0; i < kept; i++)
        ret_folded[i] = g_ascii_tolower(text[i]);
    ret_folded[kept] = '\0';
    return true;
}

/* Keeps what `keep` says of each character; the result is at most as long. */
static void filter(char *text, bool (*keep)(gunichar point))
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        const char *next = g_utf8_next_char(at);
        size_t length = (size_t)(next - at);
        if (keep(g_utf8_get_char(at))) {
            memmove(to, at, length);
            to += length;
        }
        at = next;
    }
    *to = '\0';
}

static bool no_diacritic(gunichar point)
{
    return point < 0x300 || point > 0x36f;
}

static bool part_of_word(gunichar point)
{
    return g_unichar_isalnum(point) || g_unichar_ismark(point);
}

static void cut(const char *text, char ret_folded[WORDS_WORD_MAX + 1])
{
    size_t length = strlen(text);
    if (length > WORDS_WORD_MAX) {
        length = WORDS_WORD_MAX;
        while (((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(ret_folded, text, length);
    ret_folded[length] = '\0';
}

static void fold(const char *text, size_t length, char ret_folded[WORDS_WORD_MAX + 1])
{
    ret_folded[0] = '\0';
    if (fold_ascii(text, length, ret_folded))
        return;
    char *apart = g_utf8_normalize(text, (gssize)length, G_NORMALIZE_ALL);
    if (apart == NULL)
        return;
    filter(apart, no_diacritic);
    char *cased = g_utf8_casefold(apart, -1);
    char *whole = g_utf8_normalize(cased, -1, G_NORMALIZE_ALL_COMPOSE);
    if (whole != NULL) {
        filter(whole, part_of_word);
        cut(whole, ret_folded);
    }
    g_free(whole);
    g_free(cased);
    g_free(apart);
}

/* ---- splitting ---- */

struct splitting {
    const char *text;
    struct arena *arena;
    struct words words;
    size_t room;
};

static enum status word_add(struct splitting *splitting, const char *from, const char *to,
                            bool alone)
{
    struct words *words = &splitting->words;
    char folded[WORDS_WORD_MAX + 1];
    fold(from, (size_t)(to - from), folded);
    if (folded[0] == '\0')
        return STATUS_OK;
    if (words->count == splitting->room) {
        size_t room = splitting->room == 0 ? 64 : 2 * splitting->room;
        struct words_word *items = arena_alloc(splitting->arena, room * sizeof *items);
        if (items == NULL)
            return STATUS_NO_MEMORY;
        if (words->count > 0)
            memcpy(items, words->items, words->count * sizeof *items);
        words->items = items;
        splitting->room = room;
    }
    const char *kept = arena_strdup(splitting->arena, folded);
    words->items[words->count++] = (struct words_word){.folded = kept,
                                                       .from = (uint32_t)(from - splitting->text),
                                                       .to = (uint32_t)(to - splitting->text),
                                                       .alone = alone};
    return kept != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Where the word that begins at `from` ends. */
static const char *word_end(const char *from, bool alone)
{
    const char *at = g_utf8_next_char(from);
    while (*at != '\0') {
        gunichar point = g_utf8_get_char(at);
        bool letter = !alone && g_unichar_isalnum(point) && !is_alone(point);
        if (!letter && !g_unichar_ismark(point))
            break;
        at = g_utf8_next_char(at);
    }
    return at;
}

enum status words_split(const char *text, size_t words_max, struct arena *arena,
                        struct words *ret_words)
{
    struct splitting splitting = {.text = text, .arena = arena};
    enum status status = STATUS_OK;
    for (const char *at = text;
         status == STATUS_OK && *at != '\0' && splitting.words.count < words_max;) {
        gunichar point = g_utf8_get_char(at);
        if (!g_unichar_isalnum(point)) {
            at = g_utf8_next_char(at);
            continue;
        }
        bool alone = is_alone(point);
        const char *end = word_end(at, alone);
        status = word_add(&splitting, at, end, alone);
        at = end;
    }
    if (status == STATUS_OK)
        *ret_words = splitting.words;
    return status;
}

size_t words_head(const char *folded, size_t letters)
{
    const char *at = folded;
    for (size_t i = 0; i < letters; i++) {
        if (*at == '\0')
            return 0;
        at = g_utf8_next_char(at);
    }
    return (size_t)(at - folded);
}
