#include <stddef.h>

#include "agent/poller.h"

#define KEY(member) offsetof(struct sw_source_settings, member)

static const char *const baseline_words[] = {"silent", "emit", NULL};

static const struct sw_key changed_keys[] = {
    {.name = "opens",
        .type = SW_KEY_INT,
        .offset = offsetof(struct sw_source_settings, changed.opens) -
                  offsetof(struct sw_source_settings, changed),
        .fallback = "0",
        .max = 1000000,
        .help =
            "tell when the number of open files has moved by so much since last told; 0 is never"},
    {.name = "idle",
        .type = SW_KEY_DURATIONS,
        .offset = offsetof(struct sw_source_settings, changed.idle) -
                  offsetof(struct sw_source_settings, changed),
        .help = "tell when the idle time passes one of these borders, as in [15m, 1h]"},
    {.name = "flags",
        .type = SW_KEY_BOOL,
        .offset = offsetof(struct sw_source_settings, changed.flags) -
                  offsetof(struct sw_source_settings, changed),
        .fallback = "true",
        .help = "tell when a session becomes or stops being a guest's"},
    SW_KEY_END,
};

static const struct sw_key ignore_keys[] = {
    {.name = "users",
        .type = SW_KEY_STRINGS,
        .offset = offsetof(struct sw_source_settings, ignore.users) -
                  offsetof(struct sw_source_settings, ignore),
        .max = 1000,
        .help = "globs of users that are left out, as in [\"*$\"] for machine accounts"},
    {.name = "clients",
        .type = SW_KEY_STRINGS,
        .offset = offsetof(struct sw_source_settings, ignore.clients) -
                  offsetof(struct sw_source_settings, ignore),
        .max = 1000,
        .help = "globs of clients that are left out, as in [\"10.0.9.*\"]"},
    SW_KEY_END,
};

const struct sw_key sw_source_settings_keys[] = {
    {.name = "interval",
        .type = SW_KEY_DURATION,
        .offset = KEY(interval_ns),
        .fallback = "30s",
        .min = INT64_C(100) * 1000000,
        .max = INT64_C(86400) * 1000000000,
        .help = "time from one look to the next"},
    {.name = "timeout",
        .type = SW_KEY_DURATION,
        .offset = KEY(timeout_ns),
        .min = INT64_C(100) * 1000000,
        .max = INT64_C(3600) * 1000000000,
        .help = "a look that takes longer has failed; not above interval; left out: 10s, or the "
                "interval if "
                "that is shorter"},
    {.name = "baseline",
        .type = SW_KEY_WORD,
        .offset = KEY(baseline),
        .fallback = "silent",
        .words = baseline_words,
        .help = "whether the sessions of the very first look are told as opened"},
    {.name = "unreachable_after",
        .type = SW_KEY_INT,
        .offset = KEY(unreachable_after),
        .fallback = "2",
        .min = 1,
        .max = 1000,
        .help = "failed looks in a row until source-unreachable is told"},
    {.name = "max_events",
        .type = SW_KEY_INT,
        .offset = KEY(max_events),
        .fallback = "5000",
        .min = 1,
        .max = 1000000,
        .help = "events of one look; the rest is summed up in one source-flooded"},
    {.name = "changed",
        .type = SW_KEY_MAP,
        .offset = KEY(changed),
        .keys = changed_keys,
        .help = "what makes a session-changed"},
    {.name = "ignore",
        .type = SW_KEY_MAP,
        .offset = KEY(ignore),
        .keys = ignore_keys,
        .help = "sessions that are left out of everything"},
    SW_KEY_END,
};

#define DEFAULT_TIMEOUT_NS (INT64_C(10) * 1000000000)

int64_t
sw_source_timeout_ns(const struct sw_source_settings *settings)
{
    if (settings->timeout_ns > 0) {
        return settings->timeout_ns;
    }
    return settings->interval_ns < DEFAULT_TIMEOUT_NS ? settings->interval_ns : DEFAULT_TIMEOUT_NS;
}
