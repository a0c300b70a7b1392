# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""`config/nginx.conf` in a real nginx: it loads, and its doors are as written."""

import json
import re
import ssl
import threading
import time
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oda_tools import paths
from tests.helpers import nginx

CONF = paths.ROOT / "config" / "nginx.conf"
CRM, PBX = "crm.example.md", "pbx.example.md"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def certificate(folder):
    """Write a key and a certificate of its own for both names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CRM)])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (folder / "fullchain.pem").write_bytes(made.public_bytes(pem))
    (folder / "privkey.pem").write_bytes(secret)


class Upstream(ThreadingHTTPServer):
    """Says back what reached it."""

    def __init__(self, name):
        outer = name

        class Echo(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                said = {
                    "server": outer,
                    "method": self.command,
                    "path": self.path,
                    "headers": {k.lower(): v for k, v in self.headers.items()},
                    "body": len(self.rfile.read(length)),
                }
                body = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_args):
                pass

        super().__init__(("127.0.0.1", 0), Echo)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def fitted(text, folder, ports):
    """Return the configuration with this test's ports and files, else unchanged."""
    changes = [
        ("/etc/letsencrypt/live/crm.example.md", str(folder), 4),
        ("127.0.0.1:8069", f"127.0.0.1:{ports['web']}", 1),
        ("127.0.0.1:8072", f"127.0.0.1:{ports['websocket']}", 1),
        ("/var/lib/oda/filestore", str(folder), 1),
        ("<key>", "demo", 1),
    ]
    for old, new, count in changes:
        assert text.count(old) == count, f"{old}: {text.count(old)} times"
        text = text.replace(old, new)
    # Whether it may bind IPv6 is the machine's business, not that of the file.
    text = re.sub(r"(?m)^\s*listen \[::\]:.*\n", "", text)
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{ports['tls']} ")
    return text.replace("listen 80;", f"listen 127.0.0.1:{ports['plain']};")


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    """A running nginx: `front(host, method, path, …)` -> (status, said, headers)."""
    program, why = nginx.find()
    if not program:
        print(f"\nSKIPPED: config/nginx.conf was not loaded by a real nginx: {why}")
        pytest.skip(f"no nginx: {why}")
    folder = tmp_path_factory.mktemp("nginx")
    certificate(folder)
    web, websocket = Upstream("web"), Upstream("websocket")
    ports = {"web": web.server_port, "websocket": websocket.server_port}
    for name in ("tls", "plain"):
        with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as free:
            ports[name] = free.server_port
    text = fitted(CONF.read_text(encoding="utf-8"), folder, ports)
    server = nginx.Nginx(program, folder, text)
    well, words = server.check()
    assert well, words
    assert "[warn]" not in words, words
    # The client looks at no certificate: it is the test's own, of this minute.
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE

    def ask(host, method, path, body=None, headers=None, tls=True):
        kind = HTTPSConnection if tls else HTTPConnection
        options = {"context": trusting} if tls else {}
        port = ports["tls" if tls else "plain"]
        line = kind("127.0.0.1", port, timeout=10, **options)
        line.request(method, path, body, {"Host": host, **(headers or {})})
        answer = line.getresponse()
        content = answer.read()
        said = json.loads(content) if content[:1] == b"{" else {}
        line.close()
        return answer.status, said, dict(answer.headers)

    with server:
        for _try in range(100):
            try:
                ask(CRM, "GET", "/")
                break
            except OSError:
                time.sleep(0.1)
        yield ask
    web.shutdown()
    websocket.shutdown()


def test_a_tenant_that_can_only_post_to_the_root(front):
    body = "cmd=event&type=INCOMING&callid=1&crm_token=x"
    status, said, _headers = front(PBX, "POST", "/", body, FORM)
    assert status == 200
    assert (said["method"], said["path"]) == ("POST", "/oda/in/moldcell/demo")
    assert said["body"] == len(body)
    assert said["headers"]["host"] == CRM
    assert said["headers"]["x-forwarded-for"] == "127.0.0.1"


def test_nothing_else_is_open_on_that_host(front):
    assert front(PBX, "GET", "/")[0] == 403
    for path in ("/web/login", "/oda/in/moldcell/other", "/oda/metrics", "/x"):
        assert front(PBX, "POST", path, "a=1", FORM)[0] == 404


def test_the_caller_cannot_lend_itself_an_address(front):
    lent = {**FORM, "X-Forwarded-For": "8.8.8.8", "X-Real-IP": "8.8.8.8"}
    for host, path in ((PBX, "/"), (CRM, "/oda/in/moldcell/demo")):
        _status, said, _headers = front(host, "POST", path, "a=1", lent)
        assert said["headers"]["x-forwarded-for"] == "127.0.0.1"


def test_pushes_go_through_and_floods_of_bytes_do_not(front):
    status, said, _headers = front(CRM, "POST", "/oda/in/moldcell/demo", "a=1", FORM)
    assert (status, said["path"]) == (200, "/oda/in/moldcell/demo")
    assert front(CRM, "POST", "/oda/in/x/y", "a" * (3 << 20), FORM)[0] == 413
    assert front(PBX, "POST", "/", "a" * (3 << 20), FORM)[0] == 413


def test_closed_doors(front):
    for path in ("/web/database/manager", "/queue_job/runjob", "/doc/", "/doc"):
        assert front(CRM, "GET", path)[0] == 404, path
    # Odoo's own X-Accel path is not for callers.
    assert front(CRM, "GET", "/web/filestore/oda/aa/x")[0] == 404


def test_live_news_go_to_their_own_process(front):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    _status, said, _headers = front(CRM, "GET", "/websocket", headers=upgrade)
    assert said["server"] == "websocket"
    assert said["headers"]["upgrade"] == "websocket"
    assert front(CRM, "GET", "/odoo")[1]["server"] == "web"


def test_the_safety_headers_are_there(front):
    headers = front(CRM, "GET", "/odoo")[2]
    assert headers["Strict-Transport-Security"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_plain_http_is_sent_to_tls(front):
    status, _said, headers = front(CRM, "GET", "/odoo", tls=False)
    assert (status, headers["Location"]) == (301, f"https://{CRM}/odoo")


def test_guessing_of_passwords_is_slowed_down(front):
    seen = [front(CRM, "POST", "/web/login", "a=1", FORM)[0] for _ in range(20)]
    assert seen.count(200) <= 13
    assert 503 in seen or 429 in seen


def test_the_file_is_the_one_of_the_guide():
    assert Path("config/nginx.conf").name in (
        paths.ROOT / "docs" / "operator.md"
    ).read_text(encoding="utf-8")
