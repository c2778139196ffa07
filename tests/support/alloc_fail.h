/*
 * tests/support/alloc_fail.h - makes the k-th allocation fail.
 *
 * Works by the linker (--wrap), so only calls compiled into the test program are
 * counted (ours, not a shared library's) and the sanitizers keep their allocator.
 * The count belongs to the calling thread; other threads allocate undisturbed.
 */
#ifndef TESTS_SUPPORT_ALLOC_FAIL_H
#define TESTS_SUPPORT_ALLOC_FAIL_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The k-th allocation of this thread from now on fails, once. 0: none. */
void alloc_fail_at(uint32_t k);
/* Whether it has failed since alloc_fail_at. */
bool alloc_fail_fired(void);

/*
 * Runs `body` with the 1st, 2nd, 3rd ... allocation failing until a run needs no
 * more; asserts STATUS_NO_MEMORY for each failed one and STATUS_OK for the last.
 * Returns how many runs failed.
 */
uint32_t alloc_fail_each(enum status (*body)(void *context), void *context);

#endif
