/* A configuration's surroundings for tests: types with keys of every kind, and a host that lives in
 * memory, so that nothing depends on the machine. */
#ifndef SW_TEST_CONFIG_FIXTURE_H
#define SW_TEST_CONFIG_FIXTURE_H

#include "config/config.h"

struct fixture_settings {
    int64_t interval_ns;
    int64_t timeout_ns;
    int baseline;
    struct {
        int64_t opens;
        struct sw_key_durations idle;
        bool flags;
    } changed;
    struct {
        struct sw_key_strings users;
    } ignore;
};

/* Source type "full". */
struct fixture_full {
    const char *text;
    const char *path;
    const char *program;
    const char *password;
    bool flag;
    int64_t number;
    uint64_t size;
    int64_t wait_ns;
    int word;
    struct sw_key_strings command;
    struct sw_key_strings letters;
    struct sw_key_durations borders;
    struct {
        const char *user;
        struct {
            const char *token;
        } deep;
    } login;
    int64_t rate;
    struct sw_key_strings signing;
    struct sw_key_pairs headers;
    struct sw_key_pairs tags;
    struct {
        const char *bearer;
        struct {
            const char *user;
            const char *password;
        } basic;
    } auth;
    struct {
        struct {
            const char *id;
        } key;
    } vault;
};

/* Source type "strict". */
struct fixture_strict {
    const char *target;
    struct sw_key_strings command;
};

/* Sink type "print". */
struct fixture_print {
    const char *path;
};

extern const struct sw_config_types fixture_types;

/* Files and variables of the host. Ends with a NULL name. */
struct fixture_entry {
    const char *name;
    const char *text;
    size_t size; /* of a file; 0: strlen(text) */
    bool is_untrusted;
};

struct fixture_host {
    const struct fixture_entry *files;
    const struct fixture_entry *env;
    struct sw_config_host host;
};

void fixture_host_init(
    struct fixture_host *host, const struct fixture_entry *files, const struct fixture_entry *env);

/* A load and all that it said. */
struct fixture_load {
    struct sw_config *config;
    struct sw_problems problems;
    struct sw_buf said; /* as printed */
};

/* Parses text as "/etc/sw/c.yaml". */
void fixture_parse(struct fixture_load *load, enum sw_config_mode mode, struct sw_str text,
    const struct fixture_host *host);
void fixture_fini(struct fixture_load *load);

#endif
