#include "modules/search/reader.h"

#include "core/clock.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 10 };

static const struct {
    const char *type, *ending, *kind;
} kinds[] = {
    {"text/plain", ".txt", "text"},
    {"text/markdown", ".md", "text"},
    {"text/csv", ".csv", "text"},
    {"text/html", ".html", "html"},
    {"application/xhtml+xml", ".xhtml", "html"},
    {"application/pdf", ".pdf", "pdf"},
};

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), size = strlen(ending);
    return length > size && strcasecmp(name + length - size, ending) == 0;
}

const char *reader_kind(const char *type, const char *name)
{
    bool unknown = type == NULL || strcmp(type, "application/octet-stream") == 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (unknown ? ends_with(name, kinds[i].ending) : strcmp(type, kinds[i].type) == 0)
            return kinds[i].kind;
    return NULL;
}

/* ---- the process ---- */

/* Only its files; no environment. */
static enum status process_spawn(const char *program, const char *kind, int in, int out,
                                 pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    char name[] = "parley-text", word[8] = "";
    char *const arguments[] = {name, word, NULL}, *const environment[] = {NULL};
    strncpy(word, kind, sizeof word - 1);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int failed = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    failed |= posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    failed |= posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    failed |= posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (failed == 0)
        failed = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed == 0 ? STATUS_OK : STATUS_IO;
}

/* Its end; SIGXFSZ only says that there is more text than is kept. */
static enum status process_wait(pid_t pid, const atomic_bool *ending)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    uint64_t until_ns = clock_mono_ns() + (uint64_t)READER_WAIT_MS * CLOCK_NS_PER_MS;
    enum status status = STATUS_OK;
    pid_t ended;
    int how = 0;
    while ((ended = waitpid(pid, &how, WNOHANG)) == 0 && status == STATUS_OK) {
        if (atomic_load(ending))
            status = STATUS_AGAIN;
        else if (clock_mono_ns() >= until_ns)
            status = STATUS_INVALID;
        else
            nanosleep(&pause, NULL);
    }
    if (ended == 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &how, 0);
        return status;
    }
    bool well =
        (WIFEXITED(how) && WEXITSTATUS(how) == 0) || (WIFSIGNALED(how) && WTERMSIG(how) == SIGXFSZ);
    return well ? STATUS_OK : STATUS_INVALID;
}

/* ---- what goes in and comes out: files in memory ---- */

static enum status object_copy(struct object *object, int file)
{
    char chunk[OBJECTS_CHUNK];
    size_t got = 1;
    enum status status = STATUS_OK;
    for (int64_t at = 0; status == STATUS_OK && got > 0; at += (int64_t)got) {
        status = object_read(object, at, chunk, sizeof chunk, &got);
        if (status == STATUS_OK && got > 0 && write(file, chunk, got) != (ssize_t)got)
            status = STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK && (lseek(file, 0, SEEK_SET) != 0 ||
                                fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW) != 0))
        status = STATUS_IO;
    return status;
}

/* What is no UTF-8 becomes spaces. */
static enum status text_take(int file, struct arena *arena, const char **ret_text)
{
    char *text = arena_alloc(arena, READER_TEXT_MAX + 1);
    ssize_t length = text != NULL ? pread(file, text, READER_TEXT_MAX, 0) : -1;
    const char *wrong;
    if (length < 0)
        return text == NULL ? STATUS_NO_MEMORY : STATUS_IO;
    text[length] = '\0';
    for (char *at = text; !g_utf8_validate_len(at, (size_t)(text + length - at), &wrong);) {
        at = text + (wrong - text);
        *at++ = ' ';
    }
    *ret_text = text;
    return STATUS_OK;
}

enum status reader_text(const char *program, const char *kind, struct object *object,
                        const atomic_bool *ending, struct arena *arena, const char **ret_text)
{
    pid_t pid;
    if (object_size(object) > READER_FILE_MAX)
        return STATUS_INVALID;
    int in = memfd_create("parley-file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int out = memfd_create("parley-text", MFD_CLOEXEC);
    enum status status = in >= 0 && out >= 0 ? object_copy(object, in) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = process_spawn(program, kind, in, out, &pid);
    if (status == STATUS_OK)
        status = process_wait(pid, ending);
    if (status == STATUS_OK)
        status = text_take(out, arena, ret_text);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return status;
}
