#include "signalling/sip/phone/identity.h"

#include "core/text.h"

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_alloc.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    HEADER_MAX = 1024, /* bytes of one value we look at */
    IDENTITY_HEADER_MAX = 8192,
};

static const char *unknown_value(const sip_t *sip, const char *name)
{
    for (const sip_unknown_t *header = sip->sip_unknown; header != NULL; header = header->un_next) {
        if (header->un_name != NULL && strcasecmp(header->un_name, name) == 0)
            return header->un_value;
    }
    return NULL;
}

/* The first of a list; commas in quotes and angle brackets do not part it. */
static bool first_value(const char *list, char *ret_value, size_t size)
{
    size_t length = 0;
    bool quoted = false, bracketed = false;
    for (; list[length] != '\0'; length++) {
        char c = list[length];
        if (quoted && c == '\\' && list[length + 1] != '\0')
            length++;
        else if (c == '"' && !bracketed)
            quoted = !quoted;
        else if (!quoted && (c == '<' || c == '>'))
            bracketed = c == '<';
        else if (c == ',' && !quoted && !bracketed)
            break;
    }
    if (length == 0 || length >= size)
        return false;
    memcpy(ret_value, list, length);
    ret_value[length] = '\0';
    return true;
}

static void name_copy(const char *display, char ret_name[IDENTITY_TEXT_MAX + 1])
{
    char name[IDENTITY_TEXT_MAX + 1];
    size_t length = display != NULL ? strlen(display) : 0;
    if (length >= 2 && display[0] == '"' && display[length - 1] == '"') {
        display++;
        length -= 2;
    }
    if (length > IDENTITY_TEXT_MAX)
        length = 0; /* cut in the middle of a letter it would be no text */
    memcpy(name, display != NULL ? display : "", length);
    name[length] = '\0';
    if (!text_valid(name, 1, IDENTITY_TEXT_MAX, TEXT_LINE) || text_blank(name))
        name[0] = '\0';
    memcpy(ret_name, name, sizeof name);
}

static void number_copy(const url_t *url, char ret_number[IDENTITY_TEXT_MAX + 1])
{
    /* A tel: address has its number where a sip: address has its host. */
    const char *from = url->url_user != NULL      ? url->url_user
                       : url->url_type == url_tel ? url->url_host
                                                  : NULL;
    size_t used = 0;
    for (; from != NULL && *from != '\0' && *from != ';' && used < IDENTITY_TEXT_MAX; from++) {
        bool telephone = (*from >= '0' && *from <= '9') || (*from == '+' && used == 0);
        bool word =
            (*from >= 'a' && *from <= 'z') || (*from >= 'A' && *from <= 'Z') || *from == '_';
        if (telephone || (url->url_type != url_tel && (word || *from == '.')))
            ret_number[used++] = *from;
    }
    ret_number[used] = '\0';
}

static bool identity_of(const char *list, struct identity *identity)
{
    char value[HEADER_MAX];
    su_home_t home[1] = {SU_HOME_INIT(home)};
    if (list == NULL || !first_value(list, value, sizeof value))
        return false;
    su_home_init(home);
    const sip_from_t *parsed = sip_from_make(home, value);
    bool found = parsed != NULL;
    if (found) {
        number_copy(parsed->a_url, identity->number);
        name_copy(parsed->a_display, identity->name);
        const char *privacy = msg_header_find_param(parsed->a_common, "privacy=");
        identity->hidden |= privacy != NULL && strcasecmp(privacy, "off") != 0;
    }
    su_home_deinit(home);
    return found && (identity->number[0] != '\0' || identity->name[0] != '\0');
}

const char *identity_header(const sip_t *sip, const char *name)
{
    const char *value = unknown_value(sip, name);
    return value != NULL && strnlen(value, IDENTITY_HEADER_MAX + 1) <= IDENTITY_HEADER_MAX ? value
                                                                                           : NULL;
}

void identity_read(const sip_t *sip, bool trusted, struct identity *ret_identity)
{
    struct identity identity = {.hidden = false};
    for (size_t i = 0; sip->sip_privacy != NULL && sip->sip_privacy->priv_values != NULL &&
                       sip->sip_privacy->priv_values[i] != NULL;
         i++)
        identity.hidden |= strcasecmp(sip->sip_privacy->priv_values[i], "none") != 0;
    bool asserted = trusted && (identity_of(unknown_value(sip, "P-Asserted-Identity"), &identity) ||
                                identity_of(unknown_value(sip, "Remote-Party-ID"), &identity));
    if (!asserted && sip->sip_from != NULL) {
        number_copy(sip->sip_from->a_url, identity.number);
        name_copy(sip->sip_from->a_display, identity.name);
    }
    if (strcasecmp(identity.number, "anonymous") == 0)
        identity.hidden = true;
    *ret_identity = identity;
}
