# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Fetch a file from an address that somebody else named, without being used.

A push says "the recording is at <link>". Whoever can forge a push, or owns a name on
the list, must not be able to make the server read its own network. So: https, host
on the list, every resolved address public, connection to exactly the address that
was checked (a second DNS answer is never asked for), certificate checked against the
name, no redirects, no proxies, no cookies, no compression; bytes and time capped.
"""

import contextlib
import dataclasses
import hashlib
import http.client
import os
import socket
import tempfile
import time

from .. import settings
from . import retry
from .address import HostPolicy, is_loopback, is_public, parse_url
from .errors import (
    ConnectionFailed,
    NetError,
    NotAllowed,
    NotThere,
    Refused,
    Temporary,
    TimedOut,
    TooLarge,
)
from .sockets import Wire, start_tls, tls_context

#: 20 MB are about two hours of a PBX's mono MP3.
MAX_BYTES = 25 * 1024 * 1024
MAX_HEAD = 65536
SNIFF = 4096  # bytes shown to ``accept``
_CHUNK = 65536
_TEMPORARY_STATUSES = retry.TROUBLE_STATUSES | retry.NOT_ACTED_STATUSES


@dataclasses.dataclass
class Downloaded:
    """A complete file. Use as a context manager: leaving it deletes the file.

    ``file``: binary file object at position 0; ``path``: its name on disk; ``size``:
    bytes; ``sha256``: hex; ``content_type``: what ``accept`` returned or else the
    server's Content-Type without parameters, lower case, may be ''.
    """

    file: object
    path: str
    size: int
    sha256: str
    content_type: str

    def close(self):
        self.file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()


class Downloader:
    """Fetches from listed hosts only. Thread-safe.

    :param allowed_hosts: 'host', 'host:port' or '*.domain' (see HostPolicy); hosts
        of ``[oda] sandbox_hosts`` are added when environment = sandbox, and those alone
        may be plain http, on loopback
    :param ports: allowed for entries without a port
    :param bool inside: the hosts are an administrator's, of our own network: plain http
        and private addresses will do. Never for a host that a push names
    :param int max_bytes: cap of the file
    :param timeout: (connect, read) seconds
    :param float total: seconds for everything
    :param accept: callable(first bytes, content type) -> a mimetype or True to go on,
        anything false refuses. Called once, with min(4096, whole file) bytes.
    :param directory: for the temporary file; None: the system's
    :param context: an SSLContext made by sockets.tls_context
    """

    def __init__(
        self,
        allowed_hosts,
        ports=(443,),
        max_bytes=MAX_BYTES,
        timeout=(5.0, 15.0),
        total=120.0,
        accept=None,
        directory=None,
        context=None,
        resolver=socket.getaddrinfo,
        clock=time.monotonic,
        inside=False,
    ):
        self._policy = HostPolicy(
            allowed_hosts,
            ports=ports,
            allow_http=inside,
            sandbox=settings.oda_section()["sandbox_hosts"],
        )
        self._outside = (lambda address: True) if inside else is_public
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._total = total
        self._accept = accept
        self._directory = directory
        self._context = context
        self._resolver = resolver
        self._clock = clock

    def fetch(self, url, headers=None):
        """Download ``url``.

        :param dict headers: extra request headers
        :return: Downloaded; the caller closes it
        :raise NotThere: 404, or 202/204 (not ready)
        :raise Temporary: network, time or server trouble; ``retry_after`` may be set
        :raise Refused: everything else; ``reason`` is one of url, host, redirect,
            status, size, encoding, content, protocol
        """
        try:
            target = parse_url(url)
        except NotAllowed as error:
            raise Refused(str(error), "url") from None
        try:
            self._policy.check(target)
        except NotAllowed as error:
            raise Refused(str(error), "host") from None
        connect, read = self._timeout
        wire = Wire(
            self._clock() + self._total,
            connect,
            read,
            MAX_HEAD,
            accept=is_loopback if self._policy.in_sandbox(target) else self._outside,
            resolver=self._resolver,
            clock=self._clock,
        )
        with contextlib.ExitStack() as stack:
            try:
                return self._fetch(target, wire, headers or {}, stack)
            except (Refused, Temporary, NotThere):
                raise
            except NotAllowed as error:
                raise Refused(str(error), "host") from None
            except TooLarge as error:
                raise Refused(str(error), "size") from None
            except (TimedOut, TimeoutError) as error:
                raise Temporary(f"{target.hostport}: {error}", "timeout") from None
            except ConnectionFailed as error:
                reason = "tls" if error.tls else "connection"
                raise Temporary(str(error), reason) from None
            except (http.client.LineTooLong, http.client.UnknownProtocol):
                raise Refused(
                    f"{target.hostport} does not speak HTTP", "protocol"
                ) from None
            except (OSError, http.client.HTTPException) as error:
                if wire.error is not None:
                    raise Refused(str(wire.error), "size") from None
                words = getattr(error, "strerror", "") or type(error).__name__
                raise Temporary(
                    f"{target.hostport}: connection broke: {words}", "connection"
                ) from None
            except NetError as error:  # nothing leaves undressed
                raise Temporary(str(error), "connection") from None

    def _fetch(self, target, wire, headers, stack):
        sock = wire.connect(target.host, target.port, counted=True)
        if target.scheme == "https":
            context = self._context or tls_context()
            sock = start_tls(sock, wire, context, target.host)
        # http.client connects only when it has no socket: it gets the pinned one.
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = sock
        connection.auto_open = 0
        stack.callback(connection.close)
        sock.settimeout(wire.read_timeout)
        base = {
            "Host": target.netloc,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": "oda/19.0",
            "Connection": "close",
        }
        connection.request("GET", target.path, headers={**base, **headers})
        response = connection.getresponse()
        stack.callback(response.close)
        declared = self._check_head(target, response)
        # Chunked transfer may cost several bytes for each one of the body.
        wire.max_received += 8 * self._max_bytes
        return self._read(target, response, declared)

    def _check_head(self, target, response):
        """Refuse by status and headers; returns the announced size or None."""
        status = response.status
        where = f"{target.hostport}: HTTP {status}"
        pause = retry.retry_after(response.getheader("Retry-After"), time.time())
        if status in (202, 204, 404):
            reason = "missing" if status == 404 else "not-ready"
            raise NotThere(where, reason, pause)
        if 300 <= status <= 399:
            raise Refused(f"{where}: redirects are not followed", "redirect")
        if status in _TEMPORARY_STATUSES or status >= 500:
            raise Temporary(where, "status", pause)
        if status != 200:
            raise Refused(where, "status")
        encoding = (response.getheader("Content-Encoding") or "identity").strip()
        if encoding.lower() != "identity":
            raise Refused(f"{where}: a compressed answer", "encoding")
        lengths = set(response.headers.get_all("Content-Length", ()))
        if not lengths or response.headers.get("Transfer-Encoding"):
            return None
        length = lengths.pop().strip()
        if lengths or not (length.isascii() and length.isdigit()):
            raise Refused(f"{where}: contradictory Content-Length", "protocol")
        if int(length[:18]) > self._max_bytes:
            raise Refused(
                f"{where}: {length[:18]} bytes announced, {self._max_bytes} allowed",
                "size",
            )
        return int(length)

    def _read(self, target, response, declared):
        """Write the body to a temporary file, which dies with any error."""
        content_type = (response.getheader("Content-Type") or "").partition(";")[0]
        content_type = content_type.strip().lower()
        digest, size = hashlib.sha256(), 0
        out = tempfile.NamedTemporaryFile(  # noqa: SIM115 - lives on in Downloaded
            prefix="oda-", dir=self._directory, delete=False
        )
        done = Downloaded(out, out.name, 0, "", content_type)
        try:
            # read() fills what it is asked for: the first chunk suffices to judge
            chunk = response.read(SNIFF)
            if self._accept is not None:
                verdict = self._accept(chunk, content_type)
                if not verdict:
                    raise Refused(
                        f"{target.hostport}: the content is not what was asked for",
                        "content",
                    )
                if isinstance(verdict, str):
                    done.content_type = verdict
            while chunk:
                size += len(chunk)
                if size > self._max_bytes:
                    raise Refused(
                        f"{target.hostport}: more than {self._max_bytes} bytes", "size"
                    )
                digest.update(chunk)
                out.write(chunk)
                chunk = response.read(_CHUNK)
            if declared is not None and size != declared:
                raise Temporary(
                    f"{target.hostport}: {size} of {declared} bytes came", "truncated"
                )
            out.flush()
            out.seek(0)
        except BaseException:
            done.close()
            raise
        done.size, done.sha256 = size, digest.hexdigest()
        return done


def download(url, allowed_hosts, headers=None, **options):
    """One-off :meth:`Downloader.fetch`; options as for :class:`Downloader`."""
    return Downloader(allowed_hosts, **options).fetch(url, headers=headers)
