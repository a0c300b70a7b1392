# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import filecmp
import hashlib
import io
import os
import tempfile
import time

from odoo import SUPERUSER_ID, api, models

from odoo.addons.oda_base import sealing

from ..sound.sealed import SealedReader, SealedWriter, new_key

BLOCK = 1024 * 1024  # bytes read at once
INCOMING = "oda_incoming"  # folder of the filestore: what is being written
STALE = 24 * 3600  # seconds: what lies there longer was left by a dead process


class SoundGone(Exception):
    """The row says that there is a sound, the disk says that there is not."""


class OdaRecording(models.Model):
    """Where the sound lies: an attachment of the row, encrypted when the company
    wants it so.

    It goes through in pieces, to the disk and back: half a gigabyte is never in
    memory. The attachment is an ordinary one, so backups, Odoo's collection of
    what nobody refers to, and other places to store files find it.
    """

    _inherit = "oda.recording"

    def _seal_name(self):
        """What the sealed key of this row's file is bound to."""
        self.ensure_one()
        return f"oda.recording:{self.id}:audio"

    def _sound_attachment(self):
        self.ensure_one()
        # sudo: closed to the ORM for everybody; who calls has asked for the right
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("res_field", "=", "audio"),
                ],
                limit=1,
            )
        )

    # === WRITING ===#

    def _keep_sound(self, source, seal):
        """Put a sound into the filestore, in place of the one that there may be.

        :param source: binary file, read from its beginning
        :param bool seal: encrypt it, with a key of its own
        :return: sealed key of the file, or False
        :raise SealingKeyMissing: to be sealed, and the server has no key
        """
        self.ensure_one()
        source.seek(0)
        key = new_key() if seal else None
        token = (
            sealing.seal(base64.b64encode(key).decode(), self._seal_name())
            if seal
            else False
        )
        # sudo: as in _sound_attachment
        files = self.env["ir.attachment"].sudo()
        if files._storage() == "file":
            self._keep_in_filestore(files, source, key)
        else:
            self._keep_elsewhere(files, source, key)
        return token

    def _keep_in_filestore(self, files, source, key):
        path, sha1, size = self._bring_in(files, source, key)
        try:
            # The row first: while it is not committed, nothing is collected.
            attachment = self._sound_attachment() or files.create(
                self._sound_values(key)
            )
            files.flush_model()
            fname = f"{sha1[:2]}/{sha1}"
            old = attachment.store_fname
            self.env.cr.execute(
                "UPDATE ir_attachment SET store_fname = %s, checksum = %s, "
                "file_size = %s, mimetype = %s, db_datas = NULL WHERE id = %s",
                (
                    fname,
                    sha1,
                    size,
                    self._sound_values(key)["mimetype"],
                    attachment.id,
                ),
            )
            attachment.invalidate_recordset()
            if old and old != fname:
                files._file_delete(old)
            self._put_in_place(files, path, fname)
        finally:
            if os.path.exists(path):
                os.unlink(path)

    def _sound_values(self, key):
        return {
            "name": "audio",
            "res_model": self._name,
            "res_id": self.id,
            "res_field": "audio",
            "type": "binary",
            "mimetype": "application/octet-stream" if key else self.mimetype,
        }

    @api.model
    def _bring_in(self, files, source, key):
        """Write a new file beside the others; return (path, SHA-1, bytes)."""
        folder = os.path.join(files._filestore(), INCOMING)
        os.makedirs(folder, exist_ok=True)
        sha1 = hashlib.sha1(usedforsecurity=False)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as out:
            try:
                told = _Hashed(out, sha1)
                writer = SealedWriter(told, key) if key else told
                while block := source.read(BLOCK):
                    writer.write(block)
                if key:
                    writer.close()
                out.flush()
                # The exchange forgets its copy: ours must outlive a power cut.
                os.fsync(out.fileno())
                return out.name, sha1.hexdigest(), out.tell()
            except BaseException:
                os.unlink(out.name)
                raise

    @api.model
    def _put_in_place(self, files, path, fname):
        """Give a file the name that Odoo finds it by; one content is there once."""
        full = files._full_path(fname)
        # Should this transaction fail, the collection finds the file by this mark.
        files._mark_for_gc(fname)
        if os.path.exists(full):
            # Two contents of one SHA-1 can be made on purpose: never over another's.
            if not filecmp.cmp(path, full, shallow=False):
                raise FileExistsError(f"{fname} is another file")
            return
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.chmod(path, 0o640)
        os.replace(path, full)

    def _keep_elsewhere(self, files, source, key):
        """Let the storage that is configured take it, in memory as is its way."""
        if key:
            out = io.BytesIO()
            with SealedWriter(out, key) as writer:
                while block := source.read(BLOCK):
                    writer.write(block)
            content = out.getvalue()
        else:
            content = source.read()
        attachment = self._sound_attachment()
        if attachment:
            attachment.write({"raw": content})
        else:
            files.create({**self._sound_values(key), "raw": content})

    # === READING ===#

    def _open_sound(self):
        """Open the sound, decrypted, to be read from wherever one likes.

        No right is asked for here. The file needs no database once it is open.

        :return: (binary file, bytes)
        :raise SoundGone: there is none
        :raise SealError: its key does not open: see `sealing`
        :raise SealedBroken: the file is damaged
        """
        # sudo: the key is closed to the ORM; who calls has asked for the right
        token = self.sudo().audio_key
        key = (
            base64.b64decode(sealing.unseal(token, self._seal_name()))
            if token
            else None
        )
        file = self._open_attachment(self._sound_attachment())
        if not key:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            return file, size
        try:
            reader = SealedReader(file, key)
        except BaseException:
            file.close()
            raise
        return reader, reader.size

    @api.model
    def _open_attachment(self, attachment):
        """Open the stored file of an attachment, wherever it lies.

        :raise SoundGone: there is none
        """
        if not attachment:
            raise SoundGone
        if not attachment.store_fname:
            return io.BytesIO(attachment.raw or b"")
        if "://" in attachment.store_fname:
            # An addon keeps it elsewhere (fs_attachment): as that one reads it.
            return io.BytesIO(attachment.raw or b"")
        try:
            return open(attachment._full_path(attachment.store_fname), "rb")
        except FileNotFoundError:
            raise SoundGone from None

    # === REMOVING ===#

    def _drop_sound(self):
        """Forget the sound and its key; the file goes at the next collection."""
        # sudo: as in _sound_attachment
        self.env["ir.attachment"].sudo().search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("res_field", "=", "audio"),
            ]
        ).unlink()
        self.sudo().audio_key = False  # sudo: closed to the ORM

    @api.model
    def _collect_files(self):
        """Let Odoo delete the files that nothing refers to any more, now.

        It asks for each one whether another attachment has the same content.
        Commits, as all collection does: on a cursor of its own.
        """
        with self.env.registry.cursor() as cr:
            api.Environment(cr, SUPERUSER_ID, {})["ir.attachment"]._gc_file_store()
        self._collect_incoming()

    @api.model
    def _collect_incoming(self):
        """Delete what dead processes were writing."""
        folder = os.path.join(self.env["ir.attachment"]._filestore(), INCOMING)
        if not os.path.isdir(folder):
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file() and entry.stat().st_mtime < time.time() - STALE:
                    os.unlink(entry.path)


class _Hashed:
    """A file that notes the hash of what is written to it."""

    def __init__(self, file, digest):
        self._file, self._digest = file, digest

    def write(self, data):  # pylint: disable=method-required-super  # no model
        self._digest.update(data)
        return self._file.write(data)
