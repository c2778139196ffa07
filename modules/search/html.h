/*
 * modules/search/html.h - the words of an HTML page, without its markup.
 *
 * For search alone: no tree, no styles. Scripts, styles and comments are left out, each tag becomes
 * a space, numeric references and the few names that text needs are resolved. Any bytes will do.
 * Any thread; no memory, linear time.
 */
#ifndef MODULES_SEARCH_HTML_H
#define MODULES_SEARCH_HTML_H

#include <stddef.h>

/* In place: the text is never longer than the page. Its length. */
size_t html_text(char *bytes, size_t length);

#endif
