#include "tests/support/server_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void child_exec(const struct server_process *server, int output, pid_t parent)
{
    enum { TEXT_MAX = 512 };
    char port[32], data[TEXT_MAX], web[TEXT_MAX];
    snprintf(port, sizeof port, "http.port=%u", server->port);
    snprintf(data, sizeof data, "%s/data", server->folder);
    snprintf(web, sizeof web, "http.web=%s/web", server->folder);
    /* clang-format off */
    const char *const words[] = {
        server->program, "serve", "--data", data, "--set", port, "--set", web,
        "--set", "https.enabled=no", "--set", "media.port=0", "--set", "meetings.adhoc=anyone",
        "--set", "log.levels=error", "--set", "http.requests=1000000",
        "--set", "http.connections=10000", NULL,
    };
    /* clang-format on */
    char *arguments[sizeof words / sizeof words[0]];
    for (size_t i = 0; i + 1 < sizeof words / sizeof words[0]; i++)
        arguments[i] = strdup(words[i]);
    arguments[sizeof words / sizeof words[0] - 1] = NULL;
    /* Whatever becomes of the test, its server does not stay behind. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);
    dup2(output, STDOUT_FILENO);
    execv(server->program, arguments);
    _exit(127);
}

enum status server_process_start(struct server_process *server)
{
    int ends[2];
    char web[512];
    snprintf(web, sizeof web, "%s/web", server->folder);
    if ((mkdir(web, 0700) != 0 && errno != EEXIST) || pipe2(ends, O_CLOEXEC) != 0)
        return STATUS_IO;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        child_exec(server, ends[1], parent);
    close(ends[1]);
    FILE *output = pid > 0 ? fdopen(ends[0], "r") : NULL;
    if (!output) {
        close(ends[0]);
        return STATUS_IO;
    }
    server->pid = pid;
    char line[256];
    unsigned port = 0;
    while (port == 0 && fgets(line, sizeof line, output))
        (void)!sscanf(line, "ready http://localhost:%u/", &port);
    fclose(output);
    if (port == 0) {
        server_process_stop(server, SIGKILL);
        return STATUS_IO;
    }
    server->port = (uint16_t)port;
    return STATUS_OK;
}

int server_process_stop(struct server_process *server, int signal_number)
{
    int how = 0;
    kill(server->pid, signal_number);
    while (waitpid(server->pid, &how, 0) < 0 && errno == EINTR)
        continue;
    server->pid = 0;
    return how;
}
