#include "signalling/gateway/space_feed.h"

#include "core/clock.h"
#include "core/handoff.h"
#include "core/log.h"
#include "modules/spaces/feed.h"
#include "modules/spaces/guests.h"
#include "signalling/gateway/space_people.h"
#include "storage/event.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEED_ARENA_MAX = 32 << 20, /* bytes of a page: FEED_PAGE_MAX of the longest messages, members */
    FEED_RETRY_MS = 250,       /* after the database failed */
    FEED_BEHIND_MAX = 64,      /* pages a session reads to come up with what is told just then */
};

struct space_feed {
    struct db *db;
    struct signed_in_list *list;
    struct handoff *wake; /* one entry: there is something new */
    struct arena *arena;
    pthread_t thread;
    bool running, listening;
    atomic_bool ending;
    int64_t told;
    int64_t greeted_ms; /* when people were told of last */
    struct metric *told_seconds;
};

/* ---- telling ---- */

static enum status tell(struct space_feed *feed, const struct feed_told *told)
{
    struct feed_event event = told->event;
    const struct feed_page page = {.items = {.items = &event, .count = 1}, .last = told->event.seq};
    struct gateway_payload *payload = NULL;
    if (told->count > 0) {
        const char *json = json_encode(&feed_page_table, &page, feed->arena);
        payload = json != NULL ? gateway_payload_new("space.events", json) : NULL;
        if (payload == NULL)
            return STATUS_NO_MEMORY;
    }
    signed_in_feed(feed->list, told->accounts, told->count, told->event.seq, payload);
    gateway_payload_unref(payload);
    feed->told = told->event.seq;
    if (told->count > 0)
        metric_observe(feed->told_seconds, (double)(clock_wall_ms() - told->event.created) / 1e3);
    return STATUS_OK;
}

/* Guests whose link, or space, does not let them be there any more are out. */
static enum status guests_see_out(struct space_feed *feed, const struct feed_event *event)
{
    static const char *const types[] = {"guest.removed", "link.removed", "space.updated",
                                        "space.deleted"};
    bool may_end = false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        may_end = may_end || strcmp(event->type, types[i]) == 0;
    if (!may_end || event->space == NULL)
        return STATUS_OK;
    struct json_list guests;
    enum status status = signed_in_guests(feed->list, event->space, feed->arena, &guests);
    const char *const *ids = guests.items;
    for (size_t i = 0; status == STATUS_OK && i < guests.count; i++) {
        struct spaces_guest guest;
        status = guests_check_id(feed->db, ids[i], clock_wall_ms(), feed->arena, &guest);
        if (status == STATUS_DENIED) {
            signed_in_ended(feed->list, ids[i], NULL, NULL);
            status = STATUS_OK;
        }
    }
    return status;
}

/* One page; again at once when there is more. */
static enum status turn(struct space_feed *feed, bool *ret_more)
{
    struct feed_news news = {.more = false};
    enum status status = feed_news(feed->db, feed->told, clock_wall_ms(), feed->arena, &news);
    for (size_t i = 0; status == STATUS_OK && i < news.count; i++) {
        status = guests_see_out(feed, &news.items[i].event);
        if (status == STATUS_OK)
            status = tell(feed, &news.items[i]);
    }
    *ret_more = news.more;
    arena_reset(feed->arena);
    return status;
}

/* Who comes and goes, not more often than they can be told together. */
static enum status greet(struct space_feed *feed, int64_t *ret_wait_ms)
{
    *ret_wait_ms = HANDOFF_FOREVER;
    if (feed->list->presence == NULL)
        return STATUS_OK;
    int64_t now_ms = (int64_t)(clock_mono_ns() / CLOCK_NS_PER_MS);
    int64_t early_ms = feed->greeted_ms + SPACE_PEOPLE_EVERY_MS - now_ms;
    if (early_ms > 0) {
        *ret_wait_ms = early_ms;
        return STATUS_OK;
    }
    feed->greeted_ms = now_ms;
    enum status status = space_people_turn(feed->db, feed->list, feed->arena, ret_wait_ms);
    arena_reset(feed->arena);
    return status;
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    return a_ms == HANDOFF_FOREVER || (b_ms != HANDOFF_FOREVER && b_ms < a_ms) ? b_ms : a_ms;
}

static void *feed_main(void *arg)
{
    struct space_feed *feed = arg;
    int64_t wait_ms = 0;
    while (!atomic_load(&feed->ending)) {
        void *entry;
        bool more = false;
        (void)!handoff_take(feed->wake, wait_ms, &entry);
        if (atomic_load(&feed->ending))
            break;
        enum status status = turn(feed, &more);
        enum status greeted = greet(feed, &wait_ms);
        if (status != STATUS_OK || greeted != STATUS_OK) {
            log_event(LOG_GATEWAY, LOG_ERROR, "events_not_told", "status=%s people=%s",
                      status_name(status), status_name(greeted));
            wait_ms = sooner(wait_ms, FEED_RETRY_MS);
        }
        if (more)
            wait_ms = 0;
    }
    return NULL;
}

/* Also when presence has something to tell. */
static void on_news(void *context)
{
    struct space_feed *feed = context;
    /* Full: it will look anyhow. */
    (void)!handoff_put(feed->wake, feed);
}

enum status space_feed_new(struct db *db, struct signed_in_list *list, struct metrics *metrics,
                           struct space_feed **ret_feed)
{
    static const double bounds[] = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
    struct space_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return STATUS_NO_MEMORY;
    feed->db = db;
    feed->list = list;
    atomic_init(&feed->ending, false);
    if (metrics != NULL)
        feed->told_seconds = metrics_histogram(metrics, "parley_events_told_seconds", "",
                                               "Time from an event to when it was handed to the "
                                               "sockets.",
                                               bounds, sizeof bounds / sizeof bounds[0]);
    enum status status = handoff_new(1, &feed->wake);
    if (status == STATUS_OK)
        status = arena_new(FEED_ARENA_MAX, &feed->arena);
    if (status == STATUS_OK)
        status = event_last(db, &feed->told);
    if (status == STATUS_OK)
        status = db_listen(db, DB_EVENTS, on_news, feed);
    feed->listening = status == STATUS_OK;
    if (status == STATUS_OK) {
        list->fed = feed->told;
        if (list->presence != NULL)
            presence_listen(list->presence, on_news, feed);
        feed->running = pthread_create(&feed->thread, NULL, feed_main, feed) == 0;
        status = feed->running ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        space_feed_free(feed);
        return status;
    }
    *ret_feed = feed;
    return STATUS_OK;
}

struct space_feed *space_feed_free(struct space_feed *feed)
{
    if (feed == NULL)
        return NULL;
    atomic_store(&feed->ending, true);
    if (feed->listening)
        (void)!db_listen(feed->db, DB_EVENTS, NULL, NULL);
    if (feed->list->presence != NULL)
        presence_listen(feed->list->presence, NULL, NULL);
    if (feed->running) {
        on_news(feed);
        pthread_join(feed->thread, NULL);
    }
    handoff_free(feed->wake);
    arena_free(feed->arena);
    free(feed);
    return NULL;
}

/* ---- the command ---- */

/* After the reply: what was told while the page was read comes as if it were told now. */
static void follow(struct call *call)
{
    const struct feed_page *page = call->page;
    int64_t after = page->last;
    for (int i = 0; i < FEED_BEHIND_MAX; i++) {
        if (signed_in_follow(call->commands->signed_in, call->signed_in, after))
            return;
        struct feed_page next;
        const char *json = NULL;
        enum status status =
            feed_list(call->commands->db, call->account, after, call->arena, &next);
        if (status == STATUS_OK)
            json = json_encode(&feed_page_table, &next, call->arena);
        if (json == NULL)
            break;
        if (next.items.count > 0)
            gateway_dispatch(call->session, "space.events", json);
        after = next.last;
    }
    gateway_end(call->session, "overflow", NULL);
}

enum status space_feed_events(struct call *call)
{
    const struct msg_space_events *wish = call->args;
    struct feed_page *page = arena_alloc(call->arena, sizeof *page);
    if (page == NULL)
        return STATUS_NO_MEMORY;
    signed_in_unfollow(call->commands->signed_in, call->signed_in);
    enum status status =
        feed_list(call->commands->db, call->account, wish->after, call->arena, page);
    if (status != STATUS_OK)
        return status;
    call->result = json_encode(&feed_page_table, page, call->arena);
    if (call->result == NULL)
        return STATUS_NO_MEMORY;
    call->page = page;
    if (!page->more)
        call->then = follow;
    return STATUS_OK;
}
