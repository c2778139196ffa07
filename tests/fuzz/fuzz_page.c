/*
 * Any bytes as a page of the web, of an encoding that the first byte chooses: what comes out may be
 * shown.
 */
#include "modules/previews/page.h"

#include "core/text.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void line_check(const char *line, size_t max)
{
    assert(line[0] == '\0' || (text_valid(line, 1, max, TEXT_LINE) && !text_blank(line)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {
        "text/html",
        "text/html; charset=utf-8",
        "text/html; charset=gb18030",
        "text/html; charset=big5",
        "text/html; charset=shift_jis",
        "text/html; charset=euc-jp",
        "text/html; charset=euc-kr",
        "text/html; charset=windows-1255",
    };
    struct arena *arena;
    struct page page;
    if (size == 0 || arena_new(PAGE_GROWTH * size + 4096, &arena) != STATUS_OK)
        return 0;
    const char *type = types[data[0] % (sizeof types / sizeof types[0])];
    enum status status = page_read(type, (const char *)data + 1, size - 1, arena, &page);
    if (status == STATUS_OK) {
        line_check(page.title, PAGE_TITLE_MAX);
        line_check(page.about, PAGE_ABOUT_MAX);
        line_check(page.site, PAGE_SITE_MAX);
    } else {
        assert(status == STATUS_UNSUPPORTED);
    }
    arena_free(arena);
    return 0;
}
