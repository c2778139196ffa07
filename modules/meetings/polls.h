/*
 * modules/meetings/polls.h - polls of a meeting: a host opens one, everybody chooses one answer and
 * may change it, the host closes it; what came out stays with the meeting. One is open at a time.
 *
 * The database has the votes, so they survive a restart; the conductor only gathers what it tells
 * everybody. Of an anonymous poll the voter is kept as a keyed hash: who has the database and not
 * its keys cannot tell who voted what, and nobody is shown it.
 *
 * Threads: request pool; every call but polls_tell blocks on the database. Every change writes its
 * event ("poll.opened", "poll.voted", "poll.closed", scope: the meeting). Besides those named,
 * every call may return STATUS_NO_MEMORY and what db_write and db_read return.
 */
#ifndef MODULES_MEETINGS_POLLS_H
#define MODULES_MEETINGS_POLLS_H

#include "modules/meetings/meetings.h"

enum {
    POLLS_MAX = 200,        /* of one meeting, ever */
    POLLS_LIST_MAX = 50,    /* that are listed, newest first */
    POLL_VOTERS_MAX = 2000, /* of one poll that hosts are shown */
};

struct poll_option {
    const char *text;
    int64_t votes;
};

struct poll_voter {
    const char *participant;
    int64_t choice; /* from 1 */
};

struct poll {
    const char *id, *question;
    struct json_list options; /* struct poll_option */
    bool anonymous, open;
    int64_t revision; /* goes up with every change */
    int64_t created, closed;
    int64_t mine;            /* the asker's choice, from 1; 0: none */
    struct json_list voters; /* struct poll_voter, for hosts, of polls that are not anonymous */
};

struct poll_list {
    struct json_list polls; /* struct poll */
};

extern const struct json_table poll_table, poll_list_table;

struct poll_new {
    const char *meeting;
    const char *question;     /* 1..MEETING_QUESTION_MAX bytes */
    struct json_list options; /* const char *: 2..MEETING_ANSWERS_MAX of 1..MEETING_ANSWER_MAX */
    bool anonymous;
};

/* Errors: STATUS_INVALID, STATUS_EXISTS (one is open), STATUS_NOT_FOUND (no such meeting, or it has
 * ended), STATUS_LIMIT (POLLS_MAX). */
MUST_USE enum status polls_open(struct db *db, const struct poll_new *poll, int64_t now_ms,
                                struct arena *arena, struct poll *ret_poll);

struct poll_vote {
    const char *meeting, *participant;
    const char *poll; /* NULL: the open one */
    int64_t choice;   /* from 1 */
};

/* Errors: STATUS_NOT_FOUND (it is not open), STATUS_INVALID (no such answer), STATUS_DENIED (not of
 * this meeting, in its lobby, or removed). */
MUST_USE enum status polls_vote(struct db *db, const struct poll_vote *vote, int64_t now_ms,
                                struct arena *arena, struct poll *ret_poll);
/* Errors: STATUS_NOT_FOUND (it is not open). */
MUST_USE enum status polls_close(struct db *db, const char *meeting, const char *poll,
                                 int64_t now_ms, struct arena *arena, struct poll *ret_poll);
/* The open one. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status polls_open_one(struct db *db, const char *meeting, struct arena *arena,
                                    struct poll *ret_poll);
/* Newest first: struct poll, `mine` of this participant, `voters` when `voters`. */
MUST_USE enum status polls_list(struct db *db, const char *meeting, const char *participant,
                                bool voters, struct arena *arena, struct json_list *ret_polls);

/* Tells everybody in the meeting how the poll stands, gathered for MEETING_ROSTER_MS; callers hear
 * of a new one. Any thread but the conductor; returns at once. */
void polls_tell(struct meetings *meetings, const char *meeting, const struct poll *poll,
                struct arena *arena);

#endif
