#include "signalling/gateway/frame.h"

#include <stdio.h>
#include <string.h>

static enum status refuse(struct frame *frame, struct frame_error *error, const char *code,
                          const char *field, const char *text)
{
    error->code = code;
    error->field = field;
    error->s = frame->s;
    snprintf(error->text, sizeof error->text, "%s", text);
    frame_clear(frame);
    return STATUS_INVALID;
}

static bool op_find(const char *name, enum frame_op *ret_op)
{
    static const char *const names[] = {
        [FRAME_IDENTIFY] = "identify",
        [FRAME_RESUME] = "resume",
        [FRAME_HEARTBEAT] = "heartbeat",
        [FRAME_COMMAND] = "command",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_op = (enum frame_op)i;
            return true;
        }
    }
    return false;
}

enum status frame_parse(const char *text, size_t length, struct frame *ret_frame,
                        struct frame_error *ret_error)
{
    struct frame frame = {0};
    struct json_error json_error = {0};
    enum status status = json_parse(text, length, &frame.json, &json_error);
    if (status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_OK)
        return refuse(&frame, ret_error, "bad_json", NULL, json_error.text);
    int64_t s = 0;
    if (json_get_int(frame.json, "s", &s) && s >= 0 && s <= FRAME_SEQUENCE_MAX)
        frame.s = s;
    const char *op = json_get_text(frame.json, "op");
    if (op == NULL)
        return refuse(&frame, ret_error, "bad_frame", "op", "op: missing");
    if (!op_find(op, &frame.op))
        return refuse(&frame, ret_error, "unknown_op", "op", "op: not known here");
    frame.t = json_get_text(frame.json, "t");
    frame.d = json_get_object(frame.json, "d");
    if (frame.op == FRAME_COMMAND && frame.s == 0)
        return refuse(&frame, ret_error, "bad_sequence", "s", "s: must count 1, 2, 3 and on");
    if (frame.op == FRAME_COMMAND && (frame.t == NULL || strlen(frame.t) > FRAME_TYPE_MAX))
        return refuse(&frame, ret_error, "bad_frame", "t", "t: missing or too long");
    *ret_frame = frame;
    return STATUS_OK;
}

void frame_clear(struct frame *frame)
{
    frame->json = json_free(frame->json);
}
