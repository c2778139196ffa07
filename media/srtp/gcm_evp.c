/* media/srtp/gcm_evp.c - see gcm.h. On OpenSSL contexts that are keyed once; a packet sets the IV.
 */
#include "media/srtp/gcm.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct gcm {
    EVP_CIPHER_CTX *cipher;
};

enum status gcm_new(const uint8_t *key, size_t key_length, bool seal, struct gcm **ret_gcm)
{
    if (key_length != 16 && key_length != 32)
        return STATUS_INVALID;
    struct gcm *gcm = calloc(1, sizeof *gcm);
    if (gcm == NULL)
        return STATUS_NO_MEMORY;
    const EVP_CIPHER *kind = key_length == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    gcm->cipher = EVP_CIPHER_CTX_new();
    enum status status = STATUS_NO_MEMORY;
    if (gcm->cipher != NULL)
        status = EVP_CipherInit_ex2(gcm->cipher, kind, key, NULL, seal, NULL) == 1
                     ? STATUS_OK
                     : STATUS_INTERNAL;
    if (status != STATUS_OK) {
        gcm_free(gcm);
        return status;
    }
    *ret_gcm = gcm;
    return STATUS_OK;
}

struct gcm *gcm_free(struct gcm *gcm)
{
    if (gcm != NULL)
        EVP_CIPHER_CTX_free(gcm->cipher);
    free(gcm);
    return NULL;
}

/* The IV, the associated data, the bytes. */
static bool pass(struct gcm *gcm, const uint8_t iv[GCM_IV], const uint8_t *aad, size_t aad_length,
                 const uint8_t *in, size_t length, uint8_t *out)
{
    int written = 0;
    return EVP_CipherInit_ex2(gcm->cipher, NULL, NULL, iv, -1, NULL) == 1 &&
           EVP_CipherUpdate(gcm->cipher, NULL, &written, aad, (int)aad_length) == 1 &&
           (length == 0 || EVP_CipherUpdate(gcm->cipher, out, &written, in, (int)length) == 1);
}

bool gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV], const uint8_t *aad, size_t aad_length,
              const uint8_t *in, size_t length, uint8_t *out, uint8_t *tag)
{
    int written = 0;
    OSSL_PARAM tags[] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, GCM_TAG),
        OSSL_PARAM_construct_end(),
    };
    return pass(gcm, iv, aad, aad_length, in, length, out) &&
           EVP_CipherFinal_ex(gcm->cipher, tag, &written) == 1 &&
           EVP_CIPHER_CTX_get_params(gcm->cipher, tags) == 1;
}

enum status gcm_open(struct gcm *gcm, const uint8_t iv[GCM_IV], const uint8_t *aad,
                     size_t aad_length, uint8_t *bytes, size_t length, const uint8_t *tag)
{
    int written = 0;
    uint8_t end[GCM_TAG]; /* nothing is written to it */
    if (!pass(gcm, iv, aad, aad_length, bytes, length, bytes) ||
        EVP_CIPHER_CTX_ctrl(gcm->cipher, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, (void *)(uintptr_t)tag) !=
            1)
        return STATUS_INTERNAL;
    return EVP_CipherFinal_ex(gcm->cipher, end, &written) == 1 ? STATUS_OK : STATUS_CORRUPT;
}
