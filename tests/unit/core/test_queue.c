#include "core/queue.h"
#include "tests/support/alloc_fail.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct pair {
    uint64_t number;
    uint32_t check;
};

static struct pair pair_of(uint64_t number)
{
    return (struct pair){.number = number, .check = (uint32_t)(number * 2654435761u)};
}

static void test_ring_fills_and_empties(void **state)
{
    (void)state;
    struct ring *ring;
    assert_int_equal(ring_new(sizeof(struct pair), 8, &ring), STATUS_OK);
    struct pair out;
    for (uint64_t round = 0; round < 5; round++) {
        assert_false(ring_pop(ring, &out));
        for (uint64_t i = 0; i < 8; i++) {
            struct pair in = pair_of(round * 8 + i);
            assert_true(ring_push(ring, &in));
        }
        struct pair more = pair_of(99);
        assert_false(ring_push(ring, &more));
        assert_int_equal(ring_length(ring), 8);
        for (uint64_t i = 0; i < 8; i++) {
            assert_true(ring_pop(ring, &out));
            assert_int_equal(out.number, round * 8 + i);
        }
    }
    assert_null(ring_free(ring));
    assert_null(ring_free(NULL));
}

static void test_ring_refuses(void **state)
{
    (void)state;
    struct ring *ring = NULL;
    assert_int_equal(ring_new(4, 0, &ring), STATUS_INVALID);
    assert_int_equal(ring_new(4, 3, &ring), STATUS_INVALID);
    assert_int_equal(ring_new(0, 4, &ring), STATUS_INVALID);
    assert_null(ring);
}

enum { RING_PAIRS = 200000 };

static void *produce(void *arg)
{
    struct ring *ring = arg;
    for (uint64_t i = 0; i < RING_PAIRS;) {
        struct pair in = pair_of(i);
        if (ring_push(ring, &in))
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void test_ring_between_threads(void **state)
{
    (void)state;
    struct ring *ring;
    assert_int_equal(ring_new(sizeof(struct pair), 64, &ring), STATUS_OK);
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    for (uint64_t i = 0; i < RING_PAIRS;) {
        struct pair out;
        if (!ring_pop(ring, &out)) {
            sched_yield();
            continue;
        }
        if (out.number != i || out.check != pair_of(i).check)
            fail_msg("entry %llu came as %llu", (unsigned long long)i,
                     (unsigned long long)out.number);
        i++;
    }
    pthread_join(producer, NULL);
    ring_free(ring);
}

static bool readable(const struct mailbox *mailbox)
{
    struct pollfd fd = {.fd = mailbox_fd(mailbox), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void count_letter(void *arg)
{
    uint32_t *count = arg;
    (*count)++;
}

static void test_mailbox_bell(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    uint32_t count = 0;
    assert_int_equal(mailbox_new(100, &mailbox), STATUS_OK);
    assert_false(readable(mailbox));
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 40; i++)
            assert_int_equal(mailbox_post(mailbox, count_letter, &count), STATUS_OK);
        assert_true(readable(mailbox));
        assert_int_equal(mailbox_length(mailbox), 40);
        assert_int_equal(mailbox_drain(mailbox), 40);
        assert_int_equal(count, 40 * round);
        assert_false(readable(mailbox));
        assert_int_equal(mailbox_drain(mailbox), 0);
    }
    assert_null(mailbox_free(mailbox));
    assert_null(mailbox_free(NULL));
}

static void test_mailbox_limit_and_close(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    uint32_t count = 0;
    assert_int_equal(mailbox_new(0, &mailbox), STATUS_INVALID);
    assert_int_equal(mailbox_new(20, &mailbox), STATUS_OK);
    for (int i = 0; i < 20; i++)
        assert_int_equal(mailbox_post(mailbox, count_letter, &count), STATUS_OK);
    assert_int_equal(mailbox_post(mailbox, count_letter, &count), STATUS_LIMIT);
    mailbox_close(mailbox);
    assert_int_equal(mailbox_drain(mailbox), 20);
    assert_int_equal(mailbox_post(mailbox, count_letter, &count), STATUS_CLOSED);
    mailbox_free(mailbox);
}

struct reposter {
    struct mailbox *mailbox;
    uint32_t runs;
};

static void post_again(void *arg)
{
    struct reposter *reposter = arg;
    reposter->runs++;
    assert_int_equal(mailbox_post(reposter->mailbox, post_again, reposter), STATUS_OK);
}

/* A letter that posts itself waits for the next drain: a turn of the loop ends. */
static void test_mailbox_letter_posts_letter(void **state)
{
    (void)state;
    struct reposter reposter = {0};
    assert_int_equal(mailbox_new(4, &reposter.mailbox), STATUS_OK);
    post_again(&reposter);
    assert_int_equal(mailbox_drain(reposter.mailbox), 1);
    assert_int_equal(reposter.runs, 2);
    assert_true(readable(reposter.mailbox));
    mailbox_free(reposter.mailbox);
}

enum { SENDERS = 4, LETTERS = 5000 };

struct sender {
    struct mailbox *mailbox;
    uint32_t index, seen;
    bool disorder;
};

struct envelope {
    struct sender *sender;
    uint32_t number;
};

static struct envelope envelopes[SENDERS][LETTERS];

static void open_envelope(void *arg)
{
    struct envelope *envelope = arg;
    struct sender *sender = envelope->sender;
    sender->disorder |= envelope->number != sender->seen;
    sender->seen++;
}

static void *send_letters(void *arg)
{
    struct sender *sender = arg;
    struct envelope *mine = envelopes[sender->index];
    for (uint32_t i = 0; i < LETTERS;) {
        mine[i] = (struct envelope){.sender = sender, .number = i};
        if (mailbox_post(sender->mailbox, open_envelope, &mine[i]) == STATUS_OK)
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void test_mailbox_many_senders(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];
    assert_int_equal(mailbox_new(1000, &mailbox), STATUS_OK);
    for (uint32_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.mailbox = mailbox, .index = i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_letters, &senders[i]), 0);
    }
    for (uint32_t got = 0; got < SENDERS * LETTERS;) {
        struct pollfd fd = {.fd = mailbox_fd(mailbox), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 10000), 1);
        got += mailbox_drain(mailbox);
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(senders[i].seen, LETTERS);
        assert_false(senders[i].disorder);
    }
    assert_false(readable(mailbox));
    mailbox_free(mailbox);
}

static enum status make_both(void *context)
{
    (void)context;
    struct ring *ring = NULL;
    struct mailbox *mailbox = NULL;
    uint32_t count = 0;
    enum status status = ring_new(8, 8, &ring);
    if (status == STATUS_OK)
        status = mailbox_new(100, &mailbox);
    for (int i = 0; i < 40 && status == STATUS_OK; i++)
        status = mailbox_post(mailbox, count_letter, &count);
    mailbox_free(mailbox);
    ring_free(ring);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_true(alloc_fail_each(make_both, NULL) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_fills_and_empties),
        cmocka_unit_test(test_ring_refuses),
        cmocka_unit_test(test_ring_between_threads),
        cmocka_unit_test(test_mailbox_bell),
        cmocka_unit_test(test_mailbox_limit_and_close),
        cmocka_unit_test(test_mailbox_letter_posts_letter),
        cmocka_unit_test(test_mailbox_many_senders),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
