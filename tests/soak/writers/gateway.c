/*
 * tests/soak/writers/gateway.c - writers over the gateway, people of one meeting who come back
 * by their tokens.
 */
#include "core/json.h"
#include "modules/chat/chat.h"
#include "tests/soak/writers/writers.h"
#include "tests/support/ws_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next frame with this op and, unless NULL, type; of replies, the one to the last command.
 * The caller frees *ret_frame. Errors: the connection's; STATUS_DENIED (invalid: identify anew). */
static enum status frame_await(struct writer *writer, const char *op, const char *type,
                               struct json **ret_frame)
{
    for (;;) {
        const char *text;
        size_t length;
        struct json_error error;
        struct json *frame = NULL;
        enum status status = ws_client_read(writer->link, &text, &length);
        if (status == STATUS_OK)
            status = json_parse(text, length, &frame, &error);
        if (status != STATUS_OK)
            return status;
        const char *got_op = json_get_text(frame, "op"), *got_type = json_get_text(frame, "t");
        const struct json *d = json_get_object(frame, "d");
        int64_t command = -1;
        if (got_op && strcmp(got_op, "invalid") == 0) {
            json_free(frame);
            return STATUS_DENIED;
        }
        bool wanted = got_op && strcmp(got_op, op) == 0 &&
                      (!type || (got_type && strcmp(got_type, type) == 0));
        if (wanted && type && strcmp(type, "reply") == 0)
            wanted = d && json_get_int(d, "command", &command) && (uint64_t)command == writer->s;
        if (wanted) {
            *ret_frame = frame;
            return STATUS_OK;
        }
        json_free(frame);
    }
}

/* Sends a command and awaits its reply. */
static enum status command(struct writer *writer, const char *type, const char *d,
                           struct json **ret_reply)
{
    char *text =
        arena_printf(writer->arena, "{\"op\":\"command\",\"s\":%llu,\"t\":\"%s\",\"d\":%s}",
                     (unsigned long long)++writer->s, type, d);
    if (!text)
        return STATUS_NO_MEMORY;
    enum status status = ws_client_send(writer->link, text);
    return status == STATUS_OK ? frame_await(writer, "dispatch", "reply", ret_reply) : status;
}

static enum status identify(struct writer *writer)
{
    struct json *frame = NULL;
    enum status status = frame_await(writer, "hello", NULL, &frame);
    json_free(frame);
    if (status != STATUS_OK)
        return status;
    const char *token = writer->token;
    char *text =
        arena_printf(writer->arena,
                     "{\"op\":\"identify\",\"d\":{\"meeting\":\"soak\",\"name\":\"%s\""
                     "%s%s%s}}",
                     writer->name, token[0] ? ",\"token\":\"" : "", token, token[0] ? "\"" : "");
    status = text ? ws_client_send(writer->link, text) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = frame_await(writer, "dispatch", "ready", &frame);
    if (status != STATUS_OK)
        return status;
    token = json_get_text(json_get_object(frame, "d"), "token");
    if (!token || (writer->token[0] && strcmp(token, writer->token) != 0))
        soak_die(writer->soak, "came back as somebody else", writer->name);
    snprintf(writer->token, sizeof writer->token, "%s", token);
    json_free(frame);
    return STATUS_OK;
}

static void leave(struct writer *writer)
{
    writer->link = ws_client_close(writer->link);
}

static enum status come_in(struct writer *writer)
{
    struct ws_client *client = NULL;
    enum status status = ws_client_open(writer->soak->port, "/gateway", WRITER_READ_MS, &client);
    if (status != STATUS_OK)
        return status;
    writer->link = client;
    writer->s = 0;
    status = identify(writer);
    if (status != STATUS_OK)
        leave(writer);
    return status;
}

static enum status write_one(struct writer *writer, int number, int64_t *ret_id)
{
    struct json *reply = NULL;
    char *d = arena_printf(writer->arena, "{\"text\":\"%s %d\",\"nonce\":\"n%d\"}", writer->name,
                           number, number);
    enum status status = d ? command(writer, "chat.send", d, &reply) : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    const struct json *result = json_get_object(json_get_object(reply, "d"), "result");
    const char *id = json_get_text(json_get_object(result, "message"), "id");
    *ret_id = id ? strtoll(id, NULL, 10) : 0;
    json_free(reply);
    return STATUS_OK;
}

/* One page of the chat before `before`, into the reader's arena. */
static void page_fetch(struct writer *reader, const char *before, struct chat_page *ret_page)
{
    struct json *reply = NULL;
    struct json_error error = {""};
    char *d = before[0] ? arena_printf(reader->arena, "{\"before\":\"%s\",\"limit\":100}", before)
                        : arena_strdup(reader->arena, "{\"limit\":100}");
    enum status status = d ? command(reader, "chat.history", d, &reply) : STATUS_NO_MEMORY;
    const struct json *result = json_get_object(json_get_object(reply, "d"), "result");
    /* The pages are asked for faster than a session may. */
    if (status == STATUS_OK && result == NULL) {
        json_free(reply);
        soak_sleep_ms(20);
        page_fetch(reader, before, ret_page);
        return;
    }
    if (status == STATUS_OK)
        status = json_decode(&chat_page_table, result, reader->arena, ret_page, &error);
    json_free(reply);
    if (status != STATUS_OK)
        soak_die(reader->soak, "the chat cannot be read", error.text);
}

static void read_all(struct writer *reader)
{
    struct chat_page page = {.more = true};
    char before[24] = "";
    while (page.more) {
        arena_reset(reader->arena);
        page_fetch(reader, before, &page);
        const struct chat_message *messages = page.messages.items;
        for (size_t i = page.messages.count; i-- > 0;)
            soak_seen(reader->soak, messages[i].text, messages[i].id);
        if (page.messages.count > 0)
            snprintf(before, sizeof before, "%s", messages[0].id);
    }
}

const struct writer_kind writer_gateway = {"gateway", come_in, write_one, leave, read_all};
