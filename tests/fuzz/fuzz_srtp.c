/*
 * tests/fuzz/fuzz_srtp.c - bytes as SRTP and SRTCP into an unprotector, and as RTP and
 * RTCP through a protector and back.
 *
 * First byte: bits 0-1 the profile, bit 2 RTCP, bit 3 through the protector first. The
 * objects live as long as the process, as in a worker; the window is theirs.
 */
#include "media/srtp/layout.h"
#include "media/srtp/srtp.h"

#include <stdlib.h>
#include <string.h>

enum { PACKET_MAX = 2048, PROFILES = 4 };

static struct protector *protectors[PROFILES];
static struct unprotector *unprotectors[PROFILES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void start(size_t which)
{
    static const enum protector_profile profiles[PROFILES] = {
        PROTECTOR_AES_GCM_128, PROTECTOR_AES_GCM_256, PROTECTOR_AES_CM_SHA1_80,
        PROTECTOR_AES_CM_SHA1_32};
    struct protector_keys keys = {.profile = profiles[which], .key = {1, 2, 3}, .salt = {4}};
    if (protectors[which] == NULL && (protector_new(&keys, &protectors[which]) != STATUS_OK ||
                                      unprotector_new(&keys, &unprotectors[which]) != STATUS_OK))
        abort();
}

/* Returns the protected length; 0 when the bytes are no packet. */
static size_t protect(struct protector *protector, bool rtcp, uint8_t *packet, size_t length)
{
    size_t header = 0, made = 0;
    if (rtcp)
        return protector_rtcp(protector, packet, length, PACKET_MAX, &made) == STATUS_OK ? made : 0;
    if (layout_rtp_header(packet, length, &header) != STATUS_OK)
        return 0;
    if (protector_rtp(protector, 0, packet, header, packet + header, length - header, packet,
                      &made) != STATUS_OK)
        abort();
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length == 0 || length > PACKET_MAX - PROTECTOR_RTCP_TAIL_MAX)
        return 0;
    uint8_t mode = *data++, packet[PACKET_MAX];
    size_t which = (mode & 3u) % PROFILES, opened = 0, original = --length;
    bool rtcp = mode & 4, through = mode & 8;
    uint64_t index = 0;
    start(which);
    if (length > 0)
        memcpy(packet, data, length);
    if (through && (length = protect(protectors[which], rtcp, packet, length)) == 0)
        return 0;
    /* An exact-size block, so that a read past the end is seen. */
    uint8_t *exact = malloc(length > 0 ? length : 1);
    if (exact == NULL)
        abort();
    if (length > 0)
        memcpy(exact, packet, length);
    enum status status = rtcp
                             ? unprotector_rtcp(unprotectors[which], exact, length, &opened)
                             : unprotector_rtp(unprotectors[which], exact, length, &opened, &index);
    if (status == STATUS_OK && opened > length)
        abort();
    if (status == STATUS_OK && through && (opened != original || memcmp(exact, data, opened) != 0))
        abort();
    if (through && rtcp && status != STATUS_OK && data[0] >> 6 == 2)
        abort(); /* each compound has a new index */
    free(exact);
    return 0;
}
