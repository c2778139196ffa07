#include "modules/mail/mail.h"

#include "core/log.h"

#include <string.h>

bool mail_ready(const struct mail *mail)
{
    return mail->config.server.url[0] != '\0';
}

enum status mail_send(const struct mail *mail, const struct mail_letter *letter,
                      const atomic_bool *stop, struct arena *arena)
{
    struct mail_text text;
    long answer = 0;
    enum status status = mail_write(mail, letter, arena, &text);
    if (status != STATUS_OK)
        return status;
    const struct smtp_letter sent = {.from = mail->config.from,
                                     .from_name = mail->config.from_name,
                                     .to = letter->to,
                                     .subject = text.subject,
                                     .text = text.text,
                                     .html = text.html,
                                     .stop = stop};
    status = smtp_send(&mail->config.server, &sent, &answer);
    if (status != STATUS_OK && status != STATUS_CLOSED)
        log_event(LOG_MAIL, LOG_WARN, "not_sent", "status=%s answer=%ld", status_name(status),
                  answer);
    return status;
}
