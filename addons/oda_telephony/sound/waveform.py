# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""How loud a recording is from its beginning to its end, for drawing it."""

import os
import subprocess
import sys
from pathlib import Path

MOST = 1200  # values: a screen shows no more
LONGEST = 100 * 1024 * 1024  # bytes: nobody talks that long
_WORKER = Path(__file__).with_name("waveform_worker.py")
_PATIENCE = 120  # seconds
_COPY = 1024 * 1024


class NoWaveform(Exception):
    """There will be none: no decoder here, or a sound that it does not take."""


def shrink(values, most=MOST):
    """Return at most `most` values (bytes), each the loudest of those it stands for."""
    count = len(values)
    if count <= most:
        return bytes(values)
    return bytes(
        max(values[at * count // most : (at + 1) * count // most]) for at in range(most)
    )


def measure(file, seconds):
    """Decode a sound in a process of its own.

    :param file: binary file with the sound; read from its beginning
    :param float seconds: how long it plays, about
    :return: bytes, at most 1200, 0 (silent) ... 255, evenly over the time
    :raise NoWaveform: not to be had for this file
    """
    file.seek(0, os.SEEK_END)
    if file.tell() > LONGEST:
        raise NoWaveform("too long")
    file.seek(0)
    # In memory: what is encrypted on the disk must not lie there in the clear.
    handle = os.memfd_create("oda-sound")
    try:
        while block := file.read(_COPY):
            os.write(handle, block)
        done = subprocess.run(
            [sys.executable, str(_WORKER), f"/proc/self/fd/{handle}", str(seconds)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=(handle,),
            timeout=_PATIENCE,
            check=False,
            # nothing of the server's own environment: its keys may be named there
            env={"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoWaveform(type(error).__name__) from error
    finally:
        os.close(handle)
    if done.returncode or not done.stdout:
        raise NoWaveform(f"the decoder ended with {done.returncode}")
    return shrink(bytes.fromhex(done.stdout.decode("ascii")))
