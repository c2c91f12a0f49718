/*
 * The sink `webhook`: batches of events, posted to a URL. DONE means the receiver answered 2xx. See
 * README.md beside this file for what an administrator can rely on.
 */
#include "sinks/webhook/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/base64.h"
#include "agent/base/memory.h"
#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "sinks/net/http.h"
#include "sinks/net/redact.h"
#include "sinks/webhook/answer.h"

/* More than the forwarder puts into one send (1.5 MiB and one event of up to 16 MiB). */
#define WEBHOOK_BODY_MAX ((size_t)24 << 20)
/* What is kept for the next send. */
#define WEBHOOK_BODY_KEPT ((size_t)64 << 10)

#define WEBHOOK_LINE_MAX      ((size_t)16 << 10)
#define WEBHOOK_OWN_LINES_MAX 8

struct webhook_state {
    struct sw_http http;
    struct sw_http_options options;
    struct sw_http_url url;
    struct sw_redact redact;
    struct sw_buf lines[SW_HTTP_HEADERS_MAX]; /* headers that are the same in every request */
    size_t line_count;
    struct sw_buf keys[SW_SIGN_KEYS_MAX];
    size_t key_count;
    struct sw_buf body;
    struct sw_buf zipped;
};

static struct sw_format_choice
webhook_format(const void *conf)
{
    (void)conf;
    return (struct sw_format_choice){&sw_format_json, NULL};
}

static struct sw_sink_pace
webhook_pace(const void *conf)
{
    const struct sw_webhook_conf *webhook = conf;
    if (webhook->body == SW_ENVELOPE_SINGLE) {
        return (struct sw_sink_pace){.records_max = 1};
    }
    return (struct sw_sink_pace){
        .records_max = (size_t)webhook->batch.events, .wait_ns = webhook->batch.wait_ns};
}

static struct sw_buf *
webhook_new_line(struct webhook_state *state)
{
    struct sw_buf *line = &state->lines[state->line_count++];
    sw_buf_init(line, WEBHOOK_LINE_MAX);
    return line;
}

/* libcurl's way to say a header without value is a semicolon; with a colon it would be left out. */
static void
webhook_add_pair(struct webhook_state *state, const struct sw_key_pair *pair)
{
    bool is_blank = pair->value[strspn(pair->value, " \t")] == '\0';
    const char *last = strrchr(pair->value, ' ');
    struct sw_buf *line = webhook_new_line(state);
    sw_buf_add_text(line, pair->name);
    sw_buf_add_text(line, is_blank ? ";" : ": ");
    sw_buf_add_text(line, is_blank ? "" : pair->value);
    sw_redact_add(&state->redact, sw_str_of(pair->value));
    /* "Token abc" is a secret without its first word, too. */
    sw_redact_add(&state->redact, sw_str_of(last != NULL ? last + 1 : NULL));
}

static void
webhook_add_basic(struct webhook_state *state, const struct sw_webhook_basic *basic)
{
    static const char literal[] = "Authorization: Basic ";
    struct sw_buf pair;
    struct sw_buf *line = webhook_new_line(state);
    sw_buf_init(&pair, WEBHOOK_LINE_MAX);
    sw_buf_printf(&pair, "%s:%s", basic->user, basic->password);
    sw_buf_add_text(line, literal);
    sw_base64_add(line, (struct sw_str){pair.data, pair.size});
    sw_redact_add(&state->redact, sw_str_of(basic->password));
    sw_redact_add(&state->redact, (struct sw_str){pair.data, pair.size});
    sw_redact_add(&state->redact, sw_str_of(sw_buf_text(line) + sizeof(literal) - 1));
    sw_wipe(pair.data, pair.size);
    sw_buf_fini(&pair);
}

static void
webhook_init_lines(struct webhook_state *state, const struct sw_webhook_conf *conf)
{
    sw_buf_printf(webhook_new_line(state), "Content-Type: %s",
        sw_envelope_content_type((enum sw_envelope)conf->body));
    /* Waiting for a "100 Continue" costs a second at receivers that do not know it. */
    sw_buf_add_text(webhook_new_line(state), "Expect:");
    if (conf->compress != 0) {
        sw_buf_add_text(webhook_new_line(state), "Content-Encoding: gzip");
    }
    if (conf->auth.bearer != NULL) {
        sw_buf_printf(webhook_new_line(state), "Authorization: Bearer %s", conf->auth.bearer);
        sw_redact_add(&state->redact, sw_str_of(conf->auth.bearer));
    }
    if (conf->auth.basic.user != NULL) {
        webhook_add_basic(state, &conf->auth.basic);
    }
    for (size_t i = 0; i < conf->headers.count; i++) {
        webhook_add_pair(state, &conf->headers.items[i]);
    }
}

static bool
webhook_init_keys(
    struct webhook_state *state, const struct sw_key_strings *secrets, struct sw_err *err)
{
    for (size_t i = 0; i < secrets->count; i++) {
        struct sw_str secret = sw_str_of(secrets->items[i]);
        struct sw_buf *key = &state->keys[state->key_count++];
        sw_buf_init(key, WEBHOOK_LINE_MAX);
        if (!sw_sign_key(secret, key)) {
            return sw_err_set(err, "signing_secret cannot be used: see `sharewatch check`");
        }
        sw_redact_add(&state->redact, secret);
        size_t prefix = sizeof(SW_SIGN_PREFIX) - 1;
        sw_redact_add(&state->redact, (struct sw_str){secret.data + prefix, secret.size - prefix});
    }
    return true;
}

static bool
webhook_init(struct sw_sink *sink, struct sw_err *err)
{
    const struct sw_webhook_conf *conf = sink->conf;
    struct webhook_state *state = sink->state;
    state->options = (struct sw_http_options){.url = conf->url,
        .proxy = sw_webhook_proxy(conf),
        .ca_file = conf->ca_file,
        .client_cert = conf->client_cert,
        .client_key = conf->client_key};
    sw_http_init(&state->http, &state->options);
    sw_buf_init(&state->body, WEBHOOK_BODY_MAX);
    sw_buf_init(&state->zipped, WEBHOOK_BODY_MAX);
    if (!sw_http_url_parse(&state->url, sw_str_of(conf->url))) {
        return sw_err_set(err, "the URL %s", state->url.problem);
    }
    if (conf->headers.count + WEBHOOK_OWN_LINES_MAX > SW_HTTP_HEADERS_MAX) {
        return sw_err_set(err, "%zu headers (allowed: at most %d)", conf->headers.count,
            SW_HTTP_HEADERS_MAX - WEBHOOK_OWN_LINES_MAX);
    }
    sw_redact_add_target(&state->redact, state->url.target);
    webhook_init_lines(state, conf);
    return webhook_init_keys(state, &conf->signing_secret, err);
}

/* A library that is missing is missing for all records, and somebody must install it. */
static enum sw_outcome
webhook_connect(struct sw_sink *sink, int64_t deadline_ns, struct sw_err *err)
{
    struct webhook_state *state = sink->state;
    (void)deadline_ns;
    return sw_http_connect(&state->http, err) ? SW_OUTCOME_OK : SW_OUTCOME_PAUSED;
}

static bool
webhook_write_body(const struct sw_sink *sink, const struct sw_record *records, size_t count,
    struct sw_str *body, struct sw_err *err)
{
    const struct sw_webhook_conf *conf = sink->conf;
    struct webhook_state *state = sink->state;
    sw_buf_clear(&state->body);
    sw_buf_clear(&state->zipped);
    sw_envelope_write((enum sw_envelope)conf->body, records, count, &state->body);
    if (state->body.failed) {
        return sw_err_set(err, "a body of more than %zu bytes", WEBHOOK_BODY_MAX);
    }
    *body = (struct sw_str){state->body.data, state->body.size};
    if (conf->compress == 0) {
        return true;
    }
    if (!sw_envelope_gzip(*body, &state->zipped, err)) {
        return false;
    }
    *body = (struct sw_str){state->zipped.data, state->zipped.size};
    return true;
}

/* The lines of this one request: what it is called, and that we made it now. */
static void
webhook_write_lines(const struct webhook_state *state, const struct sw_record *records,
    size_t count, struct sw_sign_message *message, struct sw_buf lines[3])
{
    static const char id_literal[] = "webhook-id: ";
    struct sw_str keys[SW_SIGN_KEYS_MAX];
    sw_buf_add_text(&lines[0], id_literal);
    sw_envelope_add_id(records, count, &lines[0]);
    if (state->key_count == 0) {
        return;
    }
    for (size_t i = 0; i < state->key_count; i++) {
        keys[i] = (struct sw_str){state->keys[i].data, state->keys[i].size};
    }
    message->id = (struct sw_str){
        lines[0].data + sizeof(id_literal) - 1, lines[0].size - (sizeof(id_literal) - 1)};
    sw_buf_printf(&lines[1], "webhook-timestamp: %lld", (long long)message->timestamp_s);
    sw_buf_add_text(&lines[2], "webhook-signature: ");
    sw_sign_add(&lines[2], keys, state->key_count, message);
}

static void
webhook_post(struct sw_sink *sink, const struct sw_record *records, size_t count,
    struct sw_str body, int64_t deadline_ns, struct sw_http_answer *said)
{
    const struct sw_webhook_conf *conf = sink->conf;
    struct webhook_state *state = sink->state;
    const char *headers[SW_HTTP_HEADERS_MAX];
    struct sw_buf lines[3];
    int64_t until_ns = sw_clock_boot_ns() + conf->timeout_ns;
    struct sw_http_request request = {.headers = headers,
        .body = body,
        .deadline_ns = until_ns < deadline_ns ? until_ns : deadline_ns,
        .wall_ns = sw_clock_wall_ns()};
    struct sw_sign_message message = {.timestamp_s = request.wall_ns / SW_NS_PER_S, .body = body};
    for (size_t i = 0; i < 3; i++) {
        sw_buf_init(&lines[i], WEBHOOK_LINE_MAX);
    }
    webhook_write_lines(state, records, count, &message, lines);
    for (size_t i = 0; i < state->line_count; i++) {
        headers[request.header_count++] = sw_buf_text(&state->lines[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        if (lines[i].size > 0) {
            headers[request.header_count++] = sw_buf_text(&lines[i]);
        }
    }
    sw_http_post(&state->http, &request, said);
    for (size_t i = 0; i < 3; i++) {
        sw_buf_fini(&lines[i]);
    }
}

static enum sw_outcome
webhook_judge(const struct sw_sink *sink, const struct sw_http_answer *said, size_t count,
    enum sw_result *results, struct sw_answer *answer, struct sw_err *err)
{
    const struct webhook_state *state = sink->state;
    int origin_size = (int)state->url.origin.size;
    if (said->class == SW_HTTP_ANSWERED) {
        enum sw_result result;
        enum sw_outcome outcome = sw_webhook_judge(said->status, &result);
        for (size_t i = 0; i < count; i++) {
            results[i] = result;
        }
        answer->retry_after_ms = said->retry_after_ms;
        sw_webhook_tell(said, &state->redact, answer->text);
        sw_err_set(err, "%.*s: %s", origin_size, state->url.origin.data, answer->text);
        return outcome;
    }
    struct sw_buf text;
    sw_buf_init(&text, WEBHOOK_LINE_MAX);
    sw_webhook_tell_trouble(said, &state->redact, &text);
    sw_err_set(err, "%.*s: %s", origin_size, state->url.origin.data, sw_buf_text(&text));
    sw_buf_fini(&text);
    return said->class == SW_HTTP_REFUSED ? SW_OUTCOME_PAUSED : SW_OUTCOME_BROKEN;
}

static void
webhook_forget_body(struct sw_buf *buf)
{
    if (buf->capacity > WEBHOOK_BODY_KEPT) {
        sw_buf_fini(buf);
    }
}

static enum sw_outcome
webhook_send(struct sw_sink *sink, const struct sw_record *records, size_t count,
    enum sw_result *results, struct sw_answer *answer, int64_t deadline_ns, struct sw_err *err)
{
    const struct sw_webhook_conf *conf = sink->conf;
    struct webhook_state *state = sink->state;
    struct sw_http_answer said;
    struct sw_str body;
    count = sw_envelope_count((enum sw_envelope)conf->body, count);
    if (!webhook_write_body(sink, records, count, &body, err)) {
        return SW_OUTCOME_LATER;
    }
    webhook_post(sink, records, count, body, deadline_ns, &said);
    enum sw_outcome outcome = webhook_judge(sink, &said, count, results, answer, err);
    webhook_forget_body(&state->body);
    webhook_forget_body(&state->zipped);
    return outcome;
}

static void
webhook_interrupt(struct sw_sink *sink)
{
    struct webhook_state *state = sink->state;
    sw_http_interrupt(&state->http);
}

static void
webhook_disconnect(struct sw_sink *sink)
{
    struct webhook_state *state = sink->state;
    sw_http_disconnect(&state->http);
}

static void
webhook_wipe(struct sw_buf *buf)
{
    sw_wipe(buf->data, buf->size);
    sw_buf_fini(buf);
}

static void
webhook_fini(struct sw_sink *sink)
{
    struct webhook_state *state = sink->state;
    sw_http_fini(&state->http);
    for (size_t i = 0; i < state->line_count; i++) {
        webhook_wipe(&state->lines[i]);
    }
    for (size_t i = 0; i < state->key_count; i++) {
        webhook_wipe(&state->keys[i]);
    }
    state->line_count = 0;
    state->key_count = 0;
    sw_redact_fini(&state->redact);
    sw_buf_fini(&state->body);
    sw_buf_fini(&state->zipped);
}

const struct sw_sink_class sw_sink_webhook = {
    .part = {.name = "webhook",
        .summary = "posts batches of JSON to a URL over HTTPS; delivered means answered with 2xx",
        .keys = sw_webhook_keys,
        .conf_size = sizeof(struct sw_webhook_conf),
        .check = sw_webhook_check},
    .state_size = sizeof(struct webhook_state),
    /* Certificates and keys may be others now, and whoever mended what refused us asks at once. */
    .reopens = true,
    .format = webhook_format,
    .pace = webhook_pace,
    .init = webhook_init,
    .connect = webhook_connect,
    .send = webhook_send,
    .interrupt = webhook_interrupt,
    .disconnect = webhook_disconnect,
    .fini = webhook_fini,
};
