/*
 * server/subcommand.h - `parley WORD WORD --option value ...`, made from the tables of
 * signalling/control: each field an option (`_` is `-`), a boolean one without a value, one
 * whose name begins with "password" read from standard input (--password-stdin).
 */
#ifndef SERVER_SUBCOMMAND_H
#define SERVER_SUBCOMMAND_H

#include "signalling/control/control.h"

#include <stdio.h>

/* NULL: no such. */
const struct control_command *subcommand_find(const char *first, const char *second);
/* argv[1] and argv[2] are its words. Returns the exit status. */
int subcommand_run(int argc, char **argv);
/* What there is, for --help. */
void subcommands_print(FILE *stream);

#endif
