/*
 * signalling/api/spaces.c - spaces, members and invitations over REST.
 */
#include "modules/spaces/spaces.h"

#include "core/clock.h"
#include "core/fields.h"
#include "modules/spaces/files.h"
#include "modules/spaces/links.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

#include <string.h>

static struct spaces_who who_asks(const struct api_call *call)
{
    return (struct spaces_who){call->request->params[0], call->caller->user.id};
}

/* ---- spaces ---- */

struct space_wish {
    const char *name, *kind, *with;
};

static const struct json_field space_wish_fields[] = {
    TEXT(space_wish, name, 1, SPACES_NAME_MAX, false,
         "a space has one, a group may, a direct one not"),
    CHOICE(space_wish, kind, "space|group|direct", false, "absent: space"),
    TEXT(space_wish, with, 1, CRYPTO_ID_CHARS, false, "the other's id, of a direct one"),
};

static TABLE(space_wish, NULL);

static enum status create_space(struct api_call *call)
{
    const struct space_wish *wish = call->body;
    const struct spaces_new new = {.account = call->caller->user.id,
                                   .kind = wish->kind,
                                   .name = wish->name,
                                   .with = wish->with};
    struct spaces_space *space = api_result(call, sizeof *space);
    if (space == NULL)
        return STATUS_NO_MEMORY;
    return spaces_create(call->api->db, &new, clock_wall_ms(), call->arena, space);
}

static enum status list_spaces(struct api_call *call)
{
    struct spaces_list *list = api_result(call, sizeof *list);
    if (list == NULL)
        return STATUS_NO_MEMORY;
    return spaces_list(call->api->db, call->caller->user.id, clock_wall_ms(), call->arena, list);
}

static enum status show_space(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct spaces_space *space = api_result(call, sizeof *space);
    if (space == NULL)
        return STATUS_NO_MEMORY;
    enum status status = spaces_get(call->api->db, &who, call->arena, space);
    if (status == STATUS_OK)
        api_etag(call, space->version);
    return status;
}

struct space_change {
    const char *name, *links;
    enum json_maybe archived;
};

static const struct json_field space_change_fields[] = {
    TEXT(space_change, name, 1, SPACES_NAME_MAX, false, NULL),
    CHOICE(space_change, links, "none|viewer|editor", false, "the most that links may give"),
    MAYBE(space_change, archived, "it can be read only"),
};

static TABLE(space_change, NULL);

static enum status change_space(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct space_change *wish = call->body;
    struct spaces_change change = {
        .name = wish->name, .links = wish->links, .archived = wish->archived};
    struct spaces_space *space = api_result(call, sizeof *space);
    if (space == NULL)
        return STATUS_NO_MEMORY;
    change.version = api_version_wanted(call);
    enum status status =
        spaces_change(call->api->db, &who, &change, clock_wall_ms(), call->arena, space);
    if (status == STATUS_OUT_OF_WINDOW)
        return api_changed(call);
    if (status == STATUS_OK)
        api_etag(call, space->version);
    return status;
}

static enum status delete_space(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    enum status status =
        spaces_delete(call->api->db, &who, api_version_wanted(call), clock_wall_ms());
    if (status == STATUS_OK)
        status = files_purge(call->api->db, call->api->objects, who.space);
    return status == STATUS_OUT_OF_WINDOW ? api_changed(call) : status;
}

struct space_mine {
    const char *folder;
    enum json_maybe favourite, muted;
};

static const struct json_field space_mine_fields[] = {
    TEXT(space_mine, folder, 0, SPACES_FOLDER_MAX, false, "empty: none"),
    MAYBE(space_mine, favourite, NULL),
    MAYBE(space_mine, muted, NULL),
};

static TABLE(space_mine, NULL);

static enum status change_mine(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct space_mine *wish = call->body;
    const struct spaces_mine mine = {wish->folder, wish->favourite, wish->muted};
    struct spaces_space *space = api_result(call, sizeof *space);
    if (space == NULL)
        return STATUS_NO_MEMORY;
    return spaces_set_mine(call->api->db, &who, &mine, clock_wall_ms(), call->arena, space);
}

/* ---- members ---- */

struct member_wish {
    const char *email, *user, *role;
};

static const struct json_field member_wish_fields[] = {
    TEXT(member_wish, email, 1, 320, false, "or"),
    TEXT(member_wish, user, 1, CRYPTO_ID_CHARS, false, "an account's id"),
    CHOICE(member_wish, role, "viewer|editor|owner", true, "at most one's own"),
};

static TABLE(member_wish, NULL);

static enum status add_member(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct member_wish *wish = call->body;
    const struct spaces_invitee invitee = {
        .account = wish->user, .email = wish->email, .role = wish->role};
    struct spaces_member *member = api_result(call, sizeof *member);
    if (member == NULL)
        return STATUS_NO_MEMORY;
    return spaces_invite(call->api->db, &who, &invitee, clock_wall_ms(), call->arena, member);
}

struct cursor_query {
    const char *cursor;
};

static const struct json_field cursor_query_fields[] = {
    TEXT(cursor_query, cursor, 0, CRYPTO_ID_CHARS, false, "next_cursor of the page before"),
};

static TABLE(cursor_query, NULL);

static enum status list_members(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct cursor_query *query = call->query;
    struct spaces_members *members = api_result(call, sizeof *members);
    if (members == NULL)
        return STATUS_NO_MEMORY;
    enum status status = spaces_members(call->api->db, &who, query->cursor, call->arena, members);
    struct spaces_member *items = members->items.items;
    for (size_t i = 0; status == STATUS_OK && i < members->items.count; i++)
        items[i].state = presence_name(presence_of(call->api->presence, items[i].id));
    return status;
}

/* {user}, which may be "me". */
static const char *member_named(const struct api_call *call)
{
    const char *user = call->request->params[1];
    return strcmp(user, "me") == 0 ? call->caller->user.id : user;
}

static enum status show_member(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct spaces_member *member = api_result(call, sizeof *member);
    if (member == NULL)
        return STATUS_NO_MEMORY;
    return spaces_member(call->api->db, &who, member_named(call), call->arena, member);
}

struct role_wish {
    const char *role;
    bool transfer;
};

static const struct json_field role_wish_fields[] = {
    CHOICE(role_wish, role, "viewer|editor|owner", true, NULL),
    BOOL(role_wish, transfer, "with role owner: one hands it over, and is an editor from now on"),
};

static TABLE(role_wish, NULL);

static enum status change_member(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct role_wish *wish = call->body;
    struct spaces_member *member = api_result(call, sizeof *member);
    if (member == NULL)
        return STATUS_NO_MEMORY;
    return spaces_set_role(call->api->db, &who, member_named(call), wish->role, wish->transfer,
                           clock_wall_ms(), call->arena, member);
}

static enum status remove_member(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    return spaces_remove(call->api->db, &who, member_named(call), clock_wall_ms());
}

/* ---- links ---- */

struct link_wish {
    const char *role;
    int64_t uses, expires;
    bool guests;
};

static const struct json_field link_wish_fields[] = {
    CHOICE(link_wish, role, "viewer|editor|owner", false, "absent: viewer"),
    INT(link_wish, uses, 1, SPACES_USES_MAX, false, "absent: any number"),
    INT(link_wish, expires, 1, INT64_MAX, false, "ms since 1970; absent: in 7 days"),
    BOOL(link_wish, guests, "with role viewer: who has no account comes in by a name"),
};

static TABLE(link_wish, NULL);

static enum status add_link(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct link_wish *wish = call->body;
    int64_t now_ms = clock_wall_ms();
    const struct spaces_link_new new = {.role = wish->role,
                                        .uses = wish->uses,
                                        .guests = wish->guests,
                                        .life_ms = wish->expires != 0 ? wish->expires - now_ms : 0};
    struct spaces_link *link = api_result(call, sizeof *link);
    if (link == NULL)
        return STATUS_NO_MEMORY;
    return spaces_link_add(call->api->db, &who, &new, now_ms, call->arena, link);
}

static enum status list_links(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct spaces_links *links = api_result(call, sizeof *links);
    if (links == NULL)
        return STATUS_NO_MEMORY;
    return spaces_link_list(call->api->db, &who, clock_wall_ms(), call->arena, links);
}

static enum status remove_link(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    return spaces_link_remove(call->api->db, &who, call->request->params[1], clock_wall_ms());
}

static enum status take_link(struct api_call *call)
{
    struct spaces_space *space = api_result(call, sizeof *space);
    if (space == NULL)
        return STATUS_NO_MEMORY;
    return spaces_link_take(call->api->db, call->caller->user.id, call->request->params[0],
                            clock_wall_ms(), call->arena, space);
}

static const struct api_route routes[] = {
    {.method = "POST",
     .pattern = "/api/v1/spaces",
     .who = API_USER,
     .run = create_space,
     .body = &space_wish_table,
     .result = &spaces_space_table,
     .status = 201,
     .doc = "Makes a space that one owns. The direct space of two is made once and comes back."},
    {.method = "GET",
     .pattern = "/api/v1/spaces",
     .who = API_USER,
     .run = list_spaces,
     .result = &spaces_list_table,
     .doc = "The spaces one is in."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = show_space,
     .result = &spaces_space_table,
     .doc = "A space. 404 for whoever is not in it."},
    {.method = "PATCH",
     .pattern = "/api/v1/spaces/{id}",
     .who = API_MEMBER,
     .right = SPACES_ARCHIVE,
     .run = change_space,
     .body = &space_change_table,
     .result = &spaces_space_table,
     .doc = "Changes what is named. If-Match holds."},
    {.method = "DELETE",
     .pattern = "/api/v1/spaces/{id}",
     .who = API_MEMBER,
     .right = SPACES_DELETE,
     .run = delete_space,
     .status = 204,
     .doc = "Deletes it and destroys its key: nothing of it can be read any more, in no copy."},
    {.method = "PATCH",
     .pattern = "/api/v1/spaces/{id}/me",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .run = change_mine,
     .body = &space_mine_table,
     .result = &spaces_space_table,
     .doc = "What is one's own: the folder one has put it in, favourite, muted."},
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/members",
     .who = API_MEMBER,
     .right = SPACES_INVITE,
     .run = add_member,
     .body = &member_wish_table,
     .result = &spaces_member_table,
     .status = 201,
     .doc = "Brings somebody in, at once; an address without an account when it has one."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/members",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = list_members,
     .query = &cursor_query_table,
     .result = &spaces_members_table,
     .doc = "Who is in it, 200 at a time."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/members/{user}",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = show_member,
     .result = &spaces_member_table,
     .doc = "One of them; {user} may be `me`."},
    {.method = "PATCH",
     .pattern = "/api/v1/spaces/{id}/members/{user}",
     .who = API_MEMBER,
     .right = SPACES_MANAGE,
     .run = change_member,
     .body = &role_wish_table,
     .result = &spaces_member_table,
     .doc = "Another role, or a new owner. 403 when no owner would be left."},
    {.method = "DELETE",
     .pattern = "/api/v1/spaces/{id}/members/{user}",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .run = remove_member,
     .status = 204,
     .doc = "Everybody may leave, owners put others out. 403 when no owner would be left."},
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/links",
     .who = API_MEMBER,
     .right = SPACES_INVITE,
     .run = add_link,
     .body = &link_wish_table,
     .result = &spaces_link_table,
     .status = 201,
     .doc = "Makes an invitation for whoever has it, within the space's link policy."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/links",
     .who = API_MEMBER,
     .right = SPACES_INVITE,
     .run = list_links,
     .result = &spaces_links_table,
     .doc = "Those that are not over."},
    {.method = "DELETE",
     .pattern = "/api/v1/spaces/{id}/links/{link}",
     .who = API_MEMBER,
     .right = SPACES_INVITE,
     .run = remove_link,
     .status = 204,
     .doc = "One's own; owners remove any."},
    {.method = "POST",
     .pattern = "/api/v1/links/{token}/members",
     .who = API_USER,
     .run = take_link,
     .result = &spaces_space_table,
     .doc = "Enters the space that an invitation is for."},
};

const struct api_table api_spaces = API_TABLE(routes);
