# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from werkzeug.exceptions import HTTPException, NotFound, ServiceUnavailable
from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import Response, request

from odoo.addons.oda_base.sealing import SealError

from ..models.oda_recording_sound import SoundGone
from ..sound.names import extension

BLOCK = 65536  # bytes handed to the web server at once


class RecordingController(http.Controller):
    """The only way to hear a recording: rights checked, listening journalled."""

    @http.route(
        "/oda/recording/<int:recording_id>",
        type="http",
        auth="user",
        methods=["GET", "HEAD"],
        readonly=False,
    )
    def listen(self, recording_id, download=None):
        """Stream the sound with HTTP Range; 404 for whoever may not hear it.

        The same answer for "not yours" and "does not exist", so that nobody
        can count other people's calls. Each listening is one `oda.event`, and so
        is each download, which needs a right of its own.
        """
        recording = request.env["oda.recording"].browse(recording_id).exists()
        try:
            if not recording or not recording._may_hear():
                raise NotFound()
            if recording.state != "stored":
                raise NotFound()
            if download and not recording._may_download():
                raise NotFound()
        except (AccessError, MissingError) as error:
            raise NotFound() from error
        kind = recording.mimetype or "application/octet-stream"
        name = f"apel-{recording_id}.{extension(kind)}"
        try:
            answer = self._sound(recording, name, kind, bool(download))
        except (SoundGone, FileNotFoundError, MissingError) as error:
            raise NotFound() from error
        except (SealError, OSError) as error:
            raise _locked() from error
        if request.httprequest.method == "GET":
            if download:
                recording._journal_download()
            else:
                recording._journal_listening()
        return answer

    def _sound(self, recording, name, kind, download):
        mine = recording.sudo()  # sudo: closed to the ORM; _may_hear said yes
        if not mine.audio_key:
            stream = request.env["ir.binary"]._get_stream_from(
                mine, "audio", filename=name, mimetype=kind
            )
            return stream.get_response(
                as_attachment=download, max_age=0, immutable=False
            )
        file, size = mine._open_sound()
        return _stream(file, size, name, kind, f"sound-{recording.sha256}", download)

    @http.route(
        "/oda/recording/archive/<int:archive_id>/<int:number>",
        type="http",
        auth="user",
        methods=["GET", "HEAD"],
        readonly=False,
    )
    def archive(self, archive_id, number):
        """Send a part of an archive, with HTTP Range, so that a broken download
        goes on; 404 for whoever may not have it. Each download is journalled."""
        archive = self._archive(archive_id)
        mine = archive.sudo()  # sudo: files are the system's; _may_take said yes
        try:
            path, file, part = mine._open_part(number)
        except FileNotFoundError as error:
            raise NotFound() from error
        except (SealError, OSError) as error:
            raise _locked() from error
        kind, name = "application/zip", part.name
        if path:
            file.close()
            stream = http.Stream(
                type="path",
                path=path,
                mimetype=kind,
                download_name=name,
                etag=part.sha256,
                size=int(part.size),
            )
            answer = stream.get_response(as_attachment=True, max_age=0)
        else:
            answer = _stream(file, int(part.size), name, kind, part.sha256, True)
        if request.httprequest.method == "GET":
            archive._journal_taking(number)
        return answer

    @http.route(
        "/oda/recording/archive/<int:archive_id>/sums",
        type="http",
        auth="user",
        methods=["GET"],
    )
    def sums(self, archive_id):
        """Send the checksums of all parts, as `sha256sum --check` reads them."""
        parts = self._archive(archive_id).part_ids.sorted("number")
        text = "".join(f"{part.sha256}  {part.name}\n" for part in parts if part.sha256)
        return request.make_response(
            text,
            [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Disposition", "attachment; filename=SHA256SUMS.txt"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )

    def _archive(self, archive_id):
        archive = request.env["oda.recording.archive"].browse(archive_id).exists()
        try:
            there = archive and archive.state == "done" and archive._may_take()
        except (AccessError, MissingError) as error:
            raise NotFound() from error
        if not there:
            raise NotFound()
        return archive


def _locked():
    """The file is there and does not open: a matter for administrators."""
    return ServiceUnavailable(
        request.env._(
            "The file is encrypted or damaged and does not open. Tell an administrator."
        )
    )


def _stream(file, size, name, kind, etag, download):
    """Return a response that reads `file` from wherever the browser asks for."""
    answer = Response(
        wrap_file(request.httprequest.environ, file, BLOCK),
        mimetype=kind,
        direct_passthrough=True,
    )
    answer.content_length = size
    answer.headers.set(
        "Content-Disposition", "attachment" if download else "inline", filename=name
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'"
    answer.cache_control.private = True
    answer.cache_control.no_cache = True
    answer.cache_control.max_age = 0
    answer.set_etag(etag)
    try:
        return answer.make_conditional(
            request.httprequest.environ, accept_ranges=True, complete_length=size
        )
    except HTTPException:  # a range beyond the end
        file.close()
        raise
