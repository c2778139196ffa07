/*
 * modules/mail/mail.h - letters to people: their texts in both languages, and the server that takes
 * them. When they are sent is the business of jobs (docs/design/mail.md).
 *
 * Thread: job pool; mail_ready from any.
 */
#ifndef MODULES_MAIL_MAIL_H
#define MODULES_MAIL_MAIL_H

#include "core/arena.h"
#include "core/outbound/smtp_send.h"

#include <stdbool.h>

struct mail_config {
    struct smtp_server server; /* url "": no mail is sent */
    const char *from;          /* address */
    const char *from_name;
    const char
        *site; /* "https://parley.example.org", without a slash at the end: where links lead */
};

struct mail {
    struct mail_config config; /* texts are borrowed */
};

/* What the letter is about. */
enum mail_kind {
    MAIL_INVITE,   /* somebody wants the person here, in a space perhaps */
    MAIL_SIGN_UP,  /* confirm the address, go on */
    MAIL_KNOWN,    /* somebody wanted to sign up: there is an account */
    MAIL_EMAIL,    /* confirm a new address */
    MAIL_PASSWORD, /* a new password */
    MAIL_KINDS,
};

struct mail_letter {
    enum mail_kind kind;
    const char *to;       /* address */
    const char *language; /* "zh-CN", else English */
    const char *who;      /* who invites; "" */
    const char *space;    /* into which; "" */
    const char *path;     /* of the link, from its slash on */
};

/* Whether letters are sent at all. */
bool mail_ready(const struct mail *mail);
/* Errors: as smtp_send, with a line in the log. */
MUST_USE enum status mail_send(const struct mail *mail, const struct mail_letter *letter,
                               const atomic_bool *stop, struct arena *arena);

/* For tests and mail_send: what is written. Errors: STATUS_NO_MEMORY. */
struct mail_text {
    const char *subject, *text, *html;
};

MUST_USE enum status mail_write(const struct mail *mail, const struct mail_letter *letter,
                                struct arena *arena, struct mail_text *ret_text);

#endif
