/* CPU time and memory of processes, from /proc. */
#ifndef PROC_H
#define PROC_H
#include <stdbool.h>
#include <stdint.h>
struct proc_sample {
    uint64_t user_us, sys_us; /* /proc/PID/stat utime, stime */
    uint64_t rss_kb, anon_kb;
    uint64_t vol, invol; /* context switches over all threads */
    int threads;
};
struct cpu_sample {
    uint64_t busy_us[64], soft_us[64], steal_us[64];
    int n;
};
bool proc_read(int pid, struct proc_sample *s);
void proc_name(int pid, char out[32]);
void cpu_read(struct cpu_sample *s);
#endif
