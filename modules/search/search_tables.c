#include "modules/search/search.h"

#include "core/crypto.h"
#include "core/fields.h"
#include "modules/auth/auth.h"
#include "modules/spaces/files.h"
#include "modules/spaces/messages.h"

const char search_kinds[] = "message|file|person";
const char search_orders[] = "newest|relevance";
const char search_has[] = "file|link|mention";

static const struct json_field search_part_fields[] = {
    TEXT(search_part, text, 0, MESSAGES_TEXT_MAX, true, NULL),
    BOOL(search_part, hit, "it is what was looked for"),
};

TABLE(search_part, "A piece of a snippet.");

static const struct json_field search_hit_fields[] = {
    CHOICE(search_hit, kind, search_kinds, true, NULL),
    TEXT(search_hit, id, 1, SPACES_ID_MAX, true, "of the message, file or account"),
    TEXT(search_hit, space, 1, SPACES_ID_MAX, true, "of a person: one that both are in"),
    TEXT(search_hit, thread, 1, MESSAGES_ID_MAX, false, "id of the message it answers"),
    TEXT(search_hit, author, 1, CRYPTO_ID_CHARS, false, "account; not of a person"),
    TEXT(search_hit, author_name, 1, AUTH_NAME_MAX, false, NULL),
    TEXT(search_hit, type, 1, FILES_TYPE_MAX, false, "media type of a file"),
    LIST(search_hit, snippet, &search_part_table, SEARCH_PARTS_MAX, true,
         "of the message's text, the file's or the person's name"),
    INT(search_hit, created, 0, INT64_MAX, true, "ms since 1970; of a person 0"),
};

TABLE(search_hit, "What was found, and where.");

static const struct json_field search_page_fields[] = {
    LIST(search_page, items, &search_hit_table, SEARCH_PAGE_MAX + 2 * SEARCH_FEW, true,
         "people, then files, then messages"),
    TEXT(search_page, next_cursor, 1, SEARCH_CURSOR_MAX, false, "absent: these were all"),
};

TABLE(search_page, NULL);
