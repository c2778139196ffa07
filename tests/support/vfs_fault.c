#include "tests/support/vfs_fault.h"

#include "core/rng.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 8, NAME = 512, SECTOR = 512, SHM_REGIONS = 64, SHM_REGION = 32768 };

struct bytes {
    uint8_t *data;
    size_t size;
};

/* A write since the last sync; length 0: the file was cut to `offset`. */
struct change {
    struct change *next;
    size_t offset, length;
    bool lost; /* a failed sync was its last chance */
    uint8_t data[];
};

struct disk_file {
    char name[NAME];
    bool exists;
    struct bytes seen, durable, kept;
    struct change *changes, **last;
    void *shm[SHM_REGIONS];
    int shm_shared[SQLITE_SHM_NLOCK];
    bool shm_exclusive[SQLITE_SHM_NLOCK];
    int lock_shared;
    const void *lock_owner; /* of RESERVED and above */
};

struct handle {
    sqlite3_file base;
    struct disk_file *file;
    int level;
};

static struct {
    pthread_mutex_t mutex;
    struct disk_file files[FILES_MAX];
    sqlite3_vfs *own;
    enum vfs_fault fault;
    uint32_t after, count;
    bool fired;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void take(void)
{
    pthread_mutex_lock(&disk.mutex);
}

static int give(int code)
{
    pthread_mutex_unlock(&disk.mutex);
    return code;
}

/* ---- bytes ---- */

static void bytes_resize(struct bytes *bytes, size_t size)
{
    uint8_t *data = realloc(bytes->data, size + 1);
    assert(data);
    if (size > bytes->size)
        memset(data + bytes->size, 0, size - bytes->size);
    *bytes = (struct bytes){data, size};
}

static void bytes_write(struct bytes *bytes, size_t offset, const uint8_t *data, size_t length)
{
    if (offset + length > bytes->size)
        bytes_resize(bytes, offset + length);
    memcpy(bytes->data + offset, data, length);
}

static void bytes_copy(struct bytes *to, const struct bytes *from)
{
    bytes_resize(to, from->size);
    if (from->size > 0)
        memcpy(to->data, from->data, from->size);
}

static void changes_drop(struct disk_file *file)
{
    while (file->changes) {
        struct change *change = file->changes;
        file->changes = change->next;
        free(change);
    }
    file->last = &file->changes;
}

static void change_apply(struct bytes *bytes, const struct change *change, size_t length)
{
    if (change->length == 0)
        bytes_resize(bytes, change->offset);
    else
        bytes_write(bytes, change->offset, change->data, length);
}

static void change_add(struct disk_file *file, size_t offset, const void *data, size_t length)
{
    struct change *change = calloc(1, sizeof *change + length);
    assert(change);
    change->offset = offset;
    change->length = length;
    if (length > 0)
        memcpy(change->data, data, length);
    *file->last = change;
    file->last = &change->next;
    change_apply(&file->seen, change, length);
}

/* ---- faults ---- */

/* Under the mutex: what becomes of this write or sync. */
static bool fails(bool sync)
{
    if (disk.fault == VFS_FAULT_NONE)
        return false;
    bool wanted = disk.fault == VFS_FAULT_POWER || (disk.fault == VFS_FAULT_SYNC) == sync;
    if (!wanted)
        return false;
    if (disk.after > 0) {
        disk.after--;
        return false;
    }
    disk.fired = true;
    if (disk.fault != VFS_FAULT_POWER && --disk.count == 0)
        disk.fault = VFS_FAULT_NONE;
    return true;
}

/* ---- a file ---- */

static struct disk_file *file_of(sqlite3_file *base)
{
    return ((struct handle *)(void *)base)->file;
}

static int file_read(sqlite3_file *base, void *ret_data, int length, sqlite3_int64 offset)
{
    struct disk_file *file = file_of(base);
    size_t at = (size_t)offset, want = (size_t)length;
    take();
    size_t have = at < file->seen.size ? file->seen.size - at : 0;
    have = have < want ? have : want;
    if (have > 0)
        memcpy(ret_data, file->seen.data + at, have);
    memset((uint8_t *)ret_data + have, 0, want - have);
    return give(have == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
}

static int file_write(sqlite3_file *base, const void *data, int length, sqlite3_int64 offset)
{
    struct disk_file *file = file_of(base);
    take();
    enum vfs_fault fault = disk.fault;
    if (!fails(false)) {
        change_add(file, (size_t)offset, data, (size_t)length);
        return give(SQLITE_OK);
    }
    if (fault == VFS_FAULT_FULL)
        return give(SQLITE_FULL);
    if (fault == VFS_FAULT_WRITE && length > 1)
        change_add(file, (size_t)offset, data, (size_t)length / 2);
    return give(SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    take();
    if (fails(false))
        return give(SQLITE_IOERR_TRUNCATE);
    change_add(file_of(base), (size_t)size, NULL, 0);
    return give(SQLITE_OK);
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct disk_file *file = file_of(base);
    (void)flags;
    take();
    bool failed = fails(true);
    if (failed && disk.fault == VFS_FAULT_POWER)
        return give(SQLITE_IOERR_FSYNC);
    for (struct change *change = file->changes; change; change = change->next) {
        if (failed)
            change->lost = true;
        else if (!change->lost)
            change_apply(&file->durable, change, change->length);
    }
    if (!failed)
        changes_drop(file);
    return give(failed ? SQLITE_IOERR_FSYNC : SQLITE_OK);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    take();
    *ret_size = (sqlite3_int64)file_of(base)->seen.size;
    return give(SQLITE_OK);
}

static int file_lock(sqlite3_file *base, int level)
{
    struct handle *handle = (struct handle *)(void *)base;
    struct disk_file *file = handle->file;
    int code = SQLITE_OK;
    take();
    if (level > handle->level) {
        bool others = file->lock_owner && file->lock_owner != handle;
        if (level == SQLITE_LOCK_SHARED)
            file->lock_shared++;
        else if (others || (level == SQLITE_LOCK_EXCLUSIVE && file->lock_shared > 1))
            code = SQLITE_BUSY;
        else
            file->lock_owner = handle;
        if (code == SQLITE_OK)
            handle->level = level;
    }
    return give(code);
}

static int file_unlock(sqlite3_file *base, int level)
{
    struct handle *handle = (struct handle *)(void *)base;
    take();
    if (handle->level > level) {
        if (handle->file->lock_owner == handle)
            handle->file->lock_owner = NULL;
        if (level == SQLITE_LOCK_NONE)
            handle->file->lock_shared--;
        handle->level = level;
    }
    return give(SQLITE_OK);
}

static int file_reserved(sqlite3_file *base, int *ret_reserved)
{
    take();
    *ret_reserved = file_of(base)->lock_owner != NULL;
    return give(SQLITE_OK);
}

static int file_close(sqlite3_file *base)
{
    return file_unlock(base, SQLITE_LOCK_NONE);
}

static int file_control(sqlite3_file *base, int operation, void *arg)
{
    (void)base;
    (void)operation;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base)
{
    (void)base;
    return SECTOR;
}

static int file_device(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- the log's index, shared between connections ---- */

static int shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **ret_region)
{
    struct disk_file *file = file_of(base);
    assert(region < SHM_REGIONS && size == SHM_REGION);
    take();
    if (!file->shm[region] && extend)
        file->shm[region] = calloc(1, SHM_REGION);
    *ret_region = file->shm[region];
    return give(SQLITE_OK);
}

static int shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    struct disk_file *file = file_of(base);
    int code = SQLITE_OK;
    take();
    for (int i = offset; i < offset + count; i++)
        if ((flags & SQLITE_SHM_LOCK) &&
            (file->shm_exclusive[i] || ((flags & SQLITE_SHM_EXCLUSIVE) && file->shm_shared[i])))
            code = SQLITE_BUSY;
    for (int i = offset; code == SQLITE_OK && i < offset + count; i++) {
        bool on = (flags & SQLITE_SHM_LOCK) != 0;
        if (flags & SQLITE_SHM_EXCLUSIVE)
            file->shm_exclusive[i] = on;
        else
            file->shm_shared[i] += on ? 1 : -1;
    }
    return give(code);
}

static void shm_barrier(sqlite3_file *base)
{
    (void)base;
    take();
    give(SQLITE_OK);
}

static int shm_unmap(sqlite3_file *base, int removing)
{
    struct disk_file *file = file_of(base);
    take();
    for (int i = 0; removing && i < SHM_REGIONS; i++) {
        free(file->shm[i]);
        file->shm[i] = NULL;
    }
    return give(SQLITE_OK);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- the disk ---- */

static struct disk_file *disk_find(const char *name, bool make)
{
    struct disk_file *unused = NULL;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (strcmp(disk.files[i].name, name) == 0)
            return &disk.files[i];
        if (!unused && disk.files[i].name[0] == '\0')
            unused = &disk.files[i];
    }
    if (!make)
        return NULL;
    assert(unused && strlen(name) < NAME);
    strcpy(unused->name, name);
    unused->last = &unused->changes;
    return unused;
}

static int disk_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags,
                     int *ret_flags)
{
    struct handle *handle = (struct handle *)(void *)base;
    (void)vfs;
    base->pMethods = NULL;
    take();
    struct disk_file *file = disk_find(name ? name : "temporary", true);
    if (!file->exists && (flags & SQLITE_OPEN_CREATE) == 0)
        return give(SQLITE_CANTOPEN);
    file->exists = true;
    handle->file = file;
    handle->level = SQLITE_LOCK_NONE;
    base->pMethods = &methods;
    if (ret_flags)
        *ret_flags = flags;
    return give(SQLITE_OK);
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)sync;
    take();
    struct disk_file *file = disk_find(name, false);
    if (!file || !file->exists)
        return give(SQLITE_IOERR_DELETE_NOENT);
    if (fails(false))
        return give(SQLITE_IOERR_DELETE);
    file->exists = false;
    changes_drop(file);
    bytes_resize(&file->seen, 0);
    bytes_resize(&file->durable, 0);
    return give(SQLITE_OK);
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_there)
{
    (void)vfs;
    (void)flags;
    take();
    const struct disk_file *file = disk_find(name, false);
    *ret_there = file && file->exists;
    return give(SQLITE_OK);
}

static int disk_path(sqlite3_vfs *vfs, const char *name, int size, char *ret_path)
{
    (void)vfs;
    sqlite3_snprintf(size, ret_path, "%s", name);
    return SQLITE_OK;
}

static sqlite3_vfs memory = {.iVersion = 2,
                             .szOsFile = sizeof(struct handle),
                             .mxPathname = NAME,
                             .zName = "fault",
                             .xOpen = disk_open,
                             .xDelete = disk_delete,
                             .xAccess = disk_access,
                             .xFullPathname = disk_path};

void vfs_fault_begin(void)
{
    disk.own = sqlite3_vfs_find(NULL);
    memory.xRandomness = disk.own->xRandomness;
    memory.xSleep = disk.own->xSleep;
    memory.xCurrentTime = disk.own->xCurrentTime;
    memory.xCurrentTimeInt64 = disk.own->xCurrentTimeInt64;
    memory.xGetLastError = disk.own->xGetLastError;
    assert(sqlite3_vfs_register(&memory, 1) == SQLITE_OK);
}

static void shm_reset(struct disk_file *file)
{
    for (int i = 0; i < SHM_REGIONS; i++) {
        free(file->shm[i]);
        file->shm[i] = NULL;
    }
    memset(file->shm_shared, 0, sizeof file->shm_shared);
    memset(file->shm_exclusive, 0, sizeof file->shm_exclusive);
    file->lock_shared = 0;
    file->lock_owner = NULL;
}

void vfs_fault_end(void)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct disk_file *file = &disk.files[i];
        if (file->name[0] != '\0')
            changes_drop(file);
        shm_reset(file);
        free(file->seen.data);
        free(file->durable.data);
        free(file->kept.data);
    }
    memset(disk.files, 0, sizeof disk.files);
    sqlite3_vfs_unregister(&memory);
    sqlite3_vfs_register(disk.own, 1);
}

void vfs_fault_keep(void)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        bytes_copy(&disk.files[i].kept, &disk.files[i].seen);
}

static void file_set(struct disk_file *file, const struct bytes *content)
{
    changes_drop(file);
    shm_reset(file);
    bytes_copy(&file->durable, content);
    bytes_copy(&file->seen, content);
    file->exists = content->size > 0;
}

void vfs_fault_restore(void)
{
    disk.fault = VFS_FAULT_NONE;
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk.files[i].name[0] != '\0')
            file_set(&disk.files[i], &disk.files[i].kept);
}

void vfs_fault_plan(enum vfs_fault fault, uint32_t after, uint32_t count)
{
    take();
    disk.fault = fault;
    disk.after = after;
    disk.count = count;
    disk.fired = false;
    give(SQLITE_OK);
}

bool vfs_fault_fired(void)
{
    take();
    bool fired = disk.fired;
    give(SQLITE_OK);
    return fired;
}

void vfs_fault_power_cut(uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    uint32_t odds = rng_below(&rng, 3); /* none, half or all of it survives */
    disk.fault = VFS_FAULT_NONE;
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct disk_file *file = &disk.files[i];
        if (file->name[0] == '\0')
            continue;
        for (const struct change *change = file->changes; change; change = change->next) {
            if (change->lost || rng_below(&rng, 2) >= odds)
                continue;
            size_t sectors = (change->length + SECTOR - 1) / SECTOR;
            size_t length = change->length;
            if (sectors > 0 && rng_below(&rng, 4) == 0)
                length = rng_below(&rng, (uint32_t)sectors) * (size_t)SECTOR;
            change_apply(&file->durable, change, length);
        }
        struct bytes survived = {0};
        bytes_copy(&survived, &file->durable);
        file_set(file, &survived);
        free(survived.data);
    }
}
