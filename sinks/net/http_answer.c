#include "sinks/net/http_answer.h"

#include "agent/base/time_text.h"

/* A wait of more seconds is one of so many: whoever obeys it has a limit of its own. */
#define HEAD_RETRY_AFTER_MAX_S UINT64_C(1000000000)

void
sw_http_head_init(struct sw_http_head *head, int64_t now_ns)
{
    *head = (struct sw_http_head){
        .date_ns = SW_TIME_NONE, .retry_at_ns = SW_TIME_NONE, .now_ns = now_ns};
}

static bool
head_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
head_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct sw_str
head_trim(struct sw_str text)
{
    while (text.size > 0 && head_is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && head_is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* Behind "HTTP/": a version, a blank, three digits, then a blank or nothing. */
static int
head_status(struct sw_str text)
{
    uint64_t status = 0;
    size_t at = 0;
    while (at < text.size && (head_is_digit(text.data[at]) || text.data[at] == '.')) {
        at++;
    }
    if (at == 0 || at + 4 > text.size || text.data[at] != ' ' ||
        (at + 4 < text.size && text.data[at + 4] != ' ') ||
        !sw_parse_uint((struct sw_str){text.data + at + 1, 3}, 599, &status)) {
        return 0;
    }
    return status >= 100 ? (int)status : 0;
}

static bool
head_is_name(struct sw_str text, const char *lower)
{
    size_t i = 0;
    for (; i < text.size && lower[i] != '\0'; i++) {
        char c = text.data[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower[i]) {
            return false;
        }
    }
    return i == text.size && lower[i] == '\0';
}

/* Digits alone, however many; -1: something else. */
static int64_t
head_seconds(struct sw_str text)
{
    uint64_t seconds;
    for (size_t i = 0; i < text.size; i++) {
        if (!head_is_digit(text.data[i])) {
            return -1;
        }
    }
    if (text.size == 0) {
        return -1;
    }
    bool is_known = sw_parse_uint(text, HEAD_RETRY_AFTER_MAX_S, &seconds);
    return (int64_t)(is_known ? seconds : HEAD_RETRY_AFTER_MAX_S);
}

/* Of several the first that can be read counts. */
static void
head_retry_after(struct sw_http_head *head, struct sw_str value)
{
    int64_t seconds = head_seconds(value);
    if (head->retry_after_ms > 0 || head->retry_at_ns != SW_TIME_NONE) {
        return;
    }
    if (seconds >= 0) {
        head->retry_after_ms = seconds * 1000;
    } else if (!sw_http_date_parse(value, head->now_ns, &head->retry_at_ns)) {
        head->retry_at_ns = SW_TIME_NONE;
    }
}

static void
head_field(struct sw_http_head *head, struct sw_str line)
{
    size_t colon = 0;
    while (colon < line.size && line.data[colon] != ':') {
        colon++;
    }
    if (colon == line.size) {
        return;
    }
    struct sw_str name = {line.data, colon};
    struct sw_str value = head_trim((struct sw_str){line.data + colon + 1, line.size - colon - 1});
    if (head_is_name(name, "retry-after")) {
        head_retry_after(head, value);
    } else if (head_is_name(name, "date") && head->date_ns == SW_TIME_NONE &&
               !sw_http_date_parse(value, head->now_ns, &head->date_ns)) {
        head->date_ns = SW_TIME_NONE;
    }
}

/* The receiver's clock may be far from ours: its date is taken against its own. */
static void
head_end(struct sw_http_head *head)
{
    if (head->status < 200) {
        sw_http_head_init(head, head->now_ns);
        return;
    }
    head->is_complete = true;
    if (head->retry_at_ns != SW_TIME_NONE) {
        int64_t from_ns = head->date_ns != SW_TIME_NONE ? head->date_ns : head->now_ns;
        /* In two steps: years 1678 and 2261 are further apart than 64 bits of nanoseconds. */
        int64_t wait_ms = head->retry_at_ns / SW_NS_PER_MS - from_ns / SW_NS_PER_MS;
        head->retry_after_ms = wait_ms > 0 ? wait_ms : 0;
    }
}

void
sw_http_head_line(struct sw_http_head *head, struct sw_str line)
{
    while (
        line.size > 0 && (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r')) {
        line.size--;
    }
    if (head->is_complete) {
        return;
    }
    if (head->status == 0) {
        if (sw_str_starts(line, "HTTP/")) {
            head->status = head_status((struct sw_str){line.data + 5, line.size - 5});
        }
    } else if (line.size == 0) {
        head_end(head);
    } else {
        head_field(head, line);
    }
}

const char *
sw_http_status_name(int status)
{
    static const struct {
        int status;
        const char *name;
    } names[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].status == status) {
            return names[i].name;
        }
    }
    return "";
}
