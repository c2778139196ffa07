/*
 * tests/fuzz/fuzz_tcp_frame.c - a TCP stream, cut as the first byte says, must give the
 * same packets as uncut.
 */
#include "media/ice/tcp_frame.h"

#include <stdlib.h>
#include <string.h>

/* Everything taken, in a sum that knows order and bounds. */
struct sum {
    uint64_t value;
    size_t packets;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static bool take(void *context, const uint8_t *packet, size_t length)
{
    struct sum *sum = context;
    if (length == 0 || length > TCP_FRAME_MAX)
        abort();
    for (size_t i = 0; i < length; i++)
        sum->value = (sum->value ^ packet[i]) * UINT64_C(0x100000001b3);
    sum->value = (sum->value ^ length) * UINT64_C(0x100000001b3);
    sum->packets++;
    return true;
}

/* Pieces of exact-size heap blocks, so that a read past one is seen. */
static enum status read_cut(const uint8_t *data, size_t length, size_t piece, struct sum *sum)
{
    struct tcp_frame_reader reader = {0};
    enum status status = STATUS_OK;
    for (size_t at = 0; at < length && status == STATUS_OK; at += piece) {
        size_t size = length - at < piece ? length - at : piece;
        uint8_t *copy = malloc(size);
        if (copy == NULL)
            abort();
        memcpy(copy, data + at, size);
        (void)ice_tcp_looks_like(copy, size);
        status = tcp_frame_read(&reader, copy, size, take, sum);
        free(copy);
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length < 2)
        return 0;
    struct sum whole = {0}, cut = {0};
    enum status whole_status = read_cut(data + 1, length - 1, length - 1, &whole);
    enum status cut_status = read_cut(data + 1, length - 1, (size_t)data[0] + 1, &cut);
    if (whole_status != cut_status || whole.value != cut.value || whole.packets != cut.packets)
        abort();
    return 0;
}
