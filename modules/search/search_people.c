/*
 * modules/search/search_people.c - people among the hits: those of one's spaces, by name. They are
 * few and their names short, so they have no index.
 */
#include "modules/search/search_state.h"

#include "modules/auth/auth.h"

#include <string.h>

/* A cursor goes down: people are counted from here. */
#define RANK_TOP INT64_C(1000000000)

static enum status person_compare(struct searching *searching, struct db_statement *row,
                                  int64_t rank)
{
    struct search_found found = {.doc = rank};
    struct search_hit *hit = &found.hit;
    const char *name;
    const char *id = arena_strdup(searching->arena, db_column_text(row, 0));
    if (id == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place place = {.table = "account", .column = "name", .row = id};
    enum status status =
        vault_column(db_session_vault(searching->session), &place, row, 1, searching->arena, &name);
    if (status == STATUS_OK)
        status = search_text(searching, name, &hit->snippet, &found.score);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    hit->kind = "person";
    hit->id = id;
    hit->space = arena_strdup(searching->arena, db_column_text(row, 2));
    searching->best[searching->best_count++] = found;
    return hit->space != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status search_people(struct searching *searching)
{
    const struct search_wish *wish = searching->wish;
    if (searching->query.count == 0)
        return STATUS_OK;
    int64_t rank = RANK_TOP;
    struct db_statement *select =
        db_prepare(searching->session,
                   "SELECT a.id, a.name, min(o.space) FROM space_member m"
                   " JOIN space_member o ON o.space = m.space JOIN account a ON a.id = o.account"
                   " WHERE m.account = $1 AND ($2 = '' OR m.space = $2) AND a.disabled = 0"
                   " GROUP BY a.id, a.name ORDER BY a.id LIMIT $3");
    db_bind_text(select, 1, wish->account);
    db_bind_text(select, 2, wish->space != NULL ? wish->space : "");
    db_bind_int(select, 3, SEARCH_PEOPLE_MAX);
    enum status status = STATUS_OK;
    while (searching->best_count < searching->want && (status = db_step(select)) == STATUS_OK) {
        if (--rank >= searching->below)
            continue;
        status = person_compare(searching, select, rank);
        if (status != STATUS_OK)
            return status;
    }
    return searching->best_count == searching->want || status == STATUS_NOT_FOUND ? STATUS_OK
                                                                                  : status;
}
