# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Real servers on loopback that behave badly; no tests in here."""

import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
import tempfile
import threading
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.configuration import set_hypothesis_home_dir

from odoo.addons.oda_base import settings

# Nothing is written beside the sources.
set_hypothesis_home_dir(os.path.join(tempfile.gettempdir(), f"oda-{os.getuid()}"))
examples = hypothesis_settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Request:
    """What came: method, path, headers (lower case), body."""

    def __init__(self, conn):
        conn.settimeout(5)
        raw = b""
        while b"\r\n\r\n" not in raw:
            more = conn.recv(65536)
            if not more:
                raise ConnectionError("nobody spoke")
            raw += more
        head, _sep, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _version = lines[0].split(" ")
        self.headers = {}
        for line in lines[1:]:
            name, _colon, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        length = int(self.headers.get("content-length", 0))
        while len(self.body) < length:
            more = conn.recv(65536)
            if not more:
                break
            self.body += more


def answer(status=200, body=b"", headers=()):
    """Bytes of a complete HTTP answer."""
    lines = [f"HTTP/1.1 {status} Whatever"]
    names = {name.lower() for name, _value in headers}
    if "content-length" not in names:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class FaultServer:
    """Accepts on 127.0.0.1 and lets ``behave(server, conn, request)`` do its worst.

    ``requests``: list of Request seen; ``stopping``: Event that long misbehaviour
    waits on, so that no test outlives its server.
    """

    def __init__(self, behave, tls=None):
        self.behave = behave
        self.tls = tls
        self.requests = []
        self.connections = 0
        self.stopping = threading.Event()
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self.hostport = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.hostport}"

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_exc):
        self.stopping.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                conn, _peer = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, conn)

    def _serve(self, conn):
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            stack.callback(conn.close)
            if self.tls:
                conn.settimeout(5)
                conn = self.tls.wrap_socket(conn, server_side=True)
                stack.callback(conn.close)
            request = Request(conn)
            self.requests.append(request)
            self.behave(self, conn, request)


def script(*answers):
    """Behaviour: the n-th request gets the n-th answer, the last one for ever."""

    def behave(server, conn, _request):
        conn.sendall(answers[min(len(server.requests), len(answers)) - 1])

    return behave


def drip(head=b"", every=0.05):
    """Behaviour: ``head`` at once, then one byte now and then, for ever."""

    def behave(server, conn, _request):
        conn.sendall(head)
        while not server.stopping.wait(every):
            conn.sendall(b"x")

    return behave


def flood(head):
    """Behaviour: ``head``, then bytes as fast as they go, for ever."""

    def behave(server, conn, _request):
        conn.sendall(head)
        while not server.stopping.is_set():
            conn.sendall(b"\0" * 65536)

    return behave


def reset_after(data):
    """Behaviour: ``data``, then a TCP reset."""

    def behave(_server, conn, _request):
        conn.sendall(data)
        linger = b"\x01\0\0\0\0\0\0\0"
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return behave


def mute(server, _conn, _request):
    """Behaviour: read the request, never answer."""
    server.stopping.wait(5)


def sandbox(*hosts, environment="sandbox"):
    """Patch the [oda] section for a test."""
    section = settings.parse_section(
        {"environment": environment, "sandbox_hosts": ",".join(hosts)}
    )
    return patch.object(settings, "oda_section", lambda: section)


def certificate(directory, *names):
    """A self-signed certificate for DNS names and addresses.

    :return: (path of the certificate, server-side SSLContext)
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "oda test")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = []
    for text in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError:
            alternatives.append(x509.DNSName(text))
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path = os.path.join(directory, "cert.pem")
    key_path = os.path.join(directory, "key.pem")
    with open(cert_path, "wb") as handle:
        handle.write(cert.public_bytes(serialization.Encoding.PEM))
    with open(key_path, "wb") as handle:
        handle.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_path, key_path)
    return cert_path, context
