# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Run as a program of its own: write one part of an archive.

    python archive_worker.py PLAN

PLAN is a file of JSON lines. The first: ``out`` (file to be made), ``key`` (hex, or
null: not encrypted), ``manifest`` (name), ``header`` and ``words`` ({state: text}).
Each other one is a recording: ``path``, ``key``, ``name``, ``moment`` (ISO, local, or
null), ``sha256`` (as it was fetched), ``row`` (first cells of its manifest line).

Printed are JSON lines: ``items`` [[number, state, bytes, sha256], ...] and ``bytes``
so far, about twice a second; last ``size`` and ``sha256`` of the part, or ``error``.
States: done; differs (not the bytes that were fetched: they are in it all the same);
damaged, missing (not in it). Two threads: one reads and checks, one hashes and writes.
Memory does not depend on the number or the size of the recordings.
"""

import csv
import errno
import hashlib
import io
import json
import os
import queue
import sys
import threading
import time
import zlib
from datetime import datetime

if __package__:
    from .sealed import SealedReader, SealedWriter
    from .zipfile_stored import StoredZip
else:
    from sealed import SealedReader, SealedWriter
    from zipfile_stored import StoredZip

BLOCK = 1024 * 1024  # bytes handed over at once
WHOLE = 8 * 1024 * 1024  # bytes: up to here a recording is read once, and kept
SMALL = 64 * 1024  # bytes: what is smaller is gathered first
AHEAD = 16  # blocks that wait to be written
PIECE = 256 * 1024  # bytes encrypted at once
#: of the environment: blocks are taken and given back all the time, and the C library
#: would fetch each from the system anew (half of the time, measured)
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 1024 * 1024),
}
BEAT = 0.5  # seconds between two reports


class Orphaned(Exception):
    """Whoever started us is gone."""


class Output:
    """Hashes and writes blocks in a thread of its own."""

    def __init__(self, target):
        self._target = target
        self._sha256 = hashlib.sha256()
        self._waiting, self._block = queue.Queue(AHEAD), bytearray()
        self._error = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, data):
        """Take bytes; raise OSError when earlier ones could not be written."""
        if self._error:
            raise self._error
        if len(data) >= SMALL:  # what is larger is not copied again
            self._flush()
            self._waiting.put(data)
            return
        self._block += data
        if len(self._block) >= BLOCK:
            self._flush()

    def _flush(self):
        if self._block:
            self._waiting.put(bytes(self._block))
            self._block.clear()

    def finish(self):
        """Wait until all is written; return the SHA-256 (hex) of it."""
        self._flush()
        self._waiting.put(None)
        self._thread.join()
        if self._error:
            raise self._error
        return self._sha256.hexdigest()

    def _run(self):
        while (data := self._waiting.get()) is not None:
            if self._error:
                continue  # let the other thread come to see it
            try:
                self._sha256.update(data)
                self._target.write(data)
            except OSError as error:
                self._error = error


def _open(item):
    if not item["path"]:
        raise FileNotFoundError
    file = open(item["path"], "rb", buffering=0)
    if not item["key"]:
        return file
    try:
        return SealedReader(file, bytes.fromhex(item["key"]))
    except BaseException:
        file.close()
        raise


def _blocks(file):
    """Read a file from where it stands, in blocks of at most BLOCK bytes."""
    while True:
        parts, length = [], 0
        while length < BLOCK and (data := file.read(BLOCK - length)):
            parts.append(data)
            length += len(data)
        if not parts:
            return
        yield parts[0] if len(parts) == 1 else b"".join(parts)


def _measure(file):
    """Return (bytes, crc32, sha256, blocks or None when they are too many to keep)."""
    size, crc, sha256, kept = 0, 0, hashlib.sha256(), []
    for block in _blocks(file):
        size += len(block)
        crc = zlib.crc32(block, crc)
        sha256.update(block)
        if kept is not None:
            kept = [*kept, block] if size <= WHOLE else None
    return size, crc, sha256.hexdigest(), kept


class Part:
    """One part: a ZIP of recordings and their manifest."""

    def __init__(self, output, tell, alive):
        self._zip = StoredZip(output.put)
        self._tell, self._alive = tell, alive
        self._lines = io.StringIO()
        self._manifest = csv.writer(self._lines, lineterminator="\r\n")
        self._done, self._beat = [], time.monotonic()

    def fill(self, head, items):
        self._manifest.writerow(head["header"])
        for number, item in enumerate(items):
            state, size, sha256 = self._add(item)
            self._manifest.writerow(
                [*item["row"], size, sha256, head["words"].get(state, "")]
            )
            self._done.append([number, state, size, sha256])
            self._report()
        self._report(now=True)
        text = ("\ufeff" + self._lines.getvalue()).encode()
        self._zip.add(
            head["manifest"], len(text), zlib.crc32(text), [text], datetime.now()
        )
        self._zip.finish()
        return self._zip.position

    def _add(self, item):
        """Add one recording; return (state, bytes, sha256)."""
        try:
            file = _open(item)
        except FileNotFoundError:
            return "missing", 0, item["sha256"]
        except OSError:
            return "damaged", 0, item["sha256"]
        with file:
            try:
                size, crc, sha256, blocks = _measure(file)
            except OSError:
                return "damaged", 0, item["sha256"]
            if blocks is None:
                file.seek(0)
                blocks = self._beating(_blocks(file))
            moment = item["moment"] and datetime.fromisoformat(item["moment"])
            self._zip.add(item["name"], size, crc, blocks, moment)
        return ("done" if sha256 == item["sha256"] else "differs"), size, sha256

    def _beating(self, blocks):
        for block in blocks:
            self._report()
            yield block

    def _report(self, now=False):
        if not now and time.monotonic() - self._beat < BEAT:
            return
        self._alive()
        self._tell({"items": self._done, "bytes": self._zip.position})
        self._done, self._beat = [], time.monotonic()


def run(plan, tell, alive=lambda: None):
    """Write the part that a plan describes.

    :param plan: iterable of JSON lines
    :param tell: callable(dict), see the module
    :param alive: callable that raises when nobody waits for us any more
    :return: True when the part is whole; otherwise its file is gone
    """
    plan = iter(plan)
    head = json.loads(next(plan))
    path = head["out"]
    try:
        with open(path, "xb") as out:
            target = (
                SealedWriter(out, bytes.fromhex(head["key"]), PIECE)
                if head["key"]
                else out
            )
            output = Output(target)
            size = Part(output, tell, alive).fill(head, map(json.loads, plan))
            sha256 = output.finish()
            if head["key"]:
                target.close()
            out.flush()
            os.fsync(out.fileno())
    except BaseException as error:
        if not isinstance(error, FileExistsError) and os.path.exists(path):
            os.unlink(path)
        if not isinstance(error, OSError):
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        tell({"error": "full" if full else "disk", "text": error.strerror or ""})
        return False
    tell({"size": size, "sha256": sha256})
    return True


def main(path):
    parent = os.getppid()

    def alive():
        if os.getppid() != parent:
            raise Orphaned

    def tell(message):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    with open(path, encoding="utf-8") as plan:
        return 0 if run(plan, tell, alive) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
