#include "signalling/gateway/space_live.h"

#include "core/clock.h"
#include "modules/spaces/guests.h"
#include "modules/spaces/receipts.h"

/* The members, and the guests who are here; nobody above RECEIPTS_MEMBERS_MAX. */
static enum status present(const struct space_live *live, const struct spaces_who *who,
                           struct json_list *ret_ids)
{
    struct receipts_list members;
    struct json_list guests;
    *ret_ids = (struct json_list){.count = 0};
    enum status status = receipts_list(live->db, who, live->arena, &members);
    if (status == STATUS_OK)
        status = signed_in_guests(live->sessions, who->space, live->arena, &guests);
    if (status != STATUS_OK || members.items.count == 0)
        return status;
    const struct receipts_receipt *member = members.items.items;
    const char *const *guest = guests.items;
    size_t count = members.items.count + guests.count;
    const char **ids = arena_alloc(live->arena, count * sizeof *ids);
    if (ids == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        ids[i] = i < members.items.count ? member[i].account : guest[i - members.items.count];
    *ret_ids = (struct json_list){.items = ids, .count = count};
    return STATUS_OK;
}

/* To everybody in the space but `who`. What cannot be told now is not worth telling later. */
static void tell(const struct space_live *live, const struct spaces_who *who, const char *type,
                 const struct json_table *table, const void *d)
{
    struct json_list ids;
    if (live->sessions == NULL || present(live, who, &ids) != STATUS_OK || ids.count < 2)
        return;
    const char *json = json_encode(table, d, live->arena);
    struct gateway_payload *payload = json != NULL ? gateway_payload_new(type, json) : NULL;
    if (payload != NULL)
        signed_in_tell(live->sessions, ids.items, ids.count, who->account, payload);
    gateway_payload_unref(payload);
}

/* A guest's; of members everybody knows it. */
static const char *guest_name(const struct call *call)
{
    struct spaces_guest guest;
    return call->signed_in->guest &&
                   guests_check_id(call->commands->db, call->account, clock_wall_ms(), call->arena,
                                   &guest) == STATUS_OK
               ? guest.name
               : NULL;
}

enum status space_live_typing(struct call *call)
{
    const struct msg_space_typing *typing = call->args;
    const struct spaces_who who = {typing->space, call->account};
    uint64_t now_ms = clock_mono_ns() / 1000000;
    signed_in_active(call->commands->signed_in, call->signed_in);
    enum status status = spaces_check(call->commands->db, &who, SPACES_COMMENT);
    if (status != STATUS_OK || now_ms - *call->typed_ms < SPACE_LIVE_TYPING_MS)
        return status;
    *call->typed_ms = now_ms;
    const struct space_live live = {call->commands->signed_in, call->commands->db, call->arena};
    const struct msg_space_typed typed = {.space = typing->space,
                                          .thread = typing->thread,
                                          .account = call->account,
                                          .name = guest_name(call)};
    tell(&live, &who, "space.typing", &msg_space_typed_table, &typed);
    return STATUS_OK;
}

void space_live_read(const struct space_live *live, const struct spaces_who *who, const char *id)
{
    const struct msg_space_read read = {
        .space = who->space, .account = who->account, .read_to = id};
    tell(live, who, "space.read", &msg_space_read_table, &read);
}
