#include "modules/spaces/indexing.h"

#include "modules/search/index.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 32 << 20 /* of READER_TEXT_MAX, all of it words of one letter */ };

struct document {
    const char *space;
    int64_t doc;
    const struct terms_key *key;
    const char *const *tags;
    size_t tag_count;
};

static enum status document_change(struct db_session *session, const struct document *document,
                                   const char *before, const char *after)
{
    struct arena *arena = NULL;
    struct terms terms;
    enum status status = arena_new(ARENA_BYTES, &arena);
    if (status == STATUS_OK && before != NULL)
        status =
            terms_make(document->key, before, document->tags, document->tag_count, arena, &terms);
    if (status == STATUS_OK && before != NULL)
        status = index_drop(session, document->space, document->key->class, document->doc, &terms);
    if (status == STATUS_OK && after != NULL)
        status =
            terms_make(document->key, after, document->tags, document->tag_count, arena, &terms);
    if (status == STATUS_OK && after != NULL)
        status = index_put(session, document->space, document->key->class, document->doc, &terms);
    arena_free(arena);
    return status;
}

/* ---- messages ---- */

static bool has_link(const char *text)
{
    return strstr(text, "https://") != NULL || strstr(text, "http://") != NULL;
}

/* One side of a change: whether it has a link is of the text. */
static enum status message_change(struct db_session *session,
                                  const struct indexing_message *message,
                                  const struct terms_key *key, const char *before,
                                  const char *after)
{
    char from[TERMS_TAG_MAX];
    const char *tags[TERMS_TAGS_MAX] = {from};
    size_t count = 1;
    snprintf(from, sizeof from, "from:%s", message->author);
    /* Out goes what it may ever have had: files can be gone meanwhile. */
    if (after == NULL || has_link(after))
        tags[count++] = "has:link";
    if (after == NULL || message->mentions)
        tags[count++] = "has:mention";
    if (after == NULL || message->files)
        tags[count++] = "has:file";
    const struct document document = {message->space, message->id, key, tags, count};
    return document_change(session, &document, before, after);
}

enum status indexing_message(struct db_session *session, const struct indexing_message *message,
                             const char *before, const char *after)
{
    struct terms_key key;
    enum status status =
        terms_key_make(db_session_vault(session), message->space, TERMS_MESSAGE, &key);
    if (status == STATUS_OK && before != NULL)
        status = message_change(session, message, &key, before, NULL);
    if (status == STATUS_OK && after != NULL)
        status = message_change(session, message, &key, NULL, after);
    return status;
}

/* ---- files ---- */

/* Files have texts for ids; the index counts. */
static enum status file_number(struct db_session *session, const char *file, int64_t *ret_number)
{
    struct db_statement *upsert =
        db_prepare(session, "INSERT INTO search_file (file) VALUES ($1) ON CONFLICT (file)"
                            " DO UPDATE SET file = excluded.file RETURNING number");
    db_bind_text(upsert, 1, file);
    enum status status = db_step(upsert);
    if (status == STATUS_OK)
        *ret_number = db_column_int(upsert, 0);
    return status;
}

static struct vault_place text_place(const char *space, const char *file)
{
    return (struct vault_place){
        .space = space, .table = "search_text", .column = "text", .row = file};
}

/* NULL: there is none. */
static enum status text_load(struct db_session *session, const char *space, const char *file,
                             struct arena *arena, const char **ret_text)
{
    const struct vault_place place = text_place(space, file);
    struct db_statement *select =
        db_prepare(session, "SELECT text FROM search_text WHERE file = $1");
    db_bind_text(select, 1, file);
    enum status status = db_step(select);
    *ret_text = NULL;
    if (status == STATUS_OK)
        status = vault_column(db_session_vault(session), &place, select, 0, arena, ret_text);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status text_drop(struct db_session *session, const char *file)
{
    struct db_statement *drop = db_prepare(session, "DELETE FROM search_text WHERE file = $1");
    db_bind_text(drop, 1, file);
    return db_run(drop);
}

static enum status text_store(struct db_session *session, const char *space, const char *file,
                              const char *text)
{
    const struct vault_place place = text_place(space, file);
    enum status status = text_drop(session, file);
    if (text == NULL || status != STATUS_OK)
        return status;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO search_text (file, text) VALUES ($1, $2)");
    db_bind_text(insert, 1, file);
    status = vault_bind(db_session_vault(session), &place, insert, 2, text);
    return status == STATUS_OK ? db_run(insert) : status;
}

enum status indexing_file_text(struct db_session *session, const char *space, const char *file,
                               const char *text)
{
    struct terms_key key;
    struct arena *arena = NULL;
    const char *before = NULL;
    struct document document = {.space = space, .key = &key};
    enum status status = terms_key_make(db_session_vault(session), space, TERMS_FILE_TEXT, &key);
    if (status == STATUS_OK)
        status = file_number(session, file, &document.doc);
    if (status == STATUS_OK)
        status = arena_new(ARENA_BYTES, &arena);
    if (status == STATUS_OK)
        status = text_load(session, space, file, arena, &before);
    if (status == STATUS_OK)
        status = document_change(session, &document, before, text);
    if (status == STATUS_OK)
        status = text_store(session, space, file, text);
    arena_free(arena);
    return status;
}

enum status indexing_file_forget(struct db_session *session, const char *file)
{
    enum status status = text_drop(session, file);
    if (status != STATUS_OK)
        return status;
    struct db_statement *drop = db_prepare(session, "DELETE FROM search_file WHERE file = $1");
    db_bind_text(drop, 1, file);
    return db_run(drop);
}

enum status indexing_file(struct db_session *session, const char *space, const char *file,
                          const char *before, const char *after)
{
    struct terms_key key;
    struct document document = {.space = space, .key = &key};
    enum status status = terms_key_make(db_session_vault(session), space, TERMS_FILE_NAME, &key);
    if (status == STATUS_OK)
        status = file_number(session, file, &document.doc);
    if (status == STATUS_OK)
        status = document_change(session, &document, before, after);
    if (status == STATUS_OK && after == NULL)
        status = indexing_file_text(session, space, file, NULL);
    return status == STATUS_OK && after == NULL ? indexing_file_forget(session, file) : status;
}
