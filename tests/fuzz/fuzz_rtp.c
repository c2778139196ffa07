/*
 * tests/fuzz/fuzz_rtp.c - an RTP packet from anybody: header, extensions, RTX, RED and
 * every codec's payload. What was read must survive being written and read again.
 */
#include "core/bytes.h"
#include "media/rtp/av1.h"
#include "media/rtp/codec.h"
#include "media/rtp/h264.h"
#include "media/rtp/red.h"
#include "media/rtp/rtp.h"
#include "media/rtp/rtx.h"
#include "media/sfu/needs.h"

#include <stdlib.h>
#include <string.h>

#undef NDEBUG
#include <assert.h>

enum { PACKET_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* What a receiver of fewer spatial layers is told is readable and says the same of the frame. */
static void check_restricted(const uint8_t *bytes, size_t length, const struct dd_frame *frame)
{
    for (uint8_t spatial = 0; spatial < NEEDS_SPATIAL_MAX; spatial++) {
        uint8_t written[RTP_TWO_BYTE_VALUE_MAX];
        size_t written_length;
        struct dd_structure structure;
        struct dd_frame again;
        if (dd_restrict(bytes, length, spatial, written, sizeof written, &written_length) !=
            STATUS_OK)
            continue;
        assert(frame->has_structure);
        assert(dd_parse(written, written_length, NULL, &structure, &again) == STATUS_OK);
        assert(again.has_active_targets && again.frame_number == frame->frame_number);
        assert((again.active_targets & ~frame->active_targets) == 0);
    }
}

static void check_descriptor(const uint8_t *bytes, size_t length)
{
    static struct dd_structure kept;
    static bool known;
    struct dd_structure structure, again_structure;
    struct dd_frame frame, again;
    known = false;
    for (int round = 0; round < 2; round++) {
        if (dd_parse(bytes, length, known ? &kept : NULL, &structure, &frame) != STATUS_OK)
            return;
        if (frame.has_structure)
            kept = structure;
        known = true;
        check_restricted(bytes, length, &frame);
        uint8_t written[PACKET_MAX];
        size_t written_length;
        assert(dd_write(&frame, &kept, written, sizeof written, &written_length) == STATUS_OK);
        assert(dd_parse(written, written_length, &kept, &again_structure, &again) == STATUS_OK);
        assert(again.has_structure == frame.has_structure);
        if (frame.has_structure)
            assert(memcmp(&again_structure, &kept, sizeof kept) == 0);
        assert(again.frame_number == frame.frame_number && again.fdiff_count == frame.fdiff_count);
        assert(memcmp(again.fdiffs, frame.fdiffs, sizeof frame.fdiffs) == 0);
        assert(memcmp(again.indications, frame.indications, sizeof frame.indications) == 0);
        assert(memcmp(again.chain_fdiffs, frame.chain_fdiffs, sizeof frame.chain_fdiffs) == 0);
        for (unsigned target = 0; target < 256; target++)
            (void)dd_is_switch_point(&frame, (uint8_t)target);
    }
}

static void check_elements(const uint8_t *packet, const struct rtp_header *header)
{
    struct rtp_writing writing = {.payload_type = header->payload_type,
                                  .csrc_count = header->csrc_count};
    memcpy(writing.csrcs, header->csrcs, sizeof writing.csrcs);
    struct rtp_elements elements = rtp_elements_of(packet, header);
    struct rtp_element element;
    while (rtp_elements_next(&elements, &element)) {
        uint8_t small;
        uint16_t seq;
        uint32_t time;
        bool voice;
        char text[32];
        assert(element.id != 0);
        (void)rtp_audio_level_read(&element, &small, &voice);
        (void)rtp_transport_seq_read(&element, &seq);
        (void)rtp_send_time_read(&element, &time);
        (void)rtp_orientation_read(&element, &small);
        if (rtp_text_read(&element, text, sizeof text))
            assert(strlen(text) == element.length);
        check_descriptor(element.value, element.length);
        if (writing.element_count < RTP_EXTENSIONS_MAX)
            writing.elements[writing.element_count++] = element;
    }
    uint8_t written[RTP_EXTENSIONS_MAX * 260 + 128];
    size_t length;
    assert(rtp_write(&writing, written, sizeof written, &length) == STATUS_OK);
    assert(length == rtp_write_size(&writing));
    struct rtp_header again;
    assert(rtp_parse(written, length, &again) == STATUS_OK);
    elements = rtp_elements_of(written, &again);
    for (size_t i = 0; i < writing.element_count; i++) {
        assert(rtp_elements_next(&elements, &element));
        assert(element.id == writing.elements[i].id);
        assert(element.length == writing.elements[i].length);
        assert(memcmp(element.value, writing.elements[i].value, element.length) == 0);
    }
    assert(!rtp_elements_next(&elements, &element));
}

static void check_rtx(const uint8_t *packet, size_t length, const struct rtp_header *header)
{
    static uint8_t wrapped[PACKET_MAX + RTX_OSN_BYTES];
    size_t wrapped_length;
    if (length > PACKET_MAX)
        return;
    struct rtp_header again;
    assert(rtx_wrap(packet, length, 97, 1, 2, wrapped, sizeof wrapped, &wrapped_length) ==
           STATUS_OK);
    assert(rtp_parse(wrapped, wrapped_length, &again) == STATUS_OK);
    assert(rtx_unwrap(wrapped, &wrapped_length, &again, header->payload_type, header->ssrc) ==
           STATUS_OK);
    assert(again.sequence == header->sequence && again.payload_length == header->payload_length);
    assert(memcmp(wrapped + again.payload_offset, packet + header->payload_offset,
                  header->payload_length) == 0);
    memcpy(wrapped, packet, length);
    wrapped_length = length;
    again = *header;
    if (rtx_unwrap(wrapped, &wrapped_length, &again, 96, 3) == STATUS_OK)
        assert(rtp_parse(wrapped, wrapped_length, &again) == STATUS_OK);
}

static void check_red(const uint8_t *payload, size_t length)
{
    static uint8_t written[PACKET_MAX];
    struct red_view view;
    size_t written_length;
    if (length > PACKET_MAX || red_parse(payload, length, &view) != STATUS_OK)
        return;
    assert(red_build(&view, written, sizeof written, &written_length) == STATUS_OK);
    assert(written_length == length && memcmp(written, payload, length) == 0);
}

static void check_codecs(uint8_t *payload, size_t length, const struct rtp_element *element)
{
    static struct dd_structure structure;
    static const enum media_codec codecs[] = {MEDIA_CODEC_OPUS, MEDIA_CODEC_RED,  MEDIA_CODEC_VP8,
                                              MEDIA_CODEC_VP9,  MEDIA_CODEC_H264, MEDIA_CODEC_AV1};
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        bool known = false;
        struct codec_dd dd = {.structure = &structure, .known = &known};
        struct codec_info info;
        if (element != NULL) {
            dd.bytes = element->value;
            dd.length = element->length;
        }
        if (codec_inspect(codecs[i], payload, length, true, &dd, &info) != STATUS_OK)
            continue;
        (void)needs_flat(needs_of(codecs[i], &info, &structure), NEEDS_SPATIAL_MAX);
        if (codecs[i] == MEDIA_CODEC_VP8)
            vp8_rewrite(payload, &info.vp8, info.vp8.picture_id, info.vp8.tl0picidx);
        if (codecs[i] == MEDIA_CODEC_VP9)
            vp9_rewrite(payload, &info.vp9, info.vp9.picture_id, info.vp9.tl0picidx);
    }
}

/* Rewriting with the numbers that are there must change nothing. */
static void check_payload(const uint8_t *packet, const struct rtp_header *header)
{
    const uint8_t *payload = packet + header->payload_offset;
    size_t length = header->payload_length;
    check_red(payload, length);
    uint8_t *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL)
        return;
    memcpy(copy, payload, length);
    check_codecs(copy, length, NULL);
    struct rtp_elements elements = rtp_elements_of(packet, header);
    struct rtp_element element;
    for (int i = 0; i < 4 && rtp_elements_next(&elements, &element); i++)
        check_codecs(copy, length, &element);
    assert(memcmp(copy, payload, length) == 0);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct rtp_header header;
    (void)rtp_is_rtcp(data, length);
    if (rtp_parse(data, length, &header) != STATUS_OK)
        return 0;
    assert(header.payload_offset + header.payload_length + header.padding_length == length);
    check_elements(data, &header);
    check_rtx(data, length, &header);
    check_payload(data, &header);
    return 0;
}
