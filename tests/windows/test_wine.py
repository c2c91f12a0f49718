"""The program for Windows, run under Wine.

SHAREWATCH_EXE names it (else build/windows/sharewatch.exe), SHAREWATCH the one for this system, whose
output it is compared with. Skips say what is missing: packaging/windows/build.sh --tests makes it.
"""

import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
EXE = pathlib.Path(os.environ.get("SHAREWATCH_EXE", REPOSITORY / "build/windows/sharewatch.exe"))
NATIVE = os.environ.get("SHAREWATCH")
WINESERVER = "/usr/lib/wine/wineserver64"
WINE = pathlib.Path("/usr/lib/wine/wine64")
TIMEOUT_S = 120

pytestmark = [
    pytest.mark.skipif(not EXE.exists(), reason=f"{EXE} is not built: packaging/windows/build.sh"),
    pytest.mark.skipif(not WINE.exists(), reason="no Wine: packaging/build-deps.sh windows-test"),
]

# One of each kind: ids, levels, clocks, errors, names that are no UTF-8, standard input.
SCENARIOS = sorted(path.parent for path in (REPOSITORY / "tests/replay").glob("*/topic"))


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    """A Wine of our own, so that nobody's files are touched: C: is empty but for Windows."""
    folder = pathlib.Path(os.environ.get("SHAREWATCH_WINEPREFIX") or
                          tmp_path_factory.mktemp("wine") / "prefix")
    os.environ["SHAREWATCH_WINEPREFIX"] = str(folder)
    # Its server, and what that starts, stay until the end: most of a run's time otherwise.
    environment = {**os.environ, "WINEPREFIX": str(folder)}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([WINESERVER, "-p"], env=environment, timeout=60, check=False, **quiet)
    subprocess.run([HERE / "wine.sh", "cmd", "/c", "ver"], timeout=300, check=True, **quiet)
    yield folder
    subprocess.run([WINESERVER, "-k"], env=environment, timeout=60, check=False, **quiet)


@pytest.fixture
def place(prefix, request):
    """A folder on Wine's C:, whose parents are ours alone, as its path here and as the program's."""
    name = "größe-" + "".join(c if c.isalnum() else "-" for c in request.node.name)[:40]
    folder = prefix / "drive_c" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    yield folder, "C:\\" + name
    shutil.rmtree(folder, ignore_errors=True)


def run(*arguments, stdin=b"", cwd=None, env=None, timeout=TIMEOUT_S):
    """Files, not pipes: Wine's own processes inherit them, live on, and would keep a pipe open."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        done = subprocess.run([HERE / "wine.sh", EXE, *map(str, arguments)], stdin=given, stdout=out,
                              stderr=err, cwd=cwd, timeout=timeout, env={**os.environ, **(env or {})})
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())


def native(*arguments, stdin=b"", cwd=None):
    if not NATIVE:
        pytest.skip("SHAREWATCH does not name the program for this system")
    return subprocess.run([NATIVE, *map(str, arguments)], input=stdin, cwd=cwd,
                          capture_output=True, timeout=TIMEOUT_S)


def needs_native():
    return pytest.mark.skipif(not NATIVE, reason="SHAREWATCH does not name the program for this system")


# ---- what is built

def test_only_dlls_of_windows_are_needed():
    listed = subprocess.run(["x86_64-w64-mingw32-objdump", "-p", EXE], capture_output=True, text=True,
                            timeout=60)
    names = {line.split()[-1].lower() for line in listed.stdout.splitlines() if "DLL Name:" in line}
    assert "kernel32.dll" in names
    foreign = [name for name in names
               if name.startswith(("lib", "zlib", "sqlite", "curl", "yaml", "vcruntime", "msvcp"))]
    assert not foreign


def test_the_program_is_small_and_hardened():
    assert EXE.stat().st_size < 4 << 20
    listed = subprocess.run(["x86_64-w64-mingw32-objdump", "-p", EXE], capture_output=True, text=True,
                            timeout=60).stdout
    for word in ("DYNAMIC_BASE", "NX_COMPAT", "HIGH_ENTROPY_VA"):
        assert word in listed


# ---- commands that need no state

@needs_native()
def test_version_is_the_same(prefix):
    mine, theirs = run("version"), native("version")
    assert mine.returncode == 0
    assert mine.stdout.splitlines()[0] == theirs.stdout.splitlines()[0]
    assert b"samba" not in mine.stdout and b"replay" in mine.stdout
    assert b"\r" not in mine.stdout


def test_help_names_this_systems_paths(prefix):
    result = run("help")
    assert result.returncode == 0
    assert rb"%ProgramData%\sharewatch\sharewatch.yaml" in result.stdout


def test_wrong_usage_is_2(prefix):
    result = run("frühstück")
    assert result.returncode == 2
    assert "'frühstück' is no command" in result.stderr.decode()


def test_the_default_configuration_is_looked_for_in_program_data(prefix):
    result = run("check")
    assert result.returncode == 78
    assert b"ProgramData%\\sharewatch\\sharewatch.yaml" in result.stdout
    assert b"no such file" in result.stdout


# ---- replay: the bytes are those of the program for this system

def read_topic(folder):
    settings = {"args": "documents.ndjson", "stdin": ""}
    for line in (folder / "topic").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name in ("args", "stdin"):
            settings[name] = value.strip()
    return settings


@needs_native()
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_replay_says_the_same(prefix, scenario):
    settings = read_topic(scenario)
    stdin = (scenario / settings["stdin"]).read_bytes() if settings["stdin"] else b""
    arguments = ["replay", *settings["args"].split()]
    mine = run(*arguments, stdin=stdin, cwd=scenario)
    theirs = native(*arguments, stdin=stdin, cwd=scenario)
    assert mine.stdout == theirs.stdout
    assert mine.returncode == theirs.returncode


@needs_native()
def test_names_outside_ascii_are_found(place):
    here, windows = place
    name = "søren 日本 😀.ndjson"
    shutil.copy(REPOSITORY / "tests/replay/003-whole-life/documents.ndjson", here / name)
    mine = run("replay", f"{windows}\\{name}")
    theirs = native("replay", here / name)
    assert mine.returncode == 0, mine.stderr
    assert mine.stdout == theirs.stdout and b"alice" in mine.stdout


def test_a_path_longer_than_max_path_is_found(place):
    here, windows = place
    deep = here
    for _ in range(8):
        deep = deep / ("d" * 60)
    deep.mkdir(parents=True)
    shutil.copy(REPOSITORY / "tests/replay/003-whole-life/documents.ndjson", deep / "x.ndjson")
    result = run("replay", windows + ("\\" + "d" * 60) * 8 + "\\x.ndjson")
    assert result.returncode == 0, result.stderr
    assert b"alice" in result.stdout


def test_a_folder_and_a_missing_file_are_told_apart(place):
    _, windows = place
    missing = run("replay", windows + "\\none")
    folder = run("replay", windows)
    assert missing.returncode == 1 and b"(error 2)" in missing.stderr
    assert folder.returncode == 1 and b"is not a regular file" in folder.stderr


# ---- check and run

def write_config(here, windows, interval="100ms", more=""):
    shutil.copy(REPOSITORY / "tests/replay/003-whole-life/documents.ndjson", here / "bücher.ndjson")
    (here / "sharewatch.yaml").write_text(
        f"agent: {{state_dir: '{windows}\\zustand', log_level: debug}}\n"
        f"sources:\n  recorded: {{type: replay, path: bücher.ndjson, interval: {interval},"
        f" timeout: {interval}, baseline: emit}}\n"
        f"sinks:\n  out: {{type: file, path: '{windows}\\ereignisse.ndjson'}}\n{more}",
        encoding="utf-8")
    return windows + "\\sharewatch.yaml"


def test_check_takes_a_good_file_and_names_the_faults_of_a_bad_one(place):
    here, windows = place
    config = write_config(here, windows)
    good = run("check", "-c", config)
    assert good.returncode == 0, good.stdout
    (here / "bad.yaml").write_text("sources: {s: {type: samba}}\nsinks: {p: {type: file, path: '-'}}\n")
    bad = run("check", "-c", windows + "\\bad.yaml")
    assert bad.returncode == 78
    assert b"bad.yaml:1:21: sources.s.type" in bad.stdout


def test_environment_is_unicode(place):
    here, windows = place
    config = write_config(here, windows)
    text = (here / "sharewatch.yaml").read_text(encoding="utf-8")
    (here / "sharewatch.yaml").write_text(text.replace("bücher.ndjson", "'${env:SW_NAME}'"), encoding="utf-8")
    result = run("run", "--until-done", "-c", config, env={"SW_NAME": "bücher.ndjson"})
    assert result.returncode == 0, result.stderr
    assert (here / "ereignisse.ndjson").exists()


def actions(path):
    return [json.loads(line)["event"]["action"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_run_until_done_delivers_once_and_goes_on_where_it_stopped(place):
    here, windows = place
    config = write_config(here, windows)
    first = run("run", "--until-done", "-c", config)
    assert first.returncode == 0, first.stderr
    expected = ["agent-started", "session-opened", "session-closed", "agent-stopped"]
    out = here / "ereignisse.ndjson"
    assert actions(out) == expected
    assert b"\r" not in out.read_bytes()
    again = run("run", "--until-done", "-c", config)
    assert again.returncode == 0, again.stderr
    assert actions(out) == [*expected, "agent-started", "agent-stopped"]
    status = run("status", "-c", config)
    assert b"sink out: ok; behind by 0" in status.stdout


def test_the_state_folder_is_ours_alone(place):
    here, windows = place
    config = write_config(here, windows)
    assert run("run", "--until-done", "-c", config).returncode == 0
    # Wine shows an access list as a mode: Everyone has nothing.
    assert (here / "zustand").stat().st_mode & 0o007 == 0
    assert (here / "zustand" / "journal.db").stat().st_mode & 0o007 == 0


def test_a_configuration_that_others_can_write_is_refused(place):
    here, windows = place
    config = write_config(here, windows)
    (here / "sharewatch.yaml").chmod(0o666)
    result = run("run", "--until-done", "-c", config)
    assert result.returncode == 78
    assert b"Everyone can change it" in result.stderr + result.stdout


def test_a_state_folder_that_others_can_read_is_refused(place):
    here, windows = place
    config = write_config(here, windows)
    (here / "zustand").mkdir()
    (here / "zustand").chmod(0o755)
    result = run("run", "--until-done", "-c", config)
    assert result.returncode == 1
    assert b"can read or change it" in result.stderr


def test_a_second_agent_is_kept_out_until_the_first_is_gone(place):
    here, windows = place
    config = write_config(here, windows)
    first = subprocess.Popen([HERE / "wine.sh", EXE, "run", "-c", config],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + 60
        while not (here / "ereignisse.ndjson").exists():
            assert time.monotonic() < limit and first.poll() is None
            time.sleep(0.05)
        second = run("run", "--until-done", "-c", config)
        assert second.returncode == 1
        assert b"another sharewatch already uses" in second.stderr
    finally:
        first.kill()
        first.wait(60)
    third = run("run", "--until-done", "-c", config)
    assert third.returncode == 0, third.stderr
    assert actions(here / "ereignisse.ndjson").count("agent-started") == 2


def test_standard_output_is_a_sink(place):
    here, windows = place
    config = write_config(here, windows)
    text = (here / "sharewatch.yaml").read_text(encoding="utf-8")
    (here / "sharewatch.yaml").write_text(text.replace(f"{windows}\\ereignisse.ndjson", "-"), encoding="utf-8")
    result = run("run", "--until-done", "-c", config)
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.decode().splitlines()]
    assert [line["event"]["action"] for line in lines][1:3] == ["session-opened", "session-closed"]


def test_an_exec_source_runs_a_program(place):
    here, windows = place
    (here / "list.cmd").write_text(
        "@echo {\"sharewatch\":1,\"server\":\"fs01\",\"sessions\":[{\"client\":\"10.0.0.5\",\"user\":\"%~1\"}]}\r\n")
    (here / "exec.yaml").write_text(
        f"agent: {{state_dir: '{windows}\\state'}}\n"
        f"sources:\n  s: {{type: exec, command: ['C:\\windows\\system32\\cmd.exe', /c, '{windows}\\list.cmd', alice]}}\n"
        "sinks: {p: {type: file, path: '-'}}\n", encoding="utf-8")
    result = run("sessions", "-c", windows + "\\exec.yaml", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads(result.stdout)
    assert document["server"] == "fs01"
    assert [(row["client"], row["user"]) for row in document["sessions"]] == [("10.0.0.5", "alice")]


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_syslog_and_webhook_reach_receivers_on_loopback(place):
    here, windows = place
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    datagrams.settimeout(10)
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    web.bodies = []
    threading.Thread(target=web.serve_forever, daemon=True).start()
    config = write_config(here, windows, more=(
        f"  siem: {{type: syslog, address: 'udp://127.0.0.1:{datagrams.getsockname()[1]}'}}\n"
        f"  hook: {{type: webhook, url: 'http://127.0.0.1:{web.server_address[1]}/in', body: ndjson,"
        " batch: {events: 100, wait: 100ms}}\n"))
    try:
        result = run("run", "--until-done", "-c", config)
        assert result.returncode == 0, result.stderr
        told = [json.loads(line)["event"]["action"] for body in web.bodies for line in body.splitlines()]
        assert told == actions(here / "ereignisse.ndjson")
        texts = [datagrams.recv(65536).decode() for _ in told]
        assert all(text.startswith("<") and "sharewatch@" in text for text in texts)
        assert "SESSION_OPENED" in texts[1] and "SESSION_CLOSED" in texts[2]
    finally:
        web.shutdown()
        web.server_close()
        datagrams.close()
