/*
 * media/srtp/unprotector.c - the receiving direction of SRTP; see srtp.h.
 *
 * Per SSRC it keeps the highest index seen and a ring of bits for the
 * UNPROTECTOR_WINDOW indices up to it: bit (index mod window) says "seen". An SSRC
 * enters the table only after its first packet proved authentic, so a stranger can
 * push nobody out.
 */
#include "core/bytes.h"
#include "media/srtp/layout.h"
#include "media/srtp/srtp.h"

#include <stdlib.h>

enum { WINDOW_WORDS = UNPROTECTOR_WINDOW / 64 };

_Static_assert(UNPROTECTOR_WINDOW % 64 == 0 && UNPROTECTOR_WINDOW <= 32768,
               "whole words, and no more than half the sequence numbers");

struct stream {
    uint64_t highest; /* ROC << 16 | SEQ */
    uint64_t used;    /* the unprotector's packet count when last taken */
    uint64_t seen[WINDOW_WORDS];
};

struct streams {
    uint32_t count;
    uint32_t ssrcs[UNPROTECTOR_SSRCS_MAX]; /* apart, so that a search touches two cache lines */
    struct stream items[UNPROTECTOR_SSRCS_MAX];
};

/* The same for RTCP, where 64 compounds back are minutes. */
struct rtcp_stream {
    uint32_t ssrc;
    uint32_t highest;
    uint64_t seen; /* bit i: highest - i */
    uint64_t used; /* 0: free */
};

struct unprotector {
    struct transform rtp, rtcp;
    uint64_t packets;        /* taken so far: the clock of `used` */
    struct streams *streams; /* NULL until the first RTP packet: who only watches sends none */
    struct rtcp_stream rtcp_streams[UNPROTECTOR_SSRCS_MAX];
};

enum status unprotector_new(const struct protector_keys *keys, struct unprotector **ret_unprotector)
{
    struct unprotector *unprotector = calloc(1, sizeof *unprotector);
    if (unprotector == NULL)
        return STATUS_NO_MEMORY;
    enum status status = transform_init(keys, false, false, &unprotector->rtp);
    if (status == STATUS_OK)
        status = transform_init(keys, true, false, &unprotector->rtcp);
    if (status != STATUS_OK) {
        unprotector_free(unprotector);
        return status;
    }
    *ret_unprotector = unprotector;
    return STATUS_OK;
}

struct unprotector *unprotector_free(struct unprotector *unprotector)
{
    if (unprotector != NULL) {
        transform_clear(&unprotector->rtp);
        transform_clear(&unprotector->rtcp);
        free(unprotector->streams);
        free(unprotector);
    }
    return NULL;
}

static struct stream *stream_find(struct streams *streams, uint32_t ssrc)
{
    for (uint32_t i = 0; streams != NULL && i < streams->count; i++)
        if (streams->ssrcs[i] == ssrc)
            return &streams->items[i];
    return NULL;
}

/* NULL: no memory. */
static struct stream *stream_add(struct unprotector *unprotector, uint32_t ssrc, uint64_t index)
{
    if (unprotector->streams == NULL)
        unprotector->streams = calloc(1, sizeof *unprotector->streams);
    struct streams *streams = unprotector->streams;
    if (streams == NULL)
        return NULL;
    uint32_t at = 0;
    if (streams->count < UNPROTECTOR_SSRCS_MAX) {
        at = streams->count++;
    } else {
        for (uint32_t i = 1; i < UNPROTECTOR_SSRCS_MAX; i++)
            if (streams->items[i].used < streams->items[at].used)
                at = i;
    }
    streams->ssrcs[at] = ssrc;
    streams->items[at] = (struct stream){.highest = index};
    return &streams->items[at];
}

/* RFC 3711 3.3.1: the index nearest to the highest one seen. */
static enum status stream_guess(const struct stream *stream, uint16_t seq, uint64_t *ret_index)
{
    int64_t index = (int64_t)stream->highest + seq_diff(seq, (uint16_t)stream->highest);
    if (index < 0) /* before the first ROC there was */
        return STATUS_LATE;
    if (index >> 48 != 0) /* RFC 3711 9.2: the key is used up */
        return STATUS_INVALID;
    *ret_index = (uint64_t)index;
    return STATUS_OK;
}

static enum status stream_check(const struct stream *stream, uint64_t index)
{
    if (index > stream->highest)
        return STATUS_OK;
    if (stream->highest - index >= UNPROTECTOR_WINDOW)
        return STATUS_LATE;
    uint64_t bit = index % UNPROTECTOR_WINDOW;
    return stream->seen[bit / 64] >> bit % 64 & 1 ? STATUS_DUPLICATE : STATUS_OK;
}

static void stream_mark(struct stream *stream, uint64_t index)
{
    if (index > stream->highest) {
        if (index - stream->highest >= UNPROTECTOR_WINDOW)
            memset(stream->seen, 0, sizeof stream->seen);
        else
            for (uint64_t i = stream->highest + 1; i < index; i++)
                stream->seen[i % UNPROTECTOR_WINDOW / 64] &= ~(UINT64_C(1) << i % 64);
        stream->highest = index;
    }
    stream->seen[index % UNPROTECTOR_WINDOW / 64] |= UINT64_C(1) << index % 64;
}

enum status unprotector_rtp(struct unprotector *unprotector, uint8_t *packet, size_t length,
                            size_t *ret_length, uint64_t *ret_index)
{
    size_t header_length = 0;
    enum status status = layout_rtp_header(packet, length, &header_length);
    if (status != STATUS_OK)
        return status;
    if (length < header_length + unprotector->rtp.tail)
        return STATUS_TRUNCATED;

    uint32_t ssrc = load_be32(packet + 8);
    uint64_t index = load_be16(packet + 2);
    struct stream *stream = stream_find(unprotector->streams, ssrc);
    if (stream != NULL) {
        status = stream_guess(stream, (uint16_t)index, &index);
        if (status == STATUS_OK)
            status = stream_check(stream, index);
        if (status != STATUS_OK)
            return status;
    }
    status =
        layout_rtp_open(&unprotector->rtp, (uint32_t)(index >> 16), header_length, packet, length);
    if (status != STATUS_OK)
        return status;

    if (stream == NULL)
        stream = stream_add(unprotector, ssrc, index);
    if (stream == NULL)
        return STATUS_NO_MEMORY;
    stream_mark(stream, index);
    stream->used = ++unprotector->packets;
    *ret_length = length - unprotector->rtp.tail;
    *ret_index = index;
    return STATUS_OK;
}

/* The one of this SSRC, else a free one, else the one silent longest. */
static struct rtcp_stream *rtcp_stream_for(struct unprotector *unprotector, uint32_t ssrc)
{
    struct rtcp_stream *oldest = &unprotector->rtcp_streams[0];
    for (uint32_t i = 0; i < UNPROTECTOR_SSRCS_MAX; i++) {
        struct rtcp_stream *stream = &unprotector->rtcp_streams[i];
        if (stream->used != 0 && stream->ssrc == ssrc)
            return stream;
        if (stream->used < oldest->used)
            oldest = stream;
    }
    return oldest;
}

static enum status rtcp_stream_check(const struct rtcp_stream *stream, uint32_t index)
{
    if (index > stream->highest)
        return STATUS_OK;
    uint32_t behind = stream->highest - index;
    if (behind >= 64)
        return STATUS_LATE;
    return stream->seen >> behind & 1 ? STATUS_DUPLICATE : STATUS_OK;
}

static void rtcp_stream_mark(struct rtcp_stream *stream, uint32_t index)
{
    if (index > stream->highest) {
        uint32_t ahead = index - stream->highest;
        stream->seen = ahead < 64 ? stream->seen << ahead : 0;
        stream->highest = index;
    }
    stream->seen |= UINT64_C(1) << (stream->highest - index);
}

enum status unprotector_rtcp(struct unprotector *unprotector, uint8_t *packet, size_t length,
                             size_t *ret_length)
{
    uint32_t index = 0;
    enum status status = layout_rtcp_index(&unprotector->rtcp, packet, length, &index);
    if (status != STATUS_OK)
        return status;
    uint32_t ssrc = load_be32(packet + 4);
    struct rtcp_stream *stream = rtcp_stream_for(unprotector, ssrc);
    bool known = stream->used != 0 && stream->ssrc == ssrc;
    if (known) {
        status = rtcp_stream_check(stream, index);
        if (status != STATUS_OK)
            return status;
    }
    status = layout_rtcp_open(&unprotector->rtcp, index, packet, length);
    if (status != STATUS_OK)
        return status;
    if (!known)
        *stream = (struct rtcp_stream){.ssrc = ssrc, .highest = index};
    rtcp_stream_mark(stream, index);
    stream->used = ++unprotector->packets;
    *ret_length = length - unprotector->rtcp.tail - LAYOUT_RTCP_INDEX;
    return STATUS_OK;
}
