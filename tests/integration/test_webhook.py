"""The webhook sink against a real HTTPS server that behaves well and badly.

Cases that only wait run together, a sink each.
"""

import base64
import email.utils
import hashlib
import hmac
import itertools
import json
import re
import signal
import ssl
import threading
import time

import pytest

import https_server
from https_server import Answer, Choice, after, endless, once_set, then_close, wait_requests
from samba_helpers import wait_until
from webhook_helpers import SIGNING, crowd, ids, people


# ---- a receiver that says yes

@pytest.mark.parametrize("listen, host", [("127.0.0.1", "localhost"), ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_everything_arrives_once_and_in_order(hooks, listen, host):
    server = hooks.serve(host=listen)
    place = hooks.sink("hook", server, url=server.url("/in?a=b&c=%20d", host), path="/in")
    hooks.start(*crowd(100))
    hooks.wait_all(place)
    status = hooks.wait_status("hook", word="ok", behind=0)
    assert status["sent"] == 101 and status["rejected"] == 0
    hooks.assert_once(place)
    assert {(r.method, r.target) for r in place.requests} == {("POST", "/in?a=b&c=%20d")}
    first = place.requests[0]
    assert first.header("host") == f"{host}:{server.port}"
    assert first.header("content-type") == "application/json"
    assert first.header("user-agent").startswith("sharewatch/")
    # One connection carries all.
    assert server.accepted == 1 and not server.failed and not server.strays


def test_every_kind_of_yes(hooks):
    server = hooks.serve()
    kinds = {"accepted": Answer(202), "no-content": Answer(204), "with-a-body": Answer(200, {}, b"x" * 60000),
             "early-hints": https_server.hints_first, "old": https_server.old_server,
             "closing": Answer(200, {"Connection": "close"}), "closed-behind": then_close(Answer(200)),
             "closed-without-a-word": then_close(Answer(204))}
    places = [hooks.sink(name, server) for name in kinds]
    for place, answer in zip(places, kinds.values()):
        place.usual = answer
    hooks.start(*crowd(30))
    hooks.wait_all(*places)
    hooks.nas.show(*crowd(60))
    hooks.agent.wait("session-opened", 60)
    hooks.wait_all(*places)
    for name in kinds:
        hooks.wait_status(name, word="ok", behind=0, rejected=0)
    hooks.assert_once(*places)
    assert "cannot deliver" not in hooks.agent.log()


def test_new_connections_resume_the_session(hooks):
    server = hooks.serve()
    place = hooks.sink("hook", server, batch={"events": 10, "wait": "50ms"})
    place.usual = Answer(200, {"Connection": "close"})
    hooks.start(*crowd(50))
    hooks.wait_all(place)
    hooks.assert_once(place)
    assert server.accepted == len(place.requests) > 5
    assert [c.is_resumed for c in server.connections] == [False] + [True] * (server.accepted - 1)


def test_http2_where_it_is_offered(hooks):
    pytest.importorskip("h2", reason="Debian's python3-h2 is not installed")
    server = hooks.serve(http2=True)
    place = hooks.sink("hook", server, batch={"events": 10, "wait": "50ms"})
    place.answers = [Answer(500)]
    hooks.start(*crowd(50))
    hooks.wait_all(place)
    hooks.assert_once(place)
    assert {r.connection.protocol for r in place.requests} == {"h2"} and server.accepted == 1


def test_http2_in_trouble(hooks):
    pytest.importorskip("h2", reason="Debian's python3-h2 is not installed")
    server = hooks.serve(http2=True)
    kinds = {"refuses": https_server.http2_refuses, "goodbye": https_server.http2_says_goodbye,
             "hangs": https_server.hang, "resets": https_server.reset, "closes": https_server.close}
    places = {name: hooks.sink(name, server, batch={"events": 10, "wait": "50ms"}) for name in kinds}
    for name, place in places.items():
        place.answers = [kinds[name], Answer(200), kinds[name]]
    hooks.start(*crowd(50))
    hooks.wait_all(*places.values(), seconds=20)
    for name in kinds:
        hooks.wait_status(name, word="ok", behind=0, rejected=0)
    hooks.assert_once(*places.values())
    assert {c.protocol for c in server.connections} == {"h2"} and len(places["goodbye"].requests) == 7


def test_bodies(hooks):
    server = hooks.serve()
    kinds = [(body, compress) for body in ("array", "ndjson", "single") for compress in ("none", "gzip")]
    places = {kind: hooks.sink("-".join(kind), server, body=kind[0], compress=kind[1],
                               batch={"events": 50, "wait": "200ms"}) for kind in kinds}
    hooks.start(*crowd(60))
    hooks.wait_all(*places.values())
    hooks.assert_once(*places.values())
    for (body, compress), place in places.items():
        types = {r.header("content-type") for r in place.requests}
        assert types == {"application/x-ndjson" if body == "ndjson" else "application/json"}
        assert all(r.header("content-encoding") == (None if compress == "none" else "gzip") for r in place.requests)
        assert all((r.wire[:2] == b"\x1f\x8b") == (compress == "gzip") for r in place.requests)
        sizes = [len(r.events()) for r in place.requests]
        assert set(sizes) == {1} if body == "single" else max(sizes) == 50 and len(sizes) <= 5, (body, sizes)
        shape = type(json.loads(place.requests[0].body.splitlines()[0]))
        assert shape is (list if body == "array" else dict)


LARGE = [f"{i:03}-" + "x" * 3900 for i in range(500)]


def test_large_batches(hooks):
    """Also to one who takes the connection and reads nothing: that must end, too."""
    server, deaf = hooks.serve(), hooks.serve(is_deaf=True)
    large = {"batch": {"events": 500, "wait": "200ms"}}
    place = hooks.sink("hook", server, **large)
    behind = hooks.sink("deaf", deaf, **large)
    hooks.start(*people(*LARGE))
    hooks.wait_status("deaf", word="FAILING", behind=501, answer="time")
    deaf.close()
    hooks.serve(port=deaf.port).places["/deaf"] = behind
    hooks.wait_all(place, behind, seconds=30)
    hooks.assert_once(place, behind)
    assert max(len(r.wire) for r in place.requests) > 1 << 20
    # Expect: 100-continue makes a server that does not know it cost a second a batch.
    assert {r.header("expect") for r in place.requests} == {None}


def test_headers_and_authentication(hooks):
    server = hooks.serve()
    basic = hooks.sink("basic", server, auth={"basic": {"user": "watch", "password": "p:ä\"$w"}})
    bearer = hooks.sink("bearer", server, auth={"bearer": "tok.en=="}, headers={"X-Team": "storage", "x-empty": ""})
    own = hooks.sink("own", server, headers={"User-Agent": "mine", "Authorization": "Splunk 1-2-3"})
    hooks.start(*crowd(5))
    hooks.wait_all(basic, bearer, own)
    hooks.assert_once(basic, bearer, own)
    assert basic.requests[0].header("authorization") == "Basic " + base64.b64encode("watch:p:ä\"$w".encode()).decode()
    request = bearer.requests[0]
    assert request.header("authorization") == "Bearer tok.en=="
    assert request.header("x-team") == "storage" and request.header("x-empty") == ""
    assert own.requests[0].header("user-agent") == "mine"
    assert own.requests[0].header("authorization") == "Splunk 1-2-3"


# ---- Standard Webhooks

def assert_signed(request, secrets):
    """As a receiver does it, from the specification's words and not from sharewatch's."""
    name, stamp = request.header("webhook-id"), request.header("webhook-timestamp")
    assert name and "." not in name and abs(int(stamp) - request.wall) < 5
    content = f"{name}.{stamp}.".encode() + request.wire
    keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    wanted = ["v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys]
    assert request.header("webhook-signature").split(" ") == wanted


def test_signatures(hooks):
    server = hooks.serve()
    one = hooks.sink("one", server, signing_secret=SIGNING[0])
    two = hooks.sink("two", server, signing_secret=SIGNING)
    packed = hooks.sink("packed", server, signing_secret=SIGNING, compress="gzip")
    single = hooks.sink("single", server, signing_secret=SIGNING, body="single")
    for place in (one, two, packed, single):
        place.answers = [Answer(503, {"Retry-After": "2"})]
    hooks.start(*crowd(45))
    hooks.wait_all(one, two, packed, single)
    hooks.assert_once(one, two, packed, single)
    for place in (one, two, packed, single):
        for request in place.requests:
            assert_signed(request, SIGNING[:1] if place is one else SIGNING)
        refused, again = place.requests[:2]
        assert again.header("webhook-id") == refused.header("webhook-id") and again.events() == refused.events()
        assert int(again.header("webhook-timestamp")) >= int(refused.header("webhook-timestamp")) + 2
        # A name for each body, and no body under two names.
        names = [r.header("webhook-id") for r in place.requests[1:]]
        assert len(set(names)) == len(names)
    assert [r.header("webhook-id") for r in single.requests[1:]] == [e["event"]["id"] for e in hooks.agent.events()]


# ---- a receiver in trouble

TROUBLE = {  # what it does, and what status says
    "s408": (Answer(408), "408"), "s429": (Answer(429), "429"), "s500": (Answer(500), "500"),
    "s502": (Answer(502), "502"), "s503": (Answer(503), "503"), "s504": (Answer(504), "504"),
    "hangs": (https_server.hang, "time"), "hangs-in-head": (https_server.hang_in_head, "time"),
    "drips": (https_server.drips, "time"),
    "half-head": (https_server.half_head, ""), "resets": (https_server.reset, "reset"),
    "closes": (https_server.close, ""), "no-http": (https_server.no_http, "HTTP"),
    "endless-500": (endless(500), "500"), "endless-head": (https_server.endless_head, ""),
}


def test_trouble_is_retried_until_all_is_there(hooks):
    server = hooks.serve()
    places = {name: hooks.sink(name, server) for name in TROUBLE}
    for name, place in places.items():
        place.usual = TROUBLE[name][0]
    hooks.start(*crowd(30))
    for name, place in places.items():
        wait_requests(place, 1)
        status = hooks.wait_status(name, word="FAILING", behind=31, answer=TROUBLE[name][1])
        assert status["sent"] == 0 and status["rejected"] == 0 and "last answer" in status["answer"]
        place.usual = Answer(200)
    hooks.wait_all(*places.values(), seconds=30)
    for name, place in places.items():
        hooks.wait_status(name, word="ok", behind=0)
        first, again = place.requests[:2]
        assert again.events() == first.events() and again.header("webhook-id") == first.header("webhook-id")
    hooks.assert_once(*places.values())
    for connection in server.connections:
        assert connection.poured < 16 << 20, "a client that reads on and on"


def test_a_yes_without_an_end_does_not_stop_the_rest(hooks):
    server = hooks.serve()
    kinds = {"hangs": https_server.hang_in_body, "cut": https_server.half_body, "endless": endless(200)}
    places = {name: hooks.sink(name, server, timeout="500ms") for name in kinds}
    for name, place in places.items():
        place.answers = [kinds[name]]
    places["endless"].usual = kinds["endless"]
    hooks.start(*crowd(30))
    for place in places.values():
        wait_requests(place, 2)
    hooks.wait_all(*places.values())
    for name in kinds:
        hooks.wait_status(name, word="ok", behind=0, rejected=0)
    # What was refused or not is the receiver's to know: it may come again, as the same event.
    hooks.assert_at_least_once(*places.values())
    for connection in server.connections:
        assert connection.poured < 16 << 20, "a client that reads on and on"


def http_date(form, wall):
    at = time.gmtime(wall)
    if form == "imf":
        return email.utils.formatdate(wall, usegmt=True)
    if form == "rfc850":
        return time.strftime("%A, %d-%b-%y %H:%M:%S GMT", at)
    return time.strftime("%a %b ", at) + f"{at.tm_mday:2}" + time.strftime(" %H:%M:%S %Y", at)


def test_retry_after_is_waited_for(hooks):
    server = hooks.serve()
    forms = ["seconds", "imf", "rfc850", "asctime", "of-another-clock"]
    nonsense = ["soon", "-5", "2.5.1", "", "Sun, 06 Nov 1994 08:49:37 GMT", "3 seconds", "99999999999999999999x"]
    until = {}

    def busy(form, status):
        def choose(request):
            until[form] = int(request.wall) + 3
            if form == "of-another-clock":
                return Answer(status, {"Date": http_date("imf", request.wall + 9999),
                                       "Retry-After": http_date("imf", until[form] + 9999)})
            return Answer(status, {"Retry-After": "2" if form == "seconds" else http_date(form, until[form])})
        return Choice(choose)
    places = {form: hooks.sink(form, server) for form in forms}
    for form, place in places.items():
        place.answers = [busy(form, 503 if form == "imf" else 429)]
    others = [hooks.sink(f"nonsense{i}", server) for i in range(len(nonsense))]
    for place, value in zip(others, nonsense):
        place.answers = [Answer(429, {"Retry-After": value})]
    long = hooks.sink("long", server)
    long.answers = [Answer(429, {"Retry-After": "99999999999999999999"})]

    hooks.stop_timeout = "1s"
    hooks.start(*crowd(10))
    for place in places.values():
        wait_requests(place, 1)
    for form in forms:
        hooks.wait_status(form, word="FAILING", answer="503" if form == "imf" else "429", rejected=0)
    hooks.wait_all(*places.values(), *others)
    hooks.wait_status("long", word="FAILING", answer="429")
    hooks.agent.signal(signal.SIGTERM)
    for place, value in zip(others, nonsense):
        assert place.requests[1].at - place.requests[0].at < 2.4, value
    for form, place in places.items():
        refused, again = place.requests[:2]
        if form == "seconds":
            assert 2 <= again.at - refused.at < 5
        else:
            assert until[form] <= again.wall < until[form] + 3, form
    assert len(long.requests) == 1
    assert hooks.agent.process.wait(20) == 0


def test_there_is_no_server_at_first(hooks):
    """Nobody listens, somebody who never speaks, somebody who speaks no TLS; then the server."""
    firsts = {"nobody": hooks.serve(), "silent": https_server.Silent(), "plain": hooks.serve(None)}
    hooks.servers.append(firsts["silent"])
    firsts["nobody"].close()
    places = {}
    for name, first in firsts.items():
        places[name] = https_server.Place()
        hooks.sinks[name] = hooks.conf(url=f"https://localhost:{first.port}/hook")
    hooks.start(*crowd(30))
    words = {"nobody": "connect", "silent": "time", "plain": "SSL"}
    for name in firsts:
        status = hooks.wait_status(name, word="FAILING", behind=31, answer=words[name])
        assert status["sent"] == 0 and status["rejected"] == 0
    assert firsts["silent"].accepted >= 1
    for name, first in firsts.items():
        first.close()
        hooks.serve(port=first.port).places["/hook"] = places[name]
    hooks.wait_all(*places.values(), seconds=30)
    for name in firsts:
        hooks.wait_status(name, word="ok", behind=0)
    hooks.assert_once(*places.values())


def test_a_new_address_gets_what_the_old_one_did_not_take(hooks):
    server = hooks.serve()
    place = hooks.sink("hook", server)
    place.usual = Answer(500)
    hooks.start(*crowd(30))
    wait_requests(place, 1)
    place = hooks.sink("hook", server, "/new-place")
    hooks.write()
    assert hooks.agent.reload()["event"]["outcome"] == "success"
    hooks.wait_all(place)
    hooks.assert_once(place)


def test_a_slow_receiver_gets_all_in_order(hooks):
    server = hooks.serve()
    place = hooks.sink("hook", server, timeout="10s", batch={"events": 10, "wait": "50ms"})
    place.usual = after(0.3)
    hooks.start(*crowd(40))
    hooks.nas.show(*crowd(80))
    hooks.agent.wait("session-opened", 80)
    hooks.wait_all(place)
    hooks.assert_once(place)
    # One at a time: each came after the answer to the one before.
    gaps = [b.at - a.at for a, b in itertools.pairwise(place.requests)]
    assert min(gaps) >= 0.3 and server.accepted == 1


def test_a_dead_receiver_does_not_hold_up_another(hooks):
    server = hooks.serve()
    dead = hooks.sink("dead", server, timeout="30s")
    dead.usual = https_server.hang
    place = hooks.sink("hook", server)
    hooks.stop_timeout = "1s"
    hooks.start(*crowd(30))
    wait_requests(dead, 1)
    for count in (60, 90):
        shown = time.monotonic()
        hooks.nas.show(*crowd(count))
        wait_until(lambda: len(place.users()) == count, 5, "the crowd")
        assert time.monotonic() - shown < 2
    # And the stop does not wait for its 30 s.
    stopped = time.monotonic()
    hooks.assert_once(place)
    assert time.monotonic() - stopped < 4
    assert len(dead.requests) == 1


# ---- a receiver that refuses records

def test_a_batch_that_is_too_large_is_halved(hooks):
    server = hooks.serve()
    place = hooks.sink("hook", server, batch={"events": 32, "wait": "50ms"})
    place.usual = Choice(lambda r: Answer(413 if len(r.events()) > 5 else 200))
    hooks.start(*crowd(60))
    hooks.wait_all(place)
    status = hooks.wait_status("hook", word="ok", behind=0)
    assert status["rejected"] == 0 and status["sent"] == 61
    hooks.assert_once(place)


@pytest.mark.parametrize("how", ["too_large", "too_large_reset"])
def test_a_batch_that_is_too_large_to_be_read_is_halved(hooks, how):
    """The answer comes while we still send, and the connection goes."""
    server = hooks.serve()
    place = hooks.sink("hook", server, batch={"events": 500, "wait": "200ms"})
    place.early = (600_000, getattr(https_server, how))
    hooks.start(*people(*LARGE))
    hooks.wait_all(place, seconds=30)
    hooks.wait_status("hook", word="ok", behind=0, rejected=0)
    hooks.assert_once(place)


def test_one_bad_record_is_set_aside_alone(hooks):
    server = hooks.serve()
    names = ("400", "413", "422")
    bad = "user0010-bad"
    places = [hooks.sink("s" + name, server) for name in names]
    for place, name in zip(places, names):
        answer = Answer(int(name), {}, b'{"error": "what is bad?"}')
        place.usual = Choice(lambda r, answer=answer: answer if bad in r.users() else Answer(200))
    hooks.start(*crowd(10), *people(bad), *crowd(30, first=10))
    without_bad = 41
    for place, name in zip(places, names):
        wait_until(lambda: len(place.events()) == without_bad, 15, "all but one")
        status = hooks.wait_status("s" + name, word="ok", behind=0, rejected=1)
        assert status["sent"] == without_bad
        alone = [r for r in place.requests if len(r.events()) == 1 and r.users() == [bad]]
        assert len(alone) == 1 and alone[0].status == int(name)
        assert re.search(rf"sink s{name}: event \d+ is set aside: [^\n]*{name}", hooks.agent.log())
    hooks.assert_once(*places, without=[bad])


def test_a_receiver_that_refuses_everything_is_not_believed(hooks):
    server = hooks.serve()
    place = hooks.sink("hook", server)
    place.usual = Answer(400)
    hooks.start(*crowd(30))
    status = hooks.wait_status("hook", word="PAUSED", answer="400")
    assert status["rejected"] == 2 and status["sent"] == 0
    place.usual = Answer(200)
    hooks.agent.reload()
    wait_until(lambda: len(place.users()) == 29, 10, "all but the two that were set aside")
    hooks.wait_status("hook", word="ok", behind=0, rejected=2)
    assert hooks.agent.stop() == 0
    assert place.events() == hooks.agent.events()[2:]


# ---- a receiver that refuses us

def test_a_receiver_that_refuses_us_pauses(hooks):
    elsewhere = hooks.serve()
    server = hooks.serve()
    answers = {code: Answer(code) for code in (401, 403, 404, 407, 410)}
    answers |= {code: Answer(code, {"Location": elsewhere.url("/stolen")}) for code in (301, 302, 307)}
    answers |= {303: Answer(303, {"Location": "/nearby"}), 308: Answer(308, {"Location": server.url("/nearby")})}
    places = {code: hooks.sink(f"s{code}", server, auth={"bearer": "tok"}) for code in answers}
    for code, place in places.items():
        place.usual = answers[code]
    hooks.start(*crowd(30))
    for code in places:
        status = hooks.wait_status(f"s{code}", word="PAUSED", answer=str(code), behind=31)
        assert status["sent"] == 0 and status["rejected"] == 0
    assert hooks.sharewatch.run("status", "-c", hooks.agent.conf).returncode == 1
    assert {len(p.requests) for p in places.values()} == {1}
    # A reload asks once more.
    hooks.agent.reload()
    for place in places.values():
        wait_requests(place, 2)
    for code in places:
        hooks.wait_status(f"s{code}", word="PAUSED")
    for place in places.values():
        place.usual = Answer(200)
    hooks.agent.reload()
    hooks.wait_all(*places.values())
    for code in places:
        hooks.wait_status(f"s{code}", word="ok", behind=0, rejected=0)
    hooks.assert_once(*places.values())
    assert elsewhere.accepted == 0 and not server.strays


def test_a_certificate_that_is_not_theirs_pauses_and_nothing_is_sent(hooks):
    servers = {name: hooks.serve(name) for name in ("wrong-name", "expired", "other")}
    places = {name: hooks.sink(name, server, "/hook") for name, server in servers.items()}
    hooks.start(*crowd(30))
    words = {"wrong-name": "name", "expired": "expired", "other": "issuer"}
    for name, server in servers.items():
        status = hooks.wait_status(name, word="PAUSED", behind=31, answer="certificate")
        assert status["sent"] == 0 and status["rejected"] == 0 and words[name] in status["answer"]
        assert server.accepted >= 1 and not server.requests
    for name, server in servers.items():
        server.close()
        hooks.serve(port=server.port).places["/hook"] = places[name]
    hooks.agent.reload()
    hooks.wait_all(*places.values())
    hooks.assert_once(*places.values())


def test_only_the_ca_file_counts(hooks):
    """A server of one CA, a sink that trusts another: the system's own are not asked either."""
    server = hooks.serve("other")
    place = hooks.sink("hook", server)
    hooks.start(*crowd(3))
    hooks.wait_status("hook", word="PAUSED", answer="certificate")
    hooks.sink("hook", server, ca_file=str(hooks.pki.pem("other-ca")))
    hooks.write()
    hooks.agent.reload()
    hooks.wait_all(place)
    hooks.assert_once(place)


@pytest.mark.parametrize("tls", ["TLSv1_2", "TLSv1_3"])
def test_client_certificates(hooks, tls):
    server = hooks.serve(client_ca="ca", tls=getattr(ssl.TLSVersion, tls))
    # With TLS 1.3 we may never hear why this one does not want us.
    rude = hooks.serve(client_ca="ca", tls=getattr(ssl.TLSVersion, tls), is_rude=True)

    def certificate(name):
        return {"client_cert": str(hooks.pki.pem(name)), "client_key": str(hooks.pki.key(name))}
    good = hooks.sink("good", server, **certificate("client"))
    refused = {"none": hooks.sink("none", server), "other": hooks.sink("other", server, **certificate("other-client")),
               "rudely": hooks.sink("rudely", rude)}
    hooks.start(*crowd(30))
    hooks.wait_all(good)
    for name in ("none", "other"):
        status = hooks.wait_status(name, word="PAUSED", behind=31)
        # Without one, a server of TLS 1.2 says no more than this.
        assert re.search("certificate|unknown ca|handshake failure", status["answer"]), status
        assert status["sent"] == 0 and status["rejected"] == 0
    wait_until(lambda: hooks.status("rudely")["word"] in ("PAUSED", "FAILING"), 10, "status")
    assert hooks.status("rudely")["rejected"] == 0
    assert not any(place.requests for place in refused.values())
    for name in refused:
        hooks.sink(name, rude if name == "rudely" else server, **certificate("client"))
    hooks.write()
    hooks.agent.reload()
    hooks.wait_all(*refused.values())
    hooks.assert_once(good, *refused.values())


# ---- proxies

def test_a_proxy_is_used_when_it_is_configured(hooks):
    server = hooks.serve()
    proxy = hooks.proxy()
    place = hooks.sink("hook", server, proxy=f"http://127.0.0.1:{proxy.port}",
                       headers={"X-Key": "k3y"}, auth={"bearer": "tok"})
    hooks.start(*crowd(50))
    hooks.wait_all(place)
    hooks.assert_once(place)
    assert [asked for asked, _ in proxy.asked] == [f"CONNECT localhost:{server.port} HTTP/1.1"]
    headers = proxy.asked[0][1]
    # What is meant for the receiver is not the proxy's to read, and the other way round.
    assert "authorization" not in headers and "x-key" not in headers
    assert not any(n.startswith("proxy-") for r in place.requests for n, _ in r.headers)


def test_proxies_of_the_environment_do_not_count(hooks):
    server, plain = hooks.serve(), hooks.serve(None)
    proxy = hooks.proxy()
    url = f"http://127.0.0.1:{proxy.port}"
    names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    places = [hooks.sink("tls", server), hooks.sink("plain", plain, ca_file=None),
              hooks.sink("none", server, proxy="none")]
    hooks.start(*crowd(30), prefix=["env", *[f"{name}={url}" for name in names]])
    hooks.wait_all(*places)
    hooks.assert_once(*places)
    assert proxy.accepted == 0


# ---- crashes

def test_killed_in_the_middle_of_a_batch(hooks):
    server = hooks.serve()
    place = hooks.sink("hook", server, batch={"events": 10, "wait": "50ms"})
    never = threading.Event()
    place.answers = [Answer(200), Answer(200), once_set(never)]
    hooks.start(*crowd(50))
    wait_requests(place, 3)
    half_told = place.requests[2].events()
    hooks.agent.kill()
    place.usual = after(0.03)
    hooks.agent.start()
    wait_requests(place, 5)
    # Again and again, wherever it is.
    for count in (70, 90):
        hooks.nas.show(*crowd(count))
        seen = len(place.requests)
        wait_requests(place, seen + 2)
        hooks.agent.kill()
        hooks.agent.start()
    hooks.agent.wait("session-opened", 90)
    hooks.wait_all(place)
    assert hooks.agent.stop() == 0
    # The file beside is written by the same agent: it has its own repetitions.
    told, came = {}, {}
    for event in hooks.agent.events():
        assert told.setdefault(event["event"]["id"], event) == event
    for event in [e for r in place.requests for e in r.events()]:
        assert came.setdefault(event["event"]["id"], event) == event
    assert came == told and ids(half_told) <= ids(place.events())
    for events in (told, came):
        sequences = [e["event"]["sequence"] for e in events.values()]
        assert sequences == list(range(1, len(sequences) + 1))
    assert sorted(e["user"]["name"] for e in came.values() if e["event"]["action"] == "session-opened") == \
        [s["user"] for s in crowd(90)]
