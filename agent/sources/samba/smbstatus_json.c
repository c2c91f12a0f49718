#include "agent/sources/samba/smbstatus.h"

#include "agent/base/json_read.h"
#include "agent/base/time_text.h"

#define NO_USER        UINT32_MAX /* a uid of -1: the user is not known yet */
#define NO_USER_NAME   "(auth in progress)"
#define UNKNOWN_MARK   "???"
#define ROW_STRINGS    5
#define HOURS_NS(hour) ((int64_t)(hour)*3600 * SW_NS_PER_S)

enum row_string { ROW_SESSION, ROW_UNIQUE, ROW_USER, ROW_CLIENT, ROW_TRANSPORT };

/* One session while its members come in. */
struct json_row {
    struct sw_buf strings[ROW_STRINGS];
    bool has[ROW_STRINGS];
    int64_t uid; /* -1 (or 2^32 - 1): half-open; INT64_MIN: not said */
    int64_t created_ns;
    bool is_last; /* smbstatus met something it does not know, and stops there */
};

struct json_look {
    struct sw_json json;
    struct json_row row;
    int64_t now_ns;
    struct sw_uid_names *names;
    struct sw_builder *builder;
    struct sw_smbstatus_counts *counts;
    struct sw_err *err;
};

/* Samba prints UTC offsets that are a day off where the local day differs from the UTC one
 * (lib/util/time_basic.c, timeval_str_buf): no zone is outside -12:00 to +14:00. */
static bool
json_time(struct sw_str text, int64_t *at_ns)
{
    if (!sw_time_parse(text, at_ns)) {
        return false;
    }
    for (size_t i = text.size; i > 10 && i + 7 > text.size; i--) {
        char sign = text.data[i - 1];
        if (sign != '+' && sign != '-') {
            continue;
        }
        if (text.size - i < 4) {
            return true;
        }
        const char *digits = text.data + i;
        int hours = (digits[0] - '0') * 10 + (digits[1] - '0');
        int minutes = (digits[text.size - i - 2] - '0') * 10 + (digits[text.size - i - 1] - '0');
        int offset = hours * 60 + minutes;
        if (sign == '+' && offset > 14 * 60) {
            *at_ns += HOURS_NS(24);
        } else if (sign == '-' && offset > 12 * 60) {
            *at_ns -= HOURS_NS(24);
        }
        return true;
    }
    return true;
}

/* Reads over what is left of the value whose first token was just read. */
static bool
json_leave(struct sw_json *json, unsigned depth)
{
    while (json->token != SW_JSON_ERROR && json->depth > depth) {
        sw_json_next(json);
    }
    return json->token != SW_JSON_ERROR;
}

static bool
row_read_string(struct json_look *look, enum row_string which)
{
    unsigned depth = look->json.depth;
    if (sw_json_next(&look->json) == SW_JSON_STRING) {
        struct sw_buf *buf = &look->row.strings[which];
        sw_buf_clear(buf);
        sw_buf_add(buf, look->json.text.data, look->json.text.size);
        look->row.has[which] = true;
    }
    return json_leave(&look->json, depth);
}

static bool
row_read_uid(struct json_look *look)
{
    unsigned depth = look->json.depth;
    if (sw_json_next(&look->json) == SW_JSON_NUMBER &&
        !sw_json_to_int(look->json.text, &look->row.uid)) {
        look->row.uid = INT64_MIN;
    }
    return json_leave(&look->json, depth);
}

static bool
row_read_created(struct json_look *look)
{
    unsigned depth = look->json.depth;
    if (sw_json_next(&look->json) == SW_JSON_STRING &&
        !json_time(look->json.text, &look->row.created_ns)) {
        look->row.created_ns = SW_TIME_NONE;
    }
    return json_leave(&look->json, depth);
}

/* {"pid": "8441", "task_id": "0", "vnn": …, "unique_id": "183…"} */
static bool
row_read_server_id(struct json_look *look)
{
    unsigned depth = look->json.depth;
    if (sw_json_next(&look->json) != SW_JSON_OBJECT) {
        return json_leave(&look->json, depth);
    }
    while (sw_json_next_key(&look->json)) {
        bool read = sw_str_is(look->json.text, "unique_id") ? row_read_string(look, ROW_UNIQUE)
                                                            : sw_json_skip(&look->json);
        if (!read) {
            return false;
        }
    }
    return look->json.token != SW_JSON_ERROR;
}

/* {"cipher": "AES-128-GMAC", "degree": "partial"} */
static bool
row_read_crypto(struct json_look *look)
{
    unsigned depth = look->json.depth;
    if (sw_json_next(&look->json) != SW_JSON_OBJECT) {
        return json_leave(&look->json, depth);
    }
    while (look->json.depth > depth && look->json.token != SW_JSON_ERROR) {
        if (sw_json_next(&look->json) == SW_JSON_STRING &&
            sw_str_is(look->json.text, UNKNOWN_MARK)) {
            look->row.is_last = true;
        }
    }
    return look->json.token != SW_JSON_ERROR;
}

static bool
row_read_member(struct json_look *look)
{
    static const struct {
        const char *name;
        enum row_string which;
    } strings[] = {
        {"session_id", ROW_SESSION},
        {"username", ROW_USER},
        {"remote_machine", ROW_CLIENT},
        {"hostname", ROW_TRANSPORT},
    };
    struct sw_str name = look->json.text;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        if (sw_str_is(name, strings[i].name)) {
            return row_read_string(look, strings[i].which);
        }
    }
    if (sw_str_is(name, "uid")) {
        return row_read_uid(look);
    }
    if (sw_str_is(name, "server_id")) {
        return row_read_server_id(look);
    }
    if (sw_str_is(name, "creation_time")) {
        return row_read_created(look);
    }
    if (sw_str_is(name, "encryption") || sw_str_is(name, "signing")) {
        return row_read_crypto(look);
    }
    return sw_json_skip(&look->json);
}

static void
row_clear(struct json_row *row)
{
    for (size_t i = 0; i < ROW_STRINGS; i++) {
        sw_buf_clear(&row->strings[i]);
        row->has[i] = false;
    }
    row->uid = INT64_MIN;
    row->created_ns = SW_TIME_NONE;
    row->is_last = false;
}

static struct sw_str
row_string(const struct json_row *row, enum row_string which)
{
    const struct sw_buf *buf = &row->strings[which];
    return row->has[which] ? (struct sw_str){sw_buf_text(buf), buf->size}
                           : (struct sw_str){NULL, 0};
}

static bool
row_is_half_open(const struct json_row *row)
{
    if (row->uid == INT64_MIN) {
        return sw_str_is(row_string(row, ROW_USER), NO_USER_NAME);
    }
    return row->uid == -1 || row->uid == (int64_t)NO_USER;
}

static uint32_t
row_active(const struct json_row *row, int64_t now_ns)
{
    if (row->created_ns == SW_TIME_NONE || row->created_ns <= 0 || row->created_ns > now_ns) {
        return SW_UNKNOWN;
    }
    int64_t seconds = (now_ns - row->created_ns) / SW_NS_PER_S;
    return seconds <= (int64_t)SW_ACTIVE_MAX ? (uint32_t)seconds : SW_UNKNOWN;
}

static bool
row_add(struct json_look *look)
{
    struct json_row *row = &look->row;
    struct sw_str user = row_string(row, ROW_USER);
    struct sw_row session = SW_ROW_EMPTY;
    struct sw_buf *id = &row->strings[ROW_SESSION];

    /* A session_id is random and may come again after a restart; with the process's own random
     * number it does not. */
    sw_buf_add_char(id, '/');
    sw_buf_add(id, sw_buf_text(&row->strings[ROW_UNIQUE]), row->strings[ROW_UNIQUE].size);
    session.id = row_string(row, ROW_SESSION);
    session.user = user;
    session.client = row->has[ROW_CLIENT] ? row_string(row, ROW_CLIENT) : SW_STR("");
    session.transport = row_string(row, ROW_TRANSPORT);
    session.active = row_active(row, look->now_ns);
    for (size_t i = 0; i < ROW_STRINGS; i++) {
        if (row->strings[i].failed) {
            return sw_err_set(look->err, "smbstatus: no memory for a session's names");
        }
    }
    if (row->uid >= 0 && row->uid < (int64_t)NO_USER && user.data != NULL) {
        sw_uid_names_learn(look->names, (uint32_t)row->uid, user);
    }
    return sw_builder_add(look->builder, &session, look->err);
}

/* Called when the row's opening brace has been read. */
static bool
json_read_row(struct json_look *look)
{
    row_clear(&look->row);
    while (sw_json_next_key(&look->json)) {
        if (!row_read_member(look)) {
            break;
        }
    }
    if (look->json.token != SW_JSON_OBJECT_END) {
        return sw_json_error(&look->json, look->err);
    }
    if (!look->row.has[ROW_SESSION] || look->row.strings[ROW_SESSION].size == 0) {
        return sw_err_set(look->err, "byte %zu: a session without session_id", look->json.at);
    }
    if (look->row.is_last) {
        return sw_err_set(look->err,
            "session %s uses a cipher that this smbstatus does not know (it stops listing there): "
            "use the smbstatus of the same version as smbd",
            sw_buf_text(&look->row.strings[ROW_SESSION]));
    }
    look->counts->rows++;
    if (row_is_half_open(&look->row)) {
        look->counts->half_open++;
        return true;
    }
    return row_add(look);
}

/* Called when `{` or `[` of the list has been read. */
static bool
json_read_rows(struct json_look *look)
{
    bool is_object = look->json.token == SW_JSON_OBJECT;
    for (;;) {
        enum sw_json_token token = sw_json_next(&look->json);
        if (is_object && token == SW_JSON_KEY) {
            token = sw_json_next(&look->json);
        } else if (token == SW_JSON_OBJECT_END || token == SW_JSON_ARRAY_END) {
            return true;
        }
        if (token != SW_JSON_OBJECT) {
            return sw_json_error(&look->json, look->err);
        }
        if (!json_read_row(look)) {
            return false;
        }
    }
}

static bool
json_read_document(struct json_look *look)
{
    struct sw_json *json = &look->json;
    bool found = false;
    if (sw_json_next(json) != SW_JSON_OBJECT) {
        return sw_json_error(json, look->err);
    }
    while (sw_json_next_key(json)) {
        if (!sw_str_is(json->text, "sessions")) {
            if (!sw_json_skip(json)) {
                return sw_json_error(json, look->err);
            }
            continue;
        }
        if (found) {
            return sw_err_set(look->err, "byte %zu: a second list of sessions", json->at);
        }
        found = true;
        enum sw_json_token token = sw_json_next(json);
        if (token != SW_JSON_OBJECT && token != SW_JSON_ARRAY) {
            return sw_json_error(json, look->err);
        }
        if (!json_read_rows(look)) {
            return false;
        }
    }
    if (json->token != SW_JSON_OBJECT_END || sw_json_next(json) != SW_JSON_END) {
        return sw_json_error(json, look->err);
    }
    return found || sw_err_set(look->err, "no list of sessions");
}

bool
sw_smbstatus_read_json(struct sw_str text, int64_t now_ns, struct sw_uid_names *names,
    struct sw_builder *builder, struct sw_smbstatus_counts *counts, struct sw_err *err)
{
    struct json_look look = {
        .now_ns = now_ns, .names = names, .builder = builder, .counts = counts, .err = err};
    *counts = (struct sw_smbstatus_counts){0};
    if (sw_str_starts(text, "(null)")) {
        return sw_err_set(err, "smbstatus ran out of memory while it wrote its list");
    }
    sw_json_init(&look.json, text.data, text.size);
    for (size_t i = 0; i < ROW_STRINGS; i++) {
        sw_buf_init(&look.row.strings[i], text.size + 64);
    }
    bool read = json_read_document(&look);
    for (size_t i = 0; i < ROW_STRINGS; i++) {
        sw_buf_fini(&look.row.strings[i]);
    }
    sw_json_fini(&look.json);
    return read || sw_err_wrap(err, "smbstatus' JSON");
}
