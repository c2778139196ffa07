/*
 * signalling/api/phones.c - telephones over REST: dialling in, calling out, records of calls.
 */
#include "core/clock.h"
#include "core/fields.h"
#include "modules/meetings/registry_pin.h"
#include "modules/phone/records.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"
#include "signalling/sip/dialout.h"
#include "signalling/sip/pins.h"

#include <string.h>

/* ---- GET /meetings/{id}/phone ---- */

static enum status show_phone(struct api_call *call)
{
    struct msg_phone *phone = api_result(call, sizeof *phone);
    if (phone == NULL)
        return STATUS_NO_MEMORY;
    *phone = (struct msg_phone){.pin = "",
                                .numbers = dialout_numbers(call->api->dialin),
                                .dial = dialout_may(call->api->dialin, true)};
    if (call->api->dialin == NULL)
        return STATUS_OK;
    return registry_pin(call->api->db, call->request->params[0], call->arena, &phone->pin);
}

/* ---- PUT /meetings/{id}/pin ---- */

static enum status set_pin(struct api_call *call)
{
    const struct msg_pin *wish = call->body;
    struct dialin *dialin = call->api->dialin;
    const struct pins_wish choice = {.meeting = call->request->params[0],
                                     .pin = wish->pin,
                                     .account = call->caller != NULL ? call->caller->user.id : NULL,
                                     .source = call->request->address};
    if (dialin == NULL)
        return api_problem(call, 409, "unsupported", "there are no telephones on this server");
    enum status status = pins_choose(dialin_pins(dialin), call->api->db, &choice,
                                     clock_mono_ns() / CLOCK_NS_PER_MS, clock_wall_ms());
    if (status == STATUS_LIMIT)
        return api_problem(call, 429, "pin_tries", "too many PINs were tried: wait an hour");
    if (status == STATUS_INVALID)
        return api_problem(call, 422, "pin",
                           "choose another PIN: 6 to 16 digits that are not easily guessed");
    return status == STATUS_OK ? show_phone(call) : status;
}

/* ---- POST /meetings/{id}/calls ---- */

struct call_made {
    const char *id;
};

static const struct json_field call_made_fields[] = {
    TEXT(call_made, id, 1, MEETING_DIAL_ID_MAX, true, "as in the gateway's dials"),
};
static TABLE(call_made, NULL);

static enum status make_call(struct api_call *call)
{
    const struct msg_dial_wish *body = call->body;
    enum dialing_answer answer = DIALING_OK;
    char id[MEETING_DIAL_ID_MAX + 1];
    bool named = body->name != NULL && body->name[0] != '\0';
    if (named && !registry_name_valid(body->name))
        return STATUS_INVALID;
    const struct dialout_wish wish = {.meeting = call->request->params[0],
                                      .participant = "",
                                      .host = true,
                                      .number = body->number,
                                      .name = named ? body->name : NULL,
                                      .from =
                                          call->caller != NULL ? call->caller->user.name : NULL};
    struct call_made *made = api_result(call, sizeof *made);
    if (made == NULL)
        return STATUS_NO_MEMORY;
    enum status status = dialout_begin(call->api->dialin, &wish, id, &answer);
    if (answer != DIALING_OK)
        return api_problem(call, status == STATUS_INVALID ? 422 : 403, dialing_code(answer),
                           dialing_text(answer));
    if (status == STATUS_NOT_FOUND)
        return api_problem(call, 409, "empty", "nobody is in the meeting");
    if (status == STATUS_OK)
        made->id = arena_strdup(call->arena, id);
    return status != STATUS_OK || made->id != NULL ? status : STATUS_NO_MEMORY;
}

static enum status end_call(struct api_call *call)
{
    return dialout_cancel(call->api->dialin, call->request->params[0], "",
                          call->request->params[1]);
}

/* ---- GET /calls.csv ---- */

struct calls_query {
    int64_t from, until;
};

static const struct json_field calls_query_fields[] = {
    INT(calls_query, from, 0, INT64_MAX, false, "ms since 1970: calls begun since; absent: all"),
    INT(calls_query, until, 0, INT64_MAX, false, "calls begun before; absent: now"),
};
static TABLE(calls_query, NULL);

static enum status export_calls(struct api_call *call)
{
    const struct calls_query *query = call->query;
    int64_t until = query->until != 0 ? query->until : clock_wall_ms() + 1;
    struct json_list records;
    const char *csv = NULL;
    enum status status = records_list(call->api->db, query->from, until, call->arena, &records);
    if (status == STATUS_OK)
        status = records_csv(&records, call->arena, &csv);
    if (status != STATUS_OK)
        return status;
    http_reply_header(call->reply, "Content-Disposition", "attachment; filename=\"calls.csv\"");
    call->reply->status = 200;
    call->reply->content_type = "text/csv; charset=utf-8; header=present";
    call->reply->body = csv;
    call->reply->body_length = strlen(csv);
    return STATUS_OK;
}

static const struct api_route routes[] = {
    {.method = "GET",
     .pattern = "/api/v1/meetings/{id}/phone",
     .who = API_HOST,
     .run = show_phone,
     .result = &msg_phone_table,
     .doc = "How to take part by telephone. The PIN is made when it is first asked for."},
    {.method = "PUT",
     .pattern = "/api/v1/meetings/{id}/pin",
     .who = API_HOST,
     .run = set_pin,
     .body = &msg_pin_table,
     .result = &msg_phone_table,
     .doc = "A PIN that the host chose. 422 when it is easily guessed, or not to be had; 429 after "
            "five in an hour."},
    {.method = "POST",
     .pattern = "/api/v1/meetings/{id}/calls",
     .who = API_HOST,
     .run = make_call,
     .body = &msg_dial_wish_table,
     .result = &call_made_table,
     .status = 201,
     .doc = "Calls somebody out of the meeting, in which somebody must be. 403 with why not."},
    {.method = "DELETE",
     .pattern = "/api/v1/meetings/{id}/calls/{call}",
     .who = API_HOST,
     .run = end_call,
     .status = 204,
     .doc = "Ends a call that is being made."},
    {.method = "GET",
     .pattern = "/api/v1/calls.csv",
     .who = API_ADMIN,
     .run = export_calls,
     .query = &calls_query_table,
     .type = "text/csv",
     .doc = "Records of telephone calls, oldest first, 2,500 at most: go on with `from`."},
};

const struct api_table api_phones = API_TABLE(routes);
