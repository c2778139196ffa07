/*
 * signalling/api/push.c - push to the device one is signed in on.
 */
#include "modules/push/push.h"

#include "core/clock.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

static enum status run_show(struct api_call *call)
{
    struct push_state *state = api_result(call, sizeof *state);
    return state != NULL ? push_get(call->api->push, call->caller->session, call->arena, state)
                         : STATUS_NO_MEMORY;
}

static enum status run_set(struct api_call *call)
{
    enum status status = push_set(call->api->push, call->caller->user.id, call->caller->session,
                                  call->body, clock_wall_ms());
    return status == STATUS_OK ? run_show(call) : status;
}

static enum status run_drop(struct api_call *call)
{
    return push_drop(call->api->push, call->caller->session);
}

static enum status run_try(struct api_call *call)
{
    return push_try(call->api->push, call->caller->session, clock_wall_ms());
}

static const struct api_route routes[] = {
    {.method = "GET",
     .pattern = "/api/v1/me/push",
     .who = API_USER,
     .run = run_show,
     .result = &push_state_table,
     .doc = "Whether this device is told by push, and the server's key."},
    {.method = "PUT",
     .pattern = "/api/v1/me/push",
     .who = API_USER,
     .run = run_set,
     .body = &push_wish_table,
     .result = &push_state_table,
     .doc = "Tell this device by push: mentions, answers and direct messages that are not read."},
    {.method = "DELETE",
     .pattern = "/api/v1/me/push",
     .who = API_USER,
     .run = run_drop,
     .status = 204,
     .doc = "Do not tell this device any more."},
    {.method = "POST",
     .pattern = "/api/v1/me/push/test",
     .who = API_USER,
     .run = run_try,
     .status = 204,
     .doc =
         "Tell this device something now, to see whether it comes. 404: it is not told by push."},
};

const struct api_table api_push = API_TABLE(routes);
