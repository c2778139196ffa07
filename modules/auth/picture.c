#include "modules/auth/picture.h"

#include "core/bytes.h"

#include <stdbool.h>

static uint32_t load_le24(const uint8_t *p)
{
    return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Its first chunk is the header (PNG 5.6). */
static bool png_look(struct reader reader, struct picture *ret_picture)
{
    static const uint8_t magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n',
                                    0,    0,   0,   13,  'I',  'H',  'D',  'R'};
    const uint8_t *head = reader_take(&reader, sizeof magic);
    if (head == NULL || memcmp(head, magic, sizeof magic) != 0)
        return false;
    *ret_picture = (struct picture){
        .type = "image/png", .width = reader_be32(&reader), .height = reader_be32(&reader)};
    return !reader.failed;
}

/* Markers that begin a frame, and so say its size (JPEG B.2.2). */
static bool starts_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static bool jpeg_look(struct reader reader, struct picture *ret_picture)
{
    if (reader_be16(&reader) != 0xffd8)
        return false;
    /* From segment to segment; each takes at least four bytes, so this ends. */
    while (!reader.failed && reader_u8(&reader) == 0xff) {
        uint8_t marker = reader_u8(&reader);
        uint16_t length = reader_be16(&reader);
        if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xda) || length < 2)
            return false; /* the picture itself, or nothing that belongs before it */
        if (starts_frame(marker)) {
            reader_u8(&reader); /* bits of a sample */
            uint16_t height = reader_be16(&reader);
            *ret_picture = (struct picture){
                .type = "image/jpeg", .width = reader_be16(&reader), .height = height};
            return !reader.failed;
        }
        reader_take(&reader, length - 2U);
    }
    return false;
}

/* The three kinds of first chunk (RFC 9649 2.5 to 2.7). */
static bool webp_look(struct reader reader, struct picture *ret_picture)
{
    const uint8_t *head = reader_take(&reader, 12);
    const uint8_t *chunk = reader_take(&reader, 8);
    const uint8_t *body = reader_take(&reader, 10);
    if (body == NULL || memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WEBP", 4) != 0)
        return false;
    struct picture picture = {.type = "image/webp"};
    if (memcmp(chunk, "VP8X", 4) == 0) {
        picture.width = load_le24(body + 4) + 1;
        picture.height = load_le24(body + 7) + 1;
    } else if (memcmp(chunk, "VP8L", 4) == 0 && body[0] == 0x2f) {
        picture.width = (load_le24(body + 1) & 0x3fff) + 1;
        picture.height = (load_le24(body + 2) >> 6 & 0x3fff) + 1;
    } else if (memcmp(chunk, "VP8 ", 4) == 0 && memcmp(body + 3, "\x9d\x01\x2a", 3) == 0) {
        picture.width = (uint32_t)(body[7] << 8 | body[6]) & 0x3fff;
        picture.height = (uint32_t)(body[9] << 8 | body[8]) & 0x3fff;
    } else {
        return false;
    }
    *ret_picture = picture;
    return true;
}

enum status picture_look(const uint8_t *bytes, size_t length, struct picture *ret_picture)
{
    struct picture picture;
    if (length > PICTURE_BYTES_MAX)
        return STATUS_LIMIT;
    struct reader reader = reader_of(bytes, length);
    if (!png_look(reader, &picture) && !jpeg_look(reader, &picture) && !webp_look(reader, &picture))
        return STATUS_UNSUPPORTED;
    if (picture.width == 0 || picture.height == 0)
        return STATUS_UNSUPPORTED;
    if (picture.width > PICTURE_SIDE_MAX || picture.height > PICTURE_SIDE_MAX)
        return STATUS_LIMIT;
    *ret_picture = picture;
    return STATUS_OK;
}
