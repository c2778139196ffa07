/*
 * tests/support/people.h - accounts that nobody can sign in to, without the time a password takes.
 */
#ifndef TESTS_SUPPORT_PEOPLE_H
#define TESTS_SUPPORT_PEOPLE_H

#include "core/arena.h"
#include "storage/db.h"

/* An account called `name` with the address NAME@example.org; its id. */
const char *people_add(struct db *db, struct arena *arena, const char *name);

#endif
