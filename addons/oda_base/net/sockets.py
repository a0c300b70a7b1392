# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Sockets that obey a deadline, and remember whether a request has left.

Timeouts of socket libraries start anew with every byte received: a server that
sends one byte a second is never late. Here each wait is armed with what is left of
the whole call's time, and each received byte is counted, so neither a slow nor an
endless answer (header or body) outlives its budget. No thread, no signal.
"""

import functools
import socket
import ssl
import time

from .address import resolve
from .errors import ConnectionFailed, NetError, Outcome, TimedOut, TooLarge


class Wire:
    """One connection's budget and what is known about it.

    :param float deadline: on ``clock``; the end of the whole call
    :param float connect_timeout: seconds for each address, and for the handshake
    :param float read_timeout: seconds of silence that are tolerated
    :param int max_received: bytes off the wire, head and body, before decompression
    :param accept: predicate on address texts (see address.resolve)
    :param expected: (host, port) that alone may be connected to, or None
    """

    def __init__(
        self,
        deadline,
        connect_timeout,
        read_timeout,
        max_received,
        accept=lambda address: True,
        expected=None,
        resolver=socket.getaddrinfo,
        clock=time.monotonic,
    ):
        self.deadline = deadline
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self.max_received = max_received
        self.accept = accept
        self.expected = expected
        self.resolver = resolver
        self.clock = clock
        self.sent = False
        self.received = 0
        self.address = None
        self.error = None

    def remaining(self):
        """Seconds left; raises TimeoutError when none."""
        left = self.deadline - self.clock()
        if left <= 0:
            raise TimeoutError("the total time is up")
        return left

    def count(self, size):
        self.received += size
        if self.received > self.max_received:
            # Kept too: a library in between may dress the error up as its own.
            self.error = TooLarge("The answer is larger than allowed")
            raise self.error

    def connect(self, host, port, counted=True):
        """Resolve, check and connect.

        :param bool counted: whether bytes sent on this very socket are the request
            (not so below TLS or in a proxy's CONNECT)
        :return: ClockedSocket
        :raise NotAllowed, ConnectionFailed, TimedOut:
        """
        try:
            return self._connect(host, port, counted)
        except NetError as error:
            self.error = error
            raise

    def _connect(self, host, port, counted):
        if self.expected and (host.strip("[]"), port) != self.expected:
            raise ConnectionFailed(
                "The HTTP library read the URL differently", False, Outcome.PERMANENT
            )
        failure = None
        for family, sockaddr in resolve(host, port, self.accept, self.resolver):
            sock = ClockedSocket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(min(self.connect_timeout, self.remaining()))
                sock.connect(sockaddr)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                sock.close()
                failure = error
                continue
            except BaseException:
                sock.close()
                raise
            self.address = sockaddr[0]
            sock.wire, sock.counted = self, counted
            return sock
        if isinstance(failure, TimeoutError):
            raise TimedOut(f"{host} did not answer", False, Outcome.RETRY)
        reason = failure.strerror or type(failure).__name__
        raise ConnectionFailed(
            f"{host} cannot be reached: {reason}", False, Outcome.RETRY
        )


class _Clocked:
    wire = None
    counted = False
    idle = None  # seconds, the timeout that the library asked for

    # pylint: disable=missing-return  # sockets return nothing here
    def settimeout(self, value):
        self.idle = value
        super().settimeout(value)

    def recv_into(self, *args, **kwargs):
        if self.wire is None:
            return super().recv_into(*args, **kwargs)
        patience = self.wire.read_timeout if self.idle is None else self.idle
        super().settimeout(min(patience, self.wire.remaining()))
        size = super().recv_into(*args, **kwargs)
        self.wire.count(size)
        return size

    def _before_send(self):
        if self.wire is not None:
            # A large upload may take all the time there is.
            super().settimeout(self.wire.remaining())
            if self.counted:
                self.wire.sent = True

    def send(self, *args, **kwargs):
        self._before_send()
        return super().send(*args, **kwargs)

    def sendall(self, *args, **kwargs):
        self._before_send()
        return super().sendall(*args, **kwargs)


class ClockedSocket(_Clocked, socket.socket):
    pass


class ClockedTLS(_Clocked, ssl.SSLSocket):
    pass


@functools.lru_cache(maxsize=8)
def tls_context(verify=True):
    """A client context that checks certificates and names; shared, do not alter.

    :param verify: True for the usual authorities, or the path of a CA bundle. There
        is no way to switch verification off.
    """
    if verify is not True and not isinstance(verify, str):
        raise ValueError("verify must be True or the path of a CA bundle")
    if verify is True:
        from requests.certs import where

        verify = where()
    context = ssl.create_default_context(cafile=verify)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = ClockedTLS
    return context


def start_tls(sock, wire, context, hostname):
    """Handshake within the wire's budget; returns the ClockedTLS in place of sock.

    :raise ConnectionFailed: ``tls`` is set
    :raise TimedOut:
    """
    try:
        sock.settimeout(min(wire.connect_timeout, wire.remaining()))
        secure = context.wrap_socket(sock, server_hostname=hostname)
    except TimeoutError:
        sock.close()
        raise TimedOut(
            f"{hostname}: the TLS handshake took too long", False, Outcome.RETRY
        ) from None
    except OSError as error:
        sock.close()
        reason = getattr(error, "verify_message", "") or type(error).__name__
        raise ConnectionFailed(
            f"{hostname}: no trusted TLS connection ({reason})",
            False,
            Outcome.RETRY,
            tls=True,
        ) from None
    secure.wire, secure.counted = wire, True
    return secure
