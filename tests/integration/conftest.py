"""Fixtures of the integration tests: the program under test and real servers on loopback.

SHAREWATCH names the sharewatch to test (an absolute path). Nothing here leaves loopback.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import samba_helpers  # noqa: E402
from https_server import Pki  # noqa: E402
from webhook_helpers import Hooks  # noqa: E402


class Sharewatch:
    """The program under test, with a folder of its own that nobody else can write."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder

    def write(self, text, name="sharewatch.yaml"):
        path = self.folder / name
        temporary = self.folder / (name + ".new")
        temporary.write_text(text)
        temporary.chmod(0o600)
        os.rename(temporary, path)
        return path

    def run(self, *arguments, prefix=(), timeout=60, **options):
        return subprocess.run([*prefix, self.program, *map(str, arguments)], capture_output=True,
                              text=True, timeout=timeout, **options)

    def documents(self, conf, prefix=()):
        """What `sessions --json` prints, one document a source, and its exit status."""
        ended = self.run("sessions", "-c", conf, "--json", prefix=prefix)
        return [json.loads(line) for line in ended.stdout.splitlines()], ended


def private_folder():
    """A temporary folder whose parents belong to root (a program's folder must be trusted)."""
    base = "/run" if os.geteuid() == 0 and os.access("/run", os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="sharewatch-test-", dir=base)


@pytest.fixture
def private_path():
    with private_folder() as folder:
        yield pathlib.Path(folder)


@pytest.fixture
def sharewatch(private_path):
    program = os.environ.get("SHAREWATCH", "")
    if not os.access(program or "/nonexistent", os.X_OK):
        pytest.skip("SHAREWATCH does not name a sharewatch to test")
    return Sharewatch(program, private_path)


@pytest.fixture(scope="session")
def samba_accounts():
    missing = samba_helpers.missing_programs()
    if missing:
        pytest.skip(missing)
    with samba_helpers.Accounts():
        yield


@pytest.fixture
def stopped_smbd(samba_accounts, tmp_path):
    """An smbd that was never started: users alice and bob, everybody else is the guest."""
    # tmp_path is private to root; sessions run as alice, bob and nobody and must reach the share.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    server = samba_helpers.Smbd(tmp_path / "smbd")
    yield server
    server.close()


@pytest.fixture
def smbd(stopped_smbd):
    return stopped_smbd.start()


@pytest.fixture(scope="session")
def pki():
    with private_folder() as folder:
        yield Pki(folder)


@pytest.fixture
def hooks(sharewatch, pki):
    """An agent with webhook sinks and their servers."""
    made = Hooks(sharewatch, pki)
    yield made
    made.close()
    for server in made.servers:
        assert not getattr(server, "problems", [])
