#include "storage/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum status durable_folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return STATUS_IO;
    int synced = fsync(fd);
    close(fd);
    return synced == 0 ? STATUS_OK : STATUS_IO;
}

enum status durable_folder_make(const char *parent, const char *folder)
{
    if (mkdir(folder, 0700) == 0)
        return durable_folder_sync(parent);
    return errno == EEXIST ? STATUS_OK : STATUS_IO;
}

enum status durable_write(const char *folder, const char *path, const void *data, size_t length)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return STATUS_INVALID;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return STATUS_IO;
    bool good = write(fd, data, length) == (ssize_t)length && fsync(fd) == 0;
    close(fd);
    good = good && rename(temporary, path) == 0;
    if (!good) {
        unlink(temporary);
        return STATUS_IO;
    }
    return durable_folder_sync(folder);
}
