#include "core/outbound/smtp_send.h"

#include "tests/support/smtp_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct stage {
    struct smtp_mailbox *mailbox;
    struct smtp_server server;
    char url[64];
};

static int stage_begin(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage->mailbox = smtp_mailbox_start();
    snprintf(stage->url, sizeof stage->url, "smtp://127.0.0.1:%u",
             smtp_mailbox_port(stage->mailbox));
    stage->server = (struct smtp_server){.url = stage->url};
    *state = stage;
    return 0;
}

static int stage_end(void **state)
{
    struct stage *stage = *state;
    smtp_mailbox_stop(stage->mailbox);
    free(stage);
    return 0;
}

static const struct smtp_letter plain = {.from = "parley@b.c",
                                         .from_name = "Parley",
                                         .to = "ann@b.c",
                                         .subject = "Hello",
                                         .text = "text\r\n.\r\nmore",
                                         .html = "<p>html</p>"};

static enum status send_it(struct stage *stage, struct smtp_letter letter, long *ret_code)
{
    return smtp_send(&stage->server, &letter, ret_code);
}

static void test_a_letter(void **state)
{
    struct stage *stage = *state;
    struct smtp_letter letter = plain;
    long code;
    letter.subject =
        "\u60a8\u597d: Ann invites you to \u4e0a\u6d77 & friends, for a long, long time";
    stage->server.user = "me";
    stage->server.password = "secret";
    assert_int_equal(send_it(stage, letter, &code), STATUS_OK);
    assert_int_equal(code, 250);
    const struct smtp_server_letter *got = smtp_mailbox_await(stage->mailbox, 0);
    assert_string_equal(got->to, "<ann@b.c>");
    assert_string_equal(got->auth, "AG1lAHNlY3JldA==");
    assert_non_null(strstr(got->data, "\r\nFrom: =?UTF-8?B?UGFybGV5?= <parley@b.c>\r\n"));
    assert_non_null(strstr(got->data, "\r\nTo: <ann@b.c>\r\n"));
    /* Characters are not cut: the first word ends where one does. */
    assert_non_null(strstr(got->data,
                           "\r\nSubject: =?UTF-8?B?"
                           "5oKo5aW9OiBBbm4gaW52aXRlcyB5b3UgdG8g5LiK5rW3ICYgZnJpZW5k?=\r\n"
                           " =?UTF-8?B?"));
    assert_non_null(strstr(got->data, "multipart/alternative"));
    char *text = smtp_letter_part(got, "text/plain"), *html = smtp_letter_part(got, "text/html");
    assert_string_equal(text, plain.text);
    assert_string_equal(html, plain.html);
    free(text);
    free(html);
}

static void test_nothing_breaks_out_of_a_line(void **state)
{
    struct stage *stage = *state;
    static const char *const bad[] = {
        "a@b.c\r\nBcc: x@b.c", "a@b.c\nx", "a@b.c> SIZE=1", "<a@b.c", "a b@b.c", "nobody",
        "a@b.c,x@b.c"};
    struct smtp_letter letter;
    long code;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        letter = plain;
        letter.to = bad[i];
        assert_int_equal(send_it(stage, letter, &code), STATUS_INVALID);
        letter = plain;
        letter.from = bad[i];
        assert_int_equal(send_it(stage, letter, &code), STATUS_INVALID);
    }
    letter = plain;
    letter.subject = "x\r\nBcc: x@b.c";
    assert_int_equal(send_it(stage, letter, &code), STATUS_INVALID);
    letter = plain;
    letter.from_name = "x\nBcc: x@b.c";
    assert_int_equal(send_it(stage, letter, &code), STATUS_INVALID);
    assert_int_equal(smtp_mailbox_count(stage->mailbox), 0);
}

static void test_no_tls_no_letter(void **state)
{
    struct stage *stage = *state;
    long code;
    stage->server.tls = true;
    assert_int_equal(send_it(stage, plain, &code), STATUS_CORRUPT);
    assert_int_equal(smtp_mailbox_count(stage->mailbox), 0);
}

static void test_what_the_server_says(void **state)
{
    struct stage *stage = *state;
    atomic_bool stop;
    struct smtp_letter letter = plain;
    long code;
    smtp_mailbox_refuse(stage->mailbox, 1, "451 later");
    assert_int_equal(send_it(stage, plain, &code), STATUS_IO);
    assert_int_equal(code, 451);
    smtp_mailbox_refuse(stage->mailbox, 1, "550 never");
    assert_int_equal(send_it(stage, plain, &code), STATUS_INVALID);
    assert_int_equal(code, 550);
    atomic_init(&stop, true);
    letter.stop = &stop;
    assert_int_equal(send_it(stage, letter, &code), STATUS_CLOSED);
    stage->server.url = "smtp://127.0.0.1:1";
    assert_int_equal(send_it(stage, plain, &code), STATUS_IO);
    stage->server.url = "http://127.0.0.1:1";
    assert_int_equal(send_it(stage, plain, &code), STATUS_IO);
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        STAGED(test_a_letter),
        STAGED(test_nothing_breaks_out_of_a_line),
        STAGED(test_no_tls_no_letter),
        STAGED(test_what_the_server_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
