/*
 * What smbstatus prints, read into a builder. Two forms of the same list: JSON (Samba 4.17 and
 * later; has ids) and numeric text (older Sambas too; linear where JSON is quadratic; no ids). Both
 * report client and transport the same way, so that a change of form is no change of sessions.
 *
 * Pure: bytes in, rows out. Names come from strangers; a name never refuses a list, a damaged or
 * cut list always does.
 */
#ifndef SW_SOURCES_SAMBA_SMBSTATUS_H
#define SW_SOURCES_SAMBA_SMBSTATUS_H

#include "agent/base/error.h"
#include "agent/base/string.h"
#include "agent/snapshot.h"
#include "agent/sources/samba/uid_names.h"

struct sw_smbstatus_counts {
    size_t rows; /* listed, half-open ones included */
    uint64_t
        half_open; /* connections whose user is not known yet: no sessions, not in the builder */
};

/*
 * Reads `smbstatus --json -p`. Rows have an id (session_id/unique_id), the user, the client, the
 * transport and, from Samba 4.20 on, how long they are active at now_ns (wall clock). What it
 * learns of user ids and names goes to names. false: no whole list (err says what is missing); the
 * builder then holds a part of it.
 */
bool sw_smbstatus_read_json(struct sw_str text, int64_t now_ns, struct sw_uid_names *names,
    struct sw_builder *builder, struct sw_smbstatus_counts *counts, struct sw_err *err);

/* Reads `smbstatus -n -p`; the builder may be NULL to only count. Otherwise as above, without id
 * and active; the user is names' name of the uid. The text has no end mark: that the last line is
 * whole can be told, that nothing follows it only by smbstatus' exit status. */
bool sw_smbstatus_read_text(struct sw_str text, struct sw_uid_names *names,
    struct sw_builder *builder, struct sw_smbstatus_counts *counts, struct sw_err *err);

#endif
