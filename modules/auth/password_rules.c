/*
 * modules/auth/password_rules.c - what may be a password: length, not what everybody takes, not
 * one's own name (NIST SP 800-63B 5.1.1.2). No rules about kinds of characters.
 */
#include "modules/auth/password.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { PERIOD_MAX = 4, PERSONAL_MIN = 4 };

/* Of lists of leaked passwords, those of 12 characters or more; digits at the end and letter case
 * are taken away before the comparison, so that each stands for many. */
static const char *const common[] = {
    "abcdefghijkl",
    "abcdefghijklm",
    "abcdefghijklmnop",
    "administrator",
    "adminadminadmin",
    "alexanderalexander",
    "asdfasdfasdf",
    "asdfghjkl;'\\",
    "asdfghjklzxcvbnm",
    "basketballbasketball",
    "changemechangeme",
    "changethispassword",
    "computercomputer",
    "correcthorsebatterystaple",
    "defaultpassword",
    "footballfootball",
    "iloveyouiloveyou",
    "iloveyouforever",
    "jesuschristislord",
    "letmeinletmein",
    "letmeinplease",
    "liverpoolfc",
    "manchesterunited",
    "masterpassword",
    "mypassword",
    "mynewpassword",
    "mysecretpassword",
    "newpassword",
    "onetwothreefour",
    "p@ssw0rdp@ssw0rd",
    "p@sswordp@ssword",
    "parleyparley",
    "passw0rdpassw0rd",
    "password",
    "password!",
    "passwordpassword",
    "princessprincess",
    "qazwsxedcrfv",
    "qazwsxedcrfvtgb",
    "qwer1234qwer",
    "qwertasdfgzxcvb",
    "qwerty",
    "qwertyqwerty",
    "qwertyuiop",
    "qwertyuiop[]",
    "qwertyuiopasdf",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "secretpassword",
    "sunshinesunshine",
    "superman",
    "supersecret",
    "temporarypassword",
    "testtesttest",
    "thisismypassword",
    "trustno1trustno",
    "unbelievable",
    "welcome",
    "welcomewelcome",
    "woaini",
    "woainiwoaini",
    "zxcvbnmasdfghjkl",
    "zxcvbnmzxcvbnm",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u8i",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "!qaz@wsx#edc",
};

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* "Password2024!!" -> "password" */
static bool is_common(const char *password)
{
    size_t length = strlen(password);
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        size_t known = strlen(common[i]);
        if (length >= known && strncasecmp(password, common[i], known) == 0 &&
            strspn(password + known, "0123456789!.?*#@$") == length - known)
            return true;
    }
    return false;
}

/* "abcabcabcabc", "121212121212", "123456789012", "zyxwvutsrqpo": a short period, or steps of one.
 */
static bool repeats(const char *password)
{
    size_t length = strlen(password);
    for (size_t period = 1; period <= PERIOD_MAX; period++) {
        size_t same = 0;
        while (same + period < length && password[same] == password[same + period])
            same++;
        if (same + period == length)
            return true;
    }
    for (int step = -1; step <= 1; step += 2) {
        size_t run = 1;
        while (run < length &&
               (password[run] == password[run - 1] + step ||
                (isdigit((unsigned char)password[run]) != 0 &&
                 (password[run - 1] - '0' + step + 10) % 10 == password[run] - '0')))
            run++;
        if (run == length)
            return true;
    }
    return false;
}

/* Is it somebody's own text with little around it? */
static bool is_made_of(const char *password, const char *own, size_t length)
{
    if (length < PERSONAL_MIN || strlen(password) > length + PASSWORD_MIN / 2)
        return false;
    for (const char *at = password; strlen(at) >= length; at++) {
        if (strncasecmp(at, own, length) == 0)
            return true;
    }
    return false;
}

const char *password_fault(const char *password, const char *email, const char *name)
{
    if (strlen(password) > PASSWORD_MAX)
        return "long";
    if (characters(password) < PASSWORD_MIN)
        return "short";
    if (is_common(password))
        return "common";
    if (repeats(password))
        return "repeats";
    if (email != NULL && (is_made_of(password, email, strlen(email)) ||
                          is_made_of(password, email, strcspn(email, "@"))))
        return "personal";
    if (name != NULL && is_made_of(password, name, strlen(name)))
        return "personal";
    return NULL;
}
