"""The benchmarks of the network sinks; bench.py runs them."""

import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

EVENTS_A_LOOK = 1000
NGINX = "/usr/sbin/nginx"
RSYSLOGD = "/usr/sbin/rsyslogd"


class Bench:
    """What bench.py lends: its program, its build, its table."""

    def __init__(self, build, row, title, write_recording, measure_floor, proc_memory):
        self.build = build
        self.program = build / "agent" / "sharewatch"
        self.datagrams = build / "tests/bench/bench_datagrams"
        self.row = row
        self.title = title
        self.write_recording = write_recording
        self.measure_floor = measure_floor
        self.proc_memory = proc_memory


def write_conf(path, state, source, sink):
    path.write_text(f"""
agent: {{state_dir: {state}, log_level: error}}
sources: {{{source}}}
sinks: {{{sink}}}
""")
    path.chmod(0o600)
    return path


class Usage:
    """Wall and CPU seconds of the child processes that end while it is open."""

    def __enter__(self):
        self.before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.began = time.time()
        return self

    def __exit__(self, *_):
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.wall = time.time() - self.began
        self.cpu = after.ru_utime + after.ru_stime - self.before.ru_utime - self.before.ru_stime


class Receiver:
    """bench_datagrams receive: counts, and says when the last datagram came."""

    def __init__(self, bench, count):
        self.process = subprocess.Popen([bench.datagrams, "receive", str(count)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def result(self):
        count, last = self.process.stdout.readline().split()
        self.process.wait()
        return int(count), float(last)


def cpu_of_pid(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def recorded_as(bench, folder, recording, sink, to):
    """The wire's bytes of a recording, a record a line."""
    conf = write_conf(folder / "wire.yaml", folder / "none", f"recording: {{type: replay, path: {recording}}}", sink)
    with open(to, "wb") as file:
        subprocess.run([bench.program, "replay", "-c", conf, "--sink", "out", recording], check=True, stdout=file)


# ---- (e) UDP

def udp_ours(bench, folder, recording, events):
    shutil.rmtree(folder / "state", ignore_errors=True)
    receiver = Receiver(bench, events)
    conf = write_conf(folder / "udp.yaml", folder / "state", f"recording: {{type: replay, path: {recording}}}",
                      f"out: {{type: syslog, address: 'udp://127.0.0.1:{receiver.port}', rate: 0}}")
    with Usage() as usage:
        subprocess.run([bench.program, "run", "-c", conf, "--until-done"], check=True)
    came, last = receiver.result()
    return came / (last - usage.began), usage.cpu / events * 1e6, came


def udp_rsyslogd(bench, folder, lines, events):
    work = folder / "rsyslog"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    receiver = Receiver(bench, events)
    conf = work / "rsyslog.conf"
    conf.write_text(f"""
global(workDirectory="{work}" maxMessageSize="64k")
module(load="imfile")
template(name="bytes" type="string" string="%msg%")
input(type="imfile" File="{lines}" Tag="bench" Ruleset="forward" addMetadata="off")
ruleset(name="forward") {{
  action(type="omfwd" target="127.0.0.1" port="{receiver.port}" protocol="udp" template="bytes")
}}
""")
    began = time.time()
    daemon = subprocess.Popen([RSYSLOGD, "-n", "-f", conf, "-i", work / "pid"], stderr=subprocess.DEVNULL)
    try:
        came, last = receiver.result()
        cpu = cpu_of_pid(daemon.pid)
    finally:
        daemon.terminate()
        daemon.wait()
    return came / (last - began), cpu / max(came, 1) * 1e6, came


def bench_udp(bench, looks=300, rounds=3):
    bench.title("(e) replay -> journal -> syslog over UDP on loopback, rate: 0, beside rsyslogd and bare loops")
    with tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as name:
        folder = pathlib.Path(name)
        recording = folder / "recording.ndjson"
        bench.write_recording(recording, looks, EVENTS_A_LOOK)
        lines = folder / "lines"
        recorded_as(bench, folder, recording, "out: {type: syslog, address: 'udp://127.0.0.1:9'}", lines)
        events = sum(1 for _ in open(lines, "rb"))
        ours, peer, floor, sqlite = [], [], [], []
        for _ in range(rounds):
            ours.append(udp_ours(bench, folder, recording, events))
            if os.path.exists(RSYSLOGD):
                peer.append(udp_rsyslogd(bench, folder, lines, events))
            receiver = Receiver(bench, events)
            with Usage() as usage:
                sent = subprocess.run([bench.datagrams, "send", str(receiver.port), lines, str(events)], check=True,
                                      capture_output=True, text=True)
            floor.append((float(sent.stdout), usage.cpu / events * 1e6))
            receiver.result()
            sqlite.append(bench.measure_floor(folder, events, EVENTS_A_LOOK, "all"))
    rate = statistics.median(r[0] for r in ours)
    cpu = statistics.median(r[1] for r in ours)
    bench.row("", "events/s", "cpu us/event", "arrived", "ours / it")
    bench.row("ours", f"{rate:,.0f}", f"{cpu:.1f}", f"{min(r[2] for r in ours)} of {events}")
    if peer:
        its, its_cpu = statistics.median(r[0] for r in peer), statistics.median(r[1] for r in peer)
        bench.row("rsyslogd, imfile -> omfwd", f"{its:,.0f}", f"{its_cpu:.1f}", f"{min(r[2] for r in peer)} of {events}",
                  f"{rate / its:.2f}")
        bench.row("  our CPU an event / its", "", f"{cpu / its_cpu:.2f}")
    else:
        print(f"  rsyslogd: skipped, no {RSYSLOGD}")
    bare, bare_cpu = statistics.median(r[0] for r in floor), statistics.median(r[1] for r in floor)
    bench.row("bare sendmmsg loop", f"{bare:,.0f}", f"{bare_cpu:.1f}", "", f"{rate / bare:.2f}")
    bench.row("bare SQLite loop of the journal's rows", f"{statistics.median(sqlite):,.0f}", "", "",
              f"{rate / statistics.median(sqlite):.2f}")
    print("  aim: ahead of rsyslogd, at half its CPU an event")


# ---- (f) HTTPS

class Nginx:
    """A real HTTPS receiver that reads the body and answers 200."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem",
                        "-out", folder / "cert.pem"], check=True, stderr=subprocess.DEVNULL)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        conf = folder / "nginx.conf"
        conf.write_text(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log {folder}/access.log; keepalive_requests 1000000; client_max_body_size 64m; client_body_buffer_size 4m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{self.port} ssl http2; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location / {{ proxy_pass http://unix:{folder}/up; }}  # so that it reads the body, as receivers do
  }}
  server {{ listen unix:{folder}/up; location / {{ return 200; }} }}
}}
""")
        self.process = subprocess.Popen([NGINX, "-p", folder, "-c", conf, "-e", folder / "error.log"],
                                        stderr=subprocess.DEVNULL)
        wait_for(self.listens, 10, "nginx")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def requests(self):
        """Those that came over TLS and were answered 200."""
        return sum(1 for line in open(self.folder / "access.log") if '"POST /hook HTTP/2.0" 200' in line
                   or '"POST /hook HTTP/1.1" 200' in line)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def https_ours(bench, folder, recording, nginx, batch):
    shutil.rmtree(folder / "state", ignore_errors=True)
    conf = write_conf(folder / "hook.yaml", folder / "state", f"recording: {{type: replay, path: {recording}}}",
                      f"out: {{type: webhook, url: 'https://localhost:{nginx.port}/hook', ca_file: {nginx.folder}/cert.pem,"
                      f" batch: {{events: {batch}, wait: 0}}}}")
    with Usage() as usage:
        subprocess.run([bench.program, "run", "-c", conf, "--until-done"], check=True)
    return usage


def https_curl(folder, bodies, nginx):
    listing = folder / "curl.conf"
    listing.write_text("next\n".join(
        f'url = "https://localhost:{nginx.port}/hook"\ncacert = "{nginx.folder}/cert.pem"\nsilent\nfail\n'
        f'header = "Content-Type: application/json"\nheader = "Expect:"\ndata-binary = "@{body}"\noutput = "/dev/null"\n'
        for body in bodies))
    with Usage() as usage:
        subprocess.run(["curl", "-q", "-K", listing], check=True)
    return usage


def bench_https(bench, looks=100, batch=500, rounds=3):
    bench.title(f"(f) replay -> journal -> HTTPS webhook, batches of {batch}, beside curl posting the same bodies")
    if not os.path.exists(NGINX) or shutil.which("curl") is None:
        print("  skipped: needs nginx and curl")
        return
    with tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        recording = folder / "recording.ndjson"
        bench.write_recording(recording, looks, EVENTS_A_LOOK)
        lines = folder / "lines"
        recorded_as(bench, folder, recording, "out: {type: file, path: '-'}", lines)
        records = open(lines).read().splitlines()
        bodies = []
        for at in range(0, len(records), batch):
            bodies.append(folder / f"body{at}")
            bodies[-1].write_text("[" + ",".join(records[at:at + batch]) + "]")
        nginx = Nginx(folder)
        try:
            ours, curl = [], []
            for _ in range(rounds):
                before = nginx.requests()
                usage = https_ours(bench, folder, recording, nginx, batch)
                ours.append((len(records) / usage.wall, usage.cpu / len(records) * 1e6))
                posted = nginx.requests() - before
                usage = https_curl(folder, bodies, nginx)
                curl.append((len(records) / usage.wall, usage.cpu / len(records) * 1e6))
        finally:
            nginx.stop()
    rate, its = statistics.median(r[0] for r in ours), statistics.median(r[0] for r in curl)
    bench.row("", "events/s", "cpu us/event", "requests", "ours / it")
    bench.row("ours", f"{rate:,.0f}", f"{statistics.median(r[1] for r in ours):.1f}", str(posted))
    bench.row("curl, the bodies alone", f"{its:,.0f}", f"{statistics.median(r[1] for r in curl):.1f}", str(len(bodies)),
              f"{rate / its:.2f}")
    print("  aim: 0.80 of curl")


# ---- (g) look to datagram

def sync_waits(folder, count):
    """Milliseconds of a bare write and fdatasync of 8 KiB, as far apart as the looks are."""
    waits = []
    fd = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(fd, bytes(8192 * (count + 1)))
    os.fsync(fd)
    os.lseek(fd, 0, 0)
    for _ in range(count):
        time.sleep(0.1)
        began = time.perf_counter()
        os.write(fd, bytes(8192))
        os.fdatasync(fd)
        waits.append((time.perf_counter() - began) * 1e3)
    os.close(fd)
    return waits


def bench_latency(bench, changes=400):
    bench.title("(g) from the end of the look that noticed to the datagram's arrival")
    with tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as name, socket.socket(type=socket.SOCK_DGRAM) as receiver:
        folder = pathlib.Path(name)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        script = folder / "list"
        # Another session at every look: one close and one open.
        script.write_text('#!/bin/sh\nexec printf \'{"sharewatch":1,"server":"nas","sessions":[{"client":"c",'
                          '"id":"%s"}]}\' $$\n')
        script.chmod(0o700)
        conf = write_conf(folder / "sharewatch.yaml", folder / "state",
                          f"nas: {{type: exec, command: [{script}], interval: 100ms}}",
                          f"out: {{type: syslog, address: 'udp://127.0.0.1:{receiver.getsockname()[1]}'}}")
        agent = subprocess.Popen([bench.program, "run", "-c", conf])
        waits = []
        try:
            while len(waits) < changes:
                message = receiver.recv(65536)
                now = time.time()
                if b" SESSION_OPENED " in message or b" SESSION_CLOSED " in message:
                    stamp = message.split(b" ", 2)[1].decode()
                    whole, fraction = stamp.rstrip("Z").split(".")
                    at = time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0." + fraction)
                    waits.append((now - at) * 1e3)
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait()
        bare = sync_waits(folder, changes // 2)
    bench.row("", "p50 ms", "p99 ms", "most ms", "aim ms")
    for what, values, aim in ((f"ours, {changes} events", sorted(waits), "5"), ("a bare write and fdatasync", sorted(bare), "")):
        bench.row(what, f"{values[len(values) // 2]:.2f}", f"{values[len(values) * 99 // 100]:.2f}", f"{values[-1]:.2f}", aim)
    print("  (the event's time is cut to whole milliseconds: up to 1 ms of each figure is not ours)")


# ---- (h) idle footprint with each sink

def bench_sinks(bench, interval=5):
    bench.title(f"(h) idle with each sink: 1,000 sessions polled every {interval} s (exec), after the first send")
    bench.row("", "resident KiB", "Private_Dirty KiB", "threads")
    with tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        sessions = [{"client": f"10.0.{i // 250}.{i % 250}", "user": f"EXAMPLE\\user{i}", "opens": 2, "idle": 0,
                     "id": str(i)} for i in range(1000)]
        (folder / "answer").write_text(json.dumps({"sharewatch": 1, "server": "nas", "sessions": sessions}))
        script = folder / "list"
        script.write_text(f"#!/bin/sh\nexec cat {folder}/answer\n")
        script.chmod(0o700)
        nginx = Nginx(folder) if os.path.exists(NGINX) else None
        with socket.socket(type=socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            sinks = {"file": f"out: {{type: file, path: {folder}/events.json}}",
                     "syslog": f"out: {{type: syslog, address: 'udp://127.0.0.1:{receiver.getsockname()[1]}'}}"}
            if nginx is not None:
                sinks["webhook"] = (f"out: {{type: webhook, url: 'https://localhost:{nginx.port}/hook',"
                                    f" ca_file: {folder}/cert.pem}}")
            for sink, text in sinks.items():
                conf = write_conf(folder / f"{sink}.yaml", folder / f"state-{sink}",
                                  f"nas: {{type: exec, command: [{script}], interval: {interval}s}}", text)
                agent = subprocess.Popen([bench.program, "run", "-c", conf])
                time.sleep(2 * interval + 3)
                memory, threads = bench.proc_memory(agent.pid), len(os.listdir(f"/proc/{agent.pid}/task"))
                agent.send_signal(signal.SIGTERM)
                agent.wait()
                bench.row(sink, memory["Rss"], memory["Private_Dirty"], threads)
        if nginx is not None:
            nginx.stop()
        else:
            print("  webhook: skipped, needs nginx")
