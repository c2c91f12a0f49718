/*
 * What the two syslog formats share: text of strangers made fit for a message, the parameters in
 * their order of importance, and the cutting. A message is written once, as if it fitted; only
 * what turns out too long is taken back. Nothing is allocated but in the buffer.
 */
#ifndef SW_FORMAT_SYSLOG_PRIVATE_H
#define SW_FORMAT_SYSLOG_PRIVATE_H

#include <string.h>

#include "sinks/format/syslog.h"

/* What cannot stand as it came. Malformed UTF-8 becomes U+FFFD in every style. */
struct syslog_style {
    char special[3];           /* ASCII; '\0': none */
    const char *instead;       /* of each special character; NULL: it gets a backslash */
    struct sw_str unprintable; /* instead of sw_is_unprintable and of U+FEFF, the byte order mark */
};

/* ---- syslog_text.c */

/* The mark of a cut: an ellipsis. */
#define SYSLOG_CUT      "\xE2\x80\xA6"
#define SYSLOG_CUT_SIZE (sizeof(SYSLOG_CUT) - 1)

/* Bytes that one byte of a text can become. */
#define SYSLOG_GROWTH 3

/* Whether text may stand as it came. */
bool syslog_is_fit(struct sw_str text, const struct syslog_style *style);

/* Writes text made fit, at most SYSLOG_GROWTH times its size; returns where it ends. */
char *syslog_put_text(char *at, struct sw_str text, const struct syslog_style *style);

/* Shortens a text of `size` bytes that syslog_put_text has written to at most max (which is less),
 * the mark included: at a code point, and not between a backslash and what it escapes. Returns the
 * new size. */
size_t syslog_cut(char *text, size_t size, size_t max);

/* ---- syslog.c */

struct syslog_message {
    const struct sw_format_record *record;
    const struct sw_syslog_options *options;
    const struct sw_format_context *context;
    struct sw_buf *buf;
    size_t begin; /* where it begins in buf */
    size_t limit; /* its bytes */
    bool is_cut;
};

struct syslog_message syslog_message_of(const struct sw_format_record *record, const void *options,
    const struct sw_format_context *context, struct sw_buf *buf);

/* What a header never passes. */
#define SYSLOG_HEADER_MAX 512

/* Parts of the header are written where the caller has room for SYSLOG_HEADER_MAX bytes and where
 * the one before ended. */

#define SYSLOG_PUT(at, literal)                                                                    \
    ((char *)memcpy((at), (literal), sizeof(literal) - 1) + (sizeof(literal) - 1))

/* `<133>` (RFC 5424 §6.2.1, RFC 3164 §4.1.1). */
char *syslog_put_pri(char *at, const struct syslog_message *message);

/* The agent's machine as PRINTUSASCII of at most 255 octets (RFC 5424 §6.2.4); `-` if unknown. */
char *syslog_put_host(char *at, struct syslog_message *message, struct sw_str name);

/* Appends ` name="value"` for all that the event tells, without passing `end` (a size of buf). */
void
syslog_add_params(struct syslog_message *message, const struct syslog_style *style, size_t end);

/* ---- syslog_text.c again: the sentence for people */

/* Makes a sentence fit that stands in buf from `from` up to `to`, as it came: its first `fixed`
 * bytes are ours. It is left out when not even a mark of the cut would fit. What follows it stays
 * behind it. */
void syslog_settle_sentence(struct syslog_message *message, const struct syslog_style *style,
    size_t from, size_t fixed, size_t to);

#endif
