# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A ZIP file written from its beginning to its end, nothing compressed.

The size and the CRC of an entry are known before it is written, so nothing is ever
gone back to: what is written may be encrypted, hashed or sent on its way. Large
ones (over 4 GB, over 65 535 entries) are ZIP64. Names are UTF-8.
"""

import struct
from typing import NamedTuple

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_UTF8 = 0x0800
_MADE_BY_UNIX = 3 << 8
_MODE = 0o100644 << 16  # an ordinary file
_FULL32, _FULL16 = 0xFFFFFFFF, 0xFFFF


class _Entry(NamedTuple):
    name: bytes
    stamp: tuple
    crc: int
    size: int
    offset: int


def _dos(moment):
    """(time, date) as DOS writes them: local, two seconds exact, from 1980 on."""
    if moment is None or not 1980 <= moment.year <= 2107:
        return 0, 0x21
    return (
        moment.hour << 11 | moment.minute << 5 | moment.second // 2,
        (moment.year - 1980) << 9 | moment.month << 5 | moment.day,
    )


def _zip64(values):
    """Extra field with those of the values that do not fit 32 bits."""
    large = [value for value in values if value >= _FULL32]
    return struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""


class StoredZip:
    """Writes entries one after another.

    :param write: callable(bytes), called in order; may keep what it is given
    :ivar int position: bytes written so far
    """

    def __init__(self, write):
        self._write = write
        self._entries = []
        self.position = 0

    def _put(self, data):
        self._write(data)
        self.position += len(data)

    def add(self, name, size, crc, chunks, moment=None):
        """Write one entry.

        :param str name: of the file within the archive
        :param int size: bytes
        :param int crc: CRC-32 of the content
        :param chunks: iterable of bytes, `size` of them together
        :param datetime moment: the file's time, naive and local
        :raise ValueError: when the chunks are more or less than `size` bytes: the
            archive is unusable then and must be begun anew
        """
        entry = _Entry(name.encode(), _dos(moment), crc, size, self.position)
        extra = _zip64((size, size) if size >= _FULL32 else ())
        short = min(size, _FULL32)
        self._put(
            _LOCAL.pack(
                b"PK\3\4",
                45 if extra else 20,
                _UTF8,
                0,
                *entry.stamp,
                crc,
                short,
                short,
                len(entry.name),
                len(extra),
            )
            + entry.name
            + extra
        )
        start = self.position
        for chunk in chunks:
            self._put(chunk)
        if self.position - start != size:
            raise ValueError(f"{name}: {self.position - start} bytes, not {size}")
        self._entries.append(entry)

    def finish(self):
        """Write the table of contents; nothing may be added after it."""
        start = self.position
        for entry in self._entries:
            extra = _zip64(
                ((entry.size, entry.size) if entry.size >= _FULL32 else ())
                + (entry.offset,)
            )
            short = min(entry.size, _FULL32)
            version = 45 if extra else 20
            self._put(
                _CENTRAL.pack(
                    b"PK\1\2",
                    _MADE_BY_UNIX | version,
                    version,
                    _UTF8,
                    0,
                    *entry.stamp,
                    entry.crc,
                    short,
                    short,
                    len(entry.name),
                    len(extra),
                    0,
                    0,
                    0,
                    _MODE,
                    min(entry.offset, _FULL32),
                )
                + entry.name
                + extra
            )
        count, size, end = len(self._entries), self.position - start, self.position
        if count >= _FULL16 or size >= _FULL32 or start >= _FULL32:
            self._put(
                _END64.pack(b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
            )
            self._put(_LOCATOR.pack(b"PK\6\7", 0, end, 1))
        short = min(count, _FULL16)
        self._put(
            _END.pack(
                b"PK\5\6",
                0,
                0,
                short,
                short,
                min(size, _FULL32),
                min(start, _FULL32),
                0,
            )
        )
