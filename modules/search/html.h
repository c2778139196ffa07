/*
 * modules/search/html.h - the words of an HTML page, without its markup, and its tags.
 *
 * For search and for cards of links: no tree, no styles. Scripts, styles and comments are left out,
 * each tag becomes a space, numeric references and the names that text needs are resolved. Any
 * bytes will do. Any thread; no memory, linear time.
 */
#ifndef MODULES_SEARCH_HTML_H
#define MODULES_SEARCH_HTML_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

/* In place: the text is never longer than the page. Its length. */
size_t html_text(char *bytes, size_t length);

/* Bytes of the page, borrowed from it. */
struct html_span {
    const char *bytes;
    size_t length;
};

/* Goes to the next tag from *at on: *ret_tag is what stands between its '<' and '>', *at is behind
 * it. A script or style is one tag with all that is in it; comments are left out. False: there is
 * none any more. */
MUST_USE bool html_tag_next(struct html_span page, size_t *at, struct html_span *ret_tag);
/* Whether that is this element's start, in any case. */
bool html_tag_is(struct html_span tag, const char *name);
/* The first attribute of that name, in any case, its references not resolved (html_text does).
 * False: the tag has none, or it has no value. */
MUST_USE bool html_attribute(struct html_span tag, const char *name, struct html_span *ret_value);

#endif
