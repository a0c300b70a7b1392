# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Archives of recordings beside `tar`: bytes a second, and memory.

``ARCHIVE_GB=20`` sets the size (2 without it; QUICK: 0.2). Needs two and a half times
that much free disk.
"""

import importlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from oda_tools.console import Stop

from .report import ROOT, Section

WORKER = ROOT / "addons" / "oda_telephony" / "sound" / "archive_worker.py"
RATIO, MEMORY = 0.7, 200  # of tar's speed; MB
EACH = 700_000  # bytes: four minutes of a telephone's MP3
PART = 1024**3  # bytes
_SPAN = 8 * 1024 * 1024


def run(ground):
    size = float(os.environ.get("ARCHIVE_GB") or (0.2 if ground.quick else 2))
    section = Section(
        "Archive of recordings",
        f"{size:g} GB in files of about 0.7 MB; ZIP parts of 1 GB, SHA-256 of each "
        "file and of each part, CRC-32 and manifest, fsync; beside `tar cf` of the "
        "same files with `sync` of its result. Runs alternate; the files are read "
        "from a cache as warm for one as for the other.",
    )
    with tempfile.TemporaryDirectory(dir=_place(size)) as folder:
        folder = Path(folder)
        files = _files(folder, int(size * 1024**3))
        total = sum(path.stat().st_size for path in files)
        for name, key in (("plain", None), ("encrypted", "11" * 32)):
            tar, ours, most = [], [], 0
            for _round in range(1 if size > 4 else 3):
                tar.append(_tar(folder, files))
                seconds, peak = _ours(folder, files, key)
                ours.append(seconds)
                most = max(most, peak)
            ratio = min(tar) / min(ours)
            section.add(
                f"{name}, {total / 1e9:.1f} GB, {len(files)} files",
                f"{total / min(ours) / 1e6:.0f} MB/s",
                peer=f"tar {total / min(tar) / 1e6:.0f} MB/s",
                ratio=f"{ratio:.2f}",
                target=f"at least {RATIO}" if key is None else "",
                met=ratio >= RATIO if key is None else None,
            )
            section.add(
                f"{name}, largest memory of the process",
                f"{most} MB",
                target=f"under {MEMORY} MB",
                met=most < MEMORY,
            )
    yield section


def _place(size):
    folder = ROOT / ".local"
    folder = folder if folder.is_dir() else Path(tempfile.gettempdir())
    needed = size * 2.5 * 1024**3
    if shutil.disk_usage(folder).free < needed:
        raise Stop(
            f"{needed / 1e9:.0f} GB of free disk are needed in {folder} for "
            f"ARCHIVE_GB={size:g}."
        )
    return folder


def _files(folder, total):
    """Files of random bytes (nothing to compress), sizes as talks have them."""
    chance, paths = random.Random(11), []
    block = chance.randbytes(_SPAN)
    place = folder / "sounds"
    place.mkdir()
    while total > 0:
        size = min(total, chance.randint(EACH // 4, EACH * 7 // 4))
        start = chance.randrange(_SPAN - EACH * 7 // 4)
        paths.append(place / f"{len(paths):06}.mp3")
        paths[-1].write_bytes(block[start : start + size])
        total -= size
    os.sync()
    return paths


def _tar(folder, files):
    out = folder / "peer.tar"
    started = time.monotonic()
    subprocess.run(["tar", "cf", str(out), "-C", str(folder), "sounds"], check=True)
    with open(out, "rb+") as file:
        os.fsync(file.fileno())
    seconds = time.monotonic() - started
    out.unlink()
    return seconds


def _ours(folder, files, key):
    """Make all parts; return (seconds, most MB of a process)."""
    parts, room = [[]], PART
    for path in files:
        if room <= 0:
            parts.append([])
            room = PART
        parts[-1].append(path)
        room -= path.stat().st_size
    plans = []
    for number, part in enumerate(parts):
        out = folder / f"part-{number}.zip"
        head = {
            "out": str(out),
            "key": key,
            "manifest": "manifest.csv",
            "header": ["File", "Bytes", "SHA-256", "Remark"],
            "words": {},
        }
        lines = [
            {
                "path": str(path),
                "key": None,
                "name": path.name,
                "moment": "2026-05-12T09:03:00",
                "sha256": "",
                "row": [path.name],
            }
            for path in part
        ]
        plan = folder / f"plan-{number}"
        plan.write_text("\n".join(json.dumps(one) for one in (head, *lines)))
        plans.append((plan, out))
    most, started = 0, time.monotonic()
    for plan, _out in plans:
        most = max(most, _run_one(plan))
    seconds = time.monotonic() - started
    for plan, out in plans:
        if key is None:
            with zipfile.ZipFile(out) as archive:
                assert len(archive.namelist()) > 1
        plan.unlink()
        out.unlink()
    return seconds, most


def _malloc():
    """As the addon sets it; read without Odoo."""
    sys.path.insert(0, str(WORKER.parent))
    try:
        return importlib.import_module(WORKER.stem).MALLOC
    finally:
        sys.path.remove(str(WORKER.parent))


def _run_one(plan):
    """Run the process over a plan; return its most MB."""
    with subprocess.Popen(
        [sys.executable, str(WORKER), str(plan)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, **_malloc()},
    ) as worker:
        _pid, status, usage = os.wait4(worker.pid, 0)
        worker.returncode = os.waitstatus_to_exitcode(status)
    assert worker.returncode == 0, "the archive was not made"
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss // 1024
