#include "tests/support/ws_client.h"

#include "core/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { FIN = 0x80, MASKED = 0x80, CONTINUATION = 0, TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };
enum { HEAD_MAX = 4096, CONTROL_MAX = 125, BUFFER_BYTES = 65536 };

struct ws_client {
    int fd;
    size_t from, to; /* unread bytes of buffer */
    uint8_t buffer[BUFFER_BYTES];
    char *message; /* WS_CLIENT_MESSAGE_MAX + 1 */
};

static enum status receive(struct ws_client *client, void *ret_bytes, size_t length)
{
    uint8_t *at = ret_bytes;
    while (length > 0) {
        if (client->from == client->to) {
            ssize_t got = recv(client->fd, client->buffer, sizeof client->buffer, 0);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                return got == 0                                  ? STATUS_CLOSED
                       : errno == EAGAIN || errno == EWOULDBLOCK ? STATUS_TIMEOUT
                                                                 : STATUS_IO;
            client->from = 0;
            client->to = (size_t)got;
        }
        size_t some = client->to - client->from < length ? client->to - client->from : length;
        memcpy(at, client->buffer + client->from, some);
        client->from += some;
        at += some;
        length -= some;
    }
    return STATUS_OK;
}

static enum status transmit(struct ws_client *client, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (length > 0) {
        ssize_t put = send(client->fd, at, length, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return STATUS_IO;
        at += put;
        length -= (size_t)put;
    }
    return STATUS_OK;
}

/* ---- opening ---- */

static enum status upgrade(struct ws_client *client, const char *path)
{
    char head[HEAD_MAX];
    int length = snprintf(head, sizeof head,
                          "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          path);
    if (length < 0 || length >= (int)sizeof head)
        return STATUS_INVALID;
    enum status status = transmit(client, head, (size_t)length);
    size_t got = 0;
    while (status == STATUS_OK && (got < 4 || memcmp(head + got - 4, "\r\n\r\n", 4) != 0)) {
        if (got == sizeof head)
            return STATUS_IO;
        status = receive(client, head + got++, 1);
    }
    if (status != STATUS_OK)
        return status;
    return strncmp(head, "HTTP/1.1 101 ", 13) == 0 ? STATUS_OK : STATUS_IO;
}

enum status ws_client_open(uint16_t port, const char *path, uint32_t wait_ms,
                           struct ws_client **ret_client)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    struct ws_client *client = calloc(1, sizeof *client);
    enum status status = STATUS_NO_MEMORY;
    if (!client)
        return status;
    client->fd = -1;
    client->message = malloc(WS_CLIENT_MESSAGE_MAX + 1);
    if (!client->message)
        goto out;
    status = STATUS_IO;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        goto out;
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0)
        goto out;
    if (upgrade(client, path) == STATUS_OK)
        status = STATUS_OK;
out:
    if (status != STATUS_OK) {
        ws_client_close(client);
        return status;
    }
    *ret_client = client;
    return STATUS_OK;
}

struct ws_client *ws_client_close(struct ws_client *client)
{
    if (client) {
        if (client->fd >= 0)
            close(client->fd);
        free(client->message);
        free(client);
    }
    return NULL;
}

/* ---- frames ---- */

static enum status frame_send(struct ws_client *client, uint8_t opcode, const void *payload,
                              size_t length)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t *frame = malloc(length + 14);
    if (!frame)
        return STATUS_NO_MEMORY;
    size_t at = 2;
    frame[0] = FIN | opcode;
    if (length < 126) {
        frame[1] = (uint8_t)(MASKED | length);
    } else if (length <= UINT16_MAX) {
        frame[1] = MASKED | 126;
        store_be16(frame + at, (uint16_t)length);
        at += 2;
    } else {
        frame[1] = MASKED | 127;
        store_be64(frame + at, length);
        at += 8;
    }
    memcpy(frame + at, mask, sizeof mask);
    at += sizeof mask;
    for (size_t i = 0; i < length; i++)
        frame[at + i] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
    enum status status = transmit(client, frame, at + length);
    free(frame);
    return status;
}

enum status ws_client_send(struct ws_client *client, const char *text)
{
    return frame_send(client, TEXT, text, strlen(text));
}

struct frame {
    uint8_t opcode;
    bool last;
    uint64_t length;
};

static enum status frame_head(struct ws_client *client, struct frame *ret_frame)
{
    uint8_t head[8];
    enum status status = receive(client, head, 2);
    if (status != STATUS_OK)
        return status;
    struct frame frame = {.opcode = head[0] & 0x0f, .last = head[0] & FIN, .length = head[1]};
    if (head[0] & 0x70 || head[1] & MASKED)
        return STATUS_INVALID;
    if (frame.length == 126) {
        status = receive(client, head, 2);
        frame.length = load_be16(head);
    } else if (frame.length == 127) {
        status = receive(client, head, 8);
        frame.length = load_be64(head);
    }
    if (status == STATUS_OK)
        *ret_frame = frame;
    return status;
}

/* A control frame, which may come between the fragments of a message. */
static enum status control_take(struct ws_client *client, const struct frame *frame)
{
    uint8_t payload[CONTROL_MAX];
    if (frame->length > sizeof payload || !frame->last)
        return STATUS_INVALID;
    enum status status = receive(client, payload, frame->length);
    if (status == STATUS_OK && frame->opcode == PING)
        status = frame_send(client, PONG, payload, frame->length);
    else if (status == STATUS_OK && frame->opcode == CLOSE)
        status = STATUS_CLOSED;
    return status;
}

enum status ws_client_read(struct ws_client *client, const char **ret_text, size_t *ret_length)
{
    size_t length = 0;
    bool begun = false;
    for (;;) {
        struct frame frame;
        enum status status = frame_head(client, &frame);
        if (status == STATUS_OK && frame.opcode >= CLOSE) {
            status = control_take(client, &frame);
            if (status == STATUS_OK)
                continue;
        }
        if (status != STATUS_OK)
            return status;
        if (frame.opcode != (begun ? CONTINUATION : TEXT))
            return STATUS_INVALID;
        if (frame.length > WS_CLIENT_MESSAGE_MAX - length)
            return STATUS_LIMIT;
        status = receive(client, client->message + length, frame.length);
        if (status != STATUS_OK)
            return status;
        length += frame.length;
        begun = true;
        if (frame.last)
            break;
    }
    client->message[length] = '\0';
    *ret_text = client->message;
    *ret_length = length;
    return STATUS_OK;
}
