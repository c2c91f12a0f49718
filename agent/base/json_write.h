/*
 * Writing JSON (RFC 8259) straight into a buffer. The caller writes the braces, keys and commas
 * that it knows as literals; these functions write what comes from elsewhere.
 */
#ifndef SW_BASE_JSON_WRITE_H
#define SW_BASE_JSON_WRITE_H

#include "agent/base/buffer.h"
#include "agent/base/string.h"

/* A quoted JSON string of text as repaired by sw_utf8_repair. `"`, `\`, C0 and DEL are escaped, and
 * so are U+2028, U+2029 and bidirectional controls, so that the line reads the same everywhere. */
void sw_json_add_string(struct sw_buf *buf, struct sw_str text);

/* As sw_json_add_string, but nothing is repaired away: a NUL becomes \u0000, a lone surrogate
 * \uD8xx; other malformed bytes go out as they came. Reading it back gives the same bytes. */
void sw_json_add_raw_string(struct sw_buf *buf, struct sw_str text);

#endif
