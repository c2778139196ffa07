/*
 * signalling/sip/trunks.h - the trunks as the server sees them: what parley-phone is told of them,
 * where they are, whether they answer, and which one a call out takes.
 *
 * Everything but trunks_new, trunks_numbers and trunks_free is the bridge's thread's.
 */
#ifndef SIGNALLING_SIP_TRUNKS_H
#define SIGNALLING_SIP_TRUNKS_H

#include "core/metrics.h"
#include "modules/meetings/messages.h"
#include "signalling/sip/bridge.h"
#include "signalling/sip/trunk.h"

#include <netinet/in.h>

struct trunks;

struct trunks_config {
    const struct config_items *settings; /* struct trunk_settings; borrowed */
    bool listens[WIRE_TRANSPORTS];
    int64_t options_s;
    const char *dns; /* "ADDRESS:PORT", or "" */
    struct metrics *metrics;
};

/* Errors: STATUS_INVALID (error names the key), STATUS_IO (a password's file), STATUS_NO_MEMORY. */
MUST_USE enum status trunks_new(const struct trunks_config *config, struct trunks **ret_trunks,
                                char ret_error[CONFIG_ERROR_MAX]);
/* Accepts NULL, returns NULL. The bridge has stopped. */
struct trunks *trunks_free(struct trunks *trunks);

/* Adds phone.trunk.NAME.numbers, borrowed, to those in `numbers` (`count`, of at most `max`); one
 * that is there gets its language. Their count. */
size_t trunks_numbers(const struct trunks *trunks, struct msg_number *numbers, size_t count,
                      size_t max);
/* TRUNK and ALLOW messages to begin with, borrowed until trunks_free. Errors: STATUS_LIMIT. */
MUST_USE enum status trunks_messages(const struct trunks *trunks, struct wire_message *messages,
                                     size_t max, size_t *ret_count);
/* The process is ready, for the first time or again: finds the trunks and tells it where. */
void trunks_ready(struct trunks *trunks, struct bridge *bridge);
/* It is gone: no trunk answers. */
void trunks_down(struct trunks *trunks);
/* TRUNK_STATE. */
void trunks_message(struct trunks *trunks, const struct wire_message *message);

/*
 * The trunk of a call that came in: the one whose phone.trunk.NAME.numbers has the number that was
 * called, if several have the same address; else the one of INVITE's VIA. NULL: none.
 */
const struct trunk_settings *trunks_find(const struct trunks *trunks, const char *via,
                                         const char *called);
/*
 * The trunk a call out takes: of those that answer the one of the lowest phone.trunk.NAME.priority,
 * in the order of the configuration. `tried`: a bit per trunk that failed this call already; the
 * chosen one's is added. NULL: none is left.
 */
const char *trunks_choose(const struct trunks *trunks, uint32_t *tried);
/* Its first address, numeric; "" none is known. */
void trunks_address(const struct trunks *trunks, const char *name,
                    char ret_address[INET6_ADDRSTRLEN]);

#endif
