#include "tests/support/looking.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"

static void
looking_write(void *context, enum sw_log_level level, const char *line, size_t size)
{
    struct looking *looking = context;
    (void)level;
    looking->logged++;
    snprintf(looking->last, sizeof(looking->last), "%.*s", (int)size, line);
}

void
looking_start(struct looking *looking, const char *type, const void *conf)
{
    *looking = (struct looking){.folder = "/tmp/sharewatch-test-XXXXXX", .limit_ms = 10000};
    assert_non_null(mkdtemp(looking->folder));
    looking->log = (struct sw_log){SW_LOG_DEBUG, looking_write, looking};
    looking->source.class = sw_source_class_find(type);
    assert_non_null(looking->source.class);
    looking->source.name = "it";
    looking->source.conf = conf;
    looking->source.log = &looking->log;
    looking->source.position = -1;
    looking->source.state = sw_calloc(1, looking->source.class->state_size);
    looking->builder = sw_builder_new();
    assert_true(looking->source.class->init == NULL ||
                looking->source.class->init(&looking->source, &looking->err));
}

static int
looking_remove(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void
looking_end(struct looking *looking)
{
    if (looking->source.class->fini != NULL) {
        looking->source.class->fini(&looking->source);
    }
    free(looking->source.state);
    sw_builder_free(looking->builder);
    assert_int_equal(nftw(looking->folder, looking_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

enum sw_look
looking_look(struct looking *looking)
{
    struct sw_look_request request = {
        .deadline_ns = sw_clock_boot_ns() + looking->limit_ms * SW_NS_PER_MS,
        .stop = looking->stop,
        .occupied = looking->occupied,
    };
    sw_builder_clear(looking->builder);
    sw_err_clear(&looking->err);
    enum sw_look look =
        looking->source.class->look(&looking->source, &request, looking->builder, &looking->err);
    if (look != SW_LOOK_COMPLETE) {
        assert_true(looking->err.text[0] != '\0');
    }
    return look;
}

void
looking_script(struct looking *looking, const char *name, const char *text, char path[128])
{
    snprintf(path, 128, "%s/%s", looking->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\n%s\n", text) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

bool
looking_says(const struct looking *looking, const char *part)
{
    if (strstr(looking->err.text, part) == NULL) {
        print_message("said: %s\n", looking->err.text);
        return false;
    }
    return true;
}
