#include <string.h>

#include "config/config.h"
#include "config/key_text.h"

#define HELP_INDENT 2
#define HELP_WIDTH  92 /* columns */

static void
help_indent(struct sw_buf *buf, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        sw_buf_add_char(buf, ' ');
    }
}

/* How much of text fits a line: up to its end, to "\n", or to the last blank that fits. */
static size_t
help_line(const char *text, size_t width)
{
    size_t size = strcspn(text, "\n");
    size_t cut = size > width ? width : size;
    while (size > width && cut > 0 && text[cut] != ' ') {
        cut--;
    }
    return cut > 0 ? cut : size;
}

/* "\n" in a help text continues below. */
static void
help_text(struct sw_buf *buf, const char *text, size_t indent)
{
    while (text != NULL && *text != '\0') {
        size_t size = help_line(text, HELP_WIDTH - indent);
        help_indent(buf, indent);
        sw_buf_add(buf, text, size);
        sw_buf_add_char(buf, '\n');
        text += size + (text[size] != '\0' ? 1 : 0);
    }
}

static void
help_keys(struct sw_buf *buf, const struct sw_key *keys, size_t indent)
{
    for (; keys != NULL && keys->name != NULL; keys++) {
        bool is_map = keys->type == SW_KEY_MAP;
        help_indent(buf, indent);
        sw_buf_printf(buf, "%s:", keys->name);
        if (!is_map || keys->one_of || keys->required) {
            sw_buf_add_char(buf, ' ');
            sw_key_describe(buf, keys);
        }
        if (keys->required) {
            sw_buf_add_text(buf, "; required");
        } else if (keys->fallback != NULL) {
            sw_buf_printf(buf, "; default %s", keys->fallback[0] != '\0' ? keys->fallback : "\"\"");
        }
        sw_buf_add_char(buf, '\n');
        help_text(buf, keys->help, indent + 2 * HELP_INDENT);
        if (is_map) {
            help_keys(buf, keys->keys, indent + HELP_INDENT);
        }
    }
}

static void
help_agent(struct sw_buf *buf)
{
    sw_buf_add_text(buf, "agent:\n");
    help_keys(buf, sw_config_agent_keys, HELP_INDENT);
}

static void
help_part(struct sw_buf *buf, const char *kind_name, const struct sw_part *part)
{
    sw_buf_printf(buf, "%s of type %s: %s\n", kind_name, part->name, part->summary);
    sw_buf_printf(buf, "  type: %s\n", part->name);
    help_keys(buf, part->keys, HELP_INDENT);
}

static void
help_kind(
    struct sw_buf *buf, const char *names, const char *kind_name, const struct sw_config_kind *kind)
{
    const struct sw_part *part;
    sw_buf_printf(buf,
        "%s: each has a name (a-z, 0-9, _ and -, at most 32) and below it 'type'.\n\n"
        "every %s, whatever its type:\n",
        names, kind_name);
    help_keys(buf, kind->settings, HELP_INDENT);
    for (size_t i = 0; (part = kind->part_at(i)) != NULL; i++) {
        sw_buf_add_char(buf, '\n');
        help_part(buf, kind_name, part);
    }
}

static void
help_values(struct sw_buf *buf)
{
    sw_buf_add_text(buf,
        "values may hold references, replaced when the file is read:\n"
        "  ${env:NAME}             the environment variable NAME; not set: an error\n"
        "  ${env:NAME:-default}    the same, with a default for not set or empty\n"
        "  ${file:PATH}            the line in a file\n"
        "  ${credential:NAME}      the file NAME in $CREDENTIALS_DIRECTORY (systemd)\n"
        "  $${                     a literal ${; any other $ is itself\n"
        "relative paths start at the configuration's folder.\n"
        "the file, and what it names as secret, key or program, must be writable by nobody but\n"
        "root and the agent's own user.\n");
}

static bool
help_type(
    const struct sw_config_kind *kind, const char *kind_name, const char *name, struct sw_buf *buf)
{
    const struct sw_part *part;
    for (size_t i = 0; (part = kind->part_at(i)) != NULL; i++) {
        if (strcmp(part->name, name) == 0) {
            help_part(buf, kind_name, part);
            return true;
        }
    }
    return false;
}

bool
sw_config_help(const struct sw_config_types *types, const char *topic, struct sw_buf *buf)
{
    bool is_all = strcmp(topic, "config") == 0;
    bool known = is_all;
    if (is_all || strcmp(topic, "agent") == 0) {
        help_agent(buf);
        known = true;
    }
    sw_buf_add_text(buf, is_all ? "\n" : "");
    if (is_all || strcmp(topic, "sources") == 0) {
        help_kind(buf, "sources", "source", &types->sources);
        known = true;
    }
    sw_buf_add_text(buf, is_all ? "\n" : "");
    if (is_all || strcmp(topic, "sinks") == 0) {
        help_kind(buf, "sinks", "sink", &types->sinks);
        known = true;
    }
    if (is_all) {
        sw_buf_add_char(buf, '\n');
        help_values(buf);
    }
    known = help_type(&types->sources, "source", topic, buf) || known;
    return help_type(&types->sinks, "sink", topic, buf) || known;
}

static void
help_topics_of(const struct sw_config_kind *kind, const char *kind_name, struct sw_buf *buf)
{
    const struct sw_part *part;
    for (size_t i = 0; (part = kind->part_at(i)) != NULL; i++) {
        sw_buf_printf(buf, "  %-12s %s: %s\n", part->name, kind_name, part->summary);
    }
}

void
sw_config_help_topics(const struct sw_config_types *types, struct sw_buf *buf)
{
    sw_buf_add_text(buf, "  config       all keys of the configuration\n"
                         "  agent        keys of the agent itself\n"
                         "  sources      keys of every source, and all types\n"
                         "  sinks        keys of every sink, and all types\n");
    help_topics_of(&types->sources, "source", buf);
    help_topics_of(&types->sinks, "sink", buf);
}
