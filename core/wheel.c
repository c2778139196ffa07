#include "core/wheel.h"

#include <stddef.h>

enum { LEVEL_BITS = 6 };

static const uint64_t span_max = (1ull << WHEEL_LEVELS * LEVEL_BITS) - 1;

static void list_init(struct loop_timer *head)
{
    head->next = head->prev = head;
}

static void list_append(struct loop_timer *head, struct loop_timer *timer)
{
    timer->prev = head->prev;
    timer->next = head;
    head->prev->next = timer;
    head->prev = timer;
}

static void list_unlink(struct loop_timer *timer)
{
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
    timer->next = timer->prev = NULL;
}

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
    *wheel = (struct wheel){.now_ms = now_ms};
    list_init(&wheel->expired);
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    }
}

/* Files a timer under the coarsest level whose slots still tell it from now. */
static void file(struct wheel *wheel, struct loop_timer *timer)
{
    if (timer->due_ms <= wheel->now_ms) {
        list_append(&wheel->expired, timer);
        return;
    }
    uint64_t ahead = timer->due_ms - wheel->now_ms;
    if (ahead > span_max)
        ahead = span_max;
    int level = (63 - __builtin_clzll(ahead)) / LEVEL_BITS;
    uint64_t slot = ((wheel->now_ms + ahead) >> level * LEVEL_BITS) % WHEEL_SLOTS;
    list_append(&wheel->slots[level][slot], timer);
    wheel->busy[level] |= 1ull << slot;
}

void wheel_add(struct wheel *wheel, struct loop_timer *timer)
{
    if (timer->due_ms <= wheel->now_ms)
        timer->due_ms = wheel->now_ms + 1;
    file(wheel, timer);
}

void wheel_remove(struct wheel *wheel, struct loop_timer *timer)
{
    const struct loop_timer *other = timer->next;
    bool last = other == timer->prev;
    list_unlink(timer);
    const struct loop_timer *first = &wheel->slots[0][0];
    if (last && other != &wheel->expired) {
        /* The other end of a list of one is its head. */
        ptrdiff_t index = other - first;
        wheel->busy[index / WHEEL_SLOTS] &= ~(1ull << index % WHEEL_SLOTS);
    }
}

/* Files the timers of a slot anew: lower, or as expired. */
static void empty_slot(struct wheel *wheel, int level, uint64_t slot)
{
    struct loop_timer *head = &wheel->slots[level][slot];
    if (head->next == head)
        return;
    struct loop_timer held;
    list_init(&held);
    held.next = head->next;
    held.prev = head->prev;
    held.next->prev = held.prev->next = &held;
    list_init(head);
    wheel->busy[level] &= ~(1ull << slot);
    while (held.next != &held) {
        struct loop_timer *timer = held.next;
        list_unlink(timer);
        file(wheel, timer);
    }
}

void wheel_advance(struct wheel *wheel, uint64_t now_ms)
{
    for (;;) {
        uint64_t tick = wheel_next_ms(wheel);
        if (tick > now_ms)
            break;
        wheel->now_ms = tick;
        for (int level = WHEEL_LEVELS - 1; level >= 0; level--) {
            if ((tick & ((1ull << level * LEVEL_BITS) - 1)) == 0)
                empty_slot(wheel, level, (tick >> level * LEVEL_BITS) % WHEEL_SLOTS);
        }
    }
    if (now_ms > wheel->now_ms)
        wheel->now_ms = now_ms;
}

struct loop_timer *wheel_take(struct wheel *wheel)
{
    struct loop_timer *timer = wheel->expired.next;
    if (timer == &wheel->expired)
        return NULL;
    list_unlink(timer);
    return timer;
}

uint64_t wheel_next_ms(const struct wheel *wheel)
{
    uint64_t next = UINT64_MAX;
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        uint64_t busy = wheel->busy[level];
        if (busy == 0)
            continue;
        uint64_t now = wheel->now_ms >> level * LEVEL_BITS;
        unsigned turn = (unsigned)((now + 1) % WHEEL_SLOTS);
        uint64_t ahead = turn == 0 ? busy : busy >> turn | busy << (WHEEL_SLOTS - turn);
        uint64_t tick = (now + 1 + (unsigned)__builtin_ctzll(ahead)) << level * LEVEL_BITS;
        if (tick < next)
            next = tick;
    }
    return next;
}
