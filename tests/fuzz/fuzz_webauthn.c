/*
 * What a passkey says, before and after its signature was checked. The input: one byte of choices,
 * two of the length of the client data, then it and the authenticator data.
 */
#include "modules/auth/webauthn.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct webauthn_expect expect = {
    .rp = "localhost", .origin = "http://localhost", .challenge = "0123456789abcdef"};

static void assert_one(const struct webauthn_key *key, struct webauthn_bytes client,
                       struct webauthn_bytes data)
{
    static const uint8_t signature[70] = {0x30, 68, 2, 32};
    uint32_t count = 0;
    if (webauthn_assert(&expect, key, client, data,
                        (struct webauthn_bytes){signature, sizeof signature}, &count) == STATUS_OK)
        abort(); /* nobody signed anything */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct webauthn_credential credential;
    static struct webauthn_key key = {.algorithm = WEBAUTHN_ES256, .length = 64};
    if (size < 3)
        return 0;
    size_t length = (size_t)(data[1] << 8 | data[2]);
    length = length > size - 3 ? size - 3 : length;
    /* Exact blocks, so that a read past an end is seen. */
    uint8_t *client = malloc(length + 1), *said = malloc(size - 3 - length + 1);
    if (client == NULL || said == NULL)
        abort();
    memcpy(client, data + 3, length);
    memcpy(said, data + 3 + length, size - 3 - length);
    const struct webauthn_bytes one = {client, length}, other = {said, size - 3 - length};
    if ((data[0] & 1) != 0)
        assert_one(&key, one, other);
    else if (webauthn_register(&expect, one, other, &credential) == STATUS_OK &&
             (credential.key.length > WEBAUTHN_KEY_MAX ||
              credential.id_length > WEBAUTHN_CREDENTIAL_MAX))
        abort();
    free(client);
    free(said);
    return 0;
}
