#include "config/key_text.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/string.h"

static void
key_add_largest(struct sw_buf *buf, uint64_t number, const uint64_t *factors,
    const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (number % factors[i] == 0 && number > 0) {
            sw_buf_printf(buf, "%" PRIu64 "%s", number / factors[i], names[i]);
            return;
        }
    }
    sw_buf_add_uint(buf, number);
}

void
sw_key_add_duration(struct sw_buf *buf, int64_t duration_ns)
{
    static const uint64_t factors[] = {UINT64_C(86400000000000), UINT64_C(3600000000000),
        UINT64_C(60000000000), UINT64_C(1000000000), UINT64_C(1000000)};
    static const char *const names[] = {"d", "h", "m", "s", "ms"};
    key_add_largest(buf, (uint64_t)duration_ns, factors, names, 5);
}

void
sw_key_add_size(struct sw_buf *buf, uint64_t size)
{
    static const uint64_t factors[] = {UINT64_C(1) << 30, UINT64_C(1000000000), UINT64_C(1) << 20,
        UINT64_C(1000000), UINT64_C(1) << 10, UINT64_C(1000), 1};
    static const char *const names[] = {"GiB", "GB", "MiB", "MB", "KiB", "KB", "B"};
    key_add_largest(buf, size, factors, names, 7);
}

void
sw_key_add_rate(struct sw_buf *buf, int64_t per_second)
{
    sw_buf_add_int(buf, per_second);
    sw_buf_add_text(buf, per_second != 0 ? "/s" : "");
}

static void
key_add_number(struct sw_buf *buf, const struct sw_key *key, int64_t number)
{
    if (key->type == SW_KEY_DURATION) {
        sw_key_add_duration(buf, number);
    } else if (key->type == SW_KEY_SIZE) {
        sw_key_add_size(buf, (uint64_t)number);
    } else if (key->type == SW_KEY_RATE) {
        sw_key_add_rate(buf, number);
    } else {
        sw_buf_add_int(buf, number);
    }
}

/* ", 1 to 10" or ", 1 or more", and what is counted; nothing when all is allowed. */
static void
key_add_range(struct sw_buf *buf, const struct sw_key *key, const char *counted)
{
    if (key->min == 0 && key->max == 0) {
        return;
    }
    sw_buf_add_text(buf, key->or_zero ? ", 0 or " : ", ");
    if (key->min == 0 && counted[0] != '\0') {
        sw_buf_add_text(buf, "at most ");
        key_add_number(buf, key, key->max);
    } else {
        key_add_number(buf, key, key->min);
        sw_buf_add_text(buf, key->max > 0 ? " to " : " or more");
        if (key->max > 0) {
            key_add_number(buf, key, key->max);
        }
    }
    sw_buf_add_text(buf, counted);
}

static const char *
key_counted(const struct sw_key *key)
{
    switch (key->type) {
    case SW_KEY_STRING:
    case SW_KEY_PATH:
    case SW_KEY_SECRET:
        return " bytes";
    case SW_KEY_STRINGS:
    case SW_KEY_SECRETS:
    case SW_KEY_DURATIONS:
        return " items";
    case SW_KEY_PAIRS:
        return " pairs";
    default:
        return "";
    }
}

static void
key_describe_one_of(struct sw_buf *buf, const struct sw_key *keys)
{
    for (const struct sw_key *key = keys; key->name != NULL; key++) {
        sw_buf_printf(buf, "%s%s", key == keys ? "one of " : ", ", key->name);
    }
}

void
sw_key_describe(struct sw_buf *buf, const struct sw_key *key)
{
    static const char *const kinds[] = {
        [SW_KEY_STRING] = "text",
        [SW_KEY_PATH] = "a path",
        [SW_KEY_SECRET] = "a secret",
        [SW_KEY_BOOL] = "true or false",
        [SW_KEY_INT] = "a whole number",
        [SW_KEY_SIZE] = "a size in B, KB, MB, GB, KiB, MiB or GiB",
        [SW_KEY_DURATION] = "a duration in ms, s, m, h or d",
        [SW_KEY_RATE] = "a rate such as 2000/s",
        [SW_KEY_STRINGS] = "a list of texts such as [a, b]",
        [SW_KEY_SECRETS] = "a secret, or a list of secrets",
        [SW_KEY_DURATIONS] = "an ascending list of durations such as [5m, 1h]",
        [SW_KEY_PAIRS] = "names with texts such as {name: text}",
        [SW_KEY_MAP] = "keys below it",
        [SW_KEY_NODE] = "keys below it",
    };
    if (key->type == SW_KEY_WORD) {
        sw_key_add_names(buf, key->words, " | ");
    } else if (key->one_of) {
        key_describe_one_of(buf, key->keys);
    } else {
        sw_buf_add_text(buf, kinds[key->type]);
        key_add_range(buf, key, key_counted(key));
    }
}

void
sw_key_add_names(struct sw_buf *buf, const char *const *names, const char *between)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        sw_buf_add_text(buf, i > 0 ? between : "");
        sw_buf_add_text(buf, names[i]);
    }
}

void
sw_key_add_nearest(struct sw_buf *buf, const char *name, const char *const *names)
{
    const char *nearest = NULL;
    size_t best = strlen(name) / 3 + 1;
    for (size_t i = 0; names[i] != NULL; i++) {
        size_t distance = sw_edit_distance(name, names[i]);
        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = names[i];
        }
    }
    if (nearest != NULL && best < strlen(nearest)) {
        sw_buf_printf(buf, "; did you mean '%s'?", nearest);
    }
}
