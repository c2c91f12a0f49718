/*
 * How long a diff takes, against a floor measured in the same run: comparing the bytes of both
 * looks (rows and names) and copying those of the tracks, nothing else.
 *
 *   bench_diff [ROUNDS]      prints a table; the median of the rounds counts
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/diff.h"

#define T0         (INT64_C(1795357577) * SW_NS_PER_S)
#define ROUNDS     9
#define ROUNDS_MAX 99

/* What the second look differs in. */
enum kind { UNCHANGED, ONE_PERCENT, REPLACED, ONE_KEY, ONE_AGE, NO_AGES, STEPPED, LEVEL };

struct scenario {
    const char *name;
    size_t count;
    enum kind kind;
    bool ids;
};

static int64_t
now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * SW_NS_PER_S + at.tv_nsec;
}

/* Whether session i of the first look is another one in the second. */
static bool
is_replaced(const struct scenario *scenario, size_t i)
{
    return scenario->kind == REPLACED || (scenario->kind == ONE_PERCENT && i % 100 == 7) ||
           (scenario->kind == ONE_AGE && i % 2 == 0);
}

static struct sw_snapshot *
make_look(const struct scenario *scenario, bool second)
{
    struct sw_globs none = {NULL, 0};
    struct sw_err err;
    struct sw_builder *builder = sw_builder_new();
    sw_builder_facts(builder)->taken_at_ns = second ? T0 + 30 * SW_NS_PER_S : T0;
    for (size_t i = 0; i < scenario->count; i++) {
        char id[24];
        char client[40];
        char user[40];
        bool other = second && is_replaced(scenario, i);
        size_t n = scenario->kind == ONE_KEY || scenario->kind == ONE_AGE ? 0 : i;
        size_t age = scenario->kind == ONE_AGE ? 0 : i * 40503 % 86400;
        struct sw_row row = SW_ROW_EMPTY;
        snprintf(id, sizeof(id), "%zu%s", i * 2654435761u % 4294967291u, other ? "x" : "");
        snprintf(client, sizeof(client), "10.%zu.%zu.%zu", n >> 16, n >> 8 & 255, n & 255);
        snprintf(user, sizeof(user), "EXAMPLE\\user%zu", n % 5000);
        row.id = scenario->ids ? sw_str_of(id) : row.id;
        row.client = sw_str_of(client);
        row.user = sw_str_of(user);
        row.client_type = SW_STR("");
        if (scenario->kind != LEVEL || !second) {
            row.transport = SW_STR("\\Device\\SmbServer");
        }
        row.opens = (uint32_t)(i % 7);
        row.idle = 12;
        row.guest = 0;
        row.active = other ? 3 : (uint32_t)age + (second ? 130 : 100);
        row.active += scenario->kind == STEPPED && second ? 3600 : 0;
        row.active = scenario->kind == NO_AGES ? SW_UNKNOWN : row.active;
        sw_builder_add(builder, &row, &err);
    }
    struct sw_snapshot *snapshot = sw_builder_finish(builder, none, none, NULL, &err);
    sw_builder_free(builder);
    if (snapshot == NULL) {
        fprintf(stderr, "bench_diff: %s\n", err.text);
        exit(1);
    }
    return snapshot;
}

static int
compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double
median_ms(int64_t *times, size_t count)
{
    qsort(times, count, sizeof(*times), compare_times);
    return (double)times[count / 2] / (double)SW_NS_PER_MS;
}

static size_t
names_size(const struct sw_snapshot *snapshot)
{
    const struct sw_row *last = &snapshot->rows[snapshot->count - 1];
    return (size_t)(last->user.data + last->user.size - snapshot->arena);
}

/* The same bytes, touched once, in memory that is as fresh as the diff's. */
static int64_t
floor_once(const struct sw_baseline *old, const struct sw_snapshot *now, volatile int *sink)
{
    size_t rows = old->snapshot->count < now->count ? old->snapshot->count : now->count;
    size_t names = names_size(old->snapshot);
    names = names < names_size(now) ? names : names_size(now);
    int64_t from = now_ns();
    int differ = 0;
    for (size_t i = 0; i < rows; i++) {
        differ += memcmp(&old->snapshot->rows[i], &now->rows[i], sizeof(*now->rows)) != 0;
    }
    for (size_t i = 0; i < names; i += 64) {
        size_t size = names - i < 64 ? names - i : 64;
        differ += memcmp(old->snapshot->arena + i, now->arena + i, size) != 0;
    }
    struct sw_track *tracks = malloc(rows * sizeof(*tracks));
    size_t *index = malloc(rows * sizeof(*index));
    if (tracks != NULL && index != NULL) {
        memcpy(tracks, old->tracks, rows * sizeof(*tracks));
        memset(index, differ, rows * sizeof(*index));
        *sink = tracks[rows / 2].told_guest + (int)index[rows / 3];
    }
    int64_t took = now_ns() - from;
    free(tracks);
    free(index);
    return took;
}

static void
measure(const struct scenario *scenario, size_t rounds)
{
    int64_t diffs[ROUNDS_MAX];
    int64_t floors[ROUNDS_MAX];
    uint64_t seed = 1;
    volatile int sink = 0;
    struct sw_uuid_source ids = {.random = sw_uuid_seeded_random, .context = &seed};
    struct sw_diff_rules rules = {0};
    struct sw_diff diff;
    struct sw_diff_input input = {.boot_ns = 0, .rules = &rules, .ids = &ids};
    struct sw_snapshot *first = make_look(scenario, false);
    struct sw_snapshot *second = make_look(scenario, true);
    sw_diff_run(&diff, &input, &first);
    struct sw_baseline old = sw_diff_take_baseline(&diff);
    sw_diff_fini(&diff);
    input.old = &old;
    input.boot_ns = 30 * SW_NS_PER_S;
    input.elapsed = (struct sw_elapsed){30 * SW_NS_PER_S, 30 * SW_NS_PER_S};
    size_t closed = 0;
    size_t moved = 0;
    for (size_t i = 0; i < rounds; i++) {
        if (scenario->kind == LEVEL && i > 0) {
            sw_snapshot_free(second); /* it has been replaced by one with kept fields */
            second = make_look(scenario, true);
        }
        floors[i] = floor_once(&old, second, &sink);
        int64_t from = now_ns();
        sw_diff_run(&diff, &input, &second);
        diffs[i] = now_ns() - from;
        closed = diff.closed;
        moved = diff.clock_moved;
        second = diff.next.snapshot;
        diff.next.snapshot = NULL; /* moved back for the next round */
        sw_diff_fini(&diff);
    }
    double took = median_ms(diffs, rounds);
    double least = median_ms(floors, rounds);
    printf("%-30s %8zu %4s %8zu %8zu %9.2f %9.2f %7.1f %8.1f\n", scenario->name, scenario->count,
        scenario->ids ? "yes" : "no", closed, moved, took, least, took / least,
        took * 1e6 / (double)scenario->count);
    sw_snapshot_free(second);
    sw_baseline_free(&old);
}

int
main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"unchanged", 100000, UNCHANGED, false},
        {"1 % replaced", 100000, ONE_PERCENT, false},
        {"all replaced", 100000, REPLACED, false},
        {"unchanged", 1000000, UNCHANGED, false},
        {"unchanged", 100000, UNCHANGED, true},
        {"1 % replaced", 100000, ONE_PERCENT, true},
        {"all replaced", 100000, REPLACED, true},
        {"unchanged", 1000000, UNCHANGED, true},
        {"all rows of one key", 100000, ONE_KEY, false},
        {"one key and age, half replaced", 100000, ONE_AGE, false},
        {"level fell: sorted, merged", 100000, LEVEL, false},
        {"no ages", 100000, NO_AGES, false},
        {"server's clock stepped", 100000, STEPPED, false},
    };
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    printf("%-30s %8s %4s %8s %8s %9s %9s %7s %8s\n", "look", "sessions", "ids", "closed", "moved",
        "diff ms", "floor ms", "ratio", "ns/row");
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        measure(&scenarios[i], rounds);
    }
    return 0;
}
