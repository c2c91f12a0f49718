/*
 * Takes secrets out of what others say about us: a receiver that repeats our URL or our token in
 * its answer must not get them into a log. Pure.
 */
#ifndef SW_NET_REDACT_H
#define SW_NET_REDACT_H

#include "agent/base/buffer.h"
#include "agent/base/string.h"

/* Shorter ones would take harmless words with them. */
#define SW_REDACT_SIZE_MIN 4 /* bytes */

struct sw_redact {
    struct sw_str *secrets; /* owned, longest first */
    size_t count;
};

void sw_redact_fini(struct sw_redact *redact); /* zeroed: fine; wipes */

/* One more secret, copied; one that is too short is not looked for. */
void sw_redact_add(struct sw_redact *redact, struct sw_str secret);

/* Path and query of a URL, whole and each of their parts, as written and with %XX decoded. */
void sw_redact_add_target(struct sw_redact *redact, struct sw_str target);

/*
 * Appends text with *** for every secret in it, letters of either case. is_cut: text goes on behind
 * what we have, so that even a beginning of a secret at its end is one.
 */
void sw_redact_apply(
    const struct sw_redact *redact, struct sw_str text, bool is_cut, struct sw_buf *buf);

#endif
