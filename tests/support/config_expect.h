/* Whole outputs of loading, compared to the byte. */
#ifndef SW_TEST_CONFIG_EXPECT_H
#define SW_TEST_CONFIG_EXPECT_H

#include "tests/support/config_fixture.h"
#include "tests/support/unit.h"

/* A source and a sink that are good, for cases about something else. */
#define GOOD_SINK   "sinks: {p: {type: print, path: '-'}}\n"
#define GOOD_SOURCE "sources: {s: {type: strict, target: t, command: [/c]}}\n"
#define GOOD_BOTH   GOOD_SOURCE GOOD_SINK

/* One source of type full in lines of its own: keys begin at line 4, column 5. */
#define FULL(keys) GOOD_SINK "sources:\n  s:\n" keys "    type: full\n"

struct expect_case {
    const char *yaml;
    const char *said; /* "line:col: …\n" lines; those of warnings begin with "warning: " */
};

/* The printed problems without the file's name, in buf. */
static inline void
expect_strip(struct sw_buf *buf, const char *said)
{
    static const char name[] = "/etc/sw/c.yaml:";
    for (const char *at; (at = strstr(said, name)) != NULL; said = at + sizeof(name) - 1) {
        sw_buf_add(buf, said, (size_t)(at - said));
    }
    sw_buf_add_text(buf, said);
}

static inline void
expect_said(
    enum sw_config_mode mode, struct sw_str yaml, const char *said, const struct fixture_host *host)
{
    struct fixture_load load;
    struct sw_buf buf;
    sw_buf_init(&buf, (size_t)64 << 20);
    fixture_parse(&load, mode, yaml, host);
    expect_strip(&buf, sw_buf_text(&load.said));
    if (strcmp(sw_buf_text(&buf), said) != 0) {
        fail_msg("of:\n%.2000s\nexpected:\n%s\nsaid:\n%.4000s", yaml.data, said, sw_buf_text(&buf));
    }
    assert_int_equal(load.problems.errors == 0, load.config != NULL);
    for (size_t i = 0; load.config != NULL && i < load.config->source_count; i++) {
        assert_non_null(load.config->sources[i].part);
        assert_non_null(load.config->sources[i].frozen);
    }
    sw_buf_fini(&buf);
    fixture_fini(&load);
}

static inline void
expect_cases(const struct expect_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_said(SW_CONFIG_RUN, sw_str_of(cases[i].yaml), cases[i].said, NULL);
        expect_said(SW_CONFIG_CHECK, sw_str_of(cases[i].yaml), cases[i].said, NULL);
    }
}

/* A good text's configuration; fails the test when it is not good. */
static inline void
expect_good(struct fixture_load *load, const char *yaml, const struct fixture_host *host)
{
    fixture_parse(load, SW_CONFIG_RUN, sw_str_of(yaml), host);
    if (load->config == NULL) {
        fail_msg("of:\n%s\nsaid:\n%s", yaml, sw_buf_text(&load->said));
    }
}

#endif
