/*
 * signalling/sip/dialout.h - people in a meeting call others out of it.
 *
 * Threads: request pool; these block on the database and the conductor.
 */
#ifndef SIGNALLING_SIP_DIALOUT_H
#define SIGNALLING_SIP_DIALOUT_H

#include "signalling/sip/dialin.h"

/* Who wants to call whom. */
struct dialout_wish {
    const char *meeting, *participant; /* participant: "" the REST interface */
    bool host;
    const char *account; /* who is signed in; NULL: a guest, counted with the meeting */
    const char *number;  /* as typed */
    const char *name;    /* of the callee; NULL: none */
    const char *from;    /* name of who calls, as the callee sees it; NULL: none */
};

/* Whether this one may call at all. Accepts NULL. */
bool dialout_may(const struct dialin *dialin, bool host);
/* phone.numbers and those of the trunks, struct msg_number; none when dialin is NULL. */
struct json_list dialout_numbers(const struct dialin *dialin);
/*
 * Checks rights, rules and limits, writes the record and begins the call; what becomes of it is
 * told in the meeting (message dials). *ret_answer says why not with STATUS_DENIED and
 * STATUS_INVALID. ret_id: its id in dials. Errors also: STATUS_LIMIT (too many calls are being
 * made in this meeting), STATUS_UNSUPPORTED (there are no telephones), storage's.
 */
MUST_USE enum status dialout_begin(struct dialin *dialin, const struct dialout_wish *wish,
                                   char ret_id[MEETING_DIAL_ID_MAX + 1],
                                   enum dialing_answer *ret_answer);
/* Ends a call that is being made. A member ends their own, hosts (participant "") all of the
 * meeting. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status dialout_cancel(struct dialin *dialin, const char *meeting,
                                    const char *participant, const char *id);

#endif
