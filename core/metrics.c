#include "core/metrics.h"

#include "core/lock.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRIC_BOUNDS_MAX = 24 };

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_READ, METRIC_HISTOGRAM };

struct metric {
    struct metric *next;
    enum metric_kind kind;
    const char *name, *help;
    _Atomic int64_t value;
    metric_read_fn *read;
    void *context;
    const double *bounds;
    uint32_t bound_count;
    _Atomic uint64_t buckets[METRIC_BOUNDS_MAX + 1];
    _Atomic double sum;
    char labels[];
};

struct metrics {
    struct lock lock; /* of the list; values are atomics */
    struct metric *first, *last;
};

enum status metrics_new(struct metrics **ret_metrics)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL)
        return STATUS_NO_MEMORY;
    if (lock_init(&metrics->lock) != STATUS_OK) {
        free(metrics);
        return STATUS_NO_MEMORY;
    }
    *ret_metrics = metrics;
    return STATUS_OK;
}

struct metrics *metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return NULL;
    while (metrics->first != NULL) {
        struct metric *next = metrics->first->next;
        free(metrics->first);
        metrics->first = next;
    }
    lock_fini(&metrics->lock);
    free(metrics);
    return NULL;
}

static struct metric *metric_new(struct metrics *metrics, enum metric_kind kind, const char *name,
                                 const char *labels, const char *help)
{
    size_t size = strlen(labels) + 1;
    struct metric *metric = metrics != NULL ? calloc(1, sizeof *metric + size) : NULL;
    if (metric == NULL)
        return NULL;
    metric->kind = kind;
    metric->name = name;
    metric->help = help;
    memcpy(metric->labels, labels, size);
    return metric;
}

/* After those of the same name, so that they are printed together. */
static struct metric *metric_link(struct metrics *metrics, struct metric *metric)
{
    if (metric == NULL)
        return NULL;
    lock_take(&metrics->lock);
    struct metric *after = metrics->last;
    for (struct metric *other = metrics->first; other != NULL; other = other->next) {
        if (strcmp(other->name, metric->name) == 0)
            after = other;
    }
    metric->next = after != NULL ? after->next : NULL;
    if (after != NULL)
        after->next = metric;
    else
        metrics->first = metric;
    if (metric->next == NULL)
        metrics->last = metric;
    lock_give(&metrics->lock);
    return metric;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *labels,
                               const char *help)
{
    return metric_link(metrics, metric_new(metrics, METRIC_COUNTER, name, labels, help));
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *labels,
                             const char *help)
{
    return metric_link(metrics, metric_new(metrics, METRIC_GAUGE, name, labels, help));
}

void metrics_gauge_read(struct metrics *metrics, const char *name, const char *labels,
                        const char *help, metric_read_fn *fn, void *context)
{
    struct metric *metric = metric_new(metrics, METRIC_READ, name, labels, help);
    if (metric != NULL) {
        metric->read = fn;
        metric->context = context;
    }
    metric_link(metrics, metric);
}

struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *labels,
                                 const char *help, const double *bounds, uint32_t bound_count)
{
    assert(bound_count <= METRIC_BOUNDS_MAX);
    struct metric *metric = metric_new(metrics, METRIC_HISTOGRAM, name, labels, help);
    if (metric != NULL) {
        metric->bounds = bounds;
        metric->bound_count = bound_count;
    }
    return metric_link(metrics, metric);
}

void metric_add(struct metric *metric, int64_t amount)
{
    if (metric != NULL)
        atomic_fetch_add_explicit(&metric->value, amount, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    if (metric != NULL)
        atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metric_observe(struct metric *metric, double value)
{
    if (metric == NULL || isnan(value))
        return; /* one NaN would make the sum useless for ever */
    uint32_t bucket = 0;
    while (bucket < metric->bound_count && value > metric->bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    double sum = atomic_load_explicit(&metric->sum, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&metric->sum, &sum, sum + value,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

static void histogram_print(struct metric *metric, FILE *stream)
{
    const char *comma = metric->labels[0] != '\0' ? "," : "";
    uint64_t count = 0;
    for (uint32_t i = 0; i <= metric->bound_count; i++) {
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        char bound[32] = "+Inf";
        if (i < metric->bound_count)
            snprintf(bound, sizeof bound, "%g", metric->bounds[i]);
        fprintf(stream, "%s_bucket{%s%sle=\"%s\"} %llu\n", metric->name, metric->labels, comma,
                bound, (unsigned long long)count);
    }
    const char *open = metric->labels[0] != '\0' ? "{" : "";
    const char *close = metric->labels[0] != '\0' ? "}" : "";
    double sum = atomic_load_explicit(&metric->sum, memory_order_relaxed);
    fprintf(stream, "%s_sum%s%s%s %.15g\n%s_count%s%s%s %llu\n", metric->name, open, metric->labels,
            close, sum, metric->name, open, metric->labels, close, (unsigned long long)count);
}

static void metric_print(struct metric *metric, FILE *stream)
{
    if (metric->kind == METRIC_HISTOGRAM) {
        histogram_print(metric, stream);
        return;
    }
    fprintf(stream, metric->labels[0] != '\0' ? "%s{%s} " : "%s%s ", metric->name, metric->labels);
    if (metric->kind == METRIC_READ)
        fprintf(stream, "%.15g\n", metric->read(metric->context));
    else
        fprintf(stream, "%lld\n",
                (long long)atomic_load_explicit(&metric->value, memory_order_relaxed));
}

char *metrics_print(struct metrics *metrics)
{
    static const char *const types[] = {"counter", "gauge", "gauge", "histogram"};
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL)
        return NULL;
    lock_take(&metrics->lock);
    const char *name = "";
    for (struct metric *metric = metrics->first; metric != NULL; metric = metric->next) {
        if (strcmp(name, metric->name) != 0)
            fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
                    metric->name, types[metric->kind]);
        name = metric->name;
        metric_print(metric, stream);
    }
    lock_give(&metrics->lock);
    bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
