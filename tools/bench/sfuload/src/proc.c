#include "proc.h"
#include "util.h"
#include <dirent.h>
#include <unistd.h>

static uint64_t status_field(const char *path, const char *name)
{
    char l[256];
    uint64_t v = 0;
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    size_t n = strlen(name);
    while (fgets(l, sizeof l, f))
        if (!strncmp(l, name, n)) {
            v = strtoull(l + n, NULL, 10);
            break;
        }
    fclose(f);
    return v;
}

bool proc_read(int pid, struct proc_sample *s)
{
    char path[300], t[1024];
    uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), u, k;
    memset(s, 0, sizeof *s);
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(t, sizeof t, f)) {
        if (f)
            fclose(f);
        return false;
    }
    fclose(f);
    char *p = strrchr(t, ')');
    if (!p || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u, &k) != 2)
        return false;
    s->user_us = u * 1000000 / hz;
    s->sys_us = k * 1000000 / hz;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    s->rss_kb = status_field(path, "VmRSS:");
    s->anon_kb = status_field(path, "RssAnon:");
    s->threads = (int)status_field(path, "Threads:");
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (*e->d_name == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/status", pid, e->d_name);
        s->vol += status_field(path, "voluntary_ctxt_switches:");
        s->invol += status_field(path, "nonvoluntary_ctxt_switches:");
    }
    if (d)
        closedir(d);
    return true;
}

void proc_name(int pid, char out[32])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    FILE *f = fopen(path, "r");
    strcpy(out, "?");
    if (f) {
        if (fgets(out, 32, f))
            out[strcspn(out, "\n")] = 0;
        fclose(f);
    }
}

void cpu_read(struct cpu_sample *s)
{
    char l[512];
    uint64_t unit = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK), v[8];
    FILE *f = fopen("/proc/stat", "r");
    memset(s, 0, sizeof *s);
    while (f && fgets(l, sizeof l, f)) {
        int cpu;
        if (sscanf(l, "cpu%d %lu %lu %lu %lu %lu %lu %lu %lu", &cpu, v, v + 1, v + 2, v + 3, v + 4,
                   v + 5, v + 6, v + 7) != 9 ||
            cpu < 0 || cpu >= 64)
            continue;
        s->busy_us[cpu] = (v[0] + v[1] + v[2] + v[5] + v[6]) * unit;
        s->soft_us[cpu] = (v[5] + v[6]) * unit;
        s->steal_us[cpu] = v[7] * unit;
        if (cpu >= s->n)
            s->n = cpu + 1;
    }
    if (f)
        fclose(f);
}
