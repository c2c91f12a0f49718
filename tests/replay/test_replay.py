"""Runs every scenario of this folder through `sharewatch replay`: see README.md.

SHAREWATCH names the program to test. SHAREWATCH_UPDATE=1 writes `expected` anew; read the diff.
"""

import datetime
import difflib
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SCENARIOS = sorted(path.parent for path in HERE.glob("*/topic"))
TIMEOUT_S = 120
SHOWN_MAX = 200  # characters of a value; of a longer one its size and digest are compared
NS = 1_000_000_000

# What a line shows, in this order: name in the line, path in the event.
ALWAYS = [
    ("user", "user.name"),
    ("domain", "user.domain"),
    ("client", "source.address"),
    ("session", "sharewatch.session.id"),
    ("reason", "event.reason"),
    ("changed", "sharewatch.session.changed"),
    ("baseline", "sharewatch.baseline"),
    ("old_server", "sharewatch.old_server"),
    ("code", "error.code"),
    ("error", "error.message"),
    ("count", "sharewatch.count"),
    ("opened", "sharewatch.opened"),
    ("closed", "sharewatch.closed"),
    ("altered", "sharewatch.altered"),
    ("start", "event.start"),
    ("start_from", "sharewatch.session.start_from"),
    ("end", "event.end"),
]
# Only where the scenario asks for it with `fields:`.
ON_REQUEST = {
    "native": "sharewatch.session.native_id",
    "raw": "sharewatch.session.user",
    "opens": "sharewatch.session.opens",
    "idle": "sharewatch.session.idle",
    "guest": "sharewatch.session.guest",
    "transport": "sharewatch.session.transport",
    "type": "sharewatch.session.client_type",
    "ip": "source.ip",
    "name": "source.domain",
    "server": "host.name",
    "source": "sharewatch.source",
    "duration": "event.duration",
    "message": "message",
}
RANKS = {"session-closed": 1, "session-opened": 2, "session-changed": 3}


# ---- scenarios

def read_topic(folder):
    """The sentence, and the settings behind it (`name: value`, a line each)."""
    lines = (folder / "topic").read_text(encoding="utf-8").splitlines()
    settings = {"args": "documents.ndjson", "fields": "", "stdin": "", "status": "0"}
    sentence = []
    for line in lines:
        found = re.fullmatch(r"(args|fields|stdin|status): *(.*)", line)
        if found:
            settings[found[1]] = found[2]
        else:
            sentence.append(line)
    assert sentence and sentence[0].strip(), "the topic file must begin with a sentence"
    unknown = set(settings["fields"].split()) - set(ON_REQUEST)
    assert not unknown, f"fields: unknown {sorted(unknown)}, known {sorted(ON_REQUEST)}"
    return settings


def prepare(folder, work):
    """The scenario's files in a folder of our own: a configuration that others can write is
    refused, and the clone may lie anywhere."""
    for path in folder.iterdir():
        if path.suffix in (".ndjson", ".yaml"):
            shutil.copyfile(path, work / path.name)
            (work / path.name).chmod(0o600)
    script = folder / "documents.py"
    if script.exists():
        made = subprocess.run([sys.executable, script], capture_output=True, timeout=TIMEOUT_S)
        assert made.returncode == 0, made.stderr.decode(errors="replace")
        (work / "documents.ndjson").write_bytes(made.stdout)


def replay(program, work, settings, **environment):
    config = ["-c", "config.yaml"] if (work / "config.yaml").exists() else []
    stdin = (work / settings["stdin"]).read_bytes() if settings["stdin"] else b""
    ended = subprocess.run([program, "replay", *config, *settings["args"].split()], cwd=work,
                           input=stdin, capture_output=True, timeout=TIMEOUT_S,
                           env={**os.environ, **environment})
    if ended.returncode != int(settings["status"]):
        pytest.fail(f"exit status {ended.returncode}: {ended.stderr.decode(errors='replace')}",
                    pytrace=False)
    return ended.stdout


# ---- what must hold of any output

def get(event, path):
    for name in path.split("."):
        event = event.get(name) if isinstance(event, dict) else None
    return event


def nanoseconds(text):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text), text
    whole = datetime.datetime.fromisoformat(text[:19] + "+00:00")
    return int(whole.timestamp()) * NS + int(text[20:23]) * 1_000_000


def parse(output, has_names):
    """(sink, event) of each line. One event is one line, whatever a stranger calls himself."""
    assert output == b"" or output.endswith(b"\n")
    events = []
    for line in output.decode("utf-8").split("\n")[:-1]:
        assert not re.search("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]",
                             line), f"a character that forges lines or text: {line!r}"
        name, record = line.split(": ", 1) if has_names else ("", line)
        assert not has_names or re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name), line
        events.append((name, json.loads(record, object_pairs_hook=unique_members)))
    return events


def unique_members(pairs):
    assert len({name for name, _ in pairs}) == len(pairs), f"a member twice: {pairs}"
    return dict(pairs)


def check_event(event):
    at = nanoseconds(event["@timestamp"])
    assert event["event"]["created"] == event["@timestamp"]
    made = uuid.UUID(event["event"]["id"])
    # An id's time never runs backwards, a look's may.
    assert made.version == 7 and made.int >> 80 >= at // 1_000_000
    start, end = get(event, "event.start"), get(event, "event.end")
    if start is not None and end is not None:
        duration = max(nanoseconds(end) - nanoseconds(start), 0)
        # Times are shown in milliseconds, durations are not cut.
        assert abs(get(event, "event.duration") - duration) < 1_000_000
    if event["event"]["action"] == "session-closed":
        assert get(event, "sharewatch.session.gone_by") == event["@timestamp"]
        assert nanoseconds(end) < at
    address = get(event, "source.address")
    if address is not None:
        assert (get(event, "source.ip") is None) != (get(event, "source.domain") is None)
        assert not address.startswith(("\\", "["))
    json.dumps(event, ensure_ascii=True).encode("ascii")


def check_history(events):
    """A session is opened once, closed once, and keeps its begin in between."""
    sessions = {}
    last = (0, 0)
    assert [event["event"]["sequence"] for event in events] == list(range(1, len(events) + 1))
    ids = [event["event"]["id"] for event in events]
    assert ids == sorted(set(ids)), "ids of events are unique and grow"
    for event in events:
        check_event(event)
        action = event["event"]["action"]
        if action not in RANKS:
            continue
        here = (nanoseconds(event["@timestamp"]), RANKS[action])
        assert here >= last, "closes, then opens, then changes; looks in order of time"
        last = here
        session = event["sharewatch"]["session"]
        known = sessions.setdefault(session["id"], {"start": event["event"]["start"],
                                                    "from": session["start_from"], "told": set()})
        assert known["start"] == event["event"]["start"], "the begin of a session never changes"
        assert known["from"] == session["start_from"]
        assert "session-closed" not in known["told"], "told after its close"
        assert action == "session-changed" or action not in known["told"], "told twice"
        assert action != "session-opened" or not known["told"], "told before its open"
        known["told"].add(action)


# ---- readable lines

def show(value):
    if isinstance(value, list):
        value = ",".join(value)
    elif isinstance(value, bool):
        value = "yes" if value else "no"
    value = str(value)
    if len(value) > SHOWN_MAX:
        digest = hashlib.sha256(value.encode()).hexdigest()[:16]
        value = f"{value[:16]}…{value[-16:]} ({len(value)} characters, sha256 {digest})"
    if re.fullmatch(r"[\w.:#@$%/+,-]+", value, re.ASCII):
        return value
    return json.dumps(value)


def normalise(events, fields, with_sinks):
    numbers = {}
    chosen = ALWAYS + [(name, ON_REQUEST[name]) for name in ON_REQUEST if name in fields]
    lines = []
    for sink, event in events:
        line = [event["@timestamp"], event["event"]["action"]]
        for name, path in chosen:
            value = get(event, path)
            if value is None or (name == "start_from" and value == "server"):
                continue
            if name == "session":
                value = f"#{numbers.setdefault(value, len(numbers) + 1)}"
            line.append(f"{name}={show(value)}")
        lines.append((f"{sink}: " if with_sinks else "") + " ".join(line) + "\n")
    return lines


# ---- the test

@pytest.fixture
def program():
    path = os.environ.get("SHAREWATCH", "")
    if not os.access(path or "/nonexistent", os.X_OK):
        pytest.skip("SHAREWATCH does not name a sharewatch to test")
    return os.path.abspath(path)


@pytest.fixture
def work():
    base = "/run" if os.geteuid() == 0 and os.access("/run", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="sharewatch-replay-", dir=base) as folder:
        yield pathlib.Path(folder)


def compare(folder, lines):
    path = folder / "expected"
    expected = path.read_text(encoding="utf-8").splitlines(True) if path.exists() else []
    if os.environ.get("SHAREWATCH_UPDATE") and lines != expected:
        path.write_text("".join(lines), encoding="utf-8")
        pytest.skip("expected was written anew: read the diff")
    assert path.exists(), "no file expected"
    if lines != expected:
        pytest.fail("".join(difflib.unified_diff(expected, lines, "expected", "told")),
                    pytrace=False)


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_scenario(folder, program, work):
    settings = read_topic(folder)
    prepare(folder, work)
    output = replay(program, work, settings, TZ="UTC0")
    again = replay(program, work, settings, TZ="Australia/Sydney", LC_ALL="C")
    assert output == again, "the same input must give the same bytes"

    events = parse(output, "--sink" not in settings["args"])
    sinks = sorted({sink for sink, _ in events})
    for sink in sinks:
        check_history([event for name, event in events if name == sink])
    compare(folder, normalise(events, settings["fields"].split(), len(sinks) > 1))


def test_scenarios_are_told_apart():
    numbers = [folder.name.split("-")[0] for folder in SCENARIOS]
    assert len(set(numbers)) == len(numbers), "two scenarios have one number"
    assert len(SCENARIOS) >= 40
