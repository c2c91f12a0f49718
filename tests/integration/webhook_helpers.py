"""An agent with webhook sinks, the servers that they send to, and what has arrived there.

What arrives is compared with the events in a file sink beside: the same events, in the same order,
and what comes twice is the same event.
"""

import base64
import json
import re

from agent_helpers import Agent, Nas
from https_server import Proxy, Server
from samba_helpers import wait_until

# Of Standard Webhooks: 32 bytes each.
SIGNING = ["whsec_" + base64.b64encode(bytes(range(n, n + 32))).decode() for n in (0, 100)]


def people(*names):
    return [{"id": name, "user": name, "client": "10.0.0.5"} for name in names]


def crowd(count, first=0):
    return people(*[f"user{i:04}" for i in range(first, first + count)])


class Hooks:
    """An agent with webhook sinks, and the servers that they send to."""

    def __init__(self, sharewatch, pki):
        self.sharewatch = sharewatch
        self.pki = pki
        self.nas = Nas(sharewatch.folder)
        self.sinks = {}
        self.servers = []
        self.stop_timeout = "5s"
        self.agent = Agent(sharewatch, sharewatch.folder / "sharewatch.yaml")

    def serve(self, *arguments, **options):
        self.servers.append(Server(self.pki, *arguments, **options))
        return self.servers[-1]

    def proxy(self):
        self.servers.append(Proxy())
        return self.servers[-1]

    def conf(self, **keys):
        """The keys of a webhook sink, as a test needs them: quick."""
        conf = {"type": "webhook", "ca_file": str(self.pki.pem("ca")), "timeout": "1s",
                "batch": {"events": 20, "wait": "50ms"}} | keys
        return {k: v for k, v in conf.items() if v is not None}

    def sink(self, name, server, path=None, **keys):
        """A sink that sends to a place of the server."""
        path = path or "/" + name
        self.sinks[name] = self.conf(**{"url": server.url(path)} | keys)
        return server.place(path.partition("?")[0])

    def write(self, level="info"):
        agent = {"state_dir": f"{self.sharewatch.folder}/state", "stop_timeout": self.stop_timeout, "log_level": level}
        sources = {"nas": {"type": "exec", "command": [str(self.nas.command)], "interval": "200ms", "baseline": "emit",
                           "unreachable_after": 1000}}
        sinks = {"out": {"type": "file", "path": str(self.agent.events_path)}} | self.sinks
        # JSON is YAML.
        return self.sharewatch.write("\n".join(f"{name}: {json.dumps(value)}" for name, value in
                                               (("agent", agent), ("sources", sources), ("sinks", sinks))))

    def start(self, *sessions, level="info", **options):
        self.write(level)
        self.nas.show(*sessions)
        self.agent.start(**options)
        self.agent.wait("session-opened", len(sessions))
        return self

    def status(self, name="hook"):
        text = self.sharewatch.run("status", "-c", self.agent.conf).stdout
        found = re.search(rf"^sink {name}: (?P<word>\w+); behind by (?P<behind>\d+)[^\n]*; sent (?P<sent>\d+), "
                          r"rejected (?P<rejected>\d+), passed over \d+, dropped (?P<dropped>\d+)"
                          r"(?P<answer>[^\n]*)$", text, re.M)
        assert found, text
        return {k: int(v) if v.isdigit() else v for k, v in found.groupdict().items()}

    def wait_status(self, name, seconds=10, **wanted):
        """The status when it has all that is wanted; `answer` is what the last answer has in it."""
        last = {}

        def is_so():
            last.update(self.status(name))
            return all(v in last[k] if k == "answer" else last[k] == v for k, v in wanted.items())
        try:
            wait_until(is_so, seconds, f"sink {name}: {wanted}")
        except TimeoutError as error:
            raise AssertionError(f"{error}, but {last}") from None
        return last

    def wait_all(self, *places, seconds=15):
        """Until everything that was told has arrived in each place."""
        for place in places:
            wait_until(lambda: ids(place.events()) >= ids(self.agent.events()), seconds,
                       f"all events, so far {len(ids(place.events()))} of {self.agent.events()[-1:]}")

    def assert_once(self, *places, without=()):
        """Stops the agent; every event came once, in order, and is the one that was told."""
        assert self.agent.stop() == 0, self.agent.log()
        told = [e for e in self.agent.events() if e.get("user", {}).get("name") not in without]
        assert told[-1]["event"]["action"] == "agent-stopped"
        for place in places:
            assert place.events() == told

    def assert_at_least_once(self, *places):
        """The same, but an event may have come again: unchanged."""
        assert self.agent.stop() == 0, self.agent.log()
        told = self.agent.events()
        for place in places:
            first = {}
            for event in place.events():
                assert first.setdefault(event["event"]["id"], event) == event
            assert list(first.values()) == told

    def close(self):
        self.agent.kill()
        for server in self.servers:
            server.close()


def ids(events):
    return {e["event"]["id"] for e in events}
