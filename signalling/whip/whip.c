#include "signalling/whip/whip.h"

#include "core/clock.h"
#include "core/log.h"
#include "signalling/http/problem.h"
#include "signalling/sdp/answer.h"
#include "signalling/whip/sdpfrag.h"

#include <string.h>
#include <strings.h>

enum { WHEP_RETRY_S = 5 /* when to ask again for somebody who does not send yet */ };

/* One POST being carried out. */
struct entry {
    struct whip *whip;
    const struct http_request *request;
    struct http_reply *reply;
    bool publish;
    const char *name; /* as= or from= */
    struct media_transport_spec *spec;
    const char *answer;
    struct adhoc_opened opened;
};

static const char sdp_type[] = "application/sdp";
static const char frag_type[] = "application/trickle-ice-sdpfrag";

/* ---- POST ---- */

/* False when it was answered with a problem. */
static bool may_enter(struct entry *entry)
{
    const struct http_request *request = entry->request;
    static const char scheme[] = "Bearer ";
    if (request->authorization[0] != '\0') {
        bool bearer = strncasecmp(request->authorization, scheme, sizeof scheme - 1) == 0;
        if (bearer && registry_host_check(entry->whip->db, entry->opened.meeting.id,
                                          request->authorization + sizeof scheme - 1) == STATUS_OK)
            return true;
        http_reply_header(entry->reply, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
        http_problem(request, entry->reply, 401, "unauthorized",
                     "the bearer token is not this meeting's host token");
        return false;
    }
    if (!entry->opened.meeting.locked && !entry->opened.meeting.lobby)
        return true;
    http_reply_header(entry->reply, "WWW-Authenticate", "Bearer");
    http_problem(request, entry->reply, 401, "unauthorized",
                 "this meeting is not open: its host token is needed");
    return false;
}

static bool entry_named(struct entry *entry)
{
    const struct http_request *request = entry->request;
    if (strcmp(request->content_type, sdp_type) != 0) {
        http_problem(request, entry->reply, 415, "media_type", "send application/sdp");
        return false;
    }
    entry->name = http_query(request, entry->publish ? "as" : "from");
    if (entry->name == NULL)
        entry->name = entry->publish ? "WHIP" : "all";
    if (registry_name_valid(entry->name))
        return true;
    http_problem_status(request, entry->reply, STATUS_INVALID, "as or from is no valid name");
    return false;
}

/* A publisher is one person: RFC 9725 4.4.2 wants more than one of a kind refused. */
static bool one_of_each(const struct media_transport_spec *spec)
{
    size_t of_kind[2] = {0};
    for (size_t i = 0; i < spec->track_count; i++)
        of_kind[spec->tracks[i].kind]++;
    return of_kind[MEDIA_AUDIO] <= 1 && of_kind[MEDIA_VIDEO] <= 1;
}

/* Before anything else is looked at or made: an offer without an answer leaves no trace. */
static bool entry_answered(struct entry *entry)
{
    const struct http_request *request = entry->request;
    struct answer_config config = {.role = entry->publish ? ANSWER_PUBLISH : ANSWER_PLAY,
                                   .local = media_local(entry->whip->media),
                                   .transport_id = meetings_transport_id(entry->whip->meetings)};
    struct answer_error error = {""};
    enum answer_change change;
    enum status status = STATUS_NO_MEMORY;
    entry->spec = arena_alloc(request->arena, sizeof *entry->spec);
    if (entry->spec != NULL)
        status = answer_make(request->body, request->body_length, &config, request->arena,
                             entry->spec, &change, &entry->answer, &error);
    if (status == STATUS_OK && entry->publish && !one_of_each(entry->spec)) {
        http_problem(request, entry->reply, 422, "unprocessable_offer",
                     "publish one audio and one video line at most");
        return false;
    }
    if (status == STATUS_OK)
        return true;
    const char *why = arena_strdup(request->arena, error.text);
    /* RFC 9725 4.4: 422. WHEP would read a 406 as an offer of ours. */
    if (status == STATUS_UNSUPPORTED || status == STATUS_LIMIT)
        http_problem(request, entry->reply, 422, "unprocessable_offer",
                     why != NULL ? why : status_text(status));
    else
        http_problem_status(request, entry->reply, status, why);
    return false;
}

/* False when it was answered with a problem. */
static bool entry_opened(struct entry *entry)
{
    const struct http_request *request = entry->request;
    bool may_create = entry->publish && adhoc_allows(entry->whip->adhoc, request->loopback, false);
    enum status status = adhoc_open(entry->whip->db, request->params[0], may_create,
                                    clock_wall_ms(), request->arena, &entry->opened);
    if (status != STATUS_OK) {
        http_problem_status(request, entry->reply,
                            status == STATUS_INVALID ? STATUS_NOT_FOUND : status, NULL);
        return false;
    }
    return may_enter(entry);
}

static enum status entry_join(struct entry *entry, char resource[CRYPTO_TOKEN_CHARS + 1])
{
    struct meeting_whip wish = {
        .meeting = &entry->opened.meeting, .name = entry->name, .spec = entry->spec};
    if (!entry->publish)
        return meetings_whep_join(entry->whip->meetings, &wish, resource);
    struct registry_participant_spec participant = {
        .meeting = wish.meeting->id, .name = entry->name, .kind = REGISTRY_WHIP, .admitted = true};
    struct registry_participant_created created;
    enum status status =
        registry_participant_new(entry->whip->db, &participant, clock_wall_ms(), &created);
    if (status != STATUS_OK)
        return status;
    wish.participant = created.id;
    return meetings_whip_join(entry->whip->meetings, &wish, resource);
}

/* The entity tag names the ICE session (RFC 9725 4.3.1). */
static const char *ice_tag(const struct media_ice *ice, struct arena *arena)
{
    return arena_printf(arena, "\"%s\"", ice->local_ufrag);
}

static void enter(struct whip *whip, const struct http_request *request, struct http_reply *reply,
                  bool publish)
{
    struct entry entry = {.whip = whip, .request = request, .reply = reply, .publish = publish};
    char resource[CRYPTO_TOKEN_CHARS + 1];
    if (!entry_named(&entry) || !entry_answered(&entry) || !entry_opened(&entry))
        return;
    enum status status = entry_join(&entry, resource);
    if (status == STATUS_NOT_FOUND && !publish) {
        http_reply_header(reply, "Retry-After", arena_printf(request->arena, "%d", WHEP_RETRY_S));
        http_problem(request, reply, 409, "not_sending", "nobody of that name sends now");
        return;
    }
    if (status != STATUS_OK) {
        http_problem_status(request, reply, status, NULL);
        return;
    }
    log_event(LOG_WHIP, LOG_INFO, publish ? "publishing" : "watching", "meeting=%s transport=%llu",
              entry.opened.meeting.id, (unsigned long long)entry.spec->id);
    reply->status = 201;
    reply->content_type = sdp_type;
    reply->body = entry.answer;
    reply->body_length = strlen(entry.answer);
    http_reply_header(
        reply, "Location",
        arena_printf(request->arena, "/%s/r/%s", publish ? "whip" : "whep", resource));
    http_reply_header(reply, "ETag", ice_tag(&entry.spec->ice, request->arena));
    http_reply_header(reply, "Accept-Patch", frag_type);
}

static void post_whip(void *context, const struct http_request *request, struct http_reply *reply)
{
    enter(context, request, reply, true);
}

static void post_whep(void *context, const struct http_request *request, struct http_reply *reply)
{
    enter(context, request, reply, false);
}

/* Also what a browser asks before it posts from a page of a listed origin. */
static void options(void *context, const struct http_request *request, struct http_reply *reply)
{
    (void)context, (void)request;
    reply->status = 200;
    http_reply_header(reply, "Accept-Post", sdp_type);
    http_reply_header(reply, "Access-Control-Allow-Methods", "POST, GET, OPTIONS");
    http_reply_header(reply, "Access-Control-Allow-Headers", "Authorization, Content-Type");
}

/* An endpoint has no representation (RFC 9725 4.1); WHEP's says what it is by its type. */
static void get_endpoint(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    (void)context;
    bool whep = strncmp(request->path, "/whep/", 6) == 0;
    reply->status = whep ? 200 : 204;
    reply->content_type = whep ? sdp_type : NULL;
}

/* ---- the resource ---- */

/*
 * Whether If-Match names the tag (RFC 9110 13.1.1). "*" is any; RFC 9725's own example
 * writes it in quotes.
 */
static bool tag_matches(const char *if_match, const char *tag)
{
    if (strcmp(if_match, "*") == 0 || strcmp(if_match, "\"*\"") == 0)
        return true;
    size_t length = strlen(tag);
    for (const char *at = if_match; *at != '\0';) {
        at += strspn(at, ", \t");
        size_t item = strcspn(at, ", \t");
        if (item == length && strncmp(at, tag, length) == 0)
            return true;
        at += item;
    }
    return false;
}

static void restart(struct whip *whip, const struct http_request *request, struct http_reply *reply,
                    const struct sdpfrag *frag, struct media_transport_spec *spec)
{
    const char *body = NULL;
    enum status status = answer_restart(frag->ufrag, frag->pwd, &spec->ice);
    if (status == STATUS_OK)
        status = sdpfrag_write(spec, media_local(whip->media), request->arena, &body);
    if (status == STATUS_OK)
        status = meetings_resource_restart(whip->meetings, request->params[0], &spec->ice);
    if (status != STATUS_OK) {
        http_problem_status(request, reply, status, NULL);
        return;
    }
    reply->status = 200;
    reply->content_type = frag_type;
    reply->body = body;
    reply->body_length = strlen(body);
    http_reply_header(reply, "ETag", ice_tag(&spec->ice, request->arena));
}

static void patch(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct whip *whip = context;
    struct sdpfrag frag;
    if (strcmp(request->content_type, frag_type) != 0) {
        http_problem(request, reply, 415, "media_type", "send application/trickle-ice-sdpfrag");
        return;
    }
    struct media_transport_spec *spec = arena_alloc(request->arena, sizeof *spec);
    enum status status = spec != NULL ? meetings_resource(whip->meetings, request->params[0], spec)
                                      : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = sdpfrag_read(request->body, request->body_length, &frag);
    if (status != STATUS_OK) {
        http_problem_status(request, reply, status, NULL);
        return;
    }
    const char *tag = ice_tag(&spec->ice, request->arena);
    bool other = (frag.ufrag[0] != '\0' && strcmp(frag.ufrag, spec->ice.remote_ufrag) != 0) ||
                 (frag.pwd[0] != '\0' && strcmp(frag.pwd, spec->ice.remote_pwd) != 0);
    if (request->if_match[0] == '\0')
        http_problem(request, reply, 428, "if_match", "If-Match is needed");
    else if (tag == NULL || !tag_matches(request->if_match, tag))
        http_problem(request, reply, 412, "if_match", "this is not the current ICE session");
    else if (other)
        restart(whip, request, reply, &frag, spec);
    else
        reply->status = 204; /* candidates: a lite agent waits for checks, RFC 8445 2.5 */
}

static void get_resource(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    struct whip *whip = context;
    struct media_transport_spec *spec = arena_alloc(request->arena, sizeof *spec);
    enum status status = spec != NULL ? meetings_resource(whip->meetings, request->params[0], spec)
                                      : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        http_problem_status(request, reply, status, NULL);
    else
        reply->status = 204;
}

static void leave(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct whip *whip = context;
    enum status status = meetings_resource_leave(whip->meetings, request->params[0]);
    if (status != STATUS_OK)
        http_problem_status(request, reply, status, NULL);
    else
        reply->status = 200;
}

enum status whip_routes(struct http *http, struct whip *whip)
{
    const struct http_route routes[] = {
        {"POST", "/whip/{meeting}", post_whip, whip, SDP_OFFER_MAX},
        {"POST", "/whep/{meeting}", post_whep, whip, SDP_OFFER_MAX},
        {"OPTIONS", "/whip/{meeting}", options, whip, 0},
        {"OPTIONS", "/whep/{meeting}", options, whip, 0},
        {"GET", "/whip/{meeting}", get_endpoint, whip, 0},
        {"GET", "/whep/{meeting}", get_endpoint, whip, 0},
        {"GET", "/whip/r/{resource}", get_resource, whip, 0},
        {"GET", "/whep/r/{resource}", get_resource, whip, 0},
        {"PATCH", "/whip/r/{resource}", patch, whip, SDPFRAG_MAX},
        {"PATCH", "/whep/r/{resource}", patch, whip, SDPFRAG_MAX},
        {"DELETE", "/whip/r/{resource}", leave, whip, 0},
        {"DELETE", "/whep/r/{resource}", leave, whip, 0},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof routes / sizeof routes[0]; i++)
        status = http_route_add(http, &routes[i]);
    return status;
}
