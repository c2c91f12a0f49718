"""The agent is killed with SIGKILL at random moments while sessions come and go.

A world of sessions (each with an id that is never used again) changes all the time; an exec source
shows it to the agent. After all the kills the events are compared with the world: every change
arrives, none is invented, and what arrives twice carries the same event.id.

SHAREWATCH_KILLS sets how often (200), SHAREWATCH_SEED the randomness (printed).
"""
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

import pytest

PROGRAM = os.environ.get("SHAREWATCH")
KILLS = int(os.environ.get("SHAREWATCH_KILLS", "200"))
SEED = int(os.environ.get("SHAREWATCH_SEED", str(random.randrange(1 << 30))))

pytestmark = pytest.mark.skipif(not PROGRAM, reason="SHAREWATCH does not name the program to test")


class World(threading.Thread):
    """Sessions that come and go; writes what is there now to a file, whole or not at all."""

    def __init__(self, folder, rng):
        super().__init__(daemon=True)
        self.path = folder / "world.json"
        self.rng = rng
        self.next_id = 1
        self.alive = {}
        self.born = {}
        self.died = {}
        self.ending = threading.Event()
        self.step()

    def step(self):
        now = time.time()
        while len(self.alive) < 30 or self.rng.random() < 0.4:
            name = str(self.next_id)
            self.next_id += 1
            # Few users and clients, so that ids alone tell sessions apart.
            self.alive[name] = {"id": name, "user": "user%d" % self.rng.randrange(3), "client": "10.0.0.1",
                                "opens": self.rng.randrange(5)}
            self.born[name] = now
        for name in list(self.alive):
            if self.rng.random() < 0.02:
                del self.alive[name]
                self.died[name] = now
        self.write()

    def write(self):
        sessions = list(self.alive.values())
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps({"sharewatch": 1, "server": "world", "sessions": sessions}))
        os.rename(temporary, self.path)

    def run(self):
        while not self.ending.wait(0.02):
            self.step()


def start(folder):
    log = open(folder / "agent.log", "ab")
    return subprocess.Popen([PROGRAM, "run", "-c", str(folder / "sharewatch.yaml")], stdout=log, stderr=log)


def read_events(folder):
    """All lines of the sink's file; a line that is no JSON is a failure of the file sink."""
    events = []
    for line in (folder / "events.json").read_bytes().splitlines():
        events.append(json.loads(line))
    return events


def served_looks(folder):
    """What the exec command has printed: (agent run, time, ids) in order."""
    looks = []
    for line in (folder / "served").read_text().splitlines():
        run, document = line.split(" ", 1)
        looks.append((run, {s["id"] for s in json.loads(document)["sessions"]}))
    return looks


def test_killed_at_random_moments(tmp_path):
    print("SHAREWATCH_SEED=%d kills=%d" % (SEED, KILLS))
    os.chmod(tmp_path, 0o755)
    rng = random.Random(SEED)
    world = World(tmp_path, rng)
    script = tmp_path / "list-sessions"
    # The line is on the disk before the agent can have seen it.
    script.write_text("#!/bin/sh\nd=$(cat %s)\nprintf '%%s %%s\\n' $(cat %s) \"$d\" >>%s\nprintf '%%s' \"$d\"\n"
                      % (world.path, tmp_path / "run", tmp_path / "served"))
    script.chmod(0o755)
    (tmp_path / "sharewatch.yaml").write_text("""
agent: {state_dir: %s/state, heartbeat: 0, log_level: warn}
sources:
  world: {type: exec, command: [%s], interval: 100ms, timeout: 100ms, baseline: emit, unreachable_after: 1000}
sinks:
  out: {type: file, path: %s/events.json, rotate_size: 0, start: oldest}
""" % (tmp_path, script, tmp_path))
    (tmp_path / "sharewatch.yaml").chmod(0o600)

    world.start()
    for kill in range(KILLS):
        (tmp_path / "run").write_text(str(kill))
        agent = start(tmp_path)
        time.sleep(rng.uniform(0.0, 0.4))
        assert agent.poll() is None, (tmp_path / "agent.log").read_text()[-2000:]
        agent.send_signal(signal.SIGKILL)
        agent.wait()

    # The world stands still; one clean run tells what is left to tell.
    world.ending.set()
    world.join()
    (tmp_path / "run").write_text("last")
    agent = start(tmp_path)
    deadline = time.time() + 20
    while time.time() < deadline and sum(l[0] == "last" for l in served_looks(tmp_path)) < 12:
        time.sleep(0.05)
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(timeout=20) == 0, (tmp_path / "agent.log").read_text()[-2000:]

    events = read_events(tmp_path)
    check_identity(events)
    check_against_world(events, world, served_looks(tmp_path))


def check_identity(events):
    """One id, one event; one sequence without a hole; nothing in another order than it was told."""
    by_sequence = {}
    for event in events:
        key = event["event"]["sequence"]
        assert by_sequence.setdefault(key, event) == event, "sequence %d tells two events" % key
    assert len({e["sharewatch"]["journal"] for e in events}) == 1
    assert sorted(by_sequence) == list(range(1, len(by_sequence) + 1)), "a sequence number is missing"
    ids = collections.Counter(e["event"]["id"] for e in by_sequence.values())
    assert max(ids.values()) == 1, "two events carry one id"
    print("events %d, sent twice %d" % (len(by_sequence), len(events) - len(by_sequence)))


def check_against_world(events, world, looks):
    opened, closed = {}, {}
    unique = {e["event"]["sequence"]: e for e in events}
    for sequence in sorted(unique):
        event = unique[sequence]
        native = event["sharewatch"].get("session", {}).get("native_id")
        if event["event"]["action"] == "session-opened":
            assert native in world.born, "a session that never was: %s" % native
            assert native not in opened, "opened twice: %s" % native
            opened[native] = event["sharewatch"]["session"]["id"]
        elif event["event"]["action"] == "session-closed":
            assert native in world.died, "closed but alive: %s" % native
            assert native in opened and native not in closed, "closed without an open, or twice: %s" % native
            assert opened[native] == event["sharewatch"]["session"]["id"]
            assert event["event"]["start"] == start_of(unique, native)
            closed[native] = True
        else:
            assert event["event"]["action"].startswith("agent-"), event["event"]["action"]

    assert set(opened) - set(closed) == set(world.alive), "what is open in the end differs from the world"
    # A session in two looks of one run of the agent was in one that is surely stored: the second
    # look begins only when the first is.
    seen = collections.Counter()
    must = set()
    last_run = None
    for run, ids in looks:
        if run != last_run:
            seen.clear()
        last_run = run
        for name in ids:
            seen[name] += 1
            if seen[name] == 2:
                must.add(name)
    assert must <= set(opened), "seen but not told: %s" % sorted(must - set(opened))[:5]
    print("looks %d, sessions %d, told %d, had to be told %d" % (len(looks), len(world.born), len(opened), len(must)))
    assert len(must) > KILLS / 4


def start_of(unique, native):
    for event in unique.values():
        if event["event"]["action"] == "session-opened" and event["sharewatch"]["session"]["native_id"] == native:
            return event["event"]["start"]
    return None
