#include "core/outbound/http_fetch.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/origin.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FETCH_TIME_MS = 20000 };

/* What a request came to; the callback runs elsewhere. */
struct got {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int answers;
    enum status status;
    int code;
    char type[64], url[256], body[4096], location[256];
    size_t length;
    bool is_cut;
};

static void on_answer(void *context, const struct http_fetch_answer *answer)
{
    struct got *got = context;
    pthread_mutex_lock(&got->lock);
    got->answers++;
    got->status = answer->status;
    if (answer->status == STATUS_OK) {
        got->code = answer->code;
        got->length = answer->body_length;
        got->is_cut = answer->is_cut;
        snprintf(got->type, sizeof got->type, "%s", answer->content_type);
        snprintf(got->url, sizeof got->url, "%s", answer->url);
        snprintf(got->body, sizeof got->body, "%.*s", (int)answer->body_length,
                 answer->body != NULL ? (const char *)answer->body : "");
        if (!http_fetch_header(answer, "location", got->location, sizeof got->location))
            got->location[0] = '\0';
    }
    pthread_cond_broadcast(&got->changed);
    pthread_mutex_unlock(&got->lock);
}

static char *pages(void *context, const struct origin_request *request, size_t *ret_length)
{
    const char *head = request->head;
    char headers[256];
    (void)context;
    if (strncmp(head, "GET /silent", 11) == 0)
        return NULL;
    if (strncmp(head, "GET /away ", 10) == 0)
        return origin_answer(302, "text/plain", "Location: /page\r\n", "", ret_length);
    if (strncmp(head, "GET /loop", 9) == 0)
        return origin_answer(302, "text/plain", "Location: /loop\r\n", "", ret_length);
    if (strncmp(head, "GET /file", 9) == 0)
        return origin_answer(302, "text/plain", "Location: file:///etc/passwd\r\n", "", ret_length);
    if (strncmp(head, "GET /inside?", 12) == 0) {
        snprintf(headers, sizeof headers, "Location: http://%.*s/page\r\n",
                 (int)strcspn(head + 12, " "), head + 12);
        return origin_answer(302, "text/plain", headers, "", ret_length);
    }
    if (strncmp(head, "POST ", 5) == 0) {
        char text[512];
        snprintf(text, sizeof text, "%.*s|%s", (int)request->body_length,
                 (const char *)request->body, strstr(head, "TTL: 60") != NULL ? "ttl" : "none");
        return origin_answer(201, "text/plain", "Location:  /made\t\r\n", text, ret_length);
    }
    return origin_answer(200, "text/html; charset=utf-8", "", "<p>0123456789</p>", ret_length);
}

struct scene {
    struct origin *origin;
    struct http_fetch *fetch;
    struct got got;
    char authority[64];
};

static struct http_fetch *fetch_to(const struct origin *origin, const char *allowed)
{
    struct http_fetch_config config = {.reach = {.ports = {origin_port(origin)}, .port_count = 1}};
    struct http_fetch *fetch;
    if (allowed != NULL) {
        assert_int_equal(network_read(allowed, &config.reach.allowed[0]), STATUS_OK);
        config.reach.allowed_count = 1;
    }
    assert_int_equal(http_fetch_new(&config, &fetch), STATUS_OK);
    return fetch;
}

static void scene_begin(struct scene *scene, const char *allowed)
{
    *scene = (struct scene){
        .got = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}};
    scene->origin = origin_start("127.0.0.1", pages, NULL);
    scene->fetch = fetch_to(scene->origin, allowed);
    snprintf(scene->authority, sizeof scene->authority, "127.0.0.1:%u", origin_port(scene->origin));
}

static void scene_end(struct scene *scene)
{
    assert_null(http_fetch_free(scene->fetch));
    origin_stop(scene->origin);
}

static void await(struct got *got)
{
    pthread_mutex_lock(&got->lock);
    while (got->answers == 0)
        pthread_cond_wait(&got->changed, &got->lock);
    got->answers--;
    pthread_mutex_unlock(&got->lock);
}

static struct http_fetch_request get(const char *url)
{
    return (struct http_fetch_request){
        .url = url, .size_max = 4000, .time_ms_max = FETCH_TIME_MS, .redirects_max = 3};
}

static enum status run(struct scene *scene, const struct http_fetch_request *request)
{
    assert_int_equal(http_fetch_start(scene->fetch, request, on_answer, &scene->got), STATUS_OK);
    await(&scene->got);
    return scene->got.status;
}

static enum status run_path(struct scene *scene, const char *path)
{
    char url[256];
    snprintf(url, sizeof url, "http://%s%s", scene->authority, path);
    struct http_fetch_request request = get(url);
    return run(scene, &request);
}

static void test_get(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, "127.0.0.1");
    assert_int_equal(run_path(&scene, "/page"), STATUS_OK);
    assert_int_equal(scene.got.code, 200);
    assert_string_equal(scene.got.type, "text/html; charset=utf-8");
    assert_string_equal(scene.got.body, "<p>0123456789</p>");
    assert_false(scene.got.is_cut);
    scene_end(&scene);
}

static void test_post(void **state)
{
    struct scene scene;
    char url[256];
    (void)state;
    scene_begin(&scene, "127.0.0.1");
    snprintf(url, sizeof url, "http://%s/push", scene.authority);
    const char *const headers[] = {"TTL: 60", "Content-Type: application/octet-stream"};
    struct http_fetch_request request = get(url);
    request.headers = headers;
    request.header_count = 2;
    request.body = "sealed";
    request.body_length = 6;
    assert_int_equal(run(&scene, &request), STATUS_OK);
    assert_int_equal(scene.got.code, 201);
    assert_string_equal(scene.got.body, "sealed|ttl");
    assert_string_equal(scene.got.location, "/made");
    request.body_length = 0;
    assert_int_equal(run(&scene, &request), STATUS_OK);
    assert_string_equal(scene.got.body, "|ttl");
    scene_end(&scene);
}

static void test_caps(void **state)
{
    struct scene scene;
    char url[256];
    (void)state;
    scene_begin(&scene, "127.0.0.1");
    snprintf(url, sizeof url, "http://%s/page", scene.authority);
    struct http_fetch_request request = get(url);
    request.size_max = 4;
    assert_int_equal(run(&scene, &request), STATUS_TRUNCATED);
    request.cut = true;
    assert_int_equal(run(&scene, &request), STATUS_OK);
    assert_string_equal(scene.got.body, "<p>0");
    assert_true(scene.got.is_cut);
    snprintf(url, sizeof url, "http://%s/silent", scene.authority);
    request.time_ms_max = 50;
    assert_int_equal(run(&scene, &request), STATUS_TIMEOUT);
    scene_end(&scene);
}

static void test_redirects(void **state)
{
    struct scene scene;
    char url[256];
    (void)state;
    scene_begin(&scene, "127.0.0.1");
    assert_int_equal(run_path(&scene, "/away"), STATUS_OK);
    assert_int_equal(scene.got.code, 200);
    assert_string_equal(scene.got.url + strlen(scene.got.url) - 5, "/page");
    assert_string_equal(scene.got.location, ""); /* of the redirect, not of the answer */
    assert_int_equal(run_path(&scene, "/loop"), STATUS_LIMIT);
    assert_int_equal(run_path(&scene, "/file"), STATUS_DENIED);
    snprintf(url, sizeof url, "http://%s/away", scene.authority);
    struct http_fetch_request request = get(url);
    request.redirects_max = 0;
    assert_int_equal(run(&scene, &request), STATUS_OK);
    assert_int_equal(scene.got.code, 302);
    assert_string_equal(scene.got.location, "/page");
    scene_end(&scene);
}

/* The first server may be reached, what it sends one to may not: no connection is made. */
static void test_redirect_inside(void **state)
{
    struct scene scene;
    char path[128];
    (void)state;
    scene_begin(&scene, "127.0.0.1");
    struct origin *inside = origin_start("127.0.0.2", pages, NULL);
    snprintf(path, sizeof path, "/inside?127.0.0.2:%u", origin_port(inside));
    assert_int_equal(run_path(&scene, path), STATUS_DENIED);
    snprintf(path, sizeof path, "/inside?127.0.0.2:%u", origin_port(scene.origin));
    assert_int_equal(run_path(&scene, path), STATUS_DENIED);
    assert_int_equal(origin_connections(inside), 0);
    origin_stop(inside);
    scene_end(&scene);
}

/* However the address is written, and by name: what is checked is what would be connected to. */
static void test_refused_addresses(void **state)
{
    static const char *const hosts[] = {"127.0.0.1",
                                        "127.1",
                                        "2130706433",
                                        "0x7f000001",
                                        "0177.0.0.1",
                                        "localhost",
                                        "0.0.0.0",
                                        "0",
                                        "[::1]",
                                        "[::]",
                                        "[::ffff:127.0.0.1]",
                                        "[::127.0.0.1]",
                                        "[64:ff9b::7f00:1]",
                                        "[2002:7f00:1::]",
                                        "[fe80::1]",
                                        "[fd00::1]",
                                        "10.0.0.1",
                                        "172.16.0.1",
                                        "192.168.0.1",
                                        "100.64.0.1",
                                        "169.254.169.254",
                                        "224.0.0.1",
                                        "255.255.255.255"};
    struct scene scene;
    (void)state;
    scene_begin(&scene, NULL);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char url[128];
        snprintf(url, sizeof url, "http://%s:%u/page", hosts[i], origin_port(scene.origin));
        struct http_fetch_request request = get(url);
        if (run(&scene, &request) != STATUS_DENIED)
            fail_msg("%s: %s", hosts[i], status_name(scene.got.status));
    }
    assert_int_equal(origin_connections(scene.origin), 0);
    scene_end(&scene);
}

static void test_refused_port(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, "127.0.0.1");
    struct origin *other = origin_start("127.0.0.1", pages, NULL);
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/page", origin_port(other));
    struct http_fetch_request request = get(url);
    assert_int_equal(run(&scene, &request), STATUS_DENIED);
    assert_int_equal(origin_connections(other), 0);
    origin_stop(other);
    scene_end(&scene);
}

static void test_refused_requests(void **state)
{
    static const struct {
        const char *url;
        enum status status;
    } rows[] = {
        {"file:///etc/passwd", STATUS_DENIED},
        {"ftp://example.org/", STATUS_DENIED},
        {"gopher://example.org/", STATUS_DENIED},
        {"javascript:alert(1)", STATUS_DENIED},
        {"example.org/", STATUS_INVALID},
        {"", STATUS_INVALID},
        {"http://", STATUS_INVALID},
        {"http://a:b@example.org/", STATUS_INVALID},
        {"http://me@example.org/", STATUS_INVALID},
        {"http://exa mple.org/", STATUS_INVALID},
        {"http://example.org/\r\nX: y", STATUS_INVALID},
    };
    struct scene scene;
    (void)state;
    scene_begin(&scene, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_fetch_request request = get(rows[i].url);
        enum status status = http_fetch_start(scene.fetch, &request, on_answer, &scene.got);
        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].url, status_name(status));
    }
    const char *const broken[] = {"A: b\r\nC: d"};
    struct http_fetch_request request = get("http://example.org/");
    request.headers = broken;
    request.header_count = 1;
    assert_int_equal(http_fetch_start(scene.fetch, &request, on_answer, &scene.got),
                     STATUS_INVALID);
    request = get("http://example.org/");
    request.time_ms_max = 0;
    assert_int_equal(http_fetch_start(scene.fetch, &request, on_answer, &scene.got),
                     STATUS_INVALID);
    request = get("http://example.org/");
    request.size_max = (size_t)HTTP_FETCH_BODY_MAX + 1;
    assert_int_equal(http_fetch_start(scene.fetch, &request, on_answer, &scene.got),
                     STATUS_INVALID);
    scene_end(&scene);
}

/* The pool ends though a server never answers, and each callback has run. */
static void test_free_while_waiting(void **state)
{
    struct scene scene;
    char url[128];
    (void)state;
    scene_begin(&scene, "127.0.0.1");
    snprintf(url, sizeof url, "http://%s/silent", scene.authority);
    struct http_fetch_request request = get(url);
    for (int i = 0; i < 8; i++)
        assert_int_equal(http_fetch_start(scene.fetch, &request, on_answer, &scene.got), STATUS_OK);
    scene_end(&scene);
    assert_int_equal(scene.got.answers, 8);
    assert_int_equal(scene.got.status, STATUS_CLOSED);
}

static void test_header(void **state)
{
    const struct http_fetch_answer answer = {
        .head = "HTTP/1.1 429 Slow\r\nRetry-After:7\r\nX-Long: abcdef\r\nX-Empty:  \r\n\r\n"};
    char value[6];
    (void)state;
    assert_true(http_fetch_header(&answer, "retry-after", value, sizeof value));
    assert_string_equal(value, "7");
    assert_true(http_fetch_header(&answer, "X-EMPTY", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(http_fetch_header(&answer, "x-long", value, sizeof value));
    assert_false(http_fetch_header(&answer, "retry", value, sizeof value));
}

static enum status new_body(void *context)
{
    const struct http_fetch_config config = {.authorities = "/nowhere"};
    struct http_fetch *fetch;
    (void)context;
    enum status status = http_fetch_new(&config, &fetch);
    if (status == STATUS_OK)
        http_fetch_free(fetch);
    return status;
}

static enum status start_body(void *context)
{
    struct scene *scene = context;
    static const char *const headers[] = {"TTL: 60"};
    char url[128];
    snprintf(url, sizeof url, "http://%s/push", scene->authority);
    struct http_fetch_request request = get(url);
    request.headers = headers;
    request.header_count = 1;
    request.body = "x";
    request.body_length = 1;
    enum status status = http_fetch_start(scene->fetch, &request, on_answer, &scene->got);
    if (status == STATUS_OK)
        await(&scene->got);
    return status;
}

static void test_no_memory(void **state)
{
    struct scene scene;
    (void)state;
    assert_true(alloc_fail_each(new_body, NULL) >= 2);
    scene_begin(&scene, "127.0.0.1");
    assert_true(alloc_fail_each(start_body, &scene) >= 3);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_redirect_inside),
        cmocka_unit_test(test_refused_addresses),
        cmocka_unit_test(test_refused_port),
        cmocka_unit_test(test_refused_requests),
        cmocka_unit_test(test_free_while_waiting),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
