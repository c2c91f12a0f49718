"""The samba source against a real smbd: every kind of session, and every kind of blindness."""

import os
import signal
import time

import pytest
import samba_helpers
from agent_helpers import Agent
from samba_helpers import wait_until

HALF_OPEN = 4000


@pytest.fixture
def looked(sharewatch):
    """One look at a configuration of smbd: the document, and how sharewatch ended."""

    def look(smb_conf, prefix=(), timeout="30s"):
        conf = sharewatch.write(
            "sources:\n  local:\n    type: samba\n"
            f"    smb_conf: {smb_conf}\n    interval: 60s\n    timeout: {timeout}\n")
        documents, ended = sharewatch.documents(conf, prefix)
        assert len(documents) == 1, ended.stderr
        assert ended.returncode == (1 if "error" in documents[0] else 0)
        return documents[0]

    return look


def who(document):
    return sorted((row["user"], row["client"]) for row in document["sessions"])


def failure(document):
    assert "sessions" not in document
    return document["error"]["text"]


def test_server_that_nobody_ever_used(smbd, looked):
    assert looked(smbd.conf)["sessions"] == []


def test_server_that_never_ran(stopped_smbd, looked):
    assert looked(stopped_smbd.conf)["sessions"] == []


def test_ipv4_ipv6_and_guest(smbd, looked):
    smbd.open("alice")
    smbd.open("bob", "::1")
    smbd.open("stranger")
    document = looked(smbd.conf)
    assert document["complete"] is True
    assert who(document) == [("alice", "127.0.0.1"), ("bob", "::1"), ("nobody", "127.0.0.1")]
    ids = {row["id"] for row in document["sessions"]}
    assert len(ids) == 3 and all("/" in each for each in ids)
    transports = {row["user"]: row["transport"] for row in document["sessions"]}
    assert transports["alice"].startswith("ipv4:127.0.0.1:")
    assert transports["bob"].startswith("ipv6:::1:")


def test_two_equal_sessions_are_two(smbd, looked):
    first = smbd.open("alice")
    smbd.open("alice")
    before = {row["id"] for row in looked(smbd.conf)["sessions"]}
    assert len(before) == 2
    first.close()
    wait_until(lambda: len(smbd.child_pids()) == 1, 10, "smbd forgets the session")
    after = {row["id"] for row in looked(smbd.conf)["sessions"]}
    assert len(after) == 1 and after < before


def test_smbd_that_is_stopped_or_killed(smbd, looked):
    smbd.open("alice")
    assert len(looked(smbd.conf)["sessions"]) == 1
    smbd.kill()
    assert looked(smbd.conf)["sessions"] == []
    smbd.start()
    assert looked(smbd.conf)["sessions"] == []
    smbd.stop()
    assert looked(smbd.conf)["sessions"] == []


def test_configuration_that_is_not_there(smbd, looked):
    smbd.open("alice")
    assert "Can't load" in failure(looked(smbd.folder / "missing.conf"))


def test_wrong_lock_directory(smbd, looked):
    smbd.open("alice")
    other = smbd.write_conf(smbd.folder / "other.conf", lock=smbd.folder / "nowhere")
    assert "lock directory" in failure(looked(other))


def test_wrong_pid_directory_with_nobody_there(smbd, looked):
    other = smbd.write_conf(smbd.folder / "other.conf", pid=smbd.folder / "nowhere")
    assert "pid directory" in failure(looked(other))


def test_unknown_parameter_does_not_matter(smbd, looked):
    smbd.open("alice")
    other = smbd.write_conf(smbd.folder / "other.conf", extra="no such parameter = yes")
    assert who(looked(other)) == [("alice", "127.0.0.1")]


def test_processes_of_another_namespace(smbd, looked):
    smbd.open("alice")
    text = failure(looked(smbd.conf, prefix=("unshare", "-pf", "--mount-proc")))
    assert "cannot be seen from here" in text


def test_crashed_smbd_child_leaves_no_doubt(smbd, looked):
    """Its row stays in smbd's table; smbstatus -f lists it for ever."""
    smbd.open("alice")
    os.kill(smbd.child_pids()[0], signal.SIGKILL)
    wait_until(lambda: smbd.child_pids() == [], 10, "the process is gone")
    # An empty line, the version, the column names, the dashes, and the row.
    assert len(smbd.smbstatus("-f", "-n", "-p").stdout.splitlines()) == 5
    assert looked(smbd.conf)["sessions"] == []


def peak_of_smbstatus(smbd, *arguments):
    """Peak memory in MB (at least that of this Python, which Linux counts until the exec: the
    figure is an upper bound) and seconds of one run, without our limits."""
    before = time.monotonic()
    pid = os.posix_spawn("/usr/bin/smbstatus",
                         ["smbstatus", "-s", str(smbd.conf), *arguments], {"TZ": "UTC0"},
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    return usage.ru_maxrss // 1024, time.monotonic() - before


def test_half_open_connections_do_not_hide_sessions(smbd, looked, capsys):
    smbd.open("alice")
    smbd.open("bob", "::1")
    held = samba_helpers.open_half_open(smbd, HALF_OPEN)
    try:
        before = time.monotonic()
        document = looked(smbd.conf)
        seconds = time.monotonic() - before
        json_mb, json_s = peak_of_smbstatus(smbd, "--json", "-p")
        text_mb, text_s = peak_of_smbstatus(smbd, "-n", "-p")
    finally:
        for connection in held:
            connection.close()
    assert document["complete"] is True
    assert who(document) == [("alice", "127.0.0.1"), ("bob", "::1")]
    # The table has no ids: it is the table that answered.
    assert all("id" not in row for row in document["sessions"])
    with capsys.disabled():
        print(f"\n{HALF_OPEN} half-open: smbstatus --json {json_mb} MB {json_s:.2f} s, "
              f"-n -p {text_mb} MB {text_s:.2f} s; the look {seconds:.2f} s")
    assert text_mb * 2 < json_mb and seconds < 15


def test_change_of_form_is_no_event(smbd, sharewatch):
    """Between ids (JSON) and none (table) and back, nothing has happened to the sessions."""
    for user, host in (("alice", "127.0.0.1"), ("alice", "127.0.0.1"), ("bob", "::1"),
                       ("stranger", "127.0.0.1")):
        smbd.open(user, host)
    agent = Agent(sharewatch, sharewatch.write(
        f"agent: {{state_dir: {sharewatch.folder}/state, log_level: debug}}\n"
        f"sources: {{local: {{type: samba, smb_conf: {smbd.conf}, interval: 2s, timeout: 2s,"
        " baseline: emit}}\n"
        f"sinks: {{out: {{type: file, path: {sharewatch.folder}/events.json}}}}\n"))
    agent.start()
    try:
        told = {e["sharewatch"]["session"]["id"] for e in agent.wait("session-opened", 4)}
        held = samba_helpers.open_half_open(smbd, 1600)
        agent.wait("source-flooded")
        time.sleep(5)  # looks as a table
        for connection in held:
            connection.close()
        wait_until(lambda: len(smbd.child_pids()) == 4, 20, "smbd forgets the connections")
        time.sleep(4)  # looks with ids again
        smbd.sessions.pop().close()
        closed = agent.wait("session-closed")
        assert agent.stop() == 0
    finally:
        agent.kill()
    assert len(closed) == 1 and closed[0]["sharewatch"]["session"]["id"] in told
    assert agent.count("session-opened") == 4
    assert agent.count("source-unreachable") == 0, agent.log()
    assert agent.count("source-changed") == 0


def test_server_that_stops_closes_its_sessions(smbd, sharewatch):
    smbd.open("alice")
    smbd.open("bob")
    agent = Agent(sharewatch, sharewatch.write(
        f"agent: {{state_dir: {sharewatch.folder}/state}}\n"
        f"sources: {{local: {{type: samba, smb_conf: {smbd.conf}, interval: 500ms, timeout: 500ms,"
        " baseline: emit}}\n"
        f"sinks: {{out: {{type: file, path: {sharewatch.folder}/events.json}}}}\n"))
    agent.start()
    try:
        agent.wait("session-opened", 2)
        smbd.stop()
        closed = agent.wait("session-closed", 2)
        assert agent.stop() == 0
    finally:
        agent.kill()
    assert {event["event"]["reason"] for event in closed} == {"server_stopped"}
    assert agent.count("source-unreachable") == 0, agent.log()
