/*
 * Offers: parsed, written, parsed again, and answered in the three roles, afresh and as
 * the continuation of what the same offer made before.
 */
#include "signalling/sdp/answer.h"
#include "signalling/sdp/sdp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum { ARENA_MAX = 4 << 20 };

static const struct media_local local = {
    .fingerprint = "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
                   "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
    .candidates = {{.address = "192.0.2.1", .port = 10000, .priority = 1, .foundation = "1"}},
    .candidate_count = 1,
};

static void require(bool held)
{
    if (!held)
        abort();
}

/* What we write, we read. */
static void round_trip(struct arena *arena, const char *text, size_t length)
{
    struct desc desc, again;
    struct desc_error error;
    const char *written;
    if (desc_parse(text, length, arena, &desc, &error) != STATUS_OK ||
        desc_print(&desc, arena, &written) != STATUS_OK)
        return;
    enum status status = desc_parse(written, strlen(written), arena, &again, &error);
    /* Capitals, defaults and separators may make it longer than is read. */
    require(status == STATUS_OK || status == STATUS_NO_MEMORY || status == STATUS_LIMIT);
    require(status != STATUS_OK || again.media_count == desc.media_count);
}

static void check_answer(struct arena *arena, const char *answer,
                         const struct media_transport_spec *spec)
{
    struct desc desc;
    struct desc_error error;
    enum status status = desc_parse(answer, strlen(answer), arena, &desc, &error);
    require(status != STATUS_INVALID);
    if (status != STATUS_OK)
        return;
    size_t lines = 0;
    for (size_t i = 0; i < desc.media_count; i++)
        lines += desc.media[i].port != 0;
    require(lines >= spec->track_count + spec->slot_count);
    require(spec->track_count <= MEDIA_TRACKS_MAX && spec->slot_count <= MEDIA_SLOTS_MAX);
    for (size_t i = 0; i < spec->slot_count; i++)
        require(spec->slots[i].ssrc != 0 && spec->slots[i].payload_count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct media_transport_spec specs[2];
    struct arena *arena;
    const char *text = (const char *)data;
    if (arena_new(ARENA_MAX, &arena) != STATUS_OK)
        return 0;
    round_trip(arena, text, length);
    for (enum answer_role role = ANSWER_CALL; role <= ANSWER_PLAY; role++) {
        struct answer_source source = {"1", MEDIA_SOURCE_SCREEN};
        struct answer_config config = {.role = role,
                                       .local = &local,
                                       .sources = &source,
                                       .source_count = length & 1,
                                       .transport_id = 1};
        struct answer_error error;
        enum answer_change change;
        const char *answer;
        arena_reset(arena);
        for (int round = 0; round < 2; round++) {
            config.previous = round == 0 ? NULL : &specs[0];
            if (answer_make(text, length, &config, arena, &specs[round], &change, &answer,
                            &error) != STATUS_OK)
                break;
            check_answer(arena, answer, &specs[round]);
            require(change == (round == 0 ? ANSWER_NEW : ANSWER_SAME));
            require(round == 0 ||
                    memcmp(&specs[0], &specs[1], media_transport_spec_size(&specs[0])) == 0);
        }
    }
    arena_free(arena);
    return 0;
}
