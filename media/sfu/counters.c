#include "media/sfu/counters.h"

#include <stdio.h>

static struct metric *counter_new(struct metrics *metrics, uint8_t worker, const char *name,
                                  const char *label, const char *help)
{
    char labels[64];
    snprintf(labels, sizeof labels, "worker=\"%u\"%s%s", worker, label[0] != '\0' ? "," : "",
             label);
    return metrics_counter(metrics, name, labels, help);
}

static struct metric *gauge_new(struct metrics *metrics, uint8_t worker, const char *name,
                                const char *help)
{
    char labels[64];
    snprintf(labels, sizeof labels, "worker=\"%u\"", worker);
    return metrics_gauge(metrics, name, labels, help);
}

void counters_init(struct counters *counters, struct metrics *metrics, uint8_t worker)
{
    *counters = (struct counters){0};
    if (metrics == NULL)
        return;
#define COUNTERS_REGISTER(field, name, label, help)                                                \
    counters->metrics.field = counter_new(metrics, worker, name, label, help);
    COUNTERS_LIST(COUNTERS_REGISTER)
#undef COUNTERS_REGISTER
#define GAUGES_REGISTER(field, name, help)                                                         \
    counters->gauges.field = gauge_new(metrics, worker, name, help);
    GAUGES_LIST(GAUGES_REGISTER)
#undef GAUGES_REGISTER
}

static void publish(struct metric *metric, uint64_t now, uint64_t *published)
{
    if (now == *published)
        return;
    metric_add(metric, (int64_t)(now - *published));
    *published = now;
}

void counters_publish(struct counters *counters)
{
#define COUNTERS_PUBLISH(field, name, label, help)                                                 \
    publish(counters->metrics.field, counters->field, &counters->metrics.field##_published);
    COUNTERS_LIST(COUNTERS_PUBLISH)
#undef COUNTERS_PUBLISH
}
