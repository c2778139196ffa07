/*
 * tests/support/server_process.h - `parley serve` as a child process: started, killed,
 * started again on the same data and port.
 */
#ifndef TESTS_SUPPORT_SERVER_PROCESS_H
#define TESTS_SUPPORT_SERVER_PROCESS_H

#include "core/status.h"

#include <stdint.h>
#include <sys/types.h>

struct server_process {
    const char *program;
    const char *folder; /* exists; data/ and an empty web/ are made in it */
    uint16_t port;      /* of HTTP; 0 before the first start: any */
    pid_t pid;          /* 0: it does not run */
};

/* Returns after its "ready" line; without HTTPS, media on any port, no limits per address.
 * Errors: STATUS_IO (no process, or it ended first). */
MUST_USE enum status server_process_start(struct server_process *server);
/* Sends the signal and waits for the end. Returns what waitpid said. */
int server_process_stop(struct server_process *server, int signal_number);

#endif
