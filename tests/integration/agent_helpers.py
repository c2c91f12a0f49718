"""A running agent, and what it has told so far."""

import json
import os
import signal
import subprocess

from samba_helpers import wait_until


class Agent:
    """`sharewatch run` over a configuration; its events go to a file of the sink `out`."""

    def __init__(self, sharewatch, conf, events=None):
        self.sharewatch = sharewatch
        self.conf = conf
        self.events_path = events or sharewatch.folder / "events.json"
        self.log_path = sharewatch.folder / "agent.log"
        self.process = None

    def start(self, *arguments, prefix=(), wait=True):
        count = self.count("agent-started")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*prefix, self.sharewatch.program, "run", "-c", str(self.conf), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            wait_until(lambda: self.count("agent-started") > count or self.process.poll() is not None, 20,
                       "agent starts")
            assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def events(self, action=None):
        """Every whole line of the sink's file; each must be one JSON object."""
        if not self.events_path.exists():
            return []
        lines = self.events_path.read_bytes().split(b"\n")[:-1]
        events = [json.loads(line) for line in lines]
        return [e for e in events if action in (None, e["event"]["action"])]

    def count(self, action):
        return len(self.events(action))

    def wait(self, action, count=1, seconds=20):
        wait_until(lambda: self.count(action) >= count or self.process.poll() is not None, seconds,
                   f"{count} x {action}, so far {[e['event']['action'] for e in self.events()][-20:]}")
        return self.events(action)

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        before = self.count("agent-reloaded")
        self.signal(signal.SIGHUP)
        return self.wait("agent-reloaded", before + 1)[-1]

    def stop(self, seconds=20):
        """Stops it as an administrator does; the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        # Behind a prefix (unshare) the agent itself ends a moment after what was killed.
        wait_until(lambda: not subprocess.run(["pgrep", "-f", f"run -c {self.conf}"], capture_output=True).stdout, 10,
                   "the agent is gone")


def program(folder, name, text):
    """An executable script that nobody else can write."""
    path = folder / name
    temporary = folder / (name + ".new")
    temporary.write_text(text)
    temporary.chmod(0o700)
    os.rename(temporary, path)
    return path


def document(*sessions, **members):
    return json.dumps({"sharewatch": 1, "server": "nas7", "sessions": list(sessions), **members})


class Nas:
    """An exec source whose answer the test sets."""

    def __init__(self, folder, name="nas"):
        self.answer = folder / (name + ".json")
        self.command = program(folder, name, f"#!/bin/sh\nexec cat {self.answer}\n")
        self.show()

    def show(self, *sessions):
        temporary = self.answer.with_suffix(".new")
        temporary.write_text(document(*sessions))
        os.rename(temporary, self.answer)
