/*
 * The mailbox of core/queue.h: two arrays of letters that change places when the
 * reader drains, so that the steady state needs no malloc and handlers run outside
 * the lock. The eventfd is written and read under the lock: it is readable exactly
 * when letters wait, and a busy mailbox costs its senders no system call.
 */
#include "core/queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LETTERS_FIRST = 16 }; /* letters each array begins with */

struct letter {
    mailbox_fn *fn;
    void *arg;
};

struct letters {
    struct letter *items;
    uint32_t size;
};

struct mailbox {
    pthread_mutex_t lock; /* over all but the reader's `outgoing` */
    struct letters incoming, outgoing;
    _Atomic uint32_t count; /* of incoming; read without the lock */
    uint32_t letters_max;
    int fd;
    bool closed;
};

enum status mailbox_new(uint32_t letters_max, struct mailbox **ret_mailbox)
{
    if (letters_max == 0)
        return STATUS_INVALID;
    enum status status = STATUS_NO_MEMORY;
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox)
        return status;
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->letters_max = letters_max;
    mailbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    mailbox->incoming.size = mailbox->outgoing.size = LETTERS_FIRST;
    mailbox->incoming.items = malloc(LETTERS_FIRST * sizeof(struct letter));
    mailbox->outgoing.items = malloc(LETTERS_FIRST * sizeof(struct letter));
    if (!mailbox->incoming.items || !mailbox->outgoing.items)
        goto fail;
    status = STATUS_LIMIT;
    if (mailbox->fd < 0)
        goto fail;
    *ret_mailbox = mailbox;
    return STATUS_OK;

fail:
    mailbox_free(mailbox);
    return status;
}

struct mailbox *mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox)
        return NULL;
    if (mailbox->fd >= 0)
        close(mailbox->fd);
    free(mailbox->incoming.items);
    free(mailbox->outgoing.items);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
    return NULL;
}

static bool letters_grow(struct letters *letters)
{
    struct letter *items = realloc(letters->items, 2 * (size_t)letters->size * sizeof *items);
    if (!items)
        return false;
    letters->items = items;
    letters->size *= 2;
    return true;
}

/* Under the lock. */
static enum status put(struct mailbox *mailbox, struct letter letter)
{
    uint32_t count = mailbox->count;
    if (mailbox->closed)
        return STATUS_CLOSED;
    if (count == mailbox->letters_max)
        return STATUS_LIMIT;
    if (count == mailbox->incoming.size && !letters_grow(&mailbox->incoming))
        return STATUS_NO_MEMORY;
    mailbox->incoming.items[count] = letter;
    mailbox->count = count + 1;
    if (count == 0)
        eventfd_write(mailbox->fd, 1); /* cannot fail: the counter is 0 */
    return STATUS_OK;
}

enum status mailbox_post(struct mailbox *mailbox, mailbox_fn *fn, void *arg)
{
    pthread_mutex_lock(&mailbox->lock);
    enum status status = put(mailbox, (struct letter){.fn = fn, .arg = arg});
    pthread_mutex_unlock(&mailbox->lock);
    return status;
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

uint32_t mailbox_drain(struct mailbox *mailbox)
{
    if (mailbox->count == 0)
        return 0;
    pthread_mutex_lock(&mailbox->lock);
    struct letters letters = mailbox->incoming;
    mailbox->incoming = mailbox->outgoing;
    mailbox->outgoing = letters;
    uint32_t count = mailbox->count;
    mailbox->count = 0;
    eventfd_t ignored;
    eventfd_read(mailbox->fd, &ignored);
    pthread_mutex_unlock(&mailbox->lock);
    for (uint32_t i = 0; i < count; i++)
        letters.items[i].fn(letters.items[i].arg);
    return count;
}

void mailbox_close(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    pthread_mutex_unlock(&mailbox->lock);
}

uint32_t mailbox_length(const struct mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->count, memory_order_relaxed);
}
