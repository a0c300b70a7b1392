# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What the person at the terminal sees: stages, seconds, one-paragraph errors."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time


class Stop(Exception):
    """The command cannot go on; its text is the whole message for the person.

    :param str text: one paragraph: what is wrong and what to do
    :param int code: exit status
    """

    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


def say(text=""):
    print(text, flush=True)


def paragraph(text):
    """``text`` wrapped for the terminal, existing line breaks kept."""
    width = min(shutil.get_terminal_size().columns, 88)
    lines = str(text).splitlines() or [""]
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        if not line.startswith(" ")
        else line
        for line in lines
    )


def complain(text):
    print("\n" + paragraph(text), file=sys.stderr, flush=True)


def seconds(since):
    return f"{time.monotonic() - since:.0f} s"


class Stage:
    """One numbered line of progress; a context manager.

    On a terminal the line counts the seconds; elsewhere (CI logs) it is printed once
    at the end, with a sign of life each half minute in between.
    """

    WIDTH = 26

    def __init__(self, title):
        self.title = title
        self.note = ""
        self._done = threading.Event()
        self._doing = ""
        self._silent = False

    def doing(self, text):
        """Say what the stage is at now."""
        self._doing = text

    @contextlib.contextmanager
    def silent(self):
        """Leave the terminal to somebody else meanwhile (a password is asked)."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def _line(self, text):
        return f"{self.title:<{self.WIDTH}} {text}"

    def _tick(self):
        live = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns - 1
        while not self._done.wait(0.2 if live else 30):
            if self._silent:
                continue
            text = self._line(f"{self._doing} {seconds(self.start)}".strip())
            if live:
                print("\r\033[K" + text[:width], end="", flush=True)
            else:
                say(text)

    def __enter__(self):
        self.start = time.monotonic()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()
        return self

    def __exit__(self, kind, error, trace):
        self._done.set()
        self._ticker.join()
        if sys.stdout.isatty():
            print("\r\033[K", end="")
        took = seconds(self.start)
        if kind is None:
            say(self._line(f"{self.note or 'done'} ({took})"))
        elif kind is KeyboardInterrupt:
            say(self._line(f"interrupted ({took})"))
        else:
            say(self._line(f"failed ({took})"))
        return False


def tail(text, count=12):
    """The last lines, indented, cut at 300 characters, without pip's retries."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith("WARNING: ")]
    return "\n".join("  " + line[:300] for line in telling[-count:])


def why(output):
    """The usual causes behind a failed tool, in words, read from its output."""
    low = output.lower()
    if "no space left on device" in low or "disk quota exceeded" in low:
        return "The disk is full: free some space and run the same command again."
    if "certificate verify failed" in low or "certificate_verify_failed" in low:
        return (
            "A certificate on the way is not trusted, as behind a proxy that looks "
            "inside: give pip and apt your institution's root certificate (pip config "
            "set global.cert FILE), then run the same command again."
        )
    signs = (
        "temporary failure resolving",
        "temporary failure in name resolution",
        "could not resolve",
        "name or service not known",
        "network is unreachable",
        "failed to establish a new connection",
        "connection timed out",
        "could not connect to",
        "cannot initiate the connection",
    )
    if any(sign in low for sign in signs):
        return (
            "There is no way to the network from here: check the connection (and the "
            "proxy settings of apt and pip), then run the same command again; it goes "
            "on where it stopped."
        )
    return ""


def run(argv, what, *, env=None, cwd=None, log=None, data=None, seen=None, finish=""):
    """Run a tool quietly; its output is shown only when it fails.

    :param list argv: the command
    :param str what: what it was doing, for the message ("Installing ... ")
    :param Path log: file that the output is also added to
    :param str data: short text for its standard input
    :param seen: called with each line of output
    :param str finish: for a tool that must not be cut off: Ctrl-C is obeyed only when
        it is through, and this is said meanwhile
    :return: the tool's output (stdout and stderr together), a string
    :raise Stop: when it fails, with the likely cause and the last lines
    """
    argv = [str(part) for part in argv]
    try:
        process = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=bool(finish),
        )
    except OSError as error:
        raise Stop(f"{what} failed: {argv[0]}: {error.strerror}.") from None
    lines = []
    wanted = None
    try:
        if data is not None:
            process.stdin.write(data)
            process.stdin.close()
        while process.poll() is None:
            try:
                for line in process.stdout:
                    lines.append(line)
                    if seen:
                        seen(line.strip())
                process.wait()
            except KeyboardInterrupt as interrupt:
                if not finish:
                    raise
                wanted = interrupt
                say(finish)
        if wanted:
            raise wanted
    except BaseException:
        end(process)
        raise
    finally:
        process.stdout.close()
        output = "".join(lines)
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"$ {' '.join(argv)}\n{output}\n")
    if process.returncode:
        cause = why(output)
        raise Stop(f"{what} failed. {cause}".strip() + f"\n{tail(output)}")
    return output


def end(process, wait=10):
    """Ask a child to end, then insist; returns when it is gone."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def alive(pid):
    """Whether a process with this id runs (a zombie does not count)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def command_of(pid):
    """The command line of a process as a list, [] when it cannot be read."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return [part for part in file.read().split("\0") if part]
    except OSError:
        return []


def signal_and_wait(pid, number, wait):
    """Send a signal; True when the process is gone within ``wait`` seconds."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return True
    limit = time.monotonic() + wait
    while time.monotonic() < limit:
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def stop_pid(pid, wait=20, first=signal.SIGTERM):
    """End a process that may not be our child: politely, then by force."""
    if not signal_and_wait(pid, first, wait):
        signal_and_wait(pid, signal.SIGKILL, 5)
