# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""TCP ports on 127.0.0.1: free ones, and who holds a busy one."""

import os
import re
import socket
from pathlib import Path

from oda_tools.console import Stop, command_of


def is_free(port):
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            # a listener on 0.0.0.0 lets the bind pass under SO_REUSEADDR
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(start=None):
    """A free port: the first one from ``start`` on, or any that the system gives."""
    if start is not None:
        for port in range(start, start + 400):
            if is_free(port):
                return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def holder(port):
    """Who listens on the port: "name (process 123)", or "" when it cannot be seen."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for entry in Path("/proc").iterdir():
        if not re.fullmatch(r"\d+", entry.name):
            continue
        try:
            links = {os.readlink(fd) for fd in (entry / "fd").iterdir()}
        except OSError:
            continue
        if links & sockets:
            name = " ".join(command_of(entry.name))[:60] or "?"
            return f"{name} (process {entry.name})"
    return ""


def need(port, variable, what):
    """Refuse a busy port in words.

    :raise Stop: naming the holder and the variable that chooses another port
    """
    if is_free(port):
        return
    who = holder(port) or "another process (of another user)"
    raise Stop(
        f"Port {port}, wanted for {what}, is taken by {who}. Stop it, or choose "
        f"another port: {variable}={free_port(port + 10)} make run."
    )
