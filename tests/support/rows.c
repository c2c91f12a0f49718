#include "tests/support/rows.h"

const struct sw_str rows_hostile_names[] = {
    {"", 0},
    {"alice", 5},
    {"EXAMPLE\\alice", 13},
    {"\\\\10.0.0.5", 10},
    {"10.0.0.5", 8},
    {"a\nb\r\tc", 6},
    {"quote\"back\\slash]bracket|pipe", 28},
    {"<!channel> @everyone", 20},
    {"\0nul\0", 5},
    {"\0", 1},
    {"a\0", 2},
    {"a", 1},
    {"\xFF\xFE\x80", 3},
    {"\xED\xA0\xBD", 3},             /* a high surrogate alone */
    {"\xED\xB8\x80", 3},             /* a low one */
    {"\xED\xA0\xBD\xED\xB8\x80", 6}, /* both, as CESU-8 writes a pair */
    {"\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80\xED\xB8\x80", 12},
    {"\xF0\x9F\x98\x80", 4},
    {"\xF0\x9F\x98", 3},
    {"\xE2\x80\xAEgnp.exe", 10},     /* U+202E turns the reading direction */
    {"\xE2\x80\xA8\xE2\x80\xA9", 6}, /* line and paragraph separators */
    {"\x1B[2J\x07\x7F", 6},
    {"\xC2\x9B"
     "31m",
        5}, /* C1 */
    {"${env:HOME} %n %s \\u0041", 25},
};

const size_t rows_hostile_count = sizeof(rows_hostile_names) / sizeof(rows_hostile_names[0]);

uint32_t
rows_random(uint64_t *seed, uint32_t limit)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 16) % limit;
}

static struct sw_str
rows_random_name(uint64_t *seed)
{
    return rows_hostile_names[rows_random(seed, (uint32_t)rows_hostile_count)];
}

static struct sw_str
rows_random_or_none(uint64_t *seed)
{
    return rows_random(seed, 3) > 0 ? rows_random_name(seed) : (struct sw_str){NULL, 0};
}

static uint32_t
rows_random_count(uint64_t *seed)
{
    static const uint32_t counts[] = {0, 1, 2, 61, 86400, SW_ACTIVE_MAX, SW_UNKNOWN};
    return counts[rows_random(seed, sizeof(counts) / sizeof(counts[0]))];
}

struct sw_row
rows_random_row(uint64_t *seed)
{
    return (struct sw_row){
        .client = rows_random_name(seed),
        .user = rows_random_or_none(seed),
        .client_type = rows_random_or_none(seed),
        .transport = rows_random_or_none(seed),
        .opens = rows_random_count(seed),
        .active = rows_random_count(seed),
        .idle = rows_random_count(seed),
        .guest = (int8_t)((int)rows_random(seed, 3) - 1),
    };
}

static bool
rows_names_equal(struct sw_str a, struct sw_str b)
{
    return (a.data == NULL) == (b.data == NULL) && sw_str_equal(a, b);
}

bool
rows_equal(const struct sw_row *a, const struct sw_row *b)
{
    return rows_names_equal(a->id, b->id) && rows_names_equal(a->client, b->client) &&
           rows_names_equal(a->user, b->user) && rows_names_equal(a->client_type, b->client_type) &&
           rows_names_equal(a->transport, b->transport) && a->opens == b->opens &&
           a->active == b->active && a->idle == b->idle && a->guest == b->guest;
}

bool
rows_snapshots_equal(const struct sw_snapshot *a, const struct sw_snapshot *b)
{
    if (a->count != b->count || a->reported != b->reported || a->level != b->level ||
        !sw_str_equal(a->server, b->server)) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!rows_equal(&a->rows[i], &b->rows[i])) {
            return false;
        }
    }
    return true;
}
