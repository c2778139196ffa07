/*
 * signalling/api/scheduled.c - messages that are written later, over REST.
 */
#include "modules/spaces/scheduled.h"

#include "core/clock.h"
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

enum { SCHEDULED_BODY_MAX = 65536 /* a text of escapes only */ };

#define MENTIONS(type)                                                                             \
    {                                                                                              \
        .name = "mentions", .kind = JSON_FIELD_TEXTS, .offset = offsetof(struct type, mentions),   \
        .max = MESSAGES_MENTIONS_MAX, .item_max = CRYPTO_ID_CHARS,                                 \
        .doc = "accounts it names; `all`: everybody"                                               \
    }

static const struct json_field scheduled_wish_fields[] = {
    TEXT(scheduled_wish, text, 1, MESSAGES_TEXT_MAX, true, "Markdown"),
    TEXT(scheduled_wish, thread, 1, MESSAGES_ID_MAX, false, "whose thread it goes into"),
    MENTIONS(scheduled_wish),
    INT(scheduled_wish, send_at, 1, INT64_MAX, true, "ms since 1970, a year ahead at most"),
};

static TABLE(scheduled_wish, NULL);

static const struct json_field scheduled_change_fields[] = {
    TEXT(scheduled_wish, text, 1, MESSAGES_TEXT_MAX, false, "with `mentions`"),
    MENTIONS(scheduled_wish),
    INT(scheduled_wish, send_at, 1, INT64_MAX, false, "ms since 1970"),
};

static const struct json_table scheduled_change_table = {
    .name = "scheduled_change",
    .size = sizeof(struct scheduled_wish),
    .fields = scheduled_change_fields,
    .field_count = sizeof scheduled_change_fields / sizeof scheduled_change_fields[0]};

static struct spaces_who who_asks(const struct api_call *call)
{
    return (struct spaces_who){call->request->params[0], call->caller->user.id};
}

static enum status add_scheduled(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct scheduled_message *message = api_result(call, sizeof *message);
    return message != NULL ? scheduled_add(call->api->db, &who, call->body, clock_wall_ms(),
                                           call->arena, message)
                           : STATUS_NO_MEMORY;
}

static enum status list_scheduled(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct scheduled_list *list = api_result(call, sizeof *list);
    return list != NULL ? scheduled_list(call->api->db, &who, call->arena, list) : STATUS_NO_MEMORY;
}

static enum status change_scheduled(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct scheduled_message *message = api_result(call, sizeof *message);
    return message != NULL ? scheduled_change(call->api->db, &who, call->request->params[1],
                                              call->body, clock_wall_ms(), call->arena, message)
                           : STATUS_NO_MEMORY;
}

static enum status cancel_scheduled(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    return scheduled_cancel(call->api->db, &who, call->request->params[1], clock_wall_ms());
}

static const struct api_route routes[] = {
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/scheduled",
     .who = API_MEMBER,
     .right = SPACES_COMMENT,
     .run = add_scheduled,
     .body = &scheduled_wish_table,
     .body_max = SCHEDULED_BODY_MAX,
     .result = &scheduled_message_table,
     .status = 201,
     .doc = "Writes a message later. It is written once, with the rights its author has then."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/scheduled",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .run = list_scheduled,
     .result = &scheduled_list_table,
     .doc = "One's own that wait, or could not be written."},
    {.method = "PATCH",
     .pattern = "/api/v1/spaces/{id}/scheduled/{message}",
     .who = API_MEMBER,
     .right = SPACES_COMMENT,
     .run = change_scheduled,
     .body = &scheduled_change_table,
     .body_max = SCHEDULED_BODY_MAX,
     .result = &scheduled_message_table,
     .doc = "Another text or time for one's own."},
    {.method = "DELETE",
     .pattern = "/api/v1/spaces/{id}/scheduled/{message}",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .run = cancel_scheduled,
     .status = 204,
     .doc = "One's own is not written."},
};

const struct api_table api_scheduled = API_TABLE(routes);
