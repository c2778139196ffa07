/*
 * A busy meeting whose server dies: people write as fast as they get answers, the server
 * is killed with -9 at random moments and started again, everybody comes back by their
 * token and sends again what had no answer. In the end each message is in the chat once,
 * acknowledged ones under the id that was acknowledged, each author's in order.
 *
 *   soak_chat PARLEY [KILLS] [PEOPLE]
 */
#include "core/clock.h"
#include "core/json.h"
#include "core/rng.h"
#include "modules/chat/chat.h"
#include "tests/support/scratch.h"
#include "tests/support/server_process.h"
#include "tests/support/ws_client.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    KILLS = 20,
    PEOPLE = 8,
    PEOPLE_MAX = 64,
    MESSAGES_MAX = 100000, /* of one person; never reached */
    BACK_MS_MAX = 10000,   /* everybody is back after a kill */
    STOP_MS_MAX = 5000,    /* SIGTERM to exit */
    READ_MS = 10000,       /* patience with an answer */
    AGAIN_MS = 20,         /* between two tries to connect, or after a refusal */
    PACE_MS = 5,           /* between two messages of a person */
    BUSY_MAX = 150,        /* acknowledgements between two kills, at most */
    ARENA_BYTES = 16 << 20,
};

struct soak;

struct person {
    struct soak *soak;
    pthread_t thread;
    int index;
    char name[32], token[64];
    int next;     /* first message without an answer */
    int64_t *ids; /* of each message; 0: not acknowledged */
    uint64_t s;   /* sequence of the last command of this session */
    struct arena *arena;
    struct ws_client *client;
};

struct soak {
    struct server_process server; /* the main thread's */
    uint16_t port;                /* of all its lives; constant once there are people */
    struct person people[PEOPLE_MAX];
    int people_count;
    atomic_int life;              /* how often the server was started */
    atomic_int ready[PEOPLE_MAX]; /* in which life this person was let in last */
    atomic_long acks, resends;
    atomic_bool over;
};

static _Noreturn void die(struct soak *soak, const char *what, const char *who)
{
    fprintf(stderr, "soak_chat: %s%s%s\n", what, who ? ": " : "", who ? who : "");
    if (soak->server.pid > 0)
        kill(soak->server.pid, SIGKILL);
    exit(EXIT_FAILURE);
}

static void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static uint64_t now_ms(void)
{
    return clock_mono_ns() / CLOCK_NS_PER_MS;
}

/* ---- one person's connection ---- */

/* The next frame that is the dispatch `type`, or a reply to the last command when type is "reply".
 * The caller frees *ret_frame. Errors: the connection's; STATUS_DENIED (invalid: identify anew). */
static enum status frame_await(struct person *person, const char *op, const char *type,
                               struct json **ret_frame)
{
    for (;;) {
        const char *text;
        size_t length;
        struct json_error error;
        struct json *frame = NULL;
        enum status status = ws_client_read(person->client, &text, &length);
        if (status == STATUS_OK)
            status = json_parse(text, length, &frame, &error);
        if (status != STATUS_OK)
            return status;
        const char *got_op = json_get_text(frame, "op"), *got_type = json_get_text(frame, "t");
        const struct json *d = json_get_object(frame, "d");
        int64_t command = -1;
        if (got_op && strcmp(got_op, "invalid") == 0) {
            json_free(frame);
            return STATUS_DENIED;
        }
        bool wanted = got_op && strcmp(got_op, op) == 0 &&
                      (!type || (got_type && strcmp(got_type, type) == 0));
        if (wanted && type && strcmp(type, "reply") == 0)
            wanted = d && json_get_int(d, "command", &command) && (uint64_t)command == person->s;
        if (wanted) {
            *ret_frame = frame;
            return STATUS_OK;
        }
        json_free(frame);
    }
}

/* Sends a command and awaits its reply. */
static enum status command(struct person *person, const char *type, const char *d,
                           struct json **ret_reply)
{
    char *text =
        arena_printf(person->arena, "{\"op\":\"command\",\"s\":%llu,\"t\":\"%s\",\"d\":%s}",
                     (unsigned long long)++person->s, type, d);
    if (!text)
        return STATUS_NO_MEMORY;
    enum status status = ws_client_send(person->client, text);
    return status == STATUS_OK ? frame_await(person, "dispatch", "reply", ret_reply) : status;
}

static enum status identify(struct person *person)
{
    struct json *frame = NULL;
    enum status status = frame_await(person, "hello", NULL, &frame);
    json_free(frame);
    if (status != STATUS_OK)
        return status;
    char *text = person->token[0] ? arena_printf(person->arena,
                                                 "{\"op\":\"identify\",\"d\":{\"meeting\":\"soak\","
                                                 "\"name\":\"%s\",\"token\":\"%s\"}}",
                                                 person->name, person->token)
                                  : arena_printf(person->arena,
                                                 "{\"op\":\"identify\",\"d\":{\"meeting\":\"soak\","
                                                 "\"name\":\"%s\"}}",
                                                 person->name);
    status = text ? ws_client_send(person->client, text) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = frame_await(person, "dispatch", "ready", &frame);
    if (status != STATUS_OK)
        return status;
    const char *token = json_get_text(json_get_object(frame, "d"), "token");
    if (!token || (person->token[0] && strcmp(token, person->token) != 0))
        die(person->soak, "came back as somebody else", person->name);
    snprintf(person->token, sizeof person->token, "%s", token);
    json_free(frame);
    return STATUS_OK;
}

/* Whether one try to connect lets the person in, by the server's present life. */
static bool try_come_in(struct person *person)
{
    struct soak *soak = person->soak;
    int life = atomic_load(&soak->life);
    person->s = 0;
    arena_reset(person->arena);
    if (ws_client_open(soak->port, "/gateway", READ_MS, &person->client) != STATUS_OK)
        return false;
    /* When it was killed meanwhile, nobody knows which life this was: once more. */
    if (identify(person) == STATUS_OK && atomic_load(&soak->life) == life) {
        atomic_store(&soak->ready[person->index], life);
        return true;
    }
    person->client = ws_client_close(person->client);
    return false;
}

/* Tries until it is let in, or the soak is over. */
static bool come_in(struct person *person)
{
    while (!atomic_load(&person->soak->over)) {
        if (try_come_in(person))
            return true;
        sleep_ms(AGAIN_MS);
    }
    return false;
}

/* Says message number `next`; its id is taken down when acknowledged. */
static enum status say(struct person *person)
{
    struct json *reply = NULL;
    arena_reset(person->arena);
    char *d = arena_printf(person->arena, "{\"text\":\"%d\",\"nonce\":\"n%d\"}", person->next,
                           person->next);
    enum status status = d ? command(person, "chat.send", d, &reply) : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    const struct json *result = json_get_object(json_get_object(reply, "d"), "result");
    const char *id = json_get_text(json_get_object(result, "message"), "id");
    if (id) {
        person->ids[person->next++] = strtoll(id, NULL, 10);
        atomic_fetch_add(&person->soak->acks, 1);
    } else {
        atomic_fetch_add(&person->soak->resends, 1);
    }
    json_free(reply);
    sleep_ms(id ? PACE_MS : AGAIN_MS);
    return person->next < MESSAGES_MAX ? STATUS_OK : STATUS_LIMIT;
}

static void *person_main(void *arg)
{
    struct person *person = arg;
    while (come_in(person)) {
        while (!atomic_load(&person->soak->over) && say(person) == STATUS_OK)
            continue;
        person->client = ws_client_close(person->client);
    }
    return NULL;
}

/* ---- the server's lives ---- */

static void server_up(struct soak *soak)
{
    atomic_fetch_add(&soak->life, 1);
    if (server_process_start(&soak->server) != STATUS_OK)
        die(soak, "the server does not start", NULL);
}

/* How long until everybody was let in by the server's present life. */
static uint64_t everybody_ready(struct soak *soak)
{
    uint64_t start = now_ms();
    for (int i = 0; i < soak->people_count; i++) {
        while (atomic_load(&soak->ready[i]) != atomic_load(&soak->life)) {
            if (now_ms() - start > BACK_MS_MAX)
                die(soak, "not back in time", soak->people[i].name);
            sleep_ms(1);
        }
    }
    return now_ms() - start;
}

static void busy_for(struct soak *soak, long acks)
{
    uint64_t start = now_ms();
    long until = atomic_load(&soak->acks) + acks;
    while (atomic_load(&soak->acks) < until) {
        if (now_ms() - start > READ_MS)
            die(soak, "no message is acknowledged any more", NULL);
        sleep_ms(1);
    }
}

static void lives(struct soak *soak, int kills)
{
    struct rng rng;
    uint64_t worst = 0;
    rng_seed(&rng, 9);
    for (int i = 0; i < kills; i++) {
        busy_for(soak, 1 + rng_below(&rng, BUSY_MAX));
        server_process_stop(&soak->server, SIGKILL);
        uint64_t dead = now_ms();
        server_up(soak);
        everybody_ready(soak);
        uint64_t back = now_ms() - dead;
        worst = back > worst ? back : worst;
    }
    busy_for(soak, BUSY_MAX);
    printf("%d kills, everybody back after at most %llu ms\n", kills, (unsigned long long)worst);
}

/* ---- the end ---- */

/* Messages of each person seen so far, from the newest backwards. */
struct tally {
    int below[PEOPLE_MAX]; /* number of the last one seen; MESSAGES_MAX: none yet */
    long acknowledged;
};

static void message_check(struct soak *soak, const struct chat_message *message,
                          struct tally *tally)
{
    int index = -1;
    for (int i = 0; i < soak->people_count; i++)
        if (strcmp(soak->people[i].name, message->author_name) == 0)
            index = i;
    if (index < 0)
        die(soak, "a message of nobody", message->author_name);
    int number = (int)strtol(message->text, NULL, 10);
    int below = tally->below[index];
    if (below != MESSAGES_MAX && number != below - 1)
        die(soak, "a message is there twice, is missing, or out of order", message->text);
    tally->below[index] = number;
    int64_t id = soak->people[index].ids[number];
    if (id != 0 && id != strtoll(message->id, NULL, 10))
        die(soak, "a message has another id than was acknowledged", message->text);
    tally->acknowledged += id != 0;
}

/* One page of the chat before `before`, into the person's arena. */
static void page_fetch(struct person *reader, const char *before, struct chat_page *ret_page)
{
    struct json *reply = NULL;
    struct json_error error = {""};
    char *d = before[0] ? arena_printf(reader->arena, "{\"before\":\"%s\",\"limit\":100}", before)
                        : arena_strdup(reader->arena, "{\"limit\":100}");
    enum status status = d ? command(reader, "chat.history", d, &reply) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status =
            json_decode(&chat_page_table, json_get_object(json_get_object(reply, "d"), "result"),
                        reader->arena, ret_page, &error);
    json_free(reply);
    if (status != STATUS_OK)
        die(reader->soak, "the history cannot be read", error.text);
}

static void chat_check(struct soak *soak)
{
    struct person *reader = &soak->people[0];
    struct tally tally = {0};
    struct chat_page page = {.more = true};
    char before[24] = "";
    atomic_store(&soak->over, false);
    if (!come_in(reader))
        die(soak, "nobody can read", NULL);
    for (int i = 0; i < soak->people_count; i++)
        tally.below[i] = MESSAGES_MAX;
    while (page.more) {
        arena_reset(reader->arena);
        page_fetch(reader, before, &page);
        const struct chat_message *messages = page.messages.items;
        for (size_t i = page.messages.count; i-- > 0;)
            message_check(soak, &messages[i], &tally);
        if (page.messages.count > 0)
            snprintf(before, sizeof before, "%s", messages[0].id);
    }
    reader->client = ws_client_close(reader->client);
    for (int i = 0; i < soak->people_count; i++)
        if (tally.below[i] != 0)
            die(soak, "the first messages are missing", soak->people[i].name);
    if (tally.acknowledged != atomic_load(&soak->acks))
        die(soak, "an acknowledged message is missing", NULL);
    printf("%ld acknowledged messages of %d people are there once (%ld refused as too fast)\n",
           tally.acknowledged, soak->people_count, atomic_load(&soak->resends));
}

static void server_down(struct soak *soak)
{
    uint64_t start = now_ms();
    int how = server_process_stop(&soak->server, SIGTERM);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        die(soak, "SIGTERM does not end it with 0", NULL);
    if (now_ms() - start > STOP_MS_MAX)
        die(soak, "SIGTERM takes too long", NULL);
}

static void people_start(struct soak *soak)
{
    for (int i = 0; i < soak->people_count; i++) {
        struct person *person = &soak->people[i];
        *person = (struct person){.soak = soak, .index = i};
        snprintf(person->name, sizeof person->name, "person %d", i);
        person->ids = calloc(MESSAGES_MAX, sizeof person->ids[0]);
        if (!person->ids || arena_new(ARENA_BYTES, &person->arena) != STATUS_OK ||
            pthread_create(&person->thread, NULL, person_main, person) != 0)
            die(soak, "no memory", NULL);
    }
}

static int number_of(int argc, char **argv, int index, int fallback, int max)
{
    long value = argc > index ? strtol(argv[index], NULL, 10) : fallback;
    return value < 1 ? 1 : value > max ? max : (int)value;
}

int main(int argc, char **argv)
{
    static struct soak soak;
    char folder[SCRATCH_PATH_MAX];
    if (argc < 2) {
        fputs("usage: soak_chat PARLEY [KILLS] [PEOPLE]\n", stderr);
        return 2;
    }
    scratch_make(folder);
    soak.server = (struct server_process){.program = argv[1], .folder = folder};
    soak.people_count = number_of(argc, argv, 3, PEOPLE, PEOPLE_MAX);
    server_up(&soak);
    soak.port = soak.server.port;
    people_start(&soak);
    everybody_ready(&soak);
    lives(&soak, number_of(argc, argv, 2, KILLS, 10000));
    atomic_store(&soak.over, true);
    for (int i = 0; i < soak.people_count; i++)
        pthread_join(soak.people[i].thread, NULL);
    server_down(&soak);
    server_up(&soak);
    chat_check(&soak);
    server_down(&soak);
    for (int i = 0; i < soak.people_count; i++) {
        arena_free(soak.people[i].arena);
        free(soak.people[i].ids);
    }
    scratch_remove(folder);
    return EXIT_SUCCESS;
}
