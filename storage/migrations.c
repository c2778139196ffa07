#include "storage/migrations.h"

#include "storage/connection.h"
#include "storage/migration_chat.h"
#include "storage/migration_seal.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * Times are ms since 1970, ids texts unless a table counts its rows. AUTOINCREMENT where a
 * number must never come again. The SQL here is SQLite's own; above storage it is portable.
 */
static const char *const steps[] = {
    /* 1: events; meetings and who was let in. A meeting of a space will name it. */
    "CREATE TABLE event ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  scope TEXT NOT NULL,"
    "  type TEXT NOT NULL,"
    "  payload TEXT NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX event_scope ON event (scope, seq);"

    /* One row: no event up to seq is kept any more. */
    "CREATE TABLE event_pruned (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL) "
    "STRICT;"
    "INSERT INTO event_pruned (one, seq) VALUES (1, 0);"

    "CREATE TABLE meeting ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT,"
    "  title TEXT NOT NULL,"
    "  host_hash BLOB NOT NULL,"
    "  locked INTEGER NOT NULL DEFAULT 0,"
    "  lobby INTEGER NOT NULL DEFAULT 0,"
    "  participants INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL,"
    "  ended INTEGER"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE participant ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  meeting TEXT NOT NULL REFERENCES meeting (id),"
    "  token_hash BLOB NOT NULL UNIQUE,"
    "  name TEXT NOT NULL,"
    "  role TEXT NOT NULL CHECK (role IN ('participant', 'cohost', 'host')),"
    "  kind TEXT NOT NULL CHECK (kind IN ('browser', 'whip', 'phone')),"
    "  admitted INTEGER NOT NULL,"
    "  removed INTEGER,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    /* 2: chat. The table chat counts, so that a limit needs no count(*). reply_to is no foreign
     * key: a reply may outlive what it answers. */
    "CREATE TABLE chat ("
    "  meeting TEXT NOT NULL PRIMARY KEY REFERENCES meeting (id),"
    "  messages INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE message ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  meeting TEXT NOT NULL REFERENCES meeting (id),"
    "  author TEXT NOT NULL REFERENCES participant (id),"
    "  author_name TEXT NOT NULL,"
    "  nonce TEXT NOT NULL,"
    "  text TEXT NOT NULL,"
    "  reply_to INTEGER,"
    "  edits INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL,"
    "  edited INTEGER,"
    "  deleted INTEGER,"
    "  UNIQUE (author, nonce)"
    ") STRICT;"
    "CREATE INDEX message_meeting ON message (meeting, id);"

    "CREATE TABLE message_edit ("
    "  message INTEGER NOT NULL REFERENCES message (id),"
    "  edit INTEGER NOT NULL,"
    "  text TEXT NOT NULL,"
    "  replaced INTEGER NOT NULL,"
    "  PRIMARY KEY (message, edit)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE message_reaction ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  message INTEGER NOT NULL REFERENCES message (id),"
    "  emoji TEXT NOT NULL,"
    "  participant TEXT NOT NULL REFERENCES participant (id),"
    "  created INTEGER NOT NULL,"
    "  UNIQUE (message, emoji, participant)"
    ") STRICT;",

    /* 3: keys (storage/vault/). A key's number stands in what it sealed and never comes again. */
    "CREATE TABLE vault_master ("
    "  version INTEGER PRIMARY KEY,"
    "  wrapped BLOB NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE vault_key ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  scope TEXT NOT NULL UNIQUE,"
    "  master INTEGER NOT NULL REFERENCES vault_master (version),"
    "  wrapped BLOB NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX vault_key_master ON vault_key (master);"

    "CREATE TABLE vault_doomed (scope TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;",

    /* 4: contents of files. `secret` is sealed; a space or owner is named by its id. */
    "CREATE TABLE object ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT,"
    "  owner TEXT NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  secret BLOB NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX object_space ON object (space, id);"

    "CREATE TABLE upload ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT,"
    "  owner TEXT NOT NULL,"
    "  length INTEGER NOT NULL,"
    "  received INTEGER NOT NULL,"
    "  boot INTEGER NOT NULL,"
    "  secret BLOB NOT NULL,"
    "  tail BLOB,"
    "  touched INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX upload_touched ON upload (touched);"

    "CREATE TABLE object_usage ("
    "  kind TEXT NOT NULL CHECK (kind IN ('u', 's')),"
    "  holder TEXT NOT NULL,"
    "  bytes INTEGER NOT NULL,"
    "  PRIMARY KEY (kind, holder)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE object_doomed (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;",

    /* 5: what people write and are called is sealed (storage/vault/vault.h). Empty: deleted. */
    "ALTER TABLE meeting ADD COLUMN title_sealed BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE participant ADD COLUMN name_sealed BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE message ADD COLUMN author_name_sealed BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE message ADD COLUMN text_sealed BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE message_edit ADD COLUMN text_sealed BLOB NOT NULL DEFAULT x'';",

    /* 6: accounts and on which devices they are signed in (modules/auth/). */
    "CREATE TABLE account ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  email BLOB NOT NULL,"
    "  email_hash BLOB NOT NULL UNIQUE,"
    "  name BLOB NOT NULL,"
    "  language TEXT NOT NULL,"
    "  admin INTEGER NOT NULL,"
    "  disabled INTEGER NOT NULL DEFAULT 0,"
    "  epoch INTEGER NOT NULL DEFAULT 1,"
    "  version INTEGER NOT NULL DEFAULT 1,"
    "  password TEXT NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX account_admin ON account (admin, disabled);"

    "CREATE TABLE login ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  token_hash BLOB NOT NULL UNIQUE,"
    "  account TEXT NOT NULL REFERENCES account (id),"
    "  epoch INTEGER NOT NULL,"
    "  cookie INTEGER NOT NULL,"
    "  device BLOB NOT NULL,"
    "  address BLOB NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  seen INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX login_account ON login (account, created);",

    /* 7: spaces (modules/spaces/). Names, folders, addresses are sealed with the space's key.
     * `pair`: the two accounts of a direct one. */
    "CREATE TABLE space ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  kind TEXT NOT NULL CHECK (kind IN ('space', 'group', 'direct')),"
    "  name BLOB,"
    "  links TEXT NOT NULL CHECK (links IN ('none', 'viewer', 'editor')),"
    "  pair TEXT UNIQUE,"
    "  archived INTEGER NOT NULL DEFAULT 0,"
    "  members INTEGER NOT NULL DEFAULT 0,"
    "  version INTEGER NOT NULL DEFAULT 1,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE space_member ("
    "  space TEXT NOT NULL REFERENCES space (id),"
    "  account TEXT NOT NULL REFERENCES account (id),"
    "  role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),"
    "  favourite INTEGER NOT NULL DEFAULT 0,"
    "  muted INTEGER NOT NULL DEFAULT 0,"
    "  folder BLOB,"
    "  joined INTEGER NOT NULL,"
    "  PRIMARY KEY (space, account)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_member_account ON space_member (account, space);"
    "CREATE INDEX space_member_owner ON space_member (space, role);"

    "CREATE TABLE space_invite ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT NOT NULL REFERENCES space (id),"
    "  email BLOB NOT NULL,"
    "  email_hash BLOB NOT NULL,"
    "  role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),"
    "  inviter TEXT NOT NULL REFERENCES account (id),"
    "  created INTEGER NOT NULL,"
    "  UNIQUE (email_hash, space)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_invite_space ON space_invite (space);"

    /* `uses`: how many more; NULL: any number. */
    "CREATE TABLE space_link ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT NOT NULL REFERENCES space (id),"
    "  token_hash BLOB NOT NULL UNIQUE,"
    "  role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),"
    "  maker TEXT NOT NULL REFERENCES account (id),"
    "  uses INTEGER,"
    "  expires INTEGER NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_link_space ON space_link (space, id);",

    /* 8: messages of spaces, sealed with the space's key. `thread`: what it answers. A mention of
     * "all" is everybody's. */
    "ALTER TABLE space ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE space_member ADD COLUMN read_to INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE space_message ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  space TEXT NOT NULL,"
    "  author TEXT NOT NULL REFERENCES account (id),"
    "  nonce TEXT NOT NULL,"
    "  text BLOB,"
    "  thread INTEGER,"
    "  replies INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL,"
    "  edited INTEGER,"
    "  deleted INTEGER,"
    "  pinned INTEGER,"
    "  UNIQUE (author, nonce, space)"
    ") STRICT;"
    "CREATE INDEX space_message_space ON space_message (space, id);"
    "CREATE INDEX space_message_thread ON space_message (space, thread, id);"
    "CREATE INDEX space_message_pinned ON space_message (space, pinned) WHERE pinned > 0;"

    "CREATE TABLE space_message_edit ("
    "  message INTEGER NOT NULL,"
    "  edit INTEGER NOT NULL,"
    "  text BLOB NOT NULL,"
    "  replaced INTEGER NOT NULL,"
    "  PRIMARY KEY (message, edit)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE space_reaction ("
    "  message INTEGER NOT NULL,"
    "  emoji TEXT NOT NULL,"
    "  account TEXT NOT NULL REFERENCES account (id),"
    "  PRIMARY KEY (message, emoji, account)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE space_mention ("
    "  account TEXT NOT NULL,"
    "  space TEXT NOT NULL,"
    "  message INTEGER NOT NULL,"
    "  PRIMARY KEY (account, space, message)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_mention_message ON space_mention (message, account);",

    /* 9: PINs for telephones, made when first asked for. */
    "ALTER TABLE meeting ADD COLUMN pin_sealed BLOB;"
    "ALTER TABLE meeting ADD COLUMN pin_hash BLOB;"
    "CREATE UNIQUE INDEX meeting_pin ON meeting (pin_hash);",

    /* 10: files of spaces; names sealed with the space's key. `folder` '': the top. */
    "CREATE TABLE space_file ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT NOT NULL,"
    "  name BLOB NOT NULL,"
    "  folder TEXT NOT NULL,"
    "  kind TEXT NOT NULL CHECK (kind IN ('file', 'folder')),"
    "  type TEXT,"
    "  author TEXT NOT NULL REFERENCES account (id),"
    "  size INTEGER NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  changed INTEGER NOT NULL,"
    "  deleted INTEGER"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_file_folder ON space_file (space, folder, id);"
    "CREATE INDEX space_file_deleted ON space_file (space, id) WHERE deleted > 0;"

    "CREATE TABLE space_file_version ("
    "  file TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  object TEXT NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  author TEXT NOT NULL REFERENCES account (id),"
    "  created INTEGER NOT NULL,"
    "  PRIMARY KEY (file, version)"
    ") STRICT, WITHOUT ROWID;",

    /* 11: meetings of spaces are found by their space. */
    "CREATE INDEX meeting_space ON meeting (space, ended, created);",

    /* 12: jobs (modules/jobs/); payloads sealed with the key of `space`, or the server's. `lease`:
     * a number of the run that has it until leased_to; 0: nobody. */
    "CREATE TABLE job ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  kind TEXT NOT NULL,"
    "  space TEXT,"
    "  key TEXT,"
    "  payload BLOB NOT NULL,"
    "  due INTEGER NOT NULL,"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  version INTEGER NOT NULL DEFAULT 1,"
    "  lease INTEGER NOT NULL DEFAULT 0,"
    "  leased_to INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL,"
    "  UNIQUE (kind, key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX job_due ON job (kind, due);"
    "CREATE INDEX job_leased ON job (lease) WHERE lease > 0;"

    /* How many there are of each kind. */
    "CREATE TABLE job_kind (kind TEXT NOT NULL PRIMARY KEY, jobs INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;",

    /* 13: a space's meetings are threads of its chat: `author` and `who` may be participants,
     * `guest` is such an author's name, sealed. Numbers are not given out again. */
    "CREATE TABLE space_message_13 ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  space TEXT NOT NULL,"
    "  author TEXT NOT NULL,"
    "  guest BLOB,"
    "  nonce TEXT NOT NULL,"
    "  text BLOB,"
    "  thread INTEGER,"
    "  reply_to INTEGER,"
    "  meeting TEXT,"
    "  replies INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL,"
    "  edited INTEGER,"
    "  deleted INTEGER,"
    "  pinned INTEGER,"
    "  UNIQUE (author, nonce, space)"
    ") STRICT;"
    "INSERT INTO space_message_13 (id, space, author, nonce, text, thread, reply_to, replies,"
    "  created, edited, deleted, pinned) SELECT id, space, author, nonce, text, thread, thread,"
    "  replies, created, edited, deleted, pinned FROM space_message;"
    "DELETE FROM sqlite_sequence WHERE name = 'space_message_13';"
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'space_message_13', seq FROM sqlite_sequence"
    "  WHERE name = 'space_message';"
    "DROP TABLE space_message;"
    "ALTER TABLE space_message_13 RENAME TO space_message;"
    "CREATE INDEX space_message_space ON space_message (space, id);"
    "CREATE INDEX space_message_thread ON space_message (space, thread, id);"
    "CREATE INDEX space_message_pinned ON space_message (space, pinned) WHERE pinned > 0;"
    "CREATE UNIQUE INDEX space_message_meeting ON space_message (meeting) WHERE thread IS NULL;"
    "CREATE TABLE space_reaction_13 ("
    "  message INTEGER NOT NULL,"
    "  emoji TEXT NOT NULL,"
    "  who TEXT NOT NULL,"
    "  PRIMARY KEY (message, emoji, who)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO space_reaction_13 (message, emoji, who)"
    "  SELECT message, emoji, account FROM space_reaction;"
    "DROP TABLE space_reaction;"
    "ALTER TABLE space_reaction_13 RENAME TO space_reaction;"
    "CREATE TABLE message_moved (old INTEGER PRIMARY KEY, new INTEGER NOT NULL) STRICT;",

    /* 14: files that messages carry; what somebody has begun to write (`thread` 0: the space's). */
    "CREATE TABLE space_attachment ("
    "  message INTEGER NOT NULL,"
    "  place INTEGER NOT NULL,"
    "  file TEXT NOT NULL,"
    "  kind TEXT NOT NULL CHECK (kind IN ('file', 'voice')),"
    "  width INTEGER NOT NULL,"
    "  height INTEGER NOT NULL,"
    "  duration INTEGER NOT NULL,"
    "  wave TEXT NOT NULL,"
    "  PRIMARY KEY (message, place)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE space_draft ("
    "  space TEXT NOT NULL,"
    "  account TEXT NOT NULL REFERENCES account (id),"
    "  thread INTEGER NOT NULL,"
    "  text BLOB NOT NULL,"
    "  changed INTEGER NOT NULL,"
    "  PRIMARY KEY (space, account, thread)"
    ") STRICT, WITHOUT ROWID;",

    /* 15: quotas of one's own, uploads over many requests, links that show contents. Names are
       sealed with the space's key. */
    "ALTER TABLE object_usage ADD COLUMN quota INTEGER;"

    "CREATE TABLE space_upload ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT NOT NULL,"
    "  account TEXT NOT NULL,"
    "  name BLOB NOT NULL,"
    "  type TEXT,"
    "  folder TEXT,"
    "  file TEXT,"
    "  length INTEGER NOT NULL,"
    "  made TEXT,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_upload_created ON space_upload (created);"
    "CREATE INDEX space_upload_space ON space_upload (space);"

    "CREATE TABLE space_share ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT NOT NULL,"
    "  maker TEXT NOT NULL REFERENCES account (id),"
    "  token_hash BLOB NOT NULL UNIQUE,"
    "  name BLOB NOT NULL,"
    "  everything INTEGER NOT NULL,"
    "  messages INTEGER NOT NULL,"
    "  password TEXT,"
    "  views INTEGER NOT NULL DEFAULT 0,"
    "  expires INTEGER NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_share_space ON space_share (space, id);"

    "CREATE TABLE space_share_file ("
    "  share TEXT NOT NULL,"
    "  file TEXT NOT NULL,"
    "  PRIMARY KEY (share, file)"
    ") STRICT, WITHOUT ROWID;",

    /* 16: what waits for a link to be opened (modules/auth/confirmations.h). `account` '': it has
     * none yet. */
    "CREATE TABLE confirmation ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  kind TEXT NOT NULL CHECK (kind IN ('invite', 'signup', 'email', 'password')),"
    "  account TEXT NOT NULL,"
    "  email BLOB NOT NULL,"
    "  email_hash BLOB NOT NULL,"
    "  token_hash BLOB UNIQUE,"
    "  language TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  UNIQUE (kind, email_hash, account)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX confirmation_expires ON confirmation (expires);",

    /* 17: messages that are written later, each with a job; `mentions`: ids with spaces between. */
    "CREATE TABLE space_scheduled ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT NOT NULL,"
    "  account TEXT NOT NULL REFERENCES account (id),"
    "  thread INTEGER NOT NULL,"
    "  text BLOB NOT NULL,"
    "  mentions TEXT NOT NULL,"
    "  send_at INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  failed INTEGER"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_scheduled_author ON space_scheduled (space, account, send_at);",

    /* 18: search (modules/search/index.h). Tokens are keyed hashes. */
    "CREATE TABLE search_scope ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  space TEXT NOT NULL UNIQUE,"
    "  fresh INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE search_fresh ("
    "  scope INTEGER NOT NULL,"
    "  class INTEGER NOT NULL,"
    "  doc INTEGER NOT NULL,"
    "  terms BLOB NOT NULL,"
    "  PRIMARY KEY (scope, class, doc)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE search_block ("
    "  scope INTEGER NOT NULL,"
    "  token INTEGER NOT NULL,"
    "  first INTEGER NOT NULL,"
    "  postings BLOB NOT NULL,"
    "  PRIMARY KEY (scope, token, first)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE search_file ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  file TEXT NOT NULL UNIQUE"
    ") STRICT;",

    /* 19: what is over is found by when it was. */
    "CREATE INDEX login_expires ON login (expires);"
    "CREATE INDEX space_link_expires ON space_link (expires);"
    "CREATE INDEX space_share_expires ON space_share (expires);",

    /* 20: second factors and profiles (modules/auth/). `totp`: the seed, sealed; `totp_on`: since
     * when it is asked for; `totp_step`: the last one used. A passkey's credential and names are
     * sealed, its key is public. `picture`: its version, 0 without one. */
    "ALTER TABLE account ADD COLUMN totp BLOB;"
    "ALTER TABLE account ADD COLUMN totp_on INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE account ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE account ADD COLUMN zone TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE account ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE account ADD COLUMN picture INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE recovery_code ("
    "  account TEXT NOT NULL REFERENCES account (id),"
    "  hash BLOB NOT NULL,"
    "  PRIMARY KEY (account, hash)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE passkey ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  account TEXT NOT NULL REFERENCES account (id),"
    "  credential BLOB NOT NULL,"
    "  credential_hash BLOB NOT NULL UNIQUE,"
    "  rp TEXT NOT NULL,"
    "  name BLOB NOT NULL,"
    "  algorithm INTEGER NOT NULL,"
    "  key BLOB NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  suspect INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL,"
    "  used INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX passkey_account ON passkey (account, id);"

    "CREATE TABLE account_picture ("
    "  account TEXT NOT NULL PRIMARY KEY REFERENCES account (id),"
    "  type TEXT NOT NULL,"
    "  bytes BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    /* 21: the text inside a file, as far as it is in the search index; how far the job is that puts
     * into the index what is older than it: messages up to `until`, then all files. */
    "CREATE TABLE search_text ("
    "  file TEXT NOT NULL PRIMARY KEY,"
    "  text BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE search_fill ("
    "  number INTEGER NOT NULL PRIMARY KEY,"
    "  message INTEGER NOT NULL,"
    "  until INTEGER NOT NULL,"
    "  file TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO search_fill (number, message, until, file)"
    " SELECT 1, 0, coalesce(max(id), 0), '' FROM space_message;",

    /* 22: a record of each telephone call, in and out, refused ones too. caller: whose calls of an
     * hour are counted, an account or a meeting. cost: millionths of the operator's money; of a
     * call that runs, what it may cost at most. Polls, one choice a voter. voter: a participant; of
     * anonymous polls a keyed hash of one. */
    "CREATE TABLE phone_call ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),"
    "  meeting TEXT,"
    "  caller TEXT,"
    "  number_sealed BLOB,"
    "  prefix TEXT NOT NULL DEFAULT '',"
    "  rate INTEGER NOT NULL DEFAULT 0,"
    "  cost INTEGER NOT NULL DEFAULT 0,"
    "  started INTEGER NOT NULL,"
    "  answered INTEGER,"
    "  ended INTEGER,"
    "  codec TEXT,"
    "  mos INTEGER NOT NULL DEFAULT 0,"
    "  code INTEGER NOT NULL DEFAULT 0,"
    "  reason TEXT"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX phone_call_started ON phone_call (started, id);"
    "CREATE INDEX phone_call_running ON phone_call (direction, id) WHERE ended IS NULL;"
    "CREATE INDEX phone_call_caller ON phone_call (caller, started) WHERE direction = 'out';"

    "CREATE TABLE poll ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  meeting TEXT NOT NULL REFERENCES meeting (id),"
    "  text_sealed BLOB,"
    "  options INTEGER NOT NULL,"
    "  anonymous INTEGER NOT NULL,"
    "  revision INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL,"
    "  closed INTEGER"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX poll_meeting ON poll (meeting, created);"
    "CREATE UNIQUE INDEX poll_open ON poll (meeting) WHERE closed IS NULL;"

    "CREATE TABLE poll_vote ("
    "  poll TEXT NOT NULL REFERENCES poll (id),"
    "  voter TEXT NOT NULL,"
    "  choice INTEGER NOT NULL,"
    "  PRIMARY KEY (poll, voter)"
    ") STRICT, WITHOUT ROWID;",

    /* 23: who is in a space by a link and a name, without an account (modules/spaces/guests.h).
     * `token_hash`: SHA-256 of their session's. */
    "CREATE TABLE space_guest ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  space TEXT NOT NULL REFERENCES space (id),"
    "  link TEXT NOT NULL,"
    "  token_hash BLOB NOT NULL UNIQUE,"
    "  name BLOB NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_guest_space ON space_guest (space, id);"
    "CREATE INDEX space_guest_link ON space_guest (link);"
    "CREATE INDEX space_guest_expires ON space_guest (expires);"
    "ALTER TABLE space_link ADD COLUMN guests INTEGER NOT NULL DEFAULT 0;",

    /* 24: browsers that are told by push (modules/push/), one of a sign-in; our own key. */
    "CREATE TABLE push_device ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  account TEXT NOT NULL REFERENCES account (id),"
    "  login TEXT NOT NULL UNIQUE,"
    "  endpoint BLOB NOT NULL,"
    "  keys BLOB NOT NULL,"
    "  texts INTEGER NOT NULL,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX push_device_account ON push_device (account);"
    "CREATE TABLE push_key (id TEXT NOT NULL PRIMARY KEY, secret BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID;",

    /* 25: when a guest was last seen; owners are shown it. */
    "ALTER TABLE space_guest ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;"
    "UPDATE space_guest SET seen = created;",

    /* 26: where somebody is, by their time zone, is theirs: sealed by migration_seal_zones. NULL:
     * not said. */
    "ALTER TABLE account ADD COLUMN zone_sealed BLOB;",

    /* 27: cards of what messages link to (modules/spaces/previews.h). `id`: keyed hash of the
     * address; `card` NULL: it was taken away. */
    "CREATE TABLE space_preview ("
    "  message INTEGER NOT NULL REFERENCES space_message (id),"
    "  id TEXT NOT NULL,"
    "  place INTEGER NOT NULL,"
    "  card BLOB,"
    "  PRIMARY KEY (message, id)"
    ") STRICT, WITHOUT ROWID;",
};

enum { VAULT_STEP = 3 };

/* What follows the SQL of a step, in its transaction. */
static const struct {
    int64_t step;
    db_body *body;
    const char *sql;
} after[] = {
    {5, migration_seal,
     "ALTER TABLE meeting DROP COLUMN title;"
     "ALTER TABLE participant DROP COLUMN name;"
     "ALTER TABLE message DROP COLUMN author_name;"
     "ALTER TABLE message DROP COLUMN text;"
     "ALTER TABLE message_edit DROP COLUMN text"},
    {13, migration_chat,
     "DELETE FROM message_reaction WHERE message IN (SELECT old FROM message_moved);"
     "DELETE FROM message_edit WHERE message IN (SELECT old FROM message_moved);"
     "DELETE FROM message WHERE id IN (SELECT old FROM message_moved);"
     "DELETE FROM chat WHERE meeting IN (SELECT id FROM meeting WHERE space IS NOT NULL);"
     "DROP TABLE message_moved"},
    {26, migration_seal_zones, "ALTER TABLE account DROP COLUMN zone"},
};

const int64_t migrations_version = (int64_t)(sizeof steps / sizeof steps[0]);

static enum status version_read(struct db_session *session, void *arg)
{
    int64_t *ret_version = arg;
    struct db_statement *statement = db_prepare(session, "PRAGMA user_version");
    enum status status = db_step(statement);
    if (status == STATUS_OK)
        *ret_version = db_column_int(statement, 0);
    return status;
}

static enum status step_finish(struct db_session *session, int64_t step)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof after / sizeof after[0]; i++) {
        if (after[i].step != step)
            continue;
        status = connection_body(session, after[i].body, NULL);
        /* A column is not dropped while a statement knows it. */
        connection_forget(session);
        if (status == STATUS_OK)
            status = connection_exec(session, after[i].sql);
    }
    return status;
}

static enum status step_take(struct db_session *session, int64_t version)
{
    char number[64];
    snprintf(number, sizeof number, "PRAGMA user_version = %" PRId64 "; COMMIT", version + 1);
    enum status status = connection_exec(session, "BEGIN IMMEDIATE");
    if (status == STATUS_OK)
        status = connection_exec(session, steps[version]);
    if (status == STATUS_OK)
        status = step_finish(session, version + 1);
    if (status == STATUS_OK)
        status = connection_exec(session, number);
    if (status != STATUS_OK && connection_in_transaction(session)) {
        /* The first error is the one that says something. */
        enum status undone = connection_exec(session, "ROLLBACK");
        (void)undone;
    }
    return status;
}

enum status migrations_run(struct db_session *session, struct vault *vault)
{
    int64_t version = 0;
    enum status status = connection_body(session, version_read, &version);
    if (status == STATUS_OK && version > migrations_version)
        return STATUS_UNSUPPORTED;
    if (status == STATUS_OK && version < 0)
        return STATUS_CORRUPT;
    while (status == STATUS_OK && version < migrations_version) {
        if (version >= VAULT_STEP)
            status = vault_load(vault, session);
        if (status == STATUS_OK)
            status = step_take(session, version++);
    }
    if (status == STATUS_OK)
        status = vault_load(vault, session);
    /* What a step has sealed or dropped is not left in the log. */
    return status == STATUS_OK ? connection_checkpoint(session, CONNECTION_TRUNCATE) : status;
}
