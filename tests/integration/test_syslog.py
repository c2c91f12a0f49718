"""The sink `syslog` and real receivers: what arrives, field by field, and what is done about
receivers that are not there, that move, and that are slow."""

import json
import os
import pathlib
import re
import subprocess
import time
import types
import unicodedata

import pytest

import agent_helpers
import syslog_helpers
from agent_helpers import Agent
from samba_helpers import wait_until
from syslog_helpers import BOM, Receiver, Rsyslogd, parse
from test_hostile import NAMES, RAW


@pytest.fixture
def rsyslogd(tmp_path):
    missing = syslog_helpers.missing_programs()
    if missing:
        pytest.skip(missing)
    server = Rsyslogd(tmp_path / "rsyslogd")
    yield server
    server.stop()


def recording(folder, *looks, name="looks.ndjson"):
    """Looks (rows each, as bytes) ten seconds apart, for a source of type replay."""
    path = folder / name
    with open(path, "wb") as file:
        for i, rows in enumerate(looks):
            taken = f"2026-03-04T05:{i // 6:02}:{i % 6}0.123Z"
            file.write(b'{"sharewatch":1,"server":"fs01","taken_at":"%s","sessions":[%s]}\n'
                       % (taken.encode(), b",".join(rows)))
    return path


def row(client, user, **members):
    return json.dumps({"client": client, "user": user, **members}).encode()


def configure(sharewatch, looks, sinks, source="max_events: 100000"):
    out = f"  out: {{type: file, path: {sharewatch.folder}/events.json}}\n"
    lines = "".join(f"  {name}: {{type: syslog, {keys}}}\n" for name, keys in sinks.items())
    return sharewatch.write(
        f"agent: {{state_dir: {sharewatch.folder}/state}}\n"
        f"sources: {{played: {{type: replay, path: {looks}, {source}}}}}\n"
        f"sinks:\n{out}{lines}")


def play(sharewatch, conf, **options):
    done = sharewatch.run("run", "-c", conf, "--until-done", **options)
    assert done.returncode == 0, done.stderr
    return Agent(sharewatch, conf).events()


def fit(text):
    """Text of strangers as it may stand in a value: what could end a line or turn it is U+FFFD."""
    def is_bad(c):
        return (unicodedata.category(c) == "Cc" or c in "\u061c\u200e\u200f\u2028\u2029\ufeff"
                or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069")
    return "".join("\ufffd" if is_bad(c) else c for c in text)


def expected_params(event):
    """The parameters of design's table, made of the same event as the file sink wrote it."""
    own = event["sharewatch"]
    session = own.get("session", {})
    params = {"id": event["event"]["id"], "seq": event["event"]["sequence"], "journal": own["journal"],
              "source": own.get("source"), "session": session.get("id"),
              "server": event["host"]["name"] if "source" in own else None,
              "user": event.get("user", {}).get("name"), "domain": event.get("user", {}).get("domain"),
              "client": event.get("source", {}).get("address"),
              "error_code": event.get("error", {}).get("code"), "error": event.get("error", {}).get("message"),
              "changed": ",".join(session["changed"]) if "changed" in session else None}
    params |= {name: event["event"].get(name) for name in ("reason", "start", "end", "duration")}
    params |= {name: session.get(name) for name in ("opens", "idle", "guest", "gone_by", "start_from",
                                                    "client_type", "native_id", "transport")}
    params |= {name: own.get(name) for name in ("baseline", "clean_stop", "sink", "count", "opened", "closed",
                                                "altered", "first_sequence", "last_sequence", "old_server")}
    texts = {name: str(value).lower() if isinstance(value, bool) else fit(str(value))
             for name, value in params.items() if value is not None}
    return texts


def assert_same_sentence(said, written):
    """In a sentence such characters are blanks; what the file sink repaired was one or malformed."""
    assert len(said) == len(written)
    for a, b in zip(said, written):
        assert a == b or (a == " " and fit(b) == "\ufffd"), (said, written)


def assert_same(message, event, number):
    """One message as a receiver understood it, against the event in the file sink."""
    assert int(message["pri"]) == 16 * 8 + event["event"]["severity"]
    assert message["time"] == event["@timestamp"]
    assert message["hostname"] == event["agent"]["name"]
    assert message["app-name"] == "sharewatch" and message["procid"] == "-"
    assert message["msgid"] == event["event"]["action"].upper().replace("-", "_")
    assert message["sd"] == {"meta": {"sequenceId": str(number)}, "sharewatch@32473": expected_params(event)}
    assert_same_sentence(message["msg"].removeprefix(BOM), event["message"])


def every_kind(folder):
    """Normal sessions, every hostile name, changes, a server that fails and comes back."""
    normal = [row("10.0.0.5", "EXAMPLE\\alice", opens=2, guest=False, idle=3, client_type="x]y", id="1"),
              row("fe80::1%eth0", "bob@example.com", opens=0, transport="tcp \"x\"", id="2")]
    changed = [normal[0].replace(b'"opens": 2', b'"opens": 900'), normal[1]]
    hostile = [row(f"client-{i}", name, id=f"n{i}") for i, name in enumerate(NAMES.values())]
    hostile += [b'{"client":"raw-%d","id":"r%d","user":%s}' % (i, i, name) for i, name in enumerate(RAW.values())]
    hostile += [b'{"client":%s,"id":"c%d","user":"u"}' % (json.dumps(name[:200] or "-").encode(), i)
                for i, name in enumerate(NAMES.values())]
    path = recording(folder, [], normal, changed, changed + hostile, changed, normal)
    lines = path.read_bytes().split(b"\n")[:-1]
    failed = [b'{"sharewatch":1,"server":"fs01","taken_at":"2026-03-04T05:0%d:00.5Z",'
              b'"error":{"code":5,"text":"access \\"denied\\"] \\\\ \\u0007"}}' % i for i in (2, 3, 4)]
    again = b'{"sharewatch":1,"server":"fs01","taken_at":"2026-03-04T05:05:00Z","sessions":[]}'
    path.write_bytes(b"\n".join(lines + failed + [again, b""]))
    return path


@pytest.mark.parametrize("family", ["four", "six"])
def test_rsyslogd_understands_every_field(sharewatch, rsyslogd, family):
    if family == "six" and not syslog_helpers.has_ipv6():
        pytest.skip("this machine has no IPv6")
    rsyslogd.start()
    host = {"four": "127.0.0.1", "six": "[::1]"}[family]
    conf = configure(sharewatch, every_kind(sharewatch.folder),
                     {"siem": f'address: "udp://{host}:{rsyslogd.port}", max_size: 7KiB'},
                     source="changed: {opens: 100}")
    events = play(sharewatch, conf)
    wait_until(lambda: len(rsyslogd.messages(family)) == len(events), 20, "all arrive")
    rsyslogd.stop()
    actions = {e["event"]["action"] for e in events}
    assert actions >= {"session-opened", "session-closed", "session-changed", "source-unreachable",
                       "source-recovered", "agent-started", "agent-stopped"}
    assert len(events) > 2 * (2 * len(NAMES) + len(RAW))
    for number, (event, message, raw) in enumerate(
            zip(events, rsyslogd.messages(family), rsyslogd.raw(family), strict=True), 1):
        assert_same(message, event, number)
        # What came over the wire, read by the letter of the RFC.
        assert_same(parse(raw), event, number)


def test_a_message_that_is_cut_still_reads(sharewatch, rsyslogd):
    rsyslogd.start()
    names = ["n" * 3000, "\u20ac" * 900, "]" * 1000, '\\"' * 500, "\U0001f600" * 300]
    looks = recording(sharewatch.folder, [], [row("c" * 300, name, client_type="t" * 500) for name in names])
    sizes = {"small": "480B", "usual": "2KiB"}
    conf = configure(sharewatch, looks, {name: f'address: "udp://127.0.0.1:{rsyslogd.port}", max_size: {size}'
                                         for name, size in sizes.items()})
    events = play(sharewatch, conf)
    wait_until(lambda: len(rsyslogd.messages()) == 2 * len(events), 20, "all arrive")
    rsyslogd.stop()
    wanted = {e["event"]["id"]: e for e in events}
    lengths = []
    for message, raw in zip(rsyslogd.messages(), rsyslogd.raw(), strict=True):
        strict = parse(raw)
        assert strict["sd"] == message["sd"]
        params = strict["sd"]["sharewatch@32473"]
        event = wanted[params["id"]]
        complete = expected_params(event)
        # What is there is whole or, of the longest names, begins like it.
        for name, value in params.items():
            assert complete[name].startswith(value.rstrip("\u2026")), name
        if event["event"]["action"] == "session-opened":
            assert {"id", "seq", "journal", "source", "server", "user", "client", "session"} <= set(params)
            lengths.append(len(raw.encode()))
    assert max(lengths) <= 2048 and len([n for n in lengths if n <= 480]) >= len(names)
    status = sharewatch.run("status", "-c", conf).stdout
    counts = {name: int(cut) for name, cut in re.findall(r"sink (\w+): .*\((\d+) cut to size\)", status)}
    assert len(names) <= counts["small"] <= len(events) and 1 <= counts["usual"] <= len(names), status


def is_failing(sharewatch, conf, name="siem"):
    """What `status` says of the sink when it is not well; None when it is."""
    status = sharewatch.run("status", "-c", conf)
    line = next(line for line in status.stdout.splitlines() if line.startswith(f"sink {name}:"))
    return line if "FAILING" in line else None


class Nas(agent_helpers.Nas):
    """The same from one client, sent to a syslog server."""

    def set(self, *users):
        self.show(*({"client": "10.0.0.5", "user": user} for user in users))

    def configure(self, sharewatch, address, keys=""):
        return sharewatch.write(
            f"agent: {{state_dir: {sharewatch.folder}/state}}\n"
            f"sources: {{nas: {{type: exec, command: [{self.command}], interval: 200ms, server: nas7, baseline: emit}}}}\n"
            f"sinks:\n  out: {{type: file, path: {sharewatch.folder}/events.json}}\n"
            f"  siem: {{type: syslog, address: \"{address}\" {keys}}}\n")


def ids(messages):
    return [message["sd"]["sharewatch@32473"]["id"] for message in messages]


def test_a_receiver_that_is_not_there_yet_goes_and_comes_back(sharewatch):
    nas = Nas(sharewatch.folder)
    port = syslog_helpers.free_udp_port()
    conf = nas.configure(sharewatch, f"udp://127.0.0.1:{port}")
    agent = Agent(sharewatch, conf).start()
    receiver = None
    try:
        said = wait_until(lambda: is_failing(sharewatch, conf), 20, "status says it")
        assert f"nobody listens at 127.0.0.1:{port}" in said, said
        nas.set("alice")
        agent.wait("session-opened")
        receiver = Receiver(port=port)
        wait_until(lambda: len(receiver.datagrams) >= 2, 30, "what waited arrives")
        wait_until(lambda: is_failing(sharewatch, conf) is None, 20, "status is well again")
        receiver.close()
        first = receiver.messages()

        nas.set("alice", "bob")
        agent.wait("session-opened", 2)
        wait_until(lambda: is_failing(sharewatch, conf), 20, "status says that it is gone")
        receiver = Receiver(port=port)
        wait_until(lambda: len(receiver.datagrams) >= 1, 30, "what came meanwhile arrives")
        nas.set()
        agent.wait("session-closed", 2)
        assert agent.stop() == 0
        wait_until(lambda: "AGENT_STOPPED" in [m["msgid"] for m in receiver.messages()], 10, "the end arrives")
    finally:
        agent.kill()
        if receiver is not None:
            receiver.close()
    # On loopback the answer "nobody listens" is never lost, so nothing else is either; what comes
    # twice has the same id.
    arrived = ids(first + receiver.messages())
    assert list(dict.fromkeys(arrived)) == [e["event"]["id"] for e in agent.events()]
    assert agent.log().count("cannot deliver") == 2 and "nobody listens" in agent.log()


class Hosts:
    """A hosts file of the agent's own (libnss-wrapper)."""

    def __init__(self, folder):
        libraries = list(pathlib.Path("/usr/lib").glob("**/libnss_wrapper.so"))
        if not libraries:
            pytest.skip("libnss_wrapper.so is not installed (Debian: libnss-wrapper)")
        if os.environ.get("SHAREWATCH_BUILD", "").endswith("tsan"):
            pytest.skip("libnss_wrapper takes its own locks where ThreadSanitizer does not see it")
        self.library = libraries[0]
        self.path = folder / "hosts"
        self.changes = 0

    def set(self, address):
        self.path.write_text(f"{address} siem.test\n")
        # The wrapper reads the file again when its time, in seconds, is another.
        self.changes += 1
        os.utime(self.path, (self.changes, self.changes))

    def prefix(self):
        return ("env", f"LD_PRELOAD={self.library}", f"NSS_WRAPPER_HOSTS={self.path}",
                "NSS_WRAPPER_DISABLE_DEEPBIND=1")  # sanitizers refuse it


@pytest.fixture
def moving(sharewatch):
    """An agent that has sent three messages to siem.test at 127.0.0.2; the name leads to 127.0.0.3 now."""
    hosts = Hosts(sharewatch.folder)
    hosts.set("127.0.0.2")
    nas = Nas(sharewatch.folder)
    old = Receiver("127.0.0.2")
    new = Receiver("127.0.0.3", old.port)
    agent = Agent(sharewatch, nas.configure(sharewatch, f"udp://siem.test:{old.port}"))
    try:
        agent.start(prefix=hosts.prefix())
        nas.set("alice")
        wait_until(lambda: len(old.datagrams) == 2, 20, "the first address")
        hosts.set("127.0.0.3")
        nas.set("alice", "bob")
        wait_until(lambda: len(old.datagrams) == 3, 20, "still there, within the minute")
        yield types.SimpleNamespace(agent=agent, nas=nas, old=old, new=new)
    finally:
        agent.kill()
        old.close()
        new.close()


def test_a_name_that_leads_elsewhere_after_an_error_is_followed(moving):
    agent, old, new = moving.agent, moving.old, moving.new
    assert new.datagrams == []
    old.close()
    moving.nas.set("bob")
    wait_until(lambda: len(new.datagrams) >= 1, 20, "the second address")
    assert agent.stop() == 0
    assert "siem.test is now 127.0.0.3" in agent.log()
    assert f"nobody listens at siem.test:{old.port} (127.0.0.2)" in agent.log()
    assert list(dict.fromkeys(ids(old.messages() + new.messages()))) == [e["event"]["id"] for e in agent.events()]


def test_a_name_that_leads_elsewhere_is_followed_after_a_minute(moving):
    agent, old, new = moving.agent, moving.old, moving.new
    time.sleep(61)
    moving.nas.set("bob")
    wait_until(lambda: len(new.datagrams) == 1, 20, "the second address")
    assert agent.stop() == 0
    wait_until(lambda: len(new.datagrams) == 2, 20, "the end arrives")
    # The old receiver was there all the time: no error made the agent look.
    assert "cannot deliver" not in agent.log() and "siem.test is now 127.0.0.3" in agent.log()
    assert ids(old.messages() + new.messages()) == [e["event"]["id"] for e in agent.events()]


def test_ten_thousand_events_arrive_at_the_default_rate(sharewatch, rsyslogd):
    rsyslogd.start()
    users = [row(f"10.1.{i // 250}.{i % 250}", f"user{i}") for i in range(10000)]
    conf = configure(sharewatch, recording(sharewatch.folder, [], users),
                     {"siem": f'address: "udp://127.0.0.1:{rsyslogd.port}"'})
    events = play(sharewatch, conf, timeout=120)
    assert len(events) >= 10000
    wait_until(lambda: len(rsyslogd.raw()) >= len(events), 20, "all arrive")
    rsyslogd.stop()
    assert [parse(raw)["sd"]["sharewatch@32473"]["id"] for raw in rsyslogd.raw()] == [e["event"]["id"] for e in events]


# Two machines with a slow line between them, whose queue holds a few messages; $1: a receiver, the
# rest: the agent.
SLOW_LINE = """
ip link set lo up
unshare -n sleep 100 & peer=$!
trap 'kill $peer' EXIT
until [ "$(readlink /proc/$peer/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
ip link add near type veth peer name far netns $peer || exit 77
ip addr add 10.99.0.1/24 dev near && ip link set near up || exit 77
nsenter -t $peer -n sh -c 'ip addr add 10.99.0.2/24 dev far && ip link set far up' || exit 77
tc qdisc replace dev near root tbf rate 800kbit burst 3000 limit 5000 || exit 77
mkfifo "$1.ready"
nsenter -t $peer -n python3 "$1" & receiver=$!
read ready <"$1.ready"
shift
"$@" || exit 1
tc -s qdisc show dev near
wait $receiver
"""

RECEIVER = """
import socket, sys
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("10.99.0.2", 514))
receiver.settimeout(60)
with open(sys.argv[0] + ".ready", "w") as ready:
    ready.write("ready" + chr(10))
with open(sys.argv[0] + ".raw", "wb") as file:
    data = b""
    while b"AGENT_STOPPED" not in data:
        data = receiver.recv(65536)
        file.write(data + bytes([10]))
"""


def test_a_queue_that_is_full_loses_nothing(sharewatch):
    if os.geteuid() != 0:
        pytest.skip("a slow line of one's own needs root")
    receiver = sharewatch.folder / "receiver.py"
    receiver.write_text(RECEIVER)
    users = [row("10.1.0.1", f"user{i}") for i in range(200)]
    conf = configure(sharewatch, recording(sharewatch.folder, [], users), {"siem": "address: udp://10.99.0.2:514"})
    ended = subprocess.run(["unshare", "-n", "sh", "-c", SLOW_LINE, "sh", receiver, sharewatch.program, "run", "-c",
                            conf, "--until-done"], capture_output=True, text=True, timeout=100)
    if ended.returncode == 77:
        pytest.skip(f"this machine has no slow lines: {ended.stderr}")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    # There was something to lose, the agent was told, and sent it again.
    assert int(re.search(r"dropped (\d+)", ended.stdout)[1]) > 0, ended.stdout
    assert "No buffer space available" in ended.stderr
    raw = receiver.with_name("receiver.py.raw").read_bytes().split(b"\n")[:-1]
    assert ids(map(parse, raw)) == [e["event"]["id"] for e in Agent(sharewatch, conf).events()]


@pytest.mark.parametrize("zone,environment,wanted", [
    ("time_zone: utc", "CET-1", "Mar  4 05:00:10"),
    ('time_zone: "+02:00"', "CET-1", "Mar  4 07:00:10"),
    ('time_zone: "-09:30"', "CET-1", "Mar  3 19:30:10"),
    ("time_zone: local", "XXX-5:30", "Mar  4 10:30:10"),
    (None, "XXX-5:30", "Mar  4 10:30:10"),
])
def test_rfc3164_says_the_time_of_its_zone(sharewatch, zone, environment, wanted):
    receiver = Receiver()
    try:
        keys = f'address: "udp://127.0.0.1:{receiver.port}", format: rfc3164, facility: authpriv'
        conf = configure(sharewatch, recording(sharewatch.folder, [], [row("10.0.0.5", "EX\\alice")]),
                         {"siem": keys + (f", {zone}" if zone else "")})
        events = play(sharewatch, conf, env=dict(os.environ, TZ=environment))
        wait_until(lambda: len(receiver.datagrams) == len(events), 10, "all arrive")
    finally:
        receiver.close()
    event = next(e for e in events if e["event"]["action"] == "session-opened")
    text = next(d for d in receiver.datagrams if b"alice" in d).decode()
    found = re.fullmatch(r'<(\d+)>(\w{3} [ \d]\d \d\d:\d\d:\d\d) (\S+) sharewatch: (.*)', text)
    assert found and int(found[1]) == 10 * 8 + event["event"]["severity"]
    assert found[2] == wanted
    assert found[3] == event["agent"]["name"].split(".")[0]
    content = found[4]
    params = {name: value.replace('\\"', '"').replace("\\\\", "\\")
              for name, value in re.findall(r' (\w+)="((?:[^"\\]|\\.)*)"', content)}
    assert params == expected_params(event)
    assert content.startswith(event["message"] + " id=")


def test_check_tells_what_is_wrong_with_the_keys(sharewatch):
    looks = recording(sharewatch.folder, [])
    wrong = {
        "address: tcp://siem:601": "address: tcp:// is not there yet: only udp:// is",
        "address: tls://siem": "address: tls:// is not there yet: only udp:// is",
        "address: siem": "address: it has no scheme (allowed: udp://HOST:PORT)",
        'address: "udp://::1:514"': "address: an IPv6 address needs brackets",
        "address: udp://siem, max_size: 479B": "max_size",
        "address: udp://siem, max_size: 61KiB": "max_size",
        "address: udp://siem, facility: local8": "facility",
        "address: udp://siem, enterprise_id: 0": "enterprise_id",
        "address: udp://siem, enterprise_id: 4294967296": "enterprise_id",
        "address: udp://siem, rate: 2000": "rate",
        "address: udp://siem, time_zone: utc": "time_zone: only for 'format: rfc3164'",
        "address: udp://siem, format: rfc3164, time_zone: CET": "time_zone: no zone",
        "format: rfc5424": "address: this key is required",
    }
    for keys, problem in wrong.items():
        checked = sharewatch.run("check", "-c", configure(sharewatch, looks, {"siem": keys}))
        assert checked.returncode == 78, keys
        assert len(checked.stdout.splitlines()) == 1 and f"sinks.siem.{problem}" in checked.stdout, checked.stdout
    good = 'address: "udp://[::1]", rate: 0, format: rfc3164, time_zone: "+02:00", enterprise_id: 4294967295'
    assert sharewatch.run("check", "-c", configure(sharewatch, looks, {"siem": good})).returncode == 0
