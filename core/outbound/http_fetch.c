#include "core/outbound/http_fetch.h"

#include "core/crew.h"
#include "core/text.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char schemes[] = "http,https";

struct http_fetch {
    struct crew *crew;
    struct reach reach;
    char *authorities;
    atomic_bool closing;
};

/* One request on its way. */
struct errand {
    struct http_fetch *fetch;
    http_fetch_fn *fn;
    void *context;
    char *url;
    struct curl_slist *headers;
    uint8_t *sent; /* body of the request; NULL: GET */
    size_t sent_length, size_max;
    bool cut;
    uint32_t time_ms_max, redirects_max;
    /* the answer */
    char head[HTTP_FETCH_HEAD_MAX + 1];
    size_t head_length;
    uint8_t *body;
    size_t length, capacity;
    bool is_over, is_cut, refused, no_memory;
};

static struct errand *errand_free(struct errand *errand)
{
    if (errand == NULL)
        return NULL;
    curl_slist_free_all(errand->headers);
    free(errand->url);
    free(errand->sent);
    free(errand->body);
    free(errand);
    return NULL;
}

/* ---- what libcurl asks while it runs ---- */

/* The one place where a connection begins. */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct errand *errand = context;
    if (purpose != CURLSOCKTYPE_IPCXN || !reach_permits(&errand->fetch->reach, &address->addr)) {
        errand->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* An answer that redirects is followed by another: the last one's head is kept. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct errand *errand = context;
    size_t length = size * count;
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        errand->head_length = 0;
    if (length <= HTTP_FETCH_HEAD_MAX - errand->head_length) {
        memcpy(errand->head + errand->head_length, bytes, length);
        errand->head_length += length;
    }
    return length;
}

static bool body_grow(struct errand *errand, size_t needed)
{
    size_t capacity = errand->capacity != 0 ? errand->capacity : 4096;
    while (capacity < needed)
        capacity *= 2;
    if (capacity == errand->capacity)
        return true;
    uint8_t *body = realloc(errand->body, capacity);
    if (body == NULL) {
        errand->no_memory = true;
        return false;
    }
    errand->body = body;
    errand->capacity = capacity;
    return true;
}

/* Fewer bytes than there were end the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct errand *errand = context;
    size_t length = size * count, room = errand->size_max - errand->length;
    size_t taken = length < room ? length : room;
    if (taken > 0 && !body_grow(errand, errand->length + taken))
        return 0;
    if (taken > 0)
        memcpy(errand->body + errand->length, bytes, taken);
    errand->length += taken;
    if (taken == length)
        return length;
    errand->is_cut = errand->cut;
    errand->is_over = !errand->cut;
    return taken;
}

static int on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    const struct errand *errand = context;
    (void)total, (void)now, (void)up_total, (void)up_now;
    return atomic_load(&errand->fetch->closing) ? 1 : 0;
}

/* ---- carrying it out ---- */

static bool options_connection(CURL *curl, struct errand *errand)
{
    const char *authorities = errand->fetch->authorities;
    return curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, schemes) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, schemes) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, errand) == CURLE_OK &&
           /* else a name server that does not answer holds the thread past the time */
           curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           (authorities == NULL ||
            (curl_easy_setopt(curl, CURLOPT_CAINFO, authorities) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

static bool options_request(CURL *curl, struct errand *errand)
{
    bool post = errand->sent != NULL, follow = !post && errand->redirects_max > 0;
    return curl_easy_setopt(curl, CURLOPT_URL, errand->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, errand->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)errand->redirects_max) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)errand->time_ms_max) == CURLE_OK &&
           (!post || (curl_easy_setopt(curl, CURLOPT_POSTFIELDS, errand->sent) == CURLE_OK &&
                      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                       (curl_off_t)errand->sent_length) == CURLE_OK));
}

static bool options_answer(CURL *curl, struct errand *errand)
{
    return curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, errand) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, errand) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, errand) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

static enum status status_of(CURLcode code, const struct errand *errand)
{
    switch (code) {
    case CURLE_OK:
        return STATUS_OK;
    case CURLE_WRITE_ERROR:
        return errand->is_cut      ? STATUS_OK
               : errand->is_over   ? STATUS_TRUNCATED
               : errand->no_memory ? STATUS_NO_MEMORY
                                   : STATUS_IO;
    case CURLE_COULDNT_CONNECT:
        return errand->refused ? STATUS_DENIED : STATUS_IO;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return STATUS_DENIED;
    case CURLE_COULDNT_RESOLVE_HOST:
        return STATUS_NOT_FOUND;
    case CURLE_OPERATION_TIMEDOUT:
        return STATUS_TIMEOUT;
    case CURLE_TOO_MANY_REDIRECTS:
        return STATUS_LIMIT;
    case CURLE_PEER_FAILED_VERIFICATION:
        return STATUS_CORRUPT;
    case CURLE_ABORTED_BY_CALLBACK:
        return STATUS_CLOSED;
    case CURLE_OUT_OF_MEMORY:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_IO;
    }
}

static void perform(CURL *curl, struct errand *errand, struct http_fetch_answer *answer)
{
    long code = 0;
    char *type = NULL, *url = NULL;
    if (!options_connection(curl, errand) || !options_request(curl, errand) ||
        !options_answer(curl, errand)) {
        answer->status = STATUS_NO_MEMORY;
        return;
    }
    answer->status = status_of(curl_easy_perform(curl), errand);
    if (answer->status != STATUS_OK)
        return;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &url);
    errand->head[errand->head_length] = '\0';
    answer->code = (int)code;
    answer->content_type = type != NULL ? type : "";
    answer->url = url != NULL ? url : errand->url;
    answer->head = errand->head;
    answer->body = errand->body;
    answer->body_length = errand->length;
    answer->is_cut = errand->is_cut;
}

static void errand_run(void *arg)
{
    struct errand *errand = arg;
    struct http_fetch_answer answer = {.status = STATUS_CLOSED};
    CURL *curl = NULL;
    if (!atomic_load(&errand->fetch->closing)) {
        curl = curl_easy_init();
        if (curl == NULL)
            answer.status = STATUS_NO_MEMORY;
        else
            perform(curl, errand, &answer);
    }
    errand->fn(errand->context, &answer);
    curl_easy_cleanup(curl);
    errand_free(errand);
}

/* ---- starting ---- */

static enum status url_check(const char *text)
{
    char *scheme = NULL, *user = NULL;
    if (!text_valid(text, 1, HTTP_FETCH_URL_MAX, TEXT_LINE))
        return STATUS_INVALID;
    CURLU *url = curl_url();
    if (url == NULL)
        return STATUS_NO_MEMORY;
    enum status status = STATUS_OK;
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, 0);
    if (code != CURLUE_OK)
        status = code == CURLUE_UNSUPPORTED_SCHEME ? STATUS_DENIED : STATUS_INVALID;
    else if (curl_url_get(url, CURLUPART_USER, &user, 0) != CURLUE_NO_USER)
        status = STATUS_INVALID;
    else if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        status = STATUS_NO_MEMORY;
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        status = STATUS_DENIED;
    curl_free(user);
    curl_free(scheme);
    curl_url_cleanup(url);
    return status;
}

static enum status headers_copy(struct errand *errand, const struct http_fetch_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (!text_valid(request->headers[i], 1, HTTP_FETCH_HEAD_MAX, TEXT_LINE))
            return STATUS_INVALID;
        struct curl_slist *headers = curl_slist_append(errand->headers, request->headers[i]);
        if (headers == NULL)
            return STATUS_NO_MEMORY;
        errand->headers = headers;
    }
    return STATUS_OK;
}

static enum status errand_fill(struct errand *errand, const struct http_fetch_request *request)
{
    errand->url = strdup(request->url);
    if (request->body != NULL) {
        errand->sent = malloc(request->body_length + 1);
        if (errand->sent == NULL)
            return STATUS_NO_MEMORY;
        memcpy(errand->sent, request->body, request->body_length);
        errand->sent_length = request->body_length;
    }
    return errand->url != NULL ? headers_copy(errand, request) : STATUS_NO_MEMORY;
}

enum status http_fetch_start(struct http_fetch *fetch, const struct http_fetch_request *request,
                             http_fetch_fn *fn, void *context)
{
    if (request->size_max > HTTP_FETCH_BODY_MAX || request->body_length > HTTP_FETCH_BODY_MAX ||
        request->time_ms_max == 0 || request->time_ms_max > HTTP_FETCH_TIME_MS_MAX ||
        request->redirects_max > HTTP_FETCH_REDIRECTS_MAX ||
        request->header_count > HTTP_FETCH_HEADERS_MAX)
        return STATUS_INVALID;
    enum status status = url_check(request->url);
    if (status != STATUS_OK)
        return status;
    struct errand *errand = calloc(1, sizeof *errand);
    if (errand == NULL)
        return STATUS_NO_MEMORY;
    errand->fetch = fetch;
    errand->fn = fn;
    errand->context = context;
    errand->size_max = request->size_max;
    errand->cut = request->cut;
    errand->time_ms_max = request->time_ms_max;
    errand->redirects_max = request->redirects_max;
    status = errand_fill(errand, request);
    if (status == STATUS_OK)
        status = crew_submit(fetch->crew, errand_run, errand);
    if (status != STATUS_OK)
        errand_free(errand);
    return status;
}

bool http_fetch_header(const struct http_fetch_answer *answer, const char *name, char *ret_value,
                       size_t size)
{
    size_t name_length = strlen(name);
    for (const char *line = answer->head; *line != '\0';) {
        size_t length = strcspn(line, "\r\n");
        if (length > name_length && line[name_length] == ':' &&
            strncasecmp(line, name, name_length) == 0) {
            const char *value = line + name_length + 1, *end = line + length;
            value += strspn(value, " \t");
            while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
                end--;
            if (end < value || (size_t)(end - value) >= size)
                return false;
            memcpy(ret_value, value, (size_t)(end - value));
            ret_value[end - value] = '\0';
            return true;
        }
        line += length;
        line += strspn(line, "\r\n");
    }
    return false;
}

/* ---- the pool ---- */

static void library_start(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum status http_fetch_new(const struct http_fetch_config *config, struct http_fetch **ret_fetch)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, library_start);
    struct http_fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL)
        return STATUS_NO_MEMORY;
    atomic_init(&fetch->closing, false);
    fetch->reach = config->reach;
    enum status status = STATUS_OK;
    if (config->authorities != NULL) {
        fetch->authorities = strdup(config->authorities);
        if (fetch->authorities == NULL)
            status = STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        status = crew_new("fetch", HTTP_FETCH_THREADS, HTTP_FETCH_WAITING_MAX, &fetch->crew);
    if (status != STATUS_OK) {
        http_fetch_free(fetch);
        return status;
    }
    *ret_fetch = fetch;
    return STATUS_OK;
}

struct http_fetch *http_fetch_free(struct http_fetch *fetch)
{
    if (fetch == NULL)
        return NULL;
    atomic_store(&fetch->closing, true);
    crew_free(fetch->crew);
    free(fetch->authorities);
    free(fetch);
    return NULL;
}
