#include "signalling/sip/trunks.h"

#include "core/crypto.h"
#include "core/log.h"
#include "core/network.h"
#include "modules/phone/prompts.h"
#include "signalling/sip/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRUNK_PASSWORD_MAX = 200,
    TRUNK_TEXT_MAX = 200, /* of a user, a realm, a host */
    TRUNK_ADDRESSES_MAX = 1024,
    TRUNK_AGAIN_MS = 5000, /* after a name was not found */
};

static const char *const transport_names[] = {"udp", "tcp", "tls"};

struct line {
    struct trunks *trunks;
    const char *name;
    const struct trunk_settings *settings; /* NULL host: not used */
    char host[DNS_NAME_MAX];               /* without the port */
    char served[DNS_NAME_MAX];             /* of the one spoken to: the proxy's, or the host's */
    char domain[DNS_NAME_MAX + 8];         /* as SIP addresses have it */
    char password[TRUNK_PASSWORD_MAX + 1];
    char expires[16];
    char addresses[TRUNK_ADDRESSES_MAX]; /* TARGETS; "": not found yet */
    bool up, asked;
    struct loop_timer again; /* when its address is to be asked for anew */
    struct metric *gauge;
};

struct trunks {
    struct trunks_config config;
    struct line lines[TRUNKS_MAX];
    size_t count;
    struct resolver *resolver;
    struct bridge *bridge; /* NULL: the process was not ready yet */
};

/* ---- configuration ---- */

static enum status wrong(char error[CONFIG_ERROR_MAX], const struct line *line, const char *key,
                         const char *why)
{
    snprintf(error, CONFIG_ERROR_MAX, "phone.trunk.%s.%s: %s", line->name, key, why);
    return STATUS_INVALID;
}

/* What goes into a quoted string of SIP, and into no other place of it. */
static bool text_valid_in_sip(const char *text, const char *refused)
{
    if (strlen(text) > TRUNK_TEXT_MAX)
        return false;
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text == 0x7f || strchr(refused, *text) != NULL)
            return false;
    }
    return true;
}

static enum status password_read(struct line *line, char error[CONFIG_ERROR_MAX])
{
    const char *path = line->settings->password_file, *text = line->settings->password;
    char read[TRUNK_PASSWORD_MAX + 2] = "";
    if (path[0] != '\0') {
        FILE *file = fopen(path, "re");
        bool got = file != NULL && fgets(read, sizeof read, file) != NULL;
        int why = errno;
        if (file != NULL)
            fclose(file);
        if (!got) {
            snprintf(error, CONFIG_ERROR_MAX, "phone.trunk.%s.password_file: %.200s: %s",
                     line->name, path, file != NULL ? "it is empty" : strerror(why));
            return STATUS_IO;
        }
        read[strcspn(read, "\r\n")] = '\0';
        text = read;
    }
    bool fits = strlen(text) <= TRUNK_PASSWORD_MAX;
    snprintf(line->password, sizeof line->password, "%.*s", TRUNK_PASSWORD_MAX, text);
    crypto_wipe(read, sizeof read);
    return fits ? STATUS_OK
                : wrong(error, line, path[0] != '\0' ? "password_file" : "password",
                        "the password has more than 200 bytes");
}

static bool transport_there(const struct trunks *trunks, const struct line *line)
{
    bool any = false;
    for (size_t i = 0; i < WIRE_TRANSPORTS; i++)
        any |= trunks->config.listens[i] && (line->settings->transport == TRUNK_AUTO ||
                                             line->settings->transport == (int64_t)i + 1);
    return any;
}

static enum status allow_check(const struct line *line, char error[CONFIG_ERROR_MAX])
{
    struct network network;
    for (size_t i = 0; i < line->settings->allow.count; i++) {
        if (network_read(line->settings->allow.items[i], &network) != STATUS_OK)
            return wrong(error, line, "allow", "write addresses and networks, and no names");
    }
    return STATUS_OK;
}

static enum status line_read(struct trunks *trunks, struct line *line, char error[CONFIG_ERROR_MAX])
{
    const struct trunk_settings *settings = line->settings;
    uint16_t port;
    const char *served = settings->proxy[0] != '\0' ? settings->proxy : settings->host;
    if (!locate_host(settings->host, line->host, &port))
        return wrong(error, line, "host", "write HOST or HOST:PORT");
    if (!locate_host(served, line->served, &port))
        return wrong(error, line, "proxy", "write HOST or HOST:PORT");
    if (!text_valid_in_sip(settings->user, "\"\\:@<>;?"))
        return wrong(error, line, "user", "it has letters that a SIP name cannot have");
    if (!text_valid_in_sip(settings->realm, "\"\\:"))
        return wrong(error, line, "realm", "it has letters that a realm cannot have");
    if (!transport_there(trunks, line))
        return wrong(error, line, "transport", "needs phone.udp, phone.tcp or phone.tls too");
    enum status status = allow_check(line, error);
    if (status == STATUS_OK)
        status = password_read(line, error);
    if (status != STATUS_OK)
        return status;
    snprintf(line->domain, sizeof line->domain, strchr(line->host, ':') != NULL ? "[%s]" : "%s",
             line->host);
    snprintf(line->expires, sizeof line->expires, "%d", (int)settings->expires_s);
    return STATUS_OK;
}

static void line_find(void *context);
static void on_located(void *context, size_t number, enum status status,
                       const struct location *location);

enum status trunks_new(const struct trunks_config *config, struct trunks **ret_trunks,
                       char ret_error[CONFIG_ERROR_MAX])
{
    struct trunks *trunks = calloc(1, sizeof *trunks);
    if (trunks == NULL)
        return STATUS_NO_MEMORY;
    trunks->config = *config;
    const struct trunk_settings *settings = config->settings->items;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < config->settings->count; i++) {
        if (settings[i].host[0] == '\0')
            continue;
        struct line *line = &trunks->lines[trunks->count++];
        char label[64];
        line->trunks = trunks;
        line->name = config->settings->names[i];
        line->settings = &settings[i];
        line->again = (struct loop_timer){.name = "trunk", .fn = line_find, .context = line};
        status = line_read(trunks, line, ret_error);
        snprintf(label, sizeof label, "trunk=\"%s\"", line->name);
        line->gauge = metrics_gauge(config->metrics, "parley_phone_trunk_up", label,
                                    "1 when the trunk answers and is registered if it is to be.");
    }
    if (status == STATUS_OK && trunks->count > 0)
        status = resolver_new(config->dns, on_located, trunks, &trunks->resolver);
    if (status == STATUS_INVALID && ret_error[0] == '\0')
        snprintf(ret_error, CONFIG_ERROR_MAX, "phone.dns: write ADDRESS or ADDRESS:PORT");
    if (status == STATUS_OK)
        *ret_trunks = trunks;
    else
        trunks_free(trunks);
    return status;
}

struct trunks *trunks_free(struct trunks *trunks)
{
    if (trunks == NULL)
        return NULL;
    resolver_free(trunks->resolver);
    crypto_wipe(trunks, sizeof *trunks);
    free(trunks);
    return NULL;
}

/* ---- numbers to dial in ---- */

/* Whether two numbers have the same digits, however they are written. */
static bool number_same(const char *one, const char *other)
{
    static const char digits[] = "0123456789";
    for (;;) {
        one += strcspn(one, digits);
        other += strcspn(other, digits);
        if (*one != *other)
            return false;
        if (*one == '\0')
            return true;
        one++;
        other++;
    }
}

size_t trunks_numbers(const struct trunks *trunks, struct msg_number *numbers, size_t count,
                      size_t max)
{
    for (size_t i = 0; i < trunks->count; i++) {
        const struct trunk_settings *settings = trunks->lines[i].settings;
        const char *language = prompt_language_name((enum prompt_language)settings->language);
        for (size_t j = 0; j < settings->numbers.count; j++) {
            size_t at = 0;
            while (at < count && !number_same(numbers[at].number, settings->numbers.items[j]))
                at++;
            if (at == max)
                return count;
            if (at == count)
                numbers[count++].number = settings->numbers.items[j];
            numbers[at].language = language;
        }
    }
    return count;
}

/* ---- what the process is told ---- */

enum status trunks_messages(const struct trunks *trunks, struct wire_message *messages, size_t max,
                            size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < trunks->count; i++) {
        const struct line *line = &trunks->lines[i];
        const struct trunk_settings *settings = line->settings;
        if (count + 1 + settings->allow.count > max)
            return STATUS_LIMIT;
        bool registers = settings->registers && settings->user[0] != '\0';
        int code = (int)trunks->config.options_s | (settings->trusted ? WIRE_TRUSTED : 0);
        messages[count++] =
            (struct wire_message){.type = WIRE_TRUNK,
                                  .code = (uint16_t)code,
                                  .fields = {[WIRE_NAME] = line->name,
                                             [WIRE_DOMAIN] = line->domain,
                                             [WIRE_HOST] = line->served,
                                             [WIRE_USER] = settings->user,
                                             [WIRE_PASSWORD] = line->password,
                                             [WIRE_REALM] = settings->realm,
                                             [WIRE_FILE] = settings->ca,
                                             [WIRE_EXPIRES] = registers ? line->expires : NULL}};
        for (size_t j = 0; j < settings->allow.count; j++)
            messages[count++] = (struct wire_message){
                .type = WIRE_ALLOW,
                .fields = {[WIRE_ADDRESS] = settings->allow.items[j], [WIRE_NAME] = line->name}};
    }
    *ret_count = count;
    return STATUS_OK;
}

static void targets_tell(const struct line *line)
{
    struct wire_message told = {.type = WIRE_TARGETS};
    told.fields[WIRE_NAME] = line->name;
    told.fields[WIRE_ADDRESS] = line->addresses;
    if (line->addresses[0] != '\0')
        bridge_send(line->trunks->bridge, &told);
}

/* ---- where they are ---- */

static void line_find(void *context)
{
    struct line *line = context;
    const struct trunk_settings *settings = line->settings;
    struct locate_wish wish = {.host =
                                   settings->proxy[0] != '\0' ? settings->proxy : settings->host,
                               .transport = (enum trunk_transport)settings->transport,
                               .seed = crypto_random_u64()};
    memcpy(wish.can, line->trunks->config.listens, sizeof wish.can);
    line->asked = true;
    if (resolver_ask(line->trunks->resolver, (size_t)(line - line->trunks->lines), &wish) !=
        STATUS_OK)
        loop_timer_start(bridge_loop(line->trunks->bridge), &line->again, TRUNK_AGAIN_MS);
}

struct located {
    struct line *line;
    enum status status;
    struct location location;
};

static void addresses_write(struct line *line, const struct location *location)
{
    char before[TRUNK_ADDRESSES_MAX];
    size_t used = 0;
    memcpy(before, line->addresses, sizeof before);
    for (size_t i = 0; i < location->count; i++) {
        const struct locate_target *target = &location->targets[i];
        bool six = strchr(target->address, ':') != NULL;
        used +=
            (size_t)snprintf(line->addresses + used, sizeof line->addresses - used,
                             "%s%s:%s%s%s:%u", i > 0 ? " " : "", transport_names[target->transport],
                             six ? "[" : "", target->address, six ? "]" : "", target->port);
    }
    if (strcmp(before, line->addresses) != 0)
        targets_tell(line);
}

/* An address that is known is kept while its name is not found. */
static void located_read(void *arg)
{
    struct located *located = arg;
    struct line *line = located->line;
    uint64_t wait_ms = TRUNK_AGAIN_MS;
    if (located->status == STATUS_OK) {
        addresses_write(line, &located->location);
        wait_ms = located->location.ttl_s * 1000ULL;
    } else {
        log_event(LOG_PHONE, LOG_WARN, "trunk_not_found", "trunk=%s status=%s", line->name,
                  status_name(located->status));
    }
    loop_timer_start(bridge_loop(line->trunks->bridge), &line->again, wait_ms);
    free(located);
}

static void on_located(void *context, size_t number, enum status status,
                       const struct location *location)
{
    struct trunks *trunks = context;
    struct located *located = malloc(sizeof *located);
    if (located == NULL)
        return;
    *located = (struct located){.line = &trunks->lines[number], .status = status};
    if (status == STATUS_OK)
        located->location = *location;
    if (loop_post(bridge_loop(trunks->bridge), located_read, located) != STATUS_OK)
        free(located);
}

/* ---- what the process says ---- */

void trunks_ready(struct trunks *trunks, struct bridge *bridge)
{
    trunks->bridge = bridge;
    for (size_t i = 0; i < trunks->count; i++) {
        targets_tell(&trunks->lines[i]);
        if (!trunks->lines[i].asked)
            line_find(&trunks->lines[i]);
    }
}

void trunks_down(struct trunks *trunks)
{
    for (size_t i = 0; i < trunks->count; i++) {
        trunks->lines[i].up = false;
        metric_set(trunks->lines[i].gauge, 0);
    }
}

/* Its number, or their count. */
static size_t line_named(const struct trunks *trunks, const char *name)
{
    size_t i = 0;
    while (i < trunks->count && (name == NULL || strcmp(trunks->lines[i].name, name) != 0))
        i++;
    return i;
}

void trunks_message(struct trunks *trunks, const struct wire_message *message)
{
    size_t number = line_named(trunks, message->fields[WIRE_NAME]);
    const char *address = message->fields[WIRE_ADDRESS], *reason = message->fields[WIRE_REASON];
    if (number == trunks->count)
        return;
    struct line *line = &trunks->lines[number];
    line->up = message->code == 1;
    metric_set(line->gauge, line->up);
    log_event(LOG_PHONE, line->up ? LOG_INFO : LOG_WARN, line->up ? "trunk_up" : "trunk_down",
              "trunk=%s at=%s why=%s", line->name, address != NULL ? address : "",
              reason != NULL ? reason : "");
}

static bool number_is_of(const struct line *line, const char *called)
{
    for (size_t i = 0; called != NULL && i < line->settings->numbers.count; i++) {
        if (number_same(line->settings->numbers.items[i], called))
            return true;
    }
    return false;
}

const struct trunk_settings *trunks_find(const struct trunks *trunks, const char *via,
                                         const char *called)
{
    size_t number = line_named(trunks, via);
    if (number == trunks->count)
        return NULL;
    const struct line *line = &trunks->lines[number];
    for (size_t i = 0; i < trunks->count; i++) {
        const struct line *other = &trunks->lines[i];
        if (strcmp(other->served, line->served) == 0 && number_is_of(other, called))
            return other->settings;
    }
    return line->settings;
}

const char *trunks_choose(const struct trunks *trunks, uint32_t *tried)
{
    size_t best = trunks->count;
    for (size_t i = 0; i < trunks->count; i++) {
        const struct line *line = &trunks->lines[i];
        if (line->up && (*tried & (1U << i)) == 0 &&
            (best == trunks->count ||
             line->settings->priority < trunks->lines[best].settings->priority))
            best = i;
    }
    if (best == trunks->count)
        return NULL;
    *tried |= 1U << best;
    return trunks->lines[best].name;
}

void trunks_address(const struct trunks *trunks, const char *name,
                    char ret_address[INET6_ADDRSTRLEN])
{
    size_t number = line_named(trunks, name);
    const char *from = number < trunks->count ? strchr(trunks->lines[number].addresses, ':') : NULL;
    ret_address[0] = '\0';
    if (from == NULL)
        return;
    from++; /* "192.0.2.1:5060", "[2001:db8::1]:5060" */
    size_t bracket = from[0] == '[' ? 1 : 0;
    snprintf(ret_address, INET6_ADDRSTRLEN, "%.*s",
             (int)strcspn(from + bracket, bracket > 0 ? "]" : ":"), from + bracket);
}
