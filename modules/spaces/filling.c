#include "modules/spaces/filling.h"

#include "core/clock.h"
#include "modules/spaces/file_texts.h"
#include "modules/spaces/files_state.h"
#include "modules/spaces/indexing.h"
#include "modules/spaces/message_rows.h"

#include <stdio.h>
#include <string.h>

enum { BATCH = 50, BATCH_ARENA_BYTES = 32 << 20 };
static const char kind_name[] = "search.fill";

/* Up to where it is: messages by id up to `until`, then files by id. */
struct filling {
    int64_t message, until;
    char file[CRYPTO_ID_CHARS + 1];
    struct arena *arena; /* of a batch */
    bool done;
};

/* ---- the row that says how far it is ---- */

static enum status state_load(struct db_session *session, struct filling *filling)
{
    struct db_statement *select =
        db_prepare(session, "SELECT message, until, file FROM search_fill WHERE number = 1");
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    filling->message = db_column_int(select, 0);
    filling->until = db_column_int(select, 1);
    snprintf(filling->file, sizeof filling->file, "%s", db_column_text(select, 2));
    return STATUS_OK;
}

static enum status state_store(struct db_session *session, const struct filling *filling)
{
    if (filling->done)
        return db_run(db_prepare(session, "DELETE FROM search_fill WHERE number = 1"));
    struct db_statement *update =
        db_prepare(session, "UPDATE search_fill SET message = $1, file = $2 WHERE number = 1");
    db_bind_int(update, 1, filling->message);
    db_bind_text(update, 2, filling->file);
    return db_run(update);
}

/* ---- a batch ---- */

/* Out and in again: it may be there already. */
static enum status message_fill(struct db_session *session, const struct filling *filling,
                                const char *space, int64_t id)
{
    struct messages_message message;
    enum status status = message_load(session, space, id, filling->arena, &message);
    if (status != STATUS_OK)
        return status;
    const struct indexing_message indexed = {space, id, message.author, message.mentions.count > 0,
                                             message.attachments.count > 0};
    return indexing_message(session, &indexed, message.text, message.text);
}

static enum status file_fill(struct db_session *session, const struct filling *filling,
                             const char *space, const char *id)
{
    struct files_file file;
    enum status status = files_load(session, space, id, filling->arena, &file);
    if (status == STATUS_OK)
        status = indexing_file(session, space, id, file.name, file.name);
    return status == STATUS_OK && strcmp(file.kind, "file") == 0
               ? file_texts_want(session, space, id, clock_wall_ms())
               : status;
}

struct batch {
    struct {
        int64_t number;
        const char *id, *space;
    } items[BATCH];
    size_t count;
};

static enum status batch_read(struct db_statement *select, bool files, struct arena *arena,
                              struct batch *batch)
{
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        size_t at = batch->count++;
        batch->items[at].number = files ? 0 : db_column_int(select, 0);
        batch->items[at].id = files ? arena_strdup(arena, db_column_text(select, 0)) : "";
        batch->items[at].space = arena_strdup(arena, db_column_text(select, 1));
        if (batch->items[at].id == NULL || batch->items[at].space == NULL)
            return STATUS_NO_MEMORY;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static struct db_statement *batch_select(struct db_session *session, const struct filling *filling,
                                         bool files)
{
    struct db_statement *select =
        files ? db_prepare(session,
                           "SELECT id, space FROM space_file WHERE id > $1 ORDER BY id LIMIT $2")
              : db_prepare(session, "SELECT id, space FROM space_message WHERE id > $1"
                                    " AND id <= $3 AND deleted IS NULL ORDER BY id LIMIT $2");
    db_bind_int(select, 2, BATCH);
    if (files)
        db_bind_text(select, 1, filling->file);
    else
        db_bind_int(select, 1, filling->message);
    if (!files)
        db_bind_int(select, 3, filling->until);
    return select;
}

static enum status batch_run(struct db_session *session, void *arg)
{
    struct filling *filling = arg;
    struct batch batch = {.count = 0};
    arena_reset(filling->arena);
    enum status status = state_load(session, filling);
    filling->done = status == STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return filling->done ? STATUS_OK : status;
    bool files = filling->message >= filling->until;
    status = batch_read(batch_select(session, filling, files), files, filling->arena, &batch);
    for (size_t i = 0; status == STATUS_OK && i < batch.count; i++) {
        const char *space = batch.items[i].space;
        status = files ? file_fill(session, filling, space, batch.items[i].id)
                       : message_fill(session, filling, space, batch.items[i].number);
        if (status == STATUS_CLOSED) /* its space is destroyed, and about to be removed */
            status = STATUS_OK;
        filling->message = files ? filling->message : batch.items[i].number;
        snprintf(filling->file, sizeof filling->file, "%s", batch.items[i].id);
    }
    if (!files && batch.count < BATCH)
        filling->message = filling->until;
    filling->done = files && batch.count < BATCH;
    return status == STATUS_OK ? state_store(session, filling) : status;
}

static enum status fill_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    struct db *db = context;
    struct filling filling = {0};
    enum status status = arena_new(BATCH_ARENA_BYTES, &filling.arena);
    (void)arena;
    while (status == STATUS_OK && !filling.done)
        status = atomic_load(job->ending) ? STATUS_AGAIN : db_write(db, batch_run, &filling);
    arena_free(filling.arena);
    return status;
}

static enum status want_run(struct db_session *session, void *arg)
{
    struct filling *filling = arg;
    const struct jobs_new job = {.kind = kind_name, .key = kind_name};
    enum status status = state_load(session, filling);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    return jobs_add(session, &job, clock_wall_ms());
}

enum status filling_begin(struct jobs *jobs, struct db *db)
{
    /* A long run may be leased anew: two of them only do some of it twice. */
    const struct jobs_kind kind = {
        .name = kind_name, .run = fill_run, .context = db, .attempts_max = 1000};
    struct filling filling = {0};
    enum status status = jobs_kind_add(jobs, &kind);
    return status == STATUS_OK ? db_write(db, want_run, &filling) : status;
}
