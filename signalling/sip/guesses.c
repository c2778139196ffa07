#include "signalling/sip/guesses.h"

#include "core/map.h"

#include <stddef.h>

static bool fresh(const struct guess *guess, uint64_t now_ms)
{
    return guess->key != 0 && now_ms - guess->begun_ms < GUESSES_MS;
}

static uint64_t key_of(const char *source)
{
    uint64_t key = map_key_of(source);
    return key != 0 ? key : 1;
}

bool guesses_blocked(const struct guesses *guesses, const char *source, uint64_t now_ms)
{
    uint64_t key = key_of(source);
    for (size_t i = 0; i < GUESSES_SOURCES; i++) {
        const struct guess *guess = &guesses->table[i];
        if (guess->key == key)
            return fresh(guess, now_ms) && guess->count >= GUESSES_MAX;
    }
    return false;
}

void guesses_count(struct guesses *guesses, const char *source, uint64_t now_ms)
{
    uint64_t key = key_of(source);
    struct guess *oldest = &guesses->table[0];
    for (size_t i = 0; i < GUESSES_SOURCES; i++) {
        struct guess *guess = &guesses->table[i];
        if (guess->key == key) {
            oldest = guess;
            break;
        }
        if (guess->key == 0 || (oldest->key != 0 && guess->begun_ms < oldest->begun_ms))
            oldest = guess;
    }
    if (oldest->key != key || !fresh(oldest, now_ms))
        *oldest = (struct guess){.key = key, .begun_ms = now_ms};
    oldest->count++;
}
