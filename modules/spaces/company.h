/*
 * modules/spaces/company.h - who sees whom: those who share a space, and its guests its members.
 * Threads and errors as in spaces.h.
 */
#ifndef MODULES_SPACES_COMPANY_H
#define MODULES_SPACES_COMPANY_H

#include "modules/auth/presence.h"
#include "modules/spaces/spaces.h"

enum {
    COMPANY_PEOPLE_MAX = 1000, /* told together; of others the members of a space tell */
    COMPANY_CHANGES_MAX = 64,  /* looked up together */
};

/* Somebody as others see them now. */
struct company_person {
    const char *id, *state; /* presence_name */
    int64_t quiet_until, picture;
};

struct company_people {
    struct json_list people; /* struct company_person */
};

extern const struct json_table company_person_table, company_people_table;

/* Whom `who`, an account or a guest, sees and who is not offline; nobody but COMPANY_PEOPLE_MAX. */
MUST_USE enum status company_list(struct db *db, struct presence *presence, const char *who,
                                  int64_t now_ms, struct arena *arena,
                                  struct company_people *ret_people);

/* What changed of one, and who sees them: accounts and guests, each once, themselves too. */
struct company_news {
    struct company_person person;
    const char *const *seen_by;
    size_t seen_by_count;
};

/* Of `count` changes, COMPANY_CHANGES_MAX at most; an account that is no more is left out. */
MUST_USE enum status company_news(struct db *db, const struct presence_change *changes,
                                  size_t count, int64_t now_ms, struct arena *arena,
                                  struct company_news *ret_news, size_t *ret_count);

#endif
