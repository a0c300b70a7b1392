# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What is already done: a stage leaves a stamp, keyed by a hash of all it depends on.

A stamp is written only after success, so an interrupted stage is simply done again.
"""

import hashlib
import json

from oda_tools import paths


def digest(*parts):
    """SHA-256 of strings and files (Path; a missing file counts too), in hex."""
    total = hashlib.sha256()
    for part in parts:
        if hasattr(part, "read_bytes"):
            data = part.read_bytes() if part.is_file() else b"\0none"
        else:
            data = str(part).encode()
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()


def read(stage):
    """The stamp of a stage as a dict, {} when there is none."""
    try:
        return json.loads((paths.STAMPS / f"{stage}.json").read_text())
    except (OSError, ValueError):
        return {}


def write(stage, **facts):
    """Replace the stamp of a stage in one step."""
    paths.STAMPS.mkdir(parents=True, exist_ok=True)
    new = paths.STAMPS / f"{stage}.new"
    new.write_text(json.dumps(facts, indent=1, sort_keys=True))
    new.rename(paths.STAMPS / f"{stage}.json")


def remove(stage):
    (paths.STAMPS / f"{stage}.json").unlink(missing_ok=True)
