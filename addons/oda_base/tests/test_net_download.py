# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import gzip
import hashlib
import os
import socket
import tempfile
import time
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from odoo.addons.oda_base.net import download as download_module
from odoo.addons.oda_base.net.audio import accept_audio
from odoo.addons.oda_base.net.download import Downloader, download
from odoo.addons.oda_base.net.errors import NotThere, Outcome, Refused, Temporary

from . import net_servers as servers
from .net_servers import FaultServer, answer, examples, script
from .test_net_audio import mp3

NAME = "demo.pbx.moldcell.md"


class DownloadCase(BaseCase):
    def setUp(self):
        super().setUp()
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.options = {"directory": self.directory}

    def fetch(self, server, path="/rec.mp3", **options):
        """Through the sandbox door: plain http on loopback."""
        with servers.sandbox(server.hostport):
            return download(f"{server.url}{path}", (), **{**self.options, **options})

    def fails(self, error, call, *args, **options):
        """Assert the error, within 3 s, leaving no file; returns it."""
        started = time.monotonic()
        with self.assertRaises(error) as caught:
            call(*args, **options)
        self.assertLess(time.monotonic() - started, 3)
        left = [name for name in os.listdir(self.directory) if name.startswith("oda-")]
        self.assertEqual(left, [])
        return caught.exception

    def outside(self, addresses=("127.0.0.1",), count=None):
        """A resolver that answers ``addresses``, noting each question in ``count``."""

        def resolver(host, port, *_rest):
            if count is not None:
                count.append(host)
            return [
                (
                    socket.AF_INET6 if ":" in text else socket.AF_INET,
                    socket.SOCK_STREAM,
                    6,
                    "",
                    (text, port, 0, 0) if ":" in text else (text, port),
                )
                for text in addresses
            ]

        return resolver


class TestDownload(DownloadCase):
    def test_whole(self):
        sound = mp3(200)
        reply = answer(200, sound, [("Content-Type", "Audio/MPEG; charset=x")])
        with FaultServer(script(reply)) as server:
            got = self.fetch(server, "/r%20c.mp3?x=1", headers={"X-API-KEY": "k"})
            with got:
                self.assertEqual(got.size, len(sound))
                self.assertEqual(got.sha256, hashlib.sha256(sound).hexdigest())
                self.assertEqual(got.content_type, "audio/mpeg")
                self.assertEqual(got.file.read(), sound)
                with open(got.path, "rb") as handle:
                    self.assertEqual(handle.read(), sound)
            self.assertFalse(os.path.exists(got.path))
            got.close()  # once more does no harm
        seen = server.requests[0]
        self.assertEqual(seen.path, "/r%20c.mp3?x=1")
        self.assertEqual(seen.headers["host"], server.hostport)
        self.assertEqual(seen.headers["accept-encoding"], "identity")
        self.assertEqual(seen.headers["x-api-key"], "k")

    def test_empty_chunked_and_unannounced(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunked += b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        for reply, body in (
            (answer(), b""),
            (chunked, b"abcde"),
            (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
        ):
            with FaultServer(script(reply)) as server, self.fetch(server) as got:
                self.assertEqual(got.file.read(), body)
                self.assertEqual(got.size, len(body))

    def test_accept(self):
        sound = mp3(3000)
        asked = []

        def accept(first, content_type):
            asked.append((len(first), content_type))
            return accept_audio(first, content_type)

        kind = [("Content-Type", "application/octet-stream")]
        with FaultServer(script(answer(200, sound, kind))) as server:
            with self.fetch(server, accept=accept) as got:
                self.assertEqual(got.content_type, "audio/mpeg")
        self.assertEqual(asked, [(4096, "application/octet-stream")])
        for page, kind in (
            (b"<!DOCTYPE html><title>Please log in</title>", "audio/mpeg"),
            (b'{"error": "gone"}', "audio/mpeg"),
            (b"", "audio/mpeg"),
            (sound, "text/html"),
        ):
            reply = answer(200, page, [("Content-Type", kind)])
            with FaultServer(script(reply)) as server:
                error = self.fails(Refused, self.fetch, server, accept=accept_audio)
                self.assertEqual(error.reason, "content")

    def test_not_there_and_then_there(self):
        with FaultServer(script(answer(404), answer(200, b"x"))) as server:
            error = self.fails(NotThere, self.fetch, server)
            self.assertIs(error.outcome, Outcome.RETRY)
            self.fetch(server).close()

    def test_statuses(self):
        for status, error, reason in (
            (202, NotThere, "not-ready"),
            (204, NotThere, "not-ready"),
            (206, Refused, "status"),
            (301, Refused, "redirect"),
            (304, Refused, "redirect"),
            (401, Refused, "status"),
            (403, Refused, "status"),
            (410, Refused, "status"),
            (429, Temporary, "status"),
            (500, Temporary, "status"),
            (503, Temporary, "status"),
        ):
            reply = answer(status, b"", [("Retry-After", "9")])
            with FaultServer(script(reply)) as server:
                caught = self.fails(error, self.fetch, server)
                self.assertEqual(caught.reason, reason, status)
                if error is Temporary:
                    self.assertEqual(caught.retry_after, 9.0)


class TestDoor(DownloadCase):
    """Who is let through, and who never gets a packet."""

    def refused(self, url, reason=None, **options):
        options = {"allowed_hosts": ["*.pbx.moldcell.md"], **self.options, **options}
        error = self.fails(Refused, Downloader(**options).fetch, url)
        if reason:
            self.assertEqual(error.reason, reason)
        self.assertIs(error.outcome, Outcome.PERMANENT)
        return error

    def test_urls(self):
        for url in (
            f"http://{NAME}/x", "https://evil.md/x", f"https://{NAME}:8443/x",
            "https://pbx.moldcell.md/x", f"https://{NAME}.evil.md/x",
            "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/",
            "https://localhost/", "https://2130706433/", "https://0x7f.0.0.1/",
            f"https://u:p@{NAME}/", f"https://evil.md\\@{NAME}/", "file:///etc/passwd",
            f"https://{NAME}/\r\nX: y", "gopher://h.md/", "", None,
        ):  # fmt: skip
            self.refused(url, resolver=self.fail)

    @examples
    @given(st.text())
    def test_no_url_text_reaches_the_network(self, text):
        for url in (text, f"https://{text}", f"https://{NAME}@{text}/"):
            self.refused(url, resolver=self.fail)

    def test_addresses(self):
        for inside in (
            "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.1.1", "192.168.1.1",
            "0.0.0.0", "224.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
            "fe80::1", "fd00::1", "2002:7f00:1::", "2001:0:7f00:1::",
        ):  # fmt: skip
            for addresses in ([inside], ["8.8.8.8", inside]):
                resolver = self.outside(addresses)
                self.refused(f"https://{NAME}/x", "host", resolver=resolver)

    def test_literal_inner_address_even_when_listed(self):
        for host in ("127.0.0.1", "169.254.169.254", "[::1]"):
            self.refused(f"https://{host}/x", "host", allowed_hosts=[host])

    def test_sandbox_door(self):
        with FaultServer(script(answer(200, b"x"))) as server:
            with servers.sandbox(server.hostport):
                self.refused(f"http://localhost:{server.port}/x", "host")
                self.refused(f"http://127.0.0.1:{server.port + 1}/x", "host")
            with servers.sandbox(server.hostport, environment="production"):
                self.refused(f"{server.url}/x", "host")
                self.refused(f"{server.url}/x", allowed_hosts=[server.hostport])
            self.assertEqual(server.connections, 0)
            # listed as sandbox, but its name leads elsewhere
            with servers.sandbox(f"stub.md:{server.port}"):
                url = f"http://stub.md:{server.port}/x"
                self.refused(url, "host", resolver=self.outside(["8.8.8.8"]))

    def test_name_that_does_not_resolve(self):
        def resolver(*_args):
            raise socket.gaierror(socket.EAI_AGAIN, "try again")

        fetch = Downloader([NAME], resolver=resolver).fetch
        self.fails(Temporary, fetch, f"https://{NAME}/x")


class TestPinned(DownloadCase):
    """TLS by name to the one address that was checked.

    Loopback stands in for the public internet: is_public is told so.
    """

    def setUp(self):
        super().setUp()
        self.path, self.context = servers.certificate(self.directory, NAME)
        self.trust = download_module.tls_context(self.path)
        self.startPatcher(
            patch.object(download_module, "is_public", lambda ip: ip == "127.0.0.1")
        )

    def get(self, server, name=NAME, **options):
        options.setdefault("resolver", self.outside())
        options.setdefault("context", self.trust)
        downloader = Downloader(
            [name], ports=(server.port,), **{**self.options, **options}
        )
        return downloader.fetch(f"https://{name}:{server.port}/rec.mp3")

    def test_resolved_once_and_certificate_by_name(self):
        asked = []
        with FaultServer(script(answer(200, b"x")), tls=self.context) as server:
            with (
                patch.object(socket, "getaddrinfo", self.fail),
                self.get(server, resolver=self.outside(count=asked)) as got,
            ):
                self.assertEqual(got.size, 1)
        self.assertEqual(asked, [NAME])
        self.assertEqual(server.requests[0].headers["host"], f"{NAME}:{server.port}")

    def test_rebinding(self):
        """The second answer would be the metadata address: it is never asked for."""
        turns = [("127.0.0.1",), ("169.254.169.254",)]

        def resolver(*args):
            return self.outside(turns.pop(0))(*args)

        with FaultServer(script(answer(200, b"x")), tls=self.context) as server:
            self.get(server, resolver=resolver).close()
            self.assertEqual(len(turns), 1)
            error = self.fails(Refused, self.get, server, resolver=resolver)
            self.assertEqual((error.reason, server.connections), ("host", 1))

    def test_certificate(self):
        with FaultServer(script(answer(200, b"x")), tls=self.context) as server:
            error = self.fails(Temporary, self.get, server, name="other.md")
            self.assertEqual(error.reason, "tls")
            error = self.fails(Temporary, self.get, server, context=None)
            self.assertEqual(error.reason, "tls")
            self.assertEqual(server.requests, [])

    def test_drip_under_tls(self):
        head = b"HTTP/1.1 200 OK\r\n\r\n"
        with FaultServer(servers.drip(head), tls=self.context) as server:
            error = self.fails(Temporary, self.get, server, total=0.6)
            self.assertEqual(error.reason, "timeout")

    def test_handshake_never_ends(self):
        with FaultServer(servers.mute) as server:
            error = self.fails(Temporary, self.get, server, timeout=(0.3, 5))
            self.assertEqual(error.reason, "timeout")

    def test_next_address_is_tried(self):
        # is_public is patched for this test only: 127.0.0.9 has no listener
        with (
            patch.object(download_module, "is_public", lambda _ip: True),
            FaultServer(script(answer(200, b"x")), tls=self.context) as server,
        ):
            resolver = self.outside(["127.0.0.9", "127.0.0.1"])
            self.get(server, resolver=resolver).close()


class TestFaults(DownloadCase):
    def broken(self, behave, error, reason, **options):
        with FaultServer(behave) as server:
            caught = self.fails(error, self.fetch, server, **options)
            self.assertEqual(caught.reason, reason)
            self.assertEqual(server.connections, 1)

    def test_drip(self):
        for head in (b"", b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\n\r\n"):
            self.broken(servers.drip(head), Temporary, "timeout", total=0.5)

    def test_silence(self):
        self.broken(servers.mute, Temporary, "timeout", timeout=(1, 0.2))

    def test_endless_body(self):
        head = b"HTTP/1.1 200 OK\r\n\r\n"
        self.broken(servers.flood(head), Refused, "size", max_bytes=200000)

    def test_endless_head(self):
        def behave(server, conn, _request):
            while not server.stopping.is_set():
                conn.sendall(b"HTTP/1.1 100 Go\r\nX: " + b"a" * 30000 + b"\r\n\r\n")

        self.broken(behave, Refused, "size")
        head = b"HTTP/1.1 200 OK\r\nX-A: "
        with FaultServer(servers.flood(head)) as server:
            error = self.fails(Refused, self.fetch, server)
            self.assertIn(error.reason, ("size", "protocol"))

    def test_header_bomb(self):
        many = [(f"X-{i}", "a" * 5000) for i in range(5000)]
        self.broken(script(answer(200, b"", many)), Refused, "size")

    def test_size(self):
        big = answer(200, b"x" * 1001)
        self.broken(script(big), Refused, "size", max_bytes=1000)
        exact = answer(200, b"x" * 1000)
        with FaultServer(script(exact)) as server:
            self.fetch(server, max_bytes=1000).close()

    def test_lying_content_length(self):
        for claim, error, reason in (
            ("10", Temporary, "truncated"),
            ("99999999999999999999", Refused, "size"),
            ("-3", Refused, "protocol"),
            ("3\r\nContent-Length: 4", Refused, "protocol"),
        ):
            lie = answer(200, b"abc", [("Content-Length", claim)])
            self.broken(script(lie), error, reason)

    def test_reset(self):
        start = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
        for data in (b"", start[:20], start + b"x" * 5000):
            with FaultServer(servers.reset_after(data)) as server:
                error = self.fails(Temporary, self.fetch, server)
                self.assertIn(error.reason, ("connection", "truncated"))

    def test_cut_chunked(self):
        cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
        self.broken(script(cut), Temporary, "connection")

    def test_redirect_to_metadata(self):
        bait = [("Location", "http://169.254.169.254/latest/")]
        self.broken(script(answer(302, b"", bait)), Refused, "redirect")

    def test_gzip_bomb(self):
        bomb = answer(200, gzip.compress(bytes(10**7)), [("Content-Encoding", "gzip")])
        self.broken(script(bomb), Refused, "encoding")

    def test_not_http(self):
        with FaultServer(script(b"SSH-2.0-OpenSSH_9.2\r\n")) as server:
            self.fails((Refused, Temporary), self.fetch, server)

    def test_failing_hook_leaves_no_file(self):
        def accept(_first, _type):
            raise ZeroDivisionError

        with FaultServer(script(answer(200, b"x"))) as server:
            self.fails(ZeroDivisionError, self.fetch, server, accept=accept)
