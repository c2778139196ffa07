#include "server/server.h"

#include "core/clock.h"
#include "core/log.h"
#include "modules/jobs/jobs.h"
#include "modules/retention/retention.h"
#include "modules/spaces/file_texts.h"
#include "modules/spaces/filling.h"
#include "modules/spaces/incoming.h"
#include "server/post.h"
#include "server/tracing.h"
#include "server/upkeep.h"
#include "signalling/api/api.h"
#include "signalling/control/control.h"
#include "signalling/gateway/commands.h"
#include "signalling/gateway/space_feed.h"
#include "signalling/gateway/space_jobs.h"
#include "signalling/sip/dialin.h"
#include "signalling/whip/whip.h"
#include "storage/objects/objects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SERVER_JOBS_MAX = 16384, /* requests and strand turns that may wait */
    SERVER_DB_READERS = 4,
    SERVER_RECONNECT_MS = 3000, /* what clients wait when the server goes down */
    SERVER_PATH_MAX = 4096,
};

struct server {
    struct metrics *metrics;
    struct crew *crew;
    struct db *db;
    struct objects *objects;
    struct auth *auth;
    struct jobs *jobs;
    struct post post;
    struct file_texts file_texts;
    struct signed_in_list signed_in;
    struct presence *presence;
    struct meetings *meetings;
    struct media *media;
    struct dialin *dialin; /* NULL: not enabled */
    struct trunks *trunks;
    struct stir *stir;
    struct gateway *gateway;
    struct space_feed *feed;
    struct http *http;
    struct commands commands;
    struct api api;
    struct whip whip;
    struct tracing tracing;
    struct upkeep upkeep;
    struct retention retention;
    struct http_fetch *fetch;
    struct push push;
    struct control_context controlled;
    struct control *control;
    char link[64], web[SERVER_PATH_MAX], program[SERVER_PATH_MAX], reader[SERVER_PATH_MAX],
        prompts[SERVER_PATH_MAX], data[SERVER_PATH_MAX];
};

static double resident_bytes(void *context)
{
    (void)context;
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        if (fscanf(file, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double crew_queue(void *context)
{
    return (double)crew_waiting(context);
}

static double strands_queue(void *context)
{
    return (double)crew_strands_waiting(context);
}

/* Beside the program: build/release/parley finds web/dist, /usr/bin/parley the installed copy. */
static void web_find(struct server *server, const char *configured)
{
    static const char *const places[] = {"../../web/dist", "../share/parley/web"};
    if (configured[0] != '\0') {
        snprintf(server->web, sizeof server->web, "%s", configured);
        return;
    }
    char program[SERVER_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL)
        *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int used = snprintf(server->web, sizeof server->web, "%s/%s", program, places[i]);
        if (used > 0 && (size_t)used < sizeof server->web && access(server->web, R_OK) == 0)
            return;
    }
}

/* ---- floor by floor ---- */

static enum status data_make(const char *data, char error[SERVER_ERROR_MAX])
{
    if (mkdir(data, 0700) != 0 && errno != EEXIST) {
        snprintf(error, SERVER_ERROR_MAX, "--data %.300s: %s", data, strerror(errno));
        return STATUS_IO;
    }
    struct stat found;
    if (stat(data, &found) == 0 && !S_ISDIR(found.st_mode)) {
        snprintf(error, SERVER_ERROR_MAX, "--data %.300s: %s", data, strerror(ENOTDIR));
        return STATUS_INVALID;
    }
    if (access(data, R_OK | W_OK | X_OK) != 0) {
        snprintf(error, SERVER_ERROR_MAX, "--data %.300s: %s", data, strerror(errno));
        return STATUS_DENIED;
    }
    return STATUS_OK;
}

static enum status objects_start(struct server *server, const struct settings *settings,
                                 const char *data, char error[SERVER_ERROR_MAX])
{
    enum status status = objects_open(server->db, data, &server->objects);
    if (status == STATUS_OK)
        objects_quotas(server->objects, settings->files_account << 20, settings->files_space << 20);
    if (status == STATUS_OK)
        status = uploads_sweep(server->db, server->objects, clock_wall_ms());
    if (status != STATUS_OK)
        snprintf(error, SERVER_ERROR_MAX, "--data %.300s: objects/ or uploads/ cannot be used: %s",
                 data, status_text(status));
    return status;
}

static enum status storage_start(struct server *server, const struct settings *settings,
                                 const char *data, char error[SERVER_ERROR_MAX])
{
    const char *reason = NULL;
    struct db_config config = {.directory = data,
                               .readers = SERVER_DB_READERS,
                               .metrics = server->metrics,
                               .key_command = settings->vault_command,
                               .ret_reason = &reason};
    enum status status = db_open(&config, &server->db);
    if (reason != NULL) {
        if (strncmp(reason, "vault.command:", 14) == 0)
            snprintf(error, SERVER_ERROR_MAX, "%s", reason);
        else
            snprintf(error, SERVER_ERROR_MAX, "--data %.300s: %s", data, reason);
    } else if (status == STATUS_EXISTS)
        snprintf(error, SERVER_ERROR_MAX, "--data %.300s: another server is using it", data);
    else if (status == STATUS_UNSUPPORTED)
        snprintf(error, SERVER_ERROR_MAX, "--data %.300s: the database is newer than this program",
                 data);
    else if (status != STATUS_OK)
        snprintf(error, SERVER_ERROR_MAX, "--data %.300s: the database cannot be opened: %s", data,
                 status_text(status));
    if (status == STATUS_OK)
        status = objects_start(server, settings, data, error);
    return status;
}

static enum status auth_start(struct server *server, const struct settings *settings)
{
    const struct auth_config config = {.db = server->db,
                                       .fips = settings->auth_fips,
                                       .domains = settings->auth_domains.items,
                                       .domain_count = settings->auth_domains.count,
                                       .ended = signed_in_ended,
                                       .context = &server->signed_in};
    enum status status = signed_in_list_init(&server->signed_in);
    if (status == STATUS_OK)
        status = presence_new(&server->presence);
    server->signed_in.presence = server->presence;
    return status == STATUS_OK ? auth_new(&config, &server->auth) : status;
}

/* The folder of this program, without the last '/'. */
static void program_folder(char ret_here[SERVER_PATH_MAX - 64])
{
    ssize_t length = readlink("/proc/self/exe", ret_here, SERVER_PATH_MAX - 65);
    ret_here[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(ret_here, '/');
    if (slash != NULL)
        *slash = '\0';
}

static enum status texts_begin(struct server *server)
{
    char here[SERVER_PATH_MAX - 64];
    program_folder(here);
    snprintf(server->reader, sizeof server->reader, "%s/parley-text", here);
    server->file_texts = (struct file_texts){server->db, server->objects, server->reader};
    return file_texts_add(server->jobs, &server->file_texts);
}

/* Push services are told whom to ask when they are sent too much: RFC 8292 2.1. */
static enum status push_make(struct server *server, const struct settings *settings)
{
    const struct http_fetch_config config = {.authorities = NULL};
    enum status status = http_fetch_new(&config, &server->fetch);
    if (status != STATUS_OK)
        return status;
    server->push = (struct push){.db = server->db, .fetch = server->fetch};
    if (settings->mail_from[0] != '\0')
        snprintf(server->push.contact, sizeof server->push.contact, "mailto:%s",
                 settings->mail_from);
    else
        snprintf(server->push.contact, sizeof server->push.contact, "%s",
                 strncmp(settings->http_url, "https://", 8) == 0 ? settings->http_url
                                                                 : "https://localhost");
    return push_begin(&server->push, server->jobs);
}

/* Whoever has jobs adds their kinds here. */
static enum status jobs_make(struct server *server, const struct settings *settings,
                             char error[SERVER_ERROR_MAX])
{
    enum status status = post_make(&server->post, settings, error);
    if (status == STATUS_OK)
        status = jobs_new(server->db, server->metrics, &server->jobs);
    if (status == STATUS_OK)
        status = space_jobs_add(server->jobs, &server->commands);
    server->retention = (struct retention){.db = server->db,
                                           .auth = server->auth,
                                           .objects = server->objects,
                                           .days = settings->events_days,
                                           .calls_days = settings->phone_records_days};
    if (status == STATUS_OK)
        status = retention_begin(&server->retention, server->jobs);
    if (status == STATUS_OK)
        status = texts_begin(server);
    if (status == STATUS_OK)
        status = filling_begin(server->jobs, server->db);
    if (status == STATUS_OK)
        status = push_make(server, settings);
    return status == STATUS_OK ? post_begin(&server->post, server->auth, server->jobs) : status;
}

/* ICE-TCP may come before media is there; then it is refused by closing. */
static void on_ice_tcp(void *context, int fd, const uint8_t *bytes, size_t length)
{
    struct server *server = context;
    if (server->media != NULL)
        media_tcp_adopt(server->media, fd, bytes, length);
    else
        close(fd);
}

static enum status edge_bind(struct server *server, const struct settings *settings,
                             const char *data, char error[SERVER_ERROR_MAX])
{
    web_find(server, settings->web);
    struct http_config config = {
        .port = (uint16_t)settings->http_port,
        .https_port = (uint16_t)settings->https_port,
        .https = settings->https,
        .redirect_port = (uint16_t)settings->https_redirect_port,
        .certificate = settings->https_certificate[0] != '\0' ? settings->https_certificate : NULL,
        .key = settings->https_key[0] != '\0' ? settings->https_key : NULL,
        .directory = data,
        .web = server->web,
        .origins = settings->http_origins.items,
        .origin_count = settings->http_origins.count,
        .connections_per_address = (uint32_t)settings->http_connections,
        .requests_per_minute = (uint32_t)settings->http_requests,
        .crew = server->crew,
        .metrics = server->metrics,
        .ice_tcp = settings->media_tcp ? on_ice_tcp : NULL,
        .ice_tcp_context = server,
    };
    char text[256] = "";
    enum status status = http_new(&config, &server->http, text);
    if (status != STATUS_OK)
        snprintf(error, SERVER_ERROR_MAX, "%s", text[0] != '\0' ? text : status_text(status));
    return status;
}

/* Beside the program, as web_find says. */
static enum status dialin_make(struct server *server, const struct settings *settings,
                               char error[SERVER_ERROR_MAX])
{
    static const char *const places[] = {"prompts", "../share/parley/prompts"};
    char here[SERVER_PATH_MAX - 64];
    program_folder(here);
    snprintf(server->program, sizeof server->program, "%s/parley-phone", here);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(server->prompts, sizeof server->prompts, "%s/%s", here, places[i]);
        if (access(server->prompts, R_OK) == 0)
            break;
    }
    struct dialin_config config = {
        .listen = {settings->phone_udp, settings->phone_tcp, settings->phone_tls},
        .allow = settings->phone_allow,
        .addresses = settings->media_addresses,
        .program = server->program,
        .certificates =
            settings->phone_certificates[0] != '\0' ? settings->phone_certificates : NULL,
        .numbers = settings->phone_numbers,
        .out = {.rules = {.country = settings->phone_out_country,
                          .allow = settings->phone_out_allow,
                          .deny = settings->phone_out_deny,
                          .rates = settings->phone_out_rates,
                          .budget = settings->phone_out_budget},
                .limits = {.calls = settings->phone_out_calls,
                           .hour = settings->phone_out_hour,
                           .minutes = settings->phone_out_minutes},
                .members = settings->phone_out_who == 1,
                .security = (enum media_leg_security_kind)settings->phone_out_srtp,
                .number = settings->phone_out_number,
                .ring_ms = settings->phone_out_ring * 1000},
        .metrics = server->metrics,
    };
    const char *bad = NULL;
    if (!dialing_config_valid(&config.out.rules, &bad)) {
        snprintf(error, SERVER_ERROR_MAX, "phone.out: cannot read \"%.100s\"", bad);
        return STATUS_INVALID;
    }
    size_t folders = 0;
    if (settings->phone_prompts[0] != '\0')
        config.prompts[folders++] = settings->phone_prompts;
    config.prompts[folders] = server->prompts;
    struct trunks_config trunks = {
        .settings = &settings->phone_trunks,
        .listens = {settings->phone_udp[0] != '\0', settings->phone_tcp[0] != '\0',
                    settings->phone_tls[0] != '\0'},
        .options_s = settings->phone_options,
        .dns = settings->phone_dns,
        .metrics = server->metrics,
    };
    enum status status = trunks_new(&trunks, &server->trunks, error);
    if (status == STATUS_OK) {
        status = stir_new(settings->phone_stir, &server->stir);
        if (status != STATUS_OK)
            snprintf(error, SERVER_ERROR_MAX, "phone.stir.certificates: %.300s: %s",
                     settings->phone_stir, status_text(status));
    }
    config.trunks = server->trunks;
    config.stir = server->stir;
    return status == STATUS_OK ? dialin_new(&config, &server->dialin) : status;
}

static enum status media_start(struct server *server, const struct settings *settings,
                               char error[SERVER_ERROR_MAX])
{
    struct media_leg_config legs = {.port_first = (uint16_t)settings->phone_first_port,
                                    .port_last = (uint16_t)settings->phone_last_port,
                                    .unlimited = !settings->phone_limiter,
                                    .ungated = !settings->phone_gate,
                                    .events = &dialin_leg_events,
                                    .context = server->dialin};
    struct media_config config = {
        .legs = server->dialin != NULL ? &legs : NULL,
        .port = (uint16_t)settings->media_port,
        .addresses = settings->media_addresses.items,
        .address_count = settings->media_addresses.count,
        .tcp_port = settings->https && settings->media_tcp ? https_port(server->http) : 0,
        .workers = (uint8_t)settings->media_workers,
        .voices = (uint8_t)settings->media_voices,
        .loopback = settings->media_loopback,
        .events = &meetings_media_events,
        .events_context = server->meetings,
        .metrics = server->metrics,
    };
    enum status status = media_new(&config, &server->media);
    if (status == STATUS_EXISTS)
        snprintf(error, SERVER_ERROR_MAX, "media.port: port %u: the port is taken", config.port);
    else if (status == STATUS_INVALID)
        snprintf(error, SERVER_ERROR_MAX,
                 "media.addresses: write ADDRESS or ADDRESS:PORT, and no names");
    else if (status != STATUS_OK)
        snprintf(error, SERVER_ERROR_MAX, "media: %s", status_text(status));
    return status;
}

static enum status meetings_make(struct server *server, const struct settings *settings)
{
    struct meetings_config config = {.voices = (uint8_t)settings->media_voices,
                                     .ports = &commands_port_ops,
                                     .phone = server->dialin != NULL ? dialin_notice : NULL,
                                     .phone_context = server->dialin,
                                     .metrics = server->metrics};
    return meetings_new(&config, &server->meetings);
}

/* Without accounts, whoever sees the console may make the first one from anywhere. */
static void setup_link_make(struct server *server, const struct settings *settings)
{
    bool has_users = true;
    char secret[CRYPTO_TOKEN_CHARS + 1];
    crypto_token(secret);
    snprintf(server->api.setup_link, sizeof server->api.setup_link, "plf_%s", secret);
    if (auth_has_users(server->auth, &has_users) == STATUS_OK && !has_users && settings->https)
        printf("first account: https://HOST:%u/setup#%s\n", https_port(server->http),
               server->api.setup_link);
}

static enum status edge_open(struct server *server, const struct settings *settings)
{
    enum adhoc adhoc = (enum adhoc)settings->meetings_adhoc;
    server->commands = (struct commands){.db = server->db,
                                         .auth = server->auth,
                                         .signed_in = &server->signed_in,
                                         .meetings = server->meetings,
                                         .media = server->media,
                                         .dialin = server->dialin,
                                         .previews = settings->chat_previews ? server->fetch : NULL,
                                         .adhoc = adhoc};
    server->api.db = server->db;
    server->api.auth = server->auth;
    server->api.presence = server->presence;
    server->api.objects = server->objects;
    server->api.push = &server->push;
    server->api.mail = &server->post.mail;
    server->api.sign_up = settings->auth_domains.count > 0;
    setup_link_make(server, settings);
    server->api.meetings = server->meetings;
    server->api.signed_in = &server->signed_in;
    server->api.metrics = server->metrics;
    server->api.dialin = server->dialin;
    server->api.adhoc = adhoc;
    server->api.voices = (uint8_t)settings->media_voices;
    server->whip = (struct whip){
        .db = server->db, .meetings = server->meetings, .media = server->media, .adhoc = adhoc};
    struct gateway_config config = {.crew = server->crew,
                                    .ops = &commands_gateway_ops,
                                    .context = &server->commands,
                                    .metrics = server->metrics};
    enum status status = gateway_new(&config, &server->gateway);
    if (status == STATUS_OK)
        status = space_feed_new(server->db, &server->signed_in, server->metrics, &server->feed);
    if (status == STATUS_OK)
        status = api_routes(server->http, &server->api);
    if (status == STATUS_OK)
        status = whip_routes(server->http, &server->whip);
    if (status == STATUS_OK) {
        http_websocket(server->http, "/gateway", &gateway_ws_ops, server->gateway);
        atomic_store(&server->api.ready, true);
        status = http_start(server->http);
    }
    return status;
}

static enum status control_open(struct server *server, const char *data,
                                char error[SERVER_ERROR_MAX])
{
    server->controlled = (struct control_context){
        .db = server->db, .auth = server->auth, .meetings = server->meetings};
    enum status status = control_new(data, &server->controlled, &server->control);
    if (status != STATUS_OK)
        snprintf(error, SERVER_ERROR_MAX, "--data %.300s: control.sock cannot be made in it: %s",
                 data, status_text(status));
    return status;
}

enum status server_control(const struct settings *settings, const char *data, const char *request,
                           struct arena *arena, const char **ret_reply,
                           char ret_error[SERVER_ERROR_MAX])
{
    struct server *server = calloc(1, sizeof *server);
    const char *reply = NULL;
    ret_error[0] = '\0';
    if (server == NULL)
        return STATUS_NO_MEMORY;
    enum status status = data_make(data, ret_error);
    if (status == STATUS_OK)
        status = metrics_new(&server->metrics);
    if (status == STATUS_OK)
        status = storage_start(server, settings, data, ret_error);
    if (status == STATUS_OK)
        status = auth_start(server, settings);
    if (status == STATUS_OK) {
        server->controlled = (struct control_context){.db = server->db, .auth = server->auth};
        reply = control_answer(&server->controlled, request, strlen(request), arena);
        status = reply != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    server_stop(server);
    if (status == STATUS_OK)
        *ret_reply = reply;
    return status;
}

enum status server_start(const struct settings *settings, const char *data,
                         struct server **ret_server, char ret_error[SERVER_ERROR_MAX])
{
    struct server *server = calloc(1, sizeof *server);
    ret_error[0] = '\0';
    if (server == NULL)
        return STATUS_NO_MEMORY;
    atomic_init(&server->api.ready, false);
    enum status status = data_make(data, ret_error);
    if (status == STATUS_OK)
        status = metrics_new(&server->metrics);
    if (status == STATUS_OK)
        status = storage_start(server, settings, data, ret_error);
    if (status == STATUS_OK)
        status = auth_start(server, settings);
    if (status == STATUS_OK)
        status = jobs_make(server, settings, ret_error);
    if (status == STATUS_OK)
        status = crew_new("request", (uint32_t)settings->threads, SERVER_JOBS_MAX, &server->crew);
    if (status == STATUS_OK)
        status = edge_bind(server, settings, data, ret_error);
    if (status == STATUS_OK && settings->phone)
        status = dialin_make(server, settings, ret_error);
    if (status == STATUS_OK)
        status = meetings_make(server, settings);
    if (status == STATUS_OK)
        status = media_start(server, settings, ret_error);
    if (status == STATUS_OK)
        status = meetings_start(server->meetings, server->media);
    if (status == STATUS_OK && server->dialin != NULL)
        status =
            dialin_start(server->dialin, server->db, server->crew, server->meetings, server->media);
    if (status == STATUS_OK)
        status = control_open(server, data, ret_error);
    if (status == STATUS_OK)
        status = edge_open(server, settings);
    if (status == STATUS_OK)
        status = jobs_start(server->jobs);
    if (status != STATUS_OK) {
        if (ret_error[0] == '\0')
            snprintf(ret_error, SERVER_ERROR_MAX, "cannot start: %s", status_text(status));
        server_stop(server);
        return status;
    }
    metrics_gauge_read(server->metrics, "parley_resident_bytes", "",
                       "Memory of the process in RAM.", resident_bytes, NULL);
    metrics_gauge_read(server->metrics, "parley_queue_length", "queue=\"requests\"",
                       "Entries waiting in a queue.", crew_queue, server->crew);
    metrics_gauge_read(server->metrics, "parley_queue_length", "queue=\"strands\"",
                       "Entries waiting in a queue.", strands_queue, server->crew);
    snprintf(server->data, sizeof server->data, "%s", data);
    server->tracing = (struct tracing){.meetings = server->meetings, .data = server->data};
    server->upkeep = (struct upkeep){.meetings = server->meetings, .db = server->db};
    tracing_apply(&server->tracing, settings);
    snprintf(server->link, sizeof server->link, "http://localhost:%u/", http_port(server->http));
    *ret_server = server;
    return STATUS_OK;
}

const char *server_link(const struct server *server)
{
    return server->link;
}

void server_reload(struct server *server, const struct settings *settings)
{
    tracing_apply(&server->tracing, settings);
    enum status status = http_reload(server->http);
    if (status != STATUS_OK)
        log_event(LOG_SERVER, LOG_ERROR, "reload_failed", "status=%s", status_name(status));
}

void server_upkeep(struct server *server)
{
    (void)upkeep_run(&server->upkeep);
}

void server_drain(struct server *server)
{
    atomic_store(&server->api.ready, false);
    meetings_drain(server->meetings);
    gateway_drain(server->gateway, SERVER_RECONNECT_MS);
    http_drain(server->http);
}

/*
 * From the edge inwards. The crew finishes what was accepted, so it goes before the
 * conductor that its jobs ask; sessions end before the meetings their members are in.
 */
struct server *server_stop(struct server *server)
{
    if (server == NULL)
        return NULL;
    server->control = control_free(server->control);
    server->http = http_free(server->http);
    server->feed = space_feed_free(server->feed);
    server->gateway = gateway_free(server->gateway);
    dialin_stop(server->dialin);
    server->crew = crew_free(server->crew);
    server->jobs = jobs_free(server->jobs);
    server->fetch = http_fetch_free(server->fetch); /* jobs ask by it */
    tracing_end(&server->tracing);
    if (server->meetings != NULL)
        meetings_stop(server->meetings);
    server->media = media_free(server->media);
    server->meetings = meetings_free(server->meetings);
    server->trunks = trunks_free(server->trunks); /* what it asks for comes by dialin's thread */
    server->dialin = dialin_free(server->dialin);
    server->stir = stir_free(server->stir);
    server->objects = objects_close(server->objects);
    if (server->auth != NULL)
        signed_in_list_fini(&server->signed_in);
    server->auth = auth_free(server->auth);
    server->presence = presence_free(server->presence);
    server->db = db_close(server->db);
    server->metrics = metrics_free(server->metrics);
    free(server);
    return NULL;
}
