/* Structs to rows and back. The order is that of the tables in journal_schema.c. */
#include "agent/journal/journal_sql.h"

void
sql_put_source(struct journal_sql *sql, const struct sw_source_state *state)
{
    struct sql_use use = sql_use(sql, SQL_SOURCE_PUT);
    sql_put_text(&use, state->name);
    sql_put_text(&use, state->type);
    sql_put_text(&use, state->identity);
    sql_put_text(&use, state->server);
    sql_put_int(&use, state->status);
    sql_put_time(&use, state->since_ns);
    sql_put_time(&use, state->last_look_ns);
    sql_put_time(&use, state->last_boot_ns);
    sql_put_text(&use, state->boot_id);
    sql_put_int(&use, state->last_took_ns);
    sql_put_int(&use, state->reported);
    sql_put_int(&use, state->level);
    sql_put_int(&use, state->sessions);
    sql_put_int(&use, state->has_baseline);
    sql_put_int(&use, state->position);
    sql_put_int(&use, state->flooded);
    sql_put_time(&use, state->changes_from_ns);
    sql_put_int(&use, state->changes_count);
    sql_put_text(&use, state->error);
    sql_run(&use);
}

void
sql_take_source(struct sql_use *use, struct sw_source_state *state)
{
    sql_take_text(use, &state->name);
    sql_take_text(use, &state->type);
    sql_take_text(use, &state->identity);
    sql_take_text(use, &state->server);
    state->status = (enum sw_source_status)sql_take_int(use);
    state->since_ns = sql_take_time(use);
    state->last_look_ns = sql_take_time(use);
    state->last_boot_ns = sql_take_time(use);
    sql_take_text(use, &state->boot_id);
    state->last_took_ns = sql_take_int(use);
    state->reported = (unsigned)sql_take_int(use);
    state->level = (int)sql_take_int(use);
    state->sessions = sql_take_int(use);
    state->has_baseline = sql_take_int(use) != 0;
    state->position = sql_take_int(use);
    state->flooded = sql_take_int(use) != 0;
    state->changes_from_ns = sql_take_time(use);
    state->changes_count = sql_take_int(use);
    sql_take_text(use, &state->error);
}

void
sql_put_sink(struct journal_sql *sql, const struct journal_sink *sink)
{
    const struct sw_sink_state *state = &sink->state;
    struct sql_use use = sql_use(sql, SQL_SINK_PUT);
    sql_put_text(&use, state->name);
    sql_put_text(&use, state->type);
    sql_put_uint(&use, state->position);
    sql_put_uint(&use, state->sent);
    sql_put_uint(&use, state->rejected);
    sql_put_uint(&use, state->passed_over);
    sql_put_uint(&use, state->cut);
    sql_put_uint(&use, sink->next.total);
    sql_put_uint(&use, sink->next.first);
    sql_put_uint(&use, sink->next.last);
    sql_put_uint(&use, sink->next.count);
    sql_put_time(&use, state->last_sent_ns);
    sql_put_text(&use, state->answer);
    sql_put_time(&use, state->answer_ns);
    sql_put_int(&use, state->paused);
    sql_put_time(&use, state->absent_since_ns);
    sql_run(&use);
}

void
sql_take_sink(struct sql_use *use, struct sw_sink_state *state)
{
    sql_take_text(use, &state->name);
    sql_take_text(use, &state->type);
    state->position = sql_take_uint(use);
    state->sent = sql_take_uint(use);
    state->rejected = sql_take_uint(use);
    state->passed_over = sql_take_uint(use);
    state->cut = sql_take_uint(use);
    state->dropped = sql_take_uint(use);
    state->drop_first = sql_take_uint(use);
    state->drop_last = sql_take_uint(use);
    state->drop_count = sql_take_uint(use);
    state->last_sent_ns = sql_take_time(use);
    sql_take_text(use, &state->answer);
    state->answer_ns = sql_take_time(use);
    state->paused = sql_take_int(use) != 0;
    state->absent_since_ns = sql_take_time(use);
}
