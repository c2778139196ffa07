#include "media/sfu/rewriter.h"

#include "core/clock.h"

#include <string.h>

enum {
    NS_PER_S = 1000000000,
    PICTURE_MASK = 0x7fff,
    PICTURE_SHORT_MASK = 0x7f,
    MAP_FILLED = 0xffff, /* no picture shift: the number went to none of the source's payloads */
};

void rewriter_init(struct rewriter *rewriter, uint64_t random, struct rewriter_map *map)
{
    *rewriter = (struct rewriter){.map = map, .picture_last_omitted = PACKET_NUMBER_NONE};
    /* Below 2^15, so that a receiver that misses the first packets cannot guess the wrong
     * rollover counter (RFC 3711 3.3.1). */
    rewriter->next = (int64_t)(random & 0x7fff);
    rewriter->timestamp = (uint32_t)(random >> 16);
    rewriter->picture_id = (uint16_t)(random >> 48) & PICTURE_MASK;
    rewriter->tl0picidx = (uint8_t)(random >> 8);
    rewriter->frame_number = (uint16_t)(random >> 24);
}

static struct rewriter_segment *segment_now(struct rewriter *rewriter)
{
    return &rewriter->segments[rewriter->segment];
}

const struct rewriter_segment *rewriter_segment_now(const struct rewriter *rewriter)
{
    return rewriter->segment_count == 0 ? NULL : &rewriter->segments[rewriter->segment];
}

static uint16_t picture_next(const struct rewriter *rewriter, const struct packet *packet)
{
    uint16_t mask = packet->long_picture_id ? PICTURE_MASK : PICTURE_SHORT_MASK;
    return (uint16_t)(rewriter->picture_id + 1) & mask;
}

/* Numbers go on without a gap; places before this packet are of another segment. */
static void segment_open(struct rewriter *rewriter, const struct rewriter_segment *segment,
                         uint16_t pictures_omitted)
{
    rewriter->segment = (uint8_t)((rewriter->segment + 1) % REWRITER_SEGMENTS);
    if (rewriter->segment_count < REWRITER_SEGMENTS)
        rewriter->segment_count++;
    *segment_now(rewriter) = *segment;
    rewriter->omitted = 0;
    rewriter->pictures_omitted = pictures_omitted;
    rewriter->picture_last_omitted = PACKET_NUMBER_NONE;
    rewriter->omission_count = 1;
    rewriter->omissions[rewriter->omission].from = segment->source_begin;
    rewriter->omissions[rewriter->omission].omitted = 0;
    rewriter->omissions[rewriter->omission].pictures_omitted = pictures_omitted;
}

void rewriter_split(struct rewriter *rewriter, const struct packet *first, uint8_t spatial)
{
    struct rewriter_segment segment = *segment_now(rewriter);
    segment.slot_begin = rewriter->next;
    segment.source_begin = first->index;
    segment.source_newest = first->index - 1;
    segment.spatial = spatial;
    segment_open(rewriter, &segment, rewriter->pictures_omitted);
}

void rewriter_switch(struct rewriter *rewriter, const struct packet *first, uint8_t spatial,
                     uint32_t clock_rate, uint32_t frame_ticks)
{
    uint32_t ticks = frame_ticks;
    if (rewriter->started && first->arrived_ns > rewriter->arrived_ns) {
        uint64_t elapsed_ns = first->arrived_ns - rewriter->arrived_ns;
        /* Whole seconds apart, or the product would overflow after a day of silence. */
        uint64_t passed =
            elapsed_ns / NS_PER_S * clock_rate + elapsed_ns % NS_PER_S * clock_rate / NS_PER_S;
        if (passed > ticks)
            ticks = (uint32_t)passed;
    }
    uint16_t picture = first->picture_id == PACKET_NUMBER_NONE
                           ? 0
                           : (uint16_t)(picture_next(rewriter, first) - first->picture_id);
    const struct rewriter_segment segment = {
        .slot_begin = rewriter->next,
        .source_begin = first->index,
        .source_newest = first->index - 1,
        .source = first->source,
        .track = first->track,
        .layer = first->layer,
        .spatial = spatial,
        .tl0_shift = (uint8_t)(rewriter->tl0picidx + 1 - first->tl0picidx),
        .frame_shift = (uint16_t)(rewriter->frame_number + 1 - first->frame_number),
        .timestamp_shift = rewriter->timestamp + ticks - first->timestamp,
    };
    segment_open(rewriter, &segment, (uint16_t)-picture & PICTURE_MASK);
}

static bool written_test(const struct rewriter *rewriter, int64_t index)
{
    uint64_t bit = (uint64_t)index % REWRITER_WINDOW;
    return (rewriter->written[bit / 64] >> (bit % 64) & 1) != 0;
}

static void written_set(struct rewriter *rewriter, int64_t index, bool on)
{
    uint64_t bit = (uint64_t)index % REWRITER_WINDOW;
    uint64_t mask = UINT64_C(1) << (bit % 64);
    if (on)
        rewriter->written[bit / 64] |= mask;
    else
        rewriter->written[bit / 64] &= ~mask;
}

/* The counts of omission that hold at a source number; false: longer ago than remembered. */
static bool omission_at(const struct rewriter *rewriter, int64_t index, int32_t *ret_omitted,
                        uint16_t *ret_pictures)
{
    for (uint8_t back = 0; back < rewriter->omission_count; back++) {
        uint8_t at =
            (uint8_t)((rewriter->omission + REWRITER_OMISSIONS - back) % REWRITER_OMISSIONS);
        if (rewriter->omissions[at].from <= index) {
            *ret_omitted = rewriter->omissions[at].omitted;
            *ret_pictures = rewriter->omissions[at].pictures_omitted;
            return true;
        }
    }
    return false;
}

static uint16_t picture_of(const struct packet *packet, uint16_t pictures_omitted)
{
    if (packet->picture_id == PACKET_NUMBER_NONE)
        return 0;
    uint16_t mask = packet->long_picture_id ? PICTURE_MASK : PICTURE_SHORT_MASK;
    return (uint16_t)(packet->picture_id - pictures_omitted) & mask;
}

/* Numbers below `next` are either written or kept for what is missing. */
static void numbers_reserve(struct rewriter *rewriter, int64_t next)
{
    if (next - rewriter->next >= REWRITER_WINDOW)
        memset(rewriter->written, 0, sizeof rewriter->written);
    else
        for (int64_t at = rewriter->next; at < next; at++)
            written_set(rewriter, at, false);
    if (next > rewriter->next)
        rewriter->next = next;
}

static void number_take(struct rewriter *rewriter, int64_t index, int64_t source_index,
                        uint16_t picture_shift)
{
    numbers_reserve(rewriter, index + 1);
    written_set(rewriter, index, true);
    if (rewriter->map != NULL) {
        uint64_t place = (uint64_t)index % REWRITER_WINDOW;
        rewriter->map->entries[place].index = (uint16_t)source_index;
        rewriter->map->entries[place].picture_shift = picture_shift;
    }
}

static struct rewritten numbers_of(const struct rewriter_segment *segment,
                                   const struct packet *packet, int64_t index,
                                   uint16_t pictures_omitted)
{
    return (struct rewritten){
        .index = index,
        .timestamp = packet->timestamp + segment->timestamp_shift,
        .picture_id = picture_of(packet, pictures_omitted),
        .tl0picidx = (uint8_t)(packet->tl0picidx + segment->tl0_shift),
        .frame_number = (uint16_t)(packet->frame_number + segment->frame_shift),
    };
}

/* Where a late packet belongs. */
static enum status late_place(const struct rewriter *rewriter, const struct packet *packet,
                              int64_t *ret_index, uint16_t *ret_pictures)
{
    const struct rewriter_segment *segment = &rewriter->segments[rewriter->segment];
    int32_t omitted;
    if (packet->index < segment->source_begin ||
        !omission_at(rewriter, packet->index, &omitted, ret_pictures))
        return STATUS_LATE;
    int64_t index = segment->slot_begin + (packet->index - segment->source_begin) - omitted;
    if (index <= rewriter->next - REWRITER_WINDOW || index < segment->slot_begin)
        return STATUS_LATE;
    if (index >= rewriter->next || written_test(rewriter, index))
        return STATUS_DUPLICATE;
    *ret_index = index;
    return STATUS_OK;
}

enum status rewriter_forward(struct rewriter *rewriter, const struct packet *packet,
                             struct rewritten *ret_rewritten)
{
    struct rewriter_segment *segment = segment_now(rewriter);
    int64_t index;
    uint16_t pictures = rewriter->pictures_omitted;
    if (packet->index > segment->source_newest) {
        index = segment->slot_begin + (packet->index - segment->source_begin) - rewriter->omitted;
        segment->source_newest = packet->index;
    } else {
        enum status status = late_place(rewriter, packet, &index, &pictures);
        if (status != STATUS_OK)
            return status;
    }
    bool newest = index >= rewriter->next;
    number_take(rewriter, index, packet->index, pictures);
    struct rewritten rewritten = numbers_of(segment, packet, index, pictures);
    if (newest) {
        rewriter->started = true;
        rewriter->timestamp = rewritten.timestamp;
        rewriter->arrived_ns = packet->arrived_ns;
        if (packet->picture_id != PACKET_NUMBER_NONE)
            rewriter->picture_id = rewritten.picture_id;
        if (packet->tl0picidx != PACKET_NUMBER_NONE)
            rewriter->tl0picidx = rewritten.tl0picidx;
        if (packet->frame_number != PACKET_NUMBER_NONE)
            rewriter->frame_number = rewritten.frame_number;
    }
    *ret_rewritten = rewritten;
    return STATUS_OK;
}

static void omission_record(struct rewriter *rewriter, int64_t from, bool left)
{
    int64_t last = rewriter->omissions[rewriter->omission].from;
    /* Packets left out one after another are one place, and so are those put in at one place. */
    bool left_out = left && last == from - 1 && rewriter->omission_count > 1;
    if (!left_out && last != from) {
        rewriter->omission = (uint8_t)((rewriter->omission + 1) % REWRITER_OMISSIONS);
        if (rewriter->omission_count < REWRITER_OMISSIONS)
            rewriter->omission_count++;
    }
    rewriter->omissions[rewriter->omission].from = from;
    rewriter->omissions[rewriter->omission].omitted = rewriter->omitted;
    rewriter->omissions[rewriter->omission].pictures_omitted = rewriter->pictures_omitted;
}

enum status rewriter_omit(struct rewriter *rewriter, const struct packet *packet,
                          struct rewritten *ret_rewritten)
{
    struct rewriter_segment *segment = segment_now(rewriter);
    if (packet->index > segment->source_newest) {
        if (packet->format.codec == MEDIA_CODEC_VP8 && packet->picture_id != PACKET_NUMBER_NONE &&
            packet->picture_id != rewriter->picture_last_omitted) {
            rewriter->picture_last_omitted = packet->picture_id;
            rewriter->pictures_omitted = (rewriter->pictures_omitted + 1) & PICTURE_MASK;
        }
        rewriter->omitted++;
        /* Numbers of what is missing before it stay reserved. */
        int64_t next =
            segment->slot_begin + (packet->index + 1 - segment->source_begin) - rewriter->omitted;
        segment->source_newest = packet->index;
        numbers_reserve(rewriter, next);
        omission_record(rewriter, packet->index + 1, true);
        return STATUS_OK;
    }
    int64_t index;
    uint16_t pictures;
    enum status status = late_place(rewriter, packet, &index, &pictures);
    if (status != STATUS_OK)
        return status;
    number_take(rewriter, index, packet->index, MAP_FILLED);
    *ret_rewritten = numbers_of(segment, packet, index, pictures);
    return STATUS_EXISTS;
}

int64_t rewriter_insert(struct rewriter *rewriter)
{
    int64_t index = rewriter->next;
    number_take(rewriter, index, 0, MAP_FILLED);
    rewriter->omitted--;
    omission_record(rewriter, segment_now(rewriter)->source_newest + 1, false);
    return index;
}

enum status rewriter_find(const struct rewriter *rewriter, uint16_t sequence,
                          struct rewriter_found *ret_found)
{
    if (rewriter->map == NULL || !rewriter->started)
        return STATUS_NOT_FOUND;
    int64_t newest = rewriter->next - 1;
    uint16_t back = (uint16_t)((uint16_t)newest - sequence);
    int64_t index = newest - back;
    if (back >= REWRITER_WINDOW || index < 0 || !written_test(rewriter, index))
        return STATUS_NOT_FOUND;
    for (uint8_t step = 0; step < rewriter->segment_count; step++) {
        uint8_t at = (uint8_t)((rewriter->segment + REWRITER_SEGMENTS - step) % REWRITER_SEGMENTS);
        const struct rewriter_segment *segment = &rewriter->segments[at];
        if (segment->slot_begin > index)
            continue;
        uint64_t place = (uint64_t)index % REWRITER_WINDOW;
        if (rewriter->map->entries[place].picture_shift == MAP_FILLED) {
            ret_found->index = index;
            return STATUS_EXISTS;
        }
        uint16_t low = rewriter->map->entries[place].index;
        uint16_t source_back = (uint16_t)((uint16_t)segment->source_newest - low);
        *ret_found = (struct rewriter_found){
            .segment = segment,
            .source_index = segment->source_newest - source_back,
            .index = index,
            .picture_shift = rewriter->map->entries[place].picture_shift,
        };
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}

struct rewritten rewriter_again(const struct rewriter_found *found, const struct packet *packet)
{
    return numbers_of(found->segment, packet, found->index, found->picture_shift);
}

uint32_t rewriter_timestamp(const struct rewriter *rewriter, uint32_t source_timestamp)
{
    return source_timestamp + rewriter->segments[rewriter->segment].timestamp_shift;
}
