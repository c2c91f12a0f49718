#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/commands/commands.h"
#include "agent/document.h"
#include "agent/event.h"
#include "agent/poller.h"
#include "agent/setup.h"

#define SESSIONS_MAX_TEXT ((size_t)1 << 30)

/* One look's outcome, as the user gets to see it. */
struct sessions_look {
    struct sw_snapshot *snapshot; /* NULL: failed */
    struct sw_err err;
    int64_t taken_at_ns;
};

static void
sessions_fill_facts(struct sw_builder *builder, int64_t began_ns)
{
    struct sw_look_facts *facts = sw_builder_facts(builder);
    struct sw_buf host;
    if (facts->taken_at_ns == SW_TIME_NONE) {
        facts->taken_at_ns = sw_clock_wall_ns();
    }
    if (facts->took_ns < 0) {
        facts->took_ns = sw_clock_boot_ns() - began_ns;
    }
    if (facts->server.size == 0) {
        sw_buf_init(&host, 1024);
        sw_host_name(&host);
        sw_builder_set_server(builder, (struct sw_str){sw_buf_text(&host), host.size});
        sw_buf_fini(&host);
    }
}

/* Looks once, as the poller would, but stores nothing. */
static void
sessions_look(const char *name, const struct sw_source_class *class, const void *conf,
    const struct sw_source_settings *settings, struct sessions_look *look)
{
    struct sw_latch stop;
    struct sw_builder *builder = sw_builder_new();
    struct sw_source source = {.class = class,
        .name = name,
        .conf = conf,
        .state = sw_calloc(1, class->state_size),
        .position = -1};
    int64_t began_ns = sw_clock_boot_ns();
    *look = (struct sessions_look){.taken_at_ns = sw_clock_wall_ns()};
    bool ready = sw_latch_init(&stop, &look->err);
    if (ready && (class->init == NULL || class->init(&source, &look->err))) {
        struct sw_look_request request = {
            .stop = &stop, .deadline_ns = began_ns + sw_source_timeout_ns(settings)};
        enum sw_look answer = class->look(&source, &request, builder, &look->err);
        sessions_fill_facts(builder, began_ns);
        look->taken_at_ns = sw_builder_facts(builder)->taken_at_ns;
        if (answer == SW_LOOK_COMPLETE) {
            look->snapshot = sw_builder_finish(builder,
                (struct sw_globs){settings->ignore.users.items, settings->ignore.users.count},
                (struct sw_globs){settings->ignore.clients.items, settings->ignore.clients.count},
                NULL, &look->err);
        } else if (answer == SW_LOOK_END) {
            sw_err_set(&look->err, "the recording is at its end");
        }
    }
    if (class->fini != NULL) {
        class->fini(&source);
    }
    if (ready) {
        sw_latch_fini(&stop);
    }
    free(source.state);
    sw_builder_free(builder);
}

/* ---- the table for people */

enum { COLUMN_USER, COLUMN_CLIENT, COLUMN_AGE, COLUMN_IDLE, COLUMN_OPENS, COLUMN_FLAGS, COLUMNS };

static const char *const sessions_titles[COLUMNS] = {
    "USER", "CLIENT", "AGE", "IDLE", "OPEN", "FLAGS"};

static void
sessions_add_seconds(struct sw_buf *buf, uint32_t seconds)
{
    if (seconds == SW_UNKNOWN) {
        sw_buf_add_char(buf, '-');
    } else {
        sw_duration_add(buf, (int64_t)seconds * SW_NS_PER_S);
    }
}

static void
sessions_cell(struct sw_buf *buf, const struct sw_row *row, size_t column)
{
    switch (column) {
    case COLUMN_USER:
        sw_text_printable(buf, row->user.size > 0 ? row->user : SW_STR("-"));
        break;
    case COLUMN_CLIENT:
        sw_text_printable(buf, sw_event_normal_client(row->client));
        break;
    case COLUMN_AGE:
        sessions_add_seconds(buf, row->active);
        break;
    case COLUMN_IDLE:
        sessions_add_seconds(buf, row->idle);
        break;
    case COLUMN_OPENS:
        if (row->opens == SW_UNKNOWN) {
            sw_buf_add_char(buf, '-');
        } else {
            sw_buf_add_uint(buf, row->opens);
        }
        break;
    default:
        sw_buf_add_text(buf, row->guest == 1 ? "guest" : "");
        break;
    }
}

/* Columns, not bytes: every code point counts as one, which is right for what names usually hold.
 */
static size_t
sessions_width(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t i = 0; i < size; i++) {
        width += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return width;
}

static void
sessions_pad(struct sw_buf *buf, size_t from, size_t width)
{
    size_t used = sessions_width(sw_buf_text(buf) + from, buf->size - from);
    for (; used < width; used++) {
        sw_buf_add_char(buf, ' ');
    }
}

static void
sessions_widths(const struct sw_snapshot *snapshot, size_t widths[COLUMNS])
{
    struct sw_buf cell;
    sw_buf_init(&cell, SESSIONS_MAX_TEXT);
    for (size_t c = 0; c < COLUMNS; c++) {
        widths[c] = strlen(sessions_titles[c]);
        for (size_t i = 0; i < snapshot->count; i++) {
            sw_buf_clear(&cell);
            sessions_cell(&cell, &snapshot->rows[i], c);
            size_t width = sessions_width(sw_buf_text(&cell), cell.size);
            /* One endless name must not push the table off the screen. */
            widths[c] = width > widths[c] && width <= 48 ? width : widths[c];
        }
    }
    sw_buf_fini(&cell);
}

static void
sessions_line(struct sw_buf *buf, const struct sw_row *row, const size_t widths[COLUMNS])
{
    size_t begin = buf->size;
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t from = buf->size;
        if (row != NULL) {
            sessions_cell(buf, row, c);
        } else {
            sw_buf_add_text(buf, sessions_titles[c]);
        }
        sessions_pad(buf, from, widths[c]);
        sw_buf_add_text(buf, "  ");
    }
    while (buf->size > begin && buf->data[buf->size - 1] == ' ') {
        sw_buf_truncate(buf, buf->size - 1);
    }
    sw_buf_add_char(buf, '\n');
}

static void
sessions_table(const char *name, const struct sessions_look *look, struct sw_buf *buf)
{
    const struct sw_snapshot *snapshot = look->snapshot;
    size_t widths[COLUMNS];
    sw_buf_printf(buf, "source %s, server ", name);
    sw_text_printable(buf, snapshot->server);
    sw_buf_printf(
        buf, ": %zu %s\n", snapshot->count, snapshot->count == 1 ? "session" : "sessions");
    if (snapshot->count > 0) {
        sessions_widths(snapshot, widths);
        sessions_line(buf, NULL, widths);
        for (size_t i = 0; i < snapshot->count; i++) {
            sessions_line(buf, &snapshot->rows[i], widths);
        }
    }
}

/* ---- the command */

struct sessions_options {
    const char *path;
    const char *source;
    const char *server;
    const char *user;
    bool json;
};

/* false: the source did not answer. */
static bool
sessions_show(const char *name, const struct sw_source_class *class, const void *conf,
    const struct sw_source_settings *settings, bool json)
{
    struct sessions_look look;
    struct sw_buf buf;
    sessions_look(name, class, conf, settings, &look);
    bool answered = look.snapshot != NULL;
    sw_buf_init(&buf, SESSIONS_MAX_TEXT);
    if (json && answered) {
        sw_document_write(look.snapshot, &buf);
    } else if (json) {
        sw_document_write_error((struct sw_str){0}, look.taken_at_ns, &look.err, &buf);
    } else if (answered) {
        sessions_table(name, &look, &buf);
    }
    if (!answered) {
        struct sw_buf text;
        sw_buf_init(&text, 16384);
        sw_text_printable(&text, sw_str_of(look.err.text));
        fprintf(stderr, "sharewatch: source %s: %s\n", name, sw_buf_text(&text));
        sw_buf_fini(&text);
    }
    bool written = sw_command_write(&buf, stdout);
    sw_buf_fini(&buf);
    sw_snapshot_free(look.snapshot);
    return answered && written;
}

static int
sessions_of_config(const struct sessions_options *options)
{
    struct sw_config *config = sw_setup_load(options->path);
    if (config == NULL) {
        return SW_EXIT_CONFIG;
    }
    int status = SW_EXIT_OK;
    bool found = false;
    for (size_t i = 0; i < config->source_count; i++) {
        const struct sw_config_part *part = &config->sources[i];
        if (options->source == NULL || strcmp(options->source, part->name) == 0) {
            found = true;
            if (!sessions_show(part->name, sw_setup_source_class(part), part->conf, part->settings,
                    options->json)) {
                status = SW_EXIT_FAILED;
            }
        }
    }
    sw_config_free(config);
    if (!found) {
        char text[200];
        snprintf(text, sizeof(text), "--source %.100s: no source of that name in the file",
            options->source);
        return sw_command_usage(&sw_command_sessions, text);
    }
    return status;
}

/* The source that needs no configuration, with every key at its default. */
static int
sessions_of_this_machine(bool json)
{
    static const char text[] = "sources: {local: {type: samba}}\n";
    struct sw_config_options load = {.mode = SW_CONFIG_RUN, .types = &sw_setup_types};
    struct sw_problems problems;
    sw_problems_init(&problems);
    struct sw_config *config = sw_config_parse("this machine", sw_str_of(text), &load, &problems);
    int status = SW_EXIT_CONFIG;
    if (config != NULL) {
        const struct sw_config_part *part = &config->sources[0];
        status =
            sessions_show(part->name, sw_setup_source_class(part), part->conf, part->settings, json)
                ? SW_EXIT_OK
                : SW_EXIT_FAILED;
    } else {
        sw_problems_print(&problems, stderr);
    }
    sw_config_free(config);
    sw_problems_fini(&problems);
    return status;
}

static int
sessions(int argc, char **argv)
{
    struct sessions_options given = {0};
    const struct sw_option options[] = {
        {.name = "--config", .letter = "-c", .value = &given.path},
        {.name = "--source", .value = &given.source},
        {.name = "--server", .value = &given.server},
        {.name = "--user", .value = &given.user},
        {.name = "--json", .flag = &given.json},
        {.name = NULL},
    };
    if (!sw_command_options(&sw_command_sessions, argc, argv, options, NULL)) {
        return SW_EXIT_USAGE;
    }
    if (given.server != NULL || given.user != NULL) {
        return sw_command_usage(&sw_command_sessions,
            "--server: asking another machine needs the source type netsession, which this build "
            "does not have");
    }
    if (given.source != NULL && given.path == NULL) {
        given.path = SW_DEFAULT_CONFIG;
    }
    return given.path != NULL ? sessions_of_config(&given) : sessions_of_this_machine(given.json);
}

const struct sw_command sw_command_sessions = {
    .name = "sessions",
    .usage = "[-c FILE] [--source NAME] [--json]",
    .summary = "look once and show who is connected",
    .help = "Without a file: this machine's Samba. --json prints one snapshot document a line. "
            "Touches\n"
            "no state. Exit status: 0 all sources answered, 1 one did not (its error is printed),\n"
            "78 bad configuration.",
    .run = sessions,
};
