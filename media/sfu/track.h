/*
 * media/sfu/track.h - what a client sends on one m-line: its layers, their reception,
 * and where the packets go.
 *
 * Thread: the publisher's worker.
 */
#ifndef MEDIA_SFU_TRACK_H
#define MEDIA_SFU_TRACK_H

#include "media/media.h"
#include "media/packet.h"
#include "media/rtp/dependency_descriptor.h"
#include "media/rtp/nack.h"
#include "media/rtp/recv_stats.h"
#include "media/rtp/rtp.h"
#include "media/sfu/keyframe.h"
#include "media/sfu/redundancy.h"
#include "media/sfu/speakers.h"
#include "media/sfu/transport.h"
#include "media/worker.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TRACK_LANE_NONE = -1,
    TRACK_STALL_MS = 700,   /* a layer silent for that long while another goes on has stopped */
    TRACK_SILENT_MS = 5000, /* all silent for that long: the track has stopped */
    TRACK_EVENT_MS = 200,   /* between two track events */
    TRACK_NACK_REORDER_MS =
        10,               /* a packet may come that much out of order before it is asked for */
    TRACK_NACKS_MAX = 64, /* sequence numbers of one layer asked for in one call */
    /* What track_feedback writes at most: a NACK whose numbers lie far apart and a FIR, per layer.
     */
    TRACK_FEEDBACK_BYTES = MEDIA_RIDS_MAX * (12 + TRACK_NACKS_MAX * 4 + 20),
    TRACK_CLOCK_AUDIO = 48000,
    TRACK_CLOCK_VIDEO = 90000,
};

/* One layer's RTP stream, from its first packet. */
struct stream {
    uint32_t ssrc;
    uint8_t epoch; /* goes up when the stream began anew: numbers before mean nothing */
    struct recv_stats stats;
    struct seq_unwrapper unwrapper;
    struct nack_list *nacks;       /* NULL: not negotiated, or no memory */
    struct redundancy_window come; /* audio */
    struct dd_structure *structure;
    bool structure_known;
    struct keyframe keyframe;
    uint8_t fir_sequence;
    uint64_t arrived_ms;
    struct media_layer_info info; /* of the whole stream */

    /* Spatial layers; 1 where there are none, or where rids name the layers. */
    uint8_t spatial_count;
    bool inter_layer; /* also pictures that are not key are predicted from the layer below */
    struct media_layer_info spatial[MEDIA_RIDS_MAX];
    uint64_t spatial_ms[MEDIA_RIDS_MAX]; /* last packet of the layer */

    /* Since measured_ms: bytes of what a decoder of the layer needs, by temporal level. */
    uint32_t bytes[MEDIA_RIDS_MAX][MEDIA_TEMPORAL_MAX];
    uint64_t measured_ms;
};

struct track {
    struct transport *transport;
    uint8_t number;
    enum media_kind kind;
    enum media_source_kind source;
    const struct payload *payloads;
    uint8_t payload_count, rid_count;
    struct media_extensions extensions;
    char mid[MEDIA_TEXT_MAX];
    char rids[MEDIA_RIDS_MAX][MEDIA_TEXT_MAX];
    uint32_t ssrc, rtx_ssrc; /* as declared; 0: to be learnt */

    bool gated;
    uint32_t origin; /* names the source in CSRC lists */
    struct stream *streams[MEDIA_RIDS_MAX];
    uint64_t wanted[MEDIA_RIDS_MAX]; /* workers with subscribers, a bit each */
    struct packet_format format;     /* of the newest packet */

    struct loudness loudness;
    int8_t lane; /* of the room; TRACK_LANE_NONE */

    bool changed;        /* an event is due */
    bool layers_stopped; /* by the publisher's word, since the last look */
    uint64_t told_ms;
};

/*
 * A decrypted packet of this layer; header is of packet->data. The caller keeps its reference.
 */
void track_receive(struct track *track, uint8_t layer, struct packet *packet,
                   const struct rtp_header *header);
/* The stream of a layer, made when it is not there or when its SSRC is another. NULL: no memory. */
struct stream *track_stream(struct track *track, uint8_t layer, uint32_t ssrc);
/* Gives streams back and tells the workers with subscribers that it is gone. */
void track_end(struct track *track);

/* Feedback due now (NACK, PLI, FIR); appends to the writer, which has TRACK_FEEDBACK_BYTES left.
 * Returns ms until it wants another call; UINT64_MAX: no need. */
struct rtcp_writer;
uint64_t track_feedback(struct track *track, struct rtcp_writer *writer, uint64_t now_ms);
/* Each tick: what track_layers.h watches, and the event when one is due. False: until the next
 * packet there is nothing to watch. */
bool track_watch(struct track *track, uint64_t now_ms);
/* A sender report about one of the layers. */
void track_report(struct track *track, uint8_t layer, uint64_t ntp, uint32_t timestamp);

/* Letters: transport, track. */
void track_on_subscribe(struct worker *worker, const struct letter *letter); /* layer: bit mask */
void track_on_keyframe(struct worker *worker, const struct letter *letter);
void track_on_lane(struct worker *worker, const struct letter *letter);
void track_on_gate(struct worker *worker, const struct letter *letter);

#endif
