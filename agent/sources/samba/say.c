#include <string.h>

#include "agent/base/sha256.h"
#include "agent/sources/samba/look.h"

/* Equal lines differ in times and process numbers only. */
static uint64_t
say_mark(struct sw_str line)
{
    uint8_t digest[SW_SHA256_SIZE];
    uint64_t mark;
    struct sw_buf buf;
    sw_buf_init(&buf, line.size);
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] < '0' || line.data[i] > '9') {
            sw_buf_add_char(&buf, line.data[i]);
        }
    }
    sw_sha256(digest, sw_buf_text(&buf), buf.size);
    sw_buf_fini(&buf);
    memcpy(&mark, digest, sizeof(mark));
    return mark;
}

static void
say_once(struct sw_samba_look *look, struct sw_str line)
{
    struct sw_samba_state *state = look->state;
    uint64_t mark = say_mark(line);
    for (size_t i = 0; i < state->said_count; i++) {
        if (state->said[i] == mark) {
            return;
        }
    }
    if (state->said_count == SW_SAMBA_SAID_MAX) {
        return;
    }
    state->said[state->said_count++] = mark;
    sw_log(look->source->log, SW_LOG_INFO, look->source->name, "smbstatus says: %.*s",
        line.size < 500 ? (int)line.size : 500, line.data);
}

void
sw_samba_say_stderr(struct sw_samba_look *look, struct sw_str text)
{
    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        struct sw_str line = {text.data, end != NULL ? (size_t)(end - text.data) : text.size};
        if (line.size > 0) {
            say_once(look, line);
        }
        size_t used = line.size + (end != NULL);
        text.data += used;
        text.size -= used;
    }
}
