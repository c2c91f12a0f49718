"""Events of a real smbd, through the whole agent: what is told, and above all what is not.

Every wait is for a condition. "Nothing else is told" is known after looks that began later, which
a wrapper around smbstatus counts.
"""

import datetime
import os
import pathlib
import re
import signal
import stat
import threading
import time

import pytest
import samba_helpers
from agent_helpers import Agent, program
from samba_helpers import wait_until

HALF_OPEN = 4000
KILLS = 5
MEMORY_MAX = 512 << 20
ABOUT_SESSIONS = {"session-opened", "session-closed", "session-changed"}
NOT_IN_SIGHT = ("unshare", "-pf", "--mount-proc", "--kill-child")


class Watch(Agent):
    """An agent over an smbd; its looks can be counted."""

    def __init__(self, sharewatch, conf, runs):
        super().__init__(sharewatch, conf)
        self.runs_path = runs

    def runs(self):
        """The runs of smbstatus so far, one for each look but rare ones: process and arguments."""
        if not self.runs_path.exists():
            return []
        lines = self.runs_path.read_text().split("\n")[:-1]
        return [line.split(" ", 1) for line in lines if " -f " not in line]

    def look(self, count=2, seconds=20):
        """Waits until that many looks that begin after this call have ended."""
        before = len(self.runs())
        wait_until(lambda: len(self.runs()) > before + count, seconds, f"{count} looks")

    def told(self):
        """Each event once: one that was sent again has the same id."""
        once = {event["event"]["id"]: event for event in self.events()}
        return [e for e in once.values() if e["event"]["action"] in ABOUT_SESSIONS
                or e["event"]["action"].startswith("source-")]

    def actions(self):
        return [event["event"]["action"] for event in self.told()]

    def opened(self, user, count=1):
        """Waits for that many opens of the user; the last one's session."""
        mine = lambda: [e for e in self.events("session-opened") if e["user"]["name"] == user]
        wait_until(lambda: len(mine()) >= count, 20, f"{count} opens of {user}, told {self.actions()}")
        return mine()[-1]["sharewatch"]["session"]

    def closed(self, session):
        """Waits for the close of the session; the event."""
        found = lambda: [e for e in self.events("session-closed")
                         if e["sharewatch"]["session"]["id"] == session["id"]]
        return wait_until(found, 20, f"close of {session}, told {self.actions()}")[0]


@pytest.fixture
def watch(smbd, sharewatch):
    """Makes the agent over the smbd, or over another configuration of it."""
    made = []

    def make(smb_conf=None, interval="500ms", timeout="500ms"):
        folder = sharewatch.folder
        runs = folder / "runs"
        smbstatus = program(folder, "smbstatus",
                            f'#!/bin/sh\necho "$$ $* " >>{runs}\nexec /usr/bin/smbstatus "$@"\n')
        program(folder, "testparm", '#!/bin/sh\nexec /usr/bin/testparm "$@"\n')
        made.append(Watch(sharewatch, sharewatch.write(
            f"agent: {{state_dir: {folder}/state}}\n"
            f"sources: {{local: {{type: samba, smb_conf: {smb_conf or smbd.conf},"
            f" smbstatus: {smbstatus}, interval: {interval}, timeout: {timeout}, baseline: emit}}}}\n"
            f"sinks: {{out: {{type: file, path: {folder}/events.json}}}}\n"), runs))
        return made[-1]

    yield make
    for agent in made:
        agent.kill()


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def port_of(session):
    """The client's port of a session, from what the kernel knows of smbclient."""
    folder = pathlib.Path(f"/proc/{session.process.pid}/fd")
    sockets = {os.readlink(fd)[8:-1] for fd in folder.iterdir()
               if os.readlink(fd).startswith("socket:")}
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in sockets:
            return int(fields[1].split(":")[1], 16)
    raise LookupError(f"no connection of process {session.process.pid}")


# ---- who comes and goes

def test_users_address_families_and_the_guest(smbd, watch):
    agent = watch(interval="1s", timeout="1s").start()
    agent.look(1)
    wanted = {"alice": ("127.0.0.1", "alice"), "bob": ("::1", "bob"),
              "stranger": ("127.0.0.1", "nobody")}
    held = [smbd.open(user, host) for user, (host, _) in wanted.items()]
    seen = {user: agent.opened(name) for user, (_, name) in wanted.items()}
    for session in held:
        session.close()
    for user, (host, name) in wanted.items():
        opened, = [e for e in agent.events("session-opened") if e["user"]["name"] == name]
        assert opened["source"] == {"address": host, "ip": host}
        assert opened["sharewatch"]["source"] == "local"
        assert "baseline" not in opened["sharewatch"]
        assert seen[user]["transport"].startswith("ipv6:" if ":" in host else "ipv4:")
        assert re.fullmatch(r"[0-9]+/[0-9]+", seen[user]["native_id"])
        closed = agent.closed(seen[user])
        assert closed["user"]["name"] == name and closed["event"]["reason"] == "gone"
        assert closed["event"]["start"] == opened["event"]["start"]
        assert closed["event"]["end"] < closed["sharewatch"]["session"]["gone_by"]
    agent.look()
    assert agent.stop() == 0
    assert sorted(agent.actions()) == ["session-closed"] * 3 + ["session-opened"] * 3


def test_of_two_equal_sessions_the_right_one_closes(smbd, watch):
    agent = watch().start()
    first = smbd.open("alice")
    first_seen = agent.opened("alice")
    smbd.open("alice")
    second_seen = agent.opened("alice", 2)
    assert first_seen["id"] != second_seen["id"]
    first.close()
    agent.closed(first_seen)
    agent.look()
    assert agent.stop() == 0
    assert agent.actions() == ["session-opened", "session-opened", "session-closed"]


def test_session_between_two_looks_is_not_told(smbd, watch):
    smbd.open("bob")
    agent = watch(interval="1s", timeout="1s").start()
    agent.opened("bob")
    for _ in range(5):
        agent.look(1)
        told = agent.actions()
        before = len(agent.runs())
        # The look that has just begun must have ended before the session begins.
        pid = agent.runs()[-1][0]
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 5, "the look ends")
        smbd.open("alice").close()
        wait_until(lambda: len(smbd.child_pids()) == 1, 5, "smbd forgets the session")
        if len(agent.runs()) == before:
            break
    else:
        pytest.skip("this machine is too slow to open and close a session within 1 s")
    agent.look(1)
    assert agent.stop() == 0
    assert agent.actions() == told


def test_what_changes_while_the_agent_is_stopped_is_told_once(smbd, watch):
    smbd.open("bob", "::1")
    gone = smbd.open("alice")
    agent = watch().start()
    alice, bob = agent.opened("alice"), agent.opened("bob")
    assert agent.stop() == 0
    stopped = time.time()
    gone.close()
    smbd.open("stranger")
    # More than three intervals without a look are a gap.
    time.sleep(max(0, stopped + 2 - time.time()))
    agent.start()
    agent.opened("nobody")
    closed = agent.closed(alice)
    assert closed["event"]["reason"] == "noticed_after_gap"
    assert seconds_of(closed["event"]["end"]) <= stopped
    assert seconds_of(closed["sharewatch"]["session"]["gone_by"]) > stopped + 1
    assert agent.stop() == 0
    agent.start()
    agent.look()
    assert agent.stop() == 0
    assert sorted(agent.actions()) == ["session-closed"] + ["session-opened"] * 3
    assert bob["id"] not in {e["sharewatch"]["session"]["id"] for e in agent.events("session-closed")}


# ---- smbd ends

def kill_parent(smbd):
    smbd.process.kill()
    smbd.process.wait(10)


def kill_parent_only(smbd):
    """Its children go on to serve: they end when they find the other end of a pipe closed, and
    here it stays open. Samba's own table of sessions ends with the parent all the same."""
    children = smbd.child_pids()
    for fd in pathlib.Path(f"/proc/{smbd.process.pid}/fd").iterdir():
        if os.readlink(fd).startswith("pipe:") and fd.lstat().st_mode & stat.S_IWUSR:
            smbd.held_pipes.append(open(fd, "wb", buffering=0))
    kill_parent(smbd)
    assert all(os.path.exists(f"/proc/{pid}") for pid in children)


@pytest.fixture
def held_pipes(smbd):
    smbd.held_pipes = []
    yield
    for pipe in smbd.held_pipes:
        pipe.close()


@pytest.mark.parametrize("end", [samba_helpers.Smbd.stop, samba_helpers.Smbd.kill, kill_parent,
                                 kill_parent_only])
def test_smbd_ends_and_comes_back(smbd, watch, held_pipes, end):
    """Everybody is told gone because the server is; sessions of the next smbd are new ones."""
    agent = watch().start()
    smbd.open("alice")
    smbd.open("bob", "::1")
    seen = [agent.opened("alice"), agent.opened("bob")]
    end(smbd)
    for session in seen:
        assert agent.closed(session)["event"]["reason"] == "server_stopped"
    smbd.kill()
    smbd.start()
    smbd.open("alice")
    again = agent.opened("alice", 2)
    assert again["id"] not in {session["id"] for session in seen}
    agent.look()
    assert agent.stop() == 0
    assert agent.actions() == \
        ["session-opened"] * 2 + ["session-closed"] * 2 + ["session-opened"], agent.log()


def test_one_child_of_smbd_crashes(smbd, watch):
    agent = watch().start()
    smbd.open("bob")
    bob = agent.opened("bob")
    child, = smbd.child_pids()
    smbd.open("alice")
    agent.opened("alice")
    os.kill(child, signal.SIGKILL)
    assert agent.closed(bob)["event"]["reason"] == "gone"
    agent.look()
    assert agent.stop() == 0
    assert agent.actions() == ["session-opened"] * 2 + ["session-closed"]


# ---- looks that cannot be believed

def check_outage(smbd, agent, begin, end, words):
    """Nobody is told gone while the source cannot be asked; what happened meanwhile is told after."""
    smbd.open("bob", "::1")
    gone = smbd.open("alice")
    agent.start()
    alice = agent.opened("alice")
    agent.opened("bob")
    begin()
    unreachable = agent.wait("source-unreachable")[0]
    assert words in unreachable["error"]["message"], unreachable["error"]
    gone.close()
    smbd.open("stranger")
    agent.look(0)
    assert agent.actions() == ["session-opened"] * 2 + ["source-unreachable"]
    end()
    agent.wait("source-recovered")
    agent.opened("nobody")
    assert agent.closed(alice)["event"]["reason"] == "noticed_after_gap"
    agent.look()
    assert agent.stop() == 0
    assert agent.actions()[3:] == ["source-recovered", "session-closed", "session-opened"]


@pytest.mark.parametrize("text,words", [
    (None, "Can't load"),
    ("[global\n", "Can't load"),
    ("", "smbd runs with"),
    ("[global]\n    lock directory = /nowhere\n", ""),
], ids=["removed", "damaged", "emptied", "another lock directory"])
def test_smb_conf_breaks_and_comes_back(smbd, watch, text, words):
    # smbd itself keeps its own file: it reads that again for every client.
    conf = smbd.write_conf(smbd.folder / "watched.conf")
    good = conf.read_text()

    def begin():
        if text is None:
            conf.unlink()
        else:
            conf.write_text(text)

    check_outage(smbd, watch(conf), begin, lambda: conf.write_text(good), words)


def test_unknown_parameter_in_smb_conf_does_not_matter(smbd, watch):
    agent = watch(smbd.write_conf(smbd.folder / "watched.conf", extra="no such parameter = yes"))
    agent.start()
    alice = smbd.open("alice")
    seen = agent.opened("alice")
    alice.close()
    agent.closed(seen)
    assert agent.stop() == 0
    assert agent.actions() == ["session-opened", "session-closed"]
    assert agent.log().count("Ignoring unknown parameter") == 1


def test_container_that_does_not_see_smbd(smbd, watch):
    smbd.open("alice")
    agent = watch().start()
    alice = agent.opened("alice")
    assert agent.stop() == 0
    agent.start(prefix=NOT_IN_SIGHT)
    gone = smbd.open("bob")
    unreachable = agent.wait("source-unreachable")[0]
    assert "cannot be seen from here" in unreachable["error"]["message"]
    gone.close()
    agent.look(0)
    agent.kill()
    assert agent.actions() == ["session-opened", "source-unreachable"]
    # Outside again: alice is still there, bob never was.
    agent.start()
    agent.wait("source-recovered")
    agent.look()
    assert agent.stop() == 0
    assert agent.actions() == ["session-opened", "source-unreachable", "source-recovered"]
    assert agent.events("session-opened")[0]["sharewatch"]["session"]["id"] == alice["id"]


def test_container_that_never_saw_smbd(smbd, watch):
    smbd.open("alice")
    agent = watch().start(prefix=NOT_IN_SIGHT)
    unreachable = agent.wait("source-unreachable")[0]
    assert "cannot be seen from here" in unreachable["error"]["message"]
    agent.kill()
    assert agent.actions() == ["source-unreachable"]


# ---- strangers

class MemoryOfRuns(threading.Thread):
    """The limit and the greatest peak of all runs of smbstatus that it saw."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent = agent
        self.ending = threading.Event()
        self.peak = 0
        self.limits = set()

    def run(self):
        while not self.ending.wait(0.005):
            for pid, _ in self.agent.runs()[-1:]:
                try:
                    status = pathlib.Path(f"/proc/{pid}/status").read_text()
                    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
                except OSError:
                    continue
                if found := re.search(r"^VmPeak:\s+(\d+) kB", status, re.M):
                    self.peak = max(self.peak, int(found[1]) << 10)
                    self.limits.add(re.search(r"^Max address space\s+(\S+)", limits, re.M)[1])

    def stop(self):
        self.ending.set()
        self.join()


def test_flood_of_half_open_connections_tells_nothing_false(smbd, watch, capsys):
    smbd.open("bob", "::1")
    agent = watch(interval="1s", timeout="1s").start()
    bob = agent.opened("bob")
    before = smbd.open("alice")
    alice = agent.opened("alice")
    smbd.open("alice")
    twin = agent.opened("alice", 2)
    memory = MemoryOfRuns(agent)
    memory.start()
    held = samba_helpers.open_half_open(smbd, HALF_OPEN)
    try:
        agent.wait("source-flooded")
        # Looks are a table without ids now; they still tell who comes and goes.
        assert "--json" not in agent.runs()[-1][1]
        before.close()
        agent.closed(alice)
        during = smbd.open("alice")
        alice = agent.opened("alice", 3)
        staying = smbd.open("stranger")
        nobody = agent.opened("nobody")
    finally:
        for connection in held:
            connection.close()
    wait_until(lambda: "--json" in agent.runs()[-1][1], 40, "looks with ids again")
    agent.look()
    # Sessions from before and from during the flood are still the same ones.
    during.close()
    agent.closed(alice)
    staying.close()
    agent.closed(nobody)
    memory.stop()
    assert agent.stop() == 0
    assert sorted(agent.actions()) == \
        ["session-closed"] * 3 + ["session-opened"] * 5 + ["source-flooded"], agent.log()
    gone = {e["sharewatch"]["session"]["id"] for e in agent.events("session-closed")}
    assert not gone & {bob["id"], twin["id"]}
    flooded, = agent.events("source-flooded")
    assert flooded["event"]["reason"] == "half_open"
    with capsys.disabled():
        print(f"\n{HALF_OPEN} half-open: smbstatus' address space at most {memory.peak >> 20} MB")
    assert memory.limits == {str(MEMORY_MAX)} and 0 < memory.peak <= MEMORY_MAX


# ---- the agent dies

class Churn(threading.Thread):
    """Sessions that come and go; of each, which port it had and when it was there for sure."""

    def __init__(self, smbd):
        super().__init__(daemon=True)
        self.smbd = smbd
        self.ending = threading.Event()
        self.lives = {}  # port: [time before the open, time when the close began or None]

    def run(self):
        open_now = []
        while not self.ending.is_set() or open_now:
            if not self.ending.is_set():
                began = time.time()
                session = self.smbd.open("alice")
                open_now.append(session)
                self.lives[port_of(session)] = [began, None]
            if len(open_now) > 3 or self.ending.is_set():
                session = open_now.pop(0)
                self.lives[port_of(session)][1] = time.time()
                session.close()
            self.ending.wait(0.1)

    def stop(self):
        self.ending.set()
        self.join()


def port_told(event):
    return int(event["sharewatch"]["session"]["transport"].rsplit(":", 1)[1])


def test_agent_killed_under_churn_tells_no_false_close(smbd, watch):
    staying = {port_of(smbd.open("alice")), port_of(smbd.open("alice"))}
    agent = watch()
    churn = Churn(smbd)
    churn.start()
    try:
        for _ in range(KILLS):
            agent.start()
            agent.look(1)
            agent.kill()
        agent.start()
        agent.look()
    finally:
        churn.stop()
    wait_until(lambda: len(smbd.child_pids()) == 2, 10, "smbd forgets the others")
    agent.look(3)
    assert agent.stop() == 0
    opened = {e["sharewatch"]["session"]["id"]: e for e in agent.told()
              if e["event"]["action"] == "session-opened"}
    closes = [e for e in agent.told() if e["event"]["action"] == "session-closed"]
    assert len(opened) + len(closes) == len(agent.told()), agent.actions()
    assert len({port_told(event) for event in opened.values()}) == len(opened)
    assert len({e["sharewatch"]["session"]["id"] for e in closes}) == len(closes)
    for close in closes:
        port = port_told(close)
        assert port not in staying
        assert churn.lives[port][1] <= seconds_of(close["sharewatch"]["session"]["gone_by"])
        assert port_told(opened.pop(close["sharewatch"]["session"]["id"])) == port
    # Who was told and did not go is still there.
    assert {port_told(event) for event in opened.values()} == staying
    assert len(closes) >= 2 * KILLS
