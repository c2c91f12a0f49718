/* Recorded snapshot documents, one a line: every look is the next one. */
#include "agent/sources/replay.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/document.h"
#include "agent/sources/sources.h"

#define REPLAY_CHUNK ((size_t)64 << 10) /* bytes read at a time */

struct replay_state {
    FILE *file;
    struct sw_buf bytes; /* read, from offset `from` of the file on */
    int64_t from;
    size_t done;         /* bytes of these that earlier looks have had */
    int64_t start;       /* where this run began … */
    uint64_t start_line; /* … and the number of the line there; 0: not counted yet */
    uint64_t lines;      /* read since */
};

static const char *
replay_path(const struct sw_source *source)
{
    const struct sw_replay_conf *conf = source->conf;
    return conf->path;
}

static bool
replay_fail_os(const struct sw_source *source, const char *verb, struct sw_err *err)
{
    return sw_err_set_os(err, errno != 0 ? errno : EIO, "%s %s", verb, replay_path(source));
}

/* ---- init */

/* A line ends in front of the position, or the file does (its last line needs no newline), or a
 * newline was added behind what then was the last line. */
static bool
replay_check_position(struct sw_source *source, int64_t size, struct sw_err *err)
{
    struct replay_state *state = source->state;
    static const char remedy[] =
        "this is not the file that was being replayed: put it back, or give the source a new name "
        "to begin at the start";
    if (source->position > size) {
        return sw_err_set(err, "%s has %lld bytes, byte %lld is to be read next: %s",
            replay_path(source), (long long)size, (long long)source->position, remedy);
    }
    if (source->position == 0 || source->position == size) {
        return true;
    }
    char around[2];
    if (fseeko(state->file, (off_t)source->position - 1, SEEK_SET) != 0 ||
        fread(around, 1, sizeof(around), state->file) != sizeof(around)) {
        return replay_fail_os(source, "read", err);
    }
    if (around[0] != '\n' && around[1] != '\n') {
        return sw_err_set(err, "byte %lld of %s, to be read next, is inside a line: %s",
            (long long)source->position, replay_path(source), remedy);
    }
    return true;
}

static bool
replay_open(struct sw_source *source, uint64_t *size, struct sw_err *err)
{
    struct replay_state *state = source->state;
    const struct sw_replay_conf *conf = source->conf;
    *size = 0;
    state->file = conf->input != NULL ? conf->input : sw_file_open(replay_path(source), size, err);
    return state->file != NULL;
}

static void
replay_fini(struct sw_source *source)
{
    struct replay_state *state = source->state;
    const struct sw_replay_conf *conf = source->conf;
    if (state->file != NULL && state->file != conf->input) {
        fclose(state->file);
    }
    state->file = NULL;
    sw_buf_fini(&state->bytes);
}

static bool
replay_init(struct sw_source *source, struct sw_err *err)
{
    struct replay_state *state = source->state;
    uint64_t size;
    sw_buf_init(&state->bytes, SW_DOCUMENT_MAX + 2 * REPLAY_CHUNK);
    if (!replay_open(source, &size, err)) {
        return false;
    }
    /* What is read ahead stands in `bytes`; a second copy would be of no use. */
    setvbuf(state->file, NULL, _IONBF, 0);
    state->start_line = source->position > 0 ? 0 : 1;
    if (source->position < 0) {
        return true;
    }
    state->start = state->from = source->position;
    if (replay_check_position(source, (int64_t)size, err) &&
        (fseeko(state->file, (off_t)state->start, SEEK_SET) == 0 ||
            replay_fail_os(source, "read", err))) {
        return true;
    }
    /* Nothing may be read from elsewhere: the next look begins with opening it again. */
    replay_fini(source);
    return false;
}

/* ---- lines */

enum replay_read { REPLAY_LINE, REPLAY_TOO_LONG, REPLAY_STOPPED, REPLAY_END, REPLAY_FAILED };

/* Drops what earlier looks have had. */
static void
replay_discard(struct replay_state *state, size_t size)
{
    size_t rest = state->bytes.size - size;
    if (rest > 0 && size > 0) {
        memmove(state->bytes.data, state->bytes.data + size, rest);
    }
    sw_buf_truncate(&state->bytes, rest);
    state->from += (int64_t)size;
}

/* Reads a chunk more; 0 bytes is the end. */
static bool
replay_fill(struct sw_source *source, size_t *size, struct sw_err *err)
{
    struct replay_state *state = source->state;
    char *room = sw_buf_reserve(&state->bytes, REPLAY_CHUNK);
    if (room == NULL) {
        return sw_err_set(err, "out of memory: a line of %s", replay_path(source));
    }
    *size = fread(room, 1, REPLAY_CHUNK, state->file);
    if (*size == 0 && ferror(state->file)) {
        clearerr(state->file);
        return replay_fail_os(source, "read", err);
    }
    state->bytes.size += *size;
    return true;
}

/* The next line without its newline; done moves behind it. Of a line over SW_DOCUMENT_MAX only the
 * end is kept. */
static enum replay_read
replay_next_line(
    struct sw_source *source, const struct sw_latch *stop, struct sw_str *line, struct sw_err *err)
{
    struct replay_state *state = source->state;
    bool too_long = false;
    size_t at = state->done;
    for (;;) {
        size_t rest = state->bytes.size - at;
        const char *end = rest > 0 ? memchr(state->bytes.data + at, '\n', rest) : NULL;
        if (end != NULL) {
            *line = (struct sw_str){
                state->bytes.data + state->done, (size_t)(end - state->bytes.data) - state->done};
            state->done += line->size + 1;
            break;
        }
        if (stop != NULL && sw_latch_is_set(stop)) {
            return REPLAY_STOPPED;
        }
        replay_discard(state, state->done);
        state->done = 0;
        if (state->bytes.size > SW_DOCUMENT_MAX) {
            too_long = true;
            replay_discard(state, state->bytes.size);
        }
        at = state->bytes.size;
        size_t size;
        if (!replay_fill(source, &size, err)) {
            return REPLAY_FAILED;
        }
        if (size == 0) {
            if (state->bytes.size == 0 && !too_long) {
                return REPLAY_END;
            }
            *line = (struct sw_str){state->bytes.data, state->bytes.size};
            state->done = state->bytes.size;
            break;
        }
    }
    state->lines++;
    return too_long || line->size > SW_DOCUMENT_MAX ? REPLAY_TOO_LONG : REPLAY_LINE;
}

static bool
replay_is_blank(struct sw_str line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r') {
            return false;
        }
    }
    return true;
}

/* Counted only when somebody wants to know: after a restart the run begins somewhere inside. */
static uint64_t
replay_line_number(struct replay_state *state)
{
    if (state->start_line == 0) {
        char chunk[4096];
        int64_t rest = state->start;
        off_t here = ftello(state->file);
        state->start_line = 1;
        rewind(state->file);
        while (rest > 0) {
            size_t want = rest < (int64_t)sizeof(chunk) ? (size_t)rest : sizeof(chunk);
            size_t size = fread(chunk, 1, want, state->file);
            if (size == 0) {
                break;
            }
            for (size_t i = 0; i < size; i++) {
                state->start_line += chunk[i] == '\n';
            }
            rest -= (int64_t)size;
        }
        fseeko(state->file, here, SEEK_SET);
    }
    return state->start_line + state->lines - 1;
}

/* ---- look */

static enum sw_look
replay_judge(struct sw_source *source, enum sw_document document, struct sw_err *err)
{
    if (document == SW_DOCUMENT_SESSIONS) {
        return SW_LOOK_COMPLETE;
    }
    if (document == SW_DOCUMENT_ERROR) {
        return SW_LOOK_FAILED;
    }
    if (document == SW_DOCUMENT_PARTIAL) {
        sw_err_set(err, "the document says that it is not complete");
    }
    sw_err_wrap(
        err, "%s:%llu", replay_path(source), (unsigned long long)replay_line_number(source->state));
    return document == SW_DOCUMENT_PARTIAL ? SW_LOOK_PARTIAL : SW_LOOK_FAILED;
}

static enum sw_look
replay_look(struct sw_source *source, const struct sw_look_request *request,
    struct sw_builder *builder, struct sw_err *err)
{
    struct replay_state *state = source->state;
    struct sw_str line = {NULL, 0};
    enum replay_read read;
    /* A host that begins anew after trouble may have met a file that was away for a moment. */
    if (state->file == NULL && !replay_init(source, err)) {
        return SW_LOOK_FAILED;
    }
    do {
        read = replay_next_line(source, request->stop, &line, err);
    } while (read == REPLAY_LINE && replay_is_blank(line));

    enum sw_look look = SW_LOOK_FAILED;
    switch (read) {
    case REPLAY_LINE:
        look = replay_judge(source, sw_document_read(line, builder, err), err);
        break;
    case REPLAY_TOO_LONG:
        sw_err_set(err, "%s:%llu: the line has more than %zu bytes", replay_path(source),
            (unsigned long long)replay_line_number(state), SW_DOCUMENT_MAX);
        break;
    case REPLAY_STOPPED:
        sw_err_set(err, "stopped");
        return SW_LOOK_FAILED;
    case REPLAY_FAILED:
        return SW_LOOK_FAILED;
    case REPLAY_END:
        look = SW_LOOK_END;
        sw_buf_fini(&state->bytes);
        break;
    }
    sw_builder_facts(builder)->position = state->from + (int64_t)state->done;
    return look;
}

static void
replay_identity(const void *conf, struct sw_buf *buf)
{
    const struct sw_replay_conf *replay = conf;
    sw_buf_add_text(buf, replay->path);
}

static void
replay_check(const void *conf, struct sw_problems *problems)
{
    const struct sw_replay_conf *replay = conf;
    const char *path = replay->path != NULL ? replay->path : "";
    size_t size = strlen(path);
    /* The loader has put the configuration's folder in front of a lone "-". */
    if (strcmp(path, "-") == 0 || (size > 2 && strcmp(path + size - 2, "/-") == 0)) {
        sw_problems_add(problems, "path",
            "'-' is not a file: standard input can be read by the command `replay` only");
    }
}

static const struct sw_key replay_keys[] = {
    {.name = "path",
        .type = SW_KEY_PATH,
        .offset = offsetof(struct sw_replay_conf, path),
        .required = true,
        .help = "file of recorded snapshot documents, one a line"},
    SW_KEY_END,
};

const struct sw_source_class sw_source_replay = {
    .part =
        {
            .name = "replay",
            .summary = "recorded snapshot documents, one a look",
            .keys = replay_keys,
            .conf_size = sizeof(struct sw_replay_conf),
            .check = replay_check,
        },
    .state_size = sizeof(struct replay_state),
    .is_recorded = true,
    .init = replay_init,
    .look = replay_look,
    .fini = replay_fini,
    .identity = replay_identity,
};
