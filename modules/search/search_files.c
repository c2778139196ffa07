/*
 * modules/search/search_files.c - files among the hits: by name.
 */
#include "modules/search/search_state.h"

#include <string.h>

static bool wanted(const struct search_wish *wish, const char *author, int64_t created)
{
    return created >= wish->after && (wish->before == 0 || created < wish->before) &&
           (wish->from == NULL || strcmp(wish->from, author) == 0);
}

static enum status name_compare(struct searching *searching, const struct search_scope *scope,
                                int64_t doc, struct search_found *found)
{
    struct search_hit *hit = &found->hit;
    const char *name;
    struct db_statement *select = db_prepare(
        searching->session, "SELECT f.id, f.name, f.type, f.author, f.created FROM search_file s"
                            " JOIN space_file f ON f.id = s.file WHERE s.number = $1"
                            " AND f.space = $2 AND f.deleted IS NULL");
    db_bind_int(select, 1, doc);
    db_bind_text(select, 2, scope->space);
    enum status status = db_step(select);
    if (status == STATUS_OK &&
        !wanted(searching->wish, db_column_text(select, 3), db_column_int(select, 4)))
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    *hit = (struct search_hit){.kind = "file",
                               .id = arena_strdup(searching->arena, db_column_text(select, 0)),
                               .space = scope->space,
                               .author = arena_strdup(searching->arena, db_column_text(select, 3)),
                               .created = db_column_int(select, 4)};
    const char *type = db_column_text(select, 2);
    if (type != NULL)
        hit->type = arena_strdup(searching->arena, type);
    if (hit->id == NULL || hit->author == NULL || (type != NULL && hit->type == NULL))
        return STATUS_NO_MEMORY;
    const struct vault_place place = {
        .space = scope->space, .table = "space_file", .column = "name", .row = hit->id};
    status = vault_column(db_session_vault(searching->session), &place, select, 1, searching->arena,
                          &name);
    return status == STATUS_OK ? search_text(searching, name, &hit->snippet, &found->score)
                               : status;
}

enum status search_files(struct searching *searching)
{
    if (searching->query.count == 0)
        return STATUS_OK;
    return search_newest(searching, TERMS_FILE_NAME, NULL, 0, name_compare);
}
