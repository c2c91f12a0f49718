/*
 * What the sink suite (test_sink.c) needs to know of a sink: how to set it up with a receiver of
 * its own, what arrived there, and how to make the receiver stall or fail. A new sink brings one
 * file sink_NAME.c with a fixture and a line in test_sink.c; the suite itself stays as it is.
 */
#ifndef SW_TESTS_SINK_FIXTURE_H
#define SW_TESTS_SINK_FIXTURE_H

#include "sinks/sink.h"
#include "tests/support/unit.h"

struct sink_world {
    char folder[64]; /* empty, the test's own */
    void *conf;      /* of the class, zeroed; setup fills it with conf_set_* */
    void *own;       /* the fixture's */
    int fds[4];      /* the fixture's; -1 */
};

struct sink_fixture {
    const char *name;
    const char *class;
    void (*setup)(struct sink_world *world, const struct sw_sink_class *class);
    /* Appends every record that has arrived so far, each followed by a newline. */
    void (*arrived)(struct sink_world *world, struct sw_buf *buf);
    /* Makes the receiver take nothing and say nothing, before connect. NULL: it cannot. */
    void (*stall)(struct sink_world *world);
    /* From now on the receiver fails after so many more bytes; UINT64_MAX: it is well again. NULL:
     * it cannot. */
    void (*fail_after)(struct sink_world *world, uint64_t bytes);
    void (*teardown)(struct sink_world *world);
};

extern const struct sink_fixture sink_fixture_file;
extern const struct sink_fixture sink_fixture_stdout;
extern const struct sink_fixture sink_fixture_syslog;
extern const struct sink_fixture sink_fixture_webhook;
extern const struct sink_fixture sink_fixture_webhook_single;

/* Sets a key of the class's table as the configuration would. */
void
conf_set_text(const struct sw_sink_class *class, void *conf, const char *key, const char *text);
void
conf_set_number(const struct sw_sink_class *class, void *conf, const char *key, int64_t number);
void
conf_set_word(const struct sw_sink_class *class, void *conf, const char *key, const char *word);

#endif
