/* See cases.h. */
#include "tests/golden/cases.h"

#include "agent/base/time_text.h"
#include "tests/support/unit.h"

#define GOLDEN_DIR SW_TEST_DATA "/../golden/"

#define AT(s) (INT64_C(1795364777724000000) + (int64_t)(s)*SW_NS_PER_S)

#define CONTROLS "\x01\x1F\x7F\r\n\t"
#define TURNING  "\xE2\x80\xAE\xE2\x80\xA8\xE2\x81\xA6\xD8\x9C"

static struct sw_uuid
uuid(uint8_t seed)
{
    struct sw_uuid id;
    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        id.bytes[i] = (uint8_t)(seed + i);
    }
    return id;
}

static struct sw_event
base(enum sw_event_kind kind)
{
    struct sw_event event;
    sw_event_init(&event, kind);
    event.id = uuid(0x10);
    event.created_ns = AT(0);
    return event;
}

static struct sw_event
of_source(enum sw_event_kind kind)
{
    struct sw_event event = base(kind);
    event.source = SW_STR("local");
    event.server = SW_STR("fs01");
    return event;
}

static struct sw_event
session(enum sw_event_kind kind)
{
    struct sw_event event = of_source(kind);
    event.session_id = uuid(0x80);
    event.user = SW_STR("EXAMPLE\\alice");
    event.client = SW_STR("10.0.0.5");
    event.start_ns = AT(-3725);
    event.start_from = SW_STR("server");
    event.native_id = SW_STR("186162");
    event.opens = 2;
    event.idle_s = 0;
    event.guest = 0;
    event.transport = SW_STR("");
    event.client_type = SW_STR("SMB3_11");
    return event;
}

static struct sw_event
session_opened(void)
{
    struct sw_event event = session(SW_EVENT_SESSION_OPENED);
    event.baseline = 1;
    return event;
}

/* What a server of level 10 tells, from a look over the network. */
static struct sw_event
session_opened_bare(void)
{
    struct sw_event event = of_source(SW_EVENT_SESSION_OPENED);
    event.server = SW_STR("nas7.example.com");
    event.session_id = uuid(0x80);
    event.user = SW_STR("bob@example.com");
    event.client = SW_STR("WS-07");
    event.start_ns = AT(0);
    event.start_from = SW_STR("first_seen");
    return event;
}

static struct sw_event
session_opened_scope(void)
{
    struct sw_event event = session(SW_EVENT_SESSION_OPENED);
    event.server = SW_STR("FS01.Example.COM");
    event.client = SW_STR("fe80::1%eth0");
    event.user = SW_STR("");
    event.guest = 1;
    return event;
}

static struct sw_event
session_closed(void)
{
    struct sw_event event = session(SW_EVENT_SESSION_CLOSED);
    event.end_ns = AT(-30);
    event.duration_ns = event.end_ns - event.start_ns;
    event.reason = SW_STR("gone");
    event.gone_by_ns = AT(0);
    return event;
}

static struct sw_event
session_changed(void)
{
    struct sw_event event = session(SW_EVENT_SESSION_CHANGED);
    event.changed = SW_STR("opens,idle");
    event.idle_s = 600;
    return event;
}

static struct sw_event
source_unreachable(void)
{
    struct sw_event event = of_source(SW_EVENT_SOURCE_UNREACHABLE);
    event.start_ns = AT(-60);
    event.error_code = 5;
    event.error_text = SW_STR("access denied");
    return event;
}

/* A server that has never said its name. */
static struct sw_event
source_unreachable_new(void)
{
    struct sw_event event = of_source(SW_EVENT_SOURCE_UNREACHABLE);
    event.server = (struct sw_str){NULL, 0};
    event.error_text = SW_STR("no route to host");
    return event;
}

static struct sw_event
source_recovered(void)
{
    struct sw_event event = of_source(SW_EVENT_SOURCE_RECOVERED);
    event.start_ns = AT(-300);
    event.end_ns = AT(0);
    event.duration_ns = 300 * SW_NS_PER_S;
    return event;
}

static struct sw_event
source_changed(void)
{
    struct sw_event event = of_source(SW_EVENT_SOURCE_CHANGED);
    event.old_server = SW_STR("fs00");
    event.count = 17;
    return event;
}

static struct sw_event
source_flooded(void)
{
    struct sw_event event = of_source(SW_EVENT_SOURCE_FLOODED);
    event.reason = SW_STR("max_events");
    event.count = 4001;
    event.opened = 4000;
    event.closed = 1;
    event.altered = 0;
    return event;
}

static struct sw_event
agent_started(void)
{
    struct sw_event event = base(SW_EVENT_AGENT_STARTED);
    event.clean_stop = 0;
    return event;
}

static struct sw_event
agent_stopped(void)
{
    return base(SW_EVENT_AGENT_STOPPED);
}

static struct sw_event
agent_reloaded(void)
{
    return base(SW_EVENT_AGENT_RELOADED);
}

static struct sw_event
agent_reloaded_bad(void)
{
    struct sw_event event = base(SW_EVENT_AGENT_RELOADED);
    event.error_text = SW_STR("/etc/sharewatch/sharewatch.yaml:3:5: sources.x: unknown key");
    return event;
}

static struct sw_event
agent_alive(void)
{
    return base(SW_EVENT_AGENT_ALIVE);
}

static struct sw_event
journal_replaced(void)
{
    struct sw_event event = base(SW_EVENT_JOURNAL_REPLACED);
    event.count = 12;
    event.detail = SW_STR("the old one is journal.db.damaged-20261122T142617Z");
    return event;
}

static struct sw_event
events_dropped(void)
{
    struct sw_event event = base(SW_EVENT_EVENTS_DROPPED);
    event.sink = SW_STR("siem");
    event.first_sequence = 5;
    event.last_sequence = 1238;
    event.count = 1234;
    event.reason = SW_STR("journal_max");
    event.detail = SW_STR("journal_max reached");
    return event;
}

static struct sw_event
hostile_quotes(void)
{
    struct sw_event event = session(SW_EVENT_SESSION_OPENED);
    event.user = SW_STR("a\"b\\c]d|e=f{g}<!channel> \\u0041 ${env:HOME} %n");
    event.client = SW_STR("\"}\n{\"@timestamp\":\"1970\"}");
    event.native_id = SW_STR("','");
    event.client_type = SW_STR("</script>&amp;");
    event.transport = SW_STR(CONTROLS);
    return event;
}

/* Overlong, cut, lone surrogate, NUL, above U+10FFFF; and what turns the reading direction. */
static struct sw_event
hostile_bytes(void)
{
    struct sw_event event = session(SW_EVENT_SESSION_OPENED);
    event.user = SW_STR("x\xC0\xAF\xE2\x82\xED\xA0\x80\0\xF4\x90\x80\x80\xFFy");
    event.client = SW_STR(TURNING "\xF0\x9F\x98\x80\xC3\xA9");
    event.native_id = SW_STR("\xFE");
    event.source = SW_STR("local");
    event.server = SW_STR("fs01\nfs02\xC3");
    return event;
}

/* What a snapshot keeps of a name of 64 KiB (snapshot.h). */
static struct sw_event
hostile_long(void)
{
    static char name[1024 + 3 + 64];
    struct sw_event event = session(SW_EVENT_SESSION_CLOSED);
    memset(name, '"', 1024);
    memcpy(name + 1024, "\xE2\x80\xA6", 3);
    memset(name + 1027, 'a', 64);
    event.user = (struct sw_str){name, sizeof(name)};
    event.client = event.user;
    return event;
}

const struct golden_case golden_cases[] = {
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    CASE(session_opened),
    CASE(session_opened_bare),
    CASE(session_opened_scope),
    CASE(session_closed),
    CASE(session_changed),
    CASE(source_unreachable),
    CASE(source_unreachable_new),
    CASE(source_recovered),
    CASE(source_changed),
    CASE(source_flooded),
    CASE(agent_started),
    CASE(agent_stopped),
    CASE(agent_reloaded),
    CASE(agent_reloaded_bad),
    CASE(agent_alive),
    CASE(journal_replaced),
    CASE(events_dropped),
    CASE(hostile_quotes),
    CASE(hostile_bytes),
    CASE(hostile_long),
};

const size_t golden_cases_count = COUNT_OF(golden_cases);

struct sw_format_context
golden_context(void)
{
    return (struct sw_format_context){SW_STR("fs01"), SW_STR("0.1.0"), uuid(0xA0)};
}

bool
golden_format(size_t at, const struct sw_format *format, const void *options, struct sw_buf *buf)
{
    const struct sw_format_context context = golden_context();
    struct sw_event event = golden_cases[at].event();
    sw_buf_init(buf, (size_t)1 << 20);
    const struct sw_format_record record = {&event, 42 + at, at + 1};
    bool is_whole = format->write(&record, options, &context, buf);
    assert_false(buf->failed);
    return is_whole;
}

size_t
golden_find(const char *name)
{
    for (size_t i = 0; i < golden_cases_count; i++) {
        if (strcmp(golden_cases[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("there is no case %s", name);
    return 0;
}

static void
read_golden(const char *path, struct sw_buf *buf)
{
    static char bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    sw_buf_init(buf, sizeof(bytes));
    if (file == NULL) {
        fail_msg("%s is not there (see the top of cases.h)", path);
    } else {
        sw_buf_add(buf, bytes, fread(bytes, 1, sizeof(bytes), file));
        fclose(file);
    }
}

static void
write_golden(const char *path, const struct sw_buf *buf)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(buf->data, 1, buf->size, file), buf->size);
    assert_int_equal(fclose(file), 0);
}

void
golden_compare(
    const char *folder, const char *suffix, const struct sw_format *format, const void *options)
{
    for (size_t i = 0; i < golden_cases_count; i++) {
        char path[512];
        struct sw_buf now;
        struct sw_buf golden;
        snprintf(path, sizeof(path), GOLDEN_DIR "%s/%s%s", folder, golden_cases[i].name, suffix);
        (void)golden_format(i, format, options, &now);
        sw_buf_add_char(&now, '\n');
        if (getenv("SW_GOLDEN_UPDATE") != NULL) {
            write_golden(path, &now);
        }
        read_golden(path, &golden);
        if (!sw_str_equal(
                (struct sw_str){now.data, now.size}, (struct sw_str){golden.data, golden.size})) {
            fail_msg("%s:\n  is  %s  was %s", path, now.data, sw_buf_text(&golden));
        }
        sw_buf_fini(&now);
        sw_buf_fini(&golden);
    }
}
