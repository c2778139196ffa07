#include "signalling/api/callers.h"

#include "core/clock.h"

#include <string.h>
#include <strings.h>

/* The prefix: browsers take it from this very host only, by HTTPS or from localhost. */
static const char cookie_name[] = "__Host-parley";

/* The cookie's value in the arena; NULL when there is none. */
static const char *cookie_of(const struct http_request *request)
{
    const char *at = http_header(request, "cookie");
    size_t name = sizeof cookie_name - 1;
    while (at != NULL && *at != '\0') {
        at += strspn(at, "; ");
        size_t length = strcspn(at, ";");
        if (length > name && strncmp(at, cookie_name, name) == 0 && at[name] == '=')
            return arena_strndup(request->arena, at + name + 1, length - name - 1);
        at += length;
    }
    return NULL;
}

/* What the request shows; NULL: nothing. */
static const char *token_of(const struct http_request *request, bool *ret_is_cookie)
{
    static const char scheme[] = "Bearer ";
    *ret_is_cookie = strncasecmp(request->authorization, scheme, sizeof scheme - 1) != 0;
    return *ret_is_cookie ? cookie_of(request) : request->authorization + sizeof scheme - 1;
}

/* A page's writes come with what only it can know. */
static enum status csrf_check(const struct http_request *request, const char *token,
                              const char **ret_csrf)
{
    char csrf[CRYPTO_TOKEN_CHARS + 1];
    const char *sent = http_header(request, "x-csrf-token");
    auth_csrf(token, csrf);
    bool proven = sent != NULL && strlen(sent) == CRYPTO_TOKEN_CHARS &&
                  crypto_equal(sent, csrf, CRYPTO_TOKEN_CHARS);
    if (strcmp(request->method, "GET") != 0 && !proven)
        return STATUS_CORRUPT;
    *ret_csrf = arena_strdup(request->arena, csrf);
    return *ret_csrf != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status caller_find(struct auth *auth, const struct http_request *request,
                        struct auth_caller *ret_caller, const char **ret_csrf)
{
    bool is_cookie;
    const char *token = token_of(request, &is_cookie);
    *ret_csrf = NULL;
    if (token == NULL)
        return STATUS_DENIED;
    enum status status = auth_check(auth, token, clock_wall_ms(), request->arena, ret_caller);
    return status == STATUS_OK && is_cookie ? csrf_check(request, token, ret_csrf) : status;
}

enum status caller_guest(struct db *db, const struct http_request *request,
                         struct spaces_guest *ret_guest, const char **ret_csrf)
{
    bool is_cookie;
    const char *token = token_of(request, &is_cookie);
    *ret_csrf = NULL;
    if (token == NULL)
        return STATUS_DENIED;
    enum status status = guests_check(db, token, clock_wall_ms(), request->arena, ret_guest);
    return status == STATUS_OK && is_cookie ? csrf_check(request, token, ret_csrf) : status;
}

const char *caller_cookie_set(struct http_reply *reply, const char *token, struct arena *arena)
{
    char csrf[CRYPTO_TOKEN_CHARS + 1];
    const char *cookie =
        arena_printf(arena, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%lld",
                     cookie_name, token, (long long)(AUTH_LIFE_MS / 1000));
    if (cookie == NULL)
        return NULL;
    http_reply_header(reply, "Set-Cookie", cookie);
    auth_csrf(token, csrf);
    return arena_strdup(arena, csrf);
}

void caller_cookie_clear(struct http_reply *reply)
{
    http_reply_header(reply, "Set-Cookie",
                      "__Host-parley=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
}

bool caller_is_here(const struct http_request *request)
{
    static const char *const of_proxies[] = {"forwarded", "x-forwarded-for", "x-real-ip", "via"};
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof of_proxies / sizeof of_proxies[0]; i++) {
        if (http_header(request, of_proxies[i]) != NULL)
            return false;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(request->host, names[i], length) == 0 &&
            (request->host[length] == '\0' || request->host[length] == ':'))
            return request->loopback;
    }
    return false;
}
