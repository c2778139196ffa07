/*
 * signalling/sip/guesses.h - how often somebody has typed a wrong PIN in the last hour, by caller
 * and by source address. A table of fixed size: under a flood of new names the one that guessed
 * longest ago gives way.
 * Thread: one owner; time is an argument.
 */
#ifndef SIGNALLING_SIP_GUESSES_H
#define SIGNALLING_SIP_GUESSES_H

#include <stdbool.h>
#include <stdint.h>

enum { GUESSES_SOURCES = 1024, GUESSES_MS = 3600000, GUESSES_MAX = 10 };

struct guesses {
    struct guess {
        uint64_t key; /* 0: free */
        uint64_t begun_ms;
        uint32_t count;
    } table[GUESSES_SOURCES];
};

/* Whether `source` has used its guesses up. */
bool guesses_blocked(const struct guesses *guesses, const char *source, uint64_t now_ms);
/* A wrong one. */
void guesses_count(struct guesses *guesses, const char *source, uint64_t now_ms);

#endif
