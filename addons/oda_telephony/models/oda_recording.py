# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import NO_ACCESS

from odoo.addons.oda_base.net import audio
from odoo.addons.oda_base.net.download import Downloader
from odoo.addons.oda_base.net.errors import NotThere, Refused, Temporary
from odoo.addons.oda_base.transaction import in_own_transaction

_logger = logging.getLogger(__name__)

FIRST_FETCH = 20  # seconds: the exchange writes the file after the hang-up
QUICK_TRIES, QUICK_GAP = 4, 60  # then each hour
HOURLY_GAP = 3600
LISTENING = timedelta(minutes=10)  # jumps within it are the same listening
GIVE_UP = timedelta(days=6)  # the exchange keeps it about a week
LEASE = timedelta(minutes=10)  # a fetch that takes longer is a dead process's
MAX_BYTES = 25 * 1024 * 1024  # about two hours of mono MP3
#: reasons of a refusal that no waiting will change
FINAL = ("url", "host", "redirect", "size", "encoding")


class OdaRecording(models.Model):
    """The sound of a call, copied from the exchange before it forgets it."""

    _name = "oda.recording"
    _description = "Call Recording"
    _order = "id desc"

    call_id = fields.Many2one(
        "oda.call", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="call_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="call_id.partner_id")
    user_id = fields.Many2one(
        related="call_id.user_id", store=True, index="btree_not_null"
    )
    started_at = fields.Datetime(related="call_id.started_at")
    # The link opens without a password: as good as the recording itself.
    url = fields.Char(readonly=True, groups="oda_base.group_connector")
    state = fields.Selection(
        [
            ("pending", "Being fetched"),
            ("stored", "Stored"),
            ("failed", "Refused"),
            ("missing", "The exchange no longer has it"),
        ],
        required=True,
        readonly=True,
        default="pending",
    )
    words = fields.Char(string="What became of it", readonly=True)
    attempts = fields.Integer(readonly=True)
    next_try_at = fields.Datetime(readonly=True)
    fetched_at = fields.Datetime(readonly=True)
    # Closed to the ORM: heard through the controller, which journals it.
    audio = fields.Binary(attachment=True, readonly=True, groups=NO_ACCESS)
    mimetype = fields.Char(readonly=True)
    size = fields.Integer(string="Bytes", readonly=True)
    sha256 = fields.Char(string="SHA-256", readonly=True)
    duration = fields.Integer(string="Seconds", readonly=True)

    _url_uniq = models.UniqueIndex("(call_id, md5(url))", "One row a recording.")
    _todo_idx = models.Index("(next_try_at) WHERE state = 'pending'")

    @api.depends("call_id")
    def _compute_display_name(self):
        for recording in self:
            recording.display_name = recording.call_id.display_name

    # === HEARING ===#

    def _may_hear(self):
        """True when the current user may hear it: their own talk, or it is their job.

        Administrators look after the rows and do not hear the calls.
        """
        self.ensure_one()
        user = self.env.user
        mine = self.env["oda.call.leg"].search_count(
            [
                ("call_id", "=", self.call_id.id),
                ("user_id", "=", user.id),
                ("state", "in", ("talking", "done")),
            ],
            limit=1,
        )
        return bool(self.has_access("read")) and (
            bool(mine)
            or self.user_id == user
            or user.has_group("oda_base.group_lead")
            or user.has_group("oda_base.group_supervisor")
        )

    def _journal_listening(self):
        """Note that somebody hears it; the jumps of one listening are one event."""
        self.env.cr.execute(
            "SELECT 1 FROM oda_event WHERE res_model = %s AND res_id = %s "
            "AND user_id = %s AND code = 'recording.listen' AND at > %s LIMIT 1",
            (self._name, self.id, self.env.uid, fields.Datetime.now() - LISTENING),
        )
        if not self.env.cr.fetchone():
            self.env["oda.event"]._log("recording.listen", self)

    # === FETCHING ===#

    @api.model
    def _offer(self, call, url):
        """Note that the exchange has a recording; fetch it soon after."""
        if self.search_count([("call_id", "=", call.id), ("url", "=", url)], limit=1):
            return
        delay = self._first_delay()
        recording = self.create(
            {
                "call_id": call.id,
                "url": url,
                "next_try_at": fields.Datetime.now() + timedelta(seconds=delay),
            }
        )
        recording._enqueue(delay)

    @api.model
    def _first_delay(self):
        # sudo: a number out of the parameters
        params = self.env["ir.config_parameter"].sudo()
        return int(params.get_param("oda_telephony.first_fetch_delay", FIRST_FETCH))

    def _enqueue(self, delay):
        for recording in self:
            recording.with_delay(
                eta=max(0, delay),
                identity_key=f"oda.recording:{recording.id}:{recording.attempts}",
                description="Fetch a recording",
                max_retries=0,
            )._fetch()

    def _fetch(self):
        """Copy the file of one recording. Job entry point.

        The claim is committed before, the result after the download: no
        transaction is open while the exchange takes its time.
        """
        self.ensure_one()
        registry, uid = self.env.registry, self.env.uid
        # a job has no language of its own; the words it leaves, people read
        context = {"lang": self.env.user.lang}

        def own_cursor(method, *args):
            def act(env):
                return getattr(env[self._name].browse(self.id), method)(*args)

            return in_own_transaction(registry, uid, act, context=context)

        claim = own_cursor("_claim")
        if not claim:
            return "nothing to do"
        url, hosts = claim
        try:
            with self._downloader(hosts).fetch(url) as file:
                seconds = audio.mp3_duration(file.path)
                content = file.file.read()
                own_cursor("_stored", content, file.content_type, file.sha256, seconds)
        except NotThere:
            own_cursor("_not_now", "not_there")
        except Temporary:
            own_cursor("_not_now", "trouble")
        except Refused as error:
            if error.reason in FINAL:
                own_cursor("_refused", error.reason)
            else:
                own_cursor("_not_now", error.reason)
        except Exception as error:  # noqa: BLE001
            # Whatever it was, it must not be tried for ever: counted as a try.
            _logger.info("recording %s: %s", self.id, type(error).__name__)
            own_cursor("_not_now", "trouble")
        return "done"

    @api.model
    def _downloader(self, hosts):
        return Downloader(hosts, max_bytes=MAX_BYTES, accept=audio.accept_audio)

    def _claim(self):
        """Take the row for this process; return (url, allowed hosts) or None."""
        self.env.cr.execute(
            "SELECT 1 FROM oda_recording WHERE id = %s AND state = 'pending' "
            "AND next_try_at <= %s FOR UPDATE SKIP LOCKED",
            (self.id, fields.Datetime.now() + timedelta(seconds=2)),
        )
        if not self.env.cr.fetchone():
            return None
        self.write(
            {
                "attempts": self.attempts + 1,
                "next_try_at": fields.Datetime.now() + LEASE,
            }
        )
        return self.url, self.call_id.account_id._recording_hosts()

    def _stored(self, content, mimetype, sha256, seconds):
        # sudo: the sound is closed to the ORM for everybody, also for this job
        self.sudo().write(
            {
                "audio": base64.b64encode(content),
                "mimetype": mimetype,
                "size": len(content),
                "sha256": sha256,
                "duration": int(seconds or self.call_id.duration or 0),
                "state": "stored",
                "words": False,
                "next_try_at": False,
                "fetched_at": fields.Datetime.now(),
            }
        )
        self._tell()

    def _not_now(self, reason):
        """Put the next try off, or give up when the exchange has forgotten it."""
        words = {
            "not_there": self.env._("The exchange does not have it yet."),
            "trouble": self.env._("The exchange could not be reached."),
            "content": self.env._("The exchange sent something that is no sound."),
        }.get(reason, self.env._("The exchange answered something unexpected."))
        if fields.Datetime.now() - self.create_date > GIVE_UP:
            self.write({"state": "missing", "words": words, "next_try_at": False})
            return
        gap = QUICK_GAP if self.attempts < QUICK_TRIES else HOURLY_GAP
        if reason == "not_there" and self.attempts < QUICK_TRIES:
            gap = min(gap, max(1, self._first_delay() * 3))
        self.write(
            {
                "words": words,
                "next_try_at": fields.Datetime.now() + timedelta(seconds=gap),
            }
        )
        self._enqueue(gap)

    def _refused(self, reason):
        words = {
            "host": self.env._("The link leads outside the exchange: not followed."),
            "url": self.env._("The link is not a web address that may be opened."),
            "redirect": self.env._("The exchange sent us somewhere else: refused."),
            "size": self.env._("The file is larger than a recording may be."),
        }.get(reason, self.env._("The file could not be accepted."))
        self.write({"state": "failed", "words": words, "next_try_at": False})
        self.env["oda.event"]._log("recording.refused", self, reason=reason)
        self._tell()

    def _tell(self):
        """Let the card of whoever talked show the player."""
        call = self.call_id
        call._lock()
        call.version += 1
        call._bus_tell(call.leg_ids.filtered(lambda leg: not leg.closed).user_id)

    @api.model
    def _cron_fetch(self):
        """Enqueue what is due and has no job: after a crash, or a lost job."""
        late = fields.Datetime.now() - timedelta(seconds=30)
        user = self.env["oda.connector.account"]._jobs_user()
        self.with_user(user).search(
            [("state", "=", "pending"), ("next_try_at", "<=", late)], limit=500
        )._enqueue(0)

    def action_fetch_now(self):
        """Try again now, by hand."""
        self.check_access("read")
        if not self.env.user.has_group("oda_base.group_admin"):
            self.check_access("write")
        # sudo: the row is the job's; the person's right was checked above
        rows = self.sudo().filtered(lambda one: one.state != "stored")
        rows.write({"state": "pending", "next_try_at": fields.Datetime.now()})
        user = self.env["oda.connector.account"]._jobs_user()
        rows.with_user(user)._enqueue(0)
