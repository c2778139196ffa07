/*
 * tests/support/scratch.h - a directory of its own for a test's database, and what
 * several tests ask of a database. Failures end the test (cmocka).
 */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include "storage/db.h"

enum { SCRATCH_PATH_MAX = 256 };

/* Makes an empty directory below $TMPDIR or /tmp. */
void scratch_make(char ret_path[SCRATCH_PATH_MAX]);
/* With everything in it. */
void scratch_remove(const char *path);
/* Path of a file in it, in a static buffer that the next call overwrites. */
const char *scratch_file(const char *path, const char *name);
/* db_open that must succeed. */
struct db *scratch_db(const char *path, uint32_t readers);

/* Every statement that the writer and one of the readers have cached finds its rows by an index or
 * key. */
void scratch_no_scans(struct db *db);
/* Some statement that a reader has cached finds its rows by this index. */
void scratch_uses(struct db *db, const char *index);
/* The value of a one-value query on a reader. `sql` is a literal. */
int64_t scratch_count(struct db *db, const char *sql);
/* PRAGMA integrity_check says ok. */
void scratch_intact(struct db *db);

#endif
