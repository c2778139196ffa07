/*
 * tests/support/vfs_fault.h - a disk in memory for SQLite, that fails or loses its power.
 *
 * What was written is seen by everybody at once and is on the disk after a sync. A power cut ends
 * everything: afterwards each write since the last sync is there, in part (whole sectors), or not,
 * by the seed. A sync that fails loses what it should have written, as Linux does: it is seen until
 * the cut and a later sync does not save it.
 *
 * Threads: any; one disk a process.
 */
#ifndef TESTS_SUPPORT_VFS_FAULT_H
#define TESTS_SUPPORT_VFS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum vfs_fault {
    VFS_FAULT_NONE,
    VFS_FAULT_FULL,  /* writes fail with ENOSPC */
    VFS_FAULT_WRITE, /* writes fail with EIO, half written */
    VFS_FAULT_SYNC,  /* syncs fail with EIO */
    VFS_FAULT_POWER, /* everything fails, for good */
};

/* From now on SQLite's files are on this disk; it is empty. */
void vfs_fault_begin(void);
/* SQLite's own files again; forgets the disk. */
void vfs_fault_end(void);
/* Remembers the disk, all files closed, and brings it back as it was then. */
void vfs_fault_keep(void);
void vfs_fault_restore(void);
/* Writes and syncs from now on: number `after` (0: the next) and `count` - 1 more fail. */
void vfs_fault_plan(enum vfs_fault fault, uint32_t after, uint32_t count);
/* Whether one has failed since. */
bool vfs_fault_fired(void);
/* Cuts the power, all files closed, and gives it back: only what the seed lets survive is there. */
void vfs_fault_power_cut(uint64_t seed);

#endif
