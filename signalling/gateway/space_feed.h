/*
 * signalling/gateway/space_feed.h - events of spaces, pushed to the sessions for spaces as soon as
 * they are committed, whoever wrote them.
 *
 * A session asks "space.events" from the number it knows on, a page at a time; with the page that
 * says there is no more it follows: each later event comes by itself, in order, once. Who is told
 * is read with the event, so a member who is removed hears nothing more.
 *
 * Threads: one of its own, woken by the writer; the command on the request pool.
 */
#ifndef SIGNALLING_GATEWAY_SPACE_FEED_H
#define SIGNALLING_GATEWAY_SPACE_FEED_H

#include "core/metrics.h"
#include "signalling/gateway/call.h"

struct space_feed;

/* `list` and the database outlive it. `metrics` may be NULL. Errors: STATUS_NO_MEMORY, as db_read,
 * db_write. */
MUST_USE enum status space_feed_new(struct db *db, struct signed_in_list *list,
                                    struct metrics *metrics, struct space_feed **ret_feed);
/* Before the list and the database. Accepts NULL, returns NULL. */
struct space_feed *space_feed_free(struct space_feed *feed);

/* The command space.events: a page, as GET /events. Errors: STATUS_OUT_OF_WINDOW. */
enum status space_feed_events(struct call *call);

#endif
