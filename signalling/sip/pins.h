/*
 * signalling/sip/pins.h - hosts choose PINs, so seldom that it does not pay to try PINs out.
 *
 * A PIN that another meeting has cannot be had, which tells that there is such a meeting. Tries are
 * counted by account; who is not signed in is counted by source address and by meeting. A try costs
 * PINS_TRY of GUESSES_MAX points an hour, one that met another meeting's PIN PINS_MET more: five
 * tries, of which two may meet one. Who has none left hears the same for every PIN.
 *
 * Any thread.
 */
#ifndef SIGNALLING_SIP_PINS_H
#define SIGNALLING_SIP_PINS_H

#include "storage/db.h"

enum { PINS_TRY = 2, PINS_MET = 4 };

struct pins;

struct pins_wish {
    const char *meeting, *pin; /* pin: "" one is made anew; that is no try */
    const char *account;       /* who is signed in; NULL: nobody */
    const char *source;        /* numeric address */
};

/* Errors: STATUS_NO_MEMORY. */
MUST_USE enum status pins_new(struct pins **ret_pins);
/* Accepts NULL, returns NULL. */
struct pins *pins_free(struct pins *pins);
/*
 * Errors: STATUS_INVALID (easily guessed, or another meeting's), STATUS_LIMIT (too many tries in
 * the last hour), as registry_pin_set.
 */
MUST_USE enum status pins_choose(struct pins *pins, struct db *db, const struct pins_wish *wish,
                                 uint64_t now_ms, int64_t wall_ms);

#endif
