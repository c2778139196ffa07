/*
 * modules/previews/urls.h - the addresses that a message links to.
 *
 * What begins with http:// or https:// in its Markdown, but not in code. As the client draws them:
 * the end of a sentence and a bracket that is not opened in it do not belong to an address.
 * Any thread; no memory, linear time.
 */
#ifndef MODULES_PREVIEWS_URLS_H
#define MODULES_PREVIEWS_URLS_H

#include <stddef.h>

enum {
    URLS_MAX = 3,          /* of a message that are looked at: the first ones */
    URLS_BYTES_MAX = 1024, /* of one; longer ones are none */
};

/* An address in a text, which it is borrowed from. */
struct urls_url {
    const char *text;
    size_t length;
};

/* The first ones, each once; how many. `text` NULL: none. */
size_t urls_find(const char *text, struct urls_url ret_urls[URLS_MAX]);

#endif
