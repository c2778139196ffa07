/*
 * core/rng.h - a seeded generator (xoshiro256**) for what need not be secret:
 * jitter, simulations, tests that replay from a seed. Thread: one owner.
 */
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

void rng_seed(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* 0..bound-1, unbiased; bound > 0. */
uint32_t rng_below(struct rng *rng, uint32_t bound);

#endif
