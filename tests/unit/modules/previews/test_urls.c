/*
 * Which addresses of a message are looked at.
 */
#include "modules/previews/urls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Those found, a space between them. */
static void check(const char *text, const char *expected)
{
    struct urls_url urls[URLS_MAX];
    char found[4096] = "";
    size_t count = urls_find(text, urls), used = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(found + used, sizeof found - used, "%s%.*s", i > 0 ? " " : "",
                                 (int)urls[i].length, urls[i].text);
    if (strcmp(found, expected) != 0)
        fail_msg("%s: %s, not %s", text, found, expected);
}

static void test_urls(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"no link, http:// nor https://", ""},
        {"http://example.org", "http://example.org"},
        {"HTTPS://Example.org/A?b=c#d", "HTTPS://Example.org/A?b=c#d"},
        {"see https://example.org/a.", "https://example.org/a"},
        {"(https://example.org/a)", "https://example.org/a"},
        {"https://example.org/a_(b)!", "https://example.org/a_(b)"},
        {"[words](https://example.org/a_(b))", "https://example.org/a_(b)"},
        {"<https://example.org/a>", "https://example.org/a"},
        {"**https://example.org/a**", "https://example.org/a"},
        {"看https://example.org/a。好", "https://example.org/a"},
        {"（https://example.org/a）", "https://example.org/a"},
        {"xhttp://example.org", ""},
        {"ftp://example.org javascript:alert(1) file:///etc/passwd", ""},
        {"`https://example.org/code` https://example.org/text", "https://example.org/text"},
        {"```\nhttps://example.org/code\n``` https://example.org/text", "https://example.org/text"},
        {"```\nhttps://example.org/code", ""},
        {"` https://example.org/a", "https://example.org/a"},
        {"`` ` https://example.org/code `` https://example.org/a", "https://example.org/a"},
        {"http://a.example http://a.example http://b.example", "http://a.example http://b.example"},
        {"http://1.example http://2.example http://3.example http://4.example",
         "http://1.example http://2.example http://3.example"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i][0], rows[i][1]);
}

static void test_too_long(void **state)
{
    char text[2 * URLS_BYTES_MAX];
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "http://", 7);
    text[URLS_BYTES_MAX] = '\0';
    check(text, text);
    text[URLS_BYTES_MAX] = 'a';
    text[URLS_BYTES_MAX + 1] = '\0';
    check(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
