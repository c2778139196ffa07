/*
 * signalling/api/uploads.c - contents of files come in: by one request (POST with the body), or
 * over many, in the protocol tus 1.0.0 with creation, termination, checksum and expiration
 * (docs/design/storage.md says why that one). Bodies go through as they come (http_sink).
 */
#include "modules/spaces/incoming.h"

#include "core/clock.h"
#include "core/fields.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"
#include "signalling/api/tus.h"
#include "signalling/http/problem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SYNC_BYTES = 16 << 20 /* of a long PATCH: what a crash takes of it at most */ };

/* What a body is taken by. */
struct receiving {
    const struct http_request *request;
    struct incoming *incoming;
    bool resumes; /* a PATCH of tus: it stays when the client goes */
    bool ended;
    int64_t synced;               /* offset */
    struct crypto_digest *digest; /* of this body; NULL: nobody asks */
    uint8_t expected[CRYPTO_SHA256_BYTES];
};

/* ---- when something is full ---- */

/* Whose quota it is that `length` more bytes would not fit; NULL: neither, so the folder is full.
 */
static const char *quota_text(const struct api *api, const struct http_request *request,
                              const char *space, const char *account, int64_t length,
                              const char **ret_code)
{
    const struct {
        char kind;
        const char *holder, *code, *whose;
    } rows[] = {{'u', account, "account_full", "your account"},
                {'s', space, "space_full", "this space"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct objects_usage usage;
        if (objects_usage(api->objects, rows[i].kind, rows[i].holder, &usage) != STATUS_OK ||
            length <= usage.max - usage.bytes)
            continue;
        *ret_code = rows[i].code;
        return arena_printf(request->arena,
                            "%s may keep %" PRId64 " bytes and has %" PRId64
                            " left; this takes %" PRId64,
                            rows[i].whose, usage.max,
                            usage.max > usage.bytes ? usage.max - usage.bytes : 0, length);
    }
    return NULL;
}

/* STATUS_LIMIT as a problem that says what is full. */
static enum status full_say(struct api_call *call, const char *space, const struct files_new *wish)
{
    const char *code = "full";
    const char *text = quota_text(call->api, call->request, space, call->caller->user.id,
                                  (int64_t)wish->length, &code);
    return api_problem(call, 413, code, text != NULL ? text : "the folder is full");
}

/* ---- taking a body ---- */

static void refuse(const struct receiving *receiving, struct http_reply *reply, enum status status)
{
    if (status == STATUS_CORRUPT)
        http_problem(receiving->request, reply, receiving->resumes ? 460 : 422, "digest",
                     "what came has another SHA-256");
    else if (status == STATUS_LIMIT)
        http_problem(receiving->request, reply, 413, "full", "there is no room for it");
    else
        http_problem_status(receiving->request, reply, status, NULL);
}

static void take(void *context, const void *bytes, size_t length, struct http_reply *reply)
{
    struct receiving *receiving = context;
    enum status status = incoming_append(receiving->incoming, bytes, length);
    if (receiving->digest != NULL)
        crypto_digest_add(receiving->digest, bytes, length);
    int64_t offset = incoming_offset(receiving->incoming);
    /* A body whose digest is to be checked counts when it is, and not before. */
    if (status == STATUS_OK && receiving->resumes && receiving->digest == NULL &&
        offset - receiving->synced >= SYNC_BYTES && offset < incoming_length(receiving->incoming)) {
        status = incoming_sync(receiving->incoming);
        receiving->synced = offset;
    }
    if (status != STATUS_OK)
        refuse(receiving, reply, status);
}

static void end(void *context, struct http_reply *reply)
{
    struct receiving *receiving = context;
    struct files_file file;
    enum status status =
        incoming_finish(receiving->incoming, clock_wall_ms(), receiving->request->arena, &file);
    if (status == STATUS_OK)
        api_sunk(receiving->request, reply, 201, &files_file_table, &file);
    else
        refuse(receiving, reply, status);
}

/* The client went in the middle: what came stays for when it comes again, and what is whole becomes
 * a file. When that fails, it goes on from the last that was durable. */
static enum status abandoned_keep(struct receiving *receiving)
{
    struct files_file file;
    struct incoming *incoming = receiving->incoming;
    int64_t offset = incoming_offset(incoming);
    if (!receiving->resumes || receiving->ended || receiving->digest != NULL ||
        offset == receiving->synced)
        return STATUS_OK;
    return offset < incoming_length(incoming)
               ? incoming_sync(incoming)
               : incoming_finish(incoming, clock_wall_ms(), receiving->request->arena, &file);
}

static void receiving_free(void *context)
{
    struct receiving *receiving = context;
    enum status status = abandoned_keep(receiving);
    (void)status;
    incoming_free(receiving->incoming);
    crypto_digest_free(receiving->digest);
    free(receiving);
}

/* The body goes into `incoming`, which it takes, also on an error. */
static enum status receive(struct api_call *call, struct incoming *incoming,
                           void (*at_end)(void *, struct http_reply *),
                           struct receiving **ret_receiving)
{
    struct receiving *receiving = calloc(1, sizeof *receiving);
    if (receiving == NULL) {
        incoming_free(incoming);
        return STATUS_NO_MEMORY;
    }
    receiving->request = call->request;
    receiving->incoming = incoming;
    receiving->synced = incoming_offset(incoming);
    call->reply->sink = (struct http_sink){receiving, take, at_end, receiving_free};
    *ret_receiving = receiving;
    return STATUS_OK;
}

/* ---- by one request ---- */

static enum status add(struct api_call *call, struct files_new *wish)
{
    const struct spaces_who who = {call->space, call->caller->user.id};
    const char *type = call->request->content_type;
    const char *sent = http_header(call->request, "content-digest");
    uint8_t digest[CRYPTO_SHA256_BYTES];
    struct incoming *incoming = NULL;
    struct receiving *receiving;
    wish->type = type[0] != '\0' ? type : NULL;
    wish->length = (size_t)call->request->content_length;
    enum status status = sent != NULL ? tus_content_digest_read(sent, digest) : STATUS_UNSUPPORTED;
    if (status == STATUS_INVALID)
        return api_problem(call, 400, "invalid", "Content-Digest is malformed");
    if (status == STATUS_OK)
        wish->digest = digest;
    status =
        incoming_begin(call->api->db, call->api->objects, &who, wish, clock_wall_ms(), &incoming);
    if (status == STATUS_LIMIT)
        return full_say(call, call->space, wish);
    return status == STATUS_OK ? receive(call, incoming, end, &receiving) : status;
}

struct file_query {
    const char *name, *folder;
};

static const struct json_field file_query_fields[] = {
    TEXT(file_query, name, 1, FILES_NAME_MAX, true, NULL),
    TEXT(file_query, folder, 1, CRYPTO_ID_CHARS, false, "absent: the top"),
};

static TABLE(file_query, NULL);

static enum status add_file(struct api_call *call)
{
    const struct file_query *query = call->query;
    struct files_new wish = {.name = query->name, .folder = query->folder};
    return add(call, &wish);
}

static enum status add_version(struct api_call *call)
{
    struct files_new wish = {.file = call->request->params[0]};
    return add(call, &wish);
}

/* ---- tus ---- */

static void tus_fields(struct api_call *call)
{
    http_reply_header(call->reply, "Tus-Resumable", "1.0.0");
    http_reply_header(call->reply, "Cache-Control", "no-store");
}

/* Errors: what api_problem returns. */
static enum status tus_check(struct api_call *call)
{
    const char *version = http_header(call->request, "tus-resumable");
    tus_fields(call);
    if (version != NULL && strcmp(version, "1.0.0") == 0)
        return STATUS_OK;
    http_reply_header(call->reply, "Tus-Version", "1.0.0");
    return api_problem(call, 412, "tus_version", "Tus-Resumable: 1.0.0 is spoken here");
}

static void number_field(struct api_call *call, const char *name, int64_t value)
{
    http_reply_header(call->reply, name, arena_printf(call->arena, "%" PRId64, value));
}

/* RFC 9110 5.6.7, as the expiration extension has it. */
static void expires_field(struct api_call *call, int64_t expires_ms)
{
    char text[64];
    time_t at = (time_t)(expires_ms / 1000);
    struct tm parts;
    if (gmtime_r(&at, &parts) == NULL)
        return;
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    http_reply_header(call->reply, "Upload-Expires", arena_strdup(call->arena, text));
}

static enum status tus_show(struct api_call *call)
{
    tus_fields(call);
    http_reply_header(call->reply, "Tus-Version", "1.0.0");
    http_reply_header(call->reply, "Tus-Extension", "creation,termination,checksum,expiration");
    http_reply_header(call->reply, "Tus-Checksum-Algorithm", "sha256");
    number_field(call, "Tus-Max-Size", OBJECTS_SIZE_MAX);
    return STATUS_OK;
}

static enum status wish_read(struct api_call *call, struct tus_metadata *metadata,
                             struct files_new *wish)
{
    int64_t length;
    const char *sent = http_header(call->request, "upload-length");
    const char *told = http_header(call->request, "upload-metadata");
    if (sent == NULL || !tus_number_read(sent, &length))
        return api_problem(call, 400, "invalid", "Upload-Length is missing or no number");
    enum status status = tus_metadata_read(told != NULL ? told : "", call->arena, metadata);
    if (status == STATUS_INVALID)
        return api_problem(call, 400, "invalid", "Upload-Metadata is malformed");
    *wish = (struct files_new){.name = metadata->filename,
                               .type = metadata->filetype,
                               .folder = metadata->folder,
                               .file = metadata->file,
                               .length = (size_t)length,
                               .digest = metadata->has_digest ? metadata->digest : NULL};
    if (wish->type != NULL && wish->type[0] == '\0')
        wish->type = NULL;
    return status;
}

static enum status create_upload(struct api_call *call)
{
    const struct spaces_who who = {call->space, call->caller->user.id};
    int64_t now_ms = clock_wall_ms();
    struct tus_metadata metadata;
    struct files_new wish;
    enum status status = tus_check(call);
    struct uploads_upload *upload = api_result(call, sizeof *upload);
    if (upload == NULL)
        return STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = wish_read(call, &metadata, &wish);
    if (status != STATUS_OK)
        return status;
    status =
        uploads_new(call->api->db, call->api->objects, &who, &wish, now_ms, call->arena, upload);
    if (status == STATUS_LIMIT)
        return full_say(call, call->space, &wish);
    if (status != STATUS_OK)
        return status;
    http_reply_header(call->reply, "Location",
                      arena_printf(call->arena, "/api/v1/uploads/%s", upload->id));
    expires_field(call, upload->expires);
    return STATUS_OK;
}

static enum status show_upload(struct api_call *call)
{
    struct uploads_upload *upload = api_result(call, sizeof *upload);
    enum status status = tus_check(call);
    if (upload == NULL)
        return STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = uploads_get(call->api->db, call->caller->user.id, call->request->params[0],
                             call->arena, upload);
    if (status != STATUS_OK)
        return status;
    number_field(call, "Upload-Offset", upload->offset);
    number_field(call, "Upload-Length", upload->length);
    expires_field(call, upload->expires);
    http_reply_header(call->reply, "Upload-File", upload->file);
    return STATUS_OK;
}

/* The body of a PATCH is whole: does it stay, and is the upload? */
static enum status patch_end(struct receiving *receiving, const char **ret_file)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    struct files_file file;
    struct incoming *incoming = receiving->incoming;
    if (receiving->digest != NULL) {
        crypto_digest_end(receiving->digest, digest);
        if (!crypto_equal(digest, receiving->expected, sizeof digest))
            return STATUS_CORRUPT;
    }
    receiving->synced = incoming_offset(incoming);
    if (receiving->synced < incoming_length(incoming))
        return incoming_sync(incoming);
    enum status status =
        incoming_finish(incoming, clock_wall_ms(), receiving->request->arena, &file);
    if (status == STATUS_OK)
        *ret_file = file.id;
    return status;
}

static void end_patch(void *context, struct http_reply *reply)
{
    struct receiving *receiving = context;
    const char *file = NULL;
    receiving->ended = true;
    enum status status = patch_end(receiving, &file);
    if (status != STATUS_OK) {
        refuse(receiving, reply, status);
        return;
    }
    reply->status = 204;
    http_reply_header(reply, "Upload-Offset",
                      arena_printf(receiving->request->arena, "%" PRId64, receiving->synced));
    http_reply_header(reply, "Upload-File", file);
}

/* What a PATCH says of itself. */
struct patch {
    int64_t offset;
    bool has_digest;
    uint8_t digest[CRYPTO_SHA256_BYTES];
};

static enum status patch_read(struct api_call *call, struct patch *ret_patch)
{
    const char *offset = http_header(call->request, "upload-offset");
    const char *checksum = http_header(call->request, "upload-checksum");
    enum status status = tus_check(call);
    if (status != STATUS_OK)
        return status;
    if (strcmp(call->request->content_type, "application/offset+octet-stream") != 0)
        return api_problem(call, 415, "content_type",
                           "Content-Type: application/offset+octet-stream is taken here");
    if (offset == NULL || !tus_number_read(offset, &ret_patch->offset))
        return api_problem(call, 400, "invalid", "Upload-Offset is missing or no number");
    ret_patch->has_digest = checksum != NULL;
    status = checksum != NULL ? tus_checksum_read(checksum, ret_patch->digest) : STATUS_OK;
    return status == STATUS_OK
               ? STATUS_OK
               : api_problem(call, 400, "invalid", "Upload-Checksum: sha256 and 44 characters");
}

static enum status patch_receive(struct api_call *call, const struct patch *patch,
                                 struct incoming *incoming)
{
    struct receiving *receiving = NULL;
    int64_t offset = incoming_offset(incoming);
    uint64_t left = (uint64_t)(incoming_length(incoming) - offset);
    if (patch->offset != offset || call->request->content_length > left) {
        incoming_free(incoming);
        return patch->offset != offset
                   ? api_problem(call, 409, "offset", "the upload is somewhere else: ask by HEAD")
                   : api_problem(call, 413, "body_too_large", "that is more than its length");
    }
    enum status status = receive(call, incoming, end_patch, &receiving);
    if (status != STATUS_OK)
        return status;
    receiving->resumes = true;
    if (!patch->has_digest)
        return STATUS_OK;
    memcpy(receiving->expected, patch->digest, sizeof receiving->expected);
    return crypto_digest_new(&receiving->digest);
}

static enum status patch_upload(struct api_call *call)
{
    struct patch patch = {0};
    struct incoming *incoming = NULL;
    enum status status = patch_read(call, &patch);
    if (status != STATUS_OK)
        return status;
    status = uploads_open(call->api->db, call->api->objects, call->caller->user.id,
                          call->request->params[0], &incoming);
    if (status == STATUS_AGAIN)
        return api_problem(call, 423, "locked", "another request is sending it");
    if (status == STATUS_EXISTS)
        return api_problem(call, 409, "offset", "it is whole already: ask by HEAD");
    return status == STATUS_OK ? patch_receive(call, &patch, incoming) : status;
}

static enum status cancel_upload(struct api_call *call)
{
    enum status status = tus_check(call);
    if (status == STATUS_OK)
        status = uploads_cancel(call->api->db, call->api->objects, call->caller->user.id,
                                call->request->params[0]);
    return status == STATUS_AGAIN
               ? api_problem(call, 423, "locked", "another request is sending it")
               : status;
}

static const struct api_route routes[] = {
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/files",
     .who = API_MEMBER,
     .right = SPACES_WRITE,
     .run = add_file,
     .query = &file_query_table,
     .streams = true,
     .result = &files_file_table,
     .status = 201,
     .doc = "Adds a file: the body is its content, of any size, Content-Type its media type. "
            "Content-Digest with sha-256 is checked."},
    {.method = "POST",
     .pattern = "/api/v1/files/{id}/versions",
     .who = API_MEMBER,
     .right = SPACES_WRITE,
     .run = add_version,
     .streams = true,
     .result = &files_file_table,
     .status = 201,
     .doc = "Another content, likewise; the earlier one is kept."},
    {.method = "OPTIONS",
     .pattern = "/api/v1/uploads",
     .who = API_ANYONE,
     .run = tus_show,
     .status = 204,
     .doc = "What is spoken here of tus 1.0.0."},
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/uploads",
     .who = API_MEMBER,
     .right = SPACES_WRITE,
     .run = create_upload,
     .result = &uploads_upload_table,
     .status = 201,
     .doc = "Begins an upload (tus creation): Upload-Length, and Upload-Metadata with `filename`, "
            "or with `file`, whose next version it is; `filetype`, `folder`, `sha256` (base64 of "
            "the whole content's). Location is the upload."},
    {.method = "GET",
     .pattern = "/api/v1/uploads/{id}",
     .who = API_USER,
     .run = show_upload,
     .result = &uploads_upload_table,
     .doc = "How far it is; by HEAD as tus has it: Upload-Offset, Upload-Length, Upload-Expires; "
            "Upload-File when "
            "it has become a file."},
    {.method = "PATCH",
     .pattern = "/api/v1/uploads/{id}",
     .who = API_USER,
     .run = patch_upload,
     .streams = true,
     .status = 204,
     .doc = "The next bytes, from Upload-Offset on; Upload-Checksum with sha256 is checked (460). "
            "The last ones make the file. 409: another offset; 423: another request sends it."},
    {.method = "DELETE",
     .pattern = "/api/v1/uploads/{id}",
     .who = API_USER,
     .run = cancel_upload,
     .status = 204,
     .doc = "Ends it (tus termination)."},
};

const struct api_table api_uploads = API_TABLE(routes);
