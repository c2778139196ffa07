#include "core/log.h"
#include "tests/support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_line(void **state)
{
    (void)state;
    char text[4096];
    capture_start();
    log_event(LOG_MEDIA, LOG_INFO, "transport_up", "id=%d worker=%d", 17, 0);
    log_event(LOG_HTTP, LOG_ERROR, "bare", "%s", "");
    capture_stop(text, sizeof text);
    int year, month, day, hour, minute, second, ms, length = 0;
    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute, &second,
           &ms, &length);
    assert_int_equal(length, 24);
    const char *rest = " info media transport_up id=17 worker=0\n";
    assert_memory_equal(text + 24, rest, strlen(rest));
    assert_non_null(strstr(text, " error http bare"));
}

static void test_cut_and_one_line(void **state)
{
    (void)state;
    char text[4096];
    capture_start();
    log_event(LOG_HTTP, LOG_INFO, "long", "value=%1100d", 1);
    capture_stop(text, sizeof text);
    assert_int_equal(strlen(text), LOG_LINE_MAX);
    assert_string_equal(text + LOG_LINE_MAX - 4, "...\n");
    capture_start();
    log_event(LOG_HTTP, LOG_INFO, "forged", "value=a\nb\x1b[2J");
    capture_stop(text, sizeof text);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_null(strchr(text, '\x1b'));
}

static void test_quote(void **state)
{
    (void)state;
    char buffer[32];
    assert_string_equal(log_quote(buffer, sizeof buffer, "plain"), "\"plain\"");
    assert_string_equal(log_quote(buffer, sizeof buffer, "a\"b\\c\n\x01"),
                        "\"a\\\"b\\\\c\\n\\x01\"");
    assert_string_equal(log_quote(buffer, sizeof buffer, NULL), "\"\"");
    assert_string_equal(log_quote(buffer, 6, "abcdef"), "\"abc\"");
    assert_string_equal(log_quote(buffer, 6, "ab\x01"), "\"ab\"");
    assert_string_equal(log_quote(buffer, 2, "ab"), "");
}

static void test_levels(void **state)
{
    (void)state;
    assert_true(log_wants(LOG_HTTP, LOG_INFO));
    assert_false(log_wants(LOG_HTTP, LOG_DEBUG));
    assert_int_equal(log_levels_set("warn,media=debug,http=error"), STATUS_OK);
    assert_true(log_wants(LOG_MEDIA, LOG_DEBUG));
    assert_false(log_wants(LOG_HTTP, LOG_WARN));
    assert_false(log_wants(LOG_ICE, LOG_INFO));
    static const char *const bad[] = {"", "loud", "media", "media=", "=info", "info,", "tv=info"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(log_levels_set(bad[i]), STATUS_INVALID);
    assert_int_equal(log_levels_set("debug,http=loud"), STATUS_INVALID);
    assert_false(log_wants(LOG_ICE, LOG_INFO));
    char text[256];
    capture_start();
    log_event(LOG_ICE, LOG_INFO, "silent", "%s", "");
    capture_stop(text, sizeof text);
    assert_string_equal(text, "");
    assert_int_equal(log_levels_set("info"), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_cut_and_one_line),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
