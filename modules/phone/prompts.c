#include "modules/phone/prompts.h"

#include "core/bytes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TAPS = 8, /* each side, of the slower rate */
    STEPS = 512,
    RATE_MIN = 8000,
    RATE_MAX = 48000
};

static const char *const files[] = {
#define PROMPT_FILE(name, file) [MENU_PROMPT_##name] = (file),
    MENU_PROMPT_LIST(PROMPT_FILE)
#undef PROMPT_FILE
};

const char *prompt_language_name(enum prompt_language language)
{
    static const char *const names[] = {"en", "zh-CN"};
    return names[language];
}

/* ---- WAV ---- */

static uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static uint16_t load_le16(const uint8_t *p)
{
    return (uint16_t)(p[1] << 8 | p[0]);
}

struct wav {
    uint16_t channels;
    uint32_t rate;
    const uint8_t *samples;
    size_t frames;
};

/* A chunk may say that it is longer than the file: programs that write into a pipe do not know. */
static bool wav_read(const uint8_t *bytes, size_t length, struct wav *wav)
{
    struct reader reader = reader_of(bytes, length);
    const uint8_t *head = reader_take(&reader, 12);
    *wav = (struct wav){0};
    if (head == NULL || memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WAVE", 4) != 0)
        return false;
    while (reader_left(&reader) >= 8) {
        const uint8_t *chunk = reader_take(&reader, 8);
        size_t size = load_le32(chunk + 4);
        size = size < reader_left(&reader) ? size : reader_left(&reader);
        const uint8_t *body = reader_take(&reader, size);
        if (memcmp(chunk, "fmt ", 4) == 0 && size >= 16) {
            wav->channels = load_le16(body + 2);
            wav->rate = load_le32(body + 4);
            if (load_le16(body) != 1 || load_le16(body + 14) != 16 || wav->channels < 1 ||
                wav->channels > 2 || wav->rate < RATE_MIN || wav->rate > RATE_MAX)
                return false;
        } else if (memcmp(chunk, "data", 4) == 0 && wav->channels > 0) {
            wav->samples = body;
            wav->frames = size / 2 / wav->channels;
            return wav->frames > 0;
        }
        if (size % 2 == 1 && reader_left(&reader) > 0)
            (void)reader_u8(&reader);
    }
    return false;
}

static double frame_at(const struct wav *wav, long at)
{
    if (at < 0 || (size_t)at >= wav->frames)
        return 0;
    const uint8_t *frame = wav->samples + (size_t)at * 2 * wav->channels;
    int sum = (int16_t)load_le16(frame);
    return wav->channels == 1 ? sum : (sum + (int16_t)load_le16(frame + 2)) / 2.0;
}

/* A windowed sinc, STEPS values from one zero to the next. */
static void window_make(float ret_window[TAPS * STEPS + 1])
{
    ret_window[0] = 1;
    for (size_t i = 1; i <= (size_t)TAPS * STEPS; i++) {
        double turn = M_PI * (double)i / STEPS;
        ret_window[i] = (float)(sin(turn) / turn * (0.5 + 0.5 * cos(turn / TAPS)));
    }
}

/* Cut off at the lower of the two rates. */
static int16_t resample_at(const struct wav *wav, const float *window, size_t index)
{
    double step = wav->rate / (double)PROMPT_RATE, cut = step > 1 ? 1 / step : 1;
    double place = (double)index * step, reach = TAPS / cut, sum = 0, weights = 0;
    for (long at = (long)ceil(place - reach); at <= (long)floor(place + reach); at++) {
        double weight = (double)window[(size_t)(fabs(place - (double)at) * cut * STEPS)];
        sum += weight * frame_at(wav, at);
        weights += weight;
    }
    double sample = sum / weights;
    return (int16_t)lrint(sample > 32767 ? 32767 : sample < -32768 ? -32768 : sample);
}

enum status prompt_decode(const uint8_t *bytes, size_t length, int16_t **ret_samples,
                          size_t *ret_count)
{
    struct wav wav;
    if (!wav_read(bytes, length, &wav))
        return STATUS_INVALID;
    size_t count = (size_t)((uint64_t)wav.frames * PROMPT_RATE / wav.rate);
    int16_t *samples = count > 0 ? malloc(count * sizeof *samples) : NULL;
    if (samples == NULL)
        return count > 0 ? STATUS_NO_MEMORY : STATUS_INVALID;
    float window[TAPS * STEPS + 1];
    window_make(window);
    for (size_t i = 0; i < count; i++)
        samples[i] = wav.rate == PROMPT_RATE ? (int16_t)lrint(frame_at(&wav, (long)i))
                                             : resample_at(&wav, window, i);
    *ret_samples = samples;
    *ret_count = count;
    return STATUS_OK;
}

/* ---- files ---- */

static enum status file_load(const char *path, struct media_prompt **ret_prompt)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return STATUS_NOT_FOUND;
    uint8_t *bytes = malloc(PROMPT_FILE_MAX);
    size_t length = bytes != NULL ? fread(bytes, 1, PROMPT_FILE_MAX, file) : 0, count = 0;
    int16_t *samples = NULL;
    fclose(file);
    enum status status =
        bytes != NULL ? prompt_decode(bytes, length, &samples, &count) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = media_prompt_new(samples, count, PROMPT_RATE, ret_prompt);
    free(samples);
    free(bytes);
    return status;
}

enum status prompts_load(const char *const *folders, struct prompts *ret_prompts)
{
    *ret_prompts = (struct prompts){0};
    for (size_t i = 0; i < (size_t)PROMPT_LANGUAGES * MENU_PROMPTS; i++) {
        enum prompt_language language = (enum prompt_language)(i / MENU_PROMPTS);
        enum menu_prompt prompt = (enum menu_prompt)(i % MENU_PROMPTS);
        struct media_prompt **loaded = &ret_prompts->recordings[language][prompt];
        for (const char *const *folder = folders; *folder != NULL && *loaded == NULL; folder++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s/%s.wav", *folder, prompt_language_name(language),
                     files[prompt]);
            if (file_load(path, loaded) == STATUS_NO_MEMORY) {
                prompts_end(ret_prompts);
                return STATUS_NO_MEMORY;
            }
        }
        ret_prompts->missing += *loaded == NULL;
    }
    return STATUS_OK;
}

void prompts_end(struct prompts *prompts)
{
    for (size_t language = 0; language < PROMPT_LANGUAGES; language++) {
        for (size_t prompt = 0; prompt < MENU_PROMPTS; prompt++)
            media_prompt_unref(prompts->recordings[language][prompt]);
    }
    *prompts = (struct prompts){0};
}
