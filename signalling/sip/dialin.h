/*
 * signalling/sip/dialin.h - telephones that call in: each call gets a leg on a media worker, and
 * the voice menu leads its caller into a meeting. docs/design/phone.md.
 *
 * All calls belong to the bridge's thread. What blocks (storage, joining) is done by the request
 * pool.
 */
#ifndef SIGNALLING_SIP_DIALIN_H
#define SIGNALLING_SIP_DIALIN_H

#include "core/config.h"
#include "core/crew.h"
#include "core/metrics.h"
#include "media/leg.h"
#include "modules/meetings/meetings.h"
#include "modules/phone/dialing.h"
#include "modules/phone/records.h"
#include "signalling/sip/stir.h"
#include "signalling/sip/trunks.h"
#include "storage/db.h"

enum {
    DIALIN_CALLS_MAX = 4000,
    DIALIN_ANSWER_MS = 20000, /* from INVITE to ACK */
};

/* Calls out: phone.out.* */
struct dialin_out {
    struct dialing_config rules;
    struct records_limits limits;
    bool members;      /* everybody in a meeting may call, not only hosts */
    const char *trunk; /* ADDRESS:PORT; "" none */
    enum media_leg_security_kind security;
    const char *user, *password; /* "" none */
    const char *number;          /* ours, as the callee sees it */
    int64_t ring_ms;             /* then nobody has answered */
};

struct dialin_config {
    const char *listen[3]; /* udp, tcp, tls: "0.0.0.0:5060"; "" none */
    struct config_list allow;
    struct config_list addresses; /* media.addresses: told in SDP behind NAT */
    const char *program;          /* parley-phone */
    const char *certificates;     /* folder with agent.pem, for tls; NULL none */
    const char *prompts[3];       /* folders, ends with NULL */
    struct config_list numbers;   /* phone.numbers: to dial in */
    struct dialin_out out;
    struct trunks *trunks;   /* borrowed */
    const struct stir *stir; /* borrowed */
    struct metrics *metrics;
};

struct dialin;

/* The config's texts are borrowed until dialin_free. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status dialin_new(const struct dialin_config *config, struct dialin **ret_dialin);
/* To give to media_new, with the dialin as context. */
extern const struct media_leg_events dialin_leg_events;
/* To give to meetings_new, with the dialin as context. */
void dialin_notice(void *dialin, uint64_t leg, enum meeting_phone_notice notice, uint32_t people);
/* Reads the recordings and starts parley-phone. Errors: STATUS_NO_MEMORY, STATUS_LIMIT (too many
 * sources in phone.allow). */
MUST_USE enum status dialin_start(struct dialin *dialin, struct db *db, struct crew *crew,
                                  struct meetings *meetings, struct media *media);
/* Ends the process and the thread: before the crew, the meetings and media end. Accepts NULL. */
void dialin_stop(struct dialin *dialin);
/* After they are gone. Accepts NULL, returns NULL. */
struct dialin *dialin_free(struct dialin *dialin);

/* Of its meetings. Any thread. */
struct pins *dialin_pins(const struct dialin *dialin);

#endif
