/*
 * The stored form of a baseline's rows, and reading a baseline back after a restart. The journal
 * stores bytes and does not look inside.
 */
#ifndef SW_BASELINE_H
#define SW_BASELINE_H

#include "agent/diff.h"
#include "agent/journal.h"

/* Appends the stored form of one followed session as seen by a look that ended at seen_ns (wall
 * clock). `active` is stored with that time. */
void sw_baseline_encode_row(
    const struct sw_row *row, const struct sw_track *track, int64_t seen_ns, struct sw_buf *buf);

/* Strings are borrowed from bytes. */
bool sw_baseline_decode_row(struct sw_row *row, struct sw_track *track, int64_t *seen_ns,
    struct sw_str bytes, struct sw_err *err);

/* What an age has grown to from one wall-clock time to another: whole seconds, SW_UNKNOWN stays. */
uint32_t sw_baseline_age(uint32_t active, int64_t from_ns, int64_t to_ns);

/* The baseline of a source as stored: rows aged to the state's last look. *baseline is empty when
 * the state has none. Its boot_ns is the state's: the caller drops it when the boot is another. */
bool sw_baseline_load(struct sw_journal *journal, const struct sw_source_state *state,
    struct sw_baseline *baseline, struct sw_err *err);

#endif
