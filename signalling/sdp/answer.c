#include "signalling/sdp/answer.h"
#include "signalling/sdp/answering.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status answering_refuse(struct answering *answering, enum status status, const char *format,
                             ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answering->error->text, sizeof answering->error->text, format, arguments);
    va_end(arguments);
    return status;
}

const char *line_mid(const struct line *line)
{
    return line->offer->mid != NULL ? line->offer->mid : "";
}

const struct media_slot_spec *slot_known(const struct media_transport_spec *spec, const char *mid)
{
    for (size_t i = 0; spec != NULL && i < spec->slot_count; i++)
        if (strcmp(spec->slots[i].mid, mid) == 0)
            return &spec->slots[i];
    return NULL;
}

static enum status offer_read(struct answering *answering, const char *offer, size_t length)
{
    struct desc_error error = {{0}};
    if (length > SDP_OFFER_MAX)
        return answering_refuse(answering, STATUS_LIMIT, "the offer is longer than %d bytes",
                                SDP_OFFER_MAX);
    enum status status = desc_parse(offer, length, answering->arena, &answering->offer, &error);
    if (status == STATUS_INVALID || status == STATUS_LIMIT)
        return answering_refuse(answering, status, "%s", error.text);
    return status;
}

enum status answer_make(const char *offer, size_t length, const struct answer_config *config,
                        struct arena *arena, struct media_transport_spec *ret_spec,
                        enum answer_change *ret_change, const char **ret_answer,
                        struct answer_error *ret_error)
{
    struct answering answering = {.config = config, .arena = arena, .error = ret_error};
    ret_error->text[0] = '\0';
    answering.spec = arena_alloc(arena, sizeof *answering.spec);
    if (answering.spec == NULL)
        return STATUS_NO_MEMORY;
    enum status status = offer_read(&answering, offer, length);
    if (status == STATUS_OK)
        status = answering_plan(&answering);
    if (status == STATUS_OK)
        status = answering_transport(&answering);
    if (status == STATUS_OK)
        status = answering_write(&answering);
    if (status == STATUS_OK)
        status = desc_print(&answering.answer, arena, ret_answer);
    if (status != STATUS_OK)
        return status;
    *ret_spec = *answering.spec;
    *ret_change = answering.change;
    return STATUS_OK;
}
