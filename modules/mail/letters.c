/*
 * modules/mail/letters.c - what letters say. In the texts $w stands for who writes, $s for the
 * space, $a for the address of the server.
 */
#include "modules/mail/mail.h"

#include <string.h>

struct words {
    const char *subject, *body, *button, *end;
};

enum { ENGLISH, CHINESE, LANGUAGES };

/* An invitation without a space and without somebody: the last two rows. */
enum { INVITED_HERE = MAIL_KINDS, TEXTS };

static const struct words texts[TEXTS][LANGUAGES] = {
    [MAIL_INVITE] =
        {{"$w invites you to $s", "$w invites you to the space \u201c$s\u201d on $a.",
          "Accept the invitation",
          "The link is for you alone and good for 7 days. If you do not know $w, do nothing."},
         {"$w 邀请你加入 $s", "$w 邀请你加入 $a 上的空间“$s”。", "接受邀请",
          "此链接仅供你本人使用,7 天内有效。如果你不认识 $w，请忽略这封邮件。"}},
    [MAIL_SIGN_UP] =
        {{"Confirm your address",
          "Somebody, you perhaps, wants an account on $a with this address.", "Confirm and go on",
          "The link is good for a day. If it was not you, do nothing: there will be no account."},
         {"请确认你的邮箱地址", "有人（可能是你）想用此邮箱地址在 $a 上注册账号。", "确认并继续",
          "此链接 1 天内有效。如果不是你本人操作，请忽略这封邮件，账号不会被创建。"}},
    [MAIL_KNOWN] =
        {{"You have an account already",
          "Somebody, you perhaps, wanted to sign up on $a with this address. It has an account.",
          "Sign in", "If it was not you, do nothing: nothing has changed."},
         {"你已经有账号了", "有人（可能是你）想用此邮箱地址在 $a 上注册，但该地址已有账号。",
          "登录", "如果不是你本人操作，请忽略这封邮件，一切保持不变。"}},
    [MAIL_EMAIL] =
        {{"Confirm your new address", "This is to become the address of your account on $a.",
          "Confirm the address",
          "The link is good for a day. If it was not you, do nothing: nothing will change."},
         {"请确认你的新邮箱地址", "此地址将成为你在 $a 上账号的邮箱地址。", "确认地址",
          "此链接 1 天内有效。如果不是你本人操作，请忽略这封邮件，一切保持不变。"}},
    [MAIL_PASSWORD] =
        {{"A new password",
          "Somebody, you perhaps, asked for a new password for your account on $a.",
          "Choose a new password",
          "The link is good for an hour. If it was not you, do nothing: your password stays."},
         {"设置新密码", "有人（可能是你）请求为你在 $a 上的账号设置新密码。", "设置新密码",
          "此链接 1 小时内有效。如果不是你本人操作，请忽略这封邮件，密码保持不变。"}},
    [INVITED_HERE] =
        {{"Your account on $a", "You are invited to $a.", "Make your account",
          "The link is for you alone and good for 7 days. If you did not expect it, do nothing."},
         {"你在 $a 上的账号", "你受邀加入 $a。", "创建账号",
          "此链接仅供你本人使用,7 天内有效。如果这封邮件与你无关，请忽略。"}},
};

/* "https://parley.example.org" -> what people call it. */
static const char *site_name(const char *site)
{
    const char *name = strstr(site, "://");
    return name != NULL ? name + 3 : site;
}

static const char *fill(const struct mail *mail, const struct mail_letter *letter,
                        const char *pattern, struct arena *arena)
{
    const char *text = "";
    while (text != NULL && *pattern != '\0') {
        const char *value = NULL;
        size_t plain = strcspn(pattern, "$");
        text = arena_printf(arena, "%s%.*s", text, (int)plain, pattern);
        pattern += plain;
        if (text == NULL || *pattern == '\0')
            break;
        if (pattern[1] == 'w')
            value = letter->who;
        else if (pattern[1] == 's')
            value = letter->space;
        else
            value = site_name(mail->config.site);
        text = arena_printf(arena, "%s%s", text, value);
        pattern += 2;
    }
    return text;
}

/* Text inside elements and quoted attributes. */
static const char *escape(const char *text, struct arena *arena)
{
    char *escaped = arena_alloc(arena, strlen(text) * 6 + 1), *to = escaped;
    if (escaped == NULL)
        return NULL;
    for (; *text != '\0'; text++) {
        const char *name = *text == '<'    ? "&lt;"
                           : *text == '>'  ? "&gt;"
                           : *text == '&'  ? "&amp;"
                           : *text == '"'  ? "&quot;"
                           : *text == '\'' ? "&#39;"
                                           : NULL;
        size_t length = name != NULL ? strlen(name) : 1;
        memcpy(to, name != NULL ? name : text, length);
        to += length;
    }
    *to = '\0';
    return escaped;
}

static const char html[] =
    "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\"><title>%s</title></head>"
    "<body style=\"margin:0;padding:24px;background:#f4f5f7;color:#1c2430;"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei',"
    "sans-serif\"><div style=\"max-width:520px;margin:0 auto;padding:32px;background:#ffffff;"
    "border-radius:12px\"><p style=\"margin:0 0 16px;font-weight:600\">Parley</p>"
    "<p style=\"margin:0 0 24px\">%s</p><p style=\"margin:0 0 24px\"><a href=\"%s\""
    " style=\"display:inline-block;padding:12px 20px;background:#2457d6;color:#ffffff;"
    "border-radius:8px;text-decoration:none;font-weight:600\">%s</a></p>"
    "<p style=\"margin:0;color:#5b6675;font-size:14px\">%s</p></div></body></html>\r\n";

enum status mail_write(const struct mail *mail, const struct mail_letter *letter,
                       struct arena *arena, struct mail_text *ret_text)
{
    bool chinese = strncmp(letter->language, "zh", 2) == 0;
    size_t kind =
        letter->kind == MAIL_INVITE && (letter->space[0] == '\0' || letter->who[0] == '\0')
            ? INVITED_HERE
            : (size_t)letter->kind;
    const struct words *pattern = &texts[kind][chinese ? CHINESE : ENGLISH];
    const char *subject = fill(mail, letter, pattern->subject, arena);
    const char *body = fill(mail, letter, pattern->body, arena);
    const char *end = fill(mail, letter, pattern->end, arena);
    const char *link = arena_printf(arena, "%s%s", mail->config.site, letter->path);
    if (subject == NULL || body == NULL || end == NULL || link == NULL)
        return STATUS_NO_MEMORY;
    const char *title = escape(subject, arena), *first = escape(body, arena);
    const char *target = escape(link, arena), *last = escape(end, arena);
    if (title == NULL || first == NULL || target == NULL || last == NULL)
        return STATUS_NO_MEMORY;
    const struct mail_text text = {.subject = subject,
                                   .text = arena_printf(arena, "%s\r\n\r\n%s:\r\n%s\r\n\r\n%s\r\n",
                                                        body, pattern->button, link, end),
                                   .html =
                                       arena_printf(arena, html, chinese ? "zh-CN" : "en", title,
                                                    first, target, pattern->button, last)};
    if (text.text == NULL || text.html == NULL)
        return STATUS_NO_MEMORY;
    *ret_text = text;
    return STATUS_OK;
}
