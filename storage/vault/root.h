/*
 * storage/vault/root.h - the root key: a file, or what a command prints; private to storage/.
 */
#ifndef STORAGE_VAULT_ROOT_H
#define STORAGE_VAULT_ROOT_H

#include "core/crypto.h"

#include <stdbool.h>

enum {
    ROOT_COMMAND_MS = 30000, /* a key service may have to be asked over the network */
};

/*
 * `folder` is DATA/keys. `command` (NULL or "": the file root.key in folder) is run by /bin/sh and
 * prints the key: 64 hexadecimal digits, then perhaps a line end. `make`: a file that is
 * missing is made, whole and durable, for its owner alone. On an error *ret_reason is a text for
 * the operator.
 * Errors: STATUS_NOT_FOUND (no file), STATUS_DENIED (others may read it), STATUS_CORRUPT (no key in
 * it), STATUS_TIMEOUT, STATUS_IO.
 */
MUST_USE enum status root_read(const char *folder, const char *command, bool make,
                               uint8_t ret_key[CRYPTO_KEY_BYTES], const char **ret_reason);

#endif
