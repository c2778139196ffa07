/*
 * search_bench FOLDER [MESSAGES] - a space of that many messages (1,000,000), written through the
 * writer, English and Chinese from a seeded generator; then what searches in it take. One JSON
 * object on standard output.
 *
 * Words come as in languages: the k-th most common one with a chance of 1/k (Zipf).
 */
#include "core/clock.h"
#include "modules/search/search.h"
#include "modules/spaces/indexing.h"
#include "modules/spaces/spaces.h"
#include "storage/vault/vault.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    VOCABULARY = 60000,
    CHARACTERS = 3500,
    BATCH = 200, /* messages a transaction */
    QUERIES = 200,
    TEXT_MAX = 1024,
    ARENA_BYTES = 64 << 20,
};

struct bench {
    struct db *db;
    uint64_t seed;
    char words[VOCABULARY][16];
    const char *space, *account;
    int64_t messages, written;
    double text_bytes, index_ms, fold_ms_max; /* of CPU */
};

static void must(enum status status, const char *what)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "search_bench: %s: %s\n", what, status_text(status));
    exit(1);
}

/* Of this thread: what others do on the machine is not in it. */
static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- the generator ---- */

static uint32_t next(struct bench *bench)
{
    bench->seed = bench->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(bench->seed >> 33);
}

/* 0 the most often. */
static size_t zipf(struct bench *bench, size_t count)
{
    double u = next(bench) / 2147483648.0;
    size_t rank = (size_t)pow((double)count + 1.0, u) - 1;
    return rank < count ? rank : count - 1;
}

static void words_make(struct bench *bench)
{
    static const char *const syllables[] = {"ba", "ter", "con", "li",  "mo",  "ran", "ex", "tion",
                                            "de", "re",  "pro", "sta", "ing", "ver", "ob", "um",
                                            "ka", "no",  "fi",  "gra", "in",  "er",  "us", "plo"};
    enum { SYLLABLES = sizeof syllables / sizeof syllables[0] };
    for (size_t i = 0; i < VOCABULARY; i++) {
        size_t left = i, used = 0;
        do {
            used += (size_t)snprintf(bench->words[i] + used, sizeof bench->words[i] - used, "%s",
                                     syllables[left % SYLLABLES]);
            left /= SYLLABLES;
        } while (left > 0);
    }
}

static size_t character(char *to, size_t rank)
{
    uint32_t point = 0x4e00 + (uint32_t)(rank * 5 % 20000);
    to[0] = (char)(0xe0 | point >> 12);
    to[1] = (char)(0x80 | (point >> 6 & 0x3f));
    to[2] = (char)(0x80 | (point & 0x3f));
    return 3;
}

/* Three in ten are Chinese. */
static void text_make(struct bench *bench, char ret_text[TEXT_MAX])
{
    size_t used = 0;
    bool chinese = next(bench) % 10 < 3;
    size_t count = chinese ? 6 + next(bench) % 30 : 4 + next(bench) % 16;
    for (size_t i = 0; i < count; i++) {
        if (chinese)
            used += character(ret_text + used, zipf(bench, CHARACTERS));
        else
            used += (size_t)snprintf(ret_text + used, TEXT_MAX - used, "%s%s", i > 0 ? " " : "",
                                     bench->words[zipf(bench, VOCABULARY)]);
    }
    ret_text[used] = '\0';
}

/* ---- writing ---- */

static enum status message_write(struct db_session *session, struct bench *bench, const char *text)
{
    char nonce[24];
    snprintf(nonce, sizeof nonce, "n%" PRId64, bench->written);
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_message (space, author, nonce, created)"
                            " VALUES ($1, $2, $3, $4) RETURNING id");
    db_bind_text(insert, 1, bench->space);
    db_bind_text(insert, 2, bench->account);
    db_bind_text(insert, 3, nonce);
    db_bind_int(insert, 4, bench->written * 1000);
    enum status status = db_step(insert);
    if (status != STATUS_OK)
        return status;
    int64_t id = db_column_int(insert, 0);
    const struct vault_place place = {
        .space = bench->space, .table = "space_message", .column = "text", .id = id};
    struct db_statement *update =
        db_prepare(session, "UPDATE space_message SET text = $2 WHERE id = $1");
    db_bind_int(update, 1, id);
    status = vault_bind(db_session_vault(session), &place, update, 2, text);
    if (status == STATUS_OK)
        status = db_run(update);
    const struct indexing_message indexed = {bench->space, id, bench->account, false};
    double start = cpu_ms();
    if (status == STATUS_OK)
        status = indexing_message(session, &indexed, NULL, text);
    double ms = cpu_ms() - start;
    bench->index_ms += ms;
    if (ms > bench->fold_ms_max)
        bench->fold_ms_max = ms;
    return status;
}

static enum status batch_write(struct db_session *session, void *arg)
{
    struct bench *bench = arg;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < BATCH; i++) {
        char text[TEXT_MAX];
        text_make(bench, text);
        bench->text_bytes += (double)strlen(text);
        status = message_write(session, bench, text);
        bench->written++;
    }
    return status;
}

static enum status account_write(struct db_session *session, void *arg)
{
    (void)arg;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO account (id, email, email_hash, name, language, admin,"
                            " password, created) VALUES ('ada', $1, $1, $2, '', 0, '', 1)");
    const struct vault_place name = {.table = "account", .column = "name", .row = "ada"};
    const struct vault_place email = {.table = "account", .column = "email", .row = "ada"};
    enum status status =
        vault_bind(db_session_vault(session), &email, insert, 1, "ada@example.org");
    if (status == STATUS_OK)
        status = vault_bind(db_session_vault(session), &name, insert, 2, "Ada");
    return status == STATUS_OK ? db_run(insert) : status;
}

struct sum {
    const char *sql;
    int64_t bytes;
};

static enum status sum_read(struct db_session *session, void *arg)
{
    struct sum *sum = arg;
    struct db_statement *select = db_prepare(session, sum->sql);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        sum->bytes = db_column_int(select, 0);
    return status;
}

static int64_t sum_of(struct bench *bench, const char *sql)
{
    struct sum sum = {.sql = sql};
    must(db_read(bench->db, sum_read, &sum), "sum");
    return sum.bytes;
}

/* ---- searching ---- */

static int order(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

typedef void query_make(struct bench *bench, char *ret_query);

static void measure(struct bench *bench, const char *name, query_make *make)
{
    double ms[QUERIES], cpu[QUERIES], hits = 0;
    struct arena *arena = NULL;
    must(arena_new(ARENA_BYTES, &arena), "arena");
    for (int i = 0; i < QUERIES; i++) {
        char text[TEXT_MAX];
        struct search_page page;
        make(bench, text);
        arena_reset(arena);
        const struct search_wish wish = {
            .account = bench->account, .text = text, .kind = "message"};
        double cpu_start = cpu_ms();
        uint64_t start = clock_mono_ns();
        must(search_run(bench->db, &wish, arena, &page), text);
        ms[i] = (double)(clock_mono_ns() - start) / 1e6;
        cpu[i] = cpu_ms() - cpu_start;
        hits += (double)page.items.count;
    }
    arena_free(arena);
    qsort(ms, QUERIES, sizeof ms[0], order);
    qsort(cpu, QUERIES, sizeof cpu[0], order);
    printf(",\n\"%s\":{\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"cpu_p50_ms\":%.2f,\"cpu_p99_ms\":%.2f,"
           "\"hits\":%.1f}",
           name, ms[QUERIES / 2], ms[QUERIES * 99 / 100], cpu[QUERIES / 2], cpu[QUERIES * 99 / 100],
           hits / QUERIES);
    fflush(stdout);
}

static void rare_word(struct bench *bench, char *ret_query)
{
    strcpy(ret_query, bench->words[VOCABULARY / 2 + next(bench) % (VOCABULARY / 2)]);
}

static void common_word(struct bench *bench, char *ret_query)
{
    strcpy(ret_query, bench->words[next(bench) % 50]);
}

static void two_words(struct bench *bench, char *ret_query)
{
    snprintf(ret_query, TEXT_MAX, "%s %s", bench->words[zipf(bench, VOCABULARY)],
             bench->words[zipf(bench, VOCABULARY)]);
}

static void two_common(struct bench *bench, char *ret_query)
{
    snprintf(ret_query, TEXT_MAX, "%s %s", bench->words[next(bench) % 50],
             bench->words[next(bench) % 50]);
}

static void phrase(struct bench *bench, char *ret_query)
{
    snprintf(ret_query, TEXT_MAX, "\"%s %s\"", bench->words[zipf(bench, VOCABULARY / 10)],
             bench->words[zipf(bench, VOCABULARY / 10)]);
}

static void prefix(struct bench *bench, char *ret_query)
{
    const char *word = bench->words[zipf(bench, VOCABULARY)];
    size_t length = 2 + next(bench) % 4;
    snprintf(ret_query, TEXT_MAX, "%.*s*", (int)length, word);
}

static void chinese(struct bench *bench, char *ret_query)
{
    size_t used = 0;
    for (size_t i = 2 + next(bench) % 2; i > 0; i--)
        used += character(ret_query + used, zipf(bench, CHARACTERS));
    ret_query[used] = '\0';
}

int main(int argc, char **argv)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct arena *arena = NULL;
    struct spaces_space space;
    if (bench == NULL || argc < 2) {
        fputs("usage: search_bench FOLDER [MESSAGES] (FOLDER is empty)\n", stderr);
        return 2;
    }
    bench->messages = argc > 2 ? strtoll(argv[2], NULL, 10) : 1000000;
    bench->seed = 20260101;
    bench->account = "ada";
    words_make(bench);
    const struct db_config config = {.directory = argv[1], .readers = 2};
    must(db_open(&config, &bench->db), "db_open");
    must(arena_new(ARENA_BYTES, &arena), "arena");
    must(db_write(bench->db, account_write, NULL), "account");
    const struct spaces_new wish = {.account = "ada", .name = "Lake"};
    must(spaces_create(bench->db, &wish, 1, arena, &space), "space");
    bench->space = space.id;
    uint64_t start = clock_mono_ns();
    while (bench->written < bench->messages)
        must(db_write(bench->db, batch_write, bench), "write");
    double seconds = (double)(clock_mono_ns() - start) / 1e9;
    double count = (double)bench->written;
    printf("{\"messages\":%.0f,\"written_per_s\":%.0f,\"text_bytes\":%.0f,\"index_cpu_us_per_"
           "message\":%.0f,\"longest_fold_cpu_ms\":%.1f,"
           "\"index_bytes_per_message\":%.1f",
           count, count / seconds, bench->text_bytes / count, bench->index_ms * 1000 / count,
           bench->fold_ms_max,
           (double)(sum_of(bench, "SELECT sum(length(postings) + 24) FROM search_block") +
                    sum_of(bench, "SELECT sum(length(terms)) FROM search_fresh")) /
               count);
    measure(bench, "rare_word", rare_word);
    measure(bench, "common_word", common_word);
    measure(bench, "two_words", two_words);
    measure(bench, "two_common_words", two_common);
    measure(bench, "phrase", phrase);
    measure(bench, "prefix", prefix);
    measure(bench, "chinese", chinese);
    printf("}\n");
    arena_free(arena);
    db_close(bench->db);
    free(bench);
    return 0;
}
