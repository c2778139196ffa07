/*
 * core/metrics.h - counters, gauges and histograms, printed as Prometheus text
 * (names parley_...). Updates are relaxed atomics, any thread, no lock.
 * Registration happens before threads start, or under the registry's lock.
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include "core/status.h"

#include <stdint.h>

struct metrics;
struct metric;

/* A gauge that is read when printed; called on the printing thread. */
typedef double metric_read_fn(void *context);

MUST_USE enum status metrics_new(struct metrics **ret_metrics);
struct metrics *metrics_free(struct metrics *metrics); /* accepts NULL, returns NULL */

/*
 * Names and helps are literals; labels is "" or `worker="0"` (copied). NULL without
 * memory; updating a NULL metric does nothing.
 */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *labels,
                               const char *help);
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *labels,
                             const char *help);
void metrics_gauge_read(struct metrics *metrics, const char *name, const char *labels,
                        const char *help, metric_read_fn *fn, void *context);
/* `bounds`: ascending upper bounds, a literal array; unit as the name says. */
struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *labels,
                                 const char *help, const double *bounds, uint32_t bound_count);

void metric_add(struct metric *metric, int64_t amount);
void metric_set(struct metric *metric, int64_t value);
void metric_observe(struct metric *metric, double value);

/* Text in malloc'ed memory for the caller to free; NULL without memory. */
char *metrics_print(struct metrics *metrics);

#endif
