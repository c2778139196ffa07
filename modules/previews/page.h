/*
 * modules/previews/page.h - what a page of the web says of itself: its title, what it is about, the
 * site's name. Of Open Graph first (https://ogp.me), then Twitter's names, then HTML's own. The
 * bytes are a stranger's: whatever they are, what comes out are lines that may be shown.
 * Any thread; linear time.
 */
#ifndef MODULES_PREVIEWS_PAGE_H
#define MODULES_PREVIEWS_PAGE_H

#include "core/arena.h"

#include <stddef.h>

enum {
    PAGE_TITLE_MAX = 300, /* bytes of UTF-8; what is longer is cut */
    PAGE_ABOUT_MAX = 600,
    PAGE_SITE_MAX = 100,
    PAGE_GROWTH = 3, /* bytes of an arena for each byte of a page */
};

/* Each "" or a text that text_valid calls TEXT_LINE, not blank. */
struct page {
    char title[PAGE_TITLE_MAX + 1], about[PAGE_ABOUT_MAX + 1], site[PAGE_SITE_MAX + 1];
};

/* `content_type` as sent. Errors: STATUS_UNSUPPORTED (not text/html, or of an encoding that is not
 * known), STATUS_NO_MEMORY. */
MUST_USE enum status page_read(const char *content_type, const char *bytes, size_t length,
                               struct arena *arena, struct page *ret_page);

#endif
