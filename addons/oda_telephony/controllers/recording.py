# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request


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
        can count other people's calls. The start of each listening is an
        `oda.event`; the further ranges of the same listening are not.
        """
        recording = request.env["oda.recording"].browse(recording_id)
        try:
            recording.check_access("read")
            if recording.state != "stored":
                raise NotFound()
            stream = request.env["ir.binary"]._get_stream_from(
                recording, "audio", filename=f"apel-{recording_id}", mimetype=None
            )
        except (AccessError, MissingError) as error:
            raise NotFound() from error
        stream.mimetype = recording.mimetype or "application/octet-stream"
        wanted = request.httprequest.headers.get("Range", "bytes=0-").strip()
        from_start = wanted.startswith("bytes=0-")
        if from_start and request.httprequest.method == "GET":
            request.env["oda.event"]._log("recording.listen", recording)
        return stream.get_response(as_attachment=False, max_age=0, immutable=False)
