/*
 * parley - the command line: reads the configuration, starts the server, turns signals
 * into calls.
 */
#include "core/log.h"
#include "server/docs.h"
#include "server/options.h"
#include "server/server.h"
#include "server/subcommand.h"
#include "server/upkeep.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { DRAIN_MS = 500, ARENAS_MAX = 2, MAP_BYTES = 16384 };

static void usage(FILE *stream)
{
    fputs(
        "parley " PARLEY_VERSION " - meetings and team spaces on a server of your own\n\n"
        "usage:\n"
        "  parley serve [--config FILE] [--data DIR] [--set KEY=VALUE ...]\n"
        "  parley WORD WORD ...     one of the commands below, beside a running server or without\n"
        "  parley sample-config     the commented configuration file\n"
        "  parley manual            the manual page (roff)\n"
        "  parley protocol          docs/protocol.md\n"
        "  parley --help | --version\n\n"
        "options of serve:\n"
        "  --config FILE            read this file first\n"
        "  --data DIR               where everything is kept (default: ./data)\n"
        "  --set KEY=VALUE          over the environment, which is over the file\n\n"
        "environment:\n"
        "  PARLEY_KEY               any key below, in capitals and with _ for the dot:\n"
        "                           PARLEY_HTTP_PORT=8081\n\n"
        "commands, each with --data and --config as for serve, and --json for the result:\n",
        stream);
    subcommands_print(stream);
    fputs("\nkeys:\n", stream);
    config_print_help(&settings_table, stream);
}

/* ---- serve ---- */

/* A client on every core's worth of descriptors: as many as the machine allows. */
static void descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void levels_apply(const struct settings *settings)
{
    if (log_levels_set(settings->log) != STATUS_OK)
        log_event(LOG_SERVER, LOG_WARN, "bad_log_levels", "key=log.levels");
}

/* All of it is read again, so that --set stays over the file; one that is wrong changes nothing. */
static void settings_reload(struct options *options)
{
    char error[CONFIG_ERROR_MAX];
    struct options again = {.argc = options->argc, .argv = options->argv};
    enum status status = config_new(&settings_table, &again.config);
    if (status != STATUS_OK)
        snprintf(error, sizeof error, "%s", status_text(status));
    else
        status = options_read(&again, error);
    if (status == STATUS_OK) {
        config_free(options->config);
        options->config = again.config;
        return;
    }
    char quoted[CONFIG_ERROR_MAX * 2];
    log_event(LOG_SERVER, LOG_ERROR, "config_not_read", "why=%s",
              log_quote(quoted, sizeof quoted, error));
    config_free(again.config);
}

/* SIGUSR1 switches every topic between debug and what is configured. */
static void signals_serve(struct server *server, struct options *options, const sigset_t *signals)
{
    bool debug = false;
    for (;;) {
        int number = sigtimedwait(signals, NULL, &(struct timespec){.tv_sec = UPKEEP_SECONDS});
        if (number < 0) {
            server_upkeep(server);
            continue;
        }
        if (number == SIGTERM || number == SIGINT)
            return;
        if (number == SIGHUP) {
            settings_reload(options);
            levels_apply(config_settings(options->config));
            debug = false;
            server_reload(server, config_settings(options->config));
        } else if (number == SIGUSR1) {
            debug = !debug;
            if (debug)
                (void)!log_levels_set("debug");
            else
                levels_apply(config_settings(options->config));
        }
    }
}

static int serve_with(struct options *options)
{
    char error[CONFIG_ERROR_MAX];
    sigset_t signals;
    sigemptyset(&signals);
    const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        sigaddset(&signals, wanted[i]);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* every thread: main waits for them */
    signal(SIGPIPE, SIG_IGN);
    descriptors_raise();
    struct server *server;
    levels_apply(config_settings(options->config));
    if (server_start(config_settings(options->config), options->data, &server, error) !=
        STATUS_OK) {
        config_blame(options->config, error);
        return complain(error);
    }
    printf("ready %s\n", server_link(server));
    fflush(stdout);
    signals_serve(server, options, &signals);
    log_event(LOG_SERVER, LOG_INFO, "stopping", "drain_ms=%d", DRAIN_MS);
    server_drain(server);
    nanosleep(&(struct timespec){.tv_nsec = DRAIN_MS * 1000000L}, NULL);
    server_stop(server);
    return EXIT_SUCCESS;
}

static int serve(int argc, char **argv)
{
    char error[CONFIG_ERROR_MAX] = "";
    struct options options = {.argc = argc, .argv = argv, .data = "data"};
    if (config_new(&settings_table, &options.config) != STATUS_OK)
        return complain(status_text(STATUS_NO_MEMORY));
    int code = options_read(&options, error) == STATUS_OK ? serve_with(&options) : complain(error);
    config_free(options.config);
    return code;
}

/* How malloc is to behave in a server. */
static void malloc_set(char **argv)
{
    /* Each thread's cache of freed blocks would pin a page of what a tide of joins has left for
     * each: 10 MB after 5,000. The GNU C library reads this only before main, so the program begins
     * once more; where it cannot, or somebody has tunables of his own, it goes on with the caches.
     */
    if (getenv("GLIBC_TUNABLES") == NULL &&
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 0) == 0)
        (void)execv("/proc/self/exe", argv);
    /* Each thread's own arena keeps what it once held: 20 KiB a participant more. Threads that are
     * in a hurry take nothing from malloc. */
    mallopt(M_ARENA_MAX, ARENAS_MAX);
    /* Most of what a handshake takes are a few buffers this large. Mapped by themselves they are
     * the kernel's again when it is done, whatever lives on beside them in the heap. */
    mallopt(M_MMAP_THRESHOLD, MAP_BYTES);
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "--help";
    if (strcmp(command, "serve") == 0) {
        malloc_set(argv);
        return serve(argc - 1, argv + 1);
    }
    if (strcmp(command, "sample-config") == 0)
        config_print_sample(&settings_table, stdout);
    else if (strcmp(command, "manual") == 0)
        docs_print_manual(stdout);
    else if (strcmp(command, "protocol") == 0)
        docs_print_protocol(stdout);
    else if (strcmp(command, "--version") == 0)
        puts("parley " PARLEY_VERSION);
    else if (strcmp(command, "--help") == 0)
        usage(stdout);
    else if (argc > 2 && subcommand_find(argv[1], argv[2]) != NULL)
        return subcommand_run(argc, argv);
    else {
        usage(stderr);
        return EXIT_USAGE;
    }
    return EXIT_SUCCESS;
}
