/*
 * What an HTTP receiver may say: a head, line by line, and (behind the first NUL) a body that ends
 * up in the log. Whatever comes, the head is a status and a wait or nothing, and the text is short,
 * one line, printable and without our secrets.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/time_text.h"
#include "sinks/net/http_answer.h"
#include "sinks/webhook/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const secrets[] = {"secret-token", "/services/T0/B0?key=abcdef", "abcdef"};

static void
require(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

static size_t
line_size(struct sw_str text)
{
    const char *end = text.size > 0 ? memchr(text.data, '\n', text.size) : NULL;
    return end != NULL ? (size_t)(end - text.data) + 1 : text.size;
}

static struct sw_http_head
check_head(struct sw_str text)
{
    struct sw_http_head head;
    sw_http_head_init(&head, INT64_C(1795357577000000000));
    while (text.size > 0) {
        struct sw_http_head before = head;
        size_t size = line_size(text);
        int64_t at_ns;
        (void)sw_http_date_parse((struct sw_str){text.data, size - 1}, head.now_ns, &at_ns);
        sw_http_head_line(&head, (struct sw_str){text.data, size});
        require(head.status == 0 || (head.status >= 100 && head.status <= 599));
        require(!head.is_complete || head.status >= 200);
        require(head.retry_after_ms >= 0 && head.retry_after_ms <= INT64_C(100000000000000));
        if (before.is_complete) {
            require(head.status == before.status && head.is_complete);
            require(head.retry_after_ms == before.retry_after_ms);
        }
        text.data += size;
        text.size -= size;
    }
    return head;
}

static void
check_text(const char *text)
{
    require(strlen(text) < SW_ANSWER_TEXT_SIZE);
    require(sw_utf8_is_valid(sw_str_of(text)));
    for (const char *c = text; *c != '\0'; c++) {
        require((unsigned char)*c >= 0x20 && *c != 0x7F);
    }
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        require(strcasestr(text, secrets[i]) == NULL);
    }
}

static void
check_body(int status, struct sw_str body)
{
    struct sw_redact redact = {0};
    struct sw_http_answer answer = {.class = SW_HTTP_ANSWERED, .status = status};
    char text[SW_ANSWER_TEXT_SIZE];
    sw_redact_add(&redact, sw_str_of(secrets[0]));
    sw_redact_add_target(&redact, sw_str_of(secrets[1]));
    answer.text_size = body.size < sizeof(answer.text) ? body.size : sizeof(answer.text);
    answer.is_cut = answer.text_size < body.size;
    if (answer.text_size > 0) {
        memcpy(answer.text, body.data, answer.text_size);
    }
    sw_webhook_tell(&answer, &redact, text);
    check_text(text);
    sw_redact_fini(&redact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sw_str text = {(const char *)data, size};
    const char *end = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t head_size = end != NULL ? (size_t)(end - text.data) : size;
    struct sw_http_head head = check_head((struct sw_str){text.data, head_size});
    if (end != NULL) {
        check_body(head.status, (struct sw_str){end + 1, size - head_size - 1});
    }
    return 0;
}
