#include "signalling/http/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The last OpenSSL error as a text; clears the queue. */
static const char *ssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason != NULL ? reason : "unreadable";
}

static int choose_alpn(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_length,
                       const unsigned char *offered, unsigned length, void *context)
{
    (void)ssl;
    (void)context;
    static const unsigned char ours[] = "\x08http/1.1";
    for (unsigned at = 0; at < length; at += 1u + offered[at]) {
        if (offered[at] != ours[0] || length - at < sizeof ours - 1 ||
            memcmp(offered + at, ours, sizeof ours - 1) != 0)
            continue;
        *ret_protocol = offered + at + 1;
        *ret_length = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *context_bare(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return NULL;
    static const unsigned char session_id[] = "parley";
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_set_session_id_context(context, session_id, sizeof session_id - 1) != 1) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* Websockets wait for hours: their records' memory goes back while they do. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
    return context;
}

static enum status context_load(const char *certificate, const char *key, SSL_CTX **ret_context,
                                char *ret_error, size_t error_size)
{
    ERR_clear_error();
    SSL_CTX *context = context_bare();
    if (context == NULL) {
        snprintf(ret_error, error_size, "TLS: %s", ssl_reason());
        return STATUS_NO_MEMORY;
    }
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        snprintf(ret_error, error_size, "https.certificate: %s: %s", certificate, ssl_reason());
    else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        snprintf(ret_error, error_size, "https.key: %s: %s", key, ssl_reason());
    else if (SSL_CTX_check_private_key(context) != 1)
        snprintf(ret_error, error_size, "https.key: %s does not fit the certificate %s", key,
                 certificate);
    else {
        *ret_context = context;
        return STATUS_OK;
    }
    ERR_clear_error();
    SSL_CTX_free(context);
    return STATUS_INVALID;
}

/* Adds to a "DNS:a,IP:b" list; what does not fit is left out. */
static void name_add(char *list, size_t size, const char *kind, const char *name)
{
    size_t length = strlen(list);
    int added = snprintf(list + length, size - length, ",%s:%s", kind, name);
    if (added < 0 || (size_t)added >= size - length)
        list[length] = '\0';
}

/* subjectAltName: localhost, the host's name, its addresses. */
static void names_collect(char *list, size_t size)
{
    snprintf(list, size, "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1");
    char host[256] = "";
    bool named = gethostname(host, sizeof host - 1) == 0 && host[0] != '\0' &&
                 strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
                     strlen(host);
    if (named && strcmp(host, "localhost") != 0)
        name_add(list, size, "DNS", host);
    struct ifaddrs *interfaces = NULL;
    if (getifaddrs(&interfaces) != 0)
        return;
    for (struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        if (at->ifa_addr == NULL || (at->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        const char *printed = NULL;
        if (at->ifa_addr->sa_family == AF_INET) {
            memcpy(&v4, at->ifa_addr, sizeof v4);
            printed = inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        } else if (at->ifa_addr->sa_family == AF_INET6) {
            memcpy(&v6, at->ifa_addr, sizeof v6);
            if (!IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
                printed = inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        }
        if (printed != NULL)
            name_add(list, size, "IP", printed);
    }
    freeifaddrs(interfaces);
}

static bool extension_add(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static X509 *certificate_sign(EVP_PKEY *key)
{
    char names[2048];
    names_collect(names, sizeof names);
    X509 *certificate = X509_new();
    BIGNUM *serial = BN_new();
    bool made =
        certificate != NULL && serial != NULL && X509_set_version(certificate, 2) == 1 &&
        BN_rand(serial, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
        BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
        X509_time_adj_ex(X509_getm_notAfter(certificate), CERTIFICATE_DAYS, 0, NULL) != NULL;
    if (made) {
        static const unsigned char common[] = "Parley self-signed";
        X509_NAME *name = X509_get_subject_name(certificate);
        made = X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0) == 1 &&
               X509_set_issuer_name(certificate, name) == 1 &&
               X509_set_pubkey(certificate, key) == 1 &&
               extension_add(certificate, NID_subject_alt_name, names) &&
               extension_add(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
               extension_add(certificate, NID_ext_key_usage, "serverAuth") &&
               X509_sign(certificate, key, EVP_sha256()) > 0;
    }
    BN_free(serial);
    if (!made) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

/* Opens a new file that only we may read; it takes its name when it is whole. */
static FILE *file_begin(const char *path, char *temporary)
{
    snprintf(temporary, CERTIFICATE_PATH_MAX, "%s.new", path);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}

static bool file_end(FILE *file, const char *temporary, const char *path, bool written)
{
    if (file == NULL)
        return false;
    written = fflush(file) == 0 && fsync(fileno(file)) == 0 && written;
    written = fclose(file) == 0 && written;
    written = written && rename(temporary, path) == 0;
    if (!written)
        unlink(temporary);
    return written;
}

static enum status pair_make(const char *certificate_path, const char *key_path, char *ret_error,
                             size_t error_size)
{
    char temporary[CERTIFICATE_PATH_MAX];
    enum status status = STATUS_NO_MEMORY;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key != NULL ? certificate_sign(key) : NULL;
    if (certificate == NULL) {
        snprintf(ret_error, error_size, "self-signed certificate: %s", ssl_reason());
        goto out;
    }
    status = STATUS_IO;
    FILE *file = file_begin(key_path, temporary);
    bool written = file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (!file_end(file, temporary, key_path, written)) {
        snprintf(ret_error, error_size, "%s: %s", key_path, strerror(errno));
        goto out;
    }
    file = file_begin(certificate_path, temporary);
    written = file != NULL && PEM_write_X509(file, certificate) == 1;
    if (!file_end(file, temporary, certificate_path, written)) {
        snprintf(ret_error, error_size, "%s: %s", certificate_path, strerror(errno));
        goto out;
    }
    status = STATUS_OK;
out:
    X509_free(certificate);
    EVP_PKEY_free(key);
    return status;
}

/* False when absent, damaged or near its end. */
static bool pair_usable(const char *certificate_path)
{
    FILE *file = fopen(certificate_path, "re");
    if (file == NULL)
        return false;
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    ERR_clear_error();
    if (certificate == NULL)
        return false;
    time_t renew_at = time(NULL) + (time_t)CERTIFICATE_RENEW_DAYS * 86400;
    bool usable = X509_cmp_time(X509_get0_notAfter(certificate), &renew_at) > 0;
    X509_free(certificate);
    return usable;
}

enum status certificate_context(const char *certificate, const char *key, const char *directory,
                                SSL_CTX **ret_context, char *ret_error, size_t error_size)
{
    if (certificate != NULL && key != NULL)
        return context_load(certificate, key, ret_context, ret_error, error_size);
    char certificate_path[CERTIFICATE_PATH_MAX - 16], key_path[CERTIFICATE_PATH_MAX - 16];
    if (certificate != NULL || key != NULL) {
        snprintf(ret_error, error_size, "%s",
                 certificate != NULL ? "https.certificate: needs https.key too"
                                     : "https.key: needs https.certificate too");
        return STATUS_INVALID;
    }
    if (directory == NULL || strlen(directory) > sizeof key_path - 32) {
        snprintf(ret_error, error_size, "no folder for a self-signed certificate");
        return STATUS_INVALID;
    }
    snprintf(certificate_path, sizeof certificate_path, "%s/self-signed.crt", directory);
    snprintf(key_path, sizeof key_path, "%s/self-signed.key", directory);
    if (pair_usable(certificate_path) &&
        context_load(certificate_path, key_path, ret_context, ret_error, error_size) == STATUS_OK)
        return STATUS_OK;
    enum status status = pair_make(certificate_path, key_path, ret_error, error_size);
    if (status != STATUS_OK)
        return status;
    return context_load(certificate_path, key_path, ret_context, ret_error, error_size);
}
