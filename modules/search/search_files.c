/*
 * modules/search/search_files.c - files among the hits: by name, and by the text inside.
 */
#include "modules/search/search_state.h"

#include <string.h>

enum {
    TEXT_ARENA_BYTES = 1 << 20, /* one text, sealed and plain */
    TEXT_COST_BYTES = 1024,     /* of a long text count as one text of SEARCH_COMPARED_MAX */
};

static bool wanted(const struct search_wish *wish, const char *author, int64_t created)
{
    return created >= wish->after && (wish->before == 0 || created < wish->before) &&
           (wish->from == NULL || strcmp(wish->from, author) == 0);
}

/* The file as a hit, but for what was found in it. */
static enum status file_load(struct searching *searching, const struct search_scope *scope,
                             int64_t doc, struct search_hit *ret_hit, const char **ret_name)
{
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
    struct search_hit hit = {.kind = "file",
                             .id = arena_strdup(searching->arena, db_column_text(select, 0)),
                             .space = scope->space,
                             .author = arena_strdup(searching->arena, db_column_text(select, 3)),
                             .created = db_column_int(select, 4)};
    const char *type = db_column_text(select, 2);
    if (type != NULL)
        hit.type = arena_strdup(searching->arena, type);
    if (hit.id == NULL || hit.author == NULL || (type != NULL && hit.type == NULL))
        return STATUS_NO_MEMORY;
    const struct vault_place place = {
        .space = scope->space, .table = "space_file", .column = "name", .row = hit.id};
    *ret_hit = hit;
    return vault_column(db_session_vault(searching->session), &place, select, 1, searching->arena,
                        ret_name);
}

static enum status name_compare(struct searching *searching, const struct search_scope *scope,
                                int64_t doc, struct search_found *found)
{
    const char *name;
    enum status status = file_load(searching, scope, doc, &found->hit, &name);
    return status == STATUS_OK ? search_text(searching, name, &found->hit.snippet, &found->score)
                               : status;
}

/* The text in memory of its own: a search opens many. */
static enum status text_search(struct searching *searching, const struct search_scope *scope,
                               struct search_found *found)
{
    struct arena *arena = NULL;
    const char *text = NULL;
    const struct vault_place place = {
        .space = scope->space, .table = "search_text", .column = "text", .row = found->hit.id};
    struct db_statement *select =
        db_prepare(searching->session, "SELECT text FROM search_text WHERE file = $1");
    db_bind_text(select, 1, found->hit.id);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status = arena_new(TEXT_ARENA_BYTES, &arena);
    if (status == STATUS_OK)
        status =
            vault_column(db_session_vault(searching->session), &place, select, 0, arena, &text);
    if (status == STATUS_OK && text == NULL)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        searching->compared += (uint32_t)(strlen(text) / TEXT_COST_BYTES);
        status = search_text(searching, text, &found->hit.snippet, &found->score);
    }
    arena_free(arena);
    return status;
}

/* Files whose name has it are hits already. */
static enum status text_compare(struct searching *searching, const struct search_scope *scope,
                                int64_t doc, struct search_found *found)
{
    const char *name;
    enum status status = file_load(searching, scope, doc, &found->hit, &name);
    if (status == STATUS_OK)
        status = search_text(searching, name, &found->hit.snippet, &found->score);
    if (status != STATUS_NOT_FOUND || found->hit.id == NULL)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    return text_search(searching, scope, found);
}

enum status search_files(struct searching *searching)
{
    if (searching->query.count == 0)
        return STATUS_OK;
    enum status status = search_newest(searching, TERMS_FILE_NAME, NULL, 0, name_compare);
    return status == STATUS_OK ? search_newest(searching, TERMS_FILE_TEXT, NULL, 0, text_compare)
                               : status;
}
