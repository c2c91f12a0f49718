"""Commands, exit statuses and messages, as a person at a terminal meets them."""

import json
import os

import pytest

from agent_helpers import document, program


def test_wrong_usage_is_2(sharewatch):
    for arguments in (["nonsense"], ["run", "--nonsense"], ["check", "-c"], ["replay"], ["sessions", "surplus"],
                      ["help", "nonsense"], ["status", "--json"]):
        ended = sharewatch.run(*arguments)
        assert ended.returncode == 2, arguments
        assert ended.stderr and not ended.stdout, arguments


def test_help_and_version(sharewatch):
    assert "sharewatch" in sharewatch.run("version").stdout
    overview = sharewatch.run("help").stdout
    for command in ("run", "check", "sessions", "replay", "status", "version", "help"):
        assert f"\n  {command} " in overview
        ended = sharewatch.run("help", command)
        assert ended.returncode == 0 and f"usage: sharewatch {command}" in ended.stdout
    for topic in ("config", "agent", "sources", "sinks", "samba", "exec", "replay", "file"):
        ended = sharewatch.run("help", topic)
        assert ended.returncode == 0 and ended.stdout, topic
    assert sharewatch.run("--help").stdout == overview


def test_check_tells_every_problem_with_its_place(sharewatch):
    conf = sharewatch.write("""agent:
  state_dri: /tmp/x
sources:
  local: {type: samba, interval: 5, timeout: 1s}
  nas: {type: exec, command: [relative/path], interval: 1s, timeout: 2s}
sinks:
  out: {type: fiel, path: "-"}
""")
    ended = sharewatch.run("check", "-c", conf)
    assert ended.returncode == 78 and not ended.stderr
    lines = ended.stdout.splitlines()
    places = [line.split(": ")[0].removeprefix(str(conf)) for line in lines if not line.startswith("warning:")]
    assert places == [":2:3", ":4:34", ":5:30", ":5:70", ":7:15"], ended.stdout
    assert "state_dir" in lines[0] and "file" in lines[-1]


def test_check_and_run_refuse_the_same_files(sharewatch):
    conf = sharewatch.write("sources: {s: {type: samba}}\nsinks: {o: {type: file, path: '-'}}\n")
    assert sharewatch.run("check", "-c", conf).returncode == 0
    conf.chmod(0o666)
    for command in ("check", "run", "status", "sessions"):
        ended = sharewatch.run(command, "-c", conf)
        assert ended.returncode == 78, command
        assert "write" in ended.stdout + ended.stderr
    missing = sharewatch.run("run", "-c", sharewatch.folder / "missing.yaml")
    assert missing.returncode == 78 and "missing.yaml" in missing.stderr


def test_run_refuses_a_program_that_others_can_write(sharewatch):
    nas = program(sharewatch.folder, "nas", "#!/bin/sh\n")
    nas.chmod(0o777)
    conf = sharewatch.write(f"sources: {{n: {{type: exec, command: [{nas}]}}}}\nsinks: {{o: {{type: file, path: '-'}}}}\n")
    for command in ("check", "run"):
        ended = sharewatch.run(command, "-c", conf)
        assert ended.returncode == 78 and "write" in ended.stdout + ended.stderr


def test_sessions_shows_all_sources_and_which_one_failed(sharewatch):
    good = program(sharewatch.folder, "good", f"#!/bin/sh\ncat <<'END'\n{document({'client': '10.0.0.5', 'user': 'alice', 'active': 61})}\nEND\n")
    bad = program(sharewatch.folder, "bad", "#!/bin/sh\nexit 1\n")
    conf = sharewatch.write(f"""sources:
  good: {{type: exec, command: [{good}]}}
  bad: {{type: exec, command: [{bad}]}}
sinks: {{o: {{type: file, path: '-'}}}}
""")
    table = sharewatch.run("sessions", "-c", conf)
    assert table.returncode == 1
    assert "alice" in table.stdout and "10.0.0.5" in table.stdout and "1m1s" in table.stdout
    assert "source bad" in table.stderr
    documents, ended = sharewatch.documents(conf)
    assert ended.returncode == 1 and "sessions" in documents[0] and "error" in documents[1]
    one = sharewatch.run("sessions", "-c", conf, "--source", "good")
    assert one.returncode == 0 and not one.stderr
    assert not (sharewatch.folder / "state").exists()


def test_names_do_not_reach_the_terminal_raw(sharewatch):
    evil = "a\x1b[2J\u202eb\u2028\x9b31m"
    source = program(sharewatch.folder, "nas", "#!/bin/sh\ncat <<'END'\n%s\nEND\n" %
                     document({"client": evil, "user": evil}, server=evil))
    conf = sharewatch.write(f"sources: {{n: {{type: exec, command: [{source}]}}}}\nsinks: {{o: {{type: file, path: '-'}}}}\n")
    shown = sharewatch.run("sessions", "-c", conf).stdout
    assert "\\u{1B}" in shown and "\\u{202E}" in shown
    assert not any(c in shown for c in "\x1b\u202e\u2028\x9b")


def test_replay_is_deterministic_and_prefixes_the_sink(sharewatch):
    recording = sharewatch.folder / "r.ndjson"
    recording.write_text(document({"client": "a", "user": "u"}, taken_at="2026-01-01T00:00:00Z") + "\n" +
                         document(taken_at="2026-01-01T00:00:10Z") + "\n")
    first = sharewatch.run("replay", recording)
    assert first.returncode == 0 and first.stdout.startswith("print: {")
    assert first.stdout == sharewatch.run("replay", "-", input=recording.read_text()).stdout
    conf = sharewatch.write(f"sources: {{n: {{type: replay, path: {recording}}}}}\nsinks: {{o: {{type: file, path: '-'}}}}\n")
    wire = sharewatch.run("replay", "-c", conf, "--sink", "o", recording)
    assert json.loads(wire.stdout)["event"]["action"] == "session-closed"
    assert sharewatch.run("replay", "-c", conf, "--sink", "x", recording).returncode == 2
    assert sharewatch.run("replay", sharewatch.folder / "missing").returncode == 1


def test_output_to_a_full_disk_is_a_failure(sharewatch):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    recording = sharewatch.folder / "r.ndjson"
    recording.write_text(document(taken_at="2026-01-01T00:00:00Z") + "\n" +
                         document({"client": "a"}, taken_at="2026-01-01T00:00:10Z") + "\n")
    with open("/dev/full", "w") as full:
        import subprocess
        ended = subprocess.run([sharewatch.program, "replay", recording], stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 1


@pytest.mark.parametrize("name", ["sharewatch.example.yaml", "sharewatch.minimal.yaml"])
def test_the_example_configurations_are_good(sharewatch, name):
    repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(repository, "config", name)) as example:
        conf = sharewatch.write(example.read())
    ended = sharewatch.run("check", "-c", conf)
    assert ended.returncode == 0, ended.stdout


def test_the_readmes_configuration_is_good(sharewatch):
    repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(repository, "README.md")) as readme:
        conf = sharewatch.write(readme.read().split("```yaml\n")[1].split("```")[0])
    ended = sharewatch.run("check", "-c", conf)
    assert ended.returncode == 0 and "warning" not in ended.stdout, ended.stdout
