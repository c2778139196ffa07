/*
 * escape NAME SECRET [PROGRAM]: confines itself as parley-text does, PROGRAM being the one it may
 * start, and then tries NAME from the inside. A program of its own and without sanitizers: theirs
 * would need what is given up. Exit: an enum escape.
 */
#include "tests/support/escape/escape.h"
#include "modules/search/extract/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *secret; /* a file that everybody may read and write */
static char *const no_environment[] = {NULL};

/* 0: it was done; else -1 and errno. */
typedef int attempt(void);

static int opened(int fd)
{
    return fd >= 0 ? 0 : -1;
}

static int read_secret(void)
{
    return opened(open(secret, O_RDONLY));
}

static int read_passwd(void)
{
    return opened(open("/etc/passwd", O_RDONLY));
}

static int read_process(void)
{
    return opened(open("/proc/self/maps", O_RDONLY));
}

static int write_secret(void)
{
    return opened(open(secret, O_WRONLY));
}

static int make_file(void)
{
    return opened(open("/tmp/parley-confine-escaped", O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int make_hidden(void)
{
    return opened(open("/usr", O_TMPFILE | O_RDWR, 0600));
}

static int open_old_call(void)
{
    return opened((int)syscall(SYS_open, "/usr/bin/env", O_RDONLY));
}

static int remove_file(void)
{
    return unlink(secret);
}

static int rename_file(void)
{
    return rename(secret, "/tmp/parley-confine-escaped");
}

static int make_folder(void)
{
    return mkdir("/tmp/parley-confine-escaped", 0700);
}

static int change_mode(void)
{
    return chmod(secret, 0777);
}

static int socket_internet(void)
{
    return opened(socket(AF_INET, SOCK_STREAM, 0));
}

static int socket_six(void)
{
    return opened(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int socket_local(void)
{
    return opened(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int socket_pair(void)
{
    int pair[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int start(char *path)
{
    char *const arguments[] = {path, NULL};
    return execve(path, arguments, no_environment);
}

static int start_shell(void)
{
    static char shell[] = "/bin/sh";
    return start(shell);
}

static int start_env(void)
{
    static char env[] = "/usr/bin/env";
    return start(env);
}

static int start_pdftotext(void)
{
    static char name[] = "pdftotext", version[] = "-v";
    static char *const arguments[] = {name, version, NULL};
    return execve(ESCAPE_PDFTOTEXT, arguments, no_environment);
}

static int start_descriptor(void)
{
    int fd = open("/usr/bin/env", O_RDONLY);
    static char name[] = "env";
    static char *const arguments[] = {name, NULL};
    return (int)syscall(SYS_execveat, fd, "", arguments, no_environment, AT_EMPTY_PATH);
}

static int split(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return opened(pid);
}

static int split_new_call(void)
{
    return opened((int)syscall(SYS_clone3, NULL, 0));
}

static int trace(void)
{
    return (int)syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
}

static int signal_parent(void)
{
    return (int)syscall(SYS_kill, 1, 0);
}

static int peek_parent(void)
{
    return (int)syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
}

static int file_in_memory(void)
{
    return opened((int)syscall(SYS_memfd_create, "x", 0));
}

static int raise_limit(void)
{
    const struct rlimit more = {1 << 30, 1 << 30};
    return (int)syscall(SYS_prlimit64, 0, RLIMIT_AS, &more, NULL);
}

static int take_memory(void)
{
    return mmap(NULL, (size_t)600 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? -1
               : 0;
}

static int be_root(void)
{
    return (int)syscall(SYS_setresuid, 0, 0, 0);
}

static int change_root(void)
{
    return (int)syscall(SYS_chroot, "/");
}

static int load_rules(void)
{
    return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int read_library(void)
{
    return opened(open("/usr/bin/env", O_RDONLY));
}

#define ATTEMPT(name)                                                                              \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct {
    const char *name;
    attempt *run;
} attempts[] = {
    ATTEMPT(read_secret),   ATTEMPT(read_passwd),    ATTEMPT(read_process),
    ATTEMPT(write_secret),  ATTEMPT(make_file),      ATTEMPT(make_hidden),
    ATTEMPT(open_old_call), ATTEMPT(remove_file),    ATTEMPT(rename_file),
    ATTEMPT(make_folder),   ATTEMPT(change_mode),    ATTEMPT(socket_internet),
    ATTEMPT(socket_six),    ATTEMPT(socket_local),   ATTEMPT(socket_pair),
    ATTEMPT(start_shell),   ATTEMPT(start_env),      ATTEMPT(start_descriptor),
    ATTEMPT(split),         ATTEMPT(split_new_call), ATTEMPT(trace),
    ATTEMPT(signal_parent), ATTEMPT(peek_parent),    ATTEMPT(file_in_memory),
    ATTEMPT(raise_limit),   ATTEMPT(take_memory),    ATTEMPT(be_root),
    ATTEMPT(change_root),   ATTEMPT(load_rules),     ATTEMPT(start_pdftotext),
    ATTEMPT(read_library),
};

int main(int argc, char **argv)
{
    attempt *run = NULL;
    for (size_t i = 0; argc >= 3 && i < sizeof attempts / sizeof attempts[0]; i++) {
        if (strcmp(attempts[i].name, argv[1]) == 0)
            run = attempts[i].run;
    }
    if (run == NULL)
        return ESCAPE_UNKNOWN;
    secret = argv[2];
    if (!confine(argc > 3 ? argv[3] : NULL))
        return ESCAPE_NOT_CONFINED;
    if (run() == 0)
        return ESCAPE_DONE;
    switch (errno) {
    case EPERM:
        return ESCAPE_NO_CALL;
    case EACCES:
        return ESCAPE_NO_FILE;
    case ENOMEM:
        return ESCAPE_NO_MEMORY;
    default:
        return ESCAPE_FAILED;
    }
}
