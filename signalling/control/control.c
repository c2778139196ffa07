#include "signalling/control/control.h"

#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONTROL_BACKLOG = 8, CONTROL_MODE = 0600 };

static const char socket_name[] = "control.sock";

struct control {
    const struct control_context *context;
    int folder, listener, stop; /* -1: not open */
    pthread_t thread;
    bool running;
};

/* ---- commands ---- */

static const struct control_table *const tables[] = {&control_meetings,    &control_keys,
                                                     &control_users,       &control_spaces,
                                                     &control_invitations, &control_calls};

const struct control_command *control_command_at(size_t index)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (index < tables[i]->count)
            return &tables[i]->commands[index];
        index -= tables[i]->count;
    }
    return NULL;
}

static const struct control_command *command_find(const char *name)
{
    const struct control_command *command;
    for (size_t i = 0; (command = control_command_at(i)) != NULL; i++) {
        if (name != NULL && strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

static enum status command_run(struct control_call *call, const struct json *request,
                               const struct control_command **ret_command, struct json_error *error)
{
    const struct control_command *command = command_find(json_get_text(request, "command"));
    if (command == NULL)
        return STATUS_UNSUPPORTED;
    void *args = arena_alloc(call->arena, command->args->size);
    if (args == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        json_decode(command->args, json_get_object(request, "args"), call->arena, args, error);
    call->args = args;
    if (status == STATUS_OK)
        status = command->run(call);
    *ret_command = command;
    return status;
}

const char *control_answer(const struct control_context *context, const char *request,
                           size_t length, struct arena *arena)
{
    struct control_call call = {.context = context, .arena = arena};
    const struct control_command *command = NULL;
    struct json *json = NULL;
    struct json_error error = {""};
    enum status status = json_parse(request, length, &json, &error);
    if (status == STATUS_OK)
        status = command_run(&call, json, &command, &error);
    json_free(json);
    if (status == STATUS_OK) {
        const char *result = json_encode(command->result, call.result, arena);
        return result != NULL ? arena_printf(arena, "{\"result\":%s}", result) : NULL;
    }
    const char *why = call.error != NULL ? call.error : error.text;
    const char *quoted = json_quote(why[0] != '\0' ? why : status_text(status), arena);
    return quoted != NULL ? arena_printf(arena, "{\"error\":%s,\"status\":\"%s\"}", quoted,
                                         status_name(status))
                          : NULL;
}

/* ---- lines ---- */

/* The folder may have a longer path than a socket address holds: it goes by its descriptor. */
static struct sockaddr_un address_of(int folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, socket_name);
    return address;
}

static void patience_set(int fd)
{
    const struct timeval patience = {.tv_sec = CONTROL_WAIT_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static enum status line_send(int fd, const char *text)
{
    const char *parts[] = {text, "\n"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t left = strlen(parts[i]); left > 0;) {
            ssize_t put = send(fd, parts[i] + strlen(parts[i]) - left, left, MSG_NOSIGNAL);
            if (put <= 0)
                return STATUS_IO;
            left -= (size_t)put;
        }
    }
    return STATUS_OK;
}

static enum status line_receive(int fd, struct arena *arena, const char **ret_line)
{
    size_t size = 4096, length = 0;
    char *line = arena_alloc(arena, size);
    while (line != NULL) {
        if (length + 1 == size) {
            char *larger = size < CONTROL_LINE_MAX ? arena_alloc(arena, size * 2) : NULL;
            if (larger == NULL)
                return STATUS_LIMIT;
            memcpy(larger, line, length);
            line = larger;
            size *= 2;
        }
        ssize_t got = recv(fd, line + length, size - length - 1, 0);
        if (got <= 0)
            return STATUS_IO;
        char *end = memchr(line + length, '\n', (size_t)got);
        length += (size_t)got;
        if (end != NULL) {
            *end = '\0';
            *ret_line = line;
            return STATUS_OK;
        }
    }
    return STATUS_NO_MEMORY;
}

/* ---- the server's end ---- */

static bool peer_may(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void serve_one(const struct control *control, int fd)
{
    struct arena *arena = NULL;
    const char *request = NULL, *reply = NULL;
    patience_set(fd);
    if (!peer_may(fd) || arena_new(CONTROL_ARENA_MAX, &arena) != STATUS_OK)
        return;
    enum status status = line_receive(fd, arena, &request);
    if (status == STATUS_OK)
        reply = control_answer(control->context, request, strlen(request), arena);
    if (reply != NULL)
        status = line_send(fd, reply);
    if (status != STATUS_OK)
        log_event(LOG_SERVER, LOG_INFO, "control_broken", "status=%s", status_name(status));
    arena_free(arena);
}

static void *control_main(void *arg)
{
    const struct control *control = arg;
    struct pollfd fds[] = {{.fd = control->listener, .events = POLLIN},
                           {.fd = control->stop, .events = POLLIN}};
    sigset_t all;
    sigfillset(&all); /* signals are main's */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (fds[1].revents == 0) {
        if (poll(fds, 2, -1) < 0 || fds[0].revents == 0)
            continue;
        int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        serve_one(control, fd);
        close(fd);
    }
    return NULL;
}

static enum status listener_open(struct control *control, const char *directory)
{
    control->folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    control->stop = eventfd(0, EFD_CLOEXEC);
    if (control->folder < 0 || control->listener < 0 || control->stop < 0)
        return STATUS_IO;
    struct sockaddr_un address = address_of(control->folder);
    /* Whoever left one is gone: this process has the database. The mode is there before the name.
     */
    (void)!unlinkat(control->folder, socket_name, 0);
    if (fchmod(control->listener, CONTROL_MODE) != 0 ||
        bind(control->listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(control->listener, CONTROL_BACKLOG) != 0)
        return STATUS_IO;
    return STATUS_OK;
}

enum status control_new(const char *directory, const struct control_context *context,
                        struct control **ret_control)
{
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL)
        return STATUS_NO_MEMORY;
    control->context = context;
    control->folder = control->listener = control->stop = -1;
    enum status status = listener_open(control, directory);
    if (status == STATUS_OK && pthread_create(&control->thread, NULL, control_main, control) != 0)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        control_free(control);
        return status;
    }
    control->running = true;
    *ret_control = control;
    return STATUS_OK;
}

struct control *control_free(struct control *control)
{
    if (control == NULL)
        return NULL;
    if (control->running) {
        eventfd_write(control->stop, 1);
        pthread_join(control->thread, NULL);
        (void)!unlinkat(control->folder, socket_name, 0);
    }
    const int fds[] = {control->folder, control->listener, control->stop};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    free(control);
    return NULL;
}

/* ---- the other end ---- */

static enum status ask_by(int folder, int fd, const char *request, struct arena *arena,
                          const char **ret_reply)
{
    struct sockaddr_un address = address_of(folder);
    patience_set(fd);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return errno == EACCES ? STATUS_DENIED : STATUS_NOT_FOUND;
    enum status status = line_send(fd, request);
    return status == STATUS_OK ? line_receive(fd, arena, ret_reply) : status;
}

enum status control_ask(const char *directory, const char *request, struct arena *arena,
                        const char **ret_reply)
{
    int folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return STATUS_NOT_FOUND;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    enum status status = STATUS_IO;
    if (fd >= 0)
        status = ask_by(folder, fd, request, arena, ret_reply);
    if (fd >= 0)
        close(fd);
    close(folder);
    return status;
}
