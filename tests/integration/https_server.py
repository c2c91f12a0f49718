"""A real HTTPS server that answers as a test wants, well or badly, and remembers what it was asked.

Pki makes certificates with openssl. Server listens on loopback, one thread a connection; each path
of it is a Place with a script of answers of its own, so that many sinks can share a server. Proxy is
a proxy that knows CONNECT and nothing else. TLS is Python's ssl module, HTTP/1.1 is read here by
hand: what a test needs most are answers that no library would give.
"""

import dataclasses
import gzip
import json
import pathlib
import select
import socket
import ssl
import struct
import subprocess
import threading
import time

from samba_helpers import wait_until

HEAD_MAX = 64 << 10
BODY_MAX = 16 << 20
REASONS = {200: "OK", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 400: "Bad Request",
           401: "Unauthorized", 404: "Not Found", 408: "Request Timeout", 410: "Gone", 413: "Content Too Large",
           429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


# ---- certificates

class Pki:
    """A private CA and certificates of it; each NAME is NAME.pem and NAME.key in one folder."""

    NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._ca("ca")
        self._ca("other-ca")
        self._leaf("good", self.NAMES)
        self._leaf("wrong-name", "DNS:elsewhere.example.com")
        self._leaf("expired", self.NAMES, days=-1)
        self._leaf("other", self.NAMES, ca="other-ca")
        self._leaf("client", "DNS:sharewatch")
        self._leaf("other-client", "DNS:sharewatch", ca="other-ca")

    def pem(self, name):
        return self.folder / f"{name}.pem"

    def key(self, name):
        return self.folder / f"{name}.key"

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")

    def _new(self, name):
        return ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", self.key(name), "-subj", f"/CN=sharewatch test {name}")

    def _ca(self, name):
        self._openssl(*self._new(name), "-x509", "-days", 2, "-out", self.pem(name),
                      "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    def _leaf(self, name, names, ca="ca", days=2):
        request = self.folder / f"{name}.csr"
        self._openssl(*self._new(name), "-addext", f"subjectAltName={names}", "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.pem(ca), "-CAkey", self.key(ca),
                      "-copy_extensions", "copy", "-days", days, "-out", self.pem(name))


# ---- what was asked, and what is answered

@dataclasses.dataclass
class Request:
    method: str
    target: str
    headers: list  # of (lower-case name, value)
    wire: bytes    # the body as it came
    connection: object
    at: float = dataclasses.field(default_factory=time.monotonic)
    wall: float = dataclasses.field(default_factory=time.time)
    status: int = 0  # what was answered; 0: nothing that is whole
    stream: int = 0  # of HTTP/2

    def header(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    def all(self, name):
        return [v for n, v in self.headers if n == name]

    @property
    def body(self):
        return gzip.decompress(self.wire) if self.header("content-encoding") == "gzip" else self.wire

    def events(self):
        if "ndjson" in self.header("content-type"):
            assert self.body.endswith(b"\n")
            return [json.loads(line) for line in self.body.splitlines()]
        body = json.loads(self.body)
        return body if isinstance(body, list) else [body]

    def users(self):
        return [e["user"]["name"] for e in self.events() if "user" in e]


@dataclasses.dataclass
class Answer:
    """A whole answer. Anything else a place can be given is a function(connection, request) that
    writes what it likes and says whether the connection lives on."""

    status: int
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    reason: str = None

    def head(self, length):
        lines = [f"HTTP/1.1 {self.status} {self.reason or REASONS.get(self.status, 'Something')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {length}"] if self.status != 204 else []
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def __call__(self, connection, request):
        request.status = self.status
        connection.write(self.head(len(self.body)) + self.body)
        return self.headers.get("Connection") != "close"


@dataclasses.dataclass
class Choice:
    """choose(request) is what is answered."""

    choose: object


def after(seconds, answer=Answer(200)):
    def slow(connection, request):
        time.sleep(seconds)
        return answer(connection, request)
    return slow


def once_set(event, answer=Answer(200)):
    """Answers when the test lets it, or never."""
    def held(connection, request):
        while not event.is_set():
            if connection.is_gone():
                return False
        return answer(connection, request)
    return held


def then_close(answer):
    """A whole answer that promises to keep the connection, which is then closed."""
    def close_after(connection, request):
        answer(connection, request)
        return False
    return close_after


def hints_first(connection, request):
    connection.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
    return Answer(200)(connection, request)


def old_server(connection, request):
    """HTTP/1.0 without a length: the end of the connection is the end of the answer."""
    request.status = 200
    connection.write(b"HTTP/1.0 200 OK\r\n\r\nfine")
    return False


def hang(connection, request):
    connection.wait_gone()
    return False


def hang_in_head(connection, request):
    connection.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    return hang(connection, request)


def hang_in_body(connection, request):
    request.status = 200
    connection.write(Answer(200).head(1000) + b"so far so")
    return hang(connection, request)


def half_head(connection, request):
    connection.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    return False


def half_body(connection, request):
    request.status = 200
    connection.write(Answer(200).head(1000) + b"so far so")
    return False


def no_http(connection, request):
    connection.write(b"220 mail.example.com ESMTP\r\n")
    return False


def close(connection, request):
    return False


def reset(connection, request):
    connection.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.is_reset = True
    return False


def too_large(connection, request):
    """As nginx does it: an answer before the body, which is then read and thrown away."""
    Answer(413, {"Connection": "close"})(connection, request)
    connection.wait_gone()


def too_large_reset(connection, request):
    """As simpler servers do it: an answer, and the connection is gone."""
    Answer(413, {"Connection": "close"})(connection, request)
    reset(connection, request)


def drips(connection, request):
    """Always a little, never the end."""
    connection.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while not connection.is_gone():
        connection.write(b"x")
        time.sleep(0.1)
    return False


def endless(status):
    """A body without an end; notes in connection.poured how much of it went."""
    def pour(connection, request):
        request.status = status
        connection.write(f"HTTP/1.1 {status} As You Like\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        piece = b"x" * 16384
        while True:
            connection.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.poured += len(piece)
    return pour


def endless_head(connection, request):
    connection.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.write(b"X-More: " + b"x" * 1000 + b"\r\n")
        connection.poured += 1000


class Place:
    """One path: `answers` are given in turn, then `usual` again and again; `requests` has all."""

    def __init__(self):
        self.answers = []
        self.usual = Answer(200)
        self.requests = []
        self.early = None  # (bytes, function): a larger body is answered before it is read

    def events(self):
        """Of all requests that got a 2xx, in order."""
        return [e for r in list(self.requests) if 200 <= r.status < 300 for e in r.events()]

    def users(self):
        return [e["user"]["name"] for e in self.events() if "user" in e]


# ---- connections

class Connection:
    def __init__(self, server, raw):
        self.server = server
        self.raw = raw
        self.buffer = b""
        self.poured = 0
        self.is_reset = False
        self.requests = 0
        is_tls = isinstance(raw, ssl.SSLSocket)
        self.is_resumed = is_tls and raw.session_reused
        self.protocol = raw.selected_alpn_protocol() if is_tls else None

    def write(self, data):
        # sendall's timeout is for all of it, and nobody knows how much went.
        self.raw.settimeout(10)
        self.raw.sendall(data)

    def fill(self):
        self.raw.settimeout(0.05)
        while not self.server.ending.is_set():
            try:
                data = self.raw.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise ConnectionError("the client closed the connection")
            self.buffer += data
            return
        raise ConnectionError("the server ends")

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def take_until(self, mark):
        while mark not in self.buffer:
            if len(self.buffer) > HEAD_MAX:
                raise ConnectionError("too long")
            self.fill()
        data, _, self.buffer = self.buffer.partition(mark)
        return data

    def is_gone(self):
        """The client has left, or the server is to end."""
        self.raw.settimeout(0.02)
        try:
            data = self.raw.recv(65536)
        except TimeoutError:
            return self.server.ending.is_set()
        except OSError:
            return True
        self.buffer += data
        return not data

    def wait_gone(self):
        while not self.is_gone():
            pass

    def read_request(self):
        head = self.take_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        method, target, version = head[0].split(" ")
        headers = [(n.strip().lower(), v.strip()) for n, _, v in (line.partition(":") for line in head[1:])]
        request = Request(method, target, headers, b"", self)
        assert version == "HTTP/1.1"
        if request.header("expect") == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        place = self.server.places.get(target.partition("?")[0])
        length = int(request.header("content-length") or 0)
        if place and place.early and length > place.early[0]:
            place.early[1](self, request)
            raise ConnectionError("not read")
        if request.header("transfer-encoding") == "chunked":
            while size := int(self.take_until(b"\r\n"), 16):
                request.wire += self.take(size)
                self.take(2)
            self.take(2)
        else:
            request.wire = self.take(length)
        assert len(request.wire) <= BODY_MAX
        return request

    def serve(self):
        while True:
            request = self.read_request()
            self.requests += 1
            if not self.server.answer(request)(self, request):
                return

    def close(self):
        if isinstance(self.raw, ssl.SSLSocket) and not self.is_reset and not self.server.ending.is_set():
            try:
                self.raw.settimeout(1)
                self.raw = self.raw.unwrap()
            except (OSError, ValueError):
                pass
        self.raw.close()


class Http2Connection(Connection):
    """Needs Debian's python3-h2. Answers as above or the http2_… below."""

    def answer(self, request):
        answer = self.server.answer(request)
        if not isinstance(answer, Answer):
            return answer(self, request)
        request.status = answer.status
        headers = [(":status", str(answer.status)), *((n.lower(), v) for n, v in answer.headers.items())]
        self.http.send_headers(request.stream, headers)
        self.http.send_data(request.stream, answer.body, end_stream=True)
        return True

    def serve(self):
        import h2.config
        import h2.connection
        import h2.events
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.http.initiate_connection()
        streams = {}
        lives = True
        while lives:
            self.write(self.http.data_to_send())
            self.fill()
            events, self.buffer = self.http.receive_data(self.buffer), b""
            for event in events:
                if isinstance(event, h2.events.RequestReceived):
                    pseudo = dict(event.headers[:4])
                    request = Request(pseudo[":method"], pseudo[":path"], event.headers[4:], b"", self)
                    request.stream = event.stream_id
                    streams[event.stream_id] = request
                elif isinstance(event, h2.events.DataReceived):
                    streams[event.stream_id].wire += event.data
                    self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    streams.pop(event.stream_id, None)
                elif isinstance(event, h2.events.StreamEnded):
                    self.requests += 1
                    lives = self.answer(streams.pop(event.stream_id))
        self.write(self.http.data_to_send())


def http2_refuses(connection, request):
    """RST_STREAM with REFUSED_STREAM: it was not looked at (RFC 9113 8.7)."""
    connection.http.reset_stream(request.stream, error_code=7)
    return True


def http2_says_goodbye(connection, request):
    """A whole answer, then GOAWAY and the end."""
    request.status = 200
    connection.http.send_headers(request.stream, [(":status", "200")], end_stream=True)
    connection.http.close_connection()
    return False


class Listener:
    """Accepts on loopback; a thread a connection; close() ends all."""

    def __init__(self, host="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.create_server((host, port), family=family, backlog=64)
        self.socket.settimeout(0.05)
        self.port = self.socket.getsockname()[1]
        self.ending = threading.Event()
        self.accepted = 0
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while not self.ending.is_set():
            try:
                raw, _ = self.socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.accepted += 1
            thread = threading.Thread(target=self.serve, args=(raw,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def close(self):
        self.ending.set()
        self.threads[0].join(10)
        self.socket.close()
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive(), "a connection of the test's server does not end"


class Silent(Listener):
    """Takes connections, never says a word and never listens."""

    def serve(self, raw):
        self.ending.wait()
        raw.close()


class Server(Listener):
    """certificate: a name of the Pki, or None for http://."""

    def __init__(self, pki, certificate="good", host="127.0.0.1", port=0, client_ca=None, http2=False, tls=None,
                 is_deaf=False, is_rude=False):
        self.is_deaf = is_deaf  # shakes hands and then reads nothing
        self.is_rude = is_rude  # does not wait until a client has read why its handshake failed
        self.context = self._make_context(pki, certificate, client_ca, http2, tls) if certificate else None
        self.host = host
        self.places = {}
        self.connections = []
        self.failed = []   # why handshakes failed
        self.strays = []   # requests for places that no test has made
        self.problems = []  # the client did not speak HTTP
        self.lock = threading.Lock()
        super().__init__(host, port)

    @staticmethod
    def _make_context(pki, certificate, client_ca, http2, tls):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.pem(certificate), pki.key(certificate))
        context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(pki.pem(client_ca))
        if tls:
            context.minimum_version = context.maximum_version = tls
        return context

    def place(self, path):
        return self.places.setdefault(path, Place())

    def url(self, path="", host="localhost"):
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"

    @property
    def requests(self):
        return [r for p in self.places.values() for r in p.requests] + self.strays

    def answer(self, request):
        place = self.places.get(request.target.partition("?")[0])
        with self.lock:
            if place is None:
                self.strays.append(request)
                return Answer(404)
            place.requests.append(request)
            answer = place.answers.pop(0) if place.answers else place.usual
        return answer.choose(request) if isinstance(answer, Choice) else answer

    def _shake_hands(self, raw):
        tls = self.context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        try:
            tls.do_handshake()
            return tls
        except OSError as error:
            self.failed.append(str(error))
            raw = socket.socket(fileno=tls.detach())
            try:
                # What is closed with bytes unread is reset, and the alert may be lost with it.
                raw.settimeout(1)
                raw.shutdown(socket.SHUT_WR)
                while not self.is_rude and raw.recv(65536):
                    pass
            except OSError:
                pass
            raw.close()
            return None

    def serve(self, raw):
        raw.settimeout(30)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context:
            raw = self._shake_hands(raw)
        if raw is None:
            return
        is_http2 = self.context and raw.selected_alpn_protocol() == "h2"
        connection = (Http2Connection if is_http2 else Connection)(self, raw)
        self.connections.append(connection)
        try:
            if self.is_deaf:
                self.ending.wait()
            else:
                connection.serve()
        except OSError:
            pass
        except (ValueError, AssertionError) as error:
            self.problems.append(repr(error))
        finally:
            connection.close()


# ---- proxies

class Proxy(Listener):
    """CONNECT only; `asked` has the target and the headers of each."""

    def __init__(self):
        self.asked = []
        super().__init__()

    def serve(self, raw):
        data = b""
        upstream = None
        try:
            raw.settimeout(10)
            while b"\r\n\r\n" not in data:
                part = raw.recv(4096)
                if not part:
                    return
                data += part
            first, *rest = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            self.asked.append((first, {n.lower(): v.strip() for n, _, v in (h.partition(":") for h in rest)}))
            method, target, _ = first.split(" ")
            if method != "CONNECT":
                raw.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            # Names may be anything: all of them are this machine.
            upstream = socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2])), 5)
            raw.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._relay(raw, upstream)
        except OSError:
            pass
        finally:
            raw.close()
            if upstream:
                upstream.close()

    def _relay(self, one, other):
        while not self.ending.is_set():
            for end in select.select([one, other], [], [], 0.05)[0]:
                data = end.recv(65536)
                if not data:
                    return
                (other if end is one else one).sendall(data)


def wait_requests(place, count, seconds=10):
    wait_until(lambda: len(place.requests) >= count, seconds, f"{count} requests, so far {len(place.requests)}")
    return place.requests
