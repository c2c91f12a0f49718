/* The samba source, with scripts in the place of smbstatus and testparm and a process of ours in
 * the place of smbd's locks. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/time_text.h"
#include "agent/sources/samba/samba.h"
#include "tests/support/looking.h"

#define HEAD                                                                                       \
    "echo 'PID     Username     Group        Machine   Protocol'\necho '-----------------'\n"
#define TEXT_ROW "echo '7  4242  8  10.0.0.1 (ipv4:10.0.0.1:5)  SMB3_11  -  -'\n"
#define JSON_ROW                                                                                   \
    "echo '{\"sessions\":{\"1\":{\"session_id\":\"1\",\"server_id\":{\"unique_id\":\"2\"},"        \
    "\"uid\":4242,\"username\":\"alice\",\"remote_machine\":\"10.0.0.1\","                         \
    "\"hostname\":\"ipv4:10.0.0.1:5\"}}}'\n"
#define JSON_NONE "echo '{\"sessions\":{}}'\n"

/* A script for smbstatus: what it does when asked for JSON, for text, for text with -f. */
#define SMBSTATUS(json, text, fast)                                                                \
    "case \"$1\" in\n--json) " json ";;\n-n) " HEAD text ";;\n-f) " HEAD fast ";;\nesac"

struct samba {
    struct looking looking;
    struct sw_samba_conf conf;
    char smbstatus[128];
    char testparm[128];
    char pid_file[128];
    char locking_file[128];
    pid_t smbd;
};

static void
samba_start(struct samba *samba, const char *script)
{
    char text[512];
    *samba = (struct samba){.smbd = 0};
    looking_start(&samba->looking, "samba", &samba->conf);
    looking_script(&samba->looking, "smbstatus", script, samba->smbstatus);
    snprintf(text, sizeof(text), "echo Load smb config files >&2\necho %s", samba->looking.folder);
    looking_script(&samba->looking, "testparm", text, samba->testparm);
    snprintf(samba->pid_file, 128, "%s/smbd.pid", samba->looking.folder);
    snprintf(samba->locking_file, 128, "%s/locking.tdb", samba->looking.folder);
    samba->conf.smbstatus = samba->smbstatus;
}

static void
smbd_lock(const char *path, long number)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || dprintf(fd, "%ld\n", number) < 0) {
        _exit(1);
    }
}

/* Forks a process that holds the locks of an smbd that believes to have the number pid (0: its
 * own), until smbd_stop. */
static void
smbd_start(struct samba *samba, long pid, bool locking)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    samba->smbd = fork();
    assert_true(samba->smbd >= 0);
    if (samba->smbd == 0) {
        /* A failed assertion leaves no process behind. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        smbd_lock(samba->pid_file, pid != 0 ? pid : (long)getpid());
        if (locking) {
            smbd_lock(samba->locking_file, 0);
        }
        if (write(ready[1], "", 1) == 1) {
            for (;;) {
                pause();
            }
        }
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
}

static void
smbd_stop(struct samba *samba)
{
    if (samba->smbd > 0) {
        assert_int_equal(kill(samba->smbd, SIGKILL), 0);
        assert_int_equal(waitpid(samba->smbd, NULL, 0), samba->smbd);
    }
    samba->smbd = 0;
}

static void
samba_end(struct samba *samba)
{
    smbd_stop(samba);
    looking_end(&samba->looking);
}

static struct sw_look_facts *
facts(struct samba *samba)
{
    return sw_builder_facts(samba->looking.builder);
}

/* One look at a script; smbd runs. */
static enum sw_look
samba_once(const char *script, size_t *rows, const char *says)
{
    struct samba samba;
    samba_start(&samba, script);
    smbd_start(&samba, 0, true);
    enum sw_look look = looking_look(&samba.looking);
    if (rows != NULL) {
        *rows = sw_builder_count(samba.looking.builder);
    }
    if (says != NULL) {
        assert_true(looking_says(&samba.looking, says));
    }
    samba_end(&samba);
    return look;
}

static void
test_json_and_exact_environment(void **state)
{
    size_t rows;
    (void)state;
    assert_int_equal(samba_once("[ \"$(tr '\\0' '|' < /proc/$$/environ)\" = 'TZ=UTC0|LC_ALL=C|' ] "
                                "|| exit 4\n[ \"$*\" = '--json -p' ] || exit 5\n" JSON_ROW,
                         &rows, NULL),
        SW_LOOK_COMPLETE);
    assert_int_equal(rows, 1);
}

static void
test_smb_conf_is_passed_on(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, "[ \"$*\" = '--json -p -s /x y.conf' ] || exit 5\n" JSON_ROW);
    samba.conf.smb_conf = "/x y.conf";
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    samba_end(&samba);
}

static void
test_failures(void **state)
{
    static const struct {
        const char *script;
        enum sw_look look;
        const char *says;
    } cases[] = {
        {JSON_ROW "exit 1", SW_LOOK_FAILED, "status 1"},
        {JSON_ROW "echo \"Can't load x\" >&2", SW_LOOK_FAILED, "Can't load x"},
        {JSON_ROW "echo 'a/locking.tdb not initialised' >&2", SW_LOOK_FAILED, "not initialised"},
        {"echo 'smbstatus only works as root!' >&2; exit 1", SW_LOOK_REFUSED, "root"},
        {"echo '{}'", SW_LOOK_FAILED, "no list"},
        {"echo '{\"sessions\":{'", SW_LOOK_FAILED, "JSON"},
        {SMBSTATUS("echo '(null)'", "echo half", ""), SW_LOOK_FAILED, "damaged"},
        {SMBSTATUS("exit 9", TEXT_ROW, ""), SW_LOOK_COMPLETE, ""},
        {SMBSTATUS("echo Unable to x >&2", "echo Unable to y >&2", ""), SW_LOOK_FAILED, "to y"},
        {"yes", SW_LOOK_FAILED, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(samba_once(cases[i].script, NULL, cases[i].says), cases[i].look);
    }
}

/* Each way in which JSON shows that it is too much: the look is answered by the table. */
static void
test_too_much_for_json_is_asked_as_text(void **state)
{
    static const char *const cases[] = {
        SMBSTATUS("echo '(null)'", TEXT_ROW, ""),
        SMBSTATUS("kill -6 $$", TEXT_ROW, ""),
        SMBSTATUS(
            JSON_NONE "echo 'json_get_object: Unable to get object [sessions]' >&2", TEXT_ROW, ""),
        SMBSTATUS("echo 'Invalid option --json: unknown option' >&2; exit 1", TEXT_ROW, ""),
        SMBSTATUS("echo 'JSON support not available' >&2", TEXT_ROW, ""),
        SMBSTATUS("exec yes", TEXT_ROW, ""),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t rows;
        assert_int_equal(samba_once(cases[i], &rows, NULL), SW_LOOK_COMPLETE);
        assert_int_equal(rows, 1);
    }
}

static void
test_slow_json_leaves_time_for_text(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, SMBSTATUS("echo j >> \"$0.asked\"; sleep 60", TEXT_ROW, ""));
    samba.looking.limit_ms = 2000;
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    assert_int_equal(sw_builder_count(samba.looking.builder), 1);
    /* Remembered: the next look does not wait for JSON again. */
    int64_t from_ns = sw_clock_boot_ns();
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    assert_true(sw_clock_boot_ns() - from_ns < 900 * SW_NS_PER_MS);
    samba_end(&samba);
}

static void
test_hanging_smbstatus_is_killed(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, "sleep 60 & sleep 60");
    samba.looking.limit_ms = 300;
    int64_t from_ns = sw_clock_boot_ns();
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    assert_true(sw_clock_boot_ns() - from_ns < 5 * SW_NS_PER_S);
    samba_end(&samba);
}

/* `rows` sessions; the form that was asked for is the `asked` file's last line. */
#define COUNTED                                                                                    \
    "n=$(cat \"$0.rows\")\nprintf '%s' \"$1\" > \"$0.asked\"\ncase \"$1\" in\n"                    \
    "--json) printf '{\"sessions\":['\n"                                                           \
    "seq $n | sed 's/.*/{\"session_id\":\"&\",\"uid\":-1},/'\n"                                    \
    "echo '{\"session_id\":\"x\",\"uid\":4242,\"username\":\"alice\","                             \
    "\"remote_machine\":\"10.0.0.1\",\"hostname\":\"ipv4:10.0.0.1:5\"}]}' ;;\n"                    \
    "-n) " HEAD "seq $n | sed 's/.*/1 -1 -1 h (ipv4:&) X/'\n" TEXT_ROW ";;\nesac"

static char
form_asked_at(struct samba *samba, int rows)
{
    char path[160];
    char form[16] = "";
    snprintf(path, sizeof(path), "%s.rows", samba->smbstatus);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%d\n", rows - 1);
    fclose(file);
    assert_int_equal(looking_look(&samba->looking), SW_LOOK_COMPLETE);
    assert_int_equal(sw_builder_count(samba->looking.builder), 1);
    assert_int_equal(facts(samba)->half_open, rows - 1);
    snprintf(path, sizeof(path), "%s.asked", samba->smbstatus);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(form, sizeof(form), file));
    fclose(file);
    return form[1];
}

static void
test_many_rows_are_asked_as_text(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, COUNTED);
    assert_int_equal(form_asked_at(&samba, 1500), '-');
    assert_int_equal(form_asked_at(&samba, 1501), '-');
    assert_int_equal(form_asked_at(&samba, 1501), 'n');
    assert_int_equal(form_asked_at(&samba, 1000), 'n');
    assert_int_equal(form_asked_at(&samba, 999), 'n');
    assert_int_equal(form_asked_at(&samba, 1400), '-');
    assert_int_equal(form_asked_at(&samba, 1400), '-');
    samba_end(&samba);
}

static const struct sw_row *
only_row(struct samba *samba, struct sw_snapshot **snapshot)
{
    struct sw_globs none = {0};
    facts(samba)->taken_at_ns = 0;
    *snapshot = sw_builder_finish(samba->looking.builder, none, none, NULL, NULL);
    assert_non_null(*snapshot);
    assert_int_equal((*snapshot)->count, 1);
    return &(*snapshot)->rows[0];
}

/* uid 4242 has no name on this machine: the text knows it from the JSON before. */
static void
test_both_forms_report_the_same_key(void **state)
{
    struct samba samba;
    struct sw_snapshot *json;
    struct sw_snapshot *text;
    (void)state;
    samba_start(&samba, JSON_ROW);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    const struct sw_row *a = only_row(&samba, &json);
    assert_true(sw_str_is(a->id, "1/2"));
    looking_script(
        &samba.looking, "smbstatus", SMBSTATUS("kill -9 $$", TEXT_ROW, ""), samba.smbstatus);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    const struct sw_row *b = only_row(&samba, &text);
    assert_null(b->id.data);
    assert_true(sw_str_is(b->user, "alice"));
    assert_int_equal(sw_row_compare_key(a, b, SW_REPORTED_USER | SW_REPORTED_TRANSPORT), 0);
    sw_snapshot_free(json);
    sw_snapshot_free(text);
    samba_end(&samba);
}

static void
test_other_words_are_logged_once(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, JSON_ROW "echo \"[$$] Unknown parameter foo\" >&2");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    }
    assert_int_equal(samba.looking.logged, 1);
    assert_non_null(strstr(samba.looking.last, "Unknown parameter foo"));
    looking_script(&samba.looking, "smbstatus",
        JSON_ROW "for i in a b c d e f g h i j k l m n o p q r s t; do echo $i >&2; done",
        samba.smbstatus);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    assert_int_equal(samba.looking.logged, 16);
    samba_end(&samba);
}

/* ---- nobody */

#define NOBODY       SMBSTATUS(JSON_NONE, "", "")
#define NOBODY_STALE SMBSTATUS(JSON_NONE, "", TEXT_ROW)

static void
test_nobody_on_a_stopped_server(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, NOBODY_STALE);
    for (int i = 0; i < 2; i++) {
        samba.looking.occupied = i == 1;
        assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
        assert_true(facts(&samba)->proven);
        assert_true(facts(&samba)->server_stopped);
    }
    /* It may be the wrong smb.conf: said, once. */
    assert_int_equal(samba.looking.logged, 1);
    assert_non_null(strstr(samba.looking.last, "locking.tdb: is smb_conf the one"));
    samba_end(&samba);
}

static void
test_nobody_on_a_running_server(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, NOBODY);
    smbd_start(&samba, 0, true);
    for (int i = 0; i < 2; i++) {
        samba.looking.occupied = i == 1;
        assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
        assert_true(facts(&samba)->proven);
        assert_false(facts(&samba)->server_stopped);
    }
    smbd_stop(&samba);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    assert_true(facts(&samba)->server_stopped);
    samba_end(&samba);
}

/* Rows of a process that crashed stay in smbd's table: they are not sessions that hide. */
static void
test_rows_of_a_crashed_process_do_not_count(void **state)
{
    size_t rows;
    (void)state;
    assert_int_equal(samba_once(NOBODY_STALE, &rows, NULL), SW_LOOK_COMPLETE);
    assert_int_equal(rows, 0);
}

static void
test_smbd_of_another_namespace(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, NOBODY_STALE);
    smbd_start(&samba, 1, true);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    assert_true(looking_says(&samba.looking, "cannot be seen from here"));
    looking_script(&samba.looking, "smbstatus", JSON_ROW, samba.smbstatus);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    assert_true(looking_says(&samba.looking, "another PID namespace"));
    looking_script(&samba.looking, "smbstatus", NOBODY, samba.smbstatus);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    assert_true(facts(&samba)->proven);
    samba_end(&samba);
}

static void
test_smbd_with_other_folders(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, NOBODY);
    smbd_start(&samba, 0, false);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    assert_true(looking_says(&samba.looking, "lock directory"));
    /* A file that is there but not in use is not smbd's either. */
    assert_int_equal(fclose(fopen(samba.locking_file, "w")), 0);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    samba_end(&samba);
}

static void
test_pid_folder_is_not_that_of_smbd(void **state)
{
    struct samba samba;
    char pid_file[128];
    (void)state;
    samba_start(&samba, NOBODY);
    smbd_start(&samba, 0, true);
    snprintf(pid_file, sizeof(pid_file), "%s/gone", samba.looking.folder);
    assert_int_equal(rename(samba.pid_file, pid_file), 0);
    samba.looking.occupied = true;
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    assert_true(looking_says(&samba.looking, "pid directory"));
    samba_end(&samba);
}

/* smb.conf is edited under a running smbd: smbstatus follows it at once, smbd does not. */
static void
test_smb_conf_changed_under_smbd(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, JSON_ROW);
    smbd_start(&samba, 0, true);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    looking_script(&samba.looking, "smbstatus", NOBODY, samba.smbstatus);
    looking_script(&samba.looking, "testparm", "echo /run/sharewatch-nowhere", samba.testparm);
    samba.looking.occupied = true;
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    assert_true(looking_says(&samba.looking, "restart smbd"));
    smbd_stop(&samba);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    assert_true(facts(&samba)->server_stopped);
    samba_end(&samba);
}

static void
test_nobody_that_cannot_be_confirmed(void **state)
{
    (void)state;
    assert_int_equal(samba_once(SMBSTATUS(JSON_NONE, "", "exit 3"), NULL, "could not be confirmed"),
        SW_LOOK_FAILED);
}

/* A testparm that fails leaves a guess, which another Samba of this machine may fill. */
static void
test_a_guess_does_not_close_sessions(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, NOBODY);
    looking_script(&samba.looking, "testparm", "exit 1", samba.testparm);
    samba.looking.occupied = true;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
        assert_true(looking_says(&samba.looking, "did not say in time where smbd keeps"));
    }
    char text[512];
    snprintf(text, sizeof(text), "echo %s", samba.looking.folder);
    looking_script(&samba.looking, "testparm", text, samba.testparm);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    assert_true(facts(&samba)->server_stopped);
    samba_end(&samba);
}

static void
test_half_open_rows_prove_that_smbd_is_seen(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, "echo '{\"sessions\":[{\"session_id\":\"1\",\"uid\":-1}]}'");
    smbd_start(&samba, 0, true);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_COMPLETE);
    assert_true(facts(&samba)->proven);
    assert_int_equal(facts(&samba)->half_open, 1);
    samba_end(&samba);
}

static void
test_who_holds_the_lock(void **state)
{
    (void)state;
    assert_int_equal(sw_smbd_place_judge(0, 1), SW_SMBD_ELSEWHERE);
    assert_int_equal(sw_smbd_place_judge(-1, 0), SW_SMBD_ELSEWHERE);
    assert_int_equal(sw_smbd_place_judge(70, 1), SW_SMBD_ELSEWHERE);
    assert_int_equal(sw_smbd_place_judge(70, 70), SW_SMBD_RUNS);
    assert_int_equal(sw_smbd_place_judge(70, 0), SW_SMBD_RUNS);
}

static void
test_program_is_found_and_trusted(void **state)
{
    struct samba samba;
    (void)state;
    samba_start(&samba, JSON_ROW);
    assert_int_equal(chmod(samba.smbstatus, 0777), 0);
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    assert_true(looking_says(&samba.looking, "can write"));
    samba.conf.smbstatus = "/nonexistent/smbstatus";
    assert_int_equal(looking_look(&samba.looking), SW_LOOK_FAILED);
    assert_true(looking_says(&samba.looking, "key smbstatus"));
    samba_end(&samba);
}

static int
needs_root(void **state)
{
    (void)state;
    if (!sw_is_superuser()) {
        print_message("skipped: the samba source works as root only\n");
        exit(0);
    }
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_and_exact_environment),
        cmocka_unit_test(test_smb_conf_is_passed_on),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_too_much_for_json_is_asked_as_text),
        cmocka_unit_test(test_slow_json_leaves_time_for_text),
        cmocka_unit_test(test_hanging_smbstatus_is_killed),
        cmocka_unit_test(test_many_rows_are_asked_as_text),
        cmocka_unit_test(test_both_forms_report_the_same_key),
        cmocka_unit_test(test_other_words_are_logged_once),
        cmocka_unit_test(test_nobody_on_a_stopped_server),
        cmocka_unit_test(test_nobody_on_a_running_server),
        cmocka_unit_test(test_rows_of_a_crashed_process_do_not_count),
        cmocka_unit_test(test_smbd_of_another_namespace),
        cmocka_unit_test(test_smbd_with_other_folders),
        cmocka_unit_test(test_pid_folder_is_not_that_of_smbd),
        cmocka_unit_test(test_smb_conf_changed_under_smbd),
        cmocka_unit_test(test_nobody_that_cannot_be_confirmed),
        cmocka_unit_test(test_a_guess_does_not_close_sessions),
        cmocka_unit_test(test_half_open_rows_prove_that_smbd_is_seen),
        cmocka_unit_test(test_who_holds_the_lock),
        cmocka_unit_test(test_program_is_found_and_trusted),
    };
    return cmocka_run_group_tests(tests, needs_root, NULL);
}
