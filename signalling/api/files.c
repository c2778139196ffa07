/*
 * signalling/api/files.c - the files of a space over REST.
 *
 * What people upload is not to be trusted: each content is served with a policy of its own that
 * gives it no origin and no script (Content-Security-Policy: sandbox), with nosniff, and as an
 * attachment unless its type is one that browsers only show.
 */
#include "modules/spaces/files.h"

#include "core/clock.h"
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char any_type[] = "application/octet-stream";

static struct spaces_who who_asks(const struct api_call *call)
{
    return (struct spaces_who){call->space, call->caller->user.id};
}

/* ---- adding ---- */

struct file_query {
    const char *name, *folder;
};

static const struct json_field file_query_fields[] = {
    TEXT(file_query, name, 1, FILES_NAME_MAX, true, NULL),
    TEXT(file_query, folder, 1, CRYPTO_ID_CHARS, false, "absent: the top"),
};

static TABLE(file_query, NULL);

static enum status add(struct api_call *call, const struct files_new *wish)
{
    const struct spaces_who who = who_asks(call);
    struct files_file *file = api_result(call, sizeof *file);
    if (file == NULL)
        return STATUS_NO_MEMORY;
    enum status status = files_add(call->api->db, call->api->objects, &who, wish, clock_wall_ms(),
                                   call->arena, file);
    return status == STATUS_LIMIT ? api_problem(call, 413, "full", "there is no room for it")
                                  : status;
}

/* The media type as it came, when it came. */
static const char *type_of(const struct api_call *call)
{
    const char *type = call->request->content_type;
    return type[0] != '\0' ? type : NULL;
}

static enum status add_file(struct api_call *call)
{
    const struct file_query *query = call->query;
    const struct files_new wish = {.name = query->name,
                                   .folder = query->folder,
                                   .type = type_of(call),
                                   .content = call->request->body,
                                   .length = call->request->body_length};
    return add(call, &wish);
}

static enum status add_version(struct api_call *call)
{
    const struct files_new wish = {.file = call->request->params[0],
                                   .type = type_of(call),
                                   .content = call->request->body,
                                   .length = call->request->body_length};
    return add(call, &wish);
}

struct folder_wish {
    const char *name, *folder;
};

static const struct json_field folder_wish_fields[] = {
    TEXT(folder_wish, name, 1, FILES_NAME_MAX, true, NULL),
    TEXT(folder_wish, folder, 1, CRYPTO_ID_CHARS, false, "the one it is in; absent: the top"),
};

static TABLE(folder_wish, NULL);

static enum status add_folder(struct api_call *call)
{
    const struct folder_wish *body = call->body;
    const struct files_new wish = {.name = body->name, .folder = body->folder, .is_folder = true};
    return add(call, &wish);
}

/* ---- reading ---- */

struct list_query {
    const char *folder, *cursor;
    bool deleted;
};

static const struct json_field list_query_fields[] = {
    TEXT(list_query, folder, 1, CRYPTO_ID_CHARS, false, "absent: the top"),
    TEXT(list_query, cursor, 0, CRYPTO_ID_CHARS, false, "next_cursor of the page before"),
    BOOL(list_query, deleted, "what can be brought back instead, of all folders; needs `write`"),
};

static TABLE(list_query, NULL);

static enum status list_files(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct list_query *wish = call->query;
    const struct files_query query = {wish->folder, wish->cursor, wish->deleted};
    struct files_list *list = api_result(call, sizeof *list);
    if (list == NULL)
        return STATUS_NO_MEMORY;
    return files_list(call->api->db, &who, &query, call->arena, list);
}

static enum status show_file(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct files_file *file = api_result(call, sizeof *file);
    if (file == NULL)
        return STATUS_NO_MEMORY;
    return files_get(call->api->db, &who, call->request->params[0], call->arena, file);
}

static enum status list_versions(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct files_versions *versions = api_result(call, sizeof *versions);
    if (versions == NULL)
        return STATUS_NO_MEMORY;
    return files_versions(call->api->db, &who, call->request->params[0], call->arena, versions);
}

/* ---- contents ---- */

struct content_query {
    int64_t version;
};

static const struct json_field content_query_fields[] = {
    INT(content_query, version, 1, INT64_MAX, false, "absent: the newest"),
};

static TABLE(content_query, NULL);

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

static enum status content_read(struct api_call *call, struct object *object, int64_t first,
                                size_t length)
{
    char *bytes = arena_alloc(call->arena, length + 1);
    size_t got = 0;
    enum status status = bytes != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    while (status == STATUS_OK && got < length) {
        size_t part = 0;
        status = object_read(object, first + (int64_t)got, bytes + got, length - got, &part);
        got += part;
        if (status == STATUS_OK && part == 0)
            status = STATUS_CORRUPT;
    }
    call->reply->body = bytes;
    call->reply->body_length = length;
    return status;
}

static enum status content_answer(struct api_call *call, const struct files_file *file,
                                  struct object *object, int64_t version)
{
    const char *range = http_header(call->request, "range");
    const char *if_range = http_header(call->request, "if-range");
    size_t size = (size_t)object_size(object), first = 0, last = size - 1;
    const char *tag = arena_printf(call->arena, "\"%s-%" PRId64 "\"", file->id,
                                   version != 0 ? version : file->version);
    enum http_range found = HTTP_RANGE_NONE;
    if (tag == NULL)
        return STATUS_NO_MEMORY;
    if (range != NULL && (if_range == NULL || strcmp(if_range, tag) == 0))
        found = http_range(range, size, &first, &last);
    http_reply_header(call->reply, "ETag", tag);
    http_reply_header(call->reply, "Accept-Ranges", "bytes");
    http_reply_header(call->reply, "Cache-Control", "private, no-cache");
    http_reply_header(call->reply, "Content-Security-Policy",
                      "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; "
                      "img-src 'self'");
    http_reply_header(call->reply, "Content-Disposition", disposition(file, call->arena));
    call->reply->content_type = file->type;
    call->reply->status = found == HTTP_RANGE_PART ? 206 : 200;
    if (found == HTTP_RANGE_PART)
        http_reply_header(call->reply, "Content-Range",
                          arena_printf(call->arena, "bytes %zu-%zu/%zu", first, last, size));
    if (found == HTTP_RANGE_OUTSIDE) {
        http_reply_header(call->reply, "Content-Range",
                          arena_printf(call->arena, "bytes */%zu", size));
        return api_problem(call, 416, "range", "it is shorter than that");
    }
    enum status status =
        content_read(call, object, (int64_t)first, size == 0 ? 0 : last - first + 1);
    if (status != STATUS_OK)
        *call->reply = (struct http_reply){0};
    return status;
}

static enum status show_content(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct content_query *query = call->query;
    struct files_file file;
    struct object *object = NULL;
    enum status status =
        files_open(call->api->db, call->api->objects, &who, call->request->params[0],
                   query->version, call->arena, &file, &object);
    if (status == STATUS_OK)
        status = content_answer(call, &file, object, query->version);
    object_close(object);
    return status;
}

/* ---- changing ---- */

struct file_change {
    const char *name, *folder;
    enum json_maybe deleted;
};

static const struct json_field file_change_fields[] = {
    TEXT(file_change, name, 1, FILES_NAME_MAX, false, NULL),
    TEXT(file_change, folder, 0, CRYPTO_ID_CHARS, false, "where it goes; empty: the top"),
    MAYBE(file_change, deleted, "false brings it back"),
};

static TABLE(file_change, NULL);

static enum status change_file(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct file_change *wish = call->body;
    const struct files_change change = {wish->name, wish->folder, wish->deleted};
    struct files_file *file = api_result(call, sizeof *file);
    if (file == NULL)
        return STATUS_NO_MEMORY;
    return files_change(call->api->db, &who, call->request->params[0], &change, clock_wall_ms(),
                        call->arena, file);
}

static enum status delete_file(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    return files_delete(call->api->db, call->api->objects, &who, call->request->params[0],
                        clock_wall_ms());
}

#define ROUTE(verb, path, needed, function, ...)                                                   \
    {                                                                                              \
        .method = (verb), .pattern = "/api/v1/" path, .who = API_MEMBER, .right = (needed),        \
        .run = (function), __VA_ARGS__                                                             \
    }

static const struct api_route routes[] = {
    ROUTE("POST", "spaces/{id}/files", SPACES_WRITE, add_file, .query = &file_query_table,
          .body_max = HTTP_BODY_MAX, .result = &files_file_table, .status = 201,
          .doc = "Adds a file: the body is its content, Content-Type its media type."),
    ROUTE("GET", "spaces/{id}/files", SPACES_READ, list_files, .query = &list_query_table,
          .result = &files_list_table, .doc = "Files and folders of a folder, by id."),
    ROUTE("POST", "spaces/{id}/folders", SPACES_WRITE, add_folder, .body = &folder_wish_table,
          .result = &files_file_table, .status = 201, .doc = "Makes a folder."),
    ROUTE("GET", "files/{id}", SPACES_READ, show_file, .result = &files_file_table,
          .doc = "A file or folder."),
    ROUTE("PATCH", "files/{id}", SPACES_WRITE, change_file, .body = &file_change_table,
          .result = &files_file_table, .doc = "Renames it, moves it, brings it back."),
    ROUTE("DELETE", "files/{id}", SPACES_WRITE, delete_file, .status = 204,
          .doc = "Deletes it, so that it can be brought back; deleted already, for good. 409: a "
                 "folder with something in it goes for good only after that."),
    ROUTE("GET", "files/{id}/content", SPACES_READ, show_content, .query = &content_query_table,
          .type = any_type,
          .doc = "Its content, of an earlier version with `history`. Range holds."),
    ROUTE("GET", "files/{id}/versions", SPACES_HISTORY, list_versions,
          .result = &files_versions_table, .doc = "Its contents, newest first."),
    ROUTE("POST", "files/{id}/versions", SPACES_WRITE, add_version, .body_max = HTTP_BODY_MAX,
          .result = &files_file_table, .status = 201,
          .doc = "Another content; the earlier one is kept."),
};

const struct api_table api_files = API_TABLE(routes);
