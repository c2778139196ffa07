#include "signalling/sip/passport.h"

#include "core/crypto.h"
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- texts ---- */

bool passport_number(const char *text, char ret_number[PASSPORT_NUMBER_MAX])
{
    char number[PASSPORT_NUMBER_MAX];
    size_t used = 0;
    for (; text != NULL && *text != '\0' && *text != ';'; text++) {
        if (*text >= '0' && *text <= '9') {
            if (used + 1 == sizeof number)
                return false;
            number[used++] = *text;
        } else if (strchr("+-.() ", *text) == NULL) {
            return false;
        }
    }
    number[used] = '\0';
    memcpy(ret_number, number, used + 1);
    return used > 0;
}

bool passport_date(const char *text, int64_t *ret_seconds)
{
    struct tm at = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &at);
    time_t seconds = end != NULL && *end == '\0' ? timegm(&at) : -1;
    if (seconds < 0)
        return false;
    *ret_seconds = seconds;
    return true;
}

static int letter_value(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '-' ? 62 : letter == '_' ? 63 : -1;
}

/* Base64url without padding (RFC 7515 2); bits left over at the end are zero. */
static bool base64url_read(const char *text, size_t length, uint8_t *ret_bytes, size_t size,
                           size_t *ret_length)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        int value = letter_value(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            if (used == size)
                return false;
            ret_bytes[used++] = (uint8_t)(bits >> held);
            bits &= (1U << held) - 1;
        }
    }
    *ret_length = used;
    return length % 4 != 1 && bits == 0;
}

/* ---- claims ---- */

static enum status part_parse(const char *text, size_t length, struct json **ret_json)
{
    char decoded[PASSPORT_JSON_MAX];
    struct json_error error;
    size_t size;
    if (!base64url_read(text, length, (uint8_t *)decoded, sizeof decoded, &size))
        return STATUS_INVALID;
    return json_parse(decoded, size, ret_json, &error);
}

static bool text_is(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

static enum status header_read(const char *text, size_t length, struct passport *passport)
{
    struct json *json;
    enum status status = part_parse(text, length, &json);
    if (status != STATUS_OK)
        return status;
    const char *kind = json_get_text(json, "ppt"), *url = json_get_text(json, "x5u");
    if (!text_is(json_get_text(json, "typ"), "passport"))
        status = STATUS_INVALID;
    else if (!text_is(json_get_text(json, "alg"), "ES256") ||
             (kind != NULL && strcmp(kind, "shaken") != 0))
        status = STATUS_UNSUPPORTED;
    else if (!text_is(url, passport->url) || (kind != NULL) != passport->shaken)
        status = STATUS_INVALID;
    json_free(json);
    return status;
}

static bool dests_read(const struct json *json, struct passport *passport)
{
    const char *numbers[PASSPORT_DESTS_MAX];
    const struct json *dest = json_get_object(json, "dest");
    size_t count = json_get_texts(dest, "tn", numbers, PASSPORT_DESTS_MAX);
    for (size_t i = 0; i < count && i < PASSPORT_DESTS_MAX; i++) {
        if (!passport_number(numbers[i], passport->dest[passport->dest_count]))
            return false;
        passport->dest_count++;
    }
    return count > 0 && count <= PASSPORT_DESTS_MAX;
}

static enum status payload_read(const char *text, size_t length, struct passport *passport)
{
    struct json *json;
    enum status status = part_parse(text, length, &json);
    if (status != STATUS_OK)
        return status;
    const char *attest = json_get_text(json, "attest");
    const char *orig = json_get_text(json_get_object(json, "orig"), "tn");
    bool valid = json_get_int(json, "iat", &passport->issued) && passport->issued > 0 &&
                 orig != NULL && passport_number(orig, passport->orig) &&
                 dests_read(json, passport);
    if (passport->shaken) {
        valid = valid && attest != NULL && strlen(attest) == 1 && strchr("ABC", *attest) != NULL &&
                json_get_text(json, "origid") != NULL;
        passport->attestation = valid ? attest[0] : '\0';
    }
    json_free(json);
    return valid ? STATUS_OK : STATUS_INVALID;
}

/* ---- the header ---- */

/* ;info=<https://...>;alg=ES256;ppt="shaken" */
static enum status parameter_read(const char *name, size_t name_length, const char *value,
                                  size_t length, struct passport *passport)
{
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value++;
        length -= 2;
    }
    if (name_length == 4 && strncasecmp(name, "info", 4) == 0) {
        if (length < 3 || value[0] != '<' || value[length - 1] != '>' ||
            length - 2 >= sizeof passport->url || passport->url[0] != '\0')
            return STATUS_INVALID;
        snprintf(passport->url, sizeof passport->url, "%.*s", (int)length - 2, value + 1);
        /* It goes into JSON as it is: letters that would have to be escaped are in no address. */
        return strpbrk(passport->url, "\"\\ <>") == NULL ? STATUS_OK : STATUS_INVALID;
    }
    if (name_length == 3 && strncasecmp(name, "alg", 3) == 0)
        return length == 5 && strncmp(value, "ES256", 5) == 0 ? STATUS_OK : STATUS_UNSUPPORTED;
    if (name_length == 3 && strncasecmp(name, "ppt", 3) == 0) {
        passport->shaken = length == 6 && strncmp(value, "shaken", 6) == 0;
        return passport->shaken ? STATUS_OK : STATUS_UNSUPPORTED;
    }
    return STATUS_OK;
}

static size_t value_length(const char *text)
{
    size_t length = 0;
    bool quoted = false, bracketed = false;
    for (; text[length] != '\0'; length++) {
        char c = text[length];
        if (c == '"' && !bracketed)
            quoted = !quoted;
        else if (!quoted && (c == '<' || c == '>'))
            bracketed = c == '<';
        else if (c == ';' && !quoted && !bracketed)
            break;
    }
    while (length > 0 && strchr(" \t", text[length - 1]) != NULL)
        length--;
    return length;
}

static enum status parameters_read(const char *text, struct passport *passport)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && *text != '\0') {
        text += strspn(text, " \t");
        if (*text != ';')
            return *text == '\0' ? STATUS_OK : STATUS_INVALID;
        text += 1 + strspn(text + 1, " \t");
        size_t name = strcspn(text, "=; \t");
        if (name == 0 || text[name] != '=')
            return STATUS_INVALID;
        size_t value = value_length(text + name + 1);
        status = parameter_read(text, name, text + name + 1, value, passport);
        text += name + 1 + value;
    }
    return status == STATUS_OK && passport->url[0] == '\0' ? STATUS_INVALID : status;
}

enum status passport_read(const char *header, struct passport *ret_passport)
{
    struct passport passport = {.compact = false};
    if (strnlen(header, PASSPORT_HEADER_MAX + 1) > PASSPORT_HEADER_MAX)
        return STATUS_INVALID;
    header += strspn(header, " \t");
    size_t first = strcspn(header, ".; \t");
    size_t second = header[first] == '.' ? strcspn(header + first + 1, ".; \t") : 0;
    const char *dot = header + first + 1 + second, *signature = dot + 1;
    if (header[first] != '.' || *dot != '.')
        return STATUS_INVALID;
    size_t length = strcspn(signature, "; \t"), bytes = 0;
    if (!base64url_read(signature, length, passport.signature, sizeof passport.signature, &bytes) ||
        bytes != PASSPORT_SIGNATURE)
        return STATUS_INVALID;
    enum status status = parameters_read(signature + length, &passport);
    passport.compact = first == 0 && second == 0;
    if (status != STATUS_OK || passport.compact) {
        if (status == STATUS_OK && passport.shaken)
            status = STATUS_INVALID;
    } else {
        passport.length = (size_t)(dot - header);
        if (passport.length >= sizeof passport.text)
            return STATUS_INVALID;
        memcpy(passport.text, header, passport.length);
        status = header_read(header, first, &passport);
        if (status == STATUS_OK)
            status = payload_read(header + first + 1, second, &passport);
    }
    if (status == STATUS_OK)
        *ret_passport = passport;
    return status;
}

enum status passport_complete(struct passport *passport, const char *orig, const char *dest,
                              int64_t issued)
{
    char header[PASSPORT_URL_MAX + 64], payload[2 * PASSPORT_NUMBER_MAX + 96];
    if (!passport->compact || !passport_number(orig, passport->orig) ||
        !passport_number(dest, passport->dest[0]))
        return STATUS_INVALID;
    /* Names in order, without blanks (RFC 8225 9). */
    int one = snprintf(header, sizeof header,
                       "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"%s\"}", passport->url);
    int two = snprintf(payload, sizeof payload,
                       "{\"dest\":{\"tn\":[\"%s\"]},\"iat\":%lld,\"orig\":{\"tn\":\"%s\"}}",
                       passport->dest[0], (long long)issued, passport->orig);
    passport->dest_count = 1;
    passport->issued = issued;
    crypto_base64url(header, (size_t)one, passport->text);
    size_t used = strlen(passport->text);
    passport->text[used++] = '.';
    crypto_base64url(payload, (size_t)two, passport->text + used);
    passport->length = strlen(passport->text);
    return STATUS_OK;
}
