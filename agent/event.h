/*
 * An event: what the agent tells the world. Plain data, no behaviour; everything right of the
 * journal works on it. Kinds and fields each come from one list, so that names, severities,
 * identifiers and the stored form cannot drift apart.
 *
 * Strings are borrowed (from the snapshot that made the event, or from the stored bytes it was
 * decoded from) and are the bytes as they came: whoever formats repairs them (sw_utf8_repair).
 */
#ifndef SW_EVENT_H
#define SW_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buffer.h"
#include "agent/base/error.h"
#include "agent/base/string.h"
#include "agent/base/uuid.h"

/*
 * X(NAME, stored number, "name", "ecs-action", "MSGID", syslog severity (RFC 5424 §6.2.1),
 *   ECS categories, ECS types, ECS outcome). The stored number and the names never change; a new
 * kind takes the next number.
 */
#define SW_EVENT_KINDS(X)                                                                          \
    X(SESSION_OPENED, 1, "session.opened", "session-opened", "SESSION_OPENED", 6,                  \
        "[\"session\",\"network\"]", "[\"start\",\"connection\"]", "success")                      \
    X(SESSION_CLOSED, 2, "session.closed", "session-closed", "SESSION_CLOSED", 6,                  \
        "[\"session\",\"network\"]", "[\"end\"]", "success")                                       \
    X(SESSION_CHANGED, 3, "session.changed", "session-changed", "SESSION_CHANGED", 6,              \
        "[\"session\"]", "[\"info\"]", "success")                                                  \
    X(SOURCE_UNREACHABLE, 4, "source.unreachable", "source-unreachable", "SOURCE_UNREACHABLE", 4,  \
        "[\"host\"]", "[\"info\",\"error\"]", "failure")                                           \
    X(SOURCE_RECOVERED, 5, "source.recovered", "source-recovered", "SOURCE_RECOVERED", 5,          \
        "[\"host\"]", "[\"info\"]", "success")                                                     \
    X(SOURCE_CHANGED, 6, "source.changed", "source-changed", "SOURCE_CHANGED", 5, "[\"host\"]",    \
        "[\"info\"]", "success")                                                                   \
    X(SOURCE_FLOODED, 7, "source.flooded", "source-flooded", "SOURCE_FLOODED", 4, "[\"host\"]",    \
        "[\"info\",\"error\"]", "failure")                                                         \
    X(AGENT_STARTED, 8, "agent.started", "agent-started", "AGENT_STARTED", 5, "[\"host\"]",        \
        "[\"start\"]", "success")                                                                  \
    X(AGENT_STOPPED, 9, "agent.stopped", "agent-stopped", "AGENT_STOPPED", 5, "[\"host\"]",        \
        "[\"end\"]", "success")                                                                    \
    X(AGENT_RELOADED, 10, "agent.reloaded", "agent-reloaded", "AGENT_RELOADED", 5, "[\"host\"]",   \
        "[\"change\"]", "success")                                                                 \
    X(AGENT_ALIVE, 11, "agent.alive", "agent-alive", "AGENT_ALIVE", 6, "[\"host\"]", "[\"info\"]", \
        "success")                                                                                 \
    X(JOURNAL_REPLACED, 12, "journal.replaced", "journal-replaced", "JOURNAL_REPLACED", 3,         \
        "[\"host\"]", "[\"info\",\"error\"]", "failure")                                           \
    X(EVENTS_DROPPED, 13, "events.dropped", "events-dropped", "EVENTS_DROPPED", 3, "[\"host\"]",   \
        "[\"info\",\"error\"]", "failure")

enum sw_event_kind {
#define X(name, number, ...) SW_EVENT_##name = number,
    SW_EVENT_KINDS(X)
#undef X
};

struct sw_event_kind_info {
    enum sw_event_kind kind;
    const char *name;
    const char *action;
    const char *msgid;
    int severity;
    const char *categories; /* JSON arrays */
    const char *types;
    const char *outcome;
};

/* NULL for a number that is no kind. */
const struct sw_event_kind_info *sw_event_kind_info(int kind);

struct sw_event;

/* The ECS outcome of this event: the kind's own, but "failure" for a reload that was refused
 * (agent.reloaded with an error_text). */
const char *sw_event_outcome(const struct sw_event *event);

/* What a missing number is. */
#define SW_EVENT_NONE INT64_MIN

/*
 * X(tag, TYPE, member). TYPE: STR (missing: data == NULL), INT (missing: SW_EVENT_NONE; times are
 * nanoseconds since 1970), UUID (missing: nil). Tags are stored: never reuse one.
 */
#define SW_EVENT_FIELDS(X)                                                                         \
    X(1, UUID, id)         /* of the event: made once, the same in every delivery */               \
    X(2, INT, created_ns)  /* end of the look that noticed */                                      \
    X(3, STR, source)      /* the source's name */                                                 \
    X(4, STR, server)      /* the file server; for agent.* missing */                              \
    X(5, UUID, session_id) /* the same in every event of the session */                            \
    X(6, STR, user)        /* as the server gave it */                                             \
    X(7, STR, client)      /* normalised: no leading \\, no brackets */                            \
    X(8, INT, start_ns)                                                                            \
    X(9, INT, end_ns)                                                                              \
    X(10, INT, duration_ns)                                                                        \
    X(11, STR, reason)                                                                             \
    X(12, STR, native_id)                                                                          \
    X(13, INT, opens)                                                                              \
    X(14, INT, idle_s)                                                                             \
    X(15, INT, guest) /* 0, 1 */                                                                   \
    X(16, STR, transport)                                                                          \
    X(17, STR, client_type)                                                                        \
    X(18, INT, gone_by_ns) /* the look that missed the session */                                  \
    X(19, STR, start_from) /* server, share, first_seen */                                         \
    X(20, STR, changed)    /* names of the fields that changed, comma between */                   \
    X(21, INT, baseline)   /* 1: told from a first look */                                         \
    X(22, STR, error_text)                                                                         \
    X(23, INT, error_code)                                                                         \
    X(24, STR, sink) /* of events.dropped */                                                       \
    X(25, INT, first_sequence)                                                                     \
    X(26, INT, last_sequence)                                                                      \
    X(27, INT, count)      /* events dropped, half-open rows, sessions in a new baseline */        \
    X(28, INT, clean_stop) /* of agent.started: 1 when the last stop was clean */                  \
    X(29, INT, opened)     /* of source.flooded: changes summed up, not told one by one */         \
    X(30, INT, closed)                                                                             \
    X(31, INT, altered)                                                                            \
    X(32, STR, detail)     /* one sentence for people, ours */                                     \
    X(33, STR, old_server) /* of source.changed */

struct sw_event {
    enum sw_event_kind kind;
#define SW_EVENT_MEMBER_STR(member)  struct sw_str member;
#define SW_EVENT_MEMBER_INT(member)  int64_t member;
#define SW_EVENT_MEMBER_UUID(member) struct sw_uuid member;
#define X(tag, type, member)         SW_EVENT_MEMBER_##type(member)
    SW_EVENT_FIELDS(X)
#undef X
};

/* Every field missing. */
void sw_event_init(struct sw_event *event, enum sw_event_kind kind);

/* Appends the stored form: a version byte, the kind, then tag, size and bytes of each field that
 * is there, in order of tag. Strings longer than SW_EVENT_STRING_MAX bytes are cut (all to 4.5 KiB
 * when together they would pass SW_EVENT_SIZE_MAX). */
#define SW_EVENT_STRING_MAX 8192
#define SW_EVENT_SIZE_MAX   65536
void sw_event_encode(const struct sw_event *event, struct sw_buf *buf);

/* Reads a stored form; strings are borrowed from bytes. Tags of a newer version are passed over.
 * false on anything that sw_event_encode of any version cannot have written. */
bool sw_event_decode(struct sw_event *event, struct sw_str bytes, struct sw_err *err);

/* `DOM\user` and `user@dom` apart: domain.size is 0 when there is none. Borrowed from text. */
void sw_event_split_user(struct sw_str text, struct sw_str *user, struct sw_str *domain);

/* The client without leading `\\`, brackets and blanks around it; borrowed from text. */
struct sw_str sw_event_normal_client(struct sw_str text);

/* The IPv4 or IPv6 address in a normalised client, without its %scope; empty when it is a name.
 * Borrowed from client. */
struct sw_str sw_event_client_address(struct sw_str client);

/* Whether a normalised client is an IPv4 or IPv6 address (with or without %scope). */
bool sw_event_client_is_ip(struct sw_str client);

/* One sentence in English for people, names included as they came ("alice opened a session on
 * fs01 from 10.0.0.5"). Not safe for a terminal by itself: see sw_text_printable. */
void sw_event_message(const struct sw_event *event, struct sw_buf *buf);

#endif
