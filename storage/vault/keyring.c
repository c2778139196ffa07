#include "storage/vault/keyring.h"

#include "core/bytes.h"
#include "core/map.h"
#include "storage/durable.h"
#include "storage/vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME = 16,
    CHECK = 16,
    SLOT = NAME + CRYPTO_KEY_BYTES + CHECK,
    SLOTS_MAX = VAULT_SCOPES_MAX + 1, /* the server's too */
};

struct keyring {
    int fd;
    struct map *slots; /* by the first 64 bits of the name: number of the slot, and 1 */
    uint32_t slot_count;
    uint32_t *free_slots; /* a stack; room for as many as there are slots */
    uint32_t free_count, free_room;
};

static void name_make(const char *scope, uint8_t ret_name[NAME])
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(scope, strlen(scope), digest);
    memcpy(ret_name, digest, NAME);
}

static void slot_make(const char *scope, const uint8_t *half, uint8_t ret_slot[SLOT])
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    name_make(scope, ret_slot);
    memcpy(ret_slot + NAME, half, CRYPTO_KEY_BYTES);
    crypto_sha256(ret_slot, SLOT - CHECK, digest);
    memcpy(ret_slot + SLOT - CHECK, digest, CHECK);
}

static bool slot_good(const uint8_t slot[SLOT])
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(slot, SLOT - CHECK, digest);
    return memcmp(slot + SLOT - CHECK, digest, CHECK) == 0;
}

static enum status slot_write(struct keyring *keyring, uint32_t number, const uint8_t slot[SLOT])
{
    if (pwrite(keyring->fd, slot, SLOT, (off_t)number * SLOT) != SLOT)
        return STATUS_IO;
    return fdatasync(keyring->fd) == 0 ? STATUS_OK : STATUS_IO;
}

static enum status free_push(struct keyring *keyring, uint32_t number)
{
    if (keyring->free_count == keyring->free_room) {
        uint32_t room = keyring->free_room * 2 + 16;
        uint32_t *grown = realloc(keyring->free_slots, room * sizeof *grown);
        if (!grown)
            return STATUS_NO_MEMORY;
        keyring->free_slots = grown;
        keyring->free_room = room;
    }
    keyring->free_slots[keyring->free_count++] = number;
    return STATUS_OK;
}

static enum status slots_read(struct keyring *keyring)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK; i++) {
        uint8_t slot[SLOT];
        ssize_t got = pread(keyring->fd, slot, SLOT, (off_t)i * SLOT);
        if (got < 0)
            return STATUS_IO;
        if (got < SLOT) { /* the end, or a slot that was cut while the file grew */
            keyring->slot_count = i;
            return STATUS_OK;
        }
        if (i == SLOTS_MAX)
            return STATUS_LIMIT;
        if (slot_good(slot))
            status = map_put(keyring->slots, load_be64(slot), (void *)((uintptr_t)i + 1));
        else
            status = free_push(keyring, i);
        crypto_wipe(slot, sizeof slot);
    }
    return status;
}

static enum status file_open(struct keyring *keyring, const char *folder)
{
    char path[PATH_MAX];
    struct stat info;
    if (snprintf(path, sizeof path, "%s/keyring", folder) >= (int)sizeof path)
        return STATUS_INVALID;
    keyring->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (keyring->fd < 0 || fstat(keyring->fd, &info) != 0)
        return STATUS_IO;
    if ((info.st_mode & 077) != 0)
        return STATUS_DENIED;
    return info.st_size == 0 ? durable_folder_sync(folder) : STATUS_OK;
}

enum status keyring_open(const char *folder, struct keyring **ret_keyring)
{
    struct keyring *keyring = calloc(1, sizeof *keyring);
    if (!keyring)
        return STATUS_NO_MEMORY;
    keyring->fd = -1;
    enum status status = map_new(&keyring->slots);
    if (status == STATUS_OK)
        status = file_open(keyring, folder);
    if (status == STATUS_OK)
        status = slots_read(keyring);
    if (status != STATUS_OK) {
        keyring_close(keyring);
        return status;
    }
    *ret_keyring = keyring;
    return STATUS_OK;
}

struct keyring *keyring_close(struct keyring *keyring)
{
    if (!keyring)
        return NULL;
    if (keyring->fd >= 0)
        close(keyring->fd);
    map_free(keyring->slots);
    free(keyring->free_slots);
    free(keyring);
    return NULL;
}

static bool slot_find(const struct keyring *keyring, const uint8_t name[NAME], uint32_t *ret_number)
{
    uintptr_t found = (uintptr_t)map_get(keyring->slots, load_be64(name));
    if (found == 0)
        return false;
    *ret_number = (uint32_t)(found - 1);
    return true;
}

enum status keyring_get(struct keyring *keyring, const char *scope,
                        uint8_t ret_half[CRYPTO_KEY_BYTES])
{
    uint8_t name[NAME], slot[SLOT];
    uint32_t number;
    name_make(scope, name);
    if (!slot_find(keyring, name, &number))
        return STATUS_NOT_FOUND;
    if (pread(keyring->fd, slot, SLOT, (off_t)number * SLOT) != SLOT)
        return STATUS_IO;
    bool good = slot_good(slot) && memcmp(slot, name, NAME) == 0;
    if (good)
        memcpy(ret_half, slot + NAME, CRYPTO_KEY_BYTES);
    crypto_wipe(slot, sizeof slot);
    return good ? STATUS_OK : STATUS_CORRUPT;
}

/* A slot that failed half way is free and written over next time. */
static enum status slot_add(struct keyring *keyring, const char *scope, const uint8_t *half)
{
    uint8_t slot[SLOT];
    bool reused = keyring->free_count > 0;
    uint32_t number = reused ? keyring->free_slots[keyring->free_count - 1] : keyring->slot_count;
    if (number >= SLOTS_MAX)
        return STATUS_LIMIT;
    slot_make(scope, half, slot);
    enum status status = slot_write(keyring, number, slot);
    if (status == STATUS_OK)
        status = map_put(keyring->slots, load_be64(slot), (void *)((uintptr_t)number + 1));
    crypto_wipe(slot, sizeof slot);
    if (status != STATUS_OK)
        return status;
    if (reused)
        keyring->free_count--;
    else
        keyring->slot_count++;
    return STATUS_OK;
}

enum status keyring_make(struct keyring *keyring, const char *scope,
                         uint8_t ret_half[CRYPTO_KEY_BYTES])
{
    uint8_t half[CRYPTO_KEY_BYTES];
    enum status status = keyring_get(keyring, scope, ret_half);
    if (status != STATUS_NOT_FOUND)
        return status;
    crypto_random(half, sizeof half);
    status = slot_add(keyring, scope, half);
    if (status == STATUS_OK)
        memcpy(ret_half, half, sizeof half);
    crypto_wipe(half, sizeof half);
    return status;
}

enum status keyring_destroy(struct keyring *keyring, const char *scope)
{
    static const uint8_t zeros[SLOT];
    uint8_t name[NAME];
    uint32_t number;
    name_make(scope, name);
    if (!slot_find(keyring, name, &number))
        return STATUS_OK;
    enum status status = slot_write(keyring, number, zeros);
    if (status != STATUS_OK)
        return status;
    map_remove(keyring->slots, load_be64(name));
    /* Without memory for the list the slot is found free at the next start. */
    enum status listed = free_push(keyring, number);
    (void)listed;
    return STATUS_OK;
}
