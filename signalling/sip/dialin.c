/*
 * All calls: what parley-phone, the media workers and the conductor say finds its call here.
 */
#include "core/clock.h"
#include "core/log.h"
#include "signalling/sip/calls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- letters ---- */

struct leg_letter {
    struct dialin *dialin;
    uint64_t leg;
    uint16_t port, rtcp_port;
    int what;
    uint32_t people;
};

bool dialin_letter(struct dialin *dialin, mailbox_fn *fn, const void *letter, size_t size)
{
    void *copy = malloc(size);
    if (copy == NULL)
        return false;
    memcpy(copy, letter, size);
    if (loop_post(bridge_loop(dialin->bridge), fn, copy) == STATUS_OK)
        return true;
    free(copy);
    return false;
}

struct call *dialin_call(struct dialin *dialin, uint64_t leg)
{
    return map_get(dialin->legs, leg);
}

/* Frees the letter; the call it is about, or NULL. */
static struct call *letter_open(void *arg, struct leg_letter *ret_letter)
{
    *ret_letter = *(struct leg_letter *)arg;
    free(arg);
    arena_reset(ret_letter->dialin->arena);
    return dialin_call(ret_letter->dialin, ret_letter->leg);
}

static void opened_read(void *arg)
{
    struct leg_letter letter;
    struct call *call = letter_open(arg, &letter);
    if (call != NULL)
        call_opened(call, letter.port, letter.rtcp_port);
}

static void digit_read(void *arg)
{
    struct leg_letter letter;
    struct call *call = letter_open(arg, &letter);
    if (call != NULL)
        call_key(call, (char)letter.what);
}

static void gone_read(void *arg)
{
    struct leg_letter letter;
    struct call *call = letter_open(arg, &letter);
    if (call == NULL)
        return;
    call_why(call, "silent", 0);
    call_drop(call, true);
}

static void closed_read(void *arg)
{
    struct leg_letter letter;
    struct call *call = letter_open(arg, &letter);
    ledger_closed(letter.dialin, letter.leg);
    if (call == NULL)
        return;
    call->closed = true;
    call_why(call, "media", 0);
    call_drop(call, true);
}

static void statistics_read(void *arg)
{
    struct leg_letter letter;
    (void)letter_open(arg, &letter);
    ledger_statistics(letter.dialin, letter.leg, (uint16_t)letter.what);
}

static void played_read(void *arg)
{
    struct leg_letter letter;
    struct call *call = letter_open(arg, &letter);
    if (call != NULL)
        call_played(call);
}

static void notice_read(void *arg)
{
    struct leg_letter letter;
    struct call *call = letter_open(arg, &letter);
    if (call != NULL)
        call_notice(call, (enum meeting_phone_notice)letter.what, letter.people);
}

static void tell(struct dialin *dialin, mailbox_fn *fn, const struct leg_letter *letter)
{
    if (!dialin_letter(dialin, fn, letter, sizeof *letter))
        log_event(LOG_PHONE, LOG_WARN, "leg_event_lost", "leg=%llu",
                  (unsigned long long)letter->leg);
}

static void on_opened(void *context, uint64_t leg, uint16_t port, uint16_t rtcp_port)
{
    struct leg_letter letter = {
        .dialin = context, .leg = leg, .port = port, .rtcp_port = rtcp_port};
    tell(context, opened_read, &letter);
}

static void on_digit(void *context, uint64_t leg, char digit, uint32_t duration_ms,
                     enum media_leg_digit_way way)
{
    (void)duration_ms, (void)way;
    struct leg_letter letter = {.dialin = context, .leg = leg, .what = digit};
    tell(context, digit_read, &letter);
}

static void on_lost(void *context, uint64_t leg, bool lost)
{
    struct leg_letter letter = {.dialin = context, .leg = leg};
    if (lost)
        tell(context, gone_read, &letter);
}

static void on_played(void *context, uint64_t leg)
{
    struct leg_letter letter = {.dialin = context, .leg = leg};
    tell(context, played_read, &letter);
}

/* When all is coming down nobody listens any more. */
static void on_closed(void *context, uint64_t leg, enum media_leg_end end)
{
    (void)end;
    struct leg_letter letter = {.dialin = context, .leg = leg};
    (void)!dialin_letter(context, closed_read, &letter, sizeof letter);
}

static void on_statistics(void *context, uint64_t leg,
                          const struct media_leg_statistics *statistics)
{
    struct leg_letter letter = {.dialin = context, .leg = leg, .what = statistics->mos_100};
    (void)!dialin_letter(context, statistics_read, &letter, sizeof letter);
}

const struct media_leg_events dialin_leg_events = {.opened = on_opened,
                                                   .digit = on_digit,
                                                   .lost = on_lost,
                                                   .played = on_played,
                                                   .statistics = on_statistics,
                                                   .closed = on_closed};

void dialin_notice(void *dialin, uint64_t leg, enum meeting_phone_notice notice, uint32_t people)
{
    struct leg_letter letter = {
        .dialin = dialin, .leg = leg, .what = (int)notice, .people = people};
    tell(dialin, notice_read, &letter);
}

/* ---- the process ---- */

static void on_message(void *context, const struct wire_message *message)
{
    struct dialin *dialin = context;
    struct call *call = map_get(dialin->calls, message->call);
    arena_reset(dialin->arena);
    if (message->type == WIRE_READY) {
        log_event(LOG_PHONE, LOG_INFO, "phone_ready", "pid=%d", bridge_process(dialin->bridge));
        trunks_ready(dialin->trunks, dialin->bridge);
    } else if (message->type == WIRE_TRUNK_STATE)
        trunks_message(dialin->trunks, message);
    else if (message->type == WIRE_FAILED)
        log_event(LOG_PHONE, LOG_ERROR, "phone_failed", "why=%s",
                  message->fields[WIRE_REASON] != NULL ? message->fields[WIRE_REASON] : "");
    else if (message->type == WIRE_INVITE)
        call_invited(dialin, message);
    else if (call != NULL)
        call_message(call, message);
}

static void on_down(void *context)
{
    struct dialin *dialin = context;
    size_t cursor = 0;
    struct call *call;
    metric_add(dialin->restarts, 1);
    trunks_down(dialin->trunks);
    while ((call = map_next(dialin->calls, &cursor)) != NULL) {
        call_why(call, "phone_down", 0);
        call_drop(call, false);
        cursor = 0;
    }
}

/* ---- beginning and end ---- */

static enum status numbers_take(struct dialin *dialin)
{
    const struct config_list *numbers = &dialin->config.numbers;
    dialin->numbers = calloc(MEETING_NUMBERS_MAX, sizeof *dialin->numbers);
    if (dialin->numbers == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < numbers->count && i < MEETING_NUMBERS_MAX; i++)
        dialin->numbers[dialin->number_count++] =
            (struct msg_number){.number = numbers->items[i], .language = ""};
    dialin->number_count =
        trunks_numbers(dialin->trunks, dialin->numbers, dialin->number_count, MEETING_NUMBERS_MAX);
    return STATUS_OK;
}

enum status dialin_new(const struct dialin_config *config, struct dialin **ret_dialin)
{
    struct dialin *dialin = calloc(1, sizeof *dialin);
    if (dialin == NULL)
        return STATUS_NO_MEMORY;
    dialin->config = *config;
    dialin->trunks = config->trunks;
    dialin->messages = calloc(BRIDGE_MESSAGES_MAX, sizeof *dialin->messages);
    enum status status = dialin->messages != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = map_new(&dialin->calls);
    if (status == STATUS_OK)
        status = map_new(&dialin->legs);
    if (status == STATUS_OK)
        status = map_new(&dialin->closing);
    if (status == STATUS_OK)
        status = arena_new(CALL_ARENA_MAX, &dialin->arena);
    if (status == STATUS_OK)
        status = pins_new(&dialin->pins);
    if (status == STATUS_OK)
        status = numbers_take(dialin);
    if (status != STATUS_OK) {
        dialin_free(dialin);
        return status;
    }
    struct metrics *metrics = config->metrics;
    dialin->received = metrics_counter(metrics, "parley_phone_calls_total", "", "Calls received.");
    dialin->refused = metrics_counter(metrics, "parley_phone_offers_refused_total", "",
                                      "Offers of telephones that could not be taken.");
    dialin->restarts = metrics_counter(metrics, "parley_phone_restarts_total", "",
                                       "Times the telephone process ended by itself.");
    *ret_dialin = dialin;
    return STATUS_OK;
}

/* Our IPv4 address as others see it, behind NAT: the first of media.addresses. */
static void outside_find(struct dialin *dialin)
{
    const struct config_list *addresses = &dialin->config.addresses;
    struct in_addr found;
    for (size_t i = 0; i < addresses->count; i++) {
        snprintf(dialin->outside, sizeof dialin->outside, "%.*s",
                 (int)strcspn(addresses->items[i], ":"), addresses->items[i]);
        if (inet_pton(AF_INET, dialin->outside, &found) == 1)
            return;
    }
    dialin->outside[0] = '\0';
}

static enum status settings_tell(struct dialin *dialin, size_t *ret_count)
{
    const struct dialin_config *config = &dialin->config;
    size_t count = 0, of_trunks = 0;
    if (config->allow.count + WIRE_TRANSPORTS + 1 > BRIDGE_MESSAGES_MAX)
        return STATUS_LIMIT;
    for (uint16_t i = 0; i < WIRE_TRANSPORTS; i++) {
        const char *folder = i == WIRE_TLS ? config->certificates : NULL;
        if (config->listen[i][0] != '\0')
            dialin->messages[count++] =
                (struct wire_message){.type = WIRE_LISTEN,
                                      .code = i,
                                      .fields = {[WIRE_ADDRESS] = config->listen[i],
                                                 [WIRE_FILE] = folder,
                                                 [WIRE_DOMAIN] = dialin->outside}};
    }
    for (size_t i = 0; i < config->allow.count; i++)
        dialin->messages[count++] = (struct wire_message){
            .type = WIRE_ALLOW, .fields = {[WIRE_ADDRESS] = config->allow.items[i]}};
    enum status status = trunks_messages(dialin->trunks, dialin->messages + count,
                                         BRIDGE_MESSAGES_MAX - count - 1, &of_trunks);
    if (status != STATUS_OK)
        return status;
    count += of_trunks;
    dialin->messages[count++] = (struct wire_message){.type = WIRE_START};
    *ret_count = count;
    return STATUS_OK;
}

enum status dialin_start(struct dialin *dialin, struct db *db, struct crew *crew,
                         struct meetings *meetings, struct media *media)
{
    struct bridge_config config = {.program = dialin->config.program,
                                   .messages = dialin->messages,
                                   .events = {.message = on_message, .down = on_down},
                                   .context = dialin};
    dialin->db = db;
    dialin->crew = crew;
    dialin->meetings = meetings;
    dialin->media = media;
    outside_find(dialin);
    enum status status = prompts_load(dialin->config.prompts, &dialin->prompts);
    if (status == STATUS_OK && dialin->prompts.missing > 0)
        log_event(LOG_PHONE, LOG_WARN, "prompts_missing", "count=%zu", dialin->prompts.missing);
    if (status == STATUS_OK)
        status = records_close_lost(db, clock_wall_ms());
    if (status == STATUS_OK)
        status = settings_tell(dialin, &config.message_count);
    if (status == STATUS_OK)
        status = bridge_new(&config, &dialin->bridge);
    return status;
}

void dialin_stop(struct dialin *dialin)
{
    if (dialin == NULL || dialin->bridge == NULL)
        return;
    bridge_stop(dialin->bridge);
    ledger_flush(dialin);
}

struct dialin *dialin_free(struct dialin *dialin)
{
    if (dialin == NULL)
        return NULL;
    size_t cursor = 0;
    struct call *call;
    while (dialin->calls != NULL && (call = map_next(dialin->calls, &cursor)) != NULL)
        call_free(call); /* media has closed the leg */
    bridge_free(dialin->bridge);
    prompts_end(&dialin->prompts);
    map_free(dialin->calls);
    map_free(dialin->legs);
    map_free(dialin->closing);
    arena_free(dialin->arena);
    pins_free(dialin->pins);
    free(dialin->messages);
    free(dialin->numbers);
    free(dialin);
    return NULL;
}

struct pins *dialin_pins(const struct dialin *dialin)
{
    return dialin->pins;
}
