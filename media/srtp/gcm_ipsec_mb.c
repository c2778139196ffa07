/* media/srtp/gcm_ipsec_mb.c - see gcm.h. Only this and mac_batch_ipsec_mb.c know
 * libipsec_mb. */
#include "media/srtp/gcm.h"

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

struct gcm {
    struct gcm_key_data key; /* round keys, then powers of H */
    aes_gcm_enc_dec_t pass;
};

_Static_assert(GCM_HOT >= offsetof(struct gcm_key_data, ghash_keys.sse_avx.shifted_hkey_k) + 128,
               "round keys and eight powers of H, twice");

/* Functions for this processor; the calls used here change nothing in it. */
static const IMB_MGR *library;

static void library_choose(void)
{
    IMB_MGR *manager = alloc_mb_mgr(0);
    if (manager == NULL)
        return;
    init_mb_mgr_auto(manager, NULL);
    if (imb_get_errno(manager) == 0)
        library = manager;
    else
        free_mb_mgr(manager);
}

enum status gcm_new(const uint8_t *key, size_t key_length, bool seal, struct gcm **ret_gcm)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (key_length != 16 && key_length != 32)
        return STATUS_INVALID;
    pthread_once(&once, library_choose);
    if (library == NULL)
        return STATUS_INTERNAL;
    struct gcm *gcm = aligned_alloc(_Alignof(struct gcm), sizeof *gcm);
    if (gcm == NULL)
        return STATUS_NO_MEMORY;
    if (key_length == 32) {
        IMB_AES256_GCM_PRE(library, key, &gcm->key);
        gcm->pass = seal ? library->gcm256_enc : library->gcm256_dec;
    } else {
        IMB_AES128_GCM_PRE(library, key, &gcm->key);
        gcm->pass = seal ? library->gcm128_enc : library->gcm128_dec;
    }
    *ret_gcm = gcm;
    return STATUS_OK;
}

struct gcm *gcm_free(struct gcm *gcm)
{
    if (gcm != NULL)
        OPENSSL_cleanse(gcm, sizeof *gcm);
    free(gcm);
    return NULL;
}

bool gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV], const uint8_t *aad, size_t aad_length,
              const uint8_t *in, size_t length, uint8_t *out, uint8_t *tag)
{
    struct gcm_context_data context;
    gcm->pass(&gcm->key, &context, out, in, length, iv, aad, aad_length, tag, GCM_TAG);
    return true;
}

enum status gcm_open(struct gcm *gcm, const uint8_t iv[GCM_IV], const uint8_t *aad,
                     size_t aad_length, uint8_t *bytes, size_t length, const uint8_t *tag)
{
    struct gcm_context_data context;
    uint8_t expected[GCM_TAG];
    gcm->pass(&gcm->key, &context, bytes, bytes, length, iv, aad, aad_length, expected, GCM_TAG);
    return CRYPTO_memcmp(expected, tag, GCM_TAG) == 0 ? STATUS_OK : STATUS_CORRUPT;
}
