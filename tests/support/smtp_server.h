/*
 * tests/support/smtp_server.h - a mail server on loopback that keeps what it is given, one
 * connection after another, without TLS. Failures end the test (cmocka).
 */
#ifndef TESTS_SUPPORT_SMTP_SERVER_H
#define TESTS_SUPPORT_SMTP_SERVER_H

#include <stdint.h>

enum { SMTP_SERVER_LETTER_MAX = 65536, SMTP_SERVER_ADDRESS_MAX = 512 };

struct smtp_server_letter {
    char from[SMTP_SERVER_ADDRESS_MAX], to[SMTP_SERVER_ADDRESS_MAX]; /* as in the envelope */
    char auth[SMTP_SERVER_ADDRESS_MAX];                              /* after AUTH PLAIN; "" */
    char data[SMTP_SERVER_LETTER_MAX];
};

struct smtp_mailbox;

struct smtp_mailbox *smtp_mailbox_start(void);
uint16_t smtp_mailbox_port(const struct smtp_mailbox *mailbox);
/* The next `count` letters are refused after RCPT with this line, such as "451 later". */
void smtp_mailbox_refuse(struct smtp_mailbox *mailbox, int count, const char *line);
/* Waits for the letter number `number` (from 0). Borrowed until the end. */
const struct smtp_server_letter *smtp_mailbox_await(struct smtp_mailbox *mailbox, int number);
int smtp_mailbox_count(struct smtp_mailbox *mailbox);
struct smtp_mailbox *smtp_mailbox_stop(struct smtp_mailbox *mailbox);
/* The part of a letter with this content type ("text/plain"), decoded from base64; to be freed. */
char *smtp_letter_part(const struct smtp_server_letter *letter, const char *type);

#endif
