/*
 * tests/support/clock_shift.h - lets both clocks, as our code reads them, leap ahead: what
 * takes half a minute happens at once.
 *
 * Works by the linker (--wrap=clock_mono_ns, --wrap=clock_wall_ms). Any thread; all threads see the
 * leap.
 */
#ifndef TESTS_SUPPORT_CLOCK_SHIFT_H
#define TESTS_SUPPORT_CLOCK_SHIFT_H

#include <stdint.h>

/* From now on it is later by this much more. A loop that sleeps notices when it wakes. */
void clock_leap_ms(uint64_t ms);

#endif
