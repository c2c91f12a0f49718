#include "agent/base/log.h"
#include "agent/platform/platform.h"
#include "config/config.h"

#define KEY(member) offsetof(struct sw_config_agent, member)
#define SECONDS(n)  ((int64_t)(n)*1000000000)

/* In the order of enum sw_config_on_full and enum sw_log_level. */
static const char *const agent_on_full[] = {"oldest", "newest", NULL};
static const char *const agent_log_levels[] = {"error", "warn", "info", "debug", NULL};

const struct sw_key sw_config_agent_keys[] = {
    {.name = "state_dir",
        .type = SW_KEY_PATH,
        .offset = KEY(state_dir),
        .fallback = SW_DEFAULT_STATE_DIR,
        .help = "folder of journal.db and agent.lock; made if missing, for us alone (0700)"},
    {.name = "journal_max",
        .type = SW_KEY_SIZE,
        .offset = KEY(journal_max),
        .fallback = "1GiB",
        .min = 1 << 20,
        .max = INT64_C(1) << 40,
        .help = "how large the journal may become on disk"},
    {.name = "on_full",
        .type = SW_KEY_WORD,
        .offset = KEY(on_full),
        .fallback = "oldest",
        .words = agent_on_full,
        .help = "which events go when the journal is full: the oldest ones, or those that come"},
    {.name = "stop_timeout",
        .type = SW_KEY_DURATION,
        .offset = KEY(stop_timeout_ns),
        .fallback = "5s",
        .max = SECONDS(600),
        .help = "how long sinks may go on sending when the agent is stopped; the rest stays in "
                "the journal"},
    {.name = "heartbeat",
        .type = SW_KEY_DURATION,
        .offset = KEY(heartbeat_ns),
        .fallback = "1h",
        .min = SECONDS(1),
        .max = SECONDS(366 * 86400),
        .or_zero = true,
        .help = "time between two agent-alive events; 0 is off"},
    {.name = "log_level",
        .type = SW_KEY_WORD,
        .offset = KEY(log_level),
        .fallback = "info",
        .words = agent_log_levels,
        .help = "how much the agent says about itself"},
    SW_KEY_END,
};
