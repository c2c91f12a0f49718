/*
 * The running sources and sinks of one configuration, and how a new configuration takes over:
 * parts whose frozen text is unchanged go on undisturbed, the others are tried, and only when all
 * can begin are the old ones stopped and the new ones built, between two looks or batches.
 *
 * All functions are called on the agent's main thread.
 */
#ifndef SW_PARTS_H
#define SW_PARTS_H

#include "agent/forwarder.h"
#include "agent/poller.h"
#include "config/config.h"

struct sw_parts; /* opaque */

struct sw_parts_options {
    struct sw_journal *journal;
    const struct sw_format_context *format;
    const struct sw_log *log;
    const char *host_name;
    /* The journal that held the baselines was lost: the first looks are told. */
    bool journal_lost;
    /* Where the sinks had been is lost as well: they begin at the oldest event that was saved. */
    bool from_oldest;
};

struct sw_parts *sw_parts_new(const struct sw_parts_options *options);
/* Everything must be stopped. NULL is fine. */
void sw_parts_free(struct sw_parts *parts);

/* Whether every part of the configuration that does not run already could begin. Changes nothing;
 * false: err names the parts that could not. */
bool sw_parts_try(const struct sw_parts *parts, const struct sw_config *config, struct sw_err *err);

/* Makes what runs match the configuration, which it takes over (kept alive as long as any part
 * uses it). Sinks first, so that they hear of everything. false: err names the parts that could
 * not be built; all others run. */
bool sw_parts_apply(struct sw_parts *parts, struct sw_config *config, struct sw_err *err);

/* Starts what sw_parts_apply has built. */
bool sw_parts_start(struct sw_parts *parts, struct sw_err *err);

/* A reload: sinks that reopen do, whatever their configuration. */
void sw_parts_reopen(struct sw_parts *parts);

/* Every source has been asked once. */
bool sw_parts_are_asked(const struct sw_parts *parts);
/* Every source has come to its end (replay). */
bool sw_parts_are_ended(const struct sw_parts *parts);
/* Every sink is done with everything up to seq. */
bool sw_parts_have_passed(const struct sw_parts *parts, uint64_t seq);

void sw_parts_stop_sources(struct sw_parts *parts);
/* Sends what is there until the boot clock passes until_ns; the rest stays in the journal. */
void sw_parts_stop_sinks(struct sw_parts *parts, int64_t until_ns);

#endif
