/*
 * tests/support/escape/escape.h - how an attempt to get out of the confinement ended.
 */
#ifndef TESTS_SUPPORT_ESCAPE_ESCAPE_H
#define TESTS_SUPPORT_ESCAPE_ESCAPE_H

#define ESCAPE_PDFTOTEXT "/usr/bin/pdftotext"

enum escape {
    ESCAPE_DONE = 40,
    ESCAPE_NO_CALL,   /* EPERM: seccomp */
    ESCAPE_NO_FILE,   /* EACCES: Landlock */
    ESCAPE_NO_MEMORY, /* ENOMEM: the limit */
    ESCAPE_FAILED,    /* otherwise: nothing was shown */
    ESCAPE_NOT_CONFINED,
    ESCAPE_UNKNOWN, /* no such attempt */
};

#endif
