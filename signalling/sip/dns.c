#include "signalling/sip/dns.h"

#include "core/bytes.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <resolv.h>
#include <string.h>

/* Letters of a host name only: it comes back in questions and in SIP. */
static bool name_valid(const char *name)
{
    if (name[0] == '\0')
        return false;
    for (; *name != '\0'; name++) {
        if (!isalnum((unsigned char)*name) && *name != '-' && *name != '.' && *name != '_')
            return false;
    }
    return true;
}

static bool name_expand(const ns_msg *message, struct reader *reader, const uint8_t *data,
                        char ret_name[DNS_NAME_MAX])
{
    return dn_expand(ns_msg_base(*message), ns_msg_end(*message), data, ret_name, DNS_NAME_MAX) >=
               0 &&
           !reader->failed && name_valid(ret_name);
}

/* A character-string (RFC 1035 3.3). */
static bool text_take(struct reader *reader, char *ret_text, size_t size)
{
    size_t length = reader_u8(reader);
    const uint8_t *text = reader_take(reader, length);
    if (text == NULL || length >= size || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
    return true;
}

static bool record_read(const ns_msg *message, const ns_rr *rr, struct dns_record *record)
{
    const uint8_t *data = ns_rr_rdata(*rr);
    size_t length = ns_rr_rdlen(*rr);
    struct reader reader = reader_of(data, length);
    record->ttl_s = ns_rr_ttl(*rr) <= INT32_MAX ? ns_rr_ttl(*rr) : 0; /* RFC 2181 8 */
    if (record->kind == DNS_A)
        return length == 4 && inet_ntop(AF_INET, data, record->address, INET6_ADDRSTRLEN) != NULL;
    if (record->kind == DNS_AAAA)
        return length == 16 && inet_ntop(AF_INET6, data, record->address, INET6_ADDRSTRLEN) != NULL;
    record->priority = reader_be16(&reader);
    record->weight = reader_be16(&reader);
    char pattern[DNS_NAME_MAX];
    if (record->kind == DNS_SRV)
        record->port = reader_be16(&reader);
    else if (!text_take(&reader, record->flags, sizeof record->flags) ||
             !text_take(&reader, record->service, sizeof record->service) ||
             !text_take(&reader, pattern, sizeof pattern) || pattern[0] != '\0')
        return false; /* one with a pattern is for ENUM */
    if (reader_left(&reader) == 0)
        return false;
    return name_expand(message, &reader, data + (length - reader_left(&reader)), record->name);
}

enum status dns_read(const uint8_t *bytes, size_t length, enum dns_kind kind,
                     struct dns_answer *ret_answer)
{
    ns_msg message;
    if (length > DNS_ANSWER_MAX || ns_initparse(bytes, (int)length, &message) != 0 ||
        ns_msg_getflag(message, ns_f_qr) == 0)
        return STATUS_INVALID;
    struct dns_answer answer = {.count = 0};
    for (int i = 0; i < ns_msg_count(message, ns_s_an) && answer.count < DNS_RECORDS_MAX; i++) {
        ns_rr rr;
        struct dns_record record = {.kind = kind};
        if (ns_parserr(&message, ns_s_an, i, &rr) != 0)
            break;
        if ((int)ns_rr_type(rr) == (int)kind && ns_rr_class(rr) == ns_c_in &&
            record_read(&message, &rr, &record))
            answer.records[answer.count++] = record;
    }
    if (answer.count == 0)
        return STATUS_NOT_FOUND;
    *ret_answer = answer;
    return STATUS_OK;
}
