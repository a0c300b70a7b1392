# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request

_EXTENSIONS = {"audio/mpeg": "mp3", "audio/wav": "wav", "audio/ogg": "ogg"}


class RecordingController(http.Controller):
    """The only way to hear a recording: rights checked, listening journalled."""

    @http.route(
        "/oda/recording/<int:recording_id>",
        type="http",
        auth="user",
        methods=["GET", "HEAD"],
        readonly=False,
    )
    def listen(self, recording_id):
        """Stream the sound with HTTP Range; 404 for whoever may not hear it.

        The same answer for "not yours" and "does not exist", so that nobody
        can count other people's calls. Each listening is one `oda.event`.
        """
        recording = request.env["oda.recording"].browse(recording_id).exists()
        try:
            if not recording or not recording._may_hear():
                raise NotFound()
            if recording.state != "stored":
                raise NotFound()
        except (AccessError, MissingError) as error:
            raise NotFound() from error
        kind = recording.mimetype or "application/octet-stream"
        name = f"apel-{recording_id}.{_EXTENSIONS.get(kind, 'bin')}"
        stream = request.env["ir.binary"]._get_stream_from(
            recording.sudo(),  # sudo: closed to the ORM; _may_hear said yes
            "audio",
            filename=name,
            mimetype=kind,
        )
        if request.httprequest.method == "GET":
            recording._journal_listening()
        return stream.get_response(as_attachment=False, max_age=0, immutable=False)
