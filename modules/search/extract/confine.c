#include "modules/search/extract/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <linux/landlock.h>
#include <seccomp.h>
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

/* Of ourselves: the loader that the kernel starts a program with. */
static int loader_find(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_INTERP)
            *(const char **)arg = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    }
    return 1; /* the first is the program itself */
}

/* No file but libraries and their tables; none to be written, and one to be started. */
static bool files_confine(const char *program)
{
    const char *loader = NULL;
    dl_iterate_phdr(loader_find, &loader);
    const struct landlock_ruleset_attr handled = {.handled_access_fs =
                                                      (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0)
        return false;
    bool confined =
        place_allow(rules, "/usr", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR) &&
        place_allow(rules, "/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE);
    if (confined && program != NULL)
        confined = loader != NULL && place_allow(rules, program, LANDLOCK_ACCESS_FS_EXECUTE) &&
                   place_allow(rules, loader, LANDLOCK_ACCESS_FS_EXECUTE);
    confined = confined && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return confined;
}

/* Any other call fails with EPERM: sockets, processes, names of files. */
static bool calls_confine(bool starts)
{
    static const int allowed[] = {
        SCMP_SYS(read),          SCMP_SYS(write),
        SCMP_SYS(readv),         SCMP_SYS(writev),
        SCMP_SYS(pread64),       SCMP_SYS(close),
        SCMP_SYS(fstat),         SCMP_SYS(newfstatat),
        SCMP_SYS(statx),         SCMP_SYS(lseek),
        SCMP_SYS(getdents64),    SCMP_SYS(access),
        SCMP_SYS(faccessat),     SCMP_SYS(faccessat2),
        SCMP_SYS(readlink),      SCMP_SYS(readlinkat),
        SCMP_SYS(mmap),          SCMP_SYS(munmap),
        SCMP_SYS(mprotect),      SCMP_SYS(mremap),
        SCMP_SYS(madvise),       SCMP_SYS(brk),
        SCMP_SYS(futex),         SCMP_SYS(getrandom),
        SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),  SCMP_SYS(sigaltstack),
        SCMP_SYS(arch_prctl),    SCMP_SYS(set_tid_address),
        SCMP_SYS(rseq),          SCMP_SYS(set_robust_list),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
        SCMP_SYS(time),          SCMP_SYS(getpid),
        SCMP_SYS(gettid),        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),       SCMP_SYS(getgid),
        SCMP_SYS(getegid),       SCMP_SYS(sysinfo),
        SCMP_SYS(uname),         SCMP_SYS(exit),
        SCMP_SYS(exit_group),    SCMP_SYS(sched_getaffinity),
    };
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int failed = filter == NULL;
    for (size_t i = 0; failed == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    if (failed == 0 && starts)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(execve), 0);
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

bool confine(const char *program)
{
    return privileges_drop() && files_confine(program) && limits_set() &&
           calls_confine(program != NULL);
}
