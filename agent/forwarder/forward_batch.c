/* The batch in hand: filter, format, send, set aside what was refused. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/forwarder/forwarder_private.h"
#include "agent/platform/platform.h"

/* Formatted bytes of one send: then it goes, however few records it is. */
#define BATCH_BYTES_ENOUGH ((size_t)3 << 19)
/* One stored event cannot become more than this. */
#define BATCH_BYTES_MAX ((size_t)16 << 20)
/* What is kept between floods. */
#define BATCH_RECORDS_KEPT 32
#define BATCH_BYTES_KEPT   ((size_t)64 << 10)

bool
forward_batch_is_empty(const struct forward_batch *batch)
{
    return batch->first == batch->read.count;
}

static void
batch_set_capacity(struct forward_batch *batch, size_t capacity)
{
    batch->is_done = sw_realloc(batch->is_done, capacity, sizeof(*batch->is_done));
    batch->index = sw_realloc(batch->index, capacity, sizeof(*batch->index));
    batch->events = sw_realloc(batch->events, capacity, sizeof(*batch->events));
    batch->records = sw_realloc(batch->records, capacity, sizeof(*batch->records));
    batch->results = sw_realloc(batch->results, capacity, sizeof(*batch->results));
    batch->capacity = capacity;
}

void
forward_batch_fini(struct forward_batch *batch)
{
    sw_journal_batch_fini(&batch->read);
    free(batch->is_done);
    free(batch->index);
    free(batch->events);
    free(batch->records);
    free(batch->results);
    sw_buf_fini(&batch->bytes);
    *batch = (struct forward_batch){0};
}

void
forward_batch_shrink(struct forward_batch *batch)
{
    if (batch->capacity > BATCH_RECORDS_KEPT || batch->bytes.capacity > BATCH_BYTES_KEPT ||
        batch->read.bytes.capacity > BATCH_BYTES_KEPT) {
        forward_batch_fini(batch);
        sw_memory_trim();
    }
}

bool
forward_batch_read(struct sw_forwarder *forwarder, struct sw_err *err)
{
    struct forward_batch *batch = &forwarder->batch;
    /* Whole sends, so that none is left over that goes half empty. */
    size_t most = SW_BATCH_RECORDS_MAX / forwarder->policy.max * forwarder->policy.max;
    batch->first = 0;
    if (!sw_journal_read(
            forwarder->options.journal, forwarder->state.position, most, &batch->read, err)) {
        batch->read.count = 0;
        return false;
    }
    if (batch->read.count > batch->capacity) {
        batch_set_capacity(batch, batch->read.count);
    }
    if (batch->read.count > 0) {
        memset(batch->is_done, 0, batch->read.count * sizeof(*batch->is_done));
    }
    return true;
}

/* Puts a record aside for good. */
static bool
batch_reject(struct sw_forwarder *forwarder, size_t index, const char *reason, struct sw_err *err)
{
    const struct sw_journal_record *record = &forwarder->batch.read.records[index];
    unsigned suppressed;
    if (!sw_journal_reject(forwarder->options.journal, forwarder->options.name, record->seq,
            record->body, reason, forward_wall_ns(forwarder), err)) {
        return false;
    }
    forwarder->state.rejected++;
    forwarder->batch.is_done[index] = true;
    if (sw_log_limit_allows(&forwarder->log_limit, forward_boot_ns(forwarder), 20, &suppressed)) {
        sw_log(forwarder->options.log, SW_LOG_WARN, forwarder->log_part,
            "event %" PRIu64 " is set aside: %s", record->seq, reason);
    }
    return true;
}

static bool
batch_is_too_old(const struct sw_forwarder *forwarder, const struct sw_event *event, int64_t now_ns)
{
    int64_t max_age_ns = forwarder->options.settings->max_age_ns;
    return max_age_ns > 0 && event->created_ns != SW_EVENT_NONE &&
           event->created_ns < now_ns - max_age_ns;
}

/* Decodes and formats one record; true with *taken false when it is done with unsent. */
static bool
batch_format(struct sw_forwarder *forwarder, size_t index, size_t at, int64_t now_ns, bool *taken,
    struct sw_err *err)
{
    struct forward_batch *batch = &forwarder->batch;
    const struct sw_journal_record *record = &batch->read.records[index];
    struct sw_event *event = &batch->events[at];
    size_t begin = batch->bytes.size;
    struct sw_err why;
    *taken = false;
    if (!sw_event_decode(event, record->body, &why)) {
        return batch_reject(forwarder, index, why.text, err);
    }
    if (batch_is_too_old(forwarder, event, now_ns)) {
        forwarder->state.passed_over++;
        batch->is_done[index] = true;
        return true;
    }
    const struct sw_format_record told = {event, record->seq, forwarder->number + at + 1};
    bool is_whole = forwarder->format.format->write(
        &told, forwarder->format.options, forwarder->options.format, &batch->bytes);
    if (batch->bytes.failed) {
        batch->bytes.failed = false;
        sw_buf_truncate(&batch->bytes, begin);
        return batch_reject(forwarder, index, "too large to format", err);
    }
    batch->index[at] = index;
    batch->records[at] =
        (struct sw_record){record->seq, event, {NULL, batch->bytes.size - begin}, !is_whole};
    batch->results[at] = SW_RESULT_AGAIN;
    *taken = true;
    return true;
}

/* The records of the next send: the first that are not done with, at most `limit`. */
static bool
batch_gather(struct sw_forwarder *forwarder, size_t limit, size_t *count, struct sw_err *err)
{
    struct forward_batch *batch = &forwarder->batch;
    int64_t now_ns = forward_wall_ns(forwarder);
    *count = 0;
    batch->bytes.max = BATCH_BYTES_MAX;
    sw_buf_clear(&batch->bytes);
    for (size_t i = batch->first;
         i < batch->read.count && *count < limit && batch->bytes.size < BATCH_BYTES_ENOUGH; i++) {
        bool taken = false;
        if (!batch->is_done[i] && !batch_format(forwarder, i, *count, now_ns, &taken, err)) {
            return false;
        }
        *count += taken;
    }
    /* Only now that the buffer does not move any more. */
    const char *at = batch->bytes.data;
    for (size_t i = 0; i < *count; i++) {
        batch->records[i].bytes.data = at;
        at += batch->records[i].bytes.size;
    }
    return true;
}

static void
batch_advance(struct sw_forwarder *forwarder)
{
    struct forward_batch *batch = &forwarder->batch;
    while (batch->first < batch->read.count && batch->is_done[batch->first]) {
        forwarder->state.position = batch->read.records[batch->first++].seq;
    }
    forward_ack(forwarder);
}

static struct sw_forward_tally
batch_tally(const struct forward_batch *batch, size_t count, enum sw_outcome outcome,
    const struct sw_answer *answer)
{
    struct sw_forward_tally tally = {
        .sent = count, .outcome = outcome, .retry_after_ms = answer->retry_after_ms};
    for (size_t i = 0; i < count; i++) {
        tally.done += batch->results[i] == SW_RESULT_DONE;
        tally.refused += batch->results[i] == SW_RESULT_REFUSED;
        tally.unfit += batch->results[i] == SW_RESULT_UNFIT;
    }
    return tally;
}

static bool
batch_apply(struct sw_forwarder *forwarder, size_t count, bool set_aside, const char *reason,
    struct sw_err *err)
{
    struct forward_batch *batch = &forwarder->batch;
    int64_t now_ns = forward_wall_ns(forwarder);
    uint64_t first = forwarder->number + 1;
    for (size_t i = 0; i < count; i++) {
        if (batch->results[i] == SW_RESULT_DONE) {
            batch->is_done[batch->index[i]] = true;
            forwarder->state.sent++;
            forwarder->state.cut += batch->records[i].is_cut;
            forwarder->number = first + i;
            forwarder->state.last_sent_ns = now_ns;
        }
    }
    for (size_t i = 0; i < count; i++) {
        bool goes = batch->results[i] == SW_RESULT_UNFIT ||
                    (set_aside && batch->results[i] == SW_RESULT_REFUSED);
        if (goes && !batch_reject(forwarder, batch->index[i],
                        reason[0] != '\0' ? reason : "the receiver refuses it", err)) {
            return false;
        }
    }
    return true;
}

static uint32_t
batch_random(void)
{
    uint32_t random;
    sw_random(NULL, (uint8_t *)&random, sizeof(random));
    return random;
}

/* What a connect or send came to: mood, disconnecting, waiting. */
static struct sw_forward_decision
batch_decide(struct sw_forwarder *forwarder, const struct sw_forward_tally *tally, const char *text)
{
    struct sw_forward_decision decision =
        sw_forward_decide(&forwarder->policy, tally, batch_random());
    if (decision.wait_ns > 0) {
        forwarder->retry_at_ns = forward_boot_ns(forwarder) + decision.wait_ns;
        forward_note(forwarder, forwarder->policy.paused ? FORWARD_PAUSED : FORWARD_TROUBLED, text);
    } else if (tally->done > 0) {
        forward_note(forwarder, FORWARD_WELL, text);
    }
    if (decision.disconnect) {
        forward_disconnect(forwarder);
    }
    return decision;
}

static bool
batch_connect(struct sw_forwarder *forwarder)
{
    struct sw_err why = {0};
    const struct sw_sink_class *class = forwarder->options.class;
    struct sw_forward_tally tally = {
        .outcome = class->connect(&forwarder->sink, forward_deadline_ns(forwarder), &why)};
    forwarder->connected = tally.outcome == SW_OUTCOME_OK;
    if (!forwarder->connected) {
        batch_decide(forwarder, &tally, why.text);
    }
    return forwarder->connected;
}

/* How many records may go now; 0: none before retry_at_ns. */
static size_t
batch_limit(struct sw_forwarder *forwarder)
{
    return sw_forward_pace_allow(&forwarder->pace, forwarder->policy.limit,
        forward_boot_ns(forwarder), &forwarder->retry_at_ns);
}

bool
forward_batch_send(struct sw_forwarder *forwarder, struct sw_err *err)
{
    struct forward_batch *batch = &forwarder->batch;
    struct sw_answer answer = {0};
    struct sw_err why = {0};
    size_t count;
    size_t limit = batch_limit(forwarder);
    if (limit == 0) {
        return true;
    }
    if (!batch_gather(forwarder, limit, &count, err)) {
        return false;
    }
    if (count > 0 && (forwarder->connected || batch_connect(forwarder))) {
        enum sw_outcome outcome = forwarder->options.class->send(&forwarder->sink, batch->records,
            count, batch->results, &answer, forward_deadline_ns(forwarder), &why);
        if (answer.news[0] != '\0') {
            forward_say(forwarder, SW_LOG_INFO, answer.news, "");
        }
        const char *text = answer.text[0] != '\0' ? answer.text : why.text;
        struct sw_forward_tally tally = batch_tally(batch, count, outcome, &answer);
        struct sw_forward_decision decision = batch_decide(forwarder, &tally, text);
        sw_forward_pace_took(&forwarder->pace, tally.done, forward_boot_ns(forwarder));
        if (!batch_apply(forwarder, count, decision.set_aside, text, err)) {
            return false;
        }
    }
    batch_advance(forwarder);
    return true;
}
