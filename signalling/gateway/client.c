#include "signalling/gateway/client.h"

#include "core/clock.h"
#include "modules/spaces/guests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- who ---- */

/* Who the token says this is, or a new participant. */
struct identity {
    const char *id, *token, *name;
    enum registry_role role;
    bool admitted;
};

/* Refused on purpose: code is what the client is told (docs/design/gateway.md). What only failed
 * leaves *ret_code alone. */
static enum status refuse(const char *code, enum status status, const char **ret_code)
{
    *ret_code = code;
    return status;
}

static enum status identity_known(struct commands *commands, const struct msg_identify *identify,
                                  struct arena *arena, struct identity *ret_identity,
                                  const char **ret_code)
{
    struct registry_participant participant;
    enum status status = registry_participant_by_token(commands->db, identify->meeting,
                                                       identify->token, arena, &participant);
    if (status != STATUS_OK)
        return status;
    if (participant.removed)
        return refuse("removed", STATUS_DENIED, ret_code);
    if (strcmp(participant.name, identify->name) != 0) {
        status = registry_participant_rename(commands->db, identify->meeting, participant.id,
                                             identify->name, clock_wall_ms());
        if (status != STATUS_OK)
            return status;
    }
    *ret_identity = (struct identity){.id = participant.id,
                                      .token = identify->token,
                                      .name = identify->name,
                                      .role = participant.role,
                                      .admitted = participant.admitted};
    return STATUS_OK;
}

static enum status identity_new(struct commands *commands, const struct msg_identify *identify,
                                const struct adhoc_opened *opened, struct arena *arena,
                                struct identity *ret_identity, const char **ret_code)
{
    const char *host = opened->token[0] != '\0' ? opened->token : NULL;
    if (host == NULL && identify->token != NULL &&
        registry_host_check(commands->db, identify->meeting, identify->token) == STATUS_OK)
        host = identify->token;
    if (host == NULL && opened->meeting.locked)
        return refuse("locked", STATUS_DENIED, ret_code);
    struct registry_participant_spec spec = {.meeting = identify->meeting,
                                             .name = identify->name,
                                             .kind = REGISTRY_BROWSER,
                                             .admitted = !opened->meeting.lobby,
                                             .host_token = host};
    struct registry_participant_created created;
    enum status status = registry_participant_new(commands->db, &spec, clock_wall_ms(), &created);
    if (status == STATUS_LIMIT)
        return refuse("full", status, ret_code);
    if (status != STATUS_OK)
        return status;
    *ret_identity = (struct identity){.id = arena_strdup(arena, created.id),
                                      .token = arena_strdup(arena, created.token),
                                      .name = identify->name,
                                      .role = created.role,
                                      .admitted = created.admitted};
    return ret_identity->id != NULL && ret_identity->token != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Who is signed in joins under the account's name. */
static enum status account_take(struct commands *commands, struct msg_identify *identify,
                                struct arena *arena, struct auth_caller *ret_caller,
                                const char **ret_code)
{
    if (identify->account == NULL || identify->account[0] == '\0')
        return STATUS_OK;
    enum status status =
        auth_ticket_check(commands->auth, identify->account, clock_wall_ms(), arena, ret_caller);
    if (status != STATUS_OK)
        return status == STATUS_DENIED ? refuse("signed_out", status, ret_code) : status;
    identify->name = ret_caller->user.name;
    return STATUS_OK;
}

/* Whether who is signed in, or the guest, still is. Errors: STATUS_DENIED. */
static enum status still_in(const struct commands *commands, const struct signed_in *signed_in,
                            struct arena *arena)
{
    struct spaces_guest guest;
    return signed_in->guest
               ? guests_check_id(commands->db, signed_in->user, clock_wall_ms(), arena, &guest)
               : auth_session_check(commands->auth, signed_in->login, clock_wall_ms());
}

/* From now on the end of the sign-in ends the session; it may have come just before. */
static enum status account_watch(struct commands *commands, struct gateway_session *session,
                                 const struct auth_caller *caller, struct client *client,
                                 struct arena *arena)
{
    struct signed_in *signed_in = &client->signed_in;
    if (caller->session == NULL)
        return STATUS_OK;
    signed_in->session = session;
    snprintf(signed_in->user, sizeof signed_in->user, "%s", caller->user.id);
    snprintf(signed_in->login, sizeof signed_in->login, "%s", caller->session);
    enum status status = signed_in_add(commands->signed_in, signed_in);
    return status == STATUS_OK ? still_in(commands, signed_in, arena) : status;
}

static enum status meeting_open(struct commands *commands, const struct gateway_session *session,
                                const struct msg_identify *identify, bool member,
                                struct arena *arena, struct adhoc_opened *ret_opened,
                                const char **ret_code)
{
    if (identify->meeting == NULL || identify->name == NULL ||
        !registry_id_valid(identify->meeting) || !registry_name_valid(identify->name))
        return refuse("name", STATUS_INVALID, ret_code);
    bool may_create = adhoc_allows(commands->adhoc, gateway_session_loopback(session), member);
    enum status status =
        adhoc_open(commands->db, identify->meeting, may_create, clock_wall_ms(), arena, ret_opened);
    if (status == STATUS_NOT_FOUND)
        return refuse("not_found", status, ret_code);
    return status == STATUS_CLOSED ? refuse("ended", status, ret_code) : status;
}

/* In a space's meeting who is signed in is what the space says, each time they come: members are
 * let in, owners as hosts, editors as co-hosts. A host token just shown counts for a host's. */
static enum status space_role_take(struct commands *commands,
                                   const struct registry_meeting *meeting,
                                   const struct auth_caller *caller, bool fresh,
                                   struct arena *arena, struct identity *identity)
{
    struct spaces_space space = {.role = ""};
    if (meeting->space == NULL || caller->session == NULL)
        return STATUS_OK;
    const struct spaces_who who = {meeting->space, caller->user.id};
    enum status status = spaces_get(commands->db, &who, arena, &space);
    bool member = status == STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    enum registry_role role = strcmp(space.role, "owner") == 0    ? REGISTRY_HOST
                              : strcmp(space.role, "editor") == 0 ? REGISTRY_COHOST
                                                                  : REGISTRY_PARTICIPANT;
    if (fresh && identity->role == REGISTRY_HOST)
        role = REGISTRY_HOST;
    status = STATUS_OK;
    if (identity->role != role)
        status = registry_participant_role(commands->db, meeting->id, identity->id, role,
                                           clock_wall_ms());
    if (status == STATUS_OK && member && !identity->admitted)
        status =
            registry_participant_admit(commands->db, meeting->id, identity->id, clock_wall_ms());
    identity->role = role;
    identity->admitted = identity->admitted || member;
    return status;
}

static enum status identify_meeting(struct commands *commands, struct gateway_session *session,
                                    struct msg_identify *identify, struct arena *arena,
                                    const char **ret_code)
{
    struct adhoc_opened opened;
    struct identity identity;
    struct auth_caller caller = {.session = NULL};
    enum status status = account_take(commands, identify, arena, &caller, ret_code);
    if (status == STATUS_OK)
        status = meeting_open(commands, session, identify, caller.session != NULL, arena, &opened,
                              ret_code);
    if (status != STATUS_OK)
        return status;
    status = identify->token != NULL && identify->token[0] != '\0'
                 ? identity_known(commands, identify, arena, &identity, ret_code)
                 : STATUS_NOT_FOUND;
    bool fresh = status == STATUS_NOT_FOUND;
    if (fresh)
        status = identity_new(commands, identify, &opened, arena, &identity, ret_code);
    if (status == STATUS_OK)
        status = space_role_take(commands, &opened.meeting, &caller, fresh, arena, &identity);
    if (status != STATUS_OK)
        return status;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return STATUS_NO_MEMORY;
    if (opened.meeting.space != NULL)
        snprintf(client->space, sizeof client->space, "%s", opened.meeting.space);
    struct meeting_join join = {
        .meeting = &opened.meeting,
        .participant = identity.id,
        .token = identity.token,
        .name = identity.name,
        .account = caller.session != NULL ? caller.user.id : NULL,
        .role = identity.role,
        .admitted = identity.admitted,
        .audio = identify->audio,
        .video = identify->video,
        .port = gateway_session_ref(session),
        .session = gateway_session_id(session),
        .secret = gateway_session_secret(session),
    };
    status = account_watch(commands, session, &caller, client, arena);
    if (status == STATUS_OK)
        status = meetings_join(commands->meetings, &join, &client->member);
    if (status != STATUS_OK) {
        signed_in_remove(commands->signed_in, &client->signed_in);
        gateway_session_unref(session);
        free(client);
        return status == STATUS_LIMIT ? refuse("full", status, ret_code) : status;
    }
    gateway_session_set_context(session, client);
    return STATUS_OK;
}

/* A guest of a space, by the ticket or token of their session there: till their time is up. */
static enum status guest_take(struct commands *commands, struct gateway_session *session,
                              const char *shown, struct arena *arena, struct signed_in *signed_in,
                              struct auth_caller *ret_caller)
{
    struct spaces_guest guest;
    char id[CRYPTO_ID_CHARS + 1];
    int64_t now_ms = clock_wall_ms();
    enum status status = guests_check(commands->db, shown, now_ms, arena, &guest);
    if (status == STATUS_DENIED) {
        status = auth_ticket_session(commands->auth, shown, now_ms, id);
        if (status == STATUS_OK)
            status = guests_check_id(commands->db, id, now_ms, arena, &guest);
    }
    if (status != STATUS_OK)
        return status;
    gateway_end_in(session, guest.expires - now_ms, "signed_out");
    signed_in->guest = true;
    snprintf(signed_in->room, sizeof signed_in->room, "%s", guest.space);
    *ret_caller =
        (struct auth_caller){.user = {.id = guest.id, .name = guest.name}, .session = guest.id};
    return STATUS_OK;
}

/* No meeting: what is not kept of what happens in the account's spaces. */
static enum status identify_spaces(struct commands *commands, struct gateway_session *session,
                                   struct msg_identify *identify, struct arena *arena,
                                   const char **ret_code)
{
    struct auth_caller caller = {.session = NULL};
    const struct msg_spaces_ready ready = {.session = gateway_session_id(session),
                                           .secret = gateway_session_secret(session)};
    const char *json = json_encode(&msg_spaces_ready_table, &ready, arena);
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL || json == NULL) {
        free(client);
        return STATUS_NO_MEMORY;
    }
    const char *code = NULL;
    client->signed_in.spaces = true;
    enum status status = account_take(commands, identify, arena, &caller, &code);
    if (status == STATUS_DENIED)
        status =
            guest_take(commands, session, identify->account, arena, &client->signed_in, &caller);
    if (status == STATUS_OK && caller.session == NULL)
        status = STATUS_DENIED;
    if (status == STATUS_DENIED)
        status = refuse("signed_out", status, ret_code);
    if (status == STATUS_OK)
        status = account_watch(commands, session, &caller, client, arena);
    if (status != STATUS_OK) {
        signed_in_remove(commands->signed_in, &client->signed_in);
        free(client);
        return status;
    }
    gateway_session_set_context(session, client);
    gateway_session_ref(session);
    gateway_dispatch(session, "spaces.ready", json);
    return STATUS_OK;
}

enum status client_identify(struct commands *commands, struct gateway_session *session,
                            struct msg_identify *identify, struct arena *arena,
                            const char **ret_code)
{
    return identify->spaces ? identify_spaces(commands, session, identify, arena, ret_code)
                            : identify_meeting(commands, session, identify, arena, ret_code);
}

enum status client_check(const struct commands *commands, struct gateway_session *session,
                         const struct client *client, struct arena *arena)
{
    if (client->signed_in.session == NULL)
        return STATUS_OK;
    enum status status = still_in(commands, &client->signed_in, arena);
    if (status == STATUS_DENIED)
        gateway_end(session, "ended", "signed_out");
    return status;
}

void client_gone(struct commands *commands, struct gateway_session *session)
{
    struct client *client = gateway_session_context(session);
    if (client == NULL)
        return;
    gateway_session_set_context(session, NULL);
    if (client->member != NULL)
        meetings_leave(commands->meetings, client->member);
    signed_in_remove(commands->signed_in, &client->signed_in);
    free(client);
    gateway_session_unref(session);
}
