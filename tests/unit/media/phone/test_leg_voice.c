/* A leg's voice as the room sees it: levels, who is heard, comfort noise. Browsers are raw peers.
 */
#include "tests/support/telephone.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOM = 7,
    TONE = 1000,          /* Hz */
    LOUD_MOST = 40,       /* -dBov: a caller's voice */
    NOISE_LEAST = 61,     /* -dBov: quieter than what the room takes for speech */
    HANGOVER_FRAMES = 20, /* after the last word */
    HANGOVER_LEAST = 5,   /* of them that are noise, besides the tail of the voice itself */
    HUM = 10,             /* amplitude of no voice */
    HUM_SAMPLES = 8000,
    MURMUR = 45, /* -dBov: those who talk, but quietly */
};

/* What came to a member of its voice slots, by the level it says. */
struct heard {
    size_t at; /* of member->received: looked at */
    size_t loud, noise, without;
};

static bool hear(struct heard *heard, struct member *member)
{
    for (; heard->at < member->received_count; heard->at++) {
        const struct received *received = &member->received[heard->at];
        struct rtp_element element;
        uint8_t level;
        bool voice;
        if (received->header.ssrc - member_base(member) - 100 >= SLOT_VOICES)
            continue;
        if (!rtp_element_find(received->bytes, &received->header, EXT_LEVEL, &element) ||
            !rtp_audio_level_read(&element, &level, &voice))
            heard->without++;
        else if (level <= LOUD_MOST)
            heard->loud++;
        else if (level >= NOISE_LEAST)
            heard->noise++;
    }
    return true;
}

/* A word, and comfort noise behind it that claims to be as loud as can be: it is heard softly for
 * the voice's hangover, is nobody who speaks, and then the room is silent. */
static void test_comfort_noise(void **state)
{
    (void)state;
    static const uint8_t loudest[] = {0, 1, 2};
    struct telephone *telephone = telephone_call(MEDIA_LEG_PCMU, NULL);
    struct member *member = member_join(ROOM);
    struct heard heard = {0};
    voices_want(member);
    telephone->tone = TONE;
    media_leg_join(stage.media, telephone->id, ROOM);
    TELEPHONES_UNTIL(hear(&heard, member) && heard.loud > 25);
    TELEPHONES_UNTIL(stage.speaker_count == 1 && stage.speakers[0] == telephone->id);
    telephone->tone = -1;
    telephone_send(telephone, telephone->fd, TELEPHONE_PAYLOAD_COMFORT, false, loudest,
                   sizeof loudest);
    TELEPHONES_UNTIL(hear(&heard, member) && heard.noise >= HANGOVER_LEAST);
    TELEPHONES_UNTIL(!telephone->talking);
    TELEPHONES_UNTIL(stage.speaker_count == 0);
    (void)hear(&heard, member);
    assert_in_range(heard.noise, HANGOVER_LEAST, HANGOVER_FRAMES);
    assert_int_equal(heard.without, 0);
}

/* When we fall silent, the telephone is told how that sounds. */
static void test_comfort_noise_sent(void **state)
{
    (void)state;
    struct telephone *first = telephone_call(MEDIA_LEG_PCMU, NULL);
    struct telephone *second = telephone_call(MEDIA_LEG_PCMA, NULL);
    second->tone = -1;
    first->tone = TONE;
    media_leg_join(stage.media, first->id, ROOM);
    media_leg_join(stage.media, second->id, ROOM);
    TELEPHONES_UNTIL(hearing_tone(&second->heard, TONE));
    assert_int_equal(second->comforts, 0);
    first->tone = -1;
    TELEPHONES_UNTIL(second->comforts == 1);
    assert_int_equal(second->comfort_level, 75);
}

/* Three murmur and have the room's lanes; a caller who speaks up is louder by what its packets say,
 * gets a lane, and is the first of the speakers. */
static void test_level_takes_a_lane(void **state)
{
    (void)state;
    struct telephone *telephone = telephone_call(MEDIA_LEG_PCMU, NULL);
    struct member *members[SLOT_VOICES];
    struct heard heard = {0};
    for (size_t i = 0; i < SLOT_VOICES; i++)
        members[i] = member_join(ROOM);
    voices_want(members[0]);
    telephone->tone = 0;
    media_leg_join(stage.media, telephone->id, ROOM);
    uint64_t next_ns = clock_mono_ns();
#define MURMURING                                                                                  \
    (clock_mono_ns() < next_ns ||                                                                  \
     (next_ns += 20 * CLOCK_NS_PER_MS, send_audio(members[0], MURMUR),                             \
      send_audio(members[1], MURMUR), send_audio(members[2], MURMUR), true))
    TELEPHONES_UNTIL(MURMURING && stage.speaker_count == SLOT_VOICES);
    for (size_t i = 0; i < SLOT_VOICES; i++)
        assert_int_not_equal(stage.speakers[i], telephone->id);
    telephone->tone = TONE;
    TELEPHONES_UNTIL(MURMURING && stage.speaker_count == SLOT_VOICES &&
                     stage.speakers[0] == telephone->id);
    TELEPHONES_UNTIL(MURMURING && hear(&heard, members[0]) && heard.loud > 10);
#undef MURMURING
}

/* Without the gate what is no voice is heard too; with it, nothing is sent for it. */
static void test_gate_optional(void **state)
{
    for (int ungated = 0; ungated <= 1; ungated++) {
        telephones_stage(0, 0);
        telephones_stage_open(false, ungated == 1);
        assert_int_equal(stage_open(state), 0);
        struct telephone *telephone = telephone_call(MEDIA_LEG_PCMU, NULL);
        struct member *member = member_join(ROOM);
        struct heard heard = {0};
        voices_want(member);
        telephone->tone = TONE;
        media_leg_join(stage.media, telephone->id, ROOM);
        TELEPHONES_UNTIL(hear(&heard, member) && heard.loud > 10);
        telephone->level = HUM;
        TELEPHONES_UNTIL(!telephone->talking);
        (void)hear(&heard, member);
        size_t before = heard.noise;
        uint32_t until = telephone->phase + HUM_SAMPLES;
        TELEPHONES_UNTIL(hear(&heard, member) && telephone->phase > until);
        assert_true(ungated == 1 ? heard.noise > before + 10 : heard.noise == before);
        telephones_tear_down(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_comfort_noise, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_comfort_noise_sent, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_level_takes_a_lane, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test(test_gate_optional),
    };
    return cmocka_run_group_tests_name("leg voice", tests, NULL, NULL);
}
