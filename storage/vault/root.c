#include "storage/vault/root.h"

#include "core/clock.h"
#include "storage/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DIGITS = CRYPTO_KEY_BYTES * 2,
    TEXT_MAX = 256, /* a key with its line end, or more than one */
};

/* The digits and nothing behind them but a line end. */
static enum status key_parse(const char *text, size_t length, uint8_t *ret_key)
{
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    return length == DIGITS && crypto_unhex(text, CRYPTO_KEY_BYTES, ret_key) ? STATUS_OK
                                                                             : STATUS_CORRUPT;
}

/* ---- a file ---- */

static enum status file_make(const char *folder, const char *path)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    char text[DIGITS + 2];
    crypto_random(key, sizeof key);
    crypto_hex(key, sizeof key, text);
    memcpy(text + DIGITS, "\n", 2);
    enum status status = durable_write(folder, path, text, DIGITS + 1);
    crypto_wipe(key, sizeof key);
    crypto_wipe(text, sizeof text);
    return status;
}

static enum status file_read(const char *path, uint8_t *ret_key, const char **ret_reason)
{
    char text[TEXT_MAX];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        *ret_reason = "keys/root.key cannot be opened";
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    }
    enum status status = STATUS_OK;
    ssize_t length = 0;
    if (fstat(fd, &info) != 0 || (length = read(fd, text, sizeof text)) < 0) {
        *ret_reason = "keys/root.key cannot be read";
        status = STATUS_IO;
    } else if ((info.st_mode & 077) != 0) {
        *ret_reason = "keys/root.key may be read by others: chmod 600 it";
        status = STATUS_DENIED;
    } else {
        *ret_reason = "keys/root.key holds no key";
        status = key_parse(text, (size_t)length, ret_key);
    }
    close(fd);
    crypto_wipe(text, sizeof text);
    return status;
}

/* ---- a command ---- */

static enum status spawn(const char *command, int output, pid_t *ret_pid)
{
    extern char **environ;
    char shell[] = "sh", flag[] = "-c", line[PATH_MAX];
    char *argv[] = {shell, flag, line, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    if (snprintf(line, sizeof line, "%s", command) >= (int)sizeof line)
        return STATUS_INVALID;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return STATUS_NO_MEMORY;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return STATUS_NO_MEMORY;
    }
    /* The server blocks its signals and ignores one; a group of its own can be ended whole. */
    sigemptyset(&none);
    bool good =
        posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
        posix_spawnattr_setpgroup(&attributes, 0) == 0 &&
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP) ==
            0 &&
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) == 0 &&
        posix_spawn(ret_pid, "/bin/sh", &actions, &attributes, argv, environ) == 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return good ? STATUS_OK : STATUS_IO;
}

/* Reads until the command closes its output. */
static enum status output_read(int fd, char *text, size_t *ret_length)
{
    uint64_t deadline = clock_mono_ns() + (uint64_t)ROOT_COMMAND_MS * CLOCK_NS_PER_MS;
    size_t length = 0;
    for (;;) {
        uint64_t now = clock_mono_ns();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (now >= deadline)
            return STATUS_TIMEOUT;
        int ready = poll(&wait, 1, (int)((deadline - now) / CLOCK_NS_PER_MS) + 1);
        if (ready <= 0)
            continue;
        ssize_t got = read(fd, text + length, TEXT_MAX - length);
        if (got < 0 && errno != EINTR)
            return STATUS_IO;
        if (got == 0) {
            *ret_length = length;
            return STATUS_OK;
        }
        length += got > 0 ? (size_t)got : 0;
        if (length == TEXT_MAX)
            return STATUS_CORRUPT;
    }
}

static enum status command_run(const char *command, uint8_t *ret_key, const char **ret_reason)
{
    char text[TEXT_MAX];
    size_t length = 0;
    int ends[2], how = 0;
    pid_t pid = 0;
    *ret_reason = "vault.command: it cannot be run";
    if (pipe2(ends, O_CLOEXEC) != 0)
        return STATUS_IO;
    enum status status = spawn(command, ends[1], &pid);
    close(ends[1]);
    if (status == STATUS_OK) {
        *ret_reason = "vault.command: it did not print a key of 64 hexadecimal digits";
        status = output_read(ends[0], text, &length);
        if (status != STATUS_OK)
            kill(-pid, SIGKILL);
        while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
            continue;
        if (status == STATUS_OK && how != 0) {
            *ret_reason = "vault.command: it failed";
            status = STATUS_IO;
        }
        if (status == STATUS_OK)
            status = key_parse(text, length, ret_key);
    }
    close(ends[0]);
    crypto_wipe(text, sizeof text);
    return status;
}

enum status root_read(const char *folder, const char *command, bool make,
                      uint8_t ret_key[CRYPTO_KEY_BYTES], const char **ret_reason)
{
    char path[PATH_MAX];
    if (command && command[0] != '\0')
        return command_run(command, ret_key, ret_reason);
    *ret_reason = "the path is too long";
    if (snprintf(path, sizeof path, "%s/root.key", folder) >= (int)sizeof path)
        return STATUS_INVALID;
    enum status status = file_read(path, ret_key, ret_reason);
    if (status != STATUS_NOT_FOUND || !make)
        return status;
    *ret_reason = "keys/root.key cannot be written";
    status = file_make(folder, path);
    return status == STATUS_OK ? file_read(path, ret_key, ret_reason) : status;
}
