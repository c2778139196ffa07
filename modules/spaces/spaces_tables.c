#include "core/fields.h"
#include "modules/auth/auth.h"
#include "modules/spaces/drafts.h"
#include "modules/spaces/files.h"
#include "modules/spaces/guests.h"
#include "modules/spaces/incoming.h"
#include "modules/spaces/links.h"
#include "modules/spaces/messages.h"
#include "modules/spaces/receipts.h"
#include "modules/spaces/scheduled.h"
#include "modules/spaces/shares.h"
#include "modules/spaces/spaces.h"

#define ROLES "viewer|editor|owner"

static const struct json_field spaces_space_fields[] = {
    TEXT(spaces_space, id, 1, SPACES_ID_MAX, true, NULL),
    CHOICE(spaces_space, kind, "space|group|direct", true, NULL),
    TEXT(spaces_space, name, 0, SPACES_NAME_MAX, true,
         "of a direct one: the other's; empty when none"),
    TEXT(spaces_space, with, 1, CRYPTO_ID_CHARS, false, "the other's id, in a direct one"),
    CHOICE(spaces_space, role, ROLES, true, "one's own"),
    CHOICE(spaces_space, links, "none|viewer|editor", true, "the most that links may give"),
    TEXT(spaces_space, folder, 1, SPACES_FOLDER_MAX, false, "where one has put it"),
    BOOL(spaces_space, archived, "it can be read only"),
    BOOL(spaces_space, favourite, "one's own"),
    BOOL(spaces_space, muted, "one's own"),
    INT(spaces_space, members, 1, SPACES_MEMBERS_MAX, true, NULL),
    INT(spaces_space, unread, 0, MESSAGES_UNREAD_MAX, true,
        "others' messages one has not read; no more than 100 are counted"),
    INT(spaces_space, mentions, 0, MESSAGES_UNREAD_MAX, true, "of these, those that name one"),
    INT(spaces_space, version, 1, INT64_MAX, true, "also its entity tag"),
    INT(spaces_space, created, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(spaces_space, "A space as its member sees it.");

static const struct json_field spaces_list_fields[] = {
    LIST(spaces_list, items, &spaces_space_table, SPACES_MINE_MAX, true, NULL),
};

TABLE(spaces_list, NULL);

static const struct json_field spaces_member_fields[] = {
    TEXT(spaces_member, id, 0, CRYPTO_ID_CHARS, true,
         "of the account; empty: the address has none yet"),
    TEXT(spaces_member, name, 0, AUTH_NAME_MAX, true, NULL),
    TEXT(spaces_member, email, 0, AUTH_EMAIL_MAX, true, "empty: guests are not told"),
    CHOICE(spaces_member, role, ROLES, true, NULL),
    CHOICE(spaces_member, state, "online|away|offline", false, NULL),
    INT(spaces_member, quiet_until, 0, INT64_MAX, true, "do not disturb until then, ms since 1970"),
    INT(spaces_member, picture, 0, INT64_MAX, true, "its version; 0: there is none"),
    INT(spaces_member, joined, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(spaces_member, NULL);

static const struct json_field spaces_members_fields[] = {
    LIST(spaces_members, items, &spaces_member_table, SPACES_LIST_MAX, true, "by id"),
    TEXT(spaces_members, next_cursor, 1, CRYPTO_ID_CHARS, false, "absent: these were the last"),
};

TABLE(spaces_members, NULL);

static const struct json_field spaces_link_fields[] = {
    TEXT(spaces_link, id, 1, CRYPTO_ID_CHARS, true, NULL),
    CHOICE(spaces_link, role, ROLES, true, "what it makes of who takes it"),
    TEXT(spaces_link, maker, 1, CRYPTO_ID_CHARS, true, "an account's id"),
    TEXT(spaces_link, token, 0, SPACES_TOKEN_CHARS, false, "when it is made, and never again"),
    INT(spaces_link, uses, -1, SPACES_USES_MAX, true, "how many more; -1: any number"),
    BOOL(spaces_link, guests, "whoever has no account comes in by a name"),
    INT(spaces_link, expires, 0, INT64_MAX, true, "ms since 1970"),
    INT(spaces_link, created, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(spaces_link, "An invitation for whoever has it.");

static const struct json_field spaces_links_fields[] = {
    LIST(spaces_links, items, &spaces_link_table, SPACES_LINKS_MAX, true, NULL),
};

TABLE(spaces_links, NULL);

static const struct json_field spaces_guest_fields[] = {
    TEXT(spaces_guest, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(spaces_guest, space, 1, SPACES_ID_MAX, true, "the one they are in"),
    TEXT(spaces_guest, name, 1, AUTH_NAME_MAX, true, NULL),
    TEXT(spaces_guest, token, 0, SPACES_TOKEN_CHARS, false, "when they come, and never again"),
    INT(spaces_guest, expires, 0, INT64_MAX, true, "with the link; ms since 1970"),
    INT(spaces_guest, created, 0, INT64_MAX, true, "ms since 1970"),
    TEXT(spaces_guest, link, 1, CRYPTO_ID_CHARS, false, "by which they came; for owners, as"),
    TEXT(spaces_guest, link_maker, 1, CRYPTO_ID_CHARS, false, "who made it, an account"),
    INT(spaces_guest, link_created, 0, INT64_MAX, false, "and when, ms since 1970"),
    INT(spaces_guest, seen, 0, INT64_MAX, false,
        "their last request, to a minute; ms since 1970, 0 to others"),
};

TABLE(spaces_guest, "Who is in a space without an account.");

static const struct json_field spaces_guests_fields[] = {
    LIST(spaces_guests, items, &spaces_guest_table, SPACES_GUESTS_MAX, true, NULL),
};

TABLE(spaces_guests, NULL);

static const struct json_field spaces_overview_fields[] = {
    TEXT(spaces_overview, id, 1, SPACES_ID_MAX, true, NULL),
    CHOICE(spaces_overview, kind, "space|group|direct", true, NULL),
    BOOL(spaces_overview, archived, NULL),
    INT(spaces_overview, members, 0, SPACES_MEMBERS_MAX, true, NULL),
    INT(spaces_overview, created, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(spaces_overview, NULL);

static const struct json_field spaces_overviews_fields[] = {
    LIST(spaces_overviews, items, &spaces_overview_table, SPACES_LIST_MAX, true, NULL),
};

TABLE(spaces_overviews, NULL);

/* ---- messages ---- */

static const struct json_field messages_reaction_fields[] = {
    TEXT(messages_reaction, emoji, 1, MESSAGES_EMOJI_MAX, true, "one emoji"),
    TEXTS(messages_reaction, by, MESSAGES_REACTIONS_MAX, CRYPTO_ID_CHARS, "accounts"),
};

TABLE(messages_reaction, "Who answered a message with this emoji.");

#define SIDE(type, member)                                                                         \
    INT(type, member, 0, MESSAGES_SIDE_MAX, false, "pixels of a picture or film")
#define DURATION(type) INT(type, duration, 0, INT32_MAX, false, "ms of sound or film")
#define WAVE(type)                                                                                 \
    TEXT(type, wave, 0, MESSAGES_WAVE_MAX, false, "of a recording: its levels, a digit 0-f each")

static const struct json_field messages_attachment_fields[] = {
    TEXT(messages_attachment, file, 1, CRYPTO_ID_CHARS, true, "a file of the space"),
    CHOICE(messages_attachment, kind, "file|voice", true, "voice: recorded for this message"),
    TEXT(messages_attachment, name, 0, FILES_NAME_MAX, true, "as it is now"),
    TEXT(messages_attachment, type, 0, FILES_TYPE_MAX, true, "media type"),
    WAVE(messages_attachment),
    INT(messages_attachment, size, 0, INT64_MAX, true, "bytes"),
    INT(messages_attachment, version, 0, INT64_MAX, true, "of the newest content"),
    SIDE(messages_attachment, width),
    SIDE(messages_attachment, height),
    DURATION(messages_attachment),
    BOOL(messages_attachment, gone, "the file was deleted"),
};

TABLE(messages_attachment, "A file that a message carries.");

static const struct json_field messages_attach_fields[] = {
    TEXT(messages_attach, file, 1, CRYPTO_ID_CHARS, true, "a file of the space"),
    CHOICE(messages_attach, kind, "file|voice", false, "voice: recorded for this message"),
    WAVE(messages_attach),
    SIDE(messages_attach, width),
    SIDE(messages_attach, height),
    DURATION(messages_attach),
};

TABLE(messages_attach, "A file that a message is to carry.");

static const struct json_field messages_preview_fields[] = {
    TEXT(messages_preview, id, 1, MESSAGES_PREVIEW_ID_CHARS, true, "of this card in the message"),
    TEXT(messages_preview, url, 1, MESSAGES_PREVIEW_URL_MAX, true, "as the message has it"),
    TEXT(messages_preview, title, 1, MESSAGES_PREVIEW_TITLE_MAX, true, "a line"),
    TEXT(messages_preview, about, 0, MESSAGES_PREVIEW_ABOUT_MAX, true,
         "a line; empty: it says none"),
    TEXT(messages_preview, site, 0, MESSAGES_PREVIEW_SITE_MAX, true,
         "the site's name; empty: it says none"),
};

TABLE(messages_preview, "What a page that a message links to says of itself.");

#define TIME(member, text) INT(messages_message, member, 0, INT64_MAX, false, text)

static const struct json_field messages_message_fields[] = {
    TEXT(messages_message, id, 1, MESSAGES_ID_MAX, true,
         "a number in decimal; a later message has a larger one"),
    TEXT(messages_message, space, 1, SPACES_ID_MAX, true, NULL),
    TEXT(messages_message, author, 1, CRYPTO_ID_CHARS, true, "an account's id"),
    BOOL(messages_message, guest, "`author` is no account"),
    TEXT(messages_message, author_name, 1, AUTH_NAME_MAX, true, NULL),
    TEXT(messages_message, text, 0, MESSAGES_TEXT_MAX, true, "Markdown; empty when deleted"),
    TEXT(messages_message, thread, 1, MESSAGES_ID_MAX, false,
         "id of the message its thread hangs on"),
    TEXT(messages_message, reply_to, 1, MESSAGES_ID_MAX, false, "id of the message it answers"),
    TEXT(messages_message, meeting, 1, 64, false, "whose thread it begins or is in"),
    INT(messages_message, replies, 0, INT64_MAX, true, "in the thread that hangs on it"),
    TEXTS(messages_message, mentions, MESSAGES_MENTIONS_MAX, CRYPTO_ID_CHARS,
          "accounts it names; `all`: everybody"),
    LIST(messages_message, reactions, &messages_reaction_table, MESSAGES_EMOJIS_MAX, true, NULL),
    LIST(messages_message, attachments, &messages_attachment_table, MESSAGES_ATTACHMENTS_MAX, true,
         NULL),
    LIST(messages_message, previews, &messages_preview_table, MESSAGES_PREVIEWS_MAX, false,
         "cards of its links, some time after it was written"),
    INT(messages_message, created, 0, INT64_MAX, true, "ms since 1970"),
    TIME(edited, "ms since 1970 of the last edit; 0: never"),
    TIME(deleted, "ms since 1970; 0: it is not"),
    TIME(pinned, "ms since 1970; 0: it is not"),
};

TABLE(messages_message, "A message of a space as it is now.");

static const struct json_field messages_page_fields[] = {
    LIST(messages_page, items, &messages_message_table, MESSAGES_PAGE_MAX, true, "newest first"),
    TEXT(messages_page, next_cursor, 1, MESSAGES_ID_MAX, false, "absent: these were the last"),
};

TABLE(messages_page, NULL);

static const struct json_field messages_edit_fields[] = {
    TEXT(messages_edit, text, 1, MESSAGES_TEXT_MAX, true, "as it was"),
    INT(messages_edit, replaced, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(messages_edit, NULL);

static const struct json_field messages_edits_fields[] = {
    LIST(messages_edits, items, &messages_edit_table, MESSAGES_EDITS_MAX, true, "oldest first"),
};

TABLE(messages_edits, NULL);

static const struct json_field drafts_draft_fields[] = {
    TEXT(drafts_draft, thread, 1, MESSAGES_ID_MAX, false, "absent: the space's own"),
    TEXT(drafts_draft, text, 1, MESSAGES_TEXT_MAX, true, NULL),
    INT(drafts_draft, changed, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(drafts_draft, "What one has begun to write.");

static const struct json_field drafts_list_fields[] = {
    LIST(drafts_list, items, &drafts_draft_table, DRAFTS_MAX, true, "newest first"),
};

TABLE(drafts_list, NULL);

static const struct json_field scheduled_message_fields[] = {
    TEXT(scheduled_message, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(scheduled_message, thread, 1, MESSAGES_ID_MAX, false, "whose thread it goes into"),
    TEXT(scheduled_message, text, 1, MESSAGES_TEXT_MAX, true, "Markdown"),
    TEXTS(scheduled_message, mentions, MESSAGES_MENTIONS_MAX, CRYPTO_ID_CHARS,
          "accounts it names; `all`: everybody"),
    INT(scheduled_message, send_at, 0, INT64_MAX, true, "ms since 1970"),
    INT(scheduled_message, created, 0, INT64_MAX, true, "ms since 1970"),
    INT(scheduled_message, failed, 0, INT64_MAX, false,
        "ms since 1970: its author might not write it then; 0: it was not tried"),
};

TABLE(scheduled_message, "A message that is written when its time comes.");

static const struct json_field scheduled_list_fields[] = {
    LIST(scheduled_list, items, &scheduled_message_table, SCHEDULED_MAX, true, "the next first"),
};

TABLE(scheduled_list, NULL);

static const struct json_field receipts_receipt_fields[] = {
    TEXT(receipts_receipt, account, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(receipts_receipt, read_to, 1, MESSAGES_ID_MAX, true, "the newest message read; `0`: none"),
};

TABLE(receipts_receipt, "How far a member has read.");

static const struct json_field receipts_list_fields[] = {
    LIST(receipts_list, items, &receipts_receipt_table, RECEIPTS_MEMBERS_MAX, true,
         "empty in a space of more than 200 members"),
};

TABLE(receipts_list, NULL);

/* ---- files ---- */

static const struct json_field files_file_fields[] = {
    TEXT(files_file, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(files_file, space, 1, SPACES_ID_MAX, true, NULL),
    TEXT(files_file, name, 1, FILES_NAME_MAX, true, NULL),
    TEXT(files_file, folder, 1, CRYPTO_ID_CHARS, false, "it is in; absent: the top"),
    CHOICE(files_file, kind, "file|folder", true, NULL),
    TEXT(files_file, type, 1, FILES_TYPE_MAX, false, "media type as uploaded; not of a folder"),
    TEXT(files_file, author, 1, CRYPTO_ID_CHARS, true, "of the newest version"),
    INT(files_file, size, 0, INT64_MAX, true, "bytes"),
    INT(files_file, version, 0, INT64_MAX, true, "of the content; 0 of a folder"),
    INT(files_file, created, 0, INT64_MAX, true, "ms since 1970"),
    INT(files_file, changed, 0, INT64_MAX, true, "ms since 1970"),
    INT(files_file, deleted, 0, INT64_MAX, false, "ms since 1970; 0: it is not"),
};

TABLE(files_file, "A file or folder of a space.");

static const struct json_field files_list_fields[] = {
    LIST(files_list, items, &files_file_table, FILES_PAGE_MAX, true, "by id"),
    TEXT(files_list, next_cursor, 1, CRYPTO_ID_CHARS, false, "absent: these were the last"),
};

TABLE(files_list, NULL);

static const struct json_field uploads_upload_fields[] = {
    TEXT(uploads_upload, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(uploads_upload, space, 1, SPACES_ID_MAX, true, NULL),
    TEXT(uploads_upload, file, 1, CRYPTO_ID_CHARS, false, "it has become; absent: not yet"),
    INT(uploads_upload, offset, 0, INT64_MAX, true, "bytes that are here"),
    INT(uploads_upload, length, 0, INT64_MAX, true, "bytes of the whole"),
    INT(uploads_upload, expires, 0, INT64_MAX, true, "ms since 1970, if nobody goes on with it"),
};

TABLE(uploads_upload, "A content on its way.");

static const struct json_field files_version_fields[] = {
    INT(files_version, version, 1, INT64_MAX, true, NULL),
    INT(files_version, size, 0, INT64_MAX, true, "bytes"),
    TEXT(files_version, author, 1, CRYPTO_ID_CHARS, true, NULL),
    INT(files_version, created, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(files_version, NULL);

static const struct json_field files_versions_fields[] = {
    LIST(files_versions, items, &files_version_table, FILES_VERSIONS_MAX, true, "newest first"),
};

TABLE(files_versions, NULL);

/* ---- shares ---- */

static const struct json_field shares_share_fields[] = {
    TEXT(shares_share, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(shares_share, name, 0, SPACES_NAME_MAX, true, "stands on its page"),
    TEXT(shares_share, maker, 1, CRYPTO_ID_CHARS, true, "account"),
    TEXT(shares_share, token, 1, SPACES_TOKEN_CHARS, false, "of a new one, and never again"),
    BOOL(shares_share, everything, "it shows all files"),
    BOOL(shares_share, messages, "it shows the messages"),
    BOOL(shares_share, locked, "it has a password"),
    TEXTS(shares_share, files, SHARES_FILES_MAX, CRYPTO_ID_CHARS, "files and folders it shows"),
    INT(shares_share, views, 0, INT64_MAX, true, "how often its page was opened"),
    INT(shares_share, expires, 0, INT64_MAX, true, "ms since 1970"),
    INT(shares_share, created, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(shares_share, "A link that shows contents to whoever has it.");

static const struct json_field shares_list_fields[] = {
    LIST(shares_list, items, &shares_share_table, SHARES_MAX, true, "those that are not over"),
};

TABLE(shares_list, NULL);

static const struct json_field shares_view_fields[] = {
    TEXT(shares_view, name, 0, SPACES_NAME_MAX, true, NULL),
    BOOL(shares_view, everything, "all files of a space"),
    BOOL(shares_view, messages, "there are messages"),
    INT(shares_view, expires, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(shares_view, "What a link shows.");

static const struct json_field shares_file_fields[] = {
    TEXT(shares_file, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(shares_file, name, 1, FILES_NAME_MAX, true, NULL),
    CHOICE(shares_file, kind, "file|folder", true, NULL),
    TEXT(shares_file, type, 1, FILES_TYPE_MAX, false, "media type; not of a folder"),
    INT(shares_file, size, 0, INT64_MAX, true, "bytes"),
    INT(shares_file, changed, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(shares_file, NULL);

static const struct json_field shares_files_fields[] = {
    LIST(shares_files, items, &shares_file_table, FILES_PAGE_MAX, true, "by id"),
    TEXT(shares_files, next_cursor, 1, CRYPTO_ID_CHARS, false, "absent: these were the last"),
};

TABLE(shares_files, NULL);

static const struct json_field shares_message_fields[] = {
    TEXT(shares_message, id, 1, MESSAGES_ID_MAX, true, NULL),
    TEXT(shares_message, author, 0, AUTH_NAME_MAX, true, "a name"),
    TEXT(shares_message, text, 0, MESSAGES_TEXT_MAX, true, "Markdown; empty when deleted"),
    TEXT(shares_message, thread, 1, MESSAGES_ID_MAX, false, "the message it answers"),
    INT(shares_message, created, 0, INT64_MAX, true, "ms since 1970"),
    INT(shares_message, edited, 0, INT64_MAX, false, "ms since 1970; 0: never"),
    INT(shares_message, deleted, 0, INT64_MAX, false, "ms since 1970; 0: it is not"),
};

TABLE(shares_message, NULL);

static const struct json_field shares_messages_fields[] = {
    LIST(shares_messages, items, &shares_message_table, SHARES_PAGE_MAX, true, "newest first"),
    TEXT(shares_messages, next_cursor, 1, MESSAGES_ID_MAX, false, "absent: these were the last"),
};

TABLE(shares_messages, NULL);

static const struct json_field shares_pass_fields[] = {
    TEXT(shares_pass, pass, 0, SHARES_PASS_MAX, true, "goes as `pass` with each request"),
    INT(shares_pass, expires, 0, INT64_MAX, true, "ms since 1970"),
};

TABLE(shares_pass, NULL);
