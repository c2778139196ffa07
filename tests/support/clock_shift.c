#include "tests/support/clock_shift.h"

#include "core/clock.h"

#include <stdatomic.h>

static _Atomic uint64_t shift_ns;

uint64_t __real_clock_mono_ns(void);
uint64_t __wrap_clock_mono_ns(void);

uint64_t __wrap_clock_mono_ns(void)
{
    return __real_clock_mono_ns() + atomic_load(&shift_ns);
}

int64_t __real_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void);

int64_t __wrap_clock_wall_ms(void)
{
    return __real_clock_wall_ms() + (int64_t)(atomic_load(&shift_ns) / CLOCK_NS_PER_MS);
}

void clock_leap_ms(uint64_t ms)
{
    atomic_fetch_add(&shift_ns, ms * CLOCK_NS_PER_MS);
}
