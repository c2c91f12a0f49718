/* Acknowledgements, and waiting for something to acknowledge. */
#include <inttypes.h>

#include "agent/base/time_text.h"
#include "agent/journal/journal_private.h"
#include "agent/platform/platform.h"

/* What was dropped while the sink had it in hand, and now says is done with, is not lost. Such an
 * ack lies inside the episode: what is read afterwards lies behind it. */
static void
ack_takes_back(struct sw_sink_state *state, uint64_t position)
{
    if (state->drop_count == 0 || position < state->drop_first || position >= state->drop_last) {
        return;
    }
    uint64_t had = position - state->drop_first + 1;
    had = had < state->drop_count ? had : state->drop_count - 1;
    state->drop_first = position + 1;
    state->drop_count -= had;
    state->dropped -= had;
}

static void
ack_note(struct sw_sink_state *to, const struct sw_sink_state *from)
{
    if (from->position > to->position) {
        ack_takes_back(to, from->position);
        to->position = from->position;
    }
    to->sent = from->sent;
    to->rejected = from->rejected;
    to->passed_over = from->passed_over;
    to->cut = from->cut;
    to->last_sent_ns = from->last_sent_ns;
    to->answer_ns = from->answer_ns;
    to->paused = from->paused;
    sw_state_set(&to->answer, from->answer);
}

static bool
ack_is_pending(const struct sw_journal *journal)
{
    for (size_t i = 0; i < journal->sink_count; i++) {
        if (journal->sinks[i].dirty) {
            return true;
        }
    }
    return false;
}

static bool
ack_store(struct sw_journal *journal, int64_t now_ns, struct sw_err *err)
{
    if (!journal_store_sinks(journal, err)) {
        return false;
    }
    journal->acks_written_ns = now_ns;
    return true;
}

bool
sw_journal_ack(struct sw_journal *journal, const struct sw_sink_state *state, int64_t now_ns,
    bool *pending, struct sw_err *err)
{
    *pending = false;
    if (!journal_lock(journal, true, err)) {
        return false;
    }
    bool ok = true;
    struct journal_sink *sink = journal_sink_find(journal, state->name);
    if (sink == NULL) {
        ok = sw_err_set(err, "sink '%s' is not in the journal", state->name);
    } else if (state->position > journal->last_seq) {
        ok = sw_err_set(err, "sink '%s' is at %" PRIu64 ", the journal ends at %" PRIu64,
            state->name, state->position, journal->last_seq);
    } else if (journal->class->ack != NULL && !journal->class->ack(journal, err)) {
        ok = false;
    } else {
        ack_note(&sink->state, state);
        sink->dirty = true;
        if (journal->acks_written_ns == SW_TIME_NONE ||
            now_ns - journal->acks_written_ns >= JOURNAL_ACK_INTERVAL_NS) {
            ok = ack_store(journal, now_ns, err);
        }
    }
    *pending = ack_is_pending(journal);
    return journal_unlock(journal, ok);
}

bool
sw_journal_flush(struct sw_journal *journal, int64_t now_ns, struct sw_err *err)
{
    return journal_lock(journal, true, err) &&
           journal_unlock(journal, !ack_is_pending(journal) || ack_store(journal, now_ns, err));
}

bool
sw_journal_wait(struct sw_journal *journal, uint64_t after, int64_t until_ns, uint64_t *wakes)
{
    bool is_there = false;
    bool is_over = false;
    pthread_mutex_lock(&journal->wait.mutex);
    /* A wake comes first: whoever asked for it has set a flag that the caller must see now. */
    while (*wakes == journal->wait.wakes) {
        is_there = journal->wait.last > after;
        if (is_there || is_over) {
            break;
        }
        is_over = sw_cond_wait_until(&journal->wait.cond, &journal->wait.mutex, until_ns);
    }
    *wakes = journal->wait.wakes;
    pthread_mutex_unlock(&journal->wait.mutex);
    return is_there;
}

void
sw_journal_wake(struct sw_journal *journal)
{
    pthread_mutex_lock(&journal->wait.mutex);
    journal->wait.wakes++;
    pthread_cond_broadcast(&journal->wait.cond);
    pthread_mutex_unlock(&journal->wait.mutex);
}
