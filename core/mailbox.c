#include "core/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct letter {
    mailbox_fn *fn;
    void *arg;
};

struct mailbox {
    pthread_mutex_t lock;
    struct letter *letters; /* a circle of `size`, growing up to letters_max */
    uint32_t size, first, count, letters_max;
    bool closed;
    int fd;
};

enum { MAILBOX_SIZE_MIN = 16 };

enum status mailbox_new(uint32_t letters_max, struct mailbox **ret_mailbox)
{
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (mailbox == NULL)
        return STATUS_NO_MEMORY;
    mailbox->letters_max = letters_max;
    mailbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->fd < 0) {
        free(mailbox);
        return STATUS_IO;
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    *ret_mailbox = mailbox;
    return STATUS_OK;
}

struct mailbox *mailbox_free(struct mailbox *mailbox)
{
    if (mailbox == NULL)
        return NULL;
    close(mailbox->fd);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox->letters);
    free(mailbox);
    return NULL;
}

static enum status mailbox_grow(struct mailbox *mailbox)
{
    uint32_t size = mailbox->size > 0 ? mailbox->size * 2 : MAILBOX_SIZE_MIN;
    struct letter *letters = malloc(size * sizeof *letters);
    if (letters == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < mailbox->count; i++)
        letters[i] = mailbox->letters[(mailbox->first + i) % mailbox->size];
    free(mailbox->letters);
    mailbox->letters = letters;
    mailbox->size = size;
    mailbox->first = 0;
    return STATUS_OK;
}

static enum status mailbox_put(struct mailbox *mailbox, mailbox_fn *fn, void *arg)
{
    if (mailbox->closed)
        return STATUS_CLOSED;
    if (mailbox->count >= mailbox->letters_max)
        return STATUS_LIMIT;
    if (mailbox->count == mailbox->size) {
        enum status status = mailbox_grow(mailbox);
        if (status != STATUS_OK)
            return status;
    }
    uint32_t at = (mailbox->first + mailbox->count) % mailbox->size;
    mailbox->letters[at] = (struct letter){fn, arg};
    mailbox->count++;
    return STATUS_OK;
}

enum status mailbox_post(struct mailbox *mailbox, mailbox_fn *fn, void *arg)
{
    pthread_mutex_lock(&mailbox->lock);
    bool was_empty = mailbox->count == 0;
    enum status status = mailbox_put(mailbox, fn, arg);
    pthread_mutex_unlock(&mailbox->lock);
    if (status == STATUS_OK && was_empty)
        (void)!write(mailbox->fd, &(uint64_t){1}, sizeof(uint64_t));
    return status;
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

static bool mailbox_take(struct mailbox *mailbox, struct letter *ret_letter)
{
    pthread_mutex_lock(&mailbox->lock);
    bool taken = mailbox->count > 0;
    if (taken) {
        *ret_letter = mailbox->letters[mailbox->first];
        mailbox->first = (mailbox->first + 1) % mailbox->size;
        mailbox->count--;
    }
    pthread_mutex_unlock(&mailbox->lock);
    return taken;
}

uint32_t mailbox_drain(struct mailbox *mailbox)
{
    uint64_t wakes;
    (void)!read(mailbox->fd, &wakes, sizeof wakes);
    uint32_t waiting = mailbox_length(mailbox);
    uint32_t done = 0;
    struct letter letter;
    while (done < waiting && mailbox_take(mailbox, &letter)) {
        letter.fn(letter.arg);
        done++;
    }
    /* Letters that came meanwhile found the box not empty and rang no bell. */
    if (mailbox_length(mailbox) > 0)
        (void)!write(mailbox->fd, &(uint64_t){1}, sizeof(uint64_t));
    return done;
}

void mailbox_close(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    pthread_mutex_unlock(&mailbox->lock);
}

uint32_t mailbox_length(const struct mailbox *mailbox)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&mailbox->lock;
    pthread_mutex_lock(lock);
    uint32_t count = mailbox->count;
    pthread_mutex_unlock(lock);
    return count;
}
