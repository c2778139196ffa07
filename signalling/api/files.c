/*
 * signalling/api/files.c - the files of a space over REST; their contents are in contents.c.
 */
#include "modules/spaces/files.h"

#include "core/clock.h"
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

static struct spaces_who who_asks(const struct api_call *call)
{
    return (struct spaces_who){call->space, call->caller->user.id};
}

/* ---- adding ---- */

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
    const struct spaces_who who = who_asks(call);
    const struct files_new wish = {.name = body->name, .folder = body->folder, .is_folder = true};
    struct files_file *file = api_result(call, sizeof *file);
    if (file == NULL)
        return STATUS_NO_MEMORY;
    enum status status = files_add(call->api->db, call->api->objects, &who, &wish, clock_wall_ms(),
                                   call->arena, file);
    return status == STATUS_LIMIT ? api_problem(call, 413, "full", "the folder above is full")
                                  : status;
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

/* ---- changing ---- */

struct file_change {
    const char *name, *folder;
    enum json_maybe deleted;
    int64_t version;
};

static const struct json_field file_change_fields[] = {
    TEXT(file_change, name, 1, FILES_NAME_MAX, false, NULL),
    TEXT(file_change, folder, 0, CRYPTO_ID_CHARS, false, "where it goes; empty: the top"),
    MAYBE(file_change, deleted, "false brings it back"),
    INT(file_change, version, 1, INT64_MAX, false,
        "an earlier content becomes the newest, under a new number"),
};

static TABLE(file_change, NULL);

static enum status change_file(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct file_change *wish = call->body;
    const struct files_change change = {wish->name, wish->folder, wish->deleted, wish->version};
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
    ROUTE("GET", "spaces/{id}/files", SPACES_READ, list_files, .guests = true,
          .query = &list_query_table, .result = &files_list_table,
          .doc = "Files and folders of a folder, by id."),
    ROUTE("POST", "spaces/{id}/folders", SPACES_WRITE, add_folder, .body = &folder_wish_table,
          .result = &files_file_table, .status = 201, .doc = "Makes a folder."),
    ROUTE("GET", "files/{id}", SPACES_READ, show_file, .guests = true, .result = &files_file_table,
          .doc = "A file or folder."),
    ROUTE("PATCH", "files/{id}", SPACES_WRITE, change_file, .body = &file_change_table,
          .result = &files_file_table,
          .doc = "Renames it, moves it, brings it or an earlier version back."),
    ROUTE("DELETE", "files/{id}", SPACES_WRITE, delete_file, .status = 204,
          .doc = "Deletes it, so that it can be brought back; deleted already, for good. 409: a "
                 "folder with something in it goes for good only after that."),
    ROUTE("GET", "files/{id}/versions", SPACES_HISTORY, list_versions,
          .result = &files_versions_table, .doc = "Its contents, newest first."),
};

const struct api_table api_files = API_TABLE(routes);
