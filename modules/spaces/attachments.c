#include "modules/spaces/attachments.h"

#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <string.h>

static bool is_voice(const struct messages_attach *attach)
{
    return attach->kind != NULL && strcmp(attach->kind, "voice") == 0;
}

static bool wave_valid(const char *wave)
{
    size_t length = strlen(wave);
    return length <= MESSAGES_WAVE_MAX && strspn(wave, "0123456789abcdef") == length;
}

bool attachments_valid(const struct json_list *list)
{
    const struct messages_attach *items = list->items;
    if (list->count > MESSAGES_ATTACHMENTS_MAX)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        bool voice = is_voice(&items[i]);
        if ((items[i].wave != NULL && !wave_valid(items[i].wave)) ||
            (voice && (items[i].duration <= 0 || items[i].duration > MESSAGES_VOICE_MS_MAX)))
            return false;
        for (size_t k = 0; k < i; k++) {
            if (strcmp(items[k].file, items[i].file) == 0)
                return false;
        }
    }
    return true;
}

static enum status file_check(struct db_session *session, const char *space,
                              const struct messages_attach *attach)
{
    struct db_statement *select =
        db_prepare(session, "SELECT type FROM space_file WHERE id = $1 AND space = $2"
                            " AND kind = 'file' AND deleted IS NULL");
    db_bind_text(select, 1, attach->file);
    db_bind_text(select, 2, space);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
    const char *type = db_column_text(select, 0);
    return is_voice(attach) && (type == NULL || strncmp(type, "audio/", 6) != 0) ? STATUS_INVALID
                                                                                 : STATUS_OK;
}

enum status attachments_store(struct db_session *session, const char *space, int64_t message,
                              const struct json_list *list)
{
    const struct messages_attach *items = list->items;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < list->count; i++) {
        status = file_check(session, space, &items[i]);
        struct db_statement *insert = db_prepare(
            session, "INSERT INTO space_attachment (message, place, file, kind, width, height,"
                     " duration, wave) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
        db_bind_int(insert, 1, message);
        db_bind_int(insert, 2, (int64_t)i);
        db_bind_text(insert, 3, items[i].file);
        db_bind_text(insert, 4, is_voice(&items[i]) ? "voice" : "file");
        db_bind_int(insert, 5, items[i].width);
        db_bind_int(insert, 6, items[i].height);
        db_bind_int(insert, 7, items[i].duration);
        db_bind_text(insert, 8, items[i].wave != NULL ? items[i].wave : "");
        if (status == STATUS_OK)
            status = db_run(insert);
    }
    return status;
}

static enum status row_read(struct db_session *session, struct db_statement *row, const char *space,
                            struct arena *arena, struct messages_attachment *ret_attachment)
{
    const char *type = db_column_text(row, 7);
    struct messages_attachment attachment = {.file = arena_strdup(arena, db_column_text(row, 0)),
                                             .kind = arena_strdup(arena, db_column_text(row, 1)),
                                             .width = db_column_int(row, 2),
                                             .height = db_column_int(row, 3),
                                             .duration = db_column_int(row, 4),
                                             .wave = arena_strdup(arena, db_column_text(row, 5)),
                                             .type = arena_strdup(arena, type != NULL ? type : ""),
                                             .size = db_column_int(row, 8),
                                             .version = db_column_int(row, 9),
                                             .gone = type == NULL || db_column_int(row, 10) != 0};
    if (attachment.file == NULL || attachment.kind == NULL || attachment.wave == NULL ||
        attachment.type == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place place = {
        .space = space, .table = "space_file", .column = "name", .row = attachment.file};
    enum status status =
        vault_column(db_session_vault(session), &place, row, 6, arena, &attachment.name);
    if (status != STATUS_OK)
        return status;
    if (attachment.name == NULL)
        attachment.name = "";
    if (attachment.wave[0] == '\0')
        attachment.wave = NULL;
    *ret_attachment = attachment;
    return STATUS_OK;
}

enum status attachments_load(struct db_session *session, const char *space, int64_t message,
                             struct arena *arena, struct json_list *ret_list)
{
    struct messages_attachment *items = NULL;
    size_t count = 0;
    struct db_statement *select = db_prepare(
        session, "SELECT a.file, a.kind, a.width, a.height, a.duration, a.wave, f.name, f.type,"
                 " f.size, f.version, f.deleted FROM space_attachment a LEFT JOIN space_file f"
                 " ON f.id = a.file AND f.space = $2 WHERE a.message = $1 ORDER BY a.place"
                 " LIMIT $3");
    db_bind_int(select, 1, message);
    db_bind_text(select, 2, space);
    db_bind_int(select, 3, MESSAGES_ATTACHMENTS_MAX);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        if (items == NULL)
            items = arena_alloc(arena, MESSAGES_ATTACHMENTS_MAX * sizeof *items);
        if (items == NULL)
            return STATUS_NO_MEMORY;
        status = row_read(session, select, space, arena, &items[count++]);
        if (status != STATUS_OK)
            return status;
    }
    *ret_list = (struct json_list){.items = items, .count = count};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status attachments_wipe(struct db_session *session, const char *space, int64_t message,
                             int64_t now_ms)
{
    struct db_statement *bin = db_prepare(
        session, "UPDATE space_file SET deleted = $3 WHERE deleted IS NULL AND space = $2"
                 " AND id IN (SELECT file FROM space_attachment WHERE message = $1"
                 " AND kind = 'voice')");
    db_bind_int(bin, 1, message);
    db_bind_text(bin, 2, space);
    db_bind_int(bin, 3, now_ms);
    enum status status = db_run(bin);
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM space_attachment WHERE message = $1");
    db_bind_int(drop, 1, message);
    return status == STATUS_OK ? db_run(drop) : status;
}
