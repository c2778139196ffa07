/*
 * When a request of ours is sent again. The stack goes where a 302 or 305 sends it, and waits when
 * a 5xx says Retry-After. But rules were checked for one number at one trunk, and somebody else is
 * asked by us, not later: so a request is sent again for a challenge (401, 407) and for a
 * registration or session that is too short (423; the stack asks its own function of 422), and
 * every other answer is its end. The stack asks by a function that ours stands before, as in
 * sieve.c.
 */
#include "signalling/sip/phone/stack.h"

#include <dlfcn.h>
#include <sofia-sip/sip.h>

struct nua_client_request; /* the stack's */

typedef int restart_fn(struct nua_client_request *request, int status, const char *phrase,
                       const sip_t *sip);

int nua_base_client_check_restart(struct nua_client_request *request, int status,
                                  const char *phrase, const sip_t *sip);

static restart_fn *stack_restart;

enum status restart_install(void)
{
    /* A symbol is an object pointer; POSIX wants it to be usable as a function's. */
    *(void **)&stack_restart = dlsym(RTLD_NEXT, "nua_base_client_check_restart");
    return stack_restart != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}

/* 0: it is not sent again. */
PHONE_EXPORTED int nua_base_client_check_restart(struct nua_client_request *request, int status,
                                                 const char *phrase, const sip_t *sip)
{
    return status == 401 || status == 407 || status == 423
               ? stack_restart(request, status, phrase, sip)
               : 0;
}
