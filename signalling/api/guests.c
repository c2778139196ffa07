/*
 * signalling/api/guests.c - guests of a space, who come by a link with a name, over REST.
 */
#include "modules/spaces/guests.h"

#include "core/clock.h"
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/callers.h"
#include "signalling/api/route.h"
#include "signalling/gateway/signed_in.h"

#include <string.h>

struct guest_wish {
    const char *name;
    bool cookie;
};

static const struct json_field guest_wish_fields[] = {
    TEXT(guest_wish, name, 1, AUTH_NAME_MAX, true, "shown with what they write"),
    BOOL(guest_wish, cookie, "for pages: the token is set as a cookie and not shown"),
};

static TABLE(guest_wish, NULL);

struct guest_in {
    const char *id, *space, *name, *token, *csrf;
    int64_t expires;
};

static const struct json_field guest_in_fields[] = {
    TEXT(guest_in, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(guest_in, space, 1, SPACES_ID_MAX, true, "the one they are in"),
    TEXT(guest_in, name, 1, AUTH_NAME_MAX, true, NULL),
    TEXT(guest_in, token, 1, SPACES_TOKEN_CHARS, false, "absent with `cookie`"),
    TEXT(guest_in, csrf, 1, CRYPTO_TOKEN_CHARS, false, "with `cookie`: X-CSRF-Token of writes"),
    INT(guest_in, expires, 0, INT64_MAX, true, "with the link; ms since 1970"),
};

static TABLE(guest_in, "A guest's session.");

static enum status enter(struct api_call *call)
{
    const struct guest_wish *wish = call->body;
    struct guest_in *in = api_result(call, sizeof *in);
    struct spaces_guest guest;
    if (in == NULL)
        return STATUS_NO_MEMORY;
    enum status status = guests_enter(call->api->db, call->request->params[0], wish->name,
                                      clock_wall_ms(), call->arena, &guest);
    if (status != STATUS_OK)
        return status;
    *in = (struct guest_in){
        .id = guest.id, .space = guest.space, .name = guest.name, .expires = guest.expires};
    if (!wish->cookie) {
        in->token = guest.token;
        return STATUS_OK;
    }
    in->csrf = caller_cookie_set(call->reply, guest.token, call->arena);
    return in->csrf != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status list_guests(struct api_call *call)
{
    const struct spaces_who who = {call->space, call->caller->user.id};
    struct spaces_guests *guests = api_result(call, sizeof *guests);
    if (guests == NULL)
        return STATUS_NO_MEMORY;
    int64_t now_ms = clock_wall_ms();
    enum status status = guests_list(call->api->db, &who, now_ms, call->arena, guests);
    struct spaces_guest *items = guests->items.items;
    for (size_t i = 0; status == STATUS_OK && i < guests->items.count; i++) {
        /* Whose socket is open is seen right now. */
        if (items[i].seen != 0 && call->api->signed_in != NULL &&
            signed_in_has(call->api->signed_in, items[i].id))
            items[i].seen = now_ms;
    }
    return status;
}

/* {guest}, which may be "me". */
static enum status remove_guest(struct api_call *call)
{
    const struct spaces_who who = {call->space, call->caller->user.id};
    const char *id = call->request->params[1];
    bool leaves = strcmp(id, "me") == 0;
    enum status status =
        guests_remove(call->api->db, &who, leaves ? who.account : id, clock_wall_ms());
    if (status == STATUS_OK && leaves && call->caller->cookie)
        caller_cookie_clear(call->reply);
    return status;
}

static const struct api_route routes[] = {
    {.method = "POST",
     .pattern = "/api/v1/links/{token}/guests",
     .who = API_ANYONE,
     .run = enter,
     .body = &guest_wish_table,
     .result = &guest_in_table,
     .status = 201,
     .doc = "Enters the space of a link that lets guests in, by a name. The session is good for "
            "that space alone and ends with the link."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/guests",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = list_guests,
     .result = &spaces_guests_table,
     .doc = "Who is in it by a link and a name."},
    {.method = "DELETE",
     .pattern = "/api/v1/spaces/{id}/guests/{guest}",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = remove_guest,
     .status = 204,
     .doc = "Guests leave ({guest} may be `me`), owners put them out."},
};

const struct api_table api_guests = API_TABLE(routes);
