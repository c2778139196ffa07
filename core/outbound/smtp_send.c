#include "core/outbound/smtp_send.h"

#include "core/crypto.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WORD_BYTES = 42, /* of text in an encoded word: 56 characters, 68 with what is around it */
    WORD_LINE = 72,  /* "=?UTF-8?B?" 56 "?=", fold, NUL */
    HEADER_MAX = 64 + SMTP_LINE_MAX * 2 + SMTP_LINE_MAX / WORD_BYTES * WORD_LINE,
};

static bool line_valid(const char *text)
{
    if (strlen(text) > SMTP_LINE_MAX)
        return false;
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    }
    return true;
}

/* What stands between <>; ">" and spaces would end it early. */
static bool address_valid(const char *address)
{
    return line_valid(address) && strpbrk(address, "<> ,;\"") == NULL &&
           strchr(address, '@') != NULL;
}

/* Standard base64 (RFC 4648 4) of up to WORD_BYTES. */
static void base64(const char *bytes, size_t length, char *ret_text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        unsigned char three[3] = {0};
        size_t count = length - i < 3 ? length - i : 3;
        memcpy(three, bytes + i, count);
        *ret_text++ = digits[three[0] >> 2];
        *ret_text++ = digits[(three[0] & 3) << 4 | three[1] >> 4];
        *ret_text++ = '=';
        *ret_text++ = '=';
        if (count > 1)
            ret_text[-2] = digits[(three[1] & 15) << 2 | three[2] >> 6];
        if (count > 2)
            ret_text[-1] = digits[three[2] & 63];
    }
    *ret_text = '\0';
}

/* Encoded words (RFC 2047), one a line, no character cut in two. `text` is line_valid. */
static void words(const char *text, char *ret_words)
{
    size_t left = strlen(text);
    const char *fold = "";
    while (left > 0) {
        char encoded[WORD_LINE];
        size_t length = left < WORD_BYTES ? left : WORD_BYTES;
        while (length > 1 && length < left && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
        base64(text, length, encoded);
        ret_words += sprintf(ret_words, "%s=?UTF-8?B?%s?=", fold, encoded);
        fold = "\r\n ";
        text += length;
        left -= length;
    }
    *ret_words = '\0';
}

/* ---- the letter ---- */

struct sending {
    const struct smtp_letter *letter;
    CURL *curl;
    struct curl_slist *headers, *recipients;
    curl_mime *mime;
};

static bool header_add(struct sending *sending, const char *line)
{
    struct curl_slist *longer = curl_slist_append(sending->headers, line);
    if (longer != NULL)
        sending->headers = longer;
    return longer != NULL;
}

static bool headers_make(struct sending *sending, const struct smtp_letter *letter)
{
    char line[HEADER_MAX], encoded[HEADER_MAX - 64 - SMTP_LINE_MAX], id[CRYPTO_TOKEN_CHARS + 1];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S +0000", &utc);
    bool good = header_add(sending, line);
    words(letter->from_name != NULL ? letter->from_name : "", encoded);
    snprintf(line, sizeof line, "From: %s <%s>", encoded, letter->from);
    good = good && header_add(sending, line);
    snprintf(line, sizeof line, "To: <%s>", letter->to);
    good = good && header_add(sending, line);
    words(letter->subject, encoded);
    snprintf(line, sizeof line, "Subject: %s", encoded);
    good = good && header_add(sending, line);
    crypto_token(id);
    snprintf(line, sizeof line, "Message-ID: <%s%s>", id, strrchr(letter->from, '@'));
    good = good && header_add(sending, line);
    /* RFC 3834: nobody's absence notice answers it. */
    return good && header_add(sending, "Auto-Submitted: auto-generated");
}

static bool part_add(curl_mime *mime, const char *text, const char *type)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    return part != NULL && curl_mime_data(part, text, CURL_ZERO_TERMINATED) == CURLE_OK &&
           curl_mime_type(part, type) == CURLE_OK && curl_mime_encoder(part, "base64") == CURLE_OK;
}

static bool body_make(struct sending *sending, const struct smtp_letter *letter)
{
    curl_mime *texts = curl_mime_init(sending->curl);
    sending->mime = curl_mime_init(sending->curl);
    curl_mimepart *outer = sending->mime != NULL ? curl_mime_addpart(sending->mime) : NULL;
    if (texts == NULL || outer == NULL ||
        !part_add(texts, letter->text, "text/plain; charset=utf-8") ||
        !part_add(texts, letter->html, "text/html; charset=utf-8") ||
        curl_mime_subparts(outer, texts) != CURLE_OK) {
        curl_mime_free(texts);
        return false;
    }
    return curl_mime_type(outer, "multipart/alternative") == CURLE_OK;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    const struct sending *sending = context;
    return sending->letter->stop != NULL && atomic_load(sending->letter->stop);
}

static bool server_set(CURL *curl, const struct smtp_server *server)
{
    bool good =
        curl_easy_setopt(curl, CURLOPT_URL, server->url) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)SMTP_TIME_MS) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_USE_SSL,
                         server->tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY) == CURLE_OK;
    if (server->user != NULL)
        good = good && curl_easy_setopt(curl, CURLOPT_USERNAME, server->user) == CURLE_OK;
    if (server->password != NULL)
        good = good && curl_easy_setopt(curl, CURLOPT_PASSWORD, server->password) == CURLE_OK;
    if (server->authorities != NULL)
        good = good && curl_easy_setopt(curl, CURLOPT_CAINFO, server->authorities) == CURLE_OK;
    return good;
}

static bool letter_set(struct sending *sending, const struct smtp_letter *letter)
{
    char from[SMTP_LINE_MAX + 3], to[SMTP_LINE_MAX + 3];
    CURL *curl = sending->curl;
    snprintf(from, sizeof from, "<%s>", letter->from);
    snprintf(to, sizeof to, "<%s>", letter->to);
    sending->recipients = curl_slist_append(NULL, to);
    return sending->recipients != NULL && headers_make(sending, letter) &&
           body_make(sending, letter) &&
           curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, sending->recipients) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, sending->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MIMEPOST, sending->mime) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sending) == CURLE_OK;
}

static enum status status_of(CURLcode code, long answer)
{
    switch (code) {
    case CURLE_OK:
        return STATUS_OK;
    case CURLE_OUT_OF_MEMORY:
        return STATUS_NO_MEMORY;
    case CURLE_OPERATION_TIMEDOUT:
        return STATUS_TIMEOUT;
    case CURLE_ABORTED_BY_CALLBACK:
        return STATUS_CLOSED;
    case CURLE_LOGIN_DENIED:
        return STATUS_DENIED;
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        return STATUS_CORRUPT;
    default:
        return answer >= 500 && answer < 600 ? STATUS_INVALID : STATUS_IO;
    }
}

enum status smtp_send(const struct smtp_server *server, const struct smtp_letter *letter,
                      long *ret_code)
{
    struct sending sending = {.letter = letter};
    long answer = 0;
    *ret_code = 0;
    if (!address_valid(letter->from) || !address_valid(letter->to) ||
        !line_valid(letter->subject) ||
        (letter->from_name != NULL && !line_valid(letter->from_name)))
        return STATUS_INVALID;
    /* Once is enough, more is harmless. */
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    sending.curl = curl_easy_init();
    enum status status = STATUS_NO_MEMORY;
    if (sending.curl != NULL && server_set(sending.curl, server) && letter_set(&sending, letter)) {
        CURLcode code = curl_easy_perform(sending.curl);
        (void)curl_easy_getinfo(sending.curl, CURLINFO_RESPONSE_CODE, &answer);
        status = status_of(code, answer);
        *ret_code = answer;
    }
    curl_mime_free(sending.mime);
    curl_slist_free_all(sending.headers);
    curl_slist_free_all(sending.recipients);
    curl_easy_cleanup(sending.curl);
    return status;
}
