/*
 * signalling/http/assets.h - the client's files, all read into memory at the start.
 *
 * A request is looked up by its exact name among what was read, so no path can lead out
 * of the folder, and the edge thread never touches a file. After assets_load nothing
 * changes: any thread may read.
 */
#ifndef SIGNALLING_HTTP_ASSETS_H
#define SIGNALLING_HTTP_ASSETS_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    ASSETS_FILES_MAX = 4096,
    ASSETS_BYTES_MAX = 128 << 20, /* of all files together */
    ASSETS_DEPTH_MAX = 8,         /* folders in folders */
    ASSET_ETAG_SIZE = 32,
};

struct asset_body {
    void *bytes; /* NULL: this form does not exist */
    size_t length;
    char etag[ASSET_ETAG_SIZE]; /* strong, quoted */
};

struct asset {
    char *path; /* "/assets/main-1a2b.js" */
    const char *content_type;
    bool immutable; /* its name carries a hash of its bytes */
    struct asset_body identity, brotli, gzip;
};

struct assets;

/* `folder` NULL: no files. Symbolic links and names that begin with a dot are left out.
 * Errors: STATUS_NOT_FOUND (no such folder), STATUS_LIMIT, STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE enum status assets_load(const char *folder, struct assets **ret_assets);
/* Accepts NULL, returns NULL. */
struct assets *assets_free(struct assets *assets);
/* NULL when there is none of that name. */
const struct asset *assets_find(const struct assets *assets, const char *path);
/* The file for a path that is a page of the client ("/", "/m/abc"): index.html. NULL when the
 * path is no page (an API, an asset, a file name) or there is no index.html. */
const struct asset *assets_page(const struct assets *assets, const char *path);

#endif
