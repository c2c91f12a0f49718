"""The benchmarks behind tests/bench/run.sh: what a user pays, beside a floor of the same run."""

import datetime
import json
import os
import pathlib
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import bench_net

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = BUILD / "agent" / "sharewatch"


def title(text):
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def row(name, *cells):
    print(f"  {name:<44}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


# ---- (b) events a second from replay through the journal into the file sink

def write_recording(path, looks, changes):
    """Every look closes half of `changes` sessions and opens as many."""
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    half = changes // 2
    with open(path, "w") as file:
        for look in range(looks + 1):
            sessions = [{"client": f"10.{i % 200}.{i // 200 % 200}.{i % 250}", "user": f"EXAMPLE\\user{i:07d}",
                         "opens": 2, "active": 61, "idle": 3, "id": str(1000000 + i)}
                        for i in range(look * half, look * half + half)]
            taken_at = (at + datetime.timedelta(seconds=10 * look)).isoformat()
            file.write(json.dumps({"sharewatch": 1, "server": "fs01", "taken_at": taken_at, "sessions": sessions},
                                  separators=(",", ":")) + "\n")


def measure_pipeline(folder, recording):
    shutil.rmtree(folder / "state", ignore_errors=True)
    for path in folder.glob("events.json*"):
        path.unlink()
    conf = folder / "sharewatch.yaml"
    conf.write_text(f"""
agent: {{state_dir: {folder}/state, log_level: error}}
sources: {{recording: {{type: replay, path: {recording}}}}}
sinks: {{out: {{type: file, path: {folder}/events.json, rotate_size: 0}}}}
""")
    conf.chmod(0o600)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run([PROGRAM, "run", "-c", conf, "--until-done"], check=True)
    took = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    events = sum(1 for _ in open(folder / "events.json", "rb"))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return events / took, cpu / events * 1e6, events


def measure_floor(folder, events, per_commit, what):
    for path in folder.glob("floor.db*"):
        path.unlink()
    rate = subprocess.run([BUILD / "tests/bench/bench_sqlite_floor", folder / "state/journal.db", folder / "floor.db",
                           str(events), str(per_commit), what], check=True, capture_output=True, text=True)
    return float(rate.stdout)


def bench_pipeline(rounds=5):
    title("(b) replay -> journal -> file sink, beside a bare SQLite loop of the same bytes")
    row("changes a look", "ours ev/s", "cpu us/ev", "events floor", "ratio", "all-rows floor", "ratio")
    with tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as name:
        folder = pathlib.Path(name)
        for changes, looks in ((1000, 200), (100, 500)):
            recording = folder / f"recording-{changes}.ndjson"
            write_recording(recording, looks, changes)
            runs = []
            for _ in range(rounds):
                ours, cpu, events = measure_pipeline(folder, recording)
                bare = measure_floor(folder, events, changes, "events")
                both = measure_floor(folder, events, changes, "all")
                runs.append((ours, cpu, bare, both))
            ours, cpu, bare, both = (statistics.median(r[i] for r in runs) for i in range(4))
            row(f"{changes} ({events} events, median of {rounds})", f"{ours:,.0f}", f"{cpu:.1f}", f"{bare:,.0f}",
                f"{ours / bare:.2f}", f"{both:,.0f}", f"{ours / both:.2f}")
    print("  aim: over 0.5 of the floor. The all-rows floor also writes the baseline row of every event.")


# ---- (c) idle footprint

def proc_memory(pid):
    values = {}
    for line in open(f"/proc/{pid}/smaps_rollup"):
        parts = line.split()
        if parts[0].rstrip(":") in ("Rss", "Pss", "Private_Dirty"):
            values[parts[0].rstrip(":")] = int(parts[1])
    return values


def wake_ups(pid):
    """Voluntary context switches of every thread: each is one time it slept and was woken."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        for line in open(f"/proc/{pid}/task/{task}/status"):
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def bench_idle(interval=10, polls=3):
    title(f"(c) idle: 1,000 sessions polled every {interval} s (exec)")
    with tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as name:
        folder = pathlib.Path(name)
        sessions = [{"client": f"10.0.{i // 250}.{i % 250}", "user": f"EXAMPLE\\user{i}", "opens": 2, "idle": 0,
                     "id": str(i)} for i in range(1000)]
        (folder / "answer").write_text(json.dumps({"sharewatch": 1, "server": "nas", "sessions": sessions}))
        script = folder / "list"
        script.write_text(f"#!/bin/sh\nexec cat {folder}/answer\n")
        script.chmod(0o700)
        conf = folder / "sharewatch.yaml"
        conf.write_text(f"""
agent: {{state_dir: {folder}/state, log_level: error}}
sources: {{nas: {{type: exec, command: [{script}], interval: {interval}s}}}}
sinks: {{out: {{type: file, path: {folder}/events.json}}}}
""")
        conf.chmod(0o600)
        agent = subprocess.Popen([PROGRAM, "run", "-c", conf])
        bare = subprocess.Popen(["/bin/sleep", "1000"])
        try:
            began = time.monotonic()
            time.sleep(interval * polls + 3)  # between two polls
            quiet_from = wake_ups(agent.pid)
            time.sleep(interval - 6)
            quiet = wake_ups(agent.pid) - quiet_from
            per_poll = wake_ups(agent.pid)
            time.sleep(interval)
            per_poll = wake_ups(agent.pid) - per_poll
            ours, floor = proc_memory(agent.pid), proc_memory(bare.pid)
            threads = len(os.listdir(f"/proc/{agent.pid}/task"))
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait()
            bare.kill()
            bare.wait()
    row("", "ours", "bare sleep", "aim")
    row("resident (KiB)", ours["Rss"], floor["Rss"], "6,144")
    row("proportional (KiB)", ours["Pss"], floor["Pss"])
    row("Private_Dirty (KiB)", ours["Private_Dirty"], floor["Private_Dirty"], "2,048")
    row(f"wake-ups in {interval - 6} s between polls", quiet, 0, 0)
    row("wake-ups a poll", per_poll)
    row("threads", threads, 1)


# ---- (d) one samba look beside bare smbstatus

def cpu_of(command, rounds, environment=None):
    walls = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(rounds):
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        walls.append(time.monotonic() - began)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / rounds
    return statistics.median(walls) * 1e3, cpu * 1e3


def cpu_of_agent(folder, smbd, interval_ms=500, seconds=15):
    """CPU milliseconds of one look of a running agent, its smbstatus included."""
    conf = folder / "sharewatch.yaml"
    conf.write_text(f"""
agent: {{state_dir: {folder}/state, log_level: error}}
sources: {{local: {{type: samba, smb_conf: {smbd.conf}, interval: {interval_ms}ms}}}}
sinks: {{out: {{type: file, path: {folder}/events.json}}}}
""")
    conf.chmod(0o600)

    def used(pid):
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # utime stime cutime cstime

    agent = subprocess.Popen([PROGRAM, "run", "-c", conf])
    try:
        time.sleep(1.5)  # the first looks ask testparm where smbd keeps its files
        before, began = used(agent.pid), time.monotonic()
        time.sleep(seconds)
        looks = (time.monotonic() - began) * 1000 / interval_ms
        return (used(agent.pid) - before) * 1000 / looks
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait()


def bench_samba(rounds=30):
    title("(d) one look of a running agent at Samba beside bare `smbstatus --json -p`, CPU")
    if os.geteuid() != 0:
        print("  skipped: needs root")
        return
    sys.path.insert(0, str(HERE.parent / "integration"))
    import samba_helpers
    missing = samba_helpers.missing_programs()
    if missing:
        print(f"  skipped: {missing}")
        return
    row("sessions", "ours ms", "smbstatus ms", "ratio")
    with samba_helpers.Accounts(), tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        smbd = samba_helpers.Smbd(folder / "smbd").start()
        try:
            for count in (0, 10, 50):
                while len(smbd.sessions) < count:
                    smbd.open("alice" if len(smbd.sessions) % 2 else "bob")
                ours = cpu_of_agent(folder, smbd)
                bare = cpu_of(["/usr/bin/smbstatus", "-s", smbd.conf, "--json", "-p"], rounds,
                              {"TZ": "UTC0", "LC_ALL": "C"})[1]
                row(str(count), f"{ours:.1f}", f"{bare:.1f}", f"{ours / bare:.2f}")
        finally:
            smbd.close()
    print("  (with no sessions a second smbstatus proves that there are none)")


def bench_diff():
    title("(a) diff")
    subprocess.run([BUILD / "tests/bench/bench_diff"], check=True)
    print("  aim: 100,000 unchanged in under 15 ms, linear")


NET = bench_net.Bench(BUILD, row, title, write_recording, measure_floor, proc_memory)
BENCHES = {"diff": bench_diff, "pipeline": bench_pipeline, "idle": bench_idle, "samba": bench_samba,
           "udp": lambda: bench_net.bench_udp(NET), "https": lambda: bench_net.bench_https(NET),
           "latency": lambda: bench_net.bench_latency(NET), "sinks": lambda: bench_net.bench_sinks(NET)}

for chosen in sys.argv[2:] or BENCHES:
    if chosen not in BENCHES:
        sys.exit(f"bench.py: no benchmark '{chosen}' (allowed: {', '.join(BENCHES)})")
    BENCHES[chosen]()
with open("/proc/loadavg") as load:
    print(f"\nload average at the end: {load.read().split()[0]}, processors: {os.cpu_count()}")
