/*
 * What a process that reads a hostile file cannot do, however it was taken over: each is tried from
 * the inside, in a process of its own (tests/support/escape), after the very call that parley-text
 * makes.
 */
#include "tests/support/escape/escape.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char secret[SCRATCH_PATH_MAX + 16];

/* Its exit; `program` NULL: it may start none. */
static int try_inside(const char *name, const char *program)
{
    int told = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        execl(ESCAPE, "escape", name, secret, program, (char *)NULL);
        _exit(ESCAPE_UNKNOWN);
    }
    assert_int_equal(waitpid(pid, &told, 0), pid);
    assert_true(WIFEXITED(told));
    return WEXITSTATUS(told);
}

static int setup(void **state)
{
    static char folder[SCRATCH_PATH_MAX];
    scratch_make(folder);
    snprintf(secret, sizeof secret, "%s/secret", folder);
    int fd = open(secret, O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0);
    close(fd);
    /* Nothing but the confinement is in the way. */
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(chmod(secret, 0666), 0);
    *state = folder;
    return 0;
}

static int teardown(void **state)
{
    scratch_remove(*state);
    return 0;
}

static const char *const refused[] = {
    "read_secret", "read_passwd",     "read_process",     "write_secret",   "make_file",
    "make_hidden", "open_old_call",   "remove_file",      "rename_file",    "make_folder",
    "change_mode", "socket_internet", "socket_six",       "socket_local",   "socket_pair",
    "start_shell", "start_env",       "start_descriptor", "split",          "split_new_call",
    "trace",       "signal_parent",   "peek_parent",      "file_in_memory", "raise_limit",
    "take_memory", "be_root",         "change_root",      "load_rules",
};

static void all_refused(const char *program)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        int how = try_inside(refused[i], program);
        if (how != ESCAPE_NO_CALL && how != ESCAPE_NO_FILE &&
            !(how == ESCAPE_NO_MEMORY && strcmp(refused[i], "take_memory") == 0))
            fail_msg("%s: %d", refused[i], how);
    }
}

static void test_refused(void **state)
{
    (void)state;
    all_refused(NULL);
    assert_int_equal(try_inside("start_pdftotext", NULL), ESCAPE_NO_CALL);
    /* Or all of the above would say nothing. */
    assert_int_equal(try_inside("read_library", NULL), ESCAPE_DONE);
}

static void test_refused_to_who_may_start_one(void **state)
{
    (void)state;
    all_refused(ESCAPE_PDFTOTEXT);
    /* That one starts, and says 0 by itself. */
    assert_int_equal(try_inside("start_pdftotext", ESCAPE_PDFTOTEXT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_to_who_may_start_one, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
