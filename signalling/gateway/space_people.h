/*
 * signalling/gateway/space_people.h - who comes, goes and is away, told as "space.people" to the
 * sessions of those who see them and asked for it.
 *
 * A turn takes what changed since the last and tells each person once, whatever spaces they share:
 * so a hundred who come together are a few frames for each, not a hundred.
 *
 * Threads: space_people_turn on that of space_feed.h; the commands on the request pool.
 */
#ifndef SIGNALLING_GATEWAY_SPACE_PEOPLE_H
#define SIGNALLING_GATEWAY_SPACE_PEOPLE_H

#include "signalling/gateway/call.h"

enum { SPACE_PEOPLE_EVERY_MS = 200 /* between two turns: more is told together */ };

/* Tells what changed. *ret_wait_ms: the next turn is due then at the latest, -1: only when presence
 * says so. On failure nobody was told, and the next turn has them again. */
MUST_USE enum status space_people_turn(struct db *db, struct signed_in_list *list,
                                       struct arena *arena, int64_t *ret_wait_ms);

/* The command space.people: who is there of those one sees; from then on it is told. */
MUST_USE enum status space_people_list(struct call *call);
/* The command space.here: whether somebody sits before the page. */
MUST_USE enum status space_people_here(struct call *call);

#endif
