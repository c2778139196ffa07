#include "modules/spaces/file_texts.h"

#include "modules/search/reader.h"
#include "modules/spaces/files_state.h"
#include "modules/spaces/indexing.h"

#include <string.h>

static const char kind_name[] = "file.text";

enum status file_texts_want(struct db_session *session, const char *space, const char *file,
                            int64_t now_ms)
{
    const struct jobs_new job = {.kind = kind_name, .space = space, .key = file};
    enum status status = jobs_add(session, &job, now_ms);
    /* With that many before it, it is found by its name alone. */
    return status == STATUS_LIMIT ? STATUS_OK : status;
}

struct texting {
    const char *space, *id;
    struct arena *arena;
    struct files_file file;
    const char *object;
    const char *text; /* NULL: it has none */
};

static enum status load_run(struct db_session *session, void *arg)
{
    struct texting *texting = arg;
    enum status status =
        files_load(session, texting->space, texting->id, texting->arena, &texting->file);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select = db_prepare(
        session, "SELECT object FROM space_file_version WHERE file = $1 AND version = $2");
    db_bind_text(select, 1, texting->id);
    db_bind_int(select, 2, texting->file.version);
    status = db_step(select);
    if (status != STATUS_OK)
        return status;
    texting->object = arena_strdup(texting->arena, db_column_text(select, 0));
    return texting->object != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* A newer content has a job of its own. */
static enum status store_run(struct db_session *session, void *arg)
{
    struct texting *texting = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT version FROM space_file WHERE id = $1 AND space = $2");
    db_bind_text(select, 1, texting->id);
    db_bind_text(select, 2, texting->space);
    enum status status = db_step(select);
    if (status != STATUS_OK || db_column_int(select, 0) != texting->file.version)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    return indexing_file_text(session, texting->space, texting->id, texting->text);
}

static enum status text_read(const struct file_texts *texts, const atomic_bool *ending,
                             struct texting *texting)
{
    struct object *object = NULL;
    const char *kind = reader_kind(texting->file.type, texting->file.name);
    if (kind == NULL)
        return STATUS_OK;
    enum status status = object_open(texts->objects, texting->object, &object);
    if (status == STATUS_OK)
        status = reader_text(texts->program, kind, object, ending, texting->arena, &texting->text);
    object_close(object);
    return status;
}

static enum status text_run(void *context, const struct jobs_job *job, struct arena *arena)
{
    const struct file_texts *texts = context;
    struct texting texting = {.space = job->space, .id = job->key, .arena = arena};
    enum status status = db_read(texts->db, load_run, &texting);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    status = text_read(texts, job->ending, &texting);
    /* What cannot be read has no text, also not its earlier version's. */
    if (status != STATUS_OK && status != STATUS_INVALID)
        return status;
    enum status stored = db_write(texts->db, store_run, &texting);
    return stored != STATUS_OK ? stored : status;
}

enum status file_texts_add(struct jobs *jobs, struct file_texts *texts)
{
    const struct jobs_kind kind = {.name = kind_name, .run = text_run, .context = texts};
    return jobs_kind_add(jobs, &kind);
}
