/*
 * Digest authentication for the stack (RFC 7616, RFC 8760). sofia-sip 1.12.11 knows MD5 only, and
 * fails on a challenge that has SHA-256 beside it; this takes the place of its scheme. Of several
 * challenges in one realm the first that we can answer is answered, as RFC 8760 2.4 says.
 */
#include "signalling/sip/phone/phone.h"

#include "core/crypto.h"

#define SOFIA_EXTEND_AUTH_CLIENT 1
#include <sofia-sip/auth_client.h>
#include <sofia-sip/auth_client_plugin.h>
#include <sofia-sip/auth_common.h>
#include <sofia-sip/su_md5.h>
#include <sofia-sip/url.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    DIGEST_HEX = 2 * CRYPTO_SHA256_BYTES + 1,
    DIGEST_PARTS_MAX = 8,
    CNONCE_BYTES = 12,
    DIGEST_TEXT_MAX = 512, /* bytes of a nonce or a realm */
};

struct digest_client {
    auth_client_t client; /* the stack's, first */
    bool known;           /* a challenge was taken */
    bool sha256, qop;
    uint32_t count;
    char cnonce[2 * CNONCE_BYTES + 1];
    char nonce[DIGEST_TEXT_MAX], realm[DIGEST_TEXT_MAX], opaque[DIGEST_TEXT_MAX];
};

/* Hash of the parts with colons between them. */
static void digest_hash(bool sha256, const char *const *parts, size_t count, char ret[DIGEST_HEX])
{
    uint8_t bytes[CRYPTO_SHA256_BYTES];
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += strlen(parts[i]) + 1;
    char *text = malloc(length + 1);
    ret[0] = '\0';
    if (text == NULL)
        return; /* an empty answer is refused */
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)sprintf(text + used, "%s%s", i > 0 ? ":" : "", parts[i]);
    if (sha256) {
        crypto_sha256(text, used, bytes);
    } else {
        su_md5_t md5;
        su_md5_init(&md5);
        su_md5_update(&md5, text, (usize_t)used);
        su_md5_digest(&md5, bytes);
    }
    crypto_hex(bytes, sha256 ? CRYPTO_SHA256_BYTES : SU_MD5_DIGEST_SIZE, ret);
    crypto_wipe(text, used);
    free(text);
}

/* A parameter without its quotes; "" when it is not there. False: too long, or has a quote in it.
 */
static bool parameter(char const *const *parameters, const char *name, char *ret_text, size_t size)
{
    const char *value = NULL;
    for (size_t i = 0; parameters != NULL && parameters[i] != NULL && value == NULL; i++) {
        size_t length = strlen(name);
        if (strncasecmp(parameters[i], name, length) == 0 && parameters[i][length] == '=')
            value = parameters[i] + length + 1;
    }
    size_t length = value != NULL ? strlen(value) : 0;
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value++;
        length -= 2;
    }
    if (length >= size ||
        (length > 0 && (memchr(value, '"', length) != NULL || memchr(value, '\\', length) != NULL)))
        return false;
    memcpy(ret_text, value != NULL ? value : "", length);
    ret_text[length] = '\0';
    return true;
}

static bool has_word(const char *list, const char *word)
{
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, " \t,");
        if (length == strlen(word) && strncasecmp(at, word, length) == 0)
            return true;
        at += length;
    }
    return false;
}

/* 2: answer it; 1: nothing new in it. Never an error: it would spoil the challenges beside it. */
static int on_challenge(auth_client_t *client, const msg_auth_t *challenge)
{
    struct digest_client *own = (struct digest_client *)client;
    struct digest_client next = {.known = true};
    char algorithm[32], qop[64], stale[16];
    char const *const *all = challenge->au_params;
    if (!parameter(all, "algorithm", algorithm, sizeof algorithm) ||
        !parameter(all, "qop", qop, sizeof qop) || !parameter(all, "stale", stale, sizeof stale) ||
        !parameter(all, "nonce", next.nonce, sizeof next.nonce) ||
        !parameter(all, "realm", next.realm, sizeof next.realm) ||
        !parameter(all, "opaque", next.opaque, sizeof next.opaque) || next.nonce[0] == '\0')
        return 1;
    next.sha256 = strcasecmp(algorithm, "SHA-256") == 0;
    if (!next.sha256 && algorithm[0] != '\0' && strcasecmp(algorithm, "MD5") != 0)
        return 1;
    next.qop = has_word(qop, "auth");
    if (qop[0] != '\0' && !next.qop)
        return 1;
    /* One after it in the same answer, which is weaker or the same. */
    if (own->known && own->sha256 && !next.sha256)
        return 1;
    bool changed = !own->known || strcmp(own->nonce, next.nonce) != 0;
    if (!changed)
        return strcasecmp(stale, "true") == 0 ? 2 : 1;
    bool again = !own->known || strcasecmp(stale, "true") == 0;
    uint8_t random[CNONCE_BYTES];
    crypto_random(random, sizeof random);
    own->known = true;
    own->sha256 = next.sha256;
    own->qop = next.qop;
    own->count = 0;
    crypto_hex(random, sizeof random, own->cnonce);
    memcpy(own->nonce, next.nonce, sizeof own->nonce);
    memcpy(own->realm, next.realm, sizeof own->realm);
    memcpy(own->opaque, next.opaque, sizeof own->opaque);
    return again ? 2 : 1;
}

static void response_make(const struct digest_client *own, const char *method, const char *uri,
                          const char *count, char ret_response[DIGEST_HEX])
{
    char secret[DIGEST_HEX], request[DIGEST_HEX];
    const char *user[] = {own->client.ca_user, own->realm, own->client.ca_pass};
    const char *what[] = {method, uri};
    digest_hash(own->sha256, user, 3, secret);
    digest_hash(own->sha256, what, 2, request);
    const char *plain[] = {secret, own->nonce, request};
    const char *counted[] = {secret, own->nonce, count, own->cnonce, "auth", request};
    if (own->qop)
        digest_hash(own->sha256, counted, 6, ret_response);
    else
        digest_hash(own->sha256, plain, 3, ret_response);
    crypto_wipe(secret, sizeof secret);
}

static int on_authorize(auth_client_t *client, su_home_t *home, const char *method,
                        const url_t *url, const msg_payload_t *body, msg_header_t **ret_header)
{
    struct digest_client *own = (struct digest_client *)client;
    char response[DIGEST_HEX], count[16];
    (void)body; /* qop=auth does not cover it */
    if (client->ca_user == NULL || client->ca_pass == NULL || client->ca_clear || !own->known)
        return 0;
    char *uri = url_as_string(home, url);
    if (uri == NULL)
        return -1;
    snprintf(count, sizeof count, "%08x", ++own->count);
    response_make(own, method, uri, count, response);
    msg_header_t *header = msg_header_format(
        home, client->ca_credential_class,
        "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
        "algorithm=%s%s%s%s%s%s%s%s%s",
        client->ca_user, own->realm, own->nonce, uri, response, own->sha256 ? "SHA-256" : "MD5",
        own->opaque[0] != '\0' ? ", opaque=\"" : "", own->opaque,
        own->opaque[0] != '\0' ? "\"" : "", own->qop ? ", qop=auth, nc=" : "",
        own->qop ? count : "", own->qop ? ", cnonce=\"" : "", own->qop ? own->cnonce : "",
        own->qop ? "\"" : "");
    su_free(home, uri);
    *ret_header = header;
    return header != NULL ? 0 : -1;
}

/* Authentication-Info: the next nonce saves a round. */
static int on_info(auth_client_t *client, const msg_auth_info_t *info)
{
    struct digest_client *own = (struct digest_client *)client;
    char next[DIGEST_TEXT_MAX];
    if (!parameter(info->ai_params, "nextnonce", next, sizeof next) || next[0] == '\0' ||
        !own->known || strcmp(next, own->nonce) == 0)
        return 0;
    memcpy(own->nonce, next, sizeof own->nonce);
    own->count = 0;
    return 1;
}

static int on_clear(auth_client_t *client)
{
    client->ca_clear = 1;
    return 1;
}

void digest_install(void)
{
    /*
     * The stack's list begins with its own digest and Basic, and a new scheme takes the first place
     * that has another name: one of another name takes digest's, then two of ours theirs, so that
     * no password goes out in clear for a challenge by Basic. Where names are compared the right
     * way round these are registered by name, with the same result for digest.
     */
    static const auth_client_plugin_t other = {.auc_plugin_size = sizeof other,
                                               .auc_size = sizeof(struct digest_client),
                                               .auc_name = "none",
                                               .auc_authorize = on_authorize};
    static const auth_client_plugin_t digest = {.auc_plugin_size = sizeof digest,
                                                .auc_size = sizeof(struct digest_client),
                                                .auc_name = "Digest",
                                                .auc_challenge = on_challenge,
                                                .auc_authorize = on_authorize,
                                                .auc_info = on_info,
                                                .auc_clear = on_clear};
    auc_register_plugin(&other);
    auc_register_plugin(&digest);
    auc_register_plugin(&digest);
}
