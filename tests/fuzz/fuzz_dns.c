/*
 * A name server's answer, as each kind of record: what is taken is a host's name or an address, and
 * a search that gets it as the answer to everything ends.
 */
#include "signalling/sip/locate.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t size;
};

static enum status ask(void *context, const char *name, enum dns_kind kind,
                       struct dns_answer *ret_answer)
{
    const struct bytes *bytes = context;
    if (strlen(name) >= DNS_NAME_MAX + 16)
        abort();
    return dns_read(bytes->data, bytes->size, kind, ret_answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        return 0;
    memcpy(exact, data, size);
    struct bytes bytes = {exact, size};
    struct locate_wish wish = {.host = "provider.test", .can = {true, true, true}, .seed = 1};
    struct location location;
    if (locate(&wish, ask, &bytes, &location) == STATUS_OK) {
        if (location.count == 0 || location.count > LOCATE_TARGETS_MAX)
            abort();
        for (size_t i = 0; i < location.count; i++) {
            uint8_t address[16];
            if (inet_pton(AF_INET, location.targets[i].address, address) != 1 &&
                inet_pton(AF_INET6, location.targets[i].address, address) != 1)
                abort();
        }
    }
    free(exact);
    return 0;
}
