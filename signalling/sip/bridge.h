/*
 * signalling/sip/bridge.h - parley-phone as the server sees it: started, told its configuration,
 * watched, and started again within BRIDGE_RESTART_MS when it ends.
 *
 * One thread of its own, "phone", reads what the process says; the callbacks run on it and must
 * not block. bridge_send may be called from any thread.
 */
#ifndef SIGNALLING_SIP_BRIDGE_H
#define SIGNALLING_SIP_BRIDGE_H

#include "core/loop.h"
#include "signalling/sip/wire.h"

enum {
    BRIDGE_RESTART_MS = 300, /* after an end; doubled up to the next while it fails to start */
    BRIDGE_RESTART_MAX_MS = 2000,
    BRIDGE_MESSAGES_MAX = 256, /* of a configuration */
};

struct bridge;

struct bridge_events {
    wire_read_fn *message;       /* what it says, READY and FAILED too */
    void (*down)(void *context); /* it ended: no call it told of is there any more */
};

struct bridge_config {
    const char *program; /* path of parley-phone */
    /* LISTEN, ALLOW, TRUNK, START: what it is told first, each time. Borrowed until bridge_free. */
    const struct wire_message *messages;
    size_t message_count;
    struct bridge_events events;
    void *context;
};

MUST_USE enum status bridge_new(const struct bridge_config *config, struct bridge **ret_bridge);
/* To the process; what it does not get because it is down is dropped. Any thread. */
void bridge_send(struct bridge *bridge, const struct wire_message *message);
/* The loop of its thread, for timers of the callbacks' own. */
struct loop *bridge_loop(struct bridge *bridge);
/* Process id; 0: not running. For tests. */
int bridge_process(const struct bridge *bridge);
/* Ends the process (it says BYE) and the thread; bridge_loop then refuses letters. */
void bridge_stop(struct bridge *bridge);
/* Stops it if that was not done. Accepts NULL, returns NULL. */
struct bridge *bridge_free(struct bridge *bridge);

#endif
