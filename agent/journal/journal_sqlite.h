/* One journal in SQLite, as its own files see it. */
#ifndef SW_JOURNAL_SQLITE_H
#define SW_JOURNAL_SQLITE_H

#include "agent/journal/journal_sql.h"

struct sqlite_journal {
    struct sw_journal base;
    struct journal_sql sql;
    bool is_open; /* everything was loaded; closing writes */
};

extern const struct journal_class journal_sqlite_class;

static inline struct sqlite_journal *
sqlite_of(struct sw_journal *journal)
{
    return (struct sqlite_journal *)journal;
}

/* Opens without looking for damage first. NULL with err; *damage: it was for damage. */
struct sw_journal *
journal_sqlite_open(const struct sw_journal_options *options, const struct journal_schema *schema,
    struct sw_journal_opened *opened, bool *damage, struct sw_err *err);

/* sw_journal_open with another idea of what is current: for tests of migration. */
struct sw_journal *journal_open_schema(const struct sw_journal_options *options,
    const struct journal_schema *schema, struct sw_journal_opened *opened, struct sw_err *err);

#endif
