#include "media/rtp/twcc.h"

#include "core/bytes.h"
#include "media/rtp/rtcp_wire.h"

#include <string.h>

/*
 * Chunks (draft 3.1.2..3.1.4): a run of one symbol, 14 symbols of one bit, or 7 of two.
 * The recorder writes them greedily: an open chunk takes symbols as long as some form
 * can still hold all of them.
 */
enum twcc_symbol {
    TWCC_MISSING = 0,
    TWCC_SMALL = 1, /* delta of one byte, unsigned */
    TWCC_LARGE = 2, /* delta of two bytes, signed */
    TWCC_RESERVED = 3,
};

enum {
    TWCC_RUN_MAX = 0x1FFF,
    TWCC_ONE_BIT_SYMBOLS = 14,
    TWCC_TWO_BIT_SYMBOLS = 7,
    TWCC_VECTOR_BIT = 0x8000,
    TWCC_TWO_BIT_BIT = 0x4000,
    /* Chunks of a whole window, none shorter than seven symbols, and the open one. */
    TWCC_CHUNKS_MAX = TWCC_WINDOW_MAX / TWCC_TWO_BIT_SYMBOLS + 2,
    TWCC_DELTAS_MAX = TWCC_WINDOW_MAX * 2,
};

void twcc_recorder_init(struct twcc_recorder *recorder)
{
    memset(recorder, 0, sizeof *recorder);
}

static uint64_t *arrival_of(struct twcc_recorder *recorder, int64_t sequence)
{
    return &recorder->arrivals[(uint64_t)sequence % TWCC_WINDOW_MAX];
}

static void start_at(struct twcc_recorder *recorder, uint16_t sequence)
{
    memset(recorder->arrivals, 0, sizeof recorder->arrivals);
    recorder->started = true;
    recorder->begin = sequence;
    recorder->end = sequence;
}

/* Makes room up to and with `sequence`, all of it not received. */
static void window_move(struct twcc_recorder *recorder, int64_t sequence)
{
    uint64_t count = (uint64_t)(sequence + 1 - recorder->end);
    uint64_t first = (uint64_t)recorder->end % TWCC_WINDOW_MAX;
    if (count > TWCC_WINDOW_MAX)
        count = TWCC_WINDOW_MAX;
    uint64_t before_wrap = count < TWCC_WINDOW_MAX - first ? count : TWCC_WINDOW_MAX - first;
    memset(recorder->arrivals + first, 0, before_wrap * sizeof recorder->arrivals[0]);
    memset(recorder->arrivals, 0, (count - before_wrap) * sizeof recorder->arrivals[0]);
    recorder->end = sequence + 1;
    if (recorder->begin < recorder->end - TWCC_WINDOW_MAX)
        recorder->begin = recorder->end - TWCC_WINDOW_MAX;
}

/* True when a later number arrived so long ago that this one is of no use to an estimator. */
static bool is_stale(struct twcc_recorder *recorder, int64_t sequence, uint64_t now_us)
{
    for (int64_t i = sequence + 1; i < recorder->end; i++) {
        uint64_t arrival = *arrival_of(recorder, i);
        if (arrival != 0)
            return arrival - 1 + TWCC_WINDOW_US < now_us;
    }
    return false;
}

enum status twcc_record(struct twcc_recorder *recorder, uint16_t sequence16, uint64_t now_us)
{
    if (!recorder->started)
        start_at(recorder, sequence16);
    int64_t highest = recorder->end - 1;
    int64_t sequence = highest + seq_diff(sequence16, (uint16_t)highest);

    if (sequence < recorder->end - TWCC_WINDOW_MAX) {
        if (++recorder->late_run < TWCC_LATE_RUN_MAX)
            return STATUS_LATE;
        start_at(recorder, sequence16);
        sequence = sequence16;
    }
    recorder->late_run = 0;
    if (sequence >= recorder->end) {
        window_move(recorder, sequence);
    } else if (*arrival_of(recorder, sequence) != 0) {
        return STATUS_DUPLICATE;
    } else if (sequence < recorder->begin) {
        if (is_stale(recorder, sequence, now_us))
            return STATUS_LATE;
        recorder->begin = sequence;
    }
    *arrival_of(recorder, sequence) = now_us + 1;
    return STATUS_OK;
}

bool twcc_pending(const struct twcc_recorder *recorder)
{
    return recorder->started && recorder->begin < recorder->end;
}

/* ---- building ---- */

struct open_chunk {
    uint16_t count;
    bool same, large;                      /* all symbols are alike; one is TWCC_LARGE */
    uint8_t symbols[TWCC_ONE_BIT_SYMBOLS]; /* the first of them */
};

struct builder {
    struct open_chunk open;
    size_t chunk_count, delta_bytes;
    size_t status_count;
    uint16_t chunks[TWCC_CHUNKS_MAX];
    uint8_t deltas[TWCC_DELTAS_MAX];
};

static bool open_takes(const struct open_chunk *open, uint8_t symbol)
{
    if (open->count < TWCC_TWO_BIT_SYMBOLS)
        return true;
    if (open->count < TWCC_ONE_BIT_SYMBOLS && !open->large && symbol != TWCC_LARGE)
        return true;
    return open->count < TWCC_RUN_MAX && open->same && symbol == open->symbols[0];
}

static void open_put(struct open_chunk *open, uint8_t symbol)
{
    open->same = open->count == 0 || (open->same && symbol == open->symbols[0]);
    open->large = (open->count > 0 && open->large) || symbol == TWCC_LARGE;
    if (open->count < TWCC_ONE_BIT_SYMBOLS)
        open->symbols[open->count] = symbol;
    open->count++;
}

static uint16_t vector_of(const struct open_chunk *open, size_t symbols)
{
    unsigned width = symbols == TWCC_TWO_BIT_SYMBOLS ? 2 : 1;
    unsigned chunk = 0;
    for (size_t i = 0; i < symbols; i++)
        chunk = chunk << width | (i < open->count ? open->symbols[i] : 0U);
    return (uint16_t)(TWCC_VECTOR_BIT | (width == 2 ? TWCC_TWO_BIT_BIT : 0) | chunk);
}

/*
 * The open chunk in the form that holds most of it; what does not fit stays open. A
 * vector shorter than its form would tell of numbers that are not its own, so only the
 * last one of a packet (after which the status count ends) may be.
 */
static uint16_t open_close(struct open_chunk *open, bool last)
{
    struct open_chunk whole = *open;
    open->count = 0;
    if (whole.same)
        return (uint16_t)(whole.symbols[0] << 13 | whole.count);
    if (whole.count == TWCC_ONE_BIT_SYMBOLS || (last && whole.count > TWCC_TWO_BIT_SYMBOLS))
        return vector_of(&whole, TWCC_ONE_BIT_SYMBOLS);
    for (uint16_t i = TWCC_TWO_BIT_SYMBOLS; i < whole.count; i++)
        open_put(open, whole.symbols[i]);
    return vector_of(&whole, TWCC_TWO_BIT_SYMBOLS);
}

static void symbol_add(struct builder *builder, uint8_t symbol)
{
    while (!open_takes(&builder->open, symbol))
        builder->chunks[builder->chunk_count++] = open_close(&builder->open, false);
    open_put(&builder->open, symbol);
    builder->status_count++;
}

static void missing_add(struct builder *builder, size_t missing)
{
    struct open_chunk *open = &builder->open;
    while (missing > 0) {
        symbol_add(builder, TWCC_MISSING);
        missing--;
        if (!open->same || open->count < TWCC_ONE_BIT_SYMBOLS)
            continue;
        /* A run grows by its count alone: a gap may be the whole window. */
        size_t room = (size_t)(TWCC_RUN_MAX - open->count);
        size_t more = missing < room ? missing : room;
        open->count = (uint16_t)(open->count + more);
        builder->status_count += more;
        missing -= more;
    }
}

static size_t builder_size(const struct builder *builder)
{
    size_t chunks = builder->chunk_count + (builder->open.count > 0 ? 1 : 0);
    return (RTCP_TWCC_BYTES + chunks * 2 + builder->delta_bytes + 3) & ~(size_t)3;
}

/*
 * Adds `missing` numbers not received and one received. False, and nothing added, when
 * that would take more than `size` bytes.
 */
static bool builder_add(struct builder *builder, size_t missing, int16_t delta, size_t size)
{
    struct open_chunk open = builder->open;
    size_t chunk_count = builder->chunk_count, delta_bytes = builder->delta_bytes;
    size_t status_count = builder->status_count;
    bool small = delta >= 0 && delta <= UINT8_MAX;

    missing_add(builder, missing);
    symbol_add(builder, small ? TWCC_SMALL : TWCC_LARGE);
    if (small) {
        builder->deltas[builder->delta_bytes++] = (uint8_t)delta;
    } else {
        store_be16(builder->deltas + builder->delta_bytes, (uint16_t)delta);
        builder->delta_bytes += 2;
    }
    if (builder_size(builder) <= size)
        return true;
    builder->open = open;
    builder->chunk_count = chunk_count;
    builder->delta_bytes = delta_bytes;
    builder->status_count = status_count;
    return false;
}

/* Adds what was received from recorder->begin on; returns the first number not taken. */
static int64_t builder_fill(struct builder *builder, struct twcc_recorder *recorder, size_t size,
                            uint64_t *ret_base)
{
    int64_t next = recorder->begin;
    /* Where the ticks told so far have come to: rounding must not add up. */
    int64_t told = -1;
    for (int64_t i = recorder->begin; i < recorder->end; i++) {
        if (*arrival_of(recorder, i) == 0)
            continue;
        int64_t arrival = (int64_t)(*arrival_of(recorder, i) - 1);
        if (told < 0) {
            *ret_base = (uint64_t)arrival / TWCC_BASE_US;
            told = (int64_t)*ret_base * TWCC_BASE_US;
        }
        int64_t ahead = arrival - told;
        int64_t ticks = (ahead + (ahead < 0 ? -TWCC_TICK_US / 2 : TWCC_TICK_US / 2)) / TWCC_TICK_US;
        if (ticks < INT16_MIN || ticks > INT16_MAX ||
            !builder_add(builder, (size_t)(i - next), (int16_t)ticks, size))
            break;
        told += ticks * TWCC_TICK_US;
        next = i + 1;
    }
    return next;
}

enum status twcc_build(struct twcc_recorder *recorder, uint32_t sender_ssrc, uint32_t media_ssrc,
                       uint8_t *ret_packet, size_t size, size_t *ret_length)
{
    if (!twcc_pending(recorder))
        return STATUS_NOT_FOUND;
    if (size < TWCC_FEEDBACK_MIN)
        return STATUS_TRUNCATED;
    struct builder builder;
    builder.open.count = 0;
    builder.chunk_count = builder.delta_bytes = builder.status_count = 0;
    uint64_t base = 0;
    int64_t next = builder_fill(&builder, recorder, size, &base);

    size_t length = builder_size(&builder);
    ret_packet[0] = RTCP_VERSION << 6 | RTCP_FMT_TWCC;
    ret_packet[1] = RTCP_TYPE_RTPFB;
    store_be16(ret_packet + 2, (uint16_t)(length / 4 - 1));
    store_be32(ret_packet + 4, sender_ssrc);
    store_be32(ret_packet + 8, media_ssrc);
    store_be16(ret_packet + 12, (uint16_t)recorder->begin);
    store_be16(ret_packet + 14, (uint16_t)builder.status_count);
    store_be24(ret_packet + 16, (uint32_t)base & 0xFFFFFF);
    ret_packet[19] = recorder->feedback_count++;

    uint8_t *at = ret_packet + RTCP_TWCC_BYTES;
    if (builder.open.count > 0)
        builder.chunks[builder.chunk_count++] = open_close(&builder.open, true);
    for (size_t i = 0; i < builder.chunk_count; i++, at += 2)
        store_be16(at, builder.chunks[i]);
    memcpy(at, builder.deltas, builder.delta_bytes);
    at += builder.delta_bytes;
    /* Zeros without the P bit: a parser counts by the statuses, and the packet may stand
     * anywhere in a compound. */
    memset(at, 0, (size_t)(ret_packet + length - at));
    recorder->begin = next;
    *ret_length = length;
    return STATUS_OK;
}

/* ---- parsing ---- */

/* Symbols of a chunk, in order; `index` counts from its first. */
static uint8_t chunk_symbol(uint16_t chunk, size_t index)
{
    if (!(chunk & TWCC_VECTOR_BIT))
        return chunk >> 13 & 3;
    if (chunk & TWCC_TWO_BIT_BIT)
        return (uint8_t)(chunk >> (2 * (TWCC_TWO_BIT_SYMBOLS - 1 - index)) & 3);
    return chunk >> (TWCC_ONE_BIT_SYMBOLS - 1 - index) & 1;
}

static size_t chunk_symbols(uint16_t chunk)
{
    if (!(chunk & TWCC_VECTOR_BIT))
        return chunk & TWCC_RUN_MAX;
    return chunk & TWCC_TWO_BIT_BIT ? TWCC_TWO_BIT_SYMBOLS : TWCC_ONE_BIT_SYMBOLS;
}

/* First pass: the statuses. The symbol is kept in `delta` until the deltas are read. */
static enum status statuses_read(struct reader *reader, const struct twcc_feedback *feedback,
                                 struct twcc_report *ret_reports)
{
    size_t done = 0;
    while (done < feedback->status_count) {
        uint16_t chunk = reader_be16(reader);
        if (reader->failed)
            return STATUS_TRUNCATED;
        size_t symbols = chunk_symbols(chunk);
        for (size_t i = 0; i < symbols && done < feedback->status_count; i++, done++) {
            uint8_t symbol = chunk_symbol(chunk, i);
            if (symbol == TWCC_RESERVED)
                return STATUS_INVALID;
            ret_reports[done] = (struct twcc_report){
                .sequence = (uint16_t)(feedback->base_sequence + done),
                .received = symbol != TWCC_MISSING,
                .delta = symbol,
            };
        }
    }
    return STATUS_OK;
}

static enum status deltas_read(struct reader *reader, const struct twcc_feedback *feedback,
                               struct twcc_report *ret_reports)
{
    int64_t at_us = (int64_t)feedback->reference_time * TWCC_BASE_US;
    for (size_t i = 0; i < feedback->status_count; i++) {
        struct twcc_report *report = &ret_reports[i];
        if (!report->received)
            continue;
        report->delta =
            report->delta == TWCC_SMALL ? reader_u8(reader) : (int16_t)reader_be16(reader);
        if (reader->failed)
            return STATUS_TRUNCATED;
        at_us += (int64_t)report->delta * TWCC_TICK_US;
        report->arrival_us = at_us;
    }
    return STATUS_OK;
}

enum status twcc_parse(const uint8_t *packet, size_t length, struct twcc_feedback *ret_feedback,
                       struct twcc_report *ret_reports, size_t max, size_t *ret_count)
{
    if (length < RTCP_TWCC_BYTES)
        return STATUS_TRUNCATED;
    if (packet[1] != RTCP_TYPE_RTPFB || (packet[0] & 0x1F) != RTCP_FMT_TWCC)
        return STATUS_INVALID;
    uint32_t reference = load_be24(packet + 16);
    struct twcc_feedback feedback = {
        .sender_ssrc = load_be32(packet + 4),
        .media_ssrc = load_be32(packet + 8),
        .base_sequence = load_be16(packet + 12),
        .status_count = load_be16(packet + 14),
        .reference_time =
            reference & 0x800000 ? (int32_t)reference - (1 << 24) : (int32_t)reference,
        .feedback_count = packet[19],
    };
    if (feedback.status_count == 0)
        return STATUS_INVALID;
    if (feedback.status_count > max)
        return STATUS_LIMIT;

    struct reader reader = reader_of(packet + RTCP_TWCC_BYTES, length - RTCP_TWCC_BYTES);
    enum status status = statuses_read(&reader, &feedback, ret_reports);
    if (status == STATUS_OK)
        status = deltas_read(&reader, &feedback, ret_reports);
    if (status != STATUS_OK)
        return status;
    *ret_feedback = feedback;
    *ret_count = feedback.status_count;
    return STATUS_OK;
}
