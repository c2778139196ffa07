/*
 * server/options.h - settings of one run: the file, then the environment, then --set.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "core/config.h"

enum { EXIT_USAGE = 2 };

struct options {
    int argc;
    char **argv; /* argv[0] is skipped; read again on SIGHUP */
    const char *data;
    const char *config_file;
    struct config *config;
};

/* Reads --config, --data and --set into options->config, which is there. Errors: as config.h;
 * error is one line. */
MUST_USE enum status options_read(struct options *options, char error[CONFIG_ERROR_MAX]);
/* One line to stderr; returns EXIT_USAGE. */
int complain(const char *error);

#endif
