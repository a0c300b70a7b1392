# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A CSV or XLSX file -> rows of text, within limits, never a formula's value.

No ``env``. What cannot be read raises `TableError` with a code and what to say.
"""

import csv
import datetime
import io
import zipfile

import chardet
import openpyxl

SIZE_MAX = 20 * 1024 * 1024  # bytes of the file
UNPACKED_MAX = 300 * 1024 * 1024  # bytes of what an XLSX unpacks to
MEMBERS_MAX = 2_000
ROWS_MAX = 100_000  # without the header
COLUMNS_MAX = 200
CELL_MAX = 10_000  # characters kept of one cell

DELIMITERS = (",", ";", "\t", "|")
#: in which a file from here may be, beside UTF-8; the first is the usual one
ENCODINGS = ("windows-1251", "windows-1250", "iso-8859-2", "windows-1252", "koi8-r")
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_NULL_DATE = datetime.time(0, 0)


class TableError(Exception):
    """The file cannot be read.

    :ivar code: `empty`, `size`, `rows`, `columns`, `zip`, `bomb`, `encoding`, `binary`
    :ivar limit: the number that was passed, where there is one
    """

    def __init__(self, code, limit=None):
        super().__init__(code)
        self.code = code
        self.limit = limit


class Formula(str):
    """The text of a cell that holds a formula: shown, never computed nor taken."""

    __slots__ = ()


def is_xlsx(data):
    """Return whether the bytes are a ZIP, which an XLSX is."""
    return data[:4] == b"PK\x03\x04"


def read(data, encoding=None, delimiter=None):
    """Return ``(rows, encoding, delimiter)``; the last two are None for XLSX.

    :param bytes data: the file
    :param encoding: as the person chose; guessed when None
    :param delimiter: the same
    :returns: rows of equal length, of `str` (or `Formula`), blank lines left out
    :raise TableError: what is wrong with the file
    """
    if len(data) > SIZE_MAX:
        raise TableError("size", SIZE_MAX // 1024 // 1024)
    if not data.strip():
        raise TableError("empty")
    if is_xlsx(data):
        rows, encoding, delimiter = _read_xlsx(data), None, None
    else:
        text, encoding = decode(data, encoding)
        delimiter = delimiter or guess_delimiter(text)
        rows = _read_csv(text, delimiter)
    return _square(rows), encoding, delimiter


def _square(rows):
    """Return the rows with something in them, cut and filled to one length."""
    kept, width = [], 0
    for row in rows:
        cells = [type(cell)(cell[:CELL_MAX]) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        width = max(width, len(cells))
        if width > COLUMNS_MAX:
            raise TableError("columns", COLUMNS_MAX)
        if len(kept) > ROWS_MAX:
            raise TableError("rows", ROWS_MAX)
        kept.append(cells)
    if len(kept) < 2:
        raise TableError("empty")
    return [row + [""] * (width - len(row)) for row in kept]


# === CSV ===#


def decode(data, encoding=None):
    """Return ``(text, encoding)`` of a text file."""
    if not encoding:
        encoding = guess_encoding(data)
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise TableError("encoding") from error
    if "\0" in text:
        raise TableError("binary")
    return text, encoding


def guess_encoding(data):
    """Return the encoding of a text, UTF-8 wherever it can be."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        found = (chardet.detect(data[:200_000])["encoding"] or "").lower()
        return found if found in ENCODINGS else ENCODINGS[0]
    return "utf-8"


def guess_delimiter(text):
    """Return the separator that cuts the first lines into most equal pieces."""
    head = "\n".join(text.splitlines()[:50])

    def fitness(delimiter):
        try:
            widths = [
                len(row)
                for row in csv.reader(io.StringIO(head), delimiter=delimiter)
                if row
            ]
        except csv.Error:
            return (0, 0)
        if not widths or widths[0] < 2:
            return (0, 0)
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0])

    return max(DELIMITERS, key=fitness)


def _read_csv(text, delimiter):
    previous = csv.field_size_limit(SIZE_MAX)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise TableError("binary") from error
    finally:
        csv.field_size_limit(previous)


# === XLSX ===#


def _read_xlsx(data):
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise TableError("zip") from error
    if len(members) > MEMBERS_MAX or sum(m.file_size for m in members) > UNPACKED_MAX:
        raise TableError("bomb", UNPACKED_MAX // 1024 // 1024)
    try:
        for member in members:
            # No office program writes one; entities that grow in it are a bomb too.
            if member.filename.endswith((".xml", ".rels")):
                with archive.open(member) as part:
                    if b"<!DOCTYPE" in part.read(2048).upper():
                        raise TableError("bomb", UNPACKED_MAX // 1024 // 1024)
        book = openpyxl.load_workbook(
            io.BytesIO(data), read_only=True, data_only=False, keep_links=False
        )
        sheet = book.active or book.worksheets[0]
        # What the sheet says of its own size may be a lie of millions of columns.
        sheet.reset_dimensions()
        rows = []
        for row in sheet.iter_rows(max_col=COLUMNS_MAX + 1):
            rows.append([cell_text(cell) for cell in row])
            if len(rows) > ROWS_MAX + 1 + 1000:
                raise TableError("rows", ROWS_MAX)
        return rows
    except TableError:
        raise
    except Exception as error:  # openpyxl raises whatever a broken file makes it
        raise TableError("zip") from error


def cell_text(cell):
    """Return the text of a cell as a person reads it."""
    value = cell.value
    if value is None:
        return ""
    if getattr(cell, "data_type", None) == "f":
        return Formula(value if isinstance(value, str) else getattr(value, "text", "="))
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        # A number of 13 digits is an identity, not 2.0021E+12.
        return (
            str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
        )
    if isinstance(value, datetime.datetime):
        day = value.date().isoformat()
        return day if value.time() == _NULL_DATE else value.isoformat(" ", "seconds")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def write_csv(rows):
    """Return rows as CSV that spreadsheets open with the right letters."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
