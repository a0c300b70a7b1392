# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Which URLs may be called, and which IP addresses are truly outside.

The parser is narrower than any browser's or library's on purpose: what two
parsers could read differently is refused, not interpreted.
"""

import dataclasses
import ipaddress
import re
import socket
from urllib.parse import quote

import idna

from .errors import ConnectionFailed, NotAllowed, Outcome

MAX_URL = 8192
DEFAULT_PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?\Z", re.I | re.S)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?\Z")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_BAD = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_SAFE = "%/:=&?~+!$,;'@()*[]|{}^-._`<>\""

_V4_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_V6_GLOBAL = ipaddress.ip_network("2000::/3")
# Within 2000::/3: protocol assignments incl. Teredo and ORCHID, documentation,
# 6to4, old 6bone. Tunnels are refused whole: what they embed is reached through a
# relay that we know nothing of.
_V6_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclasses.dataclass(frozen=True)
class Target:
    """A URL taken apart. ``host``: lower-case ASCII (IDNA), IPv6 without brackets;
    ``path``: starts with '/', with the query, percent-encoded; no fragment."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = self.port == DEFAULT_PORTS[self.scheme]
        return host if default else f"{host}:{self.port}"

    @property
    def hostport(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self):
        return f"{self.scheme}://{self.netloc}{self.path}"


def normalise_host(text):
    """A host name or canonical IP literal in one spelling.

    :raise NotAllowed: no host, decimal/octal/hexadecimal/short IPv4 spellings,
        bad labels, trailing dot
    """
    host = text.strip("[]") if text.startswith("[") else text
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            address = None
        if address is None or "%" in host:
            raise NotAllowed("The address between brackets is not an IPv6 address")
        return str(address)
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True, std3_rules=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise NotAllowed("The host name is not a valid one") from None
    host = host.lower()
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.match(label) for label in labels):
        raise NotAllowed("The host name is not a plain host name")
    if _NUMBER.match(labels[-1]):
        # 2130706433, 0x7f.1, 127.1 and 0177.0.0.1 are all 127.0.0.1 to some resolver
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise NotAllowed("The host is an IP address in an odd spelling") from None
    return host


def parse_url(url):
    """Take an absolute http(s) URL apart.

    :return: Target
    :raise NotAllowed: anything unusual: other scheme, user info, control
        characters, spaces, backslash, percent in the host, odd IP spellings
    """
    if not isinstance(url, str) or not url or len(url) > MAX_URL:
        raise NotAllowed("This is not a URL of reasonable length")
    if _BAD.search(url):
        raise NotAllowed("The URL holds a space, a control character or a backslash")
    match = _URL.match(url)
    if not match:
        raise NotAllowed("Only absolute http and https URLs are called")
    scheme, authority, path, query = (part or "" for part in match.groups()[:4])
    if "@" in authority:
        raise NotAllowed("The URL holds a user name or password")
    parts = _AUTHORITY.match(authority)
    if not parts:
        raise NotAllowed("The host of the URL cannot be read")
    scheme = scheme.lower()
    port = int(parts[2]) if parts[2] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise NotAllowed("The port of the URL does not exist")
    full = quote((path or "/") + query, safe=_SAFE)
    return Target(scheme, normalise_host(parts[1]), port, full)


def is_public(address):
    """True when ``address`` (text or ipaddress object) is a public unicast address.

    NAT64 (64:ff9b::/96) counts as the IPv4 address it embeds; IPv4-mapped, 6to4 and
    Teredo addresses are never public.
    """
    try:
        if isinstance(address, str):
            address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if address.version == 4:
        return not any(address in network for network in _V4_INSIDE)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _V6_GLOBAL and not any(address in net for net in _V6_INSIDE)


def is_loopback(address):
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


class HostPolicy:
    """An allow-list of hosts, refusing by default.

    :param allowed: entries 'host', 'host:port', '*.domain' or '*.domain:port'. A
        wildcard stands for one or more labels, never for the domain itself. Without
        a port, the ports of ``ports`` are meant.
    :param ports: ports for entries without one; None: the scheme's default port
    :param bool allow_http: plain http also outside the sandbox
    :param sandbox: exact 'host:port' that may be http, on loopback only
    """

    def __init__(self, allowed, ports=None, allow_http=False, sandbox=()):
        if isinstance(allowed, str):
            raise TypeError("allowed must be a collection of hosts, not one text")
        self._entries = frozenset(self._parse(entry) for entry in allowed)
        self._ports = frozenset(ports) if ports is not None else None
        self._allow_http = allow_http
        self._sandbox = frozenset(self._parse(entry)[1:] for entry in sandbox)

    @staticmethod
    def _parse(entry):
        text = entry.strip().lower()
        wild = text.startswith("*.")
        parts = _AUTHORITY.match(text[2:] if wild else text)
        if not parts:
            raise ValueError(f"{entry!r} is not a host, host:port or *.domain")
        try:
            host = normalise_host(parts[1])
        except NotAllowed as error:
            raise ValueError(f"{entry!r}: {error}") from None
        if wild and (_NUMBER.match(host.rpartition(".")[2]) or "." not in host):
            raise ValueError(f"{entry!r} would allow too much")
        return wild, host, int(parts[2]) if parts[2] else None

    def in_sandbox(self, target):
        return (target.host, target.port) in self._sandbox

    def check(self, target):
        """Let ``target`` (Target) pass, or raise NotAllowed."""
        if self.in_sandbox(target):
            return
        if target.scheme != "https" and not self._allow_http:
            raise NotAllowed(f"{target.hostport} may be called by https only")
        names = {(False, target.host)}
        rest = target.host
        while "." in rest:
            rest = rest.partition(".")[2]
            names.add((True, rest))
        standard = self._ports or {DEFAULT_PORTS[target.scheme]}
        for wild, name in names:
            if (wild, name, target.port) in self._entries:
                return
            if (wild, name, None) in self._entries and target.port in standard:
                return
        raise NotAllowed(f"{target.hostport} is not on the list of allowed hosts")


def resolve(host, port, accept, resolver=socket.getaddrinfo):
    """All addresses of ``host``, once; the caller connects to these and no others.

    :param accept: predicate on the address text; ALL addresses must pass, since a
        name with one inner address is an attack or a mistake
    :return: list of (family, sockaddr), in the resolver's order
    :raise NotAllowed: an address is refused
    :raise ConnectionFailed: the name does not resolve
    """
    try:
        found = resolver(host, port, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        code = getattr(error, "errno", None)
        raise ConnectionFailed(
            f"The name {host} does not resolve ({code})", False, Outcome.RETRY
        ) from None
    out = []
    for family, _type, _proto, _name, sockaddr in found:
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        if not accept(sockaddr[0]):
            raise NotAllowed(f"{host} leads to an address that may not be called")
        if (family, sockaddr) not in out:
            out.append((family, sockaddr))
    if not out:
        raise ConnectionFailed(f"{host} has no address", False, Outcome.RETRY)
    return out
