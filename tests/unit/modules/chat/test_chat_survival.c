/*
 * kill -9 as clients live through it: each author numbers its messages by nonces, sends
 * until acknowledged, and after a crash sends again what it had no answer to. In the end
 * each message is there once, with the id that was acknowledged, each author's in order.
 */
#include "modules/chat/chat.h"

#include "core/clock.h"
#include "core/rng.h"
#include "modules/meetings/registry.h"
#include "tests/support/scratch.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    ROUNDS = 22,
    AUTHORS = 6,
    MESSAGES_MAX = 50000, /* of an author; never reached */
    KILL_AFTER_MAX = 120, /* acknowledgements */
    KILL_LATER_US = 3000,
    ARENA_BYTES = 4 << 20,
};
static const int64_t NOW = 1764000000000;

/* An acknowledged message, as it goes through the pipe. */
struct ack {
    int32_t author, number;
    int64_t id;
};

struct author {
    struct db *db;
    int report, index;
    int next; /* first message without an answer */
    char participant[CRYPTO_ID_CHARS + 1];
};

struct survival {
    char path[SCRATCH_PATH_MAX];
    struct rng rng;
    struct author authors[AUTHORS];
    int64_t *ids[AUTHORS]; /* acknowledged id of each message; 0: none */
    long acks;
};

/* ---- the child: a server with its authors ---- */

static void *author_main(void *arg)
{
    struct author *author = arg;
    struct arena *arena = NULL;
    if (arena_new(ARENA_BYTES, &arena) != STATUS_OK)
        _exit(2);
    for (int number = author->next; number < MESSAGES_MAX; number++) {
        char nonce[16], name[16];
        snprintf(nonce, sizeof nonce, "%d", number);
        snprintf(name, sizeof name, "author %d", author->index);
        struct chat_post post = {.meeting = "busy",
                                 .author = author->participant,
                                 .author_name = name,
                                 .text = nonce,
                                 .nonce = nonce};
        struct chat_message message;
        bool changed;
        arena_reset(arena);
        if (chat_send(author->db, &post, NOW, arena, &message, &changed) != STATUS_OK)
            _exit(3);
        struct ack ack = {author->index, number, strtoll(message.id, NULL, 10)};
        if (write(author->report, &ack, sizeof ack) != sizeof ack)
            _exit(4);
    }
    _exit(5);
}

static void child_main(struct survival *survival, int report)
{
    struct db *db = NULL;
    struct db_config config = {.directory = survival->path, .readers = 2};
    pthread_t threads[AUTHORS];
    if (db_open(&config, &db) != STATUS_OK)
        _exit(1);
    for (int i = 0; i < AUTHORS; i++) {
        survival->authors[i].db = db;
        survival->authors[i].report = report;
        if (pthread_create(&threads[i], NULL, author_main, &survival->authors[i]) != 0)
            _exit(6);
    }
    pthread_join(threads[0], NULL);
    _exit(7);
}

/* ---- the parent ---- */

static bool ack_read(struct survival *survival, int fd)
{
    struct ack ack;
    ssize_t got;
    do {
        got = read(fd, &ack, sizeof ack);
    } while (got < 0 && errno == EINTR);
    assert_true(got == 0 || got == sizeof ack);
    if (got == 0)
        return false;
    assert_in_range(ack.author, 0, AUTHORS - 1);
    assert_in_range(ack.number, 0, MESSAGES_MAX - 1);
    assert_int_equal(survival->ids[ack.author][ack.number], 0);
    survival->ids[ack.author][ack.number] = ack.id;
    survival->authors[ack.author].next = ack.number + 1;
    survival->acks++;
    return true;
}

static void round_run(struct survival *survival)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        child_main(survival, ends[1]);
    }
    close(ends[1]);
    uint32_t kill_after = 1 + rng_below(&survival->rng, KILL_AFTER_MAX);
    while (kill_after-- > 0 && ack_read(survival, ends[0]))
        continue;
    uint64_t until =
        clock_mono_ns() + (uint64_t)rng_below(&survival->rng, KILL_LATER_US) * CLOCK_NS_PER_US;
    while (clock_mono_ns() < until)
        continue;
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (ack_read(survival, ends[0]))
        continue;
    close(ends[0]);
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(WTERMSIG(how), SIGKILL);
}

static void everybody_joins(struct survival *survival)
{
    struct db *db = scratch_db(survival->path, 1);
    struct registry_meeting_new meeting = {.id = "busy"};
    struct registry_meeting_created created;
    assert_int_equal(registry_create(db, &meeting, NOW, &created), STATUS_OK);
    for (int i = 0; i < AUTHORS; i++) {
        struct registry_participant_spec spec = {
            .meeting = "busy", .name = "author", .admitted = true};
        struct registry_participant_created participant;
        assert_int_equal(registry_participant_new(db, &spec, NOW, &participant), STATUS_OK);
        survival->authors[i].index = i;
        memcpy(survival->authors[i].participant, participant.id, sizeof participant.id);
        survival->ids[i] = calloc(MESSAGES_MAX, sizeof survival->ids[i][0]);
        assert_non_null(survival->ids[i]);
    }
    db_close(db);
}

static int author_of(const struct survival *survival, const char *participant)
{
    int i = 0;
    while (i < AUTHORS && strcmp(survival->authors[i].participant, participant) != 0)
        i++;
    assert_in_range(i, 0, AUTHORS - 1);
    return i;
}

/* Walks the whole chat backwards, page by page. */
static void chat_check(struct survival *survival)
{
    struct db *db = scratch_db(survival->path, 1);
    struct arena *arena = NULL;
    int below[AUTHORS];
    char before[24] = "";
    struct chat_page page = {.more = true};
    long checked = 0;
    for (int i = 0; i < AUTHORS; i++)
        below[i] = INT32_MAX;
    scratch_intact(db);
    assert_int_equal(arena_new(ARENA_BYTES, &arena), STATUS_OK);
    while (page.more) {
        arena_reset(arena);
        assert_int_equal(chat_history(db, "busy", before, CHAT_HISTORY_MAX, arena, &page),
                         STATUS_OK);
        const struct chat_message *messages = page.messages.items;
        for (size_t i = page.messages.count; i-- > 0;) {
            int author = author_of(survival, messages[i].author);
            int number = (int)strtol(messages[i].text, NULL, 10);
            /* Each once and in order: downwards without a gap. */
            assert_true(number < below[author]);
            assert_true(below[author] == INT32_MAX || number == below[author] - 1);
            below[author] = number;
            int64_t acknowledged = survival->ids[author][number];
            if (acknowledged != 0) {
                assert_int_equal(strtoll(messages[i].id, NULL, 10), acknowledged);
                checked++;
            }
        }
        if (page.messages.count > 0)
            snprintf(before, sizeof before, "%s", messages[0].id);
    }
    for (int i = 0; i < AUTHORS; i++)
        assert_int_equal(below[i], 0);
    assert_int_equal(checked, survival->acks);
    arena_free(arena);
    db_close(db);
}

static void test_everything_acknowledged_is_there_once(void **state)
{
    (void)state;
    static struct survival survival;
    rng_seed(&survival.rng, 20261124);
    scratch_make(survival.path);
    everybody_joins(&survival);
    for (int round = 0; round < ROUNDS; round++)
        round_run(&survival);
    chat_check(&survival);
    print_message("%ld acknowledged messages survived %d kills\n", survival.acks, ROUNDS);
    for (int i = 0; i < AUTHORS; i++)
        free(survival.ids[i]);
    scratch_remove(survival.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_acknowledged_is_there_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
