#include "tests/support/config_fixture.h"

#include <errno.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

static const char *const fixture_baselines[] = {"silent", "emit", NULL};
static const char *const fixture_words[] = {"auto", "kerberos", "ntlm", NULL};

static const struct sw_key changed_keys[] = {
    {.name = "opens", .type = SW_KEY_INT, .offset = 0, .fallback = "0", .max = 1000},
    {.name = "idle",
        .type = SW_KEY_DURATIONS,
        .offset = offsetof(struct fixture_settings, changed.idle) -
                  offsetof(struct fixture_settings, changed)},
    {.name = "flags",
        .type = SW_KEY_BOOL,
        .offset = offsetof(struct fixture_settings, changed.flags) -
                  offsetof(struct fixture_settings, changed),
        .fallback = "true"},
    SW_KEY_END,
};

static const struct sw_key ignore_keys[] = {
    {.name = "users", .type = SW_KEY_STRINGS, .offset = 0, .fallback = "[\"*$\"]"},
    SW_KEY_END,
};

static const struct sw_key settings_keys[] = {
    {.name = "interval",
        .type = SW_KEY_DURATION,
        .offset = offsetof(struct fixture_settings, interval_ns),
        .fallback = "30s",
        .min = SECOND / 10,
        .max = 86400 * SECOND,
        .help = "time from one look\nto the next"},
    {.name = "timeout",
        .type = SW_KEY_DURATION,
        .offset = offsetof(struct fixture_settings, timeout_ns),
        .fallback = "10s",
        .min = SECOND / 10},
    {.name = "baseline",
        .type = SW_KEY_WORD,
        .offset = offsetof(struct fixture_settings, baseline),
        .fallback = "silent",
        .words = fixture_baselines},
    {.name = "changed",
        .type = SW_KEY_MAP,
        .offset = offsetof(struct fixture_settings, changed),
        .keys = changed_keys},
    {.name = "ignore",
        .type = SW_KEY_MAP,
        .offset = offsetof(struct fixture_settings, ignore),
        .keys = ignore_keys},
    SW_KEY_END,
};

static const struct sw_key deep_keys[] = {
    {.name = "token", .type = SW_KEY_SECRET, .offset = 0},
    SW_KEY_END,
};

static const struct sw_key login_keys[] = {
    {.name = "user", .type = SW_KEY_STRING, .offset = 0, .required = true},
    {.name = "deep",
        .type = SW_KEY_MAP,
        .offset = offsetof(struct fixture_full, login.deep) - offsetof(struct fixture_full, login),
        .keys = deep_keys},
    SW_KEY_END,
};

static const struct sw_key basic_keys[] = {
    {.name = "user", .type = SW_KEY_STRING, .offset = 0, .required = true},
    {.name = "password",
        .type = SW_KEY_SECRET,
        .offset = offsetof(struct fixture_full, auth.basic.password) -
                  offsetof(struct fixture_full, auth.basic)},
    SW_KEY_END,
};

static const struct sw_key auth_keys[] = {
    {.name = "bearer", .type = SW_KEY_SECRET, .offset = 0, .min = 4},
    {.name = "basic",
        .type = SW_KEY_MAP,
        .offset = offsetof(struct fixture_full, auth.basic) - offsetof(struct fixture_full, auth),
        .keys = basic_keys},
    SW_KEY_END,
};

static const struct sw_key vault_key_keys[] = {
    {.name = "id", .type = SW_KEY_STRING, .offset = 0, .required = true},
    SW_KEY_END,
};

static const struct sw_key vault_keys[] = {
    {.name = "key", .type = SW_KEY_MAP, .offset = 0, .required = true, .keys = vault_key_keys},
    SW_KEY_END,
};

#define FULL(member) offsetof(struct fixture_full, member)

static const struct sw_key full_keys[] = {
    {.name = "text", .type = SW_KEY_STRING, .offset = FULL(text), .min = 2, .max = 40},
    {.name = "path", .type = SW_KEY_PATH, .offset = FULL(path)},
    {.name = "program", .type = SW_KEY_PATH, .offset = FULL(program), .trusted = true},
    {.name = "password", .type = SW_KEY_SECRET, .offset = FULL(password), .max = 200},
    {.name = "flag", .type = SW_KEY_BOOL, .offset = FULL(flag), .fallback = "true"},
    {.name = "number",
        .type = SW_KEY_INT,
        .offset = FULL(number),
        .fallback = "445",
        .min = -5,
        .max = 65535,
        .help = "a number"},
    {.name = "size",
        .type = SW_KEY_SIZE,
        .offset = FULL(size),
        .fallback = "2KiB",
        .min = 1024,
        .max = INT64_C(1) << 31},
    {.name = "wait",
        .type = SW_KEY_DURATION,
        .offset = FULL(wait_ns),
        .fallback = "1h",
        .min = SECOND,
        .max = 86400 * SECOND,
        .or_zero = true},
    {.name = "word",
        .type = SW_KEY_WORD,
        .offset = FULL(word),
        .fallback = "auto",
        .words = fixture_words},
    {.name = "command",
        .type = SW_KEY_STRINGS,
        .offset = FULL(command),
        .min = 1,
        .max = 3,
        .trusted = true},
    {.name = "letters", .type = SW_KEY_STRINGS, .offset = FULL(letters), .fallback = "[a, b]"},
    {.name = "borders",
        .type = SW_KEY_DURATIONS,
        .offset = FULL(borders),
        .fallback = "[15m, 1h]",
        .max = 3},
    {.name = "login", .type = SW_KEY_MAP, .offset = FULL(login), .keys = login_keys},
    {.name = "rate",
        .type = SW_KEY_RATE,
        .offset = FULL(rate),
        .fallback = "2000/s",
        .min = 10,
        .max = 1000000,
        .or_zero = true},
    {.name = "signing", .type = SW_KEY_SECRETS, .offset = FULL(signing), .max = 2},
    {.name = "headers",
        .type = SW_KEY_PAIRS,
        .offset = FULL(headers),
        .fallback = "{X-Team: storage}",
        .min = 1,
        .max = 3},
    {.name = "tags", .type = SW_KEY_PAIRS, .offset = FULL(tags)},
    {.name = "auth",
        .type = SW_KEY_MAP,
        .offset = FULL(auth),
        .keys = auth_keys,
        .one_of = true,
        .help = "who we are"},
    {.name = "vault", .type = SW_KEY_MAP, .offset = FULL(vault), .keys = vault_keys},
    SW_KEY_END,
};

static const struct sw_key strict_keys[] = {
    {.name = "target",
        .type = SW_KEY_STRING,
        .offset = offsetof(struct fixture_strict, target),
        .required = true,
        .help = "what it is that this source looks at, in words that are so many that one line "
                "does not hold them"},
    {.name = "command",
        .type = SW_KEY_STRINGS,
        .offset = offsetof(struct fixture_strict, command),
        .required = true,
        .min = 1},
    SW_KEY_END,
};

static const struct sw_key print_keys[] = {
    {.name = "path",
        .type = SW_KEY_PATH,
        .offset = offsetof(struct fixture_print, path),
        .required = true,
        .help = "file, - is standard output"},
    SW_KEY_END,
};

static void
full_check(const void *conf, struct sw_problems *problems)
{
    const struct fixture_full *full = conf;
    if (full->text != NULL && strcmp(full->text, "forbidden") == 0) {
        sw_problems_add(problems, "text", "'%s' is not wanted", full->text);
        sw_problems_warn(problems, "login.user", "is not looked at");
    }
    for (size_t i = 0; i < full->tags.count; i++) {
        if (strcmp(full->tags.items[i].name, "no.dots") == 0) {
            sw_problems_add(problems, "tags.no.dots", "a name that cannot be used");
        }
    }
}

static const struct sw_part full_part = {
    .name = "full",
    .summary = "keys of every kind",
    .keys = full_keys,
    .conf_size = sizeof(struct fixture_full),
    .check = full_check,
};

static const struct sw_part strict_part = {
    .name = "strict",
    .summary = "keys that must be there",
    .keys = strict_keys,
    .conf_size = sizeof(struct fixture_strict),
};

static const struct sw_part print_part = {
    .name = "print",
    .summary = "events to a file",
    .keys = print_keys,
    .conf_size = sizeof(struct fixture_print),
};

static const struct sw_part *
source_at(size_t index)
{
    static const struct sw_part *const parts[] = {&full_part, &strict_part, NULL};
    return parts[index];
}

static const struct sw_part *
sink_at(size_t index)
{
    static const struct sw_part *const parts[] = {&print_part, NULL};
    return parts[index];
}

static void
source_check(const void *settings, const struct sw_part *part, const void *conf,
    struct sw_problems *problems)
{
    const struct fixture_settings *s = settings;
    (void)conf;
    if (s->timeout_ns > s->interval_ns) {
        sw_problems_add(problems, "timeout", "above interval, for a source of type %s", part->name);
    }
}

const struct sw_config_types fixture_types = {
    .sources = {.part_at = source_at,
        .settings = settings_keys,
        .settings_size = sizeof(struct fixture_settings),
        .check = source_check},
    .sinks = {.part_at = sink_at},
};

static const struct fixture_entry *
entry_find(const struct fixture_entry *entries, const char *name)
{
    for (; entries != NULL && entries->name != NULL; entries++) {
        if (strcmp(entries->name, name) == 0) {
            return entries;
        }
    }
    return NULL;
}

static bool
host_read(void *context, const char *path, size_t max, struct sw_buf *buf, struct sw_err *err)
{
    const struct fixture_host *host = context;
    const struct fixture_entry *file = entry_find(host->files, path);
    if (file == NULL) {
        return sw_err_set_os(err, ENOENT, "open %s", path);
    }
    size_t size = file->size > 0 ? file->size : strlen(file->text);
    if (size > max) {
        return sw_err_set(err, "%s: larger than %zu bytes", path, max);
    }
    sw_buf_add(buf, file->text, size);
    return true;
}

static bool
host_is_trusted(void *context, const char *path, struct sw_err *err)
{
    const struct fixture_host *host = context;
    const struct fixture_entry *file = entry_find(host->files, path);
    return (file != NULL && !file->is_untrusted) ||
           sw_err_set(err, "%s: others can write it: chmod go-w %s", path, path);
}

static bool
host_exists(void *context, const char *path)
{
    const struct fixture_host *host = context;
    return entry_find(host->files, path) != NULL;
}

static const char *
host_env(void *context, const char *name)
{
    const struct fixture_host *host = context;
    const struct fixture_entry *entry = entry_find(host->env, name);
    return entry != NULL ? entry->text : NULL;
}

void
fixture_host_init(
    struct fixture_host *host, const struct fixture_entry *files, const struct fixture_entry *env)
{
    *host = (struct fixture_host){.files = files, .env = env};
    host->host = (struct sw_config_host){.read = host_read,
        .is_trusted = host_is_trusted,
        .exists = host_exists,
        .env = host_env,
        .context = host};
}

void
fixture_parse(struct fixture_load *load, enum sw_config_mode mode, struct sw_str text,
    const struct fixture_host *host)
{
    static struct fixture_host nothing;
    if (host == NULL) {
        fixture_host_init(&nothing, NULL, NULL);
        host = &nothing;
    }
    const struct sw_config_options options = {
        .mode = mode, .types = &fixture_types, .host = &host->host};
    *load = (struct fixture_load){.config = NULL};
    sw_problems_init(&load->problems);
    sw_buf_init(&load->said, (size_t)64 << 20);
    load->config = sw_config_parse("/etc/sw/c.yaml", text, &options, &load->problems);
    sw_problems_write(&load->problems, &load->said);
}

void
fixture_fini(struct fixture_load *load)
{
    sw_config_free(load->config);
    sw_problems_fini(&load->problems);
    sw_buf_fini(&load->said);
}
