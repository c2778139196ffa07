/*
 * server/post.h - outgoing mail as configured, and the jobs that send it.
 * Thread: main's, before others begin.
 */
#ifndef SERVER_POST_H
#define SERVER_POST_H

#include "modules/auth/confirmations.h"
#include "server/server.h"

enum { POST_PASSWORD_MAX = 512 /* bytes of mail.password_file's first line */ };

struct post {
    struct mail mail;
    struct confirmation_post confirmations;
    char site[AUTH_EMAIL_MAX * 2], password[POST_PASSWORD_MAX];
};

/* Takes what the settings say; without mail.server there is no mail. Errors: STATUS_INVALID,
 * STATUS_IO: ret_error names the key. */
MUST_USE enum status post_make(struct post *post, const struct settings *settings,
                               char ret_error[SERVER_ERROR_MAX]);
/* Adds the kinds of jobs. `auth` is borrowed. */
MUST_USE enum status post_begin(struct post *post, struct auth *auth, struct jobs *jobs);

#endif
