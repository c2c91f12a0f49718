/*
 * What may go, and when: whole chunks of events. Passed ones go in passing once some thousands
 * have come together. At 90 % of the cap the oldest go until 80 % is reached: first what all have
 * passed, then (on_full: oldest) what somebody has not. All in bounded steps inside the
 * transaction of an append, which deletes at least what it adds: no append takes long, and the cap
 * holds all the time.
 */
#include "agent/journal/journal_sql.h"

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

/* About as many events as must go to come down to the mark, but a step at most. */
static uint64_t
trim_count(const struct trim *trim, uint64_t mark)
{
    uint64_t used = journal_trim_used(trim->sql);
    uint64_t events = trim->journal->last_seq + 1 - trim->step->first_seq;
    uint64_t above = used + trim->incoming > mark ? used + trim->incoming - mark : 0;
    uint64_t count = used > 0 && above < used ? events * above / used + 1 : events;
    return count < JOURNAL_TRIM_STEP ? count : JOURNAL_TRIM_STEP;
}

/* Where a chunk begins, 0: nowhere. */
static uint64_t
trim_border(struct trim *trim, enum journal_statement which, uint64_t seq)
{
    struct sql_use use = sql_use(trim->sql, which);
    sql_put_uint(&use, seq);
    uint64_t border = sql_step(&use) ? sql_take_uint(&use) : 0;
    sql_end(&use);
    return border;
}

/* Deletes the oldest chunks of events up to last, about count of them but at least one chunk.
 * false: there was none. */
static bool
trim_cut(struct trim *trim, uint64_t last, uint64_t count)
{
    uint64_t first = trim->step->first_seq;
    /* The newest chunk stays, whoever has passed it: it carries the next sequence number. */
    last = last < trim->journal->last_seq ? last : trim->journal->last_seq;
    if (last < first) {
        return false;
    }
    uint64_t end = trim_border(trim, SQL_CHUNK_AT, last + 1);
    uint64_t near = trim_border(trim, SQL_CHUNK_BEHIND, first + count - 1);
    end = near > 0 && near < end ? near : end;
    if (end <= first || trim->sql->rc != SQLITE_OK) {
        return false;
    }
    struct sql_use use = sql_use(trim->sql, SQL_CHUNK_CUT);
    sql_put_uint(&use, end);
    sql_run(&use);
    journal_step_cut(trim->journal, trim->step, end - 1);
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

/* A step from above the mark towards it. false: nothing is left to go. */
static bool
trim_towards(struct trim *trim, uint64_t mark)
{
    uint64_t count = trim_count(trim, mark);
    return trim_cut(trim, journal_passed(trim->journal), count) ||
           (trim->journal->on_full == SW_ON_FULL_OLDEST && trim_cut(trim, UINT64_MAX, count));
}

/* The cap was met: makes room for what comes, and goes a step further towards the lower mark. */
static bool
trim_to_cap(struct trim *trim, struct sw_err *err)
{
    while (trim_is_above(trim, trim->high)) {
        if (!trim_towards(trim, trim->low)) {
            return trim->sql->rc != SQLITE_OK ||
                   journal_full_error(trim->journal, journal_trim_used(trim->sql), err);
        }
    }
    trim->journal->trimming = trim_is_above(trim, trim->low) && trim_towards(trim, trim->low);
    return true;
}

bool
journal_trim(struct sw_journal *journal, struct journal_sql *sql, uint64_t incoming,
    size_t incoming_count, struct journal_step *step, struct sw_err *err)
{
    uint64_t share =
        journal->max_size / 4 < TRIM_WAL_SHARE ? journal->max_size / 4 : TRIM_WAL_SHARE;
    uint64_t cap = journal->max_size - share;
    struct trim trim = {journal, sql, step, incoming, cap / 10 * 9, cap / 10 * 8};
    uint64_t passed = journal_passed(journal);
    bool ok = true;

    uint64_t keep = journal->disk_full ? 0 : JOURNAL_PASSED_KEEP;
    if (passed + 1 > step->first_seq + keep) {
        trim_cut(&trim, passed, JOURNAL_TRIM_STEP + 2 * incoming_count);
    }
    if (journal->max_size > 0 && incoming_count > 0) {
        journal->trimming = journal->trimming || trim_is_above(&trim, trim.high);
        ok = !journal->trimming || trim_to_cap(&trim, err);
    }
    if (ok) {
        trim_vacuum(sql);
    }
    return ok;
}
