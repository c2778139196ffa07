/*
 * core/outbound/smtp_send.h - hands one letter to a mail server. The one file that touches libcurl
 * for SMTP.
 *
 * The server is the operator's own choice, so any address may be reached; nothing of it is a text
 * from outside. A letter's addresses, names and subject may be: lines cannot be broken out of, they
 * are encoded (RFC 2047) or refused.
 *
 * Thread: any that may block, for up to SMTP_TIME_MS.
 */
#ifndef CORE_OUTBOUND_SMTP_SEND_H
#define CORE_OUTBOUND_SMTP_SEND_H

#include "core/status.h"

#include <stdatomic.h>
#include <stdbool.h>

enum {
    SMTP_TIME_MS = 60000, /* all of it, connecting too */
    SMTP_LINE_MAX = 998,  /* bytes of an address, a name or a subject (RFC 5322 2.1.1) */
};

struct smtp_server {
    const char *url;         /* "smtp://host:587", "smtps://host:465"; no credentials in it */
    bool tls;                /* smtp: not without STARTTLS; else only where it is offered */
    const char *user;        /* NULL: none */
    const char *password;    /* NULL: none */
    const char *authorities; /* PEM file of those trusted instead of the system's; NULL */
};

struct smtp_letter {
    const char *from;      /* address */
    const char *from_name; /* NULL: none */
    const char *to;        /* address */
    const char *subject;
    const char *text, *html; /* UTF-8 */
    const atomic_bool *stop; /* true: give up; NULL: never */
};

/*
 * STATUS_OK: the server has taken it. *ret_code: its last answer, such as 250; 0: none.
 * Errors: STATUS_INVALID (an address with a line end or over SMTP_LINE_MAX, or the server will
 * never take this letter: 5xx), STATUS_DENIED (user or password), STATUS_CORRUPT (no TLS, or not to
 * be trusted), STATUS_TIMEOUT, STATUS_CLOSED (stop), STATUS_NO_MEMORY, STATUS_IO (anything else).
 */
MUST_USE enum status smtp_send(const struct smtp_server *server, const struct smtp_letter *letter,
                               long *ret_code);

#endif
