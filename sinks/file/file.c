/*
 * The sink `file`: one record a line, appended to a file or to standard output. DONE means written
 * and on the disk. See README.md beside this file for what an administrator can rely on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/platform/platform.h"
#include "sinks/file/mend.h"
#include "sinks/file/rotate.h"
#include "sinks/sink.h"

#define FILE_RECORDS_MAX 1024 /* a record and its newline are two parts */

#define FILE_ROTATE_MIN (64 << 10)

struct file_conf {
    const char *path;
    uint64_t rotate_size;
    int64_t rotate_keep;
};

struct file_state {
    struct sw_append file;
    bool is_stdout;
    bool is_torn; /* standard output: its last line has no end yet */
    uint64_t size;
    struct sw_latch interrupted;
    bool has_latch;
    struct sw_str parts[2 * FILE_RECORDS_MAX + 1];
};

static const struct sw_key file_keys[] = {
    {.name = "path",
        .type = SW_KEY_PATH,
        .offset = offsetof(struct file_conf, path),
        .required = true,
        .help = "file that events are appended to, one JSON object a line; \"-\" is standard "
                "output"},
    {.name = "rotate_size",
        .type = SW_KEY_SIZE,
        .offset = offsetof(struct file_conf, rotate_size),
        .fallback = "100MiB",
        .min = FILE_ROTATE_MIN,
        .or_zero = true,
        .help = "the file becomes PATH.1 before it grows beyond this; 0 leaves that to others "
                "(logrotate)"},
    {.name = "rotate_keep",
        .type = SW_KEY_INT,
        .offset = offsetof(struct file_conf, rotate_keep),
        .fallback = "5",
        .min = 1,
        .max = SW_ROTATE_KEEP_MAX,
        .help = "old files that are kept, PATH.1 being the youngest"},
    SW_KEY_END,
};

static void
file_check(const void *conf, struct sw_problems *problems)
{
    const struct file_conf *file = conf;
    size_t size = file->path != NULL ? strlen(file->path) : 0;
    if (size > 0 && file->path[size - 1] == '/') {
        sw_problems_add(problems, "path", "%s is a folder: name a file in it", file->path);
    }
}

static struct sw_format_choice
file_format(const void *conf)
{
    (void)conf;
    return (struct sw_format_choice){&sw_format_json, NULL};
}

static struct sw_sink_pace
file_pace(const void *conf)
{
    (void)conf;
    return (struct sw_sink_pace){.records_max = FILE_RECORDS_MAX};
}

static bool
file_init(struct sw_sink *sink, struct sw_err *err)
{
    const struct file_conf *conf = sink->conf;
    struct file_state *state = sink->state;
    state->file.fd = -1;
    state->is_stdout = strcmp(conf->path, "-") == 0;
    /* Only standard output can make us wait. */
    state->has_latch = state->is_stdout && sw_latch_init(&state->interrupted, err);
    return state->has_latch || !state->is_stdout;
}

/* A line that a crash or a full disk left without its end. */
static bool
file_mend(struct file_state *state, struct sw_err *err)
{
    struct sw_buf tail;
    size_t cut;
    bool done = false;
    sw_buf_init(&tail, SW_MEND_LOOK_BACK);
    if (!sw_append_size(&state->file, &state->size, err)) {
        goto out;
    }
    size_t look = state->size < SW_MEND_LOOK_BACK ? (size_t)state->size : SW_MEND_LOOK_BACK;
    if (!sw_append_read(&state->file, state->size - look, look, &tail, err)) {
        goto out;
    }
    switch (sw_mend_decide((struct sw_str){tail.data, tail.size}, state->size == tail.size, &cut)) {
    case SW_MEND_NOTHING:
        done = true;
        break;
    case SW_MEND_CUT:
        done = sw_append_truncate(&state->file, state->size - cut, err);
        state->size -= done ? cut : 0;
        break;
    case SW_MEND_NEWLINE:
        state->is_torn = true;
        done = true;
        break;
    }
out:
    sw_buf_fini(&tail);
    return done;
}

/* like: the file that this one follows, or NULL. */
static enum sw_outcome
file_open(struct sw_sink *sink, const struct sw_append *like, struct sw_err *err)
{
    const struct file_conf *conf = sink->conf;
    struct file_state *state = sink->state;
    bool made;
    bool taken;
    struct sw_append file;
    if (!sw_append_open(&file, conf->path, like, &made, &taken, err)) {
        /* Whoever has it may be about to end: a reload hands the file from one to the next. */
        return taken ? SW_OUTCOME_LATER : SW_OUTCOME_PAUSED;
    }
    sw_append_close(&state->file);
    state->file = file;
    state->is_torn = false;
    if (!file_mend(state, err)) {
        sw_append_close(&state->file);
        sw_err_wrap(err, "%s", conf->path);
        return SW_OUTCOME_PAUSED;
    }
    if (made) {
        /* A folder that we may write but not read cannot be synced: no reason to stop. */
        struct sw_err ignored;
        (void)sw_folder_sync(conf->path, &ignored);
    }
    return SW_OUTCOME_OK;
}

static enum sw_outcome
file_connect(struct sw_sink *sink, int64_t deadline_ns, struct sw_err *err)
{
    struct file_state *state = sink->state;
    (void)deadline_ns;
    if (state->is_stdout) {
        sw_append_open_stdout(&state->file);
        return SW_OUTCOME_OK;
    }
    return file_open(sink, NULL, err);
}

/* A rotation that fails must not hold up events: the file grows, and the answer says why. */
static enum sw_outcome
file_rotate(struct sw_sink *sink, uint64_t coming, struct sw_answer *answer, struct sw_err *err)
{
    const struct file_conf *conf = sink->conf;
    struct file_state *state = sink->state;
    struct sw_err why;
    if (conf->rotate_size == 0 || state->size == 0 || state->size + coming <= conf->rotate_size) {
        return SW_OUTCOME_OK;
    }
    if (!sw_rotate_shift(conf->path, conf->rotate_keep, &why)) {
        snprintf(answer->text, sizeof(answer->text), "not rotated: %.200s", why.text);
        return SW_OUTCOME_OK;
    }
    return file_open(sink, &state->file, err);
}

/* Parts to write for the records; a line that has no end yet gets one first. */
static size_t
file_gather(struct file_state *state, const struct sw_record *records, size_t count)
{
    size_t parts = 0;
    if (state->is_torn) {
        state->parts[parts++] = SW_STR("\n");
    }
    for (size_t i = 0; i < count; i++) {
        state->parts[parts++] = records[i].bytes;
        state->parts[parts++] = SW_STR("\n");
    }
    return parts;
}

/* Records that are whole within the first `written` bytes; *size: where the last of them ends. */
static size_t
file_count_whole(const struct file_state *state, const struct sw_record *records, size_t count,
    uint64_t written, uint64_t *size)
{
    size_t whole = 0;
    *size = state->is_torn && written > 0 ? 1 : 0;
    while (whole < count && *size + records[whole].bytes.size + 1 <= written) {
        *size += records[whole++].bytes.size + 1;
    }
    return whole;
}

static enum sw_outcome
file_say_failed(const struct sw_sink *sink, struct sw_err *err)
{
    const struct file_conf *conf = sink->conf;
    const struct file_state *state = sink->state;
    if (state->is_stdout && sw_append_is_closed(err)) {
        sw_err_set(err, "standard output was closed: nobody reads it any more");
        return SW_OUTCOME_PAUSED;
    }
    bool is_full = sw_append_is_full(err);
    sw_err_wrap(err, "%s", state->is_stdout ? "standard output" : conf->path);
    return is_full || state->is_stdout ? SW_OUTCOME_LATER : SW_OUTCOME_BROKEN;
}

/* Makes the file end behind its last good record. What went to standard output cannot be taken
 * back: its torn line is ended before the next record. */
static bool
file_settle(struct file_state *state, uint64_t written, uint64_t good)
{
    struct sw_err ignored;
    bool is_torn = written > good;
    if (state->is_stdout) {
        state->is_torn = written > 0 ? is_torn : state->is_torn;
        return true;
    }
    state->is_torn = state->is_torn && good == 0;
    state->size += good;
    return !is_torn || sw_append_truncate(&state->file, state->size, &ignored);
}

/* *whole of the records are then on the disk, and nothing behind them. */
static enum sw_outcome
file_write(struct sw_sink *sink, const struct sw_record *records, size_t count, int64_t deadline_ns,
    size_t *whole, struct sw_err *err)
{
    struct file_state *state = sink->state;
    uint64_t written;
    uint64_t good;
    size_t parts = file_gather(state, records, count);
    bool done = sw_append_write(&state->file, state->parts, parts, deadline_ns,
        state->has_latch ? &state->interrupted : NULL, &written, err);
    *whole = file_count_whole(state, records, count, written, &good);

    struct sw_err sync_err;
    if (*whole > 0 && !sw_append_sync(&state->file, &sync_err)) {
        *err = sync_err;
        done = false;
        *whole = 0;
        good = 0;
    }
    enum sw_outcome outcome = done ? SW_OUTCOME_OK : file_say_failed(sink, err);
    /* A file that cannot be shortened now is mended when it is opened again. */
    return file_settle(state, written, good) ? outcome : SW_OUTCOME_BROKEN;
}

/* How many of the records this file takes before it is rotated; at least one. */
static size_t
file_count_fitting(const struct sw_sink *sink, const struct sw_record *records, size_t count)
{
    const struct file_conf *conf = sink->conf;
    const struct file_state *state = sink->state;
    uint64_t size = state->size;
    size_t fitting = 0;
    if (conf->rotate_size == 0 || state->is_stdout) {
        return count;
    }
    do {
        size += records[fitting++].bytes.size + 1;
    } while (fitting < count && size + records[fitting].bytes.size + 1 <= conf->rotate_size);
    return fitting;
}

/* logrotate and people rename, remove and empty the file without telling us. */
static enum sw_outcome
file_prepare(struct sw_sink *sink, const struct sw_record *first, struct sw_answer *answer,
    struct sw_err *err)
{
    const struct file_conf *conf = sink->conf;
    struct file_state *state = sink->state;
    if (!sw_append_is_at(&state->file, conf->path)) {
        return file_open(sink, &state->file, err);
    }
    if (!sw_append_size(&state->file, &state->size, err)) {
        return SW_OUTCOME_BROKEN;
    }
    return file_rotate(sink, first->bytes.size + 1, answer, err);
}

static enum sw_outcome
file_send(struct sw_sink *sink, const struct sw_record *records, size_t count,
    enum sw_result *results, struct sw_answer *answer, int64_t deadline_ns, struct sw_err *err)
{
    const struct file_state *state = sink->state;
    enum sw_outcome outcome =
        state->is_stdout ? SW_OUTCOME_OK : file_prepare(sink, &records[0], answer, err);
    if (outcome != SW_OUTCOME_OK) {
        return outcome;
    }
    size_t whole;
    count = file_count_fitting(sink, records, count);
    outcome = file_write(sink, records, count, deadline_ns, &whole, err);
    for (size_t i = 0; i < whole; i++) {
        results[i] = SW_RESULT_DONE;
    }
    return outcome;
}

static void
file_interrupt(struct sw_sink *sink)
{
    struct file_state *state = sink->state;
    if (state->has_latch) {
        sw_latch_set(&state->interrupted);
    }
}

static void
file_disconnect(struct sw_sink *sink)
{
    struct file_state *state = sink->state;
    sw_append_close(&state->file);
}

static void
file_fini(struct sw_sink *sink)
{
    struct file_state *state = sink->state;
    sw_append_close(&state->file);
    if (state->has_latch) {
        sw_latch_fini(&state->interrupted);
        state->has_latch = false;
    }
}

const struct sw_sink_class sw_sink_file = {
    .part = {.name = "file",
        .summary = "appends to a file or to standard output, a JSON object a line; delivered "
                   "means written and synced",
        .keys = file_keys,
        .conf_size = sizeof(struct file_conf),
        .check = file_check},
    .state_size = sizeof(struct file_state),
    .reopens = true,
    .format = file_format,
    .pace = file_pace,
    .init = file_init,
    .connect = file_connect,
    .send = file_send,
    .interrupt = file_interrupt,
    .disconnect = file_disconnect,
    .fini = file_fini,
};
