/*
 * media/rtp/rtcp_wire.h - numbers of the RTCP wire format that the reader, the writer
 * and twcc.c share. Private to this folder.
 */
#ifndef MEDIA_RTP_RTCP_WIRE_H
#define MEDIA_RTP_RTCP_WIRE_H

#include "media/rtp/rtcp.h"

enum {
    RTCP_VERSION = 2,
    RTCP_PADDING_BIT = 0x20,

    RTCP_TYPE_SR = 200,
    RTCP_TYPE_RR = 201,
    RTCP_TYPE_SDES = 202,
    RTCP_TYPE_BYE = 203,
    RTCP_TYPE_RTPFB = 205, /* RFC 4585 6.2 */
    RTCP_TYPE_PSFB = 206,  /* RFC 4585 6.3 */
    RTCP_TYPE_XR = 207,    /* RFC 3611 2 */

    RTCP_FMT_NACK = 1,
    RTCP_FMT_TWCC = 15,
    RTCP_FMT_PLI = 1,
    RTCP_FMT_FIR = 4,
    RTCP_FMT_AFB = 15, /* application layer feedback: REMB */

    RTCP_XR_REFERENCE_TIME = 4,
    RTCP_XR_DLRR = 5,
    RTCP_SDES_CNAME = 1,

    /* bytes */
    RTCP_HEADER_BYTES = 4,
    RTCP_RR_BYTES = 8,        /* header and SSRC: also of an XR */
    RTCP_SR_BYTES = 28,       /* with sender info */
    RTCP_BLOCK_BYTES = 24,    /* a report block */
    RTCP_FEEDBACK_BYTES = 12, /* header and two SSRCs */
    RTCP_FIR_BYTES = 8,       /* an entry */
    RTCP_REMB_BYTES = 20,     /* up to the SSRCs */
    RTCP_DLRR_BYTES = 12,     /* a sub-block */
    RTCP_TWCC_BYTES = 20,     /* up to the chunks */

    RTCP_REMB_NAME = 0x52454D42, /* "REMB" */
    RTCP_REMB_MANTISSA_MAX = 0x3FFFF,
};

#endif
