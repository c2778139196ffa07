#include "server/options.h"

#include <getopt.h>
#include <stdio.h>

int complain(const char *error)
{
    fprintf(stderr, "parley: %s\n", error);
    return EXIT_USAGE;
}

enum status options_read(struct options *options, char error[CONFIG_ERROR_MAX])
{
    static const struct option names[] = {{"config", required_argument, NULL, 'c'},
                                          {"data", required_argument, NULL, 'd'},
                                          {"set", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    enum status status = STATUS_OK;
    int option;
    opterr = 0;
    for (int pass = 0; pass < 2 && status == STATUS_OK; pass++) { /* the files, then --set */
        optind = 1;
        if (pass == 1 && options->config_file != NULL)
            status = config_read_file(options->config, options->config_file, error);
        if (pass == 1 && status == STATUS_OK)
            status = config_read_environment(options->config, "PARLEY_", error);
        while (status == STATUS_OK &&
               (option = getopt_long(options->argc, options->argv, "", names, NULL)) != -1) {
            if (option == 'c')
                options->config_file = optarg;
            else if (option == 'd')
                options->data = optarg;
            else if (option == 's' && pass == 1)
                status = config_set(options->config, optarg, "--set", error);
            else if (option == '?') {
                snprintf(error, CONFIG_ERROR_MAX,
                         "%.200s: no such option, or its value is missing; see parley --help",
                         options->argv[optind - 1]);
                status = STATUS_INVALID;
            }
        }
    }
    if (status == STATUS_OK && optind < options->argc) {
        snprintf(error, CONFIG_ERROR_MAX, "%.200s: not understood; see parley --help",
                 options->argv[optind]);
        status = STATUS_INVALID;
    }
    return status;
}
