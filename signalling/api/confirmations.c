/*
 * signalling/api/confirmations.c - invitations, signing up, forgotten passwords, new addresses:
 * what is asked for, and what the links in the letters do.
 */
#include "modules/auth/confirmations.h"

#include "core/clock.h"
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

enum { LINK_MAX = CONFIRMATION_TOKEN_CHARS + 16 };

static bool mailed(const struct api_call *call)
{
    return call->api->mail != NULL && mail_ready(call->api->mail);
}

static enum status wait_problem(struct api_call *call, uint32_t wait_s)
{
    http_reply_header(call->reply, "Retry-After",
                      arena_printf(call->arena, "%u", wait_s > 0 ? wait_s : 1));
    if (wait_s == 0)
        return api_problem(call, 429, "busy", "too many passwords are being checked");
    return api_problem(call, 429, "too_many_tries", "asked too often: wait");
}

static enum status fault_problem(struct api_call *call, enum status status,
                                 const struct auth_fault *fault)
{
    if (status == STATUS_INVALID && fault->code != NULL)
        return api_problem(call, 400, fault->code, "this value is not taken");
    if (status == STATUS_LIMIT)
        return wait_problem(call, 0);
    if (status == STATUS_NOT_FOUND)
        return api_problem(call, 404, "link", "this link was used already, or is over");
    return status;
}

/* ---- asking ---- */

struct sent {
    bool mailed;
};

static const struct json_field sent_fields[] = {
    BOOL(sent, mailed, "false: no mail is configured, an admin hands the link over"),
};

static TABLE(sent, NULL);

static enum status sent_result(struct api_call *call)
{
    struct sent *sent = api_result(call, sizeof *sent);
    if (sent == NULL)
        return STATUS_NO_MEMORY;
    sent->mailed = mailed(call);
    return STATUS_OK;
}

struct address_wish {
    const char *email, *language;
};

static const struct json_field address_wish_fields[] = {
    TEXT(address_wish, email, 1, AUTH_EMAIL_MAX, true, NULL),
    TEXT(address_wish, language, 0, AUTH_LANGUAGE_MAX, false, "of the letter; absent: English"),
};

static TABLE(address_wish, NULL);

static const char *language_of(const struct address_wish *wish)
{
    return wish->language != NULL ? wish->language : "";
}

static enum status ask(struct api_call *call, const char *kind)
{
    const struct address_wish *body = call->body;
    const struct confirmation_wish wish = {.kind = kind,
                                           .email = body->email,
                                           .language = language_of(body),
                                           .address = call->request->address,
                                           .local = call->request->loopback};
    uint32_t wait_s = 0;
    enum status status =
        confirmation_ask(call->api->auth, &wish, clock_wall_ms(), call->arena, &wait_s);
    if (status == STATUS_LIMIT && wait_s > 0)
        return wait_problem(call, wait_s);
    if (status == STATUS_INVALID)
        return api_problem(call, 400, "email", "this is no address");
    if (status == STATUS_DENIED)
        return api_problem(call, 403, "domain", "addresses of this domain need an invitation");
    return status == STATUS_OK ? sent_result(call) : status;
}

static enum status run_sign_up(struct api_call *call)
{
    return ask(call, "signup");
}

static enum status run_forgotten(struct api_call *call)
{
    return ask(call, "password");
}

struct email_change {
    const char *email, *password;
};

static const struct json_field email_change_fields[] = {
    TEXT(email_change, email, 1, AUTH_EMAIL_MAX, true, "the new one"),
    TEXT(email_change, password, 1, PASSWORD_MAX, true, "one's password"),
};

static TABLE(email_change, NULL);

static enum status run_me_email(struct api_call *call)
{
    const struct email_change *body = call->body;
    uint32_t wait_s = 0;
    enum status status = confirmation_email(call->api->auth, call->caller, body->password,
                                            body->email, clock_wall_ms(), call->arena, &wait_s);
    if (status == STATUS_LIMIT)
        return wait_problem(call, wait_s);
    if (status == STATUS_DENIED)
        return api_problem(call, 403, "credentials", "that is not the password");
    if (status == STATUS_INVALID)
        return api_problem(call, 400, "email", "this is no address");
    return status == STATUS_OK ? sent_result(call) : status;
}

/* ---- the link ---- */

struct link_token {
    const char *token;
};

static const struct json_field link_token_fields[] = {
    TEXT(link_token, token, 1, CONFIRMATION_TOKEN_CHARS, true, "what stands after # in the link"),
};

static TABLE(link_token, NULL);

struct link_shown {
    const char *kind, *email, *language;
};

#define KINDS "invite|signup|email|password"

static const struct json_field link_shown_fields[] = {
    CHOICE(link_shown, kind, KINDS, true, NULL),
    TEXT(link_shown, email, 1, AUTH_EMAIL_MAX, true, "whose it is, or is to be"),
    TEXT(link_shown, language, 0, AUTH_LANGUAGE_MAX, true, "of the letter"),
};

static TABLE(link_shown, NULL);

static const struct auth_fault no_fault = {NULL};

static enum status run_look(struct api_call *call)
{
    const struct link_token *body = call->body;
    struct confirmation found;
    struct link_shown *shown = api_result(call, sizeof *shown);
    enum status status =
        confirmation_look(call->api->auth, body->token, clock_wall_ms(), call->arena, &found);
    if (status == STATUS_OK && shown == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return fault_problem(call, status, &no_fault);
    *shown =
        (struct link_shown){.kind = found.kind, .email = found.email, .language = found.language};
    return STATUS_OK;
}

struct account_wish {
    const char *token, *name, *password, *language;
};

static const struct json_field account_wish_fields[] = {
    TEXT(account_wish, token, 1, CONFIRMATION_TOKEN_CHARS, true, "of an invitation or sign-up"),
    TEXT(account_wish, name, 1, AUTH_NAME_MAX, true, NULL),
    TEXT(account_wish, password, 1, PASSWORD_MAX, true, "at least 12 characters"),
    TEXT(account_wish, language, 0, AUTH_LANGUAGE_MAX, false, NULL),
};

static TABLE(account_wish, NULL);

struct account_made {
    const char *id, *email;
};

static const struct json_field account_made_fields[] = {
    TEXT(account_made, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(account_made, email, 1, AUTH_EMAIL_MAX, true, "to sign in with"),
};

static TABLE(account_made, NULL);

static enum status run_account(struct api_call *call)
{
    const struct account_wish *body = call->body;
    const struct auth_user_new wish = {
        .name = body->name, .password = body->password, .language = body->language};
    struct auth_user user;
    struct auth_fault fault = {NULL};
    struct account_made *made = api_result(call, sizeof *made);
    if (made == NULL)
        return STATUS_NO_MEMORY;
    enum status status = confirmation_account(call->api->auth, body->token, &wish, clock_wall_ms(),
                                              call->arena, &user, &fault);
    if (status != STATUS_OK)
        return fault_problem(call, status, &fault);
    *made = (struct account_made){.id = user.id, .email = user.email};
    return STATUS_OK;
}

struct password_wish {
    const char *token, *password;
};

static const struct json_field password_wish_fields[] = {
    TEXT(password_wish, token, 1, CONFIRMATION_TOKEN_CHARS, true, NULL),
    TEXT(password_wish, password, 1, PASSWORD_MAX, true, "at least 12 characters"),
};

static TABLE(password_wish, NULL);

static enum status run_new_password(struct api_call *call)
{
    const struct password_wish *body = call->body;
    struct auth_fault fault = {NULL};
    return fault_problem(call,
                         confirmation_password(call->api->auth, body->token, body->password,
                                               clock_wall_ms(), call->arena, &fault),
                         &fault);
}

static enum status run_new_address(struct api_call *call)
{
    const struct link_token *body = call->body;
    return fault_problem(
        call, confirmation_address(call->api->auth, body->token, clock_wall_ms(), call->arena),
        &no_fault);
}

/* ---- for admins ---- */

struct waiting_shown {
    const char *id, *kind, *email, *language, *link;
    bool mailed;
    int64_t created, expires;
};

static const struct json_field waiting_shown_fields[] = {
    TEXT(waiting_shown, id, 1, CRYPTO_ID_CHARS, true, NULL),
    CHOICE(waiting_shown, kind, KINDS, true, NULL),
    TEXT(waiting_shown, email, 1, AUTH_EMAIL_MAX, true, NULL),
    TEXT(waiting_shown, language, 0, AUTH_LANGUAGE_MAX, true, NULL),
    TEXT(waiting_shown, link, 1, LINK_MAX, false,
         "path to hand over, here for the only time; absent when it goes by mail"),
    BOOL(waiting_shown, mailed, "a letter is on its way"),
    INT(waiting_shown, created, 0, INT64_MAX, true, "ms since 1970"),
    INT(waiting_shown, expires, 0, INT64_MAX, true, "likewise"),
};

static TABLE(waiting_shown, "Somebody is waited for.");

static struct waiting_shown waiting_of(const struct api_call *call,
                                       const struct confirmation *waiting)
{
    return (struct waiting_shown){.id = waiting->id,
                                  .kind = waiting->kind,
                                  .email = waiting->email,
                                  .language = waiting->language,
                                  .mailed = mailed(call),
                                  .created = waiting->created,
                                  .expires = waiting->expires};
}

static enum status link_make(struct api_call *call, const char *id, const char **ret_link)
{
    char token[CONFIRMATION_TOKEN_CHARS + 1];
    enum status status = confirmation_link(call->api->auth, id, clock_wall_ms(), token);
    if (status != STATUS_OK)
        return status;
    *ret_link = arena_printf(call->arena, "/confirm#%s", token);
    return *ret_link != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status run_invite(struct api_call *call)
{
    const struct address_wish *body = call->body;
    struct confirmation made;
    struct waiting_shown *shown = api_result(call, sizeof *shown);
    if (shown == NULL)
        return STATUS_NO_MEMORY;
    enum status status = confirmation_invite(call->api->auth, body->email, language_of(body),
                                             clock_wall_ms(), call->arena, &made);
    if (status == STATUS_INVALID)
        return api_problem(call, 400, "email", "this is no address");
    if (status != STATUS_OK)
        return status;
    *shown = waiting_of(call, &made);
    return shown->mailed ? STATUS_OK : link_make(call, made.id, &shown->link);
}

struct waiting_query {
    const char *cursor;
};

static const struct json_field waiting_query_fields[] = {
    TEXT(waiting_query, cursor, 0, CRYPTO_ID_CHARS, false, "next_cursor of the page before"),
};

static TABLE(waiting_query, NULL);

struct waiting_list {
    struct json_list items; /* struct waiting_shown */
    bool mailed;
    const char *next_cursor;
};

static const struct json_field waiting_list_fields[] = {
    LIST(waiting_list, items, &waiting_shown_table, CONFIRMATIONS_LIST_MAX, true, "by id"),
    BOOL(waiting_list, mailed, "mail is configured: nobody needs a link handed over"),
    TEXT(waiting_list, next_cursor, 1, CRYPTO_ID_CHARS, false, "absent: these were the last"),
};

static TABLE(waiting_list, NULL);

static enum status run_waiting(struct api_call *call)
{
    const struct waiting_query *query = call->query;
    struct confirmations found;
    struct waiting_list *list = api_result(call, sizeof *list);
    enum status status =
        confirmations_list(call->api->auth, query->cursor, clock_wall_ms(), call->arena, &found);
    if (status != STATUS_OK)
        return status;
    const struct confirmation *from = found.items.items;
    size_t count = found.items.count;
    struct waiting_shown *items = arena_alloc(call->arena, (count + 1) * sizeof *items);
    if (list == NULL || items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        items[i] = waiting_of(call, &from[i]);
    *list = (struct waiting_list){.items = {.items = items, .count = count},
                                  .mailed = mailed(call),
                                  .next_cursor = found.more ? from[count - 1].id : NULL};
    return STATUS_OK;
}

struct link_made {
    const char *link;
};

static const struct json_field link_made_fields[] = {
    TEXT(link_made, link, 1, LINK_MAX, true, "path; an earlier one is dead"),
};

static TABLE(link_made, NULL);

static enum status run_link(struct api_call *call)
{
    struct link_made *made = api_result(call, sizeof *made);
    if (mailed(call))
        return api_problem(call, 403, "mail", "links go by mail, to whom they are for alone");
    return made != NULL ? link_make(call, call->request->params[0], &made->link) : STATUS_NO_MEMORY;
}

static enum status run_drop(struct api_call *call)
{
    return confirmation_drop(call->api->auth, call->request->params[0], clock_wall_ms());
}

#define ROUTE(verb, path, whose, function, ...)                                                    \
    {                                                                                              \
        .method = (verb), .pattern = "/api/v1/" path, .who = (whose), .run = (function),           \
        __VA_ARGS__                                                                                \
    }

static const struct api_route routes[] = {
    ROUTE("POST", "signup", API_ANYONE, run_sign_up, .body = &address_wish_table,
          .result = &sent_table, .status = 202,
          .doc = "A letter to confirm an address of a domain in `auth.domains`; 403 `domain`."),
    ROUTE("POST", "password", API_ANYONE, run_forgotten, .body = &address_wish_table,
          .result = &sent_table, .status = 202,
          .doc = "A letter for a new password, if the address has an account; always this answer."),
    ROUTE("POST", "me/email", API_USER, run_me_email, .body = &email_change_table,
          .result = &sent_table, .status = 202,
          .doc = "A letter to confirm another address for oneself. 403 `credentials`."),
    ROUTE("POST", "confirmations", API_ANYONE, run_look, .body = &link_token_table,
          .result = &link_shown_table,
          .doc = "What a link in a letter is for; uses nothing up. 404 `link`: used or over."),
    ROUTE("POST", "confirmations/account", API_ANYONE, run_account, .body = &account_wish_table,
          .result = &account_made_table, .status = 201,
          .doc = "Makes the account of an invitation or sign-up. 404 `link`."),
    ROUTE("POST", "confirmations/password", API_ANYONE, run_new_password,
          .body = &password_wish_table, .status = 204,
          .doc = "A new password; all sessions end. 404 `link`."),
    ROUTE("POST", "confirmations/email", API_ANYONE, run_new_address, .body = &link_token_table,
          .status = 204, .doc = "The address is the account's. 404 `link`; 409: another's."),
    ROUTE("POST", "invitations", API_ADMIN, run_invite, .body = &address_wish_table,
          .result = &waiting_shown_table, .status = 201,
          .doc = "Invites an address; until mail is configured, `link` is to be handed over."),
    ROUTE("GET", "invitations", API_ADMIN, run_waiting, .query = &waiting_query_table,
          .result = &waiting_list_table, .doc = "Who is waited for, 200 at a time."),
    ROUTE("POST", "invitations/{id}/link", API_ADMIN, run_link, .result = &link_made_table,
          .doc = "A link to hand over, until mail is configured; then 403 `mail`."),
    ROUTE("DELETE", "invitations/{id}", API_ADMIN, run_drop, .status = 204,
          .doc = "Nobody is waited for any more."),
};

const struct api_table api_confirmations = API_TABLE(routes);
