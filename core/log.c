#include "core/log.h"

#include "core/clock.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const topic_names[LOG_TOPIC_COUNT] = {
#define TOPIC_NAME(name, text) [LOG_##name] = text,
    LOG_TOPIC_LIST(TOPIC_NAME)
#undef TOPIC_NAME
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

enum { LEVEL_COUNT = sizeof level_names / sizeof level_names[0] };

/* The most talkative level a topic still prints, less LOG_INFO, so that zeroed means info. */
static _Atomic signed char offsets[LOG_TOPIC_COUNT];

bool log_wants(enum log_topic topic, enum log_level level)
{
    int most = LOG_INFO + atomic_load_explicit(&offsets[topic], memory_order_relaxed);
    return (int)level <= most;
}

/* Writes "2026-11-23T19:00:00.123Z"; returns its length. */
static size_t put_time(char *line, size_t size)
{
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t length = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return length + (size_t)snprintf(line + length, size - length, ".%03dZ", (int)(now_ms % 1000));
}

void log_event(enum log_topic topic, enum log_level level, const char *event, const char *format,
               ...)
{
    if (!log_wants(topic, level))
        return;
    char line[LOG_LINE_MAX];
    size_t length = put_time(line, sizeof line);
    int added = snprintf(line + length, sizeof line - length, " %s %s %s", level_names[level],
                         topic_names[topic], event);
    length += added > 0 ? (size_t)added : 0;
    if (format[0] != '\0' && length + 1 < sizeof line) {
        line[length++] = ' ';
        va_list args;
        va_start(args, format);
        added = vsnprintf(line + length, sizeof line - length, format, args);
        va_end(args);
        length += added > 0 ? (size_t)added : 0;
    }
    if (length > sizeof line - 1) {
        length = sizeof line - 1;
        memcpy(line + length - 3, "...", 3);
    }
    for (size_t i = 0; i < length; i++) {
        if (iscntrl((unsigned char)line[i]))
            line[i] = '?'; /* an event is one line, whatever a value holds */
    }
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0)
        return; /* nowhere left to say so */
}

/* The escape of a byte into `piece` (at most 4 characters); returns its length. */
static size_t escape(unsigned char c, char piece[5])
{
    if (c == '"' || c == '\\')
        return (size_t)sprintf(piece, "\\%c", c);
    if (c == '\n')
        return (size_t)sprintf(piece, "\\n");
    if (iscntrl(c))
        return (size_t)sprintf(piece, "\\x%02x", c);
    piece[0] = (char)c;
    return 1;
}

const char *log_quote(char *buffer, size_t size, const char *value)
{
    if (size < 3) {
        if (size > 0)
            buffer[0] = '\0';
        return buffer;
    }
    size_t length = 0;
    buffer[length++] = '"';
    for (; value && *value; value++) {
        char piece[5];
        size_t more = escape((unsigned char)*value, piece);
        if (length + more + 2 > size)
            break;
        memcpy(buffer + length, piece, more);
        length += more;
    }
    buffer[length++] = '"';
    buffer[length] = '\0';
    return buffer;
}

/* The index of the word among the names, or -1. */
static int find(const char *const *names, int count, const char *word, size_t length)
{
    for (int i = 0; i < count; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0)
            return i;
    }
    return -1;
}

/* One "level" or "topic=level" of a spec. */
static bool apply(const char *word, size_t length, signed char wanted[LOG_TOPIC_COUNT])
{
    const char *equals = memchr(word, '=', length);
    const char *level_word = equals ? equals + 1 : word;
    int level = find(level_names, LEVEL_COUNT, level_word, (size_t)(word + length - level_word));
    if (level < 0)
        return false;
    signed char offset = (signed char)(level - LOG_INFO);
    if (!equals) {
        memset(wanted, offset, LOG_TOPIC_COUNT);
        return true;
    }
    int topic = find(topic_names, LOG_TOPIC_COUNT, word, (size_t)(equals - word));
    if (topic < 0)
        return false;
    wanted[topic] = offset;
    return true;
}

enum status log_levels_set(const char *spec)
{
    signed char wanted[LOG_TOPIC_COUNT];
    for (int i = 0; i < LOG_TOPIC_COUNT; i++)
        wanted[i] = atomic_load(&offsets[i]);
    for (const char *word = spec;;) {
        size_t length = strcspn(word, ",");
        if (!apply(word, length, wanted))
            return STATUS_INVALID;
        if (word[length] == '\0')
            break;
        word += length + 1;
    }
    for (int i = 0; i < LOG_TOPIC_COUNT; i++)
        atomic_store(&offsets[i], wanted[i]);
    return STATUS_OK;
}
