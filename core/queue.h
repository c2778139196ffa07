/*
 * core/queue.h - how threads talk.
 *
 * ring: single producer, single consumer, lock-free, fixed-size entries by value;
 *   the way between two media workers.
 * mailbox: many producers, one consumer, bounded, with an eventfd that becomes
 *   readable when there is mail; the way into a loop.
 */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/* `entries`: power of two. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status ring_new(size_t entry_size, uint32_t entries, struct ring **ret_ring);
struct ring *ring_free(struct ring *ring); /* accepts NULL, returns NULL */
/* Producer only. Copies the entry in; false when full (nothing changed). */
MUST_USE bool ring_push(struct ring *ring, const void *entry);
/* Consumer only. Copies the oldest out; false when empty. */
MUST_USE bool ring_pop(struct ring *ring, void *ret_entry);
/* Entries waiting; exact for either end, a guess for others. */
uint32_t ring_length(const struct ring *ring);

struct mailbox;
typedef void mailbox_fn(void *arg);

/* `letters_max`: more waiting letters than this are refused. */
MUST_USE enum status mailbox_new(uint32_t letters_max, struct mailbox **ret_mailbox);
/* Letters not yet read are dropped unread. Accepts NULL, returns NULL. */
struct mailbox *mailbox_free(struct mailbox *mailbox);
/*
 * Any thread: fn(arg) will run on the reader's thread, in order per sender.
 * Errors: STATUS_LIMIT (full), STATUS_NO_MEMORY, STATUS_CLOSED (after mailbox_close);
 * in each case arg stays the caller's.
 */
MUST_USE enum status mailbox_post(struct mailbox *mailbox, mailbox_fn *fn, void *arg);
/* Readable (POLLIN) when there is mail; stays the mailbox's. */
int mailbox_fd(const struct mailbox *mailbox);
/* Reader only: runs what waited when called; returns how many. */
uint32_t mailbox_drain(struct mailbox *mailbox);
/* No letter is accepted any more; what waits can still be drained. Any thread. */
void mailbox_close(struct mailbox *mailbox);
uint32_t mailbox_length(const struct mailbox *mailbox);

#endif
