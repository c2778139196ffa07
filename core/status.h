/*
 * core/status.h - the one error type of the program.
 *
 * Every function that can fail returns enum status: 0 is success, negative is a
 * failure whose name says what the caller can do about it. A library's own codes
 * are translated where the library is called.
 */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((__format__(__printf__, text, first)))

/* X(NAME, value, text): text is for a log line or a problem document. */
#define STATUS_LIST(X)                                                                             \
    X(OK, 0, "ok")                                                                                 \
    X(INVALID, -1, "invalid argument or malformed input")                                          \
    X(NO_MEMORY, -2, "out of memory")                                                              \
    X(LIMIT, -3, "a limit was reached")                                                            \
    X(NOT_FOUND, -4, "not found")                                                                  \
    X(EXISTS, -5, "already exists")                                                                \
    X(DENIED, -6, "not allowed")                                                                   \
    X(AGAIN, -7, "not ready yet")                                                                  \
    X(CLOSED, -8, "closed")                                                                        \
    X(TIMEOUT, -9, "timed out")                                                                    \
    X(IO, -10, "input or output failed")                                                           \
    X(UNSUPPORTED, -11, "not supported")                                                           \
    X(CORRUPT, -12, "data is damaged or not authentic")                                            \
    X(TRUNCATED, -13, "ends too early or does not fit")                                            \
    X(LATE, -14, "too late")                                                                       \
    X(DUPLICATE, -15, "seen before")                                                               \
    X(OUT_OF_WINDOW, -16, "outside the window")                                                    \
    X(INTERNAL, -17, "internal error")

enum status {
#define STATUS_ENUM(name, value, text) STATUS_##name = value,
    STATUS_LIST(STATUS_ENUM)
#undef STATUS_ENUM
};

/* "NOT_FOUND"; never NULL. */
const char *status_name(enum status status);
/* "not found"; never NULL. */
const char *status_text(enum status status);

#endif
