/* What every command begins with: the types this build has, the configuration, the log. */
#ifndef SW_SETUP_H
#define SW_SETUP_H

#include "agent/base/log.h"
#include "agent/source.h"
#include "config/config.h"
#include "sinks/sink.h"

#define SW_EXIT_OK     0
#define SW_EXIT_FAILED 1
#define SW_EXIT_USAGE  2
#define SW_EXIT_CONFIG 78 /* EX_CONFIG of sysexits.h */

/* Sources, sinks, and the rules between their settings and their types. */
extern const struct sw_config_types sw_setup_types;

/* Loads for `run` and its kin: prints problems to standard error. NULL: not usable. */
struct sw_config *sw_setup_load(const char *path);

const struct sw_source_class *sw_setup_source_class(const struct sw_config_part *part);
const struct sw_sink_class *sw_setup_sink_class(const struct sw_config_part *part);

/* A log to standard error: "<N>" before each line where systemd reads it, else time and level. */
void sw_setup_log(struct sw_log *log, enum sw_log_level level);

/* The paths of the journal and of the lock in a state folder; the caller frees them. */
char *sw_setup_journal_path(const char *state_dir);
char *sw_setup_lock_path(const char *state_dir);

#endif
