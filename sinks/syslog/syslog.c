/*
 * The sink `syslog`: a message a datagram (RFC 5426). DONE means handed to the network, as nobody
 * answers. See README.md beside this file for what an administrator can rely on.
 */
#include <stdio.h>
#include <string.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "sinks/sink.h"
#include "sinks/syslog/address.h"
#include "sinks/syslog/conf.h"
#include "sinks/syslog/route.h"
#include "sinks/syslog/verdict.h"

#define SYSLOG_CHUNK 128 /* datagrams between two looks at what came back */

/* So long the first datagram to an address is alone, and what it meets may come back: or a
 * receiver that is not there would be sent all that is waiting. */
#define SYSLOG_PROOF_NS (100 * SW_NS_PER_MS)

struct syslog_state {
    struct sw_syslog_address to;
    struct sw_resolver *resolver;
    struct sw_syslog_route route;
    struct sw_udp udp;
    bool is_open;
    bool is_proven; /* a datagram went to this address and nothing came back */
    struct sw_latch interrupted;
    bool has_latch;
    char news[SW_ANSWER_TEXT_SIZE];      /* not told yet */
    char complaint[SW_ANSWER_TEXT_SIZE]; /* the name cannot be looked up at present */
};

static bool
syslog_init(struct sw_sink *sink, struct sw_err *err)
{
    const struct sw_syslog_conf *conf = sink->conf;
    struct syslog_state *state = sink->state;
    state->udp.fd = -1;
    sw_syslog_route_init(&state->route);
    if (!sw_syslog_address_parse(conf->address, &state->to, err)) {
        return false;
    }
    state->resolver = sw_resolver_new(state->to.host, state->to.port);
    state->has_latch = sw_latch_init(&state->interrupted, err);
    return state->has_latch;
}

static void
syslog_close(struct syslog_state *state)
{
    if (state->is_open) {
        sw_udp_close(&state->udp);
    }
    state->is_open = false;
}

/* "siem.example.com:514 (10.0.0.7)"; a place that is an address has nothing in brackets. */
static const char *
syslog_place(const struct syslog_state *state, struct sw_buf *buf)
{
    bool is_ipv6 = strchr(state->to.host, ':') != NULL;
    sw_buf_init(buf, 512);
    sw_buf_printf(buf, is_ipv6 ? "[%s]:%u" : "%s:%u", state->to.host, (unsigned)state->to.port);
    if (!state->to.is_ip && state->route.known.count > 0) {
        sw_buf_add_text(buf, " (");
        sw_address_add(buf, sw_syslog_route_address(&state->route));
        sw_buf_add_char(buf, ')');
    }
    return sw_buf_text(buf);
}

static void
syslog_note_turn(struct syslog_state *state, enum sw_syslog_turn turn)
{
    struct sw_buf address;
    sw_buf_init(&address, 128);
    sw_address_add(&address, sw_syslog_route_address(&state->route));
    snprintf(state->news, sizeof(state->news),
        turn == SW_SYSLOG_TURN_MOVE ? "%.150s is now %s" : "%.150s: turns to its address %s",
        state->to.host, sw_buf_text(&address));
    sw_buf_fini(&address);
}

static void
syslog_note_unknown(struct syslog_state *state, const struct sw_err *err)
{
    struct sw_buf address;
    sw_buf_init(&address, 128);
    sw_address_add(&address, sw_syslog_route_address(&state->route));
    snprintf(state->complaint, sizeof(state->complaint), "%.180s; goes on with %s", err->text,
        sw_buf_text(&address));
    sw_buf_fini(&address);
}

/* Looks the name up if that is due. false: there is no address to send to. */
static bool
syslog_find(struct syslog_state *state, int64_t deadline_ns, struct sw_err *err)
{
    struct sw_syslog_route *route = &state->route;
    struct sw_addresses found;
    enum sw_syslog_turn turn = SW_SYSLOG_TURN_NONE;
    int64_t now_ns = sw_clock_boot_ns();
    bool was_known = route->known.count > 0;
    if (!sw_syslog_route_is_due(route, now_ns)) {
        return true;
    }
    switch (sw_resolver_ask(state->resolver, &found,
        sw_syslog_route_ask(route, now_ns, deadline_ns), &state->interrupted, err)) {
    case SW_LOOKUP_DONE:
        turn = sw_syslog_route_found(route, &found);
        state->complaint[0] = '\0';
        break;
    case SW_LOOKUP_FAILED:
        turn = sw_syslog_route_not_found(route, sw_clock_boot_ns());
        if (was_known) {
            syslog_note_unknown(state, err);
        }
        break;
    case SW_LOOKUP_WAITS:
        break;
    }
    if (turn != SW_SYSLOG_TURN_NONE) {
        syslog_close(state);
    }
    if (turn != SW_SYSLOG_TURN_NONE && was_known) {
        syslog_note_turn(state, turn);
    }
    return route->known.count > 0;
}

/* Addresses that this machine has no way to are passed by. */
static enum sw_outcome
syslog_open(struct syslog_state *state, struct sw_err *err)
{
    struct sw_syslog_route *route = &state->route;
    for (size_t tried = 0; tried < route->known.count && !state->is_open; tried++) {
        state->is_open =
            sw_udp_open(&state->udp, sw_syslog_route_address(route), err) == SW_UDP_NONE;
        if (!state->is_open) {
            sw_syslog_route_skip(route);
        }
    }
    if (!state->is_open) {
        struct sw_buf place;
        sw_err_wrap(err, "%s", syslog_place(state, &place));
        sw_buf_fini(&place);
        sw_syslog_route_doubt(route);
        return SW_OUTCOME_LATER;
    }
    state->is_proven = false;
    return SW_OUTCOME_OK;
}

static enum sw_outcome
syslog_connect(struct sw_sink *sink, int64_t deadline_ns, struct sw_err *err)
{
    struct syslog_state *state = sink->state;
    if (!syslog_find(state, deadline_ns, err)) {
        return SW_OUTCOME_LATER;
    }
    return state->is_open ? SW_OUTCOME_OK : syslog_open(state, err);
}

static void
syslog_say_fault(const struct sw_sink *sink, enum sw_udp_fault fault, size_t size,
    struct sw_answer *answer, struct sw_err *err)
{
    const struct sw_syslog_conf *conf = sink->conf;
    struct sw_buf buf;
    const char *place = syslog_place(sink->state, &buf);
    if (fault == SW_UDP_REFUSED) {
        sw_err_set(err, "nobody listens at %s", place);
    } else if (fault == SW_UDP_TOO_BIG) {
        snprintf(answer->text, sizeof(answer->text),
            "a message of %zu bytes is too large for a datagram to %.150s: lower max_size (%llu)",
            size, place, (unsigned long long)conf->options.max_size);
    } else {
        sw_err_wrap(err, "%s", place);
    }
    sw_buf_fini(&buf);
}

/* Sends the next few; *sent of them are on their way, and what came back so far is heard. */
static enum sw_udp_fault
syslog_send_some(struct syslog_state *state, const struct sw_record *records, size_t count,
    int64_t deadline_ns, size_t *sent, struct sw_err *err)
{
    struct sw_str datagrams[SYSLOG_CHUNK];
    size_t chunk = state->is_proven ? SYSLOG_CHUNK : 1;
    chunk = chunk < count ? chunk : count;
    for (size_t i = 0; i < chunk; i++) {
        datagrams[i] = records[i].bytes;
    }
    enum sw_udp_fault fault =
        sw_udp_send(&state->udp, datagrams, chunk, deadline_ns, &state->interrupted, sent, err);
    if (fault != SW_UDP_NONE) {
        return fault;
    }
    int64_t proof_ns = sw_clock_boot_ns() + SYSLOG_PROOF_NS;
    fault = sw_udp_hear(&state->udp,
        state->is_proven ? 0 : (proof_ns < deadline_ns ? proof_ns : deadline_ns),
        &state->interrupted, err);
    state->is_proven = state->is_proven || fault == SW_UDP_NONE;
    return fault;
}

static enum sw_outcome
syslog_send_all(struct sw_sink *sink, const struct sw_record *records, size_t count,
    enum sw_result *results, struct sw_answer *answer, int64_t deadline_ns, struct sw_err *err)
{
    struct syslog_state *state = sink->state;
    struct sw_syslog_verdict verdict = {.outcome = SW_OUTCOME_OK};
    for (size_t at = 0; at < count && verdict.outcome == SW_OUTCOME_OK;) {
        size_t sent;
        enum sw_udp_fault fault =
            syslog_send_some(state, records + at, count - at, deadline_ns, &sent, err);
        verdict = sw_syslog_judge(fault);
        for (size_t end = at + sent; at < end; at++) {
            results[at] = SW_RESULT_DONE;
        }
        if (fault != SW_UDP_NONE) {
            syslog_say_fault(sink, fault, at < count ? records[at].bytes.size : 0, answer, err);
        }
        if (verdict.is_unfit) {
            results[at++] = SW_RESULT_UNFIT;
        }
    }
    for (size_t i = 0; i < count && verdict.undo; i++) {
        results[i] = results[i] == SW_RESULT_DONE ? SW_RESULT_AGAIN : results[i];
    }
    if (verdict.is_doubt) {
        sw_syslog_route_doubt(&state->route);
        syslog_close(state);
    }
    return verdict.outcome;
}

static enum sw_outcome
syslog_send(struct sw_sink *sink, const struct sw_record *records, size_t count,
    enum sw_result *results, struct sw_answer *answer, int64_t deadline_ns, struct sw_err *err)
{
    struct syslog_state *state = sink->state;
    enum sw_outcome outcome = syslog_connect(sink, deadline_ns, err);
    memcpy(answer->news, state->news, sizeof(answer->news));
    state->news[0] = '\0';
    if (outcome == SW_OUTCOME_OK) {
        outcome = syslog_send_all(sink, records, count, results, answer, deadline_ns, err);
    }
    if (outcome == SW_OUTCOME_OK && answer->text[0] == '\0') {
        memcpy(answer->text, state->complaint, sizeof(answer->text));
    }
    return outcome;
}

static void
syslog_interrupt(struct sw_sink *sink)
{
    struct syslog_state *state = sink->state;
    sw_latch_set(&state->interrupted);
}

static void
syslog_disconnect(struct sw_sink *sink)
{
    syslog_close(sink->state);
}

static void
syslog_fini(struct sw_sink *sink)
{
    struct syslog_state *state = sink->state;
    syslog_close(state);
    sw_resolver_free(state->resolver);
    state->resolver = NULL;
    if (state->has_latch) {
        sw_latch_fini(&state->interrupted);
        state->has_latch = false;
    }
}

const struct sw_sink_class sw_sink_syslog = {
    .part = {.name = "syslog",
        .summary = "sends to a syslog server, a datagram (UDP) an event; delivered means handed "
                   "to the network, as UDP does not say what arrived",
        .keys = sw_syslog_keys,
        .conf_size = sizeof(struct sw_syslog_conf),
        .check = sw_syslog_check,
        .prepare = sw_syslog_prepare},
    .state_size = sizeof(struct syslog_state),
    .format = sw_syslog_format,
    .pace = sw_syslog_pace,
    .init = syslog_init,
    .connect = syslog_connect,
    .send = syslog_send,
    .interrupt = syslog_interrupt,
    .disconnect = syslog_disconnect,
    .fini = syslog_fini,
};
