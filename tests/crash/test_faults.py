"""Every write of the journal fails once, one after another, under the whole agent.

A recorded history goes through journal and file sink in a program whose SQLite runs on a VFS that
fails on demand (fault_vfs.h). An agent that ends in any way but well is started again, without the
fault. In the end the sink's file must tell what it tells without any fault: every change, none
invented, what is there twice with the same event.id, a session's events in their order.

SHAREWATCH_FAULT_STRIDE takes every so manyth call only (1); SHAREWATCH_BUILD is the build folder.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

PROGRAM = pathlib.Path(os.environ.get("SHAREWATCH_BUILD", "/nonexistent"), "tests/crash/sharewatch_faulty")
STRIDE = int(os.environ.get("SHAREWATCH_FAULT_STRIDE", "1"))
TIMEOUT_S = 60
ENDED_BY_FAULT = 99  # SW_FAULT_EXIT_STATUS
AT_ONCE = 2          # programs that run side by side

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="there is no %s: set SHAREWATCH_BUILD" % PROGRAM)

# Of an event, what differs from run to run or is compared on its own.
VOLATILE = ("@timestamp", "event.created", "event.id", "event.sequence", "sharewatch.journal", "sharewatch.session.id")


def row(user, active, **more):
    return {"client": "10.0.0.5", "user": user, "active": active, **more}


ERROR = {"error": {"code": 53, "text": "the network path was not found"}}

# One look every 30 seconds. Of a pair of equal sessions one goes and one stays.
HISTORY = [
    ERROR,
    [row("alice", 100), row("bob", 200), row("carol", 300, opens=1)],
    [row("alice", 130), row("bob", 230), row("carol", 330, opens=9), row("dave", 10, guest=False)],
    [row("alice", 160), row("bob", 260), row("carol", 360, opens=9), row("dave", 40, guest=False),
     row("erin", 5), row("erin", 20)],
    [row("alice", 190), row("carol", 390, opens=9), row("dave", 70, guest=True), row("erin", 35), row("erin", 50)],
    ERROR, ERROR, ERROR,
    [row("carol", 510, opens=9), row("dave", 190, guest=True), row("erin", 155), row("erin", 170), row("frank", 60)],
    [row("carol", 540, opens=2), row("dave", 220, guest=True), row("erin", 200), row("zoe", 3), row("zoe", 3)],
    [row("carol", 570, opens=2), row("dave", 250, guest=True), row("erin", 230), row("zoe", 33), row("zoe", 33)],
    [row("carol", 600, opens=2), row("zoe", 63)],
    ERROR, ERROR,
    [row("zoe", 153)],
    ("fs02", [row("gina", 12), row("hugo", 13)]),
    ("fs02", [row("hugo", 43)]),
    ("fs02", []),
]
TOLD = {"session-opened": 11, "session-closed": 10, "session-changed": 3, "source-unreachable": 2,
        "source-recovered": 2, "source-changed": 1}


def write_history(path):
    lines = []
    for number, look in enumerate(HISTORY):
        server, look = look if isinstance(look, tuple) else ("fs01", look)
        document = {"sharewatch": 1, "server": server,
                    "taken_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1795341600 + 30 * number))}
        document.update(look if isinstance(look, dict) else {"sessions": look})
        lines.append(json.dumps(document) + "\n")
    path.write_text("".join(lines))


class Place:
    """A configuration, its state and its sink's file."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        write_history(folder / "history.ndjson")
        self.conf = folder / "sharewatch.yaml"
        self.conf.write_text("""
agent: {state_dir: state, heartbeat: 0, log_level: warn}
sources:
  past: {type: replay, path: history.ndjson, baseline: emit, changed: {opens: 3, flags: true}, interval: 30s}
sinks:
  out: {type: file, path: events.json, start: oldest, rotate_size: 0}
""")
        self.conf.chmod(0o600)
        self.log = ""
        self.runs = 0

    def run(self, fault):
        environment = {**os.environ, "SHAREWATCH_TEST_FAULT": fault}
        done = subprocess.run([PROGRAM, "run", "--until-done", "-c", self.conf], env=environment, timeout=TIMEOUT_S,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.runs += 1
        output = done.stdout.decode(errors="replace")
        self.log += "--- %s: status %d\n%s" % (fault, done.returncode, output)
        calls = re.search(r"^faulty: calls (\d+), failed (\d+)$", output, re.M)
        assert calls or done.returncode == ENDED_BY_FAULT, "it ended with %d" % done.returncode
        return done.returncode, *(map(int, calls.groups()) if calls else (0, 1))

    def events(self):
        """All lines of the sink's file, each of which is whole."""
        path = self.folder / "events.json"
        text = path.read_bytes() if path.exists() else b""
        assert text == b"" or text.endswith(b"\n"), "the last line has no end"
        return [json.loads(line) for line in text.splitlines()]


def content(event):
    """What is told, as text: the same in every run."""
    flat = {}

    def flatten(path, value):
        if isinstance(value, dict):
            for name, member in value.items():
                flatten(path + "." + name if path else name, member)
        elif path not in VOLATILE and not path.startswith(("agent.", "ecs.")):
            flat[path] = value

    flatten("", event)
    return json.dumps(flat, sort_keys=True)


def is_about_agent(event):
    return event["event"]["action"] in ("agent-started", "agent-stopped")


def unique_events(events):
    """In the order of their sequence; what is there twice must be the same in every byte."""
    by_sequence = {}
    for event in events:
        sequence = event["event"]["sequence"]
        assert by_sequence.setdefault(sequence, event) == event, "sequence %d tells two events" % sequence
    assert len({event["sharewatch"]["journal"] for event in events}) == 1, "more than one journal"
    assert sorted(by_sequence) == list(range(1, len(by_sequence) + 1)), "a sequence number is missing"
    ids = collections.Counter(event["event"]["id"] for event in by_sequence.values())
    assert max(ids.values()) == 1, "two events carry one id"
    firsts = list(dict.fromkeys(event["event"]["sequence"] for event in events))
    assert firsts == sorted(firsts), "told in another order than it happened"
    return [by_sequence[sequence] for sequence in sorted(by_sequence)]


def stories(events):
    """How often each session's story is told, and the source's: equal sessions have equal stories."""
    sessions, source = collections.defaultdict(list), []
    for event in events:
        if "session" in event["sharewatch"]:
            sessions[event["sharewatch"]["session"]["id"]].append(event)
        elif not is_about_agent(event):
            source.append(content(event))
    for story in sessions.values():
        actions = [event["event"]["action"] for event in story]
        assert actions[0] == "session-opened" and actions.count("session-opened") == 1, actions
        assert "session-closed" not in actions[:-1], actions
    told = collections.Counter(tuple(content(event) for event in story) for story in sessions.values())
    told[tuple(source)] += 1
    return told


def check(place, expected):
    told = stories(unique_events(place.events()))
    missing, invented = expected - told, told - expected
    assert not missing and not invented, "missing:\n%s\ninvented:\n%s" % (
        "\n".join(map(str, missing)), "\n".join(map(str, invented)))


def run_with(folder, faults, expected):
    """Runs with each of these faults in turn, then without until it ends well. Returns the place
    and whether the first fault was met."""
    place = Place(folder)
    try:
        met = 0
        for number, fault in enumerate(faults):
            status, _, failed = place.run(fault)
            met += failed > 0 and number == 0
        for _ in range(3):
            if status == 0:
                break
            status, _, _ = place.run("kind=none")
        assert status == 0, "it does not end well without faults"
        check(place, expected)
        return place, met > 0
    except (AssertionError, ValueError, subprocess.TimeoutExpired) as error:
        raise AssertionError("%s\nfaults: %s\n%s" % (error, faults, place.log[-3000:])) from error


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The stories that are told without faults, and how many calls can fail."""
    place = Place(tmp_path_factory.mktemp("expected") / "run")
    status, calls, failed = place.run("kind=none")
    assert (status, failed) == (0, 0), place.log
    events = unique_events(place.events())
    actions = collections.Counter(event["event"]["action"] for event in events if not is_about_agent(event))
    assert actions == TOLD
    return stories(events), calls


def run_all(tmp_path, plans, expected):
    """Every plan (a list of faults) with a place of its own, some at a time."""
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(run_with, tmp_path / str(number), plan, expected) for number, plan in enumerate(plans)]
        done = [job.result() for job in concurrent.futures.as_completed(jobs)]
    met = sum(was_met for _, was_met in done)
    print("plans %d, met %d, runs %d, seconds %.1f" % (
        len(plans), met, sum(place.runs for place, _ in done), time.monotonic() - began))
    return met


@pytest.mark.parametrize("kind, stride", [
    ("ioerr", 1), ("full", 1), ("short", 1), ("lie", 1), ("exit", 1), ("kill", 2), ("power", 1), ("power seed=", 2)])
def test_every_call_fails_once(tmp_path, expected, kind, stride):
    told, calls = expected
    plans = []
    for at in range(1, calls + 1, stride * STRIDE):
        plans.append(["kind=%s at=%d" % (kind + str(at) if kind.endswith("=") else kind, at)])
    # Threads make the number of calls vary a little, so that the last ones may not come.
    assert run_all(tmp_path, plans, told) > len(plans) * 0.8
