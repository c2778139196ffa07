#include "tests/support/origin.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct origin {
    int listening, stop[2];
    uint16_t port;
    _Atomic uint32_t connections;
    origin_fn *fn;
    void *context;
    pthread_t thread;
};

/* False: the origin stops. */
static bool readable(const struct origin *origin, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = origin->stop[0], .events = POLLIN}};
    while (poll(fds, 2, -1) < 0)
        ;
    return fds[1].revents == 0;
}

static size_t length_named(const char *head)
{
    for (const char *line = head; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncasecmp(line, "content-length:", 15) == 0)
            return strtoul(line + 15, NULL, 10);
    }
    return 0;
}

/* Bytes until the body that the head announces is there. False: the client left. */
static bool request_read(const struct origin *origin, int fd, char *bytes,
                         struct origin_request *ret_request)
{
    size_t length = 0;
    while (length < ORIGIN_REQUEST_MAX && readable(origin, fd)) {
        ssize_t got = read(fd, bytes + length, ORIGIN_REQUEST_MAX - length);
        if (got <= 0)
            return false;
        length += (size_t)got;
        bytes[length] = '\0';
        const char *end = strstr(bytes, "\r\n\r\n");
        if (end == NULL)
            continue;
        size_t head = (size_t)(end - bytes) + 4, body = length_named(bytes);
        if (length < head + body)
            continue;
        *ret_request = (struct origin_request){bytes, (uint8_t *)bytes + head, body};
        return true;
    }
    return false;
}

static void request_serve(struct origin *origin, int fd, char *bytes)
{
    struct origin_request request;
    size_t length = 0;
    if (!request_read(origin, fd, bytes, &request))
        return;
    char *answer = origin->fn(origin->context, &request, &length);
    for (size_t sent = 0; answer != NULL && sent < length;) {
        ssize_t got = send(fd, answer + sent, length - sent, MSG_NOSIGNAL);
        if (got <= 0)
            break;
        sent += (size_t)got;
    }
    char rest[256];
    if (answer != NULL)
        shutdown(fd, SHUT_WR);
    while (readable(origin, fd) && read(fd, rest, sizeof rest) > 0)
        ;
    free(answer);
}

static void *serve(void *arg)
{
    struct origin *origin = arg;
    char *bytes = malloc(ORIGIN_REQUEST_MAX + 1);
    while (bytes != NULL && readable(origin, origin->listening)) {
        int fd = accept4(origin->listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        origin->connections++;
        request_serve(origin, fd, bytes);
        close(fd);
    }
    free(bytes);
    return NULL;
}

struct origin *origin_start(const char *address, origin_fn *fn, void *context)
{
    struct origin *origin = calloc(1, sizeof *origin);
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    struct sockaddr_in *in = (struct sockaddr_in *)&bound;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&bound;
    assert_non_null(origin);
    bool six = strchr(address, ':') != NULL;
    bound.ss_family = six ? AF_INET6 : AF_INET;
    assert_int_equal(
        inet_pton(bound.ss_family, address, six ? (void *)&in6->sin6_addr : (void *)&in->sin_addr),
        1);
    origin->fn = fn;
    origin->context = context;
    origin->listening = socket(bound.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(origin->listening, (struct sockaddr *)&bound, six ? sizeof *in6 : sizeof *in), 0);
    assert_int_equal(listen(origin->listening, 16), 0);
    assert_int_equal(getsockname(origin->listening, (struct sockaddr *)&bound, &size), 0);
    origin->port = ntohs(six ? in6->sin6_port : in->sin_port);
    assert_int_equal(pipe2(origin->stop, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&origin->thread, NULL, serve, origin), 0);
    return origin;
}

uint16_t origin_port(const struct origin *origin)
{
    return origin->port;
}

uint32_t origin_connections(const struct origin *origin)
{
    return origin->connections;
}

struct origin *origin_stop(struct origin *origin)
{
    assert_int_equal(write(origin->stop[1], "", 1), 1);
    pthread_join(origin->thread, NULL);
    close(origin->stop[0]);
    close(origin->stop[1]);
    close(origin->listening);
    free(origin);
    return NULL;
}

char *origin_answer(int code, const char *type, const char *headers, const char *text,
                    size_t *ret_length)
{
    char *answer = NULL;
    int length = asprintf(&answer,
                          "HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n%s\r\n%s",
                          code, type, strlen(text), headers, text);
    assert_true(length > 0);
    *ret_length = (size_t)length;
    return answer;
}
