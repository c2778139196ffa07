#include "media/phone/jitter.h"

#include <string.h>

enum { MS_PER_S = 1000 };

static int64_t ticks_of(const struct jitter *jitter, uint64_t ms)
{
    return (int64_t)(ms * jitter->clock / MS_PER_S);
}

static int64_t ms_of(const struct jitter *jitter, int64_t ticks)
{
    return ticks * MS_PER_S / (int64_t)jitter->clock;
}

void jitter_init(struct jitter *jitter, uint32_t clock)
{
    memset(jitter, 0, sizeof *jitter);
    jitter->clock = clock;
    jitter->packet_ticks = clock / 50;
}

static struct jitter_entry *entry_of(struct jitter *jitter, int64_t sequence)
{
    struct jitter_entry *entry = &jitter->entries[sequence & (JITTER_SLOTS - 1)];
    return entry->present && entry->sequence == sequence ? entry : NULL;
}

static void entry_drop(struct jitter *jitter, struct jitter_entry *entry,
                       const struct packets *home)
{
    if (!entry->present)
        return;
    packet_unref(entry->packet, home);
    *entry = (struct jitter_entry){0};
    jitter->held--;
}

/* The stream begins anew; what is known of the arrivals stays. */
static void stream_drop(struct jitter *jitter, const struct packets *home)
{
    for (size_t i = 0; i < JITTER_SLOTS; i++)
        entry_drop(jitter, &jitter->entries[i], home);
    jitter->started = jitter->playing = jitter->voiceless = false;
    jitter->misses = jitter->owed = 0;
}

void jitter_clear(struct jitter *jitter, const struct packets *home)
{
    uint64_t lost = jitter->lost, late = jitter->late;
    stream_drop(jitter, home);
    jitter_init(jitter, jitter->clock);
    jitter->lost = lost;
    jitter->late = late;
}

/* ---- how arrivals spread ---- */

static bool bucket_counts(const struct jitter_bucket *bucket, uint64_t number)
{
    return bucket->number != 0 && bucket->number + JITTER_BUCKETS > number;
}

static void arrival_note(struct jitter *jitter, int64_t timestamp, uint64_t now_ms)
{
    uint64_t number = now_ms / JITTER_BUCKET_MS + 1;
    struct jitter_bucket *bucket = &jitter->buckets[number % JITTER_BUCKETS];
    int64_t transit = ticks_of(jitter, now_ms) - timestamp;
    if (bucket->number != number) {
        *bucket = (struct jitter_bucket){.number = number, .fastest = transit, .slowest = transit};
        return;
    }
    if (transit < bucket->fastest)
        bucket->fastest = transit;
    if (transit > bucket->slowest)
        bucket->slowest = transit;
}

struct spread {
    bool known;
    size_t buckets;
    int64_t fastest, slowest;
};

static struct spread spread_of(const struct jitter *jitter, uint64_t now_ms)
{
    struct spread spread = {0};
    uint64_t number = now_ms / JITTER_BUCKET_MS + 1;
    for (size_t i = 0; i < JITTER_BUCKETS; i++) {
        const struct jitter_bucket *bucket = &jitter->buckets[i];
        if (!bucket_counts(bucket, number))
            continue;
        if (!spread.known || bucket->fastest < spread.fastest)
            spread.fastest = bucket->fastest;
        if (!spread.known || bucket->slowest > spread.slowest)
            spread.slowest = bucket->slowest;
        spread.known = true;
        spread.buckets++;
    }
    return spread;
}

static int64_t target_of(const struct jitter *jitter, const struct spread *spread)
{
    if (!spread->known)
        return JITTER_FIRST_MS;
    int64_t target = ms_of(jitter, spread->slowest - spread->fastest) + JITTER_MARGIN_MS;
    int64_t least = spread->buckets > 1 ? JITTER_MIN_MS : JITTER_FIRST_MS;
    if (target < least)
        return least;
    return target > JITTER_MAX_MS ? JITTER_MAX_MS : target;
}

uint32_t jitter_target_ms(const struct jitter *jitter, uint64_t now_ms)
{
    const struct spread spread = spread_of(jitter, now_ms);
    return (uint32_t)target_of(jitter, &spread);
}

/* By how much playing this timestamp now lags behind the earliest it could have been here. */
static int64_t delay_of(const struct jitter *jitter, const struct spread *spread, int64_t timestamp,
                        uint64_t now_ms)
{
    return spread->known ? ms_of(jitter, ticks_of(jitter, now_ms) - timestamp - spread->fastest)
                         : JITTER_MAX_MS;
}

uint32_t jitter_delay_ms(const struct jitter *jitter, uint64_t now_ms)
{
    const struct spread spread = spread_of(jitter, now_ms);
    if (!jitter->playing || !spread.known)
        return 0;
    int64_t delay = delay_of(jitter, &spread, jitter->position, now_ms);
    return delay < 0 ? 0 : (uint32_t)delay;
}

/* ---- in ---- */

static void stream_begin(struct jitter *jitter, uint16_t sequence, uint32_t timestamp)
{
    jitter->sequences = (struct seq_unwrapper){0};
    jitter->next = jitter->highest = seq_unwrap(&jitter->sequences, sequence);
    jitter->played = jitter->next - JITTER_SLOTS / 2;
    jitter->started = true;
    jitter->last_timestamp = timestamp;
    jitter->timestamp = timestamp;
    /* The sender's clock may be another one. */
    memset(jitter->buckets, 0, sizeof jitter->buckets);
}

static bool began_anew(const struct jitter *jitter, uint16_t sequence, uint32_t timestamp)
{
    int16_t ahead = (int16_t)(uint16_t)(sequence - (uint16_t)jitter->highest);
    int32_t later = (int32_t)(timestamp - jitter->last_timestamp);
    return ahead > JITTER_DROPOUT || ahead < -JITTER_DROPOUT ||
           (ahead > 0 && later < -(int32_t)jitter->clock);
}

enum status jitter_put(struct jitter *jitter, struct packet *packet, uint16_t sequence,
                       uint32_t timestamp, uint64_t now_ms, const struct packets *home)
{
    if (jitter->started && began_anew(jitter, sequence, timestamp))
        stream_drop(jitter, home);
    if (!jitter->started)
        stream_begin(jitter, sequence, timestamp);
    int64_t number = seq_unwrap(&jitter->sequences, sequence);
    jitter->timestamp += (int32_t)(timestamp - jitter->last_timestamp);
    jitter->last_timestamp = timestamp;
    if (packet != NULL)
        arrival_note(jitter, jitter->timestamp, now_ms);
    if (number < jitter->next) {
        /* Before it plays the first to come need not be the first that was sent. */
        if (jitter->playing || number < jitter->played) {
            jitter->late++;
            return STATUS_LATE;
        }
        jitter->next = number;
    }
    if (entry_of(jitter, number) != NULL)
        return STATUS_DUPLICATE;
    if (number > jitter->highest)
        jitter->highest = number;
    /* Too far behind to be waited for. */
    while (jitter->highest - jitter->next >= JITTER_SLOTS) {
        struct jitter_entry *entry = entry_of(jitter, jitter->next++);
        if (entry != NULL)
            entry_drop(jitter, entry, home);
    }
    if (number < jitter->next) { /* itself: nothing is held behind what comes next */
        jitter->late++;
        return STATUS_LATE;
    }
    struct jitter_entry *entry = &jitter->entries[number & (JITTER_SLOTS - 1)];
    entry_drop(jitter, entry, home);
    *entry = (struct jitter_entry){.present = true,
                                   .packet = packet == NULL ? NULL : packet_ref(packet),
                                   .sequence = number,
                                   .timestamp = jitter->timestamp};
    jitter->held++;
    return STATUS_OK;
}

/* ---- out ---- */

static enum jitter_verdict entry_play(struct jitter *jitter, struct jitter_entry *entry,
                                      enum jitter_verdict verdict, struct packet **ret_packet)
{
    *ret_packet = entry->packet;
    jitter->resumed =
        jitter->voiceless || (entry->sequence == jitter->played &&
                              entry->timestamp > jitter->end + jitter->packet_ticks / 2);
    jitter->position = jitter->end = entry->timestamp;
    jitter->next = jitter->played = entry->sequence + 1;
    jitter->playing = true;
    jitter->voiceless = false;
    jitter->misses = 0;
    *entry = (struct jitter_entry){0};
    jitter->held--;
    return verdict;
}

/* Numbers without voice in front. */
static void others_pass(struct jitter *jitter)
{
    struct jitter_entry *entry;
    while ((entry = entry_of(jitter, jitter->next)) != NULL && entry->packet == NULL) {
        *entry = (struct jitter_entry){0};
        jitter->held--;
        jitter->next++;
        jitter->voiceless = true;
    }
}

static struct jitter_entry *first_voice(struct jitter *jitter)
{
    if (jitter->held == 0)
        return NULL;
    for (int64_t number = jitter->next; number <= jitter->highest; number++) {
        struct jitter_entry *entry = entry_of(jitter, number);
        if (entry != NULL && entry->packet != NULL)
            return entry;
    }
    return NULL;
}

/* Two packets shall become one. */
static bool wants_shrinking(struct jitter *jitter, int64_t delay, int64_t target, bool quiet,
                            uint64_t now_ms)
{
    const struct jitter_entry *after = entry_of(jitter, jitter->next + 1);
    if (after == NULL || after->packet == NULL || delay <= target + JITTER_SLACK_MS)
        return false;
    if (!quiet && now_ms - jitter->shrunk_ms < JITTER_SHRINK_MS)
        return false;
    jitter->shrunk_ms = now_ms;
    return true;
}

/* Nothing is here that could be played. */
static enum jitter_verdict take_nothing(struct jitter *jitter, int64_t delay, int64_t target)
{
    if (++jitter->misses > JITTER_MISSES_MAX) {
        jitter->playing = false;
        jitter->owed = 0;
        return JITTER_EMPTY;
    }
    if (jitter->voiceless)
        return JITTER_PAUSE;
    /* Sooner than planned: it may only be late. */
    if (delay < target)
        return JITTER_HOLD;
    /* Lost, late or a pause: the next packet will tell. */
    jitter->position += jitter->packet_ticks;
    jitter->owed++;
    return JITTER_LOST;
}

/* The packet in front is missing, a later one is here. False: look again. */
static bool take_gap(struct jitter *jitter, int64_t delay, int64_t target,
                     enum jitter_verdict *ret_verdict)
{
    if (jitter->owed == 0 && delay < target) {
        *ret_verdict = jitter->voiceless ? JITTER_PAUSE : JITTER_HOLD;
        return true;
    }
    jitter->next++;
    jitter->lost++;
    if (jitter->voiceless) /* one of those beside it, most likely */
        return false;
    if (jitter->owed > 0) { /* was concealed before it was known to be lost */
        jitter->owed--;
        return false;
    }
    jitter->position += jitter->packet_ticks;
    *ret_verdict = JITTER_LOST;
    return true;
}

static bool entry_late(struct jitter *jitter, struct jitter_entry *entry, int64_t delay,
                       int64_t target, const struct packets *home)
{
    bool owed = jitter->owed > 0 && entry->timestamp < jitter->position;
    jitter->owed = 0;
    if (!owed || delay <= target + JITTER_SLACK_MS)
        return false;
    jitter->next = entry->sequence + 1;
    jitter->late++;
    entry_drop(jitter, entry, home);
    return true;
}

static enum jitter_verdict take_first(struct jitter *jitter, const struct spread *spread,
                                      int64_t target, uint64_t now_ms, const struct packets *home,
                                      struct packet **ret_packet)
{
    struct jitter_entry *first = first_voice(jitter);
    if (first == NULL)
        return JITTER_EMPTY;
    if (delay_of(jitter, spread, first->timestamp, now_ms) < target)
        return JITTER_PAUSE;
    /* Keys pressed before the voice: nothing is held in front of what plays. */
    for (; jitter->next < first->sequence; jitter->next++) {
        struct jitter_entry *before = entry_of(jitter, jitter->next);
        if (before != NULL)
            entry_drop(jitter, before, home);
    }
    return entry_play(jitter, first, JITTER_PLAY, ret_packet);
}

enum jitter_verdict jitter_take(struct jitter *jitter, bool quiet, uint64_t now_ms,
                                const struct packets *home, struct packet **ret_packet)
{
    const struct spread spread = spread_of(jitter, now_ms);
    int64_t target = target_of(jitter, &spread);
    enum jitter_verdict verdict;
    if (!jitter->playing)
        return take_first(jitter, &spread, target, now_ms, home, ret_packet);
    for (;;) {
        others_pass(jitter);
        int64_t delay = delay_of(jitter, &spread, jitter->position, now_ms);
        if (jitter->held == 0)
            return take_nothing(jitter, delay, target);
        struct jitter_entry *entry = entry_of(jitter, jitter->next);
        if (entry == NULL) {
            if (take_gap(jitter, delay, target, &verdict))
                return verdict;
            continue;
        }
        delay = delay_of(jitter, &spread, entry->timestamp, now_ms);
        if (entry_late(jitter, entry, delay, target, home))
            continue;
        if (entry->timestamp > jitter->position + jitter->packet_ticks / 2 && delay < target) {
            jitter->misses = 0;
            return JITTER_PAUSE;
        }
        bool shrink = wants_shrinking(jitter, delay, target, quiet, now_ms);
        return entry_play(jitter, entry, shrink ? JITTER_MERGE : JITTER_PLAY, ret_packet);
    }
}

const struct packet *jitter_after(struct jitter *jitter)
{
    const struct jitter_entry *after = entry_of(jitter, jitter->next);
    return jitter->owed == 0 && after != NULL ? after->packet : NULL;
}

void jitter_played(struct jitter *jitter, uint32_t ticks)
{
    jitter->packet_ticks = ticks;
    jitter->position += ticks;
    jitter->end += ticks;
}
