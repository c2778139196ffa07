/*
 * parley-text KIND: the text of the file on stdin, which may be hostile, as UTF-8 on stdout.
 *
 * KIND is `text` (Markdown too), `html` or `pdf`; that is what Debian's pdftotext becomes of this
 * process, under the same limits. Before the first byte is read the process gives up privileges,
 * all files but /usr for reading (Landlock), the network, and all memory and time but a little.
 * Whoever starts it (modules/search/reader.h) gives it files in memory for stdin and stdout.
 * Exit: 0; 1 the file cannot be read; 2 the arguments; 3 this system cannot confine it.
 */
#include "modules/search/html.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    NOBODY = 65534,
    MEMORY_MAX = 512 << 20, /* bytes of address space: a large PDF takes 100 MiB */
    CPU_MAX = 20,           /* s */
    OUTPUT_MAX = 1 << 20,   /* bytes; then SIGXFSZ ends it, what was written counts */
    FILES_MAX = 64,
};

#define PDFTOTEXT "/usr/bin/pdftotext"

/* ---- what is left to the process ---- */

static bool limit(int what, rlim_t most)
{
    return setrlimit(what, &(struct rlimit){most, most}) == 0;
}

static bool limits_set(void)
{
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_NPROC, 0) && limit(RLIMIT_AS, MEMORY_MAX) &&
           limit(RLIMIT_CPU, CPU_MAX) && limit(RLIMIT_FSIZE, OUTPUT_MAX) &&
           limit(RLIMIT_NOFILE, FILES_MAX);
}

static bool privileges_drop(void)
{
    bool root = geteuid() == 0;
    return (!root || (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                      setresuid(NOBODY, NOBODY, NOBODY) == 0)) &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool place_allow(int rules, const char *path, __u64 access)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = access};
    beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
    bool allowed = beneath.parent_fd >= 0 && syscall(SYS_landlock_add_rule, rules,
                                                     LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
    close(beneath.parent_fd);
    return allowed;
}

/* No file but programs, libraries and their tables; none to be written. */
static bool files_confine(void)
{
    const struct landlock_ruleset_attr handled = {.handled_access_fs =
                                                      (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0)
        return false;
    bool confined = place_allow(rules, "/usr",
                                LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                    LANDLOCK_ACCESS_FS_READ_DIR) &&
                    place_allow(rules, "/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE) &&
                    syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return confined;
}

/* Any other call fails with EPERM: sockets, processes, names of files. */
static bool calls_confine(void)
{
    static const int allowed[] = {
        SCMP_SYS(read),
        SCMP_SYS(write),
        SCMP_SYS(readv),
        SCMP_SYS(writev),
        SCMP_SYS(pread64),
        SCMP_SYS(close),
        SCMP_SYS(fstat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(statx),
        SCMP_SYS(lseek),
        SCMP_SYS(getdents64),
        SCMP_SYS(access),
        SCMP_SYS(faccessat),
        SCMP_SYS(faccessat2),
        SCMP_SYS(readlink),
        SCMP_SYS(readlinkat),
        SCMP_SYS(mmap),
        SCMP_SYS(munmap),
        SCMP_SYS(mprotect),
        SCMP_SYS(mremap),
        SCMP_SYS(madvise),
        SCMP_SYS(brk),
        SCMP_SYS(futex),
        SCMP_SYS(getrandom),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(arch_prctl),
        SCMP_SYS(set_tid_address),
        SCMP_SYS(rseq),
        SCMP_SYS(set_robust_list),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(time),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(getgid),
        SCMP_SYS(getegid),
        SCMP_SYS(sysinfo),
        SCMP_SYS(uname),
        SCMP_SYS(execve),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(sched_getaffinity),
    };
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int failed = filter == NULL;
    for (size_t i = 0; failed == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    /* To read the limits, not to change them or another process's. */
    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                                  SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
    if (failed == 0)
        failed =
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
    bool confined = failed == 0 && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return confined;
}

/* ---- its work ---- */

static bool all_write(const char *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t more = write(STDOUT_FILENO, bytes + done, length - done);
        if (more <= 0)
            return false;
        done += (size_t)more;
    }
    return true;
}

static int convert(bool is_html)
{
    off_t length = lseek(STDIN_FILENO, 0, SEEK_END);
    char *bytes = length >= 0 ? malloc((size_t)length + 1) : NULL;
    size_t got = 0;
    for (ssize_t more = 1; bytes != NULL && more > 0; got += (size_t)(more > 0 ? more : 0))
        more = pread(STDIN_FILENO, bytes + got, (size_t)length - got, (off_t)got);
    if (bytes == NULL || got != (size_t)length)
        return 1;
    if (is_html)
        got = html_text(bytes, got);
    bool written = all_write(bytes, got);
    free(bytes);
    return written ? 0 : 1;
}

int main(int argc, char **argv)
{
    static char *const pdf[] = {"pdftotext", "-q", "-nopgbrk", "-enc", "UTF-8", "-", "-", NULL};
    static char *const environment[] = {NULL};
    const char *kind = argc == 2 ? argv[1] : "";
    bool is_pdf = strcmp(kind, "pdf") == 0, is_html = strcmp(kind, "html") == 0;
    if (!is_pdf && !is_html && strcmp(kind, "text") != 0) {
        fputs("usage: parley-text text|html|pdf <FILE >TEXT\n", stderr);
        return 2;
    }
    if (!privileges_drop() || !files_confine() || !limits_set() || !calls_confine())
        return 3;
    if (!is_pdf)
        return convert(is_html);
    execve(PDFTOTEXT, pdf, environment);
    return 1;
}
