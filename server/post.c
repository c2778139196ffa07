#include "server/post.h"

#include <stdio.h>
#include <string.h>

enum {
    MAIL_AT_ONCE = 2,
    MAIL_ATTEMPTS_MAX = 12,      /* over about 3 hours: greylisting, a server that restarts */
    MAIL_RETRY_FIRST_MS = 10000, /* ms */
};

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static enum status refuse(char error[SERVER_ERROR_MAX], const char *text)
{
    snprintf(error, SERVER_ERROR_MAX, "%s", text);
    return STATUS_INVALID;
}

static enum status password_read(struct post *post, const char *path, char error[SERVER_ERROR_MAX])
{
    FILE *file = fopen(path, "re");
    bool read = file != NULL && fgets(post->password, sizeof post->password, file) != NULL;
    if (file != NULL)
        fclose(file);
    post->password[strcspn(post->password, "\r\n")] = '\0';
    if (!read || post->password[0] == '\0') {
        snprintf(error, SERVER_ERROR_MAX, "mail.password_file: %.300s: no password can be read",
                 path);
        return STATUS_IO;
    }
    return STATUS_OK;
}

static enum status check(const struct settings *settings, char error[SERVER_ERROR_MAX])
{
    const char *url = settings->mail_server, *site = settings->http_url;
    if (site[0] != '\0' && strncmp(site, "https://", 8) != 0 && strncmp(site, "http://", 7) != 0)
        return refuse(error, "http.url: write https://HOST");
    if (url[0] == '\0')
        return STATUS_OK;
    if ((strncmp(url, "smtp://", 7) != 0 && strncmp(url, "smtps://", 8) != 0) ||
        strchr(url, '@') != NULL)
        return refuse(error, "mail.server: write smtp://HOST:PORT or smtps://HOST:PORT");
    if (strchr(settings->mail_from, '@') == NULL)
        return refuse(error, "mail.from: an address is needed to send mail");
    if (site[0] == '\0')
        return refuse(error, "http.url: needed to send mail, for its links");
    return STATUS_OK;
}

enum status post_make(struct post *post, const struct settings *settings,
                      char ret_error[SERVER_ERROR_MAX])
{
    enum status status = check(settings, ret_error);
    if (status == STATUS_OK && settings->mail_password_file[0] != '\0')
        status = password_read(post, settings->mail_password_file, ret_error);
    else if (status == STATUS_OK)
        snprintf(post->password, sizeof post->password, "%s", settings->mail_password);
    if (status != STATUS_OK)
        return status;
    snprintf(post->site, sizeof post->site, "%s", settings->http_url);
    size_t length = strlen(post->site);
    while (length > 0 && post->site[length - 1] == '/')
        post->site[--length] = '\0';
    post->mail.config =
        (struct mail_config){.server = {.url = settings->mail_server,
                                        .tls = settings->mail_starttls,
                                        .user = text_or_null(settings->mail_user),
                                        .password = text_or_null(post->password),
                                        .authorities = text_or_null(settings->mail_authorities)},
                             .from = settings->mail_from,
                             .from_name = text_or_null(settings->mail_name),
                             .site = post->site};
    return STATUS_OK;
}

enum status post_begin(struct post *post, struct auth *auth, struct jobs *jobs)
{
    post->confirmations = (struct confirmation_post){.auth = auth, .mail = &post->mail};
    const struct jobs_kind mail = {.name = "mail",
                                   .run = confirmation_mail_run,
                                   .context = &post->confirmations,
                                   .at_once = MAIL_AT_ONCE,
                                   .attempts_max = MAIL_ATTEMPTS_MAX,
                                   .retry_first_ms = MAIL_RETRY_FIRST_MS};
    const struct jobs_kind ask = {
        .name = "ask", .run = confirmation_ask_run, .context = &post->confirmations};
    enum status status = jobs_kind_add(jobs, &mail);
    return status == STATUS_OK ? jobs_kind_add(jobs, &ask) : status;
}
