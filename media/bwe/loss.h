/*
 * media/bwe/loss.h - what losses say of the link's rate.
 *
 * A queue that overflows loses less when less is sent; a radio link loses the same. So
 * the first answer to high loss is to send less, and where that did not help, the loss is
 * the path's own (`floor`) and only what exceeds it counts from then on.
 */
#ifndef MEDIA_BWE_LOSS_H
#define MEDIA_BWE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LOSS_WINDOW_US = 250000, /* judged over at least that long and LOSS_PACKETS */
    LOSS_WINDOW_US_MAX = 1000000,
    LOSS_PACKETS = 40,
    LOSS_PACKETS_LEAST = 10, /* in a window of LOSS_WINDOW_US_MAX */
    LOSS_LONG_US = 2000000,  /* windows together, the older the less */
    LOSS_LONG_PACKETS = 100, /* before they say anything */
};

enum loss_verdict {
    LOSS_UNKNOWN, /* the window is not full yet */
    LOSS_LOW,     /* nothing against sending more */
    LOSS_SOME,    /* do not send more */
    LOSS_HIGH,    /* send less */
    LOSS_OWN,     /* sending less did not help: go back to what was sent before */
};

/* Zero-filled is the beginning. */
struct loss {
    uint32_t told, lost;
    uint64_t begun_us;
    double long_told, long_lost;
    double floor;           /* the path's own loss, 0..1 */
    double fraction;        /* of the last window, 0..1 */
    double tested_fraction; /* when less began to be sent; 0: not so */
    uint32_t tested_bps;    /* what was sent then */
};

/* `again`: a packet told lost has come. */
void loss_packet(struct loss *loss, bool received, bool again);
/* After a feedback. `offered_bps`: what is sent of late. */
enum loss_verdict loss_judge(struct loss *loss, uint32_t offered_bps, uint64_t now_us);
/* What was told since the last judgement is forgotten. */
void loss_forget(struct loss *loss, uint64_t now_us);

#endif
