# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Files of any size, encrypted piece by piece: AES-256-GCM, a key for each file.

A piece opens by itself, so that a player may jump to the middle of an hour without
the hour being decrypted, and half a gigabyte never sits in memory. Layout::

    header   16 bytes: magic "ODASEAL1", bytes of plain text a piece (u32), 0 (u32)
    pieces   nonce (12) + ciphertext + tag (16)

All pieces hold the announced number of bytes but the last, which may hold less (an
empty file has one empty piece). The number of a piece and whether it is the last
are authenticated with it: pieces put in another order, left out or taken from
another file do not open, and neither does the end of a file that was cut short.
"""

import io
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY = 32  # bytes
PIECE = 65536  # bytes of plain text; a player asks for about as much
_MAGIC = b"ODASEAL1"
_HEADER = struct.Struct(">8sII")
_BOUND = struct.Struct(">8sIQ?")
_NONCE, _TAG = 12, 16
_MAX_PIECE = 16 * 1024 * 1024


class SealedBroken(OSError):
    """The file is not what was sealed with this key: damaged, cut, or another's."""


def new_key():
    """Return a fresh key: 32 random bytes, for one file only."""
    return os.urandom(KEY)


class SealedWriter(io.RawIOBase):
    """Encrypts what is written to it; closing it writes the end.

    :param file: binary file to write to, from where it stands; stays open
    :param bytes key: from :func:`new_key`, never used for another file
    :param int piece: bytes of plain text a piece
    """

    def __init__(self, file, key, piece=PIECE):
        super().__init__()
        self._file, self._cipher, self._piece = file, AESGCM(key), piece
        self._number, self._held = 0, bytearray()
        file.write(_HEADER.pack(_MAGIC, piece, 0))

    def writable(self):
        return True

    def write(self, data):  # pylint: disable=method-required-super  # no model
        """Take `data` (bytes-like); return its length. Nothing is kept but a piece."""
        self._held += data
        # The last piece is known only when no other follows: always keep one back.
        whole = max(0, len(self._held) - 1) // self._piece
        if whole:
            view = memoryview(self._held)
            for at in range(0, whole * self._piece, self._piece):
                self._seal(view[at : at + self._piece], last=False)
            view.release()
            del self._held[: whole * self._piece]
        return len(data)

    def _seal(self, plain, last):
        nonce = os.urandom(_NONCE)
        bound = _BOUND.pack(_MAGIC, self._piece, self._number, last)
        self._file.write(nonce + self._cipher.encrypt(nonce, plain, bound))
        self._number += 1

    def close(self):  # pylint: disable=missing-return  # nobody returns one
        if not self.closed:
            self._seal(bytes(self._held), last=True)
        super().close()


class SealedReader(io.RawIOBase):
    """The plain text of a sealed file: readable and seekable, a piece at a time.

    :param file: binary, seekable file, closed with the reader
    :param bytes key: that it was written with
    :ivar int size: bytes of plain text
    :raise SealedBroken: here, or when a piece that does not open is read
    """

    def __init__(self, file, key):
        super().__init__()
        self._file, self._cipher = file, AESGCM(key)
        self._at = 0
        self._open_number, self._open_piece = None, b""
        total = file.seek(0, io.SEEK_END)
        file.seek(0)
        head = file.read(_HEADER.size)
        magic, self._piece, _zero = (
            _HEADER.unpack(head) if len(head) == _HEADER.size else (b"", 0, 0)
        )
        if magic != _MAGIC or not 0 < self._piece <= _MAX_PIECE:
            raise SealedBroken("This is no sealed file.")
        body, step = total - _HEADER.size, self._piece + _NONCE + _TAG
        self._count = max(1, -(-body // step))
        if body - (self._count - 1) * step < _NONCE + _TAG:
            raise SealedBroken("The sealed file was cut short.")
        self.size = body - self._count * (_NONCE + _TAG)

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._at

    def seek(self, offset, whence=io.SEEK_SET):
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer):
        if self._at >= self.size:
            return 0
        number, skip = divmod(self._at, self._piece)
        found = self._plain(number)[skip : skip + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _plain(self, number):
        if number != self._open_number:
            step = self._piece + _NONCE + _TAG
            self._file.seek(_HEADER.size + number * step)
            sealed = self._file.read(step)
            bound = _BOUND.pack(_MAGIC, self._piece, number, number == self._count - 1)
            try:
                plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
            except (InvalidTag, ValueError):
                raise SealedBroken("The sealed file is damaged.") from None
            self._open_number, self._open_piece = number, plain
        return self._open_piece

    def close(self):  # pylint: disable=missing-return  # nobody returns one
        if not self.closed:
            self._file.close()
        super().close()
