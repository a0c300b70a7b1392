# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hmac
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import hmac as database_hmac

from ..net import BadStatus, NetError, SafeClient, parse_url

PROBE = "X-Oda-Probe"  # header of the test that an account makes of its own address
PROBE_AGE = 60  # seconds
QUIET = timedelta(hours=24)


class OdaConnectorAccount(models.Model):
    """How an account does, for the person who looks after it."""

    _inherit = "oda.connector.account"

    inbound_url = fields.Char(
        string="Address for the provider",
        compute="_compute_inbound_url",
        help="Paste it into the provider's settings.",
    )
    live_state = fields.Selection(
        [
            ("off", "Switched off"),
            ("no_secret", "Secret missing"),
            ("trouble", "Needs a look"),
            ("never", "Nothing received yet"),
            ("quiet", "Quiet for a day"),
            ("live", "Works"),
        ],
        string="Live state",
        compute="_compute_live_state",
        groups="oda_base.group_admin",
    )
    refused_today = fields.Integer(
        compute="_compute_refused", groups="oda_base.group_admin"
    )
    refused_reason = fields.Char(
        string="Last refusal", compute="_compute_refused", groups="oda_base.group_admin"
    )
    refused_at = fields.Datetime(
        string="Refused at", compute="_compute_refused", groups="oda_base.group_admin"
    )

    @api.depends("inbound_path")
    def _compute_inbound_url(self):
        for account in self:
            account.inbound_url = account.get_base_url() + account.inbound_path

    def _compute_refused(self):
        """Refusals since midnight here, and the last one of all that are kept."""
        Refusal = self.env["oda.refusal"]
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = fields.Datetime.now() - (now - midnight)
        mine = [("account_id", "in", self.ids)]
        today = dict(
            Refusal._read_group(
                [*mine, ("at", ">=", since)], ["account_id"], ["count:sum"]
            )
        )
        last = dict(Refusal._read_group(mine, ["account_id"], ["id:max"]))
        reasons = dict(Refusal._fields["reason"]._description_selection(self.env))
        for account in self:
            refusal = Refusal.browse(last.get(account, ()))
            account.refused_today = today.get(account, 0)
            account.refused_reason = reasons.get(refusal.reason, False)
            account.refused_at = refusal.at

    @api.depends("active", "secret_sealed")
    def _compute_live_state(self):
        fresh = fields.Datetime.now() - QUIET
        for account in self:
            last, refused = account.last_received_at, account.refused_at
            if not account.active:
                state = "off"
            elif not account.has_secret:
                state = "no_secret"
            elif account.dead_count or (
                # Turned away since the last good one: it would have to be mended.
                refused and refused > max(last or fresh, fresh)
            ):
                state = "trouble"
            elif not last:
                state = "never"
            else:
                state = "live" if last > fresh else "quiet"
            account.live_state = state

    def action_view_refused(self):
        """Open the refusals of this account."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_base.action_oda_refusal"
        )
        action["domain"] = [("account_id", "=", self.id)]
        return action

    # === THE TEST OF THE ADDRESS ===#

    def action_test(self):
        """Knock at the account's own public address and say what came back.

        The knock carries a proof of this database, not the account's secret, and
        leaves no row: it shows that the way from outside ends here, no more.
        """
        self.ensure_one()
        self.check_access("write")
        if not self.active:
            raise UserError(self.env._("This channel is switched off."))
        if not self.has_secret:
            raise UserError(
                self.env._("Write the secret first: without one every push is refused.")
            )
        fine, words = self._probe()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": words,
                "type": "success" if fine else "danger",
                "sticky": not fine,
            },
        }

    def _probe(self):
        """Return `(well, words)` of a knock at `inbound_url`."""
        url = self.inbound_url
        stamp = str(int(time.time()))
        proof = f"{stamp}.{self._probe_proof('ask', self.id, stamp)}"
        expected = self._probe_proof("answer", self.id, stamp)
        try:
            client = SafeClient(
                [parse_url(url).hostport],
                timeout=(3.0, 5.0),
                total=8.0,
                max_bytes=4096,
                breaker=None,
                retries=0,
                allow_http=True,
            )
            answer = client.post(url, json={}, headers={PROBE: proof})
            given = answer.json().get("probe")
        except BadStatus as error:
            return False, self.env._(
                "%(url)s answered with error %(status)s. Look at the proxy in front, "
                "and at whether the channel is saved and switched on.",
                url=url,
                status=error.status,
            )
        except NetError as error:
            return False, self.env._(
                "%(url)s could not be reached from this server: %(why)s. Providers "
                "push to it: it must be the address seen from outside.",
                url=url,
                why=error,
            )
        except (ValueError, AttributeError):
            given = None
        if not isinstance(given, str) or not hmac.compare_digest(given, expected):
            return False, self.env._(
                "Something else answers at %s, not this database. Look at the web "
                "address of the system and at the proxy.",
                url,
            )
        return True, self.env._(
            "The address answers: what is pushed to %s ends in this channel. Whether "
            "the provider has the same secret shows at its first push.",
            url,
        )

    @api.model
    def _probe_proof(self, side, account_id, stamp):
        # sudo: the key is the database's own secret
        return database_hmac(
            self.sudo().env,  # sudo: see above
            f"oda_base.probe.{side}",
            f"{account_id}:{stamp}",
        )

    @api.model
    def _probe_answer(self, account_id, asked):
        """Return the answer to a knock of our own, None when it is not ours."""
        stamp, _dot, proof = asked.partition(".")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            return None
        if abs(time.time() - int(stamp)) > PROBE_AGE:
            return None
        expected = self._probe_proof("ask", account_id, stamp)
        if not hmac.compare_digest(proof.encode(), expected.encode()):
            return None
        return self._probe_proof("answer", account_id, stamp)
