/* The exec source, with real programs: what they print, how they end, and that they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/base/time_text.h"
#include "agent/sources/exec.h"
#include "tests/support/looking.h"

#define HEAD "{\"sharewatch\":1,"
#define ROWS "\"sessions\":[{\"client\":\"10.0.0.5\",\"user\":\"a\"}]}"

struct exec {
    struct looking looking;
    struct sw_exec_conf conf;
    const char *items[3];
    char path[128];
};

static void
exec_start(struct exec *exec, const char *script)
{
    looking_start(&exec->looking, "exec", &exec->conf);
    looking_script(&exec->looking, "program", script, exec->path);
    exec->items[0] = exec->path;
    exec->items[1] = "a b";
    exec->items[2] = "$HOME;`x`";
    exec->conf = (struct sw_exec_conf){.command = {exec->items, 3}};
}

static enum sw_look
exec_once(const char *script, const char *says)
{
    struct exec exec = {0};
    exec_start(&exec, script);
    enum sw_look look = looking_look(&exec.looking);
    if (says != NULL) {
        assert_true(looking_says(&exec.looking, says));
    }
    looking_end(&exec.looking);
    return look;
}

static void
test_document_becomes_rows(void **state)
{
    struct exec exec = {0};
    (void)state;
    exec_start(&exec, "echo '" HEAD "\"level\":7," ROWS "'");
    assert_int_equal(looking_look(&exec.looking), SW_LOOK_COMPLETE);
    assert_int_equal(sw_builder_count(exec.looking.builder), 1);
    assert_int_equal(sw_builder_facts(exec.looking.builder)->level, 7);
    assert_int_equal(sw_builder_facts(exec.looking.builder)->taken_at_ns, SW_TIME_NONE);
    assert_int_equal(sw_builder_facts(exec.looking.builder)->server.size, 0);
    looking_end(&exec.looking);
}

static void
test_arguments_and_environment(void **state)
{
    (void)state;
    assert_int_equal(
        exec_once("[ \"$1\" = 'a b' ] && [ \"$2\" = '$HOME;`x`' ] && [ $# = 2 ] || exit 3\n"
                  "want='PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
                  "|LANG=C.UTF-8|'\n"
                  "[ \"$(tr '\\0' '|' < /proc/$$/environ)\" = \"$want\" ] || exit 4\n"
                  "[ -z \"$(cat)\" ] || exit 5\n"
                  "echo '" HEAD ROWS "'",
            NULL),
        SW_LOOK_COMPLETE);
}

static void
test_server_of_the_configuration_fills_in(void **state)
{
    struct exec exec = {0};
    (void)state;
    exec_start(&exec, "echo '" HEAD ROWS "'");
    exec.conf.server = "nas7";
    assert_int_equal(looking_look(&exec.looking), SW_LOOK_COMPLETE);
    assert_true(sw_str_is(sw_builder_facts(exec.looking.builder)->server, "nas7"));
    looking_script(
        &exec.looking, "program", "echo '" HEAD "\"server\":\"own\"," ROWS "'", exec.path);
    assert_int_equal(looking_look(&exec.looking), SW_LOOK_COMPLETE);
    assert_true(sw_str_is(sw_builder_facts(exec.looking.builder)->server, "own"));
    looking_end(&exec.looking);
}

static void
test_what_is_no_complete_look(void **state)
{
    static const struct {
        const char *script;
        enum sw_look look;
        const char *says;
    } cases[] = {
        {"echo '" HEAD ROWS "'; echo '" HEAD ROWS "'", SW_LOOK_FAILED, "program"},
        {"echo '" HEAD ROWS "'; echo oh no >&2; echo more >&2; exit 3", SW_LOOK_FAILED,
            "ended with status 3: oh no"},
        {"kill -9 $$", SW_LOOK_FAILED, "ended by signal 9"},
        {"echo '" HEAD "\"complete\":false," ROWS "'", SW_LOOK_PARTIAL, "not complete"},
        {"echo '" HEAD "\"error\":{\"code\":5,\"text\":\"denied\"}}'", SW_LOOK_REFUSED, "denied"},
        {"echo '" HEAD "\"error\":{\"code\":1326,\"text\":\"logon\"}}'", SW_LOOK_REFUSED, "logon"},
        {"echo '" HEAD "\"error\":{\"code\":53,\"text\":\"no path\"}}'", SW_LOOK_FAILED, "no path"},
        {"true", SW_LOOK_FAILED, "program"},
        {"echo hello", SW_LOOK_FAILED, "program"},
        {"printf '%s' '" HEAD "\"sessions\":[{\"client\":\"1\"}'", SW_LOOK_FAILED, "program"},
        {"yes", SW_LOOK_FAILED, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(exec_once(cases[i].script, cases[i].says), cases[i].look);
    }
}

static void
test_hanging_program_is_killed(void **state)
{
    struct exec exec = {0};
    (void)state;
    exec_start(&exec, "echo slow >&2; echo '" HEAD ROWS "'; sleep 60");
    exec.looking.limit_ms = 200;
    int64_t from_ns = sw_clock_boot_ns();
    assert_int_equal(looking_look(&exec.looking), SW_LOOK_FAILED);
    assert_true(sw_clock_boot_ns() - from_ns < 5 * SW_NS_PER_S);
    assert_true(looking_says(&exec.looking, "slow"));
    looking_end(&exec.looking);
}

/* The program has ended well; what it left behind must neither hold the look nor live on. */
static void
test_left_over_children_do_not_hold_the_look(void **state)
{
    int64_t from_ns = sw_clock_boot_ns();
    (void)state;
    assert_int_equal(exec_once("sleep 60 & echo '" HEAD ROWS "'", NULL), SW_LOOK_COMPLETE);
    assert_true(sw_clock_boot_ns() - from_ns < 5 * SW_NS_PER_S);
}

static void
test_stop_ends_the_look(void **state)
{
    struct exec exec = {0};
    struct sw_latch stop;
    (void)state;
    exec_start(&exec, "sleep 60");
    assert_true(sw_latch_init(&stop, NULL));
    sw_latch_set(&stop);
    exec.looking.stop = &stop;
    assert_int_equal(looking_look(&exec.looking), SW_LOOK_FAILED);
    looking_end(&exec.looking);
    sw_latch_fini(&stop);
}

static void
test_program_that_others_can_write_is_not_run(void **state)
{
    struct exec exec = {0};
    (void)state;
    exec_start(&exec, "echo '" HEAD ROWS "'");
    assert_int_equal(chmod(exec.path, 0722), 0);
    assert_int_equal(looking_look(&exec.looking), SW_LOOK_FAILED);
    assert_true(looking_says(&exec.looking, "can write"));
    looking_end(&exec.looking);
}

static char *
identity_of(const char *a, const char *b, const char *server)
{
    const char *const items[] = {a, b};
    const struct sw_exec_conf conf = {{items, b != NULL ? 2 : 1}, server};
    struct sw_buf buf;
    sw_buf_init(&buf, 4096);
    sw_source_class_find("exec")->identity(&conf, &buf);
    return sw_buf_take(&buf);
}

static void
test_identities_differ(void **state)
{
    char *texts[] = {
        identity_of("/a", NULL, NULL),
        identity_of("/a", NULL, "s"),
        identity_of("/a", "s", NULL),
        identity_of("/a s", NULL, NULL),
        identity_of("/a\" \"s", NULL, NULL),
    };
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(texts[i], texts[j]);
        }
    }
    for (size_t i = 0; i < 5; i++) {
        free(texts[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document_becomes_rows),
        cmocka_unit_test(test_arguments_and_environment),
        cmocka_unit_test(test_server_of_the_configuration_fills_in),
        cmocka_unit_test(test_what_is_no_complete_look),
        cmocka_unit_test(test_hanging_program_is_killed),
        cmocka_unit_test(test_left_over_children_do_not_hold_the_look),
        cmocka_unit_test(test_stop_ends_the_look),
        cmocka_unit_test(test_program_that_others_can_write_is_not_run),
        cmocka_unit_test(test_identities_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
