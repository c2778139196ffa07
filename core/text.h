/*
 * core/text.h - whether bytes from outside may stand as a text that people read.
 * Any thread.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum text_kind {
    TEXT_LINE, /* a name, a title: no control characters, nothing that turns direction or breaks
                  lines */
    TEXT_PARAGRAPHS, /* a message: also \n and \t, and what right-to-left writing needs */
};

/* Whether `text` is min..max bytes of well-formed UTF-8 (RFC 3629: shortest form, no surrogates) of
 * that kind. NULL is not. */
bool text_valid(const char *text, size_t min, size_t max, enum text_kind kind);
/* Whether nothing in it would be seen: ASCII spaces and U+00A0, U+200B..U+200F, U+3000, U+FEFF
 * only. */
bool text_blank(const char *text);

/* Turns each byte that is no part of well-formed UTF-8 into '?', in place: for texts that were cut
 * or quote what came from outside, before they go to a peer that demands UTF-8. */
void text_mend(char *text);

#endif
