/*
 * What pages say of themselves, in whatever encoding, and what hostile ones do not get shown.
 */
#include "modules/previews/page.h"

#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HTML "text/html; charset=utf-8"

static enum status read_bytes(const char *type, const char *bytes, size_t length,
                              struct page *ret_page)
{
    struct arena *arena;
    assert_int_equal(arena_new(PAGE_GROWTH * length + 4096, &arena), STATUS_OK);
    enum status status = page_read(type, bytes, length, arena, ret_page);
    arena_free(arena);
    return status;
}

static struct page read_page(const char *type, const char *text)
{
    struct page page;
    assert_int_equal(read_bytes(type, text, strlen(text), &page), STATUS_OK);
    return page;
}

static void check_title(const char *type, const char *text, const char *expected)
{
    struct page page = read_page(type, text);
    if (strcmp(page.title, expected) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", text, page.title, expected);
}

static void test_sources(void **state)
{
    (void)state;
    struct page page = read_page(
        HTML, "<!doctype html><html><head><title>Plain</title>"
              "<meta name=description content='Plain words'>"
              "<META content=\"Open\" PROPERTY=\"og:title\">"
              "<meta property='og:description' content='What it is &amp; why' />"
              "<meta property=og:site_name content=Site><meta name=twitter:title content=Bird>");
    assert_string_equal(page.title, "Open");
    assert_string_equal(page.about, "What it is & why");
    assert_string_equal(page.site, "Site");
    page = read_page(HTML, "<title>\n  Plain\n  title </title><meta name=description content=''>");
    assert_string_equal(page.title, "Plain title");
    assert_string_equal(page.about, "");
    assert_string_equal(page.site, "");
    page = read_page(HTML, "<p>nothing</p>");
    assert_string_equal(page.title, "");
}

static void test_markup(void **state)
{
    static const char *const rows[][2] = {
        {"<title>a < b &lt;i&gt; &#x4e0a;&#28023; &eacute;&Eacute;&mdash;&unknown;</title>",
         "a < b <i> 上海 éÉ—&unknown;"},
        {"<!-- <title>no</title> --><title>yes</title>", "yes"},
        {"<script>var a = '<title>no</title>';</script><title>yes</title>", "yes"},
        {"<style><title>no</title></style><title>yes</title>", "yes"},
        {"<title>first</title><svg><title>second</title></svg>", "first"},
        {"<title>never closed", "never closed"},
        {"<meta property='og:title' content='<b>bold</b> words'>", "bold words"},
        {"<meta property='og:title' content=\"one 'two' > three\">", "one 'two' > three"},
        {"<meta property='og:title'><title>t</title>", "t"},
        {"<meta property='og:title' content=''><title>t</title>", "t"},
        {"<meta property='og:title' content='&nbsp;&#x200b; '><title>t</title>", "t"},
        {"<meta property='og:title' content='cut", ""},
        {"<meta = / '' content property='og:title' content='odd'>", "odd"},
        {"<title>a\x01\x7f\xe2\x80\xae"
         "b\xe2\x81\xa6"
         "c</title>",
         "a b c"}, /* nothing that turns direction */
        {"<title>\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb</title>",
         "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"}, /* a joined emoji stays joined */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_title(HTML, rows[i][0], rows[i][1]);
}

static void test_charsets(void **state)
{
    (void)state;
    check_title("text/html; charset=GBK", "<title>\xc9\xcf\xba\xa3</title>", "上海");
    check_title("text/html;charset=\"shift_jis\"", "<title>\x8f\xe3\x8a\x43</title>", "上海");
    check_title("text/html", "<meta charset=big5><title>\xa4\x57\xae\xfc</title>", "上海");
    check_title("text/html",
                "<meta http-equiv=Content-Type content='text/html; charset=windows-1251'>"
                "<title>\xcc\xe8\xf0</title>",
                "Мир");
    check_title("text/html", "<title>上海</title>", "上海");
    check_title("text/html", "<title>caf\xe9 \x80</title>", "café €");
    check_title("text/html; charset=iso-8859-1", "<title>caf\xe9 \x93x\x94</title>", "café “x”");
    check_title("text/html; charset=gbk", "\xef\xbb\xbf<title>上海</title>", "上海");
    check_title(HTML,
                "<title>a\xff\xfe"
                "b\xe4\xb8</title>",
                "a b");
}

static void test_refused(void **state)
{
    static const char *const types[] = {"",
                                        "text/plain",
                                        "text/htmlx",
                                        "application/xhtml+xml",
                                        "image/png",
                                        "text/html; charset=utf-7",
                                        "text/html; charset=iso-2022-cn-ext",
                                        "text/html; charset=//TRANSLIT",
                                        "text/html; charset=../../etc"};
    struct page page;
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (read_bytes(types[i], "<title>t</title>", 16, &page) != STATUS_UNSUPPORTED)
            fail_msg("%s", types[i]);
    assert_int_equal(read_bytes("text/html", "<meta charset=utf-7><title>t</title>", 36, &page),
                     STATUS_UNSUPPORTED);
}

/* Cut where a character ends, and every line may be shown. */
static void test_long(void **state)
{
    char text[8192] = "<title>";
    size_t used = strlen(text);
    (void)state;
    while (used < 3000)
        used += (size_t)snprintf(text + used, sizeof text - used, "海");
    snprintf(text + used, sizeof text - used, "</title>");
    struct page page = read_page(HTML, text);
    assert_int_equal(strlen(page.title), PAGE_TITLE_MAX);
    assert_true(text_valid(page.title, 1, PAGE_TITLE_MAX, TEXT_LINE));
}

/* As many unclosed things as fit take no longer than others. */
static void test_linear(void **state)
{
    enum { SIZE = 512 << 10 };
    static const char *const pieces[] = {"<meta ",
                                         "<meta x='",
                                         "<!--",
                                         "<title>",
                                         "<script>",
                                         "&#",
                                         "<meta property=og:title content=",
                                         "<"};
    char *bytes = malloc(SIZE);
    struct page page;
    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t length = strlen(pieces[i]);
        for (size_t at = 0; at < SIZE; at++)
            bytes[at] = pieces[i][at % length];
        assert_int_equal(read_bytes(HTML, bytes, SIZE, &page), STATUS_OK);
    }
    memset(bytes, 0xff, SIZE);
    assert_int_equal(read_bytes(HTML, bytes, SIZE, &page), STATUS_OK);
    memset(bytes, 0, SIZE);
    assert_int_equal(read_bytes(HTML, bytes, SIZE, &page), STATUS_OK);
    assert_int_equal(read_bytes(HTML, bytes, 0, &page), STATUS_OK);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),  cmocka_unit_test(test_markup),
        cmocka_unit_test(test_charsets), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long),     cmocka_unit_test(test_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
