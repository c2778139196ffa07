#include "signalling/gateway/space_people.h"

#include "core/clock.h"
#include "modules/spaces/company.h"

#include <stdlib.h>
#include <string.h>

/* ---- a turn ---- */

/* One who is told, and of which of the changes: bit i is the i-th. */
struct hearer {
    const char *who;
    uint64_t of;
};

_Static_assert(COMPANY_CHANGES_MAX <= 64, "a bit for each");

static int hearer_order(const void *a, const void *b)
{
    return strcmp(((const struct hearer *)a)->who, ((const struct hearer *)b)->who);
}

/* Those who are here, each once, by name; of many more who see somebody most are not. */
static enum status hearers_find(struct signed_in_list *list, const struct company_news *news,
                                size_t count, struct arena *arena, struct hearer **ret_hearers,
                                size_t *ret_count)
{
    size_t all = 0, found = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        all += news[i].seen_by_count;
    struct hearer *hearers = arena_alloc(arena, (all + 1) * sizeof *hearers);
    if (hearers == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < news[i].seen_by_count; k++) {
            if (signed_in_has(list, news[i].seen_by[k]))
                hearers[found++] = (struct hearer){news[i].seen_by[k], (uint64_t)1 << i};
        }
    }
    qsort(hearers, found, sizeof *hearers, hearer_order);
    for (size_t i = 0; i < found; i++) {
        if (kept > 0 && strcmp(hearers[kept - 1].who, hearers[i].who) == 0)
            hearers[kept - 1].of |= hearers[i].of;
        else
            hearers[kept++] = hearers[i];
    }
    *ret_hearers = hearers;
    *ret_count = kept;
    return STATUS_OK;
}

static struct gateway_payload *payload_of(const struct company_news *news, size_t count,
                                          uint64_t of, struct arena *arena)
{
    struct company_person *people = arena_alloc(arena, count * sizeof *people);
    struct company_people page = {.people = {.items = people}};
    if (people == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if ((of >> i & 1) != 0)
            people[page.people.count++] = news[i].person;
    }
    const char *json = json_encode(&company_people_table, &page, arena);
    return json != NULL ? gateway_payload_new("space.people", json) : NULL;
}

static int set_order(const void *a, const void *b)
{
    uint64_t left = ((const struct hearer *)a)->of, right = ((const struct hearer *)b)->of;
    return (left > right) - (left < right);
}

/* Those who are told of the same people share one frame. */
static enum status hearers_tell(struct signed_in_list *list, const struct company_news *news,
                                size_t count, struct hearer *hearers, size_t hearer_count,
                                struct arena *arena)
{
    struct gateway_payload *payload = NULL;
    qsort(hearers, hearer_count, sizeof *hearers, set_order);
    for (size_t i = 0; i < hearer_count; i++) {
        if (i == 0 || hearers[i].of != hearers[i - 1].of) {
            gateway_payload_unref(payload);
            payload = payload_of(news, count, hearers[i].of, arena);
        }
        if (payload == NULL)
            return STATUS_NO_MEMORY;
        signed_in_greet(list, hearers[i].who, payload);
    }
    gateway_payload_unref(payload);
    return STATUS_OK;
}

enum status space_people_turn(struct db *db, struct signed_in_list *list, struct arena *arena,
                              int64_t *ret_wait_ms)
{
    struct presence_change changes[COMPANY_CHANGES_MAX];
    struct company_news *news = arena_alloc(arena, COMPANY_CHANGES_MAX * sizeof *news);
    struct hearer *hearers = NULL;
    size_t hearer_count = 0;
    if (news == NULL)
        return STATUS_NO_MEMORY;
    size_t count = presence_take(list->presence, (int64_t)(clock_mono_ns() / CLOCK_NS_PER_MS),
                                 COMPANY_CHANGES_MAX, changes, ret_wait_ms);
    if (count == 0)
        return STATUS_OK;
    size_t told = 0;
    enum status status = company_news(db, changes, count, clock_wall_ms(), arena, news, &told);
    if (status == STATUS_OK)
        status = hearers_find(list, news, told, arena, &hearers, &hearer_count);
    if (status == STATUS_OK)
        status = hearers_tell(list, news, told, hearers, hearer_count, arena);
    for (size_t i = 0; status != STATUS_OK && i < count; i++)
        presence_touched(list->presence, changes[i].account);
    return status;
}

/* ---- the commands ---- */

enum status space_people_list(struct call *call)
{
    struct signed_in_list *list = call->commands->signed_in;
    struct company_people people = {.people = {.items = NULL}};
    if (call->account == NULL || list->presence == NULL)
        return STATUS_DENIED;
    /* What changes while it is read is told too: the client takes what was told for newer. */
    signed_in_meet(list, call->signed_in);
    enum status status = company_list(call->commands->db, list->presence, call->account,
                                      clock_wall_ms(), call->arena, &people);
    if (status == STATUS_OK)
        call->result = json_encode(&company_people_table, &people, call->arena);
    return status == STATUS_OK && call->result == NULL ? STATUS_NO_MEMORY : status;
}

enum status space_people_here(struct call *call)
{
    const struct msg_space_here *here = call->args;
    if (here->idle)
        signed_in_idle(call->commands->signed_in, call->signed_in);
    else
        signed_in_active(call->commands->signed_in, call->signed_in);
    return STATUS_OK;
}
