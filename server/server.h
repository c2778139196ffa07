/*
 * server/server.h - wires the floors together: `parley serve`.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "core/arena.h"
#include "core/status.h"
#include "server/settings.h"

enum { SERVER_ERROR_MAX = CONFIG_ERROR_MAX };

struct server;

/*
 * Starts everything; when it returns, clients are answered. `data` is made when it is
 * missing. Errors: any; ret_error gets one line for the operator, which begins
 * with "KEY: " when a value of the configuration is the reason.
 */
MUST_USE enum status server_start(const struct settings *settings, const char *data,
                                  struct server **ret_server, char ret_error[SERVER_ERROR_MAX]);
/* "http://localhost:8080/" */
const char *server_link(const struct server *server);
/* Reads certificates again, and begins the packet trace that the settings ask for. */
void server_reload(struct server *server, const struct settings *settings);
/* What has to be done now and then: every UPKEEP_SECONDS (server/upkeep.h), by one thread. */
void server_upkeep(struct server *server);
/* Takes no new joins and tells clients to come back later. */
void server_drain(struct server *server);
/* Runs one request of signalling/control without a server: opens the storage of `data` for it.
 * Errors: as server_start; STATUS_EXISTS also when a server is just starting there. */
MUST_USE enum status server_control(const struct settings *settings, const char *data,
                                    const char *request, struct arena *arena,
                                    const char **ret_reply, char ret_error[SERVER_ERROR_MAX]);
/* Accepts NULL and half-started ones, returns NULL. */
struct server *server_stop(struct server *server);

#endif
