/*
 * tests/support/vector.h - published bytes from tests/vectors.
 *
 * A file holds "name: hex digits", blanks and line breaks at will; # begins a comment.
 */
#ifndef TESTS_SUPPORT_VECTOR_H
#define TESTS_SUPPORT_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of one entry; ends the test when the file or entry is missing or longer than size. */
size_t vector_load(const char *file, const char *name, uint8_t *ret_bytes, size_t size);

#endif
