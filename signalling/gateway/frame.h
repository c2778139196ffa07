/*
 * signalling/gateway/frame.h - the JSON frames {"op","s","t","d"}: reading those of a
 * client, writing ours (docs/design/gateway.md). Pure; any thread.
 */
#ifndef SIGNALLING_GATEWAY_FRAME_H
#define SIGNALLING_GATEWAY_FRAME_H

#include "core/json.h"

#include <stdint.h>

enum {
    FRAME_TYPE_MAX = 64,   /* bytes of `t` */
    FRAME_ERROR_MAX = 256, /* bytes of an error's text */
};
#define FRAME_SEQUENCE_MAX INT64_C(9007199254740991) /* what a browser counts exactly */

enum frame_op { FRAME_IDENTIFY, FRAME_RESUME, FRAME_HEARTBEAT, FRAME_COMMAND };

/* Texts and d belong to json; frame_clear gives it back. */
struct frame {
    struct json *json;
    enum frame_op op;
    int64_t s;            /* 0: absent or unusable */
    const char *t;        /* NULL: absent */
    const struct json *d; /* NULL: absent */
};

/* Why a frame is refused, for the one who sent it. */
struct frame_error {
    const char *code;  /* literal */
    const char *field; /* literal; NULL: none */
    int64_t s;         /* of the frame, 0 when it is not known */
    char text[FRAME_ERROR_MAX];
};

/* Errors: STATUS_INVALID (ret_error), STATUS_NO_MEMORY. */
MUST_USE enum status frame_parse(const char *text, size_t length, struct frame *ret_frame,
                                 struct frame_error *ret_error);
void frame_clear(struct frame *frame);

#endif
