#include "signalling/http/assets.h"

#include "core/crypto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ASSETS_PATH_MAX = 512,  /* bytes of "/folder/name" */
    ASSETS_ETAG_BYTES = 12, /* of the digest */
};

struct assets {
    struct asset *files; /* sorted by path after the load */
    size_t count, capacity;
    size_t bytes;
};

static const struct {
    const char *extension, *type;
} content_types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".webp", "image/webp"},
    {".avif", "image/avif"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
    {".opus", "audio/ogg"},
    {".wav", "audio/wav"},
    {".webm", "video/webm"},
    {".mp4", "video/mp4"},
    {".pdf", "application/pdf"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char *content_type_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot != NULL)
        for (size_t i = 0; i < sizeof content_types / sizeof *content_types; i++)
            if (strcmp(dot, content_types[i].extension) == 0)
                return content_types[i].type;
    return "application/octet-stream";
}

static int asset_compare(const void *left, const void *right)
{
    const struct asset *a = left, *b = right;
    return strcmp(a->path, b->path);
}

static struct asset *asset_add(struct assets *assets, const char *path)
{
    if (assets->count == assets->capacity) {
        size_t capacity = assets->capacity > 0 ? assets->capacity * 2 : 64;
        struct asset *files = realloc(assets->files, capacity * sizeof *files);
        if (files == NULL)
            return NULL;
        assets->files = files;
        assets->capacity = capacity;
    }
    struct asset *asset = &assets->files[assets->count];
    *asset = (struct asset){.path = strdup(path),
                            .content_type = content_type_of(path),
                            .immutable = strncmp(path, "/assets/", 8) == 0};
    if (asset->path == NULL)
        return NULL;
    assets->count++;
    return asset;
}

static enum status body_read(int fd, size_t length, struct asset_body *ret_body)
{
    char *bytes = malloc(length > 0 ? length : 1);
    if (bytes == NULL)
        return STATUS_NO_MEMORY;
    for (size_t at = 0; at < length;) {
        ssize_t got = read(fd, bytes + at, length - at);
        if (got <= 0) {
            free(bytes);
            return STATUS_IO;
        }
        at += (size_t)got;
    }
    uint8_t digest[CRYPTO_SHA256_BYTES];
    char text[CRYPTO_BASE64URL_SIZE(ASSETS_ETAG_BYTES)];
    crypto_sha256(bytes, length, digest);
    crypto_base64url(digest, ASSETS_ETAG_BYTES, text);
    ret_body->bytes = bytes;
    ret_body->length = length;
    snprintf(ret_body->etag, sizeof ret_body->etag, "\"%s\"", text);
    return STATUS_OK;
}

static enum status file_load(struct assets *assets, int folder, const char *name, const char *path)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat info;
    if (fd < 0)
        return STATUS_IO;
    enum status status = STATUS_IO;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= 0) {
        size_t length = (size_t)info.st_size;
        struct asset *asset = NULL;
        if (assets->count < ASSETS_FILES_MAX && length <= ASSETS_BYTES_MAX - assets->bytes) {
            asset = asset_add(assets, path);
            status = asset != NULL ? body_read(fd, length, &asset->identity) : STATUS_NO_MEMORY;
            assets->bytes += length;
        } else {
            status = STATUS_LIMIT;
        }
    }
    close(fd);
    return status;
}

static enum status folder_load(struct assets *assets, int fd, const char *prefix, int depth)
{
    DIR *folder = fdopendir(fd); /* owns fd */
    if (folder == NULL) {
        close(fd);
        return STATUS_IO;
    }
    enum status status = STATUS_OK;
    struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(folder)) != NULL) {
        char path[ASSETS_PATH_MAX];
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof path, "%s/%s", prefix, entry->d_name) >= (int)sizeof path ||
            depth > ASSETS_DEPTH_MAX) {
            status = STATUS_LIMIT;
        } else if (fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            status = STATUS_IO;
        } else if (S_ISDIR(info.st_mode)) {
            int below = openat(dirfd(folder), entry->d_name,
                               O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            status = below >= 0 ? folder_load(assets, below, path, depth + 1) : STATUS_IO;
        } else if (S_ISREG(info.st_mode)) {
            status = file_load(assets, dirfd(folder), entry->d_name, path);
        }
    }
    closedir(folder);
    return status;
}

static struct asset *find(const struct assets *assets, const char *path)
{
    size_t low = 0, high = assets->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(assets->files[middle].path, path);
        if (order == 0)
            return &assets->files[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* "main.js.br" becomes the brotli form of "main.js"; it has no address of its own then. */
static void pair_compressed(struct assets *assets, const char *suffix)
{
    for (size_t i = 0; i < assets->count; i++) {
        struct asset *packed = &assets->files[i];
        size_t length = strlen(packed->path);
        char plain_path[ASSETS_PATH_MAX];
        if (length <= 3 || strcmp(packed->path + length - 3, suffix) != 0)
            continue;
        snprintf(plain_path, sizeof plain_path, "%.*s", (int)(length - 3), packed->path);
        struct asset *plain = find(assets, plain_path);
        if (plain == NULL || packed->identity.bytes == NULL)
            continue;
        struct asset_body *form = suffix[1] == 'b' ? &plain->brotli : &plain->gzip;
        *form = packed->identity;
        packed->identity = (struct asset_body){0};
    }
}

enum status assets_load(const char *folder, struct assets **ret_assets)
{
    struct assets *assets = calloc(1, sizeof *assets);
    if (assets == NULL)
        return STATUS_NO_MEMORY;
    if (folder == NULL) {
        *ret_assets = assets;
        return STATUS_OK;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status status = STATUS_NOT_FOUND;
    if (fd >= 0)
        status = folder_load(assets, fd, "", 0);
    if (status != STATUS_OK) {
        assets_free(assets);
        return status;
    }
    if (assets->count > 0)
        qsort(assets->files, assets->count, sizeof *assets->files, asset_compare);
    pair_compressed(assets, ".br");
    pair_compressed(assets, ".gz");
    *ret_assets = assets;
    return STATUS_OK;
}

struct assets *assets_free(struct assets *assets)
{
    if (assets == NULL)
        return NULL;
    for (size_t i = 0; i < assets->count; i++) {
        free(assets->files[i].path);
        free(assets->files[i].identity.bytes);
        free(assets->files[i].brotli.bytes);
        free(assets->files[i].gzip.bytes);
    }
    free(assets->files);
    free(assets);
    return NULL;
}

const struct asset *assets_find(const struct assets *assets, const char *path)
{
    const struct asset *asset = find(assets, path);
    return asset != NULL && asset->identity.bytes != NULL ? asset : NULL;
}

/* "/api" and "/api/x" are below "/api", "/apix" is not. */
static bool is_below(const char *path, const char *top)
{
    size_t length = strlen(top);
    return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

const struct asset *assets_page(const struct assets *assets, const char *path)
{
    static const char *const not_pages[] = {"/api", "/whip", "/whep", "/assets", "/gateway"};
    for (size_t i = 0; i < sizeof not_pages / sizeof *not_pages; i++)
        if (is_below(path, not_pages[i]))
            return NULL;
    const char *last = strrchr(path, '/');
    if (last == NULL || strchr(last, '.') != NULL)
        return NULL;
    return assets_find(assets, "/index.html");
}
