# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The commands behind the Makefile, and errors turned into one paragraph."""

import errno
import os
import signal
import sys
import traceback

from oda_tools import paths
from oda_tools.console import Stop, complain


def _gate(name):
    """A command of the gate, with everything prepared that it needs."""

    def command():
        from oda_tools.gate import stages
        from oda_tools.runtime import Runtime

        with Runtime.prepare(dev=True) as runtime:
            return getattr(stages, name)(runtime, os.environ.get("ADDON", ""))

    return command


def _commands():
    from oda_tools import backup, bench, i18n, sandbox, serve

    return {
        "run": serve.run,
        "test": _gate("test"),
        "bench": bench.run,
        "lint": _gate("lint"),
        "shell": backup.shell,
        "stop": serve.stop,
        "clean": backup.clean,
        "backup": backup.backup,
        "restore": backup.restore,
        "call": sandbox.call,
        "i18n": i18n.i18n,
    }


def _interrupted(_number, _frame):
    raise KeyboardInterrupt


def main(arguments):
    """Run one command; returns the exit status, never a traceback."""
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGHUP, _interrupted)
    # files of the clone (backups apart) may be read by its group and others, as
    # PostgreSQL's own account must
    os.umask(0o022)
    try:
        commands = _commands()
        if len(arguments) != 1 or arguments[0] not in commands:
            raise Stop(f"Usage: make {' | '.join(commands)}", code=2)
        return commands[arguments[0]]() or 0
    except Stop as stop:
        complain(stop)
        return stop.code
    except KeyboardInterrupt:
        complain("Interrupted. The same command goes on from here.")
        return 130
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            complain("The disk is full: free some space and run the command again.")
            return 1
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            complain(
                f"No right to write or read {error.filename}: {error.strerror}. Does "
                "this clone belong to another user?"
            )
            return 1
        return _unexpected()
    except Exception:
        return _unexpected()


def _unexpected():
    """A fault of ours: the traceback goes to a file, the person gets a sentence."""
    kind, error, _trace = sys.exc_info()
    text = traceback.format_exc()
    where = paths.LOGS / "crash.log"
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text, encoding="utf-8")
    except OSError:
        print(text, file=sys.stderr)
    complain(f"This should not happen: {kind.__name__}: {error}. Details: {where}")
    return 70
