/* The plain structs of the journal's contract: sources, sinks, batches. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/journal/journal_private.h"

void
sw_state_set(char **member, const char *text)
{
    char *copy = sw_strdup(text != NULL ? text : "");
    free(*member);
    *member = copy;
}

void
sw_source_state_init(struct sw_source_state *state, const char *name, const char *type)
{
    *state = (struct sw_source_state){
        .name = sw_strdup(name),
        .type = sw_strdup(type),
        .identity = sw_strdup(""),
        .server = sw_strdup(""),
        .status = SW_SOURCE_NEW,
        .since_ns = SW_TIME_NONE,
        .last_look_ns = SW_TIME_NONE,
        .last_boot_ns = SW_TIME_NONE,
        .boot_id = sw_strdup(""),
        .level = -1,
        .position = -1,
        .error = sw_strdup(""),
    };
}

void
sw_source_state_fini(struct sw_source_state *state)
{
    free(state->name);
    free(state->type);
    free(state->identity);
    free(state->server);
    free(state->boot_id);
    free(state->error);
    *state = (struct sw_source_state){0};
}

/* NULL for NULL, so that an emptied state can be copied too. */
static char *
states_dup(const char *text)
{
    return text != NULL ? sw_strdup(text) : NULL;
}

void
sw_source_state_copy(struct sw_source_state *to, const struct sw_source_state *from)
{
    if (to == from) {
        return;
    }
    sw_source_state_fini(to);
    *to = *from;
    to->name = states_dup(from->name);
    to->type = states_dup(from->type);
    to->identity = states_dup(from->identity);
    to->server = states_dup(from->server);
    to->boot_id = states_dup(from->boot_id);
    to->error = states_dup(from->error);
}

void
sw_sink_state_init(struct sw_sink_state *state, const char *name, const char *type)
{
    *state = (struct sw_sink_state){
        .name = sw_strdup(name),
        .type = sw_strdup(type),
        .last_sent_ns = SW_TIME_NONE,
        .answer = sw_strdup(""),
        .answer_ns = SW_TIME_NONE,
        .absent_since_ns = SW_TIME_NONE,
    };
}

void
sw_sink_state_fini(struct sw_sink_state *state)
{
    free(state->name);
    free(state->type);
    free(state->answer);
    *state = (struct sw_sink_state){0};
}

void
sw_sink_state_copy(struct sw_sink_state *to, const struct sw_sink_state *from)
{
    if (to == from) {
        return;
    }
    sw_sink_state_fini(to);
    *to = *from;
    to->name = states_dup(from->name);
    to->type = states_dup(from->type);
    to->answer = states_dup(from->answer);
}

void
sw_journal_batch_fini(struct sw_journal_batch *batch)
{
    free(batch->records);
    sw_buf_fini(&batch->bytes);
    *batch = (struct sw_journal_batch){0};
}

bool
journal_batch_add(struct sw_journal_batch *batch, uint64_t seq, struct sw_str body)
{
    if (batch->count > 0 && body.size > SW_BATCH_BYTES_MAX - batch->bytes.size) {
        return false;
    }
    /* A first event that alone is larger than a batch is read all the same. */
    batch->bytes.max = body.size > SW_BATCH_BYTES_MAX ? body.size : SW_BATCH_BYTES_MAX;
    sw_buf_add(&batch->bytes, body.data, body.size);
    if (batch->bytes.failed) {
        return false;
    }
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity > 0 ? 2 * batch->capacity : 16;
        batch->records =
            sw_realloc(batch->records, batch->capacity, sizeof(struct sw_journal_record));
    }
    batch->records[batch->count++] =
        (struct sw_journal_record){.seq = seq, .body = {NULL, body.size}};
    return true;
}

void
journal_batch_seal(struct sw_journal_batch *batch)
{
    size_t at = 0;
    for (size_t i = 0; i < batch->count; i++) {
        batch->records[i].body.data = batch->bytes.data + at;
        at += batch->records[i].body.size;
    }
}
