#include "tests/support/rest_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384 };

struct rest_client {
    int fd;
    size_t length; /* bytes of buffer read so far */
    char buffer[HEAD_MAX + REST_CLIENT_BODY_MAX + 1];
};

enum status rest_client_open(uint16_t port, uint32_t wait_ms, struct rest_client **ret_client)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    struct rest_client *client = malloc(sizeof *client);
    if (client == NULL)
        return STATUS_NO_MEMORY;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        free(client);
        return STATUS_IO;
    }
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        rest_client_close(client);
        return STATUS_IO;
    }
    *ret_client = client;
    return STATUS_OK;
}

struct rest_client *rest_client_close(struct rest_client *client)
{
    if (client != NULL) {
        close(client->fd);
        free(client);
    }
    return NULL;
}

static enum status transmit(struct rest_client *client, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return STATUS_IO;
        bytes += put;
        length -= (size_t)put;
    }
    return STATUS_OK;
}

/* Some more of the answer. */
static enum status receive(struct rest_client *client)
{
    size_t room = sizeof client->buffer - 1 - client->length;
    ssize_t got;
    if (room == 0)
        return STATUS_LIMIT;
    do {
        got = recv(client->fd, client->buffer + client->length, room, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got == 0                                  ? STATUS_CLOSED
               : errno == EAGAIN || errno == EWOULDBLOCK ? STATUS_TIMEOUT
                                                         : STATUS_IO;
    client->length += (size_t)got;
    client->buffer[client->length] = '\0';
    return STATUS_OK;
}

static enum status request_send(struct rest_client *client, const struct rest_call *call)
{
    size_t length = call->body != NULL ? strlen(call->body) : 0;
    int head = snprintf(
        client->buffer, HEAD_MAX,
        "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s%s%s%s%sContent-Length: %zu\r\n\r\n",
        call->method, call->path, call->token ? "Authorization: Bearer " : "",
        call->token ? call->token : "", call->token ? "\r\n" : "",
        call->key ? "Idempotency-Key: " : "", call->key ? call->key : "", call->key ? "\r\n" : "",
        call->body ? "Content-Type: application/json\r\n" : "", length);
    if (head < 0 || head >= HEAD_MAX || length > REST_CLIENT_BODY_MAX)
        return STATUS_LIMIT;
    if (length > 0)
        memcpy(client->buffer + head, call->body, length);
    return transmit(client, client->buffer, (size_t)head + length);
}

/* The length that the head in the buffer names; 0 for answers without a body. */
static enum status body_length(const char *head, int code, size_t *ret_length)
{
    static const char name[] = "\r\ncontent-length:";
    const char *field = strcasestr(head, name);
    if (field != NULL)
        *ret_length = strtoul(field + sizeof name - 1, NULL, 10);
    else if (code == 204)
        *ret_length = 0;
    else
        return STATUS_INVALID;
    return *ret_length <= REST_CLIENT_BODY_MAX ? STATUS_OK : STATUS_LIMIT;
}

enum status rest_client_call(struct rest_client *client, const struct rest_call *call,
                             int *ret_code, const char **ret_body)
{
    char *end = NULL;
    int code = 0;
    size_t length = 0;
    enum status status = request_send(client, call);
    client->length = 0;
    while (status == STATUS_OK && end == NULL) {
        status = receive(client);
        end = status == STATUS_OK ? strstr(client->buffer, "\r\n\r\n") : NULL;
        if (end == NULL && client->length >= HEAD_MAX)
            return STATUS_LIMIT;
    }
    if (status != STATUS_OK)
        return status;
    if (sscanf(client->buffer, "HTTP/1.1 %3d ", &code) != 1)
        return STATUS_INVALID;
    end[2] = '\0';
    status = body_length(client->buffer, code, &length);
    size_t first = (size_t)(end + 4 - client->buffer);
    while (status == STATUS_OK && client->length < first + length)
        status = receive(client);
    if (status == STATUS_OK) {
        client->buffer[first + length] = '\0';
        *ret_code = code;
        *ret_body = client->buffer + first;
    }
    return status;
}
