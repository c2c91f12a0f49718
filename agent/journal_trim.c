/*
 * What may go, and when. Passed events go in passing once some thousands have come together. At
 * 90 % of the cap the oldest go until 80 % is reached: first what all have passed, then (on_full:
 * oldest) what somebody has not. All in bounded steps inside the transaction of an append, which
 * deletes at least what it adds: no append takes long, and the cap holds all the time.
 */
#include "agent/journal_sql.h"

/* A quarter of the file is free, and at least so many pages: it is worth giving them back. */
#define TRIM_VACUUM_PAGES 1024
/* The cap is of the file and its WAL: this much of it is the WAL's, at most. */
#define TRIM_WAL_SHARE (UINT64_C(8) << 20)

struct trim {
    struct sw_journal *journal;
    struct journal_sql *sql;
    struct journal_step *step;
    uint64_t incoming;
    uint64_t high, low;
};

uint64_t
journal_trim_used(struct journal_sql *sql)
{
    int64_t pages = sql_number(sql, SQL_PAGE_COUNT, 0) - sql_number(sql, SQL_FREE_COUNT, 0);
    return (uint64_t)(pages * sql->page_size);
}

static bool
trim_is_above(const struct trim *trim, uint64_t mark)
{
    return trim->sql->rc == SQLITE_OK && journal_trim_used(trim->sql) + trim->incoming > mark;
}

/* Deletes at most count of the oldest events up to last. false: there was none. */
static bool
trim_cut(struct trim *trim, uint64_t last, uint64_t count)
{
    uint64_t first = trim->step->first_seq;
    /* The newest stays, whoever has passed it: it carries the next sequence number. */
    if (trim->journal->last_seq > 0 && last >= trim->journal->last_seq) {
        last = trim->journal->last_seq - 1;
    }
    if (last < first || trim->sql->rc != SQLITE_OK) {
        return false;
    }
    last = last - first >= count ? first + count - 1 : last;
    struct sql_use use = sql_use(trim->sql, SQL_EVENT_CUT);
    sql_put_uint(&use, last);
    sql_run(&use);
    journal_step_cut(trim->journal, trim->step, last);
    return true;
}

static void
trim_vacuum(struct journal_sql *sql)
{
    int64_t free_pages = sql_number(sql, SQL_FREE_COUNT, 0);
    if (free_pages > TRIM_VACUUM_PAGES && free_pages > sql_number(sql, SQL_PAGE_COUNT, 0) / 4) {
        struct sql_use use = sql_use(sql, SQL_VACUUM);
        while (sql_step(&use)) {
        }
        sql_end(&use);
    }
}

/* The cap was met: makes room for what comes, and goes a step further towards the lower mark. */
static bool
trim_to_cap(struct trim *trim, uint64_t passed, size_t count, struct sw_err *err)
{
    struct sw_journal *journal = trim->journal;
    uint64_t last = journal->on_full == SW_ON_FULL_OLDEST ? UINT64_MAX : passed;
    while (trim_is_above(trim, trim->high) &&
           (trim_cut(trim, passed, JOURNAL_TRIM_STEP) || trim_cut(trim, last, JOURNAL_TRIM_STEP))) {
    }
    if (count > 0 && trim_is_above(trim, trim->high)) {
        return journal_full_error(journal, journal_trim_used(trim->sql), err);
    }
    if (trim_is_above(trim, trim->low)) {
        return trim_cut(trim, passed, JOURNAL_TRIM_STEP) ||
               trim_cut(trim, last, JOURNAL_TRIM_STEP) || true;
    }
    journal->trimming = false;
    return true;
}

bool
journal_trim(struct sw_journal *journal, struct journal_sql *sql, uint64_t incoming,
    size_t incoming_count, struct journal_step *step, struct sw_err *err)
{
    uint64_t share = journal->max_size / 4 < TRIM_WAL_SHARE ? journal->max_size / 4 : TRIM_WAL_SHARE;
    uint64_t cap = journal->max_size - share;
    struct trim trim = {journal, sql, step, incoming, cap / 10 * 9, cap / 10 * 8};
    uint64_t passed = journal_passed(journal);
    bool ok = true;

    if (passed + 1 > step->first_seq + JOURNAL_PASSED_KEEP) {
        trim_cut(&trim, passed, JOURNAL_TRIM_STEP + 2 * incoming_count);
    }
    if (journal->max_size > 0 && incoming_count > 0) {
        journal->trimming = journal->trimming || trim_is_above(&trim, trim.high);
        ok = !journal->trimming || trim_to_cap(&trim, passed, incoming_count, err);
    }
    if (ok) {
        trim_vacuum(sql);
    }
    return ok;
}
