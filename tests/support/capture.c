#include "tests/support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int saved = -1, file = -1;

void capture_start(void)
{
    file = memfd_create("stderr", 0);
    saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
}

void capture_stop(char *ret_text, size_t size)
{
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    ssize_t length = pread(file, ret_text, size - 1, 0);
    assert_true(length >= 0);
    ret_text[length] = '\0';
    close(saved);
    close(file);
}
