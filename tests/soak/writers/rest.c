/*
 * tests/soak/writers/rest.c - writers over REST, into one space of one account.
 */
#include "core/json.h"
#include "modules/spaces/messages.h"
#include "tests/soak/writers/writers.h"
#include "tests/support/rest_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status come_in(struct writer *writer)
{
    struct rest_client *client = NULL;
    int code = 0;
    const char *body;
    enum status status = rest_client_open(writer->soak->port, WRITER_READ_MS, &client);
    if (status != STATUS_OK)
        return status;
    const struct rest_call call = {.method = "GET", .path = "/readyz"};
    status = rest_client_call(client, &call, &code, &body);
    if (status == STATUS_OK && code != 200)
        status = STATUS_AGAIN;
    if (status == STATUS_OK)
        writer->link = client;
    else
        rest_client_close(client);
    return status;
}

static void leave(struct writer *writer)
{
    writer->link = rest_client_close(writer->link);
}

/* The answer as JSON, which the caller frees. NULL: it is none. */
static struct json *parsed(const char *body)
{
    struct json *json = NULL;
    struct json_error error;
    return json_parse(body, strlen(body), &json, &error) == STATUS_OK ? json : NULL;
}

static enum status write_one(struct writer *writer, int number, int64_t *ret_id)
{
    char path[128], key[64], text[96];
    int code = 0;
    const char *body;
    snprintf(path, sizeof path, "/api/v1/spaces/%s/messages", writer->soak->space);
    snprintf(key, sizeof key, "%s %d", writer->name, number);
    snprintf(text, sizeof text, "{\"text\":\"%s\"}", key);
    const struct rest_call call = {
        .method = "POST", .path = path, .token = writer->soak->token, .key = key, .body = text};
    enum status status = rest_client_call(writer->link, &call, &code, &body);
    if (status != STATUS_OK)
        return status;
    if (code != 201) {
        /* 503 and 429 are a matter of time; anything else is a fault. */
        if (code != 503 && code != 429)
            soak_die(writer->soak, "a message is refused", body);
        *ret_id = 0;
        return STATUS_OK;
    }
    struct json *reply = parsed(body);
    const char *id = json_get_text(reply, "id");
    if (id == NULL)
        soak_die(writer->soak, "an answer without an id", body);
    *ret_id = strtoll(id, NULL, 10);
    json_free(reply);
    return STATUS_OK;
}

static void read_all(struct writer *reader)
{
    char path[192], cursor[64] = "";
    struct messages_page page = {.next_cursor = ""};
    while (page.next_cursor != NULL) {
        int code = 0;
        const char *body = "";
        struct json_error error = {""};
        arena_reset(reader->arena);
        snprintf(path, sizeof path, "/api/v1/spaces/%s/messages?limit=100%s%s", reader->soak->space,
                 cursor[0] ? "&cursor=" : "", cursor);
        const struct rest_call call = {.method = "GET", .path = path, .token = reader->soak->token};
        enum status status = rest_client_call(reader->link, &call, &code, &body);
        struct json *json = status == STATUS_OK ? parsed(body) : NULL;
        if (code != 200 ||
            json_decode(&messages_page_table, json, reader->arena, &page, &error) != STATUS_OK)
            soak_die(reader->soak, "the space cannot be read", body);
        json_free(json);
        const struct messages_message *messages = page.items.items;
        for (size_t i = 0; i < page.items.count; i++)
            soak_seen(reader->soak, messages[i].text, messages[i].id);
        if (page.next_cursor != NULL)
            snprintf(cursor, sizeof cursor, "%s", page.next_cursor);
    }
}

/* A text of the answer to a request that must succeed. */
static void ask(struct soak *soak, struct rest_client *client, const struct rest_call *call,
                const char *field, char *ret_value, size_t size)
{
    int code = 0;
    const char *body = "";
    enum status status = rest_client_call(client, call, &code, &body);
    struct json *json = status == STATUS_OK && code == 201 ? parsed(body) : NULL;
    const char *value = json != NULL ? json_get_text(json, field) : NULL;
    if (value == NULL || strlen(value) >= size)
        soak_die(soak, call->path, body);
    snprintf(ret_value, size, "%s", value);
    json_free(json);
}

void rest_prepare(struct soak *soak)
{
    struct rest_client *client = NULL;
    if (rest_client_open(soak->port, WRITER_READ_MS, &client) != STATUS_OK)
        soak_die(soak, "nobody answers", NULL);
    const struct rest_call setup = {
        .method = "POST",
        .path = "/api/v1/setup",
        .body = "{\"email\":\"soak@example.org\",\"name\":\"Soak\",\"password\":"
                "\"a pass phrase of the soak\"}"};
    ask(soak, client, &setup, "token", soak->token, sizeof soak->token);
    const struct rest_call space = {.method = "POST",
                                    .path = "/api/v1/spaces",
                                    .token = soak->token,
                                    .body = "{\"name\":\"soak\"}"};
    ask(soak, client, &space, "id", soak->space, sizeof soak->space);
    rest_client_close(client);
}

const struct writer_kind writer_rest = {"rest", come_in, write_one, leave, read_all};
