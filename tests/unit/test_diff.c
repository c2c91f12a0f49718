/* The rules of the diff, one by one. Looks and results are text: a row is `CLIENT USER a=ACTIVE
 * o=OPENS i=IDLE g=GUEST t=CLIENT_TYPE p=TRANSPORT id=ID`, rows end in `;`, what is left out is
 * not reported. A result is `-client/user:active(reason)`, `+client/user:active`,
 * `~client/user:active(fields)`. */
#include "tests/support/unit.h"

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "tests/support/diff_chain.h"

#define S         SW_NS_PER_S
#define T0        (INT64_C(1795357577) * S)
#define ROWS_MOST 64

static struct sw_str
spec_str(const char *text, int size)
{
    return (struct sw_str){text, (size_t)size};
}

static void
spec_word(struct sw_row *row, const char *word, int size)
{
    const char *equal = memchr(word, '=', (size_t)size);
    if (equal == NULL) {
        *(row->client.data == NULL ? &row->client : &row->user) = spec_str(word, size);
        return;
    }
    const char *value = equal + 1;
    int value_size = (int)(word + size - value);
    switch (word[0]) {
    case 'a':
        row->active = (uint32_t)strtoul(value, NULL, 10);
        break;
    case 'o':
        row->opens = (uint32_t)strtoul(value, NULL, 10);
        break;
    case 'i':
        if (word[1] == 'd') {
            row->id = spec_str(value, value_size);
        } else {
            row->idle = (uint32_t)strtoul(value, NULL, 10);
        }
        break;
    case 'g':
        row->guest = (int8_t)(value[0] - '0');
        break;
    case 't':
        row->client_type = spec_str(value, value_size);
        break;
    default:
        row->transport = spec_str(value, value_size);
    }
}

static size_t
spec_rows(struct sw_row *rows, const char *text)
{
    size_t count = 0;
    while (*text != '\0') {
        assert_true(count < ROWS_MOST);
        rows[count] = SW_ROW_EMPTY;
        while (*text != '\0' && *text != ';') {
            int size = (int)strcspn(text, " ;");
            if (size > 0) {
                spec_word(&rows[count], text, size);
            }
            text += size;
            text += strspn(text, " ");
        }
        text += strspn(text, "; ");
        count++;
    }
    return count;
}

static struct diff_chain chain;
static int64_t wall_ns;
static int64_t boot_ns;
static int64_t took_ns;
static struct sw_buf shown;

static int
setup(void **state)
{
    (void)state;
    diff_chain_init(&chain, 1);
    wall_ns = T0;
    boot_ns = 1000 * S;
    took_ns = 0;
    sw_buf_init(&shown, 65536);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    diff_chain_fini(&chain);
    sw_buf_fini(&shown);
    return 0;
}

static void
show_row(const struct sw_row *row)
{
    sw_buf_add(&shown, row->client.data, row->client.size);
    sw_buf_add_char(&shown, '/');
    sw_buf_add(&shown, row->user.data, row->user.size);
    if (row->active != SW_UNKNOWN) {
        sw_buf_printf(&shown, ":%u", row->active);
    }
}

static void
show_change(const struct sw_change *change)
{
    static const char *const reasons[] = {
        "gone", "server_stopped", "noticed_after_gap", "user_changed"};
    static const char *const fields[] = {"opens", "idle", "guest", "client"};
    sw_buf_add_text(&shown, shown.size > 0 ? " " : "");
    sw_buf_add_char(&shown, "-+~"[change->kind]);
    show_row(change->kind == SW_CLOSED ? &chain.old.snapshot->rows[change->old_row]
                                       : &chain.diff.next.snapshot->rows[change->new_row]);
    if (change->kind == SW_CLOSED) {
        sw_buf_printf(&shown, "(%s)", reasons[change->reason]);
    }
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if ((change->fields & 1u << i) != 0) {
            sw_buf_printf(&shown, "(%s)", fields[i]);
        }
    }
}

static const char *
look(int64_t wall_s, int64_t boot_s, const char *text)
{
    struct sw_row rows[ROWS_MOST];
    size_t count = spec_rows(rows, text);
    const char *problem;
    wall_ns += wall_s * S;
    boot_ns = boot_ns == SW_TIME_NONE ? SW_TIME_NONE : boot_ns + boot_s * S;
    diff_chain_look(&chain, rows, count, wall_ns, boot_ns, took_ns);
    if (!diff_chain_holds(&chain, &problem)) {
        fail_msg("%s", problem);
    }
    sw_buf_clear(&shown);
    for (size_t i = 0; i < chain.diff.count; i++) {
        show_change(&chain.diff.changes[i]);
    }
    return sw_buf_text(&shown);
}

/* Who goes on from whom: "old active>new active" in order of the new rows. */
static const char *
pairs(void)
{
    sw_buf_clear(&shown);
    for (size_t i = 0; i < chain.diff.next.snapshot->count; i++) {
        size_t from = chain.diff.from[i];
        if (from != SW_NO_ROW) {
            sw_buf_printf(&shown, "%s%d>%d", shown.size > 0 ? " " : "",
                (int)chain.old.snapshot->rows[from].active,
                (int)chain.diff.next.snapshot->rows[i].active);
        }
    }
    return sw_buf_text(&shown);
}

/* Two looks, 30 s apart by both clocks. */
static const struct {
    const char *name;
    const char *before;
    const char *after;
    const char *expected;
} cases[] = {
    {"nothing", "", "", ""},
    {"first one", "", "c u a=5", "+c/u:5"},
    {"last one", "c u a=5", "", "-c/u:5(gone)"},
    {"goes on", "c u a=5", "c u a=35", ""},
    {"age cut down at one look only", "c u a=5", "c u a=36", ""},
    {"age cut down at the other look only", "c u a=5", "c u a=34", ""},
    {"reopened: age starts over", "c u a=500", "c u a=10", "-c/u:500(gone) +c/u:10"},
    {"reopened just after the look", "c u a=500", "c u a=30", "-c/u:500(gone) +c/u:30"},
    {"two seconds more, but too old to be new", "c u a=5", "c u a=37", ""},
    {"two seconds less, but too old to be new", "c u a=5", "c u a=33", ""},
    {"other user", "c u a=5", "c v a=35", "-c/u:5(gone) +c/v:35"},
    {"other client", "c u a=5", "d u a=35", "-c/u:5(gone) +d/u:35"},
    {"other client type", "c u a=5 t=x", "c u a=35 t=y", "-c/u:5(gone) +c/u:35"},
    {"other transport", "c u a=5 p=x", "c u a=35 p=y", "-c/u:5(gone) +c/u:35"},
    {"names differ in case", "c u a=5", "c U a=35", "-c/u:5(gone) +c/U:35"},
    {"prefix is another name", "c u a=5", "cc u a=35", "-c/u:5(gone) +cc/u:35"},
    {"no user is not the empty one", "c u a=5; c a=9", "c u a=35; c a=39", ""},
    {"of two equals one goes", "c u a=5; c u a=900", "c u a=930", "-c/u:5(gone)"},
    {"of two equals the old one goes", "c u a=5; c u a=900", "c u a=35", "-c/u:900(gone)"},
    {"a third equal one comes", "c u a=5; c u a=900", "c u a=35; c u a=930; c u a=2", "+c/u:2"},
    {"one goes, one comes", "c u a=90; c u a=900", "c u a=120; c u a=2", "-c/u:900(gone) +c/u:2"},
    {"order in the list does not matter", "c u a=900; b u a=3; c u a=5",
        "c u a=35; c u a=930; b u a=33", ""},
    {"ages unknown throughout", "c u; c u; d u", "c u; d u; d u", "-c/u(gone) +d/u"},
    {"age lost", "c u a=70; c u a=5", "c u a=100; c u", ""},
    {"age found", "c u a=70; c u", "c u a=100; c u a=3", ""},
    {"unknown stays with unknown", "c u a=70; c u", "c u; c u a=3", "-c/u:70(gone) +c/u:3"},
    {"unknown takes the youngest", "c u a=70; c u a=50; c u a=60; x y a=1", "c u; c u; x y a=31",
        "-c/u:70(gone)"},
    {"age above the limit is unknown", "c u a=70", "c u a=4294967290; x y a=1", "+x/y:1"},
    {"closes, opens, in order of rows", "e u a=9; d u a=9", "c u a=9; b u a=9",
        "-d/u:9(gone) -e/u:9(gone) +b/u:9 +c/u:9"},
    /* Clocks. */
    {"server's clock an hour on", "c u a=100; d u a=5", "c u a=3730; d u a=3635; e u a=3",
        "+e/u:3"},
    {"server's clock an hour back", "c u a=9000; d u a=8000; e u a=7",
        "c u a=5430; d u a=4430; e u", ""},
    {"back, and one looks young enough to be new", "c u a=9000; d u a=3590", "c u a=5430; d u a=20",
        ""},
    {"back, only young and unknown ones to tell", "c u a=100; d u a=3590", "c u; d u a=20", ""},
    {"on, and a stranger fits the wrong age", "c u a=1000; c u a=4600; d u a=1; e u a=2",
        "c u a=4630; d u a=3631; e u a=3632", "-c/u:4600(gone)"},
    {"on, with one opened before the step", "c u a=100; d u a=500; e u a=9",
        "c u a=3730; d u a=3611; e u a=3639", "-d/u:500(gone) +d/u:3611"},
    {"too old to be new", "c u a=100; d u a=500", "c u a=5000; d u a=530", ""},
    {"too old, but nobody was there", "d u a=500", "c u a=5000; d u a=530", "+c/u:5000"},
    {"restart of the server brings all back", "c u a=900; d u a=901; e u a=900",
        "c u a=10; d u a=11; e u a=10",
        "-c/u:900(gone) -d/u:901(gone) -e/u:900(gone) +c/u:10 +d/u:11 +e/u:10"},
    /* With ids. */
    {"id decides, not the age", "c u a=5 id=1", "c u a=900 id=1", ""},
    {"other id", "c u a=5 id=1", "c u a=35 id=2", "-c/u:5(gone) +c/u:35"},
    {"id with another user", "c u a=5 id=1; d u id=2", "c v a=35 id=1; d u id=2",
        "-c/u:5(user_changed) +c/v:35"},
    {"id with another client", "c u a=5 id=1", "d u a=35 id=1", "~d/u:35(client)"},
    {"id, user not reported any more", "c u a=5 id=1", "c a=35 id=1", ""},
    {"id, user reported now", "c a=5 id=1", "c u a=35 id=1", ""},
    {"ids lost", "c u a=5 id=1; b v a=7 id=2", "c u a=35; b v a=37", ""},
    {"ids found", "c u a=5; b v a=7", "c u a=35 id=1; b v a=37 id=2", ""},
    {"ids found, and one gone", "c u a=5; c u a=70; b v a=7", "c u a=35 id=9; b v a=37 id=8",
        "-c/u:70(gone)"},
    /* Levels. */
    {"level falls", "c u a=5 i=3 o=1 g=0 t=x p=y", "c u a=35 i=33", ""},
    {"level rises", "c u a=5 i=3", "c u a=35 i=33 o=1 g=0 t=x p=y", ""},
    {"level falls, keys become equal", "c u a=500 p=x; c u a=5 p=y", "c u a=35; c u a=530", ""},
    {"level falls, oldest in the other part", "c u a=5 p=x; c u a=500 p=y; b w a=1 p=z",
        "c u a=35; c u a=530; b w a=31", ""},
    {"level falls, one gone", "c u a=5 p=x; c u a=500 p=y", "c u a=530", "-c/u:5(gone)"},
    {"users not reported any more", "c u a=50; c v a=5", "c a=35; c a=80", ""},
};

static void
cases_by_row(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        teardown(state);
        setup(state);
        look(0, 0, cases[i].before);
        const char *result = look(30, 30, cases[i].after);
        if (strcmp(result, cases[i].expected) != 0) {
            fail_msg("%s: got '%s', not '%s'", cases[i].name, result, cases[i].expected);
        }
    }
}

static void
first_look_opens_all(void **state)
{
    (void)state;
    assert_string_equal(look(0, 0, "c u a=61 o=2 i=5 g=1; b v"), "+b/v +c/u:61");
    const struct sw_track *unknown = &chain.diff.next.tracks[0];
    const struct sw_track *known = &chain.diff.next.tracks[1];
    assert_int_equal(unknown->start_ns, T0);
    assert_int_equal(unknown->start_from, SW_START_FIRST_SEEN);
    assert_int_equal(known->start_ns, T0 - 61 * S);
    assert_int_equal(known->start_from, SW_START_SERVER);
    assert_int_equal(known->told_opens, 2);
    assert_int_equal(known->told_idle, 5);
    assert_int_equal(known->told_guest, 1);
    assert_int_equal(chain.diff.next.boot_ns, boot_ns);
    assert_int_equal(chain.diff.opened, 2);
}

static void
start_is_never_changed(void **state)
{
    (void)state;
    look(0, 0, "c u; c v a=10");
    look(30, 30, "c u a=100; c v a=41");
    look(30, 30, "c u a=130; c v a=3671");
    assert_int_equal(chain.diff.next.tracks[0].start_ns, T0);
    assert_int_equal(chain.diff.next.tracks[1].start_ns, T0 - 10 * S);
    assert_int_equal(chain.diff.clock_moved, 1);
    assert_int_equal(chain.diff.clock_shift_s, 3600);
}

static void
reason_comes_from_the_poller(void **state)
{
    (void)state;
    look(0, 0, "c u a=5 id=1; d u a=5 id=2");
    chain.reason = SW_SERVER_STOPPED;
    assert_string_equal(
        look(30, 30, "c v a=2 id=1"), "-c/u:5(user_changed) -d/u:5(server_stopped) +c/v:2");
}

static void
equal_rows_keep_the_smallest_ids(void **state)
{
    (void)state;
    look(0, 0, "c u a=5 o=3; c u a=5 o=1; c u a=5 o=2; b u a=5");
    struct sw_uuid last = chain.diff.next.tracks[3].session_id;
    look(30, 30, "c u a=35 o=9; c u a=35 o=9; b u a=35");
    assert_int_equal(chain.diff.closed, 1);
    assert_memory_equal(
        &chain.old.tracks[chain.diff.changes[0].old_row].session_id, &last, sizeof(last));
}

/* The order of the rows among themselves changes with opens, so row order is not id order. */
static void
equal_rows_keep_the_smallest_ids_whatever_their_order(void **state)
{
    (void)state;
    look(0, 0, "c u a=5 o=1");
    look(30, 30, "c u a=35 o=9; c u o=1");
    struct sw_uuid later = chain.diff.next.tracks[1].session_id;
    look(30, 30, "c u o=9; c u o=1");
    look(30, 30, "c u o=0");
    assert_int_equal(chain.diff.closed, 1);
    assert_memory_equal(
        &chain.old.tracks[chain.diff.changes[0].old_row].session_id, &later, sizeof(later));
}

static void
unknown_ages_close_the_largest_id(void **state)
{
    (void)state;
    look(0, 0, "c u; c u; c u");
    struct sw_uuid first = chain.diff.next.tracks[0].session_id;
    assert_string_equal(look(30, 30, "c u"), "-c/u(gone) -c/u(gone)");
    assert_memory_equal(&chain.diff.next.tracks[0].session_id, &first, sizeof(first));
}

static void
clocks_that_disagree_are_tried_one_by_one(void **state)
{
    (void)state;
    /* Our wall clock jumps an hour on. */
    look(0, 0, "c u a=5000; c u a=3000");
    assert_string_equal(look(3630, 30, "c u a=3030"), "-c/u:5000(gone)");
    /* Our machine sleeps for an hour, and its boot clock with it. */
    assert_string_equal(look(3630, 30, "c u a=6660; c u a=2000"), "+c/u:2000");
    assert_string_equal(pairs(), "3030>6660");
    /* A pause with a close and an open whose growth lies between the clocks. */
    assert_string_equal(look(3630, 30, "c u a=10290; c u a=3000"), "-c/u:2000(gone) +c/u:3000");
    /* The wall clock jumps back. */
    assert_string_equal(look(-3600, 30, "c u a=10320; c u a=3030; c u a=29"), "+c/u:29");
    assert_int_equal(chain.diff.clock_moved, 0);
    /* Nothing fits either clock: something between is better than a false pair. */
    assert_string_equal(look(3600, 30, "c u a=11320; c u a=4030; c u a=1029"), "");
}

static void
wall_clock_alone_may_be_wrong(void **state)
{
    (void)state;
    look(0, 0, "c u a=100; d u a=300; e u a=900; f u a=1500");
    boot_ns = SW_TIME_NONE;
    assert_string_equal(
        look(7230, 0, "c u a=130; d u a=330; e u a=930; f u a=20"), "-f/u:1500(gone) +f/u:20");
    assert_int_equal(chain.diff.clock_shift_s, -7200);
    /* Sessions that began together and are back together: the server was restarted twice. */
    look(600, 0, "c u a=10; d u a=11; e u a=9; f u a=14");
    assert_string_equal(look(7200, 0, "c u a=20; d u a=21; e u a=19"),
        "-c/u:10(gone) -d/u:11(gone) -e/u:9(gone) -f/u:14(gone) +c/u:20 +d/u:21 +e/u:19");
    look(600, 0, "c u a=130; d u a=330; e u a=930; f u a=20");
    /* Back together: an hour passed, and the server was restarted. */
    assert_string_equal(look(3600, 0, "c u a=20; d u a=21; e u a=22"),
        "-c/u:130(gone) -d/u:330(gone) -e/u:930(gone) -f/u:20(gone) +c/u:20 +d/u:21 +e/u:22");
}

static void
two_clocks_pair_oldest_with_oldest(void **state)
{
    (void)state;
    look(0, 0, "c u a=100; c u a=200; c u a=300; d u a=1");
    assert_string_equal(look(30, 30, "c u a=9000; c u a=7000; c u a=330; d u a=31"), "");
    assert_string_equal(pairs(), "200>9000 100>7000 300>330 1>31");
    assert_int_equal(chain.diff.clock_moved, 2);
}

static void
looks_that_take_long_widen_the_window(void **state)
{
    (void)state;
    took_ns = 5 * S;
    look(0, 0, "c u a=100");
    assert_string_equal(look(30, 30, "c u a=136"), "");
    assert_int_equal(chain.diff.clock_moved, 0);
    assert_string_equal(look(30, 30, "c u a=160"), "");
    assert_int_equal(chain.diff.clock_moved, 0);
}

static void
fields_not_reported_are_kept(void **state)
{
    (void)state;
    look(0, 0, "c u a=500 o=4 i=9 g=1 t=x p=y; c u a=5 o=1 i=2 g=0 t=v p=w");
    assert_string_equal(look(30, 30, "c u i=32; c u i=39; b n i=1"), "+b/n");
    const struct sw_baseline *next = &chain.diff.next;
    assert_int_equal(next->reported, SW_REPORTED_USER | SW_REPORTED_IDLE);
    assert_int_equal(next->snapshot->reported, next->reported | SW_REPORTED_OPENS |
                                                   SW_REPORTED_ACTIVE | SW_REPORTED_GUEST |
                                                   SW_REPORTED_CLIENT_TYPE | SW_REPORTED_TRANSPORT);
    const struct sw_row *row = &next->snapshot->rows[2];
    assert_true(sw_str_is(row->client_type, "x") && sw_str_is(row->transport, "y"));
    assert_int_equal(row->active, 530);
    assert_int_equal(row->opens, 4);
    assert_int_equal(row->guest, 1);
    assert_int_equal(next->snapshot->rows[0].opens, SW_UNKNOWN);
    assert_int_equal(next->snapshot->taken_at_ns, wall_ns);
    /* Kept fields are told but match nothing: of the two that look the same now, the one with the
     * larger session id goes, though its kept age would fit. */
    assert_string_equal(look(30, 30, "c u a=560 t=x p=y; b n a=45 t=x p=y"), "-c/u:530(gone)");
}

static void
kept_fields_last_while_the_level_is_low(void **state)
{
    (void)state;
    look(0, 0, "b u a=7 p=y; c u a=5 p=x");
    for (int i = 1; i < 5; i++) {
        char text[64];
        snprintf(text, sizeof(text), "b u a=%d; c u a=%d", 7 + 30 * i, 5 + 30 * i);
        assert_string_equal(look(30, 30, text), "");
        assert_true(sw_str_is(chain.diff.next.snapshot->rows[1].transport, "x"));
        assert_int_equal(chain.diff.next.reported, SW_REPORTED_USER | SW_REPORTED_ACTIVE);
    }
    assert_string_equal(look(30, 30, "b u a=157 p=y; c u a=155 p=x"), "");
}

static void
ids_are_not_kept(void **state)
{
    (void)state;
    look(0, 0, "c u a=5 o=1 id=1; d u a=5 o=1 id=2");
    look(30, 30, "c u a=35; d u a=35; e u a=1");
    assert_int_equal(chain.diff.next.snapshot->reported & SW_REPORTED_ID, 0);
    assert_null(chain.diff.next.snapshot->rows[0].id.data);
    assert_int_equal(chain.diff.next.snapshot->rows[0].opens, 1);
}

static void
opens_are_told_by_delta(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        const char *expected;
    } steps[] = {
        {"c u o=12", ""},
        {"c u o=14", ""},
        {"c u o=15", "~c/u(opens)"},
        {"c u o=19", ""},
        {"c u o=11", ""},
        {"c u o=10", "~c/u(opens)"},
        {"c u", ""},
        {"c u o=14", ""},
        {"c u o=4000000000", "~c/u(opens)"},
        {"c u o=0", "~c/u(opens)"},
    };
    chain.rules.opens_delta = 5;
    look(0, 0, "c u o=10");
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        assert_string_equal(look(30, 30, steps[i].row), steps[i].expected);
    }
    chain.rules.opens_delta = 0;
    assert_string_equal(look(30, 30, "c u o=9000"), "");
}

static void
first_reported_value_is_taken_silently(void **state)
{
    (void)state;
    static const int64_t borders[] = {300 * S};
    chain.rules = (struct sw_diff_rules){1, borders, 1, true};
    look(0, 0, "c u");
    assert_string_equal(look(30, 30, "c u o=7 i=900 g=1"), "");
    assert_string_equal(look(30, 30, "c u o=8 i=0 g=0"), "~c/u(opens)(idle)(guest)");
}

static void
idle_is_told_by_bucket(void **state)
{
    (void)state;
    static const int64_t borders[] = {2 * S, 300 * S, 3600 * S};
    static const struct {
        const char *row;
        const char *expected;
    } steps[] = {
        {"c u i=1", ""},
        {"c u i=2", "~c/u(idle)"},
        {"c u i=1", ""},
        {"c u i=299", ""},
        {"c u i=300", "~c/u(idle)"},
        {"c u i=299", ""},
        {"c u i=301", ""},
        {"c u i=270", ""},
        {"c u i=269", "~c/u(idle)"},
        {"c u i=4000", "~c/u(idle)"},
        {"c u i=3240", ""},
        {"c u i=310", "~c/u(idle)"},
        {"c u", ""},
        {"c u i=0", "~c/u(idle)"},
        {"c u i=0", ""},
    };
    chain.rules = (struct sw_diff_rules){0, borders, 3, false};
    look(0, 0, "c u i=0");
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        const char *result = look(30, 30, steps[i].row);
        if (strcmp(result, steps[i].expected) != 0) {
            fail_msg("step %zu, %s: got '%s'", i, steps[i].row, result);
        }
    }
}

static void
border_below_a_second_is_left_at_zero(void **state)
{
    (void)state;
    static const int64_t borders[] = {S / 2};
    chain.rules = (struct sw_diff_rules){0, borders, 1, false};
    look(0, 0, "c u i=1");
    assert_string_equal(look(30, 30, "c u i=0"), "~c/u(idle)");
    assert_string_equal(look(30, 30, "c u i=1"), "~c/u(idle)");
}

static void
guest_is_told_when_flags_are(void **state)
{
    (void)state;
    look(0, 0, "c u g=0");
    assert_string_equal(look(30, 30, "c u g=1"), "");
    chain.rules.flags = true;
    assert_string_equal(look(30, 30, "c u g=1"), "~c/u(guest)");
    assert_string_equal(look(30, 30, "c u"), "");
    assert_string_equal(look(30, 30, "c u g=1"), "");
    assert_string_equal(look(30, 30, "c u g=0"), "~c/u(guest)");
}

static void
changes_come_with_both_rows(void **state)
{
    (void)state;
    chain.rules.flags = true;
    look(0, 0, "a u a=1 g=0; b u a=1 g=0; c u a=1 g=0");
    assert_string_equal(look(30, 30, "b u a=31 g=1; c u a=31 g=1; d u a=1 g=0"),
        "-a/u:1(gone) +d/u:1 ~b/u:31(guest) ~c/u:31(guest)");
    assert_int_equal(chain.diff.changes[3].old_row, 2);
    assert_int_equal(chain.diff.changes[3].new_row, 1);
    assert_int_equal(chain.diff.changed, 2);
}

static void
ages_and_times_at_their_ends(void **state)
{
    (void)state;
    wall_ns = INT64_MIN;
    boot_ns = SW_TIME_NONE;
    look(0, 0, "c u a=2147483647; d u a=0");
    assert_int_equal(chain.diff.next.tracks[0].start_ns, INT64_MIN);
    wall_ns = INT64_MAX;
    assert_string_equal(look(0, 0, "c u a=2147483647; d u a=2147483647"),
        "-c/u:2147483647(gone) -d/u:0(gone) +c/u:2147483647 +d/u:2147483647");
    wall_ns = INT64_MIN;
    assert_string_equal(look(0, 0, "c u a=2147483647; d u a=0"), "-d/u:2147483647(gone) +d/u:0");
}

static void
elapsed_is_what_the_clocks_say(void **state)
{
    (void)state;
    struct sw_elapsed e = sw_elapsed_between(5 * S, T0, S, 35 * S, T0 + 31 * S, 2 * S);
    assert_int_equal(e.min_ns, 28 * S);
    assert_int_equal(e.max_ns, 32 * S);
    e = sw_elapsed_between(5 * S, T0, 0, 35 * S, T0 - 3570 * S, 0);
    assert_int_equal(e.min_ns, 0);
    assert_int_equal(e.max_ns, 30 * S);
    e = sw_elapsed_between(SW_TIME_NONE, T0, 0, 35 * S, T0 + 40 * S, 0);
    assert_int_equal(e.min_ns, 40 * S);
    assert_int_equal(e.max_ns, 40 * S);
    e = sw_elapsed_between(35 * S, T0, 0, SW_TIME_NONE, T0 - S, 0);
    assert_int_equal(e.min_ns, 0);
    assert_int_equal(e.max_ns, 0);
    e = sw_elapsed_between(35 * S, T0, -1, 36 * S, T0 + S, 9 * S);
    assert_int_equal(e.min_ns, 0);
    assert_int_equal(e.max_ns, S);
    e = sw_elapsed_between(SW_TIME_NONE, INT64_MIN, S, SW_TIME_NONE, INT64_MAX, S);
    assert_int_equal(e.max_ns, INT64_MAX);
}

static void
empty_things_can_be_freed(void **state)
{
    (void)state;
    struct sw_diff diff = {0};
    sw_diff_fini(&diff);
    sw_diff_fini(&diff);
    sw_baseline_free(NULL);
    struct sw_baseline baseline = {0};
    sw_baseline_free(&baseline);
    sw_baseline_free(&baseline);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cases_by_row),
        TEST(first_look_opens_all),
        TEST(start_is_never_changed),
        TEST(reason_comes_from_the_poller),
        TEST(equal_rows_keep_the_smallest_ids),
        TEST(equal_rows_keep_the_smallest_ids_whatever_their_order),
        TEST(unknown_ages_close_the_largest_id),
        TEST(clocks_that_disagree_are_tried_one_by_one),
        TEST(wall_clock_alone_may_be_wrong),
        TEST(two_clocks_pair_oldest_with_oldest),
        TEST(looks_that_take_long_widen_the_window),
        TEST(fields_not_reported_are_kept),
        TEST(kept_fields_last_while_the_level_is_low),
        TEST(ids_are_not_kept),
        TEST(opens_are_told_by_delta),
        TEST(first_reported_value_is_taken_silently),
        TEST(idle_is_told_by_bucket),
        TEST(border_below_a_second_is_left_at_zero),
        TEST(guest_is_told_when_flags_are),
        TEST(changes_come_with_both_rows),
        TEST(ages_and_times_at_their_ends),
        TEST(elapsed_is_what_the_clocks_say),
        TEST(empty_things_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
