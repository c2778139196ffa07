/*
 * storage_bench FOLDER - what the storage does on this disk: acknowledged chat messages a second
 * with 1, 16 and 64 writers (sealed, synchronous=FULL, group commit), and 1 GiB through an object,
 * in and out, with the memory it took. One JSON object on standard output.
 */
#include "core/clock.h"
#include "modules/chat/chat.h"
#include "modules/meetings/registry.h"
#include "storage/objects/objects.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITERS_MAX = 64, SECONDS = 4, PIECE = 1 << 20, ARENA_BYTES = 1 << 20 };
#define CONTENT (INT64_C(1) << 30)

struct bench {
    struct db *db;
    char author[CRYPTO_ID_CHARS + 1];
    uint64_t until_ns;
    atomic_int next, acknowledged;
};

static void must(enum status status, const char *what)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "storage_bench: %s: %s\n", what, status_text(status));
    exit(1);
}

/* ---- messages ---- */

static void *writer_main(void *arg)
{
    struct bench *bench = arg;
    struct arena *arena = NULL;
    must(arena_new(ARENA_BYTES, &arena), "arena");
    while (clock_mono_ns() < bench->until_ns) {
        char nonce[24];
        struct chat_message message;
        bool changed;
        snprintf(nonce, sizeof nonce, "n%d", atomic_fetch_add(&bench->next, 1));
        struct chat_post post = {.meeting = "bench",
                                 .author = bench->author,
                                 .author_name = "Ada",
                                 .nonce = nonce,
                                 .text = "A message as long as people write them, on the whole."};
        arena_reset(arena);
        must(chat_send(bench->db, &post, clock_wall_ms(), arena, &message, &changed), "chat_send");
        atomic_fetch_add(&bench->acknowledged, 1);
    }
    arena_free(arena);
    return NULL;
}

static double messages_measure(struct bench *bench, int writers)
{
    pthread_t threads[WRITERS_MAX];
    uint64_t start = clock_mono_ns();
    atomic_store(&bench->acknowledged, 0);
    bench->until_ns = start + (uint64_t)SECONDS * 1000 * CLOCK_NS_PER_MS;
    for (int i = 0; i < writers; i++)
        if (pthread_create(&threads[i], NULL, writer_main, bench) != 0)
            must(STATUS_NO_MEMORY, "thread");
    for (int i = 0; i < writers; i++)
        pthread_join(threads[i], NULL);
    return atomic_load(&bench->acknowledged) / ((double)(clock_mono_ns() - start) / 1e9);
}

static void meeting_make(struct bench *bench)
{
    struct registry_meeting_created meeting;
    struct registry_participant_created person;
    const struct registry_meeting_new wish = {.id = "bench"};
    must(registry_create(bench->db, &wish, 1, &meeting), "meeting");
    const struct registry_participant_spec spec = {
        .meeting = "bench", .name = "Ada", .host_token = meeting.token};
    must(registry_participant_new(bench->db, &spec, 1, &person), "participant");
    memcpy(bench->author, person.id, sizeof person.id);
}

/* ---- an object ---- */

static enum status adopt_run(struct db_session *session, void *arg)
{
    return object_adopt(session, arg, 1);
}

static double megabytes_a_second(uint64_t start_ns)
{
    return (double)CONTENT / 1e6 / ((double)(clock_mono_ns() - start_ns) / 1e9);
}

static double object_write(struct bench *bench, struct objects *objects, uint8_t *piece,
                           char id[CRYPTO_ID_CHARS + 1])
{
    struct upload *upload = NULL;
    const struct upload_spec spec = {.owner = "ada", .length = CONTENT};
    uint64_t start = clock_mono_ns();
    must(upload_new(objects, &spec, 1, id), "upload_new");
    must(upload_open(objects, id, "ada", &upload), "upload_open");
    for (int64_t at = 0; at < CONTENT; at += PIECE)
        must(upload_append(upload, at, piece, PIECE), "upload_append");
    must(upload_finish(upload), "upload_finish");
    must(db_write(bench->db, adopt_run, upload), "object_adopt");
    upload_close(upload);
    return megabytes_a_second(start);
}

static double object_read_all(struct objects *objects, uint8_t *piece, const char *id)
{
    struct object *object = NULL;
    size_t got = 1;
    uint64_t start = clock_mono_ns();
    must(object_open(objects, id, &object), "object_open");
    for (int64_t at = 0; got > 0; at += (int64_t)got)
        must(object_read(object, at, piece, PIECE, &got), "object_read");
    object_close(object);
    return megabytes_a_second(start);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
    static const int writers[] = {1, 16, 64};
    struct bench bench = {0};
    struct objects *objects = NULL;
    char id[CRYPTO_ID_CHARS + 1];
    if (argc != 2) {
        fputs("usage: storage_bench FOLDER (which is empty)\n", stderr);
        return 2;
    }
    const struct db_config config = {.directory = argv[1], .readers = 4};
    must(db_open(&config, &bench.db), "db_open");
    must(objects_open(bench.db, argv[1], &objects), "objects_open");
    meeting_make(&bench);
    printf("{");
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
        printf("\"messages_per_s_%d\":%.0f,", writers[i], messages_measure(&bench, writers[i]));
    uint8_t *piece = malloc(PIECE);
    if (!piece)
        must(STATUS_NO_MEMORY, "piece");
    crypto_random(piece, PIECE);
    long before = resident_kib();
    double in = object_write(&bench, objects, piece, id);
    double out = object_read_all(objects, piece, id);
    printf("\"object_in_mb_per_s\":%.0f,\"object_out_mb_per_s\":%.0f,\"object_memory_kib\":%ld}\n",
           in, out, resident_kib() - before);
    free(piece);
    objects_close(objects);
    db_close(bench.db);
    return 0;
}
