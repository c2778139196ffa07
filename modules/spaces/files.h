/*
 * modules/spaces/files.h - the files of a space: names and folders here, contents in
 * storage/objects.
 *
 * Names are sealed with the space's key. A file has a content for each of its versions; what is
 * deleted can be brought back until it is deleted again. Every change writes its event
 * ("file.added", "file.updated", "file.removed") in its transaction. Threads, results and errors as
 * in spaces.h.
 */
#ifndef MODULES_SPACES_FILES_H
#define MODULES_SPACES_FILES_H

#include "modules/spaces/spaces.h"
#include "storage/objects/objects.h"

enum {
    FILES_NAME_MAX = 255,     /* bytes of UTF-8, no '/' */
    FILES_TYPE_MAX = 100,     /* of a media type */
    FILES_PAGE_MAX = 200,     /* in a list */
    FILES_FOLDER_MAX = 10000, /* entries of one folder, those in the bin too */
    FILES_VERSIONS_MAX = 100, /* of one file; the oldest goes */
    FILES_DEPTH_MAX = 32,     /* folders in each other */
};

struct files_file {
    const char *id, *space, *name;
    const char *folder;                /* id of the folder it is in; NULL: the space's top */
    const char *kind;                  /* "file", "folder" */
    const char *type;                  /* media type as uploaded; NULL of a folder */
    const char *author;                /* account of the newest version */
    int64_t size, version;             /* version counts contents, from 1; of a folder 0 */
    int64_t created, changed, deleted; /* ms since 1970; deleted 0: it is not */
};

struct files_list {
    struct json_list items;  /* struct files_file, by id */
    const char *next_cursor; /* NULL: these were the last */
};

struct files_version {
    int64_t version, size;
    const char *author;
    int64_t created; /* ms since 1970 */
};

struct files_versions {
    struct json_list items; /* struct files_version, newest first */
};

extern const struct json_table files_file_table, files_list_table, files_version_table,
    files_versions_table;

struct files_new {
    const char *name;
    const char *folder;    /* NULL: the top */
    const char *type;      /* NULL: application/octet-stream */
    const char *file;      /* the file it is the next version of, whose name stays; NULL */
    bool is_folder;        /* no content */
    const void *content;   /* of files_add; incoming.h brings it in pieces */
    size_t length;         /* bytes of the whole content */
    const uint8_t *digest; /* SHA-256 it must have, or NULL */
};

/* A content that is in memory. SPACES_WRITE. Errors: STATUS_INVALID, STATUS_NOT_FOUND also for the
 * folder or file, STATUS_LIMIT (a quota or a folder is full), STATUS_CORRUPT (the digest). */
MUST_USE enum status files_add(struct db *db, struct objects *objects, const struct spaces_who *who,
                               const struct files_new *wish, int64_t now_ms, struct arena *arena,
                               struct files_file *ret_file);

struct files_query {
    const char *folder; /* NULL: the top */
    const char *cursor; /* NULL: from the first */
    bool deleted;       /* what is in the bin instead, of all folders */
};

/* SPACES_READ; the bin SPACES_WRITE. */
MUST_USE enum status files_list(struct db *db, const struct spaces_who *who,
                                const struct files_query *query, struct arena *arena,
                                struct files_list *ret_list);
/* The space a file is in, whoever asks: for asking about rights next. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status files_space(struct db *db, const char *id, struct arena *arena,
                                 const char **ret_space);
/* SPACES_READ. */
MUST_USE enum status files_get(struct db *db, const struct spaces_who *who, const char *id,
                               struct arena *arena, struct files_file *ret_file);

struct files_change {
    const char *name;        /* NULL: as it is */
    const char *folder;      /* NULL: as it is; "": the top */
    enum json_maybe deleted; /* JSON_ABSENT: as it is */
    int64_t version;         /* an earlier content that becomes the newest; 0: as it is */
};

/* SPACES_WRITE; an earlier version also SPACES_HISTORY, and its number is then a new one. Errors:
 * STATUS_INVALID (a name, or a folder into itself), STATUS_NOT_FOUND also for the version. */
MUST_USE enum status files_change(struct db *db, const struct spaces_who *who, const char *id,
                                  const struct files_change *change, int64_t now_ms,
                                  struct arena *arena, struct files_file *ret_file);
/* SPACES_WRITE. Into the bin; what is in it, and a folder without entries, for good. */
MUST_USE enum status files_delete(struct db *db, struct objects *objects,
                                  const struct spaces_who *who, const char *id, int64_t now_ms);
/* SPACES_HISTORY. */
MUST_USE enum status files_versions(struct db *db, const struct spaces_who *who, const char *id,
                                    struct arena *arena, struct files_versions *ret_versions);
/* SPACES_READ; of an earlier version SPACES_HISTORY. `version` 0: the newest. ret_object is to be
 * closed. */
MUST_USE enum status files_open(struct db *db, struct objects *objects,
                                const struct spaces_who *who, const char *id, int64_t version,
                                struct arena *arena, struct files_file *ret_file,
                                struct object **ret_object);
/* Contents and rows of a deleted space. */
MUST_USE enum status files_purge(struct db *db, struct objects *objects, const char *space);

#endif
