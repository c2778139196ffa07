#include "core/call.h"

#include <errno.h>
#include <semaphore.h>

struct question {
    mailbox_fn *fn;
    void *arg;
    sem_t answered;
};

static void answer(void *arg)
{
    struct question *question = arg;
    question->fn(question->arg);
    sem_post(&question->answered);
}

enum status loop_call(struct loop *loop, mailbox_fn *fn, void *arg)
{
    struct question question = {.fn = fn, .arg = arg};
    if (sem_init(&question.answered, 0, 0) != 0)
        return STATUS_INTERNAL;
    enum status status = loop_post(loop, answer, &question);
    if (status == STATUS_OK) {
        while (sem_wait(&question.answered) != 0 && errno == EINTR)
            continue;
    }
    sem_destroy(&question.answered);
    return status;
}
