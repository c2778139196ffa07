/*
 * modules/search/extract/confine.h - what is left to a process that reads a hostile file: nobody's
 * rights, libraries and tables under /usr for reading (Landlock), no network, no processes, no
 * names of its own, a little memory and time (seccomp, limits).
 *
 * Thread: the only one of a process; what is given up does not come back.
 */
#ifndef MODULES_SEARCH_EXTRACT_CONFINE_H
#define MODULES_SEARCH_EXTRACT_CONFINE_H

#include <stdbool.h>

/* `program`: the one file that may be executed from now on, under the same limits; NULL: none.
 * False: this system cannot confine it, and the process has to end. */
bool confine(const char *program);

#endif
