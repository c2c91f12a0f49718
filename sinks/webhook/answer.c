#include "sinks/webhook/answer.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_BUF_MAX ((size_t)16 << 10)

enum sw_outcome
sw_webhook_judge(int status, enum sw_result *result)
{
    *result = SW_RESULT_AGAIN;
    if (status >= 200 && status < 300) {
        *result = SW_RESULT_DONE;
        return SW_OUTCOME_OK;
    }
    switch (status) {
    case 400: /* one of them is bad: the forwarder finds it by halving */
    case 413:
    case 422:
        *result = SW_RESULT_REFUSED;
        return SW_OUTCOME_OK;
    case 408:
    case 409: /* the same webhook-id is still being worked on */
    case 425:
    case 429:
        return SW_OUTCOME_LATER;
    case 501:
    case 505:
        return SW_OUTCOME_PAUSED;
    default:
        if (status < 200 || status > 599) {
            return SW_OUTCOME_BROKEN;
        }
        return status >= 500 ? SW_OUTCOME_LATER : SW_OUTCOME_PAUSED;
    }
}

/* The first line that says something; *is_cut: it goes on behind what we have. */
static struct sw_str
answer_first_line(struct sw_str text, bool *is_cut)
{
    static const char blanks[] = " \t\r\n";
    while (text.size > 0 && text.data[0] != '\0' && strchr(blanks, text.data[0]) != NULL) {
        text.data++;
        text.size--;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\n' || text.data[i] == '\r') {
            text.size = i;
            *is_cut = false;
        }
    }
    return text;
}

static void
answer_add_clean(
    struct sw_buf *buf, const struct sw_http_answer *answer, const struct sw_redact *redact)
{
    struct sw_buf clean;
    bool is_cut = answer->is_cut;
    struct sw_str line =
        answer_first_line((struct sw_str){answer->text, answer->text_size}, &is_cut);
    sw_buf_init(&clean, ANSWER_BUF_MAX);
    sw_redact_apply(redact, line, is_cut, &clean);
    sw_text_printable(buf, (struct sw_str){clean.data, clean.size});
    sw_buf_fini(&clean);
}

void
sw_webhook_tell(const struct sw_http_answer *answer, const struct sw_redact *redact,
    char text[SW_ANSWER_TEXT_SIZE])
{
    struct sw_buf buf;
    const char *name = sw_http_status_name(answer->status);
    sw_buf_init(&buf, ANSWER_BUF_MAX);
    sw_buf_printf(&buf, "%sHTTP %d%s%s", answer->is_proxy ? "the proxy says " : "", answer->status,
        name[0] != '\0' ? " " : "", name);
    if (answer->status >= 300 && answer->status < 400) {
        sw_buf_add_text(&buf, " (not followed)");
    }
    if (answer->status >= 300 && answer->text_size > 0) {
        size_t before = buf.size;
        sw_buf_add_text(&buf, ": ");
        answer_add_clean(&buf, answer, redact);
        if (buf.size == before + 2) {
            sw_buf_truncate(&buf, before);
        }
    }
    size_t cut = sw_utf8_cut(buf.data, buf.size, SW_ANSWER_TEXT_SIZE - 1);
    memcpy(text, buf.data, cut);
    text[cut] = '\0';
    sw_buf_fini(&buf);
}

/* libcurl begins its sentences with a capital, ours go on behind a colon; names such as OpenSSL
 * have other capitals, too. */
static void
answer_lower_first(char *text)
{
    size_t end = 1;
    while (text[end] >= 'a' && text[end] <= 'z') {
        end++;
    }
    if (end > 1 && text[end] == ' ' && text[0] >= 'A' && text[0] <= 'Z') {
        text[0] = (char)(text[0] - 'A' + 'a');
    }
}

void
sw_webhook_tell_trouble(
    const struct sw_http_answer *answer, const struct sw_redact *redact, struct sw_buf *buf)
{
    size_t before = buf->size;
    answer_add_clean(buf, answer, redact);
    if (buf->size > before + 1) {
        answer_lower_first(buf->data + before);
    }
}
