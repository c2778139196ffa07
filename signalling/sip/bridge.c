#include "signalling/sip/bridge.h"

#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BRIDGE_CHILD_SOCKET = 3,
    BRIDGE_END_MS = 2000, /* after this long it is killed */
    BRIDGE_GONE_MS = 50,  /* for one whose socket is closed: to hear how it ended */
    BRIDGE_POLL_MS = 10,
};

struct bridge {
    struct bridge_config config;
    struct loop *loop;
    pthread_t thread;
    bool started;
    struct wire_end end; /* fd -1: down */
    struct loop_watch *watch;
    struct loop_timer restart;
    uint64_t restart_ms;
    atomic_int pid;
};

static void bridge_start(void *context);

/* ---- the process ---- */

/* Only its socket and stderr; no environment but what a sanitizer is told by. */
static enum status process_spawn(const char *program, int socket, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    char *const arguments[] = {"parley-phone", NULL}, *const environment[] = {NULL};
    int failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    failed |= posix_spawn_file_actions_adddup2(&actions, 0, 1);
    failed |= posix_spawn_file_actions_adddup2(&actions, socket, BRIDGE_CHILD_SOCKET);
    failed |= posix_spawn_file_actions_addclosefrom_np(&actions, BRIDGE_CHILD_SOCKET + 1);
    if (failed == 0)
        failed = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed == 0 ? STATUS_OK : STATUS_IO;
}

/* How it ended, as waitpid says; it is killed after `patience_ms`. */
static int process_end(struct bridge *bridge, int patience_ms)
{
    int pid = atomic_exchange(&bridge->pid, 0), how = 0;
    for (int waited = 0; pid > 0 && waited < patience_ms; waited += BRIDGE_POLL_MS) {
        if (waitpid(pid, &how, WNOHANG) != 0)
            return how;
        nanosleep(&(struct timespec){.tv_nsec = BRIDGE_POLL_MS * 1000000L}, NULL);
    }
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &how, 0);
    }
    return how;
}

static void bridge_down(struct bridge *bridge, enum status why)
{
    bridge->watch = loop_fd_remove(bridge->watch);
    if (bridge->end.fd >= 0)
        close(bridge->end.fd);
    bridge->end.fd = -1;
    wire_end_clear(&bridge->end);
    int how = process_end(bridge, BRIDGE_GONE_MS);
    log_event(LOG_PHONE, LOG_WARN, "phone_down", "status=%s exit=%d signal=%d restart_ms=%d",
              status_name(why), WIFEXITED(how) ? WEXITSTATUS(how) : -1,
              WIFSIGNALED(how) ? WTERMSIG(how) : 0, (int)bridge->restart_ms);
    bridge->config.events.down(bridge->config.context);
    loop_timer_start(bridge->loop, &bridge->restart, bridge->restart_ms);
    bridge->restart_ms = bridge->restart_ms * 2 < BRIDGE_RESTART_MAX_MS ? bridge->restart_ms * 2
                                                                        : BRIDGE_RESTART_MAX_MS;
}

static void on_message(void *context, const struct wire_message *message)
{
    struct bridge *bridge = context;
    if (message->type == WIRE_READY)
        bridge->restart_ms = BRIDGE_RESTART_MS;
    bridge->config.events.message(bridge->config.context, message);
}

static void on_socket(void *context, uint32_t events)
{
    struct bridge *bridge = context;
    enum status status = STATUS_OK;
    if ((events & EPOLLOUT) != 0)
        status = wire_end_flush(&bridge->end);
    if (status == STATUS_OK)
        loop_fd_change(bridge->watch, EPOLLIN);
    if (status == STATUS_AGAIN || status == STATUS_OK)
        status = wire_end_read(&bridge->end, on_message, bridge);
    if (status != STATUS_OK)
        bridge_down(bridge, status);
}

static void say(struct bridge *bridge, const struct wire_message *message)
{
    enum status status = bridge->end.fd >= 0 ? wire_end_send(&bridge->end, message) : STATUS_CLOSED;
    if (bridge->end.fd >= 0 && status != STATUS_OK)
        log_event(LOG_PHONE, LOG_ERROR, "phone_not_told", "type=%d status=%s", message->type,
                  status_name(status));
    if (bridge->end.fd >= 0 && bridge->end.out_length > 0)
        loop_fd_change(bridge->watch, EPOLLIN | EPOLLOUT);
}

static void bridge_start(void *context)
{
    struct bridge *bridge = context;
    int pair[2];
    pid_t pid = 0;
    enum status status =
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ? STATUS_OK : STATUS_IO;
    if (status == STATUS_OK) {
        status = process_spawn(bridge->config.program, pair[1], &pid);
        close(pair[1]);
        bridge->end.fd = pair[0];
        atomic_store(&bridge->pid, pid);
    }
    if (status == STATUS_OK)
        status =
            loop_fd_add(bridge->loop, pair[0], EPOLLIN, "phone", on_socket, bridge, &bridge->watch);
    for (size_t i = 0; status == STATUS_OK && i < bridge->config.message_count; i++)
        say(bridge, &bridge->config.messages[i]);
    if (status != STATUS_OK)
        bridge_down(bridge, status);
}

/* ---- from other threads ---- */

struct letter {
    struct bridge *bridge;
    size_t length;
    uint8_t frame[];
};

static void letter_read(void *arg)
{
    struct letter *letter = arg;
    struct wire_message message;
    if (wire_parse(letter->frame, letter->length, &message) == STATUS_OK)
        say(letter->bridge, &message);
    free(letter);
}

void bridge_send(struct bridge *bridge, const struct wire_message *message)
{
    uint8_t frame[WIRE_FRAME_MAX];
    size_t length = 0;
    struct letter *letter = NULL;
    enum status status = wire_write(message, frame, sizeof frame, &length);
    if (status == STATUS_OK) {
        letter = malloc(sizeof *letter + length);
        status = letter != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK) {
        letter->bridge = bridge;
        letter->length = length;
        memcpy(letter->frame, frame, length);
        status = loop_post(bridge->loop, letter_read, letter);
    }
    if (status != STATUS_OK) {
        free(letter);
        log_event(LOG_PHONE, LOG_ERROR, "phone_not_told", "type=%d status=%s", message->type,
                  status_name(status));
    }
}

struct loop *bridge_loop(struct bridge *bridge)
{
    return bridge->loop;
}

int bridge_process(const struct bridge *bridge)
{
    return atomic_load(&bridge->pid);
}

/* ---- making ---- */

static void *bridge_main(void *arg)
{
    struct bridge *bridge = arg;
    bridge_start(bridge);
    loop_run(bridge->loop);
    return NULL;
}

enum status bridge_new(const struct bridge_config *config, struct bridge **ret_bridge)
{
    struct bridge *bridge = calloc(1, sizeof *bridge);
    if (bridge == NULL)
        return STATUS_NO_MEMORY;
    bridge->config = *config;
    bridge->end.fd = -1;
    bridge->restart_ms = BRIDGE_RESTART_MS;
    bridge->restart =
        (struct loop_timer){.name = "phone_restart", .fn = bridge_start, .context = bridge};
    enum status status = loop_new("phone", &bridge->loop);
    /* *ret_bridge before the thread: its callbacks may use it. */
    if (status == STATUS_OK) {
        *ret_bridge = bridge;
        bridge->started = pthread_create(&bridge->thread, NULL, bridge_main, bridge) == 0;
        status = bridge->started ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        *ret_bridge = NULL;
        bridge_free(bridge);
    }
    return status;
}

void bridge_stop(struct bridge *bridge)
{
    if (bridge->started) {
        loop_stop(bridge->loop);
        pthread_join(bridge->thread, NULL);
        bridge->started = false;
    }
    bridge->watch = loop_fd_remove(bridge->watch);
    if (bridge->end.fd >= 0)
        close(bridge->end.fd);
    bridge->end.fd = -1;
    process_end(bridge, BRIDGE_END_MS);
}

struct bridge *bridge_free(struct bridge *bridge)
{
    if (bridge == NULL)
        return NULL;
    bridge_stop(bridge);
    wire_end_clear(&bridge->end);
    loop_free(bridge->loop);
    free(bridge);
    return NULL;
}
