/*
 * signalling/sip/resolver.h - finds trunks by the DNS, on a thread of its own that may wait.
 */
#ifndef SIGNALLING_SIP_RESOLVER_H
#define SIGNALLING_SIP_RESOLVER_H

#include "signalling/sip/locate.h"

struct resolver;

/* On the resolver's thread. `location` is of STATUS_OK only. */
typedef void resolver_fn(void *context, size_t number, enum status status,
                         const struct location *location);

/* `server`: "ADDRESS:PORT", or "": the system's. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status resolver_new(const char *server, resolver_fn *fn, void *context,
                                  struct resolver **ret_resolver);
/* Asks once; fn is called with `number`. wish->host is borrowed until resolver_free. Any thread.
 * Errors: STATUS_LIMIT (too many wait), STATUS_NO_MEMORY. */
MUST_USE enum status resolver_ask(struct resolver *resolver, size_t number,
                                  const struct locate_wish *wish);
/* Waits for a record that is being asked for, some seconds at most; fn is not called any more after
 * it. Accepts NULL, returns NULL. */
struct resolver *resolver_free(struct resolver *resolver);

#endif
