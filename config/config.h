/*
 * The configuration: load → check → freeze. One call reads the file, tells every problem at once,
 * and gives a constant object or nothing. `check` and `run` load by the same path; the only
 * difference is the variable that is not set, a warning in `check` and an error in `run`.
 *
 * The configuration knows no source and no sink: their types and the keys that all of them share
 * are handed in. All memory of a struct sw_config is its own and constant until sw_config_free.
 */
#ifndef SW_CONFIG_CONFIG_H
#define SW_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buffer.h"
#include "agent/base/error.h"
#include "agent/base/string.h"
#include "config/part.h"
#include "config/problems.h"
#include "config/schema.h"

#define SW_CONFIG_SIZE_MAX      ((size_t)1 << 20)  /* bytes of the file */
#define SW_CONFIG_REFERENCE_MAX ((size_t)64 << 10) /* bytes of a file that a reference names */
#define SW_CONFIG_MEMORY_MAX    ((size_t)8 << 20)  /* bytes of all values, references replaced */
#define SW_CONFIG_PARTS_MAX     256                /* sources; as many sinks */

/* One side of the pipeline: what may stand below `sources:` or `sinks:`. */
struct sw_config_kind {
    /* The type at index, NULL behind the last one. Parts live as long as the program. */
    const struct sw_part *(*part_at)(size_t index);
    const struct sw_key *settings; /* keys of every part, whatever its type; may be NULL */
    size_t settings_size;
    /* What settings and type together must hold (no timeout above the interval). Pure; may be
     * NULL. Problems' keys are those of the part, "changed.opens" for a nested one. */
    void (*check)(const void *settings, const struct sw_part *part, const void *conf,
        struct sw_problems *problems);
};

struct sw_config_types {
    struct sw_config_kind sources;
    struct sw_config_kind sinks;
};

/* What loading asks of the system; NULL members, or no host at all: the real one. */
struct sw_config_host {
    bool (*read)(
        void *context, const char *path, size_t max, struct sw_buf *buf, struct sw_err *err);
    bool (*is_trusted)(void *context, const char *path, struct sw_err *err);
    bool (*exists)(void *context, const char *path);
    const char *(*env)(void *context, const char *name); /* NULL: not set */
    void *context;
};

enum sw_config_mode { SW_CONFIG_RUN, SW_CONFIG_CHECK };

struct sw_config_options {
    enum sw_config_mode mode;
    const struct sw_config_types *types;
    const struct sw_config_host *host; /* may be NULL */
};

/* What goes when the journal is at its cap. */
enum sw_config_on_full { SW_CONFIG_ON_FULL_OLDEST, SW_CONFIG_ON_FULL_NEWEST };

struct sw_config_agent {
    const char *state_dir; /* absolute unless the configuration's folder is not */
    uint64_t journal_max;  /* bytes */
    int on_full;           /* enum sw_config_on_full */
    int64_t stop_timeout_ns;
    int64_t heartbeat_ns; /* 0: off */
    int log_level;        /* enum sw_log_level */
};

extern const struct sw_key sw_config_agent_keys[];

struct sw_config_part {
    const char *name;
    const struct sw_part *part; /* first member of the class it came from */
    const void *conf;           /* part->conf_size bytes */
    const void *settings;       /* settings_size bytes of its kind */
    /* Canonical text of type and all effective values, for comparing on reload: equal text, equal
     * configuration. Secrets are in it as SHA-256 only; still not meant to be shown. */
    const char *frozen;
};

struct sw_config {
    const char *path;   /* as given */
    const char *folder; /* of path; where relative paths start */
    struct sw_config_agent agent;
    const char *agent_frozen; /* as sw_config_part.frozen */
    /* In the order of the file. In check mode, those whose type hangs on a variable that is not set
     * are left out. */
    struct sw_config_part *sources;
    size_t source_count;
    struct sw_config_part *sinks;
    size_t sink_count;
};

/* Reads the file. NULL when there is an error among the problems (problems->errors > 0); else an
 * object to be freed. Warnings are there in both cases. problems must be initialised and empty. */
struct sw_config *sw_config_load(
    const char *path, const struct sw_config_options *options, struct sw_problems *problems);

/* The same with the text at hand; path is its name in messages and where its folder comes from.
 * The file is not opened and its rights are not looked at. */
struct sw_config *sw_config_parse(const char *path, struct sw_str text,
    const struct sw_config_options *options, struct sw_problems *problems);

void sw_config_free(struct sw_config *config);

/* NULL when there is none of that name. */
const struct sw_config_part *sw_config_source(const struct sw_config *config, const char *name);
const struct sw_config_part *sw_config_sink(const struct sw_config *config, const char *name);

/* Reference text from the tables. topic: "config" (all), "agent", "sources", "sinks", or the name
 * of a type. false when there is no such topic. */
bool sw_config_help(const struct sw_config_types *types, const char *topic, struct sw_buf *buf);

/* The topics, a line each with its summary. */
void sw_config_help_topics(const struct sw_config_types *types, struct sw_buf *buf);

#endif
