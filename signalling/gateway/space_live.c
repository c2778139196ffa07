#include "signalling/gateway/space_live.h"

#include "core/clock.h"
#include "modules/spaces/receipts.h"

/* To everybody in the space but `who`. What cannot be told now is not worth telling later. */
static void tell(const struct space_live *live, const struct spaces_who *who, const char *type,
                 const struct json_table *table, const void *d)
{
    struct receipts_list members;
    if (live->sessions == NULL ||
        receipts_list(live->db, who, live->arena, &members) != STATUS_OK || members.items.count < 2)
        return;
    const struct receipts_receipt *items = members.items.items;
    const char **accounts = arena_alloc(live->arena, members.items.count * sizeof *accounts);
    const char *json = json_encode(table, d, live->arena);
    struct gateway_payload *payload = json != NULL ? gateway_payload_new(type, json) : NULL;
    if (accounts == NULL || payload == NULL) {
        gateway_payload_unref(payload);
        return;
    }
    for (size_t i = 0; i < members.items.count; i++)
        accounts[i] = items[i].account;
    signed_in_tell(live->sessions, accounts, members.items.count, who->account, payload);
    gateway_payload_unref(payload);
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
    const struct msg_space_typed typed = {
        .space = typing->space, .thread = typing->thread, .account = call->account};
    tell(&live, &who, "space.typing", &msg_space_typed_table, &typed);
    return STATUS_OK;
}

void space_live_read(const struct space_live *live, const struct spaces_who *who, const char *id)
{
    const struct msg_space_read read = {
        .space = who->space, .account = who->account, .read_to = id};
    tell(live, who, "space.read", &msg_space_read_table, &read);
}
