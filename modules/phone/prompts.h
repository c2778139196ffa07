/*
 * modules/phone/prompts.h - the recordings of the voice menu: FOLDER/LANGUAGE/NAME.wav, as many
 * folders as wished, the first that has a file wins (the operator's, then those of the build).
 * WAV: PCM of 16 bit, one or two channels, 8 to 48 kHz.
 * Thread: loaded once, then constant.
 */
#ifndef MODULES_PHONE_PROMPTS_H
#define MODULES_PHONE_PROMPTS_H

#include "core/status.h"
#include "media/leg.h"
#include "modules/phone/menu.h"

enum prompt_language { PROMPT_EN, PROMPT_ZH_CN, PROMPT_LANGUAGES };

enum {
    PROMPT_FILE_MAX = 12 << 20, /* bytes: 120 s at 48 kHz */
    PROMPT_RATE = 16000,        /* Hz, what they become */
};

struct prompts {
    struct media_prompt *recordings[PROMPT_LANGUAGES][MENU_PROMPTS]; /* NULL: none, says nothing */
    size_t missing;
};

/* "en", "zh-CN" */
const char *prompt_language_name(enum prompt_language language);
/* `folders` ends with NULL. A file that is missing or no such WAV counts as missing; errors:
 * STATUS_NO_MEMORY. */
MUST_USE enum status prompts_load(const char *const *folders, struct prompts *ret_prompts);
void prompts_end(struct prompts *prompts);

/* Samples of a WAV as mono at PROMPT_RATE, malloc'ed for the caller. Errors: STATUS_INVALID,
 * STATUS_NO_MEMORY. */
MUST_USE enum status prompt_decode(const uint8_t *wav, size_t length, int16_t **ret_samples,
                                   size_t *ret_count);

#endif
