/*
 * A BYE that cannot be sent ends its session, which the stack does by a BYE: sofia-sip 1.12.11 goes
 * on like that until its stack is used up. A remote target or a route that cannot be sent to is
 * enough, from whatever message it came. The function by which it makes a request is called through
 * the linker's table, so ours comes first, and refuses what is nested too deep; the stack then
 * takes the session away without a BYE.
 */
#include "signalling/sip/phone/stack.h"

#include <dlfcn.h>

struct nua_client_methods_s;

typedef int make_fn(nua_handle_t *nh, int event, const struct nua_client_methods_s *methods,
                    const tagi_t *tags);

int nua_client_create(nua_handle_t *nh, int event, const struct nua_client_methods_s *methods,
                      const tagi_t *tags);

static make_fn *make;

enum status depth_install(void)
{
    /* A symbol is an object pointer; POSIX wants it to be usable as a function's. */
    *(void **)&make = dlsym(RTLD_NEXT, "nua_client_create");
    return make != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}

PHONE_EXPORTED int nua_client_create(nua_handle_t *nh, int event,
                                     const struct nua_client_methods_s *methods, const tagi_t *tags)
{
    static bool making;
    if (making)
        return 0;
    making = true;
    int made = make(nh, event, methods, tags);
    making = false;
    return made;
}
