"""What the README promises of installing and of the quickstart, done as it says."""

import os
import pathlib
import pwd
import subprocess

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root (starts a private smbd)")


def run(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240, **options)


def listeners():
    return {line.split()[3] for line in run("ss", "-Hltn").stdout.splitlines()}


def smbds():
    return set(run("pgrep", "-x", "smbd").stdout.split())


def test_install_puts_the_program_in_bin(tmp_path):
    build = os.environ.get("SHAREWATCH_BUILD")
    if not build:
        pytest.skip("SHAREWATCH_BUILD does not name a build folder")
    installed = run("cmake", "--install", build, "--prefix", tmp_path)
    assert installed.returncode == 0, installed.stderr
    version = run(tmp_path / "bin" / "sharewatch", "version")
    assert version.returncode == 0 and version.stdout.startswith("sharewatch ")
    assert (tmp_path / "share" / "doc" / "sharewatch" / "sharewatch.example.yaml").exists()


def test_the_list_of_packages_is_one_list():
    sets = {name: set(run(REPOSITORY / "packaging/build-deps.sh", "--list", name).stdout.split())
            for name in ("build", "demo", "test")}
    assert "gcc" in sets["build"] and "samba" in sets["demo"] and "python3-pytest" in sets["test"]
    assert sets["build"] < sets["demo"] < sets["test"]
    assert run(REPOSITORY / "packaging/build-deps.sh", "nonsense").returncode == 2


def test_quickstart_refuses_what_it_does_not_know():
    for arguments in (["--second", "5"], ["--seconds", "x"], ["--seconds", "1"], ["--seconds"]):
        refused = run(REPOSITORY / "packaging/quickstart.sh", *arguments)
        assert refused.returncode == 2 and "quickstart.sh:" in refused.stderr, arguments


@needs_root
def test_quickstart_shows_real_events_and_leaves_nothing():
    if os.path.exists("/run/samba/smbd.pid"):
        pytest.skip("this machine runs Samba: the quickstart would watch that")
    before = listeners(), smbds(), {u.pw_name for u in pwd.getpwall()}, set(os.listdir("/tmp"))
    shown = run(REPOSITORY / "packaging/quickstart.sh", "--seconds", "12", stdin=subprocess.DEVNULL)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    text = shown.stdout
    assert "sharewatch started" in text and "sharewatch stopped" in text
    assert text.count("opened a session") == 2 and text.count("closed a session") == 2, text
    assert len(text.rstrip().splitlines()[-3:]) == 3 and "sharewatch run" in text.rstrip().splitlines()[-1]
    after = listeners(), smbds(), {u.pw_name for u in pwd.getpwall()}, set(os.listdir("/tmp"))
    assert after[0] <= before[0] and after[1] <= before[1] and after[2] == before[2]
    assert not [name for name in after[3] - before[3] if name.startswith(("sharewatch-quickstart", "tmp."))]
