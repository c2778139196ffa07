#include "signalling/sip/stir.h"

#include "core/log.h"
#include "signalling/sip/passport.h"

#include <dirent.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STIR_NAME_MAX = 256, STIR_DER_MAX = 80 };

struct stir {
    struct {
        char name[STIR_NAME_MAX]; /* of the file, without its ending */
        X509 *certificate;
    } items[STIR_CERTIFICATES_MAX];
    size_t count;
};

/* ---- certificates ---- */

static bool ending_known(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL &&
           (strcmp(dot, ".pem") == 0 || strcmp(dot, ".crt") == 0 || strcmp(dot, ".cer") == 0);
}

static void name_copy(char into[STIR_NAME_MAX], const char *name)
{
    const char *dot = strrchr(name, '.');
    int length = (int)(dot != NULL ? (size_t)(dot - name) : strlen(name));
    snprintf(into, STIR_NAME_MAX, "%.*s", length < STIR_NAME_MAX ? length : 0, name);
}

static enum status certificate_read(struct stir *stir, const char *folder, const char *name)
{
    char path[4096];
    if (stir->count == STIR_CERTIFICATES_MAX)
        return STATUS_LIMIT;
    snprintf(path, sizeof path, "%.3800s/%.255s", folder, name);
    FILE *file = fopen(path, "re");
    X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file != NULL)
        fclose(file);
    ERR_clear_error();
    const EVP_PKEY *key = certificate != NULL ? X509_get0_pubkey(certificate) : NULL;
    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bits(key) != 256) {
        X509_free(certificate);
        log_event(LOG_PHONE, LOG_WARN, "stir_certificate", "file=%.200s why=no_p256_certificate",
                  name);
        return STATUS_OK;
    }
    name_copy(stir->items[stir->count].name, name);
    stir->items[stir->count++].certificate = certificate;
    return STATUS_OK;
}

enum status stir_new(const char *folder, struct stir **ret_stir)
{
    struct stir *stir = calloc(1, sizeof *stir);
    if (stir == NULL)
        return STATUS_NO_MEMORY;
    enum status status = STATUS_OK;
    if (folder[0] != '\0') {
        DIR *files = opendir(folder);
        struct dirent *entry;
        status = files != NULL ? STATUS_OK : STATUS_NOT_FOUND;
        while (status == STATUS_OK && (entry = readdir(files)) != NULL) {
            if (ending_known(entry->d_name))
                status = certificate_read(stir, folder, entry->d_name);
        }
        if (files != NULL)
            closedir(files);
    }
    if (status == STATUS_OK)
        *ret_stir = stir;
    else
        stir_free(stir);
    return status;
}

struct stir *stir_free(struct stir *stir)
{
    for (size_t i = 0; stir != NULL && i < stir->count; i++)
        X509_free(stir->items[i].certificate);
    free(stir);
    return NULL;
}

size_t stir_count(const struct stir *stir)
{
    return stir->count;
}

/* ---- a PASSporT ---- */

static bool signed_by(const struct passport *passport, X509 *certificate, int64_t now_s)
{
    uint8_t der[STIR_DER_MAX], *at = der;
    time_t now = (time_t)now_s;
    bool verified = false;
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) >= 0 ||
        X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0)
        return false;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(passport->signature, PASSPORT_SIGNATURE / 2, NULL);
    BIGNUM *s =
        BN_bin2bn(passport->signature + PASSPORT_SIGNATURE / 2, PASSPORT_SIGNATURE / 2, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        int length = i2d_ECDSA_SIG(pair, NULL);
        verified = context != NULL && length > 0 && (size_t)length <= sizeof der &&
                   i2d_ECDSA_SIG(pair, &at) == length &&
                   EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL,
                                        X509_get0_pubkey(certificate)) == 1 &&
                   EVP_DigestVerify(context, der, (size_t)length,
                                    (const unsigned char *)passport->text, passport->length) == 1;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return verified;
}

/* The certificate of that name is the only one asked, if there is one. */
static bool signature_valid(const struct stir *stir, const struct passport *passport, int64_t now_s)
{
    char name[STIR_NAME_MAX], path[PASSPORT_URL_MAX];
    snprintf(path, sizeof path, "%.*s", (int)strcspn(passport->url, "?#"), passport->url);
    const char *slash = strrchr(path, '/');
    name_copy(name, slash != NULL ? slash + 1 : path);
    for (size_t i = 0; i < stir->count; i++) {
        if (name[0] != '\0' && strcmp(stir->items[i].name, name) == 0)
            return signed_by(passport, stir->items[i].certificate, now_s);
    }
    for (size_t i = 0; i < stir->count; i++) {
        if (signed_by(passport, stir->items[i].certificate, now_s))
            return true;
    }
    return false;
}

static bool made_for(const struct passport *passport, const struct stir_request *request)
{
    char number[PASSPORT_NUMBER_MAX];
    for (size_t i = 0; i < 2; i++) {
        if (request->called[i] == NULL || !passport_number(request->called[i], number))
            continue;
        for (size_t j = 0; j < passport->dest_count; j++) {
            if (strcmp(passport->dest[j], number) == 0)
                return true;
        }
    }
    return false;
}

static enum status compact_complete(struct passport *passport, const struct stir_request *request)
{
    int64_t issued = 0;
    enum status status = STATUS_INVALID;
    if (request->date == NULL || !passport_date(request->date, &issued))
        return STATUS_INVALID;
    for (size_t i = 0; i < 2 && status != STATUS_OK; i++) {
        if (request->called[i] != NULL)
            status = passport_complete(passport, request->caller, request->called[i], issued);
    }
    return status;
}

const char *stir_check(const struct stir *stir, const struct stir_request *request)
{
    struct passport passport;
    char caller[PASSPORT_NUMBER_MAX];
    if (request->identity == NULL || stir->count == 0)
        return "";
    enum status status = passport_read(request->identity, &passport);
    if (status == STATUS_OK && passport.compact)
        status = compact_complete(&passport, request);
    int64_t age_s = status == STATUS_OK ? request->now_s - passport.issued : 0;
    if (status != STATUS_OK || age_s > STIR_FRESH_S || age_s < -STIR_FRESH_S ||
        !passport_number(request->caller, caller) || strcmp(caller, passport.orig) != 0 ||
        !made_for(&passport, request) || !signature_valid(stir, &passport, request->now_s))
        return "failed";
    return passport.attestation == 'A'   ? "A"
           : passport.attestation == 'B' ? "B"
           : passport.attestation == 'C' ? "C"
                                         : "valid";
}
