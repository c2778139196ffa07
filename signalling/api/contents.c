/*
 * signalling/api/contents.c - contents of files go out, as their readers take them.
 *
 * What people upload is not to be trusted: each content is served with a policy of its own that
 * gives it no origin and no script (Content-Security-Policy: sandbox), with nosniff, and as an
 * attachment unless its type is one that browsers only show.
 */
#include "signalling/api/contents.h"

#include "core/fields.h"
#include "signalling/api/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types that browsers show without running anything in them. */
static bool type_is_shown(const char *type)
{
    static const char *const shown[] = {"image/png",  "image/jpeg", "image/gif",      "image/webp",
                                        "image/avif", "text/plain", "application/pdf"};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (strcmp(type, shown[i]) == 0)
            return true;
    }
    return strncmp(type, "audio/", 6) == 0 || strncmp(type, "video/", 6) == 0;
}

/* RFC 6266 with the name as RFC 8187 has it: nothing but unreserved bytes stands for itself. */
static const char *disposition(const struct files_file *file, struct arena *arena)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    char name[3 * FILES_NAME_MAX + 1], *out = name;
    for (const char *at = file->name; *at != '\0'; at++) {
        if (strchr(plain, *at) != NULL)
            *out++ = *at;
        else
            out += snprintf(out, 4, "%%%02X", (unsigned)(unsigned char)*at);
    }
    *out = '\0';
    return arena_printf(arena, "%s; filename*=UTF-8''%s",
                        type_is_shown(file->type) ? "inline" : "attachment", name);
}

struct sending {
    struct object *object;
    int64_t at;
};

static enum status sending_read(void *context, void *ret_bytes, size_t size, size_t *ret_got)
{
    struct sending *sending = context;
    enum status status = object_read(sending->object, sending->at, ret_bytes, size, ret_got);
    if (status == STATUS_OK)
        sending->at += (int64_t)*ret_got;
    return status;
}

static void sending_free(void *context)
{
    struct sending *sending = context;
    object_close(sending->object);
    free(sending);
}

/* What each content is served with, whichever part of it. */
static void fields_add(struct api_call *call, const struct files_file *file, const char *tag)
{
    http_reply_header(call->reply, "ETag", tag);
    http_reply_header(call->reply, "Accept-Ranges", "bytes");
    http_reply_header(call->reply, "Cache-Control", "private, no-cache");
    http_reply_header(call->reply, "Content-Security-Policy",
                      "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; "
                      "img-src 'self'");
    http_reply_header(call->reply, "Content-Disposition", disposition(file, call->arena));
}

static enum status part_send(struct api_call *call, struct object *object, size_t first,
                             size_t length)
{
    struct sending *sending = malloc(sizeof *sending);
    if (sending == NULL) {
        object_close(object);
        return STATUS_NO_MEMORY;
    }
    *sending = (struct sending){object, (int64_t)first};
    call->reply->source =
        (struct http_source){.length = length, .read = sending_read, .free = sending_free};
    call->reply->source.context = sending;
    return STATUS_OK;
}

enum status contents_send(struct api_call *call, const struct files_file *file,
                          struct object *object)
{
    const char *range = http_header(call->request, "range");
    const char *if_range = http_header(call->request, "if-range");
    const char *if_none = http_header(call->request, "if-none-match");
    size_t size = (size_t)object_size(object), first = 0, last = size - 1;
    enum http_range found = HTTP_RANGE_NONE;
    const char *tag = arena_printf(call->arena, "\"%s-%" PRId64 "\"", file->id, file->version);
    if (tag == NULL) {
        object_close(object);
        return STATUS_NO_MEMORY;
    }
    fields_add(call, file, tag);
    if (if_none != NULL && strstr(if_none, tag) != NULL) {
        object_close(object);
        call->reply->status = 304;
        return STATUS_OK;
    }
    if (range != NULL && (if_range == NULL || strcmp(if_range, tag) == 0))
        found = http_range(range, size, &first, &last);
    if (found == HTTP_RANGE_OUTSIDE) {
        object_close(object);
        http_reply_header(call->reply, "Content-Range",
                          arena_printf(call->arena, "bytes */%zu", size));
        return api_problem(call, 416, "range", "it is shorter than that");
    }
    if (found == HTTP_RANGE_PART)
        http_reply_header(call->reply, "Content-Range",
                          arena_printf(call->arena, "bytes %zu-%zu/%zu", first, last, size));
    call->reply->content_type = file->type;
    call->reply->status = found == HTTP_RANGE_PART ? 206 : 200;
    return part_send(call, object, first, size == 0 ? 0 : last - first + 1);
}

struct content_query {
    int64_t version;
};

static const struct json_field content_query_fields[] = {
    INT(content_query, version, 1, INT64_MAX, false, "absent: the newest"),
};

static TABLE(content_query, NULL);

static enum status show_content(struct api_call *call)
{
    const struct spaces_who who = {call->space, call->caller->user.id};
    const struct content_query *query = call->query;
    struct files_file file;
    struct object *object = NULL;
    enum status status =
        files_open(call->api->db, call->api->objects, &who, call->request->params[0],
                   query->version, call->arena, &file, &object);
    if (status != STATUS_OK)
        return status;
    file.version = query->version != 0 ? query->version : file.version;
    return contents_send(call, &file, object);
}

static const struct api_route routes[] = {
    {.method = "GET",
     .pattern = "/api/v1/files/{id}/content",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = show_content,
     .query = &content_query_table,
     .type = "application/octet-stream",
     .doc = "Its content, of an earlier version with `history`. Range holds."},
};

const struct api_table api_contents = API_TABLE(routes);
