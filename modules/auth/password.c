#include "modules/auth/password.h"

#include <argon2.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ARGON2_MEMORY_KIB = 64 << 10,
    ARGON2_PASSES = 3,
    ARGON2_LANES = 1,
    PBKDF2_ROUNDS = 600000,
    SALT_BYTES = 16,
    HASH_BYTES = 32,
};

static const char argon2_head[] = "$argon2id$v=19$m=65536,t=3,p=1$";
static const char pbkdf2_head[] = "$pbkdf2-sha256$i=600000$";
static const char legacy_head[] = "sha256:";
/* A hash of nothing: checking against it takes as long as against a real one. */
static const char argon2_nobody[] = "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
static const char pbkdf2_nobody[] = "$pbkdf2-sha256$i=600000$AAAAAAAAAAAAAAAAAAAAAA$"
                                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static bool starts(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

/* ---- PBKDF2 ---- */

/* "HEAD SALT$HASH", the salt as the characters that stand there. */
static void pbkdf2_text(const uint8_t mac[CRYPTO_SHA256_BYTES], const char *salt, char *ret_kept)
{
    uint8_t key[CRYPTO_SHA256_BYTES];
    char hash[CRYPTO_BASE64URL_SIZE(CRYPTO_SHA256_BYTES)];
    crypto_pbkdf2(mac, CRYPTO_SHA256_BYTES, salt, strlen(salt), PBKDF2_ROUNDS, key);
    crypto_base64url(key, sizeof key, hash);
    snprintf(ret_kept, PASSWORD_KEPT_MAX, "%s%s$%s", pbkdf2_head, salt, hash);
}

static enum status pbkdf2_check(const uint8_t mac[CRYPTO_SHA256_BYTES], const char *kept)
{
    char salt[CRYPTO_BASE64URL_SIZE(SALT_BYTES)], again[PASSWORD_KEPT_MAX];
    const char *at = kept + strlen(pbkdf2_head);
    size_t length = strcspn(at, "$");
    if (length >= sizeof salt)
        return STATUS_CORRUPT;
    memcpy(salt, at, length);
    salt[length] = '\0';
    pbkdf2_text(mac, salt, again);
    if (strlen(again) != strlen(kept))
        return STATUS_CORRUPT;
    return crypto_equal(again, kept, strlen(kept)) ? STATUS_OK : STATUS_DENIED;
}

/* ---- either ---- */

static enum status mac_keep(bool fips, const uint8_t mac[CRYPTO_SHA256_BYTES],
                            char ret_kept[PASSWORD_KEPT_MAX])
{
    uint8_t salt[SALT_BYTES];
    crypto_random(salt, sizeof salt);
    if (fips) {
        char text[CRYPTO_BASE64URL_SIZE(SALT_BYTES)];
        crypto_base64url(salt, sizeof salt, text);
        pbkdf2_text(mac, text, ret_kept);
        return STATUS_OK;
    }
    int code = argon2id_hash_encoded(ARGON2_PASSES, ARGON2_MEMORY_KIB, ARGON2_LANES, mac,
                                     CRYPTO_SHA256_BYTES, salt, sizeof salt, HASH_BYTES, ret_kept,
                                     PASSWORD_KEPT_MAX);
    return code == ARGON2_OK ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status mac_check(const uint8_t mac[CRYPTO_SHA256_BYTES], const char *kept)
{
    if (starts(kept, pbkdf2_head))
        return pbkdf2_check(mac, kept);
    switch (argon2id_verify(kept, mac, CRYPTO_SHA256_BYTES)) {
    case ARGON2_OK:
        return STATUS_OK;
    case ARGON2_VERIFY_MISMATCH:
        return STATUS_DENIED;
    case ARGON2_MEMORY_ALLOCATION_ERROR:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_CORRUPT;
    }
}

enum status password_keep(struct vault *vault, bool fips, const char *password,
                          char ret_kept[PASSWORD_KEPT_MAX])
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    enum status status = vault_hash(vault, NULL, "password", password, strlen(password), mac);
    return status == STATUS_OK ? mac_keep(fips, mac, ret_kept) : status;
}

/* ---- hashes of other programs ---- */

static enum status legacy_mac(struct vault *vault, const char *hash,
                              uint8_t ret_mac[CRYPTO_SHA256_BYTES])
{
    return vault_hash(vault, NULL, "password.sha256", hash, PASSWORD_SHA256_HEX, ret_mac);
}

enum status password_keep_legacy(struct vault *vault, bool fips, const char *salt, const char *hash,
                                 char ret_kept[PASSWORD_KEPT_MAX])
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    char lower[PASSWORD_SHA256_HEX + 1] = "", wrapped[PASSWORD_KEPT_MAX];
    if (strlen(hash) != PASSWORD_SHA256_HEX ||
        strspn(hash, "0123456789abcdefABCDEF") != PASSWORD_SHA256_HEX ||
        strlen(salt) > PASSWORD_SALT_MAX || strchr(salt, ':') != NULL)
        return STATUS_INVALID;
    for (size_t i = 0; i < PASSWORD_SHA256_HEX; i++)
        lower[i] = (char)tolower((unsigned char)hash[i]);
    enum status status = legacy_mac(vault, lower, mac);
    if (status == STATUS_OK)
        status = mac_keep(fips, mac, wrapped);
    if (status == STATUS_OK && snprintf(ret_kept, PASSWORD_KEPT_MAX, "%s%s:%s", legacy_head, salt,
                                        wrapped) >= PASSWORD_KEPT_MAX)
        status = STATUS_INVALID;
    return status;
}

/* The password hashed as that program did, then as password_keep_legacy did. */
static enum status legacy_check(struct vault *vault, const char *password, const char *kept)
{
    const char *salt = kept + strlen(legacy_head);
    size_t salt_length = strcspn(salt, ":");
    char joined[PASSWORD_SALT_MAX + PASSWORD_MAX + 1];
    uint8_t digest[CRYPTO_SHA256_BYTES], mac[CRYPTO_SHA256_BYTES];
    char hash[PASSWORD_SHA256_HEX + 1];
    if (salt[salt_length] != ':' || salt_length > PASSWORD_SALT_MAX)
        return STATUS_CORRUPT;
    memcpy(joined, salt, salt_length);
    memcpy(joined + salt_length, password, strlen(password));
    crypto_sha256(joined, salt_length + strlen(password), digest);
    crypto_hex(digest, sizeof digest, hash);
    enum status status = legacy_mac(vault, hash, mac);
    return status == STATUS_OK ? mac_check(mac, salt + salt_length + 1) : status;
}

enum status password_check(struct vault *vault, bool fips, const char *password, const char *kept)
{
    uint8_t mac[CRYPTO_SHA256_BYTES];
    if (strlen(password) > PASSWORD_MAX)
        return STATUS_DENIED; /* nobody has such a one, whoever it is */
    if (kept != NULL && starts(kept, legacy_head))
        return legacy_check(vault, password, kept);
    enum status status = vault_hash(vault, NULL, "password", password, strlen(password), mac);
    if (status != STATUS_OK || kept != NULL)
        return status == STATUS_OK ? mac_check(mac, kept) : status;
    status = mac_check(mac, fips ? pbkdf2_nobody : argon2_nobody);
    return status == STATUS_OK ? STATUS_DENIED : status;
}

bool password_outdated(bool fips, const char *kept)
{
    return !starts(kept, fips ? pbkdf2_head : argon2_head);
}
