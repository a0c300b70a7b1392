# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The Debian archive that this machine already uses, read from apt's own sources."""

import re
from pathlib import Path

ETC = Path("/etc/apt")
# fields of a source that say how to reach and trust it; the rest is ours to choose
KEPT = ("Signed-By", "Trusted", "Check-Valid-Until", "Allow-Insecure")


def os_release(file=Path("/etc/os-release")):
    """The system's own description: a dict (ID, VERSION_CODENAME ...)."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: value.strip().strip("\"'") for key, value in pairs}


def deb822(text):
    """Sources of a ``.sources`` file: a list of dicts (field -> text)."""
    sources, fields, last = [], {}, None
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                sources.append(fields)
            fields, last = {}, None
        elif line[0] in " \t" and last:
            fields[last] += "\n" + line
        else:
            name, _, value = line.partition(":")
            last = "-".join(part.capitalize() for part in name.strip().split("-"))
            fields[last] = value.strip()
    return [s for s in sources if s.get("Enabled", "yes").lower() != "no"]


def one_line(text):
    """Sources of a ``.list`` file, in the same shape as deb822 gives them."""
    sources = []
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if not found:
            continue
        options, uri, suite, components = found.groups()
        fields = {"Types": "deb", "URIs": uri, "Suites": suite}
        fields["Components"] = components.strip()
        for option in (options or "").split():
            name, _, value = option.partition("=")
            name = "-".join(part.capitalize() for part in name.split("-"))
            fields[name] = value.replace(",", " ")
        sources.append({"Uris" if k == "URIs" else k: v for k, v in fields.items()})
    return sources


def _all(etc):
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for file in files:
        try:
            text = file.read_text(errors="replace")
        except OSError:
            continue
        if file.suffix == ".list":
            yield from one_line(text)
        elif file.suffix == ".sources":
            yield from deb822(text)


def debian_archives(etc=ETC, release=None):
    """Addresses of Debian archives: a list of (uri, kept fields), no doubles.

    A source counts when it carries the system's own suite: that tells the archive
    from somebody's private package site.
    """
    release = os_release() if release is None else release
    own = {release.get("VERSION_CODENAME"), "stable", "oldstable", "testing"}
    own |= {"sid", "unstable"}
    if release.get("ID") != "debian":
        return []
    found = {}
    for source in _all(etc):
        suites = set(source.get("Suites", "").split())
        components = source.get("Components", "").split()
        if "deb" not in source.get("Types", "deb").split():
            continue
        if not suites & own or "main" not in components:
            continue
        kept = {name: source[name] for name in KEPT if name in source}
        for uri in source.get("Uris", "").split():
            if not uri.startswith("cdrom:"):
                found.setdefault(uri.rstrip("/"), kept)
    return list(found.items())


def stanza(uri, kept, suites):
    """A deb822 source for other suites of the same archive, as text."""
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    fields = {"Types": "deb", "URIs": uri, "Suites": " ".join(suites)}
    fields["Components"] = "main"
    if keyring.exists():
        fields["Signed-By"] = str(keyring)
    fields.update(kept)
    return "".join(
        f"{name}:{'' if value.startswith(chr(10)) else ' '}{value}\n"
        for name, value in fields.items()
    )
