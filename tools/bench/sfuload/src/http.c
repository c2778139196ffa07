#include "http.h"
#include "util.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int dial(const char *url, char *host, size_t host_len, const char **path, int timeout_ms)
{
    if (strncmp(url, "http://", 7))
        die("only http:// URLs: %s", url);
    const char *h = url + 7, *slash = strchr(h, '/');
    size_t n = slash ? (size_t)(slash - h) : strlen(h);
    if (n >= host_len)
        die("URL too long: %s", url);
    memcpy(host, h, n);
    host[n] = 0;
    *path = slash ? slash : "/";
    char name[128];
    snprintf(name, sizeof name, "%s", host);
    char *colon = strrchr(name, ':');
    int port = 80;
    if (colon) {
        port = atoi(colon + 1);
        *colon = 0;
    }
    if (!strcmp(name, "localhost"))
        strcpy(name, "127.0.0.1");
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, name, &a.sin_addr) != 1 || (ntohl(a.sin_addr.s_addr) >> 24) != 127)
        die("not a loopback address: %s", url);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct timeval tv = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
        close(fd);
        return -1;
    }
    return fd;
}

static const char *header(const char *head, const char *name)
{
    size_t n = strlen(name);
    for (const char *l = strstr(head, "\r\n"); l; l = strstr(l, "\r\n")) {
        l += 2;
        if (!strncasecmp(l, name, n) && l[n] == ':')
            return l + n + 1 + strspn(l + n + 1, " \t");
    }
    return NULL;
}

int http_call(const char *method, const char *url, const char *type, const char *token,
              const char *body, int timeout_ms, struct http_reply *r)
{
    char host[256], req[2048];
    const char *path;
    memset(r, 0, sizeof *r);
    int fd = dial(url, host, sizeof host, &path, timeout_ms);
    if (fd < 0)
        return -1;
    size_t blen = body ? strlen(body) : 0;
    int n = snprintf(req, sizeof req,
                     "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %zu\r\n",
                     method, path, host, blen);
    if (type)
        n += snprintf(req + n, sizeof req - (size_t)n, "Content-Type: %s\r\n", type);
    if (token)
        n += snprintf(req + n, sizeof req - (size_t)n, "Authorization: Bearer %s\r\n", token);
    n += snprintf(req + n, sizeof req - (size_t)n, "\r\n");
    size_t cap = 65536, have = 0;
    char *buf = malloc(cap + 1), *end = NULL;
    int ok = send(fd, req, (size_t)n, MSG_NOSIGNAL) == n;
    for (size_t off = 0; ok && off < blen;) {
        ssize_t k = send(fd, body + off, blen - off, MSG_NOSIGNAL);
        if (k <= 0)
            ok = 0;
        else
            off += (size_t)k;
    }
    long want = -1; /* body bytes expected, -1: until close or last chunk */
    int chunked = 0;
    while (ok) {
        if (have == cap) {
            size_t at = end ? (size_t)(end - buf) : 0;
            buf = realloc(buf, (cap *= 2) + 1);
            end = end ? buf + at : NULL;
        }
        ssize_t k = recv(fd, buf + have, cap - have, 0);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            ok = 0;
        if (k <= 0)
            break;
        have += (size_t)k;
        buf[have] = 0;
        if (!end && (end = strstr(buf, "\r\n\r\n"))) {
            *end = 0;
            const char *cl = header(buf, "Content-Length"), *te = header(buf, "Transfer-Encoding");
            chunked = te && !strncasecmp(te, "chunked", 7);
            want = cl ? atol(cl) : -1;
            *end = '\r';
        }
        if (end) {
            size_t got = have - (size_t)(end + 4 - buf);
            if (want >= 0 && got >= (size_t)want)
                break;
            if (chunked && got >= 5 && !memcmp(buf + have - 5, "0\r\n\r\n", 5))
                break;
        }
    }
    close(fd);
    end = have ? (buf[have] = 0, strstr(buf, "\r\n\r\n")) : NULL;
    if (!ok || !end) {
        free(buf);
        return -1;
    }
    *end = 0;
    r->status = atoi(buf + 9);
    const char *loc = header(buf, "Location");
    if (loc)
        snprintf(r->location, sizeof r->location, "%.*s", (int)strcspn(loc, "\r\n"), loc);
    char *src = end + 4;
    size_t left = have - (size_t)(src - buf);
    r->body = calloc(1, left + 1);
    if (!chunked) {
        memcpy(r->body, src, left);
        r->len = left;
    } else {
        for (;;) {
            char *e;
            size_t c = strtoul(src, &e, 16);
            e = strstr(e, "\r\n");
            if (!c || !e || (size_t)(e + 2 - buf) + c > have)
                break;
            memcpy(r->body + r->len, e + 2, c);
            r->len += c;
            src = e + 2 + c + 2;
        }
    }
    free(buf);
    return 0;
}
