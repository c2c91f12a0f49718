/* The fault VFS does what it is told, or the tests that stand on it prove nothing. */
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/fault_vfs.h"
#include "tests/support/journals.h"

static int
write_once(struct journal_place *place, const char *vfs)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db,
            "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (x);"
            "INSERT INTO t VALUES (1)",
            NULL, NULL, NULL);
    }
    sqlite3_close(db);
    return rc;
}

static void
test_the_call_that_is_named_fails_and_no_other(void **state)
{
    (void)state;
    struct journal_place place;
    journal_place_init(&place, false);
    sw_fault_vfs_register(false);
    sw_fault_arm(NULL);
    assert_int_equal(write_once(&place, SW_FAULT_VFS), SQLITE_OK);
    assert_int_equal(sw_fault_fired(), 0);
    uint64_t calls = sw_fault_calls();
    assert_true(calls > 5);
    sw_fault_arm(&(struct sw_fault_plan){.kind = SW_FAULT_FULL, .at = 3});
    assert_int_equal(write_once(&place, SW_FAULT_VFS), SQLITE_FULL);
    assert_int_equal(sw_fault_fired(), 1);
    assert_int_equal(write_once(&place, SW_FAULT_VFS), SQLITE_OK);
    sw_fault_arm(&(struct sw_fault_plan){.kind = SW_FAULT_FULL, .at = 1000});
    assert_int_equal(write_once(&place, SW_FAULT_VFS), SQLITE_OK);
    sw_fault_arm(&(struct sw_fault_plan){.kind = SW_FAULT_KILL, .at = 1});
    sqlite3_int64 before = journal_place_sql(&place, "SELECT count(*) FROM t");
    write_once(&place, SW_FAULT_VFS);
    sw_fault_arm(NULL);
    assert_int_equal(journal_place_sql(&place, "SELECT count(*) FROM t"), before);
    journal_place_fini(&place);
}

/* In a process of its own: the environment counts once, the VFS becomes the default one. */
static int
run_with(const char *text)
{
    struct journal_place place;
    int status = 0;
    journal_place_init(&place, false);
    pid_t child = fork();
    if (child == 0) {
        setenv(SW_FAULT_ENVIRONMENT, text, 1);
        int code = !sw_fault_vfs_from_environment() ? 50 : write_once(&place, NULL) & 0x3F;
        _exit(code);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    journal_place_fini(&place);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
test_a_program_is_armed_by_its_environment(void **state)
{
    (void)state;
    assert_int_equal(run_with("kind=exit at=4"), SW_FAULT_EXIT_STATUS);
    assert_int_equal(run_with("kind=full at=4"), SQLITE_FULL);
    assert_int_equal(run_with("at=5 count=2 kind=ioerr seed=1"), SQLITE_IOERR);
    assert_int_equal(run_with("kind=none"), SQLITE_OK);
    assert_int_equal(run_with("kind=surprise at=4"), 50);
    assert_int_equal(run_with("at=4 nonsense"), 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_call_that_is_named_fails_and_no_other),
        cmocka_unit_test(test_a_program_is_armed_by_its_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
