/*
 * tests/support/port.h - a test's own UDP sockets, and ports for servers that it starts.
 */
#ifndef TESTS_SUPPORT_PORT_H
#define TESTS_SUPPORT_PORT_H

/* A UDP socket at `address` (IPv4) and a port that the kernel chose; -1: there is none. The
 * caller closes it. */
int port_socket(const char *address, int *ret_port);

/* A port that is free for UDP and for TCP at every address, and not one of those the kernel gives
 * to others meanwhile; 0: none was found. */
int port_free(void);

#endif
