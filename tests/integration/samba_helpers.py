"""A private smbd on loopback, real sessions on it, and connections that never log on.

Everything lives in one folder and on one unprivileged port; only loopback is used. smbd and
smbstatus need root, and smbd needs Unix accounts for its users: missing ones are made for the
test run and removed after it.
"""

import fcntl
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time

PASSWORDS = {"alice": "alice-pw", "bob": "bob-pw"}
PORTS = range(24450, 25000)
ACCOUNT_COMMENT = "sharewatch test"
ACCOUNT_LOCK = "/run/sharewatch-test-accounts.lock"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def missing_programs():
    """What this machine lacks to run an smbd, in words; '' if nothing."""
    if os.geteuid() != 0:
        return "smbd and smbstatus need root"
    for path in ("/usr/sbin/smbd", "/usr/bin/smbstatus", "/usr/bin/smbclient"):
        if not os.access(path, os.X_OK):
            return f"{path} is not installed (Debian: samba, smbclient)"
    return ""


class Accounts:
    """Unix accounts of PASSWORDS. Several test runs may share them: the last one removes those
    that a test run has made."""

    def __enter__(self):
        self._lock = open(ACCOUNT_LOCK, "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        for name in PASSWORDS:
            if subprocess.run(["getent", "passwd", name], **QUIET).returncode != 0:
                subprocess.run(["useradd", "-M", "-s", "/usr/sbin/nologin", "-c", ACCOUNT_COMMENT,
                                name], check=True)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        return self

    def __exit__(self, *_):
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            return
        for name in PASSWORDS:
            entry = subprocess.run(["getent", "passwd", name], capture_output=True, text=True)
            if entry.stdout.split(":")[4:5] == [ACCOUNT_COMMENT]:
                subprocess.run(["userdel", name], **QUIET)
        self._lock.close()


def free_port():
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError(f"no free port in {PORTS}")


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return answer


class Session:
    """One real session, held by smbclient until close()."""

    def __init__(self, smbd, user, password, host, protocol=None):
        argv = ["/usr/bin/smbclient", f"//{host}/share", "-p", str(smbd.port),
                "-U", f"{user}%{password}", "-s", str(smbd.conf)]
        if protocol:
            argv += ["-m", protocol]
        # smbclient keeps back what it writes to a pipe; a file that it makes once it is connected
        # says at once that it is.
        ready = pathlib.Path(tempfile.mkdtemp(dir=smbd.folder)) / "ready"
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.process.stdin.write(f"!touch {ready}\n".encode())
        self.process.stdin.flush()
        wait_until(lambda: ready.exists() or self.process.poll() is not None, 20, "smbclient")
        if self.process.poll() is not None:
            raise RuntimeError(f"smbclient: {self.process.stdout.read().decode(errors='replace')}")

    def close(self):
        """Logs off and waits until smbclient has ended."""
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(10)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait(10)


class Smbd:
    """One smbd with its own folders. start, then stop (as an administrator does) or kill (as a
    power failure does); both may be followed by start."""

    FOLDERS = ("private", "lock", "state", "cache", "pid", "ncalrpc", "share")

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.conf = self.folder / "smb.conf"
        self.process = None
        self.sessions = []
        for name in self.FOLDERS:
            (self.folder / name).mkdir(parents=True)
        (self.folder / "share").chmod(0o777)
        self.write_conf(self.conf)
        for user, password in PASSWORDS.items():
            subprocess.run(["smbpasswd", "-c", self.conf, "-a", "-s", user], check=True,
                           input=f"{password}\n{password}\n", text=True, **QUIET)

    def write_conf(self, path, extra="", **folders):
        """A configuration like the server's; folders (lock="…", pid="…") take another's place."""
        where = {name: self.folder / name for name in self.FOLDERS} | folders
        path.write_text(f"""[global]
    smb ports = {self.port}
    interfaces = lo
    bind interfaces only = yes
    server role = standalone
    private dir = {where["private"]}
    lock directory = {where["lock"]}
    state directory = {where["state"]}
    cache directory = {where["cache"]}
    pid directory = {where["pid"]}
    ncalrpc dir = {where["ncalrpc"]}
    log file = {self.folder}/log.smbd
    map to guest = Bad User
    load printers = no
    disable spoolss = yes
    max smbd processes = 0
    {extra}
[share]
    path = {where["share"]}
    guest ok = yes
    read only = no
""")
        return path

    @property
    def pid_file(self):
        return self.folder / "pid" / "smbd.pid"

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"smbd ended: {(self.folder / 'out').read_text()}")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return self.pid_file.exists()
        except OSError:
            return False

    def start(self):
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(
                ["/usr/sbin/smbd", "-F", "--no-process-group", "-s", self.conf],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        wait_until(self._answers, 20, "smbd starts")
        return self

    def _end(self, first_signal):
        if self.process is None:
            return
        if first_signal == signal.SIGTERM:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(10)
        self.process = None

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def child_pids(self):
        """Processes that serve a client, as smbstatus names them."""
        table = self.smbstatus("-n", "-p").stdout.splitlines()
        return [int(line.split()[0]) for line in table if line[:1].isdigit()]

    def open(self, user="alice", host="127.0.0.1", password=None, protocol=None):
        """A session of alice, bob, or (any other name) of the guest account."""
        session = Session(self, user, password or PASSWORDS.get(user, "none"), host, protocol)
        self.sessions.append(session)
        return session

    def smbstatus(self, *arguments, conf=None, **options):
        return subprocess.run(["/usr/bin/smbstatus", "-s", conf or self.conf, *arguments],
                              env={"TZ": "UTC0", "LC_ALL": "C"}, capture_output=True, text=True,
                              timeout=120, **options)

    def close(self):
        for session in self.sessions:
            session.kill()
        self.stop()


# ---- connections that never finish to log on ([MS-SMB2] 2.2.1, 2.2.3, 2.2.5; [MS-NLMP] 2.2.1.1)

SMB2_NEGOTIATE, SMB2_SESSION_SETUP = 0, 1
STATUS_MORE_PROCESSING_REQUIRED = 0xC0000016
NTLM_NEGOTIATE = struct.pack("<8sIIQQ", b"NTLMSSP\0", 1, 0x00088207, 0, 0)


class HalfOpen:
    """One TCP connection with many sessions whose authentication stays at its first step: each is
    a row of smbstatus, and nobody had to log on."""

    def __init__(self, smbd, host="127.0.0.1"):
        self.socket = socket.create_connection((host, smbd.port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.message_id = 0
        body = struct.pack("<HHHHI16sQH", 36, 1, 1, 0, 0, bytes(16), 0, 0x0202)
        self._ask(SMB2_NEGOTIATE, body)

    def _header(self, command):
        header = struct.pack("<4sHHIHHIIQIIQ16s", b"\xfeSMB", 64, 0, 0, command, 64, 0, 0,
                             self.message_id, 0, 0, 0, bytes(16))
        self.message_id += 1
        return header

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("smbd closed the connection")
            data += part
        return data

    def _ask(self, command, body):
        message = self._header(command) + body
        self.socket.sendall(struct.pack(">I", len(message)) + message)
        answer = self._read(struct.unpack(">I", self._read(4))[0])
        return struct.unpack_from("<I", answer, 8)[0]

    def add(self, count):
        body = struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 64 + 24, len(NTLM_NEGOTIATE), 0)
        for _ in range(count):
            status = self._ask(SMB2_SESSION_SETUP, body + NTLM_NEGOTIATE)
            if status != STATUS_MORE_PROCESSING_REQUIRED:
                raise RuntimeError(f"session setup answered 0x{status:08x}")
        return self

    def close(self):
        self.socket.close()


def open_half_open(smbd, count, connections=2):
    """count rows over a few connections; close each of the answer."""
    held = [HalfOpen(smbd) for _ in range(connections)]
    for index, connection in enumerate(held):
        connection.add(count // connections + (1 if index < count % connections else 0))
    return held
