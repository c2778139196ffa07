/* tests/support/capture.h - what a body of code writes to stderr. */
#ifndef TESTS_SUPPORT_CAPTURE_H
#define TESTS_SUPPORT_CAPTURE_H

#include <stddef.h>

/* From here on stderr goes to a file of its own; asserts that it can. */
void capture_start(void);
/* Puts stderr back; the text (cut to size - 1 bytes, NUL added) into ret_text. */
void capture_stop(char *ret_text, size_t size);

#endif
