/*
 * signalling/api/accounts.c - signing in and out, oneself, one's devices; for admins, everybody.
 */
#include "signalling/api/accounts.h"
#include "core/clock.h"
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/callers.h"
#include "signalling/api/route.h"

#include <string.h>

enum { CURSOR_MAX = CRYPTO_ID_CHARS };

/* ---- what is shown of an account ---- */

struct user_shown {
    const char *id, *email, *name, *role, *language, *zone;
    bool disabled;
    int64_t version, created, quiet_until, picture;
};

static const struct json_field user_shown_fields[] = {
    TEXT(user_shown, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(user_shown, email, 3, AUTH_EMAIL_MAX, true, NULL),
    TEXT(user_shown, name, 1, AUTH_NAME_MAX, true, NULL),
    CHOICE(user_shown, role, "admin|member", true, NULL),
    TEXT(user_shown, language, 0, AUTH_LANGUAGE_MAX, true, "empty: as the browser says"),
    TEXT(user_shown, zone, 0, AUTH_ZONE_MAX, true,
         "as in the tz database; empty: as the browser says"),
    INT(user_shown, quiet_until, 0, INT64_MAX, true, "do not disturb until then, ms since 1970"),
    INT(user_shown, picture, 0, INT64_MAX, true, "its version; 0: there is none"),
    BOOL(user_shown, disabled, NULL),
    INT(user_shown, version, 1, INT64_MAX, true, "its ETag; rises with every change"),
    INT(user_shown, created, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(user_shown, NULL);

static struct user_shown shown_of(const struct auth_user *user)
{
    return (struct user_shown){.id = user->id,
                               .email = user->email,
                               .name = user->name,
                               .role = user->admin ? "admin" : "member",
                               .language = user->language,
                               .disabled = user->disabled,
                               .zone = user->zone,
                               .quiet_until = user->quiet_until,
                               .picture = user->picture,
                               .version = user->version,
                               .created = user->created};
}

enum status account_result(struct api_call *call, const struct auth_user *user)
{
    struct user_shown *shown = arena_alloc(call->arena, sizeof *shown);
    if (shown == NULL)
        return STATUS_NO_MEMORY;
    *shown = shown_of(user);
    call->result = shown;
    api_etag(call, user->version);
    return STATUS_OK;
}

/* What the module says, as a problem. */
static enum status fault_problem(struct api_call *call, enum status status,
                                 const struct auth_fault *fault)
{
    if (status == STATUS_INVALID && fault->code != NULL)
        return api_problem(call, 400, fault->code, "this value is not taken");
    if (status == STATUS_OUT_OF_WINDOW)
        return api_changed(call);
    return status;
}

/* ---- sessions ---- */

struct sign_in {
    const char *email, *password;
    bool cookie;
};

static const struct json_field sign_in_fields[] = {
    TEXT(sign_in, email, 1, AUTH_EMAIL_MAX, true, NULL),
    TEXT(sign_in, password, 1, PASSWORD_MAX, true, NULL),
    BOOL(sign_in, cookie, "for pages: the token comes as a cookie, `csrf` instead of it"),
};

static TABLE(sign_in, NULL);

struct session_shown {
    const char *id, *token, *csrf;
    struct user_shown user;
};

static const struct json_field session_shown_fields[] = {
    TEXT(session_shown, id, 1, CRYPTO_ID_CHARS, true, "of the session"),
    TEXT(session_shown, token, 1, AUTH_TOKEN_CHARS, false, "bearer token, here for the only time"),
    TEXT(session_shown, csrf, 1, CRYPTO_TOKEN_CHARS, false,
         "with a cookie: to be sent as X-CSRF-Token with every write"),
    OBJECT(session_shown, user, &user_shown_table, true, NULL),
};

TABLE(session_shown, NULL);

struct auth_login account_login(const struct api_call *call, bool cookie)
{
    return (struct auth_login){.cookie = cookie,
                               .address = call->request->address,
                               .local = call->request->loopback,
                               .device = http_header(call->request, "user-agent")};
}

enum status account_signed_in(struct api_call *call, const struct auth_signed_in *in)
{
    struct session_shown *shown = api_result(call, sizeof *shown);
    if (shown == NULL)
        return STATUS_NO_MEMORY;
    *shown = (struct session_shown){.id = in->caller.session, .user = shown_of(&in->caller.user)};
    if (in->caller.cookie)
        shown->csrf = caller_cookie_set(call->reply, in->token, call->arena);
    else
        shown->token = arena_strdup(call->arena, in->token);
    return shown->csrf != NULL || shown->token != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status begin(struct api_call *call, const struct sign_in *body)
{
    struct auth_login login = account_login(call, body->cookie);
    struct auth_signed_in in;
    uint32_t wait_s = 0;
    login.email = body->email;
    login.password = body->password;
    enum status status =
        auth_sign_in(call->api->auth, &login, clock_wall_ms(), call->arena, &in, &wait_s);
    if (status == STATUS_LIMIT)
        return api_wait(call, wait_s);
    if (status == STATUS_DENIED)
        return api_problem(call, 401, "credentials", "no account has this address and password");
    if (status == STATUS_AGAIN)
        return account_second(call, &in);
    return status == STATUS_OK ? account_signed_in(call, &in) : status;
}

static enum status run_sign_in(struct api_call *call)
{
    return begin(call, call->body);
}

static enum status run_session(struct api_call *call)
{
    struct session_shown *shown = arena_alloc(call->arena, sizeof *shown);
    if (shown == NULL)
        return STATUS_NO_MEMORY;
    *shown = (struct session_shown){
        .id = call->caller->session, .csrf = call->csrf, .user = shown_of(&call->caller->user)};
    call->result = shown;
    return STATUS_OK;
}

static enum status run_sign_out(struct api_call *call)
{
    if (call->caller->cookie)
        caller_cookie_clear(call->reply);
    return auth_revoke(call->api->auth, call->caller->user.id, call->caller->session,
                       clock_wall_ms());
}

struct ticket {
    const char *ticket;
};

static const struct json_field ticket_fields[] = {
    TEXT(ticket, ticket, 1, AUTH_TICKET_MAX, true, "`account` of identify, for a minute"),
};

static TABLE(ticket, NULL);

static enum status run_ticket(struct api_call *call)
{
    struct ticket *result = arena_alloc(call->arena, sizeof *result);
    char *text = arena_alloc(call->arena, AUTH_TICKET_MAX + 1);
    if (result == NULL || text == NULL)
        return STATUS_NO_MEMORY;
    auth_ticket(call->api->auth, call->caller->session, clock_wall_ms(), text);
    result->ticket = text;
    call->result = result;
    return STATUS_OK;
}

/* ---- oneself ---- */

static enum status run_me(struct api_call *call)
{
    return account_result(call, &call->caller->user);
}

struct me_change {
    const char *name, *language, *zone;
    int64_t quiet_until;
};

static const struct json_field me_change_fields[] = {
    TEXT(me_change, name, 1, AUTH_NAME_MAX, false, NULL),
    TEXT(me_change, language, 0, AUTH_LANGUAGE_MAX, false, NULL),
    TEXT(me_change, zone, 0, AUTH_ZONE_MAX, false, "as in the tz database; empty: none"),
    INT(me_change, quiet_until, -1, INT64_MAX, false,
        "do not disturb until then, ms since 1970; -1: not any more"),
};

static TABLE(me_change, NULL);

static enum status change(struct api_call *call, const char *id, struct auth_change wish)
{
    struct auth_user user;
    struct auth_fault fault = {NULL};
    wish.version = api_version_wanted(call);
    if (wish.version < 0)
        return api_changed(call);
    enum status status =
        auth_user_change(call->api->auth, id, &wish, clock_wall_ms(), call->arena, &user, &fault);
    if (status == STATUS_OK && wish.quiet_until != NULL)
        presence_touched(call->api->presence, id);
    return status == STATUS_OK ? account_result(call, &user) : fault_problem(call, status, &fault);
}

static enum status run_me_change(struct api_call *call)
{
    const struct me_change *body = call->body;
    int64_t quiet_until = body->quiet_until > 0 ? body->quiet_until : 0;
    return change(
        call, call->caller->user.id,
        (struct auth_change){.name = body->name,
                             .language = body->language,
                             .zone = body->zone,
                             .quiet_until = body->quiet_until != 0 ? &quiet_until : NULL});
}

struct password_change {
    const char *old, *password;
};

static const struct json_field password_change_fields[] = {
    TEXT(password_change, old, 1, PASSWORD_MAX, true, "the password until now"),
    TEXT(password_change, password, 1, PASSWORD_MAX, true, "at least 12 characters"),
};

static TABLE(password_change, NULL);

static enum status run_password(struct api_call *call)
{
    const struct password_change *body = call->body;
    struct auth_fault fault = {NULL};
    uint32_t wait_s = 0;
    enum status status = auth_password_change(call->api->auth, call->caller, body->old,
                                              body->password, clock_wall_ms(), &fault, &wait_s);
    if (status == STATUS_LIMIT)
        return api_wait(call, wait_s);
    if (status == STATUS_DENIED)
        return api_problem(call, 403, "credentials", "that is not the password");
    return fault_problem(call, status, &fault);
}

struct device_shown {
    const char *id, *device, *address;
    bool current;
    int64_t created, seen, expires;
};

static const struct json_field device_shown_fields[] = {
    TEXT(device_shown, id, 1, CRYPTO_ID_CHARS, true, "of the session"),
    TEXT(device_shown, device, 0, AUTH_DEVICE_MAX, true, "its User-Agent"),
    TEXT(device_shown, address, 0, HTTP_ADDRESS_MAX, true, "from which it signed in"),
    BOOL(device_shown, current, "it is this one"),
    INT(device_shown, created, 0, INT64_MAX, true, "ms since 1970"),
    INT(device_shown, seen, 0, INT64_MAX, true, "likewise; ten minutes exact"),
    INT(device_shown, expires, 0, INT64_MAX, true, "likewise"),
};

static TABLE(device_shown, NULL);

struct devices_shown {
    struct json_list items; /* struct device_shown */
};

static const struct json_field devices_shown_fields[] = {
    LIST(devices_shown, items, &device_shown_table, AUTH_SESSIONS_MAX, true, "newest first"),
};

static TABLE(devices_shown, NULL);

static enum status run_devices(struct api_call *call)
{
    struct json_list list;
    struct devices_shown *shown = arena_alloc(call->arena, sizeof *shown);
    enum status status =
        auth_devices(call->api->auth, call->caller->user.id, clock_wall_ms(), call->arena, &list);
    if (status != STATUS_OK)
        return status;
    const struct auth_device *from = list.items;
    struct device_shown *items = arena_alloc(call->arena, (list.count + 1) * sizeof *items);
    if (shown == NULL || items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < list.count; i++)
        items[i] = (struct device_shown){.id = from[i].id,
                                         .device = from[i].device,
                                         .address = from[i].address,
                                         .current = strcmp(from[i].id, call->caller->session) == 0,
                                         .created = from[i].created,
                                         .seen = from[i].seen,
                                         .expires = from[i].expires};
    shown->items = (struct json_list){.items = items, .count = list.count};
    call->result = shown;
    return STATUS_OK;
}

static enum status run_revoke(struct api_call *call)
{
    return auth_revoke(call->api->auth, call->caller->user.id, call->request->params[0],
                       clock_wall_ms());
}

/* ---- everybody, for admins ---- */

struct users_query {
    const char *cursor;
};

static const struct json_field users_query_fields[] = {
    TEXT(users_query, cursor, 0, CURSOR_MAX, false, "next_cursor of the page before"),
};

static TABLE(users_query, NULL);

struct users_shown {
    struct json_list items; /* struct user_shown */
    const char *next_cursor;
};

static const struct json_field users_shown_fields[] = {
    LIST(users_shown, items, &user_shown_table, AUTH_LIST_MAX, true, "by id"),
    TEXT(users_shown, next_cursor, 1, CURSOR_MAX, false, "there are more"),
};

static TABLE(users_shown, NULL);

static enum status run_users(struct api_call *call)
{
    const struct users_query *query = call->query;
    struct auth_users users;
    struct users_shown *shown = arena_alloc(call->arena, sizeof *shown);
    enum status status = auth_users(call->api->auth, query->cursor, call->arena, &users);
    if (status != STATUS_OK)
        return status;
    const struct auth_user *from = users.items.items;
    size_t count = users.items.count;
    struct user_shown *items = arena_alloc(call->arena, (count + 1) * sizeof *items);
    if (shown == NULL || items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        items[i] = shown_of(&from[i]);
    *shown = (struct users_shown){.items = {.items = items, .count = count},
                                  .next_cursor = users.more ? from[count - 1].id : NULL};
    call->result = shown;
    return STATUS_OK;
}

struct user_wish {
    const char *email, *name, *password, *language, *role;
};

static const struct json_field user_wish_fields[] = {
    TEXT(user_wish, email, 1, AUTH_EMAIL_MAX, true, NULL),
    TEXT(user_wish, name, 1, AUTH_NAME_MAX, true, NULL),
    TEXT(user_wish, password, 1, PASSWORD_MAX, true, "at least 12 characters"),
    TEXT(user_wish, language, 0, AUTH_LANGUAGE_MAX, false, NULL),
    CHOICE(user_wish, role, "admin|member", false, "absent: member"),
};

static TABLE(user_wish, NULL);

static enum status run_user_add(struct api_call *call)
{
    const struct user_wish *body = call->body;
    const struct auth_user_new wish = {.email = body->email,
                                       .name = body->name,
                                       .password = body->password,
                                       .language = body->language,
                                       .admin =
                                           body->role != NULL && strcmp(body->role, "admin") == 0};
    struct auth_user user;
    struct auth_fault fault = {NULL};
    enum status status =
        auth_user_add(call->api->auth, &wish, clock_wall_ms(), call->arena, &user, &fault);
    return status == STATUS_OK ? account_result(call, &user) : fault_problem(call, status, &fault);
}

static enum status run_user(struct api_call *call)
{
    struct auth_user user;
    enum status status =
        auth_user_get(call->api->auth, call->request->params[0], call->arena, &user);
    return status == STATUS_OK ? account_result(call, &user) : status;
}

struct user_change {
    const char *name, *role;
    uint8_t disabled; /* enum json_maybe */
};

static const struct json_field user_change_fields[] = {
    TEXT(user_change, name, 1, AUTH_NAME_MAX, false, NULL),
    CHOICE(user_change, role, "admin|member", false, NULL),
    MAYBE(user_change, disabled, "ends all sessions and open sockets"),
};

static TABLE(user_change, NULL);

static enum status run_user_change(struct api_call *call)
{
    const struct user_change *body = call->body;
    struct auth_change wish = {.name = body->name, .disabled = (enum json_maybe)body->disabled};
    if (body->role != NULL)
        wish.admin = strcmp(body->role, "admin") == 0 ? JSON_YES : JSON_NO;
    return change(call, call->request->params[0], wish);
}

/* ---- the first account ---- */

struct setup {
    const char *email, *name, *password, *language, *link;
    bool cookie;
};

static const struct json_field setup_fields[] = {
    TEXT(setup, email, 1, AUTH_EMAIL_MAX, true, NULL),
    TEXT(setup, name, 1, AUTH_NAME_MAX, true, NULL),
    TEXT(setup, password, 1, PASSWORD_MAX, true, "at least 12 characters"),
    TEXT(setup, language, 0, AUTH_LANGUAGE_MAX, false, NULL),
    TEXT(setup, link, 0, AUTH_TOKEN_CHARS, false,
         "what stands after # in the link on the console; not needed on the server's own machine"),
    BOOL(setup, cookie, "as in POST /session"),
};

static TABLE(setup, NULL);

static enum status run_setup(struct api_call *call)
{
    const struct setup *body = call->body;
    const char *secret = call->api->setup_link;
    bool linked = body->link != NULL && strlen(body->link) == strlen(secret) &&
                  crypto_equal(body->link, secret, strlen(secret));
    if (!linked && !caller_is_here(call->request))
        return STATUS_DENIED;
    const struct auth_user_new wish = {.email = body->email,
                                       .name = body->name,
                                       .password = body->password,
                                       .language = body->language,
                                       .first = true};
    struct auth_user user;
    struct auth_fault fault = {NULL};
    enum status status =
        auth_user_add(call->api->auth, &wish, clock_wall_ms(), call->arena, &user, &fault);
    if (status != STATUS_OK)
        return fault_problem(call, status, &fault);
    const struct sign_in login = {body->email, body->password, body->cookie};
    return begin(call, &login);
}

#define ROUTE(verb, path, whose, function, ...)                                                    \
    {                                                                                              \
        .method = (verb), .pattern = "/api/v1/" path, .who = (whose), .run = (function),           \
        __VA_ARGS__                                                                                \
    }

static const struct api_route routes[] = {
    ROUTE("POST", "setup", API_ANYONE, run_setup, .body = &setup_table,
          .result = &session_shown_table, .status = 201,
          .doc = "Makes the first account, an admin, and signs in. 403 when there is one."),
    ROUTE("POST", "session", API_ANYONE, run_sign_in, .body = &sign_in_table,
          .result = &session_shown_table, .status = 201,
          .doc =
              "Signs in. 401 `credentials`; 401 `second_factor` with `second` (see below) when the "
              "password is right but not enough; 429 with Retry-After after failures."),
    ROUTE("GET", "session", API_USER, run_session, .result = &session_shown_table,
          .doc = "Who is signed in here."),
    ROUTE("DELETE", "session", API_USER, run_sign_out, .status = 204, .doc = "Signs out."),
    ROUTE("POST", "session/ticket", API_USER, run_ticket, .guests = true, .result = &ticket_table,
          .doc = "For a page, whose cookie the gateway does not see."),
    ROUTE("GET", "me", API_USER, run_me, .result = &user_shown_table, .doc = "Oneself."),
    ROUTE("PATCH", "me", API_USER, run_me_change, .body = &me_change_table,
          .result = &user_shown_table, .doc = "Changes what is given; If-Match: its version."),
    ROUTE("POST", "me/password", API_USER, run_password, .body = &password_change_table,
          .status = 204, .doc = "All other sessions end. 403 `credentials`."),
    ROUTE("GET", "me/sessions", API_USER, run_devices, .result = &devices_shown_table,
          .doc = "Where one is signed in."),
    ROUTE("DELETE", "me/sessions/{id}", API_USER, run_revoke, .status = 204,
          .doc = "Ends one of one's sessions, its open sockets too."),
    ROUTE("GET", "users", API_ADMIN, run_users, .query = &users_query_table,
          .result = &users_shown_table, .doc = "Accounts, 200 at a time."),
    ROUTE("POST", "users", API_ADMIN, run_user_add, .body = &user_wish_table,
          .result = &user_shown_table, .status = 201,
          .doc = "Makes an account. 409: the address has one."),
    ROUTE("GET", "users/{id}", API_ADMIN, run_user, .result = &user_shown_table,
          .doc = "An account."),
    ROUTE("PATCH", "users/{id}", API_ADMIN, run_user_change, .body = &user_change_table,
          .result = &user_shown_table,
          .doc = "Changes what is given. 403 when no admin would be left."),
};

const struct api_table api_accounts = API_TABLE(routes);
