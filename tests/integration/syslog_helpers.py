"""Receivers of syslog: a private rsyslogd, a bare socket, and a strict reader of RFC 5424."""

import json
import os
import pathlib
import re
import socket
import subprocess
import threading

from samba_helpers import wait_until

RSYSLOGD = "/usr/sbin/rsyslogd"
PLUGINS = "/usr/lib/*/rsyslog/mmpstrucdata.so"
BOM = "\ufeff"


def missing_programs():
    if not os.access(RSYSLOGD, os.X_OK):
        return f"{RSYSLOGD} is not installed (Debian: rsyslog)"
    if not list(pathlib.Path("/").glob(PLUGINS[1:])):
        return f"{PLUGINS} is not installed (Debian: rsyslog)"
    return ""


def has_ipv6():
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).bind(("::1", 0))
        return True
    except OSError:
        return False


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rsyslogd:
    """A real rsyslogd with nothing but UDP on loopback: what it understood as JSON, a line a
    message, and what it received, as it came."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.port = free_udp_port()
        self.process = None
        listen = [f'input(type="imudp" address="127.0.0.1" port="{self.port}" ruleset="four")']
        rulesets = [self._ruleset("four")]
        if has_ipv6():
            listen.append(f'input(type="imudp" address="::1" port="{self.port}" ruleset="six")')
            rulesets.append(self._ruleset("six"))
        self.conf = self.folder / "rsyslog.conf"
        self.conf.write_text("\n".join([
            f'global(workDirectory="{self.folder}")',
            'module(load="imudp")',
            'module(load="mmpstrucdata")',
            'template(name="understood" type="list") {',
            ' constant(value="{")',
            *(f' property(name="{name}" outname="{name}" format="jsonf") constant(value=",")'
              for name in ("pri", "protocol-version", "hostname", "app-name", "procid", "msgid", "msg")),
            ' property(name="timereported" outname="time" dateformat="rfc3339" format="jsonf")',
            r' constant(value=",\"sd\":") property(name="$!rfc5424-sd") constant(value="}\n")',
            '}',
            r'template(name="raw" type="string" string="%rawmsg%\n")',
            *rulesets, *listen, ""]))

    def _ruleset(self, name):
        return (f'ruleset(name="{name}") {{ action(type="mmpstrucdata" sd_name.lowercase="off")'
                f' action(type="omfile" file="{self.folder}/{name}.json" template="understood")'
                f' action(type="omfile" file="{self.folder}/{name}.raw" template="raw") }}')

    def start(self):
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(
                [RSYSLOGD, "-n", "-f", self.conf, "-i", self.folder / "pid"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(self._is_there, 20, "rsyslogd starts")
        return self

    def _is_there(self):
        assert self.process.poll() is None, (self.folder / "out").read_text()
        wanted = f"0100007F:{self.port:04X}"
        return wanted in pathlib.Path("/proc/net/udp").read_text()

    def stop(self):
        """Ends when all that it has received is written."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def raw(self, name="four"):
        path = self.folder / f"{name}.raw"
        return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []

    def messages(self, name="four"):
        path = self.folder / f"{name}.json"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]


class Receiver:
    """A socket that collects datagrams, with the buffers that the system gives everybody."""

    def __init__(self, host="127.0.0.1", port=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.datagrams = []
        self._ended = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ended:
            try:
                self.datagrams.append(self.socket.recv(65536))
            except socket.timeout:
                pass

    def messages(self):
        return [parse(datagram) for datagram in list(self.datagrams)]

    def close(self):
        self._ended = True
        self._thread.join()
        self.socket.close()


# RFC 5424 §6, each rule as it stands there.
PRINTABLE = r"[\x21-\x7e]"
NAME = r'[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}'
PARAM = rf'{NAME}="(?:[^"\\\]]|\\["\\\]])*"'
ELEMENT = rf"\[{NAME}(?: {PARAM})*\]"
MESSAGE = re.compile(
    rf"<(0|[1-9][0-9]{{0,2}})>1 (?:-|([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:[0-5][0-9]"
    rf"(?:\.[0-9]{{1,6}})?(?:Z|[+-][0-9]{{2}}:[0-9]{{2}}))) ({PRINTABLE}{{1,255}}) ({PRINTABLE}{{1,48}})"
    rf" ({PRINTABLE}{{1,128}}) ({PRINTABLE}{{1,32}}) (-|(?:{ELEMENT})+)(?: {BOM}(.*))?", re.DOTALL)


def parse(datagram):
    """A message of RFC 5424 as a dictionary; raises ValueError for what is none."""
    text = datagram.decode("utf-8") if isinstance(datagram, bytes) else datagram
    found = MESSAGE.fullmatch(text)
    if found is None or int(found[1]) > 191:
        raise ValueError(f"no message of RFC 5424: {datagram!r}")
    elements = {}
    for element in re.findall(ELEMENT, found[7]):
        name = re.match(NAME, element[1:])[0]
        if name in elements:
            raise ValueError(f"{name} twice: {datagram!r}")
        elements[name] = {
            re.match(NAME, param)[0]: re.sub(r'\\(["\\\]])', r"\1", param.split('="', 1)[1][:-1])
            for param in re.findall(PARAM, element)}
    return {"pri": int(found[1]), "time": found[2], "hostname": found[3], "app-name": found[4],
            "procid": found[5], "msgid": found[6], "sd": elements, "msg": found[8]}
