"""The agent's life: start, stop, reload, two of them, damage, full disks. Sources are exec scripts."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from agent_helpers import Agent, Nas, document, program
from samba_helpers import wait_until

ALICE = {"id": "1", "user": "alice", "client": "10.0.0.5"}
BOB = {"id": "2", "user": "bob", "client": "10.0.0.6"}
CAROL = {"id": "3", "user": "carol", "client": "10.0.0.7"}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root (mounts a small tmpfs)")


def config(sharewatch, nas, agent="", sink="", source="", more_sources="", more_sinks=""):
    return sharewatch.write(f"""
agent: {{state_dir: {sharewatch.folder}/state, stop_timeout: 2s{agent}}}
sources:
  nas: {{type: exec, command: [{nas.command}], interval: 200ms, baseline: emit{source}}}
{more_sources}
sinks:
  out: {{type: file, path: {sharewatch.folder}/events.json{sink}}}
{more_sinks}
""")


@pytest.fixture
def nas(sharewatch):
    return Nas(sharewatch.folder)


@pytest.fixture
def agent(sharewatch, nas):
    running = Agent(sharewatch, config(sharewatch, nas))
    yield running
    running.kill()


def test_open_and_close_are_told(agent, nas):
    agent.start()
    nas.show(ALICE)
    opened = agent.wait("session-opened")[0]
    assert opened["user"]["name"] == "alice" and opened["source"]["ip"] == "10.0.0.5"
    assert opened["host"]["name"] == "nas7" and opened["sharewatch"]["source"] == "nas"
    nas.show(ALICE, BOB)
    agent.wait("session-opened", 2)
    nas.show(BOB)
    closed = agent.wait("session-closed")[0]
    assert closed["sharewatch"]["session"]["id"] == opened["sharewatch"]["session"]["id"]
    assert closed["event"]["start"] == opened["event"]["start"]
    assert closed["event"]["end"] < closed["sharewatch"]["session"]["gone_by"]
    assert agent.stop() == 0
    assert agent.events()[-1]["event"]["action"] == "agent-stopped"


def test_what_changed_while_it_was_stopped_is_told_once(agent, nas):
    nas.show(ALICE, BOB)
    agent.start()
    agent.wait("session-opened", 2)
    assert agent.stop() == 0
    nas.show(BOB, CAROL)
    agent.start()
    agent.wait("session-opened", 3)
    agent.wait("session-closed")
    agent.stop()
    assert [e["user"]["name"] for e in agent.events("session-opened")] == ["alice", "bob", "carol"]
    assert [e["user"]["name"] for e in agent.events("session-closed")] == ["alice"]


def test_start_says_whether_the_last_stop_was_clean(agent):
    agent.start()
    agent.stop()
    agent.start()
    agent.kill()
    agent.start()
    agent.stop()
    unique = {e["event"]["id"]: e for e in agent.events("agent-started")}
    assert [e["sharewatch"]["clean_stop"] for e in unique.values()] == [True, True, False]


def test_second_agent_on_one_folder_is_kept_out(agent, sharewatch):
    agent.start()
    second = sharewatch.run("run", "-c", agent.conf)
    assert second.returncode == 1
    assert "another sharewatch" in second.stderr and str(sharewatch.folder / "state") in second.stderr
    assert agent.process.poll() is None
    agent.kill()
    # The lock goes with its process, however that ended.
    agent.start()
    assert agent.stop() == 0


def test_status_without_and_with_an_agent(agent, nas, sharewatch):
    before = sharewatch.run("status", "-c", agent.conf)
    assert before.returncode == 1 and "NOT RUNNING" in before.stdout
    nas.show(ALICE)
    agent.start()
    agent.wait("session-opened")
    good = wait_until(lambda: (s := sharewatch.run("status", "-c", agent.conf)).returncode == 0 and s, 10, "well")
    assert "agent: running" in good.stdout
    assert "source nas: ok" in good.stdout and "1 session" in good.stdout and "sink out: ok" in good.stdout
    agent.stop()
    after = sharewatch.run("status", "-c", agent.conf)
    assert after.returncode == 1 and "NOT RUNNING" in after.stdout and "source nas: ok" in after.stdout


def test_status_names_what_is_unreachable(agent, nas, sharewatch):
    agent.start()
    program(sharewatch.folder, "nas", "#!/bin/sh\necho 'the disk is on fire' >&2\nexit 3\n")
    agent.wait("source-unreachable")
    status = sharewatch.run("status", "-c", agent.conf)
    assert status.returncode == 1
    assert "UNREACHABLE" in status.stdout and "the disk is on fire" in status.stdout


def test_unreachable_from_the_start_names_the_server_of_the_configuration(sharewatch, nas):
    program(sharewatch.folder, "nas", "#!/bin/sh\nexit 3\n")
    agent = Agent(sharewatch, config(sharewatch, nas, source=", server: nas9"))
    try:
        agent.start()
        assert agent.wait("source-unreachable")[0]["host"]["name"] == "nas9"
    finally:
        agent.kill()


def test_what_the_agent_makes_is_its_own_alone(agent, nas, sharewatch):
    old = os.umask(0)
    try:
        agent.start()
    finally:
        os.umask(old)
    nas.show(ALICE)
    agent.wait("session-opened")
    status = open(f"/proc/{agent.process.pid}/status").read()
    assert "Umask:\t0077" in status
    assert (sharewatch.folder / "state").stat().st_mode & 0o777 == 0o700
    assert {f.stat().st_mode & 0o777 for f in (sharewatch.folder / "state").iterdir()} == {0o600}
    assert agent.events_path.stat().st_mode & 0o777 == 0o640


def test_a_stop_that_is_heard_twice_is_one_and_a_second_stop_ends_at_once(agent, nas, sharewatch):
    # A sink that cannot deliver makes the stop take its stop_timeout.
    config(sharewatch, nas, more_sinks="  away: {type: file, path: no-such-folder/x}")
    agent.start()
    # timeout(1) signals its child, and then the group that the child is in.
    agent.signal(signal.SIGTERM)
    time.sleep(0.005)
    agent.signal(signal.SIGTERM)
    agent.wait("agent-stopped")
    time.sleep(0.3)
    assert agent.process.poll() is None
    assert agent.stop(1) == -signal.SIGTERM


# ---- reload

def test_reload_adds_and_removes_parts_and_leaves_the_others_alone(agent, nas, sharewatch):
    nas.show(ALICE)
    agent.start()
    agent.wait("session-opened")
    other = Nas(sharewatch.folder, "other")
    other.show(BOB)
    config(sharewatch, nas, more_sources=f"  other: {{type: exec, command: [{other.command}], interval: 200ms, baseline: emit}}",
           more_sinks=f"  second: {{type: file, path: {sharewatch.folder}/second.json}}")
    assert agent.reload()["event"]["outcome"] == "success"
    agent.wait("session-opened", 2)
    nas.show(ALICE, CAROL)
    agent.wait("session-opened", 3)
    wait_until(lambda: "carol" in (sharewatch.folder / "second.json").read_text(), 10, "second sink")
    # Gone from the configuration: asked no more, and nobody of it is told as gone.
    config(sharewatch, nas)
    assert agent.reload()["event"]["outcome"] == "success"
    other.show()
    time.sleep(1)
    agent.stop()
    assert agent.count("session-opened") == 3 and agent.count("session-closed") == 0


def test_reload_with_a_bad_file_keeps_the_old_one(agent, nas, sharewatch):
    agent.start()
    sharewatch.write("sources: {nas: {typ: exec}}\n")
    refused = agent.reload()
    assert refused["event"]["outcome"] == "failure"
    assert "sources.nas.typ" in agent.log()
    nas.show(ALICE)
    agent.wait("session-opened")
    assert agent.stop() == 0


def test_reload_with_a_part_that_cannot_begin_keeps_the_old_ones(agent, nas, sharewatch):
    agent.start()
    config(sharewatch, nas, source=", unreachable_after: 5",
           more_sources="  old: {type: replay, path: no-such-recording}")
    refused = agent.reload()
    assert refused["event"]["outcome"] == "failure"
    assert "no-such-recording" in refused["error"]["message"]
    assert "old configuration goes on" in refused["error"]["message"]
    nas.show(ALICE)
    agent.wait("session-opened")
    assert agent.stop() == 0


def test_reload_takes_another_size_of_the_journal(agent, nas, sharewatch):
    away = "  away: {type: file, path: no-such-folder/x, start: oldest}"
    config(sharewatch, nas, agent=", journal_max: 64MiB", more_sinks=away)
    agent.start()
    for crowd in range(4):
        nas.show(*[{"id": f"{crowd}-{i}", "client": "c", "user": "u" * 100} for i in range(1000)])
        agent.wait("session-opened", (crowd + 1) * 1000)
    config(sharewatch, nas, agent=", journal_max: 1MiB", more_sinks=away)
    assert agent.reload()["event"]["outcome"] == "success"
    status = sharewatch.run("status", "-c", agent.conf)
    assert "of 1.0MiB" in status.stdout and status.stdout.count("dropped 0") == 1
    assert agent.stop() == 0


def test_reload_does_not_move_the_state(agent, nas, sharewatch):
    agent.start()
    text = agent.conf.read_text()
    sharewatch.write(text.replace("/state", "/elsewhere"))
    refused = agent.reload()
    assert refused["event"]["outcome"] == "failure" and "state_dir" in refused["error"]["message"]
    assert not (sharewatch.folder / "elsewhere").exists()
    assert agent.stop() == 0


def test_reloads_in_a_row_end_with_the_last_file(agent, nas, sharewatch):
    agent.start()
    for interval in range(300, 310):
        config(sharewatch, nas, source=f", timeout: {interval - 200}ms")
        agent.signal(signal.SIGHUP)
    agent.wait("agent-reloaded")
    nas.show(ALICE)
    agent.wait("session-opened")
    assert agent.stop() == 0
    assert all(e["event"]["outcome"] == "success" for e in agent.events("agent-reloaded"))


def test_file_is_opened_again_on_sighup_and_by_itself(agent, nas, sharewatch):
    agent.start()
    moved = sharewatch.folder / "events.json.old"
    agent.events_path.rename(moved)
    agent.signal(signal.SIGHUP)
    wait_until(lambda: agent.events_path.exists() and agent.count("agent-reloaded"), 10, "reopened")
    # logrotate without a signal
    agent.events_path.rename(sharewatch.folder / "events.json.older")
    nas.show(ALICE)
    wait_until(lambda: agent.events_path.exists() and agent.count("session-opened"), 10, "followed")
    agent.stop()
    assert json.loads(moved.read_text().splitlines()[0])["event"]["action"] == "agent-started"


# ---- stopping

def test_stop_does_not_wait_for_a_hanging_look(agent, sharewatch, nas):
    agent.start()
    config(sharewatch, nas, source=", timeout: 200ms")
    program(sharewatch.folder, "nas", "#!/bin/sh\nsleep 1000\n")
    time.sleep(0.3)
    began = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - began < 3


def test_stop_waits_stop_timeout_for_a_sink_nobody_reads(sharewatch, nas):
    conf = sharewatch.write(f"""
agent: {{state_dir: {sharewatch.folder}/state, stop_timeout: 1s}}
sources:
  nas: {{type: exec, command: [{nas.command}], interval: 100ms, baseline: emit}}
sinks:
  print: {{type: file, path: "-"}}
""")
    nas.show(*[{"id": str(i), "client": "c", "user": "u" * 200} for i in range(2000)])
    reader, writer = os.pipe()
    agent = subprocess.Popen([sharewatch.program, "run", "-c", str(conf)], stdout=writer, stderr=subprocess.DEVNULL)
    os.close(writer)
    time.sleep(1.5)
    began = time.monotonic()
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(10) == 0
    assert 0.5 < time.monotonic() - began < 4
    # What the pipe took counts as told; the rest is still there.
    opened = set()
    with os.fdopen(reader, "rb") as pipe:
        note_opened(opened, pipe.read().split(b"\n")[:-1])
    assert 0 < len(opened) < 2000
    shown = subprocess.Popen([sharewatch.program, "run", "-c", str(conf)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    timer = threading.Timer(20, shown.kill)
    timer.start()
    for line in shown.stdout:
        note_opened(opened, [line])
        if len(opened) == 2000:
            break
    timer.cancel()
    shown.kill()
    shown.wait()
    assert len(opened) == 2000


def note_opened(opened, lines):
    for line in lines:
        event = json.loads(line)
        if event["event"]["action"] == "session-opened":
            opened.add(event["event"]["id"])


# ---- damage and full disks

def test_damaged_journal_is_set_aside_and_told(agent, nas, sharewatch):
    nas.show(ALICE)
    agent.start()
    agent.wait("session-opened")
    agent.stop()
    journal = sharewatch.folder / "state" / "journal.db"
    for name in ("journal.db-wal", "journal.db-shm"):
        (journal.parent / name).unlink(missing_ok=True)
    journal.write_bytes(os.urandom(20000))
    nas.show(ALICE, BOB)
    agent.start()
    told = agent.wait("journal-replaced")[0]
    assert "damaged" in told["message"]
    # What was known is lost, so the new baseline is told even if it would be silent.
    wait_until(lambda: {"alice", "bob"} <= {e["user"]["name"] for e in agent.events("session-opened")}, 10, "baseline")
    assert agent.stop() == 0
    assert list(journal.parent.glob("journal.db.damaged-*"))


def test_journal_damaged_while_running_is_replaced_without_a_restart(agent, nas, sharewatch):
    # More than SQLite keeps in memory: pages must be read again.
    nas.show(*[{"id": str(i), "client": "c", "user": "u%d" % i} for i in range(3000)])
    agent.start()
    agent.wait("session-opened", 3000)
    journal = sharewatch.folder / "state" / "journal.db"
    wal = sharewatch.folder / "state" / "journal.db-wal"
    for path in (journal, wal):
        size = path.stat().st_size
        with open(path, "r+b") as file:
            file.write(os.urandom(size))
    nas.show(BOB)
    agent.wait("journal-replaced")
    wait_until(lambda: "bob" in {e["user"]["name"] for e in agent.events("session-opened")}, 10, "new baseline")
    assert agent.process.poll() is None
    assert len(list(journal.parent.glob("journal.db.damaged-*"))) >= 1
    assert agent.stop() == 0


def test_newer_journal_is_refused(agent, sharewatch):
    agent.start()
    agent.stop()
    journal = sharewatch.folder / "state" / "journal.db"
    db = sqlite3.connect(journal)
    db.execute("PRAGMA user_version=99")
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    refused = sharewatch.run("run", "-c", agent.conf)
    assert refused.returncode == 1 and "newer" in refused.stderr
    db = sqlite3.connect(journal)
    assert db.execute("PRAGMA user_version").fetchone() == (99,)
    assert db.execute("SELECT sum(count) FROM chunk").fetchone()[0] >= 2
    db.close()


@pytest.fixture
def small_disk(private_path):
    mount = private_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "sharewatch-test", mount], check=True)
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def fill(path):
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (65536, 512, 1):
            try:
                while True:
                    os.write(file, b"x" * size)
            except OSError:
                pass
    finally:
        os.close(file)


@needs_root
def test_full_disk_under_the_journal(sharewatch, nas, small_disk):
    conf = config(sharewatch, nas)
    conf.write_text(conf.read_text().replace(f"{sharewatch.folder}/state", f"{small_disk}/state"))
    agent = Agent(sharewatch, conf)
    try:
        nas.show(ALICE)
        agent.start()
        agent.wait("session-opened")
        ballast = small_disk / "ballast"
        fill(ballast)
        nas.show(*[{"id": str(i), "client": "c", "user": "u" * 1000} for i in range(1000)])
        wait_until(lambda: "full" in agent.log(), 10, "the log says so")
        assert agent.process.poll() is None
        nas.show(BOB)
        time.sleep(0.5)
        ballast.unlink()
        # The net change: alice went, bob came; the crowd between was never stored and never told.
        wait_until(lambda: [e["user"]["name"] for e in agent.events("session-opened")] == ["alice", "bob"], 20, "bob")
        agent.wait("session-closed")
        assert [e["user"]["name"] for e in agent.events("session-closed")] == ["alice"]
        assert agent.stop() == 0
    finally:
        agent.kill()


@needs_root
def test_full_disk_under_the_sink(sharewatch, nas, small_disk):
    conf = config(sharewatch, nas)
    conf.write_text(conf.read_text().replace(f"{sharewatch.folder}/events.json", f"{small_disk}/events.json"))
    agent = Agent(sharewatch, conf, events=small_disk / "events.json")
    try:
        agent.start()
        ballast = small_disk / "ballast"
        fill(ballast)
        nas.show(*[{"id": str(i), "client": "c", "user": "user%d" % i} for i in range(200)])
        wait_until(lambda: "sink out" in agent.log() and "space" in agent.log().lower(), 10, "the log says so")
        failing = wait_until(lambda: "FAILING" in (s := sharewatch.run("status", "-c", conf)).stdout and s, 10, "status")
        assert failing.returncode == 1 and "space" in failing.stdout.lower()
        ballast.unlink()
        agent.wait("session-opened", 200, seconds=60)
        assert agent.stop() == 0
        sequences = [e["event"]["sequence"] for e in agent.events()]
        assert sequences == sorted(sequences) and len(set(sequences)) == len(sequences)
    finally:
        agent.kill()


def test_rotation_by_size_loses_nothing(sharewatch, nas):
    conf = config(sharewatch, nas, sink=", rotate_size: 64KiB, rotate_keep: 5")
    agent = Agent(sharewatch, conf)
    try:
        agent.start()
        nas.show(*[{"id": str(i), "client": "c", "user": "user%d" % i} for i in range(300)])
        wanted = 301
        files = lambda: [p for p in sharewatch.folder.glob("events.json*")]
        read = lambda: [json.loads(line) for p in files() for line in p.read_text().splitlines()]
        wait_until(lambda: len(read()) >= wanted, 20, "all events")
        agent.stop()
        sequences = sorted(e["event"]["sequence"] for e in read())
        assert sequences == list(range(1, len(sequences) + 1))
        assert 3 <= len(files()) <= 6
        assert all(p.stat().st_size <= 80 << 10 for p in files())
    finally:
        agent.kill()


def test_torn_last_line_is_mended(agent, nas, sharewatch):
    nas.show(ALICE)
    agent.start()
    agent.wait("session-opened")
    agent.kill()
    whole = agent.events_path.read_bytes()
    agent.events_path.write_bytes(whole + whole.splitlines()[0][:100])
    agent.start()
    agent.stop()
    assert len(agent.events()) == len(agent.events_path.read_bytes().splitlines())


def test_heartbeat(sharewatch, nas):
    agent = Agent(sharewatch, config(sharewatch, nas, agent=", heartbeat: 1s"))
    try:
        agent.start()
        agent.wait("agent-alive", 2)
        assert agent.stop() == 0
    finally:
        agent.kill()


# ---- replay

def test_until_done_ends_and_goes_on_behind(sharewatch):
    recording = sharewatch.folder / "recording.ndjson"
    looks = [document(ALICE, taken_at="2026-01-01T00:00:00Z"), document(ALICE, BOB, taken_at="2026-01-01T00:00:10Z")]
    recording.write_text("\n".join(looks) + "\n")
    conf = sharewatch.write(f"""
agent: {{state_dir: {sharewatch.folder}/state}}
sources: {{rec: {{type: replay, path: {recording}}}}}
sinks: {{out: {{type: file, path: {sharewatch.folder}/events.json}}}}
""")
    for _ in range(2):
        done = sharewatch.run("run", "-c", conf, "--until-done")
        assert done.returncode == 0, done.stderr
    with open(recording, "a") as file:
        file.write(document(BOB, taken_at="2026-01-01T00:00:20Z") + "\n")
    assert sharewatch.run("run", "-c", conf, "--until-done").returncode == 0
    agent = Agent(sharewatch, conf)
    assert [e["user"]["name"] for e in agent.events("session-opened")] == ["bob"]
    assert [e["user"]["name"] for e in agent.events("session-closed")] == ["alice"]


def test_until_done_refuses_sources_that_never_end(agent, sharewatch):
    refused = sharewatch.run("run", "-c", agent.conf, "--until-done")
    assert refused.returncode == 78 and "sources.nas" in refused.stderr
