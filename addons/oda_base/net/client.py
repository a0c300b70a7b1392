# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The one way out to providers' APIs: listed hosts, bounded time, bounded size.

Each call has its own connection. Keep-alive would save a handshake but turn every
socket that the server closed meanwhile into a POST of unknown fate.
"""

import dataclasses
import json as jsonlib
import logging
import random
import time

import requests
from urllib3.exceptions import HTTPError

from .. import settings
from . import retry
from .address import HostPolicy, is_loopback, is_public, parse_url
from .breaker import BREAKER
from .errors import (
    BadStatus,
    ConnectionFailed,
    NetError,
    NotAllowed,
    Outcome,
    TimedOut,
    TooLarge,
)
from .redact import redact_body, redact_text, redact_url
from .sockets import Wire, tls_context
from .transport import Adapter, read_body, reason_of

_logger = logging.getLogger(__name__)

MAX_HEAD = 262144  # bytes; http.client alone would take 6 MB
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclasses.dataclass(frozen=True)
class Answer:
    """A complete answer. ``headers``: case-insensitive; ``content``: bytes,
    decompressed; ``url``: redacted; ``elapsed``: seconds, all attempts."""

    status: int
    headers: dict
    content: bytes
    url: str
    elapsed: float

    @property
    def text(self):
        charset = requests.utils.get_encoding_from_headers(self.headers) or "utf-8"
        if "charset" not in self.headers.get("Content-Type", "").lower():
            charset = "utf-8"  # requests still assumes Latin-1 for text/*
        try:
            return self.content.decode(charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self):
        """Parsed body; ValueError (without the body in it) when it is not JSON."""
        try:
            return jsonlib.loads(self.content)
        except (ValueError, RecursionError):
            raise ValueError(f"The answer of {self.url} is not JSON") from None


class SafeClient:
    """HTTP client for named hosts. Thread-safe; holds no connection.

    :param allowed_hosts: entries as in :class:`~.address.HostPolicy`
    :param timeout: (connect, read) seconds
    :param float total: seconds for the whole call, retries and pauses included
    :param int max_bytes: of a body, after decompression
    :param breaker: Breaker, or None for none; the process's shared one by default
    :param int retries: further attempts of idempotent calls
    :param bool allow_http: plain http (a PBX in the local network)
    :param bool public_only: every address of the host must be public
    :param dict proxies: {'https': 'http://host:port'}; the environment's are ignored
    :param verify: True or path of a CA bundle
    :param dict headers: sent with every call
    :param secrets: values masked in every error, besides those known by name
    """

    def __init__(
        self,
        allowed_hosts,
        timeout=(5.0, 20.0),
        total=30.0,
        max_bytes=2 * 1024 * 1024,
        breaker=BREAKER,
        retries=2,
        allow_http=False,
        public_only=False,
        proxies=None,
        verify=True,
        headers=None,
        secrets=(),
        clock=time.monotonic,
        sleep=time.sleep,
        rng=None,
    ):
        proxies = dict(proxies or {})
        if any(not url.startswith("http://") for url in proxies.values()):
            raise ValueError("a proxy must be given as http://host:port")
        if proxies and public_only:
            raise ValueError("behind a proxy the addresses cannot be checked")
        self._policy = HostPolicy(
            allowed_hosts,
            allow_http=allow_http,
            sandbox=settings.oda_section()["sandbox_hosts"],
        )
        self._timeout = timeout
        self._total = total
        self._max_bytes = max_bytes
        self._breaker = breaker
        self._retries = retries
        self._public_only = public_only
        self._proxies = proxies
        self._context = tls_context(verify)
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "oda/19.0"}
        self._headers.update(headers or {})
        self._secrets = tuple(secrets)
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.SystemRandom()

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)

    def put(self, url, **options):
        return self.request("PUT", url, **options)

    def patch(self, url, **options):
        return self.request("PATCH", url, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)

    def request(
        self,
        method,
        url,
        *,
        params=None,
        data=None,
        json=None,
        files=None,
        headers=None,
        auth=None,
        idempotent=None,
        ok=None,
        redirects=0,
        total=None,
        max_bytes=None,
    ):
        """Call and return a complete :class:`Answer` with an accepted status.

        :param params, data, json, files, headers, auth: as in requests
        :param idempotent: may it be sent twice? None: by the method (POST and PATCH
            not); pass True for a POST that only reads or carries its own key
        :param ok: statuses accepted: a collection of int; None: 200..299
        :param int redirects: followed for GET and HEAD, each checked against the
            list; credentials stay with the first origin
        :raise NotAllowed, TooLarge, TimedOut, BadStatus, CircuitOpen,
            ConnectionFailed: each a NetError with ``outcome`` and ``retry_after``
        """
        started = self._clock()
        deadline = started + (self._total if total is None else total)
        method = method.upper()
        if idempotent is None:
            idempotent = method in retry.IDEMPOTENT_METHODS
        request = requests.Request(
            method,
            parse_url(url).url,
            params=params,
            data=data,
            json=json,
            files=files,
            headers={**self._headers, **(headers or {})},
            auth=auth,
        )
        cap = self._max_bytes if max_bytes is None else max_bytes
        hops = redirects if method in ("GET", "HEAD") else 0
        attempt = 0
        while True:
            try:
                status, head, body = self._guarded(request, deadline, idempotent, cap)
                if hops and status in _REDIRECTS and head.get("Location"):
                    request = self._follow(request, head["Location"])
                    hops -= 1
                    continue
                if 200 <= status <= 299 if ok is None else status in ok:
                    elapsed = self._clock() - started
                    return Answer(status, head, body, redact_url(url), elapsed)
                raise self._bad_status(method, url, status, head, body, idempotent)
            except NetError as error:
                pause = self._pause(error, attempt, idempotent, deadline)
                _logger.info("%s (attempt %d)", error, attempt + 1)
                if pause is None:
                    raise
            self._sleep(pause)
            attempt += 1

    def _pause(self, error, attempt, idempotent, deadline):
        """Seconds before the next attempt, or None when there shall be none."""
        repeatable = (
            idempotent
            and attempt < self._retries
            and error.outcome is Outcome.RETRY
            and isinstance(error, (TimedOut, ConnectionFailed, BadStatus))
            and not getattr(error, "tls", False)
        )
        if not repeatable:
            return None
        pause = max(
            retry.delay(attempt, base=0.25, cap=5.0, rng=self._rng),
            error.retry_after or 0.0,
        )
        return pause if self._clock() + pause < deadline else None

    def _follow(self, request, location):
        old = parse_url(requests.Request("GET", request.url).prepare().url)
        try:
            new = parse_url(requests.compat.urljoin(old.url, location))
        except ValueError:
            raise NotAllowed("The redirect does not lead to a URL") from None
        if old.scheme == "https" and new.scheme != "https":
            raise NotAllowed("The redirect leads from https to http")
        follow = requests.Request(
            request.method, new.url, headers=request.headers, auth=request.auth
        )
        if (old.scheme, old.host, old.port) != (new.scheme, new.host, new.port):
            keep = ("accept", "accept-encoding", "user-agent")
            kept = {k: v for k, v in request.headers.items() if k.lower() in keep}
            follow.headers, follow.auth = kept, None
        return follow

    def _guarded(self, request, deadline, idempotent, cap):
        """One attempt under the breaker; returns (status, headers, body)."""
        target = parse_url(request.url)
        self._policy.check(target)
        if self._breaker is None:
            return self._attempt(target, request, deadline, idempotent, cap)
        permit = self._breaker.enter(target.hostport)
        healthy = None
        try:
            answer = self._attempt(target, request, deadline, idempotent, cap)
            healthy = answer[0] < 500
            return answer
        except (TimedOut, ConnectionFailed):
            healthy = False
            raise
        except TooLarge:
            healthy = True
            raise
        finally:
            self._breaker.leave(permit, healthy)

    def _wire(self, target, deadline):
        if self._policy.in_sandbox(target):
            accept = is_loopback
        elif self._public_only:
            accept = is_public
        else:
            accept = lambda address: True  # noqa: E731
        connect, read = self._timeout
        return Wire(
            deadline,
            connect,
            read,
            MAX_HEAD,
            accept=accept,
            expected=None if self._proxies else (target.host, target.port),
            clock=self._clock,
        )

    def _attempt(self, target, request, deadline, idempotent, cap):
        wire = self._wire(target, deadline)
        label = f"{request.method} {target.hostport}"
        session = requests.Session()
        session.trust_env = False
        adapter = Adapter(wire, self._context)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        response = None
        try:
            response = session.send(
                session.prepare_request(request),
                stream=True,
                allow_redirects=False,
                proxies=self._proxies,
            )
            # The head is in. Chunking may cost several bytes for each of the body.
            wire.max_received += 8 * cap
            body = read_body(response, request.method, cap)
            return response.status_code, response.headers, body
        except (requests.RequestException, HTTPError, OSError) as error:
            raise self._broken(label, wire, error, idempotent) from None
        except TooLarge as error:
            # The server has acted; only its answer is unusable.
            error.outcome = Outcome.PERMANENT if idempotent else Outcome.UNKNOWN
            raise
        finally:
            if response is not None:
                response.close()
            session.close()

    def _broken(self, label, wire, error, idempotent):
        """Name what requests, urllib3 or the socket raised."""
        if wire.error is not None:
            return wire.error
        if isinstance(error, ValueError):
            # InvalidHeader and the like; their texts quote the offending value
            return NotAllowed(f"{label}: the request cannot be built")
        outcome = retry.outcome_of_break(wire.sent, idempotent)
        when = "after the request had left" if wire.sent else "before anything was sent"
        late = (TimeoutError, requests.Timeout)
        if isinstance(error, late) or wire.deadline <= self._clock():
            return TimedOut(f"{label}: too slow, {when}", wire.sent, outcome)
        tls = isinstance(error, requests.exceptions.SSLError)
        message = f"{label}: connection failed {when}: {reason_of(error)}"
        return ConnectionFailed(message, wire.sent, outcome, tls=tls)

    def _bad_status(self, method, url, status, head, body, idempotent):
        pause = retry.retry_after(head.get("Retry-After"), time.time())
        excerpt = redact_body(body, head.get("Content-Type", ""), secrets=self._secrets)
        return BadStatus(
            f"{method} {redact_text(redact_url(url), self._secrets)}: HTTP {status}"
            + (f": {excerpt}" if excerpt else ""),
            status,
            excerpt,
            retry.outcome_of_status(status, idempotent, pause is not None),
            pause,
        )
