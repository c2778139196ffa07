#include "media/sfu/allocation.h"

#include "media/sfu/layers.h"

enum {
    STEPS_MAX = MEDIA_RIDS_MAX * MEDIA_TEMPORAL_MAX,
    STEP_NONE = -1,
    TOLERANCE =
        16, /* what is held may pass the budget by 1/16: rates waver from second to second */
    SHARE_FIRST = 2, /* screen and speaker climb to 1/2 of the budget before a tile gets anything */
    CAMERA_LEVELS = 2, /* upper camera layers go down to half their frames, then to the layer below
                        */
};

/* One quality a slot can have; a slot's steps grow in quality and in cost. */
struct step {
    int8_t layer;
    uint8_t temporal;
    uint32_t rate;
};

struct ladder {
    struct step steps[STEPS_MAX];
    int count;
    int held;  /* step it had; STEP_NONE: paused, or nothing */
    int next;  /* step it may have now with headroom */
    int limit; /* step it may have now if there is plenty */
    int given;
};

struct sharing {
    const struct allocation_want *wants;
    struct ladder ladders[MEDIA_SLOTS_MAX];
    uint8_t order[MEDIA_SLOTS_MAX];
    size_t count;
    uint64_t left;
    uint64_t tolerance; /* of left, only for steps that are held */
    uint64_t plenty;    /* to be left by who takes several steps */
};

void allocation_init(struct allocation *allocation)
{
    *allocation = (struct allocation){.layer = MEDIA_RIDS_MAX - 1,
                                      .temporal = ALLOCATION_TEMPORAL_ALL,
                                      .fresh = true,
                                      .failed_layer = MEDIA_RIDS_MAX,
                                      .hold_ms = ALLOCATION_CLIMB_MS};
}

/* ---- what a slot could have ---- */

static uint32_t layer_rate(const struct allocation_want *want, size_t layer)
{
    if (layer < want->layer_count && want->layers[layer].bitrate != 0)
        return want->layers[layer].bitrate;
    return layer == 0 ? ALLOCATION_RATE_LOWEST
                      : layer_rate(want, layer - 1) * ALLOCATION_RATE_FACTOR;
}

/* A level that is better and no dearer replaces what is below it. */
static void step_add(struct ladder *ladder, int8_t layer, uint8_t temporal, uint32_t rate)
{
    while (ladder->count > 0 && ladder->steps[ladder->count - 1].rate >= rate)
        ladder->count--;
    ladder->steps[ladder->count++] =
        (struct step){.layer = layer, .temporal = temporal, .rate = rate};
}

static void layer_add(struct ladder *ladder, const struct allocation_want *want, size_t layer)
{
    const struct media_layer_info *info = layer < want->layer_count ? &want->layers[layer] : NULL;
    uint8_t levels = info == NULL || info->bitrate == 0 ? 0 : info->levels;
    uint8_t from = 0;
    if (ladder->count > 0 && want->kind != ALLOCATION_SCREEN && levels > CAMERA_LEVELS)
        from = (uint8_t)(levels - CAMERA_LEVELS);
    for (uint8_t level = from; level + 1 < levels; level++) {
        if (info->rates[level] != 0)
            step_add(ladder, (int8_t)layer, level, info->rates[level]);
    }
    step_add(ladder, (int8_t)layer, ALLOCATION_TEMPORAL_ALL, layer_rate(want, layer));
}

static void ladder_build(const struct allocation_want *want, struct ladder *ladder)
{
    ladder->count = 0;
    size_t layers = want->layer_count == 0 ? 1 : want->layer_count;
    for (size_t layer = 0; layer < layers; layer++) {
        bool active = layer < want->layer_count && want->layers[layer].active;
        if (layer >= want->absent_from && !active && ladder->count > 0)
            break;
        layer_add(ladder, want, layer);
        if (want->height != 0 && want->layer_count > 0 &&
            layers_height(want->layers, want->layer_count, layer) >= want->height)
            break;
    }
}

static bool step_within(const struct step *step, int8_t layer, uint8_t temporal)
{
    return step->layer < layer || (step->layer == layer && step->temporal <= temporal);
}

static int ladder_find(const struct ladder *ladder, const struct allocation *allocation)
{
    int found = STEP_NONE;
    for (int i = 0; allocation->layer != ALLOCATION_PAUSED && i < ladder->count; i++) {
        if (found == STEP_NONE ||
            step_within(&ladder->steps[i], allocation->layer, allocation->temporal))
            found = i;
    }
    return found;
}

static bool step_below(const struct step *step, const struct allocation *failed)
{
    return step->layer < failed->failed_layer ||
           (step->layer == failed->failed_layer && step->temporal < failed->failed_temporal);
}

/* A budget well above the one it failed at is another link. */
static bool allocation_holds(const struct allocation *allocation, uint32_t budget, uint64_t now_ms)
{
    return allocation->failed_layer != MEDIA_RIDS_MAX &&
           now_ms - allocation->failed_ms < allocation->hold_ms &&
           budget < allocation->failed_bps + (uint64_t)allocation->failed_bps / 2;
}

static void ladder_place(struct ladder *ladder, const struct allocation *allocation,
                         uint32_t budget, uint64_t now_ms)
{
    int top = ladder->count - 1;
    ladder->given = STEP_NONE;
    if (allocation->fresh) {
        ladder->held = STEP_NONE;
        ladder->next = ladder->limit = top;
        return;
    }
    ladder->held = ladder_find(ladder, allocation);
    ladder->limit = ladder->held;
    if (now_ms - allocation->changed_ms >= ALLOCATION_CLIMB_MS)
        ladder->limit = top;
    if (allocation_holds(allocation, budget, now_ms)) {
        while (ladder->limit > ladder->held &&
               !step_below(&ladder->steps[ladder->limit], allocation))
            ladder->limit--;
    }
    ladder->next = ladder->held < ladder->limit ? ladder->held + 1 : ladder->limit;
}

/* ---- sharing ---- */

static bool before(const struct allocation_want *left, const struct allocation_want *right)
{
    if (left->kind != right->kind)
        return left->kind < right->kind;
    return left->priority > right->priority;
}

static void sharing_order(struct sharing *sharing)
{
    for (size_t i = 0; i < sharing->count; i++) {
        size_t at = i;
        for (; at > 0 && before(&sharing->wants[i], &sharing->wants[sharing->order[at - 1]]); at--)
            sharing->order[at] = sharing->order[at - 1];
        sharing->order[at] = (uint8_t)i;
    }
}

/* What a step costs in the books: what is not held yet must fit with headroom. */
static uint64_t step_cost(const struct ladder *ladder, int step)
{
    if (step == STEP_NONE)
        return 0;
    uint64_t rate = ladder->steps[step].rate;
    return step <= ladder->held ? rate : rate + rate / ALLOCATION_HEADROOM;
}

/* Raises by one step when `room` bears it. */
static bool ladder_raise(struct sharing *sharing, struct ladder *ladder, uint64_t room)
{
    if (ladder->given >= ladder->limit)
        return false;
    uint64_t more = step_cost(ladder, ladder->given + 1) - step_cost(ladder, ladder->given);
    uint64_t reserve = ladder->given + 1 <= ladder->held ? 0 : sharing->tolerance;
    if (ladder->given + 1 > ladder->next)
        reserve += sharing->plenty;
    if (more > room || more + reserve > sharing->left)
        return false;
    ladder->given++;
    sharing->left -= more;
    return true;
}

static void share_voices(struct sharing *sharing)
{
    for (size_t i = 0; i < sharing->count; i++) {
        struct ladder *ladder = &sharing->ladders[i];
        if (sharing->wants[i].kind != ALLOCATION_VOICE)
            continue;
        ladder->given = ladder->limit = ladder->held = ladder->count - 1;
        uint64_t rate = ladder->steps[ladder->given].rate;
        sharing->left -= rate < sharing->left ? rate : sharing->left;
    }
}

/* The screen and the speaker: their floors, then up to a share that leaves the tiles something. */
static void share_first(struct sharing *sharing)
{
    uint64_t all = sharing->left;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sharing->count; i++) {
            struct ladder *ladder = &sharing->ladders[sharing->order[i]];
            uint8_t kind = sharing->wants[sharing->order[i]].kind;
            if (kind != ALLOCATION_SCREEN && kind != ALLOCATION_SPEAKER)
                continue;
            if (round == 0) {
                (void)ladder_raise(sharing, ladder, UINT64_MAX);
                continue;
            }
            for (bool raised = ladder->given != STEP_NONE; raised;) {
                uint64_t taken = all - sharing->left, share = all / SHARE_FIRST;
                raised = ladder_raise(sharing, ladder, share > taken ? share - taken : 0);
            }
        }
    }
}

/* The first tile that does not fit is paused, and all that are wanted less. */
static void share_floors(struct sharing *sharing)
{
    for (size_t i = 0; i < sharing->count; i++) {
        struct ladder *ladder = &sharing->ladders[sharing->order[i]];
        if (sharing->wants[sharing->order[i]].kind != ALLOCATION_TILE)
            continue;
        if (ladder->limit == STEP_NONE) {
            /* It waits for its time: nobody behind it takes what it is about to get. */
            uint64_t cost = step_cost(ladder, 0);
            if (cost + sharing->tolerance > sharing->left)
                return;
            sharing->left -= cost;
            continue;
        }
        if (!ladder_raise(sharing, ladder, UINT64_MAX))
            return;
    }
}

/* What is left: the screen, the speaker, then the tiles together, step by step. */
static void share_rest(struct sharing *sharing)
{
    for (size_t i = 0; i < sharing->count; i++) {
        struct ladder *ladder = &sharing->ladders[sharing->order[i]];
        bool first = sharing->wants[sharing->order[i]].kind != ALLOCATION_TILE;
        while (first && ladder->given != STEP_NONE && ladder_raise(sharing, ladder, UINT64_MAX))
            ;
    }
    for (bool raised = true; raised;) {
        raised = false;
        for (size_t i = 0; i < sharing->count; i++) {
            struct ladder *ladder = &sharing->ladders[sharing->order[i]];
            if (sharing->wants[sharing->order[i]].kind == ALLOCATION_TILE &&
                ladder->given != STEP_NONE)
                raised |= ladder_raise(sharing, ladder, UINT64_MAX);
        }
    }
}

/* An estimate grows by what is sent, and with every picture paused nothing is. */
static void share_trial(struct sharing *sharing)
{
    struct ladder *first = NULL;
    for (size_t i = 0; i < sharing->count; i++) {
        struct ladder *ladder = &sharing->ladders[sharing->order[i]];
        const struct allocation_want *want = &sharing->wants[sharing->order[i]];
        if (want->kind == ALLOCATION_VOICE)
            continue;
        if (!want->untried || ladder->given != STEP_NONE)
            return;
        if (first == NULL)
            first = ladder;
    }
    if (first != NULL)
        first->given = 0;
}

/* ---- the outcome ---- */

/* Once for a climb: what falls further with it has not been tried. */
static void allocation_fell(struct allocation *allocation, const struct step *from, uint64_t now_ms)
{
    if (!allocation->climbed)
        return;
    allocation->climbed = false;
    if (now_ms - allocation->climbed_ms >= ALLOCATION_LAST_MS) {
        allocation->failed_layer = MEDIA_RIDS_MAX;
        allocation->hold_ms = ALLOCATION_CLIMB_MS;
        return;
    }
    uint32_t hold_ms = allocation->hold_ms * 2U;
    allocation->hold_ms =
        (uint16_t)(hold_ms < ALLOCATION_HOLD_MAX_MS ? hold_ms : ALLOCATION_HOLD_MAX_MS);
    allocation->failed_layer = from->layer;
    allocation->failed_temporal = from->temporal;
    allocation->failed_bps = allocation->climbed_bps;
    allocation->failed_ms = now_ms;
}

static void allocation_rose(struct allocation *allocation, uint32_t budget, uint64_t now_ms)
{
    if (now_ms - allocation->failed_ms >= ALLOCATION_HOLD_MAX_MS + ALLOCATION_LAST_MS)
        allocation->hold_ms = ALLOCATION_CLIMB_MS;
    allocation->climbed = true;
    allocation->climbed_bps = budget;
    allocation->climbed_ms = now_ms;
}

static void allocation_take(struct allocation *allocation, const struct ladder *ladder,
                            uint32_t budget, uint64_t now_ms)
{
    bool fell = !allocation->fresh && ladder->given < ladder->held;
    bool rose = !allocation->fresh && ladder->given > ladder->held;
    if (fell)
        allocation_fell(allocation, &ladder->steps[ladder->held], now_ms);
    if (rose)
        allocation_rose(allocation, budget, now_ms);
    if (fell || rose || allocation->fresh)
        allocation->changed_ms = now_ms;
    allocation->fresh = false;
    allocation->limited = ladder->given < ladder->count - 1;
    allocation->layer = ALLOCATION_PAUSED;
    allocation->temporal = ALLOCATION_TEMPORAL_ALL;
    if (ladder->given != STEP_NONE) {
        allocation->layer = ladder->steps[ladder->given].layer;
        allocation->temporal = ladder->steps[ladder->given].temporal;
    }
}

struct allocation_result allocation_decide(uint32_t budget, const struct allocation_want *wants,
                                           struct allocation *allocations, size_t count,
                                           uint64_t now_ms)
{
    struct sharing sharing = {.wants = wants, .count = count};
    sharing.tolerance = budget == UINT32_MAX ? 0 : budget / TOLERANCE;
    sharing.plenty = budget == UINT32_MAX ? 0 : budget / ALLOCATION_PLENTY;
    sharing.left = budget == UINT32_MAX ? UINT64_MAX : budget + sharing.tolerance;
    for (size_t i = 0; i < count; i++) {
        ladder_build(&wants[i], &sharing.ladders[i]);
        ladder_place(&sharing.ladders[i], &allocations[i], budget, now_ms);
    }
    sharing_order(&sharing);
    share_voices(&sharing);
    share_first(&sharing);
    share_floors(&sharing);
    share_rest(&sharing);
    share_trial(&sharing);
    uint64_t used = 0, desired = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ladder *ladder = &sharing.ladders[i];
        if (ladder->given != STEP_NONE)
            used += ladder->steps[ladder->given].rate;
        uint64_t top = ladder->steps[ladder->count - 1].rate;
        bool voice = wants[i].kind == ALLOCATION_VOICE;
        desired += voice ? top : top + top / ALLOCATION_HEADROOM;
        allocation_take(&allocations[i], ladder, budget, now_ms);
    }
    return (struct allocation_result){
        .used = used < UINT32_MAX ? (uint32_t)used : UINT32_MAX,
        .desired = desired < UINT32_MAX ? (uint32_t)desired : UINT32_MAX,
    };
}
