"""What is secret in a webhook's configuration appears nowhere; mistakes in it are told."""

import base64
import json
import re

import pytest

from https_server import Answer, Choice
from samba_helpers import wait_until
from webhook_helpers import SIGNING, crowd, people

SECRETS = {"path": "pa-th0secret", "query": "que-ry1secret", "bearer": "bea-rer2secret", "header": "hea-der3secret",
           "password": "pass-word4secret", "signing": base64.b64encode(b"signing5secret-signing5secret-32").decode(),
           "proxy": "pro-xy6secret", "basic": base64.b64encode(b"u:pass-word4secret").decode()}


def assert_no_secret(text, where):
    for name, secret in SECRETS.items():
        assert secret not in text, f"{name} in {where}: {text[max(0, text.index(secret) - 300):][:600]}"


def test_secrets_appear_nowhere(hooks):
    server = hooks.serve()
    path = f"/{SECRETS['path']}?token={SECRETS['query']}"
    common = {"headers": {"X-Key": SECRETS["header"]}, "signing_secret": "whsec_" + SECRETS["signing"]}
    place = hooks.sink("hook", server, path, auth={"bearer": SECRETS["bearer"]}, **common)
    hooks.sink("second", server, path, auth={"basic": {"user": "u", "password": SECRETS["password"]}}, **common)
    proxy = hooks.proxy()
    hooks.sink("third", server, path, proxy=f"http://127.0.0.1:{proxy.port}", **common)
    hooks.sink("fourth", server, path, **common)
    hooks.sinks["fourth"]["url"] = hooks.sinks["fourth"]["url"].replace(f":{server.port}", ":1")

    def echo(status):
        def choose(request):
            # All that this sink has, as it came and bare; short, as answers are cut.
            authorization = str(request.header("authorization"))
            own = {"Bearer": ["bearer"], "Basic": ["basic", "password"]}.get(authorization.split()[0], [])
            own += ["path", "query", "header", "signing"]
            words = " ".join(["no", request.target, authorization, *(SECRETS[name] for name in own)])
            body = f"\x1b[31m{words}\nerror sink hook: forged \u202e line\r\n".encode()
            return Answer(status, {"Location": f"https://localhost{request.target}", "X-Echo": words}, body,
                          reason=f"No {request.target} \x1b[31m here")
        return Choice(choose)

    seen = []
    hooks.stop_timeout = "1s"
    for status in (404, 301, 500, 400, 429, 200):
        place.usual = echo(status)
        if hooks.agent.process is None:
            hooks.start(*crowd(5), *people("bad"), level="debug")
        else:
            hooks.agent.reload()
        wait_until(lambda: any(r.status == status for r in place.requests), 15, f"asked again, {status}")
        seen += [hooks.wait_status("hook", answer=str(status))["answer"]] if status != 200 else []
        for command in ("check", "status", "sessions"):
            ended = hooks.sharewatch.run(command, "-c", hooks.agent.conf)
            assert_no_secret(ended.stdout + ended.stderr, command)
            assert "\x1b" not in ended.stdout + ended.stderr
    fourth = hooks.wait_status("fourth", word="FAILING")
    hooks.agent.stop()
    log = hooks.agent.log()
    assert_no_secret(log, "log")
    assert "\x1b" not in log and "\u202e" not in log and not re.search(r"^error sink hook: forged", log, re.M)
    assert_no_secret(hooks.agent.events_path.read_text(), "events")
    for place in server.places.values():
        assert_no_secret("".join(json.dumps(r.events()) for r in place.requests), "what is sent")
    for file in (hooks.sharewatch.folder / "state").iterdir():
        assert_no_secret(file.read_bytes().decode("latin-1"), file.name)
    # Yet it says what the trouble is, and where.
    assert [re.search(r"HTTP (\d+)", a)[1] for a in seen] == ["404", "301", "500", "400", "429"]
    assert "https://localhost:1" in fourth["answer"]


MISTAKES = [
    {"url": "htps://localhost/pa-th0secret"}, {"url": "pa-th0secret"}, {"url": "https:///pa-th0secret"},
    {"url": "https://localhost:99999/pa-th0secret"}, {"url": "https://localhost:x/pa-th0secret"},
    {"url": "https://localhost/pa-th0secret and more"}, {"url": "https://localhost/pa-th0secret\nmore"},
    {"url": "ftp://localhost/pa-th0secret"}, {"url": "file:///pa-th0secret"},
    {"url": "https://me:pass-word4secret@localhost/pa-th0secret"},
    {"url": "https://localhost/pa-th0secret#que-ry1secret"},
    {"url": ["https://localhost/pa-th0secret"]}, {"url": {"https://localhost/pa-th0secret": 1}},
    {"urll": "https://localhost/pa-th0secret"},
    {"headers": {"X Key": "hea-der3secret"}}, {"headers": {"X-Key": "hea-der3secret\nX-More: 1"}},
    {"headers": {"X-Key": ["hea-der3secret"]}}, {"headers": ["X-Key: hea-der3secret"]},
    {"headers": {"X-Key": "a", "x-key": "hea-der3secret"}},
    {"headers": {"Content-Length": "hea-der3secret"}}, {"headers": {"Host": "hea-der3secret"}},
    {"headers": {"Transfer-Encoding": "hea-der3secret"}},
    {"headers": {"Authorization": "hea-der3secret"}, "auth": {"bearer": "bea-rer2secret"}},
    {"headers": {"Webhook-Id": "hea-der3secret"}, "signing_secret": SIGNING[0]},
    {"auth": {"bearer": "bea-rer2secret\n"}}, {"auth": {"bearer": ["bea-rer2secret"]}},
    {"auth": "bea-rer2secret"}, {"auth": {}},
    {"auth": {"bearer": "bea-rer2secret", "basic": {"user": "u", "password": "pass-word4secret"}}},
    {"auth": {"basic": {"user": "a:b", "password": "pass-word4secret"}}},
    {"auth": {"basic": {"password": "pass-word4secret"}}}, {"auth": {"basic": "u:pass-word4secret"}},
    {"signing_secret": "hea-der3secret"}, {"signing_secret": "whsec_hea-der3secret"},
    {"signing_secret": "whsec_" + base64.b64encode(b"short").decode()}, {"signing_secret": []},
    {"signing_secret": [*SIGNING, "whsec_" + base64.b64encode(b"signing5secret-signing5secret-32").decode()]},
    {"proxy": "socks5://u:pro-xy6secret@localhost:1"}, {"proxy": "pro-xy6secret"},
    {"proxy": "http://u:pro-xy6secret@localhost:99999"}, {"proxy": "http://u:pro-xy6secret@localhost:3128"},
    {"proxy": "http://localhost"},
    {"body": "xml"}, {"compress": "zstd"}, {"timeout": "0s"}, {"batch": {"events": 0}}, {"batch": {"wait": "1"}},
    {"verify": False}, {"insecure": True}, {"client_key": "/etc/hostname"},
    # What is secret goes in the clear to this machine alone.
    {"url": "http://hooks.example.com/pa-th0secret", "auth": {"bearer": "bea-rer2secret"}},
    {"url": "http://192.0.2.1/pa-th0secret", "auth": {"basic": {"user": "u", "password": "pass-word4secret"}}},
    {"url": "http://[2001:db8::1]/pa-th0secret", "headers": {"X-Auth-Token": "hea-der3secret"}},
    {"url": "http://localhost.example.com/pa-th0secret", "auth": {"bearer": "bea-rer2secret"}},
    {"url": "http://127.0.0.1.example.com/pa-th0secret", "auth": {"bearer": "bea-rer2secret"}},
    {"url": "http://127.0.0.1@example.com/pa-th0secret", "auth": {"bearer": "bea-rer2secret"}},
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: re.sub(r"[^\w]+", "-", json.dumps(m))[:60])
def test_mistakes_are_told_without_what_is_secret(sharewatch, mistake):
    sink = {"type": "webhook", "url": "https://localhost/pa-th0secret"} | mistake
    conf = sharewatch.write("sources: {n: {type: exec, command: [/bin/true]}}\n"
                            f"sinks: {{hook: {json.dumps(sink)}}}\n")
    for command in ("check", "run"):
        ended = sharewatch.run(command, "-c", conf)
        assert ended.returncode == 78, ended.stdout + ended.stderr
        assert "sinks.hook" in ended.stdout + ended.stderr
        assert_no_secret(ended.stdout + ended.stderr, command)


@pytest.mark.parametrize("keys", [
    {"url": "http://localhost:8080/x", "auth": {"bearer": "tok"}},
    {"url": "http://127.0.0.1/x", "auth": {"bearer": "tok"}},
    {"url": "http://127.1.2.3/x", "auth": {"bearer": "tok"}}, {"url": "http://[::1]:80/x", "auth": {"bearer": "tok"}},
    {"url": "https://hooks.example.com/services/T000/B000/XXX?a=b%20c"}, {"url": "https://user.example.com:8443"},
    {"url": "https://[2001:db8::1]:8443/x", "proxy": "http://proxy.example.com:3128"},
    {"url": "https://localhost/x", "signing_secret": SIGNING, "compress": "gzip", "body": "ndjson"}],
    ids=lambda k: k["url"])
def test_good_configurations(sharewatch, keys):
    conf = sharewatch.write("sources: {n: {type: exec, command: [/bin/true]}}\n"
                            f"sinks: {{hook: {json.dumps({'type': 'webhook'} | keys)}}}\n")
    ended = sharewatch.run("check", "-c", conf)
    assert ended.returncode == 0, ended.stdout + ended.stderr
