# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import ipaddress
import socket

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from odoo.addons.oda_base.net import address
from odoo.addons.oda_base.net.errors import ConnectionFailed, NotAllowed

from .net_servers import examples

private_v4 = st.one_of(
    *(
        st.ip_addresses(v=4, network=net)
        for net in (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
            "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15",
            "224.0.0.0/4", "240.0.0.0/4",
        )
    )
)  # fmt: skip


class TestPublic(BaseCase):
    def test_known(self):
        for text in ("8.8.8.8", "91.250.245.1", "2606:4700::1111", "64:ff9b::808:808"):
            self.assertTrue(address.is_public(text), text)
        for text in (
            "127.0.0.1", "0.0.0.0", "10.1.2.3", "169.254.169.254", "100.64.0.1",
            "100.127.255.255", "172.31.0.1", "192.168.1.1", "192.0.0.8", "198.18.0.1",
            "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:8.8.8.8",
            "::ffff:127.0.0.1", "::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1",
            "fd12::1", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808", "2002:7f00:1::", "2002:808:808::", "2001::1",
            "2001:0:7f00:1::", "2001:db8::1", "100::1", "3fff::1", "", "x", "8.8.8",
        ):  # fmt: skip
            self.assertFalse(address.is_public(text), text)

    @examples
    @given(private_v4)
    def test_inside_in_any_wrapping(self, inner):
        number = int(inner)
        for wrapped in (
            inner,
            ipaddress.IPv6Address(0xFFFF << 32 | number),
            ipaddress.IPv6Address(number),
            ipaddress.IPv6Address(0x64FF9B << 96 | number),
            ipaddress.IPv6Address(0x2002 << 112 | number << 80),
            ipaddress.IPv6Address(0x20010000 << 96 | (number ^ 0xFFFFFFFF)),
        ):
            self.assertFalse(address.is_public(wrapped), wrapped)
            self.assertFalse(address.is_public(str(wrapped)), wrapped)

    @examples
    @given(st.ip_addresses())
    def test_stricter_than_the_standard_library(self, candidate):
        if address.is_public(candidate) and candidate not in address._NAT64:
            self.assertTrue(candidate.is_global)
            self.assertFalse(candidate.is_multicast or candidate.is_private)


class TestParse(BaseCase):
    def refused(self, url):
        with self.assertRaises(NotAllowed, msg=url) as caught:
            address.parse_url(url)
        self.assertNotIn("hunter2", str(caught.exception))

    def test_taken_apart(self):
        target = address.parse_url("HTTPS://T.PBX.Moldcell.MD/a%20b?x=1&y=[2]#frag")
        self.assertEqual(
            target,
            address.Target("https", "t.pbx.moldcell.md", 443, "/a%20b?x=1&y=[2]"),
        )
        self.assertEqual(target.url, "https://t.pbx.moldcell.md/a%20b?x=1&y=[2]")
        self.assertEqual(address.parse_url("http://h.md?x=1").url, "http://h.md/?x=1")
        self.assertEqual(address.parse_url("http://h.md:8080").netloc, "h.md:8080")
        self.assertEqual(
            address.parse_url("https://[2606:4700:0::1111]:8443/").url,
            "https://[2606:4700::1111]:8443/",
        )

    def test_international(self):
        target = address.parse_url("https://Chișinău.md/înregistrare?n=ș")
        self.assertEqual(target.host, "xn--chiinu-m0a53t.md")
        self.assertEqual(target.path, "/%C3%AEnregistrare?n=%C8%99")
        # other scripts' digits and dots are read before the host is judged
        self.assertEqual(address.parse_url("https://１２７。0.0.１/").host, "127.0.0.1")
        self.refused("https://１２７。１/")
        self.refused("https://h\u200b.md\uff20evil.md/")

    def test_odd_addresses(self):
        for host in (
            "2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1",
            "127.0.0.01", "0", "1.2.3.4.5", "127.0.0.1.", "127.0.0.0x1", "a.0x",
            "256.1.1.1",
        ):  # fmt: skip
            self.refused(f"https://{host}/")
        self.assertEqual(address.parse_url("https://127.0.0.1/").host, "127.0.0.1")

    def test_refused(self):
        for url in (
            "", "h.md", "//h.md/", "ftp://h.md/", "file:///etc/passwd", "https:/h.md",
            "https://", "https:///x", "https://u:hunter2@h.md/", "https://hunter2@h.md/",
            "https://h.md@evil.md/", "https://h.md\\@evil.md/", "https:\\\\h.md/",
            "https://h.md/\r\nHost: x", "https://h.md /", " https://h.md/",
            "https://h.md/ ",
            "https://h.md\t/", "https://h.md/\x00", "https://h%2emd/", "https://h.md:0/",
            "https://h.md:65536/", "https://h.md:443:80/", "https://h.md:/",
            "https://h.md:+80/", "https://[::1%25eth0]/", "https://[::1/", "https://[h.md]/",
            "https://-h.md/", "https://h..md/", "https://.h.md/", "https://h.md./",
            "https://h_x.md/", "https://h.md\u2028/", "https://" + "a" * 300 + ".md/",
            "https://h.md/" + "a" * 9000, "https://*.md/", "https://h!.md/",
        ):  # fmt: skip
            self.refused(url)
        for value in (None, 7, b"https://h.md/"):
            self.refused(value)

    @examples
    @given(st.text())
    def test_any_text_is_read_or_refused(self, text):
        for url in (
            text,
            f"https://{text}",
            f"https://h.md/{text}",
            f"https://{text}.md",
        ):
            try:
                target = address.parse_url(url)
            except NotAllowed:
                continue
            self.assertTrue(target.url.isascii())
            self.assertRegex(target.host, r"^[a-z0-9.:-]+$")
            self.assertFalse(set(target.path) & set(" \r\n\t\\\0#"))
            # reading is stable: what we checked is what is called
            self.assertEqual(address.parse_url(target.url), target)

    @examples
    @given(st.ip_addresses(v=4))
    def test_number_spellings(self, ip):
        number = int(ip)
        parts = str(ip).split(".")
        for host in (
            str(number),
            hex(number),
            ".".join(hex(int(part)) for part in parts),
            ".".join(f"0{int(part):o}" for part in parts),
            f"{parts[0]}.{number & 0xFFFFFF}",
        ):
            self.refused(f"https://{host}/")


class TestPolicy(BaseCase):
    def allows(self, policy, url):
        try:
            policy.check(address.parse_url(url))
        except NotAllowed:
            return False
        return True

    def test_empty_refuses_everything(self):
        self.assertFalse(self.allows(address.HostPolicy(()), "https://h.md/"))

    def test_exact_and_wildcard(self):
        policy = address.HostPolicy(["api.md", "*.pbx.moldcell.md", "h.md:8443"])
        for url in (
            "https://api.md/", "https://API.md:443/", "https://h.md:8443/",
            "https://t.pbx.moldcell.md/", "https://a.b.pbx.moldcell.md/",
        ):  # fmt: skip
            self.assertTrue(self.allows(policy, url), url)
        for url in (
            "http://api.md/", "https://api.md:8443/", "https://h.md/",
            "https://pbx.moldcell.md/", "https://pbx.moldcell.md.evil.md/",
            "https://evilpbx.moldcell.md/", "https://x.api.md/", "https://127.0.0.1/",
            "https://t.pbx.moldcell.md:8443/",
        ):  # fmt: skip
            self.assertFalse(self.allows(policy, url), url)

    def test_ports(self):
        policy = address.HostPolicy(["api.md"], ports=(443, 8443))
        self.assertTrue(self.allows(policy, "https://api.md:8443/"))
        self.assertFalse(self.allows(policy, "https://api.md:22/"))

    def test_http_only_where_said(self):
        policy = address.HostPolicy(["h.md"], allow_http=True)
        self.assertTrue(self.allows(policy, "http://h.md/"))
        policy = address.HostPolicy([], sandbox=["127.0.0.1:8070"])
        self.assertTrue(self.allows(policy, "http://127.0.0.1:8070/"))
        for url in ("http://127.0.0.1:8071/", "http://localhost:8070/"):
            self.assertFalse(self.allows(policy, url), url)

    def test_entries_that_would_allow_too_much(self):
        for entry in (
            "*",
            "*.",
            "*.md",
            "",
            "https://h.md",
            "h.md/x",
            "*.0.0.1",
            "a.*.md",
        ):
            with self.assertRaises(ValueError, msg=entry):
                address.HostPolicy([entry])
        with self.assertRaises(TypeError):
            address.HostPolicy("h.md")

    @examples
    @given(st.from_regex(r"[a-z0-9.-]{0,20}", fullmatch=True))
    def test_wildcard_means_the_domain_below(self, prefix):
        policy = address.HostPolicy(["*.pbx.md"])
        url = f"https://{prefix}pbx.md/"
        if self.allows(policy, url):
            self.assertTrue(prefix.endswith(".") and len(prefix) > 1)


class TestResolve(BaseCase):
    def answers(self, *texts):
        def resolver(_host, port, *_rest):
            return [
                (
                    socket.AF_INET6 if ":" in text else socket.AF_INET,
                    socket.SOCK_STREAM,
                    6,
                    "",
                    (text, port, 0, 0) if ":" in text else (text, port),
                )
                for text in texts
            ]

        return resolver

    def test_all_must_be_public(self):
        good = address.resolve(
            "h", 443, address.is_public, self.answers("8.8.8.8", "2606:4700::1111")
        )
        self.assertEqual([pair[1][0] for pair in good], ["8.8.8.8", "2606:4700::1111"])
        for bad in ("127.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254"):
            for order in (("8.8.8.8", bad), (bad, "8.8.8.8")):
                with self.assertRaises(NotAllowed):
                    address.resolve("h", 443, address.is_public, self.answers(*order))

    def test_nothing(self):
        with self.assertRaises(ConnectionFailed):
            address.resolve("h", 443, address.is_public, self.answers())

        def broken(*_args):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")

        with self.assertRaises(ConnectionFailed) as caught:
            address.resolve("h", 443, address.is_public, broken)
        self.assertFalse(caught.exception.sent)
