/*
 * Borrowed runs of bytes, UTF-8, and text for people. Names of users and clients come from
 * strangers: inside they travel as the bytes that came (lone surrogates as three bytes, NUL as
 * NUL), and are repaired where they are shown or formatted, here and nowhere else.
 */
#ifndef SW_BASE_STRING_H
#define SW_BASE_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buffer.h"

/* Bytes that belong to somebody else; may hold NUL and anything. {NULL, 0} is empty. */
struct sw_str {
    const char *data;
    size_t size;
};

#define SW_STR(literal) ((struct sw_str){(literal), sizeof(literal) - 1})

struct sw_str sw_str_of(const char *text); /* NULL is empty */
bool sw_str_equal(struct sw_str a, struct sw_str b);
bool sw_str_is(struct sw_str a, const char *text);
/* <0, 0, >0, by bytes as unsigned, shorter first. */
int sw_str_compare(struct sw_str a, struct sw_str b);
bool sw_str_starts(struct sw_str a, const char *prefix);

/* Size of the first code point of bytes (1 to 4) and its value in *code_point; a byte that begins
 * no well-formed UTF-8 sequence (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF) is
 * size 1 with *code_point = 0xFFFFFFFF. size must be at least 1. */
#define SW_UTF8_BAD 0xFFFFFFFFu
size_t sw_utf8_next(const char *bytes, size_t size, uint32_t *code_point);

bool sw_utf8_is_valid(struct sw_str text);

/* The largest cut <= max that does not split a code point of bytes. */
size_t sw_utf8_cut(const char *bytes, size_t size, size_t max);

/* Appends the UTF-8 form of a code point; surrogates get the three bytes their value has
 * ("WTF-8"), which are not valid UTF-8 and so are repaired when shown. */
void sw_utf8_add(struct sw_buf *buf, uint32_t code_point);

/* Appends text with U+FFFD for every maximal part that is not well-formed (Unicode 15 §3.9, "best
 * practice") and for every NUL. */
void sw_utf8_repair(struct sw_buf *buf, struct sw_str text);

/* What could move a cursor, end a line or turn the reading direction: C0, DEL, C1, bidirectional
 * controls, U+2028 and U+2029. */
bool sw_is_unprintable(uint32_t code_point);

/* Appends text for a terminal or a log line: repaired, and what is unprintable shown as \u{…}. */
void sw_text_printable(struct sw_buf *buf, struct sw_str text);

/* Glob: `*` any run, `?` any one byte-sequence of a code point. Nothing escapes: names as in
 * `DOMAIN\*` are what is matched, and no account has `*` or `?` in its name. ASCII letters match in
 * both cases, as SMB names do. Time is at most pattern x text. */
bool sw_glob_match(struct sw_str pattern, struct sw_str text);

/* Digits only, no sign, no blanks, at least one; false on anything else or above max. */
bool sw_parse_uint(struct sw_str text, uint64_t max, uint64_t *number);

/* Edits (insert, remove, replace, swap of neighbours) between two names of at most 63 bytes;
 * larger names count as far apart (64). For "did you mean". */
size_t sw_edit_distance(const char *a, const char *b);

void sw_hex_encode(char *text, const uint8_t *bytes, size_t size); /* writes 2 * size, no NUL */

#endif
