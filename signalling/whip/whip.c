#include "signalling/whip/whip.h"

#include "core/clock.h"
#include "core/log.h"
#include "signalling/http/problem.h"
#include "signalling/sdp/answer.h"
#include "signalling/whip/sdpfrag.h"

#include <string.h>
#include <strings.h>

/* One POST being carried out. */
struct entry {
    struct whip *whip;
    const struct http_request *request;
    struct http_reply *reply;
    bool publish;
    const char *name; /* as= or from= */
    struct adhoc_opened opened;
};

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

/* False when it was answered with a problem. */
static bool entry_prepare(struct entry *entry)
{
    const struct http_request *request = entry->request;
    if (strcmp(request->content_type, "application/sdp") != 0) {
        http_problem(request, entry->reply, 415, "media_type", "send application/sdp");
        return false;
    }
    entry->name = http_query(request, entry->publish ? "as" : "from");
    if (entry->name == NULL)
        entry->name = entry->publish ? "WHIP" : "all";
    if (!registry_name_valid(entry->name)) {
        http_problem_status(request, entry->reply, STATUS_INVALID, "as or from is no valid name");
        return false;
    }
    bool may_create = entry->publish && adhoc_allows(entry->whip->adhoc, request->loopback);
    enum status status = adhoc_open(entry->whip->db, request->params[0], may_create,
                                    clock_wall_ms(), request->arena, &entry->opened);
    if (status != STATUS_OK) {
        http_problem_status(request, entry->reply,
                            status == STATUS_INVALID ? STATUS_NOT_FOUND : status, NULL);
        return false;
    }
    return may_enter(entry);
}

static enum status entry_join(struct entry *entry, const struct media_transport_spec *spec,
                              char resource[CRYPTO_TOKEN_CHARS + 1])
{
    struct meeting_whip wish = {
        .meeting = &entry->opened.meeting, .name = entry->name, .spec = spec};
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
    struct media_transport_spec *spec = arena_alloc(request->arena, sizeof *spec);
    if (spec == NULL) {
        http_problem_status(request, reply, STATUS_NO_MEMORY, NULL);
        return;
    }
    if (!entry_prepare(&entry))
        return;
    struct answer_config config = {.role = publish ? ANSWER_PUBLISH : ANSWER_PLAY,
                                   .local = media_local(whip->media),
                                   .transport_id = meetings_transport_id(whip->meetings)};
    struct answer_error error = {""};
    enum answer_change change;
    const char *answer;
    enum status status = answer_make(request->body, request->body_length, &config, request->arena,
                                     spec, &change, &answer, &error);
    char resource[CRYPTO_TOKEN_CHARS + 1];
    if (status == STATUS_OK)
        status = entry_join(&entry, spec, resource);
    if (status != STATUS_OK) {
        http_problem_status(request, reply, status, arena_strdup(request->arena, error.text));
        return;
    }
    log_event(LOG_WHIP, LOG_INFO, publish ? "publishing" : "watching", "meeting=%s transport=%llu",
              entry.opened.meeting.id, (unsigned long long)spec->id);
    reply->status = 201;
    reply->content_type = "application/sdp";
    reply->body = answer;
    reply->body_length = strlen(answer);
    http_reply_header(
        reply, "Location",
        arena_printf(request->arena, "/%s/r/%s", publish ? "whip" : "whep", resource));
    http_reply_header(reply, "ETag", ice_tag(&spec->ice, request->arena));
    http_reply_header(reply, "Accept-Patch", "application/trickle-ice-sdpfrag");
}

static void post_whip(void *context, const struct http_request *request, struct http_reply *reply)
{
    enter(context, request, reply, true);
}

static void post_whep(void *context, const struct http_request *request, struct http_reply *reply)
{
    enter(context, request, reply, false);
}

static void options(void *context, const struct http_request *request, struct http_reply *reply)
{
    (void)context, (void)request;
    reply->status = 204;
    http_reply_header(reply, "Accept-Post", "application/sdp");
}

/* ---- PATCH ---- */

static void restart(struct whip *whip, const struct http_request *request, struct http_reply *reply,
                    const struct sdpfrag *frag)
{
    struct media_ice ice;
    enum status status = answer_restart(frag->ufrag, frag->pwd, &ice);
    if (status == STATUS_OK)
        status = meetings_resource_restart(whip->meetings, request->params[0], &ice);
    if (status != STATUS_OK) {
        http_problem_status(request, reply, status, NULL);
        return;
    }
    reply->status = 200;
    reply->content_type = "application/trickle-ice-sdpfrag";
    reply->body = arena_printf(request->arena,
                               "a=ice-lite\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n"
                               "a=end-of-candidates\r\n",
                               ice.local_ufrag, ice.local_pwd);
    reply->body_length = reply->body != NULL ? strlen(reply->body) : 0;
    http_reply_header(reply, "ETag", ice_tag(&ice, request->arena));
}

static void patch(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct whip *whip = context;
    struct sdpfrag frag;
    struct media_transport_spec *spec = arena_alloc(request->arena, sizeof *spec);
    if (strcmp(request->content_type, "application/trickle-ice-sdpfrag") != 0) {
        http_problem(request, reply, 415, "media_type", "send application/trickle-ice-sdpfrag");
        return;
    }
    enum status status = spec != NULL ? meetings_resource(whip->meetings, request->params[0], spec)
                                      : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = sdpfrag_read(request->body, request->body_length, &frag);
    if (status != STATUS_OK) {
        http_problem_status(request, reply, status, NULL);
        return;
    }
    bool other = (frag.ufrag[0] != '\0' && strcmp(frag.ufrag, spec->ice.remote_ufrag) != 0) ||
                 (frag.pwd[0] != '\0' && strcmp(frag.pwd, spec->ice.remote_pwd) != 0);
    bool any = strcmp(request->if_match, "*") == 0;
    if (request->if_match[0] == '\0') {
        http_problem(request, reply, 428, "if_match", "If-Match is needed");
    } else if (!any && strcmp(request->if_match, ice_tag(&spec->ice, request->arena)) != 0) {
        http_problem(request, reply, 412, "if_match", "this is not the current ICE session");
    } else if (other) {
        restart(whip, request, reply, &frag);
    } else {
        reply->status = 204; /* candidates: a lite agent waits for checks, RFC 8445 2.5 */
    }
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
