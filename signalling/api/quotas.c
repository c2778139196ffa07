/*
 * signalling/api/quotas.c - how much accounts and spaces keep, and may.
 */
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"
#include "storage/objects/objects.h"

#include <string.h>

struct quota {
    int64_t bytes, max;
    bool own;
};

static const struct json_field quota_fields[] = {
    INT(quota, bytes, 0, INT64_MAX, true, "kept, earlier versions, the bin and uploads too"),
    INT(quota, max, 0, INT64_MAX, true, "bytes"),
    BOOL(quota, own, "an admin has set it; else it is what holds for all"),
};

static TABLE(quota, "What files may take.");

static enum status quota_show(struct api_call *call, char kind, const char *holder)
{
    struct objects_usage usage;
    struct quota *quota = api_result(call, sizeof *quota);
    if (quota == NULL)
        return STATUS_NO_MEMORY;
    enum status status = objects_usage(call->api->objects, kind, holder, &usage);
    if (status == STATUS_OK)
        *quota = (struct quota){usage.bytes, usage.max, usage.own};
    return status;
}

static enum status show_mine(struct api_call *call)
{
    return quota_show(call, 'u', call->caller->user.id);
}

static enum status show_space(struct api_call *call)
{
    return quota_show(call, 's', call->space);
}

struct quota_wish {
    int64_t max;
};

static const struct json_field quota_wish_fields[] = {
    INT(quota_wish, max, -1, OBJECTS_SIZE_MAX, true, "bytes; -1: what holds for all"),
};

static TABLE(quota_wish, NULL);

static enum status quota_set(struct api_call *call, char kind)
{
    const struct quota_wish *wish = call->body;
    const char *holder = call->request->params[0];
    if (strlen(holder) > OBJECTS_HOLDER_MAX)
        return STATUS_NOT_FOUND;
    enum status status = objects_quota_set(call->api->objects, kind, holder, wish->max);
    return status == STATUS_OK ? quota_show(call, kind, holder) : status;
}

static enum status set_user(struct api_call *call)
{
    struct auth_user user;
    enum status status =
        auth_user_get(call->api->auth, call->request->params[0], call->arena, &user);
    return status == STATUS_OK ? quota_set(call, 'u') : status;
}

static enum status show_user(struct api_call *call)
{
    return quota_show(call, 'u', call->request->params[0]);
}

static enum status set_space(struct api_call *call)
{
    return quota_set(call, 's');
}

static enum status show_any_space(struct api_call *call)
{
    return quota_show(call, 's', call->request->params[0]);
}

static const struct api_route routes[] = {
    {.method = "GET",
     .pattern = "/api/v1/me/quota",
     .who = API_USER,
     .run = show_mine,
     .result = &quota_table,
     .doc = "What one keeps in all spaces."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/quota",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .run = show_space,
     .result = &quota_table,
     .doc = "What the space keeps."},
    {.method = "GET",
     .pattern = "/api/v1/quotas/users/{user}",
     .who = API_ADMIN,
     .run = show_user,
     .result = &quota_table,
     .doc = "Of an account."},
    {.method = "PUT",
     .pattern = "/api/v1/quotas/users/{user}",
     .who = API_ADMIN,
     .run = set_user,
     .body = &quota_wish_table,
     .result = &quota_table,
     .doc = "Sets an account's. Less than it keeps already only refuses more."},
    {.method = "GET",
     .pattern = "/api/v1/quotas/spaces/{space}",
     .who = API_ADMIN,
     .run = show_any_space,
     .result = &quota_table,
     .doc = "Of a space, whose id an operator has from `parley space list`."},
    {.method = "PUT",
     .pattern = "/api/v1/quotas/spaces/{space}",
     .who = API_ADMIN,
     .run = set_space,
     .body = &quota_wish_table,
     .result = &quota_table,
     .doc = "Sets a space's, likewise."},
};

const struct api_table api_quotas = API_TABLE(routes);
