#include "modules/chat/chat.h"

#include "core/crypto.h"
#include "modules/meetings/registry.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct json_field reaction_fields[] = {
    {.name = "emoji",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct chat_reaction, emoji),
     .min = 1,
     .max = CHAT_EMOJI_MAX,
     .required = true,
     .doc = "one emoji"},
    {.name = "by",
     .kind = JSON_FIELD_TEXTS,
     .offset = offsetof(struct chat_reaction, by),
     .min = 1,
     .max = CHAT_REACTORS_MAX,
     .item_max = CRYPTO_ID_CHARS,
     .required = true,
     .doc = "ids of the participants, in the order they reacted"},
};

const struct json_table chat_reaction_table = {
    .name = "reaction",
    .doc = "Who answered a message with this emoji.",
    .size = sizeof(struct chat_reaction),
    .fields = reaction_fields,
    .field_count = COUNT(reaction_fields),
};

#define TIME(field, needed, text)                                                                  \
    {                                                                                              \
        .name = #field, .kind = JSON_FIELD_INT, .offset = offsetof(struct chat_message, field),    \
        .min = 0, .max = INT64_MAX, .required = needed, .doc = text                                \
    }

static const struct json_field message_fields[] = {
    {.name = "id",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct chat_message, id),
     .min = 1,
     .max = 19,
     .required = true,
     .doc = "a number in decimal; a later message has a larger one"},
    {.name = "author",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct chat_message, author),
     .min = 1,
     .max = CRYPTO_ID_CHARS,
     .required = true,
     .doc = "participant id"},
    {.name = "author_name",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct chat_message, author_name),
     .min = 1,
     .max = REGISTRY_NAME_MAX,
     .required = true,
     .doc = "the author's name when it was written"},
    {.name = "text",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct chat_message, text),
     .min = 0,
     .max = CHAT_TEXT_MAX,
     .required = true,
     .doc = "Markdown; empty when deleted"},
    {.name = "reply_to",
     .kind = JSON_FIELD_TEXT,
     .offset = offsetof(struct chat_message, reply_to),
     .min = 1,
     .max = 19,
     .doc = "id of the message it answers"},
    TIME(created, true, "ms since 1970"),
    TIME(edited, false, "ms since 1970 of the last edit; 0 or absent: never"),
    TIME(deleted, false, "ms since 1970; 0 or absent: it is not"),
    {.name = "reactions",
     .kind = JSON_FIELD_LIST,
     .offset = offsetof(struct chat_message, reactions),
     .min = 0,
     .max = CHAT_REACTIONS_MAX,
     .required = true,
     .items = &chat_reaction_table,
     .doc = "the emoji that came first first"},
};

const struct json_table chat_message_table = {
    .name = "message",
    .doc = "A chat message as it is now.",
    .size = sizeof(struct chat_message),
    .fields = message_fields,
    .field_count = COUNT(message_fields),
};

static const struct json_field page_fields[] = {
    {.name = "messages",
     .kind = JSON_FIELD_LIST,
     .offset = offsetof(struct chat_page, messages),
     .min = 0,
     .max = CHAT_HISTORY_MAX,
     .required = true,
     .items = &chat_message_table,
     .doc = "oldest first"},
    {.name = "more",
     .kind = JSON_FIELD_BOOL,
     .offset = offsetof(struct chat_page, more),
     .required = true,
     .doc = "there are older ones"},
};

const struct json_table chat_page_table = {
    .name = "messages",
    .doc = "A run of chat messages.",
    .size = sizeof(struct chat_page),
    .fields = page_fields,
    .field_count = COUNT(page_fields),
};
