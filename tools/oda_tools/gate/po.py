# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Just enough of the PO format to see what is not translated."""

import ast
import re

PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sdif]|\{\w*\}")


def _entries(text):
    """(line, flags, msgid, msgstr) of each live entry, the header included."""
    line, flags, parts, current = 1, set(), {}, None
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        if not raw.strip():
            if "msgid" in parts:
                yield line, flags, parts["msgid"], parts
            line, flags, parts, current = number + 1, set(), {}, None
        elif raw.startswith("#,"):
            flags |= {flag.strip() for flag in raw[2:].split(",")}
        elif raw.startswith("msg"):
            current, _, value = raw.partition(" ")
            parts[current] = _string(value)
        elif raw.startswith('"') and current:
            parts[current] += _string(raw)


def _string(literal):
    try:
        return ast.literal_eval(literal.strip())
    except (SyntaxError, ValueError):
        return ""


def faults(text):
    """Entries that are not ready: (line, source text, what is wrong)."""
    for line, flags, source, parts in _entries(text):
        if not source:
            continue
        target = parts.get("msgstr", parts.get("msgstr[0]", ""))
        if "fuzzy" in flags:
            yield line, source, "fuzzy"
        elif not target:
            yield line, source, "not translated"
        elif sorted(m[0] for m in PLACEHOLDER.finditer(source)) != sorted(
            m[0] for m in PLACEHOLDER.finditer(target)
        ):
            yield line, source, "placeholders differ"
