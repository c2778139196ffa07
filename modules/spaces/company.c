#include "modules/spaces/company.h"

#include "core/fields.h"
#include "core/list.h"
#include "modules/auth/auth.h"

#include <string.h>

static const struct json_field company_person_fields[] = {
    TEXT(company_person, id, 1, CRYPTO_ID_CHARS, true, "an account's"),
    CHOICE(company_person, state, "online|away|offline", true, NULL),
    INT(company_person, quiet_until, 0, INT64_MAX, true,
        "do not disturb until then, ms since 1970"),
    INT(company_person, picture, 0, INT64_MAX, true, "its version; 0: there is none"),
};

TABLE(company_person, "Somebody with whom one shares a space, as they are now.");

static const struct json_field company_people_fields[] = {
    LIST(company_people, people, &company_person_table, COMPANY_PEOPLE_MAX, true,
         "who came, went, or is seen otherwise"),
};

TABLE(company_people, NULL);

/* Texts of unknown number, in the arena. */
struct names {
    const char **items;
    size_t count;
};

static enum status names_read(struct db_statement *select, struct arena *arena,
                              struct names *ret_names)
{
    struct names names = {.items = NULL};
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        const char **name = LIST_ADD(arena, names.items, names.count);
        if (name == NULL || (*name = arena_strdup(arena, db_column_text(select, 0))) == NULL)
            return STATUS_NO_MEMORY;
    }
    if (status == STATUS_NOT_FOUND)
        *ret_names = names;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status person_read(struct db_session *session, const char *account,
                               enum presence_state state, struct arena *arena,
                               struct company_person *ret_person)
{
    struct auth_user user;
    enum status status = auth_user_in(session, account, arena, &user);
    if (status == STATUS_OK)
        *ret_person = (struct company_person){.id = user.id,
                                              .state = presence_name(state),
                                              .quiet_until = user.quiet_until,
                                              .picture = user.picture};
    return status;
}

/* ---- all one sees ---- */

struct listing {
    struct presence *presence;
    const char *who;
    int64_t now_ms;
    struct arena *arena;
    struct json_list people;
};

static enum status list_run(struct db_session *session, void *arg)
{
    struct listing *listing = arg;
    struct names names;
    struct db_statement *select = db_prepare(
        session, "SELECT o.account FROM space_member m JOIN space_member o ON o.space = m.space"
                 " WHERE m.account = $1"
                 " UNION SELECT o.account FROM space_guest g JOIN space_link l ON l.id = g.link"
                 " JOIN space s ON s.id = g.space AND s.links <> 'none'"
                 " JOIN space_member o ON o.space = g.space WHERE g.id = $1 AND g.expires > $2");
    db_bind_text(select, 1, listing->who);
    db_bind_int(select, 2, listing->now_ms);
    enum status status = names_read(select, listing->arena, &names);
    if (status != STATUS_OK)
        return status;
    struct company_person *people =
        arena_alloc(listing->arena, COMPANY_PEOPLE_MAX * sizeof *people);
    size_t count = 0;
    if (people == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < names.count && count < COMPANY_PEOPLE_MAX; i++) {
        enum presence_state state = presence_of(listing->presence, names.items[i]);
        if (state == PRESENCE_OFFLINE)
            continue;
        status = person_read(session, names.items[i], state, listing->arena, &people[count]);
        if (status == STATUS_OK)
            count++;
        else if (status != STATUS_NOT_FOUND)
            return status;
    }
    listing->people = (struct json_list){.items = people, .count = count};
    return STATUS_OK;
}

enum status company_list(struct db *db, struct presence *presence, const char *who, int64_t now_ms,
                         struct arena *arena, struct company_people *ret_people)
{
    struct listing listing = {.presence = presence, .who = who, .now_ms = now_ms, .arena = arena};
    enum status status = db_read(db, list_run, &listing);
    if (status == STATUS_OK)
        ret_people->people = listing.people;
    return status;
}

/* ---- who sees one ---- */

struct telling {
    const struct presence_change *changes;
    size_t change_count;
    int64_t now_ms;
    struct arena *arena;
    struct company_news *news;
    size_t count;
};

static enum status seen_by_read(struct db_session *session, const struct telling *telling,
                                const char *account, struct company_news *news)
{
    struct names names;
    struct db_statement *select = db_prepare(
        session, "SELECT id FROM account WHERE id = $1"
                 " UNION SELECT o.account FROM space_member m JOIN space_member o"
                 " ON o.space = m.space WHERE m.account = $1"
                 " UNION SELECT g.id FROM space_member m JOIN space_guest g ON g.space = m.space"
                 " JOIN space_link l ON l.id = g.link"
                 " JOIN space s ON s.id = g.space AND s.links <> 'none'"
                 " WHERE m.account = $1 AND g.expires > $2");
    db_bind_text(select, 1, account);
    db_bind_int(select, 2, telling->now_ms);
    enum status status = names_read(select, telling->arena, &names);
    if (status == STATUS_OK) {
        news->seen_by = names.items;
        news->seen_by_count = names.count;
    }
    return status;
}

static enum status news_run(struct db_session *session, void *arg)
{
    struct telling *telling = arg;
    telling->count = 0;
    for (size_t i = 0; i < telling->change_count; i++) {
        const struct presence_change *change = &telling->changes[i];
        struct company_news *news = &telling->news[telling->count];
        enum status status =
            person_read(session, change->account, change->state, telling->arena, &news->person);
        if (status == STATUS_OK)
            status = seen_by_read(session, telling, change->account, news);
        if (status == STATUS_OK)
            telling->count++;
        else if (status != STATUS_NOT_FOUND)
            return status;
    }
    return STATUS_OK;
}

enum status company_news(struct db *db, const struct presence_change *changes, size_t count,
                         int64_t now_ms, struct arena *arena, struct company_news *ret_news,
                         size_t *ret_count)
{
    struct telling telling = {.changes = changes,
                              .change_count = count,
                              .now_ms = now_ms,
                              .arena = arena,
                              .news = ret_news};
    enum status status = db_read(db, news_run, &telling);
    if (status == STATUS_OK)
        *ret_count = telling.count;
    return status;
}
