/*
 * signalling/api/profile.c - pictures of people. As other things that people upload they are served
 * with a policy that gives them no origin and no script.
 */
#include "modules/auth/profile.h"

#include "core/clock.h"
#include "signalling/api/accounts.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

#include <inttypes.h>

static enum status set(struct api_call *call, const void *bytes, size_t length)
{
    struct auth_user user;
    enum status status = profile_picture_set(call->api->auth, call->caller->user.id, bytes, length,
                                             clock_wall_ms(), call->arena, &user);
    if (status == STATUS_LIMIT)
        return api_problem(call, 413, "too_large", "at most 128 KiB and 512 x 512 pixels");
    if (status == STATUS_UNSUPPORTED)
        return api_problem(call, 415, "type", "PNG, JPEG and WebP are taken");
    if (status == STATUS_OK)
        presence_touched(call->api->presence, user.id);
    return status == STATUS_OK ? account_result(call, &user) : status;
}

static enum status run_set(struct api_call *call)
{
    if (call->request->body_length == 0)
        return api_problem(call, 400, "invalid", "the body is the picture");
    return set(call, call->request->body, call->request->body_length);
}

static enum status run_drop(struct api_call *call)
{
    return set(call, NULL, 0);
}

static enum status run_show(struct api_call *call)
{
    struct profile_picture picture;
    enum status status = profile_picture_get(call->api->auth, call->request->params[0],
                                             call->caller->user.id, call->arena, &picture);
    if (status != STATUS_OK)
        return status;
    http_reply_header(call->reply, "ETag",
                      arena_printf(call->arena, "\"%" PRId64 "\"", picture.version));
    /* Its address has its version: it is asked for once. */
    http_reply_header(call->reply, "Cache-Control", "private, max-age=31536000, immutable");
    http_reply_header(call->reply, "Content-Security-Policy", "sandbox; default-src 'none'");
    call->reply->status = 200;
    call->reply->content_type = picture.type;
    call->reply->body = picture.bytes;
    call->reply->body_length = picture.length;
    return STATUS_OK;
}

#define ROUTE(verb, path, function, ...)                                                           \
    {                                                                                              \
        .method = (verb), .pattern = "/api/v1/" path, .who = API_USER, .run = (function),          \
        __VA_ARGS__                                                                                \
    }

static const struct api_route routes[] = {
    ROUTE("PUT", "me/picture", run_set, .body_max = PICTURE_BYTES_MAX, .result = &user_shown_table,
          .doc = "The body is one's picture: PNG, JPEG or WebP of at most 512 x 512 pixels. 413, "
                 "415."),
    ROUTE("DELETE", "me/picture", run_drop, .result = &user_shown_table, .doc = "None any more."),
    ROUTE("GET", "users/{id}/picture", run_show, .type = "image/*",
          .doc = "Of somebody with whom one shares a space. `v` in the query is for caches alone."),
};

const struct api_table api_profile = API_TABLE(routes);
