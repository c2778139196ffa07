#include "modules/meetings/polls.h"

#include "core/fields.h"
#include "core/text.h"
#include "storage/event.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

/* ---- what is sent ---- */

static const struct json_field poll_option_fields[] = {
    TEXT(poll_option, text, 1, MEETING_ANSWER_MAX, true, NULL),
    INT(poll_option, votes, 0, INT64_MAX, true, "so far"),
};
static TABLE(poll_option, "An answer.");

static const struct json_field poll_voter_fields[] = {
    TEXT(poll_voter, participant, 1, CRYPTO_ID_CHARS, true, NULL),
    INT(poll_voter, choice, 1, MEETING_ANSWERS_MAX, true, "from 1"),
};
static TABLE(poll_voter, "Who chose what.");

static const struct json_field poll_fields[] = {
    TEXT(poll, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(poll, question, 1, MEETING_QUESTION_MAX, true, NULL),
    LIST(poll, options, &poll_option_table, MEETING_ANSWERS_MAX, true, "answers and their votes"),
    BOOL(poll, anonymous, "nobody learns who chose what"),
    BOOL(poll, open, "one can vote"),
    INT(poll, revision, 0, INT64_MAX, true, "goes up with every change"),
    INT(poll, created, 0, INT64_MAX, true, "ms since 1970"),
    INT(poll, closed, 0, INT64_MAX, true, "the same; 0: it is not"),
    INT(poll, mine, 0, MEETING_ANSWERS_MAX, false,
        "my choice, from 1; 0: none, or this is sent to everybody"),
    LIST(poll, voters, &poll_voter_table, POLL_VOTERS_MAX, false,
         "poll.list, to hosts, unless it is anonymous"),
};
TABLE(poll, "A poll as it stands.");

static const struct json_field poll_list_fields[] = {
    LIST(poll_list, polls, &poll_table, POLLS_LIST_MAX, true, "newest first"),
};
TABLE(poll_list, "The meeting's polls.");

/* ---- what is sealed ---- */

struct poll_text {
    const char *question;
    struct json_list options; /* const char * */
};

static const struct json_field poll_text_fields[] = {
    TEXT(poll_text, question, 1, MEETING_QUESTION_MAX, true, NULL),
    TEXTS(poll_text, options, MEETING_ANSWERS_MAX, MEETING_ANSWER_MAX, NULL),
};
static TABLE(poll_text, NULL);

static struct vault_place text_place(const char *id)
{
    return (struct vault_place){.table = "poll", .column = "text_sealed", .row = id};
}

static bool line_valid(const char *text, size_t most)
{
    return text_valid(text, 1, most, TEXT_LINE) && !text_blank(text);
}

static bool new_valid(const struct poll_new *poll)
{
    const char *const *options = poll->options.items;
    if (poll->options.count < 2 || poll->options.count > MEETING_ANSWERS_MAX ||
        !line_valid(poll->question, MEETING_QUESTION_MAX))
        return false;
    for (size_t i = 0; i < poll->options.count; i++) {
        if (!line_valid(options[i], MEETING_ANSWER_MAX))
            return false;
    }
    return true;
}

/* ---- reading ---- */

struct job {
    const struct poll_new *wish;
    const struct poll_vote *vote;
    const char *meeting, *participant, *wanted; /* poll id; NULL: the open one */
    char id[CRYPTO_ID_CHARS + 1];
    const char *text;
    bool voters;
    int64_t now_ms;
    struct arena *arena;
    struct poll *polls;
    size_t count;
};

#define POLL_COLUMNS "id, text_sealed, anonymous, revision, created, closed"

static enum status options_read(const char *text, struct arena *arena, struct poll *poll)
{
    struct json *json = NULL;
    struct json_error error = {""};
    struct poll_text parts = {.question = NULL};
    enum status status = json_parse(text, strlen(text), &json, &error);
    if (status == STATUS_OK)
        status = json_decode(&poll_text_table, json, arena, &parts, &error);
    json_free(json);
    if (status != STATUS_OK)
        return status == STATUS_NO_MEMORY ? status : STATUS_CORRUPT;
    const char *const *texts = parts.options.items;
    struct poll_option *options = arena_alloc(arena, (parts.options.count + 1) * sizeof *options);
    if (options == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < parts.options.count; i++)
        options[i] = (struct poll_option){.text = texts[i]};
    poll->question = parts.question;
    poll->options = (struct json_list){.items = options, .count = parts.options.count};
    return STATUS_OK;
}

static enum status row_read(struct db_session *session, struct db_statement *row,
                            struct arena *arena, struct poll *ret_poll)
{
    const char *text = NULL;
    struct poll poll = {.id = arena_strdup(arena, db_column_text(row, 0)),
                        .anonymous = db_column_int(row, 2) != 0,
                        .revision = db_column_int(row, 3),
                        .created = db_column_int(row, 4),
                        .closed = db_column_int(row, 5)};
    poll.open = poll.closed == 0;
    if (poll.id == NULL)
        return STATUS_NO_MEMORY;
    struct vault_place place = text_place(poll.id);
    enum status status = vault_column(db_session_vault(session), &place, row, 1, arena, &text);
    if (status == STATUS_OK)
        status = text != NULL ? options_read(text, arena, &poll) : STATUS_CORRUPT;
    if (status == STATUS_OK)
        *ret_poll = poll;
    return status;
}

static enum status votes_count(struct db_session *session, struct arena *arena, struct poll *poll)
{
    const struct poll_option *texts = poll->options.items;
    struct poll_option *options = arena_alloc(arena, poll->options.count * sizeof *options);
    if (options == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < poll->options.count; i++)
        options[i] = (struct poll_option){.text = texts[i].text};
    struct db_statement *select = db_prepare(
        session, "SELECT choice, count(*) FROM poll_vote WHERE poll = $1 GROUP BY choice");
    db_bind_text(select, 1, poll->id);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        int64_t choice = db_column_int(select, 0);
        if (choice >= 1 && (size_t)choice <= poll->options.count)
            options[choice - 1].votes = db_column_int(select, 1);
    }
    poll->options.items = options;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Who votes, as it is written down: of an anonymous poll a keyed hash. */
static enum status voter_of(struct db_session *session, const struct poll *poll,
                            const char *participant, char ret_voter[2 * CRYPTO_SHA256_BYTES + 1])
{
    char both[2 * CRYPTO_ID_CHARS + 2];
    uint8_t hash[CRYPTO_SHA256_BYTES];
    if (!poll->anonymous) {
        snprintf(ret_voter, 2 * CRYPTO_SHA256_BYTES + 1, "%s", participant);
        return STATUS_OK;
    }
    int length = snprintf(both, sizeof both, "%s %s", poll->id, participant);
    enum status status =
        vault_hash(db_session_vault(session), NULL, "poll", both, (size_t)length, hash);
    for (size_t i = 0; status == STATUS_OK && i < sizeof hash; i++)
        snprintf(ret_voter + 2 * i, 3, "%02x", hash[i]);
    return status;
}

static enum status mine_read(struct db_session *session, struct poll *poll, const char *participant)
{
    char voter[2 * CRYPTO_SHA256_BYTES + 1];
    enum status status = voter_of(session, poll, participant, voter);
    struct db_statement *select =
        db_prepare(session, "SELECT choice FROM poll_vote WHERE poll = $1 AND voter = $2");
    db_bind_text(select, 1, poll->id);
    db_bind_text(select, 2, status == STATUS_OK ? voter : "");
    if (status == STATUS_OK)
        status = db_step(select);
    if (status == STATUS_OK)
        poll->mine = db_column_int(select, 0);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status voters_read(struct db_session *session, struct poll *poll, struct arena *arena)
{
    struct poll_voter *voters = arena_alloc(arena, POLL_VOTERS_MAX * sizeof *voters);
    struct db_statement *select = db_prepare(
        session, "SELECT voter, choice FROM poll_vote WHERE poll = $1 ORDER BY voter LIMIT $2");
    db_bind_text(select, 1, poll->id);
    db_bind_int(select, 2, POLL_VOTERS_MAX);
    size_t count = 0;
    enum status status = voters != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    while (status == STATUS_OK && (status = db_step(select)) == STATUS_OK) {
        voters[count] =
            (struct poll_voter){.participant = arena_strdup(arena, db_column_text(select, 0)),
                                .choice = db_column_int(select, 1)};
        if (voters[count++].participant == NULL)
            status = STATUS_NO_MEMORY;
    }
    poll->voters = (struct json_list){.items = voters, .count = count};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* job->wanted of the meeting, whether open or not; without: the open one. */
static enum status poll_find(struct db_session *session, struct job *job, struct poll *ret_poll)
{
    struct db_statement *select =
        job->wanted != NULL
            ? db_prepare(session,
                         "SELECT " POLL_COLUMNS " FROM poll WHERE meeting = $1 AND id = $2")
            : db_prepare(session,
                         "SELECT " POLL_COLUMNS " FROM poll WHERE meeting = $1 AND closed IS NULL");
    db_bind_text(select, 1, job->meeting);
    if (job->wanted != NULL)
        db_bind_text(select, 2, job->wanted);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status = row_read(session, select, job->arena, ret_poll);
    return status == STATUS_OK ? votes_count(session, job->arena, ret_poll) : status;
}

/* ---- changing ---- */

static enum status open_run(struct db_session *session, void *arg)
{
    struct job *job = arg;
    struct db_statement *meeting = db_prepare(
        session, "SELECT (SELECT count(*) FROM poll WHERE meeting = $1) FROM meeting WHERE id = $1 "
                 "AND ended IS NULL");
    db_bind_text(meeting, 1, job->meeting);
    enum status status = db_step(meeting);
    if (status == STATUS_OK && db_column_int(meeting, 0) >= POLLS_MAX)
        status = STATUS_LIMIT;
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO poll (id, meeting, text_sealed, options, anonymous, revision, "
                 "created) VALUES ($1, $2, $3, $4, $5, 1, $6)");
    struct vault_place place = text_place(job->id);
    db_bind_text(insert, 1, job->id);
    db_bind_text(insert, 2, job->meeting);
    status = vault_bind(db_session_vault(session), &place, insert, 3, job->text);
    db_bind_int(insert, 4, (int64_t)job->wish->options.count);
    db_bind_int(insert, 5, job->wish->anonymous);
    db_bind_int(insert, 6, job->now_ms);
    if (status == STATUS_OK)
        status = db_run(insert);
    if (status == STATUS_OK)
        status = event_write_id(session, job->meeting, "poll.opened", job->id, job->now_ms);
    return status == STATUS_OK ? poll_find(session, job, job->polls) : status;
}

enum status polls_open(struct db *db, const struct poll_new *poll, int64_t now_ms,
                       struct arena *arena, struct poll *ret_poll)
{
    struct job job = {.wish = poll,
                      .meeting = poll->meeting,
                      .now_ms = now_ms,
                      .arena = arena,
                      .polls = ret_poll};
    const struct poll_text text = {.question = poll->question, .options = poll->options};
    if (!new_valid(poll))
        return STATUS_INVALID;
    job.text = json_encode(&poll_text_table, &text, arena);
    if (job.text == NULL)
        return STATUS_NO_MEMORY;
    crypto_id(job.id);
    return db_write(db, open_run, &job);
}

/* Its revision is one more, and *poll is as it is then. */
static enum status changed(struct db_session *session, const struct job *job, struct poll *poll,
                           const char *event)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE poll SET revision = revision + 1 WHERE id = $1");
    db_bind_text(update, 1, poll->id);
    enum status status = db_run(update);
    poll->revision++;
    if (status == STATUS_OK)
        status = votes_count(session, job->arena, poll);
    return status == STATUS_OK ? event_write_id(session, job->meeting, event, poll->id, job->now_ms)
                               : status;
}

static enum status vote_run(struct db_session *session, void *arg)
{
    struct job *job = arg;
    enum registry_role role;
    char voter[2 * CRYPTO_SHA256_BYTES + 1];
    struct poll poll;
    enum status status = registry_member(session, job->meeting, job->vote->participant, &role);
    if (status == STATUS_OK)
        status = poll_find(session, job, &poll);
    if (status != STATUS_OK)
        return status;
    if (!poll.open)
        return STATUS_NOT_FOUND;
    if (job->vote->choice < 1 || job->vote->choice > (int64_t)poll.options.count)
        return STATUS_INVALID;
    status = voter_of(session, &poll, job->vote->participant, voter);
    if (status != STATUS_OK)
        return status;
    struct db_statement *upsert =
        db_prepare(session, "INSERT INTO poll_vote (poll, voter, choice) VALUES ($1, $2, $3) ON "
                            "CONFLICT (poll, voter) DO UPDATE SET choice = $3");
    db_bind_text(upsert, 1, poll.id);
    db_bind_text(upsert, 2, voter);
    db_bind_int(upsert, 3, job->vote->choice);
    status = db_run(upsert);
    if (status == STATUS_OK)
        status = changed(session, job, &poll, "poll.voted");
    if (status == STATUS_OK)
        *job->polls = poll;
    return status;
}

enum status polls_vote(struct db *db, const struct poll_vote *vote, int64_t now_ms,
                       struct arena *arena, struct poll *ret_poll)
{
    struct job job = {.vote = vote,
                      .meeting = vote->meeting,
                      .wanted = vote->poll,
                      .now_ms = now_ms,
                      .arena = arena,
                      .polls = ret_poll};
    return db_write(db, vote_run, &job);
}

static enum status close_run(struct db_session *session, void *arg)
{
    struct job *job = arg;
    struct poll poll;
    enum status status = poll_find(session, job, &poll);
    if (status == STATUS_OK && !poll.open)
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    struct db_statement *update = db_prepare(session, "UPDATE poll SET closed = $2 WHERE id = $1");
    db_bind_text(update, 1, poll.id);
    db_bind_int(update, 2, job->now_ms);
    status = db_run(update);
    poll.closed = job->now_ms;
    poll.open = false;
    if (status == STATUS_OK)
        status = changed(session, job, &poll, "poll.closed");
    if (status == STATUS_OK)
        *job->polls = poll;
    return status;
}

enum status polls_close(struct db *db, const char *meeting, const char *poll, int64_t now_ms,
                        struct arena *arena, struct poll *ret_poll)
{
    struct job job = {
        .meeting = meeting, .wanted = poll, .now_ms = now_ms, .arena = arena, .polls = ret_poll};
    return db_write(db, close_run, &job);
}

static enum status one_run(struct db_session *session, void *arg)
{
    struct job *job = arg;
    return poll_find(session, job, job->polls);
}

enum status polls_open_one(struct db *db, const char *meeting, struct arena *arena,
                           struct poll *ret_poll)
{
    struct job job = {.meeting = meeting, .arena = arena, .polls = ret_poll};
    return db_read(db, one_run, &job);
}

static enum status list_run(struct db_session *session, void *arg)
{
    struct job *job = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT " POLL_COLUMNS " FROM poll WHERE meeting = $1 ORDER BY created "
                            "DESC, id DESC LIMIT $2");
    db_bind_text(select, 1, job->meeting);
    db_bind_int(select, 2, POLLS_LIST_MAX);
    enum status status;
    job->count = 0;
    while ((status = db_step(select)) == STATUS_OK) {
        status = row_read(session, select, job->arena, &job->polls[job->count]);
        if (status != STATUS_OK)
            return status;
        job->count++;
    }
    status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    for (size_t i = 0; status == STATUS_OK && i < job->count; i++) {
        struct poll *poll = &job->polls[i];
        status = votes_count(session, job->arena, poll);
        if (status == STATUS_OK)
            status = mine_read(session, poll, job->participant);
        if (status == STATUS_OK && job->voters && !poll->anonymous)
            status = voters_read(session, poll, job->arena);
    }
    return status;
}

enum status polls_list(struct db *db, const char *meeting, const char *participant, bool voters,
                       struct arena *arena, struct json_list *ret_polls)
{
    struct job job = {.meeting = meeting,
                      .participant = participant,
                      .voters = voters,
                      .arena = arena,
                      .polls = arena_alloc(arena, POLLS_LIST_MAX * sizeof *job.polls)};
    if (job.polls == NULL)
        return STATUS_NO_MEMORY;
    enum status status = db_read(db, list_run, &job);
    if (status == STATUS_OK)
        *ret_polls = (struct json_list){.items = job.polls, .count = job.count};
    return status;
}
