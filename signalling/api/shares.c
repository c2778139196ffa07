/*
 * signalling/api/shares.c - links that show contents: made by members, visited by anybody.
 */
#include "modules/spaces/shares.h"

#include "core/clock.h"
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/contents.h"
#include "signalling/api/route.h"

static struct spaces_who who_asks(const struct api_call *call)
{
    return (struct spaces_who){call->space, call->caller->user.id};
}

/* ---- making ---- */

struct share_wish {
    const char *name, *password;
    bool everything, messages;
    struct json_list files;
    int64_t expires;
};

static const struct json_field share_wish_fields[] = {
    TEXT(share_wish, name, 0, SPACES_NAME_MAX, false, "stands on its page"),
    BOOL(share_wish, everything, "all files, also those that come later"),
    {.name = "files",
     .kind = JSON_FIELD_TEXTS,
     .offset = offsetof(struct share_wish, files),
     .max = SHARES_FILES_MAX,
     .item_max = CRYPTO_ID_CHARS,
     .doc = "instead: these files, and folders with what is in them"},
    BOOL(share_wish, messages, "the messages too"),
    TEXT(share_wish, password, SHARES_PASSWORD_MIN, PASSWORD_MAX, false, NULL),
    INT(share_wish, expires, 1, INT64_MAX, false, "ms since 1970; absent: in 7 days"),
};

static TABLE(share_wish, NULL);

static enum status add_share(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct share_wish *body = call->body;
    int64_t now_ms = clock_wall_ms();
    const struct shares_new wish = {.name = body->name,
                                    .everything = body->everything,
                                    .messages = body->messages,
                                    .files = body->files,
                                    .password = body->password,
                                    .life_ms = body->expires != 0 ? body->expires - now_ms : 0};
    struct shares_share *share = api_result(call, sizeof *share);
    if (share == NULL)
        return STATUS_NO_MEMORY;
    return shares_add(call->api->db, call->api->auth, &who, &wish, now_ms, call->arena, share);
}

static enum status list_shares(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct shares_list *list = api_result(call, sizeof *list);
    if (list == NULL)
        return STATUS_NO_MEMORY;
    return shares_all(call->api->db, &who, clock_wall_ms(), call->arena, list);
}

static enum status remove_share(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    return shares_remove(call->api->db, &who, call->request->params[1], clock_wall_ms());
}

/* ---- visiting ---- */

struct visit_query {
    const char *pass, *folder, *cursor;
};

static const struct json_field visit_query_fields[] = {
    TEXT(visit_query, pass, 1, SHARES_PASS_MAX, false, "of a link with a password"),
    TEXT(visit_query, folder, 1, CRYPTO_ID_CHARS, false, "of files; absent: what was chosen"),
    TEXT(visit_query, cursor, 0, 32, false, "next_cursor of the page before"),
};

static TABLE(visit_query, NULL);

static struct shares_visit visit_of(const struct api_call *call)
{
    const struct visit_query *query = call->query;
    return (struct shares_visit){
        .token = call->request->params[0], .pass = query->pass, .now_ms = clock_wall_ms()};
}

/* A password is asked for: 401, so that it is told from a link that is not. */
static enum status visited(struct api_call *call, enum status status)
{
    return status == STATUS_DENIED ? api_problem(call, 401, "password", "a password is asked for")
                                   : status;
}

static enum status look(struct api_call *call)
{
    const struct shares_visit visit = visit_of(call);
    struct shares_view *view = api_result(call, sizeof *view);
    if (view == NULL)
        return STATUS_NO_MEMORY;
    return visited(call, shares_look(call->api->db, &visit, call->arena, view));
}

static enum status list_files(struct api_call *call)
{
    const struct shares_visit visit = visit_of(call);
    const struct visit_query *query = call->query;
    struct shares_files *files = api_result(call, sizeof *files);
    if (files == NULL)
        return STATUS_NO_MEMORY;
    return visited(call, shares_files(call->api->db, &visit, query->folder, query->cursor,
                                      call->arena, files));
}

static enum status list_messages(struct api_call *call)
{
    const struct shares_visit visit = visit_of(call);
    const struct visit_query *query = call->query;
    struct shares_messages *messages = api_result(call, sizeof *messages);
    if (messages == NULL)
        return STATUS_NO_MEMORY;
    return visited(call,
                   shares_messages(call->api->db, &visit, query->cursor, call->arena, messages));
}

static enum status show_content(struct api_call *call)
{
    const struct shares_visit visit = visit_of(call);
    struct files_file file;
    struct object *object = NULL;
    enum status status = shares_open(call->api->db, call->api->objects, &visit,
                                     call->request->params[1], call->arena, &file, &object);
    return status == STATUS_OK ? contents_send(call, &file, object) : visited(call, status);
}

struct unlock {
    const char *password;
};

static const struct json_field unlock_fields[] = {
    TEXT(unlock, password, 1, PASSWORD_MAX, true, NULL),
};

static TABLE(unlock, NULL);

static enum status unlock_share(struct api_call *call)
{
    const struct unlock *body = call->body;
    const struct shares_key key = {.token = call->request->params[0],
                                   .password = body->password,
                                   .peer = call->request->loopback ? NULL : call->request->address};
    uint32_t wait_s = 0;
    struct shares_pass *pass = api_result(call, sizeof *pass);
    if (pass == NULL)
        return STATUS_NO_MEMORY;
    enum status status = shares_unlock(call->api->db, call->api->auth, &key, clock_wall_ms(),
                                       call->arena, pass, &wait_s);
    if (status == STATUS_LIMIT)
        return api_wait(call, wait_s);
    return status == STATUS_DENIED ? api_problem(call, 403, "password", "that is not the password")
                                   : status;
}

#define MAKER(verb, path, function, ...)                                                           \
    {                                                                                              \
        .method = (verb), .pattern = "/api/v1/spaces/{id}/shares" path, .who = API_MEMBER,         \
        .right = SPACES_LINK, .run = (function), __VA_ARGS__                                       \
    }
#define VISITOR(verb, path, function, ...)                                                         \
    {                                                                                              \
        .method = (verb), .pattern = "/api/v1/shares/{token}" path, .who = API_ANYONE,             \
        .run = (function), __VA_ARGS__                                                             \
    }

static const struct api_route routes[] = {
    MAKER("POST", "", add_share, .body = &share_wish_table, .result = &shares_share_table,
          .status = 201,
          .doc = "Makes a link that shows what is chosen to whoever has it, unless the space's "
                 "link policy is none. It works while its maker may make one."),
    MAKER("GET", "", list_shares, .result = &shares_list_table, .doc = "Those that are not over."),
    MAKER("DELETE", "/{share}", remove_share, .status = 204,
          .doc = "One's own; owners revoke any."),
    VISITOR("GET", "", look, .query = &visit_query_table, .result = &shares_view_table,
            .doc = "What it shows; counts a view. 404: it leads nowhere, or not any more. 401: a "
                   "password is asked for."),
    VISITOR("POST", "/pass", unlock_share, .body = &unlock_table, .result = &shares_pass_table,
            .doc = "A pass for the right password, for 12 hours."),
    VISITOR("GET", "/files", list_files, .query = &visit_query_table, .result = &shares_files_table,
            .doc = "What was chosen, or what is in a folder that was."),
    VISITOR("GET", "/files/{file}/content", show_content, .query = &visit_query_table,
            .type = "application/octet-stream",
            .doc = "The newest content of a file it shows. Range holds."),
    VISITOR("GET", "/messages", list_messages, .query = &visit_query_table,
            .result = &shares_messages_table, .doc = "The messages, when they were chosen."),
};

const struct api_table api_shares = API_TABLE(routes);
