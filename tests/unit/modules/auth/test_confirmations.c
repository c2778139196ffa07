/*
 * Letters and their links, against a mail server on loopback.
 */
#include "modules/auth/confirmations.h"

#include "core/clock.h"
#include "modules/spaces/spaces.h"
#include "tests/support/clock_shift.h"
#include "tests/support/scratch.h"
#include "tests/support/smtp_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const char password[] = "a quiet lake at dawn";
static const char other_password[] = "two boats in the reeds";

struct stage {
    char path[SCRATCH_PATH_MAX], url[64];
    struct smtp_mailbox *mailbox;
    struct db *db;
    struct auth *auth;
    struct jobs *jobs;
    struct mail mail;
    struct confirmation_post post;
    struct arena *arena;
    const char *ann; /* an account */
    int letters;     /* read so far */
};

static const char *const open_domains[] = {"open.example"};

static const char *person(struct stage *stage, const char *email, const char *language)
{
    const struct auth_user_new wish = {
        .email = email, .name = "Ann \u5f20", .password = password, .language = language};
    struct auth_user user;
    struct auth_fault fault = {""};
    assert_int_equal(
        auth_user_add(stage->auth, &wish, clock_wall_ms(), stage->arena, &user, &fault), STATUS_OK);
    return user.id;
}

static int stage_begin(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    scratch_make(stage->path);
    assert_int_equal(arena_new(16 << 20, &stage->arena), STATUS_OK);
    stage->mailbox = smtp_mailbox_start();
    snprintf(stage->url, sizeof stage->url, "smtp://127.0.0.1:%u",
             smtp_mailbox_port(stage->mailbox));
    stage->db = scratch_db(stage->path, 2);
    const struct auth_config config = {.db = stage->db, .domains = open_domains, .domain_count = 1};
    assert_int_equal(auth_new(&config, &stage->auth), STATUS_OK);
    stage->mail.config = (struct mail_config){.server = {.url = stage->url},
                                              .from = "parley@b.c",
                                              .from_name = "Parley",
                                              .site = "https://parley.example.org"};
    stage->post = (struct confirmation_post){stage->auth, &stage->mail};
    const struct jobs_kind mail = {
        .name = "mail", .run = confirmation_mail_run, .context = &stage->post};
    const struct jobs_kind ask = {
        .name = "ask", .run = confirmation_ask_run, .context = &stage->post};
    assert_int_equal(jobs_new(stage->db, NULL, &stage->jobs), STATUS_OK);
    assert_int_equal(jobs_kind_add(stage->jobs, &mail), STATUS_OK);
    assert_int_equal(jobs_kind_add(stage->jobs, &ask), STATUS_OK);
    assert_int_equal(jobs_start(stage->jobs), STATUS_OK);
    stage->ann = person(stage, "ann@b.c", "zh-CN");
    *state = stage;
    return 0;
}

static int stage_end(void **state)
{
    struct stage *stage = *state;
    jobs_free(stage->jobs);
    smtp_mailbox_stop(stage->mailbox);
    scratch_no_scans(stage->db);
    auth_free(stage->auth);
    db_close(stage->db);
    arena_free(stage->arena);
    scratch_remove(stage->path);
    free(stage);
    return 0;
}

/* The token in the next letter, which goes to this address. */
static const char *token_next(struct stage *stage, const char *to)
{
    char wanted[128];
    const struct smtp_server_letter *letter = smtp_mailbox_await(stage->mailbox, stage->letters++);
    snprintf(wanted, sizeof wanted, "<%s>", to);
    assert_string_equal(letter->to, wanted);
    assert_string_equal(letter->from, "<parley@b.c>");
    char *text = smtp_letter_part(letter, "text/plain");
    const char *link = strstr(text, "https://parley.example.org/confirm#");
    assert_non_null(link);
    link += strlen("https://parley.example.org/confirm#");
    const char *token = arena_strndup(stage->arena, link, strcspn(link, "\r"));
    free(text);
    char *html = smtp_letter_part(letter, "text/html");
    assert_non_null(strstr(html, token));
    free(html);
    assert_int_equal(strlen(token), CONFIRMATION_TOKEN_CHARS);
    return token;
}

static void await_jobs(struct stage *stage)
{
    static const char waiting[] = "SELECT coalesce(sum(jobs), 0) FROM job_kind WHERE kind > ''";
    for (int i = 0; i < 30000 && scratch_count(stage->db, waiting) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(scratch_count(stage->db, waiting), 0);
}

static enum status account(struct stage *stage, const char *token, struct auth_user *ret_user)
{
    const struct auth_user_new wish = {.name = "Ben", .password = other_password};
    struct auth_fault fault = {NULL};
    return confirmation_account(stage->auth, token, &wish, clock_wall_ms(), stage->arena, ret_user,
                                &fault);
}

static enum status ask(struct stage *stage, const char *kind, const char *email)
{
    const struct confirmation_wish wish = {
        .kind = kind, .email = email, .language = "", .address = "192.0.2.7"};
    uint32_t wait;
    return confirmation_ask(stage->auth, &wish, clock_wall_ms(), stage->arena, &wait);
}

static enum status sign_in(struct stage *stage, const char *email, const char *secret,
                           struct auth_signed_in *ret_in)
{
    const struct auth_login login = {
        .email = email, .password = secret, .address = "127.0.0.1", .local = true};
    uint32_t wait;
    return auth_sign_in(stage->auth, &login, clock_wall_ms(), stage->arena, ret_in, &wait);
}

static void test_invitation_to_a_space(void **state)
{
    struct stage *stage = *state;
    const struct spaces_new wish = {.account = stage->ann, .name = "\u6e56 & <Lake>"};
    struct spaces_space space;
    struct spaces_member member;
    struct confirmation found;
    struct auth_user user, twice;
    struct spaces_list list;
    assert_int_equal(spaces_create(stage->db, &wish, clock_wall_ms(), stage->arena, &space),
                     STATUS_OK);
    const struct spaces_who ann = {space.id, stage->ann};
    const struct spaces_invitee invitee = {.email = "Ben@b.c", .role = "editor"};
    assert_int_equal(
        spaces_invite(stage->db, &ann, &invitee, clock_wall_ms(), stage->arena, &member),
        STATUS_OK);
    const char *token = token_next(stage, "ben@b.c");
    char *html = smtp_letter_part(smtp_mailbox_await(stage->mailbox, 0), "text/html");
    assert_non_null(strstr(html, "\u6e56 &amp; &lt;Lake&gt;"));
    assert_non_null(strstr(html, "lang=\"zh-CN\""));
    free(html);
    assert_int_equal(confirmation_look(stage->auth, token, clock_wall_ms(), stage->arena, &found),
                     STATUS_OK);
    assert_string_equal(found.kind, "invite");
    assert_string_equal(found.email, "ben@b.c");
    assert_int_equal(account(stage, token, &user), STATUS_OK);
    assert_int_equal(account(stage, token, &twice), STATUS_NOT_FOUND);
    assert_int_equal(spaces_list(stage->db, user.id, clock_wall_ms(), stage->arena, &list),
                     STATUS_OK);
    assert_int_equal(list.items.count, 1);
    assert_string_equal(((struct spaces_space *)list.items.items)->role, "editor");
}

static void test_failing_server_is_tried_again(void **state)
{
    struct stage *stage = *state;
    struct confirmation made;
    smtp_mailbox_refuse(stage->mailbox, 2, "451 later");
    assert_int_equal(
        confirmation_invite(stage->auth, "ben@b.c", "", clock_wall_ms(), stage->arena, &made),
        STATUS_OK);
    for (int i = 0; i < 3000 && smtp_mailbox_count(stage->mailbox) == 0; i++) {
        clock_leap_ms(10000);
        jobs_wake(stage->jobs);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    struct auth_user user;
    assert_int_equal(account(stage, token_next(stage, "ben@b.c"), &user), STATUS_OK);
}

static void test_refused_for_good_is_not(void **state)
{
    struct stage *stage = *state;
    struct confirmation made;
    smtp_mailbox_refuse(stage->mailbox, 1, "550 nobody here");
    assert_int_equal(
        confirmation_invite(stage->auth, "ben@b.c", "", clock_wall_ms(), stage->arena, &made),
        STATUS_OK);
    await_jobs(stage);
    assert_int_equal(smtp_mailbox_count(stage->mailbox), 0);
}

static void test_sign_up_by_domain(void **state)
{
    struct stage *stage = *state;
    struct auth_user user;
    assert_int_equal(ask(stage, "signup", "eva@closed.example"), STATUS_DENIED);
    assert_int_equal(ask(stage, "signup", "eva@notopen.example"), STATUS_DENIED);
    assert_int_equal(ask(stage, "signup", "Eva@Open.example"), STATUS_OK);
    assert_int_equal(account(stage, token_next(stage, "eva@open.example"), &user), STATUS_OK);
    assert_string_equal(user.email, "eva@open.example");
    /* Who has an account is told so, by mail alone. */
    assert_int_equal(ask(stage, "signup", "eva@open.example"), STATUS_OK);
    char *text =
        smtp_letter_part(smtp_mailbox_await(stage->mailbox, stage->letters++), "text/plain");
    assert_non_null(strstr(text, "https://parley.example.org/sign-in\r\n"));
    free(text);
}

static void test_forgotten_password(void **state)
{
    struct stage *stage = *state;
    struct auth_signed_in in;
    struct auth_fault fault = {NULL};
    int64_t now = clock_wall_ms();
    assert_int_equal(sign_in(stage, "ann@b.c", password, &in), STATUS_OK);
    assert_int_equal(ask(stage, "password", "nobody@b.c"), STATUS_OK);
    assert_int_equal(ask(stage, "password", "ann@b.c"), STATUS_OK);
    const char *token = token_next(stage, "ann@b.c");
    assert_int_equal(account(stage, token, &in.caller.user), STATUS_NOT_FOUND);
    assert_int_equal(confirmation_password(stage->auth, token, "short", now, stage->arena, &fault),
                     STATUS_INVALID);
    assert_string_equal(fault.code, "password_short");
    assert_int_equal(
        confirmation_password(stage->auth, token, other_password, now, stage->arena, &fault),
        STATUS_OK);
    assert_int_equal(confirmation_password(stage->auth, token, password, now, stage->arena, &fault),
                     STATUS_NOT_FOUND);
    struct auth_caller caller;
    assert_int_equal(auth_check(stage->auth, in.token, now, stage->arena, &caller), STATUS_DENIED);
    assert_int_equal(sign_in(stage, "ann@b.c", other_password, &in), STATUS_OK);
    await_jobs(stage);
    assert_int_equal(smtp_mailbox_count(stage->mailbox), 1); /* none to nobody */
}

static void test_asking_often_waits_whoever_it_is(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(stage, "password", "nobody@b.c"), STATUS_OK);
    assert_int_equal(ask(stage, "password", "nobody@b.c"), STATUS_LIMIT);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(stage, "password", "ann@b.c"), STATUS_OK);
    assert_int_equal(ask(stage, "password", "ann@b.c"), STATUS_LIMIT);
}

static void test_links_end(void **state)
{
    struct stage *stage = *state;
    struct confirmation made;
    struct auth_user user;
    char handed[CONFIRMATION_TOKEN_CHARS + 1];
    int64_t now = clock_wall_ms();
    assert_int_equal(confirmation_invite(stage->auth, "ben@b.c", "", now, stage->arena, &made),
                     STATUS_OK);
    const char *token = token_next(stage, "ben@b.c");
    await_jobs(stage);
    assert_int_equal(confirmation_link(stage->auth, made.id, now, handed), STATUS_OK);
    assert_int_equal(account(stage, token, &user), STATUS_NOT_FOUND);
    assert_int_equal(
        confirmation_look(stage->auth, handed, now + CONFIRMATION_INVITE_MS, stage->arena, &made),
        STATUS_NOT_FOUND);
    assert_int_equal(confirmation_look(stage->auth, "plc_nothing", now, stage->arena, &made),
                     STATUS_NOT_FOUND);
    assert_int_equal(account(stage, handed, &user), STATUS_OK);
    assert_int_equal(confirmation_invite(stage->auth, "ben@b.c", "", now, stage->arena, &made),
                     STATUS_EXISTS);
}

static void test_without_mail_the_admin_hands_over(void **state)
{
    struct stage *stage = *state;
    struct confirmations list;
    struct auth_user user;
    char token[CONFIRMATION_TOKEN_CHARS + 1];
    int64_t now = clock_wall_ms();
    stage->mail.config.server.url = "";
    assert_int_equal(ask(stage, "signup", "eva@open.example"), STATUS_OK);
    await_jobs(stage);
    assert_int_equal(confirmations_list(stage->auth, NULL, now, stage->arena, &list), STATUS_OK);
    assert_int_equal(list.items.count, 1);
    const struct confirmation *waiting = list.items.items;
    assert_string_equal(waiting->email, "eva@open.example");
    assert_int_equal(confirmation_link(stage->auth, waiting->id, now, token), STATUS_OK);
    assert_int_equal(account(stage, token, &user), STATUS_OK);
    assert_int_equal(confirmations_list(stage->auth, NULL, now, stage->arena, &list), STATUS_OK);
    assert_int_equal(list.items.count, 0);
    assert_int_equal(smtp_mailbox_count(stage->mailbox), 0);
}

static void test_another_address(void **state)
{
    struct stage *stage = *state;
    struct auth_signed_in in;
    uint32_t wait;
    int64_t now = clock_wall_ms();
    person(stage, "taken@b.c", "");
    assert_int_equal(sign_in(stage, "ann@b.c", password, &in), STATUS_OK);
    assert_int_equal(confirmation_email(stage->auth, &in.caller, "not the password", "new@b.c", now,
                                        stage->arena, &wait),
                     STATUS_DENIED);
    assert_int_equal(confirmation_email(stage->auth, &in.caller, password, "taken@b.c", now,
                                        stage->arena, &wait),
                     STATUS_OK);
    assert_int_equal(
        confirmation_address(stage->auth, token_next(stage, "taken@b.c"), now, stage->arena),
        STATUS_EXISTS);
    assert_int_equal(
        confirmation_email(stage->auth, &in.caller, password, "New@b.c", now, stage->arena, &wait),
        STATUS_OK);
    const char *token = token_next(stage, "new@b.c");
    assert_int_equal(sign_in(stage, "new@b.c", password, &in), STATUS_DENIED);
    assert_int_equal(confirmation_address(stage->auth, token, now, stage->arena), STATUS_OK);
    assert_int_equal(confirmation_address(stage->auth, token, now, stage->arena), STATUS_NOT_FOUND);
    assert_int_equal(sign_in(stage, "new@b.c", password, &in), STATUS_OK);
    assert_string_equal(in.caller.user.email, "new@b.c");
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        STAGED(test_invitation_to_a_space),
        STAGED(test_failing_server_is_tried_again),
        STAGED(test_refused_for_good_is_not),
        STAGED(test_sign_up_by_domain),
        STAGED(test_forgotten_password),
        STAGED(test_asking_often_waits_whoever_it_is),
        STAGED(test_links_end),
        STAGED(test_without_mail_the_admin_hands_over),
        STAGED(test_another_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
