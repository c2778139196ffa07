/*
 * signalling/sdp/answering.h - the state of one answer_make, shared by its files.
 *
 * Three passes over the offer's lines. answer_plan.c plans: which line becomes a track, a
 * slot or is rejected, and why. answer_transport.c reads the transport from the line that
 * carries the bundle, which is only known then. answer_write.c writes spec and answer side
 * by side.
 */
#ifndef SIGNALLING_SDP_ANSWERING_H
#define SIGNALLING_SDP_ANSWERING_H

#include "signalling/sdp/answer.h"
#include "signalling/sdp/extension.h"
#include "signalling/sdp/sdp.h"

enum line_use {
    LINE_REJECTED,
    LINE_TRACK,
    LINE_SLOT,
    LINE_IDLE, /* accepted, inactive, neither track nor slot so far */
};

struct line {
    const struct desc_media *offer;
    struct desc_media *answer;
    enum line_use use;
    const char *why; /* rejected: the reason for who sent the offer */
    enum media_kind kind;
    enum media_source_kind source;
    struct media_extensions extensions;
    struct media_payload payloads[MEDIA_PAYLOADS_MAX];
    size_t payload_count;
    size_t nth; /* a slot: which of its kind */
};

struct answering {
    const struct answer_config *config;
    struct arena *arena;
    struct answer_error *error;
    struct desc offer, answer;
    const struct desc_group *bundle; /* of the offer; NULL: none */
    struct line *lines;              /* offer.media_count */
    struct extension_ids extension_ids;
    const struct line *tagged; /* carries the transport of all (RFC 9143 7.3.1) */
    enum answer_change change;
    struct media_transport_spec *spec;
};

/* Writes the error and returns `status`. */
enum status answering_refuse(struct answering *answering, enum status status, const char *format,
                             ...) PRINTF_LIKE(3, 4);
/* The line's mid, "" when it has none. */
const char *line_mid(const struct line *line);
/* A slot of `spec` (which may be NULL) by mid; NULL: none. */
const struct media_slot_spec *slot_known(const struct media_transport_spec *spec, const char *mid);

/* The passes; errors as answer_make. */
MUST_USE enum status answering_plan(struct answering *answering);
MUST_USE enum status answering_transport(struct answering *answering);
MUST_USE enum status answering_write(struct answering *answering);

#endif
