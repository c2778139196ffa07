#include "signalling/sip/pins.h"

#include "core/lock.h"
#include "modules/meetings/registry_pin.h"
#include "signalling/sip/guesses.h"

#include <stdio.h>
#include <stdlib.h>

enum { PINS_KEY_MAX = 128 /* bytes of what is counted */, PINS_KEYS = 2 };

struct pins {
    struct lock lock;
    struct guesses tries;
};

/* Who a wish is counted for. */
struct keys {
    char texts[PINS_KEYS][PINS_KEY_MAX];
    size_t count;
};

enum status pins_new(struct pins **ret_pins)
{
    struct pins *pins = calloc(1, sizeof *pins);
    if (pins == NULL)
        return STATUS_NO_MEMORY;
    enum status status = lock_init(&pins->lock);
    if (status != STATUS_OK) {
        free(pins);
        return status;
    }
    *ret_pins = pins;
    return STATUS_OK;
}

struct pins *pins_free(struct pins *pins)
{
    if (pins == NULL)
        return NULL;
    lock_fini(&pins->lock);
    free(pins);
    return NULL;
}

static void keys_make(const struct pins_wish *wish, struct keys *keys)
{
    keys->count = wish->account != NULL ? 1 : PINS_KEYS;
    if (wish->account != NULL) {
        snprintf(keys->texts[0], PINS_KEY_MAX, "account %s", wish->account);
        return;
    }
    snprintf(keys->texts[0], PINS_KEY_MAX, "source %s", wish->source);
    snprintf(keys->texts[1], PINS_KEY_MAX, "meeting %s", wish->meeting);
}

static void pins_count(struct pins *pins, const struct keys *keys, int points, uint64_t now_ms)
{
    for (size_t i = 0; i < keys->count; i++) {
        for (int point = 0; point < points; point++)
            guesses_count(&pins->tries, keys->texts[i], now_ms);
    }
}

/* Counted before it is known what becomes of it: tries side by side are tries. */
static bool pins_take(struct pins *pins, const struct keys *keys, uint64_t now_ms)
{
    bool free_of = true;
    lock_take(&pins->lock);
    for (size_t i = 0; i < keys->count; i++)
        free_of = free_of && !guesses_blocked(&pins->tries, keys->texts[i], now_ms);
    if (free_of)
        pins_count(pins, keys, PINS_TRY, now_ms);
    lock_give(&pins->lock);
    return free_of;
}

enum status pins_choose(struct pins *pins, struct db *db, const struct pins_wish *wish,
                        uint64_t now_ms, int64_t wall_ms)
{
    struct keys keys;
    keys_make(wish, &keys);
    if (wish->pin[0] != '\0') {
        if (!registry_pin_fit(wish->pin))
            return STATUS_INVALID;
        if (!pins_take(pins, &keys, now_ms))
            return STATUS_LIMIT;
    }
    enum status status = registry_pin_set(db, wish->meeting, wish->pin, wall_ms);
    if (status != STATUS_EXISTS)
        return status;
    lock_take(&pins->lock);
    pins_count(pins, &keys, PINS_MET, now_ms);
    lock_give(&pins->lock);
    return STATUS_INVALID;
}
