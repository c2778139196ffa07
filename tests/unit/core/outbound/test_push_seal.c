/*
 * Against the example of RFC 8291, appendix A, byte for byte; the proof of RFC 8292 is verified
 * with OpenSSL as a push service would.
 */
#include "core/outbound/push_seal.h"

#include "core/crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Unpadded base64url; the length must be this. */
static void bytes_of(const char *text, void *ret_bytes, size_t length)
{
    char padded[1024];
    size_t got = 0, at = 0;
    for (; text[at] != '\0'; at++)
        padded[at] = (char)(text[at] == '-' ? '+' : text[at] == '_' ? '/' : text[at]);
    while (at % 4 != 0)
        padded[at++] = '=';
    assert_true(crypto_unbase64(padded, at, ret_bytes, length, &got));
    assert_int_equal(got, length);
}

static void test_appendix(void **state)
{
    (void)state;
    static const char plain[] = "When I grow up, I want to be a watermelon";
    static const char body[] =
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY"
        "WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSg"
        "Sxsj_Qulcy4a-fN";
    struct push_browser browser;
    struct push_pair fresh;
    uint8_t salt[PUSH_SALT_BYTES], sealed[PUSH_SEALED_MAX], wanted[144];
    size_t length = 0;
    bytes_of(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw"
        "4",
        browser.point, sizeof browser.point);
    bytes_of("BTBZMqHH6r4Tts7J_aSIgg", browser.auth, sizeof browser.auth);
    bytes_of("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", fresh.secret, sizeof fresh.secret);
    bytes_of(
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
        "8",
        fresh.point, sizeof fresh.point);
    bytes_of("DGv6ra1nlYgDCS1FRnbzlw", salt, sizeof salt);
    bytes_of(body, wanted, sizeof wanted);
    assert_int_equal(push_seal(&browser, &fresh, salt, plain, strlen(plain), sealed, &length),
                     STATUS_OK);
    assert_int_equal(length, sizeof wanted);
    assert_memory_equal(sealed, wanted, sizeof wanted);

    uint8_t large[PUSH_PLAIN_MAX + 1] = {0};
    assert_int_equal(push_seal(&browser, &fresh, salt, large, sizeof large, sealed, &length),
                     STATUS_LIMIT);
    assert_int_equal(push_seal(&browser, &fresh, salt, large, PUSH_PLAIN_MAX, sealed, &length),
                     STATUS_OK);
    assert_int_equal(length, PUSH_SEALED_MAX);
    browser.point[64] ^= 1; /* not on the curve */
    assert_int_equal(push_seal(&browser, &fresh, salt, plain, 1, sealed, &length), STATUS_INVALID);
}

static EVP_PKEY *public_key(const uint8_t point[PUSH_PUBLIC_BYTES])
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, PUSH_PUBLIC_BYTES);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void test_proof(void **state)
{
    (void)state;
    struct push_pair own;
    char line[PUSH_VAPID_MAX], token[PUSH_VAPID_MAX], key_text[100];
    uint8_t point[PUSH_PUBLIC_BYTES], raw[64], der[80], *at = der;
    assert_int_equal(push_pair_new(&own), STATUS_OK);
    assert_int_equal(
        push_vapid(&own, "https://push.example.net", "mailto:a@example.org", 1453523768, line),
        STATUS_OK);
    assert_int_equal(sscanf(line, "Authorization: vapid t=%900[^,], k=%99s", token, key_text), 2);
    bytes_of(key_text, point, sizeof point);
    assert_memory_equal(point, own.point, sizeof point);
    char *dot = strrchr(token, '.');
    assert_non_null(dot);
    bytes_of(dot + 1, raw, sizeof raw);
    *dot = '\0';
    assert_non_null(strstr(token, ".eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQi"));
    ECDSA_SIG *signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    int length = i2d_ECDSA_SIG(signature, &at);
    ECDSA_SIG_free(signature);
    EVP_PKEY *key = public_key(point);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    for (int wrong = 0; wrong < 2; wrong++) {
        token[0] = (char)(token[0] ^ wrong);
        assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
        assert_int_equal(
            EVP_DigestVerify(context, der, (size_t)length, (const uint8_t *)token, strlen(token)),
            !wrong);
        EVP_MD_CTX_reset(context);
    }
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appendix),
        cmocka_unit_test(test_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
