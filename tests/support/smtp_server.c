#include "tests/support/smtp_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { LETTERS_MAX = 32, LINE_MAX_BYTES = 4096, PATIENCE_MS = 30000 };

struct smtp_mailbox {
    int fd;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex;
    bool stopping;
    int refusals;
    char refusal[128];
    int count;
    struct smtp_server_letter *letters[LETTERS_MAX];
};

static bool stopping(struct smtp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool answer = mailbox->stopping;
    pthread_mutex_unlock(&mailbox->mutex);
    return answer;
}

static bool readable(struct smtp_mailbox *mailbox, int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    while (!stopping(mailbox)) {
        if (poll(&poller, 1, 20) > 0)
            return true;
    }
    return false;
}

/* A line without its end; false: the client left. */
static bool line_read(struct smtp_mailbox *mailbox, int fd, char line[LINE_MAX_BYTES])
{
    size_t length = 0;
    while (length + 1 < LINE_MAX_BYTES && readable(mailbox, fd) &&
           read(fd, line + length, 1) == 1) {
        if (line[length++] == '\n') {
            line[length - (length > 1 && line[length - 2] == '\r' ? 2 : 1)] = '\0';
            return true;
        }
    }
    return false;
}

static void say(int fd, const char *line)
{
    char text[256];
    int length = snprintf(text, sizeof text, "%s\r\n", line);
    (void)!write(fd, text, (size_t)length);
}

static bool data_read(struct smtp_mailbox *mailbox, int fd, struct smtp_server_letter *letter)
{
    char line[LINE_MAX_BYTES];
    size_t length = 0;
    say(fd, "354 go on");
    while (line_read(mailbox, fd, line)) {
        if (strcmp(line, ".") == 0)
            return true;
        const char *text = line[0] == '.' ? line + 1 : line;
        int room = (int)(sizeof letter->data - length);
        length += (size_t)snprintf(letter->data + length, (size_t)room, "%s\r\n", text);
        if (length >= sizeof letter->data)
            return false;
    }
    return false;
}

static void keep(struct smtp_mailbox *mailbox, const struct smtp_server_letter *letter)
{
    struct smtp_server_letter *copy = malloc(sizeof *copy);
    *copy = *letter;
    pthread_mutex_lock(&mailbox->mutex);
    if (mailbox->count < LETTERS_MAX)
        mailbox->letters[mailbox->count++] = copy;
    else
        free(copy);
    pthread_mutex_unlock(&mailbox->mutex);
}

/* The line that refuses, or NULL. */
static const char *refusal(struct smtp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool refuses = mailbox->refusals > 0;
    mailbox->refusals -= refuses;
    pthread_mutex_unlock(&mailbox->mutex);
    return refuses ? mailbox->refusal : NULL;
}

static void serve(struct smtp_mailbox *mailbox, int fd)
{
    static struct smtp_server_letter letter;
    char line[LINE_MAX_BYTES];
    memset(&letter, 0, sizeof letter);
    say(fd, "220 test");
    while (line_read(mailbox, fd, line)) {
        const char *refused = NULL;
        if (strncasecmp(line, "EHLO", 4) == 0) {
            say(fd, "250-test");
            say(fd, "250 AUTH PLAIN");
        } else if (strncasecmp(line, "AUTH", 4) == 0) {
            say(fd, "334 ");
            if (!line_read(mailbox, fd, line))
                return;
            snprintf(letter.auth, sizeof letter.auth, "%.500s", line);
            say(fd, "235 ok");
        } else if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
            snprintf(letter.from, sizeof letter.from, "%.500s", line + 10);
            say(fd, "250 ok");
        } else if (strncasecmp(line, "RCPT TO:", 8) == 0) {
            snprintf(letter.to, sizeof letter.to, "%.500s", line + 8);
            refused = refusal(mailbox);
            say(fd, refused != NULL ? refused : "250 ok");
        } else if (strcasecmp(line, "DATA") == 0) {
            if (!data_read(mailbox, fd, &letter))
                return;
            keep(mailbox, &letter);
            say(fd, "250 taken");
        } else if (strcasecmp(line, "QUIT") == 0) {
            say(fd, "221 bye");
            return;
        } else {
            say(fd, "502 what?");
        }
    }
}

static void *mailbox_main(void *arg)
{
    struct smtp_mailbox *mailbox = arg;
    while (readable(mailbox, mailbox->fd)) {
        int fd = accept(mailbox->fd, NULL, NULL);
        if (fd < 0)
            continue;
        serve(mailbox, fd);
        close(fd);
    }
    return NULL;
}

struct smtp_mailbox *smtp_mailbox_start(void)
{
    struct smtp_mailbox *mailbox = calloc(1, sizeof *mailbox);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_non_null(mailbox);
    pthread_mutex_init(&mailbox->mutex, NULL);
    mailbox->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(mailbox->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(mailbox->fd, 16), 0);
    assert_int_equal(getsockname(mailbox->fd, (struct sockaddr *)&address, &length), 0);
    mailbox->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&mailbox->thread, NULL, mailbox_main, mailbox), 0);
    return mailbox;
}

uint16_t smtp_mailbox_port(const struct smtp_mailbox *mailbox)
{
    return mailbox->port;
}

void smtp_mailbox_refuse(struct smtp_mailbox *mailbox, int count, const char *line)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->refusals = count;
    snprintf(mailbox->refusal, sizeof mailbox->refusal, "%s", line);
    pthread_mutex_unlock(&mailbox->mutex);
}

int smtp_mailbox_count(struct smtp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    int count = mailbox->count;
    pthread_mutex_unlock(&mailbox->mutex);
    return count;
}

const struct smtp_server_letter *smtp_mailbox_await(struct smtp_mailbox *mailbox, int number)
{
    for (int i = 0; i < PATIENCE_MS && smtp_mailbox_count(mailbox) <= number; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_true(smtp_mailbox_count(mailbox) > number);
    return mailbox->letters[number];
}

struct smtp_mailbox *smtp_mailbox_stop(struct smtp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->stopping = true;
    pthread_mutex_unlock(&mailbox->mutex);
    pthread_join(mailbox->thread, NULL);
    close(mailbox->fd);
    for (int i = 0; i < mailbox->count; i++)
        free(mailbox->letters[i]);
    free(mailbox);
    return NULL;
}

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

char *smtp_letter_part(const struct smtp_server_letter *letter, const char *type)
{
    const char *part = strstr(letter->data, type);
    assert_non_null(part);
    const char *body = strstr(part, "\r\n\r\n");
    assert_non_null(body);
    char *text = calloc(1, strlen(body) + 1), *to = text;
    assert_non_null(text);
    uint32_t bits = 0;
    int have = 0;
    for (body += 4; *body != '\0' && *body != '-'; body++) {
        int digit = digit_of(*body);
        if (digit < 0)
            continue;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *to++ = (char)(bits >> have & 0xff);
        }
    }
    return text;
}
