/* A disk that is really full: a file system of 2 MiB of our own. Needs the right to mount. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/support/journals.h"

static bool is_mounted;

static int
setup(void **state)
{
    static struct journal_place place;
    journal_place_init(&place, false);
    is_mounted = mount("tmpfs", place.folder, "tmpfs", 0, "size=2m,mode=0700") == 0;
    *state = &place;
    if (is_mounted) {
        journal_place_open(&place);
    }
    return 0;
}

static int
teardown(void **state)
{
    struct journal_place *place = *state;
    journal_place_close(place, true);
    if (is_mounted) {
        umount(place->folder);
    }
    journal_place_fini(place);
    return 0;
}

static void
fill_disk(const struct journal_place *place)
{
    char path[120];
    static char zeros[4096];
    snprintf(path, sizeof(path), "%s/filler", place->folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0) {
    }
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static uint64_t
put_until_full(struct sw_journal *journal, uint64_t last)
{
    struct sw_err err = {0};
    while (journal_put(journal, "e", 10, 400, &last, &err)) {
        assert_true(last < 20000);
    }
    assert_contains(err.text, "make room on the disk");
    return last;
}

static void
check_all_there(struct sw_journal *journal, uint64_t after, uint64_t last)
{
    struct sw_journal_batch batch = {0};
    while (journal_must_read(journal, after, &batch)) {
        assert_int_equal(batch.records[0].seq, after + 1);
        after = batch.records[batch.count - 1].seq;
    }
    assert_int_equal(after, last);
    sw_journal_batch_fini(&batch);
}

static void
test_nothing_is_lost_and_it_goes_on(void **state)
{
    struct journal_place *place = *state;
    if (!is_mounted) {
        print_message("no right to mount: skipped\n");
        return;
    }
    struct sw_journal *journal = place->journal;
    struct sw_err err = {0};
    journal_must_attach(journal, "s", true);
    uint64_t last = journal_must_put(journal, "e", 1000, 400);
    fill_disk(place);
    last = put_until_full(journal, last);
    check_all_there(journal, 0, last);
    assert_false(journal_put(journal, "e", 10, 400, NULL, &err));

    /* The disk stays full: what the sink has passed makes room inside the file. */
    journal_must_ack(journal, "s", last - 100);
    uint64_t first = last - 99;
    for (size_t i = 0; i < 50; i++) {
        uint64_t next = journal_must_put(journal, "e", 10, 400);
        assert_int_equal(next, last + 10);
        last = next;
        journal_must_ack(journal, "s", last - 100);
        assert_true(sw_journal_flush(journal, 0, &err));
        first = last - 99;
    }
    check_all_there(journal, first - 1, last);
    journal_must_ack(journal, "s", last - 50);
    last = put_until_full(journal, last);
    check_all_there(journal, last - 50, last);

    /* And when there is space again, all goes on. */
    char path[120];
    snprintf(path, sizeof(path), "%s/filler", place->folder);
    unlink(path);
    assert_int_equal(journal_must_put(journal, "e", 500, 400), last + 500);
    struct sw_sink_state sink = journal_sink(journal, "s");
    assert_int_equal(sink.dropped, 0);
    check_all_there(journal, sink.position, last + 500);
    sw_sink_state_fini(&sink);
    journal_place_reopen(place);
    assert_int_equal(journal_usage(place->journal).last_seq, last + 500);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_lost_and_it_goes_on, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
