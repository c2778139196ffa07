/* media/leg.c - what media/leg.h offers to other threads: checks, copies, letters. */
#include "media/leg.h"

#include "media/phone/leg.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAYLOAD_TYPE_MAX = 127,
    GAP_MAX_MS = 10000,
    EVENT_CLOCK_MIN = 8000,
    EVENT_CLOCK_MAX = 48000
};

uint8_t media_leg_worker(const struct media *media, uint64_t leg)
{
    return (uint8_t)(leg % media->worker_count);
}

static struct worker *worker_of(struct media *media, uint64_t leg)
{
    return media->workers[media_leg_worker(media, leg)];
}

/* ---- what is in range ---- */

static bool types_fit(uint8_t receive, uint8_t send)
{
    return receive <= PAYLOAD_TYPE_MAX && send <= PAYLOAD_TYPE_MAX;
}

static bool ptime_fits(uint8_t ptime_ms)
{
    return ptime_ms == 10 || ptime_ms == 20 || ptime_ms == 30 || ptime_ms == 40 || ptime_ms == 60;
}

static bool stream_fits(const struct media_leg_stream *stream)
{
    if (stream->format_count < 1 || stream->format_count > MEDIA_LEG_FORMATS_MAX ||
        stream->event_count > MEDIA_LEG_EVENTS_MAX || !ptime_fits(stream->ptime_ms))
        return false;
    for (size_t i = 0; i < stream->format_count; i++) {
        const struct media_leg_format *format = &stream->formats[i];
        if (format->codec > MEDIA_LEG_OPUS || !types_fit(format->receive, format->send))
            return false;
    }
    for (size_t i = 0; i < stream->event_count; i++) {
        const struct media_leg_event *event = &stream->events[i];
        if (!types_fit(event->receive, event->send) || event->clock < EVENT_CLOCK_MIN ||
            event->clock > EVENT_CLOCK_MAX)
            return false;
    }
    sa_family_t family = stream->remote.ss_family, rtcp = stream->remote_rtcp.ss_family;
    return (family == AF_INET || family == AF_INET6) &&
           (rtcp == 0 || rtcp == AF_INET || rtcp == AF_INET6);
}

static bool fingerprint_fits(const struct media_fingerprint *fingerprint)
{
    return (strcasecmp(fingerprint->algorithm, "sha-256") == 0 && fingerprint->length == 32) ||
           (strcasecmp(fingerprint->algorithm, "sha-384") == 0 && fingerprint->length == 48) ||
           (strcasecmp(fingerprint->algorithm, "sha-512") == 0 && fingerprint->length == 64);
}

static bool security_fits(const struct media_leg_security *security)
{
    switch (security->kind) {
    case MEDIA_LEG_PLAIN:
        return true;
    case MEDIA_LEG_SDES:
        return security->suite <= MEDIA_LEG_AEAD_AES_128_GCM;
    case MEDIA_LEG_DTLS:
        return fingerprint_fits(&security->fingerprint);
    }
    return false;
}

/* ---- letters ---- */

/* What must not be lost: a full mailbox is waited for. */
static void tell(struct media *media, uint64_t leg, letter_fn *fn, struct letter letter)
{
    letter.transport = leg;
    while (worker_post(worker_of(media, leg), fn, &letter) == STATUS_LIMIT)
        sched_yield();
}

static enum status post_copy(struct media *media, uint64_t leg, letter_fn *fn, const void *object,
                             size_t size)
{
    void *copy = malloc(size);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    memcpy(copy, object, size);
    const struct letter letter = {.transport = leg, .object = copy};
    enum status status = worker_post(worker_of(media, leg), fn, &letter);
    if (status != STATUS_OK) {
        explicit_bzero(copy, size);
        free(copy);
    }
    return status;
}

enum status media_leg_open(struct media *media, const struct media_leg_spec *spec)
{
    if (spec->id == 0 ||
        (spec->negotiated && (!stream_fits(&spec->stream) || !security_fits(&spec->security))))
        return STATUS_INVALID;
    return post_copy(media, spec->id, leg_on_open, spec, sizeof *spec);
}

enum status media_leg_update(struct media *media, uint64_t leg,
                             const struct media_leg_stream *stream,
                             const struct media_leg_security *security)
{
    struct leg_update update = {.stream = *stream, .rekey = security != NULL};
    if (!stream_fits(stream) || (security != NULL && !security_fits(security)))
        return STATUS_INVALID;
    if (security != NULL)
        update.security = *security;
    enum status status = post_copy(media, leg, leg_on_update, &update, sizeof update);
    explicit_bzero(&update.security, sizeof update.security);
    return status;
}

void media_leg_join(struct media *media, uint64_t leg, uint64_t room)
{
    tell(media, leg, leg_on_room, (struct letter){.room = room});
}

void media_leg_leave(struct media *media, uint64_t leg)
{
    tell(media, leg, leg_on_room, (struct letter){.room = 0});
}

void media_leg_mute(struct media *media, uint64_t leg, bool muted)
{
    tell(media, leg, leg_on_mute, (struct letter){.on = muted});
}

void media_leg_gain(struct media *media, uint64_t leg, int8_t gain_db)
{
    if (gain_db > MEDIA_LEG_GAIN_MAX_DB)
        gain_db = MEDIA_LEG_GAIN_MAX_DB;
    if (gain_db < -MEDIA_LEG_GAIN_MAX_DB)
        gain_db = -MEDIA_LEG_GAIN_MAX_DB;
    tell(media, leg, leg_on_gain, (struct letter){.lane = gain_db});
}

void media_leg_close(struct media *media, uint64_t leg)
{
    tell(media, leg, leg_on_close, (struct letter){.layer = MEDIA_LEG_ENDED});
}

void media_leg_play(struct media *media, uint64_t leg, struct media_prompt *prompt, uint16_t gap_ms)
{
    const struct leg_prompt play = {.prompt = media_prompt_ref(prompt),
                                    .gap_ms = gap_ms > GAP_MAX_MS ? GAP_MAX_MS : gap_ms};
    enum status status;
    while ((status = post_copy(media, leg, leg_on_play, &play, sizeof play)) == STATUS_LIMIT)
        sched_yield();
    if (status != STATUS_OK)
        media_prompt_unref(prompt);
}

void media_leg_stop(struct media *media, uint64_t leg)
{
    tell(media, leg, leg_on_stop, (struct letter){.on = false});
}
