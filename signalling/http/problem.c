#include "signalling/http/problem.h"

static const struct {
    enum status status;
    int http;
    const char *code;
} rows[] = {
    {STATUS_INVALID, 400, "invalid"},     {STATUS_UNSUPPORTED, 406, "not_acceptable"},
    {STATUS_NOT_FOUND, 404, "not_found"}, {STATUS_EXISTS, 409, "exists"},
    {STATUS_CLOSED, 410, "ended"},        {STATUS_DENIED, 403, "denied"},
    {STATUS_LIMIT, 429, "limit"},
};

void http_problem_status(const struct http_request *request, struct http_reply *reply,
                         enum status status, const char *detail)
{
    if (detail == NULL || detail[0] == '\0')
        detail = status_text(status);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status) {
            http_problem(request, reply, rows[i].http, rows[i].code, detail);
            return;
        }
    }
    http_problem(request, reply, 503, "unavailable", detail);
}
