/*
 * The control socket: who may, what is asked and answered, and that it leaves nothing behind.
 */
#include "signalling/control/control.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct control_context context;
    struct control *control;
    struct arena *arena;
};

static void stage_begin(struct stage *stage)
{
    memset(stage, 0, sizeof *stage);
    scratch_make(stage->folder);
    stage->context.db = scratch_db(stage->folder, 1);
    assert_int_equal(arena_new(CONTROL_ARENA_MAX, &stage->arena), STATUS_OK);
    assert_int_equal(control_new(stage->folder, &stage->context, &stage->control), STATUS_OK);
}

static void stage_end(struct stage *stage)
{
    control_free(stage->control);
    assert_int_not_equal(access(scratch_file(stage->folder, "control.sock"), F_OK), 0);
    db_close(stage->context.db);
    arena_free(stage->arena);
    scratch_remove(stage->folder);
}

static void expect(struct stage *stage, const char *request, const char *part)
{
    const char *reply = NULL;
    assert_int_equal(control_ask(stage->folder, request, stage->arena, &reply), STATUS_OK);
    if (strstr(reply, part) == NULL)
        fail_msg("%s: %s, not %s", request, reply, part);
}

static void test_asks_and_answers(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    expect(&stage, "{\"command\":\"meeting create\",\"args\":{\"id\":\"one\"}}",
           "\"link\":\"/m/one\"");
    assert_int_equal(scratch_count(stage.context.db, "SELECT count(*) FROM meeting"), 1);
    expect(&stage, "{\"command\":\"meeting create\",\"args\":{\"id\":\"one\"}}", "\"EXISTS\"");
    expect(&stage, "{\"command\":\"meeting create\",\"args\":{\"ids\":\"one\"}}",
           "d.ids: unknown field");
    expect(&stage, "{\"command\":\"meeting create\"}", "\"token\":");
    expect(&stage, "{\"command\":\"meeting create\",\"args\":{\"name\":\"Daily\"}}", "\"pin\":");
    expect(&stage, "{\"command\":\"key rotate\"}",
           "{\"result\":{\"master\":2,\"rewrapped\":1,\"left\":0}}");
    expect(&stage, "{\"command\":\"meeting\"}", "\"UNSUPPORTED\"");
    expect(&stage, "{}", "\"UNSUPPORTED\"");
    expect(&stage, "[", "\"INVALID\"");
    stage_end(&stage);
}

/* Other users of the machine cannot even connect. */
static void test_is_its_owners(void **state)
{
    (void)state;
    struct stage stage;
    struct stat found;
    stage_begin(&stage);
    assert_int_equal(stat(scratch_file(stage.folder, "control.sock"), &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 0777, 0600);
    stage_end(&stage);
}

/* A killed server leaves its socket: nobody answers there, and the next server takes its place. */
static void test_after_a_killed_server(void **state)
{
    (void)state;
    struct stage stage;
    const char *reply = NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    stage_begin(&stage);
    stage.control = control_free(stage.control);
    assert_int_equal(control_ask(stage.folder, "{}", stage.arena, &reply), STATUS_NOT_FOUND);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(dead >= 0);
    const char *path = scratch_file(stage.folder, "control.sock");
    assert_in_range(strlen(path), 1, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
    close(dead);
    assert_int_equal(control_ask(stage.folder, "{}", stage.arena, &reply), STATUS_NOT_FOUND);
    assert_int_equal(control_new(stage.folder, &stage.context, &stage.control), STATUS_OK);
    expect(&stage, "{}", "\"UNSUPPORTED\"");
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_and_answers),
        cmocka_unit_test(test_is_its_owners),
        cmocka_unit_test(test_after_a_killed_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
