"""Names from strangers and commands that misbehave, across the whole agent."""

import json
import os
import time

import pytest

from agent_helpers import Agent, document, program
from samba_helpers import wait_until

NAMES = {
    "newline": "a\nb",
    "carriage return": "a\r\nb",
    "quotes": 'a"b\'c',
    "backslash": "a\\b",
    "bracket": "a]b[c",
    "pipe": "a|b",
    "channel": "<!channel> <https://example.com|click>",
    "forged": 'x","event":{"action":"session-closed"},"a":"',
    "escape": "a\x1b[2Jb",
    "override": "a\u202eb",
    "separators": "a\u2028b\u2029c\u0085d",
    "nul": "a\0b",
    "empty": "",
    "long": "n" * 65536,
    "emoji": "\U0001f600" * 50,
}
RAW = {
    "invalid utf-8": b'"a\xff\xfeb"',
    "overlong": b'"a\xc0\xafb"',
    "cut sequence": b'"a\xe2\x82"',
    "lone surrogate": b'"a\\ud800b"',
    "low surrogate": b'"a\\udc00b"',
    "escaped nul": b'"a\\u0000b"',
    "raw control": b'"a\x01\x7fb"',
}


def one_of_each():
    rows = [b'{"client":%s,"user":%s}' % (json.dumps(f"client-{i}").encode(), json.dumps(name).encode())
            for i, name in enumerate(NAMES.values())]
    rows += [b'{"client":"raw-%d","user":%s}' % (i, name) for i, name in enumerate(RAW.values())]
    return b'{"sharewatch":1,"server":"nas","sessions":[' + b",".join(rows) + b"]}"


def test_each_hostile_name_is_one_event_on_one_line(sharewatch):
    answer = sharewatch.folder / "answer"
    answer.write_bytes(document().encode())
    nas = program(sharewatch.folder, "nas", f"#!/bin/sh\nexec cat {answer}\n")
    conf = sharewatch.write(f"""
agent: {{state_dir: {sharewatch.folder}/state}}
sources: {{nas: {{type: exec, command: [{nas}], interval: 200ms, server: nas7}}}}
sinks: {{out: {{type: file, path: {sharewatch.folder}/events.json}}}}
""")
    answer.write_bytes(b'{"sharewatch":1,"server":"nas","sessions":[]}')
    agent = Agent(sharewatch, conf).start()
    try:
        wanted = len(NAMES) + len(RAW)
        time.sleep(0.5)
        answer.with_suffix(".new").write_bytes(one_of_each())
        os.rename(answer.with_suffix(".new"), answer)
        opened = agent.wait("session-opened", wanted)
        answer.with_suffix(".new").write_bytes(b'{"sharewatch":1,"server":"nas","sessions":[]}')
        os.rename(answer.with_suffix(".new"), answer)
        closed = agent.wait("session-closed", wanted)
        agent.stop()
    finally:
        agent.kill()
    assert len(opened) == wanted and len(closed) == wanted
    assert len({e["sharewatch"]["session"]["id"] for e in opened}) == wanted
    actions = {e["event"]["action"] for e in agent.events()}
    assert actions == {"agent-started", "agent-stopped", "session-opened", "session-closed"}
    raw = agent.events_path.read_bytes()
    raw.decode("utf-8")
    for byte in list(range(0, 10)) + list(range(11, 32)) + [127]:
        assert bytes([byte]) not in raw
    for text in ("\u202e", "\u2028", "\u2029"):
        assert text.encode() not in raw
    names = {e["source"]["address"]: e["sharewatch"]["session"].get("user") for e in opened}
    for i, (what, name) in enumerate(NAMES.items()):
        shown = names[f"client-{i}"]
        if what == "long":
            assert shown.startswith("n" * 1024 + "…") and len(shown) < 1200
        elif what == "nul":
            assert shown == "a\ufffdb"
        elif what == "empty":
            assert not shown
        else:
            assert shown == name, what
    for i, what in enumerate(RAW):
        shown = names[f"raw-{i}"]
        assert ("\ufffd" in shown) == (what != "raw control"), (what, shown)
    # Two names that look the same after repair are still two sessions.
    for line in raw.decode().splitlines():
        assert len(line) < 64 << 10


MISBEHAVIOURS = {
    "hangs": "sleep 1000",
    "floods": "yes '{\"sharewatch\":1,'",
    "endless string": "printf '{\"sharewatch\":1,\"server\":\"'; tr '\\0' x </dev/zero",
    "forks and leaves the pipe open": "sleep 1000 & sleep 1000 & exit 1",
    "daemon keeps the pipe": "(trap '' TERM HUP; sleep 1000) & echo '{'",
    "two documents": f"echo '{document()}'; echo '{document()}'",
    "stale": "echo '%s'" % document(taken_at="2020-01-01T00:00:00Z"),
    "truncated": "echo '{\"sharewatch\":1,\"sessions\":[{\"client\":\"a\"}'",
    "not json": "echo hello",
    "nothing": "true",
    "exit status": f"echo '{document()}'; exit 1",
    "killed": f"echo '{document()}'; kill -9 $$",
    "too deep": "printf '{\"sharewatch\":1,\"x\":'; printf '[%.0s' $(seq 5000)",
    "another version": "echo '{\"sharewatch\":2,\"sessions\":[]}'",
    "floods standard error": f"yes oops | head -c 20000000 >&2; echo '{document()}'; exit 1",
    "eats memory": "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x$x$x; done",
    "closes its output": "exec >&-; sleep 1000",
}


@pytest.mark.parametrize("what", MISBEHAVIOURS)
def test_a_command_that_misbehaves_is_one_clear_error(sharewatch, what):
    good_answer = sharewatch.folder / "good-answer"
    good_answer.write_text(document())
    good = program(sharewatch.folder, "good", f"#!/bin/sh\nexec cat {good_answer}\n")
    first = sharewatch.folder / "first"
    # The first look is good, so that "stale" has something to be older than.
    bad = program(sharewatch.folder, "bad", f"#!/bin/sh\nif [ ! -e {first} ]; then touch {first}; echo '{document({'client': 'x', 'user': 'stays'})}'; exit 0; fi\n{MISBEHAVIOURS[what]}\n")
    conf = sharewatch.write(f"""
agent: {{state_dir: {sharewatch.folder}/state}}
sources:
  good: {{type: exec, command: [{good}], interval: 200ms}}
  bad: {{type: exec, command: [{bad}], interval: 500ms}}
sinks: {{out: {{type: file, path: {sharewatch.folder}/events.json}}}}
""")
    agent = Agent(sharewatch, conf).start()
    try:
        unreachable = agent.wait("source-unreachable", 1, seconds=30)[0]
        assert unreachable["sharewatch"]["source"] == "bad"
        assert "\n" not in unreachable["error"]["message"] and len(unreachable["error"]["message"]) > 8
        print(what, "->", unreachable["error"]["message"])
        # The other source goes on.
        good_answer.with_suffix(".new").write_text(document({"client": "y", "user": "new"}))
        os.rename(good_answer.with_suffix(".new"), good_answer)
        assert agent.wait("session-opened")[0]["user"]["name"] == "new"
        with open(f"/proc/{agent.process.pid}/status") as status:
            peak = int(next(l for l in status if l.startswith("VmHWM")).split()[1])
        if not os.environ.get("SHAREWATCH_BUILD", "").endswith(("asan", "tsan")):
            assert peak < 150 << 10, f"peak {peak} KiB"
        assert agent.count("session-closed") == 0
        assert agent.stop() == 0
    finally:
        agent.kill()
