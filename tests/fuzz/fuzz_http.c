/*
 * Request heads: the same verdict whether the bytes come at once or one by one, and what
 * is accepted keeps its promises. Bytes behind the head are taken for websocket frames.
 */
#include "core/arena.h"
#include "signalling/http/answer.h"
#include "signalling/http/frames.h"
#include "signalling/http/head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum { ARENA_MAX = 1 << 20 };

static void require(bool held)
{
    if (!held)
        abort();
}

static void check_scan(const char *bytes, size_t length)
{
    size_t whole_at = 0, piece_at = 0;
    enum head_scan whole = head_scan(bytes, length, &whole_at), piece = HEAD_MORE;
    for (size_t end = 1; end <= length && piece == HEAD_MORE; end++)
        piece = head_scan(bytes, end, &piece_at);
    require(whole == piece);
    require(whole == HEAD_BAD || whole_at == piece_at);
}

static void check_head(const struct head *head)
{
    require(head->path[0] == '/' && strstr(head->path, "/../") == NULL);
    require(head->host != NULL && head->host[0] != '\0' && strpbrk(head->host, " ;,/\"'") == NULL);
    require(head_get(head, "transfer-encoding") == NULL);
    require(head->has_length == (head_get(head, "content-length") != NULL));
    for (const char *at = head->path; *at != '\0'; at++)
        require((unsigned char)*at >= 0x20 && *at != 0x7f && *at != '\\');
    for (size_t i = 0; i < head->field_count; i++)
        for (const char *at = head->fields[i].value; *at != '\0'; at++)
            require((unsigned char)*at >= 0x20 || *at == '\t');
}

static void check_answer(const struct head *head)
{
    static char text[] = "0123456789";
    const struct asset asset = {.path = (char *)"/a",
                                .content_type = "text/plain",
                                .identity = {text, 10, "\"plain\""},
                                .brotli = {text, 5, "\"br\""},
                                .gzip = {text, 6, "\"gz\""}};
    const struct answer_scene scene = {.id = "id", .host = head->host};
    struct answer answer = {0};
    answer_asset(&answer, &asset, head);
    require(answer.status == 200 || answer.status == 206 || answer.status == 304 ||
            answer.status == 416);
    require(answer.body == NULL ||
            (answer.body >= text && answer.body + answer.body_length <= text + 10));
    require(answer_finish(&answer, &scene));
    answer_clear(&answer);
}

static void check_query(const struct head *head)
{
    struct arena *arena = NULL;
    if (arena_new(ARENA_MAX, &arena) != STATUS_OK)
        return;
    const struct http_request request = {.query = head->query, .arena = arena};
    (void)http_query(&request, "a");
    (void)http_query(&request, "from");
    arena_free(arena);
}

static void check_frames(const uint8_t *bytes, size_t length)
{
    struct frames whole = {0}, piece = {0}, server = {0};
    bool passed = frames_pass(&whole, bytes, length), pieces_passed = true;
    for (size_t i = 0; i < length && pieces_passed; i++)
        pieces_passed = frames_pass(&piece, bytes + i, 1);
    require(passed == pieces_passed);
    require(!passed || memcmp(&whole, &piece, sizeof whole) == 0);
    (void)frames_closing(&server, bytes, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *bytes = calloc(1, length + 1);
    struct head head;
    struct refusal refusal = {0};
    size_t at = 0;
    if (bytes == NULL)
        return 0;
    if (length > 0)
        memcpy(bytes, data, length);
    check_scan(bytes, length);
    size_t head_length = length;
    if (head_scan(bytes, length, &at) == HEAD_WHOLE)
        head_length = at;
    if (head_parse(bytes, head_length, &head, &refusal) == STATUS_OK) {
        check_head(&head);
        check_answer(&head);
        check_query(&head);
        check_frames(data + head_length, length - head_length);
    } else {
        require(refusal.status >= 400 && refusal.status < 600 && refusal.code != NULL);
    }
    free(bytes);
    return 0;
}
