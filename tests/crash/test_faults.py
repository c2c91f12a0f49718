"""Every write of the journal fails once, one after another, under the whole agent.

A recorded history goes through journal and file sink in a program whose SQLite runs on a VFS that
fails on demand (fault_vfs.h). An agent that ends in any way but well is started again, without the
fault. In the end the sink's file must tell what it tells without any fault: every change, none
invented, what is there twice with the same event.id, a session's events in their order.

SHAREWATCH_FAULT_STRIDE takes every so manyth call only (1), SHAREWATCH_SEED sets the randomness
(printed); SHAREWATCH_BUILD is the build folder.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import time

import pytest

PROGRAM = pathlib.Path(os.environ.get("SHAREWATCH_BUILD", "build/dev"), "tests/crash/sharewatch_faulty").resolve()
STRIDE = int(os.environ.get("SHAREWATCH_FAULT_STRIDE", "1"))
SEED = int(os.environ.get("SHAREWATCH_SEED", str(random.randrange(1 << 30))))
TIMEOUT_S = 60
ENDED_BY_FAULT = 99  # SW_FAULT_EXIT_STATUS
AT_ONCE = 4          # programs that run side by side: most of the time they wait

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


# Of another recording, which the source is pointed to after the first.
SEQUEL = [[row("ivan", 50), row("jane", 70)], ERROR, [row("jane", 130)], ERROR, ERROR]


def write_history(path, history, begin=0):
    lines = []
    for number, look in enumerate(history, begin):
        server, look = look if isinstance(look, tuple) else ("fs01", look)
        document = {"sharewatch": 1, "server": server,
                    "taken_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1795341600 + 30 * number))}
        document.update(look if isinstance(look, dict) else {"sessions": look})
        lines.append(json.dumps(document) + "\n")
    path.write_text("".join(lines))


class Place:
    """A configuration, its state and its sink's file; of another place: as that has left them."""

    def __init__(self, folder, other=None, recording="history.ndjson"):
        self.folder = folder
        self.conf = folder / "sharewatch.yaml"
        self.log = ""
        self.runs = 0
        if other is not None:
            shutil.copytree(other.folder, folder)
        else:
            folder.mkdir()
            write_history(folder / "history.ndjson", HISTORY)
            write_history(folder / "failing.ndjson", [ERROR] + SEQUEL, len(HISTORY))
            write_history(folder / "sequel.ndjson", SEQUEL, len(HISTORY))
        self.conf.write_text("""
agent: {state_dir: state, heartbeat: 0, log_level: warn}
sources:
  past: {type: replay, path: %s, baseline: emit, changed: {opens: 3, flags: true}, interval: 30s}
sinks:
  out: {type: file, path: events.json, start: oldest, rotate_size: 0}
""" % recording)
        self.conf.chmod(0o600)

    def run(self, fault, stop_after_s=None):
        """Returns its status, how many calls there were and how many of them failed."""
        agent = subprocess.Popen([PROGRAM, "run", "--until-done", "-c", self.conf], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 env={**os.environ, "SHAREWATCH_TEST_FAULT": fault})
        self.runs += 1
        try:
            output = self.wait(agent, stop_after_s).decode(errors="replace")
        finally:
            agent.kill()
        self.log += "--- %s: status %d\n%s" % (fault, agent.returncode, output)
        calls = re.search(r"^faulty: calls (\d+), failed (\d+)$", output, re.M)
        assert calls or agent.returncode == ENDED_BY_FAULT, "it ended with %d" % agent.returncode
        return agent.returncode, *(map(int, calls.groups()) if calls else (0, 1))

    @staticmethod
    def wait(agent, stop_after_s):
        if stop_after_s is not None:
            try:
                return agent.communicate(timeout=stop_after_s)[0]
            except subprocess.TimeoutExpired:
                agent.terminate()
        return agent.communicate(timeout=TIMEOUT_S)[0]

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


def run_with(place, faults, expected):
    """Runs with each of these faults in turn, then without until it ends well. Returns the place
    and whether the first fault was met."""
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


def run_all(tmp_path, plans, expected, at_once=AT_ONCE, **how):
    """Every plan (a list of faults) with a place of its own, some at a time; as run_with."""
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        jobs = [pool.submit(run_with, Place(tmp_path / str(number), **how), plan, expected)
                for number, plan in enumerate(plans)]
        done = [job.result() for job in concurrent.futures.as_completed(jobs)]
    print("plans %d, met %d, runs %d, seconds %.1f" % (
        len(plans), sum(met for _, met in done), sum(place.runs for place, _ in done), time.monotonic() - began))
    return done


@pytest.mark.parametrize("kind, stride", [
    ("ioerr", 1), ("full", 1), ("short", 1), ("lie", 1), ("exit", 1), ("kill", 2), ("power", 1), ("power seed=", 2)])
def test_every_call_fails_once(tmp_path, expected, kind, stride):
    told, calls = expected
    plans = []
    for at in range(1, calls + 1, stride * STRIDE):
        plans.append(["kind=%s at=%d" % (kind + str(at) if kind.endswith("=") else kind, at)])
    # Threads make the number of calls vary a little, so that the last ones may not come.
    assert sum(met for _, met in run_all(tmp_path, plans, told)) > len(plans) * 0.8


def test_two_faults(tmp_path, expected):
    """Of two runs, or one in the other's wake: a start that has to mend is disturbed as well."""
    print("SHAREWATCH_SEED=%d" % SEED)
    told, calls = expected
    rng = random.Random(SEED)
    kinds = ["ioerr", "full", "short", "lie", "exit", "power", "power seed=%d" % rng.randrange(1, 1 << 30)]
    plans = [["kind=%s at=%d count=%d" % (rng.choice(kinds), rng.randrange(1, calls), rng.choice([1, 1, 2, 5])),
              "kind=%s at=%d" % (rng.choice(kinds), rng.randrange(1, 60))] for _ in range(120 // STRIDE)]
    run_all(tmp_path, plans, told)


@pytest.mark.parametrize("kind, count", [("full", 12), ("ioerr", 4)])
def test_trouble_that_lasts_and_passes(tmp_path, expected, kind, count):
    """A disk that is full for a while: the agent goes on, and tells all once there is room."""
    told, calls = expected
    plans = [["kind=%s at=%d count=%d" % (kind, at, count)] for at in range(calls // 3, calls - 10, 12 * STRIDE)]
    for place, _ in run_all(tmp_path, plans, told, at_once=len(plans)):
        assert place.runs == 1, place.log


def test_stopped_while_the_disk_is_full(tmp_path, expected):
    told, calls = expected
    place = Place(tmp_path / "run")
    assert place.run("kind=full at=1 count=1000000")[0] == 1, place.log
    for at in (calls // 3, 30, 30):  # behind the start; the first one makes the journal
        status, _, failed = place.run("kind=full at=%d count=1000000" % at, stop_after_s=0.6)
        assert status == 0 and failed > 0, place.log
    assert place.run("kind=none")[0] == 0, place.log
    check(place, told)


@pytest.mark.parametrize("kind", ["ioerr", "exit"])
@pytest.mark.parametrize("recording", ["sequel.ndjson", "failing.ndjson"])
def test_pointed_elsewhere(tmp_path, kind, recording):
    """The source is pointed to another recording; one of them begins with a failed look."""
    first = Place(tmp_path / "first")
    assert first.run("kind=none")[0] == 0, first.log
    second = {"other": first, "recording": recording}
    place = Place(tmp_path / "expected", **second)
    status, calls, _ = place.run("kind=none")
    assert status == 0, place.log
    told = stories(unique_events(place.events()))
    actions = collections.Counter(event["event"]["action"] for event in place.events() if not is_about_agent(event))
    assert actions - collections.Counter(TOLD) == {
        "session-opened": 2, "session-closed": 1, "source-changed": 1, "source-unreachable": 1}
    plans = [["kind=%s at=%d" % (kind, at)] for at in range(1, calls + 1, STRIDE)]
    run_all(tmp_path, plans, told, **second)
