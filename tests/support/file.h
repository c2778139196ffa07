/*
 * tests/support/file.h - whole files of tests/vectors. Failures end the test (cmocka).
 */
#ifndef TESTS_SUPPORT_FILE_H
#define TESTS_SUPPORT_FILE_H

#include <stddef.h>

/* The bytes of TEST_VECTORS/`path` with a NUL after them; the caller frees. */
char *file_load(const char *path, size_t *ret_length);
/* Calls fn for each file of the folder TEST_VECTORS/`folder` that ends in `ending`; returns how
 * many. */
size_t file_each(const char *folder, const char *ending,
                 void (*fn)(void *context, const char *name, const char *bytes, size_t length),
                 void *context);

#endif
