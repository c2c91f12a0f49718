#include "agent/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"

/*
 * The stored form, numbers little-endian:
 *   1 version · 1 which names were reported · 16 session id · 8 seen · 8 start
 *   4 opens · 4 active · 4 idle · 4 told opens · 4 told idle · 1 guest · 1 told guest · 1 start
 * from then client and each reported name (id, user, client type, transport): 2 size · bytes
 */
#define ROW_VERSION 1
#define GUEST_SHIFT 1 /* guest -1, 0, 1 is stored as 0, 1, 2 */

enum {
    NAME_ID = 1 << 0,
    NAME_USER = 1 << 1,
    NAME_CLIENT_TYPE = 1 << 2,
    NAME_TRANSPORT = 1 << 3,
    NAME_ALL = (1 << 4) - 1,
};

static void
baseline_add_number(struct sw_buf *buf, uint64_t number, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    sw_buf_add(buf, bytes, size);
}

static void
baseline_add_name(struct sw_buf *buf, struct sw_str name)
{
    if (name.data != NULL) {
        baseline_add_number(buf, name.size, 2);
        sw_buf_add(buf, name.data, name.size);
    }
}

static unsigned
baseline_names(const struct sw_row *row)
{
    return (row->id.data != NULL ? NAME_ID : 0u) | (row->user.data != NULL ? NAME_USER : 0u) |
           (row->client_type.data != NULL ? NAME_CLIENT_TYPE : 0u) |
           (row->transport.data != NULL ? NAME_TRANSPORT : 0u);
}

void
sw_baseline_encode_row(
    const struct sw_row *row, const struct sw_track *track, int64_t seen_ns, struct sw_buf *buf)
{
    baseline_add_number(buf, ROW_VERSION, 1);
    baseline_add_number(buf, baseline_names(row), 1);
    sw_buf_add(buf, track->session_id.bytes, sizeof(track->session_id.bytes));
    baseline_add_number(buf, (uint64_t)seen_ns, 8);
    baseline_add_number(buf, (uint64_t)track->start_ns, 8);
    baseline_add_number(buf, row->opens, 4);
    baseline_add_number(buf, row->active, 4);
    baseline_add_number(buf, row->idle, 4);
    baseline_add_number(buf, track->told_opens, 4);
    baseline_add_number(buf, track->told_idle, 4);
    baseline_add_number(buf, (uint64_t)(row->guest + GUEST_SHIFT), 1);
    baseline_add_number(buf, (uint64_t)(track->told_guest + GUEST_SHIFT), 1);
    baseline_add_number(buf, track->start_from, 1);
    baseline_add_name(buf, row->client.data != NULL ? row->client : SW_STR(""));
    baseline_add_name(buf, row->id);
    baseline_add_name(buf, row->user);
    baseline_add_name(buf, row->client_type);
    baseline_add_name(buf, row->transport);
}

/* What is left to decode; bad once something is missing or out of range. */
struct baseline_reader {
    struct sw_str rest;
    bool bad;
};

static struct sw_str
baseline_take(struct baseline_reader *reader, size_t size)
{
    if (reader->bad || reader->rest.size < size) {
        reader->bad = true;
        return (struct sw_str){NULL, 0};
    }
    struct sw_str taken = {reader->rest.data, size};
    reader->rest.data += size;
    reader->rest.size -= size;
    return taken;
}

static uint64_t
baseline_take_number(struct baseline_reader *reader, size_t size, uint64_t max)
{
    struct sw_str bytes = baseline_take(reader, size);
    uint64_t number = 0;
    for (size_t i = bytes.size; i > 0; i--) {
        number = number << 8 | (unsigned char)bytes.data[i - 1];
    }
    reader->bad = reader->bad || number > max;
    return reader->bad ? 0 : number;
}

static uint32_t
baseline_take_count(struct baseline_reader *reader)
{
    return (uint32_t)baseline_take_number(reader, 4, UINT32_MAX);
}

static int8_t
baseline_take_guest(struct baseline_reader *reader)
{
    return (int8_t)((int)baseline_take_number(reader, 1, 2) - GUEST_SHIFT);
}

static struct sw_str
baseline_take_name(struct baseline_reader *reader, bool reported)
{
    if (!reported) {
        return (struct sw_str){NULL, 0};
    }
    size_t size = (size_t)baseline_take_number(reader, 2, SW_NAME_MAX);
    return baseline_take(reader, size);
}

bool
sw_baseline_decode_row(struct sw_row *row, struct sw_track *track, int64_t *seen_ns,
    struct sw_str bytes, struct sw_err *err)
{
    struct baseline_reader reader = {.rest = bytes};
    uint64_t version = baseline_take_number(&reader, 1, UINT8_MAX);
    if (!reader.bad && version != ROW_VERSION) {
        return sw_err_set(err, "a stored session has version %u, only %u can be read",
            (unsigned)version, ROW_VERSION);
    }
    unsigned names = (unsigned)baseline_take_number(&reader, 1, NAME_ALL);
    struct sw_str session_id = baseline_take(&reader, sizeof(track->session_id.bytes));
    *seen_ns = (int64_t)baseline_take_number(&reader, 8, UINT64_MAX);
    track->start_ns = (int64_t)baseline_take_number(&reader, 8, UINT64_MAX);
    row->opens = baseline_take_count(&reader);
    row->active = baseline_take_count(&reader);
    reader.bad = reader.bad || (row->active > SW_ACTIVE_MAX && row->active != SW_UNKNOWN);
    row->idle = baseline_take_count(&reader);
    track->told_opens = baseline_take_count(&reader);
    track->told_idle = baseline_take_count(&reader);
    row->guest = baseline_take_guest(&reader);
    track->told_guest = baseline_take_guest(&reader);
    track->start_from = (uint8_t)baseline_take_number(&reader, 1, SW_START_FIRST_SEEN);
    row->client = baseline_take_name(&reader, true);
    row->id = baseline_take_name(&reader, (names & NAME_ID) != 0);
    row->user = baseline_take_name(&reader, (names & NAME_USER) != 0);
    row->client_type = baseline_take_name(&reader, (names & NAME_CLIENT_TYPE) != 0);
    row->transport = baseline_take_name(&reader, (names & NAME_TRANSPORT) != 0);
    if (reader.bad || reader.rest.size != 0) {
        return sw_err_set(err, "a stored session of %zu bytes is damaged", bytes.size);
    }
    memcpy(track->session_id.bytes, session_id.data, sizeof(track->session_id.bytes));
    return true;
}

/* Whole seconds from one look to a later one, to the nearest; never so much that it would not fit
 * any age. */
static int64_t
baseline_seconds_between(int64_t from_ns, int64_t to_ns)
{
    int64_t ns;
    if (from_ns == SW_TIME_NONE || to_ns == SW_TIME_NONE ||
        __builtin_sub_overflow(to_ns, from_ns, &ns)) {
        return 0;
    }
    return ns / SW_NS_PER_S + (ns % SW_NS_PER_S >= SW_NS_PER_S / 2) -
           (ns % SW_NS_PER_S <= -SW_NS_PER_S / 2);
}

/* `active` as it must be by to_ns. */
uint32_t
sw_baseline_age(uint32_t active, int64_t from_ns, int64_t to_ns)
{
    if (active == SW_UNKNOWN) {
        return SW_UNKNOWN;
    }
    int64_t aged = active + baseline_seconds_between(from_ns, to_ns);
    return aged < 0 ? 0 : aged > SW_ACTIVE_MAX ? SW_ACTIVE_MAX : (uint32_t)aged;
}

/* A baseline being read: rows go to the builder, their tracks stand here in the same order. */
struct baseline_load {
    struct sw_builder *builder;
    struct sw_track *tracks;
    size_t capacity;
    int64_t last_look_ns;
};

static bool
baseline_load_row(void *context, const struct sw_journal_row *stored, struct sw_err *err)
{
    struct baseline_load *load = context;
    struct sw_row row = SW_ROW_EMPTY;
    struct sw_track track;
    int64_t seen_ns;
    if (!sw_baseline_decode_row(&row, &track, &seen_ns, stored->body, err)) {
        return false;
    }
    row.active = sw_baseline_age(row.active, seen_ns, load->last_look_ns);
    size_t count = sw_builder_count(load->builder);
    if (!sw_builder_add(load->builder, &row, err)) {
        return false;
    }
    if (count == load->capacity) {
        load->capacity = count > 0 ? count * 2 : 32;
        load->tracks = sw_realloc(load->tracks, load->capacity, sizeof(*load->tracks));
    }
    load->tracks[count] = track;
    return true;
}

/* The tracks in the order of the rows. */
static struct sw_track *
baseline_sort_tracks(const struct sw_track *tracks, const size_t *added, size_t count)
{
    struct sw_track *sorted = sw_calloc(count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = tracks[added[i]];
    }
    return sorted;
}

static bool
baseline_finish(struct baseline_load *load, struct sw_baseline *baseline, struct sw_err *err)
{
    size_t count = sw_builder_count(load->builder);
    size_t *added = sw_calloc(count, sizeof(*added));
    struct sw_snapshot *snapshot = sw_builder_finish_tracked(load->builder, added, err);
    if (snapshot != NULL) {
        baseline->snapshot = snapshot;
        baseline->tracks = baseline_sort_tracks(load->tracks, added, count);
    }
    free(added);
    return snapshot != NULL;
}

bool
sw_baseline_load(struct sw_journal *journal, const struct sw_source_state *state,
    struct sw_baseline *baseline, struct sw_err *err)
{
    *baseline = (struct sw_baseline){.boot_ns = SW_TIME_NONE};
    if (!state->has_baseline) {
        return true;
    }
    struct baseline_load load = {.builder = sw_builder_new(), .last_look_ns = state->last_look_ns};
    struct sw_look_facts *facts = sw_builder_facts(load.builder);
    facts->taken_at_ns = state->last_look_ns;
    facts->took_ns = state->last_took_ns;
    facts->level = state->level;
    sw_builder_set_server(load.builder, sw_str_of(state->server));

    bool ok = sw_journal_load_rows(journal, state->name, baseline_load_row, &load, err) &&
              baseline_finish(&load, baseline, err);
    if (ok) {
        baseline->reported = state->reported;
        baseline->boot_ns = state->last_boot_ns;
    } else {
        sw_err_wrap(err, "the stored sessions of source '%s'", state->name);
    }
    sw_builder_free(load.builder);
    free(load.tracks);
    return ok;
}
