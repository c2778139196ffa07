/*
 * media/sfu/counters.h - what a worker counts: plain numbers while it works, brought
 * to the metrics registry ten times a second.
 */
#ifndef MEDIA_SFU_COUNTERS_H
#define MEDIA_SFU_COUNTERS_H

#include "core/metrics.h"

#include <stdint.h>

/* X(field, metric name, extra label, help) */
#define COUNTERS_LIST(X)                                                                           \
    X(received, "parley_packets_received_total", "", "Datagrams and TCP frames received")          \
    X(received_bytes, "parley_bytes_received_total", "", "Bytes of them")                          \
    X(sent, "parley_packets_sent_total", "", "Datagrams and TCP frames sent")                      \
    X(sent_bytes, "parley_bytes_sent_total", "", "Bytes of them")                                  \
    X(forwarded, "parley_packets_forwarded_total", "", "Media packets written for a subscriber")   \
    X(send_calls, "parley_send_calls_total", "", "System calls made for sending")                  \
    X(segmented, "parley_packets_segmented_total", "",                                             \
      "Packets that left in a message of several")                                                 \
    X(dropped_kernel, "parley_packets_dropped_total", "reason=\"kernel\"",                         \
      "Packets dropped, by reason")                                                                \
    X(dropped_ring, "parley_packets_dropped_total", "reason=\"ring\"",                             \
      "Packets dropped, by reason")                                                                \
    X(dropped_pool, "parley_packets_dropped_total", "reason=\"pool\"",                             \
      "Packets dropped, by reason")                                                                \
    X(dropped_tcp, "parley_packets_dropped_total", "reason=\"tcp_queue\"",                         \
      "Packets dropped, by reason")                                                                \
    X(dropped_stranger, "parley_packets_dropped_total", "reason=\"stranger\"",                     \
      "Packets dropped, by reason")                                                                \
    X(dropped_auth, "parley_packets_dropped_total", "reason=\"auth\"",                             \
      "Packets dropped, by reason")                                                                \
    X(dropped_replay, "parley_packets_dropped_total", "reason=\"replay\"",                         \
      "Packets dropped, by reason")                                                                \
    X(dropped_ssrc, "parley_packets_dropped_total", "reason=\"ssrc\"",                             \
      "Packets dropped, by reason")                                                                \
    X(dropped_malformed, "parley_packets_dropped_total", "reason=\"malformed\"",                   \
      "Packets dropped, by reason")                                                                \
    X(dropped_gate, "parley_packets_dropped_total", "reason=\"gate\"",                             \
      "Packets dropped, by reason")                                                                \
    X(dropped_receive_buffer, "parley_packets_dropped_total", "reason=\"receive_buffer\"",         \
      "Packets dropped, by reason")                                                                \
    X(letters_lost, "parley_letters_lost_total", "", "Letters to another worker that did not fit") \
    X(nacks_received, "parley_nacks_received_total", "", "Packets subscribers asked for again")    \
    X(nacks_sent, "parley_nacks_sent_total", "", "Packets asked for again from publishers")        \
    X(nacks_missed, "parley_nacks_missed_total", "", "Asked for again but no longer held")         \
    X(nacks_over, "parley_nacks_over_total", "",                                                   \
      "Asked for again but beyond the share of the link that repairs may take")                    \
    X(rtx_sent, "parley_rtx_sent_total", "", "Packets sent again")                                 \
    X(red_sent, "parley_red_sent_total", "",                                                       \
      "Audio packets that took copies of earlier ones along")                                      \
    X(fec_sent, "parley_fec_sent_total", "", "Parity packets sent")                                \
    X(red_recovered, "parley_red_recovered_total", "",                                             \
      "Lost audio packets found again as a copy in a later one")                                   \
    X(keyframes, "parley_keyframe_requests_total", "", "PLI and FIR sent to publishers")           \
    X(plis_received, "parley_keyframe_requests_received_total", "", "PLI and FIR of subscribers")  \
    X(switches, "parley_slot_switches_total", "", "Times a slot began another source or layer")    \
    X(uplink_expected, "parley_uplink_expected_total", "",                                         \
      "Packets publishers should have brought, by their sequence numbers")                         \
    X(uplink_lost, "parley_uplink_lost_total", "",                                                 \
      "Of them those that had not come, nor been repaired, when reported")                         \
    X(downlink_lost, "parley_downlink_lost_total", "",                                             \
      "Packets of slots that subscribers' receiver reports miss")                                  \
    X(paced, "parley_packets_paced_total", "", "Packets that waited for a subscriber's link")      \
    X(probes_sent, "parley_probe_packets_sent_total", "", "Packets sent to measure a link")        \
    X(lost_reported, "parley_feedback_lost_total", "",                                             \
      "Packets that transport-wide feedback of subscribers reports missing")                       \
    X(allocations, "parley_forward_allocations_total", "",                                         \
      "Slabs the pools took from malloc after start")

/* X(field, metric name, help) */
#define GAUGES_LIST(X)                                                                             \
    X(receive_bits, "parley_receive_bits_per_second", "Received in the last second")               \
    X(send_bits, "parley_send_bits_per_second", "Sent in the last second")                         \
    X(socket_queue, "parley_socket_receive_queue_bytes",                                           \
      "Kernel memory of datagrams not read yet, as of the last second")                            \
    X(pool_bytes, "parley_worker_pool_bytes", "Memory the pools of the worker hold")               \
    X(packet_pool_used, "parley_packet_pool_used", "Packets held")                                 \
    X(ring_length, "parley_worker_ring_length", "Messages waiting from other workers")             \
    X(letters, "parley_worker_letters", "Letters waiting")                                         \
    X(transports, "parley_transports", "Transports owned by the worker")                           \
    X(feeds, "parley_feeds", "Sources with subscribers on the worker")                             \
    X(addresses, "parley_addresses", "Client addresses known")                                     \
    X(tcp, "parley_tcp_connections", "ICE-TCP connections")

struct counters {
#define COUNTERS_FIELD(field, name, label, help) uint64_t field;
    COUNTERS_LIST(COUNTERS_FIELD)
#undef COUNTERS_FIELD
    struct {
#define COUNTERS_METRIC(field, name, label, help)                                                  \
    struct metric *field;                                                                          \
    uint64_t field##_published;
        COUNTERS_LIST(COUNTERS_METRIC)
#undef COUNTERS_METRIC
    } metrics;
    struct {
#define GAUGES_METRIC(field, name, help) struct metric *field;
        GAUGES_LIST(GAUGES_METRIC)
#undef GAUGES_METRIC
    } gauges;
};

/* Registers all of them for one worker; metrics NULL: they count for nobody. */
void counters_init(struct counters *counters, struct metrics *metrics, uint8_t worker);
void counters_publish(struct counters *counters);

#endif
