#include "modules/chat/chat.h"

#include "modules/meetings/registry.h"
#include "storage/event.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 8 << 20 };
static const int64_t NOW = 1764000000000;

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
    struct registry_participant_created host, ada, bob, waiting;
    struct chat_message message; /* of the last call */
    bool changed;
};

static struct registry_participant_created join(struct db *db, const char *name,
                                                enum registry_role role, bool admitted)
{
    struct registry_participant_created created;
    struct registry_participant_spec spec = {
        .meeting = "standup", .name = name, .role = role, .admitted = admitted};
    assert_int_equal(registry_participant_new(db, &spec, NOW, &created), STATUS_OK);
    return created;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    scratch_make(fixture->path);
    fixture->db = scratch_db(fixture->path, 1);
    assert_int_equal(arena_new(ARENA_BYTES, &fixture->arena), STATUS_OK);
    struct registry_meeting_created created;
    for (int i = 0; i < 2; i++) {
        struct registry_meeting_new meeting = {.id = i ? "other" : "standup"};
        assert_int_equal(registry_create(fixture->db, &meeting, NOW, &created), STATUS_OK);
    }
    fixture->host = join(fixture->db, "Host", REGISTRY_HOST, true);
    fixture->ada = join(fixture->db, "Ada", REGISTRY_PARTICIPANT, true);
    fixture->bob = join(fixture->db, "Bob", REGISTRY_PARTICIPANT, true);
    fixture->waiting = join(fixture->db, "Eve", REGISTRY_PARTICIPANT, false);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    db_close(fixture->db);
    scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    db_close(fixture->db);
    fixture->db = scratch_db(fixture->path, 1);
}

static enum status post(struct fixture *fixture, const struct chat_post *post)
{
    return chat_send(fixture->db, post, NOW, fixture->arena, &fixture->message, &fixture->changed);
}

/* Ada says it; its id. */
static const char *say(struct fixture *fixture, const char *text)
{
    static int count;
    char nonce[16];
    snprintf(nonce, sizeof nonce, "say-%d", count++);
    struct chat_post message = {.meeting = "standup",
                                .author = fixture->ada.id,
                                .author_name = "Ada",
                                .text = text,
                                .nonce = nonce};
    assert_int_equal(post(fixture, &message), STATUS_OK);
    assert_true(fixture->changed);
    return fixture->message.id;
}

static enum status edit(struct fixture *fixture, const char *who, const char *id, const char *text)
{
    struct chat_target target = {.meeting = "standup", .id = id, .participant = who};
    return chat_edit(fixture->db, &target, text, NOW + 1, fixture->arena, &fixture->message,
                     &fixture->changed);
}

static enum status erase(struct fixture *fixture, const char *who, const char *id)
{
    struct chat_target target = {.meeting = "standup", .id = id, .participant = who};
    return chat_delete(fixture->db, &target, NOW + 2, fixture->arena, &fixture->message,
                       &fixture->changed);
}

static enum status react(struct fixture *fixture, const char *who, const char *id,
                         const char *emoji, bool on)
{
    struct chat_target target = {.meeting = "standup", .id = id, .participant = who};
    return chat_react(fixture->db, &target, emoji, on, NOW + 3, fixture->arena, &fixture->message,
                      &fixture->changed);
}

static struct chat_page recent(struct fixture *fixture)
{
    struct chat_page page = {0};
    assert_int_equal(chat_recent(fixture->db, "standup", fixture->arena, &page), STATUS_OK);
    return page;
}

static const struct chat_message *at(const struct chat_page *page, size_t index)
{
    assert_in_range(index, 0, page->messages.count - 1);
    return (const struct chat_message *)page->messages.items + index;
}

/* How many chat events the meeting has, and the payload of the last. */
static size_t chat_events(struct fixture *fixture, const char *type, const char **ret_payload)
{
    struct event_list list;
    size_t count = 0;
    assert_int_equal(event_list(fixture->db, "standup", 0, fixture->arena, &list), STATUS_OK);
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.items[i].type, type) == 0) {
            count++;
            *ret_payload = list.items[i].payload;
        }
    }
    return count;
}

/* ---- sending ---- */

static void test_send(void **state)
{
    struct fixture *fixture = *state;
    const char *payload = NULL;
    const char *first = say(fixture, "hello\n\t**\u4e0a\u6d77** \U0001F44D");
    struct chat_post reply = {.meeting = "standup",
                              .author = fixture->bob.id,
                              .author_name = "Bob",
                              .text = "hi",
                              .reply_to = first,
                              .nonce = "n"};
    assert_int_equal(post(fixture, &reply), STATUS_OK);
    assert_true(strtoll(fixture->message.id, NULL, 10) > strtoll(first, NULL, 10));
    reopen(fixture);
    struct chat_page page = recent(fixture);
    assert_int_equal(page.messages.count, 2);
    assert_false(page.more);
    assert_string_equal(at(&page, 0)->id, first);
    assert_string_equal(at(&page, 0)->author, fixture->ada.id);
    assert_string_equal(at(&page, 0)->author_name, "Ada");
    assert_string_equal(at(&page, 0)->text, "hello\n\t**\u4e0a\u6d77** \U0001F44D");
    assert_null(at(&page, 0)->reply_to);
    assert_int_equal(at(&page, 0)->created, NOW);
    assert_int_equal(at(&page, 0)->edited, 0);
    assert_int_equal(at(&page, 0)->deleted, 0);
    assert_int_equal(at(&page, 0)->reactions.count, 0);
    assert_string_equal(at(&page, 1)->reply_to, first);
    assert_int_equal(chat_events(fixture, "chat.message", &payload), 2);
    assert_non_null(strstr(payload, at(&page, 1)->id));
    assert_int_equal(chat_recent(fixture->db, "other", fixture->arena, &page), STATUS_OK);
    assert_int_equal(page.messages.count, 0);
}

static void test_same_nonce_is_same_message(void **state)
{
    struct fixture *fixture = *state;
    const char *payload = NULL;
    struct chat_post message = {.meeting = "standup",
                                .author = fixture->ada.id,
                                .author_name = "Ada",
                                .text = "once",
                                .nonce = "n"};
    assert_int_equal(post(fixture, &message), STATUS_OK);
    const char *id = fixture->message.id;
    assert_true(fixture->changed);
    assert_int_equal(edit(fixture, fixture->ada.id, id, "once, edited"), STATUS_OK);
    message.text = "again";
    assert_int_equal(post(fixture, &message), STATUS_OK);
    assert_false(fixture->changed);
    assert_string_equal(fixture->message.id, id);
    assert_string_equal(fixture->message.text, "once, edited");
    assert_int_equal(chat_events(fixture, "chat.message", &payload), 1);
    /* Another author's nonce of the same name is another message. */
    message.author = fixture->bob.id;
    assert_int_equal(post(fixture, &message), STATUS_OK);
    assert_true(fixture->changed);
    assert_string_not_equal(fixture->message.id, id);
    /* What was acknowledged stays so after the author is gone and the meeting over. */
    message.author = fixture->ada.id;
    assert_int_equal(registry_participant_remove(fixture->db, "standup", fixture->ada.id, NOW),
                     STATUS_OK);
    assert_int_equal(registry_end(fixture->db, "standup", NOW), STATUS_OK);
    assert_int_equal(post(fixture, &message), STATUS_OK);
    assert_string_equal(fixture->message.id, id);
    assert_int_equal(recent(fixture).messages.count, 2);
}

static void test_send_refuses(void **state)
{
    struct fixture *fixture = *state;
    const struct chat_post good = {.meeting = "standup",
                                   .author = fixture->ada.id,
                                   .author_name = "Ada",
                                   .text = "x",
                                   .nonce = "n"};
    struct chat_post bad = good;
    char *text = calloc(1, CHAT_TEXT_MAX + 2);
    assert_non_null(text);
    memset(text, 'x', CHAT_TEXT_MAX + 1);
    static const char *const texts[] = {"", "\xff", "bell\a", "\x7f"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bad.text = texts[i];
        assert_int_equal(post(fixture, &bad), STATUS_INVALID);
    }
    bad.text = text;
    assert_int_equal(post(fixture, &bad), STATUS_INVALID);
    bad = good;
    bad.nonce = "";
    assert_int_equal(post(fixture, &bad), STATUS_INVALID);
    text[CHAT_NONCE_MAX + 1] = '\0';
    bad.nonce = text;
    assert_int_equal(post(fixture, &bad), STATUS_INVALID);
    free(text);
    static const char *const replies[] = {
        "0", "1", "99", "-1", "01", "1x", "9223372036854775808", "99999999999999999999"};
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        bad = good;
        bad.reply_to = replies[i];
        assert_int_equal(post(fixture, &bad), STATUS_INVALID);
    }
    bad = good;
    bad.author = fixture->waiting.id;
    assert_int_equal(post(fixture, &bad), STATUS_DENIED);
    bad.author = "nobody";
    assert_int_equal(post(fixture, &bad), STATUS_DENIED);
    bad = good;
    bad.meeting = "other";
    assert_int_equal(post(fixture, &bad), STATUS_DENIED);
    bad.meeting = "nowhere";
    assert_int_equal(post(fixture, &bad), STATUS_NOT_FOUND);
    bad = good;
    assert_int_equal(registry_end(fixture->db, "standup", NOW), STATUS_OK);
    assert_int_equal(post(fixture, &bad), STATUS_NOT_FOUND);
    assert_int_equal(recent(fixture).messages.count, 0);
}

static void test_longest_text(void **state)
{
    struct fixture *fixture = *state;
    char *text = calloc(1, CHAT_TEXT_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', CHAT_TEXT_MAX);
    say(fixture, text);
    assert_string_equal(fixture->message.text, text);
    free(text);
}

static enum status count_set(struct db_session *session, void *arg)
{
    struct db_statement *update = db_prepare(session, "UPDATE chat SET messages = $1");
    db_bind_int(update, 1, *(const int64_t *)arg);
    return db_run(update);
}

static void test_message_limit(void **state)
{
    struct fixture *fixture = *state;
    int64_t count = CHAT_MESSAGES_MAX - 1;
    say(fixture, "first");
    assert_int_equal(db_write(fixture->db, count_set, &count), STATUS_OK);
    say(fixture, "the last that fits");
    struct chat_post message = {.meeting = "standup",
                                .author = fixture->bob.id,
                                .author_name = "Bob",
                                .text = "x",
                                .nonce = "n"};
    assert_int_equal(post(fixture, &message), STATUS_LIMIT);
    assert_int_equal(recent(fixture).messages.count, 2);
}

/* ---- changing ---- */

static void test_edit(void **state)
{
    struct fixture *fixture = *state;
    const char *payload = NULL, *id = say(fixture, "helo");
    assert_int_equal(edit(fixture, fixture->ada.id, id, "hello"), STATUS_OK);
    assert_true(fixture->changed);
    assert_string_equal(fixture->message.text, "hello");
    assert_int_equal(fixture->message.edited, NOW + 1);
    assert_int_equal(edit(fixture, fixture->ada.id, id, "hello"), STATUS_OK);
    assert_false(fixture->changed);
    assert_int_equal(chat_events(fixture, "chat.update", &payload), 1);
    assert_int_equal(edit(fixture, fixture->bob.id, id, "mine"), STATUS_DENIED);
    assert_int_equal(edit(fixture, fixture->host.id, id, "mine"), STATUS_DENIED);
    assert_int_equal(edit(fixture, fixture->ada.id, id, ""), STATUS_INVALID);
    assert_int_equal(edit(fixture, fixture->ada.id, "12345", "x"), STATUS_NOT_FOUND);
    assert_int_equal(edit(fixture, fixture->ada.id, "x", "x"), STATUS_NOT_FOUND);
    assert_int_equal(scratch_count(fixture->db, "SELECT count(*) FROM message_edit"
                                                " WHERE length(text_sealed) > 4 AND edit = 1"),
                     1);
    struct chat_page page = recent(fixture);
    assert_string_equal(at(&page, 0)->text, "hello");
}

static void test_edit_limit(void **state)
{
    struct fixture *fixture = *state;
    const char *id = say(fixture, "0");
    char text[16];
    for (int i = 1; i <= CHAT_EDITS_MAX; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(edit(fixture, fixture->ada.id, id, text), STATUS_OK);
    }
    assert_int_equal(edit(fixture, fixture->ada.id, id, "more"), STATUS_LIMIT);
}

static void test_delete(void **state)
{
    struct fixture *fixture = *state;
    const char *payload = NULL, *id = say(fixture, "hidden one");
    assert_int_equal(edit(fixture, fixture->ada.id, id, "hidden two"), STATUS_OK);
    assert_int_equal(react(fixture, fixture->bob.id, id, "\U0001F44D", true), STATUS_OK);
    assert_int_equal(erase(fixture, fixture->bob.id, id), STATUS_DENIED);
    assert_int_equal(erase(fixture, fixture->waiting.id, id), STATUS_DENIED);
    assert_int_equal(erase(fixture, fixture->ada.id, id), STATUS_OK);
    assert_true(fixture->changed);
    assert_string_equal(fixture->message.text, "");
    assert_int_equal(fixture->message.deleted, NOW + 2);
    assert_int_equal(fixture->message.reactions.count, 0);
    assert_int_equal(erase(fixture, fixture->host.id, id), STATUS_OK);
    assert_false(fixture->changed);
    assert_int_equal(chat_events(fixture, "chat.update", &payload), 3);
    assert_int_equal(edit(fixture, fixture->ada.id, id, "back"), STATUS_NOT_FOUND);
    assert_int_equal(react(fixture, fixture->bob.id, id, "\U0001F44D", true), STATUS_NOT_FOUND);
    struct chat_page page = recent(fixture);
    assert_int_equal(page.messages.count, 1);
    assert_string_equal(at(&page, 0)->text, "");
    /* Nor is it anywhere in the file. */
    fixture->db = db_close(fixture->db);
    FILE *file = fopen(scratch_file(fixture->path, "parley.db"), "re");
    assert_non_null(file);
    char *bytes = calloc(1, ARENA_BYTES);
    assert_non_null(bytes);
    size_t length = fread(bytes, 1, ARENA_BYTES, file);
    fclose(file);
    assert_non_null(memmem(bytes, length, fixture->ada.id, strlen(fixture->ada.id)));
    assert_null(memmem(bytes, length, "hidden", strlen("hidden")));
    free(bytes);
}

static void test_hosts_delete(void **state)
{
    struct fixture *fixture = *state;
    const char *first = say(fixture, "one"), *second = say(fixture, "two");
    assert_int_equal(erase(fixture, fixture->host.id, first), STATUS_OK);
    assert_int_equal(
        registry_participant_role(fixture->db, "standup", fixture->bob.id, REGISTRY_COHOST, NOW),
        STATUS_OK);
    assert_int_equal(erase(fixture, fixture->bob.id, second), STATUS_OK);
    assert_true(fixture->changed);
}

/* ---- reacting ---- */

static void test_react(void **state)
{
    struct fixture *fixture = *state;
    const char *payload = NULL, *id = say(fixture, "x");
    const char *up = "\U0001F44D", *heart = "\u2764\ufe0f";
    assert_int_equal(react(fixture, fixture->bob.id, id, heart, true), STATUS_OK);
    assert_int_equal(react(fixture, fixture->bob.id, id, up, true), STATUS_OK);
    assert_int_equal(react(fixture, fixture->ada.id, id, heart, true), STATUS_OK);
    assert_true(fixture->changed);
    assert_int_equal(react(fixture, fixture->ada.id, id, heart, true), STATUS_OK);
    assert_false(fixture->changed);
    const struct chat_reaction *reactions = fixture->message.reactions.items;
    assert_int_equal(fixture->message.reactions.count, 2);
    assert_string_equal(reactions[0].emoji, heart);
    assert_string_equal(reactions[1].emoji, up);
    assert_int_equal(reactions[0].by.count, 2);
    assert_string_equal(((const char *const *)reactions[0].by.items)[0], fixture->bob.id);
    assert_string_equal(((const char *const *)reactions[0].by.items)[1], fixture->ada.id);
    assert_int_equal(reactions[1].by.count, 1);
    assert_int_equal(react(fixture, fixture->bob.id, id, up, false), STATUS_OK);
    assert_true(fixture->changed);
    assert_int_equal(fixture->message.reactions.count, 1);
    assert_int_equal(react(fixture, fixture->bob.id, id, up, false), STATUS_OK);
    assert_false(fixture->changed);
    assert_int_equal(chat_events(fixture, "chat.update", &payload), 4);
    assert_int_equal(react(fixture, fixture->waiting.id, id, up, true), STATUS_DENIED);
    assert_int_equal(react(fixture, fixture->bob.id, "999", up, true), STATUS_NOT_FOUND);
}

static void test_emoji(void **state)
{
    struct fixture *fixture = *state;
    const char *id = say(fixture, "x");
    static const char *const good[] = {"1\ufe0f\u20e3", "\U0001F469\u200D\U0001F4BB",
                                       "\U0001F1E8\U0001F1F3"};
    static const char *const bad[] = {
        "", "1", "a", "good\U0001F44D", "<\U0001F44D>", "\U0001F44D\n", "\u200d", "\xf0\x9f\x91",
        /* 33 bytes */
        "\U0001F44D\U0001F44D\U0001F44D\U0001F44D\U0001F44D\U0001F44D\U0001F44D\U0001F44D1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(react(fixture, fixture->bob.id, id, good[i], true), STATUS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(react(fixture, fixture->bob.id, id, bad[i], true), STATUS_INVALID);
}

static void test_reaction_limits(void **state)
{
    struct fixture *fixture = *state;
    const char *id = say(fixture, "x");
    char emoji[8] = "\U0001F600";
    for (int i = 0; i < CHAT_REACTIONS_MAX; i++) {
        emoji[3] = (char)(0x80 + i);
        assert_int_equal(react(fixture, fixture->bob.id, id, emoji, true), STATUS_OK);
    }
    assert_int_equal(react(fixture, fixture->ada.id, id, emoji, true), STATUS_OK);
    emoji[3] = (char)(0x80 + CHAT_REACTIONS_MAX);
    assert_int_equal(react(fixture, fixture->ada.id, id, emoji, true), STATUS_LIMIT);
    /* One taken back makes room for another. */
    emoji[3] = (char)0x80;
    assert_int_equal(react(fixture, fixture->bob.id, id, emoji, false), STATUS_OK);
    emoji[3] = (char)(0x80 + CHAT_REACTIONS_MAX);
    assert_int_equal(react(fixture, fixture->ada.id, id, emoji, true), STATUS_OK);
    assert_int_equal(fixture->message.reactions.count, CHAT_REACTIONS_MAX);
}

static enum status crowd_insert(struct db_session *session, void *arg)
{
    struct fixture *fixture = arg;
    for (int i = 0; i < CHAT_REACTORS_MAX; i++) {
        char id[24];
        snprintf(id, sizeof id, "crowd-%010d", i);
        struct db_statement *person =
            db_prepare(session, "INSERT INTO participant"
                                " (id, meeting, token_hash, role, kind, admitted, created)"
                                " VALUES ($1, 'standup', $2, 'participant', 'browser', 1, 1)");
        db_bind_text(person, 1, id);
        db_bind_blob(person, 2, id, strlen(id));
        assert_int_equal(db_run(person), STATUS_OK);
        struct db_statement *reaction = db_prepare(
            session, "INSERT INTO message_reaction (message, emoji, participant, created)"
                     " VALUES ($1, '\U0001F44D', $2, 1)");
        db_bind_int(reaction, 1, strtoll(fixture->message.id, NULL, 10));
        db_bind_text(reaction, 2, id);
        assert_int_equal(db_run(reaction), STATUS_OK);
    }
    return STATUS_OK;
}

static void test_reactor_limit(void **state)
{
    struct fixture *fixture = *state;
    const char *id = say(fixture, "x");
    assert_int_equal(db_write(fixture->db, crowd_insert, fixture), STATUS_OK);
    assert_int_equal(react(fixture, fixture->bob.id, id, "\U0001F44D", true), STATUS_LIMIT);
    assert_int_equal(react(fixture, fixture->bob.id, id, "\U0001F600", true), STATUS_LIMIT);
    struct chat_page page = recent(fixture);
    const struct chat_reaction *reactions = at(&page, 0)->reactions.items;
    assert_int_equal(at(&page, 0)->reactions.count, 1);
    assert_int_equal(reactions[0].by.count, CHAT_REACTORS_MAX);
    assert_string_equal(((const char *const *)reactions[0].by.items)[3], "crowd-0000000003");
}

/* ---- reading ---- */

static void test_history(void **state)
{
    struct fixture *fixture = *state;
    enum { MESSAGES = 120 };
    char ids[MESSAGES][24];
    for (int i = 0; i < MESSAGES; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        snprintf(ids[i], sizeof ids[i], "%s", say(fixture, text));
    }
    struct chat_page page = recent(fixture);
    assert_int_equal(page.messages.count, CHAT_RECENT);
    assert_true(page.more);
    assert_string_equal(at(&page, 0)->text, "70");
    assert_string_equal(at(&page, CHAT_RECENT - 1)->text, "119");
    assert_int_equal(chat_history(fixture->db, "standup", ids[70], 60, fixture->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.messages.count, 60);
    assert_true(page.more);
    assert_string_equal(at(&page, 0)->text, "10");
    assert_string_equal(at(&page, 59)->text, "69");
    assert_int_equal(chat_history(fixture->db, "standup", ids[10], 10, fixture->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.messages.count, 10);
    assert_false(page.more);
    assert_string_equal(at(&page, 0)->text, "0");
    assert_int_equal(chat_history(fixture->db, "standup", ids[0], 10, fixture->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.messages.count, 0);
    assert_false(page.more);
    assert_int_equal(chat_history(fixture->db, "standup", NULL, 1000, fixture->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.messages.count, CHAT_HISTORY_MAX);
    assert_int_equal(chat_history(fixture->db, "standup", "", -5, fixture->arena, &page),
                     STATUS_OK);
    assert_int_equal(page.messages.count, 1);
    assert_int_equal(chat_history(fixture->db, "standup", "x", 5, fixture->arena, &page),
                     STATUS_INVALID);
}

static void test_page_is_bounded_in_bytes(void **state)
{
    struct fixture *fixture = *state;
    char *text = calloc(1, CHAT_TEXT_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', CHAT_TEXT_MAX);
    for (int i = 0; i < 40; i++)
        say(fixture, text);
    free(text);
    size_t all = 0;
    const char *before = NULL;
    struct chat_page page = {.more = true};
    while (page.more) {
        assert_int_equal(chat_history(fixture->db, "standup", before, 100, fixture->arena, &page),
                         STATUS_OK);
        assert_in_range(page.messages.count, 1, CHAT_PAGE_BYTES_MAX / CHAT_TEXT_MAX);
        all += page.messages.count;
        before = at(&page, 0)->id;
    }
    assert_int_equal(all, 40);
}

static void test_json(void **state)
{
    struct fixture *fixture = *state;
    const char *id = say(fixture, "a \"quote\"");
    assert_int_equal(react(fixture, fixture->bob.id, id, "\U0001F44D", true), STATUS_OK);
    char *text = json_encode(&chat_message_table, &fixture->message, fixture->arena);
    assert_non_null(text);
    struct json *json = NULL;
    struct json_error error;
    struct chat_message back;
    assert_int_equal(json_parse(text, strlen(text), &json, &error), STATUS_OK);
    assert_int_equal(json_decode(&chat_message_table, json, fixture->arena, &back, &error),
                     STATUS_OK);
    json_free(json);
    assert_string_equal(back.id, id);
    assert_string_equal(back.text, "a \"quote\"");
    assert_int_equal(back.created, NOW);
    assert_int_equal(back.reactions.count, 1);
    const struct chat_reaction *reaction = back.reactions.items;
    assert_string_equal(((const char *const *)reaction->by.items)[0], fixture->bob.id);
    struct chat_page page = recent(fixture);
    text = json_encode(&chat_page_table, &page, fixture->arena);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"more\":false"));
    /* An empty page and a message without reactions still say so: the client reads lists. */
    assert_int_equal(chat_recent(fixture->db, "other", fixture->arena, &page), STATUS_OK);
    text = json_encode(&chat_page_table, &page, fixture->arena);
    assert_non_null(strstr(text, "\"messages\":[]"));
}

static void test_small_arenas(void **state)
{
    struct fixture *fixture = *state;
    const char *id = say(fixture, "some text");
    assert_int_equal(react(fixture, fixture->bob.id, id, "\U0001F44D", true), STATUS_OK);
    enum status reacted = STATUS_NO_MEMORY, listed = STATUS_NO_MEMORY;
    for (size_t limit = 1; reacted != STATUS_OK || listed != STATUS_OK; limit += 4) {
        struct arena *arena = NULL;
        struct chat_page page;
        struct chat_target target = {
            .meeting = "standup", .id = id, .participant = fixture->ada.id};
        assert_int_equal(arena_new(limit, &arena), STATUS_OK);
        listed = chat_history(fixture->db, "standup", NULL, 5, arena, &page);
        assert_true(listed == STATUS_OK || listed == STATUS_NO_MEMORY);
        arena_reset(arena);
        if (reacted == STATUS_NO_MEMORY)
            reacted = chat_react(fixture->db, &target, "\U0001F44D", true, NOW, arena,
                                 &fixture->message, &fixture->changed);
        assert_true(reacted == STATUS_OK || reacted == STATUS_NO_MEMORY);
        /* Without memory for the answer nothing was written. */
        assert_int_equal(scratch_count(fixture->db, "SELECT count(*) FROM message_reaction"),
                         reacted == STATUS_OK ? 2 : 1);
        arena_free(arena);
    }
    assert_true(fixture->changed);
}

static void test_plans(void **state)
{
    struct fixture *fixture = *state;
    const char *first = say(fixture, "one");
    struct chat_post reply = {.meeting = "standup",
                              .author = fixture->bob.id,
                              .author_name = "Bob",
                              .text = "two",
                              .reply_to = first,
                              .nonce = "n"};
    struct chat_page page;
    assert_int_equal(post(fixture, &reply), STATUS_OK);
    assert_int_equal(edit(fixture, fixture->ada.id, first, "one and a half"), STATUS_OK);
    assert_int_equal(react(fixture, fixture->bob.id, first, "\U0001F44D", true), STATUS_OK);
    assert_int_equal(react(fixture, fixture->bob.id, first, "\U0001F44D", false), STATUS_OK);
    assert_int_equal(erase(fixture, fixture->host.id, first), STATUS_OK);
    assert_int_equal(chat_history(fixture->db, "standup", first, 10, fixture->arena, &page),
                     STATUS_OK);
    scratch_no_scans(fixture->db);
    scratch_uses(fixture->db, "message_meeting");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_send),
        TEST(test_same_nonce_is_same_message),
        TEST(test_send_refuses),
        TEST(test_longest_text),
        TEST(test_message_limit),
        TEST(test_edit),
        TEST(test_edit_limit),
        TEST(test_delete),
        TEST(test_hosts_delete),
        TEST(test_react),
        TEST(test_emoji),
        TEST(test_reaction_limits),
        TEST(test_reactor_limit),
        TEST(test_history),
        TEST(test_page_is_bounded_in_bytes),
        TEST(test_json),
        TEST(test_small_arenas),
        TEST(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
