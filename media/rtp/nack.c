#include "media/rtp/nack.h"

#include "core/bytes.h"

#include <string.h>

void nack_init(struct nack_list *list, uint16_t reorder_ms)
{
    list->started = list->key_frame_wanted = false;
    list->newest = 0;
    list->reorder_ms = reorder_ms;
    list->reorder16_ms = 0;
    list->rtt_ms = list->repair8_ms = 0;
    list->again_row = 0;
    list->recovered = list->given_up = 0;
    list->count = 0;
}

void nack_rtt_set(struct nack_list *list, uint32_t rtt_ms)
{
    list->rtt_ms = rtt_ms;
}

/* Drops all entries from `first` to before `end`. */
static void entries_remove(struct nack_list *list, size_t first, size_t end)
{
    memmove(&list->entries[first], &list->entries[end],
            (list->count - end) * sizeof list->entries[0]);
    list->count -= end - first;
}

static void give_all_up(struct nack_list *list)
{
    list->given_up += list->count;
    list->count = 0;
    list->key_frame_wanted = true;
}

/* Everything between the newest and `sequence` is missing. */
static void gap_add(struct nack_list *list, uint16_t sequence, uint64_t now_ms)
{
    size_t gap = (uint16_t)(sequence - list->newest - 1);
    if (gap > NACK_JUMP_MAX || list->count + gap > NACK_ENTRIES_MAX) {
        list->given_up += gap;
        give_all_up(list);
        return;
    }
    for (size_t i = 1; i <= gap; i++)
        list->entries[list->count++] =
            (struct nack_entry){.sequence = (uint16_t)(list->newest + i), .found_ms = now_ms};
}

uint32_t nack_reorder_ms(const struct nack_list *list)
{
    uint32_t wait_ms = list->reorder_ms + (list->reorder16_ms + 15U) / 16;
    return wait_ms < NACK_REORDER_MS_MAX ? wait_ms : NACK_REORDER_MS_MAX;
}

/* From a request to its repair, with a quarter for its variation. */
static uint32_t spacing_ms(const struct nack_list *list)
{
    uint32_t spacing = list->rtt_ms > 0 ? list->rtt_ms : NACK_RTT_MS_DEFAULT;
    if (list->repair8_ms > 0)
        spacing = list->repair8_ms / 8 + list->repair8_ms / 32;
    return spacing < NACK_SPACING_MS_MIN ? NACK_SPACING_MS_MIN : spacing;
}

/* What the arrival of one that was missing says about the network. */
static void learn(struct nack_list *list, const struct nack_entry *entry, bool repaired,
                  uint64_t now_ms)
{
    uint32_t asked_ago_ms = (uint32_t)(now_ms - entry->asked_ms);
    /* Without RTX a repair looks like the packet itself; it cannot come sooner than this. */
    if (!repaired && (entry->retries == 0 || asked_ago_ms < spacing_ms(list) / 2)) {
        uint64_t late_ms = now_ms - entry->found_ms + 2;
        if (late_ms > NACK_REORDER_MS_MAX)
            late_ms = NACK_REORDER_MS_MAX;
        uint64_t above_ms = late_ms > list->reorder_ms ? late_ms - list->reorder_ms : 0;
        if (above_ms * 16 > list->reorder16_ms)
            list->reorder16_ms = (uint16_t)(above_ms * 16);
        return;
    }
    /* It was really lost: waiting for it was in vain. */
    list->reorder16_ms -= (uint16_t)((list->reorder16_ms + 15U) / 16);
    if (entry->retries != 1) {
        /* Which request it answers cannot be told (Karn); but when no first request is ever
         * enough, then the second always goes out before the answer to the first. */
        if (++list->again_row == NACK_AGAIN_ROW_MAX) {
            list->repair8_ms = spacing_ms(list) * 12;
            list->again_row = 0;
        }
        return;
    }
    list->again_row = 0;
    if (list->repair8_ms == 0)
        list->repair8_ms = asked_ago_ms * 8 + 1;
    else
        list->repair8_ms = list->repair8_ms - list->repair8_ms / 8 + asked_ago_ms;
}

uint8_t nack_received(struct nack_list *list, uint16_t sequence, bool repaired, uint64_t now_ms)
{
    if (!list->started) {
        list->started = true;
        list->newest = sequence;
        return 0;
    }
    if (seq_diff(sequence, list->newest) > 0) {
        gap_add(list, sequence, now_ms);
        list->newest = sequence;
        return 0;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].sequence != sequence)
            continue;
        uint8_t retries = list->entries[i].retries;
        learn(list, &list->entries[i], repaired, now_ms);
        entries_remove(list, i, i + 1);
        list->recovered += retries > 0 ? 1 : 0;
        return retries;
    }
    return 0;
}

void nack_key_frame(struct nack_list *list, uint16_t sequence)
{
    size_t older = 0;
    while (older < list->count && seq_diff(list->entries[older].sequence, sequence) < 0)
        older++;
    entries_remove(list, 0, older);
    list->key_frame_wanted = false;
}

static uint64_t due_ms(const struct nack_list *list, const struct nack_entry *entry)
{
    if (entry->retries == 0)
        return entry->found_ms + nack_reorder_ms(list);
    return entry->asked_ms + spacing_ms(list);
}

/* The last request had its round trip and did not help, or it would come too late. */
static bool is_hopeless(const struct nack_list *list, const struct nack_entry *entry,
                        uint64_t now_ms)
{
    return now_ms >= entry->found_ms + NACK_AGE_MS ||
           (entry->retries >= NACK_RETRIES_MAX && now_ms >= due_ms(list, entry));
}

size_t nack_due(struct nack_list *list, uint64_t now_ms, uint16_t *ret_sequences, size_t max)
{
    size_t kept = 0, asked = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct nack_entry entry = list->entries[i];
        if (is_hopeless(list, &entry, now_ms)) {
            list->given_up++;
            list->key_frame_wanted = true;
            continue;
        }
        if (asked < max && now_ms >= due_ms(list, &entry)) {
            entry.retries++;
            entry.asked_ms = now_ms;
            ret_sequences[asked++] = entry.sequence;
        }
        list->entries[kept++] = entry;
    }
    list->count = kept;
    return asked;
}

uint64_t nack_next_ms(const struct nack_list *list)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < list->count; i++) {
        uint64_t due = due_ms(list, &list->entries[i]);
        uint64_t end = list->entries[i].found_ms + NACK_AGE_MS;
        if (due < next)
            next = due;
        if (end < next)
            next = end;
    }
    return next;
}

bool nack_key_frame_wanted(struct nack_list *list)
{
    bool wanted = list->key_frame_wanted;
    list->key_frame_wanted = false;
    return wanted;
}
