/*
 * What sofia-sip 1.12.11 is not let to see. It keeps any Contact and Record-Route as where a
 * dialog's requests go, and finds out when it sends there. A BYE that cannot be made is the end of
 * it: from a timer the stack frees a server transaction twice, from an answer it sends a BYE for
 * the BYE until its stack is used up. So an address is kept only when a request to it can be made.
 * And it compares branches from their eighth letter on, however short they are.
 *
 * Its functions call each other through the linker's table, where ours come first. sip_sanity_check
 * is asked of every message before anything is done with it: a request it refuses is answered 400
 * without a transaction, an ACK and a response are dropped.
 */
#include "signalling/sip/phone/stack.h"

#include <dlfcn.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/url.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIEVE_HOST_MAX = 255 /* bytes: a name of DNS */ };

typedef int check_fn(const sip_t *sip);

static check_fn *stack_check;

enum status sieve_install(void)
{
    /* A symbol is an object pointer; POSIX wants it to be usable as a function's. */
    *(void **)&stack_check = dlsym(RTLD_NEXT, "sip_sanity_check");
    return stack_check != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}

/* ---- addresses ---- */

/* A name of labels, or an address. */
static bool host_usable(const char *host)
{
    size_t length = host != NULL ? strlen(host) : 0;
    if (length == 0 || length > SIEVE_HOST_MAX)
        return false;
    if (host[0] == '[')
        return length > 2 && strspn(host + 1, "0123456789abcdefABCDEF:.") == length - 2 &&
               host[length - 1] == ']';
    return host[0] != '.' && strstr(host, "..") == NULL &&
           strspn(host, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") ==
               length;
}

static bool port_usable(const char *port)
{
    if (port == NULL)
        return true;
    size_t length = strlen(port);
    unsigned long number = strtoul(port, NULL, 10);
    return length > 0 && length <= 5 && strspn(port, "0123456789") == length && number > 0 &&
           number <= UINT16_MAX;
}

static bool transport_usable(const url_t *url)
{
    char transport[8] = "";
    if (url->url_params == NULL || !url_has_param(url, "transport"))
        return true;
    return url_param(url->url_params, "transport", transport, sizeof transport) > 0 &&
           (strcasecmp(transport, "udp") == 0 || strcasecmp(transport, "tcp") == 0 ||
            strcasecmp(transport, "tls") == 0);
}

static bool url_usable(const url_t *url)
{
    return (url->url_type == url_sip || url->url_type == url_sips) && host_usable(url->url_host) &&
           port_usable(url->url_port) && transport_usable(url) && !url_has_param(url, "maddr");
}

static bool contact_usable(const sip_contact_t *contact)
{
    return contact != NULL && contact->m_next == NULL && url_usable(contact->m_url);
}

static bool route_usable(const sip_record_route_t *route)
{
    bool usable = true;
    for (; route != NULL; route = route->r_next)
        usable &= url_usable(route->r_url);
    return usable;
}

/* ---- what comes ---- */

/* RFC 3261 8.1.1.7: it begins with the cookie. Who writes RFC 2543 is not a phone of today. */
static bool branch_usable(const sip_via_t *via)
{
    static const char cookie[] = "z9hG4bK";
    return via->v_branch != NULL && strncasecmp(via->v_branch, cookie, strlen(cookie)) == 0;
}

/* A dialog's target and route: an INVITE must tell it, UPDATE and the answers to both may. */
static bool target_usable(const sip_t *sip, bool needed)
{
    return (sip->sip_contact == NULL ? !needed : contact_usable(sip->sip_contact)) &&
           route_usable(sip->sip_record_route);
}

static bool request_usable(const sip_t *sip)
{
    return branch_usable(sip->sip_via) && sip->sip_from->a_tag != NULL &&
           target_usable(sip, sip->sip_request->rq_method == sip_method_invite);
}

/* Other answers may have other addresses: a redirection, the bindings of a registration. */
static bool response_usable(const sip_t *sip)
{
    sip_method_t method = sip->sip_cseq->cs_method;
    return (method != sip_method_invite && method != sip_method_update) ||
           sip->sip_status->st_status >= 300 || target_usable(sip, false);
}

PHONE_EXPORTED int sip_sanity_check(const sip_t *sip)
{
    if (stack_check(sip) < 0)
        return -1;
    return (sip->sip_request != NULL ? request_usable(sip) : response_usable(sip)) ? 0 : -1;
}
