/* A small blocking HTTP/1.1 client for signalling on loopback. */
#ifndef HTTP_H
#define HTTP_H
#include <stddef.h>
struct http_reply {
    int status;
    char location[512];
    char *body; /* NUL-terminated; free() it */
    size_t len;
};
/* url: http://HOST:PORT/PATH with HOST an IPv4 address in 127/8, or localhost.
 * Returns 0, or -1 when there was no reply within timeout_ms. */
int http_call(const char *method, const char *url, const char *type, const char *token,
              const char *body, int timeout_ms, struct http_reply *r);
#endif
