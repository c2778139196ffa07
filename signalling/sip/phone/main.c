/*
 * parley-phone - started by the server, which is at the other end of descriptor 3. It has no
 * options, reads no file but the certificate of phone.tls, and ends when the server is gone.
 */
#include "signalling/sip/phone/phone.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    static struct wire_end server = {.fd = PHONE_SOCKET};
    struct stack *stack;
    int kind = 0;
    socklen_t size = sizeof kind;
    if (getsockopt(PHONE_SOCKET, SOL_SOCKET, SO_TYPE, &kind, &size) != 0) {
        fputs("parley-phone is started by parley\n", stderr);
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    bool ran = stack_new(&server, &stack) == STATUS_OK && stack_run(stack) == STATUS_OK;
    _exit(ran ? EXIT_SUCCESS : EXIT_FAILURE);
}
