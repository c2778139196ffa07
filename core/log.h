/*
 * core/log.h - structured log: one line an event, logfmt, to stderr.
 *
 *   2026-11-23T19:00:00.123Z info media transport_up id=17 worker=0
 *
 * core, media and storage return errors; modules and edges log them, once. No
 * secret and no message text goes into a log. Any thread; a line is one write.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

#define LOG_TOPIC_LIST(X)                                                                          \
    X(SERVER, "server")                                                                            \
    X(LOOP, "loop")                                                                                \
    X(HTTP, "http")                                                                                \
    X(GATEWAY, "gateway")                                                                          \
    X(MEETING, "meeting")                                                                          \
    X(MEDIA, "media")                                                                              \
    X(ICE, "ice")                                                                                  \
    X(DTLS, "dtls")                                                                                \
    X(SFU, "sfu")                                                                                  \
    X(RTCP, "rtcp")                                                                                \
    X(WHIP, "whip")                                                                                \
    X(PHONE, "phone")                                                                              \
    X(STORAGE, "storage")                                                                          \
    X(JOBS, "jobs")                                                                                \
    X(MAIL, "mail")

enum log_topic {
#define LOG_TOPIC_ENUM(name, text) LOG_##name,
    LOG_TOPIC_LIST(LOG_TOPIC_ENUM)
#undef LOG_TOPIC_ENUM
        LOG_TOPIC_COUNT
};

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum {
    LOG_LINE_MAX = 1024, /* bytes; longer lines are cut and end in "..." */
};

/*
 * Writes one event. `event` is a short_snake_case name; `format` yields
 * "key=value key2=value2" (may be ""). Values from outside go through log_quote.
 */
void log_event(enum log_topic topic, enum log_level level, const char *event, const char *format,
               ...) PRINTF_LIKE(4, 5);

/* Quotes and escapes `value` into `buffer` (cut when too long); returns buffer. */
const char *log_quote(char *buffer, size_t size, const char *value);

/* True when debug lines of the topic are wanted: guards costly arguments. */
bool log_wants(enum log_topic topic, enum log_level level);

/*
 * Sets levels from "info,media=debug,http=warn": a bare level is for all topics.
 * Errors: STATUS_INVALID (nothing changed).
 */
MUST_USE enum status log_levels_set(const char *spec);

#endif
