/*
 * server/docs.h - what is printed from tables: the protocol and the manual page.
 */
#ifndef SERVER_DOCS_H
#define SERVER_DOCS_H

#include <stdio.h>

void docs_print_protocol(FILE *stream);
void docs_print_manual(FILE *stream);

#endif
