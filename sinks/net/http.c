#include "sinks/net/http.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/time_text.h"
#include "agent/platform/platform.h"
#include "sinks/net/curl_table.h"
#include "sinks/net/http_settings.h"

/* All heads of an answer, interim ones included. */
#define HTTP_HEAD_MAX ((size_t)64 << 10)

/* Once the head is there the receiver has spoken; its body is only wanted for the message. */
#define HTTP_BODY_WAIT_NS (5 * SW_NS_PER_S)

/* poll() does not count the time that the machine sleeps: nothing waits for longer in one go. */
#define HTTP_POLL_MAX_MS 1000

/* One post under way. */
struct http_exchange {
    struct sw_http *http;
    struct sw_http_answer *answer;
    struct sw_http_head head;
    size_t head_size;
    size_t body_size;
    int64_t deadline_ns;
    bool is_flooded; /* more than we read: the connection goes, the status counts */
    char error[CURL_ERROR_SIZE];
};

void
sw_http_init(struct sw_http *http, const struct sw_http_options *options)
{
    *http = (struct sw_http){.options = options};
    pthread_mutex_init(&http->mutex, NULL);
}

static size_t
http_on_head(char *bytes, size_t one, size_t size, void *context)
{
    struct http_exchange *exchange = context;
    (void)one;
    exchange->head_size += size;
    if (exchange->head_size > HTTP_HEAD_MAX) {
        exchange->is_flooded = true;
        return 0;
    }
    bool was_complete = exchange->head.is_complete;
    sw_http_head_line(&exchange->head, (struct sw_str){bytes, size});
    if (exchange->head.is_complete && !was_complete) {
        int64_t until_ns = sw_clock_boot_ns() + HTTP_BODY_WAIT_NS;
        exchange->deadline_ns = until_ns < exchange->deadline_ns ? until_ns : exchange->deadline_ns;
    }
    return size;
}

static size_t
http_on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct http_exchange *exchange = context;
    struct sw_http_answer *answer = exchange->answer;
    size_t room = sizeof(answer->text) - answer->text_size;
    size_t taken = size < room ? size : room;
    (void)one;
    memcpy(answer->text + answer->text_size, bytes, taken);
    answer->text_size += taken;
    answer->is_cut = answer->is_cut || taken < size;
    exchange->body_size += size;
    exchange->is_flooded = exchange->body_size > SW_HTTP_BODY_MAX;
    return exchange->is_flooded ? 0 : size;
}

/* What lasts longer than a connection, so that the next one need not shake hands in full. */
static bool
http_prepare(struct sw_http *http, struct sw_err *err)
{
    if (http->easy != NULL) {
        return true;
    }
    http->curl = sw_curl_table_get(err);
    if (http->curl == NULL) {
        return false;
    }
    CURLSH *share = http->curl->share_init();
    CURL *easy = http->curl->easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (share != NULL && easy != NULL &&
        http->curl->share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
            CURLSHE_OK) {
        const struct sw_http_callbacks callbacks = {share, http_on_head, http_on_body};
        code = sw_http_settings(http->curl, easy, http->options, &callbacks);
    }
    if (code != CURLE_OK) {
        sw_err_set(err, "libcurl refuses a setting: %s", http->curl->easy_strerror(code));
        http->curl->easy_cleanup(easy);
        http->curl->share_cleanup(share);
        return false;
    }
    http->share = share;
    http->easy = easy;
    return true;
}

bool
sw_http_connect(struct sw_http *http, struct sw_err *err)
{
    if (http->multi != NULL) {
        return true;
    }
    if (!http_prepare(http, err)) {
        return false;
    }
    CURLM *multi = http->curl->multi_init();
    if (multi == NULL) {
        return sw_err_set(err, "libcurl has no memory for a connection");
    }
    (void)http->curl->multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
    pthread_mutex_lock(&http->mutex);
    http->multi = multi;
    pthread_mutex_unlock(&http->mutex);
    return true;
}

static bool
http_is_interrupted(struct sw_http *http)
{
    pthread_mutex_lock(&http->mutex);
    bool is_interrupted = http->is_interrupted;
    pthread_mutex_unlock(&http->mutex);
    return is_interrupted;
}

static void
http_set_exchange(struct http_exchange *exchange, const struct sw_http_request *request,
    struct curl_slist *headers)
{
    const struct sw_curl_table *curl = exchange->http->curl;
    CURL *easy = exchange->http->easy;
    int64_t left_ms = (request->deadline_ns - sw_clock_boot_ns()) / SW_NS_PER_MS + 1;
    left_ms = left_ms < 1 ? 1 : left_ms > INT_MAX ? INT_MAX : left_ms;
    (void)curl->easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    (void)curl->easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    (void)curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    (void)curl->easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    (void)curl->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.data);
    (void)curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    /* Of several addresses each gets a share of it. */
    (void)curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)left_ms);
}

static void
http_forget_exchange(const struct sw_http *http)
{
    const struct sw_curl_table *curl = http->curl;
    (void)curl->easy_setopt(http->easy, CURLOPT_HEADERDATA, NULL);
    (void)curl->easy_setopt(http->easy, CURLOPT_WRITEDATA, NULL);
    (void)curl->easy_setopt(http->easy, CURLOPT_ERRORBUFFER, NULL);
    (void)curl->easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
    (void)curl->easy_setopt(http->easy, CURLOPT_POSTFIELDS, NULL);
}

/* Until the exchange is over: 0 for well, a CURLcode, or -1 when it was given up. */
static int
http_drive(struct http_exchange *exchange, enum sw_http_class *given_up)
{
    struct sw_http *http = exchange->http;
    for (;;) {
        int running = 0;
        int left;
        if (http_is_interrupted(http)) {
            *given_up = SW_HTTP_INTERRUPTED;
            return -1;
        }
        CURLMcode code = http->curl->multi_perform(http->multi, &running);
        if (code == CURLM_OK && running == 0) {
            const CURLMsg *message = http->curl->multi_info_read(http->multi, &left);
            return message != NULL ? (int)message->data.result : (int)CURLE_FAILED_INIT;
        }
        int64_t left_ns = exchange->deadline_ns - sw_clock_boot_ns();
        if (left_ns <= 0) {
            *given_up = SW_HTTP_TIMEOUT;
            return -1;
        }
        int64_t left_ms = left_ns / SW_NS_PER_MS + 1;
        if (code == CURLM_OK) {
            code = http->curl->multi_poll(http->multi, NULL, 0,
                left_ms < HTTP_POLL_MAX_MS ? (int)left_ms : HTTP_POLL_MAX_MS, NULL);
        }
        if (code != CURLM_OK) {
            snprintf(
                exchange->error, sizeof(exchange->error), "%s", http->curl->multi_strerror(code));
            *given_up = SW_HTTP_NETWORK;
            return -1;
        }
    }
}

/* Which part of an exchange took too long. */
static const char *
http_late_part(const struct sw_http *http)
{
    curl_off_t at_us = 0;
    (void)http->curl->easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME_T, &at_us);
    if (at_us > 0) {
        return "no answer in time";
    }
    (void)http->curl->easy_getinfo(http->easy, CURLINFO_CONNECT_TIME_T, &at_us);
    if (at_us > 0) {
        return "no TLS handshake in time";
    }
    (void)http->curl->easy_getinfo(http->easy, CURLINFO_NAMELOOKUP_TIME_T, &at_us);
    return at_us > 0 ? "no connection in time" : "the name was not resolved in time";
}

static void
http_set_answer_text(struct sw_http_answer *answer, const char *text)
{
    answer->text_size = strlen(text);
    answer->text_size =
        answer->text_size < sizeof(answer->text) ? answer->text_size : sizeof(answer->text);
    memcpy(answer->text, text, answer->text_size);
    answer->is_cut = false;
}

/* A proxy that does not let us through answers instead of the receiver. */
static bool
http_is_refused_by_proxy(const struct sw_http *http, struct sw_http_answer *answer)
{
    long status = 0;
    if (http->options->proxy != NULL) {
        (void)http->curl->easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    }
    if (status < 300) {
        return false;
    }
    answer->class = SW_HTTP_ANSWERED;
    answer->status = (int)status;
    answer->is_proxy = true;
    http_set_answer_text(answer, "");
    return true;
}

/*
 * A whole head is the receiver's word, whatever becomes of the body behind it: cut, hanging or
 * without end. Were it not, a receiver that takes events and then misbehaves would be sent them for
 * ever. Half a head is nothing.
 */
static void
http_judge(struct http_exchange *exchange, int code, enum sw_http_class given_up)
{
    const struct sw_http *http = exchange->http;
    struct sw_http_answer *answer = exchange->answer;
    if (exchange->head.is_complete) {
        answer->class = SW_HTTP_ANSWERED;
        answer->status = exchange->head.status;
        answer->retry_after_ms = exchange->head.retry_after_ms;
        answer->is_cut = answer->is_cut || code != CURLE_OK;
        return;
    }
    if (code < 0) {
        answer->class = given_up;
        http_set_answer_text(answer, given_up == SW_HTTP_TIMEOUT   ? http_late_part(http)
                                     : given_up == SW_HTTP_NETWORK ? exchange->error
                                                                   : "interrupted");
        return;
    }
    if (http_is_refused_by_proxy(http, answer)) {
        return;
    }
    const char *text =
        exchange->error[0] != '\0' ? exchange->error : http->curl->easy_strerror((CURLcode)code);
    answer->class = code != CURLE_OK ? sw_curl_class(code, text) : SW_HTTP_NETWORK;
    http_set_answer_text(answer, exchange->is_flooded ? "the head of the answer has no end"
                                 : code == CURLE_OK   ? "the answer is not HTTP"
                                                      : text);
}

/* libcurl's lists are plain structs: ours needs no copies of what is secret in it. */
static void
http_list_headers(const struct sw_http_request *request, struct curl_slist *nodes)
{
    for (size_t i = 0; i < request->header_count; i++) {
        nodes[i] = (struct curl_slist){(char *)(uintptr_t)request->headers[i],
            i + 1 < request->header_count ? &nodes[i + 1] : NULL};
    }
}

void
sw_http_post(
    struct sw_http *http, const struct sw_http_request *request, struct sw_http_answer *answer)
{
    struct curl_slist nodes[SW_HTTP_HEADERS_MAX];
    struct http_exchange exchange = {
        .http = http, .answer = answer, .deadline_ns = request->deadline_ns};
    enum sw_http_class given_up = SW_HTTP_NETWORK;
    *answer = (struct sw_http_answer){.class = SW_HTTP_NETWORK};
    sw_http_head_init(&exchange.head, request->wall_ns);
    http_list_headers(request, nodes);
    http_set_exchange(&exchange, request, request->header_count > 0 ? nodes : NULL);

    CURLMcode added = http->curl->multi_add_handle(http->multi, http->easy);
    int code = added == CURLM_OK ? http_drive(&exchange, &given_up) : (int)CURLE_FAILED_INIT;
    http_judge(&exchange, code, given_up);
    /* What is not finished loses its connection here. */
    (void)http->curl->multi_remove_handle(http->multi, http->easy);
    http_forget_exchange(http);
}

void
sw_http_interrupt(struct sw_http *http)
{
    /* Held by others for a moment only, never while they wait. */
    pthread_mutex_lock(&http->mutex);
    http->is_interrupted = true;
    if (http->multi != NULL) {
        (void)http->curl->multi_wakeup(http->multi);
    }
    pthread_mutex_unlock(&http->mutex);
}

void
sw_http_disconnect(struct sw_http *http)
{
    pthread_mutex_lock(&http->mutex);
    CURLM *multi = http->multi;
    http->multi = NULL;
    pthread_mutex_unlock(&http->mutex);
    if (multi != NULL) {
        (void)http->curl->multi_cleanup(multi);
    }
}

void
sw_http_fini(struct sw_http *http)
{
    sw_http_disconnect(http);
    if (http->easy != NULL) {
        http->curl->easy_cleanup(http->easy);
        (void)http->curl->share_cleanup(http->share);
        http->easy = NULL;
        http->share = NULL;
    }
    pthread_mutex_destroy(&http->mutex);
}
