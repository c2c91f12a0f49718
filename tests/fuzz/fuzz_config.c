/* Arbitrary bytes as a configuration, with keys of every type. The host lives in memory: no input
 * reaches files or variables. Whatever the bytes, a secret that only references know must not be
 * said. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/config_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not to be guessed by an input that has it in a place where it is rightly shown. */
#define FUZZ_SECRET "Zq7~secret~Zq7"

static const struct fixture_entry fuzz_env[] = {
    {.name = "A", .text = FUZZ_SECRET},
    {.name = "T", .text = "10s"},
    {.name = "CREDENTIALS_DIRECTORY", .text = "/c"},
    {.name = NULL},
};

static const struct fixture_entry fuzz_files[] = {
    {.name = "/a", .text = FUZZ_SECRET "\n"},
    {.name = "/c/x", .text = FUZZ_SECRET},
    {.name = "/bad", .text = FUZZ_SECRET, .is_untrusted = true},
    {.name = NULL},
};

static void
fuzz_require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool
fuzz_has(const uint8_t *data, size_t size, const char *text)
{
    return size > 0 && memmem(data, size, text, strlen(text)) != NULL;
}

static void
fuzz_check_parts(const struct sw_config_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fuzz_require(parts[i].name != NULL && parts[i].part != NULL && parts[i].frozen != NULL);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool knows_secret = fuzz_has(data, size, FUZZ_SECRET);
    struct fixture_host host;
    fixture_host_init(&host, fuzz_files, fuzz_env);
    for (int mode = SW_CONFIG_RUN; mode <= SW_CONFIG_CHECK; mode++) {
        struct fixture_load load;
        fixture_parse(
            &load, (enum sw_config_mode)mode, (struct sw_str){(const char *)data, size}, &host);
        fuzz_require((load.config == NULL) == (load.problems.errors > 0));
        fuzz_require(load.problems.count <= SW_PROBLEMS_MAX && !load.said.failed);
        fuzz_require(sw_utf8_is_valid((struct sw_str){sw_buf_text(&load.said), load.said.size}));
        fuzz_require(knows_secret || strstr(sw_buf_text(&load.said), FUZZ_SECRET) == NULL);
        if (load.config != NULL) {
            fuzz_require(load.config->source_count > 0 || mode == SW_CONFIG_CHECK);
            fuzz_check_parts(load.config->sources, load.config->source_count);
            fuzz_check_parts(load.config->sinks, load.config->sink_count);
        }
        fixture_fini(&load);
    }
    return 0;
}
