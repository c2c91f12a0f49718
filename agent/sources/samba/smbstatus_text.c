#include "agent/sources/samba/smbstatus.h"

#include <string.h>

/* Rows are "%-7s %-12u %-12u %-41s %-17s %-20s %-21s\n": process, uid, gid, `NAME (TRANSPORT)`,
 * protocol, encryption, signing (Samba, source3/utils/status.c, traverse_sessionid_stdout). */
struct text_row {
    uint32_t uid;
    struct sw_str client;
    struct sw_str transport;
    struct sw_str columns; /* what follows */
};

#define TEXT_PROCESS_BYTES "0123456789:."

static struct sw_str
text_trim(struct sw_str text)
{
    while (text.size > 0 && text.data[0] == ' ') {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && text.data[text.size - 1] == ' ') {
        text.size--;
    }
    return text;
}

/* Cuts the first line off *text, which ends with a newline. */
static struct sw_str
text_take_line(struct sw_str *text)
{
    const char *end = memchr(text->data, '\n', text->size);
    struct sw_str line = {text->data, (size_t)(end - text->data)};
    text->data = end + 1;
    text->size -= line.size + 1;
    return line;
}

/* Cuts the first word off *line; empty when there is none. */
static struct sw_str
text_take_word(struct sw_str *line)
{
    while (line->size > 0 && line->data[0] == ' ') {
        line->data++;
        line->size--;
    }
    struct sw_str word = {line->data, 0};
    while (line->size > 0 && line->data[0] != ' ') {
        word.size++;
        line->data++;
        line->size--;
    }
    return word;
}

static const char *
text_find(struct sw_str text, const char *part)
{
    return text.size > 0 ? memmem(text.data, text.size, part, strlen(part)) : NULL;
}

/* "25648", "1:25648" (of a cluster), "25648.2" (of a task) */
static bool
text_is_process(struct sw_str word)
{
    for (size_t i = 0; i < word.size; i++) {
        if (memchr(TEXT_PROCESS_BYTES, word.data[i], sizeof(TEXT_PROCESS_BYTES) - 1) == NULL) {
            return false;
        }
    }
    return word.size > 0 && word.data[0] >= '0' && word.data[0] <= '9';
}

static bool
text_read_uid(struct sw_str word, uint32_t *uid)
{
    uint64_t number;
    if (sw_str_is(word, "-1")) {
        *uid = UINT32_MAX;
        return true;
    }
    if (!sw_parse_uint(word, UINT32_MAX, &number)) {
        return false;
    }
    *uid = (uint32_t)number;
    return true;
}

/* `NAME (TRANSPORT)   PROTOCOL …`; the name may be empty. */
static bool
text_read_machine(struct sw_str rest, struct text_row *row)
{
    static const char *const opens[] = {" (ipv4:", " (ipv6:", " ("};
    const char *open = NULL;
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]) && open == NULL; i++) {
        open = text_find(rest, opens[i]);
    }
    if (open == NULL) {
        return false;
    }
    row->client = text_trim((struct sw_str){rest.data, (size_t)(open - rest.data)});
    struct sw_str tail = {open + 2, rest.size - (size_t)(open + 2 - rest.data)};
    const char *close = text_find(tail, ") ");
    if (close == NULL) {
        return false;
    }
    row->transport = (struct sw_str){tail.data, (size_t)(close - tail.data)};
    row->columns = text_trim((struct sw_str){close + 1, tail.size - row->transport.size - 1});
    return row->columns.size > 0;
}

static bool
text_read_row(struct sw_str line, struct text_row *row)
{
    uint32_t gid;
    return text_is_process(text_take_word(&line)) &&
           text_read_uid(text_take_word(&line), &row->uid) &&
           text_read_uid(text_take_word(&line), &gid) && text_read_machine(line, row);
}

static bool
text_add(const struct text_row *row, struct sw_uid_names *names, struct sw_builder *builder,
    struct sw_err *err)
{
    struct sw_row session = SW_ROW_EMPTY;
    struct sw_buf user;
    sw_buf_init(&user, SW_NAME_MAX);
    sw_uid_names_add(names, row->uid, &user);
    session.user = (struct sw_str){sw_buf_text(&user), user.size};
    session.client = row->client;
    session.transport = row->transport;
    bool added = sw_builder_add(builder, &session, err);
    sw_buf_fini(&user);
    return added;
}

/* Passes over everything up to the line of dashes under the column names. */
static bool
text_skip_head(struct sw_str *text, struct sw_err *err)
{
    bool named = false;
    while (text->size > 0) {
        struct sw_str line = text_take_line(text);
        if (named && sw_str_starts(line, "-----")) {
            return true;
        }
        named = sw_str_starts(line, "PID ") && text_find(line, " Machine ") != NULL;
    }
    return sw_err_set(err, "no table of sessions");
}

static bool
text_read_rows(struct sw_str text, struct sw_uid_names *names, struct sw_builder *builder,
    struct sw_smbstatus_counts *counts, struct sw_err *err)
{
    bool over = false;
    while (text.size > 0) {
        struct sw_str line = text_take_line(&text);
        struct text_row row;
        if (text_trim(line).size == 0) {
            over = true;
            continue;
        }
        if (over || !text_read_row(line, &row)) {
            return sw_err_set(err, "row %zu is damaged", counts->rows + 1);
        }
        if (text_find(row.columns, "???") != NULL) {
            return sw_err_set(err,
                "row %zu uses a cipher that this smbstatus does not know (it stops listing "
                "there): use the smbstatus of the same version as smbd",
                counts->rows + 1);
        }
        counts->rows++;
        if (row.uid == UINT32_MAX) {
            counts->half_open++;
        } else if (builder != NULL && !text_add(&row, names, builder, err)) {
            return false;
        }
    }
    return true;
}

bool
sw_smbstatus_read_text(struct sw_str text, struct sw_uid_names *names, struct sw_builder *builder,
    struct sw_smbstatus_counts *counts, struct sw_err *err)
{
    *counts = (struct sw_smbstatus_counts){0};
    bool read;
    if (text.size == 0 || text.data[text.size - 1] != '\n') {
        read = sw_err_set(err, "it ends in the middle of a line");
    } else {
        read = text_skip_head(&text, err) && text_read_rows(text, names, builder, counts, err);
    }
    return read || sw_err_wrap(err, "smbstatus' table");
}
