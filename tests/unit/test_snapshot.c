#include "tests/support/unit.h"

#include "agent/base/time_text.h"
#include "agent/snapshot.h"
#include "tests/support/rows.h"

static const struct sw_globs none = {NULL, 0};

static struct sw_row
row_of(const char *client, const char *user, uint32_t active)
{
    struct sw_row row = SW_ROW_EMPTY;
    row.client = sw_str_of(client);
    row.user = sw_str_of(user);
    row.active = active;
    return row;
}

static void
add(struct sw_builder *builder, struct sw_row row)
{
    struct sw_err err;
    if (!sw_builder_add(builder, &row, &err)) {
        fail_msg("%s", err.text);
    }
}

static void
add_id(struct sw_builder *builder, const char *id)
{
    struct sw_row row = row_of("c", "u", 1);
    row.id = sw_str_of(id);
    add(builder, row);
}

static struct sw_snapshot *
finish(struct sw_builder *builder)
{
    struct sw_err err = {0};
    struct sw_snapshot *snapshot = sw_builder_finish(builder, none, none, NULL, &err);
    if (snapshot == NULL) {
        fail_msg("%s", err.text);
    }
    return snapshot;
}

static void
test_empty_look_is_a_snapshot(void **state)
{
    (void)state;
    struct sw_builder *builder = sw_builder_new();
    struct sw_snapshot *snapshot = finish(builder);
    assert_int_equal(snapshot->count, 0);
    assert_int_equal(snapshot->reported, 0);
    assert_int_equal(snapshot->level, -1);
    assert_int_equal(snapshot->server.size, 0);
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
    sw_snapshot_free(NULL);
    sw_builder_free(NULL);
}

static void
test_sorted_by_key_then_oldest_first_unknown_last(void **state)
{
    (void)state;
    static const struct {
        const char *client, *user;
        uint32_t active;
    } sorted[] = {{"a", "x", 9}, {"a", "x", 3}, {"a", "x", SW_UNKNOWN}, {"a", "y", 100},
        {"a0", "a", 1}, {"b", "", 5}, {"b", "x", 0}};
    struct sw_builder *builder = sw_builder_new();
    static const size_t order[] = {4, 2, 6, 0, 5, 3, 1};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        add(builder,
            row_of(sorted[order[i]].client, sorted[order[i]].user, sorted[order[i]].active));
    }
    struct sw_snapshot *snapshot = finish(builder);
    assert_int_equal(snapshot->count, COUNT_OF(sorted));
    for (size_t i = 0; i < COUNT_OF(sorted); i++) {
        assert_true(sw_str_is(snapshot->rows[i].client, sorted[i].client));
        assert_true(sw_str_is(snapshot->rows[i].user, sorted[i].user));
        assert_int_equal(snapshot->rows[i].active, sorted[i].active);
    }
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
}

static void
test_sorted_by_id_when_there_are_ids(void **state)
{
    (void)state;
    struct sw_builder *builder = sw_builder_new();
    add_id(builder, "20");
    add_id(builder, "3");
    add_id(builder, "100000000000000000000000000000002");
    add_id(builder, "100000000000000000000000000000001");
    struct sw_snapshot *snapshot = finish(builder);
    assert_true(sw_str_is(snapshot->rows[0].id, "100000000000000000000000000000001"));
    assert_true(sw_str_is(snapshot->rows[1].id, "100000000000000000000000000000002"));
    assert_true(sw_str_is(snapshot->rows[2].id, "20"));
    assert_true(sw_str_is(snapshot->rows[3].id, "3"));
    assert_true((snapshot->reported & SW_REPORTED_ID) != 0);
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
}

static void
test_ids_twice_or_on_some_rows_only_fail(void **state)
{
    (void)state;
    struct sw_err err;
    struct sw_builder *builder = sw_builder_new();
    add_id(builder, "7\n");
    add_id(builder, "8");
    add_id(builder, "7\n");
    assert_null(sw_builder_finish(builder, none, none, NULL, &err));
    assert_string_equal(err.text, "two sessions have the id '7\\u{A}'");
    assert_int_equal(sw_builder_count(builder), 0);

    add_id(builder, "7");
    add(builder, row_of("c", "u", 1));
    assert_null(sw_builder_finish(builder, none, none, NULL, &err));
    assert_contains(err.text, "1 of 2 sessions have an id");

    add_id(builder, "");
    add_id(builder, "");
    struct sw_snapshot *snapshot = finish(builder);
    assert_null(snapshot->rows[0].id.data);
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
}

static void
test_absent_and_empty_stay_apart(void **state)
{
    (void)state;
    struct sw_builder *builder = sw_builder_new();
    add(builder, row_of("c", NULL, 2));
    add(builder, row_of("c", "", 1));
    struct sw_snapshot *snapshot = finish(builder);
    assert_null(snapshot->rows[0].user.data);
    assert_non_null(snapshot->rows[1].user.data);
    assert_int_equal(snapshot->rows[1].user.size, 0);
    assert_int_equal(snapshot->reported, SW_REPORTED_USER | SW_REPORTED_ACTIVE);
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
}

static void
test_reported_says_what_any_row_has(void **state)
{
    (void)state;
    struct sw_builder *builder = sw_builder_new();
    struct sw_row row = row_of("c", NULL, SW_UNKNOWN);
    row.guest = 0;
    add(builder, row);
    row = row_of("d", NULL, SW_ACTIVE_MAX + 1);
    row.opens = 0;
    row.idle = 0;
    row.transport = SW_STR("t");
    row.client_type = SW_STR("");
    add(builder, row);
    struct sw_snapshot *snapshot = finish(builder);
    assert_int_equal(snapshot->reported, SW_REPORTED_GUEST | SW_REPORTED_OPENS | SW_REPORTED_IDLE |
                                             SW_REPORTED_TRANSPORT | SW_REPORTED_CLIENT_TYPE);
    assert_int_equal(snapshot->rows[1].active, SW_UNKNOWN);
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
}

static void
test_facts_go_along_and_outlive_the_builder(void **state)
{
    (void)state;
    struct sw_builder *builder = sw_builder_new();
    char server[] = "fs01";
    sw_builder_set_server(builder, SW_STR("other"));
    sw_builder_set_server(builder, sw_str_of(server));
    memset(server, 'x', 4);
    sw_builder_facts(builder)->taken_at_ns = 5;
    sw_builder_facts(builder)->took_ns = 6;
    sw_builder_facts(builder)->level = 502;
    add(builder, row_of("c", "u", 1));
    struct sw_snapshot *snapshot = finish(builder);
    assert_int_equal(sw_builder_facts(builder)->level, 502);
    sw_builder_clear(builder);
    assert_int_equal(sw_builder_facts(builder)->level, -1);
    assert_int_equal(sw_builder_facts(builder)->taken_at_ns, SW_TIME_NONE);
    assert_int_equal(sw_builder_facts(builder)->position, -1);
    assert_int_equal(sw_builder_facts(builder)->server.size, 0);
    sw_builder_free(builder);
    assert_true(sw_str_is(snapshot->server, "fs01"));
    assert_int_equal(snapshot->taken_at_ns, 5);
    assert_int_equal(snapshot->took_ns, 6);
    assert_int_equal(snapshot->level, 502);
    assert_true(sw_str_is(snapshot->rows[0].client, "c"));
    sw_snapshot_free(snapshot);
}

static void
test_long_names_are_cut_and_stay_different(void **state)
{
    (void)state;
    size_t size = 64 << 10;
    char *name = malloc(size);
    memset(name, 'n', size);
    memcpy(name + 1023, "\xC3\xA4", 2);
    struct sw_builder *builder = sw_builder_new();
    struct sw_row row = SW_ROW_EMPTY;
    row.client = (struct sw_str){name, size};
    add(builder, row);
    name[size - 1] = 'o';
    add(builder, row);
    row.client.size = SW_NAME_MAX;
    add(builder, row);
    row.client.size = SW_NAME_MAX + 1;
    add(builder, row);
    struct sw_snapshot *snapshot = finish(builder);
    size_t whole = 0;
    for (size_t i = 0; i < 4; i++) {
        struct sw_str client = snapshot->rows[i].client;
        if (client.size == SW_NAME_MAX) {
            assert_memory_equal(client.data, name, SW_NAME_MAX);
            whole++;
            continue;
        }
        assert_int_equal(client.size, 1023 + 3 + 64);
        assert_memory_equal(client.data + 1022, "n\xE2\x80\xA6", 4);
        assert_true(i == 0 || !sw_str_equal(client, snapshot->rows[i - 1].client));
    }
    assert_int_equal(whole, 1);
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
    free(name);
}

static size_t
count_after_ignoring(
    const char *client, const char *user, const char *user_glob, const char *client_glob)
{
    struct sw_err err;
    struct sw_builder *builder = sw_builder_new();
    add(builder, row_of(client, user, 1));
    size_t ignored = 99;
    struct sw_snapshot *snapshot =
        sw_builder_finish(builder, (struct sw_globs){&user_glob, user_glob != NULL},
            (struct sw_globs){&client_glob, client_glob != NULL}, &ignored, &err);
    assert_non_null(snapshot);
    size_t count = snapshot->count;
    assert_int_equal(ignored, 1 - count);
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
    return count;
}

static void
test_ignored_rows_are_dropped(void **state)
{
    (void)state;
    assert_int_equal(count_after_ignoring("c", "PC1$", "*$", NULL), 0);
    assert_int_equal(count_after_ignoring("c", "EXAMPLE\\PC1$", "*$", NULL), 0);
    assert_int_equal(count_after_ignoring("c", "PC1$@example.com", "*$", NULL), 0);
    assert_int_equal(count_after_ignoring("c", "EXAMPLE\\svc", "SVC", NULL), 0);
    assert_int_equal(count_after_ignoring("c", "EXAMPLE\\svc", "example\\*", NULL), 0);
    assert_int_equal(count_after_ignoring("c", "alice", "*$", NULL), 1);
    assert_int_equal(count_after_ignoring("c", "svc2", "svc", NULL), 1);
    assert_int_equal(count_after_ignoring("c", "", "", NULL), 0);
    assert_int_equal(count_after_ignoring("c", NULL, "*", NULL), 1);
    assert_int_equal(count_after_ignoring("\\\\10.0.0.5", "u", NULL, "10.0.0.*"), 0);
    assert_int_equal(count_after_ignoring("\\\\[fe80::1]", "u", NULL, "fe80::1"), 0);
    assert_int_equal(count_after_ignoring("\\\\10.0.0.5", "u", NULL, "\\\\10.*"), 0);
    assert_int_equal(count_after_ignoring("10.0.1.5", "u", NULL, "10.0.0.*"), 1);
}

#define RANDOM_ROWS 700

static struct sw_snapshot *
build_shuffled(struct sw_row *rows, size_t count, uint64_t *seed, size_t *added)
{
    struct sw_err err;
    struct sw_builder *builder = sw_builder_new();
    for (size_t i = count; i > 1; i--) {
        size_t other = rows_random(seed, (uint32_t)i);
        struct sw_row row = rows[i - 1];
        rows[i - 1] = rows[other];
        rows[other] = row;
    }
    for (size_t i = 0; i < count; i++) {
        add(builder, rows[i]);
    }
    struct sw_snapshot *snapshot = added != NULL
                                       ? sw_builder_finish_tracked(builder, added, &err)
                                       : sw_builder_finish(builder, none, none, NULL, &err);
    assert_non_null(snapshot);
    sw_builder_free(builder);
    return snapshot;
}

/* One of few, so that any two differ in a field or two only. */
static struct sw_row
nearly_the_same_row(uint64_t *seed)
{
    static const struct sw_str names[] = {{NULL, 0}, {"", 0}, {"u", 1}};
    return (struct sw_row){
        .client = SW_STR("c"),
        .user = names[rows_random(seed, 3)],
        .client_type = names[rows_random(seed, 2)],
        .transport = names[rows_random(seed, 2)],
        .opens = rows_random(seed, 2),
        .active = rows_random(seed, 2) > 0 ? 5 : SW_UNKNOWN,
        .idle = rows_random(seed, 2),
        .guest = (int8_t)((int)rows_random(seed, 2) - 1),
    };
}

static void
check_order(uint64_t seed, struct sw_row (*make)(uint64_t *seed))
{
    struct sw_row rows[RANDOM_ROWS];
    size_t added[RANDOM_ROWS];
    for (size_t i = 0; i < RANDOM_ROWS; i++) {
        rows[i] = make(&seed);
    }
    for (size_t count = 0; count < RANDOM_ROWS; count = count * 2 + 1) {
        struct sw_snapshot *one = build_shuffled(rows, count, &seed, NULL);
        struct sw_snapshot *other = build_shuffled(rows, count, &seed, added);
        assert_true(rows_snapshots_equal(one, other));
        for (size_t i = 0; i < count; i++) {
            assert_true(rows_equal(&other->rows[i], &rows[added[i]]));
            assert_true(
                i == 0 || sw_row_compare_key(&one->rows[i - 1], &one->rows[i], UINT32_MAX) <= 0);
        }
        sw_snapshot_free(one);
        sw_snapshot_free(other);
    }
}

static void
test_order_of_adding_does_not_matter(void **state)
{
    (void)state;
    check_order(42, rows_random_row);
    check_order(43, nearly_the_same_row);
}

static void
test_compare_key_looks_at_the_mask_only(void **state)
{
    (void)state;
    struct sw_row a = row_of("c", "u", 1);
    struct sw_row b = row_of("c", "v", 2);
    a.transport = SW_STR("t");
    assert_int_equal(sw_row_compare_key(&a, &b, 0), 0);
    assert_int_equal(sw_row_compare_key(&a, &b, SW_REPORTED_USER), -1);
    assert_int_equal(sw_row_compare_key(&b, &a, SW_REPORTED_USER), 1);
    assert_int_equal(sw_row_compare_key(&a, &b, SW_REPORTED_TRANSPORT), 1);
    assert_int_equal(sw_row_compare_key(&a, &b, SW_REPORTED_CLIENT_TYPE | SW_REPORTED_ACTIVE), 0);
    b.client_type = SW_STR("");
    assert_int_equal(sw_row_compare_key(&a, &b, SW_REPORTED_CLIENT_TYPE), 0);
    b.client = SW_STR("b");
    assert_int_equal(sw_row_compare_key(&a, &b, 0), 1);
}

/* Equal neighbours share their bytes: a thousand sessions through one transport hold it once. */
static void
test_equal_names_lie_in_memory_once(void **state)
{
    (void)state;
    struct sw_builder *builder = sw_builder_new();
    for (uint32_t i = 0; i < 10; i++) {
        char transport[] = "\\Device\\NetBT_Tcpip";
        char user[] = {(char)('0' + i % 2), '\0'};
        struct sw_row row = row_of("c", user, i);
        row.transport = sw_str_of(transport);
        add(builder, row);
    }
    struct sw_snapshot *snapshot = finish(builder);
    for (size_t i = 0; i < 10; i++) {
        assert_ptr_equal(snapshot->rows[i].transport.data, snapshot->rows[0].transport.data);
        assert_true(sw_str_is(snapshot->rows[i].user, i < 5 ? "0" : "1"));
    }
    assert_ptr_not_equal(snapshot->rows[0].user.data, snapshot->rows[9].user.data);
    sw_snapshot_free(snapshot);
    sw_builder_free(builder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_look_is_a_snapshot),
        cmocka_unit_test(test_sorted_by_key_then_oldest_first_unknown_last),
        cmocka_unit_test(test_sorted_by_id_when_there_are_ids),
        cmocka_unit_test(test_ids_twice_or_on_some_rows_only_fail),
        cmocka_unit_test(test_absent_and_empty_stay_apart),
        cmocka_unit_test(test_reported_says_what_any_row_has),
        cmocka_unit_test(test_facts_go_along_and_outlive_the_builder),
        cmocka_unit_test(test_long_names_are_cut_and_stay_different),
        cmocka_unit_test(test_ignored_rows_are_dropped),
        cmocka_unit_test(test_order_of_adding_does_not_matter),
        cmocka_unit_test(test_compare_key_looks_at_the_mask_only),
        cmocka_unit_test(test_equal_names_lie_in_memory_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
