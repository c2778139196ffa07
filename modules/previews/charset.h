/*
 * modules/previews/charset.h - a page's bytes as UTF-8. The one file that touches iconv.
 *
 * Only the encodings that pages use are known, by the names that the web gives them (WHATWG
 * Encoding): what a stranger's page names never reaches the system's converters otherwise.
 * Any thread.
 */
#ifndef MODULES_PREVIEWS_CHARSET_H
#define MODULES_PREVIEWS_CHARSET_H

#include "core/arena.h"

#include <stddef.h>

enum { CHARSET_NAME_MAX = 32 };

/* "text/html; charset=GBK" -> "GBK"; "" when it says none. */
void charset_of_type(const char *content_type, char ret_name[CHARSET_NAME_MAX]);
/*
 * Into the arena. `name` is what the sender says, "": nothing; a byte order mark comes before it,
 * then what a <meta> in the first kilobyte says, then UTF-8 when it is that, else windows-1252.
 * Bytes that mean nothing become spaces. Errors: STATUS_UNSUPPORTED (a name that is not known),
 * STATUS_NO_MEMORY.
 */
MUST_USE enum status charset_decode(const char *name, const char *bytes, size_t length,
                                    struct arena *arena, char **ret_text, size_t *ret_length);

#endif
