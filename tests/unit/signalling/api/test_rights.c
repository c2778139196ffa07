/*
 * Who may what: every route of the router × every role. The routes come from the router; one that
 * is not expected here fails, so that none can be forgotten.
 */
#include "core/clock.h"
#include "modules/spaces/files.h"
#include "modules/spaces/guests.h"
#include "modules/spaces/incoming.h"
#include "modules/spaces/links.h"
#include "modules/spaces/messages.h"
#include "modules/spaces/shares.h"
#include "modules/spaces/spaces.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"
#include "storage/vault/vault.h"
#include "tests/unit/signalling/http/fixture.h"

enum { OUTSIDER, GUEST, VIEWER, EDITOR, OWNER, ADMIN, ROLES };
static const char *const role_names[ROLES] = {"outsider", "guest", "viewer",
                                              "editor",   "owner", "admin"};

/*
 * Of each role in that order. y: done (2xx); a: let in, whatever becomes of it; d: 403; n: 404;
 * u: 401. "=": the same for all, it is nobody's in particular.
 */
static const struct expected {
    const char *route, *outcomes, *body;
    bool ends; /* the sign-in */
} expected[] = {
    /* of spaces */
    {"POST /api/v1/spaces", "ydyyyy", "{\"name\":\"x\"}", false},
    {"GET /api/v1/spaces", "ydyyyy", "", false},
    {"GET /api/v1/spaces/{id}", "nyyyyn", "", false},
    {"PATCH /api/v1/spaces/{id}", "ndddyn", "{\"name\":\"y\"}", false},
    {"DELETE /api/v1/spaces/{id}", "ndddyn", "", false},
    {"PATCH /api/v1/spaces/{id}/me", "ndyyyn", "{\"muted\":true}", false},
    {"POST /api/v1/spaces/{id}/members", "nddyyn", "{\"email\":\"n@b.c\",\"role\":\"viewer\"}",
     false},
    {"GET /api/v1/spaces/{id}/members", "nyyyyn", "", false},
    {"GET /api/v1/spaces/{id}/members/{user}", "nyyyyn", "", false},
    {"PATCH /api/v1/spaces/{id}/members/{user}", "ndddyn", "{\"role\":\"editor\"}", false},
    {"DELETE /api/v1/spaces/{id}/members/{user}", "ndddyn", "", false},
    {"POST /api/v1/spaces/{id}/links", "nddyyn", "{}", false},
    {"GET /api/v1/spaces/{id}/links", "nddyyn", "", false},
    {"DELETE /api/v1/spaces/{id}/links/{link}", "ndddyn", "", false},
    {"POST /api/v1/links/{token}/guests", "yyyyyy", "{\"name\":\"Gus\"}", false},
    {"GET /api/v1/spaces/{id}/guests", "nyyyyn", "", false},
    {"DELETE /api/v1/spaces/{id}/guests/{guest}", "ndddyn", "", false},
    {"POST /api/v1/links/{token}/members", "ydyyyy", "", false},
    /* of their messages: the one there is was written by the victim */
    {"POST /api/v1/spaces/{id}/messages", "nyyyyn", "{\"text\":\"x\"}", false},
    {"GET /api/v1/spaces/{id}/messages", "nyyyyn", "", false},
    {"GET /api/v1/spaces/{id}/messages/{message}", "nyyyyn", "", false},
    {"PATCH /api/v1/spaces/{id}/messages/{message}", "nddyyn", "{\"pinned\":true}", false},
    {"DELETE /api/v1/spaces/{id}/messages/{message}", "ndddyn", "", false},
    {"DELETE /api/v1/spaces/{id}/messages/{message}/previews/{preview}", "ndddyn", "", false},
    {"GET /api/v1/spaces/{id}/messages/{message}/edits", "nddyyn", "", false},
    {"POST /api/v1/spaces/{id}/messages/{message}/reactions", "nyyyyn", "{\"emoji\":\"\\u2764\"}",
     false},
    {"POST /api/v1/spaces/{id}/messages/{message}/read", "ndyyyn", "", false},
    {"GET /api/v1/spaces/{id}/receipts", "ndyyyn", "", false},
    {"PUT /api/v1/spaces/{id}/drafts", "ndyyyn", "{\"text\":\"x\"}", false},
    {"GET /api/v1/spaces/{id}/drafts", "ndyyyn", "", false},
    /* nobody's but their author's; there is none with this id */
    {"POST /api/v1/spaces/{id}/scheduled", "ndaaan", "{\"text\":\"x\",\"send_at\":1}", false},
    {"GET /api/v1/spaces/{id}/scheduled", "ndyyyn", "", false},
    {"PATCH /api/v1/spaces/{id}/scheduled/{message}", "ndnnnn", "{\"text\":\"y\"}", false},
    {"DELETE /api/v1/spaces/{id}/scheduled/{message}", "ndnnnn", "", false},
    {"GET /api/v1/events", "aaaaaa", "", false},
    /* of their files: the one there is was added by the owner */
    {"POST /api/v1/spaces/{id}/files", "nddyyn", "x", false},
    {"GET /api/v1/spaces/{id}/files", "nyyyyn", "", false},
    {"POST /api/v1/spaces/{id}/folders", "nddyyn", "{\"name\":\"f\"}", false},
    {"GET /api/v1/files/{id}", "nyyyyn", "", false},
    {"PATCH /api/v1/files/{id}", "nddyyn", "{\"name\":\"g\"}", false},
    {"DELETE /api/v1/files/{id}", "nddyyn", "", false},
    {"GET /api/v1/files/{id}/content", "nyyyyn", "", false},
    {"GET /api/v1/files/{id}/versions", "nddyyn", "", false},
    {"POST /api/v1/files/{id}/versions", "nddyyn", "y", false},
    /* of uploads into them: the one there is is the owner's */
    {"POST /api/v1/spaces/{id}/uploads", "nddyyn", "", false},
    {"OPTIONS /api/v1/uploads", "=", "", false},
    {"GET /api/v1/uploads/{id}", "ndnnyn", "", false},
    {"PATCH /api/v1/uploads/{id}", "ndnnyn", "x", false},
    {"DELETE /api/v1/uploads/{id}", "ndnnyn", "", false},
    {"GET /api/v1/spaces/{id}/quota", "ndyyyn", "", false},
    {"GET /api/v1/me/quota", "ydyyyy", "", false},
    {"GET /api/v1/quotas/users/{user}", "dddddy", "", false},
    {"PUT /api/v1/quotas/users/{user}", "dddddy", "{\"max\":-1}", false},
    {"GET /api/v1/quotas/spaces/{space}", "dddddy", "", false},
    {"PUT /api/v1/quotas/spaces/{space}", "dddddy", "{\"max\":-1}", false},
    /* of links that show contents: the one there is is the owner's */
    {"POST /api/v1/spaces/{id}/shares", "nddyyn", "{\"messages\":true}", false},
    {"GET /api/v1/spaces/{id}/shares", "nddyyn", "", false},
    {"DELETE /api/v1/spaces/{id}/shares/{share}", "ndddyn", "", false},
    {"GET /api/v1/shares/{token}", "yyyyyy", "", false},
    {"POST /api/v1/shares/{token}/pass", "yyyyyy", "{\"password\":\"x\"}", false},
    {"GET /api/v1/shares/{token}/files", "yyyyyy", "", false},
    {"GET /api/v1/shares/{token}/files/{file}/content", "yyyyyy", "", false},
    {"GET /api/v1/shares/{token}/messages", "yyyyyy", "", false},
    {"GET /api/v1/search", "adaaaa", "", false},
    /* of their meetings */
    {"POST /api/v1/spaces/{id}/meetings", "nddyyn", "{}", false},
    {"GET /api/v1/spaces/{id}/meetings", "nyyyyn", "", false},
    /* of accounts */
    {"POST /api/v1/setup", "=", "{}", false},
    {"POST /api/v1/session", "=", "{}", false},
    {"GET /api/v1/session", "ydyyyy", "", false},
    {"DELETE /api/v1/session", "ydyyyy", "", true},
    {"POST /api/v1/session/ticket", "yyyyyy", "", false},
    {"GET /api/v1/me", "ydyyyy", "", false},
    {"PATCH /api/v1/me", "ydyyyy", "{}", false},
    {"POST /api/v1/me/password", "adaaaa", "{}", false},
    {"GET /api/v1/me/sessions", "ydyyyy", "", false},
    {"DELETE /api/v1/me/sessions/{id}", "ndnnnn", "", false},
    {"GET /api/v1/me/push", "ydyyyy", "", false},
    {"PUT /api/v1/me/push", "adaaaa", "{}", false},
    {"DELETE /api/v1/me/push", "ydyyyy", "", false},
    {"POST /api/v1/me/push/test", "ndnnnn", "", false}, /* no device of theirs is told */
    {"GET /api/v1/users", "dddddy", "", false},
    {"POST /api/v1/users", "ddddda", "{}", false},
    {"GET /api/v1/users/{id}", "dddddy", "", false},
    {"PATCH /api/v1/users/{id}", "dddddy", "{}", false},
    /* of letters and their links */
    {"POST /api/v1/signup", "=", "{}", false},
    {"POST /api/v1/password", "=", "{}", false},
    {"POST /api/v1/me/email", "adaaaa", "{}", false},
    {"POST /api/v1/confirmations", "=", "{}", false},
    {"POST /api/v1/confirmations/account", "=", "{}", false},
    {"POST /api/v1/confirmations/password", "=", "{}", false},
    {"POST /api/v1/confirmations/email", "=", "{}", false},
    {"POST /api/v1/invitations", "ddddda", "{}", false},
    {"GET /api/v1/invitations", "dddddy", "", false},
    {"POST /api/v1/invitations/{id}/link", "dddddn", "", false},
    {"DELETE /api/v1/invitations/{id}", "dddddn", "", false},
    /* of second factors */
    {"POST /api/v1/session/second", "=", "{}", false},
    {"POST /api/v1/session/passkey/challenge", "=", "", false},
    {"POST /api/v1/session/passkey", "=", "{}", false},
    {"GET /api/v1/me/factors", "ydyyyy", "", false},
    {"POST /api/v1/me/totp", "adaaaa", "{}", false},
    {"POST /api/v1/me/totp/confirm", "adaaaa", "{}", false},
    {"DELETE /api/v1/me/totp", "adaaaa", "{}", false},
    {"POST /api/v1/me/codes", "adaaaa", "{}", false},
    {"POST /api/v1/me/passkeys/challenge", "adaaaa", "{}", false},
    {"POST /api/v1/me/passkeys", "adaaaa", "{}", false},
    {"PATCH /api/v1/me/passkeys/{id}", "ndnnnn", "{\"name\":\"x\"}", false},
    {"DELETE /api/v1/me/passkeys/{id}", "adaaaa", "{}", false},
    {"DELETE /api/v1/users/{id}/factors", "dddddy", "", false},
    /* of pictures: the victim has none */
    {"PUT /api/v1/me/picture", "adaaaa", "x", false},
    {"DELETE /api/v1/me/picture", "ydyyyy", "", false},
    {"GET /api/v1/users/{id}/picture", "ndnnnn", "", false},
    /* of meetings that belong to no space */
    {"POST /api/v1/meetings", "=", "{}", false},
    {"GET /api/v1/meetings/{id}", "=", "", false},
    {"GET /api/v1/meetings/{id}/stats", "nnnnnn", "", false},
    {"GET /api/v1/meetings/{id}/phone", "nnnnnn", "", false},
    {"PUT /api/v1/meetings/{id}/pin", "nnnnnn", "{\"pin\":\"\"}", false},
    {"POST /api/v1/meetings/{id}/calls", "nnnnnn", "{\"number\":\"+49301234567\"}", false},
    {"DELETE /api/v1/meetings/{id}/calls/{call}", "nnnnnn", "", false},
    {"GET /api/v1/calls.csv", "dddddy", "", false},
    /* of the server */
    {"GET /api/v1/info", "=", "", false},
    {"GET /api/openapi.json", "=", "", false},
    {"GET /healthz", "=", "", false},
    {"GET /readyz", "=", "", false},
    {"GET /metrics", "=", "", false},
};

struct stage {
    struct fixture f;
    struct api api;
    struct push push;
    struct arena *arena;
    const char *account[ROLES], *token[ROLES]; /* the guest has no account */
    const char *victim;                        /* one more viewer */
    /* made anew for each request */
    const char *space, *link, *link_token, *message, *file, *upload, *share, *share_token;
    const char *guest; /* another one */
};

static const char password[] = "a quiet lake at dawn";

static const char *person(struct stage *stage, const char *name, bool admin)
{
    const struct auth_user_new wish = {.email = arena_printf(stage->arena, "%s@b.c", name),
                                       .name = "Ada",
                                       .password = password,
                                       .admin = admin};
    struct auth_user user;
    struct auth_fault fault = {""};
    assert_int_equal(
        auth_user_add(stage->api.auth, &wish, clock_wall_ms(), stage->arena, &user, &fault),
        STATUS_OK);
    return user.id;
}

static void sign_in(struct stage *stage, int role)
{
    const struct auth_login login = {.email =
                                         arena_printf(stage->arena, "%s@b.c", role_names[role]),
                                     .password = password,
                                     .address = "127.0.0.1",
                                     .local = true};
    struct auth_signed_in in;
    uint32_t wait;
    assert_int_equal(
        auth_sign_in(stage->api.auth, &login, clock_wall_ms(), stage->arena, &in, &wait),
        STATUS_OK);
    stage->token[role] = arena_strdup(stage->arena, in.token);
}

static void stage_begin(struct stage *stage)
{
    struct http_config config;
    memset(stage, 0, sizeof *stage);
    assert_int_equal(arena_new(64 << 20, &stage->arena), STATUS_OK);
    fixture_config(&stage->f, &config);
    config.https = false;
    config.requests_per_minute = 100000;
    fixture_new(&stage->f, &config);
    stage->api.db = scratch_db(stage->f.folder, 2);
    assert_int_equal(objects_open(stage->api.db, stage->f.folder, &stage->api.objects), STATUS_OK);
    const struct auth_config auth = {.db = stage->api.db};
    assert_int_equal(auth_new(&auth, &stage->api.auth), STATUS_OK);
    assert_int_equal(presence_new(&stage->api.presence), STATUS_OK);
    stage->push = (struct push){.db = stage->api.db};
    stage->api.push = &stage->push;
    stage->api.adhoc = ADHOC_ANYONE;
    assert_int_equal(metrics_new(&stage->api.metrics), STATUS_OK);
    assert_int_equal(api_routes(stage->f.http, &stage->api), STATUS_OK);
    fixture_start(&stage->f);
    for (int role = 0; role < ROLES; role++) {
        if (role == GUEST)
            continue;
        stage->account[role] = person(stage, role_names[role], role == ADMIN);
        sign_in(stage, role);
    }
    stage->victim = person(stage, "victim", false);
}

static void stage_end(struct stage *stage)
{
    stage->f.http = http_free(stage->f.http);
    auth_free(stage->api.auth);
    presence_free(stage->api.presence);
    objects_close(stage->api.objects);
    db_close(stage->api.db);
    metrics_free(stage->api.metrics);
    fixture_free(&stage->f);
    arena_free(stage->arena);
}

static void enter(struct stage *stage, const char *account, const char *role)
{
    const struct spaces_who owner = {stage->space, stage->account[OWNER]};
    const struct spaces_invitee invitee = {.account = account, .role = role};
    struct spaces_member member;
    assert_int_equal(
        spaces_invite(stage->api.db, &owner, &invitee, clock_wall_ms(), stage->arena, &member),
        STATUS_OK);
}

static const char preview[] = "0123456789abcdef0123456789abcdef";

/* As if the page had been asked that the victim's message links to. */
static enum status preview_run(struct db_session *session, void *arg)
{
    const struct stage *stage = arg;
    const struct vault_place place = {
        .space = stage->space,
        .table = "space_preview",
        .column = "card",
        .row = arena_printf(stage->arena, "%s/%s", stage->message, preview)};
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO space_preview (message, id, place, card) VALUES ($1, $2, 0, $3)");
    db_bind_int(insert, 1, strtoll(stage->message, NULL, 10));
    db_bind_text(insert, 2, preview);
    enum status status =
        vault_bind(db_session_vault(session), &place, insert, 3,
                   "{\"url\":\"http://a.example\",\"title\":\"t\",\"about\":\"\",\"site\":\"\"}");
    return status == STATUS_OK ? db_run(insert) : status;
}

static void space_make(struct stage *stage)
{
    const struct spaces_new wish = {.account = stage->account[OWNER], .name = "Lake"};
    struct spaces_space space;
    struct spaces_link link;
    assert_int_equal(spaces_create(stage->api.db, &wish, clock_wall_ms(), stage->arena, &space),
                     STATUS_OK);
    stage->space = space.id;
    enter(stage, stage->account[VIEWER], "viewer");
    enter(stage, stage->account[EDITOR], "editor");
    enter(stage, stage->victim, "viewer");
    const struct spaces_who owner = {stage->space, stage->account[OWNER]};
    const struct spaces_link_new new = {.role = "viewer", .guests = true};
    assert_int_equal(
        spaces_link_add(stage->api.db, &owner, &new, clock_wall_ms(), stage->arena, &link),
        STATUS_OK);
    const struct spaces_who victim = {stage->space, stage->victim};
    const struct messages_post post = {.text = "x"};
    struct messages_message message;
    bool changed;
    assert_int_equal(messages_add(stage->api.db, &victim, &post, clock_wall_ms(), stage->arena,
                                  &message, &changed),
                     STATUS_OK);
    stage->message = message.id;
    assert_int_equal(db_write(stage->api.db, preview_run, stage), STATUS_OK);
    const struct files_new content = {.name = "f", .content = "x", .length = 1};
    struct files_file file;
    assert_int_equal(files_add(stage->api.db, stage->api.objects, &owner, &content, clock_wall_ms(),
                               stage->arena, &file),
                     STATUS_OK);
    stage->file = file.id;
    struct uploads_upload upload;
    assert_int_equal(uploads_new(stage->api.db, stage->api.objects, &owner, &content,
                                 clock_wall_ms(), stage->arena, &upload),
                     STATUS_OK);
    stage->upload = upload.id;
    const struct shares_new shown = {.everything = true, .messages = true};
    struct shares_share share;
    assert_int_equal(shares_add(stage->api.db, stage->api.auth, &owner, &shown, clock_wall_ms(),
                                stage->arena, &share),
                     STATUS_OK);
    stage->share = share.id;
    stage->share_token = share.token;
    stage->link = link.id;
    stage->link_token = link.token;
    struct spaces_guest guest;
    assert_int_equal(
        guests_enter(stage->api.db, link.token, "Gil", clock_wall_ms(), stage->arena, &guest),
        STATUS_OK);
    stage->guest = guest.id;
    assert_int_equal(
        guests_enter(stage->api.db, link.token, "Gus", clock_wall_ms(), stage->arena, &guest),
        STATUS_OK);
    stage->token[GUEST] = guest.token;
}

/* The pattern with names filled in: of what there is where a space is meant. */
static const char *path_of(struct stage *stage, const char *pattern)
{
    const struct {
        const char *name, *value;
    } values[] = {{"{user}", stage->victim},
                  {"{link}", stage->link},
                  {"{call}", "1"},
                  {"{preview}", preview},
                  {"{message}", stage->message},
                  {"{token}", strstr(pattern, "/shares/") ? stage->share_token : stage->link_token},
                  {"{share}", stage->share},
                  {"{file}", stage->file},
                  {"{guest}", stage->guest},
                  {"{space}", stage->space},
                  {"{id}", strstr(pattern, "/spaces/") != NULL     ? stage->space
                           : strstr(pattern, "/users/") != NULL    ? stage->victim
                           : strstr(pattern, "/v1/files/") != NULL ? stage->file
                           : strstr(pattern, "/v1/uploads/")       ? stage->upload
                                                                   : "none"}};
    const char *path = "";
    while (*pattern != '\0') {
        size_t i = 0;
        while (i < sizeof values / sizeof values[0] &&
               strncmp(pattern, values[i].name, strlen(values[i].name)) != 0)
            i++;
        if (i < sizeof values / sizeof values[0]) {
            path = arena_printf(stage->arena, "%s%s", path, values[i].value);
            pattern += strlen(values[i].name);
        } else {
            if (*pattern == '{')
                fail_msg("what is %s?", pattern);
            path = arena_printf(stage->arena, "%s%c", path, *pattern++);
        }
    }
    return path;
}

static int status_of(struct stage *stage, const struct api_route *route, const struct expected *row,
                     int role)
{
    char text[4096];
    struct reply reply;
    space_make(stage);
    snprintf(text, sizeof text,
             "%s %s%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s"
             "Content-Length: %zu\r\n\r\n%s",
             route->method, path_of(stage, route->pattern),
             strcmp(row->route, "POST /api/v1/spaces/{id}/files") == 0 ? "?name=g" : "",
             stage->token[role],
             strstr(route->pattern, "/uploads") != NULL
                 ? "Tus-Resumable: 1.0.0\r\nUpload-Length: 1\r\nUpload-Offset: 0\r\n"
                   "Upload-Metadata: filename Zw==\r\n"
                   "Content-Type: application/offset+octet-stream\r\n"
                 : "",
             strlen(row->body), row->body);
    ask(stage->f.port, text, &reply);
    int status = reply.status;
    reply_free(&reply);
    if (row->ends && role != GUEST)
        sign_in(stage, role);
    return status;
}

static bool fits(char outcome, int status)
{
    switch (outcome) {
    case 'y':
        return status >= 200 && status < 300;
    case 'a':
        return status != 401 && status != 403 && status != 404;
    case 'd':
        return status == 403;
    case 'n':
        return status == 404;
    default:
        return outcome == 'u' && status == 401;
    }
}

static const struct expected *row_of(const struct api_route *route)
{
    char name[128];
    snprintf(name, sizeof name, "%s %s", route->method, route->pattern);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (strcmp(expected[i].route, name) == 0)
            return &expected[i];
    }
    fail_msg("%s: who may? It is not expected here", name);
    return NULL;
}

static void test_every_route_and_role(void **state)
{
    (void)state;
    struct stage stage;
    const struct api_route *route;
    size_t count = 0, wrong = 0;
    stage_begin(&stage);
    for (; (route = api_route_at(count)) != NULL; count++) {
        const struct expected *row = row_of(route);
        int first = 0;
        for (int role = 0; role < ROLES; role++) {
            int status = status_of(&stage, route, row, role);
            first = role == 0 ? status : first;
            bool same = row->outcomes[0] == '=';
            if (same ? status == first : fits(row->outcomes[role], status))
                continue;
            print_error("%s as %s: %d, expected %c\n", row->route, role_names[role], status,
                        same ? '=' : row->outcomes[role]);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(count, sizeof expected / sizeof expected[0]);
    stage_end(&stage);
}

/* The status of a request without a body. */
static int status_with(struct stage *stage, const char *token, const char *method, const char *path)
{
    char text[1024];
    struct reply reply;
    snprintf(text, sizeof text,
             "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
             "Content-Length: 0\r\n\r\n",
             method, path, token);
    ask(stage->f.port, text, &reply);
    int status = reply.status;
    reply_free(&reply);
    return status;
}

/* To a guest of one space the others are not there, whatever the route. */
static void test_guest_elsewhere(void **state)
{
    (void)state;
    struct stage stage;
    const struct api_route *route;
    stage_begin(&stage);
    space_make(&stage);
    const char *token = stage.token[GUEST];
    space_make(&stage);
    for (size_t i = 0; (route = api_route_at(i)) != NULL; i++) {
        if (route->who != API_MEMBER)
            continue;
        int status = status_with(&stage, token, route->method, path_of(&stage, route->pattern));
        if (status != (route->guests ? 404 : 403))
            fail_msg("%s %s: %d", route->method, route->pattern, status);
    }
    stage_end(&stage);
}

/* The session ends when the link is removed, when the policy forbids links, when one goes. */
static void test_guest_ends(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    for (int way = 0; way < 3; way++) {
        space_make(&stage);
        const struct spaces_who owner = {stage.space, stage.account[OWNER]};
        const char *token = stage.token[GUEST],
                   *path = arena_printf(stage.arena, "/api/v1/spaces/%s", stage.space);
        assert_int_equal(status_with(&stage, token, "GET", path), 200);
        if (way == 0)
            assert_int_equal(spaces_link_remove(stage.api.db, &owner, stage.link, clock_wall_ms()),
                             STATUS_OK);
        if (way == 1) {
            const struct spaces_change none = {.links = "none"};
            struct spaces_space space;
            assert_int_equal(
                spaces_change(stage.api.db, &owner, &none, clock_wall_ms(), stage.arena, &space),
                STATUS_OK);
        }
        if (way == 2)
            assert_int_equal(status_with(&stage, token, "DELETE",
                                         arena_printf(stage.arena, "%s/guests/me", path)),
                             204);
        assert_int_equal(status_with(&stage, token, "GET", path), 401);
    }
    stage_end(&stage);
}

/* Nor after the link's time, by the clock of who checks. */
static void test_guest_expires(void **state)
{
    (void)state;
    struct stage stage;
    struct spaces_guest guest;
    stage_begin(&stage);
    space_make(&stage);
    int64_t now = clock_wall_ms(), later = now + SPACES_LINK_LIFE_MS;
    assert_int_equal(guests_check(stage.api.db, stage.token[GUEST], now, stage.arena, &guest),
                     STATUS_OK);
    assert_string_equal(guest.name, "Gus");
    assert_int_equal(guests_check(stage.api.db, stage.token[GUEST], later, stage.arena, &guest),
                     STATUS_DENIED);
    stage_end(&stage);
}

/* Names, but no addresses. */
static void test_guest_sees_no_address(void **state)
{
    (void)state;
    struct stage stage;
    struct spaces_guest guest;
    struct spaces_members members;
    struct spaces_member member;
    stage_begin(&stage);
    space_make(&stage);
    assert_int_equal(
        guests_check(stage.api.db, stage.token[GUEST], clock_wall_ms(), stage.arena, &guest),
        STATUS_OK);
    const struct spaces_who who = {stage.space, guest.id};
    assert_int_equal(spaces_members(stage.api.db, &who, NULL, stage.arena, &members), STATUS_OK);
    const struct spaces_member *items = members.items.items;
    assert_int_equal(members.items.count, 4);
    for (size_t i = 0; i < members.items.count; i++)
        assert_string_equal(items[i].email, "");
    assert_int_equal(spaces_member(stage.api.db, &who, stage.victim, stage.arena, &member),
                     STATUS_OK);
    assert_string_equal(member.email, "");
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_and_role),
        cmocka_unit_test(test_guest_elsewhere),
        cmocka_unit_test(test_guest_ends),
        cmocka_unit_test(test_guest_expires),
        cmocka_unit_test(test_guest_sees_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
