/*
 * modules/spaces/previews.h - cards of what messages link to.
 *
 * Who writes a message with links leaves a job, in the message's transaction. After COMMIT it asks
 * the first URLS_MAX pages, through the guard of core/outbound/reach.h, what they say of themselves
 * (modules/previews/page.h) and keeps that, sealed with the space's key, with an event
 * "message.updated". A page that cannot be had, or is no HTML, leaves nothing and is not asked
 * again; pictures are never fetched.
 *
 * A card lives as long as its link stands in the message. One that was taken away stays away: its
 * row is kept without what it said. Whoever may read the message may read its cards.
 *
 * Threads, results and errors as in spaces.h; previews_fetch on the job pool.
 */
#ifndef MODULES_SPACES_PREVIEWS_H
#define MODULES_SPACES_PREVIEWS_H

#include "core/outbound/http_fetch.h"
#include "modules/jobs/jobs.h"
#include "modules/spaces/messages.h"

enum {
    PREVIEWS_PAGE_MAX = 512 << 10, /* bytes of a page that are read: its head comes first */
    PREVIEWS_TIME_MS = 5000, /* for a page, redirects and all; the server's end waits for it */
    PREVIEWS_REDIRECTS = 5,
};

extern const char previews_kind[]; /* of the jobs; its key is the message's id */

/* ---- in the bodies of messages.c ---- */

/* The message's text is new, or another: cards of links that it has no more go, and a job will look
 * at those that have none. */
MUST_USE enum status previews_want(struct db_session *session, const char *space, int64_t message,
                                   const char *text, int64_t now_ms);
/* Those to be shown, as the links stand in the message. */
MUST_USE enum status previews_load(struct db_session *session, const char *space, int64_t message,
                                   struct arena *arena, struct json_list *ret_list);

/* ---- and else ---- */

/* SPACES_COMMENT for one's own message, else SPACES_MANAGE. */
MUST_USE enum status previews_remove(struct db *db, const struct spaces_who *who, const char *id,
                                     const char *preview, int64_t now_ms, struct arena *arena,
                                     struct messages_message *ret_message);
/* The job. *ret_changed false: there is no card more. Errors: those that may pass. */
MUST_USE enum status previews_fetch(struct db *db, struct http_fetch *fetch,
                                    const struct jobs_job *job, int64_t now_ms, struct arena *arena,
                                    struct messages_message *ret_message, bool *ret_changed);

#endif
