/*
 * signalling/sip/phone/phone.h - parley-phone: the SIP stack in a process of its own.
 *
 * One thread, sofia-sip's root. What SIP says becomes messages to the server (../wire.h), what
 * the server says becomes SIP; there is no policy here, and no media. Design and the reasons of
 * every guard: docs/design/phone.md.
 */
#ifndef SIGNALLING_SIP_PHONE_PHONE_H
#define SIGNALLING_SIP_PHONE_PHONE_H

#include "core/network.h"
#include "core/status.h"
#include "signalling/sip/wire.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A function that stands in for the C library's in the libraries too. */
#define PHONE_EXPORTED __attribute__((visibility("default"), used))

enum {
    PHONE_SOCKET = 3,           /* the descriptor that is the server's other end */
    PHONE_CALLS_MAX = 4096,     /* at once; as many as there are legs */
    PHONE_TRUNKS_MAX = 16,      /* of one configuration */
    PHONE_SOURCES_MAX = 128,    /* networks let in; the kernel takes a filter of 20 KiB */
    PHONE_DATAGRAM_MAX = 16384, /* bytes: the largest message of RFC 4475 has 4 KiB */
    PHONE_RATE_DEFAULT = 2000,  /* packets a second from one source: 300 new calls */
};

/* ---- gate.c: who may speak to the stack ---- */

enum { GATE_NO_OWNER = -1 };

/* `owner`: number of the trunk it belongs to, or GATE_NO_OWNER. Errors: STATUS_LIMIT
 * (PHONE_SOURCES_MAX). */
MUST_USE enum status gate_allow(const struct network *network, int owner);
/* Takes an owner's networks from `keep` on out again, those allowed first being the first. */
void gate_forget(int owner, size_t keep);
bool gate_owns(int owner, const struct sockaddr *source);
/* The first owner of a network that has it; GATE_NO_OWNER. */
int gate_owner(const struct sockaddr *source);
void gate_rate(uint16_t packets_per_second);
/* Whether a packet from this source may pass now: false when its source is over its rate. */
bool gate_pass(const struct sockaddr *source, uint64_t now_ms);
/*
 * Puts the list into the kernel, on every socket of this process that is bound to `port` and is of
 * `type` (SOCK_DGRAM, SOCK_STREAM). What others send is dropped before it takes a place in a queue.
 * Errors: STATUS_NOT_FOUND (no such socket), STATUS_IO.
 */
MUST_USE enum status gate_close(int type, uint16_t port);

/* ---- verify.c: the certificates of those we connect to by TLS ---- */

/* Reads the authorities: a PEM file, or "" for the system's. Before the sandbox. Errors: STATUS_IO,
 * STATUS_LIMIT (PHONE_TRUNKS_MAX). */
MUST_USE enum status verify_add(int trunk, const char *authorities, const char *host);

/* ---- digest.c ---- */

/* Digest for the stack's authentication: MD5 and SHA-256 (RFC 8760). */
void digest_install(void);

/* ---- sandbox.c ---- */

/* From now on: no privileges, no files, no programs. Errors: STATUS_IO. */
MUST_USE enum status sandbox_enter(void);

/* ---- stack.c: sofia-sip ---- */

struct stack;

/* `server`: the end of the connection; the caller's. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status stack_new(struct wire_end *server, struct stack **ret_stack);
/* Runs until the server is gone and calls are ended, or STATUS_IO. */
MUST_USE enum status stack_run(struct stack *stack);

#endif
