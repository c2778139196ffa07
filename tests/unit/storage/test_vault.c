/*
 * Keys and sealed values: what was changed, cut, or moved does not open; what was destroyed stays
 * so, also in an older copy.
 */
#include "core/rng.h"
#include "storage/event.h"
#include "storage/vault/vault_state.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct vault_place here = {.table = "message", .column = "text", .id = 42};
static const char secret_text[] = "the plan is 上海";

enum { SECRET = sizeof secret_text - 1, SEALED = SECRET + VAULT_OVERHEAD };

static void seal(struct vault *vault, const struct vault_place *place, uint8_t ret_sealed[SEALED])
{
    assert_int_equal(vault_seal(vault, place, secret_text, SECRET, ret_sealed), STATUS_OK);
}

static enum status unseal(struct vault *vault, const struct vault_place *place,
                          const uint8_t *sealed, size_t length)
{
    char text[SEALED] = "";
    enum status status = vault_unseal(vault, place, sealed, length, text);
    if (status == STATUS_OK)
        assert_memory_equal(text, secret_text, SECRET);
    else
        for (size_t i = 0; i < sizeof text; i++)
            assert_int_equal(text[i], 0);
    return status;
}

/* ---- sealing ---- */

/* Made with Python's hmac and hashlib and pyca/cryptography's AESGCM, from the text of sealing.h.
 */
static void test_sealing_vector(void **state)
{
    (void)state;
    static const char place[] = "\x05space\x07message\x04text\x02"
                                "42";
    static const char plain[] = "hello 上海";
    static const char expected[] =
        "0101020304d06f6da8fbe672a9fee8c89f2b8b75b647c3e5b18e7955632f2ef2bec63b15a49bcfcc970e971b"
        "7ab19bbe6d36960f6057985f44";
    uint8_t secret[CRYPTO_KEY_BYTES], random[CRYPTO_KEY_BYTES];
    uint8_t sealed[sizeof plain - 1 + SEALING_OVERHEAD];
    char hex[sizeof sealed * 2 + 1];
    struct sealing_keys keys;
    for (uint8_t i = 0; i < CRYPTO_KEY_BYTES; i++) {
        secret[i] = i;
        random[i] = (uint8_t)(100 + i);
    }
    sealing_keys_make(secret, 0x01020304, &keys);
    sealing_seal(&keys, random, (const uint8_t *)place, sizeof place - 1, plain, sizeof plain - 1,
                 sealed);
    crypto_hex(sealed, sizeof sealed, hex);
    assert_string_equal(hex, expected);
}

static void test_changed_bytes_do_not_open(void **state)
{
    struct vault *vault = db_vault(*state);
    uint8_t sealed[SEALED], again[SEALED];
    seal(vault, &here, sealed);
    seal(vault, &here, again);
    assert_memory_not_equal(sealed, again, SEALED);
    assert_int_equal(unseal(vault, &here, sealed, SEALED), STATUS_OK);
    for (size_t bit = 0; bit < (size_t)SEALED * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(unseal(vault, &here, sealed, SEALED), STATUS_CORRUPT);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t length = 0; length < SEALED; length++)
        assert_int_equal(unseal(vault, &here, sealed, length), STATUS_CORRUPT);
    /* The head of one and the rest of the other. */
    memcpy(again, sealed, SEALING_HEAD);
    assert_int_equal(unseal(vault, &here, again, SEALED), STATUS_CORRUPT);
}

static void test_moved_values_do_not_open(void **state)
{
    struct db *db = *state;
    struct vault *vault = db_vault(db);
    uint8_t sealed[SEALED];
    assert_int_equal(vault_space_new(vault, db, "red"), STATUS_OK);
    assert_int_equal(vault_space_new(vault, db, "blue"), STATUS_OK);
    const struct vault_place red = {.space = "red", .table = "t", .column = "c", .row = "r"};
    const struct vault_place others[] = {
        {.space = "blue", .table = "t", .column = "c", .row = "r"},
        {.table = "t", .column = "c", .row = "r"},
        {.space = "red", .table = "u", .column = "c", .row = "r"},
        {.space = "red", .table = "t", .column = "d", .row = "r"},
        {.space = "red", .table = "t", .column = "c", .row = "s"},
        {.space = "red", .table = "t", .column = "c", .row = ""},
        {.space = "red", .table = "tc", .column = "", .row = "r"},
        {.space = "red", .table = "t", .column = "c", .id = 0},
    };
    seal(vault, &red, sealed);
    assert_int_equal(unseal(vault, &red, sealed, SEALED), STATUS_OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(unseal(vault, &others[i], sealed, SEALED), STATUS_CORRUPT);
}

static void test_lengths(void **state)
{
    struct vault *vault = db_vault(*state);
    static char text[5000], back[sizeof text];
    static uint8_t sealed[sizeof text + VAULT_OVERHEAD];
    memset(text, 'x', sizeof text);
    for (size_t length = 0; length <= sizeof text; length += length < 70 ? 1 : 493) {
        assert_int_equal(vault_seal(vault, &here, text, length, sealed), STATUS_OK);
        assert_int_equal(vault_unseal(vault, &here, sealed, length + VAULT_OVERHEAD, back),
                         STATUS_OK);
        assert_memory_equal(back, text, length);
    }
    memset(text, 'x', sizeof text);
    text[VAULT_ROW_MAX + 1] = '\0';
    const struct vault_place too_long = {.table = "t", .column = "c", .row = text};
    assert_int_equal(vault_seal(vault, &too_long, "", 0, sealed), STATUS_INVALID);
    assert_int_equal(vault_unseal(vault, &too_long, sealed, SEALED, back), STATUS_INVALID);
    const struct vault_place nowhere = {.space = "none", .table = "t", .column = "c"};
    assert_int_equal(vault_seal(vault, &nowhere, "", 0, sealed), STATUS_CLOSED);
}

struct columns {
    struct arena *arena;
    const char *text, *none;
};

static enum status columns_run(struct db_session *session, void *arg)
{
    struct columns *columns = arg;
    struct vault *vault = db_session_vault(session);
    struct db_statement *row = db_prepare(session, "SELECT $1, $2");
    assert_int_equal(vault_bind(vault, &here, row, 1, secret_text), STATUS_OK);
    assert_int_equal(vault_bind(vault, &here, row, 2, NULL), STATUS_OK);
    assert_int_equal(db_step(row), STATUS_OK);
    assert_int_equal(vault_column(vault, &here, row, 0, columns->arena, &columns->text), STATUS_OK);
    assert_int_equal(vault_column(vault, &here, row, 1, columns->arena, &columns->none), STATUS_OK);
    return STATUS_OK;
}

static void test_columns(void **state)
{
    struct columns columns = {.none = ""};
    assert_int_equal(arena_new(65536, &columns.arena), STATUS_OK);
    assert_int_equal(db_read(*state, columns_run, &columns), STATUS_OK);
    assert_string_equal(columns.text, secret_text);
    assert_null(columns.none);
    arena_free(columns.arena);
}

static void hash(struct vault *vault, const char *space, const char *purpose, const char *text,
                 uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    assert_int_equal(vault_hash(vault, space, purpose, text, strlen(text), ret_hash), STATUS_OK);
}

static void test_hashes(void **state)
{
    struct db *db = *state;
    struct vault *vault = db_vault(db);
    uint8_t hashes[5][CRYPTO_SHA256_BYTES], again[CRYPTO_SHA256_BYTES];
    assert_int_equal(vault_space_new(vault, db, "hashes"), STATUS_OK);
    hash(vault, NULL, "email", "ada@example.org", hashes[0]);
    hash(vault, NULL, "email", "bob@example.org", hashes[1]);
    hash(vault, NULL, "phone", "ada@example.org", hashes[2]);
    hash(vault, "hashes", "email", "ada@example.org", hashes[3]);
    crypto_sha256("ada@example.org", 15, hashes[4]);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(hashes[i], hashes[j], CRYPTO_SHA256_BYTES);
    hash(vault, NULL, "email", "ada@example.org", again);
    assert_memory_equal(again, hashes[0], CRYPTO_SHA256_BYTES);
}

/* ---- keys ---- */

static enum status open_with(const char *path, const char *command, const char **ret_reason,
                             struct db **ret_db)
{
    struct db_config config = {
        .directory = path, .readers = 1, .key_command = command, .ret_reason = ret_reason};
    return db_open(&config, ret_db);
}

static void refused(const char *path, const char *command, enum status expected, const char *word)
{
    struct db *db = NULL;
    const char *reason = NULL;
    assert_int_equal(open_with(path, command, &reason, &db), expected);
    assert_null(db);
    assert_non_null(reason);
    assert_non_null(strstr(reason, word));
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void test_root_key_file(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX], root[SCRATCH_PATH_MAX + 32], away[SCRATCH_PATH_MAX + 32];
    uint8_t sealed[SEALED], before[CRYPTO_SHA256_BYTES], after[CRYPTO_SHA256_BYTES];
    struct stat info;
    scratch_make(path);
    snprintf(root, sizeof root, "%s/keys/root.key", path);
    snprintf(away, sizeof away, "%s/away", path);
    struct db *db = scratch_db(path, 1);
    seal(db_vault(db), &here, sealed);
    hash(db_vault(db), NULL, "p", "x", before);
    db_close(db);
    assert_int_equal(stat(root, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);

    db = scratch_db(path, 1);
    assert_int_equal(unseal(db_vault(db), &here, sealed, SEALED), STATUS_OK);
    hash(db_vault(db), NULL, "p", "x", after);
    assert_memory_equal(before, after, sizeof before);
    db_close(db);

    assert_int_equal(chmod(root, 0640), 0);
    refused(path, NULL, STATUS_DENIED, "others");
    assert_int_equal(rename(root, away), 0);
    refused(path, NULL, STATUS_NOT_FOUND, "root.key");
    assert_int_not_equal(access(root, F_OK), 0); /* not made anew beside what it cannot open */
    file_write(root, "00");
    refused(path, NULL, STATUS_CORRUPT, "no key");
    file_write(root, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
    refused(path, NULL, STATUS_DENIED, "not the one");

    assert_int_equal(chmod(away, 0600), 0);
    assert_int_equal(rename(away, root), 0);
    assert_int_equal(rename(scratch_file(path, "keys/keyring"), away), 0);
    refused(path, NULL, STATUS_DENIED, "keyring");
    assert_int_equal(rename(away, scratch_file(path, "keys/keyring")), 0);
    db = scratch_db(path, 1);
    assert_int_equal(unseal(db_vault(db), &here, sealed, SEALED), STATUS_OK);
    db_close(db);
    scratch_remove(path);
}

static void test_root_key_command(void **state)
{
    (void)state;
    static const char good[] =
        "echo 000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f";
    char path[SCRATCH_PATH_MAX];
    uint8_t sealed[SEALED];
    struct db *db = NULL;
    scratch_make(path);
    refused(path, "echo 0001", STATUS_CORRUPT, "64");
    refused(path, "yes", STATUS_CORRUPT, "64");
    refused(path, "exit 3", STATUS_IO, "failed");
    assert_int_equal(open_with(path, good, NULL, &db), STATUS_OK);
    seal(db_vault(db), &here, sealed);
    db = db_close(db);
    assert_int_not_equal(access(scratch_file(path, "keys/root.key"), F_OK), 0);
    assert_int_equal(open_with(path, good, NULL, &db), STATUS_OK);
    assert_int_equal(unseal(db_vault(db), &here, sealed, SEALED), STATUS_OK);
    db_close(db);
    refused(path, "echo ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            STATUS_DENIED, "not the one");
    scratch_remove(path);
}

/* ---- destroying ---- */

static enum status doom_run(struct db_session *session, void *arg)
{
    return vault_space_doom(session, arg);
}

/* The database as a backup has it: without keys/. */
static void backup(const char *path, const char *into)
{
    char command[3 * SCRATCH_PATH_MAX];
    snprintf(command, sizeof command, "cp %s/parley.db* %s/", path, into);
    assert_int_equal(system(command), 0);
}

static void test_destroyed_space_is_unreadable_in_an_older_copy(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX], older[SCRATCH_PATH_MAX], space[] = "gone";
    const struct vault_place gone = {.space = space, .table = "t", .column = "c"};
    const struct vault_place kept = {.space = "kept", .table = "t", .column = "c"};
    uint8_t of_gone[SEALED], of_kept[SEALED];
    scratch_make(path);
    scratch_make(older);
    struct db *db = scratch_db(path, 1);
    struct vault *vault = db_vault(db);
    assert_int_equal(vault_space_new(vault, db, "gone"), STATUS_OK);
    assert_int_equal(vault_space_new(vault, db, "gone"), STATUS_OK);
    assert_int_equal(vault_space_new(vault, db, "kept"), STATUS_OK);
    assert_int_equal(vault_space_new(vault, db, ""), STATUS_INVALID);
    seal(vault, &gone, of_gone);
    seal(vault, &kept, of_kept);
    backup(path, older);
    assert_int_equal(db_write(db, doom_run, space), STATUS_OK);
    assert_int_equal(vault_space_new(vault, db, "gone"), STATUS_CLOSED);
    assert_int_equal(vault_reap(vault, db), STATUS_OK);
    assert_int_equal(unseal(vault, &gone, of_gone, SEALED), STATUS_CLOSED);
    assert_int_equal(unseal(vault, &kept, of_kept, SEALED), STATUS_OK);
    db_close(db);
    /* The older copy comes back; the keys are those of today. */
    backup(older, path);
    db = scratch_db(path, 1);
    vault = db_vault(db);
    assert_int_equal(scratch_count(db, "SELECT count(*) FROM vault_key WHERE scope = 'gone'"), 1);
    assert_int_equal(unseal(vault, &gone, of_gone, SEALED), STATUS_CLOSED);
    assert_int_equal(vault_space_new(vault, db, "gone"), STATUS_CLOSED);
    assert_int_equal(unseal(vault, &kept, of_kept, SEALED), STATUS_OK);
    db_close(db);
    scratch_remove(older);
    scratch_remove(path);
}

static void test_doom_is_finished_at_the_next_start(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX], space[] = "gone";
    const struct vault_place gone = {.space = space, .table = "t", .column = "c"};
    uint8_t sealed[SEALED], half[CRYPTO_KEY_BYTES];
    scratch_make(path);
    struct db *db = scratch_db(path, 1);
    assert_int_equal(vault_space_new(db_vault(db), db, space), STATUS_OK);
    seal(db_vault(db), &gone, sealed);
    assert_int_equal(db_write(db, doom_run, space), STATUS_OK);
    assert_int_equal(unseal(db_vault(db), &gone, sealed, SEALED), STATUS_OK);
    db_close(db); /* as a crash would, before vault_reap */
    db = scratch_db(path, 1);
    assert_int_equal(unseal(db_vault(db), &gone, sealed, SEALED), STATUS_CLOSED);
    assert_int_equal(scratch_count(db, "SELECT count(*) FROM vault_doomed WHERE scope = 'gone'"),
                     0);
    assert_int_equal(keyring_get(db_vault(db)->keyring, space, half), STATUS_NOT_FOUND);
    /* The id may be used again, with a key of its own. */
    assert_int_equal(vault_space_new(db_vault(db), db, space), STATUS_OK);
    assert_int_equal(unseal(db_vault(db), &gone, sealed, SEALED), STATUS_CORRUPT);
    assert_int_equal(vault_reap(db_vault(db), db), STATUS_OK);
    scratch_no_scans(db);
    db_close(db);
    scratch_remove(path);
}

static void test_keyring_slots(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX], name[24];
    uint8_t halves[4][CRYPTO_KEY_BYTES], half[CRYPTO_KEY_BYTES];
    struct keyring *keyring = NULL;
    scratch_make(path);
    assert_int_equal(keyring_open(path, &keyring), STATUS_OK);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "space %d", i);
        assert_int_equal(keyring_make(keyring, name, halves[i]), STATUS_OK);
    }
    assert_int_equal(keyring_make(keyring, "space 2", half), STATUS_OK);
    assert_memory_equal(half, halves[2], sizeof half);
    assert_int_equal(keyring_destroy(keyring, "space 1"), STATUS_OK);
    assert_int_equal(keyring_destroy(keyring, "space 1"), STATUS_OK);
    keyring_close(keyring);
    /* Nothing of it is left in the file; the last slot is torn. */
    FILE *file = fopen(scratch_file(path, "keyring"), "r+e");
    uint8_t bytes[5 * 64];
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), 4 * 64);
    assert_null(memmem(bytes, sizeof bytes, halves[1], CRYPTO_KEY_BYTES));
    assert_non_null(memmem(bytes, sizeof bytes, halves[2], CRYPTO_KEY_BYTES));
    assert_int_equal(ftruncate(fileno(file), 4 * 64 - 7), 0);
    fclose(file);
    assert_int_equal(keyring_open(path, &keyring), STATUS_OK);
    assert_int_equal(keyring_get(keyring, "space 1", half), STATUS_NOT_FOUND);
    assert_int_equal(keyring_get(keyring, "space 3", half), STATUS_NOT_FOUND);
    assert_int_equal(keyring_get(keyring, "space 0", half), STATUS_OK);
    assert_memory_equal(half, halves[0], sizeof half);
    for (int i = 4; i < 7; i++) {
        snprintf(name, sizeof name, "space %d", i);
        assert_int_equal(keyring_make(keyring, name, half), STATUS_OK);
    }
    keyring_close(keyring);
    struct stat info;
    assert_int_equal(stat(scratch_file(path, "keyring"), &info), 0);
    assert_int_equal(info.st_size, 5 * 64); /* the free slots were used first */
    scratch_remove(path);
}

/* ---- rotating ---- */

enum { LOADERS = 4, LOAD_SPACES = 3 };

struct load {
    struct db *db;
    atomic_bool stop;
    atomic_int rounds;
};

static enum status event_add(struct db_session *session, void *arg)
{
    return event_write(session, "load", arg, "{}", 1, NULL);
}

/* Seals, writes, reads back and opens, in spaces old and new, until told to stop. */
static void *load_main(void *arg)
{
    struct load *load = arg;
    struct vault *vault = db_vault(load->db);
    for (int i = 0; !atomic_load(&load->stop); i++) {
        char name[32];
        uint8_t sealed[SEALED];
        snprintf(name, sizeof name, "space %d", i % LOAD_SPACES);
        const struct vault_place place = {.space = name, .table = "t", .column = "c", .id = i};
        if (vault_space_new(vault, load->db, name) != STATUS_OK ||
            vault_seal(vault, &place, secret_text, SECRET, sealed) != STATUS_OK ||
            db_write(load->db, event_add, name) != STATUS_OK)
            abort();
        char text[SECRET];
        if (vault_unseal(vault, &place, sealed, SEALED, text) != STATUS_OK ||
            memcmp(text, secret_text, SECRET) != 0)
            abort();
        atomic_fetch_add(&load->rounds, 1);
    }
    return NULL;
}

static void test_rotation_under_load(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX], first[SCRATCH_PATH_MAX];
    uint8_t of_server[SEALED], of_many[SEALED], before[CRYPTO_SHA256_BYTES],
        after[CRYPTO_SHA256_BYTES];
    const struct vault_place many = {.space = "many 299", .table = "t", .column = "c"};
    pthread_t threads[LOADERS];
    struct load load = {0};
    struct vault_rotation rotation = {0};
    scratch_make(path);
    scratch_make(first);
    load.db = scratch_db(path, 2);
    struct vault *vault = db_vault(load.db);
    for (int i = 0; i < 300; i++) { /* more than a transaction of it takes */
        char name[24];
        snprintf(name, sizeof name, "many %d", i);
        assert_int_equal(vault_space_new(vault, load.db, name), STATUS_OK);
    }
    seal(vault, &here, of_server);
    seal(vault, &many, of_many);
    hash(vault, NULL, "p", "x", before);
    backup(path, first);
    for (int i = 0; i < LOADERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_main, &load), 0);
    for (int64_t round = 2; round <= 4; round++) {
        while (atomic_load(&load.rounds) < 20 * round)
            usleep(100);
        assert_int_equal(vault_rotate(vault, load.db, &rotation), STATUS_OK);
        assert_int_equal(rotation.master, round);
        assert_true(rotation.rewrapped >= 301 && rotation.rewrapped <= 301 + LOAD_SPACES);
        assert_int_equal(rotation.left, 0);
        assert_int_equal(scratch_count(load.db, "SELECT min(version) FROM vault_master"), round);
    }
    atomic_store(&load.stop, true);
    for (int i = 0; i < LOADERS; i++)
        pthread_join(threads[i], NULL);
    scratch_no_scans(load.db);
    db_close(load.db);
    load.db = scratch_db(path, 1);
    vault = db_vault(load.db);
    assert_int_equal(unseal(vault, &here, of_server, SEALED), STATUS_OK);
    assert_int_equal(unseal(vault, &many, of_many, SEALED), STATUS_OK);
    hash(vault, NULL, "p", "x", after);
    assert_memory_equal(before, after, sizeof before);
    db_close(load.db);
    scratch_remove(first);
    scratch_remove(path);
}

/* Killed at random moments, it leaves keys that open, and the next one finishes it. */
static void test_rotation_that_was_cut_off(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX];
    uint8_t sealed[SEALED];
    const struct vault_place place = {.space = "s", .table = "t", .column = "c"};
    struct vault_rotation rotation = {0};
    struct rng rng;
    scratch_make(path);
    rng_seed(&rng, 5);
    struct db *db = scratch_db(path, 1);
    assert_int_equal(vault_space_new(db_vault(db), db, "s"), STATUS_OK);
    seal(db_vault(db), &place, sealed);
    db_close(db);
    for (int round = 0; round < 12; round++) {
        int ends[2];
        char byte;
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct db_config config = {.directory = path, .readers = 1};
            if (db_open(&config, &db) != STATUS_OK || write(ends[1], "x", 1) != 1)
                _exit(1);
            while (vault_rotate(db_vault(db), db, &rotation) == STATUS_OK)
                continue;
            _exit(2);
        }
        close(ends[1]);
        assert_int_equal(read(ends[0], &byte, 1), 1);
        close(ends[0]);
        usleep(rng_below(&rng, 8000));
        kill(pid, SIGKILL);
        int how = 0;
        assert_int_equal(waitpid(pid, &how, 0), pid);
        assert_true(WIFSIGNALED(how));
        db = scratch_db(path, 1);
        assert_int_equal(unseal(db_vault(db), &place, sealed, SEALED), STATUS_OK);
        db_close(db);
    }
    db = scratch_db(path, 1);
    assert_int_equal(vault_rotate(db_vault(db), db, &rotation), STATUS_OK);
    assert_int_equal(rotation.rewrapped, 2);
    assert_int_equal(scratch_count(db, "SELECT count(*) FROM vault_master"), 1);
    db_close(db);
    scratch_remove(path);
}

static char group_path[SCRATCH_PATH_MAX];

static int setup(void **state)
{
    scratch_make(group_path);
    *state = scratch_db(group_path, 1);
    return 0;
}

static int teardown(void **state)
{
    db_close(*state);
    scratch_remove(group_path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sealing_vector),
        cmocka_unit_test(test_changed_bytes_do_not_open),
        cmocka_unit_test(test_moved_values_do_not_open),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_root_key_file),
        cmocka_unit_test(test_root_key_command),
        cmocka_unit_test(test_destroyed_space_is_unreadable_in_an_older_copy),
        cmocka_unit_test(test_doom_is_finished_at_the_next_start),
        cmocka_unit_test(test_keyring_slots),
        cmocka_unit_test(test_rotation_under_load),
        cmocka_unit_test(test_rotation_that_was_cut_off),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
