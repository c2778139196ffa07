/*
 * signalling/sip/trunk.h - a trunk as the configuration says it: phone.trunk.NAME.*
 */
#ifndef SIGNALLING_SIP_TRUNK_H
#define SIGNALLING_SIP_TRUNK_H

#include "core/config.h"

enum { TRUNKS_MAX = 16 };

/* enum wire_transport is one less. */
enum trunk_transport { TRUNK_AUTO, TRUNK_UDP, TRUNK_TCP, TRUNK_TLS };

struct trunk_settings {
    const char *host, *proxy;
    int64_t transport; /* enum trunk_transport */
    const char *user, *password, *password_file, *realm;
    bool registers, trusted, names;
    int64_t expires_s, priority;
    struct config_list numbers, allow;
    int64_t language; /* enum prompt_language */
    const char *ca;
};

#endif
