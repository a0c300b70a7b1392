# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import io
import logging
from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.oda_base import sealing
from odoo.addons.oda_base.net import audio
from odoo.addons.oda_base.net.download import Downloader
from odoo.addons.oda_base.net.errors import NotThere, Refused, Temporary
from odoo.addons.oda_base.transaction import in_own_transaction

_logger = logging.getLogger(__name__)

FIRST_FETCH = 20  # seconds: the exchange writes the file after the hang-up
QUICK_TRIES, QUICK_GAP = 4, 60  # then each hour
HOURLY_GAP = 3600
GIVE_UP = timedelta(days=6)  # the exchange keeps it about a week
LEASE = timedelta(minutes=10)  # a fetch that takes longer is a dead process's
#: seconds a download may take: the first ones, and one more for each MB allowed
PATIENCE, MOST_PATIENCE = 120, 540  # less than the lease
#: reasons of a refusal that no waiting will change
FINAL = ("url", "host", "redirect", "size", "encoding")


class OdaRecording(models.Model):
    """Copying the sound from the exchange: soon, then hourly, for six days."""

    _inherit = "oda.recording"

    @api.model
    def _offer(self, call, url):
        """Note that the exchange has a recording; fetch it soon after."""
        if self.search_count([("call_id", "=", call.id), ("url", "=", url)], limit=1):
            return
        delay = self._first_delay()
        account = call.account_id
        announced = account._announces_recording(call)
        vals = {"call_id": call.id, "url": url, "announced": announced}
        if account.recording_announced_only and not announced:
            self.create(
                {
                    **vals,
                    "state": "failed",
                    "words": self.env._("People were not told of it: not copied."),
                }
            )
            return
        vals["next_try_at"] = fields.Datetime.now() + timedelta(seconds=delay)
        self.create(vals)._enqueue(delay)

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
        url, hosts, max_bytes = claim
        try:
            with self._downloader(hosts, max_bytes).fetch(url) as file:
                seconds = audio.mp3_duration(file.path)
                own_cursor(
                    "_stored", file.file, file.content_type, file.sha256, seconds
                )
        except NotThere:
            own_cursor("_not_now", "not_there")
        except Temporary:
            own_cursor("_not_now", "trouble")
        except Refused as error:
            if error.reason in FINAL:
                own_cursor("_refused", error.reason)
            else:
                own_cursor("_not_now", error.reason)
        except sealing.SealError:
            own_cursor("_not_now", "key")
        except Exception as error:  # noqa: BLE001
            # Whatever it was, it must not be tried for ever: counted as a try.
            _logger.info("recording %s: %s", self.id, type(error).__name__)
            own_cursor("_not_now", "trouble")
        return "done"

    @api.model
    def _downloader(self, hosts, max_bytes):
        return Downloader(
            hosts,
            max_bytes=max_bytes,
            total=min(MOST_PATIENCE, PATIENCE + max_bytes // 1024**2),
            accept=audio.accept_audio,
        )

    def _claim(self):
        """Take the row for this process.

        :return: (url, allowed hosts, bytes allowed), or None when it is not ours
        """
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
        account = self.call_id.account_id
        return self.url, account._recording_hosts(), account._recording_max_bytes()

    def _stored(self, content, mimetype, sha256, seconds):
        """Keep the sound that has come.

        :param content: binary file, or bytes
        :param str sha256: hex, of the sound as it came
        :param seconds: float or None: unknown
        """
        if isinstance(content, bytes):
            content = io.BytesIO(content)
        # sudo: the sound is closed to the ORM for everybody, also for this job
        mine = self.sudo()
        mine.mimetype = mimetype
        key = mine._keep_sound(content, seal=mine.company_id.oda_recording_encrypt)
        mine.write(
            {
                "audio_key": key,
                "size": content.seek(0, io.SEEK_END),
                "sha256": sha256,
                "duration": int(seconds or self.call_id.duration or 0),
                "state": "stored",
                "words": False,
                "next_try_at": False,
                "fetched_at": fields.Datetime.now(),
            }
        )
        self._enqueue_waveform()
        self._tell()

    def _not_now(self, reason):
        """Put the next try off, or give up when the exchange has forgotten it."""
        words = {
            "not_there": self.env._("The exchange does not have it yet."),
            "trouble": self.env._("The exchange could not be reached."),
            "content": self.env._("The exchange sent something that is no sound."),
            "key": self.env._(
                "Sound shall be encrypted, and the server has no key for it."
            ),
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
        rows = self.sudo().filtered(
            lambda one: one.state in ("pending", "failed", "missing")
        )
        rows.write({"state": "pending", "next_try_at": fields.Datetime.now()})
        user = self.env["oda.connector.account"]._jobs_user()
        rows.with_user(user)._enqueue(0)
